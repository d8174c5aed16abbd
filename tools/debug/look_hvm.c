// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at HVM guests, see tools/debug/look_hvm.h. */
#include "tools/debug/look_hvm.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "sim/nested.h"
#include "sim/walk.h"
#include "tools/debug/look_private.h"
#include "vcpu/hvm/hvm.h"

#include <stdio.h>
#include <string.h>
#include <xen/hvm/ioreq.h>

static const struct vcpu *hvm_vcpu_of(struct host *h, domid_t dom, unsigned int vcpu)
{
    const struct vcpu *v = look_vcpu_of(h, dom, vcpu);

    return v && v->regs && is_hvm_domain(v->domain) ? v : NULL;
}

/* A domain with a device of XEN_X86_EMU_*. */
static const struct domain *hvm_domain_with(struct host *h, domid_t dom, uint32_t device)
{
    const struct domain *d = look_domain_of(h, dom);

    return d && is_hvm_domain(d) && d->emulation_flags & device ? d : NULL;
}

/* --- the control block --- */

bool look_vmcb(struct host *h, domid_t dom, unsigned int vcpu, struct look_vmcb *out)
{
    const struct vcpu *v = hvm_vcpu_of(h, dom, vcpu);

    if (!v)
        return false;
    *out = (struct look_vmcb){ .controls = v->regs->controls,
                               .exit_code = v->hvm->last_exit.code,
                               .info1 = v->hvm->last_exit.info1,
                               .info2 = v->hvm->last_exit.info2,
                               .want_intwin = v->regs->want_intwin,
                               .int_shadow = v->regs->int_shadow,
                               .ncr3 = v->regs->ncr3,
                               .shadow_cr3 = v->regs->shadow_cr3,
                               .upcall_vector = v->hvm->evtchn_upcall_vector };
    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
        out->has_exit |= v->hvm->exits[k] != 0;
    return true;
}

void look_exit_name(uint64_t code, char text[LOOK_TEXT])
{
    static const char *const exceptions[32] = { "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,
                                                "#TS", "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM" };
    static const struct {
        uint64_t code;
        const char *name;
    } others[] = {
        { SVM_EXIT_INTR, "INTR" },         { SVM_EXIT_VINTR, "VINTR" },
        { SVM_EXIT_RDTSC, "RDTSC" },       { SVM_EXIT_CPUID, "CPUID" },
        { SVM_EXIT_SWINT, "SWINT" },       { SVM_EXIT_PAUSE, "PAUSE" },
        { SVM_EXIT_HLT, "HLT" },           { SVM_EXIT_INVLPG, "INVLPG" },
        { SVM_EXIT_IOIO, "IOIO" },         { SVM_EXIT_MSR, "MSR" },
        { SVM_EXIT_NPF, "NPF" },           { SVM_EXIT_TASK_SWITCH, "TASK_SWITCH" },
        { SVM_EXIT_SHUTDOWN, "SHUTDOWN" }, { SVM_EXIT_VMMCALL, "VMMCALL" },
        { SVM_EXIT_RDTSCP, "RDTSCP" },     { (uint64_t)SVM_EXIT_INVALID, "INVALID" },
    };

    snprintf(text, LOOK_TEXT, "0x%llx", (unsigned long long)code);
    if (code < SVM_EXIT_EXCEPTION)
        snprintf(text, LOOK_TEXT, "%s%llu %s", code < SVM_EXIT_DR_READ ? "CR" : "DR", (unsigned long long)code % 16,
                 code & 0x10 ? "write" : "read");
    else if (code < SVM_EXIT_EXCEPTION + 32 && exceptions[code - SVM_EXIT_EXCEPTION])
        snprintf(text, LOOK_TEXT, "%s", exceptions[code - SVM_EXIT_EXCEPTION]);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i].code == code)
            snprintf(text, LOOK_TEXT, "%s", others[i].name);
}

bool look_exits(struct host *h, domid_t dom, unsigned int vcpu, unsigned int *n, struct look_exits *out)
{
    const struct vcpu *v = hvm_vcpu_of(h, dom, vcpu);

    for (; v && *n < EXIT_NR_KINDS; ++*n)
        if (v->hvm->exits[*n]) {
            *out = (struct look_exits){ sim_exit_name((enum sim_exit_kind) * n), v->hvm->exits[*n],
                                        v->hvm->engine_exits[*n] };
            return true;
        }
    return false;
}

/* --- the nested walk --- */

