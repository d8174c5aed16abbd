// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device model as a task: it serves a domain's I/O requests.
 *
 * Concept: a program in another domain that makes itself an ioreq server (vcpu/hvm/ioreq.h) and knows the hypervisor by
 * hypercalls alone. It is woken by an event, finds the request of a vCPU in the shared page, carries it out with the
 * device whose region it hits, and answers by an event:
 *
 *      vCPU: OUT --> request page --event--> dm_step() --> region's write --> device
 *      vCPU goes on <--event-- STATE_IORESP_READY <--'        |
 *                                                             '--> dm_op: an interrupt's line; guest memory, mapped
 *
 * It is the board (device.h) that its devices sit on.
 *
 * Invariants: what stands in the shared page is the hypervisor's word and not the guest's; yet a request of any type,
 * size and address has an answer: what no region answers reads as all ones. Writes in the ring are older than any
 * request, and are carried out first.
 *
 * Corresponds to QEMU's hw/xen/xen-hvm-common.c; public hvm/ioreq.h, hvm/dm_op.h.
 *
 * Budget: over 400 lines: the board and the requests are two halves of one task.
 */
#include "rings/dm/dm.h"
#include "vcpu/native/map.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/sched.h>

#define PTR(p) ((uint64_t)(uintptr_t)(p))

struct dm {
    struct dm_board board; /* first: ops find it by this */
    struct native_kernel *kernel;
    domid_t domid;
    ioservid_t server;
    bool has_server;
    unsigned int nr_vcpus;
    shared_iopage_t *requests;
    buffered_iopage_t *writes;
    evtchn_port_t port[MAX_VIRT_CPUS], writes_port; /* ours; 0: not bound */
    struct task task;
    unsigned int turn; /* the vCPU that is looked at first */
    struct dm_region *regions;
    struct dm_timer *timers; /* those that run, the first first */
    bool kicked;
    const void **looked; /* frames that are looked at */
    size_t nr_looked, room_looked;
    uint16_t isa_up; /* lines as the hypervisor knows them */
    uint64_t pci_up[2];
    struct pc pc;
};

static struct vcpu *vcpu(const struct dm *dm) { return native_vcpu(dm->kernel); }

/* ---------------------------------------------------------------------------------------------------- hypercalls -- */

static long event_op(struct vcpu *v, unsigned int cmd, void *arg)
{
    return hypercall_native(v, __HYPERVISOR_event_channel_op, cmd, PTR(arg), 0, 0, 0);
}

static int dm_op(struct dm *dm, struct xen_dm_op *op)
{
    struct xen_dm_op_buf buf = { .size = sizeof(*op) };

    set_xen_guest_handle(buf.h, op);
    return (int)hypercall_native(vcpu(dm), __HYPERVISOR_dm_op, dm->domid, 1, PTR(&buf), 0, 0);
}

static int range_op(struct dm *dm, bool map, unsigned int type, uint64_t start, uint64_t end)
{
    struct xen_dm_op op = { .op = map ? XEN_DMOP_map_io_range_to_ioreq_server
                                      : XEN_DMOP_unmap_io_range_from_ioreq_server };

    op.u.map_io_range_to_ioreq_server =
        (struct xen_dm_op_ioreq_server_range){ .id = dm->server, .type = type, .start = start, .end = end };
    return dm_op(dm, &op);
}

/* ----------------------------------------------------------------------------------------------- the board's part - */

static struct dm *of(struct dm_board *b) { return (struct dm *)b; }

static void board_tell(struct dm_board *b, const char *what)
{
    printk(vcpu(of(b))->domain->xen->machine, LOG_ERR, "d%u: device model: %s", of(b)->domid, what);
}

/* It is said once of each region: a guest may move its devices as often as it likes. */
static void region_refused(struct dm *dm, struct dm_region *r, int rc)
{
    char what[128];

    if (r->refused)
        return;
    r->refused = true;
    snprintf(what, sizeof(what), "%s 0x%" PRIx64 " to 0x%" PRIx64 " are refused (%d): no device answers there",
             r->space == DM_PORT ? "ports" : "addresses", r->base, r->base + r->size - 1, rc);
    board_tell(&dm->board, what);
}

/* Another one, that lies around it, has it come here already: port 0xcf9 is one of PCI's 0xcf8 to 0xcfb. */
static bool region_covered(const struct dm *dm, const struct dm_region *r)
{
    for (const struct dm_region *other = dm->regions; other; other = other->next)
        if (other != r && other->mapped && other->space == r->space && other->mapped_base <= r->base &&
            r->base + (r->size - 1) <= other->mapped_base + (other->mapped_size - 1))
            return true;
    return false;
}

