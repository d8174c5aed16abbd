// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The compiler, on what a student wrote: see form.h.
 *
 * Concept: it is run in the sandbox as well, since a source may name any file as an include; all that it can write to
 * is a folder beside the student's file, and what was compiled there before is no longer there when it begins. It sees
 * headers, and no other text of xenlab's: the answer is nothing that one may include. The linker sees objects, since it
 * takes no orders from them.
 *
 * The student's objects stand in front of what has xenlab's own, so that nothing of that is taken. What they left out
 * would bring in all of xenlab's own file, and an empty file would pass: so they are first joined to one object,
 * "whole", and the linker is told of each symbol that xenlab's own files define (build/labs/NN/whole) that it must be
 * there.
 *
 * Invariant: what it says names no place of this machine's, so that it is the same on each.
 */
#include "tools/lab/form.h"
#include "tools/lab/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GCC           "/usr/bin/gcc" /* which the flags are for, even where cc is another one */
#define MAX_WORDS     256
#define SAID_MAX      (16 << 10)  /* of what the compiler says, in bytes */
#define FILE_SIZE_MAX (64u << 20) /* of what it makes */

/* What belongs to a program with the compiler's own checks in it is not seen by fresh.h. */
#define CAREFUL      "-fsanitize=address,undefined", "-fno-sanitize-recover=all"
#define CAREFUL_NAME ".careful-"

static const struct run_limits compile_limits = { .cpu = 30, .output = 4 << 20 };

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

/* A word of a file of flags, to be freed: @ROOT@ and @BUILT@ in it are where things are here. */
static char *word_place(const struct check *c, const char *word)
{
    static const char root[] = "@ROOT@", built[] = "@BUILT@";
    const char *at = strstr(word, root), *in = c->root;
    size_t len = sizeof(root) - 1;

    if (!at)
        at = strstr(word, built), in = c->built, len = sizeof(built) - 1;
    return at ? check_path("%.*s%s%s", (int)(at - word), word, in, at + len) : strdup(word);
}

/* The words of a file, after those that are there; each is to be freed. */
static bool words_read(const struct check *c, const char *path, const char **word, unsigned int *nr)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    bool got = f && getdelim(&text, &size, '\0', f) > 0;

    if (f)
        fclose(f);
    for (char *w = got ? strtok(text, " \n") : NULL; w && got; w = strtok(NULL, " \n")) {
        got = *nr < MAX_WORDS - 8 && (word[*nr] = word_place(c, w));
        *nr += got;
    }
    free(text);
    return got;
}

/* Where a file is, in what the compiler says, taken out. */
static void places_cut(char *text, const char *place)
{
    const size_t len = strlen(place);

    for (char *at = text; (at = strstr(at, place));)
        memmove(at, at + len + (at[len] == '/'), strlen(at + len + (at[len] == '/')) + 1);
}

/* What it said, of a file that it refused. 0, -1. */
static int refusal_keep(struct check *c, const struct run *r, const char *headers)
{
    const int len = (int)(r->len < SAID_MAX ? r->len : SAID_MAX);
    const bool end = !len || r->limited; /* how it ended has to be said */

    c->compiler = check_path("%.*s%s%s%s%s", len, r->out, len == SAID_MAX ? "...\n" : "", end ? "the compiler: " : "",
                             end ? r->ended : "", end ? "\n" : "");
    if (!c->compiler)
        return check_fail(c, "not enough memory");
    places_cut(c->compiler, headers);
    places_cut(c->compiler, c->folder);
    return 0;
}

/* There was no room for what it makes: that is no mistake in what it was given, which may as well say so. */
static bool no_room(const char *said, const char *work)
{
    struct statvfs fs;

    return strstr(said, strerror(ENOSPC)) && !statvfs(work, &fs) && fs.f_bavail * fs.f_frsize < FILE_SIZE_MAX;
}

