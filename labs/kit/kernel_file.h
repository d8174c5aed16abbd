// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Made-up kernels for tests and labs: an ELF file with notes, packed in any way, in a bzImage.
 *
 * Concept: a test states what the kernel shall say of itself and gets the bytes of such a file, a few KiB of them.
 * Nothing in it runs; the loadable bytes are a pattern.
 */
#ifndef LABS_KIT_KERNEL_FILE_H
#define LABS_KIT_KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_TEXT_SIZE 0x400 /* bytes of the first segment in the file; the second has none */
#define KERNEL_BSS_SIZE  0x2000

/* A Xen note; text, or else a number of size bytes. */
struct kernel_note {
    uint32_t type;
    const char *text;
    uint64_t number;
    uint32_t size;
};

struct kernel_spec {
    bool narrow;            /* an ELF32 file for i386 */
    uint64_t paddr;         /* p_paddr of the first segment */
    uint64_t entry;         /* e_entry */
    bool notes_in_section;  /* reached through a section header only */
    const char *guest_info; /* the text of a __xen_guest section, or NULL */
    bool symbols;           /* "start" at symbol_base + 0 (16 bytes), "label" at + 0x100, an object at + 0x180 */
    uint64_t symbol_base;
    struct kernel_note notes[24]; /* up to the first of type 0 */
};

/* Offsets of what tests damage, in files from kernel_elf(). */
size_t kernel_phdr_offset(bool narrow, unsigned int n); /* 0: text, 1: bss, 2: notes (PT_NULL if there are none) */

/* Each returns memory to free. */
uint8_t *kernel_elf(const struct kernel_spec *spec, size_t *size);
uint8_t *kernel_pack(const char *method, const uint8_t *data, size_t size, size_t *packed_size);
uint8_t *kernel_bzimage(const uint8_t *payload, size_t size, size_t *image_size);

struct pv_build;
struct xc_handle;

/*
 * Build a domain of the kernel of `spec`, all steps in a row; b->image is for the length of the call. 0, or -1 with a
 * message in err, IMAGE_ERR_SIZE bytes.
 */
int kernel_build(struct xc_handle *xc, const struct kernel_spec *spec, struct pv_build *b, char *err);

/* The methods that kernel_pack() knows, ended by NULL: "none" and those of tools/build/image_unpack.c. */
extern const char *const kernel_methods[];

/* Kernels that parse: as 64-bit Linux says it, as an old 32-bit one did in __xen_guest. */
extern const struct kernel_spec kernel_linux64, kernel_legacy32;

#endif
