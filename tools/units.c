// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Durations and sizes as people write them.
 *
 * Concept: a number and a unit, with nothing between, before or behind them. A duration needs its unit, unless the
 * option has always been a number of one unit (xl's --period is in microseconds, --limit in seconds); a size is in MiB
 * if nothing else is said, as everywhere in xl, and takes the letters that `xl mem-set` takes.
 *
 * Invariants: computed in integers, so that 0.1s is 100000000 ns exactly. Up to 28 years, a tenth of what 63 bits hold:
 * sums of a few durations do not overflow.
 */
#include "tools/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS       "0123456789"
#define LONGEST      ((uint64_t)900000000 * 1000000000)
#define UNITS_LISTED "ns, us, ms, s"

static const struct unit {
    const char *name;
    uint64_t scale;
} durations[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 } },
  sizes[] = { { "", 1 },       { "M", 1 },     { "MiB", 1 },         { "MB", 1 },        { "G", 1024 },
              { "GiB", 1024 }, { "GB", 1024 }, { "T", 1024 * 1024 }, { "TiB", 1 << 20 }, { "TB", 1 << 20 } };

static const struct unit *duration_unit(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
        if (!strcmp(durations[i].name, name))
            return &durations[i];
    return NULL;
}

/* How long "12" or "12.5" is at the beginning of the text; *point: of it the digits before the point. 0: no number. */
static size_t number_length(const char *text, size_t *point)
{
    const size_t whole = strspn(text, DIGITS), part = text[whole] == '.' ? strspn(text + whole + 1, DIGITS) : 0;

    *point = whole;
    return !whole ? 0 : whole + (part ? 1 + part : 0);
}

/* Digits times scale; false: more than LONGEST. */
static bool scaled(const char *digits, size_t nr, uint64_t scale, uint64_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < nr; i++) {
        n = n * 10 + (uint64_t)(digits[i] - '0');
        if (n > LONGEST / scale)
            return false;
    }
    *out = n * scale;
    return true;
}

bool duration_parse_in(const char *text, const char *unit, s_time_t *ns)
{
    size_t point;
    const size_t len = number_length(text, &point);
    const struct unit *u = len ? duration_unit(text[len] ? text + len : unit) : NULL;
    uint64_t scale, sum;

    if (!u || len > point + 10 || !scaled(text, point, u->scale, &sum))
        return false;
    scale = u->scale;
    for (size_t i = point + 1; i < len; i++) {
        scale /= 10;
        sum += scale * (uint64_t)(text[i] - '0');
    }
    *ns = (s_time_t)sum;
    return true;
}

bool duration_parse(const char *text, s_time_t *ns) { return duration_parse_in(text, "", ns); }

const char *duration_why(const char *text, s_time_t least, char why[UNITS_WHY_SIZE])
{
    size_t point;
    const size_t len = number_length(text, &point), letters = strspn(text + len, "abcdefghijklmnopqrstuvwxyz");
    s_time_t ns;

    if (duration_parse(text, &ns) && ns < least)
        snprintf(why, UNITS_WHY_SIZE, "\"%.40s\": must be %s", text, least == 1 ? "above 0" : "1us at least");
    else if (len && !text[len])
        snprintf(why, UNITS_WHY_SIZE, "\"%.40s\" has no unit (" UNITS_LISTED " or m), such as %.40sms", text, text);
    else if (len && duration_unit(text + len))
        snprintf(why, UNITS_WHY_SIZE, "\"%.40s\" is longer than 28 years, or finer than a nanosecond", text);
    else if (len && letters && !text[len + letters])
        snprintf(why, UNITS_WHY_SIZE, "\"%.40s\": the units are " UNITS_LISTED " and m", text);
    else
        snprintf(why, UNITS_WHY_SIZE, "\"%.40s\" is no time such as " DURATION_EXAMPLE, text);
    return why;
}

bool size_parse(const char *text, uint64_t *mib)
{
    const size_t len = strspn(text, DIGITS);

    for (size_t i = 0; len && i < ARRAY_SIZE(sizes); i++)
        if (!strcasecmp(text + len, sizes[i].name))
            return scaled(text, len, sizes[i].scale, mib);
    return false;
}
