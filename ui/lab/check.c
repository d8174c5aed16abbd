// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab check`: each property, or what comes of one test.
 *
 * Concept: what holds is one line, what does not is shown by the fewest steps, with the command that goes there. When
 * all of it holds, that is noted (progress.h), and the student is told how xenlab does it, from after.md beside the
 * lab's text, and what others get wrong: the first lines of the wrong variants in labs/teacher/, or where that is not,
 * the same lines in a file `wrong` beside the text.
 */
#include "ui/lab/check.h"

#include "tools/lab/testfile.h"
#include "ui/lab/progress.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- after a pass --- */

/* "FAIL iopl: CLI is refused": what is wrong in it. */
static void wrong_print(const char *line)
{
    const char *what = strchr(line, ':');

    if (!strncmp(line, "FAIL ", 5) && what)
        printf("  - %.*s\n", (int)strcspn(what + 2, "\n"), what + 2);
}

static int is_variant(const struct dirent *e) { return e->d_name[0] != '.'; }

static void after(const struct lab_place *p, const struct lab *l)
{
    struct dirent **entry = NULL;
    char path[4700], folder[4400], *text;
    int n;

    snprintf(path, sizeof(path), "%s/after.md", l->path);
    if (!access(path, R_OK) && (text = lab_file_read(path))) {
        printf("\n%s", text);
        free(text);
    }
    snprintf(folder, sizeof(folder), "%s/labs/teacher/%s", p->root, l->name);
    snprintf(path, sizeof(path), "%s/wrong", l->path);
    n = scandir(folder, &entry, is_variant, alphasort);
    if (n > 0 || !access(path, R_OK))
        puts("\nWhat this check tells from yours:");
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
        text = lab_file_read(path);
        if (text)
            wrong_print(text);
        free(text);
        free(entry[i]);
    }
    free(entry);
    if (n > 0 || access(path, R_OK) || !(text = lab_file_read(path)))
        return;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        wrong_print(line);
    free(text);
}

/* --- the command --- */

static int all(const struct lab_place *p, const struct lab *l, const char *folder, const char *seeds, bool reveal)
{
    struct check c = student_check(p, l, folder);
    int rc;

    if (reveal && !l->nr_questions)
        return lab_complain("check: -c: lab %u has no questions; what is expected is said where it fails", l->number);
    c.reveal = reveal;
    if (seeds && !lab_seeds(seeds, &c.seed_from, &c.seed_to))
        return lab_complain("--seed: a number, or two with - between them, is wanted, not \"%s\"", seeds);
    rc = student_check_run(&c);
    for (unsigned int i = 0; !c.compiler && !c.err[0] && i < l->nr_properties; i++)
        student_finding_print(&c, i);
    student_careful_print(&c);
    if (!rc) {
        if (!seeds)
            progress_passed(&c);
        after(p, l);
    }
    check_free(&c);
    return rc;
}

static int one(const struct lab_place *p, const struct lab *l, const char *folder, const char *file)
{
    struct check c = student_check(p, l, folder);
    char err[TESTFILE_ERR_SIZE], *text = lab_file_read(file);
    struct testfile t = { .keep = NULL };
    int rc = STATUS_ENVIRONMENT;

    if (text && testfile_read(&t, text, err)) {
        lab_complain("%s: %s", file, err);
    } else if (text) {
        c.seed_from = c.seed_to = t.seed;
        c.keep = t.keep;
        rc = student_check_run(&c);
        for (unsigned int i = 0; !c.compiler && !c.err[0] && i < l->nr_properties; i++)
            if (c.finding[i].verdict != VERDICT_UNREACHED)
                student_finding_print(&c, i);
        student_careful_print(&c);
    }
    testfile_free(&t);
    free(text);
    check_free(&c);
    return rc;
}

int lab_check(const struct lab_place *p, int argc, char *const *argv)
{
    const char *seeds = NULL, *test = NULL;
    char folder[4096], *word = NULL;
    const struct lab *l;
    bool reveal = false;

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "-c") || !strcmp(argv[i], "--reveal"))
            reveal = true;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seeds = argv[++i];
        else if (!strncmp(argv[i], "--seed=", 7))
            seeds = argv[i] + 7;
        else if (!strcmp(argv[i], "--test") && i + 1 < argc)
            test = argv[++i];
        else if (!strncmp(argv[i], "--test=", 7))
            test = argv[i] + 7;
        else if (*argv[i] == '-' || word)
            return lab_complain("check: what is \"%s\"?", argv[i]);
        else
            word = argv[i];
    }
    if (seeds && test)
        return lab_complain("check: --seed or --test: a test has its own seed");
    l = student_lab_or(p, word ? 1 : 0, &word);
    if (!l || !student_folder(l, folder, sizeof(folder)))
        return STATUS_ENVIRONMENT;
    return test ? one(p, l, folder, test) : all(p, l, folder, seeds, reveal);
}
