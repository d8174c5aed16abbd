// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg of PVH and HVM guests: every spelling that the manual page has, what else is a mistake, and what of it a PV
 * guest is told.
 *
 * Budget: a test a key or two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/xl_cfg.h"

#define HVM "type = 'hvm'\n"
#define PVH "type = 'pvh'\nkernel = 'k'\n"

static void expect_failure(const char *text, const char *part)
{
    struct xl_config cfg;
    char err[XL_ERR_SIZE];

    if (parse(&cfg, text, err) == 0)
        fail_msg("accepted, expected \"%s\": %s", part, text);
    if (!strstr(err, part))
        fail_msg("expected \"%s\" in \"%s\"", part, err);
}

static void test_defaults(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, HVM);
    assert_true(cfg.has_type && cfg.type == XL_TYPE_HVM && !cfg.kernel);
    assert_true(cfg.hvm.hap && cfg.hvm.acpi && cfg.hvm.apic && cfg.hvm.pae && cfg.hvm.nx && cfg.hvm.hpet);
    assert_true(cfg.hvm.acpi_s3 && cfg.hvm.acpi_s4 && cfg.hvm.vpt_align && cfg.hvm.xen_platform_pci);
    assert_true(!cfg.hvm.localtime && cfg.hvm.timer_mode == XL_TIMER_NO_DELAY_FOR_MISSED_TICKS);
    assert_true(!cfg.hvm.firmware && cfg.hvm.bios == XL_BIOS_DEFAULT && !cfg.hvm.bios_path && !cfg.hvm.nr_serials);
    assert_string_equal(cfg.hvm.boot, "");
    assert_null(cfg.warnings);
    xl_config_free(&cfg);

    parse_ok(&cfg, "builder = 'hvm'\n");
    assert_true(cfg.has_type && cfg.type == XL_TYPE_HVM);
    xl_config_free(&cfg);
    parse_ok(&cfg, PVH);
    assert_true(cfg.has_type && cfg.type == XL_TYPE_PVH && cfg.hvm.hap);
    xl_config_free(&cfg);
}

/* Any number but 0 is true, as in xl, in quotes or without. */
static void test_flags(void **state)
{
    static const struct {
        const char *key;
        size_t field;
    } flags[] = {
#define FLAG(name) { #name, offsetof(struct xl_hvm, name) }
        FLAG(hap),
        FLAG(acpi),
        FLAG(apic),
        FLAG(pae),
        FLAG(nx),
        FLAG(hpet),
        FLAG(acpi_s3),
        FLAG(acpi_s4),
        FLAG(vpt_align),
        FLAG(localtime),
        FLAG(xen_platform_pci),
    };
    static const char *const values[] = { "0", "'0'", "1", "'1'", "2" };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (size_t v = 0; v < 5; v++) {
            struct xl_config cfg;
            char text[100];

            snprintf(text, sizeof(text), HVM "%s = %s\n", flags[i].key, values[v]);
            parse_ok(&cfg, text);
            assert_int_equal(*(bool *)((char *)&cfg.hvm + flags[i].field), v >= 2);
            assert_null(cfg.warnings);
            xl_config_free(&cfg);
            snprintf(text, sizeof(text), HVM "%s = 'yes'\n", flags[i].key);
            expect_failure(text, "expected 0 or 1, got \"yes\"");
        }
    }
}

