// SPDX-License-Identifier: GPL-2.0-or-later
/* The screen of a guest: see rings/fb/fbback.h. */
#include "rings/fb/fbback.h"

#include "vcpu/native/map.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <string.h>
#include <xen/io/fbif.h>

/* Where pd is for a guest of 32 bits, whose long is a word. */
#define PD_OF_32_BITS (offsetof(struct xenfb_page, depth) + sizeof(uint32_t))

struct fb_device {
    struct xenbus_device *dev;
    struct task task;
    bool ready, broken; /* the task is there; the device has been given up */
    struct fb_page page;
    struct fb_screen screen;
    unsigned int nr_frames;
    mfn_t frame[FB_FRAMES_MAX];
};

static void fail(struct fb_device *f, const char *why)
{
    f->broken = true;
    xenbus_fail(f->dev, -EPROTO, "%d %s", EPROTO, why);
}

/* NULL: it is one; else why not. */
static const char *size_wrong(const struct fb_device *f, int64_t width, int64_t height, int64_t depth, int64_t line,
                              int64_t offset)
{
    const int64_t room = f->screen.length;

    if (depth != 8 && depth != 16 && depth != 24 && depth != 32)
        return "a depth is not 8, 16, 24 or 32";
    if (width < 1 || height < 1 || width > 1 << 15 || height > 1 << 15)
        return "a width or a height is not 1 to 32768";
    if (line < width * fb_pixel_bytes((unsigned int)depth) || line > room)
        return "the length of a row is less than its pixels, or more than all";
    if (offset < 0 || offset > room || line * height > room - offset)
        return "the screen is not within its memory";
    return NULL;
}

/* --- events --- */

/* Something has been drawn: where does not matter to who looks at all of it. */
static bool event_deal(struct fb_device *f, const uint8_t bytes[FB_EVENT_SIZE])
{
    struct fb_screen *s = &f->screen;
    union xenfb_out_event e;
    const char *why = NULL;

    memcpy(&e, bytes, sizeof(e));
    switch (e.type) {
    case XENFB_TYPE_UPDATE: s->updates++; break;
    case XENFB_TYPE_RESIZE:
        why = size_wrong(f, e.resize.width, e.resize.height, e.resize.depth, e.resize.stride, e.resize.offset);
        if (why) {
            fail(f, why);
            return false;
        }
        s->width = (unsigned int)e.resize.width;
        s->height = (unsigned int)e.resize.height;
        s->depth = (unsigned int)e.resize.depth;
        s->line = (uint32_t)e.resize.stride;
        s->offset = (uint32_t)e.resize.offset;
        break;
    default: s->unknown++;
    }
    return true;
}

static bool fb_step(struct task *t, unsigned int budget)
{
    struct fb_device *f = t->data;
    uint8_t event[FB_EVENT_SIZE];
    int rc = 0;

    for (unsigned int i = 0; i < budget && !f->broken; i++) {
        rc = fb_page_take(&f->page, XENFB_OUT_RING_OFFS, XENFB_OUT_RING_LEN, event);
        if (rc < 0)
            fail(f, "an index of the ring cannot be");
        if (rc <= 0)
            return false;
        task_charge(t, 1, sizeof(event));
        if (!event_deal(f, event))
            return false;
    }
    return !f->broken;
}

static size_t fb_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct fb_device *f = t->data;
    const struct xenfb_page *page = (const struct xenfb_page *)f->page.page;

    if (!page || port != f->page.port)
        return 0;
    *r = (struct task_ring){ .front = f->dev->front,
                             .device = "vfb",
                             .name = "out",
                             .from_front = true,
                             .prod = page->out_prod,
                             .cons = f->page.out_cons,
                             .size = XENFB_OUT_RING_LEN };
    return 1;
}

static const struct task_ops fb_task = { .name = "vfb", .step = fb_step, .rings = fb_rings };

/* --- connecting --- */

static uint64_t number_at(const uint8_t *bytes, bool narrow, size_t i)
{
    uint64_t wide;
    uint32_t word;

    memcpy(&word, bytes + i * sizeof(word), sizeof(word));
    memcpy(&wide, bytes + (narrow ? 0 : i) * sizeof(wide), sizeof(wide));
    return narrow ? word : wide;
}

