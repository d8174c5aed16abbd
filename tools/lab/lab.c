// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading lab.conf: see lab.h.
 *
 * Invariants: what a lab's author wrote wrongly is an error with the key it stands at; nothing has a default that would
 * make a check of fewer things than was meant.
 */
#include "tools/lab/lab.h"

#include "tools/lab/form.h"
#include "tools/user_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libxlutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_SIZE_MAX (64 << 10)

static int fail(char err[LAB_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(char err[LAB_ERR_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err, LAB_ERR_SIZE, fmt, args);
    va_end(args);
    return -1;
}

/* --- values --- */

/* A copy that the lab keeps, without the spaces around it. */
static const char *keep(struct lab *l, const char *s, size_t len)
{
    while (len && isspace((unsigned char)*s))
        s++, len--;
    while (len && isspace((unsigned char)s[len - 1]))
        len--;
    if (l->nr_texts == sizeof(l->text) / sizeof(l->text[0]))
        return NULL;
    l->text[l->nr_texts] = strndup(s, len);
    return l->text[l->nr_texts] ? l->text[l->nr_texts++] : NULL;
}

static int string(struct lab *l, XLU_Config *c, const char *key, const char **to, char err[LAB_ERR_SIZE])
{
    const char *s;

    if (xlu_cfg_get_string(c, key, &s, 1) || !*s)
        return fail(err, "%s: %s: a string is wanted", l->name, key);
    *to = keep(l, s, strlen(s));
    return *to ? 0 : fail(err, "not enough memory");
}

/* Its parts, between bars. */
static int parts(struct lab *l, const char *key, const char *s, const char **to, unsigned int nr,
                 char err[LAB_ERR_SIZE])
{
    for (unsigned int i = 0; i < nr; i++) {
        const size_t len = strcspn(s, "|");

        if (!s[len] != (i + 1 == nr))
            return fail(err, "%s: %s: \"%.60s\": %u parts are wanted, with | between them", l->name, key, s, nr);
        to[i] = keep(l, s, len);
        if (!to[i])
            return fail(err, "not enough memory");
        s += len + 1;
    }
    return *to[0] ? 0 : fail(err, "%s: %s: a name is missing", l->name, key);
}

/* Of each item of a list, its parts. A list that is not there has none. */
static int items(struct lab *l, XLU_Config *c, const char *key, unsigned int nr_parts, unsigned int max,
                 int (*take)(struct lab *l, const char **part, char err[LAB_ERR_SIZE]), char err[LAB_ERR_SIZE])
{
    const char *part[3];
    XLU_ConfigList *list;
    int nr = 0, rc = xlu_cfg_get_list(c, key, &list, &nr, 1);

    if (rc == ESRCH)
        return 0;
    if (rc)
        return fail(err, "%s: %s: a list is wanted", l->name, key);
    if ((unsigned int)nr > max)
        return fail(err, "%s: %s: more than %u", l->name, key, max);
    for (int i = 0; i < nr; i++) {
        const char *s = xlu_cfg_get_listitem(list, i);

        if (!s)
            return fail(err, "%s: %s: a list of strings is wanted", l->name, key);
        if (parts(l, key, s, part, nr_parts, err) || take(l, part, err))
            return -1;
    }
    return 0;
}

static int take_body(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    (void)err;
    l->body[l->nr_bodies++] = (struct starter_body){ part[0], part[1] };
    return 0;
}

const struct lab_property *lab_property(const struct lab *l, const char *name)
{
    for (unsigned int i = 0; i < l->nr_properties; i++)
        if (!strcmp(l->property[i].name, name))
            return &l->property[i];
    return NULL;
}

static int take_property(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    if (lab_property(l, part[0]))
        return fail(err, "%s: properties: %s is there twice", l->name, part[0]);
    l->property[l->nr_properties++] = (struct lab_property){ part[0], part[1], part[2], 0 };
    return 0;
}

static int take_budget(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    struct lab_property *p = (struct lab_property *)lab_property(l, part[0]);
    char *end;
    const double factor = strtod(part[1], &end);

    if (!p)
        return fail(err, "%s: budgets: %s is no property", l->name, part[0]);
    if (*end || end == part[1] || !(factor >= 1 && factor <= 1000))
        return fail(err, "%s: budgets: %s: a number from 1 to 1000 is wanted, not \"%s\"", l->name, part[0], part[1]);
    p->factor = factor;
    return 0;
}

/* As many as properties, and in their order: a question's number is its property's. */
static int take_question(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    if (l->nr_questions == l->nr_properties || strcmp(l->property[l->nr_questions].name, part[0]))
        return fail(err, "%s: questions: %s: they are as the properties, in their order", l->name, part[0]);
    l->question[l->nr_questions++] = (struct lab_question){ part[0], part[1], part[2] };
    return 0;
}

static int take_file(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    l->file[l->nr_files++] = part[0];
    for (unsigned int i = 0; i + 1 < l->nr_files; i++)
        if (!strcmp(lab_file_of(l, i), lab_file_of(l, l->nr_files - 1)))
            return fail(err, "%s: files: two are called %s", l->name, lab_file_of(l, i));
    return 0;
}

static int take_need(struct lab *l, const char **part, char err[LAB_ERR_SIZE])
{
    char *end;
    const unsigned long number = strtoul(part[0], &end, 10);

    if (*end || end == part[0] || number > 99 || number == l->number)
        return fail(err, "%s: needs: the number of another lab is wanted, not \"%.20s\"", l->name, part[0]);
    l->needs[number] = true;
    return 0;
}

/* One, or a list of them. */
static int files(struct lab *l, XLU_Config *c, char err[LAB_ERR_SIZE])
{
    const char *s;

    if (items(l, c, "files", 1, LAB_FILES_MAX, take_file, err))
        return -1;
    if (!xlu_cfg_get_string(c, "file", &s, 1)) {
        if (l->nr_files)
            return fail(err, "%s: file: there are files, too", l->name);
        l->nr_files = 1;
        return string(l, c, "file", &l->file[0], err);
    }
    return l->nr_files ? 0 : fail(err, "%s: file: a string is wanted, or a list of files", l->name);
}

double lab_factor(const void *lab, const char *name)
{
    const struct lab_property *p = lab_property(lab, name);

    return p ? p->factor : 0;
}

bool lab_seeds(const char *text, uint64_t *from, uint64_t *to)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *from = *to = strtoull(text, &end, 10);
    if (*end == '-' && isdigit((unsigned char)end[1]))
        *to = strtoull(end + 1, &end, 10);
    return !*end && !errno && *to >= *from && *to - *from < LAB_SEEDS_MAX;
}

/* --- the file --- */

/* Of form Q: a question for each property, no bodies; seed N is question N. */
static int questions(struct lab *l, char err[LAB_ERR_SIZE])
{
    if (!l->nr_questions || l->nr_questions < l->nr_properties)
        return fail(err, "%s: questions: property %s has none", l->name,
                    l->nr_properties ? l->property[l->nr_questions].name : "?");
    if (l->nr_bodies || l->nr_files != 1)
        return fail(err, "%s: a lab of form Q has one file, of answers, and no bodies", l->name);
    l->seed_from = 1, l->seed_to = l->nr_questions;
    return 0;
}

static const char *const keys[] = { "title",   "hours",  "form",   "file",      "files", "bodies", "properties",
                                    "budgets", "beside", "replay", "questions", "seeds", "needs",  "kit" };

static int values(struct lab *l, XLU_Config *c, char err[LAB_ERR_SIZE])
{
    const char *seeds = "", *beside, *kit;
    long hours, replay;
    int rc;

    if (string(l, c, "title", &l->title, err) || string(l, c, "form", &l->form, err) || files(l, c, err) ||
        (strcmp(l->form, "Q") && string(l, c, "seeds", &seeds, err)))
        return -1;
    rc = xlu_cfg_get_long(c, "replay", &replay, 1);
    if (rc != ESRCH && (rc || replay < 0 || replay > 1))
        return fail(err, "%s: replay: 0 or 1 is wanted", l->name);
    l->replay = !rc && replay;
    if (xlu_cfg_get_string(c, "beside", &beside, 1) != ESRCH && string(l, c, "beside", &l->beside, err))
        return -1;
    if (xlu_cfg_get_string(c, "kit", &kit, 1) != ESRCH && string(l, c, "kit", &l->kit, err))
        return -1;
    if (l->kit && strcmp(l->form, "P"))
        return fail(err, "%s: kit: its form is not P", l->name);
    if (!form_find(l->form))
        return fail(err, "%s: form: \"%s\" is none", l->name, l->form);
    if (xlu_cfg_get_long(c, "hours", &hours, 1) || hours < 1 || hours > 40)
        return fail(err, "%s: hours: a number from 1 to 40 is wanted", l->name);
    l->hours = (unsigned int)hours;
    if (strcmp(l->form, "Q") && !lab_seeds(seeds, &l->seed_from, &l->seed_to))
        return fail(err, "%s: seeds: \"%s\" is neither a number nor two of them, with - between, of at most %d seeds",
                    l->name, seeds, LAB_SEEDS_MAX);
    if (items(l, c, "bodies", 2, LAB_BODIES_MAX, take_body, err) ||
        items(l, c, "properties", 3, LAB_PROPERTIES_MAX, take_property, err) ||
        items(l, c, "budgets", 2, LAB_PROPERTIES_MAX, take_budget, err) ||
        items(l, c, "questions", 3, LAB_PROPERTIES_MAX, take_question, err) ||
        items(l, c, "needs", 1, LAB_NEEDS_MAX, take_need, err))
        return -1;
    if (!strcmp(l->form, "Q"))
        return questions(l, err);
    return l->nr_questions     ? fail(err, "%s: questions: its form is not Q", l->name)
           : !l->nr_bodies     ? fail(err, "%s: bodies: there is nothing to write", l->name)
           : !l->nr_properties ? fail(err, "%s: properties: there is nothing to check", l->name)
                               : 0;
}

/* libxlutil knows no keys: a line that sets another one is a slip of the pen. */
static int keys_known(const struct lab *l, const char *text, char err[LAB_ERR_SIZE])
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
        size_t k = 0;

        if (!len || line[len + strspn(line + len, " ")] != '=')
            continue;
        while (k < sizeof(keys) / sizeof(keys[0]) && (strlen(keys[k]) != len || strncmp(keys[k], line, len)))
            k++;
        if (k == sizeof(keys) / sizeof(keys[0]))
            return fail(err, "%s: there is no key %.*s", l->name, (int)len, line);
    }
    return 0;
}

