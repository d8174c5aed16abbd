// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files image.c, image_file.c, image_unpack.c, image_elf.c, image_notes.c, image_symtab.c and image_place.c
 * tell each other, and nobody else.
 *
 * Concept: an ELF file comes in two widths with the same contents. libelf reads either into the wide structures of
 * <elf.h> (its GElf_... are the same), so that the rest is written once.
 */
#ifndef TOOLS_BUILD_IMAGE_PRIVATE_H
#define TOOLS_BUILD_IMAGE_PRIVATE_H

#include "tools/build/image.h"

#include <gelf.h>

/*
 * image_file.c. Formats a message, with unprintable characters (they came from the file) made harmless. Always returns
 * -1.
 */
__attribute__((format(printf, 2, 3))) int image_fail(char err[IMAGE_ERR_SIZE], const char *fmt, ...);

/*
 * As malloc(), for what is as large as a kernel: the system is asked for large pages, since to be given fifteen
 * thousand small ones takes longer than to read a kernel into them.
 */
void *image_alloc(size_t size);

/* Are the len bytes at offset inside something of this size? Cannot wrap. */
static inline bool image_inside(uint64_t offset, uint64_t len, uint64_t size)
{
    return offset <= size && len <= size - offset;
}

/* The name of the compression that data begins with, or NULL. The answer is a literal. */
const char *image_packed_with(const uint8_t *data, size_t size);

/*
 * Unpack data, whose compression image_packed_with() knows, into fresh memory that the caller frees. Bytes after the
 * end of the compressed stream are ignored (Linux puts the unpacked size there). Returns 0, or -1 with a message.
 */
int image_unpack(const uint8_t *data, size_t size, uint8_t **out, size_t *out_size, char err[IMAGE_ERR_SIZE]);

/* An ELF file whose header has been checked. */
struct image_elf {
    const uint8_t *data;
    size_t size;
    Elf *libelf;     /* reads data; NULL: not opened */
    bool wide;       /* ELFCLASS64: the layout; what the code is, ehdr.e_machine tells */
    Elf64_Ehdr ehdr; /* widened. Both header tables lie inside the file; e_shnum is 0 if the sections do not */
    bool sections_lost;
};

/* Check the header of the ELF file. Returns 0 or -1; image_elf_close() follows in either case. */
int image_elf_open(struct image_elf *elf, const uint8_t *data, size_t size, char err[IMAGE_ERR_SIZE]);
/* Harmless on a cleared one. */
void image_elf_close(struct image_elf *elf);

/* Header n, widened. n must be below ehdr.e_phnum or e_shnum. What it says is unchecked. */
Elf64_Phdr image_elf_phdr(const struct image_elf *elf, unsigned int n);
Elf64_Shdr image_elf_shdr(const struct image_elf *elf, unsigned int n);

/* Find a section that has its bytes in the file by name. */
bool image_elf_section(const struct image_elf *elf, const char *name, Elf64_Shdr *shdr);

/* The number of the first symbol table, whose sh_link is the number of a section; 0: there is none. */
unsigned int image_elf_symtab(const struct image_elf *elf);

/* Collect the loadable segments, with paddr as in the file: image_place() turns it into the guest's. */
int image_elf_segments(struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE]);

/* Take the symbol table, if there is one that makes sense. Returns -1 only if memory is short. */
int image_elf_symbols(struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE]);

/*
 * Append the symbol table as a segment, if the kernel asks for it. *high is the pseudo-physical end of the others, and
 * becomes the new end. Returns -1 only if memory is short.
 */
int image_symtab_append(struct image *img, const struct image_elf *elf, uint64_t *high, char err[IMAGE_ERR_SIZE]);

/* Read the Xen notes, or else the __xen_guest section. What is not said is UNSET_ADDR, 0 or "". */
int image_notes_read(struct image *img, const struct image_elf *elf, enum image_mode mode, char err[IMAGE_ERR_SIZE]);

/* Judge whether the kernel can run in the mode asked for (AUTO is decided), and compute the addresses. */
int image_place(struct image *img, const struct image_elf *elf, enum image_mode mode, char err[IMAGE_ERR_SIZE]);

#endif
