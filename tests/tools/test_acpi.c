// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables of PVH guests, read as a guest reads them: from the RSDP, by addresses, every table adding up to 0; for
 * many numbers of vCPUs. And ACPICA's disassembler, where it is installed, finds nothing to complain of.
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

#include "tests/support/file.h"
#include "tools/build/acpi.h"

static struct acpi_tables t;
static uint32_t base;

static uint64_t get(const uint8_t *p, unsigned int size)
{
    uint64_t n = 0;

    while (size--)
        n = n << 8 | p[size];
    return n;
}

static uint8_t sum(const uint8_t *p, size_t size)
{
    uint8_t n = 0;

    while (size--)
        n += *p++;
    return n;
}

/* The guest's memory at an address of the tables. */
static const uint8_t *at(uint64_t address)
{
    assert_in_range(address, base, base + t.size - 1);
    return t.bytes + (address - base);
}

static const uint8_t *table(uint64_t address, const char *signature, uint8_t revision)
{
    const uint8_t *p = at(address);

    assert_int_equal(address % 16, 0);
    assert_memory_equal(p, signature, 4);
    at(address + get(p + 4, 4) - 1);
    assert_int_equal(p[8], revision);
    assert_int_equal(sum(p, get(p + 4, 4)), 0);
    assert_memory_equal(p + 10, "Xen\0\0\0HVM\0\0\0\0\0\0\0\0\0HVML\0\0\0\0", 26);
    return p;
}

static void build(struct acpi_config c)
{
    base = c.at;
    memset(&t, 0xa5, sizeof(t));
    acpi_build(&t, &c);
    assert_true(t.size && t.size % 4096 == 0);
}

/* The n-th table of the XSDT. */
static uint64_t listed(unsigned int n)
{
    const uint8_t *xsdt = table(get(t.rsdp + 24, 8), "XSDT", 1);

    assert_int_equal(get(xsdt + 4, 4), 36 + 2 * 8);
    return get(xsdt + 36 + 8 * n, 8);
}

/* ---------------------------------------------------------------------------------------------------- the tables -- */

static void test_pointers(void **state)
{
    const uint8_t *rsdt;

    build((struct acpi_config){ .at = ACPI_ADDRESS, .nr_vcpus = 1, .nr_online = 1 });
    assert_int_equal(t.rsdp_at, ACPI_ADDRESS + t.size);
    assert_memory_equal(t.rsdp, "RSD PTR ", 8);
    assert_int_equal(sum(t.rsdp, 20), 0);
    assert_int_equal(sum(t.rsdp, 36), 0);
    assert_int_equal(t.rsdp[15], 2);
    assert_int_equal(get(t.rsdp + 20, 4), 36);
    assert_int_equal(sum(t.rsdp + 36, ACPI_RSDP_SIZE - 36), 0);

    rsdt = table(get(t.rsdp + 16, 4), "RSDT", 1);
    assert_int_equal(get(rsdt + 4, 4), 36 + 2 * 4);
    assert_int_equal(get(table(get(rsdt + 36, 4), "FACP", 1) + 4, 4), 116);
    assert_int_equal(get(rsdt + 40, 4), listed(1));
    assert_int_equal(get(table(listed(0), "FACP", 5) + 4, 4), 268);
    table(listed(1), "APIC", 2);

    build((struct acpi_config){ .at = 0x7000, .rsdp_at = 0xfffc0, .nr_vcpus = 1, .nr_online = 1 });
    assert_int_equal(t.rsdp_at, 0xfffc0);
    table(listed(1), "APIC", 2);
}

