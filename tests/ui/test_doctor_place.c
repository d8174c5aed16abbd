// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What doctor says of places: each is made up, as the files that tell of it below a folder of its own. What is said of
 * a thing must name it, what that costs and what to do; an ordinary machine has nothing to say but what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/doctor_place.h"

#define MOUNTS "22 27 0:21 / /proc rw,relatime - proc proc rw\n27 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

/* What was said, of things that cost something in front of a "!". */
static char said[8192];

static void keep(void *to, const struct doctor_said *s)
{
    const size_t n = strlen(said);

    assert_ptr_equal(to, said);
    assert_true(!s->costs == !s->type);
    snprintf(said + n, sizeof(said) - n, "%s%s: %s; %s; %s\n", s->costs ? "!" : " ", s->name, s->what,
             s->costs ? s->costs : "", s->type ? s->type : "");
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at) { return remove(path); }

/* A file below root, and the folders that it is in. */
static void put(const char *root, const char *file, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s%s", root, file);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        mkdir(path, 0755);
    }
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* An ordinary machine, but for some files (name, text, name, text...; NULL as a text: there is none). What it says. */
static const char *place(const char *const *files)
{
    char root[] = "build/tests/ui/place-XXXXXX", path[512];

    assert_non_null(mkdtemp(root));
    put(root, "/proc/version", "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)\n");
    put(root, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i5\n");
    put(root, "/proc/meminfo", "MemTotal:       16318480 kB\nMemFree: 1 kB\n");
    put(root, "/proc/self/mountinfo", MOUNTS);
    put(root, "/proc/1/cgroup", "0::/init.scope\n");
    put(root, "/proc/sys/kernel/unprivileged_userns_clone", "1\n");
    put(root, "/proc/sys/user/max_user_namespaces", "63000\n");
    put(root, "/proc/sys/kernel/perf_event_paranoid", "2\n");
    for (; files && files[0]; files += 2) {
        if (files[1]) {
            put(root, files[0], files[1]);
        } else {
            snprintf(path, sizeof(path), "%s%s", root, files[0]);
            assert_int_equal(unlink(path), 0);
        }
    }
    said[0] = '\0';
    doctor_place(root, keep, said);
    nftw(root, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    return said;
}

static void test_ordinary(void **state)
{
    assert_null(strchr(place(NULL), '!'));
    assert_string_equal(said, " place: a machine, real or virtual, that is no container; ; \n"
                              " processor: x86-64, as far as it says; ; \n"
                              " switches: none forbids user namespaces; ; \n"
                              " RAM: the machine's RAM: 15936 MiB; ; \n"
                              " counters: perf may count; ; \n");
}

/* One file makes it another place: one line is another. */
static void test_places(void **state)
{
    static const struct {
        const char *file, *text, *line; /* its beginning, with what is in it behind a "|" */
        const char *in;
    } places[] = {
        { "/.dockerenv", "", "!place: a container (Docker); ", "bubblewrap may not be allowed" },
        { "/run/.containerenv", "", "!place: a container (podman); ", "Landlock" },
        { "/run/systemd/container", "systemd-nspawn\n", "!place: a container (systemd-nspawn); ", "as root" },
        { "/proc/1/cgroup", "12:pids:/kubepods/besteffort/x\n", "!place: a container (kubepods); ", "Landlock" },
        { "/proc/1/cgroup", "0::/docker/0123\n", "!place: a container (docker); ", "Landlock" },
        { "/proc/version", "Linux version 5.15.153.1-microsoft-standard-WSL2 (root@x)\n", " place: WSL2",
          "kernel of its own" },
        { "/proc/version", "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)\n", "!place: WSL1",
          "wsl --set-version" },
        { "/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n", "!place: a chroot; ", "outside of it" },
        { "/proc/self/mountinfo", NULL, "!place: no /proc; ", "mount -t proc" },
        { "/proc/cpuinfo", "vendor_id : VirtualApple\n", "!processor: Rosetta", "times as long" },
        { "/proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\n", "!processor: QEMU runs x86-64 programs on an ARM",
          "ssh" },
        { "/proc/cpuinfo", "model name : QEMU TCG CPU version 2.5+\n", "!processor: QEMU emulates", "ssh" },
        { "/proc/cpuinfo", "model name : QEMU Virtual CPU version 2.5+\n", "!processor: QEMU may emulate", "ssh" },
        { "/proc/sys/kernel/unprivileged_userns_clone", "0\n", "!switches: kernel.unprivileged_userns_clone=0; ",
          "sudo sysctl kernel.unprivileged_userns_clone=1" },
        { "/proc/sys/user/max_user_namespaces", "0\n", "!switches: user.max_user_namespaces=0; ",
          "sudo sysctl user.max_user_namespaces=1000" },
        { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
          "!switches: kernel.apparmor_restrict_unprivileged_userns=1; ",
          "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
        { "/proc/meminfo", "MemTotal:       1048575 kB\n", "!RAM: the machine's RAM: 1023 MiB; ", "--memory 64" },
        { "/proc/meminfo", "MemTotal:       1048576 kB\n", " RAM: the machine's RAM: 1024 MiB; ", "" },
        { "/sys/fs/cgroup/memory.max", "536870912\n", "!RAM: the container's limit (cgroup), ", "512 MiB" },
        { "/sys/fs/cgroup/memory.max", "max\n", " RAM: the machine's RAM: 15936 MiB; ", "" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n", "!RAM: the container's limit ", "256 MiB" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", " RAM: the machine's", "" },
        { "/proc/self/mountinfo", MOUNTS "30 27 0:3 / /dev/shm rw,nosuid - tmpfs shm rw,size=65536k\n",
          "!shared: /dev/shm has 65536 KiB; ", "memfd" },
        { "/proc/self/mountinfo", MOUNTS "30 27 0:3 / /tmp rw,noexec - tmpfs t rw\n", "!temporary: programs may not",
          "exec /tmp" },
        { "/proc/sys/kernel/perf_event_paranoid", "3\n", "!counters: kernel.perf_event_paranoid=3; ", "counts guests" },
        { "/proc/sys/kernel/perf_event_paranoid", NULL, "!counters: the kernel has none; ", "counts guests" },
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *files[] = { places[i].file, places[i].text, NULL };
        const char *at = strstr(place(files), places[i].line);
        unsigned int costly = 0;

        for (const char *s = said; (s = strchr(s, '!')); s++)
            costly++;
        if (!at || (at > said && at[-1] != '\n') || costly != (places[i].line[0] == '!'))
            fail_msg("%s, \"%s\": %s was to be said, and nothing else:\n%s", places[i].file, places[i].text,
                     places[i].line, said);
        if (!memmem(at, strcspn(at, "\n"), places[i].in, strlen(places[i].in)))
            fail_msg("%s was to be in what is said: %s", places[i].in, said);
    }
}

/* What is mounted last counts; a large /dev/shm, and /tmp as it was, cost nothing. */
static void test_mounts(void **state)
{
    static const char *const files[] = { "/proc/self/mountinfo",
                                         MOUNTS
                                         "30 27 0:3 / /tmp rw,noexec - tmpfs t rw\n31 27 0:3 / /tmp rw - tmpfs t rw\n"
                                         "32 27 0:4 / /dev/shm rw - tmpfs shm rw,size=8388608k\n",
                                         NULL };

    assert_null(strchr(place(files), '!'));
}

/* Neither /proc nor a limit: nothing is said of RAM. */
static void test_no_ram(void **state)
{
    static const char *const limits[] = { "max\n", "9223372036854771712\n", "9223372036854775807\n" };

    for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const char *files[] = { "/proc/meminfo", NULL, "/sys/fs/cgroup/memory/memory.limit_in_bytes", limits[i], NULL };

        assert_null(strstr(place(files), "RAM: "));
    }
}

/* A container without /proc: that is what costs most, and nothing is said of what only /proc could tell. */
static void test_no_proc(void **state)
{
    static const char *const files[] = {
        "/.dockerenv", "", "/proc/self/mountinfo", NULL, "/proc/sys/kernel/perf_event_paranoid", NULL, NULL
    };

    assert_non_null(strstr(place(files), "!place: no /proc; "));
    assert_null(strstr(said, "counters: "));
}

/* Files that hold anything else: nothing is said that is not so, and nothing is overrun. */
static void test_nonsense(void **state)
{
    static const char *const names[] = { "/proc/version",
                                         "/proc/cpuinfo",
                                         "/proc/meminfo",
                                         "/proc/self/mountinfo",
                                         "/proc/1/cgroup",
                                         "/proc/sys/user/max_user_namespaces",
                                         "/proc/sys/kernel/perf_event_paranoid",
                                         "/run/systemd/container",
                                         "/sys/fs/cgroup/memory.max" };
    static char text[100001];

    for (unsigned int i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        const char *files[] = { names[i / 2], text, NULL };

        memset(text, i % 2 ? 'a' : ' ', sizeof(text) - 1);
        assert_non_null(strstr(place(files), "place: "));
        assert_true(strlen(said) < sizeof(said) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary), cmocka_unit_test(test_places),  cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_no_ram),   cmocka_unit_test(test_no_proc), cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
