// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes where in PVH and HVM guests: as libxl of Xen 4.17 would have it, for memory of many sizes; and what always
 * must hold, for kernels at hand and made up ones: what is loaded lies in memory that is there, nothing on anything
 * else, and the memory map tells no RAM that is not.
 *
 * Budget: a rule and its exceptions for each part of the plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labs/kit/kernel_file.h"
#include "tests/support/random.h"
#include "tools/build/hvm_plan.h"

#include <xen/elfnote.h>
#include <xen/hvm/params.h>

#define MIB   UINT64_C(0x100000)
#define GIB   UINT64_C(0x40000000)
#define PAGES 4096

static struct hvm_plan p;
static char err[IMAGE_ERR_SIZE];
static const uint8_t module[3 * MIB] = { 1, 2, 3 };

struct loaded {
    uint8_t *file;
    struct image img;
};

static struct loaded kernel(const struct kernel_spec *spec)
{
    struct loaded l;
    size_t size;

    l.file = kernel_elf(spec, &size);
    if (image_parse(&l.img, l.file, size, IMAGE_PVH, err))
        fail_msg("refused: %s", err);
    return l;
}

static void unload(struct loaded *l)
{
    image_free(&l->img);
    free(l->file);
}

/* The piece that has all of [at, at + size), as the guest's memory will: the last one counts. */
static const uint8_t *memory(uint64_t at, uint64_t size)
{
    for (unsigned int i = p.nr_pieces; i-- > 0;) {
        const struct hvm_piece *piece = &p.pieces[i];

        if (at >= piece->at && at - piece->at < piece->size && size <= piece->size - (at - piece->at))
            return piece->bytes + (at - piece->at);
    }
    fail_msg("nothing is put at %#llx", (unsigned long long)at);
    return NULL;
}

static bool populated(uint64_t gfn, unsigned int ranges)
{
    for (unsigned int i = 0; i < ranges; i++)
        if (gfn >= p.populate[i].gfn && gfn - p.populate[i].gfn < p.populate[i].nr)
            return true;
    return false;
}

static uint64_t param(uint32_t index)
{
    for (unsigned int i = 0; i < p.nr_params; i++)
        if (p.params[i].index == index)
            return p.params[i].value;
    return UINT64_MAX;
}

static void assert_no_overlap(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
    if (a < b_end && b < a_end)
        fail_msg("%#llx-%#llx lies on %#llx-%#llx", (unsigned long long)a, (unsigned long long)a_end,
                 (unsigned long long)b, (unsigned long long)b_end);
}

/* What must hold of every plan. */
static void assert_sound(const struct hvm_plan_input *in)
{
    const struct hvm_start_info *info = (const void *)memory(p.cpu.rbx, sizeof(*info));
    uint64_t ram = 0;

    for (unsigned int i = 0; i < p.nr_ranges; i++) {
        ram += i < p.nr_ram ? p.populate[i].nr : 0;
        for (unsigned int j = 0; j < i; j++)
            assert_no_overlap(p.populate[i].gfn, p.populate[i].gfn + p.populate[i].nr, p.populate[j].gfn,
                              p.populate[j].gfn + p.populate[j].nr);
    }
    assert_int_equal(ram, in->nr_pages - (in->device_model ? 0x20 : 0) - (in->screen_on_top ? 0 : in->nr_screen));
    for (unsigned int i = 0; i < in->nr_screen; i++) /* above all, and nobody is told */
        assert_true(populated(p.screen_gfn + i, p.nr_ranges) && !populated(p.screen_gfn + i, p.nr_ram));
    for (unsigned int i = 0; i < p.nr_pieces; i++) {
        for (uint64_t gfn = p.pieces[i].at / PAGES; gfn <= (p.pieces[i].at + p.pieces[i].size - 1) / PAGES; gfn++)
            assert_true(populated(gfn, p.nr_ranges));
        for (unsigned int j = 0; j < i; j++)
            assert_no_overlap(p.pieces[i].at, p.pieces[i].at + p.pieces[i].size, p.pieces[j].at,
                              p.pieces[j].at + p.pieces[j].size);
    }

    assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
    assert_int_equal(info->memmap_entries, p.nr_memmap);
    assert_memory_equal(memory(info->memmap_paddr, p.nr_memmap * sizeof(p.memmap[0])), p.memmap,
                        p.nr_memmap * sizeof(p.memmap[0]));
    for (unsigned int i = 0; i < p.nr_memmap; i++) {
        const struct hvm_memmap_table_entry *e = &p.memmap[i];

        assert_true(populated(e->addr / PAGES, e->type == XEN_HVM_MEMMAP_TYPE_RAM ? p.nr_ram : p.nr_ranges));
        assert_true(populated((e->addr + e->size - 1) / PAGES, p.nr_ranges));
    }

    assert_int_equal(p.cpu.rip, in->image->phys32_entry);
    assert_int_equal(p.cpu.cr0, 0x11);
    assert_int_equal(p.cpu.rflags, 2);
    assert_true(p.cpu.cs_limit == UINT32_MAX && p.cpu.cs_arbytes == 0xc9b && p.cpu.tr_arbytes == 0x8b);
    assert_true(p.cpu.ds_limit == UINT32_MAX && p.cpu.ds_arbytes == 0xc93 && p.cpu.tr_limit == 0x67);
    for (uint64_t i = 0; i < 1024; i++) {
        uint32_t entry;

        memcpy(&entry, memory((param(HVM_PARAM_IDENT_PT)) + 4 * i, 4), 4);
        assert_int_equal(entry, i << 22 | 0xe7);
    }
}

