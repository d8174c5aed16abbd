// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Damaged files: ten thousand each of ELF, bzImage and xl.cfg, and none may crash us, hang, or be refused without a
 * reason.
 *
 * Concept: good files are damaged by a fixed random sequence (so a failure repeats): cut, bytes flipped, a field set
 * to an extreme value, a stretch overwritten, two pieces exchanged, or replaced by noise. Each is copied into memory
 * of exactly its size, so that the sanitizer build sees every step over an end. What is accepted is then used as the
 * domain builder would use it.
 *
 * Could pass wrongly: without sanitizers an over-read by a few bytes goes unseen (run `make asan`). That the damage is
 * neither too weak nor too strong is checked: some of the files must be refused and some accepted.
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

#include "labs/kit/kernel_file.h"
#include "tools/build/hvm_plan.h"
#include "tools/build/image.h"
#include "tools/xl/xl_cfg.h"

#define ROUNDS   10000
#define PATIENCE 300 /* for a whole test, on a slow machine with sanitizers; longer is a hang */

/* ------------------------------------------------------------------------------------------------------ damaging -- */

/* xorshift64*: the same sequence everywhere. */
static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static size_t random_below(uint64_t *seed, size_t n) { return n ? (size_t)(random_next(seed) >> 16) % n : 0; }

static void noise(uint8_t *p, size_t n, uint64_t *seed)
{
    while (n-- > 0)
        *p++ = (uint8_t)(random_next(seed) >> 24);
}

/* A field of 1, 2, 4 or 8 bytes becomes 0, all ones, a sign bit, a small number, or off by one. */
static void set_extreme(uint8_t *p, size_t size, uint64_t *seed)
{
    static const uint64_t values[] = {
        0,          1,      0xff,   UINT64_MAX, UINT64_MAX - 7, INT64_MAX, UINT64_C(1) << 63, 0x80000000,
        0x7fffffff, 0xffff, 0x1000, 0x10
    };
    size_t width = (size_t)1 << random_below(seed, 4), range = random_below(seed, 2) ? size : size / 4;

    if (size < 8 || range < 8)
        return;

    uint8_t *field = p + random_below(seed, (range - 8) / 2 + 1) * 2;
    uint64_t value = values[random_below(seed, sizeof(values) / sizeof(values[0]))];

    if (random_below(seed, 4) == 0) {
        memcpy(&value, field, width);
        value += random_below(seed, 2) ? 1 : UINT64_MAX;
    }
    memcpy(field, &value, width);
}

/* A damaged copy, in memory of exactly *size bytes. */
static uint8_t *damage(const uint8_t *good, size_t *size, uint64_t *seed)
{
    size_t kind = random_below(seed, 16), times = 1 + random_below(seed, 4);

    if (kind < 3)
        *size = random_below(seed, *size + 1);

    uint8_t *bad = malloc(*size ? *size : 1);

    assert_non_null(bad);
    memcpy(bad, good, *size);
    for (size_t i = 0; i<times && * size> 0; i++) {
        size_t at = random_below(seed, *size), len = 1 + random_below(seed, *size - at < 64 ? *size - at : 64);

        if (kind == 15)
            noise(bad, *size, seed);
        else if (kind >= 12)
            noise(bad + at, len, seed);
        else if (kind == 11)
            memmove(bad + at, bad + random_below(seed, *size - len + 1), len);
        else if (kind >= 6)
            set_extreme(bad, *size, seed);
        else if (kind >= 2)
            bad[at] ^= (uint8_t)(1 << random_below(seed, 8));
    }
    return bad;
}

/* ------------------------------------------------------------------------------------------------------- judging -- */

struct tally {
    unsigned int accepted, refused;
};

/* A reason is one line of printable text. */
static void check_reason(const char *err, const uint8_t *bad, size_t size, unsigned int round)
{
    if (!*err)
        fail_msg("round %u: refused without a reason", round);
    for (const char *p = err; *p; p++)
        if (*p == '\n' || *p == '\033')
            fail_msg("round %u: the reason is not printable: %s", round, err);
}

