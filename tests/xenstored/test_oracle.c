// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debian's xenstored 4.17 and ours are given the same random histories, and must say the same, byte by byte.
 *
 * Concept: history.c makes histories, play.c carries them out, and a peer is either (peer.h). Where the two have said
 * something different, the history is made shorter as long as they still do, and shown. A file of steps can be played
 * by hand: build/tests/xenstored/test_oracle FILE. ORACLE_HISTORIES=N tries so many, from ORACLE_SEED on.
 *
 * What may be different, and why:
 *
 * - A payload that is not the strings that it should be: which error Debian's tells is what its last failed call of the
 *   system has left behind; ours says EINVAL.
 * - The answer to XS_RELEASE: Debian's answers first and tells of the nodes that go with the domain afterwards; ours
 *   keeps the order of all other requests, events of a change before its answer.
 * - When a request that is too long ends a conversation, Debian's may not have put the last answers before it into
 *   the ring, or only a part, up to where the ring begins anew.
 * - When several domains have shut down or died at once, how often "@releaseDomain" is told: with Debian's that depends
 *   on the order in which its hash table has them.
 * - XS_CONTROL "quota" of a domain: Debian's goes on about transactions, requests and bytes of its own memory.
 *
 * A history in which Debian's dies (it aborts at times, when a guest's indices are wrong) shows nothing.
 *
 * What is not tried, since Debian's has its reasons in real time or in its process: its quota of memory, that who
 * writes much is heard later, that a guest who leaves an event unread for 20 s is not told any more (it is asked with
 * that off), live update, and files that it writes a log or a report of its memory to.
 *
 * Could it pass wrongly? Kinds of answers are counted, and must have been there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/xenstored/history.h"
#include "tests/xenstored/play.h"

#define HISTORIES 100

/* play.c's last words on a peer that has died. */
#define NOT_WELL "It was not well at its end."

/* --- comparing --- */

/* A step's number, and the line; 0: it is no step. */
static unsigned int step_number(const char *line) { return line[0] == ' ' ? 0 : (unsigned int)atoi(line); }

/* Has a request a payload that is not the strings that it should be? */
static bool is_shapeless(const char *step)
{
    static const char *const one[] = { "READ", "DIRECTORY", "GET_PERMS", "MKDIR", "RM" };
    char type[32] = "", tx[32] = "";
    int used = 0;
    size_t nuls = 0, len;

    if (strstr(step, " cut ")) /* what comes next is its end */
        return true;
    sscanf(step, "%*s %31s %31s %n", type, tx, &used);
    step += used;
    if (!strcmp(type, "SET_PERMS") && *step == '@') /* the same, of who may not */
        return true;
    len = strlen(step);
    for (const char *s = step; (s = strstr(s, "\\0")); s += 2)
        nuls++;
    for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
        if (!strcmp(type, one[i]))
            return nuls != 1 || len < 2 || strcmp(step + len - 2, "\\0");
    return false;
}

/* Lines of two transcripts, which are not equal: does that not matter? */
static bool may_differ(const char *real, const char *ours, const char *const *steps, size_t nr)
{
    const char *error = strrchr(ours, ' ');
    const size_t len = strlen(ours), head = error ? (size_t)(error - ours) : 0;
    unsigned int id;

    if (sscanf(ours, " %*s < ERROR #%u", &id) == 1 && !strncmp(real, ours, head))
        return !strcmp(error, " EINVAL\\0") &&
               (id == 0 || id > nr || is_shapeless(steps[id - 1])); /* or of raw bytes */
    return strstr(ours, "< CONTROL ") && strstr(ours, " Domain ") && len > 2 && !strncmp(real, ours, len - 2);
}

/*
 * Ours tells some messages before the conversation ends, of the first of which real tells a part or nothing. How many;
 * 0: it is not so.
 */
static size_t broken_off(const char *real, char *const *ours, size_t nr)
{
    size_t n = 0;

    while (n < nr && !strncmp(real, ours[n], 5) && strstr(ours[n], " < "))
        n++;
    if (n == nr || strncmp(real, ours[n], 5) || !strstr(ours[n], " error 3"))
        return 0;
    return strstr(real, " < part ") || !strcmp(real, ours[n]) ? n : 0;
}

/* The answer to XS_RELEASE goes behind the events of that connection. */
static void sort_release(char **line, size_t nr)
{
    char conn[8], other[8];

    for (size_t i = 0; i + 1 < nr; i++) {
        if (sscanf(line[i], " %7s < RELEASE #", conn) != 1 || !strstr(line[i], " < RELEASE #"))
            continue;
        if (sscanf(line[i + 1], " %7s < WATCH_EVENT", other) == 1 && strstr(line[i + 1], " < WATCH_EVENT") &&
            !strcmp(conn, other)) {
            char *const answer = line[i];

            line[i] = line[i + 1];
            line[i + 1] = answer;
        }
    }
}

static size_t lines(char *text, char **line, size_t max)
{
    size_t nr = 0;

    for (char *next; *text && nr < max; text = next) {
        next = strchr(text, '\n');
        if (!next)
            break;
        *next++ = 0;
        if (!nr || !strstr(text, " WATCH_EVENT #0 @releaseDomain") || strcmp(text, line[nr - 1]))
            line[nr++] = text;
    }
    sort_release(line, nr);
    return nr;
}

#define LINES 8192

/* How many kinds of answers there were. */
static unsigned long counted_ok, counted_errors, counted_events, counted_steps, counted_died;

