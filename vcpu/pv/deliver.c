// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last steps before a PV guest is entered.
 *
 * Concept: what a guest is owed when it comes on its processor again is put before its next instruction: an event is
 * bounced (bounce.c); a code or stack selector that cannot be loaded (segments.c) raises the exception that loading it
 * would have raised; and a data selector that was lost while another guest ran, since its descriptor has changed, calls
 * the guest's failsafe handler. So this file is above both.
 *
 * Corresponds to test_all_events and failsafe_callback of xen/arch/x86/x86_64/entry.S, load_segments() of
 * xen/arch/x86/domain.c.
 */
#include "evtchn/evtchn.h"
#include "vcpu/pv/pv.h"

static void check_segments(struct vcpu *v)
{
    unsigned int vector, seg = pv_missing_segment(v, &vector);

    pv_inject_hw_exception(v, vector, v->regs->seg[seg].sel & 0xfffcu);
    if (!pv_has_segments(v))
        domain_crash(v, "bad stack selector %04x in the kernel", v->regs->seg[CPU_SEG_SS].sel);
}

void pv_deliver_events(struct vcpu *v)
{
    if (v->nmi_pending || local_events_need_delivery(v))
        pv_bounce_event(v);
    if (!pv_has_segments(v))
        check_segments(v);
}

void pv_reload_segments(struct vcpu *v)
{
    static const uint8_t segs[4] = { CPU_SEG_DS, CPU_SEG_ES, CPU_SEG_FS, CPU_SEG_GS };
    uint16_t data_sel[4];
    bool ok = true;

    for (unsigned int i = 0; i < ARRAY_SIZE(segs); i++) {
        struct cpu_segment *s = &v->regs->seg[segs[i]];
        const uint64_t base = s->base;

        data_sel[i] = s->sel;
        if ((s->sel & ~3u) == 0)
            continue;
        if (!pv_load_segment(v, segs[i], s->sel)) {
            *s = (struct cpu_segment){ 0 };
            v->regs->dirty |= CPU_DIRTY_SEGS;
            ok = false;
        }
        if (segs[i] >= CPU_SEG_FS && (v->domain->abi->efer & EFER_LMA))
            s->base = base; /* 64-bit code sets the base apart from the selector */
    }
    if (!ok)
        pv_failsafe_callback(v, data_sel);
}
