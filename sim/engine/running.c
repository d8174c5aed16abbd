// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine that runs: which one it is, and what stops it.
 *
 * Concept: Unicorn calls the functions that take the place of its own without saying for whom. So whoever lets its code
 * run notes the engine in emu_running first, and afterwards puts back what was there: that may be another engine, since
 * a machine can be switched on, or its translations be dropped, while the hypervisor deals with an exit of another
 * machine. One host thread runs one at a time.
 */
#include "sim/engine/emu.h"

#include "sim/vmcb.h"

_Thread_local struct emu *emu_running;

void emu_stop(struct emu *e, enum emu_stop cause)
{
    if (e->stop == EMU_STOP_NONE)
        e->stop = cause;
    uc_emu_stop(e->uc);
}

uint64_t emu_exit_info2(const struct emu *e)
{
    const struct vmcb *vmcb = (const void *)(e->priv + EMU_PAGE_VMCB * PAGE_SIZE);

    return vmcb->exit_info2;
}
