// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU with two page tables, a kernel's and a program's: what the engine keeps of either while the other is loaded
 * must be right, be it data, code, or code that changes; and random walks over both beside a model, with all kinds of
 * flushes.
 *
 * Could pass wrongly: where everything is flushed at each change. test_kept shows that it is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define OTHER_L4 0x30 /* and the three levels below it */
#define THIRD_L4 0x38
#define LOW_L1   0x3cu
#define RIGHTS   (PG_P | PG_RW | PG_US)

/* Page tables of their own, at first with what PG_CR3 has. */
static void root_build(struct pv_guest *g, unsigned int l4)
{
    for (unsigned int i = 0; i < 4; i++)
        memcpy(ram_page(g->m, _mfn(l4 + i)), ram_page(g->m, _mfn((PG_CR3 >> PAGE_SHIFT) + i)), PAGE_SIZE);
    *(uint64_t *)ram_page(g->m, _mfn(l4)) = (l4 + 1) << PAGE_SHIFT | RIGHTS;
    *(uint64_t *)ram_page(g->m, _mfn(l4 + 1)) = (l4 + 2) << PAGE_SHIFT | RIGHTS;
    ((uint64_t *)ram_page(g->m, _mfn(l4 + 2)))[PG_VA(0) >> 21] = (l4 + 3) << PAGE_SHIFT | RIGHTS;
}

/* Behind the engine's back: no flush. */
static void map_in(struct pv_guest *g, unsigned int l4, unsigned int page, mfn_t mfn, uint64_t rights)
{
    ((uint64_t *)ram_page(g->m, _mfn(l4 + 3)))[page] = mfn_x(mfn) << PAGE_SHIFT | rights;
}

static void go(struct pv_guest *g, unsigned int l4)
{
    g->st->cr3 = (uint64_t)l4 << PAGE_SHIFT;
    g->st->root = l4 != PG_CR3 >> PAGE_SHIFT;
    g->st->dirty |= CPU_DIRTY_ROOT;
}

#define ONE (PG_CR3 >> PAGE_SHIFT)

static uint64_t read_from(struct pv_guest *g, uint64_t addr)
{
    struct sim_exit x;

    g->st->rip = PG_VA(0);
    g->st->rdi = addr;
    x = pcpu_run(g->m->pcpu[0], g->c, 1000);
    return x.kind == EXIT_SYSCALL ? g->st->rax : x.kind == EXIT_EXCEPTION ? x.exception.vector : ~UINT64_C(0);
}

static uint64_t read_at(struct pv_guest *g, unsigned int page) { return read_from(g, PG_VA(page)); }

static struct pv_guest guest(void)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    pg_write(&g, 0, 0, "\x48\x8b\x07\x0f\x05", 5); /* mov (%rdi), %rax; syscall */
    for (uint64_t page = 1; page < PG_PAGES; page++)
        *(uint64_t *)ram_page(g.m, PG_FRAME(page)) = 1000 + page;
    root_build(&g, OTHER_L4);
    root_build(&g, THIRD_L4);
    return g;
}

/* A change of an entry that nobody was told of is not seen, in neither root; INVLPG and a flush reach both. */
static void test_kept(void **state)
{
    struct pv_guest g = guest();

    for (unsigned int how = 0; how < 2; how++) {
        map_in(&g, ONE, 5, PG_FRAME(5), RIGHTS);
        map_in(&g, OTHER_L4, 5, PG_FRAME(6), RIGHTS);
        go(&g, ONE);
        g.st->dirty |= CPU_DIRTY_TLB;
        assert_int_equal(read_at(&g, 5), 1005);
        go(&g, OTHER_L4);
        assert_int_equal(read_at(&g, 5), 1006);
        map_in(&g, ONE, 5, PG_FRAME(7), RIGHTS);
        map_in(&g, OTHER_L4, 5, PG_FRAME(8), RIGHTS);
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), 1005);
        go(&g, OTHER_L4);
        assert_int_equal(read_at(&g, 5), 1006);
        if (how)
            cpu_context_flush_page(g.c, PG_VA(5));
        else
            g.st->dirty |= CPU_DIRTY_TLB;
        assert_int_equal(read_at(&g, 5), 1008);
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), 1007);
    }
    pg_destroy(&g);
}

/* A third root finds nothing of the second, nor the second of the third. */
static void test_third(void **state)
{
    struct pv_guest g = guest();

    map_in(&g, OTHER_L4, 5, PG_FRAME(6), RIGHTS);
    map_in(&g, THIRD_L4, 5, PG_FRAME(7), RIGHTS);
    for (unsigned int i = 0; i < 3; i++) {
        go(&g, OTHER_L4);
        assert_int_equal(read_at(&g, 5), 1006);
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), 1005);
        go(&g, THIRD_L4);
        assert_int_equal(read_at(&g, 5), 1007);
        go(&g, OTHER_L4); /* from the one user root to the other, with none between */
        assert_int_equal(read_at(&g, 5), 1006);
        go(&g, ONE);
    }
    /* There and back, without a run between. */
    assert_int_equal(read_at(&g, 5), 1005);
    go(&g, OTHER_L4);
    go(&g, ONE);
    assert_int_equal(read_at(&g, 5), 1005);
    pg_destroy(&g);
}

