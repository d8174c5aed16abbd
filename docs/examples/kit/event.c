// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notifications as the macros of xen/include/public/io/ring.h have them: one for each sleep.
 *
 * Concept: the consumer asks for the very next request (RING_FINAL_CHECK_FOR_REQUESTS), and the producer tells of it if
 * its push went past the index that was asked for: if `event` is one of old + 1 to prod. Indices wrap, so that is no
 * matter of greater and less: the distance back from prod to event is to be less than that to old. What is compared are
 * differences, which are right across the wrap (RING_PUSH_REQUESTS_AND_CHECK_NOTIFY).
 *
 *   cc -shared -fPIC -Iinclude -o event.so docs/examples/kit/event.c
 *   xenlab kit ring --policy ./event.so --workload docs/examples/kit/net.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include "xenlab/kit.h"

static bool notify(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event)
{
    (void)state, (void)now;
    return prod - event < prod - old;
}

static uint32_t next_event(void *state, const struct ring_now *now, uint32_t cons)
{
    (void)state, (void)now;
    return cons + 1;
}

const struct ring_ops xenlab_ring_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct ring_ops), "event", NULL },
    .notify = notify,
    .next_event = next_event,
};
