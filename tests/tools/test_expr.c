// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions and expressions: what they mean, what is said of wrong ones; random ones beside a model that computes on
 * its own; and text that is none.
 *
 * Budget: most of it is tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#include "sim/insn.h"
#include "sim/pcpu.h"
#include "tests/support/random.h"
#include "tools/debug/expr.h"

/* --- a world --- */

/* One name is had twice, one more often than is told; one is a field's, too. */
static unsigned int symbol(void *data, int domain, const char *name, uint64_t addr[EXPR_MAX_SAME])
{
    addr[0] = !strcmp(name, "insn_cli") ? 0x400041 + 0x1000 * (uint64_t)(domain + 1) : 0x2000;
    for (unsigned int i = 1; i < EXPR_MAX_SAME; i++)
        addr[i] = addr[0] + i;
    return !strcmp(name, "run")      ? 2
           : !strcmp(name, "static") ? EXPR_MAX_SAME + 1
                                     : !strcmp(name, "insn_cli") || !strcmp(name, "secret.x") || !strcmp(name, "count");
}

static bool reg(void *data, enum expr_reg r, uint64_t *value)
{
    *value = r == EXPR_REG_rip ? UINT64_C(0xffffffff80001000) : r == EXPR_REG_rsp ? 0x2000 : 100 + r;
    return r != EXPR_REG_dr0;
}

/* A byte is the lower half of its address, in other spaces inverted, or that and the domain; nothing above 0xfffff. */
static bool memory(void *data, const struct expr_addr *a, void *buf, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t addr = a->addr + i;

        if (addr > 0xfffff)
            return false;
        ((uint8_t *)buf)[i] = (uint8_t)(a->space == EXPR_VIRTUAL ? addr : ~addr) + (uint8_t)(16 * (a->domain + 1)) +
                              (uint8_t)(a->vcpu + 1) + (uint8_t)(a->space == EXPR_MACHINE);
    }
    return true;
}

static const struct expr_scope all = { .machine = true, .symbol = symbol }, trace_only = { .machine = false };

static struct trace_record record(enum trace_event ev, unsigned int nr, const uint64_t *args)
{
    struct trace_record rec = { .seq = 17,
                                .at = { 1000, 2 },
                                .time = 5000,
                                .who = { 1, 0, TRACE_MODE_USER, TRACE_ROOT_USER },
                                .pcpu = 3,
                                .event = ev,
                                .nr_words = nr };

    memcpy(rec.arg, args, nr * sizeof(*args));
    return rec;
}

#define RECORD(ev, ...) record(TRC_##ev, sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, (uint64_t[]){ __VA_ARGS__ })

static struct trace_record the_exit(void)
{
    return RECORD(exit, EXIT_EXCEPTION, 13, 0, 0x400041, 0, 0, INSN_CLI, 10, 500);
}

static struct trace_record the_return(void)
{
    return RECORD(hypercall_ret, __HYPERVISOR_mmu_update, (uint64_t)-22, 200, TRACE_STATUS_DONE);
}

static struct trace_record the_call(void)
{
    return RECORD(hypercall, __HYPERVISOR_event_channel_op, 4, 4, UINT64_C(0xffffffff80012904), 0, 0, 0, UINT64_MAX,
                  UINT64_C(0xffffffff800002eb), TRACE_VIA_SYSCALL, TRACE_NONE);
}

static struct trace_record the_text(void)
{
    struct trace_record rec = RECORD(xs, 2, (uint64_t)-2, 8, 0);

    memcpy(&rec.arg[3], "/a/b c/d", 8);
    return rec;
}

static struct trace_record the_switch(void)
{
    struct trace_record rec = RECORD(sched_switch, TRACE_VCPU_ID(1, 2), TRACE_NONE, (uint64_t)-1, TRACE_NONE);

    rec.who = trace_who(TRACE_NO_DOMAIN, 0);
    return rec;
}

/* --- what they mean --- */

