// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What does history cost while Linux boots, and how long does it take to go back? One JSON object a line.
 *
 * Aims, at a checkpoint each 10^7 instructions: with history a boot takes 5 % longer, with a breakpoint that is not hit
 * 1 %; 64 MiB for 10^9 instructions; back a step within 10 ms at 10^6 behind a checkpoint, 20 at 10^7, and 50 ms
 * anywhere in 10^9; to the last write of a word that is seldom written 0.1 s, often 2 s.
 *
 *      bench_history [SPACING [compare]]      a checkpoint each so many instructions (10^7); changed pages of the
 *                                             arena found by comparing
 *
 * Times are of the processor, not of the wall, so other programs disturb less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/observe.h"
#include "tools/debug/debugger.h"
#include "tools/debug/expr.h"
#include "tools/debug/look.h"
#include "vcpu/noun/xen.h"

#define KERNEL  "build/assets/vmlinuz-cloud"
#define RAMDISK "build/assets/initrd"
#define INSNS   UINT64_C(3000000000) /* at its shell's prompt, nearly */
#define RUNS    3

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(const char *name, double value, const char *unit, unsigned int runs)
{
    printf("{\"name\": \"history: %s\", \"value\": %.3f, \"unit\": \"%s\", \"runs\": %u}\n", name, value, unit, runs);
}

static struct host *boot(void)
{
    const struct host_config cfg = { .guests_mib = 256, .quiet = true };
    const struct host_guest g = { .kernel = KERNEL, .ramdisk = RAMDISK, .cmdline = "console=hvc0", .memory_mib = 256 };
    char err[HOST_ERR_SIZE] = "";
    struct host *host = host_create(&cfg, &(struct host_io){ 0 }, err);
    domid_t domid;

    if (!host || host_guest_add(host, &g, &domid, err) || host_guest_start(host, domid)) {
        fprintf(stderr, "bench_history: %s\n", err);
        exit(1);
    }
    return host;
}

static const bool no = false;

static void run_to(struct host *host, uint64_t insns)
{
    const struct run_limit l = { .until = STIME_MAX, .at = { insns, 0 }, .stop = &no };

    host_run_to(host, &l);
}

/* The whole boot; spacing 0: nothing but that. */
static double run(struct host *host, struct history *h, uint64_t spacing)
{
    const double start = seconds();
    struct divergence d;

    for (uint64_t at = spacing; spacing && at < INSNS; at += spacing) {
        run_to(host, at);
        checkpoint_take(h, &d);
    }
    run_to(host, INSNS);
    return seconds() - start;
}

/* --------------------------------------------------------------------------------------------------- going about -- */

#define BILLION UINT64_C(1000000000)
#define PLACES  32

static void go_to(struct rewind *r, struct position at)
{
    char err[REWIND_ERR_SIZE];

    if (rewind_goto(r, at, &no, err) || r->err[0]) {
        fprintf(stderr, "bench_history: %s\n", r->err[0] ? r->err : err);
        exit(1);
    }
}

/* How long it takes to go there, in ms. */
static double going(struct rewind *r, struct position at)
{
    const double start = seconds();

    go_to(r, at);
    return (seconds() - start) * 1e3;
}

/* Back by an instruction, so many behind a checkpoint in the middle. */
static void reverse_step(struct rewind *r, uint64_t behind, const char *name)
{
    const uint64_t at = history_info(r->history, history_nr(r->history) / 2).at.insns + behind;
    double ms = 1e9, t;

    for (unsigned int i = 0; i < RUNS; i++) {
        go_to(r, (struct position){ at, 0 });
        t = going(r, (struct position){ at - 1, 0 });
        ms = t < ms ? t : ms;
    }
    report(name, ms, "ms", RUNS);
}

/* To places all over the last 10^9 instructions, and back by an instruction from each; the mean, and the worst. */
static void anywhere(struct rewind *r)
{
    double go = 0, step = 0, worst = 0;
    uint64_t prng = 1;

    for (unsigned int i = 0; i < PLACES; i++) {
        uint64_t at;
        double t;

        prng = prng * UINT64_C(6364136223846793005) + 1442695040888963407;
        at = INSNS - (prng >> 20) % BILLION;
        go += going(r, (struct position){ at, 0 }) / PLACES;
        t = going(r, (struct position){ at - 1, 0 });
        step += t / PLACES;
        worst = t > worst ? t : worst;
    }
    report("anywhere in 10^9", go, "ms", PLACES);
    report("back a step anywhere in 10^9", step, "ms", PLACES);
    report("the worst of these", worst, "ms", PLACES);
}

static void stepping(struct rewind *r)
{
    const uint64_t from = INSNS / 2, steps = 300000;
    struct machine *m = r->m;
    double start;

    go_to(r, (struct position){ from, 0 });
    start = seconds();
    while (m->at.insns < from + steps)
        run_to(r->host, m->at.insns + 1);
    report("single steps", (double)steps / (seconds() - start), "1/s", 1);
}

/* How long it takes from the end to the last change of 8 bytes of the machine's memory, wherever that is. */
static void last_write(struct rewind *r, uint64_t maddr, const char *name)
{
    const struct debug_stop watch = { .kind = DEBUG_WATCH, .space = LOOK_MACHINE, .addr = maddr, .len = 8 };
    char err[EXPR_ERR_SIZE], text[64];
    struct debugger d;
    double start;

    go_to(r, (struct position){ INSNS, 0 });
    debugger_begin(&d, r, &no);
    start = seconds();
    if (!stops_add(&d.stops, &watch, NULL, err) || debugger_reverse_continue(&d) != DEBUG_THERE)
        snprintf(d.err, sizeof(d.err), "no write is found");
    else
        snprintf(text, sizeof(text), "to the last write of a %s word, %.0f * 10^6 back", name,
                 (double)(INSNS - r->m->at.insns) * 1e-6);
    if (d.err[0]) {
        fprintf(stderr, "bench_history: %s\n", d.err);
        exit(1);
    }
    report(text, seconds() - start, "s", 1);
    debugger_end(&d);
}

