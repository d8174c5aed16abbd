// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest kernel images: every note, every old key, every compression, every refusal; and real kernels where they are at
 * hand.
 *
 * Could pass wrongly: the made-up kernels are written by our own reading of the formats. The real ones (GRUB's,
 * Debian's) are the check on that, and are skipped, which the output says, when they were not fetched.
 *
 * Budget: over 400 lines, being a list of cases that share one way to load and one to expect a refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labs/kit/kernel_file.h"
#include "tools/build/image_cache.h"

#include <xen/elfnote.h>
#include <xen/features.h>

#define FEATURE(name) (UINT32_C(1) << XENFEAT_##name)

/* A kernel with the notes that every PV kernel must have, and then those given. */
#define MINIMAL                                                                                                        \
    { XEN_ELFNOTE_LOADER, "generic", 0, 0 }, { XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 0, 0 }

struct loaded {
    uint8_t *file;
    size_t size;
    struct image img;
    char err[IMAGE_ERR_SIZE];
};

/* Build and parse; returns what image_parse() does. */
static int load(struct loaded *l, const struct kernel_spec *spec, enum image_mode mode)
{
    l->file = kernel_elf(spec, &l->size);
    l->err[0] = 0;
    return image_parse(&l->img, l->file, l->size, mode, l->err);
}

static void load_ok(struct loaded *l, const struct kernel_spec *spec, enum image_mode mode)
{
    if (load(l, spec, mode))
        fail_msg("refused: %s", l->err);
}

static void unload(struct loaded *l)
{
    image_free(&l->img);
    free(l->file);
}

static void expect_refusal(struct loaded *l, int rc, const char *reason)
{
    if (rc == 0)
        fail_msg("accepted, expected \"%s\"", reason);
    if (!strstr(l->err, reason))
        fail_msg("expected \"%s\" in \"%s\"", reason, l->err);
    unload(l);
}

/* --------------------------------------------------------------------------------------------------------- notes -- */

static void test_linux64(void **state)
{
    struct loaded l;

    load_ok(&l, &kernel_linux64, IMAGE_AUTO);
    assert_int_equal(l.img.mode, IMAGE_PV);
    assert_true(l.img.is64 && !l.img.compressed && !l.img.from_legacy_section);
    assert_true(l.img.virt_base == 0xffffffff80000000 && l.img.paddr_offset == 0);
    assert_true(l.img.virt_kstart == 0xffffffff81000000 && l.img.virt_kend == 0xffffffff81003000);
    assert_true(l.img.virt_entry == 0xffffffff81000010);
    assert_true(l.img.hypercall_page == 0xffffffff81001000);
    assert_true(l.img.p2m_base == 0x8000000000 && l.img.hv_start_low == 0xffff800000000000);
    assert_true(l.img.phys32_entry == 0x1000100);
    assert_true(l.img.has_mod_start_pfn && l.img.suspend_cancel && !l.img.bsd_symtab);
    assert_int_equal(l.img.pae, IMAGE_PAE_EXTCR3);
    assert_int_equal(l.img.feat_required, FEATURE(writable_page_tables));
    assert_int_equal(l.img.feat_supported, 0x8801 | FEATURE(writable_page_tables) | FEATURE(pae_pgdir_above_4gb));
    assert_string_equal(l.img.guest_os, "linux");
    assert_string_equal(l.img.guest_version, "2.6");
    assert_string_equal(l.img.loader, "generic");
    assert_string_equal(l.img.xen_version, "xen-3.0");

    assert_int_equal(l.img.nr_segments, 2);
    assert_true(l.img.segments[0].paddr == 0x1000000 && l.img.segments[0].vaddr == 0xffffffff81000000);
    assert_true(l.img.segments[0].filesz == KERNEL_TEXT_SIZE && l.img.segments[0].memsz == KERNEL_TEXT_SIZE);
    assert_int_equal(l.img.segments[0].data[9], 63);
    assert_int_equal(l.img.segments[0].flags, PF_R | PF_X);
    assert_true(l.img.segments[1].filesz == 0 && l.img.segments[1].memsz == KERNEL_BSS_SIZE);
    unload(&l);
}

static void test_defaults(void **state)
{
    struct kernel_spec spec = { .paddr = 0x2000, .entry = 0x2004, .notes = { MINIMAL } };
    struct loaded l;

    load_ok(&l, &spec, IMAGE_PV);
    assert_true(l.img.virt_base == 0 && l.img.paddr_offset == 0 && l.img.virt_entry == 0x2004);
    assert_true(l.img.virt_kstart == 0x2000 && l.img.virt_kend == 0x5000);
    assert_true(l.img.hypercall_page == UNSET_ADDR && l.img.p2m_base == UNSET_ADDR);
    assert_true(l.img.hv_start_low == UNSET_ADDR && l.img.phys32_entry == UNSET_ADDR);
    assert_true(!l.img.has_mod_start_pfn && !l.img.suspend_cancel && l.img.pae == IMAGE_PAE_NO);
    assert_true(l.img.feat_required == 0 && l.img.nr_symbols == 0);
    unload(&l);

    spec.notes_in_section = true;
    load_ok(&l, &spec, IMAGE_PV);
    assert_string_equal(l.img.loader, "generic");
    unload(&l);
}

static void test_number_sizes(void **state)
{
    static const uint32_t sizes[] = { 1, 2, 4, 8 };
    struct kernel_spec spec = { .notes = { MINIMAL, { XEN_ELFNOTE_ENTRY, NULL, 0x42, 0 } } };
    struct loaded l;

    for (unsigned int i = 0; i < 4; i++) {
        spec.notes[2].size = sizes[i];
        load_ok(&l, &spec, IMAGE_PV);
        assert_true(l.img.virt_entry == 0x42);
        unload(&l);
    }
    spec.notes[2].size = 3;
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "Xen note ENTRY: a number of 3 bytes");
    spec.notes[2].size = 0;
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "Xen note ENTRY: a number of 0 bytes");
}

