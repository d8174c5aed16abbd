// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two ways in which a guest reads the time: RDTSC, and a line of memory that makes nanoseconds of it.
 *
 * Concept: a hypercall would be exact, and much too slow for what a kernel asks a thousand times a second. So it reads
 * the TSC, and multiplies, by what the hypervisor has published for this vCPU (struct vcpu_time_info, xen/xen.h):
 *
 *     system_time(now) = system_time + ((tsc_now - tsc_timestamp) << tsc_shift) * tsc_to_system_mul / 2^32
 *
 *      version | pad | tsc_timestamp | system_time | tsc_to_system_mul | tsc_shift | flags | pad      32 bytes
 *         |             '------- both of the same moment ------'
 *         odd while it is being written, even and another than before when it is done: a reader on another processor
 *         tries again until it has seen the same even number in front of what it read and behind it
 *
 * Usually the TSC ticks at 1 GHz, a tick a nanosecond: mul = 2^31 with shift 1. That of a domain whose TSC is emulated
 * (vcpu/tsc.c) has a frequency of its own and began to count at t->offset: tick = (ns since then) scaled by t->from_ns.
 *
 * Invariants: whoever sees an even version sees one state, whole. What guest_rdtsc() gives never goes back, over all
 * vCPUs of the domain: each asks for a later nanosecond than all before it, though their pCPUs are not equally far
 * (vcpu/run.c). At 1 GHz and above it grows; below, there are fewer ticks than nanoseconds.
 *
 * A guest may have a copy of its line at an address of its own (VCPUOP_register_vcpu_time_memory_area), to show it to
 * its processes.
 *
 * Corresponds to scale_delta(), pv_soft_rdtsc() and update_vcpu_system_time() in xen/arch/x86/time.c.
 */
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#include "mmu/compat.h"
#include "mmu/guest_access.h"

#include <string.h>
#include <xen/xen.h>

/* --- the TSC --- */

/*
 * delta shifted by s.shift (negative: to the right, and what falls out there is lost, as it is where a guest computes),
 * then times s.mul_frac / 2^32, rounded down. Of the product no bit is lost.
 */
uint64_t scale_delta(uint64_t delta, struct time_scale s)
{
    delta = s.shift < 0 ? delta >> -s.shift : delta << s.shift;
    return (uint64_t)((unsigned __int128)delta * s.mul_frac >> 32);
}

/* A native TSC counts nanoseconds from power-on on. An emulated one was below 0 before its offset. */
uint64_t tsc_at(const struct domain *d, s_time_t now)
{
    const struct domain_tsc *t = &d->tsc;

    if (!t->emulated)
        return (uint64_t)now;
    if (now < t->offset)
        return -scale_delta((uint64_t)t->offset - (uint64_t)now, t->from_ns);
    return scale_delta((uint64_t)now - (uint64_t)t->offset, t->from_ns);
}

/* d->tsc.last is the system time of the latest answer, whoever got it. */
uint64_t guest_rdtsc(const struct vcpu *v)
{
    struct domain *d = v->domain;
    const s_time_t now = NOW(d->xen);

    if (!d->tsc.emulated)
        return (uint64_t)now;
    d->tsc.last = now > d->tsc.last ? now : d->tsc.last + 1;
    return tsc_at(d, d->tsc.last);
}

/* --- the line of memory --- */

/* What is to be published of the present moment, but for the version. */
static struct vcpu_time_info time_info_now(const struct vcpu *v)
{
    const struct domain *d = v->domain;
    const struct time_scale scale = tsc_scale(d);

    return (struct vcpu_time_info){
        .tsc_timestamp = tsc_at(d, NOW(d->xen)),
        .system_time = (uint64_t)NOW(d->xen),
        .tsc_to_system_mul = scale.mul_frac,
        .tsc_shift = (int8_t)scale.shift,
        .flags = host_tsc_is_safe(d->xen) ? XEN_PVCLOCK_TSC_STABLE_BIT : 0, /* is another vCPU's clock comparable? */
    };
}

/*
 * Put *t where the guest reads it, any vCPU at any time. The number that is there may be the guest's own, even or odd.
 * t->version becomes that which the readers have waited with, odd.
 */
static void time_info_publish(vcpu_time_info_at_4 *shared, struct vcpu_time_info *t)
{
    t->version = (shared->version + 1) | 1;
    __atomic_store_n(&shared->version, t->version, __ATOMIC_SEQ_CST);
    *shared = *t;
    __atomic_store_n(&shared->version, t->version + 1, __ATOMIC_SEQ_CST);
}

/*
 * The copy at v->time_info_guest, an address of space's, is as safely read, and ends with the version of the original:
 * the even one after t->version, which t->version becomes. False: the guest has nothing there that can be written.
 */
static bool time_info_publish_copy(struct vcpu *v, struct vcpu *space, struct vcpu_time_info *t)
{
    const uint64_t version = v->time_info_guest + offsetof(struct vcpu_time_info, version);

    if (copy_to_guest(space, version, &t->version, sizeof(t->version)))
        return false;
    copy_to_guest(space, v->time_info_guest, t, sizeof(*t));
    t->version++;
    copy_to_guest(space, version, &t->version, sizeof(t->version));
    return true;
}

void update_vcpu_system_time(struct vcpu *v, struct vcpu *space)
{
    struct vcpu_time_info t = time_info_now(v);
    bool written;

    time_info_publish(&v->vcpu_info->time, &t);
    written = !v->time_info_guest || time_info_publish_copy(v, space, &t);
    if (!is_pv_domain(v->domain))
        return;
    v->pv.pending_system_time.version = 0;
    if (!written && on_user_root(v)) /* the kernel's page tables have it, perhaps */
        v->pv.pending_system_time = t;
}

void vcpu_time_catch_up(struct vcpu *v)
{
    struct vcpu_time_info *t = &v->pv.pending_system_time;

    if (t->version && (!v->time_info_guest || time_info_publish_copy(v, v, t)))
        t->version = 0;
}
