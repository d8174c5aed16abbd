// SPDX-License-Identifier: GPL-2.0-or-later
/* The keyboard and the pointer of a guest: see rings/fb/kbdback.h. */
#include "rings/fb/kbdback.h"

#include "vcpu/native/ring.h"

#include <errno.h>
#include <string.h>
#include <xen/io/kbdif.h>

#define RAW_MAX     0x7fff
#define BUTTONS     0x100 /* of Linux's numbers, up to */
#define BUTTONS_END 0x160

struct kbd_device {
    struct xenbus_device *dev;
    struct task task;
    bool ready, broken; /* the task is there; the device has been given up */
    struct fb_page page;
    struct kbd_event waiting[KBD_WAITING];
    unsigned int nr_waiting;
    bool absolute, raw;           /* how the front end wants to hear of places */
    bool no_keyboard, no_pointer; /* as the toolstack says */
    int32_t x, y;                 /* where the pointer was last */
    s_time_t full_since;          /* 0: it is not */
    uint64_t dropped, sent;
};

static struct xen *xen(const struct kbd_device *k) { return native_vcpu(xenbus_kernel(k->dev->bus))->domain->xen; }

static void event_make(const struct kbd_event *from, uint8_t bytes[FB_EVENT_SIZE])
{
    union xenkbd_in_event e;

    memset(&e, 0, sizeof(e));
    e.type = (uint8_t)from->type;
    switch (from->type) {
    case XENKBD_TYPE_KEY:
        e.key.pressed = from->a != 0;
        e.key.keycode = (uint32_t)from->b;
        break;
    case XENKBD_TYPE_MOTION:
        e.motion.rel_x = from->a;
        e.motion.rel_y = from->b;
        e.motion.rel_z = from->c;
        break;
    default:
        e.pos.abs_x = from->a;
        e.pos.abs_y = from->b;
        e.pos.rel_z = from->c;
    }
    memcpy(bytes, &e, sizeof(e));
}

/* From here on it is full, or no more. */
static void full_note(struct kbd_device *k, bool full)
{
    const domid_t domid = k->dev->front;
    const s_time_t now = NOW(xen(k)), since = k->full_since;

    if (full == (since != 0))
        return;
    k->full_since = full ? now : 0;
    if (full)
        TRACE(xen(k)->machine, ring_full, domid, 0, domid, TRACE_RING_KEYS, XENKBD_IN_RING_LEN);
    else
        TRACE(xen(k)->machine, ring_free, domid, 0, domid, TRACE_RING_KEYS, now - since);
}

/* What waits goes into the ring; what comes out of it is not known, and passed over. */
static bool kbd_step(struct task *t, unsigned int budget)
{
    struct kbd_device *k = t->data;
    uint8_t event[FB_EVENT_SIZE];
    const uint32_t before = k->page.in_prod;
    unsigned int n = 0;
    int rc = 1;

    if (k->broken)
        return false;
    while (n < budget && (rc = fb_page_take(&k->page, XENKBD_OUT_RING_OFFS, XENKBD_OUT_RING_LEN, event)) > 0)
        n++;
    for (n = 0; rc >= 0 && n < k->nr_waiting; n++) {
        event_make(&k->waiting[n], event);
        rc = fb_page_put(&k->page, XENKBD_IN_RING_OFFS, XENKBD_IN_RING_LEN, event);
        if (rc <= 0)
            break;
        task_charge(t, 1, sizeof(event));
    }
    if (rc < 0) {
        k->broken = true;
        xenbus_fail(k->dev, -EPROTO, "%d an index of the ring cannot be", EPROTO);
        return false;
    }
    k->nr_waiting -= n;
    memmove(k->waiting, k->waiting + n, k->nr_waiting * sizeof(k->waiting[0]));
    full_note(k, rc == 0 && k->nr_waiting);
    if (n) {
        TRACE(xen(k)->machine, ring, k->dev->front, 0, k->dev->front, TRACE_RING_KEYS, before, k->page.in_prod,
              TRACE_NONE, true);
        fb_page_notify(&k->page);
        k->sent++;
    }
    return false; /* a full ring: whoever takes something of it says so, or the next key does */
}

static size_t kbd_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct kbd_device *k = t->data;
    const struct xenkbd_page *page = (const struct xenkbd_page *)k->page.page;

    if (!page || port != k->page.port)
        return 0;
    *r = (struct task_ring){ .front = k->dev->front,
                             .device = "vkbd",
                             .name = "in",
                             .prod = k->page.in_prod,
                             .cons = page->in_cons,
                             .size = XENKBD_IN_RING_LEN,
                             .sent = k->sent,
                             .full_since = k->full_since,
                             .lost = k->dropped };
    return 1;
}

