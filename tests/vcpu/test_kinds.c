// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What belongs to another kind of domain is neither read nor written: the unions of struct vcpu and struct domain.
 *
 * Concept: PV's arm is the longer one by far, so nearly all of it lies behind the native arm. A native domain and dom0
 * have that rest filled with a pattern, and make random hypercalls, about themselves and about each other. A write to
 * PV's arm changes the pattern, or the native arm, whose words are known. Who reads it finds the pattern: so the same
 * calls are made with another pattern, and must have the same answers.
 *
 * When could it pass wrongly? If everything were refused: so some calls must have succeeded. Stores of what is there
 * already are not seen, so the pattern is neither 0 nor -1.
 */
#include "tests/vcpu/fixture.h"

#include "mmu/memory/foreign.h"
#include "vcpu/runstate.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"

#include <xen/domctl.h>

#define CALLS  30000
#define BUFFER UINT64_C(0x7f1234567000) /* where the callers' memory is: nothing else can be read */

struct kinds {
    struct fixture *f;
    struct native_kernel *driver;
    struct domain *d[2]; /* dom0, and one without privilege */
    struct vcpu *v[2];
    struct native_vcpu arm[2];
    uint8_t pattern, memory[4 * PAGE_SIZE];
    uint64_t seed, answers;
    unsigned int succeeded;
    bool absent; /* their memory: it cannot be written */
};

static uint64_t rnd(struct kinds *k)
{
    k->seed ^= k->seed << 13, k->seed ^= k->seed >> 7, k->seed ^= k->seed << 17;
    return k->seed;
}

static uint8_t *memory_at(const struct vcpu *v, uint64_t addr, size_t n)
{
    struct kinds *k = v->caller_data;

    return !k->absent && addr >= BUFFER && addr - BUFFER <= sizeof(k->memory) &&
                   n <= sizeof(k->memory) - (addr - BUFFER)
               ? k->memory + (addr - BUFFER)
               : NULL;
}

static int memory_copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    const uint8_t *from = memory_at(v, src, n);

    if (from)
        memcpy(dst, from, n);
    return from ? 0 : -EFAULT;
}

static int memory_copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    uint8_t *to = memory_at(v, dst, n);

    if (to)
        memcpy(to, src, n);
    return to ? 0 : -EFAULT;
}

static bool memory_okay(const struct vcpu *v, uint64_t addr, size_t n) { return memory_at(v, addr, n); }

static const struct caller_mem_ops memory = {
    .name = "four pages", .copy_from = memory_copy_from, .copy_to = memory_copy_to, .okay = memory_okay
};

/* --- what lies behind the native arms --- */

#define VCPU_REST(v)   ((uint8_t *)&(v)->pv + sizeof((v)->native))
#define DOMAIN_REST(d) ((uint8_t *)&(d)->pv + sizeof((d)->native))
#define VCPU_REST_SIZE (sizeof(struct pv_vcpu) - sizeof(struct native_vcpu))
/* The last bytes may be padding that the next field shares. */
#define DOMAIN_REST_SIZE                                                                                               \
    (offsetof(struct pv_domain, cmos_idx) + sizeof(((struct pv_domain *)0)->cmos_idx) - sizeof(struct native_domain))

static bool is_pattern(const uint8_t *p, size_t n, uint8_t pattern)
{
    while (n && *p == pattern)
        n--, p++;
    return n == 0;
}

static void arms_fill(struct kinds *k, uint8_t pattern)
{
    k->pattern = pattern;
    for (unsigned int i = 0; i < ARRAY_SIZE(k->d); i++) {
        memset(VCPU_REST(k->v[i]), pattern, VCPU_REST_SIZE);
        memset(DOMAIN_REST(k->d[i]), pattern, DOMAIN_REST_SIZE);
        k->arm[i] = k->v[i]->native;
    }
}

static void arms_check(const struct kinds *k, unsigned int nr, uint64_t cmd)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(k->d); i++) {
        const struct native_physmap *p = &k->d[i]->native.physmap;

        if (memcmp(&k->v[i]->native, &k->arm[i], sizeof(k->arm[i])) ||
            !is_pattern(VCPU_REST(k->v[i]), VCPU_REST_SIZE, k->pattern))
            fail_msg("%s(%lu) wrote to PV's arm of a native vCPU", hypercall_name(nr), cmd);
        if (p->nr > p->room || !p->map != !p->room || !is_pattern(DOMAIN_REST(k->d[i]), DOMAIN_REST_SIZE, k->pattern))
            fail_msg("%s(%lu) wrote to PV's arm of a native domain", hypercall_name(nr), cmd);
    }
}

/* --- calls --- */

static uint64_t interesting(struct kinds *k)
{
    const uint64_t values[] = { 0,          1,          2,           3,        4,          7,    64,
                                4096,       DOMID_SELF, INT64_MAX,   0x100000, UINT64_MAX, 0x10, k->f->d->domain_id,
                                BUFFER + 8, BUFFER,     BUFFER + 256 };

    return rnd(k) % 4 ? values[rnd(k) % ARRAY_SIZE(values)] : rnd(k) >> rnd(k) % 64;
}

