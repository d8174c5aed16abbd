// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 10: a ring, both ends, in all interleavings, with and without store buffers, and with a peer that lies.
 *
 * Concept: a frontend and a backend, two threads that call the functions which are asked about, and sleep when these
 * say that they may. Each value is known, so what arrives wrongly is seen at once; a ring that stands still with work
 * to do has lost somebody's wake-up. Where the peer lies there is one thread, and no interleaving.
 */
#include "labs/code/ring.h"
#include "labs/kit/interleave.h"
#include "labs/kit/kit.h"

#include <stdio.h>
#include <string.h>

#define MOST     6 /* requests of a scenario */
#define ANSWER   0x10000u
#define SAID     160
#define LIAR_ASK 3

struct ring_page *const ring_page = (struct ring_page *)il_memory;

enum { REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT };
enum { FRONT, BACK };

struct scene {
    uint32_t at, value[MOST];           /* the first index, the requests */
    unsigned int nr, batch, back_batch; /* how many; how many are pushed together */
    struct ring_end end[2];
    bool event[2]; /* sent, and not looked at */
    uint64_t notifications, first;
    unsigned int ran, answered, received;
    /* of a peer that lies, or of room: */
    unsigned int asked;
    uint32_t lie[LIAR_ASK];
    char said[SAID];
};

/* --- calls, in which all is a number --- */

struct call {
    struct ring_end *end;
    uint32_t value;
};

static uint64_t call_put(void *c) { return ring_put(((struct call *)c)->end, ((struct call *)c)->value); }
static uint64_t call_push(void *c) { return ring_show(((struct call *)c)->end); }
static uint64_t call_sleep(void *c) { return ring_doze(((struct call *)c)->end); }

/* What came of it in the upper half, what was taken below. */
static uint64_t call_take(void *c)
{
    uint32_t value = 0;
    const enum ring_take r = ring_take(((struct call *)c)->end, &value);

    return (uint64_t)(r & 0xff) << 32 | (r == RING_TAKEN ? value : 0);
}

static bool put(struct scene *s, unsigned int end, uint32_t value)
{
    return il_call(call_put, &(struct call){ &s->end[end], value });
}
static uint64_t take(struct scene *s, unsigned int end)
{
    return il_call(call_take, &(struct call){ &s->end[end], 0 });
}

static void push(struct scene *s, unsigned int end)
{
    if (il_call(call_push, &(struct call){ &s->end[end], 0 })) {
        s->notifications++;
        s->event[!end] = true;
    }
}

/* Until there may be something. */
static void rest(struct scene *s, unsigned int end)
{
    if (!il_call(call_sleep, &(struct call){ &s->end[end], 0 }))
        return;
    il_wait();
    s->event[end] = false;
}

/* --- the threads --- */

static void taken(const struct scene *s, unsigned int end, uint64_t got, unsigned int i)
{
    const uint32_t wanted = i < s->nr ? s->value[i] + (end == FRONT ? ANSWER : 0) : 0;

    if (got >> 32 != RING_TAKEN)
        il_wrong("the %s says that the ring is broken, and it is not", end == FRONT ? "frontend" : "backend");
    if (i >= s->nr)
        il_wrong("the %s takes more than was ever put", end == FRONT ? "frontend" : "backend");
    if ((uint32_t)got != wanted)
        il_wrong("%s %u is %#x, and arrives as %#x", end == FRONT ? "response" : "request", i, wanted,
                 (unsigned int)got);
}

static void front(void *data)
{
    struct scene *s = data;
    unsigned int sent = 0, pushed = 0;
    uint64_t got;

    while (s->received < s->nr) {
        bool room = true;

        while (sent < s->nr && sent - pushed < s->batch && (room = put(s, FRONT, s->value[sent])))
            sent++;
        if (sent != pushed)
            push(s, FRONT);
        pushed = sent;
        got = take(s, FRONT);
        if (got >> 32 != RING_NONE)
            taken(s, FRONT, got, s->received++);
        else if (sent == s->nr || !room)
            rest(s, FRONT);
    }
}

static void back(void *data)
{
    struct scene *s = data;
    unsigned int pushed = 0;
    uint64_t got;

    while (s->answered < s->nr) {
        got = take(s, BACK);
        if (got >> 32 != RING_NONE) {
            taken(s, BACK, got, s->answered);
            if (!put(s, BACK, s->value[s->answered] + ANSWER))
                il_wrong("the backend has taken request %u, and may not put the response", s->answered);
            s->answered++;
            if (s->answered - pushed < s->back_batch && s->answered < s->nr)
                continue;
        }
        if (s->answered != pushed)
            push(s, BACK);
        pushed = s->answered;
        if (got >> 32 == RING_NONE)
            rest(s, BACK);
    }
}

