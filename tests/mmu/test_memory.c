// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory_op: what each command does to frames, counts and the M2P; every refusal; preemption; both layouts of
 * arguments.
 *
 * Budget: long because it is one table of commands, each with its refusals.
 */
#include "tests/mmu/native_scene.h"

#include "mmu/memory/foreign.h"

#include <xen/foreign/x86_32.h>

static struct xen_memory_reservation extents(uint64_t *list, uint64_t nr, unsigned int order, domid_t domid)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .extent_order = order, .domid = domid };

    r.extent_start.p = list;
    return r;
}

static void test_balloon(void **state)
{
    uint64_t list[8] = { 100, 101, 102, 103 };
    struct xen_memory_domain self = { DOMID_SELF };
    struct xen_memory_reservation r = extents(list, 4, 0, DOMID_SELF);
    struct scene s;

    scene_open(&s);
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 4);
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(mfn_to_page(s.xen, _mfn(list[i]))->owner, s.d[1]);
        assert_int_equal(get_gpfn_from_mfn(s.xen, _mfn(list[i])), 100 + i);
    }
    assert_int_equal(memory_op(s.v[1], XENMEM_current_reservation, &self), 4);
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_reservation, &self), 2048);

    /* freed means: nobody's, without a number */
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), 4);
    assert_null(mfn_to_page(s.xen, _mfn(list[0]))->owner);
    assert_true(get_gpfn_from_mfn(s.xen, _mfn(list[0])) == ~UINT64_C(0));
    assert_int_equal(memory_op(s.v[1], XENMEM_current_reservation, &self), 0);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), 0); /* not twice */

    /* increase_reservation tells frames, if asked to; a block of 2^order counts as one */
    r = extents(list, 2, 3, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_increase_reservation, &r), 2);
    assert_int_equal(list[0] % 8, 0);
    assert_int_equal(s.d[1]->tot_pages, 16);
    r = extents(NULL, 3, 0, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_increase_reservation, &r), 3);
    assert_int_equal(s.d[1]->tot_pages, 19);
    r = extents(list, 2, 3, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), 2);
    assert_int_equal(s.d[1]->tot_pages, 3);
    native_counts_check(&s);
    scene_close(&s);
}

/* What cannot be done is not an error but a count. */
static void test_short_counts(void **state)
{
    uint64_t list[16] = { 0 };
    struct xen_memory_reservation r;
    struct scene s;

    scene_open(&s);
    s.d[1]->max_pages = 5;
    r = extents(list, 8, 0, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 5);
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 0);
    list[2] = s.m->nr_frames; /* the third is none */
    r = extents(list, 5, 0, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), 2);
    list[0] = mfn_x(scene_page(s.d[2])); /* another's */
    r = extents(list, 1, 0, DOMID_SELF);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), 0);

    s.d[1]->max_pages = 4096;
#define POPULATE(v_, ...) (r = extents(__VA_ARGS__), memory_op(s.v[v_], XENMEM_populate_physmap, &r))
    assert_int_equal(POPULATE(1, list, 1, 10, DOMID_SELF), 0);         /* more than 2 MiB at a time */
    assert_int_equal(POPULATE(1, list, 1, 70, DOMID_SELF), 0);         /* more than there are bits */
    assert_int_equal(POPULATE(1, list, 1, 0, 2), 0);                   /* for another domain */
    assert_int_equal(POPULATE(1, list, 1, 0, 77), 0);                  /* for none */
    assert_int_equal(POPULATE(1, list, 1ULL << 26, 0, DOMID_SELF), 0); /* too many to be continued */
    assert_int_equal(POPULATE(1, list, 0, 0, DOMID_SELF), 0);
    assert_int_equal(POPULATE(1, NULL, 1, 0, DOMID_SELF), 0);
    assert_int_equal(POPULATE(0, list, 1, 0, 1), 1); /* the toolstack may */
    r = extents(list, 1, 0, DOMID_SELF);
    r.mem_flags = XENMEMF_address_bits(12);
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 0);
    r.mem_flags = XENMEMF_address_bits(13); /* frames 0 and 1 are never free */
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 0);
    r.mem_flags = XENMEMF_address_bits(32) | XENMEMF_node(0);
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 1);
    r.mem_flags = XENMEMF_populate_on_demand;
    assert_int_equal(memory_op(s.v[0], XENMEM_populate_physmap, &r), 0);
    native_counts_check(&s);
    scene_close(&s);
}

