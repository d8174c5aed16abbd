// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as `xentrace` writes it on a real Xen 4.17, for `xenalyze` and others.
 *
 * Concept: Xen has a buffer of records a pCPU, and xentrace writes pieces of them, in front of each a record that says
 * whose it is and how long (TRC_TRACE_CPU_CHANGE). Records are of <xen/trace.h>: an event's number, how many words it
 * has, when it was in cycles, the words. Those that Xen makes are made from ours where Xen makes them, with its layout:
 *
 *   sched_switch   TRC_SCHED_SWITCH_INFPREV, TRC_SCHED_SWITCH_INFNEXT, TRC_SCHED_SWITCH; and since an idle pCPU of Xen
 *                  runs a vCPU of the idle domain, changes of that one's runstate
 *   runstate       TRC_SCHED_BLOCK in front of waiting, TRC_SCHED_RUNSTATE_CHANGE, TRC_SCHED_WAKE behind its end
 *   hypercall      TRC_PV_HYPERCALL_V2, in a multicall TRC_PV_HYPERCALL_SUBCALL; TRC_SCHED_YIELD
 *   trap           TRC_PV_TRAP, TRC_PV_PAGE_FAULT: the guest's kernel gets it
 *   emulate        TRC_PV_EMULATE_PRIVOP, TRC_PV_FORCED_INVALID_OP
 *   pte            TRC_PV_PTWR_EMULATION, if it was a store that was made good
 *   page_fault     TRC_PV_GDT_LDT_MAPPING_FAULT
 *   grant_map...   TRC_MEM_PAGE_GRANT_MAP, TRC_MEM_PAGE_GRANT_UNMAP
 *   domain         TRC_DOM0_DOM_ADD, TRC_DOM0_DOM_REM, TRC_SCHED_SHUTDOWN
 *
 * Of the rest Xen has no records. The computer's time stamp counter counts nanoseconds: it is `xenalyze --cpu-hz 1G`.
 *
 * Invariants: times of a pCPU never fall, and readers put pCPUs together by time: see export_time(). That a guest has
 * 32 bits is known by its first hypercall (`int $0x82`); until then its addresses are written as 64 bits.
 *
 * Xen's own: xen/common/trace.c, xen/arch/x86/trace.c.
 */
#include "ui/export/export.h"

#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>
#include <xen/trace.h>
#include <xen/vcpu.h>

#include "sim/insn.h"

#define WINDOW           (64u << 10) /* bytes of a piece at most */
#define MOST_OPS         0xfffffu    /* a hypercall's number has 20 bits */
#define DOMID_OF_IDLE    0x7fffu
#define NEEDS_ERROR_CODE ((1u << 8) | (0x1fu << 10) | (1u << 17)) /* vectors of exceptions that have one */

struct vcpu_row {
    struct export_row row;
    struct export_clock clock;
    s_time_t since; /* of its runstate */
    /* The last exit: the instruction and the exception. */
    uint64_t rip, len, vector, fault;
};

struct domain_row {
    struct export_row row;
    bool is_32;
};

struct xentrace {
    FILE *out;
    struct export_clocks clocks;
    struct export_rows vcpus, domains;
    struct {
        bool idle_comes; /* when the vCPU before has gone */
        uint64_t prev;
        s_time_t now;
    } pcpu[MACHINE_MAX_PCPUS];
    unsigned int window_of; /* whose records these are */
    uint32_t window[WINDOW / sizeof(uint32_t)];
    size_t nr; /* words in it */
};

/* --- writing --- */

static void flush(struct xentrace *x)
{
    const uint32_t head[] = { TRC_TRACE_CPU_CHANGE | 2u << TRACE_EXTRA_SHIFT, x->window_of,
                              (uint32_t)(x->nr * sizeof(uint32_t)) };

    if (!x->nr)
        return;
    fwrite(head, sizeof(head), 1, x->out);
    fwrite(x->window, sizeof(uint32_t), x->nr, x->out);
    x->nr = 0;
}

static void put(struct xentrace *x, unsigned int pcpu, s_time_t now, uint32_t event, unsigned int nr,
                const uint32_t *words)
{
    const uint64_t cycles = (uint64_t)now + 1; /* readers take 0 for a time that is not known */

    if (pcpu != x->window_of || x->nr + 3 + nr > ARRAY_SIZE(x->window))
        flush(x);
    x->window_of = pcpu;
    x->window[x->nr++] = event | nr << TRACE_EXTRA_SHIFT | (uint32_t)TRC_HD_CYCLE_FLAG;
    x->window[x->nr++] = (uint32_t)cycles;
    x->window[x->nr++] = (uint32_t)(cycles >> 32);
    memcpy(&x->window[x->nr], words, nr * sizeof(*words));
    x->nr += nr;
}

