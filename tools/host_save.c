// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab ctl save` and `restore`: a guest becomes a file, and is made of it again, in this run or another.
 *
 * Concept: a guest takes part in being saved (tools/xc/resume.c): it is asked to suspend, puts away what it knows of
 * this machine, and then stands still in a hypercall. What it is then is written down in one step (tools/save/), and
 * the domain goes, or (-c) its hypercall answers that the suspend was called off.
 *
 *      control/shutdown = suspend --> SHUTDOWN_suspend --> write --> destroy; -c: go on; -p: stay, paused
 *           '- 60 s without --> control/shutdown = ""
 *
 * An HVM guest without drivers for Xen takes no part, and is stopped. Its device model stops with it, and is in the
 * file, too (rings/dm/state.h).
 *
 *      file --> its configuration --> a guest --> its domain, a step at a time --> connect --> its hypercall returns 0
 *
 * Its disks are not in the file: a restored guest has those that its configuration names, as they are then.
 *
 * Invariants: while it is written a guest is GUEST_SUSPENDED, and nobody else touches it. Whatever fails, it goes on;
 * and of a guest that cannot be restored nothing is left. A file that could not be written is remembered, so that a run
 * that goes back comes to the same end; one that is repeated writes none.
 *
 * Corresponds to the commands of these names in xl, and to tools/libs/light/libxl_dom_suspend.c.
 */
#include "tools/host_ctl_private.h"
#include "tools/host_saved.h"
#include "tools/save/save.h"
#include "tools/user_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

#define SUSPEND_PATIENCE SECONDS(60) /* libxl's; virtual */

/* --- saving --- */

bool save_waits(const struct host *h, const struct ctl_job *job)
{
    return job->suspends && job->suspends->state == GUEST_ALIVE && host_now(h) < job->deadline;
}

/*
 * An HVM guest without drivers for Xen, which would have asked for interrupts by event channel, knows nothing of it: it
 * is stopped where it is.
 */
static int suspend_ask(struct host *h, const struct guest *g)
{
    uint64_t callback = 0;
    const int rc = guest_has_dm(g) ? xc_hvm_param_get(xc(h), g->domid, HVM_PARAM_CALLBACK_IRQ, &callback) : 0;

    if (guest_has_dm(g) && !rc && !callback)
        return xc_domain_shutdown(xc(h), g->domid, SHUTDOWN_suspend);
    domain_node_write(h, g->domid, "control/shutdown", "suspend");
    return rc;
}

static enum outcome save_begin(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    const char *type;

    if (!g)
        return FAILED;
    if (g->state != GUEST_ALIVE || g->suspend_wanted || g->template_only)
        return ctl_fail(c, "%s cannot be saved now: it is being built, taken down, saved or cloned, or a snapshot\n",
                        g->cfg.name);
    if (g->driver)
        return ctl_fail(c, "%s is a driver domain: what it has in memory is its guests' business\n", g->cfg.name);
    if (g->cfg.shim)
        return ctl_fail(c, "%s cannot be saved: it runs in a shim\n", g->cfg.name);
    type = guest_devices_unsaved(g);
    if (type)
        return ctl_fail(c, "%s cannot be saved: it has a device of type %s\n", g->cfg.name, type);
    if (suspend_ask(c->h, g))
        return ctl_fail(c, "%s cannot be asked to suspend\n", g->cfg.name);
    g->suspend_wanted = true;
    c->job->suspends = g;
    c->job->deadline = host_now(c->h) + SUSPEND_PATIENCE;
    return WAITS;
}

/* The guest to a file; where this happens again, to none. What is done to the guest is the same. */
static bool write_file(struct context *c, const struct guest *g)
{
    const bool hvm = guest_is_hvm(g);
    char *config = guest_config_text(g), why[SAVE_ERR_SIZE] = "", open_why[128] = "";
    const char *path = c->r->arg[1];
    struct save_what what = { g->domid, hvm, hvm || g->kernel->image.is64, config, NULL, 0 };
    const bool again = c->h->edges->silent || c->h->edges->is_recorded;
    const int fd = again ? -1 : user_file_create(path, open_why, sizeof(open_why));
    struct save_out out = { .file = fd >= 0 ? fdopen(fd, "w") : NULL };
    uint8_t *dm = NULL;
    int rc = guest_dm_stop(g);

    if (!rc && guest_has_dm(g)) {
        what.emulator_size = guest_dm_save(g, NULL, 0);
        what.emulator = dm = malloc(what.emulator_size);
        if (dm)
            guest_dm_save(g, dm, what.emulator_size);
    }
    if (rc)
        snprintf(why, sizeof(why), "its device model does not stop: %s", strerror(-rc));
    else if (!config || (guest_has_dm(g) && !dm))
        snprintf(why, sizeof(why), "out of memory");
    rc = *why ? -1 : save_domain(xc(c->h), &what, &out, why);
    free(config);
    free(dm);
    if (fd >= 0 && (out.file ? fclose(out.file) : close(fd)) && !out.error)
        out.error = errno;
    if (fd >= 0 && (rc || out.error))
        unlink(path);
    if (rc)
        ctl_say(c, HOST_CTL_ERR, "%s cannot be saved: %s\n", g->cfg.name, why);
    else if (!again && (fd < 0 || out.error))
        ctl_say(c, HOST_CTL_ERR, "%.400s: %s\n%s is not saved\n", path, fd < 0 ? open_why : strerror(out.error),
                g->cfg.name);
    if (again)
        return !rc && !saved_file_failed(c->h->edges, c->job->id);
    if (!rc && (fd < 0 || out.error))
        saved_file_fail(c->h->edges, c->job->id);
    return !rc && fd >= 0 && !out.error;
}

