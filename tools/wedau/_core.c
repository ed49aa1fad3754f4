// wedau._core: modules/core for CPython, over whole arrays at once.
//
// The same C runs on the board, so what it computes here is what it computes there. Arrays come in
// and go out through the buffer protocol, so that NumPy is not needed to build this.

#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#include "_core_avx2.h"
#include "wd_baseline.h"
#include "wd_crc32.h"
#include "wd_delta.h"
#include "wd_features.h"
#include "wd_filter.h"
#include "wd_quantize.h"
#include "wd_trees.h"

typedef struct {
    const char *name;
    const char *formats; // codes of the struct module that mean this type
    Py_ssize_t size;
} item_type;

static const item_type FLOAT32 = { "float32", "f", 4 };
static const item_type INT16 = { "int16", "h", 2 };
static const item_type INT64 = { "int64", "lq", 8 };

static int is_type(const Py_buffer *view, const item_type *type) {
    const char *format = view->format;
    if (*format == '=' || *format == '@') {
        format++;
    }
    return view->itemsize == type->size && format[0] != 0 && format[1] == 0
           && strchr(type->formats, format[0]) != NULL
           && (uintptr_t)view->buf % (uintptr_t)type->size == 0;
}

// Take the buffer of an array of this type and number of dimensions; false and an exception if it
// is another.
static int take(PyObject *object, Py_buffer *view, const item_type *type, int ndim, int writable,
    const char *what) {
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags) != 0) {
        return 0;
    }
    if (view->ndim == ndim && is_type(view, type)) {
        return 1;
    }
    PyBuffer_Release(view);
    PyErr_Format(PyExc_TypeError, "%s must be an aligned, contiguous %s array of %d dimension(s)",
        what, type->name, ndim);
    return 0;
}

static PyObject *fail(wd_error error) {
    PyErr_SetString(PyExc_ValueError, wd_error_text(error));
    return NULL;
}

static int parse_recipe(const char *bytes, Py_ssize_t n, wd_recipe *recipe) {
    wd_error error = wd_recipe_parse((const uint8_t *)bytes, (size_t)n, recipe);
    if (error != WD_OK) {
        fail(error);
    }
    return error == WD_OK;
}

static PyObject *core_info(PyObject *module, PyObject *args) {
    (void)module;
    const char *bytes;
    Py_ssize_t n;
    wd_recipe r;
    if (!PyArg_ParseTuple(args, "y#", &bytes, &n) || !parse_recipe(bytes, n, &r)) {
        return NULL;
    }
    return Py_BuildValue("{s:i,s:i,s:i,s:k,s:k,s:O}", "channels", (int)r.n_recorded, "length",
        (int)r.length, "fft_length", (int)r.fft_length, "hop", (unsigned long)r.hop, "n_features",
        (unsigned long)r.n_features, "filters", r.n_coefficients > 0 ? Py_True : Py_False);
}

// The most windows that are computed at once.
#ifdef WD_HAS_AVX2
#define MOST_LANES WD_AVX2_LANES
#else
#define MOST_LANES WD_LANES
#endif

static int lanes(void) {
#ifdef WD_HAS_AVX2
    return __builtin_cpu_supports("avx2") ? WD_AVX2_LANES : WD_LANES;
#else
    return WD_LANES;
#endif
}

// Compute the features of n windows at once; both kinds of code give the same bits.
static void extract_some(const wd_recipe *r, int n, const float *const *window, const float *tables,
    float *work, float *const *to) {
#ifdef WD_HAS_AVX2
    if (n == WD_AVX2_LANES) {
        wd_extract_eight(r, window, tables, work, to);
        return;
    }
#endif
    wd_out out;
    for (int i = 0; i < n; i++) {
        out.to[i] = to[i];
    }
    wd_extract(r, window, tables, (wd_lane *)work, out);
}

