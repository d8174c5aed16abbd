// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form H: files of the hypervisor's, of which the student's take the place.
 *
 * Concept: the student's objects are linked into the program that reports facts, in front of the library: build.c.
 *
 *      source --compile--> emulate.o --join--> whole.o + check/facts.o + libxenlab.a + kit.a --> .build/facts
 *      .build/facts --seed 7--> report
 *      golden       --seed 7--> report         xenlab's own file, built beforehand
 *
 * Where what is reported could be said without having done it ("nothing is lost"), the student's program only logs what
 * its code does, and the golden one replays that and reports (labs/kit/interleave.h).
 *
 * A second program, .build/.careful-facts, has the compiler's own checks in the student's objects. Nothing is judged by
 * it: what it says where it stops is advice.
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

static int program(struct check *c, const char *name, bool careful)
{
    char *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit/kit.a", c->built);
    const struct program p = { name, "labs/cflags", "labs/ldflags", { report, library, kit, library }, careful };
    const int rc = report && library && kit ? check_program(c, &p) : check_fail(c, "not enough memory");

    free(report), free(library), free(kit);
    return rc;
}

static int build(struct check *c) { return check_runs(c) ?: program(c, "facts", false); }

/* Run it: of a report, or (log) of what the student's code does. `fd` becomes its descriptor 3. */
static int run(struct check *c, const char *program, const char *const argv[], int fd, struct report *r,
               struct run *log)
{
    char why[RUN_ERR_SIZE] = "", *libraries = check_engine(c);
    const char *see[] = { program, libraries, NULL };
    const struct sandbox s = { .see = see,
                               .fd = fd,
                               .single = true,
                               .cpu = facts_limits.cpu,
                               .memory = UINT64_C(8) << 30,
                               .file = 256 << 20,
                               .bare = c->bare };
    int rc = libraries ? 0 : check_fail(c, "not enough memory");

    if (!rc && log && run_program(&s, argv, &facts_limits, log, why))
        rc = check_fail(c, "%s cannot be started: %s", program, why);
    else if (!rc && !log)
        rc = check_report(c, &s, argv, &facts_limits, NULL, r);
    free(libraries);
    return rc;
}

/* What it printed, as a file that is read from its beginning. */
static int log_file(const struct run *log)
{
    const int fd = memfd_create("log", MFD_CLOEXEC);
    size_t done = 0;
    ssize_t n;

    while (fd >= 0 && done < log->len && (n = write(fd, log->out + done, log->len - done)) > 0)
        done += (size_t)n;
    if (fd < 0 || done < log->len || lseek(fd, 0, SEEK_SET)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The student's program does, the golden one reports. */
static int replay(struct check *c, const char *facts, const char *golden, const char *seed, const char *keep,
                  struct report *r)
{
    const char *doing[] = { facts, "--seed", seed, "--log", "yes", keep ? "--keep" : NULL, keep, NULL };
    const char *reporting[] = { golden, "--seed", seed, "--replay", "3", keep ? "--keep" : NULL, keep, NULL };
    struct run log = { 0 };
    int rc = run(c, facts, doing, -1, NULL, &log), fd = rc ? -1 : log_file(&log);

    if (!rc && fd < 0)
        rc = check_fail(c, "what it did cannot be kept");
    rc = rc ?: run(c, golden, reporting, fd, r, NULL);
    if (!rc && (log.ended[0] || log.limited)) {
        snprintf(r->ended, sizeof(r->ended), "%s", log.ended);
        r->limited = log.limited;
    }
    if (fd >= 0)
        close(fd);
    run_free(&log);
    return rc;
}

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    char digits[24], *own = check_path("%s/labs/%s/golden", c->built, c->lab->name),
                     *facts = check_path("%s/.build/facts", c->folder);
    const char *program = golden ? own : facts;
    const char *argv[] = { program, "--seed", digits, keep ? "--keep" : NULL, keep, NULL };
    int rc;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (!own || !facts)
        rc = check_fail(c, "not enough memory");
    else if (c->lab->replay && !golden)
        rc = replay(c, facts, own, digits, keep, r);
    else
        rc = run(c, program, argv, -1, r, NULL);
    free(own), free(facts);
    return rc;
}

/* --- with the compiler's own checks in it --- */

#define CAREFUL "%s/.build/.careful-facts"

/*
 *      emulate.c:47:13: runtime error: index 17 out of bounds for type 'int [16]'     in front of it: the folder
 *      ==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x... at pc 0x...
 *          #0 0x... in emulate_kernel emulate.c:47
 */
static void complaint(const struct check *c, const char *out, char said[CHECK_TEXT])
{
    static const char error[] = "ERROR: AddressSanitizer: ";
    const char *at = strstr(out, ": runtime error: "), *where = NULL;
    const size_t folder = strlen(c->folder);
    char name[80];

    if (at) {
        while (at > out && at[-1] != '\n')
            at--;
        at += strncmp(at, c->folder, folder) ? 0 : folder + 1;
        snprintf(said, CHECK_TEXT, "%.*s", (int)strcspn(at, "\n"), at);
        return;
    }
    at = strstr(out, error);
    if (!at)
        return;
    at += sizeof(error) - 1;
    for (unsigned int i = 0; i < c->lab->nr_files && !where; i++) {
        snprintf(name, sizeof(name), "%.60s:", lab_file_of(c->lab, i));
        where = strstr(at, name);
    }
    snprintf(said, CHECK_TEXT, "%.*s%s%.*s", (int)strcspn(at, " \n"), at, where ? " at " : "",
             where ? (int)strcspn(where, "\n") : 0, where ?: "");
}

/* One run of it. */
static int careful_run(struct check *c, uint64_t seed, const char *keep, char said[CHECK_TEXT])
{
    char digits[24], why[RUN_ERR_SIZE], *facts = check_path(CAREFUL, c->folder), *libraries = check_engine(c), *text;
    const char *see[] = { facts, libraries, NULL };
    const char *argv[10] = { facts, "--seed", digits, keep ? "--keep" : "--seed", keep ?: digits };
    const struct sandbox s = {
        .see = see, .fd = -1, .single = true, .proc = true, .cpu = facts_limits.cpu, .file = 256 << 20, .bare = c->bare
    };
    struct run r = { 0 };

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (c->lab->replay)
        argv[5] = "--log", argv[6] = "yes";
    if (facts && libraries && !run_program(&s, argv, &facts_limits, &r, why) && (text = strndup(r.out, r.len))) {
        complaint(c, text, said);
        free(text);
    }
    run_free(&r);
    free(facts), free(libraries);
    return said[0] != '\0';
}

static bool careful_build(struct check *c)
{
    char *facts = check_path(CAREFUL, c->folder);
    const bool sandboxed = c->sandboxed, built = facts && (!access(facts, X_OK) || !program(c, ".careful-facts", true));

    free(facts);
    free(c->compiler); /* a compiler without such checks is none the worse */
    c->compiler = NULL;
    c->err[0] = '\0';
    c->sandboxed = sandboxed;
    return built;
}

static void careful(struct check *c, uint64_t seed, const char *keep, char said[CHECK_TEXT])
{
    const bool sandboxed = c->sandboxed;

    said[0] = '\0';
    if (careful_build(c))
        careful_run(c, seed, keep, said);
    c->err[0] = '\0';
    c->sandboxed = sandboxed;
}

const struct form form_h = {
    .name = "H", .build = build, .report = report, .careful_build = careful_build, .careful = careful
};
