// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket of a run, see ui/ctl/serve.h. */
#include "ui/ctl/serve.h"

#include "tools/printable.h"
#include "ui/ctl/looks.h"
#include "ui/ctl/wire.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (CTL_HEAD_SIZE + CTL_WORDS_SIZE)

/* What is being taken: where inputs go. */
struct taking {
    struct ctl_serve *s;
    ctl_input_fn *fn;
    void *data;
};

static struct ctl_conn *conn_find(struct ctl_serve *s, unsigned int id)
{
    for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++)
        if (s->conn[i].id == id)
            return &s->conn[i];
    return NULL;
}

static void conn_free(struct ctl_conn *c)
{
    free(c->bytes);
    free(c->waits);
    *c = (struct ctl_conn){ 0 };
}

/* --- answers --- */

/* What a console says stays as it is; all else may have the words of others in it, and is made fit for a terminal. */
static void frame(struct ctl_serve *s, const struct ctl_conn *c, enum host_ctl what, const char *text, size_t len)
{
    const bool plain = what != HOST_CTL_END && (c->state != CTL_AT_CONSOLE || what == HOST_CTL_ERR);
    uint8_t head[CTL_FRAME_SIZE] = { (uint8_t)what };
    char *copy = plain ? malloc(len + 1) : NULL;

    if (c->state == CTL_OVER || (plain && !copy)) {
        free(copy);
        return;
    }
    if (plain) {
        memcpy(copy, text, len);
        make_printable(copy, len, true);
    }
    ctl_length_put(head + 1, len);
    socket_door_out(&s->door, c->id, head, sizeof(head));
    socket_door_out(&s->door, c->id, plain ? copy : text, len);
    free(copy);
}

