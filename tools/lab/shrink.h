// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shortest list of steps that still goes wrong.
 *
 * Concept: a random run goes wrong after hundreds of steps, of which three matter. Chunks of it are left out, half of
 * it first and single steps last, and what still fails is kept: Zeller and Hildebrandt's minimizing delta debugging
 * ("Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002), without its tries of a chunk alone. That
 * steps can be left out is the promise of who made them: each is drawn from its own number, whatever was done before.
 */
#ifndef TOOLS_LAB_SHRINK_H
#define TOOLS_LAB_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * step[]: numbers of nr steps that fail together; what is left stands there when it returns, in the same order, and
 * fails. fails() tries a list, and is asked at most `tries` times. Returns how many are left, at least 1 if nr was.
 */
size_t shrink(uint32_t *step, size_t nr, unsigned int tries, bool (*fails)(void *data, const uint32_t *step, size_t nr),
              void *data);

#endif
