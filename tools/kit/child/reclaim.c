// SPDX-License-Identifier: GPL-2.0-or-later
/* reclaim's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    const struct reclaim_ops *o = ops;

    return (uint32_t)(o->scan != NULL) << RECLAIM_SCAN | (uint32_t)(o->victim != NULL) << RECLAIM_VICTIM;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    static uint64_t gfn[RECLAIM_AT_ONCE];
    static uint8_t ad[RECLAIM_AT_ONCE];
    const struct reclaim_ops *o = ops;
    const char *at = m->bytes;
    struct reclaim_now now;
    uint64_t n;

    memcpy(&now, at, sizeof(now));
    if (m->hook == RECLAIM_VICTIM) {
        n = o->victim(state, &now);
        m->len = sizeof(n);
        memcpy(m->bytes, &n, sizeof(n));
        return;
    }
    memcpy(&n, at += sizeof(now), sizeof(n));
    memcpy(gfn, at += sizeof(n), n * sizeof(*gfn));
    memcpy(ad, at + n * sizeof(*gfn), n);
    o->scan(state, &now, gfn, ad, n);
    m->len = 0;
}

const struct kit_child kit_child_reclaim = { "reclaim", "xenlab_reclaim_ops", sizeof(struct reclaim_ops), hooks, call };
