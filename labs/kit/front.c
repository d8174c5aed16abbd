// SPDX-License-Identifier: GPL-2.0-or-later
/* A device's front end: see front.h. */
#include "labs/kit/front.h"

#include "mmu/guest_access.h"
#include "sim/frame.h"
#include "vcpu/hypercall.h"
#include "vcpu/native/kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/sched.h>

#define FIRST_REF 8
#define STEPS_MAX 20000 /* of a back end that has something to do */

/* --- xenstore, as the toolstack writes it --- */

static void write_path(struct kit_front *f, const char *path, const char *value)
{
    const struct xs_access a = xenstored_toolstack(f->x);

    if (xs_write(&a, path, value, strlen(value)))
        kit_die("%s cannot be written", path);
}

/* A directory of one domain's, which the other may read. */
static void directory(struct kit_front *f, const char *path, domid_t owner, domid_t reader)
{
    const struct xs_perm perms[] = { { .id = owner, .letter = 'n' }, { .id = reader, .letter = 'r' } };
    const struct xs_access a = xenstored_toolstack(f->x);

    write_path(f, path, "");
    if (xs_set_perms(&a, path, perms, ARRAY_SIZE(perms)))
        kit_die("%s: no permissions", path);
}

static const char *path_of(const struct kit_front *f, bool back, const char *node, char path[128])
{
    const unsigned int domid = f->k->d->domain_id;

    if (back)
        snprintf(path, 128, "/local/domain/0/backend/%s/%u/1%s%s", f->type, domid, *node ? "/" : "", node);
    else
        snprintf(path, 128, "/local/domain/%u/device/%s/1%s%s", domid, f->type, *node ? "/" : "", node);
    return path;
}

void kit_front_write(struct kit_front *f, const char *node, const char *value)
{
    char path[128];

    write_path(f, path_of(f, false, node, path), value);
}

void kit_front_set(struct kit_front *f, const char *node, const char *value)
{
    char path[128];

    write_path(f, path_of(f, true, node, path), value);
}

const char *kit_front_back(struct kit_front *f, const char *node, char value[64])
{
    const struct xs_access a = xenstored_toolstack(f->x);
    const struct xs_node *n;
    char path[128];

    if (xs_get(&a, path_of(f, true, node, path), XS_RIGHT_READ, &n) || n->len > 63)
        return "-";
    memcpy(value, n->value, n->len);
    value[n->len] = '\0';
    return value;
}

void kit_front_drop(struct kit_front *f, bool back, const char *node)
{
    const struct xs_access a = xenstored_toolstack(f->x);
    char path[128];

    xs_rm(&a, path_of(f, back, node, path));
}

/* The front end's part is there. */
void kit_front_make(struct kit_front *f)
{
    char path[128], front[128], domid[8], state[64];

    snprintf(domid, sizeof(domid), "%u", f->k->d->domain_id);
    path_of(f, false, "", front);
    directory(f, path_of(f, true, "", path), 0, f->k->d->domain_id);
    write_path(f, path_of(f, true, "frontend-id", path), domid);
    write_path(f, path_of(f, true, "frontend", path), front);
    write_path(f, path_of(f, true, "online", path), "1");
    if (*kit_front_back(f, "state", state) == '-')
        write_path(f, path_of(f, true, "state", path), "1");
}

/* --- frames, grants, ports --- */

void *kit_front_frame(struct kit_front *f, unsigned int i)
{
    void *page = frame_write_begin(f->k->m, f->mfn[i]);

    frame_write_end(f->k->m, f->mfn[i]);
    return page;
}

void kit_front_grant(struct kit_front *f, unsigned int i, uint16_t flags)
{
    grant_entry_v1_t *e = shared_entry_v1(f->k->d->grant_table, f->first + i);

    *e = (grant_entry_v1_t){ .flags = flags, .domid = 0, .frame = (uint32_t)mfn_x(f->mfn[i]) };
}

/* Frames that are no page tables. */
static void frames_choose(struct kit_front *f)
{
    struct page_info *pg = page_list_first(f->k->xen, &f->k->d->page_list);

    for (unsigned int nr = 0; nr < KIT_FRONT_FRAMES; pg = page_list_next(f->k->xen, pg)) {
        if (!pg)
            kit_die("the guest has too few frames");
        if (!(pg->type_info & PGT_count_mask))
            f->mfn[nr++] = page_to_mfn(f->k->xen, pg);
    }
}

static void event_op(struct kit_front *f, unsigned int cmd, void *arg, size_t size)
{
    struct cpu_state *r = f->k->v->regs;

    if (copy_to_guest(f->k->v, f->k->scratch, arg, size))
        kit_die("the guest has no stack");
    r->rax = __HYPERVISOR_event_channel_op, r->rdi = cmd, r->rsi = f->k->scratch;
    hypercall_guest(f->k->v);
    if (r->rax || copy_from_guest(f->k->v, arg, f->k->scratch, size))
        kit_die("event_channel_op %u", cmd);
}