#define PUT(x, rec, now, event, ...)                                                                                   \
    do {                                                                                                               \
        const uint32_t put_[] = { __VA_ARGS__ };                                                                       \
        put((x), (rec)->pcpu, (now), (event), ARRAY_SIZE(put_), put_);                                                 \
    } while (0)

/* A few addresses, and a word behind them; with 32 bits a word each. */
static void put_addresses(struct xentrace *x, const struct trace_record *rec, s_time_t now, uint32_t event,
                          unsigned int nr, const uint64_t *addr, bool has_last, uint32_t last)
{
    const struct domain_row *d = export_row(&x->domains, rec->who.domain);
    uint32_t words[TRACE_EXTRA_MAX];
    unsigned int n = 0;

    for (unsigned int i = 0; i < nr; i++) {
        words[n++] = (uint32_t)addr[i];
        if (!d || !d->is_32)
            words[n++] = (uint32_t)(addr[i] >> 32);
    }
    if (has_last)
        words[n++] = last;
    put(x, rec->pcpu, now, event | (d && d->is_32 ? 0 : TRC_64_FLAG), n, words);
}

/* --- scheduling --- */

static void put_runstate(struct xentrace *x, unsigned int pcpu, s_time_t now, unsigned int dom, unsigned int vcpu,
                         uint64_t old, uint64_t new)
{
    const uint32_t who = EXPORT_KEY(dom, vcpu);

    put(x, pcpu, now, TRC_SCHED_RUNSTATE_CHANGE | (uint32_t)(old & 3) << 8 | (uint32_t)(new & 3) << 4, 1, &who);
}

/* Behind a pCPU's vCPU that has gone, the idle one comes. */
static void idle_comes(struct xentrace *x, unsigned int pcpu)
{
    if (x->pcpu[pcpu].idle_comes)
        put_runstate(x, pcpu, x->clocks.pcpu[pcpu], DOMID_OF_IDLE, pcpu, RUNSTATE_runnable, RUNSTATE_running);
    x->pcpu[pcpu].idle_comes = false;
}

static uint32_t since(struct xentrace *x, uint64_t id, s_time_t now)
{
    const struct vcpu_row *v =
        id == TRACE_NONE ? NULL : export_row(&x->vcpus, EXPORT_KEY(TRACE_VCPU_DOM(id), TRACE_VCPU_NR(id)));

    return v && v->since && now > v->since ? (uint32_t)(now - v->since) : 0;
}

static void on_switch(struct xentrace *x, s_time_t now, const struct trace_record *rec)
{
    const uint64_t prev = rec->arg[0], next = rec->arg[1];
    const uint64_t idle = TRACE_VCPU_ID(DOMID_OF_IDLE, rec->pcpu);
    const uint64_t p = prev == TRACE_NONE ? idle : prev, n = next == TRACE_NONE ? idle : next;
    const uint32_t from[] = { (uint32_t)TRACE_VCPU_DOM(p), (uint32_t)TRACE_VCPU_NR(p) };
    const uint32_t to[] = { (uint32_t)TRACE_VCPU_DOM(n), (uint32_t)TRACE_VCPU_NR(n) };

    PUT(x, rec, now, TRC_SCHED_SWITCH_INFPREV, from[0], from[1], since(x, prev, now));
    PUT(x, rec, now, TRC_SCHED_SWITCH_INFNEXT, to[0], to[1], since(x, next, now), (uint32_t)rec->arg[2]);
    PUT(x, rec, now, TRC_SCHED_SWITCH, from[0], from[1], to[0], to[1]);
    if (prev == TRACE_NONE && next != TRACE_NONE)
        put_runstate(x, rec->pcpu, now, DOMID_OF_IDLE, rec->pcpu, RUNSTATE_running, RUNSTATE_runnable);
    x->pcpu[rec->pcpu].idle_comes = prev != TRACE_NONE && next == TRACE_NONE;
    x->pcpu[rec->pcpu].prev = prev;
}

static void on_runstate(struct xentrace *x, struct vcpu_row *v, s_time_t now, const struct trace_record *rec)
{
    const uint64_t old = rec->arg[0], new = rec->arg[1], why = rec->arg[2];
    const uint32_t dom = rec->who.domain, vcpu = rec->who.vcpu;

    if (why == TRACE_RUN_BLOCK || why == TRACE_RUN_POLL)
        PUT(x, rec, now, TRC_SCHED_BLOCK, dom, vcpu);
    if (old < 4 && new < 4 && old != new)
        put_runstate(x, rec->pcpu, now, dom, vcpu, old, new);
    if (old >= RUNSTATE_blocked && new == RUNSTATE_runnable)
        PUT(x, rec, now, TRC_SCHED_WAKE, dom, vcpu);
    v->since = now;
}