/* The state of a preempted call is in the command. */
static void test_preemption(void **state)
{
    enum { NR = 1500 };
    static uint64_t list[NR];
    struct xen_memory_reservation r = extents(list, NR, 0, DOMID_SELF);
    struct hypercall_args args = { { XENMEM_populate_physmap, (uintptr_t)&r } };
    struct scene s;
    unsigned int done;

    scene_open(&s);
    for (int i = 0; i < NR; i++)
        list[i] = i;
    assert_int_equal(do_memory_op(s.v[1], &args), -ERESTART);
    done = args.a[0] >> MEMOP_EXTENT_SHIFT;
    assert_int_equal(args.a[0] & MEMOP_CMD_MASK, XENMEM_populate_physmap);
    assert_in_range(done, 1, NR - 1);
    assert_int_equal(s.d[1]->tot_pages, done);
    assert_int_equal(list[done], done);
    assert_int_equal(scene_call(do_memory_op, s.v[1], args.a[0], &r, 0), NR);
    assert_int_equal(s.d[1]->tot_pages, NR);
    /* starting beyond the end, or where nothing can start */
    assert_int_equal(scene_call(do_memory_op, s.v[1], XENMEM_populate_physmap | (NR << MEMOP_EXTENT_SHIFT), &r, 0), NR);
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_ram_page | (1 << MEMOP_EXTENT_SHIFT), NULL), -EINVAL);
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange | (1 << MEMOP_EXTENT_SHIFT), NULL), -EINVAL);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), NR);
    assert_int_equal(s.d[1]->tot_pages, 0);
    scene_close(&s);
}

static void test_questions(void **state)
{
    struct xen_memory_domain other = { 2 }, none = { 77 }, self = { DOMID_SELF };
    struct shared_info info = { .arch.max_pfn = 0x1234 };
    struct scene s;

    scene_open(&s);
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_ram_page, NULL), s.m->nr_frames);
    assert_int_equal(memory_op(s.v[1], XENMEM_current_reservation, &other), -EPERM);
    assert_int_equal(memory_op(s.v[1], XENMEM_current_reservation, &none), -ESRCH);
    assert_int_equal(memory_op(s.v[1], XENMEM_current_reservation, NULL), -EFAULT);
    assert_int_equal(memory_op(s.v[0], XENMEM_maximum_reservation, &other), 2048);
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_gpfn, &self), 0);
    s.d[1]->shared_info = &info;
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_gpfn, &self), 0x1233);
    s.d[1]->shared_info = NULL;
    assert_int_equal(memory_op(s.v[1], 8, NULL), -ENOSYS);
    assert_int_equal(memory_op(s.v[1], 29, NULL), -ENOSYS);
    assert_int_equal(memory_op(s.v[1], 63, NULL), -ENOSYS);
    assert_int_equal(memory_op(s.v[1], XENMEM_get_sharing_freed_pages, NULL), 0);
    scene_close(&s);
}

/* --- exchange --- */

static long exchange(struct vcpu *v, uint64_t *in, uint64_t nr_in, unsigned int in_order, uint64_t *out,
                     uint64_t nr_out, unsigned int out_order, uint64_t *done)
{
    struct xen_memory_exchange x = { .in = extents(in, nr_in, in_order, DOMID_SELF),
                                     .out = extents(out, nr_out, out_order, DOMID_SELF),
                                     .nr_exchanged = *done };
    long rc = memory_op(v, XENMEM_exchange, &x);

    *done = x.nr_exchanged;
    return rc;
}

