// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest as they were when Xen was at 3.0, for 64 and for 32 bits: the ways of the first Mini-OS, all in one file.
 *
 * It says what it is in a section __xen_guest and not in notes, lies at address 0, uses the forms of hypercalls that
 * were replaced since (sched_op, event_channel_op and physdev_op with the command inside), a grant table of version 1,
 * the M2P to find its rings, and asks xenstore for devices that it does not have. What each step answers is printed.
 *
 * Budget: it must share nothing with the guests of today, so its few lines of library are here, too.
 */
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/version.h>

#define PAGE_SIZE 4096
#define barrier() asm volatile("" ::: "memory")

// clang-format off
asm(".pushsection __xen_guest\n"
    ".ascii \"GUEST_OS=Mini-OS,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x2,PAE=yes,LOADER=generic\"\n"
    ".byte 0\n"
    ".popsection; .pushsection .start, \"ax\"\n"
    ".globl _start, shared_info, hypercall_page\n"
    "_start: cld\n"
#ifdef __x86_64__
    "movq stack_start(%rip), %rsp\n"
    "movq %rsi, %rdi\n"
    "call start_kernel\n"
    "stack_start: .quad stack + 16384\n"
#else
    "lss stack_start, %esp\n"
    "pushl %esi\n"
    "call start_kernel\n"
    "stack_start: .long stack + 16384, 0xe021\n"
#endif
    ".org 0x1000\n"
    "shared_info: .org 0x2000\n"
    "hypercall_page: .org 0x3000\n"
#ifdef __x86_64__
    /* Xen pushed RCX and R11 beyond what an interrupt does; back by the hypercall iret. */
    ".globl hypervisor_callback\n"
    "hypervisor_callback: popq %rcx; popq %r11\n"
    "pushq %rax; movq upcall_pending(%rip), %rax; movb $0, (%rax); popq %rax\n"
    "incl upcalls(%rip)\n"
    "pushq $0\n"
    "jmp hypercall_page + 23 * 32\n"
#else
    ".globl hypervisor_callback\n"
    "hypervisor_callback: pushl %eax; movl upcall_pending, %eax; movb $0, (%eax); popl %eax\n"
    "incl upcalls\n"
    "jmp hypercall_page + 23 * 32\n"
#endif
    ".globl failsafe_callback\n"
    "failsafe_callback: ud2\n"
    ".popsection\n");
// clang-format on

extern struct shared_info shared_info;
extern char hypercall_page[], hypervisor_callback[], failsafe_callback[];
char stack[16384] __attribute__((aligned(16), used));
uint8_t *upcall_pending __attribute__((used));
volatile unsigned int upcalls __attribute__((used));

static struct start_info *si;

static long hypercall(unsigned int nr, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                      unsigned long e)
{
    long ret;

#ifdef __x86_64__
    register unsigned long r10 asm("r10") = d, r8 asm("r8") = e;

    asm volatile("call *%[stub]"
                 : "=a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                 : [stub] "a"(hypercall_page + nr * 32)
                 : "memory", "rcx", "r11");
#else
    asm volatile("call *%[stub]"
                 : "=a"(ret), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
                 : [stub] "a"(hypercall_page + nr * 32)
                 : "memory");
#endif
    return ret;
}
#define ADDR(p) ((unsigned long)(p))

/* --- what little is needed of a library --- */

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = (char)c;
    return to;
}
static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

/* Frames are found by the M2P, which lies where it always did. */
static void *mfn_to_virt(unsigned long mfn) { return (void *)(machine_to_phys_mapping[mfn] * PAGE_SIZE); }
static unsigned long pfn_to_mfn(unsigned long pfn) { return ((unsigned long *)si->mfn_list)[pfn]; }
static unsigned long virt_to_mfn(const void *va) { return pfn_to_mfn(ADDR(va) / PAGE_SIZE); }

static long event_op_compat(struct evtchn_op *op)
{
    return hypercall(__HYPERVISOR_event_channel_op_compat, ADDR(op), 0, 0, 0, 0);
}

static void send(evtchn_port_t port)
{
    struct evtchn_op op = { .cmd = EVTCHNOP_send };

    op.u.send.port = port;
    event_op_compat(&op);
}

static void yield(void) { hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0, 0, 0, 0); }

