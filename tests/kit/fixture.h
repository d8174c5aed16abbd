// SPDX-License-Identifier: GPL-2.0-or-later
/* What tests of kits share: files in a folder of their own, the command, its figures, algorithms built as a student
 * would, and those that go wrong in ways that no kit has to itself. */
#ifndef TESTS_KIT_FIXTURE_H
#define TESTS_KIT_FIXTURE_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/types.h"
#include "tools/kit/kit.h"

static char dir[] = "build/kit-XXXXXX";

static const char *path(const char *name)
{
    static char buf[8][64];
    static unsigned int next;
    char *p = buf[next++ % 8];

    snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
    return p;
}

static void file_write(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *file_read(const char *name)
{
    FILE *f = fopen(path(name), "r");
    char *text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) < (1 << 20) - 1);
    fclose(f);
    return text;
}

static int kit_to(const char *const *args)
{
    char *argv[64];
    int argc = 0, out, err, rc;

    while (*args)
        argv[argc++] = (char *)(uintptr_t)*args++;
    fflush(NULL);
    out = dup(1);
    err = dup(2);
    assert_non_null(freopen(path("out"), "w", stdout));
    assert_non_null(freopen(path("err"), "w", stderr));
    rc = kit_command(argc, argv);
    fflush(NULL);
    clearerr(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    return rc;
}

#define KIT(...) kit_to((const char *const[]){ __VA_ARGS__, NULL })

static bool in_file(const char *name, const char *text)
{
    char *content = file_read(name);
    const bool there = strstr(content, text) != NULL;

    if (!there)
        print_message("\"%s\" is not in: %s", text, content);
    free(content);
    return there;
}

static double figure(const char *metric, const char *subject)
{
    char *content = file_read("out"), key[120], *at;
    double value = -1;

    snprintf(key, sizeof(key), "{\"metric\":\"%s\",\"subject\":\"%s\",\"value\":", metric, subject);
    at = strstr(content, key);
    if (at)
        value = strtod(at + strlen(key), NULL);
    free(content);
    return value;
}

static bool build(const char *source, int bad)
{
    char command[512];

    snprintf(command, sizeof(command), "cc -shared -fPIC -O1 -Iinclude -D_GNU_SOURCE -DBAD=%d -w -o %s %s", bad,
             path("p.so"), source);
    return system(command) == 0;
}

/* --- algorithms that go wrong: bad.h has the ways, and number `bad` is one of them --- */

struct fault {
    int bad, rc;
    const char *message; /* "@": where it happens */
};

static const struct fault faults_of_all[] = {
    { 3, 2, "crashed (Segmentation fault)@" },
    { 4, 2, "stopped: did not return within 1 s of CPU time@" },
    { 5, 2, "ended the process (exit 0)@" },
    { 6, 2, "crashed (Aborted)@" },
    { 7, 2, "was stopped: it made the system call openat which no policy needs@" },
    { 8, 2, "was stopped: it made the system call clone which no policy needs@" },
    { 9, 2, "closed its connection to the workbench@" },
    { 10, 0, "policy| {\"forged\":1}" },
    { 13, 2, "answered what is no answer (it has another length)@" },
    { 14, 2, "answered what is no answer (it answers another call)@" },
    { 20, 2, "ended the process (exit 3) in init, call 1" },
    { 21, 2, "ended the process (exit 0) in its constructors" },
    { 22, 2, "crashed (Aborted) in its constructors" },
};

/*
 * Of their own: words for crashes (3, 6, 22, 30, 31, 34), files opened (7), a thread at exit() that looks for leaks
 * (5, 20, 21).
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZERS_SAY_IT_OTHERWISE                                                                                    \
    (1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 20 | 1u << 21 | 1u << 22 | 1u << 30 | 1u << 31 | UINT64_C(1) << 34)
#else
#define SANITIZERS_SAY_IT_OTHERWISE 0
#endif

/* With the workload "w". A figure that is there if the run has come to its end has this value then. */
static inline void faults_tried(const char *kit, const char *source, const struct fault *fault, size_t nr,
                                const char *where, const char *metric, const char *subject, double value)
{
    for (size_t i = 0; i < nr; i++) {
        const int len = (int)strcspn(fault[i].message, "@");
        char message[320];
        int rc;

        if ((uint64_t)SANITIZERS_SAY_IT_OTHERWISE >> fault[i].bad & 1)
            continue;
        assert_true(build(source, fault[i].bad));
        snprintf(message, sizeof(message), "%.*s%s", len, fault[i].message, fault[i].message[len] ? where : "");
        rc = KIT(kit, "--policy", path("p.so"), "--workload", path("w"), "--limit", "1", "--json");
        if (rc != fault[i].rc || !in_file("err", message))
            fail_msg("BAD=%d: status %d", fault[i].bad, rc);
        if (figure(metric, subject) != (rc ? -1 : value)) /* -1: no report */
            fail_msg("BAD=%d: %s is %g", fault[i].bad, metric, figure(metric, subject));
    }
}

/* Those of them that happen in a call. */
#define FAULTS_IN_CALLS (ARRAY_SIZE(faults_of_all) - 3)

/* The same, of an algorithm that reads in its workload what it is to do wrong: built once. The workload has
 * "NN", for two digits. */
static inline void faults_told(const char *kit, const char *source, const char *workload, const struct fault *fault,
                               size_t nr, const char *where, const char *metric, double value)
{
    assert_true(build(source, 0));
    for (size_t i = 0; i < nr; i++) {
        const int len = (int)strcspn(fault[i].message, "@");
        char message[320], text[512], *number;
        int rc;

        if ((uint64_t)SANITIZERS_SAY_IT_OTHERWISE >> fault[i].bad & 1)
            continue;
        snprintf(text, sizeof(text), "%s", workload);
        number = strstr(text, "NN");
        assert_non_null(number);
        number[0] = (char)('0' + fault[i].bad / 10);
        number[1] = (char)('0' + fault[i].bad % 10);
        file_write("w", text);
        snprintf(message, sizeof(message), "%.*s%s", len, fault[i].message, fault[i].message[len] ? where : "");
        rc = KIT(kit, "--policy", path("p.so"), "--workload", path("w"), "--limit", "1", "--json");
        if (rc != fault[i].rc || !in_file("err", message))
            fail_msg("fault %d: status %d", fault[i].bad, rc);
        if (figure(metric, "") != (rc ? -1 : value)) /* -1: no report */
            fail_msg("fault %d: %s is %g", fault[i].bad, metric, figure(metric, ""));
    }
}

/* Can algorithms be built and run here? "w" is a workload. */
static inline bool faults_can_be_tried(const char *kit, const char *source)
{
    return build(source, 0) &&
           KIT(kit, "--policy", path("p.so"), "--workload", path("w")) != 1; /* nobody: cannot come here */
}

/* --- a folder --- */

static int setup(void **state) { return mkdtemp(dir) && !chmod(dir, 0755) ? 0 : -1; }

static int teardown(void **state)
{
    static const char *const names[] = { "w", "x", "out", "err", "svg", "p.so", "p.c", "q.so" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path(names[i]));
    return rmdir(dir);
}

#endif
