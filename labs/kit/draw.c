// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers that follow from a seed, for programs and for guests: SplitMix64 (Steele, Lea, Flood, "Fast Splittable
 * Pseudorandom Number Generators", OOPSLA 2014).
 */
#include "labs/kit/kit.h"

static uint64_t prng;

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void kit_draw_from(uint64_t seed, uint64_t step) { prng = mix(step ? seed ^ mix(step) : seed); }

uint64_t kit_random(uint64_t n)
{
    prng += UINT64_C(0x9e3779b97f4a7c15);
    return mix(prng) % n;
}
