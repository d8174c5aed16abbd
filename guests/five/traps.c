// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions and the timer, of the kernel itself.
 *
 * Concept: attempt() calls a function; if it traps, the handler lets the kernel go on behind the call, and says what
 * came.
 * Seen are vector, error code, address, and where the saved RIP points: at the instruction (a fault) or behind it (a
 * trap).
 */
#include "guests/five/cpu.h"

volatile unsigned int ticks;
static struct caught caught;

void trap(struct frame *f)
{
    if (f->vector == TRAP_TIMER) {
        ticks += cpu_timer_rang();
        return;
    }
    if (!try_stack) {
        note_number("vector ", f->vector);
        note_number("error ", f->error);
        note_number("at ", f->rip);
        panic("an exception of the kernel's that it does not expect");
    }
    caught.trapped = true;
    caught.vector = f->vector;
    caught.error = f->error;
    caught.rip = f->rip;
    if (f->vector == TRAP_PAGE_FAULT)
        caught.address = cpu_fault_address();
    f->rip = (uint64_t)try_failed;
    f->rsp = try_stack;
}

struct caught attempt(uint64_t (*fn)(uint64_t), uint64_t arg)
{
    uint64_t val;

    memset(&caught, 0, sizeof(caught));
    val = try_call(fn, arg);
    try_stack = 0;
    caught.result = val;
    return caught;
}

static void one(const char *what, uint64_t (*fn)(uint64_t), uint64_t arg)
{
    const struct caught c = attempt(fn, arg);

    result(what, c.trapped ? c.vector << 16 | c.error << 8 | (c.rip - (uint64_t)fn) : ~0ul);
}

/* Vector, error code, bytes from the function's begin to the saved RIP. */
void traps_test(void)
{
    one("#DE of DIV", do_divide, 0);
    one("#UD of UD2", do_ud2, 0);
    one("#BP of INT3", do_int3, 0);
    one("#GP of an address that is none", do_read, 1ul << 48);
    result("and none of what is right", attempt(do_read, (uint64_t)&try_stack).trapped);
}

/* Three sleeps, three ticks; and none while interrupts are off. */
void timer_test(void)
{
    unsigned int before = ticks;

    for (unsigned int i = 0; i < 3; i++) {
        cpu_timer(1000000);
        while (ticks == before + i)
            cpu_wait();
    }
    result("ticks of three sleeps", ticks - before);
    before = ticks;
    cpu_timer(10000);
    for (volatile unsigned int i = 0; i < 100000; i++)
        ;
    result("ticks with interrupts off", ticks - before);
    cpu_interrupts_on();
    while (ticks == before)
        ;
    cpu_interrupts_off();
    result("ticks with interrupts on", ticks - before);
}
