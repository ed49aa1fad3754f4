# wedau.Baseline: learns the bits that the host learns, and stores them.


def run(given):
    from array import array

    from wedau.baseline import Baseline

    path = given["folder"] + "/selftest.wdb"
    n = given["n_features"]
    baseline = Baseline(n, given["windows"], path, given["false_alarms"], given["key"])
    left = [baseline.learn(array("f", row)) for row in given["learned"]]
    with open(path, "rb") as file:
        kept = file.read()
    judged = [array("f", row) for row in given["judged"]]
    out = array("f", [0])
    return {
        "left": left,
        "kept": kept,
        "scores": [bytes(locked(baseline.score, row, out)) for row in judged],
        "classes": [locked(baseline.predict, row) for row in judged],
        "refusals": [
            (refusal(*call) or ("nothing",))[0]
            for call in (
                (baseline.predict, judged[0][:-1]),
                (baseline.predict, list(judged[0])),
                (Baseline, 0, given["windows"], path),
            )
        ],
        "cost": cost(baseline.predict, judged[0]),
    }
