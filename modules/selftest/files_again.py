# The file system after a soft reset: the file is what was written.


def run(given):
    with open(given["folder"] + "/selftest.bin", "rb") as file:
        return {"data": file.read()}
