// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding it, checking it, and what is left there: see student.h. */
#include "ui/lab/student.h"

#include "tools/lab/testfile.h"
#include "ui/status.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- where it is --- */

/* All of the lab's files, as files: emulate.c alone may be another lab's as well. */
static bool folder_is(const struct lab *l, const char *folder)
{
    char path[4400];
    struct stat st;

    for (unsigned int i = 0; i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, lab_file_of(l, i));
        if (access(path, R_OK) || stat(path, &st) || !S_ISREG(st.st_mode)) /* the compiler would wait for a FIFO */
            return false;
    }
    return true;
}

const struct lab *student_lab(const struct lab_place *p)
{
    char *here = realpath(".", NULL);
    const char *name = here ? strrchr(here, '/') + 1 : "";
    const struct lab *found = NULL;
    bool several = false;

    for (unsigned int i = 0; i < p->nr; i++)
        if (!strcmp(p->labs[i].name, name)) {
            free(here);
            return &p->labs[i];
        }
    for (unsigned int i = 0; i < p->nr; i++)
        if (folder_is(&p->labs[i], ".")) {
            several = found;
            found = &p->labs[i];
        }
    free(here);
    return several ? NULL : found;
}

const struct lab *student_lab_or(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = argc ? lab_find(p, argv[0]) : student_lab(p);

    if (!argc && !l)
        lab_complain("which lab? This is no lab's folder");
    return l;
}

/* A link that leads out of the folder, where the compiler sees nothing. */
static bool leads_out(const char *folder, const char *path)
{
    const size_t len = strlen(folder);
    char *real = realpath(path, NULL);
    const bool out = real && (strncmp(real, folder, len) || real[len] != '/');

    free(real);
    return out;
}

/* What is wrong with one of them that is there. False: nothing. */
static bool odd_say(const struct lab *l, const char *folder)
{
    char path[4400];
    struct stat st;

    for (unsigned int i = 0; i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, lab_file_of(l, i));
        if (leads_out(folder, path) && !stat(path, &st) && S_ISREG(st.st_mode)) {
            lab_complain(
                "%s is a link out of its folder, which is all that the compiler sees: put the file itself there", path);
            return true;
        }
        if (!stat(path, &st) && (!S_ISREG(st.st_mode) || access(path, R_OK))) {
            lab_complain("%s: %s", path, S_ISREG(st.st_mode) ? strerror(errno) : "it is no regular file");
            return true;
        }
    }
    return false;
}

bool student_folder(const struct lab *l, char *folder, size_t size)
{
    char *here = realpath(".", NULL);
    const bool inside = here && !strcmp(strrchr(here, '/') + 1, l->name);
    char *below = inside || access(l->name, X_OK) ? NULL : realpath(l->name, NULL);
    const char *at = inside ? here : below && folder_is(l, below) ? below : here && folder_is(l, here) ? here : below;

    snprintf(folder, size, "%s", at ?: "");
    free(here);
    free(below);
    if (*folder && odd_say(l, folder))
        return false;
    if (*folder && folder_is(l, folder))
        return true;
    if (*folder)
        lab_complain("%s has no %s: xenlab lab start %u FOLDER makes what it should have", folder, lab_file_of(l, 0),
                     l->number);
    else if (!*folder)
        lab_complain("there is no %s here, nor %s/%s: xenlab lab start %u makes it", lab_file_of(l, 0), l->name,
                     lab_file_of(l, 0), l->number);
    return false;
}

/* --- what is left there --- */

/* failed/PROPERTY.test, or none. */
static void test_leave(const struct check *c, unsigned int i)
{
    const struct finding *f = &c->finding[i];
    const struct lab_property *p = &c->lab->property[i];
    char path[4400];
    FILE *out = NULL;

    snprintf(path, sizeof(path), "%s/failed/%s.test", c->folder, p->name);
    unlink(path);
    if (f->verdict == VERDICT_FAIL)
        out = fopen(path, "w");
    if (!out)
        return;
    fprintf(out, "# %02u.%u %s\n", c->lab->number, i + 1, p->what);
    for (const char *line = f->input; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
        fprintf(out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
    fprintf(out, "# Again: xenlab lab check %u --test failed/%s.test\n", c->lab->number, p->name);
    testfile_write(out, f->seed, f->step, f->shrunk);
    if (fclose(out))
        unlink(path);
}

static void tests_leave(const struct check *c)
{
    char path[4400];

    snprintf(path, sizeof(path), "%s/failed", c->folder);
    if (check_passed(c) ? access(path, F_OK) : mkdir(path, 0777) && errno != EEXIST)
        return; /* nothing is lost: check says it as well */
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        test_leave(c, i);
    rmdir(path); /* if it is empty */
}

/* --- checks --- */

static unsigned int processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned int)CPU_COUNT(&set);
}

