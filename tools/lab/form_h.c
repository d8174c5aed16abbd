// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form H: files of the hypervisor's, of which the student's take the place.
 *
 * Concept: the student's objects are linked into the program that reports facts, in front of the library, so that
 * nothing of xenlab's own that they define is taken; what they leave out brings the whole of it in, and the linker
 * complains.
 *
 *      source --compile--> emulate.o + check/facts.o + kit.a + libxenlab.a --> .build/facts --seed 7--> report
 *      xenlab's own file: built beforehand ---------------------------------->  golden       --seed 7--> report
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

/* The program: what reports, the objects of the student's files, the library. */
static int link_facts(struct check *c, const char *const object[LAB_FILES_MAX])
{
    char *facts = check_path("%s/.build/facts", c->folder),
         *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit/kit.a", c->built);
    const char *linking[LAB_FILES_MAX + 6] = { report };
    unsigned int nr = 1;
    int rc = -1;

    for (unsigned int i = 0; i < c->lab->nr_files; i++)
        linking[nr++] = object[i];
    linking[nr++] = kit, linking[nr++] = library, linking[nr++] = "-o", linking[nr] = facts;
    if (!facts || !report || !library || !kit)
        check_fail(c, "not enough memory");
    else
        rc = check_compile(c, "labs/ldflags", linking);
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
    char *object[LAB_FILES_MAX] = { NULL };
    const char *made[LAB_FILES_MAX + 2] = { "facts" };
    int rc = 0;

    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++) {
        object[i] = check_path("%s/.build/%.*s.o", c->folder, (int)strcspn(lab_file_of(c->lab, i), "."),
                               lab_file_of(c->lab, i));
        if (object[i])
            made[1 + i] = strrchr(object[i], '/') + 1;
        else
            rc = check_fail(c, "not enough memory");
    }
    rc = rc ?: check_work(c, made);
    for (unsigned int i = 0; !rc && i < c->lab->nr_files; i++)
        rc = compile(c, i, object[i]);
    rc = rc ?: link_facts(c, (const char *const *)object);
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
                               .memory = UINT64_C(8) << 30,
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
