// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What memory looks like after each store to it.
 *
 * Concept: code that publishes something for readers on other processors is right or wrong in between its stores, and
 * afterwards nobody can tell. So the pages in question cannot be written while it runs; each store faults, is let
 * through alone, by the processor's single step, and then one looks.
 *
 *      store --> SIGSEGV: its page writable, trap flag set --> the instruction again --> SIGTRAP: look(), page read-only
 *
 * Of x86-64. A string instruction stops after each of its elements.
 */
#ifndef LABS_KIT_STORES_H
#define LABS_KIT_STORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIT_STORES_PLACES 4

/* From now on nobody looks: a debugger has the faults and the single steps for itself. */
void kit_stores_unwatched(void);

/* run(data), and look(data) after each of its stores to a page of place[0] to place[nr - 1]; look() calls nothing. */
void kit_stores(void *const *place, unsigned int nr, void (*run)(void *data), void (*look)(void *data), void *data);

/*
 * The same of reads as well: seen() is told of each access where it begins, how many bytes nobody knows, and what code
 * it is of. It may touch that page, and none of the others.
 */
void kit_accesses(void *const *place, unsigned int nr, void (*run)(void *data),
                  void (*seen)(void *data, const void *place, bool write, uintptr_t code), void *data);

#endif
