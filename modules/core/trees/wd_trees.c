#include "wd_trees.h"

#include "wd_crc32.h"

#define CHECKSUM_BYTES 4

typedef char wd_trees_header_is_24_bytes[sizeof(wd_trees_header) == 24 ? 1 : -1];
typedef char wd_trees_narrow_is_6_bytes[sizeof(wd_trees_narrow) == 6 ? 1 : -1];
typedef char wd_trees_wide_is_8_bytes[sizeof(wd_trees_wide) == 8 ? 1 : -1];

// Half-words of a node.
static uint32_t node_size(const wd_trees *trees) {
    return (trees->is_wide ? sizeof(wd_trees_wide) : sizeof(wd_trees_narrow)) / sizeof(int16_t);
}

const char *wd_trees_error_text(wd_trees_error error) {
    switch (error) {
#define X(name, text) case WD_TREES_ERROR_##name: return text;
        WD_TREES_ERRORS(X)
#undef X
        default:
            return "unknown error";
    }
}

// A decision of either kind.
typedef struct {
    uint32_t feature;
    uint32_t left;
    uint32_t right; // half-words, or a class
    bool right_is_leaf;
} decision;

static void read_decision(const wd_trees *trees, uint32_t at, decision *d) {
    const uint8_t *p = trees->nodes + at * sizeof(int16_t);
    if (trees->is_wide) {
        const wd_trees_wide *node = (const wd_trees_wide *)(const void *)p;
        uint32_t right = node->children >> 8;
        d->feature = node->feature;
        d->left = node->children & 0xff;
        d->right_is_leaf = (right & WD_TREES_WIDE_LEAF) != 0;
        d->right = right & (WD_TREES_WIDE_LEAF - 1);
    } else {
        const wd_trees_narrow *node = (const wd_trees_narrow *)(const void *)p;
        uint32_t right = (uint16_t)node->right;
        d->feature = node->feature;
        d->left = node->left;
        d->right_is_leaf = (right & WD_TREES_NARROW_LEAF) != 0;
        d->right = right & (WD_TREES_NARROW_LEAF - 1);
    }
}

static wd_trees_error check_leaves(const wd_trees *trees, const decision *d) {
    if (d->feature >= trees->n_features) {
        return WD_TREES_ERROR_FEATURE;
    }
    if (d->left != WD_TREES_LEFT_NEXT && d->left >= trees->n_classes) {
        return WD_TREES_ERROR_LEAF;
    }
    if (d->right_is_leaf && d->right >= trees->n_classes) {
        return WD_TREES_ERROR_LEAF;
    }
    return WD_TREES_OK;
}

// Check the tree whose root lies at *at, and move *at to its end.
//
// In preorder a tree can be laid out in one way only: each decision must lie where the walk comes to
// it. So every child lies behind its parent, is reached once, and belongs to this tree.
static wd_trees_error check_tree(const wd_trees *trees, uint32_t end, uint32_t *at) {
    uint32_t right[WD_TREES_MAX_DEPTH]; // right children whose turn comes later, the next one last
    uint8_t right_depth[WD_TREES_MAX_DEPTH];
    uint32_t n_waiting = 0, depth = 1, size = node_size(trees);
    for (;;) {
        if (*at >= end) {
            return WD_TREES_ERROR_CHILD;
        }
        if (depth > WD_TREES_MAX_DEPTH) {
            return WD_TREES_ERROR_DEPTH;
        }
        decision d;
        read_decision(trees, *at, &d);
        wd_trees_error error = check_leaves(trees, &d);
        if (error != WD_TREES_OK) {
            return error;
        }
        bool goes_on = d.left == WD_TREES_LEFT_NEXT;
        if (!d.right_is_leaf && goes_on) {
            right[n_waiting] = *at + d.right; // n_waiting < depth
            right_depth[n_waiting++] = (uint8_t)(depth + 1);
        } else if (!d.right_is_leaf) {
            if (d.right != size) {
                return WD_TREES_ERROR_CHILD;
            }
            goes_on = true;
        }
        *at += size;
        if (goes_on) {
            depth++;
        } else if (n_waiting == 0) {
            return WD_TREES_OK;
        } else if (right[--n_waiting] != *at) {
            return WD_TREES_ERROR_CHILD;
        } else {
            depth = right_depth[n_waiting];
        }
    }
}

