// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random grant and memory operations from hostile domains, checked throughout.
 *
 * Concept: three domains do their worst: entries full of nonsense, written at any moment, also while in use; mappings
 * and unmappings with right and wrong addresses; copies over their own grant tables; frames given up, exchanged and
 * transferred while others use them. After every few operations each frame's reference and type counts must be exactly
 * what the living mappings account for, and gnttab_audit() must be silent. In the end the domains die in any order, and
 * every frame must have come home.
 *
 * XENLAB_FUZZ_OPS sets the number of operations (default 200,000), XENLAB_FUZZ_SEED the seed; both are printed. This
 * could pass wrongly if most operations were refused: the counts of successes at the end say that they were not.
 */
#include "tests/mmu/native_scene.h"

#include <inttypes.h>

#define NR_REFS     16  /* entries that the game is played with */
#define NR_KEPT     64  /* mappings that a domain remembers */
#define CHECK_EVERY 512 /* operations */

struct fuzz {
    struct scene s;
    uint64_t rng;
    struct gnttab_map_grant_ref kept[SCENE_DOMAINS][NR_KEPT];
    uint64_t mapped, unmapped, copied, transferred, versions, populated, decreased, exchanged, swapped;
};

static uint64_t rnd(struct fuzz *f, uint64_t below)
{
    f->rng ^= f->rng << 13;
    f->rng ^= f->rng >> 7;
    f->rng ^= f->rng << 17;
    return below ? (f->rng >> 11) % below : 0;
}

static domid_t rnd_domid(struct fuzz *f)
{
    static const domid_t odd[] = { DOMID_SELF, 77, DOMID_XEN, 0 };

    return rnd(f, 16) ? 1 + rnd(f, 3) : odd[rnd(f, ARRAY_SIZE(odd))];
}

static grant_ref_t rnd_ref(struct fuzz *f) { return rnd(f, 32) ? rnd(f, NR_REFS) : rnd(f, 3000); }

/* Mostly a frame of d's own, now and then any. */
static mfn_t rnd_frame(struct fuzz *f, struct domain *d)
{
    const struct page_info *pg = page_list_first(f->s.xen, &d->page_list);

    switch (rnd(f, 12)) {
    case 0: return _mfn(rnd(f, f->s.m->nr_frames + 4));
    case 1: return d->grant_table->shared[rnd(f, d->grant_table->nr_grant_frames)];
    case 2: return d->grant_table->nr_status_frames ? d->grant_table->status[0] : _mfn(0);
    default: break;
    }
    for (uint64_t skip = rnd(f, d->page_list.nr < 24 ? d->page_list.nr : 24); pg && skip; skip--)
        pg = page_list_next(f->s.xen, pg);
    return pg ? page_to_mfn(f->s.xen, pg) : _mfn(0);
}

static void fuzz_entry(struct fuzz *f, struct domain *d)
{
    struct grant_table *gt = d->grant_table;
    const grant_ref_t ref = rnd(f, NR_REFS);
    const uint16_t flags = rnd(f, 8) ? GTF_permit_access | (rnd(f, 3) ? 0 : GTF_readonly) : rnd(f, 0x200);
    const domid_t domid = rnd_domid(f);
    grant_entry_v2_t *e2;

    if (gt->version == 1) {
        grant_v1(d, ref, rnd(f, 6) ? flags : (uint16_t)GTF_accept_transfer, domid, rnd_frame(f, d));
        return;
    }
    e2 = shared_entry_v2(gt, ref);
    switch (rnd(f, 4)) {
    case 0:
        *e2 = (grant_entry_v2_t){
            .transitive = { { GTF_transitive | (rnd(f, 2) ? 0 : GTF_readonly), domid }, rnd_domid(f), 0, rnd_ref(f) }
        };
        break;
    case 1:
        *e2 = (grant_entry_v2_t){
            .sub_page = { { flags | GTF_sub_page, domid }, rnd(f, 5000), rnd(f, 5000), mfn_x(rnd_frame(f, d)) }
        };
        break;
    default:
        *e2 = (grant_entry_v2_t){
            .full_page = { { rnd(f, 6) ? flags : (uint16_t)GTF_accept_transfer, domid }, 0, mfn_x(rnd_frame(f, d)) }
        };
        break;
    }
}

static void fuzz_map(struct fuzz *f, struct vcpu *v)
{
    struct gnttab_map_grant_ref *kept = &f->kept[v->domain->domain_id][rnd(f, NR_KEPT)];
    struct gnttab_map_grant_ref op = map_op(rnd_domid(f), rnd_ref(f), rnd(f, 16) ? rnd(f, 8) : (uint32_t)f->rng);

    if (gnttab_op(v, GNTTABOP_map_grant_ref, &op, 1) == 0 && op.status == GNTST_okay) {
        f->mapped++;
        if (!(op.flags & GNTMAP_host_map))
            op.host_addr = 0;
        *kept = op; /* the former one is forgotten: only death will undo it */
    }
}

