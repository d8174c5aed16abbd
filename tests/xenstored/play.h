// SPDX-License-Identifier: GPL-2.0-or-later
/* Histories of a xenstore, as text: see tests/xenstored/play.c. */
#ifndef TESTS_XENSTORED_PLAY_H
#define TESTS_XENSTORED_PLAY_H

#include "tests/xenstored/peer.h"

/* Carry out the steps, a line each; what was said goes to *said, for free(). False: a line is no step, or it died. */
bool play(const struct peer_ops *ops, const char *const *steps, size_t nr, char **said);

#endif
