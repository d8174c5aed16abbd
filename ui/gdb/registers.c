// SPDX-License-Identifier: GPL-2.0-or-later
/* gdb's registers as a table, see ui/gdb/registers.h. */
#include "ui/gdb/registers.h"

#include "sim/insn.h"

#include <string.h>

#define X87_AT   32  /* in the image of FXSAVE: registers of the x87, 16 bytes each, */
#define XMM_AT   160 /* those of SSE, */
#define MXCSR_AT 24

enum reg_kind {
    REG_STATE, /* at an offset in struct cpu_state */
    REG_PC,    /* the instruction's linear address, by which gdb finds its breakpoints again */
    REG_X87,   /* arg: which */
    REG_X87_CONTROL,
    REG_XMM,
    REG_MXCSR,
    REG_GUEST_CR,
    REG_MODE,
    REG_IOPL,
};

struct reg {
    const char *name, *type;
    unsigned int size; /* bytes */
    enum reg_kind kind;
    unsigned int arg;
    const char *settable;
};

#define STATE(field) offsetof(struct cpu_state, field)
#define GPR(name)                                                                                                      \
    {                                                                                                                  \
#name, "int64", 8, REG_STATE, STATE(name), #name                                                               \
    }
#define GPR_LOW(name, whole)                                                                                           \
    {                                                                                                                  \
#name, "int32", 4, REG_STATE, STATE(whole), #whole                                                             \
    }
#define SEL(name, n)                                                                                                   \
    {                                                                                                                  \
        name, "int32", 2, REG_STATE, STATE(seg) + (n) * sizeof(struct cpu_segment), NULL                               \
    }
#define BASE(name, n)                                                                                                  \
    {                                                                                                                  \
        name, "int64", 8, REG_STATE,                                                                                   \
            STATE(seg) + (n) * sizeof(struct cpu_segment) + offsetof(struct cpu_segment, base), name                   \
    }
#define X87(n)                                                                                                         \
    {                                                                                                                  \
        "st" #n, "i387_ext", 10, REG_X87, n, NULL                                                                      \
    }
#define FPU(n, i)                                                                                                      \
    {                                                                                                                  \
        n, "int", 4, REG_X87_CONTROL, i, NULL                                                                          \
    }
#define XMM(n)                                                                                                         \
    {                                                                                                                  \
        "xmm" #n, "vec128", 16, REG_XMM, n, NULL                                                                       \
    }
#define FEATURE                                                                                                        \
    {                                                                                                                  \
        NULL, NULL, 0, REG_STATE, 0, NULL                                                                              \
    } /* the next one begins */

/* clang-format off */
#define SEGMENTS_AND_X87                                                                                               \
    SEL("cs", CPU_SEG_CS), SEL("ss", CPU_SEG_SS), SEL("ds", CPU_SEG_DS), SEL("es", CPU_SEG_ES), SEL("fs", CPU_SEG_FS), \
    SEL("gs", CPU_SEG_GS), X87(0), X87(1), X87(2), X87(3), X87(4), X87(5), X87(6), X87(7), FPU("fctrl", 0),            \
    FPU("fstat", 1), FPU("ftag", 2), FPU("fiseg", 3), FPU("fioff", 4), FPU("foseg", 5), FPU("fooff", 6), FPU("fop", 7)
/* clang-format on */

