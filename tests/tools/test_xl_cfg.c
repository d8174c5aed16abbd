// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg files: what each setting means, and the files that it names.
 *
 * Budget: a short test a key.
 */
#include "tests/support/file.h"
#include "tests/tools/xl_cfg.h"

/* ------------------------------------------------------------------------------------------------- what it means -- */

static void test_all_keys(void **state)
{
    static const uint8_t uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                      0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
    struct xl_config cfg;

    parse_ok(&cfg, "# a guest\n"
                   "name = \"first\"\n"
                   "type = 'pvh'\n"
                   "kernel = '/boot/vmlinuz' ; ramdisk = \"/boot/initrd\"\n"
                   "cmdline = \"console=hvc0 # no comment ; here\"\n"
                   "memory = 0x80\n"
                   "maxmem = '256'\n"
                   "vcpus = 2\n"
                   "maxvcpus = 4\n"
                   "tsc_mode = 'always_emulate'\n"
                   "max_event_channels = 10\n"
                   "max_grant_frames = 5\n"
                   "max_maptrack_frames = '6'\n"
                   "on_poweroff = 'preserve'\n"
                   "on_reboot = \"rename-restart\"\n"
                   "on_crash = 'coredump-restart'\n"
                   "on_watchdog = 'coredump-destroy'\n"
                   "on_soft_reset = 'destroy'\n"
                   "uuid = '01234567-89ab-cdef-0123-456789ABCDEF'\n");
    assert_string_equal(cfg.name, "first");
    assert_true(cfg.has_type && cfg.type == XL_TYPE_PVH);
    assert_string_equal(cfg.kernel, "/boot/vmlinuz");
    assert_string_equal(cfg.ramdisk, "/boot/initrd");
    assert_string_equal(cfg.cmdline, "console=hvc0 # no comment ; here");
    assert_true(cfg.memory_mib == 128 && cfg.maxmem_mib == 256 && cfg.vcpus == 2 && cfg.maxvcpus == 4);
    assert_int_equal(cfg.tsc_mode, TSC_MODE_ALWAYS_EMULATE);
    assert_true(cfg.limits.event_channels == 10 && cfg.limits.grant_frames == 5 && cfg.limits.maptrack_frames == 6);
    assert_int_equal(cfg.on_poweroff, XL_ACTION_PRESERVE);
    assert_int_equal(cfg.on_reboot, XL_ACTION_RENAME_RESTART);
    assert_int_equal(cfg.on_crash, XL_ACTION_COREDUMP_RESTART);
    assert_int_equal(cfg.on_watchdog, XL_ACTION_COREDUMP_DESTROY);
    assert_int_equal(cfg.on_soft_reset, XL_ACTION_DESTROY);
    assert_true(cfg.has_uuid);
    assert_memory_equal(cfg.uuid, uuid, sizeof(uuid));
    assert_null(cfg.warnings);
    xl_config_free(&cfg);
    xl_config_free(&cfg);
}

static void test_defaults(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL);
    assert_true(!cfg.name && !cfg.ramdisk && !cfg.cmdline && !cfg.has_type && cfg.type == XL_TYPE_PV && !cfg.has_uuid);
    assert_true(cfg.memory_mib == 0 && cfg.maxmem_mib == 0 && cfg.vcpus == 0 && cfg.maxvcpus == 0);
    assert_true(cfg.on_poweroff == XL_ACTION_DESTROY && cfg.on_reboot == XL_ACTION_RESTART);
    assert_true(cfg.on_crash == XL_ACTION_DESTROY && cfg.on_watchdog == XL_ACTION_DESTROY);
    assert_true(cfg.on_soft_reset == XL_ACTION_SOFT_RESET && cfg.tsc_mode == TSC_MODE_DEFAULT && !cfg.warnings);
    xl_config_free(&cfg);

    parse_ok(&cfg, "type = 'hvm'"); /* firmware stands in for the kernel; no newline at the end */
    assert_null(cfg.kernel);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "memory = 1\nmemory = 2 # the last one counts");
    assert_int_equal(cfg.memory_mib, 2);
    xl_config_free(&cfg);
}

static void test_builder(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, "builder = 'hvm'\n");
    assert_true(cfg.has_type && cfg.type == XL_TYPE_HVM);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "builder = 'generic'\n");
    assert_true(cfg.has_type && cfg.type == XL_TYPE_PV);
    xl_config_free(&cfg);
    parse_ok(&cfg, "builder = 'hvm'\ntype='hvm'\n");
    xl_config_free(&cfg);
    expect_error("builder = 'hvm'\ntype='pv'\n", "guest.cfg:1: builder: \"hvm\" contradicts type = \"pv\"");
    expect_error("builder = 'x'\n",
                 "guest.cfg:1: builder: expected generic or hvm (type is its newer name), got \"x\"");
}

static void test_cmdline(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL "root = '/dev/xvda1 ro'\nextra = 'quiet'\n");
    assert_string_equal(cfg.cmdline, "root=/dev/xvda1 ro quiet");
    assert_null(cfg.warnings);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "root = '/dev/xvda1'\n");
    assert_string_equal(cfg.cmdline, "root=/dev/xvda1");
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "extra = 'a'\nextra += ' b'\n");
    assert_string_equal(cfg.cmdline, "a b");
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "extra = 'a'\ncmdline = 'c'\n");
    assert_string_equal(cfg.cmdline, "c");
    assert_string_equal(cfg.warnings, "guest.cfg:3: warning: cmdline is set: ignoring root= and extra=\n");
    xl_config_free(&cfg);
    parse_ok(&cfg, "tsc_mode = 2\n" KERNEL);
    assert_int_equal(cfg.tsc_mode, TSC_MODE_NEVER_EMULATE);
    assert_string_equal(
        cfg.warnings, "guest.cfg:1: warning: a number is deprecated; the names are default, always_emulate, native\n");
    xl_config_free(&cfg);
}

static void expect_number(const struct xl_config *cfg, enum xl_sched_key key, const char *where, uint32_t value)
{
    assert_non_null(cfg->sched.number[key].where);
    assert_string_equal(cfg->sched.number[key].where, where);
    assert_int_equal(cfg->sched.number[key].value, value);
}

