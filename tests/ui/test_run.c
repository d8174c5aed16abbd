// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of a run that need no machine: exit status, pacing, input, guests from files and options, statistics.
 *
 * Budget: five small parts, none worth a program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "labs/kit/kernel_file.h"
#include "tests/support/file.h"
#include "ui/guest_list.h"
#include "ui/input.h"
#include "ui/pace.h"
#include "ui/stats.h"
#include "ui/status.h"

/* --- exit status --- */

static void test_status(void **state)
{
    static const struct {
        struct run_outcome outcome;
        int status;
    } cases[] = {
        { { 0 }, 0 },
        { { .limit = true }, 3 },
        { { .signal = SIGINT }, 130 },
        { { .signal = SIGTERM, .limit = true }, 143 },
        { { .left = true }, 130 },
        { { .left = true, .signal = SIGTERM }, 130 },
        { { .failed = true, .left = true, .limit = true }, 1 },
        { { .crashed = 1 }, 2 },
        { { .unknown = 1, .failed = true }, 2 },
        { { .crashed = 2, .failed = true, .left = true, .limit = true, .signal = SIGHUP }, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(run_status(&cases[i].outcome), cases[i].status);
}

/* --- pacing --- */

static void test_pace_none(void **state)
{
    struct pace p = { .mode = PACE_NONE };

    assert_int_equal(pace_rest(&p, SECONDS(100), MILLISECS(10), 0, 0), 0);
}

static void test_pace_person(void **state)
{
    struct pace p = { .mode = PACE_PERSON };

    assert_int_equal(pace_rest(&p, 0, MILLISECS(10), 0, 0), MILLISECS(10));
    assert_int_equal(pace_rest(&p, 0, MILLISECS(10), MILLISECS(1), 0), MILLISECS(9));
    assert_int_equal(pace_rest(&p, 0, MILLISECS(10), MILLISECS(5), 0), 0);
    assert_int_equal(pace_rest(&p, 0, MILLISECS(10), MILLISECS(40), 0), 0); /* several pCPUs */
    assert_int_equal(pace_rest(&p, 0, SECONDS(1), 0, 0), PACE_REST_MAX);
}

static void test_pace_realtime(void **state)
{
    struct pace p = { .mode = PACE_REALTIME };
    const s_time_t real = SECONDS(1000);

    pace_start(&p, SECONDS(5), real);
    assert_int_equal(pace_rest(&p, SECONDS(5) + 10, 10, 10, real), 10);
    assert_int_equal(pace_rest(&p, SECONDS(6), 10, 10, real + SECONDS(1)), 0);
    assert_int_equal(pace_rest(&p, SECONDS(6), 10, 10, real + SECONDS(1) + MILLISECS(100)), 0);
    /* A little behind is caught up with, much is not. */
    assert_int_equal(pace_rest(&p, SECONDS(7), 10, 10, real + SECONDS(2) - 7), 7);
    assert_int_equal(pace_rest(&p, SECONDS(8), 10, 10, real + SECONDS(60)), 0);
    assert_int_equal(pace_rest(&p, SECONDS(9), 10, 10, real + SECONDS(60)), SECONDS(1));
}

/* --- input --- */

static void test_input_file(void **state)
{
    char name[] = "/tmp/xenlab-test-XXXXXX", buf[8];
    int fd = mkstemp(name);
    struct input in;

    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(write(fd, "abcdef", 6), 6);
    lseek(fd, 0, SEEK_SET);
    input_open(&in, fd);
    assert_int_equal(in.kind, INPUT_FILE);
    assert_true(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 4), 4);
    assert_memory_equal(buf, "abcd", 4);
    assert_int_equal(input_read(&in, 0, buf, 4), 2);
    assert_false(in.closed);
    assert_int_equal(input_read(&in, 0, buf, 4), 0);
    assert_true(in.closed);
    assert_false(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 4), 0);
    close(fd);
}

/* Reading an empty pipe does not wait; Ctrl-] is a byte like any other in it. */
static void test_input_pipe(void **state)
{
    char buf[8];
    int fds[2];
    struct input in;

    assert_int_equal(pipe(fds), 0);
    input_open(&in, fds[0]);
    assert_int_equal(in.kind, INPUT_PIPE);
    assert_false(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 8), 0);
    assert_false(in.closed);
    assert_int_equal(write(fds[1], "x\x1dz", 3), 3);
    input_poll(&in);
    assert_true(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 8), 3);
    assert_false(in.left);
    close(fds[1]);
    assert_true(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 8), 0);
    assert_true(in.closed);
    close(fds[0]);
}

