// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A text screen as lines.
 *
 * Concept: what a guest puts on its screen is a picture, and the order in which it came is lost. But a row that is
 * still is a line that somebody has written; so it is told as one, some time after its last change:
 *
 *      guest writes a cell --> timer, 50 ms --> rows that are as they were at the timer before, and not as told: told
 *      guest scrolls: it writes to the first row, having been elsewhere --> all rows that have not been told, first
 *
 * What was told scrolls with the screen: rows are looked for where most of them fit. A row that has only grown since it
 * was told is told from there on, in the same line. One that changes again and again (a clock) is told after twice as
 * long each time, and soon only at the end.
 *
 * Invariants: the timer runs only while something has changed or is to be told, so a guest that does nothing is idle.
 * What is told depends on the guest and virtual time alone.
 */
#include "rings/dm/transcript.h"

#include <string.h>

#include "tools/cp437.h"

#define PAUSE     MILLISECS(50)
#define OFTEN_MAX 6 /* a row waits for 2^that pauses at most */
#define OFTEN_TOP 3 /* and is not told when the screen scrolls any more */

/* A screen as it is now. */
struct now {
    unsigned int rows, columns;
    uint8_t text[TRANSCRIPT_ROWS][TRANSCRIPT_COLUMNS];
};

static void look(const struct transcript *t, struct now *n)
{
    struct vga_screen s;

    memset(n, 0, sizeof(*n));
    if (!vga_look(t->vga, &s) || !s.text)
        return;
    n->rows = s.rows < TRANSCRIPT_ROWS ? s.rows : TRANSCRIPT_ROWS;
    n->columns = s.columns < TRANSCRIPT_COLUMNS ? s.columns : TRANSCRIPT_COLUMNS;
    for (unsigned int y = 0; y < n->rows; y++)
        for (unsigned int x = 0; x < n->columns; x++) {
            const uint8_t c = (uint8_t)vga_cell(t->vga, x, y);

            n->text[y][x] = c == ' ' || c == 0xff ? 0 : c;
        }
}

static unsigned int length(const uint8_t row[TRANSCRIPT_COLUMNS])
{
    unsigned int n = TRANSCRIPT_COLUMNS;

    while (n && !row[n - 1])
        n--;
    return n;
}

static bool same(const uint8_t a[TRANSCRIPT_COLUMNS], const uint8_t b[TRANSCRIPT_COLUMNS])
{
    return !memcmp(a, b, TRANSCRIPT_COLUMNS);
}

/* --- telling --- */

