// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 2-level ABI: bitmaps.
 *
 * Concept: shared_info holds a pending bit and a mask bit for each port. So that a guest need not look at 64 words to
 * find one bit, each vCPU has a selector (in its vcpu_info) with a bit for each word of the pending map:
 *
 *   vcpu_info     evtchn_upcall_pending  1     something happened
 *                 evtchn_pending_sel     0 0 1 0 ...     ...in word 2...
 *   shared_info   evtchn_pending[2]      0 0 0 0 1 0 ... ...port 2 * 64 + 4
 *                 evtchn_mask[2]         0 0 0 0 0 0 ...
 *
 * A guest clears from the top down (upcall_pending, then the selector, then the bit), the hypervisor sets from the
 * bottom up: whichever way the two interleave, a bit that is set last is seen.
 *
 * The edge rule: only a transition of "pending" from 0 to 1 while the port is not masked gives an upcall. What becomes
 * pending while masked gives none, and none comes when the guest clears the mask bit by itself: it must look at the
 * pending bit afterwards, or let EVTCHNOP_unmask do both.
 *
 * A word is an unsigned long of the guest: 64 words of 64 ports, or for 32-bit guests 32 words of 32 ports.
 *
 * Corresponds to xen/common/event_2l.c.
 */
#include "evtchn/event_channel.h"

#include <xen/foreign/x86_32.h>

_Static_assert(sizeof(struct vcpu_info) == sizeof(struct vcpu_info_x86_32), "vcpu_info[n] is at one place in both");
_Static_assert(EVTCHN_2L_NR_CHANNELS == 4096, "public header");

static void *pending_map(const struct domain *d)
{
    if (has_32bit_shinfo(d))
        return ((struct shared_info_x86_32 *)d->shared_info)->evtchn_pending;
    return d->shared_info->evtchn_pending;
}

static void *mask_map(const struct domain *d)
{
    if (has_32bit_shinfo(d))
        return ((struct shared_info_x86_32 *)d->shared_info)->evtchn_mask;
    return d->shared_info->evtchn_mask;
}

static unsigned int bits_per_word(const struct domain *d) { return has_32bit_shinfo(d) ? 32 : 64; }

/* Ports beyond the map exist when an HVM guest bound them as a 64-bit kernel and then became a 32-bit one. */
static bool fits(const struct domain *d, const struct evtchn *chn)
{
    return chn->port < bits_per_word(d) * bits_per_word(d);
}

/* True when the bit was not set before, so that the guest does not know yet. */
static bool set_selector(const struct domain *d, const struct evtchn *chn)
{
    struct vcpu *v = domain_vcpu(d, chn->notify_vcpu_id);

    return v && !shared_test_and_set_bit(evtchn_pending_sel(v), chn->port / bits_per_word(d));
}

static void event_2l_set_pending(struct domain *d, struct evtchn *chn)
{
    if (!fits(d, chn) || shared_test_and_set_bit(pending_map(d), chn->port))
        return;
    if (!shared_test_bit(mask_map(d), chn->port) && set_selector(d, chn))
        vcpu_mark_events_pending(d->vcpu[chn->notify_vcpu_id]);
    evtchn_check_pollers(d, chn->port);
}

static void event_2l_clear_pending(struct domain *d, struct evtchn *chn)
{
    if (fits(d, chn))
        shared_test_and_clear_bit(pending_map(d), chn->port);
}

static void event_2l_unmask(struct domain *d, struct evtchn *chn)
{
    if (!fits(d, chn))
        return;
    if (shared_test_and_clear_bit(mask_map(d), chn->port) && shared_test_bit(pending_map(d), chn->port) &&
        set_selector(d, chn))
        vcpu_mark_events_pending(d->vcpu[chn->notify_vcpu_id]);
}

static bool event_2l_is_pending(const struct domain *d, const struct evtchn *chn)
{
    return fits(d, chn) && shared_test_bit(pending_map(d), chn->port);
}

static bool event_2l_is_masked(const struct domain *d, const struct evtchn *chn)
{
    return !fits(d, chn) || shared_test_bit(mask_map(d), chn->port);
}

static const struct evtchn_port_ops evtchn_port_ops_2l = {
    .name = "2-level",
    .set_pending = event_2l_set_pending,
    .clear_pending = event_2l_clear_pending,
    .unmask = event_2l_unmask,
    .is_pending = event_2l_is_pending,
    .is_masked = event_2l_is_masked,
};

void evtchn_2l_init(struct domain *d) { d->evtchn_port_ops = &evtchn_port_ops_2l; }

unsigned int max_evtchns(const struct domain *d)
{
    return d->evtchn_fifo ? EVTCHN_FIFO_NR_CHANNELS : bits_per_word(d) * bits_per_word(d);
}