/* Use an image as its users do: read all bytes, trust the order of the addresses. */
static void check_image(const struct image *img)
{
    volatile uint64_t sum = 0;
    uint64_t offset;

    assert_true(img->mode == IMAGE_PV || img->mode == IMAGE_PVH);
    assert_in_range(img->nr_segments, 1, IMAGE_SEGMENTS_MAX);
    assert_true(img->virt_base <= img->virt_kstart && img->virt_kstart <= img->virt_entry);
    assert_true(img->virt_entry <= img->virt_kend && img->virt_kend - img->virt_base <= IMAGE_MEM_MAX);
    assert_true(img->is64 || img->virt_kend <= UINT64_C(1) << 32);
    for (unsigned int i = 0; i < img->nr_segments; i++) {
        const struct image_segment *s = &img->segments[i];

        assert_true(s->filesz <= s->memsz && s->vaddr >= img->virt_kstart && s->vaddr < img->virt_kend);
        assert_true(s->memsz <= img->virt_kend - s->vaddr && s->vaddr - s->paddr == img->virt_base);
        for (uint64_t k = 0; k < s->filesz; k++)
            sum += s->data[k];
    }
    for (size_t i = 0; i < img->nr_symbols; i++) {
        const char *name = image_symbol_lookup(img, img->symbols[i].addr, &offset);

        sum += name ? strlen(name) : 0;
        assert_true(i == 0 || img->symbols[i - 1].addr <= img->symbols[i].addr);
    }
    image_symbol_lookup(img, img->virt_entry, &offset);
    image_symbol_lookup(img, UINT64_MAX, &offset);
    assert_non_null(memchr(img->guest_os, 0, sizeof(img->guest_os)));
    assert_non_null(memchr(img->loader, 0, sizeof(img->loader)));
}

static bool is_populated(const struct hvm_plan *p, uint64_t gfn)
{
    for (unsigned int i = 0; i < p->nr_ranges; i++)
        if (gfn >= p->populate[i].gfn && gfn - p->populate[i].gfn < p->populate[i].nr)
            return true;
    return false;
}

/* A plan for it: each of its bytes is there to be copied, to where there is memory; or there is a reason. */
static void check_plan(const struct image *img, unsigned int round)
{
    static struct hvm_plan plan;
    const struct hvm_plan_input in = { .image = img,
                                       .device_model = round % 2,
                                       .nr_pages = UINT64_C(1) << (8 + round % 15),
                                       .nr_vcpus = 1,
                                       .nr_online = 1 };
    char err[IMAGE_ERR_SIZE] = "";
    volatile uint64_t sum = 0;

    if (hvm_plan_make(&plan, &in, err)) {
        check_reason(err, NULL, 0, round);
        return;
    }
    for (unsigned int i = 0; i < plan.nr_pieces; i++) {
        const struct hvm_piece *piece = &plan.pieces[i];

        for (uint64_t k = 0; k < piece->size; k++)
            sum += piece->bytes[k];
        for (uint64_t gfn = piece->at >> 12; gfn <= (piece->at + piece->size - 1) >> 12; gfn++)
            assert_true(is_populated(&plan, gfn));
    }
}

static void try_image(const uint8_t *good, size_t size, unsigned int round, uint64_t *seed, struct tally *tally)
{
    uint8_t *bad = damage(good, &size, seed);
    char err[IMAGE_ERR_SIZE] = "";
    struct image img;

    xl_file_kind(bad, size);
    if (image_parse(&img, bad, size, (enum image_mode)(round % 4), err)) {
        check_reason(err, bad, size, round);
        tally->refused++;
    } else {
        check_image(&img);
        if (img.mode == IMAGE_PVH)
            check_plan(&img, round);
        image_free(&img);
        tally->accepted++;
    }
    free(bad);
}

static void check_tally(const struct tally *tally)
{
    print_message("%u accepted, %u refused\n", tally->accepted, tally->refused);
    assert_int_equal(tally->accepted + tally->refused, ROUNDS);
    assert_true(tally->accepted > ROUNDS / 100 && tally->refused > ROUNDS / 5);
}

/* --------------------------------------------------------------------------------------------------------- tests -- */

static void test_elf(void **state)
{
    struct kernel_spec in_section = kernel_linux64, narrow = kernel_linux64;
    const struct kernel_spec *specs[] = { &kernel_linux64, &kernel_legacy32, &in_section, &narrow };
    struct tally tally = { 0, 0 };
    uint64_t seed = 1;

    in_section.notes_in_section = true;
    narrow.narrow = true;
    narrow.notes[3].number = narrow.notes[5].number = narrow.notes[6].number = 0; /* VIRT_BASE, ENTRY, the page */
    narrow.paddr = 0;
    alarm(PATIENCE);
    for (unsigned int i = 0; i < 4; i++) {
        size_t size;
        uint8_t *good = kernel_elf(specs[i], &size);

        for (unsigned int round = 0; round < ROUNDS / 4; round++)
            try_image(good, size, round, &seed, &tally);
        free(good);
    }
    check_tally(&tally);
}

static void test_bzimage(void **state)
{
    struct tally tally = { 0, 0 };
    uint64_t seed = 2;
    size_t elf_size, sizes[8];
    uint8_t *elf = kernel_elf(&kernel_linux64, &elf_size), *files[8];
    unsigned int n;

    for (n = 0; kernel_methods[n]; n++) {
        size_t packed_size;
        uint8_t *packed = kernel_pack(kernel_methods[n], elf, elf_size, &packed_size);

        files[n] = kernel_bzimage(packed, packed_size, &sizes[n]);
        free(packed);
    }
    alarm(PATIENCE);
    for (unsigned int round = 0; round < ROUNDS; round++)
        try_image(files[round % n], sizes[round % n], round / n, &seed, &tally);
    check_tally(&tally);
    while (n-- > 0)
        free(files[n]);
    free(elf);
}

