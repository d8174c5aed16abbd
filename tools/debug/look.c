// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking into a machine, see tools/debug/look.h. */
#include "tools/debug/look.h"

#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "mmu/guest_access.h"
#include "mmu/m2p.h"
#include "sim/insn.h"
#include "sim/walk.h"
#include "tools/build/image.h"
#include "vcpu/sched/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct domain *domain_of(struct host *h, domid_t dom)
{
    return dom < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[dom] : NULL;
}

static struct vcpu *vcpu_of(struct host *h, domid_t dom, unsigned int vcpu)
{
    const struct domain *d = domain_of(h, dom);

    return d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;
}

/* --- what people read --- */

void look_time(s_time_t t, char text[LOOK_TEXT])
{
    if (t < MILLISECS(1))
        snprintf(text, LOOK_TEXT, "%lld.%03lldus", (long long)t / 1000, (long long)t % 1000);
    else if (t < SECONDS(1))
        snprintf(text, LOOK_TEXT, "%lld.%06lldms", (long long)t / 1000000, (long long)t % 1000000);
    else
        snprintf(text, LOOK_TEXT, "%lld.%09llds", (long long)t / 1000000000, (long long)t % 1000000000);
}

void look_symbol(struct host *h, domid_t dom, uint64_t addr, char text[LOOK_SYMBOL])
{
    const struct image *img = dom < DOMID_FIRST_RESERVED ? host_guest_image(h, dom) : NULL;
    uint64_t offset;
    const char *name = img ? image_symbol_lookup(img, addr, &offset) : NULL;

    text[0] = '\0';
    if (name)
        snprintf(text, LOOK_SYMBOL, offset ? " <%.70s+0x%llx>" : " <%.70s>", name, (unsigned long long)offset);
}

/* --- vCPUs and domains --- */

static void why_not(const struct vcpu *v, char why[LOOK_TEXT])
{
    const struct domain *d = v->domain;

    why[0] = '\0';
    if (d->is_dying)
        snprintf(why, LOOK_TEXT, "its domain is being destroyed");
    else if (d->is_shut_down)
        snprintf(why, LOOK_TEXT, "its domain has shut down");
    else if (d->pause_count || v->pause_count)
        snprintf(why, LOOK_TEXT, "it is paused");
    else if (v->pause_flags & VPF_down)
        snprintf(why, LOOK_TEXT, "it is down");
    else if (v->pause_flags & VPF_poll && v->poll_evtchn > 0)
        snprintf(why, LOOK_TEXT, "SCHEDOP_poll, until port %d is pending", v->poll_evtchn);
    else if (v->pause_flags & VPF_poll)
        snprintf(why, LOOK_TEXT, "SCHEDOP_poll, until one of several ports is pending");
    else if (v->pause_flags & VPF_blocked)
        snprintf(why, LOOK_TEXT, "SCHEDOP_block, until an event that is not masked is pending");
    else if (v->pause_flags & VPF_migrating)
        snprintf(why, LOOK_TEXT, "it is on its way to another pCPU");
    else if (!v->is_running)
        snprintf(why, LOOK_TEXT, "it waits for a pCPU");
}

/* How long it has run: what it has been told of, and since then. */
static s_time_t has_run(const struct xen *xen, const struct vcpu *v)
{
    s_time_t ran = (s_time_t)v->runstate.time[RUNSTATE_running];

    if (v->is_running && xen->pcpu[v->processor].now > (s_time_t)v->runstate.state_entry_time)
        ran += xen->pcpu[v->processor].now - (s_time_t)v->runstate.state_entry_time;
    return ran;
}

bool look_pcpu(struct host *h, unsigned int cpu, struct look_pcpu *out)
{
    const struct xen *xen = host_xen(h);
    const struct xen_pcpu *p = &xen->pcpu[cpu];

    if (cpu >= xen->nr_pcpus)
        return false;
    *out = (struct look_pcpu){ .cpu = cpu,
                               .online = p->online,
                               .idle = !p->curr,
                               .dom = p->curr ? p->curr->domain->domain_id : DOMID_INVALID,
                               .vcpu = p->curr ? p->curr->vcpu_id : 0,
                               .now = p->now,
                               .idled = p->idle_time,
                               .sched = p->sched ? p->sched->ops->opt_name : NULL };
    if (!p->curr && p->now > p->idle_since)
        out->idled += p->now - p->idle_since;
    return true;
}

