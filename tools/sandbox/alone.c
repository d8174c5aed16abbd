// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls that a process gives up: a filter of seccomp (seccomp(2), linux/seccomp.h).
 *
 * Concept: the kernel runs a little program before each system call, which compares its number with a list.
 * Instructions skip forward only:
 *
 *     load arch    not x86-64: kill       (32-bit calls have other numbers)
 *     load number  >= 0x40000000: kill    (so have those of x32)
 *     equal to one of the list: trap      (SIGSYS)
 *     equal to one with arguments that matter: load that argument, trap or allow
 *     allow
 *
 * Invariant: nothing in the list is needed by the C library to load an object, allocate, print or end.
 */
#include "tools/sandbox/alone.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32 0x40000000u

/* Others are of use to it alone, such as tgkill, by which abort() works: those that say whom are below. */
#define FORBIDDEN(X)                                                                                                   \
    X(fork)                                                                                                            \
    X(vfork)                                                                                                           \
    X(clone)                                                                                                           \
    X(clone3)                                                                                                          \
    X(execve)                                                                                                          \
    X(execveat)                                                                                                        \
    X(kill)                                                                                                            \
    X(tkill)                                                                                                           \
    X(rt_sigqueueinfo)                                                                                                 \
    X(rt_tgsigqueueinfo)                                                                                               \
    X(pidfd_open)                                                                                                      \
    X(pidfd_send_signal)                                                                                               \
    X(pidfd_getfd)                                                                                                     \
    X(ptrace)                                                                                                          \
    X(process_vm_readv)                                                                                                \
    X(process_vm_writev)                                                                                               \
    X(kcmp)                                                                                                            \
    X(socket)                                                                                                          \
    X(socketpair)                                                                                                      \
    X(connect)                                                                                                         \
    X(bind)                                                                                                            \
    X(listen)                                                                                                          \
    X(accept)                                                                                                          \
    X(accept4)                                                                                                         \
    X(setsid)                                                                                                          \
    X(setpgid)                                                                                                         \
    X(setuid)                                                                                                          \
    X(setresuid)                                                                                                       \
    X(setreuid)                                                                                                        \
    X(unshare)                                                                                                         \
    X(setns)                                                                                                           \
    X(mount)                                                                                                           \
    X(umount2)                                                                                                         \
    X(pivot_root)                                                                                                      \
    X(chroot)                                                                                                          \
    X(bpf)                                                                                                             \
    X(perf_event_open)                                                                                                 \
    X(userfaultfd)                                                                                                     \
    X(io_uring_setup)                                                                                                  \
    X(keyctl)                                                                                                          \
    X(add_key)                                                                                                         \
    X(shmget)                                                                                                          \
    X(msgget)                                                                                                          \
    X(semget)                                                                                                          \
    X(mq_open)                                                                                                         \
    X(openat2)                                                                                                         \
    X(creat)                                                                                                           \
    X(truncate)                                                                                                        \
    X(unlink)                                                                                                          \
    X(unlinkat)                                                                                                        \
    X(rename)                                                                                                          \
    X(renameat)                                                                                                        \
    X(renameat2)                                                                                                       \
    X(mkdir)                                                                                                           \
    X(mkdirat)                                                                                                         \
    X(rmdir)                                                                                                           \
    X(link)                                                                                                            \
    X(linkat)                                                                                                          \
    X(symlink)                                                                                                         \
    X(symlinkat)                                                                                                       \
    X(chmod)                                                                                                           \
    X(fchmodat)                                                                                                        \
    X(chown)                                                                                                           \
    X(fchownat)                                                                                                        \
    X(mknod)                                                                                                           \
    X(mknodat)

/* Those that open files to read them. */
#define BY_NAME(X)                                                                                                     \
    X(open)                                                                                                            \
    X(openat)

/* What they are called, and whether they only read files. */
static const struct {
    const char *name;
    unsigned int number, by_name;
} calls[] = {
#define X(name) { #name, SYS_##name, 0 },
    FORBIDDEN(X)
#undef X
#define X(name) { #name, SYS_##name, 1 },
        BY_NAME(X)
#undef X
};
#define NR_CALLS (sizeof(calls) / sizeof(*calls))

const char *sandbox_alone_name(long number)
{
    for (size_t i = 0; i < NR_CALLS; i++)
        if ((long)calls[i].number == number)
            return calls[i].name;
    return number == SYS_tgkill         ? "tgkill, of another process,"
           : number == SYS_prlimit64    ? "prlimit64, of another process,"
           : number == SYS_rt_sigaction ? "rt_sigaction, for SIGSYS,"
           : number == SYS_fcntl        ? "fcntl, for signals,"
           : number == SYS_ioctl        ? "ioctl, for signals,"
                                        : NULL;
}

