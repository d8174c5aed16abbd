// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: what the settings mean.
 *
 * Concept: one table, keys[], says for every key that is understood which function reads it into which field. A reader
 * of one kind of value (number, action, path) serves many keys. What is not in the table is warned about.
 *
 * Budget: a short reader for each kind of value, beside the table that names them.
 *
 * Simplifies Xen's tools/xl/xl_parse.c (parse_config_data, parse_cmdline).
 */
#include "tools/xl/xl_cfg_private.h"

#include "tools/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- reading one kind of value -- */

static int read_memory(struct xl_reader *r, const char *key, void *out)
{
    return xl_read_number(r, key, 1, XL_MEMORY_MIB_MAX, "a positive number of MiB (at most 524287)", out);
}

static int read_vcpus(struct xl_reader *r, const char *key, void *out)
{
    return xl_read_number(r, key, 1, XL_VCPUS_MAX, "a number of vCPUs from 1 to 64", out);
}

/* A flag, as xl reads one: any number but 0. */
static int read_driver_domain(struct xl_reader *r, const char *key, void *out)
{
    unsigned int n = 0;
    const int rc = xl_read_number(r, key, 0, INT_MAX, "0 or 1", &n);

    *(bool *)out = n != 0;
    return rc;
}

/* 0 is the default, as libxl has it. */
static int read_event_channels(struct xl_reader *r, const char *key, void *out)
{
    return xl_read_number(r, key, 0, INT_MAX, "the number of the highest event channel (0: the default, 1023)", out);
}

/* xl takes any number, and Xen refuses those that are not below its own limits (gnttab_max_frames). */
static int read_grant_frames(struct xl_reader *r, const char *key, void *out)
{
    return xl_read_number(r, key, 1, XL_GRANT_FRAMES_MAX, "1 to 64 frames", out);
}

/* 0 means none at all. */
static int read_maptrack_frames(struct xl_reader *r, const char *key, void *out)
{
    struct build_limits *limits = out;
    unsigned int n = 1;

    if (xl_read_number(r, key, 0, XL_MAPTRACK_FRAMES_MAX, "0 to 1024 frames", &n))
        return -1;
    limits->no_maptrack = n == 0;
    if (xl_key_line(r, key))
        limits->maptrack_frames = n;
    return 0;
}

static const char *const type_names[] = { [XL_TYPE_PV] = "pv", [XL_TYPE_PVH] = "pvh", [XL_TYPE_HVM] = "hvm" };

// clang-format off
static const char *const action_names[] = {
    [XL_ACTION_DESTROY]          = "destroy",
    [XL_ACTION_RESTART]          = "restart",
    [XL_ACTION_RENAME_RESTART]   = "rename-restart",
    [XL_ACTION_PRESERVE]         = "preserve",
    [XL_ACTION_COREDUMP_DESTROY] = "coredump-destroy",
    [XL_ACTION_COREDUMP_RESTART] = "coredump-restart",
    [XL_ACTION_SOFT_RESET]       = "soft-reset",
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The index of a name, or -1. */
static int name_find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return (int)i;
    return -1;
}

static int read_action(struct xl_reader *r, const char *key, void *out)
{
    const char *text;
    int got = xl_get_text(r, key, &text), n;

    if (got != 1)
        return got;
    n = name_find(action_names, COUNT(action_names), text);
    if (n < 0)
        return xl_fail(r, key, "expected " XL_ACTION_NAMES ", got \"%.100s\"", text);
    *(enum xl_action *)out = (enum xl_action)n;
    return 0;
}

/* By name, or (as it was, and as xl warns) by number. */
static int read_tsc_mode(struct xl_reader *r, const char *key, void *out)
{
    static const char *const names[] = { "default", "always_emulate", "native" }; /* TSC_MODE_* */
    const char *text;
    long mode;
    int got = xl_get_text(r, key, &text), n;

    if (got != 1)
        return got;
    n = name_find(names, COUNT(names), text);
    if (n < 0 && xlu_cfg_get_long(r->xlu, key, &mode, 1) == 0 && mode >= 0 && mode < (long)COUNT(names)) {
        n = (int)mode;
        if (xl_warn(r, xl_key_line(r, key), "a number is deprecated; the names are default, always_emulate, native"))
            return -1;
    }
    if (n < 0)
        return xl_fail(r, key, "expected default, always_emulate or native, got \"%.100s\"", text);
    *(unsigned int *)out = (unsigned int)n;
    return 0;
}

