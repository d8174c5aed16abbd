// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads of a lab of form P, as a seed makes them: see workload.h. */
#include "tools/lab/workload.h"

#include "tools/lab/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKLOADS_MAX (64 << 10)

const char *workload_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* "let A 256 512": one of the words. `number` is the step's. */
static void let_read(struct workload *w, const char *line, uint64_t seed, unsigned int number)
{
    uint64_t x = (seed * 64 + number) * 8 + w->nr_lets;
    unsigned int words = 0, which;
    struct let *l = &w->let[w->nr_lets++];
    const char *at = line + 6;

    x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9); /* mixed, as splitmix64 does */
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    for (const char *p = at; *p && *p != '\n'; p += strcspn(p, " \n"), p += strspn(p, " "))
        words++;
    for (which = words ? (unsigned int)(x % words) : 0; which; which--)
        at += strcspn(at, " \n"), at += strspn(at, " ");
    l->name = line[4];
    snprintf(l->value, sizeof(l->value), "%.*s", (int)strcspn(at, " \n"), at);
}

/* A line, with what is let in place of "$A". */
static void line_write(FILE *f, const struct workload *w, const char *line)
{
    for (; *line && *line != '\n'; line++) {
        unsigned int i = 0;

        while (*line == '$' && i < w->nr_lets && w->let[i].name != line[1])
            i++;
        if (*line == '$' && i < w->nr_lets)
            fputs(w->let[i].value, f), line++;
        else
            fputc(*line, f);
    }
    fputc('\n', f);
}

bool workload_begins(const char *line, const char *word) { return !strncmp(line, word, strlen(word)); }

/* Step `number`, which begins at `text`: "step PROPERTY TEXT", then expectations, then the workload. */
char *workload_make(struct workload *w, const char *text, uint64_t seed, unsigned int number)
{
    char *made = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&made, &size);

    *w = (struct workload){ .nr_lets = 0 };
    snprintf(w->property, sizeof(w->property), "%.*s", (int)strcspn(text + 5, " \n"), text + 5);
    for (const char *line = workload_line(text); *line && !workload_begins(line, "step "); line = workload_line(line))
        if (workload_begins(line, "let ") && w->nr_lets < LETS_MAX)
            let_read(w, line, seed, number);
    line_write(f, w, text + 5 + strcspn(text + 5, " \n") + 1);
    for (int expects = 1; f && expects >= 0; expects--)
        for (const char *line = workload_line(text); *line && !workload_begins(line, "step ");
             line = workload_line(line))
            if (!workload_begins(line, "let ") && workload_begins(line, "expect ") == expects)
                line_write(f, w, line);
    return f && !fclose(f) ? made : NULL;
}

char *workloads_read(struct check *c)
{
    char *path = check_path("%s/workloads", c->twist ?: c->lab->path), *text = calloc(1, WORKLOADS_MAX + 1);
    FILE *f = path ? fopen(path, "r") : NULL;

    if (!text || !f || !fread(text, 1, WORKLOADS_MAX, f)) {
        check_fail(c, "%s cannot be read: an error of the lab's", path ?: "workloads");
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    free(path);
    return text;
}

const char *workload_find(const char *text, unsigned int number)
{
    for (const char *line = text; *line; line = workload_line(line))
        if (workload_begins(line, "step ") && !number--)
            return line;
    return NULL;
}
