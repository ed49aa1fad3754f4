# Native code answers the same while the flash is written and read.


def run(given):
    path = given["folder"] + "/selftest.busy"
    stop, seen = threaded(given)
    same = True
    for number in range(given["rounds"]):
        data = bytes([number]) * 4096
        with open(path, "wb") as file:
            file.write(data)
        same = same and native_answers(given) == given["native_answers"]
        with open(path, "rb") as file:
            same = same and file.read() == data
    stop()
    return {"same": same, "beside": seen}


def threaded(given):
    """Predict in a second thread meanwhile, if the board has threads."""
    try:
        import _thread
    except ImportError:
        return (lambda: None), []
    import time

    seen, state = [], [True]

    def predict():
        ours = {"native": given["native"], "native_rows": given["native_rows"]}
        right = True
        while state[0]:
            right = right and native_answers(ours) == given["native_answers"]
            time.sleep_ms(1)
        seen.append(right)
        state.append(None)

    def stop():
        state[0] = False
        for _ in range(500):
            if len(state) > 1:
                return
            time.sleep_ms(10)

    native_answers(given)
    _thread.start_new_thread(predict, ())
    return stop, seen
