// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading and reading a PV vCPU's whole register context.
 *
 * Concept: a vCPU is brought to life with one structure, struct vcpu_guest_context: registers, trap table, descriptor
 * tables, page-table root. It comes from the toolstack (XEN_DOMCTL_setvcpucontext) or from the guest for its own
 * secondary vCPUs (VCPUOP_initialise); neither is trusted. Everything is checked before anything is loaded, and the
 * root page table is validated by mmu/.
 *
 * A 32-bit guest's structure is another layout (xen/foreign/x86_32.h); it is converted to the 64-bit one at the door.
 *
 * Corresponds to xen/arch/x86/domain.c (arch_set_info_guest) and domctl.c (arch_get_info_guest).
 */
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/cpuid.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <string.h>
#include <xen/foreign/x86_32.h>

static uint64_t mfn_to_cr3(const struct domain *d, mfn_t mfn)
{
    return mfn_eq(mfn, INVALID_MFN) ? 0 : d->abi->mfn_to_cr3(mfn);
}

static unsigned int nr_gdt_frames(const struct vcpu_guest_context *c)
{
    return (unsigned int)(c->gdt_ents + 511) / 512;
}

static bool starts_in_user_mode(const struct domain *d, const struct vcpu_guest_context *c)
{
    return has_user_root(d) && !(c->flags & VGCF_IN_KERNEL);
}

static int context_check(struct vcpu *v, const struct pv_guest_context *g)
{
    const struct vcpu_guest_context *c = &g->nat;

    if (!is_canonical(c->user_regs.rip) || !is_canonical(c->user_regs.rsp) || !is_canonical(c->kernel_sp) ||
        !is_canonical(c->event_callback_eip) || !is_canonical(c->failsafe_callback_eip) ||
        !is_canonical(c->syscall_callback_eip) || !is_canonical(c->fs_base) || !is_canonical(c->gs_base_kernel) ||
        !is_canonical(c->gs_base_user) || !guest_handle_okay(v, c->ldt_base, 1))
        return -EINVAL;
    for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        if (!is_canonical(c->trap_ctxt[i].address))
            return -EINVAL;
    if (c->ldt_ents > 8192 || (c->ldt_base & (PAGE_SIZE - 1)))
        return -EINVAL;
    if (c->gdt_ents > FIRST_RESERVED_GDT_PAGE * 512)
        return -EINVAL;
    if (v->vcpu_id == 0 && (c->vm_assist & ~v->domain->guest->vm_assist_valid))
        return -EINVAL;
    /* It would start in user mode, on page tables that it has not got. */
    return !v->is_initialised && starts_in_user_mode(v->domain, c) && !c->ctrlreg[1] ? -EINVAL : 0;
}

/*
 * The tables of a vCPU that is initialised are its guest's alone to change: does the context name the ones that it has?
 */
static bool same_tables(const struct vcpu *v, const struct vcpu_guest_context *c)
{
    const struct domain *d = v->domain;

    if (c->ctrlreg[3] != mfn_to_cr3(d, pv_guest_root(v)))
        return false;
    if (has_user_root(d) && c->ctrlreg[1] != mfn_to_cr3(d, v->pv.guest_table_user))
        return false;
    if (starts_in_user_mode(d, c) && !c->ctrlreg[1])
        return false;
    if (c->gdt_ents != v->pv.gdt_ents || memcmp(c->gdt_frames, v->pv.gdt_frames, nr_gdt_frames(c) * sizeof(uint64_t)))
        return false;
    return c->ldt_ents == v->pv.ldt_ents && c->ldt_base == v->pv.ldt_base;
}

static void load_debug_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    memset(v->regs->dr, 0, sizeof(v->regs->dr));
    set_debugreg(v, 6, 0);
    set_debugreg(v, 7, 0);
    for (unsigned int i = 0; i < 4; i++)
        set_debugreg(v, i, c->debugreg[i]);
    set_debugreg(v, 6, c->debugreg[6]);
    set_debugreg(v, 7, c->debugreg[7]); /* what it may not set is left out */
}

