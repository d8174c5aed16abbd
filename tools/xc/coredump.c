// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Core dumps of domains, as `xl dump-core` writes them.
 *
 * Concept: an ELF file with sections and no segments, which crash(8) and gdb's helpers know by the note in it:
 *
 *      .note.Xen           what made it, how many vCPUs and pages
 *      .xen_prstatus       struct vcpu_guest_context of each vCPU
 *      .xen_shared_info    the page
 *      .xen_p2m            { pfn, mfn } of each page that follows, by pfn; of a PVH or HVM guest, which has pfns alone,
 *                          it is .xen_pfn, and there is no .xen_shared_info
 *      .xen_pages          the pages themselves; those of zeroes are holes in the file
 *
 * Invariant: what is asked of the domain, which takes virtual time, does not depend on what becomes of the file:
 * whether it can be written, or is not wanted since all of this has happened before. A full disk must not change a run.
 *
 * Corresponds to tools/libs/guest/xg_core.c; format: docs/misc/dump-core-format.txt of Xen, version 0.1.
 */
#include "tools/xc/coredump.h"

#include "tools/user_file.h"
#include "tools/xc/pages.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/elfnote.h>
#include <xen/foreign/x86_32.h>
#include <xen/version.h>

#define CORE_MAGIC          UINT64_C(0xf00febed) /* a PV domain's */
#define CORE_MAGIC_HVM      UINT64_C(0xf00febee)
#define CORE_FORMAT_VERSION UINT64_C(1) /* 0.1 */

enum { SEC_NULL, SEC_STRINGS, SEC_NOTE, SEC_PRSTATUS, SEC_SHARED_INFO, SEC_P2M, SEC_PAGES, NR_SECTIONS };

#define NAMES(table) "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0" table "\0.xen_pages"
static const char strings[] = NAMES(".xen_p2m"), strings_hvm[] = NAMES(".xen_pfn");

_Static_assert(sizeof(strings) == sizeof(strings_hvm), "names are where they are, whatever the guest");

struct note_header {
    uint32_t namesz, descsz, type;
    char name[4];
};

struct version_note {
    uint64_t major, minor;
    xen_extraversion_t extra;
    struct xen_compile_info compile;
    xen_capabilities_info_t capabilities;
    xen_changeset_info_t changeset;
    struct xen_platform_parameters platform;
    uint64_t pagesize;
};

struct notes {
    struct note_header none, header;
    uint64_t magic, nr_vcpus, nr_pages, page_size;
    struct note_header version;
    struct version_note v;
    struct note_header format;
    uint64_t format_version;
};

struct core {
    struct xc_handle *xc;
    domid_t domid;
    bool is64, hvm;
    FILE *file; /* NULL: there is none, or no more */
    int error;  /* errno of the first that failed */
    struct xen_domctl_getdomaininfo info;
    struct domain_page *p2m;
    uint64_t nr_pages;
    uint8_t *contexts;
    size_t nr_vcpus, context_size;
};

/* --- what there is --- */

static int contexts_collect(struct core *c)
{
    c->context_size = c->is64 ? sizeof(struct vcpu_guest_context) : sizeof(struct vcpu_guest_context_x86_32);
    c->contexts = calloc((size_t)c->info.max_vcpu_id + 1, c->context_size);
    if (!c->contexts)
        return -ENOMEM;
    for (unsigned int id = 0; id <= c->info.max_vcpu_id; id++) {
        const int rc = xc_vcpu_getcontext(c->xc, c->domid, id, c->contexts + c->nr_vcpus * c->context_size);

        if (rc && rc != -ENODATA) /* that one never ran */
            return rc;
        c->nr_vcpus += rc == 0;
    }
    return 0;
}

/* --- writing --- */

static struct note_header note(uint32_t type, size_t size)
{
    return (struct note_header){ 4, (uint32_t)size, type, "Xen" };
}

