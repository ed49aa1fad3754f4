# 4 MB of flash: two application slots fit only where the image is built for size.
set(WEDAU_APP_SIZE 0x180000)
set(WEDAU_MODEL_SIZE 0x20000)
set(WEDAU_VFS_SIZE 0xB0000)
set(WEDAU_FLASH_SDKCONFIG ${WEDAU_SHARED}/sdkconfig.size)
