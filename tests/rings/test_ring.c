// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rings/ring.c against everything that a front end can do in between.
 *
 * Concept: ring.c itself is compiled here, with a RING_PAUSE() that stops it before each access to the shared page. A
 * state is the page, a model of the front end, the back end's variables, and how far it is within a call: there, what
 * the page was at each access so far, so that the call can be made again up to there. From each state either side takes
 * one access; all states that can be reached are visited. In none of them is a wrong answer seen, and in each in which
 * neither side can go on everything has been answered: no wake-up was lost.
 *
 * When could this pass wrongly? If the exploration missed orders: so it must find what is wrong with back ends that
 * leave something out, each of which is a small function below.
 *
 * Budget: the model of a front end, and the exploration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void pause_here(void);
#define RING_PAUSE() pause_here()
#include "rings/ring.c"

#include <stdlib.h>

#define NR_SLOTS  4u
#define SLOT_SIZE 1000u /* four fit a page */
#define FIRST     UINT32_C(0xfffffffd)
#define ACCESSES  4 /* of one call, at most */
#define STATES    (1u << 22)

struct page {
    uint32_t word[4];
    uint32_t slot[NR_SLOTS]; /* the first word of each */
};

enum front_pc { IDLE, PUSHED, CONSUME, CHECK_EVENT, CHECK_AGAIN };
enum back_pc { ASLEEP, PULL, PUSH, FLUSH, SLEEP };

struct state {
    struct page page;
    uint32_t prod, shown, rsp_cons;       /* the front end's */
    uint32_t req_cons, rsp_prod, publish; /* ours */
    uint8_t front, back, front_told, back_told;
    uint8_t nr_log;
    struct page log[ACCESSES]; /* the call so far */
};

static struct {
    struct state *states;
    uint32_t *table; /* number of a state plus one, by its hash */
    unsigned int nr, dead, wrong;
    uint32_t total;      /* requests */
    unsigned int budget; /* pulled before anything is answered: 1, or as many as there are */
    unsigned int least;  /* taken at once: more than 1, if it needs several */
    bool (*flush)(struct ring *r);
    bool (*sleep)(struct ring *r);
} all;

/* --- the page, and its pauses --- */

static uint8_t memory[PAGE_SIZE] __attribute__((aligned(4096)));
static struct state *now;
static unsigned int at_access;
static bool pausing;
static jmp_buf stop;

static void page_load(const struct page *p)
{
    memcpy(memory, p->word, sizeof(p->word));
    for (unsigned int i = 0; i < NR_SLOTS; i++)
        memcpy(memory + SLOTS + i * SLOT_SIZE, &p->slot[i], sizeof(p->slot[i]));
}

static void page_save(struct page *p)
{
    memcpy(p->word, memory, sizeof(p->word));
    for (unsigned int i = 0; i < NR_SLOTS; i++)
        memcpy(&p->slot[i], memory + SLOTS + i * SLOT_SIZE, sizeof(p->slot[i]));
}

static void pause_here(void)
{
    if (!pausing)
        return;
    if (at_access > now->nr_log)
        longjmp(stop, 1);
    page_load(at_access < now->nr_log ? &now->log[at_access] : &now->page);
    at_access++;
}

/* --- the states --- */

