// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stops: what a user of the debugger wants a run to be stopped at, or to be told of.
 *
 * Concept: one list, of four kinds, each with a number, and if wanted a condition (tools/debug/condition.h) that must
 * hold for it to count:
 *
 *      break   an instruction at a domain's virtual address is about to be executed
 *      watch   memory is accessed: read by a guest's instruction (r), written (w), or changed (c)
 *      trace   an event of the trace
 *      log     the same, but the run is not stopped: it is only told
 *
 * Each time that one counts is a hit. A hit has two places, where a search forward leaves the machine and where one
 * backward does. They are the same for an instruction (in front of it) and for an event (behind its step); that an
 * instruction or a step of the hypervisor accesses memory is seen from behind it, or from in front of it.
 *
 * A watch is an address, and so the memory that the address names: a virtual one is looked up in the page tables of
 * the vCPU's kernel, and where these have nothing in those of its user mode, whatever of both is loaded; a
 * pseudo-physical one in the table of the domain's frames. Either is looked up again behind each step of the
 * hypervisor, without which no PV guest can change what it says. That an address comes to name other memory is no
 * access; and as long as it names none, there is nothing to be accessed.
 *
 * What the hypervisor does to memory is seen by comparing, behind each of its steps: so reading is not seen, nor is
 * writing what was there. Nor is it an access that the processor fetches code, or walks through page tables without
 * setting a bit (sim/observe.h).
 *
 * Invariant: neither the list nor what it takes to notice hits makes a difference to the run.
 */
#ifndef TOOLS_DEBUG_STOPS_H
#define TOOLS_DEBUG_STOPS_H

#include "tools/debug/condition.h"
#include "tools/debug/look.h"
#include "tools/rewind/rewind.h"

enum debug_kind { DEBUG_BREAK, DEBUG_WATCH, DEBUG_TRACE, DEBUG_LOG };
enum debug_access { DEBUG_CHANGED, DEBUG_WRITTEN, DEBUG_READ };

#define DEBUG_WATCH_MAX UINT64_C(65536) /* bytes of a watch */

/* A page's part of a watch. */
struct debug_piece {
    uint64_t addr;  /* in the watch's space */
    uint64_t maddr; /* in the machine's, if it is there */
    uint32_t len;
    bool there;
    uint64_t m2p_sets; /* pseudo-physical: as of then */
};

struct debug_stop {
    unsigned int id; /* from 1 */
    enum debug_kind kind;
    domid_t dom; /* whose address it is, and whose symbols in the condition */
    unsigned int vcpu;
    uint64_t addr;
    /* watch: */
    enum look_space space;
    uint64_t len;
    enum debug_access access;
    unsigned int nr_pieces;
    struct debug_piece *pieces;
    uint8_t *was;  /* len bytes: the memory when it was last looked at */
    bool accessed; /* in the way that is wanted, by the instruction that is being looked at */
    /* trace, log: */
    enum trace_event event;
    char *text; /* of the condition; NULL: there is none */
    struct condition cond;
    bool warned; /* somebody has been told that it asks for memory that is not there */
};

/* Who did it. */
struct debug_by {
    bool hypervisor;
    domid_t dom; /* the vCPU that executed, or for which the hypervisor worked; DOMID_INVALID: for none */
    unsigned int vcpu;
    uint64_t rip; /* the instruction */
};

struct debug_hit {
    const struct debug_stop *stop; /* NULL: none of the list, but what the move was to go to */
    struct position before, after; /* where a search backward leaves the machine, and one forward */
    bool is_event;
    struct trace_record event;
    unsigned int ord; /* which of the events of its step */
    /* watch: the place, in the watch's space, of at most 8 bytes, little-endian */
    uint64_t addr, old, new;
    unsigned int size;
    struct debug_by by; /* break: who is about to execute it; watch: who accesses it */
};

struct debug_stops {
    struct host *host;
    struct debug_stop **list; /* in the order in which they were made */
    size_t nr;
    unsigned int last_id;
};

void stops_free(struct debug_stops *s);
/*
 * One like *what, of which kind, whose, where and which event are read, if `cond` holds; NULL: always. NULL and a
 * message: it makes no sense. It belongs to the list.
 */
struct debug_stop *stops_add(struct debug_stops *s, const struct debug_stop *what, const char *cond,
                             char err[EXPR_ERR_SIZE]);
/* False: there is none of this number. */
bool stops_delete(struct debug_stops *s, unsigned int id);
bool stops_have(const struct debug_stops *s, enum debug_kind kind);

/* Does it hold, of an event, or of what a vCPU is about to do or has done? */
bool stop_holds(struct debug_stop *stop, const struct trace_record *rec);
bool stop_holds_of(struct debug_stop *stop, const struct vcpu *v);
/* The machine is in front of an instruction of v: is it one that this breakpoint means? */
bool stop_is_at(struct debug_stop *stop, const struct vcpu *v);

/* --- watches: watch.c --- */

/* Does its address name memory now, all of it? */
bool watch_is_there(struct debug_stops *s, const struct debug_stop *stop);
/* Look addresses up, and memory. */
void watches_begin(struct debug_stops *s);
/* The engine is to tell of accesses; false: no memory. But those that were `accessed`. */
bool watches_arm(struct debug_stops *s);
/* It has told of one: these watches are `accessed`. False: none is. */
bool watches_told(struct debug_stops *s, const struct sim_exit *hit);
/* None is. */
void watches_forget(struct debug_stops *s);
/* Are there others that what is told of one does not say anything about? */
bool watches_left(const struct debug_stops *s);
/*
 * The machine is behind an instruction, or a step of the hypervisor: fn gets what has been accessed, in a struct
 * debug_hit without its positions.
 */
void watches_look(struct debug_stops *s, const struct debug_by *by,
                  void (*fn)(void *data, struct debug_stop *stop, struct debug_hit *hit), void *data);
/* Behind a step: look addresses up again. True: the engine is to be told. */
bool watches_find(struct debug_stops *s);

#endif
