// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine's random numbers.
 *
 * Concept: a run's randomness is a function of its seed. In a file of its own, so that a policy's process, which has
 * no machine (tools/policy/), has the same.
 */
#include "sim/machine.h"

/* SplitMix64 (Steele, Lea, Flood 2014): a counter in steps of the golden ratio, its bits then well stirred. */
uint64_t machine_random(struct machine *m)
{
    uint64_t z = m->prng += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
