// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A text screen as lines, for who has only a console to see it at. See transcript.c.
 */
#ifndef RINGS_DM_TRANSCRIPT_H
#define RINGS_DM_TRANSCRIPT_H

#include "rings/dm/vga.h"

#define TRANSCRIPT_ROWS    64
#define TRANSCRIPT_COLUMNS 160

struct transcript {
    struct dm_board *board;
    const struct vga *vga;
    void (*out)(void *owner, const char *text, size_t n);
    void *owner;
    struct dm_timer timer;
    bool waits;                                        /* the timer runs */
    unsigned int last;                                 /* the row that was written last */
    int open;                                          /* the row whose line has not been ended; -1: none */
    uint8_t told[TRANSCRIPT_ROWS][TRANSCRIPT_COLUMNS]; /* what a row was when it was told; 0: spaces */
    uint8_t seen[TRANSCRIPT_ROWS][TRANSCRIPT_COLUMNS]; /* what it was when the timer came last */
    uint8_t calm[TRANSCRIPT_ROWS], often[TRANSCRIPT_ROWS];
};

void transcript_init(struct transcript *t, struct dm_board *board, const struct vga *vga,
                     void (*out)(void *owner, const char *text, size_t n), void *owner);
/* A cell of this row is about to change; VGA_ALL: everything. */
void transcript_touched(struct transcript *t, unsigned int row);
/* Nothing more comes: tell what has not been told. */
void transcript_end(struct transcript *t);
void transcript_state(struct transcript *t, struct dm_state *s);

#endif
