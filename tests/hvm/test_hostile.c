// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile device models and hostile guests: whatever a device model writes into its pages, whatever it and the
 * toolstack ask for while a guest waits for it, and whatever the guest asks for itself, somebody is told an error, or a
 * domain crashes; never the program.
 *
 * The guest is code that reaches for devices by every instruction that can, and makes hypercalls. Between slices of its
 * time something is done to it: by the domain that is its device model (dom0, or a stub domain), or by the toolstack.
 * What must hold after each run: all references are accounted for, nobody waits for a server that is gone, and no frame
 * is shared when all is over.
 *
 *      test_hostile [RUNS [SEED]]    so many runs instead of a sample (make campaign-hvm)
 *
 * Budget: over 400 lines, which are a list of deeds.
 */
#include "tests/support/random.h"
#include "tests/vcpu/hvm.h"
#include "vcpu/domctl.h"

#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

#define IOREQ_GFN   (HVM_PAGES - 8)
#define NR_IOREQ    4
#define DEEDS       60
#define STUB_PAGES  64u
#define HVM_DEVICES (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)
#define PTR(p)      ((uint64_t)(uintptr_t)(p))

static unsigned int runs = 300;
static uint64_t first_seed = 1, prng;

static struct fixture *f;
static struct native_kernel *stub; /* NULL: there is none now */
static evtchn_port_t bound[16];    /* the device model's ports */
static uint8_t buffer[16384];
static unsigned int answers; /* that the guest has had of one who plays by the rules */

static uint64_t any(uint64_t n) { return random_of(&prng, n); }
static bool one_in(unsigned int n) { return !any(n); }
static uint64_t wild(void) { return any(UINT64_C(1) << 32) << 32 | any(UINT64_C(1) << 32); }

/* A number that is likely to mean something as an address or a length, or lies just beside one. */
static uint64_t number(void)
{
    static const uint64_t likely[] = { 0,          1,          7,          8,        0x20,       0x60,      0xcf8,
                                       0xcfc,      0x500,      0x1000,     0xa0000,  0xbfff8,    0xffff,    0x10000,
                                       0xfec00000, 0xfed00000, 0xfee00000, 1u << 20, UINT32_MAX, UINT64_MAX };

    switch (any(4)) {
    case 0: return any(HVM_PAGES + 4);
    case 1: return any(HVM_PAGES * PAGE_SIZE + 64);
    case 2: return wild() >> any(64);
    default: return likely[any(ARRAY_SIZE(likely))] + any(3) - 1;
    }
}

/* -------------------------------------------------------------------------------------------------- the guest -- */

static size_t load(uint8_t *to, unsigned int reg, uint32_t val)
{
    to[0] = (uint8_t)(0xb8 + reg);
    memcpy(to + 1, &val, 4);
    return 5;
}

