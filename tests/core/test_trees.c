// Unit tests of modules/core/trees; the process ends with 1 at the first thing that does not hold.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_crc32.h"
#include "wd_trees.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define NEXT WD_TREES_LEFT_NEXT
#define LEAF(class) ((int16_t)(WD_TREES_NARROW_LEAF + (class)))
#define MAX_NODES (2 * WD_TREES_MAX_DEPTH)

// A file that is not written yet: two features, three classes.
typedef struct {
    wd_trees_header header;
    uint32_t roots[3];
    float scale[2];
    wd_trees_narrow nodes[MAX_NODES];
    wd_trees_wide wide[MAX_NODES];
    char texts[200];
    char recipe[3];
} parts;

static const char TEXTS[] = "\0\3saw\0\0051.0.0\0\2ab\0\0050.1.0" // name, version, hash, tools
    "\0\3off\1\2\303\266\3\1k" // off, oö, oök
    "\0\3rms\0\4peak";

static parts small(void) {
    parts p = { .header = { "WDT", WD_TREES_VERSION, 0, 3, 2, 3, 3, 5, sizeof(TEXTS) - 1, 0 },
        .roots = { 0, WD_TREES_ROOT_LEAF + 1, 9 },
        .scale = { 0.5f, 3e-45f },
        .nodes = {
            { 0, NEXT, 10, 6 }, // first tree: row[0] <= 10
            { 1, 0, -5, LEAF(1) }, // yes: row[1] <= -5 ? 0 : 1
            { 1, 2, 7, LEAF(0) }, // no: row[1] <= 7 ? 2 : 0
            { 1, 2, 0, 3 }, // third tree: row[1] <= 0 ? 2 : ...
            { 0, 0, 3, LEAF(1) }, // ... row[0] <= 3 ? 0 : 1
        },
        .recipe = "\1\2\3" };
    memcpy(p.texts, TEXTS, sizeof(TEXTS));
    return p;
}

// Write the file into memory of just its size; *length becomes its length.
static uint8_t *write(const parts *p, size_t *length) {
    const wd_trees_header *h = &p->header;
    const void *nodes = h->flags ? (const void *)p->wide : (const void *)p->nodes;
    size_t node = h->flags ? sizeof(wd_trees_wide) : sizeof(wd_trees_narrow);
    const void *from[] = { h, p->roots, p->scale, nodes, p->texts, p->recipe };
    size_t sizes[] = { sizeof(*h), 4u * h->n_trees, 4u * h->n_features, node * h->n_nodes,
        h->text_bytes, h->recipe_bytes };
    uint8_t *bytes = malloc(8192);
    size_t n = 0;
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        memcpy(bytes + n, from[i], sizes[i]);
        n += sizes[i];
    }
    uint32_t crc = wd_crc32(bytes, n);
    memcpy(bytes + n, &crc, 4);
    *length = n + 4;
    return realloc(bytes, *length);
}

static wd_trees_error verdict(const parts *p) {
    wd_trees trees;
    size_t length;
    uint8_t *bytes = write(p, &length);
    wd_trees_error error = wd_trees_open(bytes, length, &trees);
    free(bytes);
    return error;
}

static void test_crc32_is_that_of_zlib(void) {
    CHECK(wd_crc32((const uint8_t *)"123456789", 9) == 0xcbf43926u);
    CHECK(wd_crc32(NULL, 0) == 0);
}

