// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A condition about a machine: whether it holds of a record of its trace.
 *
 * Concept: an expression (tools/debug/expr.h) with what a machine has to give to it. Fields are the record's; %REG and
 * memory, if nothing else is said, those of the vCPU that the record is about, as they are when the record is made;
 * symbols those of guests' images. Looking changes nothing.
 */
#ifndef TOOLS_DEBUG_CONDITION_H
#define TOOLS_DEBUG_CONDITION_H

#include "tools/debug/expr.h"
#include "tools/host.h"

struct condition {
    struct host *host;
    struct expr *expr;
    const struct trace_record *rec; /* while it is looked at */
    bool unreadable;                /* memory could not be read, by now; the last such place: */
    struct expr_addr where;
};

/* 0, or -1 and err as of expr_parse(). symbols: of the guests that there are by now. condition_free() ends it. */
int condition_parse(struct condition *c, struct host *host, bool symbols, const char *text, char err[EXPR_ERR_SIZE]);
bool condition_holds(struct condition *c, const struct trace_record *rec);
/* Harmless when it was never parsed. */
void condition_free(struct condition *c);

#endif
