// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A screen for viewers of VNC, with a viewer played here: what it sees is what is drawn, in pixels that it chose; keys
 * and pointer come; one that speaks at random, or byte by byte, or stops in the midst ends nothing but itself. And all
 * of it with a guest that paints.
 *
 * Budget: a viewer, and the program, played twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/random.h"
#include "ui/vnc.h"

#define WIDTH  32u
#define HEIGHT 20u

struct world {
    struct vnc v;
    struct viewer_source source;
    struct viewer_screen screen;
    uint8_t rgb[HEIGHT * 2][WIDTH * 2 * 3];
    char said[512];
    char err[256];
    uint64_t prng;
};

static bool on_screen(void *data, struct viewer_screen *s)
{
    *s = ((struct world *)data)->screen;
    return s->width;
}

static void on_row(void *data, unsigned int y, unsigned int width, uint8_t *rgb)
{
    struct world *w = data;

    for (unsigned int x = 0; x < width; x++) /* of a wide screen, the same again */
        memcpy(rgb + 3 * x, w->rgb[y % (2 * HEIGHT)] + 3 * (x % (2 * WIDTH)), 3);
}

static void on_key(void *data, bool down, unsigned int key)
{
    struct world *w = data;
    const size_t n = strlen(w->said);

    snprintf(w->said + n, sizeof(w->said) - n, "%c%u ", down ? '+' : '-', key);
}

