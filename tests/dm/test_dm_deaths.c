// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deaths: a device model of each kind (a task in dom0, a stub domain, in the hypervisor) or its guest is crashed,
 * paused, shut down, or destroyed at any moment, with requests in flight, and another takes its place. Who lives goes
 * on, nobody waits for the dead, and all that they had is free again.
 *
 *      test_dm_deaths [RUNS [SEED]]    so many runs instead of a sample (make campaign-hvm)
 */
#include "rings/dm/direct.h"
#include "rings/dm/stubdom.h"
#include "tests/support/random.h"
#include "tests/vcpu/hvm.h"
#include "vcpu/domctl.h"

#include <xen/event_channel.h>

#define IOREQ_GFN   (HVM_PAGES - 8)
#define HVM_DEVICES (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)

static unsigned int runs = 150;
static uint64_t first_seed = 1, prng;

static struct fixture *f;
static const struct pc_config cfg = { .serials = 1, .platform = true, .drive[1].kind = IDE_CD };
static struct dm *dm;
static struct dm_direct *direct;
static struct stubdom *stub;
static domid_t stub_domid;

static uint64_t any(uint64_t n) { return random_of(&prng, n); }
static bool one_in(unsigned int n) { return !any(n); }

/* --- the guest: it reaches for one device after the other, for ever --- */

static void guest_fill(void)
{
    static const uint16_t port[] = { 0x60,  0x64,  0x170, 0x177, 0x1f7, 0x3d4, 0x3f8,
                                     0x3fd, 0xcf8, 0xcfc, 0xcf9, 0x10,  0xe9 };
    static const char *const access[] = {
        "\xec", "\xed", "\xee", "\xef", "\x6c", "\xf3\x6c", "\xf3\x6e", "\xf3\x66\x6d"
    };
    uint8_t page[PAGE_SIZE + 32];
    size_t n = 0;

    while (n < PAGE_SIZE - 64) {
        const uint32_t nr = 1 + (uint32_t)any(12), at = one_in(2) ? 0xa0000 + (uint32_t)any(0x20000) : 0x3000;
        const char *code = access[any(ARRAY_SIZE(access))];

        memcpy(page + n, (uint8_t[]){ 0xba, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xbf, 0, 0, 0, 0, 0xbe, 0, 0x30, 0, 0 }, 20);
        memcpy(page + n + 1, &port[any(ARRAY_SIZE(port))], 2);
        memcpy(page + n + 6, &nr, 4);
        memcpy(page + n + 11, &at, 4);
        n += 20;
        if (one_in(3))
            code = one_in(2) ? "\x89\x07" : "\x8b\x07";
        memcpy(page + n, code, strlen(code));
        n += strlen(code);
    }
    memcpy(page + n, (uint8_t[]){ 0xb8, 0, 0x10, 0, 0, 0xff, 0xe0 }, 7); /* jmp HVM_CODE */
    hvm_put(f, HVM_CODE, page, PAGE_SIZE);
}

static void guest_create(void)
{
    hvm_create_with(f, 1 + (unsigned int)any(3), HVM_DEVICES);
    xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_GFN);
    xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4);
    guest_fill();
    for (unsigned int i = 1; i < f->d->max_vcpus; i++) {
        struct hvm_hw_cpu cpu;

        hvm_cpu_save(f->v, &cpu);
        xc_domain_hvm_setcontext_cpu(f->xc, f->d->domain_id, i, &cpu);
    }
}

/* --- its device model --- */

static void stub_create(void)
{
    const struct xen_domctl_createdomain config = { .flags = XENLAB_DOMCTL_CDF_native,
                                                    .max_vcpus = 1,
                                                    .max_evtchn_port = 100,
                                                    .max_grant_frames = 1,
                                                    .max_maptrack_frames = 1,
                                                    .grant_opts = 1 };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_target, .u.set_target.target = f->d->domain_id };
    struct domain *d;
    int rc = 0;

    assert_int_equal(xc_domain_create(f->xc, &config, &stub_domid), 0);
    assert_int_equal(xc_domain_max_vcpus(f->xc, stub_domid, 1), 0);
    op.domain = stub_domid;
    hvm_domctl(f, &op);
    d = get_domain_by_id(f->xen, stub_domid);
    stub = stubdom_create(d, f->d->domain_id, &cfg, &rc);
    put_domain(d);
    xc_domain_unpause(f->xc, stub_domid);
}

