// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 32-bit guests' arguments: sizes and places are those of the ABI, both tables fit each other, and nothing is lost on
 * the way.
 */
#include "tests/mmu/fixture.h"

#include "mmu/compat.h"

/* What the public headers' authors agreed upon, and guests in the field stand on; the tables come from a compiler. */
static void sizes_are_those_of_the_abi(void **state)
{
    static const struct {
        enum compat_struct s;
        unsigned int size64, size32, last_at32; /* the last of the fields on the list */
    } rows[] = {
        { COMPAT_gnttab_setup_table, 24, 16, 12 },
        { COMPAT_gnttab_get_status_frames, 16, 12, 8 },
        { COMPAT_gnttab_transfer, 24, 16, 12 },
        { COMPAT_xen_memory_reservation, 32, 20, 16 },
        { COMPAT_xen_memory_exchange, 72, 44, 40 },
        { COMPAT_xen_mem_acquire_resource, 32, 28, 24 },
        { COMPAT_xen_pod_target, 40, 36, 32 },
        { COMPAT_xen_mem_access_op, 32, 24, 2 },
        { COMPAT_xen_add_to_physmap, 24, 16, 12 },
        { COMPAT_xen_add_to_physmap_batch, 32, 20, 16 },
        { COMPAT_xen_remove_from_physmap, 16, 8, 0 },
        { COMPAT_xen_memory_map, 16, 8, 4 },
        { COMPAT_xen_foreign_memory_map, 24, 12, 8 },
        { COMPAT_xen_machphys_mfn_list, 24, 12, 8 },
        { COMPAT_xen_machphys_mapping, 24, 12, 8 },
        { COMPAT_xen_reserved_device_memory_map, 24, 16, 8 },
        { COMPAT_mmuext_op, 24, 12, 8 },
        { COMPAT_multicall_entry, 64, 32, 8 },
        { COMPAT_trap_info, 16, 8, 4 },
        { COMPAT_xennmi_callback, 16, 8, 0 },
        { COMPAT_sched_poll, 24, 16, 8 },
        { COMPAT_vcpu_set_singleshot_timer, 16, 12, 8 },
        { COMPAT_vcpu_runstate_info, 48, 44, 12 },
        { COMPAT_physdev_op, 24, 16, 4 },
        { COMPAT_physdev_set_iobitmap, 16, 8, 4 },
        { COMPAT_physdev_map_pirq, 40, 36, 0 },
    };
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct compat_layout *l64 = &compat_layouts64[rows[i].s], *l32 = &compat_layouts32[rows[i].s];
        const unsigned int last = l32->field[l32->nr_fields - 1].at;

        if (l64->size != rows[i].size64 || l32->size != rows[i].size32 || last != rows[i].last_at32)
            fail_msg("structure %u: %u and %u bytes, the last field at %u", rows[i].s, l64->size, l32->size, last);
    }
    assert_int_equal(compat_layouts32[COMPAT_gnttab_copy].size, 24);
    assert_int_equal(compat_layouts32[COMPAT_physdev_apic].size, 12);
    assert_int_equal(compat_layouts32[COMPAT_xen_dm_op_buf].size, 8);
    /* A 32-bit guest's wallclock: behind two bitmaps of 32 words, and the upper half behind all else. */
    assert_int_equal(compat_layouts32[COMPAT_shared_info].field[0].at, 32 * 64 + 2 * 32 * 4);
    assert_int_equal(compat_layouts32[COMPAT_shared_info].field[1].at, 32 * 64 + 2 * 32 * 4 + 9 * 4);
}

static void tables_fit_each_other(void **state)
{
    for (unsigned int s = COMPAT_none + 1; s < NR_COMPAT_STRUCTS; s++) {
        const struct compat_layout *l64 = &compat_layouts64[s], *l32 = &compat_layouts32[s];

        assert_true(l64->size && l32->size && l32->size <= l64->size);
        assert_int_equal(l64->nr_fields, l32->nr_fields);
        for (unsigned int i = 0; i < l64->nr_fields; i++) {
            const struct compat_field *f64 = &l64->field[i], *f32 = &l32->field[i];

            assert_true(f64->size && f64->nr == f32->nr);
            assert_true(f64->size == f32->size || (f64->size == 8 && f32->size == 4)); /* a long, or the same */
            assert_true(f64->at + f64->nr * f64->size <= l64->size && f32->at + f32->nr * f32->size <= l32->size);
            for (unsigned int j = 0; j < i; j++) {
                const struct compat_field *g = &l32->field[j];

                assert_true(g->at + g->nr * g->size <= f32->at || f32->at + f32->nr * f32->size <= g->at);
            }
        }
    }
}

/* In and out again: every field is what it was, the rest is zero, and not a byte more is touched. */
static void there_and_back(void **state)
{
    struct fixture f;
    uint8_t host[256], *guest, before[256];
    uint64_t va;

    fix_open(&f, true);
    guest = fix_args(&f, 1);
    va = fix_args_va(&f, 1);
    for (unsigned int s = COMPAT_none + 1; s < NR_COMPAT_STRUCTS; s++) {
        const struct compat_layout *l = &compat_layouts32[s];

        if (s == COMPAT_shared_info)
            continue; /* is in use where it is */
        for (unsigned int i = 0; i < sizeof(before); i++)
            before[i] = guest[i] = (uint8_t)(i * 7 + 129);
        memset(host, 0xee, sizeof(host));
        assert_int_equal(compat_from_guest(f.v[1], host, va, s), 0);
        assert_int_equal(host[compat_layouts64[s].size], 0xee);
        assert_int_equal(compat_to_guest(f.v[1], va, host, s), 0);
        for (unsigned int i = 0; i < l->nr_fields; i++)
            assert_memory_equal(guest + l->field[i].at, before + l->field[i].at, l->field[i].nr * l->field[i].size);
        assert_memory_equal(guest + l->size, before + l->size, sizeof(before) - l->size);
    }
    fix_close(&f);
}

static void fields_and_words(void **state)
{
    struct gnttab_transfer op = { .status = -7 };
    struct fixture f;
    uint32_t *guest;
    uint64_t va, word;

    fix_open(&f, true);
    guest = fix_args(&f, 1);
    va = fix_args_va(&f, 1);
    memset(guest, 0xaa, 32);
    assert_int_equal(copy_field_to_guest(f.v[1], va, COMPAT_gnttab_transfer, &op, status), 0);
    assert_int_equal(guest[3], 0xaaaafff9);
    assert_int_equal(copy_field_to_guest(f.v[1], va, COMPAT_gnttab_transfer, &op, mfn), 0);
    assert_int_equal(guest[0], 0);
    assert_int_equal(guest[1], 0xaaaaaaaa);
    assert_int_equal(copy_word_to_guest(f.v[1], va + 4, UINT64_C(0x123456789)), 0);
    assert_int_equal(guest[1], 0x23456789);
    assert_int_equal(guest[2], 0xaaaaaaaa);
    assert_int_equal(copy_word_from_guest(f.v[1], &word, va + 8), 0);
    assert_true(word == 0xaaaaaaaa);
    assert_int_equal(compat_from_guest(f.v[1], &op, 0x1000, COMPAT_gnttab_transfer), -EFAULT);
    assert_int_equal(compat_size(f.d[1], COMPAT_gnttab_transfer), 16);
    assert_int_equal(compat_size(f.d[0], COMPAT_gnttab_transfer), 24); /* dom0 is 64-bit code */
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_those_of_the_abi),
        cmocka_unit_test(tables_fit_each_other),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(fields_and_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
