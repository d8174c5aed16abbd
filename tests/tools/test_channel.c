// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels of a guest: the nodes are those that libxl writes, what is said goes to the channel that it is for and comes
 * from the one that it was said at, a restarted guest has them again, and records that cannot be are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/host_run.h"
#include "tools/rewind/input.h"

struct scene {
    struct host *h;
    char nodes[4096];
    char said[2][256]; /* at which channel */
    s_time_t now;
};

static void on_out(void *data, domid_t domid, unsigned int channel, const char *text, size_t len)
{
    struct scene *sc = data;
    const size_t n = strlen(sc->said[channel - 1]);

    assert_true(domid && n + len < sizeof(sc->said[0]));
    memcpy(sc->said[channel - 1] + n, text, len);
}

static const struct xl_channels two = { { { "org.example.agent", "" }, { "other", "/run/other" } }, 2 };

static void begin(struct scene *sc, const char *kernel)
{
    const struct host_config cfg = { .ram_mib = 64 };
    const struct host_io io = { .data = sc, .channel_out = on_out };
    const struct host_guest g = { .kernel = kernel,
                                  .memory_mib = 16,
                                  .on_reboot = XL_ACTION_RESTART,
                                  .cmdline = "until_ms=60000",
                                  .channels = &two };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    memset(sc, 0, sizeof(*sc));
    sc->h = host_create(&cfg, &io, err);
    assert_non_null(sc->h);
    assert_int_equal(host_guest_add(sc->h, &g, &domid, err), 0);
    assert_int_equal(host_guest_start(sc->h, domid), 0);
}

static void run(struct scene *sc, s_time_t time)
{
    const bool stop = false;

    sc->now += time;
    host_run(sc->h, sc->now, &stop);
}

static void on_node(void *data, const struct host_store_entry *e)
{
    struct scene *sc = data;
    const size_t n = strlen(sc->nodes);

    if (!e->is_watch && strstr(e->path, "/console/") && !strstr(e->path, "/console/1/0"))
        snprintf(sc->nodes + n, sizeof(sc->nodes) - n, "%s = \"%s\" (%s)\n", e->path, e->value, e->perms);
}

static int line_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The nodes of one channel, sorted. */
static void expect_nodes(struct scene *sc, const char *of, const char *const *wanted, size_t nr)
{
    char *lines[64], *rest;
    size_t n = 0;

    *sc->nodes = '\0';
    host_store_each(sc->h, on_node, sc);
    rest = sc->nodes;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (!strncmp(line, of, strlen(of)) && (line[strlen(of)] == '/' || line[strlen(of)] == ' '))
            lines[n++] = line + strlen(of);
    qsort(lines, n, sizeof(lines[0]), line_order);
    for (size_t i = 0; i < n && i < nr; i++)
        assert_string_equal(lines[i], wanted[i]);
    assert_int_equal(n, nr);
}

#define EXPECT(of, ...)                                                                                                \
    expect_nodes(&sc, of, (const char *const[]){ __VA_ARGS__ },                                                        \
                 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* In a guest that does not know of channels. */
static void nodes(void **state)
{
    struct scene sc;

    (void)state;
    begin(&sc, "build/guests/idle");
    run(&sc, MILLISECS(5));
    EXPECT("/local/domain/1/device/console/1", " = \"\" (n1,r0)",
           "/backend = \"/local/domain/0/backend/console/1/1\" (n1,r0)", "/backend-id = \"0\" (n1,r0)",
           "/limit = \"1048576\" (n0,r1)", "/name = \"org.example.agent\" (n0,r1)", "/output = \"pty\" (n0,r1)",
           "/protocol = \"vt100\" (n1,r0)", "/state = \"1\" (n1,r0)", "/tty = \"\" (n0,r1)",
           "/type = \"ioemu\" (n0,r1)");
    EXPECT("/local/domain/1/device/console/2", " = \"\" (n1,r0)",
           "/backend = \"/local/domain/0/backend/console/1/2\" (n1,r0)", "/backend-id = \"0\" (n1,r0)",
           "/limit = \"1048576\" (n0,r1)", "/name = \"other\" (n0,r1)", "/output = \"chardev:libxl-channel2\" (n0,r1)",
           "/protocol = \"vt100\" (n1,r0)", "/state = \"1\" (n1,r0)", "/tty = \"\" (n0,r1)",
           "/type = \"ioemu\" (n0,r1)");
    EXPECT("/local/domain/0/backend/console/1/2", " = \"\" (n0,r1)", "/connection = \"socket\" (n0,r1)",
           "/frontend = \"/local/domain/1/device/console/2\" (n0,r1)", "/frontend-id = \"1\" (n0,r1)",
           "/name = \"other\" (n0,r1)", "/online = \"1\" (n0,r1)", "/path = \"/run/other\" (n0,r1)",
           "/protocol = \"vt100\" (n0,r1)", "/state = \"2\" (n0,r1)");
    assert_int_equal(host_channel_room(sc.h, 0, 1), 0);
    host_destroy(sc.h);
}

static int in(struct scene *sc, unsigned int guest, unsigned int channel, bool is_tty, const char *text)
{
    const struct host_channel_head head = { (uint8_t)channel, is_tty };
    uint8_t bytes[256];
    const struct journal_record rec = {
        .kind = JOURNAL_CHANNEL, .who = guest, .now = sc->now, .len = sizeof(head) + strlen(text), .bytes = bytes
    };
    char why[REWIND_ERR_SIZE];

    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), text, strlen(text));
    return input_apply(sc->h, &rec, why);
}

