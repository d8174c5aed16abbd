// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No memory: an HVM domain and its device model are made, run, looked at and destroyed, and the first allocation fails;
 * then the same with the second, and so on, each alone and with all that follow it. Somebody is told -ENOMEM then, or
 * the domain crashes. All else goes on: references are accounted for, and when the domain is gone so is all it had.
 *
 * All ways to memory are wrapped by the linker (Makefile): blocks of the arena, frames of the machine, and the engine's
 * contexts.
 */
#include "rings/dm/dm.h"
#include "tests/vcpu/hvm.h"

#include "mmu/heap.h"

#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

#define IOREQ_GFN (HVM_PAGES - 8)
#define FAR_GFN   UINT64_C(0x12345000) /* which needs tables of its own */
#define NR_VCPUS  2
#define PTR(p)    ((uint64_t)(uintptr_t)(p))

/* --------------------------------------------------------------------------------------------------- allocations -- */

static unsigned int nr, failing; /* so many there were; this one fails; 0: none */
static bool and_more;

static bool fails(void) { return ++nr == failing || (failing && and_more && nr > failing); }

void *__real_arena_alloc(struct arena *a, size_t n, size_t size, const char *place);
void *__wrap_arena_alloc(struct arena *a, size_t n, size_t size, const char *place);
void *__wrap_arena_alloc(struct arena *a, size_t n, size_t size, const char *place)
{
    return fails() ? NULL : __real_arena_alloc(a, n, size, place);
}

void *__real_arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place);
void *__wrap_arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place);
void *__wrap_arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place)
{
    return fails() ? NULL : __real_arena_realloc(a, p, n, size, place);
}

struct page_info *__real_alloc_heap_pages(struct xen *xen, unsigned int order);
struct page_info *__wrap_alloc_heap_pages(struct xen *xen, unsigned int order);
struct page_info *__wrap_alloc_heap_pages(struct xen *xen, unsigned int order)
{
    return fails() ? NULL : __real_alloc_heap_pages(xen, order);
}

struct cpu_context *__real_cpu_context_create(struct machine *m, enum cpu_mode mode, const struct vcpu_controls *c);
struct cpu_context *__wrap_cpu_context_create(struct machine *m, enum cpu_mode mode, const struct vcpu_controls *c);
struct cpu_context *__wrap_cpu_context_create(struct machine *m, enum cpu_mode mode, const struct vcpu_controls *c)
{
    return fails() ? NULL : __real_cpu_context_create(m, mode, c);
}

/* -------------------------------------------------------------------------------------------------------- a life -- */

static struct fixture *f;
static domid_t domid;
static uint8_t buffer[16384];

static struct domain *domain(void)
{
    struct domain *d = get_domain_by_id(f->xen, domid);

    if (d)
        put_domain(d);
    return d;
}

static long memory_op(unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, PTR(arg), 0, 0, 0);
}

static long dm_op(struct xen_dm_op *op, void *second, size_t second_size)
{
    struct xen_dm_op_buf buf[2] = { { .size = sizeof(*op) }, { .size = second_size } };

    set_xen_guest_handle(buf[0].h, op);
    set_xen_guest_handle(buf[1].h, second);
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_dm_op, domid, second ? 2 : 1, PTR(buf), 0, 0);
}

/* A server that is there before the vCPUs are, and told of events by those who came; it is asked for all it does. */
static void early(void)
{
    struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server }, more = op;
    const long rc = dm_op(&op, NULL, 0), again = dm_op(&more, NULL, 0);

    xc_domain_max_vcpus(f->xc, domid, NR_VCPUS);
    for (evtchn_port_t port = 1; port < 10; port++) {
        struct evtchn_bind_interdomain b = { .remote_dom = domid, .remote_port = port };
        struct evtchn_send send;
        struct evtchn_close close;

        if (hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, PTR(&b), 0,
                             0, 0))
            continue;
        send.port = close.port = b.local_port;
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_event_channel_op, EVTCHNOP_send, PTR(&send), 0, 0, 0);
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_event_channel_op, EVTCHNOP_close, PTR(&close), 0, 0, 0);
    }
    op = more = (struct xen_dm_op){ .op = XEN_DMOP_destroy_ioreq_server };
    more.u.destroy_ioreq_server.id = 1;
    assert_true(rc || !dm_op(&op, NULL, 0));
    assert_true(rc || again || !dm_op(&more, NULL, 0));
}

static uint32_t paging = XEN_DOMCTL_CDF_hap; /* 0: shadow page tables */