void pv_set_cr4(struct vcpu *v, uint64_t cr4)
{
    v->pv.ctrlreg[4] = pv_fixup_guest_cr4(v->domain, cr4);
    v->regs->cr4 = PV_CR4_FIXED | (v->pv.ctrlreg[4] & X86_CR4_FSGSBASE);
    v->regs->dirty |= CPU_DIRTY_CR;
}

static void load_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    const struct cpu_user_regs *u = &c->user_regs;
    struct cpu_state *r = v->regs;

    r->rax = u->rax, r->rbx = u->rbx, r->rcx = u->rcx, r->rdx = u->rdx;
    r->rsi = u->rsi, r->rdi = u->rdi, r->rbp = u->rbp, r->rsp = u->rsp;
    r->r8 = u->r8, r->r9 = u->r9, r->r10 = u->r10, r->r11 = u->r11;
    r->r12 = u->r12, r->r13 = u->r13, r->r14 = u->r14, r->r15 = u->r15;
    r->rip = u->rip;
    r->rflags = (u->rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | X86_EFLAGS_MBS;
    v->pv.iopl = (u->rflags >> 12) & 3;
    r->cr0 = 0x80050033 | (c->ctrlreg[0] & X86_CR0_TS);
    r->efer = 0xd01;
    cpu_state_set_fpu(r, c->flags & VGCF_I387_VALID ? &c->fpu_ctxt : NULL);
    r->dirty |= CPU_DIRTY_ALL;
}

/* After the GDT is there. What cannot be loaded is noted: the kernel hears of it when the vCPU runs. */
static void load_segments(struct vcpu *v, const struct vcpu_guest_context *c)
{
    const struct cpu_user_regs *u = &c->user_regs;
    struct cpu_state *r = v->regs;
    const struct {
        unsigned int seg;
        uint16_t sel;
    } data[] = { { CPU_SEG_DS, u->ds }, { CPU_SEG_ES, u->es }, { CPU_SEG_FS, u->fs }, { CPU_SEG_GS, u->gs } };

    pv_set_segment(v, CPU_SEG_CS, fixup_guest_code_selector(v->domain, u->cs));
    pv_set_segment(v, CPU_SEG_SS, fixup_guest_stack_selector(v->domain, u->ss));
    for (unsigned int i = 0; i < ARRAY_SIZE(data); i++)
        if (!pv_load_segment(v, data[i].seg, data[i].sel))
            r->seg[data[i].seg] = (struct cpu_segment){ .sel = data[i].sel };
    if (v->domain->abi->efer & EFER_LMA) {
        r->seg[CPU_SEG_FS].base = c->fs_base;
        r->seg[CPU_SEG_GS].base = v->pv.kernel_mode ? c->gs_base_kernel : c->gs_base_user;
        v->pv.gs_base_user = v->pv.kernel_mode ? c->gs_base_user : c->gs_base_kernel;
    }
}

static void load_callbacks(struct vcpu *v, const struct pv_guest_context *g)
{
    const struct vcpu_guest_context *c = &g->nat;
    struct pv_vcpu *pv = &v->pv;

    memcpy(pv->trap_ctxt, c->trap_ctxt, sizeof(pv->trap_ctxt));
    for (unsigned int i = 0; i < ARRAY_SIZE(pv->trap_ctxt); i++)
        pv->trap_ctxt[i].cs = fixup_guest_code_selector(v->domain, pv->trap_ctxt[i].cs);
    pv->kernel_ss = fixup_guest_stack_selector(v->domain, (uint16_t)c->kernel_ss);
    pv->kernel_sp = c->kernel_sp;
    pv->event_callback_eip = c->event_callback_eip;
    pv->failsafe_callback_eip = c->failsafe_callback_eip;
    pv->event_callback_cs = fixup_guest_code_selector(v->domain, g->event_callback_cs);
    pv->failsafe_callback_cs = fixup_guest_code_selector(v->domain, g->failsafe_callback_cs);
    pv->syscall_callback_eip = c->syscall_callback_eip;
    pv->vgc_flags = (uint32_t)c->flags & ~(uint32_t)(VGCF_I387_VALID | VGCF_IN_KERNEL | VGCF_online);
}

