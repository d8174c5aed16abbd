// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The legacy virtio transport: registers, and queues in guest memory. rings/phys/virtio.h says what it is.
 *
 * An access of any size writes each register that it touches once, with its other bytes as they were.
 */
#include "rings/phys/virtio.h"

#include <errno.h>
#include <string.h>

#define VENDOR 0x1af4u
#define DEVICE 0x1000u /* and the type, counted from 1 */

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

#define AVAIL_NO_INTERRUPT 1u

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

_Static_assert(sizeof(struct desc) == 16, "as the guest lays it out");
_Static_assert(VIRTIO_REGS + VIRTIO_CONFIG == VIRTIO_PORTS, "BAR 0 is a power of two");

/* --- guest memory --- */

static bool may_dma(const struct virtio *v) { return v->pci.config[PCI_COMMAND] & PCI_COMMAND_MASTER; }

static int dma_read(struct virtio *v, uint64_t gpa, void *buf, size_t len)
{
    return may_dma(v) ? v->board->ops->dma_read(v->board, gpa, buf, len) : -EFAULT;
}

int virtio_dma_write(struct virtio *v, uint64_t gpa, const void *buf, size_t len)
{
    return may_dma(v) ? v->board->ops->dma_write(v->board, gpa, buf, len) : -EFAULT;
}

/* Of a queue itself: false, and the device is broken, if it is not there. */
static bool ring_read(struct virtio *v, uint64_t gpa, void *buf, size_t len)
{
    if (!dma_read(v, gpa, buf, len))
        return true;
    virtio_broken(v);
    return false;
}

static bool ring_write(struct virtio *v, uint64_t gpa, const void *buf, size_t len)
{
    if (!virtio_dma_write(v, gpa, buf, len))
        return true;
    virtio_broken(v);
    return false;
}

/* --- interrupts, and the end of it --- */

static bool is_broken(const struct virtio *v) { return v->status & VIRTIO_STATUS_NEEDS_RESET; }

static void isr_set(struct virtio *v, unsigned int isr)
{
    v->isr = (uint8_t)isr;
    v->board->ops->pci_intx(v->board, v->pci.devfn >> 3, 0, isr != 0);
}

void virtio_broken(struct virtio *v)
{
    v->status |= VIRTIO_STATUS_NEEDS_RESET;
    isr_set(v, v->isr | VIRTIO_ISR_CONFIG);
}

void virtio_set_config(struct virtio *v, unsigned int at, unsigned int size, uint64_t val)
{
    for (unsigned int i = 0; i < size; i++)
        v->config[at + i] = (uint8_t)(val >> 8 * i);
    if (v->status & VIRTIO_STATUS_DRIVER_OK)
        isr_set(v, v->isr | VIRTIO_ISR_CONFIG);
}

/* --- where a queue's parts are --- */

static uint64_t table_of(const struct virtio_queue *q) { return (uint64_t)q->pfn << PAGE_SHIFT; }

static uint64_t avail_at(const struct virtio *v, const struct virtio_queue *q)
{
    return table_of(q) + v->type->queue_size * sizeof(struct desc);
}

static uint64_t avail_entry(const struct virtio *v, const struct virtio_queue *q, unsigned int i)
{
    return avail_at(v, q) + 4 + 2u * i;
}

