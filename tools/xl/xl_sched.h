// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a guest is to be scheduled: what xl.cfg and the command line can say of it.
 *
 * Concept: these settings are read long before it is known whether they can be carried out: a cap depends on the number
 * of vCPUs, a list of pCPUs on the machine, a weight on the scheduler. So each remembers where it was made
 * ("guest.cfg:7: cap", "--cap"), and whoever finds it wanting can say so (tools/xl/guest_sched.c).
 *
 * Lists of pCPUs are xl's (xl.cfg(5), cpus=): items separated by commas, taken from left to right.
 *
 *      item = ["^"] ["node:" | "nodes:"] (N | N-M)  |  "all"            ^ takes away what comes behind it
 *
 * Corresponds to parse_vcpu_affinity() and cpurange_parse() in Xen's tools/xl/xl_parse.c.
 */
#ifndef TOOLS_XL_XL_SCHED_H
#define TOOLS_XL_XL_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xl_sched_key { XL_SCHED_WEIGHT, XL_SCHED_CAP, XL_SCHED_PERIOD, XL_SCHED_BUDGET, XL_SCHED_EXTRATIME, XL_SCHED_NR };

/* A setting that was not made has no `where`. All strings and arrays are owned. */
struct xl_sched_number {
    char *where;
    uint32_t value;
};

/*
 * A set of pCPUs, and the highest number among those that were named: the machine may have less (UINT_MAX is "or
 * higher").
 */
struct xl_cpus {
    uint64_t mask;
    unsigned int highest;
};

struct xl_affinity {
    char *where;
    bool
        /* a list: an entry for each vCPU, and the vCPUs beyond it go anywhere. Else one entry, for all of them. */
        each;
    unsigned int nr;
    struct xl_cpus *cpus;
};

struct xl_sched {
    struct xl_sched_number number[XL_SCHED_NR];
    struct xl_affinity hard, soft;
    char *pool_where, *pool; /* CPU pool: its name or its number */
};

/* "cpu_weight": the key in xl.cfg. And what it takes: "a weight from 1 to 65535". */
const char *xl_sched_key_name(enum xl_sched_key key);
const char *xl_sched_key_expected(enum xl_sched_key key);

/* These set one thing, in place of what was there. False: memory is short. */
bool xl_sched_set_number(struct xl_sched *s, enum xl_sched_key key, const char *where, uint32_t value);
bool xl_sched_set_affinity(struct xl_affinity *a, const char *where, bool each, const struct xl_cpus *cpus,
                           unsigned int nr);
bool xl_sched_set_pool(struct xl_sched *s, const char *where, const char *pool);
/* Everything that `from` states, in place of what `to` states. */
bool xl_sched_override(struct xl_sched *to, const struct xl_sched *from);
void xl_sched_free(struct xl_sched *s);
/*
 * A copy in an arena, of which xl_sched_release() gives all back. False: memory is short, and what there is of the copy
 * is to be given back.
 */
struct arena;
bool xl_sched_copy(struct arena *a, struct xl_sched *to, const struct xl_sched *from);
void xl_sched_release(struct xl_sched *s);

/* Is n a value that the key can have, whatever the machine? */
bool xl_sched_number_ok(enum xl_sched_key key, long n);

/* Read a list of pCPUs. False: it is none, and why says so in words that follow "cpus: ". */
bool xl_cpus_parse(const char *text, struct xl_cpus *cpus, char *why, size_t len);

#endif