static void on_pointer(void *data, int x, int y, int wheel)
{
    struct world *w = data;
    const size_t n = strlen(w->said);

    snprintf(w->said + n, sizeof(w->said) - n, "@%d,%d,%d ", x, y, wheel);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->source = (struct viewer_source){ w, on_screen, on_row, on_key, on_pointer };
    w->screen = (struct viewer_screen){ WIDTH, HEIGHT, 1, false };
    w->prng = 9;
    for (unsigned int y = 0; y < 2 * HEIGHT; y++)
        for (unsigned int x = 0; x < sizeof(w->rgb[0]); x++)
            w->rgb[y][x] = (uint8_t)(7 * y + x * x);
    assert_int_equal(vnc_open(&w->v, 0, false, NULL, "a screen", w->err, sizeof(w->err)), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    vnc_close(&w->v);
    free(w);
    return 0;
}

static int viewer(struct world *w)
{
    const struct sockaddr_in addr = { .sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)w->v.port),
                                      .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static void take(struct world *w) { vnc_take(&w->v, &w->source); }

/* Exactly n bytes, with turns of the door between; what was wanted, if that is not NULL. */
static void hear(struct world *w, int fd, void *to, size_t n, const void *wanted)
{
    uint8_t *bytes = to;

    for (size_t got = 0, turns = 0; got < n; turns++) {
        const ssize_t k = recv(fd, bytes + got, n - got, MSG_DONTWAIT);

        assert_true(turns < 20000);
        assert_int_not_equal(k, 0);
        got += k > 0 ? (size_t)k : 0;
        if (k < 0)
            poll(NULL, 0, turns > 100);
        take(w);
    }
    if (wanted)
        assert_memory_equal(to, wanted, n);
}

static void tell(struct world *w, int fd, const void *bytes, size_t n)
{
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
    take(w);
}

static int greeted(struct world *w)
{
    const int fd = viewer(w);
    uint8_t text[64];

    hear(w, fd, text, 12, "RFB 003.008\n");
    tell(w, fd, "RFB 003.008\n", 12);
    hear(w, fd, text, 2, "\1\1");
    tell(w, fd, "\1", 1);
    hear(w, fd, text, 4, "\0\0\0\0");
    tell(w, fd, "\1", 1);
    hear(w, fd, text, 24 + 8, NULL);
    assert_memory_equal(text, ((uint8_t[]){ 0, WIDTH, 0, HEIGHT, 32 }), 5);
    assert_memory_equal(text + 14, ((uint8_t[]){ 0, 8, 16 }), 3); /* red, green, blue */
    assert_memory_equal(text + 24, "a screen", 8);
    return fd;
}

static void ask(struct world *w, int fd, bool changes)
{
    const uint8_t m[10] = { 3, changes, 0, 0, 0, 0, 0, WIDTH, 0, HEIGHT };

    tell(w, fd, m, sizeof(m));
}

/* A rectangle of rows, as 32 bits: they are these. */
static void rows(struct world *w, int fd, unsigned int first, unsigned int nr)
{
    uint8_t head[16], row[WIDTH * 4];

    hear(w, fd, head, sizeof(head), ((uint8_t[]){ 0, 0, 0, 1, 0, 0, 0, first, 0, WIDTH, 0, nr, 0, 0, 0, 0 }));
    for (unsigned int y = first; y < first + nr; y++) {
        hear(w, fd, row, sizeof(row), NULL);
        for (unsigned int x = 0; x < WIDTH; x++)
            assert_memory_equal(row + 4 * x, w->rgb[y] + 3 * x, 3);
    }
}

static void silent(struct world *w, int fd)
{
    uint8_t byte;

    for (unsigned int i = 0; i < 10; i++)
        take(w);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
}

static void what_is_drawn(void **state)
{
    struct world *w = *state;
    const int fd = greeted(w);

    ask(w, fd, false);
    rows(w, fd, 0, HEIGHT);
    ask(w, fd, true);
    silent(w, fd); /* nothing has changed */
    w->screen.updates++;
    silent(w, fd); /* or only said so */
    w->rgb[5][3]++, w->rgb[7][90]++, w->screen.updates++;
    rows(w, fd, 5, 3);
    ask(w, fd, true);
    w->screen.silent = true, w->rgb[6][3]++; /* without a word */
    rows(w, fd, 6, 1);
    ask(w, fd, false);
    rows(w, fd, 0, HEIGHT);
    close(fd);
}

/* Who does not know the password does not get in, nor who will not be asked. The library's own cipher answers. */
static void a_password(void **state)
{
    struct world *w = *state;
    void *library = dlopen("libvncserver.so.1", RTLD_NOW);
    void (*encrypt)(unsigned char *bytes, char *password);
    uint8_t text[64], byte;

    assert_non_null(library);
    *(void **)&encrypt = dlsym(library, "rfbEncryptBytes");
    assert_non_null(encrypt);
    vnc_close(&w->v);
    assert_int_equal(vnc_open(&w->v, 0, false, "sesame", "a screen", w->err, sizeof(w->err)), 0);
    for (unsigned int i = 0; i < 3; i++) {
        const int fd = viewer(w);

        hear(w, fd, text, 12, "RFB 003.008\n");
        tell(w, fd, "RFB 003.008\n", 12);
        hear(w, fd, text, 2, "\1\2");
        if (i == 2) { /* no password is asked for, it says */
            tell(w, fd, "\1", 1);
            for (unsigned int t = 0; t < 50; t++)
                take(w);
            assert_int_not_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
        } else {
            tell(w, fd, "\2", 1);
            hear(w, fd, text, 16, NULL);
            encrypt(text, i ? "Sesame" : "sesame");
            tell(w, fd, text, 16);
            hear(w, fd, text, 4, i ? "\0\0\0\1" : "\0\0\0\0");
        }
        close(fd);
    }
    dlclose(library);
}

/* 16 bits, the high byte first: five, six and five. */
static void other_pixels(void **state)
{
    static const uint8_t format[20] = { 0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 };
    struct world *w = *state;
    uint8_t head[16], pixels[WIDTH * HEIGHT * 2];
    const int fd = greeted(w);

    tell(w, fd, format, sizeof(format));
    ask(w, fd, true);
    hear(w, fd, head, sizeof(head), NULL);
    hear(w, fd, pixels, sizeof(pixels), NULL);
    for (unsigned int i = 0; i < WIDTH * HEIGHT; i++) {
        const uint8_t *rgb = &w->rgb[i / WIDTH][i % WIDTH * 3];

        const unsigned int pixel = (unsigned int)pixels[2 * i] << 8 | pixels[2 * i + 1];
        const unsigned int parts[3] = { pixel >> 11, pixel >> 5 & 63, pixel & 31 }, max[3] = { 31, 63, 31 };

        for (unsigned int k = 0; k < 3; k++) /* rounded this way or that */
            assert_in_range(parts[k] * 255 / max[k] + 9, rgb[k], rgb[k] + 18u);
    }
    close(fd);
}

static void another_size(void **state)
{
    static const uint8_t knows[] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21 };
    struct world *w = *state;
    const int fd = greeted(w), old = greeted(w);
    uint8_t text[16];

    tell(w, fd, knows, sizeof(knows));
    ask(w, fd, true);
    rows(w, fd, 0, HEIGHT);
    ask(w, fd, true);
    ask(w, old, true);
    rows(w, old, 0, HEIGHT);
    ask(w, old, true);
    w->screen = (struct viewer_screen){ 2 * WIDTH, 2 * HEIGHT, 9, false };
    hear(w, fd, text, 16, ((uint8_t[]){ 0, 0, 0, 1, 0, 0, 0, 0, 0, 2 * WIDTH, 0, 2 * HEIGHT, 0xff, 0xff, 0xff, 0x21 }));
    take(w);
    assert_int_not_equal(recv(old, text, 1, MSG_DONTWAIT), 0); /* it cannot be told, and sees a part */
    close(fd);
    close(old);
}

