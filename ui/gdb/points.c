// SPDX-License-Identifier: GPL-2.0-or-later
/* Z packets: gdb's breakpoints and watchpoints are stops of the debugger's list, see ui/gdb/server.h. */
#include "ui/gdb/private.h"

enum { Z_SOFTWARE, Z_HARDWARE, Z_WRITE, Z_READ, Z_ACCESS, Z_NR };

static struct gdb_point *find(struct gdb_server *s, const struct gdb_point *p)
{
    for (unsigned int i = 0; i < s->nr_points; i++)
        if (s->points[i].type == p->type && s->points[i].addr == p->addr && s->points[i].len == p->len)
            return &s->points[i];
    return NULL;
}

const struct gdb_point *gdb_point_of(const struct gdb_server *s, const struct debug_stop *stop)
{
    for (unsigned int i = 0; stop && i < s->nr_points; i++)
        if (s->points[i].id[0] == stop->id || s->points[i].id[1] == stop->id)
            return &s->points[i];
    return NULL;
}

static void delete (struct gdb_server *s, struct gdb_point *p)
{
    struct debugger *d = &s->g->dbg;

    for (unsigned int i = 0; i < 2; i++)
        if (p->id[i])
            stops_delete(&d->stops, p->id[i]); /* another door may have done so already */
    d->nr_hits = 0;
    *p = s->points[--s->nr_points];
}

void gdb_points_forget(struct gdb_server *s)
{
    while (s->nr_points)
        delete (s, &s->points[0]);
}

/* "TYPE,ADDR,LEN"; conditions and commands of gdb's agent, which are not asked for, would follow. */
static bool parse(const char *args, struct gdb_point *p)
{
    uint64_t type;

    *p = (struct gdb_point){ 0 };
    if (!hex_number(&args, &type) || type >= Z_NR || *args++ != ',' || !hex_number(&args, &p->addr) || *args++ != ',' ||
        !hex_number(&args, &p->len) || *args)
        return false;
    p->type = (unsigned int)type;
    return true;
}

/* 0: it is refused. */
static unsigned int add(struct gdb_server *s, const struct gdb_point *p, enum debug_access access)
{
    const struct debug_stop what = { .kind = p->type <= Z_HARDWARE ? DEBUG_BREAK : DEBUG_WATCH,
                                     .dom = s->dom,
                                     .vcpu = s->thread,
                                     .addr = p->addr,
                                     .space = p->type <= Z_HARDWARE ? LOOK_VIRTUAL : s->space,
                                     .len = p->len,
                                     .access = access };
    char err[EXPR_ERR_SIZE];
    const struct debug_stop *stop = stops_add(&s->g->dbg.stops, &what, NULL, err);

    return stop ? stop->id : 0;
}

void gdb_point_set(struct gdb_server *s, const char *args)
{
    struct gdb_point p;

    if (!parse(args, &p) ||
        (p.type > Z_HARDWARE && (!p.len || p.len > DEBUG_WATCH_MAX || p.addr + (p.len - 1) < p.addr))) {
        gdb_reply(s, "E01");
        return;
    }
    if (find(s, &p)) {
        gdb_reply(s, "OK");
        return;
    }
    if (s->nr_points == GDB_POINTS) {
        gdb_refuse(s, "there are %d already", GDB_POINTS);
        return;
    }
    p.id[0] = add(s, &p, p.type == Z_READ ? DEBUG_READ : p.type == Z_ACCESS ? DEBUG_WRITTEN : DEBUG_CHANGED);
    if (p.id[0] && p.type == Z_ACCESS)
        p.id[1] = add(s, &p, DEBUG_READ);
    s->points[s->nr_points++] = p;
    if (p.id[0] && (p.type != Z_ACCESS || p.id[1])) {
        gdb_reply(s, "OK");
        return;
    }
    delete (s, &s->points[s->nr_points - 1]);
    gdb_refuse(s, "out of memory");
}

void gdb_point_clear(struct gdb_server *s, const char *args)
{
    struct gdb_point p, *found;

    if (!parse(args, &p)) {
        gdb_reply(s, "E01");
        return;
    }
    found = find(s, &p);
    if (found)
        delete (s, found);
    gdb_reply(s, "OK");
}
