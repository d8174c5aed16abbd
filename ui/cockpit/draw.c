// SPDX-License-Identifier: GPL-2.0-or-later
/* The screen of the cockpit, see ui/cockpit/cockpit.h. */
#include "ui/cockpit/cockpit.h"

#include "ui/debug/keys.h"
#include "ui/debug/said.h"

#include <ctype.h>
#include <string.h>

/* --- the lines around --- */

static void status_draw(struct cockpit *c, struct area *a)
{
    const struct scene *s = &c->scene;
    const bool native = s->has_vcpu && s->v.native;
    unsigned int col;

    area_fill(a, 0, 0, a->cols, STYLE_status, ' ');
    col =
        area_print(a, 0, 1, STYLE_status, "d%uv%u%s%s | %s | %s | ", s->dom, s->vcpu, s->name ? " " : "", s->name ?: "",
                   native        ? "native"
                   : s->has_vcpu ? s->v.mode
                                 : "is not there",
                   s->where);
    if (c->running)
        col = area_print(a, 0, col, STYLE_live, " RUNS ");
    else
        col = area_print(a, 0, col, s->live ? STYLE_live : STYLE_past, s->live ? " LIVE " : " REPLAY ");
    col = area_print(a, 0, col, STYLE_status, " %s", s->branch);
    if (c->zoomed)
        col = area_print(a, 0, col, STYLE_status, " | zoomed");
    if (c->gdb)
        area_print(a, 0, col, STYLE_status, " | %s", c->gdb);
}

static void sentence_draw(const struct cockpit *c, struct area *a)
{
    char text[COCKPIT_SENTENCE];
    const enum style style = cockpit_sentence(c, text);
    const char *p = text;

    for (unsigned int row = 0; row < a->rows && *p; row++) {
        const size_t n = text_row_end(p, a->cols > 2 ? a->cols - 2 : 1);

        area_print(a, row, 1, style, "%.*s", (int)n, p);
        p += n + strspn(p + n, " ");
    }
    if (*p && a->cols > 4)
        area_text(a, a->rows - 1, a->cols - 4, style, " ...");
}

/* If there is room for it. */
static unsigned int footer_key(struct area *a, unsigned int col, const char *key, const char *label)
{
    if (col + text_width(key) + 1 + text_width(label) > a->cols)
        return col;
    col = area_text(a, 0, col, STYLE_key, key);
    return area_print(a, 0, col, STYLE_dim, " %s  ", label);
}

/* A command's letter and its capital, or a key that the table of keys has a word for. */
static unsigned int footer_add(struct area *a, unsigned int col, int key)
{
    struct debug_command_info info;
    const struct key_binding *k;

    for (size_t i = 0; (k = key_at(i)); i++)
        if (k->key == key)
            return footer_key(a, col, k->name, k->label ?: k->line);
    for (size_t i = 0; debug_command_info(i, &info); i++)
        if (info.key == key) {
            const char name[] = { info.key, info.backward ? '/' : '\0', (char)toupper((unsigned char)info.key), '\0' };

            return footer_key(a, col, info.key == ' ' ? "Space" : name, info.name);
        }
    return col;
}

/* What can stand behind the command that is being typed, and what it does. */
static void usage_draw(const struct cockpit *c, struct area *a, unsigned int col)
{
    const char *word = strrchr(c->line, ';'); /* of several commands the last one */
    struct debug_command_info info;
    size_t len;

    word = word ? word + 1 : c->line;
    word += strspn(word, " 0123456789");
    len = strcspn(word, " ");
    for (size_t i = 0; len && debug_command_info(i, &info); i++)
        if (strlen(info.name) == len && !memcmp(info.name, word, len))
            area_print(a, 0, col, STYLE_dim, "%s  %s", info.args, info.help);
}

/* Those that a newcomer needs first, as many as there is room for; while something is typed, that. */
static void footer_draw(struct cockpit *c, struct area *a)
{
    static const int keys[] = { 's', 'c', 'h', 'y', '?', 'q', KEY_IS_TAB,       KEY_IS_ENTER,
                                'x', 't', 'z', 'o', '/', ':', KEY_IS_BACKSPACE, 'v',
                                ' ', '&', 'w', 'n', 'm' };
    const struct debug_tour *tour = c->s->g.tour;
    const struct key_binding *k;
    unsigned int col = 1;

    if (c->prompt) {
        area_print(a, 0, 0, STYLE_key, ":");
        area_text(a, 0, 1, STYLE_text, c->line);
        area_put(a, 0, 1 + (unsigned int)c->cursor, STYLE_cursor,
                 c->cursor < c->len ? (uint32_t)c->line[c->cursor] : ' ');
        if (c->hint[0])
            area_print(a, 0, (unsigned int)c->len + 4, STYLE_dim, "%s", c->hint);
        else
            usage_draw(c, a, (unsigned int)c->len + 4);
        return;
    }
    if (c->hint[0]) {
        area_text(a, 0, 1, STYLE_error, c->hint);
        return;
    }
    if (c->count)
        col = area_print(a, 0, col, STYLE_key, "%u ", c->count);
    for (size_t i = 0; tour && (k = tour_key_at(i)); i++)
        if (!tour->exploring || k->key == 'r')
            col = footer_key(a, col, k->name, k->label);
    for (size_t i = 0; i < ARRAY_SIZE(keys) && (!tour || tour->exploring); i++)
        col = footer_add(a, col, keys[i]);
}

