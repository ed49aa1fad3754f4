# After a reset or a sleep: all is still there.


def run(given):
    with open(given["folder"] + "/selftest.bin", "rb") as file:
        return {"data": file.read(), "answers": native_answers(given)}
