// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab-policy FILE [ASKED [call N | from NS]]: the process in which a student's policy runs.
 *
 * Concept: nobody starts it but the workbench (tools/workbench/remote.c), in a sandbox. It holds nothing that a policy
 * might want to have: no workload, no results, no report. It gives up all system calls that a policy does not need,
 * loads the shared object, whose constructors are the first code that is not ours, then also gives up opening files,
 * and serves. From the library it has what policies may call (POLICY_MAY in the Makefile), so an object that wants more
 * of xenlab cannot be loaded. In a debugger it is asked by a file: tools/sandbox/asked.h.
 */
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/policy/mirror.h"
#include "tools/sandbox/alone.h"
#include "tools/sandbox/asked.h"

static void tell(uint32_t kind, int64_t result)
{
    const struct wire_answer a = { .kind = kind, .result = result };

    policy_send(&a, WIRE_ANSWER_SIZE);
}

/* A system call that was given up. It has not been made. */
static void forbidden(int signal, siginfo_t *si, void *context)
{
    tell(WIRE_FORBIDDEN, si->si_syscall);
    _exit(2);
}

static _Noreturn void not_loaded(const char *what, const char *why)
{
    struct wire_answer a = { .kind = WIRE_NOT_LOADED };

    snprintf(a.text, sizeof(a.text), "%s%s", what, why);
    policy_send(&a, sizeof(a));
    _exit(1);
}

/* The table, if it has the shape that this program knows. Another size: it was built for another version of sched.h. */
static const struct sched_ops *table(void *lib)
{
    void *ops = dlsym(lib, "xenlab_sched_ops");
    const ElfW(Sym) *sym = NULL;
    char text[160];
    Dl_info info;

    if (!ops)
        not_loaded("exports no `const struct sched_ops xenlab_sched_ops`", "");
    if (!dladdr1(ops, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym || !sym->st_size)
        return ops;
    if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT)
        not_loaded("xenlab_sched_ops is no `const struct sched_ops`", "");
    snprintf(
        text, sizeof(text),
        "xenlab_sched_ops has %lu bytes, a struct sched_ops has %zu: built with another version of vcpu/sched/sched.h",
        (unsigned long)sym->st_size, sizeof(struct sched_ops));
    if (sym->st_size != sizeof(struct sched_ops))
        not_loaded(text, "");
    return ops;
}

/* Its names, and which hooks it has. */
static void tell_table(const struct sched_ops *ops)
{
    struct wire_answer a = { .kind = WIRE_LOADED, .sched_id = ops->sched_id };
    const char *name = ops->name ? ops->name : "", *opt_name = ops->opt_name ? ops->opt_name : "";

    snprintf(a.text, 64, "%s", opt_name);
    snprintf(a.text + strlen(a.text) + 1, 128, "%s", name);
#define X(hook) a.hooks |= (uint32_t)(ops->hook != NULL) << WIRE_##hook;
    WIRE_HOOKS(X)
#undef X
    policy_send(&a, sizeof(a));
}

int main(int argc, char **argv)
{
    static struct mirror mirror;
    static struct wire_question begin;
    const struct sigaction on_forbidden = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };
    const struct sched_ops *ops;
    void *lib;

    if (argc < 2 || !asked_from(argc - 2, argv + 2) || asked_receive(&begin, sizeof(begin)) != (ssize_t)sizeof(begin) ||
        begin.kind != WIRE_BEGIN) {
        fprintf(stderr,
                "xenlab-policy: runs a policy for `xenlab sched`, which starts it; or once more, in a debugger:\n"
                "xenlab-policy ./POLICY.so FILE [call N | from NS]   where FILE is of xenlab sched --asked\n");
        return 1;
    }
    mirror_init(&mirror);
    mirror.machine.seed = mirror.machine.prng = (uint64_t)begin.value;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGSYS, &on_forbidden, NULL);
    if (sandbox_alone(1))
        not_loaded("this kernel has no seccomp filters", "");
    tell(WIRE_HERE, 0);
    lib = dlopen(argv[1], RTLD_NOW);
    if (!lib)
        not_loaded(dlerror(), "");
    ops = table(lib);
#if !defined(__SANITIZE_ADDRESS__) /* which opens files when it has something to say */
    sandbox_alone(0);
#endif
    tell(WIRE_HERE, 1);
    tell_table(ops);
    policy_serve(&mirror, ops);
}
