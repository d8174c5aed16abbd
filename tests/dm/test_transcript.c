// SPDX-License-Identifier: GPL-2.0-or-later
/* A text screen as lines: what is written, scrolls, grows, changes again and again, and is cleared; any writes. */
#include "tests/dm/board.h"

#include "rings/dm/transcript.h"

struct room {
    struct board *b;
    struct pci_bus bus;
    struct vga v;
    struct transcript t;
    uint8_t memory[1 << 20];
    char out[65536];
    size_t n;
};

static const uint8_t *memory_page(void *owner, uint32_t page)
{
    return ((struct room *)owner)->memory + page * PAGE_SIZE;
}

static void memory_write(void *owner, uint32_t at, const void *bytes, unsigned int n)
{
    memcpy(((struct room *)owner)->memory + at, bytes, n);
}

static void memory_place(void *owner, bool present, uint64_t gpa) {}

static const struct vga_memory_ops memory_ops = { memory_page, memory_write, memory_place };

static void on_text(void *owner, const char *text, size_t n)
{
    struct room *r = owner;

    for (size_t i = 0; i < n && r->n < sizeof(r->out) - 1; i++)
        r->out[r->n++] = text[i];
    r->out[r->n] = '\0';
}

static void on_touch(void *data, unsigned int row) { transcript_touched(data, row); }

static void crtc(struct room *r, uint8_t i, uint8_t val) { outw(r->b, 0x3d4, (uint16_t)(val << 8 | i)); }

static int setup(void **state)
{
    static const uint8_t crtcs[25] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
                                       0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff };
    static const uint8_t seqs[5] = { 3, 0, 3, 0, 2 }, gfxs[9] = { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff };
    struct room *r = calloc(1, sizeof(*r));

    r->b = board_create();
    pci_bus_init(&r->bus, &r->b->dm);
    assert_true(vga_init(&r->v, &r->b->dm, &r->bus, 0x10, 1, NULL, &memory_ops, r));
    outb(r->b, 0x3c2, 0x67);
    for (uint8_t i = 0; i < 25; i++)
        crtc(r, i, crtcs[i]);
    for (uint8_t i = 0; i < 5; i++)
        outw(r->b, 0x3c4, (uint16_t)(seqs[i] << 8 | i));
    for (uint8_t i = 0; i < 9; i++)
        outw(r->b, 0x3ce, (uint16_t)(gfxs[i] << 8 | i));
    outb(r->b, 0x3c0, 0x20);
    transcript_init(&r->t, &r->b->dm, &r->v, on_text, r);
    r->v.touched = on_touch;
    r->v.touched_data = &r->t;
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct room *r = *state;

    free(r->b);
    free(r);
    return 0;
}

/* --- the guest --- */

static void cell(struct room *r, unsigned int y, unsigned int x, char c)
{
    board_write(r->b, DM_MEMORY, 0xb8000 + 2 * (80 * y + x), 2, 0x0700u | (uint8_t)c);
}

static void put(struct room *r, unsigned int y, unsigned int x, const char *text)
{
    while (*text)
        cell(r, y, x++, *text++);
}

static void scroll_up(struct room *r)
{
    for (unsigned int i = 0; i < 24 * 80; i++)
        board_write(r->b, DM_MEMORY, 0xb8000 + 2 * i, 2, board_read(r->b, DM_MEMORY, 0xb8000 + 2 * (i + 80), 2));
    for (unsigned int x = 0; x < 80; x++)
        cell(r, 24, x, ' ');
}

static void clear(struct room *r)
{
    for (unsigned int i = 0; i < 25 * 80; i++)
        cell(r, 0, i, ' ');
}

static void expect(struct room *r, const char *text)
{
    assert_string_equal(r->out, text);
    r->n = 0;
    r->out[0] = '\0';
}

static bool is_idle(const struct room *r) { return !r->t.timer.due; }

/* --- tests --- */

static void rows(void **state)
{
    struct room *r = *state;

    assert_true(is_idle(r));
    put(r, 0, 0, "hello");
    put(r, 2, 4, "a \xb0\xc9\x01");
    expect(r, "");
    pass(r->b, MILLISECS(200));
    expect(r, "hello\n    a \xe2\x96\x91\xe2\x95\x94.");
    assert_true(is_idle(r));
    put(r, 3, 0, "$ ");
    pass(r->b, MILLISECS(200));
    expect(r, "\n$"); /* the line is not ended: it may grow */
    put(r, 3, 2, "ls");
    pass(r->b, MILLISECS(200));
    expect(r, " ls");
    put(r, 4, 0, "file");
    pass(r->b, MILLISECS(200));
    expect(r, "\nfile");
    put(r, 0, 0, "H"); /* it was told: once more */
    pass(r->b, MILLISECS(300));
    expect(r, "\nHello");
    put(r, 0, 0, "H"); /* nothing has changed */
    pass(r->b, MILLISECS(300));
    expect(r, "");
    transcript_end(&r->t);
    expect(r, "\n");
    assert_true(is_idle(r));
}