bool look_vcpu(struct host *h, domid_t dom, unsigned int vcpu, struct look_vcpu *out)
{
    static const char *const states[] = { "running", "runnable", "blocked", "offline" };
    const struct vcpu *v = vcpu_of(h, dom, vcpu);

    if (!v)
        return false;
    *out = (struct look_vcpu){ .dom = dom,
                               .vcpu = vcpu,
                               .native = !v->regs,
                               .state = states[v->runstate.state & 3],
                               .since = (s_time_t)v->runstate.state_entry_time,
                               .ran = has_run(host_xen(h), v),
                               .cpu = v->processor,
                               .on_cpu = v->is_running,
                               .insns_at = v->insns_at };
    why_not(v, out->why);
    if (!v->regs)
        return true;
    pcpu_sync(host_machine(h));
    out->regs = *v->regs;
    out->mode = guest_kernel_mode(v) ? "kernel" : "user";
    out->root = !is_pv_32bit_domain(v->domain) && !v->pv.kernel_mode ? "user" : "kernel";
    memcpy(out->cr, v->pv.ctrlreg, sizeof(out->cr));
    out->iopl = v->pv.iopl;
    return true;
}

static const char *type_name(const struct domain *d)
{
    return is_native_domain(d) ? "native" : is_pv_32bit_domain(d) ? "pv32" : "pv64";
}

bool look_domain(struct host *h, unsigned int *n, struct look_domain *out)
{
    const struct domain *d = *n < DOMID_FIRST_RESERVED ? domain_from(host_xen(h), (domid_t)*n) : NULL;

    if (!d || d->domain_id >= DOMID_FIRST_RESERVED)
        return false;
    *n = d->domain_id;
    *out = (struct look_domain){ .dom = d->domain_id,
                                 .name = d->domain_id ? host_guest_name(h, d->domain_id) : "Domain-0",
                                 .type = type_name(d),
                                 .vcpus = d->max_vcpus,
                                 .pages = d->tot_pages,
                                 .max_pages = d->max_pages };
    if (d->is_dying)
        snprintf(out->state, LOOK_TEXT, "dying");
    else if (d->is_shut_down || d->is_shutting_down)
        snprintf(out->state, LOOK_TEXT, "shut down, code %d", d->shutdown_code);
    else
        snprintf(out->state, LOOK_TEXT, d->pause_count ? "paused" : "alive");
    return true;
}

/* --- event channels, grants, timers --- */

static void port_goes_to(const struct evtchn *chn, struct look_port *out)
{
    static const char *const states[] = { "free", "reserved", "unbound", "interdomain", "pirq", "virq", "ipi" };

    out->state = states[chn->state];
    switch (chn->state) {
    case ECS_UNBOUND: snprintf(out->to, LOOK_TEXT, "d%u may bind to it", chn->u.unbound.remote_domid); break;
    case ECS_INTERDOMAIN:
        snprintf(out->to, LOOK_TEXT, "d%u port %u", chn->u.interdomain.remote_dom->domain_id,
                 chn->u.interdomain.remote_port);
        break;
    case ECS_PIRQ: snprintf(out->to, LOOK_TEXT, "pirq %u", chn->u.pirq.irq); break;
    case ECS_VIRQ: snprintf(out->to, LOOK_TEXT, "virq %u", chn->u.virq); break;
    default: break;
    }
}

bool look_port(struct host *h, domid_t dom, unsigned int *n, struct look_port *out)
{
    const struct domain *d = domain_of(h, dom);

    for (; d && port_is_valid(d, *n); ++*n) {
        const struct evtchn *chn = evtchn_from_port(d, *n);

        if (chn->state == ECS_FREE || chn->state == ECS_RESERVED)
            continue;
        *out = (struct look_port){ .port = *n, .vcpu = chn->notify_vcpu_id };
        port_goes_to(chn, out);
        if (!chn->notify) {
            out->pending = d->evtchn_port_ops->is_pending(d, chn);
            out->masked = d->evtchn_port_ops->is_masked(d, chn);
        }
        return true;
    }
    return false;
}

