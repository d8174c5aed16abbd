// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What does history cost while Linux boots, and how long does it take to go back? One JSON object a line.
 *
 *      bench_history [SPACING [compare]]      a checkpoint each so many instructions (10^7); changed pages of the
 *                                             arena found by comparing
 *
 * Times are of the processor, not of the wall, so other programs disturb less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sim/checkpoint.h"
#include "tools/host.h"
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

static void run_to(struct host *host, uint64_t insns)
{
    const bool no = false;
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

static void go(struct history *h, size_t back, const char *name)
{
    const size_t from = history_base(h);
    double start;

    if (back > from)
        return;
    start = seconds();
    checkpoint_go(h, from - back);
    report(name, (seconds() - start) * 1e3, "ms", 1);
}

static void journeys(struct host *host, struct history *h)
{
    double start;

    go(h, 0, "back to the last checkpoint");
    go(h, 1, "back by one");
    go(h, 100, "back by 100");
    start = seconds();
    run_to(host, host_xen(host)->machine->at.insns + 1000000);
    report("then 10^6 instructions", (seconds() - start) * 1e3, "ms", 1);
    start = seconds();
    checkpoint_go(h, history_nr(h) - 1);
    report("forward to the end", (seconds() - start) * 1e3, "ms", 1);
    go(h, 200, "back by 200");
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
        if (i == RUNS - 1) {
            report("first checkpoint", first * 1e3, "ms", RUNS);
            report("Linux boots without", without, "s", RUNS);
            report("Linux boots with", with, "s", RUNS);
            report("memory for 10^9 instructions", (double)history_used(h) / (INSNS / 1e9) / (1 << 20), "MiB", 1);
            journeys(host, h);
        }
        history_destroy(h);
        host_destroy(host);
    }
    return 0;
}