static int read_type(struct xl_reader *r, const char *key, void *out)
{
    const char *text;
    int got = xl_get_text(r, key, &text), n;

    if (got != 1)
        return got;
    n = name_find(type_names, COUNT(type_names), text);
    if (n < 0)
        return xl_fail(r, key, "expected pv, pvh or hvm, got \"%.100s\"", text);
    *(enum xl_type *)out = (enum xl_type)n;
    r->cfg->has_type = true;
    return 0;
}

/* What type was called before there were three. */
static int read_builder(struct xl_reader *r, const char *key, void *out)
{
    enum xl_type *type = out, stated;
    const char *text;
    int got = xl_get_text(r, key, &text);

    if (got != 1)
        return got;
    if (!strcmp(text, "hvm"))
        stated = XL_TYPE_HVM;
    else if (!strcmp(text, "generic") || !strcmp(text, "linux"))
        stated = XL_TYPE_PV;
    else
        return xl_fail(r, key, "expected generic or hvm (type is its newer name), got \"%.100s\"", text);
    if (r->cfg->has_type && *type != stated)
        return xl_fail(r, key, "\"%.100s\" contradicts type = \"%s\"", text, type_names[*type]);
    *type = stated;
    r->cfg->has_type = true;
    return 0;
}

static int read_uuid(struct xl_reader *r, const char *key, void *out)
{
    const char *text;
    uint8_t *uuid = out;
    unsigned int digits = 0;
    int got = xl_get_text(r, key, &text);

    if (got != 1)
        return got;
    for (const char *p = text; *p; p++) {
        if (*p == '-')
            continue;
        if (!isxdigit((unsigned char)*p) || digits == 32) {
            digits = 0;
            break;
        }
        unsigned int value = (unsigned int)(isdigit((unsigned char)*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);

        uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | value);
        digits++;
    }
    if (digits != 32)
        return xl_fail(r, key, "expected 32 hexadecimal digits as 8-4-4-4-12, got \"%.100s\"", text);
    r->cfg->has_uuid = true;
    return 0;
}

/* Read where cmdline is. */
static int read_later(struct xl_reader *r, const char *key, void *out) { return 0; }

