// SPDX-License-Identifier: GPL-2.0-or-later
/* Firmware is found where packages are unpacked, in order, of Xen's newest version; or not, where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/firmware.h"

static char dir[] = "/tmp/test_firmware.[x].XXXXXX"; /* with what would be a pattern */
static char first[64], second[64];

/* A file below a folder, with the folders that it needs. */
static void file(const char *root, const char *path)
{
    char cmd[512];

    snprintf(cmd, sizeof(cmd), "f='%s/%s'; mkdir -p \"${f%%/*}\" && touch \"$f\"", root, path);
    assert_int_equal(system(cmd), 0);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(first, sizeof(first), "%s/first", dir);
    snprintf(second, sizeof(second), "%s/second", dir);
    file(first, "usr/share/doc");
    file(second, "usr/share/seabios/bios-256k.bin");
    file(second, "usr/lib/xen-4.17/boot/hvmloader");
    return 0;
}

static int tear_down(void **state)
{
    char cmd[512];

    snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
    assert_int_equal(system(cmd), 0);
    (void)state;
    return 0;
}

static void expect(enum firmware what, const char *const *roots, const char *root, const char *path)
{
    char *found = firmware_find(what, roots), whole[128];

    snprintf(whole, sizeof(whole), "%s/%s", root, path);
    assert_string_equal(found ? found : "none", path ? whole : "none");
    free(found);
}

static void test_found(void **state)
{
    const char *const both[] = { first, second, NULL }, *const none[] = { first, NULL };

    (void)state;
    expect(FIRMWARE_HVMLOADER, both, second, "usr/lib/xen-4.17/boot/hvmloader");
    expect(FIRMWARE_SEABIOS, both, second, "usr/share/seabios/bios-256k.bin");
    assert_null(firmware_find(FIRMWARE_VGABIOS, both));
    assert_null(firmware_find(FIRMWARE_XEN_SHIM, both));
    file(second, "usr/lib/xen-4.17/boot/xen-shim");
    expect(FIRMWARE_XEN_SHIM, both, second, "usr/lib/xen-4.17/boot/xen-shim");
    assert_null(firmware_find(FIRMWARE_HVMLOADER, none));

    file(second, "usr/lib/xen-4.19/boot/hvmloader");
    expect(FIRMWARE_HVMLOADER, both, second, "usr/lib/xen-4.19/boot/hvmloader");
    file(first, "usr/share/seabios/bios-256k.bin");
    expect(FIRMWARE_SEABIOS, both, first, "usr/share/seabios/bios-256k.bin");
}

/* Without folders it may find something or nothing: then it can be read. */
static void test_usual(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < FIRMWARE_NR; i++) {
        char *found = firmware_find((enum firmware)i, NULL);

        assert_true(!found || !access(found, R_OK));
        assert_true(!found || !strcmp(strrchr(found, '/') + 1, firmware_files[i].name));
        free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_found), cmocka_unit_test(test_usual) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
