// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every option of `xenlab run`, every key of xl.cfg, every fault and every command of `xenlab ctl` that changes
 * something, with a PV, a PVH and an HVM guest: it has an effect, or it is said that it has none.
 *
 * Concept: a table each. A row says what is given, and for each type a text that has to be among the messages; NULL:
 * nothing may be said. What there is is asked of the program, so that an option without a row fails here. That what is
 * not told has its effect is the affair of other tests: here nobody adds a thing without saying for all three.
 *
 * Passes wrongly: a row that says NULL where an option has no effect.
 *
 * Budget: the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/host_run.h"
#include "tools/ctl.h"
#include "tools/fault.h"
#include "tools/xl/xl_cfg.h"
#include "tools/xl/xl_hvm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PV, PVH, HVM, TYPES };

static const char *const type_words[TYPES] = { "pv", "pvh", "hvm" };
static const char *const kernels[TYPES] = { "build/guests/hello", "build/guests/hvmtest/64/hvmtest64",
                                            "build/guests/hvm/boot16" };

struct row {
    const char *name, *given;
    const char *told[TYPES];
};

#define WORKS                                                                                                          \
    {                                                                                                                  \
        NULL, NULL, NULL                                                                                               \
    }
#define ALL(t)                                                                                                         \
    {                                                                                                                  \
        t, t, t                                                                                                        \
    }
#define ELSEWHERE NULL, WORKS /* what it takes is more than a short run: it is tried by tests of its own */

static const struct row options[] = {
    { "memory", "--memory 24", WORKS },
    { "vcpus", "--vcpus 2", WORKS },
    { "cmdline", "--cmdline x", { NULL, NULL, "cmdline has no effect: what an HVM guest starts is on its disks" } },
    { "ramdisk", "--ramdisk $D/disk.img", { NULL, NULL, "ramdisk has no effect: what an HVM guest starts is on its" } },
    { "type", "", WORKS },
    { "name", "--name x", WORKS },
    { "cpuid", "--cpuid host,sse4_2=0", WORKS },
    { "disk", "--disk $D/disk.img,xvde", { NULL, NULL, "xvde is no IDE drive: it is there for a guest with drivers" } },
    { "net", "--net xenbr0", WORKS },
    { "share", "--share $D", WORKS },
    { "channel", "--channel name=a,connection=socket,path=$D/channel", ALL("the channel a of g (d1) is ") },
    { "driver-domain", "--driver-domain drv", WORKS },
    { "dom0", ELSEWHERE },
    { "fb", "--fb", WORKS },
    { "copies", "--copies 2", WORKS },
    { "cpu-weight", "--cpu-weight 512", WORKS },
    { "cap", "--cap 50", WORKS },
    { "period", "--sched rtds --period 20000", WORKS },
    { "budget", "--sched rtds --budget 5000", WORKS },
    { "extratime", "--sched rtds --extratime 1", WORKS },
    { "cpus", "--cpus 0", WORKS },
    { "cpus-soft", "--cpus-soft 0", WORKS },
    { "pool", "--pcpus 3 --cpupool p=1 --pool p", WORKS },
    { "on-poweroff",
      "--on-poweroff soft-reset",
      { "this one is PV: destroyed", "of those it is not there: destroyed", "of those it is not there: destroyed" } },
    { "on-reboot", "--on-reboot destroy", WORKS },
    { "on-crash", "--on-crash preserve", WORKS },
    { "on-watchdog", "--on-watchdog preserve", WORKS },
    { "ram", "--ram 256", WORKS },
    { "pcpus", "--pcpus 4", WORKS },
    { "sched", "--sched credit", WORKS },
    { "fault", "--fault 0ms:store-eagain", WORKS },
    { "cpupool", "--pcpus 3 --cpupool p=2", WORKS },
    { "device-model",
      "--device-model domain",
      { "--device-model has no effect: there is no HVM guest", "--device-model has no effect: there is no HVM guest",
        NULL } },
    { "seed", "--seed 1", WORKS },
    { "max-vtime", "--max-vtime 1us", ALL("the limit of virtual time is reached") },
    { "audit", "--audit", WORKS },
    { "technique", "--technique emulate", { "--technique has no effect: there is no PVH or HVM guest", NULL, NULL } },
    { "segments", "--segments exact", WORKS },
    { "plain-engine", "--plain-engine", WORKS },
    { "verbose", "-v", WORKS },
    { "quiet", "-q", WORKS },
    { "help", "--help", WORKS },
    { "console", "--console 1", WORKS },
    { "realtime", "--realtime", WORKS },
    { "trace", "--trace $D/trace", WORKS },
    { "trace-filter", "--trace $D/trace --trace-filter exit", WORKS },
    { "fb-png", "--fb-png $D/x.png", ALL("there is no picture: the guest has shown nothing on a screen") },
    { "pcap", "--net xenbr0 --pcap $D/pcap", WORKS },
    { "record", "--record $D/record", WORKS },
    { "stats", "--stats", WORKS },
    { "bench", "--bench", WORKS },
    { "bench-workload", "--bench-workload docs/examples/sched/weights.txt", WORKS },
    { "bench-json", "--bench-json $D/bench.json", WORKS },
    { "balloon-policy", "--balloon-policy still", WORKS },
    { "balloon-json", ELSEWHERE },
    { "balloon-workload", ELSEWHERE },
    { "disk-writes", "--disk $D/disk.img,hda --disk-writes exit", ALL("what g writes is kept in memory, and goes") },
    { "power-cut", "--disk $D/disk.img,hda --power-cut 1us", ALL("the power is cut") },
    { "xenstore-socket", "--xenstore-socket $D/xenstore", WORKS },
    { "console-to", "--console-to file:$D/console", WORKS },
    { "fb-window", ELSEWHERE },
    { "vnc", ELSEWHERE },
    { "control", ELSEWHERE },
    { "gdb", ELSEWHERE },
};

