// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the debugger that show something: see ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- values --- */

void debug_print(struct debug *g, const char *args, unsigned long count)
{
    struct debug_value v;
    char symbol[96];

    if (!*args)
        debug_fail(g, "arguments",
                   "print what? A number, %%REG, a symbol, a field, u64[ADDR], and what C makes of them");
    if (!*args || !debug_value(g, args, &v))
        return;
    look_symbol(g->host, v.who.dom, v.value.u, symbol);
    say_begin(&g->say, "value");
    if (v.truth) {
        say_bool(&g->say, "value", v.value.u);
        say(&g->say, v.value.u ? "true" : "false");
    } else {
        say_field(&g->say, "value", "0x%" PRIx64, v.value.u);
        say_symbol(g, symbol);
        say(&g->say, v.value.is_signed ? "0x%" PRIx64 " = %" PRId64 "%s" : "0x%" PRIx64 " = %" PRIu64 "%s", v.value.u,
            v.value.u, symbol);
    }
    say_end(&g->say);
}

/* --- memory --- */

/* x/NF ADDR: N units of b, h, w, g bytes. */
void debug_examine(struct debug *g, const char *args, unsigned long ignored)
{
    char *end;
    const unsigned long n =
        isdigit((unsigned char)*args) ? strtoul(args, &end, 10) : (end = (char *)(uintptr_t)args, 1);
    const char *units = "bhwg", *unit = *end ? strchr(units, *end) : NULL;
    const size_t size = unit ? (size_t)1 << (unit - units) : 8;
    struct debug_addr a;

    end += unit != NULL;
    if (*end != ' ' || !n || n > 4096) {
        debug_fail(g, "arguments", "x/NF ADDR: N units, up to 4096, of F: b, h, w or g (1, 2, 4, 8 bytes)");
        return;
    }
    if (!debug_address(g, end + strspn(end, " "), &a))
        return;
    for (unsigned long i = 0; i < n; i++) {
        uint64_t value = 0;

        if (look_read(g->host, a.dom, a.vcpu, a.space, a.addr + i * size, &value, size) != size) {
            debug_fail(g, "memory", "0x%" PRIx64 ": there is no memory", a.addr + i * size);
            return;
        }
        say_begin(&g->say, "memory");
        say_field(&g->say, "addr", "0x%" PRIx64, a.addr + i * size);
        say_field(&g->say, "value", "0x%0*" PRIx64, (int)size * 2, value);
        say(&g->say, "0x%" PRIx64 ": 0x%0*" PRIx64, a.addr + i * size, (int)size * 2, value);
        say_end(&g->say);
    }
}

void debug_disas(struct debug *g, const char *args, unsigned long ignored)
{
    struct look_vcpu v;
    struct debug_addr a = { .dom = g->dbg.dom, .vcpu = g->dbg.vcpu };
    const char *space = strrchr(args, ' ');
    unsigned long n = 8;
    char addr[1024];

    if (space && isdigit((unsigned char)space[1]) && !space[1 + strspn(space + 1, "0123456789")])
        n = strtoul(space + 1, NULL, 10);
    else
        space = NULL;
    if (n > 4096) {
        debug_fail(g, "arguments", "disas ADDR N: up to 4096 instructions");
        return;
    }
    snprintf(addr, sizeof(addr), "%.*s", space ? (int)(space - args) : (int)strlen(args), args);
    if (*addr && !debug_address(g, addr, &a))
        return;
    if (!look_vcpu(g->host, a.dom, a.vcpu, &v) || v.native) {
        debug_fail(g, "vcpu", "d%uv%u has no code", a.dom, a.vcpu);
        return;
    }
    if (!*addr)
        a.addr = v.pc;
    for (unsigned long i = 0; i < n; i++) {
        char text[96], symbol[96];
        const unsigned int len = look_insn(g->host, a.dom, a.vcpu, a.addr, text);

        if (!len) {
            debug_fail(g, "memory", "0x%" PRIx64 ": there is no instruction", a.addr);
            return;
        }
        look_symbol(g->host, a.dom, a.addr, symbol);
        say_begin(&g->say, "insn");
        say_field(&g->say, "addr", "0x%" PRIx64, a.addr);
        say_field(&g->say, "text", "%s", text);
        say(&g->say, "%s 0x%" PRIx64 "%s: %s", a.addr == v.pc ? ">" : " ", a.addr, symbol, text);
        say_end(&g->say);
        a.addr += len;
    }
}

void debug_frame(struct debug *g, const char *args, unsigned long ignored)
{
    struct look_frame f;
    struct debug_value v;
    uint64_t mfn;

    if (!debug_value(g, args, &v))
        return;
    mfn = v.value.u;
    if (!look_frame(g->host, _mfn(mfn), &f)) {
        debug_fail(g, "frame", "there is no machine frame 0x%" PRIx64, mfn);
        return;
    }
    say_begin(&g->say, "frame");
    say_field(&g->say, "mfn", "0x%" PRIx64, mfn);
    say_field(&g->say, "type", "%s", f.free ? "free" : f.type);
    say_number(&g->say, "type_count", f.type_count);
    say_number(&g->say, "count", f.count);
    if (f.owner != DOMID_INVALID)
        say_number(&g->say, "owner", f.owner);
    say(&g->say, "mfn 0x%" PRIx64 ": ", mfn);
    if (f.free)
        say(&g->say, "free");
    else if (f.owner == DOMID_INVALID)
        say(&g->say, "the hypervisor's");
    else
        say(&g->say, "of d%u, type %s:%" PRIu64 "%s%s, references %" PRIu64, f.owner, f.type, f.type_count,
            f.pinned ? " pinned" : "", f.validated ? " validated" : "", f.count);
    if (!f.free && f.gfn != UINT64_MAX)
        say(&g->say, ", gfn 0x%" PRIx64, f.gfn);
    say_end(&g->say);
}