/* Instructions for a flat 32-bit segment that reach for a port, a device's memory, or the hypervisor. */
static size_t reach(uint8_t *to)
{
    static const char *const ports[] = {
        "\xec", "\xed", "\x66\xed", "\xee",     "\xef",     "\x66\xef", "\x6c",
        "\x6d", "\x6e", "\x6f",     "\xf3\x6c", "\xf3\x6d", "\xf3\x6e", "\xf3\x66\x6f"
    };
    static const char *const memory[] = { "\x8b\x07",     "\x89\x07",     "\x88\x07",
                                          "\x8a\x07",     "\xa5",         "\xf3\xa5",
                                          "\xf3\xa4",     "\xab",         "\xf3\xaa",
                                          "\xad",         "\xa7",         "\xaf",
                                          "\xf3\xaf",     "\x01\x07",     "\x0f\xb1\x0f",
                                          "\x0f\xc7\x0f", "\x87\x07",     "\xff\x37",
                                          "\x8f\x07",     "\xff\x17",     "\xf0\x0f\xba\x2f\x03",
                                          "\x0f\xae\x07", "\x0f\xae\x0f", "\xdd\x37",
                                          "\xdd\x27",     "\x0f\x01\x07", "\x0f\x01\x17",
                                          "\xd9\x07",     "\xdf\x3f",     "\x0f\x6f\x07",
                                          "\x0f\x7f\x07", "\x0f\x28\x07", "\x0f\x29\x07",
                                          "\x0f\x00\x1f", "\xf6\x37",     "\xc4\x07",
                                          "\x62\x07",     "\x0f\x11\x07" };
    static const uint8_t calls[] = {
        __HYPERVISOR_memory_op,      __HYPERVISOR_hvm_op,     __HYPERVISOR_event_channel_op,
        __HYPERVISOR_grant_table_op, __HYPERVISOR_vcpu_op,    __HYPERVISOR_dm_op,
        __HYPERVISOR_xen_version,    __HYPERVISOR_physdev_op, __HYPERVISOR_domctl
    };
    static const uint16_t port[] = { 0x20,  0x40,  0x70,   0x71,  0x92,  0x1f0, 0x3f8,
                                     0x500, 0x505, 0xb000, 0xcf8, 0xcfc, 0xe9 };
    static const uint32_t place[] = { 0xa0000,
                                      0xb8000,
                                      0xbfffc,
                                      0xfec00000,
                                      0xfed00000,
                                      0xfee00020,
                                      0xfee00300,
                                      IOREQ_GFN << PAGE_SHIFT,
                                      HVM_PAGES << PAGE_SHIFT,
                                      (HVM_PAGES << PAGE_SHIFT) - 4 };
    const char *code;
    size_t n = 0;

    switch (any(8)) {
    case 0:
    case 1:
    case 2:
        n += load(to + n, 2, one_in(8) ? (uint32_t)any(65536) : port[any(ARRAY_SIZE(port))]);
        n += load(to + n, one_in(2) ? 6 : 7, (uint32_t)(one_in(4) ? number() : 0x6000 + any(PAGE_SIZE)));
        n += load(to + n, 1, (uint32_t)any(40));
        if (one_in(8))
            to[n++] = 0xfd;
        code = ports[any(ARRAY_SIZE(ports))];
        break;
    case 3:
    case 4:
    case 5:
        n +=
            load(to + n, one_in(2) ? 6 : 7, (uint32_t)(one_in(2) ? place[any(ARRAY_SIZE(place))] + any(16) : number()));
        n += load(to + n, 1, (uint32_t)any(20));
        if (one_in(8))
            to[n++] = 0xf0;
        code = memory[any(ARRAY_SIZE(memory))];
        break;
    case 6:
        n += load(to + n, 0, calls[any(ARRAY_SIZE(calls))]);
        n += load(to + n, 3, (uint32_t)any(28)); /* EBX, ECX, EDX, ESI */
        n += load(to + n, 1, (uint32_t)(0x5000 + any(0x2000)));
        n += load(to + n, 2, (uint32_t)number());
        code = "\x0f\x01\xd9";
        break;
    default: code = one_in(2) ? "\xfb" : one_in(4) ? "\xf4" : "\xfa"; break;
    }
    memcpy(to + n, code, strlen(code));
    return n + strlen(code);
}

/* An IDT at 0 whose handlers go on behind the instruction, more or less; pages of words for the calls. */
static void guest_fill(void)
{
    static const uint8_t handler[] = { 0x83, 0x04, 0x24, 0x02, 0xcf }; /* addl $2, (%esp); iret */
    uint64_t words[PTES_PER_TABLE];
    uint8_t page[PAGE_SIZE + 64];

    for (uint64_t gpa = HVM_CODE; gpa < 0x5000; gpa += PAGE_SIZE) {
        for (size_t n = 0; n < PAGE_SIZE;)
            n += reach(page + n);
        if (gpa == 0x4000)
            memcpy(page + PAGE_SIZE - 5, "\xe9\xfb\xbf\xff\xff", 5); /* from the beginning */
        hvm_put(f, gpa, page, PAGE_SIZE);
    }
    for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
        words[i] = i < 256 ? UINT64_C(0x00008e0000080000) | 0x800 : 0;
    memcpy((uint8_t *)words + 0x800, handler, sizeof(handler));
    hvm_put(f, 0, words, sizeof(words));
    memcpy(words, (uint64_t[]){ 0, UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00cf93000000ffff) }, 24);
    hvm_put(f, 0x5000, words, 24);
    for (uint64_t gpa = 0x6000; gpa < 0x8000; gpa += PAGE_SIZE) {
        for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
            words[i] = one_in(3) ? DOMID_SELF | any(40) << 32 : number() | (one_in(2) ? any(64) << 32 : 0);
        hvm_put(f, gpa, words, sizeof(words));
    }
}