/* Have it come here what is done in it. */
static void region_map(struct dm *dm, struct dm_region *r)
{
    const unsigned int type = r->space == DM_PORT ? XEN_DMOP_IO_RANGE_PORT : XEN_DMOP_IO_RANGE_MEMORY;
    int rc;

    if (region_covered(dm, r))
        return;
    rc = range_op(dm, true, type, r->base, r->base + r->size - 1);
    r->mapped = !rc;
    r->mapped_base = r->base;
    r->mapped_size = r->size;
    if (rc)
        region_refused(dm, r, rc);
}

/* Where one goes away, another may be that was refused for it. */
static void board_region(struct dm_board *b, struct dm_region *r)
{
    struct dm *dm = of(b);
    const unsigned int type = r->space == DM_PORT ? XEN_DMOP_IO_RANGE_PORT : XEN_DMOP_IO_RANGE_MEMORY;
    struct dm_region **at = &dm->regions;

    while (*at && *at != r)
        at = &(*at)->next;
    if (!*at) {
        r->next = dm->regions;
        dm->regions = r;
    }
    if (r->mapped && r->present && r->mapped_base == r->base && r->mapped_size == r->size)
        return;
    if (r->mapped) {
        range_op(dm, false, type, r->mapped_base, r->mapped_base + r->mapped_size - 1);
        r->mapped = false;
    }
    if (r->present)
        region_map(dm, r);
    for (struct dm_region *other = dm->regions; other; other = other->next)
        if (other != r && other->present && !other->mapped && other->space == r->space)
            region_map(dm, other);
}

static void board_isa_irq(struct dm_board *b, unsigned int irq, bool up)
{
    struct dm *dm = of(b);
    struct xen_dm_op op = { .op = XEN_DMOP_set_isa_irq_level, .u.set_isa_irq_level = { (uint8_t)irq, up } };

    if ((dm->isa_up >> irq & 1) == up)
        return;
    dm->isa_up ^= (uint16_t)(1u << irq);
    dm_op(dm, &op);
}

static void board_pci_intx(struct dm_board *b, unsigned int device, unsigned int intx, bool up)
{
    struct dm *dm = of(b);
    const unsigned int line = device * 4 + intx;
    struct xen_dm_op op = { .op = XEN_DMOP_set_pci_intx_level };

    if ((dm->pci_up[line / 64] >> line % 64 & 1) == up)
        return;
    dm->pci_up[line / 64] ^= UINT64_C(1) << line % 64;
    op.u.set_pci_intx_level =
        (struct xen_dm_op_set_pci_intx_level){ .device = (uint8_t)device, .intx = (uint8_t)intx, .level = up };
    dm_op(dm, &op);
}

static void board_pci_link_route(struct dm_board *b, unsigned int link, unsigned int isa_irq)
{
    struct xen_dm_op op = { .op = XEN_DMOP_set_pci_link_route,
                            .u.set_pci_link_route = { (uint8_t)link, (uint8_t)isa_irq } };

    dm_op(of(b), &op);
}

static void board_msi(struct dm_board *b, uint64_t addr, uint32_t data)
{
    struct xen_dm_op op = { .op = XEN_DMOP_inject_msi, .u.inject_msi = { .addr = addr, .data = data } };

    dm_op(of(b), &op);
}

/* A page at a time: mapped, copied, unmapped. Nothing stays mapped, so a frame that the guest gives up is free. */
static int dma(struct dm *dm, uint64_t gpa, uint8_t *buf, size_t len, bool write)
{
    int rc = 0;

    for (size_t done = 0, part; done < len; done += part) {
        const uint64_t at = gpa + done;
        uint8_t *page = native_map_foreign(vcpu(dm), dm->domid, _mfn(PFN_DOWN(at)));

        part = PAGE_SIZE - PAGE_OFFSET(at) < len - done ? PAGE_SIZE - PAGE_OFFSET(at) : len - done;
        if (!page) {
            rc = -EFAULT;
            if (!write)
                memset(buf + done, 0xff, part);
            continue;
        }
        if (write)
            memcpy(page + PAGE_OFFSET(at), buf + done, part);
        else
            memcpy(buf + done, page + PAGE_OFFSET(at), part);
        native_unmap(vcpu(dm), page);
    }
    task_charge(&dm->task, 0, len);
    return rc;
}

