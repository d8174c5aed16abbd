// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: what the settings of PVH and HVM guests mean. See xl_hvm.h for the values.
 *
 * Concept: they are read of every guest, since the command line may still say of which type it is; of a PV guest each
 * is warned about, for xl passes over it. What is accepted, but not offered to guests here (nestedhvm, viridian), is
 * warned about in each guest that would have it.
 *
 * Simplifies Xen's tools/xl/xl_parse.c: of serial ports stdio and pty.
 */
#include "tools/xl/xl_cfg_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stated key of which nothing comes; `why` goes on after its name. */
static int warn_of(struct xl_reader *r, const char *key, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "%s %s", key, why);
    return xl_warn(r, xl_key_line(r, key), text);
}

/* Of which types of guest a key is, for get_of(). */
enum { OF_PVH = 1, OF_HVM = 2, OF_BOTH = 3 };

static int warn_of_type(struct xl_reader *r, const char *key, unsigned int types)
{
    static const char *const why[] = { [OF_PVH] = "is for PVH guests and is ignored",
                                       [OF_HVM] = "is for HVM guests and is ignored",
                                       [OF_BOTH] = "is for PVH and HVM guests and is ignored" };
    const enum xl_type type = r->cfg->type;

    return (type == XL_TYPE_HVM && types & OF_HVM) || (type == XL_TYPE_PVH && types & OF_PVH)
               ? 0
               : warn_of(r, key, why[types]);
}

/* As xl_get_text(), with a warning if the guest is of a type for which the key means nothing. */
static int get_of(struct xl_reader *r, const char *key, unsigned int types, const char **text)
{
    const int got = xl_get_text(r, key, text);

    return got == 1 && warn_of_type(r, key, types) ? -1 : got;
}

static int read_flag(struct xl_reader *r, const char *key, unsigned int types, bool *out)
{
    unsigned int n = *out;
    const char *text;

    if (get_of(r, key, types, &text) < 0 || xl_read_number(r, key, 0, INT_MAX, "0 or 1", &n))
        return -1;
    *out = n != 0;
    return 0;
}

int xl_hvm_read_flag(struct xl_reader *r, const char *key, void *out) { return read_flag(r, key, OF_HVM, out); }

int xl_pvh_read_flag(struct xl_reader *r, const char *key, void *out) { return read_flag(r, key, OF_BOTH, out); }

/* The index of the word in names, a list that NULL ends, or -1. */
static int word_find(const char *const *names, const char *word)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], word))
            return i;
    return -1;
}

/* What get_of() says; 1: *n is the index of the key's word in names, a list that NULL ends; expected tells them. */
static int get_word(struct xl_reader *r, const char *key, unsigned int types, const char *const *names,
                    const char *expected, int *n)
{
    const char *text;
    const int got = get_of(r, key, types, &text);

    if (got != 1)
        return got;
    *n = word_find(names, text);
    return *n < 0 ? xl_fail(r, key, "expected %s, got \"%.100s\"", expected, text) : 1;
}

int xl_hvm_read_timer_mode(struct xl_reader *r, const char *key, void *out)
{
    static const char *const names[] = { "delay_for_missed_ticks", "no_delay_for_missed_ticks",
                                         "no_missed_ticks_pending", "one_missed_tick_pending", NULL };
    enum xl_timer_mode *mode = out;
    const char *text;
    long number;
    int got = get_of(r, key, OF_BOTH, &text), n;

    if (got != 1)
        return got;
    n = word_find(names, text);
    if (n < 0 && xlu_cfg_get_long(r->xlu, key, &number, 1) == 0 && number >= 0 && number < 4) {
        n = (int)number;
        if (warn_of(r, key,
                    "as a number is deprecated; the names are delay_for_missed_ticks, "
                    "no_delay_for_missed_ticks, no_missed_ticks_pending, one_missed_tick_pending"))
            return -1;
    }
    if (n < 0)
        return xl_fail(r, key,
                       "expected delay_for_missed_ticks, no_delay_for_missed_ticks, no_missed_ticks_pending or "
                       "one_missed_tick_pending, got \"%.100s\"",
                       text);
    *mode = (enum xl_timer_mode)n;
    return 0;
}

int xl_hvm_read_mib(struct xl_reader *r, const char *key, void *out)
{
    const bool hole = !strcmp(key, "mmio_hole"), both = !strcmp(key, "shadow_memory");
    const char *text;

    if (get_of(r, key, both ? OF_BOTH : OF_HVM, &text) < 0)
        return -1;
    return hole ? xl_read_number(r, key, 256, 3840, "256 to 3840 MiB", out)
                : xl_read_number(r, key, 0, XL_MEMORY_MIB_MAX, "a number of MiB (at most 524287)", out);
}

