// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form P: a policy, which the workbench asks (a scheduler's), or a kit (lab.conf names it).
 *
 * Concept: the student's file becomes a shared object. `xenlab sched`, or `xenlab kit`, runs it with each workload of
 * the lab (in a process of its own, in the sandbox: docs/workbench.md, docs/kits.md), and says which of the workload's
 * expectations hold. The policy reports nothing; the golden report needs no run, since it is what is expected.
 *
 *      step shares two that always run, weights $A and 256       a step, and the property that it is of
 *      let A 256 512 1024                                        one of these, by the seed
 *      expect fairness <= 2%                                     of the workload, as one of those has them:
 *      domain one weight=$A : compute forever                    so is all else
 *
 * Invariant: nothing of the file is seen by the policy, which is asked one decision after the other.
 */
#include "tools/lab/form.h"
#include "tools/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS   120000  /* of real time, for one workload */
#define CPU_SECONDS   20      /* of who asks: what asks without end */
#define DECISIONS     "20000" /* for each pCPU and second of virtual time: slices of 100 us will do */
#define LOST          4       /* its exit status: something that is expected does not hold */
#define LETS_MAX      8
#define WORKLOADS_MAX (64 << 10)

static int build(struct check *c)
{
    const struct program p = { "policy.so", "labs/policy_cflags", "labs/policy_ldflags", { "-shared" } };

    return check_program(c, &p);
}

/* --- the workloads --- */

struct let {
    char name, value[16];
};

/* One step, as the seed makes it. */
struct workload {
    struct let let[LETS_MAX];
    unsigned int nr_lets;
    char property[FACTS_NAME];
};

static const char *next_line(const char *line)
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

static bool begins(const char *line, const char *word) { return !strncmp(line, word, strlen(word)); }

/* Step `number`, which begins at `text`: "step PROPERTY TEXT", then expectations, then the workload. */
static char *workload_make(struct workload *w, const char *text, uint64_t seed, unsigned int number)
{
    char *made = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&made, &size);

    *w = (struct workload){ .nr_lets = 0 };
    snprintf(w->property, sizeof(w->property), "%.*s", (int)strcspn(text + 5, " \n"), text + 5);
    for (const char *line = next_line(text); *line && !begins(line, "step "); line = next_line(line))
        if (begins(line, "let ") && w->nr_lets < LETS_MAX)
            let_read(w, line, seed, number);
    line_write(f, w, text + 5 + strcspn(text + 5, " \n") + 1);
    for (int expects = 1; f && expects >= 0; expects--)
        for (const char *line = next_line(text); *line && !begins(line, "step "); line = next_line(line))
            if (!begins(line, "let ") && begins(line, "expect ") == expects)
                line_write(f, w, line);
    return f && !fclose(f) ? made : NULL;
}

/* --- who asks --- */

/* A file without a name, which the child has under /proc/self/fd. */
static int file_make(const char *text)
{
    const int fd = memfd_create("workload", 0);

    if (fd >= 0 && (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || lseek(fd, 0, SEEK_SET))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What is in it; to be freed. */
static char *file_text(int fd)
{
    const off_t len = lseek(fd, 0, SEEK_END);
    char *text = len < 0 ? NULL : calloc(1, (size_t)len + 1);

    if (text && pread(fd, text, (size_t)len, 0) != len) {
        free(text);
        return NULL;
    }
    return text;
}

static _Noreturn void become(const struct check *c, const char *const argv[], int in, int out, int said)
{
    const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS }, printed = { 1 << 28, 1 << 28 };

    if (c->bare)
        setenv("XENLAB_BWRAP", "no", 1);
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(said, 2) >= 0 && !setrlimit(RLIMIT_CPU, &cpu) &&
        !setrlimit(RLIMIT_FSIZE, &printed))
        execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Until it ends: its status as of waitpid(). False: it did not, and is no more. */
static bool wait_for(pid_t pid, int *status)
{
    const struct timespec nap = { 0, 2000000 };

    for (unsigned int t = 0; t < PATIENCE_MS / 2; t++) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&nap, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, status, 0);
    return false;
}

/* What it said last of all, without "xenlab: " and where the object is. */
static void end_say(const char *said, const char *object, char *ended)
{
    const char *last = "";

    for (const char *line = said; *line; line = next_line(line))
        if (begins(line, "xenlab: policy "))
            last = line + 15;
    if (begins(last, object))
        last += strlen(object);
    snprintf(ended, RUN_ERR_SIZE, "the policy%.*s", (int)strcspn(last, "\n"), *last ? last : " ends in an unknown way");
}

