// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * platform_op: what the owner of the machine tells Xen of it, and asks.
 *
 * Concept: Xen leaves to dom0 what it had rather not know: reading the clock chip, firmware, ACPI's code. dom0's kernel
 * reads them and passes on what Xen needs. Here that is one thing, the time of day. The rest is questions: which
 * processors there are, how long they were idle, what the BIOS had to say before Xen took its place.
 *
 *      settime32, settime64       wallclock = secs, nsecs at system_time; every domain's copy of it is renewed
 *      get_cpuinfo, _version      of the pCPU with that number; a number too large: XEN_PCPU_FLAGS_INVALID
 *      getidletime                of those in a bitmap, which on return has those that exist
 *      cpu_online, cpu_offline    as XEN_SYSCTL_cpu_hotplug
 *      firmware_info              disks, screens, EFI: the machine has none that a BIOS knows: -ESRCH; shift keys: none
 *      platform_quirk             of chipsets that are not here: done
 *      resource_op                registers of the processor: no MSR may be reached so: -EACCES (an empty list: 0)
 *      all others                 -ENOSYS: no cpufreq governor, MTRRs, microcode, EFI, hot-plugged memory, symbols
 *
 * Corresponds to xen/arch/x86/platform_hypercall.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/guest_access.h"
#include "vcpu/cpuid.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"

#include <errno.h>
#include <string.h>
#include <xen/platform.h>

#define HANDLE(h) ((uint64_t)(uintptr_t)(h).p)

/* At `system_time` it is so late; the machine's own clock of virtual time goes on as it did. */
static int settime(struct xen *xen, uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
    if (nsecs >= SECONDS(1) || secs > INT64_MAX / SECONDS(1) - 1)
        return -EINVAL;
    xen->wallclock_offset = (s_time_t)((uint64_t)SECONDS((s_time_t)secs) + nsecs - system_time);
    for_each_domain (xen, d)
        if (d->shared_info)
            update_domain_wallclock_time(d);
    return 0;
}

static int cpuinfo(const struct xen *xen, struct xenpf_pcpuinfo *op)
{
    op->max_present = xen->nr_pcpus - 1;
    op->flags = op->xen_cpuid >= xen->nr_pcpus    ? XEN_PCPU_FLAGS_INVALID
                : xen->pcpu[op->xen_cpuid].online ? XEN_PCPU_FLAGS_ONLINE
                                                  : 0;
    if (op->flags == XEN_PCPU_FLAGS_INVALID)
        return 0;
    op->apic_id = 2 * op->xen_cpuid; /* as tools/build/acpi.c has it in the MADT */
    op->acpi_id = op->xen_cpuid;
    return 0;
}

/* Family and model have a part each that counts only when the family's first part is 15 (AMD APM volume 3, E.3.2). */
static int cpu_version(const struct vcpu *v, struct xenpf_pcpu_version *op)
{
    const struct xen *xen = v->domain->xen;
    const struct cpuid_leaf id = guest_cpuid(v, 0, 0), l = guest_cpuid(v, 1, 0);
    const bool is_valid = op->xen_cpuid < xen->nr_pcpus && xen->pcpu[op->xen_cpuid].online;

    op->max_present = xen->nr_pcpus - 1;
    memset(op->vendor_id, 0, sizeof(op->vendor_id));
    op->family = op->model = op->stepping = 0;
    if (!is_valid)
        return 0;
    memcpy(op->vendor_id, &id.b, 4);
    memcpy(op->vendor_id + 4, &id.d, 4);
    memcpy(op->vendor_id + 8, &id.c, 4);
    op->family = (l.a >> 8 & 0xf) + ((l.a >> 8 & 0xf) == 0xf ? l.a >> 20 & 0xff : 0);
    op->model = (l.a >> 4 & 0xf) | (op->family >= 6 ? (l.a >> 16 & 0xf) << 4 : 0);
    op->stepping = l.a & 0xf;
    return 0;
}

static int idle_times(struct vcpu *v, struct xenpf_getidletime *op)
{
    struct xen *xen = v->domain->xen;
    const uint32_t nr = op->cpumap_nr_cpus < xen->nr_pcpus ? op->cpumap_nr_cpus : xen->nr_pcpus;
    uint8_t map[(MACHINE_MAX_PCPUS + 7) / 8] = { 0 };
    const size_t bytes = (op->cpumap_nr_cpus + 7) / 8 < sizeof(map) ? (op->cpumap_nr_cpus + 7) / 8 : sizeof(map);

    if (copy_from_guest(v, map, HANDLE(op->cpumap_bitmap), bytes))
        return -EFAULT;
    op->now = (uint64_t)NOW(xen);
    for (uint32_t cpu = 0; cpu < 8 * bytes; cpu++) {
        uint64_t idle;

        if (cpu >= nr || !xen->pcpu[cpu].online)
            map[cpu / 8] &= (uint8_t) ~(1u << cpu % 8);
        if (!(map[cpu / 8] >> cpu % 8 & 1))
            continue;
        idle = (uint64_t)get_cpu_idle_time(xen, cpu);
        if (copy_to_guest(v, HANDLE(op->idletime) + cpu * sizeof(idle), &idle, sizeof(idle)))
            return -EFAULT;
    }
    return copy_to_guest(v, HANDLE(op->cpumap_bitmap), map, bytes) ? -EFAULT : 0;
}

static int firmware_info(struct xenpf_firmware_info *op)
{
    switch (op->type) {
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
    case XEN_FW_EFI_INFO: return -ESRCH;
    case XEN_FW_KBD_SHIFT_FLAGS: op->u.kbd_shift_flags = 0; return op->index ? -ESRCH : 0;
    default: return -EINVAL;
    }
}

static int hotplug(struct xen *xen, uint32_t cpu, bool online)
{
    int rc = sched_cpu_hotplug(xen, cpu, online);

    if (!rc)
        send_global_virq(xen, VIRQ_PCPU_STATE);
    return rc;
}

static int platform_op(struct vcpu *v, struct xen_platform_op *op)
{
    struct xen *xen = v->domain->xen;

    switch (op->cmd) {
    case XENPF_settime32: return settime(xen, op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
    case XENPF_settime64:
        return op->u.settime64.mbz
                   ? -EINVAL
                   : settime(xen, op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
    case XENPF_get_cpuinfo: return cpuinfo(xen, &op->u.pcpu_info);
    case XENPF_get_cpu_version: return cpu_version(v, &op->u.pcpu_version);
    case XENPF_getidletime: return idle_times(v, &op->u.getidletime);
    case XENPF_cpu_online:
    case XENPF_cpu_offline: return hotplug(xen, op->u.cpu_ol.cpuid, op->cmd == XENPF_cpu_online);
    case XENPF_firmware_info: return firmware_info(&op->u.firmware_info);
    case XENPF_platform_quirk: return 0;
    case XENPF_resource_op: return op->u.resource_op.nr_entries ? -EACCES : 0;
    default: return -ENOSYS;
    }
}

long do_platform_op(struct vcpu *v, struct hypercall_args *args)
{
    struct xen_platform_op op;
    int rc;

    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return -EACCES;
    rc = xsm_platform_op(v->domain, NULL);
    if (rc)
        return rc;
    rc = platform_op(v, &op);
    return rc == 0 && copy_to_guest(v, args->a[0], &op, sizeof(op)) ? -EFAULT : rc;
}
