// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypercall table and its dispatch.
 *
 * Concept: a hypercall is a system call to the hypervisor: a number and up to six words. A PV64 guest executes SYSCALL
 * in kernel mode (number in RAX, arguments in RDI RSI RDX R10 R8 R9), a PV32 guest INT 0x82 (EAX; EBX ECX EDX ESI EDI
 * EBP), and dom0's native code calls hypercall_native(). All meet in hypercall_dispatch(), and the table below is the
 * whole interface: a column for each kind of guest, because a handler may have to understand 32-bit layouts, or must
 * not be offered at all.
 *
 * Long work is preempted: a handler that has done its share updates its arguments to what is left and answers
 * -ERESTART. The dispatcher then puts the guest back onto its hypercall instruction with the new arguments, so the vCPU
 * can be descheduled, interrupted or destroyed in between, and the guest notices nothing. A multicall continues the
 * same way, with the arguments in the entry.
 *
 * Budget: a little over 400 lines: the table, and the four ways in.
 *
 * Corresponds to xen/include/hypercall-defs.c, xen/arch/x86/pv/hypercall.c, xen/common/multicall.c. Labs: hypercalls.
 */
#include "vcpu/hypercall.h"

#include "evtchn/evtchn.h"
#include "mmu/audit.h"
#include "mmu/compat.h"
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/pv/pv.h"
#include "vcpu/work.h"

#include <errno.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/memory.h>
#include <xen/sched.h>

static hypercall_fn do_multicall;

#define CALL(nr, handler, compat, hvm_, native_) [__HYPERVISOR_##nr] = { #nr, { handler, compat, hvm_, native_ } }

// clang-format off: a table
const struct hypercall_entry hypercall_table[XEN_NR_HYPERCALLS] = {
    /*   name                          PV64                      PV32                      HVM     native */
    CALL(set_trap_table, do_set_trap_table, do_set_trap_table, NULL, NULL),
    CALL(mmu_update, do_mmu_update, do_mmu_update, NULL, do_mmu_update),
    CALL(set_gdt, do_set_gdt, do_set_gdt, NULL, NULL),
    CALL(stack_switch, do_stack_switch, do_stack_switch, NULL, NULL),
    CALL(set_callbacks, do_set_callbacks, compat_set_callbacks, NULL, NULL),
    CALL(fpu_taskswitch, do_fpu_taskswitch, do_fpu_taskswitch, NULL, NULL),
    CALL(sched_op_compat, do_sched_op_compat_old, do_sched_op_compat_old, NULL, NULL),
    CALL(platform_op, do_platform_op, do_platform_op, NULL, do_platform_op),
    CALL(set_debugreg, do_set_debugreg, do_set_debugreg, NULL, NULL),
    CALL(get_debugreg, do_get_debugreg, do_get_debugreg, NULL, NULL),
    CALL(update_descriptor, do_update_descriptor, compat_update_descriptor, NULL, NULL),
    CALL(memory_op, do_memory_op, compat_memory_op, do_memory_op, do_memory_op),
    CALL(multicall, do_multicall, do_multicall, do_multicall, do_multicall),
    CALL(update_va_mapping, do_update_va_mapping, compat_update_va_mapping, NULL, NULL),
    CALL(set_timer_op, do_set_timer_op, compat_set_timer_op, do_set_timer_op, do_set_timer_op),
    CALL(event_channel_op_compat, do_event_channel_op_compat, do_event_channel_op_compat, NULL, NULL),
    CALL(xen_version, do_xen_version, do_xen_version, do_xen_version, do_xen_version),
    CALL(console_io, do_console_io, do_console_io, do_console_io, do_console_io),
    CALL(physdev_op_compat, do_physdev_op_compat, do_physdev_op_compat, NULL, NULL),
    CALL(grant_table_op, do_grant_table_op, do_grant_table_op, do_grant_table_op, do_grant_table_op),
    CALL(vm_assist, do_vm_assist, do_vm_assist, do_vm_assist, do_vm_assist),
    CALL(update_va_mapping_otherdomain, do_update_va_mapping_otherdomain, compat_update_va_mapping_otherdomain, NULL,
         NULL),
    CALL(iret, do_iret, compat_iret, NULL, NULL),
    CALL(vcpu_op, do_vcpu_op, do_vcpu_op, do_vcpu_op, do_vcpu_op),
    CALL(set_segment_base, do_set_segment_base, NULL, NULL, NULL),
    CALL(mmuext_op, do_mmuext_op, do_mmuext_op, NULL, do_mmuext_op),
    CALL(xsm_op, do_xsm_op, do_xsm_op, do_xsm_op, do_xsm_op),
    CALL(nmi_op, do_nmi_op, do_nmi_op, NULL, NULL),
    CALL(sched_op, do_sched_op, do_sched_op, do_sched_op, do_sched_op),
    CALL(callback_op, do_callback_op, compat_callback_op, NULL, NULL),
    CALL(event_channel_op, do_event_channel_op, do_event_channel_op, do_event_channel_op, do_event_channel_op),
    CALL(physdev_op, do_physdev_op, do_physdev_op, do_physdev_op, do_physdev_op),
    CALL(hvm_op, do_hvm_op, do_hvm_op, do_hvm_op, do_hvm_op),
    CALL(sysctl, do_sysctl, do_sysctl, do_sysctl, do_sysctl),
    CALL(domctl, do_domctl, do_domctl, do_domctl, do_domctl),
    CALL(kexec_op, do_kexec_op, do_kexec_op, NULL, do_kexec_op),
    CALL(xenpmu_op, do_xenpmu_op, do_xenpmu_op, do_xenpmu_op, do_xenpmu_op),
    CALL(dm_op, do_dm_op, do_dm_op, do_dm_op, do_dm_op),
    CALL(hypfs_op, do_hypfs_op, do_hypfs_op, do_hypfs_op, do_hypfs_op),
    [__HYPERVISOR_mca] = { "mca", { do_mca, do_mca, NULL, do_mca } },
    [__HYPERVISOR_arch_1] = { "paging_domctl_cont",
                              { do_paging_domctl_cont, do_paging_domctl_cont, do_paging_domctl_cont,
                                do_paging_domctl_cont } },
};
// clang-format on

