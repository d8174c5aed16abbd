// SPDX-License-Identifier: GPL-2.0-or-later
/* The buddy heap and the M2P: scattered but repeatable, complete after any order of frees, cheap to start. */
#include "fixture.h"

#include "mmu/m2p.h"
#include "tests/support/ram.h"

#include <time.h>

static struct xen *bare_xen(uint64_t mib, uint64_t seed)
{
    const struct machine_config cfg = { .ram_mib = mib, .nr_pcpus = 0, .seed = seed };
    struct xen *xen = calloc(1, sizeof(*xen));
    char err[200] = "";

    assert_non_null(xen);
    xen->machine = machine_create(&cfg, err, sizeof(err));
    if (!xen->machine)
        fail_msg("%s", err);
    assert_int_equal(heap_init(xen), 0);
    return xen;
}

static void bare_close(struct xen *xen)
{
    heap_destroy(xen);
    machine_destroy(xen->machine);
    free(xen);
}

static void a_small_machine_is_refused(void **state)
{
    const struct machine_config cfg = { .ram_mib = 7, .nr_pcpus = 0 };
    struct xen xen = { 0 };
    char err[200];

    xen.machine = machine_create(&cfg, err, sizeof(err));
    assert_non_null(xen.machine);
    assert_int_equal(heap_init(&xen), -ENOMEM);
    machine_destroy(xen.machine);
}

static void frames_are_scattered_and_repeatable(void **state)
{
    struct xen *a = bare_xen(32, 5), *b = bare_xen(32, 5), *c = bare_xen(32, 6);
    unsigned int in_order = 0, same = 0;
    uint64_t last = 0;

    for (unsigned int i = 0; i < 2000; i++) {
        uint64_t na = mfn_x(page_to_mfn(a, alloc_heap_pages(a, 0))), nb = mfn_x(page_to_mfn(b, alloc_heap_pages(b, 0))),
                 nc = mfn_x(page_to_mfn(c, alloc_heap_pages(c, 0)));

        assert_int_equal(na, nb);
        assert_true(na >= FIRMWARE_FRAMES && na < a->machine->nr_frames);
        in_order += na == last + 1;
        same += na == nc;
        last = na;
    }
    assert_true(in_order < 20);
    assert_true(same < 200);
    bare_close(a);
    bare_close(b);
    bare_close(c);
}

static void blocks_are_aligned_and_contiguous(void **state)
{
    struct xen *xen = bare_xen(32, 1);

    for (unsigned int order = 0; order <= 11; order++) {
        struct page_info *pg = alloc_heap_pages(xen, order);

        assert_non_null(pg);
        assert_int_equal(mfn_x(page_to_mfn(xen, pg)) & ((1u << order) - 1), 0);
        assert_true(mfn_x(page_to_mfn(xen, pg)) + (1u << order) <= xen->machine->nr_frames);
    }
    assert_null(alloc_heap_pages(xen, 13));
    assert_null(alloc_heap_pages(xen, HEAP_MAX_ORDER + 1));
    bare_close(xen);
}

/* Whatever the order of allocations and frees, what comes back joins to what was there. */
static void everything_joins_again(void **state)
{
    struct xen *xen = bare_xen(16, 3);
    uint64_t before[HEAP_MAX_ORDER + 1], total = avail_domheap_pages(xen), rnd = 1;
    struct {
        struct page_info *pg;
        unsigned int order;
    } held[256] = { 0 };
    struct page_info *run[512];
    unsigned int nr_run = 0;

    assert_int_equal(total, heap_total_pages(xen));
    for (unsigned int i = 0; i <= HEAP_MAX_ORDER; i++)
        before[i] = heap_free_blocks(xen, i);
    for (unsigned int i = 0; i < 200000; i++) {
        unsigned int k = (unsigned int)((rnd = rnd * 6364136223846793005u + 1442695040888963407u) >> 40) % 256;

        if (held[k].pg) {
            free_heap_pages(xen, held[k].pg, held[k].order);
            held[k].pg = NULL;
        } else {
            held[k].order = (unsigned int)(rnd >> 33) % 5;
            held[k].pg = alloc_heap_pages(xen, held[k].order);
        }
    }
    for (unsigned int k = 0; k < 256; k++)
        if (held[k].pg)
            free_heap_pages(xen, held[k].pg, held[k].order);
    while (heap_free_blocks(xen, 0)) /* of the run that is being dealt out, what nobody has had yet */
        run[nr_run++] = alloc_heap_pages(xen, 0);
    while (nr_run)
        free_heap_pages(xen, run[--nr_run], 0);
    assert_int_equal(avail_domheap_pages(xen), total);
    for (unsigned int i = 0; i <= HEAP_MAX_ORDER; i++)
        assert_int_equal(heap_free_blocks(xen, i), before[i]);
    bare_close(xen);
}

