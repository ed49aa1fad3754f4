// Error codes of modules/core, written here once: the bindings export them by this list.

#ifndef WD_ERRORS_H
#define WD_ERRORS_H

#define WD_ERRORS(X) \
    X(OK, "no error") \
    X(TRUNCATED, "the recipe is cut short") \
    X(MAGIC, "the bytes are not a feature recipe") \
    X(VERSION, "the recipe is of an unknown version") \
    X(CHANNELS, "the recipe has no channels, or too many") \
    X(LENGTH, "the recipe's window is too short or too long") \
    X(STEP, "the recipe has an unknown step, too many steps, or none") \
    X(ORDER, "the recipe filters or derives a channel after a step that uses the channels") \
    X(CHANNEL_INDEX, "the recipe names a channel that does not exist, or a channel with itself") \
    X(STATISTICS, "the recipe asks for an unknown statistic, or for none") \
    X(BANDS, "the recipe's band edges do not rise, or lie outside the spectrum") \
    X(HOP, "the recipe's hop is 0, or given twice") \
    X(FILTER, "the recipe has a filter that is not stable, or filters a channel that does not exist") \
    X(MEL, "the recipe's mel bands do not rise, lie outside the spectrum, or hold no bin of it") \
    X(QUANTILES, "the recipe asks for a quantile that is not within 0 to 1") \
    X(TRAILING, "bytes follow the end of the recipe") \
    X(NAN, "a value is not a number") \
    X(SCALE, "a scale is not a finite number above 0")

#define WD_ERROR_MEMBER(name, text) WD_ERROR_##name,
typedef enum { WD_ERRORS(WD_ERROR_MEMBER) WD_N_ERRORS } wd_error;
#undef WD_ERROR_MEMBER

#define WD_OK WD_ERROR_OK

// One English sentence without a full stop; never NULL.
const char *wd_error_text(wd_error error);

#endif
