// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain's state as records: XEN_DOMCTL_gethvmcontext, sethvmcontext.
 *
 * Concept: what a toolstack sets up, saves and restores of the hypervisor's part of an HVM machine is one buffer of
 * records, each with a kind, an instance and a length:
 *
 *      HEADER | CPU 0 | CPU 1 | ... | PIC 0 | PIC 1 | IOAPIC | LAPIC 0 | ... | END
 *
 * A domain's builder sets its first vCPU so: it is that record that makes a vCPU one that can run. What a device's
 * record holds is its own file's affair; here is the table of kinds, and what is common to them.
 *
 * Not there: VIRIDIAN_DOMAIN, VIRIDIAN_VCPU and CPU_XSAVE, for what no domain has here, and CPU_MSR. A chip's
 * state that Xen's records have no place for is lost: how long the interval timer has counted, PM1a control.
 *
 * Corresponds to xen/common/hvm/save.c; public arch-x86/hvm/save.h.
 */
#include "mmu/guest_access.h"
#include "vcpu/hvm/hvm.h"

#include <errno.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/hvm/save.h>

/* --- kinds --- */

#define RECORD_MAX 2048

/* A record of instance i (of a vCPU: its number; of chips of which there are more: which). -ENOENT: it has none now. */
typedef int save_fn(struct domain *d, unsigned int i, void *r);
typedef int load_fn(struct domain *d, unsigned int i, const void *r);

static int save_cpu(struct domain *d, unsigned int i, void *r)
{
    if (d->vcpu[i]->pause_flags & VPF_down) /* what is down has no state */
        return -ENOENT;
    hvm_cpu_save(d->vcpu[i], r);
    return 0;
}

static int load_cpu(struct domain *d, unsigned int i, const void *r) { return hvm_cpu_load(d->vcpu[i], r); }

static int save_lapic(struct domain *d, unsigned int i, void *r)
{
    const struct vlapic *vlapic = &d->vcpu[i]->hvm->vlapic;

    *(struct hvm_hw_lapic *)r =
        (struct hvm_hw_lapic){ .apic_base_msr = vlapic->apic_base_msr, .disabled = vlapic_hw_disabled(vlapic) };
    return 0;
}

/* To any mode, by way of those that a guest would have to take; what these reset the next record says. */
static int load_lapic(struct domain *d, unsigned int i, const void *r)
{
    const uint64_t val = ((const struct hvm_hw_lapic *)r)->apic_base_msr, mode = APIC_BASE_ENABLE | APIC_BASE_EXTD;
    struct vcpu *v = d->vcpu[i];

    if ((val & mode) == APIC_BASE_EXTD)
        return -EINVAL;
    if (vlapic_x2apic_mode(&v->hvm->vlapic) && (val & mode) == APIC_BASE_ENABLE)
        hvm_apic_base_set(v, APIC_DEFAULT_PHYS_BASE);
    if (vlapic_hw_disabled(&v->hvm->vlapic) && (val & mode) == mode)
        hvm_apic_base_set(v, APIC_DEFAULT_PHYS_BASE | APIC_BASE_ENABLE);
    return hvm_apic_base_set(v, val) ? 0 : -EINVAL;
}

static int save_tsc_adjust(struct domain *d, unsigned int i, void *r)
{
    *(struct hvm_tsc_adjust *)r = (struct hvm_tsc_adjust){ (uint64_t)d->vcpu[i]->hvm->tsc_adjust };
    return 0;
}

static int load_tsc_adjust(struct domain *d, unsigned int i, const void *r)
{
    d->vcpu[i]->hvm->tsc_adjust = (int64_t)((const struct hvm_tsc_adjust *)r)->tsc_adjust;
    return 0;
}

#define KIND(name, saves, loads)                                                                                       \
    static int save_##name(struct domain *d, unsigned int i, void *r)                                                  \
    {                                                                                                                  \
        (void)i;                                                                                                       \
        saves;                                                                                                         \
        return 0;                                                                                                      \
    }                                                                                                                  \
    static int load_##name(struct domain *d, unsigned int i, const void *r)                                            \
    {                                                                                                                  \
        (void)i;                                                                                                       \
        return loads;                                                                                                  \
    }
