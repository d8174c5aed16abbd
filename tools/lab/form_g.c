// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form G: a file of a guest's, which an unchanged xenlab runs.
 *
 * Concept: the student's objects are linked with the lab's check/guest.o and the runtime for guests into a kernel, in
 * front of what they take the place of. That is run by xenlab, as any guest is, but in the sandbox. What it prints with
 * "lab: " in front is its report; what it prints besides is nobody's business, so that a student may use printf. How
 * often it did something is not asked of the guest: xenlab counts it (--stats), and speaks last.
 *
 *      lab: step 3 pfn_to_mfn(17)          step 3 pfn_to_mfn(17)
 *      lab: fact p2m 0x7ca          -->    fact p2m 0x7ca
 *      here I am                           count memory_op 388        for which lab.conf has a budget
 *      lab: end                            end
 *        memory_op          388
 *
 * Invariant: a count is of what stands behind the last line `time`, where the statistics begin, and a guest has ended
 * before those.
 */
#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VTIME "20s"

/* Of `xenlab run`: it could not be done; a guest crashed; a limit was reached, or no guest can ever run again. */
enum { STATUS_CANNOT = 1, STATUS_CRASHED = 2, STATUS_NOTHING_RUNS = 3 };

static const struct run_limits guest_limits = { .cpu = 5, .output = 8 << 20 };

static int build(struct check *c)
{
    char *report = check_path("%s/labs/%s/check/guest.o", c->built, c->lab->name),
         *kit = check_path("%s/labs/kit/guest.a", c->built);
    const struct program p = { "guest", "labs/guest_cflags", "labs/guest_ldflags", { report, kit, "-lgcc" }, false };
    const int rc = report && kit ? check_program(c, &p) : check_fail(c, "not enough memory");

    free(report), free(kit);
    return rc;
}

/* "  memory_op      388": the number. 0: nothing is said of it, so there was none. */
static unsigned long long counted(const char *stats, const char *name)
{
    const size_t len = strlen(name);

    for (const char *line = stats; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        const char *word = line + strspn(line, " ");

        if (word > line && !strncmp(word, name, len) && word[len] == ' ')
            return strtoull(word + len, NULL, 10);
    }
    return 0;
}

/* The last line `time` and what follows; NULL: there are no statistics. */
static const char *stats_find(const char *out)
{
    const char *stats = NULL;

    for (const char *at = out; (at = strstr(at, "\ntime\n")); at++)
        stats = at + 1;
    return stats;
}

/* How it ended, from what was said of it: a panic of the guest's own, or a crash as Xen tells it. */
static void end_say(struct run *r, const char *out)
{
    static const char *const words[] = { "panic: ", "Domain ", "xenlab: " };
    char why[RUN_ERR_SIZE - 40] = "";

    for (unsigned int i = r->status == STATUS_CRASHED ? 0 : 2; i < 3 && !why[0]; i++)
        for (const char *at = out; (at = strstr(at, words[i])); at++)
            snprintf(why, sizeof(why), "%.*s", (int)strcspn(at, "\r\n"), at);
    snprintf(r->ended, sizeof(r->ended), "%s%s%s", r->status == STATUS_CRASHED ? "the guest crashed" : "it cannot run",
             why[0] ? ": " : "", why);
}

/* The line of the report that is here, or NULL. With another guest beside it the console has its number in front. */
static const char *marked(const char *line, size_t *len)
{
    static const char *const marks[] = { "lab: ", "[d1] lab: " };

    *len = strcspn(line, "\r\n");
    for (unsigned int i = 0; i < 2; i++)
        if (!strncmp(line, marks[i], strlen(marks[i]))) {
            *len -= strlen(marks[i]);
            return line + strlen(marks[i]);
        }
    return NULL;
}

/* Console and statistics, made a report of. */
static bool edit(const struct lab *lab, struct run *r)
{
    char *out = malloc(r->len + 1), *text = NULL;
    const char *stats;
    size_t size = 0, len;
    FILE *f = open_memstream(&text, &size);
    bool ended = false;

    if (!out || !f)
        return false;
    memcpy(out, r->out, r->len);
    out[r->len] = '\0';
    for (size_t i = 0; i < r->len; i++)
        if (!out[i])
            out[i] = '?';
    stats = stats_find(out);
    for (const char *at = out; *at && (!stats || at < stats) && !ended; at += strcspn(at, "\n"), at += !!*at) {
        const char *line = marked(at, &len);

        ended = line && len == 3 && !strncmp(line, "end", len);
        if (line && !ended)
            fprintf(f, "%.*s\n", (int)len, line);
    }
    for (unsigned int i = 0; ended && stats && i < lab->nr_properties; i++)
        if (lab->property[i].factor > 0)
            fprintf(f, "count %s %llu\n", lab->property[i].name, counted(stats, lab->property[i].name));
    if (ended)
        fputs("end\n", f);
    if (ended && r->status == STATUS_NOTHING_RUNS)
        r->ended[0] = '\0'; /* the one beside it need not end */
    else if (r->status == STATUS_NOTHING_RUNS)
        snprintf(r->ended, sizeof(r->ended), "the guest waits for ever, or has not ended in " MAX_VTIME " of its time");
    else if (r->status == STATUS_CRASHED || r->status == STATUS_CANNOT)
        end_say(r, out);
    free(out);
    if (fclose(f))
        return false;
    free(r->out);
    r->out = text;
    r->len = size;
    return true;
}

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    char digits[24], *libraries = check_engine(c), *xenlab = check_path("%s/xenlab", c->built);
    char *guest = golden ? check_path("%s/labs/%s/golden_guest", c->built, c->lab->name)
                         : check_path("%s/.build/guest", c->folder);
    char *words = check_path("seed=%llu%s%s", (unsigned long long)seed, keep ? " keep=" : "", keep ?: "");
    char *beside = c->lab->beside ? check_path("%s/%s", c->root, c->lab->beside) : NULL;
    const char *argv[] = { xenlab,    "run",       "-q",  "--seed", digits, "--stats", "--max-vtime",
                           MAX_VTIME, "--cmdline", words, guest,    beside, NULL };
    const char *see[] = { xenlab, libraries, guest, beside, NULL };
    const struct sandbox s = {
        .see = see, .fd = -1, .single = true, .cpu = guest_limits.cpu, .file = UINT64_C(1) << 30, .bare = c->bare
    };
    int rc = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (!xenlab || !libraries || !guest || !words || (c->lab->beside && !beside))
        check_fail(c, "not enough memory");
    else
        rc = check_report(c, &s, argv, &guest_limits, edit, r);
    free(libraries), free(xenlab), free(guest), free(words), free(beside);
    return rc;
}

const struct form form_g = { .name = "G", .build = build, .report = report };
