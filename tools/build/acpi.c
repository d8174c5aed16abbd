// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ACPI tables of a PVH guest. See acpi.h for the whole.
 *
 * The layouts are those of the ACPI Specification 5.0, chapter 5.2; the code of the DSDT is AML, chapter 20.
 */
#include "tools/build/acpi_private.h"

#include <assert.h>
#include <string.h>

#define PAGE 4096u

#define LAPIC_ADDRESS  0xfee00000u
#define IOAPIC_ADDRESS 0xfec00000u

/* ISA interrupts that PCI devices of Xen's HVM guests share: active low, level. */
#define PCI_ISA_IRQS ((1u << 5) | (1u << 10) | (1u << 11))

struct packed_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));

struct packed_gas { /* generic address structure */
    uint8_t space, width, offset, access;
    uint64_t address;
} __attribute__((packed));

#define SPACE_IO 1

struct packed_fadt {
    struct packed_header header;
    uint32_t firmware_ctrl, dsdt;
    uint8_t model, profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst_cnt;
    uint16_t lvl2_lat, lvl3_lat, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_arch;
    uint8_t reserved;
    uint32_t flags;
    /* ACPI 1.0 ends here */
    struct packed_gas reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor;
    uint64_t x_firmware_ctrl, x_dsdt;
    struct packed_gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
    struct packed_gas sleep_control, sleep_status;
} __attribute__((packed));

#define FADT_1_SIZE      offsetof(struct packed_fadt, reset_reg)
#define BOOT_NO_VGA      (1u << 2)
#define BOOT_NO_CMOS_RTC (1u << 5)

#define FADT_WBINVD         (1u << 0)
#define FADT_PROC_C1        (1u << 2)
#define FADT_PWR_BUTTON     (1u << 4) /* buttons are none of the fixed hardware */
#define FADT_SLP_BUTTON     (1u << 5)
#define FADT_FIX_RTC        (1u << 6)
#define FADT_TMR_VAL_EXT    (1u << 8)
#define FADT_PLATFORM_CLOCK (1u << 15)
#define FADT_HW_REDUCED     (1u << 20)

struct packed_madt {
    struct packed_header header;
    uint32_t lapic_address, flags;
} __attribute__((packed));

#define MADT_PCAT_COMPAT 1u

struct packed_madt_lapic {
    uint8_t type, length, processor_id, apic_id;
    uint32_t flags;
} __attribute__((packed));

struct packed_madt_ioapic {
    uint8_t type, length, id, reserved;
    uint32_t address, gsi_base;
} __attribute__((packed));

