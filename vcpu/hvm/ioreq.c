// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O request servers: the idea is in vcpu/hvm/ioreq.h.
 *
 * Budget: over 400 lines, which are four parts: who answers, requests, pages, servers.
 */
#include "vcpu/hvm/ioreq.h"
#include "mmu/audit.h"
#include "mmu/heap.h"
#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "vcpu/hvm/hvm.h"

#include <errno.h>
#include <string.h>
#include <xen/memory.h>

#define VGA_MEM_BASE UINT64_C(0xa0000)
#define VGA_MEM_END  UINT64_C(0xc0000)

static struct ioreq_server *server(const struct domain *d, unsigned int id)
{
    return id < MAX_NR_IOREQ_SERVERS ? d->hvm->ioreq_server[id] : NULL;
}

/* -ENOENT: no such server; -EPERM: it is another's. */
static int server_of(const struct domain *d, const struct domain *emulator, unsigned int id, struct ioreq_server **s)
{
    *s = server(d, id);
    return !*s ? -ENOENT : (*s)->emulator != emulator ? -EPERM : 0;
}

static ioreq_t *request(const struct ioreq_server *s, const struct vcpu *v)
{
    return &((shared_iopage_t *)s->ioreq.va)->vcpu_ioreq[v->vcpu_id];
}

/* --------------------------------------------------------------------------------------------------- who answers -- */

static bool in_ranges(const struct io_ranges *r, uint64_t first, uint64_t last)
{
    for (unsigned int i = 0; i < r->nr; i++)
        if (first >= r->range[i].start && last <= r->range[i].end)
            return true;
    return false;
}

/* The request as servers see it: which type and address. */
static unsigned int classify(const struct domain *d, const struct hvm_io_op *op, uint64_t *addr)
{
    const uint32_t cf8 = d->hvm->pci_cf8;

    *addr = op->addr;
    if (!op->port)
        return IOREQ_TYPE_COPY;
    if ((op->addr & ~UINT64_C(3)) != 0xcfc || !(cf8 >> 31))
        return IOREQ_TYPE_PIO;
    *addr = (uint64_t)(cf8 >> 8 & 0xffff) << 32 | (cf8 & 0xfc) | (op->addr & 3);
    return IOREQ_TYPE_PCI_CONFIG;
}

int hvm_select_ioreq_server(struct domain *d, const struct hvm_io_op *op)
{
    static const uint8_t range_type[] = { [IOREQ_TYPE_PIO] = XEN_DMOP_IO_RANGE_PORT,
                                          [IOREQ_TYPE_COPY] = XEN_DMOP_IO_RANGE_MEMORY,
                                          [IOREQ_TYPE_PCI_CONFIG] = XEN_DMOP_IO_RANGE_PCI };
    uint64_t addr;
    const unsigned int type = classify(d, op, &addr);
    const bool pci = type == IOREQ_TYPE_PCI_CONFIG;
    const uint64_t first = pci ? addr >> 32 : addr, last = pci ? first : first + op->size - 1;

    for (int id = MAX_NR_IOREQ_SERVERS - 1; id >= 0; id--) {
        const struct ioreq_server *s = server(d, (unsigned int)id);

        if (s && s->enabled && in_ranges(&s->ranges[range_type[type]], first, last))
            return id;
    }
    return -1;
}

/* ------------------------------------------------------------------------------------------------------ requests -- */

/* A write for the ring. False: it has no room, or the write does not fit. */
static bool send_buffered(struct ioreq_server *s, const struct hvm_io_op *op)
{
    buffered_iopage_t *ring = s->bufioreq.va;
    const uint32_t r = ring->read_pointer, w = ring->write_pointer, slots = op->size == 8 ? 2 : 1;

    if (w - r + slots > IOREQ_BUFFER_SLOT_NUM)
        return false;
    for (uint32_t i = 0; i < slots; i++)
        ring->buf_ioreq[(w + i) % IOREQ_BUFFER_SLOT_NUM] = (buf_ioreq_t){ .type = IOREQ_TYPE_COPY,
                                                                          .size = (uint8_t)__builtin_ctz(op->size) & 3,
                                                                          .addr = (uint32_t)op->addr & 0xfffff,
                                                                          .data = (uint32_t)(op->data >> 32 * i) };
    ring->write_pointer = w + slots;
    s->buffered++;
    notify_via_xen_event_channel(s->target, s->bufioreq_evtchn);
    return true;
}