/* What is given, then the words of a file of flags. see[]: what it may look at, besides itself. */
static int run_cc(struct check *c, const char *flags, const char *const *what, const char *const *see,
                  const char *headers)
{
    const char *word[MAX_WORDS] = { access(GCC, X_OK) ? "/usr/bin/cc" : GCC, "-B/usr/bin", "-pipe" };
    unsigned int nr = 3, given;
    char *path = check_path("%s/%s", c->built, flags), *work = check_path("%s/.build", c->folder),
         *here = check_path("-ffile-prefix-map=%s=.", c->folder);
    const struct sandbox s = { .see = see,
                               .write = work,
                               .fd = -1,
                               .file = FILE_SIZE_MAX,
                               .cpu = compile_limits.cpu,
                               .memory = UINT64_C(4) << 30,
                               .bare = c->bare };
    struct run r = { 0 };
    char why[RUN_ERR_SIZE] = "";
    int rc = -1;

    word[nr++] = here;
    while (*what)
        word[nr++] = *what++;
    given = nr;
    if (!path || !work || !here || !words_read(c, path, word, &nr)) {
        check_fail(c, "%s cannot be read: what is it to be compiled with?", path ?: "flags");
    } else {
        word[nr] = NULL;
        rc = run_program(&s, word, &compile_limits, &r, why);
        if (rc)
            check_fail(c, "the compiler cannot be started: %s", why);
        else if (!r.ok)
            rc = refusal_keep(c, &r, headers) ? -1
                 : no_room(c->compiler, work) ? check_fail(c, "%s: %s", work, strerror(ENOSPC))
                                              : 1;
    }
    c->sandboxed = r.wrapped;
    run_free(&r);
    while (nr > given)
        free((char *)(uintptr_t)word[--nr]);
    free(path), free(work), free(here);
    return rc;
}

#define TOOLS "/usr/bin", "/usr/include", "/usr/libexec", "/etc/alternatives"

char *check_engine(const struct check *c)
{
    char *here = check_path("%s/build/deps", c->root);

    if (here && !access(here, F_OK))
        return here;
    free(here);
    return check_path("%s/libunicorn.so.2", c->built);
}

static int compile(struct check *c, const char *flags, const char *const *what)
{
    char *headers = check_path("%s/labs/include", c->built), *libraries = check_engine(c);
    const char *see[] = { TOOLS, headers, libraries, c->folder, c->lab->path, NULL };
    const int rc = headers && libraries ? run_cc(c, flags, what, see, headers) : check_fail(c, "not enough memory");

    free(headers), free(libraries);
    return rc;
}

static int link_all(struct check *c, const char *flags, const char *const *what)
{
    char *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit", c->built),
         *own = check_path("%s/labs/%s/check", c->built, c->lab->name), *guests = check_path("%s/guests", c->built),
         *libraries = check_engine(c);
    const char *see[] = { TOOLS, library, kit, own, guests, libraries, c->folder, NULL };
    const int rc = library && kit && own && guests && libraries ? run_cc(c, flags, what, see, c->built)
                                                                : check_fail(c, "not enough memory");

    free(library), free(kit), free(own), free(guests), free(libraries);
    return rc;
}

/* The folder, without what was made there before. */
static int work_make(struct check *c, const char *const made[])
{
    char *work = check_path("%s/.build", c->folder);
    int rc = 0;

    if (!work)
        rc = check_fail(c, "not enough memory");
    else if ((mkdir(work, 0777) && errno != EEXIST) || chmod(work, geteuid() ? 0755 : 0777))
        rc = check_fail(c, "%s: %s", work, strerror(errno)); /* without bubblewrap root's are nobody's to write */
    for (; !rc && *made; made++) {
        char *path = check_path("%s/%s", work, *made);

        if (!path || (unlink(path) && errno != ENOENT))
            rc = check_fail(c, "%s: %s", path ?: work, strerror(errno));
        free(path);
    }
    free(work);
    return rc;
}

/* One file of the student's. */
static int compile_file(struct check *c, const struct program *p, unsigned int i, const char *object)
{
    char *source = check_path("%s/%s", c->folder, lab_file_of(c->lab, i));
    const char *const plain[] = { "-c", source, "-o", object, NULL };
    const char *const careful[] = { CAREFUL, "-c", source, "-o", object, NULL };
    const int rc = !source ? check_fail(c, "not enough memory") : compile(c, p->cflags, p->careful ? careful : plain);

    free(source);
    return rc;
}

