// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions and expressions: what a trace is filtered by, a breakpoint depends on, and a debugger prints.
 *
 *      cond := cmp { ("&&" | "||") cmp }                     && binds tighter
 *      cmp  := "!" cmp | expr [ ("==" | "!=" | "<" | "<=" | ">" | ">=") (expr | ENUM | STRING) ]
 *      expr := C's operators | ^ & << >> + - * / % ~ on: NUMBER %reg FIELD EVENT ["d"N":"]SYM MEM dN dNvM true false
 *              "(" cond ")"
 *      MEM  := ("u8" | "u16" | "u32" | "u64") "[" ADDR "]"
 *      ADDR := ["d"N["v"M]":"] ["v:" | "p:" | "m:"] expr     virtual (if nothing is said), pseudo-physical, machine
 *
 * Concept: text becomes a small tree once, which is evaluated for each record. Words are those of the trace
 * (sim/trace.h): a FIELD has the value that the record has, the name of an EVENT is 1 for its records and 0 for others.
 * The names of a field's values (ENUM) are known behind the field that they are compared with. & and | bind tighter
 * than comparisons, unlike C's.
 *
 * What is not there has no value: a field that the record's event does not have, or that is null; memory that cannot be
 * read; a quotient by 0. Such a value is false, every comparison with it is false, and what is computed from it is not
 * there either.
 *
 * Values have 64 bits. A field that may be negative (a result) is signed, and so are small numbers; addresses,
 * registers and memory are not. < compares the numbers that are meant, -1 is less than any address; == the bits.
 *
 * Invariants: parsing never reads behind the text and nests no deeper than EXPR_MAX_DEPTH; evaluating changes nothing
 * and ends after as many steps as the tree has nodes.
 */
#ifndef TOOLS_DEBUG_EXPR_H
#define TOOLS_DEBUG_EXPR_H

#include "sim/trace.h"

#define EXPR_ERR_SIZE  200
#define EXPR_MAX_DEPTH 64
#define EXPR_MAX_NODES 256

struct expr;

/* Registers, as %NAME: their numbers. */
/* clang-format off */
#define EXPR_REGS(X)                                                                                                   \
    X(rax) X(rcx) X(rdx) X(rbx) X(rsp) X(rbp) X(rsi) X(rdi) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)      \
    X(rip) X(rflags) X(cs) X(ss) X(ds) X(es) X(fs) X(gs) X(fs_base) X(gs_base) X(cr0) X(cr2) X(cr3) X(cr4) X(efer)     \
    X(dr0) X(dr1) X(dr2) X(dr3) X(dr6) X(dr7) X(cpl)
/* clang-format on */
enum expr_reg {
#define X(name) EXPR_REG_##name,
    EXPR_REGS(X)
#undef X
        EXPR_NR_REGS
};

enum expr_space { EXPR_VIRTUAL, EXPR_PHYSICAL, EXPR_MACHINE };
struct expr_addr {
    enum expr_space space;
    int domain, vcpu; /* -1: the record's, or whom the debugger looks at */
    uint64_t addr;
};

/* What may be named when an expression is parsed; NULL: nothing of the kind. */
#define EXPR_MAX_SAME 4 /* symbols of one name that are told apart */
struct expr_scope {
    void *data;
    bool machine; /* registers and memory can be had */
    /*
     * The symbols of a domain (-1: of whichever is looked at) that have this name: how many different addresses, and
     * the first of those. One that has several is a mistake, for which they are listed.
     */
    unsigned int (*symbol)(void *data, int domain, const char *name, uint64_t addr[EXPR_MAX_SAME]);
};

/* What it is evaluated in. */
struct expr_env {
    void *data;
    /* NULL: no field has a value. event TRC_NR: it is of none, and has the common fields but for seq. */
    const struct trace_record *rec;
    /* False: it is not there. Of a scope without `machine` they may be NULL. */
    bool (*reg)(void *data, enum expr_reg reg, uint64_t *value);
    bool (*memory)(void *data, const struct expr_addr *addr, void *buf, size_t n);
    bool unreadable; /* set when memory could not be read: whoever cares clears it, and says so once */
};

struct expr_value {
    uint64_t u;
    bool is_signed;
};

/*
 * NULL: err says at which column (from 1) what is wrong, and what would be right. place not NULL: text is an ADDR,
 * which is not in brackets (and may be a cond); *place says whose it is and in which space, all but its number, which
 * the expression has. Symbols in it are that domain's, unless it is -1. expr_free() ends it.
 */
struct expr *expr_parse(const char *text, const struct expr_scope *scope, struct expr_addr *place,
                        char err[EXPR_ERR_SIZE]);
void expr_free(struct expr *e);

/* What words there are: %REG, fields, events; of a field (len characters) the names of its values. For completion. */
typedef void expr_word_fn(void *data, const char *word);
void expr_words(const char *field, size_t len, expr_word_fn *fn, void *data);

/* False: it has no value. */
bool expr_value(const struct expr *e, struct expr_env *env, struct expr_value *v);
/* Has a value, which is not 0. */
bool expr_true(const struct expr *e, struct expr_env *env);
/* Its value is whether something is so: a comparison, an event, && || ! of anything. */
bool expr_is_truth(const struct expr *e);

#endif
