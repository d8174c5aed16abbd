// SPDX-License-Identifier: GPL-2.0-or-later
/* Running, comparing, shrinking: see check.h. */
#include "tools/lab/check.h"

#include "tools/lab/ahead.h"
#include "tools/lab/form.h"
#include "tools/lab/fresh.h"
#include "tools/lab/pair.h"
#include "tools/lab/shrink.h"
#include "tools/lab/stored.h"

#include <stdlib.h>
#include <string.h>

#define SHRINK_TRIES 150

/* --- shrinking --- */

static char *keep_text(const uint32_t *step, size_t nr)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    for (size_t i = 0; f && i < nr; i++)
        fprintf(f, "%s%u", i ? "," : "", step[i]);
    if (!f || fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

struct trial {
    struct check *c;
    uint64_t seed;
    const char *name; /* of the property that is to break */
    bool failed;      /* something could not be run */
};

static bool still_fails(void *data, const uint32_t *step, size_t nr)
{
    struct trial *t = data;
    char *keep = keep_text(step, nr);
    struct divergence d;
    struct pair p;
    bool fails = false;

    if (!keep || t->failed || pair_run(t->c, t->seed, keep, &p))
        t->failed = true;
    else
        fails = pair_differs(t->c, &p, &d) && !strcmp(d.name, t->name);
    if (keep && !t->failed)
        pair_free(&p);
    free(keep);
    return fails;
}

/* The texts of the steps up to there; those that were not shrunk, as each run would take its time, without `before`. */
static char *input_text(const struct pair *p, const struct divergence *d, size_t before)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f && before)
        fprintf(f, "after %zu other steps:\n", before);
    for (size_t i = 0; f && i <= d->at && i < p->golden.facts.nr; i++)
        if (p->golden.facts.fact[i].kind == FACT_STEP && (!before || !before--))
            fprintf(f, "%s\n", p->golden.facts.fact[i].text);
    if (!f || fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

/* What is said of it. */
static int finding_say(struct check *c, const struct pair *p, const struct divergence *d, struct finding *f)
{
    if (d->expected)
        snprintf(f->expected, sizeof(f->expected), "%s", d->expected);
    else
        snprintf(f->expected, sizeof(f->expected), "at most %llu", (unsigned long long)d->limit);
    if (!d->got)
        snprintf(f->got, sizeof(f->got), "%s", p->got.ended[0] ? p->got.ended : "it ended without a word");
    else if (d->forged)
        snprintf(f->got, sizeof(f->got), "a report of other steps than it was given");
    else if (!d->expected)
        snprintf(f->got, sizeof(f->got), "%llu", (unsigned long long)d->number);
    else
        snprintf(f->got, sizeof(f->got), "%s", d->got);
    f->input = input_text(p, d, p->got.limited && f->steps && f->shrunk == f->steps ? f->steps - 1 : 0);
    return f->input ? 0 : check_fail(c, "not enough memory");
}

static int finding_make(struct check *c, uint64_t seed, const struct pair *p, const struct divergence *d,
                        struct finding *f)
{
    struct trial t = { c, seed, d->name, false };
    char *keep = NULL;
    struct pair less;
    struct divergence at;
    struct stored s;
    int rc = -1;

    f->verdict = VERDICT_FAIL;
    f->seed = seed;
    if (c->brief)
        return 0;
    f->steps = 0;
    f->step = calloc(facts_steps(&p->golden.facts) + 1, sizeof(*f->step));
    for (size_t i = 0; f->step && i <= d->at && i < p->golden.facts.nr; i++)
        if (p->golden.facts.fact[i].kind == FACT_STEP)
            f->step[f->steps++] = (uint32_t)p->golden.facts.fact[i].number;
    if (p->got.limited || (stored_is(c, &s) && !s.apart))
        f->shrunk = f->steps;
    else
        f->shrunk = f->step ? shrink(f->step, f->steps, SHRINK_TRIES, still_fails, &t) : 0;
    if (f->step)
        keep = keep_text(f->step, f->shrunk);
    if (p->got.limited) {
        rc = finding_say(c, p, d, f);
    } else if (keep && !t.failed && !pair_run(c, seed, f->steps ? keep : NULL, &less)) {
        if (pair_differs(c, &less, &at)) {
            rc = finding_say(c, &less, &at, f);
        } else { /* it fails only now and then */
            f->shrunk = f->steps;
            rc = finding_say(c, p, d, f);
        }
        pair_free(&less);
    } else if (!t.failed && !c->err[0]) {
        check_fail(c, "not enough memory");
    }
    free(keep);
    return rc;
}

/* --- all of it --- */

/* Properties of which the golden run says something in front of line `at`. */
static void reached(struct check *c, const struct facts *golden, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const struct lab_property *p = lab_property(c->lab, golden->fact[i].name);
        struct finding *f = p ? &c->finding[p - c->lab->property] : NULL;

        if (f && f->verdict == VERDICT_UNREACHED)
            f->verdict = VERDICT_PASS;
    }
}

/* What the golden run says is of properties that lab.conf has, and what it counts has a budget: else nobody looks. */
static int golden_known(struct check *c, const struct facts *golden)
{
    for (size_t i = 0; i < golden->nr; i++) {
        const struct fact *f = &golden->fact[i];
        const struct lab_property *p = f->name[0] ? lab_property(c->lab, f->name) : NULL;

        if (f->name[0] && (!p || (f->kind == FACT_COUNT) != (p->factor > 0)))
            return check_fail(c, "the golden run speaks of \"%s\", which lab.conf has %s: an error of the lab's",
                              f->name,
                              !p              ? "not"
                              : p->factor > 0 ? "a budget for, and it is not counted"
                                              : "no budget for");
    }
    return 0;
}

