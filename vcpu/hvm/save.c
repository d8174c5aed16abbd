// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain's state as records: XEN_DOMCTL_gethvmcontext, sethvmcontext.
 *
 * Concept: what a toolstack sets up, saves and restores of the hypervisor's part of an HVM machine is one buffer of
 * records, each with a kind, an instance and a length:
 *
 *      HEADER | CPU 0 | CPU 1 | ... | END
 *
 * A domain's builder sets its first vCPU so: it is that record that makes a vCPU one that can run.
 *
 * Corresponds to xen/common/hvm/save.c, hvm_save_cpu_ctxt() and hvm_load_cpu_ctxt() of xen/arch/x86/hvm/hvm.c; public
 * arch-x86/hvm/save.h.
 */
#include "mmu/guest_access.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/hvm/save.h>

struct cpu_record {
    struct hvm_save_descriptor desc;
    struct hvm_hw_cpu cpu;
} __attribute__((packed));

/* --- registers --- */

/* The records' names of the general registers, in the processor's order. */
#define EACH_GPR(X)                                                                                                    \
    X(rax) X(rcx) X(rdx) X(rbx) X(rsp) X(rbp) X(rsi) X(rdi) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)
#define EACH_SEGMENT(X)                                                                                                \
    X(cs, seg[CPU_SEG_CS])                                                                                             \
    X(ds, seg[CPU_SEG_DS])                                                                                             \
    X(es, seg[CPU_SEG_ES]) X(fs, seg[CPU_SEG_FS]) X(gs, seg[CPU_SEG_GS]) X(ss, seg[CPU_SEG_SS]) X(tr, tr) X(ldtr, ldtr)

static void cpu_save(struct vcpu *v, struct hvm_hw_cpu *c)
{
    const struct cpu_state *r = v->regs;

    cpu_context_save_fpu(v->ctx);
    memset(c, 0, sizeof(*c));
    memcpy(c->fpu_regs, r->fxsave, sizeof(c->fpu_regs));
    c->flags = XEN_X86_FPU_INITIALISED;
#define SAVE_GPR(name) c->name = r->name;
    EACH_GPR(SAVE_GPR)
    c->rip = r->rip;
    c->rflags = r->rflags;
    c->cr0 = r->cr0;
    c->cr2 = r->cr2;
    c->cr3 = r->cr3;
    c->cr4 = r->cr4;
    c->dr0 = r->dr[0];
    c->dr1 = r->dr[1];
    c->dr2 = r->dr[2];
    c->dr3 = r->dr[3];
    c->dr6 = r->dr[6];
    c->dr7 = r->dr[7];
#define SAVE_SEGMENT(name, field)                                                                                      \
    c->name##_sel = r->field.sel;                                                                                      \
    c->name##_limit = r->field.limit;                                                                                  \
    c->name##_base = r->field.base;                                                                                    \
    c->name##_arbytes = r->field.attr;
    EACH_SEGMENT(SAVE_SEGMENT)
    c->idtr_limit = r->idtr.limit;
    c->idtr_base = r->idtr.base;
    c->gdtr_limit = r->gdtr.limit;
    c->gdtr_base = r->gdtr.base;
    c->sysenter_cs = r->sysenter_cs;
    c->sysenter_esp = r->sysenter_esp;
    c->sysenter_eip = r->sysenter_eip;
    c->shadow_gs = r->kernel_gs_base;
    c->msr_lstar = r->lstar;
    c->msr_star = r->star;
    c->msr_cstar = r->cstar;
    c->msr_syscall_mask = r->sfmask;
    c->msr_efer = r->efer;
    c->msr_tsc_aux = v->hvm->tsc_aux;
    c->tsc = guest_rdtsc(v) + (uint64_t)v->hvm->tsc_adjust;
}

/* What no processor can be in. */
static bool cpu_valid(const struct hvm_hw_cpu *c)
{
    const bool lma = c->msr_efer & EFER_LMA;

    if ((c->cr0 & (X86_CR0_PE | X86_CR0_PG)) == X86_CR0_PG || c->cr0 >> 32)
        return false;
    if (lma != (c->msr_efer & EFER_LME && c->cr0 & X86_CR0_PG) || (lma && !(c->cr4 & X86_CR4_PAE)))
        return false;
    return !(c->msr_efer & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) && (!lma || is_canonical(c->rip)) &&
           !c->pending_valid;
}