static void guest_begin(void)
{
    for_each_vcpu (f->d, v) {
        v->regs->idtr = (struct cpu_table){ 0, 0x7ff };
        v->regs->gdtr = (struct cpu_table){ 0x5000, 0x17 };
        v->regs->seg[CPU_SEG_CS].sel = 8;
        v->regs->dirty = CPU_DIRTY_ALL;
    }
}

/* -------------------------------------------------------------------------------------------- the device model -- */

static struct vcpu *emulator(void) { return native_vcpu(stub ? stub : f->dom0); }

static long dm_op(struct xen_dm_op *op, void *second, size_t second_size)
{
    struct xen_dm_op_buf buf[2] = { { .size = sizeof(*op) }, { .size = second_size } };

    set_xen_guest_handle(buf[0].h, op);
    set_xen_guest_handle(buf[1].h, second);
    return hypercall_native(emulator(), __HYPERVISOR_dm_op, f->d->domain_id, second ? 2 : 1, PTR(buf), 0, 0);
}

static struct ioreq_server *some_server(void)
{
    return f->d->hvm->ioreq_server[any(one_in(4) ? MAX_NR_IOREQ_SERVERS : 2)];
}

static void server_create(void)
{
    struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };

    op.u.create_ioreq_server.handle_bufioreq = (uint8_t)any(3);
    if (dm_op(&op, NULL, 0))
        return;
    const ioservid_t id = op.u.create_ioreq_server.id;

    for (unsigned int i = 0; i < 4; i++) {
        static const struct xen_dm_op_ioreq_server_range ranges[] = {
            { .type = XEN_DMOP_IO_RANGE_PORT, .start = 0, .end = 0xffff },
            { .type = XEN_DMOP_IO_RANGE_PORT, .start = 0x500, .end = 0x507 },
            { .type = XEN_DMOP_IO_RANGE_MEMORY, .start = 0xa0000, .end = 0xfffff },
            { .type = XEN_DMOP_IO_RANGE_MEMORY, .start = 0, .end = UINT64_MAX },
            { .type = XEN_DMOP_IO_RANGE_PCI, .start = 0, .end = 0xffff },
        };

        op = (struct xen_dm_op){ .op = XEN_DMOP_map_io_range_to_ioreq_server };
        op.u.map_io_range_to_ioreq_server = ranges[any(ARRAY_SIZE(ranges))];
        op.u.map_io_range_to_ioreq_server.id = id;
        dm_op(&op, NULL, 0);
    }
    op = (struct xen_dm_op){ .op = XEN_DMOP_set_ioreq_server_state, .u.set_ioreq_server_state = { id, 1, 0 } };
    dm_op(&op, NULL, 0);
}

