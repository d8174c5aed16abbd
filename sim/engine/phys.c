// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the emulated MMU reads and writes page tables: straight in memory.
 *
 * Concept: a walk through page tables is four reads of physical memory, and every exit writes a field of the VMCB. The library asks its
 * map of memory regions each time; but all memory is two blocks, and where they lie is known. What lies in neither still goes to
 * the library, and so does a write to a frame with translated code in it, which has to be noticed (smc.c). Accessed and
 * dirty bits are written without such notice, here as there.
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"

uint64_t x86_ldq_phys_x86_64(struct CPUState *cpu, uint64_t addr)
{
    const uint8_t *p = emu_phys(emu_running, addr);
    uint64_t value;

    if (!p || addr & 7)
        return emu_running->real.x86_ldq_phys(cpu, addr);
    memcpy(&value, p, sizeof(value));
    return value;
}

void x86_stl_phys_notdirty_x86_64(struct CPUState *cpu, uint64_t addr, uint32_t value)
{
    uint8_t *p = emu_phys(emu_running, addr);

    if (p && !(addr & 3))
        memcpy(p, &value, sizeof(value));
    else
        emu_running->real.x86_stl_phys_notdirty(cpu, addr, value);
}

void x86_stq_phys_x86_64(struct CPUState *cpu, uint64_t addr, uint64_t value)
{
    uint8_t *p = emu_phys(emu_running, addr);

    if (p && !(addr & 7) && !emu_has_code(emu_running, addr))
        memcpy(p, &value, sizeof(value));
    else
        emu_running->real.x86_stq_phys(cpu, addr, value);
}
