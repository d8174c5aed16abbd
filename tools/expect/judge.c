// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations are judged: the idea is in tools/expect/expect.h. */
#include "tools/expect/expect.h"

#include <math.h>
#include <string.h>

#define LOOKS 100

/* What a run says of a line. */
struct said {
    double value;
    char parts[EXPECT_PARTS];
};

static bool value_of(const struct expect *e, const struct expect_source *s, void *run, struct said *said,
                     char why[EXPECT_WHY])
{
    char text[EXPECT_WHY - 120] = "";

    said->parts[0] = '\0';
    if (s->value(run, e, &said->value, said->parts, text))
        return true;
    snprintf(why, EXPECT_WHY, "%.60s:%u: expect %s: %s", e->file, e->line, e->metric.name, text);
    return false;
}

/* One seed more. */
static void judge(struct expect *e, const struct said *said, double other, uint64_t seed, int64_t now)
{
    const double bound = *e->policy ? e->limit * other : e->limit, m = expect_margin(e->op, said->value, bound);

    if (e->judged && (isnan(e->margin) || m >= e->margin)) /* nothing is worse than no value */
        return;
    e->judged = true;
    e->value = said->value, e->bound = bound, e->margin = m;
    memcpy(e->parts, said->parts, sizeof(e->parts));
    e->held = expect_holds(e->op, m);
    e->seed = seed;
    e->at = now;
}

static bool is_of(const struct expect *e, uint64_t seed, uint64_t own)
{
    return e->seeds ? seed >= e->seed_from && seed <= e->seed_to : seed == own;
}

/* Its seed and time are those of the run that is reported. */
static bool is_own(const struct expect *e, uint64_t own) { return !e->to && is_of(e, own, own); }

/* --- runs --- */

/* All lines of one window that one seed, and one policy, is wanted for. */
struct round {
    struct expects *x;
    const struct expect_source *source;
    const struct expect *like; /* the window */
    uint64_t seed, own;
    const char *policy; /* NULL: the one that is tried */
    struct said *tried, *other;
    int64_t now; /* when it was looked at */
};

static bool in_round(const struct round *r, const struct expect *e)
{
    return e->from == r->like->from && e->to == r->like->to && is_of(e, r->seed, r->own) &&
           (!r->policy || !strcmp(r->policy, e->policy));
}

static void look_at_all(struct expect_probe *p, void *run, int64_t now)
{
    struct round *r = p->data;

    for (unsigned int i = 0; i < r->x->nr && !p->why[0]; i++)
        if (in_round(r, &r->x->e[i]))
            value_of(&r->x->e[i], r->source, run, &(r->policy ? r->other : r->tried)[i], p->why);
    r->now = now;
}

static int round_run(struct round *r, const struct expect *of)
{
    struct expect_probe p = { .of = of,
                              .policy = r->policy,
                              .seed = r->seed,
                              .from = of->from,
                              .to = of->to,
                              .looks = 1,
                              .look = look_at_all,
                              .data = r };

    return r->source->run(r->source->data, &p);
}

/* One window, one seed: other policies for each line that names one, once each, then the one that is tried. */
static int window_judge(struct round *r)
{
    const bool own = !r->like->to && r->seed == r->own;
    const struct expect *wanted = NULL;
    int rc = 0;

    for (unsigned int i = 0; i < r->x->nr && !rc; i++) {
        const struct expect *e = &r->x->e[i];

        r->policy = NULL;
        if (!in_round(r, e))
            continue;
        wanted = wanted ?: e;
        for (unsigned int k = 0; k < i && *e->policy; k++)
            if (in_round(r, &r->x->e[k]) && !strcmp(r->x->e[k].policy, e->policy))
                goto known;
        r->policy = *e->policy ? e->policy : NULL;
        if (r->policy)
            rc = round_run(r, e);
    known:;
    }
    r->policy = NULL;
    if (!rc && wanted && !own)
        rc = round_run(r, wanted);
    for (unsigned int i = 0; i < r->x->nr && !rc && wanted; i++)
        if (in_round(r, &r->x->e[i]) && own)
            r->x->e[i].other = r->other[i].value;
        else if (in_round(r, &r->x->e[i]))
            judge(&r->x->e[i], &r->tried[i], r->other[i].value, r->seed, r->now);
    return rc;
}

/* The least seed from r->seed on that a line of this window is about. False: there is none. */
static bool seed_next(struct round *r)
{
    uint64_t least = UINT64_MAX;
    bool found = false;

    for (unsigned int i = 0; i < r->x->nr; i++) {
        const struct expect *e = &r->x->e[i];
        const uint64_t from = e->seeds ? e->seed_from : r->own, to = e->seeds ? e->seed_to : r->own;

        if (e->from != r->like->from || e->to != r->like->to || to < r->seed)
            continue;
        found = true;
        least = (from > r->seed ? from : r->seed) < least ? (from > r->seed ? from : r->seed) : least;
    }
    r->seed = least;
    return found;
}

int expects_judge(struct expects *x, const struct expect_source *source, uint64_t seed)
{
    struct said tried[EXPECT_MAX] = { 0 }, other[EXPECT_MAX] = { 0 };
    int rc = 0;

    for (unsigned int i = 0; i < x->nr && !rc; i++) {
        const struct expect *like = &x->e[i];
        struct round r = { .x = x, .source = source, .like = like, .own = seed, .tried = tried, .other = other };
        bool first = true;

        for (unsigned int k = 0; k < i; k++)
            first &= x->e[k].from != like->from || x->e[k].to != like->to;
        for (bool more = first && seed_next(&r); more && !rc; more = ++r.seed && seed_next(&r))
            rc = window_judge(&r);
    }
    return rc;
}

bool expects_own(struct expects *x, const struct expect_source *source, void *run, uint64_t seed, int64_t now,
                 char why[EXPECT_WHY])
{
    struct said said;

    for (unsigned int i = 0; i < x->nr; i++) {
        struct expect *e = &x->e[i];

        if (!is_own(e, seed))
            continue;
        if (!value_of(e, source, run, &said, why))
            return false;
        judge(e, &said, e->other, seed, now);
    }
    return true;
}

/* --- when --- */

struct when {
    struct expect *e;
    const struct expect_source *source;
};

static void look_at_one(struct expect_probe *p, void *run, int64_t now)
{
    const struct when *w = p->data;
    struct expect *e = w->e;
    struct said said;

    if (value_of(e, w->source, run, &said, p->why) && expect_holds(e->op, expect_margin(e->op, said.value, e->bound)))
        e->at = -1;
    else if (e->at < 0)
        e->at = now;
}

int expects_when(struct expects *x, const struct expect_source *source)
{
    int rc = 0;

    for (unsigned int i = 0; i < x->nr && !rc; i++) {
        struct expect *e = &x->e[i];
        struct when w = { e, source };
        struct expect_probe p = { .of = e,
                                  .seed = e->seed,
                                  .from = e->from,
                                  .to = e->to ?: e->at,
                                  .looks = LOOKS,
                                  .look = look_at_one,
                                  .data = &w };

        if (e->held)
            continue;
        e->at = -1;
        rc = source->run(source->data, &p);
        if (e->at < 0) /* it has held at last: it was another run, of a policy that is not always the same */
            e->at = p.to;
    }
    return rc;
}

unsigned int expects_lost(const struct expects *x)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < x->nr; i++)
        nr += !x->e[i].held;
    return nr;
}
