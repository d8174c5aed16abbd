// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tests of `xenlab sched` share: files in a directory of their own, the command as a user gives it, and policies
 * that are built with cc, as a student would; without a compiler those tests are skipped.
 */
#ifndef TESTS_SCHED_COMMAND_H
#define TESTS_SCHED_COMMAND_H

#include "common.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tools/workbench/workbench.h"

#define MAX_FILE (8 << 20)

static char dir[] = "build/workbench-XXXXXX";

static inline const char *path(const char *name)
{
    static char buf[8][64];
    static unsigned int next;
    char *p = buf[next++ % 8];

    snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
    return p;
}

static inline void file_write(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline char *file_read(const char *name)
{
    FILE *f = fopen(path(name), "r");
    char *text = calloc(1, MAX_FILE);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, MAX_FILE - 1, f) < MAX_FILE - 1);
    fclose(f);
    return text;
}

/* Run the command; what it prints goes to the file of that path, and to the file err. */
static inline int workbench_to(const char *to, const char *const *args)
{
    char *argv[20] = { (char *)(uintptr_t) "sched" };
    int argc = 1, out, err, rc;

    while (*args)
        argv[argc++] = (char *)(uintptr_t)*args++;
    fflush(NULL);
    out = dup(1);
    err = dup(2);
    assert_non_null(freopen(to, "w", stdout));
    assert_non_null(freopen(path("err"), "w", stderr));
    rc = workbench_main(argc, argv);
    fflush(NULL);
    clearerr(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    return rc;
}

#define ARGS(...)                                                                                                      \
    (const char *const[]) { __VA_ARGS__, NULL }
#define WORKBENCH(...) workbench_to(path("out"), ARGS(__VA_ARGS__))

static inline void assert_in_file(const char *name, const char *text)
{
    char *content = file_read(name);

    if (!strstr(content, text))
        fail_msg("\"%s\" is not in: %s", text, content);
    free(content);
}

static inline bool build(const char *source, int bad)
{
    char command[512];

    snprintf(command, sizeof(command), "cc -shared -fPIC -O1 -I. -D__XEN_TOOLS__ -DBAD=%d -w -o %s %s", bad,
             path("policy.so"), source);
    return system(command) == 0;
}

/* Without bubblewrap root's policies are nobody's, who must be able to read them. */
static inline int setup(void **state) { return mkdtemp(dir) && !chmod(dir, 0755) ? 0 : -1; }

static inline int teardown(void **state)
{
    static const char *const names[] = { "w", "out", "err", "svg", "e", "junit", "policy.so", "policy.c" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path(names[i]));
    return rmdir(dir);
}

#endif
