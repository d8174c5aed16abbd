// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab sched`: run a scheduling policy against a described workload, in virtual time only. See docs/workbench.md. */
#ifndef TOOLS_WORKBENCH_WORKBENCH_H
#define TOOLS_WORKBENCH_WORKBENCH_H

/*
 * argv[0] is the command's name, as printed in usage. Returns the exit status: 0 it ran; 1 wrong arguments or workload
 * (said on stderr); 2 the policy broke a rule, crashed or looped (named on stderr).
 */
int workbench_main(int argc, char **argv);

#endif
