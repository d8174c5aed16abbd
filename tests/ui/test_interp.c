// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter (vcpu/five/) against the engine: two machines with the same guest, of which one is executed by each.
 * Behind each instruction the whole state of the vCPU is the same, and at the end the machine's time.
 *
 * It could pass wrongly if both processors made the same mistake; flags that the manual leaves undefined are compared
 * as well, since the interpreter has them as the engine does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/host.h"
#include "ui/options.h"
#include "ui/start.h"
#include "vcpu/noun/domain.h"

#define FIVE "build/guests/five/five.native"

struct side {
    struct run_options options;
    struct host_pool pools[HOST_MAX_POOLS];
    struct guest_list list;
    struct host *h;
    char said[16384];
    size_t len;
};

static void hear(void *data, const char *line, size_t len)
{
    struct side *s = data;

    if (s->len + len < sizeof(s->said)) {
        memcpy(s->said + s->len, line, len);
        s->len += len;
    }
}

static struct side *side_make(char *technique)
{
    char *argv[] = { "--memory", "16", "--type", "pvh", "-q", "--technique", technique, FIVE };
    struct side *s = calloc(1, sizeof(*s));
    char err[START_ERR_SIZE] = "";
    const struct host_io io = { .data = s };

    assert_non_null(s);
    if (options_parse(&s->options, COMMAND_RUN, ARRAY_SIZE(argv), argv, err) ||
        guest_list_load(&s->list, &s->options, err) || !(s->h = start_host(&s->options, &s->list, &io, s->pools, err)))
        fail_msg("%s", err);
    host_log(s->h, hear, s, start_log_level(&s->options));
    if (start_guests(s->h, &s->list, err))
        fail_msg("%s", err);
    return s;
}

static void side_free(struct side *s)
{
    host_destroy(s->h);
    guest_list_free(&s->list);
    options_free(&s->options);
    free(s);
}

/* To this many instructions. */
static void go(struct side *s, uint64_t insns)
{
    const bool stop = false;
    const struct run_limit limit = { .until = SECONDS(1),
                                     .at = { .insns = insns, .step = insns == UINT64_MAX ? UINT64_MAX : 0 },
                                     .stop = &stop };

    while (host_guests_left(s->h) && host_now(s->h) < limit.until && host_machine(s->h)->at.insns < insns)
        if (host_run_to(s->h, &limit) == RUN_AT)
            return;
}

static const struct cpu_state *state_of(const struct side *s)
{
    struct domain *d = domain_from(host_xen(s->h), 1);

    if (!d || !d->vcpu[0]->regs)
        return NULL;
    return d->vcpu[0]->regs;
}

#define SAME(field)                                                                                                    \
    do {                                                                                                               \
        if (memcmp(&a->field, &b->field, sizeof(a->field)))                                                            \
            fail_msg("#%" PRIu64 ", at %#" PRIx64 " and %#" PRIx64 ": " #field " is %#" PRIx64                         \
                     ", interpreted %#" PRIx64,                                                                        \
                     n, a->rip, b->rip, *(const uint64_t *)(const void *)&a->field,                                    \
                     *(const uint64_t *)(const void *)&b->field);                                                      \
    } while (0)

static void compare(const struct side *engine, const struct side *interp, uint64_t n)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi" };
    const struct cpu_state *a = state_of(engine), *b = state_of(interp);

    assert_int_equal(host_machine(engine->h)->at.insns, host_machine(interp->h)->at.insns);
    if (host_now(engine->h) != host_now(interp->h))
        fail_msg("#%" PRIu64 ": it is %" PRId64 ", interpreted %" PRId64, n, host_now(engine->h), host_now(interp->h));
    assert_int_equal(!a, !b);
    if (!a)
        return;
    SAME(rip);
    if ((a->rflags ^ b->rflags) & ~(uint64_t)X86_EFLAGS_RF) /* which the engine ends at the end of a block */
        SAME(rflags);
    for (unsigned int i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i])
            fail_msg("#%" PRIu64 ", at %#" PRIx64 ": %s (%u) is %#" PRIx64 ", interpreted %#" PRIx64, n, a->rip,
                     i < 8 ? names[i] : "r", i, a->gpr[i], b->gpr[i]);
    SAME(cpl);
    SAME(insns_in);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (a->seg[i].sel != b->seg[i].sel || a->seg[i].attr != b->seg[i].attr || a->seg[i].base != b->seg[i].base)
            fail_msg("#%" PRIu64 ", at %#" PRIx64 ": segment %u is %x %x, interpreted %x %x", n, a->rip, i,
                     a->seg[i].sel, a->seg[i].attr, b->seg[i].sel, b->seg[i].attr);
    SAME(tr.sel);
    SAME(tr.base);
    SAME(gdtr.base);
    SAME(idtr.base);
    SAME(cr0);
    SAME(cr2);
    SAME(cr3);
    SAME(cr4);
    SAME(efer);
    SAME(star);
    SAME(lstar);
}

/* n instructions one by one, `skip` apart. */
static uint64_t lockstep(struct side *engine, struct side *interp, uint64_t from, uint64_t n, uint64_t skip)
{
    for (uint64_t at = from; n-- && host_guests_left(engine->h); at += skip) {
        go(engine, at);
        go(interp, at);
        compare(engine, interp, at);
        from = at;
    }
    return from;
}

static void test_lockstep(void **state)
{
    struct side *engine = side_make("hardware"), *interp = side_make("emulate");
    uint64_t at;

    (void)state;
    at = lockstep(engine, interp, 1, 20000, 1);
    at = lockstep(engine, interp, at, 2000, 997);
    at = lockstep(engine, interp, at, 3000, 1);
    at = lockstep(engine, interp, at, 100000, 9973);
    assert_true(at > 8000000);
    go(engine, UINT64_MAX);
    go(interp, UINT64_MAX);
    assert_int_equal(host_guests_left(engine->h), 0);
    assert_int_equal(host_guests_left(interp->h), 0);
    assert_int_equal(host_now(engine->h), host_now(interp->h));
    assert_string_equal(engine->said, interp->said);
    assert_non_null(strstr(interp->said, "five: done, hash 0xc2a4d601ce2808c5"));
    side_free(engine);
    side_free(interp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lockstep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
