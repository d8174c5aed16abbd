// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log-dirty mode (mmu/log_dirty.h), of guests that run: PV of both widths, and HVM.
 *
 * What is written is known by comparing memory. Each test is one row of a kind; a store to a random page by the guest's
 * own code must be found, whoever else's page must not.
 *
 * Budget: over 400 lines: three kinds of guests, and what others write.
 */
#include "tests/vcpu/hvm.h"

#include "sim/checkpoint.h"
#include "tests/support/random.h"

#define MOST_PAGES FIX_PAGES

struct copy {
    uint8_t *bytes[MOST_PAGES]; /* by the guest's number; NULL: no such page */
};

static struct xen_domctl_shadow_op last; /* what was answered */

static long shadow_op_of(struct fixture *f, domid_t domid, struct xen_domctl_shadow_op op)
{
    struct xen_domctl d = { .cmd = XEN_DOMCTL_shadow_op, .domain = domid, .u.shadow_op = op };
    const long rc = hvm_domctl(f, &d);

    last = d.u.shadow_op;
    return rc;
}

static long shadow_op(struct fixture *f, uint32_t op, uint32_t mode, uint8_t *bits, uint64_t pages)
{
    struct xen_domctl_shadow_op o = { .op = op, .mode = mode, .pages = pages };

    set_xen_guest_handle(o.dirty_bitmap, bits);
    return shadow_op_of(f, f->d->domain_id, o);
}

#define PEEK   XEN_DOMCTL_SHADOW_OP_PEEK
#define CLEAN  XEN_DOMCTL_SHADOW_OP_CLEAN
#define ENABLE XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY
#define OFF    XEN_DOMCTL_SHADOW_OP_OFF

static bool bit(const uint8_t *bits, uint64_t i) { return bits[i / 8] >> i % 8 & 1; }

static unsigned int nr_bits(const uint8_t *bits)
{
    unsigned int nr = 0;

    for (uint64_t i = 0; i < MOST_PAGES; i++)
        nr += bit(bits, i);
    return nr;
}

static void copy_take(struct fixture *f, struct copy *c)
{
    for (struct page_info *pg = page_list_first(f->xen, &f->d->page_list); pg; pg = page_list_next(f->xen, pg)) {
        const uint64_t pfn = get_gpfn_from_mfn(f->xen, page_to_mfn(f->xen, pg));

        assert_in_range(pfn, 0, MOST_PAGES - 1);
        if (!c->bytes[pfn])
            c->bytes[pfn] = malloc(PAGE_SIZE);
        memcpy(c->bytes[pfn], mfn_to_virt(f->m, page_to_mfn(f->xen, pg)), PAGE_SIZE);
    }
}

/* Each page that is another than in the copy is in the bitmap. How many are; the copy is taken anew. */
static unsigned int assert_found(struct fixture *f, struct copy *c, const uint8_t *bits)
{
    unsigned int nr = 0;

    for (struct page_info *pg = page_list_first(f->xen, &f->d->page_list); pg; pg = page_list_next(f->xen, pg)) {
        const mfn_t mfn = page_to_mfn(f->xen, pg);
        const uint64_t pfn = get_gpfn_from_mfn(f->xen, mfn);

        if (!memcmp(c->bytes[pfn], mfn_to_virt(f->m, mfn), PAGE_SIZE))
            continue;
        nr++;
        if (!bit(bits, pfn))
            fail_msg("page 0x%lx was written, and is not in the bitmap", (unsigned long)pfn);
    }
    copy_take(f, c);
    return nr;
}

static void copy_free(struct copy *c)
{
    for (unsigned int i = 0; i < MOST_PAGES; i++)
        free(c->bytes[i]);
    free(c);
}

/* --- guests' stores --- */

/* A page that the guest's code may write, and that is neither that code nor the stack. */
static uint64_t any_page(struct fixture *f, uint64_t code, uint64_t *rnd)
{
    const uint64_t base = is_hvm_domain(f->d) ? 0 : (code & PAGE_MASK) - 16 * PAGE_SIZE;

    for (;;) {
        const uint64_t va = base + random_of(rnd, is_hvm_domain(f->d) ? HVM_PAGES : 256) * PAGE_SIZE;
        uint32_t pfec = is_hvm_domain(f->d) ? 0 : PFEC_write_access; /* the p2m's protection is what is tried */
        const mfn_t mfn = guest_walk(f->v, va, &pfec);

        if (!mfn_eq(mfn, INVALID_MFN) && va != (code & PAGE_MASK) && va != (f->v->regs->rsp & PAGE_MASK) &&
            mfn_to_page(f->xen, mfn)->owner == f->d && !f->m->shares[mfn_x(mfn)])
            return va;
    }
}

