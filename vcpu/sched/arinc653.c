// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ARINC 653 scheduler: a time table.
 *
 * Concept: avionics software is certified against worst cases, so partitions must not influence each other at all, not
 * even by idling. Therefore time is divided beforehand: a *major frame* that repeats for ever, divided into *minor
 * frames*, each belonging to one vCPU. Outside its minor frames a vCPU does not run, and if it blocks inside, the pCPU
 * idles.
 *
 *     |<---------------- major frame ---------------->|
 *     | A v0  10 ms | B v0  20 ms | A v0 5 ms |  idle  | A v0  10 ms | ...
 *
 * The table names domains by UUID, so it can be set before they exist. Of two with the same UUID the newest has the
 * frames: a domain that is built again while the old one is still dying. Until a table is set, each of dom0's vCPUs has
 * one minor frame of 10 ms, or nobody could set it. With the parameter slice_ms=N (not in Xen) every vCPU has one. A
 * new table begins at once.
 *
 * Invariants: frames begin at frame_start + n * major_frame exactly, however late decisions are made. Only the pool's
 * first pCPU runs anything: a table is for one processor.
 *
 * Read: ARINC Specification 653P1. Corresponds to xen/common/sched/arinc653.c. What differs:
 *  - in Xen a major frame begins when the first decision after the end of the last one is made, so it drifts. A time
 *    table that keeps no time would teach nothing;
 *  - in Xen each pCPU of a pool follows the table and runs only those whose processor it happens to be; where it stands
 *    in the table is one variable for all pCPUs and pools, so two of them disturb each other. Here there is one pCPU,
 *    that a vCPU's hard affinity must hold, and a pool has its own place in its own table;
 *  - a major frame of more than 146 years, with which Xen's sums overflow and its BUG_ON ends the host, is -EINVAL.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "vcpu/sched/sched.h"
#include "vcpu/sched/snapshot.h"

#define DEFAULT_TIMESLICE MILLISECS(10)
#define MAX_MAJOR_FRAME   (STIME_MAX / 2)

struct a653_vcpu {
    LIST_ENTRY(a653_vcpu) link;
    struct vcpu *v;
};

struct a653_entry {
    xen_domain_handle_t handle;
    uint32_t vcpu_id;
    s_time_t runtime;
    struct vcpu *v; /* NULL: there is no such vCPU at present */
};

struct a653 {
    struct a653_entry entry[ARINC653_MAX_DOMAINS_PER_SCHEDULE];
    unsigned int nr;
    LIST_HEAD(, a653_vcpu) vcpus; /* of the pool, the newest first */
    s_time_t major_frame, frame_start;
    bool set;           /* by a toolstack: nobody gets frames by themselves any more */
    s_time_t everybody; /* parameter slice_ms: until then each vCPU gets a frame of that length; 0: only dom0's do */
};

static struct a653 *a653(const struct scheduler *ops) { return ops->sched_data; }

static bool names(const struct a653_entry *e, const struct vcpu *v)
{
    return e->vcpu_id == v->vcpu_id && !memcmp(e->handle, v->domain->handle, sizeof(e->handle));
}

/* Whose minor frame is it? NULL: there is no such vCPU. */
static struct vcpu *find_vcpu(const struct a653 *prv, const struct a653_entry *e)
{
    const struct a653_vcpu *av;

    LIST_FOREACH(av, &prv->vcpus, link)
    if (names(e, av->v))
        return av->v;
    return NULL;
}

static unsigned int first_cpu(const struct scheduler *ops)
{
    return ops->cpus ? (unsigned int)__builtin_ctzll(ops->cpus) : 0;
}

static int a653_init(struct scheduler *ops)
{
    ops->sched_data = xzalloc(ops->xen->machine->arena, struct a653);
    return ops->sched_data ? 0 : -ENOMEM;
}

static void a653_deinit(struct scheduler *ops) { xfree(ops->sched_data); }

static void *a653_alloc_udata(struct scheduler *ops, struct vcpu *v, void *dd)
{
    struct a653_vcpu *av = xzalloc(ops->xen->machine->arena, struct a653_vcpu);

    if (av)
        av->v = v;
    return av;
}

