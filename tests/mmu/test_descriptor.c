// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segment descriptors: every kind of one, as HYPERVISOR_update_descriptor takes it, beside the rules written down once
 * more.
 *
 * Concept: the rules of check_descriptor() of xen/arch/x86/pv/descriptor-tables.c are a few lines that must be exactly
 * right, for a wrong one gives away ring 0. Here all values of the access byte and the flags are tried, with limits,
 * bases and selectors at their edges, and what is stored is compared with a model that works on fields where the code
 * works on bits.
 */
#include "fixture.h"

enum { DATA = FIX_FREE };

struct desc {
    uint32_t limit; /* 20 bits, as in the descriptor */
    uint32_t base;
    unsigned int type, dpl, avl, l, d, g;
    bool s, p;
};

static struct desc unpack(uint64_t x)
{
    return (struct desc){ .limit = (uint32_t)(x & 0xffff) | (uint32_t)(x >> 32 & 0xf0000),
                          .base = (uint32_t)(x >> 16 & 0xffffff) | (uint32_t)(x >> 56 << 24),
                          .type = x >> 40 & 15,
                          .s = x >> 44 & 1,
                          .dpl = x >> 45 & 3,
                          .p = x >> 47 & 1,
                          .avl = x >> 52 & 1,
                          .l = x >> 53 & 1,
                          .d = x >> 54 & 1,
                          .g = x >> 55 & 1 };
}

static uint64_t pack(const struct desc *d)
{
    return (uint64_t)(d->limit & 0xffff) | (uint64_t)(d->base & 0xffffff) << 16 | (uint64_t)d->type << 40 |
           (uint64_t)d->s << 44 | (uint64_t)d->dpl << 45 | (uint64_t)d->p << 47 | (uint64_t)(d->limit >> 16) << 48 |
           (uint64_t)d->avl << 52 | (uint64_t)d->l << 53 | (uint64_t)d->d << 54 | (uint64_t)d->g << 55 |
           (uint64_t)(d->base >> 24) << 56;
}

/* What is stored for x; false: it is refused. */
static bool model(bool pv32, uint64_t *x)
{
    struct desc d = unpack(*x);
    const unsigned int ring = pv32 ? (d.dpl ? d.dpl : 1) : 3, selector = *x >> 16 & 0xffff;
    const uint64_t end = d.g ? (d.limit + UINT64_C(1)) * PAGE_SIZE : d.limit + UINT64_C(1);

    if (!d.p || (!d.s && d.type == 0))
        return true; /* never used as a segment: as it is */
    if (d.s) {
        if (pv32 && d.l)
            return false; /* 64-bit code */
        d.dpl = ring;
        if (pv32 && d.base == 0 && end > 0xf5800000)
            d.limit = 0xfffff; /* so that it reaches the M2P */
        *x = pack(&d);
        return true;
    }
    if (d.type != 12)
        return false; /* gates to ring 0, TSS, LDT */
    if (selector >> 3 >= FIRST_RESERVED_GDT_ENTRY && !(selector & 4) && selector != (pv32 ? 0xe019 : FLAT_KERNEL_CS))
        return false; /* to code of Xen's */
    if (*x >> 32 & (pv32 ? 0xe0 : 0xff))
        return false; /* reserved */
    d.dpl = 0;
    *x = (pack(&d) & ~(UINT64_C(3) << 16)) | (uint64_t)ring << 16;
    return true;
}

static uint64_t *stored(struct fixture *f) { return &fix_table(f, f->frame[1][DATA])[7]; }

static long update(struct fixture *f, uint64_t ma, uint64_t desc)
{
    return is_pv_32bit_domain(f->d[1])
               ? fix_call(f->v[1], compat_update_descriptor, (uint32_t)ma, ma >> 32, (uint32_t)desc, desc >> 32)
               : fix_call(f->v[1], do_update_descriptor, ma, desc, 0, 0);
}

static void compare(struct fixture *f, uint64_t desc)
{
    const bool pv32 = is_pv_32bit_domain(f->d[1]);
    uint64_t want = desc;
    const bool okay = model(pv32, &want);
    long rc;

    *stored(f) = 0x5a5a;
    rc = update(f, (mfn_x(f->frame[1][DATA]) << PAGE_SHIFT) + 7 * 8, desc);
    if (rc != (okay ? 0 : -EINVAL) || *stored(f) != (okay ? want : 0x5a5a))
        fail_msg("PV%d, %016lx: %ld and %016lx, not %ld and %016lx", pv32 ? 32 : 64, desc, rc, *stored(f),
                 okay ? 0L : -EINVAL, okay ? want : 0x5a5aul);
}

