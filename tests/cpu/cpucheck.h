// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's processor as judge of the emulated one.
 *
 * Concept: a case is a short straight-line piece of user-mode code with the registers and memory it starts from. It is
 * run twice: by the host's processor in a child process, and by the emulated one in a guest; code and data lie at the
 * same linear addresses in both. It ends with UD2, or with the fault of an earlier instruction. What then differs in
 * registers, flags, x87 and SSE state, memory, or in the fault, is a finding, unless the architecture leaves it open
 * (cpucheck_table.c says which flags, with the manual's section) or docs/cpu.md lists it with a reason
 * (cpucheck_known.c).
 *
 *      0x10000000  CODE   one page, not writable; nothing behind it
 *      0x10010000  DATA   two pages, writable; nothing before and behind them
 *      0x10018000  RO     one page, read only
 *      0x10020000  STACK  one page, writable; nothing before and behind it
 *
 * Invariants: all of it lies below 4 GiB, so that the same addresses serve 32-bit code. A case is the same on every
 * host: it follows from its seed and from the instructions asked for. What a case leaves undefined is never read by a
 * later instruction of the case (check_case_valid()).
 */
#ifndef TESTS_CPU_CPUCHECK_H
#define TESTS_CPU_CPUCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CHECK_CODE  0x10000000u
#define CHECK_DATA  0x10010000u
#define CHECK_RO    0x10018000u
#define CHECK_STACK 0x10020000u

/* Memory as a case sees it, in this order: two pages DATA, one STACK, one RO. */
#define CHECK_PAGES    4
#define CHECK_WRITABLE 3
#define CHECK_PAGE     4096u
/* A place in DATA that holds control words: MXCSR at +0, FCW at +8. */
#define CHECK_CONTROL (CHECK_DATA + 0x1f00)

#define CHECK_MAX_INSNS 16

#define FLAG_C   0x001u
#define FLAG_P   0x004u
#define FLAG_A   0x010u
#define FLAG_Z   0x040u
#define FLAG_S   0x080u
#define FLAG_O   0x800u
#define FLAG_ALL 0x8d5u
#define FLAG_D   0x400u

/* What an instruction needs of the processor; a host without it cannot judge it. */
enum check_feature {
    NEEDS_NOTHING,
    NEEDS_SSE3,
    NEEDS_SSSE3,
    NEEDS_SSE41,
    NEEDS_SSE42,
    NEEDS_AES,
    NEEDS_PCLMUL,
    NEEDS_POPCNT,
    NEEDS_MOVBE,
    NEEDS_LZCNT,
    NEEDS_CX16,
    NEEDS_ADX,
    NR_NEEDS
};

/* Differences with a reason: docs/cpu.md. */
enum check_known {
    KNOWN_NOTHING,
    KNOWN_APPROXIMATE,
    KNOWN_MMX,
    KNOWN_CMPXCHG32,
    KNOWN_BSF32,
    KNOWN_X87,
    KNOWN_ADDRESS,
    KNOWN_SPLIT,
    KNOWN_MASKMOV,
    KNOWN_ENTER,
    KNOWN_CMPS,
    KNOWN_LIMIT,
    KNOWN_PUSHA,
    NR_KNOWN
};
extern const char *const check_known_names[NR_KNOWN];

struct check_insn {
    uint8_t bytes[15], len;
    uint8_t family;                /* enum check_family: which part of the manual */
    uint16_t known;                /* differences that it may make: a bit each */
    bool end;                      /* what it leaves is not for later instructions */
    uint16_t reads, writes, undef; /* flags */
};

/* Groups that can be asked for by name, and that findings are counted by. */
enum check_family {
    FAMILY_INT,
    FAMILY_STRING,
    FAMILY_BCD,
    FAMILY_LOCK,
    FAMILY_X87,
    FAMILY_MMX,
    FAMILY_SSE,
    NR_FAMILIES
};
extern const char *const check_family_names[NR_FAMILIES];

struct check_case {
    uint64_t seed; /* of the case */
    uint8_t bits;  /* 64, 32 */
    uint8_t nr;
    struct check_insn insn[CHECK_MAX_INSNS];
    uint64_t gpr[16], rflags;
    uint8_t fxsave[512];
};

struct check_result {
    bool ran; /* false: the child died */
    uint8_t vector;
    uint32_t error_code;
    uint64_t addr; /* vector 14 */
    uint64_t rip, rflags, gpr[16];
    uint8_t fxsave[512];
    uint8_t mem[CHECK_WRITABLE][CHECK_PAGE];
};

/* cpucheck_gen.c */
struct check_options {
    unsigned int families; /* a bit each */
    unsigned int bits;     /* 32, 64, or 0: both */
    bool features[NR_NEEDS];
    bool edge; /* operands lie across the end of DATA, or close to it */
};
void check_case_make(struct check_case *c, const struct check_options *o, uint64_t seed);
/* Case i of how many? (This is what is returned.) */
unsigned int check_division_make(struct check_case *c, unsigned int i);
/* Does no instruction read a flag that an earlier one has left undefined? */
bool check_case_valid(const struct check_case *c);
/* The code, UD2 at its end; returns its length. */
size_t check_case_code(const struct check_case *c, uint8_t *code);
/* What memory holds at the start. */
void check_memory_make(uint8_t mem[CHECK_PAGES][CHECK_PAGE], uint64_t seed);
uint64_t check_random(uint64_t *s);
/* The features of this host; says which are missing. */
void check_features_choose(bool has[NR_NEEDS], FILE *f);

/* cpucheck_table.c: the next instruction for a case that has `undef` flags undefined. */
void check_insn_make(struct check_insn *in, const struct check_options *o, unsigned int bits, uint16_t undef,
                     uint64_t *s);

/* cpucheck_native.c: run n cases in a child process. */
struct check_native;
struct check_native *check_native_create(unsigned int max);
void check_native_destroy(struct check_native *n);
void check_native_run(struct check_native *n, const struct check_case *cases, unsigned int nr,
                      uint8_t (*mem)[CHECK_PAGE], struct check_result *results);
/* Can 32-bit code be run here? */
bool check_native_has_32(struct check_native *n);

/* cpucheck_guest.c */
struct check_guest;
struct check_guest *check_guest_create(void);
void check_guest_destroy(struct check_guest *g);
void check_guest_run(struct check_guest *g, const struct check_case *c, uint8_t (*mem)[CHECK_PAGE],
                     struct check_result *r);
/* Text of a case: its instructions one a line, bytes and mnemonic. */
void check_case_print(struct check_guest *g, const struct check_case *c, FILE *f);
/* The mnemonic of an instruction. */
void check_insn_name(struct check_guest *g, const struct check_case *c, unsigned int i, char *buf, size_t len);

/* cpucheck_known.c: take over from the native result what the guest's may differ in; returns which rules were asked. */
unsigned int check_known(const struct check_case *c, const struct check_result *n, struct check_result *g);

/* cpucheck_judge.c */
struct check_run {
    struct check_options o;
    struct check_native *native;
    struct check_guest *guest;
    uint64_t ran, completed, differed, instructions; /* completed: to the UD2 at the end */
    uint64_t known[NR_KNOWN];                        /* cases that each rule was asked about */
    FILE *out;
};
/*
 * Is the guest's result another than the host's, beyond what is undefined or known? (Takes over what is known into g.)
 */
bool check_differs(const struct check_case *c, const struct check_result *n, struct check_result *g);
/* Judges the nr cases, at most 512; findings are shrunk and printed to run->out. How many differ? */
unsigned int check_cases(struct check_run *run, struct check_case *cases, unsigned int nr);
/* Random cases from `seed` on; findings are shrunk and printed to run->out. Returns how many differ. */
unsigned int check_batch(struct check_run *run, uint64_t seed, unsigned int nr);

#endif