enum hvm_io hvm_send_ioreq(struct vcpu *v, unsigned int id, struct hvm_io_op *op)
{
    struct ioreq_server *s = server(v->domain, id);
    struct hvm_vcpu_io *io = &v->hvm->io;
    ioreq_t *p = request(s, v);
    uint64_t addr;
    const unsigned int type = classify(v->domain, op, &addr);

    if (s->bufioreq.va && type == IOREQ_TYPE_COPY && op->write && addr >= VGA_MEM_BASE &&
        addr + op->size <= VGA_MEM_END && send_buffered(s, op))
        return HVM_IO_DONE;
    if (p->state != STATE_IOREQ_NONE || p->vp_eport != s->ports[v->vcpu_id]) {
        domain_crash(v, "the device model has left its request page in state %u, port %u", p->state, p->vp_eport);
        return HVM_IO_WAIT;
    }
    *p = (ioreq_t){ .addr = addr,
                    .data = op->data,
                    .count = op->count,
                    .size = op->size,
                    .vp_eport = p->vp_eport,
                    .data_is_ptr = op->data_is_ptr,
                    .dir = op->write ? IOREQ_WRITE : IOREQ_READ,
                    .df = op->df,
                    .type = (uint8_t)type,
                    .state = STATE_IOREQ_READY };
    s->requests++;
    io->state = HVM_IO_SENT;
    io->op = *op;
    io->server = id;
    v->defer_shutdown = true;
    v->pause_flags |= VPF_blocked_in_xen;
    vcpu_sleep_nosync(v);
    notify_via_xen_event_channel(v->domain, s->ports[v->vcpu_id]);
    return HVM_IO_WAIT;
}

/* The device model has sent an event: is it v's answer? */
static void wait_for_io(struct vcpu *v, evtchn_port_t port)
{
    const struct hvm_vcpu_io *io = &v->hvm->io;
    const struct ioreq_server *s = io->state == HVM_IO_SENT ? server(v->domain, io->server) : NULL;
    ioreq_t *p;

    if (!s || s->ports[v->vcpu_id] != port)
        return;
    p = request(s, v);
    switch (p->state) {
    case STATE_IOREQ_READY:
    case STATE_IOREQ_INPROCESS: return;
    case STATE_IORESP_READY:
        p->state = STATE_IOREQ_NONE;
        hvm_io_answered(v, p->data);
        return;
    default: domain_crash(v, "the device model answers with state %u", p->state);
    }
}

/* ------------------------------------------------------------------------------------------------------- pages -- */

/* A frame of the domain's at a gfn: type and reference are held while it is a server's. */
static int page_map(struct domain *d, struct ioreq_page *p, uint64_t gfn)
{
    p2m_type_t t;

    p->page = get_page_from_gfn(d, gfn, &t);
    if (!p->page)
        return -EINVAL;
    if (!get_page_type(d->xen, p->page, PGT_writable_page)) {
        put_page(d->xen, p->page);
        p->page = NULL;
        return -EINVAL;
    }
    p->va = frame_share(d->xen->machine, page_to_mfn(d->xen, p->page));
    p->gfn = gfn;
    return 0;
}

/* One of those that the domain's builder has put aside. */
static int gfn_alloc(const struct domain *d, uint64_t *gfn)
{
    const uint64_t base = d->hvm->params[HVM_PARAM_IOREQ_SERVER_PFN];
    const uint64_t nr = d->hvm->params[HVM_PARAM_NR_IOREQ_SERVER_PAGES];

    for (*gfn = base; *gfn < base + nr; ++*gfn) {
        bool used = false;

        for (unsigned int id = 0; id < MAX_NR_IOREQ_SERVERS; id++) {
            const struct ioreq_server *s = server(d, id);

            used |= s && ((s->ioreq.page && s->ioreq.gfn == *gfn) || (s->bufioreq.page && s->bufioreq.gfn == *gfn));
        }
        if (!used)
            return 0;
    }
    return -ENOMEM;
}

