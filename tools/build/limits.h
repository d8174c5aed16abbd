// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a domain may have at most, as its configuration states and its builder sets it.
 */
#ifndef TOOLS_BUILD_LIMITS_H
#define TOOLS_BUILD_LIMITS_H

#include <stdbool.h>

/* 0 is "not stated". */
struct build_limits {
    unsigned int event_channels;  /* highest port number */
    unsigned int grant_frames;    /* frames of its grant table */
    bool no_maptrack;             /* maptrack_frames is stated, and 0: it cannot map anything of others */
    unsigned int maptrack_frames; /* frames' worth of records of what it maps of others */
};

#endif
