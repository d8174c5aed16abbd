// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Workloads and expectations that somebody has mistyped, or worse: the examples of each kit, changed in a few places.
 *
 * Invariants: they are read, or refused, and nothing else: with one line on standard error, which is printable and
 * names the file and a line that it has. (Nothing runs: a sweep is asked for, which reads all, and lists its jobs.)
 *
 * It could pass wrongly if all were refused, or none: both are counted, for each kit. Leaks and overruns are found with
 * sanitizers. KIT_RANDOM=5000: so many for each kit (make campaign-kit); KIT_RANDOM_FROM=7: from that number on.
 */
#include "tests/kit/fixture.h"

#define FEW  100
#define MOST 20000 /* bytes of a file */

static const struct {
    const char *kit, *policy, *workload[4], *expect;
} kinds[] = {
    { "memctl",
      "even",
      { "phases.txt", "noise.txt" },
      "expect swaps web <= 3MiB seeds 1..5\nexpect lacking < 1.5*still\n" },
    { "precopy",
      "rounds",
      { "server.txt", "bursts.txt", "copy.txt" },
      "expect downtime <= 100ms\nexpect sent != 7 from 1s to 2s\nexpect lost == 0*outpaced seeds 3..3\n" },
    { "balance",
      "still",
      { "uneven.txt", "flutter.txt", "nodes.txt" },
      "expect p99 < 0.1*still seeds 1..3\nexpect far == 0 from 4s to 8s\nexpect imbalance <= 7.5%\n" },
    { "reclaim",
      "clock",
      { "loop.txt", "flush.txt", "parts.txt" },
      "expect ratio <= 1.5\nexpect refaults <= 20 from 2s to 3s\nexpect faults < 0.7*random seeds 1..3\n" },
    { "ring",
      "event",
      { "net.txt", "storm.txt", "wrap.txt" },
      "expect lost == 0 seeds 1..5\nexpect spurious < 9 from 1ms to 2ms\nexpect worst <= 30us\n" },
    { "shadow",
      "oos",
      { "forks.txt", "switches.txt", "squeeze.txt" },
      "expect overhead < 0.3*emulate seeds 1..3\nexpect faults <= 2000 from 2ms to 4ms\n" },
    { "tlbflush",
      "stamps",
      { "tenants.txt", "tagged.txt", "ages.txt" },
      "expect spent < 0.8*everybody seeds 1..5\nexpect wasted <= 99 from 1ms to 2ms\n" },
};

static uint64_t state;

static uint64_t any(uint64_t below) /* splitmix64 */
{
    uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) % below;
}

struct text {
    char bytes[MOST];
    size_t len;
};

/* `old` bytes at `at` become `len` others. */
static void put(struct text *t, size_t at, size_t old, const char *bytes, size_t len)
{
    if (at + old > t->len || t->len - old + len >= MOST)
        return;
    memmove(t->bytes + at + len, t->bytes + at + old, t->len - at - old);
    memcpy(t->bytes + at, bytes, len);
    t->len += len - old;
}

static size_t span(const struct text *t, size_t at, const char *set)
{
    size_t n = 0;

    while (at + n < t->len && t->bytes[at + n] && !strchr(set, t->bytes[at + n]))
        n++;
    return n;
}

static void change(struct text *t)
{
    static const char *const words[] = { "0",
                                         "1",
                                         "-1",
                                         "18446744073709551616",
                                         "9223372036854775807",
                                         "1e308",
                                         "nan",
                                         "inf",
                                         "0.5",
                                         "4294967296",
                                         "65536",
                                         "9..3",
                                         "0..0",
                                         "1..",
                                         "..",
                                         "99999h",
                                         "1ns",
                                         "513M",
                                         "64T",
                                         "%",
                                         "100%",
                                         "for",
                                         "every",
                                         ":",
                                         ",",
                                         "=",
                                         "==",
                                         "expect",
                                         "param x 3",
                                         "$x",
                                         "$",
                                         "rest",
                                         "from",
                                         "to",
                                         "seeds",
                                         "1..1000",
                                         "2*",
                                         "*",
                                         "-0",
                                         "0x10",
                                         "+5",
                                         "\x1b[2J",
                                         "\xff",
                                         "#",
                                         "vm",
                                         "time 1s",
                                         "a,b",
                                         "'\"\\" };
    static char much[700];
    size_t at = t->len ? any(t->len) : 0, n, line;
    char byte = (char)any(256), copy[300];

    memset(much, byte ? byte : 'a', sizeof(much));
    while (at && strchr(" \t\n:,=", t->bytes[at - 1]) == NULL && any(8))
        at--; /* more often where a word begins */
    n = span(t, at, " \t\n:,=");
    line = span(t, at, "\n");
    switch (any(10)) {
    case 0: put(t, at, 1, &byte, 1); break;
    case 1: put(t, at, 1, "", 0); break;
    case 2: put(t, at, n, "", 0); break;
    case 3: put(t, at, line, "", 0); break;
    case 4: put(t, at, 1, "\n", 1); break;
    case 5: put(t, at, 0, much, 1 + any(any(4) ? 40 : sizeof(much))); break;
    case 6: t->len = any(4) ? t->len : at; break;
    case 7:
        n = line < sizeof(copy) ? line : sizeof(copy);
        memcpy(copy, t->bytes + at, n);
        put(t, t->len ? any(t->len) : 0, 0, copy, n);
        break;
    default: {
        const char *word = words[any(ARRAY_SIZE(words))];

        put(t, at, any(4) ? n : 0, word, strlen(word));
    }
    }
}