static void test_input_terminal(void **state)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), fd = -1;
    struct input in;
    char buf[8];

    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal) ||
        (fd = open(ptsname(terminal), O_RDWR | O_NOCTTY)) < 0)
        skip();
    input_open(&in, fd);
    assert_int_equal(in.kind, INPUT_TERMINAL);
    assert_int_equal(write(terminal, "ab\n", 3), 3);
    for (int i = 0; i < 100 && in.len == 0; i++, usleep(1000))
        input_poll(&in);
    assert_true(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 1), 1);
    assert_int_equal(buf[0], 'a');
    assert_int_equal(input_read(&in, 0, buf, 8), 2);
    assert_false(input_ready(&in, 0));
    assert_int_equal(write(terminal, "\x1d\n", 2), 2);
    for (int i = 0; i < 100 && !in.left; i++, usleep(1000))
        input_poll(&in);
    assert_true(in.left);
    close(fd);
    close(terminal);
}

static unsigned int next_of_three(void *data, unsigned int guest)
{
    ++*(unsigned int *)data;
    return (guest + 1) % 3;
}

/* Ctrl-^ among several guests: each key is for who had the keyboard when it was typed. */
static void test_input_several(void **state)
{
    static const char keys[] = "a\x1e\x1e"
                               "cd\x1e"
                               "b\x1d"
                               "never";
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), fd = -1;
    unsigned int switched = 0;
    struct termios raw;
    struct input in;
    char buf[8];

    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal) ||
        (fd = open(ptsname(terminal), O_RDWR | O_NOCTTY)) < 0)
        skip();
    assert_int_equal(tcgetattr(fd, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(fd, TCSANOW, &raw), 0);
    input_open(&in, fd);
    in.next = next_of_three;
    in.data = &switched;
    assert_int_equal(write(terminal, keys, sizeof(keys) - 1), sizeof(keys) - 1);
    for (int i = 0; i < 1000 && !in.left; i++, usleep(1000))
        input_poll(&in);
    assert_true(in.left);
    assert_int_equal(switched, 3);
    assert_int_equal(in.guest, 0);
    assert_false(input_ready(&in, 1));
    assert_int_equal(input_read(&in, 1, buf, 8), 0);
    assert_int_equal(input_read(&in, 2, buf, 1), 1);
    assert_int_equal(buf[0], 'c');
    assert_int_equal(input_read(&in, 0, buf, 8), 2);
    assert_memory_equal(buf, "ab", 2);
    assert_int_equal(input_read(&in, 2, buf, 8), 1);
    assert_int_equal(buf[0], 'd');
    assert_false(input_ready(&in, 0) || input_ready(&in, 2));
    close(fd);
    close(terminal);
}

/* A pipe is one guest's alone. */
static void test_input_pipe_of_second(void **state)
{
    char buf[8];
    int fds[2];
    struct input in;

    assert_int_equal(pipe(fds), 0);
    input_open(&in, fds[0]);
    in.guest = 1;
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_false(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 8), 0);
    assert_true(input_ready(&in, 1));
    assert_int_equal(input_read(&in, 1, buf, 8), 1);
    close(fds[0]);
    close(fds[1]);
}

static void test_input_none(void **state)
{
    struct input in;
    char buf[1];

    input_open(&in, -1);
    assert_true(in.closed);
    assert_false(input_ready(&in, 0));
    assert_int_equal(input_read(&in, 0, buf, 1), 0);
}

/* --- guests from files and options --- */

struct files {
    char dir[32], kernel[64], cfg[64], junk[64];
};