/* --- vCPUs and domains --- */

static const char *const reg_names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

void debug_regs(struct debug *g, const char *args, unsigned long ignored)
{
    static const uint8_t order[16] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };
    struct look_vcpu v;

    if (!look_vcpu(g->host, g->dbg.dom, g->dbg.vcpu, &v) || v.native) {
        debug_fail(g, "vcpu", "d%uv%u has no registers", g->dbg.dom, g->dbg.vcpu);
        return;
    }
    say_begin(&g->say, "regs");
    for (unsigned int i = 0; i < 16; i++) {
        say_field(&g->say, reg_names[order[i]], "0x%" PRIx64, v.regs.gpr[order[i]]);
        say(&g->say, "%-3s %016" PRIx64 "%s", reg_names[order[i]], v.regs.gpr[order[i]], i % 4 == 3 ? "\n" : "  ");
    }
    say_field(&g->say, "rip", "0x%" PRIx64, v.regs.rip);
    say_field(&g->say, "rflags", "0x%" PRIx64, v.regs.rflags);
    say_field(&g->say, "cs", "0x%x", v.regs.seg[CPU_SEG_CS].sel);
    say_field(&g->say, "cr3", "0x%" PRIx64, v.regs.cr3);
    say_number(&g->say, "cpl", v.regs.cpl);
    say(&g->say, "rip %016" PRIx64 "  rflags %08" PRIx64 "  cs %04x cpl %u  %s, %s%s, IOPL %u\n", v.regs.rip,
        v.regs.rflags, v.regs.seg[CPU_SEG_CS].sel, v.regs.cpl, v.mode, v.works ?: v.root, v.works ? "" : " root",
        v.iopl);
    say(&g->say,
        "cr0 %08" PRIx64 "  cr2 %016" PRIx64 "  cr3 %08" PRIx64 "  cr4 %08" PRIx64 "  fs %" PRIx64 "  gs %" PRIx64,
        v.cr[0], v.cr[2], v.regs.cr3, v.cr[4], v.regs.seg[CPU_SEG_FS].base, v.regs.seg[CPU_SEG_GS].base);
    say_end(&g->say);
}

/* The one behind this one, in the order in which they are listed; behind the last one the first. */
static void vcpu_next(struct debug *g)
{
    const struct debugger was = g->dbg;
    bool passed = false, first = true;
    struct look_domain d;

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        for (unsigned int i = 0; i < d.vcpus; i++) {
            if (first || passed) {
                g->dbg.dom = d.dom;
                g->dbg.vcpu = i;
            }
            if (passed)
                return;
            first = false;
            passed = d.dom == was.dom && i == was.vcpu;
        }
}

/* The one before: behind which this one comes. */
static void vcpu_previous(struct debug *g)
{
    const struct debugger here = g->dbg;
    struct debugger before;
    unsigned int n = 0;

    do {
        before = g->dbg;
        vcpu_next(g);
    } while ((g->dbg.dom != here.dom || g->dbg.vcpu != here.vcpu) && n++ < DOMID_FIRST_RESERVED);
    g->dbg.dom = before.dom;
    g->dbg.vcpu = before.vcpu;
}

bool debug_vcpu_named(struct debug *g, const char *text, domid_t *dom, unsigned int *vcpu)
{
    unsigned int d, v = 0;
    struct look_vcpu there;
    int domain = 0, all = 0;

    if (sscanf(text, "d%5u%nv%4u%n", &d, &domain, &v, &all) < 1 || d >= DOMID_FIRST_RESERVED ||
        text[all ? all : domain]) {
        debug_fail(g, "arguments", "vcpu dN or dNvM, not \"%s\" (see: vcpus)", text);
        return false;
    }
    if (!look_vcpu(g->host, (domid_t)d, v, &there)) {
        debug_fail(g, "vcpu", "there is no d%uv%u (see: vcpus)", d, v);
        return false;
    }
    *dom = (domid_t)d;
    *vcpu = v;
    return true;
}

void debug_vcpu(struct debug *g, const char *args, unsigned long ignored)
{
    if (!strcmp(args, "next") || !strcmp(args, "previous")) {
        if (args[0] == 'n')
            vcpu_next(g);
        else
            vcpu_previous(g);
        args = "";
    }
    if (!*args || debug_vcpu_named(g, args, &g->dbg.dom, &g->dbg.vcpu))
        debug_stop_say(g, "vcpu");
}

bool debug_domain(struct debug *g, const char *args, domid_t *dom)
{
    unsigned int n;

    *dom = g->dbg.dom;
    if (!*args)
        return true;
    if (sscanf(args, "d%5u", &n) != 1 || n >= DOMID_FIRST_RESERVED) {
        debug_fail(g, "arguments", "a domain is dN, not \"%s\"", args);
        return false;
    }
    *dom = (domid_t)n;
    return true;
}

void debug_hash(struct debug *g, const char *args, unsigned long ignored)
{
    const uint64_t hash = look_hash(g->host);

    say_begin(&g->say, "hash");
    say_field(&g->say, "hash", "%016" PRIx64, hash);
    say(&g->say, "hash %016" PRIx64, hash);
    say_end(&g->say);
}
