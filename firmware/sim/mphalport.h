#ifndef WEDAU_SIM_MPHALPORT_H
#define WEDAU_SIM_MPHALPORT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/runtime/interrupt_char.h"

void mp_hal_set_interrupt_char(int c);
void mp_hal_get_random(size_t n, uint8_t *buf);

#endif // WEDAU_SIM_MPHALPORT_H
