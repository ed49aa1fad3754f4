// Exponential function and hyperbolic tangent in float32, the same bits on every machine.

#ifndef WD_EXP_H
#define WD_EXP_H

// e^x, within 2 units of the last place where the result is a normal number. 0 from -104 down,
// infinity from 88.73 up; NaN gives NaN.
float wd_exp(float x);

// The hyperbolic tangent, within 3 units of the last place; NaN gives NaN.
float wd_tanh(float x);

#endif