static void test_paddr_offset(void **state)
{
    struct kernel_spec spec = {
        .paddr = 0xc0100000,
        .notes = { MINIMAL,
                   { XEN_ELFNOTE_VIRT_BASE, NULL, 0xffffffff80000000, 8 },
                   { XEN_ELFNOTE_PADDR_OFFSET, NULL, 0xc0000000, 4 },
                   { XEN_ELFNOTE_ENTRY, NULL, 0xffffffff80100000, 8 } },
    };
    struct loaded l;

    load_ok(&l, &spec, IMAGE_PV);
    assert_true(l.img.segments[0].paddr == 0x100000 && l.img.segments[0].vaddr == 0xffffffff80100000);
    assert_true(l.img.virt_kstart == 0xffffffff80100000);
    unload(&l);
    spec.notes[3].number = 0xd0000000;
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "lies below PADDR_OFFSET");
    spec.notes[2].type = XEN_ELFNOTE_SUSPEND_CANCEL;
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "states PADDR_OFFSET, but not VIRT_BASE");
}

static void test_features(void **state)
{
    struct kernel_spec spec = { .notes = { MINIMAL, { XEN_ELFNOTE_FEATURES, NULL, 0, 0 } } };
    struct loaded l;

    spec.notes[2].text = "writable_descriptor_tables|auto_translated_physmap|!supervisor_mode_kernel|"
                         "hvm_callback_vector||some_future_thing|writable_page_table";
    load_ok(&l, &spec, IMAGE_PV);
    assert_int_equal(l.img.feat_required, FEATURE(supervisor_mode_kernel));
    unload(&l);
    spec.notes[2].text = "writable_page_tables|!some_future_thing";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "requires the unknown feature \"some_future_thing\"");
    spec.notes[2].text = "!dom0";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "can only be a dom0");
    spec.notes[2].text = "dom0";
    load_ok(&l, &spec, IMAGE_PV);
    unload(&l);
}

static void test_pae_and_symtab(void **state)
{
    struct kernel_spec spec = {
        .narrow = true,
        .notes = { MINIMAL, { XEN_ELFNOTE_PAE_MODE, "yes", 0, 0 }, { XEN_ELFNOTE_BSD_SYMTAB, "yes", 0, 0 } }
    };
    struct loaded l;

    load_ok(&l, &spec, IMAGE_PV);
    assert_true(!l.img.is64 && l.img.pae == IMAGE_PAE_EXTCR3 && l.img.bsd_symtab);
    unload(&l);
    spec.notes[2].text = "yes,bimodal";
    spec.notes[3].text = "no";
    load_ok(&l, &spec, IMAGE_PV);
    assert_true(l.img.pae == IMAGE_PAE_BIMODAL && !l.img.bsd_symtab);
    unload(&l);
    spec.notes[2].text = "no";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "32-bit kernel without PAE");
}

