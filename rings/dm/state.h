// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of a device model as bytes: what a saved guest's file has of it.
 *
 * Concept: a device lists its fields once, in a function that is handed this visitor; saving, counting the bytes,
 * loading, and looking whether what is loaded can be are four readings of the same list:
 *
 *      uart_state():   state_begin(s, "uart", 0)   STATE(s, u->ier)   STATE_MAX(s, u->first, 15)  ...   state_end(s)
 *
 *      saving    field --> bytes            counting   where the bytes would be (to is NULL)
 *      loading   bytes --> compared with what there may be --> field
 *
 *      blob      | "xenlabDM" | version 32 | records, in the order of rings/dm/pc.c:
 *      record    | name 8, zeroes behind it | instance 32 | length 32 | fields |
 *      field     a number of 1, 2, 4 or 8 bytes, the lowest first; a bool: 1 byte, 0 or 1; a string of bytes: as it is
 *      timer     | 1 if it runs | how long until it is due, 64 bits, less than 0: it is due already |
 *
 * Times are told from now, since the clock is another one when the bytes are read. What a configuration says anyway
 * (how many devices, their files, a ROM) is not in there, and must fit: a record that is missing or another than
 * expected is refused.
 *
 * Invariants: no byte is read behind the blob's end. The first thing that is wrong is what state_error() tells; from
 * then on nothing is read, and fields that follow stay as they are. What has been loaded up to then is of no use.
 */
#ifndef RINGS_DM_STATE_H
#define RINGS_DM_STATE_H

#include "rings/dm/device.h"

#define DM_STATE_VERSION  1u
#define DM_STATE_ERR_SIZE 128

struct dm_state {
    uint8_t *to;         /* saving: room for all of it; NULL: it is counted */
    const uint8_t *from; /* loading; else NULL */
    size_t size, at;     /* of the bytes; and how many are done */
    size_t body;         /* where the record's fields begin; */
    uint32_t length;     /* and, loading, how long they are */
    char name[9];        /* of the record */
    uint32_t instance;
    char err[DM_STATE_ERR_SIZE]; /* "": all is well */
};

/* to: NULL, or the bytes that were counted. */
void state_save(struct dm_state *s, uint8_t *to, size_t size);
/* The bytes are the caller's, until all has been read. */
void state_load(struct dm_state *s, const uint8_t *from, size_t size);
/* Nothing more follows. */
void state_finish(struct dm_state *s);
/* What is wrong with it; NULL: nothing. */
static inline const char *state_error(const struct dm_state *s) { return *s->err ? s->err : NULL; }

/* A record; name: at most 8 characters. */
void state_begin(struct dm_state *s, const char *name, unsigned int instance);
void state_end(struct dm_state *s);
/* Are there values now that were read, and may have to be acted upon? */
static inline bool state_loaded(const struct dm_state *s) { return s->from && !*s->err; }
/* This record cannot be, for that reason. Loading only. */
void state_refuse(struct dm_state *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number of `size` bytes, without a sign, from `least` to `most`; a bool; bytes; a timer, but not its function. */
void state_number(struct dm_state *s, const char *name, void *val, unsigned int size, uint64_t least, uint64_t most);
void state_bool(struct dm_state *s, const char *name, bool *val);
void state_bytes(struct dm_state *s, const char *name, void *bytes, size_t n);
void state_timer(struct dm_state *s, const char *name, struct dm_board *board, struct dm_timer *t);
/* A moment that has been. */
void state_time(struct dm_state *s, const char *name, struct dm_board *board, s_time_t *t);

/* The record of a board: which lines are up, as it knows them. */
void state_lines(struct dm_state *s, uint16_t *isa_up, uint64_t pci_up[2]);

#define STATE_RANGE(s, field, least, most) state_number(s, #field, &(field), sizeof(field), least, most)
#define STATE_MAX(s, field, most)          STATE_RANGE(s, field, 0, most)
#define STATE(s, field)                    STATE_MAX(s, field, UINT64_MAX)
#define STATE_BOOL(s, field)               state_bool(s, #field, &(field))
#define STATE_BYTES(s, field)              state_bytes(s, #field, field, sizeof(field))

#endif