static void test_exchange(void **state)
{
    uint64_t pages[16], block = 500, back[16], done = 0;
    struct xen_memory_reservation r = extents(pages, 16, 0, DOMID_SELF);
    struct scene s;

    scene_open(&s);
    for (int i = 0; i < 16; i++)
        pages[i] = 200 + i;
    assert_int_equal(memory_op(s.v[1], XENMEM_populate_physmap, &r), 16);
    /* single frames for a block; a limit lowered in the meantime does not matter */
    s.d[1]->max_pages = 3;
    assert_int_equal(exchange(s.v[1], pages, 16, 0, &block, 1, 4, &done), 0);
    assert_int_equal(done, 16);
    assert_int_equal(block % 16, 0);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(get_gpfn_from_mfn(s.xen, _mfn(block + i)), 500 + i);
        back[i] = 900 + i;
    }
    assert_int_equal(s.d[1]->tot_pages, 16);
    assert_int_equal(s.d[1]->max_pages, 3);
    /* and back: one block for two of half the size, four of a quarter... */
    done = 0;
    assert_int_equal(exchange(s.v[1], &block, 1, 4, back, 4, 2, &done), 0);
    assert_int_equal(done, 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(get_gpfn_from_mfn(s.xen, _mfn(back[i] + 3)), 903 + i);
    assert_int_equal(s.d[1]->tot_pages, 16);
    native_counts_check(&s);
    scene_close(&s);
}

static void test_exchange_refusals(void **state)
{
    uint64_t in[4], out[4] = { 1, 2, 3, 4 }, done = 0;
    struct scene s;

    scene_open(&s);
    for (int i = 0; i < 4; i++)
        in[i] = mfn_x(scene_page(s.d[1]));
    assert_int_equal(exchange(s.v[1], in, 1, 10, out, 1, 10, &done), -EPERM);
    assert_int_equal(exchange(s.v[1], in, 1, 0, out, 2, 0, &done), -EINVAL);
    assert_int_equal(exchange(s.v[1], in, 1ULL << 63, 1, out, 1, 0, &done), -EINVAL);
    done = 5;
    assert_int_equal(exchange(s.v[1], in, 4, 0, out, 4, 0, &done), -EINVAL);
    done = 4;
    assert_int_equal(exchange(s.v[1], in, 4, 0, out, 4, 0, &done), 0); /* it is all done */
    /* a frame in use stops it; what was done before is counted */
    done = 0;
    assert_true(get_page(mfn_to_page(s.xen, _mfn(in[2])), s.d[1]));
    assert_int_equal(exchange(s.v[1], in, 4, 0, out, 4, 0, &done), -EINVAL);
    assert_int_equal(done, 2);
    assert_int_equal(out[2], 3);
    put_page(s.xen, mfn_to_page(s.xen, _mfn(in[2])));
    assert_int_equal(exchange(s.v[1], in, 4, 0, out, 4, 0, &done), 0); /* goes on from there */
    assert_int_equal(done, 4);

    /* a chunk that fails is undone: its first frames are the domain's as before */
    in[0] = out[0];
    in[1] = mfn_x(scene_page(s.d[2]));
    done = 0;
    assert_int_equal(exchange(s.v[1], in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    assert_int_equal(done, 0);
    assert_ptr_equal(mfn_to_page(s.xen, _mfn(in[0]))->owner, s.d[1]);
    in[1] = s.m->nr_frames;
    assert_int_equal(exchange(s.v[1], in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    in[1] = in[0]; /* the same one twice */
    assert_int_equal(exchange(s.v[1], in, 2, 0, &out[3], 1, 1, &done), -EINVAL);
    assert_int_equal(s.d[1]->tot_pages, 4);

    struct xen_memory_exchange x = { .in = extents(in, 1, 0, DOMID_SELF), .out = extents(out, 1, 0, 1) };
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, &x), -EINVAL);
    x.in.domid = x.out.domid = 2;
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, &x), -EPERM);
    x.in.domid = x.out.domid = 77;
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, &x), -ESRCH);
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, NULL), -EFAULT);
    native_counts_check(&s);
    scene_close(&s);
}

