// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that is logged while it runs (mmu/log_dirty.h), as one that is migrated: every so many nanoseconds
 * XEN_DOMCTL_SHADOW_OP_CLEAN says what was written, and that is copied. It comes to its end as one that is left alone,
 * and at each moment the copy is its memory. By each way of paging.
 *
 * The copy is compared as a whole now and then, and at the last CLEAN. Frames that are shared just now are compared
 * when they are so no more: LOGDIRTY_FINAL is what a toolstack asks for these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mmu/m2p.h"
#include "sim/frame.h"
#include "tools/host.h"
#include "ui/options.h"
#include "ui/start.h"
#include "vcpu/native/kernel.h"
#include "vcpu/noun/domain.h"

#include <xen/domctl.h>

struct run {
    struct run_options options;
    struct host_pool pools[HOST_MAX_POOLS];
    struct guest_list list;
    struct host *h;
    char said[1 << 17];
    size_t len;
    uint8_t *copy, *bits;
    uint64_t nr; /* pages, by the guest's number */
    unsigned long cleans, copied, compared;
};

static void hear(void *data, const char *line, size_t len)
{
    struct run *r = data;

    if (r->len + len < sizeof(r->said)) {
        memcpy(r->said + r->len, line, len);
        r->len += len;
    }
}

static void hear_console(void *data, domid_t guest, const char *bytes, size_t len)
{
    (void)guest;
    hear(data, bytes, len);
}

static struct domain *domain(const struct run *r) { return domain_from(host_xen(r->h), 1); }

static long domctl(const struct run *r, struct xen_domctl *op)
{
    struct domain *dom0 = domain_from(host_xen(r->h), 0);

    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = 1;
    return hypercall_native(dom0->vcpu[0], __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0, 0);
}

static void shadow_op(struct run *r, uint32_t what, uint32_t mode)
{
    struct xen_domctl pause = { .cmd = XEN_DOMCTL_pausedomain }, unpause = { .cmd = XEN_DOMCTL_unpausedomain };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op, .u.shadow_op = { .op = what, .mode = mode, .pages = r->nr } };

    set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, r->bits);
    assert_int_equal(domctl(r, &pause), 0);
    assert_int_equal(domctl(r, &op), 0);
    assert_int_equal(domctl(r, &unpause), 0);
}

/* Each page of the guest's: copied if it is in the bitmap, or all; compared if that is asked for. */
static void pages(struct run *r, bool all, bool compare)
{
    const struct xen *xen = host_xen(r->h);
    const struct machine *m = host_machine(r->h);

    for (struct page_info *pg = page_list_first(xen, &domain(r)->page_list); pg; pg = page_list_next(xen, pg)) {
        const mfn_t mfn = page_to_mfn(xen, pg);
        const uint64_t pfn = get_gpfn_from_mfn(xen, mfn);

        if (pfn >= r->nr)
            continue;
        if (all || r->bits[pfn / 8] >> pfn % 8 & 1) {
            memcpy(r->copy + (pfn << PAGE_SHIFT), mfn_to_virt(m, mfn), PAGE_SIZE);
            r->copied++;
        }
        if (!compare || m->shares[mfn_x(mfn)])
            continue;
        r->compared++;
        if (memcmp(r->copy + (pfn << PAGE_SHIFT), mfn_to_virt(m, mfn), PAGE_SIZE))
            fail_msg("page %#lx is not what was copied, at CLEAN %lu", (unsigned long)pfn, r->cleans);
    }
}

static void run(char **argv, int argc, bool hap, enum xl_shadow_policy policy, s_time_t every, const char *last)
{
    const bool stop = false;
    struct run *r = calloc(1, sizeof(*r));
    char err[START_ERR_SIZE] = "";
    const struct host_io io = { .data = r, .console_out = hear_console };

    assert_non_null(r);
    if (options_parse(&r->options, COMMAND_RUN, argc, argv, err) || guest_list_load(&r->list, &r->options, err))
        fail_msg("%s", err);
    r->list.entries[0].cfg.hvm.hap = hap;
    r->list.entries[0].cfg.hvm.shadow_policy = policy;
    r->h = start_host(&r->options, &r->list, &io, r->pools, NULL, err);
    if (!r->h || start_guests(r->h, &r->list, err))
        fail_msg("%s", err);
    host_log(r->h, hear, r, start_log_level(&r->options));
    r->nr = (uint64_t)r->options.memory_mib << 8;
    r->copy = calloc(r->nr, PAGE_SIZE);
    r->bits = calloc(r->nr, 1);
    assert_true(r->copy && r->bits);
    for (s_time_t at = every; host_guests_left(r->h) && at < SECONDS(30); at += every) {
        const struct run_limit limit = { .until = at,
                                         .at = { .insns = UINT64_MAX, .step = UINT64_MAX },
                                         .stop = &stop };

        host_run_to(r->h, &limit);
        if (!domain(r) || domain(r)->is_dying || !domain(r)->vcpu || !domain(r)->vcpu[0])
            continue;
        if (!domain(r)->log_dirty)
            shadow_op(r, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0);
        shadow_op(r, XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL);
        pages(r, !r->cleans, r->cleans % 16 == 15);
        r->cleans++;
    }
    r->said[r->len] = '\0';
    if (!strstr(r->said, last))
        fail_msg("it has not said \"%s\", but: %s", last, r->said + (r->len > 2000 ? r->len - 2000 : 0));
    print_message("%lu CLEANs, %lu pages copied, %lu compared\n", r->cleans, r->copied, r->compared);
    assert_true(r->cleans > 10 && r->compared && r->copied < r->cleans * r->nr / 2);
    host_destroy(r->h);
    guest_list_free(&r->list);
    options_free(&r->options);
    free(r->copy);
    free(r->bits);
    free(r);
}

#define FIVE_LAST "five: done, hash 0xc2a4d601ce2808c5"

static void five(bool hap, enum xl_shadow_policy policy)
{
    char *argv[] = { "--memory", "16", "--type", "pvh", "-q", "build/guests/five/five.native" };

    run(argv, 6, hap, policy, MICROSECS(100), FIVE_LAST);
}

static void nested(void **state) { five(true, 0); }
static void emulate(void **state) { five(false, XL_SHADOW_EMULATE); }
static void oos(void **state) { five(false, XL_SHADOW_OOS); }
static void drop(void **state) { five(false, XL_SHADOW_DROP); }

static void direct(void **state)
{
    char *argv[] = { "--memory", "16", "-q", "build/guests/five/five.pv" };

    run(argv, 4, true, 0, MICROSECS(100), FIVE_LAST);
}

/* Debian's kernel, until it finds that there is no disk. */
static void linux_boots(char *type, bool hap)
{
    char *argv[] = { "--memory",     "128",
                     "--vcpus",      "2",
                     "-q",           "--type",
                     type,           "--cmdline",
                     "console=hvc0", "build/assets/vmlinuz-cloud" };

    if (access(argv[9], R_OK))
        skip();
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    run(argv, 10, hap, XL_SHADOW_OOS, MILLISECS(2), "Unable to mount root fs");
}

static void linux_pv(void **state) { linux_boots("pv", true); }
static void linux_nested(void **state) { linux_boots("pvh", true); }
static void linux_shadow(void **state) { linux_boots("pvh", false); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested),       cmocka_unit_test(emulate),      cmocka_unit_test(oos),
        cmocka_unit_test(drop),         cmocka_unit_test(direct),       cmocka_unit_test(linux_pv),
        cmocka_unit_test(linux_nested), cmocka_unit_test(linux_shadow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