/* All features but the last are gdb's, and so are their names and order. */
/* clang-format off */
static const struct reg table_64[] = {
    GPR(rax), GPR(rbx), GPR(rcx), GPR(rdx), GPR(rsi), GPR(rdi), GPR(rbp), GPR(rsp), GPR(r8), GPR(r9), GPR(r10),
    GPR(r11), GPR(r12), GPR(r13), GPR(r14), GPR(r15), { "rip", "code_ptr", 8, REG_PC, 0, "rip" },
    { "eflags", "flags", 4, REG_STATE, STATE(rflags), "rflags" },
    SEGMENTS_AND_X87,
    FEATURE,
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13),
    XMM(14), XMM(15), { "mxcsr", "int", 4, REG_MXCSR, 0, NULL },
    FEATURE,
    BASE("fs_base", CPU_SEG_FS), BASE("gs_base", CPU_SEG_GS),
    FEATURE,
    { "cr0", "cr0", 8, REG_STATE, STATE(cr0), NULL }, { "cr2", "data_ptr", 8, REG_STATE, STATE(cr2), NULL },
    { "cr3", "int64", 8, REG_STATE, STATE(cr3), NULL }, { "cr4", "cr4", 8, REG_STATE, STATE(cr4), NULL },
    { "efer", "efer", 8, REG_STATE, STATE(efer), NULL },
    { "k_gs_base", "data_ptr", 8, REG_STATE, STATE(kernel_gs_base), NULL },
    { "guest_cr0", "cr0", 8, REG_GUEST_CR, 0, NULL }, { "guest_cr2", "data_ptr", 8, REG_GUEST_CR, 2, NULL },
    { "guest_cr3", "int64", 8, REG_GUEST_CR, 3, NULL }, { "guest_cr4", "cr4", 8, REG_GUEST_CR, 4, NULL },
    { "mode", "mode", 4, REG_MODE, 0, NULL }, { "iopl", "int", 4, REG_IOPL, 0, NULL },
};

static const struct reg table_32[] = {
    GPR_LOW(eax, rax), GPR_LOW(ecx, rcx), GPR_LOW(edx, rdx), GPR_LOW(ebx, rbx), GPR_LOW(esp, rsp), GPR_LOW(ebp, rbp),
    GPR_LOW(esi, rsi), GPR_LOW(edi, rdi), { "eip", "code_ptr", 4, REG_PC, 0, "rip" },
    { "eflags", "flags", 4, REG_STATE, STATE(rflags), "rflags" },
    SEGMENTS_AND_X87,
    FEATURE,
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), { "mxcsr", "int", 4, REG_MXCSR, 0, NULL },
    FEATURE,
    { "cr0", "cr0", 8, REG_STATE, STATE(cr0), NULL }, { "cr2", "data_ptr", 4, REG_STATE, STATE(cr2), NULL },
    { "cr3", "int64", 8, REG_STATE, STATE(cr3), NULL }, { "cr4", "cr4", 8, REG_STATE, STATE(cr4), NULL },
    { "efer", "efer", 8, REG_STATE, STATE(efer), NULL },
    { "guest_cr0", "cr0", 8, REG_GUEST_CR, 0, NULL }, { "guest_cr2", "data_ptr", 4, REG_GUEST_CR, 2, NULL },
    { "guest_cr3", "int64", 8, REG_GUEST_CR, 3, NULL }, { "guest_cr4", "cr4", 8, REG_GUEST_CR, 4, NULL },
    { "mode", "mode", 4, REG_MODE, 0, NULL }, { "iopl", "int", 4, REG_IOPL, 0, NULL },
};

struct flag {
    const char *name;
    unsigned int bit;
};