static void a653_free_udata(struct scheduler *ops, void *vd) { xfree(vd); }

/* Nobody has set a table yet: v gets a minor frame at its end. */
static void frame_add(struct a653 *prv, struct vcpu *v)
{
    struct a653_entry *e = &prv->entry[prv->nr];

    if (prv->nr == ARRAY_SIZE(prv->entry))
        return;
    prv->nr++;
    *e = (struct a653_entry){ .vcpu_id = v->vcpu_id,
                              .runtime = prv->everybody ? prv->everybody : DEFAULT_TIMESLICE,
                              .v = v };
    memcpy(e->handle, v->domain->handle, sizeof(e->handle));
    prv->major_frame += e->runtime;
}

static void a653_insert(struct scheduler *ops, struct vcpu *v)
{
    struct a653 *prv = a653(ops);

    if (!prv->set && (v->domain->domain_id == 0 || prv->everybody))
        frame_add(prv, v);
    LIST_INSERT_HEAD(&prv->vcpus, (struct a653_vcpu *)v->sched_priv, link);
    for (unsigned int i = 0; prv->set && i < prv->nr; i++)
        if (names(&prv->entry[i], v))
            prv->entry[i].v = v;
}

static void a653_remove(struct scheduler *ops, struct vcpu *v)
{
    struct a653 *prv = a653(ops);

    LIST_REMOVE((struct a653_vcpu *)v->sched_priv, link);
    for (unsigned int i = prv->nr; i-- > 0;) {
        struct a653_entry *e = &prv->entry[i];

        if (e->v != v)
            continue;
        e->v = prv->set ? find_vcpu(prv, e) : NULL;
        if (prv->set)
            continue;
        prv->major_frame -= e->runtime;
        memmove(e, e + 1, (--prv->nr - i) * sizeof(*e));
    }
}

/* It may be its minor frame: look. */
static void a653_wake(struct scheduler *ops, struct vcpu *v) { sched_kick_cpu(ops->xen, first_cpu(ops)); }

/* One that may not run there has no minor frames, but a place. */
static unsigned int a653_pick_resource(struct scheduler *ops, struct vcpu *v)
{
    return vcpu_cpumask(v) >> first_cpu(ops) & 1 ? first_cpu(ops) : sched_pick_default(v);
}

/* Otherwise there is no use in looking again at every frame: a653_wake() will ask. */
static bool anybody_runnable(const struct a653 *prv)
{
    for (unsigned int i = 0; i < prv->nr; i++)
        if (prv->entry[i].v && vcpu_runnable(prv->entry[i].v))
            return true;
    return false;
}

static struct task_slice a653_do_schedule(struct scheduler *ops, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct a653 *prv = a653(ops);
    s_time_t end;

    if (!sched_cpu_owned(ops, cpu) || cpu != first_cpu(ops) || !anybody_runnable(prv))
        return (struct task_slice){ NULL, -1 };
    if (now > prv->frame_start)
        prv->frame_start += (now - prv->frame_start) / prv->major_frame * prv->major_frame;
    end = prv->frame_start;
    for (unsigned int i = 0; i < prv->nr; i++) {
        struct vcpu *v = prv->entry[i].v;

        end += prv->entry[i].runtime;
        if (now >= end)
            continue;
        if (v && (!vcpu_runnable(v) || (v->is_running && v != prev) || !(vcpu_cpumask(v) >> cpu & 1)))
            v = NULL;
        return (struct task_slice){ v, end - now };
    }
    return (struct task_slice){ NULL, prv->frame_start + prv->major_frame - now };
}

