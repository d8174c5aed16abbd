// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls of those who are no PV guests: HVM guests, and dom0's native code.
 *
 * Concept: all meet in hypercall_dispatch(). A guest with hardware's help leaves by VMMCALL, whose exit leaves RIP at
 * the instruction: one that is to be made again is simply not stepped over. Native code has no instruction, so that
 * what is preempted is gone on with here, unless the caller has a loop of its own.
 *
 * Corresponds to xen/arch/x86/hvm/hypercall.c.
 */
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall_private.h"
#include "vcpu/noun/caller.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/work.h"

#include <errno.h>

/*
 * The kernel's alone, and not from real mode (xen/arch/x86/hvm/hypercall.c). What it hands over has the layouts of the
 * code that calls: the domain's ABI is that from here on.
 */
void hvm_hypercall_guest(struct vcpu *v, unsigned int insn_len)
{
    struct cpu_state *r = v->regs;
    struct machine *m = v->domain->xen->machine;
    const bool compat = !(r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
    const uint64_t mask = compat ? UINT32_MAX : UINT64_MAX, nr = r->rax & mask;
    struct hypercall_args args = hypercall_args_of(r, compat);
    const s_time_t began = m->clock.now;
    long ret = -EPERM;

    v->domain->abi = compat ? &pv32_abi : &pv64_abi;
    if (TRACE_ON(m))
        hypercall_trace_call(v, nr, &args, r->rip, TRACE_VIA_VMMCALL, TRACE_NONE);
    domain_charge(v->domain, CLOCK_NS_PER_HYPERCALL);
    if (!(r->rflags & X86_EFLAGS_VM) && r->cpl == 0) /* in real mode, too */
        ret = hypercall_dispatch(v, nr, &args);
    if (TRACE_ON(m))
        hypercall_trace_ret(v, nr, &args, ret, began);
    if (ret == -ERESTART) {
        hypercall_args_put(r, compat, &args);
        return;
    }
    r->rax = (uint64_t)ret & mask;
    hvm_insn_done(v, insn_len);
}

static long native_dispatch(struct vcpu *v, unsigned int nr, struct hypercall_args *args)
{
    struct xen *xen = v->domain->xen;
    const uint64_t units = xen->units, bytes = xen->bytes_copied;
    long ret;

    native_charge(v, CLOCK_NS_PER_HYPERCALL);
    ret = hypercall_dispatch(v, nr, args);
    native_charge(v, (s_time_t)(xen->units - units) * CLOCK_NS_PER_UNIT);
    native_charge(v, (s_time_t)(xen->bytes_copied - bytes) * CLOCK_NS_PER_KIB / 1024);
    return ret;
}

static long native_call(struct vcpu *v, unsigned int nr, struct hypercall_args *args, bool once)
{
    struct machine *m = v->domain->xen->machine;
    const s_time_t began = m->clock.now;
    long ret;

    if (is_native_domain(v->domain) && v->native.gone)
        return 0;
    if (TRACE_ON(m))
        hypercall_trace_call(v, nr, args, 0, TRACE_VIA_NATIVE, TRACE_NONE);
    do
        ret = native_dispatch(v, nr, args);
    while (ret == -ERESTART && !once);
    if (TRACE_ON(m))
        hypercall_trace_ret(v, nr, args, ret, began);
    return ret;
}

long hypercall_native(struct vcpu *v, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    return native_call(v, nr, &(struct hypercall_args){ { a1, a2, a3, a4, a5 } }, false);
}

long hypercall_native_once(struct vcpu *v, unsigned int nr, struct hypercall_args *args)
{
    return native_call(v, nr, args, true);
}

long hypercall_remote(const struct caller *c, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    const struct caller_mem_ops *const mem = c->v->caller_mem;
    void *const data = c->v->caller_data;
    long ret;

    c->v->caller_mem = c->mem;
    c->v->caller_data = c->data;
    ret = hypercall_native(c->v, nr, a1, a2, a3, a4, a5);
    c->v->caller_mem = mem;
    c->v->caller_data = data;
    return ret;
}