static int files_setup(void **state)
{
    static const char cfg[] = "name = 'c'\nkernel = 'kernel'\nmemory = 96\nmaxmem = 100\nvcpus = 2\ncmdline = 'from "
                              "cfg'\non_crash = 'preserve'\n"
                              "on_watchdog = 'restart'\ncap = 70\ncpu_weight = 9\nnosuchkey = 1\n";
    struct files *f = calloc(1, sizeof(*f));
    size_t size;
    uint8_t *elf = kernel_elf(&kernel_linux64, &size);

    strcpy(f->dir, "/tmp/xenlab-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->kernel, sizeof(f->kernel), "%s/kernel", f->dir);
    snprintf(f->cfg, sizeof(f->cfg), "%s/cfg", f->dir);
    snprintf(f->junk, sizeof(f->junk), "%s/junk", f->dir);
    file_write(f->kernel, elf, size);
    file_write(f->cfg, cfg, sizeof(cfg) - 1);
    file_write(f->junk, "\1\2\3", 3);
    free(elf);
    *state = f;
    return 0;
}

static int files_teardown(void **state)
{
    struct files *f = *state;

    unlink(f->kernel);
    unlink(f->cfg);
    unlink(f->junk);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void test_guests(void **state)
{
    const struct files *f = *state;
    const char *paths[] = { f->kernel, f->cfg };
    struct run_options o = { .guests = paths, .nr_guests = 2 };
    char err[GUEST_LIST_ERR_SIZE];
    struct guest_list l;
    const struct host_guest *g;

    assert_int_equal(guest_list_load(&l, &o, err), 0);
    assert_int_equal(l.nr, 2);
    assert_int_equal(l.total_mib, 64 + 100); /* as much as they may have */
    g = &l.entries[0].guest;
    assert_string_equal(g->kernel, f->kernel);
    assert_true(!g->name && !g->cmdline && !g->memory_mib && !g->vcpus && !g->has_type);
    assert_true(g->on_crash == XL_ACTION_DESTROY && g->on_reboot == XL_ACTION_DESTROY);
    g = &l.entries[1].guest;
    assert_string_equal(g->kernel, f->kernel);
    assert_string_equal(g->name, "c");
    assert_string_equal(g->cmdline, "from cfg");
    assert_int_equal(g->memory_mib, 96);
    assert_int_equal(g->vcpus, 2);
    assert_int_equal(g->on_crash, XL_ACTION_PRESERVE);
    assert_int_equal(g->on_reboot, XL_ACTION_RESTART); /* the default of a file, and not that of a kernel by itself */
    assert_int_equal(g->on_watchdog, XL_ACTION_RESTART);
    assert_int_equal(g->sched->number[XL_SCHED_CAP].value, 70);
    assert_non_null(strstr(l.entries[1].cfg.warnings, "nosuchkey"));
    assert_true(guest_list_reads(&l, &o, f->kernel) && guest_list_reads(&l, &o, f->cfg));
    assert_false(guest_list_reads(&l, &o, f->junk) || guest_list_reads(&l, &o, "/dev/null"));
    guest_list_free(&l);
}

/* An HVM guest's kernel is what stands in hvmloader's place; it has no ramdisk of the options, and no command line. */
static void test_hvm(void **state)
{
    const struct files *f = *state;
    char path[sizeof(f->dir) + 16], err[GUEST_LIST_ERR_SIZE];
    const char *paths[] = { path };
    struct run_options o = { .guests = paths, .nr_guests = 1, .cmdline = "c", .ramdisk = "r" };
    struct guest_list l;
    FILE *file;

    snprintf(path, sizeof(path), "%s/hvm", f->dir);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "type = 'hvm'\nfirmware_override = '%s'\nbios_path_override = '%s'\nvga = 'none'\n", f->kernel,
            f->cfg);
    fclose(file);
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    assert_true(l.entries[0].guest.type == XL_TYPE_HVM && l.entries[0].guest.hvm->hap);
    assert_string_equal(l.entries[0].guest.kernel, f->kernel);
    assert_string_equal(l.entries[0].guest.ramdisk, f->cfg);
    assert_true(!l.entries[0].guest.vgabios && !l.entries[0].guest.cmdline);
    assert_true(guest_list_reads(&l, &o, f->kernel) && guest_list_reads(&l, &o, f->cfg));
    guest_list_free(&l);

    /* It is of another type, and has no kernel; or it has one, which nobody would start. */
    o.type_name = "pv", o.type = XL_TYPE_PV;
    assert_int_equal(guest_list_load(&l, &o, err), -1);
    assert_non_null(strstr(err, "--type: there is no kernel: a pv guest needs"));
    guest_list_free(&l);
    paths[0] = f->cfg;
    o.type_name = "hvm", o.type = XL_TYPE_HVM;
    assert_int_equal(guest_list_load(&l, &o, err), -1);
    assert_non_null(strstr(err, "kernel: an HVM guest starts from a disk"));
    guest_list_free(&l);
}

/* Devices of options are further ones; one with the name, number or tag of the file's has its place. */
static void test_devices_of_both(void **state)
{
    const struct files *f = *state;
    char path[sizeof(f->dir) + 16], err[GUEST_LIST_ERR_SIZE], why[XL_DISK_WHY_SIZE], where[XL_WHERE_SIZE];
    const char *paths[] = { path };
    struct run_options o = { .guests = paths, .nr_guests = 1 };
    const struct host_guest *g;
    struct guest_list l;
    FILE *file;

    snprintf(path, sizeof(path), "%s/devices", f->dir);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "kernel = '%s'\ndisk = [ '/a,raw,xvda,w', '/c,raw,xvdc,r' ]\nvif = [ 'bridge=one', 'bridge=two' ]\n"
            "p9 = [ 'tag=share,path=/s', 'tag=t,path=/t' ]\nchannel = [ 'name=n,connection=pty' ]\n",
            f->kernel);
    fclose(file);
    assert_true(xl_disks_add_short(&o.disks, "/new1", why) && xl_disks_add_short(&o.disks, "/new2,ro", why));
    assert_true(xl_disks_add_short(&o.disks, "/instead,xvdc", why) && xl_disks_add_short(&o.disks, "/d,xvdd", why));
    assert_true(xl_vifs_add_short(&o.vifs, "three", why) && xl_vifs_add_short(&o.vifs, "instead,devid=1", why));
    assert_true(xl_p9s_add_short(&o.p9s, "/new", why) && xl_p9s_add_short(&o.p9s, "/instead,tag=t", why));
    assert_true(xl_channels_add(&o.channels, "name=m,connection=pty", why));
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    g = &l.entries[0].guest;

    static const struct {
        const char *vdev, *path;
    } disks[] = {
        { "xvda", "/a" }, { "xvdc", "/instead" }, { "xvdd", "/d" }, { "xvdb", "/new1" }, { "xvde", "/new2" }
    };
    assert_int_equal(g->disks->nr, 5);
    for (unsigned int i = 0; i < 5; i++) {
        uint32_t devid;

        assert_string_equal(g->disks->list[i].vdev, disks[i].vdev);
        assert_string_equal(g->disks->list[i].path, disks[i].path);
        assert_true(xl_disk_devid(disks[i].vdev, &devid) && g->disks->list[i].devid == devid);
        assert_int_equal(g->disks->list[i].readonly, i == 4);
    }
    assert_int_equal(g->vifs->nr, 3);
    assert_string_equal(g->vifs->list[0].bridge, "one");
    assert_string_equal(g->vifs->list[1].bridge, "instead");
    assert_true(!strcmp(g->vifs->list[2].bridge, "three") && g->vifs->list[2].devid == 2);
    assert_int_equal(g->p9s->nr, 3);
    assert_string_equal(g->p9s->list[1].path, "/instead");
    assert_string_equal(g->p9s->list[2].tag, "share1");
    assert_true(g->channels->nr == 2 && !strcmp(g->channels->list[1].name, "m"));
    assert_string_equal(xl_where(g->where, "disk", where), "disk, --disk: ");
    guest_list_free(&l);

    for (unsigned int i = 0; i < 5; i++)
        assert_true(xl_vifs_add_short(&o.vifs, "more", why)); /* 7, and the file's first */
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    assert_int_equal(l.entries[0].guest.vifs->nr, 8);
    guest_list_free(&l);
    assert_true(xl_vifs_add_short(&o.vifs, "more", why));
    assert_int_equal(guest_list_load(&l, &o, err), -1);
    assert_non_null(strstr(err, "--net: beside those of "));
    assert_non_null(strstr(err, "devices: more than 8 network cards"));
    guest_list_free(&l);
    xl_disks_free(&o.disks);
    unlink(path);
}

