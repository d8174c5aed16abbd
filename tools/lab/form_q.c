// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form Q: questions, whose answers are what xenlab does.
 *
 * Concept: no answer is stored. Each question names a run of xenlab's, and where in what that prints the answer is; the
 * golden report is that run, the student's is a line of the file of answers. A question is a seed: number N of the
 * properties is seed N, so that each is judged whatever came of the others.
 *
 *      answers.txt                 lab.conf
 *      syscalls: 0x39              "syscalls | run --stats build/guests/syscall | take ^  syscall +([0-9]+)"
 *
 * Invariant: answers are compared as values: numbers in any base, words without regard to case and blanks.
 */
#include "tools/lab/form.h"
#include "tools/user_file.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_SIZE 80
#define WORDS_MAX   24
#define FILE_MAX    (64 << 10)

static const struct run_limits run_limits = { .cpu = 20, .output = 8 << 20 };

/* --- answers as values --- */

/* What is compared: "0x10" and "16" are one, "Yes" and " yes." as well. */
static void canonical(char to[ANSWER_SIZE], const char *from, size_t len)
{
    size_t n = 0;
    long long number;
    char *end;

    for (size_t i = 0; i < len && n < ANSWER_SIZE - 8; i++) {
        const unsigned char ch = (unsigned char)from[i];

        if (isspace(ch) ? n && to[n - 1] != ' ' : isprint(ch))
            to[n++] = isspace(ch) ? ' ' : (char)tolower(ch);
    }
    if (n == ANSWER_SIZE - 8) /* no answer is as long: this is none, and seen to be */
        to[n++] = '~';
    while (n && (to[n - 1] == ' ' || to[n - 1] == '.'))
        n--;
    to[n] = '\0';
    errno = 0;
    number = strtoll(to, &end, strncmp(to, "0x", 2) ? 10 : 16);
    if (n && !*end && !errno)
        snprintf(to, ANSWER_SIZE, "%lld", number);
}

/* --- the file of answers --- */

/* Its text, to be freed; NULL: it cannot be read, see c->err. */
static char *answers_read(struct check *c)
{
    char why[128], *path = check_path("%s/%s", c->folder, lab_file_of(c->lab, 0)), *text = calloc(1, FILE_MAX + 2);
    const int fd = path ? user_file_open(path, why, sizeof(why)) : -1;
    size_t got = 0;
    ssize_t n = 0;

    while (text && fd >= 0 && got <= FILE_MAX && (n = read(fd, text + got, FILE_MAX + 1 - got)) > 0)
        got += (size_t)n;
    if (!text || fd < 0 || n < 0 || got > FILE_MAX) {
        check_fail(c, "%s: %s", path ?: "answers",
                   !text || !path ? "not enough memory"
                   : fd < 0       ? why
                   : n < 0        ? strerror(errno)
                                  : "it is larger than 64 KiB");
        free(text);
        text = NULL;
    }
    for (size_t i = 0; text && i < got; i++)
        if (!text[i])
            text[i] = '?';
    if (fd >= 0)
        close(fd);
    free(path);
    return text;
}

