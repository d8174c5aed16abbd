// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arena: blocks beside a model of them, the same addresses for the same requests, and a state that can be put back
 * from its bytes alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/arena.h"
#include "sim/bug.h"

static uint64_t next_random(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *s >> 33;
}

#define BLOCKS 200

/* What a block should contain: its own number and length, over and over. */
struct model {
    uint8_t *p;
    size_t size;
    uint8_t fill;
};

static size_t random_size(uint64_t *s)
{
    const unsigned int bits = (unsigned int)(next_random(s) % 18);

    return next_random(s) % ((UINT64_C(1) << bits) + 1);
}

static void check(const struct model *m)
{
    for (size_t i = 0; i < m->size; i++)
        assert_int_equal(m->p[i], m->fill);
}

static void step(struct arena *a, struct model *m, uint8_t fill, uint64_t *s)
{
    const size_t size = random_size(s);

    check(m);
    if (m->p && next_random(s) % 2) {
        xfree(m->p);
        *m = (struct model){ 0 };
        return;
    }
    if (m->p) {
        const size_t kept = size < m->size ? size : m->size;
        uint8_t *p = xrealloc_array(a, m->p, size);

        assert_non_null(p);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], i < kept ? m->fill : 0);
        m->p = p;
    } else {
        m->p = xzalloc_array(a, uint8_t, size);
        assert_non_null(m->p);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(m->p[i], 0);
    }
    assert_int_equal((uintptr_t)m->p % 16, 0);
    m->size = size;
    m->fill = fill;
    memset(m->p, fill, size);
}

static void test_random(void **state)
{
    struct arena *a = arena_create();
    struct model m[BLOCKS] = { { 0 } };
    uint64_t s = 1;
    size_t live = 0;

    assert_non_null(a);
    for (unsigned int i = 0; i < 20000; i++)
        step(a, &m[next_random(&s) % BLOCKS], (uint8_t)(i % 255 + 1), &s);
    for (unsigned int i = 0; i < BLOCKS; i++) {
        check(&m[i]);
        live += !!m[i].p;
    }
    assert_int_equal(arena_blocks(a, NULL, NULL), live);
    for (unsigned int i = 0; i < BLOCKS; i++)
        xfree(m[i].p);
    assert_int_equal(arena_blocks(a, NULL, NULL), 0);
    arena_destroy(a);
}

static uint64_t addresses(struct arena *a, uint64_t seed, unsigned int steps, struct model m[BLOCKS])
{
    uint64_t sum = 0, s = seed;

    for (unsigned int i = 0; i < steps; i++) {
        struct model *one = &m[next_random(&s) % BLOCKS];

        step(a, one, (uint8_t)(i % 255 + 1), &s);
        sum = sum * 31 + (one->p ? (uint64_t)(one->p - (uint8_t *)arena_base(a)) : 0);
    }
    return sum;
}

/* Two arenas at once lie apart, and give the same answers; a new one lies where the last one was. */
static void test_same_addresses(void **state)
{
    struct arena *a = arena_create(), *b = arena_create(), *c;
    static struct model ma[BLOCKS], mb[BLOCKS];
    void *base;

    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(addresses(a, 7, 5000, ma), addresses(b, 7, 5000, mb));
    assert_int_equal(arena_size(a), arena_size(b));
    base = arena_base(a);
    arena_destroy(a);
    c = arena_create();
    assert_ptr_equal(arena_base(c), base);
    arena_destroy(b);
    arena_destroy(c);
}

/* What is poisoned, too. */
__attribute__((no_sanitize_address)) static void bytes_copy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size / 8; i++)
        ((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)from)[i];
}

/* Its bytes are all there is: put back, they are the same arena, and it goes on in the same way. */
static void test_put_back(void **state)
{
    struct arena *a = arena_create();
    static struct model before[BLOCKS], m[BLOCKS];
    uint64_t first;
    size_t size;
    void *copy;

    addresses(a, 3, 3000, m);
    memcpy(before, m, sizeof(m));
    size = arena_size(a);
    copy = malloc(size);
    bytes_copy(copy, arena_base(a), size);
    first = addresses(a, 4, 3000, m);
    assert_true(arena_size(a) > size);
    bytes_copy(arena_base(a), copy, size);
    arena_restored(a);
    assert_int_equal(arena_size(a), size);
    memcpy(m, before, sizeof(m));
    for (unsigned int i = 0; i < BLOCKS; i++)
        check(&m[i]);
    assert_int_equal(addresses(a, 4, 3000, m), first); /* what is given out is zero, as step() looks */
    free(copy);
    arena_destroy(a);
}

static void note_place(void *data, const void *p, size_t size, const char *place)
{
    assert_int_equal(size, 3);
    *(const char **)data = place;
}

static void test_who_asked(void **state)
{
    struct arena *a = arena_create();
    const char *place = NULL;
    char *one = xstrdup(a, "me"), *two = xstrdup(a, "somebody else");

    xfree(two);
    assert_int_equal(arena_blocks(a, note_place, &place), 1);
    assert_non_null(strstr(place, "test_arena.c:"));
    assert_string_equal(one, "me");
    arena_destroy(a);
}

static jmp_buf caught;

static void catch (const char *file, int line, const char *what) { longjmp(caught, 1); }

static bool is_bug(const void *p)
{
    bug_handler_t *const before = bug_set_handler(catch);
    const bool bug = setjmp(caught);

    if (!bug)
        xfree(p);
    bug_set_handler(before);
    return bug;
}

static void test_mistakes(void **state)
{
    struct arena *a = arena_create();
    int *p = xzalloc(a, int);
    int here;

    xfree(NULL);
    assert_false(is_bug(p));
    assert_true(is_bug(p));     /* twice */
    assert_true(is_bug(&here)); /* no arena's */
    arena_destroy(a);
}

static void test_no_memory(void **state)
{
    struct arena *a = arena_create();
    struct rlimit before, small;
    size_t nr = 0;
    int *p = xzalloc(a, int);

    assert_null(xzalloc_array(a, uint64_t, SIZE_MAX / 4));
    assert_null(xzalloc_array(a, uint8_t, SIZE_MAX));
#ifndef __SANITIZE_ADDRESS__
    getrlimit(RLIMIT_AS, &before);
    small = (struct rlimit){ UINT64_C(64) << 20, before.rlim_max };
    setrlimit(RLIMIT_AS, &small);
    while (nr < 1000 && xzalloc_array(a, uint8_t, 1 << 20))
        nr++;
    setrlimit(RLIMIT_AS, &before);
    assert_in_range(nr, 0, 64);
    *p = 5;
    assert_null(xrealloc_array(a, p, SIZE_MAX / 8));
    assert_int_equal(*p, 5);
    assert_non_null(xzalloc_array(a, uint8_t, 1 << 20)); /* it goes on */
#else
    (void)before, (void)small, (void)nr, (void)p;
#endif
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),    cmocka_unit_test(test_same_addresses), cmocka_unit_test(test_put_back),
        cmocka_unit_test(test_who_asked), cmocka_unit_test(test_mistakes),       cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
