// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mainboard of the physical machine: what joins its devices to dom0.
 *
 * Concept: on real Xen the machine's devices are dom0's. It reaches their ports itself, since Xen lets it; they reach
 * memory by DMA, at machine addresses; and their interrupts are Xen's, which passes each on as an event (a PIRQ). So
 * here: a device is the same as one of a device model (rings/dm/device.h), and the board under it is another one.
 *
 *      dom0: OUT --#GP--> Xen emulates --> phys_port_write() --> device --> line up --> hwdom_interrupt() --> dom0's driver
 *                                                                  '--> DMA to machine memory         '<-- PHYSDEVOP_eoi
 *
 * An interrupt whose line stays up is raised again after each EOI, so a driver that leaves its device unserved is told
 * for ever, and one that never says EOI is not told twice.
 *
 * What DMA reaches vcpu/hwdom.c decides, as an IOMMU would.
 *
 * Invariants: a line's change is seen in `up`; in_service has no bit of an interrupt that nobody was told of.
 */
#include "rings/phys/phys.h"

#include "vcpu/hwdom.h"
#include "vcpu/noun/domain.h"

#include <string.h>

static struct phys *of(struct dm_board *b) { return (struct phys *)b; }

/* --- the trace: devices are dom0's --- */

static struct trace_who of_dom0(const struct phys *p) { return trace_who(p->xen->dom0->domain_id, 0); }

static void board_work(struct dm_board *b, unsigned int device, enum trace_device_op op, uint64_t sector, uint64_t len)
{
    const struct phys *p = of(b);
    char unit[] = "vda";

    if (device == PHYS_NIC_DEV)
        strcpy(unit, "nic");
    else
        unit[2] = (char)('a' + device - PHYS_DISK_DEV);
    TRACE_TEXT_BY(p->xen->machine, device, of_dom0(p), unit, strlen(unit), op, sector, len, TRACE_NONE);
}

/* --- interrupts --- */

static void raise_gsi(struct phys *p, unsigned int gsi)
{
    if (p->in_service >> gsi & 1)
        return;
    TRACE_TEXT_BY(p->xen->machine, device, of_dom0(p), "", 0, TRACE_DEVICE_INTERRUPT, TRACE_NONE, TRACE_NONE, gsi);
    if (hwdom_interrupt(p->xen, gsi))
        p->in_service |= 1u << gsi;
}

static void line_set(struct phys *p, unsigned int gsi, bool up)
{
    if ((p->up >> gsi & 1) == up)
        return;
    p->up ^= 1u << gsi;
    if (up)
        raise_gsi(p, gsi);
}

void phys_eoi(struct phys *p, unsigned int gsi)
{
    if (gsi >= PHYS_GSIS)
        return;
    p->in_service &= ~(1u << gsi);
    if (p->up >> gsi & 1)
        raise_gsi(p, gsi);
}

static void board_isa_irq(struct dm_board *b, unsigned int irq, bool up) { line_set(of(b), irq, up); }

/* A device's pins share an input, and inputs are shared by every eighth device. */
static void board_pci_intx(struct dm_board *b, unsigned int device, unsigned int intx, bool up)
{
    struct phys *p = of(b);
    const unsigned int input = device % 8;
    bool any = false;

    if (up)
        p->pins[device % sizeof(p->pins)] |= (uint8_t)(1u << intx);
    else
        p->pins[device % sizeof(p->pins)] &= (uint8_t) ~(1u << intx);
    for (unsigned int i = input; i < sizeof(p->pins); i += 8)
        any |= p->pins[i] != 0;
    line_set(p, PHYS_PCI_GSI + input, any);
}

static void board_pci_link_route(struct dm_board *b, unsigned int link, unsigned int isa_irq)
{
    (void)b, (void)link, (void)isa_irq; /* no ISA bridge: the IO-APIC's inputs are wired */
}

static void board_msi(struct dm_board *b, uint64_t addr, uint32_t data)
{
    (void)b, (void)addr, (void)data; /* no device here has any */
}

/* --- memory --- */

static int board_dma_read(struct dm_board *b, uint64_t addr, void *buf, size_t len)
{
    return hwdom_dma_read(of(b)->xen, addr, buf, len);
}

static int board_dma_write(struct dm_board *b, uint64_t addr, const void *buf, size_t len)
{
    return hwdom_dma_write(of(b)->xen, addr, buf, len);
}

static const uint8_t *board_frame(struct dm_board *b, uint64_t gfn)
{
    (void)b, (void)gfn;
    return NULL;
}

static bool board_move(struct dm_board *b, uint64_t from, uint64_t to)
{
    (void)b, (void)from, (void)to;
    return false;
}

/* --- time, and the rest --- */

static s_time_t board_now(struct dm_board *b) { return NOW(of(b)->xen); }

