// SPDX-License-Identifier: GPL-2.0-or-later
/* RTL8139: what it does on its bus, guest memory and its interrupt. See rtl8139.h. */
#include "rings/dm/rtl8139.h"

#include <errno.h>

static bool master(const struct rtl8139 *nic) { return nic->pci.config[PCI_COMMAND] & PCI_COMMAND_MASTER; }

int rtl8139_dma_read(struct rtl8139 *nic, uint64_t gpa, void *buf, size_t len)
{
    return master(nic) ? nic->board->ops->dma_read(nic->board, gpa, buf, len) : -EFAULT;
}

int rtl8139_dma_write(struct rtl8139 *nic, uint64_t gpa, const void *buf, size_t len)
{
    return master(nic) ? nic->board->ops->dma_write(nic->board, gpa, buf, len) : -EFAULT;
}

void rtl8139_update_line(struct rtl8139 *nic)
{
    const bool up = !nic->pci.gone && rtl_get(nic, RTL_ISR, 2) & rtl_get(nic, RTL_IMR, 2);

    nic->board->ops->pci_intx(nic->board, nic->pci.devfn >> 3, 0, up);
}

void rtl8139_interrupt(struct rtl8139 *nic, unsigned int why)
{
    rtl_set(nic, RTL_ISR, 2, rtl_get(nic, RTL_ISR, 2) | why);
    rtl8139_update_line(nic);
}