static int parse(struct lab *l, const char *text, char err[LAB_ERR_SIZE])
{
    char *report = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&report, &size);
    XLU_Config *c = stream ? xlu_cfg_init(stream, l->name) : NULL;
    int rc = c ? xlu_cfg_readdata(c, text, (int)strlen(text)) : -1;

    if (stream)
        fflush(stream);
    if (!c)
        fail(err, "not enough memory");
    else if (rc)
        fail(err, "lab.conf: %.*s", (int)strcspn(report, "\n"), report);
    else
        rc = keys_known(l, text, err) || values(l, c, err) ? -1 : 0;
    if (c)
        xlu_cfg_destroy(c);
    if (stream)
        fclose(stream);
    free(report);
    return rc ? -1 : 0;
}

int lab_read(struct lab *l, const char *path, char err[LAB_ERR_SIZE])
{
    char *conf = NULL, why[128] = "not enough memory", text[CONF_SIZE_MAX + 1];
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    ssize_t n = -1;
    int fd;

    *l = (struct lab){ .path = strdup(path), .name = strdup(name) };
    if (!l->path || !l->name || asprintf(&conf, "%s/lab.conf", path) < 0)
        return fail(err, "not enough memory");
    if (!isdigit((unsigned char)name[0]) || !isdigit((unsigned char)name[1]) || name[2] != '-') {
        free(conf);
        return fail(err, "%s: the name of a lab is of two digits, a -, and words", name);
    }
    l->number = (unsigned int)(name[0] - '0') * 10 + (unsigned int)(name[1] - '0');
    fd = user_file_open(conf, why, sizeof(why));
    if (fd >= 0) {
        n = read(fd, text, sizeof(text)); /* of a regular file: all of it, or all that fits */
        close(fd);
    }
    if (n < 0 || (size_t)n == sizeof(text) || memchr(text, 0, (size_t)n)) {
        fail(err, "%s: %s", conf, fd < 0 ? why : n < 0 ? "cannot be read" : "is too large, or no text");
        free(conf);
        return -1;
    }
    free(conf);
    text[n] = '\0';
    return parse(l, text, err);
}