static void test_pvh(void **state)
{
    struct kernel_spec only = { .paddr = 0x100000,
                                .entry = 0x100000,
                                .notes = { { XEN_ELFNOTE_PHYS32_ENTRY, NULL, 0x100200, 4 } } };
    struct loaded l;

    load_ok(&l, &kernel_linux64, IMAGE_PVH);
    assert_int_equal(l.img.mode, IMAGE_PVH);
    assert_true(l.img.virt_base == 0 && l.img.virt_entry == 0x1000100 && l.img.virt_kstart == 0x1000000);
    assert_true(l.img.segments[0].paddr == 0x1000000 && l.img.segments[0].vaddr == 0x1000000);
    unload(&l);

    load_ok(&l, &only, IMAGE_AUTO);
    assert_int_equal(l.img.mode, IMAGE_PVH);
    assert_true(l.img.virt_entry == 0x100200);
    unload(&l);
    expect_refusal(&l, load(&l, &only, IMAGE_PV), "it can be started as PVH");
    only.notes[0].number = 0x200000;
    expect_refusal(&l, load(&l, &only, IMAGE_PVH), "the entry 0x200000 is outside the kernel");
    expect_refusal(&l, load(&l, &kernel_legacy32, IMAGE_PVH), "no note PHYS32_ENTRY");
}

/* In hvmloader's place: with the note, or with nothing of Xen's, and then at the ELF file's entry. */
static void test_firmware(void **state)
{
    struct kernel_spec none = { .narrow = true, .paddr = 0x100000, .entry = 0x100010 };
    struct loaded l;

    load_ok(&l, &none, IMAGE_FIRMWARE);
    assert_true(l.img.mode == IMAGE_PVH && l.img.virt_entry == 0x100010 && l.img.phys32_entry == 0x100010);
    assert_true(l.img.segments[0].paddr == 0x100000 && !l.img.is64);
    unload(&l);
    expect_refusal(&l, load(&l, &none, IMAGE_PVH), "no Xen notes and no __xen_guest section");
    none.entry = 0x200000;
    expect_refusal(&l, load(&l, &none, IMAGE_FIRMWARE), "the entry 0x200000 is outside the kernel");
    none = (struct kernel_spec){ .paddr = 0x100000000, .entry = 0x100000000 };
    expect_refusal(&l, load(&l, &none, IMAGE_FIRMWARE), "no Xen notes and no __xen_guest section");

    load_ok(&l, &kernel_linux64, IMAGE_FIRMWARE);
    assert_true(l.img.mode == IMAGE_PVH && l.img.virt_entry == 0x1000100);
    unload(&l);
    expect_refusal(&l, load(&l, &kernel_legacy32, IMAGE_FIRMWARE), "no note PHYS32_ENTRY");
}

/* GRUB's last note states 12 bytes where 4 are left, of the file too; Xen takes the string that is there. */
static void test_note_cut_off(void **state)
{
    struct kernel_spec spec = { .narrow = true, .notes = { MINIMAL, { XEN_ELFNOTE_PAE_MODE, "yes", 0, 0 } } };
    struct loaded l;
    uint8_t *cut;
    uint32_t place[2]; /* p_offset of the notes, and what is then their size */

    l.file = kernel_elf(&spec, &l.size);
    memcpy(&place[0], l.file + kernel_phdr_offset(true, 2) + offsetof(Elf32_Phdr, p_offset), 4);
    memcpy(&place[1], l.file + kernel_phdr_offset(true, 2) + offsetof(Elf32_Phdr, p_filesz), 4);
    cut = malloc(l.size + place[1]);
    assert_non_null(cut);
    memcpy(cut, l.file, l.size);
    memcpy(cut + l.size, l.file + place[0], place[1]);
    place[0] = (uint32_t)l.size;
    memcpy(cut + kernel_phdr_offset(true, 2) + offsetof(Elf32_Phdr, p_offset), &place[0], 4);
    cut[l.size + place[1] - 20 + offsetof(Elf32_Nhdr, n_descsz)] = 12;
    free(l.file);
    l.file = cut;
    if (image_parse(&l.img, l.file, l.size + place[1], IMAGE_PV, l.err))
        fail_msg("refused: %s", l.err);
    assert_int_equal(l.img.pae, IMAGE_PAE_EXTCR3);
    unload(&l);
}