static int read_cmdline(struct xl_reader *r, const char *key, void *out)
{
    char **cmdline = out;
    const char *root = NULL, *extra = NULL;

    if (xl_read_string(r, key, out) || xl_get_text(r, "root", &root) < 0 || xl_get_text(r, "extra", &extra) < 0)
        return -1;
    if (*cmdline)
        return root || extra ? xl_warn(r, xl_key_line(r, key), "cmdline is set: ignoring root= and extra=") : 0;
    if (!root && !extra)
        return 0;
    if (asprintf(cmdline, "%s%s%s%s", root ? "root=" : "", root ? root : "", root && extra ? " " : "",
                 extra ? extra : "") < 0) {
        *cmdline = NULL;
        return xl_fail(r, key, "not enough memory");
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------------- scheduling -- */

#define WHERE_SIZE 512

/* "guest.cfg:7: cap": for what is found wanting later, when the machine is known. */
static const char *where_is(const struct xl_reader *r, const char *key, char where[WHERE_SIZE])
{
    snprintf(where, WHERE_SIZE, "%.400s:%d: %s", r->path, xl_key_line(r, key), key);
    return where;
}

static int read_sched_number(struct xl_reader *r, const char *key, void *out)
{
    char where[WHERE_SIZE];
    const char *text;
    long n = 0;
    int got = xl_get_text(r, key, &text), k = 0;

    if (got != 1)
        return got;
    while (strcmp(xl_sched_key_name((enum xl_sched_key)k), key))
        k++;
    if (xlu_cfg_get_long(r->xlu, key, &n, 1) || !xl_sched_number_ok((enum xl_sched_key)k, n))
        return xl_fail(r, key, "expected %s, got \"%.100s\"", xl_sched_key_expected((enum xl_sched_key)k), text);
    if (!xl_sched_set_number(out, (enum xl_sched_key)k, where_is(r, key, where), (uint32_t)n))
        return xl_fail(r, key, "not enough memory");
    return 0;
}

static int read_pool(struct xl_reader *r, const char *key, void *out)
{
    char where[WHERE_SIZE];
    const char *text;
    int got = xl_get_text(r, key, &text);

    if (got != 1)
        return got;
    if (!*text)
        return xl_fail(r, key, "expected the name or number of a CPU pool, got \"\"");
    return xl_sched_set_pool(out, where_is(r, key, where), text) ? 0 : xl_fail(r, key, "not enough memory");
}

/* cpus = "0-3,^1" is for all vCPUs, cpus = [ "0", "1-2" ] for one each. */
static int read_cpus(struct xl_reader *r, const char *key, void *out)
{
    struct xl_cpus cpus[XL_VCPUS_MAX];
    char where[WHERE_SIZE], why[256];
    XLU_ConfigList *list;
    const char *text;
    int nr = 1, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);
    const bool each = got == 0;

    if (got == ESRCH)
        return 0;
    if (!each && xl_get_text(r, key, &text) < 0)
        return -1;
    if (nr > XL_VCPUS_MAX)
        return xl_fail(r, key, "expected at most %d entries, one for each vCPU, got %d", XL_VCPUS_MAX, nr);
    for (int i = 0; i < nr; i++) {
        if (each)
            text = xlu_cfg_get_listitem(list, i);
        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!xl_cpus_parse(text, &cpus[i], why, sizeof(why)))
            return xl_fail(r, key, "%s", why);
    }
    if (!xl_sched_set_affinity(out, where_is(r, key, where), each, cpus, (unsigned int)nr))
        return xl_fail(r, key, "not enough memory");
    return 0;
}

/* ----------------------------------------------------------------------------------------------- the processor -- */

/* A string of names, or a list of leaves. */
static int read_cpuid(struct xl_reader *r, const char *key, void *out)
{
    struct xl_cpuid *cpuid = out;
    char where[WHERE_SIZE], why[256];
    XLU_ConfigList *list;
    const char *text;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    cpuid->where = strdup(where_is(r, key, where));
    if (!cpuid->where)
        return xl_fail(r, key, "not enough memory");
    for (int i = 0; got == 0 && i < nr; i++) {
        text = xlu_cfg_get_listitem(list, i);
        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!xl_cpuid_parse_leaf(cpuid, text, why, sizeof(why)))
            return xl_fail(r, key, "%s", why);
    }
    if (got == 0)
        return 0;
    if (xl_get_text(r, key, &text) < 0)
        return -1;
    return xl_cpuid_parse_names(cpuid, text, why, sizeof(why)) ? 0 : xl_fail(r, key, "%s", why);
}

/* ------------------------------------------------------------------------------------------------------- devices -- */

/* Drives without a disc: a PV guest has no use for one. */
static int read_empty_cd(struct xl_reader *r, const char *key, unsigned int drive)
{
    const struct xl_disks *disks = &r->cfg->disks;

    for (unsigned int i = 0; i < disks->nr; i++)
        if (xl_disk_drive(disks->list[i].devid) == drive)
            return xl_fail(r, key, "there is a disk hd%c already", 'a' + drive);
    r->cfg->hvm.empty_cds |= 1u << drive;
    return r->cfg->type == XL_TYPE_HVM
               ? 0
               : xl_warn(r, xl_key_line(r, key), "disk: a drive without a disc is for HVM guests and is ignored");
}

