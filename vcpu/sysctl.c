// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sysctl: what the toolstack may ask of the machine as a whole.
 *
 * Corresponds to xen/common/sysctl.c; structures in public sysctl.h. One NUMA node, one socket, one thread a core. Not
 * built in: trace buffers, offlining of pages, PCI topology, live patching (-ENOSYS); power management,
 * resource monitoring and coverage are missing as on a machine or a build without them.
 */
#include "evtchn/evtchn.h"
#include "mmu/guest_access.h"
#include "mmu/page.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/domctl.h"
#include "vcpu/hypercall.h"
#include "vcpu/keyhandler.h"
#include "vcpu/noun/xsm.h"
#include "vcpu/sched/sched.h"

#include <errno.h>
#include <string.h>
#include <xen/physdev.h>
#include <xen/sysctl.h>

#define HANDLE(h) ((uint64_t)(uintptr_t)(h).p)

static int physinfo(struct xen *xen, struct xen_sysctl_physinfo *pi)
{
    uint32_t features[FEATURESET_NR_ENTRIES];

    memset(pi, 0, sizeof(*pi));
    pi->threads_per_core = 1;
    pi->cores_per_socket = xen->nr_pcpus;
    for (unsigned int cpu = 0; cpu < xen->nr_pcpus; cpu++)
        pi->nr_cpus += xen->pcpu[cpu].online;
    pi->max_cpu_id = xen->nr_pcpus - 1;
    pi->nr_nodes = 1; /* and max_node_id is 0 */
    pi->cpu_khz = (uint32_t)xen->tsc_khz;
    pi->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hap |
                       XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
    pi->total_pages = xen->machine->nr_frames;
    pi->free_pages = avail_domheap_pages(xen);
    pi->outstanding_pages = xen->outstanding_claims;
    pi->max_mfn = xen->machine->nr_frames - 1;
    cpuid_policy_to_featureset(&xen->cpu_policies->host, features);
    memcpy(pi->hw_cap, features, sizeof(pi->hw_cap));
    return 0;
}

static int getdomaininfolist(struct vcpu *v, struct xen_sysctl_getdomaininfolist *op)
{
    struct xen_domctl_getdomaininfo info;
    uint32_t n = 0;

    for (struct domain *d = domain_from(v->domain->xen, op->first_domain); d; d = d->next) {
        if (n == op->max_domains)
            break;
        getdomaininfo(d, &info);
        if (copy_to_guest(v, HANDLE(op->buffer) + n * sizeof(info), &info, sizeof(info)))
            return -EFAULT;
        n++;
    }
    op->num_domains = n;
    return 0;
}

static int debug_keys(struct vcpu *v, const struct xen_sysctl_debug_keys *op)
{
    char key;

    for (uint32_t i = 0; i < op->nr_keys; i++) {
        if (copy_from_guest(v, &key, HANDLE(op->keys) + i, 1))
            return -EFAULT;
        handle_keypress(v->domain->xen, key);
    }
    return 0;
}

/* The log from where it was last cleared, or, for who reads on, from op->index if that is later. */
static int readconsole(struct vcpu *v, struct xen_sysctl_readconsole *op)
{
    struct xen *xen = v->domain->xen;
    uint64_t pos = xen->console_start;
    char buf[1024];
    uint32_t done = 0;

    if (op->incremental && (int32_t)(op->index - (uint32_t)pos) > 0)
        pos += op->index - (uint32_t)pos;
    while (done < op->count) {
        size_t want = op->count - done < sizeof(buf) ? op->count - done : sizeof(buf);
        size_t n = log_read(&xen->machine->log, &pos, buf, want);

        if (n == 0)
            break;
        if (copy_to_guest(v, HANDLE(op->buffer) + done, buf, n))
            return -EFAULT;
        done += (uint32_t)n;
    }
    if (op->clear)
        xen->console_start = pos;
    op->count = done;
    op->index = (uint32_t)pos;
    return 0;
}

static int getcpuinfo(struct vcpu *v, struct xen_sysctl_getcpuinfo *op)
{
    struct xen *xen = v->domain->xen;
    uint32_t n = op->max_cpus < xen->nr_pcpus ? op->max_cpus : xen->nr_pcpus;

    for (uint32_t i = 0; i < n; i++) {
        struct xen_sysctl_cpuinfo info = { .idletime = (uint64_t)get_cpu_idle_time(xen, i) };

        if (copy_to_guest(v, HANDLE(op->info) + i * sizeof(info), &info, sizeof(info)))
            return -EFAULT;
    }
    op->nr_cpus = n;
    return 0;
}

static int cputopoinfo(struct vcpu *v, struct xen_sysctl_cputopoinfo *op)
{
    const struct xen *xen = v->domain->xen;
    uint32_t n = xen->nr_pcpus;

    while (!xen->pcpu[n - 1].online)
        n--;
    if (HANDLE(op->cputopo)) {
        if (op->num_cpus < n)
            n = op->num_cpus;
        for (uint32_t i = 0; i < n; i++) {
            struct xen_sysctl_cputopo topo = { .core = i };

            if (copy_to_guest(v, HANDLE(op->cputopo) + i * sizeof(topo), &topo, sizeof(topo)))
                return -EFAULT;
        }
    }
    op->num_cpus = n;
    return 0;
}

/*
 * On which node each of these devices is: one that dom0 has told of is on none in particular, as the machine has one
 * only. A share of the work at a time: num_devs says how many were looked at.
 */
