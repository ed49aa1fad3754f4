// Decision trees on the int16 grid out of a data file, checked whole before the first use.
//
// The file, little endian; docs/reference/data-file.md has the same as a table:
//
//   header      wd_trees_header, 24 bytes
//   roots       u32 for each tree: where its root lies, in half-words from the first node; or
//               WD_TREES_ROOT_LEAF plus the class if the tree is one leaf
//   scale       f32 for each feature: data units per LSB of the grid
//   nodes       the decisions of all trees, tree by tree, each tree in preorder; leaves lie in the
//               decision above them
//   texts       name, version, hash of the data, version of the tools; the labels; the features'
//               names. Each is a byte with how many bytes it shares with the text before, a byte with
//               how many follow, and those; UTF-8
//   recipe      for wedau_features; may be empty
//   checksum    u32, CRC-32 of all bytes before
//
// A decision goes left where row[feature] <= threshold.

#ifndef WD_TREES_H
#define WD_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the data file is read in place, which needs a little-endian machine"
#endif

#define WD_TREES_MAGIC "WDT"
#define WD_TREES_VERSION 1
#define WD_TREES_WIDE 1 // flag: the nodes are wd_trees_wide, not wd_trees_narrow

#define WD_TREES_MAX_FEATURES 1024 // a row made from floats lies on the board's stack: 2 kB
#define WD_TREES_MAX_NARROW_FEATURES 256
#define WD_TREES_MAX_CLASSES 255
#define WD_TREES_MAX_TREES 65535
#define WD_TREES_MAX_NODES 0x1fffffff // so that a position in half-words is below ROOT_LEAF
#define WD_TREES_MAX_DEPTH 127 // decisions from a root to a leaf
#define WD_TREES_MAX_TEXT 127 // bytes of a text
#define WD_TREES_MAX_RECIPE 65535

#define WD_TREES_INFO_TEXTS 4 // name, version, data_sha256, wedau

#define WD_TREES_ROOT_LEAF_BIT 31
#define WD_TREES_ROOT_LEAF (1u << WD_TREES_ROOT_LEAF_BIT)
#define WD_TREES_LEFT_NEXT 255 // the left child is the next node; else it is a leaf of that class
#define WD_TREES_NARROW_LEAF 0x8000 // in right: a leaf, its class in the low byte
#define WD_TREES_WIDE_LEAF 0x800000 // the same in the upper 24 bits of children

// Numbers that the host needs, by name.
#define WD_TREES_LIMITS(X) \
    X(TREES_VERSION, WD_TREES_VERSION) \
    X(TREES_WIDE, WD_TREES_WIDE) \
    X(TREES_MAX_FEATURES, WD_TREES_MAX_FEATURES) \
    X(TREES_MAX_NARROW_FEATURES, WD_TREES_MAX_NARROW_FEATURES) \
    X(TREES_MAX_CLASSES, WD_TREES_MAX_CLASSES) \
    X(TREES_MAX_TREES, WD_TREES_MAX_TREES) \
    X(TREES_MAX_NODES, WD_TREES_MAX_NODES) \
    X(TREES_MAX_DEPTH, WD_TREES_MAX_DEPTH) \
    X(TREES_MAX_TEXT, WD_TREES_MAX_TEXT) \
    X(TREES_MAX_RECIPE, WD_TREES_MAX_RECIPE) \
    X(TREES_INFO_TEXTS, WD_TREES_INFO_TEXTS) \
    X(TREES_ROOT_LEAF_BIT, WD_TREES_ROOT_LEAF_BIT) \
    X(TREES_LEFT_NEXT, WD_TREES_LEFT_NEXT) \
    X(TREES_NARROW_LEAF, WD_TREES_NARROW_LEAF) \
    X(TREES_WIDE_LEAF, WD_TREES_WIDE_LEAF)

