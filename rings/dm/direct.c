// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device model inside the hypervisor.
 *
 * Concept: the same devices as in dm.c, on a board that needs no messages: the hypervisor calls a region's function in
 * the middle of the guest's instruction, and a device pulls a line by calling the interrupt controller. This is how
 * Xen's own devices are built in, and how a hosted hypervisor's may be; it is here to be compared with the other way.
 * What it costs is not seen in requests and events, but in who is trusted: a device's bug is the hypervisor's.
 *
 *      vCPU: OUT --exit--> hvm_io_access() --> access() --> region's write --> device --> hvm_isa_irq_assert()
 *
 * Invariants: as those of device.h. An access takes the time of a unit of work, as one in a task does, but nobody has
 * to be woken for it.
 */
#include "rings/dm/direct.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/work.h"

#include <errno.h>
#include <xen/sched.h>

struct dm_direct {
    struct dm_board board; /* first: ops find it by this */
    struct domain *d;
    struct dm_region *regions;
    struct dm_timer *timers;
    struct timer next; /* the first of these */
    uint16_t isa_up;
    uint64_t pci_up[2];
    struct pc pc;
};

static struct dm_direct *of(struct dm_board *b) { return (struct dm_direct *)b; }
static struct machine *machine(const struct dm_direct *dm) { return dm->d->xen->machine; }

static void board_region(struct dm_board *b, struct dm_region *r)
{
    struct dm_region **at = &of(b)->regions;

    while (*at && *at != r)
        at = &(*at)->next;
    if (!*at)
        *at = r;
}

static void board_isa_irq(struct dm_board *b, unsigned int irq, bool up)
{
    struct dm_direct *dm = of(b);

    if ((dm->isa_up >> irq & 1) == up)
        return;
    dm->isa_up ^= (uint16_t)(1u << irq);
    (up ? hvm_isa_irq_assert : hvm_isa_irq_deassert)(&dm->d->hvm->irq, irq);
}

static void board_pci_intx(struct dm_board *b, unsigned int device, unsigned int intx, bool up)
{
    struct dm_direct *dm = of(b);
    const unsigned int line = device * 4 + intx;

    if ((dm->pci_up[line / 64] >> line % 64 & 1) == up)
        return;
    dm->pci_up[line / 64] ^= UINT64_C(1) << line % 64;
    (up ? hvm_pci_intx_assert : hvm_pci_intx_deassert)(&dm->d->hvm->irq, device, intx);
}

static void board_pci_link_route(struct dm_board *b, unsigned int link, unsigned int isa_irq)
{
    hvm_set_pci_link_route(&of(b)->d->hvm->irq, link, isa_irq);
}

static void board_msi(struct dm_board *b, uint64_t addr, uint32_t data)
{
    hvm_inject_msi(&of(b)->d->hvm->irq, addr, data);
}

static int board_dma_read(struct dm_board *b, uint64_t gpa, void *buf, size_t len)
{
    domain_charge(of(b)->d, (s_time_t)len * CLOCK_NS_PER_KIB / 1024);
    return hvm_copy_from_guest_phys(of(b)->d, buf, gpa, len) ? 0 : -EFAULT;
}

static int board_dma_write(struct dm_board *b, uint64_t gpa, const void *buf, size_t len)
{
    domain_charge(of(b)->d, (s_time_t)len * CLOCK_NS_PER_KIB / 1024);
    return hvm_copy_to_guest_phys(of(b)->d, gpa, buf, len) ? 0 : -EFAULT;
}

static const uint8_t *board_frame(struct dm_board *b, uint64_t gfn) { return hvm_frame_hold(of(b)->d, gfn); }

static bool board_move(struct dm_board *b, uint64_t from, uint64_t to) { return hvm_frame_move(of(b)->d, from, to); }

static void board_reset(struct dm_board *b) { domain_shutdown(of(b)->d, SHUTDOWN_reboot); }

static s_time_t board_now(struct dm_board *b) { return NOW(of(b)->d->xen); }

static void timer_arm(struct dm_direct *dm)
{
    if (dm->timers)
        timer_set(&machine(dm)->clock, &dm->next, dm->timers->due);
    else
        timer_stop(&machine(dm)->clock, &dm->next);
}

static void board_timer(struct dm_board *b, struct dm_timer *t, s_time_t due)
{
    dm_timer_set(&of(b)->timers, t, due);
    timer_arm(of(b));
}

static void timers_due(void *data)
{
    struct dm_direct *dm = data;

    dm_timers_run(&dm->timers, NOW(dm->d->xen));
    timer_arm(dm);
}

static void board_tell(struct dm_board *b, const char *what)
{
    printk(machine(of(b)), LOG_ERR, "d%u: device model: %s", of(b)->d->domain_id, what);
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

static enum hvm_io access(void *data, struct hvm_io_op *op)
{
    struct dm_direct *dm = data;
    const uint32_t cf8 = dm->d->hvm->pci_cf8;

    domain_charge(dm->d, CLOCK_NS_PER_UNIT);
    if (op->port && (op->addr & ~UINT64_C(3)) == 0xcfc && cf8 >> 31)
        op->data = pc_pci_config(&dm->pc, (uint64_t)(cf8 >> 8 & 0xffff) << 32 | (cf8 & 0xfc) | (op->addr & 3), op->size,
                                 op->write, (uint32_t)op->data);
    else
        op->data = dm_access(dm->regions, op->port ? DM_PORT : DM_MEMORY, op->addr, op->size, op->write, op->data);
    return HVM_IO_DONE;
}

struct dm_direct *dm_direct_create(struct domain *d, const struct pc_config *cfg, int *rc)
{
    struct dm_direct *dm = xzalloc(d->xen->machine->arena, struct dm_direct);

    *rc = -ENOMEM;
    if (!dm)
        return NULL;
    dm->board.ops = &board_ops;
    dm->d = d;
    timer_init(&dm->next, timers_due, dm);
    timer_label(&dm->next, TIMER_PLATFORM, d->domain_id, 0);
    if (cfg->state)
        state_lines(cfg->state, &dm->isa_up, dm->pci_up);
    *rc = pc_init(&dm->pc, &dm->board, cfg);
    if (*rc) {
        dm_direct_destroy(dm);
        return NULL;
    }
    d->hvm->direct_access = access;
    d->hvm->direct_data = dm;
    return dm;
}

void dm_direct_destroy(struct dm_direct *dm)
{
    if (!dm)
        return;
    dm->d->hvm->direct_access = NULL;
    timer_stop(&machine(dm)->clock, &dm->next);
    pc_end(&dm->pc);
    hvm_frames_let_go(dm->d);
    xfree(dm);
}

void dm_direct_save(struct dm_direct *dm, struct dm_state *s)
{
    state_lines(s, &dm->isa_up, dm->pci_up);
    pc_save(&dm->pc, s);
}

struct pc *dm_direct_pc(struct dm_direct *dm) { return &dm->pc; }
