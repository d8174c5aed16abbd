// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the emulated MMU reads and writes page tables: straight in memory.
 *
 * Concept: a walk through page tables is four reads of physical memory, and every exit writes a field of the VMCB. The
 * library asks its map of memory regions each time; but all memory is two blocks, and where they lie is known. What
 * lies in neither still goes to the library. Frames with translated code in them may be written here, too (a page table
 * may be what a guest executes, and gets accessed and dirty bits): the code is dropped, which the library itself never
 * does for such writes.
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/frame.h"

uint64_t x86_ldq_phys_x86_64(struct CPUState *cpu, uint64_t addr)
{
    const uint8_t *p = emu_phys(emu_running, addr);
    uint64_t value;

    if (!p || addr & 7)
        return emu_running->real.x86_ldq_phys(cpu, addr);
    memcpy(&value, p, sizeof(value));
    return value;
}

static inline void write_phys(uint64_t addr, uint8_t *p, const void *value, size_t n)
{
    if (addr < EMU_PRIVATE)
        frame_changes(emu_running->m, _mfn(addr >> PAGE_SHIFT));
    memcpy(p, value, n);
    if (__builtin_expect(emu_has_code(emu_running, addr), 0))
        emu_smc_invalidate(emu_running, emu_frame(emu_running, addr));
}

void x86_stl_phys_notdirty_x86_64(struct CPUState *cpu, uint64_t addr, uint32_t value)
{
    uint8_t *p = emu_phys(emu_running, addr);

    if (p && !(addr & 3))
        write_phys(addr, p, &value, sizeof(value));
    else
        emu_running->real.x86_stl_phys_notdirty(cpu, addr, value);
}

void x86_stq_phys_x86_64(struct CPUState *cpu, uint64_t addr, uint64_t value)
{
    uint8_t *p = emu_phys(emu_running, addr);

    if (p && !(addr & 7))
        write_phys(addr, p, &value, sizeof(value));
    else
        emu_running->real.x86_stq_phys(cpu, addr, value);
}