/* The shim's command line: that of libxl, or one's own, and what is to be added to either. */
static void test_shim(void **state)
{
    static const char *const cases[][3] = { { "", NULL, XL_PVSHIM_CMDLINE },
                                            { "pvshim_path = '/x/shim'\n", "/x/shim", XL_PVSHIM_CMDLINE },
                                            { "pvshim_extra = 'a=1'\n", NULL, "pv-shim console=xen,pv a=1" },
                                            { "pvshim_cmdline = 'pv-shim'\n", NULL, "pv-shim" },
                                            { "pvshim_extra = 'a'\npvshim_cmdline = 'c'\n", NULL, "c a" },
                                            { "pvshim_cmdline = ''\n", NULL, "" } };
    struct xl_config cfg;
    char text[200], *cmdline;

    parse_ok(&cfg, PVH);
    assert_false(cfg.hvm.pvshim);
    xl_config_free(&cfg);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), PVH "pvshim = 1\n%s", cases[i][0]);
        parse_ok(&cfg, text);
        assert_true(cfg.hvm.pvshim && !cfg.warnings);
        assert_string_equal(cfg.hvm.pvshim_path ? cfg.hvm.pvshim_path : "-", cases[i][1] ? cases[i][1] : "-");
        cmdline = xl_hvm_shim_cmdline(&cfg.hvm);
        assert_string_equal(cmdline, cases[i][2]);
        free(cmdline);
        xl_config_free(&cfg);
    }
    parse_ok(&cfg, PVH "pvshim = 0\npvshim_path = '/x'\npvshim_cmdline = 'c'\npvshim_extra = 'e'\n");
    assert_false(cfg.hvm.pvshim);
    assert_string_equal(cfg.warnings, "guest.cfg:4: warning: pvshim_path is ignored: pvshim is not set\n"
                                      "guest.cfg:5: warning: pvshim_cmdline is ignored: pvshim is not set\n"
                                      "guest.cfg:6: warning: pvshim_extra is ignored: pvshim is not set\n");
    xl_config_free(&cfg);
    expect_failure(PVH "pvshim = 'yes'\n", "guest.cfg:3: pvshim: expected 0 or 1, got \"yes\"");
    expect_failure(PVH "pvshim = 1\npvshim_path = ''\n", "guest.cfg:4: pvshim_path: expected a path, got \"\"");
    expect_failure(PVH "pvshim_cmdline = [ 'a' ]\n", "pvshim_cmdline: expected a single value, got a list");
}

static void test_firmware(void **state)
{
    static const struct {
        const char *text, *firmware, *bios_path;
        enum xl_bios bios;
    } cases[] = {
        { "firmware_override = '/x/test-hvm64'", "/x/test-hvm64", NULL, XL_BIOS_DEFAULT },
        { "firmware = 'bios'", NULL, NULL, XL_BIOS_DEFAULT },
        { "firmware = 'uefi'", NULL, NULL, XL_BIOS_OVMF },
        { "firmware = 'seabios'", NULL, NULL, XL_BIOS_SEABIOS },
        { "firmware = 'rombios'", NULL, NULL, XL_BIOS_ROMBIOS },
        { "firmware = 'ovmf'", NULL, NULL, XL_BIOS_OVMF },
        { "firmware = '/x/fw'", "/x/fw", NULL, XL_BIOS_DEFAULT },
        { "firmware_override = 'a'\nfirmware = '/x/fw'", "/x/fw", NULL, XL_BIOS_DEFAULT },
        { "bios = 'seabios'\nbios_path_override = '/x/b.bin'", NULL, "/x/b.bin", XL_BIOS_SEABIOS },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xl_config cfg;
        char text[200];

        snprintf(text, sizeof(text), HVM "%s\n", cases[i].text);
        parse_ok(&cfg, text);
        assert_string_equal(cfg.hvm.firmware ? cfg.hvm.firmware : "-", cases[i].firmware ? cases[i].firmware : "-");
        assert_string_equal(cfg.hvm.bios_path ? cfg.hvm.bios_path : "-", cases[i].bios_path ? cases[i].bios_path : "-");
        assert_int_equal(cfg.hvm.bios, cases[i].bios);
        assert_null(cfg.warnings);
        xl_config_free(&cfg);
    }
    expect_failure(HVM "bios = 'coreboot'\n", "guest.cfg:2: bios: expected seabios, rombios or ovmf, got \"coreboot\"");
    expect_failure(HVM "firmware_override = [ 'a' ]\n", "firmware_override: expected a single value, got a list");
    expect_failure(HVM "firmware = ''\n", "guest.cfg:2: firmware: expected a path, got \"\"");
}

