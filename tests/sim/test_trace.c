// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace points: what reaches the sink, how a record prints, and the ring of the last ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/insn.h"
#include "sim/machine.h"
#include "sim/trace_ring.h"

struct tape {
    struct machine machine;
    struct machine_edges edges;
    struct trace_record rec[32];
    unsigned int nr;
};

static void record(void *data, const struct trace_record *rec)
{
    struct tape *t = data;

    assert_true(t->nr < ARRAY_SIZE(t->rec));
    memcpy(&t->rec[t->nr++], rec, trace_record_size(rec));
}

static struct tape *make(void)
{
    struct tape *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    t->machine.edges = &t->edges;
    t->machine.clock.now = 1200;
    t->machine.at = (struct position){ 77, 2 };
    t->machine.cur_pcpu = 3;
    t->edges.trace.sink = record;
    t->edges.trace.data = t;
    return t;
}

static unsigned int computed(unsigned int *n) { return ++*n; }

static void test_emit(void **state)
{
    struct tape *t = make();
    struct machine *m = &t->machine;
    unsigned int n = 0;

    TRACE(m, idle, TRACE_NO_DOMAIN, 0, 5000);
    TRACE(m, tlb, 7, 1, computed(&n), 9);
    assert_int_equal(t->nr, 2);
    assert_true(t->rec[0].seq == 0 && t->rec[1].seq == 1);
    assert_true(t->rec[0].time == 1200 && t->rec[0].pcpu == 3 && t->rec[0].at.insns == 77 && t->rec[0].at.step == 2);
    assert_true(t->rec[1].event == TRC_tlb && t->rec[1].who.domain == 7 && t->rec[1].who.vcpu == 1);
    assert_int_equal(t->rec[1].nr_words, 2);
    assert_true(t->rec[1].arg[0] == 1 && t->rec[1].arg[1] == 9);
    assert_int_equal(n, 1);
    /* Without a sink nothing is computed, and nothing counted. */
    t->edges.trace.sink = NULL;
    TRACE(m, tlb, 7, 1, computed(&n), 9);
    TRACE_TEXT_BY(m, console, trace_who(1, 0), "x", computed(&n));
    assert_true(t->nr == 2 && n == 1 && m->edges->trace.seq == 2);
    free(t);
}

#define BEGIN(seq)           "{\"seq\":" seq ",\"at\":\"77.2\",\"t\":1200,\"pcpu\":3,"
#define XEN_ABOUT(dom, vcpu) "\"dom\":" dom ",\"vcpu\":" vcpu ",\"mode\":\"xen\",\"root\":\"none\","

