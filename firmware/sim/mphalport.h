#ifndef WEDAU_SIM_MPHALPORT_H
#define WEDAU_SIM_MPHALPORT_H

#include "shared/runtime/interrupt_char.h"

void mp_hal_set_interrupt_char(int c);

#endif // WEDAU_SIM_MPHALPORT_H
