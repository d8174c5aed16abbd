// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is that an answer?
 *
 * Concept: what comes from a policy's process may have been written by the policy. Nothing of it is used before it was
 * looked at here, as a whole: lengths, kinds, numbers of vCPUs and pCPUs, times that do not lie in the past. Whether
 * what is a proper answer is also a good one, the contract says (remote_hooks.c, vcpu/sched/core.c).
 */
#include "tools/workbench/remote.h"

/* So many timers can a hook set in one call. */
#define MAX_ARMED 1000000

static bool is_vcpu(const struct wb_expected *e, uint32_t vcpu) { return vcpu < e->nr_vcpus || vcpu == WIRE_NOBODY; }

static const char *effects_check(const struct wire_answer *a, const struct wb_expected *e)
{
    if (a->kicked >> e->nr_pcpus)
        return "it kicks a pCPU that does not exist";
    if (a->clock_seq < e->clock_seq || a->clock_seq - e->clock_seq > MAX_ARMED)
        return "it has set more timers than it can have";
    if (a->expires < e->now)
        return "it has a timer in the past";
    if (a->expires != STIME_MAX && (!a->seq || a->seq > a->clock_seq))
        return "it has a timer that it never set";
    if (a->nr_moved > WIRE_MAX_MOVED)
        return "it moves more vCPUs than an answer holds";
    for (uint32_t i = 0; i < a->nr_moved; i++)
        if (a->moved[i].vcpu >= e->nr_vcpus)
            return "it moves a vCPU that does not exist";
    return NULL;
}

const char *wb_answer_check(const void *bytes, size_t len, const struct wb_expected *e)
{
    struct wire_answer a = { .kind = 0 };

    if (len < WIRE_ANSWER_SIZE || len > sizeof(a))
        return "it has another length";
    memcpy(&a, bytes, len);
    if (a.kind >= 32 || !(e->kinds >> a.kind & 1))
        return "it is of another kind";
    if (len != (a.kind == WIRE_NOT_LOADED ? sizeof(a)
                : a.kind == WIRE_HERE     ? WIRE_ANSWER_SIZE
                                          : e->len) &&
        !(a.kind == WIRE_LOADED && len == sizeof(a)) && a.kind != WIRE_FORBIDDEN &&
        !(a.kind == WIRE_MIGRATE && len == WIRE_ANSWER_SIZE))
        return "it has another length";
    if (a.text[0] && !memchr(a.text, '\0', sizeof(a.text)))
        return "its text has no end";
    if (a.kind == WIRE_LOADED && !memchr(a.text + strlen(a.text) + 1, '\0', sizeof(a.text) - strlen(a.text) - 1))
        return "its text has no end";
    if (a.kind != WIRE_ANSWER && a.kind != WIRE_MIGRATE)
        return NULL;
    if (a.call != e->call)
        return "it answers another call";
    if (a.broken >= WIRE_NR_BROKEN ||
        (a.broken && (!is_vcpu(e, a.broken_vcpu) || (a.broken_cpu >= e->nr_pcpus && a.broken_cpu != WIRE_NOBODY))))
        return "it tells of what does not exist";
    if (!is_vcpu(e, a.task) && a.task != WIRE_NO_VCPU)
        return "it names a vCPU that does not exist";
    return effects_check(&a, e);
}