static int read_disks(struct xl_reader *r, const char *key, void *out)
{
    struct xl_disks *disks = out;
    char why[XL_DISK_WHY_SIZE];
    XLU_ConfigList *list;
    unsigned int drive;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got)
        return xl_fail(r, key, "expected a list of strings, [ \"FILE,raw,xvda,w\" ]");
    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);

        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (xl_disk_is_empty_cd(text, &drive)) {
            if (read_empty_cd(r, key, drive))
                return -1;
            continue;
        }
        if (!xl_disks_add(disks, text, why))
            return xl_fail(r, key, "%s", why);
        drive = xl_disk_drive(disks->list[disks->nr - 1].devid);
        if (drive != XL_IDE_DRIVES && r->cfg->hvm.empty_cds >> drive & 1)
            return xl_fail(r, key, "there is a disk hd%c already", 'a' + drive);
        if (!xl_disk_is_url(disks->list[disks->nr - 1].path) && xl_path_find(r, key, &disks->list[disks->nr - 1].path))
            return -1;
    }
    return 0;
}

static int read_vifs(struct xl_reader *r, const char *key, void *out)
{
    struct xl_vifs *vifs = out;
    char why[XL_VIF_WHY_SIZE];
    XLU_ConfigList *list;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got)
        return xl_fail(r, key, "expected a list of strings, [ \"bridge=xenbr0\" ]");
    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);

        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!xl_vifs_add(vifs, text, why))
            return xl_fail(r, key, "%s", why);
        if (vifs->list[vifs->nr - 1].other_model && r->cfg->type == XL_TYPE_HVM &&
            xl_warn(r, xl_key_line(r, key), "vif: the emulated card is an rtl8139: model= has no effect"))
            return -1;
    }
    return 0;
}

static int read_p9s(struct xl_reader *r, const char *key, void *out)
{
    char why[XL_P9_WHY_SIZE];
    XLU_ConfigList *list;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got)
        return xl_fail(r, key, "expected a list of strings, [ \"tag=share,path=/srv/share\" ]");
    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);

        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!xl_p9s_add(out, text, why))
            return xl_fail(r, key, "%s", why);
    }
    return 0;
}

static int read_fbs(struct xl_reader *r, const char *key, void *out)
{
    char why[XL_FB_WHY_SIZE];
    XLU_ConfigList *list;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got)
        return xl_fail(r, key, "expected a list of strings, [ \"vnc=1\" ]");
    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);

        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!(key[1] == 'f' ? xl_fbs_add : xl_fbs_add_kbd)(out, text, why))
            return xl_fail(r, key, "%s", why);
    }
    return 0;
}

/*
 * vnc = 1 by itself is vfb = [ "vnc=1" ] with the words that stand there as keys, as xl has it of a PV guest without a
 * vfb; of an HVM guest, which has a screen, so is sdl = 1. Others of the words of a screen that is not there mean
 * nothing.
 */
static int read_vnc(struct xl_reader *r, const char *key, void *out)
{
    static const char *const words[] = { "vnclisten", "vncdisplay", "vncunused",  "vncpasswd", "sdl",
                                         "opengl",    "display",    "xauthority", "keymap" };
    char spec[1024], why[XL_FB_WHY_SIZE];
    const struct xl_fbs *fbs = out;
    unsigned int on = 0, sdl = 0;

    if (xl_read_number(r, key, 0, 1, "0 or 1", &on) || xl_read_number(r, "sdl", 0, 1, "0 or 1", &sdl))
        return -1;
    if (sdl && !on && r->cfg->type != XL_TYPE_HVM)
        return xl_warn(r, xl_key_line(r, "sdl"), "sdl is ignored: it wants vnc = 1, or to stand in vfb");
    if (sdl && fbs->nr_fbs)
        return xl_warn(r, xl_key_line(r, "sdl"), "sdl is ignored: there is a vfb, where it is to stand");
    if ((!on && !sdl) || fbs->nr_fbs)
        return 0;
    snprintf(spec, sizeof(spec), "vnc=%u", on);
    for (size_t i = 0; i < COUNT(words); i++) {
        const size_t len = strlen(spec);
        const char *text = NULL;

        if (xl_get_text(r, words[i], &text) < 0)
            return -1;
        if (text && (strchr(text, ',') || strlen(text) > 63))
            return xl_fail(r, words[i], "expected less than 64 characters without commas");
        if (text)
            snprintf(spec + len, sizeof(spec) - len, ",%s=%s", words[i], text);
    }
    return xl_fbs_add(out, spec, why) ? 0 : xl_fail(r, key, "%s", why);
}

