# A module of native code: imports and answers, soft reset after soft reset.


def run(given):
    return {"answers": native_answers(given), "instruction_memory_bytes": instruction_memory()}


def instruction_memory():
    """Return the bytes that are free for native code; None where there is no such memory."""
    try:
        import esp32

        return sum(region[1] for region in esp32.idf_heap_info(esp32.HEAP_EXEC))
    except (ImportError, AttributeError):
        return None