#define NOT_PV(t)                                                                                                      \
    {                                                                                                                  \
        "is for PVH and HVM guests and is ignored", t, t                                                               \
    }
#define OF_HVM(t)                                                                                                      \
    {                                                                                                                  \
        "is for HVM guests and is ignored", "is for HVM guests and is ignored", t                                      \
    }
#define OF_PVH(t)                                                                                                      \
    {                                                                                                                  \
        "is for PVH guests and is ignored", t, "is for PVH guests and is ignored"                                      \
    }
#define ON_DISK(k)                                                                                                     \
    {                                                                                                                  \
        NULL, NULL, k " has no effect: what an HVM guest starts is on its disks"                                       \
    }
#define NO_SLEEP "has no effect: no guest sleeps"

static const struct row keys[] = {
    { "name", "", WORKS },
    { "type", "", WORKS },
    { "kernel", "", WORKS },
    { "memory", "memory = 24", WORKS },
    { "builder", ELSEWHERE },
    { "driver_domain", ELSEWHERE },
    { "ramdisk", "ramdisk = \"$D/disk.img\"", ON_DISK("ramdisk") },
    { "cmdline", "cmdline = \"x\"", ON_DISK("cmdline") },
    { "root", "root = \"x\"", ON_DISK("root") },
    { "extra", "extra = \"x\"", ON_DISK("extra") },
    { "maxmem", "maxmem = 32", WORKS },
    { "vcpus", "vcpus = 2", WORKS },
    { "maxvcpus", "maxvcpus = 2", WORKS },
    { "cpu_weight", "cpu_weight = 512", WORKS },
    { "cap", "cap = 50", WORKS },
    { "period", "period = 20000", ALL("period") },
    { "budget", "budget = 5000", ALL("budget") },
    { "extratime", "extratime = 1", ALL("extratime") },
    { "cpus", "cpus = \"0\"", WORKS },
    { "cpus_soft", "cpus_soft = \"0\"", WORKS },
    { "pool", "pool = \"Pool-0\"", WORKS },
    { "on_poweroff", "on_poweroff = \"preserve\"", WORKS },
    { "on_reboot", "on_reboot = \"destroy\"", WORKS },
    { "on_crash", "on_crash = \"preserve\"", WORKS },
    { "on_watchdog", "on_watchdog = \"preserve\"", WORKS },
    { "on_soft_reset", "on_soft_reset = \"destroy\"", WORKS },
    { "tsc_mode", "tsc_mode = \"native\"", WORKS },
    { "cpuid", "cpuid = \"host,sse4_2=0\"", WORKS },
    { "uuid", "uuid = \"12345678-1234-1234-1234-123456789012\"", WORKS },
    { "disk",
      "disk = [ \",hdc:cdrom,r\" ]",
      { "a drive without a disc is for HVM guests and is ignored", "a drive without a disc is for HVM guests", NULL } },
    { "vif", "vif = [ \"model=e1000\" ]", { NULL, NULL, "the emulated card is an rtl8139: model= has no effect" } },
    { "p9", "p9 = [ \"tag=share,path=$D\" ]", WORKS },
    { "vfb", "vfb = [ \"vnc=0\" ]", WORKS },
    { "vkb", "vkb = [ \"unique-id=1\" ]", WORKS },
    { "vnc", ELSEWHERE },
    { "vnclisten", ELSEWHERE },
    { "vncdisplay", ELSEWHERE },
    { "vncunused", ELSEWHERE },
    { "vncpasswd", ELSEWHERE },
    { "sdl", "sdl = 1", { "sdl is ignored: it wants vnc = 1", "sdl is ignored: it wants vnc = 1", "vfb: sdl=1: " } },
    { "opengl", ELSEWHERE },
    { "display", ELSEWHERE },
    { "xauthority", ELSEWHERE },
    { "keymap", ELSEWHERE },
    { "channel", "channel = [ \"name=a,connection=socket,path=$D/channel\" ]", ALL("the channel a of g (d1) is ") },
    { "max_event_channels", "max_event_channels = 127", WORKS },
    { "max_grant_frames", "max_grant_frames = 32", WORKS },
    { "max_maptrack_frames", "max_maptrack_frames = 32", WORKS },
    { "nestedhvm", "nestedhvm = 1", NOT_PV("nestedhvm is accepted, but no guest here can be a hypervisor") },
    { "viridian", "viridian = 1", OF_HVM("viridian is accepted, but") },
    { "hap", "hap = 0", NOT_PV(NULL) },
    { "acpi",
      "acpi = 0",
      { "is for PVH and HVM guests and is ignored", "has no effect: PVH guests have ACPI tables", NULL } },
    { "shadow_memory", "shadow_memory = 8", NOT_PV("shadow_memory has no effect") },
    { "shadow_policy", "hap = 0\nshadow_policy = \"drop\"", NOT_PV(NULL) },
    { "technique", "technique = \"hardware\"", NOT_PV(NULL) },
    { "timer_mode", "timer_mode = \"no_missed_ticks_pending\"", NOT_PV(NULL) },
    { "pvshim", "pvshim = 0", OF_PVH(NULL) },
    { "pvshim_path", "pvshim_path = \"x\"", OF_PVH("pvshim_path is ignored: pvshim is not set") },
    { "pvshim_cmdline", "pvshim_cmdline = \"x\"", OF_PVH("pvshim_cmdline is ignored: pvshim is not set") },
    { "pvshim_extra", "pvshim_extra = \"x\"", OF_PVH("pvshim_extra is ignored: pvshim is not set") },
    { "firmware_override", "firmware_override = \"build/guests/hvm/boot16\"", OF_HVM(NULL) },
    { "bios", "bios = \"seabios\"", OF_HVM(NULL) },
    { "bios_path_override", "bios_path_override = \"$D/disk.img\"", OF_HVM(NULL) },
    { "firmware", "firmware = \"bios\"", OF_HVM(NULL) },
    { "boot", "boot = \"d\"", OF_HVM(NULL) },
    { "serial", "serial = \"stdio\"", OF_HVM(NULL) },
    { "stdvga", "stdvga = 1", OF_HVM(NULL) },
    { "vga", "vga = \"qxl\"", OF_HVM("vga is another here: the adapter is a standard VGA") },
    { "videoram", "videoram = 8", OF_HVM(NULL) },
    { "mmio_hole", "mmio_hole = 512", OF_HVM(NULL) },
    { "localtime", "localtime = 1", OF_HVM(NULL) },
    { "rtc_timeoffset", "rtc_timeoffset = 3", OF_HVM(NULL) },
    { "apic", "apic = 0", OF_HVM(NULL) },
    { "pae", "pae = 0", OF_HVM(NULL) },
    { "nx", "nx = 0", OF_HVM(NULL) },
    { "hpet", "hpet = 0", OF_HVM(NULL) },
    { "acpi_s3", "acpi_s3 = 1", OF_HVM("acpi_s3 " NO_SLEEP) },
    { "acpi_s4", "acpi_s4 = 1", OF_HVM("acpi_s4 " NO_SLEEP) },
    { "vpt_align", "vpt_align = 0", OF_HVM(NULL) },
    { "xen_platform_pci", "xen_platform_pci = 0", OF_HVM(NULL) },
};