/* At one address each root has code of its own; it is reached by calls, which the engine finds by address. */
static void test_code(void **state)
{
    static const uint8_t one[] = { 0xb8, 1, 0, 0, 0, 0xc3 }, two[] = { 0xb8, 2, 0, 0, 0, 0xc3 }; /* mov $n, %eax; ret */
    struct pv_guest g = guest();

    pg_write(&g, 5, 0, one, sizeof(one));
    pg_write(&g, 6, 0, two, sizeof(two));
    map_in(&g, OTHER_L4, 5, PG_FRAME(6), RIGHTS);
    pg_write(&g, 0, 0, "\xff\xd7\x0f\x05", 4); /* call *%rdi; syscall */
    for (unsigned int i = 0; i < 4; i++) {
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), 1);
        go(&g, OTHER_L4);
        assert_int_equal(read_at(&g, 5), 2);
    }
    pg_destroy(&g);
}

static void store_at(struct pv_guest *g, unsigned int page, uint64_t value)
{
    g->st->rip = PG_VA(0) + 16;
    g->st->rdi = PG_VA(page);
    g->st->rax = value;
    assert_int_equal(pcpu_run(g->m->pcpu[0], g->c, 1000).kind, EXIT_SYSCALL);
}

static struct pv_guest guest_of_functions(void)
{
    static const uint8_t one[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
    struct pv_guest g = guest();

    pg_write(&g, 5, 0, one, sizeof(one));
    pg_write(&g, 6, 0, one, sizeof(one));
    pg_write(&g, 0, 0, "\xff\xd7\x0f\x05", 4);      /* call *%rdi; syscall */
    pg_write(&g, 0, 16, "\x88\x47\x01\x0f\x05", 5); /* mov %al, 1(%rdi); syscall */
    return g;
}

/* Code of the first root is changed by a store of the second, which has it at another page. */
static void test_changed_from_other(void **state)
{
    struct pv_guest g = guest_of_functions();

    map_in(&g, OTHER_L4, 9, PG_FRAME(5), RIGHTS);
    for (unsigned int i = 2; i < 40; i++) {
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), i - 1);
        go(&g, OTHER_L4);
        store_at(&g, 9, i);
    }
    pg_destroy(&g);
}

/*
 * When the code is gone from a page of the second root, stores to it may go fast. Not those to the first root's page
 * there.
 */
static void test_changed_at_same_address(void **state)
{
    struct pv_guest g = guest_of_functions();

    map_in(&g, OTHER_L4, 5, PG_FRAME(6), RIGHTS);
    for (unsigned int i = 2; i < 40; i++) {
        go(&g, ONE);
        assert_int_equal(read_at(&g, 5), i - 1);
        go(&g, OTHER_L4);
        assert_int_equal(read_at(&g, 5), i == 2 ? 1 : 100 + i - 1);
        store_at(&g, 5, 100 + i);
        go(&g, ONE);
        store_at(&g, 5, i);
    }
    pg_destroy(&g);
}

static void flush_frame(struct pv_guest *g, mfn_t mfn)
{
    g->m->tells_of_mappings = true;
    machine_mapping_gone(g->m, mfn);
    g->st->dirty |= CPU_DIRTY_TLB;
}