static void test_exchange_preempted(void **state)
{
    enum { NR = 1200 };
    static uint64_t in[NR], out[NR];
    struct xen_memory_exchange x = { .in = extents(in, NR, 0, DOMID_SELF), .out = extents(out, NR, 0, DOMID_SELF) };
    struct hypercall_args args = { { XENMEM_exchange, (uintptr_t)&x } };
    struct scene s;

    scene_open(&s);
    for (int i = 0; i < NR; i++) {
        in[i] = mfn_x(scene_page(s.d[1]));
        out[i] = i;
    }
    assert_int_equal(do_memory_op(s.v[1], &args), -ERESTART);
    assert_int_equal(args.a[0], XENMEM_exchange);
    assert_in_range(x.nr_exchanged, 1, NR - 1);
    assert_int_equal(out[x.nr_exchanged], x.nr_exchanged);
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, &x), 0);
    for (int i = 0; i < NR; i++)
        assert_int_equal(get_gpfn_from_mfn(s.xen, _mfn(out[i])), i);
    assert_int_equal(s.d[1]->tot_pages, NR);
    native_counts_check(&s);
    scene_close(&s);
}

/* --- maps --- */

static void test_memory_map(void **state)
{
    struct e820entry map[2] = { { 0, 0x100000, E820_RAM }, { 0x100000, 0x4000, 2 /* reserved */ } }, got[4];
    struct xen_foreign_memory_map set = { .domid = 1, .map.nr_entries = 2 };
    struct xen_memory_map get = { .nr_entries = 4 };
    struct scene s;

    scene_open(&s);
    set.map.buffer.p = map;
    get.buffer.p = got;
    assert_int_equal(memory_op(s.v[1], XENMEM_memory_map, &get), -ENOSYS);
    assert_int_equal(memory_op(s.v[2], XENMEM_set_memory_map, &set), -EPERM);
    assert_int_equal(memory_op(s.v[0], XENMEM_set_memory_map, &set), 0);
    assert_int_equal(memory_op(s.v[1], XENMEM_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 2);
    assert_memory_equal(got, map, sizeof(map));
    get.nr_entries = 1;
    assert_int_equal(memory_op(s.v[1], XENMEM_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 1);
    set.map.nr_entries = E820_MAX + 1;
    assert_int_equal(memory_op(s.v[0], XENMEM_set_memory_map, &set), -EINVAL);
    set.domid = 77;
    set.map.nr_entries = 1;
    assert_int_equal(memory_op(s.v[0], XENMEM_set_memory_map, &set), -ESRCH);
    /* the machine's own is dom0's to see */
    assert_int_equal(memory_op(s.v[1], XENMEM_machine_memory_map, &get), -EPERM);
    get.nr_entries = 4;
    assert_int_equal(memory_op(s.v[0], XENMEM_machine_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 1);
    assert_int_equal(got[0].size, s.m->nr_frames << PAGE_SHIFT);
    get.nr_entries = 0;
    assert_int_equal(memory_op(s.v[0], XENMEM_machine_memory_map, &get), -EINVAL);
    get.buffer.p = NULL;
    assert_int_equal(memory_op(s.v[0], XENMEM_machine_memory_map, &get), 0);
    assert_int_equal(get.nr_entries, 1);
    scene_close(&s);
}

/* add_to_physmap_batch by v, of frames of `domid`, in one window. errs as it leaves them. */
static long foreign_add(struct vcpu *v, domid_t domid, unsigned int nr, uint64_t *mfns, uint64_t *gfns, int *errs)
{
    struct xen_add_to_physmap_batch op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = (uint16_t)nr, .u.foreign_domid = domid
    };

    op.idxs.p = mfns;
    op.gpfns.p = gfns;
    op.errs.p = errs;
    return memory_op(v, XENMEM_add_to_physmap_batch, &op);
}

/* The same of one frame: what the call or the frame's own answer is. */
static long foreign_map(struct vcpu *v, domid_t domid, uint64_t mfn, uint64_t window, uint64_t *gfn)
{
    int err = 1;
    long rc;

    *gfn = window;
    rc = foreign_add(v, domid, 1, &mfn, gfn, &err);
    return rc ? rc : err;
}

static long foreign_unmap(struct vcpu *v, uint64_t gfn)
{
    struct xen_remove_from_physmap op = { .domid = DOMID_SELF, .gpfn = gfn };

    return memory_op(v, XENMEM_remove_from_physmap, &op);
}

/*
 * Each extent is 2 MiB at a multiple of 2 MiB, and all of it is table: who maps an extent sees nothing else. What has
 * not been needed yet reads as entries that are invalid.
 */
static void extents_check(struct scene *s)
{
    static const unsigned int cmds[] = { XENMEM_machphys_mfn_list, XENMEM_machphys_compat_mfn_list };
    struct domain dom_xen = { .domain_id = DOMID_XEN, .xen = s->xen, .refcnt = 1, .type = DOMAIN_SYSTEM };
    uint64_t list[4], last = UINT64_MAX, gfn;
    const mfn_t mfn = scene_page(s->d[1]);

    s->xen->dom_xen = &dom_xen;
    set_gpfn_from_mfn(s->xen, mfn, 0x1234);
    for (unsigned int c = 0; c < 2; c++) {
        const unsigned int per_page = c ? PAGE_SIZE / 4 : PAGE_SIZE / 8;
        struct xen_machphys_mfn_list xmml = { .max_extents = 4 };
        unsigned int found = 0;

        xmml.extent_start.p = list;
        assert_int_equal(memory_op(s->v[0], cmds[c], &xmml), 0);
        assert_int_equal(xmml.nr_extents, 1);
        assert_int_equal(list[0] % 512, 0);
        assert_true(list[0] + 512 <= heap_first_frame(s->xen));
        assert_true(last == UINT64_MAX || list[0] == last + 512);
        last = list[0];
        for (uint64_t i = 0; i < 512; i++) {
            const uint64_t *words = mfn_to_virt(s->m, _mfn(list[0] + i));

            assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0] + i, NATIVE_GFN_READ_ONLY, &gfn), 0);
            assert_int_equal(gfn, (list[0] + i) | NATIVE_GFN_READ_ONLY);
            for (uint64_t k = 0; k < PAGE_SIZE / 8; k++)
                found += words[k] != UINT64_MAX;
            if (i == mfn_x(mfn) / per_page)
                assert_int_equal(c ? ((const uint32_t *)words)[mfn_x(mfn) % per_page] : words[mfn_x(mfn) % per_page],
                                 0x1234);
        }
        assert_int_equal(found, 1);
        assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0] + (c ? 512 : UINT64_MAX), NATIVE_GFN_READ_ONLY, &gfn),
                         -EINVAL);
        assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0], 0, &gfn), -EINVAL); /* not to be written */
        assert_int_equal(foreign_map(s->v[1], DOMID_XEN, list[0], NATIVE_GFN_READ_ONLY, &gfn), -EPERM);
    }
}

