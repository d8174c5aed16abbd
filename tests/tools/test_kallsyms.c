// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux' names of its own addresses: tables are made as three generations of Linux make them, and read; then they are
 * spoiled in every way, and nothing is read that is not theirs (with sanitizers: make asan). And the real kernels of
 * build/assets, where they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random.h"
#include "tools/build/kallsyms.h"

#define BASE UINT64_C(0xffffffff81000000)
#define NR   1500

enum layout { OFFSETS_BEFORE, OFFSETS_BEHIND, FROM_PLACE, LAYOUT_NR };

static uint64_t prng = 1;

/* --- making tables --- */

struct maker {
    uint8_t *data;
    size_t size, align;
};

static void align(struct maker *m)
{
    while (m->size % m->align)
        m->data[m->size++] = 0;
}

static void put(struct maker *m, const void *data, size_t n)
{
    memcpy(m->data + m->size, data, n);
    m->size += n;
}

static void put32(struct maker *m, uint32_t v) { put(m, &v, sizeof(v)); }

static uint64_t address_of(uint32_t i) { return BASE + 0x1000 + 16 * (uint64_t)i; }

static void name_of(uint32_t i, char name[64]) { snprintf(name, 64, "T%s_%u", i % 7 ? "function" : "f", i); }

static void offsets_put(struct maker *m, enum layout layout)
{
    const uint64_t base = BASE;

    align(m);
    for (uint32_t i = 0; i < NR; i++)
        put32(m, layout == FROM_PLACE ? (uint32_t)(address_of(i) - (BASE + m->size))
                                      : (uint32_t)(BASE - 1 - address_of(i)));
    align(m);
    if (layout != FROM_PLACE)
        put(m, &base, sizeof(base));
}

/* Token 1 is "function", and every character is itself. */
static void make(struct maker *m, enum layout layout, size_t alignment)
{
    uint32_t markers[NR / 256 + 1];
    uint16_t index[256];
    size_t begin;

    *m = (struct maker){ calloc(1, 1 << 20), 0, alignment };
    for (unsigned int i = 0; i < 300; i++) /* what stands before */
        m->data[m->size++] = (uint8_t)random_of(&prng, 256);
    if (layout == OFFSETS_BEFORE)
        offsets_put(m, layout);
    align(m);
    put32(m, NR);
    align(m);
    begin = m->size;
    for (uint32_t i = 0; i < NR; i++) {
        uint8_t tokens[64];
        char name[64];
        uint8_t n = 0;

        if (i % 256 == 0)
            markers[i / 256] = (uint32_t)(m->size - begin);
        name_of(i, name);
        for (const char *p = name; *p;) {
            const bool word = !strncmp(p, "function", 8);

            tokens[n++] = word ? 1 : (uint8_t)*p;
            p += word ? 8 : 1;
        }
        put(m, &n, 1);
        put(m, tokens, n);
    }
    align(m);
    put(m, markers, sizeof(markers));
    align(m);
    begin = m->size;
    for (unsigned int i = 0; i < 256; i++) {
        const char one[2] = { (char)(i ? i : 'x'), 0 };

        index[i] = (uint16_t)(m->size - begin);
        put(m, i == 1 ? "function" : one, i == 1 ? 9 : 2);
    }
    align(m);
    put(m, index, sizeof(index));
    if (layout != OFFSETS_BEFORE)
        offsets_put(m, layout);
    put32(m, 0xffffffff);
}

/* --- reading them --- */

struct reader {
    uint32_t nr, wrong;
};

static void look(void *data, uint64_t addr, char kind, const char *name)
{
    struct reader *r = data;
    char should[64];

    name_of(r->nr, should);
    r->wrong += addr != address_of(r->nr) || kind != 'T' || strcmp(name, should + 1) != 0;
    assert_true(strlen(name) < KALLSYMS_NAME);
    r->nr++;
}

static bool read_all(const uint8_t *data, size_t size, struct reader *r)
{
    struct image img = { .is64 = true, .nr_segments = 1, .virt_base = BASE, .virt_kend = BASE + (1 << 24) };

    img.segments[0] = (struct image_segment){ .vaddr = BASE, .data = data, .filesz = size, .memsz = size };
    *r = (struct reader){ 0 };
    return kallsyms_each(&img, look, r);
}

