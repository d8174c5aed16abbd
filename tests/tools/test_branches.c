// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of futures, grown at random: wherever something comes in (keys, registers, memory, traps, events), whichever
 * future is gone over to, a position of a line that was seen once is the same whenever it is come to again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/support/random.h"
#include "tests/tools/runs.h"
#include "tools/debug/look.h"
#include "tools/rewind/input.h"
#include "tools/rewind/made.h"
#include "tools/rewind/rewind.h"
#include "vcpu/noun/domain.h"

static const struct run_setup setups[] = {
    { "echo", NULL, "credit2", 1, 1, 1, NULL, 8, NULL },
    { "hello", NULL, "credit2", 1, 1, 1, NULL, 8, NULL },
    { "smp", NULL, "credit2", 3, 2, 1, NULL, 8, NULL },
    { "echo", NULL, "credit2", 1, 2, 2, NULL, 8, NULL },
    { "callbacks", NULL, "credit2", 1, 1, 1, NULL, 8, NULL },
    { "clock", NULL, "credit2", 2, 2, 1, NULL, 8, NULL },
    { "p9cat", "times=9", "credit2", 1, 1, 2, NULL, 8, NULL },
    { "agent", NULL, "credit2", 1, 1, 2, NULL, 8, NULL },
    { "paint", NULL, "credit2", 1, 2, 1, NULL, 8, NULL },
    { "netecho", "n=100000 depth=3 size=700 outside", "credit2", 1, 2, 2, NULL, 8, NULL },
    { "netecho", "n=100000 depth=3 driven", "credit2", 1, 2, 2, NULL, 8, NULL },
};

struct seen {
    struct position at;
    uint64_t hash;
};

/* What is known of a line. */
struct line {
    char name[REWIND_NAME_SIZE];
    struct seen seen[64];
    size_t nr;
};

struct scene {
    const struct run_setup *setup;
    struct host *host;
    struct rewind rw;
    uint64_t prng;
    struct line lines[256];
    size_t nr_lines;
    unsigned int taken[JOURNAL_NR], refused, compared, switched;
};

static struct line *line_of(struct scene *sc, const char *name)
{
    for (size_t i = 0; i < sc->nr_lines; i++)
        if (!strcmp(sc->lines[i].name, name))
            return &sc->lines[i];
    assert_true(sc->nr_lines < ARRAY_SIZE(sc->lines));
    strcpy(sc->lines[sc->nr_lines].name, name);
    return &sc->lines[sc->nr_lines++];
}

static void begin(struct scene *sc, const struct run_setup *s, uint64_t seed)
{
    const struct host_io io = { .data = sc };
    const bool no = false;
    char err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->setup = s;
    sc->prng = seed;
    sc->host = run_begin(s, &io, 64, NULL, NULL);
    while ((!strcmp(s->kernel, "agent") && !host_channel_room(sc->host, 0, 1)) ||
           (!strcmp(s->kernel, "paint") && !host_keyboard(sc->host, 0)))
        host_run(sc->host, host_now(sc->host) + MICROSECS(10), &no);
    if (rewind_begin(&sc->rw, sc->host, 64, err))
        fail_msg("%s", err);
    sc->rw.every = 20000;
}

static void end(struct scene *sc)
{
    rewind_finish(&sc->rw);
    host_destroy(sc->host);
}

static void expect_no_divergence(const struct scene *sc)
{
    if (sc->rw.err[0])
        fail_msg("%s: %s", sc->setup->kernel, sc->rw.err);
}

static void go(struct scene *sc, struct position at)
{
    const bool no = false;
    char err[REWIND_ERR_SIZE];

    if (rewind_goto(&sc->rw, at, &no, err))
        fail_msg("%s: %s", sc->setup->kernel, err);
    expect_no_divergence(sc);
}

/* Here is a position that is to be the same from now on. */
static void see(struct scene *sc)
{
    struct line *l = line_of(sc, sc->rw.name);

    if (l->nr < ARRAY_SIZE(l->seen))
        l->seen[l->nr++] = (struct seen){ sc->rw.m->at, look_hash(sc->host) };
}