static void no_frame_is_given_twice(void **state)
{
    struct xen *xen = bare_xen(8, 9);
    uint8_t *seen = calloc(xen->machine->nr_frames, 1);
    struct page_info *pg;
    uint64_t n = 0;

    while ((pg = alloc_heap_pages(xen, 0))) {
        assert_int_equal(seen[mfn_x(page_to_mfn(xen, pg))]++, 0);
        n++;
    }
    assert_int_equal(n, heap_total_pages(xen));
    assert_int_equal(avail_domheap_pages(xen), 0);
    free(seen);
    bare_close(xen);
}

static void the_m2p(void **state)
{
    struct xen *xen = bare_xen(16, 2);
    struct page_info *pg = alloc_heap_pages(xen, 0);
    mfn_t mfn = page_to_mfn(xen, pg);
    const uint64_t *l3 = mfn_to_virt(xen->machine, xen->m2p_l3), *l2, *l1;

    assert_true(get_gpfn_from_mfn(xen, mfn) == INVALID_M2P_ENTRY);
    set_gpfn_from_mfn(xen, mfn, 1234);
    assert_int_equal(get_gpfn_from_mfn(xen, mfn), 1234);
    assert_int_equal(xen->m2p[mfn_x(mfn)], 1234);
    /* As the guest sees it: through the L3 that its slot 256 points to, read-only. */
    assert_int_equal(l3[0] & (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER), _PAGE_PRESENT | _PAGE_USER);
    l2 = ram_page(xen->machine, pte_mfn(l3[0]));
    l1 = ram_page(xen->machine, pte_mfn(l2[0]));
    assert_int_equal(l1[mfn_x(mfn) / 512] & (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER), _PAGE_PRESENT | _PAGE_USER);
    assert_int_equal(((uint64_t *)ram_page(xen->machine, pte_mfn(l1[mfn_x(mfn) / 512])))[mfn_x(mfn) % 512], 1234);
    free_heap_pages(xen, pg, 0);
    assert_true(get_gpfn_from_mfn(xen, mfn) == INVALID_M2P_ENTRY);
    assert_true(get_gpfn_from_mfn(xen, INVALID_MFN) == INVALID_M2P_ENTRY);
    bare_close(xen);
}

/* The table for PV32 begins with the first such domain, knows what was set before, and is kept from then on. */
static void the_m2p_for_pv32(void **state)
{
    struct xen *xen = bare_xen(64, 2);
    const uint64_t *l2 = mfn_to_virt(xen->machine, xen->m2p_compat_l2), *l1;
    struct page_info *pg[3000];
    uint64_t n[ARRAY_SIZE(pg)];

    l1 = ram_page(xen->machine, pte_mfn(l2[COMPAT_M2P_FIRST_SLOT]));
    for (unsigned int i = 0; i < 2500; i++) {
        pg[i] = alloc_heap_pages(xen, 0);
        n[i] = mfn_x(page_to_mfn(xen, pg[i]));
        set_gpfn_from_mfn(xen, _mfn(n[i]), i);
        assert_int_equal(l1[n[i] / 1024] & _PAGE_PRESENT, 0);
    }
    free_heap_pages(xen, pg[0], 0);
    assert_true(m2p_frame_open(xen, _mfn(mfn_x(xen->m2p_compat) + n[2] / 1024))); /* or as soon as somebody reads it */
    assert_int_equal(l1[n[2] / 1024] & _PAGE_PRESENT, _PAGE_PRESENT);
    m2p32_begin(xen); /* changes nothing any more */
    for (unsigned int i = 2500; i < ARRAY_SIZE(pg); i++) {
        pg[i] = alloc_heap_pages(xen, 0);
        n[i] = mfn_x(page_to_mfn(xen, pg[i]));
        set_gpfn_from_mfn(xen, _mfn(n[i]), i);
    }
    free_heap_pages(xen, pg[1], 0);
    for (uint64_t mfn = 0; mfn < xen->machine->nr_frames; mfn++) {
        const bool open = m2p_is_open(xen, _mfn(mfn)) || m2p_is_open(xen, _mfn(mfn ^ 512));

        assert_int_equal(l1[mfn / 1024] & _PAGE_PRESENT, open ? _PAGE_PRESENT : 0);
        if (open)
            assert_int_equal(xen->m2p32[mfn], (uint32_t)get_gpfn_from_mfn(xen, _mfn(mfn)));
    }
    for (unsigned int i = 2; i < ARRAY_SIZE(pg); i++)
        assert_int_equal(xen->m2p32[n[i]], i);
    bare_close(xen);
}

