// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab start`: a folder to work in.
 *
 * Concept: in it are the lab's text, the files to complete, and two tests (tools/lab/testfile.h) of what is there so
 * far: failing.test, the first that a check of it says, and passing.test, a step of the same seed that goes well
 * already. Neither is written by hand: they are found by checking what the student begins with. In a file of answers
 * each has its question above it.
 *
 * Invariant: the folder is there with all of that or not at all; it is made beside its place, as FOLDER.unfinished.
 */
#include "ui/lab/start.h"

#include "tools/lab/testfile.h"
#include "ui/lab/folder.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_TRIED 16 /* until one goes well */

/* A file to complete; questions stand above their answers. */
static int starter_write(const struct lab *l, const char *path, const char *starter)
{
    FILE *f = fopen(path, "wx");

    for (const char *line = starter; f && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t name = strcspn(line, ":\n");

        for (unsigned int i = 0; i < l->nr_questions; i++)
            if (line[name] == ':' && strlen(l->question[i].name) == name && !strncmp(line, l->question[i].name, name))
                fprintf(f, "\n# %u. %s\n", i + 1, l->property[i].what);
        fprintf(f, "%.*s\n", (int)strcspn(line, "\n"), line);
    }
    return !f || fclose(f) ? lab_complain("%s: %s", path, strerror(errno)) : STATUS_OK;
}

/* In the folder: the text, and what the student completes. */
static int folder_fill(const struct lab *l, const char *folder, char *const *starter)
{
    char path[4400], *text;
    int rc;

    snprintf(path, sizeof(path), "%s/lab.md", l->path);
    text = lab_file_read(path);
    if (!text)
        return STATUS_ENVIRONMENT;
    snprintf(path, sizeof(path), "%s/lab.md", folder);
    rc = lab_file_write(path, text);
    for (unsigned int i = 0; !rc && i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, lab_file_of(l, i));
        rc = l->nr_questions ? starter_write(l, path, starter[i]) : lab_file_write(path, starter[i]);
    }
    free(text);
    return rc;
}

/* --- the two tests --- */

/* What a check of some steps says: the first property that fails; or NULL, and *input is what they are, to be freed. */
static const struct finding *failing(const struct check *c)
{
    for (unsigned int i = 0; i < c->lab->nr_properties; i++)
        if (c->finding[i].verdict == VERDICT_FAIL)
            return &c->finding[i];
    return NULL;
}

