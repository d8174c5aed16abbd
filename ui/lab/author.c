// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab test`: is a lab's check any good?
 *
 * Concept: variants of the files that the lab is about (tools/lab/variant.h) are checked as a student's would be. Right
 * ones pass, wrong ones fail, by the property that is named and in words that no other one has; and a second check says
 * the same as the first. Of too few variants nothing follows: there are three wrong ones and a right one at least.
 */
#include "ui/lab/author.h"

#include "tools/lab/form.h"
#include "tools/lab/starter.h"
#include "tools/lab/variant.h"
#include "ui/lab/folder.h"
#include "ui/lab/twist.h"
#include "ui/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct tested {
    const char *name;
    char said[2 * CHECK_TEXT + 64]; /* of the property that it should fail by */
};

/* As a student would: a folder with those files, and a check. What is said of the property goes to `said`. */
static int variant_check(const struct lab_place *p, const struct lab *l, char *const *source, const char *property,
                         const char *twist, bool *passes, char *said, size_t size)
{
    char folder[FOLDER_SIZE];
    struct check c = { .lab = l, .root = p->root, .built = p->built, .seed_from = l->seed_from, .seed_to = l->seed_to };
    const struct lab_property *of = lab_property(l, property);
    const struct finding *f = of ? &c.finding[of - l->property] : NULL;
    const struct form *form = form_find(l->form);
    char *whole = form->complete ? form->complete(&c, source[0]) : NULL;
    int rc;

    if (form->complete && !whole)
        return lab_complain("%s", c.err);
    rc = folder_make(folder, l, whole ? &whole : source);
    free(whole);

    c.folder = folder;
    c.twist = twist;
    if (!rc) {
        rc = check_run(&c);
        if (rc)
            rc = lab_complain("%s", rc < 0 ? c.err : c.compiler);
    }
    if (!rc && f && f->verdict == VERDICT_SKIPPED)
        rc = lab_complain("%s: not asked, as %s is not there: make shown", property, f->input);
    *passes = !rc && check_passed(&c);
    said[0] = '\0';
    if (!rc && f && f->verdict == VERDICT_FAIL)
        snprintf(said, size, "%s: expected %s, got %s", property, f->expected, f->got);
    check_free(&c);
    folder_remove(folder);
    return rc;
}

/* True: it is as it says, twice. */
static bool variant_judge(const struct lab_place *p, const struct lab *l, const char *name, const struct variant *v,
                          struct tested *before, unsigned int nr)
{
    struct tested *t = &before[nr];
    char again[sizeof(t->said)];
    bool passes, passes_again;

    t->name = name;
    if (variant_check(p, l, v->source, v->property, NULL, &passes, t->said, sizeof(t->said)) ||
        variant_check(p, l, v->source, v->property, NULL, &passes_again, again, sizeof(again)))
        return false;
    if (passes != passes_again || strcmp(t->said, again)) {
        lab_complain("%s: two checks differ: \"%s\" and \"%s\"", name, t->said, again);
        return false;
    }
    if (passes != v->passes || (!passes && !t->said[0])) {
        lab_complain("%s: %s", name, passes ? "it passes" : v->passes ? "it fails" : "it fails by another property");
        return false;
    }
    for (unsigned int i = 0; !passes && i < nr; i++)
        if (!strcmp(before[i].said, t->said)) {
            lab_complain("%s: it fails with the words of %s: %s", name, before[i].name, t->said);
            return false;
        }
    return true;
}

static int is_variant(const struct dirent *e) { return e->d_name[0] != '.'; }

#define VARIANTS_MAX 64
#define WRONG_MIN    3 /* of each lab: fewer say nothing of its check */
#define RIGHT_MIN    1 /* beside xenlab's own: there is more than one way */

