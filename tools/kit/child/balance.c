// SPDX-License-Identifier: GPL-2.0-or-later
/* balance's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    return (uint32_t)(((const struct balance_ops *)ops)->tick != NULL) << BALANCE_TICK;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    static struct vcpu_load load[BALANCE_MAX_VCPUS];
    static uint8_t pcpu[BALANCE_MAX_VCPUS];
    struct balance_question q;

    memcpy(&q, m->bytes, sizeof(q));
    memcpy(load, m->bytes + sizeof(q), q.nr * sizeof(*load));
    memcpy(pcpu, m->bytes + sizeof(q) + q.nr * sizeof(*load), q.nr);
    ((const struct balance_ops *)ops)->tick(state, &q.host, load, q.nr, pcpu);
    m->len = (uint32_t)q.nr;
    memcpy(m->bytes, pcpu, q.nr);
}

const struct kit_child kit_child_balance = { "balance", "xenlab_balance_ops", sizeof(struct balance_ops), hooks, call };
