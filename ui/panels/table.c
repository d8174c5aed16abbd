// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of panels, see ui/panels/table.h.
 *
 * Budget: all that can be done with rows, whatever is in them: it is the same for each panel.
 */
#include "ui/panels/table.h"

#include "sim/types.h"

#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

/* --- making one --- */

void table_begin(struct table *t, const struct table_column *column, unsigned int nr_columns, const char *empty)
{
    table_free(t);
    *t = (struct table){ .column = column, .nr_columns = nr_columns, .empty = empty, .open = true };
    obstack_init(&t->text);
}

void table_free(struct table *t)
{
    if (t->open)
        obstack_free(&t->text, NULL);
    free(t->row);
    *t = (struct table){ 0 };
}

static struct table_row *row_add(struct table *t)
{
    if (t->nr == TABLE_ROWS) {
        t->beyond++;
        return NULL;
    }
    if (t->nr == t->cap) {
        const size_t cap = t->cap ? 2 * t->cap : 32;
        struct table_row *row = reallocarray(t->row, cap, sizeof(*row));

        if (!row)
            return NULL;
        t->row = row;
        t->cap = cap;
    }
    t->row[t->nr] = (struct table_row){ .style = STYLE_text };
    return &t->row[t->nr++];
}

struct table_row *table_row(struct table *t, const char *fmt, ...)
{
    struct table_row *row = row_add(t);
    va_list ap;

    va_start(ap, fmt);
    if (row)
        vsnprintf(row->key, sizeof(row->key), fmt, ap);
    va_end(ap);
    return row;
}

static const char *keep(struct table *t, const char *fmt, va_list ap)
{
    obstack_vprintf(&t->text, fmt, ap);
    obstack_1grow(&t->text, '\0');
    return obstack_finish(&t->text);
}

void table_cell(struct table *t, struct table_row *row, const char *fmt, ...)
{
    unsigned int i = 0;
    va_list ap;

    if (!row)
        return;
    while (i < t->nr_columns && row->cell[i])
        i++;
    va_start(ap, fmt);
    if (i < t->nr_columns)
        row->cell[i] = keep(t, fmt, ap);
    va_end(ap);
}

void table_ask(struct table *t, struct table_row *row, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (row)
        row->ask = keep(t, fmt, ap);
    va_end(ap);
}

void table_go(struct table *t, struct table_row *row, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (row)
        row->go = keep(t, fmt, ap);
    va_end(ap);
}

void table_paint(struct table *t, struct table_row *row, const struct table_paint *paint, unsigned int nr)
{
    if (!row)
        return;
    row->paint = obstack_copy(&t->text, paint, (int)(nr * sizeof(*paint)));
    row->nr_paint = nr;
}

void table_picture(struct table *t, const void *data, size_t size)
{
    t->picture = obstack_copy(&t->text, data, (int)size);
    t->picture_size = size;
}

/* --- comparing --- */

static const char *cell(const struct table_row *row, unsigned int i) { return row->cell[i] ?: ""; }

/* The number of the row whose key it is; t->nr: none. */
static size_t table_find(const struct table *t, const char *key)
{
    size_t i = 0;

    while (i < t->nr && strcmp(t->row[i].key, key) != 0)
        i++;
    return i;
}

/*
 * Looking for rows of a table by their keys, mostly in its order: behind the last one that was found is looked first,
 * and then in a hash, for the trace has thousands.
 */
struct finder {
    const struct table *t;
    size_t next;
    struct hsearch_data hash;
    bool made;
};

static void finder_make(struct finder *f)
{
    f->made = hcreate_r(2 * f->t->nr + 1, &f->hash);
    for (size_t i = 0; f->made && i < f->t->nr; i++) {
        ENTRY *entered;

        hsearch_r((ENTRY){ f->t->row[i].key, (void *)i }, ENTER, &entered, &f->hash);
    }
}

