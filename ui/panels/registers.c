// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `registers`: the vCPU's, and beside what is really loaded what the guest believes it is.
 *
 * Concept: a PV kernel sees control registers that are not the processor's: it reads its own from what Xen keeps for
 * it. A column of its own has that where there is such a thing, beside the value, where narrow panels have it too; what
 * the value's bits mean is behind it.
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "register" }, { .title = "value" }, { .title = "believed" }, { .title = "meaning" }
};

static const char *const gpr_names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

struct bit_name {
    unsigned int bit;
    const char *name;
};

static const struct bit_name rflags_bits[] = { { 0, "CF" },  { 2, "PF" },  { 4, "AF" },  { 6, "ZF" },  { 7, "SF" },
                                               { 8, "TF" },  { 9, "IF" },  { 10, "DF" }, { 11, "OF" }, { 14, "NT" },
                                               { 16, "RF" }, { 18, "AC" }, { 21, "ID" }, { 0, NULL } };
static const struct bit_name cr0_bits[] = { { 31, "PG" }, { 18, "AM" }, { 16, "WP" }, { 5, "NE" }, { 4, "ET" },
                                            { 3, "TS" },  { 2, "EM" },  { 1, "MP" },  { 0, "PE" }, { 0, NULL } };
static const struct bit_name cr4_bits[] = {
    { 21, "SMAP" }, { 20, "SMEP" }, { 18, "OSXSAVE" }, { 16, "FSGSBASE" }, { 10, "OSXMMEXCPT" }, { 9, "OSFXSR" },
    { 8, "PCE" },   { 7, "PGE" },   { 6, "MCE" },      { 5, "PAE" },       { 4, "PSE" },         { 3, "DE" },
    { 2, "TSD" },   { 1, "PVI" },   { 0, "VME" },      { 0, NULL }
};

/* "CF ZF IF", those that are set. */
static const char *bits_text(const struct bit_name *bits, uint64_t value, char text[96])
{
    size_t n = 0;

    text[0] = '\0';
    for (; bits->name; bits++)
        if (value >> bits->bit & 1)
            n += (size_t)snprintf(text + n, 96 - n, "%s%s", n ? " " : "", bits->name);
    return text;
}

static void reg_take(struct table *t, struct debug *g, const struct scene *s, const char *name, uint64_t value)
{
    struct table_row *row = table_row(t, "%s", name);
    char symbol[LOOK_SYMBOL];

    look_symbol(g->host, s->dom, value, symbol);
    table_cell(t, row, "%s", name);
    table_cell(t, row, "%016" PRIx64, value);
    table_cell(t, row, "%s", "");
    table_cell(t, row, "%s", symbol[0] ? symbol + 1 : "");
    table_ask(t, row, "why %%%s", name);
}

/* A segment; base 0 is said only of FS and GS, whose base counts in all modes. */
static void segment_take(struct table *t, const struct scene *s, unsigned int seg, const char *name)
{
    const struct cpu_segment *r = &s->v.regs.seg[seg];
    struct table_row *row = table_row(t, "%s", name);

    table_cell(t, row, "%s", name);
    table_cell(t, row, "%04x", r->sel);
    table_cell(t, row, "%s", "");
    table_cell(t, row, seg == CPU_SEG_FS || seg == CPU_SEG_GS || r->base ? "ring %u, base %" PRIx64 : "ring %u",
               r->sel & 3u, r->base);
    table_ask(t, row, "why %%%s", name);
}

/* A control register: what the processor has, and what the guest is told. */
static void control_take(struct table *t, const char *name, uint64_t value, const char *meaning, uint64_t believed)
{
    struct table_row *row = table_row(t, "%s", name);

    table_cell(t, row, "%s", name);
    table_cell(t, row, "%016" PRIx64, value);
    if (believed == value)
        table_cell(t, row, "the same");
    else
        table_cell(t, row, "%" PRIx64, believed);
    table_cell(t, row, "%s", meaning);
    table_ask(t, row, "why %%%s", name);
}

static void controls_take(struct table *t, const struct scene *s)
{
    const bool own = s->v.works; /* an HVM guest has what it has set */
    const uint64_t cr0 = own ? s->v.regs.cr0 : PV_CR0_FIXED | (s->v.regs.cr0 & PV_CR0_OWN);
    const uint64_t cr4 = own ? s->v.regs.cr4 : PV_CR4_FIXED | (s->v.regs.cr4 & PV_CR4_OWN);
    char text[96];

    control_take(t, "cr0", cr0, bits_text(cr0_bits, cr0, text), s->v.cr[0]);
    control_take(t, "cr2", s->v.regs.cr2, "the last page fault", s->v.cr[2]);
    control_take(t, "cr3", s->v.regs.cr3, "the root that is loaded", s->v.cr[3]);
    control_take(t, "cr4", cr4, bits_text(cr4_bits, cr4, text), s->v.cr[4]);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    static const uint8_t order[16] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };
    struct table_row *row;
    char flags[96];

    if (!s->has_vcpu || s->v.native)
        return;
    reg_take(t, g, s, "rip", s->v.regs.rip);
    for (unsigned int i = 0; i < 16; i++)
        reg_take(t, g, s, gpr_names[order[i]], s->v.regs.gpr[order[i]]);
    row = table_row(t, "rflags");
    table_cell(t, row, "rflags");
    table_cell(t, row, "%016" PRIx64, s->v.regs.rflags);
    table_cell(t, row, "IOPL %u", s->v.iopl);
    table_cell(t, row, "%s", bits_text(rflags_bits, s->v.regs.rflags, flags));
    table_ask(t, row, "why %%rflags");
    row = table_row(t, "mode");
    table_cell(t, row, "mode");
    table_cell(t, row, "CPL %u", s->v.regs.cpl);
    table_cell(t, row, "%s", s->v.mode);
    if (s->v.works)
        table_cell(t, row, "%s", s->v.works);
    else
        table_cell(t, row, "%s root is loaded", s->v.root);
    table_ask(t, row, "why %%cpl");
    segment_take(t, s, CPU_SEG_CS, "cs");
    segment_take(t, s, CPU_SEG_SS, "ss");
    segment_take(t, s, CPU_SEG_DS, "ds");
    segment_take(t, s, CPU_SEG_ES, "es");
    segment_take(t, s, CPU_SEG_FS, "fs");
    segment_take(t, s, CPU_SEG_GS, "gs");
    controls_take(t, s);
}

const struct panel_ops panel_registers = { .name = "registers",
                                           .help = "the vCPU's registers, and what the guest believes them to be",
                                           .empty = "there are no registers: a native vCPU, or none",
                                           .column = columns,
                                           .nr_columns = ARRAY_SIZE(columns),
                                           .take = take };
