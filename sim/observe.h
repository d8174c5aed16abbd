// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where an observer of a machine wants to have a look: at instructions, and at accesses to memory.
 *
 * Concept: a debugger outside the machine, which no guest can tell is there. Whoever runs a vCPU gets EXIT_STOP
 * (pcpu.h) in front of such an instruction, with nothing of it done, and goes on with `resume`. Guests have breakpoints
 * of their own in the processor's debug registers, which are another matter, and go on working at the same places.
 *
 *  - A breakpoint is a linear address, in whatever vCPU, root and mode. A repeated string instruction arrives at its
 *    address with each iteration.
 *  - A watch is a range of machine memory. All that guests' instructions access counts, however they do it: operands,
 *    the stack, descriptors, saved FPU images; and of the processor's own walks through page tables, that it sets an
 *    accessed or dirty bit, but not that it reads. Fetching code is no access, and nothing that the hypervisor does is
 *    one. An instruction that faults before it accesses anything is not reported. One that accesses several places is
 *    reported at the first that is watched, and with `resume` at none of the others.
 *
 * Neither is state: they are not restored with a checkpoint, and make no difference to a run.
 */
#ifndef SIM_OBSERVE_H
#define SIM_OBSERVE_H

#include "sim/machine.h"

/* From here on these n linear addresses, in any order, instead of those before. 0, -ENOMEM: as before. */
int machine_break_set(struct machine *m, const uint64_t *addr, size_t n);

struct machine_watch {
    uint64_t addr, len; /* bytes of machine memory; what is beyond its end is ignored */
    bool read, write;
};

/* From here on these n ranges, which may overlap, instead of those before. 0, -ENOMEM: as before. */
int machine_watch_set(struct machine *m, const struct machine_watch *watch, size_t n);

#endif
