// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why: what is answered about registers and memory is what stepping back, and looking each time, finds. Whatever is
 * asked, the machine is where it was. Every event has its words, and the files that sentences name have the hypercalls
 * that they are named for.
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

#include "tests/support/random.h"
#include "tests/tools/runs.h"
#include "tools/debug/past.h"
#include "tools/debug/why.h"
#include "vcpu/noun/domain.h"

static const char *const kernels[] = { "rings", "traps", "syscall", "pagetables", "callbacks", "store" };

#define STEPS 400 /* that are looked back by hand */

struct scene {
    struct host *host;
    struct rewind rw;
    struct debugger d;
    bool interrupt;
    uint64_t prng;
    unsigned int found, older;
};

static void begin(struct scene *sc, const char *kernel, uint64_t seed)
{
    const struct run_setup setup = { kernel, NULL, "credit2", 1, 1, 1, NULL, 16, NULL };
    const struct run_limit l = { .until = MICROSECS(3200), .at = { .insns = UINT64_MAX }, .stop = &sc->interrupt };
    const struct host_io io = { .data = sc };
    char err[HOST_ERR_SIZE];

    *sc = (struct scene){ .prng = seed };
    sc->host = run_begin(&setup, &io, 128, NULL, NULL);
    if (rewind_begin(&sc->rw, sc->host, 64, err))
        fail_msg("%s", err);
    sc->rw.every = 9973;
    debugger_begin(&sc->d, &sc->rw, &sc->interrupt);
    rewind_run(&sc->rw, &l);
}

static void end(struct scene *sc)
{
    debugger_end(&sc->d);
    rewind_finish(&sc->rw);
    host_destroy(sc->host);
}

static struct position here(const struct scene *sc) { return debugger_here(&sc->d); }

static void go(struct scene *sc, struct position at)
{
    if (debugger_goto(&sc->d, at) != DEBUG_THERE)
        fail_msg("%s", sc->d.err);
}

static void expect_at(const struct scene *sc, struct position at)
{
    assert_int_equal(here(sc).insns, at.insns);
    assert_int_equal(here(sc).step, at.step);
}

/* What is asked about: a register, or 8 bytes at a virtual address. */
struct thing {
    const char *reg;
    enum expr_reg nr;
    uint64_t addr;
};

static bool value_of(const struct scene *sc, const struct thing *t, uint64_t *value)
{
    struct look_vcpu v;

    if (!look_vcpu(sc->host, 1, 0, &v))
        return false;
    if (!t->reg)
        return look_read(sc->host, 1, 0, LOOK_VIRTUAL, t->addr, value, 8) == 8;
    *value = t->nr == EXPR_REG_rip   ? v.regs.rip
             : t->nr == EXPR_REG_cs  ? v.regs.seg[CPU_SEG_CS].sel
             : t->nr == EXPR_REG_cr3 ? v.regs.cr3
             : t->nr <= EXPR_REG_r15 ? v.regs.gpr[t->nr]
                                     : 0;
    return true;
}

/* Back by hand: between *from and *to the value becomes what it is at first. False: in none of so many steps. */
static bool by_hand(struct scene *sc, const struct thing *t, struct position *from, struct position *to)
{
    uint64_t is, was;

    assert_true(value_of(sc, t, &is));
    for (unsigned int i = 0; i < STEPS; i++) {
        *to = here(sc);
        if (debugger_reverse_step(&sc->d) != DEBUG_THERE)
            return false;
        *from = here(sc);
        if (!value_of(sc, t, &was))
            return false;
        if (was != is)
            return true;
    }
    return false;
}

static void compare(struct scene *sc, const char *kernel, const struct thing *t, struct position at)
{
    const struct debug_stop what = { .kind = DEBUG_WATCH, .dom = 1, .space = LOOK_VIRTUAL, .addr = t->addr, .len = 8 };
    struct position from = at, to = at;
    struct why w;
    enum debug_result r;
    bool found;

    go(sc, at);
    at = here(sc);
    r = t->reg ? why_register(&sc->d, t->reg, &w) : why_memory(&sc->d, &what, &w);
    if (r != DEBUG_THERE)
        fail_msg("%s: %s", kernel, sc->d.err);
    expect_at(sc, at);
    found = by_hand(sc, t, &from, &to);
    if (found ? !w.has_at || position_is_before(w.at, from) || !position_is_before(w.at, to)
              : w.has_at && !position_is_before(w.at, from))
        fail_msg("%s, at #%llu.%llu: %s; by hand between #%llu.%llu and #%llu.%llu%s", kernel,
                 (unsigned long long)at.insns, (unsigned long long)at.step, w.says.text, (unsigned long long)from.insns,
                 (unsigned long long)from.step, (unsigned long long)to.insns, (unsigned long long)to.step,
                 found ? "" : " not");
    sc->found += found;
    sc->older += !found;
}