/* --------------------------------------------------------------------------------------------------- __xen_guest -- */

static void test_legacy(void **state)
{
    struct kernel_spec spec = kernel_legacy32;
    struct loaded l;

    load_ok(&l, &spec, IMAGE_AUTO);
    assert_true(l.img.mode == IMAGE_PV && l.img.from_legacy_section && !l.img.is64);
    assert_true(l.img.virt_base == 0xc0000000 && l.img.paddr_offset == 0xc0000000);
    assert_true(l.img.virt_kstart == 0xc0100000 && l.img.virt_entry == 0xc0100020);
    assert_true(l.img.segments[0].paddr == 0x100000 && l.img.segments[0].vaddr == 0xc0100000);
    assert_true(l.img.hypercall_page == 0xc0101000); /* a page number from virt_base */
    assert_int_equal(l.img.feat_required, FEATURE(pae_pgdir_above_4gb));
    assert_true(l.img.pae == IMAGE_PAE_EXTCR3 && l.img.bsd_symtab);
    assert_string_equal(l.img.guest_os, "linux");
    assert_string_equal(l.img.guest_version, "2.6");
    assert_string_equal(l.img.loader, "generic");
    assert_string_equal(l.img.xen_version, "xen-3.0");
    unload(&l);

    /* The default of ELF_PADDR_OFFSET is VIRT_BASE here, and 0 with notes. */
    spec.guest_info = "XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,LOADER=generic,PAE=yes";
    load_ok(&l, &spec, IMAGE_PV);
    assert_true(l.img.paddr_offset == 0xc0000000 && l.img.virt_entry == 0xc0100000);
    assert_true(l.img.pae == IMAGE_PAE_YES && l.img.hypercall_page == UNSET_ADDR && !l.img.bsd_symtab);
    unload(&l);

    /* Without VIRT_BASE everything is at 0. */
    spec.guest_info = "XEN_VER=xen-3.0,GUEST_OS=linux,PAE=yes,HYPERCALL_PAGE=2";
    spec.paddr = spec.entry = 0x1000;
    load_ok(&l, &spec, IMAGE_PV);
    assert_true(l.img.virt_base == 0 && l.img.paddr_offset == 0 && l.img.hypercall_page == 0x2000);
    unload(&l);

    spec.guest_info = "XEN_VER=xen-3.0,GUEST_OS=linux,PAE=yes,VIRT_BASE=high";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "__xen_guest section: VIRT_BASE is no number: \"high\"");
    spec.guest_info = "XEN_VER=xen-3.0,GUEST_OS=linux,PAE=yes,HYPERCALL_PAGE=0x10000000000000";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "no page number");
    spec.guest_info = "XEN_VER=xen-3.0,GUEST_OS=linux";
    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "32-bit kernel without PAE");
}

/* ------------------------------------------------------------------------------------------------------ refusals -- */

