// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Those outside of a machine that goes both ways (ui/outside.h), heard while a move is at the end of what is known.
 *
 * Concept: a move goes on for as long as something happens, and who is connected and has said something lately may be
 * about to say more. So a machine that is idle waits for him, in real time, and one whose guests sleep runs no faster
 * than that, or they would give up before an answer can come. Who says nothing for a while is not waited for: he is
 * heard when the machine goes on again.
 *
 * Whoever lets the machine run on and on, in slices of a frame, waits for those as well who are not there yet.
 */
#ifndef UI_DEBUG_LIVE_H
#define UI_DEBUG_LIVE_H

#include "ui/debug/debug.h"
#include "ui/outside.h"

#define LIVE_FRAME MILLISECS(20) /* as long as a slice waits, and what its virtual time is at most */

struct live {
    struct outside outside;
    struct debug *g;
    const struct run_process *process;
    s_time_t heard;                   /* real time, when they were */
    s_time_t silent;                  /* for so long nothing has come or gone */
    uint64_t nr_moved;                /* of outside's, then */
    s_time_t base_real, base_virtual; /* these two were at the same moment */
    s_time_t until;                   /* real time: the end of a slice; 0: there is none */
};

/* Of a machine that has been made, and can be rewound. -1 and a message; live_close() either way. */
int live_open(struct live *l, struct debug *g, const struct run_process *p, char err[RUN_ERR_SIZE]);
void live_close(struct live *l);

/*
 * The machine is let run for a slice; its length, of so much. l may be NULL. live_goes_on(): the machine is idle, and
 * somebody may come.
 */
s_time_t live_slice(struct live *l, s_time_t length);
void live_slice_end(struct live *l);
bool live_goes_on(const struct live *l);

#endif