/* CD drives without a disc, as xl has them written; a PV guest gets none, and is told. */
static void test_empty_cds(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, HVM "disk = [ ',hdc:cdrom,r', '/d,raw,hda,w', 'format=empty,vdev=hdd,access=ro,devtype=cdrom' ]\n");
    assert_true(cfg.disks.nr == 1 && cfg.hvm.empty_cds == 0xc && !cfg.warnings);
    xl_config_free(&cfg);
    parse_ok(&cfg, "kernel = '/k'\ndisk = [ ',,hdb:cdrom' ]\n");
    assert_true(cfg.disks.nr == 0 && cfg.hvm.empty_cds == 0x2);
    assert_non_null(strstr(cfg.warnings, "disk: a drive without a disc is for HVM guests and is ignored"));
    xl_config_free(&cfg);
    expect_failure(HVM "disk = [ '/d,raw,hdc,w', ',,hdc:cdrom' ]\n", "disk: there is a disk hdc already");
    expect_failure(HVM "disk = [ ',,hdc:cdrom', '/d,raw,xvdc,w' ]\n", "disk: there is a disk hdc already");
    expect_failure(HVM "disk = [ ',,hdc,w' ]\n", "disk: an empty drive");
    expect_failure(HVM "disk = [ ',,sda:cdrom' ]\n", "disk: an empty drive");
}

static void test_kernel_hvmloader(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, HVM "kernel = '/usr/lib/xen-4.17/boot/hvmloader'\n");
    assert_null(cfg.kernel);
    assert_string_equal(cfg.warnings,
                        "guest.cfg:2: warning: kernel is ignored: firmware_override is the key for an hvmloader\n");
    xl_config_free(&cfg);
    parse_ok(&cfg, HVM "kernel = 'vmlinuz'\n");
    assert_string_equal(cfg.kernel, "vmlinuz");
    xl_config_free(&cfg);
}

static void test_devices(void **state)
{
    static const char *const wrong[][2] = {
        { "boot = ''", "boot: expected up to three of the letters" },
        { "boot = 'cc'", "boot: expected" },
        { "boot = 'cdna'", "boot: expected" },
        { "boot = 'C'", "boot: expected" },
        { "serial = 'tcp:1'", "serial: expected stdio, pty or none, got \"tcp:1\"" },
        { "serial = [ 'pty', 'x' ]", "serial: expected stdio, pty or none, got \"x\"" },
        { "serial = [ [ 'pty' ] ]", "serial: expected a list of strings" },
        { "serial = [ 'pty', 'pty', 'pty', 'pty', 'pty' ]", "serial: expected at most 4 serial ports" },
        { "vga = 'voodoo'", "vga: expected none, stdvga, cirrus or qxl" },
        { "videoram = 'much'", "videoram: expected a number of MiB" },
        { "mmio_hole = 255", "mmio_hole: expected 256 to 3840 MiB" },
        { "mmio_hole = 3841", "mmio_hole: expected 256 to 3840 MiB" },
        { "rtc_timeoffset = 'x'", "rtc_timeoffset: expected a number of seconds" },
    };
    struct xl_config cfg;

    parse_ok(&cfg, HVM "boot = 'dc'\nserial = 'pty'\nvga = 'stdvga'\nvideoram = 16\nmmio_hole = 3072\n"
                       "rtc_timeoffset = '-3600'\nshadow_memory = 8\n");
    assert_string_equal(cfg.hvm.boot, "dc");
    assert_true(cfg.hvm.nr_serials == 1 && cfg.hvm.serials[0] == XL_SERIAL_PTY);
    assert_true(cfg.hvm.vga == XL_VGA_STDVGA && cfg.hvm.videoram_mib == 16 && cfg.hvm.mmio_hole_mib == 3072);
    assert_true(cfg.hvm.rtc_timeoffset == -3600 && cfg.hvm.shadow_mib == 8);
    xl_config_free(&cfg);

    parse_ok(&cfg, HVM "boot = 'nad'\nserial = [ 'stdio', 'none', 'pty' ]\nstdvga = 1\n");
    assert_string_equal(cfg.hvm.boot, "nad");
    assert_true(cfg.hvm.nr_serials == 3 && cfg.hvm.serials[0] == XL_SERIAL_STDIO);
    assert_true(cfg.hvm.serials[1] == XL_SERIAL_NONE && cfg.hvm.serials[2] == XL_SERIAL_PTY);
    assert_int_equal(cfg.hvm.vga, XL_VGA_STDVGA);
    assert_null(cfg.warnings);
    xl_config_free(&cfg);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[200];

        snprintf(text, sizeof(text), HVM "%s\n", wrong[i][0]);
        expect_failure(text, wrong[i][1]);
    }
}