static int page_map_gfn(struct domain *d, struct ioreq_page *p)
{
    uint64_t gfn;
    int rc;

    if (p->page)
        return p->gfn == INVALID_IOREQ_GFN ? -EPERM : 0;
    rc = gfn_alloc(d, &gfn);
    return rc ? rc : page_map(d, p, gfn);
}

static int page_alloc(struct domain *d, struct ioreq_page *p)
{
    if (p->page)
        return p->gfn != INVALID_IOREQ_GFN ? -EPERM : 0;
    p->page = alloc_xenheap_pages(d->xen, 0);
    if (!p->page)
        return -ENOMEM;
    p->va = frame_share(d->xen->machine, page_to_mfn(d->xen, p->page));
    p->gfn = INVALID_IOREQ_GFN;
    share_xen_page_with_guest(p->page, d, SHARE_rw);
    return 0;
}

static void page_free(struct domain *d, struct ioreq_page *p)
{
    if (!p->page)
        return;
    frame_unshare(d->xen->machine, page_to_mfn(d->xen, p->page));
    if (p->gfn == INVALID_IOREQ_GFN)
        free_xenheap_pages(d->xen, p->page, 0);
    else
        put_page_and_type(d->xen, p->page);
    *p = (struct ioreq_page){ 0 };
}

/* An enabled server's pages are out of the domain's reach. */
static int page_hide(struct domain *d, const struct ioreq_page *p)
{
    int rc = 0;

    if (p->page && p->gfn != INVALID_IOREQ_GFN)
        rc = guest_physmap_remove_page(d, p->gfn, page_to_mfn(d->xen, p->page));
    if (p->page && !rc)
        memset(p->va, 0, PAGE_SIZE);
    return rc;
}

/* They come back, empty; to where the domain has something else by now they do not. */
static void page_show(struct domain *d, const struct ioreq_page *p)
{
    if (!p->page)
        return;
    memset(p->va, 0, PAGE_SIZE);
    if (p->gfn != INVALID_IOREQ_GFN)
        guest_physmap_add_page(d, p->gfn, page_to_mfn(d->xen, p->page));
}

int ioreq_server_get_frame(struct domain *d, const struct domain *caller, ioservid_t id, uint64_t idx, mfn_t *mfn)
{
    struct ioreq_server *s;
    int rc = server_of(d, caller, id, &s);

    if (!rc)
        rc = page_alloc(d, &s->ioreq);
    if (!rc && s->bufioreq_handling != HVM_IOREQSRV_BUFIOREQ_OFF)
        rc = page_alloc(d, &s->bufioreq);
    if (rc)
        return rc;
    switch (idx) {
    case XENMEM_resource_ioreq_server_frame_bufioreq:
        if (!s->bufioreq.page)
            return -ENOENT;
        *mfn = page_to_mfn(d->xen, s->bufioreq.page);
        return 0;
    case XENMEM_resource_ioreq_server_frame_ioreq(0): *mfn = page_to_mfn(d->xen, s->ioreq.page); return 0;
    default: return -EINVAL;
    }
}

/* ----------------------------------------------------------------------------------------------------- servers -- */

static int port_alloc(struct ioreq_server *s, struct vcpu *v)
{
    const int rc = alloc_unbound_xen_event_channel(s->target, v->vcpu_id, s->emulator->domain_id, wait_for_io);

    if (rc < 0)
        return rc;
    s->ports[v->vcpu_id] = (evtchn_port_t)rc;
    if (s->enabled)
        request(s, v)->vp_eport = s->ports[v->vcpu_id];
    return 0;
}

static void server_free(struct domain *d, struct ioreq_server *s)
{
    if (!d->is_dying) { /* else all ports are closed */
        for_each_vcpu (d, v)
            if (s->ports[v->vcpu_id])
                free_xen_event_channel(d, s->ports[v->vcpu_id]);
        if (s->bufioreq_evtchn)
            free_xen_event_channel(d, s->bufioreq_evtchn);
    }
    page_free(d, &s->ioreq);
    page_free(d, &s->bufioreq);
    put_domain(s->emulator);
    xfree(s);
}