// Compute the features of as many windows at a time as the CPU takes; where fewer are left, the last one
// again.
static void extract_windows(const wd_recipe *r, const float *x, const int64_t *start, Py_ssize_t n,
    const float *tables, float *work, float *to) {
    int at_once = lanes();
    for (Py_ssize_t i = 0; i < n; i += at_once) {
        const float *window[MOST_LANES];
        float *out[MOST_LANES];
        for (int lane = 0; lane < at_once; lane++) {
            Py_ssize_t row = i + lane < n ? i + lane : n - 1;
            window[lane] = x + start[row] * r->n_recorded;
            out[lane] = to + row * (Py_ssize_t)r->n_features;
        }
        extract_some(r, at_once, window, tables, work, out);
    }
}

static PyObject *extract_all(const wd_recipe *r, const Py_buffer *samples, const Py_buffer *starts,
    const Py_buffer *out) {
    Py_ssize_t n_windows = starts->shape[0], n_samples = samples->shape[0];
    const int64_t *start = starts->buf;
    if (samples->shape[1] != r->n_recorded) {
        PyErr_Format(PyExc_ValueError, "the samples have %zd channels, the recipe %d",
            samples->shape[1], (int)r->n_recorded);
        return NULL;
    }
    if (out->shape[0] != n_windows || out->shape[1] != (Py_ssize_t)r->n_features) {
        PyErr_Format(PyExc_ValueError, "out must be of shape (%zd, %u)", n_windows,
            (unsigned)r->n_features);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n_windows; i++) {
        if (start[i] < 0 || start[i] > n_samples - (Py_ssize_t)r->length) {
            PyErr_Format(PyExc_ValueError, "window %zd lies outside the samples", i);
            return NULL;
        }
    }
    size_t work_floats = r->work_lanes * MOST_LANES;
    float *work = PyMem_Malloc((work_floats + r->table_floats) * sizeof(float));
    if (work == NULL) {
        return PyErr_NoMemory();
    }
    float *tables = work + work_floats;
    Py_BEGIN_ALLOW_THREADS
    wd_features_prepare(r, tables);
    extract_windows(r, samples->buf, start, n_windows, tables, work, out->buf);
    Py_END_ALLOW_THREADS
    PyMem_Free(work);
    Py_RETURN_NONE;
}

static PyObject *core_extract(PyObject *module, PyObject *args) {
    (void)module;
    const char *bytes;
    Py_ssize_t n;
    PyObject *objects[3], *result = NULL;
    Py_buffer samples, starts, out;
    wd_recipe r;
    if (!PyArg_ParseTuple(args, "y#OOO", &bytes, &n, &objects[0], &objects[1], &objects[2])
        || !parse_recipe(bytes, n, &r)) {
        return NULL;
    }
    if (!take(objects[0], &samples, &FLOAT32, 2, 0, "samples")) {
        return NULL;
    }
    if (take(objects[1], &starts, &INT64, 1, 0, "starts")) {
        if (take(objects[2], &out, &FLOAT32, 2, 1, "out")) {
            result = extract_all(&r, &samples, &starts, &out);
            PyBuffer_Release(&out);
        }
        PyBuffer_Release(&starts);
    }
    PyBuffer_Release(&samples);
    return result;
}

static PyObject *filter_all(const wd_recipe *r, const Py_buffer *samples, const Py_buffer *out) {
    if (samples->shape[1] != r->n_recorded || out->shape[0] != samples->shape[0]
        || out->shape[1] != r->n_recorded) {
        PyErr_SetString(PyExc_ValueError, "the samples, the recipe and out differ in shape");
        return NULL;
    }
    float *state = PyMem_Malloc((1 + r->state_floats + r->n_coefficients) * sizeof(float));
    if (state == NULL) {
        return PyErr_NoMemory();
    }
    float *coefficients = state + r->state_floats, *x = out->buf;
    Py_BEGIN_ALLOW_THREADS
    memcpy(x, samples->buf, (size_t)samples->len);
    wd_filter_prepare(r, coefficients);
    wd_filter_start(r, state);
    for (Py_ssize_t i = 0; i < samples->shape[0]; i++, x += r->n_recorded) {
        wd_filter(r, coefficients, state, x);
    }
    Py_END_ALLOW_THREADS
    PyMem_Free(state);
    Py_RETURN_NONE;
}

