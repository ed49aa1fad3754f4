// The class sim.Flash.
#ifndef WEDAU_SIM_FLASH_H
#define WEDAU_SIM_FLASH_H

#include "py/obj.h"

extern const mp_obj_type_t sim_flash_type;

#endif // WEDAU_SIM_FLASH_H
