// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow page tables, without a guest: random tables in each format, random stores to them, by the guest and by others,
 * changes of the p2m and of the mode, a pool that is too small; what an access leads to is what the guest's own walk
 * says, and the audit is clean.
 *
 * Budget: over 400 lines: one life in all formats, one of L1 tables that are out of sync, and each special case.
 *
 * test_shadow [STORES [SEED]]: so many stores, from another beginning (`make campaign-shadow`).
 */
#include "tests/vcpu/hvm.h"

#include "sim/walk.h"
#include "tests/support/random.h"

#define TABLES 24 /* gfns from 0 on that may be tables */

static unsigned long stores = 20000;
static uint64_t prng = 1;
static bool
    stale; /* tables were stored to since shadow_flush(): without a flush a guest cannot tell when that counts */

static void flush(struct fixture *f)
{
    shadow_flush(f->d);
    stale = false;
}

static uint64_t rnd(uint64_t n) { return random_of(&prng, n); }

static void create(struct fixture *f, enum shadow_policy policy)
{
    f->hap_off = true;
    hvm_create(f);
    f->d->p2m->shadow->policy = policy;
    assert_int_equal(shadow_set_allocation(f->d, 0), 0);
}

static struct nested_regs regs(const struct fixture *f)
{
    const struct cpu_state *r = f->v->regs;

    return (struct nested_regs){ r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };
}

static mfn_t frame(const struct fixture *f, uint64_t gfn)
{
    p2m_type_t t;

    return p2m_get_entry(f->d, gfn, &t);
}

static void clean(struct fixture *f)
{
    char why[200] = "";

    if (!shadow_audit(f->d, why, sizeof(why)))
        fail_msg("%s", why);
}

/* An entry as a guest might have it: mostly a table or a page of its own, sometimes anything. */
static uint64_t entry(bool wide)
{
    uint64_t e = rnd(40) ? rnd(HVM_PAGES) << PAGE_SHIFT : rnd(1u << 20) << PAGE_SHIFT;

    e |= (rnd(20) ? _PAGE_PRESENT : 0) | (rnd(6) ? _PAGE_RW : 0) | (rnd(6) ? _PAGE_USER : 0);
    e |= (rnd(2) ? _PAGE_ACCESSED : 0) | (rnd(2) ? _PAGE_DIRTY : 0);
    if (!rnd(12)) /* a large page, of memory that is there */
        e = (e & 0xfff) | _PAGE_PSE;
    else if (rnd(3))
        e = (e & ~PTE_MFN_MASK) | rnd(TABLES) << PAGE_SHIFT;
    if (wide && !rnd(40))
        e |= _PAGE_NX;
    if (wide && !rnd(3)) /* as PAE's uppermost table wants it */
        e &= PTE_MFN_MASK | _PAGE_PRESENT;
    return wide ? e : (uint32_t)e;
}

/* Addresses are few, so that they are met again: a few entries of each table. */
static uint64_t address(const struct cpu_state *r)
{
    uint64_t va = rnd(PAGE_SIZE);

    for (unsigned int level = 1; level <= 4; level++)
        va |= (rnd(3) + (rnd(20) ? 0 : 500)) % 512 << (PAGE_SHIFT + 9 * (level - 1));
    if (!(r->efer & EFER_LMA))
        return (uint32_t)(va | rnd(4) << 30);
    return (uint64_t)((int64_t)(va << 16) >> 16);
}