/* Of guests that still run at that time. */
static const char *const lasting[TYPES] = { "build/guests/idle", "build/guests/hvmtest/64/hvmtest64",
                                            "build/guests/pcdev/pcdev" };

static const struct row faults[] = {
    { "crash", "--fault 8ms:crash=g", WORKS },
    { "freeze", "--fault 8ms:freeze=g,5ms", WORKS },
    { "eio", "--fault 8ms:eio=g/hda,5", WORKS },
    { "slow", "--fault 8ms:slow=g/hda,5ms", WORKS },
    { "drop-event", "--fault 8ms:drop-event=g/hda,5", WORKS },
    { "corrupt-index", "--fault 8ms:corrupt-index=g/hda", ALL("no front end is connected to it") },
    { "store-eagain", "--fault 8ms:store-eagain,5", WORKS },
};

/* --- runs of the program --- */

static char dir[] = "/tmp/test_types.XXXXXX";
static char said[1 << 16];

static const struct row *row_of(const struct row *rows, size_t nr, const char *name)
{
    for (size_t i = 0; i < nr; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    fail_msg("%s has no row: what does it do with each type of guest?", name);
    return NULL;
}

/* What the program says of itself; how it ended, where that is its own affair. */
static void run(const struct row *row, const char *line, unsigned int type)
{
    static const char *const usual[] = { "the limit of virtual time is reached", "all guests are idle" };
    char command[4096], text[2048];
    const char *program = getenv("XENLAB");
    bool told = !row->told[type];
    size_t len = 0;
    FILE *f;
    int rc;

#ifdef __SANITIZE_ADDRESS__ /* a run costs seven times as much: every fourth, which is each type in turn */
    static unsigned int cells;

    if (cells++ % 4)
        return;
#endif
    snprintf(command, sizeof(command),
             "D=%s; rm -f $D/channel $D/x.png $D/record; unset DISPLAY WAYLAND_DISPLAY; "
             "timeout 60 %s run -q --max-vtime 20ms %s 2>&1 < /dev/null",
             dir, program ? program : "./xenlab", line);
    f = popen(command, "r");
    assert_non_null(f);
    said[0] = '\0';
    while (fgets(text, sizeof(text), f)) {
        bool expected = row->told[type] && strstr(text, row->told[type]);

        told |= expected;
        for (size_t i = 0; i < COUNT(usual); i++)
            expected |= strstr(text, usual[i]) != NULL;
        if (!strncmp(text, "xenlab: ", 8) && !expected && len + strlen(text) < sizeof(said))
            len += (size_t)snprintf(said + len, sizeof(said) - len, "%s", text);
    }
    rc = pclose(f);
    if (!WIFEXITED(rc) || WEXITSTATUS(rc) > 3)
        fail_msg("%s, %s: status %d: %s", row->name, type_words[type], rc, line);
    if (!told)
        fail_msg("%s, %s: it is not told: %s\n%s", row->name, type_words[type], row->told[type], said);
    if (!row->told[type] && len)
        fail_msg("%s, %s: it is told:\n%s", row->name, type_words[type], said);
}

static void run_each(const struct row *row, const char *more, const char *const kernel[TYPES])
{
    char line[2048];

    for (unsigned int type = 0; type < TYPES && row->given; type++) {
        snprintf(line, sizeof(line), "--name g --memory 16 %s %s --type %s %s", more, row->given, type_words[type],
                 kernel[type]);
        run(row, line, type);
    }
}

static void every_option(void **state)
{
    const char *program = getenv("XENLAB");
    char command[512], line[256], name[64];
    unsigned int nr = 0;
    FILE *f;

    (void)state;
    snprintf(command, sizeof(command), "%s run --help", program ? program : "./xenlab");
    f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "  --%63[a-z0-9-]", name) == 1 || sscanf(line, "  -%*c, --%63[a-z0-9-]", name) == 1) {
            const struct row *row = row_of(options, COUNT(options), name);

            run_each(row, "", kernels);
            nr++;
        }
    pclose(f);
    assert_int_equal(nr, COUNT(options));
}

