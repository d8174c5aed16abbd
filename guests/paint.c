// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paint: a picture, drawn with the pointer.
 *
 * Shows that a screen is memory: the guest says once which of its frames are the pixels, and then only writes there.
 * What the pointer does comes as events in a shared page, as keys do. The left button draws; 1 to 7 are colours, c
 * empties the screen, q is the end.
 *
 * Stated in public <xen/io/fbif.h> and <xen/io/kbdif.h>.
 */
#include "guests/rt/xenbus.h"

#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>

#define WIDTH      160
#define HEIGHT     120
#define FRAMES     ((WIDTH * HEIGHT * 4 + 4095) / 4096)
#define KEY_1      2
#define KEY_Q      16
#define KEY_C      46
#define KEY_BUTTON 0x110

static struct xenfb_page *screen;
static struct xenkbd_page *keys;
static evtchn_port_t screen_port, keys_port;
static uint32_t *frame[FRAMES];

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static void offer(void *page, evtchn_port_t port)
{
    device_write_number("page-ref", virt_to_mfn(page));
    device_write_number("event-channel", port);
    device_write("protocol", "x86_64-abi");
    device_write_number("state", XenbusStateInitialised);
    device_back_state(XenbusStateConnected);
    device_write_number("state", XenbusStateConnected);
}

static bool screen_connect(void)
{
    unsigned long *table;

    if (!device_find("vfb"))
        return false;
    screen = page_alloc();
    table = page_alloc();
    for (unsigned int i = 0; i < FRAMES; i++) {
        frame[i] = page_alloc();
        table[i] = virt_to_mfn(frame[i]);
    }
    screen->width = WIDTH;
    screen->height = HEIGHT;
    screen->depth = 32;
    screen->line_length = WIDTH * 4;
    screen->mem_length = FRAMES * 4096;
    screen->pd[0] = virt_to_mfn(table);
    screen_port = event_alloc_unbound(device.peer);
    offer(screen, screen_port);
    return true;
}

static bool keys_connect(void)
{
    if (!device_find("vkbd"))
        return false;
    keys = page_alloc();
    keys_port = event_alloc_unbound(device.peer);
    device_write_number("request-abs-pointer", 1);
    offer(keys, keys_port);
    return true;
}

/* Something has been drawn. */
static void update(int x, int y, int width, int height)
{
    union xenfb_out_event e = { .update = { XENFB_TYPE_UPDATE, x, y, width, height } };

    if (screen->out_prod - screen->out_cons == XENFB_OUT_RING_LEN)
        return; /* it will look anyhow */
    XENFB_OUT_RING_REF(screen, screen->out_prod) = e;
    barrier();
    screen->out_prod++;
    event_send(screen_port);
}

static void fill(int x, int y, int width, int height, uint32_t colour)
{
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            if (row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH)
                frame[(row * WIDTH + column) / 1024][(row * WIDTH + column) % 1024] = colour;
    update(x, y, width, height);
}

int guest_main(void)
{
    uint32_t colour = 0xffffff;
    bool draws = false;

    if (!screen_connect() || !keys_connect()) {
        printf("Give me a screen: --fb --vnc 0.\n");
        return 1;
    }
    fill(0, 0, WIDTH, HEIGHT, 0x000040);
    printf("Draw: 1 to 7 are colours, c empties the screen, q ends.\n");
    for (;;) {
        union xenkbd_in_event e;

        while (*(volatile uint32_t *)&keys->in_prod == keys->in_cons)
            event_wait(keys_port);
        e = XENKBD_IN_RING_REF(keys, keys->in_cons);
        barrier();
        keys->in_cons++;
        if (e.type == XENKBD_TYPE_POS && draws)
            fill(e.pos.abs_x - 1, e.pos.abs_y - 1, 3, 3, colour);
        if (e.type != XENKBD_TYPE_KEY)
            continue;
        if (e.key.keycode == KEY_BUTTON)
            draws = e.key.pressed;
        else if (!e.key.pressed)
            continue;
        else if (e.key.keycode >= KEY_1 && e.key.keycode < KEY_1 + 7)
            colour = (e.key.keycode - 1) % 2 * 0xff0000 | (e.key.keycode - 1) / 2 % 2 * 0xff00 |
                     (e.key.keycode - 1) / 4 * 0xff;
        else if (e.key.keycode == KEY_C)
            fill(0, 0, WIDTH, HEIGHT, 0x000040);
        else if (e.key.keycode == KEY_Q)
            return 0;
    }
}
