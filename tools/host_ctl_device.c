// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices that come and go while their guest runs: `xenlab ctl block-attach`, `block-detach` and their kin.
 *
 * Concept: the toolstack writes nodes, and waits for the back end, which tells by its `state` how far it is:
 *
 *      attach   write both directories               state 2, or further: it is offered, the guest may take it
 *      detach   online = 0, state = 5 (Closing)      state 6, when the guest has let go: remove the nodes
 *               --force: first the guest's directory goes, so that it need not be asked
 *
 * A command that waits has a watch on that node, and a time: after ten seconds it has failed, as xl's. A device that
 * could not be offered is taken away again; one that the guest does not let go stays.
 *
 * Corresponds to libxl__wait_device_connection() and libxl__initiate_device_generic_remove() in
 * libxl_device.c, and to xl_block.c.
 */
#include "tools/host_ctl_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define PATIENCE SECONDS(10) /* LIBXL_INIT_TIMEOUT, LIBXL_DESTROY_TIMEOUT */

/* The kinds that have such commands. */
static const struct device_word {
    const char *word;  /* "block": of block-attach */
    const char *libxl; /* what libxl calls it */
    const struct device_kind *kind;
} device_words[] = {
    { "block", "disk", &vbd_devices },
    { "network", "nic", &vif_devices },
};

static const struct device_word *word_of(const struct context *c)
{
    const struct device_word *w = device_words;

    if (!strcmp(c->r->command->name, "cd-insert"))
        return w;
    while (strncmp(c->r->command->name, w->word, strlen(w->word)) != 0)
        w++;
    return w;
}

/* --- waiting --- */

static void watch_fired(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    struct host *h = data;

    (void)hdr;
    (void)payload;
    task_ready(&h->ctl);
}

/* Come again when the node's state is one of these (a bit each), or it is gone, or time is up. */
static enum outcome wait_for(struct context *c, const char *back, unsigned int states)
{
    struct host *h = c->h;
    const struct xs_watch *w;
    char *own;

    snprintf(c->job->state_path, sizeof(c->job->state_path), "%s/state", back);
    c->job->states = states;
    c->job->deadline = host_now(h) + PATIENCE;
    if (!h->ctl_watches.store)
        xs_conn_init(&h->ctl_watches, &h->xenstored->store, 0, watch_fired, h);
    own = xstrdup(h->arena, c->job->state_path);
    if (!own || xs_watch_add(&h->ctl_watches, own, "ctl", false, &w))
        xfree(own); /* another command waits for it as well; or it is looked at when time is up */
    task_ready(&h->ctl);
    return WAITS;
}

static int state_of(struct host *h, const char *path)
{
    char value[NODE_PATH_SIZE];

    return node_read(h, path, value) && *value ? atoi(value) : -1;
}

bool ctl_job_waits(struct host *h, const struct ctl_job *job)
{
    const int state = *job->state_path ? state_of(h, job->state_path) : -1;

    if (job->waits_for || clone_waits(h, job) || save_waits(h, job))
        return true;
    return state >= 0 && !(state < 32 && job->states >> state & 1) && host_now(h) < job->deadline;
}

/* It has waited. True: for what it has waited for, or that is gone. */
static bool waited(struct context *c)
{
    const int state = state_of(c->h, c->job->state_path);

    xs_watch_remove(&c->h->ctl_watches, c->job->state_path, "ctl");
    *c->job->state_path = '\0';
    return state < 0 || (state < 32 && c->job->states >> state & 1);
}

/* --- the device --- */

/* All its nodes. */
static void device_destroy(struct context *c, const struct device_kind *kind, struct guest *g, unsigned int devid,
                           const char *back)
{
    char path[NODE_PATH_SIZE];

    node_cleanup(c->h, path_make(path, "/local/domain/%u/device/%s/%u", g->domid, kind->back->type, devid));
    node_cleanup(c->h, back);
    node_cleanup(c->h, path_make(path, "/libxl/%u/device/%s/%u", g->domid, kind->back->type, devid));
    if (kind->drop)
        kind->drop(g, devid);
}