/* Stated names are kept, the others made to differ from them and from each other; none is dom0's. */
static void test_names(void **state)
{
    const struct files *f = *state;
    char dom0[sizeof(f->dir) + 16], expected[64];
    const char *base = basename(f->kernel), *paths[] = { f->kernel, f->cfg, f->kernel, dom0 };
    struct run_options o = { .guests = paths, .nr_guests = 3, .copies = 2 };
    char err[GUEST_LIST_ERR_SIZE];
    struct guest_list l;

    assert_int_equal(guest_list_load(&l, &o, err), 0);
    assert_int_equal(l.nr_names, 6);
    assert_string_equal(l.names[0], base);
    assert_string_equal(l.names[1], "c");
    snprintf(expected, sizeof(expected), "%s-2", base);
    assert_string_equal(l.names[2], expected);
    snprintf(expected, sizeof(expected), "%s-3", base);
    assert_string_equal(l.names[3], expected);
    assert_string_equal(l.names[4], "c-2");
    snprintf(expected, sizeof(expected), "%s-4", base);
    assert_string_equal(l.names[5], expected);
    guest_list_free(&l);

    snprintf(dom0, sizeof(dom0), "%s/Domain-0", f->dir);
    assert_int_equal(symlink(f->kernel, dom0), 0);
    o = (struct run_options){ .guests = paths, .nr_guests = 4 };
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    assert_string_equal(l.names[3], "Domain-0-2");
    guest_list_free(&l);
    assert_int_equal(unlink(dom0), 0);
}

