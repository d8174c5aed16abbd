// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A memctl policy that balloons real guests: `xenlab run --balloon-policy`.
 *
 * Concept: the policy's process is the kit's (ask.c), and the seconds are the machine's: whoever sees the guests says
 * once a second what they have and what they did, and is told targets. What they did is counted as the kit counts it,
 * by the kit's own model (memctl.h), and is a workload: in the end the kit runs it under the same policy with the same
 * seed, and the figures of both stand side by side.
 *
 *      balloon_start()     the process
 *      balloon_tick()      a second is over
 *      balloon_beside()    all are: the figures
 *      balloon_end()
 *
 * Invariants: the guests are the same, in the same order, in all seconds. Figures are of the time before the first of
 * them ended, and of BALLOON_MAX_TIME at most; the policy is asked after that as well.
 */
#ifndef TOOLS_KIT_BALLOON_H
#define TOOLS_KIT_BALLOON_H

#include "tools/kit/memctl.h"

#define BALLOON_WHY       1600
#define BALLOON_MAX_VMS   MEMCTL_MAX_VMS
#define BALLOON_MAX_TIME  MEMCTL_MAX_STEPS /* s: the workload has a step for each */
#define BALLOON_RATE      64               /* MiB: what balloons are said to move in a second, as in the kit */
#define BALLOON_TOLERANCE 0.01             /* memory agrees if it differs by no more than this part of the host's */

/* What is known of a guest when a second is over; MiB. */
struct balloon_vm {
    bool ended;                /* the rest is nothing then; the policy is told the max that was */
    uint64_t have, floor, max; /* max is the same in all seconds */
    uint64_t unused, in, out;  /* as struct vm_mem has them */
    uint64_t needs;            /* its working set: not told to the policy */
};

struct balloon;

/*
 * policy: "even", "./mine.so"; of nr guests with these names, which are copied. NULL: why; *rc is the exit status, 2:
 * it is the policy's fault.
 */
struct balloon *balloon_start(const char *policy, uint64_t seed, size_t nr, const char *const *names, int *rc,
                              char why[BALLOON_WHY]);
/*
 * Of nr guests, at the end of each second; free: what the machine has beside. target[] is what was said last, at first
 * what they have, and then what each of them is to have. False: the policy is at fault, why. From then on it is asked
 * nothing.
 */
bool balloon_tick(struct balloon *b, uint64_t free, const struct balloon_vm *vm, uint64_t *target,
                  char why[BALLOON_WHY]);
/*
 * Run the same on the workbench, and write the figures of both and their differences: a table, and if json is no NULL,
 * an object. 0; or why: 1, it cannot be run, 2: the policy is at fault there.
 */
int balloon_beside(struct balloon *b, FILE *table, FILE *json, char why[BALLOON_WHY]);
/* What the guests did, as a workload of the kit. No second is over: there is none. */
void balloon_workload(const struct balloon *b, FILE *f);
void balloon_end(struct balloon *b);

#endif
