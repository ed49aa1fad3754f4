# Mounts the file system at /, making a new one on erased flash: the partition vfs, or the whole flash where
# there are no partitions. Runs before boot.py. Files carry no times: what it costs to read one must not
# depend on when it was written.
import esp32
import sim
import vfs

bdev = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")
bdev = bdev[0] if bdev else sim.Flash()
try:
    vfs.mount(vfs.VfsLfs2(bdev, mtime=False), "/")
except OSError:
    import _format

    _format.format(bdev)
    del _format
del bdev, esp32, sim, vfs
