// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a picture: what is kept of it, and drawn at its end.
 *
 *               0        1.2 ms      1.4 ms      1.6 ms
 *   pCPU 0      | d0v0 |    d1v0            | d2v0    |        who has it
 *   d1v0        ------ |kernel|xen|user|xen |_________         in which mode; waiting (low), blocked (a line)
 *   d2v0        -----------------------------------|xe|
 *                                        \__________^          an event is sent
 *
 * svg.c keeps states of lanes, svg_draw.c draws them.
 */
#ifndef UI_EXPORT_SVG_H
#define UI_EXPORT_SVG_H

#include "ui/export/export.h"

/* What a lane shows from some time on. */
enum svg_state {
    SVG_NOTHING, /* not known, or not there */
    SVG_BLOCKED,
    SVG_RUNNABLE,
    SVG_XEN,
    SVG_KERNEL,
    SVG_USER,
    SVG_NATIVE,
    SVG_HELD, /* of a pCPU: somebody has it */
    SVG_NR_STATES
};

struct svg_change {
    s_time_t at;
    uint8_t state;
    const char *why; /* of SVG_XEN: the hypercall, the instruction; NULL: nothing to say */
    uint32_t who;    /* of SVG_HELD: EXPORT_KEY() */
};

struct svg_lane {
    struct export_row row;
    struct export_clock clock;
    struct svg_change *change;
    size_t nr, room;
    /* While it is drawn: its top; where its last arrow begins, and to whom. */
    double y, arrow;
    const struct svg_lane *arrow_to;
};

struct svg_send {
    struct svg_lane *from, *to;
    s_time_t sent, arrived;
    uint64_t port; /* the receiver's */
};

struct svg {
    FILE *out;
    const struct export_about *about;
    struct export_clocks clocks;
    struct export_rows vcpus; /* of struct svg_lane */
    struct svg_lane pcpu[MACHINE_MAX_PCPUS];
    struct svg_send *send, last; /* last: the sending whose arrival is to come */
    uint64_t flow;
    size_t nr_sends, room_sends;
    bool begun, failed;
    bool before, early; /* the record that comes is before the picture; so was the last one */
    s_time_t from, to;
};

void svg_draw(struct svg *s);

#endif