static void test_trees_decide_by_majority_and_ties_go_to_the_lowest_class(void) {
    static const struct {
        int16_t row[2];
        uint32_t best;
        float shares[3];
    } cases[] = {
        { { 10, -5 }, 0, { 1 / 3.0f, 1 / 3.0f, 1 / 3.0f } },
        { { 10, -4 }, 1, { 0, 2 / 3.0f, 1 / 3.0f } },
        { { 11, 7 }, 1, { 0, 2 / 3.0f, 1 / 3.0f } },
        { { 11, 8 }, 1, { 1 / 3.0f, 2 / 3.0f, 0 } },
        { { 11, 0 }, 2, { 0, 1 / 3.0f, 2 / 3.0f } },
        { { 3, 1 }, 1, { 1 / 3.0f, 2 / 3.0f, 0 } },
        { { 4, 1 }, 1, { 0, 1, 0 } },
        { { 32767, 32767 }, 1, { 1 / 3.0f, 2 / 3.0f, 0 } },
        { { -32768, -32768 }, 0, { 1 / 3.0f, 1 / 3.0f, 1 / 3.0f } },
    };
    parts p = small();
    size_t length;
    wd_trees trees;
    uint8_t *bytes = write(&p, &length);
    CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float out[3];
        CHECK(wd_trees_predict(&trees, cases[i].row) == cases[i].best);
        wd_trees_proba(&trees, cases[i].row, out);
        CHECK(memcmp(out, cases[i].shares, sizeof(out)) == 0);
    }
    free(bytes);
}

static void test_texts_are_read_in_order(void) {
    static const char *expected[] = { "saw", "1.0.0", "ab", "0.1.0", "off", "o\303\266",
        "o\303\266k", "rms", "peak" };
    parts p = small();
    size_t length;
    wd_trees trees;
    wd_trees_reader reader;
    uint8_t *bytes = write(&p, &length);
    CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_OK);
    wd_trees_texts(&trees, &reader);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        CHECK(wd_trees_next_text(&reader));
        CHECK(reader.length == strlen(expected[i]));
        CHECK(memcmp(reader.text, expected[i], reader.length) == 0);
    }
    CHECK(!wd_trees_next_text(&reader));
    CHECK(trees.recipe_bytes == 3 && memcmp(trees.recipe, "\1\2\3", 3) == 0);
    free(bytes);
}

static void test_every_truncation_is_refused(void) {
    parts p = small();
    size_t length;
    wd_trees trees;
    uint8_t *whole = write(&p, &length);
    for (size_t n = 0; n < length; n++) {
        uint8_t *bytes = malloc(n ? n : 1);
        memcpy(bytes, whole, n);
        CHECK(wd_trees_open(bytes, n, &trees) == WD_TREES_ERROR_TRUNCATED);
        if (n > 28) { // with a checksum that is right for what is left
            uint32_t crc = wd_crc32(bytes, n - 4);
            memcpy(bytes + n - 4, &crc, 4);
            CHECK(wd_trees_open(bytes, n, &trees) == WD_TREES_ERROR_TRUNCATED);
        }
        free(bytes);
    }
    free(whole);
}

static void test_every_flipped_bit_is_refused(void) {
    parts p = small();
    size_t length;
    wd_trees trees;
    uint8_t *bytes = write(&p, &length);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(wd_trees_open(bytes, length, &trees) != WD_TREES_OK);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_OK);
    CHECK(wd_trees_open(bytes + 1, length - 1, &trees) == WD_TREES_ERROR_ALIGNMENT);
    free(bytes);
}

#define REFUSES(change, error) \
    do { \
        parts p = small(); \
        change; \
        CHECK(verdict(&p) == WD_TREES_ERROR_##error); \
    } while (0)

static void test_wrong_headers_are_refused(void) {
    REFUSES(p.header.magic[2] = 'R', MAGIC);
    REFUSES(p.header.version = 2, VERSION);
    REFUSES(p.header.flags = 2, VERSION);
    REFUSES(p.header.reserved = 1, VERSION);
    REFUSES(p.header.n_classes = 0, COUNTS);
    REFUSES(p.header.n_features = 0, COUNTS);
    REFUSES(p.header.n_trees = 0, COUNTS);
    REFUSES(p.scale[0] = 0.0f, SCALE);
    REFUSES(p.scale[1] = -0.0f, SCALE);
    REFUSES(p.scale[1] = -1.0f, SCALE);
    REFUSES(p.scale[1] = 1.0f / p.scale[1], SCALE); // infinity
    REFUSES(memset(&p.scale[1], 0x7f, 4); memset(&p.scale[1], 0xff, 3), SCALE); // NaN
}

// Sizes that would wrap around in 32 bits, in a file of the right length for the wrapped ones.
static void test_sizes_that_overflow_are_refused(void) {
    static const uint32_t sizes[] = { 0xffffffffu, 0x80000000u, 0x2aaaaaabu + 5, 0x20000000u + 5 };
    parts p = small();
    size_t length;
    wd_trees trees;
    uint8_t *bytes = write(&p, &length);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memcpy(bytes + offsetof(wd_trees_header, n_nodes), &sizes[i], 4);
        CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_ERROR_COUNTS);
    }
    memcpy(bytes + offsetof(wd_trees_header, n_nodes), &p.header.n_nodes, 4);
    memcpy(bytes + offsetof(wd_trees_header, text_bytes), &sizes[0], 4);
    CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_ERROR_TRUNCATED);
    free(bytes);
}