static void begin(void)
{
    struct xen_domctl_createdomain config = { .flags = XEN_DOMCTL_CDF_hvm | paging,
                                              .max_vcpus = NR_VCPUS,
                                              .max_evtchn_port = 100,
                                              .grant_opts = 2,
                                              .max_grant_frames = 4,
                                              .max_maptrack_frames = 4 };

    domid = 0;
    config.arch.emulation_flags = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
    if (xc_domain_create(f->xc, &config, &domid)) {
        domid = 0;
        return;
    }
    early();
    xc_domain_setmaxmem(f->xc, domid, 8 * HVM_PAGES);
    if (!paging)
        xc_shadow_set_allocation(f->xc, domid, 1);
}

static void populate(void)
{
    static uint64_t gfn[HVM_PAGES];
    struct xen_memory_reservation r = { .nr_extents = HVM_PAGES, .domid = domid };
    struct xen_memory_reservation away = { .nr_extents = 1, .domid = domid };

    for (unsigned int i = 0; i < HVM_PAGES; i++)
        gfn[i] = i;
    set_xen_guest_handle(r.extent_start, gfn);
    memory_op(XENMEM_populate_physmap, &r);
    gfn[0] = FAR_GFN;
    set_xen_guest_handle(away.extent_start, gfn);
    memory_op(XENMEM_populate_physmap, &away);
}

/* What runs: each vCPU writes to its local APIC, the first asks its device model, and looks at far memory. */
static void code(void)
{
    static const char text[] = "\xc7\x05\xf0\x00\xe0\xfe\xff\x01\x00\x00" /* movl $0x1ff, 0xfee000f0 */
                               "\x66\xba\xf8\x03\xb0\x41\xee\xec"         /* out to 0x3f8, in */
                               "\xa1\x00\x00\x0b\x00\xa3\x00\x00\x0b\x00" /* graphics memory */
                               "\xfa\xf4";
    uint8_t *page = xc_map_foreign(f->xc, domid, _mfn(1));
    uint32_t size = sizeof(buffer);
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = domid };

    if (page) {
        memcpy(page, text, sizeof(text) - 1);
        xc_unmap(f->xc, page);
    }
    f->d = domain();
    op.u.hvmcontext.size = size;
    set_xen_guest_handle(op.u.hvmcontext.buffer, buffer);
    hvm_domctl(f, &op);
    for (unsigned int i = 0; i < NR_VCPUS; i++) {
        struct hvm_hw_cpu cpu = { .rip = HVM_CODE,
                                  .rsp = HVM_STACK,
                                  .rflags = 2,
                                  .cr0 = 1,
                                  .tr_limit = 0x67,
                                  .tr_arbytes = 0x8b,
                                  .cs_arbytes = 0xc9b };

        cpu.cs_limit = cpu.ds_limit = cpu.es_limit = cpu.ss_limit = ~0u;
        cpu.ds_arbytes = cpu.es_arbytes = cpu.ss_arbytes = 0xc93;
        xc_domain_hvm_setcontext_cpu(f->xc, domid, i, &cpu);
    }
    hvm_domctl(f, &op);
}

static void frames(void)
{
    static xen_pfn_t pfn[4] = { 0, 1, FAR_GFN + 0x1000, FAR_GFN + 0x800000 };
    struct xen_dm_op create = { .op = XEN_DMOP_create_ioreq_server };
    struct xen_dm_op type = { .op = XEN_DMOP_set_mem_type, .u.set_mem_type = { 1, HVMMEM_mmio_dm, 0, 9 } };
    struct xen_dm_op vram = { .op = XEN_DMOP_track_dirty_vram, .u.track_dirty_vram = { 8, 0, 4 } };
    struct xen_mem_acquire_resource r = { .domid = domid,
                                          .type = XENMEM_resource_ioreq_server,
                                          .nr_frames = 1,
                                          .frame = XENMEM_resource_ioreq_server_frame_ioreq(0) };
    struct xen_add_to_physmap add = { .domid = domid, .space = XENMAPSPACE_grant_table, .gpfn = FAR_GFN + 0x40000000 };

    create.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_LEGACY;
    if (!dm_op(&create, NULL, 0)) {
        r.id = create.u.create_ioreq_server.id;
        set_xen_guest_handle(r.frame_list, pfn);
        memory_op(XENMEM_acquire_resource, &r);
        create = (struct xen_dm_op){ .op = XEN_DMOP_destroy_ioreq_server };
        create.u.destroy_ioreq_server.id = (ioservid_t)r.id;
        assert_int_equal(dm_op(&create, NULL, 0), 0); /* what is there can be given back */
    }
    dm_op(&type, NULL, 0);
    dm_op(&vram, buffer, sizeof(buffer));
    memory_op(XENMEM_add_to_physmap, &add);
    add.space = XENMAPSPACE_shared_info, add.gpfn += 0x200;
    memory_op(XENMEM_add_to_physmap, &add);
}