static void answers_are_what_stepping_back_finds(void **state)
{
    static const struct thing regs[] = {
        { "%rax", EXPR_REG_rax, 0 }, { "%rsp", EXPR_REG_rsp, 0 }, { "%rbx", EXPR_REG_rbx, 0 },
        { "%rcx", EXPR_REG_rcx, 0 }, { "%cs", EXPR_REG_cs, 0 },   { "%cr3", EXPR_REG_cr3, 0 },
        { "%rip", EXPR_REG_rip, 0 },
    };
    unsigned int found = 0, older = 0;

    for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
        struct scene sc;
        struct position first, last;

        begin(&sc, kernels[k], 1000 + k);
        first = rewind_first(&sc.rw);
        last = sc.rw.end;
        for (unsigned int i = 0; i < 12; i++) {
            const struct position at = { first.insns + 1 + random_of(&sc.prng, last.insns - first.insns),
                                         random_of(&sc.prng, 3) };
            struct thing t = regs[random_of(&sc.prng, ARRAY_SIZE(regs))];
            struct look_vcpu v;

            go(&sc, position_is_before(last, at) ? last : at);
            if (look_vcpu(sc.host, 1, 0, &v) && random_of(&sc.prng, 2))
                t = (struct thing){ .addr = v.regs.gpr[EXPR_REG_rsp] + 8 * random_of(&sc.prng, 4) };
            if (look_vcpu(sc.host, 1, 0, &v) && value_of(&sc, &t, &(uint64_t){ 0 }))
                compare(&sc, kernels[k], &t, here(&sc));
        }
        found += sc.found;
        older += sc.older;
        end(&sc);
    }
    print_message("%u found by hand, %u older than %d steps\n", found, older, STEPS);
    assert_true(found > 20 && older > 3);
}

/* Whatever is asked for: nobody can tell afterwards. */
static void asking_leaves_nothing(void **state)
{
    struct scene sc;

    begin(&sc, "rings", 7);
    for (unsigned int i = 0; i < 8; i++) {
        const struct position first = rewind_first(&sc.rw);
        struct debugger before;
        struct why w;
        uint64_t hash;

        go(&sc, (struct position){ first.insns + random_of(&sc.prng, sc.rw.end.insns - first.insns),
                                   random_of(&sc.prng, 3) });
        hash = look_hash(sc.host);
        before = sc.d;
        why_here(&sc.d, &w);
        why_vcpu(&sc.d, 1, 0, &w);
        why_vcpu(&sc.d, 0, 0, &w);
        why_vcpu(&sc.d, 9, 0, &w);
        why_port(&sc.d, 1, 1, &w);
        why_port(&sc.d, 1, 99, &w);
        why_frame(&sc.d, _mfn(random_of(&sc.prng, 0x8000)), &w);
        why_frame(&sc.d, _mfn(UINT64_MAX), &w);
        why_pcpu(&sc.d, 0, &w);
        why_pcpu(&sc.d, 99, &w);
        why_domain(&sc.d, 1, &w);
        why_domain(&sc.d, 9, &w);
        why_grant(&sc.d, 1, 0, &w);
        why_grant(&sc.d, 1, 99999, &w);
        why_timer(&sc.d, (unsigned int)random_of(&sc.prng, 4), &w);
        why_node(&sc.d, "/local/domain/1/name", &w);
        why_refused(&sc.d, &w);
        why_pte(&sc.d, 1, 0, random_of(&sc.prng, UINT64_MAX), &w);
        why_pte(&sc.d, 7, 0, 0, &w);
        assert_true(hash == look_hash(sc.host));
        memcpy(before.err, sc.d.err, sizeof(before.err));
        assert_memory_equal(&before, &sc.d, sizeof(before));
    }
    end(&sc);
}

