// SPDX-License-Identifier: GPL-2.0-or-later
/* What may be meant by the beginning of a word, see ui/debug/complete.h. */
#include "ui/debug/complete.h"

#include "tools/build/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct completion *c;
    const char *word; /* its beginning */
    bool full;        /* there are more than are listed */
};

static void add(void *data, const char *word)
{
    struct search *s = data;
    struct completion *c = s->c;
    size_t n = 0;

    if (strncmp(word, s->word, c->begun) != 0 || strlen(word) >= COMPLETE_SIZE)
        return;
    if (!c->nr)
        strcpy(c->common, word);
    while (c->common[n] && c->common[n] == word[n])
        n++;
    c->common[n] = '\0';
    for (size_t i = 0; i < c->nr; i++)
        if (!strcmp(c->word[i], word))
            return;
    s->full |= c->nr == COMPLETE_MAX;
    if (!s->full)
        strcpy(c->word[c->nr++], word);
}

static void add_commands(struct search *s)
{
    char name[COMPLETE_SIZE];

    for (size_t i = 0; debug_command_name(i); i++)
        add(s, debug_command_name(i));
    for (size_t i = 0; debug_command_name(i); i++)
        if (debug_command_reverse(i, name, sizeof(name)))
            add(s, name);
}

static void add_marks(struct debug *g, struct search *s)
{
    for (unsigned int i = 0; i < g->nr_marks; i++)
        add(s, g->marks[i].name);
}

static void add_branches(struct debug *g, struct search *s)
{
    for (size_t i = 0; i < g->rw.nr_branches; i++)
        add(s, g->rw.branches[i].name);
}

static void add_vcpus(struct debug *g, struct search *s)
{
    struct look_domain d;
    char name[32];

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        for (unsigned int v = 0; v < d.vcpus; v++) {
            snprintf(name, sizeof(name), "d%uv%u", d.dom, v);
            add(s, name);
        }
}

static void add_symbols(struct debug *g, domid_t dom, struct search *s)
{
    const struct image *img = host_guest_image(g->host, dom);

    for (size_t i = 0; img && i < img->nr_symbols && !(s->full && !s->c->common[s->c->begun]); i++)
        add(s, img->symbols[i].name);
}

/* The field that is compared with the word that begins at `at`; its length, 0: it is not. */
static size_t field_before(const char *line, size_t at, const char **field)
{
    size_t end = at, begin;

    while (end && line[end - 1] == ' ')
        end--;
    if (end < 2 || line[end - 1] != '=' || (line[end - 2] != '=' && line[end - 2] != '!'))
        return 0;
    for (end -= 2; end && line[end - 1] == ' ';)
        end--;
    for (begin = end; begin && (isalnum((unsigned char)line[begin - 1]) || line[begin - 1] == '_');)
        begin--;
    *field = line + begin;
    return end - begin;
}

/* A word of an expression, which begins at `at`. */
static void add_values(struct debug *g, const char *line, size_t at, struct search *s)
{
    const char *field = NULL;
    const size_t len = field_before(line, at, &field);
    unsigned int dom;
    size_t n = at;
    int end = 0;

    while (n && isalnum((unsigned char)line[n - 1 - (n == at && line[n - 1] == ':')]))
        n--;
    if (at && line[at - 1] == ':' && sscanf(line + n, "d%5u:%n", &dom, &end) == 1 && end) {
        add_symbols(g, (domid_t)dom, s);
        return;
    }
    if (len)
        expr_words(field, len, add, s);
    if (len && s->c->nr)
        return;
    expr_words(NULL, 0, add, s);
    add_symbols(g, g->dbg.dom, s);
}

/* Where the command of which the line's end is a part begins. */
static size_t command_begin(const char *line, size_t len)
{
    size_t begin = 0;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        quoted ^= line[i] == '"';
        if (line[i] == ';' && !quoted)
            begin = i + 1;
    }
    while (begin < len && isspace((unsigned char)line[begin]))
        begin++;
    return begin;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void add_arguments(struct debug *g, const char *line, size_t begin, size_t at, struct search *s)
{
    const char *command = debug_command_meant(line + begin, strcspn(line + begin, " \t"));

    if (!command)
        return;
    if (!strcmp(command, "help"))
        add_commands(s);
    else if (!strcmp(command, "jump") || !strcmp(command, "goto"))
        add_marks(g, s);
    else if (!strcmp(command, "branch"))
        add_branches(g, s);
    else if (!strcmp(command, "vcpu"))
        add_vcpus(g, s);
    else if (strcmp(command, "input") != 0 && strcmp(command, "mark") != 0)
        add_values(g, line, at, s);
}

void debug_complete(struct debug *g, const char *line, size_t len, struct completion *c)
{
    char *copy = strndup(line, len);
    struct search s = { .c = c };
    size_t begin, at = len;

    memset(c, 0, sizeof(*c));
    if (!copy)
        return;
    begin = command_begin(copy, len);
    while (at > begin && (isalnum((unsigned char)copy[at - 1]) || strchr("_.$%-#", copy[at - 1])) &&
           !(copy[at - 1] == '-' && strcspn(copy + begin, " \t") < at - begin))
        at--;
    s.word = copy + at;
    c->begun = len - at;
    if (at == begin)
        add_commands(&s);
    else
        add_arguments(g, copy, begin, at, &s);
    qsort(c->word, c->nr, sizeof(c->word[0]), by_name);
    free(copy);
}
