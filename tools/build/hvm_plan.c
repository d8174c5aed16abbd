// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes where in a PVH or HVM guest. See hvm_plan.h for the whole.
 */
#include "tools/build/hvm_plan.h"

#include "sim/types.h"
#include "sim/x86.h"
#include "tools/build/image_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <xen/features.h>
#include <xen/hvm/e820.h>
#include <xen/hvm/params.h>

#define GIB_4         (UINT64_C(1) << 32)
#define MIB           (UINT64_C(1) << 20)
#define VGA_HOLE_GFN  0xa0
#define VGA_HOLE_END  0xc0
#define RSDP_LOW      (0x100000 - ACPI_RSDP_SIZE) /* where ACPI's own search finds it */
#define IDENT_PT_BITS 0xe7                        /* present, writable, user, accessed, dirty, 4 MiB */

/* -------------------------------------------------------------------------------------------------------- memory -- */

static void populate(struct hvm_plan *p, uint64_t gfn, uint64_t end)
{
    if (gfn >= end)
        return;
    assert(p->nr_ranges < HVM_RANGES_MAX);
    p->populate[p->nr_ranges++] = (struct hvm_range){ gfn, end - gfn };
}

static void memmap_add(struct hvm_plan *p, uint64_t start, uint64_t end, uint32_t type)
{
    if (start >= end)
        return;
    assert(p->nr_memmap < HVM_MEMMAP_MAX);
    p->memmap[p->nr_memmap++] = (struct hvm_memmap_table_entry){ .addr = start, .size = end - start, .type = type };
}

static void param(struct hvm_plan *p, uint32_t index, uint64_t value)
{
    assert(p->nr_params < HVM_PARAMS_MAX);
    p->params[p->nr_params++] = (struct hvm_param){ index, value };
}

static uint64_t hole_of(const struct hvm_plan_input *in)
{
    if (!in->device_model)
        return ACPI_ADDRESS;
    return in->hole_mib ? GIB_4 - in->hole_mib * MIB : HVM_BELOW_4G_MMIO_START;
}

/* RAM reaches up to the hole below 4 GiB, and goes on after it. *low: where the first part ends. */
static void lay_out_ram(struct hvm_plan *p, const struct hvm_plan_input *in, uint64_t *low, uint64_t *high)
{
    const uint64_t hole = hole_of(in), size = p->nr_ram_pages << PAGE_SHIFT;

    *low = size < hole ? size : hole;
    *high = size > hole ? GIB_4 + size - hole : 0;
    if (in->device_model) {
        populate(p, 0, *low >> PAGE_SHIFT < VGA_HOLE_GFN ? *low >> PAGE_SHIFT : VGA_HOLE_GFN);
        populate(p, VGA_HOLE_END, *low >> PAGE_SHIFT);
    } else {
        populate(p, 0, *low >> PAGE_SHIFT);
    }
    populate(p, GIB_4 >> PAGE_SHIFT, *high >> PAGE_SHIFT);
    p->nr_ram = p->nr_ranges;
    p->screen_gfn = ((*high ? *high : GIB_4) + GIB_4) >> PAGE_SHIFT;
    populate(p, p->screen_gfn, p->screen_gfn + in->nr_screen);
}

static void lay_out_special(struct hvm_plan *p, const struct hvm_plan_input *in)
{
    const uint64_t end = HVM_SPECIAL_GFN + HVM_NR_SPECIAL, servers = HVM_SPECIAL_GFN - HVM_NR_IOREQ_SERVER;

    populate(p, in->device_model ? servers : HVM_SPECIAL_GFN, end);
    param(p, HVM_PARAM_STORE_PFN, HVM_XENSTORE_GFN);
    param(p, HVM_PARAM_CONSOLE_PFN, HVM_CONSOLE_GFN);
    param(p, HVM_PARAM_BUFIOREQ_PFN, HVM_BUFIOREQ_GFN);
    param(p, HVM_PARAM_IOREQ_PFN, HVM_IOREQ_GFN);
    param(p, HVM_PARAM_PAGING_RING_PFN, HVM_SPECIAL_GFN);
    param(p, HVM_PARAM_MONITOR_RING_PFN, HVM_SPECIAL_GFN + 1);
    param(p, HVM_PARAM_SHARING_RING_PFN, HVM_SPECIAL_GFN + 2);
    param(p, HVM_PARAM_IDENT_PT, (uint64_t)HVM_IDENT_PT_GFN << PAGE_SHIFT);
    if (in->device_model) {
        param(p, HVM_PARAM_IOREQ_SERVER_PFN, servers);
        param(p, HVM_PARAM_NR_IOREQ_SERVER_PAGES, HVM_NR_IOREQ_SERVER);
    }
}

/* ------------------------------------------------------------------------------------------------------ contents -- */

static void piece(struct hvm_plan *p, uint64_t at, const void *bytes, uint64_t size)
{
    assert(p->nr_pieces < HVM_PIECES_MAX);
    if (size)
        p->pieces[p->nr_pieces++] = (struct hvm_piece){ at, bytes, size };
}

