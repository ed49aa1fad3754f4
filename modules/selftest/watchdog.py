# A watchdog that is fed does not bite while modules are imported and files are written.


def run(given):
    import time

    import machine

    dog = machine.WDT(timeout=2000)
    longest_us = 0
    path = given["folder"] + "/selftest.busy"
    for number in range(given["rounds"]):
        start = time.ticks_us()
        sys.modules.pop(given["native"], None)
        same = native_answers(given) == given["native_answers"]
        with open(path, "wb") as file:
            file.write(bytes(4096))
        dog.feed()
        longest_us = max(longest_us, time.ticks_diff(time.ticks_us(), start))
    return {"same": same, "longest_us": longest_us}
