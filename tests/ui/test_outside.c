// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs at a socket of xenstore, and a machine that goes both ways: they are heard at the end of what is known, wait
 * while it stands or is in its past, and are hung up on where another future goes on. The same while the cockpit lets
 * it run, or gdb does. The programs are played here.
 *
 * When could this pass wrongly? If the machine were idle anyway: so what a program writes has to be seen by it and in
 * the machine, and not to be there before.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include <cmocka.h>

#include "ui/cockpit/cockpit.h"
#include "ui/debug/said.h"
#include "ui/gdb/door.h"

static char folder[] = "/tmp/outside.XXXXXX";

struct world {
    struct debug_session s;
    struct run_process process;
    struct run_options o;
    char path[64];
};

static int begin(void **state)
{
    struct world *sc = calloc(1, sizeof(*sc));
    char err[RUN_ERR_SIZE] = "", option[] = "--xenstore-socket", guest[] = "build/guests/echo";
    char *argv[] = { option, sc->path, guest };

    snprintf(sc->path, sizeof(sc->path), "%s/store", folder);
    assert_int_equal(options_parse(&sc->o, COMMAND_DEBUG, 3, argv, err), 0);
    sc->s.g.said = said_open();
    sc->s.g.say.out = said_stream(sc->s.g.said);
    if (session_open(&sc->s, &sc->o, &sc->process, err) || session_start(&sc->s, err))
        fail_msg("%s", err);
    *state = sc;
    return 0;
}

static int end(void **state)
{
    struct world *sc = *state;

    session_close(&sc->s);
    said_close(sc->s.g.said);
    options_free(&sc->o);
    assert_int_equal(access(sc->path, F_OK), -1);
    free(sc);
    return 0;
}

/* What is said of it has this in it. */
static bool says(struct world *sc, const char *line, const char *text)
{
    const size_t from = said_nr(sc->s.g.said);
    bool found = false;

    session_command(&sc->s, line);
    assert_false(sc->s.g.rw.err[0]);
    for (size_t i = from; i < said_nr(sc->s.g.said); i++)
        found |= strstr(said_line(sc->s.g.said, i), text) != NULL;
    return found;
}

static void go(struct world *sc, const char *line)
{
    sc->s.g.failed = false;
    session_command(&sc->s, line);
    assert_false(sc->s.g.failed);
}

static uint64_t hash(struct world *sc) { return look_hash(sc->s.g.host); }

/* --- a program --- */

