// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab kit` and the process of an algorithm say to each other.
 *
 * Concept: who asks holds the model: workload, truth, figures. xenlab-kit holds the algorithm, and what it was asked.
 * Each call of a function in its table is a question, and its answer; both are a head and bytes, which the kit's two
 * sides (tools/kit/, tools/kit/child/) lay out as it says below.
 *
 *     xenlab kit                                       xenlab-kit
 *       KIT_BEGIN    the kit's name          ------->
 *                                            <-------  KIT_HERE     before any of the object's code runs, and after
 *                                            <-------  KIT_LOADED   the algorithm's name; or KIT_NOT_LOADED, why
 *       KIT_CALL     hook, bytes             ------->
 *                                            <-------  KIT_ANSWER   bytes
 *
 * Invariants: after KIT_LOADED nothing comes from there that was not asked for; what comes has `call` of the question.
 * None of it is believed: lengths are looked at in kit_ask(), what they mean in the kit.
 */
#ifndef TOOLS_KIT_WIRE_H
#define TOOLS_KIT_WIRE_H

#include "xenlab/kit.h"

enum kit_kind {
    KIT_BEGIN = 1,
    KIT_HERE,
    KIT_LOADED,
    KIT_NOT_LOADED,
    KIT_CALL,
    KIT_ANSWER,
    KIT_FORBIDDEN, /* it has made a system call that it may not make, number `value`, and is gone */
};

#define KIT_BYTES 65000 /* of one message, at most */

struct kit_message {
    uint32_t kind; /* enum kit_kind */
    uint32_t hook; /* KIT_CALL: 0 is init, others are the kit's */
    uint64_t call;
    int64_t value; /* KIT_LOADED: hooks that the table has, a bit each */
    uint32_t len, filler;
    char bytes[KIT_BYTES];
};
#define KIT_HEAD offsetof(struct kit_message, bytes)

/* Of all kits. Bytes: the seed, a uint64_t; the answer has none. */
#define KIT_INIT 0

/* memctl. Bytes of MEMCTL_TICK: this, then nr struct vm_mem, then nr uint64_t targets; its answer: nr targets. */
#define MEMCTL_MAX_VMS 64
enum memctl_hook { MEMCTL_TICK = 1 };
struct memctl_question {
    struct mem_host host;
    uint64_t nr;
};

/*
 * precopy. Bytes of PRECOPY_STOP: a struct precopy_now; its answer: a byte, 0 or 1. Of PRECOPY_ORDER: the same, then
 * two bitmaps, todo and again, of PRECOPY_MAP_WORDS(pages) words each; its answer: n, a uint64_t, then n of them, the
 * gfns. If n is more than PRECOPY_AT_ONCE, n alone.
 */
#define PRECOPY_MAX_PAGES        131072
#define PRECOPY_MAP_WORDS(pages) (((pages) + 63) / 64)
#define PRECOPY_AT_ONCE          1024
enum precopy_hook { PRECOPY_STOP = 1, PRECOPY_ORDER };

/* balance. Bytes of BALANCE_TICK: this, then nr struct vcpu_load, then nr bytes, pCPUs; its answer: nr bytes. */
#define BALANCE_MAX_VCPUS 256
enum balance_hook { BALANCE_TICK = 1 };
struct balance_question {
    struct balance_host host;
    uint64_t nr;
};

/*
 * reclaim. Bytes of RECLAIM_SCAN: a struct reclaim_now, n, a uint64_t, n gfns, and n bytes, their bits; its answer has
 * none. Of RECLAIM_VICTIM: a struct reclaim_now; its answer: a gfn.
 */
#define RECLAIM_AT_ONCE 4096
enum reclaim_hook { RECLAIM_SCAN = 1, RECLAIM_VICTIM };

/* ring. Bytes of both: this; the answer of RING_NOTIFY is a byte, 0 or 1, of RING_NEXT_EVENT a uint32_t. */
enum ring_hook { RING_NOTIFY = 1, RING_NEXT_EVENT };
struct ring_question {
    struct ring_now now;
    uint32_t old, prod, event, cons; /* notify() has the first three, next_event() the last */
};

/* tlbflush. Bytes of TLBFLUSH_WHO: this, then nr stamps of 4 bytes; its answer: a uint64_t. */
#define TLBFLUSH_MAX_PCPUS 64
enum tlbflush_hook { TLBFLUSH_WHO = 1 };
struct tlbflush_question {
    struct tlb_now now;
    uint64_t nr;
};

/*
 * shadow. Bytes of SHADOW_ON_WRITE: a struct shadow_now, a struct shadow_page, and the offset, a uint32_t; its answer:
 * an int32_t. Of SHADOW_EVICT: a struct shadow_now, n, a uint64_t, and n struct shadow_page; its answer: an mfn.
 */
#define SHADOW_MAX_FRAMES 1024
enum shadow_hook { SHADOW_ON_WRITE = 1, SHADOW_EVICT };

/*
 * evtchn. A call stands still in front of each access. Bytes of all hooks: a struct evtchn_question: a call begins, or,
 * if it does not, the access of that thread's call has been made, and `value` is what the word held. The answer is its
 * next access, or EVTCHN_RETURN, and what the function has returned.
 */
#define EVTCHN_MAX_PORTS 64 /* with port 0, which is none */
enum evtchn_hook { EVTCHN_SET_PENDING = 1, EVTCHN_UNMASK, EVTCHN_MASK, EVTCHN_TAKE };
struct evtchn_question {
    uint32_t thread, begins; /* thread: 0 or 1 */
    uint64_t value;
    struct evtchn_port port;
};
enum evtchn_touch { EVTCHN_LOAD, EVTCHN_STORE, EVTCHN_OR, EVTCHN_AND, EVTCHN_CAS, EVTCHN_RETURN };
struct evtchn_access {
    uint32_t op, word;
    uint64_t value, old;
};

#endif