static size_t find(struct finder *f, const char *key)
{
    ENTRY *found;

    if (f->next < f->t->nr && !strcmp(f->t->row[f->next].key, key))
        return f->next++;
    if (!f->made)
        finder_make(f);
    if (!f->made) /* no memory */
        return table_find(f->t, key);
    if (!hsearch_r((ENTRY){ .key = (char *)(uintptr_t)key }, FIND, &found, &f->hash))
        return f->t->nr;
    f->next = (size_t)found->data + 1;
    return f->next - 1;
}

static void add_gone(struct table *t, const struct table_row *was)
{
    struct table_row *row = row_add(t);

    if (!row)
        return;
    *row = *was;
    row->changed = 0;
    row->here = row->later = false;
    row->gone = true;
    row->style = STYLE_gone;
}

/* The cells that are not what they were; was NULL: the row was not there. */
static uint16_t changes(const struct table *t, const struct table_row *row, const struct table_row *was)
{
    uint16_t changed = 0;

    for (unsigned int c = 0; c < t->nr_columns; c++)
        if (!t->column[c].quiet && !(t->column[c].lasting && !was) && (!was || strcmp(cell(row, c), cell(was, c)) != 0))
            changed |= (uint16_t)(1u << c);
    return was ? changed : changed & -changed; /* a new row: its first cell stands for it */
}

static void compare(struct table *t, const struct table *then)
{
    const size_t nr = t->nr;
    struct finder f = { .t = then };
    bool *found;

    if (then->column != t->column)
        return; /* there was no last stop */
    found = calloc(then->nr + 1, sizeof(*found));
    for (size_t i = 0; i < nr; i++) {
        const size_t was = find(&f, t->row[i].key);

        t->row[i].changed = changes(t, &t->row[i], was < then->nr ? &then->row[was] : NULL);
        if (found)
            found[was] = true;
    }
    for (size_t i = 0; found && i < then->nr; i++)
        if (!then->row[i].gone && !found[i] && !t->grows)
            add_gone(t, &then->row[i]);
    free(found);
    if (f.made)
        hdestroy_r(&f.hash);
}

void table_share(struct table *t, const struct table *now, const struct table *then)
{
    table_begin(t, now->column, now->nr_columns, now->empty);
    t->grows = now->grows;
    t->see = now->see;
    for (size_t i = 0; i < now->nr; i++) {
        struct table_row *row = row_add(t);

        if (row)
            *row = now->row[i];
    }
    compare(t, then);
}

/* --- filter, order, choice --- */

static bool has(const struct table *t, const struct table_row *row, const char *text)
{
    for (unsigned int i = 0; i < t->nr_columns; i++)
        if (strcasestr(cell(row, i), text))
            return true;
    return false;
}

struct order {
    unsigned int column;
    bool descending;
};

static int by_order(const void *a, const void *b, void *data)
{
    const struct order *o = data;
    const struct table_row *x = a, *y = b;
    const int c = strverscmp(cell(x, o->column), cell(y, o->column));

    return c ? (o->descending ? -c : c) : strverscmp(x->key, y->key);
}

void table_arrange(struct table *t, const struct table_view *view)
{
    struct order o = { view->sort < 0 ? 0 : (unsigned int)view->sort, view->descending };
    size_t kept = 0;

    for (size_t i = 0; i < t->nr; i++)
        if (!view->filter[0] || has(t, &t->row[i], view->filter))
            t->row[kept++] = t->row[i];
    t->nr = kept;
    if (t->nr && view->sort >= 0 && o.column < t->nr_columns)
        qsort_r(t->row, t->nr, sizeof(*t->row), by_order, &o);
}

/* The first row where the machine is, if the table has such. */
static bool find_here(const struct table *t, size_t *at)
{
    for (size_t i = 0; i < t->nr; i++)
        if (t->row[i].here) {
            *at = i;
            return true;
        }
    return false;
}

