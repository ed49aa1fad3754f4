// modules/core once more for x86 CPUs that take eight windows at once (AVX2): the same sources under
// other names. _core.c asks the CPU which of them it can run. Without fused multiply-add, so the bits
// are the same.

#include "_core_avx2.h"

#ifdef WD_HAS_AVX2

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#undef WD_LANES
#define WD_LANES WD_AVX2_LANES
#define wd_features_prepare wd_features_prepare_avx2
#define wd_extract wd_extract_avx2
#define wd_fft_real wd_fft_real_avx2
#define wd_fft_table wd_fft_table_avx2
#define wd_statistics wd_statistics_avx2
#define wd_quantiles wd_quantiles_avx2
#define wd_select_open wd_select_open_avx2
#define wd_select_between wd_select_between_avx2

#include "wd_features.c"
#include "wd_fft.c"
#include "wd_select.c"
#undef BIT
#include "wd_statistics.c"

void wd_extract_eight(const wd_recipe *recipe, const float *const *window, const float *tables,
    void *work, float *const *out) {
    wd_out to;
    for (int i = 0; i < WD_LANES; i++) {
        to.to[i] = out[i];
    }
    wd_extract(recipe, window, tables, work, to);
}

#ifdef __clang__
#pragma clang attribute pop
#endif

#endif
