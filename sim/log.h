// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypervisor's own messages: `(XEN) ...` lines, and what guests write with console_io: `(d1) ...`.
 *
 * Messages go to one sink that the program installs, and into a ring that XEN_SYSCTL_readconsole (xl dmesg) reads.
 * Only complete lines reach the sink.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include "sim/types.h"

struct machine;

enum log_level { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

#define LOG_RING_SIZE 16384

struct log {
    enum log_level level;     /* messages above it are dropped */
    char ring[LOG_RING_SIZE]; /* the last bytes written; `written` is the total count */
    uint64_t written;
};

/* Who is told; line ends with \n. NULL: nobody. */
struct log_sink {
    void (*sink)(void *data, const char *line, size_t len);
    void *data;
};

/* A message of the hypervisor: "(XEN) " is put before each line; fmt needs no newline. */
void printk(struct machine *m, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Raw text (already prefixed, ends in a newline) to ring and sink, regardless of level. */
void log_write(struct machine *m, const char *line, size_t len);
/*
 * Copy what the ring holds from byte number *pos on, at most len bytes; moves *pos (past what is lost, past what is
 * read).
 */
size_t log_read(const struct log *l, uint64_t *pos, char *buf, size_t len);

#endif
