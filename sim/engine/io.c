// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O instructions leave the guest before they execute.
 *
 * Concept: Unicorn has no I/O intercept, and its hook for IN and OUT cannot stop exactly. So the functions behind the
 * instructions are replaced: they note port, size and direction and raise #GP, which restores the exact instruction
 * pointer and leaves like every exception; pcpu_exit.c then reports an I/O exit instead of the #GP. Nothing has been
 * read or written, so the hypervisor may emulate the instruction, refuse it (the #GP it would have been), or run it
 * again. INS and OUTS do not come here: of INS the emulator would have stored a zero by then, to probe for a page
 * fault. They are refused at the gate (gate.c), and pcpu_exit.c sees what they were.
 *
 * RDTSCP has an intercept, but Unicorn makes it look like an RDTSC, one call too deep for its tables of instructions.
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/vmcb.h"

static void io_exit(struct CPUX86State *env, uint32_t port, uint8_t size, bool in, void *host_pc)
{
    struct emu *e = emu_running;

    e->io_pending = true;
    e->io_port = (uint16_t)port;
    e->io_size = size;
    e->io_in = in;
    raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, (uintptr_t)host_pc);
}

/* The address to return to tells which guest instruction this is. */
#define IO_HELPERS(letter, size)                                                                                       \
    void helper_out##letter##_x86_64(struct CPUX86State *env, uint32_t port, uint32_t data)                            \
    {                                                                                                                  \
        io_exit(env, port, size, false, __builtin_return_address(0));                                                  \
    }                                                                                                                  \
    uint64_t helper_in##letter##_x86_64(struct CPUX86State *env, uint32_t port)                                        \
    {                                                                                                                  \
        io_exit(env, port, size, true, __builtin_return_address(0));                                                   \
        return 0;                                                                                                      \
    }

IO_HELPERS(b, 1)
IO_HELPERS(w, 2)
IO_HELPERS(l, 4)

void helper_rdtscp_x86_64(struct CPUX86State *env)
{
    cpu_svm_check_intercept_param_x86_64(env, SVM_EXIT_RDTSCP, 0, (uintptr_t)__builtin_return_address(0));
}