struct check student_check(const struct lab_place *p, const struct lab *l, const char *folder)
{
    return (struct check){ .lab = l,
                           .root = p->root,
                           .built = p->built,
                           .folder = folder,
                           .seed_from = l->seed_from,
                           .seed_to = l->seed_to,
                           .at_once = processors(),
                           .again = true };
}

int student_lock(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        flock(fd, LOCK_EX); /* where there are no such locks it goes on without */
    return fd;
}

static int check_said(struct check *c)
{
    const int rc = check_run(c);

    if (!c->sandboxed && rc >= 0)
        fprintf(stderr, "xenlab: lab: bubblewrap cannot be used here: your code is only limited, not locked in\n");
    if (rc < 0)
        return lab_complain("%s", c->err);
    if (rc == 1) {
        fprintf(stderr, "%s%s %s.\n", c->compiler, c->lab->nr_files > 1 ? c->lab->name : lab_file_of(c->lab, 0),
                c->lab->nr_questions ? "is not understood" : "does not compile");
        return STATUS_FAILED;
    }
    check_careful(c);
    if (!c->keep) {
        tests_leave(c);
        return check_passed(c) ? STATUS_OK : STATUS_FAILED;
    }
    for (unsigned int i = 0; i < c->lab->nr_properties; i++) /* a test may be of one property alone */
        if (c->finding[i].verdict == VERDICT_FAIL)
            return STATUS_FAILED;
    return STATUS_OK;
}

int student_check_run(struct check *c)
{
    const int lock = student_lock(c->folder), rc = check_said(c);

    if (lock >= 0)
        close(lock);
    return rc;
}

static void indented(const char *text)
{
    while (text && *text) {
        const size_t n = strcspn(text, "\n");

        printf("      %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* Said of an answer in words, or with its unit, to a question for a number. */
static const char *number_wanted(const struct finding *f)
{
    char *end;

    if (strtod(f->expected, &end), end == f->expected || *end || !strcmp(f->got, "no answer"))
        return "";
    strtod(f->got, &end);
    return end == f->got || *end ? "  (the number alone is asked for)" : "";
}

void student_careful_print(const struct check *c)
{
    if (c->careful[0])
        printf("note  the compiler's own checks (-fsanitize=address,undefined) stop it at\n      %s\n", c->careful);
}

void student_finding_print(const struct check *c, unsigned int i)
{
    static const char *const verdicts[] = {
        [VERDICT_PASS] = "PASS", [VERDICT_FAIL] = "FAIL", [VERDICT_UNREACHED] = "----", [VERDICT_SKIPPED] = "SKIP"
    };
    const struct finding *f = &c->finding[i];
    const struct lab *l = c->lab;

    printf("%s  %02u.%u %s", verdicts[f->verdict], l->number, i + 1, l->property[i].what);
    if (f->verdict == VERDICT_UNREACHED)
        printf("  (not reached: all runs went wrong before)");
    if (f->verdict == VERDICT_SKIPPED)
        printf("\n      not asked: %s is not there; where xenlab was built, `make shown` makes it", f->input);
    if (f->verdict != VERDICT_FAIL) {
        putchar('\n');
        return;
    }
    if (l->nr_questions) {
        printf("\n      you say   %s%s\n      to see    xenlab %s\n      read      %s\n", f->got, number_wanted(f),
               l->question[i].run, l->property[i].where);
        if (c->reveal)
            printf("      it is     %s\n", f->expected);
        return;
    }
    printf("\n      seed %llu", (unsigned long long)f->seed);
    if (f->shrunk < f->steps)
        printf(", shrunk from %zu steps to %zu", f->steps, f->shrunk);
    putchar('\n');
    indented(f->input);
    printf("      expected  %s\n      got       %s\n      see       %s\n      go there  xenlab lab show %u %s\n",
           f->expected, f->got, l->property[i].where, l->number, l->property[i].name);
}