static bool in_ram(const struct hvm_plan *p, uint64_t start, uint64_t size)
{
    for (unsigned int i = 0; i < p->nr_ram; i++) {
        const uint64_t from = p->populate[i].gfn << PAGE_SHIFT, to = from + (p->populate[i].nr << PAGE_SHIFT);

        if (start >= from && start < to && size <= to - start)
            return true;
    }
    return false;
}

/* The tables, and the memory map of a PVH guest, which has them in it. */
static void lay_out_acpi(struct hvm_plan *p, const struct hvm_plan_input *in)
{
    const struct image *img = in->image;
    const bool anywhere =
        strcmp(img->guest_os, "linux") || img->feat_supported & (1u << XENFEAT_linux_rsdp_unrestricted);
    const struct acpi_config config = {
        .at = ACPI_ADDRESS,
        .rsdp_at = anywhere ? 0 : RSDP_LOW,
        .nr_vcpus = in->nr_vcpus,
        .nr_online = in->nr_online,
        .hardware_reduced = in->hardware_reduced,
    };
    uint64_t end;

    acpi_build(&p->acpi, &config);
    end = ACPI_ADDRESS + p->acpi.size;
    populate(p, ACPI_ADDRESS >> PAGE_SHIFT, (end >> PAGE_SHIFT) + anywhere);
    piece(p, ACPI_ADDRESS, p->acpi.bytes, p->acpi.size);
    piece(p, p->acpi.rsdp_at, p->acpi.rsdp, ACPI_RSDP_SIZE);
    memmap_add(p, p->acpi.rsdp_at & ~(uint64_t)(PAGE_SIZE - 1), p->acpi.rsdp_at + ACPI_RSDP_SIZE,
               XEN_HVM_MEMMAP_TYPE_ACPI);
    memmap_add(p, ACPI_ADDRESS, end, XEN_HVM_MEMMAP_TYPE_ACPI);
}

/* What hvmloader is told in the way of Xen 3. */
static void fill_hvm_info(struct hvm_info_table *t, const struct hvm_plan_input *in, uint64_t low, uint64_t high)
{
    uint8_t sum = 0;

    *t = (struct hvm_info_table){
        .signature = "HVM INFO",
        .length = sizeof(*t),
        .apic_mode = !in->no_apic,
        .nr_vcpus = in->nr_vcpus,
        .low_mem_pgend = (uint32_t)(low >> PAGE_SHIFT),
        .high_mem_pgend = (uint32_t)(high >> PAGE_SHIFT),
        .reserved_mem_pgstart = HVM_SPECIAL_GFN - HVM_NR_IOREQ_SERVER,
    };
    for (unsigned int i = 0; i < in->nr_online; i++)
        t->vcpu_online[i / 8] |= (uint8_t)(1u << i % 8);
    for (size_t i = 0; i < sizeof(*t); i++)
        sum += ((const uint8_t *)t)[i];
    t->checksum = (uint8_t)-sum;
}

/* What is loaded beside the kernel, for messages. */
static const char *modules_name(const struct hvm_plan_input *in)
{
    return in->device_model ? "firmware" : in->shim ? "the kernel in it, ramdisk" : "ramdisk";
}

/* What is loaded ends at `end`, and RAM before that. */
static int too_little(struct hvm_plan *p, const struct hvm_plan_input *in, uint64_t end, char err[IMAGE_ERR_SIZE])
{
    if (end > hole_of(in))
        return image_fail(err, "kernel and %s reach up to %#" PRIx64 ": RAM below 4 GiB ends at %#" PRIx64 " at most",
                          modules_name(in), end, hole_of(in));
    p->setting = "memory";
    return image_fail(err, "%" PRIu64 " MiB of memory is too little: kernel, %s and start_info take %" PRIu64 " MiB",
                      (in->nr_pages << PAGE_SHIFT) / MIB, modules_name(in), (end + MIB - 1) / MIB);
}

static int load_kernel(struct hvm_plan *p, const struct hvm_plan_input *in, char err[IMAGE_ERR_SIZE])
{
    for (unsigned int i = 0; i < in->image->nr_segments; i++) {
        const struct image_segment *s = &in->image->segments[i];

        if (!in_ram(p, s->paddr, s->memsz))
            return image_fail(err, "a segment of the kernel, %#" PRIx64 " to %#" PRIx64 ", is not in the guest's RAM",
                              s->paddr, s->paddr + s->memsz);
        piece(p, s->paddr, s->data, s->filesz);
    }
    return 0;
}

/* The modules, each on pages of its own, from `at` on. Returns where the last one's pages end. */
static uint64_t place_modules(struct start_info_parts *info, const struct hvm_plan_input *in, uint64_t at)
{
    for (unsigned int i = 0; i < START_INFO_MODULES; i++) {
        const struct hvm_module *m = &in->modules[i];

        if (!m->size)
            continue;
        info->modules[info->nr_modules++] =
            (struct start_info_module){ at, m->size, in->device_model ? "firmware" : m->cmdline };
        at = ROUND_UP(at + m->size, (uint64_t)PAGE_SIZE);
    }
    return at;
}