/* A line "name: answer" of it: the name's length; 0: it is none (empty, or a comment). */
static size_t name_of(const char *line)
{
    const size_t len = strcspn(line, ":\n#");

    return line[len] == ':' ? len : 0;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* The answer to a question, up to the end of its line; NULL: there is none. *again: there are two. */
static const char *answer_find(const char *text, const char *name, bool *again)
{
    const char *found = NULL;

    *again = false;
    for (const char *line = text; *line; line = next_line(line))
        if (name_of(line) == strlen(name) && !strncmp(line, name, strlen(name))) {
            *again = found;
            found = line + strlen(name) + 1;
        }
    return found;
}

static bool is_question(const struct lab *l, const char *name)
{
    unsigned int i = 0;

    while (i < l->nr_questions && strcmp(l->question[i].name, name))
        i++;
    return i < l->nr_questions;
}

/* Each line is empty, a comment, or answers a question that there is, once. */
static int build(struct check *c)
{
    char *text = answers_read(c);
    unsigned int number = 0;
    bool again;

    c->sandboxed = true; /* nothing of the student's is ever run */
    if (!text)
        return -1;
    for (const char *line = text; *line && !c->compiler; line = next_line(line)) {
        char name[32];

        number++;
        snprintf(name, sizeof(name), "%.*s", (int)name_of(line), line);
        if (!line[strspn(line, " \t\r")] || line[strspn(line, " \t\r")] == '\n' || *line == '#')
            continue;
        if (!name[0] || !is_question(c->lab, name))
            c->compiler = check_path("%s:%u: not \"NAME: answer\" with a question's name: \"%.*s\"\n",
                                     lab_file_of(c->lab, 0), number, (int)strcspn(line, "\r\n"), line);
        else if (answer_find(text, name, &again), again)
            c->compiler = check_path("%s: %s is answered twice\n", lab_file_of(c->lab, 0), name);
    }
    free(text);
    return c->compiler ? 1 : 0;
}

/* --- runs --- */

/* What the regular expression finds in it, or how often, or whether. False: it finds nothing where it should. */
static bool find(const char *how, const char *out, char answer[ANSWER_SIZE])
{
    const char *pattern = strchr(how, ' ');
    const bool counts = !strncmp(how, "count ", 6), asks = !strncmp(how, "whether ", 8),
               last = !strncmp(how, "last ", 5);
    unsigned int nr = 0;
    regmatch_t m[2];
    regex_t re;

    if (!pattern || (!counts && !asks && !last && strncmp(how, "take ", 5)) ||
        regcomp(&re, pattern + 1, REG_EXTENDED | REG_NEWLINE))
        return false;
    for (const char *at = out; !regexec(&re, at, 2, m, at > out ? REG_NOTBOL * (at[-1] != '\n') : 0); nr++) {
        if (!counts && !asks && m[1].rm_so >= 0 && (last || !nr))
            canonical(answer, at + m[1].rm_so, (size_t)(m[1].rm_eo - m[1].rm_so));
        at += m[0].rm_eo;
        at = counts ? next_line(at) : at + (m[0].rm_so == m[0].rm_eo);
        if (!at[0])
            break;
    }
    if (counts)
        snprintf(answer, ANSWER_SIZE, "%u", nr);
    if (asks)
        snprintf(answer, ANSWER_SIZE, "%s", nr ? "yes" : "no");
    regfree(&re);
    return counts || asks || nr;
}

/* The words of a question's run: what has a folder in it is a file of xenlab's. False: no memory, or too many. */
static bool words_make(const struct check *c, const char *args, char *word[WORDS_MAX])
{
    unsigned int nr = 1;
    bool ok = (word[0] = check_path("%s/xenlab", c->built)) != NULL;

    for (const char *at = args; ok && *(at += strspn(at, " ")); at += strcspn(at, " ")) {
        const size_t len = strcspn(at, " ");

        ok = nr + 1 < WORDS_MAX &&
             (word[nr] = check_path(memchr(at, '/', len) ? "%s/%.*s" : "%.0s%.*s", c->root, (int)len, at)) != NULL;
        nr += ok;
    }
    return ok;
}

/* A file that xenlab can be without: guests that come from elsewhere. */
static char *lacks(const struct check *c, uint64_t seed)
{
    char *word[WORDS_MAX] = { NULL }, *missing = NULL;

    if (seed && seed <= c->lab->nr_questions && words_make(c, c->lab->question[seed - 1].run, word))
        for (unsigned int w = 1; !missing && word[w]; w++)
            if (strstr(word[w], "/build/assets/") && access(word[w], R_OK))
                missing = strdup(word[w] + strlen(c->root) + 1);
    for (unsigned int w = 0; w < WORDS_MAX; w++)
        free(word[w]);
    return missing;
}

/* What the run of a question prints, to be freed. NULL: see c->err. */
static char *run_question(struct check *c, const struct lab_question *q, int *status)
{
    char *word[WORDS_MAX] = { NULL }, *libraries = check_engine(c), *out = NULL, why[RUN_ERR_SIZE] = "";
    const char *see[WORDS_MAX + 2] = { NULL }, *argv[WORDS_MAX] = { NULL };
    const struct sandbox s = {
        .see = see, .fd = -1, .single = true, .cpu = run_limits.cpu, .file = UINT64_C(1) << 30, .bare = c->bare
    };
    unsigned int nr_see = 0;
    struct run r = { 0 };
    int rc = libraries && words_make(c, q->run, word) ? 0 : check_fail(c, "%s: not enough memory", q->name);

    for (unsigned int w = 0; !rc && word[w]; w++) {
        argv[w] = word[w];
        if (strchr(word[w], '/'))
            see[nr_see++] = word[w];
    }
    see[nr_see] = libraries;
    if (!rc && run_program(&s, argv, &run_limits, &r, why))
        rc = check_fail(c, "%s cannot be started: %s", word[0], why);
    if (!rc && (r.limited || !(out = check_path("%.*s", (int)r.len, r.len ? r.out : ""))))
        check_fail(c, "question %s: its run does not end well: %s", q->name, r.ended);
    *status = r.status;
    run_free(&r);
    for (unsigned int w = 0; w < WORDS_MAX; w++)
        free(word[w]);
    free(libraries);
    return out;
}

/* What a run has printed: it is exact, so once is enough, whoever asks. */
struct printed {
    struct printed *next;
    char *root, *run, *out;
    int status;
};

static struct printed *printed_all;

static const struct printed *printed(struct check *c, const struct lab_question *q)
{
    struct printed *p = printed_all;

    while (p && (strcmp(p->run, q->run) || strcmp(p->root, c->root)))
        p = p->next;
    if (p || !(p = calloc(1, sizeof(*p))))
        return p;
    p->root = strdup(c->root), p->run = strdup(q->run);
    if (p->root && p->run && (p->out = run_question(c, q, &p->status))) {
        p->next = printed_all;
        return printed_all = p;
    }
    free(p->root), free(p->run), free(p);
    return NULL;
}

/* 0, -1. */
static int ask(struct check *c, unsigned int i, char answer[ANSWER_SIZE])
{
    const struct lab_question *q = &c->lab->question[i];
    const struct printed *p = printed(c, q);

    if (!p)
        return c->err[0] ? -1 : check_fail(c, "%s: not enough memory", q->name);
    if (find(q->how, p->out, answer))
        return 0;
    return check_fail(
        c,
        "question %s: \"%s\" finds nothing in what xenlab %s prints%s%.60s: an error of the lab's, not of "
        "yours",
        q->name, q->how, q->run, p->status ? ": " : "", p->status ? p->out : "");
}

/* --- reports --- */

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    const struct lab *l = c->lab;
    char answer[ANSWER_SIZE] = "", *text = NULL, *say;
    const char *given;
    const unsigned int i = (unsigned int)seed - 1;
    bool again;
    int rc = 0;

    if (!seed || seed > l->nr_questions)
        return check_fail(c, "there is no question %llu: they are 1 to %u", (unsigned long long)seed, l->nr_questions);
    if (golden)
        rc = ask(c, i, answer);
    else if (!(text = answers_read(c)))
        rc = -1;
    else if ((given = answer_find(text, l->question[i].name, &again)))
        canonical(answer, given, strcspn(given, "\r\n"));
    free(text);
    if (rc)
        return rc;
    say = keep && strcmp(keep, "0") ? check_path("end\n")
                                    : check_path("step 0 %s\nfact %s %s\nend\n", l->property[i].what,
                                                 l->question[i].name, answer[0] ? answer : "no answer");
    if (!say || !facts_read(&r->facts, say, strlen(say)))
        rc = check_fail(c, "not enough memory");
    snprintf(r->ended, sizeof(r->ended), "%s", r->facts.wrong);
    free(say);
    return rc;
}

