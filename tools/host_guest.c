// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guests of a host: read from their files, built, scheduled, connected, started. What becomes of them when they
 * shut down is in host_shutdown.c.
 *
 * Building is work of dom0 and takes dom0's time, the first guest's as well as that of one that restarts while others
 * run: it is done by the guest's task, a step at a time. host_guest_add() lets the machine run until that is done.
 * Reading the files is not: they are outside of the machine.
 *
 * Budget: a guest's way from its settings to its first instruction, in one piece.
 */
#include "tools/host_saved.h"
#include "tools/save/restore.h"
#include "tools/xc/xc.h"
#include "tools/xl/guest_cpuid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_GUEST_MIB 64
#define BUILD_PATIENCE    SECONDS(1000) /* virtual; 1 TiB takes 100 */

/* --- building and taking down guests --- */

void guest_disconnect(struct guest *g)
{
    console_backend_destroy(g->console);
    driver_end(g);
    guest_dm_destroy(g);
    dom0_disconnect(g);
    xenbus_domain_gone(g->host->bus, g->domid);
    if (g->introduced)
        guest_unannounce(g);
    g->console = NULL;
}

void guest_free(struct host *h, struct guest *g)
{
    guest_name_drop(h, g);
    task_end(&g->task);
    turn_forget(h, g);
    build_pv_end(g->builder);
    build_hvm_end(g->hvm_builder);
    restore_end(g->restorer);
    guest_disconnect(g);
    xfree(g->cfg.name);
    xfree(g->cfg.kernel);
    xfree(g->cfg.ramdisk);
    xfree(g->cfg.vgabios);
    xfree(g->cfg.nicrom);
    xfree(g->cfg.cmdline);
    xfree(g->cfg.shim);
    xfree(g->cfg.shim_cmdline);
    xl_sched_release(&g->sched);
    xl_cpuid_release(&g->cpuid);
    guest_devices_free(g);
    xfree(g);
}

static void sched_warning(void *data, const char *line) { host_message(data, "%s", line); }

/* Pool, affinity, weight...: between building and unpausing. */
static int guest_schedule(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const struct guest_sched_env env = { xc(h), h->pools, h->nr_pools, g->built ? NULL : sched_warning, h };

    return guest_sched_apply(&env, g->domid, g->cfg.maxvcpus, &g->sched, err);
}

/* An emulated TSC is invariant wherever the domain goes (libxl__cpuid_legacy()). */
static int guest_set_cpuid(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const struct guest_cpuid_kind kind = { .hvm = guest_is_hvm(g),
                                           .invariant_tsc = g->cfg.tsc_mode == XL_TSC_ALWAYS_EMULATE,
                                           .no_pae = guest_has_dm(g) && !g->hvm.pae,
                                           .no_nx = guest_has_dm(g) && !g->hvm.nx };

    return guest_cpuid_apply(xc(h), g->domid, &kind, &g->cpuid, err);
}

static void console_out(void *data, domid_t domid, const char *text, size_t len)
{
    (void)domid;
    guest_console_out(data, text, len);
}

static size_t console_in(void *data, domid_t domid, char *buf, size_t len)
{
    struct guest *g = data;

    return domid != g->domid || guest_types_on_pc(g) ? 0 : guest_input_take(g, buf, len);
}

void guest_input_take_back(struct guest *g)
{
    char unread[sizeof(g->input) - HOST_INPUT_MAX];
    const size_t n = console_backend_unread(g->console, unread, sizeof(unread));

    memmove(g->input + n, g->input, g->nr_input);
    memcpy(g->input, unread, n);
    g->nr_input += n;
}

/* The same for a file: where it is named, and its path. */
static void file_fail(const struct guest *g, const char *key, const char *path, const char *why,
                      char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    snprintf(err, HOST_ERR_SIZE, "%s%.400s: %.100s", xl_where(g->cfg.where, key, where), path, why);
}

static void build_describe(struct guest *g)
{
    g->build = (struct pv_build){
        .image = &g->kernel->image,
        .ramdisk = g->ramdisk ? g->ramdisk->data : NULL,
        .ramdisk_size = g->ramdisk ? g->ramdisk->size : 0,
        .cmdline = g->cfg.shim ? g->cfg.shim_cmdline : g->cfg.cmdline,
        .inner = g->inner ? g->inner->data : NULL,
        .inner_size = g->inner ? g->inner->size : 0,
        .inner_cmdline = g->inner ? g->cfg.cmdline : NULL,
        .nr_pages = (uint64_t)g->cfg.memory_mib << 8,
        .max_pages = (uint64_t)g->cfg.maxmem_mib << 8,
        .max_vcpus = g->cfg.maxvcpus,
        .online_vcpus = g->cfg.vcpus,
        .tsc_mode = g->cfg.tsc_mode,
        .dom0 = g->cfg.dom0,
        .extents = g->p9s, /* Linux takes it for granted that its rings' frames are neighbours */
        .limits = g->cfg.limits,
    };
    memcpy(g->build.handle, g->cfg.uuid, sizeof(g->build.handle));
}

