# Mounts the flash file system at /, making a new one on erased flash. Runs before boot.py.
import sim
import vfs

bdev = sim.Flash()
try:
    vfs.mount(bdev, "/")
except OSError:
    import _format

    _format.format(bdev)
    del _format
del bdev, sim, vfs
