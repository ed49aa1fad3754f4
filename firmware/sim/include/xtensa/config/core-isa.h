// What MicroPython asks about the core.
#ifndef WEDAU_SIM_CORE_ISA_H
#define WEDAU_SIM_CORE_ISA_H

#define XCHAL_HAVE_WINDOWED 1

#endif // WEDAU_SIM_CORE_ISA_H