static const struct flag eflags[] = {
    { "CF", 0 }, { "", 1 }, { "PF", 2 }, { "AF", 4 }, { "ZF", 6 }, { "SF", 7 }, { "TF", 8 }, { "IF", 9 }, { "DF", 10 },
    { "OF", 11 }, { "NT", 14 }, { "RF", 16 }, { "VM", 17 }, { "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 },
    { NULL, 0 }
};
static const struct flag cr0[] = {
    { "PE", 0 }, { "MP", 1 }, { "EM", 2 }, { "TS", 3 }, { "ET", 4 }, { "NE", 5 }, { "WP", 16 }, { "AM", 18 },
    { "NW", 29 }, { "CD", 30 }, { "PG", 31 }, { NULL, 0 }
};
static const struct flag cr4[] = {
    { "VME", 0 }, { "PVI", 1 }, { "TSD", 2 }, { "DE", 3 }, { "PSE", 4 }, { "PAE", 5 }, { "MCE", 6 }, { "PGE", 7 },
    { "PCE", 8 }, { "OSFXSR", 9 }, { "OSXMMEXCPT", 10 }, { "UMIP", 11 }, { "FSGSBASE", 16 }, { "PCIDE", 17 },
    { "OSXSAVE", 18 }, { "SMEP", 20 }, { "SMAP", 21 }, { NULL, 0 }
};
static const struct flag efer[] = {
    { "SCE", 0 }, { "LME", 8 }, { "LMA", 10 }, { "NXE", 11 }, { "SVME", 12 }, { NULL, 0 }
};
/* clang-format on */

static const struct layout {
    const char *name, *architecture; /* ours, gdb's */
    const struct reg *table;
    size_t nr;
    const char *features[4];
} layouts[] = {
    [GDB_LAYOUT_64] = { "x86-64",
                        "i386:x86-64",
                        table_64,
                        ARRAY_SIZE(table_64),
                        { "org.gnu.gdb.i386.core", "org.gnu.gdb.i386.sse", "org.gnu.gdb.i386.segments",
                          "org.xenlab.x86.system" } },
    [GDB_LAYOUT_32] = { "i386",
                        "i386",
                        table_32,
                        ARRAY_SIZE(table_32),
                        { "org.gnu.gdb.i386.core", "org.gnu.gdb.i386.sse", "org.xenlab.x86.system" } },
    [GDB_LAYOUT_16] = { "i8086",
                        "i8086",
                        table_32,
                        ARRAY_SIZE(table_32),
                        { "org.gnu.gdb.i386.core", "org.gnu.gdb.i386.sse", "org.xenlab.x86.system" } },
};

const char *gdb_layout_name(enum gdb_layout l) { return layouts[l].name; }

enum gdb_layout gdb_layout_find(const char *name)
{
    enum gdb_layout l = 0;

    while (l < GDB_LAYOUTS && strcmp(layouts[l].name, name) != 0)
        l++;
    return l;
}

enum gdb_layout gdb_layout_of(struct host *h, domid_t dom)
{
    struct look_domain d;
    const int guest = host_guest_index(h, dom);
    unsigned int n = dom;

    if (!look_domain(h, &n, &d) || d.dom != dom)
        return GDB_LAYOUT_64;
    if (!strcmp(d.type, "pv32") || (guest >= 0 && host_hvm_kernel_is_32(h, (unsigned int)guest)))
        return GDB_LAYOUT_32;
    return GDB_LAYOUT_64;
}

/* --- the XML file --- */

static void flags_put(struct bytes *xml, const char *id, unsigned int size, const struct flag *f)
{
    bytes_text(xml, "<flags id=\"%s\" size=\"%u\">", id, size);
    for (; f->name; f++)
        bytes_text(xml, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", f->name, f->bit, f->bit);
    bytes_text(xml, "</flags>");
}

static void feature_put(struct bytes *xml, const char *name)
{
    bytes_text(xml, "<feature name=\"%s\">", name);
    if (!strcmp(name, "org.gnu.gdb.i386.core"))
        flags_put(xml, "flags", 4, eflags);
    if (!strcmp(name, "org.gnu.gdb.i386.sse"))
        bytes_text(xml, "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
                        "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
                        "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
                        "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
                        "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
                        "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/><union id=\"vec128\">"
                        "<field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
                        "<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
                        "<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
                        "<field name=\"uint128\" type=\"uint128\"/></union>");
    if (!strcmp(name, "org.xenlab.x86.system")) {
        flags_put(xml, "cr0", 8, cr0);
        flags_put(xml, "cr4", 8, cr4);
        flags_put(xml, "efer", 8, efer);
        bytes_text(xml, "<enum id=\"mode\" size=\"4\"><evalue name=\"kernel\" value=\"0\"/>"
                        "<evalue name=\"user\" value=\"1\"/></enum>");
    }
}

static unsigned int size_told(const struct reg *r) { return r->size == 2 ? 4 : r->size; }

void gdb_registers_xml(enum gdb_layout l, struct bytes *xml)
{
    const struct layout *all = &layouts[l];
    const char *const *feature = all->features;

    bytes_text(xml,
               "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
               "<architecture>%s</architecture>",
               all->architecture);
    feature_put(xml, *feature);
    for (size_t i = 0; i < all->nr; i++) {
        const struct reg *r = &all->table[i];

        if (r->name) {
            bytes_text(xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", r->name, 8 * size_told(r), r->type);
            continue;
        }
        bytes_text(xml, "</feature>");
        feature_put(xml, *++feature);
    }
    bytes_text(xml, "</feature></target>");
}

/* --- values --- */

static const struct reg *reg_at(enum gdb_layout l, unsigned int n)
{
    for (size_t i = 0; i < layouts[l].nr; i++)
        if (layouts[l].table[i].name && !n--)
            return &layouts[l].table[i];
    return NULL;
}

unsigned int gdb_registers_nr(enum gdb_layout l)
{
    unsigned int n = 0;

    while (reg_at(l, n))
        n++;
    return n;
}

/* Two bits a register: a number, zero, something else, nothing. FXSAVE has a bit, whether there is any. */
static uint16_t tags_whole(const uint8_t *fx)
{
    const unsigned int top = fx[3] >> 3 & 7;
    uint16_t tags = 0;

    for (unsigned int phys = 0; phys < 8; phys++) {
        const uint8_t *st = fx + X87_AT + 16 * ((phys - top) & 7);
        const unsigned int exponent = (st[8] | st[9] << 8) & 0x7fff;
        uint64_t fraction;
        unsigned int tag;

        memcpy(&fraction, st, sizeof(fraction));
        tag = !exponent && !fraction ? 1 : !exponent || exponent == 0x7fff || !(fraction >> 63) ? 2 : 0;
        tags = (uint16_t)(tags | (fx[4] >> phys & 1 ? tag : 3) << 2 * phys);
    }
    return tags;
}

static uint32_t x87_control(const struct cpu_state *s, unsigned int n)
{
    uint16_t w[12];
    uint32_t ip, dp;

    memcpy(w, s->fxsave, sizeof(w));
    memcpy(&ip, s->fxsave + 8, sizeof(ip));
    memcpy(&dp, s->fxsave + 16, sizeof(dp));
    return (const uint32_t[]){ w[0], w[1], tags_whole(s->fxsave), s->fpu_cs, ip, s->fpu_ds, dp, w[3] & 0x7ffu }[n];
}

size_t gdb_register(enum gdb_layout l, const struct look_vcpu *v, unsigned int n, uint8_t bytes[GDB_REG_MAX])
{
    const struct reg *r = reg_at(l, n);
    const struct cpu_state *s = &v->regs;
    uint64_t linear;
    uint32_t word = 0;

    if (!r)
        return 0;
    memset(bytes, 0, GDB_REG_MAX);
    switch (r->kind) {
    case REG_STATE: memcpy(bytes, (const uint8_t *)s + r->arg, r->size); return size_told(r);
    case REG_PC:
        linear = insn_linear_rip(s);
        memcpy(bytes, &linear, r->size);
        return r->size;
    case REG_X87: memcpy(bytes, s->fxsave + X87_AT + 16 * r->arg, r->size); return r->size;
    case REG_XMM: memcpy(bytes, s->fxsave + XMM_AT + 16 * r->arg, r->size); return r->size;
    case REG_MXCSR: memcpy(bytes, s->fxsave + MXCSR_AT, r->size); return r->size;
    case REG_GUEST_CR: memcpy(bytes, &v->cr[r->arg], r->size); return r->size;
    case REG_X87_CONTROL: word = x87_control(s, r->arg); break;
    case REG_MODE: word = v->mode && (!strcmp(v->mode, "user") || !strcmp(v->mode, "hvm3")); break;
    case REG_IOPL: word = v->iopl; break;
    }
    memcpy(bytes, &word, r->size);
    return r->size;
}

uint64_t gdb_register_base(const struct look_vcpu *v, const char *settable)
{
    return strcmp(settable, "rip") ? 0 : insn_linear_rip(&v->regs) - v->regs.rip;
}

const char *gdb_register_settable(enum gdb_layout l, unsigned int n)
{
    const struct reg *r = reg_at(l, n);

    return r ? r->settable : NULL;
}
