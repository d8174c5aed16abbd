// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hardware domain's devices, as far as they are the hypervisor's affair: interrupts and DMA.
 *
 * Concept: a device has no idea of domains. Its interrupt reaches Xen, which passes it on as an event to the domain
 * that has bound it (a PIRQ); its DMA reaches memory, past all page tables. What keeps a driver from having its device
 * overwrite the hypervisor is an IOMMU, that Xen sets up along with the frames' types. So here:
 *
 *      read     any frame that belongs to a domain, but Xen's own pages that are shared with it
 *      write    the same, as long as it is no page table and no descriptor table: as a mapping of the guest's own
 *
 * A grant that dom0 has mapped is such a frame of another domain's, so that dom0's driver can hand a guest's page to
 * the disk without copying it.
 *
 * Corresponds to __do_IRQ_guest() of xen/arch/x86/irq.c, and to the IOMMU part of _get_page_type() in
 * xen/arch/x86/mm.c. Simplifies: one set of rules for all devices, not a table for each domain.
 */
#include "vcpu/hwdom.h"

#include "evtchn/evtchn.h"
#include "mmu/page.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>

bool hwdom_interrupt(struct xen *xen, unsigned int gsi) { return send_guest_pirq(xen->dom0, gsi); }

/* May a device reach it? */
static bool dma_okay(const struct xen *xen, mfn_t mfn, bool write)
{
    const struct page_info *pg;
    uint64_t type;

    if (!mfn_valid(xen->machine, mfn) || mfn_x(mfn) < FIRMWARE_FRAMES)
        return false;
    pg = mfn_to_page(xen, mfn);
    type = pg->type_info & PGT_type_mask;
    if (!pg->owner || pg->owner->type == DOMAIN_SYSTEM || !(pg->count_info & PGC_count_mask) ||
        (pg->count_info & PGC_xen_heap))
        return false;
    return !write || !(pg->type_info & PGT_count_mask) || type == PGT_writable_page;
}

static size_t in_frame(uint64_t addr, size_t left)
{
    const size_t n = PAGE_SIZE - PAGE_OFFSET(addr);

    return n < left ? n : left;
}

int hwdom_dma_read(struct xen *xen, uint64_t addr, void *buf, size_t len)
{
    uint8_t *to = buf;
    int rc = 0;

    for (size_t part; len; len -= part, addr += part, to += part) {
        const mfn_t mfn = _mfn(addr >> PAGE_SHIFT);

        part = in_frame(addr, len);
        if (dma_okay(xen, mfn, false)) {
            memcpy(to, (const uint8_t *)mfn_to_virt(xen->machine, mfn) + PAGE_OFFSET(addr), part);
        } else {
            memset(to, 0xff, part);
            rc = -EFAULT;
        }
    }
    return rc;
}

int hwdom_dma_write(struct xen *xen, uint64_t addr, const void *buf, size_t len)
{
    const uint8_t *from = buf;
    int rc = 0;

    for (size_t part; len; len -= part, addr += part, from += part) {
        const mfn_t mfn = _mfn(addr >> PAGE_SHIFT);

        part = in_frame(addr, len);
        if (!dma_okay(xen, mfn, true)) {
            rc = -EFAULT;
            continue;
        }
        memcpy((uint8_t *)frame_write_begin(xen->machine, mfn) + PAGE_OFFSET(addr), from, part);
        frame_write_end(xen->machine, mfn);
    }
    return rc;
}