/* The guest stores to n pages, and then turns on the spot. */
static void stores(struct fixture *f, unsigned int n, uint64_t *rnd)
{
    const bool wide = f->d->type == DOMAIN_PV64;
    const uint64_t code = is_hvm_domain(f->d) ? HVM_CODE : f->v->regs->rip & PAGE_MASK;
    uint8_t text[PAGE_SIZE];
    size_t at = 0;

    for (unsigned int i = 0; i < n; i++) {
        const uint64_t va = any_page(f, code, rnd) + random_of(rnd, PAGE_SIZE);

        if (wide)
            text[at++] = 0x48;
        text[at++] = 0xb8; /* mov $va, %eax/%rax */
        memcpy(text + at, &va, wide ? 8 : 4);
        at += wide ? 8 : 4;
        memcpy(text + at, "\xfe\x00", 2); /* incb (%rax) */
        at += 2;
    }
    memcpy(text + at, "\xeb\xfe", 2);
    at += 2;
    assert_int_equal(copy_to_guest(f->v, code, text, at), 0);
    f->v->regs->rip = code;
    hvm_go(f, MILLISECS(1));
}

/* The kinds of guests, each on its own machine. */
static int setup_pv(void **state, const struct kernel_spec *spec)
{
    struct fixture *f = fix_machine(1);

    fix_hypervisor(f);
    fix_guest(f, spec);
    *state = f;
    return 0;
}
static int setup_pv64(void **state) { return setup_pv(state, &kernel_linux64); }
static int setup_pv32(void **state) { return setup_pv(state, &kernel_legacy32); }

/* Without nested paging, by each policy for stores to tables. */
static int setup_shadow(void **state, enum shadow_policy policy)
{
    struct fixture *f = fix_machine(1);

    fix_hypervisor(f);
    f->hap_off = true;
    hvm_create(f);
    f->d->p2m->shadow->policy = policy;
    *state = f;
    return 0;
}
static int setup_emulate(void **state) { return setup_shadow(state, SHADOW_EMULATE); }
static int setup_oos(void **state) { return setup_shadow(state, SHADOW_OOS); }
static int setup_drop(void **state) { return setup_shadow(state, SHADOW_DROP); }

static bool is_shadow(const struct fixture *f) { return f->d->p2m && f->d->p2m->shadow; }

static void guest_stores_are_found(void **state)
{
    struct fixture *f = *state;
    struct copy *c = calloc(1, sizeof(*c));
    uint8_t bits[MOST_PAGES / 8], again[MOST_PAGES / 8];
    uint64_t rnd = 4711;

    stores(f, 8, &rnd);
    copy_take(f, c);
    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 0);
    for (unsigned int round = 0; round < 50; round++) {
        const unsigned int n = 1 + random_of(&rnd, 12);
        unsigned int changed;

        stores(f, n, &rnd);
        assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
        assert_int_equal(last.stats.dirty_count, nr_bits(bits));
        if (is_hvm_domain(f->d)) /* its code was written by us: no store of its own left for that */
            assert_in_range(last.stats.fault_count, nr_bits(bits) - 1, nr_bits(bits));
        assert_int_equal(shadow_op(f, CLEAN, 0, again, MOST_PAGES), 0);
        assert_memory_equal(bits, again, sizeof(bits));
        changed = assert_found(f, c, bits);
        assert_in_range(changed, 1, n + 3);             /* the code; a PV guest's A and D bits are in tables, */
        assert_in_range(nr_bits(bits), changed, n + 8); /* and what is set to what it was is written as well */
        assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
        assert_int_equal(nr_bits(bits), 0);
        assert_int_equal(last.stats.dirty_count, 0);
        assert_int_equal(last.stats.fault_count, 0);
    }
    assert_int_equal(shadow_op(f, OFF, 0, NULL, 0), 0);
    stores(f, 8, &rnd);
    assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 0);
    assert_int_equal(f->m->nr_loggers, 0);
    copy_free(c);
}

