// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests' output and our messages on their way to the user; the model is in ui/console.h. */
#include "ui/console.h"

#include "sim/bug.h"
#include "tools/printable.h"

#include <errno.h>
#include <stdint.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

static void put(struct console *c, const char *text, size_t len)
{
    if (len)
        c->in_line = text[len - 1] != '\n';
    if (!c->error && fwrite(text, 1, len, c->out) != len)
        c->error = errno;
}

/* What follows shall begin at the left. */
static void line_break(struct console *c)
{
    if (!c->together || !c->in_line)
        return;
    put(c, "\r\n" + !c->out_raw, 1 + c->out_raw);
    c->open = NULL;
}

void console_flush(struct console *c)
{
    if (!c->error && fflush(c->out))
        c->error = errno;
}

/* --- several guests: lines --- */

/* NULL: out of memory. */
static struct console_line *line_of(struct console *c, unsigned int domid)
{
    struct console_line *l;

    BUG_ON(domid >= DOMID_FIRST_RESERVED);
    if (!c->of)
        c->of = calloc(DOMID_FIRST_RESERVED, sizeof(*c->of)); /* most of it is never touched */
    if (!c->of || c->of[domid])
        return c->of ? c->of[domid] : NULL;
    l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->domid = domid;
    *(c->last ? &c->last->next : &c->lines) = l;
    c->last = c->of[domid] = l;
    return l;
}

static void newline_put(struct console *c)
{
    put(c, "\r\n" + !c->out_raw, 1 + c->out_raw);
    c->open = NULL;
}

/* Put out what has not been: behind what has, or behind the guest's name on a new line. */
static void line_show(struct console *c, struct console_line *l)
{
    char prefix[24];

    if (c->open && c->open != l)
        newline_put(c);
    if (!c->open)
        put(c, prefix, (size_t)snprintf(prefix, sizeof(prefix), "[d%u] ", l->domid));
    if (c->attached != (int)l->domid)
        make_printable(l->text + l->shown, l->len - l->shown, true);
    put(c, l->text + l->shown, l->len - l->shown);
    l->shown = l->len;
    c->open = l;
}

static void line_put(struct console *c, struct console_line *l)
{
    /* What was shown and then written behind is a line already. */
    if (c->open == l || l->shown == 0 || l->shown < l->len) {
        line_show(c, l);
        newline_put(c);
    }
    l->len = l->shown = 0;
}

static void line_add(struct console *c, struct console_line *l, char byte)
{
    l->touched = true;
    if (byte == '\n') {
        line_put(c, l);
        return;
    }
    if (byte == '\r') /* would move our prefix out of place */
        return;
    if (l->len == sizeof(l->text))
        line_put(c, l);
    l->text[l->len++] = byte;
}

void console_guest_write(struct console *c, unsigned int domid, const char *text, size_t len)
{
    struct console_line *l = c->by_lines ? line_of(c, domid) : NULL;

    if (!l)
        put(c, text, len);
    for (size_t i = 0; l && i < len; i++)
        line_add(c, l, text[i]);
}

void console_share(struct console *c)
{
    if (!c->by_lines && c->in_line)
        newline_put(c);
    c->by_lines = true;
}

void console_tick(struct console *c, s_time_t now, bool idle)
{
    struct console_line *attached = NULL;

    for (struct console_line *l = c->lines; l; l = l->next) {
        if (l->touched)
            l->since = now;
        l->touched = false;
        if (c->attached == (int)l->domid)
            attached = l;
        else if (l->len > l->shown && (idle || now - l->since >= CONSOLE_PROMPT_AFTER))
            line_show(c, l);
    }
    if (attached && attached->len && idle && c->open != attached)
        attached->shown = 0; /* the prompt that is waited at is the last thing to be seen */
    if (attached && attached->len > attached->shown)
        line_show(c, attached);
}

void console_attach(struct console *c, unsigned int domid)
{
    struct console_line *l = c->by_lines ? line_of(c, domid) : NULL;

    c->attached = (int)domid;
    if (!l || !l->len)
        return;
    l->shown = c->open == l ? l->shown : 0;
    line_show(c, l);
}

void console_guest_end(struct console *c, unsigned int domid)
{
    struct console_line *l = c->by_lines ? line_of(c, domid) : NULL;

    if (l && l->len)
        line_put(c, l);
}

/* --- messages --- */

/* Much of a message is quoted: names, and what a guest says to the hypervisor. */
static void put_printable(FILE *f, const char *text, size_t len)
{
    char part[256];

    for (size_t n; len; text += n, len -= n) {
        n = len < sizeof(part) ? len : sizeof(part);
        while (n < len && n > sizeof(part) - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--; /* not in the middle of a character */
        memcpy(part, text, n);
        make_printable(part, n, true);
        fwrite(part, 1, n, f);
    }
}

void console_message(struct console *c, const char *text, size_t len)
{
    line_break(c);
    console_flush(c);
    while (len) {
        const char *nl = memchr(text, '\n', len);
        size_t n = nl ? (size_t)(nl - text) : len;

        put_printable(c->err, text, n);
        if (nl)
            fputs("\r\n" + !c->err_raw, c->err);
        n += nl != NULL;
        text += n;
        len -= n;
    }
    fflush(c->err);
}

void console_close(struct console *c)
{
    while (c->lines) {
        struct console_line *l = c->lines;

        c->lines = l->next;
        if (l->len)
            line_put(c, l);
        free(l);
    }
    free(c->of);
    c->of = NULL;
    c->last = NULL;
    if (c->end_line && c->in_line)
        newline_put(c);
    line_break(c);
    console_flush(c);
    if (c->error) /* or exit() would try again, and wait again */
        __fpurge(c->out);
}
