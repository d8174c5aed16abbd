// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form H: files of the hypervisor's, of which the student's take the place.
 *
 * Concept: the student's objects are linked into the program that reports facts, in front of the library: build.c.
 *
 *      source --compile--> emulate.o --join--> whole.o + check/facts.o + kit.a + libxenlab.a --> .build/facts
 *      .build/facts --seed 7--> report
 *      golden       --seed 7--> report         xenlab's own file, built beforehand
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>

static const struct run_limits facts_limits = { .cpu = 5, .output = 8 << 20 };

static int build(struct check *c)
{
    char *report = check_path("%s/labs/%s/check/facts.o", c->built, c->lab->name),
         *library = check_path("%s/libxenlab.a", c->built), *kit = check_path("%s/labs/kit/kit.a", c->built);
    const struct program p = { "facts", "labs/cflags", "labs/ldflags", { report, kit, library } };
    const int rc = report && library && kit ? check_program(c, &p) : check_fail(c, "not enough memory");

    free(report), free(library), free(kit);
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
        rc = check_report(c, &s, argv, &facts_limits, NULL, r);
    free(program), free(libraries);
    return rc;
}

const struct form form_h = { "H", build, report };
