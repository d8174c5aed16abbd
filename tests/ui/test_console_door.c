// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Consoles of guests on ptys, at sockets and in files: nothing is lost that may wait, nothing comes twice, whoever
 * comes, goes in the midst, reads a byte at a time or says no more; and the same by `xenlab run`, with its recording.
 *
 * Budget: scenes, one for each kind of door and of who stands there; and the program, played three times.
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
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/host_run.h"
#include "tests/support/random.h"
#include "tools/rewind/input.h"
#include "ui/console_door.h"

struct world {
    struct console_door d;
    char dir[64], path[96], what[112], err[512];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->dir, "/tmp/console_door.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/there", w->dir);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    console_door_close(&w->d);
    unlink(w->path);
    assert_int_equal(rmdir(w->dir), 0);
    free(w);
    return 0;
}

static void door(struct world *w, enum console_door_kind kind)
{
    assert_int_equal(console_door_open(&w->d, kind, "--console-to", w->path, w->err, sizeof(w->err)), 0);
}

static int client(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    while (connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) { /* it is made, and listened at soon */
        assert_int_equal(errno, ECONNREFUSED);
        poll(NULL, 0, 5);
    }
    return fd;
}

/* The other end of the pty. */
static int terminal(const struct world *w)
{
    const int fd = open(w->d.tty, O_RDWR | O_NOCTTY | O_NONBLOCK);

    assert_true(fd >= 0);
    return fd;
}

/* All that comes, in pieces of at most `piece` bytes, with the door's turns between; up to a long silence. */
static size_t hear(struct world *w, int fd, char *text, size_t size, size_t piece)
{
    size_t n = 0;

    for (int quiet = 0; quiet < 20 && n < size;) {
        const ssize_t got = read(fd, text + n, piece < size - n ? piece : size - n);

        if (got > 0)
            n += (size_t)got, quiet = 0;
        else
            quiet++;
        console_door_take(&w->d);
        if (got <= 0)
            poll(NULL, 0, 1);
    }
    return n;
}

