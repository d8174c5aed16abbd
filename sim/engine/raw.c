// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the processor's registers in Unicorn's memory (see raw.h).
 *
 * Concept: two searches. The *state*: a Unicorn handle points at a processor object, which points at the state; write
 * numbers into the general registers through the API and follow every pointer two levels deep, reading through the
 * kernel so that a wild one does no harm, until they are found. The *layout*: change one register through the API;
 * where in the state the new number appears is where the register is.
 */
#include "sim/engine/raw.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/* A context of Unicorn's is the state behind a few words of its own, at most these. */
#define CONTEXT_HEAD 64

#define MAGIC(n) (UINT64_C(0x5aa5c33c00000000) + (uint64_t)(n)*0x01010101)

static const int api_gpr[16] = {
    UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
    UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
    UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
};

/* -------------------------------------------------------------------------------------------- the live state -- */

/* Copy from an address that may not be mapped. */
static bool peek(uint64_t addr, void *to, size_t len)
{
    struct iovec local = { to, len }, remote = { (void *)(uintptr_t)addr, len };

    return addr > 0x10000 && addr < UINT64_C(1) << 47 && !(addr & 7) &&
           process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

/* A copy that was left in memory holds the magic numbers, too: the live state follows a write. */
static bool is_live(const struct raw_cpu *r, uint64_t st)
{
    uint64_t regs[16], magic[16], probe = ~MAGIC(0);
    bool follows;

    for (unsigned int i = 0; i < 16; i++)
        magic[i] = MAGIC(i);
    if (!peek(st, regs, sizeof(regs)) || memcmp(regs, magic, sizeof(magic)))
        return false;
    uc_reg_write(r->uc, UC_X86_REG_RAX, &probe);
    follows = peek(st, regs, 8) && regs[0] == probe;
    uc_reg_write(r->uc, UC_X86_REG_RAX, &magic[0]);
    return follows;
}

/* Does the processor object at `cpu` point into itself at the live state? Then where, else NULL. */
static uint8_t *find_state(const struct raw_cpu *r, uint64_t cpu)
{
    uint64_t word[128];

    if (!peek(cpu, word, sizeof(word)))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(word); i++)
        if (word[i] > cpu && word[i] <= cpu + 0x40000 && is_live(r, word[i]))
            return (uint8_t *)(uintptr_t)word[i];
    return NULL;
}

/* The sixteen general registers open the state: all other offsets are from there. */
static bool find_live(struct raw_cpu *r)
{
    const size_t words = malloc_usable_size(r->uc) / 8;
    const uint64_t *word = (const void *)r->uc;

    for (unsigned int i = 0; i < 16; i++) {
        const uint64_t magic = MAGIC(i);

        uc_reg_write(r->uc, api_gpr[i], &magic);
    }
    for (size_t i = 0; i < words && !r->st; i++)
        r->st = find_state(r, word[i]);
    return r->st;
}

/* ------------------------------------------------------------------------------------------------- the layout -- */