static int test_make(const struct check *c, const char *name, uint64_t seed, const uint32_t *step, size_t nr,
                     const struct finding *f)
{
    char path[4400];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", c->folder, name);
    out = fopen(path, "wx");
    if (!out)
        return lab_complain("%s: %s", path, strerror(errno));
    if (f) {
        fprintf(out, "# A test that fails with what you begin with. What is done in it:%s\n",
                f->input && *f->input ? "" : " all is made ready, before the first step");
        for (const char *line = f->input; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
            fprintf(out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
        fprintf(out, "# and what is to come of it: %s\n", f->expected);
    } else {
        fputs("# A test that passes with what you begin with.\n", out);
    }
    fprintf(out, "#\n#     xenlab lab check %u --test %s\n#\n# Change its numbers, or make others.\n", c->lab->number,
            name);
    testfile_write(out, seed, step, nr);
    if (!fclose(out))
        return STATUS_OK;
    lab_complain("%s: %s", path, strerror(errno));
    unlink(path);
    return STATUS_ENVIRONMENT;
}

/* A step that goes well; false: there is none among the first. */
static bool step_passes(const struct check *as, uint64_t seed, uint32_t *step)
{
    for (*step = 0; *step < STEPS_TRIED; ++*step) {
        struct check c = *as;
        char keep[12];
        bool passes;

        snprintf(keep, sizeof(keep), "%u", *step);
        c.keep = keep;
        c.seed_from = c.seed_to = seed;
        passes = !check_run(&c) && !failing(&c);
        check_free(&c);
        if (passes)
            return true;
    }
    return false;
}

static void tests_make(const struct lab_place *p, const struct lab *l, const char *folder)
{
    const struct check as = student_check(p, l, folder);
    struct check c = as;
    const struct finding *f;
    uint32_t step;

    c.seed_to = c.seed_from;
    if (check_run(&c)) {
        lab_complain("no tests are made: what you begin with cannot be checked here: %s",
                     c.err[0] ? c.err : c.compiler);
    } else if ((f = failing(&c))) {
        test_make(&c, "failing.test", f->seed, f->step, f->shrunk, f);
        if (f->steps && step_passes(&as, f->seed, &step))
            test_make(&c, "passing.test", f->seed, &step, 1, NULL);
    }
    check_free(&c);
}

/* --- the command --- */

/* What is to be typed if the shell does not find xenlab, so that all that it tells to type works. */
static void path_print(void)
{
    char exe[4096], file[4400];
    const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    for (const char *path = getenv("PATH") ?: ""; *path; path += strcspn(path, ":"), path += *path == ':') {
        snprintf(file, sizeof(file), "%.*s/xenlab", (int)strcspn(path, ":"), path);
        if (!access(file, X_OK))
            return;
    }
    if (n <= 0)
        return;
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    printf("Your shell does not find xenlab yet. First: export PATH=\"%s:$PATH\"\n", exe);
}

/* A folder that nobody else makes at this time, locked; -1 and errno. */
static int folder_lock(const char *name)
{
    const int fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        close(fd);
        return -1;
    }
    return fd;
}

/* FOLDER.unfinished, which is new: what one that was broken off has left is gone. Its lock, or -1 and a message. */
static int unfinished_make(const char *folder, char name[4200])
{
    size_t len = strlen(folder);
    struct stat st;
    int fd;

    while (len > 1 && folder[len - 1] == '/')
        len--;
    snprintf(name, 4200, "%.*s.unfinished", (int)len, folder);
    if (!lstat(folder, &st))
        return lab_complain("%s: %s", folder, strerror(EEXIST)), -1;
    if ((fd = folder_lock(name)) >= 0) {
        folder_remove(name);
        close(fd);
    }
    if (mkdir(name, 0777))
        return lab_complain("%s: %s", errno == EEXIST ? name : folder, strerror(errno)), -1;
    fd = folder_lock(name);
    return fd >= 0 ? fd : (lab_complain("%s: %s", name, strerror(errno)), -1);
}

/* The folder, with all that is in it; or none. */
static int folder_begin(const struct lab_place *p, const struct lab *l, const char *folder, char *const *starter)
{
    char name[4200], *real;
    const int fd = unfinished_make(folder, name);
    int rc = fd < 0 ? STATUS_ENVIRONMENT : folder_fill(l, name, starter);

    if (!rc && !l->nr_questions && (real = realpath(name, NULL))) { /* questions are tests, each */
        tests_make(p, l, real);
        free(real);
    }
    if (!rc && rename(name, folder))
        rc = lab_complain("%s: %s", folder, strerror(errno));
    if (rc && fd >= 0)
        folder_remove(name);
    if (fd >= 0)
        close(fd);
    return rc;
}

int lab_start(const struct lab_place *p, int argc, char *const *argv)
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
        rc = folder_begin(p, l, folder, starter);
        lab_sources_free(l, starter);
    }
    lab_sources_free(l, source);
    if (!rc) {
        printf("%s/lab.md is the text, ", folder);
        for (unsigned int i = 0; i < l->nr_files; i++)
            printf("%s%s/%s", !i ? "" : i + 1 < l->nr_files ? ", " : " and ", folder, lab_file_of(l, i));
        printf(" what you complete.\n");
        if (l->nr_bodies)
            printf("Headers that they name are in %s/labs/include.\n", p->built);
        path_print();
        if (strcmp(folder, l->name)) /* only of that name is it found from beside it, too */
            printf("Then: cd %s && xenlab lab check\n", folder);
        else
            printf("Then: xenlab lab check %u\n", l->number);
    }
    return rc;
}
