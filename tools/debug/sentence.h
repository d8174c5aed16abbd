// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the hypervisor did in a sentence: who did what, what became of it by which rule, where it goes on, what it cost.
 *
 * Concept: events of the trace that belong together, from an exit to where the guest goes on, are the parts of the
 * sentence. Nothing else is asked but for symbols, so that it is the same wherever the events come from: the machine, a
 * panel, a file.
 *
 *      exit         d1v0's kernel executed cli at 0x400041 <insn_cli>, which takes #GP
 *      emulate      refused: IOPL is 0, and a PV kernel counts as ring 1 (vcpu/pv/emulate.c)
 *      trap         its kernel gets trap 13, at 0x400200 <trap_entries+0xd0>
 *      resume       cost: 500 ns
 */
#ifndef TOOLS_DEBUG_SENTENCE_H
#define TOOLS_DEBUG_SENTENCE_H

#include "tools/host.h"

#define SENTENCE_SIZE 1024

struct sentence {
    size_t len;
    char text[SENTENCE_SIZE]; /* what does not fit ends with "..." */
};

/* Go on with the sentence. */
void sentence_add(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "107.947us#80747.1" */
void sentence_add_position(struct sentence *s, s_time_t t, struct position at);
/* An address of a domain, with the symbol that it falls on. */
void sentence_add_address(struct sentence *s, struct host *h, unsigned int dom, uint64_t addr);
/* Events that belong together, in their order; symbols are those of h's guests. */
void sentence_add_records(struct sentence *s, struct host *h, const struct trace_record *rec, unsigned int nr);

/* A field of a record by its name, or TRACE_NONE: its event has it not. */
uint64_t record_field(const struct trace_record *rec, const char *name);
/* The file that decides about a hypercall, NULL: there is none of this number. */
const char *hypercall_source(uint64_t nr);
/* Does it say that somebody was refused something? */
bool record_refuses(const struct trace_record *rec);

#endif