/* Notes that parse, but make no sense. */
static void test_notes_refused(void **state)
{
    static const struct {
        struct kernel_note note;
        const char *reason;
    } cases[] = {
        { { XEN_ELFNOTE_LOADER, "other", 0, 0 }, "not a PV kernel: loader is \"other\"" },
        { { XEN_ELFNOTE_XEN_VERSION, "xen-2.0", 0, 0 }, "made for Xen version \"xen-2.0\"" },
        { { XEN_ELFNOTE_ENTRY, NULL, 0x100, 4 }, "the entry 0x100 is outside the kernel (0x1000 to 0x4000)" },
        { { XEN_ELFNOTE_ENTRY, NULL, 0x4001, 4 }, "the entry 0x4001 is outside the kernel" },
        { { XEN_ELFNOTE_VIRT_BASE, NULL, 0x800000000000, 8 }, "does not fit the address space" },
        { { XEN_ELFNOTE_VIRT_BASE, NULL, 0x7ffffffff000, 8 }, "does not fit the address space" },
        { { XEN_ELFNOTE_VIRT_BASE, NULL, 0xfffffffffffff000, 8 }, "does not fit the address space" },
        { { XEN_ELFNOTE_HYPERCALL_PAGE, NULL, 0x1008, 8 }, "the hypercall page 0x1008 is not a page" },
        { { XEN_ELFNOTE_HYPERCALL_PAGE, NULL, 0xffff880000000000, 8 }, "is not a page" },
        { { XEN_ELFNOTE_INIT_P2M, NULL, 0x2000, 8 }, "the p2m list (INIT_P2M 0x2000) would lie on the kernel" },
        { { XEN_ELFNOTE_LOADER, "\033[2J\n", 0, 0 }, "loader is \"?[2J?\"" },
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kernel_spec spec = { .paddr = 0x1000, .entry = 0x1000, .notes = { MINIMAL, cases[i].note } };
        struct loaded l;

        expect_refusal(&l, load(&l, &spec, IMAGE_PV), cases[i].reason);
    }
}

/* Damage done to the file itself. */
static void test_elf_refused(void **state)
{
#define EHDR(field) offsetof(Elf64_Ehdr, field)
#define PHDR(field) kernel_phdr_offset(false, 0) + offsetof(Elf64_Phdr, field)
    const struct {
        size_t offset;
        unsigned int size;
        uint64_t value;
        const char *reason;
    } cases[] = {
        { 0, 1, 0x7e, "not a kernel image: neither ELF nor bzImage" },
        { EI_CLASS, 1, 3, "ELF damaged or truncated: its first bytes are no header" },
        { EI_VERSION, 1, 2, "its first bytes are no header" },
        { EI_DATA, 1, ELFDATA2MSB, "not little-endian" },
        { EHDR(e_type), 2, ET_REL, "the ELF file is no program" },
        { EHDR(e_machine), 2, EM_AARCH64, "not a kernel image for x86: e_machine is 183" },
        { EHDR(e_machine), 2, EM_386, "the ELF file is of 64 bits, its machine code of 32" },
        { EHDR(e_phnum), 2, 0, "no program headers" },
        { EHDR(e_phnum), 2, 0xffff, "ELF truncated: 65535 program headers" },
        { EHDR(e_phentsize), 2, 55, "program headers of 55 bytes, expected 56" },
        { EHDR(e_phoff), 8, UINT64_MAX - 8, "ELF truncated: 3 program headers" },
        { PHDR(p_offset), 8, UINT64_MAX, "ELF truncated: segment 0" },
        { PHDR(p_filesz), 8, UINT64_MAX, "ELF truncated: segment 0" },
        { PHDR(p_memsz), 8, 1, "more bytes in the file than in memory" },
        { PHDR(p_memsz), 8, UINT64_MAX, "past the end of the address space" },
        { PHDR(p_memsz), 8, UINT64_C(1) << 40, "asks for 1048593 MiB of memory" },
        { kernel_phdr_offset(false, 2) + offsetof(Elf64_Phdr, p_filesz), 8, 1 << 20, "ELF truncated: notes" },
        { kernel_phdr_offset(false, 2) + offsetof(Elf64_Phdr, p_offset), 8, UINT64_MAX, "ELF truncated: notes" },
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;

        l.file = kernel_elf(&kernel_linux64, &l.size);
        memcpy(l.file + cases[i].offset, &cases[i].value, cases[i].size);
        expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_PV, l.err), cases[i].reason);
    }
}

