// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `xenstore`: the store's tree, and who watches what in it.
 *
 * Concept: a node's line is indented by its depth, below the one above (rings/xenstore/tree.h). The first of the
 * permissions is the owner's, with what everybody else may do: n nothing, r read, w write, b both.
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
    domid_t domid; /* whose watch */
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
    copy = (struct entry){ e->is_watch, e->domid, strdup(e->path), strdup(e->value ?: ""), strdup(e->perms ?: ""),
                           e->len };
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

static void row_take(struct table *t, const struct entry *e, size_t n)
{
    const char *name = strrchr(e->path, '/') ?: e->path;
    const size_t len = strlen(e->path);
    struct table_row *row = e->is_watch ? table_row(t, "watch %zu", n)
                                        : table_row(t, "%zu %.38s", len, e->path + (len > 38 ? len - 38 : 0));
    unsigned int depth = 0;

    for (const char *p = e->path; p < name; p++)
        depth += *p == '/';
    if (e->is_watch)
        table_cell(t, row, "d%u watches %s", e->domid, e->path);
    else
        table_cell(t, row, "%*s%s", 2 * (int)depth, "", name[1] ? name + 1 : "/");
    table_cell(t, row, "%s", e->perms);
    table_cell(t, row, "%s%s", e->value, !e->is_watch && strlen(e->value) < e->len ? " ..." : "");
    table_ask(t, row, "why node %s", e->path);
    if (row && e->is_watch)
        row->style = STYLE_key;
    else if (row && !e->value[0])
        row->style = STYLE_title;
}

/* Do a node's permissions name the domain, "n0,r5" domain 5? */
static bool names(const char *perms, domid_t dom)
{
    while (*perms) {
        char *end;

        if (strtoul(perms + 1, &end, 10) == dom)
            return true;
        perms = *end ? end + 1 : end;
    }
    return false;
}

/* Of one domain, if that has been said: what its permissions are about, and its own watches. */
static bool wants(const struct scene *s, const struct entry *e)
{
    return !s->about.given || (e->is_watch ? e->domid == s->about.what.dom : names(e->perms, s->about.what.dom));
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct taking k = { 0 };

    host_store_each(g->host, entry_take, &k);
    if (k.nr)
        qsort(k.entry, k.nr, sizeof(k.entry[0]), by_path);
    for (size_t i = 0; i < k.nr; i++) {
        if (wants(s, &k.entry[i]))
            row_take(t, &k.entry[i], i);
        entry_free(&k.entry[i]);
    }
    free(k.entry);
}

const struct panel_ops panel_xenstore = { .name = "xenstore",
                                          .help = "xenstore: its tree, who may do what there, and watches",
                                          .empty = "there is no store",
                                          .column = columns,
                                          .nr_columns = ARRAY_SIZE(columns),
                                          .about = scene_about_domain,
                                          .take = take };
