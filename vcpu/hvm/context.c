// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM vCPU's registers as others give and take them: a kernel that starts a further vCPU (VCPUOP_initialise), the
 * toolstack and debuggers (XEN_DOMCTL_setvcpucontext, getvcpucontext).
 *
 * Concept: a PVH kernel need not send INIT and start-up messages, and climb from real mode: it says in which mode, with
 * which registers and segments another of its vCPUs begins, 32-bit or 64-bit. The second structure is a PV guest's, in
 * which an HVM one has only what both have: the toolstack uses it to look, mostly.
 *
 * Corresponds to xen/arch/x86/hvm/domain.c, and what xen/arch/x86/domain.c does with contexts of HVM guests.
 */
#include "mmu/guest_access.h"
#include "vcpu/hvm/descriptor.h"

#include <errno.h>
#include <string.h>
#include <xen/hvm/hvm_vcpu.h>

/* ------------------------------------------------------------------------------------------- VCPUOP_initialise -- */

/* What an attribute says of its segment's use; the unused bits are 0. */
static bool segment_valid(const struct cpu_segment *s, unsigned int seg)
{
    const bool tss = seg == CPU_NR_SEGS, code = s->attr & TYPE_CODE;

    if (s->attr >> 12)
        return false;
    if (!s->attr)
        return seg == CPU_SEG_DS || seg == CPU_SEG_ES;
    if (!(s->attr & SEG_ATTR_P) || !(s->attr & ATTR_S) != tss)
        return false;
    switch (seg) {
    case CPU_SEG_CS: return code;
    case CPU_SEG_SS: return !code && s->attr & TYPE_WRITE;
    case CPU_SEG_DS:
    case CPU_SEG_ES: return !code || s->attr & TYPE_READ;
    default: return ATTR_TYPE(s->attr) == (TYPE_TSS | TYPE_BUSY | TYPE_32);
    }
}

/* Present segments are accessed, a present TSS busy, whether they say so or not. */
static struct cpu_segment segment(uint16_t ar, uint32_t limit, uint32_t base, bool tss)
{
    return (
        struct cpu_segment){ .attr = ar & SEG_ATTR_P ? ar | (tss ? TYPE_BUSY : 1) : ar, .limit = limit, .base = base };
}

static int from_32(struct cpu_state *r, const struct vcpu_hvm_x86_32 *c)
{
    const struct cpu_segment *cs = &r->seg[CPU_SEG_CS];
    uint32_t limit;

    if (c->pad1 || c->pad2[0] || c->pad2[1] || c->pad2[2])
        return -EINVAL;
#define SEGMENT(field, name, tss) field = segment(c->name##_ar, c->name##_limit, c->name##_base, tss)
    SEGMENT(r->seg[CPU_SEG_CS], cs, false);
    SEGMENT(r->seg[CPU_SEG_DS], ds, false);
    SEGMENT(r->seg[CPU_SEG_SS], ss, false);
    SEGMENT(r->seg[CPU_SEG_ES], es, false);
    SEGMENT(r->tr, tr, true);
    for (unsigned int i = CPU_SEG_ES; i <= CPU_SEG_DS; i++)
        if (!segment_valid(&r->seg[i], i) || (r->seg[i].attr && ATTR_DPL(r->seg[i].attr) < ATTR_DPL(cs->attr)))
            return -EINVAL;
    if (!segment_valid(&r->tr, CPU_NR_SEGS))
        return -EINVAL;
    limit = cs->attr & SEG_ATTR_G ? cs->limit << 12 | 0xfff : cs->limit;
    if (c->eip > limit || ATTR_DPL(r->seg[CPU_SEG_SS].attr) != ATTR_DPL(cs->attr))
        return -EINVAL;
    if (c->efer & EFER_LMA && !(c->efer & EFER_LME))
        return -EINVAL;
    r->rax = c->eax, r->rcx = c->ecx, r->rdx = c->edx, r->rbx = c->ebx;
    r->rsp = c->esp, r->rbp = c->ebp, r->rsi = c->esi, r->rdi = c->edi;
    r->rip = c->eip;
    r->rflags = c->eflags;
    r->cr0 = c->cr0, r->cr3 = c->cr3, r->cr4 = c->cr4, r->efer = c->efer;
    return 0;
}

static int from_64(struct cpu_state *r, const struct vcpu_hvm_x86_64 *c)
{
    const struct cpu_segment data = { .attr = 0xc93, .limit = ~0u };

    if (!is_canonical(c->rip) || !(c->cr0 & X86_CR0_PG) || !(c->cr4 & X86_CR4_PAE) || !(c->efer & EFER_LME))
        return -EINVAL;
    r->rax = c->rax, r->rcx = c->rcx, r->rdx = c->rdx, r->rbx = c->rbx;
    r->rsp = c->rsp, r->rbp = c->rbp, r->rsi = c->rsi, r->rdi = c->rdi;
    r->rip = c->rip;
    r->rflags = c->rflags;
    r->cr0 = c->cr0, r->cr3 = c->cr3, r->cr4 = c->cr4, r->efer = c->efer;
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ .attr = 0xa9b, .limit = ~0u };
    r->seg[CPU_SEG_DS] = r->seg[CPU_SEG_ES] = r->seg[CPU_SEG_SS] = data;
    r->tr = (struct cpu_segment){ .attr = 0x8b, .limit = 0x67 };
    return 0;
}