static const struct meaning {
    struct trace_record (*rec)(void);
    const char *text;
    int result; /* 0, 1; -1: no value */
} meanings[] = {
    /* fields, common and of the event */
    { the_exit, "vector==14", 0 },
    { the_exit, "vector==13", 1 },
    { the_exit, "vector == 0xd", 1 },
    { the_exit, "dom==1", 1 },
    { the_exit, "dom==d1", 1 },
    { the_exit, "vcpu", 0 },
    { the_exit, "pcpu>2", 1 },
    { the_exit, "seq==17 && insns==10", 1 },
    { the_return, "at==1000 && step==2", 1 },
    { the_exit, "t>=5000 && t<5001", 1 },
    { the_exit, "rip", 1 },
    { the_exit, "error", 0 },
    /* events are conditions */
    { the_exit, "exit", 1 },
    { the_exit, "trap", 0 },
    { the_exit, "!trap", 1 },
    { the_exit, "exit && vector==13", 1 },
    { the_exit, "exit&&vector==14", 0 },
    { the_exit, "exit||trap", 1 },
    { the_exit, "!page_type && !tlb", 1 },
    /* names follow their field */
    { the_exit, "kind==exception", 1 },
    { the_exit, "kind!=exception", 0 },
    { the_exit, "kind==syscall", 0 },
    { the_exit, "kind!=syscall", 1 },
    { the_exit, "op==cli", 1 },
    { the_exit, "op==sti || op==cli", 1 },
    { the_exit, "op==(cli)", -2 },
    { the_exit, "mode==user", 1 },
    { the_exit, "root==user && mode==kernel", 0 },
    { the_exit, "op==create", 0 }, /* another event's names */
    { the_return, "nr==mmu_update && dom==1 && ret<0", 1 },
    { the_return, "nr==mmuext_op", 0 },
    { the_return, "nr==1", 1 },
    { the_return, "status==done", 1 },
    { the_return, "ret==-22", 1 },
    { the_return, "ret==0xffffffffffffffea", 1 },
    { the_return, "ret<-22", 0 },
    { the_return, "ret<=-22", 1 },
    { the_return, "ret+22==0", 1 },
    { the_return, "-ret==22", 1 },
    { the_return, "ret*2==-44 && ret/7==-3 && ret%7==-1", 1 },
    { the_call, "nr==event_channel_op && sub==send", 1 },
    { the_call, "sub==send", 1 },
    { the_call, "sub!=send", 0 },
    { the_call, "sub==block", 0 }, /* of another call, with another number */
    { the_call, "sub==PIN_L1_TABLE", 0 },
    { the_call, "sub==4", 1 },
    { the_call, "via==syscall", 1 },
    { the_call, "a2 > 0x7fffffffffffffff", 1 },
    { the_call, "a2 >= 0xffffffff80000000", 1 },
    { the_call, "a6 == -1", 1 }, /* the bits */
    { the_call, "a6 < 0", 0 },   /* the number */
    { the_call, "-1 < a1", 1 },
    /* what is not there */
    { the_exit, "ret<0", 0 },
    { the_exit, "ret==0", 0 },
    { the_exit, "ret!=0", 0 },
    { the_exit, "!(ret!=0)", 1 },
    { the_exit, "!ret", 1 },
    { the_exit, "ret", 0 },
    { the_exit, "ret+1", 0 },
    { the_exit, "ret==0 || vector==13", 1 },
    { the_call, "multi==0", 0 },
    { the_call, "multi<0", 0 },
    { the_call, "multi!=0", 0 },
    { the_call, "!(multi>=0)", 1 },
    { the_switch, "dom==0", 0 },
    { the_switch, "dom!=0", 0 },
    { the_switch, "mode==xen", 1 },
    { the_exit, "5/(vector-13)==0", 0 },
    { the_exit, "5%(vector-13)==0", 0 },
    /* vCPUs and constants */
    { the_switch, "prev==d1v2", 1 },
    { the_switch, "prev==d1v1", 0 },
    { the_switch, "next==d1v2", 0 },
    { the_switch, "slice==-1", 1 },
    { the_switch, "slice<0 && true", 1 },
    { the_switch, "false || true", 1 },
    /* texts */
    { the_text, "path==\"/a/b c/d\"", 1 },
    { the_text, "path==\"/a/b c/\"", 0 },
    { the_text, "path!=\"\"", 1 },
    { the_text, "path", 0 },
    { the_text, "op==read && ret==-2", 1 },
    { the_exit, "path!=\"\"", 0 },
    { the_exit, "vector==\"13\"", 0 },
    /* how tightly what binds */
    { the_exit, "true || false && false", 1 },
    { the_exit, "(true || false) && false", 0 },
    { the_exit, "vector & 4 == 4", 1 },
    { the_exit, "vector & 4 | 2 == 6", 1 },
    { the_exit, "1 + 2 * 3 == 7", 1 },
    { the_exit, "(1 + 2) * 3 == 9", 1 },
    { the_exit, "10 - 3 - 2 == 5", 1 },
    { the_exit, "64 / 4 / 2 == 8", 1 },
    { the_exit, "1 << 2 + 1 == 8", 1 },
    { the_exit, "6 & 3 ^ 1 | 8 == 11", 1 },
    { the_exit, "~0 == -1", 1 },
    { the_exit, "- - 5 == 5", 1 },
    { the_exit, "-~0 == 1", 1 },
    { the_exit, "!vector==14", 1 },
    { the_exit, "!!vector==13", 1 },
    { the_exit, "(vector==13) + 1 == 2", 1 },
    { the_exit, "(exit) == true", 1 },
    { the_exit, "1<<64 == 0 && 1>>64 == 0", 1 },
    { the_exit, "1<<63 == 0x8000000000000000", 1 },
    { the_exit, "-8 >> 1 == -4 && -1 >> 200 == -1", 1 },
    { the_exit, "0x8000000000000000 >> 63 == 1", 1 },
    { the_exit, "-1 < 0xffffffffffffffff && 0xffffffffffffffff > -1", 1 },
    { the_exit, "0xffffffffffffffff > 0", 1 },
    { the_exit, "(0-9223372036854775807-1) / -1 == 0-9223372036854775807-1", 1 },
    { the_exit, "(0-9223372036854775807-1) % -1 == 0", 1 },
    { the_exit, "18446744073709551615 == -1", 1 },
    { the_exit, "  \t1 ", 1 },
    /* registers, memory, symbols */
    { the_exit, "%rip >= 0xffffffff80000000", 1 },
    { the_exit, "%rip == 0xffffffff80001000 && %cpl==137", 1 },
    { the_exit, "%dr0", 0 },
    { the_exit, "%dr0 != 1", 0 },
    { the_exit, "u8[5] == 5", 1 },
    { the_exit, "u16[0x10] == 0x1110", 1 },
    { the_exit, "u32[v:1] == 0x04030201", 1 },
    { the_exit, "u64[v:%rsp] == 0x0706050403020100", 1 },
    { the_exit, "u8[p:5] == 0xfa", 1 },
    { the_exit, "u8[m:5] == 0xfb", 1 },
    { the_exit, "u8[d0:5] == 0x15", 1 },
    { the_exit, "u8[d1v2:p:5] == 0x1d", 1 },
    { the_exit, "u8[d1v2:5+1] == 0x29", 1 },
    { the_exit, "u8[ d0:m: 5 ] == 0x0b", 1 },
    { the_exit, "u8[u8[5]+1] == 6", 1 },
    { the_exit, "u64[0x100000] == 0", 0 },
    { the_exit, "u64[0xffffc] != 0", 0 },
    { the_exit, "!(u64[0x100000] == 0)", 1 },
    { the_exit, "u64[d1:secret.x]", 1 },
    { the_exit, "rip==insn_cli", 1 },
    { the_exit, "d1:insn_cli == 0x402041", 1 },
    { the_exit, "d0:insn_cli + 13*16 == 0x401111", 1 },
    { the_exit, "u8[d1:insn_cli - 0x402000] == 0x61", 1 }, /* d1 is whose symbols are meant, too */
    { the_exit, "u8[d1:count] == 0x20", 1 },
    { the_exit, "u8[d1:v:count+1] == 0x21", 1 },
    { the_exit, "u8[count]", 0 },
    { the_exit, "u8[d1:vector] == vector + 0x20", 1 },
    { the_exit, "vector==14 && u64[v:%rsp] == 0", 0 },
};