static void compare(struct scene *sc, const struct seen *s)
{
    go(sc, s->at);
    if (memcmp(&s->at, &sc->rw.m->at, sizeof(s->at)) || look_hash(sc->host) != s->hash)
        fail_msg("%s, branch %s: #%llu.%llu is not what it was", sc->setup->kernel, sc->rw.name,
                 (unsigned long long)s->at.insns, (unsigned long long)s->at.step);
    sc->compared++;
}

static void on(struct scene *sc)
{
    const bool no = false;
    const struct run_limit l = { .until = STIME_MAX,
                                 .at = { sc->rw.m->at.insns + random_of(&sc->prng, 30000), random_of(&sc->prng, 3) },
                                 .stop = &no };
    const size_t nr = sc->rw.journal.nr;

    rewind_run(&sc->rw, &l);
    expect_no_divergence(sc);
    for (size_t i = nr; i < sc->rw.journal.nr; i++) /* who waits for the outside is answered on the way */
        sc->taken[sc->rw.journal.records[i].kind]++;
    see(sc);
}

static void anywhere(struct scene *sc)
{
    const struct position at = { random_of(&sc->prng, sc->rw.end.insns + 1), random_of(&sc->prng, 5) };

    go(sc, position_is_before(at, rewind_first(&sc->rw)) || position_is_before(sc->rw.end, at) ? sc->rw.end : at);
}

/* A domain without a kernel is made, of few pages, or something is done with one. */
static size_t made_up_domain(struct scene *sc, unsigned int *who, uint64_t *word)
{
    const struct made_domain m = { .what = (uint32_t)random_of(&sc->prng, MADE_CREATE + 1),
                                   .made = { .type = (uint32_t)random_of(&sc->prng, HOST_MADE_TYPES + 1),
                                             .vcpus = 1 + (uint32_t)random_of(&sc->prng, 3),
                                             .pages = 4 + (uint32_t)random_of(&sc->prng, 8) } };

    *who = host_made_last(sc->host);
    memcpy(word, &m, sizeof(m));
    return sizeof(m) - !random_of(&sc->prng, 9);
}

static size_t made_up_exit(struct scene *sc, uint64_t *word)
{
    const struct made_exit m = { .kind = (uint32_t)random_of(&sc->prng, 3) ? EXIT_CPUID : EXIT_PAUSE,
                                 .insn_len = (uint32_t)random_of(&sc->prng, 17) };

    memcpy(word, &m, sizeof(m));
    return sizeof(m) - !random_of(&sc->prng, 9);
}