static void plan(const struct hvm_plan_input *in)
{
    memset(&p, 0xa5, sizeof(p));
    if (hvm_plan_make(&p, in, err))
        fail_msg("refused: %s", err);
    assert_sound(in);
}

static void assert_refused(const struct hvm_plan_input *in, const char *setting, const char *reason)
{
    assert_int_equal(hvm_plan_make(&p, in, err), -1);
    if (!strstr(err, reason))
        fail_msg("expected \"%s\" in \"%s\"", reason, err);
    assert_string_equal(p.setting ? p.setting : "-", setting ? setting : "-");
}

static void assert_entry(unsigned int i, uint64_t start, uint64_t end, uint32_t type)
{
    assert_true(i < p.nr_memmap);
    assert_int_equal(p.memmap[i].addr, start);
    assert_int_equal(p.memmap[i].addr + p.memmap[i].size, end);
    assert_int_equal(p.memmap[i].type, type);
}

/* ----------------------------------------------------------------------------------------------------------- PVH -- */

static void test_pvh(void **state)
{
    struct loaded l = kernel(&kernel_linux64);
    const struct hvm_plan_input in = { .image = &l.img,
                                       .modules = { { module, sizeof(module) - 5, NULL } },
                                       .cmdline = "console=hvc0",
                                       .nr_pages = 128 * MIB / PAGES,
                                       .nr_vcpus = 4,
                                       .nr_online = 2 };
    const struct hvm_start_info *info;
    const struct hvm_modlist_entry *m;

    plan(&in);
    assert_int_equal(p.nr_memmap, 4);
    assert_entry(0, 0, 128 * MIB, XEN_HVM_MEMMAP_TYPE_RAM);
    assert_entry(1, 0xfeff8000, 0xff000000, XEN_HVM_MEMMAP_TYPE_RESERVED);
    assert_entry(2, 0xfc000000 + p.acpi.size, 0xfc000000 + p.acpi.size + 64, XEN_HVM_MEMMAP_TYPE_ACPI);
    assert_entry(3, 0xfc000000, 0xfc000000 + p.acpi.size, XEN_HVM_MEMMAP_TYPE_ACPI);

    assert_int_equal(param(HVM_PARAM_STORE_PFN), 0xfeffc);
    assert_int_equal(param(HVM_PARAM_CONSOLE_PFN), 0xfefff);
    assert_int_equal(param(HVM_PARAM_IDENT_PT), 0xfeffe000);
    assert_int_equal(param(HVM_PARAM_IOREQ_SERVER_PFN), UINT64_MAX);

    info = (const void *)memory(p.cpu.rbx, sizeof(*info));
    assert_string_equal(memory(info->cmdline_paddr, 13), "console=hvc0");
    assert_int_equal(info->rsdp_paddr, p.memmap[2].addr);
    assert_memory_equal(memory(info->rsdp_paddr, 64), "RSD PTR ", 8);
    assert_int_equal(info->nr_modules, 1);
    m = (const void *)memory(info->modlist_paddr, sizeof(*m));
    assert_int_equal(m->paddr, 0x1003000); /* behind the kernel */
    assert_int_equal(m->size, sizeof(module) - 5);
    assert_ptr_equal(memory(m->paddr, m->size), module);
    assert_int_equal(m->cmdline_paddr, 0);
    unload(&l);
}