struct filter {
    struct sock_filter code[32 + 4 * 16 + 2 * NR_CALLS];
    unsigned short nr;
};

static void put(struct filter *f, struct sock_filter instruction) { f->code[f->nr++] = instruction; }
static void load(struct filter *f, size_t offset)
{
    put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset));
}
static void end(struct filter *f, unsigned int how) { put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, how)); }
/* If what is loaded equals (at least: is no less than) `value`, skip so many; else so many. */
static void compare(struct filter *f, unsigned int how, unsigned int value, size_t then, size_t otherwise)
{
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | how | BPF_K, value, (uint8_t)then, (uint8_t)otherwise));
}

/*
 * A call that is allowed with certain arguments only: with one of `value` (good), or with none of them. The argument's
 * lower half is all that these have.
 */
static void put_argument(struct filter *f, unsigned int number, size_t arg, int good, const unsigned int *value,
                         size_t nr)
{
    compare(f, BPF_JEQ, number, 0, nr + 3);
    load(f, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
    for (size_t i = 0; i < nr; i++)
        compare(f, BPF_JEQ, value[i], nr - 1 - i + (good ? 1 : 0), i + 1 < nr ? 0 : good ? 0 : 1);
    end(f, SECCOMP_RET_TRAP);
    end(f, SECCOMP_RET_ALLOW);
}

/* No calls of other architectures. */
static void put_begin(struct filter *f)
{
    load(f, offsetof(struct seccomp_data, arch));
    compare(f, BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0);
    end(f, SECCOMP_RET_KILL_PROCESS);
    load(f, offsetof(struct seccomp_data, nr));
    compare(f, BPF_JGE, X32, 0, 1);
    end(f, SECCOMP_RET_KILL_PROCESS);
}

static void put_call(struct filter *f, unsigned int number)
{
    compare(f, BPF_JEQ, number, 0, 1);
    end(f, SECCOMP_RET_TRAP);
}

static int apply(struct filter *f)
{
    struct sock_fprog program = { .len = f->nr, .filter = f->code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return -errno;
    return 0;
}

static struct filter single(void)
{
    struct filter f = { .nr = 0 };

    put_begin(&f);
    put_call(&f, SYS_fork);
    put_call(&f, SYS_vfork);
    put_call(&f, SYS_clone);
    put_call(&f, SYS_clone3);
    end(&f, SECCOMP_RET_ALLOW);
    return f;
}

int sandbox_single(void)
{
    struct filter f = single();

    return apply(&f);
}

int sandbox_single_fd(void)
{
    const struct filter f = single();
    const ssize_t size = (ssize_t)(f.nr * sizeof(f.code[0]));
    int fd = memfd_create("filter", MFD_CLOEXEC);

    if (fd >= 0 && (write(fd, f.code, (size_t)size) != size || lseek(fd, 0, SEEK_SET))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Opening a file by name, but not to write it, make it or cut it off. */
static void put_open(struct filter *f, unsigned int number, size_t arg)
{
    compare(f, BPF_JEQ, number, 0, 4);
    load(f, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
    compare(f, BPF_JSET, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1);
    end(f, SECCOMP_RET_TRAP);
    end(f, SECCOMP_RET_ALLOW);
}

int sandbox_alone(int files)
{
    const unsigned int self[] = { (unsigned int)getpid(), 0 }, owner[] = { F_SETOWN, F_SETOWN_EX, F_SETSIG },
                       ioctls[] = { FIOSETOWN, SIOCSPGRP }, trap[] = { SIGSYS };
    struct filter f = { .nr = 0 };

    put_begin(&f);
    for (size_t i = 0; i < NR_CALLS; i++) {
        if (files && calls[i].by_name)
            continue;
        put_call(&f, calls[i].number);
    }
    put_open(&f, SYS_open, 1);
    put_open(&f, SYS_openat, 2);
    put_argument(&f, SYS_tgkill, 0, 1, self, 1);
    put_argument(&f, SYS_prlimit64, 0, 1, self, 2);
    put_argument(&f, SYS_rt_sigaction, 0, 0, trap, 1); /* or it would go on behind what it may not do */
    put_argument(&f, SYS_fcntl, 1, 0, owner, 3);
    put_argument(&f, SYS_ioctl, 1, 0, ioctls, 2);
    end(&f, SECCOMP_RET_ALLOW);
    return apply(&f);
}
