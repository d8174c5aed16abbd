// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 01: privileged instructions of a PV kernel, executed where they trap.
 *
 * Concept: each step is one instruction at a place of the guest's, general registers with random values, and a mode
 * with an IOPL. The exit is made up, as hardware would have made it: #GP at that instruction. Reported is what the
 * guest can see afterwards: where it goes on, its registers, and the virtual control registers. How often the
 * instruction's bytes are read is counted.
 */
#include "labs/kit/kit.h"
#include "labs/kit/stores.h"
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"
#include "sim/insn.h"
#include "vcpu/hypercall.h"
#include "vcpu/pv/pv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEPS   120
#define HANDLER UINT64_C(0xffffffff80001230)

enum { RAX = 1 << 0, RCX = 1 << 1, RDX = 1 << 2, RBX = 1 << 3, RSI = 1 << 6, RDI = 1 << 7 };

/* Property that is asked, what it is asked of, and the registers that it takes something from: those are shown. */
static const struct insn_row {
    const char *text, *bytes;
    uint8_t len;
    const char *property;
    unsigned int from;
} rows[] = {
    { "CLTS", "\x0f\x06", 2, "clts", 0 },
    { "WBINVD", "\x0f\x09", 2, "known", 0 },
    { "MOV RAX, CR0", "\x0f\x20\xc0", 3, "read", 0 },
    { "MOV RBX, CR2", "\x0f\x20\xd3", 3, "read", 0 },
    { "MOV RDX, CR3", "\x0f\x20\xda", 3, "read", 0 },
    { "MOV R9, CR4", "\x41\x0f\x20\xe1", 4, "read", 0 },
    { "MOV RAX, CR8", "\x44\x0f\x20\xc0", 4, "known", 0 },
    { "MOV CR0, RAX", "\x0f\x22\xc0", 3, "write", RAX },
    { "MOV CR2, RSI", "\x0f\x22\xd6", 3, "write", RSI },
    { "MOV CR4, RDI", "\x0f\x22\xe7", 3, "write", RDI },
    { "MOV CR3, RBX", "\x0f\x22\xdb", 3, "write", RBX },
    { "MOV RAX, DR6", "\x0f\x21\xf0", 3, "read", 0 },
    { "MOV RAX, DR7", "\x0f\x21\xf8", 3, "read", 0 },
    { "MOV DR0, RCX", "\x0f\x23\xc1", 3, "write", RCX },
    { "RDMSR", "\x0f\x32", 2, "msr", RCX },
    { "WRMSR", "\x0f\x30", 2, "msr", RAX | RCX | RDX },
    { "HLT", "\xf4", 1, "known", 0 },
    { "INVLPG [RAX]", "\x0f\x01\x38", 3, "known", RAX },
    { "LGDT [RAX]", "\x0f\x01\x10", 3, "known", RAX },
    { "CLI", "\xfa", 1, "iopl", 0 },
    { "STI", "\xfb", 1, "iopl", 0 },
};

static const uint32_t msrs[] = { 0xc0000100, 0xc0000101, 0xc0000102, 0x174, 0x1b, 0x12345, 0xc0000080 };

static void hypercall(struct kit_scene *k, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct cpu_state *r = k->v->regs;

    r->rax = nr, r->rdi = a1, r->rsi = a2, r->rdx = a3, r->r10 = a4;
    hypercall_guest(k->v);
    if (r->rax)
        kit_die("hypercall %" PRIu64 ": %" PRId64, nr, (int64_t)r->rax);
}

/* The page tables that the guest was built with. */
static mfn_t root;

/* User mode has page tables of its own, which here are the kernel's. */
static void *begin(void)
{
    struct kit_scene *k = kit_scene();
    struct mmuext_op op = { .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn_x(k->v->pv.guest_table) };

    root = pv_guest_root(k->v);
    if (copy_to_guest(k->v, k->scratch, &op, sizeof(op)))
        kit_die("the guest has no stack");
    hypercall(k, __HYPERVISOR_mmuext_op, k->scratch, 1, 0, DOMID_SELF);
    return k;
}

/* Values that mean something, more often than not. */
static uint64_t value(struct kit_scene *k)
{
    switch (kit_random(5)) {
    case 0: return 0;
    case 1: return k->v->pv.ctrlreg[kit_random(2) ? 0 : 4] ^ (kit_random(2) ? X86_CR0_TS : 0);
    case 2: return mfn_x(k->v->pv.guest_table) << PAGE_SHIFT;
    case 3: return kit_random(UINT64_C(1) << 32);
    default: return UINT64_C(0xffff800000000000) | kit_random(UINT64_C(1) << 40);
    }
}