static void test_meaning(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
        const struct meaning *m = &meanings[i];
        const struct trace_record rec = m->rec();
        struct expr_env env = { .rec = &rec, .reg = reg, .memory = memory };
        char err[EXPR_ERR_SIZE];
        struct expr *e = expr_parse(m->text, &all, NULL, err);

        if (m->result == -2) {
            assert_null(e);
            continue;
        }
        if (!e)
            fail_msg("%s: %s", m->text, err);
        if (expr_true(e, &env) != m->result)
            fail_msg("%s is %d", m->text, !m->result);
        expr_free(e);
    }
}

/* Without a record nothing has a value, but for what needs none. */
static void test_no_record(void **state)
{
    struct expr_env env = { .rec = NULL, .reg = reg, .memory = memory };
    char err[EXPR_ERR_SIZE];
    struct expr_value v;
    static const char *const none[] = { "vector",          "dom",        "kind==exception",
                                        "kind!=exception", "path==\"\"", "mode!=user" };

    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct expr *e = expr_parse(none[i], &all, NULL, err);

        assert_non_null(e);
        assert_false(expr_value(e, &env, &v));
        expr_free(e);
    }
}

/* About nobody's event: what all records have, but a number; and no event's own fields. */
static void test_no_event(void **state)
{
    static const struct {
        const char *text;
        int result; /* -1: no value */
    } cases[] = { { "at==1000 && step==2 && t==5000 && pcpu==3 && dom==1 && vcpu==0", 1 },
                  { "mode==user && root!=kernel", 1 },
                  { "%rsp==0x2000 && u8[5]==5", 1 },
                  { "seq", -1 },
                  { "vector", -1 },
                  { "kind!=exception", -1 },
                  { "path==\"\"", -1 },
                  { "exit", 0 },
                  { "!exit", 1 } };
    struct trace_record rec = the_exit();
    struct expr_env env = { .rec = &rec, .reg = reg, .memory = memory };

    rec.event = TRC_NR;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char err[EXPR_ERR_SIZE];
        struct expr *e = expr_parse(cases[i].text, &all, NULL, err);
        struct expr_value v = { 0, false };

        assert_non_null(e);
        if ((expr_value(e, &env, &v) ? (int)v.u : -1) != cases[i].result)
            fail_msg("%s", cases[i].text);
        expr_free(e);
    }
}

