# A model as a native module, compiled from C: decides as scikit-learn, without a heap.


def run(given):
    from array import array

    model = __import__(given["model"])
    out = array("f", bytes(4 * len(model.labels)))
    rows = [array("h", row) for row in given["rows"]]
    return {
        "labels": model.labels,
        "features": model.info["features"],
        "classes": [locked(model.predict, row) for row in rows],
        "shares": [bytes(locked(model.predict_proba, row, out)) for row in rows],
        "refusals": [
            (refusal(*call) or ("nothing",))[0]
            for call in (
                (model.predict, rows[0][:-1]),
                (model.predict, list(rows[0])),
                (model.predict_proba, rows[0], out[:-1]),
                (model.predict_proba, rows[0], bytes(4 * len(out))),
            )
        ],
        "cost": cost(model.predict, rows[0]),
    }
