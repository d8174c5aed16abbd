// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panels `vmcb` and `exits`: what an HVM guest's vCPU is left for, why it was left last, and how often for what.
 *
 * Concept: the virtual machine control block is all that the processor and the hypervisor tell each other: the
 * hypervisor, what the guest may not do by itself (intercepts) and where its nested tables are; the processor, why it
 * has come back (EXITCODE, and two words of details) and what the guest's registers were. Names are those of AMD's
 * manual, volume 2, appendix B. What this simulator leaves a guest for and real hardware would not is marked [engine]
 * (docs/cpu.md).
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column vmcb_columns[] = { { .title = "field" },
                                                    { .title = "value" },
                                                    { .title = "meaning" } };

/* Whom it is about. */
static void about(const struct scene *s, domid_t *dom, unsigned int *vcpu)
{
    *dom = s->about.given ? s->about.what.dom : s->dom;
    *vcpu = s->about.given ? s->about.what.vcpu : s->vcpu;
}

static void value_take(struct table *t, const char *name, const char *value, const char *meaning)
{
    struct table_row *row = table_row(t, "%s", name);

    table_cell(t, row, "%s", name);
    table_cell(t, row, "%s", value);
    table_cell(t, row, "%s", meaning);
}

/* --- intercepts --- */

static const struct intercept {
    uint32_t bit;
    const char *name;
} first_word[] = { { VMCB1_RDTSC, "RDTSC" }, { VMCB1_RDPMC, "RDPMC" },       { VMCB1_CPUID, "CPUID" },
                   { VMCB1_SWINT, "INTn" },  { VMCB1_INVD, "INVD" },         { VMCB1_PAUSE, "PAUSE" },
                   { VMCB1_HLT, "HLT" },     { VMCB1_INVLPG, "INVLPG" },     { VMCB1_INVLPGA, "INVLPGA" },
                   { VMCB1_MSR, "MSR" },     { VMCB1_SHUTDOWN, "SHUTDOWN" }, { 0, NULL } },
  second_word[] = { { VMCB2_VMRUN, "VMRUN" },
                    { VMCB2_VMMCALL, "VMMCALL" },
                    { VMCB2_VMLOAD, "VMLOAD" },
                    { VMCB2_VMSAVE, "VMSAVE" },
                    { VMCB2_STGI, "STGI" },
                    { VMCB2_CLGI, "CLGI" },
                    { VMCB2_SKINIT, "SKINIT" },
                    { VMCB2_RDTSCP, "RDTSCP" },
                    { VMCB2_ICEBP, "ICEBP" },
                    { VMCB2_WBINVD, "WBINVD" },
                    { VMCB2_MONITOR, "MONITOR" },
                    { VMCB2_MWAIT, "MWAIT" },
                    { 0, NULL } };

static void word_take(struct table *t, const char *name, uint32_t word, const struct intercept *list)
{
    char value[24], meaning[160] = "";
    size_t n = 0;

    snprintf(value, sizeof(value), "%08x", word);
    for (; list->name && n < sizeof(meaning); list++)
        if (word & list->bit)
            n += (size_t)snprintf(meaning + n, sizeof(meaning) - n, "%s%s", n ? " " : "", list->name);
    value_take(t, name, value, meaning);
}

/* "0 4 8", the registers; "all" of them. */
static void registers_take(struct table *t, const char *name, uint16_t bits, const char *what)
{
    char value[24], meaning[96] = "";
    size_t n = 0;

    snprintf(value, sizeof(value), "%04x", bits);
    for (unsigned int i = 0; i < 16 && bits != 0xffff; i++)
        if (bits >> i & 1)
            n += (size_t)snprintf(meaning + n, sizeof(meaning) - n, "%s%s%u", n ? " " : "", what, i);
    value_take(t, name, value, bits == 0xffff ? "all" : n ? meaning : "none");
}

static void intercepts_take(struct table *t, const struct vcpu_controls *c)
{
    char value[24];

    registers_take(t, "cr reads", c->intercept_cr_read, "CR");
    registers_take(t, "cr writes", c->intercept_cr_write, "CR");
    registers_take(t, "dr reads", c->intercept_dr_read, "DR");
    registers_take(t, "dr writes", c->intercept_dr_write, "DR");
    snprintf(value, sizeof(value), "%08x", c->intercept_exceptions);
    value_take(t, "exceptions", value, c->intercept_exceptions == ~0u ? "all: they are delivered by Xen [engine]" : "");
    word_take(t, "intercepts 1", c->intercepts1, first_word);
    word_take(t, "intercepts 2", c->intercepts2, second_word);
    value_take(t, "MSRs, ports", "all", "MSR and I/O permission maps: every bit is set");
}

/* --- the last exit --- */

