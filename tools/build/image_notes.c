// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel says about itself, in Xen's ELF notes or in the older __xen_guest section.
 *
 * Concept: a note is owner, type and value. Xen's are numbers of 1, 2, 4 or 8 bytes, or strings:
 *
 *      | namesz = 4 | descsz | type | "Xen\0" | desc ... padded to 4 bytes | next note ...
 *
 * The __xen_guest section is one string, "GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,...". Both end up in the
 * same fields; image_place() then decides whether that is enough to start, and works out the addresses.
 *
 * Invariants: as libelf does, notes in segments come first, then notes in sections, then __xen_guest: the first place
 * that has any is believed alone.
 *
 * Simplifies Xen's xen/common/libelf/libelf-dominfo.c. Where libelf takes a number it cannot read for 0, this refuses.
 */
#include "tools/build/image_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/elfnote.h>
#include <xen/features.h>

/* ------------------------------------------------------------------------------------------------------ features -- */

// clang-format off
static const char *const feature_names[] = {
    [XENFEAT_writable_page_tables]       = "writable_page_tables",
    [XENFEAT_writable_descriptor_tables] = "writable_descriptor_tables",
    [XENFEAT_auto_translated_physmap]    = "auto_translated_physmap",
    [XENFEAT_supervisor_mode_kernel]     = "supervisor_mode_kernel",
    [XENFEAT_pae_pgdir_above_4gb]        = "pae_pgdir_above_4gb",
    [XENFEAT_hvm_callback_vector]        = "hvm_callback_vector",
    [XENFEAT_dom0]                       = "dom0",
};
// clang-format on

