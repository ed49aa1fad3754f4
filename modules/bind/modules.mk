# The C modules: one line for each, with the file that binds it to MicroPython and the files of the
# core that it calls, relative to modules/. The file in bind/ has the module's name; the core's folders
# that are named here are searched for headers. Three readers: py.mk's user modules (micropython.mk),
# CMake's (micropython.cmake), and the .mpy files (wedau.build.runtime). Write the line like the others.
WEDAU_MODULES += bind/features/wedau_features.c core/*.c
WEDAU_MODULES += bind/trees/wedau_trees.c core/trees/wd_trees.c core/trees/wd_crc32.c core/wd_quantize.c core/wd_round.c
WEDAU_MODULES += bind/baseline/wedau_baseline.c core/baseline/*.c core/trees/wd_crc32.c core/wd_mathf.c
WEDAU_MODULES += bind/ed25519/wedau_ed25519.c core/sign/*.c
WEDAU_MODULES += bind/delta/wedau_delta.c core/delta/*.c