int pv_set_info_guest(struct vcpu *v, const struct pv_guest_context *g)
{
    const struct vcpu_guest_context *c = &g->nat;
    struct domain *d = v->domain;
    int rc = context_check(v, g);

    if (rc)
        return rc;
    if (v->is_initialised && !same_tables(v, c))
        return -EOPNOTSUPP;
    load_registers(v, c);
    load_callbacks(v, g);
    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv.ctrlreg); i++)
        v->pv.ctrlreg[i] = c->ctrlreg[i];
    v->pv.ctrlreg[0] = (c->ctrlreg[0] & X86_CR0_TS) | 0x80050033;
    pv_set_cr4(v, c->ctrlreg[4]);
    load_debug_registers(v, c);
    if (!v->is_initialised) {
        pv_destroy_ldt(v);
        v->pv.ldt_base = c->ldt_base;
        v->pv.ldt_ents = (unsigned int)c->ldt_ents;
        if (v->vcpu_id == 0)
            d->vm_assist = c->vm_assist;
        rc = pv_set_gdt(v, c->gdt_frames, (unsigned int)c->gdt_ents);
        if (rc)
            return rc;
        rc = new_guest_cr3(v, d->abi->cr3_to_mfn(c->ctrlreg[3]), TRACE_CR3_CONTEXT);
        if (!rc && has_user_root(d) && c->ctrlreg[1])
            rc = pv_set_user_cr3(v, d->abi->cr3_to_mfn(c->ctrlreg[1]), TRACE_CR3_CONTEXT);
        if (rc)
            return rc == -ERESTART ? rc : -EINVAL;
    }
    v->pv.kernel_mode = !starts_in_user_mode(d, c);
    pv_update_cr3(v);
    load_segments(v, c);
    v->is_initialised = true;
    if (c->flags & VGCF_online)
        v->pause_flags &= ~VPF_down;
    else
        v->pause_flags |= VPF_down;
    return 0;
}

