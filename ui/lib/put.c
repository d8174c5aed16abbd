// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is put into a machine, each thing a record of its journal: see include/xenlab/xenlab.h.
 *
 * Invariant: a call puts in all that it is to put in, or nothing.
 */
#include "sim/trace.h"
#include "sim/x86.h"
#include "tools/ctl.h"
#include "tools/debug/look.h"
#include "tools/rewind/input.h"
#include "tools/rewind/made.h"
#include "ui/lib/lib.h"

#include <stdlib.h>
#include <string.h>

static int put(struct xenlab *x, enum journal_kind kind, uint64_t who, const void *bytes, size_t len)
{
    s_time_t now;

    if (!x)
        return -1;
    now = host_now(x->host) > x->until ? host_now(x->host) : x->until;
    if (rewind_hand_in(&x->rewind, kind, (unsigned int)who, bytes, len, now, x->err))
        return -1;
    return x->rewind.err[0] ? lib_fail(x, "%s", x->rewind.err) : 0;
}

/* For a vCPU; its number has 16 bits there. */
static int put_vcpu(struct xenlab *x, enum journal_kind kind, uint16_t domid, unsigned int vcpu, const void *bytes,
                    size_t len)
{
    if (vcpu > UINT16_MAX)
        return lib_fail(x, "there is no d%uv%u", domid, vcpu);
    return put(x, kind, TRACE_VCPU_ID(domid, vcpu), bytes, len);
}

/* --- domains without a kernel --- */

int xenlab_domain_create(struct xenlab *x, const struct xenlab_domain *what)
{
    static const uint32_t types[] = {
        [XENLAB_PV] = HOST_MADE_PV64, [XENLAB_PV32] = HOST_MADE_PV32, [XENLAB_HVM] = HOST_MADE_HVM
    };
    struct xenlab_domain d = { .size = 0 };
    struct made_domain m = { .what = MADE_CREATE };

    if (!lib_take(&d, sizeof(d), what))
        return lib_fail(x, "xenlab_domain_create: what has no size");
    m.made = (struct host_made){ .type = (unsigned int)d.type <= XENLAB_HVM ? types[d.type] : HOST_MADE_TYPES,
                                 .vcpus = d.vcpus ?: 1,
                                 .pages = d.pages ?: 64,
                                 .control = d.control };
    return put(x, JOURNAL_DOMAIN, 0, &m, sizeof(m)) ?: host_made_last(x->host);
}

static int domain_do(struct xenlab *x, uint16_t domid, enum host_made_what what)
{
    const struct made_domain m = { .what = what };

    return put(x, JOURNAL_DOMAIN, domid, &m, sizeof(m));
}

int xenlab_domain_unpause(struct xenlab *x, uint16_t domid) { return domain_do(x, domid, HOST_MADE_UNPAUSE); }
int xenlab_domain_pause(struct xenlab *x, uint16_t domid) { return domain_do(x, domid, HOST_MADE_PAUSE); }
int xenlab_domain_destroy(struct xenlab *x, uint16_t domid) { return domain_do(x, domid, HOST_MADE_DESTROY); }

/* --- calls and exits --- */

int xenlab_hypercall(struct xenlab *x, uint16_t domid, unsigned int vcpu, unsigned int nr, const uint64_t args[6],
                     int64_t *ret)
{
    uint64_t word[1 + MADE_ARGS] = { nr }, rax = 0;

    if (!args)
        return lib_fail(x, "xenlab_hypercall: there are no arguments");
    memcpy(word + 1, args, MADE_ARGS * sizeof(*word));
    if (put_vcpu(x, JOURNAL_HYPERCALL, domid, vcpu, word, sizeof(word)))
        return -1;
    if (!ret)
        return 0;
    if (xenlab_register(x, domid, vcpu, "rax", &rax))
        rax = 0; /* it has destroyed itself */
    *ret = made_is_narrow(x->host, domid, vcpu) ? (int32_t)rax : (int64_t)rax;
    return 0;
}

int xenlab_exit(struct xenlab *x, uint16_t domid, unsigned int vcpu, const struct xenlab_exit *why)
{
    static const uint32_t kinds[] = {
        [XENLAB_EXIT_EXCEPTION] = EXIT_EXCEPTION,
        [XENLAB_EXIT_SOFTINT] = EXIT_SOFTINT,
        [XENLAB_EXIT_SYSCALL] = EXIT_SYSCALL,
        [XENLAB_EXIT_VMMCALL] = EXIT_VMMCALL,
        [XENLAB_EXIT_IO] = EXIT_IO,
        [XENLAB_EXIT_RDMSR] = EXIT_RDMSR,
        [XENLAB_EXIT_WRMSR] = EXIT_WRMSR,
        [XENLAB_EXIT_CPUID] = EXIT_CPUID,
        [XENLAB_EXIT_RDTSC] = EXIT_RDTSC,
        [XENLAB_EXIT_CR_READ] = EXIT_CR_READ,
        [XENLAB_EXIT_CR_WRITE] = EXIT_CR_WRITE,
        [XENLAB_EXIT_DR_READ] = EXIT_DR_READ,
        [XENLAB_EXIT_DR_WRITE] = EXIT_DR_WRITE,
        [XENLAB_EXIT_NPF] = EXIT_NPF,
        [XENLAB_EXIT_HLT] = EXIT_HLT,
        [XENLAB_EXIT_PAUSE] = EXIT_PAUSE,
        [XENLAB_EXIT_SHUTDOWN] = EXIT_SHUTDOWN,
    };
    struct xenlab_exit e = { .size = 0 };
    struct made_exit m;

    if (!lib_take(&e, sizeof(e), why))
        return lib_fail(x, "xenlab_exit: why has no size");
    m = (struct made_exit){ .kind = (unsigned int)e.kind < XENLAB_EXIT_KINDS ? kinds[e.kind] : EXIT_NR_KINDS,
                            .insn_len = e.insn_len,
                            .vector = e.vector,
                            .error_code = e.error_code,
                            .port = e.port,
                            .size = e.bytes,
                            .in = e.in,
                            .string = e.string,
                            .cr = e.cr,
                            .addr = e.addr };
    return put_vcpu(x, JOURNAL_EXIT, domid, vcpu, &m, sizeof(m));
}