static void info_text(const struct look_vmcb *v, char text[96])
{
    static const char *const port_sizes[] = { [1] = "byte", [2] = "word", [4] = "dword" };

    text[0] = '\0';
    switch (v->exit_code) {
    case SVM_EXIT_NPF:
        snprintf(text, 96, "%s%s, %s at guest-physical 0x%" PRIx64, v->info1 & 1 ? "no right" : "no page",
                 v->info1 >> 33 & 1 ? " for a table's entry" : "",
                 v->info1 & 2    ? "a store"
                 : v->info1 & 16 ? "code"
                                 : "a load",
                 v->info2);
        break;
    case SVM_EXIT_IOIO:
        snprintf(text, 96, "%s%s of a %s, port 0x%" PRIx64 "; next RIP 0x%" PRIx64, v->info1 & 1 ? "IN" : "OUT",
                 v->info1 & 4 ? "S" : "", port_sizes[v->info1 >> 4 & 7] ?: "?", v->info1 >> 16, v->info2);
        break;
    case SVM_EXIT_MSR: snprintf(text, 96, v->info1 ? "WRMSR" : "RDMSR"); break;
    case SVM_EXIT_SWINT: snprintf(text, 96, "INT 0x%" PRIx64, v->info1); break;
    case SVM_EXIT_EXCEPTION + 14:
        snprintf(text, 96, "error code 0x%" PRIx64 ", address 0x%" PRIx64, v->info1, v->info2);
        break;
    default:
        if (v->exit_code >= SVM_EXIT_EXCEPTION && v->exit_code < SVM_EXIT_EXCEPTION + 32)
            snprintf(text, 96, "error code 0x%" PRIx64, v->info1);
    }
}

static void exit_take(struct table *t, const struct look_vmcb *v)
{
    char value[24], name[LOOK_TEXT], info[96];

    if (!v->has_exit) {
        value_take(t, "exitcode", "-", "Xen has handled no exit of it yet");
        return;
    }
    look_exit_name(v->exit_code, name);
    info_text(v, info);
    snprintf(value, sizeof(value), "%" PRIx64, v->exit_code);
    value_take(t, "exitcode", value, name);
    snprintf(value, sizeof(value), "%" PRIx64, v->info1);
    value_take(t, "exitinfo1", value, info);
    snprintf(value, sizeof(value), "%" PRIx64, v->info2);
    value_take(t, "exitinfo2", value, "");
}

/* --- the guest's state --- */

static void segment_take(struct table *t, const char *name, const struct cpu_segment *s)
{
    static const char *const types[16] = { "data r",       "data r",       "data rw",       "data rw",
                                           "stack r",      "stack r",      "stack rw",      "stack rw",
                                           "code x",       "code x",       "code rx",       "code rx",
                                           "conforming x", "conforming x", "conforming rx", "conforming rx" };
    char value[24], meaning[96];

    snprintf(value, sizeof(value), "%04x", s->sel);
    snprintf(meaning, sizeof(meaning), "base %" PRIx64 " limit %x attr %03x%s%s%s", s->base, s->limit, s->attr,
             !(s->attr & 0x80) ? ": null" : "", s->attr & 0x80 && s->attr & 0x10 ? ": " : "",
             s->attr & 0x80 && s->attr & 0x10 ? types[s->attr & 15] : "");
    value_take(t, name, value, meaning);
}

static void table_take(struct table *t, const char *name, const struct cpu_table *x)
{
    char meaning[64];

    snprintf(meaning, sizeof(meaning), "base %" PRIx64 " limit %x", x->base, x->limit);
    value_take(t, name, "", meaning);
}

static void number_take(struct table *t, const char *name, uint64_t number, const char *meaning)
{
    char value[24];

    snprintf(value, sizeof(value), "%" PRIx64, number);
    value_take(t, name, value, meaning);
}

static void state_take(struct table *t, const struct look_vcpu *v)
{
    static const char *const names[] = { [CPU_SEG_ES] = "es", [CPU_SEG_CS] = "cs", [CPU_SEG_SS] = "ss",
                                         [CPU_SEG_DS] = "ds", [CPU_SEG_FS] = "fs", [CPU_SEG_GS] = "gs" };
    const struct cpu_state *r = &v->regs;

    number_take(t, "cpl", r->cpl, v->works);
    number_take(t, "rip", r->rip, "");
    number_take(t, "rsp", r->rsp, "");
    number_take(t, "rax", r->rax, "");
    number_take(t, "rflags", r->rflags, "");
    number_take(t, "cr0", r->cr0, "");
    number_take(t, "cr2", r->cr2, "");
    number_take(t, "cr3", r->cr3, "guest-physical");
    number_take(t, "cr4", r->cr4, "");
    number_take(t, "efer", r->efer, "as the guest reads it: SVME, which must be set, is hidden");
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
        segment_take(t, names[i], &r->seg[i]);
    segment_take(t, "tr", &r->tr);
    segment_take(t, "ldtr", &r->ldtr);
    table_take(t, "gdtr", &r->gdtr);
    table_take(t, "idtr", &r->idtr);
    number_take(t, "dr6", r->dr[6], "");
    number_take(t, "dr7", r->dr[7], "");
    number_take(t, "star", r->star, "");
    number_take(t, "lstar", r->lstar, "");
    number_take(t, "sfmask", r->sfmask, "");
    number_take(t, "kernel_gs", r->kernel_gs_base, "");
}