/* Any call, with arguments that are half right. */
static void server_op(void)
{
    struct xen_dm_op op = { .op = (uint32_t)any(21) };
    uint64_t *words = (uint64_t *)(void *)&op.u;

    for (size_t i = 0; i < sizeof(op.u) / 8; i++)
        words[i] = one_in(2) ? 0 : number();
    switch (op.op) {
    case XEN_DMOP_get_ioreq_server_info:
        op.u.get_ioreq_server_info =
            (struct xen_dm_op_get_ioreq_server_info){ .id = (ioservid_t)any(4), .flags = (uint16_t)any(2) };
        break;
    case XEN_DMOP_map_io_range_to_ioreq_server:
    case XEN_DMOP_unmap_io_range_from_ioreq_server:
        op.u.map_io_range_to_ioreq_server.id = (ioservid_t)any(4);
        op.u.map_io_range_to_ioreq_server.pad = 0;
        op.u.map_io_range_to_ioreq_server.type = (uint32_t)any(3);
        op.u.map_io_range_to_ioreq_server.start = number();
        op.u.map_io_range_to_ioreq_server.end =
            one_in(2) ? UINT64_MAX : op.u.map_io_range_to_ioreq_server.start + any(16);
        break;
    case XEN_DMOP_set_ioreq_server_state:
        op.u.set_ioreq_server_state =
            (struct xen_dm_op_set_ioreq_server_state){ (ioservid_t)any(4), (uint8_t)any(3), 0 };
        break;
    case XEN_DMOP_destroy_ioreq_server:
        op.u.destroy_ioreq_server = (struct xen_dm_op_destroy_ioreq_server){ (ioservid_t)any(4), 0 };
        break;
    case XEN_DMOP_track_dirty_vram:
        op.u.track_dirty_vram = (struct xen_dm_op_track_dirty_vram){ (uint32_t)any(sizeof(buffer) * 8), 0, number() };
        break;
    case XEN_DMOP_modified_memory:
        op.u.modified_memory = (struct xen_dm_op_modified_memory){ (uint32_t)any(100), (uint32_t)any(10) };
        break;
    case XEN_DMOP_set_mem_type:
        op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ (uint32_t)any(9), (uint16_t)any(6), 0, any(HVM_PAGES) };
        break;
    case XEN_DMOP_relocate_memory:
        op.u.relocate_memory = (struct xen_dm_op_relocate_memory){ (uint32_t)any(5), 0, any(HVM_PAGES), number() };
        break;
    case XEN_DMOP_inject_event:
        op.u.inject_event.vcpuid = (uint32_t)any(4);
        op.u.inject_event.pad0 = op.u.inject_event.pad1 = 0;
        op.u.inject_event.type = (uint8_t)any(8);
        break;
    case XEN_DMOP_remote_shutdown:
        if (!one_in(20))
            return;
    }
    for (size_t i = 0; i < 64; i++)
        buffer[i] = (uint8_t)wild();
    dm_op(&op, one_in(4) ? NULL : buffer, sizeof(buffer));
}

/* Anything, into pages that it shares with the hypervisor; or an answer as it should be. */
static void scribble(void)
{
    struct ioreq_server *s = some_server();
    ioreq_t *p;

    if (!s || !s->ioreq.va)
        return;
    p = &((shared_iopage_t *)s->ioreq.va)->vcpu_ioreq[any(4)];
    switch (any(6)) {
    case 0: p->state = any(16); break;
    case 1: p->vp_eport = (uint32_t)any(64); break;
    case 2:
        for (size_t i = 0; i < sizeof(*p) / 8; i++)
            if (one_in(2))
                ((uint64_t *)(void *)p)[i] = number();
        break;
    case 3:
        for (size_t i = 0; i < PAGE_SIZE / 8 && s->bufioreq.va; i++)
            ((uint64_t *)s->bufioreq.va)[i] = one_in(2) ? number() : 0;
        break;
    case 4:
        p->count = (uint32_t)number(), p->size = (uint32_t)number(), p->addr = IOREQ_GFN << PAGE_SHIFT;
        p->data_is_ptr = 1, p->df = any(2), p->type = (uint8_t)any(12);
        break;
    default: p->data = wild(); break;
    }
}

static void event_op(unsigned int cmd, void *arg)
{
    hypercall_native(emulator(), __HYPERVISOR_event_channel_op, cmd, PTR(arg), 0, 0, 0);
}