static uint32_t hash(const struct state *s)
{
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof(*s) / 4; i++)
        h = (h ^ ((const uint32_t *)(const void *)s)[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    return (uint32_t)(h >> 20);
}

static void reached(const struct state *s)
{
    uint32_t i = hash(s) & (2 * STATES - 1);

    for (; all.table[i]; i = (i + 1) & (2 * STATES - 1))
        if (!memcmp(&all.states[all.table[i] - 1], s, sizeof(*s)))
            return;
    assert_in_range(all.nr, 0, STATES - 1);
    all.states[all.nr] = *s;
    all.table[i] = ++all.nr;
}

/* --- the front end --- */

static uint32_t *word(struct state *s, unsigned int at) { return &s->page.word[at / 4]; }

#define REQUEST(index) (2 * (index))
#define ANSWER(index)  (2 * (index) + 1)

static bool front_idle(const struct state *from)
{
    const bool may_ask = from->prod != FIRST + all.total && from->prod - from->rsp_cons < NR_SLOTS;
    struct state s;

    if (may_ask) {
        s = *from;
        s.page.slot[s.prod % NR_SLOTS] = REQUEST(s.prod);
        s.prod++;
        reached(&s);
    }
    if (from->prod != from->shown) {
        s = *from;
        *word(&s, REQ_PROD) = s.prod;
        s.front = PUSHED;
        reached(&s);
    }
    if (from->front_told) {
        s = *from;
        s.front_told = false;
        s.front = CONSUME;
        reached(&s);
    }
    return may_ask || from->prod != from->shown || from->front_told;
}

/* One access of the front end. False: it has nothing to do. */
static bool front_step(const struct state *from)
{
    struct state s = *from;

    switch (s.front) {
    case IDLE: return front_idle(from);
    case PUSHED:
        s.back_told |= s.prod - *word(&s, REQ_EVENT) < s.prod - s.shown;
        s.shown = s.prod;
        s.front = IDLE;
        break;
    case CONSUME:
        if (*word(&s, RSP_PROD) == s.rsp_cons) {
            s.front = CHECK_EVENT;
            break;
        }
        all.wrong += s.page.slot[s.rsp_cons % NR_SLOTS] != ANSWER(s.rsp_cons);
        s.rsp_cons++;
        break;
    case CHECK_EVENT:
        *word(&s, RSP_EVENT) = s.rsp_cons + 1;
        s.front = CHECK_AGAIN;
        break;
    default: s.front = *word(&s, RSP_PROD) == s.rsp_cons ? IDLE : CONSUME; break;
    }
    reached(&s);
    return true;
}

/* --- the back end --- */

/* The call that the back end is in, whole. */
static void back_call(struct ring *r, struct state *s)
{
    uint32_t req = 0;

    switch (s->back) {
    case PULL: {
        uint32_t n;
        int rc;

        if (all.least > 1 && (r->req_cons - FIRST) % all.least == 0 && ring_waiting(r, &n) && n < all.least) {
            s->back = r->req_cons != r->rsp_prod ? PUSH : FLUSH;
            break;
        }
        rc = ring_pull(r, &req, sizeof(req));
        all.wrong += rc < 0 || (rc && req != REQUEST(r->req_cons - 1));
        s->back = rc && r->req_cons - r->rsp_prod < all.budget ? PULL : r->req_cons != r->rsp_prod ? PUSH : FLUSH;
        break;
    }
    case PUSH:
        req = ANSWER(r->rsp_prod);
        ring_push(r, &req, sizeof(req));
        s->back = r->req_cons != r->rsp_prod ? PUSH : FLUSH;
        break;
    case FLUSH:
        s->front_told |= all.flush(r);
        s->back = SLEEP;
        break;
    default: s->back = all.sleep(r) ? ASLEEP : PULL; break;
    }
}

/* One access of the back end. False: it sleeps. */
static bool back_step(const struct state *from)
{
    struct state s = *from;
    struct ring r = { .page = { memory }, .slot_size = SLOT_SIZE, .nr = NR_SLOTS, .req_cons = s.req_cons };

    r.rsp_prod = s.rsp_prod;
    r.published = s.publish;
    if (s.back == ASLEEP) {
        if (!s.back_told)
            return false;
        s.back_told = false;
        s.back = PULL;
        reached(&s);
        return true;
    }
    now = &s;
    at_access = 0;
    pausing = true;
    if (setjmp(stop)) { /* one access more has been made */
        s.log[s.nr_log++] = from->page;
        assert_in_range(s.nr_log, 1, ACCESSES);
        page_save(&s.page);
    } else {
        const unsigned int before = s.nr_log;

        back_call(&r, &s);
        if (at_access > before)
            page_save(&s.page);
        memset(s.log, 0, sizeof(s.log));
        s.nr_log = 0;
        s.req_cons = r.req_cons;
        s.rsp_prod = r.rsp_prod;
        s.publish = r.published;
    }
    pausing = false;
    reached(&s);
    return true;
}

/* --- exploration --- */

static void explore(bool (*flush)(struct ring *), bool (*sleep)(struct ring *), uint32_t total, unsigned int budget)
{
    struct state s;

    memset(&s, 0, sizeof(s));
    all.states = calloc(STATES, sizeof(*all.states));
    all.table = calloc(2 * STATES, sizeof(*all.table));
    assert_true(all.states && all.table);
    all.nr = all.dead = all.wrong = 0;
    all.total = total;
    all.budget = budget;
    all.flush = flush;
    all.sleep = sleep;
    s.page.word[REQ_PROD / 4] = s.page.word[RSP_PROD / 4] = FIRST;
    s.page.word[REQ_EVENT / 4] = s.page.word[RSP_EVENT / 4] = FIRST + 1;
    s.prod = s.shown = s.rsp_cons = s.req_cons = s.rsp_prod = s.publish = FIRST;
    reached(&s);
    for (unsigned int i = 0; i < all.nr; i++) {
        const bool front = front_step(&all.states[i]), back = back_step(&all.states[i]);

        all.dead += !front && !back && all.states[i].rsp_cons != FIRST + total;
    }
    free(all.states);
    free(all.table);
}

static void no_wakeup_is_lost(void **state)
{
    explore(ring_flush, ring_sleep, 9, 1);
    printf("an answer at a time: %u states\n", all.nr);
    assert_in_range(all.nr, 10000, STATES);
    assert_int_equal(all.dead, 0);
    assert_int_equal(all.wrong, 0);
    explore(ring_flush, ring_sleep, 9, NR_SLOTS);
    printf("all at once: %u states\n", all.nr);
    assert_in_range(all.nr, 10000, STATES);
    assert_int_equal(all.dead, 0);
    assert_int_equal(all.wrong, 0);
}

static bool sleeps_for_two(struct ring *r) { return ring_sleep_until(r, 2); }

/* A back end that needs two at a time, as a frame of two pages needs two buffers. */
static void no_wakeup_is_lost_by_pairs(void **state)
{
    all.least = 2;
    explore(ring_flush, sleeps_for_two, 8, NR_SLOTS);
    all.least = 1;
    printf("two at a time: %u states\n", all.nr);
    assert_in_range(all.nr, 1000, STATES);
    assert_int_equal(all.dead, 0);
    assert_int_equal(all.wrong, 0);
}

static bool sleeps_at_once(struct ring *r)
{
    poke(r, REQ_EVENT, r->req_cons + 1);
    return true;
}

static bool looks_too_early(struct ring *r)
{
    uint32_t n;
    const bool nothing = ring_waiting(r, &n) && !n;

    poke(r, REQ_EVENT, r->req_cons + 1);
    return nothing;
}

static bool asks_for_one_too_late(struct ring *r)
{
    uint32_t n;

    poke(r, REQ_EVENT, r->req_cons + 2);
    return ring_waiting(r, &n) && !n;
}

static bool sleeps_for_one_more(struct ring *r) { return ring_sleep_until(r, 3); }

static bool asks_before_it_shows(struct ring *r)
{
    const uint32_t event = peek(r, RSP_EVENT), before = r->published;

    poke(r, RSP_PROD, r->rsp_prod);
    r->published = r->rsp_prod;
    return r->rsp_prod - event < r->rsp_prod - before;
}

static void what_is_left_out_is_found(void **state)
{
    explore(ring_flush, sleeps_at_once, 6, NR_SLOTS);
    assert_int_not_equal(all.dead, 0);
    explore(ring_flush, looks_too_early, 6, NR_SLOTS);
    assert_int_not_equal(all.dead, 0);
    explore(ring_flush, asks_for_one_too_late, 6, NR_SLOTS);
    assert_int_not_equal(all.dead, 0);
    explore(asks_before_it_shows, ring_sleep, 6, NR_SLOTS);
    assert_int_not_equal(all.dead, 0);
    all.least = 2;
    explore(ring_flush, sleeps_for_one_more, 6, NR_SLOTS);
    assert_int_not_equal(all.dead, 0);
    all.least = 1;
}

/* --- what cannot be, and pages --- */

static struct ring fresh(uint8_t *const *page, unsigned int nr_pages, size_t slot_size)
{
    struct ring r;

    for (unsigned int i = 0; i < nr_pages; i++)
        memset(page[i], 0, PAGE_SIZE);
    assert_true(ring_init(&r, page, nr_pages, slot_size));
    return r;
}

/* Every index around those that can be: none is followed that cannot. */
static void impossible_indices(void **state)
{
    uint8_t *page[] = { memory };
    uint32_t req;

    for (uint32_t taken = 0; taken <= NR_SLOTS; taken++) {
        for (uint32_t answered = 0; answered <= taken; answered++) {
            for (uint32_t prod = -10u; prod != 20; prod++) {
                struct ring r = fresh(page, 1, SLOT_SIZE);
                const bool right = prod - taken <= NR_SLOTS - (taken - answered);

                poke(&r, REQ_PROD, taken);
                while (r.req_cons != taken)
                    assert_int_equal(ring_pull(&r, &req, sizeof(req)), 1);
                while (r.rsp_prod != answered)
                    ring_push(&r, &req, sizeof(req));
                poke(&r, REQ_PROD, prod);
                assert_int_equal(ring_pull(&r, &req, sizeof(req)), !right ? -EPROTO : prod != taken);
                if (!right)
                    assert_false(ring_sleep(&r));
            }
        }
    }
}

/* Slots that lie across pages, of pages that are anywhere: the front end sees one array. */
static void slots_across_pages(void **state)
{
    static uint8_t pages[4][PAGE_SIZE];
    uint8_t *page[] = { pages[2], pages[0], pages[3], pages[1] };
    struct ring r = fresh(page, 4, 112);
    uint8_t req[112], want[112];

    assert_int_equal(r.nr, 128);
    for (uint32_t i = 0; i < 2 * r.nr; i++) {
        const size_t at = 64 + (i % r.nr) * sizeof(req);

        for (size_t j = 0; j < sizeof(req); j++)
            page[(at + j) / PAGE_SIZE][(at + j) % PAGE_SIZE] = want[j] = (uint8_t)(i * 7 + j);
        poke(&r, REQ_PROD, i + 1);
        assert_int_equal(ring_pull(&r, req, sizeof(req)), 1);
        assert_memory_equal(req, want, sizeof(req));
        memset(want, ~(int)i, 16);
        ring_push(&r, want, 16);
        for (size_t j = 0; j < sizeof(req); j++)
            assert_int_equal(page[(at + j) / PAGE_SIZE][(at + j) % PAGE_SIZE], want[j]);
    }
    assert_false(ring_init(&r, page, 1, PAGE_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wakeup_is_lost),         cmocka_unit_test(no_wakeup_is_lost_by_pairs),
        cmocka_unit_test(what_is_left_out_is_found), cmocka_unit_test(impossible_indices),
        cmocka_unit_test(slots_across_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
