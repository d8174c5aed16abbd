// SPDX-License-Identifier: GPL-2.0-or-later
/* Conditions that can never hold, see tools/debug/fit.h. */
#include "tools/debug/fit.h"

#include "tools/debug/private.h"

#include <stdio.h>
#include <string.h>

/* "exit", "trap or iret": at most so many. */
static void set_text(const struct event_set *set, char *text, size_t size)
{
    size_t n = 0;

    text[0] = '\0';
    for (unsigned int ev = 0; ev < TRC_NR && n < size; ev++)
        if (set->has[ev])
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " or " : "", trace_event_name((enum trace_event)ev));
    if (!n)
        snprintf(text, size, "an instruction or an access to memory");
}

/* "kind, vector, ...", of the first event of the set; or the fields of every record. */
static void fields_text(const struct event_set *set, char *text, size_t size)
{
    size_t nr, n = 0;
    const struct trace_field *fields = trace_common_fields(&nr);

    for (unsigned int ev = TRC_NR; ev-- > 0;)
        if (set->has[ev]) {
            fields = trace_event_info((enum trace_event)ev)->fields;
            nr = trace_event_info((enum trace_event)ev)->nr_fields;
        }
    text[0] = '\0';
    for (size_t i = 0; i < nr && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "", fields[i].name);
}

static void values_text(const struct words *w, char *text, size_t size)
{
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < w->nr && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "", w->word[i]);
}

/* A field, as it is in the events of the set. False: none of them has it. */
static bool field_in(const struct field_ref *f, const struct event_set *set, struct field_ref *in)
{
    bool any = f->common != FIELD_NONE;

    *in = *f;
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        if (!set->has[ev])
            in->at[ev] = FIELD_NONE;
        any |= in->at[ev] != FIELD_NONE;
    }
    return any;
}

/* The name of a field; any event that has it knows. */
static const char *field_name(const struct field_ref *f)
{
    for (unsigned int ev = 0; ev < TRC_NR; ev++)
        if (f->at[ev] != FIELD_NONE)
            return trace_event_info((enum trace_event)ev)->fields[f->at[ev]].name;
    return "";
}

static bool node_fits(const struct node *n, const struct event_set *set, char err[EXPR_ERR_SIZE])
{
    char events[64], others[100];
    struct field_ref in;
    struct words w;

    set_text(set, events, sizeof(events));
    if (n->kind == NODE_EVENT && !set->has[n->event]) {
        snprintf(err, EXPR_ERR_SIZE, "\"%s\" is never so of %s", trace_event_name(n->event), events);
        return false;
    }
    if (n->kind != NODE_FIELD && n->kind != NODE_NAME && n->kind != NODE_TEXT)
        return true;
    if (!field_in(&n->field, set, &in)) {
        fields_text(set, others, sizeof(others));
        snprintf(err, EXPR_ERR_SIZE, "there is no \"%s\" in %.40s, but %s", field_name(&n->field), events, others);
        return false;
    }
    if (n->kind != NODE_NAME)
        return true;
    words_of_field(&w, &in);
    if (words_have(&w, n->text, n->len))
        return true;
    values_text(&w, others, sizeof(others));
    snprintf(err, EXPR_ERR_SIZE, "in %.40s \"%s\" is never \"%.*s\", but %s", events, field_name(&n->field),
             (int)(n->len < 20 ? n->len : 20), n->text, w.nr ? others : "a number");
    return false;
}

bool expr_fits(const struct expr *e, const struct event_set *set, char err[EXPR_ERR_SIZE])
{
    for (unsigned int i = 0; i < e->nr; i++)
        if (!node_fits(&e->node[i], set, err))
            return false;
    return true;
}
