# Native code answers the same while the radio is on; the radio is left as it was.


def run(given):
    try:
        import network

        wlan = network.WLAN(network.STA_IF)
    except (ImportError, AttributeError):
        return skip("the board has no radio that MicroPython knows")
    was_on = wlan.active()
    before = native_answers(given)
    wlan.active(True)
    try:
        found = len(wlan.scan())
        during = native_answers(given)
        costs = cost(native_answers, given)
    finally:
        wlan.active(was_on)
    return {
        "before": before,
        "during": during,
        "after": native_answers(given),
        "networks": found,
        "cost": costs,
    }