/* Both segments, or all notes, gone; and a file that stops anywhere gives a message. */
static void test_elf_incomplete(void **state)
{
    struct kernel_spec spec = { .symbols = true };
    uint32_t none = PT_NULL;
    struct loaded l;

    expect_refusal(&l, load(&l, &spec, IMAGE_PV), "no Xen notes and no __xen_guest section");
    l.file = kernel_elf(&kernel_linux64, &l.size);
    memcpy(l.file + kernel_phdr_offset(false, 0), &none, 4);
    memcpy(l.file + kernel_phdr_offset(false, 1), &none, 4);
    expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_PV, l.err), "nothing to load");

    l.file = kernel_elf(&kernel_legacy32, &l.size);
    memset(l.file + offsetof(Elf32_Ehdr, e_shoff), 0xff, 4);
    expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_PV, l.err), "the section table is cut off or damaged");

    for (size_t size = 0; size < l.size; size += size < 0x140 ? 1 : 61) {
        uint8_t *whole = kernel_elf(&kernel_linux64, &l.size);

        l.file = malloc(size + 1); /* exact but for size 0: the sanitizer sees a step too far */
        assert_non_null(l.file);
        l.file = realloc(l.file, size ? size : 1);
        memcpy(l.file, whole, size);
        free(whole);
        expect_refusal(&l, image_parse(&l.img, l.file, size, IMAGE_PV, l.err),
                       size == 0  ? "the file is empty"
                       : size < 4 ? "not a kernel image"
                                  : "truncated");
    }
}

/* -------------------------------------------------------------------------------------------- packed and bzImage -- */

static void test_packed(void **state)
{
    for (unsigned int i = 0; kernel_methods[i]; i++) {
        const char *method = kernel_methods[i];
        size_t elf_size, packed_size;
        uint8_t *elf = kernel_elf(&kernel_linux64, &elf_size),
                *packed = kernel_pack(method, elf, elf_size, &packed_size);
        struct loaded l;

        l.file = kernel_bzimage(packed, packed_size, &l.size);
        assert_true(image_probe(l.file, l.size));
        if (image_parse(&l.img, l.file, l.size, IMAGE_AUTO, l.err))
            fail_msg("%s: refused: %s", method, l.err);
        assert_true(l.img.virt_entry == 0xffffffff81000010);
        assert_string_equal(l.img.compressed ? l.img.compressed : "none", method);
        assert_int_equal(l.img.segments[0].data[9], 63);
        unload(&l);

        /* A payload that stops short: half of it. */
        l.file = kernel_bzimage(packed, packed_size / 2, &l.size);
        expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_AUTO, l.err), "truncated");

        /* By itself, a packed file is taken for a kernel if it is gzip. */
        if (!strcmp(method, "gzip")) {
            assert_int_equal(image_parse(&l.img, packed, packed_size, IMAGE_AUTO, l.err), 0);
            image_free(&l.img);
        } else if (strcmp(method, "none")) {
            assert_int_equal(image_parse(&l.img, packed, packed_size, IMAGE_AUTO, l.err), -1);
        }
        free(packed);
        free(elf);
    }
}

/* 24 MiB of zeros in a few KiB: refused in each method, before they are all written. */
static void test_bomb(void **state)
{
    size_t size = 24 << 20;
    uint8_t *zeros = calloc(1, size);

    assert_non_null(zeros);
    for (unsigned int i = 1; kernel_methods[i]; i++) {
        size_t packed_size;
        uint8_t *packed = kernel_pack(kernel_methods[i], zeros, size, &packed_size);
        struct loaded l;

        l.file = kernel_bzimage(packed, packed_size, &l.size);
        /* lz4 expands at most 255 times, and in one block more than the legacy format allows. */
        expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_AUTO, l.err),
                       strcmp(kernel_methods[i], "lz4") ? "unpacks to more than" : "does not unpack");
        free(packed);
    }
    free(zeros);
}

