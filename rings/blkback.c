// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block back end: dom0's end of a virtual disk.
 *
 * Concept: a request names sectors of the disk, and frames of the front end by grants: up to 11 in its slot, or up to
 * BLK_SEGMENTS in a page that it names (indirect). Only the ring is mapped. The bytes are copied by GNTTABOP_copy,
 * which asks each time whether they may be, between the front end's frames and frames of our own:
 *
 *      slot --copied once--> request --checked--> frames <--copy--> bounce frames <----> disk
 *                                                                               then it waits for its time
 *      answers leave in the order of the requests: whoever restarts this back end knows from the ring what is left to do
 *
 * What a request does is done when it is taken. Its answer is given when the disk would have done it, and not before
 * the answers to all earlier ones.
 *
 * Invariants: everything in a request is hostile. One that makes no sense is answered with an error, and has
 * changed nothing of the disk; a ring that makes none ends the device.
 *
 * Budget: a function an operation, and the ways to refuse each; then connecting, which can fail at every step.
 *
 * Source: public io/blkif.h. Corresponds to Linux's drivers/block/xen-blkback. Left out: several rings a device, grants
 * that stay (feature-persistent), barriers.
 */
#include "rings/blkback.h"

#include "rings/ring.h"
#include "vcpu/native/grant.h"
#include "vcpu/native/ring.h"

#include <stdio.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#define BLK_SEGMENTS   32u /* of one request */
#define RING_ORDER_MAX 4u
#define DISCARD_MAX    (UINT64_C(1) << 21) /* sectors of a disk that can be discarded as a whole: in one step */
#define SLOT_64        sizeof(struct blkif_request)
#define SLOT_32        (SLOT_64 - 4) /* 64-bit numbers need no padding before them */

_Static_assert(sizeof(struct blkif_request) == 112 && 1u << RING_ORDER_MAX <= RING_PAGES_MAX, "public io/blkif.h");
_Static_assert((PAGE_SIZE << RING_ORDER_MAX) / SLOT_32 < 2 * TASK_RING_SLOTS, "a power of two, and who looks has room");

struct answer {
    uint64_t id;
    uint8_t op;
    int16_t status;
    s_time_t due;
};

struct segment {
    grant_ref_t ref;
    uint8_t first, last; /* sectors of the frame */
};

struct request {
    uint8_t op; /* of an indirect one: what it is to do */
    unsigned int nr;
    uint64_t id, sector;
    struct segment seg[BLK_SEGMENTS];
};

struct vbd {
    struct xenbus_device *dev;
    struct disk *disk;
    bool readonly, discards;
    void *bounce[BLK_SEGMENTS];
    /* While connected: */
    struct task task;
    struct ring ring;
    bool x86_32; /* the layout of its requests */
    bool broken; /* the device will be closed */
    unsigned int nr_pages;
    void *page[RING_PAGES_MAX];
    grant_handle_t handle[RING_PAGES_MAX];
    evtchn_port_t port;
    struct answer *answers; /* ring.nr; that of request i is at i modulo that */
};

static struct vcpu *self(const struct vbd *b) { return native_vcpu(xenbus_kernel(b->dev->bus)); }

static struct machine *machine(const struct vbd *b) { return self(b)->domain->xen->machine; }

