# The partitions of updates: read only. Nothing is written or marked.


def run(given):
    try:
        from esp32 import Partition
    except ImportError:
        return skip("no ESP32: it has no partitions")
    try:
        running = Partition(Partition.RUNNING)
        following = running.get_next_update()
    except OSError:
        return skip("the firmware has no two slots for updates")
    block = bytearray(256)
    running.readblocks(0, block)
    return {
        "magic": block[0],
        "same_size": running.info()[3] == following.info()[3],
        "differ": running.info()[4] != following.info()[4],
        "running": running.info()[4],
        "slot_bytes": running.info()[3],
    }
