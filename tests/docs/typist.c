// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * typist SECONDS DIALOGUE COMMAND: a user at a terminal, for commands that wait for a keyboard.
 *
 * Concept: the command (of the shell) runs on a pseudo-terminal, and what it shows there goes to standard output.
 * DIALOGUE is a file of lines, done one after the other:
 *
 *      <TEXT   wait until TEXT is shown, behind what was waited for before
 *      >TEXT   type TEXT and Enter; in ^] and its like the control character alone, without Enter. What follows is looked for
 *              behind the line in which the terminal echoes it, so that an echo is no answer
 *
 * For comparisons, carriage returns and escape sequences are left out of what is shown. A position of xenlab in TEXT
 * (#12.3, 4.5ms#12.3) and a time in us or ms fit any other: how many instructions a guest has is its compiler's choice.
 *
 * The exit status is the command's (128 and the number of a signal that ended it), or 124: it did not end in SECONDS,
 * or 125: it ended before the dialogue did, or typist could not do its work. A message on standard error says which,
 * and what it waited for.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_TIMEOUT = 124, STATUS_DIALOGUE = 125 };

struct typist {
    int terminal;
    FILE *dialogue;
    char *line; /* of the dialogue, which is being done; NULL: all was done */
    size_t line_size;
    char *shown; /* what was shown, made plain */
    size_t len, size, at;
    enum { PLAIN, ESCAPE, SEQUENCE } state; /* of the terminal's escape sequences */
    bool echo;                              /* what comes up to the end of this line is what was typed */
};

static void die(const char *what)
{
    fprintf(stderr, "typist: %s: %s\n", what, strerror(errno));
    exit(STATUS_DIALOGUE);
}

static void next_line(struct typist *t)
{
    ssize_t n = getline(&t->line, &t->line_size, t->dialogue);

    if (n <= 0) {
        free(t->line);
        t->line = NULL;
    } else if (t->line[n - 1] == '\n') {
        t->line[n - 1] = '\0';
    }
}

static void type(struct typist *t)
{
    const char *text = t->line + 1;
    char control = text[0] == '^' && text[1] && !text[2] ? text[1] & 0x1f : 0, enter = '\r';

    if (write(t->terminal, control ? &control : text, control ? 1 : strlen(text)) < 0 ||
        (!control && write(t->terminal, &enter, 1) < 0))
        die("typing");
    t->echo = !control;
}

/* How long the position, or the time, at `s` is; 0 if there is none. */
static size_t varying(const char *s)
{
    const size_t sign = *s == '#', n = sign + strspn(s + sign, "0123456789.");

    if (n == sign)
        return 0;
    if (sign)
        return n;
    return (s[n] == 'm' || s[n] == 'u') && s[n + 1] == 's' ? n + 2 : 0;
}

/* Whether what is shown begins with the text: where that ends, or NULL. */
static const char *fits(const char *shown, const char *text)
{
    while (*text) {
        const size_t said = varying(text), came = said ? varying(shown) : 0;

        if (came && (*shown == '#') == (*text == '#')) {
            shown += came;
            text += said;
        } else if (*shown++ != *text++) {
            return NULL;
        }
    }
    return shown;
}

/* Go as far in the dialogue as what was shown allows. */
static void proceed(struct typist *t)
{
    for (; t->line; next_line(t)) {
        const char *found = t->shown + t->at, *end;

        if (t->echo) {
            found = strchr(found, '\n');
            if (!found)
                return;
            t->at = (size_t)(found + 1 - t->shown);
            t->echo = false;
        }
        if (t->line[0] == '>') {
            type(t);
            continue;
        }
        do
            end = fits(found, t->line + 1);
        while (!end && *found++);
        if (!end)
            return;
        t->at = (size_t)(end - t->shown);
    }
}

static void show_byte(struct typist *t, char c)
{
    if (t->state == ESCAPE) {
        t->state = c == '[' ? SEQUENCE : PLAIN;
    } else if (t->state == SEQUENCE) {
        t->state = c >= '@' && c <= '~' ? PLAIN : SEQUENCE;
    } else if (c == '\033') {
        t->state = ESCAPE;
    } else if (c != '\r' && c != '\0') {
        if (t->len + 1 >= t->size) {
            t->size = t->size * 2 + 4096;
            t->shown = realloc(t->shown, t->size);
            if (!t->shown)
                die("memory");
        }
        t->shown[t->len++] = c;
        t->shown[t->len] = '\0';
    }
}

/* Until the command has closed the terminal; false: not before the deadline. */
static bool watch(struct typist *t, time_t deadline)
{
    struct pollfd p = { .fd = t->terminal, .events = POLLIN };
    char buf[4096];

    for (;;) {
        ssize_t n;

        proceed(t);
        if (time(NULL) >= deadline)
            return false;
        if (poll(&p, 1, 1000) <= 0)
            continue;
        n = read(t->terminal, buf, sizeof(buf));
        if (n <= 0)
            return true;
        fwrite(buf, 1, (size_t)n, stdout);
        for (ssize_t i = 0; i < n; i++)
            show_byte(t, buf[i]);
    }
}

int main(int argc, char **argv)
{
    struct winsize size = { .ws_row = 40, .ws_col = 132 };
    struct typist t = { .dialogue = argc == 4 ? fopen(argv[2], "r") : NULL };
    int status;
    pid_t pid;

    if (!t.dialogue)
        die("Usage: typist SECONDS DIALOGUE COMMAND");
    show_byte(&t, '\n');
    next_line(&t);
    pid = forkpty(&t.terminal, NULL, NULL, &size);
    if (pid < 0)
        die("no terminal");
    if (pid == 0) {
        execlp("bash", "bash", "-c", argv[3], NULL);
        die("bash");
    }
    if (!watch(&t, time(NULL) + atoi(argv[1]))) {
        kill(-pid, SIGKILL); /* a session of its own, hence a process group */
        waitpid(pid, &status, 0);
        fprintf(stderr, "it did not end in %s s%s%s\n", argv[1], t.line ? ", nor show " : "", t.line ? t.line + 1 : "");
        return STATUS_TIMEOUT;
    }
    waitpid(pid, &status, 0);
    if (t.line) {
        fprintf(stderr, "it ended, and did not show \"%s\"\n", t.line + 1);
        return STATUS_DIALOGUE;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