void lab_free(struct lab *l)
{
    for (unsigned int i = 0; i < l->nr_texts; i++)
        free(l->text[i]);
    free(l->path);
    free(l->name);
    *l = (struct lab){ 0 };
}

/* --- all of them --- */

static int is_lab(const struct dirent *e)
{
    return isdigit((unsigned char)e->d_name[0]) && isdigit((unsigned char)e->d_name[1]) && e->d_name[2] == '-';
}

struct lab *labs_read(const char *folder, unsigned int *nr, char err[LAB_ERR_SIZE])
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_lab, alphasort);
    struct lab *labs = n > 0 ? calloc((size_t)n, sizeof(*labs)) : NULL;
    int rc = 0;

    *nr = 0;
    if (n <= 0)
        fail(err, "%s: %s", folder, n < 0 ? strerror(errno) : "there are no labs");
    else if (!labs)
        fail(err, "not enough memory");
    for (int i = 0; i < n; i++) {
        char *path = NULL;

        if (labs && !rc && asprintf(&path, "%s/%s", folder, entry[i]->d_name) >= 0)
            rc = lab_read(&labs[(*nr)++], path, err);
        free(path);
        free(entry[i]);
    }
    free(entry);
    if (rc || (labs && *nr != (unsigned int)n)) {
        labs_free(labs, *nr);
        labs = NULL;
    }
    return labs;
}

void labs_free(struct lab *labs, unsigned int nr)
{
    for (unsigned int i = 0; labs && i < nr; i++)
        lab_free(&labs[i]);
    free(labs);
}