/* As libxl 4.17 has it, both revisions; and without fixed hardware. */
static void test_fadt(void **state)
{
    for (int reduced = 0; reduced < 2; reduced++) {
        const uint8_t *fadt, *old, *facs;

        build((struct acpi_config){ .at = ACPI_ADDRESS, .nr_vcpus = 1, .nr_online = 1, .hardware_reduced = reduced });
        fadt = table(listed(0), "FACP", 5);
        old = table(get(table(get(t.rsdp + 16, 4), "RSDT", 1) + 36, 4), "FACP", 1);
        facs = at(get(fadt + 36, 4));
        assert_memory_equal(facs, "FACS", 4);
        assert_int_equal(get(facs + 4, 4), 64);
        assert_int_equal(get(fadt + 36, 4) % 64, 0);
        table(get(fadt + 40, 4), "DSDT", 5);
        assert_int_equal(get(fadt + 132, 8), get(fadt + 36, 4));
        assert_int_equal(get(fadt + 140, 8), get(fadt + 40, 4));
        assert_memory_equal(old + 36, fadt + 36, 109 - 36);
        assert_int_equal(get(fadt + 109, 2), 0x24);
        assert_int_equal(get(old + 109, 2), 0);
        assert_int_equal(get(fadt + 112, 4), reduced ? 0x108175 : 0x8175);
        assert_int_equal(get(old + 112, 4), reduced ? 0x108145 : 0x8145);
        assert_int_equal(get(fadt + 46, 2), reduced ? 0 : 9);
        assert_int_equal(get(fadt + 56, 4), reduced ? 0 : 0xb000);
        assert_int_equal(get(fadt + 64, 4), reduced ? 0 : 0xb004);
        assert_int_equal(get(fadt + 76, 4), 0); /* no PM timer */
        assert_int_equal(get(fadt + 80, 4), reduced ? 0 : 0xafe0);
        assert_int_equal(get(fadt + 88, 6), reduced ? 0 : 0x000400000204);
        assert_int_equal(get(fadt + 148, 4), reduced ? 0 : 0x2001);
        assert_int_equal(get(fadt + 152, 8), reduced ? 0 : 0xb000);
        assert_int_equal(get(fadt + 172, 4), reduced ? 0 : 0x1001);
        assert_int_equal(get(fadt + 176, 8), reduced ? 0 : 0xb004);
    }
}

static void test_madt(void **state)
{
    for (unsigned int n = 1; n <= ACPI_VCPUS_MAX; n += n < 8 ? 1 : 24) {
        const uint8_t *madt, *p;

        build((struct acpi_config){ .at = ACPI_ADDRESS, .nr_vcpus = n, .nr_online = (n + 1) / 2, .io_apic = n % 2 });
        madt = table(listed(1), "APIC", 2);
        assert_int_equal(get(madt + 36, 4), 0xfee00000);
        assert_int_equal(get(madt + 40, 4), 1);
        p = madt + 44;
        if (n % 2) {
            static const uint8_t expected[] = {
                2,  10, 0,  0,  2, 0, 0, 0,   0,   0, /* the timer is at GSI 2 */
                2,  10, 0,  5,  5, 0, 0, 0,   0xf, 0, 2,  10, 0, 10, 10, 0,    0,    0, 0xf, 0, 2,
                10, 0,  11, 11, 0, 0, 0, 0xf, 0,   1, 12, 1,  0, 0,  0,  0xc0, 0xfe, 0, 0,   0, 0,
            };

            assert_memory_equal(p, expected, sizeof(expected));
            p += sizeof(expected);
        }
        for (unsigned int i = 0; i < n; i++, p += 8) {
            const uint8_t expected[8] = { 0, 8, (uint8_t)i, (uint8_t)(2 * i), i < (n + 1) / 2 };

            assert_memory_equal(p, expected, 8);
        }
        assert_ptr_equal(p, madt + get(madt + 4, 4));
    }
}

/* ------------------------------------------------------------------------------------------------------ the DSDT -- */

/* A PkgLength: where the package ends. */
static const uint8_t *package(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *start = *p;
    const unsigned int more = start[0] >> 6;
    size_t length = more ? start[0] & 0xf : start[0] & 0x3f;

    for (unsigned int i = 1; i <= more; i++)
        length |= (size_t)start[i] << (8 * i - 4);
    *p += 1 + more;
    assert_in_range(length, 1 + more, end - start);
    return start + length;
}

static void expect(const uint8_t **p, const void *bytes, size_t size)
{
    assert_memory_equal(*p, bytes, size);
    *p += size;
}

