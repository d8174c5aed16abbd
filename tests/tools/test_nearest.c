// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which word was meant: every slip of one letter and every beginning find their word again, and what is far from all
 * finds none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No two of them are near each other. */
static const char *const words[] = { "memory", "kernel", "ramdisk", "vcpus", "on_crash", "max_grant_frames", "cap" };

static void expect(const char *word, const char *found)
{
    const char *got = nearest_word(word, words, COUNT(words));

    if (!got != !found || (got && strcmp(got, found)))
        fail_msg("\"%s\": \"%s\" instead of \"%s\"", word, got ? got : "nothing", found ? found : "nothing");
}

static void test_one_slip(void **state)
{
    for (size_t w = 0; w < COUNT(words); w++) {
        const char *word = words[w];
        const size_t len = strlen(word);
        char text[64];

        for (size_t i = 0; i <= len; i++) {
            for (char c = 'a'; c <= 'z'; c++) {
                snprintf(text, sizeof(text), "%.*s%c%s", (int)i, word, c, word + i); /* one too many */
                expect(text, word);
                if (i < len) {
                    snprintf(text, sizeof(text), "%.*s%c%s", (int)i, word, c, word + i + 1); /* a wrong one */
                    expect(text, word);
                }
            }
            if (i < len) {
                snprintf(text, sizeof(text), "%.*s%s", (int)i, word, word + i + 1); /* left out */
                expect(text, word);
            }
            if (i + 1 < len) {
                snprintf(text, sizeof(text), "%.*s%c%c%s", (int)i, word, word[i + 1], word[i], word + i + 2);
                expect(text, word);
            }
        }
    }
}

/* Beginnings that fit several words mean none of them, unless one is a letter away. */
static void test_beginnings(void **state)
{
    static const char *const alike[] = { "cpus",    "cpus-soft", "cpu-weight", "cpupool", "--policy",
                                         "--pcpus", "credit",    "credit2",    "cap" };
    static const struct {
        const char *word, *found;
    } cases[] = {
        { "cpus-", "cpus-soft" }, { "cpus_s", "cpus-soft" }, { "cpu-", "cpu-weight" }, { "cpup", "cpupool" },
        { "cpu", "cpus" },        { "--pol", "--policy" },   { "--pcp", "--pcpus" },   { "--p", NULL },
        { "cre", NULL },          { "credi", "credit" },     { "ca", "cap" },          { "---", NULL },
    };

    for (size_t w = 0; w < COUNT(words); w++)
        for (size_t len = 3; len < strlen(words[w]); len++) {
            char text[64];

            snprintf(text, sizeof(text), "%.*s", (int)len, words[w]);
            expect(text, words[w]);
        }
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got = nearest_word(cases[i].word, alike, COUNT(alike));

        if (!got != !cases[i].found || (got && strcmp(got, cases[i].found)))
            fail_msg("\"%s\": \"%s\"", cases[i].word, got ? got : "nothing");
    }
}

static void test_hint(void **state)
{
    char hint[NEAREST_HINT_SIZE];

    assert_string_equal(nearest_hint("mem", words, COUNT(words), "--", hint), "; did you mean --memory?");
    assert_string_equal(nearest_hint("kernal", words, COUNT(words), "", hint), "; did you mean kernel?");
    assert_string_equal(nearest_hint("xyz", words, COUNT(words), "", hint), "");
}

static void test_others(void **state)
{
    char longest[200];

    expect("memroyy", "memory");
    expect("max_grantframe", "max_grant_frames");
    expect("vcpu", "vcpus");
    expect("cpus", "vcpus");
    expect("disk", NULL);
    expect("vif", NULL);
    expect("c", NULL);
    expect("cp", "cap");
    expect("x", NULL);
    expect("", NULL);
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    expect(longest, NULL);
    assert_null(nearest_word("memory", words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_slip),
        cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_hint),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