void pv_get_info_guest(struct vcpu *v, struct pv_guest_context *g)
{
    struct vcpu_guest_context *c = &g->nat;
    struct cpu_user_regs *u = &c->user_regs;
    const struct cpu_state *r = v->regs;
    bool kernel = v->pv.kernel_mode;

    memset(g, 0, sizeof(*g));
    pcpu_release(v->ctx);
    cpu_context_save_fpu(v->ctx);
    memcpy(&c->fpu_ctxt, r->fxsave, sizeof(r->fxsave));
    c->flags = v->pv.vgc_flags | VGCF_I387_VALID | (guest_kernel_mode(v) ? VGCF_IN_KERNEL : 0) |
               (v->pause_flags & VPF_down ? 0 : VGCF_online);
    u->rax = r->rax, u->rbx = r->rbx, u->rcx = r->rcx, u->rdx = r->rdx;
    u->rsi = r->rsi, u->rdi = r->rdi, u->rbp = r->rbp, u->rsp = r->rsp;
    u->r8 = r->r8, u->r9 = r->r9, u->r10 = r->r10, u->r11 = r->r11;
    u->r12 = r->r12, u->r13 = r->r13, u->r14 = r->r14, u->r15 = r->r15;
    u->rip = r->rip;
    u->rflags = (r->rflags & ~(uint64_t)X86_EFLAGS_IOPL) | (uint64_t)v->pv.iopl << 12;
    u->cs = r->seg[CPU_SEG_CS].sel, u->ss = r->seg[CPU_SEG_SS].sel;
    u->ds = r->seg[CPU_SEG_DS].sel, u->es = r->seg[CPU_SEG_ES].sel;
    u->fs = r->seg[CPU_SEG_FS].sel, u->gs = r->seg[CPU_SEG_GS].sel;
    memcpy(c->trap_ctxt, v->pv.trap_ctxt, sizeof(c->trap_ctxt));
    c->ldt_base = v->pv.ldt_base;
    c->ldt_ents = v->pv.ldt_ents;
    memcpy(c->gdt_frames, v->pv.gdt_frames, sizeof(c->gdt_frames));
    c->gdt_ents = v->pv.gdt_ents;
    c->kernel_ss = v->pv.kernel_ss;
    c->kernel_sp = v->pv.kernel_sp;
    memcpy(c->ctrlreg, v->pv.ctrlreg, sizeof(c->ctrlreg));
    c->ctrlreg[3] = mfn_to_cr3(v->domain, pv_guest_root(v));
    c->ctrlreg[1] = mfn_to_cr3(v->domain, v->pv.guest_table_user);
    for (unsigned int i = 0; i < 4; i++)
        c->debugreg[i] = r->dr[i];
    c->debugreg[6] = r->dr[6];
    c->debugreg[7] = r->dr[7] | v->pv.dr7_emul;
    c->event_callback_eip = v->pv.event_callback_eip;
    c->failsafe_callback_eip = v->pv.failsafe_callback_eip;
    c->syscall_callback_eip = v->pv.syscall_callback_eip;
    g->event_callback_cs = v->pv.event_callback_cs;
    g->failsafe_callback_cs = v->pv.failsafe_callback_cs;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = r->seg[CPU_SEG_FS].base;
    c->gs_base_kernel = kernel ? r->seg[CPU_SEG_GS].base : v->pv.gs_base_user;
    c->gs_base_user = kernel ? v->pv.gs_base_user : r->seg[CPU_SEG_GS].base;
}

int pv_vcpu_reset(struct vcpu *v)
{
    int rc;

    v->pause_count++;
    vcpu_sleep_nosync(v);
    pcpu_release(v->ctx);
    pv_destroy_gdt(v);
    pv_destroy_ldt(v);
    rc = vcpu_destroy_pagetables(v);
    if (!rc) {
        v->pv.ldt_ents = 0;
        v->nmi_masked = false;
        v->pause_flags = (v->pause_flags | VPF_down) & ~(VPF_blocked | VPF_poll);
        v->domain->poll_mask &= ~(UINT64_C(1) << v->vcpu_id);
        v->poll_evtchn = 0;
        v->is_initialised = false;
        cpu_state_set_fpu(v->regs, NULL);
    }
    v->pause_count--;
    vcpu_wake(v); /* for its runstate: it cannot run */
    return rc;
}

/* --- the 32-bit layout --- */

#define COPY_REGS32(to, from)                                                                                          \
    (to)->rax = (from)->eax, (to)->rbx = (from)->ebx, (to)->rcx = (from)->ecx, (to)->rdx = (from)->edx,                \
    (to)->rsi = (from)->esi, (to)->rdi = (from)->edi, (to)->rbp = (from)->ebp, (to)->rsp = (from)->esp,                \
    (to)->rip = (from)->eip, (to)->rflags = (from)->eflags, (to)->cs = (from)->cs, (to)->ss = (from)->ss,              \
    (to)->ds = (from)->ds, (to)->es = (from)->es, (to)->fs = (from)->fs, (to)->gs = (from)->gs