static void test_timer_mode(void **state)
{
    static const char *const names[] = { "delay_for_missed_ticks", "no_delay_for_missed_ticks",
                                         "no_missed_ticks_pending", "one_missed_tick_pending" };

    for (unsigned int i = 0; i < 4; i++) {
        struct xl_config cfg;
        char text[100];

        snprintf(text, sizeof(text), PVH "timer_mode = '%s'\n", names[i]);
        parse_ok(&cfg, text);
        assert_int_equal(cfg.hvm.timer_mode, i);
        assert_null(cfg.warnings);
        xl_config_free(&cfg);
        snprintf(text, sizeof(text), PVH "timer_mode = %u\n", i);
        parse_ok(&cfg, text);
        assert_int_equal(cfg.hvm.timer_mode, i);
        assert_non_null(strstr(cfg.warnings, "guest.cfg:3: warning: timer_mode as a number is deprecated"));
        xl_config_free(&cfg);
    }
    expect_failure(PVH "timer_mode = 4\n", "timer_mode: expected delay_for_missed_ticks");
    expect_failure(PVH "timer_mode = 'soon'\n", "timer_mode: expected delay_for_missed_ticks");
}

static void test_technique(void **state)
{
    static const char *const names[] = { "hardware", "emulate", "ring1", "translate" };
    struct xl_config cfg;
    char text[100];

    for (unsigned int i = 0; i < 4; i++) {
        snprintf(text, sizeof(text), PVH "technique = '%s'\n", names[i]);
        parse_ok(&cfg, text);
        assert_int_equal(cfg.hvm.technique, i + 1);
        assert_null(cfg.warnings);
        xl_config_free(&cfg);
    }
    parse_ok(&cfg, PVH);
    assert_int_equal(cfg.hvm.technique, XL_TECHNIQUE_NONE);
    xl_config_free(&cfg);
    expect_failure(PVH "technique = 'trap'\n", "technique: expected hardware, emulate, ring1 or translate");
    expect_failure(HVM "technique = 1\n", "technique: expected hardware, emulate, ring1 or translate");
    parse_ok(&cfg, "kernel = 'k'\ntechnique = 'ring1'\n");
    assert_string_equal(cfg.warnings, "guest.cfg:2: warning: technique is for PVH and HVM guests and is ignored\n");
    xl_config_free(&cfg);
}

static void test_shadow_policy(void **state)
{
    static const char *const names[] = { "emulate", "drop", "oos" };
    struct xl_config cfg;
    char text[100];

    for (unsigned int i = 0; i < 3; i++) {
        snprintf(text, sizeof(text), PVH "hap = 0\nshadow_policy = '%s'\n", names[i]);
        parse_ok(&cfg, text);
        assert_int_equal(cfg.hvm.shadow_policy, i);
        assert_null(cfg.warnings);
        xl_config_free(&cfg);
    }
    parse_ok(&cfg, PVH "hap = 0\n");
    assert_int_equal(cfg.hvm.shadow_policy, XL_SHADOW_EMULATE);
    xl_config_free(&cfg);
    expect_failure(PVH "hap = 0\nshadow_policy = 'lazy'\n", "shadow_policy: expected drop");
    expect_failure(PVH "hap = 0\nshadow_policy = 1\n", "shadow_policy: expected drop");
    expect_failure(PVH "shadow_policy = 'drop'\n", "shadow_policy: wants hap = 0");
    expect_failure(HVM "shadow_policy = 'drop'\nhap = 1\n", "shadow_policy: wants hap = 0");
    parse_ok(&cfg, "kernel = 'k'\nshadow_policy = 'drop'\n");
    assert_string_equal(cfg.warnings, "guest.cfg:2: warning: shadow_policy is for PVH and HVM guests and is ignored\n");
    xl_config_free(&cfg);
}