static void test_scheduling(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL "cpu_weight = 512\ncap = '0'\nperiod = 5000\nbudget = 2000\nextratime = 1\n"
                          "cpus = '0-3,^1'\ncpus_soft = [ '2', 'all,^0', '0, node:0' ]\npool = 'rt'\n");
    expect_number(&cfg, XL_SCHED_WEIGHT, "guest.cfg:2: cpu_weight", 512);
    expect_number(&cfg, XL_SCHED_CAP, "guest.cfg:3: cap", 0);
    expect_number(&cfg, XL_SCHED_PERIOD, "guest.cfg:4: period", 5000);
    expect_number(&cfg, XL_SCHED_BUDGET, "guest.cfg:5: budget", 2000);
    expect_number(&cfg, XL_SCHED_EXTRATIME, "guest.cfg:6: extratime", 1);
    assert_true(cfg.sched.hard.nr == 1 && !cfg.sched.hard.each);
    assert_int_equal(cfg.sched.hard.cpus[0].mask, 0xd);
    assert_int_equal(cfg.sched.hard.cpus[0].highest, 3);
    assert_string_equal(cfg.sched.soft.where, "guest.cfg:8: cpus_soft");
    assert_true(cfg.sched.soft.nr == 3 && cfg.sched.soft.each);
    assert_int_equal(cfg.sched.soft.cpus[0].mask, 4);
    assert_true(cfg.sched.soft.cpus[1].mask == ~UINT64_C(1) && cfg.sched.soft.cpus[2].mask == ~UINT64_C(0));
    assert_string_equal(cfg.sched.pool, "rt");
    assert_null(cfg.warnings);
    xl_config_free(&cfg);

    parse_ok(&cfg, KERNEL "cpus = 2\ncpus_soft = []\n");
    assert_int_equal(cfg.sched.hard.cpus[0].mask, 4);
    assert_true(cfg.sched.soft.each && cfg.sched.soft.nr == 0);
    assert_null(cfg.sched.number[XL_SCHED_CAP].where);
    xl_config_free(&cfg);
}

/* What --cap and its like say counts more than the file; the rest stays as it was. */
static void test_scheduling_override(void **state)
{
    struct xl_sched file = { 0 }, line = { 0 };
    const struct xl_cpus cpus = { .mask = 6, .highest = 2 };

    assert_true(xl_sched_set_number(&file, XL_SCHED_WEIGHT, "f", 100) &&
                xl_sched_set_number(&file, XL_SCHED_CAP, "f", 50) && xl_sched_set_pool(&file, "f", "a"));
    assert_true(xl_sched_set_number(&line, XL_SCHED_CAP, "--cap", 0) &&
                xl_sched_set_affinity(&line.hard, "--cpus", false, &cpus, 1));
    assert_true(xl_sched_override(&file, &line));
    assert_int_equal(file.number[XL_SCHED_WEIGHT].value, 100);
    assert_int_equal(file.number[XL_SCHED_CAP].value, 0);
    assert_string_equal(file.number[XL_SCHED_CAP].where, "--cap");
    assert_int_equal(file.hard.cpus[0].mask, 6);
    assert_string_equal(file.pool, "a");
    xl_sched_free(&line);
    xl_sched_free(&file);
}

/* xl's items, from left to right; what cannot be one says what can. */
/* Both forms; how each is read is tested in test_cpuid.c. */
static void test_cpuid(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL);
    assert_null(cfg.cpuid.where);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "cpuid = 'host,sse3=0'\n");
    assert_string_equal(cfg.cpuid.where, "guest.cfg:2: cpuid");
    assert_int_equal(cfg.cpuid.nr, 1);
    assert_int_equal(cfg.cpuid.leaf[0].reg[2][31], '0');
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "cpuid = [ '1:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0',\n"
                          "          '7,0:ebx=0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' ]\n");
    assert_int_equal(cfg.cpuid.nr, 2);
    assert_int_equal(cfg.cpuid.leaf[1].subleaf, 0);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "cpuid = []\n");
    assert_int_equal(cfg.cpuid.nr, 0);
    xl_config_free(&cfg);
    expect_error(KERNEL "cpuid = 'sse3=0'\n", "guest.cfg:2: cpuid: the first word is to be \"host\", got \"sse3=0\"");
    expect_error(KERNEL "\ncpuid = 'host,sse3=2'\n",
                 "guest.cfg:3: cpuid: sse3 is to be a number from 0 to 1, or x, k or s, not \"2\"");
    expect_error(KERNEL "cpuid = [ '1:ecx=x' ]\n",
                 "guest.cfg:2: cpuid: expected 32 characters, each of 0, 1, x, k and s, for ecx, got \"x\"");
    expect_error(KERNEL "cpuid = [ ['1'] ]\n", "guest.cfg:2: cpuid: expected a list of strings, got a list in it");
}

static void test_cpu_lists(void **state)
{
    static const struct {
        const char *text;
        uint64_t mask; /* 0: refused */
    } cases[] = {
        { "0", 1 },
        { "0,2", 5 },
        { " 0 , 2-3 ", 0xd },
        { "^1,0-3", 0xf },
        { "0-3,^1", 0xd },
        { "0-3,^1-2,1", 0xb },
        { "all", ~UINT64_C(0) },
        { "all,^1", ~UINT64_C(2) },
        { "63", UINT64_C(1) << 63 },
        { "1-99", ~UINT64_C(1) },
        { "nodes:0,^node:0,5", 32 },
        { "nodes:all", ~UINT64_C(0) },
        { "007", 128 },
        { "", 0 },
        { ",", 0 },
        { "0,", 0 },
        { "0,,1", 0 },
        { "^0", 0 },
        { "^all", 0 },
        { "0 1", 0 },
        { "3-1", 0 },
        { "1-", 0 },
        { "-1", 0 },
        { "0x1", 0 },
        { "allx", 0 },
        { "node:1", 0 },
        { "nodes:0-1", 0 },
        { "node:", 0 },
        { "x", 0 },
        { "1;2", 0 },
    };
    struct xl_cpus cpus;
    char why[256];

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        why[0] = 0;
        if (xl_cpus_parse(cases[i].text, &cpus, why, sizeof(why)) != (cases[i].mask != 0) ||
            (cases[i].mask && cpus.mask != cases[i].mask) || (!cases[i].mask && !strstr(why, cases[i].text)))
            fail_msg("\"%s\" gives %llx (%s)", cases[i].text, (unsigned long long)cpus.mask, why);
    }
    assert_true(xl_cpus_parse("99999999999999999999", &cpus, why, sizeof(why))); /* a pCPU that no machine has */
    assert_true(cpus.mask == 0 && cpus.highest == UINT32_MAX);
}

