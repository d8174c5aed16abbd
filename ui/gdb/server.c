// SPDX-License-Identifier: GPL-2.0-or-later
/* A client's packets, one after the other, and what they mean: see ui/gdb/server.h. */
#include "ui/gdb/private.h"

#include <string.h>

/* Unread answers that an impatient client may have repeated to it. */
#define REPEAT_MAX 65536

/* --- who is meant --- */

static void choose(struct gdb_server *s, const char *args)
{
    const char op = *args ? *args++ : '\0';
    const int vcpu = gdb_thread(s, &args, op == 'g' ? (int)s->thread : GDB_ALL);

    if ((op != 'g' && op != 'c') || *args || vcpu == GDB_NOBODY) {
        gdb_reply(s, "E01");
        return;
    }
    if (op == 'c')
        s->chosen = vcpu;
    else if (vcpu >= 0)
        s->thread = (unsigned int)vcpu;
    gdb_reply(s, "OK");
}

static void is_alive(struct gdb_server *s, const char *args)
{
    gdb_reply(s, gdb_thread(s, &args, (int)s->thread) >= 0 && !*args ? "OK" : "E01");
}

/* --- wishes --- */

static void wish(struct gdb_server *s, enum gdb_wish w, int only)
{
    s->wish = w;
    s->only = only;
    s->interrupted = false;
}

/* An address to go on from would set a register: nobody sends one. */
static void go_on(struct gdb_server *s, const char *args)
{
    if (*args)
        gdb_reply(s, "E01");
    else
        wish(s, GDB_CONTINUE, s->chosen);
}

/* Whoever was chosen for it; else whom packets are about. */
static void step_on(struct gdb_server *s, const char *args)
{
    if (*args)
        gdb_reply(s, "E01");
    else
        wish(s, GDB_STEP, s->chosen >= 0 ? s->chosen : (int)s->thread);
}

/* gdb sends Hc0 before bs: the thread that it means is that of the last Hg. */
static void backward(struct gdb_server *s, const char *args)
{
    if (!strcmp(args, "s"))
        wish(s, GDB_REVERSE_STEP, s->chosen >= 0 ? s->chosen : (int)s->thread);
    else if (!strcmp(args, "c"))
        wish(s, GDB_REVERSE_CONTINUE, s->chosen);
    else
        gdb_reply(s, "%s", "");
}

/* One of "c", "C05", "s:1", "c:p1.-1": what, and who. False: it is none. */
static bool action(struct gdb_server *s, const char **p, char *what, int *who)
{
    uint64_t signal;

    *what = **p;
    *who = GDB_ALL;
    if (!**p || !strchr("cCsS", *(*p)++))
        return false;
    if ((*what == 'C' || *what == 'S') && !hex_number(p, &signal))
        return false;
    if (**p == ':') {
        ++*p;
        *who = gdb_thread(s, p, (int)s->thread);
    }
    return (**p == ';' || !**p) && *who != GDB_NOBODY;
}

/*
 * vCont;ACTION...: for each thread the first one that is for it. Everybody runs when anybody does; so if one is to be
 * stepped that is the wish, and if all that run are named it is what stops are told of.
 */
static void resume(struct gdb_server *s, const char *args)
{
    enum gdb_wish w = GDB_STAND;
    int only = GDB_ALL, who;
    char what;

    if (!strcmp(args, "?")) {
        gdb_reply(s, "vCont;c;C;s;S");
        return;
    }
    for (const char *p = args; *p;) {
        if (*p++ != ';' || !action(s, &p, &what, &who)) {
            gdb_reply(s, "E01");
            return;
        }
        if (w == GDB_STEP)
            continue;
        if (what == 's' || what == 'S') {
            w = GDB_STEP;
            only = who >= 0 ? who : (int)s->thread;
        } else {
            only = w == GDB_STAND ? who : who == only ? only : GDB_ALL;
            w = GDB_CONTINUE;
        }
    }
    if (w == GDB_STAND)
        gdb_reply(s, "E01");
    else
        wish(s, w, only);
}

/* --- others --- */

/* What it is shown of a domain that is gone has to be looked for first. */
static void why_stands(struct gdb_server *s, const char *args)
{
    struct look_vcpu v;

    if (look_vcpu(s->g->host, s->dom, s->thread, &v))
        gdb_stop_put(s, 5, "");
    else
        wish(s, GDB_TELL, GDB_ALL);
}

static void detach(struct gdb_server *s, const char *args)
{
    s->detached = true;
    gdb_reply(s, "OK");
}

static void kill(struct gdb_server *s, const char *args) { s->killed = true; }

static void must_be_empty(struct gdb_server *s, const char *args) { gdb_reply(s, "%s", ""); }

/* --- the table --- */

static void packet(struct gdb_server *s)
{
    static const struct {
        const char *name;
        gdb_fn *fn;
    } packets[] = { { "vMustReplyEmpty", must_be_empty },
                    { "vCont", resume },
                    { "?", why_stands },
                    { "g", gdb_regs_read },
                    { "G", gdb_regs_write },
                    { "p", gdb_reg_read },
                    { "P", gdb_reg_write },
                    { "m", gdb_memory_read },
                    { "M", gdb_memory_write },
                    { "X", gdb_memory_write_binary },
                    { "c", go_on },
                    { "s", step_on },
                    { "b", backward },
                    { "Z", gdb_point_set },
                    { "z", gdb_point_clear },
                    { "H", choose },
                    { "T", is_alive },
                    { "D", detach },
                    { "k", kill } };

    if (s->in.text[0] == 'q' || s->in.text[0] == 'Q') {
        gdb_query(s, s->in.text);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        const size_t n = strlen(packets[i].name);

        if (!strncmp(s->in.text, packets[i].name, n)) {
            packets[i].fn(s, s->in.text + n);
            return;
        }
    }
    gdb_reply(s, "%s", ""); /* what is not known has an empty answer */
}

static void event(struct gdb_server *s, enum packet_event e)
{
    switch (e) {
    case PACKET_MORE:
    case PACKET_ACK: break;
    case PACKET_NAK:
        if (!s->no_ack && s->out.len < REPEAT_MAX)
            bytes_put(&s->out, s->last.at, s->last.len);
        break;
    case PACKET_WRONG:
        if (!s->no_ack)
            bytes_put(&s->out, "-", 1);
        break;
    case PACKET_BREAK:
        if (s->wish == GDB_CONTINUE)
            gdb_server_interrupt(s);
        s->interrupted = s->wish != GDB_STAND;
        break;
    case PACKET_WHOLE:
        if (s->wish != GDB_STAND || s->detached || s->killed) /* it is too early for that, or too late */
            break;
        if (!s->no_ack)
            bytes_put(&s->out, "+", 1);
        packet(s);
        break;
    }
}

/* --- coming and going --- */

void gdb_server_take(struct gdb_server *s, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        event(s, packet_take(&s->in, ((const uint8_t *)bytes)[i]));
}

void gdb_server_begin(struct gdb_server *s, struct debug *g, domid_t dom, enum gdb_layout layout)
{
    s->g = g;
    s->dom = dom;
    s->layout = s->next_layout = layout;
    s->chosen = s->only = GDB_ALL;
}

void gdb_server_end(struct gdb_server *s)
{
    gdb_points_forget(s);
    bytes_free(&s->out);
    bytes_free(&s->last);
}