static void put(const char *text, size_t n)
{
    volatile struct xencons_interface *ring = mfn_to_virt(si->console.domU.mfn);

    for (size_t i = 0; i < n; i++) {
        while (ring->out_prod - ring->out_cons >= sizeof(ring->out)) {
            send(si->console.domU.evtchn);
            yield();
        }
        ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = text[i];
        barrier();
        ring->out_prod++;
    }
    send(si->console.domU.evtchn);
}

static void say(const char *what, long value)
{
    char digits[24], *p = digits + sizeof(digits);
    unsigned long n = value < 0 ? -(unsigned long)value : (unsigned long)value;

    *--p = '\n';
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    if (value < 0)
        *--p = '-';
    put(what, length(what));
    put(": ", 2);
    put(p, (size_t)(digits + sizeof(digits) - p));
}

/* --- memory --- */

static long update_va_mapping(const void *va, uint64_t pte, unsigned long flags)
{
#ifdef __x86_64__
    return hypercall(__HYPERVISOR_update_va_mapping, ADDR(va), pte, flags, 0, 0);
#else
    return hypercall(__HYPERVISOR_update_va_mapping, ADDR(va), (uint32_t)pte, (uint32_t)(pte >> 32), flags, 0);
#endif
}

#define PTE_FRAME(pte) ((unsigned long)(((pte)&0x000ffffffffff000) / PAGE_SIZE))

/* The L2 entry for va, walked from the root; everything is mapped at its pseudo-physical address. */
static uint64_t *l2_entry(unsigned long va)
{
    uint64_t *table = (uint64_t *)si->pt_base;

#ifdef __x86_64__
    table = mfn_to_virt(PTE_FRAME(table[va >> 39 & 511]));
    table = mfn_to_virt(PTE_FRAME(table[va >> 30 & 511]));
#else
    table = mfn_to_virt(PTE_FRAME(table[va >> 30]));
#endif
    return &table[va >> 21 & 511];
}

static uint64_t machine(const void *va) { return (uint64_t)virt_to_mfn(va) * PAGE_SIZE + ADDR(va) % PAGE_SIZE; }

/* The machine address of the entry that maps va. */
static uint64_t pte_machine(const void *va)
{
    return machine((uint64_t *)mfn_to_virt(PTE_FRAME(*l2_entry(ADDR(va)))) + (ADDR(va) / PAGE_SIZE & 511));
}

static char page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void memory(void)
{
    struct mmu_update u[2] = {
        { pte_machine(page) | MMU_NORMAL_PT_UPDATE, (uint64_t)virt_to_mfn(page) * PAGE_SIZE | 0x21 },
        { (uint64_t)virt_to_mfn(page) * PAGE_SIZE | MMU_MACHPHYS_UPDATE, ADDR(page) / PAGE_SIZE }
    };
    struct mmuext_op pin = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = virt_to_mfn(page) };
    domid_t self = DOMID_SELF;
    unsigned int done = 7;

    say("current_reservation is nr_pages",
        hypercall(__HYPERVISOR_memory_op, XENMEM_current_reservation, ADDR(&self), 0, 0, 0) == (long)si->nr_pages);
    say("mmu_update: read-only, and the M2P", hypercall(__HYPERVISOR_mmu_update, ADDR(u), 2, 0, DOMID_SELF, 0));
    say("pin", hypercall(__HYPERVISOR_mmuext_op, ADDR(&pin), 1, ADDR(&done), DOMID_SELF, 0));
    say("done", done);
    say("a writable mapping of it",
        update_va_mapping(page, (uint64_t)virt_to_mfn(page) * PAGE_SIZE | 0x63, UVMF_INVLPG));
    pin.cmd = MMUEXT_UNPIN_TABLE;
    say("unpin", hypercall(__HYPERVISOR_mmuext_op, ADDR(&pin), 1, 0, DOMID_SELF, 0));
    say("a writable mapping of it",
        update_va_mapping(page, (uint64_t)virt_to_mfn(page) * PAGE_SIZE | 0x63, UVMF_INVLPG));
    page[0] = 1;
    say("nothing at address 0", update_va_mapping(0, 0, UVMF_INVLPG)); /* the first page was the start code */
    say("vm_assist: extended cr3",
        hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3, 0, 0, 0));
    say("vm_assist: writable pagetables",
        hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0, 0, 0));
}

