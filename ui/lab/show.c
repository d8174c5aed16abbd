// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab show`: to the place where it first goes wrong.
 *
 * Concept: a check has left the fewest steps that fail in failed/PROPERTY.test; or a test of one's own is given.
 * Both reports of it are made again and shown side by side around the line in which they part. Then, if what runs the
 * code is a program of this machine's (form H), gdb is started on it: it stops where that step begins (kit_step(), one
 * event before), and then in the first of the functions that the student writes. A guest (form G) is run by `xenlab
 * debug`, to the same two places, from where it goes back as well. A policy (form P) is asked once more what it was
 * asked, in gdb and with nobody there (tools/sandbox/asked.h): up to the call in which the run ended, or to the last
 * time that what is expected was still so. Without a terminal there is no one to type: the command is shown, and
 * carried out only if --gdb says so; the debugger then reads what comes from the pipe.
 */
#include "ui/lab/show.h"

#include "tools/lab/form_p.h"
#include "tools/lab/pair.h"
#include "tools/lab/testfile.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum gdb { GDB_IF_TERMINAL, GDB_YES, GDB_NO }; /* or xenlab debug */

/* --- gdb, or xenlab debug --- */

#define WORDS_MAX (30 + LAB_BODIES_MAX)

struct command {
    char *word[WORDS_MAX]; /* owned */
    unsigned int nr;
};

static void add(struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct command *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (c->nr < WORDS_MAX - 1 && vasprintf(&c->word[c->nr], fmt, args) >= 0)
        c->nr++;
    va_end(args);
}

/* The last of the steps is where it goes wrong. NULL: nobody knows. */
static const char *last_step(const char *keep) { return keep && strrchr(keep, ',') ? strrchr(keep, ',') + 1 : keep; }

static void gdb_begin(struct command *g, const struct check *c)
{
    add(g, "gdb");
    add(g, "-q");
    add(g, "-ex=set confirm off");
    add(g, "-ex=directory %s", c->root);
    add(g, "-ex=directory %s", c->folder);
}

/* It stops at one place, and then in what the student writes. The program's words come next. */
static void gdb_stops(struct command *g, const struct check *c)
{
    add(g, "-ex=run");
    for (unsigned int i = 0; i < c->lab->nr_bodies; i++)
        add(g, "-ex=tbreak %s", c->lab->body[i].function);
    add(g, "-ex=continue");
    add(g, "--args");
}

static void gdb_command(struct command *g, const struct check *c, uint64_t seed, const char *keep)
{
    const char *last = last_step(keep);

    gdb_begin(g, c);
    if (last)
        add(g, "-ex=tbreak kit_step if now == %s", last);
    else
        add(g, "-ex=tbreak kit_main");
    gdb_stops(g, c);
    add(g, "%s/.build/facts", c->folder);
    add(g, "--seed");
    add(g, "%llu", (unsigned long long)seed);
    add(g, "--debugger");
    add(g, "yes");
    if (keep) {
        add(g, "--keep");
        add(g, "%s", keep);
    }
    g->word[g->nr] = NULL;
}

/* What `xenlab debug` does before somebody types: .build/show in the student's folder. False: it cannot be written. */
static bool guest_script(const struct check *c, const char *keep)
{
    const char *last = last_step(keep);
    char *path = check_path("%s/.build/show", c->folder);
    FILE *f = path ? fopen(path, "we") : NULL;
    bool written = false;

    free(path);
    if (!f)
        return false;
    if (last)
        fprintf(f, "break kit_step if u32[now] == %s\n", last);
    else
        fputs("break kit_guest\n", f);
    fputs("continue\ndelete all\n", f);
    for (unsigned int i = 0; i < c->lab->nr_bodies; i++)
        fprintf(f, "break %s\n", c->lab->body[i].function);
    fputs("continue\n", f);
    written = !ferror(f);
    return !fclose(f) && written;
}

/* As form_g.c runs it. */
static void guest_command(struct command *g, const struct check *c, uint64_t seed, const char *keep)
{
    add(g, "%s/xenlab", c->built);
    add(g, "debug");
    add(g, "-q");
    add(g, "--seed");
    add(g, "%llu", (unsigned long long)seed);
    add(g, "--cmdline");
    add(g, "seed=%llu%s%s", (unsigned long long)seed, keep ? " keep=" : "", keep ?: "");
    add(g, "--first");
    add(g, "%s/.build/show", c->folder);
    add(g, "%s/.build/guest", c->folder);
    if (c->lab->beside)
        add(g, "%s/%s", c->root, c->lab->beside);
    g->word[g->nr] = NULL;
}