/* What was to become of it becomes of it, if it was saved; else it goes on. */
static enum outcome save_end(struct context *c, struct guest *g, bool good)
{
    const bool pause = c->r->option['p'];

    g->suspend_wanted = false;
    c->job->suspends = NULL;
    if (good && !pause && !c->r->option['c']) {
        guest_dm_leaves(g);
        guest_destroy(c->h, g);
        c->job->waits_for = g;
        return WAITS;
    }
    if (pause && xc_domain_pause(xc(c->h), g->domid))
        good = false;
    if (guest_dm_go_on(g))
        good = false;
    guest_resume(c->h, g);
    return g->state == GUEST_ALIVE && good ? DONE : FAILED;
}

enum outcome ctl_save(struct context *c)
{
    struct guest *g = c->job->suspends;

    if (!g)
        return save_begin(c);
    if (g->state == GUEST_ALIVE) {
        domain_node_write(c->h, g->domid, "control/shutdown", "");
        g->suspend_wanted = false;
        c->job->suspends = NULL;
        return ctl_fail(c, "guest didn't acknowledge suspend, cancelling request\n%s cannot be saved\n", g->cfg.name);
    }
    if (g->state != GUEST_SUSPENDED) {
        g->suspend_wanted = false; /* what is started in its place is nobody's */
        c->job->suspends = NULL;
        return ctl_fail(c, "%s is gone, or has shut down otherwise\n", g->cfg.name);
    }
    return save_end(c, g, write_file(c, g));
}

/* --- restoring --- */

static const char *digest_stated(const struct ctl_request *r) { return r->option['s']; }

/* What it starts with, if it starts again: what its configuration names, or what this run's guests start with. */
static void firmware_settings(const struct host *h, const struct xl_hvm *hvm, struct host_guest *g)
{
    char *const *found = h->edges->firmware;

    g->kernel = hvm->firmware ?: found[HOST_HVMLOADER];
    g->ramdisk = hvm->bios_path ?: found[HOST_SEABIOS];
    g->vgabios = hvm->vga == XL_VGA_NONE ? NULL : found[HOST_VGABIOS];
    g->nicrom = strchr(hvm->boot, 'n') ? found[HOST_NIC_ROM] : NULL;
    g->is_firmware = !hvm->firmware;
}

static void guest_settings(const struct host *h, const struct ctl_request *r, const struct saved_file *f,
                           struct host_guest *g)
{
    const struct xl_config *cfg = &f->cfg;

    *g = (struct host_guest){
        .name = r->option['n'] ?: cfg->name,
        .saved = f->path,
        .saved_digest = f->digest,
        .driver_domain = cfg->driver_domain,
        .kernel = cfg->kernel,
        .ramdisk = cfg->ramdisk,
        .cmdline = cfg->cmdline,
        .has_type = cfg->has_type,
        .type = cfg->type,
        .hvm = &cfg->hvm,
        .memory_mib = cfg->memory_mib,
        .maxmem_mib = cfg->maxmem_mib,
        .vcpus = cfg->vcpus,
        .maxvcpus = cfg->maxvcpus,
        .tsc_mode = cfg->tsc_mode,
        .has_uuid = cfg->has_uuid,
        .limits = cfg->limits,
        .sched = &cfg->sched,
        .cpuid = &cfg->cpuid,
        .disks = &cfg->disks,
        .vifs = &cfg->vifs,
        .p9s = &cfg->p9s,
        .fbs = &cfg->fbs,
        .channels = &cfg->channels,
        .on_poweroff = cfg->on_poweroff,
        .on_reboot = cfg->on_reboot,
        .on_crash = cfg->on_crash,
        .on_watchdog = cfg->on_watchdog,
        .on_soft_reset = cfg->on_soft_reset,
    };
    memcpy(g->uuid, cfg->uuid, sizeof(g->uuid));
    if (g->has_type && g->type == XL_TYPE_HVM)
        firmware_settings(h, &cfg->hvm, g);
}