static void each_descriptor(void **state)
{
    static const uint16_t selectors[] = { 0,      0x8,    0xdffb, 0xe000, 0xe004, 0xe008,
                                          0xe010, 0xe019, 0xe01b, 0xe033, 0xe030, 0xffff };
    static const uint32_t limits[] = { 0, 0x57ff, 0xf57ff, 0xf5800, 0xf67ff, 0xfffff };
    static const uint8_t middles[] = { 0, 1, 0x1f, 0x20, 0x80 }, highs[] = { 0, 0x80 };
    unsigned int nr = 0;

    for (unsigned int pv32 = 0; pv32 < 2; pv32++) {
        struct fixture f;

        fix_open(&f, pv32);
        for (uint64_t access = 0; access < 4096; access++) /* type, S, DPL, P; AVL, L, D, G */
            for (unsigned int i = 0; i < ARRAY_SIZE(selectors) * ARRAY_SIZE(middles); i++)
                for (unsigned int k = 0; k < ARRAY_SIZE(limits) * 2; k++, nr++)
                    compare(&f, (uint64_t)highs[k & 1] << 56 | (access >> 8) << 52 |
                                    (uint64_t)(limits[k / 2] >> 16) << 48 | (access & 0xff) << 40 |
                                    (uint64_t)middles[i % ARRAY_SIZE(middles)] << 32 |
                                    (uint64_t)selectors[i / ARRAY_SIZE(middles)] << 16 | (limits[k / 2] & 0xffff));
        fix_audit(&f);
        fix_close(&f);
    }
    print_message("%u descriptors\n", nr);
}

/* Where a descriptor may be written: into plain data or a page of descriptors of one's own, at a multiple of 8. */
static void each_place(void **state)
{
    for (unsigned int pv32 = 0; pv32 < 2; pv32++) {
        struct fixture f;
        uint64_t ma;

        fix_open(&f, pv32);
        ma = mfn_x(f.frame[1][DATA]) << PAGE_SHIFT;
        for (uint64_t at = 0; at < PAGE_SIZE; at++)
            assert_int_equal(update(&f, ma + at, 0), at % 8 ? -EINVAL : 0);
        assert_int_equal(update(&f, mfn_x(f.frame[1][0]) << PAGE_SHIFT, 0), -EINVAL); /* a page table */
        assert_int_equal(update(&f, mfn_x(f.frame[2][DATA]) << PAGE_SHIFT, 0), -EINVAL);
        assert_int_equal(update(&f, f.m->nr_frames << PAGE_SHIFT, 0), -EINVAL);
        assert_int_equal(update(&f, UINT64_MAX & ~UINT64_C(7), 0), -EINVAL);
        assert_int_equal(update(&f, mfn_x(f.xen->m2p_mfn) << PAGE_SHIFT, 0), -EINVAL);
        assert_int_equal(update(&f, mfn_x(f.xen->pv64_gdt_mfn) << PAGE_SHIFT, 0), -EINVAL);
        fix_close(&f);
    }
}

static long set_gdt(struct fixture *f, const mfn_t *frames, unsigned int nr, unsigned int entries)
{
    for (unsigned int i = 0; i < nr; i++) {
        if (is_pv_32bit_domain(f->d[1]))
            ((uint32_t *)fix_args(f, 1))[i] = (uint32_t)mfn_x(frames[i]);
        else
            ((uint64_t *)fix_args(f, 1))[i] = mfn_x(frames[i]);
    }
    return fix_call(f->v[1], do_set_gdt, fix_args_va(f, 1), entries, 0, 0);
}

/* A GDT is taken as a whole or not at all: one bad descriptor, wherever it is, and the former one stays. */
static void a_gdt_is_taken_as_a_whole(void **state)
{
    for (unsigned int pv32 = 0; pv32 < 2; pv32++) {
        mfn_t frames[3];
        struct fixture f;

        fix_open(&f, pv32);
        for (unsigned int i = 0; i < 3; i++) {
            frames[i] = f.frame[1][DATA + i];
            fix_readonly(&f, 1, DATA + i, true);
        }
        assert_int_equal(set_gdt(&f, frames + 2, 1, 3), 0);
        for (unsigned int at = 0; at < 512; at += 73) {
            fix_table(&f, frames[1])[at] = UINT64_C(0x00008e0000080000); /* an interrupt gate */
            assert_int_equal(set_gdt(&f, frames, 2, 513), -EINVAL);
            assert_int_equal(f.v[1]->pv.gdt_ents, 3);
            assert_int_equal(f.v[1]->pv.gdt_frames[0], mfn_x(frames[2]));
            assert_int_equal(fix_page(&f, 1, DATA)->type_info & PGT_count_mask, 0);
            fix_audit(&f);
            fix_table(&f, frames[1])[at] = 0;
        }
        assert_int_equal(set_gdt(&f, frames, 2, FIRST_RESERVED_GDT_ENTRY + 1), -EINVAL);
        assert_int_equal(fix_call(f.v[1], do_set_gdt, 0x1000, FIRST_RESERVED_GDT_ENTRY + 1, 0, 0), -EINVAL);
        assert_int_equal(fix_call(f.v[1], do_set_gdt, 0x1000, 1, 0, 0), -EFAULT);
        assert_int_equal(set_gdt(&f, frames, 2, 513), 0);
        assert_int_equal(fix_page(&f, 1, DATA + 2)->type_info & PGT_count_mask, 0);
        fix_audit(&f);
        assert_int_equal(set_gdt(&f, frames, 0, 0), 0); /* none */
        assert_int_equal(f.v[1]->pv.gdt_ents, 0);
        fix_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_descriptor),
        cmocka_unit_test(each_place),
        cmocka_unit_test(a_gdt_is_taken_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
