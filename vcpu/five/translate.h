// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binary translation: a kernel's code, rewritten so that what does not trap can do no harm.
 *
 * Concept: in ring 1 (ring1.h) a kernel's eight and more holes run on silently. So it is not its own code that runs,
 * but a copy in a cache, block by block, made when control first comes to a block. Nearly all instructions are copied
 * as they are. What is sensitive is replaced, and so is what the copy's other place would change: branches, and
 * addresses that are relative to RIP.
 *
 *      the guest's text                              the cache, at TC_BASE
 *      80001000  mov  %rdi, %rax       source   ->   mov  %rdi, %rax                       the same
 *      80001003  cli                            ->   movb $0, IF(%rip)                     inline: a word of ours
 *      80001004  sti                            ->   movb $2, IF; or ud2 if one waits       inline
 *      80001005  smsw %rcx                      ->   ud2                                   out; it is interpreted
 *      80001008  jz   80001020                  ->   jz   1f; jmp 2f; 1: ud2; 2: ud2       out, and chained later:
 *                                                    jz   <block>; jmp <block>
 *      80001010  ret                            ->   look (%rsp) up, jmp <block>           or out, if it is not there
 *
 * What the guest can see stays its own: return addresses on its stack are those of its text, and so is RIP whenever
 * somebody looks at its registers. User mode is not translated: it runs as it is, at CPL 3.
 *
 * A translation is a *source* (bytes at an address), its *product*, and a map: for each instruction of the product,
 * what the guest's state is in front of it.
 *
 *      TC_INSN      that in front of the instruction at rip
 *      TC_MIDDLE    that of TC_INSN still, but for registers that are being used: it must be taken back to be seen
 *      TC_SAVED     likewise, and RAX, RCX, RDX are in our words
 *      TC_TARGET    that in front of the instruction at rip, which is in no block that is known here
 *      TC_INDIRECT  likewise, and rip is in our word TO
 *
 * This file is a function from source to product: it knows neither the guest nor the cache (tc.h), so it can be
 * written, and tested, by itself.
 *
 * Source: Adams and Agesen, A comparison of software and hardware techniques for x86 virtualization (2006); AMD APM
 * volume 3, 1.2 to 1.5, for what instructions look like.
 */
#ifndef VCPU_FIVE_TRANSLATE_H
#define VCPU_FIVE_TRANSLATE_H

#include "sim/types.h"

/*
 * Where it all is, in linear addresses: one slot of the uppermost page table, that of Xen itself under PV. Code reaches
 * words and table relative to its own RIP.
 */
#define TC_SLOT      256u
#define TC_BASE      0xffff800000000000
#define TC_CODE      (TC_BASE + 0x40000)  /* read, execute */
#define TC_LOOKUP    (TC_BASE + 0x100000) /* read: 65536 pairs, by the lowest 16 bits of an address in the source */
#define TC_CODE_SIZE 0x40000u

/* Words that the product writes: offsets from TC_BASE. */
enum tc_word { TC_RAX = 0, TC_RCX = 8, TC_RDX = 16, TC_TO = 24, TC_JUMP = 32, TC_IF = 40, TC_PENDING = 48 };
#define TC_IF_SET 2 /* IF, in the second byte of RFLAGS */

/* Of the table: no address has the key 0. */
struct tc_pair {
    uint64_t key;     /* -address */
    uint64_t product; /* where its block is; TC_MISS: nowhere */
};
/* The first instruction of the cache: UD2, for an address that the table does not have. */
#define TC_MISS TC_CODE

enum tc_kind { TC_INSN, TC_MIDDLE, TC_SAVED, TC_TARGET, TC_INDIRECT };

struct tc_map {
    uint32_t at;   /* offset of the instruction in the cache's code */
    uint16_t link; /* TC_TARGET: the branch that leads here ends so many bytes before; TC_NO_LINK: none does */
    uint8_t kind;  /* enum tc_kind */
    bool out;      /* it is UD2, to get out */
    uint64_t rip;  /* of the guest's */
};

#define TC_NO_LINK 0xffffu

/* A product as it grows. */
struct tc_emit {
    uint8_t *code; /* where it is written, `room` bytes */
    uint32_t at;   /* offset of its first byte in the cache's code */
    uint32_t size, room;
    struct tc_map *map; /* room_map */
    uint32_t nr_map, room_map;
};

#define TC_BLOCK_MAX  64u /* instructions of a block's source; and room for their product, and its map: */
#define TC_BLOCK_MIN  8u  /* bytes of a product */
#define TC_BLOCK_ROOM 8192u
#define TC_BLOCK_MAPS 1024u

/*
 * The block that begins at rip with these n bytes: to its first branch, or to what ends it for other reasons. How many
 * bytes were translated; 0: the first instruction is not whole. There must be room for a whole block.
 */
uint32_t translate_block(struct tc_emit *t, uint64_t rip, const uint8_t *bytes, size_t n);
/* The text at rip is another now: in the place of its block's product the way to the next one. Two entries of a map. */
void translate_dead(struct tc_emit *t, uint64_t rip);

#endif