/* Who may map what, and which references that takes. */
static void test_foreign(void **state)
{
    struct scene s;
    struct page_info *pg;
    uint64_t count, gfn, ro, mfn, other;

    scene_open(&s);
    mfn = mfn_x(scene_page(s.d[1]));
    other = mfn_x(scene_page(s.d[2]));
    pg = mfn_to_page(s.xen, _mfn(mfn));
    count = pg->count_info;
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), 0);
    assert_int_equal(gfn, mfn);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), 0); /* by another part of dom0 */
    assert_int_equal(foreign_map(s.v[0], 1, mfn, NATIVE_GFN_READ_ONLY, &ro), 0);
    assert_int_equal(ro, mfn | NATIVE_GFN_READ_ONLY);
    assert_int_equal(pg->count_info, count + 3);
    assert_int_equal(pg->type_info & (PGT_type_mask | PGT_count_mask), PGT_writable_page | 2);
    assert_int_equal(foreign_unmap(s.v[1], gfn), -ENOENT); /* not that domain's */
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), -ENOENT);
    assert_int_equal(foreign_unmap(s.v[0], ro), 0);
    assert_int_equal(pg->count_info, count);
    assert_int_equal(pg->type_info & PGT_count_mask, 0);

    assert_int_equal(foreign_map(s.v[1], 2, other, 0, &gfn), -EPERM);
    assert_int_equal(foreign_map(s.v[0], 2, mfn, 0, &gfn), -EINVAL); /* another domain's */
    assert_int_equal(foreign_map(s.v[0], 0, mfn_x(scene_page(s.d[0])), 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 77, mfn, 0, &gfn), -ESRCH);
    assert_int_equal(foreign_map(s.v[0], DOMID_IO, mfn, 0, &gfn), -ESRCH);
    assert_int_equal(foreign_map(s.v[0], 1, s.m->nr_frames, 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 1, &gfn), -EINVAL); /* no window begins there */
    s.d[1]->target = 2;                                              /* XEN_DOMCTL_set_target */
    assert_int_equal(foreign_map(s.v[1], 2, other, 0, &gfn), 0);
    assert_int_equal(foreign_unmap(s.v[1], gfn), 0);

    pg->type_info = PGT_seg_desc_page | PGT_validated | 1;
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, NATIVE_GFN_READ_ONLY, &gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    pg->type_info = 0;
    assert_int_equal(pg->count_info, count);
    scene_close(&s);
}

