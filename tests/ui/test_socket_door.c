// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs at a socket, that do what they should not: too many of them, one that reads nothing, one that is
 * hung up on, one that goes in the midst, a path that cannot be.
 *
 * The machine is the test: it counts what comes, and answers each piece with as many bytes as it is told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ui/socket_door.h"

struct world {
    struct socket_door d;
    char dir[64], path[96], err[512];
    unsigned int opened, closed, pieces;
    size_t bytes, answer;
    unsigned int last; /* who said something */
};

static void on_thing(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len)
{
    struct world *w = data;
    static uint8_t answer[8192];

    w->last = id;
    w->opened += what == HOST_SOCKET_OPEN;
    w->closed += what == HOST_SOCKET_CLOSE;
    w->pieces += what == HOST_SOCKET_BYTES;
    w->bytes += len;
    if (what == HOST_SOCKET_BYTES && w->answer)
        socket_door_out(&w->d, id, answer, w->answer);
}

static void take(struct world *w) { socket_door_take(&w->d, on_thing, w); }

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->dir, "/tmp/socket_door.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/socket", w->dir);
    assert_int_equal(socket_door_open(&w->d, "--door", w->path, w->err, sizeof(w->err)), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    socket_door_close(&w->d);
    assert_int_equal(access(w->path, F_OK), -1);
    rmdir(w->dir);
    free(w);
    return 0;
}

static int program(const struct world *w)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(addr.sun_path, w->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static void paths(void **state)
{
    struct world *w = *state;
    struct socket_door other = { 0 };
    char path[200], err[512];
    struct stat st;

    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(socket_door_open(&other, "--door", w->path, err, sizeof(err)), -1); /* somebody listens there */
    assert_non_null(strstr(err, "somebody listens there"));
    snprintf(path, sizeof(path), "%s/none/socket", w->dir);
    assert_int_equal(socket_door_open(&other, "--door", path, err, sizeof(err)), -1);
    assert_non_null(strstr(err, strerror(ENOENT)));
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = 0;
    assert_int_equal(socket_door_open(&other, "--door", path, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "too long"));
    snprintf(path, sizeof(path), "%s/file", w->dir); /* a file is nobody's to take away */
    fclose(fopen(path, "w"));
    assert_int_equal(socket_door_open(&other, "--door", path, err, sizeof(err)), -1);
    assert_int_equal(unlink(path), 0);
    assert_null(other.path);
}

static void what_is_left_is_taken_over(void **state)
{
    struct world *w = *state;
    struct socket_door next = { 0 };

    close(w->d.listener); /* as if the process had been killed */
    assert_int_equal(socket_door_open(&next, "--door", w->path, w->err, sizeof(w->err)), 0);
    w->d = next;
    close(program(w));
}

static void many_programs(void **state)
{
    struct world *w = *state;
    int fd[SOCKET_DOOR_CLIENTS + 8];
    char got[16];

    w->answer = 4;
    for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++) {
        fd[i] = program(w);
        take(w);
    }
    for (unsigned int i = SOCKET_DOOR_CLIENTS; i < SOCKET_DOOR_CLIENTS + 8; i++) /* they wait */
        fd[i] = program(w);
    for (unsigned int i = 0; i < 3; i++)
        take(w);
    assert_int_equal(w->opened, SOCKET_DOOR_CLIENTS);
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(write(fd[i], "ask", 3), 3);
        take(w);
        assert_int_equal(w->last, i + 1);
        assert_int_equal(read(fd[i], got, sizeof(got)), 4);
        close(fd[i]);
    }
    for (unsigned int i = 0; i < 16; i++) /* now it is their turn */
        take(w);
    assert_int_equal(w->closed, 8);
    assert_int_equal(w->opened, SOCKET_DOOR_CLIENTS + 8);
    for (unsigned int i = SOCKET_DOOR_CLIENTS; i < SOCKET_DOOR_CLIENTS + 8; i++) {
        assert_int_equal(write(fd[i], "ask", 3), 3);
        take(w);
        assert_int_equal(read(fd[i], got, sizeof(got)), 4);
    }
    for (unsigned int i = 8; i < SOCKET_DOOR_CLIENTS + 8; i++)
        close(fd[i]);
}

static void one_that_reads_nothing(void **state)
{
    struct world *w = *state;
    const int deaf = program(w), good = program(w);
    char got[8192];

    take(w);
    take(w);
    w->answer = 8192;
    for (unsigned int i = 0; i < 2 * SOCKET_DOOR_WAITING / 8192 && !w->closed; i++) {
        (void)!send(deaf, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        take(w);
    }
    assert_int_equal(w->closed, 1);
    w->answer = 4;
    assert_int_equal(write(good, "ask", 3), 3);
    take(w);
    assert_int_equal(read(good, got, sizeof(got)), 4);
    close(deaf);
    close(good);
}

/* Of what it was told before, nothing is lost. */
static void one_that_is_hung_up_on(void **state)
{
    struct world *w = *state;
    const int fd = program(w);
    static char got[1 << 16];
    size_t told = 0;
    ssize_t n;

    take(w);
    w->answer = 8192;
    for (unsigned int i = 0; i < 100; i++) {
        assert_int_equal(write(fd, "x", 1), 1);
        take(w);
    }
    socket_door_hang_up(&w->d, 1);
    socket_door_hang_up(&w->d, 77);
    w->pieces = 0;
    (void)!send(fd, "x", 1, MSG_NOSIGNAL);
    while ((n = recv(fd, got, sizeof(got), MSG_DONTWAIT)) > 0 || (n < 0 && errno == EAGAIN)) {
        told += n > 0 ? (size_t)n : 0;
        take(w);
    }
    assert_int_equal(told, 100 * 8192);
    assert_int_equal(w->pieces, 0);
    take(w);
    assert_int_equal(w->closed, 1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_is_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(many_programs, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_reads_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_hung_up_on, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
