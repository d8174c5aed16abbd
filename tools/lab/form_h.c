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
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

static int build(struct check *c)
{
    char *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit/kit.a", c->built);
    const struct program p = { "facts", "labs/cflags", "labs/ldflags", { report, library, kit, library } };
    const int rc = report && library && kit ? check_program(c, &p) : check_fail(c, "not enough memory");

    free(report), free(library), free(kit);
    return rc;
}

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

const struct form form_h = { "H", build, report, NULL, NULL };