static int read_channels(struct xl_reader *r, const char *key, void *out)
{
    char why[XL_CHANNEL_WHY_SIZE];
    XLU_ConfigList *list;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got)
        return xl_fail(r, key, "expected a list of strings, [ \"name=agent,connection=pty\" ]");
    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);

        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (!xl_channels_add(out, text, why))
            return xl_fail(r, key, "%s", why);
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------------- the settings -- */

/* In the order in which they are read; what is not here is passed over. */
// clang-format off
#define FIELD(f) offsetof(struct xl_config, f)
static const struct key {
    const char *name;
    int (*read)(struct xl_reader *r, const char *key, void *out); /* 0, also if it is not stated, or -1 */
    size_t field;
} keys[] = {
    { "name",          xl_read_string,  FIELD(name) },
    { "type",          read_type,    FIELD(type) },
    { "builder",       read_builder, FIELD(type) },
    { "driver_domain", read_driver_domain, FIELD(driver_domain) },
    { "kernel",        xl_read_path,    FIELD(kernel) },
    { "ramdisk",       xl_read_path,    FIELD(ramdisk) },
    { "cmdline",       read_cmdline, FIELD(cmdline) },
    { "root",          read_later,   0 },
    { "extra",         read_later,   0 },
    { "memory",        read_memory,  FIELD(memory_mib) },
    { "maxmem",        read_memory,  FIELD(maxmem_mib) },
    { "vcpus",         read_vcpus,   FIELD(vcpus) },
    { "maxvcpus",      read_vcpus,   FIELD(maxvcpus) },
    { "cpu_weight",    read_sched_number, FIELD(sched) },
    { "cap",           read_sched_number, FIELD(sched) },
    { "period",        read_sched_number, FIELD(sched) },
    { "budget",        read_sched_number, FIELD(sched) },
    { "extratime",     read_sched_number, FIELD(sched) },
    { "cpus",          read_cpus,    FIELD(sched.hard) },
    { "cpus_soft",     read_cpus,    FIELD(sched.soft) },
    { "pool",          read_pool,    FIELD(sched) },
    { "on_poweroff",   read_action,  FIELD(on_poweroff) },
    { "on_reboot",     read_action,  FIELD(on_reboot) },
    { "on_crash",      read_action,  FIELD(on_crash) },
    { "on_watchdog",   read_action,  FIELD(on_watchdog) },
    { "on_soft_reset", read_action,  FIELD(on_soft_reset) },
    { "tsc_mode",      read_tsc_mode, FIELD(tsc_mode) },
    { "cpuid",         read_cpuid,   FIELD(cpuid) },
    { "uuid",          read_uuid,    FIELD(uuid) },
    { "disk",          read_disks,   FIELD(disks) },
    { "vif",           read_vifs,    FIELD(vifs) },
    { "p9",            read_p9s,     FIELD(p9s) },
    { "vfb",           read_fbs,     FIELD(fbs) },
    { "vkb",           read_fbs,     FIELD(fbs) },
    { "vnc",           read_vnc,     FIELD(fbs) },
    { "vnclisten",     read_later,   0 },
    { "vncdisplay",    read_later,   0 },
    { "vncunused",     read_later,   0 },
    { "vncpasswd",     read_later,   0 },
    { "sdl",           read_later,   0 },
    { "opengl",        read_later,   0 },
    { "display",       read_later,   0 },
    { "xauthority",    read_later,   0 },
    { "keymap",        read_later,   0 },
    { "channel",       read_channels, FIELD(channels) },
    { "max_event_channels",  read_event_channels,  FIELD(limits.event_channels) },
    { "max_grant_frames",    read_grant_frames,    FIELD(limits.grant_frames) },
    { "max_maptrack_frames", read_maptrack_frames, FIELD(limits) },
    { "nestedhvm",     xl_hvm_read_nestedhvm, 0 },
    { "viridian",      xl_hvm_read_viridian, 0 },
    { "hap",           xl_pvh_read_flag, FIELD(hvm.hap) },
    { "acpi",          xl_pvh_read_flag, FIELD(hvm.acpi) },
    { "shadow_memory", xl_hvm_read_mib, FIELD(hvm.shadow_mib) },
    { "shadow_policy", xl_hvm_read_shadow_policy, FIELD(hvm) },
    { "technique",     xl_hvm_read_technique, FIELD(hvm.technique) },
    { "timer_mode",    xl_hvm_read_timer_mode, FIELD(hvm.timer_mode) },
    { "pvshim",        xl_hvm_read_pvshim, FIELD(hvm.pvshim) },
    { "pvshim_path",   xl_hvm_read_shim_path, FIELD(hvm.pvshim_path) },
    { "pvshim_cmdline", xl_hvm_read_shim_text, FIELD(hvm.pvshim_cmdline) },
    { "pvshim_extra",  xl_hvm_read_shim_text, FIELD(hvm.pvshim_extra) },
    { "firmware_override",  xl_hvm_read_path, FIELD(hvm.firmware) },
    { "bios",          xl_hvm_read_bios, FIELD(hvm.bios) },
    { "bios_path_override", xl_hvm_read_path, FIELD(hvm.bios_path) },
    { "firmware",      xl_hvm_read_firmware, FIELD(hvm) },
    { "boot",          xl_hvm_read_boot, FIELD(hvm.boot) },
    { "serial",        xl_hvm_read_serial, FIELD(hvm) },
    { "stdvga",        xl_hvm_read_stdvga, FIELD(hvm.vga) },
    { "vga",           xl_hvm_read_vga, FIELD(hvm.vga) },
    { "videoram",      xl_hvm_read_mib, FIELD(hvm.videoram_mib) },
    { "mmio_hole",     xl_hvm_read_mib, FIELD(hvm.mmio_hole_mib) },
    { "localtime",     xl_hvm_read_flag, FIELD(hvm.localtime) },
    { "rtc_timeoffset", xl_hvm_read_seconds, FIELD(hvm.rtc_timeoffset) },
    { "apic",          xl_hvm_read_flag, FIELD(hvm.apic) },
    { "pae",           xl_hvm_read_flag, FIELD(hvm.pae) },
    { "nx",            xl_hvm_read_flag, FIELD(hvm.nx) },
    { "hpet",          xl_hvm_read_flag, FIELD(hvm.hpet) },
    { "acpi_s3",       xl_hvm_read_flag, FIELD(hvm.acpi_s3) },
    { "acpi_s4",       xl_hvm_read_flag, FIELD(hvm.acpi_s4) },
    { "vpt_align",     xl_hvm_read_flag, FIELD(hvm.vpt_align) },
    { "xen_platform_pci", xl_hvm_read_flag, FIELD(hvm.xen_platform_pci) },
};
// clang-format on