static evtchn_port_t port_offer(struct kit_front *f)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

    event_op(f, EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc));
    return alloc.port;
}

static void port_close(struct kit_front *f, evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    event_op(f, EVTCHNOP_close, &close, sizeof(close));
    kit_front_told_at(f, port);
}

evtchn_port_t kit_front_port(struct kit_front *f)
{
    if (f->nr_more == KIT_FRONT_PORTS)
        kit_die("more ports than there is room for");
    return f->more[f->nr_more++] = port_offer(f);
}

void kit_front_send_at(struct kit_front *f, evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    event_op(f, EVTCHNOP_send, &send, sizeof(send));
}

void kit_front_send(struct kit_front *f) { kit_front_send_at(f, f->port); }

bool kit_front_told_at(struct kit_front *f, evtchn_port_t port)
{
    unsigned long *word = &((shared_info_t *)f->k->d->shared_info)->evtchn_pending[port / 64];
    const bool set = *word >> port % 64 & 1;

    *word &= ~(1ul << port % 64);
    return set;
}

bool kit_front_told(struct kit_front *f) { return kit_front_told_at(f, f->port); }

bool kit_front_bound(struct kit_front *f, evtchn_port_t port)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

    event_op(f, EVTCHNOP_status, &status, sizeof(status));
    return status.status == EVTCHNSTAT_interdomain;
}

/* --- running --- */

bool kit_front_step(struct kit_front *f)
{
    struct vcpu *v = native_vcpu(f->k->dom0);

    return v->native.ops->step(v, v->native.data);
}

void kit_front_run(struct kit_front *f)
{
    unsigned int n = 0;

    while (kit_front_step(f) && n++ < STEPS_MAX)
        ;
}

void kit_front_pass(struct kit_front *f, uint64_t ns)
{
    struct vclock *c = &f->k->m->clock;
    const s_time_t end = c->now + (s_time_t)ns;

    for (unsigned int n = 0; vclock_next(c) <= end && n < STEPS_MAX; n++) {
        if (vclock_next(c) > c->now)
            c->now = vclock_next(c);
        vclock_run(c);
        kit_front_run(f);
    }
    if (c->now < end)
        c->now = end;
}

/* --- devices --- */

void kit_front_add(struct kit_front *f, const char *type, ...)
{
    const domid_t domid = f->k->d->domain_id;
    const char *node;
    char path[128];
    va_list nodes;

    f->type = type;
    f->port = port_offer(f);
    for (unsigned int i = 0; i < KIT_FRONT_FRAMES; i++)
        kit_front_grant(f, i, GTF_permit_access);
    directory(f, path_of(f, false, "", path), domid, 0);
    kit_front_write(f, "state", f->begins ?: "1");
    va_start(nodes, type);
    while ((node = va_arg(nodes, const char *)))
        write_path(f, path_of(f, true, node, path), va_arg(nodes, const char *));
    va_end(nodes);
    kit_front_make(f);
    kit_front_run(f);
}

void kit_front_remove(struct kit_front *f)
{
    const struct xs_access a = xenstored_toolstack(f->x);
    char path[128];

    xenbus_domain_gone(f->bus, f->k->d->domain_id);
    kit_front_run(f);
    port_close(f, f->port);
    while (f->nr_more)
        port_close(f, f->more[--f->nr_more]);
    xs_rm(&a, path_of(f, true, "", path));
    xs_rm(&a, path_of(f, false, "", path));
    kit_front_run(f);
}

struct kit_front *kit_front(struct kit_scene *k, const struct xenbus_kind *kinds)
{
    static const struct xs_edge nobody;
    struct kit_front *f = calloc(1, sizeof(*f));
    char path[64];

    if (!f)
        kit_die("not enough memory");
    *f = (struct kit_front){ .k = k, .first = FIRST_REF };
    frames_choose(f);
    if (gnttab_grow_table(k->d, 1) || native_timers_start(k->dom0))
        kit_die("no grant table, or no timers");
    f->x = xenstored_create(k->dom0, &nobody);
    if (!f->x)
        kit_die("no xenstore");
    snprintf(path, sizeof(path), "/local/domain/%u", k->d->domain_id);
    directory(f, path, 0, k->d->domain_id);
    f->bus = xenbus_create(k->dom0, &f->x->store, kinds);
    if (!f->bus)
        kit_die("no bus");
    return f;
}

void kit_front_end(struct kit_front *f)
{
    xenbus_destroy(f->bus);
    xenstored_destroy(f->x);
    free(f);
}
