// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties of grant tables, for any sequence of offers, mappings, unmappings and withdrawals:
 *
 *  - nobody maps what was not offered to him;
 *  - what is offered for reading is not mapped for writing;
 *  - what is mapped is in use, as often as it is mapped, whether or not it is still offered;
 *  - the hypervisor's books agree.
 *
 * Two domains without kernels: the owner writes entries of its table (version 1, public/grant_table.h), the user maps
 * them. What should come of it is a model of a few lines. GRANT_SEEDS: how many sequences; a failure names its seed.
 */
#include <xenlab/xenlab.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <xen/grant_table.h>

#define REFS     8 /* that are played with, from 16 on: the toolstack has the first */
#define FIRST    16u
#define MAPPINGS 16
#define STEPS    60

static struct xenlab *x;
static uint16_t owner, user;
static uint64_t table; /* where the owner sees its table */

/* What should be so. */
static struct {
    bool offered, readonly;
    unsigned int maps, writers;
} model[REFS];
static struct mapping {
    bool there, readonly;
    unsigned int ref;
    uint32_t handle;
} mapping[MAPPINGS];

static uint64_t seed;
static unsigned int draw(unsigned int n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned int)(seed >> 33) % n;
}

static void must(int rc)
{
    if (rc)
        fail_msg("%s", xenlab_error(x));
}

static int64_t grant_op(uint16_t d, unsigned int cmd, void *op, size_t size)
{
    const uint64_t at = xenlab_page(x, d, 8);
    int64_t ret;

    must(xenlab_write(x, d, 0, at, op, size));
    must(xenlab_hypercall(x, d, 0, __HYPERVISOR_grant_table_op, (const uint64_t[6]){ cmd, at, 1 }, &ret));
    assert_int_equal(xenlab_read(x, d, 0, at, op, size), size);
    return ret;
}

/* The owner's table, at its page 9: as a kernel does it, by the frame's number and a mapping. */
static void table_map(void)
{
    const uint64_t frames = xenlab_page(x, owner, 10);
    struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 1 };
    uint64_t mfn;
    int64_t ret;

    op.frame_list.p = (xen_pfn_t *)(uintptr_t)frames;
    assert_int_equal(grant_op(owner, GNTTABOP_setup_table, &op, sizeof(op)), 0);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(xenlab_read(x, owner, 0, frames, &mfn, sizeof(mfn)), sizeof(mfn));
    table = xenlab_page(x, owner, 9);
    must(xenlab_hypercall(x, owner, 0, __HYPERVISOR_update_va_mapping,
                          (const uint64_t[6]){ table, mfn << 12 | 0x7, 2 /* UVMF_INVLPG */ }, &ret));
    assert_int_equal(ret, 0);
}

static void entry_write(unsigned int ref, uint16_t flags)
{
    const struct grant_entry_v1 e = {
        .flags = flags, .domid = user, .frame = (uint32_t)xenlab_mfn(x, owner, 0, xenlab_page(x, owner, 20 + ref))
    };

    must(xenlab_write(x, owner, 0, table + (FIRST + ref) * sizeof(e), &e, sizeof(e)));
}

static uint16_t entry_flags(unsigned int ref)
{
    struct grant_entry_v1 e;

    xenlab_read(x, owner, 0, table + (FIRST + ref) * sizeof(e), &e, sizeof(e));
    return e.flags;
}

static void offer(void)
{
    const unsigned int ref = draw(REFS);

    if (model[ref].maps)
        return; /* a kernel leaves what is in use alone */
    model[ref].offered = true;
    model[ref].readonly = draw(2);
    entry_write(ref, (uint16_t)(GTF_permit_access | (model[ref].readonly ? GTF_readonly : 0)));
}

static void withdraw(void)
{
    const unsigned int ref = draw(REFS);

    if (model[ref].maps)
        return;
    model[ref].offered = false;
    entry_write(ref, 0);
}

static void map(void)
{
    struct mapping *m = &mapping[draw(MAPPINGS)];
    const unsigned int ref = draw(REFS), slot = (unsigned int)(m - mapping);
    const bool readonly = draw(2);
    struct gnttab_map_grant_ref op = { .host_addr = xenlab_page(x, user, 20 + slot),
                                       .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
                                       .ref = FIRST + ref,
                                       .dom = owner };

    if (m->there)
        return;
    assert_int_equal(grant_op(user, GNTTABOP_map_grant_ref, &op, sizeof(op)), 0);
    if (model[ref].offered && (readonly || !model[ref].readonly)) {
        assert_int_equal(op.status, GNTST_okay);
        *m = (struct mapping){ true, readonly, ref, op.handle };
        model[ref].maps++, model[ref].writers += !readonly;
    } else {
        assert_int_not_equal(op.status, GNTST_okay);
    }
}

static void unmap(void)
{
    struct mapping *m = &mapping[draw(MAPPINGS)];
    struct gnttab_unmap_grant_ref op = { .host_addr = xenlab_page(x, user, 20 + (unsigned int)(m - mapping)),
                                         .handle = m->handle };

    if (!m->there)
        return;
    assert_int_equal(grant_op(user, GNTTABOP_unmap_grant_ref, &op, sizeof(op)), 0);
    assert_int_equal(op.status, GNTST_okay);
    m->there = false;
    model[m->ref].maps--, model[m->ref].writers -= !m->readonly;
}

static void look(void)
{
    for (unsigned int ref = 0; ref < REFS; ref++) {
        struct xenlab_grant_info g = { .size = sizeof(g) };
        unsigned int n = FIRST + ref;
        const bool found = xenlab_grant_next(x, owner, &n, &g) && n == FIRST + ref;

        assert_int_equal(found && g.pins, model[ref].maps > 0);
        assert_int_equal(!!(entry_flags(ref) & GTF_reading), model[ref].maps > 0);
        assert_int_equal(!!(entry_flags(ref) & GTF_writing), model[ref].writers > 0);
    }
    must(xenlab_audit(x));
}

static void test_any_sequence(void **state)
{
    static void (*const steps[])(void) = { offer, offer, withdraw, map, map, map, unmap, unmap };
    const unsigned int seeds = getenv("GRANT_SEEDS") ? (unsigned int)atoi(getenv("GRANT_SEEDS")) : 20;
    struct xenlab_position begin;

    (void)state;
    table_map();
    begin = xenlab_position(x);
    for (unsigned int s = 1; s <= seeds; s++) {
        seed = s;
        print_message("seed %u\n", s);
        for (unsigned int i = 0; i < REFS; i++)
            model[i].offered = false, model[i].maps = model[i].writers = 0;
        for (unsigned int i = 0; i < MAPPINGS; i++)
            mapping[i].there = false;
        for (unsigned int i = 0; i < STEPS; i++) {
            steps[draw(8)]();
            look();
        }
        must(xenlab_goto(x, begin));
        xenlab_forget(x);
    }
}

static int setup(void **state)
{
    const struct xenlab_domain what = { .size = sizeof(what) };
    char err[256];

    (void)state;
    x = xenlab_create(0, NULL, NULL, err, sizeof(err));
    if (!x) {
        print_error("%s\n", err);
        return -1;
    }
    owner = (uint16_t)xenlab_domain_create(x, &what);
    user = (uint16_t)xenlab_domain_create(x, &what);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    xenlab_destroy(x);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_sequence) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
