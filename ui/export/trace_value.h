// SPDX-License-Identifier: GPL-2.0-or-later
/* A field of a trace's line as the words of its record; see ui/export/trace_read.h. */
#ifndef UI_EXPORT_TRACE_VALUE_H
#define UI_EXPORT_TRACE_VALUE_H

#include "sim/trace.h"

struct json_object;

/*
 * What `value` (NULL: null) is as a field of this type. arg: the words from its place on, of which there are `room`,
 * and in front of it the field before. The number of words; 0: it is nothing that the field can be.
 */
unsigned int trace_value_read(enum trace_type type, struct json_object *value, uint64_t *arg, unsigned int room);

/* A whole number from 0 to max. False: it is none. */
bool trace_number_read(struct json_object *value, uint64_t max, uint64_t *number);
/* "80747.1". */
bool trace_position_read(struct json_object *value, struct position *at);

#endif
