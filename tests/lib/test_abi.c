// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program that was linked with libxenlab.so.0 relies upon is what ui/lib/libxenlab.abi says: names, versions and
 * prototypes of functions, sizes and members of structs, values of enums. And each kind of change is noticed.
 *
 * Could pass wrongly: who changes that list as well. Its lines belong to a version that somebody may have; what is new
 * gets a version of its own (ui/lib/libxenlab.map).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xenlab/xenlab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "include/xenlab/xenlab.h"
#define LIST   "ui/lib/libxenlab.abi"

/* All of a stream, up to 64 KiB; 0 at its end. */
static char *all_of(FILE *f)
{
    char *text = calloc(1, 65537);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, 65536, f) < 65536);
    return text;
}

/* Compared with the list; what is different, in lines of diff, or "". */
static char *changes(const char *header)
{
    char command[512], *text;
    FILE *f;

    snprintf(command, sizeof(command),
             "scripts/abi.sh %s build/lib/libxenlab.so.0 | diff " LIST " - 2>&1 | grep '^[<>]'", header);
    f = popen(command, "r");
    text = all_of(f);
    pclose(f);
    return text;
}

static void test_nothing_has_changed(void **state)
{
    char *text = changes(HEADER);

    (void)state;
    if (*text)
        fail_msg("not what a program relies upon:\n%s"
                 "What is new gets a version of its own in ui/lib/libxenlab.map; then:\n"
                 "  scripts/abi.sh " HEADER " build/lib/libxenlab.so.0 > " LIST,
                 text);
    free(text);
}

static void test_changes_are_noticed(void **state)
{
    static const struct {
        const char *was, *is, *says;
    } cases[] = {
        { "int xenlab_audit(struct xenlab *x);", "long xenlab_audit(struct xenlab *x);",
          "> XENLAB_0.1 xenlab_audit: long" },
        { "int xenlab_audit(struct xenlab *x);", "", "> XENLAB_0.1 xenlab_audit: not in the header" },
        { "int xenlab_audit(struct xenlab *x);", "int xenlab_audit(struct xenlab *x); int xenlab_new(void);",
          "> function xenlab_new is not exported" },
        { "XENLAB_EXIT_CPUID,", "XENLAB_EXIT_NEW, XENLAB_EXIT_CPUID,", "> enum XENLAB_EXIT_CPUID 8" },
        { "uint64_t insns, step;", "uint64_t step, insns;", "> struct xenlab_position.insns at 8" },
        { "    bool control;", "    uint64_t control[2];", "> struct xenlab_domain 40 bytes" },
        { "uint64_t pages, max_pages;", "uint32_t pages, max_pages;", "> struct xenlab_domain_info.max_pages at" },
    };
    char *header, path[] = "/tmp/test_abi.XXXXXX", *text;
    FILE *f = fopen(HEADER, "r");
    const int fd = mkstemp(path);

    (void)state;
    header = all_of(f);
    fclose(f);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *at = strstr(header, cases[i].was);

        assert_non_null(at);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(at - header), header, cases[i].is, at + strlen(cases[i].was));
        fclose(f);
        text = changes(path);
        if (!strstr(text, cases[i].says))
            fail_msg("\"%s\" in place of \"%s\": \"%s\" is not said, but:\n%s", cases[i].is, cases[i].was,
                     cases[i].says, text);
        free(text);
    }
    close(fd);
    unlink(path);
    free(header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_has_changed),
        cmocka_unit_test(test_changes_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
