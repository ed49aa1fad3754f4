# Whether the board can do what the next step does.


def run(given):
    try:
        import machine
    except ImportError:
        return skip("the board has no module machine")
    if not hasattr(machine, given["function"]):
        return skip("the board has no machine." + given["function"])
    with open(given["folder"] + "/selftest.bin", "wb") as file:
        file.write(given["data"])
    import os

    if hasattr(os, "sync"):
        os.sync()
    return {"answers": native_answers(given)}