/* The words behind the domain, as one: "a", "b" are "a,b". */
static void words_join(const struct ctl_request *r, char text[CTL_WORDS_SIZE])
{
    size_t len = 0;

    if (!strcmp(r->command->name, "cd-insert")) {
        ctl_cd_words(r, text);
        return;
    }

    *text = '\0';
    for (unsigned int i = 1; i < r->nr_args; i++)
        len += (size_t)snprintf(text + len, CTL_WORDS_SIZE - len, "%s%s", i > 1 ? "," : "", r->arg[i]);
}

static enum outcome attach_failed(struct context *c, const struct device_word *w)
{
    return ctl_fail(c, "libxl_device_%s_add failed.\n", w->libxl);
}

/* As ctl_guest_named(), and nothing is said. */
static const struct guest *who_is(const struct host *h, const char *who)
{
    const struct guest *g = h->guests;
    unsigned long n;

    if (ctl_number(who, DOMID_FIRST_RESERVED - 1, &n))
        return guest_find(h, (domid_t)n);
    while (g && (g->state == GUEST_ENDED || strcmp(g->cfg.name, who) != 0))
        g = g->next;
    return g;
}

/* Does the command name a file of a disk? */
static bool has_file(const struct ctl_request *r)
{
    return !strcmp(r->command->name, "block-attach") || !strcmp(r->command->name, "cd-insert");
}

bool host_ctl_prepare(struct host *h, const struct ctl_request *r, char err[HOST_ERR_SIZE])
{
    struct context c = { .h = h, .r = r };
    const struct device_word *w = has_file(r) ? word_of(&c) : NULL;
    char text[CTL_WORDS_SIZE], why[HOST_ERR_SIZE];

    if (!strcmp(r->command->name, "restore"))
        return host_ctl_restore_prepare(h, r, err);
    if (!w || !w->kind->prepare || !who_is(h, r->arg[0]))
        return true;
    words_join(r, text);
    if (!w->kind->prepare(h, text, why))
        return true;
    snprintf(err, HOST_ERR_SIZE, "%.900s\nlibxl_%s failed.\n", why,
             !strcmp(r->command->name, "cd-insert") ? "cdrom_insert" : "device_disk_add");
    return false;
}

char *host_ctl_file(const char *words, size_t len)
{
    char why[CTL_ERR_SIZE], text[CTL_WORDS_SIZE];
    const struct device_word *w;
    struct ctl_request r;

    if (ctl_parse(words, len, &r, why))
        return NULL;
    if (!strcmp(r.command->name, "restore"))
        return strdup(r.arg[0]);
    if (!has_file(&r))
        return NULL;
    w = word_of(&(struct context){ .r = &r });
    if (!w || !w->kind->file)
        return NULL;
    words_join(&r, text);
    return w->kind->file(text);
}

enum outcome ctl_device_attach(struct context *c)
{
    const struct device_word *w = word_of(c);
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    struct node_writer writer = { .h = c->h, .g = g };
    char text[CTL_WORDS_SIZE], back[NODE_PATH_SIZE], err[HOST_ERR_SIZE];
    unsigned int i;

    if (!g)
        return FAILED;
    if (*c->job->state_path) {
        if (waited(c) && device_noted(c->h, g->domid, w->kind->back->type, c->job->devid, "backend", back)) {
            ctl_note_pv_only(c, g);
            return DONE;
        }
        if (device_noted(c->h, g->domid, w->kind->back->type, c->job->devid, "backend", back)) {
            ctl_say(c, HOST_CTL_ERR, "unable to add device with path %s - rc %d\n", back, ERROR_TIMEDOUT);
            device_destroy(c, w->kind, g, c->job->devid, back);
        }
        return attach_failed(c, w);
    }
    if (g->state != GUEST_ALIVE)
        return ctl_fail(c, "domain %u is about to end\n", g->domid);
    words_join(c->r, text);
    if (w->kind->attach(g, text, &i, &c->job->devid, err)) {
        ctl_say(c, HOST_CTL_ERR, "%s\n", err);
        return attach_failed(c, w);
    }
    if (!guest_devices_bus(g)) {
        w->kind->drop(g, c->job->devid);
        return attach_failed(c, w);
    }
    w->kind->nodes(&writer, i);
    if (writer.failed || !device_noted(c->h, g->domid, w->kind->back->type, c->job->devid, "backend", back))
        return attach_failed(c, w);
    return wait_for(c, back, 1u << XenbusStateInitWait | 1u << XenbusStateInitialised | 1u << XenbusStateConnected);
}

