// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * physdev_op: what a PV guest may ask about physical devices.
 *
 * Concept: dom0's kernel drives the machine's devices, so it programs interrupt controllers and tells Xen of PCI
 * devices through this call; an unprivileged guest has no device and gets little: its own I/O privilege level and port
 * bitmap, which the emulation of IN and OUT consults (emulate.c), and some bookkeeping of interrupts that never come.
 * What is left is refused, each in its own way: the argument is read first (-EFAULT), sometimes looked at (-EINVAL,
 * -ESRCH), and then the answer is -EPERM, or -ENODEV where Xen looks for the device before it asks who wants to know.
 *
 * A dom0 that is a guest (is_hardware_domain()) does drive devices: it maps inputs of the IO-APIC to PIRQs, which
 * arrive as events, and says EOI.
 *
 * Simplifies: nobody else is given a physical interrupt, so a pirq is no more than a number that is taken. PCI devices
 * are dom0's alone, so that of what it tells of them no more than that there is one is remembered, on bus 0.
 *
 * Corresponds to xen/arch/x86/physdev.c, get_free_pirq() of xen/arch/x86/irq.c, xen/arch/x86/compat.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/compat.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <xen/physdev.h>

#define IOAPIC_ADDRESS 0xfec00000u
#define NR_IRQS_GSI    24 /* interrupts of an I/O APIC; pirqs above are message-signalled */
#define IOBMP_BYTES    8192
#define MAX_PORTS      65536

/* --- I/O privilege --- */

static long set_iopl(struct vcpu *v, uint64_t arg)
{
    struct physdev_set_iopl iopl;

    if (copy_from_guest(v, &iopl, arg, sizeof(iopl)))
        return -EFAULT;
    if (iopl.iopl > 3)
        return -EINVAL;
    v->pv.iopl = iopl.iopl;
    return 0;
}

static long set_iobitmap(struct vcpu *v, uint64_t arg)
{
    struct physdev_set_iobitmap op;
    uint64_t bitmap;

    if (compat_from_guest(v, &op, arg, COMPAT_physdev_set_iobitmap))
        return -EFAULT;
    bitmap = (uintptr_t)op.bitmap.p;
    if (!guest_handle_okay(v, bitmap, IOBMP_BYTES) || op.nr_ports > MAX_PORTS)
        return -EINVAL;
    v->pv.iobmp = bitmap;
    v->pv.iobmp_limit = op.nr_ports;
    return 0;
}

/* --- interrupts --- */

static bool pirq_taken(const struct domain *d, unsigned int pirq) { return d->pirqs[pirq / 64] >> pirq % 64 & 1; }

static long get_free_pirq(struct vcpu *v, uint64_t arg)
{
    struct domain *d = v->domain;
    struct physdev_get_free_pirq op;
    unsigned int pirq = domain_nr_pirqs(d);

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.type == MAP_PIRQ_TYPE_GSI)
        for (pirq = 16; pirq < NR_IRQS_GSI && pirq_taken(d, pirq); pirq++)
            ;
    if (pirq >= NR_IRQS_GSI) {
        for (pirq = domain_nr_pirqs(d) - 1; pirq >= NR_IRQS_GSI && pirq_taken(d, pirq); pirq--)
            ;
        if (pirq < NR_IRQS_GSI)
            return -ENOSPC;
    }
    d->pirqs[pirq / 64] |= UINT64_C(1) << pirq % 64;
    op.pirq = pirq;
    return copy_to_guest(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

static long eoi(struct vcpu *v, uint64_t arg)
{
    struct physdev_eoi op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.irq >= domain_nr_pirqs(v->domain) || !pirq_taken(v->domain, op.irq))
        return -EINVAL;
    if (is_hardware_domain(v->domain) && v->domain->xen->board)
        v->domain->xen->board->eoi(v->domain->xen->board_data, op.irq);
    return 0;
}

