// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two hostile guests do whatever comes to mind, and the invariants hold after each step.
 *
 * Requests are random, but not blind: frames and entries are mostly of the right shape, so that most of the interesting
 * states are reached (tables of every level, linear entries, partial validation, pins on half-built trees). The share
 * of work of a hypercall is random, too, so that preemption strikes anywhere, and a continuation is sometimes never
 * made.
 *
 * Could pass wrongly if mmu_audit() were blind: test_audit.c breaks each invariant on purpose.
 */
#include "fixture.h"

#include "mmu/grant/private.h"
#include "tests/support/ram.h"

#include <xen/grant_table.h>
#include <xen/memory.h>

#define OPS_SHORT 200000
#define OPS_LONG  10000000
#define ROUND     1000 /* operations, at most, until the guests are destroyed and made anew */

static uint64_t rnd_state, nr_calls, nr_good;

static uint64_t rnd(void)
{
    uint64_t z = rnd_state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned int pick(unsigned int n) { return (unsigned int)(rnd() % n); }
static bool chance(unsigned int percent) { return pick(100) < percent; }

/* One call, with a random share of work; the guest may lose interest in the middle. */
static long call(struct vcpu *v, hypercall_fn *fn, struct hypercall_args args)
{
    long rc;

    nr_calls++;
    do {
        v->preempt_count = chance(70) ? 0 : 512 - pick(12);
        rc = fn(v, &args);
    } while (rc == -ERESTART && !chance(5));
    nr_good += rc >= 0;
    return rc;
}

/* A frame: mostly one of the guest's own, and of those mostly one of a few that are always changing roles. */
static mfn_t any_frame(struct fixture *f, domid_t id)
{
    unsigned int r = pick(100);

    if (r < 70)
        return f->frame[id][FIX_FREE + pick(12)];
    if (r < 90)
        return f->frame[id][pick(FIX_FRAMES)];
    if (r < 96)
        return f->frame[3 - id][pick(FIX_FRAMES)];
    return r == 99 ? _mfn(rnd() >> 24) : _mfn(pick((unsigned int)f->m->nr_frames + 10));
}

static uint64_t any_entry(struct fixture *f, domid_t id)
{
    static const uint64_t odd[] = { _PAGE_PSE,    _PAGE_PCD, _PAGE_PWT,   _PAGE_GLOBAL,
                                    _PAGE_GNTTAB, _PAGE_NX,  _PAGE_AVAIL, _PAGE_GUEST_KERNEL };
    uint64_t e;

    if (chance(25))
        return chance(80) ? 0 : rnd() & ~_PAGE_PRESENT;
    e = pte_make(any_frame(f, id), _PAGE_PRESENT | (chance(50) ? _PAGE_USER : 0) | (chance(30) ? _PAGE_RW : 0));
    if (chance(10))
        e |= odd[pick(ARRAY_SIZE(odd))];
    return chance(1) ? rnd() : e;
}

static unsigned int any_slot(void) { return chance(80) ? pick(4) * 170 : pick(512); }

static uint32_t any_fd(domid_t id)
{
    return chance(92) ? DOMID_SELF : chance(50) ? FIX_FD(3 - id, DOMID_SELF) : (uint32_t)(3 - id);
}

static void op_mmu_update(struct fixture *f, domid_t id)
{
    struct mmu_update *req = fix_args(f, id);
    unsigned int n = 1 + pick(chance(10) ? 40 : 3);
    mfn_t table = any_frame(f, id);

    for (unsigned int i = 0; i < n; i++) {
        if (chance(30))
            table = any_frame(f, id);
        req[i].ptr = (mfn_x(table) << PAGE_SHIFT) + any_slot() * 8 + (chance(85) ? 0 : pick(4));
        req[i].val = any_entry(f, id);
    }
    call(f->v[id], do_mmu_update,
         (struct hypercall_args){ { fix_args_va(f, id), n, chance(50) ? 0 : fix_args_va(f, id) + 4000, any_fd(id) } });
}

static void op_mmuext(struct fixture *f, domid_t id)
{
    struct mmuext_op op = { .cmd = chance(60) ? pick(6) : pick(22) };

    op.arg1.mfn = mfn_x(any_frame(f, id));
    op.arg2.src_mfn = mfn_x(any_frame(f, id));
    if (op.cmd == MMUEXT_SET_LDT) {
        op.arg1.linear_addr = FIX_VA(f->d[id]) + pick(FIX_FRAMES) * PAGE_SIZE;
        op.arg2.nr_ents = pick(1000);
    }
    if (is_pv_32bit_domain(f->d[id])) {
        uint32_t op32[3] = { op.cmd, (uint32_t)op.arg1.mfn, (uint32_t)op.arg2.src_mfn };

        memcpy(fix_args(f, id), op32, sizeof(op32));
    } else {
        memcpy(fix_args(f, id), &op, sizeof(op));
    }
    call(f->v[id], do_mmuext_op, (struct hypercall_args){ { fix_args_va(f, id), 1, 0, any_fd(id) } });
}

static void op_va_mapping(struct fixture *f, domid_t id)
{
    uint64_t va = FIX_VA(f->d[id]) + (FIX_FREE + pick(504)) * PAGE_SIZE, e = any_entry(f, id), flags = pick(8);

    if (is_pv_32bit_domain(f->d[id]))
        call(f->v[id], compat_update_va_mapping, (struct hypercall_args){ { va, (uint32_t)e, e >> 32, flags } });
    else
        call(f->v[id], do_update_va_mapping, (struct hypercall_args){ { va, e, flags } });
}

/* The guest writes to memory that it has mapped writable: here, tables in the making. */
static void op_store(struct fixture *f, domid_t id)
{
    uint64_t va = FIX_VA(f->d[id]) + (FIX_FREE + pick(12)) * PAGE_SIZE + any_slot() * 8, e = any_entry(f, id);

    if (chance(10)) {
        static const uint8_t zero[PAGE_SIZE];

        copy_to_guest(f->v[id], va & PAGE_MASK, zero, PAGE_SIZE);
    } else {
        copy_to_guest(f->v[id], va, &e, sizeof(e));
    }
}

/* Its mappings of a frame become read-only, or writable: the first step of most things that succeed. */
static void op_protect(struct fixture *f, domid_t id)
{
    unsigned int n = FIX_FREE + pick(12);

    f->v[id]->preempt_count = 0;
    fix_set(f, id, is_pv_32bit_domain(f->d[id]) ? 2 : 3, n, fix_pte(f, id, n, chance(80) ? PTE_RO : PTE_RW));
}

static void op_gdt(struct fixture *f, domid_t id)
{
    uint64_t frames[2] = { mfn_x(any_frame(f, id)), mfn_x(any_frame(f, id)) };

    if (chance(50))
        pv_set_gdt(f->v[id], frames, pick(1024));
    else if (chance(50))
        pv_map_ldt_shadow_page(f->v[id], pick(16) * PAGE_SIZE);
    else
        call(f->v[id], do_update_descriptor,
             (struct hypercall_args){ { mfn_x(any_frame(f, id)) << PAGE_SHIFT, rnd(), 0, 0 } });
}

/* A frame goes back to the hypervisor, another comes. */
static void op_reservation(struct fixture *f, domid_t id)
{
    unsigned int n = FIX_FREE + pick(FIX_FRAMES - FIX_FREE);
    struct page_info *pg = fix_page(f, id, n);

    if (pg->owner == f->d[id] && get_page(pg, f->d[id])) {
        put_page_alloc_ref(f->xen, pg);
        put_page(f->xen, pg);
    }
    pg = alloc_domheap_pages(f->xen, f->d[id], 0, 0);
    if (pg)
        f->frame[id][n] = page_to_mfn(f->xen, pg);
}

/* The other grants a frame, this one maps or unmaps it. */
static void op_grant(struct fixture *f, domid_t id)
{
    grant_entry_v1_t *entry = ram_page(f->m, f->d[3 - id]->grant_table->shared[0]);
    grant_ref_t ref = 8 + pick(4);

    if (chance(40)) {
        entry[ref].frame = (uint32_t)mfn_x(any_frame(f, 3 - id));
        entry[ref].domid = id;
        entry[ref].flags = GTF_permit_access | (chance(50) ? GTF_readonly : 0);
    } else if (chance(60)) {
        struct gnttab_map_grant_ref op = { .ref = ref, .dom = 3 - id };

        op.flags = (chance(90) ? GNTMAP_host_map : 0) | (chance(20) ? GNTMAP_device_map : 0) |
                   (chance(50) ? GNTMAP_readonly : 0);
        op.host_addr = FIX_VA(f->d[id]) + (FIX_FREE + pick(60)) * PAGE_SIZE;
        memcpy(fix_args(f, id), &op, sizeof(op));
        call(f->v[id], do_grant_table_op, (struct hypercall_args){ { GNTTABOP_map_grant_ref, fix_args_va(f, id), 1 } });
    } else {
        struct gnttab_unmap_grant_ref op = { .handle = pick(16) };

        op.host_addr = FIX_VA(f->d[id]) + (FIX_FREE + pick(60)) * PAGE_SIZE;
        memcpy(fix_args(f, id), &op, sizeof(op));
        call(f->v[id], do_grant_table_op,
             (struct hypercall_args){ { GNTTABOP_unmap_grant_ref, fix_args_va(f, id), 1 } });
    }
}

static void (*const ops[])(struct fixture *f, domid_t id) = {
    op_mmu_update, op_mmu_update, op_mmu_update, op_mmuext,  op_mmuext, op_mmuext, op_va_mapping,
    op_store,      op_store,      op_protect,    op_protect, op_gdt,    op_grant,  op_reservation,
};

/*
 * The frame of a guest's arguments is still its own, to be written to. If not it cannot call, and must not by our hand.
 */
static bool can_call(struct fixture *f, domid_t id)
{
    const struct page_info *pg = fix_page(f, id, FIX_ARGS);

    return pg->owner == f->d[id] && (pg->type_info & PGT_type_mask) == PGT_writable_page &&
           (pg->type_info & PGT_count_mask) > 0;
}

static void run(bool pv32)
{
    const bool is_long = getenv("XENLAB_LONG");
    const char *env = getenv("XENLAB_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : pv32 ? 2 : 1, n = (is_long ? OPS_LONG : OPS_SHORT) / 2;
    uint64_t round = seed; /* the seed with which this round alone can be run again, */
    uint64_t nr_rounds = 1;
    uint64_t first = 0; /* and the operation that it began with */
    struct fixture f;
    char why[200];

    printf("seed %lu, %lu operations\n", seed, n);
    rnd_state = seed;
    fix_open(&f, pv32);
    for (uint64_t i = 0; i < n; i++) {
        unsigned int what = pick(ARRAY_SIZE(ops));

        ops[what](&f, 1 + pick(2));
        if (mmu_audit(f.xen, why, sizeof(why)))
            fail_msg("XENLAB_SEED=%lu, operation %lu (kind %u): %s", round, i - first, what, why);
        if (i % ROUND == ROUND - 1 || !can_call(&f, 1) || !can_call(&f, 2)) {
            fix_close(&f);
            fix_open(&f, pv32);
            round = rnd_state;
            nr_rounds++;
            first = i + 1;
        }
    }
    fix_close(&f);
    printf("%lu of %lu calls succeeded, in %lu rounds\n", nr_good, nr_calls, nr_rounds);
    assert_true(nr_good > nr_calls / 10);
}

static void hostile_pv64(void **state) { run(false); }
static void hostile_pv32(void **state) { run(true); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_pv64),
        cmocka_unit_test(hostile_pv32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
