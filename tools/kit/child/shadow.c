// SPDX-License-Identifier: GPL-2.0-or-later
/* shadow's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    const struct shadow_ops *o = ops;

    return (uint32_t)(o->on_write != NULL) << SHADOW_ON_WRITE | (uint32_t)(o->evict != NULL) << SHADOW_EVICT;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    static struct shadow_page page[SHADOW_MAX_FRAMES];
    const struct shadow_ops *o = ops;
    const char *at = m->bytes;
    struct shadow_now now;
    uint32_t off;
    int32_t what;
    uint64_t n;

    memcpy(&now, at, sizeof(now));
    at += sizeof(now);
    if (m->hook == SHADOW_ON_WRITE) {
        memcpy(page, at, sizeof(*page));
        memcpy(&off, at + sizeof(*page), sizeof(off));
        what = o->on_write(state, &now, page, off);
        m->len = sizeof(what);
        memcpy(m->bytes, &what, sizeof(what));
        return;
    }
    memcpy(&n, at, sizeof(n));
    memcpy(page, at + sizeof(n), n * sizeof(*page));
    n = o->evict(state, &now, page, n);
    m->len = sizeof(n);
    memcpy(m->bytes, &n, sizeof(n));
}

const struct kit_child kit_child_shadow = { "shadow", "xenlab_shadow_ops", sizeof(struct shadow_ops), hooks, call };