static PyObject *core_filter(PyObject *module, PyObject *args) {
    (void)module;
    const char *bytes;
    Py_ssize_t n;
    PyObject *objects[2], *result = NULL;
    Py_buffer samples, out;
    wd_recipe r;
    if (!PyArg_ParseTuple(args, "y#OO", &bytes, &n, &objects[0], &objects[1])
        || !parse_recipe(bytes, n, &r)
        || !take(objects[0], &samples, &FLOAT32, 2, 0, "samples")) {
        return NULL;
    }
    if (take(objects[1], &out, &FLOAT32, 2, 1, "out")) {
        result = filter_all(&r, &samples, &out);
        PyBuffer_Release(&out);
    }
    PyBuffer_Release(&samples);
    return result;
}

static PyObject *quantize_all(const Py_buffer *x, const Py_buffer *scale, const Py_buffer *out) {
    Py_ssize_t n_rows = x->shape[0], width = x->shape[1];
    if (scale->shape[0] != width || out->shape[0] != n_rows || out->shape[1] != width) {
        PyErr_SetString(PyExc_ValueError, "the widths of x, scale and out differ");
        return NULL;
    }
    const float *from = x->buf;
    int16_t *to = out->buf;
    for (Py_ssize_t i = 0; i < n_rows; i++) {
        wd_error error = wd_quantize(from + i * width, scale->buf, (size_t)width, to + i * width);
        if (error != WD_OK) {
            return fail(error);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *core_quantize(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *objects[3], *result = NULL;
    Py_buffer x, scale, out;
    if (!PyArg_ParseTuple(args, "OOO", &objects[0], &objects[1], &objects[2])
        || !take(objects[0], &x, &FLOAT32, 2, 0, "x")) {
        return NULL;
    }
    if (take(objects[1], &scale, &FLOAT32, 1, 0, "scale")) {
        if (take(objects[2], &out, &INT16, 2, 1, "out")) {
            result = quantize_all(&x, &scale, &out);
            PyBuffer_Release(&out);
        }
        PyBuffer_Release(&scale);
    }
    PyBuffer_Release(&x);
    return result;
}

static int open_trees(const char *bytes, Py_ssize_t n, wd_trees *trees) {
    wd_trees_error error = wd_trees_open((const uint8_t *)bytes, (size_t)n, trees);
    if (error != WD_TREES_OK) {
        PyErr_SetString(PyExc_ValueError, wd_trees_error_text(error));
    }
    return error == WD_TREES_OK;
}

static PyObject *all_texts(const wd_trees *trees) {
    wd_trees_reader reader;
    wd_trees_texts(trees, &reader);
    PyObject *texts = PyList_New(0);
    while (texts != NULL && wd_trees_next_text(&reader)) {
        PyObject *text = PyUnicode_FromStringAndSize(reader.text, (Py_ssize_t)reader.length);
        if (text == NULL || PyList_Append(texts, text) != 0) {
            Py_CLEAR(texts);
        }
        Py_XDECREF(text);
    }
    return texts;
}

static PyObject *core_trees_check(PyObject *module, PyObject *args) {
    (void)module;
    const char *bytes;
    Py_ssize_t n;
    wd_trees t;
    if (!PyArg_ParseTuple(args, "y#", &bytes, &n) || !open_trees(bytes, n, &t)) {
        return NULL;
    }
    PyObject *texts = all_texts(&t);
    if (texts == NULL) {
        return NULL;
    }
    return Py_BuildValue("{s:i,s:i,s:i,s:I,s:O,s:N,s:y#,s:y#}", "n_features", (int)t.n_features,
        "n_classes", (int)t.n_classes, "n_trees", (int)t.n_trees, "n_nodes", (unsigned)t.n_nodes,
        "is_wide", t.is_wide ? Py_True : Py_False, "texts", texts, "scale", (const char *)t.scale,
        (Py_ssize_t)t.n_features * 4, "recipe", (const char *)t.recipe, (Py_ssize_t)t.recipe_bytes);
}

static int fits(const wd_trees *trees, const Py_buffer *rows, const Py_buffer *out) {
    if (rows->shape[1] != (Py_ssize_t)trees->n_features) {
        PyErr_Format(PyExc_ValueError, "the rows have %zd features, the trees %d", rows->shape[1],
            (int)trees->n_features);
        return 0;
    }
    if (out->shape[0] != rows->shape[0]
        || (out->ndim == 2 && out->shape[1] != (Py_ssize_t)trees->n_classes)) {
        PyErr_SetString(PyExc_ValueError, "out has the wrong shape");
        return 0;
    }
    return 1;
}

static void predict_all(const wd_trees *trees, const Py_buffer *rows, const Py_buffer *out) {
    const int16_t *row = rows->buf;
    int64_t *to = out->buf;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < rows->shape[0]; i++, row += trees->n_features) {
        to[i] = wd_trees_predict(trees, row);
    }
    Py_END_ALLOW_THREADS
}

static void proba_all(const wd_trees *trees, const Py_buffer *rows, const Py_buffer *out) {
    const int16_t *row = rows->buf;
    float *to = out->buf;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < rows->shape[0]; i++, row += trees->n_features) {
        wd_trees_proba(trees, row, to + i * trees->n_classes);
    }
    Py_END_ALLOW_THREADS
}

// Take data, rows and out, and run all rows through the trees.
static PyObject *run_trees(PyObject *args, const item_type *type, int ndim,
    void (*run)(const wd_trees *, const Py_buffer *, const Py_buffer *)) {
    const char *bytes;
    Py_ssize_t n;
    PyObject *objects[2], *result = NULL;
    Py_buffer rows, out;
    wd_trees trees;
    if (!PyArg_ParseTuple(args, "y#OO", &bytes, &n, &objects[0], &objects[1])
        || !open_trees(bytes, n, &trees) || !take(objects[0], &rows, &INT16, 2, 0, "rows")) {
        return NULL;
    }
    if (take(objects[1], &out, type, ndim, 1, "out")) {
        if (fits(&trees, &rows, &out)) {
            run(&trees, &rows, &out);
            result = Py_NewRef(Py_None);
        }
        PyBuffer_Release(&out);
    }
    PyBuffer_Release(&rows);
    return result;
}

static PyObject *core_trees_predict(PyObject *module, PyObject *args) {
    (void)module;
    return run_trees(args, &INT64, 1, predict_all);
}

static PyObject *core_trees_proba(PyObject *module, PyObject *args) {
    (void)module;
    return run_trees(args, &FLOAT32, 2, proba_all);
}

// Learn from rows until it is enough, then score others. Return what the board would keep.
static PyObject *learn_and_score(const wd_baseline_settings *settings, const Py_buffer *learned,
    const Py_buffer *judged, const Py_buffer *scores) {
    size_t length = wd_baseline_learning_bytes(settings), n = settings->n_features;
    uint8_t *memory = PyMem_Malloc(length);
    if (memory == NULL) {
        return PyErr_NoMemory();
    }
    wd_baseline_error error = wd_baseline_begin(settings, memory, length);
    const float *row = learned->buf;
    uint32_t needed = settings->windows;
    for (Py_ssize_t i = 0; i < learned->shape[0] && needed > 0 && error == WD_BASELINE_OK; i++) {
        error = wd_baseline_learn(memory, length, row + (size_t)i * n, n, &needed);
    }
    if (error == WD_BASELINE_OK && needed > 0) {
        error = WD_BASELINE_ERROR_LEARNING;
    }
    row = judged->buf;
    float *score = scores->buf;
    for (Py_ssize_t i = 0; i < judged->shape[0] && error == WD_BASELINE_OK; i++) {
        bool is_anomaly;
        error = wd_baseline_score(memory, length, row + (size_t)i * n, n, score + i, &is_anomaly);
    }
    PyObject *kept = NULL;
    if (error == WD_BASELINE_OK) {
        kept = PyBytes_FromStringAndSize((char *)memory, (Py_ssize_t)wd_baseline_kept_bytes(settings));
    } else {
        PyErr_SetString(PyExc_ValueError, wd_baseline_error_text(error));
    }
    PyMem_Free(memory);
    return kept;
}

static PyObject *baseline_all(wd_baseline_settings *settings, const Py_buffer *learned,
    const Py_buffer *judged, const Py_buffer *scores) {
    Py_ssize_t n = learned->shape[1];
    settings->n_features = n > WD_BASELINE_MAX_FEATURES ? 0 : (uint32_t)n;
    wd_baseline_error error = wd_baseline_check_settings(settings);
    if (error != WD_BASELINE_OK) {
        PyErr_SetString(PyExc_ValueError, wd_baseline_error_text(error));
        return NULL;
    }
    if (judged->shape[1] != n || scores->shape[0] != judged->shape[0]) {
        PyErr_SetString(PyExc_ValueError, "the shapes of learned, judged and scores do not fit");
        return NULL;
    }
    return learn_and_score(settings, learned, judged, scores);
}

static PyObject *core_baseline(PyObject *module, PyObject *args) {
    (void)module;
    wd_baseline_settings settings;
    const char *key;
    Py_ssize_t key_bytes;
    PyObject *objects[3], *result = NULL;
    Py_buffer learned, judged, scores;
    if (!PyArg_ParseTuple(args, "Ify#OOO", &settings.windows, &settings.false_alarms, &key,
        &key_bytes, &objects[0], &objects[1], &objects[2])
        || !take(objects[0], &learned, &FLOAT32, 2, 0, "learned")) {
        return NULL;
    }
    settings.key = wd_crc32((const uint8_t *)key, (size_t)key_bytes);
    if (take(objects[1], &judged, &FLOAT32, 2, 0, "judged")) {
        if (take(objects[2], &scores, &FLOAT32, 1, 1, "scores")) {
            result = baseline_all(&settings, &learned, &judged, &scores);
            PyBuffer_Release(&scores);
        }
        PyBuffer_Release(&judged);
    }
    PyBuffer_Release(&learned);
    return result;
}

#define DELTA_BLOCK 4096

typedef struct {
    const uint8_t *old;
    uint8_t *new; // where the next bytes go
    uint8_t window[WD_DELTA_WINDOW_BYTES], block[DELTA_BLOCK], out[DELTA_BLOCK];
} delta_files;

static bool delta_read(void *context, uint32_t offset, size_t n) {
    delta_files *files = context;
    memcpy(files->block, files->old + offset, n);
    return true;
}

static bool delta_write(void *context, size_t n) {
    delta_files *files = context;
    memcpy(files->new, files->out, n);
    files->new += n;
    return true;
}

static PyObject *delta_apply(const Py_buffer *old, const Py_buffer *patch, uint32_t new_size) {
    delta_files files;
    wd_delta delta;
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)new_size);
    if (made == NULL) {
        return NULL;
    }
    files.old = old->buf;
    files.new = (uint8_t *)PyBytes_AsString(made);
    wd_delta_io io = { delta_read, delta_write, &files, files.window, files.block, DELTA_BLOCK,
                       files.out, DELTA_BLOCK };
    wd_delta_begin(&delta, &io, (uint32_t)old->len, new_size);
    wd_delta_error error = wd_delta_feed(&delta, patch->buf, (size_t)patch->len);
    if (wd_delta_is_done(&delta)) {
        return made;
    }
    Py_DECREF(made);
    const char *text = error == WD_DELTA_OK ? "the patch is cut off" : wd_delta_error_text(error);
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