/* One object of the student's files, if it has all that xenlab's own have: see the head. */
static int gather(struct check *c, const char *const object[LAB_FILES_MAX], const char *whole)
{
    const char *gathering[LAB_FILES_MAX + 6] = { "-r", "-nostdlib", "-Wl,-d" };
    unsigned int nr = 3;
    char *flags = check_path("labs/%s/whole", c->lab->name);
    int rc;

    for (unsigned int i = 0; i < c->lab->nr_files; i++)
        gathering[nr++] = object[i];
    gathering[nr++] = "-o", gathering[nr] = whole;
    rc = flags ? link_all(c, flags, gathering) : check_fail(c, "not enough memory");
    free(flags);
    return rc;
}

/* What reports, the student's object, the rest. */
static int link_program(struct check *c, const struct program *p, const char *whole)
{
    char *program = check_path("%s/.build/%s", c->folder, p->name);
    const char *linking[10] = { p->what[0], whole };
    static const char *const careful[] = { CAREFUL };
    unsigned int nr = 2;
    int rc;

    for (unsigned int i = 0; i < 2 && p->careful; i++)
        linking[nr++] = careful[i];
    for (unsigned int i = 1; i < 4 && p->what[i]; i++)
        linking[nr++] = p->what[i];
    linking[nr++] = "-o", linking[nr] = program;
    rc = program ? link_all(c, p->ldflags, linking) : check_fail(c, "not enough memory");
    free(program);
    return rc;
}

int check_program(struct check *c, const struct program *p)
{
    const char *const mark = p->careful ? CAREFUL_NAME : "";
    char *object[LAB_FILES_MAX] = { NULL }, *whole = check_path("%s/.build/%swhole.o", c->folder, mark);
    const char *made[LAB_FILES_MAX + 4] = { p->name, whole ? strrchr(whole, '/') + 1 : NULL, CAREFUL_NAME "facts" };
    int rc = whole ? 0 : check_fail(c, "not enough memory");

    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++) {
        object[i] = check_path("%s/.build/%s%.*s.o", c->folder, mark, (int)strcspn(lab_file_of(c->lab, i), "."),
                               lab_file_of(c->lab, i));
        if (object[i])
            made[3 + i] = strrchr(object[i], '/') + 1;
        else
            rc = check_fail(c, "not enough memory");
    }
    rc = rc ?: work_make(c, made);
    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++)
        rc = compile_file(c, p, i, object[i]);
    rc = rc ?: gather(c, (const char *const *)object, whole) ?: link_program(c, p, whole);
    free(whole);
    for (unsigned int i = 0; i < c->lab->nr_files; i++)
        free(object[i]);
    return rc;
}

int check_runs(struct check *c)
{
    struct statvfs fs;

    if (statvfs(c->folder, &fs) || !(fs.f_flag & ST_NOEXEC))
        return 0;
    return check_fail(c, "%s: nothing can be run there, as it is mounted noexec", c->folder);
}

int check_report(struct check *c, const struct sandbox *s, const char *const argv[], const struct run_limits *limits,
                 bool (*edit)(const struct lab *lab, struct run *run), struct report *report)
{
    char why[RUN_ERR_SIZE] = "";
    struct run r = { 0 };
    int rc = 0;

    if (run_program(s, argv, limits, &r, why))
        rc = check_fail(c, "%s cannot be started: %s", argv[0], why);
    else if ((edit && !edit(c->lab, &r)) || !facts_read(&report->facts, r.out, r.len))
        rc = check_fail(c, "not enough memory");
    report->limited = r.limited;
    c->sandboxed = r.wrapped;
    snprintf(report->ended, sizeof(report->ended), "%s", report->facts.wrong[0] ? report->facts.wrong : r.ended);
    run_free(&r);
    return rc;
}
