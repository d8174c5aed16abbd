// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The translation cache: where a kernel's code runs in place of the kernel's text.
 *
 * Concept: translate.h makes a block of some bytes. Here is what blocks need around them: memory that the processor can
 * execute, at addresses that the guest has in each of its address spaces; who finds the block of an address; when a
 * block is no longer true; and what the guest's state is at any instruction of one.
 *
 *      root, slot 256 -> L3 -> L2 -> L1 -> words, code, table        the same below each root (shadow_set_monitor())
 *
 * A block is entered from here (the guest's RIP has one, or is translated), or from another block: by a branch that was
 * made to lead there when it was first taken (*chained*), or through the table, for an address that was looked up.
 *
 * Blocks are of what the text was. Frames that text was taken from may not be written without a fault
 * (shadow_text_begin()); behind one all blocks are compared with their text, and of one that differs nothing is left
 * but the way to the next one for that address. And where the guest loads CR3 or uses INVLPG it is asked whether its
 * addresses still lead to the same frames. If not, all blocks go.
 *
 *      guest's RIP  --tc_enter()-->  an address in the cache  --run--> ... --tc_leave()-->  guest's RIP
 *
 * Invariants: outside of a run RIP is the guest's, with one exception: an observer has stopped within the product of an
 * instruction (TC_MIDDLE, TC_SAVED). Then it is the cache's, and goes on there; for who stops must not change the run.
 * For an exit such an instruction is taken back, and begun again. All is state of the machine: frames, and the arena.
 */
#ifndef VCPU_FIVE_TC_H
#define VCPU_FIVE_TC_H

#include "vcpu/five/translate.h"
#include "vcpu/hvm/hvm.h"

#define TC_TEXT   0x20000u /* bytes of source */
#define TC_BLOCKS 4096u
#define TC_MAPS   32768u
#define TC_PAGES  64u /* of text, at once */
#define TC_HASH   1024u

struct tc_block {
    uint64_t rip;      /* of the source, len bytes */
    uint32_t at, size; /* of the product */
    uint32_t text;     /* offset of the bytes that it was made of */
    uint16_t len;
    bool dead;               /* the text is another now */
    bool looked_up;          /* the table has it */
    uint32_t map, nr_map;    /* of its first instruction */
    uint32_t next;           /* of the same hash value, + 1 */
    uint64_t entered, links; /* from here; branches that lead to it */
};

struct tc_counters {
    uint64_t blocks, bytes, product_bytes; /* translated */
    uint64_t entered, chained, looked_up;  /* blocks from here; branches; pairs of the table */
    uint64_t died, dropped;                /* blocks whose text has changed; how often all went */
};

struct tc {
    mfn_t l1, l2, l3, words, empty; /* empty: a page of the table that has no address */
    mfn_t code[TC_CODE_SIZE / PAGE_SIZE], table[256];
    uint32_t used; /* bytes of code */
    uint32_t nr_blocks, nr_map, nr_text;
    struct tc_block block[TC_BLOCKS];
    struct tc_map map[TC_MAPS];
    uint8_t text[TC_TEXT];
    uint32_t hash[TC_HASH]; /* block + 1 */
    struct tc_page {
        uint64_t va;
        mfn_t mfn;
    } page[TC_PAGES];
    uint32_t nr_pages;
    bool look; /* addresses may lead elsewhere */
    /* By its last exit: where it is to go on if it goes on at that RIP; and what it came out for. */
    bool resumes, middle;
    uint64_t resume_rip;
    uint32_t resume_at;
    bool wants_block; /* else: an instruction is to be carried out */
    uint32_t from;    /* wants_block: entry of the map of who asks, + 1; 0: who looked up */
    bool indirect;
    struct tc_counters count;
};

/* For d, which has one vCPU and shadow page tables: -ENOMEM. */
int tc_init(struct domain *d);
void tc_destroy(struct domain *d);

/*
 * v, whose kernel runs in 64-bit code, is about to be entered: its RIP becomes that of a product, its IF and whether an
 * interrupt waits go to our words. False: the instruction at RIP is to be carried out; or v's domain has crashed.
 */
bool tc_enter(struct vcpu *v, bool interrupts_on, bool pending);
/* v has left for e, at CPL 1: its RIP becomes the guest's again. What has its IF become? */
bool tc_leave(struct vcpu *v, const struct sim_exit *e);
/* Was that UD2 for want of a block? Nothing is to be carried out. */
bool tc_wanted_block(const struct vcpu *v);
/* v has loaded CR3, or used INVLPG. */
void tc_mappings_changed(struct vcpu *v);

/* --- tc_memory.c, for tc.c --- */

/* n bytes of the product's code. False: no memory. */
bool tc_code_write(struct domain *d, uint32_t at, const void *bytes, size_t n);
/* Whoever looks rip up goes to product from now on; TC_MISS: out. False: no memory. */
bool tc_table_set(struct domain *d, uint64_t rip, uint64_t product);
uint64_t tc_word(const struct domain *d, enum tc_word w);
void tc_word_set(struct domain *d, enum tc_word w, uint64_t val);
/* Nothing is in it any more but the way out at TC_MISS. */
bool tc_empty(struct domain *d);

#endif
