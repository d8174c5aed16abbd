// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hash of a machine that is the same in each process, see tools/debug/look.h.
 *
 * Concept: what the machine has is mixed in by value, in an order that follows from the machine alone. Pointers are
 * not: of what is pointed to its number is, or what it says.
 */
#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "mmu/page.h"
#include "sim/ram_hash.h"
#include "tools/debug/look_private.h"
#include "vcpu/sched/sched.h"

static uint64_t mix(uint64_t hash, const void *data, size_t n) { return hash_bytes(hash, data, n); }

#define MIX(hash, ...) mix(hash, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }))

static uint64_t mix_registers(uint64_t hash, const struct vcpu *v)
{
    struct cpu_state st = *v->regs;

    /* What says how the engine stands to it is no register. */
    st.dirty = 0;
    st.exit_rip = 0;
    return mix(hash, &st, sizeof(st));
}

/* Mixed into a hash of what else there is. */
static uint64_t mix_cpus(uint64_t hash, struct host *h)
{
    struct machine *m = host_machine(h);

    pcpu_sync(m);
    hash = mix(hash, &m->clock.now, sizeof(m->clock.now));
    hash = mix(hash, &m->at, sizeof(m->at));
    for_each_domain (host_xen(h), d)
        for_each_vcpu (d, v)
            if (v->regs)
                hash = mix_registers(hash, v);
    return hash;
}

static uint64_t mix_vcpu(uint64_t hash, const struct vcpu *v)
{
    hash = MIX(hash, v->vcpu_id, v->runstate.state, v->runstate.state_entry_time, v->pause_flags,
               (uint64_t)v->pause_count, v->processor, v->is_running, v->insns_at);
    if (is_hvm_domain(v->domain))
        return look_hash_hvm_vcpu(hash, v);
    if (v->regs)
        hash = MIX(mix(hash, v->pv.ctrlreg, sizeof(v->pv.ctrlreg)), v->pv.kernel_mode, v->pv.iopl);
    return hash;
}

static uint64_t mix_domain(uint64_t hash, const struct host *h, const struct domain *d)
{
    const struct pc *pc = host_pc(h, d->domain_id);
    const struct grant_table *gt = d->grant_table;

    hash = MIX(hash, d->domain_id, d->max_vcpus, d->tot_pages, d->max_pages, (uint64_t)d->pause_count, d->is_dying,
               d->is_shut_down, (uint64_t)d->shutdown_code, d->log_dirty, d->log_dirty_faults);
    for_each_vcpu (d, v)
        hash = mix_vcpu(hash, v);
    for (evtchn_port_t port = 0; port_is_valid(d, port); port++) {
        const struct evtchn *chn = evtchn_from_port(d, port);

        if (chn->state != ECS_FREE)
            hash = MIX(hash, port, chn->state, chn->notify_vcpu_id, chn->priority, chn->pending,
                       chn->state == ECS_INTERDOMAIN ? chn->u.interdomain.remote_port : 0);
    }
    for (grant_ref_t ref = 0; gt && ref < nr_grant_entries(gt); ref++)
        if (gt->active[ref].pin)
            hash = MIX(hash, ref, gt->active[ref].pin, gt->active[ref].domid, mfn_x(gt->active[ref].mfn));
    if (is_hvm_domain(d))
        hash = look_hash_hvm_domain(hash, d);
    return pc ? look_hash_pc(hash, pc) : hash;
}

/* The hypervisor's: domains, frames, timers. */
static uint64_t mix_xen(uint64_t hash, struct host *h)
{
    const struct xen *xen = host_xen(h);
    const struct vclock *c = &xen->machine->clock;

    for_each_domain (host_xen(h), d)
        hash = mix_domain(hash, h, d);
    for (uint64_t mfn = 0; mfn < xen->machine->nr_frames; mfn++) {
        const struct page_info *pg = &xen->frame_table[mfn];

        if (pg->count_info | pg->type_info)
            hash = MIX(hash, mfn, pg->count_info, pg->type_info, pg->owner ? pg->owner->domain_id : DOMID_INVALID);
    }
    for (size_t i = 0; i < c->nr; i++)
        hash = MIX(hash, (uint64_t)c->heap[i].expires, c->heap[i].seq);
    return hash;
}

uint64_t look_hash_cpus(struct host *h) { return mix_cpus(0, h); }

uint64_t look_hash(struct host *h) { return mix_xen(mix_cpus(machine_hash_ram(host_machine(h)), h), h); }
