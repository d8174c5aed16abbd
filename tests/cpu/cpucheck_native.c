// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases on the host's processor.
 *
 * Concept: a batch of cases runs in one child process, which is the only one that random code can damage. The child
 * never calls the code: a signal handler on a stack of its own is entered by the trap that ends each case, writes down
 * the interrupted registers (the kernel has saved them in the signal frame), puts the next case's there, and returns
 * into it. So loading and saving all of the user-visible state is the kernel's work, 32-bit code included: its code
 * segment is one that Linux has for every process.
 *
 * Could pass wrongly: a case that kills the child is not judged, so it is counted, and printed.
 */
#include "tests/cpu/cpucheck.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define USER_CS32 0x23u
#define USER_CS64 0x33u
#define USER_DS   0x2bu

/* Linux puts these behind the FXSAVE image of a signal frame when the processor has XSAVE (asm/sigcontext.h). */
#define FRAME_MAGIC_AT 464
#define FRAME_MAGIC    0x46505853u
#define XSTATE_BV_AT   512

#define ALT_STACK (64u << 10)

struct native_job {
    uint8_t code[CHECK_MAX_INSNS * 15 + 2];
    size_t code_len;
    uint8_t bits;
    uint64_t gpr[16], rflags;
    uint8_t fxsave[512];
};

/* Shared between the test and its children. */
struct check_native {
    int to_server, from_server; /* pipes */
    pid_t server;
    unsigned int max, nr, next;
    bool started;
    uint8_t mem[CHECK_PAGES][CHECK_PAGE];
    struct native_job *jobs;
    struct check_result *results;
    size_t size;
};

