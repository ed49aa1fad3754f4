"""Run inputs that a fuzzer kept, on MicroPython: FOLDER-OF-MODULES TARGET STATE LIST-OF-FILES."""

import sys

_, folder, name, state, listed = sys.argv
sys.path.insert(0, folder)
import planted  # noqa: E402
import targets  # noqa: E402

if state == "planted":
    planted.plant(name)
with open(listed) as file:
    paths = file.read().split("\n")
for path in paths:
    with open(path, "rb") as file:
        data = file.read()
    try:
        targets.run(name, data)
    except Exception as error:
        print(path)
        sys.print_exception(error)
        sys.exit(1)
print(len(paths), "inputs")
