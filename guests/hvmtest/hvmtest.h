// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvmtest: what a processor, and Xen's part of it, must do, a fact a line.
 *
 * Concept: a fact is a few instructions (a probe), the ring in which they run, and what must become of them: the
 * trap that ends them, or the value that they leave in the accumulator. The same sources make four guests: long mode,
 * and 32 bits with PSE, with PAE and without paging (LEVELS 4, 2, 3, 0). Whatever a probe did to segments, stack and
 * flags is undone behind it; control registers, tables and MSRs are the fact's own to restore.
 */
#ifndef HVMTEST_H
#define HVMTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/hvmtest/selectors.h"

typedef unsigned long word;

/* Whether a fact is one of this guest's. */
#define LONG (LEVELS == 4)

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, MC, XM };
enum where { KERNEL, USER };

/* What becomes of a probe: a trap, with or without error code, or none. */
#define NONE            0
#define TRAP(v)         (0x1000000u | (unsigned int)(v) << 16)
#define TRAP_ERR(v, ec) (0x3000000u | (unsigned int)(v) << 16 | (unsigned int)(ec))

struct trap_frame {
#if LEVELS == 4
    word r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
    word es, ds, di, si, bp, bx, dx, cx, ax;
#endif
    word vector;
    word hw[6]; /* [error], ip, cs, flags, and if the ring changed (or always, in long mode) sp, ss */
};

/* The trap that ended the last probe; after LEFT the vector is that. */
struct trap {
    unsigned int vector, error;
    bool has_error;
    word ip, cs, flags, sp, ax, cr2;
};
extern struct trap trap;

/* Is called at each trap within a probe if it is not null; true: return from it. hw[0] of hw is the IP. */
extern bool (*trap_hook)(struct trap_frame *f, word *hw);

extern word probe_flags; /* RFLAGS of a probe in ring 3 */
extern uint64_t gdt[], top_table[];
extern char first_table[], stubs[], user_begin[], user_end[], user_stack[], hypercall_page[];
extern word trap_stack[8192 / sizeof(word)];
extern uint8_t pages[4 * 4096], tss[104];
extern word idt[256 * 2];

/* Run a probe; NONE, TRAP() or TRAP_ERR(). */
unsigned int probe_run(enum where where, const void *code);

/* Tell the outcome of a fact. */
void fact(const char *name, uint64_t got, uint64_t expected);

void gate_set(unsigned int vector, const void *handler, unsigned int sel, unsigned int dpl);
void descriptor_set(unsigned int sel, uint32_t base, uint32_t limit, unsigned int attr);
uint64_t pte_get(const void *page);
void pte_set(const void *page, uint64_t entry);

/* Instructions in a place that ring 3 may execute; ends with RET. */
#define PROBE(code)                                                                                                    \
    ({                                                                                                                 \
        const void *p_;                                                                                                \
        __asm__ volatile(".pushsection .user\n771: " code "\nret\n.popsection");                                       \
        __asm__ volatile("mov $771b, %0" : "=r"(p_)::"memory");                                                        \
        p_;                                                                                                            \
    })

/* The trap that ends it is this; it ends with this in the accumulator; and where the trap says it was (label 772). */
#define FACT(name, where, expected, code) fact(name, probe_run(where, PROBE(code)), expected)
#define VALUE(name, where, expected, code)                                                                             \
    do {                                                                                                               \
        const unsigned int t_ = probe_run(where, PROBE(code));                                                         \
        fact(name, t_ ? t_ : trap.ax, expected);                                                                       \
    } while (0)
#define AT(name, where, expected, code)                                                                                \
    do {                                                                                                               \
        const void *p_ = PROBE(code);                                                                                  \
        word at_;                                                                                                      \
        const unsigned int t_ = probe_run(where, p_);                                                                  \
        __asm__ volatile("mov $772b, %0" : "=r"(at_));                                                                 \
        fact(name, t_, expected);                                                                                      \
        fact(name ": where", trap.ip, at_);                                                                            \
    } while (0)

/* Registers by the names that both widths have. */
#if LEVELS == 4
#define AX    "%rax"
#define BX    "%rbx"
#define CX    "%rcx"
#define DX    "%rdx"
#define SP    "%rsp"
#define DI    "%rdi"
#define SI    "%rsi"
#define IRETW "iretq"
#define LRETW "lretq"
#else
#define AX    "%eax"
#define BX    "%ebx"
#define CX    "%ecx"
#define DX    "%edx"
#define SP    "%esp"
#define DI    "%edi"
#define SI    "%esi"
#define IRETW "iret"
#define LRETW "lret"
#endif

#define STR_(x) #x
#define STR(x)  STR_(x)

#define READ(reg)                                                                                                      \
    ({                                                                                                                 \
        word v_;                                                                                                       \
        __asm__ volatile("mov %%" #reg ", %0" : "=r"(v_));                                                             \
        v_;                                                                                                            \
    })
#define WRITE(reg, value) __asm__ volatile("mov %0, %%" #reg ::"r"((word)(value)) : "memory")

/* The groups, in their order. */
void facts_traps(void);
void facts_debug(void);
void facts_registers(void);
void facts_segments(void);
void facts_rings(void);
void facts_paging(void);
void facts_corners(void);
void facts_apic(void);
void facts_mmio(void);
void facts_xen(void);

/* Do what the command line asks for, "op=cpuid n=1000"; false: there is no op in it, or not in this mode. */
bool bench(void);

#endif
