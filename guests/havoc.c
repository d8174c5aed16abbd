// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * havoc: a hostile guest that knows the interfaces, drawn by chance from seed=N.
 *
 * Shows the same as hostile, from nearer: its requests are whole but for a field or two, so they come further than what
 * is rubbish all through. In n=N turns, and on each vCPU that it has, it executes random code as a kernel, with the
 * instructions that Xen emulates or refuses among it (control and debug registers, MSRs, ports, strings of them,
 * descriptors, returns); sets debug registers and local descriptors; returns to random frames; grants, maps, copies and
 * gives away pages, those of its neighbours, too; binds, closes and notifies ports; starts and stops its vCPUs; writes
 * rubbish to the rings of xenstore and of the console. As with hostile, its own end is no mistake. scripts/hostile.sh
 * runs it with many seeds.
 */
#include "guests/rt/guest.h"

#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

#define CPUS_MAX 4
#define SLICE_NS 100000 /* how long random code may take */

static uint8_t code[CPUS_MAX * PAGE_SIZE] __attribute__((section(".user.data"), aligned(4096), used));
static uint8_t data[4 * PAGE_SIZE] __attribute__((section(".user.data"), aligned(4096), used));
static uint64_t descriptors[PAGE_SIZE / 8] __attribute__((aligned(4096)));
static char pages[4][PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t own[4];
static struct context turn[CPUS_MAX];
static uint64_t state[CPUS_MAX];
static long turns;
static struct trap_info traps[23];
extern char trap_entries[]; /* entry.S */

static uint64_t rnd(void)
{
    uint64_t *s = &state[cpu_id() % CPUS_MAX];

    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

/* A page of code for each vCPU. */
static uint8_t *own_code(void) { return code + cpu_id() % CPUS_MAX * PAGE_SIZE; }

static bool one_in(unsigned int n) { return rnd() % n == 0; }

static uint64_t number(void)
{
    switch (rnd() % 10) {
    case 0 ... 2: return rnd() % 8;
    case 3: return rnd() % 64;
    case 4: return UINT64_C(1) << rnd() % 64;
    case 5: return (UINT64_C(1) << rnd() % 64) - 1;
    case 6: return -(rnd() % 64);
    case 7: return (uint64_t)data + rnd() % sizeof(data);
    case 8: return pfn_to_mfn(rnd() % start_info->nr_pages);
    default: return rnd();
    }
}

/* What is right, or now and then something else. */
static uint64_t mostly(uint64_t right) { return one_in(6) ? number() : right; }

static domid_t any_domain(void) { return (domid_t)(one_in(8) ? number() : one_in(2) ? DOMID_SELF : rnd() % 4); }

static void *any_page(void) { return pages[rnd() % ARRAY_SIZE(pages)]; }

static void handler(struct guest_regs *regs)
{
    vcpu_info()->evtchn_upcall_mask = 1;
    context_leave(&turn[cpu_id() % CPUS_MAX], (long)regs->vector);
}

/*
 * ------------------------------------------------------------------------------------------------------ random code --
 */

/* What a kernel says and a user does not, among arbitrary bytes. The first byte is the lowest. */
static void code_fill(void)
{
    static const uint64_t insn[] = {
        0x6c,   0x6d,   0x6e,   0x6f,   0x6cf3,   0x6df3, 0x6ef3,       0x6ff3, 0xecf3,   0xed66,
        0xef66, /* strings to and from ports */
        0xec,   0xed,   0xee,   0xef,   0xe4,     0xe5,   0xe6,         0xe7,   0x320f,   0x300f,
        0x330f, /* in, out; rdmsr, wrmsr, rdpmc */
        0x200f, 0x220f, 0x210f, 0x230f, 0x220f41, 0x060f, 0x090f,       0x010f, 0xf8010f, 0xc70f,
        0xae0f, /* mov of cr, dr */
        0x8e,   0x8c,   0xb20f, 0xb40f, 0xb50f,   0xff,   0xcf,         0xcf48, 0xcf66,   0xcb,
        0xcb48, 0xcb66, 0xca, /* segments, returns */
        0xcd,   0xcc,   0xf1,   0xce,   0xfa,     0xfb,   0xf4,         0x9d,   0x9d66,   0x9c,
        0x17,   0xa90f, /* interrupts, flags */
        0x050f, 0x070f, 0x340f, 0x350f, 0xa20f,   0x310f, 0x6e65780b0f, 0x020f, 0x030f,   0xae0f48f3,
    };
    uint8_t *const page = own_code();
    const size_t end = one_in(4) ? PAGE_SIZE - 16 : 24;
    size_t i = 0;

    memset(page, 0xcc, PAGE_SIZE);
    for (bool more = true; more && i<end; more = end> 24 || one_in(2)) {
        uint64_t o = insn[rnd() % ARRAY_SIZE(insn)];

        if (one_in(3))
            page[i++] = (uint8_t) "\x66\x67\xf2\xf3\xf0\x48\x2e\x64\x65\x36"[rnd() % 10];
        for (; o; o >>= 8)
            page[i++] = (uint8_t)o;
        for (unsigned int n = rnd() % 4; n; n--)
            page[i++] = (uint8_t)rnd();
    }
}

static uint64_t any_flags(void) { return EFLAGS_IF | (rnd() & (one_in(3) ? 0x3f7fd5 : 0x8d5)); }

static uint16_t any_selector(uint16_t right)
{
    static const uint16_t choice[] = { FLAT_RING3_CS32, FLAT_RING3_SS32, FLAT_USER_CS, FLAT_USER_SS, 0, 3, 0xe008 };

    return one_in(4) ? (uint16_t)(one_in(2) ? rnd() : choice[rnd() % ARRAY_SIZE(choice)]) : right;
}

static void code_run(void)
{
    static const uint32_t msrs[] = { 0,          0x10,       0x1b,       0x174,      0x200,      0x277,
                                     0x400,      0x680,      0xc0000080, 0xc0000100, 0xc0010000, 0xc0010015,
                                     0xc0011020, 0xc0010060, 0x40000000, 0x8b,       0x1a0,      0x1d9 };
    static const uint16_t ports[] = { 0x20, 0x40, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0xcf8, 0xcfc, 0x3f8 };
    struct guest_regs regs;
    uint64_t *words = (uint64_t *)&regs;

    code_fill();
    HYPERVISOR_set_timer_op(time_now() + SLICE_NS);
    for (unsigned int i = 0; i < 15; i++)
        words[i] = one_in(3) ? number() : (uint64_t)data + rnd() % sizeof(data);
    if (one_in(2))
        regs.rcx = msrs[rnd() % ARRAY_SIZE(msrs)] + (one_in(2) ? 0 : rnd() % 32);
    if (one_in(2))
        regs.rdx = ports[rnd() % ARRAY_SIZE(ports)] + (one_in(2) ? 0 : rnd() % 8);
    regs.vector = regs.error_code = 0;
    regs.rip = (uint64_t)own_code() + (one_in(4) ? rnd() % PAGE_SIZE : 0);
    regs.cs = any_selector(one_in(3) ? FLAT_USER_CS : (uint16_t)(FLAT_KERNEL_CS & ~3));
    regs.ss = any_selector(FLAT_KERNEL_SS);
    regs.rsp = one_in(200) ? number() : (uint64_t)data + sizeof(data) - 64 - rnd() % PAGE_SIZE;
    regs.rflags = any_flags();
    if (regs.cs == FLAT_USER_CS && one_in(2))
        regs.rsp = number();
    regs.upcall_mask = 0;
    user_enter(&regs);
}

/*
 * --------------------------------------------------------------------------------------------------- random requests
 * --
 */

static void debug_registers(void)
{
    for (int n = 0; n < 4; n++)
        HYPERVISOR_set_debugreg(n, mostly((one_in(2) ? (uint64_t)code : (uint64_t)data) + rnd() % PAGE_SIZE));
    HYPERVISOR_set_debugreg(7, mostly((uint32_t)(rnd() & rnd()) & ~0xd800u));
    if (one_in(4))
        HYPERVISOR_set_debugreg((int)number(), number());
    HYPERVISOR_get_debugreg((int)number());
}

static void segments(void)
{
    struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = mostly((uint64_t)descriptors) };
    struct physdev_set_iopl iopl = { .iopl = (uint32_t)mostly(rnd() % 4) };
    const unsigned long frame = mostly(virt_to_mfn(descriptors));

    op.arg2.nr_ents = (uint32_t)mostly(rnd() % 513);
    page_protect(descriptors, PTE_KERNEL);
    for (unsigned int i = 0; i < 64; i++)
        descriptors[rnd() % ARRAY_SIZE(descriptors)] =
            one_in(2) ? rnd() : UINT64_C(0x00cf9a000000ffff) ^ (rnd() & UINT64_C(0x00f06f0000000000));
    page_protect(descriptors, PTE_READONLY);
    if (one_in(2))
        HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
    else
        HYPERVISOR_set_gdt(&frame, (unsigned int)mostly(rnd() % 513));
    HYPERVISOR_update_descriptor(mostly((virt_to_mfn(descriptors) << PAGE_SHIFT) + rnd() % 512 * 8), rnd());
    HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    HYPERVISOR_set_segment_base((int)mostly(rnd() % 2), number());
    HYPERVISOR_set_segment_base(3, number());
    HYPERVISOR_fpu_taskswitch((int)(rnd() % 2));
    if (one_in(4))
        HYPERVISOR_vm_assist((unsigned int)mostly(rnd() % 2), (unsigned int)mostly(rnd() % 6));
}

static void grants(void)
{
    static struct gnttab_map_grant_ref map[4];
    static const unsigned int cmds[] = { GNTTABOP_map_grant_ref,  GNTTABOP_unmap_grant_ref,   GNTTABOP_copy,
                                         GNTTABOP_transfer,       GNTTABOP_unmap_and_replace, GNTTABOP_set_version,
                                         GNTTABOP_swap_grant_ref, GNTTABOP_get_status_frames, GNTTABOP_query_size,
                                         GNTTABOP_cache_flush,    GNTTABOP_setup_table,       GNTTABOP_get_version };
    static uint64_t arg[CPUS_MAX][128];
    uint64_t *a = arg[cpu_id() % CPUS_MAX];
    struct gnttab_copy *copy = (struct gnttab_copy *)a;
    struct gnttab_map_grant_ref *m = &map[rnd() % ARRAY_SIZE(map)];
    struct gnttab_unmap_grant_ref unmap = { .host_addr = m->host_addr, .handle = (grant_handle_t)mostly(m->handle) };

    grant_access((grant_ref_t)(8 + rnd() % 8), any_domain(), any_page(), one_in(2));
    for (unsigned int i = 0; i < 128; i++)
        a[i] = one_in(2) ? number() : number() << 32 | (uint32_t)number();
    switch (rnd() % 4) {
    case 0:
        *m = (struct gnttab_map_grant_ref){ .host_addr = mostly((uint64_t)any_page()),
                                            .flags = (uint32_t)mostly(2 | rnd() % 64),
                                            .ref = (grant_ref_t)mostly(rnd() % 16),
                                            .dom = any_domain() };
        HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, m, 1);
        break;
    case 1: HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1); break;
    case 2:
        for (unsigned int i = 0; i < 4; i++) {
            copy[i] =
                (struct gnttab_copy){ .source = { .domid = any_domain(),
                                                  .offset = (uint16_t)mostly(rnd() % PAGE_SIZE) },
                                      .dest = { .domid = any_domain(), .offset = (uint16_t)mostly(rnd() % PAGE_SIZE) },
                                      .len = (uint16_t)mostly(rnd() % 64),
                                      .flags = (uint16_t)mostly(rnd() % 4) };
            copy[i].source.u.gmfn = mostly(one_in(2) ? rnd() % 16 : virt_to_mfn(any_page()));
            copy[i].dest.u.gmfn = mostly(one_in(2) ? rnd() % 16 : virt_to_mfn(any_page()));
        }
        HYPERVISOR_grant_table_op(GNTTABOP_copy, a, (unsigned int)mostly(1 + rnd() % 4));
        break;
    default: HYPERVISOR_grant_table_op(cmds[rnd() % ARRAY_SIZE(cmds)], a, (unsigned int)mostly(1)); break;
    }
}

