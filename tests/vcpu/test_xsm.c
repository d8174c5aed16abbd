// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every operation of the permission table, asked for by everybody.
 *
 * Each action's answers are written out here once more, as a row of yes and no; that a function has the action of its
 * line, and that look-ups answer -ESRCH before -EPERM and keep no reference to what they refuse, is checked for all
 * operations alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "vcpu/noun/xsm.h"

enum who { CONTROL, DEVICE_MODEL, ITSELF, XENSTORE, STRANGER, NR_WHO };

/* Who may, action by action; all about domain ITSELF. */
static const bool may[][NR_WHO] = {
    /*                 control  device model  itself  xenstore  stranger */
    [XSM_TARGET] = { true, true, true, false, false },
    [XSM_XS_PRIV] = { true, true, false, true, false },
    [XSM_DM_PRIV] = { true, true, false, false, false },
    [XSM_PRIV] = { true, false, false, false, false },
};

struct operation {
    const char *name;
    enum xsm_default action;
    xsm_fn *fn;
};

#define ROW(name, action, where) { #name, action, xsm_##name },
static const struct operation operations[] = { XSM_OPERATIONS(ROW) };

struct world {
    struct xen xen;
    struct domain d[NR_WHO];
    struct vcpu v[NR_WHO];
};

/* Kinds are mixed on purpose: no answer may depend on one. */
static void world_make(struct world *w, unsigned int shift)
{
    static const enum domain_type types[] = { DOMAIN_PV64, DOMAIN_NATIVE, DOMAIN_PV32, DOMAIN_HVM };

    memset(w, 0, sizeof(*w));
    for (unsigned int i = 0; i < NR_WHO; i++) {
        w->d[i] = (struct domain){ .domain_id = (domid_t)i,
                                   .xen = &w->xen,
                                   .refcnt = 1,
                                   .type = types[(i + shift) % ARRAY_SIZE(types)],
                                   .is_privileged = i == CONTROL,
                                   .target = i == DEVICE_MODEL ? ITSELF : DOMID_INVALID,
                                   .createflags = i == XENSTORE ? XEN_DOMCTL_CDF_xs_domain : 0 };
        w->v[i].domain = &w->d[i];
        domain_list_insert(&w->d[i]);
    }
}

static void test_everybody(void **state)
{
    struct world w;

    for (unsigned int shift = 0; shift < 4; shift++) {
        world_make(&w, shift);
        for (unsigned int op = 0; op < ARRAY_SIZE(operations); op++)
            for (unsigned int who = 0; who < NR_WHO; who++) {
                const int want = may[operations[op].action][who] ? 0 : -EPERM;

                if (operations[op].fn(&w.d[who], &w.d[ITSELF]) != want)
                    fail_msg("%s by %u is not %d", operations[op].name, who, want);
            }
    }
}

/* About nobody in particular: neither a device model nor anybody's self. */
static void test_nobody(void **state)
{
    struct world w;

    world_make(&w, 0);
    for (unsigned int op = 0; op < ARRAY_SIZE(operations); op++)
        for (unsigned int who = 0; who < NR_WHO; who++) {
            const bool xenstore = who == XENSTORE && operations[op].action == XSM_XS_PRIV;

            assert_int_equal(operations[op].fn(&w.d[who], NULL), who == CONTROL || xenstore ? 0 : -EPERM);
        }
}

static void test_look_up(void **state)
{
    struct world w;
    struct domain *d;

    world_make(&w, 0);
    for (unsigned int op = 0; op < ARRAY_SIZE(operations); op++)
        for (unsigned int who = 0; who < NR_WHO; who++) {
            const bool ok = may[operations[op].action][who];

            assert_int_equal(get_domain_for(&w.v[who], NR_WHO, operations[op].fn, &d), -ESRCH);
            assert_int_equal(get_domain_for(&w.v[who], DOMID_XEN, operations[op].fn, &d), -ESRCH);
            assert_int_equal(get_domain_for(&w.v[who], ITSELF, operations[op].fn, &d), ok ? 0 : -EPERM);
            assert_int_equal(w.d[ITSELF].refcnt, ok ? 2 : 1);
            if (ok)
                put_domain(d);
            if (operations[op].action == XSM_TARGET) {
                assert_int_equal(get_domain_for(&w.v[who], DOMID_SELF, operations[op].fn, &d), 0);
                assert_ptr_equal(d, &w.d[who]);
                put_domain(d);
            }
        }
}

/* To have a target gives power over that domain, and none over others. */
static void test_target_only(void **state)
{
    struct world w;

    world_make(&w, 0);
    for (unsigned int op = 0; op < ARRAY_SIZE(operations); op++) {
        assert_int_equal(operations[op].fn(&w.d[DEVICE_MODEL], &w.d[STRANGER]), -EPERM);
        assert_int_equal(operations[op].fn(&w.d[DEVICE_MODEL], &w.d[CONTROL]), -EPERM);
        assert_int_equal(operations[op].fn(&w.d[ITSELF], &w.d[DEVICE_MODEL]), -EPERM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_look_up),
        cmocka_unit_test(test_target_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
