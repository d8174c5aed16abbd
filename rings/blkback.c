// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block back end: dom0's end of a virtual disk.
 *
 * Concept: only the ring is mapped. Requests are taken from it by a task (blk_task.c), done (blk_request.c), and
 * answered when a disk would have done them. Here is what the toolstack and the front end say of a device in xenstore,
 * and what can go wrong in connecting.
 *
 * Invariants: everything that the front end says is hostile; a ring that makes no sense ends the device, and nothing
 * else.
 *
 * Source: public io/blkif.h. Corresponds to Linux's drivers/block/xen-blkback. Left out: several rings a
 * device, grants that stay (feature-persistent), barriers.
 */
#include "rings/blk_private.h"

#include "vcpu/native/grant.h"
#include "vcpu/native/ring.h"

#include <stdio.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#define RING_ORDER_MAX 4u

_Static_assert(sizeof(struct blkif_request) == 112 && 1u << RING_ORDER_MAX <= RING_PAGES_MAX, "public io/blkif.h");
_Static_assert((PAGE_SIZE << RING_ORDER_MAX) / SLOT_32 < 2 * TASK_RING_SLOTS, "a power of two, and who looks has room");

/* --- connecting --- */

static void vbd_disconnect(struct xenbus_device *dev)
{
    struct vbd *b = dev->data;
    struct evtchn_close close = { .port = b->port };

    if (b->port) {
        native_bind(xenbus_kernel(dev->bus), b->port, NULL);
        event_op(b, EVTCHNOP_close, &close);
    }
    task_end(&b->task);
    b->port = 0;
    while (b->nr_pages) {
        b->nr_pages--;
        native_grant_unmap(self(b), b->page[b->nr_pages], b->handle[b->nr_pages]);
    }
    xfree(b->answers);
    b->answers = NULL;
}

/* The layout of its requests: named, or ours. */
static int protocol(struct vbd *b)
{
    char value[XENBUS_VALUE];

    b->x86_32 = false;
    if (!xenbus_read(b->dev, true, "protocol", value))
        return 0;
    b->x86_32 = !strcmp(value, XEN_IO_PROTO_ABI_X86_32);
    if (b->x86_32 || !strcmp(value, XEN_IO_PROTO_ABI_X86_64))
        return 0;
    return xenbus_fail(b->dev, -EINVAL, "%d unknown protocol %.100s", EINVAL, value);
}

static int pages_map(struct vbd *b)
{
    const bool several = xenbus_read(b->dev, true, "ring-page-order", (char[XENBUS_VALUE]){ 0 });
    uint64_t order = 0, ref;
    char node[32] = "ring-ref";

    if (several && !xenbus_read_number(b->dev, true, "ring-page-order", 0, RING_ORDER_MAX, &order))
        return xenbus_fail(b->dev, -EINVAL, "%d ring-page-order: 0 to %u", EINVAL, RING_ORDER_MAX);
    for (unsigned int i = 0; i < 1u << order; i++) {
        if (several && (i || order))
            snprintf(node, sizeof(node), "ring-ref%u", i);
        if (!xenbus_read_number(b->dev, true, node, 0, UINT32_MAX, &ref) &&
            !(several && !order && xenbus_read_number(b->dev, true, "ring-ref0", 0, UINT32_MAX, &ref)))
            return xenbus_fail(b->dev, -EINVAL, "%d %s is missing, or no reference", EINVAL, node);
        b->page[i] = native_grant_map(self(b), b->dev->front, (grant_ref_t)ref, &b->handle[i]);
        if (!b->page[i])
            return xenbus_fail(b->dev, -EINVAL, "%d %s cannot be mapped", EINVAL, node);
        b->nr_pages++;
        for (unsigned int j = 0; j < i; j++)
            if (b->page[j] == b->page[i])
                return xenbus_fail(b->dev, -EINVAL, "%d %s is another page of the ring", EINVAL, node);
    }
    return 0;
}

static int port_bind(struct vbd *b)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = b->dev->front };
    uint64_t port;

    if (!xenbus_read_number(b->dev, true, "event-channel", 1, UINT32_MAX, &port))
        return xenbus_fail(b->dev, -EINVAL, "%d event-channel is missing, or no port", EINVAL);
    bind.remote_port = (evtchn_port_t)port;
    if (event_op(b, EVTCHNOP_bind_interdomain, &bind))
        return xenbus_fail(b->dev, -EINVAL, "%d event-channel cannot be bound", EINVAL);
    b->port = bind.local_port;
    return 0;
}

/* What its `params` names now. NULL: there is no such disk; a CD drive without a disc has "". */
static struct disk *disk_named(const struct xenbus_device *dev)
{
    struct disk *disk = ((struct blkback_disks *)xenbus_data(dev))->first;
    char params[XENBUS_VALUE];

    if (!xenbus_read(dev, false, "params", params))
        return NULL;
    while (disk && strcmp(disk->path, params))
        disk = disk->next;
    return disk;
}

