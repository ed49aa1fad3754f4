# What our modules need of the interpreter: arrays, float32, buffers, checksums, a heap that locks.


def run(given):
    from array import array
    from binascii import crc32
    from hashlib import sha256

    a, b = array("f", given["a"]), array("f", given["b"])
    out = array("f", bytes(4 * len(a)))
    view = memoryview(out)[1:3]
    view[0] = 0.1
    return {
        "sums": each(a, b, lambda x, y: x + y),
        "products": each(a, b, lambda x, y: x * y),
        "quotients": each(a, b, lambda x, y: x / y),
        "slice": bytes(out)[:12],
        "int16": bytes(array("h", [-32768, -1, 0, 32767])),
        "crc32": crc32(given["a"]),
        "sha256": sha256(given["a"]).digest(),
        "locked": refusal(locked, bytearray, 100)[0],
        "allocates": refusal(bytearray, 100),
    }


def each(a, b, operation):
    from array import array

    return bytes(array("f", [operation(x, y) for x, y in zip(a, b)]))