/* Note the frames of the screen, and be sure that each is the guest's. */
static int frames_note(struct fb_device *f, const struct xenfb_page *head, bool narrow)
{
    struct vcpu *v = native_vcpu(xenbus_kernel(f->dev->bus));
    const size_t per = PAGE_SIZE / (narrow ? sizeof(uint32_t) : sizeof(uint64_t));
    const size_t nr = (f->screen.length + PAGE_SIZE - 1) / PAGE_SIZE;
    uint8_t table[PAGE_SIZE], pixels[PAGE_SIZE];
    const uint8_t *pd = (const uint8_t *)head + (narrow ? PD_OF_32_BITS : offsetof(struct xenfb_page, pd));

    for (size_t i = 0; i < nr; i++) {
        if (i % per == 0 && native_read_foreign(v, f->dev->front, _mfn(number_at(pd, narrow, i / per)), table))
            return xenbus_fail(f->dev, -EINVAL, "%d a table of frames is not the guest's", EINVAL);
        f->frame[i] = _mfn(number_at(table, narrow, i % per));
        if (native_read_foreign(v, f->dev->front, f->frame[i], pixels))
            return xenbus_fail(f->dev, -EINVAL, "%d a frame of the screen is not the guest's", EINVAL);
    }
    f->nr_frames = (unsigned int)nr;
    return 0;
}

static int screen_connect(struct fb_device *f)
{
    uint8_t copy[PAGE_SIZE];
    const struct xenfb_page *head = (const struct xenfb_page *)copy;
    char protocol[XENBUS_VALUE];
    const char *why;

    memcpy(copy, f->page.page, sizeof(copy));
    f->screen = (struct fb_screen){ .width = (unsigned int)head->width,
                                    .height = (unsigned int)head->height,
                                    .depth = head->depth,
                                    .line = head->line_length,
                                    .length = head->mem_length };
    if (head->mem_length > FB_FRAMES_MAX * PAGE_SIZE)
        return xenbus_fail(f->dev, -EINVAL, "%d a screen of more than 16 MiB", EINVAL);
    why = size_wrong(f, head->width, head->height, head->depth, head->line_length, 0);
    if (why)
        return xenbus_fail(f->dev, -EINVAL, "%d %s", EINVAL, why);
    f->page.out_cons = head->out_cons;
    f->page.in_prod = head->in_prod;
    return frames_note(f, head, xenbus_read(f->dev, true, "protocol", protocol) && !strcmp(protocol, "x86_32-abi"));
}

static void fb_disconnect(struct xenbus_device *dev)
{
    struct fb_device *f = dev->data;

    fb_page_disconnect(&f->page);
    if (f->ready)
        task_end(&f->task);
    f->ready = false;
    f->nr_frames = 0;
}

static int fb_connect(struct xenbus_device *dev)
{
    struct fb_device *f = dev->data;
    int rc;

    f->broken = false;
    task_init(&f->task, xenbus_kernel(dev->bus), &fb_task, f);
    f->ready = true;
    rc = fb_page_connect(&f->page, dev, &f->task);
    if (!rc)
        rc = screen_connect(f);
    if (rc)
        fb_disconnect(dev);
    else
        task_ready(&f->task);
    return rc;
}

static int fb_probe(struct xenbus_device *dev)
{
    struct fb_device *f = dev->data = xzalloc(xenbus_data(dev), struct fb_device);

    if (!f)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    f->dev = dev;
    xenbus_write(dev, "feature-resize", "1");
    xenbus_write(dev, "request-update", "1");
    return 0;
}

static void fb_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops fbback = {
    .type = "vfb", .probe = fb_probe, .connect = fb_connect, .disconnect = fb_disconnect, .remove = fb_remove
};

/* --- for who looks --- */

const struct fb_screen *fbback_screen(const struct xenbus_device *dev)
{
    const struct fb_device *f = dev->data;

    return f && f->nr_frames && !f->broken ? &f->screen : NULL;
}

mfn_t fbback_frame(const struct xenbus_device *dev, unsigned int i)
{
    const struct fb_device *f = dev->data;

    return f->frame[i];
}