static void mode(struct fixture *f)
{
    static const struct {
        uint64_t cr0, cr4, efer;
    } modes[] = {
        { X86_CR0_PE, 0, 0 },
        { X86_CR0_PE | X86_CR0_PG, 0, 0 },
        { X86_CR0_PE | X86_CR0_PG, X86_CR4_PSE, 0 },
        { X86_CR0_PE | X86_CR0_PG, X86_CR4_PAE, 0 },
        { X86_CR0_PE | X86_CR0_PG, X86_CR4_PAE, EFER_LME | EFER_LMA },
    };
    struct cpu_state *r = f->v->regs;
    const unsigned int i = (unsigned int)rnd(5);

    r->cr0 = modes[i].cr0 | (rnd(3) ? X86_CR0_WP : 0);
    r->cr4 = modes[i].cr4 | (rnd(3) ? 0 : X86_CR4_SMEP);
    r->efer = modes[i].efer | (rnd(3) ? EFER_NXE : 0);
    r->cr3 = rnd(TABLES) << PAGE_SHIFT | (i == 3 ? rnd(2) << 5 : 0);
    flush(f);
}

static bool guarded(const struct fixture *f, mfn_t mfn) { return shadow_guarded(f->d->p2m->shadow, mfn); }

static bool is_oos(const struct fixture *f, mfn_t mfn)
{
    return shadow_is_table(f->d, mfn_x(mfn) << PAGE_SHIFT) && !guarded(f, mfn);
}

/* A store to a table: by the guest, which faults if it has a shadow; by somebody else. */
static void store_at(struct fixture *f, mfn_t mfn, uint64_t at, uint64_t e, unsigned int size, bool others)
{
    const uint64_t phys = (mfn_x(mfn) << PAGE_SHIFT) + at;
    uint8_t *page, *mark = &f->m->shadowed->mark[mfn_x(mfn)];
    const uint8_t was = *mark;

    if (!others && guarded(f, mfn) && !shadow_oos_begin(f->d, &f->v->hvm->shadow, mfn))
        shadow_store_begin(f->d, phys);
    stale |= f->d->p2m->shadow->policy == SHADOW_DROP || is_oos(f, mfn);
    if (!others && is_oos(f, mfn)) /* as the engine stores: nobody hears of it */
        *mark = 0;
    page = frame_write_begin(f->m, mfn);
    memcpy(page + at, &e, size);
    frame_write_end(f->m, mfn);
    if (!others && is_oos(f, mfn))
        *mark = was;
    if (!others && guarded(f, mfn))
        shadow_store_end(f->d, phys, size);
}

static void store(struct fixture *f)
{
    const bool wide = f->v->regs->cr4 & X86_CR4_PAE;
    const unsigned int size = wide ? 8 : 4;
    const mfn_t mfn = frame(f, rnd(TABLES));
    const uint64_t e = entry(wide), at = ((rnd(2) ? rnd(3) : rnd(8)) + (rnd(20) ? 0 : 500)) % 512 * size +
                                         (wide || rnd(4) ? 0 : rnd(2) * 2048);

    if (!mfn_eq(mfn, INVALID_MFN))
        store_at(f, mfn, at, e, size, !rnd(10));
}

/* One access, as the processor makes it: again and again, until it is done or refused. */
static bool access_once(struct fixture *f, uint64_t va, uint32_t access)
{
    const struct nested_regs r = regs(f);
    struct nested_walk w, g;
    struct page_walk s;
    uint64_t root;

    for (unsigned int tries = 0;; tries++) {
        assert_in_range(tries, 0, 3);
        root = shadow_root(f->d, &f->v->hvm->shadow, &r);
        assert_true(root != 0);
        if (machine_walk(f->m, _mfn(PFN_DOWN(root)), va, &s) && page_walk_allows(&s, access) &&
            !(r.cr4 & X86_CR4_SMEP && r.cr0 & X86_CR0_PG && s.rights & _PAGE_USER &&
              (access & (PFEC_insn_fetch | PFEC_user_mode)) == PFEC_insn_fetch))
            break;
        switch (shadow_fault(f->d, &f->v->hvm->shadow, &r, va, access, &w)) {
        case SHADOW_FILLED: continue;
        case SHADOW_STORE:
            assert_true(access & PFEC_write_access);
            assert_true(shadow_is_table(f->d, w.phys) || !(r.cr0 & X86_CR0_WP));
            return true;
        case SHADOW_TAKEN: fail_msg("there is no monitor");
        case SHADOW_TRUE: assert_int_equal(w.result, NESTED_PF); return false;
        case SHADOW_NPF: assert_int_equal(w.result, NESTED_NPF); return false;
        }
    }
    /* It is allowed: by the guest's tables, too, which have nothing left to set; and leads where they do. */
    if (stale)
        return true;
    g.nr = 0;
    if (nested_walk(&r, va, access, machine_table, f->m, &g) != NESTED_OK)
        fail_msg(
            "va %#lx access %#x is allowed, and to the guest's walk a fault: cr0 %#lx cr3 %#lx cr4 %#lx efer %#lx, "
            "entry %#lx of %u",
            (unsigned long)va, access, (unsigned long)r.cr0, (unsigned long)r.cr3, (unsigned long)r.cr4,
            (unsigned long)r.efer, (unsigned long)(g.nr ? g.step[g.nr - 1].entry : 0), g.nr);
    assert_int_equal(g.phys, s.phys);
    for (unsigned int i = 0; i < g.nr; i++)
        assert_int_equal(g.step[i].set, 0);
    return true;
}