/* The shim's modules: the kernel in it, with its command line, then that one's ramdisk, each on pages of its own. */
static void test_shim(void **state)
{
    static char longer[2 * START_INFO_MODULE_CMDLINE_SIZE];
    static const struct {
        size_t ramdisk;
        const char *cmdline;
        size_t expected;
    } cases[] = {
        { 0, NULL, 0 }, { 0, "root=/dev/xvda", 14 }, { 5, "", 0 }, { 4096, longer, START_INFO_MODULE_CMDLINE_SIZE - 1 }
    };
    struct loaded l = kernel(&kernel_linux64);

    memset(longer, 'x', sizeof(longer) - 1);
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hvm_plan_input in = { .image = &l.img,
                                           .shim = true,
                                           .modules = { { module, 0x1801, cases[i].cmdline },
                                                        { module + 1, cases[i].ramdisk, NULL } },
                                           .cmdline = "pv-shim",
                                           .nr_pages = 128 * MIB / PAGES,
                                           .nr_vcpus = 1,
                                           .nr_online = 1 };
        const struct hvm_start_info *info;
        const struct hvm_modlist_entry *m;
        const uint8_t *cmdline;

        plan(&in);
        info = (const void *)memory(p.cpu.rbx, sizeof(*info));
        assert_string_equal(memory(info->cmdline_paddr, 8), "pv-shim");
        assert_int_equal(info->nr_modules, 1 + (cases[i].ramdisk > 0));
        m = (const void *)memory(info->modlist_paddr, info->nr_modules * sizeof(*m));
        assert_true(m[0].paddr == 0x1003000 && m[0].size == 0x1801 && !m[0].cmdline_paddr == !cases[i].cmdline);
        assert_ptr_equal(memory(m[0].paddr, m[0].size), module);
        if (cases[i].cmdline) {
            cmdline = memory(m[0].cmdline_paddr, cases[i].expected + 1);
            assert_memory_equal(cmdline, cases[i].cmdline, cases[i].expected);
            assert_int_equal(cmdline[cases[i].expected], 0);
        }
        if (cases[i].ramdisk) {
            assert_true(m[1].paddr == 0x1005000 && m[1].size == cases[i].ramdisk && !m[1].cmdline_paddr);
            assert_ptr_equal(memory(m[1].paddr, m[1].size), module + 1);
        }
    }
    assert_refused(&(struct hvm_plan_input){ .image = &l.img,
                                             .shim = true,
                                             .modules = { { module, sizeof(module), NULL } },
                                             .nr_pages = 17 * MIB / PAGES,
                                             .nr_vcpus = 1,
                                             .nr_online = 1 },
                   "memory",
                   "17 MiB of memory is too little: kernel, the kernel in it, ramdisk and start_info take 20");
    unload(&l);
}

/* One that does not say that it looks for the RSDP elsewhere finds it where a PC has it. */
static void test_old_linux(void **state)
{
    struct kernel_spec spec = kernel_linux64;
    struct loaded l;

    for (unsigned int i = 0; spec.notes[i].type; i++)
        if (spec.notes[i].type == XEN_ELFNOTE_SUPPORTED_FEATURES)
            spec.notes[i].number = 0x801;
    l = kernel(&spec);
    plan(&(struct hvm_plan_input){ .image = &l.img, .nr_pages = 64 * MIB / PAGES, .nr_vcpus = 1, .nr_online = 1 });
    assert_entry(2, 0xff000, 0x100000, XEN_HVM_MEMMAP_TYPE_ACPI);
    assert_memory_equal(memory(0xfffc0, 64), "RSD PTR ", 8);
    assert_int_equal(((const struct hvm_start_info *)memory(p.cpu.rbx, 56))->rsdp_paddr, 0xfffc0);
    unload(&l);
}

/* RAM around the hole: it begins at 0xfc000000, or with devices at 0xf0000000. */
static void test_sizes(void **state)
{
    static const uint64_t sizes[] = { 20 * MIB,         64 * MIB,   0xf0000000 - PAGES, 0xf0000000, 0xf0000000 + PAGES,
                                      0xfc000000 - MIB, 0xfc000000, 0xfc000000 + MIB,   5 * GIB,    512 * GIB };
    struct loaded l = kernel(&kernel_linux64);

    for (unsigned int i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        const bool device_model = i % 2;
        const uint64_t size = sizes[i / 2], hole = device_model ? 0xf0000000 : 0xfc000000;
        const unsigned int last = device_model ? 1 : 4;

        plan(&(struct hvm_plan_input){ .image = &l.img,
                                       .device_model = device_model,
                                       .nr_pages = size / PAGES,
                                       .nr_vcpus = ACPI_VCPUS_MAX,
                                       .nr_online = ACPI_VCPUS_MAX });
        assert_entry(0, device_model ? MIB : 0, size < hole ? size : hole, XEN_HVM_MEMMAP_TYPE_RAM);
        assert_int_equal(p.nr_memmap, last + (size > hole));
        if (size > hole)
            assert_entry(last, 4 * GIB, 4 * GIB + size - hole, XEN_HVM_MEMMAP_TYPE_RAM);
    }
    unload(&l);
}

