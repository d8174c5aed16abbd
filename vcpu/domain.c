// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a domain: created, run, shut down, killed, forgotten.
 *
 * Concept: shutting down and dying are different things. domain_shutdown() (vcpu/shutdown.c) only stops the vCPUs and
 * tells dom0 why; memory, registers and event channels stay for the toolstack to look at. domain_kill() takes
 * everything back, in steps small enough to be preempted. The structure itself goes with the last reference: as long as
 * one of its frames is mapped by somebody else the domain stays on the list, a zombie. A native domain that has shut
 * down can begin anew instead: domain_soft_reset().
 *
 * Invariants:
 *  - A domain on xen->domain_list has refcnt >= 1; put_domain() of the last one frees it, and only a dead one.
 *  - is_dying only grows: alive -> dying -> dead.
 *
 * Simplifies xen/common/domain.c: no RCU (one host thread), references are plain integers.
 */
#include "vcpu/noun/domain.h"

#include "evtchn/evtchn.h"
#include "mmu/grant/grant_table.h"
#include "mmu/guest_access.h"
#include "mmu/memory/memory.h"
#include "mmu/page.h"
#include "sim/frame.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/domctl.h>

/*
 * What the toolstack gets when it asks for the hypervisor's default (docs: gnttab_max_frames,
 * gnttab_max_maptrack_frames).
 */
#define DEFAULT_MAX_GRANT_FRAMES    64
#define DEFAULT_MAX_MAPTRACK_FRAMES 1024

/* As far as it has come; nobody looks for it any more. */
static void vcpu_free(struct vcpu *v)
{
    vcpu_time_destroy(v);
    sched_destroy_vcpu(v);
    evtchn_vcpu_destroy(v);
    v->domain->guest->vcpu_destroy(v);
    v->domain->vcpu[v->vcpu_id] = NULL;
    xfree(v);
}

/* Free what even a dead domain still holds. Also the way out of a failed domain_create(). */
static void domain_free(struct domain *d)
{
    struct xen *xen = d->xen;

    for (int i = 0; i < 2; i++)
        timer_stop(&xen->machine->clock, &d->watchdog[i]);
    for_each_vcpu (d, v)
        vcpu_free(v);
    sched_destroy_domain(d);
    evtchn_destroy_final(d);
    grant_table_destroy(d);
    if (d->guest)
        d->guest->domain_destroy(d);
    if (d->shared_info) {
        frame_unshare(xen->machine, d->shared_info_mfn);
        free_xenheap_pages(xen, mfn_to_page(xen, d->shared_info_mfn), 0);
    }
    if (d->type != DOMAIN_SYSTEM)
        domain_list_remove(d);
    xfree(d->cpu_policy);
    xfree(d->e820);
    xfree(d->vcpu);
    xfree(d);
}

void domain_destroy(struct domain *d)
{
    BUG_ON(d->type != DOMAIN_SYSTEM && d->is_dying != DOMDYING_dead);
    if (d->type != DOMAIN_SYSTEM) /* nor was their creation an event */
        TRACE_DOMAIN(d, TRACE_DOMAIN_DESTROY, TRACE_NONE, "");
    domain_work_keep(d);
    domain_free(d);
}

static int shared_info_alloc(struct domain *d)
{
    struct page_info *pg = alloc_xenheap_pages(d->xen, 0);

    if (!pg)
        return -ENOMEM;
    d->shared_info_mfn = page_to_mfn(d->xen, pg);
    d->shared_info = frame_share(d->xen->machine, d->shared_info_mfn);
    return 0;
}

/* The parts every domain that can be entered has; system domains (DOMID_XEN, DOMID_IO) only own frames. */
static int domain_init_parts(struct domain *d, const struct xen_domctl_createdomain *config)
{
    int max_grants = config->max_grant_frames < 0 ? DEFAULT_MAX_GRANT_FRAMES : config->max_grant_frames;
    int max_maptrack = config->max_maptrack_frames < 0 ? DEFAULT_MAX_MAPTRACK_FRAMES : config->max_maptrack_frames;
    int rc;

    d->vcpu = xzalloc_array(d->xen->machine->arena, struct vcpu *, config->max_vcpus);
    if (!d->vcpu)
        return -ENOMEM;
    d->max_vcpus = config->max_vcpus;
    rc = init_domain_cpu_policy(d);
    if (!rc)
        rc = shared_info_alloc(d);
    if (!rc)
        rc = d->guest->domain_init(d);
    if (!rc)
        rc = evtchn_init(d, config->max_evtchn_port);
    if (!rc)
        rc = grant_table_init(d, max_grants, max_maptrack, XEN_DOMCTL_GRANT_version(config->grant_opts));
    if (!rc)
        rc = sched_init_domain(d, config->cpupool_id);
    return rc;
}

