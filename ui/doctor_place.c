// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where xenlab has been started: on a machine of one's own, or in something that looks like one and is not.
 *
 * Concept: such places say what they are in files that anybody can read: the kernel's in /proc and /sys, and those that
 * containers leave in their root. Each check reads one, and says what follows for xenlab. Whether a thing works is
 * tried elsewhere (cmd_doctor.c); here is why it may not.
 *
 *      place        container, WSL, chroot, or a machine        /.dockerenv /run/.containerenv /proc/version mountinfo
 *      processor    real, or emulated (Rosetta, QEMU)           /proc/cpuinfo
 *      switches     what forbids user namespaces                /proc/sys
 *      RAM          of the machine, or what a container may     /proc/meminfo, the cgroup's memory.max
 *      shared       how large /dev/shm is                       mountinfo
 *      temporary    whether programs may be run from /tmp       mountinfo
 *      counters     whether perf may count                      /proc/sys/kernel/perf_event_paranoid
 *
 * mountinfo is /proc/self/mountinfo, proc(5): ID PARENT DEVICE ROOT PLACE OPTIONS ... - TYPE SOURCE OPTIONS. In a
 * chroot no mount is at "/", unless it was made of a mount itself: that is not seen.
 */
#include "ui/doctor_place.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE      (1 << 16)
#define LITTLE_RAM_MIB 1024 /* Linux with a shell has 256 MiB, and so have others beside it; a compiler wants more */
#define LITTLE_SHM_MIB 128

struct place {
    const char *root;
    void (*say)(void *to, const struct doctor_said *said);
    void *to;
    char text[TEXT_SIZE]; /* of the file that was read last */
};

static void say(const struct place *p, const char *name, const char *what, const char *costs, const char *type)
{
    p->say(p->to, &(struct doctor_said){ name, what, costs, type });
}

static bool exists(const struct place *p, const char *file)
{
    char path[4096];

    return snprintf(path, sizeof(path), "%s%s", p->root, file) < (int)sizeof(path) && !access(path, F_OK);
}

/* Its beginning into p->text, which is empty if there is none. */
static bool read_file(struct place *p, const char *file)
{
    char path[4096];
    FILE *f = NULL;
    size_t n;

    if (snprintf(path, sizeof(path), "%s%s", p->root, file) < (int)sizeof(path))
        f = fopen(path, "re");
    n = f ? fread(p->text, 1, sizeof(p->text) - 1, f) : 0;
    p->text[n] = '\0';
    if (f)
        fclose(f);
    return n > 0;
}

/* The number that a file holds; or what an ordinary machine has. */
static long long number(struct place *p, const char *file, long long ordinary)
{
    char *end;
    long long value;

    if (!read_file(p, file))
        return ordinary;
    value = strtoll(p->text, &end, 10);
    return end == p->text ? ordinary : value;
}

/* A mount at `at`: its options, the file system's behind the mount's. The last one counts, it lies on top. */
static bool mounted(struct place *p, const char *at, char *options, size_t len)
{
    bool found = false;
    char *save;

    read_file(p, "/proc/self/mountinfo");
    for (char *l = strtok_r(p->text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        char place[1024], own[512], super[512];
        const char *tail = strstr(l, " - ");

        if (sscanf(l, "%*s %*s %*s %*s %1023s %511s", place, own) != 2 || strcmp(place, at))
            continue;
        if (!tail || sscanf(tail, " - %*s %*s %511s", super) != 1)
            super[0] = '\0';
        snprintf(options, len, ",%s,%s,", own, super);
        found = true;
    }
    return found;
}

/* Which container's files lie there, or NULL. */
static const char *container(struct place *p)
{
    static const char *const of_cgroup[] = { "docker", "kubepods", "libpod", "lxc", "containerd" };

    if (exists(p, "/.dockerenv"))
        return "Docker";
    if (exists(p, "/run/.containerenv"))
        return "podman";
    if (read_file(p, "/run/systemd/container")) {
        p->text[strcspn(p->text, "\n")] = '\0';
        p->text[40] = '\0';
        return p->text;
    }
    read_file(p, "/proc/1/cgroup");
    for (size_t i = 0; i < sizeof(of_cgroup) / sizeof(of_cgroup[0]); i++)
        if (strstr(p->text, of_cgroup[i]))
            return of_cgroup[i];
    return NULL;
}

static void check_where(struct place *p)
{
    char what[128], options[1100];
    const char *of;

    if (!exists(p, "/proc/self/mountinfo")) {
        say(p, "place", "no /proc", "an installed xenlab finds no labs, and no programs that it starts",
            "mount -t proc proc /proc");
    } else if (read_file(p, "/proc/version") && strcasestr(p->text, "microsoft")) {
        if (strstr(p->text, "WSL2") || strstr(p->text, "microsoft-standard"))
            say(p, "place", "WSL2: a virtual machine with a Linux kernel of its own", NULL, NULL);
        else
            say(p, "place", "WSL1: no Linux kernel, but something that answers like one",
                "system calls that xenlab wants may be missing: nobody has tried it",
                "wsl --set-version NAME 2, in Windows (wsl -l has the names)");
    } else if ((of = container(p))) {
        snprintf(what, sizeof(what), "a container (%.40s)", of);
        say(p, "place", what,
            "bubblewrap may not be allowed there: then lab grade needs root and a kernel with Landlock",
            "xenlab as root in the container, or allow user namespaces (see docs/install.md)");
    } else if (!mounted(p, "/", options, sizeof(options))) {
        say(p, "place", "a chroot",
            "bubblewrap makes no namespaces there: then lab grade needs root and a kernel with Landlock",
            "xenlab as root in the chroot, or outside of it");
    } else {
        say(p, "place", "a machine, real or virtual, that is no container", NULL, NULL);
    }
}

/* QEMU's emulation of a user's programs shows the other machine's cpuinfo, or one that says so. */
static void check_processor(struct place *p)
{
    static const struct {
        const char *in, *what;
    } emulated[] = {
        { "VirtualApple", "Rosetta: an Apple processor runs x86-64 code" },
        { "CPU implementer", "QEMU runs x86-64 programs on an ARM processor" },
        { "QEMU TCG", "QEMU emulates this processor" },
        { "QEMU Virtual CPU", "QEMU may emulate this processor" },
    };

    read_file(p, "/proc/cpuinfo");
    for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++) {
        if (!strstr(p->text, emulated[i].in))
            continue;
        say(p, "processor", emulated[i].what,
            "guests are translated twice, so all takes many times as long; what compares with a real processor "
            "(make cpucheck) means nothing",
            "ssh to an x86-64 machine (see docs/install.md)");
        return;
    }
    say(p, "processor", "x86-64, as far as it says", NULL, NULL);
}