static void test_wrong_trees_are_refused(void) {
    REFUSES(p.roots[0] = 3, ROOT);
    REFUSES(p.roots[2] = 0, ROOT); // a tree twice
    REFUSES(p.roots[2] = 0x7fffffff, ROOT);
    REFUSES(p.roots[1] = WD_TREES_ROOT_LEAF + 3, LEAF);
    REFUSES(p.roots[1] = 0xffffffffu, LEAF);
    REFUSES(p.roots[2] = WD_TREES_ROOT_LEAF, ROOT); // nodes of no tree
    REFUSES(p.nodes[4].feature = 2, FEATURE);
    REFUSES(p.nodes[1].left = 3, LEAF);
    REFUSES(p.nodes[1].right = LEAF(3), LEAF);
    REFUSES(p.nodes[1].right = -1, LEAF);
    REFUSES(p.nodes[0].right = 0, CHILD); // a cycle
    REFUSES(p.nodes[0].right = 3, CHILD); // both children are one
    REFUSES(p.nodes[0].right = 5, CHILD); // inside a node
    REFUSES(p.nodes[0].right = 9, CHILD); // into the next tree
    REFUSES(p.nodes[3].right = 0, CHILD); // a cycle
    REFUSES(p.nodes[3].right = 32767, CHILD);
    REFUSES(p.nodes[4].left = NEXT, CHILD); // beyond the end
    REFUSES(p.nodes[4].right = 3, CHILD);
}

