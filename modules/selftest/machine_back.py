# After a reset or a sleep: why it started, and whether all is still there.


def run(given):
    import machine

    cause = getattr(machine, given["cause"], None) if given["cause"] else None
    with open(given["folder"] + "/selftest.bin", "rb") as file:
        data = file.read()
    return {
        "cause": cause is None or machine.reset_cause() == cause,
        "data": data,
        "answers": native_answers(given),
    }
