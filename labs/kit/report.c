// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps, reports, and numbers that follow from a seed: see kit.h. */
#include "labs/kit/interleave.h"
#include "labs/kit/kit.h"
#include "labs/kit/stores.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
/* The search for leaks starts a thread, which a program in here may not. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }
#endif

static uint64_t seed;
static unsigned int now;
static const char *setup; /* the property of what is done before steps */

static void line(const char *kind, const char *fmt, va_list args)
{
    fputs(kind, stdout);
    vprintf(fmt, args);
    putchar('\n');
}

void kit_step(const char *fmt, ...)
{
    va_list args;

    if (il_logs()) {
        fflush(stdout);
        return;
    }
    va_start(args, fmt);
    printf("step %u ", now);
    line("", fmt, args);
    va_end(args);
    fflush(stdout); /* what it leads to may be the end */
}

void kit_fact(const char *property, const char *fmt, ...)
{
    va_list args;

    if (il_logs())
        return;
    va_start(args, fmt);
    printf("fact %s ", property);
    line("", fmt, args);
    va_end(args);
    fflush(stdout);
}

void kit_count(const char *property, uint64_t n)
{
    if (!il_logs())
        printf("count %s %llu\n", property, (unsigned long long)n);
}

void kit_setup(const char *property) { setup = property; }

void kit_die(const char *fmt, ...)
{
    va_list args;

    if (setup)
        printf("fact %s ", setup);
    va_start(args, fmt);
    line(setup ? "" : "error ", fmt, args);
    va_end(args);
    exit(1);
}

static void step(const struct kit_steps *s, void *data, unsigned int i)
{
    now = i;
    setup = NULL;
    kit_draw_from(seed, i + 1);
    s->step(data, i);
}

/* The number at *p, which is moved behind it. */
static uint64_t number(const char **p)
{
    char *end;
    const uint64_t n = strtoull(*p, &end, 10);

    if (end == *p)
        kit_die("\"%s\" is no number", *p);
    *p = end;
    return n;
}

/*
 * For the compiler's own checks, where a student's file has them in it (tools/lab/form.h): of a program that ends here
 * nothing is lost that was not given back.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

int kit_main(int argc, char **argv, const struct kit_steps *s)
{
    const char *keep = NULL, *word;
    void *data;

    for (int i = 1; i + 1 < argc; i += 2) {
        word = argv[i + 1];
        if (!strcmp(argv[i], "--seed"))
            seed = number(&word);
        else if (!strcmp(argv[i], "--keep"))
            keep = argv[i + 1];
        else if (!strcmp(argv[i], "--log"))
            il_log_begin();
        else if (!strcmp(argv[i], "--debugger"))
            kit_stores_unwatched();
        else if (strcmp(argv[i], "--replay"))
            kit_die("there is no option %s", argv[i]);
        else if (!il_replay_begin())
            kit_die("there is no log");
    }
    kit_draw_from(seed, 0);
    data = s->begin();
    for (unsigned int i = 0; !keep && i < s->nr; i++)
        step(s, data, i);
    while (keep && *keep) {
        step(s, data, (unsigned int)number(&keep));
        keep += *keep == ',';
    }
    s->end(data);
    if (!il_logs())
        printf("end\n");
    return 0;
}
