// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tour as files: for people who have no machine at hand, and for a web page.
 *
 *      NAME.cast   asciicast v2 (asciinema): a screen a step, with a marker each; as long as it takes to read it
 *      NAME.html   one page that needs nothing else: a picture a step, and what is told as text
 *      NAME-N.svg  a picture a step
 */
#ifndef UI_TOUR_EXPORT_H
#define UI_TOUR_EXPORT_H

#include "ui/screen/grid.h"
#include "ui/tour/play.h"

struct tour_export {
    struct tour_play *play; /* no step has been given */
    bool (*draw)(void *data, struct grid *g);
    void *data;
    const struct palette *palette;
    unsigned int cols, rows;
};

/* The file's name says which. -1 and a message. */
int tour_export(const struct tour_export *e, const char *path, char *err, size_t size);

#endif
