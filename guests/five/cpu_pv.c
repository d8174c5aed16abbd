// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sensitive operations, asked of Xen: the kernel runs at CPL 3, and none of the instructions would do.
 *
 * The hypercalls are guests/rt/hypercall.h's, the start is guests/rt/start.S. Kernel and user are kept apart by two
 * roots (see guests/rt/user.c).
 *
 * Source: public xen.h, arch-x86/xen.h, arch-x86/xen-x86_64.h, event_channel.h, sched.h.
 */
#include "guests/five/cpu.h"
#include "guests/rt/hypercall.h"

#define IF                0x200ul
#define GATE_MASKS_EVENTS 4
#define FRAME_OF(mfn)     ((mfn) << 12)
#define PAGE_RO           (ENTRY_P | ENTRY_US | ENTRY_A)
#define PAGE_RW           (PAGE_RO | ENTRY_RW | ENTRY_D)

extern uint64_t entries[];
extern char event_entry[], syscall_entry[], failsafe_entry[], VIRT_BASE[];
void guest_start(const struct start_info *si, unsigned long first_stack);
void five_main(void);
void user_enter(struct frame *f);

const char cpu_name[] = "a kernel that knows of Xen";

/* Traps from user mode are stored below the frame's end by Xen, and moved into it by entry_pv.S. */
struct {
    char unused[64];
    struct frame frame;
} user_left __attribute__((aligned(16)));

static const struct start_info *start_info;
static char shared_page[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile struct shared_info *const shared = (void *)shared_page;
static const uint64_t *root; /* that is in use */
static evtchn_port_t timer;

/* No tables of its own, where a processor of its own would show them. */
const struct cpu_own cpu_own = {
    .gdt = ~0ul, .idt = ~0ul, .code = FLAT_KERNEL_CS & 0xfff8, .data = FLAT_KERNEL_DS & 0xfff8, .code_rights = 0x9b00
};

static volatile struct vcpu_info *vcpu(void) { return &shared->vcpu_info[0]; }

static void must(long rc, const char *what)
{
    if (rc < 0)
        panic(what);
}

static uint64_t page_mfn(const void *page)
{
    return ((const unsigned long *)start_info->mfn_list)[((const char *)page - VIRT_BASE) >> 12];
}

/* ------------------------------------------------------------------------------------------------ traps, events -- */

static void traps_set(void)
{
    static struct trap_info table[34];
    static const struct callback_register callbacks[] = {
        { CALLBACKTYPE_event, CALLBACKF_mask_events, (unsigned long)event_entry },
        { CALLBACKTYPE_failsafe, CALLBACKF_mask_events, (unsigned long)failsafe_entry },
        { CALLBACKTYPE_syscall, CALLBACKF_mask_events, (unsigned long)syscall_entry },
    };

    for (unsigned int i = 0; i < 33; i++) /* 32 exceptions, INT 0x80; then the end */
        table[i] = (struct trap_info){
            .vector = i < 32 ? (uint8_t)i : TRAP_INT80,
            .flags = (i == 32 || i == TRAP_BREAKPOINT ? 3 : 0) | GATE_MASKS_EVENTS,
            .cs = FLAT_KERNEL_CS,
            .address = entries[i],
        };
    must(HYPERVISOR_set_trap_table(table), "set_trap_table");
    for (unsigned int i = 0; i < 3; i++)
        must(HYPERVISOR_callback_op(CALLBACKOP_register, &callbacks[i]), "callback_op");
    must(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)(&user_left.frame + 1)), "stack_switch");
}

void guest_start(const struct start_info *si, unsigned long first_stack)
{
    start_info = si;
    root = (const uint64_t *)si->pt_base;
    five_main();
}

void cpu_init(void)
{
    struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER };

    must(HYPERVISOR_update_va_mapping((unsigned long)shared_page, start_info->shared_info | PAGE_RW, UVMF_INVLPG),
         "shared_info");
    vcpu()->evtchn_upcall_mask = 1;
    traps_set();
    must(HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind), "bind_virq");
    timer = bind.port; /* below 64: the first word of the bits */
    shared->evtchn_mask[0] = ~(1ul << timer);
}

void cpu_write(const char *text, size_t n) { HYPERVISOR_console_io(CONSOLEIO_write, n, text); }