static int table_set(struct scheduler *ops, const struct xen_sysctl_arinc653_schedule *s)
{
    struct a653 *prv = a653(ops);
    uint64_t left = s->major_frame;

    if (!s->num_sched_entries || s->num_sched_entries > ARRAY_SIZE(s->sched_entries) || !s->major_frame ||
        s->major_frame > MAX_MAJOR_FRAME)
        return -EINVAL;
    for (unsigned int i = 0; i < s->num_sched_entries; i++) {
        if (!s->sched_entries[i].runtime || s->sched_entries[i].runtime > left)
            return -EINVAL;
        left -= s->sched_entries[i].runtime;
    }

    prv->nr = s->num_sched_entries;
    prv->set = true;
    prv->major_frame = (s_time_t)s->major_frame;
    prv->frame_start = NOW(ops->xen);
    for (unsigned int i = 0; i < prv->nr; i++) {
        struct a653_entry *e = &prv->entry[i];

        memcpy(e->handle, s->sched_entries[i].dom_handle, sizeof(e->handle));
        e->vcpu_id = s->sched_entries[i].vcpu_id;
        e->runtime = (s_time_t)s->sched_entries[i].runtime;
        e->v = find_vcpu(prv, e);
    }
    sched_kick_cpu(ops->xen, first_cpu(ops));
    return 0;
}

/* op's handle points to host memory, see sched.h. */
static int a653_adjust_global(struct scheduler *ops, struct xen_sysctl_scheduler_op *op)
{
    const struct a653 *prv = a653(ops);
    struct xen_sysctl_arinc653_schedule *s = op->u.sched_arinc653.schedule.p;

    if (op->cmd == XEN_SYSCTL_SCHEDOP_putinfo)
        return table_set(ops, s);
    memset(s, 0xff, sizeof(*s)); /* entries that are not used, as Xen leaves them */
    s->major_frame = (uint64_t)prv->major_frame;
    s->num_sched_entries = (uint8_t)prv->nr;
    for (unsigned int i = 0; i < prv->nr; i++) {
        memcpy(s->sched_entries[i].dom_handle, prv->entry[i].handle, sizeof(xen_domain_handle_t));
        s->sched_entries[i].vcpu_id = prv->entry[i].vcpu_id;
        s->sched_entries[i].runtime = (uint64_t)prv->entry[i].runtime;
    }
    return 0;
}

static int a653_set(struct scheduler *ops, const char *param, long value)
{
    if (strcmp(param, "slice_ms"))
        return -ENOENT;
    if (value < 0 || value > 1000)
        return -EINVAL;
    a653(ops)->everybody = MILLISECS(value);
    return 0;
}

static void a653_dump(struct scheduler *ops, char *buf, size_t len)
{
    snprintf(buf, len, "major frame %lld us, %u minor frame%s\n", (long long)(a653(ops)->major_frame / MICROSECS(1)),
             a653(ops)->nr, PLURAL(a653(ops)->nr));
}

/* Its credit is what is left of this major frame for it. */
static void a653_snapshot(const struct scheduler *ops, const struct vcpu *v, s_time_t now, struct sched_snapshot *out)
{
    const struct a653 *prv = a653(ops);
    s_time_t at = now > prv->frame_start && prv->major_frame ? (now - prv->frame_start) % prv->major_frame : 0, end = 0,
             all = 0;
    unsigned int nr = 0;

    for (unsigned int i = 0; i < prv->nr; i++) {
        end += prv->entry[i].runtime;
        if (prv->entry[i].v != v)
            continue;
        nr++;
        all += prv->entry[i].runtime;
        if (at < end)
            out->credit += end - at < prv->entry[i].runtime ? end - at : prv->entry[i].runtime;
    }
    out->has_credit = true;
    snprintf(out->text, sizeof(out->text), "%u minor frame%s, %lld us of each %lld", nr, PLURAL(nr),
             (long long)(all / MICROSECS(1)), (long long)(prv->major_frame / MICROSECS(1)));
}

const struct sched_ops sched_arinc653_ops = {
    .name = "ARINC 653 Scheduler",
    .opt_name = "arinc653",
    .sched_id = XEN_SCHEDULER_ARINC653,
    .init = a653_init,
    .deinit = a653_deinit,
    .alloc_udata = a653_alloc_udata,
    .free_udata = a653_free_udata,
    .insert_unit = a653_insert,
    .remove_unit = a653_remove,
    .wake = a653_wake,
    .pick_resource = a653_pick_resource,
    .do_schedule = a653_do_schedule,
    .adjust_global = a653_adjust_global,
    .set = a653_set,
    .dump_settings = a653_dump,
    .snapshot = a653_snapshot,
};
