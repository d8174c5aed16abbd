// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ladder as a value: trips of a vCPU to the hypervisor and back. What it is about is told in ui/panels/ladder.c,
 * which draws it of characters; ui/projector/ draws it for a room.
 */
#ifndef UI_PANELS_LADDER_H
#define UI_PANELS_LADDER_H

#include "ui/panels/scene.h"

#define LADDER_TRIPS  64 /* that are kept, the last ones */
#define LADDER_LEVELS 5  /* at most */

struct ladder_trip {
    size_t first, nr; /* records of the window, of which not all are its */
    uint8_t from, to; /* enum trace_mode */
    bool over;        /* the guest has gone on */
    bool silent;      /* the guest cannot tell that it happened */
    uint16_t pcpu;
};

struct ladder {
    const struct scene *s;
    struct ladder_trip trip[LADDER_TRIPS];
    unsigned int nr;
    uint8_t mode; /* of the vCPU, as of the last record */
};

/*
 * What a row is called: by name, by what the guest believes, by the processor. An HVM guest's rings are what it
 * believes them to be; what it does not know is that the hypervisor is beside them ("root mode", a ring -1).
 */
struct ladder_level {
    const char *name, *believed, *real;
};

void ladder_make(struct ladder *l, const struct scene *s);
/* Of the i-th trip: those of the last 26 have one, the others ' '. */
char ladder_letter(const struct ladder *l, unsigned int i);
/* Rows from the top down, and how many. */
const struct ladder_level *ladder_levels(const struct scene *s, unsigned int *nr);
enum style ladder_level_style(const struct scene *s, unsigned int level);
/* The row of a mode; that where the vCPU is. */
unsigned int ladder_level_of(uint8_t mode);
unsigned int ladder_level_now(const struct ladder *l);

#endif
