// SPDX-License-Identifier: GPL-2.0-or-later
/* Where things are on the screen: layouts that can be chosen by name (ui/screen/layout.h), and what was said last. */
#include "ui/cockpit/cockpit.h"

#include "ui/debug/said.h"

#include <stdlib.h>
#include <string.h>

static const struct layout_plan plans[] = {
    { "main", "a vCPU: its way up and down, code, registers, what happened",
      "ladder=8|code+registers*3|trace*3|console*2|timeline=2",
      "3:ladder=9|code*3|trace*3|timeline=2 / 2:registers*3|machine*2|console*2",
      "4:ladder=12|code+registers*4|trace*4|timeline=4 / 2:machine*2|console*2|messages" },
    { "memory", "page tables, what frames are used for, who lends them to whom", "pages=8|frames*3|trace*2",
      "3:pages=8|frames*3|trace*2 / 2:registers*3|grants*2|console",
      "4:pages=9|code+registers*4|trace*3 / 3:frames*4|grants*2|console" },
    { "paging", "ways to virtualize memory: each domain's, and one walk through all tables", "paging=8|pages=12|trace",
      "3:paging=8|pages=12|trace / 3:nested", "4:paging=8|pages=12|code|trace / 3:nested" },
    { "io", "event channels, rings, xenstore: what domains tell each other", "events*3|rings*2|trace*2",
      "3:events*3|rings*2|trace*2 / 2:xenstore*3|console", "4:events*3|rings*2|trace*3 / 3:xenstore*3|grants|console" },
    { "sched", "who runs where, who waits for what", "scheduler*3|machine*3|timers*2",
      "3:scheduler*3|trace*2 / 2:machine*2|timers|console",
      "4:scheduler*3|ladder=12|trace*3 / 3:machine*3|timers*2|console" },
    { "tour", "what is told, and what is to be seen of it", "tour=5|ladder=6|code+registers*3|trace*3|timeline=2",
      "3:tour=7|ladder=9|code*3|trace*3|timeline=2 / 2:registers*3|machine*2|console*2",
      "4:tour=8|ladder=12|code+registers*4|trace*4|timeline=2 / 2:machine*2|console*2|messages" },
    { "hvm", "an HVM guest: its rings, why it was left, nested walks, its interrupts",
      "ladder=10|vmcb+apic*3|exits*2|trace*2", "3:ladder=10|nested*4|trace*3 / 2:vmcb*3|exits*2|apic*3",
      "4:ladder=12|code+nested*4|trace*3 / 2:vmcb*4|exits*2|apic*3|ioapic*2" },
    { "screen", "a guest's screen, and what draws there", "vga*3|trace", "9:vga=27|trace / 4:code*2|exits*2|ioreq",
      "1:vga=27|trace / 1:ladder=12|code+registers*4|exits*2|ioreq*2" },
    { "help", "all commands and keys", "help", "help|messages=8", "3:help / 2:messages" },
    { "projector", "three things, for a room", "ladder=9|code*2|console", "ladder=12|code*2|console",
      "ladder=14|code+registers*2|console" },
};

const struct layout_plan *layout_plan_at(unsigned int i) { return i < ARRAY_SIZE(plans) ? &plans[i] : NULL; }

const struct layout_plan *layout_plan_find(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(plans); i++)
        if (!strcmp(plans[i].name, name))
            return &plans[i];
    return NULL;
}

/* --- what was said --- */

static bool is_error(const char *line) { return !strncmp(line, "error: ", 7); }

/*
 * The last thing that was said by the last command, and that there is more; or a question. If it has said nothing, what
 * was said before stands still, but for complaints.
 */
enum style cockpit_sentence(const struct cockpit *c, char text[COCKPIT_SENTENCE])
{
    const struct said *said = c->s->g.said;
    const size_t nr = said_nr(said), first = c->said > said_first(said) ? c->said : said_first(said);
    size_t last = nr;
    const char *line;
    int n;

