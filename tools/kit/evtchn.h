// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evtchn: what its files share. A hypervisor that sends events, a guest that takes them, and words that both change.
 *
 * Concept: two threads, the hypervisor's (one send after another, under a lock) and that of the guest's vCPU. The
 * policy is what both do to the words; it stands still in front of each access, so that the model may let the other
 * thread go first. Ports run in time, where chance decides who goes on, or in all orders: with no thread preempted,
 * with one preemption, two... (Musuvathi, Qadeer, "Iterative Context Bounding", PLDI 2007).
 *
 *      hypervisor: | access | access | ... | set_pending() says so: upcall | next send
 *      guest:      sleep until upcall | upcall = 0 | take(): access | access | ... a port: handled, perhaps masked |
 *                  none: unmask() what is masked | upcall again? from the beginning; else sleep
 *
 * What an event is due to is reckoned from when calls and their accesses were, not from the words: a send is uncovered
 * by a delivery when it began behind the last access of the take() that delivered.
 *
 * What it leaves out: several vCPUs, senders without a lock, stores that are seen late, guests that forge words.
 */
#ifndef TOOLS_KIT_EVTCHN_H
#define TOOLS_KIT_EVTCHN_H

#include "tools/kit/workload.h"

#define EVTCHN_MAX_ORDERS 8
#define EVTCHN_MAX_SENDS  8
#define EVTCHN_MAX_TIME   (UINT64_C(1000000000)) /* ns */
#define EVTCHN_STEP       10                     /* ns, an access */
#define EVTCHN_MAX_CALL   10000                  /* accesses of one call */
#define EVTCHN_MAX_VAIN   100                    /* deliveries in vain, one after the other */
#define EVTCHN_MAX_TRIED  20000                  /* orders of one statement */
#define EVTCHN_MAX_SWITCH 3
#define EVTCHN_COLUMNS    200

struct evtchn_kit_port {
    char name[KIT_NAME];
    uint64_t priority, from, to, mask; /* ns between sends, 0: it is for orders alone; of 100 deliveries */
    uint64_t next, random;

    /* In steps, from 1; 0: never. */
    uint64_t oldest;             /* when the first send began that no delivery covers */
    uint64_t sent, sent_end;     /* when the last send began, and ended (UINT64_MAX: not yet) */
    uint64_t first_end;          /* when the first that is uncovered ended */
    uint64_t taken;              /* when the take() began that delivered it last */
    uint64_t oldest_at, sent_at; /* ns, when those sends began */
    uint64_t since;              /* deliveries of all ports, when it was sent */
    bool masked;
    uint64_t sends, delivered, lost, spurious, reordered, inversions, waited, worst;
};

struct evtchn_orders {
    char name[KIT_NAME];
    unsigned int port[EVTCHN_MAX_SENDS], nr;
};

struct evtchn_column {
    uint32_t sends, delivered;
};

struct evtchn_thread {
    bool in_call;
    unsigned int hook, port; /* of the call */
    uint64_t value, began, accesses, last;
    struct evtchn_access access; /* that comes next */
};

struct evtchn_model {
    uint64_t time, seed, switches;
    struct evtchn_kit_port port[EVTCHN_MAX_PORTS]; /* [0] is none */
    unsigned int nr_ports;
    struct evtchn_orders orders[EVTCHN_MAX_ORDERS];
    unsigned int nr_orders;

    struct kit_asked *a;
    uint64_t word[EVTCHN_WORDS], now, steps, random, deliveries, in_vain, upcalls, accesses, schedules;
    uint64_t first; /* ns: when the first that was lost had been sent, or was taken in vain; 0: nothing */
    struct evtchn_thread thread[2];
    bool upcall, awake;
    unsigned int queue[EVTCHN_MAX_PORTS * 2], nr_queue; /* sends to come */
    unsigned int current, nr_choices, deviation[EVTCHN_MAX_SWITCH], nr_deviations;
    bool in_orders;
    struct evtchn_column column[EVTCHN_COLUMNS + 1];
};

/* evtchn_step.c */
/* A new machine: words, ports, threads as at first; figures stay. */
void events_begin(struct evtchn_model *m);
/* One step of one of the threads; false: neither has one, or the policy is gone. */
bool events_step(struct evtchn_model *m);
void events_send(struct evtchn_model *m, unsigned int port);
/* Nothing goes on: what was sent, is not masked and was not delivered is lost. */
void events_quiet(struct evtchn_model *m);
/* evtchn_load.c */
void *events_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void events_free(void *model);
/* evtchn_svg.c */
void events_svg(const void *model, FILE *f, const char *title);

#endif