static void memory_fill(struct kinds *k)
{
    uint64_t words[64];

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
        words[i] = rnd(k) % 2 ? interesting(k) : (uint32_t)interesting(k) | interesting(k) << 32;
    memcpy(k->memory, words, sizeof(words));
}

/* About the driver domain, as the toolstack would; it is not to be destroyed, and there is no room for more of them. */
static bool domctl_fill(struct kinds *k)
{
    struct xen_domctl op;

    memcpy(&op, k->memory, sizeof(op));
    op.cmd = rnd(k) % 90;
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = k->d[1]->domain_id;
    memcpy(k->memory, &op, sizeof(op));
    return op.cmd != XEN_DOMCTL_destroydomain && op.cmd != XEN_DOMCTL_createdomain;
}

/* Go on, whatever it did to itself. */
static void revive(struct kinds *k, unsigned int i)
{
    k->d[i]->is_shutting_down = k->d[i]->is_shut_down = false;
    k->d[i]->shutdown_code = -1;
    k->v[i]->pause_flags &= ~VPF_down;
    vcpu_unblock(k->v[i]);
}

/* What is written down for a vCPU as time passes, where it asked for it: there may be nothing any more. */
static void areas_update(struct kinds *k, struct vcpu *v)
{
    v->runstate_guest = v->time_info_guest = BUFFER + PAGE_SIZE;
    k->absent = rnd(k) % 2;
    update_vcpu_system_time(v, v);
    update_runstate_area(v);
    k->absent = false;
    v->runstate_guest = v->time_info_guest = 0;
}

/* Not sysctl: it takes processors away. Of the guest nothing is wanted here. */
static void one_call(struct kinds *k)
{
    const unsigned int i = rnd(k) % 4 == 0 ? 0 : 1, nr = rnd(k) % 64;
    uint64_t cmd = rnd(k) % 8 ? rnd(k) % 32 : interesting(k), a2, a3, a4;
    long rc;

    memory_fill(k);
    a2 = nr == __HYPERVISOR_vcpu_op ? rnd(k) % 2 : rnd(k) % 8 ? BUFFER : interesting(k);
    a3 = rnd(k) % 2 ? BUFFER : interesting(k);
    a4 = rnd(k) % 2 ? k->f->d->domain_id : interesting(k);
    if (nr == __HYPERVISOR_mmuext_op || nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_domctl ||
        nr == __HYPERVISOR_set_trap_table || nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_physdev_op_compat)
        cmd = BUFFER;
    if (nr == __HYPERVISOR_mmuext_op || nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_multicall)
        a2 = 1 + rnd(k) % 3;
    if (nr == __HYPERVISOR_sysctl || (nr == __HYPERVISOR_domctl && !domctl_fill(k)))
        return;
    rc = hypercall_native(k->v[i], nr, cmd, a2, a3, a4, 0);
    k->succeeded += rc >= 0;
    k->answers = k->answers * 31 + (uint64_t)rc;
    areas_update(k, k->v[i]);
    revive(k, 0);
    revive(k, 1);
    arms_check(k, nr, cmd);
}

/* The answers, as one number. */
static uint64_t run(uint8_t pattern, uint64_t seed)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 100, .max_grant_frames = 8, .max_maptrack_frames = 8, .grant_opts = 2
    };
    struct kinds k = { .seed = seed };
    void *state;

    fix_setup(&state);
    k.f = state;
    k.d[0] = k.f->xen->dom0;
    assert_int_equal(domain_create(k.f->xen, 7, &native_guest, &config, false, &k.d[1]), 0);
    assert_int_equal(vcpu_create(k.d[1], 0, NULL), 0);
    k.d[1]->vcpu[0]->is_initialised = true;
    k.driver = native_kernel_create(k.d[1], NULL, 0);
    assert_non_null(k.driver);
    k.d[1]->controller_pause_count = 0;
    for (unsigned int i = 0; i < ARRAY_SIZE(k.d); i++)
        k.v[i] = k.d[i]->vcpu[0], k.v[i]->caller_mem = &memory, k.v[i]->caller_data = &k;
    arms_fill(&k, pattern);
    for (unsigned int i = 0; i < CALLS; i++)
        one_call(&k);
    assert_in_range(k.succeeded, CALLS / 40, CALLS);
    revive(&k, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(k.d); i++)
        k.v[i]->caller_mem = &native_caller_mem;
    assert_int_equal(xc_domain_destroy(k.f->xc, k.d[1]->domain_id), 0);
    native_kernel_destroy(k.driver);
    fix_teardown(&state);
    return k.answers;
}

static void native_leaves_pv_alone(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        assert_int_equal(run(0xa5, seed), run(0x4b, seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(native_leaves_pv_alone) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
