// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the user sees: one guest's bytes as they are, several guests by lines, messages between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ui/console.h"

struct scene {
    struct console c;
    char *out, *err;
    size_t out_len, err_len;
};

static void begin(struct scene *s, bool by_lines)
{
    memset(s, 0, sizeof(*s));
    s->c.out = open_memstream(&s->out, &s->out_len);
    s->c.err = open_memstream(&s->err, &s->err_len);
    s->c.by_lines = by_lines;
    s->c.attached = CONSOLE_NOBODY;
}

static void write_text(struct scene *s, unsigned int domid, const char *text)
{
    console_guest_write(&s->c, domid, text, strlen(text));
}

/* Close it: what is on both outputs must be this. */
static void end(struct scene *s, const char *out, const char *err)
{
    console_close(&s->c);
    fclose(s->c.out);
    fclose(s->c.err);
    assert_string_equal(s->out, out);
    assert_string_equal(s->err, err);
    free(s->out);
    free(s->err);
}

static void test_one_guest(void **state)
{
    struct scene s;

    begin(&s, false);
    write_text(&s, 1, "a\r\n\x1b[1mb");
    write_text(&s, 1, "c\n\n");
    end(&s, "a\r\n\x1b[1mbc\n\n", "");
}

static void test_lines(void **state)
{
    struct scene s;

    begin(&s, true);
    write_text(&s, 1, "on");
    write_text(&s, 12, "two\r\nthr");
    write_text(&s, 1, "e\r\n\r\n");
    write_text(&s, 12, "ee\n");
    end(&s, "[d12] two\n[d1] one\n[d1] \n[d12] three\n", "");
}

/* One guest, until another one speaks: from then on by lines, from the left. */
static void test_shared_later(void **state)
{
    struct scene s;

    begin(&s, false);
    write_text(&s, 1, "one\nmo");
    console_share(&s.c);
    write_text(&s, 2, "two\n");
    console_share(&s.c);
    write_text(&s, 1, "re\n");
    end(&s, "one\nmo\n[d2] two\n[d1] re\n", "");
}

/* The rest of a line is not lost: when the guest ends, and when all ends. */
static void test_unfinished_lines(void **state)
{
    struct scene s;

    begin(&s, true);
    write_text(&s, 1, "half");
    write_text(&s, 2, "other");
    console_guest_end(&s.c, 1);
    console_guest_end(&s.c, 1);
    console_guest_end(&s.c, 3);
    end(&s, "[d1] half\n[d2] other\n", "");
}

/* What stays unfinished is shown: after a while, at once when all is idle; and goes on where it stands. */
static void test_prompts(void **state)
{
    struct scene s;

    begin(&s, true);
    write_text(&s, 1, "login: ");
    console_tick(&s.c, 1, false);
    console_tick(&s.c, CONSOLE_PROMPT_AFTER, false); /* not yet */
    write_text(&s, 2, "meanwhile\n");
    console_tick(&s.c, CONSOLE_PROMPT_AFTER + 1, false);
    write_text(&s, 1, "ro");
    console_tick(&s.c, CONSOLE_PROMPT_AFTER + 2, true);
    write_text(&s, 1, "ot\nPassword: ");
    console_tick(&s.c, CONSOLE_PROMPT_AFTER + 3, true);
    write_text(&s, 2, "again\n");
    write_text(&s, 1, "\n# ");
    end(&s, "[d2] meanwhile\n[d1] login: root\n[d1] Password: \n[d2] again\n[d1] # \n", "");
}

/*
 * The guest that the keyboard talks to: its prompt is shown at once, and is the last thing to be seen when all is idle.
 */
static void test_attached(void **state)
{
    struct scene s;

    begin(&s, true);
    write_text(&s, 1, "a> ");
    write_text(&s, 2, "b> ");
    console_attach(&s.c, 1);
    console_tick(&s.c, 1, true);
    console_attach(&s.c, 2);
    write_text(&s, 2, "x\n");
    console_attach(&s.c, 3);
    console_tick(&s.c, 2, true);
    end(&s, "[d1] a> \n[d2] b> \n[d1] a> \n[d2] b> x\n", "");
}