static int cpu_load(struct vcpu *v, const struct hvm_hw_cpu *c)
{
    struct cpu_state *r = v->regs;

    if (!cpu_valid(c))
        return -EINVAL;
    cpu_state_reset(r);
    if (c->flags & XEN_X86_FPU_INITIALISED)
        cpu_state_set_fpu(r, c->fpu_regs);
#define LOAD_GPR(name) r->name = c->name;
    EACH_GPR(LOAD_GPR)
    r->rip = c->rip;
    r->rflags = (c->rflags & 0x3f7fd5) | X86_EFLAGS_MBS;
    r->cr0 = c->cr0 | X86_CR0_ET;
    r->cr2 = c->cr2;
    r->cr3 = c->cr3;
    r->cr4 = c->cr4;
    r->dr[0] = c->dr0;
    r->dr[1] = c->dr1;
    r->dr[2] = c->dr2;
    r->dr[3] = c->dr3;
    r->dr[6] = (uint32_t)c->dr6 | X86_DR6_DEFAULT;
    r->dr[7] = (uint32_t)c->dr7 | X86_DR7_DEFAULT;
#define LOAD_SEGMENT(name, field)                                                                                      \
    r->field =                                                                                                         \
        (struct cpu_segment){ (uint16_t)c->name##_sel, (uint16_t)c->name##_arbytes, c->name##_limit, c->name##_base };
    EACH_SEGMENT(LOAD_SEGMENT)
    r->idtr = (struct cpu_table){ c->idtr_base, (uint16_t)c->idtr_limit };
    r->gdtr = (struct cpu_table){ c->gdtr_base, (uint16_t)c->gdtr_limit };
    r->cpl = r->rflags & X86_EFLAGS_VM ? 3 : r->seg[CPU_SEG_SS].attr >> 5 & 3;
    r->sysenter_cs = c->sysenter_cs;
    r->sysenter_esp = c->sysenter_esp;
    r->sysenter_eip = c->sysenter_eip;
    r->kernel_gs_base = c->shadow_gs;
    r->lstar = c->msr_lstar;
    r->star = c->msr_star;
    r->cstar = c->msr_cstar;
    r->sfmask = c->msr_syscall_mask;
    r->efer = c->msr_efer;
    r->dirty = CPU_DIRTY_ALL;
    v->hvm->tsc_aux = (uint32_t)c->msr_tsc_aux;
    v->is_initialised = true;
    v->pause_flags &= ~VPF_down;
    return 0;
}

/* --- the buffer --- */

static int put(struct vcpu *caller, uint64_t buf, uint32_t *at, unsigned int type, unsigned int instance,
               const void *body, size_t n)
{
    const struct hvm_save_descriptor desc = { .typecode = (uint16_t)type,
                                              .instance = (uint16_t)instance,
                                              .length = (uint32_t)n };

    if (copy_to_guest(caller, buf + *at, &desc, sizeof(desc)) ||
        copy_to_guest(caller, buf + *at + sizeof(desc), body, n))
        return -EFAULT;
    *at += (uint32_t)(sizeof(desc) + n);
    return 0;
}

static uint32_t size_of(const struct domain *d)
{
    uint32_t size = 3 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header);

    size -= sizeof(struct hvm_save_descriptor);
    for_each_vcpu (d, v)
        size += sizeof(struct cpu_record);
    return size;
}

int hvm_save(struct domain *d, struct vcpu *caller, struct xen_domctl_hvmcontext *op)
{
    const uint64_t buf = (uintptr_t)op->buffer.p;
    const struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
    const uint32_t room = op->size;
    uint32_t at = 0;
    int rc;

    op->size = size_of(d);
    if (!buf)
        return 0;
    if (room < op->size)
        return -ENOSPC;
    rc = put(caller, buf, &at, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
    for_each_vcpu (d, v) {
        struct hvm_hw_cpu cpu;

        if (v->pause_flags & VPF_down) /* what is down has no state */
            continue;
        cpu_save(v, &cpu);
        rc = rc ?: put(caller, buf, &at, HVM_SAVE_CODE(CPU), v->vcpu_id, &cpu, sizeof(cpu));
    }
    rc = rc ?: put(caller, buf, &at, HVM_SAVE_CODE(END), 0, "", 0);
    op->size = at;
    return rc;
}

/* One record of n bytes at addr. Kinds that are not known are refused, as a newer Xen's would be. */
static int load_one(struct domain *d, struct vcpu *caller, const struct hvm_save_descriptor *desc, uint64_t addr)
{
    struct hvm_hw_cpu cpu;

    switch (desc->typecode) {
    case HVM_SAVE_CODE(HEADER): return desc->length == sizeof(struct hvm_save_header) ? 0 : -EINVAL;
    case HVM_SAVE_CODE(CPU):
        if (desc->instance >= d->max_vcpus || !d->vcpu[desc->instance] || desc->length != sizeof(cpu))
            return -EINVAL;
        if (copy_from_guest(caller, &cpu, addr, sizeof(cpu)))
            return -EFAULT;
        return cpu_load(d->vcpu[desc->instance], &cpu);
    default: return -EINVAL;
    }
}

int hvm_load(struct domain *d, struct vcpu *caller, const struct xen_domctl_hvmcontext *op)
{
    const uint64_t buf = (uintptr_t)op->buffer.p;
    struct hvm_save_descriptor desc;
    uint32_t at = 0;
    int rc = 0;

    while (!rc) {
        if (op->size < sizeof(desc) || at > op->size - sizeof(desc))
            return -ENODATA;
        if (copy_from_guest(caller, &desc, buf + at, sizeof(desc)))
            return -EFAULT;
        at += sizeof(desc);
        if (desc.length > op->size - at || (at == sizeof(desc) && desc.typecode != HVM_SAVE_CODE(HEADER)))
            return -EINVAL;
        if (desc.typecode == HVM_SAVE_CODE(END))
            return 0;
        rc = load_one(d, caller, &desc, buf + at);
        at += desc.length;
    }
    return rc;
}