/* What may come in; much of it is refused. */
static size_t something(struct scene *sc, enum journal_kind kind, unsigned int *who, uint64_t *word)
{
    const domid_t dom = (domid_t)(1 + random_of(&sc->prng, sc->setup->guests + 1));
    const unsigned int vcpu = (unsigned int)random_of(&sc->prng, sc->setup->vcpus + 1);
    struct look_vcpu v;

    *who = (unsigned int)TRACE_VCPU_ID(dom, vcpu);
    switch (kind) {
    case JOURNAL_CONSOLE:
        *who = (unsigned int)random_of(&sc->prng, sc->setup->guests + 1);
        memcpy(word, "so it goes\n", 11);
        return 1 + random_of(&sc->prng, 11);
    case JOURNAL_REGISTER:
        word[0] = random_of(&sc->prng, INPUT_NR_REGS + 1);
        word[1] = random_of(&sc->prng, 4) ? random_of(&sc->prng, 1 << 20) : UINT64_MAX << random_of(&sc->prng, 64);
        return 16;
    case JOURNAL_MEMORY:
        if (!look_vcpu(sc->host, dom, vcpu, &v) || !random_of(&sc->prng, 3) ||
            !look_machine_address(sc->host, dom, vcpu, LOOK_VIRTUAL, random_of(&sc->prng, 2) ? v.regs.rsp : v.regs.rip,
                                  word))
            word[0] = random_of(&sc->prng, 64 << 20);
        word[1] = random_of(&sc->prng, UINT32_MAX);
        return 9 + random_of(&sc->prng, 8);
    case JOURNAL_TRAP:
        word[0] = random_of(&sc->prng, 24);
        word[1] = random_of(&sc->prng, 4) ? 0 : random_of(&sc->prng, 64);
        word[2] = 0;
        return 24;
    case JOURNAL_KEY:
        *who = (unsigned int)random_of(&sc->prng, sc->setup->guests + 1);
        word[0] = random_of(&sc->prng, HOST_KEY_NR + 1) | random_of(&sc->prng, 100) << 32;
        word[1] = random_of(&sc->prng, 160);
        return random_of(&sc->prng, 9) ? 16 : 15;
    case JOURNAL_CHANNEL:
        *who = (unsigned int)random_of(&sc->prng, sc->setup->guests + 1);
        word[1] = 0;
        memcpy(word, random_of(&sc->prng, 5) ? "\1\0so it goes\n" : "\1\1/dev/pts/1", 13);
        *(char *)word += !random_of(&sc->prng, 9);
        return 1 + random_of(&sc->prng, 13);
    case JOURNAL_TTY:
        *who = (unsigned int)random_of(&sc->prng, sc->setup->guests + 1);
        memcpy(word, "/dev/pts/12", 11);
        return random_of(&sc->prng, 12);
    case JOURNAL_NET: /* to all, from somebody */
        *who = !random_of(&sc->prng, 9);
        word[0] = UINT64_MAX, word[1] = random_of(&sc->prng, UINT32_MAX), word[2] = 0;
        return 12 + random_of(&sc->prng, 12);
    case JOURNAL_CTL: {
        static const char *const commands[] = {
            "pause 1",      "unpause 1",   "destroy 2",        "mem-set 1 8",
            "reboot -a",    "dmesg -c",    "vcpu-pin 1 all 0", "debug-keys q",
            "rename 1 x",   "list",        "network-attach 1", "network-detach -f 1 0",
            "crash driver", "crash driver"
        };
        const char *command = commands[random_of(&sc->prng, ARRAY_SIZE(commands))];
        char *words = strcpy((char *)word, command);

        while ((words = strchr(words, ' ')))
            *words++ = '\0';
        return strlen(command) + 1;
    }
    case JOURNAL_DOMAIN: return made_up_domain(sc, who, word);
    case JOURNAL_HYPERCALL:
        for (unsigned int i = 0; i < 7; i++)
            word[i] = random_of(&sc->prng, 64);
        return random_of(&sc->prng, 9) ? 56 : 55;
    case JOURNAL_EXIT: return made_up_exit(sc, word);
    default: word[0] = random_of(&sc->prng, 8); return 8;
    }
}

