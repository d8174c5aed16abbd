// SPDX-License-Identifier: GPL-2.0-or-later
/* Building, running, comparing, shrinking: see check.h. */
#include "tools/lab/check.h"

#include "tools/lab/facts.h"
#include "tools/lab/run.h"
#include "tools/lab/shrink.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WORDS    128
#define SHRINK_TRIES 150

static const struct run_limits compile_limits = { .cpu = 60, .output = 256 << 10 };
static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

static int fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct check *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(c->err, sizeof(c->err), fmt, args);
    va_end(args);
    return -1;
}

static char *path_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *path_of(const char *fmt, ...)
{
    va_list args;
    char *path = NULL;

    va_start(args, fmt);
    if (vasprintf(&path, fmt, args) < 0)
        path = NULL;
    va_end(args);
    return path;
}

/* --- building --- */

/* The words of a file, after those that are there; *text is what they are in. */
static bool words_read(const char *path, const char **word, unsigned int *nr, char **text)
{
    FILE *f = fopen(path, "r");
    size_t size = 0;
    const bool got = f && getdelim(text, &size, '\0', f) > 0;

    if (f)
        fclose(f);
    for (char *w = got ? strtok(*text, " \n") : NULL; w; w = strtok(NULL, " \n")) {
        if (*nr == MAX_WORDS - 8)
            return false;
        word[(*nr)++] = w;
    }
    return got;
}

static const char *file_of(const struct lab *l) { return strrchr(l->file, '/') ? strrchr(l->file, '/') + 1 : l->file; }

/* The compiler: what is given, and flags and libraries from a file. 0; 1: it said why not; -1. */
static int compile(struct check *c, const char *flags, const char *const *what)
{
    const char *word[MAX_WORDS] = { "/usr/bin/cc", "-B/usr/bin" },
               *see[] = { "/usr/bin",          "/usr/include", "/usr/libexec",
                          "/etc/alternatives", c->root,        c->built,
                          c->folder,           c->lab->path,   NULL };
    unsigned int nr = 2;
    char *text = NULL, *path = path_of("%s/%s", c->built, flags), *work = path_of("%s/.build", c->folder);
    const struct sandbox s = {
        .see = see, .write = work, .fd = -1, .file = 64 << 20, .cpu = compile_limits.cpu, .bare = c->bare
    };
    struct run r = { 0 };
    char why[RUN_ERR_SIZE] = "";
    int rc = -1;

    while (*what)
        word[nr++] = *what++;
    if (!path || !work || !words_read(path, word, &nr, &text)) {
        fail(c, "%s cannot be read: what is it to be compiled with?", path ?: "flags");
    } else {
        word[nr] = NULL;
        rc = run_program(&s, word, &compile_limits, &r, why);
        if (rc)
            fail(c, "the compiler cannot be started: %s", why);
        else if (!r.ok)
            rc = 1;
    }
    if (rc == 1) {
        c->compiler = path_of("%.*s%s%s", (int)r.len, r.out, r.len ? "" : r.ended, r.len ? "" : "\n");
        if (!c->compiler)
            rc = fail(c, "not enough memory");
    }
    c->sandboxed = r.wrapped;
    run_free(&r);
    free(text);
    free(path);
    free(work);
    return rc;
}