static void test_dsdt(void **state)
{
    for (unsigned int n = 1; n <= ACPI_VCPUS_MAX; n++) {
        const unsigned int online = n > 2 ? n - 2 : n;
        const uint8_t *dsdt, *p, *end, *scope_end;

        build((struct acpi_config){ .at = ACPI_ADDRESS, .nr_vcpus = n, .nr_online = online, .s5 = n % 2 });
        dsdt = table(get(table(listed(0), "FACP", 5) + 40, 4), "DSDT", 5);
        p = dsdt + 36;
        end = dsdt + get(dsdt + 4, 4);
        if (n % 2)
            expect(&p, "\x08_S5_\x12\6\4\0\0\0\0", 12);
        expect(&p, "\x10", 1);
        scope_end = package(&p, end);
        assert_ptr_equal(scope_end, end);
        expect(&p, "\\_SB_", 5);
        for (unsigned int i = 0; i < n; i++) {
            const uint8_t *processor_end;
            char text[64];

            expect(&p, "\x5b\x83", 2);
            processor_end = package(&p, scope_end);
            snprintf(text, sizeof(text), "PR%02X", i);
            expect(&p, text, 4);
            expect(&p, (uint8_t[]){ (uint8_t)i, 0, 0, 0, 0, 0 }, 6);
            expect(&p,
                   "\x08_HID\x0d"
                   "ACPI0007",
                   15);
            expect(&p, "\x08_UID\x0a", 6);
            assert_int_equal(*p++, i);
            expect(&p, "\x08_STA\x0a", 6);
            assert_int_equal(*p++, i < online ? 0xf : 0);
            assert_ptr_equal(p, processor_end);
        }
        assert_ptr_equal(p, scope_end);
    }
}

/* -------------------------------------------------------------------------------------------------------- ACPICA -- */

/* What iasl makes of a table: its text, to be freed. */
static char *disassembled(const char *folder, uint64_t address)
{
    const uint8_t *p = at(address);
    char path[128], command[300], *text = calloc(1, 1 << 20);
    FILE *f;

    snprintf(path, sizeof(path), "%s/t.aml", folder);
    file_write(path, p, get(p + 4, 4));
    snprintf(command, sizeof(command), "cd %s && iasl -d t.aml > said 2>&1; cat said t.dsl; rm -f t.* said", folder);
    f = popen(command, "r");
    assert_non_null(text);
    assert_non_null(f);
    fread(text, 1, (1 << 20) - 1, f);
    assert_int_equal(pclose(f), 0);
    if (strstr(text, "Error") || strstr(text, "Warning") || strstr(text, "Invalid") || strstr(text, "Incorrect"))
        fail_msg("%s", text);
    return text;
}

static void assert_says(char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strstr(text, *words))
            fail_msg("\"%s\" is not in: %s", *words, text);
    free(text);
}

static void test_acpica(void **state)
{
    char folder[] = "/tmp/test_acpi.XXXXXX";
    uint64_t dsdt;

    if (system("iasl -v > /dev/null 2>&1")) {
        print_message("no iasl (package acpica-tools): nobody else looks at the tables\n");
        skip();
    }
    assert_non_null(mkdtemp(folder));
    build((struct acpi_config){
        .at = ACPI_ADDRESS, .nr_vcpus = 100, .nr_online = 99, .io_apic = true, .hardware_reduced = true, .s5 = true });
    dsdt = get(table(listed(0), "FACP", 5) + 40, 4);
    assert_says(disassembled(folder, listed(0)),
                (const char *[]){ "Fixed ACPI Description Table", "Hardware Reduced (V5) : 1",
                                  "CMOS RTC Not Present (V5) : 1", NULL });
    assert_says(disassembled(folder, listed(1)),
                (const char *[]){ "Local Apic ID : C6", "I/O Apic ID : 01", "Polarity : 3", NULL });
    assert_says(disassembled(folder, dsdt),
                (const char *[]){ "Processor (PR63, 0x63, 0x00000000, 0x00)", "Name (_HID, \"ACPI0007\"",
                                  "Name (_STA, 0x00)", "Name (_S5, Package (0x04)", NULL });
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointers), cmocka_unit_test(test_fadt),   cmocka_unit_test(test_madt),
        cmocka_unit_test(test_dsdt),     cmocka_unit_test(test_acpica),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