/* Accepted in every spelling, with a note if the guest would have had something of it. */
static void test_not_offered(void **state)
{
    static const char *const notes[] = { "nestedhvm = 1",
                                         "nestedhvm = '1'",
                                         "viridian = 1",
                                         "viridian = '1'",
                                         "viridian = [ 'all' ]",
                                         "viridian = [ 'defaults' ]",
                                         "viridian = [ 'all', '!freq' ]",
                                         "viridian = [ 'base', 'freq', 'time_ref_count', 'reference_tsc' ]",
                                         "viridian = [ 'hcall_remote_tlb_flush', 'apic_assist', 'crash_ctl' ]",
                                         "viridian = [ 'synic', 'stimer', 'hcall_ipi', 'ex_processor_masks' ]",
                                         "viridian = [ 'no_vp_limit', 'cpu_hotplug' ]",
                                         "nestedhvm = 0",
                                         "viridian = 0",
                                         "viridian = [ ]",
                                         "viridian = [ '!base' ]" };
    static const char *const wrong[] = {
        "viridian = [ 'windows' ]", "viridian = [ '!all' ]", "viridian = [ '' ]",
        "viridian = 'all'",         "nestedhvm = 'on'",      "viridian = [ [ 'all' ] ]"
    };

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        struct xl_config cfg;
        char text[200];

        snprintf(text, sizeof(text), HVM "%s\n", notes[i]);
        parse_ok(&cfg, text);
        assert_int_equal(cfg.warnings != NULL, i < 11);
        if (i < 11)
            assert_non_null(strstr(cfg.warnings, " is accepted, but "));
        xl_config_free(&cfg);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[200];

        snprintf(text, sizeof(text), HVM "%s\n", wrong[i]);
        expect_failure(text, "expected ");
    }
}

/* What a guest of another type is told; the values are there all the same. */
static void test_other_types(void **state)
{
    static const char *const both[] = { "hap", "acpi", "nestedhvm", "shadow_memory", "timer_mode" };
    static const char *const hvm[][2] = {
        { "firmware_override", "'/x'" },
        { "bios", "'ovmf'" },
        { "bios_path_override", "'/x'" },
        { "firmware", "'bios'" },
        { "boot", "'c'" },
        { "serial", "'pty'" },
        { "serial", "[ 'pty' ]" },
        { "vga", "'none'" },
        { "stdvga", "1" },
        { "videoram", "8" },
        { "mmio_hole", "512" },
        { "localtime", "1" },
        { "rtc_timeoffset", "1" },
        { "apic", "0" },
        { "viridian", "1" },
        { "viridian", "[ 'all' ]" },
    };
    static const char *const pvh[] = { "pvshim = 1", "pvshim_path = '/x'", "pvshim_cmdline = 'c'",
                                       "pvshim_extra = 'e'" };
    struct xl_config cfg;
    char text[200], expected[200];

    for (size_t i = 0; i < 2 * sizeof(pvh) / sizeof(pvh[0]); i++) {
        snprintf(text, sizeof(text), "%s%s\n", i % 2 ? HVM : KERNEL, pvh[i / 2]);
        parse_ok(&cfg, text);
        snprintf(expected, sizeof(expected), "guest.cfg:2: warning: %.*s is for PVH guests and is ignored\n",
                 (int)strcspn(pvh[i / 2], " "), pvh[i / 2]);
        assert_string_equal(cfg.warnings, expected);
        xl_config_free(&cfg);
    }
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
        snprintf(text, sizeof(text), KERNEL "%s = 1\n", both[i]);
        parse_ok(&cfg, text);
        snprintf(expected, sizeof(expected), "guest.cfg:2: warning: %s is for PVH and HVM guests and is ignored\n",
                 both[i]);
        assert_memory_equal(cfg.warnings, expected, strlen(expected));
        xl_config_free(&cfg);
    }
    for (size_t i = 0; i < sizeof(hvm) / sizeof(hvm[0]); i++) {
        for (unsigned int pvh = 0; pvh < 2; pvh++) {
            snprintf(text, sizeof(text), "%s%s = %s\n", pvh ? PVH : KERNEL, hvm[i][0], hvm[i][1]);
            parse_ok(&cfg, text);
            snprintf(expected, sizeof(expected), "guest.cfg:%u: warning: %s is for HVM guests and is ignored\n",
                     pvh + 2, hvm[i][0]);
            assert_string_equal(cfg.warnings, expected);
            xl_config_free(&cfg);
        }
    }
    parse_ok(&cfg, KERNEL "firmware_override = '/x'\nhap = 0\n");
    assert_string_equal(cfg.hvm.firmware, "/x");
    assert_false(cfg.hvm.hap);
    xl_config_free(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_cds),     cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),         cmocka_unit_test(test_shim),
        cmocka_unit_test(test_firmware),      cmocka_unit_test(test_kernel_hvmloader),
        cmocka_unit_test(test_devices),       cmocka_unit_test(test_timer_mode),
        cmocka_unit_test(test_not_offered),   cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_shadow_policy), cmocka_unit_test(test_technique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
