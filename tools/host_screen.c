// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who looks at the screens of guests, and who types there.
 *
 * Concept: a screen is looked at, and that changes nothing; what is typed and pointed at is an input, as what is typed
 * at a console. A guest with a PC's devices (rings/dm/) may have a PV screen and keyboard as well: once it has
 * connected them, these are looked at.
 */
#include "mmu/page.h"
#include "rings/dm/pc.h"
#include "rings/fb/fbback.h"
#include "rings/fb/kbdback.h"
#include "tools/host_private.h"

#include <errno.h>
#include <xen/io/kbdif.h>

/* A byte after the other; the page that they are in is looked up once. */
struct reader {
    const struct xen *xen;
    const struct xenbus_device *dev;
    uint32_t page;
    const uint8_t *bytes; /* NULL: the frame is not the guest's any more */
};

static const uint8_t *page_of(const struct reader *r)
{
    const mfn_t mfn = fbback_frame(r->dev, r->page);
    const struct page_info *pg = mfn_valid(r->xen->machine, mfn) ? mfn_to_page(r->xen, mfn) : NULL;

    if (!pg || (pg->count_info & PGC_state) == PGC_state_free || !pg->owner || pg->owner->domain_id != r->dev->front)
        return NULL;
    return mfn_to_virt(r->xen->machine, mfn);
}

static uint8_t byte_at(struct reader *r, uint32_t at)
{
    if (at / PAGE_SIZE != r->page) {
        r->page = at / PAGE_SIZE;
        r->bytes = page_of(r);
    }
    return r->bytes ? r->bytes[at % PAGE_SIZE] : 0;
}

void screen_row(const struct xen *xen, const struct xenbus_device *dev, unsigned int y, unsigned int width,
                uint8_t *rgb)
{
    const struct fb_screen *s = fbback_screen(dev);
    const unsigned int n = fb_pixel_bytes(s->depth);
    struct reader r = { xen, dev, UINT32_MAX, NULL };

    for (unsigned int x = 0; x < width && x < s->width; x++, rgb += 3) {
        uint32_t pixel = 0;

        for (unsigned int i = 0; i < n; i++)
            pixel |= (uint32_t)byte_at(&r, s->offset + y * s->line + x * n + i) << 8 * i;
        if (n == 4)
            rgb[0] = (uint8_t)(pixel >> 16), rgb[1] = (uint8_t)(pixel >> 8), rgb[2] = (uint8_t)pixel;
        else if (n == 2)
            rgb[0] = (uint8_t)((pixel >> 11) * 255 / 31), rgb[1] = (uint8_t)((pixel >> 5 & 63) * 255 / 63),
            rgb[2] = (uint8_t)((pixel & 31) * 255 / 31);
        else
            rgb[0] = (uint8_t)((pixel >> 5) * 255 / 7), rgb[1] = (uint8_t)((pixel >> 2 & 7) * 255 / 7),
            rgb[2] = (uint8_t)((pixel & 3) * 255 / 3);
    }
}

struct wanted {
    domid_t domid;
    struct xenbus_device *found;
};

static void on_fb(struct xenbus_device *dev, void *data)
{
    struct wanted *w = data;

    if (dev->front == w->domid && fbback_screen(dev))
        w->found = dev;
}

static void on_kbd(struct xenbus_device *dev, void *data)
{
    struct wanted *w = data;

    if (dev->front == w->domid && kbdback_connected(dev))
        w->found = dev;
}

static struct xenbus_device *find(const struct host *h, unsigned int index, const struct backend_ops *ops)
{
    struct wanted w = { .domid = host_guest_domid(h, index) };

    xenbus_each(h->bus, ops, ops == &fbback ? on_fb : on_kbd, &w);
    return w.found;
}

static struct pc *pc_of(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    return g ? guest_pc(g) : NULL;
}

const struct pc *host_pc(const struct host *h, domid_t domid)
{
    const int index = host_guest_index(h, domid);

    return index < 0 ? NULL : pc_of(h, (unsigned int)index);
}

