// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form H: files of the hypervisor's, of which the student's take the place.
 *
 * Concept: the student's objects are linked into the program that reports facts, in front of the library, so that
 * nothing of xenlab's own that they define is taken. What they left out would bring in all of xenlab's own file, and an
 * empty file would pass: so they are first joined to one object, "whole", and the linker is told of each symbol that
 * xenlab's own files define (build/labs/NN/whole) that it must be there.
 *
 *      source --compile--> emulate.o --join--> whole.o + check/facts.o + kit.a + libxenlab.a --> .build/facts
 *      .build/facts --seed 7--> report
 *      golden       --seed 7--> report         xenlab's own file, built beforehand
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

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
    rc = flags ? check_link(c, flags, gathering) : check_fail(c, "not enough memory");
    free(flags);
    return rc;
}

/* The program: what reports, the student's object, the library. */
static int link_facts(struct check *c, const char *whole)
{
    char *facts = check_path("%s/.build/facts", c->folder),
         *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit/kit.a", c->built);
    const char *const linking[] = { report, whole, kit, library, "-o", facts, NULL };
    int rc = -1;

    if (!facts || !report || !library || !kit)
        check_fail(c, "not enough memory");
    else
        rc = check_link(c, "labs/ldflags", linking);
    free(facts), free(report), free(library), free(kit);
    return rc;
}

/* One file of the student's. */
static int compile(struct check *c, unsigned int i, const char *object)
{
    char *source = check_path("%s/%s", c->folder, lab_file_of(c->lab, i));
    const int rc = !source ? check_fail(c, "not enough memory")
                           : check_compile(c, "labs/cflags", (const char *const[]){ "-c", source, "-o", object, NULL });

    free(source);
    return rc;
}

static int build(struct check *c)
{
    char *object[LAB_FILES_MAX] = { NULL }, *whole = check_path("%s/.build/whole.o", c->folder);
    const char *made[LAB_FILES_MAX + 3] = { "facts", "whole.o" };
    int rc = whole ? 0 : check_fail(c, "not enough memory");

    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++) {
        object[i] = check_path("%s/.build/%.*s.o", c->folder, (int)strcspn(lab_file_of(c->lab, i), "."),
                               lab_file_of(c->lab, i));
        if (object[i])
            made[2 + i] = strrchr(object[i], '/') + 1;
        else
            rc = check_fail(c, "not enough memory");
    }
    rc = rc ?: check_work(c, made);
    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++)
        rc = compile(c, i, object[i]);
    rc = rc ?: gather(c, (const char *const *)object, whole) ?: link_facts(c, whole);
    free(whole);
    for (unsigned int i = 0; i < c->lab->nr_files; i++)
        free(object[i]);
    return rc;
}

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    char digits[24], *libraries = check_path("%s/build/deps", c->root);
    char *program =
        golden ? check_path("%s/labs/%s/golden", c->built, c->lab->name) : check_path("%s/.build/facts", c->folder);
    const char *argv[] = { program, "--seed", digits, keep ? "--keep" : NULL, keep, NULL };
    const char *see[] = { program, libraries, NULL };
    const struct sandbox s = { .see = see,
                               .fd = -1,
                               .single = true,
                               .cpu = facts_limits.cpu,
                               .memory = UINT64_C(4) << 30,
                               .file = 256 << 20,
                               .bare = c->bare };
    int rc = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (!program || !libraries)
        check_fail(c, "not enough memory");
    else
        rc = check_report(c, &s, argv, &facts_limits, r);
    free(program), free(libraries);
    return rc;
}

const struct form form_h = { "H", build, report };
