// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Misses of the TLB that filled it, and what they cost: entries of page tables that were read.
 *
 * About this run of the program, and no state: what the TLB has forgotten depends on where the machine was saved and
 * put back. Two runs that go the same way say the same.
 */
#ifndef SIM_FILLS_H
#define SIM_FILLS_H

#include "sim/types.h"

struct machine;
struct machine_fills {
    uint64_t fills, refs;
};

/* direct: of one dimension (PV guests, shadow page tables), nested: of two (HVM guests). */
void machine_fills(const struct machine *m, struct machine_fills *direct, struct machine_fills *nested);

#endif
