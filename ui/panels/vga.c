// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `vga`: what is on the screen of a guest with a PC's graphics card, or with a PV one (vfb).
 *
 *      text       a row of the table is one of the screen: its characters in their colours, '>' where the cursor is
 *      graphics   the picture, made smaller; a cell of ours is two pixels, one above the other, and where there are
 *                 no colours for that, a character as bright as they are
 *
 * Concept: text is memory in which each character has two bytes, itself and its colours; a picture is memory in which
 * each pixel has some bits. What the card makes of it is looked at (rings/dm/vga_picture.c), and nothing changes by it:
 * so there is a screen at each position, in the past as well.
 */
#include "ui/panels/panel.h"

#include "tools/cp437.h"

#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = { { .title = "text", .untitled = true, .lasting = true } };

#define COLUMNS 256 /* of text, at most */
#define ROWS    128
#define WIDEST  400 /* of a picture that is kept */
#define HIGHEST 400
#define CUT     4096 /* columns of a screen: what is right of them is not shown */
#define ENOUGH  4    /* rows that a row is the mean of */

/* --- text --- */

static uint8_t nearest(const uint8_t rgb[3])
{
    return term_colour_nearest((uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]);
}

static size_t put_utf8(char *out, uint32_t ch)
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    if (ch < 0x800) {
        out[0] = (char)(0xc0 | ch >> 6);
        out[1] = (char)(0x80 | (ch & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | ch >> 12);
    out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
    out[2] = (char)(0x80 | (ch & 0x3f));
    return 3;
}

static void row_take(struct table *t, const struct host *h, unsigned int guest, const struct host_screen *s,
                     unsigned int y)
{
    struct table_row *row = table_row(t, "%02u", y);
    const unsigned int n = s->columns < COLUMNS ? s->columns : COLUMNS;
    struct table_paint paint[COLUMNS];
    char text[3 * COLUMNS + 1];
    size_t len = 0, end = 0;

    for (unsigned int x = 0; x < n; x++) {
        const struct host_screen_cell c = host_screen_cell(h, guest, x, y);
        const bool cursor = s->cursor && s->cursor_y == y && s->cursor_x == x;
        const uint8_t fg = nearest(c.colour), bg = nearest(c.ground);

        paint[x] = cursor ? (struct table_paint){ bg, fg } : (struct table_paint){ fg, bg };
        len += put_utf8(text + len, cp437_char(c.character));
        if (text[len - 1] != ' ')
            end = len;
    }
    table_cell(t, row, "%.*s", (int)end, text);
    table_paint(t, row, paint, n);
    if (row)
        row->here = s->cursor && s->cursor_y == y;
}

static void text_take(struct table *t, const struct host *h, unsigned int guest, const struct host_screen *s)
{
    for (unsigned int y = 0; y < s->rows && y < ROWS; y++)
        row_take(t, h, guest, s, y);
    t->see = s->cursor ? s->cursor_x : 0;
}

/* --- pictures --- */

struct picture {
    unsigned int width, height;
    uint8_t rgb[]; /* row by row */
};

/* Of `all` pixels the part of one of `n`: from `from` to below the result. */
static unsigned int part(unsigned int all, unsigned int n, unsigned int i, unsigned int *from)
{
    const unsigned int to = (unsigned int)((uint64_t)all * (i + 1) / n);

    *from = (unsigned int)((uint64_t)all * i / n);
    return to > *from ? to : *from + 1;
}

/* Rows of the screen become one: each pixel is the mean of those that it stands for. sum: room for 3 * p->width. */
static void row_squeeze(struct picture *p, unsigned int y, const struct host *h, unsigned int guest,
                        const struct host_screen *s, uint8_t *line, uint32_t *sum)
{
    const unsigned int width = s->width < CUT ? s->width : CUT;
    unsigned int y0, y1 = part(s->height, p->height, y, &y0);

    if (y1 - y0 > ENOUGH)
        y1 = y0 + ENOUGH;
    memset(sum, 0, 3 * sizeof(*sum) * p->width);
    for (unsigned int from = y0; from < y1; from++) {
        host_screen_row(h, guest, from, width, line);
        for (unsigned int x = 0; x < p->width; x++) {
            unsigned int x0, x1 = part(width, p->width, x, &x0);

            for (unsigned int i = 3 * x0; i < 3 * x1; i++)
                sum[3 * x + i % 3] += line[i];
        }
    }
    for (unsigned int x = 0; x < p->width; x++) {
        unsigned int x0, x1 = part(width, p->width, x, &x0);

        for (unsigned int c = 0; c < 3; c++)
            p->rgb[3 * (y * p->width + x) + c] = (uint8_t)(sum[3 * x + c] / ((x1 - x0) * (y1 - y0)));
    }
}

/* Not larger than its frame, in its proportions, and something of it. */
static void fit(unsigned int *width, unsigned int *height, unsigned int cols, unsigned int rows)
{
    const unsigned int w = *width, h = *height;

    if (*width > cols) {
        *width = cols;
        *height = (unsigned int)((uint64_t)h * cols / w);
    }
    if (*height > rows) {
        *height = rows;
        *width = (unsigned int)((uint64_t)w * rows / h);
    }
    *width += !*width;
    *height += !*height;
}

static void picture_take(struct table *t, const struct host *h, unsigned int guest, const struct host_screen *s)
{
    unsigned int width = s->width < CUT ? s->width : CUT, height = s->height;
    struct picture *p;
    uint8_t *line;
    uint32_t *sum;

    if (!width || !height)
        return;
    fit(&width, &height, WIDEST, HIGHEST);
    p = calloc(1, sizeof(*p) + 3ull * width * height);
    line = calloc(s->width, 3);
    sum = calloc(width, 3 * sizeof(*sum));
    if (p && line && sum) {
        p->width = width;
        p->height = height;
        for (unsigned int y = 0; y < height; y++)
            row_squeeze(p, y, h, guest, s, line, sum);
        table_picture(t, p, sizeof(*p) + 3ull * width * height);
    }
    free(p);
    free(line);
    free(sum);
}

/* --- whose, and what --- */

static void note(struct table *t, domid_t dom, const struct host_screen *s)
{
    int n = snprintf(t->note, sizeof(t->note), "d%u: ", dom);

    if (s->text)
        n += snprintf(t->note + n, sizeof(t->note) - (size_t)n, "text, %u x %u", s->columns, s->rows);
    else if (s->card && s->depth <= 8)
        n += snprintf(t->note + n, sizeof(t->note) - (size_t)n, "%u x %u, %u colours", s->width, s->height,
                      1u << s->depth);
    else
        n += snprintf(t->note + n, sizeof(t->note) - (size_t)n, "%u x %u, %u bits a pixel%s", s->width, s->height,
                      s->depth, s->card ? "" : ", vfb");
    if (s->cursor)
        snprintf(t->note + n, sizeof(t->note) - (size_t)n, ", cursor at %u, %u", s->cursor_x, s->cursor_y);
}

/* Why there is nothing to be seen of a domain. */
static const char *why_none(const struct host *h, int guest, const char *type)
{
    if (guest >= 0 && host_screen_card(h, (unsigned int)guest))
        return "the screen is blank: it is switched off, or nothing has set a mode yet";
    if (!type)
        return "there is no such domain";
    if (!strcmp(type, "native"))
        return "a native domain, such as dom0, has no screen";
    if (!strcmp(type, "hvm"))
        return "this HVM guest has no screen: no graphics card (vga=\"none\"), or no device model";
    if (!strcmp(type, "pvh"))
        return "a PVH guest has no screen, but one of Xen's own: vfb=[ \"\" ], once its driver has connected";
    return "no screen: a PV guest has one by vfb=[ \"\" ], once its driver has connected";
}

/* The domain that is asked for; else the vCPU's; else, for dom0 has none, the first one with a card. */
static domid_t whose(struct debug *g, const struct scene *s)
{
    struct look_domain d;

    if (s->about.given)
        return s->about.what.dom;
    if (host_guest_index(g->host, s->dom) >= 0)
        return s->dom;
    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++) {
        const int guest = host_guest_index(g->host, d.dom);

        if (guest >= 0 && host_screen_card(g->host, (unsigned int)guest))
            return d.dom;
    }
    return s->dom;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const domid_t dom = whose(g, s);
    const int guest = host_guest_index(g->host, dom);
    struct host_screen screen;
    struct table_row *row;

    if (guest < 0 || !host_screen(g->host, (unsigned int)guest, &screen)) {
        t->empty = why_none(g->host, guest, scene_type_of(g, dom));
        return;
    }
    note(t, dom, &screen);
    t->grows = true; /* rows of another mode are not missing */
    if (screen.text) {
        text_take(t, g->host, (unsigned int)guest, &screen);
        return;
    }
    row = table_row(t, "picture");
    table_cell(t, row, "%s: a picture, which xenlab tui shows", t->note);
    picture_take(t, g->host, (unsigned int)guest, &screen);
}

