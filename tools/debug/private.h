// SPDX-License-Identifier: GPL-2.0-or-later
/* The tree of an expression, between tools/debug/parse.c and tools/debug/eval.c. */
#ifndef TOOLS_DEBUG_PRIVATE_H
#define TOOLS_DEBUG_PRIVATE_H

#include "tools/debug/expr.h"

enum node_kind {
    NODE_NUMBER, /* value */
    NODE_REG,    /* reg */
    NODE_FIELD,  /* field */
    NODE_EVENT,  /* event */
    NODE_MEMORY, /* size bytes at a, in place */
    NODE_UNARY,  /* op: '-', '~', '!' */
    NODE_BINARY, /* op */
    NODE_NAME,   /* op EQ or NE: whether field has the value of this name */
    NODE_TEXT,   /* op EQ or NE: whether field is this text */
};

/* Operators of one character are that character. */
enum { OP_EQ = 256, OP_NE, OP_LE, OP_GE, OP_SHL, OP_SHR, OP_AND, OP_OR };

/* Where each event has the field: an index into its fields; FIELD_NONE: it has not. Of the common ones, which. */
#define FIELD_NONE 0xff
struct field_ref {
    uint8_t common; /* index into trace_common_fields(), or FIELD_NONE */
    uint8_t at[TRC_NR];
};

struct node {
    enum node_kind kind;
    int op;
    unsigned int a, b; /* operands, by index */
    struct expr_value value;
    union {
        enum expr_reg reg;
        enum trace_event event;
        struct {
            struct expr_addr place; /* but for its addr */
            unsigned int size;
        };
        struct {
            struct field_ref field;
            const char *text; /* NODE_NAME, NODE_TEXT: into the expression's copy of the text */
            size_t len;
        };
    };
};

struct expr {
    char *text;
    unsigned int nr, root;
    struct node node[EXPR_MAX_NODES];
};

/* --- words.c --- */

/* Is this word, of len characters, that name? */
bool word_is(const char *name, const char *word, size_t len);
/* False: no event has a field of this name. */
bool field_find(const char *word, size_t len, struct field_ref *f);
/* TRC_NR: there is no such event. */
unsigned int event_find(const char *word, size_t len);

/* Words to choose from: what a hint is made of. What there is no room for is left out. */
struct words {
    const char *word[512];
    size_t nr;
};
void words_add(struct words *w, const char *word);
bool words_have(const struct words *w, const char *word, size_t len);
/* Those that values of the field have; and all fields and events. */
void words_of_field(struct words *w, const struct field_ref *f);
void words_of_trace(struct words *w);

/* The type of the field in that event. */
static inline enum trace_type field_type(const struct field_ref *f, enum trace_event ev)
{
    size_t nr;

    return (enum trace_type)(f->common != FIELD_NONE ? trace_common_fields(&nr)[f->common].type
                                                     : trace_event_info(ev)->fields[f->at[ev]].type);
}

#endif
