// SPDX-License-Identifier: GPL-2.0-or-later
/* A client of 9P2000.L for tests: messages are put together here, and what comes back is looked at. */
#ifndef TESTS_RINGS_P9_H
#define TESTS_RINGS_P9_H

#include "rings/p9/wire.h"

#include <string.h>

struct p9_message {
    uint8_t bytes[P9_MSIZE_MAX];
    struct p9_cursor c;
};

static inline void message_begin(struct p9_message *m, uint8_t type)
{
    m->c = p9_cursor(m->bytes, sizeof(m->bytes));
    p9_put(&m->c, 4, 0);
    p9_put(&m->c, 1, type);
    p9_put(&m->c, 2, type * 3u);
}

static inline size_t message_end(struct p9_message *m)
{
    const uint32_t size = (uint32_t)(m->c.at - m->bytes);

    memcpy(m->bytes, &size, sizeof(size));
    return size;
}

static inline void put_text(struct p9_message *m, const char *text) { p9_put_string(&m->c, text, strlen(text)); }

#endif