static void test_bzimage_refused(void **state)
{
    static const struct {
        size_t offset;
        unsigned int size;
        uint32_t value;
        const char *reason;
    } cases[] = {
        { 0x202, 1, 'h', "not a kernel image" },
        { 0x206, 2, 0x207, "bzImage too old: boot protocol 2.07" },
        { 0x24c, 4, 0, "bzImage has no payload" },
        { 0x24c, 4, UINT32_MAX, "bzImage truncated: its payload is bytes" },
        { 0x248, 4, UINT32_MAX, "bzImage truncated: its payload is bytes" },
        { 0x1f1, 1, 255, "bzImage truncated: its payload is bytes" },
        { 0x248, 4, 63, "the payload of the bzImage is neither ELF nor compressed in a known way (00 1f ...)" },
        { 0x4a0, 4, 0x42424242, "corrupt: the packed kernel (gzip" },
    };
    size_t elf_size, packed_size, hello_size;
    uint8_t *elf = kernel_elf(&kernel_linux64, &elf_size), *packed = kernel_pack("gzip", elf, elf_size, &packed_size);
    uint8_t *hello = kernel_pack("gzip", (const uint8_t *)"hello", 5, &hello_size);
    struct loaded l;

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        l.file = kernel_bzimage(packed, packed_size, &l.size);
        memcpy(l.file + cases[i].offset, &cases[i].value, cases[i].size);
        expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_AUTO, l.err), cases[i].reason);
    }
    l.file = kernel_bzimage(packed, packed_size, &l.size);
    expect_refusal(&l, image_parse(&l.img, l.file, 0x230, IMAGE_AUTO, l.err), "bzImage truncated: its header");
    l.file = kernel_bzimage(hello, hello_size, &l.size);
    expect_refusal(&l, image_parse(&l.img, l.file, l.size, IMAGE_AUTO, l.err),
                   "unpacks (gzip), but not to an ELF file");
    free(hello);
    free(packed);
    free(elf);
}

/* ------------------------------------------------------------------------------------------------------- symbols -- */

static void test_symbols(void **state)
{
    const struct kernel_spec *specs[] = { &kernel_linux64, &kernel_legacy32 };

    for (unsigned int i = 0; i < 2; i++) {
        uint64_t base = specs[i]->symbol_base, offset = 1;
        struct loaded l;

        load_ok(&l, specs[i], IMAGE_PV);
        assert_int_equal(l.img.nr_symbols, 3);
        assert_string_equal(image_symbol_lookup(&l.img, base, &offset), "start");
        assert_int_equal(offset, 0);
        assert_string_equal(image_symbol_lookup(&l.img, base + 15, &offset), "start");
        assert_int_equal(offset, 15);
        assert_null(image_symbol_lookup(&l.img, base + 16, &offset)); /* after its end */
        assert_string_equal(image_symbol_lookup(&l.img, base + 0x234, &offset), "label");
        assert_int_equal(offset, 0x134); /* past a variable, which ends none */
        assert_string_equal(image_symbol_lookup(&l.img, base + 0x187, &offset), "object");
        assert_int_equal(offset, 7);
        assert_string_equal(image_symbol_lookup(&l.img, base + 0x188, &offset), "label");
        assert_null(image_symbol_lookup(&l.img, base - 1, &offset));
        assert_null(image_symbol_lookup(&l.img, base + 0x3000, &offset)); /* after the kernel */
        unload(&l);
    }
}

/* A PVH kernel starts where it was loaded, and goes to where it was linked for. */
static void test_symbols_pvh(void **state)
{
    const uint64_t base = kernel_linux64.symbol_base;
    struct loaded l;
    uint64_t offset;

    load_ok(&l, &kernel_linux64, IMAGE_PVH);
    assert_int_not_equal(l.img.virt_kstart, base);
    assert_string_equal(image_symbol_lookup(&l.img, base + 15, &offset), "start");
    assert_int_equal(offset, 15);
    assert_null(image_symbol_lookup(&l.img, base - 1, &offset));
    assert_null(image_symbol_lookup(&l.img, base + 0x3000, &offset));
    unload(&l);
}

/* --------------------------------------------------------------------------------------------------------- files -- */

static void test_files(void **state)
{
    char path[] = "/tmp/xenlab-test-XXXXXX", err[IMAGE_ERR_SIZE];
    int fd = mkstemp(path);
    struct image img;
    uint8_t *data, *elf;
    size_t size;

    assert_true(fd >= 0);
    assert_int_equal(image_read_file(path, &data, &size, err), 0);
    assert_int_equal(size, 0);
    free(data);
    assert_int_equal(image_load(&img, path, IMAGE_AUTO, err), -1);
    assert_string_equal(err, "not a kernel image: the file is empty");

    elf = kernel_elf(&kernel_linux64, &size);
    assert_int_equal(write(fd, elf, size), size);
    free(elf);
    assert_int_equal(image_load(&img, path, IMAGE_AUTO, err), 0);
    assert_int_equal(img.nr_symbols, 3);
    image_free(&img);
    image_free(&img);
    close(fd);
    unlink(path);

    assert_int_equal(image_load(&img, path, IMAGE_AUTO, err), -1);
    assert_string_equal(err, "cannot open: No such file or directory");
    assert_int_equal(image_load(&img, "/tmp", IMAGE_AUTO, err), -1);
    assert_string_equal(err, "cannot open: Is a directory");
}

