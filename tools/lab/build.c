// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a student's file to the program that reports facts: see check.h.
 *
 * Concept: the compiler is run in the sandbox as well, since a source may name any file as an include; all that it can
 * write to is a folder beside the student's file. The object stands in front of the library, so that nothing of
 * xenlab's own that it defines is taken; what it leaves out brings the whole of it in, and the linker complains.
 */
#include "tools/lab/check_private.h"
#include "tools/lab/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WORDS 128

static const struct run_limits compile_limits = { .cpu = 60, .output = 256 << 10 };

int check_fail(struct check *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(c->err, sizeof(c->err), fmt, args);
    va_end(args);
    return -1;
}

char *check_path(const char *fmt, ...)
{
    va_list args;
    char *path = NULL;

    va_start(args, fmt);
    if (vasprintf(&path, fmt, args) < 0)
        path = NULL;
    va_end(args);
    return path;
}

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

/* The compiler: what is given, and flags and libraries from a file. 0; 1: it said why not; -1. */
static int compile(struct check *c, const char *flags, const char *const *what)
{
    const char *word[MAX_WORDS] = { "/usr/bin/cc", "-B/usr/bin" },
               *see[] = { "/usr/bin",          "/usr/include", "/usr/libexec",
                          "/etc/alternatives", c->root,        c->built,
                          c->folder,           c->lab->path,   NULL };
    unsigned int nr = 2;
    char *text = NULL, *path = check_path("%s/%s", c->built, flags), *work = check_path("%s/.build", c->folder);
    const struct sandbox s = {
        .see = see, .write = work, .fd = -1, .file = 64 << 20, .cpu = compile_limits.cpu, .bare = c->bare
    };
    struct run r = { 0 };
    char why[RUN_ERR_SIZE] = "";
    int rc = -1;

    while (*what)
        word[nr++] = *what++;
    if (!path || !work || !words_read(path, word, &nr, &text)) {
        check_fail(c, "%s cannot be read: what is it to be compiled with?", path ?: "flags");
    } else {
        word[nr] = NULL;
        rc = run_program(&s, word, &compile_limits, &r, why);
        if (rc)
            check_fail(c, "the compiler cannot be started: %s", why);
        else if (!r.ok)
            rc = 1;
    }
    if (rc == 1) {
        c->compiler = check_path("%.*s%s%s", (int)r.len, r.out, r.len ? "" : r.ended, r.len ? "" : "\n");
        if (!c->compiler)
            rc = check_fail(c, "not enough memory");
    }
    c->sandboxed = r.wrapped;
    run_free(&r);
    free(text);
    free(path);
    free(work);
    return rc;
}

int check_build(struct check *c)
{
    char *work = check_path("%s/.build", c->folder), *source = check_path("%s/%s", c->folder, lab_file_of(c->lab));
    char *object = check_path("%s/.build/student.o", c->folder), *facts = check_path("%s/.build/facts", c->folder);
    char *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built);
    char *kit = check_path("%s/labs/kit/kit.a", c->built);
    const char *const compiling[] = { "-c", source, "-o", object, NULL };
    const char *const linking[] = { report, object, kit, library, "-o", facts, NULL };
    int rc = -1;

    if (!work || !source || !object || !facts || !report || !library || !kit)
        check_fail(c, "not enough memory");
    else if (mkdir(work, 0777) && errno != EEXIST)
        check_fail(c, "%s: %s", work, strerror(errno));
    else if (access(source, R_OK))
        check_fail(c, "%s: %s", source, strerror(errno));
    else if (chmod(work, geteuid() ? 0755 : 0777)) /* without bubblewrap root's are nobody's to write */
        check_fail(c, "%s: %s", work, strerror(errno));
    else if (unlink(object), unlink(facts), true)
        rc = compile(c, "labs/cflags", compiling) ?: compile(c, "labs/ldflags", linking);
    free(work), free(source), free(object), free(facts), free(report), free(library), free(kit);
    return rc;
}
