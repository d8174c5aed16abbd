// SPDX-License-Identifier: GPL-2.0-or-later
/* Linux' names of its own addresses, see tools/build/kallsyms.h. */
#include "tools/build/kallsyms.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS     256
#define BLOCK      256           /* symbols to a marker */
#define MOST       2000000       /* symbols; Linux has some 200,000 */
#define LAST_BLOCK (BLOCK * 128) /* bytes that the last one may take */
#define SEQS       3             /* bytes a symbol that may be between markers and tokens */

struct tables {
    const uint8_t *data; /* the segment's */
    size_t size;
    size_t token_table, token_index, markers, names, num_syms, offsets; /* where they are in it */
    uint32_t nr;
    uint64_t base;
    size_t align;     /* of each of them */
    bool percpu;      /* offsets that are not negative are addresses themselves */
    bool from_place;  /* offsets are from where they stand: there is no base */
    uint64_t address; /* of data */
};

static uint16_t u16_at(const struct tables *t, size_t at)
{
    uint16_t v;

    memcpy(&v, t->data + at, sizeof(v));
    return v;
}

static uint32_t u32_at(const struct tables *t, size_t at)
{
    uint32_t v;

    memcpy(&v, t->data + at, sizeof(v));
    return v;
}

static uint64_t u64_at(const struct tables *t, size_t at)
{
    uint64_t v;

    memcpy(&v, t->data + at, sizeof(v));
    return v;
}

static size_t align(const struct tables *t, size_t n) { return (n + t->align - 1) & ~(t->align - 1); }

/* --- tokens --- */

/* The strings of the digits are at `at`: do the other tokens and the index fit? */
static bool tokens_fit(struct tables *t, size_t at)
{
    size_t end = at;

    for (unsigned int i = '0'; i < TOKENS; i++) {
        const uint8_t *zero = end < t->size ? memchr(t->data + end, 0, t->size - end) : NULL;

        if (!zero)
            return false;
        end = (size_t)(zero - t->data) + 1;
    }
    t->token_index = align(t, end);
    if (t->token_index + 2 * TOKENS > t->size || u16_at(t, t->token_index) || u16_at(t, t->token_index + 2 * '0') > at)
        return false;
    t->token_table = at - u16_at(t, t->token_index + 2 * '0');
    for (unsigned int i = 1; i < TOKENS; i++) {
        const size_t before = u16_at(t, t->token_index + 2 * (i - 1)), here = u16_at(t, t->token_index + 2 * i);

        if (here <= before || t->token_table + here >= end || t->data[t->token_table + here - 1])
            return false;
    }
    return true;
}

static bool tokens_find(struct tables *t)
{
    static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009"; /* and a zero byte */
    const uint8_t *p = t->data;

    while ((p = memmem(p, t->size - (size_t)(p - t->data), digits, sizeof(digits)))) {
        if (tokens_fit(t, (size_t)(p - t->data)))
            return true;
        p++;
    }
    return false;
}

/* --- names --- */

/* Behind the symbol that begins at *at; where its tokens are, and how many. False: it does not end before `end`. */
static bool symbol_next(const struct tables *t, size_t *at, size_t end, size_t *tokens, size_t *nr)
{
    if (*at >= end)
        return false;
    *nr = t->data[(*at)++];
    if (*nr & 0x80) { /* a long one has a second byte */
        if (*at >= end)
            return false;
        *nr = (*nr & 0x7f) | (size_t)t->data[(*at)++] << 7;
    }
    *tokens = *at;
    if (!*nr || *nr > end - *at)
        return false;
    *at += *nr;
    return true;
}

/* So many symbols on. */
static bool symbols_skip(const struct tables *t, size_t *at, size_t end, uint32_t nr)
{
    size_t tokens, n;

    while (nr--)
        if (!symbol_next(t, at, end, &tokens, &n))
            return false;
    return true;
}

