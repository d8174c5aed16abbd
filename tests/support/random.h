// SPDX-License-Identifier: GPL-2.0-or-later
/* Random numbers for tests: the same in every run, so a failure repeats. */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

/* The next one, below n: 44 bits, or fewer. *prng begins as anything. */
static inline uint64_t random_of(uint64_t *prng, uint64_t n)
{
    *prng = *prng * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (*prng >> 20) % n;
}

#endif