/* 0 is not the same for each of the three: none for maptrack, and the default for event channels. */
static void test_limits_of_none(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL);
    assert_false(cfg.limits.no_maptrack);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "max_maptrack_frames = 0\nmax_event_channels = 0\n");
    assert_true(cfg.limits.no_maptrack && cfg.limits.maptrack_frames == 0 && cfg.limits.event_channels == 0);
    xl_config_free(&cfg);
}

/* Other keys of xl are no misspellings, however near they are. */
static void test_misspelt(void **state)
{
    static const char *const keys[][2] = {
        { "vcpu", "vcpus" },
        { "kernal", "kernel" },
        { "ramdsik", "ramdisk" },
        { "cmd_line", "cmdline" },
        { "on_reeboot", "on_reboot" },
        { "maxgrant_frames", "max_grant_frames" },
        { "cpu_wieght", "cpu_weight" },
        { "cpusoft", "cpus_soft" },
        { "nmae", "name" },
        { "usb", NULL },
        { "max_grant_version", NULL },
        { "oos", NULL },
        { "slice", NULL },
        { "nothing_like_it", NULL },
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[128], expected[160];
        struct xl_config cfg;

        snprintf(text, sizeof(text), KERNEL "%s = 1\n", keys[i][0]);
        if (keys[i][1])
            snprintf(expected, sizeof(expected),
                     "guest.cfg:2: warning: %s is no key and is ignored; did you mean %s?\n", keys[i][0], keys[i][1]);
        else
            snprintf(expected, sizeof(expected), "guest.cfg:2: warning: %s means nothing here yet and is ignored\n",
                     keys[i][0]);
        parse_ok(&cfg, text);
        assert_string_equal(cfg.warnings, expected);
        xl_config_free(&cfg);
    }
}

/* Every beginning, of three letters or more, that fits one key only, and is no key of xl's. */
static void test_beginnings(void **state)
{
    static const char *const keys[] = {
        "name",
        "type",
        "builder",
        "kernel",
        "ramdisk",
        "cmdline",
        "root",
        "extra",
        "memory",
        "maxmem",
        "vcpus",
        "maxvcpus",
        "cpu_weight",
        "cap",
        "period",
        "budget",
        "extratime",
        "cpus",
        "cpus_soft",
        "pool",
        "on_poweroff",
        "on_reboot",
        "on_crash",
        "on_watchdog",
        "on_soft_reset",
        "tsc_mode",
        "cpuid",
        "uuid",
        "max_event_channels",
        "max_grant_frames",
        "max_maptrack_frames",
    };
    const size_t nr = sizeof(keys) / sizeof(keys[0]);
    unsigned int tried = 0;

    for (size_t i = 0; i < nr; i++)
        for (size_t len = 3; len < strlen(keys[i]); len++) {
            char text[128], says[128];
            struct xl_config cfg;
            size_t fits = 0;

            for (size_t k = 0; k < nr; k++)
                fits += !strncmp(keys[i], keys[k], len);
            if (fits > 1)
                continue;
            snprintf(text, sizeof(text), KERNEL "%.*s = 1\n", (int)len, keys[i]);
            snprintf(says, sizeof(says), "; did you mean %s?", keys[i]);
            parse_ok(&cfg, text);
            if (!strstr(cfg.warnings, says))
                fail_msg("%s: %s", text, cfg.warnings);
            xl_config_free(&cfg);
            tried++;
        }
    assert_true(tried > 90);
}

static void test_where(void **state)
{
    char where[XL_WHERE_SIZE];
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL "\nmemory = 3; memory = 5\n\nmemory = 9");
    assert_string_equal(xl_where(&cfg.where, "memory", where), "guest.cfg:5: memory: ");
    assert_string_equal(xl_where(&cfg.where, "vcpus", where), "");
    assert_string_equal(xl_where(NULL, "memory", where), "");
    xl_where_note(&cfg.where, "memory", "--memory", 0);
    xl_where_note(&cfg.where, "vcpus", "--vcpus", 0);
    assert_string_equal(xl_where(&cfg.where, "memory", where), "--memory: ");
    assert_string_equal(xl_where(&cfg.where, "vcpus", where), "--vcpus: ");
    xl_config_free(&cfg);
}

static void test_unknown_keys(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL "pci = [ '00:1f.2', # memory = 3\n"
                          "         [ 'nested' ] ] ; vscsi = [ '' ]\n"
                          "s = \"a\\\"; x = 1\"\n"
                          "vscsi += [ 'x' ]\n"
                          "memroy=5\n");
    assert_int_equal(cfg.memory_mib, 0);
    assert_string_equal(cfg.warnings, "guest.cfg:2: warning: pci means nothing here yet and is ignored\n"
                                      "guest.cfg:4: warning: s means nothing here yet and is ignored\n"
                                      "guest.cfg:5: warning: vscsi means nothing here yet and is ignored\n"
                                      "guest.cfg:6: warning: memroy is no key and is ignored; did you mean memory?\n");
    xl_config_free(&cfg);
}

/* --------------------------------------------------------------------------------------------------------- disks -- */

