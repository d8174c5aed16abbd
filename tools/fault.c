// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults, as they are written: see tools/fault.h. */
#include "tools/fault.h"

#include "tools/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum more { FAULT_NOTHING, FAULT_TIME, FAULT_COUNT };

static const struct word {
    const char *word, *about;
    enum more more;
} words[] = {
#define X(id, word, about, more) [FAULT_##id] = { word, about, more },
    FAULTS(X)
#undef X
};

static bool number(const char *text, uint64_t *n)
{
    char *end;

    *n = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *n > 0 && *n <= 1000000;
}

/* "DOMAIN", "DOMAIN/DISK" or nothing, as this word wants it. */
static bool about_read(const struct word *w, char *text, struct host_fault *f)
{
    char *disk = text ? strchr(text, '/') : NULL;

    if (!*w->about)
        return !text;
    if (!text || !strchr(w->about, '/') != !disk)
        return false;
    if (disk) {
        *disk++ = '\0';
        if (!*disk || strlen(disk) >= sizeof(f->disk))
            return false;
        strcpy(f->disk, disk);
    }
    if (!*text || strlen(text) >= sizeof(f->domain))
        return false;
    strcpy(f->domain, text);
    return true;
}

static bool more_read(const struct word *w, const char *text, struct host_fault *f)
{
    f->count = 1;
    switch (w->more) {
    case FAULT_NOTHING: return !text;
    case FAULT_TIME: return text && duration_parse(text, &f->time);
    case FAULT_COUNT: return !text || number(text, &f->count);
    }
    return false;
}

static void usage(const struct word *w, const char *text, char why[FAULT_WHY_SIZE])
{
    char list[256] = "";
    size_t len = 0;

    for (unsigned int i = 0; i < FAULT_NR; i++)
        if (!w || w == &words[i])
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s%s%s", len ? ", " : "", words[i].word,
                                    words[i].about,
                                    words[i].more == FAULT_TIME    ? ",TIME"
                                    : words[i].more == FAULT_COUNT ? "[,N]"
                                                                   : "");
    snprintf(why, FAULT_WHY_SIZE, "expected TIME:WHAT, where WHAT is %s; got \"%.80s\"", list, text);
}

bool fault_parse(const char *text, struct host_fault *f, char why[FAULT_WHY_SIZE])
{
    char copy[256], *rest = copy, *when, *about = NULL, *more = NULL;
    const struct word *w = NULL;
    bool good = false;

    *f = (struct host_fault){ 0 };
    snprintf(copy, sizeof(copy), "%s", strlen(text) < sizeof(copy) ? text : "");
    when = strsep(&rest, ":");
    if (rest) {
        more = strchr(rest, ',');
        if (more)
            *more++ = '\0';
        about = strchr(rest, '=');
        if (about)
            *about++ = '\0';
        for (unsigned int i = 0; i < FAULT_NR && !w; i++)
            w = strcmp(words[i].word, rest) ? NULL : &words[i];
    }
    if (w) {
        f->what = (enum fault_what)(w - words);
        good = duration_parse(when, &f->when) && about_read(w, about, f) && more_read(w, more, f);
    }
    if (!good)
        usage(w, text, why);
    return good;
}
