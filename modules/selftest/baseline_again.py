# wedau.Baseline after a restart: what was stored is taken, but not with other settings.


def run(given):
    from array import array

    from wedau.baseline import Baseline

    path = given["folder"] + "/selftest.wdb"
    n, windows, rate = given["n_features"], given["windows"], given["false_alarms"]
    baseline = Baseline(n, windows, path, rate, given["key"])
    judged = [array("f", row) for row in given["judged"]]
    out = array("f", [0])
    return {
        "ready": baseline.ready,
        "problem": baseline.problem,
        "scores": [bytes(baseline.score(row, out)) for row in judged] if baseline.ready else None,
        "other_problem": Baseline(n, windows, path, rate, b"other").problem,
    }