static void ports(void)
{
    uint32_t a[16];

    for (unsigned int i = 0; i < ARRAY_SIZE(a); i++)
        a[i] = (uint32_t)(one_in(2) ? rnd() % 16 : one_in(2) ? any_domain() : number());
    HYPERVISOR_event_channel_op((int)mostly(rnd() % 14), a);
    if (one_in(8))
        shared_info->evtchn_pending[rnd() % 64] = rnd();
    if (one_in(8))
        shared_info->evtchn_mask[rnd() % 64] = rnd();
}

static void vcpus(void)
{
    static uint64_t arg[CPUS_MAX][1024];
    uint64_t *a = arg[cpu_id() % CPUS_MAX];
    struct vcpu_guest_context *c = (struct vcpu_guest_context *)a;
    static const int cmds[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13 };
    const unsigned int id = (unsigned int)mostly(1 + rnd() % 3);

    for (unsigned int i = 0; i < 1024; i++)
        a[i] = number();
    c->flags = (unsigned int)mostly(VGCF_in_kernel);
    c->user_regs.rip = mostly((uint64_t)code);
    c->user_regs.cs = any_selector(FLAT_KERNEL_CS), c->user_regs.ss = any_selector(FLAT_KERNEL_SS);
    c->user_regs.rflags = any_flags();
    c->gdt_ents = mostly(0), c->ldt_ents = mostly(0);
    c->ctrlreg[3] = mostly(xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base)));
    c->ctrlreg[1] = mostly(0);
    HYPERVISOR_vcpu_op((int)mostly((uint64_t)cmds[rnd() % ARRAY_SIZE(cmds)]), id, a);
}

