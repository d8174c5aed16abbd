// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netecho: two guests on a network, by hand.
 *
 * Shows the whole of a network card (guests/rt/netfront.h), and what a round through dom0 costs. Domain 1 sends back
 * whatever it is sent; another one calls until somebody answers, and then sends frames there and back:
 *
 *      n=1000 size=60 depth=1      so many frames of so many bytes, so many of them on their way at once
 *      serve=1, serve=0            who sends back, if it is not domain 1
 *      crash=N                     the sender ends so when the N-th is back
 *      bare=1                      only what has to be done: for who measures
 *
 * Each frame has a number and is full of it, is copied from page to page on its way, and is compared when it is back.
 * The last one ends both. Run it twice, on one bridge: `--copies 2 --net lan`.
 */
#include "guests/rt/netfront.h"

enum { FRAME_MIN = 60, FRAME_MAX = 1514 };
enum what { HELLO = 1, BALL, BYE };

struct frame {
    uint8_t to[6], from[6];
    uint8_t type[2]; /* 0x88b5: for local experiments */
    uint16_t what;
    uint32_t n;
} __attribute__((packed));

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static bool bare;

static uint8_t fill_of(uint32_t n) { return (uint8_t)(n * 31 + 7); }

static void send(const uint8_t to[6], enum what what, uint32_t n, unsigned int size)
{
    uint8_t *page = net_page();
    struct frame *f = (struct frame *)page;

    memcpy(f->to, to, 6);
    memcpy(f->from, net_mac, 6);
    f->type[0] = 0x88;
    f->type[1] = 0xb5;
    f->what = (uint16_t)what;
    f->n = n;
    if (!bare)
        memset(page + sizeof(*f), fill_of(n), size - sizeof(*f));
    net_put(size);
}

/* The next frame of ours that has arrived; NULL: none. */
static const struct frame *receive_frame(unsigned int *len)
{
    const struct frame *f;

    while ((f = (const struct frame *)net_get(len))) {
        if (*len >= FRAME_MIN && f->type[0] == 0x88 && f->type[1] == 0xb5)
            break;
        net_done();
    }
    return f;
}

static const struct frame *wait_frame(unsigned int *len)
{
    const struct frame *f;

    while (!(f = receive_frame(len))) {
        net_push();
        event_wait(net_port);
    }
    return f;
}

/* Send back, until the last. */
static int serve(void)
{
    unsigned long balls = 0;
    enum what what;

    do {
        unsigned int len;
        const struct frame *f = wait_frame(&len);
        uint8_t *page = net_page();

        what = (enum what)f->what;
        balls += what == BALL;
        memcpy(page, f, bare ? sizeof(*f) : len);
        memcpy(page, f->from, 6);
        memcpy(page + 6, net_mac, 6);
        net_done();
        net_put(len);
    } while (what != BYE);
    net_push();
    printf("%lu frames sent back.\n", balls);
    return 0;
}

/* Who answers? */
static void call(uint8_t peer[6])
{
    static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const struct frame *f;
    unsigned int len;

    for (;;) {
        send(everybody, HELLO, 0, FRAME_MIN);
        net_push();
        time_sleep(1000000);
        while ((f = receive_frame(&len))) {
            const bool found = !memcmp(f->to, net_mac, 6);

            memcpy(peer, f->from, 6);
            net_done();
            if (found)
                return;
        }
    }
}

/* The n-th is back. */
static void check(const struct frame *f, uint32_t n, unsigned int len, unsigned int size)
{
    const uint8_t *bytes = (const uint8_t *)f;

    if (len != size || f->n != n)
        guest_panic("frame %u of %u bytes is back, not %u of %u", f->n, len, n, size);
    for (unsigned int i = sizeof(*f); i < len && !bare; i++)
        if (bytes[i] != fill_of(n))
            guest_panic("frame %u has changed at byte %u", n, i);
}

static void play(const uint8_t peer[6], uint32_t n, unsigned int size, uint32_t depth)
{
    const uint32_t crash = (uint32_t)cmdline_number("crash", -1);
    uint32_t sent = 0;

    for (uint32_t back = 0; back < n;) {
        unsigned int len;
        const struct frame *f;

        while (sent < n && sent - back < depth)
            send(peer, BALL, ++sent, size);
        f = wait_frame(&len);
        if (f->what == BALL)
            check(f, ++back, len, size);
        if (back == crash)
            guest_panic("as I was told, with frames on their way");
        net_done();
    }
}

static long limited(long value, long least, long most) { return value < least ? least : value > most ? most : value; }

int guest_main(void)
{
    const uint32_t n = (uint32_t)cmdline_number("n", 1000);
    const unsigned int size = (unsigned int)limited(cmdline_number("size", FRAME_MIN), FRAME_MIN, FRAME_MAX);
    const uint32_t depth = (uint32_t)limited(cmdline_number("depth", 1), 1, NET_PAGES);
    uint8_t peer[6];
    uint64_t begin;
    unsigned int len;

    bare = cmdline_number("bare", 0);
    if (!net_connect()) {
        printf("Give me a network card: --net BRIDGE.\n");
        return 1;
    }
    if (cmdline_number("serve", device_number(device.back, "frontend-id") == 1))
        return serve();
    call(peer);
    net_sent_events = 0;
    begin = time_now();
    play(peer, n, size, depth);
    printf("%u frames of %u bytes there and back, %u at a time: %lu ns each, %lu events sent.\n", n, size, depth,
           (unsigned long)((time_now() - begin) / (n ?: 1)), (unsigned long)net_sent_events);
    send(peer, BYE, 0, FRAME_MIN);
    wait_frame(&len);
    return 0;
}
