// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `code`: instructions around the one that is next. See ui/panels/panel.h. */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <string.h>

#define BEFORE     96   /* bytes of code before it that are shown at most */
#define AFTER      40   /* instructions */
#define SYMBOL_MAX 4096 /* bytes from a symbol on that are read to find where instructions begin */

static const struct table_column columns[] = { { .title = "address", .lasting = true },
                                               { .title = "symbol", .lasting = true },
                                               { .title = "instruction", .lasting = true },
                                               { .title = "source", .lasting = true } };

/* One instruction; its length, 0: there is none. */
static unsigned int row_take(struct table *t, struct debug *g, const struct scene *s, uint64_t addr)
{
    const struct image *img = host_guest_image(g->host, s->dom);
    char text[96], symbol[LOOK_SYMBOL], source[SOURCE_TEXT];
    const unsigned int len = look_insn(g->host, s->dom, s->vcpu, addr, text);
    struct table_row *row = len ? table_row(t, "%" PRIx64, addr) : NULL;
    size_t n;

    look_symbol(g->host, s->dom, addr, symbol);
    n = strlen(symbol);
    table_cell(t, row, "%" PRIx64, addr);
    table_cell(t, row, "%.*s", n > 3 ? (int)n - 3 : 0, n > 3 ? symbol + 2 : "");
    table_cell(t, row, "%s", text);
    if (img && source_line(&g->sources, img, addr, source))
        table_cell(t, row, "%s", source);
    if (addr == s->v.pc)
        table_ask(t, row, "why");
    else
        table_ask(t, row, "why 0x%" PRIx64, addr);
    if (row)
        row->here = addr == s->v.pc;
    return len;
}

/* Does code that begins at addr come out at rip? *first: its first instruction that is shown. */
static bool leads_here(struct debug *g, const struct scene *s, uint64_t addr, uint64_t *first)
{
    const uint64_t rip = s->v.pc;
    char text[96];

    *first = rip;
    while (addr < rip) {
        const unsigned int len = look_insn(g->host, s->dom, s->vcpu, addr, text);

        if (!len)
            return false;
        if (*first == rip && rip - addr <= BEFORE)
            *first = addr;
        addr += len;
    }
    return addr == rip;
}

/* Code has no way back: it is read from the symbol's beginning, or else from a few bytes before. */
static uint64_t begin_before(struct debug *g, const struct scene *s)
{
    const struct image *img = host_guest_image(g->host, s->dom);
    const uint64_t rip = s->v.pc;
    uint64_t offset, first;

    if (img && image_symbol_lookup(img, rip, &offset) && offset <= SYMBOL_MAX && leads_here(g, s, rip - offset, &first))
        return first;
    for (uint64_t back = BEFORE < rip ? BEFORE : rip; back; back--)
        if (leads_here(g, s, rip - back, &first))
            return first;
    return rip;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const struct image *img;
    char source[SOURCE_TEXT];
    uint64_t addr;

    if (!s->has_vcpu || s->v.native)
        return;
    /* Of the instruction that is next, behind the title as well: the column is cut off where there is little room. */
    img = host_guest_image(g->host, s->dom);
    if (img && source_line(&g->sources, img, s->v.pc, source))
        snprintf(t->note, sizeof(t->note), "%s", source);
    addr = begin_before(g, s);
    for (unsigned int after = 0, len; after<AFTER; after += addr> s->v.pc) {
        len = row_take(t, g, s, addr);
        if (!len)
            break;
        addr += len;
    }
}

const struct panel_ops panel_code = { .name = "code",
                                      .help = "instructions around the one that is next",
                                      .empty = "there is no code: a native vCPU, or none",
                                      .column = columns,
                                      .nr_columns = ARRAY_SIZE(columns),
                                      .take = take,
                                      .is_line = true };