static long event_op(const struct vbd *b, unsigned int cmd, void *arg)
{
    return hypercall_native(self(b), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

/* --- what a request is --- */

/* A field of a slot, whose offset is that of the 64-bit layout. */
static void field(const struct vbd *b, const uint8_t *slot, size_t at, void *out, size_t size)
{
    memcpy(out, slot + at - (at >= 8 && b->x86_32 ? 4 : 0), size);
}

#define FIELD(slot, type, member, out)                                                                                 \
    field(b, slot, offsetof(struct type, member), out, sizeof(((struct type *)0)->member))

/* --- bytes --- */

/* One copy for each segment, all or nothing. to_front: from the bounce frames. */
static bool segments_copy(struct vbd *b, const struct request *q, bool to_front)
{
    struct gnttab_copy op[BLK_SEGMENTS];
    bool ok = true;

    for (unsigned int i = 0; i < q->nr; i++) {
        const uint16_t at = (uint16_t)(q->seg[i].first * SECTOR_SIZE);
        const struct gnttab_copy_ptr front = { .u.ref = q->seg[i].ref, .domid = b->dev->front, .offset = at };
        const struct gnttab_copy_ptr own = { .u.gmfn = native_frame(self(b), b->bounce[i]),
                                             .domid = DOMID_SELF,
                                             .offset = at };

        op[i] = (struct gnttab_copy){
            .source = to_front ? own : front,
            .dest = to_front ? front : own,
            .len = (uint16_t)((q->seg[i].last - q->seg[i].first + 1) * SECTOR_SIZE),
            .flags = to_front ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
        };
    }
    native_grant_copy(self(b), op, q->nr);
    for (unsigned int i = 0; i < q->nr; i++)
        ok &= op[i].status == GNTST_okay;
    return ok;
}

/* The disk's side of the same. */
static bool segments_transfer(struct vbd *b, const struct request *q, bool write)
{
    uint64_t sector = q->sector;
    int rc = 0;

    for (unsigned int i = 0; i < q->nr && !rc; i++) {
        const unsigned int nr = q->seg[i].last - q->seg[i].first + 1u;
        uint8_t *at = (uint8_t *)b->bounce[i] + q->seg[i].first * SECTOR_SIZE;

        rc = write ? disk_write(b->disk, sector, at, nr) : disk_read(b->disk, sector, at, nr);
        sector += nr;
    }
    return rc == 0;
}

/* Sectors [sector, sector + nr) are the disk's. */
static bool on_disk(const struct vbd *b, uint64_t sector, uint64_t nr)
{
    return sector <= b->disk->sectors && nr <= b->disk->sectors - sector;
}

/* How many sectors the segments have; 0: they are wrong. */
static unsigned int sectors_of(const struct request *q)
{
    unsigned int sum = 0;

    for (unsigned int i = 0; i < q->nr; i++) {
        if (q->seg[i].first > q->seg[i].last || q->seg[i].last >= PAGE_SIZE / SECTOR_SIZE)
            return 0;
        sum += q->seg[i].last - q->seg[i].first + 1u;
    }
    return sum;
}

/* --- the operations: each a status, and when it is done in *due --- */

static int16_t transfer(struct vbd *b, const struct request *q, s_time_t *due)
{
    const bool write = q->op == BLKIF_OP_WRITE;
    const unsigned int nr = sectors_of(q);

    if (!nr || !on_disk(b, q->sector, nr) || (write && b->readonly))
        return BLKIF_RSP_ERROR;
    *due = disk_due(b->disk, write ? DISK_WRITE : DISK_READ, q->sector, nr, *due);
    if (write)
        return segments_copy(b, q, false) && segments_transfer(b, q, true) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
    return segments_transfer(b, q, false) && segments_copy(b, q, true) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

static void segment_decode(struct segment *s, const uint8_t *bytes)
{
    struct blkif_request_segment raw;

    memcpy(&raw, bytes, sizeof(raw));
    *s = (struct segment){ raw.gref, raw.first_sect, raw.last_sect };
}

static int16_t direct(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    struct blkif_request_segment raw[BLKIF_MAX_SEGMENTS_PER_REQUEST];

    q->nr = slot[offsetof(struct blkif_request, nr_segments)];
    if (!q->nr || q->nr > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return BLKIF_RSP_ERROR;
    FIELD(slot, blkif_request, seg, raw);
    for (unsigned int i = 0; i < q->nr; i++)
        segment_decode(&q->seg[i], (const uint8_t *)&raw[i]);
    return transfer(b, q, due);
}

/* The segments are in a page of the front end's: copied once, as the slot is. */
static int16_t indirect(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    struct gnttab_copy op = { .flags = GNTCOPY_source_gref, .source.domid = b->dev->front, .dest.domid = DOMID_SELF };
    grant_ref_t refs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
    uint16_t nr;

    q->op = slot[offsetof(struct blkif_request_indirect, indirect_op)];
    FIELD(slot, blkif_request_indirect, nr_segments, &nr);
    FIELD(slot, blkif_request_indirect, indirect_grefs, refs);
    if ((q->op != BLKIF_OP_READ && q->op != BLKIF_OP_WRITE) || !nr || nr > BLK_SEGMENTS)
        return BLKIF_RSP_ERROR;
    q->nr = nr;
    op.source.u.ref = refs[0];
    op.dest.u.gmfn = native_frame(self(b), b->bounce[0]);
    op.len = (uint16_t)(nr * sizeof(struct blkif_request_segment));
    native_grant_copy(self(b), &op, 1);
    if (op.status != GNTST_okay)
        return BLKIF_RSP_ERROR;
    for (unsigned int i = 0; i < nr; i++)
        segment_decode(&q->seg[i], (const uint8_t *)b->bounce[0] + i * sizeof(struct blkif_request_segment));
    return transfer(b, q, due);
}

/* What was written before is on the disk when this is answered. It may have something to write itself. */
static int16_t flush(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    int16_t status = BLKIF_RSP_OKAY;

    if (slot[offsetof(struct blkif_request, nr_segments)]) {
        q->op = BLKIF_OP_WRITE;
        status = direct(b, slot, q, due);
        q->op = BLKIF_OP_FLUSH_DISKCACHE;
    }
    *due = disk_due(b->disk, DISK_FLUSH, 0, 0, *due);
    if (disk_flush(b->disk))
        status = BLKIF_RSP_ERROR;
    return status;
}

static int16_t discard(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    const uint8_t flag = slot[offsetof(struct blkif_request_discard, flag)];
    uint64_t nr;

    FIELD(slot, blkif_request_discard, nr_sectors, &nr);
    if (!b->discards)
        return BLKIF_RSP_EOPNOTSUPP;
    if (flag & BLKIF_DISCARD_SECURE || !nr || nr > DISCARD_MAX || !on_disk(b, q->sector, nr))
        return BLKIF_RSP_ERROR;
    *due = disk_due(b->disk, DISK_DISCARD, q->sector, nr, *due);
    task_charge(&b->task, (unsigned int)(nr >> 11), 0);
    return disk_discard(b->disk, q->sector, nr) ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY;
}

/* The fault is put into the run: nothing of the request is done. */
static int16_t fails(struct vbd *b, const uint8_t *slot, struct request *q)
{
    b->disk->fault.fail--;
    if (q->op == BLKIF_OP_INDIRECT)
        q->op = slot[offsetof(struct blkif_request_indirect, indirect_op)];
    return BLKIF_RSP_ERROR;
}

static int16_t operation(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    switch (q->op) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE: return direct(b, slot, q, due);
    case BLKIF_OP_INDIRECT: return indirect(b, slot, q, due);
    case BLKIF_OP_FLUSH_DISKCACHE: return flush(b, slot, q, due);
    case BLKIF_OP_DISCARD: return discard(b, slot, q, due);
    case BLKIF_OP_WRITE_BARRIER: return BLKIF_RSP_EOPNOTSUPP;
    default: return BLKIF_RSP_ERROR;
    }
}

static void execute(struct vbd *b, const uint8_t *slot, struct answer *a)
{
    struct request q = { .op = slot[0] };

    a->due = NOW(self(b)->domain->xen);
    FIELD(slot, blkif_request, id, &q.id);
    FIELD(slot, blkif_request, sector_number, &q.sector);
    a->status = b->disk->fault.fail ? fails(b, slot, &q) : operation(b, slot, &q, &a->due);
    a->due += b->disk->fault.slower;
    a->id = q.id;
    a->op = q.op;
    b->disk->failed += a->status == BLKIF_RSP_ERROR;
}

/* --- the ring --- */

static struct answer *answer_at(const struct vbd *b, uint32_t index) { return &b->answers[index & (b->ring.nr - 1)]; }

/* Give the answers whose time has come, as far as their turn has. */
static void answer(struct vbd *b)
{
    const s_time_t now = NOW(self(b)->domain->xen);

    while (b->ring.rsp_prod != b->ring.req_cons && answer_at(b, b->ring.rsp_prod)->due <= now) {
        const struct answer *a = answer_at(b, b->ring.rsp_prod);
        struct blkif_response rsp;

        memset(&rsp, 0, sizeof(rsp)); /* what is padding there as well */
        rsp.id = a->id;
        rsp.operation = a->op;
        rsp.status = a->status;
        ring_push(&b->ring, &rsp, b->x86_32 ? sizeof(rsp) - 4 : sizeof(rsp));
    }
    if (b->ring.published != b->ring.rsp_prod) {
        const uint32_t before = b->ring.published, event = ring_rsp_event(&b->ring);
        const bool lost = b->disk->fault.drop, notify = ring_flush(&b->ring) && !lost;
        struct evtchn_send send = { .port = b->port };

        TRACE(machine(b), ring, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_RSP, before, b->ring.rsp_prod, event,
              notify);
        if (notify)
            event_op(b, EVTCHNOP_send, &send);
        b->disk->fault.drop -= lost;
    }
}

/* The front end can put no more, or can again. */
static void fullness(struct vbd *b)
{
    const s_time_t now = NOW(self(b)->domain->xen), since = b->ring.full_since;

    switch (ring_watch(&b->ring, now)) {
    case RING_FULL:
        TRACE(machine(b), ring_full, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, b->ring.nr);
        break;
    case RING_FREE:
        TRACE(machine(b), ring_free, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, now - since);
        break;
    case RING_SAME: break;
    }
}

static bool vbd_step(struct task *t, unsigned int budget)
{
    struct vbd *b = t->data;
    const uint32_t before = b->ring.req_cons;
    uint8_t slot[SLOT_64];
    int rc = 0;

    fullness(b);
    for (; budget && !b->broken && !b->disk->away; budget--) {
        rc = ring_pull(&b->ring, slot, b->ring.slot_size);
        if (rc <= 0)
            break;
        task_charge(t, 1, 0);
        execute(b, slot, answer_at(b, b->ring.req_cons - 1));
    }
    if (rc < 0) {
        b->broken = true;
        xenbus_fail(b->dev, rc, "%d the ring's indices cannot be", -rc);
    }
    if (b->broken)
        return false;
    if (b->ring.req_cons != before)
        TRACE(machine(b), ring, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, before, b->ring.req_cons,
              TRACE_NONE, false);
    answer(b);
    fullness(b);
    if (b->ring.rsp_prod != b->ring.req_cons)
        task_ready_at(t, answer_at(b, b->ring.rsp_prod)->due);
    return !b->disk->away && (!budget || !ring_sleep(&b->ring));
}

static size_t vbd_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct vbd *b = t->data;
    const s_time_t now = NOW(self(b)->domain->xen);

    r[0] = (struct task_ring){ .front = b->dev->front,
                               .device = "vbd",
                               .name = "requests",
                               .from_front = true,
                               .prod = ring_req_prod(&b->ring),
                               .cons = b->ring.rsp_prod,
                               .size = b->ring.nr,
                               .has_event = true,
                               .event = b->ring.req_event,
                               .sent = b->ring.sent,
                               .saved = b->ring.saved,
                               .full_since = b->ring.full_since };
    ring_letters(&b->ring, r[0].letter);
    for (uint32_t i = b->ring.rsp_prod; i != b->ring.req_cons; i++)
        if (answer_at(b, i)->due <= now)
            r[0].letter[i & (b->ring.nr - 1)] = 'D'; /* done: its answer waits for those before it, or for the task */
    return 1;
}

static const struct task_ops vbd_task = { .name = "vbd", .step = vbd_step, .rings = vbd_rings };

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
        task_init(&b->task, k, &vbd_task, b);
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
