// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checkpoints, of a machine without processors: what runs is a toy whose next step follows from the machine's state
 * alone. A straight run tells what the state is at each position; whatever way leads to a position afterwards, back,
 * forward, by running again, it must be that state, and there must be no more pages in use than allowed.
 *
 * Budget: 550 lines, one toy for all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint.h"
#include "sim/frame.h"
#include "sim/history.h"
#include "sim/page_store.h"
#include "sim/ram_hash.h"

#define FRAMES 256 /* 1 MiB */
#define BLOCKS 60
#define STEPS  2000

/* Lies in the arena, as what it points to. */
struct toy {
    uint8_t *block[BLOCKS];
    uint32_t size[BLOCKS];
    mfn_t shared; /* or INVALID_MFN */
};

static struct machine *machine_new(uint64_t mib)
{
    char err[200];
    const struct machine_config cfg = { .ram_mib = mib, .seed = 5 };
    struct machine *m = machine_create(&cfg, err, sizeof(err));

    if (!m)
        fail_msg("%s", err);
    return m;
}

static void give_back(void *data, const void *p, size_t size, const char *place)
{
    if (!strncmp(place, "tests/", 6))
        xfree(p);
}

/* The toys in it, too. */
static void end(struct machine *m)
{
    arena_blocks(m->arena, give_back, NULL);
    machine_destroy(m);
}

static struct toy *toy_new(struct machine *m)
{
    struct toy *t = xzalloc(m->arena, struct toy);

    t->shared = INVALID_MFN;
    return t;
}

static void step_blocks(struct machine *m, struct toy *t)
{
    const unsigned int i = (unsigned int)(machine_random(m) % BLOCKS);

    if (!t->block[i]) {
        t->size[i] = (uint32_t)(machine_random(m) % 9000 + 1);
        t->block[i] = xzalloc_array(m->arena, uint8_t, t->size[i]);
        assert_non_null(t->block[i]);
    } else if (machine_random(m) % 8) {
        t->block[i][machine_random(m) % t->size[i]] = (uint8_t)machine_random(m);
    } else {
        xfree(t->block[i]);
        t->block[i] = NULL;
    }
}

static void step_shared(struct machine *m, struct toy *t)
{
    if (mfn_eq(t->shared, INVALID_MFN)) {
        t->shared = _mfn(machine_random(m) % FRAMES);
        frame_share(m, t->shared);
    } else if (machine_random(m) % 4) {
        ((uint64_t *)frame_shared(m, t->shared))[machine_random(m) % 512] = machine_random(m);
    } else {
        frame_unshare(m, t->shared);
        t->shared = INVALID_MFN;
    }
}

/* A word of a frame, a whole frame, or all of it zero. */
static void step_frame(struct machine *m)
{
    const mfn_t mfn = _mfn(machine_random(m) % FRAMES * (machine_random(m) % 4 + 1) / 4);
    uint64_t page[512];

    switch (machine_random(m) % 8) {
    case 0:
        for (unsigned int i = 0; i < 512; i++)
            page[i] = machine_random(m);
        frame_fill(m, mfn, page);
        return;
    case 1:
        memset(frame_write_begin(m, mfn), 0, PAGE_SIZE);
        frame_write_end(m, mfn);
        return;
    case 2: frame_write_u64(m, (const uint64_t *)mfn_to_virt(m, mfn) + machine_random(m) % 512, 0); return;
    case 3: frame_write_u64(m, (const uint64_t *)mfn_to_virt(m, mfn) + 7, machine_random(m) % 2); return;
    default:
        ((uint8_t *)frame_write_begin(m, mfn))[machine_random(m) % PAGE_SIZE] = (uint8_t)machine_random(m);
        frame_write_end(m, mfn);
        return;
    }
}

static void step(struct machine *m, struct toy *t)
{
    for (unsigned int n = (unsigned int)(machine_random(m) % 4); n < 5; n++)
        switch (machine_random(m) % 6) {
        case 0: step_shared(m, t); break;
        case 1:
        case 2: step_blocks(m, t); break;
        default: step_frame(m); break;
        }
    m->at.insns++;
}

