// SPDX-License-Identifier: GPL-2.0-or-later
/* tlbflush's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    return (uint32_t)(((const struct tlbflush_ops *)ops)->who != NULL) << TLBFLUSH_WHO;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    uint32_t stamp[TLBFLUSH_MAX_PCPUS];
    struct tlbflush_question q;
    uint64_t mask;

    memcpy(&q, m->bytes, sizeof(q));
    memcpy(stamp, m->bytes + sizeof(q), q.nr * sizeof(*stamp));
    mask = ((const struct tlbflush_ops *)ops)->who(state, &q.now, stamp, q.nr);
    m->len = sizeof(mask);
    memcpy(m->bytes, &mask, sizeof(mask));
}

const struct kit_child kit_child_tlbflush = { "tlbflush", "xenlab_tlbflush_ops", sizeof(struct tlbflush_ops), hooks,
                                              call };