void pv_context_from_32(struct pv_guest_context *g, const struct vcpu_guest_context_x86_32 *c32)
{
    struct vcpu_guest_context *c = &g->nat;

    memset(g, 0, sizeof(*g));
    memcpy(&c->fpu_ctxt, &c32->fpu_ctxt, sizeof(c->fpu_ctxt));
    c->flags = c32->flags;
    COPY_REGS32(&c->user_regs, &c32->user_regs);
    for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        c->trap_ctxt[i] = (struct trap_info){ c32->trap_ctxt[i].vector, c32->trap_ctxt[i].flags, c32->trap_ctxt[i].cs,
                                              c32->trap_ctxt[i].address };
    c->ldt_base = c32->ldt_base, c->ldt_ents = c32->ldt_ents;
    for (unsigned int i = 0; i < ARRAY_SIZE(c->gdt_frames); i++)
        c->gdt_frames[i] = c32->gdt_frames[i];
    c->gdt_ents = c32->gdt_ents;
    c->kernel_ss = c32->kernel_ss, c->kernel_sp = c32->kernel_sp;
    for (int i = 0; i < 8; i++) {
        c->ctrlreg[i] = c32->ctrlreg[i];
        c->debugreg[i] = c32->debugreg[i];
    }
    g->event_callback_cs = (uint16_t)c32->event_callback_cs, c->event_callback_eip = c32->event_callback_eip;
    g->failsafe_callback_cs = (uint16_t)c32->failsafe_callback_cs,
    c->failsafe_callback_eip = c32->failsafe_callback_eip;
    c->vm_assist = c32->vm_assist;
}

void pv_context_to_32(const struct pv_guest_context *g, struct vcpu_guest_context_x86_32 *c32)
{
    const struct vcpu_guest_context *c = &g->nat;
    const struct cpu_user_regs *u = &c->user_regs;

    memset(c32, 0, sizeof(*c32));
    memcpy(&c32->fpu_ctxt, &c->fpu_ctxt, sizeof(c->fpu_ctxt));
    c32->flags = (uint32_t)c->flags;
    c32->user_regs.eax = u->eax, c32->user_regs.ebx = u->ebx, c32->user_regs.ecx = u->ecx, c32->user_regs.edx = u->edx;
    c32->user_regs.esi = u->esi, c32->user_regs.edi = u->edi, c32->user_regs.ebp = u->ebp, c32->user_regs.esp = u->esp;
    c32->user_regs.eip = u->eip, c32->user_regs.eflags = (uint32_t)u->rflags;
    c32->user_regs.cs = u->cs, c32->user_regs.ss = u->ss, c32->user_regs.ds = u->ds, c32->user_regs.es = u->es;
    c32->user_regs.fs = u->fs, c32->user_regs.gs = u->gs;
    for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++) {
        c32->trap_ctxt[i].vector = c->trap_ctxt[i].vector, c32->trap_ctxt[i].flags = c->trap_ctxt[i].flags;
        c32->trap_ctxt[i].cs = c->trap_ctxt[i].cs, c32->trap_ctxt[i].address = (uint32_t)c->trap_ctxt[i].address;
    }
    c32->ldt_base = (uint32_t)c->ldt_base, c32->ldt_ents = (uint32_t)c->ldt_ents;
    for (unsigned int i = 0; i < ARRAY_SIZE(c->gdt_frames); i++)
        c32->gdt_frames[i] = (uint32_t)c->gdt_frames[i];
    c32->gdt_ents = (uint32_t)c->gdt_ents;
    c32->kernel_ss = (uint32_t)c->kernel_ss, c32->kernel_sp = (uint32_t)c->kernel_sp;
    for (int i = 0; i < 8; i++) {
        c32->ctrlreg[i] = (uint32_t)c->ctrlreg[i];
        c32->debugreg[i] = (uint32_t)c->debugreg[i];
    }
    c32->event_callback_cs = g->event_callback_cs, c32->event_callback_eip = (uint32_t)c->event_callback_eip;
    c32->failsafe_callback_cs = g->failsafe_callback_cs;
    c32->failsafe_callback_eip = (uint32_t)c->failsafe_callback_eip;
    c32->vm_assist = (uint32_t)c->vm_assist;
}
