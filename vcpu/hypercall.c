// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls: from the guest's registers to a handler, and back.
 *
 * Concept: a hypercall is a system call to the hypervisor: a number and up to six words. A PV64 guest executes SYSCALL
 * in kernel mode (number in RAX, arguments in RDI RSI RDX R10 R8 R9), a PV32 guest INT 0x82 (EAX; EBX ECX EDX ESI EDI
 * EBP); others have ways of their own, hypercall_ways.c. All meet in hypercall_dispatch(), which looks into the table
 * of handlers, hypercall_table.c.
 *
 * Long work is preempted: a handler that has done its share updates its arguments to what is left and answers
 * -ERESTART. The dispatcher then puts the guest back onto its hypercall instruction with the new arguments, so the vCPU
 * can be descheduled, interrupted or destroyed in between, and the guest notices nothing. A multicall continues the
 * same way, with the arguments in the entry.
 *
 * Corresponds to xen/arch/x86/pv/hypercall.c, xen/common/multicall.c. Lab 03 is about this file.
 */
#include "mmu/compat.h"
#include "mmu/guest_access.h"
#include "vcpu/hypercall_private.h"
#include "vcpu/work.h"

#include <errno.h>

long hypercall_dispatch(struct vcpu *v, uint64_t nr, struct hypercall_args *args)
{
    struct xen *xen = v->domain->xen;
    const struct hypercall_entry *e = nr < XEN_NR_HYPERCALLS ? &xen->hypercalls[nr] : NULL;
    hypercall_fn *fn = e ? e->fn[v->domain->guest->hypercalls] : NULL;
    long ret;

    /* What HVM guests have, for 32-bit code in the form that takes its layouts. */
    if (fn && v->domain->guest->hypercalls == HYPERCALLS_HVM && v->domain->abi->word == 4)
        fn = e->fn[HYPERCALLS_PV32];

    if (e)
        xen->stats.hypercalls[nr]++;
    ret = fn ? fn(v, args) : -ENOSYS;
    hypercall_audit(xen);
    return ret;
}

/*
 * The call, and what a trace says of it: made by a PV guest with RIP behind its instruction, or as entry `multi` of a
 * multicall. ns: what making it takes.
 */
static inline long call(struct vcpu *v, uint64_t nr, struct hypercall_args *args, enum trace_via via, uint64_t multi,
                        s_time_t ns)
{
    struct machine *m = v->domain->xen->machine;
    const s_time_t began = m->clock.now;
    long ret;

    if (TRACE_ON(m))
        hypercall_trace_call(v, nr, args, is_pv_domain(v->domain) ? v->regs->rip : 0, via, multi);
    domain_charge(v->domain, ns);
    ret = hypercall_dispatch(v, nr, args);
    if (TRACE_ON(m))
        hypercall_trace_ret(v, nr, args, ret, began);
    return ret;
}

/* --- from a PV guest's registers --- */

#define HYPERCALL_INSN_LEN 2 /* SYSCALL and INT 0x82 alike */

static inline __attribute__((always_inline)) void hypercall(struct vcpu *v, bool compat)
{
    struct cpu_state *r = v->regs;
    const uint64_t mask = compat ? UINT32_MAX : UINT64_MAX, nr = r->rax & mask;
    struct hypercall_args args = hypercall_args_of(r, compat);
    const long ret =
        call(v, nr, &args, compat ? TRACE_VIA_INT82 : TRACE_VIA_SYSCALL, TRACE_NONE, CLOCK_NS_PER_HYPERCALL);

    if (nr == __HYPERVISOR_iret)
        return; /* it loaded a whole new context */
    if (hypercall_is_preempted(nr, &args, ret)) {
        r->rip -= HYPERCALL_INSN_LEN;
        hypercall_args_put(r, compat, &args);
        return;
    }
    r->rax = (uint64_t)ret & mask;
}

void hypercall_guest(struct vcpu *v) { hypercall(v, false); }
void compat_hypercall_guest(struct vcpu *v) { hypercall(v, true); }

/* --- multicall --- */

/* The result alone, or (the call is to be continued) all of it. */
static int multicall_write(struct vcpu *v, uint64_t addr, const struct multicall_entry *e, bool whole)
{
    return whole ? compat_to_guest(v, addr, e, COMPAT_multicall_entry)
                 : copy_field_to_guest(v, addr, COMPAT_multicall_entry, e, result);
}

/*
 * multicall(list, n): each entry gets its own result; one that has to be continued stops the list there until next
 * time.
 */
long do_multicall(struct vcpu *v, struct hypercall_args *args)
{
    const size_t size = compat_size(v->domain, COMPAT_multicall_entry);
    uint64_t list = args->a[0];
    uint32_t nr = (uint32_t)args->a[1], i;
    long rc = 0;

    if (v->in_multicall)
        return -EINVAL;
    if (!guest_handle_okay(v, list, nr * size))
        return -EFAULT;
    v->in_multicall = true;
    for (i = 0; i < nr; i++) {
        struct multicall_entry e;
        struct hypercall_args a;

        if (i && hypercall_preempt_check(v)) {
            rc = -ERESTART;
            break;
        }
        rc = compat_from_guest(v, &e, list + i * size, COMPAT_multicall_entry);
        if (rc)
            break;
        for (int j = 0; j < HYPERCALL_MAX_ARGS; j++)
            a.a[j] = e.args[j];
        e.result = (xen_ulong_t)call(v, e.op, &a, TRACE_VIA_MULTICALL, i, 0);
        if (e.op == __HYPERVISOR_iret) {
            v->in_multicall = false;
            args->a[1] = 0;        /* over, whatever RAX is now */
            return (long)e.result; /* the context is a new one: there is nobody to go on for */
        }
        if ((long)e.result == -ERESTART) {
            for (int j = 0; j < HYPERCALL_MAX_ARGS; j++)
                e.args[j] = a.a[j];
            rc = multicall_write(v, list + i * size, &e, true);
            if (!rc)
                rc = -ERESTART;
            break;
        }
        rc = multicall_write(v, list + i * size, &e, false);
        if (rc)
            break;
    }
    v->in_multicall = false;
    if (rc == -ERESTART) {
        args->a[0] = list + i * size;
        args->a[1] = nr - i;
    }
    return rc;
}
