set(WEDAU_FLASH_MB 8)
set(WEDAU_PSRAM none)
include(${CMAKE_CURRENT_LIST_DIR}/../shared/board.cmake)