static int variants_test(const struct lab_place *p, const struct lab *l, char *const *source, const char *folder,
                         bool sample)
{
    struct dirent **entry = NULL;
    struct tested tested[VARIANTS_MAX];
    const int n = scandir(folder, &entry, is_variant, alphasort);
    int rc = n < 0 ? lab_complain("%s: %s", folder, strerror(errno)) : STATUS_OK, right = 0, wrong = 0;

    for (int i = 0; i < n; i++) {
        char path[4700], err[VARIANT_ERR_SIZE], *text = NULL;
        struct variant v = { .nr_sources = 0 };
        bool good = false;

        if (sample && (unsigned int)i != l->number % (unsigned int)n)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
        if (i < VARIANTS_MAX && (text = lab_file_read(path)) &&
            variant_read(&v, text, (const char *const *)source, l->nr_files, err))
            lab_complain("%s: %s", path, err);
        else if (text)
            good = variant_judge(p, l, entry[i]->d_name, &v, tested, sample ? 0 : (unsigned int)i);
        printf("%s  %s %s\n", good ? "PASS" : "FAIL", entry[i]->d_name, good ? tested[sample ? 0 : i].said : "");
        if (!good)
            rc = STATUS_FAILED;
        else if (v.passes)
            right++;
        else
            wrong++;
        variant_free(&v);
        free(text);
    }
    if (rc == STATUS_OK && !sample && (wrong < WRONG_MIN || right < RIGHT_MIN)) {
        printf("FAIL  variants\n");
        lab_complain("variants: %d wrong and %d right ones; at least %d and %d are needed", wrong, right, WRONG_MIN,
                     RIGHT_MIN);
        rc = STATUS_FAILED;
    }
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
    return rc;
}

/* By each twist's rules its own files pass, and xenlab's own fail by the property that it names. */
static int twists_test(const struct lab_place *p, const struct lab *l, char *const *source)
{
    unsigned int nr;
    char **names = twist_names(p, l, &nr), said[2 * CHECK_TEXT + 64], none[sizeof(said)];
    int rc = STATUS_OK;

    for (unsigned int i = 0; i < nr; i++) {
        struct check c = { .lab = l, .root = p->root, .built = p->built };
        bool own = true, twisted = false;
        struct twist t;
        const bool tried = !twist_read(p, l, names[i], &t) && !twist_build(&t, &c) &&
                           !variant_check(p, l, t.v.source, "", c.twist, &twisted, none, sizeof(none)) &&
                           !variant_check(p, l, source, t.v.property, c.twist, &own, said, sizeof(said));
        const bool good = tried && twisted && !own && said[0] && strlen(t.told) > 2;

        printf("%s  twist %s %s\n", good ? "PASS" : "FAIL", names[i], tried ? said : "");
        if (tried && !good)
            lab_complain("twist %s: %s", names[i],
                         !twisted ? "its own files fail"
                         : own    ? "xenlab's own pass"
                         : !*said ? "xenlab's own fail by another property"
                                  : "it says nothing for the lab's text");
        if (!good)
            rc = STATUS_FAILED;
        twist_free(&t);
        free(names[i]);
    }
    free(names);
    return rc;
}

/* All of it, or a sample: the starter fails, and one variant, another one in each lab, is as it says. */
static int one_test(const struct lab_place *p, const struct lab *l, bool sample)
{
    char path[4400], *source[LAB_FILES_MAX], *starter[LAB_FILES_MAX], err[STARTER_ERR_SIZE], said[2 * CHECK_TEXT + 64];
    bool passes = false;
    int rc = STATUS_ENVIRONMENT;

    if (!lab_sources_read(p, l, source))
        return rc;
    if (!variant_check(p, l, source, "", NULL, &passes, said, sizeof(said))) {
        printf("%s  xenlab's own\n", passes ? "PASS" : "FAIL");
        snprintf(path, sizeof(path), "%s/labs/teacher/%s", p->root, l->name);
        rc = variants_test(p, l, source, path, sample);
        if (!sample && rc != STATUS_ENVIRONMENT)
            rc = twists_test(p, l, source) ?: rc;
        if (!passes)
            rc = STATUS_FAILED;
    }
    if (rc == STATUS_OK && l->nr_bodies) {
        if (!starters_make((const char *const *)source, starter, l->nr_files, l->body, l->nr_bodies, err)) {
            rc = lab_complain("%s: %s", l->name, err);
        } else {
            rc = variant_check(p, l, starter, "", NULL, &passes, said, sizeof(said));
            printf("%s  what a student begins with\n", passes || rc ? "FAIL" : "PASS");
            rc = rc ?: passes ? STATUS_FAILED : STATUS_OK;
            lab_sources_free(l, starter);
        }
    }
    lab_sources_free(l, source);
    return rc;
}

