// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shadow's workloads.
 *
 *      frames 64                    of the pool; default 64
 *      oos 3                        tables of a guest that may be out of sync; default 3
 *      fault 1us                    what a fault costs; default 1us
 *      emulate 2us                  and beside it to emulate the store; default 2us
 *      compare 2ns                  to compare one entry; default 2ns
 *      make 1us                     to make a shadow; default 1us
 *      drop 500ns                   to drop one; default 500ns
 *      time 20ms                    that guests run; default 20ms
 *      guest shell processes=4 tables=6 set=200 touch=2us switch=1ms : work for 5ms, fork every 1ms for 3ms
 *
 * A process has up to `tables` leaf tables, and accesses `set` pages, one every `touch`; every `switch` the next
 * process has its turn. Steps: `work`, accesses alone; `fork`, `exec`, `protect`: beside them one of these when the
 * step begins, and then every so often; `rest`: nothing. A program is over and over again from its beginning; its last
 * step need not say for how long.
 */
#include "tools/kit/shadow.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

static bool ns(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return workload_time(r, what, text, "ns", 1, SHADOW_MAX_TIME, t);
}

static bool least(const struct workload *r, const char *what, const char *text, uint64_t least, uint64_t *t)
{
    return ns(r, what, text, t) && (*t >= least || workload_wrong(r, "%s: \"%.40s\" is less than %lluns", what, text,
                                                                  (unsigned long long)least));
}

static bool number(const struct workload *r, const char *what, const char *text, uint64_t from, uint64_t to,
                   uint64_t *n)
{
    return workload_number(r, what, text, to, n) &&
           (*n >= from || workload_wrong(r, "%s: at least %llu", what, (unsigned long long)from));
}

/* --- guests --- */

static bool program_step(const struct workload *r, void *of, char *text, bool last)
{
    static const char *const words[] = { "rest", "work", "fork", "exec", "protect" };
    struct shadow_guest *g = of;
    struct shadow_step *s = &g->step[g->nr_steps++];
    const char *word[6] = { NULL };
    char *save = NULL, *at = strtok_r(text, " \t", &save);
    unsigned int n = 0, how = 0, i = 1;

    for (; at && n < ARRAY_SIZE(word); at = strtok_r(NULL, " \t", &save))
        word[n++] = at;
    while (how < ARRAY_SIZE(words) && (!n || strcmp(word[0], words[how])))
        how++;
    if (at || how == ARRAY_SIZE(words) || !(n % 2))
        return workload_wrong(r, "a step is \"fork every 1ms for 5ms\", or with exec or protect; \"work for 5ms\"; "
                                 "or \"rest for 5ms\"");
    s->how = how;
    if (how >= SHADOW_FORK) {
        if (n == 1 || strcmp(word[1], "every"))
            return workload_wrong(r, "%s: every how many ns? \"%s every 1ms\"", word[0], word[0]);
        if (!least(r, "every", word[2], 1000, &s->every))
            return false;
        i = 3;
    }
    if (n == i)
        return last || workload_wrong(r, "only a program's last step may be without a time");
    if (n != i + 2 || strcmp(word[i], "for"))
        return workload_wrong(r, "%s: \"%s\" is not for how long: \"for 5ms\"", word[0], word[i]);
    return least(r, "for", word[i + 1], 1000, &s->ns);
}

static bool guest_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct shadow_guest *g = of;

    if (value && !strcmp(key, "processes"))
        return number(r, key, value, 1, SHADOW_MAX_PROCESSES, &g->processes);
    if (value && !strcmp(key, "tables"))
        return number(r, key, value, 1, SHADOW_MAX_SLOTS, &g->slots);
    if (value && !strcmp(key, "set"))
        return number(r, key, value, 1, SHADOW_MAX_SLOTS * SHADOW_ENTRIES, &g->set);
    if (value && !strcmp(key, "touch"))
        return least(r, key, value, 100, &g->touch);
    if (value && !strcmp(key, "switch"))
        return least(r, key, value, 1000, &g->swap);
    return workload_wrong(r, "a guest has processes=, tables=, set=, touch= and switch=, not \"%.40s\"", key);
}