/* The processor's encoding to the order of a signal frame. */
static const int greg[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static struct check_native *shared; /* the handler's only way to it */
static uint8_t *code; /* where CHECK_CODE can be written: what changes its own code is another test's subject */

/* ------------------------------------------------------------------------------------------------- in the child -- */

static void memory_load(const struct check_native *n)
{
    memcpy((void *)(uintptr_t)CHECK_DATA, n->mem[0], 2 * CHECK_PAGE);
    memcpy((void *)(uintptr_t)CHECK_STACK, n->mem[2], CHECK_PAGE);
}

static void job_load(const struct native_job *j, ucontext_t *uc)
{
    greg_t *r = uc->uc_mcontext.gregs;
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint32_t magic;
    uint64_t xstate_bv;

    memory_load(shared);
    memset(code, 0, CHECK_PAGE); /* it is read as data, too */
    memcpy(code, j->code, j->code_len);
    for (unsigned int i = 0; i < 16; i++)
        r[greg[i]] = (greg_t)j->gpr[i];
    r[REG_EFL] = (greg_t)j->rflags;
    r[REG_RIP] = CHECK_CODE;
    r[REG_CSGSFS] = (greg_t)((uint64_t)USER_DS << 48 | (j->bits == 32 ? USER_CS32 : USER_CS64));
    memcpy(fp, j->fxsave, 464);
    memcpy(&magic, fp + FRAME_MAGIC_AT, sizeof(magic));
    if (magic != FRAME_MAGIC)
        return;
    memcpy(&xstate_bv, fp + XSTATE_BV_AT, sizeof(xstate_bv));
    xstate_bv |= 3; /* x87 and SSE state come from the frame, however plain the interrupted one was */
    memcpy(fp + XSTATE_BV_AT, &xstate_bv, sizeof(xstate_bv));
}

static void result_save(struct check_result *res, const ucontext_t *uc)
{
    const greg_t *r = uc->uc_mcontext.gregs;

    for (unsigned int i = 0; i < 16; i++)
        res->gpr[i] = (uint64_t)r[greg[i]];
    res->rip = (uint64_t)r[REG_RIP];
    res->rflags = (uint64_t)r[REG_EFL];
    res->vector = (uint8_t)r[REG_TRAPNO];
    res->error_code = (uint32_t)r[REG_ERR];
    res->addr = (uint64_t)r[REG_CR2];
    memcpy(res->fxsave, uc->uc_mcontext.fpregs, 464);
    memcpy(res->mem[0], (void *)(uintptr_t)CHECK_DATA, 2 * CHECK_PAGE);
    memcpy(res->mem[2], (void *)(uintptr_t)CHECK_STACK, CHECK_PAGE);
    res->ran = true;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
    struct check_native *n = shared;

    /* NT and ID are not in what the kernel takes from a signal frame: they stay as they are here. */
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" ::"i"(~0x204000) : "memory", "cc");
    if (n->started)
        result_save(&n->results[n->next++], context);
    n->started = true;
    if (n->next == n->nr)
        _exit(0);
    job_load(&n->jobs[n->next], context);
}

static void page_map(uint32_t addr, unsigned int pages, int prot)
{
    void *p = mmap((void *)(uintptr_t)addr, pages * CHECK_PAGE, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);

    if (p != (void *)(uintptr_t)addr)
        _exit(3);
}

static void code_map(void)
{
    const int fd = memfd_create("code", 0);
    void *p;

    if (fd < 0 || ftruncate(fd, CHECK_PAGE))
        _exit(3);
    code = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p = mmap((void *)(uintptr_t)CHECK_CODE, CHECK_PAGE, PROT_READ | PROT_EXEC,
             MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0);
    if (code == MAP_FAILED || p != (void *)(uintptr_t)CHECK_CODE)
        _exit(3);
    close(fd);
}

static void child(struct check_native *n)
{
    static const int signals[] = { SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP };
    stack_t ss = { .ss_size = ALT_STACK };
    struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    code_map();
    page_map(CHECK_DATA, 2, PROT_READ | PROT_WRITE);
    page_map(CHECK_STACK, 1, PROT_READ | PROT_WRITE);
    page_map(CHECK_RO, 1, PROT_READ | PROT_WRITE);
    memcpy((void *)(uintptr_t)CHECK_RO, n->mem[3], CHECK_PAGE);
    mprotect((void *)(uintptr_t)CHECK_RO, CHECK_PAGE, PROT_READ);
    ss.ss_sp = mmap(NULL, ALT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    sigaltstack(&ss, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &sa, NULL);
    alarm(20);
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"(USER_DS)); /* 32-bit code has no use for null selectors */
    __asm__ volatile("int3" ::: "memory");
    _exit(4);
}

/* ----------------------------------------------------------------------------------------------- in the server -- */

/* Forks a child for each byte that it reads: a process that has grown no guest forks faster. */
static void server(struct check_native *n, int in, int out)
{
    char go;

    shared = n;
    while (read(in, &go, 1) == 1) {
        int status = 0;
        const pid_t pid = fork();

        if (pid == 0)
            child(n);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || write(out, &status, sizeof(status)) != sizeof(status))
            _exit(1);
    }
    _exit(0);
}

/* ------------------------------------------------------------------------------------------------ in the parent -- */

struct check_native *check_native_create(unsigned int max)
{
    const size_t jobs = (sizeof(struct check_native) + 63) & ~(size_t)63;
    const size_t results = jobs + (max * sizeof(struct native_job) + 63) / 64 * 64;
    const size_t size = results + max * sizeof(struct check_result);
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct check_native *n = (void *)p;
    int to[2], from[2];

    if (p == MAP_FAILED || pipe(to) || pipe(from))
        abort();
    *n =
        (struct check_native){ .max = max, .jobs = (void *)(p + jobs), .results = (void *)(p + results), .size = size };
    fflush(NULL);
    n->server = fork();
    if (n->server < 0)
        abort();
    if (n->server == 0) {
        close(to[1]);
        close(from[0]);
        server(n, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    n->to_server = to[1];
    n->from_server = from[0];
    return n;
}

void check_native_destroy(struct check_native *n)
{
    close(n->to_server);
    close(n->from_server);
    waitpid(n->server, NULL, 0);
    munmap(n, n->size);
}

/* Runs jobs from n->next on, until the child is through, or dead. */
static void child_run(struct check_native *n)
{
    int status;

    n->started = false;
    if (write(n->to_server, "", 1) != 1 || read(n->from_server, &status, sizeof(status)) != sizeof(status))
        abort();
    if (WIFEXITED(status) && WEXITSTATUS(status)) {
        fprintf(stderr, "cpucheck: the child cannot be set up (%d)\n", WEXITSTATUS(status));
        abort();
    }
}

void check_native_run(struct check_native *n, const struct check_case *cases, unsigned int nr,
                      uint8_t (*mem)[CHECK_PAGE], struct check_result *results)
{
    if (nr > n->max)
        abort();
    memcpy(n->mem, mem, sizeof(n->mem));
    n->nr = nr;
    for (unsigned int i = 0; i < nr; i++) {
        struct native_job *j = &n->jobs[i];

        j->code_len = check_case_code(&cases[i], j->code);
        j->bits = cases[i].bits;
        j->rflags = cases[i].rflags;
        memcpy(j->gpr, cases[i].gpr, sizeof(j->gpr));
        memcpy(j->fxsave, cases[i].fxsave, sizeof(j->fxsave));
        n->results[i].ran = false;
    }
    n->next = 0;
    while (n->next < nr) {
        child_run(n);
        if (n->next < nr)
            n->next++; /* this one killed it */
    }
    memcpy(results, n->results, nr * sizeof(*results));
}

bool check_native_has_32(struct check_native *n)
{
    struct check_case c = { .bits = 32, .rflags = 0x202, .nr = 1 };
    struct check_result r;
    static uint8_t mem[CHECK_PAGES][CHECK_PAGE];

    c.insn[0] = (struct check_insn){ .bytes = { 0x40 }, .len = 1 }; /* INC EAX, which 64-bit code takes for a prefix */
    c.fxsave[0] = 0x7f;
    c.fxsave[1] = 0x03;
    check_native_run(n, &c, 1, mem, &r);
    return r.ran && r.vector == 6 && (uint32_t)r.gpr[0] == 1;
}
