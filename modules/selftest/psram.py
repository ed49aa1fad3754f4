# PSRAM: firmware for the wrong kind boots as well, silently without it.


def run(given):
    try:
        import esp32
    except ImportError:
        return skip("no ESP32: it has no PSRAM")
    largest = max(region[0] for region in esp32.idf_heap_info(esp32.HEAP_DATA))
    return {"found_bytes": largest if largest >= 1024 * 1024 else 0}
