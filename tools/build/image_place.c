// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Can this kernel be started, and where is everything then?
 *
 * Concept: a kernel states a few numbers and leaves others out; Xen has rules for what is then meant. For PV:
 *
 *      virt_base      as stated, else 0
 *      paddr_offset   as stated (but then virt_base must be, too), else 0; else, with __xen_guest, virt_base: the
 *                     linkers of that time put virtual addresses into p_paddr
 *      virt_entry     as stated, else the ELF file's entry
 *
 * For PVH, which starts without paging, virt_base and paddr_offset are 0 and the entry is PHYS32_ENTRY.
 *
 * Invariants: whatever leaves here obeys the order of addresses that image.h promises, so the domain builder may add
 * and subtract them without fear.
 *
 * Simplifies Xen's xen/common/libelf/libelf-dominfo.c (elf_xen_note_check, elf_xen_addr_calc_check) and adds checks
 * that Xen leaves to later failures: canonical addresses, alignment of the hypercall page, PAE.
 */
#include "tools/build/image_private.h"

#include <inttypes.h>
#include <string.h>

#include <xen/features.h>

/* What elf_xen_note_check() asks of a PV kernel. The words date from when there were other loaders and Xen 2. */
static int pv_check(const struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    if (strncmp(img->loader, "generic", 7) && strncmp(img->guest_os, "linux", 5))
        return image_fail(
            err, "not a PV kernel: loader is \"%s\" and guest OS \"%s\", expected \"generic\" or \"linux\"%s",
            img->loader, img->guest_os, img->phys32_entry != UNSET_ADDR ? " (it can be started as PVH)" : "");
    if (strncmp(img->xen_version, "xen-3.0", 7))
        return image_fail(err, "not a PV kernel: made for Xen version \"%s\", expected \"xen-3.0\"", img->xen_version);
    if (img->feat_required & (UINT32_C(1) << XENFEAT_dom0))
        return image_fail(err, "the kernel can only be a dom0 (it requires the feature \"dom0\")");
    if (elf->wide != img->is64)
        return image_fail(err, "not a PV kernel: the ELF file is of %s bits, its machine code of %s",
                          elf->wide ? "64" : "32", img->is64 ? "64" : "32");
    if (!img->is64 && img->pae == IMAGE_PAE_NO)
        return image_fail(err, "32-bit kernel without PAE (note PAE_MODE): Xen has run none since 4.0");
    if (img->paddr_offset != UNSET_ADDR && img->virt_base == UNSET_ADDR)
        return image_fail(err, "the kernel states PADDR_OFFSET, but not VIRT_BASE");
    return 0;
}

/* Settle how the kernel is started. */
static int mode_decide(struct image *img, const struct image_elf *elf, enum image_mode mode, char err[IMAGE_ERR_SIZE])
{
    bool pvh_able = img->phys32_entry != UNSET_ADDR && !img->from_legacy_section;

    if (mode == IMAGE_FIRMWARE)
        mode = IMAGE_PVH;
    if (mode == IMAGE_PVH && !pvh_able)
        return image_fail(err, "the kernel cannot be started as PVH: it has no note PHYS32_ENTRY");
    if (mode == IMAGE_PVH || (mode == IMAGE_AUTO && pvh_able && pv_check(img, elf, err))) {
        img->mode = IMAGE_PVH;
        return 0;
    }
    img->mode = IMAGE_PV;
    return pv_check(img, elf, err);
}

/* What is not stated, by Xen's rules. */
static void defaults_fill(struct image *img, const struct image_elf *elf)
{
    if (img->mode == IMAGE_PVH) {
        img->virt_base = 0;
        img->paddr_offset = 0;
        img->virt_entry = img->phys32_entry;
        return;
    }
    if (img->virt_base == UNSET_ADDR)
        img->virt_base = 0;
    if (img->paddr_offset == UNSET_ADDR)
        img->paddr_offset = img->from_legacy_section ? img->virt_base : 0;
    if (img->virt_entry == UNSET_ADDR)
        img->virt_entry = elf->ehdr.e_entry;
}

/* Turn the segments' p_paddr into addresses, and take their hull. */
static int segments_place(struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    uint64_t low = UINT64_MAX, high = 0; /* pseudo-physical */

    for (unsigned int i = 0; i < img->nr_segments; i++) {
        struct image_segment *s = &img->segments[i];

        if (s->paddr < img->paddr_offset)
            return image_fail(err, "ELF damaged: a segment at physical %#" PRIx64 " lies below PADDR_OFFSET %#" PRIx64,
                              s->paddr, img->paddr_offset);
        s->paddr -= img->paddr_offset;
        s->vaddr = s->paddr + img->virt_base; /* may wrap; judged below */
        low = s->paddr < low ? s->paddr : low;
        high = s->paddr + s->memsz > high ? s->paddr + s->memsz : high;
    }
    if (image_symtab_append(img, elf, &high, err))
        return -1;
    if (high > IMAGE_MEM_MAX)
        return image_fail(err,
                          "the kernel asks for %" PRIu64 " MiB of memory, more than the %" PRIu64 " that is sensible",
                          (high >> 20) + 1, (uint64_t)IMAGE_MEM_MAX >> 20);

    /* 32-bit addresses, or one half of the canonical 48-bit ones. */
    uint64_t last = img->virt_base + high - 1;
    bool ok = img->is64 ? (int64_t)(img->virt_base << 16) >> 16 == (int64_t)img->virt_base &&
                              img->virt_base >> 47 == last >> 47
                        : last <= UINT32_MAX;

    if (last < img->virt_base || last == UINT64_MAX || !ok)
        return image_fail(err, "the kernel does not fit the address space: %#" PRIx64 " bytes from virtual %#" PRIx64,
                          high, img->virt_base);
    img->virt_kstart = img->virt_base + low;
    img->virt_kend = img->virt_base + high;
    return 0;
}

int image_place(struct image *img, const struct image_elf *elf, enum image_mode mode, char err[IMAGE_ERR_SIZE])
{
    img->is64 = elf->ehdr.e_machine == EM_X86_64;
    if (mode_decide(img, elf, mode, err))
        return -1;
    defaults_fill(img, elf);
    if (segments_place(img, elf, err))
        return -1;
    if (img->virt_entry < img->virt_kstart || img->virt_entry > img->virt_kend)
        return image_fail(err, "the entry %#" PRIx64 " is outside the kernel (%#" PRIx64 " to %#" PRIx64 ")",
                          img->virt_entry, img->virt_kstart, img->virt_kend);
    if (img->mode == IMAGE_PVH)
        return 0;
    if (img->hypercall_page != UNSET_ADDR && (img->hypercall_page & 0xfff || img->hypercall_page < img->virt_base ||
                                              img->hypercall_page - img->virt_base >= IMAGE_MEM_MAX))
        return image_fail(err, "the hypercall page %#" PRIx64 " is not a page of the kernel's memory",
                          img->hypercall_page);
    if (img->p2m_base != UNSET_ADDR && img->p2m_base >= img->virt_kstart && img->p2m_base < img->virt_kend)
        return image_fail(err, "the p2m list (INIT_P2M %#" PRIx64 ") would lie on the kernel", img->p2m_base);
    return 0;
}