/* Both reports without their first lines: a view. */
static void behind(struct pair *p, size_t lines)
{
    p->golden.facts.fact += lines;
    p->golden.facts.nr -= lines;
    lines = lines < p->got.facts.nr ? lines : p->got.facts.nr;
    p->got.facts.fact += lines;
    p->got.facts.nr -= lines;
}

/* The line of the step that line `at` is about. */
static size_t step_line(const struct facts *f, size_t at)
{
    while (at && f->fact[at].kind != FACT_STEP)
        at--;
    return at;
}

/* What a report says goes wrong first; of steps that stand alone, of each. */
static int compare(struct check *c, uint64_t seed, struct pair rest)
{
    const bool apart = form_find(c->lab->form)->apart;
    const struct lab_property *p;
    struct divergence d;
    int rc = 0;

    while (!rc && rest.golden.facts.nr) {
        if (!pair_differs(c, &rest, &d)) {
            reached(c, &rest.golden.facts, rest.golden.facts.nr);
            break;
        }
        reached(c, &rest.golden.facts, d.at);
        if (apart) {
            behind(&rest, step_line(&rest.golden.facts, d.at));
            pair_differs(c, &rest, &d);
        }
        p = lab_property(c->lab, d.name);
        if (!p)
            rc = check_fail(c, "the golden run says nothing: an error of the lab's");
        else if (c->finding[p - c->lab->property].verdict != VERDICT_FAIL)
            rc = finding_make(c, seed, &rest, &d, &c->finding[p - c->lab->property]);
        do
            behind(&rest, 1);
        while (rest.golden.facts.nr && rest.golden.facts.fact[0].kind != FACT_STEP);
        if (!apart || !rest.got.facts.nr) /* what follows from it is not looked at; or it ended there */
            break;
    }
    return rc;
}

/* Both reports of a seed; or what is not there, without which nothing is asked. */
static void seed_work(struct ahead *a)
{
    const struct form *form = form_find(a->c.lab->form);

    a->missing = form->lacks ? form->lacks(&a->c, a->seed) : NULL;
    a->rc = a->missing ? 0 : pair_run(&a->c, a->seed, a->c.keep, &a->pair);
}

/* What they say. False: no other seed is looked at. */
static bool seed_take(struct check *c, struct ahead *a)
{
    if (a->missing) {
        struct finding *f = &c->finding[a->seed - 1];

        f->verdict = VERDICT_SKIPPED;
        free(f->input);
        f->input = a->missing;
        return true;
    }
    c->sandboxed = a->c.sandboxed;
    c->limited = a->pair.got.limited;
    if (a->rc)
        memcpy(c->err, a->c.err, sizeof(c->err));
    return !a->rc && !golden_known(c, &a->pair.golden.facts) && !compare(c, a->seed, a->pair) && !c->limited;
}

/* Of one that is taken as missing nothing is left. */
static void seed_free(struct ahead *a, bool taken)
{
    pair_free(&a->pair);
    if (!taken)
        free(a->missing);
}

int check_more(struct check *c)
{
    static const struct ahead_work work = { seed_work, seed_take, seed_free };

    c->err[0] = '\0';
    if (!c->limited)
        ahead_run(c, &work);
    return c->err[0] ? -1 : 0;
}

int check_run(struct check *c)
{
    int rc = 0;

    c->limited = false;
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        c->finding[i] = (struct finding){ .verdict = VERDICT_UNREACHED };
    if (!c->again || !fresh_is(c)) {
        fresh_forget(c);
        rc = form_find(c->lab->form)->build(c);
        if (!rc && c->again)
            fresh_note(c);
    }
    return rc ?: check_more(c);
}

static void careful_work(struct ahead *a)
{
    form_find(a->c.lab->form)->careful(&a->c, a->seed, a->c.keep, a->c.careful);
}

static bool careful_take(struct check *c, struct ahead *a)
{
    memcpy(c->careful, a->c.careful, sizeof(c->careful));
    return !c->careful[0];
}

static void careful_free(struct ahead *a, bool taken) { (void)a, (void)taken; }

void check_careful(struct check *c)
{
    static const struct ahead_work work = { careful_work, careful_take, careful_free };
    const struct form *form = form_find(c->lab->form);
    const struct finding *f = NULL;
    char *keep = NULL;

    c->careful[0] = '\0';
    for (unsigned int i = 0; i < c->lab->nr_properties && !f; i++)
        f = c->finding[i].verdict == VERDICT_FAIL ? &c->finding[i] : NULL;
    if (!form->careful || c->limited)
        return;
    if (f && f->shrunk && f->step && !(keep = keep_text(f->step, f->shrunk)))
        return;
    if (f)
        form->careful(c, f->seed, keep, c->careful);
    else if (form->careful_build(c))
        ahead_run(c, &work);
    free(keep);
}

bool check_passed(const struct check *c)
{
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        if (c->finding[i].verdict != VERDICT_PASS && c->finding[i].verdict != VERDICT_SKIPPED)
            return false;
    return true;
}

const struct finding *check_skipped(const struct check *c)
{
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        if (c->finding[i].verdict == VERDICT_SKIPPED)
            return &c->finding[i];
    return NULL;
}

void check_free(struct check *c)
{
    for (unsigned int i = 0; i < LAB_PROPERTIES_MAX; i++) {
        free(c->finding[i].step);
        free(c->finding[i].input);
    }
    free(c->compiler);
    c->compiler = NULL;
}