/* Many in one call, in no order: one that is refused stops nobody; and who dies has nothing mapped any more. */
static void test_foreign_many(void **state)
{
    uint64_t mfns[100], gfns[100] = { 0 }, count;
    int errs[100];
    struct scene s;

    scene_open(&s);
    s.d[1]->target = 2;
    for (unsigned int i = 0; i < 100; i++)
        mfns[i * 37 % 100] = mfn_x(scene_page(s.d[i == 50 ? 0 : 2]));
    count = mfn_to_page(s.xen, _mfn(mfns[0]))->count_info;
    s.v[1]->preempt_count = 500; /* preempted on the way, and continued */
    assert_int_equal(foreign_add(s.v[1], 2, 100, mfns, gfns, errs), 0);
    for (unsigned int i = 0; i < 100; i++)
        assert_int_equal(errs[i], i == 50 * 37 % 100 ? -EINVAL : 0);
    assert_int_equal(s.d[1]->native.physmap.nr, 99);
    for (unsigned int i = 1; i < 99; i++)
        assert_true(s.d[1]->native.physmap.map[i - 1].gfn < s.d[1]->native.physmap.map[i].gfn);
    for (unsigned int i = 0; i < 100; i += 3)
        assert_int_equal(foreign_unmap(s.v[1], mfns[i]), errs[i] ? -ENOENT : 0);
    assert_int_equal(foreign_add(s.v[1], 2, 2, (uint64_t *)NULL, gfns, errs), -EFAULT);
    scene_kill(&s, 1);
    assert_int_equal(s.d[1]->native.physmap.nr, 0);
    assert_int_equal(mfn_to_page(s.xen, _mfn(mfns[0]))->count_info, count);
    scene_close(&s);
}

