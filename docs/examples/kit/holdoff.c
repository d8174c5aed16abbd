// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notification hold-off: a consumer that knows that more is to come sleeps until half of it is there.
 *
 * Concept: a network's frontend has so many packets in flight, and wants their slots back, but no hurry: it asks to be
 * told at the middle of them, and takes them in one go. That is fewer wake-ups for each, and more time until they are
 * taken. It may not ask for more than what is sure to come, or than the ring has room for, or it sleeps for ever: half of
 * that, and at least one. The producer's rule is that of event.c: for it, hold-off is nothing but an index that is
 * further away.
 *
 *   cc -shared -fPIC -Iinclude -o holdoff.so docs/examples/kit/holdoff.c
 *   xenlab kit ring --policy ./holdoff.so --workload docs/examples/kit/net.txt --svg chart.svg
 */
#include "xenlab/kit.h"

static bool notify(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event)
{
    (void)state, (void)now;
    return prod - event < prod - old;
}

static uint32_t next_event(void *state, const struct ring_now *now, uint32_t cons)
{
    (void)state;
    return cons + 1 + (uint32_t)((now->due < now->slots ? now->due : now->slots) / 2);
}

const struct ring_ops xenlab_ring_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct ring_ops), "holdoff", NULL },
    .notify = notify,
    .next_event = next_event,
};