static long mmu_update(struct mmu_update *u, unsigned int nr)
{
    return hypercall(__HYPERVISOR_mmu_update, ADDR(u), nr, 0, DOMID_SELF, 0);
}

/*
 * As Mini-OS: what is mapped follows from the number of tables; the rest gets new ones, each made read-only and pinned.
 */
static void map_all(void)
{
    const unsigned long first = (si->nr_pt_frames - 3) * 512; /* three are not of level 1, for either width */
    unsigned long table = si->pt_base / PAGE_SIZE + si->nr_pt_frames + 3, made = 0;
    struct mmu_update u[64];
    unsigned int nr = 0;
    long rc = 0;

    for (unsigned long pfn = first; pfn < si->nr_pages && !rc; pfn++) {
        uint64_t *l2e = l2_entry(pfn * PAGE_SIZE);

        if (pfn % 512 == 0) {
            struct mmuext_op pin = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = pfn_to_mfn(table) };

            say("not mapped before", !(*l2e & 1));
            memset((void *)(table * PAGE_SIZE), 0, PAGE_SIZE);
            u[0].ptr = pte_machine((void *)(table * PAGE_SIZE)) | MMU_NORMAL_PT_UPDATE;
            u[0].val = (uint64_t)pfn_to_mfn(table) * PAGE_SIZE | 0x25;
            rc = mmu_update(u, 1);
            rc = rc ? rc : hypercall(__HYPERVISOR_mmuext_op, ADDR(&pin), 1, 0, DOMID_SELF, 0);
            u[0].ptr = machine(l2e) | MMU_NORMAL_PT_UPDATE;
            u[0].val = (uint64_t)pfn_to_mfn(table++) * PAGE_SIZE | 0x27;
            rc = rc ? rc : mmu_update(u, 1);
            made++;
        }
        u[nr].ptr = pte_machine((void *)(pfn * PAGE_SIZE)) | MMU_NORMAL_PT_UPDATE;
        u[nr++].val = (uint64_t)pfn_to_mfn(pfn) * PAGE_SIZE | 0x67;
        if (!rc && (nr == 64 || pfn + 1 == si->nr_pages)) {
            rc = mmu_update(u, nr);
            nr = 0;
        }
    }
    say("all of memory is mapped", rc);
    say("with new tables", (long)made);
    *(volatile char *)((si->nr_pages - 1) * PAGE_SIZE) = 1;
}

static void grants(void)
{
    unsigned long frames[1] = { 0 };
    struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
    const struct grant_entry_v1 *table = (void *)page;

    set_xen_guest_handle(setup.frame_list, frames);
    say("setup_table", hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, ADDR(&setup), 1, 0, 0));
    say("status", setup.status);
    say("mapped", update_va_mapping(page, (uint64_t)frames[0] * PAGE_SIZE | 0x63, UVMF_INVLPG));
    say("entry 0 is the console", table[0].frame == si->console.domU.mfn && table[0].flags & GTF_permit_access);
    say("entry 1 is xenstore", table[1].frame == si->store_mfn && table[1].flags & GTF_permit_access);
}

/* --- events and time --- */