static void timer_arm(struct phys *p)
{
    if (p->timers)
        timer_set(&p->xen->machine->clock, &p->next, p->timers->due);
    else
        timer_stop(&p->xen->machine->clock, &p->next);
}

static void board_timer(struct dm_board *b, struct dm_timer *t, s_time_t due)
{
    dm_timer_set(&of(b)->timers, t, due);
    timer_arm(of(b));
}

static void timers_due(void *data)
{
    struct phys *p = data;

    dm_timers_run(&p->timers, NOW(p->xen));
    timer_arm(p);
}

static void board_region(struct dm_board *b, struct dm_region *r)
{
    struct dm_region **at = &of(b)->regions;

    while (*at && *at != r)
        at = &(*at)->next;
    if (!*at)
        *at = r;
}

static void board_tell(struct dm_board *b, const char *what) { printk(of(b)->xen->machine, LOG_ERR, "%s", what); }

static void board_reset(struct dm_board *b) { (void)b; /* no device here has a button */ }

static const struct dm_board_ops ops = {
    .region = board_region,
    .isa_irq = board_isa_irq,
    .pci_intx = board_pci_intx,
    .pci_link_route = board_pci_link_route,
    .msi = board_msi,
    .dma_read = board_dma_read,
    .dma_write = board_dma_write,
    .frame = board_frame,
    .move = board_move,
    .now = board_now,
    .tell = board_tell,
    .reset = board_reset,
    .work = board_work,
    .timer = board_timer,
};

uint32_t phys_port_read(struct phys *p, uint16_t port, unsigned int size)
{
    return (uint32_t)dm_access(p->regions, DM_PORT, port, size, false, 0);
}

void phys_port_write(struct phys *p, uint16_t port, unsigned int size, uint32_t val)
{
    dm_access(p->regions, DM_PORT, port, size, true, val);
}

/* Configuration mechanism 1: 31 enable, 23..16 bus, 15..8 device and function, 7..2 register. */
uint32_t phys_pci_config(struct phys *p, uint32_t cf8, unsigned int off, unsigned int size, const uint32_t *val)
{
    const unsigned int devfn = cf8 >> 8 & 0xff, reg = (cf8 & 0xfc) + off;

    if (!(cf8 >> 31) || (cf8 >> 16 & 0xff))
        return (uint32_t)((UINT64_C(1) << 8 * size) - 1);
    if (!val)
        return pci_config_read(&p->pci, devfn, reg, size);
    pci_config_write(&p->pci, devfn, reg, size, *val);
    return *val;
}

/* What is sent over the serial line is for the log. */
static void com1_transmit(void *owner, uint8_t byte)
{
    struct phys *p = owner;

    if (byte >= ' ' && byte <= '~')
        p->line[p->line_len++] = (char)byte;
    if (byte != '\n' && p->line_len < sizeof(p->line) - 1)
        return;
    p->line[p->line_len] = '\0';
    p->line_len = 0;
    printk(p->xen->machine, LOG_INFO, "COM1: %s", p->line);
}

static void com1_ready(void *owner) { (void)owner; }

static const struct uart_line_ops com1_ops = { com1_transmit, com1_ready };

void phys_init(struct phys *p, struct xen *xen)
{
    *p = (struct phys){ .board = { &ops }, .xen = xen };
    timer_init(&p->next, timers_due, p);
    pci_bus_init(&p->pci, &p->board);
    pci_device_init(&p->host_bridge, 0, 0x8086, 0x1237, 0x060000, p); /* as an i440FX's */
    pci_add(&p->pci, &p->host_bridge);
    uart_init(&p->com1, &p->board, UART_COM1, 4, &com1_ops, p);
    phys_rtc_init(&p->rtc, &p->board, xen);
    phys_power_init(&p->power, &p->board);
}

bool phys_disk_add(struct phys *p, struct disk *disk, bool readonly, const char *serial)
{
    struct virtio_blk *b = p->nr_disks < PHYS_DISKS ? xzalloc(p->xen->machine->arena, struct virtio_blk) : NULL;

    if (!b || !virtio_blk_init(b, &p->pci, (uint8_t)((PHYS_DISK_DEV + p->nr_disks) << 3), disk, readonly, serial)) {
        xfree(b);
        return false;
    }
    p->disk[p->nr_disks++] = b;
    return true;
}

bool phys_nic_add(struct phys *p, const uint8_t mac[6], const struct wire_ops *wire, void *owner)
{
    struct virtio_net *n = p->nic ? NULL : xzalloc(p->xen->machine->arena, struct virtio_net);

    if (!n || !virtio_net_init(n, &p->pci, PHYS_NIC_DEV << 3, mac, wire, owner)) {
        xfree(n);
        return false;
    }
    p->nic = n;
    return true;
}

void phys_deinit(struct phys *p)
{
    timer_stop(&p->xen->machine->clock, &p->next);
    for (unsigned int i = 0; i < p->nr_disks; i++)
        xfree(p->disk[i]);
    xfree(p->nic);
}