static size_t utf8(uint8_t c, char out[3])
{
    const uint16_t code = c >= 0x80 ? cp437_char(c) : c < ' ' || c == 0x7f ? c ? '.' : ' ' : c;

    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

static void line_ends(struct transcript *t)
{
    if (t->open >= 0)
        t->out(t->owner, "\n", 1);
    t->open = -1;
}

static void tell(struct transcript *t, unsigned int y, const uint8_t row[TRANSCRIPT_COLUMNS])
{
    const unsigned int n = length(row), had = length(t->told[y]);
    char text[3 * TRANSCRIPT_COLUMNS];
    unsigned int from = 0;
    size_t len = 0;

    if (t->open == (int)y && n > had && !memcmp(row, t->told[y], had)) {
        from = had;
    } else {
        line_ends(t);
        t->often[y] += t->often[y] < OFTEN_MAX && had;
    }
    for (unsigned int x = from; x < n; x++)
        len += utf8(row[x], text + len);
    t->out(t->owner, text, len);
    t->open = (int)y;
    memcpy(t->told[y], row, TRANSCRIPT_COLUMNS);
}

/* --- scrolling --- */

/* How well does what was told fit, if the screen has scrolled by so many rows? */
static int fit(const struct transcript *t, const struct now *n, unsigned int by)
{
    int sum = 0;

    for (unsigned int y = by; y < TRANSCRIPT_ROWS; y++)
        if (length(t->told[y]))
            sum += same(t->told[y], n->text[y - by]) ? 1 : -1;
    return sum;
}

static void scroll(struct transcript *t, const struct now *n)
{
    unsigned int by = 0;
    int best = fit(t, n, 0), other;

    for (unsigned int k = 1; k < n->rows; k++)
        if ((other = fit(t, n, k)) > best && other > 0) {
            best = other;
            by = k;
        }
    if (!by)
        return;
    for (unsigned int y = 0; y < TRANSCRIPT_ROWS; y++) {
        const unsigned int from = y + by;
        const bool there = from < TRANSCRIPT_ROWS;

        memset(t->told[y], 0, TRANSCRIPT_COLUMNS);
        if (there)
            memcpy(t->told[y], t->told[from], TRANSCRIPT_COLUMNS);
        t->often[y] = there ? t->often[from] : 0;
    }
    if (t->open >= (int)by)
        t->open -= (int)by;
    else
        line_ends(t);
}

/* --- when --- */

/* Is the row to be told, if all are that are new? Rows that have become empty are no news. */
static bool is_new(struct transcript *t, const struct now *n, unsigned int y)
{
    if (same(n->text[y], t->told[y]))
        return false;
    if (length(n->text[y]))
        return true;
    memset(t->told[y], 0, TRANSCRIPT_COLUMNS);
    if (t->open == (int)y)
        line_ends(t);
    return false;
}

static void arm(struct transcript *t)
{
    if (!t->waits)
        t->board->ops->timer(t->board, &t->timer, t->board->ops->now(t->board) + PAUSE);
    t->waits = true;
}

static void pause_over(void *dev)
{
    struct transcript *t = dev;
    struct now n;
    bool more = false;

    t->waits = false;
    look(t, &n);
    scroll(t, &n);
    for (unsigned int y = 0; y < n.rows; y++) {
        const bool is_calm = same(n.text[y], t->seen[y]);

        t->calm[y] = is_calm ? (uint8_t)(t->calm[y] + (t->calm[y] < 0xff)) : 0;
        memcpy(t->seen[y], n.text[y], TRANSCRIPT_COLUMNS);
        if (!is_new(t, &n, y))
            continue;
        if (t->calm[y] >= 1u << t->often[y])
            tell(t, y, n.text[y]);
        else
            more = true;
    }
    if (more)
        arm(t);
}

static void tell_all(struct transcript *t, unsigned int often)
{
    struct now n;

    look(t, &n);
    scroll(t, &n);
    for (unsigned int y = 0; y < n.rows; y++)
        if (is_new(t, &n, y) && t->often[y] < often)
            tell(t, y, n.text[y]);
}

void transcript_touched(struct transcript *t, unsigned int row)
{
    if (row == VGA_ALL || (!row && t->last))
        tell_all(t, OFTEN_TOP);
    t->last = row;
    arm(t);
}

void transcript_end(struct transcript *t)
{
    tell_all(t, OFTEN_MAX + 1);
    line_ends(t);
}

void transcript_init(struct transcript *t, struct dm_board *board, const struct vga *vga,
                     void (*out)(void *owner, const char *text, size_t n), void *owner)
{
    *t = (struct transcript){ .board = board, .vga = vga, .out = out, .owner = owner, .open = -1 };
    t->timer = (struct dm_timer){ .fn = pause_over, .dev = t };
}

void transcript_state(struct transcript *t, struct dm_state *s)
{
    uint32_t open = (uint32_t)(t->open + 1);

    state_begin(s, "text", 0);
    STATE_BOOL(s, t->waits);
    state_timer(s, "timer", t->board, &t->timer);
    STATE(s, t->last);
    STATE_MAX(s, open, TRANSCRIPT_ROWS);
    t->open = (int)open - 1;
    STATE_BYTES(s, t->told);
    STATE_BYTES(s, t->seen);
    STATE_BYTES(s, t->calm);
    STATE_BYTES(s, t->often);
    state_end(s);
}
