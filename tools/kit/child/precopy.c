// SPDX-License-Identifier: GPL-2.0-or-later
/* precopy's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    const struct precopy_ops *o = ops;

    return (uint32_t)(o->stop != NULL) << PRECOPY_STOP | (uint32_t)(o->order != NULL) << PRECOPY_ORDER;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    static uint64_t bitmaps[2 * PRECOPY_MAP_WORDS(PRECOPY_MAX_PAGES)], answer[1 + PRECOPY_AT_ONCE];
    const struct precopy_ops *o = ops;
    struct precopy_now now;
    uint64_t words;

    memcpy(&now, m->bytes, sizeof(now));
    if (m->hook == PRECOPY_STOP) {
        m->bytes[0] = o->stop(state, &now);
        m->len = 1;
        return;
    }
    words = PRECOPY_MAP_WORDS(now.pages);
    memcpy(bitmaps, m->bytes + sizeof(now), 2 * words * sizeof(*bitmaps));
    answer[0] = o->order(state, &now, bitmaps, bitmaps + words, answer + 1, PRECOPY_AT_ONCE);
    m->len = (uint32_t)(sizeof(*answer) * (1 + (answer[0] > PRECOPY_AT_ONCE ? 0 : answer[0])));
    memcpy(m->bytes, answer, m->len);
}

const struct kit_child kit_child_precopy = { "precopy", "xenlab_precopy_ops", sizeof(struct precopy_ops), hooks, call };
