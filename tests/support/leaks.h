// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs under a sanitizer, and the search for leaks at their end, which takes longer than a short program does.
 *
 * What is searched for is the same in many runs that differ in one word, so tests that start hundreds switch it off for
 * most.
 */
#ifndef TESTS_SUPPORT_LEAKS_H
#define TESTS_SUPPORT_LEAKS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For programs that are started from now on. Means nothing to those without a sanitizer. */
static inline void leaks_search(bool search)
{
    static const char option[] = ":detect_leaks=";
    const char *before = getenv("ASAN_OPTIONS") ? getenv("ASAN_OPTIONS") : "";
    const char *ours = strlen(before) > strlen(option) ? before + strlen(before) - strlen(option) - 1 : "";
    const size_t kept = strlen(before) - (strncmp(ours, option, strlen(option)) ? 0 : strlen(ours));
    char options[512];

    snprintf(options, sizeof(options), "%.*s%s%d", (int)kept, before, option, search); /* the last one counts */
    setenv("ASAN_OPTIONS", options, 1);
}

#endif
