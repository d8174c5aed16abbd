// SPDX-License-Identifier: GPL-2.0-or-later
/* Letting a host run, with the outside asked on the way and nothing recorded. */
#ifndef TESTS_SUPPORT_HOST_RUN_H
#define TESTS_SUPPORT_HOST_RUN_H

#include "tools/host.h"

/* As host_run_to(), but never RUN_ASKED. */
static inline enum run_result host_run_on(struct host *h, const struct run_limit *l)
{
    enum run_result r;

    while ((r = host_run_to(h, l)) == RUN_ASKED) {
        unsigned int who;
        size_t len;
        const uint8_t *answer = host_outside_ask(h, &who, &len);

        host_outside_answer(h, who, answer, len);
    }
    return r;
}

/* Until that time. */
static inline enum run_result host_run(struct host *h, s_time_t until, const bool *stop)
{
    const struct run_limit l = { .until = until, .at = { .insns = UINT64_MAX }, .stop = stop };

    return host_run_on(h, &l);
}

#endif
