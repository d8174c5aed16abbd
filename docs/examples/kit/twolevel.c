// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 2-level ABI: a pending bit and a mask bit for each port, and a selector with a bit for each word of them.
 *
 * Concept: the hypervisor sets from the bottom up: the pending bit, then, if the port is not masked, the selector; only
 * a selector bit that was 0 makes an upcall. The guest clears from the top down: the selector, then bits. Whichever way
 * the two interleave, a bit that is set last is seen. Nobody is first but the lowest port: there are no priorities.
 * (Xen: xen/common/event_2l.c. Words have 8 bits here, so that a few ports make several.)
 *
 *   cc -shared -fPIC -Iinclude -o twolevel.so docs/examples/kit/twolevel.c
 *   xenlab kit evtchn --policy ./twolevel.so --workload docs/examples/kit/ports.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include "xenlab/kit.h"

/* Words. */
enum { SELECTOR, GUESTS_SELECTOR, PENDING, MASK = PENDING + 8 };

static uint64_t bit(const struct evtchn_port *p) { return UINT64_C(1) << p->port % 8; }

static bool select_word(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    const uint64_t word = UINT64_C(1) << p->port / 8;

    return !(m->fetch_or(SELECTOR, word) & word);
}

static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    if (m->fetch_or(PENDING + p->port / 8, bit(p)) & bit(p))
        return false;
    return !(m->load(MASK + p->port / 8) & bit(p)) && select_word(m, p);
}

static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    m->fetch_and(MASK + p->port / 8, ~bit(p));
    return m->load(PENDING + p->port / 8) & bit(p) && select_word(m, p);
}

static void mask(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    m->fetch_or(MASK + p->port / 8, bit(p));
}

static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *all)
{
    uint64_t words = m->load(GUESTS_SELECTOR), bits;

    (void)all;
    for (;;) {
        if (!words)
            words = m->fetch_and(SELECTOR, 0);
        m->store(GUESTS_SELECTOR, words);
        if (!words)
            return 0;
        for (unsigned int w = 0; w < 8; w++) {
            if (!(words >> w & 1))
                continue;
            bits = m->load(PENDING + w) & ~m->load(MASK + w);
            if (bits) {
                const unsigned int lowest = (unsigned int)__builtin_ctzll(bits);

                m->fetch_and(PENDING + w, ~(UINT64_C(1) << lowest));
                return w * 8 + lowest;
            }
            words &= ~(UINT64_C(1) << w);
        }
    }
}

const struct evtchn_ops xenlab_evtchn_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct evtchn_ops), "2-level", NULL },
    .set_pending = set_pending,
    .unmask = unmask,
    .mask = mask,
    .take = take,
};