/* All pages there are, by nobody's notes. */
static uint64_t digest(const struct machine *m)
{
    uint64_t sum = arena_size(m->arena);

    for (uint64_t i = 0; i < m->nr_frames; i++)
        sum = sum * 31 + page_hash(i, m->ram + i * PAGE_SIZE);
    for (uint64_t i = 0; i < arena_size(m->arena) / PAGE_SIZE; i++)
        sum = sum * 31 + page_hash(i, (const uint8_t *)arena_base(m->arena) + i * PAGE_SIZE);
    return sum;
}

struct run {
    struct machine *m;
    struct toy *t;
    struct history *h;
    unsigned int limit;
    uint64_t s;
    uint64_t digest[STEPS + 1];
};

static uint64_t next_random(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *s >> 33;
}

static void check_history(struct run *r)
{
    struct divergence d;

    assert_true(history_used(r->h) <= (uint64_t)r->limit << 20);
    if (history_nr(r->h))
        assert_true(history_is_whole(r->h, &d));
    assert_int_equal(history_hash_ram(r->h), machine_hash_ram(r->m));
}

static void take(struct run *r)
{
    struct divergence d;
    struct checkpoint_info info;

    assert_true(checkpoint_take(r->h, &d));
    check_history(r);
    if (!history_nr(r->h))
        return;
    info = history_info(r->h, history_base(r->h));
    assert_int_equal(info.at.insns, r->m->at.insns);
    assert_int_equal(info.hash_ram, machine_hash_ram(r->m));
}

static void check_state(struct run *r) { assert_int_equal(digest(r->m), r->digest[r->m->at.insns]); }

static void run_straight(struct run *r, unsigned int rarely)
{
    r->digest[0] = digest(r->m);
    take(r);
    checkpoint_pin(r->h, 0, true);
    while (r->m->at.insns < STEPS) {
        step(r->m, r->t);
        r->digest[r->m->at.insns] = digest(r->m);
        if (!(next_random(&r->s) % rarely))
            take(r);
    }
}

/* Go somewhere, and run on a while, making checkpoints here and there, or stopping at those there are. */
static void walk(struct run *r)
{
    const size_t to = next_random(&r->s) % history_nr(r->h);
    const uint64_t at = history_info(r->h, to).at.insns, hash = history_info(r->h, to).hash;
    const unsigned int kind = (unsigned int)(next_random(&r->s) % 4);
    struct position next;

    checkpoint_go(r->h, to);
    check_history(r);
    assert_int_equal(r->m->at.insns, at);
    check_state(r);
    assert_int_equal(history_info(r->h, history_base(r->h)).hash, hash);
    for (uint64_t n = next_random(&r->s) % 60; n && r->m->at.insns < STEPS; n--) {
        step(r->m, r->t);
        if (n % 4 == 1)
            check_state(r);
        if ((kind & 1 && history_next(r->h, &next) && next.insns == r->m->at.insns) ||
            (kind & 2 && !(next_random(&r->s) % 12)))
            take(r);
    }
}

static void test_walks(unsigned int limit, bool by_comparing, unsigned int rarely, unsigned int walks)
{
    const struct history_config cfg = { .limit_mib = limit, .by_comparing = by_comparing };
    struct run *r = calloc(1, sizeof(*r));
    size_t nr;

    r->m = machine_new(FRAMES * PAGE_SIZE >> 20);
    r->t = toy_new(r->m);
    r->limit = limit;
    r->s = limit + rarely;
    r->h = history_create(r->m, &cfg);
    assert_non_null(r->h);
    if (by_comparing)
        assert_true(history_by_comparing(r->h));
    run_straight(r, rarely);
    nr = history_nr(r->h);
    assert_true(nr > 5);
    for (unsigned int i = 0; i < walks; i++)
        walk(r);
    assert_int_equal(history_info(r->h, 0).at.insns, 0); /* it is pinned, and there is room for it */
    for (size_t i = 1; i < history_nr(r->h); i++)
        assert_true(history_info(r->h, i - 1).at.insns < history_info(r->h, i).at.insns);
    history_destroy(r->h);
    for (unsigned int i = 0; i < 50; i++)
        step(r->m, r->t);
    end(r->m);
    free(r);
}