static bool build_begin(struct host *h, struct guest *g)
{
    char where[XL_WHERE_SIZE];

    if (!g->built && g->cfg.cmdline && strlen(g->cfg.cmdline) >= MAX_GUEST_CMDLINE && (g->cfg.shim || !guest_is_hvm(g)))
        host_message(h, "%swarning: of the %zu characters of the command line the guest is given the first %d",
                     guest_where(g, "cmdline", where), strlen(g->cfg.cmdline), MAX_GUEST_CMDLINE - 1);
    if (!g->built && guest_is_hvm(g))
        guest_hvm_warn(h, g);
    g->restored = false;
    build_describe(g);
    if (guest_is_hvm(g))
        g->hvm_builder = guest_hvm_build(h, g);
    else
        g->builder = build_pv_begin(xc(h), h->arena, &g->build, g->build_err);
    return g->builder || g->hvm_builder;
}

/* A saved domain becomes this one's, once: if the guest starts again it is from its kernel. */
static int restore_some(struct host *h, struct guest *g)
{
    struct hvm_settings settings;
    int rc = -1;

    if (!g->restorer) {
        build_describe(g);
        guest_hvm_settings(g, &settings);
        g->restorer = restore_begin(xc(h), h->arena, &g->saved->saved, &g->build, &settings, g->build_err);
    }
    if (g->restorer)
        rc = restore_step(g->restorer);
    if (rc > 0)
        return rc;
    restore_end(g->restorer);
    g->restorer = NULL;
    g->restored = !rc;
    if (!rc) {
        g->dm_state = guest_has_dm(g) ? &g->saved->saved.emulator : NULL;
        g->saved = NULL;
    }
    return rc;
}

/* One step of it, which may be the first: as build_pv_step(). At its end nothing of the builder is left. */
static int build_step(struct host *h, struct guest *g)
{
    int rc = -1;

    if (g->saved)
        return restore_some(h, g);
    if (g->builder || g->hvm_builder || build_begin(h, g))
        rc = guest_is_hvm(g) ? build_hvm_step(g->hvm_builder) : build_pv_step(g->builder);
    if (rc > 0)
        return rc;
    build_pv_end(g->builder);
    build_hvm_end(g->hvm_builder);
    g->builder = NULL;
    g->hvm_builder = NULL;
    return rc;
}

int guest_connect(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const struct pv_build *b = &g->build;
    const struct console_io io = { g, console_out, console_in, NULL };
    const struct console_place console = { .domid = b->domid, .mfn = b->console_mfn, .port = b->console_port };

    g->domid = b->domid;
    g->console_mfn = b->console_mfn;
    g->store_mfn = b->store_mfn;
    g->console_port = b->console_port;
    g->store_port = b->store_port;
    if (g->cfg.dom0)
        return dom0_connect(h, g, err);
    if (drivers_are_there(g, err) || (!g->restored && guest_set_cpuid(h, g, err)) || guest_schedule(h, g, err)) {
        xc_domain_destroy(xc(h), b->domid);
        return -1;
    }
    if (!g->built && b->image->symtab_lost)
        host_message(h, "%s: the kernel asks for its symbol table, but its file has none: loaded without",
                     g->cfg.kernel);
    if (b->scattered)
        host_message(h,
                     "%s: warning: not enough extents of 2 MiB are free for all of its memory: Linux mistakes the "
                     "frames of its rings of shared folders then (see --ram)",
                     g->cfg.name);
    g->console = console_backend_create(h->dom0, &console, &io);
    if (guest_dm_create(h, g, err)) {
        guest_disconnect(g);
        xc_domain_destroy(xc(h), b->domid);
        return -1;
    }
    g->built = true;
    if (g->console && g->restored) /* it was there already, and will not say so again */
        console_backend_connect(g->console);
    if (g->console && guest_devices_bus(g) && guest_introduce(g)) {
        g->born = host_now(h);
        g->crash_wanted = false;
        h->guest_of[g->domid] = g;
        return 0;
    }
    guest_disconnect(g);
    xc_domain_destroy(xc(h), b->domid);
    snprintf(err, HOST_ERR_SIZE, "%s: the console or xenstore cannot be connected", g->cfg.kernel);
    return -1;
}

