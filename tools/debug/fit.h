// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions that can never hold: of a field that none of the events has that it is asked about, of another event, of a
 * value that the field has in other events only.
 *
 * Concept: expr_parse() takes every word of the trace. Who knows which events a condition will be asked about finds
 * here what is wrong with it, before a search through the whole run does.
 */
#ifndef TOOLS_DEBUG_FIT_H
#define TOOLS_DEBUG_FIT_H

#include "tools/debug/expr.h"

struct event_set {
    bool has[TRC_NR]; /* none: it is no event at all, and only what every record has is there */
};

/* Does all that it names make sense of one of these events at least? False: err says what does not, and what would. */
bool expr_fits(const struct expr *e, const struct event_set *set, char err[EXPR_ERR_SIZE]);

#endif
