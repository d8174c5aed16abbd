// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report of a crash: where the guest was, and how it came there.
 *
 * Concept: Xen prints registers and a few words of the stack. We know the kernel's file as well, so addresses become names,
 * and code that was compiled with frame pointers has a backtrace: RBP points to a frame, a pair of words in memory,
 *
 *      [ RBP of the caller | return address ]  [ its locals ... ]  [ RBP of its caller | return address ] ...
 *
 * Invariants: everything in the guest is suspect, since it crashed. All memory is read through the guest's own page tables with
 * copy_from_guest(), which fails rather than faults; the chain is followed only upwards, and not for ever.
 *
 * Corresponds to show_registers() and show_guest_stack() in xen/arch/x86/traps.c.
 */
#include "ui/crash.h"

#include "mmu/guest_access.h"
#include "sim/insn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX      24
#define FRAME_SIZE_MAX  (64 << 10) /* a frame that is larger is none */
#define STACK_WORDS     16
#define CODE_BEFORE_MAX 1024 /* bytes from the function's start to RIP, up to which we disassemble from there */
#define CODE_AFTER      24
#define LINES_BEFORE    6
#define LINES_AFTER     4

/* The function that addr is in. A return address may lie behind its end, if it was the call that ended it: look `back`. */
static void symbol_print(FILE *out, const struct image *img, uint64_t addr, unsigned int back)
{
    uint64_t offset;
    const char *name = img ? image_symbol_lookup(img, addr - back, &offset) : NULL;

    if (name)
        fprintf(out, " <%.80s+%#" PRIx64 ">", name, offset + back);
}

/* --- registers --- */

static void registers_print(FILE *out, const struct vcpu *v)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    static const uint8_t order[16] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };
    const struct cpu_state *st = v->regs;

    for (unsigned int i = 0; i < 16; i++)
        fprintf(out, "  %-3s %016" PRIx64 "%s", names[order[i]], st->gpr[order[i]], i % 4 == 3 ? "\n" : "");
    fprintf(out,
            "  cs %04x ss %04x ds %04x es %04x fs %04x gs %04x\n  fs base %016" PRIx64 "  gs base %016" PRIx64 "\n",
            st->seg[CPU_SEG_CS].sel, st->seg[CPU_SEG_SS].sel, st->seg[CPU_SEG_DS].sel, st->seg[CPU_SEG_ES].sel,
            st->seg[CPU_SEG_FS].sel, st->seg[CPU_SEG_GS].sel, st->seg[CPU_SEG_FS].base, st->seg[CPU_SEG_GS].base);
}

static void root_print(FILE *out, const struct vcpu *v)
{
    fprintf(out, "  page-table root: mfn %#" PRIx64 " (kernel)", mfn_x(v->guest_table));
    if (!mfn_eq(v->guest_table_user, INVALID_MFN))
        fprintf(out, ", mfn %#" PRIx64 " (user)", mfn_x(v->guest_table_user));
    if (v->vcpu_info && !is_pv_32bit_domain(v->domain)) /* a PV guest is told there where it faulted */
        fprintf(out, "; cr2 %016" PRIx64, v->vcpu_info->arch.cr2);
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

/* Instructions have no marked beginnings: to show those before RIP, start where one is known to begin, its function. */
static bool code_print_from(FILE *out, struct vcpu *v, uint64_t start)
{
    const size_t want = v->regs->rip - start + CODE_AFTER, len = 128 * (want + 1);
    struct insn_decoder *decoder = v->domain->xen->machine->decoder;
    uint8_t *bytes = malloc(want);
    char *text = malloc(len);
    size_t n = bytes ? guest_fetch_insn(v, start, bytes, want) : 0;
    const char *arrow = NULL;

    if (text && n > v->regs->rip - start) {
        insn_disassemble(decoder, v->regs, bytes, n, start, text, len);
        arrow = arrow_find(text);
    }
    if (arrow)
        code_lines_print(out, text, arrow);
    free(text);
    free(bytes);
    return arrow != NULL;
}

static void code_print(FILE *out, struct vcpu *v, const struct image *img)
{
    uint64_t offset;

    fprintf(out, "code:\n");
    if (img && image_symbol_lookup(img, v->regs->rip, &offset) && offset <= CODE_BEFORE_MAX &&
        code_print_from(out, v, v->regs->rip - offset))
        return;
    if (!code_print_from(out, v, v->regs->rip))
        fprintf(out, "  (no code can be read at rip)\n");
}

/* --- stack --- */

static bool word_read(struct vcpu *v, uint64_t addr, uint64_t *word)
{
    *word = 0;
    return copy_from_guest(v, word, addr, v->domain->guest->word) == 0;
}

static void stack_print(FILE *out, struct vcpu *v)
{
    const unsigned int size = v->domain->guest->word;
    uint64_t word;
    unsigned int i;

    fprintf(out, "stack:\n");
    for (i = 0; i < STACK_WORDS && word_read(v, v->regs->rsp + i * size, &word); i++)
        fprintf(out, "%s%0*" PRIx64 "%s", i % 4 ? " " : "  ", (int)size * 2, word, i % 4 == 3 ? "\n" : "");
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

static void backtrace_print(FILE *out, struct vcpu *v, const struct image *img)
{
    const unsigned int size = v->domain->guest->word;
    uint64_t rbp = v->regs->rbp, caller_rbp, ret;

    fprintf(out, "backtrace (by frame pointers):\n");
    frame_print(out, 0, v->regs->rip, img);
    for (unsigned int nr = 1; nr < FRAMES_MAX; nr++) {
        if (!word_read(v, rbp, &caller_rbp) || !word_read(v, rbp + size, &ret) || ret == 0)
            break;
        frame_print(out, nr, ret, img);
        if (caller_rbp <= rbp || caller_rbp - rbp > FRAME_SIZE_MAX)
            break;
        rbp = caller_rbp;
    }
}

void crash_print(FILE *out, struct vcpu *v, const char *name, const char *why, const struct image *img)
{
    fprintf(out, "\nDomain %u (%s) crashed on its vCPU %u: %s\n", v->domain->domain_id, name ? name : "?", v->vcpu_id,
            why);
    if (v->native)
        return;
    fprintf(out, "  rip %016" PRIx64, v->regs->rip);
    symbol_print(out, img, v->regs->rip, 0);
    fprintf(out, "  in %s mode  rflags %08" PRIx64 "\n", guest_kernel_mode(v) ? "kernel" : "user", v->regs->rflags);
    registers_print(out, v);
    root_print(out, v);
    code_print(out, v, img);
    stack_print(out, v);
    if (v->regs->rbp)
        backtrace_print(out, v, img);
    fprintf(out, "\n");
}