/* Ask both ends to end it. */
static enum outcome detach_begin(struct context *c, const struct device_kind *kind, struct guest *g, const char *back)
{
    struct node_writer w = { .h = c->h };
    char path[NODE_PATH_SIZE];
    int state;

    if (c->r->option['f'])
        node_cleanup(c->h, path_make(path, "/local/domain/%u/device/%s/%u", g->domid, kind->back->type, c->job->devid));
    state = state_of(c->h, path_make(path, "%s/state", back));
    if (state >= 0)
        node(&w, path_make(path, "%s/online", back), AS_PARENT, "0");
    if (state >= 0 && state != XenbusStateClosed)
        node(&w, path_make(path, "%s/state", back), AS_PARENT, "%d", XenbusStateClosing);
    return wait_for(c, back, 1u << XenbusStateClosed);
}

enum outcome ctl_device_detach(struct context *c)
{
    const struct device_word *w = word_of(c);
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    const bool force = c->r->option['f'], again = *c->job->state_path;
    const char *what = !strcmp(w->libxl, "nic") ? "del" : force ? "destroy" : "safe_remove";
    char back[NODE_PATH_SIZE];
    bool closed;

    if (!g)
        return FAILED;
    if (!again && !w->kind->find(g, c->r->arg[1], &c->job->devid))
        return ctl_fail(c, strcmp(w->libxl, "nic") ? "Error: Device %s not connected.\n" : "Unknown device %s.\n",
                        c->r->arg[1]);
    if (!again && w->kind == &vbd_devices && guest_drive_has(g, c->job->devid))
        return ctl_fail(c, "%s is an IDE drive of this guest's as well, which stays until the guest unplugs it.\n",
                        c->r->arg[1]);
    closed = again && waited(c);
    if (!device_noted(c->h, g->domid, w->kind->back->type, c->job->devid, "backend", back))
        return again ? DONE : ctl_fail(c, "Error: Device %s not connected.\n", c->r->arg[1]);
    if (!again)
        return detach_begin(c, w->kind, g, back);
    if (closed || force) {
        device_destroy(c, w->kind, g, c->job->devid, back);
        ctl_note_pv_only(c, g);
        return DONE;
    }
    ctl_say(c, HOST_CTL_ERR, "unable to remove device with path %s - rc %d\n", back, ERROR_TIMEDOUT);
    return ctl_fail(c, "libxl_device_%s_%s failed.\n", w->libxl, what);
}

/* xl has no such command: there the disk grows behind the back end, which tells the same. */
enum outcome ctl_block_resize(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    char err[HOST_ERR_SIZE];
    uint32_t devid;
    uint64_t kib;

    if (!g)
        return FAILED;
    if (!vbd_devices.find(g, c->r->arg[1], &devid))
        return ctl_fail(c, "Error: Device %s not connected.\n", c->r->arg[1]);
    if (!ctl_size_read(c->r->arg[2], &kib) || kib > UINT64_MAX >> 11)
        return ctl_fail(c, "invalid size: %s\n", c->r->arg[2]);
    if (guest_disk_resize(g, devid, kib << 1, err))
        return ctl_fail(c, "%s: %s\n", c->r->arg[1], err);
    ctl_note_pv_only(c, g);
    return DONE;
}

/* xl has no such commands: there a disk that machines share is the hotplug scripts' matter. */
enum outcome ctl_block_release_or_take(struct context *c)
{
    const bool release = !strcmp(c->r->command->name, "block-release");
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    struct xen_domctl_getdomaininfo info;
    char err[HOST_ERR_SIZE];
    uint32_t devid;
    int rc;

    if (!g)
        return FAILED;
    if (!vbd_devices.find(g, c->r->arg[1], &devid))
        return ctl_fail(c, "Error: Device %s not connected.\n", c->r->arg[1]);
    if (release && (ctl_domain_info(c, g->domid, &info) || !(info.flags & XEN_DOMINF_paused)))
        return ctl_fail(c, "%s: domain %u is not paused\n", c->r->arg[1], g->domid);
    rc = release ? guest_disk_release(g, devid, err) : guest_disk_take(g, devid, err);
    return rc ? ctl_fail(c, "%s: %s\n", c->r->arg[1], err) : DONE;
}