static void fuzz_unmap(struct fuzz *f, struct vcpu *v)
{
    const struct gnttab_map_grant_ref *kept = &f->kept[v->domain->domain_id][rnd(f, NR_KEPT)];
    struct gnttab_unmap_grant_ref op[2];
    const unsigned int cmd = rnd(f, 12) ? GNTTABOP_unmap_grant_ref : GNTTABOP_unmap_and_replace;

    for (int i = 0; i < 2; i++)
        op[i] = (struct gnttab_unmap_grant_ref){ .host_addr = rnd(f, 8) ? kept->host_addr : rnd(f, 3) * PAGE_SIZE,
                                                 .dev_bus_addr = rnd(f, 8) ? kept->dev_bus_addr : rnd(f, 3) * PAGE_SIZE,
                                                 .handle = rnd(f, 16) ? kept->handle : rnd(f, 600) };
    assert_int_equal(gnttab_op(v, cmd, op, 1 + rnd(f, 2)), 0);
    f->unmapped += op[0].status == GNTST_okay;
}

static void fuzz_copy(struct fuzz *f, struct vcpu *v)
{
    struct gnttab_copy op[2];

    for (int i = 0; i < 2; i++) {
        struct gnttab_copy_ptr *ptr[2] = { &op[i].source, &op[i].dest };

        op[i] = (struct gnttab_copy){ .len = rnd(f, 4) ? rnd(f, 64) : rnd(f, 5000), .flags = rnd(f, 4), .status = 99 };
        for (int side = 0; side < 2; side++) {
            const bool ref = op[i].flags & (side ? GNTCOPY_dest_gref : GNTCOPY_source_gref);

            ptr[side]->domid = ref || !rnd(f, 16) ? rnd_domid(f) : DOMID_SELF;
            ptr[side]->offset = rnd(f, 3) ? rnd(f, 128) : rnd(f, 65536);
            if (ref)
                ptr[side]->u.ref = rnd_ref(f);
            else
                ptr[side]->u.gmfn = mfn_x(rnd_frame(f, v->domain));
        }
    }
    assert_int_equal(gnttab_op(v, GNTTABOP_copy, op, 2), 0);
    f->copied += (op[0].status == GNTST_okay) + (op[1].status == GNTST_okay);
    assert_int_not_equal(op[0].status, 99);
}

static void fuzz_transfer(struct fuzz *f, struct vcpu *v)
{
    struct gnttab_transfer op = { .mfn = mfn_x(rnd_frame(f, v->domain)), .domid = rnd_domid(f), .ref = rnd_ref(f) };

    assert_int_equal(gnttab_op(v, GNTTABOP_transfer, &op, 1), 0);
    f->transferred += op.status == GNTST_okay;
}

static void fuzz_table(struct fuzz *f, struct vcpu *v)
{
    uint64_t frames[8];
    struct gnttab_set_version ver = { rnd(f, 12) ? 1 + rnd(f, 2) : rnd(f, 4) };
    struct gnttab_swap_grant_ref swap = { rnd_ref(f), rnd_ref(f), 0 };
    struct gnttab_setup_table setup = { .dom = rnd_domid(f), .nr_frames = rnd(f, 6) };
    struct gnttab_get_status_frames st = { .dom = rnd_domid(f), .nr_frames = rnd(f, 3) };
    struct gnttab_cache_flush flush = { .a.dev_bus_addr = mfn_x(rnd_frame(f, v->domain)) << PAGE_SHIFT,
                                        .length = 64,
                                        .op = rnd(f, 4) };
    struct xen_mem_acquire_resource res = { .domid = rnd_domid(f),
                                            .type = 1,
                                            .id = rnd(f, 3),
                                            .nr_frames = rnd(f, 4),
                                            .frame = rnd(f, 4),
                                            .frame_list.p = frames };

    setup.frame_list.p = frames;
    st.frame_list.p = frames;
    switch (rnd(f, 6)) {
    case 0: f->versions += gnttab_op(v, GNTTABOP_set_version, &ver, 1) == 0; break;
    case 1:
        assert_int_equal(gnttab_op(v, GNTTABOP_swap_grant_ref, &swap, 1), 0);
        f->swapped += swap.status == GNTST_okay;
        break;
    case 2: assert_int_equal(gnttab_op(v, GNTTABOP_setup_table, &setup, 1), 0); break;
    case 3: assert_int_equal(gnttab_op(v, GNTTABOP_get_status_frames, &st, 1), 0); break;
    case 4: gnttab_op(v, GNTTABOP_cache_flush, &flush, 1); break;
    default: memory_op(f->s.v[rnd(f, 4) ? 0 : v->domain->domain_id], XENMEM_acquire_resource, &res); break;
    }
}

