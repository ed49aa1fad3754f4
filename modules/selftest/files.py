# The file system: what is written and renamed is there.


def run(given):
    import os

    new, path = given["folder"] + "/selftest.new", given["folder"] + "/selftest.bin"
    for data in (b"old", given["data"]):
        with open(new, "wb") as file:
            written = file.write(data)
        os.rename(new, path)
    if hasattr(os, "sync"):
        os.sync()
    return {
        "written": written,
        "size": os.stat(path)[6],
        "left": sorted(name for name in os.listdir(given["folder"]) if "selftest." in name),
        "missing": refusal(open, given["folder"] + "/no-such-file")[0],
    }