/* INVLPG: what is there now, whatever is out of sync. */
static void looked_at(struct fixture *f, uint64_t va)
{
    const bool was = stale;
    const struct nested_regs r = regs(f);

    assert_true(shadow_root(f->d, &f->v->hvm->shadow, &r) != 0);
    shadow_invlpg(f->d, &f->v->hvm->shadow, va);
    stale = false;
    access_once(f, va, (rnd(2) ? PFEC_write_access : 0) | (rnd(3) ? 0 : PFEC_user_mode));
    stale = was;
}

static void memory_changes(struct fixture *f)
{
    const uint64_t gfn = rnd(HVM_PAGES);
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(f->d, gfn, &t);

    if (t == p2m_ram_rw)
        assert_int_equal(p2m_set_entry(f->d, gfn, mfn, rnd(2) ? p2m_ram_ro : p2m_ram_logdirty), 0);
    else if (p2m_is_ram(t))
        assert_int_equal(p2m_set_entry(f->d, gfn, mfn, p2m_ram_rw), 0);
}

static void random_life(struct fixture *f)
{
    unsigned long done = 0, allowed = 0;

    for (unsigned int i = 0; i < 2000; i++)
        store(f);
    for (unsigned long i = 0; i < stores; i++) {
        store(f);
        if (!rnd(10))
            flush(f); /* of a guest that is `emulate`d it is nothing */
        for (unsigned int n = 0; n < 2; n++, done++)
            allowed +=
                access_once(f, address(f->v->regs), (rnd(2) ? PFEC_write_access : 0) | (rnd(3) ? 0 : PFEC_user_mode));
        if (!rnd(4))
            access_once(f, address(f->v->regs), PFEC_insn_fetch | (rnd(2) ? PFEC_user_mode : 0));
        if (!rnd(4))
            looked_at(f, address(f->v->regs));
        if (!rnd(40))
            f->v->regs->cr3 = rnd(TABLES) << PAGE_SHIFT, flush(f);
        if (!rnd(400))
            mode(f);
        if (!rnd(50))
            memory_changes(f);
        if (!rnd(stores > 100000 ? 500 : 50))
            clean(f);
    }
    clean(f);
    print_message("%lu stores, %lu accesses, %lu allowed, %lu fills, %lu evictions, %lu syncs\n", stores, done, allowed,
                  (unsigned long)f->d->p2m->shadow->count.fills, (unsigned long)f->d->p2m->shadow->count.evictions,
                  (unsigned long)f->d->p2m->shadow->count.syncs);
    assert_true(allowed > done / 40 && f->d->p2m->shadow->count.true_faults);
    assert_true(f->d->p2m->shadow->count.evictions || f->d->p2m->shadow->policy == SHADOW_DROP);
}