static struct look_nested_ref *ref_add(struct look_nested *out, const struct look_nested_ref *ref)
{
    if (out->nr == LOOK_NESTED_REFS)
        return NULL;
    out->ref[out->nr] = *ref;
    return &out->ref[out->nr++];
}

/* Without nested paging the processor walks these alone. */
static void refs_of_shadow(const struct vcpu *v, uint64_t va, struct look_nested *out)
{
    const struct shadow_domain *s = v->domain->p2m->shadow;
    const struct machine *m = v->domain->xen->machine;
    uint64_t table = v->regs->shadow_cr3, entry = _PAGE_PRESENT;

    for (unsigned int level = 4; level && entry & _PAGE_PRESENT; level--) {
        const unsigned int index = (unsigned int)pte_index(va, level);

        entry = machine_table(m, table)[index];
        ref_add(out, &(struct look_nested_ref){ .shadow = true,
                                                .oos = s->page[s->frame[PFN_DOWN(table)].tables].oos,
                                                .level = level,
                                                .index = index,
                                                .maddr = table + 8 * index,
                                                .entry = entry });
        table = entry & PTE_MFN_MASK;
    }
}

/* The entries of the nested tables on the way to gpa. */
static void refs_of_nested(const struct machine *m, uint64_t ncr3, uint64_t gpa, struct look_nested *out)
{
    uint64_t table = ncr3 & PTE_MFN_MASK;

    for (unsigned int level = 4; level; level--) {
        const uint64_t *t = machine_table(m, table);
        const unsigned int index = (unsigned int)pte_index(gpa, level);
        const uint64_t e = t ? t[index] : 0;
        const bool large = level > 1 && level < 4 && e & _PAGE_PSE;

        ref_add(out, &(struct look_nested_ref){ .level = level,
                                                .index = index,
                                                .gpa = gpa,
                                                .maddr = table + index * sizeof(e),
                                                .entry = e,
                                                .large = large });
        if (!(e & _PAGE_PRESENT) || large)
            return;
        table = e & PTE_MFN_MASK;
    }
}

bool look_nested(struct host *h, domid_t dom, unsigned int vcpu, uint64_t va, struct look_nested *out)
{
    const struct vcpu *v = hvm_vcpu_of(h, dom, vcpu);
    const struct machine *m = host_machine(h);
    struct nested_regs r;
    struct nested_walk w;

    if (!v)
        return false;
    r = (struct nested_regs){ v->regs->cr0, v->regs->cr3, v->regs->cr4, v->regs->efer, v->regs->ncr3 };
    *out = (struct look_nested){ 0 };
    if (v->regs->shadow_cr3)
        refs_of_shadow(v, va, out);
    if (r.efer & EFER_LMA && !is_canonical(va))
        return true;
    nested_walk(&r, r.efer & EFER_LMA ? va : (uint32_t)va, 0, machine_table, m, &w);
    for (unsigned int i = 0; i < w.nr; i++) {
        const struct nested_step *s = &w.step[i];

        refs_of_nested(m, r.ncr3, s->gpa, out);
        ref_add(out, &(struct look_nested_ref){ .guest = true,
                                                .level = s->level,
                                                .index = (unsigned int)(PAGE_OFFSET(s->gpa) / s->size),
                                                .gpa = s->gpa,
                                                .maddr = s->phys,
                                                .entry = s->entry,
                                                .large = w.result == NESTED_OK && i + 1 == w.nr && s->level > 1 });
    }
    out->gpa = w.gpa;
    out->npf = w.result == NESTED_NPF;
    out->found = w.result == NESTED_OK;
    out->maddr = out->found ? w.phys : 0;
    if (w.result != NESTED_PF)
        refs_of_nested(m, r.ncr3, w.gpa, out);
    return true;
}

/* --- interrupt controllers --- */

static void vectors_of(const struct vlapic *vlapic, unsigned int reg, uint32_t out[8])
{
    for (unsigned int i = 0; i < 8; i++)
        out[i] = vlapic_get_reg(vlapic, reg + 16 * i);
}