/* Much more than a screen in no time: nothing is lost, and nothing told twice. */
static void scrolling(void **state)
{
    struct room *r = *state;
    char line[32], all[8192] = "";
    unsigned int y = 0;

    for (unsigned int i = 0; i < 300; i++) {
        snprintf(line, sizeof(line), "line %u", i % 7 ? i : 7); /* some are the same */
        sprintf(all + strlen(all), "%s\n", line);
        if (y == 25) {
            scroll_up(r);
            y--;
        }
        put(r, y++, 0, line);
        if (i % 50 == 49)
            pass(r->b, MILLISECS(200));
    }
    transcript_end(&r->t);
    expect(r, all);
}

/* The start address moves, and nothing in the memory. */
static void moving(void **state)
{
    struct room *r = *state;

    put(r, 0, 0, "one"), put(r, 24, 0, "two");
    crtc(r, 0x0d, 80);
    put(r, 25, 0, "three");
    crtc(r, 0x0d, 160);
    put(r, 26, 0, "four");
    pass(r->b, MILLISECS(200));
    expect(r, "one\ntwo\nthree\nfour");
}

/* The same by Linux's way: the address in two halves, the upper one first, at each line. */
static void moving_far(void **state)
{
    struct room *r = *state;
    char line[32], all[8192] = "";

    for (unsigned int i = 0; i < 200; i++) {
        const unsigned int start = 80 * (i > 24 ? i - 24 : 0);

        crtc(r, 0x0c, (uint8_t)(start >> 8));
        crtc(r, 0x0d, (uint8_t)start);
        snprintf(line, sizeof(line), "[%4u] a message", i);
        sprintf(all + strlen(all), "%s\n", line);
        put(r, i, 0, line);
    }
    transcript_end(&r->t);
    expect(r, all);
}

/* Half of it, and then something else. */
static void moving_half(void **state)
{
    struct room *r = *state;

    put(r, 0, 0, "one");
    crtc(r, 0x0c, 5); /* 16 rows */
    put(r, 16, 0, "two");
    crtc(r, 0x0d, 80);
    put(r, 17, 0, "three");
    transcript_end(&r->t);
    expect(r, "one\ntwo\nthree\n");
}

static void clearing(void **state)
{
    struct room *r = *state;

    put(r, 3, 0, "before");
    clear(r);
    put(r, 3, 0, "after");
    put(r, 0, 0, "first");
    put(r, 1, 0, "second");
    outw(r->b, 0x3ce, 0x0506); /* a picture */
    transcript_end(&r->t);
    expect(r, "before\nafter\nfirst\nsecond\n"); /* as it was written */
}

/* A clock is told less and less; its last state at the end. */
static void clock_on_the_screen(void **state)
{
    struct room *r = *state;
    char text[16];
    unsigned int told = 0;

    for (unsigned int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%02u", i);
        put(r, 5, 70, text);
        put(r, 0, 0, i % 2 ? "-" : "|"); /* at the top, too */
        pass(r->b, SECONDS(1));
    }
    for (const char *c = r->out; *c; c++)
        told += *c == '\n';
    assert_in_range(told, 4, 16);
    r->n = 0;
    transcript_end(&r->t);
    assert_non_null(strstr(r->out, "99\n"));
    pass(r->b, SECONDS(100));
    assert_true(is_idle(r));
}

static void noise(void **state)
{
    struct room *r = *state;
    uint64_t prng = 3;

    for (unsigned int seed = 0; seed < 40; seed++) {
        for (unsigned int i = 0; i < 30; i++)
            put(r, (unsigned int)random_of(&prng, 25), (unsigned int)random_of(&prng, 80), "some\x80text");
        if (seed % 4 == 0)
            board_noise(r->b, seed, 100);
        crtc(r, (uint8_t)random_of(&prng, 25), (uint8_t)random_of(&prng, 256));
        pass(r->b, (s_time_t)random_of(&prng, MILLISECS(100)));
        r->n = 0;
    }
    pass(r->b, SECONDS(10));
    assert_true(is_idle(r));
    transcript_end(&r->t);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(rows),     T(scrolling),           T(moving), T(moving_far), T(moving_half),
                                        T(clearing), T(clock_on_the_screen), T(noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