static void events(void)
{
    struct evtchn_op op = { .cmd = EVTCHNOP_alloc_unbound };
    struct vcpu_info *vcpu = &shared_info.vcpu_info[0];
    const uint64_t now = vcpu->time.system_time;
    evtchn_port_t first, second, timer;
    uint64_t deadline;

    op.u.alloc_unbound.dom = op.u.alloc_unbound.remote_dom = DOMID_SELF;
    say("alloc_unbound", event_op_compat(&op));
    first = op.u.alloc_unbound.port;
    op = (struct evtchn_op){ .cmd = EVTCHNOP_bind_interdomain };
    op.u.bind_interdomain.remote_dom = DOMID_SELF;
    op.u.bind_interdomain.remote_port = first;
    say("bind_interdomain", event_op_compat(&op));
    second = op.u.bind_interdomain.local_port;
    send(second);
    say("pending", shared_info.evtchn_pending[0] >> first & 1);
    op = (struct evtchn_op){ .cmd = EVTCHNOP_status };
    op.u.status.dom = DOMID_SELF;
    op.u.status.port = second;
    say("status", event_op_compat(&op));
    say("bound to the other", op.u.status.status == EVTCHNSTAT_interdomain && op.u.status.u.interdomain.port == first);
    op = (struct evtchn_op){ .cmd = EVTCHNOP_close };
    op.u.close.port = first;
    say("close", event_op_compat(&op));
    op.cmd = EVTCHNOP_reset; /* the old form never had it */
    say("reset", event_op_compat(&op));
    op = (struct evtchn_op){ .cmd = EVTCHNOP_bind_virq };
    op.u.bind_virq.virq = VIRQ_TIMER;
    say("bind_virq", event_op_compat(&op));
    timer = op.u.bind_virq.port;

    upcalls = 0;
    deadline = now + 50000000;
#ifdef __x86_64__
    hypercall(__HYPERVISOR_set_timer_op, deadline, 0, 0, 0, 0);
#else
    hypercall(__HYPERVISOR_set_timer_op, (uint32_t)deadline, (uint32_t)(deadline >> 32), 0, 0, 0);
#endif
    for (;;) { /* from the top down: flag, selector, bits; what comes meanwhile ends the next block at once */
        vcpu->evtchn_upcall_mask = 1;
        vcpu->evtchn_upcall_pending = 0;
        vcpu->evtchn_pending_sel = 0;
        barrier();
        if (shared_info.evtchn_pending[0] >> timer & 1)
            break;
        shared_info.evtchn_pending[0] = 0;
        hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_block, 0, 0, 0, 0); /* it enables events */
    }
    say("there was an upcall", upcalls > 0);
    say("not before its time", vcpu->time.system_time >= now);
}

/* --- suspending, with "suspend" as command line --- */

static unsigned long list_top[PAGE_SIZE / sizeof(unsigned long)] __attribute__((aligned(PAGE_SIZE)));
static unsigned long list_mid[PAGE_SIZE / sizeof(unsigned long)] __attribute__((aligned(PAGE_SIZE)));

/* Where the list of frames is: a page of frames of pages of frames of its pages. */
static void list_tell(void)
{
    const unsigned long *list = (unsigned long *)si->mfn_list, per_page = PAGE_SIZE / sizeof(*list);

    for (unsigned long i = 0; i * per_page < si->nr_pages; i++)
        list_mid[i] = virt_to_mfn(list + i * per_page);
    list_top[0] = virt_to_mfn(list_mid);
    shared_info.arch.max_pfn = si->nr_pages;
    shared_info.arch.pfn_to_mfn_frame_list_list = virt_to_mfn(list_top);
}

static long list_wrong(void)
{
    long wrong = 0;

    for (unsigned long pfn = 0; pfn < si->nr_pages; pfn++)
        wrong += machine_to_phys_mapping[pfn_to_mfn(pfn)] != pfn;
    return wrong;
}

/* It does not listen: it suspends all the time, and goes on at once unless somebody wants to save it. */
static void suspend(void)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_suspend };

    list_tell();
    say("ready, wrong", list_wrong());
    for (;;) {
        const unsigned long console = si->console.domU.mfn, frame = virt_to_mfn(si);

        si->store_mfn = machine_to_phys_mapping[si->store_mfn];
        si->console.domU.mfn = machine_to_phys_mapping[console];
        update_va_mapping(&shared_info, (uint64_t)virt_to_mfn(&shared_info) * PAGE_SIZE | 0x63, UVMF_INVLPG);
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, ADDR(&op), frame, 0, 0);
        update_va_mapping(&shared_info, si->shared_info | 7, UVMF_INVLPG);
        list_tell();
        if (si->console.domU.mfn != console)
            say("restored, wrong", list_wrong());
        for (int i = 0; i < 100; i++)
            yield();
    }
}

/* --- xenstore --- */

static uint32_t req_id;

static void store_put(const void *data, size_t n)
{
    volatile struct xenstore_domain_interface *ring = mfn_to_virt(si->store_mfn);

    for (size_t i = 0; i < n; i++) {
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = ((const char *)data)[i];
        barrier();
        ring->req_prod++;
    }
}

