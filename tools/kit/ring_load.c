// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring's workloads.
 *
 *      cost 1us                     what a notification takes of the producer's time; default 1us
 *      latency 5us                  from then until a sleeper is woken; default 5us
 *      wake 2us                     what waking up takes of the consumer's; default 2us
 *      take 500ns                   what the consumer takes for one request; default 500ns
 *      step 20ns..80ns              one access to what is shared; default 50ns
 *      patience 10ms                after which a sleeper is lost; default 10ms
 *      time 100ms                   in which requests come; default 100ms
 *      ring tx slots=32 index=4294967200 : put 1..4 every 20us..60us for 10ms, serve 16 every 3us for 5ms
 *      ring rx latency=3us take=1us : ask 5 after 2us, put 4 after 7us, put 1 after 12us
 *      orders two index=4294967295 asked=yes : put 1, put 2
 *
 * `put N every T`: N requests come at once, and after T the next. `serve N every T`: the consumer keeps N asked for,
 * and the producer has one of them every T. `put N after T`: they come once, T after the step began, and it is over;
 * `ask N after T`: the consumer knows that so many more are to come by such puts. Recorded runs are such programs. A
 * program is over and over again from its beginning; its last step need not say for how long. A ring may have a cost,
 * a latency, a wake and a take of its own. `orders` has no time: each `put` is what the producer puts before it tells
 * of it.
 */
#include "tools/kit/ring.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

#define EVERY_LEAST 100 /* ns */

static bool ns(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return workload_time(r, what, text, "ns", 1, RING_MAX_TIME, t);
}

static bool every(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return ns(r, what, text, t) &&
           (*t >= EVERY_LEAST || workload_wrong(r, "%s: \"%.40s\" is less than %dns", what, text, EVERY_LEAST));
}

static bool requests(const struct workload *r, const char *what, const char *text, uint64_t *n)
{
    return workload_number(r, what, text, RING_MAX_ASKED, n) &&
           (*n || workload_wrong(r, "%s: at least 1 is wanted", what));
}

/* --- rings --- */

#define STEP "a step is \"put 1..4 every 20us..60us for 10ms\", \"put 3 after 7us\" or \"serve 16 every 3us for 10ms\""

/* NULL: there is no memory for it. */
static struct ring_program_step *step_new(struct ring_timed *t)
{
    if (t->nr_steps == t->step_room) {
        const unsigned int room = t->step_room ? 2 * t->step_room : 8;
        struct ring_program_step *more = reallocarray(t->step, room, sizeof(*more));

        if (!more)
            return NULL;
        t->step = more;
        t->step_room = room;
    }
    t->step[t->nr_steps] = (struct ring_program_step){ .ns = 0 };
    return &t->step[t->nr_steps++];
}

static bool program_step(const struct workload *r, void *of, char *text, bool last)
{
    struct ring_timed *t = of;
    struct ring_program_step *s = step_new(t);
    char *word[6] = { NULL }, *save = NULL, *at = strtok_r(text, " \t", &save);
    unsigned int n = 0;

    for (; at && n < ARRAY_SIZE(word); at = strtok_r(NULL, " \t", &save))
        word[n++] = at;
    if (!s)
        return workload_wrong(r, "not enough memory");
    s->once = n == 4 && !strcmp(word[2], "after");
    s->asks = s->once && !strcmp(word[0], "ask");
    s->serves = n && !s->once && !strcmp(word[0], "serve");
    if (at || (n != 4 && n != 6) || (strcmp(word[0], "put") && !s->asks && !s->serves) ||
        (strcmp(word[2], "every") && !s->once) || (n == 6 && strcmp(word[4], "for")))
        return workload_wrong(r, STEP);
    if (n == 4 && !last && !s->once)
        return workload_wrong(r, "only a program's last step may be without a time");
    return workload_range(r, word[0], word[1], &s->nr, requests) &&
           workload_range(r, word[2], word[3], &s->every, every) && (n == 4 || ns(r, "for", word[5], &s->ns));
}

/* What rings and orders have both. */
static bool shape(const struct workload *r, const char *key, const char *value, uint64_t *slots, uint64_t *index)
{
    if (!strcmp(key, "index"))
        return workload_number(r, key, value, UINT32_MAX, index);
    return workload_number(r, key, value, RING_MAX_SLOTS, slots) &&
           ((*slots && !(*slots & (*slots - 1))) || workload_wrong(r, "slots: %s is no power of 2", value));
}

static bool ring_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct ring_timed *t = of;
    const struct {
        const char *key;
        uint64_t *ns;
    } times[] = { { "cost", &t->cost }, { "latency", &t->latency }, { "wake", &t->wake }, { "take", &t->take } };

    for (size_t i = 0; value && i < ARRAY_SIZE(times); i++)
        if (!strcmp(key, times[i].key))
            return ns(r, key, value, times[i].ns);
    if (!value || (strcmp(key, "slots") && strcmp(key, "index")))
        return workload_wrong(r, "a ring has slots=, index=, cost=, latency=, wake= and take=, not \"%.40s\"", key);
    return shape(r, key, value, &t->slots, &t->index);
}