/* One that is larger than what is shown is cut off. */
static void a_large_screen(void **state)
{
    struct world *w = *state;
    uint8_t text[64];
    int fd;

    w->screen = (struct viewer_screen){ 32768, 8, 2, false };
    take(w);
    fd = viewer(w);
    hear(w, fd, text, 12, NULL);
    tell(w, fd, "RFB 003.008\n\1\1", 14);
    hear(w, fd, text, 2 + 4 + 24, NULL);
    assert_memory_equal(text + 6, ((uint8_t[]){ VIEWER_SIDE >> 8, 0, 0, 8 }), 4);
    take(w);
    close(fd);
}

static void keys_and_pointer(void **state)
{
    static const uint8_t typed[] = {
        4, 1, 0, 0, 0, 0, 0xff, 0xe1, 4, 1, 0, 0, 0, 0, 0, 'A',  4, 0, 0, 0, 0, 0, 0,    'A',  /* Shift, A */
        4, 0, 0, 0, 0, 0, 0xff, 0xe1, 4, 1, 0, 0, 0, 0, 0, 0xe4, 4, 1, 0, 0, 0, 0, 0xff, 0x0d, /* none, Return */
        6, 0, 0, 0, 0, 0, 0,    3,    4, 4, 4,                                                 /* a text */
        5, 1, 0, 3, 0, 4, 5,    0,    0, 3, 0, 5, 5, 8, 0, 3,    0, 5,                         /* click, wheel */
    };
    struct world *w = *state;

    for (unsigned int whole = 0; whole < 2; whole++) {
        static const uint8_t size[7] = { [4] = 8, [5] = 6, [6] = 11 };
        const int fd = greeted(w);

        *w->said = '\0';
        for (size_t at = 0, n; at < sizeof(typed); at += n) {
            n = whole ? sizeof(typed) : size[typed[at]];
            tell(w, fd, typed + at, n);
        }
        for (unsigned int n = 0; n < 100 && !strstr(w->said, ",-1"); n++)
            take(w), poll(NULL, 0, 1);
        assert_string_equal(w->said, "+42 +30 -30 -42 +28 @3,4,0 +272 @3,5,0 -272 @3,5,-1 ");
        close(fd);
        take(w);
    }
}

/* It stops in the midst of a message: it is hung up on, and others are served. */
static void stops(void **state)
{
    struct world *w = *state;
    const int steady = greeted(w), fd = greeted(w);
    uint8_t byte;

    tell(w, fd, "\4\1\0", 3);
    for (unsigned int i = 0; i < 10; i++)
        take(w);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    ask(w, steady, false);
    rows(w, steady, 0, HEIGHT);
    close(fd);
    close(steady);
}

/* Each symbol of the keyboard has a key, and each key of a row its own. */
static void every_key(void **state)
{
    unsigned int used[128] = { 0 };

    (void)state;
    for (uint32_t c = ' '; c < 0x7f; c++) {
        assert_in_range(vnc_key(c), 2, 57);
        used[vnc_key(c)]++;
    }
    for (unsigned int k = 2; k < 58; k++)
        assert_int_equal(used[k], k == 57 ? 1 : k == 14 || k == 15 || k == 28 || k == 29 || k == 42 || k > 53 ? 0 : 2);
    assert_int_equal(vnc_key('q'), 16);
    assert_int_equal(vnc_key('~'), 41);
    assert_int_equal(vnc_key('|'), 43);
    assert_int_equal(vnc_key('M'), 50);
    assert_int_equal(vnc_key('?'), 53);
    assert_int_equal(vnc_key(0xffbe), 59);
    assert_int_equal(vnc_key(0xffc9), 88);
    assert_int_equal(vnc_key(0x20ac), 0);
}

/* Viewers of no good intent, one after the other, beside one that goes on. */
static void nonsense(void **state)
{
    struct world *w = *state;
    const int steady = greeted(w);

    for (unsigned int i = 0; i < 100; i++) {
        const int fd = i % 2 ? greeted(w) : viewer(w);
        uint8_t bytes[600];
        const size_t n = random_of(&w->prng, sizeof(bytes));

        *w->said = '\0';
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)random_of(&w->prng, k % 5 ? 8 : 256);
        send(fd, bytes, n, MSG_NOSIGNAL);
        for (unsigned int k = 0; k < 3; k++)
            take(w);
        close(fd);
        for (unsigned int k = 0; k < 3; k++)
            take(w);
        if (i % 50 == 0) {
            ask(w, steady, false);
            rows(w, steady, 0, HEIGHT);
        }
    }
    close(steady);
}