static int build(struct check *c)
{
    char *work = path_of("%s/.build", c->folder), *source = path_of("%s/%s", c->folder, file_of(c->lab));
    char *object = path_of("%s/.build/student.o", c->folder), *facts = path_of("%s/.build/facts", c->folder);
    char *report = path_of("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = path_of("%s/libxenlab.a", c->built);
    char *kit = path_of("%s/labs/kit/kit.a", c->built);
    const char *const compiling[] = { "-c", source, "-o", object, NULL };
    const char *const linking[] = { report, object, kit, library, "-o", facts, NULL };
    int rc = -1;

    if (!work || !source || !object || !facts || !report || !library || !kit)
        fail(c, "not enough memory");
    else if (mkdir(work, 0777) && errno != EEXIST)
        fail(c, "%s: %s", work, strerror(errno));
    else if (access(source, R_OK))
        fail(c, "%s: %s", source, strerror(errno));
    else if (chmod(work, geteuid() ? 0755 : 0777)) /* without bubblewrap root's are nobody's to write */
        fail(c, "%s: %s", work, strerror(errno));
    else if (unlink(object), unlink(facts), true)
        rc = compile(c, "labs/cflags", compiling) ?: compile(c, "labs/ldflags", linking);
    free(work), free(source), free(object), free(facts), free(report), free(library), free(kit);
    return rc;
}

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
    char *libraries = path_of("%s/build/deps", c->root);
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
        fail(c, "%s cannot be started: %s", program, why);
    else if (!facts_read(f, r.out, r.len))
        fail(c, "not enough memory");
    else
        rc = 0;
    *limited = r.limited;
    snprintf(ended, RUN_ERR_SIZE, "%s", f->wrong[0] ? f->wrong : r.ended);
    run_free(&r);
    free(libraries);
    return rc;
}

/* Both reports of a seed; of those steps alone that keep names, if it does. */
static int pair_run(struct check *c, uint64_t seed, const char *keep, struct pair *p)
{
    char *golden = path_of("%s/labs/%s/golden", c->built, c->lab->name), *facts = path_of("%s/.build/facts", c->folder);
    char ended[RUN_ERR_SIZE] = "";
    int rc = -1;

    *p = (struct pair){ 0 };
    if (!golden || !facts)
        fail(c, "not enough memory");
    else
        rc = report(c, golden, seed, keep, &p->golden, ended, &p->limited)
                 ?: report(c, facts, seed, keep, &p->got, p->ended, &p->limited);
    if (!rc && !facts_ended(&p->golden))
        rc = fail(c, "the golden run, seed %llu: %s: an error of the lab's, not of yours", (unsigned long long)seed,
                  ended[0] ? ended : "it has no end");
    free(golden);
    free(facts);
    return rc;
}

static bool pair_differs(const struct check *c, const struct pair *p, struct divergence *d)
{
    return facts_differ(&p->golden, &p->got, lab_factor, c->lab, d);
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

static void words_of(const struct pair *p, const struct divergence *d, struct finding *f)
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
        words_of(p, d, f);
        f->input = input_text(p, d);
        rc = f->input ? 0 : fail(c, "not enough memory");
    } else if (keep && !t.failed && !pair_run(c, seed, f->steps ? keep : NULL, &less)) {
        if (pair_differs(c, &less, &at)) {
            words_of(&less, &at, f);
            f->input = input_text(&less, &at);
            rc = f->input ? 0 : fail(c, "not enough memory");
        } else { /* it fails only now and then */
            words_of(p, d, f);
            f->shrunk = f->steps;
            f->input = input_text(p, d);
            rc = f->input ? 0 : fail(c, "not enough memory");
        }
        pair_free(&less);
    } else if (!t.failed && !c->err[0]) {
        fail(c, "not enough memory");
    }
    free(keep);
    return rc;
}

/* --- all of it --- */

/* Properties of which the golden run says something in front of line `at`. */
static void reached(struct check *c, const struct facts *golden, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const struct lab_property *p = golden->fact[i].name[0] ? lab_property(c->lab, golden->fact[i].name) : NULL;
        struct finding *f = p ? &c->finding[p - c->lab->property] : NULL;

        if (f && f->verdict == VERDICT_UNREACHED)
            f->verdict = VERDICT_PASS;
    }
}

/* *more: the next seed can be tried. */
static int seed_run(struct check *c, uint64_t seed, bool *more)
{
    const struct lab_property *p;
    struct divergence d;
    struct pair pair;
    int rc = pair_run(c, seed, NULL, &pair);

    if (rc) {
        pair_free(&pair);
        return rc;
    }
    *more = !pair.limited;
    if (pair_differs(c, &pair, &d)) {
        reached(c, &pair.golden, d.at);
        p = lab_property(c->lab, d.name);
        if (!p)
            rc =
                fail(c, "the golden run speaks of \"%s\", which lab.conf does not have: an error of the lab's", d.name);
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
    int rc = build(c);
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
