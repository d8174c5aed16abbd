// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Standard input, as a guest's keyboard.
 *
 * Concept: what kind of file it is decides when it is read, since reading is where the outside world enters a machine
 * that is otherwise deterministic:
 *
 *      file       (also /dev/null) is always ready: read ahead after every slice of virtual time, so that two runs get
 *                 every byte at the same time.
 *      pipe       is looked at then if the guest has read all it was given, and waited for only when nothing else can
 *                 happen.
 *      terminal   is looked at after every slice of time, because Ctrl-] must always be noticed; what was typed ahead is kept.
 *
 * Of several guests one has the keyboard. On a terminal Ctrl-^ gives it to the next one, and what was typed before
 * stays the former one's: each key belongs to the guest that had the keyboard when it was typed.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_LEAVE 0x1d /* Ctrl-], as in `xl console` */
#define INPUT_NEXT  0x1e /* Ctrl-^, its neighbour */
#define INPUT_AHEAD 4096

struct input {
    enum { INPUT_FILE, INPUT_PIPE, INPUT_TERMINAL } kind;
    int fd;
    bool closed;        /* no more will come */
    bool left;          /* Ctrl-] was typed */
    unsigned int guest; /* who has the keyboard */
    unsigned int (*next)(void *data,
                         unsigned int guest); /* to whom Ctrl-^ gives it; NULL: that is a key like any other */
    void *data;
    char buf[INPUT_AHEAD]; /* typed ahead, and for whom */
    uint16_t to[INPUT_AHEAD];
    size_t len;
};

void input_open(struct input *in, int fd);

/* It is a terminal, and another process group has it: reading from it would stop us. */
bool input_elsewhere(const struct input *in);

/* A terminal: take in what was typed. */
void input_poll(struct input *in);

/* Up to len bytes for this guest, without waiting: 0 when there are none now. */
size_t input_read(struct input *in, unsigned int guest, char *buf, size_t len);

/* Is there something for it to read now (the end of input is something)? */
bool input_ready(const struct input *in, unsigned int guest);

#endif
