// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab grade`: one submission in, one grade out.
 *
 * Concept: a function of the submission and the key. What was handed in is copied to a folder of its own, compiled and
 * tried as `check` does, on the seeds that students have and on the key's; the same properties are asked of both.
 * Queueing is for who has a queue: one process grades one submission, and as many run side by side as there is room.
 *
 * Invariants: a student's mistake, or malice, is a grade; a mistake of the machine's is none, and nothing is written.
 * No grade is given where students' code could read what it is compared with, or reach who compares.
 */
#include "ui/lab/grade.h"

#include "sim/types.h"
#include "tools/lab/form.h"
#include "tools/lab/submission.h"
#include "tools/sandbox/fence.h"
#include "tools/sandbox/sandbox.h"
#include "tools/user_file.h"
#include "ui/lab/folder.h"
#include "ui/lab/result.h"
#include "ui/lab/twist.h"
#include "ui/status.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct format {
    const char *option;
    void (*write)(const struct grade *g, FILE *f);
} formats[] = { { "--json", result_json },
                { "--junit", result_junit },
                { "--tap", result_tap },
                { "--gradescope", result_gradescope } };

struct order {
    const char *lab, *submission, *key;
    const char *path[ARRAY_SIZE(formats)];
    struct user_file_output out[ARRAY_SIZE(formats)];
};

/* --- what was asked for --- */

/* The argument that an option has, "--key=F" or "--key F"; NULL: it is another one. */
static const char *argument(const char *option, int argc, char *const *argv, int *i)
{
    const size_t len = strlen(option);

    if (!strncmp(argv[*i], option, len) && argv[*i][len] == '=')
        return argv[*i] + len + 1;
    return !strcmp(argv[*i], option) && *i + 1 < argc ? argv[++*i] : NULL;
}

static int order_read(struct order *o, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argument("--key", argc, argv, &i);
        bool known = word != NULL;

        if (known)
            o->key = word;
        for (unsigned int f = 0; !known && f < ARRAY_SIZE(formats); f++)
            if ((known = (word = argument(formats[f].option, argc, argv, &i)) != NULL))
                o->path[f] = word;
        if (known)
            continue;
        if (argv[i][0] == '-' || o->submission)
            return lab_complain("grade: what is \"%s\"?", argv[i]);
        *(o->lab ? &o->submission : &o->lab) = argv[i];
    }
    if (!o->submission || !o->key || !o->path[0])
        return lab_complain("grade: wanted are a lab, a submission, --key FILE and --json FILE");
    return STATUS_OK;
}

/* All places that are written to, before there is anything to write. */
static int outputs_open(struct order *o)
{
    char why[128];

    for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++)
        if (o->path[f] && user_file_output_open(&o->out[f], o->path[f], why, sizeof(why)))
            return lab_complain("%s: %s", o->path[f], why);
    return STATUS_OK;
}

static int outputs_write(struct order *o, const struct grade *g)
{
    int rc = STATUS_OK;

    for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
        FILE *f = o->path[i] ? user_file_output_start(&o->out[i]) : NULL;

        if (!o->path[i])
            continue;
        if (f)
            formats[i].write(g, f);
        if (!f || ferror(f) || fclose(f))
            rc = lab_complain("%s cannot be written", o->path[i]);
    }
    return rc;
}

/* --- grading --- */

static bool is_safe(void) { return sandbox_wraps() || (!geteuid() && sandbox_fences()); }

/* The caller's hard limits hold for students' programs, too: less than these are promised is none of their faults. */
static int limits_allow(void)
{
    static const struct {
        __rlimit_resource_t what;
        rlim_t least;
        char ulimit;
    } promised[] = { { RLIMIT_CPU, 30, 't' },         { RLIMIT_AS, UINT64_C(4) << 30, 'v' },
                     { RLIMIT_FSIZE, 64 << 20, 'f' }, { RLIMIT_DATA, UINT64_C(4) << 30, 'd' },
                     { RLIMIT_NOFILE, 256, 'n' },     { RLIMIT_STACK, 8 << 20, 's' } };
    struct rlimit r;

    for (unsigned int i = 0; i < ARRAY_SIZE(promised); i++)
        if (!getrlimit(promised[i].what, &r) && r.rlim_max < promised[i].least)
            return lab_complain("grade: students' programs are promised more than this shell's limit (ulimit -H%c)",
                                promised[i].ulimit);
    return STATUS_OK;
}

/* Both kinds of seeds, of what is in the folder. As check_run(). */
static int try(struct check *c, const struct key *k)
{
    const int rc = check_run(c);

    if (c->lab->nr_questions) /* which are all there is to ask */
        return rc;
    c->seed_from = k->seed_from;
    c->seed_to = k->seed_to;
    return rc ?: check_more(c);
}

/* The same with what a student begins with: what does hold of that? */
static int begun_find(const struct lab_place *p, const struct twist *t, struct grade *g)
{
    const struct lab *l = g->lab;
    struct check c = { .lab = l,
                       .root = p->root,
                       .built = p->built,
                       .twist = t->name[0] ? t->built : NULL,
                       .seed_from = g->visible.from,
                       .seed_to = g->visible.to,
                       .brief = true };
    char *own[LAB_FILES_MAX], *starter[LAB_FILES_MAX], err[STARTER_ERR_SIZE], folder[FOLDER_SIZE];
    int rc;

    if (!lab_sources_read(p, l, own))
        return STATUS_ENVIRONMENT;
    if (!starters_make((const char *const *)(t->name[0] ? t->v.source : own), starter, l->nr_files, l->body,
                       l->nr_bodies, err)) {
        rc = lab_complain("%s: %s", l->name, err);
    } else {
        rc = folder_make(folder, l, starter);
        c.folder = folder;
        if (!rc && (rc = try(&c, g->key)))
            rc = lab_complain("what a student begins with: %s", rc < 0 ? c.err : c.compiler);
        for (unsigned int i = 0; !rc && i < l->nr_properties; i++)
            g->begun[i] = c.finding[i].verdict == VERDICT_PASS;
        folder_remove(folder);
        lab_sources_free(l, starter);
    }
    lab_sources_free(l, own);
    check_free(&c);
    return rc;
}