static void words(void **state)
{
    static const char *const wrong[] = { "", "pt", "pty:", "file", "socket", "tcp:1", "PTY" };
    enum console_door_kind kind;
    const char *path;

    (void)state;
    assert_true(console_door_word("pty", &kind, &path) && kind == CONSOLE_DOOR_PTY && !path);
    assert_true(console_door_word("file:a:b", &kind, &path) && kind == CONSOLE_DOOR_FILE && !strcmp(path, "a:b"));
    assert_true(console_door_word("socket:/x", &kind, &path) && kind == CONSOLE_DOOR_SOCKET && !strcmp(path, "/x"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(console_door_word(wrong[i], &kind, &path));
}

/* A pty has what was said before it was opened; bytes go through it as they are; it stays when its reader goes. */
static void a_pty(void **state)
{
    struct world *w = *state;
    char text[256], all[256];
    int fd;

    for (unsigned int i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    door(w, CONSOLE_DOOR_PTY);
    console_door_out(&w->d, all, sizeof(all));
    fd = terminal(w);
    assert_int_equal(hear(w, fd, text, sizeof(text), 1), sizeof(all));
    assert_memory_equal(text, all, sizeof(all));
    assert_int_equal(write(fd, all, sizeof(all)), sizeof(all));
    close(fd);
    for (size_t n = 0; n < sizeof(all); n += 16) { /* the guest takes little at a time */
        console_door_take(&w->d);
        assert_int_equal(console_door_read(&w->d, text + n, 16), 16);
    }
    assert_memory_equal(text, all, sizeof(all));
    console_door_take(&w->d);
    assert_int_equal(console_door_read(&w->d, text, 16), 0);
    console_door_out(&w->d, "again", 5);
    fd = terminal(w);
    assert_int_equal(hear(w, fd, text, sizeof(text), 100), 5);
    close(fd);
}

/* Nobody reads: the last of it is kept, and how much was not is known. */
static void nobody_reads(void **state)
{
    struct world *w = *state;
    char *text = malloc(4u << 20), line[64];
    const unsigned int lines = 200000;
    size_t n, len = 0;
    int fd;

    door(w, CONSOLE_DOOR_SOCKET);
    for (unsigned int i = 0; i < lines; i++) {
        const int k = snprintf(line, sizeof(line), "line %u\n", i);

        console_door_out(&w->d, line, (size_t)k);
        len += (size_t)k;
    }
    assert_int_equal(w->d.forgotten, len - CONSOLE_DOOR_WAITING);
    fd = client(w->path);
    n = hear(w, fd, text, 4u << 20, 65536);
    assert_int_equal(n, CONSOLE_DOOR_WAITING);
    assert_memory_equal(text + n - strlen("line 199999\n"), "line 199999\n", strlen("line 199999\n"));
    close(fd);
    free(text);
}

/* One that has said all listens on; one that has gone is gone, and the next one hears what came meanwhile. */
static void who_says_no_more(void **state)
{
    struct world *w = *state;
    char text[64];
    int fd;

    door(w, CONSOLE_DOOR_SOCKET);
    fd = client(w->path);
    assert_int_equal(write(fd, "q", 1), 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (unsigned int i = 0; i < 4; i++)
        console_door_take(&w->d);
    assert_int_equal(console_door_read(&w->d, text, sizeof(text)), 1);
    console_door_take(&w->d);
    assert_int_equal(w->d.clients, 1);
    console_door_out(&w->d, "answer", 6);
    assert_int_equal(hear(w, fd, text, sizeof(text), 1), 6);
    close(fd);
    console_door_take(&w->d);
    assert_int_equal(w->d.clients, 0);
    console_door_out(&w->d, "alone", 5);
    fd = client(w->path);
    assert_int_equal(hear(w, fd, text, sizeof(text), 64), 5);
    assert_memory_equal(text, "alone", 5);
    close(fd);
}

/* What a guest does not read yet is not lost, and waits outside. */
static void a_guest_that_reads_late(void **state)
{
    struct world *w = *state;
    uint64_t prng = 7;
    size_t sent = 0, got = 0;
    int fd;

    door(w, CONSOLE_DOOR_SOCKET);
    fd = client(w->path);
    while (got < 300000) {
        uint8_t piece[1000];
        ssize_t n;

        for (size_t i = 0; i < sizeof(piece); i++)
            piece[i] = (uint8_t)((sent + i) * 31 >> 3);
        n = sent < 300000 ? write(fd, piece, 1 + random_of(&prng, sizeof(piece))) : 0;
        sent += n > 0 ? (size_t)n : 0;
        console_door_take(&w->d);
        assert_true(w->d.in_len <= 4096);
        n = (ssize_t)console_door_read(&w->d, (char *)piece, random_of(&prng, sizeof(piece)));
        for (ssize_t i = 0; i < n; i++, got++)
            assert_int_equal(piece[i], (uint8_t)(got * 31 >> 3));
        if (sent >= 300000 && got >= sent)
            break;
    }
    assert_true(got >= 300000);
    close(fd);
}

/* Programs come and go at random: each that is there all the time hears all of it, in order. */
static void random_deaths(void **state)
{
    struct world *w = *state;
    int fd[6], steady;
    char text[8192];
    unsigned int heard = 0;
    uint64_t prng = 28;

    door(w, CONSOLE_DOOR_SOCKET);
    memset(fd, -1, sizeof(fd));
    steady = client(w->path);
    console_door_take(&w->d);
    for (unsigned int i = 0; i < 4000; i++) {
        const size_t k = random_of(&prng, 6);
        const uint8_t byte = (uint8_t)i;
        ssize_t n;

        if (fd[k] < 0) {
            fd[k] = client(w->path);
        } else if (!random_of(&prng, 3)) {
            n = write(fd[k], "typed", 1 + random_of(&prng, 5));
            close(fd[k]);
            fd[k] = -1;
        } else if (read(fd[k], text, 1 + random_of(&prng, sizeof(text))) == 0) {
            fail_msg("hung up on");
        }
        console_door_out(&w->d, (const char *)&byte, 1);
        console_door_take(&w->d);
        while (console_door_read(&w->d, text, sizeof(text)))
            ;
        n = read(steady, text, sizeof(text));
        for (ssize_t b = 0; b < n; b++, heard++)
            assert_int_equal((uint8_t)text[b], (uint8_t)heard);
    }
    assert_true(heard >= 3990);
    close(steady);
    for (unsigned int k = 0; k < 6; k++)
        if (fd[k] >= 0)
            close(fd[k]);
}

static void a_file(void **state)
{
    struct world *w = *state;
    char text[16];
    int fd;

    door(w, CONSOLE_DOOR_FILE);
    console_door_out(&w->d, "one\r\n", 5);
    console_door_out(&w->d, "two", 3);
    assert_false(console_door_speaks(&w->d));
    fd = open(w->path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 8);
    assert_memory_equal(text, "one\r\ntwo", 8);
    close(fd);
}

static void what_cannot_be_opened(void **state)
{
    struct world *w = *state;

    for (enum console_door_kind kind = CONSOLE_DOOR_FILE; kind <= CONSOLE_DOOR_SOCKET; kind++) {
        assert_int_equal(console_door_open(&w->d, kind, "--console-to", "/nowhere/x", w->err, sizeof(w->err)), -1);
        assert_non_null(strstr(w->err, "--console-to: /nowhere/x: "));
        console_door_close(&w->d);
    }
    door(w, CONSOLE_DOOR_FILE);
    console_door_close(&w->d);
    assert_int_equal(console_door_open(&w->d, CONSOLE_DOOR_FILE, "--console-to", "/dev/full", w->err, sizeof(w->err)),
                     0);
    console_door_out(&w->d, "x", 1);
    assert_int_equal(w->d.error, ENOSPC);
}

/* --- xenstore --- */

struct wanted {
    char path[64], value[64];
};

static void on_node(void *data, const struct host_store_entry *e)
{
    struct wanted *w = data;

    if (!e->is_watch && !strcmp(e->path, w->path))
        snprintf(w->value, sizeof(w->value), "%s", e->value);
}

static bool is_on(const struct host *h, const char *tty)
{
    struct wanted w = { .value = "(none)" };

    snprintf(w.path, sizeof(w.path), "/local/domain/%u/console/tty", host_guest_domid(h, 0));
    host_store_each(h, on_node, &w);
    return !strcmp(w.value, tty);
}

/* The terminal's path is where xenconsoled has it; a restarted guest's too. Records that cannot be are refused. */
static void the_path_in_xenstore(void **state)
{
    const struct host_config cfg = { .ram_mib = 64 };
    const struct host_io io = { 0 };
    const struct host_guest g = {
        .kernel = "build/guests/reboot", .cmdline = "until_ms=100", .memory_mib = 16, .on_reboot = XL_ACTION_RESTART
    };
    uint8_t path[HOST_TTY_SIZE] = "/dev/pts/7";
    struct journal_record rec = { .kind = JOURNAL_TTY, .len = 10, .bytes = path };
    char err[HOST_ERR_SIZE], why[REWIND_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    const bool stop = false;
    domid_t first;

    (void)state;
    assert_non_null(h);
    assert_int_equal(host_guest_add(h, &g, &first, err), 0);
    assert_int_equal(host_guest_start(h, first), 0);
    assert_true(is_on(h, ""));
    assert_int_equal(input_apply(h, &rec, why), 0);
    assert_true(is_on(h, "/dev/pts/7"));
    for (s_time_t t = 0; host_guest_domid(h, 0) == first || is_on(h, "(none)"); t += MICROSECS(100)) {
        assert_true(t < SECONDS(1));
        host_run(h, t, &stop);
    }
    assert_true(is_on(h, "/dev/pts/7"));
    rec.who = 1;
    assert_int_equal(input_apply(h, &rec, why), -1);
    rec.who = 0;
    path[4] = '\0';
    assert_int_equal(input_apply(h, &rec, why), -1);
    memset(path, '/', sizeof(path));
    rec.len = sizeof(path);
    assert_int_equal(input_apply(h, &rec, why), -1);
    assert_true(is_on(h, "/dev/pts/7"));
    host_destroy(h);
}

/* --- the program --- */

struct program {
    pid_t pid;
    FILE *said; /* standard output and error */
};

static void start(struct program *p, char *const argv[])
{
    const char *program = getenv("XENLAB");
    int fd[2];

    assert_int_equal(pipe(fd), 0);
    p->pid = fork();
    if (p->pid == 0) {
        const int nothing = open("/dev/null", O_RDONLY);

        dup2(nothing, 0);
        dup2(fd[1], 1);
        dup2(fd[1], 2);
        close(fd[0]);
        alarm(60);
        execv(program ? program : "./xenlab", argv);
        _exit(127);
    }
    close(fd[1]);
    p->said = fdopen(fd[0], "r");
}

/* All that it has said, and its status. */
static int finish(struct program *p, char *text, size_t size)
{
    const size_t n = fread(text, 1, size - 1, p->said);
    int status;

    text[n] = '\0';
    fclose(p->said);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Say it a byte at a time, and hear until the word. */
static void talk(int fd, const char *say, const char *word, char *text, size_t size)
{
    size_t n = 0;

    fcntl(fd, F_SETFL, 0);
    for (; *say; say++)
        assert_int_equal(write(fd, say, 1), 1);
    text[0] = '\0';
    while (!strstr(text, word) && n < size - 1) {
        const ssize_t got = read(fd, text + n, 1);

        assert_int_equal(got, 1);
        text[++n] = '\0';
    }
}

static void play_back(struct world *w, const char *record)
{
    char *const replay[] = { "xenlab", "replay", (char *)record, NULL };
    struct program p;
    char text[4096];

    (void)w;
    start(&p, replay);
    assert_int_equal(finish(&p, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "1> hello"));
}

static void a_guest_at_a_socket(void **state)
{
    struct world *w = *state;
    char record[128];
    char *const run[] = { "xenlab", "run", "--console-to", w->what, "--record", record, "build/guests/echo", NULL };
    struct program p;
    char text[4096];
    int fd;

    snprintf(record, sizeof(record), "%s/record", w->dir);
    snprintf(w->what, sizeof(w->what), "socket:%s", w->path);
    start(&p, run);
    while (access(w->path, F_OK))
        poll(NULL, 0, 5);
    fd = client(w->path);
    talk(fd, "hello\nbye\n", "2> bye", text, sizeof(text));
    assert_non_null(strstr(text, "1> hello"));
    close(fd);
    assert_int_equal(finish(&p, text, sizeof(text)), 0);
    assert_null(strstr(text, "1>"));
    play_back(w, record);
    unlink(record);
}

static void a_guest_on_a_pty(void **state)
{
    struct world *w = *state;
    char record[128];
    char *const run[] = { "xenlab", "run", "--console-to", "pty", "--record", record, "build/guests/echo", NULL };
    struct program p;
    char text[4096], tty[64];
    int fd;

    snprintf(record, sizeof(record), "%s/record", w->dir);
    start(&p, run);
    assert_non_null(fgets(text, sizeof(text), p.said));
    assert_int_equal(sscanf(text, "xenlab: the console of echo (d1) is %63s", tty), 1);
    fd = open(tty, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    talk(fd, "hello\nbye\n", "2> bye", text, sizeof(text));
    close(fd);
    assert_int_equal(finish(&p, text, sizeof(text)), 0);
    assert_null(strstr(text, "1>"));
    play_back(w, record);
    unlink(record);
}

/* One of two; and what is wrong with whom. */
static void in_a_file_by_name(void **state)
{
    struct world *w = *state;
    char *const run[] = { "xenlab", "run", "--console-to", w->what, "build/guests/hello", "build/guests/hello", NULL };
    char *const whose[] = {
        "xenlab", "run", "--console-to", "file:x", "build/guests/hello", "build/guests/hello", NULL
    };
    char *const nobody[] = { "xenlab", "run", "--console-to", "x=pty", "build/guests/hello", NULL };
    struct program p;
    char text[4096];
    int fd;

    snprintf(w->what, sizeof(w->what), "hello-2=file:%s", w->path);
    start(&p, run);
    assert_int_equal(finish(&p, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "[d1] "));
    assert_null(strstr(text, "[d2] "));
    fd = open(w->path, O_RDONLY);
    assert_true(read(fd, text, sizeof(text)) > 20);
    close(fd);
    start(&p, whose);
    assert_int_not_equal(finish(&p, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "whose of 2 guests? --console-to GUEST=file:x"));
    start(&p, nobody);
    assert_int_not_equal(finish(&p, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "--console-to: there is no guest \"x\" (there is hello)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test_setup_teardown(a_pty, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(who_says_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_that_reads_late, setup, teardown),
        cmocka_unit_test_setup_teardown(random_deaths, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened, setup, teardown),
        cmocka_unit_test(the_path_in_xenstore),
        cmocka_unit_test_setup_teardown(a_guest_at_a_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_on_a_pty, setup, teardown),
        cmocka_unit_test_setup_teardown(in_a_file_by_name, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
