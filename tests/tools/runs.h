// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tests of whole runs share: what is run, and a host on which it is.
 *
 * Concept: a property that all runs have is tried with each of these, which between them have what a run can consist
 * of: one to four vCPUs on one to three pCPUs, all schedulers that need no schedule of their own, rings, timers,
 * grants, page tables of both kinds of writers, a reboot and a crash with a domain destroyed and another created, a
 * suspend, console input, frames on a network, random instructions (havoc), requests without any sense (hostile), a PC
 * and its devices wherever they may be, and kernels that nobody here wrote.
 */
#ifndef TESTS_TOOLS_RUNS_H
#define TESTS_TOOLS_RUNS_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/host_run.h"
#include "tools/host.h"
#include "tools/xl/xl_p9.h"
#include "tools/xl/xl_vif.h"
#include "vcpu/noun/xen.h"

struct run_setup {
    const char *kernel, *cmdline, *sched;
    unsigned int vcpus, pcpus, guests;
    const char *input;       /* a line at a time, whenever the first guest has read all; or NULL */
    unsigned int memory_mib; /* of each guest; 0: 16 */
    const char *ramdisk;     /* or NULL */
};

static const struct run_setup run_setups[] = {
    { "hello", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "rings", NULL, "credit", 1, 1, 1, NULL, 0, NULL },
    { "traps", NULL, "null", 1, 2, 1, NULL, 0, NULL },
    { "syscall", NULL, "rtds", 1, 1, 2, NULL, 0, NULL },
    { "pagetables", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "callbacks", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "smp", NULL, "credit2", 3, 2, 1, NULL, 0, NULL },
    { "smp", NULL, "credit", 4, 3, 1, NULL, 0, NULL },
    { "clock", NULL, "credit2", 2, 2, 2, NULL, 0, NULL },
    { "store", NULL, "rr", 1, 1, 2, NULL, 0, NULL },
    { "grants", NULL, "credit2", 1, 1, 2, NULL, 0, NULL },
    { "debugregs", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "reboot", "until_ms=5", "credit2", 1, 2, 1, NULL, 0, NULL },
    { "suspend", NULL, "credit2", 2, 1, 1, NULL, 0, NULL },
    { "echo", NULL, "credit2", 1, 1, 1, "one\nword\nand then\nanother\n", 0, NULL },
    { "hostile", "seed=77", "credit", 2, 2, 1, NULL, 0, NULL },
    { "hostile", "seed=78", "credit2", 1, 1, 1, NULL, 0, NULL },
    { "p9cat", "runs.h stops.h times=9", "credit2", 1, 1, 2, NULL, 0, NULL },
    { "netecho", "n=100000 depth=3 size=700", "credit2", 1, 2, 2, NULL, 0, NULL },
    { "netecho", "n=100000 depth=9 crash=40", "credit2", 1, 1, 2, NULL, 0, NULL },
    { "netecho", "n=100000 depth=3 driven", "credit2", 1, 2, 2, NULL, 0, NULL },
    { "havoc", "seed=5", "credit2", 2, 2, 2, NULL, 0, NULL },
    { "havoc", "seed=6", "null", 1, 2, 2, NULL, 0, NULL },
    { "pcdev/pcdev", "hvm", "credit2", 3, 2, 1, NULL, 0, NULL },
    { "pcdev/pcdev", "hvm, its devices in a domain", "credit", 2, 3, 2, NULL, 0, NULL },
    { "pcdev/pcdev", "hvm, its devices in xen", "null", 1, 2, 1, NULL, 0, NULL },
    { "../assets/grub-x86_64-xen.bin", NULL, "credit2", 1, 1, 1, NULL, 64, NULL },
    { "../assets/grub-i386-xen.bin", NULL, "rtds", 1, 1, 1, NULL, 64, NULL },
};

static const struct run_setup run_linux = { "../assets/vmlinuz-cloud", "console=hvc0", "credit2", 1, 1, 1, NULL, 256,
                                            "build/assets/initrd" };

#define RUN_UNTIL_NS MILLISECS(12) /* as far as they are run, if they do not end before */

/* Its kernel and its ramdisk are there: those that `make setup` makes may not be. */
static inline bool run_is_there(const struct run_setup *s)
{
    char path[128];

    snprintf(path, sizeof(path), "build/guests/%s", s->kernel);
    return !access(path, R_OK) && (!s->ramdisk || !access(s->ramdisk, R_OK));
}