static uint64_t used_at(const struct virtio *v, const struct virtio_queue *q)
{
    return (avail_entry(v, q, v->type->queue_size) + 2 + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t used_entry(const struct virtio *v, const struct virtio_queue *q, unsigned int i)
{
    return used_at(v, q) + 4 + 8u * i;
}

/* --- chains --- */

/* False: there are too many, or it is to be read, and one to be written came before it. */
static bool chain_add(const struct virtio *v, struct virtio_chain *c, const struct desc *d)
{
    const bool in = d->flags & DESC_WRITE;

    if (c->nr == v->type->queue_size || (!in && c->nr > c->nr_out))
        return false;
    c->part[c->nr++] = (struct virtio_part){ d->addr, d->len };
    c->nr_out += !in;
    return true;
}

/*
 * From its first descriptor on. It ends: each step adds a part, of which there are at most N, or goes on in the
 * indirect table, once. False: there is no such chain.
 */
static bool chain_walk(struct virtio *v, const struct virtio_queue *q, struct virtio_chain *c)
{
    uint64_t table = table_of(q);
    uint32_t entries = v->type->queue_size;
    bool indirect = false;
    struct desc d = { .next = c->head, .flags = DESC_NEXT };

    while (d.flags & DESC_NEXT) {
        if (d.next >= entries || !ring_read(v, table + d.next * sizeof(d), &d, sizeof(d)) || d.addr + d.len < d.addr)
            return false;
        if (!(d.flags & DESC_INDIRECT)) {
            if (!chain_add(v, c, &d))
                return false;
            continue;
        }
        if (indirect || d.flags & DESC_NEXT || d.len % sizeof(d) || !(v->guest_features & VIRTIO_F_INDIRECT_DESC))
            return false;
        indirect = true;
        table = d.addr;
        entries = d.len / sizeof(d);
        d = (struct desc){ .flags = DESC_NEXT };
    }
    return true;
}

bool virtio_take(struct virtio *v, unsigned int nr, struct virtio_chain *c)
{
    struct virtio_queue *q = &v->queue[nr];
    uint16_t idx;

    if (!q->pfn || is_broken(v) || !ring_read(v, avail_at(v, q) + 2, &idx, sizeof(idx)))
        return false;
    if (idx == q->avail) {
        if (v->guest_features & VIRTIO_F_EVENT_IDX) /* the next one is to be told */
            ring_write(v, used_entry(v, q, v->type->queue_size), &q->avail, sizeof(q->avail));
        return false;
    }
    c->nr = c->nr_out = 0;
    if ((uint16_t)(idx - q->avail) <= v->type->queue_size &&
        ring_read(v, avail_entry(v, q, q->avail % v->type->queue_size), &c->head, sizeof(c->head)) &&
        chain_walk(v, q, c)) {
        q->avail++;
        return true;
    }
    virtio_broken(v);
    return false;
}

void virtio_give(struct virtio *v, unsigned int nr, uint16_t head, uint32_t len)
{
    struct virtio_queue *q = &v->queue[nr];
    const uint32_t entry[2] = { head, len };
    const uint16_t idx = (uint16_t)(q->used + 1);

    if (!q->pfn || is_broken(v) ||
        !ring_write(v, used_entry(v, q, q->used % v->type->queue_size), entry, sizeof(entry)) ||
        !ring_write(v, used_at(v, q) + 2, &idx, sizeof(idx)))
        return;
    q->used = idx;
}

void virtio_work(struct virtio *v, enum trace_device_op op, uint64_t sector, uint64_t len)
{
    if (v->board->ops->work)
        v->board->ops->work(v->board, v->pci.devfn >> 3, op, sector, len);
}

void virtio_tell(struct virtio *v, unsigned int nr)
{
    struct virtio_queue *q = &v->queue[nr];
    const bool by_index = v->guest_features & VIRTIO_F_EVENT_IDX;
    const uint64_t at = by_index ? avail_entry(v, q, v->type->queue_size) : avail_at(v, q);
    uint16_t said;
    bool wanted;

    if (!q->pfn || is_broken(v) || !ring_read(v, at, &said, sizeof(said)))
        return;
    /* By index: it is among those that are used now and were not when it was told last. */
    wanted = by_index ? (uint16_t)(q->used - said - 1) < (uint16_t)(q->used - q->told) : !(said & AVAIL_NO_INTERRUPT);
    q->told = q->used;
    if (wanted)
        isr_set(v, v->isr | VIRTIO_ISR_QUEUE);
}

/* --- their bytes --- */

static uint64_t bytes_of(const struct virtio_part *part, unsigned int nr)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < nr; i++)
        sum += part[i].len;
    return sum;
}

uint64_t virtio_out_bytes(const struct virtio_chain *c) { return bytes_of(c->part, c->nr_out); }
uint64_t virtio_in_bytes(const struct virtio_chain *c) { return bytes_of(c->part + c->nr_out, c->nr - c->nr_out); }

uint64_t virtio_in_last(const struct virtio_chain *c)
{
    unsigned int i = c->nr - 1;

    while (!c->part[i].len)
        i--;
    return c->part[i].addr + c->part[i].len - 1;
}

/* to or from: the other one is NULL. */
static int move(struct virtio *v, const struct virtio_part *part, unsigned int nr, uint64_t at, uint8_t *to,
                const uint8_t *from, size_t len)
{
    int rc = 0;

    for (; nr && len && !rc; part++, nr--) {
        const size_t n = at >= part->len ? 0 : part->len - at < len ? (size_t)(part->len - at) : len;

        if (n)
            rc = to ? dma_read(v, part->addr + at, to, n) : virtio_dma_write(v, part->addr + at, from, n);
        to = to ? to + n : NULL;
        from = from ? from + n : NULL;
        len -= n;
        at = n ? 0 : at - part->len;
    }
    return rc ? rc : len ? -EINVAL : 0;
}

int virtio_read(struct virtio *v, const struct virtio_chain *c, uint64_t at, void *buf, size_t len)
{
    return move(v, c->part, c->nr_out, at, buf, NULL, len);
}

int virtio_write(struct virtio *v, const struct virtio_chain *c, uint64_t at, const void *buf, size_t len)
{
    return move(v, c->part + c->nr_out, c->nr - c->nr_out, at, NULL, buf, len);
}

/* --- registers --- */

static void queue_set(struct virtio *v, unsigned int nr, uint32_t pfn)
{
    v->queue[nr] = (struct virtio_queue){ .pfn = pfn };
    v->type->stop(v->dev, nr);
}

