// Eight windows at once, where the CPU can; see _core_avx2.c.

#ifndef WD_CORE_AVX2_H
#define WD_CORE_AVX2_H

#include "wd_recipe.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define WD_HAS_AVX2
#endif

#define WD_AVX2_LANES 8

// wd_extract() of eight windows; work: work_lanes * 8 floats. Only if __builtin_cpu_supports("avx2").
void wd_extract_eight(const wd_recipe *recipe, const float *const *window, const float *tables,
    void *work, float *const *out);

#endif
