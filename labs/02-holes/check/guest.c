// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 02: what a kernel in ring 3 sees, and which instructions show it.
 *
 * Concept: the guest asks look() in states that differ (CR0.TS, the LDT, upcalls), and is_hole() of instructions that
 * are made of a group, a ModRM byte and prefixes: holes, and those beside them. xenlab counts exceptions.
 */
#include "labs/code/holes.h"
#include "labs/kit/ask.h"
#include "labs/kit/kit.h"

#define STEPS 110

static char *ldt;

static void *begin(void)
{
    ldt = page_alloc();
    if (page_protect(ldt, PTE_READONLY))
        kit_die("there is no page for an LDT");
    return NULL;
}

static long ask_look(long into)
{
    *(struct seen *)into = look();
    return 0;
}

static unsigned int asked_len;
static long ask_hole(long insn) { return is_hole((const uint8_t *)insn, asked_len); }

static long answer(long (*fn)(long), const void *arg)
{
    const struct caught c = kit_ask(fn, (long)arg, NULL);

    if (c.trapped)
        guest_panic("%s, which nobody handles", trap_name(c.vector));
    return c.result;
}

static void step_look(void)
{
    const unsigned int ts = (unsigned int)kit_random(2), entries = kit_random(2) ? 8 : 0;
    const bool masked = kit_random(2);
    struct mmuext_op op = { .cmd = MMUEXT_SET_LDT,
                            .arg1.linear_addr = entries ? (unsigned long)ldt : 0,
                            .arg2.nr_ents = entries };
    struct seen s;

    MUST(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
    MUST(HYPERVISOR_fpu_taskswitch((int)ts));
    if (masked)
        events_disable();
    else
        events_enable();
    kit_step("look(), CR0.TS %u, an LDT of %u entries, upcalls %s", ts, entries, masked ? "masked" : "enabled");
    answer(ask_look, kit_left);
    s = *(struct seen *)kit_left;
    events_disable();
    kit_fact("tables", "GDT %#lx, %#x; IDT %#lx, %#x", (unsigned long)s.gdt_base, s.gdt_limit,
             (unsigned long)s.idt_base, s.idt_limit);
    kit_fact("selectors", "LDT %#x, TR %#x, CS %#x", s.ldt, s.tr, s.cs);
    kit_fact("msw", "%#x", s.msw);
    kit_fact("flags", "IF %d, POPF cannot change it: %d", s.interrupts, s.popf_ignored);
}

/* Opcode, and whether a ModRM byte follows, or anything that is asked. */
static const struct group {
    const char *property;
    unsigned char op[2], len;
    bool modrm;
    unsigned char regs; /* which /n are valid with an operand in memory, a bit each */
    unsigned char only; /* the same in a register */
} groups[] = {
    { "other", { 0x0f, 0x00 }, 2, true, 0x3f, 0x3f },
    { "other", { 0x0f, 0x00 }, 2, true, 0x3f, 0x3f },
    { "other", { 0x0f, 0x01 }, 2, true, 0xdf, 0x50 },
    { "other", { 0x0f, 0x01 }, 2, true, 0xdf, 0x50 },
    { "other", { 0x0f, 0x02 }, 2, true, 0xff, 0xff },
    { "other", { 0x0f, 0x03 }, 2, true, 0xff, 0xff },
    { "other", { 0x8c }, 1, true, 0x3f, 0x3f },
    { "other", { 0x9c }, 1, false, 0, 0 },
    { "other", { 0x9d }, 1, false, 0, 0 },
    { "plain", { 0x9e }, 1, false, 0, 0 },
    { "plain", { 0xfa }, 1, false, 0, 0 },
    { "plain", { 0xf4 }, 1, false, 0, 0 },
    { "plain", { 0x89 }, 1, true, 0xff, 0xff },
    { "plain", { 0x8b }, 1, true, 0xff, 0xff },
    { "plain", { 0x0f, 0x20 }, 2, true, 0, 0x1d },
    { "plain", { 0x0f, 0x06 }, 2, false, 0, 0 },
    { "plain", { 0x0f, 0xaf }, 2, true, 0xff, 0xff },
};
/* VMCALL, MONITOR, MWAIT, XGETBV, SWAPGS: where a register would be an operand. */
static const unsigned char special[] = { 0xc1, 0xc8, 0xc9, 0xd0, 0xf8 };

static unsigned int modrm_draw(const struct group *g)
{
    for (;;) {
        const unsigned int b = (unsigned int)kit_random(256), reg = b >> 3 & 7;

        if (g->op[1] == 0x01 && g->len == 2 && !kit_random(6))
            return special[kit_random(sizeof(special))];
        if (b >> 6 == 3 ? g->only >> reg & 1 : g->regs >> reg & 1)
            return b;
    }
}

static void step_hole(void)
{
    static const unsigned char prefixes[] = { 0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf2, 0xf3 };
    const struct group *g = &groups[kit_random(sizeof(groups) / sizeof(groups[0]))];
    unsigned char insn[16] = { 0 };
    char text[64] = "";
    unsigned int len = 0, modrm = 0;
    size_t n = 0;

    while (len < 3 && !kit_random(3))
        insn[len++] = prefixes[kit_random(sizeof(prefixes))];
    if (kit_random(2))
        insn[len++] = (unsigned char)(0x40 + kit_random(16));
    for (unsigned int i = 0; i < g->len; i++)
        insn[len++] = g->op[i];
    if (g->modrm) {
        modrm = modrm_draw(g);
        insn[len++] = (unsigned char)modrm;
        if (modrm >> 6 != 3 && (modrm & 7) == 4)
            insn[len++] = (unsigned char)(kit_random(32) << 3); /* SIB: a base that is RAX */
        if (modrm >> 6 == 2 || (modrm >> 6 == 0 && (modrm & 7) == 5))
            for (unsigned int i = 0; i < 4; i++)
                insn[len++] = (unsigned char)kit_random(256);
        else if (modrm >> 6 == 1)
            insn[len++] = (unsigned char)kit_random(256);
    }
    for (unsigned int i = 0; i < len; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%02x", i ? " " : "", insn[i]);
    kit_step("is_hole(%s)", text);
    asked_len = len;
    kit_fact(g->property[0] == 'p'              ? "plain"
             : g->op[0] == 0x0f && g->op[1] < 2 ? "groups"
                                                : "holes",
             "%s: %s", text, answer(ask_hole, insn) ? "a hole" : "none");
}

static void step(void *data, unsigned int number)
{
    (void)data;
    if (number % 8 == 0)
        step_look();
    else
        step_hole();
}

static void end(void *data) { (void)data; }

int guest_main(void) { return kit_guest(&(struct kit_steps){ STEPS, begin, step, end }); }