void domain_set_guest(struct domain *d, const struct guest_ops *guest)
{
    d->guest = guest;
    d->type = guest ? guest->type : DOMAIN_SYSTEM;
    d->abi = guest ? guest->abi : NULL;
    d->has_32bit_shinfo = guest && guest->abi->word == 4;
}

int domain_create(struct xen *xen, domid_t domid, const struct guest_ops *guest,
                  const struct xen_domctl_createdomain *config, bool privileged, struct domain **out)
{
    struct domain *d = xzalloc(xen->machine->arena, struct domain);
    int rc = 0;

    if (!d)
        return -ENOMEM;
    d->domain_id = domid;
    d->xen = xen;
    d->refcnt = 1;
    d->is_privileged = privileged;
    d->target = DOMID_INVALID;
    d->shutdown_code = -1;
    d->shared_info_mfn = INVALID_MFN;
    d->page_list = d->xenpage_list = d->arch_relmem = (struct page_list){ PAGE_LIST_NULL, PAGE_LIST_NULL, 0 };
    d->controller_pause_count = 1; /* the toolstack unpauses a domain when it is ready */
    domain_set_guest(d, guest);
    for (int i = 0; i < 2; i++)
        watchdog_domain_init(d, i);
    if (config) {
        memcpy(d->handle, config->handle, sizeof(d->handle));
        d->createflags = config->flags;
        d->ssidref = config->ssidref;
        d->emulation_flags = config->arch.emulation_flags;
        d->msr_relaxed = config->arch.misc_flags & XEN_X86_MSR_RELAXED;
        domain_list_insert(d);
        tsc_set_info(d, &(struct xen_domctl_tsc_info){ .tsc_mode = TSC_MODE_DEFAULT });
        rc = domain_init_parts(d, config);
    }
    if (rc) {
        evtchn_destroy(d);
        domain_free(d);
        return rc;
    }
    TRACE_DOMAIN(d, TRACE_DOMAIN_CREATE, TRACE_NONE, "");
    *out = d;
    return 0;
}

int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out)
{
    struct vcpu *v;
    int rc;

    if (id >= d->max_vcpus || d->vcpu[id])
        return -EINVAL;
    v = xzalloc(d->xen->machine->arena, struct vcpu);
    if (!v)
        return -ENOMEM;
    v->vcpu_id = id;
    v->domain = d;
    v->pause_flags = VPF_down;
    v->old_guest_table = v->vcpu_info_mfn = INVALID_MFN;
    v->hard_affinity = v->soft_affinity = ~UINT64_C(0);
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = NOW(d->xen);
    v->caller_mem = d->guest->caller_mem;
    vcpu_time_init(v);
    d->vcpu[id] = v;
    rc = d->guest->vcpu_init(v) ?: evtchn_vcpu_init(v) ?: sched_init_vcpu(v);
    if (rc)
        vcpu_free(v);
    else if (out)
        *out = v;
    return rc;
}

/*
 * The order matters: first nothing can be sent to the domain, then it maps nothing of others, then its page tables stop
 * referring to frames, and last the frames themselves go. Each step may be entered again after -ERESTART.
 */
int domain_kill(struct domain *d)
{
    int rc;

    if (d->is_dying == DOMDYING_dead)
        return 0;
    if (d->is_dying == DOMDYING_alive) {
        domain_pause(d);
        d->is_dying = DOMDYING_dying;
        evtchn_destroy(d);
        domain_set_outstanding_pages(d, 0);
        for_each_vcpu (d, v) {
            vcpu_time_destroy(v);
            if (v->ctx)
                pcpu_release(v->ctx);
        }
    }
    rc = gnttab_release_mappings(d);
    if (rc)
        return rc;
    rc = d->guest->relinquish(d);
    if (rc)
        return rc;
    for_each_vcpu (d, v)
        unmap_vcpu_info(v);
    rc = domain_relinquish_memory(d);
    if (rc)
        return rc;
    d->is_dying = DOMDYING_dead;
    domain_notify(d);
    put_domain(d);
    return 0;
}

int domain_soft_reset(struct domain *d)
{
    if (!d->is_shut_down || d->is_dying)
        return -EINVAL;
    evtchn_reset(d);
    while (gnttab_release_mappings(d) == -ERESTART)
        ;
    for_each_vcpu (d, v) {
        vcpu_time_destroy(v);
        unmap_vcpu_info(v);
        memset(v->vcpu_info, 0, sizeof(*v->vcpu_info));
        v->native = (struct native_vcpu){ 0 };
        v->is_initialised = false;
        v->pause_flags = VPF_down;
        v->runstate_guest = v->time_info_guest = 0;
        v->poll_evtchn = 0;
    }
    d->poll_mask = 0;
    d->controller_pause_count = 1;
    domain_resume(d);
    return 0;
}
