# The module of native code that any board with native code can load: no compiler is needed.
# Its twin on the host is native_answer() in tools/wedau/cli/selftest_cases.py.

import micropython

TABLE = b"\x05\x01\x04\x00\x03\x06\x02"


@micropython.native
def predict(row):
    total = 0
    for i in range(len(row)):
        total += row[i] * (i + 3)
    return TABLE[total % 7] * 1000 + total