// What can be wrong with a file, in the order in which it is looked for.
#define WD_TREES_ERRORS(X) \
    X(OK, "no error") \
    X(ALIGNMENT, "the data does not begin at a multiple of 4 bytes") \
    X(TRUNCATED, "the data file is cut short") \
    X(MAGIC, "the bytes are not a data file of trees") \
    X(VERSION, "the data file is of an unknown version") \
    X(COUNTS, "the data file has no features, classes or trees, or too many") \
    X(TRAILING, "bytes follow the end of the data file") \
    X(CHECKSUM, "the data file is damaged: its checksum differs") \
    X(SCALE, "a scale is not a finite number above 0") \
    X(ROOT, "a tree does not begin where the one before it ends") \
    X(FEATURE, "a decision compares a feature that does not exist") \
    X(CHILD, "a decision leads elsewhere than on in its own tree") \
    X(LEAF, "a leaf names a class that does not exist") \
    X(DEPTH, "a tree is too deep") \
    X(TEXT, "a text is cut short, too long or not UTF-8")

#define WD_TREES_ERROR_MEMBER(name, text) WD_TREES_ERROR_##name,
typedef enum { WD_TREES_ERRORS(WD_TREES_ERROR_MEMBER) WD_TREES_N_ERRORS } wd_trees_error;
#undef WD_TREES_ERROR_MEMBER

#define WD_TREES_OK WD_TREES_ERROR_OK

// The bytes are read in place, whatever type they had before.
#ifdef __GNUC__
#define WD_IN_PLACE __attribute__((may_alias))
#else
#define WD_IN_PLACE
#endif

typedef struct WD_IN_PLACE {
    char magic[3];
    uint8_t version;
    uint8_t flags; // WD_TREES_WIDE or 0
    uint8_t n_classes;
    uint16_t n_features;
    uint16_t n_trees;
    uint16_t recipe_bytes;
    uint32_t n_nodes; // decisions of all trees
    uint32_t text_bytes;
    uint32_t reserved; // 0
} wd_trees_header;

// A decision of 6 bytes, for up to 256 features.
typedef struct WD_IN_PLACE {
    uint8_t feature;
    uint8_t left;
    int16_t threshold;
    int16_t right; // half-words from here to the right child, or WD_TREES_NARROW_LEAF + class
} wd_trees_narrow;

// A decision of 8 bytes, for more features, and for trees so large that right does not fit.
typedef struct WD_IN_PLACE {
    uint16_t feature;
    int16_t threshold;
    uint32_t children; // low byte: left; above it: right in half-words, or WD_TREES_WIDE_LEAF + class
} wd_trees_wide;

typedef uint32_t WD_IN_PLACE wd_trees_root;
typedef float WD_IN_PLACE wd_trees_float;

// A file that wd_trees_open() has checked. It points into the bytes, which must stay as they are.
typedef struct {
    const wd_trees_root *roots;
    const wd_trees_float *scale;
    const uint8_t *nodes;
    const uint8_t *texts;
    const uint8_t *recipe;
    uint32_t n_nodes;
    uint32_t text_bytes;
    uint16_t n_features;
    uint16_t n_trees;
    uint16_t recipe_bytes;
    uint8_t n_classes;
    uint8_t is_wide;
} wd_trees;

// One English sentence without a full stop; never NULL.
const char *wd_trees_error_text(wd_trees_error error);

// Check a whole file and fill in trees; on an error its content is undefined.
//
// data: at a multiple of 4 bytes. Time is linear in length; nothing outside data is read.
wd_trees_error wd_trees_open(const uint8_t *data, size_t length, wd_trees *trees);

// The class that most trees vote for; of several, the lowest.
//
// row: n_features values on the grid, any int16.
uint32_t wd_trees_predict(const wd_trees *trees, const int16_t *row);

// The share of the trees that vote for each class.
//
// row: as above; out: n_classes floats, votes / n_trees, each one float32 division.
void wd_trees_proba(const wd_trees *trees, const int16_t *row, float *out);

// The texts of a checked file one after the other, WD_TREES_INFO_TEXTS + n_classes + n_features.
typedef struct {
    const uint8_t *next;
    const uint8_t *end;
    uint32_t length; // bytes of text
    char text[WD_TREES_MAX_TEXT];
} wd_trees_reader;

void wd_trees_texts(const wd_trees *trees, wd_trees_reader *reader);

// Read the next text into the reader; false if there is none, or it is not a valid one.
bool wd_trees_next_text(wd_trees_reader *reader);

#endif
