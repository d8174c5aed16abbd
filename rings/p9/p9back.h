// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end of shared folders: see rings/p9/p9back.c.
 */
#ifndef RINGS_P9_P9BACK_H
#define RINGS_P9_P9BACK_H

#include "rings/bus.h"

struct p9_device;

/* A folder of the outside, by its path there. */
struct p9_share {
    struct p9_share *next;
    char *path; /* owned */
    uint32_t id;
};

/* What xenbus_data() of its devices is. */
struct p9_shares {
    struct arena *arena;
    struct p9_share *first;
    struct p9_device *asking; /* who waits for the outside, in order */
    uint32_t next_device, next_handle;
    /* There is a question, where there was none, or (false) none any more. */
    void (*asks)(void *data, bool is);
    void *data;
};

/* The first question: which share it is about, and from which device and which of its questions; what it is. */
struct p9_question {
    uint32_t share, device, seq;
    const uint8_t *bytes; /* valid until it is answered */
    size_t len;
};

/* False: nobody asks. */
bool p9_question(const struct p9_shares *s, struct p9_question *q);
/* Its answer: an errno, or 0 and a body. False: that is not the question that waits. */
bool p9_answered(struct p9_shares *s, uint32_t device, uint32_t seq, uint32_t error, const void *body, size_t len);

extern const struct backend_ops p9back;

#endif
