// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guests of a run, from their files and the command line; see ui/guest_list.h.
 *
 * Budget: what is read of a file, what options change of it, and names are one list.
 */
#include "ui/guest_list.h"

#include "sim/machine.h"
#include "tools/user_file.h"
#include "ui/guest_firmware.h"
#include "ui/place.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_SIZE XL_CONFIG_SIZE_MAX /* enough to tell what a file is */

/* What kind of file is it? -1 and a message if it cannot be read. */
static int file_kind(const char *path, enum xl_file_kind *kind, char err[GUEST_LIST_ERR_SIZE])
{
    char *head = malloc(HEAD_SIZE), why[256];
    int fd = user_file_open(path, why, sizeof(why));
    ssize_t n = fd >= 0 && head ? read(fd, head, HEAD_SIZE) : -1;

    if (n >= 0)
        *kind = xl_file_kind(head, (size_t)n);
    else
        snprintf(err, GUEST_LIST_ERR_SIZE, "%s: %s", path, fd < 0 ? why : head ? strerror(errno) : "out of memory");
    free(head);
    if (fd >= 0)
        close(fd);
    return n < 0 ? -1 : 0;
}

/* Whoever meant a kernel, and named its source, wonders about a syntax that should be xl.cfg's. */
static void hint_no_kernel(const char *path, char err[GUEST_LIST_ERR_SIZE])
{
    const char *suffix = strrchr(path, '.');

    if (!suffix || strcmp(suffix, ".cfg"))
        strncat(err, " (it is no kernel, so it is read as an xl.cfg)", GUEST_LIST_ERR_SIZE - strlen(err) - 1);
}

static enum xl_action action_merge(const struct run_action *option, enum xl_action cfg)
{
    return option->stated ? option->action : cfg;
}

/* Options have named so many; the file may have named others. */
static void device_note(struct xl_where *w, const char *key, unsigned int nr, const char *option, const char *both)
{
    if (nr)
        xl_where_note(w, key, xl_where_is(w, key) ? both : option, 0);
}

/* What options say is not to be looked for in the file. */
static void options_note(struct xl_where *w, const struct run_options *o)
{
    if (o->cmdline)
        xl_where_note(w, "cmdline", "--cmdline", 0);
    if (o->ramdisk)
        xl_where_note(w, "ramdisk", "--ramdisk", 0);
    if (o->type_name)
        xl_where_note(w, "type", "--type", 0);
    if (o->memory_mib)
        xl_where_note(w, "memory", "--memory", 0);
    device_note(w, "disk", o->disks.nr, "--disk", "disk, --disk");
    device_note(w, "vif", o->vifs.nr, "--net", "vif, --net");
    device_note(w, "p9", o->p9s.nr, "--share", "p9, --share");
    device_note(w, "channel", o->channels.nr, "--channel", "channel, --channel");
    if (o->fb)
        xl_where_note(w, "vfb", "--fb", 0);
}

/* The devices of the file, and those of the options. -1 and a message: they are too many. */
static int devices_merge(struct guest_entry *e, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    const struct xl_config *cfg = &e->cfg;
    char why[XL_DISK_WHY_SIZE] = "";
    const char *option = NULL;

    e->vifs = cfg->vifs;
    e->p9s = cfg->p9s;
    e->channels = cfg->channels;
    if (!xl_disks_merge(&e->named, &cfg->disks, why) || !xl_disks_merge(&e->named, &o->disks, why))
        option = "--disk";
    else if (!xl_vifs_merge(&e->vifs, &o->vifs, why))
        option = "--net";
    else if (!xl_p9s_merge(&e->p9s, &o->p9s, why))
        option = "--share";
    else if (!xl_channels_merge(&e->channels, &o->channels, why))
        option = "--channel";
    if (!option)
        return 0;
    snprintf(err, GUEST_LIST_ERR_SIZE, "%s: beside those of %.200s: %s", option, cfg->where.path ?: "the guest", why);
    return -1;
}

