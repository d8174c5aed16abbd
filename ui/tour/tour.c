// SPDX-License-Identifier: GPL-2.0-or-later
/* Tours are read: see ui/tour/tour.h. */
#include "ui/tour/tour.h"

#include "tools/user_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wrong(const struct tour *t, unsigned int number, char err[TOUR_ERR_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int wrong(const struct tour *t, unsigned int number, char err[TOUR_ERR_SIZE], const char *fmt, ...)
{
    int n = number ? snprintf(err, TOUR_ERR_SIZE, "%.200s:%u: ", t->path, number)
                   : snprintf(err, TOUR_ERR_SIZE, "%.200s: ", t->path);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err + n, TOUR_ERR_SIZE - (size_t)n, fmt, ap);
    va_end(ap);
    return -1;
}

/* Behind a word and blanks; NULL: the line does not begin with it. */
static char *behind(char *line, const char *word)
{
    const size_t n = strlen(word);

    if (strncmp(line, word, n) || (line[n] && line[n] != ' '))
        return NULL;
    return line + n + strspn(line + n, " ");
}

/* The next word, which may be within "": then it may have blanks. NULL: there is none. */
static char *word_take(char **words)
{
    char *word = *words + strspn(*words, " ");
    const bool quoted = *word == '"';
    char *end;

    if (!*word)
        return NULL;
    word += quoted;
    end = word + strcspn(word, quoted ? "\"" : " ");
    *words = end + (*end != '\0');
    *end = '\0';
    return word;
}

static int guest_take(struct tour *t, char *words, unsigned int number, char err[TOUR_ERR_SIZE])
{
    char *word;

    t->guest_number = number;
    if (t->nr_words)
        return wrong(t, number, err, "there is a guest line already: several guests stand on one");
    while ((word = word_take(&words))) {
        char **more = reallocarray(t->guest, t->nr_words + 1, sizeof(*more));

        if (!more)
            return wrong(t, number, err, "out of memory");
        t->guest = more;
        t->guest[t->nr_words++] = word;
    }
    return t->nr_words ? 0 : wrong(t, number, err, "guest PATH: as for xenlab run");
}

static int step_begin(struct tour *t, const char *title, unsigned int number, char err[TOUR_ERR_SIZE])
{
    struct tour_step *more = reallocarray(t->step, t->nr + 1, sizeof(*more));

    if (!more)
        return wrong(t, number, err, "out of memory");
    t->step = more;
    t->step[t->nr++] = (struct tour_step){ .title = title, .number = number };
    return *title ? 0 : wrong(t, number, err, "a step has a title: == TITLE");
}

static int line_add(struct tour *t, char *line, unsigned int number, char err[TOUR_ERR_SIZE])
{
    struct tour_step *s = t->nr ? &t->step[t->nr - 1] : NULL;
    struct tour_line *more;

    if (!s)
        return wrong(t, number, err, "no step has begun yet: == TITLE");
    more = reallocarray(s->line, s->nr + 1, sizeof(*more));
    if (!more)
        return wrong(t, number, err, "out of memory");
    s->line = more;
    s->line[s->nr++] = (struct tour_line){ line[0], line + 1 + strspn(line + 1, " "), number };
    return 0;
}

static int line_take(struct tour *t, char *line, unsigned int number, char err[TOUR_ERR_SIZE])
{
    char *words;

    if (!line[0] || line[0] == '#')
        return 0;
    if ((words = behind(line, "tour"))) {
        if (t->title)
            return wrong(t, number, err, "there is a tour line already");
        t->title = words;
        return 0;
    }
    if ((words = behind(line, "guest")))
        return guest_take(t, words, number, err);
    if ((words = behind(line, "==")))
        return step_begin(t, words, number, err);
    if (strchr("|>=?!", line[0]))
        return line_add(t, line, number, err);
    return wrong(t, number, err, "\"%.40s\" is no line of a tour: tour, guest, ==, |, >, =, ?, ! or #", line);
}

int tour_parse(struct tour *t, const char *path, const char *text, size_t len, char err[TOUR_ERR_SIZE])
{
    unsigned int number = 1;
    char *line;

    *t = (struct tour){ .path = path };
    t->text = malloc(len + 1);
    if (!t->text)
        return wrong(t, 0, err, "out of memory");
    memcpy(t->text, text, len);
    t->text[len] = '\0';
    if (memchr(text, '\0', len))
        return wrong(t, 0, err, "this is no text");
    line = t->text;
    for (char *end; line; line = end, number++) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
            line[n - 1] = '\0';
        if (line_take(t, line, number, err))
            return -1;
    }
    if (!t->title || !*t->title)
        return wrong(t, 0, err, "it has no title: tour TITLE");
    if (!t->nr_words)
        return wrong(t, 0, err, "it has no guest: guest PATH");
    return t->nr ? 0 : wrong(t, 0, err, "it has no steps: == TITLE");
}

int tour_load(struct tour *t, const char *path, char err[TOUR_ERR_SIZE])
{
    char why[256], *text = malloc(TOUR_SIZE_MAX + 1);
    FILE *in = NULL;
    size_t len;
    int fd, rc;

    *t = (struct tour){ .path = path };
    fd = text ? user_file_open(path, why, sizeof(why)) : -1;
    in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!in) {
        if (fd >= 0)
            close(fd);
        free(text);
        return wrong(t, 0, err, "%s", !text || fd >= 0 ? "out of memory" : why);
    }
    len = fread(text, 1, TOUR_SIZE_MAX + 1, in);
    if (ferror(in))
        rc = wrong(t, 0, err, "it could not be read");
    else if (len > TOUR_SIZE_MAX)
        rc = wrong(t, 0, err, "more than %d bytes are no tour", TOUR_SIZE_MAX);
    else
        rc = tour_parse(t, path, text, len, err);
    fclose(in);
    free(text);
    return rc;
}

void tour_free(struct tour *t)
{
    for (size_t i = 0; i < t->nr; i++)
        free(t->step[i].line);
    free(t->step);
    free(t->guest);
    free(t->text);
    *t = (struct tour){ 0 };
}
