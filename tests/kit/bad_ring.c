// SPDX-License-Identifier: GPL-2.0-or-later
/* Notifications that go wrong in the way of number BAD, when the second event is asked for: for test_ring.c. 0: they do
 * not. */
#define CALL 4
#include "bad.h"

static bool notify(void *state, const struct ring_now *now, uint32_t old, uint32_t prod, uint32_t event)
{
    return prod - event < prod - old;
}

static uint32_t next_event(void *state, const struct ring_now *now, uint32_t cons)
{
    if (++calls == 2)
        wrong_anyhow();
    if (BAD == 12)
        ((struct ring_now *)(uintptr_t)now)->slots = 0; /* a copy: comes to nothing */
    return cons + 1;
}

#if BAD == 23
const int xenlab_ring_op = 1;
#else
const struct ring_ops xenlab_ring_ops = {
    .k = BAD_KIT(ring_ops),
    .notify = BAD == 28 ? NULL : notify,
    .next_event = BAD == 29 ? NULL : next_event,
};
#endif
