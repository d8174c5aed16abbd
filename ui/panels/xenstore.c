// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `xenstore`: the tree that a guest sees, and its watches.
 *
 * Concept: a node's line is indented by its depth, below the one above; each guest has a store of its own
 * (rings/xenstore/store.h). The first of the permissions is the owner's, with what everybody else may do: n nothing,
 * r read, w write, b both.
 */
#include "ui/panels/panel.h"

#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "node" },
    { .title = "perms" },
    { .title = "value" },
};

struct entry {
    bool is_watch;
    char *path, *value, *perms;
    size_t len;
};

struct taking {
    struct entry *entry;
    size_t nr, cap;
};

static void entry_free(struct entry *e)
{
    free(e->path);
    free(e->value);
    free(e->perms);
}

static void entry_take(void *data, const struct host_store_entry *e)
{
    struct taking *k = data;
    struct entry *more = k->entry, copy;

    if (k->nr == k->cap)
        more = reallocarray(k->entry, 2 * k->cap + 32, sizeof(*more));
    if (!more)
        return;
    k->cap = k->nr == k->cap ? 2 * k->cap + 32 : k->cap;
    k->entry = more;
    copy = (struct entry){ e->is_watch, strdup(e->path), strdup(e->value ?: ""), strdup(e->perms ?: ""), e->len };
    if (copy.path && copy.value && copy.perms)
        k->entry[k->nr++] = copy;
    else
        entry_free(&copy);
}

/* What is below a node comes right behind it: '/' before all other characters. */
static int by_path(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const char *p = x->path, *q = y->path;

    if (x->is_watch != y->is_watch)
        return x->is_watch - y->is_watch;
    while (*p && *p == *q)
        p++, q++;
    if (*p == *q)
        return strcmp(x->value, y->value);
    return (*p == '/' ? 1 : (unsigned char)*p) - (*q == '/' ? 1 : (unsigned char)*q);
}

static void row_take(struct table *t, domid_t dom, const struct entry *e, size_t n)
{
    const char *name = strrchr(e->path, '/') ?: e->path;
    struct table_row *row =
        e->is_watch ? table_row(t, "d%u watch %zu", dom, n)
                    : table_row(t, "d%u %.38s", dom, e->path + (strlen(e->path) > 38 ? strlen(e->path) - 38 : 0));
    unsigned int depth = 0;

    for (const char *p = e->path; p < name; p++)
        depth += *p == '/';
    if (e->is_watch)
        table_cell(t, row, "watch %s", e->path);
    else
        table_cell(t, row, "%*s%s", 2 * (int)depth, "", name[1] ? name + 1 : "/");
    table_cell(t, row, "%s", e->perms);
    table_cell(t, row, "%s%s", e->value, !e->is_watch && strlen(e->value) < e->len ? " ..." : "");
    table_ask(t, row, "why node d%u %s", dom, e->path);
    if (row && e->is_watch)
        row->style = STYLE_key;
    else if (row && !e->value[0])
        row->style = STYLE_title;
}

/* Of one domain; what the vCPU is about, if nothing is said, and if that is dom0 of all. */
static bool wants(const struct scene *s, domid_t dom)
{
    return s->about.given ? s->about.what.dom == dom : !s->dom || s->dom == dom;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_domain d;

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++) {
        struct taking k = { 0 };

        if (wants(s, d.dom))
            host_store_each(g->host, d.dom, entry_take, &k);
        if (k.nr)
            qsort(k.entry, k.nr, sizeof(k.entry[0]), by_path);
        for (size_t i = 0; i < k.nr; i++) {
            row_take(t, d.dom, &k.entry[i], i);
            entry_free(&k.entry[i]);
        }
        free(k.entry);
    }
}

const struct panel_ops panel_xenstore = { .name = "xenstore",
                                          .help = "the tree that a guest sees, who may do what there, and its watches",
                                          .empty = "there is no store",
                                          .column = columns,
                                          .nr_columns = ARRAY_SIZE(columns),
                                          .about = scene_about_domain,
                                          .take = take };
