// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest kernel images: from the bytes of a file to what the domain builder must know.
 *
 * Concept: a PV kernel is an ordinary ELF program with one addition. Small records, ELF notes with the owner "Xen"
 * (numbers in <xen/elfnote.h>), tell the builder what no hardware tells a PV guest: where it wants to be mapped
 * (VIRT_BASE), where it starts (ENTRY), which page receives the hypercall stubs, which features it can live with.
 * Kernels from before the notes carry the same facts as text in a section named __xen_guest. Linux is shipped as a
 * bzImage: a real-mode set-up program followed by that ELF file, compressed; the builder skips the former and unpacks
 * the latter.
 *
 *      file --> image_parse() --> [bzImage? take its payload] --> [compressed? unpack] --> ELF --> struct image
 *
 * Three sorts of address, for the byte at p_paddr of the ELF file:
 *
 *      paddr = p_paddr - paddr_offset       pseudo-physical: which of the guest's pages, counted from 0
 *      vaddr = paddr + virt_base            where the initial page tables of a PV guest show it
 *
 * For PVH both offsets are forced to 0 and the entry is PHYS32_ENTRY: paging is off when it starts.
 *
 * Invariants: input is hostile. Every offset is checked against the file before it is followed, no sum of two of its
 * numbers can wrap, and what it makes us allocate is bounded. After success, the addresses in struct image are in
 * order: virt_base <= virt_kstart <= virt_entry <= virt_kend, all segments lie between virt_kstart and virt_kend, and
 * virt_kend - virt_base <= IMAGE_MEM_MAX.
 *
 * Simplifies Xen's xen/common/libelf (libelf-dominfo.c, libelf-loader.c) and tools/libs/guest/xg_dom_bzimageloader.c:
 * no lzo.
 */
#ifndef TOOLS_BUILD_IMAGE_H
#define TOOLS_BUILD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Size of the caller's buffer for a message. */
#define IMAGE_ERR_SIZE 256

/* "The kernel does not say", as in Xen's libelf. */
#define UNSET_ADDR UINT64_MAX

#define IMAGE_FILE_MAX     (UINT64_C(512) << 20) /* longest file that is read */
#define IMAGE_UNPACKED_MAX (UINT64_C(256) << 20) /* longest kernel that is unpacked */
#define IMAGE_MEM_MAX      (UINT64_C(16) << 30)  /* most memory a kernel may ask for, from virt_base to virt_kend */
#define IMAGE_SEGMENTS_MAX 32

/*
 * How the kernel shall be started; AUTO is PV for a kernel that can be both. FIRMWARE is what starts in an HVM guest in
 * the place of a BIOS: as PVH, or, like Debian's hvmloader, without any note, at the ELF file's entry. struct image has
 * only PV and PVH.
 */
enum image_mode { IMAGE_AUTO, IMAGE_PV, IMAGE_PVH, IMAGE_FIRMWARE };

/* What the kernel says of PAE; matters to 32-bit kernels only. EXTCR3: its L3 table may lie above 4 GiB. */
enum image_pae { IMAGE_PAE_NO, IMAGE_PAE_YES, IMAGE_PAE_EXTCR3, IMAGE_PAE_BIMODAL };

/* One piece to load: copy filesz bytes of data, then clear up to memsz. */
struct image_segment {
    uint64_t paddr, vaddr; /* see above; vaddr == paddr for PVH */
    uint64_t linked;       /* p_vaddr: where a PVH kernel's own page tables will show it, if it keeps its word */
    const uint8_t *data;   /* inside the image's bytes, or owned_symtab */
    uint64_t filesz, memsz;
    uint32_t flags; /* PF_R, PF_W, PF_X: for display, Xen maps all of it writable */
};

struct image_symbol {
    uint64_t addr, size; /* size 0: not stated */
    const char *name;    /* inside the image's bytes, or owned_names */
    bool variable;
};

struct image {
    enum image_mode mode;
    bool is64;              /* x86-64 code, else i386 */
    const char *compressed; /* the method that the kernel was packed with, or NULL; a literal */
    bool from_legacy_section;

    struct image_segment segments[IMAGE_SEGMENTS_MAX + 1]; /* the file's, and the symbol table */
    unsigned int nr_segments;                              /* at least 1 */

    uint64_t virt_base, paddr_offset;
    uint64_t virt_kstart, virt_kend; /* the kernel as loaded: from its lowest byte to after its highest */
    uint64_t virt_entry;             /* for PVH the physical entry */

    uint64_t hypercall_page; /* virtual, page aligned, or UNSET_ADDR */
    uint64_t p2m_base;       /* INIT_P2M, or UNSET_ADDR: the p2m list follows the initrd */
    uint64_t hv_start_low;   /* or UNSET_ADDR */
    uint64_t phys32_entry;   /* or UNSET_ADDR: cannot be started as PVH */
    bool has_mod_start_pfn;  /* the initrd may stay unmapped: start_info.mod_start is then a pfn */
    bool suspend_cancel;     /* the kernel copes with a suspend that is called off */
    bool bsd_symtab;         /* wants its symbol table behind itself: then the last segment is that, or else */
    bool symtab_lost;        /* there is none that can be loaded */
    enum image_pae pae;
    uint32_t feat_required;  /* bit n: XENFEAT_n; the builder must refuse if the hypervisor lacks one */
    uint32_t feat_supported; /* what it can live with or profit from; those required among them */
    char guest_os[32], guest_version[32], loader[32], xen_version[32]; /* "" if absent; not trusted, not sanitised */

    char not_kept[IMAGE_ERR_SIZE]; /* why it will have to be unpacked at the next start, too; "" if it will not */

    struct image_symbol *symbols; /* by address */
    size_t nr_symbols;

    const uint8_t *elf; /* the ELF file, inside the image's bytes */
    size_t elf_size;

    void *owned_file, *owned_unpacked; /* what image_free() releases */
    uint8_t *owned_symtab;
    char *owned_names; /* kallsyms_load() */
};

/*
 * Read a whole file (a regular one: tools/user_file.c) of at most IMAGE_FILE_MAX bytes. The caller frees *data. Returns
 * 0, or -1 with the reason in err, which does not repeat the path. An empty file is read as 0 bytes and a pointer that
 * may be freed.
 */
int image_read_file(const char *path, uint8_t **data, size_t *size, char err[IMAGE_ERR_SIZE]);

/* Does it begin as a kernel does: ELF, bzImage, or gzip (of an ELF file)? Says nothing of whether it can be used. */
bool image_probe(const uint8_t *data, size_t size);

/*
 * Make *img of the file in data. The image points into data, which stays the caller's and must outlive it. Returns 0,
 * and the caller ends with image_free(); or -1 with one line in err and nothing to free.
 */
int image_parse(struct image *img, const uint8_t *data, size_t size, enum image_mode mode, char err[IMAGE_ERR_SIZE]);

/*
 * image_read_file() and image_parse() in one, for those who do not want to keep the bytes: the image owns them. A large
 * packed kernel is unpacked once only, see image_kept.h.
 */
int image_load(struct image *img, const char *path, enum image_mode mode, char err[IMAGE_ERR_SIZE]);

/* Release what the image owns. Harmless on a cleared one and on one that was freed. */
void image_free(struct image *img);

/*
 * The function or variable that virtual address addr lies in, and how far inside; NULL if the kernel has no symbols, or
 * none there. Of a PVH kernel, addresses are those that it was linked for as well as those where it starts. The name
 * lives as long as the image.
 */
const char *image_symbol_lookup(const struct image *img, uint64_t addr, uint64_t *offset);

#endif
