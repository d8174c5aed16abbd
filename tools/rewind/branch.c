// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Other futures: see tools/rewind/rewind.h.
 *
 * A branch is a whole journal, from the beginning on, and how far it has come; so is the line that the machine is on.
 * Where two of them part is where their journals do: neither has to know of the other, and it does not matter in which
 * order they were begun.
 */
#include "tools/rewind/rewind.h"

#include "sim/ram_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(char err[REWIND_ERR_SIZE])
{
    snprintf(err, REWIND_ERR_SIZE, "out of memory");
    return -1;
}

size_t rewind_branch_find(const struct rewind *r, const char *name)
{
    size_t i = 0;

    while (i < r->nr_branches && strcmp(r->branches[i].name, name) != 0)
        i++;
    return i;
}

/* A, B, ... Z, A1, B1, ...: the first that nobody has. */
static void free_name(const struct rewind *r, char name[REWIND_NAME_SIZE])
{
    for (unsigned int n = 0;; n++) {
        snprintf(name, REWIND_NAME_SIZE, n < 26 ? "%c" : "%c%u", (char)('A' + n % 26), n / 26);
        if (strcmp(r->name, name) != 0 && rewind_branch_find(r, name) == r->nr_branches)
            return;
    }
}

/* From here on another future: of the known one, all but its journal. */
static void end_here(struct rewind *r)
{
    r->line = ++r->lines;
    history_forget_ahead(r->history);
    journal_truncate(&r->journal, r->next);
    r->compare.fn = NULL;
    r->end = r->m->at;
    r->end_now = host_now(r->host);
}

void rewind_forget(struct rewind *r)
{
    if (!rewind_is_live(r))
        end_here(r);
}

int rewind_branch(struct rewind *r, const char *name, char err[REWIND_ERR_SIZE])
{
    struct rewind_branch *more, b = { .end = r->end, .end_now = r->end_now, .line = r->line };

    if (rewind_is_live(r)) {
        snprintf(err, REWIND_ERR_SIZE, "here is the end of what is known: there is no future yet that could be kept");
        return -1;
    }
    if (!name)
        free_name(r, b.name);
    else if (!*name || strlen(name) >= sizeof(b.name)) {
        snprintf(err, REWIND_ERR_SIZE, "a branch has a name of 1 to %zu characters", sizeof(b.name) - 1);
        return -1;
    } else if (!strcmp(name, r->name) || rewind_branch_find(r, name) < r->nr_branches) {
        snprintf(err, REWIND_ERR_SIZE, "there is a branch %s already", name);
        return -1;
    } else {
        strcpy(b.name, name);
    }
    if (!journal_copy(&b.journal, &r->journal))
        return out_of_memory(err);
    more = reallocarray(r->branches, r->nr_branches + 1, sizeof(*more));
    if (!more) {
        journal_free(&b.journal);
        return out_of_memory(err);
    }
    r->branches = more;
    r->branches[r->nr_branches++] = b;
    end_here(r);
    return 0;
}

/* --- the ways to a position --- */

static uint64_t way_of(const struct journal *j, struct position at)
{
    const size_t nr = journal_find(j, at);
    uint64_t way = nr;

    for (size_t i = 0; i < nr; i++) {
        const struct journal_record *rec = &j->records[i];
        const uint64_t words[] = { rec->at.insns, rec->at.step, (uint64_t)rec->now, rec->kind, rec->who };

        way = hash_bytes(hash_bytes(way, words, sizeof(words)), rec->bytes, rec->len);
    }
    return way;
}

uint64_t rewind_way(const struct rewind *r) { return way_of(&r->journal, r->m->at); }

size_t rewind_line_of(const struct rewind *r, struct position at, uint64_t way)
{
    if (!position_is_before(r->end, at) && way_of(&r->journal, at) == way)
        return REWIND_PRESENT;
    for (size_t i = 0; i < r->nr_branches; i++)
        if (!position_is_before(r->branches[i].end, at) && way_of(&r->branches[i].journal, at) == way)
            return i;
    return REWIND_NOWHERE;
}

/* --- where lines part --- */

static bool is_same(const struct journal_record *a, const struct journal_record *b)
{
    return !memcmp(&a->at, &b->at, sizeof(a->at)) && a->now == b->now && a->kind == b->kind && a->who == b->who &&
           a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* The first record of one that the other has not, or where the line ends. */
static struct position leaves(const struct journal *j, size_t n, struct position end)
{
    return n < j->nr ? j->records[n].at : end;
}

struct position rewind_branch_parts(const struct rewind *r, size_t i)
{
    const struct rewind_branch *b = &r->branches[i];
    struct position mine, other;
    size_t n = 0;

    while (n < r->journal.nr && n < b->journal.nr && is_same(&r->journal.records[n], &b->journal.records[n]))
        n++;
    mine = leaves(&r->journal, n, r->end);
    other = leaves(&b->journal, n, b->end);
    return position_is_before(mine, other) ? mine : other;
}

void rewind_branch_take(struct rewind *r, size_t i)
{
    struct rewind_branch *b = &r->branches[i];
    struct rewind_branch present = { .journal = r->journal, .end = r->end, .end_now = r->end_now, .line = r->line };

    BUG_ON(position_is_before(rewind_branch_parts(r, i), r->m->at));
    history_forget_ahead(r->history);
    memcpy(present.name, r->name, sizeof(present.name));
    memcpy(r->name, b->name, sizeof(r->name));
    r->journal = b->journal;
    r->compare.fn = NULL;
    r->end = b->end;
    r->end_now = b->end_now;
    r->line = b->line;
    *b = present;
}