static void changed(const char *name, const char *from, struct text *t)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    t->len = strlen(from);
    assert_true(t->len < MOST);
    memcpy(t->bytes, from, t->len);
    for (uint64_t nr = any(4); nr; nr--)
        change(t);
    fwrite(t->bytes, 1, t->len, f);
    fclose(f);
}

static unsigned long lines(const struct text *t)
{
    unsigned long nr = t->len && t->bytes[t->len - 1] != '\n';

    for (size_t i = 0; i < t->len; i++)
        nr += t->bytes[i] == '\n';
    return nr ? nr : 1;
}

/* "xenlab: FOLDER/w:LINE: what is wrong", and nothing else. */
static bool says_where(const char *err, const struct text *w, const struct text *x)
{
    const size_t head = strlen("xenlab: ") + strlen(dir) + 1;
    unsigned long line;
    char *end;

    if (strncmp(err, "xenlab: ", 8) || strncmp(err + 8, dir, strlen(dir)) || strlen(err) < head + 3 ||
        err[head + 1] != ':')
        return false;
    line = strtoul(err + head + 2, &end, 10);
    if (strncmp(end, ": ", 2) || line < 1 || line > lines(err[head] == 'w' ? w : x))
        return false;
    for (const char *c = end; *c != '\n'; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f) /* UTF-8 may be there: tools/printable.h */
            return false;
    return strchr(end, '\n')[1] == '\0';
}

static char *example(const char *name)
{
    char file[120], *text = calloc(1, MOST);
    FILE *f;

    snprintf(file, sizeof(file), "docs/examples/kit/%s", name);
    f = fopen(file, "r");
    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, MOST - 1, f) < MOST - 1);
    fclose(f);
    return text;
}

static void test_changed(void **unused)
{
    const uint64_t nr = getenv("KIT_RANDOM") ? strtoull(getenv("KIT_RANDOM"), NULL, 10) : FEW;
    const uint64_t first = getenv("KIT_RANDOM_FROM") ? strtoull(getenv("KIT_RANDOM_FROM"), NULL, 10) : 1;
    static struct text w, x;

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        uint64_t read = 0, refused = 0;
        char *text[4] = { NULL };
        size_t texts = 0;

        for (; texts < 4 && kinds[k].workload[texts]; texts++)
            text[texts] = example(kinds[k].workload[texts]);
        for (uint64_t i = first; i < first + nr; i++) {
            char *err;
            int rc;

            state = i * ARRAY_SIZE(kinds) + k;
            changed("w", text[any(texts)], &w);
            changed("x", kinds[k].expect, &x);
            rc = KIT(kinds[k].kit, "--policy", kinds[k].policy, "--workload", path("w"), "--expect", path("x"),
                     "--seeds", "1..2");
            err = file_read("err");
            if (rc == 1 ? !says_where(err, &w, &x) : rc || *err)
                fail_msg("%s, number %llu: status %d, says: %s", kinds[k].kit, (unsigned long long)i, rc, err);
            free(err);
            rc ? refused++ : read++;
        }
        if (getenv("KIT_RANDOM"))
            print_message("%s: %llu read, %llu refused\n", kinds[k].kit, (unsigned long long)read,
                          (unsigned long long)refused);
        assert_true(nr < FEW || (read > nr / 20 && refused > nr / 20));
        while (texts--)
            free(text[texts]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changed) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
