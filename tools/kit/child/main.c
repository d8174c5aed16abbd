// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab-kit FILE [ASKED [call N | from NS]]: the process in which a student's algorithm runs.
 *
 * Concept: nobody starts it but `xenlab kit` (tools/kit/ask.c), in a sandbox. It holds nothing that an algorithm might
 * want to have: no workload, no results. It gives up all system calls that one does not need, loads the shared object,
 * whose constructors are the first code that is not ours, then also gives up opening files, and answers. Nothing of
 * xenlab is in it that the object could call. (In a debugger it is asked by a file: tools/sandbox/asked.h.)
 */
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/kit/child/child.h"
#include "tools/sandbox/alone.h"
#include "tools/sandbox/asked.h"
#include "tools/sandbox/guarded.h"

static const struct kit_child *const kits[] = { &kit_child_memctl,  &kit_child_precopy, &kit_child_balance,
                                                &kit_child_reclaim, &kit_child_ring,    &kit_child_tlbflush,
                                                &kit_child_shadow,  &kit_child_evtchn };

static void message_send(const struct kit_message *m)
{
    if (!asked_answer(m, KIT_HEAD + m->len))
        _exit(GUARDED_EXIT_LOST);
}

static void tell(uint32_t kind, int64_t value, const char *text)
{
    static struct kit_message m;

    m = (struct kit_message){ .kind = kind, .value = value };
    m.len = (uint32_t)snprintf(m.bytes, 512, "%s", text) + 1;
    if (m.len > 512)
        m.len = 512;
    message_send(&m);
}

/* A system call that was given up. It has not been made. */
static void forbidden(int signal, siginfo_t *si, void *context)
{
    const struct kit_message m = { .kind = KIT_FORBIDDEN, .value = si->si_syscall };

    message_send(&m);
    _exit(2);
}

static _Noreturn void not_loaded(const char *what, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text), "%s%s", what, why);
    tell(KIT_NOT_LOADED, 0, text);
    _exit(1);
}

/* The table, if it has the shape that this program knows. Another size: it was built for another version of kit.h. */
static const void *table(const struct kit_child *kit, void *lib)
{
    const struct kit *k = dlsym(lib, kit->symbol);
    const ElfW(Sym) *sym = NULL;
    char text[200];
    Dl_info info;

    snprintf(text, sizeof(text), "exports no `const struct %s_ops %s`", kit->name, kit->symbol);
    if (!k)
        not_loaded(text, "");
    snprintf(text, sizeof(text), "%s is no `const struct %s_ops`", kit->symbol, kit->name);
    if (!dladdr1((const void *)k, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym ||
        ELF64_ST_TYPE(sym->st_info) != STT_OBJECT || sym->st_size < sizeof(*k))
        not_loaded(text, "");
    snprintf(text, sizeof(text), "%s has abi %u and size %u, where %u and %u are wanted: see xenlab/kit.h", kit->symbol,
             k->abi, k->size, XENLAB_KIT_ABI, (unsigned int)kit->size);
    if (k->abi != XENLAB_KIT_ABI || k->size != kit->size || sym->st_size != kit->size)
        not_loaded(text, "");
    return k;
}

/* Answer until there are no more questions. */
static _Noreturn void serve(const struct kit_child *kit, const void *ops)
{
    static struct kit_message m;
    const struct kit *k = ops;
    void *state = NULL;

    for (;;) {
        const ssize_t n = asked_receive(&m, sizeof(m));
        uint64_t seed;

        if (n < (ssize_t)KIT_HEAD)
            _exit(n ? GUARDED_EXIT_LOST : 0);
        if (m.hook == KIT_INIT) {
            memcpy(&seed, m.bytes, sizeof(seed));
            m.len = 0;
            state = k->init(seed);
        } else {
            kit->call(ops, state, &m);
        }
        fflush(stdout);
        m.kind = KIT_ANSWER;
        message_send(&m);
    }
}

int main(int argc, char **argv)
{
    static struct kit_message begin;
    const struct sigaction on_forbidden = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };
    const struct kit_child *kit = NULL;
    const void *ops;
    void *lib;

    if (argc < 2 || !asked_from(argc - 2, argv + 2) || asked_receive(&begin, sizeof(begin)) <= (ssize_t)KIT_HEAD ||
        begin.kind != KIT_BEGIN) {
        fprintf(stderr,
                "xenlab-kit: runs an algorithm for `xenlab kit`, which starts it; or once more, in a debugger:\n"
                "xenlab-kit ./POLICY.so FILE [call N | from NS]   where FILE is of xenlab kit --asked\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof(kits) / sizeof(*kits); i++)
        if (!strcmp(kits[i]->name, begin.bytes))
            kit = kits[i];
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGSYS, &on_forbidden, NULL);
    if (!kit)
        not_loaded("xenlab-kit is of another version", "");
    if (sandbox_alone(1))
        not_loaded("this kernel has no seccomp filters", "");
    tell(KIT_HERE, 0, "");
    lib = dlopen(argv[1], RTLD_NOW);
    if (!lib)
        not_loaded(dlerror(), "");
    ops = table(kit, lib);
#if !defined(__SANITIZE_ADDRESS__) /* which opens files when it has something to say */
    sandbox_alone(0);
#endif
    tell(KIT_HERE, 1, "");
    tell(KIT_LOADED, kit->hooks(ops) | (((const struct kit *)ops)->init != NULL),
         ((const struct kit *)ops)->name ?: "");
    serve(kit, ops);
}
