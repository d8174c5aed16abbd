// SPDX-License-Identifier: GPL-2.0-or-later
/* What the ways into the hypervisor share: hypercall.c, hypercall_ways.c, hypercall_trace.c. */
#ifndef VCPU_HYPERCALL_PRIVATE_H
#define VCPU_HYPERCALL_PRIVATE_H

#include "vcpu/hypercall.h"

#include <errno.h>

/*
 * One hypercall, from wherever: the handler's answer, -ERESTART included, with *args changed to what is left; -ENOSYS
 * if there is none for this kind of caller.
 */
long hypercall_dispatch(struct vcpu *v, uint64_t nr, struct hypercall_args *args);

/*
 * Is it to be made again, with *args? -ERESTART says so, but for iret, alone or at the end of a list: its answer is the
 * RAX of a program, which may be any number. A list that goes on has entries left.
 */
static inline bool hypercall_is_preempted(uint64_t nr, const struct hypercall_args *args, long ret)
{
    return ret == -ERESTART && nr != __HYPERVISOR_iret && !(nr == __HYPERVISOR_multicall && !(uint32_t)args->a[1]);
}

/* The audit, if it is asked for: --audit. To be called after each handler. */
void hypercall_audit(struct xen *xen);

/* A record that it is made, with the RIP behind the instruction; multi: its place in a multicall, or TRACE_NONE. */
void hypercall_trace_call(struct vcpu *v, uint64_t nr, const struct hypercall_args *args, uint64_t rip,
                          enum trace_via via, uint64_t multi);
/* One for each hypercall, also for those that will be made again and for iret, whose result is the frame's RAX. */
void hypercall_trace_ret(struct vcpu *v, uint64_t nr, const struct hypercall_args *args, long ret, s_time_t began);

static inline struct hypercall_args hypercall_args_of(const struct cpu_state *r, bool compat)
{
    if (!compat)
        return (struct hypercall_args){ { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 } };
    return (struct hypercall_args){ { (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx, (uint32_t)r->rsi,
                                      (uint32_t)r->rdi, (uint32_t)r->rbp } };
}

/* The other way, for a hypercall that is to be made again. */
static inline void hypercall_args_put(struct cpu_state *r, bool compat, const struct hypercall_args *args)
{
    uint64_t *const regs64[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };
    uint64_t *const regs32[] = { &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp };

    for (unsigned int i = 0; i < HYPERCALL_MAX_ARGS; i++)
        *(compat ? regs32 : regs64)[i] = compat ? (uint32_t)args->a[i] : args->a[i];
}

#endif