/* All of it; what cannot be made is gone without. */
static void live(struct dm **dm)
{
    const struct pc_config cfg = { 0 };
    bool stop = false;
    int rc = 0;

    *dm = NULL;
    begin();
    if (!domid)
        return;
    populate();
    code();
    xc_hvm_param_set(f->xc, domid, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_GFN);
    xc_hvm_param_set(f->xc, domid, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4);
    frames();
    *dm = dm_create(f->dom0, domid, &cfg, &rc);
    if (!*dm && rc != -ENOMEM && rc != -EINVAL && rc != -EFAULT)
        fail_msg("the device model says %d", rc);
    xc_domain_unpause(f->xc, domid);
    xen_run(f->xen, f->m->clock.now + MILLISECS(1), &stop);
    for (unsigned int i = 0; i < NR_VCPUS; i++)
        xc_domain_send_trigger(f->xc, domid, XEN_DOMCTL_SENDTRIGGER_INIT, i);
}

/* ----------------------------------------------------------------------------------------------------- the tests -- */

static void count_block(void *data, const void *p, size_t size, const char *place) { *(size_t *)data += size; }

static size_t arena_used(void)
{
    size_t bytes = 0;

    arena_blocks(f->m->arena, count_block, &bytes);
    return bytes;
}

static uint64_t frames_free(void)
{
    struct xen_sysctl_physinfo info;

    assert_int_equal(xc_physinfo(f->xc, &info), 0);
    return info.free_pages;
}

/* A PV domain's beginning; what it is then is not run. */
static void begin_pv(unsigned int bits)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = NR_VCPUS, .max_evtchn_port = 100, .grant_opts = 2, .max_grant_frames = 4, .max_maptrack_frames = 4
    };

    domid = 0;
    if (xc_domain_create(f->xc, &config, &domid)) {
        domid = 0;
        return;
    }
    if (and_more)
        xc_domain_max_vcpus(f->xc, domid, NR_VCPUS);
    if (bits == 32)
        xc_domain_set_address_size(f->xc, domid, 32);
    xc_domain_max_vcpus(f->xc, domid, NR_VCPUS);
    xc_domain_unpause(f->xc, domid);
}

/* One life, with an allocation that fails. True: it was not so long that there is one. */
static bool once(unsigned int which, bool more, unsigned int pv)
{
    static size_t bytes[2];
    static uint32_t of;
    uint64_t left;
    struct dm *dm = NULL;
    char why[200];

    left = frames_free();
    failing = which, and_more = more, nr = 0;
    if (pv)
        begin_pv(pv);
    else
        live(&dm);
    failing = 0;
    assert_true(pv || which != UINT32_MAX || domain()->shutdown_code == SHUTDOWN_poweroff); /* it came to its end */
    if (domid && !domain()->is_dying && mmu_audit(f->xen, why, sizeof(why)))
        fail_msg("allocation %u: %s", which, why);
    dm_destroy(dm);
    if (domid)
        assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
    if (which != UINT32_MAX && frames_free() != left)
        fail_msg("allocation %u: %ld frames are lost", which, (long)(left - frames_free()));
    bytes[1] = arena_used();
    if (bytes[0] && of == paging && bytes[1] > bytes[0])
        fail_msg("allocation %u: %zu bytes are lost", which, bytes[1] - bytes[0]);
    bytes[0] = bytes[1];
    of = paging;
    f->log[0] = 0;
    return nr < which;
}

static void test_exhausted(void **state)
{
    unsigned int which = 1;

    f = *state;
    assert_int_equal(native_timers_start(f->dom0), 0);
    for (unsigned int i = 0; i < 2; i++, paging = 0) {
        once(UINT32_MAX, false, 0); /* what the first one makes for all stays */
        once(UINT32_MAX, false, 0);
        for (which = 1; !once(which, false, 0) && !once(which, true, 0);)
            which++;
        print_message("%u allocations, each failed once\n", which - 1);
        assert_true(which > 90);
    }
    for (unsigned int bits = 32; bits <= 64; bits += 32) {
        once(UINT32_MAX, false, bits);
        once(UINT32_MAX, true, bits);
        for (which = 1; !once(which, false, bits) && !once(which, true, bits);)
            which++;
        print_message("%u of a PV domain of %u bits\n", which - 1, bits);
    }
}

static int setup(void **state)
{
    struct fixture *m = fix_machine(1);

    fix_hypervisor(m);
    *state = m;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_exhausted, setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