static void ports(void)
{
    const struct ioreq_server *s = some_server();
    const size_t i = any(ARRAY_SIZE(bound));
    struct evtchn_bind_interdomain b = { .remote_dom = f->d->domain_id };
    struct evtchn_send send = { .port = bound[i] };
    struct evtchn_close close = { .port = bound[i] };
    struct evtchn_reset reset = { .dom = DOMID_SELF };

    switch (any(8)) {
    case 0:
        event_op(EVTCHNOP_close, &close);
        bound[i] = 0;
        break;
    case 1:
    case 2:
    case 3:
        b.remote_port = !s || one_in(8) ? (evtchn_port_t)any(30) : one_in(4) ? s->bufioreq_evtchn : s->ports[any(4)];
        event_op(EVTCHNOP_bind_interdomain, &b);
        bound[i] = b.local_port;
        break;
    case 4:
        if (stub && one_in(8))
            event_op(EVTCHNOP_reset, &reset);
        break;
    default: event_op(EVTCHNOP_send, &send); break;
    }
}

/* By the rules: all requests are answered with data of its own. */
static void answer(void)
{
    for (unsigned int id = 0; id < MAX_NR_IOREQ_SERVERS; id++) {
        const struct ioreq_server *s = f->d->hvm->ioreq_server[id];

        for_each_vcpu (f->d, v) {
            ioreq_t *p = s && s->ioreq.va ? &((shared_iopage_t *)s->ioreq.va)->vcpu_ioreq[v->vcpu_id] : NULL;
            struct evtchn_bind_interdomain b = { .remote_dom = f->d->domain_id };
            struct evtchn_send send = { 0 };
            struct evtchn_close close = { 0 };

            if (!p || p->state != STATE_IOREQ_READY)
                continue;
            b.remote_port = s->ports[v->vcpu_id];
            event_op(EVTCHNOP_bind_interdomain, &b);
            p->data = number();
            p->state = STATE_IORESP_READY;
            answers += v->hvm->io.state == HVM_IO_SENT;
            send.port = close.port = b.local_port;
            event_op(EVTCHNOP_send, &send);
            answers -= v->hvm->io.state == HVM_IO_SENT;
            event_op(EVTCHNOP_close, &close);
        }
    }
}

/* ------------------------------------------------------------------------------------------------ the toolstack -- */

static void stub_begin(void)
{
    const struct xen_domctl_createdomain config = { .flags = XENLAB_DOMCTL_CDF_native,
                                                    .max_vcpus = 1,
                                                    .max_evtchn_port = 100,
                                                    .max_grant_frames = 4,
                                                    .max_maptrack_frames = 4,
                                                    .grant_opts = 1 };
    static uint64_t frames[STUB_PAGES];
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_target, .u.set_target.target = f->d->domain_id };
    domid_t domid = 0;
    struct domain *d;

    if (xc_domain_create(f->xc, &config, &domid) || xc_domain_max_vcpus(f->xc, domid, 1) ||
        xc_domain_setmaxmem(f->xc, domid, STUB_PAGES * PAGE_SIZE / 1024) ||
        xc_domain_populate_physmap(f->xc, domid, STUB_PAGES, frames))
        fail_msg("no stub domain");
    d = get_domain_by_id(f->xen, domid);
    stub = native_kernel_create(d, frames, STUB_PAGES);
    put_domain(d);
    op.domain = domid;
    hvm_domctl(f, &op);
    memset(bound, 0, sizeof(bound));
}

static void stub_end(void)
{
    const domid_t domid = stub ? native_vcpu(stub)->domain->domain_id : 0;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_destroydomain, .domain = domid };

    if (!stub)
        return;
    assert_int_equal(hvm_domctl(f, &op), 0);
    native_kernel_destroy(stub);
    stub = NULL;
    memset(bound, 0, sizeof(bound));
}

static void guest_create(void)
{
    hvm_create_with(f, 1 + (unsigned int)any(3), one_in(4) ? XEN_X86_EMU_LAPIC : HVM_DEVICES);
    xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_GFN);
    xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_NR_IOREQ_SERVER_PAGES, NR_IOREQ);
    guest_fill();
    guest_begin();
    if (one_in(2))
        stub_begin();
    server_create();
}

/* Dead at any moment; the stub domain before it, after it, or at another time. */
static void guest_end(void)
{
    const bool before = one_in(2);

    if (before)
        stub_end();
    hvm_destroy(f);
    if (!before)
        stub_end();
    memset(bound, 0, sizeof(bound));
}