KIND(pic, vpic_save(&d->hvm->irq, i, r), vpic_load(&d->hvm->irq, i, r))
KIND(ioapic, vioapic_save(&d->hvm->irq, r), vioapic_load(&d->hvm->irq, r))
KIND(lapic_regs, vlapic_save_regs(&d->vcpu[i]->hvm->vlapic, r), (vlapic_load_regs(&d->vcpu[i]->hvm->vlapic, r), 0))
KIND(pci_irq, hvm_irq_save_pci(&d->hvm->irq, r), hvm_irq_load_pci(&d->hvm->irq, r))
KIND(isa_irq, hvm_irq_save_isa(&d->hvm->irq, r), hvm_irq_load_isa(&d->hvm->irq, r))
KIND(pci_link, hvm_irq_save_link(&d->hvm->irq, r), hvm_irq_load_link(&d->hvm->irq, r))
KIND(pit, pit_save(&d->hvm->pit, r), pit_load(&d->hvm->pit, r))
KIND(rtc, rtc_save(&d->hvm->rtc, r), rtc_load(&d->hvm->rtc, r))
KIND(hpet, hpet_save(&d->hvm->hpet, r), hpet_load(&d->hvm->hpet, r))
KIND(pmtimer, pmtimer_save(&d->hvm->pmtimer, r), pmtimer_load(&d->hvm->pmtimer, r))
KIND(mtrr, hvm_mtrr_save(d->vcpu[i], r), hvm_mtrr_load(d->vcpu[i], r))
KIND(vmce, hvm_vmce_save(d->vcpu[i], r), hvm_vmce_load(d->vcpu[i], r))

/* In the order in which they are saved. */
static const struct kind {
    uint16_t code, size;
    uint8_t instances; /* 0: one per vCPU */
    bool extended;     /* a shorter record, of an older Xen, is taken with 0 behind it */
    uint32_t emulated; /* XEN_X86_EMU_*: only domains with it have any; 0: all */
    save_fn *save;
    load_fn *load;
} kinds[] = {
#define ROW(NAME, name, ...)                                                                                           \
    {                                                                                                                  \
        HVM_SAVE_CODE(NAME), HVM_SAVE_LENGTH(NAME), __VA_ARGS__, save_##name, load_##name                              \
    }
    ROW(CPU, cpu, 0, false, 0),
    ROW(PIC, pic, 2, false, XEN_X86_EMU_PIC),
    ROW(IOAPIC, ioapic, 1, false, XEN_X86_EMU_IOAPIC),
    ROW(LAPIC, lapic, 0, true, XEN_X86_EMU_LAPIC),
    ROW(LAPIC_REGS, lapic_regs, 0, true, XEN_X86_EMU_LAPIC),
    ROW(PCI_IRQ, pci_irq, 1, false, 0),
    ROW(ISA_IRQ, isa_irq, 1, false, 0),
    ROW(PCI_LINK, pci_link, 1, false, 0),
    ROW(PIT, pit, 1, false, XEN_X86_EMU_PIT),
    ROW(RTC, rtc, 1, false, XEN_X86_EMU_RTC),
    ROW(HPET, hpet, 1, false, XEN_X86_EMU_HPET),
    ROW(PMTIMER, pmtimer, 1, false, XEN_X86_EMU_PM),
    ROW(MTRR, mtrr, 0, false, 0),
    ROW(VMCE_VCPU, vmce, 0, true, 0),
    ROW(TSC_ADJUST, tsc_adjust, 0, false, 0),
#undef ROW
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *kind_of(unsigned int code)
{
    for (unsigned int i = 0; i < NR_KINDS; i++)
        if (kinds[i].code == code)
            return &kinds[i];
    return NULL;
}

/* What counts time comes with the first vCPU. */
static bool has_kind(const struct domain *d, const struct kind *k)
{
    if (k->emulated & (XEN_X86_EMU_PIT | XEN_X86_EMU_RTC | XEN_X86_EMU_PM | XEN_X86_EMU_HPET) && !d->vcpu[0])
        return false;
    return !k->emulated || (d->emulation_flags & k->emulated);
}

static unsigned int instances(const struct domain *d, const struct kind *k)
{
    return !has_kind(d, k) ? 0 : k->instances ? k->instances : d->max_vcpus;
}

/* All of it is set, what the device leaves out too. */
static int save_body(struct domain *d, const struct kind *k, unsigned int i, uint8_t *body)
{
    memset(body, 0, k->size);
    return k->save(d, i, body);
}

static bool has_instance(const struct domain *d, const struct kind *k, unsigned int i)
{
    return i < instances(d, k) && (k->instances || d->vcpu[i]);
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
    uint32_t size = 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header);

    for (const struct kind *k = kinds; k < kinds + NR_KINDS; k++)
        for (unsigned int i = 0; i < instances(d, k); i++)
            if (has_instance(d, k, i))
                size += (uint32_t)(sizeof(struct hvm_save_descriptor) + k->size);
    return size;
}

