// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory_op as its callers know it: a guest's balloon, exchanges, maps, and what the toolstack claims. What became of a
 * frame is asked by its number, and behind each test the books. (test_memory.c has what no caller sees.)
 *
 * Budget: long because it is one table of commands, each with its refusals.
 */
#include "tests/support/user_grants.h"

/* The guest that calls, another one, and the toolstack. */
#define SELF  GRANTER
#define OTHER USER
enum { SLOT = GRANT_PAGE, RAM_FRAMES = 128 << 8 };

static int64_t memory_op_by(struct grants *g, uint16_t d, unsigned int cmd, void *op, size_t n)
{
    return user_op_n(&g->u, d, __HYPERVISOR_memory_op, cmd, op, n);
}
#define memory_op(g, d, cmd, op) memory_op_by(g, d, cmd, op, sizeof(*(op)))

/* Extents, of which the list (16 elements; or NULL) is at that page of the caller's. */
static struct xen_memory_reservation extents_by(struct grants *g, uint16_t d, unsigned int page, const uint64_t *list,
                                                uint64_t nr, unsigned int order, uint16_t domid)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .extent_order = order, .domid = domid };

    if (list)
        r.extent_start.p = (xen_pfn_t *)(uintptr_t)user_put(&g->u, d, page, list, 16 * sizeof(*list));
    return r;
}

static int64_t reserve_flags(struct grants *g, uint16_t d, unsigned int cmd, uint64_t *list, uint64_t nr,
                             unsigned int order, uint16_t domid, unsigned int flags)
{
    struct xen_memory_reservation r = extents_by(g, d, USER_ARG, list, nr, order, domid);
    int64_t rc;

    r.mem_flags = flags;
    rc = memory_op(g, d, cmd, &r);
    if (list)
        user_get(&g->u, d, USER_ARG, list, 16 * sizeof(*list));
    return rc;
}

static int64_t reserve(struct grants *g, unsigned int cmd, uint64_t *list, uint64_t nr, unsigned int order)
{
    return reserve_flags(g, g->d[SELF], cmd, list, nr, order, DOMID_SELF, 0);
}

static int64_t ask(struct grants *g, uint16_t d, unsigned int cmd, uint16_t about)
{
    struct xen_memory_domain op = { about };

    return memory_op(g, d, cmd, &op);
}

/* With a pointer to nothing. */
static int64_t ask_null(struct grants *g, uint16_t d, unsigned int cmd)
{
    return user_call(&g->u, d, __HYPERVISOR_memory_op, cmd, 0, 0, 0);
}

/* --- the balloon --- */

static void test_balloon(void **state)
{
    struct grants *g = *state;
    uint64_t list[16] = { 100, 101, 102, 103 }, block[16];
    const uint64_t had = pages_of(g, SELF);

    max_pages_set(g, SELF, 2048);
    assert_int_equal(reserve(g, XENMEM_populate_physmap, list, 4, 0), 4);
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(frame_look(g, list[i]).owner, g->d[SELF]);
        assert_int_equal(frame_look(g, list[i]).gfn, 100 + i);
    }
    assert_int_equal(ask(g, g->d[SELF], XENMEM_current_reservation, DOMID_SELF), had + 4);
    assert_int_equal(ask(g, g->d[SELF], XENMEM_maximum_reservation, DOMID_SELF), 2048);

    /* freed means: nobody's, without a number */
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, list, 4, 0), 4);
    assert_true(frame_look(g, list[0]).free);
    assert_true(frame_look(g, list[0]).gfn == NONE);
    assert_int_equal(ask(g, g->d[SELF], XENMEM_current_reservation, DOMID_SELF), had);
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, list, 4, 0), 0); /* not twice */

    /* increase_reservation tells frames, if asked to; a block of 2^order counts as one */
    assert_int_equal(reserve(g, XENMEM_increase_reservation, list, 2, 3), 2);
    assert_int_equal(list[0] % 8, 0);
    assert_int_equal(frame_look(g, list[0] + 7).owner, g->d[SELF]);
    assert_int_equal(pages_of(g, SELF), had + 16);
    assert_int_equal(reserve(g, XENMEM_increase_reservation, NULL, 3, 0), 3);
    assert_int_equal(pages_of(g, SELF), had + 19);
    block[0] = 300;
    assert_int_equal(reserve(g, XENMEM_populate_physmap, block, 1, 2), 1);
    assert_int_equal(block[0] % 4, 0);
    assert_int_equal(frame_look(g, block[0] + 3).gfn, 303);
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, block, 1, 2), 1);
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, list, 2, 3), 2);
    assert_int_equal(pages_of(g, SELF), had + 3);
}