/* A frame whose mappings are gone is flushed under all its addresses, in both roots, and nothing else is. */
static void test_frame(void **state)
{
    static const unsigned int pages[] = { 5, 6, 69, 262 };
    const unsigned int roots[] = { ONE, OTHER_L4 };
    struct pv_guest g = guest();

    for (unsigned int r = 0; r < 2; r++) {
        for (unsigned int i = 0; i < 4; i++)
            map_in(&g, roots[r], pages[i], PG_FRAME(5), RIGHTS);
        map_in(&g, roots[r], 7, PG_FRAME(7), RIGHTS);
    }
    g.st->dirty |= CPU_DIRTY_TLB;
    for (unsigned int r = 0; r < 2; r++) {
        go(&g, roots[r]);
        for (unsigned int i = 0; i < 4; i++)
            assert_int_equal(read_at(&g, pages[i]), 1005);
        assert_int_equal(read_at(&g, 7), 1007);
        for (unsigned int i = 0; i < 4; i++)
            map_in(&g, roots[r], pages[i], PG_FRAME(8), RIGHTS);
        map_in(&g, roots[r], 7, PG_FRAME(9), RIGHTS);
    }
    flush_frame(&g, PG_FRAME(5));
    for (unsigned int r = 2; r-- > 0;) { /* first the one that is loaded: another would be a new one */
        go(&g, roots[r]);
        assert_int_equal(read_at(&g, 7), 1007);
        for (unsigned int i = 0; i < 4; i++)
            assert_int_equal(read_at(&g, pages[i]), 1008);
    }
    /* Address 0 is one like others. */
    ((uint64_t *)ram_page(g.m, _mfn(ONE + 2)))[0] = LOW_L1 << PAGE_SHIFT | RIGHTS;
    *(uint64_t *)ram_page(g.m, _mfn(LOW_L1)) = mfn_x(PG_FRAME(11)) << PAGE_SHIFT | RIGHTS;
    go(&g, ONE);
    assert_int_equal(read_from(&g, 0), 1011);
    *(uint64_t *)ram_page(g.m, _mfn(LOW_L1)) = mfn_x(PG_FRAME(12)) << PAGE_SHIFT | RIGHTS;
    assert_int_equal(read_from(&g, 0), 1011);
    flush_frame(&g, PG_FRAME(11));
    assert_int_equal(read_from(&g, 0), 1012);
    /* Code, too: the engine finds blocks by address. */
    pg_write(&g, 10, 0, "\xb8\x01\x00\x00\x00\xc3", 6); /* mov $1, %eax; ret */
    pg_write(&g, 0, 0, "\xff\xd7\x0f\x05", 4);          /* call *%rdi; syscall */
    go(&g, ONE);
    assert_int_equal(read_at(&g, 10), 1);
    map_in(&g, ONE, 10, PG_FRAME(10), 0);
    assert_int_equal(read_at(&g, 10), 1);
    flush_frame(&g, PG_FRAME(10));
    assert_int_equal(read_at(&g, 10), 14);
    pg_destroy(&g);
}

static unsigned int below(uint64_t *s, unsigned int n)
{
    *s = *s * UINT64_C(6364136223846793005) + 1;
    return (unsigned int)(*s >> 33) % n;
}

/*
 * Random reads and writes through two roots, with entries that change. The model knows what memory holds, and of each
 * root and page whether it was changed without a flush; such a page is not looked at before the next.
 */
static void test_random(void **state)
{
    /* Some have the same place in a table of 64, 128, 256 entries, from which one drives the other. */
    static const unsigned int pages[] = { 4, 5, 6, 68, 69, 70, 132, 133, 260, 261, 262, 324 };
    enum { PAGES = sizeof(pages) / sizeof(pages[0]), STEPS = 20000 };
    struct pv_guest g = guest();
    uint64_t s = 99, mem[PG_PAGES];
    unsigned int map[2][PAGES];
    bool stale[2][PAGES] = { { false } };
    const unsigned int roots[2] = { ONE, OTHER_L4 };
    unsigned int root = 0, looked = 0;

    pg_write(&g, 0, 16, "\x48\x89\x07\x0f\x05", 5); /* mov %rax, (%rdi); syscall */
    for (unsigned int i = 0; i < PG_PAGES; i++)
        mem[i] = 1000 + i;
    for (unsigned int i = 0; i < PAGES; i++)
        for (unsigned int r = 0; r < 2; r++) {
            map[r][i] = 4 + i + r * PAGES;
            map_in(&g, roots[r], pages[i], PG_FRAME(map[r][i]), RIGHTS);
        }
    g.st->dirty |= CPU_DIRTY_TLB;
    for (unsigned int step = 0; step < STEPS; step++) {
        const unsigned int page = below(&s, PAGES), at = below(&s, 2);

        switch (below(&s, 8)) {
        case 0:
        case 1:
            root ^= 1;
            go(&g, roots[root]);
            break;
        case 2:
            map[at][page] = 4 + below(&s, 2 * PAGES);
            map_in(&g, roots[at], pages[page], PG_FRAME(map[at][page]), RIGHTS);
            stale[at][page] = true;
            break;
        case 3: /* INVLPG: of both */
            cpu_context_flush_page(g.c, PG_VA(pages[page]));
            stale[0][page] = stale[1][page] = false;
            break;
        case 4:
            if (below(&s, 4))
                break;
            g.st->dirty |= CPU_DIRTY_TLB;
            memset(stale, 0, sizeof(stale));
            break;
        case 5:
            if (stale[root][page])
                break;
            mem[map[root][page]] = step;
            store_at(&g, pages[page], step);
            break;
        default:
            if (stale[root][page])
                break;
            assert_int_equal(read_at(&g, pages[page]), mem[map[root][page]]);
            looked++;
            break;
        }
    }
    assert_true(looked > STEPS / 20);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_third),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_changed_from_other),
        cmocka_unit_test(test_changed_at_same_address),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