static void a_question_can_be_interrupted(void **state)
{
    struct scene sc;
    struct position at;
    struct why w;

    begin(&sc, "rings", 8);
    go(&sc, (struct position){ rewind_first(&sc.rw).insns + 70000, 0 });
    at = here(&sc);
    sc.interrupt = true;
    assert_int_equal(why_register(&sc.d, "%cr3", &w), DEBUG_INTERRUPTED);
    assert_int_equal(why_refused(&sc.d, &w), DEBUG_INTERRUPTED);
    sc.interrupt = false;
    expect_at(&sc, at);
    end(&sc);
}

/* Whatever happens there are words for it, also when fields that may be null are. */
static void every_event_has_a_sentence(void **state)
{
    unsigned int wrong = 0;
    struct scene sc;

    begin(&sc, "rings", 9);
    for (unsigned int i = 0; i < 2 * TRC_NR; i++) {
        struct trace_record rec = { .event = i / 2, .who = { .domain = 1, .vcpu = 0 } };
        const struct trace_event_info *info = trace_event_info((enum trace_event)rec.event);
        struct sentence s = { 0 };

        rec.nr_words = info->nr_fields;
        for (unsigned int n = 0; i % 2 && n < info->nr_fields; n++)
            if (strstr(info->fields[n].help, "null"))
                rec.arg[n] = TRACE_NONE;
        sentence_add_records(&s, sc.host, &rec, 1);
        if (!strcmp(s.text, trace_event_name((enum trace_event)rec.event)) || strchr(s.text, '?') ||
            strstr(s.text, "18446744073709551615"))
            print_error("%s is said as \"%s\"\n", trace_event_name((enum trace_event)rec.event), s.text), wrong++;
    }
    end(&sc);
    assert_int_equal(wrong, 0);
}

static bool is_refused_entry(void *data, const struct trace_record *rec)
{
    return rec->event == TRC_pte && record_refuses(rec) && (record_field(rec, "new") & 1);
}

/* An entry that is refused is so for what the frame is that it names: that is said with it. */
static void a_refused_entry_says_what_its_frame_is(void **state)
{
    struct trace_record rec;
    unsigned int nr = 0;
    struct scene sc;

    begin(&sc, "pagetables", 11);
    go(&sc, sc.rw.end);
    while (past_last_event(&sc.d, is_refused_entry, NULL, &rec) == DEBUG_THERE) {
        char frame[64];
        struct why w;

        snprintf(frame, sizeof(frame), "mfn 0x%llx",
                 (unsigned long long)(record_field(&rec, "new") & 0xffffffffff000ULL) >> PAGE_SHIFT);
        assert_int_equal(why_at(&sc.d, rec.at, &w), DEBUG_THERE);
        if (!strstr(w.says.text, "is refused: -E") || !strstr(strstr(w.says.text, "Cost: "), frame))
            fail_msg("%s is not in: %s", frame, w.says.text);
        nr++;
        go(&sc, (struct position){ rec.at.insns, rec.at.step - 1 });
    }
    assert_true(nr > 5);
    end(&sc);
}

/* The function is there: do_NAME(, or that of the calls that nobody answers. */
static void files_that_sentences_name_have_the_hypercall(void **state)
{
    const struct trace_names *calls = trace_call_names();
    unsigned int nr = 0;

    for (uint64_t i = 0; i < calls->nr; i++) {
        const char *file = hypercall_source(i);
        char text[128], name[64];
        bool there = false;
        FILE *f;

        if (!file)
            continue;
        nr++;
        f = fopen(file, "r");
        if (!f)
            fail_msg("%s of %s is not there", file, calls->name[i]);
        snprintf(name, sizeof(name), "do_%.*s", (int)strcspn(calls->name[i], " "), calls->name[i]);
        while (fgets(text, sizeof(text), f))
            there |= strstr(text, name) != NULL;
        fclose(f);
        if (!there)
            fail_msg("%s has no %s", file, name);
    }
    assert_int_equal(nr, 39);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_what_stepping_back_finds),
        cmocka_unit_test(asking_leaves_nothing),
        cmocka_unit_test(a_question_can_be_interrupted),
        cmocka_unit_test(every_event_has_a_sentence),
        cmocka_unit_test(a_refused_entry_says_what_its_frame_is),
        cmocka_unit_test(files_that_sentences_name_have_the_hypercall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
