# 8 MB of flash: a third of each application slot is left for what is built in.
set(WEDAU_APP_SIZE 0x270000)
set(WEDAU_MODEL_SIZE 0x40000)
set(WEDAU_VFS_SIZE 0x290000)
set(WEDAU_FLASH_SDKCONFIG)