static int board_dma_read(struct dm_board *b, uint64_t gpa, void *buf, size_t len)
{
    return dma(of(b), gpa, buf, len, false);
}

static int board_dma_write(struct dm_board *b, uint64_t gpa, const void *buf, size_t len)
{
    return dma(of(b), gpa, (uint8_t *)(uintptr_t)buf, len, true);
}

static const uint8_t *board_frame(struct dm_board *b, uint64_t gfn)
{
    struct dm *dm = of(b);
    const void **looked = dm->looked;

    if (dm->nr_looked == dm->room_looked) {
        const size_t room = dm->room_looked ? 2 * dm->room_looked : 64;

        looked = xrealloc_array(vcpu(dm)->domain->xen->machine->arena, looked, room);
        if (!looked)
            return NULL;
        dm->looked = looked;
        dm->room_looked = room;
    }
    looked[dm->nr_looked] = native_look_foreign(vcpu(dm), dm->domid, _mfn(gfn));
    return looked[dm->nr_looked] ? looked[dm->nr_looked++] : NULL;
}

/* What is there? The hypervisor would put the frame in its place. */
static bool board_move(struct dm_board *b, uint64_t from, uint64_t to)
{
    struct dm *dm = of(b);
    struct xen_hvm_get_mem_type type = { .domid = dm->domid, .pfn = to };
    struct xen_dm_op op = { .op = XEN_DMOP_relocate_memory,
                            .u.relocate_memory = { .size = 1, .src_gfn = from, .dst_gfn = to } };

    return !hypercall_native(vcpu(dm), __HYPERVISOR_hvm_op, HVMOP_get_mem_type, PTR(&type), 0, 0, 0) &&
           type.mem_type == HVMMEM_mmio_dm && !dm_op(dm, &op);
}

static void board_reset(struct dm_board *b)
{
    struct xen_dm_op op = { .op = XEN_DMOP_remote_shutdown, .u.remote_shutdown.reason = SHUTDOWN_reboot };

    dm_op(of(b), &op);
}

static s_time_t board_now(struct dm_board *b) { return NOW(vcpu(of(b))->domain->xen); }

static void board_timer(struct dm_board *b, struct dm_timer *t, s_time_t due)
{
    struct dm *dm = of(b);

    dm_timer_set(&dm->timers, t, due);
    task_ready_at(&dm->task, dm->timers ? dm->timers->due : 0);
}

static const struct dm_board_ops board_ops = { .region = board_region,
                                               .tell = board_tell,
                                               .isa_irq = board_isa_irq,
                                               .pci_intx = board_pci_intx,
                                               .pci_link_route = board_pci_link_route,
                                               .msi = board_msi,
                                               .dma_read = board_dma_read,
                                               .dma_write = board_dma_write,
                                               .frame = board_frame,
                                               .move = board_move,
                                               .reset = board_reset,
                                               .now = board_now,
                                               .timer = board_timer };

/* ------------------------------------------------------------------------------------------------------ requests -- */

/* One element of a request that lies in memory: read, carried out, written. */
static void element(struct dm *dm, const ioreq_t *p, uint64_t addr, uint8_t *at, unsigned int size)
{
    uint64_t val = 0;

    memcpy(&val, at, size);
    val =
        dm_access(dm->regions, p->type == IOREQ_TYPE_PIO ? DM_PORT : DM_MEMORY, addr, size, p->dir == IOREQ_WRITE, val);
    if (p->dir == IOREQ_READ)
        memcpy(at, &val, size);
}

/*
 * Many elements, whose data lie in the guest's memory from p->data on, up or down, in one page. Ports stay what they
 * are, addresses of memory go with the data.
 */
static void request_string(struct dm *dm, const ioreq_t *p)
{
    const unsigned int size = p->size;
    const uint64_t bytes = (uint64_t)p->count * size;
    const uint64_t first = p->df ? p->data - (bytes - size) : p->data;
    uint8_t *page =
        bytes <= PAGE_SIZE - PAGE_OFFSET(first) ? native_map_foreign(vcpu(dm), dm->domid, _mfn(PFN_DOWN(first))) : NULL;

    if (!page)
        return; /* it is gone meanwhile: so would the bytes be on a bus */
    for (uint32_t i = 0; i < p->count; i++) {
        const int64_t by = p->df ? -(int64_t)i * size : (int64_t)i * size;

        element(dm, p, p->type == IOREQ_TYPE_PIO ? p->addr : p->addr + (uint64_t)by,
                page + PAGE_OFFSET(p->data + (uint64_t)by), size);
    }
    native_unmap(vcpu(dm), page);
    task_charge(&dm->task, 0, bytes);
}

