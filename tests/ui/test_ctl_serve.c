// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket of a run: what programs say there that is a command, and what is none; who goes in the midst, who
 * says nothing, who waits. The machine has the guest idle, and lives on between two looks at the socket.
 *
 * Budget: each way in which a conversation may go, and a client that has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/host_run.h"
#include "tools/host_private.h"
#include "tools/rewind/input.h"
#include "ui/ctl/serve.h"
#include "ui/ctl/wire.h"

struct scene {
    struct host *host;
    struct ctl_serve s;
    char dir[64];
    unsigned int inputs;
};

struct client {
    int fd;
    char out[16384], err[4096];
    int status; /* -1: no end yet */
    uint8_t bytes[32768];
    size_t len;
};

static void on_input(void *data, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    struct scene *sc = data;
    char why[REWIND_ERR_SIZE];
    const struct journal_record rec = { .at = host_machine(sc->host)->at,
                                        .now = host_now(sc->host),
                                        .kind = kind,
                                        .who = who,
                                        .len = len,
                                        .bytes = (uint8_t *)(uintptr_t)bytes };

    sc->inputs++;
    if (input_apply(sc->host, &rec, why))
        fail_msg("%s", why);
}

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    ctl_serve_say(&((struct scene *)data)->s, id, what, text, len);
}

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    ctl_serve_console(&((struct scene *)data)->s, domid, text, len);
}

static void on_end(void *data, domid_t domid, int reason)
{
    ctl_serve_ended(&((struct scene *)data)->s, domid, reason);
}

static void go(struct scene *sc)
{
    ctl_serve_take(&sc->s, on_input, sc);
    host_run(sc->host, host_now(sc->host) + MICROSECS(100), &(bool){ false });
}

static int setup(void **state)
{
    const struct host_config cfg = { .ram_mib = 64, .quiet = true };
    struct scene *sc = calloc(1, sizeof(*sc));
    const struct host_io io = { .data = sc, .console_out = on_out, .guest_ended = on_end, .ctl_say = on_say };
    const struct host_guest g = { .kernel = "build/guests/echo", .name = "a", .memory_mib = 8 };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    *state = sc;
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
    strcpy(sc->dir, "/tmp/ctl_serve.XXXXXX");
    assert_non_null(mkdtemp(sc->dir));
    snprintf(sc->s.path, sizeof(sc->s.path), "%s/socket", sc->dir);
    assert_int_equal(ctl_serve_open(&sc->s, sc->host, err, sizeof(err)), 0);
    host_run(sc->host, host_now(sc->host) + MILLISECS(20), &(bool){ false });
    return 0;
}

static int teardown(void **state)
{
    struct scene *sc = *state;

    ctl_serve_close(&sc->s);
    rmdir(sc->dir);
    host_destroy(sc->host);
    free(sc);
    return 0;
}