struct packed_madt_override {
    uint8_t type, length, bus, source;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

enum { MADT_LAPIC, MADT_IOAPIC, MADT_OVERRIDE };

#define LAPIC_ENABLED 1u
#define LOW_AND_LEVEL 0xfu

struct packed_facs {
    char signature[4];
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
} __attribute__((packed));

struct packed_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

#define RSDP_1_SIZE 20

_Static_assert(sizeof(struct packed_header) == 36 && sizeof(struct packed_fadt) == 268 && FADT_1_SIZE == 116 &&
                   sizeof(struct packed_facs) == 64 && sizeof(struct packed_rsdp) == 36,
               "the sizes that the specification states");

/* -------------------------------------------------------------------------------------------------- in any table -- */

static uint8_t sum(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint8_t n = 0;

    while (size--)
        n += *p++;
    return n;
}

static uint32_t address_of(const struct acpi_area *a, const void *p)
{
    return a->at + (uint32_t)((const uint8_t *)p - a->bytes);
}

static void *table_begin(struct acpi_area *a, const char *signature, uint8_t revision, size_t size)
{
    struct packed_header *h;

    a->used = (a->used + 15) & ~(size_t)15;
    h = acpi_take(a, size);
    memcpy(h->signature, signature, 4);
    h->revision = revision;
    memcpy(h->oem_id, "Xen", 3);
    memcpy(h->oem_table_id, "HVM", 3);
    memcpy(h->creator_id, "HVML", 4);
    return h;
}

/* The table ends where the area does. */
static void table_end(struct acpi_area *a, void *table)
{
    struct packed_header *h = table;

    h->length = (uint32_t)(a->bytes + a->used - (uint8_t *)table);
    h->checksum = (uint8_t)-sum(table, h->length);
}

/* ---------------------------------------------------------------------------------------------------------- DSDT -- */

static void put_named_byte(struct acpi_area *a, const char *name, uint8_t byte)
{
    aml_name(a, name);
    aml_put8(a, AML_BYTE);
    aml_put8(a, byte);
}

/* Processor (PRnn, n, 0, 0) { Name (_HID, "ACPI0007") Name (_UID, n) Name (_STA, 0xf or 0) } */
static void put_processor(struct acpi_area *a, unsigned int n, bool online)
{
    static const char digits[] = "0123456789ABCDEF", hid[] = "ACPI0007";
    const char name[4] = { 'P', 'R', digits[n >> 4], digits[n & 0xf] };
    size_t from;

    aml_put(a, AML_PROCESSOR, 2);
    from = a->used;
    aml_put(a, name, 4);
    aml_put8(a, (uint8_t)n);
    aml_put(a, "\0\0\0\0", 5); /* no P_BLK: its address, 4 bytes, and length */
    aml_name(a, "_HID");
    aml_put8(a, AML_STRING);
    aml_put(a, hid, sizeof(hid));
    put_named_byte(a, "_UID", (uint8_t)n);
    put_named_byte(a, "_STA", online ? 0xf : 0);
    aml_length(a, from);
}

/* Name (_S5, Package (4) { 0, 0, 0, 0 }) */
static void put_s5(struct acpi_area *a)
{
    size_t from;

    aml_name(a, "_S5_");
    aml_put8(a, AML_PACKAGE);
    from = a->used;
    aml_put(a, "\4\0\0\0\0", 5);
    aml_length(a, from);
}

static uint32_t build_dsdt(struct acpi_area *a, const struct acpi_config *c)
{
    void *dsdt = table_begin(a, "DSDT", 5, sizeof(struct packed_header));
    size_t from;

    if (c->s5)
        put_s5(a);
    aml_put8(a, AML_SCOPE);
    from = a->used;
    aml_put(a, "\\_SB_", 5);
    for (unsigned int i = 0; i < c->nr_vcpus; i++)
        put_processor(a, i, i < c->nr_online);
    if (c->machine)
        acpi_put_machine(a);
    aml_length(a, from);
    table_end(a, dsdt);
    return address_of(a, dsdt);
}

/* -------------------------------------------------------------------------------------------------- other tables -- */

static uint32_t build_facs(struct acpi_area *a)
{
    struct packed_facs *facs = acpi_take(a, sizeof(*facs));

    *facs = (struct packed_facs){ .signature = "FACS", .length = sizeof(*facs), .version = 1 };
    return address_of(a, facs);
}

static struct packed_gas io(uint16_t port, uint8_t width)
{
    return (struct packed_gas){ .space = SPACE_IO, .width = width, .address = port };
}

/* revision 1: what an ACPI 1.0 guest knows of it. */
static uint32_t build_fadt(struct acpi_area *a, const struct acpi_config *c, uint8_t revision, uint32_t facs,
                           uint32_t dsdt)
{
    struct packed_fadt f = {
        .firmware_ctrl = facs,
        .dsdt = dsdt,
        .lvl2_lat = 0xfff, /* neither C2 nor C3 */
        .lvl3_lat = 0xfff,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_FIX_RTC | FADT_TMR_VAL_EXT | FADT_PLATFORM_CLOCK,
        .reset_reg = io(0xcf9, 8),
        .reset_value = 6,
        .x_firmware_ctrl = facs,
        .x_dsdt = dsdt,
    };
    const size_t size = revision == 1 ? FADT_1_SIZE : sizeof(f);
    struct packed_header *h = table_begin(a, "FACP", revision, size);

    if (revision != 1) {
        f.boot_arch = BOOT_NO_VGA | BOOT_NO_CMOS_RTC;
        f.flags |= FADT_PWR_BUTTON | FADT_SLP_BUTTON;
    }
    if (c->hardware_reduced) {
        f.flags |= FADT_HW_REDUCED;
    } else {
        f.sci_int = 9;
        f.pm1a_evt = 0xb000;
        f.pm1a_cnt = 0xb004;
        f.gpe0 = 0xafe0;
        f.pm1_evt_len = 4;
        f.pm1_cnt_len = 2;
        f.gpe0_len = 4;
        f.x_pm1a_evt = io(0xb000, 32);
        f.x_pm1a_cnt = io(0xb004, 16);
    }
    memcpy(h + 1, (uint8_t *)&f + sizeof(*h), size - sizeof(*h));
    table_end(a, h);
    return address_of(a, h);
}

static void put_io_apic(struct acpi_area *a)
{
    struct packed_madt_override o = { .type = MADT_OVERRIDE, .length = sizeof(o), .source = 0, .gsi = 2 };
    struct packed_madt_ioapic io_apic = {
        .type = MADT_IOAPIC, .length = sizeof(io_apic), .id = 1, .address = IOAPIC_ADDRESS
    };

    aml_put(a, &o, sizeof(o));
    o.flags = LOW_AND_LEVEL;
    for (unsigned int irq = 1; irq < 16; irq++) {
        o.source = (uint8_t)irq;
        o.gsi = irq;
        if (PCI_ISA_IRQS & (1u << irq))
            aml_put(a, &o, sizeof(o));
    }
    aml_put(a, &io_apic, sizeof(io_apic));
}

static uint32_t build_madt(struct acpi_area *a, const struct acpi_config *c)
{
    struct packed_madt *madt = table_begin(a, "APIC", 2, sizeof(*madt));

    madt->lapic_address = LAPIC_ADDRESS;
    madt->flags = MADT_PCAT_COMPAT;
    if (c->io_apic)
        put_io_apic(a);
    for (unsigned int i = 0; i < c->nr_vcpus; i++) {
        struct packed_madt_lapic lapic = {
            .type = MADT_LAPIC,
            .length = sizeof(lapic),
            .processor_id = (uint8_t)i,
            .apic_id = (uint8_t)(2 * i),
            .flags = i < c->nr_online ? LAPIC_ENABLED : 0,
        };

        aml_put(a, &lapic, sizeof(lapic));
    }
    table_end(a, madt);
    return address_of(a, madt);
}

/* RSDT and XSDT: addresses of other tables, of `width` bytes. */
static uint32_t build_list(struct acpi_area *a, const char *signature, size_t width, uint64_t fadt, uint64_t madt)
{
    void *list = table_begin(a, signature, 1, sizeof(struct packed_header));

    aml_put(a, &fadt, width); /* little-endian: the low bytes come first */
    aml_put(a, &madt, width);
    table_end(a, list);
    return address_of(a, list);
}

void acpi_build(struct acpi_tables *t, const struct acpi_config *c)
{
    struct packed_rsdp rsdp = { .signature = "RSD PTR ", .oem_id = "Xen", .revision = 2, .length = sizeof(rsdp) };
    struct acpi_area a = { .bytes = t->bytes, .at = c->at };
    uint32_t facs, dsdt, fadt_1, fadt, madt;

    assert(c->nr_vcpus >= 1 && c->nr_vcpus <= ACPI_VCPUS_MAX && c->at % PAGE == 0);
    memset(t, 0, sizeof(*t));
    facs = build_facs(&a);
    dsdt = build_dsdt(&a, c);
    fadt_1 = build_fadt(&a, c, 1, facs, dsdt);
    fadt = build_fadt(&a, c, 5, facs, dsdt);
    madt = build_madt(&a, c);
    rsdp.xsdt = build_list(&a, "XSDT", 8, fadt, madt);
    rsdp.rsdt = build_list(&a, "RSDT", 4, fadt_1, madt);
    t->size = (a.used + PAGE - 1) & ~(size_t)(PAGE - 1);

    t->rsdp_at = c->rsdp_at ? c->rsdp_at : c->at + (uint32_t)t->size;
    rsdp.checksum = (uint8_t)-sum(&rsdp, RSDP_1_SIZE);
    rsdp.extended_checksum = (uint8_t)-sum(&rsdp, sizeof(rsdp));
    memcpy(t->rsdp, &rsdp, sizeof(rsdp));
}