struct table_row *table_choose(struct table *t, struct table_view *view, long move)
{
    size_t at = table_find(t, view->cursor);

    if (!t->nr)
        return NULL;
    if ((view->follow || !view->cursor[0]) && !move)
        view->follow = find_here(t, &at) || view->follow;
    if (at == t->nr)
        at = view->at < t->nr ? view->at : t->nr - 1;
    if (move < 0)
        at = (size_t)-move > at ? 0 : at - (size_t)-move;
    else
        at = (size_t)move > t->nr - 1 - at ? t->nr - 1 : at + (size_t)move;
    if (move)
        view->follow = t->row[at].here;
    view->at = at;
    memcpy(view->cursor, t->row[at].key, sizeof(view->cursor));
    return &t->row[at];
}

bool table_search(struct table *t, struct table_view *view, bool backward)
{
    for (size_t n = 1; n <= t->nr; n++) {
        const size_t i = (view->at + (backward ? t->nr - n % t->nr : n)) % t->nr;

        if (!has(t, &t->row[i], view->search))
            continue;
        view->follow = false;
        view->at = i;
        memcpy(view->cursor, t->row[i].key, sizeof(view->cursor));
        return true;
    }
    return false;
}

/* --- drawing --- */

#define NARROW 100 /* columns of a panel that has no room for all of a table */

static bool left_out(const struct table *t, unsigned int c, const struct area *a)
{
    return t->column[c].spare && a->cols < NARROW;
}

/* As wide as what is in it, its title too if titles are shown; the last column has the rest. */
static void widths(const struct table *t, const struct table_view *view, unsigned int rows, bool titles,
                   unsigned int width[TABLE_COLS])
{
    for (unsigned int c = 0; c < t->nr_columns; c++) {
        width[c] = titles ? text_width(t->column[c].title) + ((int)c == view->sort) : 0;
        for (size_t i = view->top; i < t->nr && i < view->top + rows; i++) {
            const unsigned int n = text_width(cell(&t->row[i], c));

            width[c] = n > width[c] ? n : width[c];
        }
    }
}

/* The last cell of a painted row: if there is no room for all of it, so that column t->see is there. */
static void painted_draw(const struct table *t, const struct table_row *row, struct area *a, unsigned int at,
                         unsigned int col)
{
    const unsigned int room = a->cols - col, n = row->nr_paint;
    const unsigned int left = n > room && t->see >= room ? (t->see < n ? t->see - room + 1 : n - room) : 0;
    const char *text = cell(row, t->nr_columns - 1);

    for (unsigned int i = 0; i < n; i++) {
        const uint32_t ch = *text ? text_next(&text) : ' ';

        if (i >= left)
            area_paint(a, at, col + i - left, row->paint[i].fg, row->paint[i].bg, ch);
    }
}

static void row_draw(const struct table *t, const struct table_row *row, const unsigned int width[TABLE_COLS],
                     struct area *a, unsigned int at, const char *search)
{
    unsigned int col = 1;
    const char mark = row->here ? '>' : row->gone ? '~' : row->changed ? '*' : row->later ? '~' : ' ';
    const enum style style = row->later ? STYLE_dim : row->here && row->style == STYLE_text ? STYLE_here : row->style;

    area_put(a, at, 0,
             row->here      ? STYLE_here
             : row->gone    ? STYLE_gone
             : row->changed ? STYLE_changed
                            : style,
             (uint32_t)mark);
    for (unsigned int c = 0; c < t->nr_columns; c++) {
        const unsigned int pad = t->column[c].right ? width[c] - text_width(cell(row, c)) : 0;
        const bool changed = row->changed & 1u << c;
        unsigned int end;

        if (left_out(t, c, a))
            continue;
        if (col + pad >= a->cols)
            break;
        if (row->paint && !row->gone && c + 1 == t->nr_columns) {
            painted_draw(t, row, a, at, col);
            break;
        }
        end = area_text(a, at, col + pad, changed && !row->gone ? STYLE_changed : style, cell(row, c));
        if (search[0] && strcasestr(cell(row, c), search))
            area_restyle(a, at, col + pad, end - col - pad, STYLE_found);
        col += width[c] + (width[c] > 0);
    }
}