/* Whether namespaces can be made is tried; these say why not. */
static void check_switches(struct place *p)
{
    static const struct {
        const char *file, *name;
        long long forbids, allows;
    } switches[] = {
        { "/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", 0, 1 },
        { "/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", 0, 1000 },
        { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "kernel.apparmor_restrict_unprivileged_userns", 1,
          0 },
    };

    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        char what[96], type[96];

        if (number(p, switches[i].file, switches[i].allows) != switches[i].forbids)
            continue;
        snprintf(what, sizeof(what), "%s=%lld", switches[i].name, switches[i].forbids);
        snprintf(type, sizeof(type), "sudo sysctl %s=%lld", switches[i].name, switches[i].allows);
        say(p, "switches", what,
            "bubblewrap may make no namespaces: who is not root is refused lab grade, and others' algorithms are kept "
            "from "
            "files by Landlock alone",
            type);
        return;
    }
    say(p, "switches", "none forbids user namespaces", NULL, NULL);
}

static void check_ram(struct place *p)
{
    char what[96];
    const char *of = "the machine's", *at;
    long long mib = INT64_MAX, limit;

    if (read_file(p, "/proc/meminfo") && (at = strstr(p->text, "MemTotal:")))
        mib = strtoll(at + strlen("MemTotal:"), NULL, 10) / 1024;
    limit = number(p, "/sys/fs/cgroup/memory.max", INT64_MAX); /* "max" is no number */
    if (limit == INT64_MAX)
        limit = number(p, "/sys/fs/cgroup/memory/memory.limit_in_bytes", INT64_MAX);
    if (limit < 1LL << 60 && limit >> 20 < mib) { /* version 1 says "none" by a number as large */
        mib = limit >> 20;
        of = "the container's limit (cgroup), in which guests' memory counts,";
    }
    if (mib == INT64_MAX)
        return;
    snprintf(what, sizeof(what), "%s RAM: %lld MiB", of, mib);
    if (mib < LITTLE_RAM_MIB)
        say(p, "RAM", what, "a machine with large guests is killed for want of memory, and so may a compiler be",
            "xenlab run --memory 64, make -j1; or give it 2 GiB");
    else
        say(p, "RAM", what, NULL, NULL);
}

/* Machines' memory is memfd's, which no mount limits; so it is others that a small /dev/shm stops. */
static void check_mounts(struct place *p)
{
    char options[1100], what[96];
    const char *size;
    unsigned long long kib;

    if (mounted(p, "/dev/shm", options, sizeof(options)) && (size = strstr(options, ",size=")) &&
        (kib = strtoull(size + strlen(",size="), NULL, 10)) < LITTLE_SHM_MIB * 1024) {
        snprintf(what, sizeof(what), "/dev/shm has %llu KiB", kib);
        say(p, "shared", what, "nothing: machines' memory is memfd's, which this does not limit; RAM does", "nothing");
    }
    if (mounted(p, "/tmp", options, sizeof(options)) && strstr(options, ",noexec,"))
        say(p, "temporary", "programs may not be run from /tmp (noexec)",
            "labs in folders there fail even if they are right, and so does lab grade, which works there",
            "sudo mount -o remount,exec /tmp");
}

static void check_counters(struct place *p)
{
    const long long paranoid = number(p, "/proc/sys/kernel/perf_event_paranoid", -2);
    char what[96];

    if (paranoid == -2 && !exists(p, "/proc/self/mountinfo")) /* which says nothing of the kernel */
        return;
    if (paranoid == -2 || paranoid > 2) {
        snprintf(what, sizeof(what), paranoid == -2 ? "the kernel has none" : "kernel.perf_event_paranoid=%lld",
                 paranoid);
        say(p, "counters", what, "nothing in xenlab, which counts guests' instructions itself; perf measures nothing",
            "sudo sysctl kernel.perf_event_paranoid=1");
    } else {
        say(p, "counters", "perf may count", NULL, NULL);
    }
}

void doctor_place(const char *root, void (*said)(void *to, const struct doctor_said *said), void *to)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        return;
    p->root = root, p->say = said, p->to = to;
    check_where(p);
    check_processor(p);
    check_switches(p);
    check_ram(p);
    check_mounts(p);
    check_counters(p);
    free(p);
}
