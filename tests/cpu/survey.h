// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The survey: every opcode of the processor, tried.
 *
 * Concept: what a guest can execute is a finite list of opcode maps, so walk it: each opcode of each map behind 16 sets
 * of prefixes and before 32 ModRM bytes, in each mode that a PV guest's code can have. Every case either executes or
 * gives the exception that the architecture has for it. It is tried in these ways:
 *
 *      single   a few harmless instructions, the case, NOPs, SYSCALL: what comes back is judged in detail
 *      page     a page full of it, up to the page's end, behind which nothing is mapped: straight-line code of great length
 *      whole    in a domain, through the whole hypervisor: a trap reaches the guest's handler, nothing ends the domain;
 *               whole-page: a page full of it there
 *      host     on the processor that this program runs on, which judges not the engine but the survey's own table
 *
 *      survey_code.c    the list: numbers to bytes, and names
 *      survey_table.c   what the manual says of a case: legal or #UD, its length, what it may do
 *      survey_fast.c    single and page, on a bare processor
 *      survey_whole.c   whole
 *      survey_host.c    host
 *      survey_team.c    workers, who may die of a case: it is reported by name and the survey goes on
 *      survey.c         the program; test_survey.c: a fixed sample of everything
 */
#ifndef TESTS_CPU_SURVEY_H
#define TESTS_CPU_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the code executes. The first three are all that the bare processor tells apart. */
enum survey_mode {
    SURVEY_USER64,   /* 64-bit code in ring 3 */
    SURVEY_COMPAT,   /* 32-bit code in ring 3 */
    SURVEY_RING1,    /* 32-bit code in ring 1: the kernel of a PV32 guest */
    SURVEY_KERNEL64, /* whole: the kernel of a PV64 guest, ring 3 on tables of its own */
    SURVEY_USER32,   /* whole: 32-bit code of a PV32 guest's user */
    SURVEY_NR_MODES
};

enum survey_map {
    MAP_ONE,    /* one byte */
    MAP_0F,     /* 0F xx */
    MAP_0F38,   /* 0F 38 xx */
    MAP_0F3A,   /* 0F 3A xx */
    MAP_3DNOW,  /* 0F 0F ModRM xx */
    MAP_VEX2,   /* C5: map 1 */
    MAP_VEX3_1, /* C4, maps 1 to 3 */
    MAP_VEX3_2,
    MAP_VEX3_3,
    MAP_XOP,      /* 8F, map 8 */
    MAP_PRE_VEX2, /* legacy prefixes before C5 */
    MAP_PRE_VEX3, /* and before C4, map 2 */
    SURVEY_NR_MAPS
};

#define SURVEY_PREFIXES 16u
#define SURVEY_MODRMS   32u
/* Cases of one block: a map behind one set of prefixes, in one mode. */
#define SURVEY_BLOCK 8192u

struct survey_case {
    enum survey_mode mode;
    enum survey_map map;
    uint8_t prefix; /* which of the 16 */
    uint8_t opcode, modrm;
    uint8_t len; /* of bytes[]: the instruction, then what may be its displacement and immediate; at most 15 */
    uint8_t bytes[15];
};

/* Case i of the block of a mode, a map and a set of prefixes. */
struct survey_case survey_case_make(enum survey_mode mode, enum survey_map map, unsigned int prefix, unsigned int i);
/* A case from bytes alone, as survey_case_name() prints them: mode, then hexadecimal digits. False: it is none. */
bool survey_case_parse(struct survey_case *c, const char *mode, const char *hex);
const char *survey_mode_name(enum survey_mode mode);
const char *survey_map_name(enum survey_map map);
static inline bool survey_is_64(enum survey_mode mode) { return mode == SURVEY_USER64 || mode == SURVEY_KERNEL64; }

/* What CPUID announces, of what decides about legality. */
enum survey_feature {
    FEAT_BASE, /* always there */
    FEAT_SSE3,
    FEAT_SSSE3,
    FEAT_SSE41,
    FEAT_SSE42,
    FEAT_SSE4A,
    FEAT_CX16,
    FEAT_MOVBE,
    FEAT_POPCNT,
    FEAT_AES,
    FEAT_PCLMUL,
    FEAT_RDRAND,
    FEAT_RDSEED,
    FEAT_SHA,
    FEAT_ADX,
    FEAT_BMI1,
    FEAT_BMI2,
    FEAT_FSGSBASE,
    FEAT_RDTSCP,
    FEAT_RDPID,
    FEAT_CLFLUSHOPT,
    FEAT_CLWB,
    FEAT_CLZERO,
    FEAT_RDPRU,
    FEAT_MONITORX,
    FEAT_XSAVE, /* and the system uses it */
    FEAT_XSAVEOPT,
    FEAT_XSAVEC,
    FEAT_AVX,
    FEAT_GFNI,
    FEAT_MOVDIRI,
    FEAT_MOVDIR64B,
    FEAT_SERIALIZE,
    FEAT_PREFETCHW,
    FEAT_3DNOW,
    FEAT_XOP,
    FEAT_INVPCID,
    FEAT_XSAVES,
    FEAT_NEVER, /* what no guest is told of: system management, virtualization, CET... */
    SURVEY_NR_FEATURES
};