static void taken_ports(void **state)
{
    struct world *w = *state;
    struct vnc other;

    assert_int_equal(vnc_open(&other, w->v.port, false, NULL, "x", w->err, sizeof(w->err)), -1);
    assert_non_null(strstr(w->err, "--vnc: 127.0.0.1:"));
    assert_int_equal(vnc_open(&other, w->v.port, true, NULL, "x", w->err, sizeof(w->err)), 0);
    assert_true(other.port > w->v.port);
    vnc_close(&other);
}

/* --- the program --- */

static FILE *start(char *const argv[], pid_t *pid)
{
    const char *program = getenv("XENLAB");
    int fd[2];

    assert_int_equal(pipe(fd), 0);
    *pid = fork();
    if (*pid == 0) {
        const int nothing = open("/dev/null", O_RDONLY);

        dup2(nothing, 0);
        dup2(fd[1], 1);
        dup2(fd[1], 2);
        alarm(60);
        execv(program ? program : "./xenlab", argv);
        _exit(127);
    }
    close(fd[1]);
    return fdopen(fd[0], "r");
}

static void wait_for(FILE *said, const char *word, char line[256])
{
    do
        assert_non_null(fgets(line, 256, said));
    while (!strstr(line, word));
}

static void hear_all(int fd, size_t n)
{
    uint8_t bytes[64];

    for (; n; n--)
        assert_int_equal(recv(fd, bytes, 1, MSG_WAITALL), 1);
}

static void key_tell(int fd, uint8_t key)
{
    assert_int_equal(send(fd, ((uint8_t[]){ 4, 1, 0, 0, 0, 0, 0, key, 4, 0, 0, 0, 0, 0, 0, key }), 16, 0), 16);
}

static void ended(FILE *said, pid_t pid)
{
    char line[256];
    int status;

    while (fgets(line, sizeof(line), said))
        ;
    fclose(said);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static size_t file_read(const char *dir, const char *name, uint8_t *bytes, size_t size)
{
    char path[64];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(bytes, 1, size, f);
    fclose(f);
    unlink(path);
    return n;
}

/* A viewer draws with the guest that paints; its recording draws the same without a viewer. */
static void a_picture_is_painted(void **state)
{
    static uint8_t a[65536], b[65536], nothing[65536];
    char dir[] = "/tmp/test_vnc.XXXXXX", line[256], png[64], png2[64], rec[64];
    char *const run[] = { "xenlab", "run", "--fb", "--vnc", "0", "--fb-png", png, "--record", rec, "build/guests/paint",
                          NULL };
    char *const replay[] = { "xenlab", "replay", "--fb-png", png2, rec, NULL };
    struct world w = { 0 };
    size_t sizes[2];
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(png, sizeof(png), "%s/a", dir);
    snprintf(png2, sizeof(png2), "%s/b", dir);
    snprintf(rec, sizeof(rec), "%s/rec", dir);
    for (unsigned int drawn = 0; drawn < 2; drawn++) {
        FILE *said = start(run, &pid);
        int fd;

        wait_for(said, "(VNC)", line);
        assert_int_equal(sscanf(strstr(line, "127.0.0.1:"), "127.0.0.1:%u", &w.v.port), 1);
        wait_for(said, "Draw: ", line);
        fd = viewer(&w);
        hear_all(fd, 12);
        assert_int_equal(send(fd, "RFB 003.008\n\1\1", 14, 0), 14);
        hear_all(fd, 2 + 4 + 24 + 5);
        key_tell(fd, '2');
        for (uint8_t i = 0; drawn && i < 60; i++)
            assert_int_equal(send(fd, ((uint8_t[]){ 5, i > 0 && i < 59, 0, 20 + i, 0, 30 + i }), 6, 0), 6);
        key_tell(fd, 'q');
        ended(said, pid);
        close(fd);
        sizes[0] = drawn ? file_read(dir, "a", a, sizeof(a)) : file_read(dir, "a", nothing, sizeof(nothing));
        said = start(replay, &pid);
        ended(said, pid);
        sizes[1] = file_read(dir, "b", b, sizeof(b));
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(drawn ? a : nothing, b, sizes[0]);
        unlink(rec);
    }
    assert_int_not_equal(memcmp(a, nothing, sizes[0]), 0);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_password, setup, teardown),
        cmocka_unit_test_setup_teardown(other_pixels, setup, teardown),
        cmocka_unit_test_setup_teardown(another_size, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_screen, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_and_pointer, setup, teardown),
        cmocka_unit_test_setup_teardown(stops, setup, teardown),
        cmocka_unit_test(every_key),
        cmocka_unit_test_setup_teardown(nonsense, setup, teardown),
        cmocka_unit_test_setup_teardown(taken_ports, setup, teardown),
        cmocka_unit_test(a_picture_is_painted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
