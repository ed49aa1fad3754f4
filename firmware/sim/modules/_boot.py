# Mounts the flash file system at /, making a new one on erased flash. Runs before boot.py. Files carry
# no times: what it costs to read one must not depend on when it was written.
import sim
import vfs

bdev = sim.Flash()
try:
    vfs.mount(vfs.VfsLfs2(bdev, mtime=False), "/")
except OSError:
    import _format

    _format.format(bdev)
    del _format
del bdev, sim, vfs
