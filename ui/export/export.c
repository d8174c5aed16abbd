// SPDX-License-Identifier: GPL-2.0-or-later
/* What all formats share: see ui/export/export.h. */
#include "ui/export/export.h"

#include <stdlib.h>
#include <string.h>

#include "tools/units.h"

/* --- places --- */

bool export_place_parse(const char *text, struct export_place *place)
{
    unsigned long long insns, step = 0;
    int end = 0;

    *place = (struct export_place){ .stated = true };
    if (*text != '#') {
        place->by_time = true;
        return duration_parse(text, &place->time);
    }
    if (strspn(text + 1, "0123456789.") != strlen(text + 1) || strlen(text) > 40 ||
        (sscanf(text, "#%llu%n.%llu%n", &insns, &end, &step, &end) < 1 || text[end]))
        return false;
    place->at = (struct position){ insns, step };
    return true;
}

/* Whether the record lies before it; not, if it was not stated. */
static bool is_before(const struct trace_record *rec, const struct export_place *place)
{
    if (!place->stated)
        return false;
    if (place->by_time)
        return rec->time < place->time;
    return rec->at.insns < place->at.insns || (rec->at.insns == place->at.insns && rec->at.step < place->at.step);
}

bool export_record(const struct export_format *f, void *state, const struct trace_record *rec,
                   const struct export_place *from, const struct export_place *to)
{
    const bool before = is_before(rec, from), behind = to->stated && !is_before(rec, to);

    if (before && f->before)
        f->before(state, rec);
    if (!before && !behind)
        f->record(state, rec);
    return !before && !behind;
}

const char *export_domain_name(const struct export_about *about, unsigned int dom, char name[EXPORT_NAME])
{
    const char *guest = NULL;

    for (size_t i = 0; dom && i < dom; i++) {
        guest = about->guest(about->data, i);
        if (!guest)
            break;
    }
    snprintf(name, EXPORT_NAME, guest ? "d%u %s" : "d%u", dom, guest);
    return name;
}

/* --- rows --- */

void *export_row(struct export_rows *t, uint32_t key)
{
    size_t low = 0, high = t->nr;
    struct export_row *row;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (t->row[middle]->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < t->nr && t->row[low]->key == key)
        return t->row[low];
    if (t->nr == t->room) {
        const size_t room = t->room ? 2 * t->room : 16;
        void *all = realloc(t->row, room * sizeof(*t->row));

        t->failed |= !all;
        if (!all)
            return NULL;
        t->row = all;
        t->room = room;
    }
    row = calloc(1, t->size);
    t->failed |= !row;
    if (!row)
        return NULL;
    row->key = key;
    memmove(t->row + low + 1, t->row + low, (t->nr - low) * sizeof(*t->row));
    t->row[low] = row;
    t->nr++;
    return row;
}

void export_rows_free(struct export_rows *t)
{
    for (size_t i = 0; i < t->nr; i++)
        free(t->row[i]);
    free(t->row);
}

/* --- times --- */

s_time_t export_time(struct export_clocks *c, struct export_clock *vcpu, const struct trace_record *rec)
{
    s_time_t now = rec->time;

    if (now < c->pcpu[rec->pcpu])
        now = c->pcpu[rec->pcpu];
    if (vcpu) {
        if (vcpu->pcpu != rec->pcpu && now <= vcpu->last && vcpu->last)
            now = vcpu->last + 1;
        vcpu->last = now;
        vcpu->pcpu = rec->pcpu;
    }
    c->pcpu[rec->pcpu] = now;
    return now;
}
