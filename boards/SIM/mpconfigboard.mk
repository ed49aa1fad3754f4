# The simulated board's part of the build, included by firmware/sim/Makefile.
MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST ?= $(BOARD_DIR)/manifest.py