/* --- guests --- */

/* Which arguments of a hypercall Xen records: a bit each, and those of 64 bits. */
static void recorded_args(uint64_t nr, unsigned int *args, unsigned int *wide)
{
    *args = *wide = 0;
    switch (nr) {
    case __HYPERVISOR_mmu_update:
    case __HYPERVISOR_multicall:
    case __HYPERVISOR_mmuext_op: *args = *wide = 1u << 1; break;
    case __HYPERVISOR_grant_table_op:
        *args = 1u << 0 | 1u << 2;
        *wide = 1u << 2;
        break;
    case __HYPERVISOR_vcpu_op: *args = 1u << 0 | 1u << 1; break;
    case __HYPERVISOR_sched_op: *args = 1u << 0; break;
    default: break;
    }
}

/* What it was called with. The first argument may have become the name of an operation. */
static uint64_t argument(const struct trace_record *rec, unsigned int i)
{
    return i ? rec->arg[2 + i] : rec->arg[1] != TRACE_NONE ? rec->arg[1] : rec->arg[2];
}

static void on_hypercall(struct xentrace *x, s_time_t now, const struct trace_record *rec)
{
    const bool is_sub = rec->arg[9] == TRACE_VIA_MULTICALL;
    uint32_t words[TRACE_EXTRA_MAX] = { (uint32_t)rec->arg[0] & MOST_OPS };
    struct domain_row *d = export_row(&x->domains, rec->who.domain);
    unsigned int n = 1, args, wide;

    if (d)
        d->is_32 |= rec->arg[9] == TRACE_VIA_INT82;
    recorded_args(rec->arg[0], &args, &wide);
    for (unsigned int i = 0; i < 6; i++) {
        if (!(args >> i & 1))
            continue;
        words[0] |= wide >> i & 1 ? TRC_PV_HYPERCALL_V2_ARG_64(i) : TRC_PV_HYPERCALL_V2_ARG_32(i);
        words[n++] = (uint32_t)argument(rec, i);
        if (wide >> i & 1)
            words[n++] = (uint32_t)(argument(rec, i) >> 32);
    }
    put(x, rec->pcpu, now, is_sub ? TRC_PV_HYPERCALL_SUBCALL : TRC_PV_HYPERCALL_V2, n, words);
    if (rec->arg[0] == __HYPERVISOR_sched_op && rec->arg[1] == SCHEDOP_yield)
        PUT(x, rec, now, TRC_SCHED_YIELD, rec->who.domain, rec->who.vcpu);
}

static void on_trap(struct xentrace *x, s_time_t now, const struct trace_record *rec)
{
    const uint64_t vector = rec->arg[0], error = rec->arg[1], cr2 = rec->arg[2], from = rec->arg[3];
    const bool has_code = vector < 32 && NEEDS_ERROR_CODE >> vector & 1;

    if (vector == 14)
        put_addresses(x, rec, now, TRC_PV_PAGE_FAULT, 2, (const uint64_t[]){ from, cr2 }, true, (uint32_t)error);
    else
        put_addresses(x, rec, now, TRC_PV_TRAP, 1, &from, true,
                      (uint32_t)(vector & 0x7fff) | (uint32_t)has_code << 15 |
                          (has_code ? (uint32_t)(error & 0xffff) << 16 : 0));
}

static void on_emulate(struct xentrace *x, const struct vcpu_row *v, s_time_t now, const struct trace_record *rec)
{
    /* Xen records it when it is done, with where the guest goes on. */
    const uint64_t rip = rec->arg[0] == v->rip ? v->rip + v->len : rec->arg[0];
    const bool is_forced = rec->arg[1] == INSN_CPUID && v->vector == 6;

    if (rec->arg[2] == TRACE_VERDICT_EMULATED && rec->arg[3] != TRACE_RULE_PAGE_TABLE)
        put_addresses(x, rec, now, is_forced ? TRC_PV_FORCED_INVALID_OP : TRC_PV_EMULATE_PRIVOP, 1, &rip, false, 0);
}

static void on_page_fault(struct xentrace *x, struct vcpu_row *v, s_time_t now, const struct trace_record *rec)
{
    v->fault = rec->arg[0];
    if (rec->arg[2] == TRACE_FAULT_LDT)
        put_addresses(x, rec, now, TRC_PV_GDT_LDT_MAPPING_FAULT, 2, (const uint64_t[]){ v->rip, v->fault & 0xffff },
                      false, 0);
}