/* --- panels --- */

static void title_draw(struct cockpit *c, const struct cockpit_panel *p, struct area *a)
{
    const bool focused = p == cockpit_focused(c);
    const enum style style = focused ? STYLE_focus : STYLE_title;
    char name[32];
    unsigned int col, i = 0;

    for (; p->ops->name[i] && i + 1 < sizeof(name); i++)
        name[i] = (char)toupper((unsigned char)p->ops->name[i]);
    name[i] = '\0';
    area_fill(a, 0, 0, a->cols, STYLE_border, 0x2500);
    col = area_print(a, 0, 0, style, "%s%s%s", focused ? "[" : " ", name, focused ? "]" : " ");
    if (p->filter_text[0])
        col = area_print(a, 0, col + 1, STYLE_found, " & %s ", p->filter_text);
    if (p->table.note[0])
        area_print(a, 0, col + 1, STYLE_dim, " %s ", p->table.note);
}

/* A filter of text is seen as it is typed; p->view is as it was until Enter, and if that does not come. */
static const char *filter_typed(const struct cockpit *c, const struct cockpit_panel *p)
{
    static const char word[] = "filter ";

    return c->prompt && p == &c->panel[c->focus] && !p->ops->of_events && !strncmp(c->line, word, strlen(word))
               ? c->line + strlen(word)
               : NULL;
}

static void panel_draw(struct cockpit *c, struct cockpit_panel *p, struct area a)
{
    const char *typed = filter_typed(c, p);
    struct table_view as_typed, *view = typed ? &as_typed : &p->view;
    struct table shown = { 0 };
    unsigned int head = 1;
    struct area rest;

    if (typed) {
        as_typed = p->view;
        snprintf(as_typed.filter, sizeof(as_typed.filter), "%s", typed);
    }
    cockpit_look(c, p);
    title_draw(c, p, &a);
    rest = area_part(&a, 1, 0, a.rows - 1, a.cols);
    c->scene.about = p->about;
    c->scene.blocks = c->palette->colours && !c->ascii && !c->few_colours;
    if (p->ops->draw && a.rows > 1)
        head += p->ops->draw(&p->table, &c->scene, &rest);
    c->scene.about = (struct panel_about){ 0 };
    table_share(&shown, &p->table, &p->then);
    table_arrange(&shown, view);
    table_choose(&shown, view, 0);
    if (a.rows > head) {
        rest = area_part(&a, head, 0, a.rows - head, a.cols);
        head += table_draw(&shown, view, &rest, p == cockpit_focused(c));
    }
    c->head[p - c->panel] = head;
    table_free(&shown);
}

static void too_small(const struct cockpit *c, struct area *a)
{
    if (!a->rows)
        return;
    area_print(a, a->rows / 2, 1, STYLE_text, "enlarge: %u x %u is too small, %d x %d is needed", c->cols, c->rows,
               COCKPIT_MIN_COLS, COCKPIT_MIN_ROWS);
}

bool cockpit_draw(struct cockpit *c, struct grid *g)
{
    struct area all, a;
    struct layout l;

    if (!grid_resize(g, c->rows, c->cols))
        return false;
    all = grid_all(g);
    if (c->s->g.tour && c->s->g.tour->blank)
        return true;
    cockpit_look(c, cockpit_focused(c));
    a = area_part(&all, 0, 0, 1, all.cols);
    status_draw(c, &a);
    if (!cockpit_places(c, &l)) {
        a = area_part(&all, 1, 0, all.rows > 2 ? all.rows - 2 : 0, all.cols);
        too_small(c, &a);
    } else {
        for (unsigned int i = 0; i < l.nr; i++) {
            const struct layout_place *p = &l.place[i];

            for (unsigned int row = 0; p->line && p->col && row < p->rows; row++)
                area_put(&all, 1 + p->row + row, p->col - 1, STYLE_border, 0x2502);
            panel_draw(c, &c->panel[p->panel], area_part(&all, 1 + p->row, p->col, p->rows, p->cols));
        }
    }
    if (all.rows > 1 + cockpit_sentence_rows(c)) {
        a = area_part(&all, all.rows - 1 - cockpit_sentence_rows(c), 0, cockpit_sentence_rows(c), all.cols);
        sentence_draw(c, &a);
        a = area_part(&all, all.rows - 1, 0, 1, all.cols);
        footer_draw(c, &a);
    }
    if (c->ascii)
        grid_make_ascii(g);
    return true;
}
