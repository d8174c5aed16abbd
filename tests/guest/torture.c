// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * torture: a Linux program for a guest with several vCPUs. What one processor does, the others must see, and what a
 * thread has computed must be the same wherever it ran.
 *
 *   clock   of all threads together, time never goes backwards (CLOCK_MONOTONIC, and RDTSC)
 *   fpu     a computation that changes the processor all the time gives what it gives on one
 *   tlb     after mprotect(PROT_READ) no thread can write any more, on whichever processor it runs
 *   bases   the base of GS that a thread writes (WRGSBASE) stays its own, and so does that of FS, wherever it runs
 *   code    a function that one thread rewrites is the new one for all others
 *
 * Prints a line a test, with the number of mistakes. Linked statically: the guest has no libraries.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define MAX_THREADS 64
#define ROUNDS      100

static long nr_cpus;
static atomic_long mistakes;

static void run_on(long cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)(cpu % nr_cpus), &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        mistakes++;
}

/* --- clock: without a lock, which would make the threads wait for each other --- */

static _Atomic uint64_t last_ns, last_tsc;

/* `before` is what somebody had read when we began to read `now`. */
static void time_read(_Atomic uint64_t *last, uint64_t before, uint64_t now)
{
    mistakes += now < before;
    while (before < now && !atomic_compare_exchange_weak(last, &before, now))
        ;
}

static void *clock_thread(void *data)
{
    run_on((long)data);
    for (int i = 0; i < 10 * ROUNDS; i++) {
        uint64_t before = last_ns;
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        time_read(&last_ns, before, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
        before = last_tsc;
        time_read(&last_tsc, before, __rdtsc());
    }
    return NULL;
}

/* --- fpu --- */

static double compute(long seed, int move_every)
{
    double x = (double)seed + 1.5;

    for (int i = 0; i < 20000; i++) {
        x = x * 1.0000001 + sqrt(x) * 1e-7;
        if (move_every && i % move_every == 0)
            run_on(seed + i / move_every);
    }
    return x;
}

static void *fpu_thread(void *data)
{
    const long seed = (long)data;
    const double here = compute(seed, 0), everywhere = compute(seed, 500);

    mistakes += memcmp(&here, &everywhere, sizeof(here)) != 0;
    return NULL;
}

/*
 * --- tlb and code: the main thread makes a change, and says so in `phase`; all others try, and answer in `answers` ---
 */

static unsigned char *page;
static atomic_int phase, answers;
static __thread sigjmp_buf on_fault;

static void fault(int sig)
{
    (void)sig;
    siglongjmp(on_fault, 1);
}

static int await_phase(int seen)
{
    int now;

    while ((now = phase) == seen)
        _mm_pause();
    return now;
}

static void announce(int now, long nr_threads)
{
    answers = 0;
    phase = now;
    while (now > 0 && answers < nr_threads)
        _mm_pause();
}

static void *tlb_thread(void *data)
{
    run_on((long)data);
    for (int now = await_phase(0); now > 0; now = await_phase(now)) {
        volatile int faulted = 1;

        if (sigsetjmp(on_fault, 1) == 0) {
            ((volatile unsigned char *)page)[64 * (long)data] = 1;
            faulted = 0;
        }
        mistakes += faulted != now % 2;
        answers++;
    }
    return NULL;
}

static void tlb_change(int round) { mistakes += mprotect(page, 4096, PROT_READ | (round % 2 ? 0 : PROT_WRITE)) != 0; }

static void *code_thread(void *data)
{
    unsigned int a, b, c, d;

    run_on((long)data);
    for (int now = await_phase(0); now > 0; now = await_phase(now)) {
        __cpuid(0, a, b, c,
                d); /* an instruction that serializes, as the manuals want it between a change and its execution */
        mistakes += ((int (*)(void))page)() != now;
        answers++;
    }
    return NULL;
}

/* mov $round, %eax; ret */
static void code_change(int round)
{
    page[0] = 0xb8;
    memcpy(page + 1, &round, 4);
    page[5] = 0xc3;
}

static void test(const char *name, void *(*thread)(void *), void (*change)(int))
{
    pthread_t id[MAX_THREADS];
    long n = nr_cpus < 2 ? 2 : nr_cpus;

    mistakes = 0;
    phase = 0;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long i = 0; i < n; i++)
        pthread_create(&id[i], NULL, thread, (void *)i);
    for (int round = 1; change && round <= ROUNDS; round++) {
        change(round);
        announce(round, n);
    }
    announce(-1, n);
    for (long i = 0; i < n; i++)
        pthread_join(id[i], NULL);
    munmap(page, 4096);
    printf("torture: %s on %ld processors: %ld mistakes\n", name, nr_cpus, (long)mistakes);
}

/* --- bases: the kernel says in the second word of HWCAP that programs may use these instructions --- */

#define HWCAP2_FSGSBASE 2ul

static void *bases_thread(void *data)
{
    uint64_t id = (uint64_t)data, gs, fs, tls;

    if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)) {
        mistakes++;
        return NULL;
    }
    for (uint64_t i = 0; i < 10 * ROUNDS; i++) {
        const uint64_t mine = (id + 1) << 32 | i << 12;

        asm volatile("wrgsbase %0" : : "r"(mine));
        if (i % 10 == 0)
            run_on((long)(id + i));
        else
            sched_yield();
        asm volatile("rdgsbase %0; rdfsbase %1; mov %%fs:0, %2" : "=r"(gs), "=r"(fs), "=r"(tls));
        mistakes += (gs != mine) + (fs != tls);
    }
    asm volatile("wrgsbase %0" : : "r"(UINT64_C(0)));
    return NULL;
}

int main(void)
{
    struct sigaction sa = { .sa_handler = fault, .sa_flags = SA_NODEFER };

    nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (nr_cpus < 1 || nr_cpus > MAX_THREADS)
        return 1;
    sigaction(SIGSEGV, &sa, NULL);
    test("clock", clock_thread, NULL);
    test("fpu", fpu_thread, NULL);
    test("tlb", tlb_thread, tlb_change);
    test("bases", bases_thread, NULL);
    test("code", code_thread, code_change);
    return 0;
}