static void policy_command(struct command *g, const struct check *c, const struct policy_again *a)
{
    gdb_begin(g, c);
    add(g, "-ex=set breakpoint pending on"); /* until the object is loaded */
    add(g, "-ex=tbreak asked_here");
    gdb_stops(g, c);
    add(g, "%s/%s", c->built, c->lab->kit ? "xenlab-kit" : "xenlab-policy");
    add(g, "%s/.build/policy.so", c->folder);
    add(g, "%s/.build/asked", c->folder);
    if (a->call || a->to) {
        add(g, a->call ? "call" : "from");
        add(g, "%llu", a->call ? (unsigned long long)a->call : (unsigned long long)a->from);
    }
    g->word[g->nr] = NULL;
}

/* A blank, and the word as a shell wants it. */
static void word_print(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,:@%";
    const bool quote = !*word || word[strspn(word, plain)];

    fputs(quote ? " '" : " ", stdout);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    if (quote)
        putchar('\'');
}

/* When it is, and the workbench's own picture of that time. */
static void policy_print(const struct check *c, uint64_t seed, const struct policy_again *a)
{
    char policy[4400], workload[4400];

    snprintf(policy, sizeof(policy), "%s/.build/policy.so", c->folder);
    snprintf(workload, sizeof(workload), "%s/.build/workload", c->folder);
    if (a->to)
        printf("\nIt is as expected until %.6g s, and from %.6g s on it is not.", (double)a->from / 1e9,
               (double)a->to / 1e9);
    printf("\nThe workload is .build/workload. To see what came of it:\n  xenlab %s%s --policy",
           c->lab->kit ? "kit " : "sched", c->lab->kit ?: "");
    word_print(policy);
    fputs(" --workload", stdout);
    word_print(workload);
    printf(" --seed %llu --svg chart.svg", (unsigned long long)seed);
    if (a->to && !c->lab->kit)
        printf(" --window %lldus..%lldus", a->from / 1000, a->to / 1000);
    putchar('\n');
}

/* As somebody would type it. */
static void command_print(const struct command *g)
{
    putchar(' ');
    for (unsigned int i = 0; i < g->nr; i++)
        word_print(g->word[i]);
    putchar('\n');
}

/* step: the one in which it goes wrong. */
static int debugger_run(struct check *c, uint64_t seed, const char *keep, unsigned int step, enum gdb how)
{
    struct command g = { .nr = 0 };
    const bool guest = !strcmp(c->lab->form, "G"), policy = !strcmp(c->lab->form, "P");
    struct policy_again a;
    int rc = STATUS_OK;

    if (policy && policy_again(c, seed, step, &a))
        return lab_complain("%s", c->err);
    if (policy)
        policy_print(c, seed, &a);
    if (guest && !guest_script(c, keep))
        return lab_complain("%s/.build/show: %s", c->folder, strerror(errno));
    if (guest)
        guest_command(&g, c, seed, keep);
    else if (policy)
        policy_command(&g, c, &a);
    else
        gdb_command(&g, c, seed, keep);
    if (how == GDB_NO || (how == GDB_IF_TERMINAL && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))) {
        printf("\nTo go through your code there (xenlab lab show --gdb does it):\n");
        command_print(&g);
    } else {
        printf("\n%s\n", guest ? "The guest stops in your code in that step. step, over, back; print %rdi (an "
                                 "argument); help; quit ends it."
                         : policy
                             ? "gdb stops in your code at that time. up, print, next; run begins again; quit ends it."
                             : "gdb stops in your code in that step. up, print, next; quit ends it.");
        fflush(NULL);
        execvp(g.word[0], g.word);
        rc = lab_complain("%s: %s", g.word[0],
                          errno == ENOENT && !guest ? "it is not installed (apt install gdb)" : strerror(errno));
    }
    while (g.nr)
        free(g.word[--g.nr]);
    return rc;
}

/* --- which --- */

/* failed/PROPERTY.test; without a name that of the first property that has one. NULL: there is none. */
static char *test_find(const struct check *c, const char *property)
{
    const struct lab *l = c->lab;

    for (unsigned int i = 0; i < l->nr_properties; i++) {
        char *path = NULL;

        if (!property || !strcmp(property, l->property[i].name))
            path = check_path("%s/failed/%s.test", c->folder, l->property[i].name);
        if (path && !access(path, R_OK))
            return path;
        free(path);
    }
    return NULL;
}