static void every_fault(void **state)
{
#define X(id, word, about, more) word,
    static const char *const words[] = { FAULTS(X) };
#undef X

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++)
        run_each(row_of(faults, COUNT(faults), words[i]), "--disk $D/disk.img,hda", lasting);
    assert_int_equal(COUNT(words), COUNT(faults));
}

static void every_key(void **state)
{
    char line[512], value[512];
    size_t nr = 0;

    (void)state;
    for (; xl_key_at(nr); nr++) {
        const struct row *row = row_of(keys, COUNT(keys), xl_key_at(nr));
        const char *d = row->given ? strstr(row->given, "$D") : NULL;

        for (unsigned int type = 0; type < TYPES && row->given; type++) {
            char path[64];
            FILE *f;

            snprintf(path, sizeof(path), "%s/g.cfg", dir);
            f = fopen(path, "w");
            assert_non_null(f);
            snprintf(value, sizeof(value), "%.*s%s%s", d ? (int)(d - row->given) : (int)strlen(row->given), row->given,
                     d ? dir : "", d ? d + 2 : "");
            fprintf(f, "name = \"g\"\ntype = \"%s\"\n%s\n", type_words[type], value);
            if (strcmp(row->name, "memory") != 0)
                fprintf(f, "memory = 16\n");
            if (type != HVM || strcmp(row->name, "firmware_override") != 0)
                fprintf(f, "%s = \"%s\"\n", type == HVM ? "firmware_override" : "kernel", kernels[type]);
            fclose(f);
            snprintf(line, sizeof(line), "%s", path);
            run(row, line, type);
        }
    }
    assert_int_equal(nr, COUNT(keys));
}

