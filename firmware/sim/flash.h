// The flash chip, and the class sim.Flash.
#ifndef WEDAU_SIM_FLASH_H
#define WEDAU_SIM_FLASH_H

#include "py/obj.h"

extern const mp_obj_type_t sim_flash_type;

// The caller keeps to the flash: address + len <= sim_flash_bytes(), and sectors are whole.
size_t sim_flash_bytes(void);
const uint8_t *sim_flash_read(uint32_t address, size_t len);
void sim_flash_erase(uint32_t address, size_t len);
void sim_flash_program(uint32_t address, const void *data, size_t len);

#endif // WEDAU_SIM_FLASH_H
