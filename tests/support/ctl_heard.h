// SPDX-License-Identifier: GPL-2.0-or-later
/* What the toolstack says to whoever gives it commands (host_ctl()), kept for a test to look at. */
#ifndef TESTS_SUPPORT_CTL_HEARD_H
#define TESTS_SUPPORT_CTL_HEARD_H

#include "tools/host.h"

#include <string.h>

struct ctl_heard {
    char said[4096];     /* all that was said */
    unsigned int status; /* of the command that ended last */
    unsigned int ends;   /* commands that have ended */
};

/* For a host_io.ctl_say; what does not fit into `said` fails the test. */
static inline void ctl_hear(struct ctl_heard *c, enum host_ctl what, const char *text, size_t len)
{
    if (what == HOST_CTL_END) {
        c->status = (unsigned int)text[0];
        c->ends++;
        return;
    }
    assert_true(strlen(c->said) + len < sizeof(c->said));
    strncat(c->said, text, len);
}

#endif
