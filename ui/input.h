// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Standard input, as a guest's keyboard.
 *
 * Concept: what kind of file it is decides when it is read, since reading is where the outside world enters a machine that
 * is otherwise deterministic:
 *
 *      file       (also /dev/null) is always ready: read whenever the guest asks. Two runs get every byte at the same time.
 *      pipe       is looked at when the guest asks, and waited for only when nothing else can happen.
 *      terminal   is looked at after every slice of time, because Ctrl-] must always be noticed; what was typed ahead is kept.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#define INPUT_LEAVE 0x1d /* Ctrl-], as in `xl console` */

struct input {
    enum { INPUT_FILE, INPUT_PIPE, INPUT_TERMINAL } kind;
    int fd;
    bool closed;    /* no more will come */
    bool left;      /* Ctrl-] was typed */
    char buf[4096]; /* typed ahead */
    size_t len;
};

void input_open(struct input *in, int fd);

/* A terminal: take in what was typed. */
void input_poll(struct input *in);

/* Up to len bytes, without waiting: 0 when there are none now. */
size_t input_read(struct input *in, char *buf, size_t len);

/* Is there something to read now (the end of input is something)? */
bool input_ready(const struct input *in);

#endif
