// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields to bytes, and back: rings/dm/state.h. */
#include "rings/dm/state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAGIC     "xenlabDM"
#define NAME_SIZE 8
#define FARTHEST  (INT64_C(1) << 61) /* ns, from now */

static void refuse(struct dm_state *s, const char *fmt, va_list ap)
{
    const int n = *s->name ? snprintf(s->err, sizeof(s->err), "%s %u: ", s->name, s->instance) : 0;

    vsnprintf(s->err + n, sizeof(s->err) - (size_t)n, fmt, ap);
}

void state_refuse(struct dm_state *s, const char *fmt, ...)
{
    va_list ap;

    if (!state_loaded(s))
        return;
    va_start(ap, fmt);
    refuse(s, fmt, ap);
    va_end(ap);
}

/* --- bytes --- */

/* n bytes go out, or come in. False: they do not come, and it is known why. */
static bool move(struct dm_state *s, void *bytes, size_t n)
{
    if (*s->err)
        return false;
    if (s->from && n > s->size - s->at) {
        state_refuse(s, "the state ends within it");
        return false;
    }
    if (s->from)
        memcpy(bytes, s->from + s->at, n);
    else if (s->to && n <= s->size - s->at)
        memcpy(s->to + s->at, bytes, n);
    s->at += n;
    return true;
}

static void le(uint8_t *bytes, unsigned int size, uint64_t val)
{
    for (unsigned int i = 0; i < size; i++)
        bytes[i] = (uint8_t)(val >> 8 * i);
}

static uint64_t of_le(const uint8_t *bytes, unsigned int size)
{
    uint64_t val = 0;

    for (unsigned int i = 0; i < size; i++)
        val |= (uint64_t)bytes[i] << 8 * i;
    return val;
}

/* False: nothing was read into *val. */
static bool number(struct dm_state *s, unsigned int size, uint64_t *val)
{
    uint8_t bytes[8];

    le(bytes, size, *val);
    if (!move(s, bytes, size))
        return false;
    if (s->from)
        *val = of_le(bytes, size);
    return s->from;
}

/* --- fields: the machine has numbers with the lowest byte first, too --- */

void state_number(struct dm_state *s, const char *name, void *val, unsigned int size, uint64_t least, uint64_t most)
{
    uint64_t n = 0;

    memcpy(&n, val, size);
    if (!number(s, size, &n))
        return;
    if (n < least || n > most)
        state_refuse(s, "%s cannot be %" PRIu64, name, n);
    else
        memcpy(val, &n, size);
}

void state_bool(struct dm_state *s, const char *name, bool *val)
{
    uint64_t n = *val;

    if (!number(s, 1, &n))
        return;
    if (n > 1)
        state_refuse(s, "%s cannot be %" PRIu64, name, n);
    else
        *val = n;
}

void state_bytes(struct dm_state *s, const char *name, void *bytes, size_t n)
{
    (void)name;
    move(s, bytes, n);
}

/* Signed: how far from now. */
static bool distance(struct dm_state *s, const char *name, int64_t *by)
{
    uint64_t n = (uint64_t)*by;

    if (!number(s, 8, &n))
        return false;
    *by = (int64_t)n;
    if (*by <= FARTHEST && *by >= -FARTHEST)
        return true;
    state_refuse(s, "%s is %" PRId64 " ns from now", name, *by);
    return false;
}

void state_timer(struct dm_state *s, const char *name, struct dm_board *board, struct dm_timer *t)
{
    const s_time_t now = board->ops->now(board);
    bool runs = t->due;
    int64_t by = runs ? t->due - now : 0;

    state_bool(s, name, &runs);
    if (!distance(s, name, &by))
        return;
    board->ops->timer(board, t, !runs ? 0 : now + by > 0 ? now + by : 1);
}

/* It has been. */
void state_time(struct dm_state *s, const char *name, struct dm_board *board, s_time_t *t)
{
    const s_time_t now = board->ops->now(board);
    int64_t by = *t - now;

    if (!distance(s, name, &by))
        return;
    if (by > 0)
        state_refuse(s, "%s is still to come", name);
    else
        *t = now + by;
}

/* --- records --- */

void state_begin(struct dm_state *s, const char *name, unsigned int instance)
{
    char is[NAME_SIZE + 1] = "";
    uint64_t nr = instance, length = 0;

    snprintf(s->name, sizeof(s->name), "%s", name);
    s->instance = instance;
    memcpy(is, s->name, NAME_SIZE);
    move(s, is, NAME_SIZE);
    number(s, 4, &nr);
    number(s, 4, &length);
    s->body = s->at;
    s->length = (uint32_t)length;
    if (state_loaded(s) && (memcmp(is, s->name, NAME_SIZE) != 0 || nr != instance))
        state_refuse(s, "there is none, where it is to be: the configuration is of another machine");
}

void state_end(struct dm_state *s)
{
    if (s->to)
        le(s->to + s->body - 4, 4, s->at - s->body);
    else if (state_loaded(s) && s->at - s->body != s->length)
        state_refuse(s, "it is %u bytes long, and not %zu", s->length, s->at - s->body);
    *s->name = '\0';
}

void state_lines(struct dm_state *s, uint16_t *isa_up, uint64_t pci_up[2])
{
    state_begin(s, "lines", 0);
    STATE(s, *isa_up);
    STATE(s, pci_up[0]);
    STATE(s, pci_up[1]);
    state_end(s);
}

/* --- all of it --- */

static void head(struct dm_state *s)
{
    char magic[] = MAGIC;
    uint64_t version = DM_STATE_VERSION;

    move(s, magic, sizeof(magic) - 1);
    number(s, 4, &version);
    if (!state_loaded(s))
        return;
    if (memcmp(magic, MAGIC, sizeof(magic)) != 0)
        state_refuse(s, "it is another device model's state, and not xenlab's");
    else if (version != DM_STATE_VERSION)
        state_refuse(s, "it is of version %" PRIu64 ", and not %u", version, DM_STATE_VERSION);
}

void state_save(struct dm_state *s, uint8_t *to, size_t size)
{
    *s = (struct dm_state){ .to = to, .size = size };
    head(s);
}

void state_load(struct dm_state *s, const uint8_t *from, size_t size)
{
    *s = (struct dm_state){ .from = from, .size = size };
    head(s);
}

void state_finish(struct dm_state *s)
{
    if (state_loaded(s) && s->at != s->size)
        state_refuse(s, "there are %zu bytes behind its end", s->size - s->at);
}
