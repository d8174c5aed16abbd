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
 * Simplifies: nobody is given a physical interrupt, so a pirq is no more than a number that is taken.
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

#define NR_IRQS_GSI 24 /* interrupts of an I/O APIC; pirqs above are message-signalled */
#define IOBMP_BYTES 8192
#define MAX_PORTS   65536

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
    return op.irq < domain_nr_pirqs(v->domain) && pirq_taken(v->domain, op.irq) ? 0 : -EINVAL;
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
    return op.gsi < 0 || op.gsi >= NR_IRQS_GSI ? -EINVAL : refuse(v);
}

static long pci_add_ext(struct vcpu *v, uint64_t arg)
{
    struct physdev_manage_pci_ext op;

    if (copy_from_guest(v, &op, arg, sizeof(op)))
        return -EFAULT;
    return op.is_extfn > 1 || op.is_virtfn > 1 ? -EINVAL : refuse(v);
}

/* What is refused after its argument was read, whatever is in it. */
static const struct {
    uint8_t cmd, size;
    bool looks_first; /* for the device, and only then at who asks */
} privileged[] = {
    // clang-format off
    { PHYSDEVOP_alloc_irq_vector,  sizeof(struct physdev_irq), false },
    { PHYSDEVOP_manage_pci_add,    sizeof(struct physdev_manage_pci), false },
    { PHYSDEVOP_manage_pci_remove, sizeof(struct physdev_manage_pci), false },
    { PHYSDEVOP_pci_device_add,    sizeof(struct physdev_pci_device_add), false },
    { PHYSDEVOP_pci_device_remove, sizeof(struct physdev_pci_device), false },
    { PHYSDEVOP_prepare_msix,      sizeof(struct physdev_pci_device), false },
    { PHYSDEVOP_release_msix,      sizeof(struct physdev_pci_device), false },
    { PHYSDEVOP_restore_msi,       sizeof(struct physdev_restore_msi), true },
    { PHYSDEVOP_restore_msi_ext,   sizeof(struct physdev_pci_device), true },
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
    case PHYSDEVOP_map_pirq: return pirq_of_domain(v, arg, compat_size(v->domain, COMPAT_physdev_map_pirq), true);
    case PHYSDEVOP_unmap_pirq: return pirq_of_domain(v, arg, sizeof(struct physdev_unmap_pirq), false);
    case PHYSDEVOP_setup_gsi: return setup_gsi(v, arg);
    case PHYSDEVOP_manage_pci_add_ext: return pci_add_ext(v, arg);
    case PHYSDEVOP_pci_mmcfg_reserved: /* these two ask who it is before they read anything */
    case PHYSDEVOP_dbgp_op: return refuse(v);
    case PHYSDEVOP_apic_read:
    case PHYSDEVOP_apic_write: return compat_from_guest(v, &apic, arg, COMPAT_physdev_apic) ? -EFAULT : refuse(v);
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