/*
 * One set of tables: an L2, and L1 tables (gfns from L1_FIRST on) that are stored to all the time and map each other;
 * what an access leads to is exact behind a flush, and at an address behind INVLPG. shadow_oos.c is about these.
 */
#define L1_FIRST  8
#define L1_TABLES 5
static void l1_mode(struct fixture *f, unsigned int format)
{
    const unsigned int size = format == SHADOW_LEGACY ? 4 : 8;
    const uint64_t table = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
    struct cpu_state *r = f->v->regs;
    uint64_t e;

    e = 0x2000 | table;
    hvm_put(f, 0x1000, &e, 8);
    hvm_put(f, 0x7000, &e, 8);
    e = 0x3000 | (format == SHADOW_PAE ? _PAGE_PRESENT : table);
    hvm_put(f, 0x2000, &e, 8);
    for (unsigned int i = 0; i < L1_TABLES; i++) {
        e = (L1_FIRST + i) << PAGE_SHIFT | table;
        hvm_put(f, 0x3000 + i * size, &e, size);
    }
    r->cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP;
    r->cr4 = format == SHADOW_LEGACY ? 0 : X86_CR4_PAE;
    r->efer = format == SHADOW_LONG ? EFER_LME | EFER_LMA | EFER_NXE : 0;
    r->cr3 = format == SHADOW_LONG ? 0x1000 : format == SHADOW_PAE ? 0x2000 : 0x3000;
    flush(f);
}

/* The L2 leads elsewhere, or nowhere; or the same L3 has another root above it. */
static void l1_moves(struct fixture *f, unsigned int format)
{
    const unsigned int size = format == SHADOW_LEGACY ? 4 : 8;
    const uint64_t table = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
    const uint64_t e = rnd(3) ? (L1_FIRST + rnd(L1_TABLES)) << PAGE_SHIFT | table : 0;

    store_at(f, frame(f, 3), rnd(L1_TABLES) * size, e, size, false);
    if (format == SHADOW_LONG && !rnd(3)) /* to what it was: its shadow's entry is empty */
        store_at(f, frame(f, PFN_DOWN(f->v->regs->cr3)), 0, 0x2000 | table, 8, false);
    if (format == SHADOW_LONG && !rnd(4)) {
        f->v->regs->cr3 ^= 0x1000 ^ 0x7000;
        flush(f);
    }
}

static void l1_store(struct fixture *f, unsigned int format, bool others)
{
    const unsigned int size = format == SHADOW_LEGACY ? 4 : 8, halves = format == SHADOW_LEGACY ? 1 + !rnd(3) : 1;
    uint64_t e = (L1_FIRST + rnd(L1_TABLES + 4)) << PAGE_SHIFT | (rnd(8) ? _PAGE_PRESENT : 0) | _PAGE_USER;

    e |= (rnd(3) ? _PAGE_RW : 0) | (rnd(3) ? _PAGE_ACCESSED : 0) | (rnd(3) ? _PAGE_DIRTY : 0);
    e ^= rnd(6) ? 0 : _PAGE_USER;
    if (size == 8 && !rnd(6))
        e |= _PAGE_NX; /* in PAE it is reserved */
    if (format == SHADOW_PAE && !rnd(10))
        e |= UINT64_C(1) << 60;
    if (!rnd(30))
        e |= UINT64_C(1) << 31; /* there is no memory */
    store_at(f, frame(f, L1_FIRST + rnd(L1_TABLES)), (rnd(2) + (halves - 1) * 512) * size, e, size, others);
}