static void fuzz_memory(struct fuzz *f, struct vcpu *v)
{
    uint64_t in[32], out[32]; /* four extents of order 3, as single frames */
    struct xen_memory_reservation r = { .nr_extents = 1 + rnd(f, 4),
                                        .extent_order = rnd(f, 8) ? 0 : rnd(f, 12),
                                        .domid = rnd(f, 8) ? DOMID_SELF : rnd_domid(f) };
    struct xen_memory_exchange x = { .nr_exchanged = rnd(f, 16) ? 0 : rnd(f, 5) };

    for (int i = 0; i < 32; i++) {
        in[i] = mfn_x(rnd_frame(f, v->domain));
        out[i] = rnd(f, 10000);
    }
    r.extent_start.p = in;
    switch (rnd(f, 5)) {
    case 0: f->populated += memory_op(v, XENMEM_populate_physmap, &r) > 0; break;
    case 1: f->populated += memory_op(v, XENMEM_increase_reservation, &r) > 0; break;
    case 2: f->decreased += memory_op(v, XENMEM_decrease_reservation, &r) > 0; break;
    default:
        x.in = x.out = r;
        x.out.extent_start.p = out;
        x.in.extent_order = rnd(f, 4) ? 0 : rnd(f, 4);
        x.in.nr_extents = 1 + rnd(f, 4);
        x.out.extent_order = rnd(f, 3);
        x.out.nr_extents = (x.in.nr_extents << x.in.extent_order) >> x.out.extent_order;
        f->exchanged += memory_op(v, XENMEM_exchange, &x) == 0 && x.nr_exchanged;
        break;
    }
}

/* Only one thing at a time is asked of a dying domain's table: that it stays right. */
static void fuzz_step(struct fuzz *f)
{
    const domid_t id = 1 + rnd(f, 3);
    struct vcpu *v = f->s.v[id];

    switch (rnd(f, 16)) {
    case 0 ... 3: fuzz_entry(f, v->domain); break;
    case 4 ... 6: fuzz_map(f, v); break;
    case 7 ... 9: fuzz_unmap(f, v); break;
    case 10 ... 11: fuzz_copy(f, v); break;
    case 12: fuzz_transfer(f, v); break;
    case 13: fuzz_table(f, v); break;
    default: fuzz_memory(f, v); break;
    }
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value ? strtoull(value, NULL, 0) : otherwise;
}

static void fuzz_play(struct fuzz *f, uint64_t ops, uint64_t seed)
{
    domid_t first = 1 + seed % 3, second;

    *f = (struct fuzz){ .rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1 };
    scene_open_sized(&f->s, 8, 4, 2);
    for (domid_t id = 1; id < SCENE_DOMAINS; id++) {
        f->s.d[id]->max_pages = 300;
        for (int i = 0; i < 40; i++)
            scene_page(f->s.d[id]);
    }
    for (uint64_t i = 0; i < ops; i++) {
        fuzz_step(f);
        if (i % CHECK_EVERY == 0)
            native_counts_check(&f->s);
    }
    native_counts_check(&f->s);
    /* death in any order, with every mapping still there */
    scene_kill(&f->s, first);
    native_counts_check(&f->s);
    for (int i = 0; i < 200; i++) {
        second = 1 + rnd(f, 3);
        if (second != first)
            rnd(f, 2) ? fuzz_unmap(f, f->s.v[second]) : fuzz_map(f, f->s.v[second]);
    }
    native_counts_check(&f->s);
    scene_close(&f->s);
}

static void test_fuzz(void **state)
{
    enum { ROUND = 20000 };
    const uint64_t ops = env_number("XENLAB_FUZZ_OPS", 200000), seed = env_number("XENLAB_FUZZ_SEED", 1);
    static struct fuzz f;
    struct fuzz sum = { .mapped = 0 };

    for (uint64_t done = 0, round = seed; done < ops; done += ROUND, round++) {
        print_message("seed %" PRIu64 ", %d operations\n", round, ROUND);
        fuzz_play(&f, ROUND, round);
        sum.mapped += f.mapped;
        sum.unmapped += f.unmapped;
        sum.copied += f.copied;
        sum.transferred += f.transferred;
        sum.versions += f.versions;
        sum.populated += f.populated;
        sum.decreased += f.decreased;
        sum.exchanged += f.exchanged;
        sum.swapped += f.swapped;
    }
    print_message("mapped %" PRIu64 " unmapped %" PRIu64 " copied %" PRIu64 " transferred %" PRIu64 " versions %" PRIu64
                  " populated %" PRIu64 " decreased %" PRIu64 " exchanged %" PRIu64 " swapped %" PRIu64 "\n",
                  sum.mapped, sum.unmapped, sum.copied, sum.transferred, sum.versions, sum.populated, sum.decreased,
                  sum.exchanged, sum.swapped);
    assert_true(sum.mapped && sum.unmapped && sum.copied && sum.transferred && sum.versions && sum.populated &&
                sum.decreased && sum.exchanged && sum.swapped);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fuzz) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
