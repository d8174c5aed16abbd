// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables: what most panels show, by value.
 *
 * Concept: a panel takes what it shows from the machine as rows of text, each with a key that says which thing the row
 * is about. All else is the same for every table, and is here: columns as wide as what is in them, what has changed
 * since the last stop, what is gone, filter, search, order, the row that is chosen. As the same rows are what
 * `panel NAME` prints in the line mode, nothing can be seen on a screen alone.
 *
 *      key    "d1.3"              port 3 of d1
 *      cells  "3" "interdomain" "d2.3" "pending"
 *      ask    "why port d1 3"     the line that `why` stands for
 *      go     "#80747.1"          where it happened
 *
 * Invariants: a row's key is the only one of its kind in the table. A cell that is not what the row of the same key had
 * in the table of the last stop is marked by '*', of a new row the first, a row that is there no more by '~'.
 */
#ifndef UI_PANELS_TABLE_H
#define UI_PANELS_TABLE_H

#include "ui/debug/say.h"
#include "ui/screen/grid.h"

#include <obstack.h>

#define TABLE_COLS 14
#define TABLE_KEY  48
#define TABLE_ROWS 65536 /* at most; what is beyond is counted */

struct table_column {
    const char *title; /* in JSON the field's name */
    bool right;        /* numbers */
    bool quiet;        /* changes all the time: not marked */
    bool lasting;      /* marked only in a row that was there */
    bool untitled;     /* the first one: no titles are shown */
    bool spare;        /* is left out on narrow panels, for what is more needed */
};

/* Colours of a guest's screen, of a terminal's 256. */
struct table_paint {
    uint8_t fg, bg;
};

struct table_row {
    char key[TABLE_KEY];
    const char *cell[TABLE_COLS]; /* NULL: empty */
    enum style style;
    bool here;                       /* where the machine stands: marked by '>' */
    bool later;                      /* beyond here */
    bool gone;                       /* of the last stop's */
    uint16_t changed;                /* a bit a cell */
    const char *ask, *go;            /* or NULL */
    const struct table_paint *paint; /* of the last cell's characters, and of blanks behind them; NULL: as its style */
    unsigned int nr_paint;
};

struct table {
    const struct table_column *column;
    unsigned int nr_columns;
    struct table_row *row;
    size_t nr, cap, beyond;
    const char *empty;   /* what is said if there are no rows: a constant */
    char note[160];      /* behind the title, or empty */
    const void *picture; /* what the panel draws that is in no row, or NULL */
    size_t picture_size;
    struct obstack text;
    bool open;
    unsigned int see; /* of painted cells the column that is to be seen, if there is no room for all */
    bool grows;       /* a row that is not in it has gone out of sight, and not away */
};

/* What somebody has chosen of a table. */
struct table_view {
    char filter[96], search[64];
    char cursor[TABLE_KEY]; /* the key of the row that is chosen */
    size_t at, top;         /* its number, and that of the first one that is drawn */
    int sort;               /* column, -1: as it is */
    bool descending;
    bool follow; /* the cursor stays where the machine is */
};

void table_begin(struct table *t, const struct table_column *column, unsigned int nr_columns, const char *empty);
void table_free(struct table *t);
/* A new row; NULL: no memory, or there are too many. It may move when there is another. */
struct table_row *table_row(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Its next cell. Harmless if row is NULL, as are the two below. */
void table_cell(struct table *t, struct table_row *row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void table_ask(struct table *t, struct table_row *row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void table_go(struct table *t, struct table_row *row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The last cell in these colours, a character each: a copy is kept. */
void table_paint(struct table *t, struct table_row *row, const struct table_paint *paint, unsigned int nr);
/* What is to be drawn beside the rows: a copy is kept. */
void table_picture(struct table *t, const void *data, size_t size);

/*
 * t: the rows of a table, with marks at what is not as it was then, and with what is gone; of another kind: without.
 * Its texts are theirs: what is chosen of it can be used as long as both stay.
 */
void table_share(struct table *t, const struct table *now, const struct table *then);
/* Leave those rows in which the filter occurs, in the order that is wanted. */
void table_arrange(struct table *t, const struct table_view *view);
/* The row that is chosen, after `move` rows down, or up; NULL: there are none. */
struct table_row *table_choose(struct table *t, struct table_view *view, long move);
/* The next row, or the last one, in which the view's search occurs is chosen. False: it does not. */
bool table_search(struct table *t, struct table_view *view, bool backward);

/* Titles, and as many rows as there is room for; marks are in column 0. How many rows the titles take. */
unsigned int table_draw(const struct table *t, struct table_view *view, struct area *a, bool focused);
/* As announcements. */
void table_say(const struct table *t, const char *name, struct say *s);

#endif