/* An address that is not in brackets; and which values are whether something is so. */
static void test_places(void **state)
{
    static const struct {
        const char *text;
        struct expr_addr place; /* addr: the value */
        bool truth;
    } cases[] = { { "5+1", { EXPR_VIRTUAL, -1, -1, 6 }, false },
                  { "d1:5", { EXPR_VIRTUAL, 1, -1, 5 }, false },
                  { " d12v3:p:%rsp + 8", { EXPR_PHYSICAL, 12, 3, 0x2008 }, false },
                  { "m:0x10", { EXPR_MACHINE, -1, -1, 16 }, false },
                  { "v:1<2", { EXPR_VIRTUAL, -1, -1, 1 }, true },
                  { "d1:insn_cli", { EXPR_VIRTUAL, 1, -1, 0x402041 }, false },
                  { "d1:insn_cli - d0:insn_cli", { EXPR_VIRTUAL, 1, -1, 0x1000 }, false },
                  { "d1", { EXPR_VIRTUAL, -1, -1, 1 }, false },
                  { "!5", { EXPR_VIRTUAL, -1, -1, 0 }, true },
                  { "-(1==1)", { EXPR_VIRTUAL, -1, -1, UINT64_MAX }, false },
                  { "exit", { EXPR_VIRTUAL, -1, -1, 1 }, true },
                  { "kind==exception", { EXPR_VIRTUAL, -1, -1, 1 }, true },
                  { "1 && 2", { EXPR_VIRTUAL, -1, -1, 1 }, true } };
    const struct trace_record rec = the_exit();
    struct expr_env env = { .rec = &rec, .reg = reg, .memory = memory };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char err[EXPR_ERR_SIZE];
        struct expr_addr place;
        struct expr *e = expr_parse(cases[i].text, &all, &place, err);
        struct expr_value v = { 0, false };

        if (!e)
            fail_msg("%s: %s", cases[i].text, err);
        assert_true(expr_value(e, &env, &v));
        if (place.space != cases[i].place.space || place.domain != cases[i].place.domain ||
            place.vcpu != cases[i].place.vcpu || v.u != cases[i].place.addr || expr_is_truth(e) != cases[i].truth)
            fail_msg("%s: space %d, d%dv%d, 0x%llx, %d", cases[i].text, place.space, place.domain, place.vcpu,
                     (unsigned long long)v.u, expr_is_truth(e));
        expr_free(e);
    }
}