static int program_open(const struct world *sc)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(addr.sun_path, sc->path);
    assert_int_equal(connect(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return s;
}

static void ask(int s, uint32_t type, const char *text, size_t len)
{
    const struct xsd_sockmsg head = { .type = type, .req_id = 7, .len = (uint32_t)len };

    assert_int_equal(send(s, &head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
    assert_int_equal(send(s, text, len, MSG_NOSIGNAL), len);
}

/* The type of an answer that has come, and its text. */
#define NOTHING (-1)
#define GONE    (-2)
static int answer(int s, char text[256])
{
    struct xsd_sockmsg head;
    const ssize_t n = recv(s, &head, sizeof(head), MSG_DONTWAIT);

    if (n <= 0)
        return n == 0 || errno == ECONNRESET ? GONE : NOTHING;
    assert_int_equal(n, sizeof(head));
    assert_int_equal(head.req_id, 7);
    assert_in_range(head.len, 0, 255);
    assert_int_equal(recv(s, text, head.len, MSG_DONTWAIT), head.len);
    text[head.len] = '\0';
    return (int)head.type;
}

static void ask_write(int s, const char *value)
{
    char text[64];
    const int n = snprintf(text, sizeof(text), "/demo%c%s", 0, value);

    ask(s, XS_WRITE, text, (size_t)n);
}

static void ask_read(int s) { ask(s, XS_READ, "/demo", 6); }

/* --- */

static void test_waits(void **state)
{
    struct world *sc = *state;
    const int s = program_open(sc);
    uint64_t there, before;
    char text[256], where[64];

    ask_write(s, "one");
    assert_int_equal(answer(s, text), NOTHING);
    go(sc, "s; s; where"); /* it stands; single steps hear nobody */
    assert_int_equal(answer(s, text), NOTHING);
    before = sc->s.g.rw.m->at.insns;
    assert_true(says(sc, "c", "reads its console"));
    assert_int_equal(answer(s, text), XS_WRITE);
    there = hash(sc);
    ask_read(s);
    snprintf(where, sizeof(where), "goto #%llu", (unsigned long long)before);
    go(sc, where);
    assert_false(rewind_is_live(&sc->s.g.rw));
    go(sc, "s; goto end");
    assert_int_equal(answer(s, text), NOTHING); /* the past is over, and it is live; nobody has let it go on */
    assert_true(hash(sc) == there);
    go(sc, "goto begin; s");
    assert_int_equal(answer(s, text), NOTHING);
    go(sc, "goto end; c");
    assert_int_equal(answer(s, text), XS_READ);
    assert_string_equal(text, "one");
    assert_int_equal(answer(s, text), NOTHING); /* the first answer has not been said again */
    close(s);
    go(sc, "c");
    assert_false(host_xenstore_is_open(sc->s.g.host, 1));
}

/* In another future nobody knows them, nor in the first one, when that is taken again. */
static void test_futures(void **state)
{
    struct world *sc = *state;
    const int first = program_open(sc), late = program_open(sc);
    int second;
    char text[256];

    ask_write(first, "one");
    go(sc, "c");
    assert_int_equal(answer(first, text), XS_WRITE);
    go(sc, "goto begin");
    ask_read(first);
    assert_true(says(sc, "branch other", "future become branch other"));
    assert_int_equal(answer(first, text), NOTHING); /* nothing has happened in it yet */
    assert_true(says(sc, "c", "2 programs at xenstore"));
    assert_int_equal(answer(first, text), GONE);
    assert_int_equal(answer(late, text), GONE);
    assert_false(host_xenstore_is_open(sc->s.g.host, 1));
    second = program_open(sc);
    ask_read(second);
    assert_false(says(sc, "c", "at xenstore")); /* said once */
    assert_int_equal(answer(second, text), XS_ERROR);
    assert_string_equal(text, "ENOENT");
    go(sc, "branch other; goto end"); /* where the first one is open, and has written */
    assert_true(host_xenstore_is_open(sc->s.g.host, 1));
    assert_int_equal(answer(second, text), NOTHING);
    assert_true(says(sc, "c", "1 program at xenstore"));
    assert_int_equal(answer(second, text), GONE);
    assert_false(host_xenstore_is_open(sc->s.g.host, 1));
    close(second);
    second = program_open(sc);
    ask_read(second);
    go(sc, "c");
    assert_int_equal(answer(second, text), XS_READ);
    assert_string_equal(text, "one");
    close(first);
    close(late);
    close(second);
    go(sc, "c");
}

/* Who has only looked at another future, and was not in it, finds all as it was. */
static void test_only_looked(void **state)
{
    struct world *sc = *state;
    const int s = program_open(sc);
    char text[256];

    ask_write(s, "one");
    go(sc, "c; goto begin; branch other; branch other; goto end");
    assert_int_equal(answer(s, text), XS_WRITE);
    ask_read(s);
    assert_false(says(sc, "c", "at xenstore"));
    assert_int_equal(answer(s, text), XS_READ);
    close(s);
}

/* --- as long as somebody lets it run --- */

#define FRAMES 200u /* an answer comes within a few; each is a moment of idleness */

/* Somebody sits at the cockpit, and it runs: it goes on when all is idle, until a key. Without him it ends then. */
static void test_cockpit(void **state)
{
    struct world *sc = *state;
    struct cockpit c;
    int s;
    char text[256];
    unsigned int n = 0;

    cockpit_begin(&c, &sc->s, 40, 120);
    c.patient = true;
    cockpit_line(&c, "run");
    for (unsigned int i = 0; i < 5; i++)
        cockpit_run(&c);
    assert_true(c.running);
    s = program_open(sc);
    ask_write(s, "one");
    while (answer(s, text) == NOTHING && n++ < FRAMES)
        cockpit_run(&c);
    assert_in_range(n, 1, FRAMES - 1);
    assert_true(c.running);
    cockpit_key(&c, ' ');
    assert_false(c.running);
    ask_read(s);
    cockpit_run(&c);
    assert_int_equal(answer(s, text), NOTHING);
    cockpit_line(&c, "goto begin");
    cockpit_line(&c, "run"); /* through the past, which has one program, and on */
    for (n = 0; answer(s, text) == NOTHING && n < FRAMES; n++)
        cockpit_run(&c);
    assert_in_range(n, 1, FRAMES - 1);
    assert_string_equal(text, "one");
    c.patient = false;
    for (n = 0; c.running && n < FRAMES; n++)
        cockpit_run(&c);
    assert_false(c.running);
    close(s);
    cockpit_end(&c);
}

static int gdb_client(const struct gdb_door *d)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)d->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return s;
}

/* The same while gdb lets it run, until gdb interrupts it. */
static void test_gdb(void **state)
{
    struct world *sc = *state;
    struct gdb_door d = { 0 };
    char err[RUN_ERR_SIZE], text[256];
    unsigned int n = 0;
    int s, gdb;

    assert_int_equal(gdb_door_open(&d, "0", err, sizeof(err)), 0);
    assert_int_equal(gdb_door_begin(&d, &sc->s.g, &sc->process, err, sizeof(err)), 0);
    gdb = gdb_client(&d);
    assert_int_equal(send(gdb, "+$c#63", 6, MSG_NOSIGNAL), 6);
    while (!gdb_door_runs(&d) && n++ < FRAMES)
        gdb_door_wait(&d, -1, 10);
    for (unsigned int i = 0; i < 5; i++)
        gdb_door_run_frame(&d);
    assert_true(gdb_door_runs(&d));
    s = program_open(sc);
    ask_write(s, "one");
    for (n = 0; answer(s, text) == NOTHING && n < FRAMES; n++)
        gdb_door_run_frame(&d);
    assert_in_range(n, 1, FRAMES - 1);
    assert_true(gdb_door_runs(&d));
    assert_int_equal(send(gdb, "\x03", 1, MSG_NOSIGNAL), 1);
    for (n = 0; gdb_door_runs(&d) && n < FRAMES; n++)
        gdb_door_run_frame(&d);
    assert_false(gdb_door_runs(&d));
    ask_read(s);
    gdb_door_wait(&d, -1, 0);
    assert_int_equal(answer(s, text), NOTHING);
    close(gdb);
    gdb_door_close(&d);
    go(sc, "c");
    assert_int_equal(answer(s, text), XS_READ);
    close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cockpit, begin, end),
        cmocka_unit_test_setup_teardown(test_gdb, begin, end),
        cmocka_unit_test_setup_teardown(test_futures, begin, end),
        cmocka_unit_test_setup_teardown(test_only_looked, begin, end),
        cmocka_unit_test_setup_teardown(test_waits, begin, end),
    };
    int rc;

    assert_non_null(mkdtemp(folder));
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return rc;
}