/* The folder that guests share which are there for that. */
static const struct xl_p9s run_shares = { { { .tag = "share", .path = "tests/tools", .readonly = true } }, 1 };

static const struct xl_fbs run_screen = { .nr_fbs = 1, .nr_kbds = 1 };
static const struct xl_channels run_channel = { { { .name = "agent" } }, 1 };

/* And the network, or one that packets may come into from outside. */
static const struct xl_vifs run_net = { { { .bridge = "lan", .mtu = XL_VIF_DEFAULT_MTU } }, 1 };
static const struct xl_vifs run_driven = { { { .bridge = "lan", .backend = "driver", .mtu = XL_VIF_DEFAULT_MTU } }, 1 };
static const struct xl_vifs run_outside = { { { .bridge = XL_VIF_OUTSIDE, .mtu = XL_VIF_DEFAULT_MTU } }, 1 };

/*
 * A host with its guests started; sink: heard from the beginning, or NULL. It asserts that there is nothing to object.
 */
static inline struct host *run_begin(const struct run_setup *s, const struct host_io *io, uint64_t ram_mib,
                                     void (*sink)(void *data, const struct trace_record *rec), void *data)
{
    const struct host_config cfg = { .ram_mib = ram_mib,
                                     .nr_pcpus = s->pcpus,
                                     .sched = s->sched,
                                     .device_model = !s->cmdline                         ? HOST_DM_DOM0
                                                     : strstr(s->cmdline, "in a domain") ? HOST_DM_DOMAIN
                                                     : strstr(s->cmdline, "in xen")      ? HOST_DM_XEN
                                                                                         : HOST_DM_DOM0,
                                     .quiet = true };
    const struct host_guest driver = { .name = "driver", .driver_domain = true, .unlisted = true };
    const bool driven = s->cmdline && strstr(s->cmdline, "driven");
    const bool hvm = s->cmdline && !strncmp(s->cmdline, "hvm", 3);
    char path[128], err[HOST_ERR_SIZE];
    struct host *host = host_create(&cfg, io, err);
    domid_t domid;

    if (!host)
        fail_msg("%s", err);
    if (sink)
        host_trace(host, sink, data);
    if (driven && host_guest_add(host, &driver, &domid, err))
        fail_msg("%s", err);
    if (driven)
        assert_int_equal(host_guest_start(host, domid), 0);
    snprintf(path, sizeof(path), "build/guests/%s", s->kernel);
    for (unsigned int i = 0; i < s->guests; i++) {
        const struct host_guest g = { .kernel = path,
                                      .ramdisk = s->ramdisk,
                                      .cmdline = hvm ? NULL : s->cmdline,
                                      .has_type = hvm,
                                      .type = hvm ? XL_TYPE_HVM : XL_TYPE_PV,
                                      .memory_mib = s->memory_mib ? s->memory_mib : 16,
                                      .vcpus = s->vcpus,
                                      .fbs = strcmp(s->kernel, "paint") ? NULL : &run_screen,
                                      .channels = strcmp(s->kernel, "agent") ? NULL : &run_channel,
                                      .p9s = strcmp(s->kernel, "p9cat") ? NULL : &run_shares,
                                      .vifs = strcmp(s->kernel, "netecho")    ? NULL
                                              : strstr(s->cmdline, "outside") ? &run_outside
                                              : driven                        ? &run_driven
                                                                              : &run_net,
                                      .on_reboot = XL_ACTION_RESTART,
                                      .on_crash = s->ramdisk ? XL_ACTION_DESTROY : XL_ACTION_RESTART };

        if (host_guest_add(host, &g, &domid, err))
            fail_msg("%s", err);
        assert_int_equal(host_guest_start(host, domid), 0);
    }
    return host;
}

/* FNV-1a, a word's worth better than nothing: it tells runs apart, not forgers. */
static inline void run_mix(uint64_t *hash, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ p[i]) * UINT64_C(0x100000001b3);
}

/* A record, but for its number, which counts those that were told and is no state. */
static inline void run_mix_record(uint64_t *hash, const struct trace_record *rec)
{
    const size_t seq = sizeof(rec->seq);

    run_mix(hash, (const uint8_t *)rec + seq, trace_record_size(rec) - seq);
}

#endif