static void test_wrong_texts_are_refused(void) {
    REFUSES(p.texts[0] = 1, TEXT); // shares with no text before
    REFUSES(p.texts[1] = 127, TEXT);
    REFUSES(p.texts[2] = (char)0xff, TEXT);
    REFUSES(p.header.text_bytes--, TEXT);
    REFUSES(p.header.text_bytes++, TEXT);
    static const char *wrong[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xc3(" };
    static const char *right[] = { "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]) + sizeof(right) / sizeof(right[0]); i++) {
        size_t n_wrong = sizeof(wrong) / sizeof(wrong[0]);
        const char *text = i < n_wrong ? wrong[i] : right[i - n_wrong];
        parts p = small();
        p.header.text_bytes = (uint32_t)(sizeof(TEXTS) - 1 + strlen(text) - 4);
        p.texts[sizeof(TEXTS) - 1 - 5] = (char)strlen(text);
        memcpy(p.texts + sizeof(TEXTS) - 1 - 4, text, strlen(text));
        CHECK(verdict(&p) == (i < n_wrong ? WD_TREES_ERROR_TEXT : WD_TREES_OK));
    }
}

// One tree that goes on to the left only, to the right only, or by turns.
static parts chain(uint32_t depth, int kind) {
    parts p = small();
    p.header.n_trees = 1;
    p.header.n_nodes = depth;
    for (uint32_t i = 0; i < depth; i++) {
        int to_left = kind == 0 || (kind == 2 && i % 2 == 0);
        wd_trees_narrow node = { 0, to_left ? NEXT : 0, (int16_t)i, to_left ? LEAF(1) : 3 };
        if (i == depth - 1) {
            node.left = 0;
            node.right = LEAF(1);
        }
        p.nodes[i] = node;
    }
    return p;
}

static void test_deep_trees_are_refused(void) {
    for (int kind = 0; kind < 3; kind++) {
        parts deep = chain(WD_TREES_MAX_DEPTH, kind), deeper = chain(WD_TREES_MAX_DEPTH + 1, kind);
        CHECK(verdict(&deep) == WD_TREES_OK);
        CHECK(verdict(&deeper) == WD_TREES_ERROR_DEPTH);
    }
}

// All decisions but the last lead on to both sides, so that as many right sides wait as can.
static void test_the_most_waiting_children_fit(void) {
    parts p = small();
    uint32_t down = WD_TREES_MAX_DEPTH - 1, n = 2 * down + 1;
    p.header.n_trees = 1;
    p.header.n_nodes = n;
    for (uint32_t i = 0; i < n; i++) { // down the left, then the right sides from the last to the first
        wd_trees_narrow on = { 0, NEXT, 0, (int16_t)(3 * (n - 1 - 2 * i)) };
        wd_trees_narrow end = { 1, 0, 0, LEAF(1) };
        p.nodes[i] = i < down ? on : end;
    }
    CHECK(verdict(&p) == WD_TREES_OK);
    p.nodes[down].left = NEXT;
    CHECK(verdict(&p) == WD_TREES_ERROR_DEPTH);
}

static void test_wide_nodes_decide_as_narrow_ones(void) {
    parts p = small();
    p.header.flags = WD_TREES_WIDE;
    for (uint32_t i = 0; i < p.header.n_nodes; i++) {
        const wd_trees_narrow *n = &p.nodes[i];
        uint32_t right = n->right < 0 ? WD_TREES_WIDE_LEAF + (n->right & 0xffu)
            : (uint32_t)n->right / 3 * 4;
        p.wide[i].feature = n->feature;
        p.wide[i].threshold = n->threshold;
        p.wide[i].children = n->left | right << 8;
    }
    p.roots[2] = 12;
    parts narrow = small();
    size_t length, narrow_length;
    wd_trees trees, expected;
    uint8_t *bytes = write(&p, &length), *narrow_bytes = write(&narrow, &narrow_length);
    CHECK(wd_trees_open(bytes, length, &trees) == WD_TREES_OK);
    CHECK(wd_trees_open(narrow_bytes, narrow_length, &expected) == WD_TREES_OK);
    for (int16_t a = -20; a < 20; a++) {
        for (int16_t b = -20; b < 20; b++) {
            int16_t row[2] = { a, b };
            CHECK(wd_trees_predict(&trees, row) == wd_trees_predict(&expected, row));
        }
    }
    free(narrow_bytes);
    free(bytes);
    p.wide[1].children = 0xffffff00u;
    CHECK(verdict(&p) == WD_TREES_ERROR_LEAF);
    p.wide[1].children = 0x7fffff00u;
    CHECK(verdict(&p) == WD_TREES_ERROR_CHILD);
}

static void test_every_error_has_a_text(void) {
    for (int i = 0; i < WD_TREES_N_ERRORS; i++) {
        CHECK(strlen(wd_trees_error_text((wd_trees_error)i)) > 0);
    }
}

int main(void) {
    test_crc32_is_that_of_zlib();
    test_trees_decide_by_majority_and_ties_go_to_the_lowest_class();
    test_texts_are_read_in_order();
    test_every_truncation_is_refused();
    test_every_flipped_bit_is_refused();
    test_wrong_headers_are_refused();
    test_sizes_that_overflow_are_refused();
    test_wrong_trees_are_refused();
    test_wrong_texts_are_refused();
    test_deep_trees_are_refused();
    test_the_most_waiting_children_fit();
    test_wide_nodes_decide_as_narrow_ones();
    test_every_error_has_a_text();
    printf("all passed\n");
    return 0;
}