/* --- drawing --- */

/* The mean of the pixels that one of w x h stands for. */
static uint32_t pixel(const struct picture *p, unsigned int w, unsigned int h, unsigned int x, unsigned int y)
{
    unsigned int x0, x1 = part(p->width, w, x, &x0), y0, y1 = part(p->height, h, y, &y0), sum[3] = { 0 };
    const unsigned int n = (x1 - x0) * (y1 - y0);

    for (unsigned int r = y0; r < y1; r++)
        for (unsigned int c = x0; c < x1; c++)
            for (unsigned int i = 0; i < 3; i++)
                sum[i] += p->rgb[3 * (r * p->width + c) + i];
    return sum[0] / n << 16 | sum[1] / n << 8 | sum[2] / n;
}

static void pixels_draw(struct area *a, unsigned int row, unsigned int col, uint32_t upper, uint32_t lower, bool blocks)
{
    static const char ramp[] = " .:-=+*#%@";
    const unsigned int brightness = (rgb_brightness(upper) + rgb_brightness(lower)) / 2;

    if (blocks)
        area_paint(a, row, col, term_colour_nearest(upper), term_colour_nearest(lower), 0x2580);
    else
        area_put(a, row, col, STYLE_text, (unsigned char)ramp[brightness * (sizeof(ramp) - 1) / 256]);
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const struct picture *p = t->picture;
    unsigned int w, h, left;

    if (!p || !a->rows || !a->cols)
        return 0;
    w = p->width;
    h = p->height;
    fit(&w, &h, a->cols, 2 * a->rows);
    left = (a->cols - w) / 2;
    for (unsigned int y = 0; y < h; y += 2)
        for (unsigned int x = 0; x < w; x++)
            pixels_draw(a, y / 2, left + x, pixel(p, w, h, x, y), y + 1 < h ? pixel(p, w, h, x, y + 1) : 0, s->blocks);
    return a->rows;
}

const struct panel_ops panel_vga = { .name = "vga",
                                     .help = "the screen of a guest with a PC's graphics card, or with a vfb",
                                     .empty = "there is no screen",
                                     .column = columns,
                                     .nr_columns = ARRAY_SIZE(columns),
                                     .about = scene_about_domain,
                                     .take = take,
                                     .draw = draw,
                                     .is_line = true };
