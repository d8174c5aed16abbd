// SPDX-License-Identifier: GPL-2.0-or-later
/* Text that is typed: characters, and what terminals send for keys that make none; any bytes. */
#include "rings/dm/typing.h"
#include "tests/support/random.h"
#include "tools/us_keyboard.h"

#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char told[4096];
static int down[256];

static void on_key(void *data, unsigned int key, bool is_down)
{
    assert_in_range(key, 1, 255);
    assert_int_equal(down[key], !is_down);
    down[key] = is_down;
    if (strlen(told) < sizeof(told) - 16)
        sprintf(told + strlen(told), "%s%s%u", *told ? " " : "", is_down ? "" : "-", key);
}

static const char *type(struct typing *t, const char *text, size_t n)
{
    told[0] = '\0';
    for (size_t i = 0; i < n; i++)
        typing_char(t, text[i], on_key, NULL);
    return told;
}

#define TYPED(text, keys) assert_string_equal(type(&t, text, sizeof(text) - 1), keys)

static void characters(void **state)
{
    struct typing t = { .n = 0 };

    TYPED("a\r", "30 -30 28 -28");
    TYPED("A", "42 30 -30 -42");
    TYPED("~1", "42 41 -41 -42 2 -2");
    TYPED("\n\t\b\x7f", "28 -28 15 -15 14 -14 14 -14");
    TYPED("\x03\x1a", "29 46 -46 -29 29 44 -44 -29");
    TYPED("\x1c\x1d", "29 43 -43 -29 29 27 -27 -29");
    TYPED("\x1e", "42 29 7 -7 -29 -42"); /* Control and ^ */
    TYPED("\xc3\xa4", "");
    for (char c = ' '; c < 0x7f; c++) { /* each character has a key of its own, with Shift or without */
        bool shift, other_shift;

        assert_int_not_equal(us_key(c, &shift), 0);
        for (char other = ' '; other < c; other++)
            assert_true(us_key(other, &other_shift) != us_key(c, &shift) || other_shift != shift);
    }
}

static void sequences(void **state)
{
    struct typing t = { .n = 0 };

    TYPED("\x1b[A\x1bOB", "103 -103 108 -108");
    TYPED("\x1b[3~\x1b[24~\x1bOP\x1b[[C", "111 -111 88 -88 59 -59 61 -61");
    TYPED("\x1b[1;5C\x1b[Z", "29 106 -106 -29 42 15 -15 -42");
    TYPED("\x1bx", "56 45 -45 -56");
    TYPED("\x1b", "");
    typing_pause(&t, on_key, NULL);
    assert_string_equal(told, "1 -1");
    TYPED("\x1b\x1b[A", "1 -1 103 -103");
    TYPED("\x1b[", "");
    typing_pause(&t, on_key, NULL);
    assert_string_equal(told, "56 26 -26 -56"); /* Alt and [ */
    TYPED("\x1b[99~\x1b[12345678901234567890~a", "30 -30");
    TYPED("\x1b[1;", "");
    typing_pause(&t, on_key, NULL);
    TYPED("b", "48 -48");
}

static void noise(void **state)
{
    static const char alphabet[] = "\x1b[[O;~1259AZ\x01";
    struct typing t = { .n = 0 };
    uint64_t prng = 1;

    for (unsigned int i = 0; i < 100000; i++) {
        const char c = random_of(&prng, 4) ? alphabet[random_of(&prng, sizeof(alphabet))] : (char)random_of(&prng, 256);

        type(&t, &c, 1);
        for (unsigned int key = 0; key < 256; key++)
            assert_false(down[key]);
        if (!random_of(&prng, 50))
            typing_pause(&t, on_key, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(characters), cmocka_unit_test(sequences),
                                        cmocka_unit_test(noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
