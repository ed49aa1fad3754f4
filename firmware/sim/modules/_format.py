# Makes the file system on erased flash; refuses to wipe what it cannot read.
import vfs

_BOOT_PY = "# This file is executed on every boot.\n"


def format(bdev):
    block = bytearray(bdev.ioctl(5, 0))
    bdev.readblocks(0, block)
    if any(b != 0xFF for b in block):
        raise OSError("the file system on the flash is corrupted; erase the flash file to start anew")
    vfs.VfsLfs2.mkfs(bdev)
    vfs.mount(vfs.VfsLfs2(bdev, mtime=False), "/")
    with open("/boot.py", "w") as f:
        f.write(_BOOT_PY)
