// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A block of translated code, as far as the engine knows how Unicorn lays it out, and where its instructions are
 * counted.
 */
#ifndef SIM_ENGINE_BLOCK_H
#define SIM_ENGINE_BLOCK_H

#include "sim/engine/emu.h"

/*
 * struct TranslationBlock of 2.1.1. The first four are what a block is found by; TB_HOW is the third byte of TB_CFLAGS.
 */
enum {
    TB_PC = 0x00,
    TB_CS_BASE = 0x08,
    TB_FLAGS = 0x10,
    TB_SIZE = 0x14, /* uint16_t: bytes that it was made from */
    TB_CFLAGS = 0x18,
    TB_HOW = 0x1a,
    TB_CODE = 0x20,
    TB_PAGE = 0x48, /* physical addresses of what it was made from */
    TB_PAGE_2 = 0x50,
};
#define TB_HOW_COUNTING 0x02

/* From the processor's state: the flag that blocks look at. Its lower half is where a restore reports to. */
#define STOP_FLAG -16

/*
 * Debug registers that the processor does not have. Upper half of the first: a note to the call in front of an
 * instruction.
 */
#define COUNTER_DR 4
#define EXPIRED_DR 5
/* In `expired`, beside the number: the block ends with a transfer of control, wherever it began. */
#define EXPIRED_CLOSED (1u << 16)

#endif