static void reset(struct virtio *v)
{
    v->guest_features = 0;
    v->select = 0;
    v->status = 0;
    for (unsigned int nr = 0; nr < v->type->nr_queues; nr++)
        queue_set(v, nr, 0);
    isr_set(v, 0);
}

static const struct virtio_reg {
    uint8_t at, size;
} regs[] = {
    { VIRTIO_HOST_FEATURES, 4 }, { VIRTIO_GUEST_FEATURES, 4 }, { VIRTIO_QUEUE_PFN, 4 }, { VIRTIO_QUEUE_SIZE, 2 },
    { VIRTIO_QUEUE_SELECT, 2 },  { VIRTIO_QUEUE_NOTIFY, 2 },   { VIRTIO_STATUS, 1 },    { VIRTIO_ISR, 1 },
};

static uint32_t reg_get(const struct virtio *v, unsigned int reg)
{
    const bool there = v->select < v->type->nr_queues;

    switch (reg) {
    case VIRTIO_HOST_FEATURES: return v->features;
    case VIRTIO_GUEST_FEATURES: return v->guest_features;
    case VIRTIO_QUEUE_PFN: return there ? v->queue[v->select].pfn : 0;
    case VIRTIO_QUEUE_SIZE: return there ? v->type->queue_size : 0;
    case VIRTIO_QUEUE_SELECT: return v->select;
    case VIRTIO_STATUS: return v->status;
    case VIRTIO_ISR: return v->isr;
    default: return 0;
    }
}

static void status_set(struct virtio *v, uint32_t val)
{
    if (val)
        v->status = (uint8_t)((val & ~VIRTIO_STATUS_NEEDS_RESET) | (v->status & VIRTIO_STATUS_NEEDS_RESET));
    else
        reset(v);
}

static void reg_set(struct virtio *v, unsigned int reg, uint32_t val)
{
    switch (reg) {
    case VIRTIO_GUEST_FEATURES: v->guest_features = val & v->features; break;
    case VIRTIO_QUEUE_PFN:
        if (v->select < v->type->nr_queues)
            queue_set(v, v->select, val);
        break;
    case VIRTIO_QUEUE_SELECT: v->select = (uint16_t)val; break;
    case VIRTIO_QUEUE_NOTIFY: /* drivers of old do so before they say DRIVER_OK */
        if (val < v->type->nr_queues && v->queue[val].pfn)
            v->type->notify(v->dev, val);
        break;
    case VIRTIO_STATUS: status_set(v, val); break;
    default: break;
    }
}

static uint8_t read_byte(void *dev, unsigned int offset)
{
    struct virtio *v = dev;
    const struct virtio_reg *r = regs;
    uint32_t val;

    if (offset >= VIRTIO_REGS)
        return v->config[offset - VIRTIO_REGS];
    while (offset - r->at >= r->size)
        r++;
    val = reg_get(v, r->at);
    if (offset == VIRTIO_ISR)
        isr_set(v, 0);
    return (uint8_t)(val >> 8 * (offset - r->at));
}

static uint64_t port_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, read_byte, offset, size);
}

static void port_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct virtio *v = dev;
    const unsigned int at = (unsigned int)offset, end = at + size;

    for (const struct virtio_reg *r = regs; r < regs + ARRAY_SIZE(regs); r++) {
        uint32_t whole = reg_get(v, r->at);
        bool touched = false;

        for (unsigned int i = 0; i < r->size; i++) {
            const unsigned int byte = r->at + i;

            if (byte < at || byte >= end)
                continue;
            touched = true;
            whole = (whole & ~(0xffu << 8 * i)) | (uint32_t)(val >> 8 * (byte - at) & 0xff) << 8 * i;
        }
        if (touched)
            reg_set(v, r->at, whole);
    }
    for (unsigned int byte = at > VIRTIO_REGS ? at : VIRTIO_REGS; byte < end; byte++) {
        uint8_t *config = &v->config[byte - VIRTIO_REGS];
        const uint8_t mask = v->writable[byte - VIRTIO_REGS];

        *config = (uint8_t)((*config & ~mask) | ((val >> 8 * (byte - at)) & mask));
    }
}

static const struct dm_region_ops port_ops = { .read = port_read, .write = port_write };

bool virtio_init(struct virtio *v, struct pci_bus *bus, uint8_t devfn, const struct virtio_type *type,
                 uint32_t features, void *dev)
{
    *v = (struct virtio){ .board = bus->board, .type = type, .dev = dev };
    v->features = features | VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
    pci_device_init(&v->pci, devfn, VENDOR, (uint16_t)(DEVICE + type->id - 1), type->class_code, v);
    pci_set(&v->pci, PCI_SUBSYSTEM, 4, VENDOR | (uint32_t)type->id << 16);
    v->pci.config[PCI_INTERRUPT_PIN] = 1; /* revision 0: legacy */
    pci_bar_init(&v->pci, 0, DM_PORT, VIRTIO_PORTS, &port_ops, v);
    return pci_add(bus, &v->pci);
}