/* Damage of a text: words of the language put anywhere reach further than flipped bits do. */
static uint8_t *damage_text(const char *good, size_t *size, uint64_t *seed)
{
    static const char *const words[] = { "[",          "]",       ",",     "=",       "+=",      "'",
                                         "\"",         "\\",      "\n",    ";",       "#",       "0x",
                                         "memory",     "vcpus=",  "type=", "'\\x41'", "'\\101'", "[[",
                                         "on_crash='", "kernel=", "-1",    "\r",      "\t" };
    char text[2048];
    size_t at;

    if (random_below(seed, 2))
        return damage((const uint8_t *)good, size, seed);
    snprintf(text, sizeof(text), "%s", good);
    for (size_t times = 1 + random_below(seed, 6); times > 0; times--) {
        const char *word = words[random_below(seed, sizeof(words) / sizeof(words[0]))];
        size_t len = strlen(text), drop;

        at = random_below(seed, len + 1);
        drop = random_below(seed, 2) ? random_below(seed, 4) : 0;
        drop = drop < len - at ? drop : len - at;
        memmove(text + at + strlen(word), text + at + drop, len - at - drop + 1);
        memcpy(text + at, word, strlen(word));
    }
    *size = strlen(text);
    uint8_t *bad = malloc(*size ? *size : 1);

    assert_non_null(bad);
    memcpy(bad, text, *size);
    return bad;
}

static void test_config(void **state)
{
    static const char pv[] =
        "# a guest\nname = 'first'\ntype = \"pv\" ; kernel = '/boot/vmlinuz'\nramdisk='/boot/initrd'\n"
        "root = '/dev/xvda'\nextra = \"quiet \\\"x\\\" \\t\"\nmemory = 0x80\nmaxmem = 256\n"
        "vcpus = '2'; maxvcpus = 4\non_crash = 'preserve'\non_reboot = 'destroy'\n"
        "disk = [ 'a.img,raw,xvda,w',\n  'b.img,raw,xvdb,r', # c\n ]\ndisk += [ 'c.img,raw,hdc,r' ]\n"
        "vif = [ 'bridge=x' ]\np9 = [ 'tag=t,path=/srv' ]\nvfb = [ 'vnc=1' ]\nextra += ' more'\n"
        "uuid = '01234567-89ab-cdef-0123-456789abcdef'\ncpuid = 'host,sse3=0,family=0x15'\n";
    static const char hvm[] =
        "name = 'second'\nbuilder = 'hvm'\nfirmware_override = '/x/fw'\nbios = 'seabios'\nfirmware = 'bios'\n"
        "bios_path_override = '/x/b.bin'\nboot = 'dc'\nserial = [ 'pty', 'stdio' ]\nvga = 'stdvga'\nstdvga = 1\n"
        "viridian = [ 'all', '!freq' ]\nnestedhvm = 0\nhap = 1\ntimer_mode = 'one_missed_tick_pending'\n"
        "rtc_timeoffset = 60\nhap = 0\nshadow_policy = 'drop'\ntechnique = 'ring1'\nlocaltime = 0\nvideoram = "
        "16\nmmio_hole = "
        "512\nshadow_memory = 8\nacpi = 1\n";
    struct tally tally = { 0, 0 };
    uint64_t seed = 3;

    struct xl_config cfg;

    alarm(PATIENCE);
    for (unsigned int i = 0; i < 2; i++) {
        const char *good = i ? hvm : pv;

        assert_int_equal(xl_config_parse(&cfg, "good.cfg", good, strlen(good), (char[XL_ERR_SIZE]){ 0 }), 0);
        xl_config_free(&cfg);
    }
    for (unsigned int round = 0; round < ROUNDS; round++) {
        const char *good = round % 2 ? hvm : pv;
        size_t size = strlen(good);
        uint8_t *bad = damage_text(good, &size, &seed);
        char err[XL_ERR_SIZE] = "";

        xl_file_kind(bad, size);
        if (xl_config_parse(&cfg, "bad.cfg", bad, size, err)) {
            check_reason(err, bad, size, round);
            if (strncmp(err, "bad.cfg:", 8))
                fail_msg("round %u: the reason does not name the file: %s", round, err);
            tally.refused++;
        } else {
            assert_non_null(xl_type_name(cfg.type));
            assert_in_range(cfg.on_crash, 0, XL_ACTION_SOFT_RESET);
            assert_true(cfg.kernel || cfg.type == XL_TYPE_HVM);
            xl_config_free(&cfg);
            tally.accepted++;
        }
        free(bad);
    }
    check_tally(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_bzimage),
        cmocka_unit_test(test_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
