// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report of a crash: where the guest was, and how it came there.
 *
 * Concept: Xen prints registers and a few words of the stack. We know the kernel's file as well, so addresses become
 * names, and the code before RIP can be shown from the beginning of its function on. What there is to show was copied
 * when the guest crashed (tools/snapshot.h); nothing is looked up in the machine.
 *
 * Corresponds to show_registers() and show_guest_stack() in xen/arch/x86/traps.c.
 */
#include "ui/crash.h"

#include "sim/insn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINES_BEFORE 6
#define LINES_AFTER  4

/*
 * The function that addr is in. A return address may lie behind its end, if it was the call that ended it: look `back`.
 */
static void symbol_print(FILE *out, const struct image *img, uint64_t addr, unsigned int back)
{
    uint64_t offset;
    const char *name = img ? image_symbol_lookup(img, addr - back, &offset) : NULL;

    if (name)
        fprintf(out, " <%.80s+%#" PRIx64 ">", name, offset + back);
}

/* --- registers --- */

static void registers_print(FILE *out, const struct cpu_state *st)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    static const uint8_t order[16] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned int i = 0; i < 16; i++)
        fprintf(out, "  %-3s %016" PRIx64 "%s", names[order[i]], st->gpr[order[i]], i % 4 == 3 ? "\n" : "");
    fprintf(out,
            "  cs %04x ss %04x ds %04x es %04x fs %04x gs %04x\n  fs base %016" PRIx64 "  gs base %016" PRIx64 "\n",
            st->seg[CPU_SEG_CS].sel, st->seg[CPU_SEG_SS].sel, st->seg[CPU_SEG_DS].sel, st->seg[CPU_SEG_ES].sel,
            st->seg[CPU_SEG_FS].sel, st->seg[CPU_SEG_GS].sel, st->seg[CPU_SEG_FS].base, st->seg[CPU_SEG_GS].base);
}

static void root_print(FILE *out, const struct crash_report *r)
{
    fprintf(out, "  page-table root: mfn %#" PRIx64 " (kernel)", mfn_x(r->root));
    if (!mfn_eq(r->user_root, INVALID_MFN))
        fprintf(out, ", mfn %#" PRIx64 " (user)", mfn_x(r->user_root));
    if (r->has_cr2)
        fprintf(out, "; cr2 %016" PRIx64, r->cr2);
    fprintf(out, "\n");
}

/* --- code --- */

/* The line of text that begins with the arrow, or NULL. */
static const char *arrow_find(const char *text)
{
    const char *arrow = strstr(text, "=>");

    while (arrow && arrow > text && arrow[-1] != '\n')
        arrow--;
    return arrow;
}

/* Print the lines around the arrow. */
static void code_lines_print(FILE *out, const char *text, const char *arrow)
{
    const char *from = arrow, *to = arrow;

    for (int i = 0; i < LINES_BEFORE && from > text; i++)
        for (from--; from > text && from[-1] != '\n';)
            from--;
    for (int i = 0; i < LINES_AFTER && *to; i++)
        to += strcspn(to, "\n") + (strchr(to, '\n') != NULL);
    fwrite(from, 1, (size_t)(to - from), out);
}

/*
 * Instructions have no marked beginnings: to show those before RIP, start where one is known to begin, `before` bytes
 * ahead.
 */
static bool code_print_from(FILE *out, const struct crash_report *r, uint64_t before)
{
    const size_t n = before + r->nr_after, len = 128 * (before + CRASH_CODE_AFTER + 1);
    struct insn_decoder *decoder;
    const char *arrow = NULL;
    char *text;

    if (before > r->nr_before || !r->nr_after)
        return false;
    decoder = insn_decoder_create();
    text = malloc(len);
    if (decoder && text) {
        insn_disassemble(decoder, &r->regs, r->code + CRASH_CODE_BEFORE - before, n, r->regs.rip - before, text, len);
        arrow = arrow_find(text);
    }
    if (arrow)
        code_lines_print(out, text, arrow);
    free(text);
    insn_decoder_destroy(decoder);
    return arrow != NULL;
}

static void code_print(FILE *out, const struct crash_report *r, const struct image *img)
{
    uint64_t offset;

    fprintf(out, "code:\n");
    if (img && image_symbol_lookup(img, r->regs.rip, &offset) && code_print_from(out, r, offset))
        return;
    if (!code_print_from(out, r, 0))
        fprintf(out, "  (no code can be read at rip)\n");
}

/* --- stack --- */

static void stack_print(FILE *out, const struct crash_report *r)
{
    const int digits = r->is_32bit ? 8 : 16;
    unsigned int i;

    fprintf(out, "stack:\n");
    for (i = 0; i < r->nr_words; i++)
        fprintf(out, "%s%0*" PRIx64 "%s", i % 4 ? " " : "  ", digits, r->stack[i], i % 4 == 3 ? "\n" : "");
    if (i == 0)
        fprintf(out, "  (cannot be read at rsp)\n");
    else if (i % 4)
        fprintf(out, "\n");
}

static void frame_print(FILE *out, unsigned int nr, uint64_t addr, const struct image *img)
{
    fprintf(out, "  #%-2u %016" PRIx64, nr, addr);
    symbol_print(out, img, addr, nr > 0);
    fprintf(out, "\n");
}

static void backtrace_print(FILE *out, const struct crash_report *r, const struct image *img)
{
    fprintf(out, "backtrace (by frame pointers):\n");
    frame_print(out, 0, r->regs.rip, img);
    for (unsigned int nr = 0; nr < r->nr_frames; nr++)
        frame_print(out, nr + 1, r->frames[nr], img);
}

void crash_print(FILE *out, const struct crash_report *r, const char *name, const struct image *img)
{
    fprintf(out, "\nDomain %u (%s) crashed on its vCPU %u: %s\n", r->domid, name ? name : "?", r->vcpu, r->why);
    if (r->is_native)
        return;
    fprintf(out, "  rip %016" PRIx64, r->regs.rip);
    symbol_print(out, img, r->regs.rip, 0);
    fprintf(out, "  in %s mode  rflags %08" PRIx64 "\n", r->kernel_mode ? "kernel" : "user", r->regs.rflags);
    registers_print(out, &r->regs);
    root_print(out, r);
    code_print(out, r, img);
    stack_print(out, r);
    if (r->regs.rbp)
        backtrace_print(out, r, img);
    fprintf(out, "\n");
}
