// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads, read: tools/kit/workload.h says what they look like. */
#include "tools/kit/workload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/units.h"

#define BLANKS " \t"

bool workload_wrong(const struct workload *r, const char *fmt, ...)
{
    const int n = snprintf(r->why, KIT_WHY, "%u: ", r->line ?: 1);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why + n, (size_t)(KIT_WHY - n), fmt, ap);
    va_end(ap);
    return false;
}

/* --- lines --- */

static bool line_read(const struct workload *r, char *text,
                      bool (*statement)(const struct workload *r, const char *word, char *value))
{
    char *word, *value;

    text[strcspn(text, "#\r\n")] = '\0';
    word = text + strspn(text, BLANKS);
    if (!*word)
        return true;
    value = word + strcspn(word, BLANKS);
    if (*value)
        *value++ = '\0';
    value += strspn(value, BLANKS);
    for (char *end = value + strlen(value); end > value && strchr(BLANKS, end[-1]);)
        *--end = '\0';
    return !strcmp(word, "expect") || statement(r, word, value);
}

bool workload_statements(struct workload *r, FILE *f,
                         bool (*statement)(const struct workload *r, const char *word, char *value))
{
    char *text = NULL;
    size_t len = 0;
    bool ok = true;

    while (ok && (errno = 0, getline(&text, &len, f)) >= 0) {
        r->line++;
        ok = line_read(r, text, statement);
    }
    if (ok && errno)
        ok = workload_wrong(r, "%s", strerror(errno));
    free(text);
    return ok;
}

/* --- values --- */

bool workload_size(const struct workload *r, const char *what, const char *text, uint64_t *mib)
{
    return (size_parse(text, mib) && *mib <= WORKLOAD_MAX_SIZE) ||
           workload_wrong(r, "%s: \"%.40s\" is no size such as 512M or 2G", what, text);
}

bool workload_number(const struct workload *r, const char *what, const char *text, uint64_t most, uint64_t *n)
{
    char *end;

    errno = 0;
    *n = strtoull(text, &end, 10);
    return (*text >= '0' && *text <= '9' && !*end && !errno && *n <= most) ||
           workload_wrong(r, "%s: \"%.40s\" is no number up to %llu", what, text, (unsigned long long)most);
}

bool workload_percent(const struct workload *r, const char *what, const char *text, uint64_t most, uint64_t *n)
{
    char number[24], wrong[KIT_WHY];
    const struct workload try = { r->model, wrong, r->line };
    const size_t len = strlen(text);

    if (len && len < sizeof(number) && text[len - 1] == '%') {
        snprintf(number, sizeof(number), "%.*s", (int)len - 1, text);
        if (workload_number(&try, what, number, most, n))
            return true;
    }
    return workload_wrong(r, "%s: \"%.40s\" is none of 0%% to %llu%%", what, text, (unsigned long long)most);
}

bool workload_time(const struct workload *r, const char *what, const char *text, const char *units, uint64_t unit,
                   uint64_t most, uint64_t *ns)
{
    s_time_t time;

    if (!duration_parse_in(text, "s", &time) || time <= 0 || (uint64_t)time % unit || (uint64_t)time > most)
        return workload_wrong(r, "%s: \"%.40s\" is no time of whole %s, up to %llus", what, text, units,
                              (unsigned long long)(most / SECONDS(1)));
    *ns = (uint64_t)time;
    return true;
}

bool workload_range(const struct workload *r, const char *what, char *text, struct workload_range *range,
                    bool (*value)(const struct workload *r, const char *what, const char *text, uint64_t *n))
{
    char *dots = strstr(text, "..");

    if (dots)
        *dots = '\0';
    return value(r, what, text, &range->from) && value(r, what, dots ? dots + 2 : text, &range->to) &&
           (range->to >= range->from || workload_wrong(r, "%s: the range ends before it begins", what));
}

uint64_t workload_within(const struct workload_range *range, uint64_t random)
{
    return range->from + random % (range->to - range->from + 1);
}

/* --- who does something --- */

char *workload_head(const struct workload *r, char *text, const char *what, const char *shape, char name[KIT_NAME],
                    bool (*key)(const struct workload *r, void *of, const char *key, const char *value), void *of)
{
    char *colon = strchr(text, ':'), *save, *word;

    if (!colon)
        return workload_wrong(r, "%s is \"%s\"", what, shape), NULL;
    *colon = '\0';
    word = strtok_r(text, BLANKS, &save);
    if (!word || strlen(word) >= KIT_NAME || strchr(word, '='))
        return workload_wrong(r, "%s needs a name, of at most %d characters", what, KIT_NAME - 1), NULL;
    strcpy(name, word);
    while ((word = strtok_r(NULL, BLANKS, &save))) {
        char *value = strchr(word, '=');

        if (value)
            *value++ = '\0';
        if (!key(r, of, word, value))
            return NULL;
    }
    return colon + 1;
}

bool workload_steps(const struct workload *r, char *program, unsigned int most,
                    bool (*step)(const struct workload *r, void *of, char *text, bool last), void *of)
{
    unsigned int nr = 0;

    for (char *at = program, *next; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = '\0';
        if (nr++ == most)
            return workload_wrong(r, "more than %u steps", most);
        if (!step(r, of, at, !next))
            return false;
    }
    return true;
}

bool workload_step(char *text, const char **word, char **value, const char **time)
{
    char *save;
    const char *keyword;

    *word = strtok_r(text, BLANKS, &save);
    *value = *word ? strtok_r(NULL, BLANKS, &save) : NULL;
    keyword = *value ? strtok_r(NULL, BLANKS, &save) : NULL;
    *time = keyword ? strtok_r(NULL, BLANKS, &save) : NULL;
    return *value && (!keyword || (*time && !strcmp(keyword, "for") && !strtok_r(NULL, BLANKS, &save)));
}

uint64_t workload_stir(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
