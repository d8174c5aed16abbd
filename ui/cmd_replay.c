// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab replay FILE`: a recorded run once more.
 *
 * Concept: it is `xenlab run` with the recording in place of a command line and of standard input: the same loop, with
 * the same slices, and so the same output. What is chosen anew is what leaves the machine: the trace, messages,
 * statistics, another recording.
 */
#include "ui/cmd_replay.h"

#include "ui/replay.h"
#include "ui/status.h"

int cmd_replay(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct replay rp;
    int status = STATUS_ENVIRONMENT;

    if (replay_open(&rp, o->guests[0], o, err) == 0)
        status = run_guests(o, p, &rp, err);
    replay_close(&rp);
    return status;
}