/* Names that begin here and end where the markers begin: do they fit those? */
static bool names_fit(struct tables *t, size_t names, uint32_t nr_markers)
{
    size_t at;

    t->names = names;
    t->num_syms = names - t->align;
    t->nr = u32_at(t, t->num_syms);
    if (t->nr > MOST || (t->nr + BLOCK - 1) / BLOCK != nr_markers)
        return false;
    for (uint32_t i = 0; i < nr_markers; i++) {
        const bool last = i == nr_markers - 1;

        at = names + u32_at(t, t->markers + 4 * (size_t)i);
        if (at > t->markers || !symbols_skip(t, &at, t->markers, last ? t->nr - i * BLOCK : BLOCK) ||
            (last ? align(t, at) != t->markers : at != names + u32_at(t, t->markers + 4 * (size_t)(i + 1))))
            return false;
    }
    return true;
}

/* Markers rise from 0. How many there are up to `end`. */
static uint32_t markers_count(const struct tables *t, size_t at, size_t end)
{
    uint32_t n = 1;

    while (at + 4 * (size_t)n + 4 <= end && u32_at(t, at + 4 * (size_t)n) > u32_at(t, at + 4 * (size_t)(n - 1)) &&
           u32_at(t, at + 4 * (size_t)n) - u32_at(t, at + 4 * (size_t)(n - 1)) < BLOCK * KALLSYMS_NAME)
        n++;
    return n;
}

/* Something that looks like markers: of the names before them only the end is not known. */
static bool markers_fit(struct tables *t, size_t markers)
{
    const uint32_t most = markers_count(t, markers, t->token_table);

    t->markers = markers;
    for (uint32_t nr = most; nr > 1 && nr + 4 > most; nr--) { /* what comes behind may look like one more */
        const size_t last = u32_at(t, markers + 4 * (size_t)(nr - 1));

        if (last >= markers)
            continue;
        for (size_t names = (markers - last) & ~(t->align - 1); names > 8 && markers - last - names < LAST_BLOCK;
             names -= t->align)
            if ((u32_at(t, names - t->align) + BLOCK - 1) / BLOCK == nr && names_fit(t, names, nr))
                return true;
    }
    return false;
}

static bool names_find(struct tables *t)
{
    /* Between them and the tokens there is at most what a symbol has 3 bytes of. */
    for (size_t at = t->token_table & ~(t->align - 1); at >= 16 && t->token_table - at < (size_t)MOST * SEQS;
         at -= t->align)
        if (!u32_at(t, at) && u32_at(t, at + 4) > BLOCK && u32_at(t, at + 4) < BLOCK * 128 &&
            at + 8 <= t->token_table && markers_fit(t, at))
            return true;
    return false;
}

/* --- addresses --- */

static uint64_t address(const struct tables *t, uint32_t i)
{
    const size_t at = t->offsets + 4 * (size_t)i;
    const uint32_t offset = u32_at(t, at);

    if (t->from_place)
        return t->address + at + (uint64_t)(int64_t)(int32_t)offset;
    if (!t->percpu)
        return t->base + offset;
    return (int32_t)offset >= 0 ? offset : t->base - 1 - (uint64_t)(int64_t)(int32_t)offset;
}

static bool offsets_fit(struct tables *t, const struct image *img, size_t offsets, size_t base)
{
    if (base + 8 > t->size || offsets + 4 * (size_t)t->nr > t->size)
        return false;
    t->offsets = offsets;
    t->base = u64_at(t, base);
    t->percpu = false;
    for (uint32_t i = 0; i < t->nr; i++)
        t->percpu |= (int32_t)u32_at(t, offsets + 4 * (size_t)i) < 0;
    return t->base >= img->virt_base && t->base < img->virt_kend;
}

/* Symbols are in the order of their addresses, which are the kernel's. */
static bool places_fit(struct tables *t, const struct image *img, size_t offsets)
{
    if (offsets + 4 * (size_t)t->nr > t->size)
        return false;
    t->offsets = offsets;
    t->from_place = true;
    for (uint32_t i = 0; i + 1 < t->nr; i++)
        if (address(t, i) > address(t, i + 1))
            return false;
    return address(t, 0) >= img->virt_base && address(t, 0) < img->virt_kend;
}

