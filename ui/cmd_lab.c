// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab`: what a student types.
 *
 * Concept: the words of the command line, and findings as text; what a lab is and how it is checked is in tools/lab/. A
 * lab is named by its number. Its folder is made by `start`, and found again as the current one, or below it, by its
 * name.
 */
#include "ui/cmd_lab.h"

#include "sim/types.h"
#include "tools/lab/check.h"
#include "tools/nearest.h"
#include "ui/lab/author.h"
#include "ui/lab/grade.h"
#include "ui/lab/place.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] = "Usage: xenlab lab COMMAND\n\n"
                           "Labs in which you write parts of the hypervisor, and are told where they differ\n"
                           "from what Xen does.\n\n"
                           "  list             the labs\n"
                           "  start N [FOLDER] a folder with the text and the file to complete\n"
                           "  check [N] [--seed A[-B]]\n"
                           "                   compile it and try it: each property, and for one that fails\n"
                           "                   the fewest steps that show it\n"
                           "  hint N [1|2|3]   a question, a pointer, an outline\n"
                           "  test N           an author's: xenlab's own file and right variants pass,\n"
                           "                   wrong ones fail, each by its property and in its own words\n"
                           "  grade N SUBMISSION --key FILE --json FILE [--junit FILE] [--tap FILE]\n"
                           "        [--gradescope FILE]\n"
                           "                   a teacher's: one folder, file or archive in, one grade out\n\n"
                           "check and grade exit with 0 if all properties hold, 2 if not (or nothing was\n"
                           "handed in that can be tried), and 1 if it could not try.\n";

/* --- the commands --- */

static int list(const struct lab_place *p, int argc, char *const *argv)
{
    (void)argc, (void)argv;
    for (unsigned int i = 0; i < p->nr; i++) {
        const struct lab *l = &p->labs[i];

        printf("%02u  %-24s %2u h ", l->number, l->title, l->hours);
        for (unsigned int f = 0; f < l->nr_files; f++)
            printf(" %s", l->file[f]);
        putchar('\n');
    }
    return STATUS_OK;
}

/* The folder, with the text and what the student completes. */
static int folder_make(const struct lab *l, const char *folder, char *const *starter)
{
    char path[4400], *text;
    int rc;

    snprintf(path, sizeof(path), "%s/lab.md", l->path);
    text = lab_file_read(path);
    if (!text)
        return STATUS_ENVIRONMENT;
    snprintf(path, sizeof(path), "%s/lab.md", folder);
    if (mkdir(folder, 0777))
        rc = lab_complain("%s: %s", folder, strerror(errno));
    else
        rc = lab_file_write(path, text);
    for (unsigned int i = 0; !rc && i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, lab_file_of(l, i));
        rc = lab_file_write(path, starter[i]);
    }
    free(text);
    return rc;
}

static int start(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = lab_find(p, argv[0]);
    const char *folder = argc > 1 ? argv[1] : l ? l->name : NULL;
    char err[STARTER_ERR_SIZE], *source[LAB_FILES_MAX], *starter[LAB_FILES_MAX];
    int rc = STATUS_ENVIRONMENT;

    if (!l || !lab_sources_read(p, l, source))
        return rc;
    if (!starters_make((const char *const *)source, starter, l->nr_files, l->body, l->nr_bodies, err)) {
        lab_complain("%s: %s", l->name, err);
    } else {
        rc = folder_make(l, folder, starter);
        lab_sources_free(l, starter);
    }
    lab_sources_free(l, source);
    if (!rc) {
        printf("%s/lab.md is the text, ", folder);
        for (unsigned int i = 0; i < l->nr_files; i++)
            printf("%s%s/%s", !i ? "" : i + 1 < l->nr_files ? ", " : " and ", folder, lab_file_of(l, i));
        printf(" what you complete. Then: xenlab lab check %u\n", l->number);
    }
    return rc;
}

static int hint(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = lab_find(p, argv[0]);
    const char *which = argc > 1 ? argv[1] : "1";
    char path[4400], *text;

    if (!l)
        return STATUS_ENVIRONMENT;
    if (strlen(which) != 1 || *which < '1' || *which > '3')
        return lab_complain("hint: 1, 2 or 3 is wanted, not \"%s\"", which);
    snprintf(path, sizeof(path), "%s/hints/%s", l->path, which);
    text = lab_file_read(path);
    if (!text)
        return STATUS_ENVIRONMENT;
    fputs(text, stdout);
    free(text);
    return STATUS_OK;
}

/* --- check --- */

