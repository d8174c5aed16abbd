// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal, see tools/rewind/journal.h. */
#include "tools/rewind/journal.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(kind, name) #name,
    JOURNAL_KINDS(X)
#undef X
};

const char *journal_kind_name(enum journal_kind kind) { return kind_names[kind]; }

enum journal_kind journal_kind_of(const char *name)
{
    unsigned int kind = 0;

    while (kind < JOURNAL_NR && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum journal_kind)kind;
}

void journal_free(struct journal *j)
{
    journal_truncate(j, 0);
    free(j->records);
    *j = (struct journal){ 0 };
}

bool journal_append(struct journal *j, const struct journal_record *rec)
{
    uint8_t *bytes = malloc(rec->len + 1);

    if (j->nr == j->cap) {
        const size_t cap = j->cap ? 2 * j->cap : 64;
        struct journal_record *records = reallocarray(j->records, cap, sizeof(*records));

        if (records)
            j->records = records, j->cap = cap;
    }
    if (!bytes || j->nr == j->cap) {
        free(bytes);
        return false;
    }
    memcpy(bytes, rec->bytes, rec->len);
    j->records[j->nr] = *rec;
    j->records[j->nr++].bytes = bytes;
    return true;
}

bool journal_copy(struct journal *copy, const struct journal *j)
{
    for (size_t i = 0; i < j->nr; i++)
        if (!journal_append(copy, &j->records[i])) {
            journal_free(copy);
            return false;
        }
    return true;
}

size_t journal_find(const struct journal *j, struct position at)
{
    size_t n = j->nr;

    while (n && !position_is_before(j->records[n - 1].at, at))
        n--;
    return n;
}

void journal_truncate(struct journal *j, size_t n)
{
    while (j->nr > n)
        free(j->records[--j->nr].bytes);
}
