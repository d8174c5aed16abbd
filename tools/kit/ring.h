// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring: what its files share. A ring's two sides, which go step by step, and what is decided between the steps.
 *
 * Concept: a step is one access to what both sides share; between two of them the other side may do anything. What the
 * sides do follows from what they have read, so a notification that is missing leaves a sleeper who sleeps.
 *
 *      producer   IDLE -> WRITE  prod = what was put     consumer   LOOK   seen = prod: TAKE, or there is none: EVENT
 *                         READ   event; notify()?                   TAKE   cons++, up to seen: then LOOK again
 *                         SEND   pending = true                     EVENT  event = next_event()
 *                                                                   CHECK  seen = prod: TAKE, or there is none: SLEEP
 *                                                                   SLEEP  if pending: pending = false, LOOK. Else:
 *                                                                   ASLEEP until pending
 *
 * Memory is sequentially consistent: the macros have their barriers. ring_step.c makes such steps, and knows no time.
 * It is used twice: ring_time.c lets each step take its time, in rings whose requests come by a workload; ring_orders.c
 * takes a few requests, and tries all orders in which the sides' steps can come.
 *
 * A sleeper is lost if it sleeps, there is something in the ring, and no notification is on its way: in all orders, at
 * the end; in time, for `patience`, after which somebody wakes it (as timers of network stacks do), so that the run
 * goes on.
 *
 * What it leaves out: the other half of the ring, through which a consumer asks for more (it takes no time here), and a
 * producer learns of free slots; notifications that others on the same port send; caches.
 *
 * Invariants: prod - cons is at most the number of slots. What comes by `put`, and when, depends on workload, seed and
 * time alone.
 */
#ifndef TOOLS_KIT_RING_H
#define TOOLS_KIT_RING_H

#include "tools/kit/workload.h"

#define RING_MAX       16     /* rings, and as many statements `orders` */
#define RING_MAX_STEPS 100000 /* a recorded run has one for each push */
#define RING_MAX_SLOTS 4096
#define RING_MAX_ASKED 4096
#define RING_BACKLOG   4096  /* what comes while so many wait for a slot, is dropped: it is somebody's queue */
#define RING_PLACES    16384 /* a power of 2, and enough for all of them */
#define RING_MAX_TIME  (UINT64_C(10000000000)) /* ns */
#define RING_MAX_PUTS  4                       /* of `orders` */
#define RING_COLUMNS   240
#define RING_NEVER     UINT64_MAX

enum ring_producer { RING_P_IDLE, RING_P_WRITE, RING_P_READ, RING_P_SEND };
enum ring_consumer {
    RING_C_LOOK,
    RING_C_TAKE,
    RING_C_EVENT,
    RING_C_CHECK,
    RING_C_SLEEP,
    RING_C_ASLEEP,
};

struct ring_model;

/* What both share, and where each is. */
struct ring {
    uint32_t prod, event;
    bool pending;
    enum ring_producer producer;
    uint32_t old, put; /* the producer's: prod before it wrote, and what it has put into slots */
    enum ring_consumer consumer;
    uint32_t cons, seen; /* the consumer's: seen of prod */
    bool woken;          /* by a notification, and it has not looked since */
    struct ring_now told;
    uint64_t promised; /* told as `due` to the producer, */
    uint64_t asked;    /* and to the consumer */
    uint64_t notifications, spurious, wakes, taken;
};

/* --- ring_step.c --- */

void ring_begin(struct ring *r, uint32_t index);
/* The next step of a side's; each must be possible: the producer is not idle, the consumer is not asleep for good. */
void ring_producer_step(struct ring_model *m, struct ring *r);
void ring_consumer_step(struct ring_model *m, struct ring *r);
bool ring_asleep(const struct ring *r); /* and nothing is pending */

/* --- in time --- */

struct ring_program_step {
    bool serves; /* the consumer asks for `nr` at a time, one comes `every`; else `nr` come `every`, */
    bool once;   /* or once: then the next step begins; */
    bool asks;   /* and then it is the consumer that asks for them, to come by later steps */
    struct workload_range nr, every; /* every: ns */
    uint64_t ns;                     /* 0: for ever */
};

/* What has happened in a stretch of time, for charts. */
struct ring_column {
    uint32_t most, notifications, lost; /* most: in the ring */
};

struct ring_timed {
    char name[KIT_NAME];
    uint64_t slots, index;
    struct ring_program_step *step;
    unsigned int nr_steps, step_room;
    uint64_t cost, latency, wake, take; /* ns: the model's, or its own */

    struct ring r;
    unsigned int now;                  /* which step it is in, */
    uint64_t ends_at;                  /* until when */
    uint64_t comes_at;                 /* when something comes by `put`; */
    uint64_t made_at;                  /* when the producer has made one of those that it is asked for, */
    struct workload_range pace;        /* one in such a time, */
    uint64_t owed;                     /* and how many it has not made yet; */
    uint64_t awaited;                  /* of those that come by `put` */
    uint64_t producer_at, consumer_at; /* their next steps */
    uint64_t notified_at;              /* when what is pending arrives */
    uint64_t lost_at;                  /* when the consumer is lost; RING_NEVER: nothing lies there for a sleeper */
    uint64_t came, made, steps;        /* how often: numbers of random numbers */
    /* What has come and is not taken, by its index: when, and whether it was asked for. */
    uint64_t born[RING_PLACES];
    bool was_asked[RING_PLACES];
    uint32_t backlog;                           /* waits for a slot: from r.put on */
    bool over;                                  /* its program is: nothing comes any more but what was asked for */
    uint64_t dropped, lost, spent, worst, last; /* last: when one was taken */
    uint64_t *lasted;                           /* latencies of all that were taken: r.taken of them, */
    size_t room;                                /* and room for so many */
    struct ring_column column[RING_COLUMNS];
    uint64_t levelled; /* until when it has `most` */
};

/* --- all orders --- */

struct ring_orders {
    char name[KIT_NAME];
    uint64_t slots, index, put[RING_MAX_PUTS];
    unsigned int nr_puts;
    bool asked; /* the consumer knows how many are to come */

    uint64_t nr, lost, first_lost; /* orders; in how many a sleeper was; `life` of the first of those */
    uint64_t notifications, spurious, taken;
};

struct ring_model {
    struct ring_timed ring[RING_MAX];
    struct ring_orders orders[RING_MAX];
    unsigned int nr_rings, nr_orders;
    uint64_t cost, latency, wake, take, patience, time, seed; /* ns */
    struct workload_range step;

    uint64_t now, width; /* of a column, ns */
    /* Who decides. Either says false where nothing can be asked any more, and sets *answer otherwise. */
    bool (*notify)(void *of, const struct ring *r, uint32_t *answer);
    bool (*next_event)(void *of, const struct ring *r, uint32_t *answer);
    void (*passed)(void *of, uint64_t now); /* time has */
    void *of;
    uint64_t asked; /* how often */
    bool gone;
};

/* To the end of the workload, and until all is taken that has come. */
void ring_time_run(struct ring_model *m);
void ring_orders_run(struct ring_model *m, unsigned int i);

/* ring_load.c */
void *ring_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void ring_free(void *model);
/* ring_svg.c */
void ring_svg(const void *model, FILE *f, const char *title);

#endif