static void test_disks(void **state)
{
    struct xl_config cfg;

    parse_ok(&cfg, KERNEL "disk = [ '/d/root.img,raw,xvda,w', 'phy:/d/swap,sda2,r',\n"
                          "         'format=raw, vdev=hdc, devtype=cdrom, access=ro, target=/d/a, b.iso' ]\n");
    assert_int_equal(cfg.disks.nr, 3);
    assert_string_equal(cfg.disks.list[0].path, "/d/root.img");
    assert_string_equal(cfg.disks.list[0].vdev, "xvda");
    assert_true(!cfg.disks.list[0].readonly && !cfg.disks.list[0].cdrom && cfg.disks.list[0].discard);
    assert_string_equal(cfg.disks.list[1].path, "/d/swap");
    assert_true(cfg.disks.list[1].readonly && cfg.disks.list[1].devid == 8 * 256 + 2);
    assert_string_equal(cfg.disks.list[2].path, "/d/a, b.iso");
    assert_true(cfg.disks.list[2].readonly && cfg.disks.list[2].cdrom && cfg.disks.list[2].devid == 22 * 256);
    xl_config_free(&cfg);
    expect_error(KERNEL "disk = '/d,xvda,w'", "guest.cfg:2: disk: expected a list of strings, [ \"FILE,raw,xvda,w\" ]");
    expect_error(KERNEL "disk = [ [ '/d,xvda,w' ] ]",
                 "guest.cfg:2: disk: expected a list of strings, got a list in it");
    expect_error(KERNEL "\ndisk = [ 'bzip2://h/d,raw,xvda,r' ]",
                 "guest.cfg:3: disk: unknown deprecated disk prefix: near `bzip2:' in `bzip2://h/d,raw,xvda,r'");
    expect_error(
        KERNEL "\ndisk = [ 'format=raw,vdev=xvda,target=ssh://h/d' ]",
        "guest.cfg:3: disk: ssh://h/d is no URL for a disk: nbd, nbd+unix, nbds, https, http, ftp and sftp are");
    expect_error(KERNEL "\ndisk = [ 'nbd://h/d,vmdk,xvda,w' ]",
                 "guest.cfg:3: disk: nbd://h/d: what a server gives is raw, and not vmdk");
    expect_error(KERNEL "\ndisk = [ '/d,vmdkk,xvda,w' ]",
                 "guest.cfg:3: disk: unknown value for format: near `vmdkk' in `/d,vmdkk,xvda,w'");
    expect_error(KERNEL "disk = [ '/d,raw,xvda,x' ]",
                 "guest.cfg:2: disk: unknown value for access: near `x' in `/d,raw,xvda,x'");
    expect_error(KERNEL "disk = [ '/d,raw,foo,w' ]",
                 "guest.cfg:2: disk: expected a name such as xvda, hdb or sdc1, got \"foo\"");
    expect_error(KERNEL "disk = [ '/d,raw,xvda,w', '/e,raw,xvda,w' ]",
                 "guest.cfg:2: disk: there is a disk xvda already");
    expect_error(
        KERNEL "disk = [ ',,xvde:cdrom' ]",
        "guest.cfg:2: disk: an empty drive can only be a CD drive of an HVM guest, hda to hdd, from its start: "
        "name a file");
    expect_error(KERNEL "disk = [ 'script=block-x,vdev=xvda,access=w,target=/d' ]",
                 "guest.cfg:2: disk: script=block-x: scripts are not run");
    expect_error(KERNEL "disk = [ '/d,raw,xvda,w,specification=virtio' ]",
                 "guest.cfg:2: disk: specification=virtio: disks are Xen's here");
    expect_error(KERNEL "disk = [ '/d,raw,xvda,w,backendtype=standalone' ]",
                 "guest.cfg:2: disk: specification=virtio: disks are Xen's here");
    expect_error(KERNEL "disk = [ '/d,raw,xvda,w,colo,colo-host=h,colo-port=1,colo-export=e' ]",
                 "guest.cfg:2: disk: colo is not supported");
}

/* Words that xl-disk-configuration(5) has and libxlutil of Xen 4.17 has not; spaces before words. */
static void test_disk_trust(void **state)
{
    static const struct {
        const char *spec;
        bool untrusted;
    } specs[] = {
        { "/d,raw,xvda,w", false },
        { "/d,raw,xvda,w,trusted", false },
        { "/d,raw,xvda,w,untrusted", true },
        { "untrusted, vdev=xvda, format=vmdk, speed=hdd, target=/d", true },
        { " /d, untrusted, vmdk, xvda, w, speed=hdd", true },
        { "vdev=xvda, target=/d,untrusted", false }, /* a part of the path */
        { "vdev=xvda, target=/d, vmdk", false },
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        const bool ours = strstr(specs[i].spec, "vmdk,"), long_path = strstr(specs[i].spec, "=/d,");
        struct xl_disks disks = { 0 };
        char why[XL_DISK_WHY_SIZE] = "";

        if (!xl_disks_add(&disks, specs[i].spec, why))
            fail_msg("%s: %s", specs[i].spec, why);
        assert_int_equal(disks.list[0].untrusted, specs[i].untrusted);
        assert_int_equal(disks.list[0].format, ours ? XL_DISK_VMDK : XL_DISK_RAW);
        assert_int_equal(disks.list[0].speed, ours ? DISK_HDD : DISK_SSD);
        assert_string_equal(disks.list[0].path, long_path ? strchr(specs[i].spec, '/') : "/d");
        xl_disks_free(&disks);
    }
}

/* ------------------------------------------------------------------------------------------------- network cards -- */