static void request(struct dm *dm, ioreq_t *p)
{
    if (p->size != 1 && p->size != 2 && p->size != 4 && p->size != 8) {
        p->data = ~UINT64_C(0);
        return;
    }
    switch (p->type) {
    case IOREQ_TYPE_PIO:
    case IOREQ_TYPE_COPY:
        if (p->data_is_ptr) {
            request_string(dm, p);
            return;
        }
        p->data = dm_access(dm->regions, p->type == IOREQ_TYPE_PIO ? DM_PORT : DM_MEMORY, p->addr, p->size,
                            p->dir == IOREQ_WRITE, p->data);
        return;
    case IOREQ_TYPE_PCI_CONFIG:
        p->data = pc_pci_config(&dm->pc, p->addr, p->size, p->dir == IOREQ_WRITE, (uint32_t)p->data);
        return;
    default: /* the time of day was set, mappings are stale: nothing is kept here */ return;
    }
}

static void notify(struct dm *dm, evtchn_port_t port)
{
    struct evtchn_send op = { .port = port };

    event_op(vcpu(dm), EVTCHNOP_send, &op);
}

/* Writes of the ring: so many at most. True: there are more. */
static bool take_writes(struct dm *dm, unsigned int *budget)
{
    buffered_iopage_t *ring = dm->writes;

    while (ring->read_pointer != ring->write_pointer && *budget) {
        const buf_ioreq_t *w = &ring->buf_ioreq[ring->read_pointer % IOREQ_BUFFER_SLOT_NUM];
        uint64_t data = w->data;

        if (w->size == 3)
            data |= (uint64_t)ring->buf_ioreq[(ring->read_pointer + 1) % IOREQ_BUFFER_SLOT_NUM].data << 32;
        dm_access(dm->regions, DM_MEMORY, w->addr, 1u << w->size, true, data);
        task_charge(&dm->task, 1, 0);
        ring->read_pointer += w->size == 3 ? 2 : 1;
        --*budget;
    }
    return ring->read_pointer != ring->write_pointer;
}

static bool take_requests(struct dm *dm, unsigned int *budget)
{
    for (unsigned int i = 0; i < dm->nr_vcpus && *budget; i++) {
        const unsigned int vcpu = (dm->turn + i) % dm->nr_vcpus;
        ioreq_t *p = &dm->requests->vcpu_ioreq[vcpu];

        if (p->state != STATE_IOREQ_READY || !dm->port[vcpu])
            continue;
        p->state = STATE_IOREQ_INPROCESS;
        task_charge(&dm->task, 1, 0);
        request(dm, p);
        p->state = STATE_IORESP_READY;
        notify(dm, dm->port[vcpu]);
        --*budget;
    }
    dm->turn = (dm->turn + 1) % dm->nr_vcpus;
    return !*budget;
}

static void take_timers(struct dm *dm)
{
    dm_timers_run(&dm->timers, board_now(&dm->board));
    task_ready_at(&dm->task, dm->timers ? dm->timers->due : 0);
}

static bool dm_step(struct task *t, unsigned int budget)
{
    struct dm *dm = t->data;

    take_timers(dm);
    if (dm->kicked) {
        dm->kicked = false;
        pc_kick(&dm->pc);
    }
    return take_writes(dm, &budget) || take_requests(dm, &budget);
}

static const struct task_ops dm_task = { .name = "device model", .step = dm_step };

/* ---------------------------------------------------------------------------------------------------------- life -- */

static int bind(struct dm *dm, evtchn_port_t remote, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain op = { .remote_dom = dm->domid, .remote_port = remote };
    const int rc = (int)event_op(vcpu(dm), EVTCHNOP_bind_interdomain, &op);

    if (rc)
        return rc;
    *port = op.local_port;
    return native_bind(dm->kernel, op.local_port, &dm->task) ? 0 : -ENOMEM;
}

static int server_enable(struct dm *dm, bool enable)
{
    struct xen_dm_op op = { .op = XEN_DMOP_set_ioreq_server_state,
                            .u.set_ioreq_server_state = { .id = dm->server, .enabled = enable } };

    return dm_op(dm, &op);
}