static void test_walk(void **state) { test_walks(64, false, 7, 300); }
static void test_walk_by_comparing(void **state) { test_walks(64, true, 11, 150); }
static void test_walk_with_little_room(void **state) { test_walks(2, false, 7, 300); }
static void test_each_position(void **state) { test_walks(256, false, 1, 60); }

/* All that it is made of is another from now on. */
static void write_page(struct machine *m, uint64_t mfn, uint64_t value)
{
    for (size_t at = 0; at < PAGE_SIZE; at += LINE_SIZE)
        frame_write_u64(m, (uint64_t *)mfn_to_virt(m, _mfn(mfn)) + at / 8, value);
}

/* Gaps grow with their age, and what does not fit at all is forgotten at the beginning: a query tells. */
static void test_thinning(void **state)
{
    const struct history_config cfg = { .limit_mib = 1 };
    struct machine *m = machine_new(64);
    struct history *h = history_create(m, &cfg);
    struct divergence d;
    uint64_t last = 0;

    for (unsigned int i = 0; i < 4000; i++) {
        write_page(m, i % 8, i + 1);
        assert_true(checkpoint_take(h, &d));
        assert_true(history_used(h) <= 1u << 20);
        m->at.insns += 1000;
    }
    assert_int_equal(history_info(h, 0).at.insns, 0); /* 8 pages an interval at most */
    assert_in_range(history_nr(h), 20, 200);
    for (size_t i = history_nr(h) - 1; i; i--) {
        const uint64_t gap = history_info(h, i).at.insns - history_info(h, i - 1).at.insns;

        assert_true(gap <= (m->at.insns - history_info(h, i).at.insns) / 2 + 2000);
        last = gap > last ? gap : last;
    }
    assert_true(last > 100000);
    for (unsigned int i = 0; i < 500; i++) { /* more and more pages */
        for (unsigned int j = 0; j < 10; j++)
            write_page(m, 100 + 10 * i + j, i + 1);
        for (unsigned int j = 0; j < 10; j++)
            write_page(m, 100 + 10 * (i / 2) + j, i + 2);
        assert_true(checkpoint_take(h, &d));
        assert_true(history_used(h) <= 1u << 20);
        m->at.insns += 1000;
    }
    assert_true(history_info(h, 0).at.insns > 0);
    assert_true(history_find(h, (struct position){ 0, 0 }) == HISTORY_NONE);
    assert_int_equal(history_find(h, m->at), history_nr(h) - 1);
    history_destroy(h);
    end(m);
}

/* Of a page that is stored to in places, these are kept, in one interval and in two that become one. */
static void test_lines(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m = machine_new(64);
    struct history *h = history_create(m, &cfg);
    const unsigned int frames = 500;
    struct divergence d;
    uint64_t before;

    for (unsigned int i = 0; i < frames; i++)
        write_page(m, i, i + 1);
    assert_true(checkpoint_take(h, &d));
    before = history_used(h);
    for (unsigned int round = 1; round < 4; round++) {
        for (unsigned int i = 0; i < frames; i++)
            frame_write_u64(m, (uint64_t *)mfn_to_virt(m, _mfn(i)) + (round - 1) / 2 * 8, round);
        m->at.insns += 10;
        assert_true(checkpoint_take(h, &d));
        assert_in_range(history_used(h) - before, round * frames * LINE_SIZE, round * frames * 2 * LINE_SIZE);
    }
    assert_true(history_remove(h, 1)); /* of two intervals the same line; then another beside it */
    assert_in_range(history_used(h) - before, 2 * frames * LINE_SIZE, 2 * frames * 2 * LINE_SIZE);
    assert_true(history_remove(h, 1));
    assert_in_range(history_used(h) - before, 2 * frames * LINE_SIZE, 2 * frames * 2 * LINE_SIZE);
    for (unsigned int there = 0; there < 3; there++) {
        checkpoint_go(h, there % 2);
        assert_true(history_is_whole(h, &d));
        for (unsigned int i = 0; i < frames; i++)
            for (unsigned int line = 0; line < 2; line++) {
                const uint64_t is = ((const uint64_t *)mfn_to_virt(m, _mfn(i)))[8 * line];

                assert_int_equal(is, there % 2 ? line + 2 : i + 1);
            }
    }
    history_destroy(h);
    end(m);
}