static PyObject *core_delta_apply(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer old, patch;
    Py_ssize_t new_size;
    if (!PyArg_ParseTuple(args, "y*y*n", &old, &patch, &new_size)) {
        return NULL;
    }
    PyObject *made = NULL;
    if (old.len > WD_DELTA_MAX_FILE_BYTES || new_size < 0 || new_size > WD_DELTA_MAX_FILE_BYTES) {
        PyErr_SetString(PyExc_ValueError, "a file is too large for a patch");
    } else {
        made = delta_apply(&old, &patch, (uint32_t)new_size);
    }
    PyBuffer_Release(&patch);
    PyBuffer_Release(&old);
    return made;
}

static PyMethodDef methods[] = {
    { "delta_apply", core_delta_apply, METH_VARARGS, "Apply a patch to an old file." },
    { "info", core_info, METH_VARARGS, "Check a recipe and say what it needs." },
    { "extract", core_extract, METH_VARARGS, "Compute the features of many windows." },
    { "filter", core_filter, METH_VARARGS, "Pass a recording through a recipe's filters." },
    { "quantize", core_quantize, METH_VARARGS, "Put features on the int16 grid." },
    { "trees_check", core_trees_check, METH_VARARGS, "Check a data file of trees and read it." },
    { "trees_predict", core_trees_predict, METH_VARARGS, "Predict the classes of many rows." },
    { "trees_proba", core_trees_proba, METH_VARARGS, "Predict the shares of votes of many rows." },
    { "baseline", core_baseline, METH_VARARGS, "Learn what is normal and score rows." },
    { NULL, NULL, 0, NULL },
};

