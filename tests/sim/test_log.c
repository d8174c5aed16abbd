// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypervisor's console: lines, levels, and the ring that `xl dmesg` reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"

struct screen {
    char text[4096];
    size_t len;
    unsigned int lines;
};

static void show(void *data, const char *line, size_t len)
{
    struct screen *s = data;

    assert_true(len > 0 && line[len - 1] == '\n');
    assert_true(s->len + len < sizeof(s->text));
    memcpy(s->text + s->len, line, len);
    s->len += len;
    s->lines++;
}

/* The log needs no machine but the structure around it. */
static struct machine *make(struct screen *s)
{
    struct machine *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->edges = calloc(1, sizeof(*m->edges));
    assert_non_null(m->edges);
    m->log.level = LOG_INFO;
    m->edges->log.sink = s ? show : NULL;
    m->edges->log.data = s;
    return m;
}

static void test_lines(void **state)
{
    struct screen s = { .len = 0 };
    struct machine *m = make(&s);

    printk(m, LOG_INFO, "one %d", 1);
    printk(m, LOG_INFO, "two\n");
    printk(m, LOG_ERR, "three\nfour\n");
    printk(m, LOG_ERR, "a\n\nb");
    printk(m, LOG_ERR, "%s", "");
    printk(m, LOG_DEBUG, "too detailed");
    log_write(m, "(d1) hi\n", 8);
    assert_string_equal(s.text,
                        "(XEN) one 1\n(XEN) two\n(XEN) three\n(XEN) four\n(XEN) a\n(XEN) \n(XEN) b\n(XEN) \n(d1) hi\n");
    assert_int_equal(s.lines, 9);
    assert_int_equal(m->log.written, s.len);
    assert_memory_equal(m->log.ring, s.text, s.len);
    free(m->edges);
    free(m);
}

static void test_long_message_is_cut(void **state)
{
    struct screen s = { .len = 0 };
    struct machine *m = make(&s);
    char big[3000];

    memset(big, 'x', sizeof(big));
    printk(m, LOG_INFO, "%.*s", (int)sizeof(big), big);
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.len, 6 + 1023 + 1);
    free(m->edges);
    free(m);
}

static void test_ring(void **state)
{
    struct machine *m = make(NULL);
    char *buf = malloc(2 * LOG_RING_SIZE);
    uint64_t pos = 0;
    size_t n;

    assert_non_null(buf);
    assert_int_equal(log_read(&m->log, &pos, buf, 10), 0);
    for (unsigned int i = 0; i < 2000; i++)
        printk(m, LOG_INFO, "line %05u", i); /* 17 bytes */
    assert_int_equal(m->log.written, 2000 * 17);

    /* From byte 0, which is lost: what is left, the last 16 KiB. */
    n = log_read(&m->log, &pos, buf, 2 * LOG_RING_SIZE);
    assert_int_equal(n, LOG_RING_SIZE);
    assert_memory_equal(buf + n - 17, "(XEN) line 01999\n", 17);
    assert_int_equal(pos, m->log.written);

    /* In pieces, and after the end. */
    assert_int_equal(log_read(&m->log, &pos, buf, 10), 0);
    pos = 1998 * 17;
    assert_int_equal(log_read(&m->log, &pos, buf, 17), 17);
    assert_memory_equal(buf, "(XEN) line 01998\n", 17);
    assert_int_equal(log_read(&m->log, &pos, buf, 100), 17);
    pos = UINT64_MAX; /* a guest may ask for anything */
    assert_int_equal(log_read(&m->log, &pos, buf, 100), 0);
    free(buf);
    free(m->edges);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
