// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at translations (vcpu/five/tc.h), by value. */
#ifndef TOOLS_DEBUG_LOOK_TC_H
#define TOOLS_DEBUG_LOOK_TC_H

#include "tools/debug/look.h"

/* All of a domain's. */
struct look_tc {
    uint32_t nr_blocks; /* dead ones among them */
    uint64_t blocks, bytes, product_bytes, entered, chained, looked_up, died, dropped;
};
/* False: it has none. */
bool look_tc(struct host *h, domid_t dom, struct look_tc *out);

struct look_tc_block {
    uint64_t rip, product; /* addresses */
    uint32_t len, size, nr_lines;
    bool dead;               /* the text is another now */
    bool looked_up;          /* the table has it */
    uint64_t entered, links; /* times from the hypervisor; branches that lead to it */
};
bool look_tc_block(struct host *h, domid_t dom, uint32_t nr, struct look_tc_block *out);
/* The live block with the instruction at rip in it, the one that begins last; false: there is none. */
bool look_tc_find(struct host *h, domid_t dom, uint64_t rip, uint32_t *nr);

/* An instruction of a product. */
struct look_tc_line {
    uint64_t at, rip;       /* in the cache; what RIP would be seen as */
    bool begins;            /* the first of those in the place of the guest's instruction at rip, which is: */
    char source[LOOK_TEXT]; /* (if it begins, and is one of the block's) */
    char text[LOOK_TEXT];
    const char *state; /* of the guest in front of it */
};
bool look_tc_line(struct host *h, domid_t dom, uint32_t nr, uint32_t line, struct look_tc_line *out);

#endif