/* Who counts time may pull a line when he is saved: of that the records in front of his are to tell, too. */
static void bring_up_to_now(struct domain *d)
{
    uint8_t body[RECORD_MAX] __attribute__((aligned(8)));

    for (const struct kind *k = kinds; k < kinds + NR_KINDS; k++)
        if (k->instances && has_kind(d, k))
            save_body(d, k, 0, body);
}

int hvm_save(struct domain *d, struct vcpu *caller, struct xen_domctl_hvmcontext *op)
{
    const uint64_t buf = (uintptr_t)op->buffer.p;
    const struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
    const uint32_t room = op->size;
    uint8_t body[RECORD_MAX] __attribute__((aligned(8))) = { 0 };
    uint32_t at = 0;
    int rc;

    op->size = size_of(d);
    if (!buf)
        return 0;
    if (room < op->size)
        return -ENOSPC;
    bring_up_to_now(d);
    rc = put(caller, buf, &at, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
    for (const struct kind *k = kinds; k < kinds + NR_KINDS; k++)
        for (unsigned int i = 0; !rc && i < instances(d, k); i++)
            if (has_instance(d, k, i) && !save_body(d, k, i, body))
                rc = put(caller, buf, &at, k->code, i, body, k->size);
    rc = rc ?: put(caller, buf, &at, HVM_SAVE_CODE(END), 0, "", 0);
    op->size = at;
    return rc;
}

int hvm_save_one(struct domain *d, struct vcpu *caller, struct xen_domctl_hvmcontext_partial *op)
{
    const struct kind *k = kind_of(op->type);
    const uint64_t buf = (uintptr_t)op->buffer.p;
    uint8_t body[RECORD_MAX] __attribute__((aligned(8))) = { 0 };
    int rc;

    if (!k)
        return -EINVAL;
    if (!has_instance(d, k, op->instance))
        return -ENOENT;
    rc = save_body(d, k, op->instance, body);
    if (rc)
        return rc;
    if (buf && op->bufsz < k->size)
        return -ENOBUFS;
    if (buf && copy_to_guest(caller, buf, body, k->size))
        return -EFAULT;
    op->bufsz = k->size;
    return 0;
}

static int load_header(struct vcpu *caller, const struct hvm_save_descriptor *desc, uint64_t addr)
{
    struct hvm_save_header header;

    if (desc->typecode != HVM_SAVE_CODE(HEADER) || desc->length != sizeof(header))
        return -EINVAL;
    if (copy_from_guest(caller, &header, addr, sizeof(header)))
        return -EFAULT;
    return header.magic == HVM_FILE_MAGIC && header.version == HVM_FILE_VERSION ? 0 : -EINVAL;
}

/* One record at addr. Kinds that are not known are refused, as a newer Xen's would be. */
static int load_one(struct domain *d, struct vcpu *caller, const struct hvm_save_descriptor *desc, uint64_t addr)
{
    const struct kind *k = kind_of(desc->typecode);
    uint8_t body[RECORD_MAX] __attribute__((aligned(8))) = { 0 };

    if (desc->typecode == CPU_XSAVE_CODE)
        return -EOPNOTSUPP;
    if (!k)
        return -EINVAL;
    if (!has_kind(d, k))
        return -ENODEV;
    if (k->instances != 1 &&
        !has_instance(d, k, desc->instance)) /* of what there is one, its number is not looked at */
        return k->instances ? -ENODEV : -EINVAL;
    if (k->extended ? desc->length > k->size : desc->length != k->size)
        return -EINVAL;
    if (copy_from_guest(caller, body, addr, desc->length))
        return -EFAULT;
    return k->load(d, desc->instance, body);
}

int hvm_load(struct domain *d, struct vcpu *caller, const struct xen_domctl_hvmcontext *op)
{
    const uint64_t buf = (uintptr_t)op->buffer.p;
    struct hvm_save_descriptor desc;
    uint32_t at = 0;
    int rc = 0;

    while (!rc) {
        const bool first = !at;

        if (op->size < sizeof(desc) || at > op->size - sizeof(desc))
            return -ENODATA;
        if (copy_from_guest(caller, &desc, buf + at, sizeof(desc)))
            return -EFAULT;
        at += sizeof(desc);
        if (desc.length > op->size - at)
            return -EINVAL;
        if (!first && desc.typecode == HVM_SAVE_CODE(END))
            return 0;
        rc = first ? load_header(caller, &desc, buf + at) : load_one(d, caller, &desc, buf + at);
        at += desc.length;
    }
    return rc;
}
