// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal, see tools/rewind/journal.h. */
#include "tools/rewind/journal.h"

#include <stdlib.h>
#include <string.h>

void journal_free(struct journal *j)
{
    journal_truncate(j, 0);
    free(j->records);
    *j = (struct journal){ 0 };
}

bool journal_append(struct journal *j, const struct journal_record *rec)
{
    char *text = malloc(rec->len + 1);

    if (j->nr == j->cap) {
        const size_t cap = j->cap ? 2 * j->cap : 64;
        struct journal_record *records = reallocarray(j->records, cap, sizeof(*records));

        if (records)
            j->records = records, j->cap = cap;
    }
    if (!text || j->nr == j->cap) {
        free(text);
        return false;
    }
    memcpy(text, rec->text, rec->len);
    text[rec->len] = '\0';
    j->records[j->nr] = *rec;
    j->records[j->nr++].text = text;
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
        free(j->records[--j->nr].text);
}
