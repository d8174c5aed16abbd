// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab ctl` and a run say to each other over the control socket: one command a connection.
 *
 *      to the run       CTL_MAGIC | length, 4 bytes | words, each with a 0       then, of a console: what is typed
 *      from the run     frames:  enum host_ctl, a byte | length, 4 bytes | text
 *
 * The frame HOST_CTL_END is the last; its text is the exit status, a byte. Lengths have their lowest byte first.
 */
#ifndef UI_CTL_WIRE_H
#define UI_CTL_WIRE_H

#include "tools/ctl.h"
#include "tools/host.h"

#define CTL_MAGIC      "xlc1"
#define CTL_HEAD_SIZE  8
#define CTL_FRAME_SIZE 5
#define CTL_FRAME_MAX  (1u << 20) /* bytes of text; a client believes no more */

static inline void ctl_length_put(uint8_t *at, size_t len)
{
    for (unsigned int i = 0; i < 4; i++)
        at[i] = (uint8_t)(len >> (8 * i));
}

static inline size_t ctl_length_get(const uint8_t *at)
{
    return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

#endif