static bool guest_read(const struct workload *r, char *text)
{
    struct shadow *m = r->model;
    struct shadow_guest *g = &m->guest[m->nr_guests];
    char *program;

    if (m->nr_guests == SHADOW_MAX_GUESTS)
        return workload_wrong(r, "more than %d guests", SHADOW_MAX_GUESTS);
    *g = (struct shadow_guest){ .processes = 2, .slots = 4, .set = 100, .touch = 2000 };
    program =
        workload_head(r, text, "a guest", "guest NAME processes=2 tables=4 set=100 touch=2us switch=1ms : PROGRAM",
                      g->name, guest_key, g);
    if (!program)
        return false;
    for (unsigned int i = 0; i < m->nr_guests; i++)
        if (!strcmp(m->guest[i].name, g->name))
            return workload_wrong(r, "there is a guest %s already", g->name);
    if (g->set > g->slots * SHADOW_ENTRIES)
        return workload_wrong(r, "%s: a set of %llu pages, and %llu tables have %llu entries", g->name,
                              (unsigned long long)g->set, (unsigned long long)g->slots,
                              (unsigned long long)g->slots * SHADOW_ENTRIES);
    if (!workload_steps(r, program, SHADOW_MAX_STEPS, program_step, g))
        return false;
    for (unsigned int i = 0; i < g->nr_steps; i++)
        if (g->step[i].how == SHADOW_FORK && g->processes == 1)
            return workload_wrong(r, "%s: fork needs processes= of at least 2: the oldest one ends for it", g->name);
    m->nr_guests++;
    m->nr_tables += g->processes * (1 + g->slots);
    return true;
}

/* --- the file --- */

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct shadow *m = r->model;
    const struct {
        const char *word;
        uint64_t *ns;
    } times[] = {
        { "fault", &m->fault }, { "emulate", &m->emulate }, { "compare", &m->compare },
        { "make", &m->make },   { "drop", &m->drop },       { "time", &m->time },
    };

    if (!strcmp(word, "guest"))
        return guest_read(r, value);
    if (!strcmp(word, "frames"))
        return number(r, word, value, 2, SHADOW_MAX_FRAMES, &m->frames);
    if (!strcmp(word, "oos"))
        return number(r, word, value, 1, SHADOW_MAX_OUT, &m->most_out);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        if (!strcmp(word, times[i].word))
            return ns(r, word, value, times[i].ns);
    return workload_wrong(r,
                          "\"%.40s\" is no statement: frames, oos, fault, emulate, compare, make, drop, time, guest "
                          "and expect are",
                          word);
}

static bool counted(struct shadow *m, const struct shadow_event *e, void *data)
{
    (void)e, (void)data;
    return m->events++ < SHADOW_MAX_EVENTS;
}

/* What no line alone can be wrong in. */
static bool whole(const struct workload *r)
{
    struct shadow *m = r->model;

    if (!m->nr_guests)
        return workload_wrong(r, "there is no guest: guest NAME processes=2 tables=4 set=100 : work");
    if (m->nr_tables > SHADOW_MAX_TABLES)
        return workload_wrong(r, "%llu tables in all: at most %d are possible", (unsigned long long)m->nr_tables,
                              SHADOW_MAX_TABLES);
    if (m->frames <= m->nr_guests)
        return workload_wrong(r, "%llu frames for %u guests: each has a root, and one leaf more is needed",
                              (unsigned long long)m->frames, m->nr_guests);
    m->table = calloc(m->nr_tables, sizeof(*m->table));
    if (!m->table)
        return workload_wrong(r, "not enough memory");
    for (unsigned int i = 0; i < m->nr_guests; i++) {
        struct shadow_guest *g = &m->guest[i];

        g->free[0] = calloc(g->processes * g->slots + 1, sizeof(uint64_t));
        g->free[1] = calloc(g->processes + 1, sizeof(uint64_t));
        if (!g->free[0] || !g->free[1])
            return workload_wrong(r, "not enough memory");
    }
    shadow_begin(m);
    return shadow_guests(m, counted, NULL) ||
           workload_wrong(r, "more than %llu stores and accesses in all: time has to be less",
                          (unsigned long long)SHADOW_MAX_EVENTS);
}

void *shadow_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct shadow *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->frames = 64, m->most_out = 3;
    m->fault = m->make = MICROSECS(1), m->emulate = MICROSECS(2), m->compare = 2, m->drop = 500;
    m->time = MILLISECS(20);
    m->seed = seed;
    if (workload_statements(&r, f, statement) && whole(&r))
        return m;
    shadow_free(m);
    return NULL;
}

void shadow_free(void *model)
{
    struct shadow *m = model;

    for (unsigned int i = 0; i < m->nr_guests; i++) {
        free(m->guest[i].free[0]);
        free(m->guest[i].free[1]);
    }
    free(m->table);
    free(m);
}