static wd_trees_error check_nodes(const wd_trees *trees) {
    uint32_t at = 0, end = trees->n_nodes * node_size(trees);
    for (uint32_t i = 0; i < trees->n_trees; i++) {
        uint32_t root = trees->roots[i];
        wd_trees_error error = WD_TREES_OK;
        if (root & WD_TREES_ROOT_LEAF) {
            error = root - WD_TREES_ROOT_LEAF < trees->n_classes ? WD_TREES_OK : WD_TREES_ERROR_LEAF;
        } else {
            error = root == at ? check_tree(trees, end, &at) : WD_TREES_ERROR_ROOT;
        }
        if (error != WD_TREES_OK) {
            return error;
        }
    }
    return at == end ? WD_TREES_OK : WD_TREES_ERROR_ROOT;
}

// As bits, a float32 is finite and above 0 from the least subnormal up to the greatest finite one.
static wd_trees_error check_scale(const wd_trees *trees) {
    const wd_trees_root *bits = (const wd_trees_root *)(const void *)trees->scale;
    for (uint32_t i = 0; i < trees->n_features; i++) {
        if (bits[i] == 0 || bits[i] >= 0x7f800000u) {
            return WD_TREES_ERROR_SCALE;
        }
    }
    return WD_TREES_OK;
}

