// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvm_start_info, read as a guest reads it: by addresses, from the one that is in EBX. With and without each part, and
 * with command lines of every length that matters to alignment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/build/start_info.h"

#define AT 0x1234000

static const struct hvm_memmap_table_entry memmap[] = {
    { 0, 0x8000000, XEN_HVM_MEMMAP_TYPE_RAM, 0 },
    { 0xfeff8000, 0x8000, XEN_HVM_MEMMAP_TYPE_RESERVED, 0 },
    { UINT64_C(1) << 32, 0x1000, XEN_HVM_MEMMAP_TYPE_RAM, 0 },
};

static uint8_t *bytes;
static size_t size;

static struct hvm_start_info write(const struct start_info_parts *s)
{
    struct hvm_start_info info;

    free(bytes);
    size = start_info_size(s);
    bytes = malloc(size); /* exactly: the sanitizer sees a step too far */
    assert_non_null(bytes);
    memset(bytes, 0xa5, size);
    start_info_write(s, AT, bytes);
    memcpy(&info, bytes, sizeof(info));
    assert_int_equal(info.magic, 0x336ec578);
    assert_int_equal(info.version, 1);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.reserved, 0);
    return info;
}

/* n bytes of the guest's memory at an address in the piece. */
static const void *at(uint64_t address, size_t n)
{
    assert_in_range(address, AT + sizeof(struct hvm_start_info), AT + size);
    assert_in_range(n, 0, AT + size - address);
    return bytes + (address - AT);
}

static void test_nothing(void **state)
{
    const struct start_info_parts s = { 0 };
    const struct hvm_start_info info = write(&s);

    assert_int_equal(info.cmdline_paddr | info.modlist_paddr | info.rsdp_paddr, 0);
    assert_int_equal(info.nr_modules | info.memmap_entries, 0);
}

static void test_command_lines(void **state)
{
    char line[3000];

    for (size_t n = 0; n < sizeof(line); n += n < 40 ? 1 : 369) {
        struct start_info_parts s = { .cmdline = line, .rsdp = 0xfc002000, .memmap = memmap, .nr_memmap = 3 };
        struct hvm_start_info info;

        memset(line, 'x', n);
        line[n] = '\0';
        info = write(&s);
        assert_memory_equal(at(info.cmdline_paddr, n + 1), line, n + 1);
        assert_int_equal(info.rsdp_paddr, 0xfc002000);
        assert_int_equal(info.memmap_paddr % 8, 0);
        assert_int_equal(info.memmap_entries, 3);
        assert_memory_equal(at(info.memmap_paddr, sizeof(memmap)), memmap, sizeof(memmap));
    }
}

static void test_modules(void **state)
{
    const struct start_info_parts s = {
        .modules = { { 0x2000000, 12345, "firmware" }, { 0x3000000, 1, NULL } },
        .nr_modules = 2,
        .memmap = memmap,
        .nr_memmap = 1,
    };
    const struct hvm_start_info info = write(&s);
    const struct hvm_modlist_entry *m = at(info.modlist_paddr, 2 * sizeof(*m));

    assert_int_equal(info.nr_modules, 2);
    assert_int_equal(info.modlist_paddr % 8, 0);
    assert_true(m[0].paddr == 0x2000000 && m[0].size == 12345 && m[0].reserved == 0);
    assert_string_equal(at(m[0].cmdline_paddr, START_INFO_MODULE_CMDLINE_SIZE), "firmware");
    assert_true(m[1].paddr == 0x3000000 && m[1].size == 1 && m[1].cmdline_paddr == 0 && m[1].reserved == 0);
    assert_memory_equal(at(info.memmap_paddr, sizeof(memmap[0])), memmap, sizeof(memmap[0]));
}

static int done(void **state)
{
    free(bytes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing), cmocka_unit_test(test_command_lines),
                                        cmocka_unit_test(test_modules) };

    return cmocka_run_group_tests(tests, NULL, done);
}
