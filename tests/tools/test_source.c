// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of a kernel's source: those that addr2line(1) finds; none where there is no such information; and whatever
 * stands in a file, no harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/types.h"
#include "tests/support/random.h"
#include "tools/debug/source.h"

static uint64_t prng = 1;

static void load(struct image *img, const char *path)
{
    char err[IMAGE_ERR_SIZE];

    if (image_load(img, path, IMAGE_AUTO, err))
        fail_msg("%s: %s", path, err);
}

/* "rings.c:123", as addr2line says it; "??:0" and "rings.c:?" are none. */
static bool by_addr2line(FILE *pipe, char text[SOURCE_TEXT])
{
    char line[1024], *name;

    assert_non_null(fgets(line, sizeof(line), pipe));
    line[strcspn(line, "\n")] = '\0';
    if (strstr(line, " (disc"))
        *strstr(line, " (disc") = '\0';
    name = strrchr(line, '/');
    snprintf(text, SOURCE_TEXT, "%.60s", name ? name + 1 : line);
    return text[0] != '?' && text[strlen(text) - 1] != '?' && strcmp(strrchr(text, ':'), ":0") != 0;
}

/* All functions, at their beginning and inside. */
static void test_as_addr2line(void **state)
{
    static const char *const guests[] = { "build/guests/rings", "build/guests/smp", "build/guests/grants" };

    for (size_t n = 0; n < ARRAY_SIZE(guests); n++) {
        char command[256], list[] = "/tmp/xenlab-test-XXXXXX", text[SOURCE_TEXT], wanted[SOURCE_TEXT];
        struct sources s = { 0 };
        struct image img;
        unsigned int found = 0;
        FILE *f = fdopen(mkstemp(list), "w");

        load(&img, guests[n]);
        assert_true(f && img.nr_symbols > 50);
        for (size_t i = 0; i < img.nr_symbols; i++)
            fprintf(f, "%#llx\n", (unsigned long long)img.symbols[i].addr + img.symbols[i].size / 2);
        fclose(f);
        snprintf(command, sizeof(command), "addr2line -e %s < %s", guests[n], list);
        f = popen(command, "r");
        assert_non_null(f);
        for (size_t i = 0; i < img.nr_symbols; i++) {
            const uint64_t addr = img.symbols[i].addr + img.symbols[i].size / 2;
            const bool there = by_addr2line(f, wanted);

            if (there && source_line(&s, &img, addr, text)) {
                found++;
                if (strcmp(text, wanted) != 0)
                    fail_msg("%s at %#llx: %s, but addr2line: %s", guests[n], (unsigned long long)addr, text, wanted);
            }
        }
        pclose(f);
        unlink(list);
        assert_true(found > 40);
        sources_free(&s);
        image_free(&img);
    }
}

static void test_no_information(void **state)
{
    struct sources s = { 0 };
    struct image img = { 0 };
    char text[SOURCE_TEXT];

    assert_false(source_line(&s, &img, 0x1000, text));
    assert_false(source_line(&s, &img, 0x1000, text));
    assert_int_equal(s.nr, 1);
    sources_free(&s);
}

/* A copy of build/guests/rings with some of its sections made different. */
static void load_changed(struct image *img, const char *options)
{
    char command[256], path[] = "/tmp/xenlab-test-XXXXXX";
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    snprintf(command, sizeof(command), "objcopy %s build/guests/rings %s", options, path);
    assert_int_equal(system(command), 0);
    load(img, path);
    unlink(path);
}

static unsigned int lines_same(const struct image *img, const struct image *as)
{
    struct sources s = { 0 };
    unsigned int found = 0;

    for (size_t i = 0; i < img->nr_symbols; i++) {
        const uint64_t addr = img->symbols[i].addr + img->symbols[i].size / 2;
        char text[SOURCE_TEXT], wanted[SOURCE_TEXT];
        const bool there = source_line(&s, as, addr, wanted);

        if (source_line(&s, img, addr, text) && there) {
            assert_string_equal(text, wanted);
            found++;
        }
    }
    sources_free(&s);
    return found;
}