/* xl-network-configuration(5) */
static void test_vifs(void **state)
{
    static const struct {
        const char *spec, *why;
    } wrong[] = {
        { "mac=00:16:3e", "mac=00:16:3e: expected an address such as 00:16:3e:01:02:03" },
        { "mac=01:16:3e:00:00:01", "mac=01:16:3e:00:00:01: it is a group's, a card's first byte is even" },
        { "bridge=", "bridge=: expected a name of 1 to 15 characters, without / and :" },
        { "vifname=a/b", "vifname=a/b: expected a name of 1 to 15 characters, without / and :" },
        { "rate=fast", "rate=fast: expected a rate such as 10Mb/s or 1MB/s@20ms" },
        { "script=vif-route", "script=vif-route: scripts are not run; what vif-bridge does is done without" },
        { "type=x", "type=x: expected vif or ioemu" },
        { "mtu=67", "mtu=67: expected a number, 68 to 65521" },
        { "devid=65536", "devid=65536: expected a number, 0 to 65535" },
        { "devid=3", "devid=3: there is a card with this number already" },
        { "trusted=0", "there is no trusted= of a network card" },
        { "netdev=eth0", "netdev is not supported" },
        { "gatewaydev=eth0", "gatewaydev is not supported" },
        { "colo_x=1", "colo_x is not supported" },
        { "backend=a123456789a123456789a123456789a123456789a123456789a123456789a123",
          "backend=a123456789a123456789a123456789a123456789a123456789a123456789a123...: no domain has so long a name" },
        { "xenbr1", "expected NAME=VALUE, got \"xenbr1\"" },
        { "brigde=x", "there is no brigde= of a network card" },
        { "hostfwd=tcp::80-:80", "hostfwd=: only the bridge user has an outside" },
        { "hostfwd=tcp::0-:80", "hostfwd=tcp::0-:80: expected such as tcp:127.0.0.1:8080-10.0.2.15:80" },
        { "hostfwd=tcp:host:80-:80", "hostfwd=tcp:host:80-:80: expected such as tcp:127.0.0.1:8080-10.0.2.15:80" },
        { "hostfwd=icmp::80-:80", "hostfwd=icmp::80-:80: expected such as tcp:127.0.0.1:8080-10.0.2.15:80" },
        { "hostfwd=tcp::80", "hostfwd=tcp::80: expected such as tcp:127.0.0.1:8080-10.0.2.15:80" },
        { "tftp=/srv", "tftp=: only the bridge user has an outside" },
        { "bootfile=a", "bootfile=: only the bridge user has an outside" },
        { "bridge=user,tftp=", "tftp=: expected 1 to 255 characters" },
        { "bridge=user,bootfile=", "bootfile=: expected 1 to 127 characters" },
        { "hostfwd=tcp::80-:65536", "hostfwd=tcp::80-:65536: expected such as tcp:127.0.0.1:8080-10.0.2.15:80" },
    };
    struct xl_config cfg;
    char line[256], says[256];

    parse_ok(&cfg,
             KERNEL "vif = [ '', 'mac=00:16:3E:aA:02:03, bridge=br1 ,vifname=tap0,model=e1000,type=vif,trusted',\n"
                    "  'rate=1MB/s@20ms,ip=10.0.0.1 10.0.0.2,mtu=9000,untrusted,devid=7,backend=Domain-0',\n"
                    "  'script=/etc/xen/scripts/vif-bridge' ]\n");
    assert_int_equal(cfg.vifs.nr, 4);
    assert_true(!cfg.vifs.list[0].has_mac && cfg.vifs.list[0].mtu == 1500 && cfg.vifs.list[0].devid == 0);
    assert_string_equal(cfg.vifs.list[0].bridge, "xenbr0");
    assert_string_equal(cfg.vifs.list[1].bridge, "br1");
    assert_string_equal(cfg.vifs.list[1].vifname, "tap0");
    assert_memory_equal(cfg.vifs.list[1].mac, ((uint8_t[]){ 0, 0x16, 0x3e, 0xaa, 2, 3 }), 6);
    assert_true(cfg.vifs.list[2].rate_bytes == 20000 && cfg.vifs.list[2].rate_interval_us == 20000);
    assert_true(cfg.vifs.list[2].mtu == 9000 && cfg.vifs.list[2].untrusted && !cfg.vifs.list[1].untrusted &&
                cfg.vifs.list[2].devid == 7);
    assert_string_equal(cfg.vifs.list[2].ip, "10.0.0.1 10.0.0.2");
    assert_int_equal(cfg.vifs.list[3].devid, 2);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "vif = [ 'bridge=user,hostfwd=udp:10.1.2.3:5353-10.0.2.16:53,hostfwd=tcp::8080-:80' ]\n");
    assert_int_equal(cfg.vifs.list[0].nr_forwards, 2);
    assert_memory_equal(&cfg.vifs.list[0].forward[0].host_addr, "\x0a\x01\x02\x03", 4);
    assert_memory_equal(&cfg.vifs.list[0].forward[0].guest_addr, "\x0a\x00\x02\x10", 4);
    assert_true(cfg.vifs.list[0].forward[0].udp && cfg.vifs.list[0].forward[0].host_port == 5353 &&
                cfg.vifs.list[0].forward[0].guest_port == 53);
    assert_memory_equal(&cfg.vifs.list[0].forward[1].host_addr, "\x7f\x00\x00\x01", 4);
    assert_memory_equal(&cfg.vifs.list[0].forward[1].guest_addr, "\x0a\x00\x02\x0f", 4);
    assert_true(!cfg.vifs.list[0].forward[1].udp && cfg.vifs.list[0].forward[1].host_port == 8080);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "vif = [ 'bridge=user,tftp=some/where,bootfile=http://10.0.2.2/a.ipxe' ]\n");
    assert_string_equal(cfg.vifs.list[0].tftp, "some/where");
    assert_string_equal(cfg.vifs.list[0].bootfile, "http://10.0.2.2/a.ipxe");
    xl_config_free(&cfg);
    expect_error(KERNEL "vif = 'bridge=x'", "guest.cfg:2: vif: expected a list of strings, [ \"bridge=xenbr0\" ]");
    expect_error(KERNEL "vif = [ [ 'bridge=x' ] ]", "guest.cfg:2: vif: expected a list of strings, got a list in it");
    expect_error(KERNEL "vif = [ '', '', '', '', '', '', '', '', '' ]", "guest.cfg:2: vif: more than 8 network cards");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(line, sizeof(line), KERNEL "vif = [ 'devid=3', '%s' ]", wrong[i].spec);
        snprintf(says, sizeof(says), "guest.cfg:2: vif: %s", wrong[i].why);
        expect_error(line, says);
    }
}

/* p9 of xl.cfg(5) */
static void test_p9s(void **state)
{
    static const struct {
        const char *spec, *why;
    } wrong[] = {
        { "tag=a", "path= is missing" },
        { "path=/srv", "tag= is missing" },
        { "tag=,path=/srv", "tag=: expected 1 to 31 characters" },
        { "tag=first,path=/srv", "tag=first: there is a folder with this tag already" },
        { "tag=a,path=/srv,security_model=mapped", "security_model=mapped: only none is supported" },
        { "tag=a,path=/srv,backend=net", "backend=net: only dom0 shares folders" },
        { "tag=a,path=/srv,rw", "expected NAME=VALUE, got \"rw\"" },
        { "tag=a,pfad=/srv", "there is no pfad= of a shared folder" },
    };
    struct xl_config cfg;
    char line[256], says[256];

    parse_ok(&cfg,
             KERNEL "p9 = [ 'tag=a,path=/srv/a,security_model=none', ' path = /srv/b , tag = b,security-model=none,"
                    "backend=0' ]\n");
    assert_int_equal(cfg.p9s.nr, 2);
    assert_string_equal(cfg.p9s.list[0].tag, "a");
    assert_string_equal(cfg.p9s.list[0].path, "/srv/a");
    assert_string_equal(cfg.p9s.list[1].tag, "b");
    assert_string_equal(cfg.p9s.list[1].path, "/srv/b");
    assert_true(!cfg.p9s.list[0].readonly && !cfg.p9s.list[1].readonly);
    xl_config_free(&cfg);
    expect_error(KERNEL "p9 = 'tag=a'",
                 "guest.cfg:2: p9: expected a list of strings, [ \"tag=share,path=/srv/share\" ]");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(line, sizeof(line), KERNEL "p9 = [ 'tag=first,path=/x', '%s' ]", wrong[i].spec);
        snprintf(says, sizeof(says), "guest.cfg:2: p9: %s", wrong[i].why);
        expect_error(line, says);
    }
}