static void test_json(void **state)
{
    static const char *const expect[] = {
        BEGIN("0") "\"dom\":2,\"vcpu\":1,\"mode\":\"user\",\"root\":\"user\",\"event\":\"exit\",\"kind\":\"exception\","
                   "\"vector\":13,\"error\":\"0x0\",\"rip\":\"0xffffffff81000000\",\"len\":0,\"addr\":\"0x0\","
                   "\"op\":\"cli\",\"insns\":17,\"cost\":500}",
        BEGIN("1")
            XEN_ABOUT("2", "1") "\"event\":\"exit\",\"kind\":\"syscall\",\"vector\":null,\"error\":\"0x0\","
                                "\"rip\":\"0x10\",\"len\":2,\"addr\":\"0x0\",\"op\":null,\"insns\":9007199254740992,"
                                "\"cost\":\"0x20000000000001\"}",
        BEGIN("2") XEN_ABOUT("null", "null") "\"event\":\"sched_switch\",\"prev\":\"d1v2\",\"next\":null,\"slice\":-1,"
                                             "\"credit\":null}",
        BEGIN("3") XEN_ABOUT("null", "null") "\"event\":\"idle\",\"until\":\"0x7fffffffffffffff\"}",
        BEGIN("4") XEN_ABOUT("2", "1") "\"event\":\"hypercall_ret\",\"nr\":\"mmu_update\",\"ret\":-1,\"cost\":200,"
                                       "\"status\":\"done\"}",
        BEGIN("5") XEN_ABOUT("2", "1") "\"event\":\"hypercall\",\"nr\":\"sched_op\",\"sub\":\"block\",\"a1\":\"0x1\","
                                       "\"a2\":\"0x0\",\"a3\":\"0xffffffffffffffff\",\"a4\":\"0x0\",\"a5\":\"0x0\","
                                       "\"a6\":\"0x0\",\"rip\":\"0x100000\",\"via\":\"syscall\",\"multi\":null}",
        /* Calls and operations that nobody has are numbers. */
        BEGIN("6") XEN_ABOUT("2", "1") "\"event\":\"hypercall\",\"nr\":63,\"sub\":null,\"a1\":\"0x1\",\"a2\":\"0x2\","
                                       "\"a3\":\"0x3\",\"a4\":\"0x4\",\"a5\":\"0x5\",\"a6\":\"0x6\",\"rip\":\"0x7\","
                                       "\"via\":\"multicall\",\"multi\":4}",
        BEGIN("7")
            XEN_ABOUT("2", "1") "\"event\":\"hypercall\",\"nr\":\"sched_op\",\"sub\":99,\"a1\":\"0x63\",\"a2\":\"0x0\","
                                "\"a3\":\"0x0\",\"a4\":\"0x0\",\"a5\":\"0x0\",\"a6\":\"0x0\",\"rip\":\"0x0\","
                                "\"via\":\"native\",\"multi\":null}",
        BEGIN("8") XEN_ABOUT("1", "0") "\"event\":\"evtchn_pending\",\"port\":3,\"peer_dom\":null,\"peer_port\":null,"
                                       "\"masked\":true,\"edge\":false,\"flow\":null}",
        BEGIN("9") XEN_ABOUT("1", "0") "\"event\":\"console\",\"text\":\"a\\\"b\\\\\\n\\u0001\\u00ff\"}",
        BEGIN("10") XEN_ABOUT("1", "0") "\"event\":\"domain\",\"op\":\"crash\",\"reason\":\"crash\",\"text\":\"\"}",
        BEGIN("11") XEN_ABOUT("1", "0") "\"event\":\"xs\",\"op\":\"read\",\"ret\":-2,\"path\":\"12345678\"}",
    };
    struct tape *t = make();
    struct machine *m = &t->machine;

    TRACE_BY(m, exit, ((struct trace_who){ 2, 1, TRACE_MODE_USER, TRACE_ROOT_USER }), EXIT_EXCEPTION, 13, 0,
             UINT64_C(0xffffffff81000000), 0, 0, INSN_CLI, 17, 500);
    TRACE(m, exit, 2, 1, EXIT_SYSCALL, TRACE_NONE, 0, 16, 2, 0, TRACE_NONE, UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1);
    TRACE(m, sched_switch, TRACE_NO_DOMAIN, 0, TRACE_VCPU_ID(1, 2), TRACE_NONE, (uint64_t)-1, TRACE_NONE);
    TRACE(m, idle, TRACE_NO_DOMAIN, 0, STIME_MAX);
    TRACE(m, hypercall_ret, 2, 1, 1, (uint64_t)-1, 200, TRACE_STATUS_DONE);
    TRACE(m, hypercall, 2, 1, 29, 1, 1, 0, ~UINT64_C(0), 0, 0, 0, 0x100000, TRACE_VIA_SYSCALL, TRACE_NONE);
    TRACE(m, hypercall, 2, 1, 63, TRACE_NONE, 1, 2, 3, 4, 5, 6, 7, TRACE_VIA_MULTICALL, 4);
    TRACE(m, hypercall, 2, 1, 29, 99, 99, 0, 0, 0, 0, 0, 0, TRACE_VIA_NATIVE, TRACE_NONE);
    TRACE(m, evtchn_pending, 1, 0, 3, TRACE_NO_DOMAIN, TRACE_NONE, true, false, TRACE_NONE);
    TRACE_TEXT_BY(m, console, trace_who(1, 0), "a\"b\\\n\1\377", 7);
    TRACE_TEXT_BY(m, domain, trace_who(1, 0), "", 0, TRACE_DOMAIN_CRASH, 3);
    TRACE_TEXT_BY(m, xs, trace_who(1, 0), "123456789", 8, 2, (uint64_t)-2);
    assert_int_equal(t->nr, ARRAY_SIZE(expect));

    for (unsigned int i = 0; i < t->nr; i++) {
        char buf[TRACE_JSON_SIZE + 1];

        buf[trace_format_json(&t->rec[i], buf)] = '\0';
        assert_string_equal(buf, expect[i]);
    }
    free(t);
}

/* Records of every event with the longest numbers and texts that there can be: none is longer than is promised. */
static void test_longest(void **state)
{
    uint64_t args[TRACE_MAX_ARGS];
    char text[sizeof(args)], buf[TRACE_JSON_SIZE];
    struct tape *t = make();
    struct machine *m = &t->machine;

    memset(text, 1, sizeof(text));
    for (unsigned int i = 0; i < TRACE_MAX_ARGS; i++)
        args[i] = UINT64_C(0xfffffffffffffffe) - (UINT64_C(1) << 62);
    m->at = (struct position){ UINT64_MAX, UINT64_MAX };
    m->clock.now = STIME_MAX - 1;
    m->edges->trace.seq = UINT64_MAX - TRC_NR;
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        const struct trace_event_info *info = trace_event_info((enum trace_event)ev);
        const bool has_text = info->fields[info->nr_fields - 1].type == TRACE_TYPE_text;
        size_t len;

        t->nr = 0;
        if (has_text)
            trace_emit_text(m, (enum trace_event)ev, trace_who(0x7ffe, 0xffff), info->nr_fields - 1, args, text,
                            sizeof(text));
        else
            trace_emit(m, (enum trace_event)ev, trace_who(0x7ffe, 0xffff), info->nr_fields, args);
        assert_true(t->rec[0].nr_words <= TRACE_MAX_ARGS);
        len = trace_format_json(&t->rec[0], buf);
        assert_true(len < TRACE_JSON_SIZE && buf[len - 1] == '}');
        if (has_text) /* as much of it as there is room for */
            assert_int_equal(t->rec[0].arg[info->nr_fields - 1], 8 * (TRACE_MAX_ARGS - info->nr_fields));
    }
    free(t);
}

