// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A condition about a machine: whether it holds of a record of its trace, or of a vCPU now.
 *
 * Concept: an expression (tools/debug/expr.h) with what a machine has to give to it. Fields are the record's; %REG and
 * memory, if nothing else is said, those of the vCPU that the record is about, as they are when the record is made;
 * symbols those of guests' images. Without a record it is about a vCPU where the machine stands: the common fields are
 * what a record made now would say of it. Looking changes nothing.
 */
#ifndef TOOLS_DEBUG_CONDITION_H
#define TOOLS_DEBUG_CONDITION_H

#include "tools/debug/expr.h"
#include "tools/host.h"

struct condition {
    struct host *host;
    struct expr *expr;
    int symbols;               /* whose they are, if nothing else is said */
    unsigned int domain, vcpu; /* while it is looked at: whose registers and memory are meant */
    bool unreadable;           /* memory could not be read, by now; the last such place: */
    struct expr_addr where;
    bool no_register; /* a register was asked for of somebody who has none, by now */
};

#define CONDITION_NO_SYMBOLS (-1)

/*
 * 0, or -1 and err as of expr_parse(). symbols: the domain whose symbols are meant where none is named (others are
 * dN:SYM), of the guests that there are by now; or CONDITION_NO_SYMBOLS. condition_free() ends it.
 */
int condition_parse(struct condition *c, struct host *host, int symbols, const char *text, char err[EXPR_ERR_SIZE]);
/* The same of an ADDR. */
int condition_parse_addr(struct condition *c, struct host *host, int symbols, const char *text, struct expr_addr *place,
                         char err[EXPR_ERR_SIZE]);
bool condition_holds(struct condition *c, const struct trace_record *rec);
/*
 * Of a vCPU where the machine stands, between two steps. event: one at which it has stopped, whose own fields are had;
 * or NULL: none. *v: its value; false: it has none.
 */
bool condition_value(struct condition *c, domid_t domain, unsigned int vcpu, const struct trace_record *event,
                     struct expr_value *v);
/* Harmless when it was never parsed. */
void condition_free(struct condition *c);

#endif