static void reset(void *data)
{
    struct scene *s = data;

    s->event[FRONT] = s->event[BACK] = false;
    s->notifications = 0;
    s->answered = s->received = 0;
    s->said[0] = '\0';
    for (unsigned int i = 0; i < 2; i++)
        s->end[i] = (struct ring_end){ .front = i == FRONT, .put = s->at, .pushed = s->at, .taken = s->at };
    il_poke(REQ_PROD, s->at);
    il_poke(RSP_PROD, s->at);
    il_poke(REQ_EVENT, (uint32_t)(s->at + 1));
    il_poke(RSP_EVENT, (uint32_t)(s->at + 1));
}

static bool blocked(void *data, unsigned int thread) { return !((struct scene *)data)->event[thread]; }

static void ended(void *data)
{
    struct scene *s = data;

    if (s->received < s->nr)
        il_wrong("all sleep, after %u of %u requests and %u responses", s->answered, s->nr, s->received);
    if (!s->ran++)
        s->first = s->notifications;
}

/* --- one end, and a page that says what it likes --- */

static void note(struct scene *s, const char *text)
{
    const size_t n = strlen(s->said);

    snprintf(s->said + n, sizeof(s->said) - n, "%s%s", n ? ", " : "", text);
}

/* Requests are put until there is no room; some are answered, and it is tried again. Then the backend's turn. */
static void room(void *data)
{
    struct scene *s = data;
    char text[40];
    unsigned int n = 0;

    while (n < 2 * RING_SLOTS && put(s, FRONT, n))
        n++;
    snprintf(text, sizeof(text), "%u requests have room", n);
    note(s, text);
    push(s, FRONT);
    for (n = 0; n < s->asked && take(s, BACK) >> 32 == RING_TAKEN; n++)
        ;
    for (n = 0; n < 2 * RING_SLOTS && put(s, BACK, n); n++)
        ;
    snprintf(text, sizeof(text), "%u responses", n);
    note(s, text);
    push(s, BACK);
    for (n = 0; n < s->asked && take(s, FRONT) >> 32 == RING_TAKEN; n++)
        ;
    for (n = 0; n < 2 * RING_SLOTS && put(s, FRONT, n); n++)
        ;
    snprintf(text, sizeof(text), "then %u requests", n);
    note(s, text);
}

static void lied_to(struct scene *s, unsigned int end)
{
    static const char *const words[] = { "nothing there", "taken", "broken" };

    note(s, end == FRONT ? "the frontend finds" : "the backend finds");
    for (unsigned int i = 0; i < LIAR_ASK; i++) {
        uint64_t got;

        il_poke(end == FRONT ? RSP_PROD : REQ_PROD, s->lie[i]);
        got = take(s, end) >> 32;
        note(s, got < 3 ? words[got] : "what is that?");
    }
}

/* The backend is lied to. */
static void hostile_front(void *data)
{
    struct scene *s = data;

    for (unsigned int i = 0; i < s->asked; i++) { /* some are taken already, of which one is answered */
        il_poke(REQ_PROD, (uint32_t)(s->at + s->asked));
        take(s, BACK);
    }
    if (s->asked) {
        put(s, BACK, 1);
        push(s, BACK);
    }
    lied_to(s, BACK);
}

static void hostile_back(void *data)
{
    struct scene *s = data;

    for (unsigned int i = 0; i < s->asked; i++)
        put(s, FRONT, i);
    if (s->asked)
        push(s, FRONT);
    put(s, FRONT, s->asked); /* that nobody can have answered */
    lied_to(s, FRONT);
}

static void nothing(void *data) { (void)data; }

static const char *word_name(unsigned int i)
{
    static const char *const names[] = { "req_prod", "req_event", "rsp_prod", "rsp_event",
                                         "slot[0]",  "slot[1]",   "slot[2]",  "slot[3]" };

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "a word behind the page";
}

/* --- scenarios --- */

static uint64_t notifications;
static const char *const thread_names[] = { "the frontend", "the backend" };

static void explore(struct scene *s, const char *property, const struct il_scenario *scenario)
{
    char wrong[200];

    il_explore(scenario, wrong, sizeof(wrong));
    kit_fact(property, "%s", wrong[0] ? wrong : s->said[0] ? s->said : "all arrives, and nobody sleeps for ever");
    notifications += s->first;
}