#define REWOUND_OPS 9

/* Stores, and what PEEK and CLEAN say of them: from the same state, the same. */
static void peek_and_clean(struct fixture *f, uint64_t rnd, uint8_t said[REWOUND_OPS][MOST_PAGES / 8])
{
    for (unsigned int i = 0; i < REWOUND_OPS; i += 3) {
        stores(f, 1 + random_of(&rnd, 12), &rnd);
        assert_int_equal(shadow_op(f, PEEK, 0, said[i], MOST_PAGES), 0);
        assert_in_range(nr_bits(said[i]), 1, 20);
        stores(f, 1 + random_of(&rnd, 12), &rnd);
        assert_int_equal(shadow_op(f, CLEAN, 0, said[i + 1], MOST_PAGES), 0);
        stores(f, 1 + random_of(&rnd, 12), &rnd);
        assert_int_equal(shadow_op(f, PEEK, 0, said[i + 2], MOST_PAGES), 0);
    }
}

/*
 * Back over what was cleaned: the bitmap is again what it was, and so is the run that follows, also if CLEAN comes
 * between a checkpoint and the next. Without rewinding the second pass would begin with other bits, or none.
 */
static void rewound(void **state)
{
    struct fixture *f = *state;
    const struct history_config cfg = { .limit_mib = 256 };
    uint8_t first[REWOUND_OPS][MOST_PAGES / 8], again[REWOUND_OPS][MOST_PAGES / 8], bits[MOST_PAGES / 8];
    uint8_t start[MOST_PAGES / 8];
    struct divergence d;
    struct history *h;
    uint64_t rnd = 815;

    stores(f, 8, &rnd);
    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    stores(f, 8, &rnd);
    h = history_create(f->m, &cfg);
    assert_non_null(h);
    assert_true(checkpoint_take(h, &d));
    assert_int_equal(shadow_op(f, PEEK, 0, start, MOST_PAGES), 0);
    peek_and_clean(f, 99, first);
    assert_true(checkpoint_take(h, &d));
    assert_memory_not_equal(first[REWOUND_OPS - 1], start, sizeof(start));
    for (unsigned int i = 0; i < 3; i++) {
        if (i == 1) /* from there, CLEAN at once: it is no part of what comes back */
            assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
        checkpoint_go(h, 0);
        assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
        assert_memory_equal(bits, start, sizeof(bits));
        peek_and_clean(f, 99, again);
        assert_memory_equal(first, again, sizeof(first));
        if (!checkpoint_take(h, &d))
            fail_msg("another machine: %s, frame 0x%lx, +%u", d.place ?: "", (unsigned long)mfn_x(d.mfn), d.offset);
    }
    checkpoint_go(h, 1);
    assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
    assert_memory_equal(bits, first[REWOUND_OPS - 1], sizeof(bits));
    assert_true(history_is_whole(h, &d));
    history_destroy(h);
}

/* With paging on: stores to a table that has a shadow, and D bits that Xen sets, count as the guest's. */
/* From the beginning. */
static void run_again(struct fixture *f, const char *code, size_t n)
{
    f->v->regs->rip = HVM_CODE;
    hvm_run_code(f, code, n);
}
#define RUN(f, literal) run_again(f, literal, sizeof(literal) - 1)

static void tables_are_found(void **state)
{
    struct fixture *f = *state;
    uint8_t bits[MOST_PAGES / 8];
    uint32_t e = 0x11003;

    hvm_put(f, 0x10000, &e, 4);
    for (uint32_t i = 0; i < HVM_PAGES; i++) {
        e = i << PAGE_SHIFT | 3;
        hvm_put(f, 0x11000 + 4 * i, &e, 4);
    }
    HVM_RUN(f, "\xb8\x00\x00\x01\x00\x0f\x22\xd8"             /* CR3 = 0x10000 */
               "\x0f\x20\xc0\x0d\x00\x00\x00\x80\x0f\x22\xc0" /* CR0.PG */
               "\xeb\xfe");
    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    for (unsigned int round = 0; round < 12; round++) {
        const bool store = round % 3;

        if (store)
            RUN(f, "\x81\x05\x20\x13\x01\x00\x00\x10\x00\x00" /* addl $0x1000, 0x11320: an entry of no page */
                   "\xff\x05\x00\x50\x01\x00"                 /* incl 0x15000 */
                   "\xeb\xfe");
        else
            RUN(f, "\xeb\xfe");
        assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
        assert_true(bit(bits, 1)); /* its code, by us */
        if (store != bit(bits, 0x15) || (store && !bit(bits, 0x11)) || (!store && round && bit(bits, 0x11)))
            fail_msg("round %u: the table %d, the page %d", round, bit(bits, 0x11), bit(bits, 0x15));
    }
    e = 0;
    assert_int_equal(copy_from_guest(f->v, &e, 0x11320, 4), 0);
    assert_int_equal(e, 8 << PAGE_SHIFT);
}