static void said(void **state)
{
    struct scene sc;
    char path[HOST_TTY_SIZE + 1];
    uint8_t byte = 1;
    const struct journal_record torn = { .kind = JOURNAL_CHANNEL, .len = 1, .bytes = &byte };
    char why[REWIND_ERR_SIZE];

    (void)state;
    begin(&sc, "build/guests/agent");
    run(&sc, MILLISECS(5));
    assert_int_equal(host_channel_room(sc.h, 0, 1), HOST_INPUT_MAX);
    assert_int_equal(host_channel_room(sc.h, 0, 2), 0); /* it uses one */
    assert_int_equal(in(&sc, 0, 1, false, "one\ntwo\n"), 0);
    run(&sc, MILLISECS(5));
    assert_string_equal(sc.said[0], "1: one\n2: two\n");
    assert_string_equal(sc.said[1], "");
    assert_int_equal(in(&sc, 0, 2, true, "/dev/pts/9"), 0);
    *sc.nodes = '\0';
    host_store_each(sc.h, on_node, &sc);
    assert_non_null(strstr(sc.nodes, "/local/domain/1/device/console/2/tty = \"/dev/pts/9\" (n0,r1)\n"));
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(in(&sc, 0, 1, true, path), -1);
    assert_int_equal(in(&sc, 0, 2, false, "nobody takes it"), -1);
    assert_int_equal(in(&sc, 0, 0, false, "x"), -1);
    assert_int_equal(in(&sc, 0, 3, false, "x"), -1);
    assert_int_equal(in(&sc, 1, 1, false, "x"), -1);
    assert_int_equal(in(&sc, 0, 1, false, ""), -1);
    assert_int_equal(input_apply(sc.h, &torn, why), -1);
    assert_int_equal(in(&sc, 0, 1, false, "bye\n"), 0);
    run(&sc, MILLISECS(50));
    assert_string_equal(sc.said[0], "1: one\n2: two\n3: bye\n");
    assert_int_equal(host_guests_left(sc.h), 0);
    assert_int_equal(in(&sc, 0, 1, false, "x"), -1);
    host_destroy(sc.h);
}

/* A domain that is built again has its channels again; of the one before nothing is left. */
static void restarted(void **state)
{
    struct scene sc;
    domid_t domid;
    char of[64];

    (void)state;
    begin(&sc, "build/guests/reboot");
    assert_int_equal(in(&sc, 0, 1, true, "/dev/pts/9"), 0);
    domid = host_guest_domid(sc.h, 0);
    for (unsigned int i = 0; host_guest_domid(sc.h, 0) == domid || !strstr(sc.nodes, "tty"); i++) {
        assert_true(i < 10000);
        run(&sc, MILLISECS(1));
        *sc.nodes = '\0';
        host_store_each(sc.h, on_node, &sc);
    }
    snprintf(of, sizeof(of), "/local/domain/%u/device/console/1/tty = \"/dev/pts/9\"", host_guest_domid(sc.h, 0));
    assert_non_null(strstr(sc.nodes, of));
    snprintf(of, sizeof(of), "/backend/console/%u/", domid);
    assert_null(strstr(sc.nodes, of));
    host_destroy(sc.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nodes), cmocka_unit_test(said), cmocka_unit_test(restarted) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
