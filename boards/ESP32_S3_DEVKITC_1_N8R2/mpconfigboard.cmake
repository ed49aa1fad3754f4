set(WEDAU_FLASH_MB 8)
set(WEDAU_PSRAM quad)
include(${CMAKE_CURRENT_LIST_DIR}/../shared/board.cmake)