/* The disks where they are. -1 and a message: out of memory. */
static int disks_place(struct guest_entry *e, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    bool good = (e->disks.list = calloc(e->named.nr + 1, sizeof(*e->disks.list)));

    for (unsigned int i = 0; good && i < e->named.nr; i++) {
        const char *path = e->named.list[i].path;

        e->disks.list[i] = e->named.list[i];
        e->disks.list[i].path = strdup(xl_disk_is_url(path) ? path : place(o, path));
        e->disks.nr++;
        good = e->disks.list[i].path;
    }
    if (!good)
        snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
    return good ? 0 : -1;
}

/* --fb. */
static const struct xl_fbs one_screen = { .nr_fbs = 1, .nr_kbds = 1 };

static void entry_merge(struct guest_entry *e, const char *kernel, const struct run_options *o)
{
    const struct xl_config *cfg = &e->cfg;

    options_note(&e->cfg.where, o);

    e->guest = (struct host_guest){
        .name = o->name ? o->name : cfg->name,
        .driver_domain = cfg->driver_domain,
        .kernel = place(o, kernel ? kernel : cfg->kernel),
        .ramdisk = place(o, o->ramdisk ? o->ramdisk : cfg->ramdisk),
        .cmdline = o->cmdline ? o->cmdline : cfg->cmdline,
        .has_type = o->type_name || cfg->has_type,
        .type = o->type_name ? o->type : cfg->type,
        .hvm = &cfg->hvm,
        .memory_mib = o->memory_mib ? (unsigned int)o->memory_mib : cfg->memory_mib,
        .maxmem_mib = cfg->maxmem_mib,
        .vcpus = o->vcpus ? (unsigned int)o->vcpus : cfg->vcpus,
        .maxvcpus = cfg->maxvcpus,
        .tsc_mode = cfg->tsc_mode,
        .where = &cfg->where,
        .has_uuid = cfg->has_uuid,
        .limits = cfg->limits,
        .sched = &cfg->sched,
        .cpuid = &cfg->cpuid,
        .disks = &e->disks,
        .vifs = &e->vifs,
        .p9s = &e->p9s,
        .channels = &e->channels,
        .fbs = o->fb && !cfg->fbs.nr_fbs ? &one_screen : &cfg->fbs,
        .on_poweroff = action_merge(&o->on_poweroff, cfg->on_poweroff),
        .on_reboot = action_merge(&o->on_reboot, cfg->on_reboot),
        .on_crash = action_merge(&o->on_crash, cfg->on_crash),
        .on_watchdog = action_merge(&o->on_watchdog, cfg->on_watchdog),
        .on_soft_reset = cfg->on_soft_reset,
    };
    memcpy(e->guest.uuid, cfg->uuid, sizeof(cfg->uuid));
}