static void vmcb_take(struct table *t, struct debug *g, const struct scene *s)
{
    unsigned int vcpu;
    domid_t dom;
    struct look_vmcb b;
    struct look_vcpu v;

    about(s, &dom, &vcpu);
    if (!look_vmcb(g->host, dom, vcpu, &b) || !look_vcpu(g->host, dom, vcpu, &v))
        return;
    snprintf(t->note, sizeof(t->note), "d%uv%u", dom, vcpu);
    exit_take(t, &b);
    if (b.shadow_cr3)
        number_take(t, "shadow", b.shadow_cr3, "root of its shadow page tables, a machine address");
    else
        number_take(t, "ncr3", b.ncr3, "root of the nested tables, a machine address");
    value_take(t, "int_shadow", b.int_shadow ? "1" : "0",
               b.int_shadow ? "no interrupt before the next instruction" : "");
    value_take(t, "v_irq", b.want_intwin ? "1" : "0",
               b.want_intwin ? "an interrupt waits: leave when it can be taken" : "");
    intercepts_take(t, &b.controls);
    state_take(t, &v);
}

const struct panel_ops panel_vmcb = {
    .name = "vmcb",
    .help = "an HVM vCPU's control block: why it was left, what is intercepted, its state",
    .empty = "there is no control block: a PV guest's or a native vCPU, or none",
    .column = vmcb_columns,
    .nr_columns = ARRAY_SIZE(vmcb_columns),
    .about = scene_about_vcpu,
    .take = vmcb_take
};

/* --- exits --- */

static const struct table_column exits_columns[] = { { .title = "exit" },
                                                     { .title = "times", .right = true },
                                                     { .title = "share", .right = true },
                                                     { .title = "engine", .right = true },
                                                     { .title = "what" } };

static const char *what_text(const char *kind)
{
    static const struct {
        const char *kind, *what;
    } texts[] = { { "exception", "its own, through its IDT" },
                  { "softint", "INT n, INT3, INTO" },
                  { "vmmcall", "hypercalls" },
                  { "io", "IN, OUT" },
                  { "npf", "the nested tables have no page there, or no right: devices" },
                  { "cr_read", "control registers" },
                  { "cr_write", "control registers: modes, paging" },
                  { "hlt", "nothing to do" },
                  { "intwin", "an interrupt can be taken now" },
                  { "cpuid", "CPUID" },
                  { "rdtsc", "the time: virtual here, so that two runs are the same" } };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (!strcmp(texts[i].kind, kind))
            return texts[i].what;
    return "";
}

static void exits_take(struct table *t, struct debug *g, const struct scene *s)
{
    uint64_t all = 0, engine = 0;
    struct look_exits e;
    unsigned int vcpu;
    domid_t dom;

    about(s, &dom, &vcpu);
    for (unsigned int n = 0; look_exits(g->host, dom, vcpu, &n, &e); n++) {
        all += e.times;
        engine += e.engine;
    }
    for (unsigned int n = 0; look_exits(g->host, dom, vcpu, &n, &e); n++) {
        struct table_row *row = table_row(t, "%s", e.kind);

        table_cell(t, row, "%s", e.kind);
        table_cell(t, row, "%" PRIu64, e.times);
        table_cell(t, row, "%.1f%%", 100.0 * (double)e.times / (double)all);
        if (e.engine)
            table_cell(t, row, "%" PRIu64, e.engine);
        else
            table_cell(t, row, "%s", "");
        table_cell(t, row, "%s%s", what_text(e.kind), e.engine ? " [engine]" : "");
    }
    if (all)
        snprintf(t->note, sizeof(t->note), "d%uv%u: %" PRIu64 ", %" PRIu64 " of them [engine]: real hardware goes on",
                 dom, vcpu, all, engine);
}

const struct panel_ops panel_exits = { .name = "exits",
                                       .help = "what an HVM vCPU was left for, and how often",
                                       .empty = "no exit of an HVM vCPU has been handled yet, or it is none",
                                       .column = exits_columns,
                                       .nr_columns = ARRAY_SIZE(exits_columns),
                                       .about = scene_about_vcpu,
                                       .take = exits_take };
