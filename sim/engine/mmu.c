// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the emulated MMU asks of the host, and what it does not say of its faults.
 *
 * Concept: three small things that Unicorn gets wrong around addresses, each corrected where it happens.
 *
 *  - Its TLB grows and shrinks by how often it was flushed in the last tenth of a second of the *host's* time. What a
 *    TLB has forgotten cannot be seen as long as it is transparent (flush.c), but a hypervisor that changes tables in
 *    silence has another. Here the time it is told is the machine's own.
 *  - An address that is not canonical gives #GP, whatever segment it was reached through. Through the stack segment it
 *    is #SS (AMD APM volume 2, 5.3.1 and 8.2.13). The address is noted when the fault is made; pcpu_exit.c then asks
 *    the decoder. An operand that begins below the hole and reaches into it is one as a whole: it is no #PF for the
 *    page that it begins in.
 *  - WRFSBASE and WRGSBASE take any address; one that is not canonical is #GP (AMD APM volume 3).
 */
#include <sys/time.h>
#include <time.h>

#include "sim/engine/pcpu_private.h"
#include "sim/engine/private.h"
#include "sim/insn.h"
#include "sim/vmcb.h"

/* MMUAccessType: load, store, fetch; the MMU mode of ring 3. */
#define ACCESS_STORE 1
#define ACCESS_FETCH 2
#define MMU_USER     1

/* The TLB's window is 100 ms; ten million instructions are what that was made for. */
#define TLB_CLOCK_SCALE 10

/* ------------------------------------------------------------------------------------ in place of the host's own -- */

/*
 * The engine asks while it runs. (When it is opened it sees the host's time once, as the beginning of a window that no
 * machine lives to see the end of: the window begins anew, in virtual time, when the TLB first grows.)
 */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    const struct emu *e = emu_running;
    struct timespec ts;

    if (e) {
        const s_time_t now = machine_now(e->m) * TLB_CLOCK_SCALE;

        ts.tv_sec = now / SECONDS(1);
        ts.tv_nsec = now % SECONDS(1);
    } else if (clock_gettime(CLOCK_REALTIME, &ts)) {
        return -1;
    }
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

/* ------------------------------------------------------------------------------------ in place of Unicorn's own -- */

/* The library does not say how many entries it has read. */
static void count_fill(struct emu *e, uint64_t addr)
{
    struct page_walk w;

    if (e->entering || !emu_walk(e, *raw_cr(&e->raw, 3), addr, &w))
        return;
    e->mmu.fills.fills++;
    e->mmu.fills.refs += 5 - w.level;
}

void machine_fills(const struct machine *m, struct machine_fills *direct, struct machine_fills *nested)
{
    const struct emu *e = m->edges->code ? m->edges->code->emu : NULL;

    *direct = e ? e->mmu.fills : (struct machine_fills){ 0 };
    *nested = e ? e->nested.fills : (struct machine_fills){ 0 };
}

bool x86_cpu_tlb_fill_x86_64(struct CPUState *cpu, uint64_t addr, int size, int type, int mmu_idx, bool probe,
                             uintptr_t retaddr)
{
    struct emu *e = emu_running;
    const uint64_t last = size > 1 ? addr + (unsigned int)size - 1 : addr;

    if (type != ACCESS_FETCH && !probe && is_canonical(addr) && !is_canonical(last))
        addr = last; /* the whole operand is looked at before any of it is translated */
    if (type != ACCESS_FETCH && !is_canonical(addr)) {
        e->mmu.not_canonical = true;
        e->mmu.addr = addr;
    }
    if (e->nested.on) {
        if (!emu_nested_fill(e, addr, type, mmu_idx, probe, retaddr))
            return false;
        emu_tlb_filled(e, (unsigned int)mmu_idx, addr);
        return true;
    }
    if (__builtin_expect(e->observe.nr_watches, 0) && !probe)
        emu_observe_walk(e, (struct CPUX86State *)(void *)e->raw.st, addr,
                         (type == ACCESS_STORE ? PFEC_write_access : 0) | (mmu_idx == MMU_USER ? PFEC_user_mode : 0),
                         retaddr);
    if (!e->real.x86_cpu_tlb_fill(cpu, addr, size, type, mmu_idx, probe, retaddr))
        return false;
    count_fill(e, addr);
    emu_tlb_filled(e, (unsigned int)mmu_idx, addr);
    return true;
}

/* Whether what stands at pc is a WRFSBASE or WRGSBASE whose operand is not canonical. */
static bool segment_base_refused(struct emu *e, uint64_t pc)
{
    uint8_t code[INSN_MAX_LEN];
    const size_t n = pcpu_fetch(e, pc, code, sizeof(code));
    const struct insn_prefixes p = insn_prefixes(code, n, true);
    const uint8_t modrm = p.nr + 2u < n ? code[p.nr + 2] : 0;

    if ((p.rex & 8) == 0 || (modrm >> 3 & 7) < 2) /* of 64 bits, and a write */
        return false;
    return !is_canonical(raw_gprs(&e->raw)[(modrm & 7) | (p.rex & 1) << 3]);
}

/*
 * Called in front of RDFSBASE and its kind, for CR4.FSGSBASE. Most registers hold canonical numbers most of the time.
 */
void helper_cr4_testbit_x86_64(struct CPUX86State *env, uint32_t bit)
{
    struct emu *e = emu_running;
    const uintptr_t retaddr = (uintptr_t)__builtin_return_address(0);
    bool suspect = false;

    if (!(*raw_cr(&e->raw, 4) & bit))
        raise_exception_err_ra_x86_64(env, TRAP_invalid_op, 0, retaddr);
    for (unsigned int i = 0; i < 16; i++)
        suspect |= !is_canonical(raw_gprs(&e->raw)[i]);
    if (suspect && bit == X86_CR4_FSGSBASE && segment_base_refused(e, emu_insn_at(e, retaddr)))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, retaddr);
}
