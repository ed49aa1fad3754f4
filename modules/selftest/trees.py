# wedau_trees: a data file decides as scikit-learn, from memory and from a file; damage is refused.


def run(given):
    import wedau_trees

    data = given["data"]
    model = wedau_trees.load(data)
    path = given["folder"] + "/selftest.wdt"
    with open(path, "wb") as file:
        file.write(data)
    from_file = wedau_trees.load(path)
    x, out = array_of("h", given["rows"][0]), array_of("f", bytes(4 * len(model.labels)))
    return {
        "labels": model.labels,
        "classes": [decide(model, row) for row in given["rows"]],
        "classes_from_file": [decide(from_file, row) for row in given["rows"]],
        "shares": [shares(model, row, out) for row in given["rows"]],
        "damaged": [refusal(wedau_trees.load, damaged(data, how)) for how in given["damage"]],
        "refusals": [
            (refusal(*call) or ("nothing",))[0]
            for call in (
                (model.predict, x[:-1]),
                (model.predict, list(x)),
                (model.predict, array_of("f", b"\x00\x00\xc0\x7f" * len(x))),
                (model.predict_proba, x, out[:-1]),
                (wedau_trees.load, given["folder"] + "/no-such-file"),
            )
        ],
        "cost": cost(model.predict, x),
    }


def array_of(code, data):
    from array import array

    return array(code, data)


def decide(model, row):
    return locked(model.predict, array_of("h", row))


def shares(model, row, out):
    return bytes(locked(model.predict_proba, array_of("h", row), out))


def damaged(data, how):
    """Cut a file to a length, or change one byte."""
    length, at, change = how
    copy = bytearray(data[:length])
    if change:
        copy[at] ^= change
    return bytes(copy)
