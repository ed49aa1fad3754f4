# 16 MB of flash: more than half of it is the file system's, for recordings.
set(WEDAU_APP_SIZE 0x300000)
set(WEDAU_MODEL_SIZE 0x80000)
set(WEDAU_VFS_SIZE 0x8F0000)
set(WEDAU_FLASH_SDKCONFIG)