static void params(void)
{
    struct xen_hvm_param p = { .domid = f->d->domain_id, .index = (uint32_t)any(HVM_NR_PARAMS + 2), .value = number() };

    if (p.index == HVM_PARAM_IOREQ_SERVER_PFN || p.index == HVM_PARAM_NR_IOREQ_SERVER_PAGES)
        p.value = any(HVM_PAGES);
    hypercall_native(emulator(), __HYPERVISOR_hvm_op, any(2) ? HVMOP_set_param : HVMOP_get_param, PTR(&p), 0, 0, 0);
}

/* What the domain is, with some of it changed, and loaded again. */
static void records(void)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = f->d->domain_id };
    uint32_t size, at = 0;

    op.u.hvmcontext.size = sizeof(buffer);
    set_xen_guest_handle(op.u.hvmcontext.buffer, buffer);
    if (hvm_domctl(f, &op))
        return;
    size = op.u.hvmcontext.size;
    for (unsigned int i = (unsigned int)any(12); i; i--)
        switch (any(4)) {
        case 0: buffer[any(size)] ^= (uint8_t)(1u << any(8)); break;
        case 1: buffer[any(size)] = (uint8_t)wild(); break;
        case 2: memcpy(buffer + any(size - 8), (uint64_t[]){ number() }, 8); break;
        default: /* in a record of its own, from its first byte on */
            for (at = 0; at < size && !one_in(8);) {
                struct hvm_save_descriptor desc;

                memcpy(&desc, buffer + at, sizeof(desc));
                if (desc.length > size - at || at + sizeof(desc) + desc.length >= size - 8)
                    break;
                at += (uint32_t)sizeof(desc) + desc.length;
            }
            if (at + 16 < size)
                buffer[at + 8 + any(8)] = (uint8_t)wild();
        }
    op.cmd = XEN_DOMCTL_sethvmcontext;
    if (one_in(4))
        op.u.hvmcontext.size = (uint32_t)any(size + 100);
    hvm_domctl(f, &op);
    op.cmd = XEN_DOMCTL_gethvmcontext_partial;
    op.u.hvmcontext_partial.type = (uint32_t)any(24);
    op.u.hvmcontext_partial.instance = (uint32_t)any(5);
    op.u.hvmcontext_partial.bufsz = any(sizeof(buffer));
    set_xen_guest_handle(op.u.hvmcontext_partial.buffer, buffer);
    hvm_domctl(f, &op);
}

static void context(void)
{
    static struct vcpu_guest_context c;
    const unsigned int vcpu = (unsigned int)any(4);

    if (xc_vcpu_getcontext(f->xc, f->d->domain_id, vcpu, &c))
        return;
    for (unsigned int i = (unsigned int)any(6); i; i--)
        ((uint64_t *)(void *)&c)[any(sizeof(c) / 8)] = number();
    c.flags = wild() & 0x3f;
    xc_vcpu_setcontext(f->xc, f->d->domain_id, vcpu, &c);
}

static void memory(void)
{
    const domid_t domid = f->d->domain_id;
    xen_pfn_t gfn[4];
    struct xen_memory_reservation r = { .nr_extents = 1 + any(4), .domid = domid };
    struct xen_add_to_physmap add = {
        .domid = domid, .space = (unsigned int)any(6), .idx = any(8), .gpfn = any(HVM_PAGES)
    };
    struct xen_remove_from_physmap gone = { .domid = domid, .gpfn = any(HVM_PAGES + 8) };
    struct xen_mem_acquire_resource res = {
        .domid = domid, .type = (uint16_t)any(4), .id = (uint32_t)any(4), .nr_frames = (uint32_t)any(4), .frame = any(4)
    };
    static const unsigned int cmds[] = { XENMEM_populate_physmap, XENMEM_decrease_reservation, XENMEM_add_to_physmap,
                                         XENMEM_remove_from_physmap, XENMEM_acquire_resource };
    void *const args[] = { &r, &r, &add, &gone, &res };
    const size_t i = any(ARRAY_SIZE(cmds));

    for (unsigned int n = 0; n < 4; n++)
        gfn[n] = one_in(2) ? IOREQ_GFN + any(6) : any(HVM_PAGES + 4);
    set_xen_guest_handle(r.extent_start, gfn);
    set_xen_guest_handle(res.frame_list, gfn);
    hypercall_native(emulator(), __HYPERVISOR_memory_op, cmds[i], PTR(args[i]), 0, 0, 0);
}

