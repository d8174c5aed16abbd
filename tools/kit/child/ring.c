// SPDX-License-Identifier: GPL-2.0-or-later
/* ring's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    const struct ring_ops *o = ops;

    return (uint32_t)(o->notify != NULL) << RING_NOTIFY | (uint32_t)(o->next_event != NULL) << RING_NEXT_EVENT;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    const struct ring_ops *o = ops;
    struct ring_question q;
    uint32_t event;

    memcpy(&q, m->bytes, sizeof(q));
    if (m->hook == RING_NOTIFY) {
        m->bytes[0] = o->notify(state, &q.now, q.old, q.prod, q.event);
        m->len = 1;
        return;
    }
    event = o->next_event(state, &q.now, q.cons);
    m->len = sizeof(event);
    memcpy(m->bytes, &event, sizeof(event));
}

const struct kit_child kit_child_ring = { "ring", "xenlab_ring_ops", sizeof(struct ring_ops), hooks, call };