static void indented(const char *text)
{
    while (text && *text) {
        const size_t n = strcspn(text, "\n");

        printf("      %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void finding_print(const struct lab *l, unsigned int i, const struct finding *f)
{
    static const char *const verdicts[] = {
        [VERDICT_PASS] = "PASS", [VERDICT_FAIL] = "FAIL", [VERDICT_UNREACHED] = "----"
    };

    printf("%s  %02u.%u %s", verdicts[f->verdict], l->number, i + 1, l->property[i].what);
    if (f->verdict == VERDICT_UNREACHED)
        printf("  (not reached: all runs went wrong before)");
    if (f->verdict != VERDICT_FAIL) {
        putchar('\n');
        return;
    }
    printf("\n      seed %llu", (unsigned long long)f->seed);
    if (f->shrunk < f->steps)
        printf(", shrunk from %zu steps to %zu", f->steps, f->shrunk);
    putchar('\n');
    indented(f->input);
    printf("      expected  %s\n      got       %s\n      see       %s\n", f->expected, f->got, l->property[i].where);
}

/* The student's folder: the current one, or below it by its name. */
static bool folder_find(const struct lab *l, char *folder, size_t size)
{
    const char *const tries[] = { ".", l->name };
    char path[4200], *real;

    for (unsigned int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", tries[i], lab_file_of(l, 0));
        if (access(path, R_OK))
            continue;
        real = realpath(tries[i], NULL);
        snprintf(folder, size, "%s", real ?: tries[i]);
        free(real);
        return true;
    }
    lab_complain("there is no %s here, nor %s/%s: xenlab lab start %u makes it", lab_file_of(l, 0), l->name,
                 lab_file_of(l, 0), l->number);
    return false;
}

static int check_lab(const struct lab_place *p, const struct lab *l, const char *folder, const char *seeds)
{
    struct check c = {
        .lab = l, .root = p->root, .built = p->built, .folder = folder, .seed_from = l->seed_from, .seed_to = l->seed_to
    };
    int rc;

    if (seeds && !lab_seeds(seeds, &c.seed_from, &c.seed_to))
        return lab_complain("--seed: a number, or two with - between them, is wanted, not \"%s\"", seeds);
    rc = check_run(&c);
    if (!c.sandboxed && rc >= 0)
        fprintf(stderr, "xenlab: lab: bubblewrap cannot be used here: your code is only limited, not locked in\n");
    if (rc < 0)
        lab_complain("%s", c.err);
    if (rc == 1)
        fprintf(stderr, "%s%s does not compile.\n", c.compiler, l->nr_files > 1 ? l->name : lab_file_of(l, 0));
    for (unsigned int i = 0; !rc && i < l->nr_properties; i++)
        finding_print(l, i, &c.finding[i]);
    if (!rc)
        rc = check_passed(&c) ? STATUS_OK : STATUS_FAILED;
    else
        rc = rc < 0 ? STATUS_ENVIRONMENT : STATUS_FAILED;
    check_free(&c);
    return rc;
}

static int check(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = NULL;
    const char *seeds = NULL;
    char folder[4096];

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seeds = argv[++i];
        else if (!strncmp(argv[i], "--seed=", 7))
            seeds = argv[i] + 7;
        else if (*argv[i] == '-' || l)
            return lab_complain("check: what is \"%s\"?", argv[i]);
        else if (!(l = lab_find(p, argv[i])))
            return STATUS_ENVIRONMENT;
    }
    for (unsigned int i = 0; !l && i < p->nr; i++) /* which lab's folder is this? */
        if (!access(lab_file_of(&p->labs[i], 0), R_OK))
            l = &p->labs[i];
    if (!l)
        return lab_complain("check: which lab? This is no lab's folder");
    return folder_find(l, folder, sizeof(folder)) ? check_lab(p, l, folder, seeds) : STATUS_ENVIRONMENT;
}

static const struct command {
    const char *name;
    int (*run)(const struct lab_place *p, int argc, char *const *argv);
    int least, most; /* arguments */
} commands[] = { { "list", list, 0, 0 }, { "start", start, 1, 2 },   { "check", check, 0, 3 },
                 { "hint", hint, 1, 2 }, { "test", lab_test, 1, 1 }, { "grade", lab_grade, 0, 14 } };

int cmd_lab(int argc, char *const *argv)
{
    const char *names[ARRAY_SIZE(commands)];
    char nearest[NEAREST_HINT_SIZE];
    struct lab_place p = { .nr = 0 };
    unsigned int i = 0;
    int rc;

    if (!argc || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
        fputs(help, stdout);
        return argc ? STATUS_OK : STATUS_ENVIRONMENT;
    }
    for (; i < ARRAY_SIZE(commands) && strcmp(argv[0], commands[i].name); i++)
        names[i] = commands[i].name;
    if (i == ARRAY_SIZE(commands))
        return lab_complain("there is no command \"%s\"%s", argv[0],
                            nearest_hint(argv[0], names, ARRAY_SIZE(names), "", nearest));
    if (argc - 1 < commands[i].least || argc - 1 > commands[i].most)
        return lab_complain("%s: too %s arguments: see xenlab lab --help", argv[0],
                            argc - 1 < commands[i].least ? "few" : "many");
    rc = lab_place_find(&p);
    if (!rc)
        rc = commands[i].run(&p, argc - 1, argv + 1);
    labs_free(p.labs, p.nr);
    return rc;
}