bool look_apic(struct host *h, domid_t dom, unsigned int vcpu, struct look_apic *out)
{
    const struct vcpu *v = hvm_vcpu_of(h, dom, vcpu);
    const struct vlapic *a = v ? &v->hvm->vlapic : NULL;
    static const uint16_t lvt[] = { APIC_LVTT, APIC_LVTTHMR, APIC_LVTPC, APIC_LVT0, APIC_LVT1, APIC_LVTERR };

    if (!a || !a->regs)
        return false;
    *out = (struct look_apic){ .base = a->apic_base_msr,
                               .enabled = vlapic_enabled(a),
                               .waits_for_sipi = v->hvm->waits_for_sipi,
                               .id = vlapic_id(a),
                               .version = vlapic_get_reg(a, APIC_LVR),
                               .tpr = vlapic_get_reg(a, APIC_TASKPRI),
                               .ppr = vlapic_get_reg(a, APIC_PROCPRI),
                               .ldr = vlapic_get_reg(a, APIC_LDR),
                               .dfr = vlapic_get_reg(a, APIC_DFR),
                               .svr = vlapic_get_reg(a, APIC_SPIV),
                               .esr = vlapic_get_reg(a, APIC_ESR),
                               .icr_low = vlapic_get_reg(a, APIC_ICR),
                               .icr_high = vlapic_get_reg(a, APIC_ICR2),
                               .timer_initial = vlapic_get_reg(a, APIC_TMICT),
                               .timer_current = vlapic_get_reg(a, APIC_TMCCT),
                               .timer_divide = vlapic_get_reg(a, APIC_TDCR) };
    for (size_t i = 0; i < ARRAY_SIZE(lvt); i++)
        out->lvt[i] = vlapic_get_reg(a, lvt[i]);
    vectors_of(a, APIC_IRR, out->irr);
    vectors_of(a, APIC_ISR, out->isr);
    vectors_of(a, APIC_TMR, out->tmr);
    return true;
}

_Static_assert(LOOK_IOAPIC_PINS == VIOAPIC_NUM_PINS, "all of them");

bool look_ioapic(struct host *h, domid_t dom, struct look_ioapic *out)
{
    const struct domain *d = hvm_domain_with(h, dom, XEN_X86_EMU_IOAPIC);
    const struct hvm_irq *irq = d ? &d->hvm->irq : NULL;

    if (!irq)
        return false;
    *out = (struct look_ioapic){ .id = irq->vioapic.id };
    memcpy(out->redir, irq->vioapic.redir, sizeof(out->redir));
    for (unsigned int i = 0; i < LOOK_IOAPIC_PINS; i++)
        out->lines[i] = irq->gsi_assert_count[i];
    return true;
}

bool look_pic(struct host *h, domid_t dom, struct look_pic out[2])
{
    const struct domain *d = hvm_domain_with(h, dom, XEN_X86_EMU_PIC);

    for (unsigned int i = 0; d && i < 2; i++) {
        const struct vpic *p = &d->hvm->irq.vpic[i];

        out[i] = (struct look_pic){ .irr = p->irr,
                                    .imr = p->imr,
                                    .isr = p->isr,
                                    .lines = p->level,
                                    .elcr = p->elcr,
                                    .base = p->irq_base,
                                    .priority = p->priority,
                                    .output = p->int_output,
                                    .auto_eoi = p->auto_eoi,
                                    .initialising = p->icw != 0 };
    }
    return d != NULL;
}

/* --- requests to device models --- */

static void request_of(const struct ioreq_server *s, const struct vcpu *v, struct look_ioreq *out)
{
    static const char *const states[] = { "none", "ready", "in process", "answered" };
    const ioreq_t *p = &((const shared_iopage_t *)s->ioreq.va)->vcpu_ioreq[v->vcpu_id];

    out->state = states[p->state & 3];
    out->addr = p->addr;
    out->data = p->data;
    out->size = p->size;
    out->count = p->count;
    out->read = p->dir == IOREQ_READ;
    out->memory = p->type == IOREQ_TYPE_COPY;
    out->pci = p->type == IOREQ_TYPE_PCI_CONFIG;
}

bool look_ioreq(struct host *h, domid_t dom, unsigned int *n, struct look_ioreq *out)
{
    const struct domain *d = look_domain_of(h, dom);

    for (; d && is_hvm_domain(d) && *n < MAX_NR_IOREQ_SERVERS * (d->max_vcpus + 1); ++*n) {
        const unsigned int i = *n / (d->max_vcpus + 1), vcpu = *n % (d->max_vcpus + 1);
        const struct ioreq_server *s = d->hvm->ioreq_server[i];
        const struct vcpu *v = vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;

        if (!s || (vcpu < d->max_vcpus && (!v || !s->ioreq.va)))
            continue;
        *out = (struct look_ioreq){ .server = i,
                                    .vcpu = vcpu,
                                    .no_vcpu = !v,
                                    .enabled = s->enabled,
                                    .emulator = s->emulator->domain_id,
                                    .state = "",
                                    .sent = s->requests,
                                    .buffered = s->buffered };
        if (v)
            request_of(s, v, out);
        return true;
    }
    return false;
}