static void model_create(void)
{
    int rc;

    switch (any(3)) {
    case 0: dm = dm_create(f->dom0, f->d->domain_id, &cfg, &rc); break;
    case 1: stub_create(); break;
    default: direct = dm_direct_create(f->d, &cfg, &rc); break;
    }
}

/* As the toolstack does it. */
static void model_destroy(void)
{
    dm_destroy(dm);
    dm_direct_destroy(direct);
    stubdom_stop(stub);
    if (stub_domid)
        assert_int_equal(xc_domain_destroy(f->xc, stub_domid), 0);
    stubdom_destroy(stub);
    dm = NULL, direct = NULL, stub = NULL, stub_domid = 0;
}

/* --- deaths --- */

static void deed(void)
{
    const domid_t domid = one_in(2) ? f->d->domain_id : stub_domid;

    switch (any(8)) {
    case 0: model_destroy(); break;
    case 1:
        model_destroy();
        model_create();
        break;
    case 2:
        if (domid)
            xc_domain_pause(f->xc, domid);
        break;
    case 3:
    case 4:
        if (domid)
            xc_domain_unpause(f->xc, domid);
        break;
    case 5:
        if (domid && one_in(4))
            xc_domain_shutdown(f->xc, domid, (int)any(5));
        break;
    case 6: xc_domain_resume(f->xc, f->d->domain_id); break;
    default: xc_domain_send_trigger(f->xc, f->d->domain_id, XEN_DOMCTL_SENDTRIGGER_POWER, 0); break;
    }
    for_each_vcpu (f->d, v)
        if (v->hvm->io.state == HVM_IO_SENT && !f->d->hvm->ioreq_server[v->hvm->io.server])
            fail_msg("vCPU %u waits for one who is gone", v->vcpu_id);
}

static uint64_t frames_free(void)
{
    struct xen_sysctl_physinfo info;

    assert_int_equal(xc_physinfo(f->xc, &info), 0);
    return info.free_pages;
}

static void count_block(void *data, const void *p, size_t size, const char *place) { *(size_t *)data += size; }

static void test_deaths(void **state)
{
    unsigned int waiting = 0;
    size_t before = 0;

    f = *state;
    assert_int_equal(native_timers_start(f->dom0), 0);
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++) {
        const uint64_t left = frames_free();
        size_t bytes = 0;
        bool guest_first;
        char why[200];

        prng = seed * 7919;
        guest_create();
        model_create();
        for (unsigned int i = 0; i < 30; i++) {
            hvm_go(f, (s_time_t)any(MICROSECS(30)));
            for_each_vcpu (f->d, v)
                waiting += v->hvm->io.state == HVM_IO_SENT;
            deed();
        }
        if (mmu_audit(f->xen, why, sizeof(why)))
            fail_msg("seed %lu: %s", (unsigned long)seed, why);
        guest_first = !direct && one_in(2); /* one within the hypervisor goes in front of its domain */
        if (guest_first)
            hvm_destroy(f);
        model_destroy();
        if (!guest_first)
            hvm_destroy(f);
        arena_blocks(f->m->arena, count_block, &bytes);
        if (frames_free() != left)
            fail_msg("seed %lu: %ld frames are lost", (unsigned long)seed, (long)(left - frames_free()));
        if (seed > first_seed + 20 && bytes > before)
            fail_msg("seed %lu: %zu bytes are lost", (unsigned long)seed, bytes - before);
        before = bytes > before ? bytes : before;
        f->log[0] = 0;
    }
    print_message("%u guests; at %u moments somebody waited\n", runs, waiting);
    assert_true(runs < 150 || waiting);
}

static int setup(void **state)
{
    struct fixture *m = fix_machine(1);

    fix_hypervisor(m);
    *state = m;
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_deaths, setup, fix_teardown) };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