static bool pc_screen(const struct host *h, unsigned int index, struct host_screen *s)
{
    const struct pc *pc = pc_of(h, index);
    struct vga_screen screen;

    if (!pc || !pc->cfg.vga_mib || !vga_look(&pc->vga, &screen))
        return false;
    *s = (struct host_screen){ .width = screen.width,
                               .height = screen.height,
                               .depth = screen.bits,
                               .updates = pc->vga.changes,
                               .silent = vga_vbe_on(&pc->vga),
                               .card = true,
                               .text = screen.text,
                               .columns = screen.columns,
                               .rows = screen.rows,
                               .cursor = screen.cursor,
                               .cursor_x = screen.cursor_x,
                               .cursor_y = screen.cursor_y };
    return true;
}

bool host_console_is_serial(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    return g && guest_console_line(g) >= 0;
}

bool host_screen_card(const struct host *h, unsigned int index)
{
    const struct pc *pc = pc_of(h, index);

    return pc && pc->cfg.vga_mib;
}

struct host_screen_cell host_screen_cell(const struct host *h, unsigned int index, unsigned int x, unsigned int y)
{
    const struct pc *pc = pc_of(h, index);
    struct host_screen_cell c = { 0 };
    struct vga_screen screen;
    uint16_t cell;

    if (!pc || !pc->cfg.vga_mib || !vga_look(&pc->vga, &screen) || !screen.text)
        return c;
    cell = vga_cell(&pc->vga, x, y);
    c.character = (uint8_t)cell;
    vga_colour(&pc->vga, cell >> 8 & 15, c.colour);
    vga_colour(&pc->vga, cell >> 12 & (screen.bright_grounds ? 15 : 7), c.ground);
    return c;
}

bool host_screen(const struct host *h, unsigned int index, struct host_screen *s)
{
    const struct xenbus_device *dev = find(h, index, &fbback);
    const struct fb_screen *screen = dev ? fbback_screen(dev) : NULL;

    if (!screen)
        return pc_screen(h, index, s);
    *s = (struct host_screen){
        .width = screen->width, .height = screen->height, .depth = screen->depth, .updates = screen->updates
    };
    return true;
}

void host_screen_row(const struct host *h, unsigned int index, unsigned int y, unsigned int width, uint8_t *rgb)
{
    const struct xenbus_device *dev = find(h, index, &fbback);
    const struct pc *pc = pc_of(h, index);

    if (dev)
        screen_row(h->xen, dev, y, width, rgb);
    else if (pc && pc->cfg.vga_mib)
        vga_row(&pc->vga, y, width, rgb);
}

bool host_keyboard(const struct host *h, unsigned int index) { return find(h, index, &kbdback) || pc_of(h, index); }

static int pc_keyboard_event(struct host *h, unsigned int index, const struct host_key *key)
{
    struct pc *pc = pc_of(h, index);

    if (key->what == HOST_POINTER_AT)
        pc_pointer(pc, key->x, key->y, key->wheel);
    else if (key->what == HOST_POINTER_MOVED)
        pc_event(pc, &(struct pc_event){ .dx = key->x, .dy = key->y, .dz = key->wheel });
    else if (key->what < HOST_KEY_NR && key->x > 0)
        pc_event(pc, &(struct pc_event){ .key = (unsigned int)key->x, .down = key->what == HOST_KEY_DOWN });
    else
        return -EINVAL;
    guest_pc_kick(guest_at(h, index));
    return 0;
}

int host_keyboard_event(struct host *h, unsigned int index, const struct host_key *key, s_time_t now)
{
    struct xenbus_device *dev = find(h, index, &kbdback);
    const struct xenbus_device *fb;
    const struct fb_screen *screen;

    if (!dev && !pc_of(h, index))
        return -ENODEV;
    xen_interrupt(h->xen, now);
    if (!dev)
        return pc_keyboard_event(h, index, key);
    switch (key->what) {
    case HOST_KEY_UP:
    case HOST_KEY_DOWN:
        kbdback_event(dev, &(struct kbd_event){ XENKBD_TYPE_KEY, key->what == HOST_KEY_DOWN, key->x, 0 });
        return 0;
    case HOST_POINTER_MOVED:
        kbdback_event(dev, &(struct kbd_event){ XENKBD_TYPE_MOTION, key->x, key->y, key->wheel });
        return 0;
    case HOST_POINTER_AT:
        fb = find(h, index, &fbback);
        screen = fb ? fbback_screen(fb) : NULL;
        kbdback_pointer(dev, key->x, key->y, key->wheel, screen ? screen->width : 0, screen ? screen->height : 0);
        return 0;
    case HOST_KEY_NR: break;
    }
    return -EINVAL;
}
