// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's registers as a record of an HVM domain's state (save.c), and back.
 *
 * Corresponds to hvm_save_cpu_ctxt() and hvm_load_cpu_ctxt() of xen/arch/x86/hvm/hvm.c; public arch-x86/hvm/save.h.
 */
#include "vcpu/hvm/hvm.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>
#include <xen/hvm/save.h>

/* The records' names of the general registers, in the processor's order. */
#define EACH_GPR(X)                                                                                                    \
    X(rax) X(rcx) X(rdx) X(rbx) X(rsp) X(rbp) X(rsi) X(rdi) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)
#define EACH_SEGMENT(X)                                                                                                \
    X(cs, seg[CPU_SEG_CS])                                                                                             \
    X(ds, seg[CPU_SEG_DS])                                                                                             \
    X(es, seg[CPU_SEG_ES]) X(fs, seg[CPU_SEG_FS]) X(gs, seg[CPU_SEG_GS]) X(ss, seg[CPU_SEG_SS]) X(tr, tr) X(ldtr, ldtr)

void hvm_cpu_save(struct vcpu *v, struct hvm_hw_cpu *c)
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

/* What no processor of d's can be in. */
static bool cpu_valid(const struct domain *d, const struct hvm_hw_cpu *c)
{
    struct cpu_state r = { .cr0 = c->cr0, .cr4 = c->cr4, .efer = c->msr_efer };

    r.seg[CPU_SEG_CS].attr = (uint16_t)c->cs_arbytes;
    return hvm_mode_valid(d, &r) && (!(r.efer & EFER_LMA) || is_canonical(c->rip)) && !c->pending_valid &&
           !(c->flags & ~(uint32_t)XEN_X86_FPU_INITIALISED);
}

int hvm_cpu_load(struct vcpu *v, const struct hvm_hw_cpu *c)
{
    struct cpu_state *r = v->regs;

    if (!cpu_valid(v->domain, c))
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