/* Another one with this UUID is there, and has its addresses, too. */
static bool uuid_taken(const struct host *h, const uint8_t uuid[16])
{
    for (const struct guest *g = h->guests; g; g = g->next)
        if (g->state != GUEST_ENDED && !memcmp(g->cfg.uuid, uuid, sizeof(g->cfg.uuid)))
            return true;
    return false;
}

/* Nobody's yet: what it is to become. NULL, and why. */
static struct guest *guest_make(struct host *h, struct host_guest *g, char err[HOST_ERR_SIZE])
{
    struct guest *made = xzalloc(h->arena, struct guest);
    struct xl_vifs vifs = *g->vifs;

    if (g->has_uuid && uuid_taken(h, g->uuid)) {
        g->has_uuid = false;
        for (unsigned int i = 0; i < vifs.nr; i++)
            vifs.list[i].has_mac = false;
    }
    g->vifs = &vifs;
    snprintf(err, HOST_ERR_SIZE, "out of memory");
    if (!made)
        return NULL;
    made->host = h;
    made->built = made->added = true;
    if (guest_configure(made, g)) {
        guest_name_claim(h, made);
        guest_uuid_make(made);
        if (!guest_load(h, made, err))
            return made;
    }
    guest_free(h, made);
    return NULL;
}

void restoring_forget(struct host *h, const struct ctl_job *job)
{
    if (job->restores)
        guest_free(h, job->restores);
}

static enum outcome restore_start(struct context *c)
{
    char err[HOST_ERR_SIZE];
    const struct saved_file *f = saved_file_get(c->h->edges, c->r->arg[0], digest_stated(c->r), err);
    struct host_guest g;

    if (!f)
        return ctl_fail(c, "%s\n", err);
    guest_settings(c->h, c->r, f, &g);
    if (!g.name || !g.kernel)
        return ctl_fail(c, "%s: its configuration states no name, or no kernel\n", c->r->arg[0]);
    if (!ctl_name_free(c, g.name))
        return FAILED;
    if (c->h->guests_left == HOST_MAX_GUESTS)
        return ctl_fail(c, "there are %u guests already: dom0 has no event channels left\n", HOST_MAX_GUESTS);
    c->job->restores = guest_make(c->h, &g, err);
    return c->job->restores ? MORE : ctl_fail(c, "%s cannot be restored: %s\n", g.name, err);
}

/* It is a guest like all others from now on. */
static void join(struct host *h, struct guest *made, bool paused)
{
    guest_list_append(h, made);
    h->guests_left++;
    made->state = GUEST_ALIVE;
    made->settled = true;
    task_init(&made->task, h->dom0, h->guest_task, made);
    if (!paused)
        host_guest_start(h, made->domid);
}

enum outcome ctl_restore(struct context *c)
{
    struct guest *made = c->job->restores;
    int rc;

    if (!made)
        return restore_start(c);
    rc = guest_build_step(c->h, made, made->err);
    if (rc > 0)
        return MORE;
    c->job->restores = NULL;
    if (!rc) {
        join(c->h, made, c->r->option['p']);
        return DONE;
    }
    ctl_say(c, HOST_CTL_ERR, "%s cannot be restored: %s\n", made->cfg.name, made->err);
    guest_free(c->h, made);
    return FAILED;
}

/* --- before the command comes in --- */

bool host_ctl_restore_prepare(struct host *h, const struct ctl_request *r, char err[HOST_ERR_SIZE])
{
    char why[HOST_ERR_SIZE], *text;
    const struct saved_file *f = saved_file_now(h->edges, r->arg[0], digest_stated(r), why);
    size_t len;

    for (unsigned int i = 0; f && i < f->cfg.disks.nr; i++) {
        FILE *t = open_memstream(&text, &len);
        int rc = -1;

        if (t) {
            guest_disk_text(t, &f->cfg.disks.list[i]);
            fclose(t);
            rc = vbd_devices.prepare(h, text, why);
            free(text);
        }
        if (rc)
            f = NULL;
    }
    if (!f)
        snprintf(err, HOST_ERR_SIZE, "%.900s\n", why);
    return f;
}

size_t host_ctl_words(struct host *h, const char *words, size_t len, char *all)
{
    const size_t first = strlen(words) + 1;
    char why[HOST_ERR_SIZE];
    const struct saved_file *f;
    struct ctl_request r;
    size_t added;

    memcpy(all, words, len);
    if (ctl_parse(words, len, &r, why) || strcmp(r.command->name, "restore") != 0 || digest_stated(&r))
        return len;
    f = saved_file_get(h->edges, r.arg[0], NULL, why);
    added = sizeof("--sha256=") + SAVED_DIGEST_SIZE - 1;
    if (!f || len + added > CTL_WORDS_SIZE)
        return len;
    snprintf(all + first, added, "--sha256=%s", f->digest);
    memcpy(all + first + added, words + first, len - first);
    return len + added;
}