static void test_ring(void **state)
{
    struct trace_record *rec = calloc(8, sizeof(*rec));
    struct trace_ring r;
    struct tape *t = make();
    struct machine *m = &t->machine;

    assert_non_null(rec);
    trace_ring_init(&r, rec, 8);
    assert_null(trace_ring_get(&r, 0));
    t->edges.trace.sink = trace_ring_sink;
    t->edges.trace.data = &r;
    for (unsigned int i = 0; i < 20; i++) {
        TRACE(m, idle, TRACE_NO_DOMAIN, 0, i * 3);
        for (unsigned int j = 0; j < 25; j++) {
            const struct trace_record *got = trace_ring_get(&r, j);

            assert_int_equal(!!got, j <= i && j + 8 > i);
            if (got)
                assert_true(got->seq == j && got->arg[0] == j * 3);
        }
    }
    /* What follows a gap stands alone. */
    m->edges->trace.seq = 100;
    TRACE(m, idle, TRACE_NO_DOMAIN, 0, 1);
    assert_true(trace_ring_get(&r, 100) && !trace_ring_get(&r, 99) && !trace_ring_get(&r, 19) && r.first == 100);
    /* So does what is told a second time. */
    m->edges->trace.seq = 50;
    TRACE(m, idle, TRACE_NO_DOMAIN, 0, 1);
    assert_true(trace_ring_get(&r, 50) && !trace_ring_get(&r, 100) && r.first == 50 && r.end == 51);
    free(rec);
    free(t);
}

/* Exits that real hardware does not take are marked: of HVM guests INT n, exceptions that Xen does not intercept. */
static void test_engine(void **state)
{
    static const struct {
        uint8_t root;
        enum trace_event event;
        uint64_t kind, vector;
        bool marked;
    } rows[] = {
        { TRACE_ROOT_HVM, TRC_exit, EXIT_SOFTINT, 0x21, true },
        { TRACE_ROOT_HVM, TRC_exit, EXIT_EXCEPTION, X86_EXC_PF, true },
        { TRACE_ROOT_HVM, TRC_exit, EXIT_EXCEPTION, X86_EXC_DB, false },
        { TRACE_ROOT_SHADOW, TRC_exit, EXIT_EXCEPTION, X86_EXC_PF, false },
        { TRACE_ROOT_SHADOW, TRC_exit, EXIT_EXCEPTION, X86_EXC_GP, true },
        { TRACE_ROOT_SHADOW, TRC_exit, EXIT_EXCEPTION, X86_EXC_DB, false },
        { TRACE_ROOT_SHADOW, TRC_exit, EXIT_SOFTINT, 0x80, true },
        { TRACE_ROOT_RING1, TRC_exit, EXIT_EXCEPTION, X86_EXC_GP, false },
        { TRACE_ROOT_RING1, TRC_exit, EXIT_EXCEPTION, X86_EXC_PF, false },
        { TRACE_ROOT_RING1, TRC_exit, EXIT_SOFTINT, 0x80, false },
        { TRACE_ROOT_RING1, TRC_exit, EXIT_ERROR, TRACE_NONE, true },
        { TRACE_ROOT_HVM, TRC_exit, EXIT_CPUID, TRACE_NONE, false },
        { TRACE_ROOT_HVM, TRC_resume, EXIT_SOFTINT, 0, false },
        { TRACE_ROOT_KERNEL, TRC_exit, EXIT_EXCEPTION, X86_EXC_PF, false },
        { TRACE_ROOT_KERNEL, TRC_exit, EXIT_ERROR, TRACE_NONE, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct trace_record rec = { .event = rows[i].event, .who.root = rows[i].root };
        char buf[TRACE_JSON_SIZE + 1];

        rec.arg[0] = rows[i].kind;
        rec.arg[1] = rows[i].vector;
        buf[trace_format_json(&rec, buf)] = '\0';
        assert_int_equal(!!strstr(buf, ",\"engine\":true}"), rows[i].marked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emit),   cmocka_unit_test(test_json), cmocka_unit_test(test_longest),
        cmocka_unit_test(test_engine), cmocka_unit_test(test_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
