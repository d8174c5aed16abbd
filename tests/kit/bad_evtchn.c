// SPDX-License-Identifier: GPL-2.0-or-later
/* An ABI that goes wrong in set_pending(): for test_evtchn.c. The priority of its port says how, and 16 more for a port
 * beside it. One word: a bit for each port. */
#define CALL 2
#include "bad.h"

static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    bad = (int)((p->ports - 1) * 16 + p->priority);
    wrong_anyhow();
    switch (bad) {
    case 1: m->load(EVTCHN_WORDS); break;
    case 2: m->store(1u << 31, 1); break;
    case 11:
        for (;;)
            m->fetch_or(0, 0);
    case 12: m->compare_exchange(UINT32_MAX, 0, 0); break;
    case 17: memset((void *)(uintptr_t)p, 0xff, sizeof(*p)); break;            /* a copy */
    case 22: memset((char *)__builtin_alloca(300 << 10), 1, 300 << 10); break; /* deeper than the stack */
    }
    m->fetch_or(0, 2);
    return true;
}

static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p) { return true; }
static void mask(const struct evtchn_mem *m, const struct evtchn_port *p) { m->load(1); }

static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *all)
{
    if (!m->fetch_and(0, 0))
        return 0;
    switch (bad) {
    case 16: return all->ports + 1;
    case 18: return UINT32_MAX;
    case 24: m->fetch_or(0, 2); break;
    case 21: *nowhere = 1; break;
    case 25: m->load(EVTCHN_WORDS); break;
    }
    return 1;
}

#if BAD == 23
const int xenlab_evtchn_op = 1;
#else
const struct evtchn_ops xenlab_evtchn_ops = {
    .k = BAD_KIT(evtchn_ops),
    .set_pending = BAD == 28 ? NULL : set_pending,
    .unmask = BAD == 29 ? NULL : unmask,
    .mask = BAD == 34 ? NULL : mask,
    .take = BAD == 33 ? NULL : take,
};
#endif
