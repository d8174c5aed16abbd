// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking into a machine, see tools/debug/look.h: its pCPUs, domains and vCPUs. */
#include "tools/debug/look_private.h"

#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "tools/build/image.h"
#include "vcpu/sched/snapshot.h"
#include "vcpu/work.h"

#include <stdio.h>
#include <string.h>
#include <xen/domctl.h>

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

/*
 * How late it is on a pCPU. It notes that when its turn is over: within its turn the machine's clock is its own, and
 * while nobody runs on it that goes on, too.
 */
static s_time_t pcpu_now(const struct xen *xen, unsigned int cpu)
{
    const struct xen_pcpu *p = &xen->pcpu[cpu];
    const bool turn = xen->run.phase != RUN_TURN && xen->run.cpu == cpu;

    return (turn || !p->curr) && NOW(xen) > p->now ? NOW(xen) : p->now;
}

/* How long it has run: what it has been told of, and since then. */
static s_time_t has_run(const struct xen *xen, const struct vcpu *v)
{
    const s_time_t now = pcpu_now(xen, v->processor), since = (s_time_t)v->runstate.state_entry_time;

    return (s_time_t)v->runstate.time[RUNSTATE_running] + (v->is_running && now > since ? now - since : 0);
}

bool look_pcpu(struct host *h, unsigned int cpu, struct look_pcpu *out)
{
    const struct xen *xen = host_xen(h);
    const struct xen_pcpu *p = cpu < xen->nr_pcpus ? &xen->pcpu[cpu] : NULL;

    if (!p)
        return false;
    *out = (struct look_pcpu){ .cpu = cpu,
                               .online = p->online,
                               .idle = !p->curr,
                               .dom = p->curr ? p->curr->domain->domain_id : DOMID_INVALID,
                               .vcpu = p->curr ? p->curr->vcpu_id : 0,
                               .now = pcpu_now(xen, cpu),
                               .idled = p->idle_time,
                               .sched = p->sched ? p->sched->ops->opt_name : NULL };
    if (!p->curr && out->now > p->idle_since)
        out->idled += out->now - p->idle_since;
    return true;
}

/* By what an HVM guest has set, with what its addresses go through. */
static const char *works_text(const struct cpu_state *r)
{
    static const char *const code[3][4] = {
        { "16-bit, no paging", "16-bit, two levels", "16-bit, PAE", "16-bit, long mode" },
        { "32-bit, no paging", "32-bit, two levels", "32-bit, PAE", "32-bit, long mode" },
        { NULL, NULL, NULL, "64-bit" },
    };
    const unsigned int bits = insn_code_bits(r);
    const unsigned int tables = !(r->cr0 & X86_CR0_PG) ? 0 : r->efer & EFER_LMA ? 3 : r->cr4 & X86_CR4_PAE ? 2 : 1;

    if (!(r->cr0 & X86_CR0_PE))
        return tables ? "real mode, paged" : "real mode";
    if (r->rflags & X86_EFLAGS_VM)
        return "virtual 8086 mode";
    return code[bits == 64 ? 2 : bits == 32][tables];
}

/* It believes what is so. */
static void hvm_believes(const struct cpu_state *r, struct look_vcpu *out)
{
    out->mode = trace_value_name(TRACE_TYPE_mode, TRACE_MODE_HVM0 + (r->cpl & 3u));
    out->root = "own";
    out->works = works_text(r);
    out->cr[0] = r->cr0;
    out->cr[2] = r->cr2;
    out->cr[3] = r->cr3;
    out->cr[4] = r->cr4;
    out->iopl = (r->rflags & X86_EFLAGS_IOPL) >> 12;
}

bool look_vcpu(struct host *h, domid_t dom, unsigned int vcpu, struct look_vcpu *out)
{
    static const char *const states[] = { "running", "runnable", "blocked", "offline" };
    const struct vcpu *v = look_vcpu_of(h, dom, vcpu);

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
    out->pc = insn_linear_rip(v->regs);
    if (is_hvm_domain(v->domain)) {
        hvm_believes(v->regs, out);
        return true;
    }
    out->mode = guest_kernel_mode(v) ? "kernel" : "user";
    out->root = !is_pv_32bit_domain(v->domain) && !v->pv.kernel_mode ? "user" : "kernel";
    memcpy(out->cr, v->pv.ctrlreg, sizeof(out->cr));
    out->iopl = v->pv.iopl;
    return true;
}

bool look_sched(struct host *h, domid_t dom, unsigned int vcpu, struct look_sched *out)
{
    const struct vcpu *v = look_vcpu_of(h, dom, vcpu);
    const struct scheduler *s = v ? v->domain->sched : NULL;
    struct sched_snapshot snapshot = { .queue = -1 };

    if (!s)
        return false;
    if (s->ops->snapshot)
        s->ops->snapshot(s, v, pcpu_now(host_xen(h), v->processor), &snapshot);
    *out = (struct look_sched){ .policy = s->ops->opt_name,
                                .pool = s->cpupool_id,
                                .queue = snapshot.queue,
                                .queued = snapshot.queued,
                                .key = snapshot.key,
                                .seq = snapshot.seq,
                                .has_credit = snapshot.has_credit,
                                .credit = snapshot.credit,
                                .weight = snapshot.weight,
                                .cap = snapshot.cap };
    snprintf(out->text, sizeof(out->text), "%s", snapshot.text);
    return true;
}

static const char *type_name(const struct domain *d)
{
    if (is_hvm_domain(d)) /* a PVH guest's has no 8259 */
        return d->emulation_flags & XEN_X86_EMU_PIC ? "hvm" : "pvh";
    return is_native_domain(d) ? "native" : is_pv_32bit_domain(d) ? "pv32" : "pv64";
}

/* Instructions take time each; exits and hypercalls theirs. */
static void work_take(struct look_domain *out, const struct domain *d)
{
    const struct domain_work w = domain_work(d);

    out->works = !is_native_domain(d);
    for (unsigned int cpl = 0; cpl < ARRAY_SIZE(out->in_ring); cpl++)
        out->in_ring[cpl] = (s_time_t)w.insns_in[cpl] * CLOCK_NS_PER_INSN;
    out->in_kernel = (s_time_t)w.insns_kernel * CLOCK_NS_PER_INSN;
    out->in_xen = w.in_xen;
}

bool look_work(struct host *h, unsigned int *n, struct domain_work *out)
{
    const struct domain *d;

    while ((d = *n < DOMID_FIRST_RESERVED ? domain_from(host_xen(h), (domid_t)*n) : NULL)) {
        if (d->domain_id >= DOMID_FIRST_RESERVED)
            return false;
        *n = d->domain_id;
        if (!is_native_domain(d)) {
            *out = domain_work(d);
            return true;
        }
        ++*n;
    }
    return false;
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
    work_take(out, d);
    out->restarts = host_driver_restarts(h, d->domain_id, &out->restarted);
    if (d->is_dying)
        snprintf(out->state, LOOK_TEXT, "dying");
    else if (d->is_shut_down || d->is_shutting_down)
        snprintf(out->state, LOOK_TEXT, "shut down: %s",
                 trace_value_name(TRACE_TYPE_shutdown, (uint64_t)d->shutdown_code) ?: "?");
    else
        snprintf(out->state, LOOK_TEXT, d->pause_count ? "paused" : "alive");
    return true;
}
