// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's screen in a window, by SDL2.
 *
 * Concept: the window shows what the screen does, and is as large, until somebody makes it larger or smaller: then the
 * picture fills it. Keys are told by their place on the keyboard, as a real one would, so that what they mean is the
 * guest's affair; so is their repetition. Whoever runs the machine gives the window a turn now and then. The library is
 * loaded when a window is wanted.
 *
 * Invariants: a window that is closed is gone, and its guest goes on. A key that is held when the window is left, or
 * closed, is let go.
 */
#ifndef UI_FB_WINDOW_H
#define UI_FB_WINDOW_H

#include "ui/viewer.h"

#include <stddef.h>

struct fb_window;

/* title is kept. NULL and a message: no library, or no display. */
struct fb_window *fb_window_open(const char *title, char *err, size_t size);
/* Harmless for NULL. */
void fb_window_close(struct fb_window *w);
/* Take what has come, and show what has changed. False: somebody has closed it. */
bool fb_window_take(struct fb_window *w, const struct viewer_source *source);

#endif
