// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter: a processor in software, one instruction after the other.
 *
 * Concept: the oldest technique of virtualization, and the one that needs nothing of the processor below. It fetches an
 * instruction of the guest's, decodes it, and does what the manual says to a struct cpu_state in memory:
 *
 *      for (;;) {
 *              in = decode(fetch(rip))      interp_decode.c: bytes -> struct interp_insn, which are kept
 *              execute(in)                  interp_ops.c, interp_alu.c: registers, memory, flags
 *      }                                    interp_system.c: what only kernels do
 *
 * Nothing of the guest's ever runs, so nothing has to trap: it is the interpreter that sees each instruction. What it
 * cannot do itself it leaves for, with the same struct sim_exit as the other processor (sim/pcpu.h), and the hypervisor
 * does not know the difference.
 *
 * Invariants: the guest's state is struct cpu_state and the machine's RAM, and nothing else. What is kept here is a
 * memory of what was computed before: decoded instructions are compared with the bytes that they came from each time,
 * and translations (interp_memory.c) are forgotten at each entry, and when a table is written that they came from. So a
 * run does not depend on how often it was stopped. An instruction changes all that it changes, or faults and changes
 * nothing. Forms that are not there are refused by name: the domain crashes.
 *
 * Known are the forms that guests/five uses, and their kin: 32 and 64-bit code with flat segments, without TF or
 * breakpoints.
 *
 * Source: AMD APM volumes 2 and 3.
 */
#ifndef VCPU_FIVE_INTERP_H
#define VCPU_FIVE_INTERP_H

#include "sim/insn.h"
#include "sim/machine.h"
#include "vcpu/hvm/hvm.h"

/*
 * As pcpu_run_on() (sim/pcpu.h), for an HVM vCPU: execute until the budget is spent or the guest leaves, and for as
 * long as on_exit() says so.
 */
void interp_run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data);
/*
 * The one instruction at RIP, carried out for a guest that a processor executes and that may not do so itself: true: it
 * is, and a #DB for TF or DR7 is the caller's affair. False: it leaves, for *x.
 */
bool interp_one(struct vcpu *v, struct sim_exit *x);

/* ----------------------------------------------------------------------------------------- a decoded instruction -- */

/* clang-format off */
enum interp_op {
    OP_REFUSED, /* not known: .text says what it is */
    OP_ALU, OP_TEST, OP_NOT, OP_NEG, OP_MUL, OP_IMUL, OP_DIV, OP_IDIV, OP_IMUL2, OP_INC, OP_DEC, OP_SHIFT,
    OP_MOV, OP_MOVZX, OP_MOVSX, OP_LEA, OP_XCHG, OP_PUSH, OP_POP, OP_PUSHA, OP_POPA, OP_LEAVE, OP_SIGN_A, OP_SIGN_D, OP_NOP,
    OP_JCC, OP_JMP, OP_CALL, OP_JMP_RM, OP_CALL_RM, OP_RET, OP_SETCC, OP_CMOV, OP_MOVS, OP_STOS, OP_FLAG,
    OP_PUSHF, OP_POPF, OP_BIT, OP_SCAN, OP_LZCNT, OP_BSWAP, OP_XADD, OP_CMPXCHG, OP_CMPXCHG2, OP_SHIFT2,
    OP_SYSTEM, /* from here on: interp_system.c */
    OP_INT = OP_SYSTEM, OP_UD2, OP_HLT, OP_CLI, OP_STI, OP_IO, OP_CPUID, OP_RDTSC, OP_RDMSR, OP_WRMSR,
    OP_VMMCALL, OP_PAUSE, OP_WBINVD, OP_ICEBP,
    OP_MOV_FROM_CR, OP_MOV_TO_CR, OP_MOV_DR, OP_CLTS, OP_LGDT, OP_LIDT, OP_SGDT, OP_SIDT, OP_SMSW, OP_LMSW, OP_INVLPG, OP_SWAPGS,
    OP_LLDT, OP_LTR, OP_SLDT, OP_STR, OP_LAR, OP_LSL, OP_VERR, OP_VERW, OP_PUSH_SEG, OP_POP_SEG, OP_SYSCALL, OP_SYSRET, OP_IRET, OP_RETF, OP_JMPF, OP_JMPF_RM, OP_CALLF_RM, OP_MOV_FROM_SEG, OP_MOV_TO_SEG,
};
/* clang-format on */

#define KNOWS_NO "the interpreter knows no " /* why something is refused */

#define INTERP_NONE  16 /* no register */
#define INTERP_RIP   17
#define INTERP_HIGH  32 /* a bit: AH CH DH BH */
#define INTERP_BYTES 16

struct interp_insn {
    uint8_t op;  /* enum interp_op */
    uint8_t sub; /* which of its kind: ALU operation, condition, shift, vector */
    uint8_t len;
    uint8_t size, from; /* bytes of the operands; of a narrower source */
    uint8_t reg;        /* a register operand */
    bool is_mem;        /* the other one: in memory, or register rm */
    uint8_t rm;
    uint8_t base, index, scale; /* address = base + index << scale + disp, cut to address_size */
    uint8_t address_size;
    uint8_t segment; /* CPU_SEG_FS, CPU_SEG_GS, whose base is added; else 0 */
    bool to_reg, has_imm, rep, code64;
    int64_t disp;
    uint64_t imm;
    const char *text; /* OP_REFUSED */
};

/*
 * The instruction that begins with these bytes: *in, whose len is 0 if n are too few. code64: by the rules of 64-bit
 * code, else of 32-bit code.
 */
void interp_decode(const uint8_t *bytes, size_t n, bool code64, struct interp_insn *in);

