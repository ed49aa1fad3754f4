// The command line, NAME=VALUE: flash, page, heap, cause, id, app, run, oplog, cut, each optional.

#include <stdlib.h>
#include <string.h>

#include "py/mpconfig.h"
#include "sim.h"

sim_args_t sim_args;

static bool parse_number(const char *text, uint32_t *out) {
    uint32_t n = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; ++text) {
        if (*text < '0' || *text > '9' || n > 100000000) {
            return false;
        }
        n = n * 10 + (uint32_t)(*text - '0');
    }
    *out = n;
    return true;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_id(const char *text, uint8_t *id, size_t len) {
    if (strlen(text) != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; ++i) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char *value_of(const char *arg, const char *name) {
    size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

// N:MODE
static bool parse_cut(const char *text) {
    char digits[11];
    const char *colon = strchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, (size_t)(colon - text));
    digits[colon - text] = '\0';
    return parse_number(digits, &sim_args.cut_at) && parse_number(colon + 1, &sim_args.cut_mode)
           && sim_args.cut_mode < SIM_CUT_NEVER;
}

static bool parse_one(const char *arg) {
    const char *value;
    uint32_t number;
    if ((value = value_of(arg, "flash")) != NULL) {
        sim_args.flash = value;
    } else if ((value = value_of(arg, "page")) != NULL) {
        sim_args.page = value;
    } else if ((value = value_of(arg, "heap")) != NULL && parse_number(value, &number)) {
        sim_args.heap_bytes = number;
    } else if ((value = value_of(arg, "cause")) != NULL && parse_number(value, &number)) {
        sim_args.reset_cause = (int)number;
    } else if ((value = value_of(arg, "id")) != NULL) {
        return parse_id(value, sim_args.unique_id, sizeof(sim_args.unique_id));
    } else if ((value = value_of(arg, "app")) != NULL) {
        return parse_number(value, &sim_args.app);
    } else if ((value = value_of(arg, "run")) != NULL) {
        sim_args.run = value;
    } else if ((value = value_of(arg, "oplog")) != NULL) {
        sim_args.oplog = value;
    } else if ((value = value_of(arg, "cut")) != NULL) {
        return parse_cut(value);
    } else {
        return false;
    }
    return true;
}

bool sim_args_parse(int argc, char **argv) {
    sim_args.heap_bytes = SIM_HEAP_BYTES;
    sim_args.reset_cause = SIM_RESET_POWER_ON;
    sim_args.cut_mode = SIM_CUT_NEVER;
    for (int i = 1; i < argc; ++i) {
        if (!parse_one(argv[i])) {
            return false;
        }
    }
    return true;
}