int guest_build_step(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];
    int rc;

    if (g->cfg.driver_domain) {
        rc = driver_build(h, g, err);
        if (rc)
            guest_disconnect(g);
        if (rc && g->domid)
            xc_domain_destroy(xc(h), g->domid);
        return rc;
    }
    rc = build_step(h, g);
    if (rc > 0)
        return rc;
    if (rc == 0)
        return guest_connect(h, g, err);
    if (g->build.setting)
        snprintf(err, HOST_ERR_SIZE, "%s%s", guest_where(g, g->build.setting, where), g->build_err);
    else if (g->saved)
        snprintf(err, HOST_ERR_SIZE, "%.400s: %.400s", g->saved->path, g->build_err);
    else
        file_fail(g, guest_kernel_key(g), guest_image_path(g), g->build_err, err);
    return -1;
}

/* Let the machine run until the guest is built. */
static int guest_built_wait(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    g->state = GUEST_BUILD;
    task_init(&g->task, h->dom0, h->guest_task, g);
    task_ready(&g->task);
    if (!host_wait(h, BUILD_PATIENCE, &g->settled)) {
        snprintf(err, HOST_ERR_SIZE, "%s: cannot be built: the scheduler %s gives dom0 no pCPU", g->cfg.kernel,
                 host_sched_name(h));
        return -1;
    }
    g->added = true;
    memcpy(err, g->err, HOST_ERR_SIZE);
    return g->state == GUEST_ALIVE ? 0 : -1;
}

/* Its own, or one that is made of the kernel's. NULL: out of memory. */
static char *guest_name(struct host *h, const struct host_guest *cfg)
{
    const char *base = cfg->driver_domain ? "driver" : basename(cfg->kernel);
    char *made = cfg->name ? NULL : host_name_free(base, 1, guest_name_taken, h), *name = NULL;

    if (cfg->name || made)
        name = xstrdup(h->arena, cfg->name ? cfg->name : made);
    free(made);
    return name;
}

bool guest_configure(struct guest *g, const struct host_guest *cfg)
{
    struct arena *a = g->host->arena;

    g->cfg = *cfg;
    g->cfg.name = guest_name(g->host, cfg);
    g->cfg.kernel = xstrdup(a, cfg->kernel ? cfg->kernel : g->cfg.name ? g->cfg.name : "");
    g->cfg.ramdisk = cfg->ramdisk ? xstrdup(a, cfg->ramdisk) : NULL;
    g->cfg.vgabios = cfg->vgabios ? xstrdup(a, cfg->vgabios) : NULL;
    g->cfg.nicrom = cfg->nicrom ? xstrdup(a, cfg->nicrom) : NULL;
    g->cfg.cmdline = cfg->cmdline ? xstrdup(a, cfg->cmdline) : NULL;
    g->cfg.shim = cfg->shim ? xstrdup(a, cfg->shim) : NULL;
    g->cfg.shim_cmdline = cfg->shim_cmdline ? xstrdup(a, cfg->shim_cmdline) : NULL;
    g->cfg.sched = &g->sched;
    g->cfg.cpuid = &g->cpuid;
    guest_hvm_configure(g, cfg->hvm);
    if (!g->cfg.memory_mib)
        g->cfg.memory_mib = cfg->driver_domain ? HOST_DRIVER_MIB : DEFAULT_GUEST_MIB;
    if (g->cfg.maxmem_mib < g->cfg.memory_mib)
        g->cfg.maxmem_mib = g->cfg.memory_mib;
    if (!g->cfg.vcpus)
        g->cfg.vcpus = 1;
    if (g->cfg.maxvcpus < g->cfg.vcpus)
        g->cfg.maxvcpus = g->cfg.vcpus;
    if (cfg->sched && !xl_sched_copy(a, &g->sched, cfg->sched))
        return false;
    if (cfg->cpuid && !xl_cpuid_copy(a, &g->cpuid, cfg->cpuid))
        return false;
    if (!guest_devices_copy(g, cfg))
        return false;
    g->cfg.disks = NULL;
    return g->cfg.name && g->cfg.kernel && (!cfg->ramdisk || g->cfg.ramdisk) && (!cfg->vgabios || g->cfg.vgabios) &&
           (!cfg->nicrom || g->cfg.nicrom) && (!cfg->cmdline || g->cfg.cmdline) && (!cfg->shim || g->cfg.shim) &&
           (!cfg->shim_cmdline || g->cfg.shim_cmdline);
}

/* Of one kernel: the others' reason is the same. */
static void kept_warn(struct host *h, const struct cached_image *kernel)
{
    if (!kernel->image.not_kept[0] || h->kept_told)
        return;
    h->kept_told = true;
    host_message(h, "warning: %.200s cannot be kept unpacked, so each start takes longer (see: xenlab doctor): %s",
                 kernel->path, kernel->image.not_kept);
}

