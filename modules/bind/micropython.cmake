# All modules of modules.mk as user C modules:
# USER_C_MODULES=<this repository>/modules/bind/micropython.cmake

get_filename_component(WEDAU_DIR ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(WEDAU_LIST ${CMAKE_CURRENT_LIST_DIR}/modules.mk)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${WEDAU_LIST})

file(STRINGS ${WEDAU_LIST} WEDAU_LINES REGEX "^WEDAU_MODULES \\+= ")
set(WEDAU_SOURCES)
set(WEDAU_INCLUDE)
foreach(WEDAU_LINE ${WEDAU_LINES})
    string(REPLACE "WEDAU_MODULES += " "" WEDAU_LINE ${WEDAU_LINE})
    separate_arguments(WEDAU_PATTERNS UNIX_COMMAND ${WEDAU_LINE})
    list(TRANSFORM WEDAU_PATTERNS PREPEND ${WEDAU_DIR}/)
    file(GLOB WEDAU_FILES ${WEDAU_PATTERNS})
    list(APPEND WEDAU_SOURCES ${WEDAU_FILES})
endforeach()
list(REMOVE_DUPLICATES WEDAU_SOURCES) # linked once, whoever calls it
foreach(WEDAU_FILE ${WEDAU_SOURCES})
    get_filename_component(WEDAU_FOLDER ${WEDAU_FILE} DIRECTORY)
    if(WEDAU_FOLDER MATCHES "^${WEDAU_DIR}/core")
        list(APPEND WEDAU_INCLUDE ${WEDAU_FOLDER})
    endif()
endforeach()
list(REMOVE_DUPLICATES WEDAU_INCLUDE)

add_library(usermod_wedau INTERFACE)
target_sources(usermod_wedau INTERFACE ${WEDAU_SOURCES})
target_include_directories(usermod_wedau INTERFACE ${WEDAU_INCLUDE})
# Board and host must agree bit for bit: nothing is fused. ESP-IDF's own flags leave it to gcc.
target_compile_options(usermod_wedau INTERFACE -ffp-contract=off)
target_link_libraries(usermod INTERFACE usermod_wedau)

# core/sign includes Monocypher, which is not ours. 'wedau firmware build' names its folder.
if(NOT WEDAU_MONOCYPHER)
    set(WEDAU_MONOCYPHER $ENV{WEDAU_MONOCYPHER})
endif()
if(NOT WEDAU_MONOCYPHER)
    include(${CMAKE_CURRENT_LIST_DIR}/monocypher.cmake)
endif()
target_include_directories(usermod_wedau SYSTEM INTERFACE ${WEDAU_MONOCYPHER})