static void test_names_refused(void **state)
{
    const struct files *f = *state;
    const char *paths[] = { f->kernel, f->cfg, f->cfg };
    struct run_options o = { .guests = paths, .nr_guests = 3 };
    char err[GUEST_LIST_ERR_SIZE];
    struct guest_list l;

    assert_int_equal(guest_list_load(&l, &o, err), -1);
    guest_list_free(&l);
    assert_non_null(strstr(err, "name: another guest is called \"c\""));
    assert_non_null(strstr(err, f->cfg));
    o = (struct run_options){ .guests = paths, .nr_guests = 1, .name = "Domain-0" };
    assert_int_equal(guest_list_load(&l, &o, err), -1);
    guest_list_free(&l);
    assert_string_equal(err, "--name: dom0 is called \"Domain-0\"");
}

/* What the command line says counts more. */
static void test_guests_overridden(void **state)
{
    const struct files *f = *state;
    const char *paths[] = { f->cfg };
    struct run_options o = { .guests = paths,
                             .nr_guests = 1,
                             .name = "n",
                             .cmdline = "",
                             .memory_mib = 5,
                             .vcpus = 1,
                             .ramdisk = "r",
                             .type_name = "pvh",
                             .type = XL_TYPE_PVH,
                             .on_watchdog = { true, XL_ACTION_PRESERVE } };
    char err[GUEST_LIST_ERR_SIZE];
    struct guest_list l;
    const struct host_guest *g;

    assert_true(xl_sched_set_number(&o.guest_sched, XL_SCHED_CAP, "--cap", 0));
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    xl_sched_free(&o.guest_sched);
    g = &l.entries[0].guest;
    assert_int_equal(g->on_watchdog, XL_ACTION_PRESERVE);
    assert_int_equal(g->on_crash, XL_ACTION_PRESERVE);
    assert_string_equal(g->sched->number[XL_SCHED_CAP].where, "--cap");
    assert_int_equal(g->sched->number[XL_SCHED_CAP].value, 0);
    assert_int_equal(g->sched->number[XL_SCHED_WEIGHT].value, 9);
    assert_string_equal(g->name, "n");
    assert_string_equal(g->cmdline, "");
    assert_string_equal(g->ramdisk, "r");
    assert_int_equal(g->memory_mib, 5);
    assert_int_equal(g->vcpus, 1);
    assert_true(g->has_type && g->type == XL_TYPE_PVH);
    assert_int_equal(l.total_mib, 100);
    guest_list_free(&l);
}

static void test_guests_refused(void **state)
{
    const struct files *f = *state;
    const char *const bad[] = { f->junk, f->dir, "/nosuch/file", "/dev/null" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *paths[] = { f->kernel, bad[i] };
        struct run_options o = { .guests = paths, .nr_guests = 2 };
        char err[GUEST_LIST_ERR_SIZE];
        struct guest_list l;

        assert_int_equal(guest_list_load(&l, &o, err), -1);
        assert_memory_equal(err, bad[i], strlen(bad[i]));
        guest_list_free(&l);
    }
}