/* An interval that alone is more than the limit: there is no way back over it, and a new beginning. */
static void test_too_much_at_once(void **state)
{
    const struct history_config cfg = { .limit_mib = 1 };
    struct machine *m = machine_new(64);
    struct history *h = history_create(m, &cfg);
    struct divergence d;

    for (unsigned int round = 0; round < 3; round++) {
        assert_true(checkpoint_take(h, &d));
        assert_int_equal(history_nr(h), 1);
        assert_int_equal(history_info(h, 0).at.insns, round);
        for (unsigned int i = 0; i < 600; i++)
            frame_write_u64(m, mfn_to_virt(m, _mfn(i)), round + i + 1);
        assert_int_equal(history_nr(h), round ? 0 : 1); /* what was zero needs no room */
        assert_true(history_used(h) <= 1u << 20);
        m->at.insns++;
        if (!round) {
            checkpoint_go(h, 0);
            for (unsigned int i = 0; i < 600; i++) {
                assert_int_equal(*(const uint64_t *)mfn_to_virt(m, _mfn(i)), 0);
                frame_write_u64(m, mfn_to_virt(m, _mfn(i)), round + i + 1);
            }
            history_destroy(h);
            h = history_create(m, &cfg);
            m->at.insns++;
        }
    }
    history_destroy(h);
    end(m);
}

/* Going needs room, too, to remember where one comes from: without any, that is forgotten. */
static void test_no_room_to_go(void **state)
{
    const struct history_config cfg = { .limit_mib = 1 };
    struct machine *m = machine_new(64);
    struct history *h = history_create(m, &cfg);
    struct divergence d;

    for (unsigned int round = 0; round < 4; round++) {
        assert_true(checkpoint_take(h, &d));
        for (unsigned int i = 0; i < 200; i++)
            write_page(m, 200 * round + i, i + 1);
        m->at.insns++;
    }
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(history_nr(h), 5);
    checkpoint_go(h, 1);
    assert_int_equal(m->at.insns, 1);
    assert_true(history_used(h) <= 1u << 20);
    assert_in_range(history_nr(h), 2, 4);
    for (unsigned int i = 0; i < 800; i++)
        assert_int_equal(*(const uint64_t *)mfn_to_virt(m, _mfn(i)), i < 200 ? i + 1 : 0);
    checkpoint_go(h, history_nr(h) - 1);
    assert_true(history_is_whole(h, &d));
    for (unsigned int i = 0; i < 800; i++)
        assert_int_equal(*(const uint64_t *)mfn_to_virt(m, _mfn(i)), i < 200 * m->at.insns ? i % 200 + 1 : 0);
    history_destroy(h);
    end(m);
}