// How many bytes the character at p has, of which n are left; 0 if it is not UTF-8 (RFC 3629).
static uint32_t character_bytes(const uint8_t *p, uint32_t n) {
    uint32_t bytes = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
        : p[0] < 0xf5 ? 4 : 0;
    if (bytes > n) {
        return 0;
    }
    for (uint32_t i = 1; i < bytes; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : bytes;
}

static bool is_utf8(const uint8_t *text, uint32_t n) {
    while (n > 0) {
        uint32_t bytes = character_bytes(text, n);
        if (bytes == 0) {
            return false;
        }
        text += bytes;
        n -= bytes;
    }
    return true;
}

void wd_trees_texts(const wd_trees *trees, wd_trees_reader *reader) {
    reader->next = trees->texts;
    reader->end = trees->texts + trees->text_bytes;
    reader->length = 0;
}

bool wd_trees_next_text(wd_trees_reader *reader) {
    uint32_t left = (uint32_t)(reader->end - reader->next);
    if (left < 2) {
        return false;
    }
    uint32_t shared = reader->next[0], more = reader->next[1];
    if (shared > reader->length || more > left - 2 || shared + more > WD_TREES_MAX_TEXT) {
        return false;
    }
    for (uint32_t i = 0; i < more; i++) {
        reader->text[shared + i] = (char)reader->next[2 + i];
    }
    reader->length = shared + more;
    reader->next += 2 + more;
    return is_utf8((const uint8_t *)reader->text, reader->length);
}

static wd_trees_error check_texts(const wd_trees *trees) {
    wd_trees_reader reader;
    wd_trees_texts(trees, &reader);
    uint32_t n = WD_TREES_INFO_TEXTS + (uint32_t)trees->n_classes + trees->n_features;
    for (uint32_t i = 0; i < n; i++) {
        if (!wd_trees_next_text(&reader)) {
            return WD_TREES_ERROR_TEXT;
        }
    }
    return reader.next == reader.end ? WD_TREES_OK : WD_TREES_ERROR_TEXT;
}

// Take n items of a size off the front of what is left of the file; NULL if it is not that long.
static const uint8_t *take(const uint8_t **next, size_t *left, size_t n, size_t size) {
    const uint8_t *taken = *next;
    if (n > *left / size) {
        return NULL;
    }
    *next += n * size;
    *left -= n * size;
    return taken;
}

static wd_trees_error lay_out(const uint8_t *data, size_t length, wd_trees *trees) {
    const uint8_t *next = data;
    size_t left = length;
    const wd_trees_header *h = (const void *)take(&next, &left, 1, sizeof(wd_trees_header));
    if (h == NULL) {
        return WD_TREES_ERROR_TRUNCATED;
    }
    if (h->magic[0] != WD_TREES_MAGIC[0] || h->magic[1] != WD_TREES_MAGIC[1]
        || h->magic[2] != WD_TREES_MAGIC[2]) {
        return WD_TREES_ERROR_MAGIC;
    }
    if (h->version != WD_TREES_VERSION || (h->flags & ~WD_TREES_WIDE) || h->reserved != 0) {
        return WD_TREES_ERROR_VERSION;
    }
    trees->is_wide = (h->flags & WD_TREES_WIDE) != 0;
    trees->n_classes = h->n_classes;
    trees->n_features = h->n_features;
    trees->n_trees = h->n_trees;
    trees->n_nodes = h->n_nodes;
    trees->text_bytes = h->text_bytes;
    trees->recipe_bytes = h->recipe_bytes;
    if (h->n_classes == 0 || h->n_features == 0 || h->n_trees == 0
        || h->n_features > WD_TREES_MAX_FEATURES || h->n_nodes > WD_TREES_MAX_NODES) {
        return WD_TREES_ERROR_COUNTS;
    }
    trees->roots = (const void *)take(&next, &left, h->n_trees, sizeof(wd_trees_root));
    trees->scale = (const void *)take(&next, &left, h->n_features, sizeof(wd_trees_float));
    trees->nodes = take(&next, &left, h->n_nodes, node_size(trees) * sizeof(int16_t));
    trees->texts = take(&next, &left, h->text_bytes, 1);
    trees->recipe = take(&next, &left, h->recipe_bytes, 1);
    bool whole = trees->roots && trees->scale && trees->nodes && trees->texts && trees->recipe;
    if (!whole || left < CHECKSUM_BYTES) {
        return WD_TREES_ERROR_TRUNCATED;
    }
    return left == CHECKSUM_BYTES ? WD_TREES_OK : WD_TREES_ERROR_TRAILING;
}

static uint32_t read_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

wd_trees_error wd_trees_open(const uint8_t *data, size_t length, wd_trees *trees) {
    if ((uintptr_t)data % sizeof(uint32_t) != 0) {
        return WD_TREES_ERROR_ALIGNMENT;
    }
    wd_trees_error error = lay_out(data, length, trees);
    if (error != WD_TREES_OK) {
        return error;
    }
    size_t n = length - CHECKSUM_BYTES;
    if (wd_crc32(data, n) != read_u32(data + n)) {
        return WD_TREES_ERROR_CHECKSUM;
    }
    error = check_scale(trees);
    if (error == WD_TREES_OK) {
        error = check_nodes(trees);
    }
    return error == WD_TREES_OK ? check_texts(trees) : error;
}

static uint32_t walk_narrow(const wd_trees_narrow *node, const int16_t *row) {
    for (;;) {
        if (row[node->feature] <= node->threshold) {
            uint32_t left = node->left;
            if (left != WD_TREES_LEFT_NEXT) {
                return left;
            }
            node++;
        } else {
            int32_t right = node->right;
            if (right < 0) {
                return right & 0xff;
            }
            node = (const void *)((const int16_t *)(const void *)node + right);
        }
    }
}

static uint32_t walk_wide(const wd_trees_wide *node, const int16_t *row) {
    for (;;) {
        if (row[node->feature] <= node->threshold) {
            uint32_t left = node->children & 0xff;
            if (left != WD_TREES_LEFT_NEXT) {
                return left;
            }
            node++;
        } else {
            uint32_t right = node->children >> 8;
            if (right & WD_TREES_WIDE_LEAF) {
                return right & 0xff;
            }
            node = (const void *)((const int16_t *)(const void *)node + right);
        }
    }
}

static void vote(const wd_trees *trees, const int16_t *row, uint16_t *votes) {
    for (uint32_t i = 0; i < trees->n_classes; i++) {
        votes[i] = 0;
    }
    const int16_t *nodes = (const void *)trees->nodes;
    const wd_trees_root *end = trees->roots + trees->n_trees;
    bool is_wide = trees->is_wide;
    for (const wd_trees_root *root = trees->roots; root != end; root++) {
        uint32_t at = *root;
        if (at & WD_TREES_ROOT_LEAF) {
            votes[at & 0xff]++;
        } else if (is_wide) {
            votes[walk_wide((const void *)(nodes + at), row)]++;
        } else {
            votes[walk_narrow((const void *)(nodes + at), row)]++;
        }
    }
}

uint32_t wd_trees_predict(const wd_trees *trees, const int16_t *row) {
    uint16_t votes[WD_TREES_MAX_CLASSES];
    vote(trees, row, votes);
    uint32_t best = 0, most = votes[0], n_classes = trees->n_classes;
    for (uint32_t i = 1; i < n_classes; i++) {
        if (votes[i] > most) {
            most = votes[i];
            best = i;
        }
    }
    return best;
}

void wd_trees_proba(const wd_trees *trees, const int16_t *row, float *out) {
    uint16_t votes[WD_TREES_MAX_CLASSES];
    vote(trees, row, votes);
    for (uint32_t i = 0; i < trees->n_classes; i++) {
        out[i] = (float)votes[i] / (float)trees->n_trees;
    }
}
