// SPDX-License-Identifier: GPL-2.0-or-later
/* Golden reports that were kept: see stored.h. */
#include "tools/lab/stored.h"

#include "tools/lab/form.h"

#include <stdlib.h>
#include <string.h>

bool stored_is(const struct check *c, struct stored *s)
{
    char *path = check_path("%s/labs/golden/%s/about", c->root, c->lab->name);
    FILE *f = path ? fopen(path, "r") : NULL;
    unsigned int apart = 0;

    *s = (struct stored){ .last = 0 };
    if (f) {
        if (fscanf(f, "apart %u last %zu", &apart, &s->last) == 2)
            s->apart = apart == 1;
        fclose(f);
    }
    free(path);
    return f != NULL;
}

/* --- some steps --- */

/* Is number n in "3,17"? */
static bool in_list(const char *list, uint64_t n)
{
    while (*list) {
        char *end;

        if (strtoull(list, &end, 10) == n)
            return true;
        list = *end == ',' ? end + 1 : "";
    }
    return false;
}

/* Are they the first ones of a run, one after the other? */
static bool is_beginning(const char *list)
{
    for (uint64_t n = 0; *list; n++) {
        char *end;

        if (strtoull(list, &end, 10) != n)
            return false;
        list = *end == ',' ? end + 1 : "";
    }
    return true;
}

/* What is left of a whole report if some steps alone are done. */
static void keep_steps(struct facts *f, const char *keep, const struct stored *s)
{
    const size_t end = f->nr - 1 - s->last; /* f is whole: its last line is `end` */
    bool kept = true;                       /* what is said before the first step */
    size_t nr = 0;

    for (size_t i = 0; i < end; i++) {
        if (f->fact[i].kind == FACT_STEP)
            kept = in_list(keep, f->fact[i].number);
        if (kept)
            f->fact[nr++] = f->fact[i];
    }
    f->fact[nr++] = f->fact[f->nr - 1];
    f->nr = nr;
}

void stored_cut(struct facts *got, const struct facts *golden)
{
    const bool ended = facts_ended(got);

    if (got->nr < golden->nr)
        return;
    if (ended)
        got->fact[golden->nr - 1] = got->fact[got->nr - 1];
    got->nr = ended ? golden->nr : golden->nr - 1;
}

/* --- a file --- */

int stored_report(struct check *c, uint64_t seed, const char *keep, struct facts *f)
{
    char *path = check_path("%s/labs/golden/%s/%llu", c->root, c->lab->name, (unsigned long long)seed), *text = NULL;
    FILE *in = path ? fopen(path, "r") : NULL;
    struct stored s;
    size_t size = 0;
    ssize_t n;
    int rc = 0;

    *f = (struct facts){ 0 };
    stored_is(c, &s);
    if (!in)
        rc = check_fail(c, "this class's xenlab knows what seeds %llu-%llu lead to, and not %llu",
                        (unsigned long long)c->lab->seed_from, (unsigned long long)c->lab->seed_to,
                        (unsigned long long)seed);
    else if (keep && !s.apart && !is_beginning(keep))
        rc = check_fail(c, "of this lab, this class's xenlab knows what whole runs lead to, and their beginnings: "
                           "steps 0, 1, 2 and so on");
    else if ((n = getdelim(&text, &size, '\0', in)) < 0 || !facts_read(f, text, (size_t)n))
        rc = check_fail(c, "%s cannot be read", path);
    else if (!facts_ended(f) || s.last >= f->nr)
        rc = check_fail(c, "%s is no report: %s", path, f->wrong);
    else if (keep)
        keep_steps(f, keep, &s);
    if (in)
        fclose(in);
    free(text), free(path);
    return rc;
}

void stored_write(const struct facts *f, FILE *to)
{
    for (size_t i = 0; i < f->nr; i++) {
        const struct fact *l = &f->fact[i];

        switch (l->kind) {
        case FACT_STEP: fprintf(to, "step %llu %s\n", (unsigned long long)l->number, l->text); break;
        case FACT_FACT: fprintf(to, "fact %s %s\n", l->name, l->text); break;
        case FACT_COUNT: fprintf(to, "count %s %llu\n", l->name, (unsigned long long)l->number); break;
        case FACT_END: fprintf(to, "end\n"); break;
        }
    }
}