/* --- by others --- */

/* What the hypervisor writes for the guest, what is shared, what comes to another place. */
static void others_stores_are_found(void **state)
{
    struct fixture *f = *state;
    uint8_t bits[MOST_PAGES / 8];
    p2m_type_t t;
    mfn_t mfn;

    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    assert_int_equal(copy_to_guest(f->v, 0x5ffe, "abcd", 4), 0);
    hvm_put(f, 0x9000, "x", 0); /* begun to be written, and not: that counts */
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 3);
    assert_true(bit(bits, 5) && bit(bits, 6) && bit(bits, 9));
    mfn = p2m_get_entry(f->d, 7, &t);
    frame_share(f->m, mfn);
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_true(bit(bits, 7));
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 0);
    assert_int_equal(shadow_op(f, CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 1);
    assert_true(bit(bits, 7));
    frame_unshare(f->m, mfn);
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 1);
    assert_int_equal(guest_physmap_remove_page(f->d, 7, mfn), 0);
    assert_int_equal(guest_physmap_add_page(f->d, 0x77, mfn), 0);
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 1);
    assert_true(bit(bits, 0x77));
}

/* A device model that follows graphics memory hears of all stores, though CLEAN comes in between; so does CLEAN. */
static void beside_dirty_vram(void **state)
{
    struct fixture *f = *state;
    uint8_t bits[MOST_PAGES / 8], vram = 0x55;
    struct xen_dm_op op = { .op = XEN_DMOP_track_dirty_vram, .u.track_dirty_vram = { .first_pfn = 16, .nr = 8 } };
    xen_dm_op_buf_t bufs[2] = { { .size = sizeof(op) }, { .size = 1 } };

    set_xen_guest_handle(bufs[0].h, &op);
    set_xen_guest_handle(bufs[1].h, &vram);
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(
            hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_dm_op, f->d->domain_id, 2, (uintptr_t)bufs, 0, 0), 0);
    assert_int_equal(vram, 0);
    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    HVM_RUN(f, "\xc6\x05\x00\x00\x01\x00\x01" /* movb $1, 0x10000 */
               "\xc6\x05\x00\x30\x01\x00\x01" /* movb $1, 0x13000 */
               "\xeb\xfe");
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_true(bit(bits, 16) && bit(bits, 19) && bit(bits, 1));
    assert_int_equal(nr_bits(bits), 3);
    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_dm_op, f->d->domain_id, 2, (uintptr_t)bufs, 0, 0), 0);
    assert_int_equal(vram, 0x09);
    assert_int_equal(shadow_op(f, PEEK, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 0);
}

/* XEN_DMOP_modified_memory, of RAM and of what is none. */
static void modified_memory_marks(void **state)
{
    struct fixture *f = *state;
    uint8_t bits[MOST_PAGES / 8];
    struct xen_dm_op_modified_memory_extent e[2] = { { .nr = 3, .first_pfn = 20 },
                                                     { .nr = 4, .first_pfn = HVM_PAGES - 2 } };
    struct xen_dm_op op = { .op = XEN_DMOP_modified_memory, .u.modified_memory.nr_extents = 2 };
    xen_dm_op_buf_t bufs[2] = { { .size = sizeof(op) }, { .size = sizeof(e) } };

    set_xen_guest_handle(bufs[0].h, &op);
    set_xen_guest_handle(bufs[1].h, e);
    assert_int_equal(shadow_op(f, ENABLE, 0, NULL, 0), 0);
    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_dm_op, f->d->domain_id, 2, (uintptr_t)bufs, 0, 0), 0);
    assert_int_equal(shadow_op(f, CLEAN, 0, bits, MOST_PAGES), 0);
    assert_int_equal(nr_bits(bits), 5);
    assert_true(bit(bits, 20) && bit(bits, 22) && bit(bits, HVM_PAGES - 2) && bit(bits, HVM_PAGES - 1));
}

