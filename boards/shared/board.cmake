# What every board of ours is made of. A board's mpconfigboard.cmake sets WEDAU_FLASH_MB (4, 8 or 16)
# and WEDAU_PSRAM (none, quad or octal), then includes this file.
#
# The later of two lines of sdkconfig wins: what the board's hardware is comes after MicroPython's
# defaults, and where the partition table lies comes last.

set(IDF_TARGET esp32s3)
set(WEDAU_SHARED ${CMAKE_CURRENT_LIST_DIR})

if(NOT EXISTS ${WEDAU_SHARED}/flash_${WEDAU_FLASH_MB}MB.cmake)
    message(FATAL_ERROR "there is no layout for '${WEDAU_FLASH_MB}' MB of flash in ${WEDAU_SHARED}")
endif()
if(NOT WEDAU_PSRAM MATCHES "^(none|quad|octal)$")
    message(FATAL_ERROR "WEDAU_PSRAM is '${WEDAU_PSRAM}'; it has to be none, quad or octal")
endif()
include(${WEDAU_SHARED}/flash_${WEDAU_FLASH_MB}MB.cmake)

# Append the first of these fragments of MicroPython's that its version has.
function(wedau_append_first)
    foreach(WEDAU_NAME ${ARGN})
        set(WEDAU_PATH ${CMAKE_CURRENT_SOURCE_DIR}/boards/${WEDAU_NAME})
        if(EXISTS ${WEDAU_PATH})
            set(SDKCONFIG_DEFAULTS ${SDKCONFIG_DEFAULTS} ${WEDAU_PATH} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "this MicroPython has none of: ${ARGN}; Wedau's boards need v1.28.0 or newer")
endfunction()

set(SDKCONFIG_DEFAULTS)
wedau_append_first(sdkconfig.base)
wedau_append_first(sdkconfig.ble)
wedau_append_first(sdkconfig.240mhz)
if(NOT WEDAU_PSRAM STREQUAL "none")
    wedau_append_first(sdkconfig.spiram_quad sdkconfig.spiram_sx) # the latter up to v1.28
endif()
if(WEDAU_PSRAM STREQUAL "octal")
    wedau_append_first(sdkconfig.spiram_oct)
endif()

# The name of the partition table would be looked for in MicroPython's tree if it were not absolute.
set(WEDAU_PARTITIONS ${CMAKE_BINARY_DIR}/wedau_partitions.csv)
configure_file(${WEDAU_SHARED}/partitions.csv.in ${WEDAU_PARTITIONS} @ONLY)
configure_file(${WEDAU_SHARED}/sdkconfig.flash.in ${CMAKE_BINARY_DIR}/wedau_sdkconfig.flash @ONLY)

list(APPEND SDKCONFIG_DEFAULTS
    ${WEDAU_SHARED}/sdkconfig.common
    ${WEDAU_FLASH_SDKCONFIG}
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${CMAKE_BINARY_DIR}/wedau_sdkconfig.flash
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