static void notes_fill(const struct core *c, struct notes *n)
{
    const int version = xc_version(c->xc, XENVER_version, NULL);

    memset(n, 0, sizeof(*n));
    n->none = note(XEN_ELFNOTE_DUMPCORE_NONE, 0);
    n->header = note(XEN_ELFNOTE_DUMPCORE_HEADER, 4 * sizeof(uint64_t));
    n->magic = c->hvm ? CORE_MAGIC_HVM : CORE_MAGIC, n->nr_vcpus = c->nr_vcpus, n->nr_pages = c->nr_pages,
    n->page_size = PAGE_SIZE;
    n->version = note(XEN_ELFNOTE_DUMPCORE_XEN_VERSION, sizeof(n->v));
    n->v.major = (uint64_t)version >> 16, n->v.minor = (uint64_t)version & 0xffff, n->v.pagesize = PAGE_SIZE;
    xc_version(c->xc, XENVER_extraversion, &n->v.extra);
    xc_version(c->xc, XENVER_compile_info, &n->v.compile);
    xc_version(c->xc, XENVER_capabilities, &n->v.capabilities);
    xc_version(c->xc, XENVER_changeset, &n->v.changeset);
    xc_version(c->xc, XENVER_platform_parameters, &n->v.platform);
    n->format = note(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, sizeof(n->format_version));
    n->format_version = CORE_FORMAT_VERSION;
}

/* Bytes to their place in the file. */
static void put(struct core *c, uint64_t offset, const void *data, size_t size)
{
    if (c->error || !c->file || !size)
        return;
    if (fseeko(c->file, (off_t)offset, SEEK_SET) || fwrite(data, size, 1, c->file) != 1)
        c->error = errno ? errno : EIO;
}

/* An entry of the table of pages. */
static size_t entry_size(const struct core *c) { return c->hvm ? sizeof(uint64_t) : sizeof(struct domain_page); }

static bool has_section(const struct core *c, int i) { return !c->hvm || i != SEC_SHARED_INFO; }

static const char *names(const struct core *c) { return c->hvm ? strings_hvm : strings; }

/* The header, and where everything will be. */
static void headers_write(struct core *c, Elf64_Shdr sh[NR_SECTIONS])
{
    const struct {
        uint32_t type;
        uint64_t size, entsize;
    } sizes[NR_SECTIONS] = {
        [SEC_STRINGS] = { SHT_STRTAB, sizeof(strings), 0 },
        [SEC_NOTE] = { SHT_NOTE, sizeof(struct notes), 0 },
        [SEC_PRSTATUS] = { SHT_PROGBITS, c->nr_vcpus * c->context_size, c->context_size },
        [SEC_SHARED_INFO] = { SHT_PROGBITS, PAGE_SIZE, PAGE_SIZE },
        [SEC_P2M] = { SHT_PROGBITS, c->nr_pages * entry_size(c), entry_size(c) },
        [SEC_PAGES] = { SHT_PROGBITS, c->nr_pages * PAGE_SIZE, PAGE_SIZE },
    };
    const Elf64_Ehdr eh = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_CORE,
        .e_machine = c->is64 ? EM_X86_64 : EM_386,
        .e_version = EV_CURRENT,
        .e_shoff = sizeof(eh),
        .e_ehsize = sizeof(eh),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = (uint16_t)(NR_SECTIONS - c->hvm),
        .e_shstrndx = SEC_STRINGS,
    };
    uint64_t offset = sizeof(eh) + NR_SECTIONS * sizeof(Elf64_Shdr), at = sizeof(eh) + sizeof(*sh);
    uint32_t name = 0;

    memset(sh, 0, NR_SECTIONS * sizeof(*sh));
    for (int i = 1; i < NR_SECTIONS; i++) {
        const uint64_t align = i == SEC_PAGES ? PAGE_SIZE : i == SEC_NOTE ? 4 : 8;

        name += (uint32_t)strlen(names(c) + name) + 1;
        if (!has_section(c, i))
            continue;
        offset = (offset + align - 1) & ~(align - 1);
        sh[i] = (Elf64_Shdr){ .sh_name = name,
                              .sh_type = sizes[i].type,
                              .sh_offset = offset,
                              .sh_size = sizes[i].size,
                              .sh_addralign = align,
                              .sh_entsize = sizes[i].entsize };
        offset += sizes[i].size;
        put(c, at, &sh[i], sizeof(*sh));
        at += sizeof(*sh);
    }
    put(c, 0, &eh, sizeof(eh));
}