/* What cannot be done is not an error but a count. */
static void test_short_counts(void **state)
{
    struct grants *g = *state;
    const uint16_t self = g->d[SELF];
    uint64_t list[16] = { 0 }, had;

    max_pages_set(g, SELF, pages_of(g, SELF) + 5);
    assert_int_equal(reserve(g, XENMEM_populate_physmap, list, 8, 0), 5);
    assert_int_equal(reserve(g, XENMEM_populate_physmap, list, 8, 0), 0);
    list[2] = RAM_FRAMES; /* the third is none */
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, list, 5, 0), 2);
    list[0] = page_release(g, OTHER, SLOT); /* another's */
    assert_int_equal(reserve(g, XENMEM_decrease_reservation, list, 1, 0), 0);
    assert_int_equal(frame_look(g, list[0]).owner, g->d[OTHER]);

    max_pages_set(g, SELF, 4096);
    max_pages_set(g, OTHER, 4096);
#define POPULATE(by, ...) reserve_flags(g, by, XENMEM_populate_physmap, __VA_ARGS__)
    assert_int_equal(POPULATE(self, list, 1, 10, DOMID_SELF, 0), 0);         /* more than 2 MiB at a time */
    assert_int_equal(POPULATE(self, list, 1, 70, DOMID_SELF, 0), 0);         /* more than there are bits */
    assert_int_equal(POPULATE(self, list, 1, 0, g->d[OTHER], 0), 0);         /* for another domain */
    assert_int_equal(POPULATE(self, list, 1, 0, 77, 0), 0);                  /* for none */
    assert_int_equal(POPULATE(self, list, 1ULL << 26, 0, DOMID_SELF, 0), 0); /* too many to be continued */
    assert_int_equal(POPULATE(self, list, 0, 0, DOMID_SELF, 0), 0);
    assert_int_equal(POPULATE(self, NULL, 1, 0, DOMID_SELF, 0), 0);
    assert_int_equal(POPULATE(g->u.control, list, 1, 0, g->d[OTHER], 0), 1); /* the toolstack may */
    had = pages_of(g, SELF);
    assert_int_equal(POPULATE(self, list, 1, 0, DOMID_SELF, XENMEMF_address_bits(12)), 0);
    /* frames 0 and 1 are never free */
    assert_int_equal(POPULATE(self, list, 1, 0, DOMID_SELF, XENMEMF_address_bits(13)), 0);
    assert_int_equal(pages_of(g, SELF), had);
    assert_int_equal(POPULATE(self, list, 1, 0, DOMID_SELF, XENMEMF_address_bits(32) | XENMEMF_node(0)), 1);
    assert_int_equal(POPULATE(g->u.control, list, 1, 0, DOMID_SELF, XENMEMF_populate_on_demand), 0);
#undef POPULATE
}

/* Its shared info, at page SLOT. */
static uint64_t shared_info_map(struct grants *g, unsigned int who)
{
    const uint64_t rsi = user_register(&g->u, g->d[who], 0, "rsi");
    struct start_info si;

    user_read(&g->u, g->d[who], rsi, &si, sizeof(si));
    assert_int_equal(page_set(g, who, SLOT, si.shared_info >> 12), 0);
    return page_at(g, who, SLOT);
}