/* --- answers --- */

static const struct {
    uint32_t op, mode;
    int pv, hvm;
} answers[] = {
    { XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0, 0, 0 },
    { XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, 0, -EOPNOTSUPP, -EOPNOTSUPP }, /* a shadow domain's can be set: 0 cannot */
    { XEN_DOMCTL_SHADOW_OP_ENABLE_TEST, 0, -EINVAL, -EINVAL },
    { XEN_DOMCTL_SHADOW_OP_ENABLE, 0, -EINVAL, -EINVAL },
    { XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT, -EINVAL, -EINVAL },
    { OFF, 0, 0, 0 },
    { 3, 0, -EINVAL, -EINVAL },
    { 4711, 0, -EINVAL, -EINVAL },
    { PEEK, 2, -EINVAL, -EINVAL },
    { CLEAN, ~0u, -EINVAL, -EINVAL },
    { CLEAN, 0, 0, 0 },
    { PEEK, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, 0, 0 },
    { ENABLE, 0, 0, 0 },
    { ENABLE, 0, -EINVAL, -EINVAL },
    { XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY, -EINVAL, -EINVAL },
    { OFF, 0, 0, 0 },
    { OFF, 0, 0, 0 },
    { XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY, 0, 0 },
    { XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0, 0, 0 },
};

static void answers_are_xens(void **state)
{
    struct fixture *f = *state;
    const struct xen_domctl_shadow_op clean = { .op = CLEAN };
    uint8_t bits[16];

    for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {
        const long rc = shadow_op(f, answers[i].op, answers[i].mode, NULL, 0);

        if (is_shadow(f) && answers[i].op == XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION)
            assert_int_equal(rc, -EINVAL);
        else if (rc != (is_hvm_domain(f->d) ? answers[i].hvm : answers[i].pv))
            fail_msg("row %u: %ld", i, rc);
    }
    assert_int_equal(last.mb, is_hvm_domain(f->d));
    assert_int_equal(shadow_op_of(f, 0, clean), -EINVAL); /* oneself */
    assert_int_equal(shadow_op_of(f, 4711, clean), -ESRCH);
    assert_int_equal(shadow_op_of(f, DOMID_SELF, clean), -ESRCH);
    memset(bits, 0x5a, sizeof(bits)); /* as many bits as there is room for, whole bytes of them */
    assert_int_equal(shadow_op(f, PEEK, 0, bits, 60), 0);
    assert_int_equal(last.pages, 60);
    assert_int_equal(bits[7] & ~0x0f, 0);
    assert_int_equal(bits[8], 0x5a);
    hvm_destroy(f); /* one that dies logged leaves no log */
    assert_int_equal(f->m->nr_loggers, 0);
}

#define TEST(function, setup)                                                                                          \
    {                                                                                                                  \
#function " (" #setup ")", function, setup, fix_teardown, NULL                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(guest_stores_are_found, setup_pv64),
        TEST(guest_stores_are_found, setup_pv32),
        TEST(guest_stores_are_found, hvm_setup),
        TEST(others_stores_are_found, hvm_setup),
        TEST(beside_dirty_vram, hvm_setup),
        TEST(modified_memory_marks, hvm_setup),
        TEST(answers_are_xens, setup_pv64),
        TEST(answers_are_xens, hvm_setup),
        TEST(tables_are_found, hvm_setup),
        TEST(guest_stores_are_found, setup_emulate),
        TEST(guest_stores_are_found, setup_oos),
        TEST(guest_stores_are_found, setup_drop),
        TEST(tables_are_found, setup_emulate),
        TEST(tables_are_found, setup_oos),
        TEST(tables_are_found, setup_drop),
        TEST(others_stores_are_found, setup_oos),
        TEST(beside_dirty_vram, setup_oos),
        TEST(modified_memory_marks, setup_oos),
        TEST(answers_are_xens, setup_oos),
        TEST(rewound, setup_pv64),
        TEST(rewound, setup_pv32),
        TEST(rewound, hvm_setup),
        TEST(rewound, setup_emulate),
        TEST(rewound, setup_oos),
        TEST(rewound, setup_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