static void test_machphys(void **state)
{
    uint64_t list[4] = { 0 };
    struct xen_machphys_mfn_list xmml = { .max_extents = 4 };
    struct xen_machphys_mapping map;
    struct scene s;

    scene_open(&s);
    xmml.extent_start.p = list;
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mfn_list, &xmml), 0);
    assert_int_equal(xmml.nr_extents, 1); /* 16 MiB: one extent of 2 MiB describes 1 GiB */
    assert_int_equal(list[0], mfn_x(s.xen->m2p_mfn));
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_compat_mfn_list, &xmml), 0);
    assert_int_equal(list[0], mfn_x(s.xen->m2p_compat));
    extents_check(&s);
    xmml.max_extents = 0;
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mfn_list, &xmml), 0);
    assert_int_equal(xmml.nr_extents, 0);
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mapping, &map), 0);
    assert_true(map.v_start == MACH2PHYS_VIRT_START && map.v_end == MACH2PHYS_VIRT_END);
    assert_int_equal(map.max_mfn, MACH2PHYS_NR_ENTRIES - 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_machphys_mapping, &map), 0);
    assert_int_equal(map.max_mfn, s.m->nr_frames - 1);
    scene_close(&s);
}

/* --- the toolstack --- */

static void test_claims(void **state)
{
    struct xen_memory_reservation r = extents(NULL, 100, 0, 1);
    uint64_t list[1] = { 7 }, all;
    struct scene s;

    scene_open(&s);
    assert_int_equal(memory_op(s.v[1], XENMEM_claim_pages, &r), -EPERM);
    r.extent_order = 1;
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), -EINVAL);
    r.extent_order = 0;
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), 0);
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), -EINVAL); /* one at a time */
    r.domid = 77;
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), -EINVAL);
    r = extents(list, 1, 0, 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_populate_physmap, &r), 1);
    assert_int_equal(s.d[1]->outstanding_pages, 99);
    r = extents(NULL, 0, 0, 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), 0); /* never mind */
    assert_int_equal(s.d[1]->outstanding_pages, 0);

    /* what domain 1 claims is not there for domain 2 */
    all = avail_domheap_pages(s.xen);
    s.d[1]->max_pages = s.d[2]->max_pages = all + 10;
    r = extents(NULL, all + 2, 0, 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), -ENOMEM);
    r = extents(NULL, all - 10, 0, 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_claim_pages, &r), 0);
    r = extents(NULL, 20, 0, 2);
    assert_int_equal(memory_op(s.v[0], XENMEM_increase_reservation, &r), 11);
    scene_close(&s);
}

/* steal_page(): the rule that exchange and transfer rest on. */
static void test_steal(void **state)
{
    struct page_info *pg;
    struct scene s;

    scene_open(&s);
    pg = mfn_to_page(s.xen, scene_page(s.d[1]));
    assert_int_equal(steal_page(s.d[2], pg), -EINVAL);
    assert_true(get_page_and_type(s.xen, pg, s.d[1], PGT_writable_page));
    assert_int_equal(steal_page(s.d[1], pg), -EINVAL);
    put_page_and_type(s.xen, pg);
    assert_int_equal(steal_page(s.d[1], mfn_to_page(s.xen, s.d[1]->grant_table->shared[0])), -EINVAL);
    assert_int_equal(steal_page(s.d[1], pg), 0);
    assert_null(pg->owner);
    assert_int_equal(s.d[1]->tot_pages, 0);
    assert_int_equal(s.d[1]->page_list.nr, 0);
    free_domheap_pages(s.xen, pg, 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balloon),
        cmocka_unit_test(test_short_counts),
        cmocka_unit_test(test_preemption),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_exchange_refusals),
        cmocka_unit_test(test_exchange_preempted),
        cmocka_unit_test(test_memory_map),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_foreign_many),
        cmocka_unit_test(test_machphys),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_steal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
