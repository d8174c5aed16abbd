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

/* --- a run --- */

static void nothing(void) {}

/* In a process of its own, since it wants the standard streams. */
static void run_to(char *const *args, int nr, const char *stdin_path, const char *stdout_path)
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

        dup2(stdin_path ? open(stdin_path, O_RDONLY) : null, 0);
        dup2(stdout_path ? open(stdout_path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : null, 1);
        sigemptyset(&process.signals);
        process.signals_catch = process.terminal_refresh = nothing;
        rc = options_parse(&o, COMMAND_RUN, nr, args, err) ? 1 : cmd_run(&o, &process, err);
        options_free(&o);
        if (rc != 0 && rc != 3)
            fprintf(stderr, "status %d: %s\n", rc, err);
        _exit(rc == 0 || rc == 3 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void run(char *const *args, int nr) { run_to(args, nr, NULL, NULL); }

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

/* The number of an event; TRC_NR: there is none of this name. */
static unsigned int event_number(const char *name)
{
    unsigned int ev = 0;

    while (ev < TRC_NR && (strncmp(name + 1, trace_event_name((enum trace_event)ev), strlen(name) - 2) ||
                           strlen(trace_event_name((enum trace_event)ev)) != strlen(name) - 2))
        ev++;
    return ev;
}

struct reader {
    s_time_t t[3];     /* a pCPU's own never goes back */
    long seq, pending; /* of the last record */
    unsigned int seen[TRC_NR], created, destroyed, continued, entries, noreturn, refused;
    struct call {
        char nr[2][48]; /* which each vCPU makes, and in a multicall: "" none */
        unsigned int depth;
    } calls[16][4];
    bool inside[16][4]; /* a resume came after the last exit */
};

/* The next key of a record after `at`, not one in a text; NULL: that was all. */
static const char *next_key(const char *at)
{
    bool quoted = false;

    for (; *at; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (*at == ',' && !quoted)
            return at;
    }
    return NULL;
}

/* Each record has the fields that its event declares, in their order, and no others. */
static unsigned int check_fields(const char *line)
{
    const char *event = field(line, "event"), *at = strstr(line, "\"event\"");
    const unsigned int nr = event ? event_number(event) : TRC_NR;
    const struct trace_event_info *info;

    if (nr == TRC_NR)
        fail_msg("an unknown event: %s", line);
    info = trace_event_info((enum trace_event)nr);
    at = next_key(at);
    for (unsigned int i = 0; i < info->nr_fields; i++) {
        if (!at || strncmp(at, info->fields[i].key, info->fields[i].key_len))
            fail_msg("expected %s in: %s", info->fields[i].name, line);
        at = next_key(at + 1);
    }
    if (at)
        fail_msg("more than was declared: %s", line);
    return nr;
}

static bool is(const char *line, const char *name, const char *value)
{
    const char *v = field(line, name);

    return v && !strcmp(v, value);
}

/* A call, and its end; entries of a multicall lie within. */
static void check_call(struct reader *r, unsigned int event, const char *line)
{
    struct call *c = &r->calls[number(line, "dom")][number(line, "vcpu")];

    if (event == TRC_hypercall) {
        if (c->depth > is(line, "via", "\"multicall\""))
            fail_msg("hypercall %s has not returned: %s", c->nr[0], line);
        if (is(line, "via", "\"multicall\"") && !c->depth)
            fail_msg("an entry of no multicall: %s", line);
        r->entries += c->depth;
        snprintf(c->nr[c->depth++], sizeof(c->nr[0]), "%s", field(line, "nr"));
    } else {
        if (!c->depth || strcmp(c->nr[--c->depth], field(line, "nr")))
            fail_msg("of hypercall %s: %s", c->nr[c->depth], line);
        r->continued += number(line, "ret") == -85;
        assert_int_equal(number(line, "ret") == -85, is(line, "status", "\"continued\""));
        r->noreturn += is(line, "status", "\"noreturn\"");
    }
}

/* Between an exit and the next of the same vCPU it goes on, and to be handled it must have left. */
static void check_inside(struct reader *r, unsigned int event, const char *line)
{
    bool *inside = &r->inside[number(line, "dom")][number(line, "vcpu")];

    if (*inside == (event == TRC_resume))
        fail_msg("it is%s inside: %s", *inside ? "" : " not", line);
    *inside = event == TRC_resume;
}

static void check_pairs(struct reader *r, unsigned int event, const char *line)
{
    if (event == TRC_domain) {
        r->created += is(line, "op", "\"create\"");
        r->destroyed += is(line, "op", "\"destroy\"");
    }
    if (event == TRC_iret && strlen(field(line, "cs")) > strlen("\"0xffff\""))
        fail_msg("a selector has 16 bits: %s", line);
    r->refused += event == TRC_emulate && is(line, "verdict", "\"refused\"");
    if (is(line, "dom", "null"))
        return;
    assert_true(number(line, "dom") < 16 && number(line, "vcpu") < 4);
    if (event == TRC_hypercall || event == TRC_hypercall_ret)
        check_call(r, event, line);
    if (event == TRC_exit || is(line, "why", "\"handled\"") || is(line, "why", "\"iret\"") ||
        is(line, "why", "\"syscall\""))
        check_inside(r, event, line);
    if (event == TRC_resume)
        r->inside[number(line, "dom")][number(line, "vcpu")] = true;
}

static void check_header(const char *line)
{
    static const char begin[] = "{\"v\":1,\"xenlab\":\"",
                      costs[] = "\"costs\":{\"insn\":1,\"exit\":500,\"hypercall\":200,";

    assert_memory_equal(line, begin, sizeof(begin) - 1);
    assert_non_null(strstr(line, costs));
    assert_non_null(strstr(line, "\"guests\":[{\"name\":\""));
    assert_non_null(strstr(line, "\"fnv1a64\":\"0x"));
}

static void check_order(struct reader *r, const char *line)
{
    const long pcpu = number(line, "pcpu"), t = number(line, "t");

    assert_int_equal(number(line, "seq"), r->seq++);
    assert_true(pcpu < 3);
    if (t < r->t[pcpu])
        fail_msg("back from %lld: %s", (long long)r->t[pcpu], line);
    r->t[pcpu] = t;
}

static void read_trace(struct reader *r)
{
    FILE *f = fopen(TRACE_FILE, "r");
    char line[TRACE_JSON_SIZE + 1], header[8192]; /* which names all guests */

    assert_non_null(f);
    assert_non_null(fgets(header, sizeof(header), f));
    check_header(header);
    while (fgets(line, sizeof(line), f)) {
        unsigned int event;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '{' || line[strlen(line) - 1] != '}')
            fail_msg("no record: %s", line);
        check_order(r, line);
        event = check_fields(line);
        r->seen[event]++;
        check_pairs(r, event, line);
    }
    fclose(f);
    for (unsigned int d = 0; d < 16; d++)
        for (unsigned int v = 0; v < 4; v++)
            assert_int_equal(r->calls[d][v].depth, 0);
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
        "--cpus=0-2",
        "tests/guest/blk-full.cfg",
        "tests/guest/netecho.cfg",
        "tests/guest/netecho.cfg",
        "tests/guest/grants-owner.cfg",
        "tests/guest/grants-user.cfg",
        "build/guests/rings",
        "build/guests/traps",
        "build/guests/timer",
        "build/guests/syscall",
        "build/guests/spinner",
        "build/guests/pagetables",
        "build/guests/callbacks",
        "build/tests/guest/old32",
    };
    struct reader r = { 0 };

    for (size_t i = 8; i < ARRAY_SIZE(args); i++)
        if (access(args[i], R_OK))
            skip();
    run((char *const *)(uintptr_t)args, ARRAY_SIZE(args));
    read_trace(&r);
    /*
     * Every event that is declared is one that happens; but that SYSENTER is refused, idle and input are not looked for
     * here; keys that are lost need somebody who types (tests/rings/test_fb.c), and physical devices a dom0 that has
     * drivers (tests/phys/).
     */
    for (unsigned int i = 0; i < TRC_NR; i++)
        if (!r.seen[i] && i != TRC_idle && i != TRC_input && i != TRC_sysenter && i != TRC_ring_lost && i != TRC_device)
            fail_msg("nobody has seen a %s", trace_event_name((enum trace_event)i));
    assert_true(r.continued > 0 && r.noreturn > 0 && r.refused > 0);
    assert_int_equal(r.created, ARRAY_SIZE(args) - 8);
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

/* The entries of a multicall are calls within a call. */
static void test_multicall(void **state)
{
    static const char *const args[] = { "-qq",       "--trace",           TRACE_FILE,
                                        "--cmdline", "op=multicall n=50", "build/guests/bench/hypercall" };
    struct reader r = { 0 };

    if (access(args[5], R_OK))
        skip();
    run((char *const *)(uintptr_t)args, ARRAY_SIZE(args));
    read_trace(&r);
    assert_true(r.entries >= 50);
    unlink(TRACE_FILE);
}

/* With a filter there are those records that would have been picked from the whole, and no others. */
static void test_filter(void **state)
{
    static const char *const args[] = {
        "-qq", "--trace", TRACE_FILE, "build/guests/rings", "--trace-filter", "exit && vector==13 && mode==user || iret"
    };
    unsigned long picked = 0, insns = 0, sums[2] = { 0, 0 }, counts[2] = { 0, 0 };
    char line[TRACE_JSON_SIZE + 1];

    if (access(args[3], R_OK))
        skip();
    for (unsigned int i = 0; i < 2; i++) {
        FILE *f;

        run((char *const *)(uintptr_t)args, i == 0 ? 4 : ARRAY_SIZE(args));
        f = fopen(TRACE_FILE, "r");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof(line), f));
        while (fgets(line, sizeof(line), f)) {
            const bool fits =
                is(line, "event", "\"iret\"") ||
                (is(line, "event", "\"exit\"") && is(line, "vector", "13") && is(line, "mode", "\"user\""));

            assert_true(fits || i == 0);
            if (i == 0 && is(line, "event", "\"exit\"")) { /* nobody else executes instructions */
                insns += (unsigned long)number(line, "insns");
                assert_int_equal(insns, strtoul(field(line, "at") + 1, NULL, 10));
            }
            if (fits) {
                counts[i]++;
                sums[i] += (unsigned long)number(line, "seq") * counts[i];
            }
        }
        picked = counts[i];
        fclose(f);
    }
    assert_true(picked > 100 && counts[0] == picked && sums[0] == sums[1]);
    unlink(TRACE_FILE);
}

/* With "-" standard output has the trace, and nothing else. */
static void test_standard_output(void **state)
{
    static const char *const args[] = { "-qq", "--trace", "-", "build/guests/echo" };
    struct reader r = { 0 };

    if (access(args[3], R_OK))
        skip();
    run_to((char *const *)(uintptr_t)args, ARRAY_SIZE(args), "docs/book.list", TRACE_FILE);
    read_trace(&r);
    assert_true(r.seen[TRC_console] > 0 && r.seen[TRC_input] > 0);
    unlink(TRACE_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests), cmocka_unit_test(test_come_and_go),     cmocka_unit_test(test_multicall),
        cmocka_unit_test(test_filter), cmocka_unit_test(test_standard_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