static void step_alone(struct scene *s, const char *property, void (*thread)(void *data))
{
    const struct il_scenario scenario = { .data = s,
                                          .reset = reset,
                                          .nr_threads = 1,
                                          .thread = { thread },
                                          .blocked = blocked,
                                          .ended = nothing,
                                          .word = word_name,
                                          .thread_names = thread_names };

    explore(s, property, &scenario);
}

static void step_room(struct scene *s)
{
    s->asked = 1 + (unsigned int)kit_random(RING_SLOTS);
    kit_step("the frontend puts until there is no room, %u of them are answered, it puts again (first index %#x)",
             s->asked, s->at);
    step_alone(s, "room", room);
}

static void step_hostile(struct scene *s, const char *property)
{
    static const uint32_t lies[] = {
        0,          1,          2,          RING_SLOTS - 1, RING_SLOTS, RING_SLOTS + 1, RING_SLOTS + 2, 2 * RING_SLOTS,
        0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff
    };
    const bool front = kit_random(2);
    uint32_t last;

    s->asked = (unsigned int)kit_random(4);
    last = front ? s->asked : RING_SLOTS + !!s->asked; /* as far as it can have come */
    for (unsigned int i = 0; i < LIAR_ASK; i++)
        s->lie[i] = s->at + (kit_random(2) ? last - 1 + (uint32_t)kit_random(4)
                                           : lies[kit_random(sizeof(lies) / sizeof(lies[0]))]);
    kit_step("the first index is %#x; %s %u requests%s, and looks while %s is %#x, %#x, %#x", s->at,
             front ? "the frontend has shown" : "the backend has taken (and answered one of)", s->asked,
             front ? " and put one more" : "", front ? "rsp_prod" : "req_prod", s->lie[0], s->lie[1], s->lie[2]);
    step_alone(s, property, front ? hostile_back : hostile_front);
}

static const struct kind {
    const char *property;
    unsigned int nr, batch, back_batch, most;
    bool wraps, buffers;
} kinds[] = {
    { "transfer", 3, 1, 1, 0, false, false }, { "transfer", 4, 4, 2, 0, false, false },
    { "wrap", 6, 2, 1, 0, true, false },      { "wrap", 6, 4, 3, 0, true, false },
    { "sleeper", 2, 1, 1, 2, false, false },  { "sleeper", 3, 2, 1, 2, true, false },
    { "buffers", 2, 1, 1, 2, false, true },   { "buffers", 2, 2, 1, 2, true, true },
};

static void step_both(struct scene *s, const struct kind *k)
{
    const struct il_scenario scenario = { .data = s,
                                          .reset = reset,
                                          .nr_threads = 2,
                                          .thread = { front, back },
                                          .blocked = blocked,
                                          .ended = ended,
                                          .word = word_name,
                                          .thread_names = thread_names,
                                          .buffers = k->buffers,
                                          .most = k->most };

    s->nr = k->nr, s->batch = k->batch, s->back_batch = k->back_batch;
    s->at = k->wraps ? 0u - 1 - (uint32_t)kit_random(4) : (uint32_t)kit_random(100);
    kit_step("%u requests, pushed %u at a time, answered %u at a time; the first index is %#x%s", k->nr, k->batch,
             k->back_batch, s->at, k->buffers ? "; stores wait in buffers" : "");
    explore(s, k->property, &scenario);
}

#define ALONE 14
#define STEPS (ALONE + sizeof(kinds) / sizeof(kinds[0]))

static void *begin(void)
{
    static struct scene s;

    return &s;
}

static void step(void *data, unsigned int number)
{
    struct scene *s = data;

    memset(s, 0, sizeof(*s));
    for (unsigned int i = 0; i < MOST; i++)
        s->value[i] = 1 + i * 0x100 + (uint32_t)kit_random(0x100);
    s->at = 16 + (uint32_t)kit_random(1000);
    if (number >= ALONE)
        step_both(s, &kinds[(number - ALONE) % (sizeof(kinds) / sizeof(kinds[0]))]);
    else if (number < 3)
        step_room(s);
    else if (number < ALONE - 3)
        step_hostile(s, "hostile");
    else
        s->at = 0u - (uint32_t)kit_random(4), step_hostile(s, "wrap");
}

static void end(void *data)
{
    (void)data;
    kit_count("notifications", notifications);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
