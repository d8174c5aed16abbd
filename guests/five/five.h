// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * five: one small kernel, to be run by every technique of virtualization.
 *
 * Concept: what a kernel can observe of its processor must not depend on who provides the processor. So the kernel does
 * what kernels do, and says a line of each thing that it observed; the lines go into a hash, which is the same wherever
 * the processor is what the manual says. Times, counts of interrupts and addresses are observed, too, but differ
 * rightly, and are not said.
 *
 *      main.c  ->  paging.c traps.c patch.c process.c (user.c)  probes.c  ->  cpu.h
 *                                                                             cpu_native.c, or cpu_pv.c
 *
 * Invariants: what a processor allows only kernels is done by cpu.h alone; but for cpu_*.c and entry_*.S both kernels
 * are the same object files.
 */
#ifndef GUESTS_FIVE_FIVE_H
#define GUESTS_FIVE_FIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------- saying (main.c) */

/* FNV-1a, of 64 bits. */
#define HASH_START 0xcbf29ce484222325ull
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n);

/* A line without the hash. */
void note(const char *text);
void note_number(const char *text, uint64_t val);
/* A line that every processor must give alike. */
void result(const char *what, uint64_t val);
_Noreturn void panic(const char *why);

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

/* -------------------------------------------------------------------------------------------------- traps (traps.c) */

enum {
    TRAP_DIVIDE = 0,
    TRAP_BREAKPOINT = 3,
    TRAP_INVALID_OP = 6,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_INT80 = 0x80,
    /* No vectors of the manual, but they come the same way. */
    TRAP_TIMER = 256,
    TRAP_SYSCALL = 257,
};

/* As entry_*.S leave it on the stack. */
struct frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
} __attribute__((aligned(16)));

/* A trap of the kernel itself: called from entry_*.S. One of user mode ends cpu_user_run() instead. */
void trap(struct frame *f);

/* What became of fn(arg): a result, or an exception. */
struct caught {
    bool trapped;
    uint64_t vector, error, address; /* of a page fault */
    uint64_t rip;
    uint64_t result;
};
struct caught attempt(uint64_t (*fn)(uint64_t), uint64_t arg);

extern volatile unsigned int ticks;
void traps_test(void);
void timer_test(void);

/* exceptions.S: each begins with what traps, or ends so. */
uint64_t do_divide(uint64_t), do_ud2(uint64_t), do_int3(uint64_t);
uint64_t do_read(uint64_t address), do_write(uint64_t address);
uint64_t try_call(uint64_t (*fn)(uint64_t), uint64_t arg);
extern char try_failed[];
extern uint64_t try_stack;

/* ------------------------------------------------------------------------------------------------ paging (paging.c) */

#define PAGE_SIZE 4096ul
#define ENTRY_P   0x01u
#define ENTRY_RW  0x02u
#define ENTRY_US  0x04u
#define ENTRY_A   0x20u
#define ENTRY_D   0x40u

/* Where the kernel maps pages for a while: a 512 GiB slot of its own, above what Xen keeps for itself. */
#define WINDOW_SLOT  300u
#define WINDOW       0xffff960000000000ul
#define KERNEL_SLOTS 272u /* of the root: from here on they are the kernel's, and the same in all spaces */

/* One process's memory: a tree for its lower part, of a table a level; all of it lies within 2 MiB. */
struct space {
    uint64_t *root, *user_root; /* user_root: of a processor that wants one without the kernel */
    uint64_t *l3, *l2, *l1;
};

/* Zeroes, and never given back. */
void *page_alloc(void);
void paging_test(void);
void space_make(struct space *s);
/* Map a page for user mode. */
void space_map(struct space *s, uint64_t va, const void *page);

/* ----------------------------------------------------------------------------------- processes (process.c, user.c) */

/* A process: the section .user, copied; and a stack, of which no page is there at first. */
#define USER_CODE   __attribute__((section(".user.text"), noinline, used))
#define USER_DATA   __attribute__((section(".user.data"), used))
#define USER_STACK  0x500000ul /* its end: grows down */
#define STACK_PAGES 4ul

enum { SYS_PID = 1, SYS_WRITE, SYS_READ, SYS_REPORT };
enum { REPORT_SUM, REPORT_PIPE, REPORT_PRIVATE, REPORTS };

extern char user_start[], user_end[], user_load[]; /* of the linker's script */
void program_write(uint64_t pid), program_read(uint64_t pid);
void processes_test(void);

/* ------------------------------------------------------------------------------------- the rest (patch.c, probes.c) */

void patch_test(void);
/* exceptions.S: the number that is in its code; the same, having put it there just before. */
extern char patched_code[];
uint32_t patch_ahead(uint32_t val);

/* The Popek-Goldberg holes. Their own hash: of what a processor of one's own gives. */
void probes_test(void);

#endif