/* Xen does not ask whether there is such an interrupt: any number in range must be acknowledged, for all it knows. */
static long irq_status_query(struct vcpu *v, uint64_t arg)
{
    struct physdev_irq_status_query op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.irq >= domain_nr_pirqs(v->domain))
        return -EINVAL;
    op.flags = XENIRQSTAT_needs_eoi;
    return copy_to_guest(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

static long pirq_eoi_gmfn(struct vcpu *v, uint64_t arg)
{
    uint64_t gmfn;

    if (copy_word_from_guest(v, &gmfn, arg))
        return -EFAULT;
    return evtchn_map_pirq_eoi(v->domain, gmfn);
}

/* --- for those who own devices --- */

/* The answer to who may not, and to who may: there is no such hardware here. */
static long refuse(const struct vcpu *v) { return xsm_physdev_op(v->domain, NULL) ?: -ENODEV; }

/* --- of the domain that has the devices: dom0, if it is a guest --- */

static bool has_devices(const struct vcpu *v) { return is_hardware_domain(v->domain) && v->domain->xen->board; }

/*
 * A physical interrupt for its own use: of an input of the IO-APIC, whose number is the interrupt's as well, if it does
 * not ask for another. No device here sends messages.
 */
static long map_pirq(struct vcpu *v, uint64_t arg)
{
    struct domain *d = v->domain;
    struct physdev_map_pirq op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.domid != DOMID_SELF && op.domid != d->domain_id)
        return -ENODEV; /* of a domain that has devices of its own */
    if (op.type != MAP_PIRQ_TYPE_GSI)
        return -ENODEV;
    if (op.index < 0 || op.index >= NR_IRQS_GSI || op.pirq >= (int)domain_nr_pirqs(d))
        return -EINVAL;
    if (op.pirq < 0)
        op.pirq = op.index;
    if (op.pirq != op.index)
        return -EINVAL;
    d->pirqs[op.pirq / 64] |= UINT64_C(1) << op.pirq % 64;
    return copy_to_guest(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

static long unmap_pirq(struct vcpu *v, uint64_t arg)
{
    struct domain *d = v->domain;
    struct physdev_unmap_pirq op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.domid != DOMID_SELF && op.domid != d->domain_id)
        return -ENODEV;
    if (op.pirq < 0 || op.pirq >= (int)domain_nr_pirqs(d) || !pirq_taken(d, (unsigned int)op.pirq))
        return -EINVAL;
    d->pirqs[op.pirq / 64] &= ~(UINT64_C(1) << op.pirq % 64);
    return 0;
}

/* What a Linux before 3.0 asks for; the vectors of exceptions are none of these. */
static long alloc_irq_vector(struct vcpu *v, uint64_t arg)
{
    struct physdev_irq op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.irq >= NR_IRQS_GSI)
        return -EINVAL;
    op.vector = 0x20 + op.irq;
    return copy_to_guest(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

/*
 * A register of the IO-APIC: 0 its number, 1 version and last input, 2 arbitration, from 0x10 on two for each input.
 * Which vector an input has is Xen's own affair, so that dom0 reads each as masked, and what it writes is looked at.
 */
static long apic_access(struct vcpu *v, uint64_t arg, bool write)
{
    struct physdev_apic op;

    if (compat_from_guest(v, &op, arg, COMPAT_physdev_apic))
        return -EFAULT;
    if (op.apic_physbase != IOAPIC_ADDRESS || op.reg >= 0x10 + 2 * NR_IRQS_GSI)
        return -EINVAL;
    if (write)
        return 0;
    op.value = op.reg == 0 || op.reg == 2      ? 1u << 24
               : op.reg == 1                   ? (NR_IRQS_GSI - 1) << 16 | 0x20
               : op.reg >= 0x10 && ~op.reg & 1 ? 1u << 16
                                               : 0;
    return copy_field_to_guest(v, arg, COMPAT_physdev_apic, &op, value);
}

/* Operations on the interrupts of a domain that is named. */
static long pirq_of_domain(struct vcpu *v, uint64_t arg, size_t size, bool results)
{
    uint8_t op[sizeof(struct physdev_map_pirq)];
    struct domain *d;
    domid_t domid;

    if (copy_from_guest(v, op, arg, size))
        return -EFAULT;
    domid = (domid_t)(op[0] | op[1] << 8);
    d = get_domain_by_any_id(v, domid);
    if (d)
        put_domain(d);
    if (results && copy_to_guest(v, arg, op, size))
        return -EFAULT;
    return d ? refuse(v) : -ESRCH;
}

static long setup_gsi(struct vcpu *v, uint64_t arg)
{
    struct physdev_setup_gsi op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    return op.gsi < 0 || op.gsi >= NR_IRQS_GSI ? -EINVAL : has_devices(v) ? 0 : refuse(v);
}

/* dom0 has found a device, or lost it: one that was never told of is -ENODEV. */
static long pci_told(struct xen *xen, uint16_t seg, uint8_t bus, uint8_t devfn, bool there)
{
    const uint64_t bit = UINT64_C(1) << devfn % 64;

    if (!there && !pci_is_known(xen, seg, bus, devfn))
        return -ENODEV;
    if (seg || bus)
        return 0;
    if (there)
        xen->pci_known[devfn / 64] |= bit;
    else
        xen->pci_known[devfn / 64] &= ~bit;
    return 0;
}

/* With a segment in front, but for the two oldest. */
static long pci_tell(struct vcpu *v, unsigned int cmd, const uint8_t *op)
{
    const bool old = cmd == PHYSDEVOP_manage_pci_add || cmd == PHYSDEVOP_manage_pci_remove;
    const uint16_t seg = old ? 0 : (uint16_t)(op[0] | op[1] << 8);

    return pci_told(v->domain->xen, seg, op[old ? 0 : 2], op[old ? 1 : 3],
                    cmd == PHYSDEVOP_manage_pci_add || cmd == PHYSDEVOP_pci_device_add);
}

static long pci_add_ext(struct vcpu *v, uint64_t arg)
{
    struct physdev_manage_pci_ext op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    if (op.is_extfn > 1 || op.is_virtfn > 1)
        return -EINVAL;
    return has_devices(v) ? pci_told(v->domain->xen, 0, op.bus, op.devfn, true) : refuse(v);
}

/* What is refused after its argument was read, whatever is in it. */
static const struct {
    uint8_t cmd, size;
    bool looks_first; /* for the device, and only then at who asks */
    bool told;        /* dom0 says what is there: Xen, which has no use for it here, believes it */
} privileged[] = {
    // clang-format off
    { PHYSDEVOP_alloc_irq_vector,  sizeof(struct physdev_irq), false, false },
    { PHYSDEVOP_manage_pci_add,    sizeof(struct physdev_manage_pci), false, true },
    { PHYSDEVOP_manage_pci_remove, sizeof(struct physdev_manage_pci), false, true },
    { PHYSDEVOP_pci_device_add,    sizeof(struct physdev_pci_device_add), false, true },
    { PHYSDEVOP_pci_device_remove, sizeof(struct physdev_pci_device), false, true },
    { PHYSDEVOP_prepare_msix,      sizeof(struct physdev_pci_device), false, false },
    { PHYSDEVOP_release_msix,      sizeof(struct physdev_pci_device), false, false },
    { PHYSDEVOP_restore_msi,       sizeof(struct physdev_restore_msi), true, false },
    { PHYSDEVOP_restore_msi_ext,   sizeof(struct physdev_pci_device), true, false },
    // clang-format on
};

static long privileged_op(struct vcpu *v, unsigned int cmd, uint64_t arg)
{
    uint8_t op[64];

    for (unsigned int i = 0; i < ARRAY_SIZE(privileged); i++) {
        if (privileged[i].cmd != cmd)
            continue;
        if (copy_from_guest(v, op, arg, privileged[i].size))
            return -EFAULT;
        if (has_devices(v) && privileged[i].told)
            return pci_tell(v, cmd, op);
        if (has_devices(v) && cmd == PHYSDEVOP_alloc_irq_vector)
            return alloc_irq_vector(v, arg);
        return privileged[i].looks_first ? -ENODEV : refuse(v);
    }
    return -ENOSYS;
}

/* --- the hypercall --- */

static long physdev_op(struct vcpu *v, unsigned int cmd, uint64_t arg)
{
    struct physdev_apic apic;

    switch (cmd) {
    case PHYSDEVOP_set_iopl: return is_pv_domain(v->domain) ? set_iopl(v, arg) : -ENOSYS;
    case PHYSDEVOP_set_iobitmap: return is_pv_domain(v->domain) ? set_iobitmap(v, arg) : -ENOSYS;
    case PHYSDEVOP_get_free_pirq: return get_free_pirq(v, arg);
    case PHYSDEVOP_eoi: return eoi(v, arg);
    case PHYSDEVOP_irq_status_query: return irq_status_query(v, arg);
    case PHYSDEVOP_pirq_eoi_gmfn_v1:
    case PHYSDEVOP_pirq_eoi_gmfn_v2: return pirq_eoi_gmfn(v, arg);
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY: return 0; /* unmasks all of the domain's interrupts */
    case PHYSDEVOP_map_pirq:
        if (has_devices(v))
            return map_pirq(v, arg);
        return pirq_of_domain(v, arg, compat_size(v->domain, COMPAT_physdev_map_pirq), true);
    case PHYSDEVOP_unmap_pirq:
        if (has_devices(v))
            return unmap_pirq(v, arg);
        return pirq_of_domain(v, arg, sizeof(struct physdev_unmap_pirq), false);
    case PHYSDEVOP_setup_gsi: return setup_gsi(v, arg);
    case PHYSDEVOP_manage_pci_add_ext: return pci_add_ext(v, arg);
    case PHYSDEVOP_pci_mmcfg_reserved: /* these two ask who it is before they read anything */
    case PHYSDEVOP_dbgp_op: return refuse(v);
    case PHYSDEVOP_apic_read:
    case PHYSDEVOP_apic_write:
        if (has_devices(v))
            return apic_access(v, arg, cmd == PHYSDEVOP_apic_write);
        return compat_from_guest(v, &apic, arg, COMPAT_physdev_apic) ? -EFAULT : refuse(v);
    default: return privileged_op(v, cmd, arg);
    }
}

long do_physdev_op(struct vcpu *v, struct hypercall_args *args)
{
    return physdev_op(v, (unsigned int)args->a[0], args->a[1]);
}

/* The call as it was before Xen 3.2: one structure with the command inside. */
long do_physdev_op_compat(struct vcpu *v, struct hypercall_args *args)
{
    struct physdev_op op;

    if (compat_from_guest(v, &op, args->a[0], COMPAT_physdev_op))
        return -EFAULT;
    return physdev_op(v, op.cmd, args->a[0] + compat_offset(v->domain, COMPAT_physdev_op, offsetof(typeof(op), u)));
}
