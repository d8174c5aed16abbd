// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panels `apic`, `ioapic` and `pic`: an HVM guest's interrupt controllers.
 *
 * Concept: a device pulls a line; the I/O APIC or the pair of 8259 hears it; a message, or a wire to LINT0, reaches a
 * vCPU's local APIC, where the interrupt waits in IRR until its priority is the highest and the guest allows it, and is
 * in service (ISR) until the guest ends it. Where an interrupt is stuck can be seen in one of the three.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column apic_columns[] = { { .title = "register" },
                                                    { .title = "value", .right = true },
                                                    { .title = "meaning" } };

static const char *const delivery[8] = { "fixed", "lowest priority", "SMI",   "mode 3", "NMI",
                                         "INIT",  "start-up",        "ExtINT" };

static void register_take(struct table *t, const char *name, uint64_t value, const char *meaning)
{
    struct table_row *row = table_row(t, "%s", name);

    table_cell(t, row, "%s", name);
    table_cell(t, row, "%" PRIx64, value);
    table_cell(t, row, "%s", meaning);
}

/* Vectors of a set of 256, as "40 ef" in hexadecimal; how many. */
static unsigned int vectors_text(const uint32_t set[8], char text[96])
{
    unsigned int many = 0;
    size_t n = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < 256; i++)
        if (set[i / 32] >> i % 32 & 1) {
            many++;
            if (n < 80)
                n += (size_t)snprintf(text + n, 96 - n, "%s%02x", n ? " " : "", i);
            else if (n < 90)
                n += (size_t)snprintf(text + n, 96 - n, "...");
        }
    return many;
}

static void vectors_take(struct table *t, const char *name, const uint32_t set[8], const char *what)
{
    char text[96], meaning[160];
    const unsigned int many = vectors_text(set, text);

    snprintf(meaning, sizeof(meaning), "%s%s%s", many ? text : "none", many ? ": " : ", ", what);
    register_take(t, name, many, meaning);
}

static void lvt_take(struct table *t, unsigned int i, uint32_t lvt)
{
    static const char *const names[] = { "lvt timer", "lvt thermal", "lvt counter",
                                         "lvt lint0", "lvt lint1",   "lvt error" };
    char text[96];

    snprintf(text, sizeof(text), "vector %02x%s%s%s%s", lvt & 0xff, i == 0 || i == 5 ? "" : ", ",
             i == 0 || i == 5 ? "" : delivery[lvt >> 8 & 7], i == 0 ? lvt >> 17 & 1 ? ", periodic" : ", once" : "",
             lvt >> 16 & 1 ? ", masked" : "");
    register_take(t, names[i], lvt, text);
}

static void icr_take(struct table *t, const struct look_apic *a)
{
    static const char *const shorthand[] = { NULL, "to itself", "to all", "to all others" };
    const unsigned int to = a->icr_low >> 18 & 3, mode = a->icr_low >> 8 & 7;
    char text[96], whom[32];

    snprintf(whom, sizeof(whom), "to %s %u", a->icr_low >> 11 & 1 ? "logical" : "APIC", a->icr_high >> 24);
    snprintf(text, sizeof(text), "last sent: %s %02x %s", delivery[mode], a->icr_low & 0xff, shorthand[to] ?: whom);
    register_take(t, "icr", (uint64_t)a->icr_high << 32 | a->icr_low,
                  a->icr_low || a->icr_high ? text : "nothing sent");
}

static void apic_take(struct table *t, struct debug *g, const struct scene *s)
{
    const domid_t dom = s->about.given ? s->about.what.dom : s->dom;
    const unsigned int vcpu = s->about.given ? s->about.what.vcpu : s->vcpu;
    struct look_apic a;

    if (!look_apic(g->host, dom, vcpu, &a))
        return;
    snprintf(t->note, sizeof(t->note), "d%uv%u%s", dom, vcpu, a.waits_for_sipi ? ", waits for a start-up message" : "");
    register_take(t, "base", a.base,
                  !(a.base >> 11 & 1) ? "off"
                  : a.base >> 8 & 1   ? "on, of the processor that boots"
                                      : "on");
    register_take(t, "id", a.id, "");
    register_take(t, "version", a.version, "");
    vectors_take(t, "irr", a.irr, "waiting");
    vectors_take(t, "isr", a.isr, "in service");
    vectors_take(t, "tmr", a.tmr, "level-triggered");
    register_take(t, "tpr", a.tpr, "what the guest wants not to hear: classes up to the first digit");
    register_take(t, "ppr", a.ppr, "and what it does not: also what is in service");
    register_take(t, "svr", a.svr, a.enabled ? "enabled" : "disabled: it takes no interrupt");
    register_take(t, "ldr", a.ldr, "");
    register_take(t, "dfr", a.dfr, a.dfr >> 28 == 15 ? "flat" : "cluster");
    icr_take(t, &a);
    for (unsigned int i = 0; i < ARRAY_SIZE(a.lvt); i++)
        lvt_take(t, i, a.lvt[i]);
    register_take(t, "initial", a.timer_initial,
                  a.timer_initial ? "the timer counts from there" : "the timer does not run");
    register_take(t, "current", a.timer_current, "as of the last exit");
    register_take(t, "divide", a.timer_divide, "");
    register_take(t, "esr", a.esr, a.esr ? "errors" : "no errors");
}