static void come(struct scene *sc, struct client *c)
{
    memset(c, 0, sizeof(*c));
    c->status = -1;
    c->fd = ctl_connect(sc->s.path);
    assert_true(c->fd >= 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    go(sc);
}

static size_t request(const char *line, uint8_t *out)
{
    const size_t len = strlen(line) + 1;

    memcpy(out, CTL_MAGIC, 4);
    ctl_length_put(out + 4, len);
    memcpy(out + CTL_HEAD_SIZE, line, len);
    for (size_t i = 0; i < len; i++)
        if (out[CTL_HEAD_SIZE + i] == ' ')
            out[CTL_HEAD_SIZE + i] = '\0';
    return CTL_HEAD_SIZE + len;
}

/* False: the other end has closed. */
static bool hear(struct client *c)
{
    const ssize_t n = recv(c->fd, c->bytes + c->len, sizeof(c->bytes) - c->len, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    c->len += n > 0 ? (size_t)n : 0;
    while (c->len >= CTL_FRAME_SIZE) {
        const size_t len = ctl_length_get(c->bytes + 1), all = CTL_FRAME_SIZE + len;
        char *to = c->bytes[0] == HOST_CTL_OUT ? c->out : c->err;

        if (c->len < all)
            break;
        if (c->bytes[0] == HOST_CTL_END)
            c->status = c->bytes[CTL_FRAME_SIZE];
        else
            strncat(to, (char *)c->bytes + CTL_FRAME_SIZE, len);
        c->len -= all;
        memmove(c->bytes, c->bytes + all, c->len);
    }
    return true;
}

/* Until the other end closes; it says an end before. */
static void wait_end(struct scene *sc, struct client *c)
{
    unsigned int tries = 0;

    while (hear(c) && ++tries < 2000)
        go(sc);
    assert_true(tries < 2000);
    close(c->fd);
}

static void ask(struct scene *sc, struct client *c, const char *line)
{
    uint8_t bytes[CTL_HEAD_SIZE + CTL_WORDS_SIZE];
    const size_t len = request(line, bytes);

    come(sc, c);
    assert_int_equal(send(c->fd, bytes, len, MSG_NOSIGNAL), len);
}

static void commands(void **state)
{
    struct scene *sc = *state;
    struct client c;

    ask(sc, &c, "domid a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 0);
    assert_string_equal(c.out, "1\n");
    assert_int_equal(sc->inputs, 0); /* who looks changes nothing */
    ask(sc, &c, "pause a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 0);
    assert_int_equal(sc->inputs, 1);
    ask(sc, &c, "list a");
    wait_end(sc, &c);
    assert_non_null(strstr(c.out, "-bp---"));
    ask(sc, &c, "pause nobody");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_string_equal(c.err, "nobody is an invalid domain identifier (rc=-6)\n");
    ask(sc, &c, "list \x1b[2J"); /* the words of others do not steer a terminal, whoever looks or is carried out */
    wait_end(sc, &c);
    assert_string_equal(c.err, "?[2J is an invalid domain identifier (rc=-6)\n");
    ask(sc, &c, "unpause \x1b[2J");
    wait_end(sc, &c);
    assert_string_equal(c.err, "?[2J is an invalid domain identifier (rc=-6)\n");
    ask(sc, &c, "pause");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_int_equal(sc->inputs, 3);
}

static void disk_is_first(void *data, const struct host_disk *d)
{
    (void)data;
    assert_int_equal(d->sectors, 2048);
}

static void file_make(const char *path, long size)
{
    const int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);

    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

/*
 * A disk whose file is not there is no input: it could be there when that part of the run is repeated. One that was
 * there is found by its name then, and only then, also if another file has the name by then: live, that one is refused.
 */
static void files(void **state)
{
    struct scene *sc = *state;
    char path[96], attach[160], text[160], why[REWIND_ERR_SIZE];
    struct journal_record rec = { .kind = JOURNAL_CTL, .who = 99, .bytes = (uint8_t *)text };
    struct client c;

    snprintf(path, sizeof(path), "%s/disk", sc->dir);
    snprintf(attach, sizeof(attach), "block-attach a %s,raw,xvdb,w", path);
    ask(sc, &c, attach);
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, path));
    assert_non_null(strstr(c.err, "No such file or directory\nlibxl_device_disk_add failed.\n"));
    assert_int_equal(sc->inputs, 0);
    file_make(path, 1 << 20);
    ask(sc, &c, "block-attach nobody /nowhere,raw,xvdb,w"); /* for the toolstack to refuse */
    wait_end(sc, &c);
    assert_string_equal(c.err, "nobody is an invalid domain identifier (rc=-6)\n");
    assert_int_equal(sc->inputs, 1);
    ask(sc, &c, attach);
    wait_end(sc, &c);
    assert_string_equal(c.err, "");
    assert_int_equal(sc->inputs, 2);
    /* Whose back end it is the guest cannot change. */
    assert_true(domain_node_write(sc->host, 1, "device/vbd/51728/backend-id", "99"));
    ask(sc, &c, "block-list a");
    wait_end(sc, &c);
    assert_non_null(strstr(c.out, "\n51728 0   1 "));
    ask(sc, &c, "block-detach --force a xvdb");
    wait_end(sc, &c);
    assert_int_equal(c.status, 0);

    unlink(path);
    ask(sc, &c, attach);
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_int_equal(sc->inputs, 3);
    file_make(path, 2 << 20);
    ask(sc, &c, attach);
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "another file had this name"));
    assert_int_equal(sc->inputs, 3);
    rec.len = request(attach, (uint8_t *)text) - CTL_HEAD_SIZE;
    memmove(text, text + CTL_HEAD_SIZE, rec.len);
    rec.at = host_machine(sc->host)->at;
    rec.now = host_now(sc->host);
    assert_int_equal(input_apply(sc->host, &rec, why), 0); /* as from the journal */
    for (unsigned int i = 0; i < 100; i++)
        go(sc);
    ask(sc, &c, "block-list a");
    wait_end(sc, &c);
    assert_non_null(strstr(c.out, "/local/domain/0/backend/vbd/1/51728"));
    host_disks_each(sc->host, disk_is_first, sc);
    unlink(path);
}

