// SPDX-License-Identifier: GPL-2.0-or-later
/* The words of the trace, as expressions use them: fields, events, names of values. See tools/debug/private.h. */
#include "tools/debug/private.h"

#include <string.h>

bool word_is(const char *name, const char *word, size_t len) { return strlen(name) == len && !memcmp(name, word, len); }

bool field_find(const char *word, size_t len, struct field_ref *f)
{
    size_t nr;
    const struct trace_field *common = trace_common_fields(&nr);
    bool found = false;

    memset(f, FIELD_NONE, sizeof(*f));
    for (size_t i = 0; i < nr; i++)
        if (word_is(common[i].name, word, len)) {
            f->common = (uint8_t)i;
            return true;
        }
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        const struct trace_event_info *info = trace_event_info((enum trace_event)ev);

        for (unsigned int i = 0; i < info->nr_fields; i++)
            if (word_is(info->fields[i].name, word, len)) {
                f->at[ev] = (uint8_t)i;
                found = true;
            }
    }
    return found;
}

unsigned int event_find(const char *word, size_t len)
{
    unsigned int ev = 0;

    while (ev < TRC_NR && !word_is(trace_event_name((enum trace_event)ev), word, len))
        ev++;
    return ev;
}

void words_add(struct words *w, const char *word)
{
    if (word && w->nr < ARRAY_SIZE(w->word))
        w->word[w->nr++] = word;
}

static void words_add_names(struct words *w, const struct trace_names *n)
{
    for (size_t i = 0; n && i < n->nr; i++)
        words_add(w, n->name[i]);
}

/* The names of the values that a field may have. */
static void words_of_type(struct words *w, enum trace_type type)
{
    uint64_t nr;
    const struct trace_names *n;

    words_add_names(w, trace_type_names(type));
    for (size_t i = 0; type == TRACE_TYPE_sub && (n = trace_subops_at(i, &nr)); i++)
        words_add_names(w, n);
}

void words_of_field(struct words *w, const struct field_ref *f)
{
    w->nr = 0;
    if (f->common != FIELD_NONE) {
        words_of_type(w, field_type(f, TRC_exit));
        return;
    }
    for (unsigned int ev = 0; ev < TRC_NR; ev++)
        if (f->at[ev] != FIELD_NONE)
            words_of_type(w, field_type(f, (enum trace_event)ev));
}

bool words_have(const struct words *w, const char *word, size_t len)
{
    for (size_t i = 0; i < w->nr; i++)
        if (word_is(w->word[i], word, len))
            return true;
    return false;
}

void words_of_trace(struct words *w)
{
    size_t nr;
    const struct trace_field *common = trace_common_fields(&nr);

    w->nr = 0;
    for (size_t i = 0; i < nr; i++)
        words_add(w, common[i].name);
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        const struct trace_event_info *info = trace_event_info((enum trace_event)ev);

        words_add(w, info->name);
        for (unsigned int i = 0; i < info->nr_fields; i++)
            words_add(w, info->fields[i].name);
    }
}

void expr_words(const char *field, size_t len, expr_word_fn *fn, void *data)
{
    static const char *const regs[] = {
#define X(name) "%" #name,
        EXPR_REGS(X)
#undef X
    };
    struct field_ref f;
    struct words w = { .nr = 0 };

    if (!field)
        words_of_trace(&w);
    else if (field_find(field, len, &f))
        words_of_field(&w, &f);
    for (size_t i = 0; i < w.nr; i++)
        fn(data, w.word[i]);
    for (size_t i = 0; !field && i < ARRAY_SIZE(regs); i++)
        fn(data, regs[i]);
}