static int pcitopoinfo(struct vcpu *v, struct xen_sysctl_pcitopoinfo *op)
{
    const uint64_t devs = HANDLE(op->devs), nodes = HANDLE(op->nodes);
    uint32_t i = 0;

    if (!devs || !nodes)
        return -EINVAL;
    while (i < op->num_devs) {
        struct physdev_pci_device dev;
        uint32_t node;

        if (copy_from_guest(v, &dev, devs + i * sizeof(dev), sizeof(dev)))
            return -EFAULT;
        node = pci_is_known(v->domain->xen, dev.seg, dev.bus, dev.devfn) ? XEN_INVALID_NODE_ID : XEN_INVALID_DEV;
        if (copy_to_guest(v, nodes + i * sizeof(node), &node, sizeof(node)))
            return -EFAULT;
        if (++i > 0x3f && hypercall_preempt_check(v))
            break;
    }
    op->num_devs = i;
    return 0;
}

/* One node, as far from itself as any is (ACPI's SLIT: 10). */
static int numainfo(struct vcpu *v, struct xen_sysctl_numainfo *op)
{
    struct xen *xen = v->domain->xen;
    const struct xen_sysctl_meminfo mem = { .memsize = xen->machine->nr_frames << PAGE_SHIFT,
                                            .memfree = avail_domheap_pages(xen) << PAGE_SHIFT };
    const uint32_t distance = 10;

    if ((HANDLE(op->meminfo) || HANDLE(op->distance)) && op->num_nodes == 0)
        return 0;
    op->num_nodes = 1;
    if (HANDLE(op->meminfo) && copy_to_guest(v, HANDLE(op->meminfo), &mem, sizeof(mem)))
        return -EFAULT;
    if (HANDLE(op->distance) && copy_to_guest(v, HANDLE(op->distance), &distance, sizeof(distance)))
        return -EFAULT;
    return 0;
}

static int cpu_hotplug(struct xen *xen, const struct xen_sysctl_cpu_hotplug *op)
{
    int rc;

    if (op->op != XEN_SYSCTL_CPU_HOTPLUG_ONLINE && op->op != XEN_SYSCTL_CPU_HOTPLUG_OFFLINE)
        return -EOPNOTSUPP; /* there are no hyperthreads */
    rc = sched_cpu_hotplug(xen, op->cpu, op->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE);
    if (!rc)
        send_global_virq(xen, VIRQ_PCPU_STATE);
    return rc;
}

static bool cpu_is_online(const struct xen *xen, uint32_t cpu) { return cpu < xen->nr_pcpus && xen->pcpu[cpu].online; }

static int sysctl(struct vcpu *v, struct xen_sysctl *op)
{
    struct xen *xen = v->domain->xen;

    switch (op->cmd) {
    case XEN_SYSCTL_readconsole: return readconsole(v, &op->u.readconsole);
    case XEN_SYSCTL_debug_keys: return debug_keys(v, &op->u.debug_keys);
    case XEN_SYSCTL_physinfo: return physinfo(xen, &op->u.physinfo);
    case XEN_SYSCTL_sched_id: op->u.sched_id.sched_id = xen->sched->ops->sched_id; return 0;
    case XEN_SYSCTL_getdomaininfolist: return getdomaininfolist(v, &op->u.getdomaininfolist);
    case XEN_SYSCTL_getcpuinfo: return getcpuinfo(v, &op->u.getcpuinfo);
    case XEN_SYSCTL_availheap: op->u.availheap.avail_bytes = avail_domheap_pages(xen) << PAGE_SHIFT; return 0;
    case XEN_SYSCTL_cputopoinfo: return cputopoinfo(v, &op->u.cputopoinfo);
    case XEN_SYSCTL_pcitopoinfo: return pcitopoinfo(v, &op->u.pcitopoinfo);
    case XEN_SYSCTL_numainfo: return numainfo(v, &op->u.numainfo);
    case XEN_SYSCTL_get_cpu_policy: return sysctl_get_cpu_policy(v, &op->u.cpu_policy);
    case XEN_SYSCTL_get_cpu_featureset: return sysctl_get_cpu_featureset(v, &op->u.cpu_featureset);
    case XEN_SYSCTL_get_cpu_levelling_caps: /* every CPUID of a guest exits */
        op->u.cpu_levelling_caps.caps = XEN_SYSCTL_CPU_LEVELCAP_faulting;
        return 0;
    case XEN_SYSCTL_scheduler_op: return sched_adjust_global(v, &op->u.scheduler_op);
    case XEN_SYSCTL_cpupool_op: return cpupool_sysctl(v, &op->u.cpupool_op);
    case XEN_SYSCTL_cpu_hotplug: return cpu_hotplug(xen, &op->u.cpu_hotplug);
    case XEN_SYSCTL_get_pmstat: return cpu_is_online(xen, op->u.get_pmstat.cpuid) ? -ENODEV : -EINVAL;
    case XEN_SYSCTL_psr_cmt_op:
    case XEN_SYSCTL_psr_alloc: return -ENODEV;       /* Intel's */
    case XEN_SYSCTL_coverage_op: return -EOPNOTSUPP; /* not compiled in */
    default: return -ENOSYS;
    }
}

long do_sysctl(struct vcpu *v, struct hypercall_args *args)
{
    struct xen_sysctl op;
    int rc;

    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    rc = xsm_sysctl(v->domain, NULL) ?: sysctl(v, &op);
    if ((rc == 0 || rc == -ENOBUFS) && copy_to_guest(v, args->a[0], &op, sizeof(op)))
        rc = -EFAULT;
    return rc;
}
