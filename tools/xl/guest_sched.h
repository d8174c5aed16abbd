// SPDX-License-Identifier: GPL-2.0-or-later
/* Scheduling settings become hypercalls, and CPU pools are made: see tools/xl/guest_sched.c. */
#ifndef TOOLS_XL_GUEST_SCHED_H
#define TOOLS_XL_GUEST_SCHED_H

#include "tools/xc/xc.h"
#include "tools/xl/xl_sched.h"

#define GUEST_SCHED_ERR_SIZE 1024
#define HOST_MAX_POOLS       16 /* MACHINE_MAX_PCPUS of sim/machine.h */

/* A CPU pool that the command line asks for: "--cpupool NAME=CPUS[:SCHEDULER]". */
struct host_pool {
    char name[32];
    struct xl_cpus cpus;
    char sched[16]; /* "": as Pool-0 */
    uint32_t id;    /* result */
};

/* What is needed to carry settings out, besides the settings. */
struct guest_sched_env {
    struct xc_handle *xc;
    const struct host_pool *pools;
    unsigned int nr_pools;
    void (*warn)(void *data, const char *line); /* a setting that has no effect; NULL: nobody wants to know */
    void *data;
};

/* Read the argument of --cpupool. False: why says what it should have been. */
bool host_pool_parse(const char *text, struct host_pool *pool, char *why, size_t len);
/* Take the pool's pCPUs out of Pool-0 and make the pool of them. 0, or -1 with a message. */
int host_pool_create(struct xc_handle *xc, struct host_pool *pool, char err[GUEST_SCHED_ERR_SIZE]);

/*
 * Carry out `s` for the domain, which has nr_vcpus vCPUs and is paused. 0, or -1 with a message that names file and
 * key.
 */
int guest_sched_apply(const struct guest_sched_env *env, domid_t domid, unsigned int nr_vcpus, const struct xl_sched *s,
                      char err[GUEST_SCHED_ERR_SIZE]);

#endif