/* A configuration of an HVM guest may have none, and an option may say that it is none. */
static int kernel_check(const struct guest_entry *e, char err[GUEST_LIST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    if (e->guest.kernel || e->guest.driver_domain)
        return 0;
    xl_where(&e->cfg.where, "type", where);
    snprintf(err, GUEST_LIST_ERR_SIZE, "%sthere is no kernel: a %s guest needs kernel = \"PATH\"", where,
             xl_type_name(e->guest.type));
    return -1;
}

static int entry_load(struct guest_entry *e, const char *named, const struct run_options *o,
                      char err[GUEST_LIST_ERR_SIZE])
{
    const char *path = place(o, named), *kernel;
    enum xl_file_kind kind;

    if (file_kind(path, &kind, err))
        return -1;
    if (kind == XL_FILE_UNKNOWN) {
        snprintf(err, GUEST_LIST_ERR_SIZE, "%s: %s", path, XL_FILE_UNKNOWN_WHY);
        return -1;
    }
    if (kind == XL_FILE_SAVED && host_saved_config(&e->cfg, path, err))
        return -1;
    if (kind == XL_FILE_CONFIG && xl_config_load(&e->cfg, path, err)) {
        hint_no_kernel(path, err);
        return -1;
    }
    if (devices_merge(e, o, err) || disks_place(e, o, err))
        return -1;
    if (!xl_sched_override(&e->cfg.sched, &o->guest_sched) || !xl_cpuid_override(&e->cfg.cpuid, &o->cpuid)) {
        snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
        return -1;
    }
    kernel = kind == XL_FILE_KERNEL ? named : NULL;
    if (kernel)
        xl_hvm_defaults(&e->cfg.hvm);
    entry_merge(e, kernel, o);
    e->is_config = kind != XL_FILE_KERNEL;
    e->guest.saved = kind == XL_FILE_SAVED ? path : NULL;
    if (guest_has_firmware(e))
        return guest_firmware(e, kernel, o, err);
    return kernel_check(e, err) || (guest_has_shim(e) && guest_shim(e, o, err)) ? -1 : 0;
}

static unsigned int may_have_mib(const struct host_guest *g)
{
    const unsigned int memory_mib = g->memory_mib ? g->memory_mib : g->driver_domain ? HOST_DRIVER_MIB : 64;
    const unsigned int screen_mib = g->has_type && g->type == XL_TYPE_HVM ? xl_hvm_screen_on_top_mib(g->hvm) : 0;

    return (g->maxmem_mib > memory_mib ? g->maxmem_mib : memory_mib) + screen_mib;
}

/* Without --ram the machine gets what the guests may have, which can be more than there is. */
static int total_check(const struct guest_list *l, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    const uint64_t total = l->total_mib * (o->copies ? o->copies : 1);
    const struct guest_entry *most = &l->entries[0];
    char where[XL_WHERE_SIZE];

    if (o->ram_mib || HOST_RAM_MIB(total) <= MACHINE_MAX_RAM_MIB)
        return 0;
    for (unsigned int i = 1; i < l->nr; i++)
        if (may_have_mib(&l->entries[i].guest) > may_have_mib(&most->guest))
            most = &l->entries[i];
    xl_where(&most->cfg.where, most->guest.maxmem_mib > most->guest.memory_mib ? "maxmem" : "memory", where);
    snprintf(err, GUEST_LIST_ERR_SIZE, "%sthe guests may have %llu MiB altogether, and a machine has room for %llu",
             where, (unsigned long long)total, (unsigned long long)(MACHINE_MAX_RAM_MIB - 32) * 32 / 33);
    return -1;
}

/* --- names --- */

static int name_order(const void *a, const void *b) { return strcmp(a, b); }

static bool name_taken(const void *data, const char *name)
{
    const struct guest_list *l = data;

    return tfind(name, &l->taken, name_order);
}

static bool name_give(struct guest_list *l, uint64_t i, char *name)
{
    l->names[i] = name;
    return name && tsearch(name, &l->taken, name_order);
}

/* The names that were stated: they come first, so that the others are made to differ from them. */
static int names_stated(struct guest_list *l, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    for (unsigned int i = 0; i < o->nr_drivers; i++) {
        if (tsearch(o->drivers[i], &l->taken, name_order))
            continue;
        snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
        return -1;
    }
    for (unsigned int i = 0; i < l->nr; i++) {
        const char *name = l->entries[i].guest.name;
        char where[XL_WHERE_SIZE];

        if (!name)
            continue;
        if (!strcmp(name, XL_DOM0_NAME) || name_taken(l, name)) {
            const char *why = strcmp(name, XL_DOM0_NAME) ? "another guest is called" : "dom0 is called";

            if (o->name)
                snprintf(err, GUEST_LIST_ERR_SIZE, "--name: %s \"%s\"", why, name);
            else
                snprintf(err, GUEST_LIST_ERR_SIZE, "%s%s \"%.100s\"", xl_where(&l->entries[i].cfg.where, "name", where),
                         why, name);
            return -1;
        }
        if (!name_give(l, i, strdup(name))) {
            snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
            return -1;
        }
    }
    return 0;
}

static int names_make(struct guest_list *l, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    uint64_t i = 0;

    l->nr_names = l->nr * (o->copies ? o->copies : 1);
    l->names = calloc(l->nr_names ?: 1, sizeof(*l->names));
    if (l->names && o->dom0 && !name_give(l, 0, strdup(XL_DOM0_NAME))) {
        snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
        return -1;
    }
    if (l->names && !o->dom0 && names_stated(l, o, err))
        return -1;
    for (; l->names && i < l->nr_names; i++) {
        const struct host_guest *g = &l->entries[i % l->nr].guest;
        char *name;

        if (l->names[i])
            continue;
        name = host_name_free(g->name     ? g->name
                              : g->kernel ? basename(g->kernel)
                                          : "driver",
                              (unsigned int)(i / l->nr) + 1, name_taken, l);
        if (!name_give(l, i, name))
            break;
    }
    if (l->names && i == l->nr_names)
        return 0;
    snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
    return -1;
}

static void name_keep(void *name) { (void)name; }

static void entry_free(struct guest_entry *e)
{
    xl_config_free(&e->cfg);
    xl_disks_free(&e->named);
    xl_disks_free(&e->disks);
    guest_firmware_free(e);
}

int guest_list_load(struct guest_list *l, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    memset(l, 0, sizeof(*l));
    l->options = o;
    l->entries = calloc(o->nr_guests ?: 1, sizeof(*l->entries)); /* none: who uses the library */
    if (!l->entries) {
        snprintf(err, GUEST_LIST_ERR_SIZE, "out of memory");
        return -1;
    }
    for (; l->nr < o->nr_guests; l->nr++) {
        struct guest_entry *e = &l->entries[l->nr];

        if (entry_load(e, o->guests[l->nr], o, err)) {
            entry_free(e);
            return -1;
        }
        l->total_mib += may_have_mib(&e->guest);
    }
    return total_check(l, o, err) ? -1 : names_make(l, o, err);
}

int guest_list_files(const struct guest_list *l, const struct run_options *o, guest_list_file_fn *fn, void *data)
{
    int rc = 0;

    for (unsigned int i = 0; i < l->nr && !rc; i++) {
        const struct guest_entry *e = &l->entries[i];
        const bool hvm = guest_has_firmware(e);
        const char *kernel = hvm ? NULL : e->is_config ? e->cfg.kernel : o->guests[i];
        const char *ramdisk = hvm ? NULL : o->ramdisk ? o->ramdisk : e->cfg.ramdisk;

        rc = e->is_config ? fn(data, o->guests[i]) : 0;
        rc = rc ?: kernel ? fn(data, kernel) : 0;
        rc = rc ?: ramdisk ? fn(data, ramdisk) : 0;
        for (unsigned int j = 0; j < FIRMWARE_NR && !rc; j++)
            rc = e->firmware[j] ? fn(data, e->firmware[j]) : 0;
        for (unsigned int j = 0; j < e->named.nr && !rc; j++)
            if (!xl_disk_is_url(e->named.list[j].path))
                rc = fn(data, e->named.list[j].path);
    }
    return rc;
}

static bool same_file(const struct stat *st, const char *path)
{
    struct stat other;

    return path && stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static bool is_disk_of(const struct guest_entry *e, const struct stat *st)
{
    for (unsigned int i = 0; i < e->disks.nr; i++)
        if (same_file(st, e->disks.list[i].path))
            return true;
    return false;
}

bool guest_list_reads(const struct guest_list *l, const struct run_options *o, const char *path)
{
    struct stat st;
    const bool file = !stat(path, &st) && S_ISREG(st.st_mode);

    for (unsigned int i = 0; file && i < l->nr; i++)
        if (same_file(&st, place(o, o->guests[i])) || same_file(&st, l->entries[i].guest.kernel) ||
            same_file(&st, l->entries[i].guest.ramdisk) || same_file(&st, l->entries[i].guest.vgabios) ||
            same_file(&st, l->entries[i].guest.nicrom) || same_file(&st, l->entries[i].guest.shim) ||
            is_disk_of(&l->entries[i], &st))
            return true;
    return false;
}

void guest_list_free(struct guest_list *l)
{
    for (unsigned int i = 0; i < l->nr; i++)
        entry_free(&l->entries[i]);
    tdestroy(l->taken, name_keep);
    for (uint64_t i = 0; l->names && i < l->nr_names; i++)
        free(l->names[i]);
    free(l->names);
    free(l->entries);
    memset(l, 0, sizeof(*l));
}
