// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings, seeds, and the jobs that they are: the idea is in tools/sweep/sweep.h. */
#include "tools/sweep/sweep.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool __attribute__((format(printf, 2, 3))) wrong(char why[SWEEP_WHY], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, SWEEP_WHY, fmt, ap);
    va_end(ap);
    return false;
}

/* --- options --- */

static bool name_is_one(const char *name)
{
    if (!isalpha((unsigned char)*name) || strlen(name) >= SWEEP_NAME)
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

/* It becomes a part of a workload's line. */
static bool value_is_one(const char *value)
{
    for (const char *c = value; *c; c++)
        if (iscntrl((unsigned char)*c) || *c == '#' || *c == '$')
            return false;
    return *value;
}

bool sweep_set(struct sweep *s, const char *text, char why[SWEEP_WHY])
{
    struct sweep_set *set = &s->set[s->nr_sets];
    char *at;

    if (s->nr_sets == SWEEP_SETS)
        return wrong(why, "--set: at most %d", SWEEP_SETS);
    *set = (struct sweep_set){ .nr = 0 };
    if (snprintf(set->text, SWEEP_TEXT, "%s", text) >= SWEEP_TEXT)
        return wrong(why, "--set: more than %d characters", SWEEP_TEXT - 1);
    at = strchr(set->text, '=');
    if (at)
        *at = '\0';
    if (!at || !name_is_one(set->text))
        return wrong(why, "--set: \"%.40s\": expected NAME=VALUE,VALUE..., such as memory=1G,2G", text);
    for (unsigned int i = 0; i < s->nr_sets; i++)
        if (!strcmp(s->set[i].text, set->text))
            return wrong(why, "--set %s: it is there twice; all its values belong to one --set", set->text);
    while (at) {
        char *value = at + 1;

        at = strchr(value, ',');
        if (at)
            *at = '\0';
        if (!value_is_one(value))
            return wrong(why, "--set %s: a value that is empty, or has #, $ or a control character in it", set->text);
        if (set->nr == SWEEP_VALUES)
            return wrong(why, "--set %s: more than %d values", set->text, SWEEP_VALUES);
        for (unsigned int i = 0; i < set->nr; i++)
            if (!strcmp(set->text + set->value[i], value))
                return wrong(why, "--set %s: the value %.40s is there twice", set->text, value);
        set->value[set->nr++] = (unsigned short)(value - set->text);
    }
    s->nr_sets++;
    return true;
}

/* Digits, and no more of them than fit; *end: behind them. */
static bool digits(const char *text, const char **end, uint64_t *n)
{
    char *stop;

    errno = 0;
    *n = strtoull(text, &stop, 10);
    *end = stop;
    return isdigit((unsigned char)*text) && !errno;
}

bool sweep_seeds(struct sweep *s, const char *text, char why[SWEEP_WHY])
{
    const char *end;

    s->seeds = true;
    if (!digits(text, &end, &s->from) || strncmp(end, "..", 2) || !digits(end + 2, &end, &s->to) || *end)
        return wrong(why, "--seeds: \"%.40s\": expected A..B, such as 1..50", text);
    if (s->to < s->from)
        return wrong(why, "--seeds: \"%.40s\": it ends before it begins", text);
    return s->to - s->from < SWEEP_JOBS || wrong(why, "--seeds: more than %d", SWEEP_JOBS);
}

bool sweep_job(struct sweep *s, const char *text, char why[SWEEP_WHY])
{
    const char *end;

    return (digits(text, &end, &s->job) && !*end && s->job) ||
           wrong(why, "--job: \"%.40s\": expected a number, from 1", text);
}

bool sweep_check(const struct sweep *s, bool seed, char why[SWEEP_WHY])
{
    if (s->seeds && seed)
        return wrong(why, "--seed and --seeds: which of the two?");
    if (!sweep_is(s) && (s->job || s->results))
        return wrong(why, "%s is for sweeps: there is neither --seeds A..B nor a --set of several values",
                     s->job ? "--job" : "--results");
    if (sweep_jobs(s) > SWEEP_JOBS)
        return wrong(why, "these are more than %d jobs", SWEEP_JOBS);
    if (s->job > sweep_jobs(s))
        return wrong(why, "--job %llu: there are %llu", (unsigned long long)s->job, (unsigned long long)sweep_jobs(s));
    return true;
}

/* --- jobs --- */

bool sweep_is(const struct sweep *s)
{
    bool is = s->seeds;

    for (unsigned int i = 0; i < s->nr_sets; i++)
        is |= s->set[i].nr > 1;
    return is;
}

uint64_t sweep_jobs(const struct sweep *s)
{
    uint64_t n = s->seeds ? s->to - s->from + 1 : 1;

    for (unsigned int i = 0; i < s->nr_sets && n <= SWEEP_JOBS; i++)
        n *= s->set[i].nr;
    return n;
}

struct sweep_run sweep_run_of(const struct sweep *s, uint64_t job, uint64_t seed)
{
    const uint64_t seeds = s->seeds ? s->to - s->from + 1 : 1;
    struct sweep_run r = { .seed = s->seeds ? s->from + (job - 1) % seeds : seed };
    uint64_t left = (job - 1) / seeds;

    for (unsigned int i = s->nr_sets; i--; left /= s->set[i].nr)
        r.value[i] = s->set[i].text + s->set[i].value[left % s->set[i].nr];
    return r;
}

/* As a word of sh(1). */
static void word(const char *text, FILE *f)
{
    if (*text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:@%+-")]) {
        fputs(text, f);
        return;
    }
    fputc('\'', f);
    for (; *text; text++)
        *text == '\'' ? fputs("'\\''", f) : fputc(*text, f);
    fputc('\'', f);
}

void sweep_list(const struct sweep *s, const char *command, int argc, char **argv, FILE *f)
{
    for (uint64_t job = 1; job <= sweep_jobs(s); job++) {
        word(program_invocation_name, f);
        fprintf(f, " %s", command);
        for (int i = 0; i < argc; i++) {
            fputc(' ', f);
            word(argv[i], f);
        }
        fprintf(f, " --job %llu\n", (unsigned long long)job);
    }
}
