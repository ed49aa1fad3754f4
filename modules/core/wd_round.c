#include "wd_mathf.h"

int32_t wd_round(float x, int32_t limit) {
    float bound = (float)limit;
    if (x >= bound) {
        return limit;
    }
    if (x <= -bound) {
        return -limit;
    }
    int32_t whole = (int32_t)x; // towards zero, and it fits
    float rest = x - (float)whole; // exact
    if (rest > 0.5f || (rest >= 0.5f && (whole & 1))) {
        whole++;
    } else if (rest < -0.5f || (rest <= -0.5f && (whole & 1))) {
        whole--;
    }
    return whole;
}