const char *hypercall_name(unsigned int nr)
{
    const char *name = nr < XEN_NR_HYPERCALLS ? hypercall_table[nr].name : NULL;

    return name ? name : "unknown";
}

#define AUDIT_FIRST  4096 /* hypercalls */
#define AUDIT_ONE_IN 1024

/*
 * --audit: after every hypercall, so that a count that is wrong is found right after the one that made it so. With
 * sanitizers without being asked, but a Linux makes hundreds of thousands: after each of the first, then after some.
 */
static bool audit_is_due(struct xen *xen)
{
#ifdef XENLAB_AUDIT
    xen->nr_dispatched++;
    if (xen->nr_dispatched <= AUDIT_FIRST || xen->nr_dispatched % AUDIT_ONE_IN == 0)
        return true;
#endif
    return xen->audit;
}

static void audit(struct xen *xen)
{
    char why[200];

    if (mmu_audit(xen, why, sizeof(why))) {
        printk(xen->machine, LOG_ERR, "audit: %s", why);
        bug(__FILE__, __LINE__, "mmu_audit");
    }
}

/* One entry, from wherever. Returns the handler's answer, -ERESTART included. */
static long hypercall_dispatch(struct vcpu *v, uint64_t nr, struct hypercall_args *args)
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
    if (audit_is_due(xen))
        audit(xen);
    return ret;
}

/* --- for the trace --- */

/* In a trace, the addresses of native code's buffers are left out: they are the host's, and another on every run. */
static uint64_t traced_arg(const struct vcpu *v, uint64_t a) { return is_native_domain(v->domain) && a >> 32 ? 0 : a; }

/* The operation: the first argument, or the first word of what it points to. */
static uint64_t traced_sub(struct vcpu *v, uint64_t nr, const struct hypercall_args *args)
{
    uint32_t cmd;

    if (!trace_subops(nr))
        return TRACE_NONE;
    switch (nr) {
    case __HYPERVISOR_domctl:
    case __HYPERVISOR_sysctl:
    case __HYPERVISOR_platform_op:
    case __HYPERVISOR_mmuext_op:
    case __HYPERVISOR_event_channel_op_compat:
    case __HYPERVISOR_physdev_op_compat:
        if (is_native_domain(v->domain) ? copy_from_guest(v, &cmd, args->a[0], sizeof(cmd))
                                        : guest_peek(v, args->a[0], &cmd, sizeof(cmd)) != sizeof(cmd))
            return TRACE_NONE;
        return cmd;
    /* Above them is how far a call has come that is continued: mmu/memory/, mmu/grant/. */
    case __HYPERVISOR_memory_op: return args->a[0] & 0x3f;
    case __HYPERVISOR_grant_table_op: return args->a[0] & 0xfff;
    default: return (uint32_t)args->a[0];
    }
}

static void trace_call(struct vcpu *v, uint64_t nr, const struct hypercall_args *args, uint64_t rip, enum trace_via via,
                       uint64_t multi)
{
    const uint64_t *a = args->a;

    TRACE_VCPU(v, hypercall, nr, traced_sub(v, nr, args), traced_arg(v, a[0]), traced_arg(v, a[1]), traced_arg(v, a[2]),
               traced_arg(v, a[3]), traced_arg(v, a[4]), traced_arg(v, a[5]), rip, via, multi);
}

/* One for each hypercall, also for those that will be made again and for iret, whose result is the frame's RAX. */
static void trace_ret(struct vcpu *v, uint64_t nr, long ret, s_time_t began)
{
    const struct domain *d = v->domain;
    enum trace_status status = TRACE_STATUS_DONE;

    if (ret == -ERESTART)
        status = TRACE_STATUS_CONTINUED;
    else if (nr == __HYPERVISOR_iret || (d->is_shutting_down && d->shutdown_code != SHUTDOWN_suspend))
        status = TRACE_STATUS_NORETURN;
    TRACE_VCPU(v, hypercall_ret, nr, (uint64_t)ret, (uint64_t)(NOW(d->xen) - began), status);
}