static void load_modules(struct hvm_plan *p, const struct hvm_plan_input *in, const struct start_info_parts *info)
{
    for (unsigned int i = 0, n = 0; i < START_INFO_MODULES; i++)
        if (in->modules[i].size)
            piece(p, info->modules[n++].at, in->modules[i].bytes, in->modules[i].size);
}

/* Kernel, modules, start_info, one after the other, and what comes after the kernel above what a PC has below 1 MiB. */
static int load(struct hvm_plan *p, const struct hvm_plan_input *in, uint64_t low, char err[IMAGE_ERR_SIZE])
{
    const uint64_t kernel_end = in->image->virt_kend;
    struct start_info_parts info = {
        .cmdline = in->device_model ? NULL : in->cmdline,
        .rsdp = p->acpi.rsdp_at,
        .memmap = p->memmap,
        .nr_memmap = p->nr_memmap,
    };
    const size_t size = start_info_size(&info);

    if (size > HVM_START_INFO_MAX) {
        p->setting = in->shim ? "pvshim_cmdline" : "cmdline";
        return image_fail(err, "a command line of %zu characters: there is room for %zu", strlen(in->cmdline),
                          strlen(in->cmdline) - (size - HVM_START_INFO_MAX));
    }
    p->start_info_at = place_modules(&info, in, kernel_end > MIB ? ROUND_UP(kernel_end, (uint64_t)PAGE_SIZE) : MIB);
    if (p->start_info_at + size > low)
        return too_little(p, in, p->start_info_at + size, err);
    if (load_kernel(p, in, err))
        return -1;
    load_modules(p, in, &info);
    start_info_write(&info, p->start_info_at, p->start_info);
    piece(p, p->start_info_at, p->start_info, size);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- the whole -- */

/* Flat segments, protected mode, no paging: start_info.h of Xen's public headers, and libxl's vcpu_hvm(). */
static struct hvm_hw_cpu initial_registers(const struct image *img, uint64_t start_info_at)
{
    return (struct hvm_hw_cpu){
        .rip = img->virt_entry,
        .rbx = start_info_at,
        .rflags = X86_EFLAGS_MBS,
        .cr0 = X86_CR0_PE | X86_CR0_ET,
        .dr6 = 0xffff0ff0,
        .dr7 = 0x400,
        .cs_limit = UINT32_MAX,
        .ds_limit = UINT32_MAX,
        .es_limit = UINT32_MAX,
        .ss_limit = UINT32_MAX,
        .tr_limit = 0x67,
        .cs_arbytes = 0xc9b,
        .ds_arbytes = 0xc93,
        .es_arbytes = 0xc93,
        .ss_arbytes = 0xc93,
        .tr_arbytes = 0x8b,
    };
}

int hvm_plan_make(struct hvm_plan *p, const struct hvm_plan_input *in, char err[IMAGE_ERR_SIZE])
{
    uint64_t low, high;

    assert(in->image->mode == IMAGE_PVH);
    memset(p, 0, sizeof(*p));
    if (!in->screen_on_top && in->nr_screen >= in->nr_pages) {
        p->setting = "videoram";
        return image_fail(err, "a screen of %" PRIu64 " MiB: that is all of the guest's memory, %" PRIu64 " MiB",
                          (in->nr_screen << PAGE_SHIFT) / MIB, (in->nr_pages << PAGE_SHIFT) / MIB);
    }
    p->nr_ram_pages = in->nr_pages - (in->screen_on_top ? 0 : in->nr_screen);
    lay_out_ram(p, in, &low, &high);
    lay_out_special(p, in);
    memmap_add(p, in->device_model ? MIB : 0, low, XEN_HVM_MEMMAP_TYPE_RAM);
    if (!in->device_model) {
        memmap_add(p, (uint64_t)HVM_SPECIAL_GFN << PAGE_SHIFT,
                   (uint64_t)(HVM_SPECIAL_GFN + HVM_NR_SPECIAL) << PAGE_SHIFT, XEN_HVM_MEMMAP_TYPE_RESERVED);
        lay_out_acpi(p, in);
    }
    memmap_add(p, GIB_4, high, XEN_HVM_MEMMAP_TYPE_RAM);
    if (load(p, in, low, err))
        return -1;
    for (uint32_t i = 0; i < 1024; i++)
        p->ident_pt[i] = i << 22 | IDENT_PT_BITS;
    piece(p, (uint64_t)HVM_IDENT_PT_GFN << PAGE_SHIFT, p->ident_pt, sizeof(p->ident_pt));
    if (in->device_model) {
        fill_hvm_info(&p->hvm_info, in, low, high);
        piece(p, HVM_INFO_PADDR, &p->hvm_info, sizeof(p->hvm_info));
    }
    p->cpu = initial_registers(in->image, p->start_info_at);
    return 0;
}