/* Byte offset of the only occurrence of `value` in the state, -1 when there is none or more than one. */
static int find_u64(const struct raw_cpu *r, uint64_t value)
{
    int found = -1;

    for (size_t i = 0; i + 8 <= r->size; i += 4) {
        if (memcmp(r->st + i, &value, 8))
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

/* Write a number through the API, find it, and write the old one back. */
static bool find_reg(struct raw_cpu *r, int reg, unsigned int magic, uint16_t *at)
{
    uint64_t old = 0, value = MAGIC(magic);
    int off;

    uc_reg_read(r->uc, reg, &old);
    uc_reg_write(r->uc, reg, &value);
    off = find_u64(r, value);
    uc_reg_write(r->uc, reg, &old);
    *at = (uint16_t)off;
    return off >= 0;
}

static bool find_mmr(struct raw_cpu *r, int reg, unsigned int magic, uint16_t *at)
{
    uc_x86_mmr old = { 0 }, mmr = { .base = MAGIC(magic), .limit = 0x1234 };
    bool found;
    int off;

    uc_reg_read(r->uc, reg, &old);
    uc_reg_write(r->uc, reg, &mmr);
    off = find_u64(r, mmr.base);
    *at = (uint16_t)(off - (int)offsetof(struct raw_segment, base));
    found = off >= 0 && raw_table(r, *at)->limit == mmr.limit;
    uc_reg_write(r->uc, reg, &old);
    return found;
}

/* EFER takes no arbitrary number: switch two bits and look for the word that was one value and becomes the other. */
static bool find_efer(struct raw_cpu *r, uint16_t *at)
{
    uc_x86_msr old = { .rid = 0xc0000080 }, msr;
    uint8_t *before = malloc(r->size);
    int found = -1;

    if (!before)
        return false;
    uc_reg_read(r->uc, UC_X86_REG_MSR, &old);
    memcpy(before, r->st, r->size);
    msr = old;
    msr.value ^= 0x801; /* NXE, SCE */
    uc_reg_write(r->uc, UC_X86_REG_MSR, &msr);
    for (size_t i = 0; i + 8 <= r->size; i += 4)
        if (!memcmp(before + i, &old.value, 8) && !memcmp(r->st + i, &msr.value, 8)) {
            found = found < 0 ? (int)i : (int)r->size;
        }
    uc_reg_write(r->uc, UC_X86_REG_MSR, &old);
    free(before);
    *at = (uint16_t)found;
    return found >= 0 && found < (int)r->size;
}

/* SWAPGS exchanges this one, which is written like any MSR. */
static bool find_kernel_gs_base(struct raw_cpu *r, uint16_t *at)
{
    uc_x86_msr old = { .rid = 0xc0000102 }, msr = { .rid = 0xc0000102, .value = MAGIC(27) };
    int off;

    uc_reg_read(r->uc, UC_X86_REG_MSR, &old);
    uc_reg_write(r->uc, UC_X86_REG_MSR, &msr);
    off = find_u64(r, msr.value);
    uc_reg_write(r->uc, UC_X86_REG_MSR, &old);
    *at = (uint16_t)off;
    return off >= 0;
}

/* MXCSR like EFER, of 32 bits: all of its own that can be set, then none. */
static bool find_mxcsr(struct raw_cpu *r, uint16_t *at)
{
    const uint32_t odd = 0xa5c3, even = 0x1f80;
    uint8_t *before = malloc(r->size);
    int found = -1;

    if (!before)
        return false;
    uc_reg_write(r->uc, UC_X86_REG_MXCSR, &odd);
    memcpy(before, r->st, r->size);
    uc_reg_write(r->uc, UC_X86_REG_MXCSR, &even);
    for (size_t i = 0; i + 4 <= r->size; i += 4)
        if (!memcmp(before + i, &odd, 4) && !memcmp(r->st + i, &even, 4))
            found = found < 0 ? (int)i : (int)r->size;
    free(before);
    *at = (uint16_t)found;
    return found >= 0 && found < (int)r->size;
}

/* XMM0, by half of it; the other half follows. */
static bool find_xmm0(struct raw_cpu *r, uint16_t *at)
{
    const uint64_t value[2] = { MAGIC(25), MAGIC(26) }, zero[2] = { 0 };
    int off;

    uc_reg_write(r->uc, UC_X86_REG_XMM0, value);
    off = find_u64(r, value[0]);
    *at = (uint16_t)off;
    uc_reg_write(r->uc, UC_X86_REG_XMM0, zero);
    return off >= 0;
}

/* The flags follow RIP: eflags, cc_dst, cc_src, cc_src2, cc_op, df, hflags. Check it by what a write of RFLAGS does. */
static bool find_flags(struct raw_cpu *r)
{
    struct raw_layout *at = &r->at;
    uint64_t rflags = 0x2 | RAW_DF | 0x45; /* DF ZF PF CF */
    bool ok;

    at->eflags = at->eip + 8;
    at->cc_src = at->eip + 24;
    at->cc_op = at->eip + 40;
    at->df = at->eip + 44;
    at->hflags = at->eip + 48;
    uc_reg_write(r->uc, UC_X86_REG_RFLAGS, &rflags);
    ok = (raw_get(r, eflags, uint64_t) & ~(rflags | 0x202)) == 0 && raw_get(r, cc_src, uint64_t) == 0x45 &&
         raw_get(r, cc_op, uint32_t) == RAW_CC_OP_EFLAGS && raw_get(r, df, int32_t) == -1 &&
         (raw_get(r, hflags, uint32_t) & (RAW_HF_CS64 | RAW_HF_LMA | RAW_HF_PE)) ==
             (RAW_HF_CS64 | RAW_HF_LMA | RAW_HF_PE);
    rflags = 2;
    uc_reg_write(r->uc, UC_X86_REG_RFLAGS, &rflags);
    return ok;
}

const char *raw_layout_find(struct raw_cpu *r, uc_engine *uc)
{
    struct raw_layout *at = &r->at;
    uint16_t gs;

    *r = (struct raw_cpu){ .uc = uc, .size = (uc_context_size(uc) & ~(size_t)7) - CONTEXT_HEAD };
    if (!find_live(r))
        return "its general registers are not where they can be found";
    if (!find_reg(r, UC_X86_REG_RIP, 16, &at->eip) || !find_flags(r))
        return "its flags are not where they can be found";
    if (!find_reg(r, UC_X86_REG_FS_BASE, 17, &at->segs) || !find_reg(r, UC_X86_REG_GS_BASE, 18, &gs) ||
        gs - at->segs != sizeof(struct raw_segment))
        return "its segment registers are not where they can be found";
    at->segs -= 4 * sizeof(struct raw_segment) + offsetof(struct raw_segment, base);
    if (!find_mmr(r, UC_X86_REG_GDTR, 19, &at->gdt) || !find_mmr(r, UC_X86_REG_IDTR, 20, &at->idt) ||
        !find_mmr(r, UC_X86_REG_LDTR, 21, &at->ldt) || !find_mmr(r, UC_X86_REG_TR, 22, &at->tr))
        return "its descriptor table registers are not where they can be found";
    if (!find_reg(r, UC_X86_REG_CR3, 23, &at->cr) || !find_efer(r, &at->efer) ||
        !find_reg(r, UC_X86_REG_DR0, 24, &at->dr) || !find_kernel_gs_base(r, &at->kernel_gs_base))
        return "its control registers are not where they can be found";
    at->cr -= 3 * 8;
    if (!find_mxcsr(r, &at->mxcsr) || !find_xmm0(r, &at->xmm0))
        return "its MXCSR or XMM0 is not where it can be found";
    return NULL;
}

const char *raw_error_code_find(struct raw_cpu *r, const uint32_t *codes, unsigned int n,
                                bool (*run)(void *data, unsigned int i), void *data)
{
    bool *possible = malloc(r->size);
    const char *why = NULL;
    unsigned int left = 0;

    if (!possible)
        return "no memory";
    memset(possible, true, r->size);
    for (unsigned int i = 0; i < n && !why; i++) {
        if (!run(data, i))
            why = "a page fault did not arrive as one";
        for (size_t off = 0; off + 4 <= r->size; off += 4)
            possible[off] = possible[off] && !memcmp(r->st + off, &codes[i], 4);
    }
    for (size_t off = 0; off < r->size && !why; off += 4) {
        if (possible[off]) {
            r->at.error_code = (uint16_t)off;
            left++;
        }
    }
    free(possible);
    if (!why && left != 1)
        why = "the error code of an exit is not where it can be found";
    return why;
}