/* A run that is repeated and differs: what differs is named, and takes the place of what was known. */
/* Of each frame it is known whether anybody has stored to it, even if that came to nothing. */
static void test_stored(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m = machine_new(1);
    struct history *h = history_create(m, &cfg);
    struct divergence d;

    for (unsigned int i = 0; i < 4; i++) {
        assert_true(checkpoint_take(h, &d));
        assert_true(checkpoint_take(h, &d)); /* the same one */
        frame_write_u64(m, mfn_to_virt(m, _mfn(i)), 5);
        frame_write_u64(m, mfn_to_virt(m, _mfn(10 + i)), 5);
        frame_write_u64(m, mfn_to_virt(m, _mfn(10 + i)), 0);
        m->at.insns += 10;
    }
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(history_nr(h), 5);
    for (unsigned int way = 0; way < 3; way++) {
        for (unsigned int i = 0; i < 4; i++)
            for (unsigned int n = 0; n < 20; n++)
                assert_int_equal(checkpoint_frame_stored(h, i, _mfn(n)), n % 10 == i);
        assert_true(checkpoint_frame_stored(h, 4, _mfn(7)));
        checkpoint_go(h, way ? 4 : 0);
    }
    checkpoint_go(h, 1);
    history_remove(h, 2);
    for (unsigned int n = 0; n < 20; n++)
        assert_int_equal(checkpoint_frame_stored(h, 1, _mfn(n)), n % 10 == 1 || n % 10 == 2);
    history_destroy(h);
    end(m);
}

static void test_divergence(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m = machine_new(1);
    char *block = xstrdup(m->arena, "as it was"), *other = xstrdup(m->arena, "and will be");
    struct history *h = history_create(m, &cfg);
    struct divergence d;

    for (unsigned int i = 0; i < 4; i++) {
        assert_true(checkpoint_take(h, &d));
        frame_write_u64(m, mfn_to_virt(m, _mfn(i)), 5);
        other[0] ^= 1;
        m->at.insns += 10;
    }

    checkpoint_go(h, 1);
    frame_write_u64(m, (const uint64_t *)mfn_to_virt(m, _mfn(1)) + 1, 5); /* not word 0 */
    other[0] ^= 1;
    m->at.insns += 10;
    assert_false(checkpoint_take(h, &d));
    assert_true(d.in_ram);
    assert_int_equal(mfn_x(d.mfn), 1);
    assert_int_equal(d.offset, 0);
    assert_int_equal(d.at.insns, 20);
    assert_int_equal(history_nr(h), 3); /* this one is the last */

    checkpoint_go(h, 0);
    frame_write_u64(m, mfn_to_virt(m, _mfn(0)), 5);
    frame_write_u64(m, mfn_to_virt(m, _mfn(77)), 5); /* one more */
    other[0] ^= 1;
    m->at.insns += 10;
    assert_false(checkpoint_take(h, &d));
    assert_true(d.in_ram);
    assert_int_equal(mfn_x(d.mfn), 77);

    checkpoint_go(h, 0);
    frame_write_u64(m, mfn_to_virt(m, _mfn(0)), 5);
    frame_write_u64(m, mfn_to_virt(m, _mfn(77)), 5);
    block[3] = 'X';
    other[0] ^= 1;
    m->at.insns += 10;
    assert_false(checkpoint_take(h, &d));
    assert_false(d.in_ram);
    assert_int_equal(d.offset, 3);
    assert_non_null(strstr(d.place, "test_checkpoint.c"));

    checkpoint_go(h, 0);
    frame_write_u64(m, mfn_to_virt(m, _mfn(0)), 5); /* not frame 77 */
    block[3] = 'X';
    other[0] ^= 1;
    m->at.insns += 10;
    assert_false(checkpoint_take(h, &d));
    assert_true(d.in_ram);
    assert_int_equal(mfn_x(d.mfn), 77);

    checkpoint_go(h, 0);
    history_forget_ahead(h);
    assert_int_equal(history_nr(h), 1);
    m->at.insns += 10;
    assert_true(checkpoint_take(h, &d));
    history_destroy(h);
    end(m);
}

/* Two states at one position: the user has changed something. Both are there, in order. */
static void test_changed_by_hand(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m = machine_new(1);
    struct history *h = history_create(m, &cfg);
    struct divergence d;

    assert_true(checkpoint_take(h, &d));
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(history_nr(h), 1);
    frame_write_u64(m, mfn_to_virt(m, _mfn(3)), 5);
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(history_nr(h), 2);
    assert_int_equal(history_find(h, m->at), 1);
    checkpoint_go(h, 0);
    assert_int_equal(*(const uint64_t *)mfn_to_virt(m, _mfn(3)), 0);
    checkpoint_go(h, 1);
    assert_int_equal(*(const uint64_t *)mfn_to_virt(m, _mfn(3)), 5);
    history_destroy(h);
    end(m);
}

