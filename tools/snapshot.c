// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snapshots are made: see tools/snapshot.h.
 *
 * Invariants of a crash's report: everything in the guest is suspect, since it crashed. All memory is read through the
 * guest's own page tables with copy_from_guest(), which fails rather than faults. Code that was compiled with frame
 * pointers has a backtrace: RBP points to a frame, a pair of words in memory,
 *
 *      [ RBP of the caller | return address ]  [ its locals ... ]  [ RBP of its caller | return address ] ...
 *
 * The chain is followed only upwards, and not for ever.
 */
#include "tools/snapshot.h"

#include "mmu/guest_access.h"
#include "mmu/page.h"
#include "vcpu/domctl.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/runstate.h"
#include "vcpu/sched/cpupool.h"
#include "vcpu/sched/sched.h"
#include "vcpu/work.h"

#include <string.h>
#include <xen/sysctl.h>

#define FRAME_SIZE_MAX (64 << 10) /* a frame that is larger is none */

_Static_assert(EXIT_NR_KINDS <= SNAPSHOT_MAX_COUNTS && XEN_NR_HYPERCALLS <= SNAPSHOT_MAX_COUNTS, "no room for all");

/* --- the machine --- */

s_time_t snapshot_busy(const struct xen *xen)
{
    s_time_t ns = (s_time_t)xen->machine->at.insns * CLOCK_NS_PER_INSN;

    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
        if (k != EXIT_BUDGET)
            ns += (s_time_t)xen->stats.exits[k] * CLOCK_NS_PER_EXIT;
    for (unsigned int nr = 0; nr < XEN_NR_HYPERCALLS; nr++)
        ns += (s_time_t)xen->stats.hypercalls[nr] * CLOCK_NS_PER_HYPERCALL;
    return ns;
}

static void waiting_find(const struct xen *xen, struct snapshot *s)
{
    for_each_domain (xen, d)
        for_each_vcpu (d, v)
            if (vcpu_runnable(v)) {
                s->anybody_waits = true;
                s->waiting = (struct snapshot_vcpu){ d->domain_id, v->vcpu_id, d->sched->ops->opt_name };
                return;
            }
}

void snapshot_take(const struct xen *xen, struct snapshot *s)
{
    const struct xen_stats *st = &xen->stats;

    *s = (struct snapshot){ .now = NOW(xen),
                            .insns = xen->machine->at.insns,
                            .emulated = st->emulated,
                            .ptwr = st->ptwr,
                            .switches = st->switches,
                            .decisions = st->decisions,
                            .nr_exits = EXIT_NR_KINDS,
                            .nr_hypercalls = XEN_NR_HYPERCALLS };
    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
        s->exits[k] = (struct snapshot_count){ sim_exit_name((enum sim_exit_kind)k), st->exits[k] };
    for (unsigned int nr = 0; nr < XEN_NR_HYPERCALLS; nr++)
        s->hypercalls[nr] = (struct snapshot_count){ hypercall_name(nr), st->hypercalls[nr] };
    memcpy(s->exceptions, st->exceptions, sizeof(s->exceptions));
    s->nr_domains = domain_work_all(xen, s->domains, SNAPSHOT_MAX_DOMAINS);
    machine_fills(xen->machine, &s->direct, &s->nested);
    waiting_find(xen, s);
}

/* --- what the toolstack asks, without its hypercalls, which would take time --- */

void snapshot_machine(const struct xen *xen, struct snapshot_machine *s)
{
    *s = (struct snapshot_machine){ .cpu_khz = (uint32_t)xen->tsc_khz,
                                    .total_pages = xen->machine->nr_frames,
                                    .free_pages = avail_domheap_pages(xen),
                                    .sched = xen->dom0->sched->ops->opt_name,
                                    .version = XEN_VERSION_NUMBER,
                                    .extra = XEN_EXTRA_VERSION };
    for (unsigned int cpu = 0; cpu < xen->nr_pcpus; cpu++)
        s->nr_pcpus += xen->pcpu[cpu].online;
}

const char *snapshot_scheduler(struct xen *xen, uint32_t pool, struct xen_sysctl_scheduler_op *op)
{
    struct scheduler *sched = cpupool_find(xen, pool);
    const uint32_t id = sched ? sched->ops->sched_id : 0;

    *op = (struct xen_sysctl_scheduler_op){ .sched_id = id, .cmd = XEN_SYSCTL_SCHEDOP_getinfo };
    if (sched && (id == XEN_SCHEDULER_CREDIT || id == XEN_SCHEDULER_CREDIT2))
        sched->ops->adjust_global(sched, op);
    return sched ? sched->ops->opt_name : NULL;
}