const struct panel_ops panel_apic = { .name = "apic",
                                      .help = "an HVM vCPU's local APIC: what waits, what is in service, its timer",
                                      .empty = "there is no local APIC: a PV guest's or a native vCPU, or none",
                                      .column = apic_columns,
                                      .nr_columns = ARRAY_SIZE(apic_columns),
                                      .about = scene_about_vcpu,
                                      .take = apic_take };

/* --- the I/O APIC --- */

static const struct table_column ioapic_columns[] = { { .title = "pin", .right = true },
                                                      { .title = "lines", .right = true },
                                                      { .title = "vector", .right = true },
                                                      { .title = "delivery" },
                                                      { .title = "to" },
                                                      { .title = "trigger" },
                                                      { .title = "state" } };

static void pin_take(struct table *t, unsigned int pin, uint64_t e, unsigned int lines)
{
    struct table_row *row = table_row(t, "%u", pin);

    table_cell(t, row, "%u", pin);
    table_cell(t, row, "%u", lines);
    table_cell(t, row, "%02x", (unsigned int)e & 0xff);
    table_cell(t, row, "%s", delivery[e >> 8 & 7]);
    table_cell(t, row, "%s %u", e >> 11 & 1 ? "logical" : "APIC", (unsigned int)(e >> 56));
    table_cell(t, row, "%s%s", e >> 15 & 1 ? "level" : "edge", e >> 13 & 1 ? ", low" : "");
    table_cell(t, row, "%s%s%s", e >> 16 & 1 ? "masked" : "open", e >> 14 & 1 ? ", waits for its EOI" : "",
               e >> 12 & 1 ? ", on its way" : "");
    if (row && !(e >> 16 & 1))
        row->style = lines ? STYLE_here : STYLE_kernel;
}

static void ioapic_take(struct table *t, struct debug *g, const struct scene *s)
{
    const domid_t dom = s->about.given ? s->about.what.dom : s->dom;
    struct look_ioapic io;
    unsigned int idle = 0;

    if (!look_ioapic(g->host, dom, &io))
        return;
    for (unsigned int i = 0; i < LOOK_IOAPIC_PINS; i++)
        if (!(io.redir[i] >> 16 & 1) || io.lines[i])
            pin_take(t, i, io.redir[i], io.lines[i]);
        else
            idle++;
    snprintf(t->note, sizeof(t->note), "d%u, APIC %u: %u pins masked, and quiet, are left out", dom, io.id, idle);
    if (idle == LOOK_IOAPIC_PINS)
        pin_take(t, 0, io.redir[0], io.lines[0]);
}

const struct panel_ops panel_ioapic = { .name = "ioapic",
                                        .help = "an HVM guest's I/O APIC: which pin leads to which vector of whom",
                                        .empty = "there is no I/O APIC: a PV or PVH guest, or none",
                                        .column = ioapic_columns,
                                        .nr_columns = ARRAY_SIZE(ioapic_columns),
                                        .about = scene_about_domain,
                                        .take = ioapic_take };

/* --- the two 8259 --- */

static const struct table_column pic_columns[] = { { .title = "irq", .right = true },
                                                   { .title = "line" },
                                                   { .title = "vector", .right = true },
                                                   { .title = "irr" },
                                                   { .title = "imr" },
                                                   { .title = "isr" },
                                                   { .title = "trigger" },
                                                   { .title = "device" } };

static void input_take(struct table *t, const struct look_pic *p, unsigned int irq)
{
    static const char *const devices[16] = { "timer (PIT)", "keyboard", "the slave",   "COM2", "COM1", NULL,
                                             "floppy",      "LPT1",     "clock (RTC)", "ACPI", NULL,   NULL,
                                             "mouse",       NULL,       "IDE 0",       "IDE 1" };
    struct table_row *row = table_row(t, "%u", irq);
    const unsigned int bit = irq % 8;

    table_cell(t, row, "%u", irq);
    table_cell(t, row, "%s", p->lines >> bit & 1 ? "up" : "");
    table_cell(t, row, "%02x", p->base + bit);
    table_cell(t, row, "%s", p->irr >> bit & 1 ? "waits" : "");
    table_cell(t, row, "%s", p->imr >> bit & 1 ? "masked" : "");
    table_cell(t, row, "%s", p->isr >> bit & 1 ? "served" : "");
    table_cell(t, row, "%s", p->elcr >> bit & 1 ? "level" : "edge");
    table_cell(t, row, "%s", devices[irq] ?: "");
    if (row && p->irr & ~p->imr & 1u << bit)
        row->style = STYLE_here;
}

static void pic_take(struct table *t, struct debug *g, const struct scene *s)
{
    const domid_t dom = s->about.given ? s->about.what.dom : s->dom;
    struct look_pic pic[2];

    if (!look_pic(g->host, dom, pic))
        return;
    for (unsigned int irq = 0; irq < 16; irq++)
        input_take(t, &pic[irq / 8], irq);
    snprintf(t->note, sizeof(t->note), "d%u: master %s%s, slave %s%s", dom, pic[0].output ? "asks" : "is quiet",
             pic[0].initialising ? ", being initialised" : "", pic[1].output ? "asks" : "is quiet",
             pic[1].initialising ? ", being initialised" : "");
}

const struct panel_ops panel_pic = { .name = "pic",
                                     .help = "an HVM guest's two 8259: lines, requests, masks, what is in service",
                                     .empty = "there are no 8259: a PV or PVH guest, or none",
                                     .column = pic_columns,
                                     .nr_columns = ARRAY_SIZE(pic_columns),
                                     .about = scene_about_domain,
                                     .take = pic_take };