// Add a value under a name and give up the reference to it.
static int add(PyObject *module, const char *name, PyObject *value) {
    int failed = value == NULL || PyModule_AddObjectRef(module, name, value) != 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}


static PyObject *errors(void) {
    return Py_BuildValue("{"
#define X(name, text) "ss"
        WD_ERRORS(X)
#undef X
        "}"
#define X(name, text) , #name, text
        WD_ERRORS(X)
#undef X
        );
}

static PyObject *trees_errors(void) {
    return Py_BuildValue("{"
#define X(name, text) "ss"
        WD_TREES_ERRORS(X)
#undef X
        "}"
#define X(name, text) , #name, text
        WD_TREES_ERRORS(X)
#undef X
        );
}

static PyObject *statistics(void) {
    return Py_BuildValue("("
#define X(name, text, unit) "(ss)"
        WD_STATISTICS(X)
#undef X
        ")"
#define X(name, text, unit) , text, unit
        WD_STATISTICS(X)
#undef X
        );
}

static PyObject *steps(void) {
    return Py_BuildValue("{"
#define X(name) "si"
        WD_STEPS(X)
#undef X
        "}"
#define X(name) , #name, (int)WD_STEP_##name
        WD_STEPS(X)
#undef X
        );
}

static PyObject *limits(void) {
    return Py_BuildValue("{"
#define X(name, value) "si"
        WD_LIMITS(X)
        WD_TREES_LIMITS(X)
        WD_DELTA_LIMITS(X)
#undef X
        "}"
#define X(name, value) , #name, value
        WD_LIMITS(X)
        WD_TREES_LIMITS(X)
        WD_DELTA_LIMITS(X)
#undef X
        );
}

static int fill(PyObject *module) {
    if (add(module, "ERRORS", errors()) != 0 || add(module, "STATISTICS", statistics()) != 0
        || add(module, "STEPS", steps()) != 0 || add(module, "LIMITS", limits()) != 0
        || add(module, "MAGIC", PyBytes_FromString(WD_RECIPE_MAGIC)) != 0
        || add(module, "TREES_ERRORS", trees_errors()) != 0
        || add(module, "TREES_MAGIC", PyBytes_FromString(WD_TREES_MAGIC)) != 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    { Py_mod_exec, fill },
    { 0, NULL },
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "wedau._core", "Wedau's C core.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__core(void) {
    return PyModuleDef_Init(&definition);
}
