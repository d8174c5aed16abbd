// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of somebody at a terminal, see ui/debug/line.h. */
#include "ui/debug/line.h"

#include "ui/debug/complete.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REMEMBERED 1000 /* lines */
#define WIDTH      78   /* of a list of completions */

struct line_editor {
    struct debug *g;
    const bool *stop;
    const char *prompt;
    EditLine *el;
    History *history;
    HistEvent event;
    void (*wait)(void *data); /* or NULL */
    void *wait_data;
};

static struct line_editor *of(EditLine *el)
{
    void *data = NULL;

    el_get(el, EL_CLIENTDATA, &data);
    return data;
}

static char *prompt(EditLine *el) { return (char *)(uintptr_t)of(el)->prompt; }

/* A character; what is no ASCII is taken byte by byte, and shown as libedit shows such. */
static int get_char(EditLine *el, wchar_t *c)
{
    unsigned char byte;
    ssize_t n;

    if (of(el)->wait)
        of(el)->wait(of(el)->wait_data);
    do
        n = *of(el)->stop ? -1 : read(STDIN_FILENO, &byte, 1);
    while (n < 0 && errno == EINTR && !*of(el)->stop);
    *c = n == 1 ? byte : 0;
    return (int)n;
}

static void list(const struct completion *c)
{
    size_t width = 0, column = 0;

    for (size_t i = 0; i < c->nr; i++)
        width = strlen(c->word[i]) + 2 > width ? strlen(c->word[i]) + 2 : width;
    for (size_t i = 0; i < c->nr; i++) {
        printf("%s%-*s", column ? "" : "\n", (int)width, c->word[i]);
        column = column + 2 * width > WIDTH ? 0 : column + width;
    }
    printf("%s\n", c->nr == COMPLETE_MAX ? "\n..." : "");
}

static unsigned char complete(EditLine *el, int ch)
{
    const LineInfo *line = el_line(el);
    struct completion c;

    debug_complete(of(el)->g, line->buffer, (size_t)(line->cursor - line->buffer), &c);
    if (!c.nr)
        return CC_REFRESH_BEEP;
    if (c.common[c.begun])
        el_insertstr(el, c.common + c.begun);
    if (c.nr == 1) {
        el_insertstr(el, " ");
        return CC_REFRESH;
    }
    if (c.common[c.begun])
        return CC_REFRESH;
    list(&c);
    return CC_REDISPLAY;
}

/* Ctrl-C: what was typed is forgotten. */
static unsigned char forget(EditLine *el, int ch)
{
    const LineInfo *line = el_line(el);

    el_cursor(el, (int)(line->lastchar - line->cursor));
    el_deletestr(el, (int)(line->lastchar - line->buffer));
    printf("^C\n");
    return CC_REDISPLAY;
}

/* Ctrl-Z: the terminal is the shell's meanwhile. */
static unsigned char suspend(EditLine *el, int ch)
{
    putchar('\n');
    fflush(stdout);
    el_set(el, EL_PREP_TERM, 0);
    kill(0, SIGTSTP);
    el_set(el, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

struct line_editor *line_open(struct debug *g, const bool *stop)
{
    struct line_editor *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->g = g;
    l->stop = stop;
    l->prompt = "";
    l->el = el_init("xenlab", stdin, stdout, stderr);
    l->history = history_init();
    if (!l->el || !l->history) {
        line_close(l);
        return NULL;
    }
    history(l->history, &l->event, H_SETSIZE, REMEMBERED);
    history(l->history, &l->event, H_SETUNIQUE, 1);
    el_set(l->el, EL_CLIENTDATA, l);
    el_set(l->el, EL_GETCFN, get_char);
    el_set(l->el, EL_PROMPT, prompt);
    el_set(l->el, EL_EDITOR, "emacs");
    el_set(l->el, EL_HIST, history, l->history);
    el_set(l->el, EL_ADDFN, "xenlab-complete", "Complete a word", complete);
    el_set(l->el, EL_BIND, "^I", "xenlab-complete", NULL);
    /* Keys that are signals elsewhere are keys here. */
    el_set(l->el, EL_SETTY, "-d", "-isig", NULL);
    el_set(l->el, EL_ADDFN, "xenlab-forget", "Forget the line", forget);
    el_set(l->el, EL_BIND, "^C", "xenlab-forget", NULL);
    el_set(l->el, EL_ADDFN, "xenlab-suspend", "Stop, as a job of the shell", suspend);
    el_set(l->el, EL_BIND, "^Z", "xenlab-suspend", NULL);
    el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return l;
}

void line_wait(struct line_editor *l, void (*wait)(void *data), void *data)
{
    l->wait = wait;
    l->wait_data = data;
}

void line_close(struct line_editor *l)
{
    if (!l)
        return;
    if (l->el)
        el_end(l->el);
    if (l->history)
        history_end(l->history);
    free(l);
}

const char *line_read(struct line_editor *l, const char *text, bool remember)
{
    const char *line;
    int n;

    l->prompt = text;
    line = el_gets(l->el, &n);
    if (!line || n <= 0) {
        el_reset(l->el); /* what was typed of it is forgotten */
        return NULL;
    }
    if (remember && line[strspn(line, " \t\r\n")])
        history(l->history, &l->event, H_ENTER, line);
    return line;
}