static int files_make(void **state)
{
    char path[64];
    FILE *f;

    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/disk.img", dir);
    f = fopen(path, "w");
    return !f || ftruncate(fileno(f), 1 << 20) || fclose(f);
}

static int files_remove(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* --- commands, to guests that stand still --- */

#define PV_ONLY "An HVM guest sees this with drivers for Xen alone"
#define NOT_PVS                                                                                                        \
    {                                                                                                                  \
        "Invalid argument", "A PVH guest has no such button", NULL                                                     \
    }
#define NO_DISC "cdrom-insert requires an HVM domain"

static const struct row commands[] = {
    { "pause", "pause g", WORKS },
    { "unpause", "unpause g", WORKS },
    { "mem-set", "mem-set g 8", { NULL, NULL, PV_ONLY } },
    { "vcpu-set", "vcpu-set g 1", { NULL, NULL, "An HVM guest is told by xenstore alone" } },
    { "vcpu-pin", "vcpu-pin g all 0", WORKS },
    { "rename", "rename g g", WORKS },
    { "trigger", "trigger g power", NOT_PVS },
    { "trigger", "trigger g sleep", NOT_PVS },
    { "trigger", "trigger g nmi", WORKS },
    { "trigger", "trigger g init", ALL("Function not implemented") },
    { "trigger", "trigger g reset", ALL("Function not implemented") },
    { "trigger", "trigger g s3resume", { "Invalid argument", "No guest sleeps here", "No guest sleeps here" } },
    { "sysrq", "sysrq g h", { NULL, NULL, PV_ONLY } },
    { "dump-core", "dump-core g $D/core", WORKS },
    { "save", ELSEWHERE },
    { "restore", ELSEWHERE },
    { "clone", ELSEWHERE },
    { "snapshot", ELSEWHERE },
    { "block-attach", "block-attach g $D/disk.img,raw,xvdb,w", { NULL, NULL, PV_ONLY } },
    { "block-resize", "block-resize g xvdb 2m", { NULL, NULL, PV_ONLY } },
    { "block-release", ELSEWHERE },
    { "block-take", ELSEWHERE },
    { "block-detach", "block-detach --force g xvdb", { NULL, NULL, PV_ONLY } },
    { "block-detach", "block-detach --force g hda", { NULL, NULL, "hda is an IDE drive of this guest's as well" } },
    { "cd-insert", "cd-insert g hdc $D/disk.img", { NO_DISC, NO_DISC, NULL } },
    { "cd-eject", "cd-eject g hdc", { NO_DISC, NO_DISC, NULL } },
    { "network-attach", "network-attach g", { NULL, NULL, PV_ONLY } },
    { "network-detach", "network-detach --force g 0", { NULL, NULL, PV_ONLY } },
    { "debug-keys", "debug-keys h", WORKS },
    { "shutdown", "shutdown g", { NULL, NULL, "Use \"-F\" to fallback to ACPI power event" } },
    { "shutdown", "shutdown -F g", { NULL, NULL, "sending ACPI power button event" } },
    { "reboot", "reboot g", { NULL, NULL, "Use \"-F\" to fallback to ACPI power event" } },
    { "crash", "crash g", WORKS },
    { "destroy", ELSEWHERE },
};

struct heard {
    char text[4096];
    bool over;
};

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    struct heard *h = data;

    (void)id;
    h->over |= what == HOST_CTL_END;
    if (what == HOST_CTL_ERR && strlen(h->text) + len < sizeof(h->text))
        strncat(h->text, text, len);
}