bool snapshot_rtds(const struct xen *xen, domid_t domid, int vcpu, struct xen_domctl_sched_rtds *p)
{
    struct domain *d = domain_from(xen, domid);
    struct xen_domctl_schedparam_vcpu one = { .vcpuid = (uint32_t)vcpu };
    struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_RTDS,
                                          .cmd =
                                              vcpu < 0 ? XEN_DOMCTL_SCHEDOP_getinfo : XEN_DOMCTL_SCHEDOP_getvcpuinfo };
    int rc;

    if (!d || !d->sched || d->sched->ops->sched_id != XEN_SCHEDULER_RTDS)
        return false;
    if (vcpu >= 0) {
        set_xen_guest_handle(op.u.v.vcpus, &one);
        op.u.v.nr_vcpus = 1;
    }
    rc = d->sched->ops->adjust(d->sched, d, &op);
    *p = vcpu < 0 ? op.u.rtds : one.u.rtds;
    if (vcpu < 0)
        p->flags = XEN_DOMCTL_SCHEDRT_extra; /* which the hypervisor does not say of new ones */
    return !rc;
}

bool snapshot_domain(const struct xen *xen, unsigned int *n, struct xen_domctl_getdomaininfo *info)
{
    struct domain *d = *n < DOMID_FIRST_RESERVED ? domain_from(xen, (domid_t)*n) : NULL;

    if (!d || d->domain_id >= DOMID_FIRST_RESERVED)
        return false;
    getdomaininfo(d, info);
    *n = d->domain_id;
    return true;
}

bool snapshot_domain_vcpu(const struct xen *xen, domid_t domid, unsigned int vcpu, struct snapshot_domain_vcpu *s)
{
    const struct domain *d = domid < DOMID_FIRST_RESERVED ? xen->domain_of[domid] : NULL;
    struct vcpu *v = d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;
    struct vcpu_runstate_info rs;

    if (!v)
        return false;
    vcpu_runstate_get(v, &rs);
    *s = (struct snapshot_domain_vcpu){ .online = !(v->pause_flags & VPF_down),
                                        .running = v->is_running,
                                        .blocked = v->pause_flags & (VPF_blocked | VPF_poll),
                                        .cpu = v->processor,
                                        .time = (s_time_t)rs.time[RUNSTATE_running],
                                        .hard = v->hard_affinity,
                                        .soft = v->soft_affinity };
    return true;
}

size_t snapshot_dmesg(const struct xen *xen, char *buf, size_t size)
{
    uint64_t pos = xen->console_start;

    return log_read(&xen->machine->log, &pos, buf, size);
}

/* --- a crash --- */

/* The code around RIP: what lies before it may be on another page, which may be there or not. */
static void code_read(struct vcpu *v, struct crash_report *r)
{
    const uint64_t rip = v->regs->rip;
    unsigned int before = rip < CRASH_CODE_BEFORE ? (unsigned int)rip : CRASH_CODE_BEFORE;

    r->nr_after = (unsigned int)guest_fetch_insn(v, rip, r->code + CRASH_CODE_BEFORE, CRASH_CODE_AFTER);
    if (guest_fetch_insn(v, rip - before, r->code + CRASH_CODE_BEFORE - before, before) < before) {
        before = PAGE_OFFSET(rip);
        before = (unsigned int)guest_fetch_insn(v, rip - before, r->code + CRASH_CODE_BEFORE - before, before);
    }
    r->nr_before = before;
}

static bool word_read(struct vcpu *v, uint64_t addr, uint64_t *word)
{
    *word = 0;
    return copy_from_guest(v, word, addr, v->domain->abi->word) == 0;
}

static void backtrace_make(struct vcpu *v, struct crash_report *r)
{
    const unsigned int size = r->is_32bit ? 4 : 8;
    uint64_t rbp = v->regs->rbp, caller_rbp, ret;

    while (r->nr_frames < CRASH_FRAMES) {
        if (!word_read(v, rbp, &caller_rbp) || !word_read(v, rbp + size, &ret) || ret == 0)
            break;
        r->frames[r->nr_frames++] = ret;
        if (caller_rbp <= rbp || caller_rbp - rbp > FRAME_SIZE_MAX)
            break;
        rbp = caller_rbp;
    }
}

void crash_report_make(struct vcpu *v, const char *why, struct crash_report *r)
{
    *r = (struct crash_report){
        .domid = v->domain->domain_id, .vcpu = v->vcpu_id, .why = why, .is_native = is_native_domain(v->domain)
    };
    if (r->is_native)
        return;
    r->is_32bit = v->domain->abi->word == 4;
    r->kernel_mode = guest_kernel_mode(v);
    r->regs = *v->regs;
    if (is_hvm_domain(v->domain)) {
        r->is_32bit = !(v->regs->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
        r->root = _mfn(PFN_DOWN(v->regs->cr3)); /* as the guest numbers it */
        r->user_root = INVALID_MFN;
        r->has_cr2 = true;
        r->cr2 = v->regs->cr2;
    } else {
        r->root = v->pv.guest_table;
        r->user_root = v->pv.guest_table_user;
        r->has_cr2 = v->vcpu_info && !r->is_32bit; /* a PV guest is told there where it faulted */
        r->cr2 = r->has_cr2 ? v->vcpu_info->arch.cr2 : 0;
    }
    code_read(v, r);
    while (r->nr_words < CRASH_STACK_WORDS &&
           word_read(v, v->regs->rsp + r->nr_words * (r->is_32bit ? 4 : 8), &r->stack[r->nr_words]))
        r->nr_words++;
    if (v->regs->rbp)
        backtrace_make(v, r);
}
