// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans of a screen, see ui/screen/layout.h. */
#include "ui/screen/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of a plan, [at, end). */
struct piece {
    const char *at, *end;
};

static const char *find_char(const char *at, const char *end, char c)
{
    const char *p = memchr(at, c, (size_t)(end - at));

    return p ? p : end;
}

/* The next piece up to a separator; false: there is none. */
static bool piece_next(struct piece *rest, char separator, struct piece *p)
{
    if (!rest->at)
        return false;
    p->at = rest->at;
    p->end = find_char(rest->at, rest->end, separator);
    rest->at = p->end < rest->end ? p->end + 1 : NULL;
    while (p->at < p->end && *p->at == ' ')
        p->at++;
    while (p->at < p->end && p->end[-1] == ' ')
        p->end--;
    return true;
}

static unsigned int count(struct piece of, char separator)
{
    unsigned int n = 0;

    for (struct piece p; piece_next(&of, separator, &p);)
        n++;
    return n;
}

/* A number at the end behind `sign`, which is cut off; 0: there is none. */
static unsigned int number_behind(struct piece *p, char sign)
{
    const char *at = find_char(p->at, p->end, sign);
    const unsigned int n = at < p->end ? (unsigned int)strtoul(at + 1, NULL, 10) : 0;

    if (at < p->end)
        p->end = at;
    return n < 1000 ? n : 1000;
}

static unsigned int number_before(struct piece *p, char sign)
{
    const char *at = find_char(p->at, p->end, sign);
    const unsigned int n = at < p->end ? (unsigned int)strtoul(p->at, NULL, 10) : 0;

    if (at < p->end)
        p->at = at + 1;
    return n < 1000 ? n : 1000;
}

struct plan {
    struct layout *l;
    layout_find *find;
    char *err;
};

/* Panels side by side; `line`: there is one left of the first. */
static bool band_make(struct plan *plan, struct piece band, struct layout_place where, unsigned int *panels)
{
    const unsigned int n = count(band, '+');
    unsigned int i = 0, col = where.col;
    const unsigned int room = where.cols > n - 1 ? where.cols - (n - 1) : 0;

    for (struct piece p; piece_next(&band, '+', &p); i++) {
        const int panel = plan->find(p.at, (unsigned int)(p.end - p.at));
        struct layout_place place = where;

        if (panel < 0) {
            snprintf(plan->err, LAYOUT_ERR_SIZE, "there is no panel \"%.*s\"",
                     (int)(p.end - p.at < 40 ? p.end - p.at : 40), p.at);
            return false;
        }
        place.panel = (unsigned int)panel;
        place.cols = room * (i + 1) / n - room * i / n;
        place.col = col;
        place.line = i ? true : where.line;
        col += place.cols + 1;
        ++*panels;
        if (place.rows && place.cols && plan->l->nr < LAYOUT_PANELS)
            plan->l->place[plan->l->nr++] = place;
    }
    return true;
}

/* Bands one below the other: those of a fixed height first, the others share what is left. */
static bool column_make(struct plan *plan, struct piece column, struct layout_place where, unsigned int *panels)
{
    unsigned int weights = 0, fixed = 0, before = 0, row = where.row;
    struct piece rest = column;

    for (struct piece band; piece_next(&rest, '|', &band);) {
        const unsigned int rows = number_behind(&band, '='), weight = number_behind(&band, '*');

        fixed += rows;
        weights += rows ? 0 : weight ? weight : 1;
    }
    if (fixed > where.rows)
        fixed = where.rows;
    rest = column;
    for (struct piece band; piece_next(&rest, '|', &band);) {
        const unsigned int rows = number_behind(&band, '='), given = number_behind(&band, '*');
        const unsigned int left = where.row + where.rows - row, share = where.rows - fixed;
        const unsigned int weight = rows ? 0 : given ? given : 1;
        struct layout_place place = where;

        place.row = row;
        place.rows = rows ? rows : share * (before + weight) / weights - share * before / weights;
        if (place.rows > left || (!rest.at && !weights))
            place.rows = left;
        before += weight;
        if (!band_make(plan, band, place, panels))
            return false;
        row += place.rows;
    }
    return true;
}

bool layout_make(struct layout *l, const char *text, layout_find *find, unsigned int rows, unsigned int cols,
                 char err[LAYOUT_ERR_SIZE])
{
    const struct piece all = { text, text + strlen(text) };
    struct plan plan = { l, find, err };
    unsigned int weights = 0, before = 0, col = 0, panels = 0;
    const unsigned int n = count(all, '/'), room = cols > n - 1 ? cols - (n - 1) : 0;
    struct piece rest = all;

    l->nr = 0;
    for (struct piece column; piece_next(&rest, '/', &column);) {
        const unsigned int weight = number_before(&column, ':');

        weights += weight ? weight : 1;
    }
    rest = all;
    for (struct piece column; piece_next(&rest, '/', &column);) {
        const unsigned int given = number_before(&column, ':'), weight = given ? given : 1;
        struct layout_place where = { .col = col, .rows = rows, .line = before > 0 };

        where.cols = room * (before + weight) / weights - room * before / weights;
        if (!column_make(&plan, column, where, &panels))
            return false;
        before += weight;
        col += where.cols + 1;
    }
    if (panels <= LAYOUT_PANELS)
        return true;
    snprintf(err, LAYOUT_ERR_SIZE, "at most %d panels", LAYOUT_PANELS);
    return false;
}