/* A list of names with bars between them, an exclamation mark before those that the kernel cannot do without. */
static int features_read(struct image *img, const char *list, size_t len, char err[IMAGE_ERR_SIZE])
{
    const char *end = list + len;

    for (const char *p = list; p < end; p++) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        const char *stop = bar ? bar : end;
        bool required = p < stop && *p == '!';
        const char *name = p + required;
        size_t i, n = (size_t)(stop - name);

        for (i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
            if (feature_names[i] && strlen(feature_names[i]) == n && !memcmp(feature_names[i], name, n))
                break;
        if (i < sizeof(feature_names) / sizeof(feature_names[0])) {
            img->feat_required |= (uint32_t)required << i;
            img->feat_supported |= UINT32_C(1) << i;
        } else if (required) {
            return image_fail(err, "the kernel requires the unknown feature \"%.*s\"", (int)(n < 64 ? n : 64), name);
        }
        p = stop;
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- notes -- */

struct note {
    uint32_t type;
    const uint8_t *desc;
    size_t size;  /* as stated */
    size_t avail; /* of that, what lies inside the file */
};

/* A string ends at its zero byte or with the note. Some notes (GRUB's last) state more than they have. */
static size_t note_strlen(const struct note *n) { return strnlen((const char *)n->desc, n->avail); }

static void note_string(const struct note *n, char *out, size_t out_size)
{
    size_t len = note_strlen(n);

    if (len > out_size - 1)
        len = out_size - 1;
    memcpy(out, n->desc, len);
    out[len] = 0;
}

static int note_number(const struct note *n, const char *name, uint64_t *value, char err[IMAGE_ERR_SIZE])
{
    if (n->size != 1 && n->size != 2 && n->size != 4 && n->size != 8)
        return image_fail(err, "Xen note %s: a number of %zu bytes, expected 1, 2, 4 or 8", name, n->size);
    if (n->avail < n->size)
        return image_fail(err, "ELF truncated: Xen note %s runs past the end of the file", name);
    *value = 0;
    memcpy(value, n->desc, n->size); /* little-endian, as we are */
    return 0;
}

static int note_apply(struct image *img, const struct note *n, char err[IMAGE_ERR_SIZE])
{
    uint64_t value = 0;
    uint32_t features;
    char text[32];
    int rc;

    switch (n->type) {
    case XEN_ELFNOTE_ENTRY: return note_number(n, "ENTRY", &img->virt_entry, err);
    case XEN_ELFNOTE_HYPERCALL_PAGE: return note_number(n, "HYPERCALL_PAGE", &img->hypercall_page, err);
    case XEN_ELFNOTE_VIRT_BASE: return note_number(n, "VIRT_BASE", &img->virt_base, err);
    case XEN_ELFNOTE_PADDR_OFFSET: return note_number(n, "PADDR_OFFSET", &img->paddr_offset, err);
    case XEN_ELFNOTE_INIT_P2M: return note_number(n, "INIT_P2M", &img->p2m_base, err);
    case XEN_ELFNOTE_HV_START_LOW: return note_number(n, "HV_START_LOW", &img->hv_start_low, err);
    case XEN_ELFNOTE_PHYS32_ENTRY:
        rc = note_number(n, "PHYS32_ENTRY", &value, err);
        img->phys32_entry = (uint32_t)value;
        return rc;
    case XEN_ELFNOTE_MOD_START_PFN:
        rc = note_number(n, "MOD_START_PFN", &value, err);
        img->has_mod_start_pfn = value != 0;
        return rc;
    case XEN_ELFNOTE_SUSPEND_CANCEL:
        rc = note_number(n, "SUSPEND_CANCEL", &value, err);
        img->suspend_cancel = value != 0;
        return rc;
    case XEN_ELFNOTE_SUPPORTED_FEATURES: /* words of 32 bits; the first has all that Xen 4.17 knows */
        if (n->size >= sizeof(features) && n->avail >= sizeof(features)) {
            memcpy(&features, n->desc, sizeof(features));
            img->feat_supported |= features;
        }
        return 0;
    case XEN_ELFNOTE_FEATURES: return features_read(img, (const char *)n->desc, note_strlen(n), err);
    case XEN_ELFNOTE_XEN_VERSION: note_string(n, img->xen_version, sizeof(img->xen_version)); return 0;
    case XEN_ELFNOTE_GUEST_OS: note_string(n, img->guest_os, sizeof(img->guest_os)); return 0;
    case XEN_ELFNOTE_GUEST_VERSION: note_string(n, img->guest_version, sizeof(img->guest_version)); return 0;
    case XEN_ELFNOTE_LOADER: note_string(n, img->loader, sizeof(img->loader)); return 0;
    case XEN_ELFNOTE_PAE_MODE:
        note_string(n, text, sizeof(text));
        if (!strcmp(text, "yes"))
            img->pae = IMAGE_PAE_EXTCR3;
        if (strstr(text, "bimodal"))
            img->pae = IMAGE_PAE_BIMODAL;
        return 0;
    case XEN_ELFNOTE_BSD_SYMTAB:
        note_string(n, text, sizeof(text));
        img->bsd_symtab = !strcmp(text, "yes");
        return 0;
    default: return 0; /* INFO, L1_MFN_VALID (Xen does not use it either), and what later versions add */
    }
}

/* Read the notes between two offsets of the file; *found counts Xen's. */
static int notes_read(struct image *img, const struct image_elf *elf, uint64_t at, uint64_t len, unsigned int *found,
                      char err[IMAGE_ERR_SIZE])
{
    uint64_t end = at + len;
    Elf64_Nhdr head; /* the same in both widths */

    if (!image_inside(at, len, elf->size))
        return image_fail(err, "ELF truncated: notes of %#" PRIx64 " bytes at offset %#" PRIx64 ", the file has %#zx",
                          len, at, elf->size);
    while (end - at >= sizeof(head)) {
        memcpy(&head, elf->data + at, sizeof(head));

        uint64_t name = at + sizeof(head);
        uint64_t desc = name + ((uint64_t)head.n_namesz + 3) / 4 * 4;
        uint64_t next = desc + ((uint64_t)head.n_descsz + 3) / 4 * 4;

        if (desc > elf->size)
            return image_fail(err, "ELF truncated: the note at offset %#" PRIx64 " runs past the end of the file", at);
        if (head.n_namesz == 4 && !memcmp(elf->data + name, "Xen", 4)) {
            uint64_t left = elf->size - desc;
            struct note note = {
                .type = head.n_type,
                .desc = elf->data + desc,
                .size = head.n_descsz,
                .avail = head.n_descsz < left ? head.n_descsz : left,
            };

            if (note_apply(img, &note, err))
                return -1;
            ++*found;
        }
        if (next >= end)
            break;
        at = next;
    }
    return 0;
}

/* --------------------------------------------------------------------------------------- the __xen_guest section -- */

static int legacy_number(const char *key, const char *text, uint64_t *value, char err[IMAGE_ERR_SIZE])
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    if (errno || end == text || *end)
        return image_fail(err, "__xen_guest section: %s is no number: \"%.64s\"", key, text);
    return 0;
}

static int legacy_apply(struct image *img, const char *key, const char *value, char err[IMAGE_ERR_SIZE])
{
    if (!strcmp(key, "LOADER"))
        snprintf(img->loader, sizeof(img->loader), "%s", value);
    else if (!strcmp(key, "GUEST_OS"))
        snprintf(img->guest_os, sizeof(img->guest_os), "%s", value);
    else if (!strcmp(key, "GUEST_VER"))
        snprintf(img->guest_version, sizeof(img->guest_version), "%s", value);
    else if (!strcmp(key, "XEN_VER"))
        snprintf(img->xen_version, sizeof(img->xen_version), "%s", value);
    else if (!strcmp(key, "PAE") && !strncmp(value, "yes", 3))
        img->pae = strcmp(value, "yes[extended-cr3]") ? IMAGE_PAE_YES : IMAGE_PAE_EXTCR3;
    else if (!strcmp(key, "BSD_SYMTAB"))
        img->bsd_symtab = true; /* its presence counts, not its value */
    else if (!strcmp(key, "VIRT_BASE"))
        return legacy_number(key, value, &img->virt_base, err);
    else if (!strcmp(key, "VIRT_ENTRY"))
        return legacy_number(key, value, &img->virt_entry, err);
    else if (!strcmp(key, "ELF_PADDR_OFFSET"))
        return legacy_number(key, value, &img->paddr_offset, err);
    else if (!strcmp(key, "HYPERCALL_PAGE"))
        return legacy_number(key, value, &img->hypercall_page, err);
    else if (!strcmp(key, "FEATURES"))
        return features_read(img, value, strlen(value), err);
    return 0;
}

/* KEY=VALUE,KEY,... up to a zero byte or the section's end. */
static int legacy_read(struct image *img, const char *text, size_t len, char err[IMAGE_ERR_SIZE])
{
    char *copy = strndup(text, len), *rest = copy, *key;
    int rc = 0;

    if (!copy)
        return image_fail(err, "not enough memory");
    while (rc == 0 && (key = strsep(&rest, ","))) {
        char *value = strchr(key, '=');

        if (value)
            *value++ = 0;
        rc = legacy_apply(img, key, value ? value : "", err);
    }
    free(copy);
    if (rc)
        return -1;
    /* The only page number among the addresses. */
    if (img->hypercall_page != UNSET_ADDR) {
        if (img->hypercall_page > UINT64_MAX >> 12)
            return image_fail(err, "__xen_guest section: HYPERCALL_PAGE %#" PRIx64 " is no page number",
                              img->hypercall_page);
        img->hypercall_page = (img->hypercall_page << 12) + (img->virt_base == UNSET_ADDR ? 0 : img->virt_base);
    }
    img->from_legacy_section = true;
    return 0;
}

int image_notes_read(struct image *img, const struct image_elf *elf, enum image_mode mode, char err[IMAGE_ERR_SIZE])
{
    unsigned int found = 0;
    Elf64_Shdr sh;

    img->virt_base = img->paddr_offset = img->virt_entry = UNSET_ADDR;
    img->hypercall_page = img->p2m_base = img->hv_start_low = img->phys32_entry = UNSET_ADDR;

    for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
        Elf64_Phdr ph = image_elf_phdr(elf, i);

        /* An offset of 0 is a mistake of old linkers. */
        if (ph.p_type == PT_NOTE && ph.p_offset != 0 && notes_read(img, elf, ph.p_offset, ph.p_filesz, &found, err))
            return -1;
    }
    for (unsigned int i = 1; found == 0 && i < elf->ehdr.e_shnum; i++) {
        sh = image_elf_shdr(elf, i);
        if (sh.sh_type == SHT_NOTE && notes_read(img, elf, sh.sh_offset, sh.sh_size, &found, err))
            return -1;
    }
    if (found)
        return 0;
    if (image_elf_section(elf, "__xen_guest", &sh))
        return legacy_read(img, (const char *)elf->data + sh.sh_offset, sh.sh_size, err);
    if (mode == IMAGE_FIRMWARE && elf->ehdr.e_entry <= UINT32_MAX) {
        img->phys32_entry = elf->ehdr.e_entry;
        return 0;
    }
    return image_fail(err, "not a Xen guest kernel: no Xen notes and no __xen_guest section%s",
                      elf->sections_lost ? " (the section table is cut off or damaged)" : "");
}