static void rings(void)
{
    volatile struct xenstore_domain_interface *xs = mfn_to_virt(start_info->store_mfn);
    volatile struct xencons_interface *con = mfn_to_virt(start_info->console.domU.mfn);
    struct xsd_sockmsg m = { .type = (uint32_t)mostly(rnd() % 24),
                             .req_id = (uint32_t)rnd(),
                             .tx_id = (uint32_t)mostly(0),
                             .len = (uint32_t)mostly(rnd() % 40) };

    if (one_in(4))
        xs->req_prod = (uint32_t)rnd(), xs->req_cons = (uint32_t)rnd();
    if (one_in(4))
        xs->rsp_prod = (uint32_t)number(), xs->rsp_cons = (uint32_t)number();
    if (one_in(8))
        con->out_prod = (uint32_t)number(), con->out_cons = (uint32_t)number();
    if (one_in(8))
        con->in_prod = (uint32_t)number(), con->in_cons = (uint32_t)number();
    for (unsigned int i = 0; i < sizeof(m) + 40; i++)
        xs->req[MASK_XENSTORE_IDX(xs->req_prod + i)] =
            i < sizeof(m) ? ((char *)&m)[i] : "/local/domain/1/data/x\0@introduceDomain"[rnd() % 40];
    xs->req_prod += (uint32_t)mostly(sizeof(m) + m.len);
    event_send(one_in(4) ? start_info->console.domU.evtchn : start_info->store_evtchn);
}