/* What remains of v is as after a reset; it is down until VCPUOP_up. */
static int initialise(struct vcpu *v, const struct vcpu_hvm_context *c)
{
    struct cpu_state next = *v->regs;
    int rc;

    if (c->pad)
        return -EINVAL;
    cpu_state_reset(&next);
    rc = c->mode == VCPU_HVM_MODE_32B   ? from_32(&next, &c->cpu_regs.x86_32)
         : c->mode == VCPU_HVM_MODE_64B ? from_64(&next, &c->cpu_regs.x86_64)
                                        : -EINVAL;
    if (rc)
        return rc;
    if (next.efer & EFER_LME && next.cr0 & X86_CR0_PG)
        next.efer |= EFER_LMA;
    next.cr0 |= X86_CR0_ET;
    if (!hvm_mode_valid(v->domain, &next))
        return -EINVAL;
    next.rflags = (next.rflags & 0x3f7fd5) | X86_EFLAGS_MBS;
    next.cpl = (uint8_t)ATTR_DPL(next.seg[CPU_SEG_SS].attr);
    next.dirty = CPU_DIRTY_ALL;
    *v->regs = next;
    v->hvm->waits_for_sipi = false;
    v->hvm->tsc_adjust = v->domain->vcpu[0]->hvm->tsc_adjust;
    v->is_initialised = true;
    v->pause_flags |= VPF_down;
    return 0;
}

/* ------------------------------------------------------------------------------------------- the PV structure -- */

#define EACH_REGISTER(_)                                                                                               \
    _(rax) _(rbx) _(rcx) _(rdx) _(rsi) _(rdi) _(rbp) _(rsp) _(r8) _(r9) _(r10) _(r11) _(r12) _(r13) _(r14) _(r15) _(rip)

int hvm_set_context(struct vcpu *v, struct vcpu *caller, uint64_t addr, bool once)
{
    struct vcpu_guest_context c;
    struct vcpu_hvm_context own;

    if (once)
        return copy_from_guest(caller, &own, addr, sizeof(own)) ? -EFAULT
               : v->is_initialised                              ? -EEXIST
                                                                : initialise(v, &own);
    if (copy_from_guest(caller, &c, addr, sizeof(c)))
        return -EFAULT;
#define TAKE(name) v->regs->name = c.user_regs.name;
    EACH_REGISTER(TAKE)
    v->regs->rflags = (c.user_regs.rflags & 0x3f7fd5) | X86_EFLAGS_MBS;
    for (unsigned int i = 0; i < 4; i++)
        v->regs->dr[i] = c.debugreg[i];
    v->regs->dr[6] = (uint32_t)c.debugreg[6] | X86_DR6_DEFAULT;
    v->regs->dr[7] = (uint32_t)c.debugreg[7] | X86_DR7_DEFAULT;
    if (c.flags & VGCF_I387_VALID)
        cpu_state_set_fpu(v->regs, &c.fpu_ctxt);
    v->regs->dirty = CPU_DIRTY_ALL;
    v->is_initialised = true;
    v->pause_flags = c.flags & VGCF_online ? v->pause_flags & ~VPF_down : v->pause_flags | VPF_down;
    return 0;
}

int hvm_get_context(struct vcpu *v, struct vcpu *caller, uint64_t addr)
{
    const struct cpu_state *r = v->regs;
    struct vcpu_guest_context c = { .flags = VGCF_I387_VALID | (r->cpl ? 0 : VGCF_IN_KERNEL) |
                                             (v->pause_flags & VPF_down ? 0 : VGCF_online) };

    cpu_context_save_fpu(v->ctx);
    memcpy(&c.fpu_ctxt, r->fxsave, sizeof(c.fpu_ctxt));
#define GIVE(name) c.user_regs.name = r->name;
    EACH_REGISTER(GIVE)
    c.user_regs.rflags = r->rflags;
    c.user_regs.cs = r->seg[CPU_SEG_CS].sel, c.user_regs.ss = r->seg[CPU_SEG_SS].sel;
    c.user_regs.ds = r->seg[CPU_SEG_DS].sel, c.user_regs.es = r->seg[CPU_SEG_ES].sel;
    c.user_regs.fs = r->seg[CPU_SEG_FS].sel, c.user_regs.gs = r->seg[CPU_SEG_GS].sel;
    c.ctrlreg[0] = r->cr0, c.ctrlreg[2] = r->cr2, c.ctrlreg[3] = r->cr3, c.ctrlreg[4] = r->cr4;
    for (unsigned int i = 0; i < 8; i++)
        c.debugreg[i] = r->dr[i];
    c.fs_base = r->seg[CPU_SEG_FS].base;
    c.gs_base_kernel = r->cpl ? r->kernel_gs_base : r->seg[CPU_SEG_GS].base;
    c.gs_base_user = r->cpl ? r->seg[CPU_SEG_GS].base : r->kernel_gs_base;
    return copy_to_guest(caller, addr, &c, sizeof(c)) ? -EFAULT : 0;
}

int hvm_reset_context(struct vcpu *v)
{
    v->pause_count++;
    vcpu_sleep_nosync(v);
    cpu_state_reset(v->regs);
    v->pause_flags = (v->pause_flags | VPF_down) & ~(VPF_blocked | VPF_poll);
    v->is_initialised = false;
    v->pause_count--;
    vcpu_wake(v); /* for its runstate: it cannot run */
    return 0;
}