/* --- from a guest's registers --- */

static inline struct hypercall_args args_of(const struct cpu_state *r, bool compat)
{
    if (!compat)
        return (struct hypercall_args){ { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 } };
    return (struct hypercall_args){ { (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx, (uint32_t)r->rsi,
                                      (uint32_t)r->rdi, (uint32_t)r->rbp } };
}

/* The other way, for a hypercall that is to be made again. */
static inline void args_put(struct cpu_state *r, bool compat, const struct hypercall_args *args)
{
    uint64_t *const regs64[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };
    uint64_t *const regs32[] = { &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp };

    for (unsigned int i = 0; i < HYPERCALL_MAX_ARGS; i++)
        *(compat ? regs32 : regs64)[i] = compat ? (uint32_t)args->a[i] : args->a[i];
}

#define HYPERCALL_INSN_LEN 2 /* SYSCALL and INT 0x82 alike */

static inline __attribute__((always_inline)) void hypercall(struct vcpu *v, bool compat)
{
    struct cpu_state *r = v->regs;
    struct machine *m = v->domain->xen->machine;
    const uint64_t mask = compat ? UINT32_MAX : UINT64_MAX, nr = r->rax & mask;
    struct hypercall_args args = args_of(r, compat);
    const s_time_t began = m->clock.now;
    long ret;

    if (TRACE_ON(m))
        trace_call(v, nr, &args, r->rip, compat ? TRACE_VIA_INT82 : TRACE_VIA_SYSCALL, TRACE_NONE);
    domain_charge(v->domain, CLOCK_NS_PER_HYPERCALL);
    ret = hypercall_dispatch(v, nr, &args);
    if (TRACE_ON(m))
        trace_ret(v, nr, ret, began);
    if (nr == __HYPERVISOR_iret)
        return; /* it loaded a whole new context */
    if (ret == -ERESTART) {
        r->rip -= HYPERCALL_INSN_LEN;
        args_put(r, compat, &args);
        return;
    }
    r->rax = (uint64_t)ret & mask;
}

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
    struct hypercall_args args = args_of(r, compat);
    const s_time_t began = m->clock.now;
    long ret = -EPERM;

    v->domain->abi = compat ? &pv32_abi : &pv64_abi;
    if (TRACE_ON(m))
        trace_call(v, nr, &args, r->rip, TRACE_VIA_VMMCALL, TRACE_NONE);
    domain_charge(v->domain, CLOCK_NS_PER_HYPERCALL);
    if (!(r->rflags & X86_EFLAGS_VM) && r->cpl == 0) /* in real mode, too */
        ret = hypercall_dispatch(v, nr, &args);
    if (TRACE_ON(m))
        trace_ret(v, nr, ret, began);
    if (ret == -ERESTART) {
        args_put(r, compat, &args);
        return;
    }
    r->rax = (uint64_t)ret & mask;
    hvm_insn_done(v, insn_len);
}

void hypercall_guest(struct vcpu *v) { hypercall(v, false); }
void compat_hypercall_guest(struct vcpu *v) { hypercall(v, true); }

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
        trace_call(v, nr, args, 0, TRACE_VIA_NATIVE, TRACE_NONE);
    do
        ret = native_dispatch(v, nr, args);
    while (ret == -ERESTART && !once);
    if (TRACE_ON(m))
        trace_ret(v, nr, ret, began);
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

/* --- multicall --- */

/* The result alone, or (the call is to be continued) all of it. */
static int multicall_write(struct vcpu *v, uint64_t addr, const struct multicall_entry *e, bool whole)
{
    return whole ? compat_to_guest(v, addr, e, COMPAT_multicall_entry)
                 : copy_field_to_guest(v, addr, COMPAT_multicall_entry, e, result);
}

static __attribute__((cold)) long multicall_traced(struct vcpu *v, uint64_t nr, struct hypercall_args *args,
                                                   uint32_t index)
{
    const s_time_t began = NOW(v->domain->xen);
    long ret;

    trace_call(v, nr, args, is_pv_domain(v->domain) ? v->regs->rip : 0, TRACE_VIA_MULTICALL, index);
    ret = hypercall_dispatch(v, nr, args);
    trace_ret(v, nr, ret, began);
    return ret;
}

/*
 * multicall(list, n): each entry gets its own result; one that has to be continued stops the list there until next
 * time.
 */
static long do_multicall(struct vcpu *v, struct hypercall_args *args)
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
        e.result = (xen_ulong_t)(TRACE_ON(v->domain->xen->machine) ? multicall_traced(v, e.op, &a, i)
                                                                   : hypercall_dispatch(v, e.op, &a));
        if (e.op == __HYPERVISOR_iret) {
            v->in_multicall = false;
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