/* Guests of one kernel share its image, and of one ramdisk its bytes, whatever becomes of the files. */
static void test_cache(void **state)
{
    char path[] = "/tmp/xenlab-test-XXXXXX", err[IMAGE_ERR_SIZE];
    const struct cached_image *a, *other;
    struct image_cache cache = { 0 };
    const struct cached_file *file;
    int fd = mkstemp(path);
    uint8_t *elf;
    size_t size;

    assert_true(fd >= 0);
    assert_null(image_cache_get(&cache, path, IMAGE_PV, err));
    assert_string_equal(err, "not a kernel image: the file is empty");
    assert_null(image_cache_file(&cache, "/tmp/xenlab-test-there-is-none", err));
    assert_true(!strncmp(err, "cannot open: ", 13) && !cache.images && !cache.files);
    elf = kernel_elf(&kernel_linux64, &size);
    assert_int_equal(write(fd, elf, size), size);
    close(fd);

    a = image_cache_get(&cache, path, IMAGE_PV, err);
    assert_non_null(a);
    other = image_cache_get(&cache, path, IMAGE_AUTO, err);
    assert_true(other && other != a); /* started in another way, it has other addresses */
    file = image_cache_file(&cache, path, err);
    assert_non_null(file);
    unlink(path);
    assert_ptr_equal(image_cache_get(&cache, path, IMAGE_PV, err), a);
    assert_ptr_equal(image_cache_file(&cache, path, err), file);
    assert_int_equal(a->image.nr_symbols, 3);
    assert_int_equal(file->size, size);
    assert_memory_equal(file->data, elf, size);
    free(elf);
    image_cache_free(&cache);
    assert_true(!cache.images && !cache.files);
}

/* A kernel that nobody here wrote. */
static void real(struct image *img, const char *path)
{
    char err[IMAGE_ERR_SIZE];

    if (access(path, R_OK)) {
        print_message("%s is not there (make assets): not tested\n", path);
        skip();
    }
    if (image_load(img, path, IMAGE_AUTO, err))
        fail_msg("%s: %s", path, err);
    assert_int_equal(img->mode, IMAGE_PV);
}

static void test_real_grub64(void **state)
{
    struct image img;

    real(&img, "build/assets/grub-x86_64-xen.bin");
    assert_true(img.is64 && img.virt_base == 0 && img.virt_entry == 0 && img.nr_segments == 2);
    assert_string_equal(img.guest_os, "GRUB");
    image_free(&img);
}

static void test_real_grub32(void **state)
{
    struct image img;

    real(&img, "build/assets/grub-i386-xen.bin");
    assert_true(!img.is64 && img.pae == IMAGE_PAE_EXTCR3 && img.virt_entry == 0);
    image_free(&img);
}

static void test_real_linux(void **state)
{
    struct image img;

    real(&img, "build/assets/vmlinuz-cloud");
    assert_true(img.is64 && img.virt_base == 0xffffffff80000000);
    assert_string_equal(img.guest_os, "linux");
    assert_true(img.has_mod_start_pfn && img.p2m_base == 0x8000000000);
    assert_true(img.feat_required == FEATURE(writable_page_tables) && img.phys32_entry != UNSET_ADDR);
    image_free(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linux64),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_number_sizes),
        cmocka_unit_test(test_paddr_offset),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_pae_and_symtab),
        cmocka_unit_test(test_pvh),
        cmocka_unit_test(test_firmware),
        cmocka_unit_test(test_note_cut_off),
        cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_notes_refused),
        cmocka_unit_test(test_elf_refused),
        cmocka_unit_test(test_elf_incomplete),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_bzimage_refused),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_symbols_pvh),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_real_grub64),
        cmocka_unit_test(test_real_grub32),
        cmocka_unit_test(test_real_linux),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