static void l1_life(struct fixture *f, unsigned int format)
{
    const struct shadow_domain *s = f->d->p2m->shadow;
    const uint64_t span = format == SHADOW_LEGACY ? UINT64_C(4) << 20 : UINT64_C(2) << 20;

    l1_mode(f, format);
    for (unsigned long i = 0; i < stores; i++) {
        const uint64_t va =
            rnd(L1_TABLES) * span + (rnd(2) + (format == SHADOW_LEGACY && !rnd(3) ? 512 : 0)) * PAGE_SIZE;

        if (!rnd(8))
            l1_moves(f, format);
        if (rnd(3))
            l1_store(f, format, !rnd(20));
        if (!rnd(3))
            looked_at(f, va);
        if (!rnd(
                6)) { /* what is behind INVLPG is as it is then, though tables above are others by the time of access */
            const bool was = stale;
            struct nested_regs r;

            if (rnd(2))
                l1_moves(f, format);
            r = regs(f);
            assert_true(shadow_root(f->d, &f->v->hvm->shadow, &r) != 0);
            shadow_invlpg(f->d, &f->v->hvm->shadow, va);
            l1_moves(f, format);
            stale = true;
            access_once(f, va ^ PAGE_SIZE, 0); /* brings the table there, and with it */
            stale = false;
            access_once(f, va, rnd(2) ? PFEC_write_access : 0);
            stale = was;
        }
        if (!rnd(6)) {
            flush(f);
            assert_int_equal(s->nr_oos, 0);
            clean(f);
        }
        access_once(f, va,
                    (rnd(2) ? PFEC_write_access : 0) | (rnd(3) ? 0 : PFEC_user_mode) | (rnd(6) ? 0 : PFEC_insn_fetch));
        if (!rnd(60))
            memory_changes(f);
        if (!rnd(60)) { /* a table of L1 tables is one itself: and a root */
            f->v->regs->cr3 = (L1_FIRST + rnd(L1_TABLES)) << PAGE_SHIFT;
            flush(f);
            access_once(f, va, 0);
            l1_mode(f, format);
        }
    }
    print_message("format %u: %lu fills, %lu stores, %lu syncs, %lu unshadowed\n", format,
                  (unsigned long)s->count.fills, (unsigned long)s->count.stores, (unsigned long)s->count.syncs,
                  (unsigned long)s->count.unshadowed);
}

static void l1(void **state)
{
    for (unsigned int policy = SHADOW_DROP; policy <= SHADOW_OOS; policy++)
        for (unsigned int format = SHADOW_LONG; format <= SHADOW_LEGACY; format++) {
            create(*state, policy);
            l1_life(*state, format);
            hvm_destroy(*state);
        }
}

static void emulate(void **state)
{
    create(*state, SHADOW_EMULATE);
    random_life(*state);
    hvm_destroy(*state);
}

static void drop(void **state)
{
    create(*state, SHADOW_DROP);
    random_life(*state);
    hvm_destroy(*state);
}

static void oos(void **state)
{
    create(*state, SHADOW_OOS);
    random_life(*state);
    hvm_destroy(*state);
}

/* The pool, as the toolstack sets it. */
static void allocation(void **state)
{
    static const struct {
        uint32_t op, mb;
        long want;
        uint32_t then;
    } rows[] = {
        { XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0, 0, 1 },
        { XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, 0, -EINVAL, 0 },
        { XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, 2, 0, 2 },
        { XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0, 0, 2 },
        { XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, ~0u, -ENOMEM, ~0u },
        { XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0, 0, 2 },
        { XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, 1, 0, 1 },
    };
    struct fixture *f = *state;

    create(f, SHADOW_EMULATE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op, .domain = f->d->domain_id };

        op.u.shadow_op.op = rows[i].op;
        op.u.shadow_op.mb = rows[i].mb;
        assert_int_equal(hvm_domctl(f, &op), rows[i].want);
        assert_int_equal(op.u.shadow_op.mb, rows[i].then);
        assert_true(access_once(f, 0x5000, PFEC_write_access)); /* its root has gone, and is made anew */
        clean(f);
    }
    hvm_destroy(f);
}

static void root(struct fixture *f)
{
    const struct nested_regs r = regs(f);

    assert_true(shadow_root(f->d, &f->v->hvm->shadow, &r) != 0);
}