/* That memory could not be read is known afterwards. */
static void test_unreadable(void **state)
{
    struct trace_record rec = the_exit();
    struct expr_env env = { .rec = &rec, .reg = reg, .memory = memory };
    char err[EXPR_ERR_SIZE];
    struct expr *e = expr_parse("vector==14 && u8[0x200000]", &all, NULL, err),
                *f = expr_parse("u8[0x200000]==1", &all, NULL, err);

    assert_true(e && f);
    assert_false(expr_true(e, &env));
    assert_false(env.unreadable); /* nobody has tried */
    assert_false(expr_true(f, &env));
    assert_true(env.unreadable);
    expr_free(e);
    expr_free(f);
}

/* --- what is said of wrong ones --- */

static const struct mistake {
    const char *text, *err;
} mistakes[] = {
    { "", "column 1: expected a field, an event or a number, and here it ends" },
    { "   ", "column 4: expected a field, an event or a number, and here it ends" },
    { "vectr==14", "column 1: there is no field or event \"vectr\"; did you mean vector?" },
    { "exit && vectro==14", "column 9: there is no field or event \"vectro\"; did you mean vector?" },
    { "exti", "column 1: there is no field or event \"exti\"; did you mean exit?" },
    { "kind==exeption", "column 7: the field has no value of the name \"exeption\"; did you mean exception?" },
    { "nr==mmu_updat", "column 5: the field has no value of the name \"mmu_updat\"; did you mean mmu_update?" },
    { "kind<exception", "column 6: a name can be compared by == and != only" },
    { "path<\"a\"", "column 6: a text can be compared by == and != only" },
    { "path==\"a", "column 7: a text without its second \"" },
    { "vector=14", "column 7: expected ==, got \"=\"" },
    { "vector==", "column 9: expected a field, an event or a number, and here it ends" },
    { "vector==14 &&", "column 14: expected a field, an event or a number, and here it ends" },
    { "vector==14 & & dom==1", "column 14: expected a field, an event or a number, got \"& dom==1\"" },
    { "(vector==14", "column 12: expected ), and here it ends" },
    { "vector==14)", "column 11: expected an operator, or the end, got \")\"" },
    { "vector 14", "column 8: expected an operator, or the end, got \"14\"" },
    { "1==1==1", "column 7: one comparison after the other: join them by && or ()" },
    { "dom==12x", "column 6: \"12x\" is no number" },
    { "dom==0xfg", "column 6: \"0xfg\" is no number" },
    { "dom==0x", "column 6: \"0x\" and no digits" },
    { "dom==18446744073709551616", "column 6: \"18446744073709551616\" has more than 64 bits" },
    { "%rip==1", "column 1: registers are not to be had here" },
    { "%rpx==1", "column 2: there is no register \"rpx\"; did you mean r" },
    { "u64[1]==1", "column 1: memory is not to be had here" },
    { "d1:main==1", "column 1: symbols are not to be had here" },
    { "dom==\"1", "column 6: a text without its second \"" },
    { "\"a\"==path", "column 1: expected a field, an event or a number, got \"\"a\"==path\"" },
    { "exception==kind", "column 1: there is no field or event \"exception\"" },
    { "!", "column 2: expected a field, an event or a number, and here it ends" },
    { "dom==1 ; dom", "column 8: expected an operator, or the end, got \"; dom\"" },
};