static void domctl(void)
{
    const domid_t domid = f->d->domain_id;
    struct xen_domctl op = { .domain = domid };

    switch (any(9)) {
    case 0: xc_domain_pause(f->xc, domid); break;
    case 1: xc_domain_unpause(f->xc, domid); break;
    case 2: xc_domain_send_trigger(f->xc, domid, (unsigned int)any(6), (unsigned int)any(4)); break;
    case 3: xc_domain_resume(f->xc, domid); break;
    case 4:
        if (one_in(10))
            xc_domain_shutdown(f->xc, domid, (int)any(7));
        break;
    case 5: xc_domain_hypercall_init(f->xc, domid, _mfn(any(HVM_PAGES + 1))); break;
    case 6: xc_domain_setmaxmem(f->xc, domid, any(8 * HVM_PAGES)); break;
    case 7:
        op.cmd = XEN_DOMCTL_setvcpucontext; /* back to a vCPU that has no context */
        op.u.vcpucontext.vcpu = (uint32_t)any(4);
        if (one_in(4))
            hvm_domctl(f, &op);
        break;
    default:
        op.cmd = XEN_DOMCTL_settscinfo;
        op.u.tsc_info = (struct xen_domctl_tsc_info){ .tsc_mode = (uint32_t)any(4),
                                                      .gtsc_khz = (uint32_t)number(),
                                                      .elapsed_nsec = number() };
        hvm_domctl(f, &op);
    }
}

static void stub_deed(void)
{
    if (!stub)
        return;
    switch (any(3)) {
    case 0: stub_end(); break;
    case 1: domain_crash(emulator(), "the test says so"); break;
    default: xc_domain_pause(f->xc, emulator()->domain->domain_id); break;
    }
}

/* ----------------------------------------------------------------------------------------------------- the runs -- */

static void deed(void)
{
    static void (*const deeds[])(void) = { scribble, scribble, ports,     ports,     answer,
                                           answer,   answer,   server_op, server_op, params,
                                           records,  context,  memory,    domctl,    server_create };

    if (one_in(40))
        stub_deed();
    else
        deeds[any(ARRAY_SIZE(deeds))]();
}

/* Who waits, waits for one that is there. */
static void nobody_is_left(uint64_t seed)
{
    for_each_vcpu (f->d, v)
        if (!f->d->is_dying && v->hvm->io.state == HVM_IO_SENT && !f->d->hvm->ioreq_server[v->hvm->io.server])
            fail_msg("seed %lu: vCPU %u waits for a server that is gone", (unsigned long)seed, v->vcpu_id);
}

static void test_hostile(void **state)
{
    unsigned int crashed = 0, waiting = 0, done = 0;
    char why[200];

    f = *state;
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++) {
        prng = seed * 7919;
        guest_create();
        for (unsigned int i = 0; i < DEEDS; i++, done++) {
            hvm_go(f, (s_time_t)any(MICROSECS(40)));
            for (unsigned int n = 1 + (unsigned int)any(3); n; n--)
                deed();
            nobody_is_left(seed);
            for_each_vcpu (f->d, v)
                waiting += v->hvm->io.state == HVM_IO_SENT;
        }
        crashed += f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_crash;
        if (mmu_audit(f->xen, why, sizeof(why)))
            fail_msg("seed %lu: %s", (unsigned long)seed, why);
        guest_end();
        f->log[0] = 0;
    }
    print_message("%u guests, %u crashed; %u deeds, after %u of them somebody waited; %u proper answers\n", runs,
                  crashed, done, waiting, answers);
    assert_true(runs < 300 || (crashed && waiting && answers));
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
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_hostile, setup, fix_teardown) };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