static void nobody_asked(struct vcpu *v, evtchn_port_t port) {}

int ioreq_server_create(struct domain *d, struct domain *emulator, uint8_t bufioreq_handling, ioservid_t *id)
{
    struct ioreq_server *s;
    unsigned int i = 0;
    int rc = 0;

    if (bufioreq_handling > HVM_IOREQSRV_BUFIOREQ_ATOMIC)
        return -EINVAL;
    while (i < MAX_NR_IOREQ_SERVERS && d->hvm->ioreq_server[i])
        i++;
    if (i == MAX_NR_IOREQ_SERVERS)
        return -ENOSPC;
    s = xzalloc(d->xen->machine->arena, struct ioreq_server);
    if (!s)
        return -ENOMEM;
    s->target = d, s->emulator = emulator, s->bufioreq_handling = bufioreq_handling;
    get_knownalive_domain(emulator);
    for_each_vcpu (d, v)
        rc = rc ? rc : port_alloc(s, v);
    if (!rc && bufioreq_handling != HVM_IOREQSRV_BUFIOREQ_OFF) {
        rc = alloc_unbound_xen_event_channel(d, 0, emulator->domain_id, nobody_asked);
        s->bufioreq_evtchn = rc < 0 ? 0 : (evtchn_port_t)rc;
        rc = rc < 0 ? rc : 0;
    }
    if (rc) {
        server_free(d, s);
        return rc;
    }
    d->hvm->ioreq_server[i] = s;
    *id = (ioservid_t)i;
    return 0;
}

int ioreq_server_set_state(struct domain *d, const struct domain *emulator, ioservid_t id, bool enabled)
{
    struct ioreq_server *s;
    int rc = server_of(d, emulator, id, &s);

    if (rc || s->enabled == enabled)
        return rc;
    if (enabled) { /* who never asked where they are has no use for it; requests need the first page */
        rc = s->ioreq.page ? 0 : page_map_gfn(d, &s->ioreq);
        if (!rc && !s->bufioreq.page && s->bufioreq_handling != HVM_IOREQSRV_BUFIOREQ_OFF)
            rc = page_map_gfn(d, &s->bufioreq);
        if (rc)
            return rc;
    }
    rc = enabled ? page_hide(d, &s->ioreq) : 0;
    if (!rc && enabled)
        rc = page_hide(d, &s->bufioreq);
    if (rc || !enabled) {
        page_show(d, &s->ioreq);
        page_show(d, &s->bufioreq);
    }
    if (rc)
        return rc;
    s->enabled = enabled;
    for_each_vcpu (d, v) {
        if (enabled)
            request(s, v)->vp_eport = s->ports[v->vcpu_id];
        else if (v->hvm->io.state == HVM_IO_SENT && v->hvm->io.server == id)
            hvm_io_answered(v, ~UINT64_C(0));
    }
    return 0;
}

int ioreq_server_destroy(struct domain *d, const struct domain *emulator, ioservid_t id)
{
    struct ioreq_server *s;
    int rc = server_of(d, emulator, id, &s);

    if (!rc)
        rc = ioreq_server_set_state(d, emulator, id, false);
    if (rc)
        return rc;
    d->hvm->ioreq_server[id] = NULL;
    server_free(d, s);
    return 0;
}

int ioreq_server_get_info(struct domain *d, const struct domain *emulator, struct xen_dm_op_get_ioreq_server_info *info)
{
    const bool buffered = server(d, info->id) && server(d, info->id)->bufioreq_handling != HVM_IOREQSRV_BUFIOREQ_OFF;
    struct ioreq_server *s;
    int rc = server_of(d, emulator, info->id, &s);

    if (!rc && !(info->flags & XEN_DMOP_no_gfns)) {
        rc = page_map_gfn(d, &s->ioreq);
        if (!rc && buffered)
            rc = page_map_gfn(d, &s->bufioreq);
        if (rc)
            return rc;
        info->ioreq_gfn = s->ioreq.gfn;
        info->bufioreq_gfn = buffered ? s->bufioreq.gfn : info->bufioreq_gfn;
    }
    if (!rc && buffered)
        info->bufioreq_port = s->bufioreq_evtchn;
    return rc;
}