/* The last stretch in which somebody stored to the frame, of those from checkpoint `first` on; SIZE_MAX: none. */
static size_t last_stored(const struct history *h, mfn_t mfn, size_t first)
{
    size_t i = history_nr(h) - 1;

    while (i > first && !checkpoint_frame_stored(h, i - 1, mfn))
        i--;
    return i > first ? i - 1 : SIZE_MAX;
}

/* A word that changes in the stretch behind checkpoint i, in this frame; 0: none. */
static uint64_t changing_word(struct rewind *r, mfn_t mfn, size_t i)
{
    const struct position begin = history_info(r->history, i).at, end = history_info(r->history, i + 1).at;
    const uint8_t *page = mfn_to_virt(r->m, mfn);
    uint8_t was[PAGE_SIZE];

    go_to(r, begin);
    memcpy(was, page, PAGE_SIZE);
    go_to(r, end);
    for (uint64_t n = 0; n < PAGE_SIZE; n += 8)
        if (memcmp(was + n, page + n, 8))
            return (mfn_x(mfn) << PAGE_SHIFT) + n;
    return 0;
}

/*
 * A hot word is on the kernel's stack; a cold one is in the frame that, of those that were stored to in the last 10^9
 * instructions, has been left alone for the longest time.
 */
static void last_writes(struct rewind *r)
{
    const size_t first = history_find(r->history, (struct position){ INSNS - BILLION, 0 });
    uint64_t cold = 0, hot;
    struct look_vcpu v;

    go_to(r, (struct position){ INSNS, 0 });
    for (size_t i = first; !cold && i + 1 < history_nr(r->history); i++)
        for (uint64_t mfn = 0; !cold && mfn < r->m->nr_frames; mfn++)
            if (last_stored(r->history, _mfn(mfn), first) == i)
                cold = changing_word(r, _mfn(mfn), i);
    if (cold)
        last_write(r, cold, "cold");
    go_to(r, (struct position){ INSNS, 0 });
    if (look_vcpu(r->host, 1, 0, &v) &&
        look_machine_address(r->host, 1, 0, LOOK_VIRTUAL, v.regs.gpr[EXPR_REG_rsp] - 8, &hot))
        last_write(r, hot, "hot");
}

static void journeys(uint64_t spacing)
{
    const struct run_limit end = { .until = STIME_MAX, .at = { INSNS, 0 }, .stop = &no };
    struct host *host = boot();
    struct rewind r;
    char err[REWIND_ERR_SIZE];

    if (rewind_begin(&r, host, 1024, err)) {
        fprintf(stderr, "bench_history: %s\n", err);
        exit(1);
    }
    r.every = spacing;
    rewind_run(&r, &end);
    report("memory for 10^9 instructions", (double)history_used(r.history) / (INSNS / 1e9) / (1 << 20), "MiB", 1);
    report("back by 10^9", going(&r, (struct position){ INSNS - BILLION, 0 }), "ms", 1);
    report("forward by 10^9", going(&r, end.at), "ms", 1);
    reverse_step(&r, 1000000, "back a step, 10^6 behind a checkpoint");
    reverse_step(&r, 10000000 - 1, "back a step, 10^7 behind a checkpoint");
    anywhere(&r);
    stepping(&r);
    last_writes(&r);
    rewind_finish(&r);
    host_destroy(host);
}

/* 10^9 instructions, as they are when a breakpoint is set that is never come to. */
static double run_with(bool breakpoint)
{
    const uint64_t nowhere = 0x1234567890;
    struct host *host = boot();
    double start;

    run_to(host, BILLION);
    if (breakpoint && machine_break_set(host_xen(host)->machine, &nowhere, 1))
        exit(1);
    start = seconds();
    run_to(host, 2 * BILLION);
    start = seconds() - start;
    host_destroy(host);
    return start;
}

static void breakpoint(void)
{
    double s[2] = { 1e9, 1e9 };

    for (unsigned int i = 0; i < 2 * RUNS; i++) {
        const double t = run_with(i % 2);

        s[i % 2] = t < s[i % 2] ? t : s[i % 2];
    }
    report("10^9 instructions", s[0], "s", RUNS);
    report("10^9 instructions with a breakpoint", s[1], "s", RUNS);
}

int main(int argc, char **argv)
{
    const uint64_t spacing = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000000;
    const struct history_config cfg = { .limit_mib = 1024, .by_comparing = argc > 2 };
    double without = 1e9, with = 1e9, first = 1e9;

    if (access(KERNEL, R_OK) || access(RAMDISK, R_OK) || !spacing)
        return 0;
    for (unsigned int i = 0; i < RUNS; i++) {
        struct host *plain = boot(), *host;
        struct history *h;
        struct divergence d;
        double t = run(plain, NULL, 0);

        without = t < without ? t : without;
        host_destroy(plain);
        host = boot();
        h = history_create(host_xen(host)->machine, &cfg);
        t = seconds();
        checkpoint_take(h, &d);
        t = seconds() - t;
        first = t < first ? t : first;
        t = run(host, h, spacing);
        with = t < with ? t : with;
        history_destroy(h);
        host_destroy(host);
    }
    report("first checkpoint", first * 1e3, "ms", RUNS);
    report("Linux boots without", without, "s", RUNS);
    report("Linux boots with", with, "s", RUNS);
    journeys(spacing);
    breakpoint();
    return 0;
}