/* vfb and vkb of xl.cfg(5): a screen has a keyboard; what is said of both is kept for xenstore. */
static void test_fbs(void **state)
{
    static const struct {
        const char *key, *spec, *why;
    } wrong[] = {
        { "vfb", "vnc=yes", "vnc=yes: expected 0 or 1" },
        { "vfb", "vncdisplay=x", "vncdisplay=x: expected a number" },
        { "vfb", "vncdisplay=", "vncdisplay=: expected a number" },
        { "vfb", "vnc", "expected NAME=VALUE, got \"vnc\"" },
        { "vfb", "width=3", "there is no width= of a screen" },
        { "vfb", "backend=gfx", "backend=gfx: only dom0 has screens" },
        { "vkb", "backend-type=x", "backend-type=x: expected qemu or linux" },
        { "vkb", "feature-multi-touch=1,multi-touch-width=9",
          "feature-multi-touch=1: multi-touch-width, -height and -num-contacts belong to it" },
        { "vkb", "width=123456", "width=123456: expected a number" },
    };
    struct xl_config cfg;
    char line[256], says[256];

    parse_ok(&cfg, KERNEL "vfb = [ 'vnc=1, vnclisten = 127.0.0.1,vnc=0,sdl=1', '' ]\n"
                          "vkb = [ 'backend-type=qemu,feature-disable-pointer=1' ]\n");
    assert_int_equal(cfg.fbs.nr_fbs, 2);
    assert_int_equal(cfg.fbs.nr_kbds, 3);
    assert_int_equal(cfg.fbs.fb[0].nr, 3);
    assert_string_equal(xl_fb_word(&cfg.fbs.fb[0], "vnc"), "0");
    assert_string_equal(xl_fb_word(&cfg.fbs.fb[0], "vnclisten"), "127.0.0.1");
    assert_null(xl_fb_word(&cfg.fbs.fb[1], "vnc"));
    assert_int_equal(cfg.fbs.kbd[2].nr, 1);
    assert_string_equal(xl_fb_word(&cfg.fbs.kbd[2], "feature-disable-pointer"), "1");
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "vkb = [ 'unique-id=a,backend=0,backend-type=linux,feature-disable-keyboard=0,"
                          "feature-disable-pointer=0,feature-abs-pointer=1,feature-raw-pointer=1,feature-multi-touch=1,"
                          "multi-touch-width=9,multi-touch-height=8,multi-touch-num-contacts=7,width=6,height=5' ]\n");
    assert_int_equal(cfg.fbs.kbd[0].nr, 11); /* all that there are, but for the back end's two */
    assert_string_equal(xl_fb_word(&cfg.fbs.kbd[0], "multi-touch-num-contacts"), "7");
    xl_config_free(&cfg);

    /* Keys of the guest's instead of a vfb: as by xl, when vnc = 1 and there is no vfb. */
    parse_ok(&cfg, KERNEL "vnc = 1\nvncdisplay = 7\nvnclisten = '127.0.0.1:3'\nkeymap = 'de'\nsdl = 0\n");
    assert_true(cfg.fbs.nr_fbs == 1 && cfg.fbs.nr_kbds == 1 && cfg.fbs.fb[0].nr == 5);
    assert_string_equal(xl_fb_word(&cfg.fbs.fb[0], "vncdisplay"), "7");
    assert_string_equal(xl_fb_word(&cfg.fbs.fb[0], "keymap"), "de");
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "vnc = 0\nvncdisplay = 7\n");
    assert_int_equal(cfg.fbs.nr_fbs, 0);
    xl_config_free(&cfg);
    parse_ok(&cfg, KERNEL "vnc = 1\nvncdisplay = 7\nvfb = [ 'vncdisplay=2' ]\n");
    assert_int_equal(cfg.fbs.nr_fbs, 1);
    assert_string_equal(xl_fb_word(&cfg.fbs.fb[0], "vncdisplay"), "2");
    xl_config_free(&cfg);
    expect_error(KERNEL "vnc = 2", "guest.cfg:2: vnc: expected 0 or 1, got \"2\"");
    expect_error(KERNEL "vnc = 1\nvncpasswd = 'a,b'",
                 "guest.cfg:3: vncpasswd: expected less than 64 characters without commas");
    expect_error(KERNEL "vnc = 1\nvncunused = 3", "guest.cfg:2: vnc: vncunused=3: expected 0 or 1");
    expect_error(KERNEL "vfb = 'vnc=1'", "guest.cfg:2: vfb: expected a list of strings, [ \"vnc=1\" ]");
    expect_error(KERNEL "vfb = [ '', '', '', '', '' ]", "guest.cfg:2: vfb: more than 4 screens");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(line, sizeof(line), KERNEL "%s = [ '%s' ]", wrong[i].key, wrong[i].spec);
        snprintf(says, sizeof(says), "guest.cfg:2: %s: %s", wrong[i].key, wrong[i].why);
        expect_error(line, says);
    }
}

