// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations are judged: the idea is in tools/workbench/expect.h. */
#include "tools/workbench/expect.h"

#include <math.h>
#include <string.h>

#include "tools/workbench/load.h"

#define PARTS 100

static bool value_of(const struct wb_expect *e, struct wb *wb, const struct wb_figures *f, double *value,
                     char why[WB_EXPECT_WHY])
{
    char text[WB_TARGET_WHY];
    struct wb_domain *wd = NULL;
    int id = -1;

    if (*e->subject) {
        wd = wb_target_find(wb, e->subject, &id);
        if (!wd) {
            snprintf(why, WB_EXPECT_WHY, "%s:%u: expect %s: %s", e->file, e->line, e->metric->name,
                     wb_target_why(wb, e->subject, false, text));
            return false;
        }
    }
    *value = wb_metric_value(wb, e->metric, f, wd, id);
    return true;
}

/* One seed more. */
static void judge(struct wb_expect *e, double value, double other, uint64_t seed, s_time_t now)
{
    const double bound = *e->policy ? e->limit * other : e->limit, m = expect_margin(e->op, value, bound);

    if (e->judged && (isnan(e->margin) || m >= e->margin)) /* nothing is worse than no value */
        return;
    e->judged = true;
    e->value = value, e->bound = bound, e->margin = m;
    e->held = expect_holds(e->op, m);
    e->seed = seed;
    e->at = now;
}

static bool is_of(const struct wb_expect *e, uint64_t seed, uint64_t own)
{
    return e->seeds ? seed >= e->seed_from && seed <= e->seed_to : seed == own;
}

/* Its seed and time are those of the run that is reported. */
static bool is_own(const struct wb_expect *e, uint64_t own) { return !e->to && is_of(e, own, own); }

/* --- runs --- */

/* All lines of one window that one seed, and one policy, is wanted for. */
struct round {
    struct wb_expects *x;
    const struct wb_expect *like; /* the window */
    uint64_t seed, own;
    const char *policy; /* NULL: the one that is tried */
    double *value, *other;
};

static bool in_round(const struct round *r, const struct wb_expect *e)
{
    return e->from == r->like->from && e->to == r->like->to && is_of(e, r->seed, r->own) &&
           (!r->policy || !strcmp(r->policy, e->policy));
}

static void look_at_all(struct wb_probe *p, struct wb *wb)
{
    struct round *r = p->data;
    const struct wb_figures f = wb_figures(wb);

    for (unsigned int i = 0; i < r->x->nr && !p->why[0]; i++)
        if (in_round(r, &r->x->e[i]))
            value_of(&r->x->e[i], wb, &f, &(r->policy ? r->other : r->value)[i], p->why);
    p->to = wb->machine.clock.now;
}

static int round_run(struct round *r, wb_probe_fn *run, void *data, s_time_t *now)
{
    struct wb_probe p = {
        .of = r->like, .from = r->like->from, .to = r->like->to, .parts = 1, .look = look_at_all, .data = r
    };
    const int rc = run(data, r->policy, r->seed, &p);

    *now = p.to;
    return rc;
}

/* One window, one seed: other policies for each line that names one, once each, then the one that is tried. */
static int window_judge(struct round *r, wb_probe_fn *run, void *data)
{
    const bool own = !r->like->to && r->seed == r->own;
    unsigned int wanted = 0;
    s_time_t now;
    int rc = 0;

    for (unsigned int i = 0; i < r->x->nr && !rc; i++) {
        struct wb_expect *e = &r->x->e[i];

        r->policy = NULL;
        if (!in_round(r, e))
            continue;
        wanted++;
        for (unsigned int k = 0; k < i && *e->policy; k++)
            if (in_round(r, &r->x->e[k]) && !strcmp(r->x->e[k].policy, e->policy))
                goto known;
        r->policy = *e->policy ? e->policy : NULL;
        if (r->policy)
            rc = round_run(r, run, data, &now);
    known:;
    }
    r->policy = NULL;
    if (!rc && wanted && !own)
        rc = round_run(r, run, data, &now);
    for (unsigned int i = 0; i < r->x->nr && !rc && wanted; i++)
        if (in_round(r, &r->x->e[i]) && own)
            r->x->e[i].other = r->other[i];
        else if (in_round(r, &r->x->e[i]))
            judge(&r->x->e[i], r->value[i], r->other[i], r->seed, now);
    return rc;
}

/* The least seed from r->seed on that a line of this window is about. False: there is none. */
static bool seed_next(struct round *r)
{
    uint64_t least = UINT64_MAX;
    bool found = false;

    for (unsigned int i = 0; i < r->x->nr; i++) {
        const struct wb_expect *e = &r->x->e[i];
        const uint64_t from = e->seeds ? e->seed_from : r->own, to = e->seeds ? e->seed_to : r->own;

        if (e->from != r->like->from || e->to != r->like->to || to < r->seed)
            continue;
        found = true;
        least = (from > r->seed ? from : r->seed) < least ? (from > r->seed ? from : r->seed) : least;
    }
    r->seed = least;
    return found;
}

int wb_expects_judge(struct wb_expects *x, uint64_t seed, wb_probe_fn *run, void *data)
{
    double value[WB_EXPECT_MAX], other[WB_EXPECT_MAX];
    int rc = 0;

    for (unsigned int i = 0; i < x->nr && !rc; i++) {
        const struct wb_expect *like = &x->e[i];
        struct round r = { .x = x, .like = like, .own = seed, .value = value, .other = other };
        bool first = true;

        for (unsigned int k = 0; k < i; k++)
            first &= x->e[k].from != like->from || x->e[k].to != like->to;
        for (bool more = first && seed_next(&r); more && !rc; more = ++r.seed && seed_next(&r))
            rc = window_judge(&r, run, data);
    }
    return rc;
}

bool wb_expects_own(struct wb_expects *x, struct wb *wb, const struct wb_figures *f, uint64_t seed,
                    char why[WB_EXPECT_WHY])
{
    for (unsigned int i = 0; i < x->nr; i++) {
        struct wb_expect *e = &x->e[i];
        double value = 0;

        if (!is_own(e, seed))
            continue;
        if (!value_of(e, wb, f, &value, why))
            return false;
        judge(e, value, e->other, seed, wb->machine.clock.now);
    }
    return true;
}

/* --- when --- */

static void look_at_one(struct wb_probe *p, struct wb *wb)
{
    struct wb_expect *e = p->data;
    const struct wb_figures f = wb_figures(wb);
    double value = 0;

    if (value_of(e, wb, &f, &value, p->why) && expect_holds(e->op, expect_margin(e->op, value, e->bound)))
        e->at = -1;
    else if (e->at < 0)
        e->at = wb->machine.clock.now;
}

int wb_expects_when(struct wb_expects *x, wb_probe_fn *run, void *data)
{
    int rc = 0;

    for (unsigned int i = 0; i < x->nr && !rc; i++) {
        struct wb_expect *e = &x->e[i];
        struct wb_probe p = { .of = e, .from = e->from, .to = e->to, .parts = PARTS, .look = look_at_one, .data = e };

        if (e->held)
            continue;
        e->at = -1;
        rc = run(data, NULL, e->seed, &p);
    }
    return rc;
}

unsigned int wb_expects_lost(const struct wb_expects *x)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < x->nr; i++)
        nr += !x->e[i].held;
    return nr;
}
