// SPDX-License-Identifier: GPL-2.0-or-later
/* Making, comparing and showing two reports: see pair.h. */
#include "tools/lab/pair.h"

#include "tools/lab/stored.h"

#include <string.h>

void pair_free(struct pair *p)
{
    facts_free(&p->golden.facts);
    facts_free(&p->got.facts);
}

int pair_golden(struct check *c, uint64_t seed, const char *keep, struct report *r)
{
    const struct form *form = form_find(c->lab->form);
    struct check twisted = *c;
    struct stored s;
    int rc;

    if (stored_is(c, &s))
        return stored_report(c, seed, keep, &r->facts);
    if (!c->twist || !strcmp(c->lab->form, "P")) /* whose golden report is what is expected */
        return form->report(c, true, seed, keep, r);
    twisted.folder = c->twist;
    rc = form->report(&twisted, false, seed, keep, r);
    memcpy(c->err, twisted.err, sizeof(c->err));
    return rc;
}

int pair_run(struct check *c, uint64_t seed, const char *keep, struct pair *p)
{
    const struct form *form = form_find(c->lab->form);
    struct stored s;
    int rc;

    *p = (struct pair){ 0 };
    rc = pair_golden(c, seed, keep, &p->golden);
    if (!rc && !facts_ended(&p->golden.facts))
        rc = check_fail(c, "the golden run, seed %llu: %s: an error of the lab's, not of yours",
                        (unsigned long long)seed, p->golden.ended[0] ? p->golden.ended : "it has no end");
    if (!rc)
        rc = form->report(c, false, seed, keep, &p->got);
    if (!rc && keep && stored_is(c, &s))
        stored_cut(&p->got.facts, &p->golden.facts);
    if (rc)
        pair_free(p);
    return rc;
}

bool pair_differs(const struct check *c, const struct pair *p, struct divergence *d)
{
    struct facts got = p->got.facts;

    if (p->got.ended[0] && facts_ended(&got))
        got.nr--;
    return facts_differ(&p->golden.facts, &got, lab_factor, c->lab, d);
}

/* --- to be seen --- */

#define LINES_BEFORE 20

static void line_show(FILE *out, const char *whose, const struct fact *f, const char *mark)
{
    if (f->kind == FACT_STEP)
        fprintf(out, "  %-7s step %llu: %s%s\n", whose, (unsigned long long)f->number, f->text, mark);
    else if (f->kind == FACT_END)
        fprintf(out, "  %-7s (its end)%s\n", whose, mark);
    else if (f->kind == FACT_COUNT)
        fprintf(out, "  %-7s   %-12s %llu%s\n", whose, f->name, (unsigned long long)f->number, mark);
    else
        fprintf(out, "  %-7s   %-12s %s%s\n", whose, f->name, f->text, mark);
}

/* From line `from` to the end of that step. */
static void rest_show(FILE *out, const char *whose, const struct facts *f, size_t from, const char *mark)
{
    for (size_t i = from; i < f->nr && (i == from || f->fact[i].kind != FACT_STEP); i++)
        line_show(out, whose, &f->fact[i], i == from ? mark : "");
}

void pair_show(const struct check *c, const struct pair *p, FILE *out)
{
    struct divergence d;
    const bool differ = pair_differs(c, p, &d);
    const size_t at = differ ? d.at : p->golden.facts.nr;

    if (at > LINES_BEFORE)
        fprintf(out, "  (%zu lines that are the same)\n", at - LINES_BEFORE);
    for (size_t i = at > LINES_BEFORE ? at - LINES_BEFORE : 0; i < at; i++)
        line_show(out, "both", &p->golden.facts.fact[i], "");
    if (!differ)
        return;
    rest_show(out, "xenlab", &p->golden.facts, at, "  <<<");
    rest_show(out, "yours", &p->got.facts, at, "  <<<");
    if (p->got.ended[0])
        fprintf(out, "  %-7s %s\n", "yours", p->got.ended);
    else if (at >= p->got.facts.nr)
        fprintf(out, "  %-7s it ended without a word\n", "yours");
}