/* channel of xl.cfg(5) */
static void test_channels(void **state)
{
    static const struct {
        const char *spec, *why;
    } wrong[] = {
        { "connection=pty", "name= is missing" },
        { "name=a", "connection= is missing" },
        { "name=a,connection=tcp", "connection=tcp: expected pty or socket" },
        { "name=a,connection=socket", "connection=socket: path= is missing" },
        { "name=a,connection=pty,path=/x", "a pty has no path=" },
        { "name=,connection=pty", "name=: expected 1 to 63 characters" },
        { "name=a,connection=pty,backend=net", "backend=net: only dom0 has channels" },
        { "name=a,connection=pty,mode=x", "there is no mode= of a channel" },
        { "agent", "expected NAME=VALUE, got \"agent\"" },
    };
    struct xl_config cfg;
    char line[256], says[256];

    parse_ok(&cfg, KERNEL "channel = [ 'name=org.x,connection=pty', ' connection = socket , path=/run/s,name = b,,"
                          "backend=0' ]\n");
    assert_int_equal(cfg.channels.nr, 2);
    assert_string_equal(cfg.channels.list[0].name, "org.x");
    assert_string_equal(cfg.channels.list[0].path, "");
    assert_string_equal(cfg.channels.list[1].name, "b");
    assert_string_equal(cfg.channels.list[1].path, "/run/s");
    xl_config_free(&cfg);
    expect_error(KERNEL "channel = 'name=a'",
                 "guest.cfg:2: channel: expected a list of strings, [ \"name=agent,connection=pty\" ]");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(line, sizeof(line), KERNEL "channel = [ '%s' ]", wrong[i].spec);
        snprintf(says, sizeof(says), "guest.cfg:2: channel: %s", wrong[i].why);
        expect_error(line, says);
    }
}

/* xen-vbd-interface(7) */
static void test_disk_formats(void **state)
{
    static const struct {
        const char *spec, *path;
        enum xl_disk_format format;
        bool readonly;
    } specs[] = {
        { "/d,raw,xvda,w", "/d", XL_DISK_RAW, false },
        { "/d.qcow2,,xvda,w", "/d.qcow2", XL_DISK_RAW, false }, /* xl never guesses */
        { "/d,qcow2,xvda,w", "/d", XL_DISK_QCOW2, false },
        { "/d,vhd,xvda,r", "/d", XL_DISK_VHD, true },
        { "/d,vpc,xvda,r", "/d", XL_DISK_VHD, true },
        { "/d,vmdk,xvda", "/d", XL_DISK_VMDK, false },
        { "vmdk,vdi,xvda", "vmdk", XL_DISK_VDI, false },
        { "vdev=xvda,format=vhdx,access=ro,target=/a,vdi,b", "/a,vdi,b", XL_DISK_VHDX, true },
        { "format=qed,vdev=xvda,target=format=vdi", "format=vdi", XL_DISK_QED, false },
        { "nbd://h:1/e,raw,xvda,w", "nbd://h:1/e", XL_DISK_RAW, false },
        { "nbd+unix:///e?socket=/s,,xvda,r", "nbd+unix:///e?socket=/s", XL_DISK_RAW, true },
        { "raw,xvda,w,target=nbd+unix:///?socket=/a,b", NULL, XL_DISK_RAW, false }, /* two targets */
        { "vdev=xvda,target=nbd+unix:///?socket=/a,b", "nbd+unix:///?socket=/a,b", XL_DISK_RAW, false },
        { "https://h/d.iso,raw,hdc,ro", "https://h/d.iso", XL_DISK_RAW, true },
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        struct xl_disks disks = { 0 };
        char why[XL_DISK_WHY_SIZE];

        assert_int_equal(xl_disks_add(&disks, specs[i].spec, why), specs[i].path != NULL);
        if (specs[i].path) {
            assert_string_equal(disks.list[0].path, specs[i].path);
            assert_int_equal(disks.list[0].format, specs[i].format);
            assert_int_equal(disks.list[0].readonly, specs[i].readonly);
        }
        xl_disks_free(&disks);
    }
}

/* The word that xl does not have, wherever it stands. */
static void test_disk_speeds(void **state)
{
    static const struct {
        const char *spec;
        enum disk_speed speed; /* DISK_SPEEDS: it is wrong */
    } specs[] = {
        { "/d,raw,xvda,w", DISK_SSD },
        { "/d,raw,xvda,w,speed=ssd", DISK_SSD },
        { "/d,raw,xvda,w,speed=hdd", DISK_HDD },
        { "/d,speed=none,raw,xvda,w", DISK_NONE },
        { "speed=hdd,vdev=xvda,format=raw,target=/d", DISK_HDD },
        { "vdev=xvda,target=/d,speed=hdd", DISK_SSD }, /* a part of the path */
        { "nbd://h/e,raw,xvda,w,speed=hdd", DISK_HDD },
        { "nbd://h/e,speed=hdd,raw,xvda,w", DISK_HDD },
        { "/d,raw,xvda,w,speed=hd", DISK_SPEEDS },
        { "/d,raw,xvda,w,speed=hddd", DISK_SPEEDS },
        { "/d,raw,xvda,w,speed=", DISK_SPEEDS },
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        const bool good = specs[i].speed != DISK_SPEEDS;
        struct xl_disks disks = { 0 };
        char why[XL_DISK_WHY_SIZE] = "";

        if (xl_disks_add(&disks, specs[i].spec, why) != good)
            fail_msg("%s: %s", specs[i].spec, why);
        if (good)
            assert_int_equal(disks.list[0].speed, specs[i].speed);
        else
            assert_non_null(strstr(why, "expected speed=ssd, hdd or none, got \"speed="));
        xl_disks_free(&disks);
    }
}

static void test_disk_numbers(void **state)
{
    static const struct {
        const char *name;
        uint32_t devid;
    } names[] = { { "xvda", 51712 },         { "xvda1", 51713 },       { "xvdp15", 51967 },
                  { "xvdq", 0x10001000 },    { "xvda16", 0x10000010 }, { "xvdaa", 0x10001a00 },
                  { "xvdb255", 0x100001ff }, { "hda", 768 },           { "hdb1", 833 },
                  { "hdd63", 5759 },         { "sda", 2048 },          { "sdp15", 2303 },
                  { "d0p0", 51712 },         { "d0p1", 51713 },        { "d16p3", 0x10001003 },
                  { "51712", 51712 },        { "0xca10", 51728 },      { "2147483647", INT32_MAX } };
    static const char *const none[] = { "d0",  "d0p",   "dp1", "d0p256", "d1048576p0", "d0p1x",  "2147483648",
                                        "1x",  "-1",    "",    "xvd",    "xvda256",    "xvda01", "xvda-1",
                                        "hde", "hda64", "sdq", "sda16",  "xvdA",       "xvda1x", "xvdzzzzzzzzzz" };
    uint32_t devid;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(xl_disk_devid(names[i].name, &devid));
        assert_int_equal(devid, names[i].devid);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(xl_disk_devid(none[i], &devid));
}