/* The kernel in a shim, as it is in its file. That it is one is looked at here: the shim's words would be others. */
static int guest_load_inner(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    char why[IMAGE_ERR_SIZE];

    if (image_cache_get(&h->edges->files, g->cfg.kernel, IMAGE_PV, why))
        g->inner = image_cache_file(&h->edges->files, g->cfg.kernel, why);
    if (!g->inner)
        file_fail(g, "kernel", g->cfg.kernel, why, err);
    return g->inner ? 0 : -1;
}

static int guest_load_saved(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const char *path = g->cfg.saved, *why;

    if (!path)
        return 0;
    g->saved = saved_file_get(h->edges, path, g->cfg.saved_digest, err);
    why = g->saved ? saved_file_unfit(g->saved, g) : NULL;
    if (why)
        snprintf(err, HOST_ERR_SIZE, "%.400s: %s", path, why);
    g->cfg.saved = g->cfg.saved_digest = NULL; /* the caller's */
    return g->saved && !why ? 0 : -1;
}

int guest_load(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    char why[IMAGE_ERR_SIZE];

    if (g->cfg.driver_domain && g->cfg.saved) {
        snprintf(err, HOST_ERR_SIZE, "%.400s: a driver domain is not saved", g->cfg.saved);
        return -1;
    }
    if (g->cfg.driver_domain) {
        if (strcmp(g->cfg.kernel, g->cfg.name) != 0)
            host_message(h, "%s: a driver domain runs xenlab's own back ends, and %.400s is not loaded", g->cfg.name,
                         g->cfg.kernel);
        return guest_devices_none(g, err);
    }
    g->kernel = image_cache_get(&h->edges->files, guest_image_path(g), guest_image_mode(g), why);
    if (!g->kernel) {
        file_fail(g, guest_kernel_key(g), guest_image_path(g), why, err);
        return -1;
    }
    kept_warn(h, g->kernel);
    if (g->cfg.shim && guest_load_inner(h, g, err))
        return -1;
    if (g->cfg.ramdisk && !(g->ramdisk = image_cache_file(&h->edges->files, g->cfg.ramdisk, why))) {
        file_fail(g, guest_has_dm(g) ? "bios_path_override" : "ramdisk", g->cfg.ramdisk, why, err);
        return -1;
    }
    if (g->cfg.vgabios && !(g->vgabios = image_cache_file(&h->edges->files, g->cfg.vgabios, why))) {
        file_fail(g, "vga", g->cfg.vgabios, why, err);
        return -1;
    }
    if (g->cfg.nicrom && !(g->nicrom = image_cache_file(&h->edges->files, g->cfg.nicrom, why))) {
        file_fail(g, "boot", g->cfg.nicrom, why, err);
        return -1;
    }
    return guest_load_saved(h, g, err) ?: guest_devices_open(h, g, err);
}

void guest_list_append(struct host *h, struct guest *g)
{
    *h->guests_tail = g;
    h->guests_tail = &g->next;
    g->index = g->cfg.unlisted ? HOST_UNLISTED + h->nr_unlisted++ : h->nr_guests++;
}

int host_guest_add(struct host *h, const struct host_guest *cfg, domid_t *domid, char err[HOST_ERR_SIZE])
{
    struct guest *g = xzalloc(h->arena, struct guest);

    if (g)
        g->host = h;
    if (!g || !guest_configure(g, cfg)) {
        snprintf(err, HOST_ERR_SIZE, "out of memory");
        goto fail;
    }
    if (g->cfg.dom0 && (guest_is_hvm(g) || g->cfg.saved)) {
        snprintf(err, HOST_ERR_SIZE, "%s: dom0: expected a PV kernel, got %s", g->cfg.kernel,
                 g->cfg.saved      ? "a saved domain"
                 : guest_has_dm(g) ? "type hvm"
                                   : "type pvh");
        goto fail;
    }
    if ((!g->cfg.dom0 && !strcmp(g->cfg.name, XL_DOM0_NAME)) || guest_name_taken(h, g->cfg.name)) {
        snprintf(err, HOST_ERR_SIZE, "%s: a domain with the name \"%s\" exists already", g->cfg.kernel, g->cfg.name);
        goto fail;
    }
    if (h->guests_left == HOST_MAX_GUESTS) {
        snprintf(err, HOST_ERR_SIZE, "%s: there are %u guests already: dom0 has no event channels left", g->cfg.kernel,
                 HOST_MAX_GUESTS);
        goto fail;
    }
    guest_name_claim(h, g);
    guest_uuid_make(g);
    if (guest_load(h, g, err) || guest_built_wait(h, g, err))
        goto fail;
    guest_list_append(h, g);
    h->guests_left += !g->cfg.driver_domain;
    *domid = g->domid;
    return 0;

fail:
    if (g)
        guest_free(h, g);
    return -1;
}

int host_guest_start(struct host *h, domid_t domid) { return xc_domain_unpause(xc(h), domid); }
