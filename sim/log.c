// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypervisor's console: a ring in memory and one sink.
 *
 * Concept: as in Xen (xen/drivers/char/console.c), everything that is printed also goes into a ring buffer, so that
 * `xl dmesg` can show what happened before anybody watched. The ring is addressed by the total number of bytes
 * ever written: byte n is at n % LOG_RING_SIZE, for as long as it is one of the last LOG_RING_SIZE.
 *
 * What this simplifies: one level for all messages (Xen has one for itself and one for guests, and rate limits);
 * messages of more than a kilobyte are cut, as in Xen.
 */
#include "sim/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/machine.h"

#define PRINTK_PREFIX "(XEN) "
#define PRINTK_MAX    1024

void log_write(struct machine *m, const char *line, size_t len)
{
    const struct log_sink *s = &m->edges->log;
    struct log *l = &m->log;

    for (size_t i = 0; i < len; i++)
        l->ring[l->written++ % LOG_RING_SIZE] = line[i];
    if (s->sink && len && !m->edges->silent)
        s->sink(s->data, line, len);
}

size_t log_read(const struct log *l, uint64_t *pos, char *buf, size_t len)
{
    const uint64_t oldest = l->written > LOG_RING_SIZE ? l->written - LOG_RING_SIZE : 0;
    size_t n = 0;

    if (*pos < oldest)
        *pos = oldest;
    while (n < len && *pos < l->written)
        buf[n++] = l->ring[(*pos)++ % LOG_RING_SIZE];
    return n;
}

void printk(struct machine *m, enum log_level level, const char *fmt, ...)
{
    char msg[PRINTK_MAX], line[sizeof(PRINTK_PREFIX) + PRINTK_MAX + 1];
    const char *p = msg;
    va_list ap;

    if (level > m->log.level)
        return;
    va_start(ap, fmt);
    if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
        msg[0] = '\0';
    va_end(ap);

    do {
        size_t len = strcspn(p, "\n");
        int n = snprintf(line, sizeof(line), PRINTK_PREFIX "%.*s\n", (int)len, p);

        log_write(m, line, (size_t)n);
        p += len;
        if (*p == '\n')
            p++;
    } while (*p);
}