/* The step that line `at` is of. */
static unsigned int step_of(const struct facts *f, size_t at)
{
    for (at = at < f->nr ? at + 1 : f->nr; at--;)
        if (f->fact[at].kind == FACT_STEP)
            return (unsigned int)f->fact[at].number;
    return 0;
}

/* Both reports, and what is known of the property. */
static int pair_print(struct check *c, uint64_t seed, const char *keep, bool *differ, unsigned int *step)
{
    const struct lab_property *property = NULL;
    struct divergence d;
    struct pair pair;

    if (pair_run(c, seed, keep, &pair))
        return lab_complain("%s", c->err);
    *differ = pair_differs(c, &pair, &d);
    if (*differ) {
        property = lab_property(c->lab, d.name);
        *step = step_of(&pair.golden.facts, d.at);
    }
    if (property)
        printf("%02u.%zu %s\nsee %s\n\n", c->lab->number, (size_t)(property - c->lab->property) + 1, property->what,
               property->where);
    pair_show(c, &pair, stdout);
    if (!*differ)
        printf("Here both say the same. All of it: xenlab lab check %u\n", c->lab->number);
    pair_free(&pair);
    return STATUS_OK;
}

/* The test's reports; then gdb, where that is of use. */
static int test_show(struct check *c, const char *file, enum gdb how)
{
    char err[TESTFILE_ERR_SIZE], *text = lab_file_read(file);
    struct testfile t = { .keep = NULL };
    int rc = STATUS_ENVIRONMENT;
    unsigned int step = 0;
    bool differ = false;

    if (text && testfile_read(&t, text, err)) {
        lab_complain("%s: %s", file, err);
    } else if (text) {
        c->keep = t.keep, c->seed_from = c->seed_to = t.seed;
        rc = student_check_run(c); /* which builds it */
        if (!c->compiler && !c->err[0] && !c->lab->nr_questions)
            rc = pair_print(c, t.seed, t.keep, &differ, &step);
        if (!rc && differ)
            rc = debugger_run(c, t.seed, t.keep, step, how);
    }
    free(text);
    testfile_free(&t);
    return rc;
}

static int show(const struct lab_place *p, const struct lab *l, const char *folder, const char *property, enum gdb how)
{
    struct check c = student_check(p, l, folder);
    char *file = test_find(&c, property);
    int rc = STATUS_OK;

    if (!file) { /* nobody has checked it yet, or it was right */
        rc = student_check_run(&c);
        if (!c.compiler && !c.err[0]) {
            file = test_find(&c, property);
            rc = STATUS_OK;
            if (!file)
                puts(property ? "That property does not fail." : "All properties hold: there is nothing to show.");
        }
        check_free(&c);
        c = student_check(p, l, folder);
    }
    if (file)
        rc = test_show(&c, file, how);
    free(file);
    check_free(&c);
    return rc;
}

int lab_show(const struct lab_place *p, int argc, char *const *argv)
{
    const char *file = NULL, *property = NULL;
    enum gdb how = GDB_IF_TERMINAL;
    char folder[4096], *word = NULL;
    const struct lab *l;
    struct check c;
    int rc;

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--test") && i + 1 < argc)
            file = argv[++i];
        else if (!strncmp(argv[i], "--test=", 7))
            file = argv[i] + 7;
        else if (!strcmp(argv[i], "--gdb"))
            how = GDB_YES;
        else if (!strcmp(argv[i], "--no-gdb"))
            how = GDB_NO;
        else if (*argv[i] == '-' || property)
            return lab_complain("show: what is \"%s\"?", argv[i]);
        else if (!word && isdigit((unsigned char)argv[i][0]))
            word = argv[i];
        else
            property = argv[i];
    }
    if (file && property)
        return lab_complain("show: a property or a test, not both");
    l = student_lab_or(p, word ? 1 : 0, &word);
    if (!l || !student_folder(l, folder, sizeof(folder)))
        return STATUS_ENVIRONMENT;
    if (property && !lab_property(l, property))
        return lab_complain("show: lab %u has no property \"%s\": check says their names behind \"go there\"",
                            l->number, property);
    if (!file)
        return show(p, l, folder, property, how);
    c = student_check(p, l, folder);
    rc = test_show(&c, file, how);
    check_free(&c);
    return rc;
}
