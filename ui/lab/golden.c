// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing seeds, and keeping reports: see golden.h. */
#include "ui/lab/golden.h"

#include "tools/lab/pair.h"
#include "tools/lab/stored.h"
#include "ui/lab/place.h"
#include "ui/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEEDS_TRIED   20 /* times the number that is wanted */
#define SUBSETS_TRIED 3  /* a seed */

/* A whole report of xenlab's own. STATUS_OK, or a message; r->facts is to be freed in any case. */
static int golden(struct check *c, uint64_t seed, const char *keep, struct report *r)
{
    *r = (struct report){ .limited = false };
    if (pair_golden(c, seed, keep, r))
        return lab_complain("%s: %s", c->lab->name, c->err);
    if (!facts_ended(&r->facts))
        return lab_complain("%s: seed %llu: %s", c->lab->name, (unsigned long long)seed,
                            r->ended[0] ? r->ended : "the golden run has no end");
    return STATUS_OK;
}

/* --- seeds --- */

static int properties_met(struct check *c, bool met[LAB_PROPERTIES_MAX])
{
    struct report r;
    int rc = STATUS_OK;

    memset(met, 0, LAB_PROPERTIES_MAX * sizeof(*met));
    for (uint64_t seed = c->seed_from; !rc && seed <= c->seed_to; seed++) {
        rc = golden(c, seed, NULL, &r);
        for (size_t i = 0; !rc && i < r.facts.nr; i++) {
            const struct lab_property *of = lab_property(c->lab, r.facts.fact[i].name);

            if (of)
                met[of - c->lab->property] = true;
        }
        facts_free(&r.facts);
    }
    return rc;
}

int golden_seeds(struct check *c, uint64_t wish)
{
    const uint64_t nr = c->lab->seed_to - c->lab->seed_from + 1;
    bool met[LAB_PROPERTIES_MAX];

    for (unsigned int i = 0; i < SEEDS_TRIED; i++) {
        unsigned int left = c->lab->nr_properties;

        c->seed_from = wish + i * nr;
        c->seed_to = c->seed_from + nr - 1;
        if (properties_met(c, met))
            return STATUS_ENVIRONMENT;
        for (unsigned int m = 0; m < c->lab->nr_properties; m++)
            left -= met[m];
        if (!left)
            return STATUS_OK;
    }
    return lab_complain("%s: none of %u times %llu seeds meet all properties", c->lab->name, SEEDS_TRIED,
                        (unsigned long long)nr);
}

/* --- reports --- */

static int file_write(const char *dir, const char *name, const struct facts *f, const struct stored *s)
{
    char path[4700];
    FILE *to;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    to = fopen(path, "w");
    if (!to)
        return lab_complain("%s: %s", path, strerror(errno));
    if (f)
        stored_write(f, to);
    else
        fprintf(to, "apart %d\nlast %zu\n", s->apart, s->last);
    return fclose(to) ? lab_complain("%s: %s", path, strerror(errno)) : STATUS_OK;
}

/* How many lines the end has: those that are left of a run of all steps but the last one behind its last step. */
static int end_measure(struct check *c, const struct facts *whole, struct stored *s)
{
    const size_t steps = facts_steps(whole);
    size_t before = whole->nr, size = 0;
    char *keep = NULL;
    FILE *f = open_memstream(&keep, &size);
    struct report r = { .limited = false };
    int rc = STATUS_OK;

    while (before && whole->fact[before - 1].kind != FACT_STEP)
        before--;
    for (size_t i = 0; f && i + 1 < steps; i++)
        fprintf(f, "%s%zu", i ? "," : "", i);
    if (!f || fclose(f))
        rc = lab_complain("not enough memory");
    *s = (struct stored){ .last = 0 };
    if (!rc && steps > 1)
        rc = golden(c, c->seed_from, keep, &r);
    if (!rc && steps > 1 && r.facts.nr >= before && r.facts.nr - before < whole->nr - before)
        *s = (struct stored){ .apart = true, .last = r.facts.nr - before };
    facts_free(&r.facts);
    free(keep);
    return rc;
}

static bool same(const struct facts *a, const struct facts *b)
{
    char *text[2] = { NULL, NULL };
    size_t size[2] = { 0, 0 };
    FILE *f[2] = { open_memstream(&text[0], &size[0]), open_memstream(&text[1], &size[1]) };
    bool is = f[0] && f[1];

    for (unsigned int i = 0; i < 2; i++) {
        if (f[i])
            stored_write(i ? b : a, f[i]);
        is = f[i] && !fclose(f[i]) && is;
    }
    is = is && size[0] == size[1] && !memcmp(text[0], text[1], size[0]);
    free(text[0]), free(text[1]);
    return is;
}

/* Some steps of a seed, as they are done alone and as they were kept. */
static int subset_try(struct check *c, const char *dir, uint64_t seed, unsigned int which, size_t steps, bool *as_kept)
{
    struct check kept = *c;
    struct report r;
    struct facts f;
    char *keep = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&keep, &size);
    int rc = STATUS_OK;

    for (size_t i = 0; to && i < steps; i++) /* every second one, every fifth, one alone */
        if (!which ? i % 2 : which == 1 ? i % 5 == seed % 5 : i == (size_t)(seed * 7) % steps)
            fprintf(to, "%s%zu", ftell(to) ? "," : "", i);
    if (!to || fclose(to))
        return lab_complain("not enough memory");
    kept.root = dir;
    rc = golden(c, seed, keep, &r);
    if (!rc && stored_report(&kept, seed, keep, &f)) {
        rc = lab_complain("%s", kept.err);
        facts_free(&f);
    } else if (!rc) {
        stored_cut(&r.facts, &f);
        *as_kept = same(&r.facts, &f);
        facts_free(&f);
    }
    facts_free(&r.facts);
    free(keep);
    return rc;
}

int golden_store(struct check *c, const char *dir)
{
    char folder[4400], name[24];
    struct stored s = { .apart = false };
    struct report r;
    size_t steps = 0;
    int rc = STATUS_OK;

    snprintf(folder, sizeof(folder), "%s/labs/golden/%s", dir, c->lab->name);
    if (mkdir(folder, 0777))
        return lab_complain("%s: %s", folder, strerror(errno));
    for (uint64_t seed = c->seed_from; !rc && seed <= c->seed_to; seed++) {
        snprintf(name, sizeof(name), "%llu", (unsigned long long)seed);
        rc = golden(c, seed, NULL, &r) ?: file_write(folder, name, &r.facts, NULL);
        if (!rc && seed == c->seed_from)
            rc = end_measure(c, &r.facts, &s);
        steps = facts_steps(&r.facts);
        facts_free(&r.facts);
    }
    rc = rc ?: file_write(folder, "about", NULL, &s);
    for (uint64_t seed = c->seed_from; !rc && s.apart && seed <= c->seed_to; seed++)
        for (unsigned int i = 0; !rc && s.apart && i < SUBSETS_TRIED; i++)
            rc = subset_try(c, dir, seed, i, steps, &s.apart);
    return rc ?: file_write(folder, "about", NULL, &s);
}