int xl_hvm_read_shadow_policy(struct xl_reader *r, const char *key, void *out)
{
    static const char *const names[] = {
        [XL_SHADOW_EMULATE] = "emulate", [XL_SHADOW_DROP] = "drop", [XL_SHADOW_OOS] = "oos", NULL
    };
    struct xl_hvm *h = out;
    int n, got = get_word(r, key, OF_BOTH, names, "drop, emulate or oos", &n);

    if (got != 1)
        return got;
    if (h->hap && r->cfg->type != XL_TYPE_PV)
        return xl_fail(r, key, "wants hap = 0: with nested paging there are no shadow page tables");
    h->shadow_policy = (enum xl_shadow_policy)n;
    return 0;
}

int xl_hvm_read_technique(struct xl_reader *r, const char *key, void *out)
{
    static const char *const names[] = { "hardware", "emulate", "ring1", "translate", NULL };
    int n, got = get_word(r, key, OF_BOTH, names, "hardware, emulate, ring1 or translate", &n);

    if (got == 1)
        *(enum xl_technique *)out = (enum xl_technique)(n + 1);
    return got < 0 ? -1 : 0;
}

int xl_hvm_read_seconds(struct xl_reader *r, const char *key, void *out)
{
    const char *text;
    long n = 0;
    int got = get_of(r, key, OF_HVM, &text);

    if (got != 1)
        return got;
    if (xlu_cfg_get_long(r->xlu, key, &n, 1) || n < -INT_MAX || n > INT_MAX)
        return xl_fail(r, key, "expected a number of seconds, got \"%.100s\"", text);
    *(int *)out = (int)n;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- the shim -- */

int xl_hvm_read_pvshim(struct xl_reader *r, const char *key, void *out) { return read_flag(r, key, OF_PVH, out); }

/* What the shim would be, if there were one: told, as xl does not. */
static int get_of_shim(struct xl_reader *r, const char *key)
{
    const char *text;
    const int got = get_of(r, key, OF_PVH, &text);

    if (got != 1 || r->cfg->type != XL_TYPE_PVH || r->cfg->hvm.pvshim)
        return got;
    return warn_of(r, key, "is ignored: pvshim is not set") ? -1 : 1;
}

int xl_hvm_read_shim_path(struct xl_reader *r, const char *key, void *out)
{
    return get_of_shim(r, key) < 0 ? -1 : xl_read_path(r, key, out);
}

int xl_hvm_read_shim_text(struct xl_reader *r, const char *key, void *out)
{
    return get_of_shim(r, key) < 0 ? -1 : xl_read_string(r, key, out);
}

/* ----------------------------------------------------------------------------------------------------- firmware -- */

static const char *const bios_names[] = { "seabios", "rombios", "ovmf", NULL };

int xl_hvm_read_path(struct xl_reader *r, const char *key, void *out)
{
    const char *text;

    return get_of(r, key, OF_HVM, &text) < 0 ? -1 : xl_read_path(r, key, out);
}

int xl_hvm_read_bios(struct xl_reader *r, const char *key, void *out)
{
    int n, got = get_word(r, key, OF_HVM, bios_names, "seabios, rombios or ovmf", &n);

    if (got == 1)
        *(enum xl_bios *)out = (enum xl_bios)(XL_BIOS_SEABIOS + n);
    return got < 0 ? -1 : 0;
}

/* Of all these one: a BIOS by its name, or by what it is like, or a file in hvmloader's place. */
int xl_hvm_read_firmware(struct xl_reader *r, const char *key, void *out)
{
    struct xl_hvm *h = out;
    const char *text;
    int got = get_of(r, key, OF_HVM, &text), n;

    if (got != 1)
        return got;
    n = word_find(bios_names, text);
    if (n >= 0)
        h->bios = (enum xl_bios)(XL_BIOS_SEABIOS + n);
    else if (!strcmp(text, "uefi"))
        h->bios = XL_BIOS_OVMF;
    else if (strcmp(text, "bios") != 0 && r->cfg->type == XL_TYPE_HVM) {
        free(h->firmware);
        h->firmware = NULL;
        return xl_read_path(r, key, &h->firmware);
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ devices -- */

int xl_hvm_read_boot(struct xl_reader *r, const char *key, void *out)
{
    char *boot = out;
    const char *text;
    int got = get_of(r, key, OF_HVM, &text);
    size_t n = 0;

    if (got != 1)
        return got;
    for (; n < XL_BOOT_MAX && text[n] && strchr("acdn", text[n]) && !strchr(text + n + 1, text[n]); n++)
        boot[n] = text[n];
    if (text[n] || !n) {
        boot[0] = '\0';
        return xl_fail(
            r, key,
            "expected up to three of the letters c (hard disk), d (CD-ROM), n (network) and a (floppy disk), "
            "in the order in which they are tried, got \"%.100s\"",
            text);
    }
    boot[n] = '\0';
    return 0;
}

int xl_hvm_read_vga(struct xl_reader *r, const char *key, void *out)
{
    static const char *const names[] = { "cirrus", "stdvga", "none", "qxl", NULL };
    int n, got = get_word(r, key, OF_HVM, names, "none, stdvga, cirrus or qxl", &n);

    if (got == 1)
        *(enum xl_vga *)out = (enum xl_vga)n;
    return got < 0 ? -1 : 0;
}

/* The older way to say vga = "stdvga". */
int xl_hvm_read_stdvga(struct xl_reader *r, const char *key, void *out)
{
    bool on = false;

    if (read_flag(r, key, OF_HVM, &on))
        return -1;
    if (on)
        *(enum xl_vga *)out = XL_VGA_STDVGA;
    return 0;
}

static int serial_add(struct xl_reader *r, const char *key, struct xl_hvm *h, const char *text)
{
    static const char *const names[] = {
        [XL_SERIAL_NONE] = "none", [XL_SERIAL_STDIO] = "stdio", [XL_SERIAL_PTY] = "pty", NULL
    };
    const int n = word_find(names, text);

    if (h->nr_serials == XL_SERIALS_MAX)
        return xl_fail(r, key, "expected at most %d serial ports", XL_SERIALS_MAX);
    if (n < 0)
        return xl_fail(r, key, "expected stdio, pty or none, got \"%.100s\"", text);
    h->serials[h->nr_serials++] = (enum xl_serial)n;
    return 0;
}

/* serial = "pty", or a list of them, one for each port. */
int xl_hvm_read_serial(struct xl_reader *r, const char *key, void *out)
{
    XLU_ConfigList *list;
    const char *text;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got) {
        got = get_of(r, key, OF_HVM, &text);
        return got == 1 ? serial_add(r, key, out, text) : got;
    }
    if (warn_of_type(r, key, OF_HVM))
        return -1;
    for (int i = 0; i < nr; i++) {
        text = xlu_cfg_get_listitem(list, i);
        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (serial_add(r, key, out, text))
            return -1;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------- accepted, and not offered -- */

int xl_hvm_read_nestedhvm(struct xl_reader *r, const char *key, void *out)
{
    bool on = false;

    if (read_flag(r, key, OF_BOTH, &on))
        return -1;
    return on && r->cfg->type != XL_TYPE_PV ? warn_of(r, key, "is accepted, but no guest here can be a hypervisor") : 0;
}

/* A flag, or groups by name, each with a ! before it if it is not wanted: is any? */
static int viridian_group(struct xl_reader *r, const char *key, const char *text, bool *any)
{
    static const char *const groups[] = { "base",
                                          "freq",
                                          "time_ref_count",
                                          "reference_tsc",
                                          "hcall_remote_tlb_flush",
                                          "apic_assist",
                                          "crash_ctl",
                                          "synic",
                                          "stimer",
                                          "hcall_ipi",
                                          "ex_processor_masks",
                                          "no_vp_limit",
                                          "cpu_hotplug",
                                          "all",
                                          "defaults",
                                          NULL };
    const bool not = *text == '!';
    const int n = word_find(groups, text + not );

    /* xl knows no "!all" and no "!defaults". */
    if (n < 0 || (not &&n >= word_find(groups, "all")))
        return xl_fail(r, key,
                       "expected 0, 1 or a list of all, defaults, base, freq, time_ref_count, reference_tsc, "
                       "hcall_remote_tlb_flush, apic_assist, crash_ctl, synic, stimer, hcall_ipi, "
                       "ex_processor_masks, no_vp_limit, cpu_hotplug, got \"%.100s\"",
                       text);
    *any |= !not ;
    return 0;
}

int xl_hvm_read_viridian(struct xl_reader *r, const char *key, void *out)
{
    XLU_ConfigList *list;
    const char *text;
    bool any = false;
    int nr = 0, got = xlu_cfg_get_list(r->xlu, key, &list, &nr, 1);

    if (got == ESRCH)
        return 0;
    if (got) {
        if (read_flag(r, key, OF_HVM, &any))
            return -1;
    } else if (warn_of_type(r, key, OF_HVM)) {
        return -1;
    }
    for (int i = 0; !got && i < nr; i++) {
        text = xlu_cfg_get_listitem(list, i);
        if (!text)
            return xl_fail(r, key, "expected a list of strings, got a list in it");
        if (viridian_group(r, key, text, &any))
            return -1;
    }
    return any && r->cfg->type == XL_TYPE_HVM
               ? warn_of(r, key, "is accepted, but what Windows asks of a hypervisor is not offered to guests")
               : 0;
}
