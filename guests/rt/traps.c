// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trap table, and handlers in C.
 *
 * Concept: a kernel on real hardware gives the processor an interrupt descriptor table. A PV kernel may not; it gives
 * Xen a list of (vector, handler's address, flags) by HYPERVISOR_set_trap_table, and Xen delivers accordingly. The
 * flags are a gate's: the privilege that INT n needs, and whether delivery masks events (as an interrupt gate clears
 * IF). Events and system calls do not have vectors; their entries are registered by HYPERVISOR_callback_op.
 *
 * A trap that nobody handles here is printed and ends the domain, except below trap_catch(): that calls a function,
 * and if the function traps, it leaves it, like a C++ exception. Most toy guests do forbidden things that way, and
 * look what came.
 *
 * Invariant: a handler runs on the stack of what it interrupted (in kernel mode) or on trap_stack (from user mode),
 * with events masked; vcpu_info's mask is what it was before when the guest goes on.
 */
#include "guests/rt/guest.h"

extern char trap_entries[], event_callback[], syscall_callback[], failsafe_callback[]; /* entry.S */

#define TRAP_ENTRY_SIZE   16
#define GATE_MASKS_EVENTS 4

static trap_handler_fn *handlers[NR_TRAPS];

/* The innermost trap_catch(). */
static struct catching {
    struct context context;
    struct caught caught;
    struct catching *outer;
} * catching;

const char *trap_name(unsigned int vector)
{
    static const char *const name[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "?9",  "#TS",
        "#NP", "#SS", "#GP", "#PF", "?15", "#MF", "#AC", "#MC", "#XM", "?20", "#CP",
    };

    if (vector < ARRAY_SIZE(name))
        return name[vector];
    return vector == TRAP_SYSCALL ? "syscall" : vector == TRAP_EVENT ? "event" : "INT n";
}

void trap_print(const struct guest_regs *r)
{
    printf("%s (vector %lu, error code %04lx) in %s mode at %016lx", trap_name((unsigned int)r->vector), r->vector,
           r->error_code, from_user(r) ? "user" : "kernel", r->rip);
    if (r->vector == TRAP_PAGE_FAULT)
        printf(", address %016lx", vcpu_info()->arch.cr2);
    printf("\n  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    printf("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", r->rsi, r->rdi, r->rbp, r->rsp);
}

void trap_dispatch(struct guest_regs *regs)
{
    struct catching *c = catching;

    if (handlers[regs->vector]) {
        handlers[regs->vector](regs);
        return;
    }
    if (from_user(regs))
        user_ended(regs);
    if (!c || regs->vector >= TRAP_EVENT) {
        trap_print(regs);
        guest_panic("%s, which nobody handles", trap_name((unsigned int)regs->vector));
    }
    c->caught.trapped = true;
    c->caught.vector = (unsigned int)regs->vector;
    c->caught.error_code = (uint32_t)regs->error_code;
    c->caught.rip = regs->rip;
    if (regs->vector == TRAP_PAGE_FAULT)
        c->caught.address = vcpu_info()->arch.cr2;
    vcpu_info()->evtchn_upcall_mask = regs->upcall_mask;
    context_leave(&c->context, 0);
}

struct caught trap_catch(long (*fn)(long), long arg)
{
    struct catching c = { .outer = catching };
    long result;

    catching = &c;
    barrier();
    result = context_call(&c.context, fn, arg);
    catching = c.outer;
    barrier();
    c.caught.result = result;
    return c.caught;
}

void trap_handler_set(unsigned int vector, trap_handler_fn *handler) { handlers[vector] = handler; }

void trap_gate_set(unsigned int vector, unsigned int dpl)
{
    struct trap_info table[2] = { {
        .vector = (uint8_t)vector,
        .flags = (uint8_t)(dpl | GATE_MASKS_EVENTS),
        .cs = FLAT_KERNEL_CS,
        .address = (unsigned long)(trap_entries + vector * TRAP_ENTRY_SIZE),
    } };

    MUST(HYPERVISOR_set_trap_table(table)); /* up to the first entry whose address is 0 */
}

static void callback_set(unsigned int type, const char *entry)
{
    struct callback_register reg = {
        .type = (uint16_t)type,
        .flags = CALLBACKF_mask_events,
        .address = (unsigned long)entry,
    };

    MUST(HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
}

void traps_init(void)
{
    for (unsigned int vector = 0; vector < 22; vector++)
        trap_gate_set(vector, vector == TRAP_BREAKPOINT || vector == TRAP_OVERFLOW ? 3 : 0);
    callback_set(CALLBACKTYPE_event, event_callback);
    callback_set(CALLBACKTYPE_failsafe, failsafe_callback);
    callback_set(CALLBACKTYPE_syscall, syscall_callback);
}