/* The entry, then the addresses: with 32 bits that is the format of PAE. */
static void on_pte(struct xentrace *x, const struct vcpu_row *v, s_time_t now, const struct trace_record *rec)
{
    const struct domain_row *d = export_row(&x->domains, rec->who.domain);
    const uint64_t new = rec->arg[4];

    if (rec->arg[5] != TRACE_PTE_PTWR || rec->arg[6])
        return;
    if (d && d->is_32)
        PUT(x, rec, now, TRC_PV_PTWR_EMULATION_PAE, (uint32_t) new, (uint32_t)(new >> 32), (uint32_t)v->fault,
            (uint32_t)v->rip);
    else
        put_addresses(x, rec, now, TRC_PV_PTWR_EMULATION, 3, (const uint64_t[]){ new, v->fault, v->rip }, false, 0);
}

static void on_grant(struct xentrace *x, s_time_t now, const struct trace_record *rec)
{
    if (!rec->arg[rec->nr_words - 1])
        PUT(x, rec, now, rec->event == TRC_grant_map ? TRC_MEM_PAGE_GRANT_MAP : TRC_MEM_PAGE_GRANT_UNMAP,
            (uint32_t)rec->arg[1]);
}

static void on_domain(struct xentrace *x, s_time_t now, const struct trace_record *rec)
{
    switch (rec->arg[0]) {
    case TRACE_DOMAIN_CREATE: PUT(x, rec, now, TRC_DOM0_DOM_ADD, rec->who.domain); break;
    case TRACE_DOMAIN_DESTROY: PUT(x, rec, now, TRC_DOM0_DOM_REM, rec->who.domain); break;
    case TRACE_DOMAIN_SHUTDOWN:
        PUT(x, rec, now, TRC_SCHED_SHUTDOWN, rec->who.domain, rec->who.vcpu, (uint32_t)rec->arg[1]);
        break;
    default: break;
    }
}

/* --- the operations --- */

static void *xentrace_begin(FILE *out, const struct export_about *about)
{
    struct xentrace *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->out = out;
    x->vcpus.size = sizeof(struct vcpu_row);
    x->domains.size = sizeof(struct domain_row);
    return x;
}

static void on_vcpu(struct xentrace *x, struct vcpu_row *v, s_time_t now, const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_exit:
        v->vector = rec->arg[1];
        v->rip = rec->arg[3];
        v->len = rec->arg[4];
        break;
    case TRC_runstate: on_runstate(x, v, now, rec); break;
    case TRC_hypercall: on_hypercall(x, now, rec); break;
    case TRC_trap: on_trap(x, now, rec); break;
    case TRC_emulate: on_emulate(x, v, now, rec); break;
    case TRC_page_fault: on_page_fault(x, v, now, rec); break;
    case TRC_pte: on_pte(x, v, now, rec); break;
    case TRC_grant_map:
    case TRC_grant_unmap: on_grant(x, now, rec); break;
    case TRC_domain: on_domain(x, now, rec); break;
    default: break;
    }
}

static void xentrace_record(void *state, const struct trace_record *rec)
{
    struct xentrace *x = state;
    const bool is_switch = rec->event == TRC_sched_switch;
    struct vcpu_row *v = NULL;
    s_time_t now;

    if (rec->who.domain != TRACE_NO_DOMAIN && !is_switch)
        v = export_row(&x->vcpus, EXPORT_KEY(rec->who.domain, rec->who.vcpu));
    if (!v && !is_switch)
        return;
    /* The idle vCPU waits for the one before it to go. */
    if (x->pcpu[rec->pcpu].idle_comes &&
        (rec->event != TRC_runstate || TRACE_VCPU_ID(rec->who.domain, rec->who.vcpu) != x->pcpu[rec->pcpu].prev))
        idle_comes(x, rec->pcpu);
    now = export_time(&x->clocks, v ? &v->clock : NULL, rec);
    if (is_switch) {
        on_switch(x, now, rec);
        return;
    }
    on_vcpu(x, v, now, rec);
    if (rec->event == TRC_runstate)
        idle_comes(x, rec->pcpu);
}

static bool xentrace_end(void *state)
{
    struct xentrace *x = state;
    const bool good = !x->vcpus.failed && !x->domains.failed;

    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        idle_comes(x, i);
    flush(x);
    export_rows_free(&x->vcpus);
    export_rows_free(&x->domains);
    free(x);
    return good;
}

const struct export_format export_xentrace = {
    .name = "xentrace",
    .help = "what xentrace writes on Xen 4.17: for xenalyze --cpu-hz 1G",
    .begin = xentrace_begin,
    .record = xentrace_record,
    .end = xentrace_end,
};