/*
 * Where it was when its time was over differs from one run to the next, and a grade must not: so nothing is said of
 * single properties.
 */
static const char *beyond_limit(struct check *c)
{
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        c->finding[i].verdict = VERDICT_UNREACHED;
    return "a run did not come to its end in the time, or with the output, that it may use: no property can be judged";
}

/*
 * A compiler that was not given the room, the files or the processes that it needs has refused what is no mistake of
 * the student's: where that is so xenlab's own file is refused as well, and there is no grade.
 */
static int own_compiles(const struct lab_place *p, const struct lab *l)
{
    struct check c = { .lab = l, .root = p->root, .built = p->built };
    char *own[LAB_FILES_MAX], folder[FOLDER_SIZE];
    int rc;

    if (!lab_sources_read(p, l, own))
        return STATUS_ENVIRONMENT;
    rc = folder_make(folder, l, own);
    c.folder = folder;
    if (!rc && (rc = form_find(l->form)->build(&c)))
        rc = lab_complain("%s: xenlab's own file does not compile here: %s", l->name, rc < 0 ? c.err : c.compiler);
    folder_remove(folder);
    lab_sources_free(l, own);
    check_free(&c);
    return rc;
}

/* The texts are tried, by the rules of the class, and the grade is written. */
static int judge(const struct lab_place *p, struct order *o, struct grade *g, char *const *text)
{
    const struct lab *l = g->lab;
    struct check c = {
        .lab = l, .root = p->root, .built = p->built, .seed_from = g->visible.from, .seed_to = g->visible.to
    };
    char folder[FOLDER_SIZE];
    struct twist t;
    int rc = folder_make(folder, l, text);

    c.folder = folder;
    rc = twist_choose(p, l, g->key->twist, &t) ?: rc;
    if (!rc && t.name[0])
        rc = twist_build(&t, &c);
    if (!rc) {
        rc = try(&c, g->key);
        if (rc < 0) {
            rc = lab_complain("%s", c.err);
        } else if (check_skipped(&c)) {
            rc = lab_complain("%s: cannot be graded here, as %s is not there: make shown", l->name,
                              check_skipped(&c)->input);
        } else if (rc && !l->nr_questions && own_compiles(p, l)) {
            rc = STATUS_ENVIRONMENT;
        } else {
            g->verdict = rc ? GRADE_NOT_COMPILED : check_passed(&c) ? GRADE_PASSED : GRADE_FAILED;
            g->said = c.compiler ?: c.limited ? beyond_limit(&c) : "";
            g->check = &c;
            rc = g->verdict == GRADE_FAILED && grade_earns(g) ? begun_find(p, &t, g) : STATUS_OK;
            if (g->verdict == GRADE_FAILED && !*g->said && !grade_earns(g))
                g->said = "nothing holds that did not at the beginning";
            rc = rc ?: outputs_write(o, g);
        }
    }
    folder_remove(folder);
    twist_free(&t);
    check_free(&c);
    return rc;
}

static int grade(const struct lab_place *p, struct order *o)
{
    const struct lab *l = lab_find(p, o->lab);
    char err[LAB_ERR_SIZE], why[SUBMISSION_ERR_SIZE], *text[LAB_FILES_MAX];
    struct key k;
    struct grade g = { .lab = l, .key = &k, .verdict = GRADE_NO_SUBMISSION, .said = why };
    int rc;

    if (!l)
        return STATUS_ENVIRONMENT;
    if (key_read(&k, o->key, err))
        return lab_complain("%s: %s", o->key, err);
    if (!k.points[l->number])
        return lab_complain("%s: points: lab %u is not there: what is it worth?", o->key, l->number);
    g.visible = k.visible[l->number].to ? k.visible[l->number] : (struct key_seeds){ l->seed_from, l->seed_to };
    if (!is_safe())
        return lab_complain("grade: bubblewrap cannot be used here (apt install bubblewrap); without, root and a "
                            "kernel with Landlock are wanted, since code of students' is run");
    if (limits_allow())
        return STATUS_ENVIRONMENT;
    rc = submission_read(o->submission, l, text, why);
    if (rc < 0)
        return lab_complain("%s: %s", o->submission, why);
    rc = rc ? outputs_write(o, &g) : judge(p, o, &g, text);
    for (unsigned int i = 0; i < l->nr_files; i++)
        free(text[i]);
    if (!rc) {
        printf("%s  %s: %s\n", l->name, o->submission, grade_word(g.verdict));
        rc = g.verdict == GRADE_PASSED ? STATUS_OK : STATUS_FAILED;
    }
    return rc;
}

int lab_grade(const struct lab_place *p, int argc, char *const *argv)
{
    struct order o = { .lab = NULL };
    int rc;

    for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
        o.out[i].fd = -1;
    rc = order_read(&o, argc, argv);
    rc = rc ?: outputs_open(&o);
    rc = rc ?: grade(p, &o);
    for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
        if (o.out[i].fd >= 0)
            user_file_output_close(&o.out[i], o.path[i]);
    return rc;
}
