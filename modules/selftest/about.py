# What the board says of itself, for the head of the report.


def run(given):
    return {
        "machine": getattr(sys.implementation, "_machine", sys.platform),
        "micropython": ".".join(str(n) for n in sys.implementation[1][:3]),
        "build": getattr(sys.implementation, "_build", None),
        "platform": sys.platform,
        "mpy": getattr(sys.implementation, "_mpy", 0),
        "frequency_hz": frequency(),
        "heap_bytes": heap(),
        "flash_bytes": flash(),
        "psram_bytes": psram(),
        "exact": exact(),
    }


def frequency():
    try:
        import machine

        hertz = machine.freq()
        return hertz if isinstance(hertz, int) else hertz[0]
    except (ImportError, AttributeError):
        return None


def heap():
    import gc

    gc.collect()
    return gc.mem_free() + gc.mem_alloc()


def flash():
    try:
        import esp

        return esp.flash_size()
    except (ImportError, AttributeError):
        return None


def psram():
    # A region of the heap that is larger than all memory in the chip.
    try:
        import esp32

        largest = max(region[0] for region in esp32.idf_heap_info(esp32.HEAP_DATA))
        return largest if largest >= 1024 * 1024 else 0
    except (ImportError, AttributeError):
        return None


def exact():
    try:
        import sim

        return hasattr(sim, "count")
    except ImportError:
        return False
