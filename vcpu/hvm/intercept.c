// SPDX-License-Identifier: GPL-2.0-or-later
/* Who answers at ports and devices' addresses: the idea is in vcpu/hvm/intercept.h. */
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"

#include <string.h>

#define DEBUG_PORT 0xe9

/* ------------------------------------------------------------------------------------ the hypervisor's devices -- */

static bool has(const struct domain *d, uint32_t flag) { return d->emulation_flags & flag; }

static uint32_t ones(unsigned int size) { return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1; }

static bool is_pic(unsigned int port) { return (port & ~0x81u) == 0x20 || (port & ~1u) == 0x4d0; }
static bool is_pit(unsigned int port) { return (port >= 0x40 && port < 0x44) || port == 0x61; }

static bool is_rtc(const struct domain *d, unsigned int port)
{
    return port == 0x71 && has(d, XEN_X86_EMU_RTC) && rtc_has(&d->hvm->rtc);
}

/* Devices of one byte a port. A wider access is no access to them: all ones, lost. */
static bool byte_device(struct domain *d, unsigned int port, bool write, uint8_t *val)
{
    struct hvm_domain *h = d->hvm;

    if (is_pic(port) && has(d, XEN_X86_EMU_PIC)) {
        if (write)
            vpic_write(&h->irq, (uint16_t)port, *val);
        else
            *val = vpic_read(&h->irq, (uint16_t)port);
    } else if (is_pit(port) && has(d, XEN_X86_EMU_PIT)) {
        if (write)
            pit_write(&h->pit, (uint16_t)port, *val);
        else
            *val = pit_read(&h->pit, (uint16_t)port);
    } else if (port == 0x70 && write && has(d, XEN_X86_EMU_RTC)) {
        rtc_write(&h->rtc, (uint16_t)port, *val);
        return false; /* the device model is to hear of it, too */
    } else if (is_rtc(d, port)) {
        if (write)
            rtc_write(&h->rtc, (uint16_t)port, *val);
        else
            *val = rtc_read(&h->rtc, (uint16_t)port);
    } else if (port == DEBUG_PORT) {
        if (write)
            guest_console_write(d, &(const char){ (char)*val }, 1);
        else
            *val = DEBUG_PORT; /* by which programs know that it is there */
    } else {
        return false;
    }
    return true;
}

static bool has_byte_device(const struct domain *d, unsigned int port)
{
    return (is_pic(port) && has(d, XEN_X86_EMU_PIC)) || (is_pit(port) && has(d, XEN_X86_EMU_PIT)) || is_rtc(d, port) ||
           port == DEBUG_PORT;
}

/* Which of the power management's ports is it? False: none. */
static bool pm_offset(const struct domain *d, unsigned int port, unsigned int size, unsigned int *offset)
{
    *offset = port - pmtimer_base(d->hvm->params[HVM_PARAM_ACPI_IOPORTS_LOCATION]);
    return has(d, XEN_X86_EMU_PM) && *offset < PMTIMER_LEN && *offset + size <= PMTIMER_LEN;
}

static bool internal_port(struct domain *d, struct hvm_io_op *op)
{
    const unsigned int port = (unsigned int)op->addr;
    unsigned int offset;
    uint8_t byte = (uint8_t)op->data;

    if (pm_offset(d, port, op->size, &offset)) {
        if (op->write)
            pmtimer_write(&d->hvm->pmtimer, offset, op->size, (uint32_t)op->data);
        else
            op->data = pmtimer_read(&d->hvm->pmtimer, offset, op->size);
        return true;
    }
    if (op->size > 1 && has_byte_device(d, port)) {
        op->data = ones(op->size);
        return true;
    }
    if (op->size > 1 || !byte_device(d, port, op->write, &byte))
        return false;
    if (!op->write)
        op->data = byte;
    return true;
}

static bool is_apic(const struct vcpu *v, uint64_t gpa)
{
    return !vlapic_hw_disabled(&v->hvm->vlapic) && !vlapic_x2apic_mode(&v->hvm->vlapic) &&
           PFN_DOWN(gpa) == PFN_DOWN(v->hvm->vlapic.apic_base_msr & UINT64_C(0xffffff000));
}