/* --- memory and registers --- */

/* So much of it lies in one page. */
static size_t part_of(uint64_t addr, size_t n)
{
    const size_t left = PAGE_SIZE - PAGE_OFFSET(addr);

    return n < left ? n : left;
}

struct memory_record {
    uint64_t maddr;
    uint8_t bytes[PAGE_SIZE];
};

/* The part of n bytes at addr that lies in one page, as a record; how many, 0: err says why not. */
static size_t memory_record(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr, const void *buf,
                            size_t n, struct memory_record *m)
{
    const size_t part = part_of(addr, n);
    struct journal_record rec = { .kind = JOURNAL_MEMORY, .len = sizeof(m->maddr) + part, .bytes = (uint8_t *)m };

    memcpy(m->bytes, buf, part);
    if (!look_machine_address(x->host, domid, vcpu, LOOK_VIRTUAL, addr, &m->maddr)) {
        lib_fail(x, "0x%llx is not mapped for d%uv%u", (unsigned long long)addr, domid, vcpu);
        return 0;
    }
    return input_check(x->host, &rec, x->err) ? 0 : part;
}

int xenlab_write(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr, const void *buf, size_t n)
{
    struct memory_record m;
    size_t part;

    if (!x || (n && !buf))
        return lib_fail(x, "xenlab_write: there are no bytes");
    for (size_t i = 0; i < n; i += part)
        if (!(part = memory_record(x, domid, vcpu, addr + i, (const char *)buf + i, n - i, &m)))
            return -1;
    for (size_t i = 0; i < n; i += part) {
        part = memory_record(x, domid, vcpu, addr + i, (const char *)buf + i, n - i, &m);
        if (!part || put(x, JOURNAL_MEMORY, 0, &m, sizeof(m.maddr) + part))
            return -1;
    }
    return 0;
}

int xenlab_register_set(struct xenlab *x, uint16_t domid, unsigned int vcpu, const char *name, uint64_t value)
{
    const uint64_t word[] = { name ? input_reg_of(name) : INPUT_NR_REGS, value };

    if (word[0] == INPUT_NR_REGS)
        return lib_fail(x, "there is no register %.20s to set", name ? name : "(NULL)");
    return put_vcpu(x, JOURNAL_REGISTER, domid, vcpu, word, sizeof(word));
}

/* --- traps, events, keys, commands --- */

int xenlab_trap(struct xenlab *x, uint16_t domid, unsigned int vcpu, unsigned int vector, uint32_t error_code,
                uint64_t addr)
{
    const uint64_t word[] = { vector, error_code, addr };

    return put_vcpu(x, JOURNAL_TRAP, domid, vcpu, word, sizeof(word));
}

int xenlab_event(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint32_t port)
{
    const uint64_t word = port;

    return put_vcpu(x, JOURNAL_EVENT, domid, vcpu, &word, sizeof(word));
}

int xenlab_type(struct xenlab *x, uint16_t domid, const char *text, size_t len)
{
    const int index = x ? host_guest_index(x->host, domid) : -1;

    if (len && !text)
        return lib_fail(x, "xenlab_type: there are no keys");
    if (index < 0)
        return lib_fail(x, "there is no guest d%u with a console", domid);
    return len ? put(x, JOURNAL_CONSOLE, (unsigned int)index, text, len) : 0;
}

/* Its words, each with a 0 behind it. How many bytes; 0: there is no room, and err says so. */
static size_t ctl_words(struct xenlab *x, int nr, const char *const words[], char all[CTL_WORDS_SIZE])
{
    size_t len = 0;

    if (!x)
        return 0;
    for (int i = 0; i < nr && words && words[i]; i++) {
        const size_t n = strlen(words[i]) + 1;

        if (n > CTL_WORDS_SIZE - len) {
            lib_fail(x, "a command of ctl has at most %d bytes", CTL_WORDS_SIZE);
            return 0;
        }
        memcpy(all + len, words[i], n);
        len += n;
    }
    if (!len)
        lib_fail(x, "which command of ctl?");
    return len;
}

int xenlab_ctl(struct xenlab *x, int nr, const char *const words[])
{
    char err[HOST_ERR_SIZE] = "", given[CTL_WORDS_SIZE], all[CTL_WORDS_SIZE];
    const size_t len = ctl_words(x, nr, words, given);
    struct ctl_request r;

    if (!len)
        return -1;
    if (ctl_parse(given, len, &r, err))
        return lib_fail(x, "%.400s", err);
    if (!ctl_changes(&r))
        return lib_fail(x, "ctl %s changes nothing: look at the machine instead", r.command->name);
    if (!host_ctl_prepare(x->host, &r, err))
        return lib_fail(x, "%.*s", (int)strcspn(err, "\n"), err);
    if (put(x, JOURNAL_CTL, x->ctl_id + 1, all, host_ctl_words(x->host, given, len, all)))
        return -1;
    return (int)++x->ctl_id;
}