/* So that the chosen row is in sight. */
static void scroll(const struct table *t, struct table_view *view, unsigned int rows)
{
    if (view->at < view->top)
        view->top = view->at;
    if (rows && view->at >= view->top + rows)
        view->top = view->at - rows + 1;
    if (view->top + rows > t->nr)
        view->top = t->nr > rows ? t->nr - rows : 0;
}

#define ROWS_WITH_TITLES 5 /* there is room for titles, too, as there is where rows would be empty */

unsigned int table_draw(const struct table *t, struct table_view *view, struct area *a, bool focused)
{
    const unsigned int head = !t->column[0].untitled && (a->rows >= ROWS_WITH_TITLES || t->nr < a->rows),
                       rows = a->rows - head;
    unsigned int width[TABLE_COLS], col = 1;

    if (!t->nr) {
        area_text(a, 0, 1, STYLE_dim, view->filter[0] ? "nothing matches the filter" : t->empty);
        return 0;
    }
    scroll(t, view, rows);
    widths(t, view, rows, head, width);
    for (unsigned int c = 0; head && c < t->nr_columns && col < a->cols; c++) {
        const unsigned int n = text_width(t->column[c].title) + ((int)c == view->sort);

        if (left_out(t, c, a))
            continue;
        area_print(a, 0, t->column[c].right ? col + width[c] - n : col, STYLE_title, "%s%s", t->column[c].title,
                   (int)c != view->sort ? ""
                   : view->descending   ? "▼"
                                        : "▲");
        col += width[c] + 1;
    }
    for (unsigned int i = 0; i < rows && view->top + i < t->nr; i++) {
        const struct table_row *row = &t->row[view->top + i];

        row_draw(t, row, width, a, head + i, view->search);
        if (focused && view->top + i == view->at)
            area_restyle(a, head + i, 0, row->paint ? 1 : a->cols, STYLE_cursor);
    }
    return head;
}

/* --- saying --- */

static void titles_say(const struct table *t, const unsigned int width[TABLE_COLS], const char *name, struct say *s)
{
    say_begin(s, name);
    say(s, " ");
    for (unsigned int c = 0; c < t->nr_columns; c++)
        if (c + 1 == t->nr_columns)
            say(s, "%s", t->column[c].title);
        else
            say(s, t->column[c].right ? "%*s " : "%-*s ", (int)width[c], t->column[c].title);
    say_end(s);
}

void table_say(const struct table *t, const char *name, struct say *s)
{
    unsigned int width[TABLE_COLS] = { 0 };
    const struct table_view all = { .sort = -1 };

    widths(t, &all, (unsigned int)t->nr, true, width);
    if (!s->json && t->nr && t->nr_columns > 1)
        titles_say(t, width, name, s);
    for (size_t i = 0; i < t->nr; i++) {
        const struct table_row *row = &t->row[i];
        const char mark = row->here ? '>' : row->gone ? '~' : row->changed ? '*' : row->later ? '~' : ' ';

        say_begin(s, name);
        say_field(s, "key", "%s", row->key);
        say_field(s, "mark", "%s", row->here ? "here" : row->gone ? "gone" : row->later ? "later" : "");
        say(s, "%c", mark);
        for (unsigned int c = 0; c < t->nr_columns; c++) {
            say_field(s, t->column[c].title, "%s", cell(row, c));
            if (c + 1 == t->nr_columns)
                say(s, "%s", cell(row, c));
            else
                say(s, t->column[c].right ? "%*s " : "%-*s ", (int)width[c], cell(row, c));
        }
        say_end(s);
    }
    if (!t->nr)
        say_line(s, name, "%s", t->empty);
}