_Noreturn void cpu_stop(void)
{
    struct sched_shutdown shutdown = { .reason = SHUTDOWN_poweroff };

    for (;;)
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown);
}

uint64_t cpu_fault_address(void) { return vcpu()->arch.cr2; }

void cpu_interrupts_off(void) { vcpu()->evtchn_upcall_mask = 1; }

/* What became pending meanwhile is delivered on the way back from any hypercall. */
void cpu_interrupts_on(void)
{
    vcpu()->evtchn_upcall_mask = 0;
    if (vcpu()->evtchn_upcall_pending)
        HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

/* Unmasks as it blocks. */
void cpu_wait(void)
{
    HYPERVISOR_sched_op(SCHEDOP_block, NULL);
    cpu_interrupts_off();
}

static uint64_t now(void)
{
    const volatile struct vcpu_time_info *t = &vcpu()->time;
    uint32_t version, low, high;
    uint64_t delta, base;

    do {
        version = t->version;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
        delta = (low | (uint64_t)high << 32) - t->tsc_timestamp;
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        base = t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
    } while (version & 1 || version != t->version);
    return base;
}

void cpu_timer(uint64_t ns) { HYPERVISOR_set_timer_op(now() + ns); }

bool cpu_timer_rang(void)
{
    bool rang;

    vcpu()->evtchn_upcall_pending = 0;
    vcpu()->evtchn_pending_sel = 0;
    rang = shared->evtchn_pending[0] >> timer & 1;
    shared->evtchn_pending[0] = 0;
    return rang;
}

void cpu_task_switched(bool on) { HYPERVISOR_fpu_taskswitch(on); }

/* -------------------------------------------------------------------------------------------------------- paging -- */

uint64_t cpu_entry(const void *page, uint64_t flags) { return FRAME_OF(page_mfn(page)) | flags; }

/* Xen lets no table be writable. */
void cpu_table_begin(uint64_t *table)
{
    must(HYPERVISOR_update_va_mapping((unsigned long)table, cpu_entry(table, PAGE_RO), UVMF_INVLPG),
         "update_va_mapping");
}

static long mmuext(unsigned int cmd, const void *page)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = page_mfn(page) };

    return HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

/* The user's root has the lower part only. Pinned: Xen has checked them once for all, and loading is quick. */
void cpu_space_begin(struct space *s)
{
    s->user_root = page_alloc();
    s->user_root[0] = s->root[0];
    cpu_table_begin(s->root);
    cpu_table_begin(s->user_root);
    must(mmuext(MMUEXT_PIN_L4_TABLE, s->root), "pin");
    must(mmuext(MMUEXT_PIN_L4_TABLE, s->user_root), "pin");
}

void cpu_entry_write(uint64_t *table, unsigned int index, uint64_t entry)
{
    struct mmu_update update = { .ptr = FRAME_OF(page_mfn(table)) | index * 8 | MMU_NORMAL_PT_UPDATE, .val = entry };

    must(HYPERVISOR_mmu_update(&update, 1, NULL, DOMID_SELF), "mmu_update");
}

void cpu_page_flush(uint64_t va)
{
    struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = va };

    must(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF), "invlpg");
}

/* Not to be written, but by cpu_entry_write(). */
uint64_t *cpu_root(void) { return (uint64_t *)(uintptr_t)root; }

void cpu_space_load(const struct space *s)
{
    must(mmuext(MMUEXT_NEW_BASEPTR, s->root), "CR3");
    must(mmuext(MMUEXT_NEW_USER_BASEPTR, s->user_root), "the user's CR3");
    root = s->root;
}

/* ----------------------------------------------------------------------------------------------------- user mode -- */

void cpu_user_frame(struct frame *f, uint64_t rip, uint64_t rsp, uint64_t arg)
{
    memset(f, 0, sizeof(*f));
    f->rip = rip;
    f->rsp = rsp;
    f->rdi = arg;
    f->cs = FLAT_USER_CS;
    f->ss = FLAT_USER_SS;
    f->rflags = IF | 2;
}

void cpu_user_run(struct frame *f)
{
    user_left.frame = *f;
    user_enter(&user_left.frame);
    *f = user_left.frame;
}