typedef uint64_t survey_features;
#define HAS(features, f) ((features) >> (f)&1)

/* From leaves 1, 7, 0xd (subleaf 1), 0x80000001, 0x80000008: `leaf` answers EAX EBX ECX EDX. */
survey_features survey_features_read(void (*leaf)(void *data, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]),
                                     void *data);

enum survey_legality { LEGAL, ILLEGAL, EITHER /* makers differ, or the operating system decides */ };

/* What may come of a case that is legal. */
struct survey_expect {
    enum survey_legality legality;
    enum survey_feature needs; /* the feature that makes it legal */
    uint8_t len;               /* 0: not predicted */
    uint32_t vectors;          /* exceptions, a bit each */
    uint32_t exits;            /* exits, a bit an enum sim_exit_kind, EXIT_SYSCALL at the end of the code apart */
    bool jumps;                /* may go on elsewhere */
    bool repeats;              /* counts as several instructions */
    bool system_flags;         /* may change TF, DF, NT, AC, ID */
    bool segments;             /* may load segment registers */
};

struct survey_expect survey_expect(const struct survey_case *c, survey_features have);

/* ------------------------------------------------------------------------------------------- trying, and judging -- */

#define SURVEY_WHY 96

/* A bare processor with the survey's guest on it. */
struct survey_fast;
struct survey_fast *survey_fast_create(survey_features have);
void survey_fast_destroy(struct survey_fast *s);
/* Each true when all is well; or else why says what is not. */
bool survey_single(struct survey_fast *s, const struct survey_case *c, char why[SURVEY_WHY]);
bool survey_page(struct survey_fast *s, const struct survey_case *c, char why[SURVEY_WHY]);
/* Does the machine still compute, and is its memory what it was? */
bool survey_canary(struct survey_fast *s, char why[SURVEY_WHY]);
/* The last single case gave #UD. */
bool survey_was_invalid(const struct survey_fast *s);

/* Domains with the survey's guests in them. */
struct survey_whole;
struct survey_whole *survey_whole_create(void);
void survey_whole_destroy(struct survey_whole *s);
bool survey_whole(struct survey_whole *s, const struct survey_case *c, bool page, char why[SURVEY_WHY]);
/* What the domain's CPUID announces. */
survey_features survey_announced(void);

/*
 * The processor that this program runs on. Cases that it cannot be asked (system calls) come back as SURVEY_NOT_ASKED.
 */
enum survey_answer { SURVEY_NOT_ASKED, SURVEY_UD, SURVEY_EXECUTES };
struct survey_host;
struct survey_host *survey_host_create(void); /* NULL: not here */
void survey_host_destroy(struct survey_host *h);
survey_features survey_host_features(void);
/* len: of the instruction when it executed without a fault or jump, else 0. */
enum survey_answer survey_host_ask(struct survey_host *h, const struct survey_case *c, unsigned int *len);

/* ---------------------------------------------------------------------------------------------------- the team -- */

enum survey_way { SURVEY_SINGLE, SURVEY_PAGE, SURVEY_WHOLE, SURVEY_WHOLE_PAGE, SURVEY_HOST, SURVEY_NR_WAYS };

struct survey_plan {
    unsigned int workers;
    uint32_t ways;                               /* a bit each */
    unsigned int every[SURVEY_NR_WAYS];          /* a sample: one case of so many */
    unsigned int seconds;                        /* for one case, before it counts as hanging */
    void (*before)(const struct survey_case *c); /* called before each case, or NULL: tests of the team */
};

struct survey_finding {
    enum survey_way way;
    struct survey_case first;
    uint64_t count;
    char why[SURVEY_WHY];
};

#define SURVEY_FINDINGS 4096

struct survey_result {
    uint64_t tried[SURVEY_NR_WAYS];
    uint64_t invalid; /* single cases that gave #UD */
    unsigned int nr_findings;
    bool complete; /* every case was tried */
    struct survey_finding finding[SURVEY_FINDINGS];
};

/* Carry out a plan; result is allocated, to be given to survey_result_free(). */
struct survey_result *survey_run(const struct survey_plan *plan);
void survey_result_free(struct survey_result *r);
void survey_case_name(const struct survey_case *c, char *buf, size_t len);
const char *survey_way_name(enum survey_way way);

#endif
