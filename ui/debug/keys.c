// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of keys, see ui/debug/keys.h. */
#include "ui/debug/keys.h"

#include "ui/debug/debug.h"

#include <ctype.h>
#include <stdio.h>

static const struct key_binding keys[] = {
    { 'y', "y", "ask", "why" },
    { '?', "?", "zoom help", "help" },
    { KEY_IS_TAB, "Tab", "panel next", "panel" },
    { KEY_IS_BACKTAB, "Shift-Tab", "panel previous", NULL },
    { KEY_IS_DOWN, "Down", "cursor down", "row" },
    { KEY_IS_UP, "Up", "cursor up", NULL },
    { KEY_IS_PAGE_DOWN, "PgDn", "cursor page-down", NULL },
    { KEY_IS_PAGE_UP, "PgUp", "cursor page-up", NULL },
    { KEY_IS_HOME, "Home", "cursor first", NULL },
    { KEY_IS_END, "End", "cursor last", NULL },
    { KEY_IS_ENTER, "Enter", "visit", "go there" },
    { 'o', "o", "layout next", "layout" },
    { 'O', "O", "layout previous", NULL },
    { 'K', "K", "crash ", NULL },
    { 'v', "v", "vcpu next", "vcpu" },
    { 'V', "V", "vcpu previous", NULL },
    { '>', ">", "sort right", NULL },
    { '<', "<", "sort left", NULL },
    { '^', "^", "sort turn", NULL },
    { '/', "/", "search ", "search" },
    { '&', "&", "filter ", "filter" },
    { ';', ";", "search", NULL },
    { ',', ",", "upwards", NULL },
    { KEY_IS_BACKSPACE, "Backspace", "back", "back" },
    { ':', ":", " ", "command" },
};

static const struct key_binding tour_keys[] = {
    { KEY_IS_RIGHT, "Right", "tour next", "next" },
    { KEY_IS_LEFT, "Left", "tour previous", "back" },
    { ' ', "Space", "tour answer", "answer" },
    { '.', ".", "tour blank", "blank" },
    { 'P', "P", "tour projector", "room" },
    { 'r', "r", "tour return", "return" },
    { KEY_IS_ESCAPE, "Esc", "tour explore", "explore" },
};

const struct key_binding *tour_key_at(size_t i) { return i < ARRAY_SIZE(tour_keys) ? &tour_keys[i] : NULL; }
const struct key_binding *key_at(size_t i) { return i < ARRAY_SIZE(keys) ? &keys[i] : NULL; }

static bool command_line(int key, char *line, size_t size)
{
    struct debug_command_info c;

    for (size_t i = 0; debug_command_info(i, &c); i++) {
        if (!c.key || (key != c.key && !(c.backward && key == toupper((unsigned char)c.key))))
            continue;
        snprintf(line, size, "%s%s%s", key != c.key ? "reverse-" : "", c.name, c.wants_args ? " " : "");
        return true;
    }
    return false;
}

bool key_line(int key, const struct debug_tour *tour, char *line, size_t size)
{
    for (size_t i = 0; tour && i < ARRAY_SIZE(tour_keys); i++)
        if (tour_keys[i].key == key && (!tour->exploring || key == 'r')) {
            snprintf(line, size, "%s", tour_keys[i].line);
            return true;
        }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].key == key) {
            snprintf(line, size, "%s", keys[i].line);
            return true;
        }
    return command_line(key, line, size);
}
