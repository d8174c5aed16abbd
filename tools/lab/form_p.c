// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form P: a policy, which the workbench asks (a scheduler's), or a kit (lab.conf names it).
 *
 * Concept: the student's file becomes a shared object. `xenlab sched`, or `xenlab kit`, runs it with each workload of
 * the lab (in a process of its own, in the sandbox: docs/workbench.md, docs/kits.md), and says which of the workload's
 * expectations hold. The policy reports nothing; the golden report needs no run, since it is what is expected.
 *
 *      .build/policy.so + a step of workload.h   xenlab sched --json    facts
 *
 * Invariant: nothing of the file is seen by the policy, which is asked one decision after the other.
 */
#include "tools/lab/form_p.h"

#include "tools/lab/form.h"
#include "tools/lab/workload.h"
#include "tools/sandbox/sandbox.h"

#include <ctype.h>
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

#define PATIENCE_MS 120000  /* of real time, for one workload */
#define CPU_SECONDS 20      /* of who asks: what asks without end */
#define DECISIONS   "20000" /* for each pCPU and second of virtual time: slices of 100 us will do */
#define SECOND_NS   1000000000LL
#define LOOKS       100 /* at what is expected, in a run (tools/expect/expect.h) */
#define LOST        4   /* its exit status: something that is expected does not hold */

static int build(struct check *c)
{
    const struct program p = { "policy.so", "labs/policy_cflags", "labs/policy_ldflags", { "-shared" }, false };

    return check_runs(c) ?: check_program(c, &p);
}

/* --- who asks --- */

/* A file without a name, read from its beginning. */
static int file_make(const char *text)
{
    const int fd = memfd_create("workload", MFD_CLOEXEC);

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

    setenv("XENLAB_BWRAP", !c->bare && sandbox_wraps() ? "yes" : "no", 1); /* it need not try again */
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

    for (const char *line = said; *line; line = workload_line(line))
        if (workload_begins(line, "xenlab: policy "))
            last = line + 15;
    if (workload_begins(last, object))
        last += strlen(object);
    snprintf(ended, RUN_ERR_SIZE, "the policy%.*s", (int)strcspn(last, "\n"), *last ? last : " ends in an unknown way");
}

/* What the policy is asked until `to` (ns; 0: to the end) is kept in that file. */
struct keeping {
    const char *asked;
    long long to;
};

/* The figures, to be freed; NULL: r->ended, or c->err, says why not. k NULL: nothing is kept. */
static char *measure(struct check *c, const char *workload, uint64_t seed, const struct keeping *k, struct report *r)
{
    char *xenlab = check_path("%s/xenlab", c->built), *object = check_path("%s/.build/policy.so", c->folder),
         digits[24], until[32];
    const char *const keep = k ? "--asked" : NULL, *const asked = k ? k->asked : NULL;
    const char *const time = k && k->to && !c->lab->kit ? "--time" : NULL;
    const char *const sched[] = { xenlab,    "sched",  "--policy", object,    "--workload", "-",
                                  "--json",  "--seed", digits,     "--limit", "2",          "--decisions",
                                  DECISIONS, keep,     asked,      time,      until,        NULL };
    const char *const kit[] = { xenlab,   "kit",  c->lab->kit, "--policy", object, "--workload", "-", "--json",
                                "--seed", digits, "--limit",   "2",        keep,   asked,        NULL };
    const int in = file_make(workload), out = file_make(""), said = file_make("");
    char *figures = NULL, *words = NULL;
    int status = 0;
    pid_t pid = -1;

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
    snprintf(until, sizeof(until), "%lldns", k ? k->to : 0);
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
    if (strstr(r->ended, "did not return within") || strstr(r->ended, "has slept, or waited"))
        r->limited = true; /* what takes that long once would take it with each workload */
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
        if (!workload_begins(strstr(at, "\"held\":"), "\"held\":true")) {
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

/* What ended the run is what came of this step; the next one's is another run. */
static void fault_say(FILE *f, const char *property, struct report *r)
{
    fprintf(f, "fact %s ", property);
    for (size_t i = 0; r->ended[i] && i < FACTS_LINE - FACTS_NAME - 8; i++)
        fputc(isprint((unsigned char)r->ended[i]) ? r->ended[i] : '?', f);
    fputc('\n', f);
    r->ended[0] = '\0';
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
        ok = (figures = measure(c, workload_line(made), seed, NULL, r)) || (r->ended[0] && !r->limited);
    for (const char *line = ok ? workload_line(made) : ""; ok && workload_begins(line, "expect ");
         line = workload_line(line))
        if (r->ended[0]) /* in place of the first */
            fault_say(f, w.property, r);
        else if (!expect_say(f, w.property, line, figures))
            ok =
                check_fail(c, "\"%.*s\" is no expectation: an error of the lab's", (int)strcspn(line, "\n"), line) >= 0;
    free(made);
    free(figures);
    return ok;
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
    for (const char *line = ok ? text : ""; ok && *line; line = workload_line(line))
        if (workload_begins(line, "step ") && kept(keep, number++))
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

/* --- once more --- */

/* "...,"time_ns":30000000": of the run, or of the first that does not hold. */
static long long time_of(const char *figures)
{
    const char *at = figures ? strstr(figures, "\"time_ns\":") : NULL;

    return at ? strtoll(at + 10, NULL, 10) : 0;
}

/* Where in the run it is: the call that ended it, or when the first does not hold that is expected. */
static void place_find(const struct check *c, const char *figures, const char *ended, struct policy_again *a)
{
    const char *call = strstr(ended, ", call "), *lost = figures ? strstr(figures, "\"held\":false") : NULL;

    if (call)
        a->call = strtoull(call + 7, NULL, 10);
    if (!lost)
        return;
    a->to = time_of(lost);
    a->from = a->to - (c->lab->kit ? SECOND_NS : time_of(figures) / LOOKS);
    if (a->from < 0)
        a->from = 0;
}

int policy_again(struct check *c, uint64_t seed, unsigned int number, struct policy_again *a)
{
    char *text = workloads_read(c), *workload = check_path("%s/.build/workload", c->folder),
         *asked = check_path("%s/.build/asked", c->folder), *made = NULL, *figures = NULL, *again = NULL;
    const char *step = text ? workload_find(text, number) : NULL;
    struct report r = { .limited = false };
    struct workload w;
    FILE *f = NULL;

    *a = (struct policy_again){ .call = 0 };
    if (step)
        made = workload_make(&w, step, seed, number);
    if (made && workload && asked && (!unlink(asked) || errno == ENOENT) && (f = fopen(workload, "we"))) {
        fputs(workload_line(made), f);
        if (fclose(f))
            check_fail(c, "%s: %s", workload, strerror(errno));
        else
            figures = measure(c, workload_line(made), seed, NULL, &r);
        place_find(c, figures, r.ended, a);
        for (step = made; workload_begins(workload_line(step), "expect ");)
            step = workload_line(step); /* what is expected may be about a time behind that */
        if (!c->err[0])
            again = measure(c, workload_line(step), seed, &(const struct keeping){ asked, a->to }, &r);
    } else if (!c->err[0]) {
        check_fail(c, "%s cannot be written: %s", workload ?: "workload", strerror(errno));
    }
    free(text), free(workload), free(asked), free(made), free(figures), free(again);
    return c->err[0] ? -1 : 0;
}

const struct form form_p = { .name = "P", .apart = true, .build = build, .report = report };
