// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processor that a guest is to see: what xl.cfg's cpuid= can say of it, as xl.cfg(5) has it.
 *
 *      cpuid = "host,NAME=VALUE,NAME=VALUE..."                        features and fields by name
 *      cpuid = [ "LEAF[,SUBLEAF]:REG=32 characters,REG=...", ... ]    registers bit by bit, from 31 down; REG is eax to edx
 *
 * VALUE is a number for the field (0 or 1 for a feature), or a letter for each of its bits:
 *
 *      1 0     set it, clear it
 *      x       as by default for guests of this kind
 *      k s     as the host has it
 *
 * Concept: both come to the same, leaves with a character for each bit. What becomes of them is
 * tools/xl/guest_cpuid.c's.
 *
 * Corresponds to tools/libs/light/libxl_cpuid.c. Where libxl takes a number that is too large and drops bits, it is
 * refused here.
 */
#ifndef TOOLS_XL_XL_CPUID_H
#define TOOLS_XL_XL_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_CPUID_NO_SUBLEAF 0xffffffffu

struct xl_cpuid_leaf {
    uint32_t leaf, subleaf;
    char reg[4][33]; /* EAX EBX ECX EDX: 32 characters; "": nothing is said of it */
};

/* Owned strings and arrays. Nothing stated: no `where`. */
struct xl_cpuid {
    char *where; /* "guest.cfg:7: cpuid" */
    struct xl_cpuid_leaf *leaf;
    unsigned int nr;
};

/* Read one setting, or one item of a list, into c, over what is there. False: why says what it should have been. */
bool xl_cpuid_parse_names(struct xl_cpuid *c, const char *text, char *why, size_t len);
bool xl_cpuid_parse_leaf(struct xl_cpuid *c, const char *text, char *why, size_t len);

/* Make *to say what `from` says, if that says anything. False: memory is short. */
bool xl_cpuid_override(struct xl_cpuid *to, const struct xl_cpuid *from);
void xl_cpuid_free(struct xl_cpuid *c);
/* A copy in an arena, as xl_sched_copy(). */
struct arena;
bool xl_cpuid_copy(struct arena *a, struct xl_cpuid *to, const struct xl_cpuid *from);
void xl_cpuid_release(struct xl_cpuid *c);

#endif