/* -------------------------------------------------------------------------------------------- one run of a guest -- */

#define INTERP_TLB   256u
#define INTERP_CACHE 8192u

enum interp_access { INTERP_READ, INTERP_WRITE, INTERP_FETCH, INTERP_ACCESSES };

/* Outside of the arena: see the invariants. */
struct interp_store {
    struct interp_page {
        uint64_t tag; /* address of the page, and who: 1 kernel, 2 user; 0: nothing */
        const uint8_t *host;
    } tlb[INTERP_ACCESSES][INTERP_TLB];
    uint64_t tables[64]; /* a bit a hash of a frame: translations came from it */
    struct interp_cached {
        uint64_t bytes[2];
        struct interp_insn in;
    } cache[INTERP_CACHE];
};

struct interp {
    struct vcpu *v;
    struct cpu_state *r;
    struct machine *m;
    struct interp_store *s;
    uint64_t next;             /* where RIP will be */
    uint8_t cpl;               /* at which the instruction begins */
    bool transfers;            /* the instruction is a transfer of control */
    bool counts_twice;         /* the last iteration of REP, and the look at RCX that ends it */
    bool keeps_rf;             /* it has set RF, and does not end it */
    bool shadow;               /* interrupts wait for one more instruction */
    struct interp_insn across; /* that lies in two pages */
    struct sim_exit x;         /* why the guest leaves */
};

/* All of these: false: the guest leaves, for interp.x. */

/* interp_memory.c */
void interp_flush(struct interp *i);
/* Where the page of va is. */
const uint8_t *interp_page(struct interp *i, uint64_t va, enum interp_access access, bool stack);
/* size: 1, 2, 4, 8. stack: what is not canonical is #SS. */
bool interp_load(struct interp *i, uint64_t va, unsigned int size, uint64_t *val, bool stack);
bool interp_store(struct interp *i, uint64_t va, unsigned int size, uint64_t val, bool stack);

static inline uint64_t interp_mask(unsigned int size)
{
    return size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8 * size)) - 1;
}

/* interp_alu.c: the operation and its flags. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAL, SHIFT_SAR };
uint64_t interp_alu(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, uint64_t b);
uint64_t interp_inc(uint64_t *rflags, unsigned int size, uint64_t a, bool up);
uint64_t interp_shift(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, unsigned int n);
uint64_t interp_imul(uint64_t *rflags, unsigned int size, uint64_t a, uint64_t b);
void interp_mul(struct cpu_state *r, unsigned int size, uint64_t b, bool is_signed);
bool interp_div(struct cpu_state *r, unsigned int size, uint64_t b, bool is_signed); /* false: #DE */
bool interp_condition(uint64_t rflags, unsigned int cc);

/* interp_operand.c */
uint64_t interp_reg(const struct interp *i, unsigned int reg, unsigned int size);
void interp_set_reg(struct interp *i, unsigned int reg, unsigned int size, uint64_t val);
uint64_t interp_offset(const struct interp *i, const struct interp_insn *in); /* the address without a base */
/* Where an offset is, with the base of FS or GS if the instruction says so. */
uint64_t interp_linear(const struct interp *i, const struct interp_insn *in, uint64_t offset);
uint64_t interp_address(const struct interp *i, const struct interp_insn *in);
bool interp_on_stack(const struct interp_insn *in); /* does its address go by the stack segment? */
/* To be written as well: the right to do so comes first, as the processor has it. */
bool interp_modify(struct interp *i, uint64_t va, unsigned int size, uint64_t *val, bool stack);
bool interp_modify_rm(struct interp *i, const struct interp_insn *in, uint64_t *val);
bool interp_get_rm(struct interp *i, const struct interp_insn *in, unsigned int size, uint64_t *val);
bool interp_set_rm(struct interp *i, const struct interp_insn *in, unsigned int size, uint64_t val);
uint64_t interp_stack_at(const struct interp *i, uint64_t rsp); /* as far as code of this size sees */
bool interp_push(struct interp *i, unsigned int size, uint64_t val);
bool interp_top(struct interp *i, unsigned int size, uint64_t *val); /* what is on top; RSP stays */

/* interp_segment.c */
struct hvm_fault;
bool interp_descriptor(struct interp *i, uint16_t sel, struct cpu_segment *s); /* none: #GP */
bool interp_descriptor_fault(struct interp *i, const struct hvm_fault *f);
bool interp_mov_to_seg(struct interp *i, const struct interp_insn *in);
bool interp_mov_from_seg(struct interp *i, const struct interp_insn *in);
bool interp_pop_seg(struct interp *i, const struct interp_insn *in);
bool interp_jmp_far(struct interp *i, const struct interp_insn *in);
bool interp_far_rm(struct interp *i, const struct interp_insn *in); /* JMP and CALL by way of memory */
bool interp_ret_far(struct interp *i, const struct interp_insn *in);
bool interp_iret(struct interp *i, const struct interp_insn *in);
bool interp_syscall(struct interp *i);
bool interp_sysret(struct interp *i, const struct interp_insn *in);

/* interp_system.c, interp_ops.c, interp_bits.c */
bool interp_execute_system(struct interp *i, const struct interp_insn *in);
bool interp_execute_bits(struct interp *i, const struct interp_insn *in);
bool interp_execute(struct interp *i, const struct interp_insn *in);

/* interp_exit.c: kind, an exception, a refusal; all answer false. */
bool interp_is_64(const struct cpu_state *r);
bool interp_leave(struct interp *i, enum sim_exit_kind kind, unsigned int len);
bool interp_exception(struct interp *i, unsigned int vector, uint32_t error_code);
bool interp_refuse(struct interp *i, const char *why);

#endif