/* --- for authors --- */

/* A file of answers in which what was left blank is answered. To be freed; NULL: see c->err. */
static char *complete(struct check *c, const char *text)
{
    char *to = NULL, answer[ANSWER_SIZE], *missing;
    size_t size = 0;
    FILE *f = open_memstream(&to, &size);
    int rc = f ? 0 : check_fail(c, "not enough memory");

    for (const char *line = text; !rc && *line; line = next_line(line)) {
        const size_t len = name_of(line), all = strcspn(line, "\n");
        unsigned int i = 0;

        fprintf(f, "%.*s", (int)all, line);
        while (len && i < c->lab->nr_questions &&
               (strlen(c->lab->question[i].name) != len || strncmp(line, c->lab->question[i].name, len)))
            i++;
        if (len && i < c->lab->nr_questions && len + 1 + strspn(line + len + 1, " ") == all) {
            missing = lacks(c, i + 1);
            rc = missing ? 0 : ask(c, i, answer);
            fprintf(f, " %s", missing ? "" : answer);
            free(missing);
        }
        fputc('\n', f);
    }
    if (f && (fclose(f) || rc)) {
        free(to);
        to = NULL;
    }
    return to;
}

const struct form form_q = {
    .name = "Q", .alone = true, .build = build, .report = report, .complete = complete, .lacks = lacks
};