static bool offsets_find(struct tables *t, const struct image *img)
{
    const size_t size = align(t, 4 * (size_t)t->nr), behind = t->token_index + 2 * TOKENS;

    return (t->num_syms >= size + 8 && offsets_fit(t, img, t->num_syms - 8 - size, t->num_syms - 8)) ||
           offsets_fit(t, img, behind, behind + size) || places_fit(t, img, behind);
}

/* --- all of it --- */

static void expand(const struct tables *t, size_t tokens, size_t nr, char name[KALLSYMS_NAME])
{
    size_t n = 0;

    for (size_t i = 0; i < nr; i++) {
        const uint8_t *token = t->data + t->token_table + u16_at(t, t->token_index + 2 * (size_t)t->data[tokens + i]);

        while (*token && n < KALLSYMS_NAME - 1)
            name[n++] = (char)*token++;
    }
    name[n] = '\0';
}

/* As the one or the other makes them: aligned to 8 or to 4 bytes. */
static bool tables_find(struct tables *t, const struct image *img)
{
    for (t->align = 8; t->data && t->align >= 4; t->align -= 4)
        if (tokens_find(t) && names_find(t) && offsets_find(t, img))
            return true;
    return false;
}

bool kallsyms_each(const struct image *img, void (*fn)(void *data, uint64_t addr, char kind, const char *name),
                   void *data)
{
    for (unsigned int s = 0; img->is64 && s < img->nr_segments; s++) {
        struct tables t = { .data = img->segments[s].data,
                            .size = img->segments[s].filesz,
                            .address = img->segments[s].vaddr };
        size_t at, tokens, nr;

        if (!tables_find(&t, img))
            continue;
        at = t.names;
        for (uint32_t i = 0; i < t.nr && symbol_next(&t, &at, t.markers, &tokens, &nr); i++) {
            char name[KALLSYMS_NAME];

            expand(&t, tokens, nr, name);
            if (name[0] && name[1])
                fn(data, address(&t, i), name[0], name + 1);
        }
        return true;
    }
    return false;
}

/* --- as symbols of the image --- */

struct loading {
    struct image *img;
    size_t nr, len; /* of symbols, of their names */
};

static bool is_inside(const struct image *img, uint64_t addr)
{
    return addr >= img->virt_kstart && addr < img->virt_kend;
}

static void count(void *data, uint64_t addr, char kind, const char *name)
{
    struct loading *l = data;

    l->nr += is_inside(l->img, addr);
    l->len += is_inside(l->img, addr) ? strlen(name) + 1 : 0;
}

static void add(void *data, uint64_t addr, char kind, const char *name)
{
    struct loading *l = data;
    const size_t n = strlen(name) + 1;

    if (!is_inside(l->img, addr))
        return;
    memcpy(l->img->owned_names + l->len, name, n);
    l->img->symbols[l->nr++] = (struct image_symbol){ .addr = addr,
                                                      .size = strchr("TW", kind) != NULL, /* for order() */
                                                      .name = l->img->owned_names + l->len,
                                                      .variable = !strchr("tTwW", kind) };
    l->len += n;
}

/* By address; a name that all of the kernel knows comes last, where the search finds it. */
static int order(const void *a, const void *b)
{
    const struct image_symbol *x = a, *y = b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->size != y->size ? (x->size > y->size) - (x->size < y->size) : strcmp(x->name, y->name);
}

void kallsyms_load(struct image *img)
{
    struct loading l = { .img = img };
    uint64_t end = img->virt_kend;

    if (img->nr_symbols || !kallsyms_each(img, count, &l) || !l.nr)
        return;
    free(img->symbols);
    img->symbols = calloc(l.nr, sizeof(*img->symbols));
    img->owned_names = malloc(l.len);
    if (!img->symbols || !img->owned_names)
        return;
    l.nr = l.len = 0;
    kallsyms_each(img, add, &l);
    qsort(img->symbols, l.nr, sizeof(*img->symbols), order);
    for (size_t i = l.nr; i-- > 0;) {
        if (i + 1 < l.nr && img->symbols[i + 1].addr != img->symbols[i].addr)
            end = img->symbols[i + 1].addr;
        img->symbols[i].size = end - img->symbols[i].addr;
    }
    img->nr_symbols = l.nr;
}
