# wedau.Pipeline: samples one by one through filters and windows, bit for bit, without a heap.


def run(given):
    from array import array

    import wedau

    pipeline = wedau.Pipeline(recipe=given["recipe"])
    n = pipeline.channels
    samples = array("f", given["samples"])
    sample = array("f", bytes(4 * n))
    rows = []
    for i in range(0, len(samples), n):
        for j in range(n):
            sample[j] = samples[i + j]
        if locked(pipeline.push, sample):
            rows.append(bytes(pipeline.features))
    pipeline.reset()
    return {
        "rows": rows,
        "refusals": [
            (refusal(*call) or ("nothing",))[0]
            for call in (
                (pipeline.push, (1,) * (n + 1)),
                (pipeline.push, (float("nan"),) * n),
                (pipeline.push, "no sample"),
                (wedau.Pipeline, None, b"no recipe"),
            )
        ],
        "cost": cost(pipeline.push, sample),
    }