const char *xl_key_at(size_t i) { return i < COUNT(keys) ? keys[i].name : NULL; }

_Static_assert(COUNT(keys) <= XL_WHERE_MAX && XL_GRANT_FRAMES_MAX == 64 && XL_MAPTRACK_FRAMES_MAX == 1024,
               "xl_where.h and the texts above say the same numbers");

/* Which key was meant, or "". The other keys of xl are what they are, and no misspellings. */
static const char *key_meant(const char *name, char hint[NEAREST_HINT_SIZE])
{
    const char *known[COUNT(keys)];

    if (xl_key_of_xl(name))
        return "";
    for (size_t i = 0; i < COUNT(keys); i++)
        known[i] = keys[i].name;
    return nearest_hint(name, known, COUNT(known), "", hint);
}

/* Warn, once each, about the settings that no key understands. */
static int unknown_report(struct xl_reader *r)
{
    for (size_t i = 0; i < r->nr_settings; i++) {
        char name[64], text[192], hint[NEAREST_HINT_SIZE];
        const char *meant;
        bool known = false;

        snprintf(name, sizeof(name), "%.*s", r->settings[i].name_len, r->settings[i].name);
        for (size_t k = 0; k < COUNT(keys) && !known; k++)
            known = !strcmp(keys[k].name, name);
        if (known || xl_key_line(r, name) > r->settings[i].line)
            continue;
        meant = key_meant(name, hint);
        if (*meant)
            snprintf(text, sizeof(text), "%s is no key and is ignored%s", name, meant);
        else
            snprintf(text, sizeof(text), "%s means nothing here yet and is ignored", name);
        if (xl_warn(r, r->settings[i].line, text))
            return -1;
    }
    return 0;
}