/* Here, and if this is the past another future begins, and the known one is a line of its own. */
static void change(struct scene *sc)
{
    static const struct {
        const char *kernel;
        enum journal_kind kind;
    } own[] = { { "echo", JOURNAL_CONSOLE }, { "p9cat", JOURNAL_EVENT },   { "clock", JOURNAL_XENSTORE },
                { "netecho", JOURNAL_NET },  { "agent", JOURNAL_CHANNEL }, { "paint", JOURNAL_KEY } };
    enum journal_kind kind = (enum journal_kind)random_of(&sc->prng, JOURNAL_NR);
    struct journal_record rec = { .at = sc->rw.m->at, .now = host_now(sc->host) };
    const uint64_t hash = look_hash(sc->host);
    char err[REWIND_ERR_SIZE];
    uint64_t word[8];

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (!strcmp(sc->setup->kernel, own[i].kernel) && !random_of(&sc->prng, 3))
            kind = own[i].kind;
    rec.kind = kind;
    rec.len = something(sc, kind, &rec.who, word);
    rec.bytes = (uint8_t *)word;
    if (input_check(sc->host, &rec, err)) {
        assert_int_not_equal(input_apply(sc->host, &rec, err), 0);
        assert_true(look_hash(sc->host) == hash);
        sc->refused++;
        return;
    }
    assert_true(look_hash(sc->host) == hash);
    if (!rewind_is_live(&sc->rw)) {
        struct line *l = line_of(sc, sc->rw.name), *kept;
        const size_t nr = l->nr;

        assert_int_not_equal(rewind_hand_in(&sc->rw, kind, rec.who, word, rec.len, rec.now, err), 0); /* the past */
        assert_int_equal(rewind_branch(&sc->rw, NULL, err), 0);
        kept = line_of(sc, sc->rw.branches[sc->rw.nr_branches - 1].name);
        memcpy(kept->seen, l->seen, sizeof(l->seen));
        kept->nr = nr;
        l->nr = 0;
        for (size_t i = 0; i < nr; i++)
            if (!position_is_before(sc->rw.m->at, kept->seen[i].at))
                l->seen[l->nr++] = kept->seen[i];
    }
    if (rewind_hand_in(&sc->rw, kind, rec.who, word, rec.len, rec.now, err))
        fail_msg("%s", err);
    assert_true(position_is_before(rec.at, sc->rw.m->at));
    sc->taken[kind]++;
    see(sc);
}

static void over(struct scene *sc, size_t i)
{
    const struct position parts = rewind_branch_parts(&sc->rw, i);

    if (position_is_before(parts, sc->rw.m->at))
        go(sc, parts);
    rewind_branch_take(&sc->rw, i);
    sc->switched++;
}

static void again(struct scene *sc)
{
    const struct line *l = line_of(sc, sc->rw.name);

    if (l->nr)
        compare(sc, &l->seen[random_of(&sc->prng, l->nr)]);
}

/* All lines, wherever they were seen. */
static void all_again(struct scene *sc)
{
    for (size_t i = 0; i <= sc->rw.nr_branches; i++) {
        const struct line *l = line_of(sc, sc->rw.name);

        for (size_t n = 0; n < l->nr; n++)
            compare(sc, &l->seen[n]);
        go(sc, sc->rw.end);
        if (i < sc->rw.nr_branches)
            over(sc, i);
    }
}

static void grow(struct scene *sc, unsigned int steps)
{
    while (steps--)
        switch (random_of(&sc->prng, 6)) {
        case 0: on(sc); break;
        case 1: anywhere(sc); break;
        case 2:
            if (sc->rw.nr_branches)
                over(sc, random_of(&sc->prng, sc->rw.nr_branches));
            break;
        case 3: again(sc); break;
        default: change(sc); break;
        }
}

static void test_trees(void **state)
{
    const char *many = getenv("BRANCHES"); /* how many trees of each set-up, for who has time */
    const unsigned int trees = many ? (unsigned int)atoi(many) : 2;
    unsigned int taken[JOURNAL_NR] = { 0 }, refused = 0, compared = 0, switched = 0;

    for (unsigned int n = 0; n < trees * ARRAY_SIZE(setups); n++) {
        static struct scene sc;

        begin(&sc, &setups[n % ARRAY_SIZE(setups)], n);
        while (!strcmp(sc.setup->kernel, "p9cat") && !sc.rw.journal.nr)
            on(&sc);
        for (unsigned int i = 0; i < 4; i++)
            on(&sc);
        grow(&sc, 130);
        all_again(&sc);
        for (unsigned int k = 0; k < JOURNAL_NR; k++)
            taken[k] += sc.taken[k];
        refused += sc.refused;
        compared += sc.compared;
        switched += sc.switched;
        end(&sc);
    }
    for (unsigned int k = 0; k < JOURNAL_NR; k++)
        print_message("%s: %u\n", journal_kind_name((enum journal_kind)k), taken[k]);
    print_message("refused: %u, compared: %u, switched: %u\n", refused, compared, switched);
    for (unsigned int k = 0; k < JOURNAL_NR; k++)
        assert_true(taken[k] > 3);
    assert_true(refused > 20 && compared > 100 && switched > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_trees) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
