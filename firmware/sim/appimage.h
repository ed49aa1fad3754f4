// An application's image in the flash, in the form of ESP-IDF's (simboard.h has the numbers).
#ifndef WEDAU_SIM_APPIMAGE_H
#define WEDAU_SIM_APPIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether an image lies at address, in at most room bytes, that a boot loader would start.
bool sim_image_verify(uint32_t address, size_t room);

// The script that it carries, or NULL.
const char *sim_image_script(uint32_t address, size_t room, size_t *len);

#endif // WEDAU_SIM_APPIMAGE_H
