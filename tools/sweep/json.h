// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON (RFC 8259), read: what results of sweeps are written in. They may be anybody's, and anything. */
#ifndef TOOLS_SWEEP_JSON_H
#define TOOLS_SWEEP_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    double number;
    char *text, *key;          /* key: of a member of an object. Both lie in the text that was read */
    struct json *first, *next; /* of an array or object; behind it, in one */
};

/*
 * text, of len bytes and a 0 behind them, is written into, and must live as long as what is returned. Escapes beyond
 * ASCII become question marks. NULL: *wrong_at is where. json_free() it.
 */
struct json *json_read(char *text, size_t len, size_t *wrong_at);
void json_free(struct json *j);

/* NULL: there is none, or it is of another kind; j may be NULL. */
const struct json *json_member(const struct json *j, const char *key, enum json_kind kind);
/* A member's text, or "". */
const char *json_text(const struct json *j, const char *key);
/* A member that is a whole number from least to most. */
bool json_whole(const struct json *j, const char *key, unsigned long long least, unsigned long long most,
                unsigned long long *n);

#endif
