// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory that others change meanwhile, as code sees it that is checked in all interleavings.
 *
 * Concept: each of these is one access, and between any two of them everything else may happen. Of a word that is
 * touched in another way nothing is promised.
 */
#ifndef LABS_KIT_SHM_H
#define LABS_KIT_SHM_H

#include <stdint.h>

typedef struct {
    uint64_t opaque;
} shm_t;

uint64_t shm_load(const shm_t *word);
void shm_store(shm_t *word, uint64_t value);
/* One access each, in which nothing comes between; the word as it was. All that was stored before is seen by then. */
uint64_t shm_exchange(shm_t *word, uint64_t value);
uint64_t shm_fetch_or(shm_t *word, uint64_t bits);
uint64_t shm_fetch_and(shm_t *word, uint64_t bits);
/* What was stored before is seen by others before anything is loaded that comes after (MFENCE). */
void shm_fence(void);

#endif
