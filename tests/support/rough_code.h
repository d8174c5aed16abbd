// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random programs that have what cuts blocks of translated code: straight code longer than a block, and than a block
 * has temporaries; ends of pages; code that overwrites the instruction behind it, or its own; repeated string
 * instructions; MOV SS; TF; what leaves for the hypervisor. They end with UD2.
 */
#ifndef TESTS_SUPPORT_ROUGH_CODE_H
#define TESTS_SUPPORT_ROUGH_CODE_H

#include "tests/support/pv_guest.h"

#define ROUGH_SIZE (2 * PAGE_SIZE)
#define ROUGH_AREA 20 /* page for data */

/* RBX: the area; R15: the code; RBP: a stack segment's selector; R14: rounds to go. */
struct rough_code {
    uint8_t code[ROUGH_SIZE];
    bool transfers[ROUGH_SIZE]; /* an instruction that begins there does */
    uint16_t insn[ROUGH_SIZE];  /* where instructions begin */
    unsigned int start, len, nr;
};

uint64_t rough_random(uint64_t *s);
void rough_make(struct rough_code *p, uint64_t *s);
/* Into the first two pages, with all registers and memory as in the beginning. */
void rough_start(struct pv_guest *g, const struct rough_code *p);

#endif
