// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/rough_code.h"

#include <string.h>

#include "tests/support/ram.h"

#define ROUNDS   3
#define GDT_PAGE 16

uint64_t rough_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

#define PUT(p, transfer, bytes) put(p, transfer, bytes, sizeof(bytes) - 1)

static void put(struct rough_code *p, bool transfers, const char *bytes, unsigned int n)
{
    p->transfers[p->len] = transfers;
    p->insn[p->nr++] = (uint16_t)p->len;
    memcpy(p->code + p->len, bytes, n);
    p->len += n;
}

/*
 * An instruction ending in the displacement from R15 of a place `ahead` bytes behind the instruction, and an immediate.
 */
static void put_store_ahead(struct rough_code *p, unsigned int ahead, uint8_t value)
{
    const unsigned int at = p->len + 8 + ahead;

    PUT(p, false, "\x41\xc6\x87\x00\x00\x00\x00\x00"); /* movb $value, at(%r15) */
    memcpy(p->code + p->len - 5, &at, 4);
    p->code[p->len - 1] = value;
}

static void put_piece(struct rough_code *p, uint64_t *s)
{
    const uint64_t r = rough_random(s);

    switch (r % 25) {
    case 0:
        for (unsigned int i = 0; i < r / 32 % 40; i++)
            PUT(p, false, "\x48\xff\xc0"); /* inc %rax */
        return;
    case 1:
        for (unsigned int i = 0; p->len < ROUGH_SIZE / 2 && i < 600; i++)
            PUT(p, false, "\xff\xc2"); /* inc %edx */
        return;
    case 2:
        for (unsigned int i = 0; i < 90; i++)
            PUT(p, false, "\xdc\xc1"); /* fadd %st, %st(1) */
        return;
    case 3:
        PUT(p, true, "\x74\x02"); /* jz over the next */
        PUT(p, false, "\xff\xc2");
        return;
    case 4:
        PUT(p, false, "\xff\xc9"); /* dec %ecx */
        PUT(p, true, "\x7f\xfc");  /* jg back to it */
        return;
    case 5: PUT(p, true, "\xe8\x00\x00\x00\x00"); return; /* call of what follows */
    case 6:
        PUT(p, false, "\x4c\x8d\x05\x03\x00\x00\x00"); /* lea 3(%rip), %r8 */
        PUT(p, false, "\x41\x50");                     /* push %r8 */
        PUT(p, true, "\xc3");                          /* ret to what follows */
        return;
    case 7:
        PUT(p, false, "\x6a\x0b"); /* push $11; pop %rcx */
        PUT(p, false, "\x59");
        PUT(p, false, "\x48\x89\xdf"); /* mov %rbx, %rdi */
        PUT(p, true, "\xf3\xaa");      /* rep stosb */
        return;
    case 8:
        PUT(p, false, "\xb9\xc8\x00\x00\x00"); /* mov $200, %ecx */
        PUT(p, false, "\x48\x89\xdf");
        PUT(p, false, "\x48\x8d\xb3\x00\x08\x00\x00"); /* lea 2048(%rbx), %rsi */
        PUT(p, true, "\xf3\x48\xa5");                  /* rep movsq */
        return;
    case 9: PUT(p, true, "\xf3\xae"); return; /* repe scasb: at most what ECX says */
    case 10:
        PUT(p, false, "\x8e\xd5"); /* mov %ebp, %ss */
        return;
    case 11:
        PUT(p, false, "\x8e\xd5");
        PUT(p, true, "\xeb\x00"); /* in its shadow: jmp to what follows */
        return;
    case 12: /* the immediate of an instruction in the same block */
        put_store_ahead(p, 4, (uint8_t)r);
        PUT(p, false, "\xff\xc2");
        PUT(p, false, "\x41\xb9\x01\x00\x00\x00"); /* mov $1, %r9d */
        return;
    case 13: /* of the next instruction, which is a jump: from over nothing to over nothing */
        put_store_ahead(p, 1, 0);
        PUT(p, true, "\xeb\x00");
        return;
    case 14:
        PUT(p, false, "\x9c"); /* pushf, popf */
        PUT(p, false, "\x9d");
        return;
    case 15:
        PUT(p, false, "\x9c");
        PUT(p, false, "\x81\x0c\x24\x00\x01\x00\x00"); /* orl $TF, (%rsp) */
        PUT(p, false, "\x9d");
        return;
    case 16: PUT(p, false, "\x0f\xa2"); return;        /* cpuid: the hypervisor's */
    case 17: PUT(p, true, "\x0f\x05"); return;         /* syscall */
    case 18:                                           /* a call that pushes onto its own code's page */
        PUT(p, false, "\x49\x89\xe0");                 /* mov %rsp, %r8 */
        PUT(p, false, "\x49\x8d\xa7\x00\x00\x00\x00"); /* lea at(%r15), %rsp: the end of the call below */
        memcpy(p->code + p->len - 4, &(uint32_t){ p->len + 5 + 8 }, 4);
        PUT(p, true, "\xe8\x08\x00\x00\x00"); /* call over eight bytes, which it overwrites */
        memset(p->code + p->len, 0x90, 8);
        p->len += 8;
        PUT(p, false, "\x4c\x89\xc4"); /* mov %r8, %rsp */
        return;
    case 19:
        PUT(p, false, "\x89\x83\x10\x00\x00\x00"); /* mov %eax, 16(%rbx) */
        PUT(p, false, "\x01\x93\x10\x00\x00\x00"); /* add %edx, 16(%rbx) */
        return;
    case 20:
        PUT(p, false, "\xf0\x48\x0f\xc7\x0b"); /* lock cmpxchg16b (%rbx): opens a block */
        return;
    case 21: /* what comes soon is overwritten by a jump to behind it */
        put_store_ahead(p, 2, 0xeb);
        PUT(p, false, "\xff\xc2");
        PUT(p, true, "\x04\x00"); /* add $0, %al */
        return;
    case 22: /* the last instruction of a block overwrites its middle, with the same */
        PUT(p, false, "\x49\x8d\xbf\x00\x00\x00\x00"); /* lea at(%r15), %rdi */
        memcpy(p->code + p->len - 4, &(uint32_t){ p->len + 7 }, 4);
        PUT(p, false, "\xb0\x90");             /* mov $nop, %al */
        PUT(p, false, "\xb9\x02\x00\x00\x00"); /* mov $2, %ecx */
        PUT(p, false, "\x90");
        PUT(p, false, "\x90");
        PUT(p, true, "\xf3\xaa");
        return;
    case 23:
        PUT(p, false, "\x4c\x8d\x05\x03\x00\x00\x00"); /* lea 3(%rip), %r8 */
        PUT(p, true, "\x41\xff\xe0");                  /* jmp *%r8, to what follows */
        return;
    default: PUT(p, true, "\xe2\x00"); return; /* loop to what follows */
    }
}

