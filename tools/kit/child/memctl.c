// SPDX-License-Identifier: GPL-2.0-or-later
/* memctl's table is called: wire.h says what lies in the bytes. */
#include "tools/kit/child/child.h"

#include <string.h>

static uint32_t hooks(const void *ops)
{
    return (uint32_t)(((const struct memctl_ops *)ops)->tick != NULL) << MEMCTL_TICK;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    static struct vm_mem vm[MEMCTL_MAX_VMS];
    static uint64_t target[MEMCTL_MAX_VMS];
    struct memctl_question q;

    memcpy(&q, m->bytes, sizeof(q));
    memcpy(vm, m->bytes + sizeof(q), q.nr * sizeof(*vm));
    memcpy(target, m->bytes + sizeof(q) + q.nr * sizeof(*vm), q.nr * sizeof(*target));
    ((const struct memctl_ops *)ops)->tick(state, &q.host, vm, q.nr, target);
    m->len = (uint32_t)(q.nr * sizeof(*target));
    memcpy(m->bytes, target, m->len);
}

const struct kit_child kit_child_memctl = { "memctl", "xenlab_memctl_ops", sizeof(struct memctl_ops), hooks, call };
