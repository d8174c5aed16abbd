// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arena: where everything lives that a run can change, but for machine RAM.
 *
 * Concept: to go back in time is to put the machine's state back as it was. State that is scattered over the host's
 * heap cannot be put back by anybody but its owners, each in its own way, and a field that one of them forgets is a run
 * that goes another way, much later. State that lies in one range of addresses can be saved, compared and put back page
 * by page by somebody who does not know what is in it. Pointers survive that, since what they point to is at the same
 * address again; and the range of the first arena of a process is the same in every process, so addresses are no
 * accident either.
 *
 *      base                                                        top
 *      | struct arena_head | block | block | block | ...            |  never used: zero
 *                             |
 *           +--------+--------'--------+-------+
 *           | header | what was asked  | spare |     four sizes of blocks a doubling; under the address sanitizer
 *           +--------+-----------------+-------+     header and spare are poisoned, and so is a block that is free
 *
 * A block that is freed goes onto the list of its size and comes back from there; none is split or joined. The lists
 * and the top are in the arena as well: to put it back puts the allocator back, and the run that follows is given the
 * same addresses.
 *
 * What does not belong here: files, sockets, the engine and other libraries, and what is the same in all runs (images
 * of kernels).
 *
 * Invariants: what is given out is zero, 16 bytes aligned, and knows who asked for it; nothing lies beyond the top.
 *
 * Names of functions are those of Xen's heap (xen/include/xen/xmalloc.h), with the arena as the first argument.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* An empty one; NULL: no memory, or no address range is left. */
struct arena *arena_create(void);
/* All that is in it is gone. Harmless for NULL. */
void arena_destroy(struct arena *a);

#define ARENA_STRING_(x) #x
#define ARENA_STRING(x)  ARENA_STRING_(x)
#define ARENA_PLACE      __FILE__ ":" ARENA_STRING(__LINE__)

/* One structure, an array of n, a copy of a string. NULL: out of memory. */
#define xzalloc(a, type)          ((type *)arena_alloc(a, 1, sizeof(type), ARENA_PLACE))
#define xzalloc_array(a, type, n) ((type *)arena_alloc(a, n, sizeof(type), ARENA_PLACE))
#define xstrdup(a, s)             arena_strdup(a, s, ARENA_PLACE)
/*
 * An array that has another length from now on; what is new of it is zero. NULL: out of memory, and the array p (or
 * NULL) is as it was.
 */
#define xrealloc_array(a, p, n) ((__typeof__(p))arena_realloc(a, p, n, sizeof(*(p)), ARENA_PLACE))
/* Back to whichever arena it is of. Harmless for NULL. */
void xfree(const void *p);

/* Behind the macros. place: where in the program, a literal. */
void *arena_alloc(struct arena *a, size_t n, size_t size, const char *place);
void *arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place);
char *arena_strdup(struct arena *a, const char *s, const char *place);

/* The bytes that are state: from base on, a multiple of pages. */
void *arena_base(const struct arena *a);
size_t arena_size(const struct arena *a);
/*
 * To be called when these bytes have been put back as they once were: what lies beyond the top is never used again, and
 * zero.
 */
void arena_restored(struct arena *a);

/* Calls fn for each block that has not been freed, in order of address; returns how many there are. fn may be NULL. */
size_t arena_blocks(const struct arena *a, void (*fn)(void *data, const void *p, size_t size, const char *place),
                    void *data);

#endif
