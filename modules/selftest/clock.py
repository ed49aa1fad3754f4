# The clock: never runs backwards, and 200 ms of sleep are 200 ms.


def run(given):
    import time

    backwards, last = 0, time.ticks_us()
    for _ in range(2000):
        now = time.ticks_us()
        backwards += time.ticks_diff(now, last) < 0
        last = now
    start_us, start_ms = time.ticks_us(), time.ticks_ms()
    time.sleep_ms(given["sleep_ms"])
    return {
        "backwards": backwards,
        "slept_us": time.ticks_diff(time.ticks_us(), start_us),
        "slept_ms": time.ticks_diff(time.ticks_ms(), start_ms),
    }
