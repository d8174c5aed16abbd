// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form G: a file of a guest's, which an unchanged xenlab runs.
 *
 * Concept: the student's objects, made one (whole.o), are linked with the lab's check/guest.o and the runtime for
 * guests (kit/guest.o) into a kernel. That is run by xenlab, as any guest is, but in the sandbox, and with a witness
 * beside it that the guest cannot reach (tools/debug/witness.c): that says what the checks report, and nothing of what
 * anybody else in there says, so that a student may use printf. How often something was done is not asked of the guest:
 * xenlab counts it, and the witness says it last.
 *
 *      step 3 pfn_to_mfn(17)
 *      fact p2m 0x7ca
 *      count memory_op 388        for which lab.conf has a budget
 *      end                        or: ended the guest crashed: panic: no idea
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDED "ended "

static const struct run_limits guest_limits = { .cpu = 5, .output = 8 << 20 };

static int build(struct check *c)
{
    char *report = check_path("%s/labs/%s/check/guest.o", c->built, c->lab->name),
         *kit = check_path("%s/labs/kit/guest.o", c->built);
    const struct program p = { "guest", "labs/guest_cflags", "labs/guest_ldflags", { report, kit, "-lgcc" }, false };
    const int rc = report && kit ? check_program(c, &p) : check_fail(c, "not enough memory");

    free(report), free(kit);
    return rc;
}

/* How it ended, if not with its report, is the last line, and not a part of it. */
static bool edit(const struct lab *lab, struct run *r)
{
    size_t at = r->len;

    (void)lab;
    while (at && (at == r->len || r->out[at - 1] != '\n'))
        at--;
    if (r->len - at > sizeof(ENDED) && !memcmp(r->out + at, ENDED, sizeof(ENDED) - 1)) {
        snprintf(r->ended, sizeof(r->ended), "%.*s", (int)(r->len - at - sizeof(ENDED)),
                 r->out + at + sizeof(ENDED) - 1);
        r->len = at;
    }
    return true;
}

/* "instructions,memory_op": what has a budget. */
static char *counts(const struct lab *lab)
{
    char *text = strdup(","), *more;

    for (unsigned int i = 0; text && i < lab->nr_properties; i++)
        if (lab->property[i].factor > 0) {
            more = check_path("%s%s,", text, lab->property[i].name);
            free(text);
            text = more;
        }
    return text;
}

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    char digits[24], *libraries = check_engine(c), *xenlab = check_path("%s/xenlab", c->built);
    char *guest = golden ? check_path("%s/labs/%s/golden_guest", c->built, c->lab->name)
                         : check_path("%s/.build/guest", c->folder);
    char *words = check_path("seed=%llu%s%s", (unsigned long long)seed, keep ? " keep=" : "", keep ?: "");
    char *budgets = counts(c->lab), *beside = c->lab->beside ? check_path("%s/%s", c->root, c->lab->beside) : NULL;
    const char *argv[] = {
        xenlab, "lab", "witness", budgets, "--seed", digits, "--cmdline", words, guest, beside, NULL
    };
    const char *see[] = { xenlab, libraries, guest, beside, NULL };
    const struct sandbox s = {
        .see = see, .fd = -1, .single = true, .cpu = guest_limits.cpu, .file = UINT64_C(1) << 30, .bare = c->bare
    };
    int rc = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (!xenlab || !libraries || !guest || !words || !budgets || (c->lab->beside && !beside))
        check_fail(c, "not enough memory");
    else
        rc = check_report(c, &s, argv, &guest_limits, edit, r);
    free(libraries), free(xenlab), free(guest), free(words), free(beside), free(budgets);
    return rc;
}

const struct form form_g = { .name = "G", .build = build, .report = report };
