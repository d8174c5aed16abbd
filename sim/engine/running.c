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

_Thread_local __attribute__((tls_model("initial-exec"))) struct emu *emu_running;

void emu_stop(struct emu *e, enum emu_stop cause)
{
    if (e->stop == EMU_STOP_NONE)
        e->stop = cause;
    uc_emu_stop(e->uc);
}

void emu_run_begins(struct emu *e)
{
    e->stop = EMU_STOP_NONE;
    e->io_pending = false;
    e->mmu.not_canonical = false;
    e->debug.stopped = e->observe.stopped = false;
    e->observe.nr_done = 0;
}

/*
 * The guest has come to a point where it needs the hypervisor. Who runs it may deal with that here, and let it go on.
 */
void emu_leave(struct emu *e, enum emu_stop cause)
{
    if (e->stop == EMU_STOP_NONE && e->on_exit) {
        e->stop = cause;
        if (e->on_exit(e)) {
            emu_run_begins(e);
            return;
        }
    }
    emu_stop(e, cause);
}

uint64_t emu_exit_info2(const struct emu *e)
{
    const struct vmcb *vmcb = (const void *)(e->priv + EMU_PAGE_VMCB * PAGE_SIZE);

    return vmcb->exit_info2;
}

size_t emu_first_from(const uint64_t *sorted, size_t n, uint64_t addr)
{
    size_t from = 0;

    while (n) {
        const size_t half = n / 2;

        if (sorted[from + half] < addr) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

bool emu_observe_breaks(const struct emu *e, uint64_t pc)
{
    const struct emu_observe *o = &e->observe;
    const size_t i = emu_first_from(o->breaks, o->nr_breaks, pc);

    return i < o->nr_breaks && o->breaks[i] == pc;
}
