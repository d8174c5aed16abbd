// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may reach a terminal: every byte, every pair of bytes, and characters of all lengths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/printable.h"

static void test_bytes(void **state)
{
    for (int c = 0; c < 256; c++) {
        char text[1] = { (char)c }, lines[1] = { (char)c };
        const char expected = c >= ' ' && c <= '~' ? (char)c : '?';

        make_printable(text, 1, false);
        assert_int_equal(text[0], expected);
        make_printable(lines, 1, true);
        assert_int_equal(lines[0], c == '\n' || c == '\t' ? (char)c : expected);
    }
}

/* Of two bytes: U+00A0 to U+07FF stay, all else is one by one. */
static void test_pairs(void **state)
{
    for (int a = 0x80; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char text[2] = { (char)a, (char)b };
            const bool character = a >= 0xc2 && a < 0xe0 && (b & 0xc0) == 0x80 && !(a == 0xc2 && b < 0xa0);

            make_printable(text, 2, false);
            assert_int_equal(text[0], character ? (char)a : '?');
            assert_int_equal(text[1], character || (b >= ' ' && b <= '~') ? (char)b : '?');
        }
    }
}

static void test_characters(void **state)
{
    static const char *const cases[][2] = {
        { "Xin chào, 你好, 🐧", "Xin chào, 你好, 🐧" },
        { "\x1b[2Jx\x07", "?[2Jx?" },
        { "\xc2\x9b"
          "2J",
          "??2J" },
        { "a\xe4\xbd", "a??" },         /* cut off */
        { "\xe0\x80\x9b", "???" },      /* too long a form of 1b */
        { "\xf0\x82\x82\xac", "????" }, /* of a euro sign */
        { "\xed\xa0\x80", "???" },      /* a surrogate */
        { "\xf4\x90\x80\x80", "????" }, /* beyond Unicode */
        { "\xf5\x80\x80\x80", "????" }, /* far beyond */
        { "\xef\xbf\xbd\xf0\x9f\x90\xa7", "\xef\xbf\xbd\xf0\x9f\x90\xa7" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];

        strcpy(text, cases[i][0]);
        make_printable(text, strlen(text), false);
        assert_string_equal(text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