static void count(char *const *line, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        counted_steps += step_number(line[i]) != 0;
        if (strstr(line[i], " < ERROR #"))
            counted_errors++;
        else if (strstr(line[i], " < WATCH_EVENT"))
            counted_events++;
        else if (strstr(line[i], " < "))
            counted_ok++;
    }
}

/* Have both peers said the same? show: where not is printed. */
static bool same(const struct peer_ops *a, const struct peer_ops *b, const char *const *steps, size_t nr, bool show)
{
    static char *la[LINES], *lb[LINES];
    char *ta, *tb;
    size_t na, nb, i = 0, j = 0, last = 0, last_b = 0, off;
    bool equal, died;

    play(a, steps, nr, &ta);
    play(b, steps, nr, &tb);
    na = lines(ta, la, LINES);
    nb = lines(tb, lb, LINES);
    while (i < na && j < nb) {
        if (step_number(la[i]))
            last = i, last_b = j;
        if (!strcmp(la[i], lb[j]) || may_differ(la[i], lb[j], steps, nr)) {
            i++, j++;
        } else if ((off = broken_off(la[i], &lb[j], nb - j))) {
            i += strstr(la[i], " < part ") != NULL;
            j += off;
        } else {
            break;
        }
    }
    died = a == &peer_real && na && !strcmp(la[na - 1], NOT_WELL);
    counted_died += died;
    equal = died || (i == na && j == nb);
    count(la, i);
    if (!equal && show) {
        print_error("%s says:\n", a->name);
        for (i = last; i < na && (i == last || !step_number(la[i])); i++)
            print_error("%s\n", la[i]);
        print_error("%s says:\n", b->name);
        for (j = last_b; j < nb && (j == last_b || !step_number(lb[j])); j++)
            print_error("%s\n", lb[j]);
    }
    free(ta);
    free(tb);
    return equal;
}

/* --- making shorter --- */

/* Leave steps out, as many at a time as is possible, as long as both do not say the same. */
static size_t shrink(const struct peer_ops *a, const struct peer_ops *b, const char **steps, size_t nr)
{
    const char *fewer[HISTORY_STEPS];
    bool shorter = false;

    for (size_t n = nr / 2; n; n = n > 1 ? n / 2 : shorter) {
        shorter = false;
        for (size_t at = 0; at + n <= nr;) {
            memcpy(fewer, steps, at * sizeof(*steps));
            memcpy(fewer + at, steps + at + n, (nr - at - n) * sizeof(*steps));
            if (same(a, b, fewer, nr - n, false)) {
                at += n;
                continue;
            }
            nr -= n;
            memcpy(steps, fewer, nr * sizeof(*steps));
            shorter = true;
        }
    }
    return nr;
}

static void try(const struct peer_ops *a, const struct peer_ops *b, uint64_t seed, unsigned int *wrong)
{
    struct history h;
    const char *steps[HISTORY_STEPS];
    size_t nr;

    history_make(&h, seed);
    nr = h.nr;
    memcpy(steps, h.step, nr * sizeof(*steps));
    if (!same(a, b, steps, nr, false)) {
        ++*wrong;
        nr = shrink(a, b, steps, nr);
        print_error("\nSeed %llu:\n", (unsigned long long)seed);
        for (size_t i = 0; i < nr; i++)
            print_error("%s\n", steps[i]);
        same(a, b, steps, nr, true);
    }
    history_free(&h);
}

/* --- the tests --- */

static unsigned long number(const char *name, unsigned long otherwise)
{
    return getenv(name) ? strtoul(getenv(name), NULL, 10) : otherwise;
}

static void histories(const struct peer_ops *a, const struct peer_ops *b, unsigned long nr)
{
    const uint64_t seed = number("ORACLE_SEED", 1);
    unsigned int wrong = 0;

    if (peer_real.absent()) {
        print_message("%s\n", peer_real.absent());
        skip();
    }
    counted_ok = counted_errors = counted_events = counted_steps = counted_died = 0;
    for (unsigned long i = 0; i < nr && wrong < 5; i++)
        try(a, b, seed + i, &wrong);
    print_message("%lu histories, %lu steps: %lu answers, %lu errors, %lu events; real died in %lu\n", nr,
                  counted_steps, counted_ok, counted_errors, counted_events, counted_died);
    assert_int_equal(wrong, 0);
    assert_in_range(counted_died, 0, nr / 100);
    assert_in_range(counted_ok, counted_steps / 8, counted_steps);
    assert_in_range(counted_errors, counted_steps / 8, counted_steps);
    assert_in_range(counted_events, counted_steps / 20, UINT32_MAX);
}

/* What it says is its own, and nothing of chance. */
static void test_real_is_like_itself(void **state) { histories(&peer_real, &peer_real, 5); }

static void test_ours_is_like_real(void **state)
{
    histories(&peer_real, &peer_ours, number("ORACLE_HISTORIES", HISTORIES));
}

/* --- by hand --- */

static int by_hand(const char *name)
{
    static char line[65536];
    const char *steps[1024];
    size_t nr = 0;
    FILE *f = fopen(name, "r");
    char *said;
    bool equal;

    if (!f) {
        perror(name);
        return 1;
    }
    while (nr < 1024 && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        if (*line && *line != '#')
            steps[nr++] = strdup(line);
    }
    fclose(f);
    play(&peer_real, steps, nr, &said);
    fputs(said, stdout);
    free(said);
    equal = same(&peer_real, &peer_ours, steps, nr, true);
    while (nr)
        free((char *)steps[--nr]);
    return !equal;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_is_like_itself),
        cmocka_unit_test(test_ours_is_like_real),
    };

    return argc > 1 ? by_hand(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
