// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace points: what reaches the sink, and how a record prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"

struct tape {
    struct trace_record rec[16];
    unsigned int nr;
};

static void record(void *data, const struct trace_record *rec)
{
    struct tape *t = data;

    assert_true(t->nr < ARRAY_SIZE(t->rec));
    t->rec[t->nr++] = *rec;
}

static struct machine *make(struct tape *t)
{
    struct machine *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->edges = calloc(1, sizeof(*m->edges));
    assert_non_null(m->edges);
    m->clock.now = 1200;
    m->cur_pcpu = 3;
    m->edges->trace.sink = record;
    m->edges->trace.data = t;
    return m;
}

static void test_emit(void **state)
{
    struct tape t = { .nr = 0 };
    struct machine *m = make(&t);

    TRACE(m, sched_wake, 1, 2);
    TRACE(m, evtchn_send, 7, 0, 5, 0, 9);
    assert_int_equal(t.nr, 2);
    assert_true(t.rec[0].time == 1200 && t.rec[0].pcpu == 3);
    assert_true(t.rec[0].event == TRC_sched_wake && t.rec[0].domain == 1 && t.rec[0].vcpu == 2);
    assert_int_equal(t.rec[0].nr_args, 0);
    assert_int_equal(t.rec[1].nr_args, 3);
    assert_int_equal(t.rec[1].arg[2], 9);
    m->edges->trace.sink = NULL;
    TRACE(m, sched_wake, 1, 2);
    assert_int_equal(t.nr, 2);
    free(m->edges);
    free(m);
}

static void test_json(void **state)
{
    static const char *const expect[] = {
        "{\"t\":1200,\"pcpu\":3,\"dom\":1,\"vcpu\":0,\"event\":\"sched_block\"}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":null,\"vcpu\":null,\"event\":\"sched_switch\",\"prev_domain\":1,\"prev_vcpu\":"
        "2,"
        "\"next_domain\":null,\"next_vcpu\":0,\"slice\":-1}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":null,\"vcpu\":null,\"event\":\"idle\",\"until\":5000}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":null,\"vcpu\":null,\"event\":\"idle\",\"until\":\"0x7fffffffffffffff\"}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":2,\"vcpu\":1,\"event\":\"hypercall_ret\",\"nr\":1,\"ret\":-22}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":2,\"vcpu\":1,\"event\":\"hypercall\",\"nr\":29,\"a1\":\"0x1\",\"a2\":\"0x0\","
        "\"a3\":\"0xffffffffffffffff\",\"rip\":\"0x100000\"}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":2,\"vcpu\":1,\"event\":\"exit\",\"kind\":\"%s\",\"vector\":0,\"error\":0,"
        "\"rip\":\"0xffffffff81000000\",\"addr\":\"0x0\",\"insns\":17}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":2,\"vcpu\":1,\"event\":\"sched_wake\",\"arg0\":4,\"arg1\":"
        "\"0x20000000000001\"}",
        "{\"t\":1200,\"pcpu\":3,\"dom\":32766,\"vcpu\":65535,\"event\":\"sched_wake\",\"arg0\":0,\"arg1\":-1,"
        "\"arg2\":9007199254740992,\"arg3\":-9007199254740992,\"arg4\":\"0xffdfffffffffffff\","
        "\"arg5\":\"0x8000000000000000\"}",
    };
    struct tape t = { .nr = 0 };
    struct machine *m = make(&t);

    TRACE(m, sched_block, 1, 0);
    TRACE(m, sched_switch, TRACE_NO_DOMAIN, 0, 1, 2, TRACE_NO_DOMAIN, 0, (uint64_t)-1);
    TRACE(m, idle, TRACE_NO_DOMAIN, 0, 5000);
    TRACE(m, idle, TRACE_NO_DOMAIN, 0, STIME_MAX);
    TRACE(m, hypercall_ret, 2, 1, 1, (uint64_t)-22);
    TRACE(m, hypercall, 2, 1, 29, 1, 0, ~UINT64_C(0), 0x100000);
    TRACE(m, exit, 2, 1, EXIT_SYSCALL, 0, 0, UINT64_C(0xffffffff81000000), 0, 17);
    TRACE(m, sched_wake, 2, 1, 4, (UINT64_C(1) << 53) + 1); /* more arguments than the event has names */
    TRACE(m, sched_wake, 32766, 65535, 0, (uint64_t)-1, UINT64_C(1) << 53, -(UINT64_C(1) << 53),
          -(UINT64_C(1) << 53) - 1, UINT64_C(1) << 63);
    assert_int_equal(t.nr, ARRAY_SIZE(expect));

    for (unsigned int i = 0; i < t.nr; i++) {
        const char *kind = strstr(expect[i], "%s");
        char buf[512], want[512];
        int n;

        snprintf(want, sizeof(want), "%s", expect[i]);
        if (kind)
            snprintf(want + (kind - expect[i]), sizeof(want) - (size_t)(kind - expect[i]), "%s%s",
                     sim_exit_name(EXIT_SYSCALL), kind + 2);
        n = trace_format_json(&t.rec[i], buf, sizeof(buf));
        assert_string_equal(buf, want);
        assert_int_equal(n, strlen(want));
        /* Cut as snprintf cuts. */
        assert_int_equal(trace_format_json(&t.rec[i], buf, 20), n);
        assert_int_equal(strlen(buf), 19);
        assert_int_equal(trace_format_json(&t.rec[i], NULL, 0), n);
    }
    free(m->edges);
    free(m);
}

static void test_names(void **state)
{
    assert_string_equal(trace_event_name(TRC_exit), "exit");
    assert_string_equal(trace_event_name(TRC_idle), "idle");
    assert_string_equal(trace_event_name(TRC_NR), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emit),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