static void expect_short(const char *text, const char *path, const char *vdev, bool readonly)
{
    struct xl_disks disks = { 0 };
    char why[XL_DISK_WHY_SIZE];

    assert_true(xl_disks_add_short(&disks, "first", why));
    assert_true(xl_disks_add_short(&disks, text, why));
    assert_string_equal(disks.list[1].path, path);
    assert_string_equal(disks.list[1].vdev, vdev);
    assert_int_equal(disks.list[1].readonly, readonly);
    xl_disks_free(&disks);
}

static void test_disks_short(void **state)
{
    static const char *const wrong[] = { "", ",xvdb", "f,xvda", "f,xvdb,xvdc", "f,what", "f,speed=x", "f,speed=" };
    char why[XL_DISK_WHY_SIZE];

    expect_short("a.img", "a.img", "xvdb", false);
    expect_short("a.img,ro", "a.img", "xvdb", true);
    expect_short("/x/a b=c.img,hda,ro", "/x/a b=c.img", "hda", true);
    expect_short("a,w,xvdc", "a", "xvdc", false);
    expect_short("a,speed=hdd,xvdc,ro", "a", "xvdc", true);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct xl_disks disks = { 0 };

        assert_true(xl_disks_add_short(&disks, "first", why));
        assert_false(xl_disks_add_short(&disks, wrong[i], why));
        assert_in_range(strlen(why), 5, XL_DISK_WHY_SIZE);
        xl_disks_free(&disks);
    }
}

/* 64 of them get a name of their own each. */
static void test_disks_many(void **state)
{
    struct xl_disks disks = { 0 };
    char why[XL_DISK_WHY_SIZE];

    for (unsigned int i = 0; i < XL_DISKS_MAX; i++)
        assert_true(xl_disks_add_short(&disks, "f", why));
    assert_string_equal(disks.list[25].vdev, "xvdz");
    assert_string_equal(disks.list[63].vdev, "xvdbl");
    assert_false(xl_disks_add_short(&disks, "f", why));
    assert_string_equal(why, "more than 64 disks");
    xl_disks_free(&disks);
}

/* --------------------------------------------------------------------------------------------------------- files -- */

/* A relative path that does not exist here is looked for beside the configuration. */
static void test_paths(void **state)
{
    static const char text[] = "kernel = 'some-kernel'\nramdisk = 'some-initrd'\n";
    char dir[] = "/tmp/xenlab-test-XXXXXX", path[64], kernel[64], err[XL_ERR_SIZE], want[128];
    struct xl_config cfg;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/guest.cfg", dir);
    snprintf(kernel, sizeof(kernel), "%s/some-kernel", dir);
    file_write(path, text, strlen(text));
    file_write(kernel, "", 0);
    if (xl_config_load(&cfg, path, err))
        fail_msg("refused: %s", err);
    assert_string_equal(cfg.kernel, kernel);
    assert_string_equal(cfg.ramdisk, "some-initrd");
    xl_config_free(&cfg);
    unlink(kernel);
    unlink(path);
    assert_int_equal(xl_config_load(&cfg, path, err), -1);
    snprintf(want, sizeof(want), "%s: cannot open: No such file or directory", path);
    assert_string_equal(err, want);
    rmdir(dir);
}

static void test_kind(void **state)
{
    uint8_t bz[0x210] = { [0x1fe] = 0x55, 0xaa, [0x202] = 'H', 'd', 'r', 'S' };

    assert_int_equal(xl_file_kind("", 0), XL_FILE_UNKNOWN);
    assert_int_equal(xl_file_kind("\177ELF\1", 5), XL_FILE_KERNEL);
    assert_int_equal(xl_file_kind("Xen saved domain, xl format\n \0 \r", 32), XL_FILE_SAVED);
    assert_int_equal(xl_file_kind("Xen saved domain, xl format\n", 28), XL_FILE_CONFIG);
    assert_int_equal(xl_file_kind("\037\213\010", 3), XL_FILE_KERNEL);
    assert_int_equal(xl_file_kind(bz, sizeof(bz)), XL_FILE_KERNEL);
    assert_int_equal(xl_file_kind(bz, 0x205), XL_FILE_UNKNOWN);
    assert_int_equal(xl_file_kind("name = 'x'\n", 11), XL_FILE_CONFIG);
    assert_int_equal(xl_file_kind("# \303\251t\303\251\r\n\t", 10), XL_FILE_CONFIG);
    assert_int_equal(xl_file_kind("name\0", 5), XL_FILE_UNKNOWN);
    assert_int_equal(xl_file_kind("\3750", 2), XL_FILE_CONFIG); /* Latin-1, say; the parser will judge */
    assert_int_equal(xl_file_kind("\001\002", 2), XL_FILE_UNKNOWN);
    assert_int_equal(xl_file_kind("\001\n", 2), XL_FILE_UNKNOWN);
    assert_int_equal(xl_file_kind("# x\n\001\0", 6), XL_FILE_CONFIG);
}

static void test_names(void **state)
{
    enum xl_type type = XL_TYPE_PV;
    enum xl_action action = XL_ACTION_DESTROY;

    assert_string_equal(xl_type_name(XL_TYPE_PVH), "pvh");
    assert_true(xl_action_from_name("coredump-restart", &action) && action == XL_ACTION_COREDUMP_RESTART);
    assert_true(xl_type_from_name("hvm", &type) && type == XL_TYPE_HVM);
    assert_false(xl_type_from_name("HVM", &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_builder),
        cmocka_unit_test(test_cmdline),
        cmocka_unit_test(test_scheduling),
        cmocka_unit_test(test_scheduling_override),
        cmocka_unit_test(test_cpu_lists),
        cmocka_unit_test(test_cpuid),
        cmocka_unit_test(test_limits_of_none),
        cmocka_unit_test(test_misspelt),
        cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_disk_trust),
        cmocka_unit_test(test_vifs),
        cmocka_unit_test(test_p9s),
        cmocka_unit_test(test_fbs),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_disk_formats),
        cmocka_unit_test(test_disk_speeds),
        cmocka_unit_test(test_disk_numbers),
        cmocka_unit_test(test_disks_short),
        cmocka_unit_test(test_disks_many),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