static void test_layouts(void **state)
{
    for (unsigned int layout = 0; layout < LAYOUT_NR; layout++)
        for (size_t alignment = layout == OFFSETS_BEFORE ? 8 : 4; alignment <= 8; alignment += 4) {
            struct maker m;
            struct reader r;

            make(&m, layout, alignment);
            if (!read_all(m.data, m.size, &r) || r.nr != NR || r.wrong)
                fail_msg("layout %u, aligned to %zu: %u symbols, %u wrong", layout, alignment, r.nr, r.wrong);
            free(m.data);
        }
}

/* As an image's symbols: each up to the next, none before the first; what an image has of its own stays. */
static void test_loaded(void **state)
{
    struct image img = {
        .is64 = true, .nr_segments = 1, .virt_base = BASE, .virt_kstart = BASE, .virt_kend = address_of(NR - 2)
    }; /* the last two are not in the kernel */
    const struct image_symbol *first;
    struct maker m;
    uint64_t offset;
    char name[64];

    make(&m, OFFSETS_BEHIND, 8);
    img.segments[0] = (struct image_segment){ .vaddr = BASE, .data = m.data, .filesz = m.size, .memsz = m.size };
    kallsyms_load(&img);
    assert_int_equal(img.nr_symbols, NR - 2);
    assert_null(image_symbol_lookup(&img, address_of(0) - 1, &offset));
    for (uint32_t i = 0; i < NR - 2; i++) {
        name_of(i, name);
        assert_string_equal(image_symbol_lookup(&img, address_of(i) + 15, &offset), name + 1);
        assert_int_equal(offset, 15);
    }
    assert_null(image_symbol_lookup(&img, address_of(NR - 2), &offset));
    first = img.symbols;
    kallsyms_load(&img);
    assert_ptr_equal(img.symbols, first);
    image_free(&img);
    m.data[0] = 0;
    img = (struct image){ .is64 = true, .nr_segments = 1, .virt_base = BASE, .virt_kend = BASE + 4096 };
    img.segments[0] = (struct image_segment){ .vaddr = BASE, .data = m.data, .filesz = 100, .memsz = 100 };
    kallsyms_load(&img); /* nothing is there */
    assert_true(!img.nr_symbols && !img.symbols);
    free(m.data);
}

/* Cut off anywhere, or with bytes that are others: there is nothing, or something; and no other memory is read. */
static void test_spoiled(void **state)
{
    unsigned int refused = 0, read = 0;

    for (unsigned int i = 0; i < 600; i++) {
        struct maker m;
        struct reader r;
        uint8_t *copy;
        size_t size;

        make(&m, random_of(&prng, LAYOUT_NR), 8);
        size = random_of(&prng, 2) ? m.size : random_of(&prng, (unsigned int)m.size) + 1;
        copy = malloc(size); /* so that what is read behind it is noticed */
        memcpy(copy, m.data, size);
        for (unsigned int k = random_of(&prng, 20); k-- > 0;)
            copy[random_of(&prng, (unsigned int)size)] = (uint8_t)random_of(&prng, 256);
        if (read_all(copy, size, &r))
            read++;
        else
            refused++;
        assert_true(r.nr <= 2 * NR);
        free(copy);
        free(m.data);
    }
    assert_true(refused > 100 && read > 20);
}

/* --- kernels of distributions --- */

static bool has_start;
static uint32_t count;

static void note(void *data, uint64_t addr, char kind, const char *name)
{
    has_start |= !strcmp(name, "start_kernel") && (kind == 'T' || kind == 't') && addr > BASE;
    count++;
}

static void test_kernels(void **state)
{
    static const char *const names[] = { "cloud", "generic", "trixie", "sid" };
    unsigned int tried = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64], err[IMAGE_ERR_SIZE];
        struct image img;

        snprintf(path, sizeof(path), "build/assets/vmlinuz-%s", names[i]);
        if (access(path, R_OK))
            continue;
        assert_int_equal(image_load(&img, path, IMAGE_PV, err), 0);
        has_start = false;
        count = 0;
        assert_true(kallsyms_each(&img, note, NULL));
        assert_true(has_start && count > 50000);
        image_free(&img);
        tried++;
    }
    if (!tried)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
