// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments of PV guests.
 *
 * Concept: the processor loads a segment register natively from the guest's GDT or LDT, which the hypervisor has
 * validated (mmu/: no descriptor may reach ring 0). When the hypervisor itself changes CS or SS, because it enters a
 * handler or returns from one, it must do by hand what the processor does: look the selector up, check it, fill the
 * hidden part.
 *
 *   descriptor: 63..56     55 54 53 52  51..48       47 46..45 44 43..40  39..16      15..0
 *               base31:24  G  DB L AVL  limit19:16   P  DPL    S  type    base23:0    limit15:0
 *
 * A selector that cannot be loaded is no error yet: a context may name it, or the frame of an iret. It stands in the
 * register with nothing behind it, and when the guest is next entered, which is when the processor would load it, the
 * guest gets the exception, with the selector in the frame.
 *
 * Both kinds of PV guest find Xen's own flat descriptors at the end of their GDT (selectors FLAT_*, page 14), so that a
 * kernel can run before it has a GDT of its own.
 *
 * Source: Intel SDM vol. 3, 3.4.5; Xen arch/x86/desc.c; public arch-x86/xen-x86_{32,64}.h.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/pv/pv.h"

#define SEL_RPL         3u
#define SEL_TI          4u
#define DESC_P          (UINT64_C(1) << 47)
#define DESC_S          (UINT64_C(1) << 44)
#define DESC_CODE       (UINT64_C(1) << 43)
#define DESC_CONFORMING (UINT64_C(1) << 42) /* data: expand-down */
#define DESC_RW         (UINT64_C(1) << 41) /* code: readable; data: writable */
#define DESC_G          (UINT64_C(1) << 55)
#define DESC_DPL(d)     (((d) >> 45) & 3)

_Static_assert(DESC_G >> 55 == 1 && DESC_P >> 47 == 1 && DESC_DPL(UINT64_C(1) << 46) == 2 && DESC_S >> 44 == 1 &&
                   (DESC_CODE | DESC_CONFORMING | DESC_RW) >> 40 == 0xe,
               "the drawing of a descriptor");

#define XEN_GDT_FIRST  0xe000u
#define FLAT_GDT_FIRST 0xe018u /* of those that a guest may load */

/* Xen's flat descriptor that sel names; 0: there is none, or it is for ring 0. */
static uint64_t flat_descriptor(const struct vcpu *v, uint16_t sel)
{
    const unsigned int n = ((sel & ~7u) - FLAT_GDT_FIRST) >> 3;

    return n < ARRAY_SIZE(v->domain->abi->flat_gdt) ? v->domain->abi->flat_gdt[n] : 0;
}

int pv_copy_from_kernel(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    const bool kernel_mode = v->pv.kernel_mode;
    int rc;

    v->pv.kernel_mode = true;
    rc = copy_from_guest(v, dst, src, n);
    v->pv.kernel_mode = kernel_mode;
    return rc;
}

/* Read the descriptor that sel names; false when it lies outside its table. */
static bool descriptor_read(struct vcpu *v, uint16_t sel, uint64_t *desc)
{
    unsigned int index = sel >> 3;

    if (sel & SEL_TI)
        return index < v->pv.ldt_ents && pv_copy_from_kernel(v, desc, v->pv.ldt_base + index * 8, 8) == 0;
    if (sel >= XEN_GDT_FIRST) {
        *desc = flat_descriptor(v, sel);
        return *desc != 0;
    }
    if (index >= v->pv.gdt_ents || !v->pv.gdt_frames[index / 512])
        return false;
    *desc = ((const uint64_t *)mfn_to_virt(v->domain->xen->machine, _mfn(v->pv.gdt_frames[index / 512])))[index % 512];
    return true;
}

static struct cpu_segment segment_from_descriptor(uint16_t sel, uint64_t desc)
{
    uint32_t limit = (uint32_t)((desc & 0xffff) | ((desc >> 32) & 0xf0000));

    return (struct cpu_segment){
        .sel = sel,
        .attr = (uint16_t)(((desc >> 40) & 0xff) | ((desc >> 44) & 0xf00)),
        .limit = (desc & DESC_G) ? (limit << 12) | 0xfff : limit,
        .base = ((desc >> 16) & 0xffffff) | ((desc >> 32) & 0xff000000),
    };
}

