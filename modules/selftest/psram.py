# PSRAM: firmware for the wrong kind boots as well, silently without it.


def run(given):
    try:
        from esp32 import HEAP_DATA, idf_heap_info
    except ImportError:
        return skip("no ESP32: it has no PSRAM")
    if not given["known"]:
        return skip("what PSRAM this board has is not known: name it with --board")
    largest = max(region[0] for region in idf_heap_info(HEAP_DATA))
    return {"found_bytes": largest if largest >= 1024 * 1024 else 0}
