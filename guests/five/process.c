// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes and a pipe.
 *
 * Concept: the kernel is a loop. It chooses a process, lets it run until it traps, and does what the trap asks for:
 *
 *      SYSCALL, INT 0x80    one of four calls; who must wait for the pipe executes the instruction once more, later
 *      page fault           a page of its stack: is given; anything else: the process ends
 *      timer                the other one's turn
 *
 * A process ends by a read of nothing. How often each waited or was preempted differs from processor to processor; what
 * it read, computed and was given does not.
 */
#include "guests/five/cpu.h"

#define SLICE     100000ul /* ns */
#define PIPE_SIZE 64u
#define BACK      2u /* bytes of SYSCALL, and of INT 0x80 */

static struct process {
    struct frame frame;
    struct space space;
    bool ended;
    uint64_t end; /* vector, error code, address */
    unsigned int by_syscall, by_int80, pages_given;
    unsigned int preempted;
    uint64_t reports[REPORTS];
} processes[2];

static struct {
    uint8_t bytes[PIPE_SIZE];
    unsigned int in, out; /* counts */
    bool closed;
} pipe;

static void process_make(struct process *p, void (*program)(uint64_t), uint64_t pid)
{
    space_make(&p->space);
    for (uint64_t va = (uint64_t)user_start, at = 0; va + at < (uint64_t)user_end; at += PAGE_SIZE)
        space_map(&p->space, va + at, memcpy(page_alloc(), user_load + at, PAGE_SIZE));
    cpu_user_frame(&p->frame, (uint64_t)program, USER_STACK - 8, pid); /* as a function that was called finds it */
}

/* --------------------------------------------------------------------------------------------------------- calls -- */

/* The part of user memory that is there from the start. */
static bool in_section(uint64_t at, uint64_t n)
{
    return at >= (uint64_t)user_start && at <= (uint64_t)user_end && n <= (uint64_t)user_end - at;
}

/* Up to n bytes into the pipe, or out of it; -1: not now. */
static int64_t pipe_write(const uint8_t *from, uint64_t n)
{
    uint64_t done = 0;

    while (done < n && pipe.in - pipe.out < PIPE_SIZE)
        pipe.bytes[pipe.in++ % PIPE_SIZE] = from[done++];
    return done || !n ? (int64_t)done : -1;
}

static int64_t pipe_read(uint8_t *to, uint64_t n)
{
    uint64_t done = 0;

    while (done < n && pipe.out != pipe.in)
        to[done++] = pipe.bytes[pipe.out++ % PIPE_SIZE];
    return done || pipe.closed ? (int64_t)done : -1;
}

/* False: it has to wait. */
static bool call(struct process *p)
{
    struct frame *f = &p->frame;
    int64_t val = -2;

    switch (f->rax) {
    case SYS_PID: val = p - processes; break;
    case SYS_WRITE:
        if (in_section(f->rdi, f->rsi))
            val = pipe_write((const uint8_t *)f->rdi, f->rsi);
        break;
    case SYS_READ:
        if (in_section(f->rdi, f->rsi))
            val = pipe_read((uint8_t *)f->rdi, f->rsi);
        break;
    case SYS_REPORT:
        if (f->rdi < REPORTS)
            p->reports[f->rdi] = f->rsi;
        val = 0;
        break;
    default: break;
    }
    if (val == -1) {
        f->rip -= BACK;
        return false;
    }
    f->rax = (uint64_t)val;
    return true;
}

static void page_fault(struct process *p)
{
    const uint64_t at = cpu_fault_address();

    if (at < USER_STACK && at >= USER_STACK - STACK_PAGES * PAGE_SIZE && !(p->frame.error & ENTRY_P)) {
        space_map(&p->space, at & -PAGE_SIZE, page_alloc());
        p->pages_given++;
        return;
    }
    p->ended = true;
    p->end = p->frame.vector << 32 | p->frame.error << 16 | (at & 0xffff);
    pipe.closed = true;
}

/* Until it has to wait, its time is over, or it ends. Counted are calls that were done. */
static void run(struct process *p)
{
    bool goes_on = true;

    cpu_space_load(&p->space);
    while (goes_on && !p->ended) {
        cpu_user_run(&p->frame);
        switch (p->frame.vector) {
        case TRAP_SYSCALL: p->by_syscall += goes_on = call(p); break;
        case TRAP_INT80: p->by_int80 += goes_on = call(p); break;
        case TRAP_PAGE_FAULT: page_fault(p); break;
        case TRAP_TIMER:
            if (!cpu_timer_rang())
                break;
            cpu_timer(SLICE);
            p->preempted++;
            goes_on = false;
            break;
        default:
            p->ended = true;
            p->end = p->frame.vector << 32 | p->frame.error << 16;
            pipe.closed = true;
            break;
        }
    }
}

void processes_test(void)
{
    static const char *const names[2][REPORTS + 4] = {
        { "writer: its sum", "writer: what it wrote", "writer: its own variable", "writer: calls by SYSCALL",
          "writer: pages given", "writer: was preempted", "writer: ended by" },
        { "reader: its sum", "reader: what it read", "reader: its own variable", "reader: calls by INT 0x80",
          "reader: pages given", "reader: was preempted", "reader: ended by" },
    };

    process_make(&processes[0], program_write, 0);
    process_make(&processes[1], program_read, 1);
    cpu_timer(SLICE);
    while (!processes[0].ended || !processes[1].ended)
        for (unsigned int i = 0; i < 2; i++)
            run(&processes[i]);
    for (unsigned int i = 0; i < 2; i++) {
        const struct process *p = &processes[i];

        for (unsigned int r = 0; r < REPORTS; r++)
            result(names[i][r], p->reports[r]);
        /* Through the pipe the writer goes by INT 0x80, the reader by SYSCALL: how often, is a question of time. */
        result(names[i][REPORTS], i ? p->by_int80 : p->by_syscall);
        result(names[i][REPORTS + 1], p->pages_given);
        result(names[i][REPORTS + 2], p->preempted > 0);
        result(names[i][REPORTS + 3], p->end);
    }
}