__attribute__((format(printf, 3, 4))) static void tell(struct ctl_serve *s, const struct ctl_conn *c, const char *fmt,
                                                       ...)
{
    char text[CTL_ERR_SIZE + 64];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    frame(s, c, HOST_CTL_ERR, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void finish(struct ctl_serve *s, struct ctl_conn *c, int status)
{
    frame(s, c, HOST_CTL_END, (char[]){ (char)status }, 1);
    c->state = CTL_OVER;
    socket_door_hang_up(&s->door, c->id);
}

static bool domain_is(const struct ctl_serve *s, domid_t domid)
{
    struct xen_domctl_getdomaininfo info;
    unsigned int n = domid;

    return host_snapshot_domain(s->host, &n, &info) && n == domid;
}

/* All that was waited for has come? */
static void waits_check(struct ctl_serve *s, struct ctl_conn *c)
{
    bool over = true;

    for (unsigned int i = 0; i < c->nr_waits; i++) {
        struct ctl_wait *w = &c->waits[i];

        if (!w->over && !domain_is(s, w->domid)) {
            tell(s, c, "Domain %u has been destroyed\n", w->domid);
            w->over = true;
        }
        over = over && w->over;
    }
    if (over && c->state == CTL_WAITS)
        finish(s, c, 0);
}

void ctl_serve_say(struct ctl_serve *s, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    struct ctl_conn *c = conn_find(s, id);

    if (!c || c->state != CTL_RUNS)
        return;
    if (what != HOST_CTL_END) {
        frame(s, c, what, text, len);
    } else if (text[0] || !c->nr_waits) {
        finish(s, c, text[0]);
    } else {
        tell(s, c, "Waiting for %u domains\n", c->nr_waits);
        c->state = CTL_WAITS;
        waits_check(s, c);
    }
}

void ctl_serve_console(struct ctl_serve *s, domid_t domid, const char *text, size_t len)
{
    for (struct ctl_conn *c = s->conn; c < s->conn + SOCKET_DOOR_CLIENTS; c++)
        if (c->id && c->state == CTL_AT_CONSOLE && c->domid == domid)
            frame(s, c, HOST_CTL_OUT, text, len);
}

void ctl_serve_ended(struct ctl_serve *s, domid_t domid, int reason)
{
    for (struct ctl_conn *c = s->conn; c < s->conn + SOCKET_DOOR_CLIENTS; c++) {
        if (!c->id)
            continue;
        if (c->state == CTL_AT_CONSOLE && c->domid == domid)
            finish(s, c, 0);
        for (unsigned int i = 0; i < c->nr_waits; i++) {
            struct ctl_wait *w = &c->waits[i];

            if (w->domid != domid || w->over || reason == HOST_DESTROYED)
                continue;
            tell(s, c, "Domain %u has been shut down, reason code %d\n", domid, reason);
            w->over = c->until < 2;
            if (!w->over)
                tell(s, c, "Domain %u continue waiting for death\n", domid);
        }
        if (c->state == CTL_WAITS)
            waits_check(s, c);
    }
}

/* --- commands --- */

static void look(struct ctl_serve *s, struct ctl_conn *c, const struct ctl_request *r)
{
    char *text = NULL, *errors = NULL;
    size_t len = 0, errors_len = 0;
    FILE *out = open_memstream(&text, &len), *err = open_memstream(&errors, &errors_len);
    int status = out && err ? ctl_look(s->host, r, out, err) : 1;

    if (out)
        fclose(out);
    if (err)
        fclose(err);
    if (len)
        frame(s, c, HOST_CTL_OUT, text, len);
    if (errors_len)
        frame(s, c, HOST_CTL_ERR, errors, errors_len);
    free(text);
    free(errors);
    finish(s, c, status);
}

static void wait_add(struct ctl_conn *c, domid_t domid)
{
    struct ctl_wait *more = reallocarray(c->waits, c->nr_waits + 1, sizeof(*more));

    if (!more)
        return;
    c->waits = more;
    c->waits[c->nr_waits++] = (struct ctl_wait){ .domid = domid };
}

/* shutdown -w, reboot -w: for which domains? */
static void waits_make(struct ctl_serve *s, struct ctl_conn *c, const struct ctl_request *r)
{
    const bool ends = !strcmp(r->command->name, "shutdown") || !strcmp(r->command->name, "reboot");
    struct xen_domctl_getdomaininfo info;
    domid_t domid;

    c->until = ends ? r->times['w'] : 0;
    if (c->until && r->nr_args && ctl_domain_find(s->host, r->arg[0], &domid))
        wait_add(c, domid);
    for (unsigned int n = 1; c->until && !r->nr_args && host_snapshot_domain(s->host, &n, &info); n++)
        if (!(info.flags & XEN_DOMINF_shutdown))
            wait_add(c, info.domain);
}

/* A guest has one console, number 0; it is serial, if that is an HVM guest's serial line. */
static bool console_exists(struct ctl_serve *s, struct ctl_conn *c, const struct ctl_request *r)
{
    const char *type = r->option['t'];

    if (type && strcmp(type, "pv") != 0 && strcmp(type, "serial") != 0)
        tell(s, c, "console -t %s: expected pv or serial\n", type);
    else if (r->option['n'] && strcmp(r->option['n'], "0") != 0)
        tell(s, c, "console -n %s: there is number 0 only; channel-list says where channels are\n", r->option['n']);
    else
        return true;
    finish(s, c, 1);
    return false;
}

static void console_attach(struct ctl_serve *s, struct ctl_conn *c, const struct ctl_request *r)
{
    const bool found = ctl_domain_find(s->host, r->arg[0], &c->domid);
    const int guest = found ? host_guest_index(s->host, c->domid) : -1;
    const bool serial = r->option['t'] && !strcmp(r->option['t'], "serial");
    const bool other = guest >= 0 && serial && !host_console_is_serial(s->host, (unsigned int)guest);

    if (guest < 0 || other) {
        if (!found)
            tell(s, c, CTL_NO_DOMAIN, r->arg[0]);
        else if (other)
            tell(s, c, "console -t serial: domain %u has no serial line (serial = \"pty\" of an HVM guest)\n",
                 c->domid);
        else
            tell(s, c, "Domain %u has no console\n", c->domid);
        finish(s, c, 1);
        return;
    }
    c->guest = (unsigned int)guest;
    c->state = CTL_AT_CONSOLE;
    if (host_guest_ended(s->host, c->guest))
        finish(s, c, 0);
}

static void carry_out(struct taking *t, struct ctl_conn *c, const char *words, size_t len)
{
    struct ctl_request r;
    char why[CTL_ERR_SIZE], err[HOST_ERR_SIZE], all[CTL_WORDS_SIZE];

    if (ctl_parse(words, len, &r, why)) {
        tell(t->s, c, "%s\n", why);
        finish(t->s, c, 1);
    } else if (r.command->kind == CTL_CONSOLE) {
        if (console_exists(t->s, c, &r))
            console_attach(t->s, c, &r);
    } else if (!ctl_changes(&r)) {
        look(t->s, c, &r);
    } else if (!host_ctl_prepare(t->s->host, &r, err)) {
        frame(t->s, c, HOST_CTL_ERR, err, strlen(err));
        finish(t->s, c, 1);
    } else {
        waits_make(t->s, c, &r);
        c->state = CTL_RUNS;
        t->fn(t->data, JOURNAL_CTL, c->id, all, host_ctl_words(t->s->host, words, len, all));
    }
}

/* --- what comes --- */

/* Who has said no command yet gives its place to who may have one to say: the one that has been there longest. */
static void place_make(struct ctl_serve *s)
{
    struct ctl_conn *oldest = NULL;

    for (struct ctl_conn *c = s->conn; c < s->conn + SOCKET_DOOR_CLIENTS; c++) {
        if (!c->id)
            return;
        if (c->state == CTL_READS && (!oldest || c->id < oldest->id))
            oldest = c;
    }
    if (oldest)
        finish(s, oldest, 1);
}

static void on_open(struct ctl_serve *s, unsigned int id)
{
    struct ctl_conn *c = conn_find(s, 0);

    *c = (struct ctl_conn){ .id = id, .bytes = malloc(CTL_TYPED_MAX) };
    if (!c->bytes)
        finish(s, c, 1);
    place_make(s);
}

static bool add(struct ctl_conn *c, const void *bytes, size_t len, size_t max)
{
    if (c->len + len > max)
        return false;
    memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
    return true;
}

/* Is what has come a request, or may it become one? */
static bool request_check(struct taking *t, struct ctl_conn *c)
{
    char words[CTL_WORDS_SIZE];
    size_t len;

    if (memcmp(c->bytes, CTL_MAGIC, c->len < 4 ? c->len : 4) != 0)
        return false;
    if (c->len < CTL_HEAD_SIZE)
        return true;
    len = ctl_length_get((const uint8_t *)c->bytes + 4);
    if (!len || len > CTL_WORDS_SIZE)
        return false;
    if (c->len < CTL_HEAD_SIZE + len)
        return true;
    memcpy(words, c->bytes + CTL_HEAD_SIZE, len);
    c->len -= CTL_HEAD_SIZE + len; /* what is left may have been typed */
    memmove(c->bytes, c->bytes + CTL_HEAD_SIZE + len, c->len);
    carry_out(t, c, words, len);
    return true;
}

static void on_bytes(struct taking *t, struct ctl_conn *c, const void *bytes, size_t len)
{
    if (c->state == CTL_READS) {
        if (!add(c, bytes, len, CTL_TYPED_MAX) || !request_check(t, c)) {
            tell(t->s, c, "that is no command of xenlab ctl\n");
            finish(t->s, c, 1);
        }
    } else if (c->state == CTL_AT_CONSOLE && !add(c, bytes, len, CTL_TYPED_MAX)) {
        tell(t->s, c, "more was typed than the console takes\n");
        finish(t->s, c, 1);
    }
}

static void on_thing(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len)
{
    struct taking *t = data;
    struct ctl_conn *c = what == HOST_SOCKET_OPEN ? NULL : conn_find(t->s, id);

    if (what == HOST_SOCKET_OPEN)
        on_open(t->s, id);
    else if (c && what == HOST_SOCKET_BYTES)
        on_bytes(t, c, bytes, len);
    else if (c && what == HOST_SOCKET_CLOSE)
        conn_free(c);
}

/* As much as the guest takes. */
static void typed(struct taking *t, struct ctl_conn *c)
{
    const size_t room = host_console_room(t->s->host, c->guest), n = c->len < room ? c->len : room;

    if (!n)
        return;
    t->fn(t->data, JOURNAL_CONSOLE, c->guest, c->bytes, n);
    c->len -= n;
    memmove(c->bytes, c->bytes + n, c->len);
}

void ctl_serve_take(struct ctl_serve *s, ctl_input_fn *fn, void *data)
{
    struct taking t = { s, fn, data };

    socket_door_take(&s->door, on_thing, &t);
    for (struct ctl_conn *c = s->conn; s->door.path && c < s->conn + SOCKET_DOOR_CLIENTS; c++) {
        if (c->id && c->state == CTL_AT_CONSOLE)
            typed(&t, c);
        else if (c->id && c->state == CTL_WAITS)
            waits_check(s, c);
    }
}

int ctl_serve_open(struct ctl_serve *s, struct host *h, char *err, size_t size)
{
    s->host = h;
    return socket_door_open(&s->door, "--control", s->path, err, size);
}

void ctl_serve_close(struct ctl_serve *s)
{
    for (struct ctl_conn *c = s->conn; c < s->conn + SOCKET_DOOR_CLIENTS; c++) {
        if (c->id && c->state == CTL_WAITS) {
            for (unsigned int i = 0; i < c->nr_waits; i++)
                if (!c->waits[i].over)
                    tell(s, c, "Domain %u has been destroyed\n", c->waits[i].domid);
            finish(s, c, 0);
        } else if (c->id && c->state == CTL_AT_CONSOLE) {
            finish(s, c, 0);
        } else if (c->id && c->state == CTL_RUNS) {
            tell(s, c, "the machine has been switched off meanwhile\n");
            finish(s, c, 1);
        }
        conn_free(c);
    }
    socket_door_close(&s->door);
}