bool look_grant(struct host *h, domid_t dom, unsigned int *n, struct look_grant *out)
{
    const struct domain *d = domain_of(h, dom);
    const struct grant_table *gt = d ? d->grant_table : NULL;

    for (; gt && *n < nr_grant_entries(gt); ++*n) {
        const struct active_grant_entry *act = &gt->active[*n];

        if (!act->pin)
            continue;
        *out = (struct look_grant){
            .ref = *n, .user = act->domid, .mfn = act->mfn, .readonly = !(act->pin & GNTPIN_writers)
        };
        for (uint32_t pin = act->pin; pin; pin >>= 8)
            out->pins += pin & 0xff;
        return true;
    }
    return false;
}

static int by_expiry(const void *a, const void *b)
{
    const struct vclock_entry *x = a, *y = b;

    return x->expires != y->expires ? (x->expires > y->expires) - (x->expires < y->expires)
                                    : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Whose timer is it? By where it lies. */
static void timer_name(struct host *h, const struct timer *t, char what[LOOK_TEXT])
{
    struct xen *xen = host_xen(h);

    for (unsigned int i = 0; i < xen->nr_pcpus; i++)
        if (t == &xen->pcpu[i].idle_timer)
            snprintf(what, LOOK_TEXT, "pCPU %u: end of an idle slice", i);
    for_each_domain (xen, d) {
        for (unsigned int i = 0; i < 2; i++)
            if (t == &d->watchdog[i])
                snprintf(what, LOOK_TEXT, "d%u: watchdog %u", d->domain_id, i + 1);
        for_each_vcpu (d, v)
            if (t == &v->singleshot_timer || t == &v->periodic_timer || t == &v->poll_timer)
                snprintf(what, LOOK_TEXT, "d%uv%u: %s timer", d->domain_id, v->vcpu_id,
                         t == &v->singleshot_timer ? "one-shot"
                         : t == &v->periodic_timer ? "periodic"
                                                   : "poll");
    }
}

bool look_timer(struct host *h, unsigned int n, struct look_timer *out)
{
    const struct vclock *c = &host_machine(h)->clock;
    struct vclock_entry *sorted = n < c->nr ? malloc(c->nr * sizeof(*sorted)) : NULL;

    if (!sorted)
        return false;
    memcpy(sorted, c->heap, c->nr * sizeof(*sorted));
    qsort(sorted, c->nr, sizeof(*sorted), by_expiry);
    *out = (struct look_timer){ .expires = sorted[n].expires };
    snprintf(out->what, LOOK_TEXT, "the scheduler's");
    timer_name(h, sorted[n].t, out->what);
    free(sorted);
    return true;
}

/* --- memory --- */

bool look_frame(struct host *h, mfn_t mfn, struct look_frame *out)
{
    static const char *const types[] = { "none", "l1", "l2", "l3", "l4", "seg_desc", "shared", "writable" };
    const struct xen *xen = host_xen(h);
    const struct page_info *pg;

    if (!mfn_valid(xen->machine, mfn))
        return false;
    pg = mfn_to_page(xen, mfn);
    *out = (struct look_frame){ .mfn = mfn,
                                .free = (pg->count_info & PGC_state) == PGC_state_free,
                                .owner = pg->owner ? pg->owner->domain_id : DOMID_INVALID,
                                .type = "none",
                                .count = pg->count_info & PGC_count_mask,
                                .gfn = UINT64_MAX,
                                .xen_heap = pg->count_info & PGC_xen_heap };
    if (out->free)
        return true;
    out->type = types[pg->type_info >> 61];
    out->type_count = pg->type_info & PGT_count_mask;
    out->pinned = pg->type_info & PGT_pinned;
    out->validated = pg->type_info & PGT_validated;
    if (m2p_is_open(xen, mfn))
        out->gfn = xen->m2p[mfn_x(mfn)];
    return true;
}

bool look_walk(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_walk *out)
{
    const struct vcpu *v = vcpu_of(h, dom, vcpu);
    const struct machine *m = host_machine(h);
    uint64_t table;

    if (!v || !v->regs)
        return false;
    *out = (struct look_walk){ 0 };
    table = v->regs->cr3 & PTE_MFN_MASK;
    for (unsigned int level = 4; level && is_canonical(va); level--) {
        const uint64_t *t = machine_table(m, table);
        const unsigned int index = (unsigned int)pte_index(va, level);

        if (!t)
            return true;
        out->step[out->nr].level = level;
        out->step[out->nr].index = index;
        out->step[out->nr].table = _mfn(PFN_DOWN(table));
        out->step[out->nr++].entry = t[index];
        if (!(t[index] & _PAGE_PRESENT))
            return true;
        table = t[index] & PTE_MFN_MASK;
        if (level == 1 || (t[index] & _PAGE_PSE && level < 4)) {
            const uint64_t offset = (UINT64_C(1) << (PAGE_SHIFT + 9 * (level - 1))) - 1;

            out->found = true;
            out->maddr = (table & ~offset) | (va & offset);
            return true;
        }
    }
    return true;
}

/* A domain's frame number becomes the machine's, by the table that says the reverse. */
static bool frame_of_gfn(const struct xen *xen, const struct domain *d, uint64_t gfn, uint64_t *mfn)
{
    for (const struct page_info *pg = page_list_first(xen, &d->page_list); pg; pg = page_list_next(xen, pg))
        if (xen->m2p[mfn_x(page_to_mfn(xen, pg))] == gfn) {
            *mfn = mfn_x(page_to_mfn(xen, pg));
            return true;
        }
    return false;
}

bool look_machine_address(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr,
                          uint64_t *maddr)
{
    const struct domain *d = domain_of(h, dom);
    struct look_walk w;
    uint64_t mfn;

    switch (space) {
    case LOOK_MACHINE: *maddr = addr; return true;
    case LOOK_PHYSICAL:
        if (!d || !frame_of_gfn(host_xen(h), d, PFN_DOWN(addr), &mfn))
            return false;
        *maddr = mfn << PAGE_SHIFT | (addr & ~PAGE_MASK);
        return true;
    case LOOK_VIRTUAL:
        if (!look_walk(h, dom, vcpu, addr, &w) || !w.found)
            return false;
        *maddr = w.maddr;
        return true;
    }
    return false;
}

size_t look_read(struct host *h, domid_t dom, unsigned int vcpu, enum look_space space, uint64_t addr, void *buf,
                 size_t n)
{
    const struct machine *m = host_machine(h);
    size_t done = 0;

    while (done < n) {
        const size_t in_page = PAGE_SIZE - ((addr + done) & ~PAGE_MASK), part = n - done < in_page ? n - done : in_page;
        uint64_t maddr;

        if (!look_machine_address(h, dom, vcpu, space, addr + done, &maddr) || !mfn_valid(m, _mfn(PFN_DOWN(maddr))))
            break;
        memcpy((uint8_t *)buf + done, (const uint8_t *)mfn_to_virt(m, _mfn(PFN_DOWN(maddr))) + (maddr & ~PAGE_MASK),
               part);
        done += part;
    }
    return done;
}

unsigned int look_insn(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, char text[96])
{
    const struct vcpu *v = vcpu_of(h, dom, vcpu);
    uint8_t bytes[INSN_MAX_LEN];
    struct cpu_state at;
    struct insn insn;

    if (!v || !v->regs)
        return 0;
    at = *v->regs;
    at.rip = va;
    insn = insn_decode(host_machine(h)->edges->decoder, &at, bytes,
                       look_read(h, dom, vcpu, LOOK_VIRTUAL, insn_linear_rip(&at), bytes, sizeof(bytes)));
    memcpy(text, insn.text, sizeof(insn.text));
    return insn.len;
}