/* The figures, to be freed; NULL: r->ended, or c->err, says why not. */
static char *measure(struct check *c, const char *workload, uint64_t seed, struct report *r)
{
    char *xenlab = check_path("%s/xenlab", c->built), *object = check_path("%s/.build/policy.so", c->folder),
         digits[24];
    const char *const sched[] = { xenlab,   "sched", "--policy", object, "--workload",  "-",       "--json",
                                  "--seed", digits,  "--limit",  "2",    "--decisions", DECISIONS, NULL };
    const char *const kit[] = { xenlab,   "kit",    c->lab->kit, "--policy", object, "--workload", "-",
                                "--json", "--seed", digits,      "--limit",  "2",    NULL };
    const int in = file_make(workload), out = file_make(""), said = file_make("");
    char *figures = NULL, *words = NULL;
    int status = 0;
    pid_t pid = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    if (xenlab && object && in >= 0 && out >= 0 && said >= 0)
        pid = fork();
    if (!pid)
        become(c, c->lab->kit ? kit : sched, in, out, said);
    if (pid > 0 && !wait_for(pid, &status))
        status = W_EXITCODE(0, SIGXCPU);
    words = pid > 0 ? file_text(said) : NULL;
    if (pid < 0 || !words)
        check_fail(c, "%s cannot be started: %s", xenlab ?: "xenlab", strerror(errno));
    else if (WIFSIGNALED(status))
        snprintf(r->ended, sizeof(r->ended), "the policy is asked without end"), r->limited = true;
    else if (!WEXITSTATUS(status) || WEXITSTATUS(status) == LOST)
        figures = file_text(out);
    else if (WEXITSTATUS(status) == 2 || strstr(words, "xenlab: policy "))
        end_say(words, object, r->ended);
    else
        check_fail(c, "the workload does not do: %.200s", words);
    if (r->ended[0] && strstr(r->ended, "did not return within"))
        r->limited = true;
    for (unsigned int i = 0; i < 3; i++)
        if ((const int[]){ in, out, said }[i] >= 0)
            close((const int[]){ in, out, said }[i]);
    free(words), free(xenlab), free(object);
    return figures;
}

/* --- what was measured --- */

/* Of all vCPUs of a domain together, in % of one pCPU; at: its line. */
static double share(const char *at)
{
    const char *end = strstr(at, "]}");
    double sum = 0;

    for (; end && (at = strstr(at, "\"share\":")) && at < end; at++)
        sum += strtod(at + 8, NULL);
    return sum;
}

/* "; shares: one 62.1 %, two 37.9 %": who got what. */
static void shares_say(FILE *f, const char *figures)
{
    const char *between = "; shares: ";
    unsigned int nr = 0;

    for (const char *at = figures; nr < 5 && (at = strstr(at, "{\"name\":\"")); nr++, between = ", ") {
        at += 9;
        fprintf(f, "%s%.*s %.1f %%", between, (int)strcspn(at, "\""), at, share(at));
    }
}

/* "expect share one >= 40%", judged in figures (NULL: it holds). False: it is not there. */
static bool expect_say(FILE *f, const char *property, const char *line, const char *figures)
{
    const int len = (int)strcspn(line, "\n") - 7;
    char key[200];
    const char *at, *said;

    line += 7;
    fprintf(f, "fact %s ", property);
    if (figures) {
        snprintf(key, sizeof(key), "{\"expect\":\"%.*s\",", len, line);
        at = strstr(figures, key);
        said = at ? strstr(at, "\"said\":\"") : NULL;
        if (!said)
            return false;
        if (!begins(strstr(at, "\"held\":"), "\"held\":true")) {
            fprintf(f, "%.*s%.*s", (int)strcspn(line, "<>=!"), line, (int)strcspn(said + 8, "\""), said + 8);
            shares_say(f, figures);
            fputc('\n', f);
            return true;
        }
    }
    fprintf(f, "%.*s\n", len, line);
    return true;
}

/* --- reports --- */

static bool kept(const char *keep, unsigned int number)
{
    char *end;

    if (!keep)
        return true;
    for (const char *at = keep; *at; at = *end ? end + 1 : end)
        if (strtoul(at, &end, 10) == number)
            return true;
        else if (end == at)
            return false;
    return false;
}

/* One step: what it is, and what came of it. False: no more is to be said. */
static bool step_report(struct check *c, bool golden, uint64_t seed, unsigned int number, const char *text, FILE *f,
                        struct report *r)
{
    struct workload w;
    char *made = workload_make(&w, text, seed, number), *figures = NULL;
    bool ok = made != NULL;

    if (ok)
        fprintf(f, "step %u %.*s\n", number, (int)strcspn(made, "\n"), made);
    else
        check_fail(c, "not enough memory");
    if (ok && !golden)
        ok = (figures = measure(c, next_line(made), seed, r)) != NULL;
    for (const char *line = ok ? next_line(made) : ""; ok && begins(line, "expect "); line = next_line(line))
        if (!expect_say(f, w.property, line, figures))
            ok =
                check_fail(c, "\"%.*s\" is no expectation: an error of the lab's", (int)strcspn(line, "\n"), line) >= 0;
    free(made);
    free(figures);
    return ok;
}

static char *workloads_read(struct check *c)
{
    char *path = check_path("%s/workloads", c->lab->path), *text = calloc(1, WORKLOADS_MAX + 1);
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

static int report(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r)
{
    char *text = workloads_read(c), *said = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&said, &size);
    unsigned int number = 0;
    bool ok = text && f;

    if (!golden) /* the workbench looks by itself, and nothing may have been compiled here */
        c->sandboxed = !c->bare && sandbox_wraps();
    c->err[0] = text ? '\0' : c->err[0];
    for (const char *line = ok ? text : ""; ok && *line; line = next_line(line))
        if (begins(line, "step ") && kept(keep, number++))
            ok = step_report(c, golden, seed, number - 1, line, f, r);
    if (ok)
        fputs("end\n", f);
    if (f && fclose(f))
        ok = check_fail(c, "not enough memory") >= 0;
    if (!c->err[0] && !facts_read(&r->facts, said, size))
        check_fail(c, "not enough memory");
    if (r->facts.wrong[0] && !r->ended[0])
        snprintf(r->ended, sizeof(r->ended), "%s", r->facts.wrong);
    free(text), free(said);
    return c->err[0] ? -1 : 0;
}

const struct form form_p = { "P", build, report, NULL };