static const struct task_ops kbd_task = { .name = "vkbd", .step = kbd_step, .rings = kbd_rings };

bool kbdback_connected(const struct xenbus_device *dev)
{
    const struct kbd_device *k = dev->data;

    return k && k->page.page && !k->broken;
}

/* Buttons are keys, but a pointer's. */
static bool is_pointers(const struct kbd_event *e)
{
    return e->type != XENKBD_TYPE_KEY || (e->b >= BUTTONS && e->b < BUTTONS_END);
}

void kbdback_event(struct xenbus_device *dev, const struct kbd_event *e)
{
    struct kbd_device *k = dev->data;

    if (is_pointers(e) ? k->no_pointer : k->no_keyboard)
        return;
    if (k->nr_waiting < KBD_WAITING) {
        k->waiting[k->nr_waiting++] = *e;
    } else {
        k->dropped++;
        TRACE(xen(k)->machine, ring_lost, k->dev->front, 0, k->dev->front, TRACE_RING_KEYS, k->dropped);
    }
    task_ready(&k->task);
}

static int32_t scaled(int32_t at, uint32_t size) { return (int32_t)((int64_t)at * RAW_MAX / (size - 1)); }

void kbdback_pointer(struct xenbus_device *dev, int32_t x, int32_t y, int32_t wheel, uint32_t width, uint32_t height)
{
    struct kbd_device *k = dev->data;
    struct kbd_event e = { XENKBD_TYPE_POS, x, y, wheel };

    if (!k->absolute)
        e = (struct kbd_event){ XENKBD_TYPE_MOTION, (int32_t)((uint32_t)x - (uint32_t)k->x),
                                (int32_t)((uint32_t)y - (uint32_t)k->y), wheel };
    else if (k->raw && width > 1 && height > 1)
        e = (struct kbd_event){ XENKBD_TYPE_POS, scaled(x, width), scaled(y, height), wheel };
    k->x = x;
    k->y = y;
    kbdback_event(dev, &e);
}

uint64_t kbdback_dropped(const struct xenbus_device *dev)
{
    const struct kbd_device *k = dev->data;

    return k ? k->dropped : 0;
}

static void kbd_disconnect(struct xenbus_device *dev)
{
    struct kbd_device *k = dev->data;

    fb_page_disconnect(&k->page);
    if (k->ready)
        task_end(&k->task);
    k->ready = false;
    k->nr_waiting = 0;
    k->full_since = 0;
}

static bool is_set(const struct xenbus_device *dev, bool front, const char *node)
{
    uint64_t n;

    return xenbus_read_number(dev, front, node, 0, UINT32_MAX, &n) && n;
}

static int kbd_connect(struct xenbus_device *dev)
{
    struct kbd_device *k = dev->data;
    int rc;

    k->broken = false;
    task_init(&k->task, xenbus_kernel(dev->bus), &kbd_task, k);
    k->ready = true;
    rc = fb_page_connect(&k->page, dev, &k->task);
    if (rc) {
        kbd_disconnect(dev);
        return rc;
    }
    k->absolute = is_set(dev, true, XENKBD_FIELD_REQ_ABS_POINTER);
    k->raw = is_set(dev, true, XENKBD_FIELD_REQ_RAW_POINTER);
    k->page.in_prod = ((const struct xenkbd_page *)k->page.page)->in_prod;
    k->page.out_cons = ((const struct xenkbd_page *)k->page.page)->out_cons;
    return 0;
}

static int kbd_probe(struct xenbus_device *dev)
{
    struct kbd_device *k = dev->data = xzalloc(xenbus_data(dev), struct kbd_device);
    char value[XENBUS_VALUE];

    if (!k)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    k->dev = dev;
    k->no_keyboard = is_set(dev, false, XENKBD_FIELD_FEAT_DSBL_KEYBRD);
    k->no_pointer = is_set(dev, false, XENKBD_FIELD_FEAT_DSBL_POINTER);
    if (!xenbus_read(dev, false, XENKBD_FIELD_FEAT_ABS_POINTER, value)) /* else the toolstack has said */
        xenbus_write(dev, XENKBD_FIELD_FEAT_ABS_POINTER, "1");
    if (!xenbus_read(dev, false, XENKBD_FIELD_FEAT_RAW_POINTER, value))
        xenbus_write(dev, XENKBD_FIELD_FEAT_RAW_POINTER, "1");
    return 0;
}

static void kbd_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops kbdback = {
    .type = "vkbd", .probe = kbd_probe, .connect = kbd_connect, .disconnect = kbd_disconnect, .remove = kbd_remove
};