static bool internal_memory(struct vcpu *v, struct hvm_io_op *op)
{
    struct domain *d = v->domain;
    const uint64_t pin = op->addr - VIOAPIC_DEFAULT_BASE_ADDRESS, reg = op->addr - HPET_BASE_ADDRESS;

    if (is_apic(v, op->addr)) {
        if (op->write)
            vlapic_write(&v->hvm->vlapic, PAGE_OFFSET(op->addr), op->size, (uint32_t)op->data);
        else
            op->data = vlapic_read(&v->hvm->vlapic, PAGE_OFFSET(op->addr), op->size);
        return true;
    }
    if (pin < VIOAPIC_MEM_LENGTH && has(d, XEN_X86_EMU_IOAPIC)) {
        if (op->write)
            vioapic_write(&d->hvm->irq, (unsigned int)pin, (uint32_t)op->data);
        else
            op->data = vioapic_read(&d->hvm->irq, (unsigned int)pin);
        return true;
    }
    if (reg < HPET_MMAP_SIZE && has(d, XEN_X86_EMU_HPET) && d->hvm->params[HVM_PARAM_HPET_ENABLED]) {
        if (op->write)
            hpet_write(&d->hvm->hpet, (unsigned int)reg, op->size, op->data);
        else
            op->data = hpet_read(&d->hvm->hpet, (unsigned int)reg, op->size);
        return true;
    }
    return false;
}

void hvm_devices_init(struct domain *d)
{
    struct hvm_irq *irq = &d->hvm->irq;

    pit_init(&d->hvm->pit, irq);
    rtc_init(&d->hvm->rtc, irq);
    pmtimer_init(&d->hvm->pmtimer, irq, true);
    hpet_init(&d->hvm->hpet, irq, &d->hvm->pit);
    d->hvm->params[HVM_PARAM_HPET_ENABLED] = has(d, XEN_X86_EMU_HPET);
}

void hvm_devices_deinit(struct domain *d)
{
    pit_deinit(&d->hvm->pit);
    rtc_deinit(&d->hvm->rtc);
    pmtimer_deinit(&d->hvm->pmtimer);
    hpet_deinit(&d->hvm->hpet);
}

/* ------------------------------------------------------------------------------------------------- one access -- */

static enum hvm_io ask_device_model(struct vcpu *v, struct hvm_io_op *op)
{
    const struct hvm_domain *h = v->domain->hvm;
    const int server = h->direct_access ? -1 : hvm_select_ioreq_server(v->domain, op);

    if (h->direct_access)
        return h->direct_access(h->direct_data, op);
    if (server >= 0)
        return hvm_send_ioreq(v, (unsigned int)server, op);
    if (!op->write)
        op->data = ~UINT64_C(0);
    return HVM_IO_DONE;
}

enum hvm_io hvm_io_access(struct vcpu *v, struct hvm_io_op *op)
{
    struct hvm_domain *h = v->domain->hvm;

    if (hvm_io_kept(&v->hvm->io, op))
        return HVM_IO_DONE;
    if (op->port && op->addr == 0xcf8 && op->size == 4 && op->write)
        h->pci_cf8 = (uint32_t)op->data; /* and a device model may hear of it */
    if (!(op->port ? !op->data_is_ptr && internal_port(v->domain, op) : internal_memory(v, op)) &&
        ask_device_model(v, op) == HVM_IO_WAIT)
        return HVM_IO_WAIT;
    hvm_io_keep(&v->hvm->io, op);
    return HVM_IO_DONE;
}

bool hvm_port_is_internal(struct vcpu *v, unsigned int port, unsigned int size)
{
    const struct hvm_io_op op = { .port = true, .addr = port, .size = (uint8_t)size, .count = 1 };
    unsigned int offset;

    return pm_offset(v->domain, port, size, &offset) || has_byte_device(v->domain, port) ||
           hvm_select_ioreq_server(v->domain, &op) < 0;
}

enum hvm_io hvm_port_access(struct vcpu *v, unsigned int port, unsigned int size, bool write, uint32_t *data)
{
    struct hvm_io_op op = {
        .port = true, .addr = port, .size = (uint8_t)size, .count = 1, .write = write, .data = write ? *data : 0
    };
    const enum hvm_io rc = hvm_io_access(v, &op);

    if (rc == HVM_IO_DONE && !write)
        *data = (uint32_t)op.data & ones(size);
    return rc;
}

enum hvm_io hvm_mmio_access(struct vcpu *v, uint64_t gpa, unsigned int size, bool write, uint64_t *data)
{
    struct hvm_io_op op = { .addr = gpa, .size = (uint8_t)size, .count = 1, .write = write, .data = write ? *data : 0 };
    const enum hvm_io rc = hvm_io_access(v, &op);

    if (rc == HVM_IO_DONE && !write)
        *data = op.data;
    return rc;
}
