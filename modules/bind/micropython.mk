# All modules of modules.mk as user C modules: make USER_C_MODULES=<this repository>/modules
# MicroPython's py.mk includes this file and gives its folder as USERMOD_DIR.

WEDAU_DIR := $(patsubst %/,%,$(dir $(USERMOD_DIR)))
WEDAU_MODULES :=
include $(USERMOD_DIR)/modules.mk
WEDAU_SOURCES := $(sort $(wildcard $(addprefix $(WEDAU_DIR)/,$(WEDAU_MODULES))))

SRC_USERMOD_C += $(filter $(WEDAU_DIR)/bind/%,$(WEDAU_SOURCES))
SRC_USERMOD_LIB_C += $(filter $(WEDAU_DIR)/core/%,$(WEDAU_SOURCES))
CFLAGS_USERMOD += $(addprefix -I,$(patsubst %/,%,$(sort $(dir $(filter $(WEDAU_DIR)/core/%,$(WEDAU_SOURCES))))))
# Board and host must agree bit for bit: nothing is fused.
CFLAGS_USERMOD += -ffp-contract=off

# core/sign includes Monocypher, which is not ours. 'wedau firmware build' names its folder.
ifeq ($(WEDAU_MONOCYPHER),)
$(error set WEDAU_MONOCYPHER to the folder that holds monocypher.c and monocypher.h; its version is in tools/wedau/build/pins.toml)
endif
CFLAGS_USERMOD += -isystem $(WEDAU_MONOCYPHER)
