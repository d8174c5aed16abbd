// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which pages of an arena have changed, and what they were before.
 *
 * Concept: everybody writes to the arena, so nobody can say so beforehand. What pages were is known from a copy of the
 * whole arena. Which ones to compare with it the host's kernel says, if it can: all are write-protected, the kernel
 * takes that off by itself at the first store to each (userfaultfd(2), UFFD_FEATURE_WP_ASYNC), and tells which ones are
 * not protected any more (ioctl PAGEMAP_SCAN). That is Linux 6.7 or later; else all of them are compared.
 *
 * Such a first store costs a page fault, as much as comparing ten pages on one host and a hundred on another, and most
 * stores go to the same few pages. So a page that was written is left without protection, and is compared each time; it
 * is only now and then that all are protected again.
 *
 * Invariant: a page that differs from its copy is found, by either means; one that is protected does not differ.
 */
#ifndef SIM_ARENA_CHANGES_H
#define SIM_ARENA_CHANGES_H

#include "sim/arena.h"
#include "sim/types.h"

struct arena_changes;

/*
 * The copy is all zero at first. by_comparing: do not ask the kernel. NULL: no memory. The arena must be there until
 * arena_changes_destroy(), which is harmless for NULL.
 */
struct arena_changes *arena_changes_create(struct arena *a, bool by_comparing);
void arena_changes_destroy(struct arena_changes *c);
/* Does the kernel tell? */
bool arena_changes_by_kernel(const struct arena_changes *c);

/* A page that differs from its copy, by its number in the arena. fn makes both alike, in either direction. */
typedef void arena_change_fn(void *data, uint64_t nr, uint8_t *page, uint8_t *copy);
/* All of them. False: no memory for a copy of what the arena has become, and fn was not called. */
bool arena_changes_find(struct arena_changes *c, arena_change_fn *fn, void *data);

/* A page's copy; it must have been in the arena at some arena_changes_find(). */
uint8_t *arena_changes_copy(const struct arena_changes *c, uint64_t nr);

#endif