static bool overlaps(const struct io_ranges *r, uint64_t start, uint64_t end)
{
    for (unsigned int i = 0; i < r->nr; i++)
        if (start <= r->range[i].end && end >= r->range[i].start)
            return true;
    return false;
}

static int range_add(struct io_ranges *r, uint64_t start, uint64_t end)
{
    if (overlaps(r, start, end))
        return -EEXIST;
    for (unsigned int i = 0; i < r->nr; i++) { /* neighbours are one */
        if (r->range[i].end + 1 == start) {
            r->range[i].end = end;
            return 0;
        }
        if (end + 1 == r->range[i].start) {
            r->range[i].start = start;
            return 0;
        }
    }
    if (r->nr == MAX_NR_IO_RANGES)
        return -ENOMEM;
    r->range[r->nr++] = (struct io_range){ start, end };
    return 0;
}

static int range_remove(struct io_ranges *r, uint64_t start, uint64_t end)
{
    for (unsigned int i = 0; i < r->nr; i++) {
        const struct io_range was = r->range[i];

        if (start < was.start || end > was.end)
            continue;
        if (start > was.start && end < was.end && r->nr == MAX_NR_IO_RANGES)
            return -ENOMEM;
        r->range[i] = r->range[--r->nr];
        if (start > was.start)
            r->range[r->nr++] = (struct io_range){ was.start, start - 1 };
        if (end < was.end)
            r->range[r->nr++] = (struct io_range){ end + 1, was.end };
        return 0;
    }
    return -ENOENT;
}

int ioreq_server_range(struct domain *d, const struct domain *emulator, const struct xen_dm_op_ioreq_server_range *r,
                       bool map)
{
    struct ioreq_server *s;
    int rc;

    if (r->start > r->end)
        return -EINVAL;
    rc = server_of(d, emulator, r->id, &s);
    if (rc)
        return rc;
    if (r->type >= NR_IO_RANGE_TYPES)
        return -EINVAL;
    return map ? range_add(&s->ranges[r->type], r->start, r->end) : range_remove(&s->ranges[r->type], r->start, r->end);
}

int ioreq_vcpu_added(struct vcpu *v)
{
    int rc = 0;

    for (unsigned int id = 0; id < MAX_NR_IOREQ_SERVERS && !rc; id++)
        if (server(v->domain, id))
            rc = port_alloc(server(v->domain, id), v);
    return rc;
}

/* (Of a dying domain there are no servers any more.) */
void ioreq_vcpu_removed(struct vcpu *v)
{
    for (unsigned int id = 0; id < MAX_NR_IOREQ_SERVERS; id++) {
        struct ioreq_server *s = server(v->domain, id);

        if (s && s->ports[v->vcpu_id])
            free_xen_event_channel(v->domain, s->ports[v->vcpu_id]);
        if (s)
            s->ports[v->vcpu_id] = 0;
    }
}

void ioreq_servers_destroy(struct domain *d)
{
    for (unsigned int id = 0; id < MAX_NR_IOREQ_SERVERS; id++)
        if (d->hvm->ioreq_server[id]) {
            server_free(d, d->hvm->ioreq_server[id]);
            d->hvm->ioreq_server[id] = NULL;
        }
}

void ioreq_audit_refs(struct xen *xen, struct audit *a)
{
    for_each_domain (xen, d)
        for (unsigned int id = 0; is_hvm_domain(d) && id < MAX_NR_IOREQ_SERVERS; id++) {
            const struct ioreq_server *s = server(d, id);
            const struct ioreq_page *const pages[] = { s ? &s->ioreq : NULL, s ? &s->bufioreq : NULL };

            for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
                if (pages[i] && pages[i]->page && pages[i]->gfn != INVALID_IOREQ_GFN)
                    audit_ref(a, page_to_mfn(xen, pages[i]->page), PGT_writable_page);
        }
}