static void command(struct host *host, struct heard *h, const struct row *row, unsigned int type)
{
    char text[CTL_WORDS_SIZE], err[HOST_ERR_SIZE];
    const char *d = strstr(row->given, "$D"), *told = row->told[type];
    const int before = d ? (int)(d - row->given) : (int)strlen(row->given);
    const int len = snprintf(text, sizeof(text), "%.*s%s%s", before, row->given, d ? dir : "", d ? d + 2 : "") + 1;
    struct ctl_request r;

    for (int i = 0; i < len; i++)
        text[i] = text[i] == ' ' ? '\0' : text[i];
    *h = (struct heard){ .text = "" };
    assert_int_equal(ctl_parse(text, (size_t)len, &r, err), 0);
    if (!host_ctl_prepare(host, &r, err))
        fail_msg("%s: %s", row->given, err);
    assert_int_equal(host_ctl(host, 1, text, (size_t)len, host_now(host)), 0);
    for (unsigned int i = 0; i < 100 && !h->over; i++)
        host_run(host, host_now(host) + MILLISECS(1), &(bool){ false });
    if (!h->over) /* it waits for a guest that does nothing */
        host_run(host, host_now(host) + SECONDS(11), &(bool){ false });
    assert_true(h->over);
    if (told && !strstr(h->text, told))
        fail_msg("%s, %s: it is not told: %s\n%s", row->given, type_words[type], told, h->text);
    if (!told && *h->text && strncmp(h->text, "Shutting", 8) != 0 && strncmp(h->text, "Rebooting", 9) != 0)
        fail_msg("%s, %s: it is told:\n%s", row->given, type_words[type], h->text);
}

static void commands_to(unsigned int type)
{
    struct heard heard = { .text = "" };
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2, .quiet = true };
    const struct host_io io = { .data = &heard, .ctl_say = on_say };
    const struct host_guest idle = { .kernel = "build/guests/idle", .name = "idle", .memory_mib = 16 };
    char err[HOST_ERR_SIZE], why[XL_DISK_WHY_SIZE], spec[128];
    struct host *host = host_create(&cfg, &io, err);
    struct xl_disks disks = { 0 };
    struct xl_hvm hvm;
    domid_t domid;

    const struct host_guest g = { .kernel = kernels[type],
                                  .name = "g",
                                  .memory_mib = 16,
                                  .has_type = true,
                                  .type = (enum xl_type[]){ XL_TYPE_PV, XL_TYPE_PVH, XL_TYPE_HVM }[type],
                                  .disks = &disks,
                                  .hvm = &hvm };

    xl_hvm_defaults(&hvm);
    hvm.empty_cds = 1u << 2;
    snprintf(spec, sizeof(spec), "%s/other.img,raw,hda,w", dir);
    assert_true(xl_disks_add(&disks, spec, why));
    assert_non_null(host);
    if (host_guest_add(host, &idle, &domid, err) || host_guest_start(host, domid) ||
        host_guest_add(host, &g, &domid, err))
        fail_msg("%s", err);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].given)
            command(host, &heard, &commands[i], type);
    host_destroy(host);
    xl_disks_free(&disks);
}

static void every_command(void **state)
{
    char other[64];
    FILE *f;

    (void)state;
    for (size_t i = 0; ctl_command_at(i); i++)
        if (ctl_command_at(i)->kind == CTL_CHANGES)
            row_of(commands, COUNT(commands), ctl_command_at(i)->name);
    snprintf(other, sizeof(other), "%s/other.img", dir);
    f = fopen(other, "w");
    assert_true(f && !ftruncate(fileno(f), 1 << 20) && !fclose(f));
    for (unsigned int type = 0; type < TYPES; type++)
        commands_to(type);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_option), cmocka_unit_test(every_fault),
                                        cmocka_unit_test(every_key), cmocka_unit_test(every_command) };

    return cmocka_run_group_tests(tests, files_make, files_remove);
}
