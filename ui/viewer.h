// SPDX-License-Identifier: GPL-2.0-or-later
/* What who shows a guest's screen is told, and tells: a viewer of VNC (ui/vnc.h), a window (ui/fb_window.h). */
#ifndef UI_VIEWER_H
#define UI_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

#define VIEWER_SIDE 4096u /* pixels: a screen that is larger is cut off */

/* Buttons of a pointer are keys. */
#define VIEWER_LEFT   0x110u
#define VIEWER_RIGHT  0x111u
#define VIEWER_MIDDLE 0x112u

struct viewer_screen {
    unsigned int width, height;
    uint64_t updates; /* other than before: something may have changed */
    bool silent;      /* it may have anyhow: to be drawn again as often as that is to be seen */
};

/* Whose screen it is. */
struct viewer_source {
    void *data;
    bool (*screen)(void *data, struct viewer_screen *s);                       /* false: there is none now */
    void (*row)(void *data, unsigned int y, unsigned int width, uint8_t *rgb); /* its first pixels */
    void (*key)(void *data, bool down, unsigned int key);                      /* as Linux numbers it */
    void (*pointer)(void *data, int x, int y, int wheel);                      /* wheel: 1 towards the user */
};

#endif
