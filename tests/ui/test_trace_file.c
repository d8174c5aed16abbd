// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --trace: several guests on several pCPUs are run, and what was written is read as a tool would read it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/machine.h"
#include "ui/cmd_run.h"
#include "ui/trace_file.h"

#define TRACE_FILE "build/test_trace_file.json"

/* --- the order --- */

static void test_order(void **state)
{
    static const s_time_t times[] = { 10, 30, 20, 30, 5, 40, 35 }, expected[] = { 5, 10, 20, 30, 30, 35, 40 };
    struct trace_file t;
    unsigned int nr = 0;
    char line[256];
    FILE *f;

    assert_int_equal(trace_file_open(&t, TRACE_FILE), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(times); i++) {
        struct trace_record rec = { .time = times[i], .event = TRC_sched_wake, .vcpu = (uint16_t)i };

        trace_file_sink(&t, &rec);
        if (i == 4) /* from here on nothing from before 20 */
            trace_file_until(&t, 20);
    }
    assert_int_equal(trace_file_close(&t), 0);
    f = fopen(TRACE_FILE, "r");
    assert_non_null(f);
    for (; fgets(line, sizeof(line), f); nr++) {
        assert_true(nr < ARRAY_SIZE(expected));
        assert_int_equal(atoi(line + strlen("{\"t\":")), expected[nr]);
        if (nr == 3) /* of two at 30, the one that came first */
            assert_non_null(strstr(line, "\"vcpu\":1,"));
    }
    assert_int_equal(nr, ARRAY_SIZE(expected));
    fclose(f);
}

/* --- a run --- */

static void nothing(void) {}