/* --- as somebody would hand them in --- */

/* A folder DIR/NN-NAME.VARIANT, and what its grade is in DIR/expected. */
static int variant_write(const struct lab *l, const char *name, const struct variant *v, const char *dir)
{
    char path[4700];
    FILE *f;
    int rc = STATUS_OK;

    snprintf(path, sizeof(path), "%s/%s.%s", dir, l->name, name);
    if (mkdir(path, 0777))
        return lab_complain("%s: %s", path, strerror(errno));
    for (unsigned int i = 0; rc == STATUS_OK && i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s.%s/%s", dir, l->name, name, lab_file_of(l, i));
        rc = lab_file_write(path, v->source[i]);
    }
    snprintf(path, sizeof(path), "%s/expected", dir);
    f = fopen(path, "a");
    if (!f || fprintf(f, "%u %s.%s %s\n", l->number, l->name, name, v->passes ? "passed" : "failed") < 0 || fclose(f))
        rc = lab_complain("%s: %s", path, strerror(errno));
    return rc;
}

static int variants_write(const struct lab_place *p, const struct lab *l, const char *dir)
{
    struct dirent **entry = NULL;
    char folder[4400], path[4700], err[VARIANT_ERR_SIZE], *source[LAB_FILES_MAX], *text;
    int rc = lab_sources_read(p, l, source) ? STATUS_OK : STATUS_ENVIRONMENT, n;

    if (rc)
        return rc;
    snprintf(folder, sizeof(folder), "%s/labs/teacher/%s", p->root, l->name);
    n = scandir(folder, &entry, is_variant, alphasort);
    if (n < 0)
        rc = lab_complain("%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct variant v = { .nr_sources = 0 };

        snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
        text = rc ? NULL : lab_file_read(path);
        if (text && variant_read(&v, text, (const char *const *)source, l->nr_files, err))
            rc = lab_complain("%s: %s", path, err);
        else if (text)
            rc = variant_write(l, entry[i]->d_name, &v, dir);
        variant_free(&v);
        free(text);
        free(entry[i]);
    }
    free(entry);
    lab_sources_free(l, source);
    return rc;
}

int lab_test(const struct lab_place *p, int argc, char *const *argv)
{
    const char *dir = argc == 3 && !strcmp(argv[1], "--write") ? argv[2] : NULL;
    const bool sample = argc == 2 && !strcmp(argv[1], "--sample");
    const struct lab *l = NULL;
    int rc = STATUS_OK;

    if (argc > 1 && !sample && !dir)
        return lab_complain("test: what is \"%s\"?", argv[1]);
    if (strcmp(argv[0], "all") && !(l = lab_find(p, argv[0])))
        return STATUS_ENVIRONMENT;
    if (dir && mkdir(dir, 0777) && errno != EEXIST)
        return lab_complain("%s: %s", dir, strerror(errno));
    for (unsigned int i = 0; i < p->nr; i++)
        if (!l || l == &p->labs[i]) {
            int one;

            if (!l && !dir)
                printf("%s\n", p->labs[i].name);
            one = !dir                   ? one_test(p, &p->labs[i], sample)
                  : p->labs[i].nr_bodies ? variants_write(p, &p->labs[i], dir)
                                         : STATUS_OK;
            rc = rc == STATUS_OK || one == STATUS_ENVIRONMENT ? one : rc;
            fflush(stdout);
        }
    return rc;
}