static void test_guests_too_large(void **state)
{
    const struct files *f = *state;
    const char *paths[] = { f->cfg };
    struct run_options o = { .guests = paths, .nr_guests = 1, .copies = 5000 }; /* of 100 MiB */
    char err[GUEST_LIST_ERR_SIZE], expected[GUEST_LIST_ERR_SIZE];
    struct guest_list l;

    assert_int_equal(guest_list_load(&l, &o, err), 0);
    guest_list_free(&l);
    o.copies = 6000;
    snprintf(expected, sizeof(expected),
             "%s:4: maxmem: the guests may have 600000 MiB altogether, and a machine has room for 508368", f->cfg);
    assert_int_equal(guest_list_load(&l, &o, err), -1);
    guest_list_free(&l);
    assert_string_equal(err, expected);
    o.ram_mib = 1024; /* who says how much there is shall have it */
    assert_int_equal(guest_list_load(&l, &o, err), 0);
    guest_list_free(&l);
}

/* --- statistics --- */

static void test_stats(void **state)
{
    const struct stats_wall wall = { .start_up = MILLISECS(7), .running = SECONDS(1), .peak_kib = 1536 };
    const struct host_task_time dom0[] = { { "kernel", 0, 0 }, { "console", 5, 2500 }, { "toolstack", 9, 40000 } };
    struct snapshot s = { .now = MILLISECS(1500),
                          .insns = 20000000,
                          .nr_exits = 2,
                          .exits = { { "syscall", 3 }, { "exception", 1 } },
                          .nr_hypercalls = 2,
                          .hypercalls = { { "mmu_update", 3 }, { "xen_version", 0 } } };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    s.nr_domains = 4;
    s.domains[0] = (struct domain_work){ .kind = "native" };
    s.domains[1] = (struct domain_work){
        .domid = 1, .kind = "PV64", .insns_in = { 0, 0, 0, 70 }, .insns_kernel = 30, .in_xen = MILLISECS(2)
    };
    s.domains[2] = (struct domain_work){ .domid = 2, .kind = "PV32", .insns_in = { 0, 5, 0, 6 } };
    s.domains[3] = (struct domain_work){ .domid = 3, .kind = "HVM", .insns_in = { 1, 2, 3, 4 } };
    s.nested = (struct machine_fills){ 2, 39 };
    s.exceptions[14] = 1;
    stats_print(out, &s, &wall, dom0, 3);
    fclose(out);
    assert_non_null(strstr(text, "virtual                            1.500000 s"));
    assert_non_null(strstr(text, "million a second (real)              20.0"));
    assert_non_null(strstr(text, "14 #PF                                    1"));
    assert_non_null(strstr(text, "mmu_update                                3"));
    assert_non_null(strstr(text, "peak memory                             1.5 MiB"));
    assert_true(stats_peak_kib() > 1024); /* a C library is that large */
    assert_non_null(strstr(
        text,
        "dom0\n  running                            0.000043 s\n    console                          0.000003 s\n"));
    assert_non_null(strstr(text, "domain 1 (PV64)\n"
                                 "  ring -1: Xen                       0.002000 s\n"
                                 "  kernel, at CPL 3                         30\n"
                                 "  user, at CPL 3                           40\n"
                                 "domain 2 (PV32)\n"
                                 "  ring -1: Xen                       0.000000 s\n"
                                 "  kernel, at CPL 1                          5\n"
                                 "  user, at CPL 3                            6\n"
                                 "domain 3 (HVM)\n"
                                 "  ring -1: Xen                       0.000000 s\n"
                                 "  ring 0                                    1\n"
                                 "  ring 1                                    2\n"
                                 "  ring 2                                    3\n"
                                 "  ring 3                                    4\n"
                                 "misses of the TLB (this run's)\n"
                                 "  HVM, by the book 24                       2, 19.50 references each\n"));
    assert_null(strstr(text, "domain 0"));
    assert_null(strstr(text, "    kernel"));
    assert_null(strstr(text, "xen_version"));
    assert_null(strstr(text, "waiting"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_pace_none),
        cmocka_unit_test(test_pace_person),
        cmocka_unit_test(test_pace_realtime),
        cmocka_unit_test(test_input_file),
        cmocka_unit_test(test_input_pipe),
        cmocka_unit_test(test_input_terminal),
        cmocka_unit_test(test_input_several),
        cmocka_unit_test(test_input_pipe_of_second),
        cmocka_unit_test(test_input_none),
        cmocka_unit_test_setup_teardown(test_guests, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_hvm, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_devices_of_both, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_names, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_names_refused, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_guests_overridden, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_guests_refused, files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_guests_too_large, files_setup, files_teardown),
        cmocka_unit_test(test_stats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