/* Of several guests that one alone can steer the terminal. */
static void test_steering(void **state)
{
    struct scene s;

    begin(&s, true);
    s.c.attached = 2;
    write_text(&s, 1, "\x1b[2J\b\a\xc2\x9b xin ch\xc3\xa0o\n\x1b[");
    write_text(&s, 2, "\x1b[1mb\n");
    end(&s, "[d1] ?[2J???? xin ch\xc3\xa0o\n[d2] \x1b[1mb\n[d1] ?[\n", "");
}

/* Whatever their numbers are: what is left over appears in the order in which the guests began to write. */
static void test_order_of_guests(void **state)
{
    static const unsigned int domid[] = { 7, 32751, 1, 2000, 0 };
    struct scene s;

    begin(&s, true);
    for (unsigned int round = 0; round < 2; round++)
        for (unsigned int i = 0; i < sizeof(domid) / sizeof(domid[0]); i++)
            write_text(&s, domid[i], round ? "b" : "a");
    console_guest_end(&s.c, 1);
    write_text(&s, 1, "c");
    end(&s, "[d1] ab\n[d7] ab\n[d32751] ab\n[d1] c\n[d2000] ab\n[d0] ab\n", "");
}

static void test_long_line(void **state)
{
    char text[CONSOLE_LINE_MAX + 11], expected[CONSOLE_LINE_MAX + 64];
    struct scene s;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    snprintf(expected, sizeof(expected), "[d1] %.*s\n[d1] xxxxxxxxxx\n", CONSOLE_LINE_MAX, text);
    begin(&s, true);
    write_text(&s, 1, text);
    end(&s, expected, "");
}

static void test_raw_terminal(void **state)
{
    struct scene s;

    begin(&s, true);
    s.c.out_raw = s.c.err_raw = true;
    write_text(&s, 1, "a\n");
    console_message(&s.c, "m\nn\n", 4);
    end(&s, "[d1] a\r\n", "m\r\nn\r\n");
}

/* What a message quotes cannot steer the terminal; it may be longer than the pieces in which it is written. */
static void test_message_printable(void **state)
{
    char text[1024], expected[1024];
    struct scene s;
    size_t n = 0;

    for (; n + 8 < sizeof(text); n += 3)
        memcpy(text + n, "\xe4\xbd\xa0", 3);
    strcpy(text + n, "\x1b[2J\n");
    strcpy(expected, text);
    expected[n] = '?';
    begin(&s, false);
    console_message(&s.c, text, strlen(text));
    end(&s, "", expected);
}

/* On one terminal a message does not go into the middle of a guest's line. */
static void test_message_in_line(void **state)
{
    struct scene s;

    begin(&s, false);
    s.c.together = true;
    write_text(&s, 1, "prompt> ");
    console_message(&s.c, "m\n", 2);
    write_text(&s, 1, "line\n");
    console_message(&s.c, "m\n", 2);
    end(&s, "prompt> \nline\n", "m\nm\n");
}

/* A failed write is noted once, with its reason, and ends output. */
static void test_write_error(void **state)
{
    struct console c = { .out = fopen("/dev/full", "w"), .err = stderr };

    assert_non_null(c.out);
    console_guest_write(&c, 1, "x", 1);
    assert_int_equal(c.error, 0);
    console_flush(&c);
    assert_int_equal(c.error, ENOSPC);
    console_guest_write(&c, 1, "x", 1);
    console_close(&c);
    assert_int_equal(c.error, ENOSPC);
    fclose(c.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_guest),       cmocka_unit_test(test_lines),
        cmocka_unit_test(test_shared_later),    cmocka_unit_test(test_unfinished_lines),
        cmocka_unit_test(test_long_line),       cmocka_unit_test(test_message_printable),
        cmocka_unit_test(test_prompts),         cmocka_unit_test(test_attached),
        cmocka_unit_test(test_steering),        cmocka_unit_test(test_raw_terminal),
        cmocka_unit_test(test_message_in_line), cmocka_unit_test(test_write_error),
        cmocka_unit_test(test_order_of_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
