// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the debugger says: one announcement a change, as text or as a JSON object a line.
 *
 * Concept: an announcement is made once, for both: its sentence for people, its fields for programs. Lines are only
 * ever appended, so that a screen reader, a file, a test, a scroll-back buffer get the same.
 *
 *      say_begin(s, "stop");
 *      say_field(s, "pos", "%s", pos);             JSON alone
 *      say(s, "%s  %s", pos, why);                 text alone
 *      say_end(s);
 */
#ifndef UI_DEBUG_SAY_H
#define UI_DEBUG_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct say {
    FILE *out;
    bool json;
    /* Whoever has something to say that comes before, a line that has no end yet; or NULL. */
    void (*before)(void *data);
    void *before_data;
};

/* JSON: kind is the object's. */
void say_begin(struct say *s, const char *kind);
void say_end(struct say *s);
void say(struct say *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A string; whatever is in it is made printable. */
void say_field(struct say *s, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void say_number(struct say *s, const char *key, uint64_t value);
void say_bool(struct say *s, const char *key, bool value);
/* An announcement that is a sentence and nothing more; JSON: "text". */
void say_line(struct say *s, const char *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Something that could not be done; code: one word that programs may rely on. */
void say_error(struct say *s, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
