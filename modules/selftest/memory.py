# The heap: its largest block holds what is written into it, in blocks of patterns.


def run(given):
    import gc

    gc.collect()
    free = gc.mem_free()
    block, size = None, free
    while block is None and size > 1024:
        try:
            block = bytearray(size)
        except MemoryError:
            size -= size // 16
    wrong = 0
    view, step = memoryview(block), given["step"]
    for at in range(0, size - step, step):
        view[at : at + step] = pattern(at, step)
    for at in range(0, size - step, step):
        wrong += bytes(view[at : at + step]) != pattern(at, step)
    return {"wrong_blocks": wrong, "free_bytes": free, "largest_bytes": size}


def pattern(at, step):
    word = (at * 2654435761 & 0xFFFFFFFF).to_bytes(4, "little")
    return word * (step // 4)