/* A table that is stored to for long is the guest's own again; so is one that somebody else has stored to. */
static void unshadowed(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r;
    uint64_t e = 0x3000 | _PAGE_PRESENT | _PAGE_RW;
    uint64_t phys;
    unsigned int n = 0;

    create(f, SHADOW_EMULATE);
    r = f->v->regs;
    hvm_put(f, 0x2000, &e, 4);
    e = 0x5000 | _PAGE_PRESENT | _PAGE_RW;
    hvm_put(f, 0x3000, &e, 4);
    r->cr0 |= X86_CR0_PG;
    r->cr3 = 0x2000;
    assert_true(access_once(f, 0, PFEC_write_access));
    phys = mfn_x(frame(f, 3)) << PAGE_SHIFT;
    assert_true(shadow_is_table(f->d, phys) && !shadow_is_table(f->d, mfn_x(frame(f, 5)) << PAGE_SHIFT));
    while (shadow_store_begin(f->d, phys)) {
        hvm_put(f, 0x3000, &e, 4);
        shadow_store_end(f->d, phys, 4);
        root(f);
        assert_true(shadow_is_table(f->d, phys)); /* this store was its own */
        assert_in_range(n++, 0, 100);
    }
    assert_false(shadow_is_table(f->d, phys));
    assert_true(access_once(f, 0, PFEC_write_access));
    assert_true(shadow_is_table(f->d, phys));
    hvm_put(f, 0x3000, &e, 4);
    root(f);
    assert_false(shadow_is_table(f->d, phys));
    /* So many others were stored to that it is not known which. */
    assert_true(access_once(f, 0, PFEC_write_access));
    memset(f->m->shadowed->mark, SHADOWED, 200);
    for (uint64_t i = 0; i < 200; i++)
        frame_write_begin(f->m, _mfn(i)), frame_write_end(f->m, _mfn(i));
    memset(f->m->shadowed->mark, 0, 200);
    assert_true(shadow_is_table(f->d, phys));
    root(f);
    assert_false(shadow_is_table(f->d, phys));
    /* What may change at any time is looked at anew each time. */
    frame_share(f->m, frame(f, 3));
    for (unsigned int i = 0; i < 2; i++) {
        assert_true(access_once(f, 0, PFEC_write_access));
        assert_true(shadow_is_table(f->d, phys));
        root(f);
        assert_false(shadow_is_table(f->d, phys));
    }
    frame_unshare(f->m, frame(f, 3));
    assert_true(access_once(f, 0, PFEC_write_access));
    root(f);
    /* So is what another guest has mapped to write to it: by a grant, say. */
    for (unsigned int i = 0; i < 2; i++) {
        assert_true(shadow_is_table(f->d, phys));
        if (!i)
            assert_true(get_page_type(f->xen, mfn_to_page(f->xen, frame(f, 3)), PGT_writable_page));
        root(f);
        assert_false(shadow_is_table(f->d, phys));
        assert_true(access_once(f, 0, PFEC_write_access));
    }
    put_page_type(f->xen, mfn_to_page(f->xen, frame(f, 3)));
    root(f);
    assert_true(access_once(f, 0, PFEC_write_access));
    root(f);
    assert_true(shadow_is_table(f->d, phys));
    clean(f);
    hvm_destroy(f);
}

static int setup(void **state)
{
    struct fixture *f = fix_machine(1);

    fix_hypervisor(f);
    *state = f;
    return 0;
}

static int teardown(void **state) { return fix_teardown(state); }

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unshadowed, setup, teardown),
        cmocka_unit_test_setup_teardown(allocation, setup, teardown),
        cmocka_unit_test_setup_teardown(emulate, setup, teardown),
        cmocka_unit_test_setup_teardown(drop, setup, teardown),
        cmocka_unit_test_setup_teardown(oos, setup, teardown),
        cmocka_unit_test_setup_teardown(l1, setup, teardown),
    };

    if (argc > 1)
        stores = strtoul(argv[1], NULL, 0);
    if (argc > 2)
        prng = strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