static void test_questions(void **state)
{
    struct grants *g = *state;
    const uint16_t self = g->d[SELF], other = g->d[OTHER];
    const uint64_t shared = shared_info_map(g, SELF) + offsetof(struct shared_info, arch.max_pfn), max_pfn = 0x1234,
                   no_pfn = 0;

    assert_int_equal(ask_null(g, self, XENMEM_maximum_ram_page), RAM_FRAMES);
    assert_int_equal(ask(g, self, XENMEM_current_reservation, other), -EPERM);
    assert_int_equal(ask(g, self, XENMEM_current_reservation, 77), -ESRCH);
    assert_int_equal(ask_null(g, self, XENMEM_current_reservation), -EFAULT);
    max_pages_set(g, OTHER, 2048);
    assert_int_equal(ask(g, g->u.control, XENMEM_maximum_reservation, other), 2048);
    user_write(&g->u, self, shared, &no_pfn, sizeof(no_pfn));
    assert_int_equal(ask(g, self, XENMEM_maximum_gpfn, DOMID_SELF), 0);
    user_write(&g->u, self, shared, &max_pfn, sizeof(max_pfn));
    assert_int_equal(ask(g, self, XENMEM_maximum_gpfn, DOMID_SELF), max_pfn - 1);
    assert_int_equal(ask(g, self, XENMEM_maximum_gpfn, other), -EPERM);
    assert_int_equal(ask_null(g, self, 8), -ENOSYS);
    assert_int_equal(ask_null(g, self, 29), -ENOSYS);
    assert_int_equal(ask_null(g, self, 63), -ENOSYS);
    assert_int_equal(ask_null(g, self, XENMEM_get_sharing_freed_pages), 0);
}

/* --- exchange --- */

static int64_t exchange(struct grants *g, uint64_t *in, uint64_t nr_in, unsigned int in_order, uint64_t *out,
                        uint64_t nr_out, unsigned int out_order, uint64_t *done)
{
    const uint16_t d = g->d[SELF];
    struct xen_memory_exchange x = { .in = extents_by(g, d, USER_ARG, in, nr_in, in_order, DOMID_SELF),
                                     .out = extents_by(g, d, USER_ARG2, out, nr_out, out_order, DOMID_SELF),
                                     .nr_exchanged = *done };
    const int64_t rc = memory_op(g, d, XENMEM_exchange, &x);

    *done = x.nr_exchanged;
    user_get(&g->u, d, USER_ARG2, out, 16 * sizeof(*out));
    return rc;
}

/* n frames of the guest's, which it has not mapped, with these numbers on. */
static void populate(struct grants *g, uint64_t *list, unsigned int n, uint64_t gfn)
{
    for (unsigned int i = 0; i < n; i++)
        list[i] = gfn + i;
    max_pages_set(g, SELF, 2048);
    assert_int_equal(reserve(g, XENMEM_populate_physmap, list, n, 0), n);
}

static void test_exchange(void **state)
{
    struct grants *g = *state;
    const uint64_t had = pages_of(g, SELF);
    uint64_t pages[16], block[16] = { 500 }, back[16], done = 0;

    populate(g, pages, 16, 200);
    /* single frames for a block; a limit lowered in the meantime does not matter */
    max_pages_set(g, SELF, 3);
    assert_int_equal(exchange(g, pages, 16, 0, block, 1, 4, &done), 0);
    assert_int_equal(done, 16);
    assert_int_equal(block[0] % 16, 0);
    for (unsigned int i = 0; i < 16; i++) {
        assert_int_equal(frame_look(g, block[0] + i).gfn, 500 + i);
        assert_int_equal(frame_look(g, block[0] + i).owner, g->d[SELF]);
        back[i] = 900 + i;
    }
    assert_int_equal(pages_of(g, SELF), had + 16);
    assert_int_equal(ask(g, g->d[SELF], XENMEM_maximum_reservation, DOMID_SELF), 3);
    /* and back: one block for two of half the size, four of a quarter... */
    done = 0;
    assert_int_equal(exchange(g, block, 1, 4, back, 4, 2, &done), 0);
    assert_int_equal(done, 1);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(frame_look(g, back[i] + 3).gfn, 903 + i);
    assert_int_equal(pages_of(g, SELF), had + 16);
}