    if (c->question[0]) {
        snprintf(text, COCKPIT_SENTENCE, "%s", c->question);
        return STYLE_error;
    }
    while (nr <= first && last > said_first(said) && is_error(said_line(said, last - 1)))
        last--;
    line = last > said_first(said) ? said_line(said, last - 1) : "";
    n = snprintf(text, COCKPIT_SENTENCE, "%s", line);
    if (nr > first + 1)
        snprintf(text + n, 64, "  (and %zu before: panel messages)", nr - first - 1);
    return is_error(line) ? STYLE_error : STYLE_text;
}

#define SENTENCE_ROWS 5 /* at most */

unsigned int cockpit_sentence_rows(const struct cockpit *c)
{
    char text[COCKPIT_SENTENCE];
    unsigned int rows = 0;
    const char *p = text;

    cockpit_sentence(c, text);
    do {
        p += text_row_end(p, c->cols > 2 ? c->cols - 2 : 1);
        p += strspn(p, " ");
        rows++;
    } while (*p && rows < SENTENCE_ROWS);
    return rows;
}

/* --- places --- */

const char *cockpit_plan(const struct cockpit *c)
{
    const struct layout_plan *p = layout_plan_find(c->layout);

    if (c->plan[0])
        return c->plan;
    return c->cols < 100 ? p->small : c->cols < 160 ? p->medium : p->large;
}

/* The plan with as many rows for a panel as it takes, up to so many, in place of those it says: "tour=7". */
static bool make_room(const struct cockpit *c, char *plan, size_t size, const struct layout_place *place,
                      unsigned int most)
{
    const struct panel_ops *p = panel_at(place->panel);
    const unsigned int wanted = 1 + p->rows(&c->s->g, place->cols);
    char name[32], *said, *rest;
    unsigned long planned;

    snprintf(name, sizeof(name), "%s=", p->name);
    said = strstr(plan, name);
    if (!said)
        return false;
    planned = strtoul(said + strlen(name), &rest, 10);
    rest = strdup(rest);
    if (!rest || wanted <= planned) {
        free(rest);
        return false;
    }
    snprintf(said, size - (size_t)(said - plan), "%s%u%s", name, wanted < most ? wanted : most, rest);
    free(rest);
    return true;
}

bool cockpit_places(const struct cockpit *c, struct layout *l)
{
    const unsigned int around = 2 + cockpit_sentence_rows(c), rows = c->rows > around ? c->rows - around : 0;
    char err[LAYOUT_ERR_SIZE], plan[320];

    if (c->rows < COCKPIT_MIN_ROWS || c->cols < COCKPIT_MIN_COLS)
        return false;
    if (c->zoomed) {
        *l = (struct layout){ .nr = 1, .place = { { .panel = c->focus, .rows = rows, .cols = c->cols } } };
        return true;
    }
    snprintf(plan, sizeof(plan), "%s", cockpit_plan(c));
    if (!layout_make(l, plan, panel_find, rows, c->cols, err))
        return false;
    for (unsigned int i = 0; i < l->nr; i++)
        if (panel_at(l->place[i].panel)->rows && make_room(c, plan, sizeof(plan), &l->place[i], rows / 2)) {
            if (!layout_make(l, plan, panel_find, rows, c->cols, err))
                return false;
            break;
        }
    for (unsigned int i = 0; i < l->nr; i++)
        if (c->in_place[i] >= 0)
            l->place[i].panel = (unsigned int)c->in_place[i];
    return true;
}

void cockpit_resize(struct cockpit *c, unsigned int rows, unsigned int cols)
{
    struct layout l;
    bool there = false;

    c->rows = rows;
    c->cols = cols;
    if (!cockpit_places(c, &l) || !l.nr)
        return;
    for (unsigned int i = 0; i < l.nr; i++)
        there |= l.place[i].panel == c->focus;
    if (!there)
        c->focus = l.place[0].panel;
    for (unsigned int i = 0; i < l.nr && !there; i++)
        if (l.place[i].panel == c->unzoomed)
            c->focus = c->unzoomed;
}
