// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON, read: tools/sweep/json.h. */
#include "tools/sweep/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

#define MAX_DEPTH 32

struct reading {
    char *at, *end; /* *end is 0 */
    unsigned int depth;
};

static struct json *value_read(struct reading *r);

static void blanks(struct reading *r) { r->at += strspn(r->at, " \t\r\n"); }

static bool takes(struct reading *r, const char *word)
{
    const size_t n = strlen(word);

    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n))
        return false;
    r->at += n;
    return true;
}

/* Behind its first quote; cut off in place. NULL: it has no end, or what no string may have. */
static char *string_read(struct reading *r)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *start = r->at, *to = start;

    while (r->at < r->end && *r->at != '"') {
        const char c = *r->at++;
        const char *escape;

        if ((unsigned char)c < ' ')
            return NULL;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        if (*r->at == 'u') {
            unsigned int x = 0;

            for (int i = 1; i <= 4; i++) {
                const char *digit = r->at[i] ? strchr("0123456789abcdef0123456789ABCDEF", r->at[i]) : NULL;

                if (!digit)
                    return NULL;
                x = 16 * x + (unsigned int)(digit - "0123456789abcdef0123456789ABCDEF") % 16;
            }
            *to++ = x && x < 0x80 ? (char)x : '?';
            r->at += 5;
            continue;
        }
        escape = *r->at ? strchr(names, *r->at) : NULL;
        if (!escape)
            return NULL;
        *to++ = meant[escape - names];
        r->at++;
    }
    if (r->at >= r->end)
        return NULL;
    r->at++;
    *to = '\0';
    return start;
}

/* Members of an array or object, up to its end. */
static bool members_read(struct reading *r, struct json *of, char end)
{
    struct json **last = &of->first;

    blanks(r);
    if (*r->at == end)
        return r->at++;
    for (;;) {
        char *key = NULL;

        blanks(r);
        if (of->kind == JSON_OBJECT) {
            if (!takes(r, "\"") || !(key = string_read(r)))
                return false;
            blanks(r);
            if (!takes(r, ":"))
                return false;
        }
        *last = value_read(r);
        if (!*last)
            return false;
        (*last)->key = key;
        last = &(*last)->next;
        blanks(r);
        if (*r->at == end)
            return r->at++;
        if (!takes(r, ","))
            return false;
    }
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool number_read(struct reading *r, double *x)
{
    const char *at = r->at + (*r->at == '-');
    const size_t n = strspn(at, "0123456789");

    if (!n || (n > 1 && *at == '0'))
        return false;
    at += n;
    if (*at == '.') {
        const size_t more = strspn(at + 1, "0123456789");

        at += 1 + more;
        if (!more)
            return false;
    }
    if (*at == 'e' || *at == 'E') {
        const char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
        const size_t more = strspn(digits, "0123456789");

        at = digits + more;
        if (!more)
            return false;
    }
    *x = strtod(r->at, NULL);
    r->at += at - r->at;
    return isfinite(*x);
}

static bool any_read(struct reading *r, struct json *j)
{
    if (takes(r, "null"))
        return true;
    if (takes(r, "true"))
        return (j->kind = JSON_TRUE);
    if (takes(r, "false"))
        return (j->kind = JSON_FALSE);
    if (takes(r, "\"")) {
        j->kind = JSON_TEXT;
        return (j->text = string_read(r));
    }
    if (takes(r, "[")) {
        j->kind = JSON_ARRAY;
        return members_read(r, j, ']');
    }
    if (takes(r, "{")) {
        j->kind = JSON_OBJECT;
        return members_read(r, j, '}');
    }
    j->kind = JSON_NUMBER;
    return number_read(r, &j->number);
}

static struct json *value_read(struct reading *r)
{
    struct json *j;

    blanks(r);
    if (r->depth == MAX_DEPTH)
        return NULL;
    j = calloc(1, sizeof(*j));
    BUG_ON(!j);
    r->depth++;
    if (!any_read(r, j)) {
        json_free(j);
        j = NULL;
    }
    r->depth--;
    return j;
}

struct json *json_read(char *text, size_t len, size_t *wrong_at)
{
    struct reading r = { .at = text, .end = text + len };
    struct json *j = value_read(&r);

    blanks(&r);
    if (j && r.at == r.end)
        return j;
    *wrong_at = (size_t)(r.at - text);
    json_free(j);
    return NULL;
}

void json_free(struct json *j)
{
    while (j) {
        struct json *next = j->next;

        json_free(j->first);
        free(j);
        j = next;
    }
}

const struct json *json_member(const struct json *j, const char *key, enum json_kind kind)
{
    const struct json *m = j && j->kind == JSON_OBJECT ? j->first : NULL;

    while (m && strcmp(m->key, key))
        m = m->next;
    return m && m->kind == kind ? m : NULL;
}

const char *json_text(const struct json *j, const char *key)
{
    const struct json *m = json_member(j, key, JSON_TEXT);

    return m ? m->text : "";
}

bool json_whole(const struct json *j, const char *key, unsigned long long least, unsigned long long most,
                unsigned long long *n)
{
    const struct json *m = json_member(j, key, JSON_NUMBER);

    if (!m || !(m->number >= (double)least) || !(m->number <= (double)most) || m->number != floor(m->number))
        return false;
    *n = (unsigned long long)m->number;
    return true;
}