static int vbd_connect(struct xenbus_device *dev)
{
    struct native_kernel *k = xenbus_kernel(dev->bus);
    struct disk *disk = disk_named(dev);
    struct vbd *b = dev->data;
    uint64_t said;
    bool grown;
    int rc;

    if (!disk) /* ejected since it was offered */
        return xenbus_fail(dev, -ENOMEDIUM, "%d there is no disc in it", ENOMEDIUM);
    b->disk = disk;
    rc = protocol(b) ?: pages_map(b) ?: port_bind(b);
    b->broken = false;
    if (!rc && !ring_init(&b->ring, (uint8_t *const *)b->page, b->nr_pages, b->x86_32 ? SLOT_32 : SLOT_64))
        rc = xenbus_fail(dev, -EPROTO, "%d the ring's indices cannot be", EPROTO);
    if (!rc) {
        task_init(&b->task, k, &blk_task, b);
        b->answers = xzalloc_array(b->disk->arena, struct answer, b->ring.nr);
        if (!b->answers || !native_bind(k, b->port, &b->task))
            rc = xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    }
    if (rc) {
        vbd_disconnect(dev);
        return rc;
    }
    grown =
        dev->again && (!xenbus_read_number(dev, false, "sectors", 0, UINT64_MAX, &said) || said != b->disk->sectors);
    xenbus_write(dev, "sectors", "%llu", (unsigned long long)b->disk->sectors);
    xenbus_write(dev, "info", "%u", b->readonly ? VDISK_READONLY : 0u);
    xenbus_write(dev, "sector-size", "%u", SECTOR_SIZE);
    xenbus_write(dev, "physical-sector-size", "%u", SECTOR_SIZE);
    if (grown) /* while nobody served it */
        xenbus_write(dev, "state", "%u", XenbusStateConnected);
    task_ready(&b->task);
    if (dev->again) { /* answers may have been shown that nobody was told of */
        struct evtchn_send send = { .port = b->port };

        event_op(b, EVTCHNOP_send, &send);
    }
    return 0;
}

/* --- the device --- */

/* The front end looks at `sectors` again whenever it hears of state 4. */
static void resized(struct xenbus_device *dev, void *disk)
{
    const struct vbd *b = dev->data;

    if (!dev->connected || b->disk != disk)
        return;
    xenbus_write(dev, "sectors", "%llu", (unsigned long long)b->disk->sectors);
    xenbus_write(dev, "state", "%u", XenbusStateConnected);
}

void blkback_resized(struct xenbus *b, struct disk *d) { xenbus_each(b, &blkback, resized, d); }

static void resume(struct xenbus_device *dev, void *disk)
{
    struct vbd *b = dev->data;

    if (dev->connected && b->disk == disk)
        task_ready(&b->task);
}

void blkback_resume(struct xenbus *b, struct disk *d) { xenbus_each(b, &blkback, resume, d); }

struct corrupted {
    const struct disk *disk;
    bool any;
};

static void corrupt(struct xenbus_device *dev, void *data)
{
    struct corrupted *c = data;
    struct vbd *b = dev->data;

    if (!dev->connected || b->disk != c->disk)
        return;
    b->ring.req_cons += 1u << 16;
    task_ready(&b->task);
    c->any = true;
}

bool blkback_corrupt(struct xenbus *b, const struct disk *d)
{
    struct corrupted c = { .disk = d };

    xenbus_each(b, &blkback, corrupt, &c);
    return c.any;
}

static int vbd_probe(struct xenbus_device *dev)
{
    struct disk *disk = disk_named(dev);
    char params[XENBUS_VALUE], mode[XENBUS_VALUE];
    struct vbd *b;

    if (!xenbus_read(dev, false, "params", params) || !xenbus_read(dev, false, "mode", mode))
        return xenbus_fail(dev, -EINVAL, "%d params or mode is missing", EINVAL);
    if (!disk)
        return xenbus_fail(dev, -ENOENT, "%d there is no such disk", ENOENT);
    b = dev->data = xzalloc(disk->arena, struct vbd);
    if (!b)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    b->dev = dev;
    b->disk = disk;
    b->readonly = *mode != 'w';
    b->discards = !b->readonly && disk->sectors <= DISCARD_MAX;
    for (unsigned int i = 0; i < BLK_SEGMENTS; i++)
        if (!(b->bounce[i] = native_frame_alloc(self(b))))
            return xenbus_fail(dev, -ENOMEM, "%d no machine memory", ENOMEM);
    xenbus_write(dev, "feature-flush-cache", "1");
    if (b->discards) {
        xenbus_write(dev, "feature-discard", "1");
        xenbus_write(dev, "discard-granularity", "%lu", PAGE_SIZE);
        xenbus_write(dev, "discard-alignment", "0");
    }
    xenbus_write(dev, "feature-max-indirect-segments", "%u", BLK_SEGMENTS);
    xenbus_write(dev, "max-ring-page-order", "%u", RING_ORDER_MAX);
    return 0;
}

static void vbd_remove(struct xenbus_device *dev)
{
    struct vbd *b = dev->data;

    for (unsigned int i = 0; b && i < BLK_SEGMENTS; i++)
        native_frame_free(self(b), b->bounce[i]);
    xfree(b);
    dev->data = NULL;
}

const struct backend_ops blkback = {
    .type = "vbd", .probe = vbd_probe, .connect = vbd_connect, .disconnect = vbd_disconnect, .remove = vbd_remove
};
