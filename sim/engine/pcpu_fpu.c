// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floating point unit, as an FXSAVE image.
 *
 *      offset  0    2    4   5  6    8        16       24      28         32            160
 *             +----+----+---+--+----+--------+--------+-------+----------+-------------+--------------+
 *             |FCW |FSW |FTW| -|FOP | FIP    | FDP    | MXCSR | MXCSR    | ST0..ST7    | XMM0..XMM15  |
 *             |    |    |   |  |    |        |        |       | mask     | 16 bytes ea.| 16 bytes each|
 *             +----+----+---+--+----+--------+--------+-------+----------+-------------+--------------+
 *
 * FTW is abridged: one bit a register (by physical number), set when it is not empty. ST(i) is physical register
 * (TOP + i) mod 8, TOP being bits 13:11 of FSW. AMD APM volume 2, 11.4.4.
 */
#include "sim/engine/pcpu_private.h"

#define MXCSR_MASK 0xffffu

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Of an image, what a processor takes of it and gives back; the rest is 0. */
static const struct fpu_part {
    uint16_t at, len;
} parts[] = { { 0, 5 }, { 6, 22 }, { 160, 256 } };

void cpu_state_set_fpu(struct cpu_state *st, const void *image)
{
    static const uint16_t fcw = 0x37f;
    static const uint32_t mxcsr = 0x1f80, mask = MXCSR_MASK;
    uint8_t *img = st->fxsave;

    memset(img, 0, sizeof(st->fxsave));
    st->fpu_cs = st->fpu_ds = 0;
    memcpy(img, &fcw, sizeof(fcw));
    memcpy(img + 24, &mxcsr, sizeof(mxcsr));
    for (size_t i = 0; image && i < ARRAY_SIZE(parts); i++)
        memcpy(img + parts[i].at, (const uint8_t *)image + parts[i].at, parts[i].len);
    for (size_t i = 0; image && i < 8; i++) /* ST(i): 10 bytes of 16 */
        memcpy(img + 32 + 16 * i, (const uint8_t *)image + 32 + 16 * i, 10);
    for (size_t i = 0; i < sizeof(mask); i++) {
        img[24 + i] &= (uint8_t)(mask >> 8 * i);
        img[28 + i] = (uint8_t)(mask >> 8 * i);
    }
    st->dirty |= CPU_DIRTY_FPU;
}

/*
 * Where the last x87 instruction was, and its operand. Unicorn changes them only when they are loaded, but a guest may
 * load them, and must not find another's.
 */
static void load_pointers(struct emu *e, const struct cpu_state *st)
{
    const uint8_t *img = st->fxsave;

    uc_reg_write(e->uc, UC_X86_REG_FOP, img + 6);
    uc_reg_write(e->uc, UC_X86_REG_FIP, img + 8);
    uc_reg_write(e->uc, UC_X86_REG_FDP, img + 16);
    uc_reg_write(e->uc, UC_X86_REG_FCS, &st->fpu_cs);
    uc_reg_write(e->uc, UC_X86_REG_FDS, &st->fpu_ds);
}

static void save_pointers(struct emu *e, struct cpu_state *st)
{
    uint8_t *img = st->fxsave;

    uc_reg_read(e->uc, UC_X86_REG_FOP, img + 6);
    uc_reg_read(e->uc, UC_X86_REG_FIP, img + 8);
    uc_reg_read(e->uc, UC_X86_REG_FDP, img + 16);
    uc_reg_read(e->uc, UC_X86_REG_FCS, &st->fpu_cs);
    uc_reg_read(e->uc, UC_X86_REG_FDS, &st->fpu_ds);
}

/* Unicorn's tag word has two bits a register, 3 for an empty one. */
void pcpu_fpu_load(struct emu *e, const struct cpu_state *st)
{
    const uint8_t *img = st->fxsave;
    uint16_t fcw = get16(img), fsw = get16(img + 2), tags = 0;
    uint32_t mxcsr;

    for (unsigned int i = 0; i < 8; i++)
        if (!(img[4] & 1u << i))
            tags |= (uint16_t)(3u << 2 * i);
    memcpy(&mxcsr, img + 24, 4);
    mxcsr &= MXCSR_MASK;
    uc_reg_write(e->uc, UC_X86_REG_FPCW, &fcw);
    uc_reg_write(e->uc, UC_X86_REG_FPSW, &fsw);
    load_pointers(e, st);
    for (int i = 0; i < 8; i++)
        uc_reg_write(e->uc, UC_X86_REG_ST0 + i, img + 32 + 16 * i);
    uc_reg_write(e->uc, UC_X86_REG_FPTAG, &tags);
    uc_reg_write(e->uc, UC_X86_REG_MXCSR, &mxcsr);
    for (int i = 0; i < 16; i++)
        uc_reg_write(e->uc, UC_X86_REG_XMM0 + i, img + 160 + 16 * i);
}

void pcpu_fpu_save(struct emu *e, struct cpu_state *st)
{
    uint8_t *img = st->fxsave;
    const uint32_t mask = MXCSR_MASK;
    uint16_t tags = 0;

    memset(img, 0, sizeof(st->fxsave));
    uc_reg_read(e->uc, UC_X86_REG_FPCW, img);
    uc_reg_read(e->uc, UC_X86_REG_FPSW, img + 2);
    save_pointers(e, st);
    uc_reg_read(e->uc, UC_X86_REG_FPTAG, &tags);
    for (unsigned int i = 0; i < 8; i++)
        if ((tags >> 2 * i & 3) != 3)
            img[4] |= (uint8_t)(1u << i);
    uc_reg_read(e->uc, UC_X86_REG_MXCSR, img + 24);
    memcpy(img + 28, &mask, 4);
    for (int i = 0; i < 8; i++)
        uc_reg_read(e->uc, UC_X86_REG_ST0 + i, img + 32 + 16 * i);
    for (int i = 0; i < 16; i++)
        uc_reg_read(e->uc, UC_X86_REG_XMM0 + i, img + 160 + 16 * i);
}
