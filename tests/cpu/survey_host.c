// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The survey's cases on the processor that this program runs on: which of them are #UD, and how long are the others?
 *
 * Concept: a child stands still under ptrace(). For each case its registers are set, it takes one step, and what
 * stopped it tells: SIGILL is #UD, another signal a fault of an instruction that exists, SIGTRAP one that executed, and
 * how far RIP went is its length. The child owns two pages: code, which this side writes, and data and stack.
 *
 * System calls are not asked. 32-bit code is reached through Linux's flat selector for it; where the kernel does not
 * run such code (some that are themselves guests do not), only 64-bit cases are asked.
 */
#include "tests/cpu/survey.h"

#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CODE      0x10000000u
#define SIZE      0x10000u
#define DATA      (CODE + 0x8000u)
#define USER32    0x23 /* Linux's selectors */
#define FLAT_DATA 0x2b

struct survey_host {
    pid_t child;
    bool has_32; /* 32-bit code executes */
    uint8_t *code;
    struct user_regs_struct regs;
};

static void leaf(void *data, uint32_t n, uint32_t subleaf, uint32_t regs[4])
{
    __cpuid_count(n, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

survey_features survey_host_features(void)
{
    uint32_t r[4];
    survey_features have = survey_features_read(leaf, NULL);

    leaf(NULL, 0x80000000, 0, r);
    if (r[0] < 0x80000008)
        have &= ~(UINT64_C(1) << FEAT_CLZERO | UINT64_C(1) << FEAT_RDPRU);
    return have;
}

/* Might it enter a kernel, or a hypervisor that answers for the processor (CPUID)? */
static bool is_not_to_be_asked(const struct survey_case *c)
{
    for (unsigned int i = 0; i + 1 < c->len; i++) {
        if (c->bytes[i] == 0x0f && memchr("\x05\x34\xa2", c->bytes[i + 1], 3))
            return true;
        if (c->bytes[i] == 0xcd || c->bytes[i] == 0xcc || c->bytes[i] == 0xce || c->bytes[i] == 0xf1)
            return true;
    }
    return false;
}

/*
 * LOCK VERW of memory is #UD, says the manual; with AMD's microcode of 2025, which gave VERW another task, it is not.
 */
static bool is_lock_verw(const struct survey_case *c)
{
    return c->map == MAP_0F && c->opcode == 0x00 && c->modrm < 0xc0 && (c->modrm >> 3 & 7) == 5 &&
           memchr(c->bytes, 0xf0, c->len);
}

enum survey_answer survey_host_ask(struct survey_host *h, const struct survey_case *c, unsigned int *len)
{
    struct user_regs_struct r = h->regs;
    int status;

    *len = 0;
    if (is_not_to_be_asked(c) || is_lock_verw(c) || (!survey_is_64(c->mode) && !h->has_32))
        return SURVEY_NOT_ASKED;
    memset(h->code, 0x90, 64);
    memcpy(h->code, c->bytes, c->len);
    memset(h->code + (DATA - CODE), 0, 0x2000);
    r.rax = r.rbx = r.rbp = r.rsi = r.rdi = DATA + 0x540;
    r.r8 = r.r9 = r.r10 = r.r11 = r.r12 = r.r13 = r.r14 = r.r15 = DATA + 0x740;
    r.rcx = 1, r.rdx = 0;
    r.rsp = DATA + 0x1800;
    r.rip = CODE;
    r.eflags = 0x202;
    r.orig_rax = (unsigned long)-1;
    if (!survey_is_64(c->mode))
        r.cs = USER32, r.ds = r.es = r.ss = FLAT_DATA;
    if (ptrace(PTRACE_SETREGS, h->child, NULL, &r) || ptrace(PTRACE_SINGLESTEP, h->child, NULL, NULL) ||
        waitpid(h->child, &status, 0) != h->child || !WIFSTOPPED(status))
        return SURVEY_NOT_ASKED;
    if (WSTOPSIG(status) == SIGILL)
        return SURVEY_UD;
    if (WSTOPSIG(status) == SIGTRAP && !ptrace(PTRACE_GETREGS, h->child, NULL, &r) && r.rip - CODE <= 15)
        *len = (unsigned int)(r.rip - CODE);
    return SURVEY_EXECUTES;
}

static bool executes_nop(struct survey_host *h, const char *mode)
{
    struct survey_case c;
    unsigned int len = 0;

    return survey_case_parse(&c, mode, "90") && survey_host_ask(h, &c, &len) == SURVEY_EXECUTES && len == 1;
}

struct survey_host *survey_host_create(void)
{
    struct survey_host *h = calloc(1, sizeof(*h));
    int status;

    if (!h)
        return NULL;
    h->code = mmap((void *)(uintptr_t)CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (h->code == MAP_FAILED) {
        free(h);
        return NULL;
    }
    h->child = fork();
    if (h->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(1);
        raise(SIGSTOP);
        _exit(1);
    }
    if (h->child < 0 || waitpid(h->child, &status, 0) != h->child || !WIFSTOPPED(status) ||
        ptrace(PTRACE_GETREGS, h->child, NULL, &h->regs)) {
        survey_host_destroy(h);
        return NULL;
    }
    h->has_32 = true;
    h->has_32 = executes_nop(h, "32");
    if (!executes_nop(h, "64")) {
        survey_host_destroy(h);
        return NULL;
    }
    return h;
}

void survey_host_destroy(struct survey_host *h)
{
    if (!h)
        return;
    if (h->child > 0) {
        kill(h->child, SIGKILL);
        waitpid(h->child, NULL, 0);
    }
    munmap(h->code, SIZE);
    free(h);
}