static bool named_already(const struct workload *r, const char *name)
{
    const struct ring_model *m = r->model;

    for (unsigned int i = 0; i < m->nr_rings; i++)
        if (!strcmp(m->ring[i].name, name))
            return true;
    for (unsigned int i = 0; i < m->nr_orders; i++)
        if (!strcmp(m->orders[i].name, name))
            return true;
    return false;
}

static bool ring_read(const struct workload *r, char *text)
{
    struct ring_model *m = r->model;
    struct ring_timed *t = &m->ring[m->nr_rings];
    char *program;

    if (m->nr_rings == RING_MAX)
        return workload_wrong(r, "more than %d rings", RING_MAX);
    t->slots = 32;
    program = workload_head(r, text, "a ring", "ring NAME slots=32 index=0 : PROGRAM", t->name, ring_key, t);
    if (!program)
        return false;
    if (named_already(r, t->name))
        return workload_wrong(r, "there is a ring %s already", t->name);
    m->nr_rings++;
    return workload_steps(r, program, RING_MAX_STEPS, program_step, t);
}

/* --- orders --- */

static bool put_read(const struct workload *r, void *of, char *text, bool last)
{
    struct ring_orders *o = of;
    const char *word, *time;
    char *value;

    (void)last;
    if (!workload_step(text, &word, &value, &time) || strcmp(word, "put") || time)
        return workload_wrong(r, "what is tried in all orders is \"put 1, put 2\": requests that are told of at once");
    return requests(r, word, value, &o->put[o->nr_puts++]);
}

static bool orders_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct ring_orders *o = of;

    if (!value || (strcmp(key, "slots") && strcmp(key, "index") && strcmp(key, "asked")))
        return workload_wrong(r, "orders have slots=, index= and asked=, not \"%.40s\"", key);
    if (strcmp(key, "asked"))
        return shape(r, key, value, &o->slots, &o->index);
    o->asked = !strcmp(value, "yes");
    return o->asked || !strcmp(value, "no") || workload_wrong(r, "asked: \"%.40s\" is neither yes nor no", value);
}

static bool orders_read(const struct workload *r, char *text)
{
    struct ring_model *m = r->model;
    struct ring_orders *o = &m->orders[m->nr_orders];
    uint64_t all = 0;
    char *program;

    if (m->nr_orders == RING_MAX)
        return workload_wrong(r, "more than %d orders", RING_MAX);
    o->slots = 32;
    program = workload_head(r, text, "orders", "orders NAME slots=32 index=0 asked=no : put 1, put 2", o->name,
                            orders_key, o);
    if (!program)
        return false;
    if (named_already(r, o->name))
        return workload_wrong(r, "there is a ring %s already", o->name);
    m->nr_orders++;
    if (!workload_steps(r, program, RING_MAX_PUTS, put_read, o))
        return false;
    for (unsigned int i = 0; i < o->nr_puts; i++)
        all += o->put[i];
    return all <= o->slots || workload_wrong(r, "%s: %llu requests, and the ring has %llu slots", o->name,
                                             (unsigned long long)all, (unsigned long long)o->slots);
}

/* --- the file --- */

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct ring_model *m = r->model;
    const struct {
        const char *word;
        uint64_t *ns;
    } times[] = {
        { "cost", &m->cost }, { "latency", &m->latency },   { "wake", &m->wake },
        { "take", &m->take }, { "patience", &m->patience }, { "time", &m->time },
    };

    if (!strcmp(word, "ring"))
        return ring_read(r, value);
    if (!strcmp(word, "orders"))
        return orders_read(r, value);
    if (!strcmp(word, "step"))
        return workload_range(r, word, value, &m->step, ns);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        if (!strcmp(word, times[i].word))
            return ns(r, word, value, times[i].ns);
    return workload_wrong(r,
                          "\"%.40s\" is no statement: cost, latency, wake, take, step, patience, time, ring, orders "
                          "and expect are",
                          word);
}

/* What a ring has not said of itself is the model's. */
static void times_default(struct ring_model *m)
{
    for (struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++) {
        t->cost = t->cost ?: m->cost;
        t->latency = t->latency ?: m->latency;
        t->wake = t->wake ?: m->wake;
        t->take = t->take ?: m->take;
    }
}

void *ring_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct ring_model *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->cost = 1000, m->latency = 5000, m->wake = 2000, m->take = 500;
    m->step = (struct workload_range){ 50, 50 };
    m->patience = MILLISECS(10);
    m->time = MILLISECS(100);
    m->seed = seed;
    if (workload_statements(&r, f, statement) &&
        (m->nr_rings || m->nr_orders ||
         workload_wrong(&r, "there is no ring: ring NAME slots=32 index=0 : put 1 every 20us"))) {
        times_default(m);
        m->width = m->time / (RING_COLUMNS - RING_COLUMNS / 8) + 1;
        return m;
    }
    ring_free(m);
    return NULL;
}

void ring_free(void *model)
{
    struct ring_model *m = model;

    for (unsigned int i = 0; i < RING_MAX; i++) {
        free(m->ring[i].step);
        free(m->ring[i].lasted);
    }
    free(m);
}