void rough_make(struct rough_code *p, uint64_t *s)
{
    const unsigned int n = 1 + (unsigned int)(rough_random(s) % 24);
    int32_t back;

    memset(p, 0, sizeof(*p));
    p->start = p->len = rough_random(s) & 1 ? 0 : PAGE_SIZE - 200 + (unsigned int)(rough_random(s) % 190);
    for (unsigned int i = 0; i < n && p->len < ROUGH_SIZE - 1000; i++)
        put_piece(p, s);
    PUT(p, false, "\x49\xff\xce"); /* dec %r14 */
    PUT(p, true, "\x0f\x85\x00\x00\x00\x00");
    back = (int32_t)p->start - (int32_t)p->len;
    memcpy(p->code + p->len - 4, &back, 4);
    PUT(p, false, "\x0f\x0b");
}

void rough_start(struct pv_guest *g, const struct rough_code *p)
{
    const uint16_t fcw = 0x37f;
    const uint32_t mxcsr = 0x1f80;

    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    memset(g->st->fxsave, 0, sizeof(g->st->fxsave));
    memcpy(g->st->fxsave, &fcw, sizeof(fcw));
    memcpy(g->st->fxsave + 24, &mxcsr, sizeof(mxcsr));
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        ((uint8_t *)ram_page(g->m, PG_FRAME(ROUGH_AREA)))[i] = (uint8_t)(i * 7);
    memset(ram_page(g->m, PG_FRAME(PG_STACK)), 0, PAGE_SIZE);
    pg_write(g, 0, 0, p->code, PAGE_SIZE);
    pg_write(g, 1, 0, p->code + PAGE_SIZE, PAGE_SIZE);
    g->st->rflags = 0x202;
    g->st->rip = PG_VA(0) + p->start;
    g->st->rbx = PG_VA(ROUGH_AREA);
    g->st->rdi = PG_VA(ROUGH_AREA);
    g->st->rsp = PG_VA(PG_STACK) + PAGE_SIZE / 2;
    g->st->rbp = 0x23;
    g->st->r15 = PG_VA(0);
    g->st->r14 = ROUNDS;
    pg_write(g, GDT_PAGE, 0, pg_gdt, sizeof(pg_gdt));
    g->st->gdtr = (struct cpu_table){ PG_VA(GDT_PAGE), sizeof(pg_gdt) - 1 };
    g->st->dr[7] = X86_DR7_DEFAULT;
    g->st->dirty |= CPU_DIRTY_FPU | CPU_DIRTY_DR | CPU_DIRTY_SEGS;
}