static void test_refused(void **state)
{
    struct kernel_spec spec = { .paddr = 0x1000000,
                                .entry = 0x1000000,
                                .notes = { { XEN_ELFNOTE_PHYS32_ENTRY, NULL, 0x1000000, 4 } } };
    static char cmdline[20000];
    struct loaded l = kernel(&spec);
    struct hvm_plan_input in = {
        .image = &l.img, .cmdline = cmdline, .nr_pages = 16 * MIB / PAGES, .nr_vcpus = 1, .nr_online = 1
    };

    assert_refused(&in, "memory", "16 MiB of memory is too little: kernel, ramdisk and start_info take 17 MiB");
    in.nr_pages += 4;
    plan(&in);
    in.nr_pages--;
    assert_refused(&in, "memory", "16 MiB of memory is too little");
    in.nr_pages = 64 * MIB / PAGES;
    memset(cmdline, 'x', 9000);
    plan(&in);
    memset(cmdline, 'x', 19999);
    assert_refused(&in, "cmdline", "a command line of 19999 characters: there is room for ");
    cmdline[strtoul(strstr(err, "room for ") + 9, NULL, 10)] = '\0';
    plan(&in);
    cmdline[strlen(cmdline)] = 'x';
    assert_refused(&in, "cmdline", "a command line of");
    unload(&l);

    /* In the hole, and in that of a PC's screen. */
    spec.paddr = spec.entry = spec.notes[0].number = 0xfd000000;
    l = kernel(&spec);
    in = (struct hvm_plan_input){ .image = &l.img, .nr_pages = 5 * GIB / PAGES, .nr_vcpus = 1, .nr_online = 1 };
    assert_refused(&in, NULL, "kernel and ramdisk reach up to 0xfd003");
    unload(&l);
    spec.paddr = spec.entry = spec.notes[0].number = 0x9f000;
    l = kernel(&spec);
    in.nr_pages = 64 * MIB / PAGES;
    in.image = &l.img;
    plan(&in);
    in.device_model = true;
    assert_refused(&in, NULL, "a segment of the kernel, 0xa0000 to 0xa2000, is not in the guest's RAM");
    unload(&l);
}

/* ----------------------------------------------------------------------------------------------------------- HVM -- */

static void test_hvm(void **state)
{
    struct kernel_spec spec = { .narrow = true,
                                .paddr = 0x100000,
                                .entry = 0x100000,
                                .notes = { { XEN_ELFNOTE_PHYS32_ENTRY, NULL, 0x100040, 4 } } };
    struct loaded l = kernel(&spec);
    const struct hvm_info_table *t;
    const struct hvm_start_info *info;
    const struct hvm_modlist_entry *m;
    uint8_t sum = 0;

    plan(&(struct hvm_plan_input){ .image = &l.img,
                                   .device_model = true,
                                   .modules = { { module, 0x40000, NULL } },
                                   .cmdline = "not for it",
                                   .nr_pages = 4 * GIB / PAGES,
                                   .nr_vcpus = 3,
                                   .nr_online = 2 });
    assert_false(populated(0xa0, p.nr_ranges) || populated(0xbf, p.nr_ranges));
    assert_true(populated(0x9f, p.nr_ram) && populated(0xc0, p.nr_ram));
    assert_true(populated(0xfeff0, p.nr_ranges) && !populated(0xfeff0, p.nr_ram));
    assert_int_equal(param(HVM_PARAM_IOREQ_SERVER_PFN), 0xfeff0);
    assert_int_equal(param(HVM_PARAM_NR_IOREQ_SERVER_PAGES), 8);
    assert_int_equal(param(HVM_PARAM_IOREQ_PFN), 0xfeffd);
    assert_int_equal(param(HVM_PARAM_BUFIOREQ_PFN), 0xfeffb);

    t = (const void *)memory(0x9f800, sizeof(*t));
    for (size_t i = 0; i < sizeof(*t); i++)
        sum += ((const uint8_t *)t)[i];
    assert_int_equal(sum, 0);
    assert_memory_equal(t->signature, "HVM INFO", 8);
    assert_true(t->length == sizeof(*t) && t->apic_mode == 1 && t->nr_vcpus == 3 && t->vcpu_online[0] == 3);
    assert_true(t->low_mem_pgend == 0xf0000 && t->high_mem_pgend == 0x110000 && t->reserved_mem_pgstart == 0xfeff0);

    info = (const void *)memory(p.cpu.rbx, sizeof(*info));
    assert_int_equal(info->cmdline_paddr | info->rsdp_paddr, 0);
    m = (const void *)memory(info->modlist_paddr, sizeof(*m));
    assert_true(info->nr_modules == 1 && m->paddr == 0x103000 && m->size == 0x40000);
    assert_string_equal(memory(m->cmdline_paddr, 9), "firmware");

    /* Nothing of APICs, and 1 GiB for devices. */
    plan(&(struct hvm_plan_input){ .image = &l.img,
                                   .device_model = true,
                                   .no_apic = true,
                                   .hole_mib = 1024,
                                   .nr_pages = 4 * GIB / PAGES,
                                   .nr_vcpus = 1,
                                   .nr_online = 1 });
    t = (const void *)memory(0x9f800, sizeof(*t));
    assert_true(t->apic_mode == 0 && t->low_mem_pgend == 0xc0000 && t->high_mem_pgend == 0x140000);
    assert_false(populated(0xc0000, p.nr_ram));
    unload(&l);
}

