# wedau_features: windows of a recording, bit for bit, without a heap; wrong inputs are refused.


def run(given):
    from array import array

    import wedau_features as w

    recipe = given["recipe"]
    channels, length, n, work_floats = w.info(recipe)
    work, out = array("f", bytes(4 * work_floats)), array("f", bytes(4 * n))
    scale, grid = array("f", given["scale"]), array("h", bytes(2 * n))
    rows, grids = [], []
    for window in given["windows"]:
        window = array("f", window)
        locked(w.extract, recipe, window, work, out)
        locked(w.quantize, out, scale, grid)
        rows.append(bytes(out))
        grids.append(bytes(grid))
    wrong = (
        (w.info, recipe[:-1]),
        (w.info, b"no recipe"),
        (w.extract, recipe, window[:-1], work, out),
        (w.extract, recipe, window, work, out[:-1]),
        (w.extract, recipe, list(window), work, out),
        (w.quantize, out, scale, grid[:-1]),
        (w.quantize, array("f", [float("nan")] * n), scale, grid),
    )
    spent = cost(w.extract, recipe, window, work, out)
    return {
        "info": (channels, length, n),
        "rows": rows,
        "grids": grids,
        "refusals": [(refusal(*call) or ("nothing",))[0] for call in wrong],
        "cost": spent,
        "windows_per_s": round(1000000 / spent["us"]),
    }