static void section_write(struct core *c, const Elf64_Shdr *sh, const void *data)
{
    put(c, sh->sh_offset, data, sh->sh_size);
}

static void pages_write(struct core *c, const Elf64_Shdr *sh)
{
    static const uint8_t zeroes[PAGE_SIZE];
    uint8_t page[PAGE_SIZE];

    for (size_t i = 0; i < c->nr_pages; i++)
        if (!xc_read_foreign(c->xc, c->domid, _mfn(c->hvm ? c->p2m[i].pfn : c->p2m[i].mfn), page) &&
            memcmp(page, zeroes, PAGE_SIZE))
            put(c, sh->sh_offset + i * PAGE_SIZE, page, PAGE_SIZE);
    if (c->file && !c->error && (fflush(c->file) || ftruncate(fileno(c->file), (off_t)(sh->sh_offset + sh->sh_size))))
        c->error = errno;
}

static void table_write(struct core *c, const Elf64_Shdr *sh)
{
    if (!c->hvm)
        section_write(c, sh, c->p2m);
    for (size_t i = 0; c->hvm && i < c->nr_pages; i++)
        put(c, sh->sh_offset + i * sizeof(uint64_t), &c->p2m[i].pfn, sizeof(uint64_t));
}

static void write_all(struct core *c)
{
    uint8_t shared_info[PAGE_SIZE] = { 0 };
    Elf64_Shdr sh[NR_SECTIONS];
    struct notes n;

    notes_fill(c, &n);
    if (!c->hvm)
        xc_read_foreign(c->xc, c->domid, _mfn(c->info.shared_info_frame), shared_info);
    headers_write(c, sh);
    section_write(c, &sh[SEC_STRINGS], names(c));
    section_write(c, &sh[SEC_NOTE], &n);
    section_write(c, &sh[SEC_PRSTATUS], c->contexts);
    table_write(c, &sh[SEC_P2M]);
    if (!c->hvm)
        section_write(c, &sh[SEC_SHARED_INFO], shared_info);
    pages_write(c, &sh[SEC_PAGES]);
}

/* `why` says more than c->error, if it could not be opened. */
static void file_write(struct core *c, const char *path, char *why, size_t len)
{
    const int fd = path ? user_file_create(path, why, len) : -1;

    c->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (path && !c->file)
        c->error = fd >= 0 ? errno : EINVAL;
    write_all(c);
    if (fd >= 0 && (c->file ? fclose(c->file) : close(fd)) && !c->error)
        c->error = errno;
    if (fd >= 0 && c->error)
        unlink(path);
}

int coredump_write(struct xc_handle *xc, domid_t domid, bool is64, const char *path, char err[COREDUMP_ERR_SIZE])
{
    struct core c = { .xc = xc, .domid = domid, .is64 = is64 };
    char why[128] = "";
    int rc = xc_domain_getinfo(xc, domid, &c.info);

    c.hvm = c.info.flags & XEN_DOMINF_hvm_guest;
    c.is64 |= c.hvm; /* so Xen has their contexts, whatever the kernel is */
    if (!rc)
        rc = contexts_collect(&c);
    if (!rc) {
        c.p2m = calloc(c.info.tot_pages + DOMAIN_PAGES_EXTRA, sizeof(*c.p2m));
        rc = c.p2m ? domain_pages(xc, domid, c.info.tot_pages + DOMAIN_PAGES_EXTRA, c.p2m, &c.nr_pages) : -ENOMEM;
    }
    if (!rc) {
        file_write(&c, path, why, sizeof(why));
        rc = -c.error;
    }
    free(c.contexts);
    free(c.p2m);
    if (rc)
        snprintf(err, COREDUMP_ERR_SIZE, "%.200s: %s", path ? path : "nowhere", why[0] ? why : strerror(-rc));
    return rc ? -1 : 0;
}