/* Between two instructions the hypervisor takes steps, and there may be a checkpoint at each. */
static void test_steps(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m = machine_new(1);
    struct history *h = history_create(m, &cfg);
    struct position next;
    struct divergence d;

    for (m->at.step = 0; m->at.step < 4; m->at.step++) {
        frame_write_u64(m, mfn_to_virt(m, _mfn(3)), m->at.step + 1);
        assert_true(checkpoint_take(h, &d));
        assert_int_equal(history_find(h, m->at), m->at.step);
    }
    assert_int_equal(history_find(h, (struct position){ 0, 2 }), 2);
    checkpoint_go(h, 0);
    assert_true(history_next(h, &next));
    assert_int_equal(next.step, 1);
    m->at.step = 2; /* not stopped at 1 */
    frame_write_u64(m, mfn_to_virt(m, _mfn(3)), 3);
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(history_nr(h), 3);
    assert_int_equal(history_base(h), 1);
    history_destroy(h);
    end(m);
}

/* Two machines, each with its own; a hash of RAM is the same for both. */
static void test_two_machines(void **state)
{
    const struct history_config cfg = { .limit_mib = 16 };
    struct machine *m[2] = { machine_new(1), machine_new(1) };
    struct toy *t[2];
    struct history *h[2];
    struct divergence d;

    for (unsigned int i = 0; i < 2; i++) {
        t[i] = toy_new(m[i]);
        h[i] = history_create(m[i], &cfg);
    }
    for (unsigned int n = 0; n < 500; n++)
        for (unsigned int i = 0; i < 2; i++) {
            step(m[i], t[i]);
            if (n % (10 + i) == 0)
                assert_true(checkpoint_take(h[i], &d));
        }
    assert_int_equal(history_hash_ram(h[0]), history_hash_ram(h[1]));
    checkpoint_go(h[0], 10);
    checkpoint_go(h[1], 0);
    while (m[0]->at.insns < 500)
        step(m[0], t[0]);
    while (m[1]->at.insns < 500)
        step(m[1], t[1]);
    assert_int_equal(machine_hash_ram(m[0]), machine_hash_ram(m[1]));
    for (unsigned int i = 0; i < 2; i++) {
        history_destroy(h[i]);
        end(m[i]);
    }
}

static void test_hashes(void **state)
{
    static const uint8_t zero[PAGE_SIZE];
    uint8_t page[PAGE_SIZE] = { 0 };
    uint64_t seen[200];

    assert_int_equal(page_hash(7, zero), 0);
    for (unsigned int i = 0; i < 200; i++) {
        page[i * 20] ^= (uint8_t)(i + 1); /* each bit counts, and so does where the page is */
        seen[i] = page_hash(i / 2, page);
        assert_int_not_equal(seen[i], page_hash(i / 2 + 1, page));
        for (unsigned int j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
    assert_int_not_equal(hash_bytes(1, zero, 8), hash_bytes(1, zero, 9));
    assert_int_not_equal(hash_bytes(1, "a", 1), hash_bytes(1, "b", 1));
    assert_int_not_equal(hash_bytes(1, page, 4096), hash_bytes(2, page, 4096));
    assert_int_equal(hash_bytes(0, "xenlab", 6), UINT64_C(0x34de2b9e02112be4)); /* the same on every host */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_by_comparing),
        cmocka_unit_test(test_walk_with_little_room),
        cmocka_unit_test(test_each_position),
        cmocka_unit_test(test_thinning),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_too_much_at_once),
        cmocka_unit_test(test_no_room_to_go),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_changed_by_hand),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_two_machines),
        cmocka_unit_test(test_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