static void test_exchange_refusals(void **state)
{
    struct grants *g = *state;
    const uint16_t self = g->d[SELF];
    uint64_t in[16] = { 0 }, out[3 + 16] = { 1, 2, 3, 4 }, done = 0, had;

    populate(g, in, 4, 200);
    had = pages_of(g, SELF);
    assert_int_equal(exchange(g, in, 1, 10, out, 1, 10, &done), -EPERM);
    assert_int_equal(exchange(g, in, 1, 0, out, 2, 0, &done), -EINVAL);
    assert_int_equal(exchange(g, in, 1ULL << 63, 1, out, 1, 0, &done), -EINVAL);
    assert_int_equal(exchange(g, in, 1ULL << 63, 1, out, 0, 0, &done), -EINVAL); /* as many, but for an overflow */
    done = 5;
    assert_int_equal(exchange(g, in, 4, 0, out, 4, 0, &done), -EINVAL);
    done = 4;
    assert_int_equal(exchange(g, in, 4, 0, out, 4, 0, &done), 0); /* it is all done */
    /* a frame in use stops it; what was done before is counted */
    done = 0;
    assert_int_equal(page_set(g, SELF, SLOT, in[2]), 0);
    assert_int_equal(exchange(g, in, 4, 0, out, 4, 0, &done), -EINVAL);
    assert_int_equal(done, 2);
    assert_int_equal(out[2], 3);
    page_release(g, SELF, SLOT);
    assert_int_equal(exchange(g, in, 4, 0, out, 4, 0, &done), 0); /* goes on from there */
    assert_int_equal(done, 4);

    /* a chunk that fails is undone: its first frames are the domain's as before */
    in[0] = out[0];
    in[1] = page_release(g, OTHER, SLOT);
    done = 0;
    out[3] = 7;
    assert_int_equal(exchange(g, in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    assert_int_equal(done, 0);
    assert_int_equal(frame_look(g, in[0]).owner, self);
    in[1] = RAM_FRAMES;
    assert_int_equal(exchange(g, in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    in[1] = in[0]; /* the same one twice */
    assert_int_equal(exchange(g, in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    assert_int_equal(pages_of(g, SELF), had);

    struct xen_memory_exchange x = { .in = extents_by(g, self, USER_ARG, in, 1, 0, DOMID_SELF),
                                     .out = extents_by(g, self, USER_ARG2, out, 1, 0, g->d[OTHER]) };
    assert_int_equal(memory_op(g, self, XENMEM_exchange, &x), -EINVAL);
    x.in.domid = x.out.domid = g->d[OTHER];
    assert_int_equal(memory_op(g, self, XENMEM_exchange, &x), -EPERM);
    x.in.domid = x.out.domid = 77;
    assert_int_equal(memory_op(g, self, XENMEM_exchange, &x), -ESRCH);
    assert_int_equal(ask_null(g, self, XENMEM_exchange), -EFAULT);
}

/* --- maps --- */

static void test_memory_map(void **state)
{
    struct grants *g = *state;
    const struct xen_e820entry {
        uint64_t addr, size;
        uint32_t type;
    } __attribute__((packed)) map[2] = { { 0, 0x100000, 1 /* RAM */ }, { 0x100000, 0x4000, 2 /* reserved */ } };
    const uint16_t self = g->d[SELF];
    struct xen_foreign_memory_map set = { .domid = self, .map.nr_entries = 2 };
    struct xen_memory_map get = { .nr_entries = 4 };
    struct xen_e820entry got[4];

    set.map.buffer.p = user_lend(&g->u, USER_ARG, map, sizeof(map));
    get.buffer.p = (void *)(uintptr_t)page_at(g, SELF, USER_ARG);
    assert_int_equal(memory_op(g, g->d[OTHER], XENMEM_set_memory_map, &set), -EPERM);
    assert_int_equal(memory_op(g, g->u.control, XENMEM_set_memory_map, &set), 0);
    assert_int_equal(memory_op(g, self, XENMEM_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 2);
    page_get(g, SELF, USER_ARG, got, sizeof(map));
    assert_memory_equal(got, map, sizeof(map));
    get.nr_entries = 1;
    assert_int_equal(memory_op(g, self, XENMEM_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 1);
    set.map.nr_entries = 1025;
    assert_int_equal(memory_op(g, g->u.control, XENMEM_set_memory_map, &set), -EINVAL);
    set.domid = 77;
    set.map.nr_entries = 1;
    assert_int_equal(memory_op(g, g->u.control, XENMEM_set_memory_map, &set), -ESRCH);
    /* the machine's own is the toolstack's to see */
    assert_int_equal(memory_op(g, self, XENMEM_machine_memory_map, &get), -EPERM);
    get.nr_entries = 4;
    get.buffer.p = user_lend(&g->u, USER_ARG, map, sizeof(map));
    assert_int_equal(memory_op(g, g->u.control, XENMEM_machine_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 3); /* below the BIOS, the BIOS, the rest */
    user_get(&g->u, g->u.control, USER_ARG, got, 3 * sizeof(*got));
    assert_int_equal(got[0].addr, 0);
    assert_int_equal(got[0].type, 1);
    assert_int_equal(got[1].addr, got[0].size);
    assert_int_equal(got[1].type, 2);
    assert_int_equal(got[1].addr + got[1].size, 1 << 20);
    assert_int_equal(got[2].addr, 1 << 20);
    assert_int_equal(got[2].addr + got[2].size, (uint64_t)RAM_FRAMES << 12);
    get.nr_entries = 3;
    assert_int_equal(memory_op(g, g->u.control, XENMEM_machine_memory_map, &get), -EINVAL);
    get.buffer.p = NULL;
    assert_int_equal(memory_op(g, g->u.control, XENMEM_machine_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 3);
}

/* --- the toolstack --- */

static int64_t claim(struct grants *g, uint16_t by, unsigned int who, uint64_t nr, unsigned int order)
{
    return reserve_flags(g, by, XENMEM_claim_pages, NULL, nr, order, g->d[who], 0);
}

static uint64_t claimed(struct grants *g, unsigned int who)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = g->d[who] };

    assert_int_equal(user_domctl(&g->u, &op), 0);
    return op.u.getdomaininfo.outstanding_pages;
}

static void test_claims(void **state)
{
    struct grants *g = *state;
    const uint16_t control = g->u.control;
    struct xen_sysctl info = { .cmd = XEN_SYSCTL_physinfo };
    uint64_t list[16] = { 7 }, all, base = pages_of(g, SELF);

    max_pages_set(g, SELF, 4096);
    assert_int_equal(claim(g, g->d[SELF], SELF, base + 100, 0), -EPERM);
    assert_int_equal(claim(g, control, SELF, base + 100, 1), -EINVAL);
    assert_int_equal(claim(g, control, SELF, base + 100, 0), 0); /* what it has already is part of it */
    assert_int_equal(claimed(g, SELF), 100);
    assert_int_equal(claim(g, control, SELF, base + 100, 0), -EINVAL); /* one at a time */
    assert_int_equal(reserve_flags(g, control, XENMEM_claim_pages, NULL, 100, 0, 77, 0), -EINVAL);
    assert_int_equal(reserve_flags(g, control, XENMEM_populate_physmap, list, 1, 0, g->d[SELF], 0), 1);
    assert_int_equal(claimed(g, SELF), 99);
    assert_int_equal(claim(g, control, SELF, 0, 0), 0); /* never mind */
    assert_int_equal(claimed(g, SELF), 0);

    /* what one claims is not there for another */
    assert_int_equal(user_sysctl(&g->u, &info), 0);
    all = info.u.physinfo.free_pages;
    base = pages_of(g, SELF);
    max_pages_set(g, SELF, base + all + 10);
    max_pages_set(g, OTHER, pages_of(g, OTHER) + all + 10);
    assert_int_equal(claim(g, control, SELF, base + all + 1, 0), -ENOMEM);
    assert_int_equal(claim(g, control, SELF, base + all - 10, 0), 0);
    assert_int_equal(reserve_flags(g, control, XENMEM_increase_reservation, NULL, 20, 0, g->d[OTHER], 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(test_balloon),  USER_TEST(test_short_counts),      USER_TEST(test_questions),
        USER_TEST(test_exchange), USER_TEST(test_exchange_refusals), USER_TEST(test_memory_map),
        USER_TEST(test_claims),
    };

    return cmocka_run_group_tests(tests, grants_begin, user_end);
}
