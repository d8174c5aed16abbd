// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a class's key: see key.h. Nothing in it has a default. */
#include "tools/lab/key.h"

#include "tools/user_file.h"

#include <libxlutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fail(char err[LAB_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(char err[LAB_ERR_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err, LAB_ERR_SIZE, fmt, args);
    va_end(args);
    return -1;
}

/* "4 | 25": the lab's number; *rest is what stands behind the bar, or its end if there is none. -1: neither. */
static int lab_take(const char *key, const char *s, const char **rest, char err[LAB_ERR_SIZE])
{
    char *end = NULL;
    const unsigned long lab = s ? strtoul(s, &end, 10) : 0;

    if (!s || end == s || lab > 99)
        return fail(err, "%s: \"%.40s\": a lab's number is wanted first", key, s ?: "");
    end += strspn(end, " ");
    *rest = *end == '|' ? end + 1 + strspn(end + 1, " ") : "";
    return *end && *end != '|' ? fail(err, "%s: lab %lu: a | is wanted behind the number", key, lab) : (int)lab;
}

static int points_take(struct key *k, const char *s, char err[LAB_ERR_SIZE])
{
    const char *rest;
    const int lab = lab_take("points", s, &rest, err);
    char *end = NULL;
    const unsigned long points = lab < 0 ? 0 : strtoul(rest, &end, 10);

    if (lab < 0)
        return -1;
    if (*end || points < 1 || points > 10000)
        return fail(err, "points: lab %d: a number from 1 to 10000 is wanted behind a |", lab);
    if (k->points[lab])
        return fail(err, "points: lab %d is there twice", lab);
    k->points[lab] = (unsigned int)points;
    return 0;
}

static int visible_take(struct key *k, const char *s, char err[LAB_ERR_SIZE])
{
    const char *rest;
    const int lab = lab_take("visible", s, &rest, err);

    if (lab < 0)
        return -1;
    if (!lab_seeds(rest, &k->visible[lab].from, &k->visible[lab].to) || !k->visible[lab].to)
        return fail(err, "visible: lab %d: a seed is wanted behind a |, or two with - between them", lab);
    return 0;
}

static int values(struct key *k, XLU_Config *c, char err[LAB_ERR_SIZE])
{
    const char *class, *seeds, *twist;
    XLU_ConfigList *list;
    int nr = 0, rc = 0;

    if (xlu_cfg_get_string(c, "class", &class, 1) || !*class || strlen(class) >= sizeof(k->class))
        return fail(err, "class: a name is wanted, of at most %zu characters", sizeof(k->class) - 1);
    strcpy(k->class, class);
    if (xlu_cfg_get_string(c, "seeds", &seeds, 1) || !lab_seeds(seeds, &k->seed_from, &k->seed_to) ||
        k->seed_to - k->seed_from >= KEY_SEEDS_MAX)
        return fail(err, "seeds: a number is wanted, or two with - between them, of at most %d seeds", KEY_SEEDS_MAX);
    if (xlu_cfg_get_list(c, "points", &list, &nr, 1) || !nr)
        return fail(err, "points: a list is wanted, of \"LAB | POINTS\"");
    for (int i = 0; !rc && i < nr; i++)
        rc = points_take(k, xlu_cfg_get_listitem(list, i), err);
    if (xlu_cfg_get_list(c, "visible", &list, &nr, 1))
        nr = 0;
    for (int i = 0; !rc && i < nr; i++)
        rc = visible_take(k, xlu_cfg_get_listitem(list, i), err);
    if (!rc && !xlu_cfg_get_string(c, "twist", &twist, 1)) {
        if (strlen(twist) >= sizeof(k->twist))
            return fail(err, "twist: a word is wanted, of at most %zu characters", sizeof(k->twist) - 1);
        strcpy(k->twist, twist);
    }
    return rc;
}

int key_read(struct key *k, const char *path, char err[LAB_ERR_SIZE])
{
    char text[8192 + 1], why[128] = "", *report = NULL;
    const int fd = user_file_open(path, why, sizeof(why));
    const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    size_t size = 0;
    FILE *stream = open_memstream(&report, &size);
    XLU_Config *c = stream ? xlu_cfg_init(stream, "key") : NULL;
    int rc = -1;

    *k = (struct key){ 0 };
    if (fd >= 0)
        close(fd);
    if (n < 0 || n == (ssize_t)sizeof(text) || memchr(text, 0, (size_t)n))
        fail(err, "%s", fd < 0 ? why : n < 0 ? "it cannot be read" : "it is too large, or no text");
    else if (!c)
        fail(err, "not enough memory");
    else if (xlu_cfg_readdata(c, text, (int)n))
        fail(err, "%.*s", fflush(stream) ? 0 : (int)strcspn(report, "\n"), report);
    else
        rc = values(k, c, err);
    if (c)
        xlu_cfg_destroy(c);
    if (stream)
        fclose(stream);
    free(report);
    return rc;
}