/* Anything but a command: it is said so, and the next one is heard. */
static void junk(void **state)
{
    struct scene *sc = *state;
    uint32_t seed = 7;
    struct client c;

    for (unsigned int n = 0; n < 1000; n++) {
        uint8_t bytes[600];
        size_t len = request("list a", bytes), all = len;

        seed = seed * 1664525 + 1013904223;
        switch (seed >> 16 & 3) {
        case 0: /* bytes */
            for (len = 0; len <= seed >> 24; len++)
                bytes[len] = (uint8_t)(seed = seed * 1664525 + 1013904223, seed >> 24);
            break;
        case 1: ctl_length_put(bytes + 4, seed >> 20 ? seed : 0); break; /* a length that cannot be, mostly */
        case 2: len = 1 + (seed >> 24) % (all - 1); break;               /* and it goes */
        default: bytes[all - 1] = 'x'; break;                            /* words without an end */
        }
        come(sc, &c);
        assert_true(send(c.fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
        for (unsigned int i = 0; i < 4 && hear(&c); i++)
            go(sc);
        assert_int_not_equal(c.status, 0);
        close(c.fd);
        go(sc);
    }
    assert_int_equal(sc->inputs, 0);
    ask(sc, &c, "domid a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 0);
}

/* More than there are places. */
static void silent_ones(void **state)
{
    struct scene *sc = *state;
    struct client *silent = calloc(3 * SOCKET_DOOR_CLIENTS, sizeof(*silent)), c;

    for (unsigned int i = 0; i < 3 * SOCKET_DOOR_CLIENTS; i++)
        come(sc, &silent[i]);
    ask(sc, &c, "domid a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 0);
    for (unsigned int i = 0; i < 3 * SOCKET_DOOR_CLIENTS; i++)
        close(silent[i].fd);
    free(silent);
}

static void consoles(void **state)
{
    struct scene *sc = *state;
    static char much[CTL_TYPED_MAX * 2];
    struct client one, two, c;

    ask(sc, &one, "console a");
    ask(sc, &two, "console 1");
    go(sc);
    assert_int_equal(send(two.fd, "hallo\n", 6, MSG_NOSIGNAL), 6);
    for (unsigned int i = 0; i < 200 && !strstr(one.out, "You said \"hallo\""); i++) {
        go(sc);
        hear(&one);
        hear(&two);
    }
    assert_non_null(strstr(one.out, "You said \"hallo\"")); /* both see it */
    assert_non_null(strstr(two.out, "You said \"hallo\""));
    close(one.fd);
    /* What a paused guest does not take is kept, and is not kept for ever. */
    ask(sc, &c, "pause a");
    wait_end(sc, &c);
    memset(much, 'x', sizeof(much));
    for (size_t sent = 0; sent < sizeof(much) && two.status < 0 && hear(&two); go(sc)) {
        const ssize_t n = send(two.fd, much + sent, sizeof(much) - sent, MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
    }
    wait_end(sc, &two);
    assert_int_equal(two.status, 1);
    assert_non_null(strstr(two.err, "more was typed than the console takes"));
    ask(sc, &c, "console 0");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "Domain 0 has no console"));
    ask(sc, &c, "console -n 1 a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "there is number 0 only"));
    ask(sc, &c, "console -t serial a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "domain 1 has no serial line"));
    ask(sc, &c, "console -t vnc a");
    wait_end(sc, &c);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "expected pv or serial"));
}

static void waiting(void **state)
{
    struct scene *sc = *state;
    struct client waits, gone, terminal, c;

    ask(sc, &waits, "shutdown -ww a");
    ask(sc, &gone, "shutdown -w a");
    ask(sc, &terminal, "console a");
    for (unsigned int i = 0; i < 100; i++) {
        go(sc);
        hear(&waits);
    }
    assert_string_equal(waits.err, "Shutting down domain 1\nWaiting for 1 domains\n");
    assert_int_equal(waits.status, -1);
    close(gone.fd);
    go(sc);
    ask(sc, &c, "destroy a");
    wait_end(sc, &c); /* and with the last guest the machine is off */
    assert_int_equal(c.status, 0);
    wait_end(sc, &waits);
    assert_int_equal(waits.status, 0);
    assert_non_null(strstr(waits.err, "Domain 1 has been destroyed\n"));
    wait_end(sc, &terminal);
    assert_int_equal(terminal.status, 0);
}

/* The machine is switched off while a command is on its way. */
static void closing(void **state)
{
    struct scene *sc = *state;
    struct client c, waits;

    ask(sc, &waits, "reboot -w a");
    for (unsigned int i = 0; i < 100; i++)
        go(sc);
    ask(sc, &c, "pause a");
    ctl_serve_take(&sc->s, on_input, sc);
    ctl_serve_close(&sc->s);
    hear(&c);
    hear(&waits);
    assert_int_equal(c.status, 1);
    assert_non_null(strstr(c.err, "switched off"));
    assert_int_equal(waits.status, 0);
    close(c.fd);
    close(waits.fd);
}

#define IN_MACHINE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MACHINE(commands), IN_MACHINE(files),   IN_MACHINE(junk),    IN_MACHINE(silent_ones),
        IN_MACHINE(consoles), IN_MACHINE(waiting), IN_MACHINE(closing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