static void store_get(void *data, size_t n)
{
    volatile struct xenstore_domain_interface *ring = mfn_to_virt(si->store_mfn);

    for (size_t i = 0; i < n; i++) {
        while (ring->rsp_cons == ring->rsp_prod)
            yield();
        ((char *)data)[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        barrier();
        ring->rsp_cons++;
    }
}

/* One request; every message until its answer is printed, with bars for zero bytes. */
static void store(const char *what, uint32_t type, const char *payload, size_t n)
{
    struct xsd_sockmsg m = { .type = type, .req_id = ++req_id, .len = (uint32_t)n };
    static char answer[XENSTORE_PAYLOAD_MAX];

    store_put(&m, sizeof(m));
    store_put(payload, n);
    send(si->store_evtchn);
    do {
        store_get(&m, sizeof(m));
        store_get(answer, m.len);
        for (size_t i = 0; i < m.len; i++)
            answer[i] = answer[i] ? answer[i] : '|';
        put(what, length(what));
        put(m.type == XS_ERROR ? ": error " : m.type == XS_WATCH_EVENT ? ": event " : ": ", m.type == type ? 2 : 8);
        put(answer, m.len);
        put("\n", 1);
    } while (m.req_id != req_id);
}
#define STORE(what, type, payload) store(what, type, payload, sizeof(payload))

static void xenstore(void)
{
    STORE("ls device", XS_DIRECTORY, "device");
    STORE("ls device/vif/0", XS_DIRECTORY, "device/vif/0");
    STORE("read device/vif/0/mac", XS_READ, "device/vif/0/mac");
    STORE("write device/vif/0/flibble", XS_WRITE, "device/vif/0/flibble\0flobble");
    STORE("rm device/vif/0/flibble", XS_RM, "device/vif/0/flibble");
    STORE("get domain path", XS_GET_DOMAIN_PATH, "0");
    STORE("read domid", XS_READ, "domid");
    STORE("watch control/shutdown", XS_WATCH, "control/shutdown\0shutdown");
    STORE("read control/shutdown", XS_READ, "control/shutdown");
    STORE("write control/feature-poweroff", XS_WRITE, "control/feature-poweroff\0001");
    STORE("unwatch", XS_UNWATCH, "control/shutdown\0shutdown");
    STORE("introduce", XS_INTRODUCE, "1\0002\0003");
}

void start_kernel(struct start_info *info);
void start_kernel(struct start_info *info)
{
    union {
        struct physdev_op op;
        struct sched_shutdown shutdown;
    } u = { .op = { .cmd = PHYSDEVOP_SET_IOPL } };
    long mapped;

    si = info;
    mapped = update_va_mapping(&shared_info, si->shared_info | 7, UVMF_INVLPG);
    upcall_pending = &shared_info.vcpu_info[0].evtchn_upcall_pending;
    say("shared_info", mapped);
#ifdef __x86_64__
    say("set_callbacks",
        hypercall(__HYPERVISOR_set_callbacks, ADDR(hypervisor_callback), ADDR(failsafe_callback), 0, 0, 0));
#else
    say("set_callbacks", hypercall(__HYPERVISOR_set_callbacks, FLAT_KERNEL_CS, ADDR(hypervisor_callback),
                                   FLAT_KERNEL_CS, ADDR(failsafe_callback), 0));
#endif
    say("xen_version is 4.17", hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0) == (4 << 16 | 17));
    map_all();
    memory();
    if (si->cmd_line[0] == 's')
        suspend();
    grants();
    events();
    u.op.u.set_iopl.iopl = 1;
    say("physdev_op: iopl 1", hypercall(__HYPERVISOR_physdev_op_compat, ADDR(&u.op), 0, 0, 0, 0));
    u.op.u.set_iopl.iopl = 4;
    say("iopl 4", hypercall(__HYPERVISOR_physdev_op_compat, ADDR(&u.op), 0, 0, 0, 0));
    u.op.cmd = 99;
    say("command 99", hypercall(__HYPERVISOR_physdev_op_compat, ADDR(&u.op), 0, 0, 0, 0));
    say("sched_op: poll, which the old form never had",
        hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_poll, 0, 0, 0, 0));
    xenstore();
    put("Goodbye.\n", 9);
    hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_poweroff, 0, 0, 0);
    for (;;)
        yield();
}