static int places_note(struct xl_reader *r)
{
    r->cfg->where.path = strdup(r->path);
    if (!r->cfg->where.path)
        return xl_fail(r, NULL, "not enough memory");
    for (size_t i = 0; i < COUNT(keys); i++)
        if (xl_key_line(r, keys[i].name))
            xl_where_note(&r->cfg->where, keys[i].name, NULL, xl_key_line(r, keys[i].name));
    return 0;
}

/* An HVM guest's kernel was hvmloader once; as in xl that is what firmware_override says today. */
static int hvmloader_drop(struct xl_reader *r)
{
    char **kernel = &r->cfg->kernel;
    const char *slash = *kernel ? strrchr(*kernel, '/') : NULL;

    if (!*kernel || strcmp(slash ? slash + 1 : *kernel, "hvmloader") != 0)
        return 0;
    free(*kernel);
    *kernel = NULL;
    return xl_warn(r, xl_key_line(r, "kernel"), "kernel is ignored: firmware_override is the key for an hvmloader");
}

int xl_settings_read(struct xl_reader *r)
{
    struct xl_config *cfg = r->cfg;

    xl_hvm_defaults(&cfg->hvm);
    cfg->on_reboot = XL_ACTION_RESTART;
    cfg->on_soft_reset = XL_ACTION_SOFT_RESET;
    for (size_t i = 0; i < COUNT(keys); i++)
        if (keys[i].read(r, keys[i].name, (char *)cfg + keys[i].field))
            return -1;
    if (cfg->maxmem_mib && cfg->memory_mib > cfg->maxmem_mib)
        return xl_fail(r, "maxmem", "expected at least memory, which is %u MiB, got %u", cfg->memory_mib,
                       cfg->maxmem_mib);
    if (cfg->maxvcpus && cfg->vcpus > cfg->maxvcpus)
        return xl_fail(r, "maxvcpus", "expected at least vcpus, which is %u, got %u", cfg->vcpus, cfg->maxvcpus);
    if (cfg->name && (!*cfg->name || cfg->name[strcspn(cfg->name, "\n\t\r/")]))
        return xl_fail(r, "name", "expected a name of one line without slashes, got \"%.100s\"", cfg->name);
    if (cfg->name && !strcmp(cfg->name, XL_DOM0_NAME))
        return xl_fail(r, "name", "\"" XL_DOM0_NAME "\" is dom0");
    if (cfg->type == XL_TYPE_HVM && hvmloader_drop(r))
        return -1;
    if (!cfg->kernel && cfg->type != XL_TYPE_HVM && !cfg->driver_domain)
        return xl_fail(r, "kernel", "there is none: a %s guest needs kernel = \"PATH\" (bootloaders are not run)",
                       type_names[cfg->type]);
    return places_note(r) || unknown_report(r) ? -1 : 0;
}

/* --------------------------------------------------------------------------------------------------- their names -- */

const char *xl_type_name(enum xl_type type) { return type_names[type]; }

const char *xl_action_name(enum xl_action action) { return action_names[action]; }

bool xl_type_from_name(const char *name, enum xl_type *type)
{
    int n = name_find(type_names, COUNT(type_names), name);

    if (n >= 0)
        *type = (enum xl_type)n;
    return n >= 0;
}

bool xl_action_from_name(const char *name, enum xl_action *action)
{
    int n = name_find(action_names, COUNT(action_names), name);

    if (n >= 0)
        *action = (enum xl_action)n;
    return n >= 0;
}
