// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names that a Linux kernel has for its own addresses, out of the kernel as it is loaded.
 *
 * Concept: a distribution's kernel has no ELF symbols, but it can name its functions when it panics (kallsyms). For
 * that it has tables in its read-only data, made when Linux is built, which nothing points to from outside:
 *
 *      num_syms | names | markers | ... | token_table | token_index            4 bytes, then as they come
 *
 *      names        a symbol: its length, and that many bytes, each of which stands for a token
 *      markers      of every 256th symbol, where it begins in names
 *      token_table  256 strings, each with a zero byte; those of the digits are "0" to "9", by which it is found
 *      token_index  where each begins in it, 16 bits each
 *
 * Their addresses are offsets of 32 bits to relative_base: offsets and relative_base stand before num_syms, or, in
 * later kernels, behind token_index; and in those of 7.2 each is to its own place, with no base. Each table is aligned
 * to 8 bytes, or by then to 4. The first letter of a name is its kind, as of nm.
 *
 * Invariants: input is hostile. What is found is believed only if all of it fits together, and nothing outside of the
 * segment is read.
 */
#ifndef TOOLS_BUILD_KALLSYMS_H
#define TOOLS_BUILD_KALLSYMS_H

#include "tools/build/image.h"

#define KALLSYMS_NAME 512 /* with its kind, and a zero byte */

/*
 * Each symbol: its address, and its kind and name behind that, until it returns. False: there are none, or they make
 * no sense; fn has not been called.
 */
bool kallsyms_each(const struct image *img, void (*fn)(void *data, uint64_t addr, char kind, const char *name),
                   void *data);
/*
 * The symbols of an image that has none become those that Linux has of itself, each up to the next one; without those
 * of a processor's own data. No change if there are none, or no memory. image_free() releases them.
 */
void kallsyms_load(struct image *img);

#endif