/* Other compilers' ways: no index (clang), compressed. */
static void test_other_forms(void **state)
{
    static const char *const options[] = { "-R .debug_aranges", "--compress-debug-sections=zlib",
                                           "--compress-debug-sections=zlib-gnu",
                                           "-R .debug_aranges --compress-debug-sections=zlib" };
    struct image whole, img;
    unsigned int all;

    load(&whole, "build/guests/rings");
    all = lines_same(&whole, &whole);
    assert_true(all > 40);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        load_changed(&img, options[i]);
        assert_int_equal(lines_same(&img, &whole), all);
        image_free(&img);
    }
    image_free(&whole);
}

/* `mib` MiB of zeros, packed: as .zdebug sections are. The blocks of one MiB are the same. */
static void bomb_write(const char *path, unsigned int mib)
{
    static uint8_t zeros[1 << 20], packed[1 << 16];
    const uint64_t size = htobe64((uint64_t)mib << 20);
    z_stream z = { .next_out = packed, .avail_out = sizeof(packed) };
    FILE *f = fopen(path, "we");
    size_t head, end;

    assert_non_null(f);
    assert_int_equal(deflateInit(&z, 9), Z_OK);
    deflate(&z, Z_FULL_FLUSH);
    head = sizeof(packed) - z.avail_out;
    z.next_in = zeros;
    z.avail_in = sizeof(zeros);
    deflate(&z, Z_FULL_FLUSH);
    end = sizeof(packed) - z.avail_out;
    fwrite("ZLIB", 1, 4, f);
    fwrite(&size, sizeof(size), 1, f);
    fwrite(packed, 1, head, f);
    for (unsigned int i = 0; i < mib; i++)
        fwrite(packed + head, 1, end - head, f);
    fwrite("\x03\0\0\0\0\0", 1, 6, f); /* the last block, empty; nobody looks at the sum */
    fclose(f);
    deflateEnd(&z);
}

/* What unpacks to more than a kernel's could is not unpacked. */
static void test_too_much_is_not_unpacked(void **state)
{
    char path[] = "/tmp/xenlab-test-XXXXXX", options[128], text[SOURCE_TEXT];
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    snprintf(options, sizeof(options), "--add-section .zdebug_macro=%s", path);
    for (unsigned int i = 0; i < 2; i++) {
        struct sources s = { 0 };
        struct image img;

        bomb_write(path, i ? 1100 : 1);
        load_changed(&img, options);
        assert_int_equal(source_line(&s, &img, img.virt_entry, text), i == 0);
        sources_free(&s);
        image_free(&img);
    }
    unlink(path);
}

/* More images than are kept at a time. */
static void test_many_images(void **state)
{
    struct image img[SOURCE_IMAGES + 3];
    struct sources s = { 0 };
    char text[SOURCE_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(img); i++)
        load(&img[i], "build/guests/hello");
    for (unsigned int n = 0; n < 3; n++)
        for (size_t i = 0; i < ARRAY_SIZE(img); i++)
            assert_true(source_line(&s, &img[i], img[i].virt_entry, text));
    assert_true(s.nr <= SOURCE_IMAGES);
    sources_free(&s);
    for (size_t i = 0; i < ARRAY_SIZE(img); i++)
        image_free(&img[i]);
}

static void test_spoiled_files(void **state)
{
    struct image whole;
    uint8_t *copy;

    load(&whole, "build/guests/hello");
    copy = malloc(whole.elf_size);
    assert_non_null(copy);
    for (unsigned int n = 0; n < 400; n++) {
        struct image img = { .elf = copy, .elf_size = whole.elf_size };
        struct sources s = { 0 };
        char text[SOURCE_TEXT];

        memcpy(copy, whole.elf, whole.elf_size);
        if (n % 4 == 0)
            img.elf_size = random_of(&prng, whole.elf_size);
        for (uint64_t i = random_of(&prng, 40); i; i--)
            copy[random_of(&prng, n % 2 ? whole.elf_size : 1024)] = (uint8_t)random_of(&prng, 256);
        for (unsigned int i = 0; i < 20; i++)
            source_line(&s, &img, whole.symbols[random_of(&prng, whole.nr_symbols)].addr, text);
        sources_free(&s);
    }
    free(copy);
    image_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_addr2line), cmocka_unit_test(test_no_information),
        cmocka_unit_test(test_other_forms),  cmocka_unit_test(test_too_much_is_not_unpacked),
        cmocka_unit_test(test_many_images),  cmocka_unit_test(test_spoiled_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
