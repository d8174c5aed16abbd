// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal: what has come into a machine from outside, and where in its run.
 *
 * Concept: everything else is computed. So the journal with what the host was made from is the whole run: it is what is
 * handed in again when a part of it is repeated, here or in another process.
 *
 * Invariants: records are in the order in which they were handed in, which is that of their positions. It is no part of
 * the machine's state, and lies on the host's heap.
 */
#ifndef TOOLS_REWIND_JOURNAL_H
#define TOOLS_REWIND_JOURNAL_H

#include "sim/machine.h"

#define REWIND_ERR_SIZE 512

/* What comes in, by the name that it has in files: */
#define JOURNAL_KINDS(X)                                                                                               \
    X(CONSOLE, console)   /* typed for a guest's console: who is its host_guest_index(), bytes the text */             \
    X(REGISTER, register) /* of a vCPU: who is TRACE_VCPU_ID(), bytes two words: enum input_reg, value */              \
    X(MEMORY, memory)     /* bytes a word, the machine address, and then what is there from now on */                  \
    X(TRAP, trap)         /* for a vCPU: three words: vector, error code, address of a page fault */                   \
    X(EVENT, event)       /* for the domain of a vCPU: a word: the port */                                             \
    X(XENSTORE,                                                                                                        \
      xenstore) /* a program on a socket of xenstored: who is its number; bytes a byte, enum host_socket,    \
                             and what has arrived */         \
    X(TTY, tty) /* the terminal that a guest's console is on: who is its host_guest_index(), bytes its path */         \
    X(CHANNEL,                                                                                                         \
      channel)  /* for a channel of a guest: who is its host_guest_index(), bytes a struct host_channel_head   \
                           and the text, or the path of its terminal */       \
    X(KEY, key) /* typed or pointed at on a guest's screen: who is its host_guest_index(), bytes a struct host_key */  \
    X(P9, 9p)   /* a shared folder answers: who is its device, bytes two words of 32 bits and a body */                \
    X(NET, net) /* a packet from outside: who is 0, bytes the packet */                                                \
    X(CTL, ctl) /* a command of xenlab ctl that changes something: who is its number, bytes its words */               \
    X(DOMAIN, domain)       /* a domain without a kernel is made, or something done with one: tools/rewind/made.h */   \
    X(HYPERCALL, hypercall) /* of a vCPU: who is TRACE_VCPU_ID(), bytes seven words: its number, its arguments */      \
    X(EXIT, exit)           /* of a vCPU: the same, bytes a struct made_exit of tools/rewind/made.h */

enum journal_kind {
#define X(kind, name) JOURNAL_##kind,
    JOURNAL_KINDS(X)
#undef X
        JOURNAL_NR
};

struct journal_record {
    struct position at; /* it was handed in there: before the step that it is */
    s_time_t now;       /* what time it was then outside of a machine that stands still: host_console_input() */
    enum journal_kind kind;
    unsigned int who;
    size_t len;
    uint8_t *bytes; /* the journal's own */
};

struct journal {
    struct journal_record *records;
    size_t nr, cap;
};

/* All zero is an empty one. */
void journal_free(struct journal *j);

/* kind must be below JOURNAL_NR. */
const char *journal_kind_name(enum journal_kind kind);
/* JOURNAL_NR: there is none of this name. */
enum journal_kind journal_kind_of(const char *name);

/* A copy of rec and its bytes becomes the last record. False: no memory. */
bool journal_append(struct journal *j, const struct journal_record *rec);
/* Number of the first record that is still to be handed in to a machine at this position; nr: none. */
size_t journal_find(const struct journal *j, struct position at);
/* The other one, which is empty, becomes a copy. False: no memory, and it is empty. */
bool journal_copy(struct journal *copy, const struct journal *j);
/* Forget the records from number n on. */
void journal_truncate(struct journal *j, size_t n);

#endif
