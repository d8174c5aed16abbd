// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 instructions whose operand is no memory.
 *
 * Concept: the operand is read from whoever answers, the host's own x87 unit computes with the guest's registers (as
 * the processor would: its results are the same everywhere), and what is to be stored is written. The guest's image of
 * the unit changes when all that is done.
 *
 * Invariants: on the host all exceptions are masked; what the guest has not masked is pending afterwards (ES), with the
 * masked result. The pointers to the last instruction and operand stay: the host's are nobody's business.
 *
 * Environments and whole states (FLDENV, FNSTENV, FRSTOR, FNSAVE) are not here.
 *
 * Source: AMD APM volume 5; Intel SDM volume 1, 8.1 (registers), 10.5.1 (the image).
 * Corresponds to the x87 part of xen/arch/x86/x86_emulate/x86_emulate.c.
 */
#include "vcpu/hvm/emulate.h"

#include <string.h>

#define FSW_FLAGS 0x3fu /* exceptions, as in FCW their masks */
#define FSW_ES    0x80u
#define FSW_B     0x8000u

/* The image, as FXSAVE with 64-bit pointers has it. */
struct image {
    uint16_t fcw, fsw;
    uint8_t ftw, unused;
    uint8_t pointers[18]; /* FOP FIP FDP */
    uint8_t rest[488];
} __attribute__((aligned(16)));

_Static_assert(sizeof(struct image) == 512, "what FXSAVE writes");

/* By the opcode's lower three bits and reg: bytes of the operand; bit 7: a store. 0: none that is done here. */
static const uint8_t what[8][8] = {
    { 4, 4, 4, 4, 4, 4, 4, 4 },                 /* D8 */
    { 4, 0, 0x84, 0x84, 0, 2, 0, 0x82 },        /* D9 */
    { 4, 4, 4, 4, 4, 4, 4, 4 },                 /* DA */
    { 4, 0x84, 0x84, 0x84, 0, 10, 0, 0x8a },    /* DB */
    { 8, 8, 8, 8, 8, 8, 8, 8 },                 /* DC */
    { 8, 0x88, 0x88, 0x88, 0, 0, 0, 0x82 },     /* DD */
    { 2, 2, 2, 2, 2, 2, 2, 2 },                 /* DE */
    { 2, 0x82, 0x82, 0x82, 10, 8, 0x8a, 0x88 }, /* DF */
};

#define CASE(op, reg, insn)                                                                                            \
    case (op) << 3 | (reg):                                                                                            \
        __asm__ volatile(insn " %0" : "+m"(*m));                                                                       \
        break
#define ARITHMETIC(op, i, suffix)                                                                                      \
    CASE(op, 0, "f" i "add" suffix);                                                                                   \
    CASE(op, 1, "f" i "mul" suffix);                                                                                   \
    CASE(op, 2, "f" i "com" suffix);                                                                                   \
    CASE(op, 3, "f" i "comp" suffix);                                                                                  \
    CASE(op, 4, "f" i "sub" suffix);                                                                                   \
    CASE(op, 5, "f" i "subr" suffix);                                                                                  \
    CASE(op, 6, "f" i "div" suffix);                                                                                   \
    CASE(op, 7, "f" i "divr" suffix)

typedef uint8_t bytes16[16];

/* One instruction by the host, with the registers in *x, and its operand at *m. */
static __attribute__((noinline)) void compute(struct image *x, unsigned int nr, bytes16 *m)
{
    struct image host;

    __asm__ volatile("fxsave64 %0" : "=m"(host));
    __asm__ volatile("fxrstor64 %0"
                     :
                     : "m"(*x)
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15");
    switch (nr) {
        ARITHMETIC(0, "", "s");
        ARITHMETIC(2, "i", "l");
        ARITHMETIC(4, "", "l");
        ARITHMETIC(6, "i", "s");
        CASE(1, 0, "flds");
        CASE(1, 2, "fsts");
        CASE(1, 3, "fstps");
        CASE(3, 0, "fildl");
        CASE(3, 1, "fisttpl");
        CASE(3, 2, "fistl");
        CASE(3, 3, "fistpl");
        CASE(3, 5, "fldt");
        CASE(3, 7, "fstpt");
        CASE(5, 0, "fldl");
        CASE(5, 1, "fisttpll");
        CASE(5, 2, "fstl");
        CASE(5, 3, "fstpl");
        CASE(7, 0, "filds");
        CASE(7, 1, "fisttps");
        CASE(7, 2, "fists");
        CASE(7, 3, "fistps");
        CASE(7, 4, "fbld");
        CASE(7, 5, "fildll");
        CASE(7, 6, "fbstp");
        CASE(7, 7, "fistpll");
    }
    __asm__ volatile("fxsave64 %0\n\tfxrstor64 %1" : "+m"(*x) : "m"(host));
}

/* The control and status words are moved as they are; everything else is computed. */
static void execute(struct image *x, unsigned int nr, bytes16 *m)
{
    const struct image old = *x;
    unsigned int flags;

    switch (nr) {
    case 1 << 3 | 5: /* FLDCW */
        memcpy(&x->fcw, m, 2);
        x->fcw = (uint16_t)((x->fcw & 0x1f7f) | 0x40);
        flags = x->fsw;
        break;
    case 1 << 3 | 7: memcpy(m, &x->fcw, 2); return; /* FNSTCW */
    case 5 << 3 | 7: memcpy(m, &x->fsw, 2); return; /* FNSTSW */
    default:
        x->fcw |= FSW_FLAGS;
        x->fsw &= (uint16_t) ~(FSW_FLAGS | FSW_ES | FSW_B);
        compute(x, nr, m);
        memcpy(x->pointers, old.pointers, sizeof(x->pointers));
        flags = x->fsw | old.fsw;
        x->fcw = old.fcw;
    }
    x->fsw = (uint16_t)((x->fsw & ~(FSW_ES | FSW_B)) | (flags & (FSW_FLAGS | 0x40)));
    if (x->fsw & ~x->fcw & FSW_FLAGS)
        x->fsw |= FSW_ES | FSW_B;
}

bool emul_x87(struct emul *e)
{
    const unsigned int nr = (e->in.op & 7u) << 3 | MODRM_REG(&e->in), n = what[nr >> 3][nr & 7] & 0x7f;
    const bool store = what[nr >> 3][nr & 7] & 0x80;
    struct emul_place p;
    struct image x;
    bytes16 m = { 0 };

    if (!n) {
        e->unknown = true;
        return false;
    }
    if (!emul_operand(e, n, store, &p) || (!store && !emul_read(e, &p, m)))
        return false;
    cpu_context_save_fpu(e->v->ctx);
    memcpy(&x, e->r->fxsave, sizeof(x));
    execute(&x, nr, &m);
    if (store && !emul_write(e, &p, m))
        return false;
    memcpy(e->r->fxsave, &x, sizeof(x));
    e->r->dirty |= CPU_DIRTY_FPU;
    return true;
}
