// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvm_start_info, as bytes. See start_info.h for the whole.
 */
#include "tools/build/start_info.h"

#include <assert.h>
#include <string.h>

/* Offsets from the beginning. */
struct offsets {
    size_t cmdline, modules, module_cmdlines, memmap, end;
};

static struct offsets offsets_of(const struct start_info_parts *s)
{
    struct offsets o = { .cmdline = sizeof(struct hvm_start_info) };

    o.modules = o.cmdline + (s->cmdline ? (strlen(s->cmdline) + 8) & ~(size_t)7 : 0);
    o.module_cmdlines = o.modules + START_INFO_MODULES * sizeof(struct hvm_modlist_entry);
    o.memmap = o.module_cmdlines + START_INFO_MODULES * START_INFO_MODULE_CMDLINE_SIZE;
    o.end = o.memmap + s->nr_memmap * sizeof(*s->memmap);
    return o;
}

size_t start_info_size(const struct start_info_parts *s) { return offsets_of(s).end; }

void start_info_write(const struct start_info_parts *s, uint64_t at, uint8_t *bytes)
{
    const struct offsets o = offsets_of(s);
    const struct hvm_start_info info = {
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .nr_modules = s->nr_modules,
        .modlist_paddr = s->nr_modules ? at + o.modules : 0,
        .cmdline_paddr = s->cmdline ? at + o.cmdline : 0,
        .rsdp_paddr = s->rsdp,
        .memmap_paddr = at + o.memmap,
        .memmap_entries = s->nr_memmap,
    };

    assert(s->nr_modules <= START_INFO_MODULES);
    memset(bytes, 0, o.end);
    memcpy(bytes, &info, sizeof(info));
    if (s->cmdline)
        strcpy((char *)bytes + o.cmdline, s->cmdline);
    for (unsigned int i = 0; i < s->nr_modules; i++) {
        const struct start_info_module *m = &s->modules[i];
        const size_t line = o.module_cmdlines + i * START_INFO_MODULE_CMDLINE_SIZE;
        const struct hvm_modlist_entry entry = { .paddr = m->at,
                                                 .size = m->size,
                                                 .cmdline_paddr = m->cmdline ? at + line : 0 };

        memcpy(bytes + o.modules + i * sizeof(entry), &entry, sizeof(entry));
        if (m->cmdline)
            memcpy(bytes + line, m->cmdline, strnlen(m->cmdline, START_INFO_MODULE_CMDLINE_SIZE - 1));
    }
    if (s->nr_memmap)
        memcpy(bytes + o.memmap, s->memmap, s->nr_memmap * sizeof(*s->memmap));
}