/* Whatever the size of the machine: whole extents, one behind the other, and enough of them. */
static void the_m2p_is_whole_extents(void **state)
{
    static const uint64_t sizes[] = {
        8,      9, 16, 511, 512, 513, 1023, 1024, 1025, 4096, 65536,
#ifndef XENLAB_AUDIT /* the sanitizers' shadow of its frame table alone is 512 MiB */
        262144,      /* more than the 32-bit table has room for */
#endif
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct xen *xen = bare_xen(sizes[i], 1);
        const uint64_t nr = xen->machine->nr_frames, m2p = mfn_x(xen->m2p_mfn), m2p32 = mfn_x(xen->m2p_compat);
        const uint64_t most32 = COMPAT_M2P_NR_SLOTS * M2P_EXTENT_PAGES, want32 = ROUND_UP(nr, 524288) / 1024;

        assert_int_equal(m2p % M2P_EXTENT_PAGES, 0);
        assert_int_equal(xen->m2p_frames, ROUND_UP(nr, 262144) / 512);
        assert_int_equal(m2p32, m2p + xen->m2p_frames);
        assert_int_equal(m2p32_frames(xen), want32 < most32 ? want32 : most32);
        assert_int_equal(heap_first_frame(xen), m2p32 + m2p32_frames(xen));
        assert_true(mfn_x(xen->m2p_compat_l2) < m2p);
        assert_true(m2p_is_open(xen, _mfn(heap_first_frame(xen) - 1)));
        bare_close(xen);
    }
}

/* A big machine is ready as fast as a small one, and costs what is used of it. */
static void a_big_machine_starts_at_once(void **state)
{
    struct timespec t0, t1;
    struct xen *xen;
    double ms;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
    xen = bare_xen(65536, 1);
    for (unsigned int i = 0; i < 1000; i++)
        assert_non_null(alloc_heap_pages(xen, 0));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t1);
    ms = (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6;
    printf("64 GiB: %.1f ms\n", ms);
#ifndef XENLAB_AUDIT /* with sanitizers it is their shadow memory that is measured */
    assert_true(ms < 200);
#endif
    bare_close(xen);
}

static jmp_buf caught;
static void catch_bug(const char *file, int line, const char *what) { longjmp(caught, 1); }

static void a_frame_in_use_cannot_be_freed(void **state)
{
    struct xen *xen = bare_xen(8, 1);
    struct page_info *pg = alloc_heap_pages(xen, 0);
    bug_handler_t *before = bug_set_handler(catch_bug);
    volatile bool bug_seen = false;

    pg->count_info = 1;
    if (setjmp(caught))
        bug_seen = true;
    else
        free_heap_pages(xen, pg, 0); /* still referenced */
    bug_set_handler(before);
    assert_true(bug_seen);
    bare_close(xen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_machine_is_refused),
        cmocka_unit_test(frames_are_scattered_and_repeatable),
        cmocka_unit_test(blocks_are_aligned_and_contiguous),
        cmocka_unit_test(everything_joins_again),
        cmocka_unit_test(no_frame_is_given_twice),
        cmocka_unit_test(a_frame_in_use_cannot_be_freed),
        cmocka_unit_test(the_m2p),
        cmocka_unit_test(the_m2p_for_pv32),
        cmocka_unit_test(the_m2p_is_whole_extents),
        cmocka_unit_test(a_big_machine_starts_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