static void memory(void)
{
    xen_pfn_t frames[4];
    struct xen_memory_reservation r = { .nr_extents = mostly(rnd() % 5),
                                        .extent_order = (unsigned int)mostly(0),
                                        .mem_flags = (unsigned int)mostly(0),
                                        .domid = any_domain() };
    struct mmuext_op op = { .cmd = (unsigned int)mostly(rnd() % 20), .arg1.mfn = mostly(virt_to_mfn(any_page())) };

    for (unsigned int i = 0; i < 4; i++)
        frames[i] = mostly(one_in(2) ? virt_to_mfn(any_page()) : start_info->nr_pages - 1 - rnd() % 16);
    set_xen_guest_handle(r.extent_start, frames);
    HYPERVISOR_memory_op((unsigned int)(one_in(4) ? XENMEM_populate_physmap : rnd() % 2), &r);
    if (op.cmd != MMUEXT_NEW_BASEPTR && op.cmd != MMUEXT_NEW_USER_BASEPTR)
        HYPERVISOR_mmuext_op(&op, 1, NULL, any_domain());
}

static long one_turn(long unused)
{
    static void (*const act[])(void) = { debug_registers, segments, grants, grants, ports, vcpus, rings, memory };

    for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++)
        page_map(pages[i], own[i], PTE_KERNEL);
    for (unsigned int i = rnd() % 16; i; i--)
        act[rnd() % ARRAY_SIZE(act)]();
    code_run();
    return 0;
}

static void all_turns(void)
{
    struct cpu *const self = cpu_self();

    for (long i = 0; i < turns; i++) {
        HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)self);
        context_call(&turn[self->id % CPUS_MAX], one_turn, 0);
    }
}

static void other_cpu(void)
{
    static char stacks[CPUS_MAX][PAGE_SIZE];

    HYPERVISOR_set_trap_table(traps);
    mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn);
    HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)stacks[cpu_id() % CPUS_MAX] + PAGE_SIZE);
    all_turns();
    for (;;)
        HYPERVISOR_vcpu_op(VCPUOP_down, cpu_id(), NULL);
}

int guest_main(void)
{
    turns = cmdline_number("n", 100);
    for (unsigned int i = 0; i < CPUS_MAX; i++)
        state[i] = ((uint64_t)cmdline_number("seed", 1) * CPUS_MAX + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    user_space_init();
    grants_init();
    for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++)
        own[i] = virt_to_mfn(pages[i]);
    for (unsigned int i = 0; i < 22; i++)
        traps[i] = (struct trap_info){ (uint8_t)i, 3, FLAT_KERNEL_CS, (uint64_t)trap_entries + 16 * i };
    for (unsigned int vector = 0; vector < NR_TRAPS; vector++)
        trap_handler_set(vector, handler);
    for (unsigned int i = 1; i < CPUS_MAX && !cpu_start(i, other_cpu); i++)
        continue;
    all_turns();
    console_io_write("still here\n", 11);
    return 0;
}