/* In a process of its own, since it wants the standard streams. */
static void run(char *const *args, int nr)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        struct run_process process = { 0 };
        char err[RUN_ERR_SIZE];
        struct run_options o;
        const int null = open("/dev/null", O_RDWR);
        int rc;

        for (int fd = 0; fd < 2; fd++)
            dup2(null, fd);
        sigemptyset(&process.signals);
        process.signals_catch = process.terminal_refresh = nothing;
        rc = options_parse(&o, nr, args, err) ? 1 : cmd_run(&o, &process, err);
        options_free(&o);
        if (rc != 0 && rc != 3)
            fprintf(stderr, "status %d: %s\n", rc, err);
        _exit(rc == 0 || rc == 3 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* The value of a field as text; NULL: the record has none of that name. */
static const char *field(const char *line, const char *name)
{
    static char buf[4][64];
    static unsigned int next;
    char pattern[48], *value = buf[next++ % 4];
    const char *at;

    snprintf(pattern, sizeof(pattern), "\"%s\":", name);
    at = strstr(line, pattern);
    if (!at)
        return NULL;
    snprintf(value, sizeof(buf[0]), "%.*s", (int)strcspn(at + strlen(pattern), ",}"), at + strlen(pattern));
    return value;
}

static long number(const char *line, const char *name)
{
    const char *value = field(line, name);
    char *end;
    long n;

    if (!value)
        fail_msg("no %s in: %s", name, line);
    n = strtol(value, &end, 10);
    if (*end)
        fail_msg("%s is no number in: %s", name, line);
    return n;
}

/* The names of an event's arguments, as declared; NULL: there is no such event. */
static const char *arguments(const char *event, unsigned int *nr)
{
    static const struct {
        const char *name, *args;
    } events[] = {
#define X(name, args) { "\"" #name "\"", args },
        TRACE_EVENTS(X)
#undef X
    };

    for (*nr = 0; *nr < ARRAY_SIZE(events); ++*nr)
        if (!strcmp(events[*nr].name, event))
            return events[*nr].args;
    return NULL;
}

struct reader {
    unsigned int seen[TRC_NR], created, destroyed, continued;
    long calls[16][4]; /* the hypercall that each vCPU makes; -1: none */
};

/* Each record has the fields that its event declares, in their order, and no others. */
static unsigned int check_fields(const char *line)
{
    const char *event = field(line, "event"), *at = strstr(line, "\"event\"");
    unsigned int nr;
    const char *args;

    if (!event || !(args = arguments(event, &nr)))
        fail_msg("an unknown event: %s", line);
    at = strchr(at, ',');
    for (; *args; args += strcspn(args, ","), args += *args == ',') {
        char pattern[48];

        snprintf(pattern, sizeof(pattern), ",\"%.*s\":", (int)strcspn(args, ","), args);
        if (!at || strncmp(at, pattern, strlen(pattern)))
            fail_msg("expected %s in: %s", pattern, line);
        at = strchr(at + 1, ',');
    }
    if (at)
        fail_msg("more than was declared: %s", line);
    return nr;
}

static void check_pairs(struct reader *r, unsigned int event, const char *line)
{
    long *call;

    if (event == TRC_domain_create)
        r->created++;
    if (event == TRC_domain_destroy)
        r->destroyed++;
    if (event == TRC_iret && number(line, "cs") > 0xffff)
        fail_msg("a selector has 16 bits: %s", line);
    if (event != TRC_hypercall && event != TRC_hypercall_ret)
        return;
    assert_true(number(line, "dom") < 16 && number(line, "vcpu") < 4);
    call = &r->calls[number(line, "dom")][number(line, "vcpu")];
    if (event == TRC_hypercall) {
        if (*call >= 0)
            fail_msg("hypercall %ld has not returned: %s", *call, line);
        *call = number(line, "nr");
    } else {
        if (*call != number(line, "nr"))
            fail_msg("of hypercall %ld: %s", *call, line);
        r->continued += number(line, "ret") == -85;
        *call = -1;
    }
}

static void read_trace(struct reader *r)
{
    FILE *f = fopen(TRACE_FILE, "r");
    char line[1024];

    assert_non_null(f);
    memset(r->calls, -1, sizeof(r->calls));
    while (fgets(line, sizeof(line), f)) {
        unsigned int event;

        line[strcspn(line, "\n")] = '\0';
        assert_true(line[0] == '{' && line[strlen(line) - 1] == '}');
        assert_true(number(line, "pcpu") < 3);
        assert_null(strstr(line, "_domain\":32767"));
        event = check_fields(line);
        r->seen[event]++;
        check_pairs(r, event, line);
    }
    fclose(f);
    for (unsigned int d = 0; d < 16; d++)
        for (unsigned int v = 0; v < 4; v++)
            assert_int_equal(r->calls[d][v], -1);
}

static void test_guests(void **state)
{
    static const char *const args[] = {
        "-qq",
        "--trace",
        TRACE_FILE,
        "--pcpus",
        "3",
        "--max-vtime",
        "300ms",
        "tests/guest/grants-owner.cfg",
        "tests/guest/grants-user.cfg",
        "build/guests/rings",
        "build/guests/traps",
        "build/guests/timer",
        "build/guests/syscall",
        "build/guests/spinner",
        "build/guests/pagetables",
        "build/tests/guest/old32",
    };
    struct reader r = { 0 };

    for (size_t i = 7; i < ARRAY_SIZE(args); i++)
        if (access(args[i], R_OK))
            skip();
    run((char *const *)(uintptr_t)args, ARRAY_SIZE(args));
    read_trace(&r);
    /* Every event that is declared is one that happens. */
    for (unsigned int i = 0; i < TRC_NR; i++)
        if (!r.seen[i] && i != TRC_domain_crash && i != TRC_idle)
            fail_msg("nobody has seen a %s", trace_event_name((enum trace_event)i));
    assert_true(r.continued > 0);
    assert_int_equal(r.created, ARRAY_SIZE(args) - 7);
    assert_true(r.destroyed > 0 && r.destroyed <= r.created);
    unlink(TRACE_FILE);
}

/* Guests that end, each of them created and destroyed. */
static void test_come_and_go(void **state)
{
    static const char *const args[] = { "-qq", "--trace", TRACE_FILE, "build/guests/hello", "build/guests/ports" };
    struct reader r = { 0 };

    if (access(args[3], R_OK) || access(args[4], R_OK))
        skip();
    run((char *const *)(uintptr_t)args, ARRAY_SIZE(args));
    read_trace(&r);
    assert_int_equal(r.created, 2);
    assert_int_equal(r.destroyed, 2);
    unlink(TRACE_FILE);
}

/* Standard output is taken: a file of the name "-" is nobody's wish. */
static void test_standard_output(void **state)
{
    char *args[] = { (char *)(uintptr_t) "--trace", (char *)(uintptr_t) "-", (char *)(uintptr_t) "guest" };
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(options_parse(&o, 3, args, err), -1);
    assert_non_null(strstr(err, "--trace: standard output is the guests' console; name a file"));
    options_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_guests),
        cmocka_unit_test(test_come_and_go),
        cmocka_unit_test(test_standard_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