/* What the last step left is nobody's business: each begins from the same state, with its own values in it. */
static void prepare(struct kit_scene *k, const struct insn_row *row, bool kernel)
{
    struct vcpu *v = k->v;
    struct cpu_state *r = v->regs;

    /* A value may be the frame of an empty page of the guest's, and that a root for CR3. */
    if (mfn_x(pv_guest_root(v)) != mfn_x(root) && new_guest_cr3(v, root, TRACE_CR3_MOV))
        kit_die("the guest has no root");
    memset(r->gpr, 0, sizeof(r->gpr));
    for (unsigned int i = 0; i < 16; i++)
        r->gpr[i] = value(k);
    if (row->property[0] == 'm')
        r->rcx = (r->rcx & ~UINT64_C(0xffffffff)) | msrs[kit_random(sizeof(msrs) / sizeof(msrs[0]))];
    if (!strcmp(row->property, "msr") && kit_random(2))
        r->rdx = 0, r->rax = kit_random(UINT64_C(1) << 20) << 12;
    r->rsp = k->scratch + 2048;
    r->rflags = X86_EFLAGS_IF | 2;
    r->rip = k->scratch;
    if (copy_to_guest(v, k->scratch, row->bytes, row->len))
        kit_die("the guest has no stack");
    v->pv.ctrlreg[0] = (v->pv.ctrlreg[0] & ~(uint64_t)X86_CR0_TS) | (kit_random(2) ? X86_CR0_TS : 0);
    v->pv.ctrlreg[2] = kit_random(1 << 20) << 12;
    v->pv.iopl = (unsigned int)kit_random(4);
    v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_KERNEL_CS, HANDLER };
    v->pv.trap_ctxt[X86_EXC_UD] = (struct trap_info){ X86_EXC_UD, 0, FLAT_KERNEL_CS, HANDLER + 16 };
    v->pv.kernel_mode = kernel;
}

static const char *const gpr_names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

/* Those whose bits are in which, as "rax = 0x1, rcx = 0", with what is between name and value. */
static void registers(char *text, size_t size, unsigned int which, const char *between, const uint64_t *gpr)
{
    size_t n = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < 16 && n < size; i++)
        if (which & 1U << i)
            n += (size_t)snprintf(text + n, size - n, "%s%s%s%#" PRIx64, n ? ", " : "", gpr_names[i], between, gpr[i]);
}

/* The exit is handled, and the place that the instruction is at watched. */
static struct {
    struct vcpu *v;
    struct sim_exit *e;
    const uint8_t *insn; /* as the check reaches it */
    uint64_t fetches;
} handled;

static void handled_run(void *data)
{
    (void)data;
    pv_handle_exit(handled.v, handled.e);
}

static void handled_seen(void *data, const void *place, bool write, uintptr_t code)
{
    const uint8_t *at = place;

    (void)data, (void)code;
    handled.fetches += !write && at >= handled.insn && at < handled.insn + INSN_MAX_LEN;
}

static void handle(struct kit_scene *k, struct sim_exit *e)
{
    uint32_t pfec = 0;
    const mfn_t mfn = guest_walk(k->v, k->scratch, &pfec);
    uint8_t *page = frame_write_begin(k->m, mfn);
    void *place = page + k->scratch % PAGE_SIZE;

    frame_write_end(k->m, mfn);
    handled.v = k->v, handled.e = e, handled.insn = place;
    kit_accesses(&place, 1, handled_run, handled_seen, NULL);
}

static void step(void *data, unsigned int number)
{
    struct kit_scene *k = data;
    struct vcpu *v = k->v;
    const struct insn_row *row = &rows[kit_random(sizeof(rows) / sizeof(rows[0]))];
    const bool kernel = kit_random(4) != 0;
    struct sim_exit e = { .kind = EXIT_EXCEPTION, .exception = { X86_EXC_GP, true, 0, { 0 } } };
    uint64_t gpr[16], cr[8], rip, went;
    unsigned int changed = 0;
    char text[600];

    (void)number;
    prepare(k, row, kernel);
    rip = v->regs->rip;
    memcpy(gpr, v->regs->gpr, sizeof(gpr));
    memcpy(cr, v->pv.ctrlreg, sizeof(cr));
    registers(text, sizeof(text), row->from, " ", gpr);
    kit_step("%s in the %s, IOPL %u, CR0.TS %d%s%s", row->text, kernel ? "kernel" : "user mode", v->pv.iopl,
             !!(cr[0] & X86_CR0_TS), text[0] ? ", " : "", text);
    handle(k, &e);

    went = v->regs->rip;
    if (went == HANDLER)
        snprintf(text, sizeof(text), "#GP, to the guest's handler");
    else if (went == HANDLER + 16)
        snprintf(text, sizeof(text), "#UD, to the guest's handler");
    else
        snprintf(text, sizeof(text), "carried out, RIP moved by %" PRId64, (int64_t)(went - rip));
    kit_fact(kernel || !strcmp(row->property, "iopl") ? row->property : "user", "%s", text);
    if (went == HANDLER || went == HANDLER + 16)
        v->regs->rsp = gpr[4]; /* there is a frame below it */
    for (unsigned int i = 0; i < 16; i++)
        changed |= (unsigned int)(gpr[i] != v->regs->gpr[i]) << i;
    registers(text, sizeof(text), changed, " = ", v->regs->gpr);
    kit_fact("registers", "changed: %s", text[0] ? text : "none");
    kit_fact("state", "CR0 %#" PRIx64 " CR2 %#" PRIx64 " CR4 %#" PRIx64 ", events masked: %d", v->pv.ctrlreg[0],
             v->pv.ctrlreg[2], v->pv.ctrlreg[4], v->vcpu_info->evtchn_upcall_mask);
}

static void end(void *data)
{
    struct kit_scene *k = data;

    kit_count("fetches", handled.fetches);
    kit_scene_end(k);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
