// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the server share: see ui/gdb/server.h. */
#ifndef UI_GDB_PRIVATE_H
#define UI_GDB_PRIVATE_H

#include "ui/gdb/server.h"

/* A handler of packets: args is what stands behind the name. */
typedef void gdb_fn(struct gdb_server *s, const char *args);

/* --- reply.c --- */
void gdb_reply(struct gdb_server *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gdb_reply_bytes(struct gdb_server *s, const struct bytes *b);
/* Refused, with a reason that gdb shows where it can. */
void gdb_refuse(struct gdb_server *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text that gdb shows, while it waits. */
void gdb_console(struct gdb_server *s, const char *text, size_t n);
/* The vCPU that a thread's number means: -1 all, -2 none. 0, any, is `any`. *p moves behind it. */
#define GDB_ALL    (-1)
#define GDB_NOBODY (-2)
int gdb_thread(struct gdb_server *s, const char **p, int any);

/* --- points.c --- */
gdb_fn gdb_point_set, gdb_point_clear;
void gdb_points_forget(struct gdb_server *s);
/* NULL: the stop is none of the client's. */
const struct gdb_point *gdb_point_of(const struct gdb_server *s, const struct debug_stop *stop);

/* --- state.c --- */
gdb_fn gdb_regs_read, gdb_regs_write, gdb_reg_read, gdb_reg_write, gdb_memory_read, gdb_memory_write,
    gdb_memory_write_binary;

/* --- query.c --- */
gdb_fn gdb_query;

/* --- move.c --- */
void gdb_stop_put(struct gdb_server *s, int signal, const char *what);

#endif
