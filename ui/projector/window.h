// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The projector's window: SDL2, which is loaded when it is first wanted.
 *
 * Invariants: without a display, or without the library, there is a message and no window, and everything else goes on.
 */
#ifndef UI_PROJECTOR_WINDOW_H
#define UI_PROJECTOR_WINDOW_H

#include "ui/projector/picture.h"
#include "ui/projector/raster.h"

struct projector;

/* NULL and a message. */
struct projector *projector_open(char err[RASTER_ERR_SIZE]);
void projector_close(struct projector *p);
/* The picture, in a window of whatever size it has. */
void projector_show(struct projector *p, const struct scene *s, const char *sentence, const struct palette *palette);
/* A key that was typed into the window, as of ui/debug/keys.h; KEY_IS_NONE: none. False: it was closed. */
bool projector_event(struct projector *p, int *key);

/* The picture as a PNG file, without a window. False and a message. */
bool projector_png(const struct scene *s, const char *sentence, const struct palette *palette, const char *path,
                   char err[RASTER_ERR_SIZE]);

#endif
