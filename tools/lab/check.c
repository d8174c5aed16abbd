// SPDX-License-Identifier: GPL-2.0-or-later
/* Running, comparing, shrinking: see check.h. */
#include "tools/lab/check.h"

#include "tools/lab/check_private.h"
#include "tools/lab/facts.h"
#include "tools/lab/run.h"
#include "tools/lab/shrink.h"

#include <stdlib.h>
#include <string.h>

#define SHRINK_TRIES 150

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

/* --- one run --- */

struct pair {
    struct facts golden, got;
    char ended[RUN_ERR_SIZE]; /* how the student's did, if not by itself */
    bool limited;             /* nor again: it takes too long */
};

static void pair_free(struct pair *p)
{
    facts_free(&p->golden);
    facts_free(&p->got);
}

static int report(struct check *c, const char *program, uint64_t seed, const char *keep, struct facts *f,
                  char ended[RUN_ERR_SIZE], bool *limited)
{
    char digits[24], why[RUN_ERR_SIZE] = "";
    const char *argv[] = { program, "--seed", digits, keep ? "--keep" : NULL, keep, NULL };
    char *libraries = check_path("%s/build/deps", c->root);
    const char *see[] = { program, libraries, NULL };
    const struct sandbox s = { .see = see,
                               .fd = -1,
                               .single = true,
                               .cpu = facts_limits.cpu,
                               .memory = UINT64_C(8) << 30,
                               .file = 256 << 20,
                               .bare = c->bare };
    struct run r;
    int rc = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (run_program(&s, argv, &facts_limits, &r, why))
        check_fail(c, "%s cannot be started: %s", program, why);
    else if (!facts_read(f, r.out, r.len))
        check_fail(c, "not enough memory");
    else
        rc = 0;
    *limited = r.limited;
    snprintf(ended, RUN_ERR_SIZE, "%s", f->wrong[0] ? f->wrong : r.ended);
    run_free(&r);
    free(libraries);
    return rc;
}

/* Both reports of a seed; of those steps alone that keep names, if it does. 0: pair_free() is wanted. */
static int pair_run(struct check *c, uint64_t seed, const char *keep, struct pair *p)
{
    char *golden = check_path("%s/labs/%s/golden", c->built, c->lab->name),
         *facts = check_path("%s/.build/facts", c->folder);
    char ended[RUN_ERR_SIZE] = "";
    int rc = -1;

    *p = (struct pair){ 0 };
    if (!golden || !facts)
        check_fail(c, "not enough memory");
    else
        rc = report(c, golden, seed, keep, &p->golden, ended, &p->limited)
                 ?: report(c, facts, seed, keep, &p->got, p->ended, &p->limited);
    if (!rc && !facts_ended(&p->golden))
        rc = check_fail(c, "the golden run, seed %llu: %s: an error of the lab's, not of yours",
                        (unsigned long long)seed, ended[0] ? ended : "it has no end");
    if (rc)
        pair_free(p);
    free(golden);
    free(facts);
    return rc;
}

/* One that says all that it should, and then does not end well, differs where it should have ended. */
static bool pair_differs(const struct check *c, const struct pair *p, struct divergence *d)
{
    struct facts got = p->got;

    if (p->ended[0] && facts_ended(&got))
        got.nr--;
    return facts_differ(&p->golden, &got, lab_factor, c->lab, d);
}

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

/* The texts of the steps up to there. */
static char *input_text(const struct pair *p, const struct divergence *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    for (size_t i = 0; f && i <= d->at && i < p->golden.nr; i++)
        if (p->golden.fact[i].kind == FACT_STEP)
            fprintf(f, "%s\n", p->golden.fact[i].text);
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
        snprintf(f->got, sizeof(f->got), "%s", p->ended[0] ? p->ended : "it ended without a word");
    else if (d->forged)
        snprintf(f->got, sizeof(f->got), "a report of other steps than it was given");
    else if (!d->expected)
        snprintf(f->got, sizeof(f->got), "%llu", (unsigned long long)d->number);
    else
        snprintf(f->got, sizeof(f->got), "%s", d->got);
    f->input = input_text(p, d);
    return f->input ? 0 : check_fail(c, "not enough memory");
}

static int finding_make(struct check *c, uint64_t seed, const struct pair *p, const struct divergence *d,
                        struct finding *f)
{
    struct trial t = { c, seed, d->name, false };
    char *keep = NULL;
    struct pair less;
    struct divergence at;
    int rc = -1;

    f->verdict = VERDICT_FAIL;
    f->seed = seed;
    f->steps = 0;
    f->step = calloc(facts_steps(&p->golden) + 1, sizeof(*f->step));
    for (size_t i = 0; f->step && i <= d->at && i < p->golden.nr; i++)
        if (p->golden.fact[i].kind == FACT_STEP)
            f->step[f->steps++] = (uint32_t)p->golden.fact[i].number;
    f->shrunk = p->limited ? f->steps : f->step ? shrink(f->step, f->steps, SHRINK_TRIES, still_fails, &t) : 0;
    if (f->step)
        keep = keep_text(f->step, f->shrunk);
    if (p->limited) {
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

/* *more: the next seed can be tried. */
static int seed_run(struct check *c, uint64_t seed, bool *more)
{
    const struct lab_property *p;
    struct divergence d;
    struct pair pair;
    int rc = pair_run(c, seed, NULL, &pair);

    if (!rc)
        rc = golden_known(c, &pair.golden);
    if (rc) {
        pair_free(&pair);
        return rc;
    }
    *more = !pair.limited;
    if (pair_differs(c, &pair, &d)) {
        reached(c, &pair.golden, d.at);
        p = lab_property(c->lab, d.name);
        if (!p)
            rc = check_fail(c, "the golden run says nothing: an error of the lab's");
        else if (c->finding[p - c->lab->property].verdict != VERDICT_FAIL)
            rc = finding_make(c, seed, &pair, &d, &c->finding[p - c->lab->property]);
    } else {
        reached(c, &pair.golden, pair.golden.nr);
    }
    pair_free(&pair);
    return rc;
}

int check_run(struct check *c)
{
    int rc = check_build(c);
    bool more = true;

    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        c->finding[i] = (struct finding){ .verdict = VERDICT_UNREACHED };
    for (uint64_t seed = c->seed_from; !rc && more && seed <= c->seed_to; seed++)
        rc = seed_run(c, seed, &more);
    return rc;
}

bool check_passed(const struct check *c)
{
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        if (c->finding[i].verdict != VERDICT_PASS)
            return false;
    return true;
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
