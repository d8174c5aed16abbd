// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's policy that schedules real guests: `xenlab run --sched ./policy.so`.
 *
 * Concept: its process is the workbench's (remote.h), and the vCPUs are the machine's. The machine is given a table of
 * hooks, and knows no more of it. The process has state that no checkpoint holds: such a machine only goes forward.
 *
 *      guest_policy_start()    the process; its table goes to host_create()
 *      guest_policy_set()      the parameters behind its path, once there is a machine
 *      guest_policy_over()     between slices: has it done what ends the run?
 *      guest_policy_end()      after host_destroy()
 */
#ifndef TOOLS_WORKBENCH_GUEST_POLICY_H
#define TOOLS_WORKBENCH_GUEST_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/workbench/expected.h"

#define GUEST_POLICY_WHY 1200

struct guest_policy;
struct sched_ops;
struct scheduler;

/*
 * "./mine.so,PARAM=N"; nr_pcpus and seed: of the machine. *stop becomes true as soon as the policy is at fault. NULL:
 * why; *rc is the exit status, 2: it is the policy's fault.
 */
struct guest_policy *guest_policy_start(const char *policy, unsigned int nr_pcpus, uint64_t seed, bool *stop, int *rc,
                                        char why[GUEST_POLICY_WHY]);
const struct sched_ops *guest_policy_ops(const struct guest_policy *p);
/* The machine's scheduler is s from here on. False: why; guest_policy_over() says whose fault it was. */
bool guest_policy_set(struct guest_policy *p, struct scheduler *s, char why[GUEST_POLICY_WHY]);
/* It has crashed, or broken a rule: true, and why, as the workbench says it. From then on it is asked nothing. */
bool guest_policy_over(struct guest_policy *p, char why[GUEST_POLICY_WHY]);
/* The machine is gone, or there was none. */
void guest_policy_end(struct guest_policy *p);

/* Set ",PARAM=N,PARAM=N" of a scheduler from a shared object, as `option` asks. False: why. */
bool guest_policy_params(struct scheduler *s, const char *text, const char *option, const char *object, char *why,
                         size_t len);

#endif