/* --------------------------------------------------------------------------------------------------- real images -- */

static void test_real(void **state)
{
    static const struct {
        const char *path;
        uint64_t entry;
        bool is64;
    } files[] = { { "build/assets/grub-i386-xen_pvh.bin", 0x100000, false },
                  { "build/assets/vmlinuz-cloud", 0, true },
                  { "build/assets/vmlinuz-generic", 0, true },
                  { "build/assets/vmlinuz-trixie", 0, true },
                  { "build/assets/vmlinuz-sid", 0, true } };

    for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct image img;

        if (access(files[i].path, R_OK)) {
            print_message("%s is not there: make assets gets it\n", files[i].path);
            continue;
        }
        if (image_load(&img, files[i].path, IMAGE_PVH, err))
            fail_msg("%s: %s", files[i].path, err);
        plan(&(struct hvm_plan_input){ .image = &img,
                                       .modules = { { module, sizeof(module), NULL } },
                                       .cmdline = "quiet",
                                       .nr_pages = 256 * MIB / PAGES,
                                       .nr_vcpus = 2,
                                       .nr_online = 2 });
        assert_int_equal(img.is64, files[i].is64);
        if (files[i].entry)
            assert_int_equal(p.cpu.rip, files[i].entry);
        else
            assert_in_range(p.cpu.rip, 0x1000000, img.virt_kend - 1);
        assert_true(p.acpi.rsdp_at > ACPI_ADDRESS); /* Linux says that it finds it */
        image_free(&img);
    }
}

/* Kernels anywhere, of any memory: a sound plan, or a reason. */
static void test_random(void **state)
{
    static uint64_t prng = 1;
    unsigned int made = 0;

    for (unsigned int i = 0; i < 400; i++) {
        const uint64_t at = random_of(&prng, UINT64_C(1) << (13 + random_of(&prng, 19))) & ~UINT64_C(0xfff);
        const struct kernel_spec spec = { .paddr = at,
                                          .entry = at,
                                          .notes = { { XEN_ELFNOTE_PHYS32_ENTRY, NULL, at, 4 } } };
        struct hvm_plan_input in = { .device_model = random_of(&prng, 2), .nr_vcpus = 1, .nr_online = 1 };
        struct image img;
        uint8_t *file;
        size_t size;

        file = kernel_elf(&spec, &size);
        in.nr_pages = 0x100 + random_of(&prng, UINT64_C(0x100) << random_of(&prng, 14));
        in.nr_screen = in.device_model ? 0x100U << random_of(&prng, 4) : 0;
        in.screen_on_top = random_of(&prng, 2);
        for (unsigned int m = 0; m < 2; m++)
            in.modules[m] = (struct hvm_module){ module, random_of(&prng, 2) * random_of(&prng, sizeof(module)), "m" };
        if (!image_parse(&img, file, size, IMAGE_PVH, err)) {
            in.image = &img;
            if (!hvm_plan_make(&p, &in, err)) {
                assert_sound(&in);
                made++;
            }
            image_free(&img);
        }
        free(file);
    }
    assert_in_range(made, 100, 350);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pvh),   cmocka_unit_test(test_shim),   cmocka_unit_test(test_old_linux),
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_hvm),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_real),  cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
