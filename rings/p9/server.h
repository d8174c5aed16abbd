// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server of 9P2000.L: which message is about which file, and may it be done?
 *
 * Concept: a client names files by numbers, fids, which the server leads to paths below the share's root. What only
 * concerns fids is answered at once. For all else the outside must be asked, whose files these are: the question has
 * paths where the message had fids, and what comes back is the body of the answer.
 *
 *      message --> p9_request() --> an answer
 *                       '---------> a question --> the outside --> p9_answer() --> an answer
 *
 *      question: type[1] handle[4] flags[4] path[s] name[s] path2[s] and the message's numbers, or names of a walk
 *
 * A handle is a file that the client has opened: a number that is never used again, by which the outside may know what
 * it has opened for it, and which path and flags open anew.
 *
 * Invariants: no path has an empty component, "." or "..", and none is longer than P9_PATH_MAX: so a question never
 * leaves the share, whatever the client says. One message at a time: nothing is in flight that could be flushed.
 */
#ifndef RINGS_P9_SERVER_H
#define RINGS_P9_SERVER_H

#include "rings/p9/wire.h"
#include "sim/arena.h"

#define P9_FIDS_MAX  (1u << 16)
#define P9_FID_LISTS 64

struct p9_fid;

struct p9_server {
    struct arena *arena;
    bool readonly;
    uint32_t msize; /* at most so many bytes a message; 0: no version has been agreed on */
    struct p9_fid *fids[P9_FID_LISTS];
    unsigned int nr_fids;
    uint32_t *next_handle; /* the machine's, of all its servers */
    uint8_t type;          /* of the message that is being dealt with; what an answer to a question does: */
    uint32_t fid, newfid;
    uint16_t nr_names; /* of a walk */
    char *path;        /* the fid's, then; owned, as is: */
    char *new_path;    /* of a rename: where what was at path is */
    uint32_t flags;
};

/* All fids are forgotten. */
void p9_server_end(struct p9_server *s);

/*
 * A message of len bytes, whose header's size is that, arrives. `out`, of P9_MSIZE_MAX bytes, gets the answer's whole
 * message, or a question's bytes. How many: *len. True: it is a question, and p9_answer() must come next.
 */
bool p9_request(struct p9_server *s, uint8_t *message, size_t size, uint8_t *out, size_t *len);
/* The outside has answered: an errno, or 0 and a body, of which as much as fits is the answer's. */
void p9_answer(struct p9_server *s, uint16_t tag, uint32_t error, const uint8_t *body, size_t size, uint8_t *out,
               size_t *len);

#endif