/* The checks of a far return or MOV to a segment register, at privilege `cpl` (the RPL of the new CS). */
static bool segment_check(unsigned int seg, uint16_t sel, uint64_t desc, unsigned int cpl)
{
    bool code = desc & DESC_CODE;

    if (!(desc & DESC_S))
        return false;
    if (seg == CPU_SEG_CS)
        return code && ((desc & DESC_CONFORMING) ? DESC_DPL(desc) <= cpl : DESC_DPL(desc) == cpl);
    if (seg == CPU_SEG_SS)
        return !code && (desc & DESC_RW) && DESC_DPL(desc) == cpl && (sel & SEL_RPL) == cpl;
    if (code && !(desc & DESC_RW))
        return false;
    return (code && (desc & DESC_CONFORMING)) || DESC_DPL(desc) >= (sel & SEL_RPL);
}

bool pv_load_segment(struct vcpu *v, unsigned int seg, uint16_t sel)
{
    struct cpu_state *regs = v->regs;
    unsigned int cpl = seg == CPU_SEG_CS ? sel & SEL_RPL : regs->cpl;
    uint64_t desc;

    if (regs->seg[seg].sel == sel && seg <= CPU_SEG_SS && sel >= XEN_GDT_FIRST && (regs->seg[seg].attr & SEG_ATTR_P) &&
        (seg != CPU_SEG_CS || regs->cpl == cpl))
        return true; /* the common case: flat before, the same flat after */
    if ((sel & ~SEL_RPL) == 0) {
        if (seg == CPU_SEG_CS || seg == CPU_SEG_SS) /* for SS in rings below 3 only, where no guest's 64-bit code is */
            return false;
        regs->seg[seg] = (struct cpu_segment){ .sel = sel };
        regs->dirty |= CPU_DIRTY_SEGS;
        return true;
    }
    if (!descriptor_read(v, sel, &desc) || !segment_check(seg, sel, desc, cpl) || !(desc & DESC_P))
        return false;
    regs->seg[seg] = segment_from_descriptor(sel, desc);
    if (seg == CPU_SEG_CS)
        regs->cpl = (uint8_t)cpl;
    regs->dirty |= CPU_DIRTY_SEGS;
    return true;
}

void pv_set_segment(struct vcpu *v, unsigned int seg, uint16_t sel)
{
    if (pv_load_segment(v, seg, sel))
        return;
    v->regs->seg[seg] = (struct cpu_segment){ .sel = sel };
    if (seg == CPU_SEG_CS)
        v->regs->cpl = sel & SEL_RPL;
    v->regs->dirty |= CPU_DIRTY_SEGS;
}

unsigned int pv_missing_segment(struct vcpu *v, unsigned int *vector)
{
    const struct cpu_segment *s = v->regs->seg;
    const unsigned int seg = s[CPU_SEG_CS].attr & SEG_ATTR_P ? CPU_SEG_SS : CPU_SEG_CS;
    uint64_t desc;

    *vector = X86_EXC_GP;
    if ((s[seg].sel & ~SEL_RPL) && descriptor_read(v, s[seg].sel, &desc) &&
        segment_check(seg, s[seg].sel, desc, v->regs->cpl) && !(desc & DESC_P))
        *vector = seg == CPU_SEG_CS ? X86_EXC_NP : X86_EXC_SS;
    return seg;
}

uint16_t fixup_guest_stack_selector(const struct domain *d, uint16_t sel)
{
    const uint8_t ring = d->abi->kernel_ring;

    return (sel & SEL_RPL) < ring ? (uint16_t)((sel & ~SEL_RPL) | ring) : sel;
}

uint16_t fixup_guest_code_selector(const struct domain *d, uint16_t sel) { return fixup_guest_stack_selector(d, sel); }

void pv_load_flat_segments(struct vcpu *v, uint16_t cs, uint16_t ss)
{
    struct cpu_state *regs = v->regs;

    regs->seg[CPU_SEG_CS] = segment_from_descriptor(cs, flat_descriptor(v, cs));
    regs->seg[CPU_SEG_SS] = segment_from_descriptor(ss, flat_descriptor(v, ss));
    regs->cpl = 3;
    regs->dirty |= CPU_DIRTY_SEGS;
}