static void expect_mistake(const char *text, const struct expr_scope *scope, const char *expected)
{
    char err[EXPR_ERR_SIZE];
    struct expr *e = expr_parse(text, scope, NULL, err);
    const char *found = e ? NULL : strstr(err, expected);

    if (e)
        fail_msg("%s: accepted", text);
    if (!found || (expected[0] == 'c' && found != err)) /* all of it, or a part */
        fail_msg("%s: %s, instead of: %s", text, err, expected);
}

static void test_mistakes(void **state)
{
    char deep[4 * EXPR_MAX_DEPTH], *longest = malloc(3 * EXPR_MAX_NODES + 1);

    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
        expect_mistake(mistakes[i].text, &trace_only, mistakes[i].err);
    expect_mistake("rip==insn_clo", &all, "column 6: there is no field, event or symbol \"insn_clo\"");
    expect_mistake("rip==d3:insn_clo", &all, "column 9: there is no symbol \"insn_clo\" in d3");
    expect_mistake("rip==d3:", &all, "column 9: expected a symbol");
    expect_mistake("rip==run", &all, "column 6: \"run\" may be: 0x2000, 0x2001");
    expect_mistake("d2:static", &all, "column 4: \"static\" may be: 0x2000, 0x2001, 0x2002, 0x2003, ...");
    expect_mistake("kind==exeption", &all,
                   "column 7: the field has no value of the name \"exeption\"; did you mean exception?");
    expect_mistake("u8[1", &all, "column 5: expected ], and here it ends");
    expect_mistake("u8[d1:p:]", &all, "column 9: expected a field, an event or a number, got \"]\"");
    for (int c = 0; c < 3; c++) {
        memset(deep, "(!-"[c], sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        expect_mistake(deep, &trace_only, "this is nested too deeply");
    }
    assert_non_null(longest);
    for (int i = 0; i < 3 * EXPR_MAX_NODES; i++)
        longest[i] = i % 2 ? '+' : '1';
    longest[3 * EXPR_MAX_NODES] = '\0';
    expect_mistake(longest, &trace_only, "this is too long");
    free(longest);
}

/* --- a model --- */

/* A value: 65 bits do for all comparisons; `there` as in tools/debug/expr.h. */
struct model {
    bool there, is_signed;
    uint64_t u;
};

struct maker {
    uint64_t prng;
    char *at, *end;
};

static void put(struct maker *m, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    m->at += vsnprintf(m->at, (size_t)(m->end - m->at), format, ap);
    va_end(ap);
    if (m->at > m->end)
        m->at = m->end;
}

static __int128 number(struct model a) { return a.is_signed ? (__int128)(int64_t)a.u : (__int128)a.u; }

static struct model make_leaf(struct maker *m)
{
    static const struct {
        const char *text;
        struct model value; /* in the_return() */
    } leaves[] = {
        { "ret", { true, true, (uint64_t)-22 } },
        { "cost", { true, true, 200 } },
        { "vector", { false, true, 0 } },
        { "t", { true, true, 5000 } },
        { "dom", { true, true, 1 } },
        { "%rip", { true, false, UINT64_C(0xffffffff80001000) } },
        { "u8[3]", { true, false, 3 } },
        { "u8[0x100000]", { false, false, 0 } },
        { "exit", { true, true, 0 } },
        { "hypercall_ret", { true, true, 1 } },
        { "true", { true, true, 1 } },
        { "d1:insn_cli", { true, false, 0x402041 } },
    };
    static const uint64_t numbers[] = {
        0, 1, 2, 3, 7, 63, 64, 65, 4096, UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX
    };
    unsigned int i = random_of(&m->prng, 2 * ARRAY_SIZE(leaves));

    if (i < ARRAY_SIZE(leaves)) {
        put(m, "%s", leaves[i].text);
        return leaves[i].value;
    }
    i = random_of(&m->prng, ARRAY_SIZE(numbers));
    put(m, random_of(&m->prng, 2) ? "%llu" : "0x%llx", (unsigned long long)numbers[i]);
    return (struct model){ true, numbers[i] <= INT64_MAX, numbers[i] };
}

static struct model make(struct maker *m, unsigned int depth);

static bool truth(struct model a) { return a.there && a.u; }

static struct model make_unary(struct maker *m, unsigned int depth)
{
    const char op = "-~!"[random_of(&m->prng, 3)];
    struct model a;

    put(m, "(%c(", op);
    a = make(m, depth - 1);
    put(m, "))");
    if (op == '!')
        return (struct model){ true, true, !truth(a) };
    a.u = op == '-' ? 0 - a.u : UINT64_MAX - a.u;
    a.is_signed |= op == '-';
    return a;
}

static struct model compute(const char *op, struct model a, struct model b)
{
    const bool there = a.there && b.there;
    const struct model yes = { true, true, 1 }, no = { there, true, 0 };
    struct model r = { there, a.is_signed && b.is_signed, 0 };

    if (!strcmp(op, "&&"))
        return (struct model){ true, true, truth(a) && truth(b) };
    if (!strcmp(op, "||"))
        return (struct model){ true, true, truth(a) || truth(b) };
    if (!there)
        return (struct model){ false, false, 0 };
    if (!strcmp(op, "=="))
        return a.u == b.u ? yes : no;
    if (!strcmp(op, "!="))
        return a.u != b.u ? yes : no;
    if (!strcmp(op, "<"))
        return number(a) < number(b) ? yes : no;
    if (!strcmp(op, "<="))
        return number(a) <= number(b) ? yes : no;
    if (!strcmp(op, ">"))
        return number(a) > number(b) ? yes : no;
    if (!strcmp(op, ">="))
        return number(a) >= number(b) ? yes : no;
    if (!strcmp(op, "<<") || !strcmp(op, ">>")) {
        r.is_signed = a.is_signed;
        for (uint64_t i = 0; i < b.u && i < 64; i++)
            r.u = a.u = op[0] == '<' ? a.u * 2
                                     : (uint64_t)((number(a) - (number(a) < 0 ? number(a) & 1 : 0)) >= 0
                                                      ? number(a) / 2
                                                      : -((-number(a) + 1) / 2));
        r.u = a.u;
        return r;
    }
    if (op[0] == '/' || op[0] == '%') {
        const __int128 x = r.is_signed ? number(a) : (__int128)a.u, y = r.is_signed ? number(b) : (__int128)b.u;

        if (!y)
            return (struct model){ false, false, 0 };
        r.u = (uint64_t)(op[0] == '/' ? x / y : x % y);
        return r;
    }
    r.u = op[0] == '+'   ? a.u + b.u
          : op[0] == '-' ? a.u - b.u
          : op[0] == '*' ? a.u * b.u
          : op[0] == '&' ? a.u & b.u
          : op[0] == '|' ? a.u | b.u
                         : a.u ^ b.u;
    return r;
}

static struct model make(struct maker *m, unsigned int depth)
{
    static const char *const ops[] = { "&&", "||", "==", "!=", "<", "<=", ">", ">=", "<<",
                                       ">>", "+",  "-",  "*",  "/", "%",  "&", "|",  "^" };
    const unsigned int what = random_of(&m->prng, 8);
    const char *op = ops[random_of(&m->prng, ARRAY_SIZE(ops))];
    struct model a, b;

    if (depth == 0 || what == 0)
        return make_leaf(m);
    if (what == 1)
        return make_unary(m, depth);
    put(m, "(");
    a = make(m, depth - 1);
    put(m, random_of(&m->prng, 2) ? " %s " : "%s", op);
    b = make(m, depth - 1);
    put(m, ")");
    return compute(op, a, b);
}

static void test_model(void **state)
{
    const struct trace_record rec = the_return();

    for (unsigned int seed = 0; seed < 20000; seed++) {
        char text[8192], err[EXPR_ERR_SIZE];
        struct maker m = { seed, text, text + sizeof(text) };
        struct expr_env env = { .rec = &rec, .reg = reg, .memory = memory };
        struct expr_value v = { 0, false };
        const struct model expected = make(&m, 1 + seed % 5);
        struct expr *e = expr_parse(text, &all, NULL, err);

        if (!e)
            fail_msg("seed %u: %s: %s", seed, text, err);
        if (expr_value(e, &env, &v) != expected.there || (expected.there && v.u != expected.u))
            fail_msg("seed %u: %s is %llx, not %llx", seed, text, (unsigned long long)v.u,
                     (unsigned long long)expected.u);
        assert_int_equal(expr_true(e, &env), truth(expected));
        expr_free(e);
    }
}

/* --- text that is none --- */

static void test_fuzz(void **state)
{
    static const char *const pieces[] = { "vector",
                                          "==",
                                          "!=",
                                          "<",
                                          ">=",
                                          "&&",
                                          "||",
                                          "!",
                                          "(",
                                          ")",
                                          "u64[",
                                          "u8[",
                                          "]",
                                          "d1:",
                                          "d1v2:",
                                          "d1v2",
                                          "p:",
                                          "m:",
                                          "%rip",
                                          "%",
                                          "0x",
                                          "12",
                                          "\"",
                                          "exit",
                                          "nr",
                                          "mmu_update",
                                          "sub",
                                          "send",
                                          " ",
                                          "-",
                                          "~",
                                          "<<",
                                          "&",
                                          "|",
                                          "^",
                                          "*",
                                          "/",
                                          "=",
                                          "insn_cli",
                                          "path",
                                          "dom",
                                          "\t",
                                          "d99999999999",
                                          "u7[",
                                          "\xff",
                                          "true" };
    const struct trace_record recs[] = { the_exit(), the_return(), the_call(), the_text(), the_switch() };
    struct maker m = { 1, NULL, NULL };
    unsigned int accepted = 0;

    for (unsigned int i = 0; i < 200000; i++) {
        char text[256], err[EXPR_ERR_SIZE];
        struct expr *e;

        m.at = text;
        m.end = text + sizeof(text);
        for (unsigned int n = 1 + random_of(&m.prng, 12); n; n--) {
            if (random_of(&m.prng, 20) == 0)
                put(&m, "%c", (int)random_of(&m.prng, 255) + 1);
            else
                put(&m, "%s", pieces[random_of(&m.prng, ARRAY_SIZE(pieces))]);
        }
        e = expr_parse(text, &all, NULL, err);
        if (!e) {
            if (strncmp(err, "column ", 7) != 0 || (size_t)atoi(err + 7) > strlen(text) + 1 || !strchr(err, ':'))
                fail_msg("%s: %s", text, err);
            continue;
        }
        accepted++;
        for (size_t r = 0; r < ARRAY_SIZE(recs); r++) {
            struct expr_env env = { .rec = &recs[r], .reg = reg, .memory = memory };

            expr_true(e, &env);
        }
        expr_free(e);
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),  cmocka_unit_test(test_no_record), cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_model),     cmocka_unit_test(test_fuzz),
        cmocka_unit_test(test_no_event), cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