static int server_begin(struct dm *dm)
{
    struct xen_dm_op create = { .op = XEN_DMOP_create_ioreq_server,
                                .u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC };
    struct xen_dm_op info = { .op = XEN_DMOP_get_ioreq_server_info }, nr = { .op = XEN_DMOP_nr_vcpus };
    int rc = dm_op(dm, &create);

    if (rc)
        return rc;
    dm->has_server = true;
    dm->server = info.u.get_ioreq_server_info.id = create.u.create_ioreq_server.id;
    rc = dm_op(dm, &info);
    if (!rc)
        rc = dm_op(dm, &nr);
    if (rc)
        return rc;
    dm->nr_vcpus = nr.u.nr_vcpus.vcpus;
    dm->requests = native_map_foreign(vcpu(dm), dm->domid, _mfn(info.u.get_ioreq_server_info.ioreq_gfn));
    dm->writes = native_map_foreign(vcpu(dm), dm->domid, _mfn(info.u.get_ioreq_server_info.bufioreq_gfn));
    if (!dm->requests || !dm->writes)
        return -EFAULT;
    rc = server_enable(dm, true);
    if (!rc)
        rc = bind(dm, info.u.get_ioreq_server_info.bufioreq_port, &dm->writes_port);
    for (unsigned int i = 0; i < dm->nr_vcpus && !rc; i++)
        rc = bind(dm, dm->requests->vcpu_ioreq[i].vp_eport, &dm->port[i]);
    return rc;
}

struct dm *dm_create(struct native_kernel *k, domid_t domid, const struct pc_config *cfg, int *rc)
{
    struct dm *dm = xzalloc(native_vcpu(k)->domain->xen->machine->arena, struct dm);

    *rc = -ENOMEM;
    if (!dm)
        return NULL;
    dm->board.ops = &board_ops;
    dm->kernel = k;
    dm->domid = domid;
    task_init(&dm->task, k, &dm_task, dm);
    *rc = server_begin(dm);
    if (cfg->state)
        state_lines(cfg->state, &dm->isa_up, dm->pci_up);
    dm->kicked = cfg->state;
    if (!*rc)
        *rc = pc_init(&dm->pc, &dm->board, cfg);
    /* Configuration accesses to functions of the bus come one by one. */
    for (unsigned int i = 0; i < dm->pc.pci.nr_devices && !*rc; i++)
        *rc = range_op(dm, true, XEN_DMOP_IO_RANGE_PCI, dm->pc.pci.device[i]->devfn, dm->pc.pci.device[i]->devfn);
    if (!*rc && dm->kicked)
        task_ready(&dm->task);
    if (!*rc)
        return dm;
    dm_destroy(dm);
    return NULL;
}

static void unbind(struct dm *dm, evtchn_port_t port)
{
    struct evtchn_close op = { .port = port };

    if (!port)
        return;
    native_bind(dm->kernel, port, NULL);
    event_op(vcpu(dm), EVTCHNOP_close, &op);
}

void dm_destroy(struct dm *dm)
{
    struct xen_dm_op op = { .op = XEN_DMOP_destroy_ioreq_server };

    if (!dm)
        return;
    for (unsigned int i = 0; i < dm->nr_vcpus; i++)
        unbind(dm, dm->port[i]);
    unbind(dm, dm->writes_port);
    if (dm->requests)
        native_unmap(vcpu(dm), dm->requests);
    if (dm->writes)
        native_unmap(vcpu(dm), dm->writes);
    if (dm->has_server) {
        op.u.destroy_ioreq_server.id = dm->server;
        dm_op(dm, &op); /* of a domain that is gone it is gone, too */
    }
    task_end(&dm->task);
    pc_end(&dm->pc);
    while (dm->nr_looked)
        native_unlook(vcpu(dm), dm->looked[--dm->nr_looked]);
    xfree(dm->looked);
    xfree(dm);
}

/* An emulator that stops disables its server, and has its frames put back by that. */
int dm_stop(struct dm *dm)
{
    unsigned int budget = UINT_MAX;

    take_writes(dm, &budget);
    take_requests(dm, &budget);
    return server_enable(dm, false);
}

int dm_go_on(struct dm *dm) { return server_enable(dm, true); }

void dm_save(struct dm *dm, struct dm_state *s)
{
    state_lines(s, &dm->isa_up, dm->pci_up);
    pc_save(&dm->pc, s);
}

void dm_kick(struct dm *dm)
{
    dm->kicked = true;
    task_ready(&dm->task);
}

struct pc *dm_pc(struct dm *dm) { return &dm->pc; }
