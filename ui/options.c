// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command lines of `xenlab run`, `debug` and `replay`. See options.h; the table below is the whole of them.
 *
 * Budget: one table, with the parser, the messages and the help that are made from it.
 */
#include "ui/options.h"

#include "sim/machine.h"
#include "tools/nearest.h"
#include "tools/units.h"
#include "tools/workbench/expected.h"
#include "ui/console_door.h"
#include "vcpu/sched/names.h"

#include <stdlib.h>
#include <string.h>

enum option_kind {
    OPTION_HEADING, /* no option: a line of --help */
    OPTION_FLAG,    /* --stats */
    OPTION_COUNT,   /* -vv */
    OPTION_NUMBER,
    OPTION_SIZE, /* MiB */
    OPTION_DURATION,
    OPTION_TYPE,
    OPTION_TEXT,
    OPTION_ACTION, /* struct run_action */
    OPTION_POLICY, /* --sched */
    OPTION_SCHED,  /* a number of struct xl_sched; min is its enum xl_sched_key */
    OPTION_CPUS,
    OPTION_POOL,
    OPTION_CPUID,
    OPTION_DISK,       /* may be given several times */
    OPTION_NET,        /* may be given several times */
    OPTION_SHARE,      /* likewise */
    OPTION_CHANNEL,    /* likewise */
    OPTION_DRIVER,     /* likewise */
    OPTION_FAULT,      /* likewise */
    OPTION_PCAP,       /* may be given several times */
    OPTION_VNC,        /* a port, as text */
    OPTION_CONSOLE_TO, /* may be given several times */
    OPTION_CPUPOOL,    /* may be given several times */
};

/* Whose options follow a heading. What xenlab run takes and xenlab replay does not makes the run: it is recorded. */
#define OF(command) (1U << (command))
#define OF_DEBUGGER (OF(COMMAND_DEBUG) | OF(COMMAND_TUI))
#define OF_ALL      (OF(COMMAND_RUN) | OF_DEBUGGER | OF(COMMAND_REPLAY))
#define OF_MACHINE  (OF(COMMAND_RUN) | OF_DEBUGGER | OF(COMMAND_RECORDED) | OF(COMMAND_LIBRARY))

struct option {
    const char *name; /* without the dashes; a heading: its text */
    char letter;      /* -v; 0: none */
    enum option_kind kind;
    const char *value; /* how help names the value */
    size_t offset;     /* of the field in struct run_options */
    uint64_t min, max; /* OPTION_NUMBER; a heading: min is OF() those commands that take what follows */
    const char *help;  /* a newline begins a further line */
};

#define FIELD(f) offsetof(struct run_options, f)

/* clang-format off */
static const struct option options[] = {
    { .name = "The guests (an option counts for each of them, and more than what its xl.cfg says):",
      .kind = OPTION_HEADING, .min = OF_MACHINE },
    { "memory",    0,  OPTION_SIZE,     "MIB",      FIELD(memory_mib), 1, XL_MEMORY_MIB_MAX, "memory of the guest (64)" },
    { "vcpus",     0,  OPTION_NUMBER,   "N",        FIELD(vcpus),      1, XL_VCPUS_MAX,      "its virtual processors (1)" },
    { "cmdline",   0,  OPTION_TEXT,     "TEXT",     FIELD(cmdline),    0, 0, "its kernel's command line" },
    { "ramdisk",   0,  OPTION_TEXT,     "FILE",     FIELD(ramdisk),    0, 0, "its initial RAM disk" },
    { "type",      0,  OPTION_TYPE,     "TYPE",     FIELD(type_name),  0, 0, "pv, pvh or hvm (pv)" },
    { "name",      0,  OPTION_TEXT,     "NAME",     FIELD(name),       0, 0, "its name (made from the file's)" },
    { "cpuid",     0,  OPTION_CPUID,    "host,NAME=VALUE...", 0, 0, 0,
      "its processor's features: host,sse4_2=0 (as in xl.cfg)" },
    { "disk",      0,  OPTION_DISK,     "FILE[,NAME][,ro][,FORMAT][,KEY=VALUE...]", 0, 0, 0,
      "a disk of its: raw, qcow2, vhd, vmdk, vdi... or a URL; called xvda if not otherwise;\nspeed=ssd, hdd or none; backend=DOMAIN; several times" },
    { "net",       0,  OPTION_NET,      "[BRIDGE][,KEY=VALUE...]", 0, 0, 0,
      "a network card of its: on xenbr0 if not otherwise, with keys as in xl.cfg's vif; several times" },
    { "share",     0,  OPTION_SHARE,    "PATH[,tag=TAG][,rw]", 0, 0, 0,
      "a folder that it may mount (9pfs), called share if not otherwise, to read or (rw) to write; several times" },
    { "channel",   0,  OPTION_CHANNEL,  "KEY=VALUE,...", 0, 0, 0,
      "a further console of its, for an agent: name=NAME,connection=pty (or connection=socket,path=PATH); several times" },
    { "driver-domain", 0, OPTION_DRIVER, "NAME",    0, 0, 0,
      "before the guests a domain that has devices of theirs: those with backend=NAME; several times" },
    { "dom0",      0,  OPTION_FLAG,     NULL,       FIELD(dom0),       0, 0,
      "the one guest that is named is domain 0, with the machine's devices, and makes all others" },
    { "fb",        0,  OPTION_FLAG,     NULL,       FIELD(fb),         0, 0,
      "a screen, a keyboard and a pointer (as xl.cfg's vfb = [ \"\" ])" },
    { "copies",    0,  OPTION_NUMBER,   "N",        FIELD(copies),     1, HOST_MAX_GUESTS,   "so many of each of them (1)" },
    { .name = "How they are scheduled (as in xl.cfg, where these are cpu_weight, cap, cpus, cpus_soft...):",
      .kind = OPTION_HEADING, .min = OF_MACHINE },
    { "cpu-weight", 0, OPTION_SCHED,    "N",        0, XL_SCHED_WEIGHT,    0, "share of busy pCPUs: credit, credit2 (256)" },
    { "cap",       0,  OPTION_SCHED,    "PERCENT",  0, XL_SCHED_CAP,       0,
      "never more than this of one pCPU: credit, credit2 (0: no cap)" },
    { "period",    0,  OPTION_SCHED,    "US",       0, XL_SCHED_PERIOD,    0, "of a vCPU under rtds, in microseconds, or 20ms (10000)" },
    { "budget",    0,  OPTION_SCHED,    "US",       0, XL_SCHED_BUDGET,    0, "its share of each period (4000)" },
    { "extratime", 0,  OPTION_SCHED,    "0|1",      0, XL_SCHED_EXTRATIME, 0, "and what others leave as well (1)" },
    { "cpus",      0,  OPTION_CPUS,     "LIST",     FIELD(guest_sched.hard), 0, 0, "the pCPUs it may run on: 0-3,^1" },
    { "cpus-soft", 0,  OPTION_CPUS,     "LIST",     FIELD(guest_sched.soft), 0, 0, "those it had rather run on" },
    { "pool",      0,  OPTION_POOL,     "POOL",     0, 0, 0, "the CPU pool it lives in (Pool-0)" },
    { .name = "What becomes of one that has shut down (destroy, restart, rename-restart, preserve,\n"
              "coredump-destroy, coredump-restart or soft-reset):", .kind = OPTION_HEADING, .min = OF_MACHINE },
    { "on-poweroff", 0, OPTION_ACTION,  "ACTION",   FIELD(on_poweroff), 0, 0, "by itself (destroy)" },
    { "on-reboot", 0,  OPTION_ACTION,   "ACTION",   FIELD(on_reboot),   0, 0,
      "to be restarted (xl.cfg: restart; of a kernel that is named here: destroy)" },
    { "on-crash",  0,  OPTION_ACTION,   "ACTION",   FIELD(on_crash),    0, 0, "because it crashed (destroy)" },
    { "on-watchdog", 0, OPTION_ACTION,  "ACTION",   FIELD(on_watchdog), 0, 0, "by its watchdog (destroy)" },
    { .name = "The machine:", .kind = OPTION_HEADING, .min = OF_MACHINE },
    { "ram",       0,  OPTION_SIZE,     "MIB",      FIELD(ram_mib),  32, XL_MEMORY_MIB_MAX,
      "memory of the machine (512, or what the guests need)" },
    { "pcpus",     0,  OPTION_NUMBER,   "N",        FIELD(nr_pcpus),  1, MACHINE_MAX_PCPUS, "physical processors (1; with HVM guests the vCPUs of the largest, and one more)" },
    { "sched",     0,  OPTION_POLICY,   "NAME[,PARAM=VALUE...]", FIELD(sched), 0, 0,
      "the scheduler (credit2), see below; or ./policy.so, of your own" },
    { "fault",     0,  OPTION_FAULT,    "TIME:WHAT", 0, 0, 0,
      "what goes wrong then: crash=DOMAIN, freeze=DOMAIN,TIME, eio=DOMAIN/DISK,N, slow=DOMAIN/DISK,TIME, "
      "drop-event=DOMAIN/DISK,N, corrupt-index=DOMAIN/DISK or store-eagain,N; several times" },
    { "cpupool",   0,  OPTION_CPUPOOL,  "NAME=CPUS[:SCHEDULER]", 0, 0, 0,
      "make a CPU pool of these pCPUs, with a scheduler of its own" },
    { "device-model", 0, OPTION_TEXT,   "WHERE",    FIELD(device_model), 0, 0,
      "where the devices of HVM guests are: dom0, domain (a stub domain each) or xen (dom0)" },
    { "seed",      0,  OPTION_NUMBER,   "N",        FIELD(seed),      0, UINT64_MAX, "of the machine's random numbers (0)" },
    { .name = "The run:", .kind = OPTION_HEADING, .min = OF_MACHINE },
    { "max-vtime", 0,  OPTION_DURATION, "DURATION", FIELD(max_vtime), 0, 0,
      "stop after this much virtual time: 500us, 20ms, 1.5s, 2m" },
    { "audit",     0,  OPTION_FLAG,     NULL,       FIELD(audit),     0, 0,
      "check the frame table after every hypercall (slow)" },
    { "technique", 0, OPTION_TEXT, "HOW", FIELD(technique), 0, 0,
      "how guests of type pvh and hvm execute: hardware (SVM), emulate (an interpreter, which knows what guests/five "
      "needs), ring1 (trap and emulate, with shadow page tables), or translate (the kernel's code, binary translated) (hardware)" },
    { "segments",  0,  OPTION_TEXT,     "HOW",      FIELD(segments), 0, 0,
      "how far segments limit guests: exact (all that 16-bit and 32-bit code does) or fast (data of HVM guests only) (fast)" },
    { "plain-engine", 0, OPTION_FLAG,   NULL,       FIELD(plain_engine), 0, 0,
      "no shortcuts into Unicorn: slower, and otherwise the same" },
    { .name = "Messages:", .kind = OPTION_HEADING, .min = OF_ALL },
    { "verbose",  'v', OPTION_COUNT,    NULL,       FIELD(verbose),   0, 0,
      "more messages of the hypervisor; -vv for still more" },
    { "quiet",    'q', OPTION_COUNT,    NULL,       FIELD(quiet),     0, 0, "fewer; -qq for errors only" },
    { "help",     'h', OPTION_FLAG,     NULL,       FIELD(help),      0, 0, "this text" },
    { .name = "The keyboard:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) | OF(COMMAND_RECORDED) },
    { "console",   0,  OPTION_TEXT,     "GUEST",    FIELD(console),   0, 0,
      "which of several it talks to: its name, or its number (1)" },
    { .name = "What is shown and written:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) | OF(COMMAND_REPLAY) },
    { "realtime",  0,  OPTION_FLAG,     NULL,       FIELD(realtime),  0, 0,
      "let virtual time pass no faster than real time" },
    { "trace",     0,  OPTION_TEXT,     "FILE",     FIELD(trace),     0, 0,
      "write what happens to FILE, JSON lines (-: here, consoles to standard error)" },
    { "trace-filter", 0, OPTION_TEXT,   "COND",     FIELD(trace_filter), 0, 0,
      "of that only what COND holds for: 'exit && vector==14'; see docs/trace.md" },
    { "fb-png",    0,  OPTION_TEXT,     "FILE",     FIELD(fb_png),     0, 0,
      "write what its screen shows at the end to FILE, a PNG: of the guest that the keyboard talks to" },
    { "pcap",      0,  OPTION_PCAP,     "[PORT=]FILE", 0, 0, 0,
      "write packets of networks to FILE, for tcpdump: of vif1.0, or of all; several times" },
    { "record",    0,  OPTION_TEXT,     "FILE",     FIELD(record),    0, 0,
      "write what came from outside to FILE: xenlab replay FILE" },
    { "stats",     0,  OPTION_FLAG,     NULL,       FIELD(stats),     0, 0, "count what happened, show it at the end" },
    { .name = "The scheduler beside the workbench (docs/workbench.md):", .kind = OPTION_HEADING,
      .min = OF(COMMAND_RUN) },
    { "bench",     0,  OPTION_FLAG,     NULL,       FIELD(bench),     0, 0,
      "at the end: what it gave the guests, and what the workbench's run of the same gives them" },
    { "bench-workload", 0, OPTION_TEXT, "FILE",     FIELD(bench_workload), 0, 0,
      "--bench with this workload, not with what the guests did" },
    { "bench-json", 0, OPTION_TEXT,     "FILE",     FIELD(bench_json), 0, 0, "--bench, and write it to FILE as JSON" },
    { .name = "Memory for guests by a policy of xenlab kit memctl (docs/kits.md):", .kind = OPTION_HEADING,
      .min = OF(COMMAND_RUN) },
    { "balloon-policy", 0, OPTION_TEXT, "NAME|./POLICY.so", FIELD(balloon_policy), 0, 0,
      "what guests are to have, said once a second: still, even, or one of your own; at the end its figures beside the "
      "workbench's" },
    { "balloon-json", 0, OPTION_TEXT,   "FILE",     FIELD(balloon_json), 0, 0, "write those to FILE as JSON" },
    { "balloon-workload", 0, OPTION_TEXT, "FILE",   FIELD(balloon_workload), 0, 0,
      "write what the guests did to FILE, a workload of the kit" },
    { .name = "The recording:", .kind = OPTION_HEADING, .min = OF(COMMAND_REPLAY) | OF_DEBUGGER },
    { "other-build", 0, OPTION_FLAG,    NULL,       FIELD(other_build), 0, 0,
      "try it although another build of xenlab made it" },
    { .name = "The debugger:", .kind = OPTION_HEADING, .min = OF_DEBUGGER },
    { "replay",    0,  OPTION_TEXT,     "FILE",     FIELD(replay),    0, 0,
      "what a recording says, in place of GUEST: its inputs come by themselves" },
    { "script",    0,  OPTION_TEXT,     "FILE",     FIELD(script),    0, 0, "commands from FILE, and then the end" },
    { "read-only", 0,  OPTION_FLAG,     NULL,       FIELD(read_only), 0, 0, "refuse commands that change the machine" },
    { "history",   0,  OPTION_SIZE,     "MIB",      FIELD(history_mib), 1, 1 << 20,
      "memory for what was (256): how far one can go back" },
    { .name = "The files of its disks:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) | OF_DEBUGGER },
    { "disk-writes", 0, OPTION_TEXT,    "WHEN",     FIELD(disk_writes), 0, 0,
      "when they get what guests write: live, exit or never (live; of a run that goes back or is recorded never)" },
    { .name = "Power cuts:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) },
    { "power-cut", 0,  OPTION_DURATION, "DURATION", FIELD(power_cut), 0, 0,
      "cut the power after this much virtual time: what is not flushed is lost, or some of it (--seed)" },
    { .name = "Programs outside of the machine:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) | OF_DEBUGGER },
    { "xenstore-socket", 0, OPTION_TEXT, "PATH",    FIELD(xenstore_socket), 0, 0,
      "let programs like xenstore-ls use the machine's xenstore (XENSTORED_PATH=PATH)" },
    { .name = "Its consoles, its screen and its control outside:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) },
    { "console-to", 0, OPTION_CONSOLE_TO, "[GUEST=]WHAT", 0, 0, 0,
      "where its console is: pty, file:PATH or socket:PATH (docs/guests.md); several times" },
    { "fb-window", 0,  OPTION_FLAG,     NULL,       FIELD(fb_window), 0, 0,
      "its screen in a window, with its keys and pointer: of the guest that the keyboard talks to" },
    { "vnc",       0,  OPTION_VNC,      "PORT",     FIELD(vnc),       0, UINT16_MAX,
      "let viewers of VNC on this computer look at its screen, and type there; 0: a free port" },
    { "control",   0,  OPTION_TEXT,     "PATH|NAME", FIELD(control),  0, 0,
      "let xenlab ctl control the machine: a socket there, or of this name (docs/ctl.md)" },
    { .name = "gdb:", .kind = OPTION_HEADING, .min = OF(COMMAND_RUN) | OF_DEBUGGER },
    { "gdb",       0,  OPTION_TEXT,     "[dN:]PORT[,ARCH]", FIELD(gdb),      0, 0,
      "gdb may come there, for domain N (1); 0: a free port (docs/gdb.md)" },
    { .name = "The tour:", .kind = OPTION_HEADING, .min = OF(COMMAND_TOUR) },
    { "check",     0,  OPTION_FLAG,     NULL,       FIELD(check),     0, 0,
      "whether all that FILE... tell is so; only what is not is said" },
    { "export",    0,  OPTION_TEXT,     "OUT",      FIELD(export),    0, 0,
      "write it: OUT.cast (asciicast), OUT.html (one page), or OUT-N.svg, a picture a step" },
    { "help",     'h', OPTION_FLAG,     NULL,       FIELD(help),      0, 0, "this text" },
    { .name = "The prompt:", .kind = OPTION_HEADING, .min = OF(COMMAND_DEBUG) },
    { "first",     0,  OPTION_TEXT,     "FILE",     FIELD(first),     0, 0, "commands from FILE, and then those typed" },
    { .name = "What it says:", .kind = OPTION_HEADING, .min = OF(COMMAND_DEBUG) },
    { "json",      0,  OPTION_FLAG,     NULL,       FIELD(json),      0, 0, "say everything as JSON, an object a line" },
    { .name = "The screen:", .kind = OPTION_HEADING, .min = OF(COMMAND_TUI) | OF(COMMAND_TOUR) },
    { "size",      0,  OPTION_TEXT,     "COLSxROWS", FIELD(size),     0, 0,
      "of the screen, if there is no terminal (120x40)" },
    { "gui",       0,  OPTION_FLAG,     NULL,       FIELD(gui),       0, 0,
      "a window for a projector beside it: ladder and schedule, large" },
    { "shot",      0,  OPTION_TEXT,     "FILE",     FIELD(shot),      0, 0,
      "without a terminal: the projector's picture as FILE.png, the screen as FILE.svg" },
    { "palette",   0,  OPTION_TEXT,     "NAME",     FIELD(palette),   0, 0, "default, safe (for the colour-blind), or mono" },
    { "ascii",     0,  OPTION_FLAG,     NULL,       FIELD(ascii),     0, 0, "lines and bars without Unicode" },
};
/* clang-format on */

/* --- values --- */

static bool number_parse(const char *text, uint64_t *n)
{
    uint64_t v = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
            return false;
    }
    *n = v;
    return true;
}

static int value_error(const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[UNITS_WHY_SIZE];

    if (opt->kind == OPTION_NUMBER && opt->max == UINT64_MAX)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: \"%.64s\" is no number", opt->name, value);
    else if (opt->kind == OPTION_NUMBER || opt->kind == OPTION_VNC)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: \"%.64s\" is no number from %llu to %llu", opt->name, value,
                 (unsigned long long)opt->min, (unsigned long long)opt->max);
    else if (opt->kind == OPTION_SIZE)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: \"%.64s\" is no size from %llu to %llu MiB, such as 64, 64M or 1G",
                 opt->name, value, (unsigned long long)opt->min, (unsigned long long)opt->max);
    else if (opt->kind == OPTION_DURATION)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, duration_why(value, 1, why));
    else if (opt->kind == OPTION_TYPE)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: \"%.64s\" is none of pv, pvh and hvm", opt->name, value);
    else
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: the value is empty", opt->name);
    return -1;
}

static bool is_time(enum xl_sched_key key) { return key == XL_SCHED_PERIOD || key == XL_SCHED_BUDGET; }

/* A number, of microseconds where it is a time, which may have its unit here (in xl.cfg it may not). */
static bool sched_number_parse(enum xl_sched_key key, const char *value, uint64_t *n)
{
    s_time_t ns;

    if (!is_time(key))
        return number_parse(value, n);
    if (!duration_parse_in(value, "us", &ns) || ns % MICROSECS(1))
        return false;
    *n = (uint64_t)(ns / MICROSECS(1));
    return true;
}

/* Settings of struct xl_sched are checked as those in a file are, in the same words. */
static int sched_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    struct xl_sched *s = &o->guest_sched;
    char where[32], why[OPTIONS_ERR_SIZE - 64] = "";
    struct xl_cpus cpus;
    uint64_t n;
    bool done = true;

    snprintf(where, sizeof(where), "--%s", opt->name);
    if (opt->kind == OPTION_SCHED) {
        const enum xl_sched_key key = (enum xl_sched_key)opt->min;

        if (!sched_number_parse(key, value, &n) || n > INT64_MAX || !xl_sched_number_ok(key, (long)n))
            snprintf(why, sizeof(why), "expected %s%s, got \"%.64s\"", xl_sched_key_expected(key),
                     is_time(key) ? ", or a time such as 20ms" : "", value);
        else
            done = xl_sched_set_number(s, key, where, (uint32_t)n);
    } else if (opt->kind == OPTION_CPUS) {
        if (xl_cpus_parse(value, &cpus, why, sizeof(why)))
            done = xl_sched_set_affinity((struct xl_affinity *)((char *)o + opt->offset), where, false, &cpus, 1);
    } else if (opt->kind == OPTION_POOL) {
        if (!*value)
            return value_error(opt, value, err);
        done = xl_sched_set_pool(s, where, value);
    } else if (o->nr_pools == HOST_MAX_POOLS) {
        snprintf(why, sizeof(why), "at most %d of them", HOST_MAX_POOLS);
    } else if (host_pool_parse(value, &o->pools[o->nr_pools], why, sizeof(why))) {
        o->nr_pools++;
    }
    if (why[0] || !done)
        snprintf(err, OPTIONS_ERR_SIZE, "%s: %s", where, done ? why : "out of memory");
    return why[0] || !done ? -1 : 0;
}

static int cpuid_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[OPTIONS_ERR_SIZE - 64] = "out of memory";

    xl_cpuid_free(&o->cpuid);
    if (xl_cpuid_parse_names(&o->cpuid, value, why, sizeof(why)) && (o->cpuid.where = strdup("--cpuid")))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int disk_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[XL_DISK_WHY_SIZE];

    if (xl_disks_add_short(&o->disks, value, why))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int net_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[XL_VIF_WHY_SIZE];

    if (xl_vifs_add_short(&o->vifs, value, why))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int share_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[XL_P9_WHY_SIZE];

    if (xl_p9s_add_short(&o->p9s, value, why))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int channel_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[XL_CHANNEL_WHY_SIZE];

    if (xl_channels_add(&o->channels, value, why))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int driver_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    const char *why = NULL;

    if (!*value || value[strcspn(value, "\n\t\r/")] || strlen(value) >= XL_BACKEND_SIZE)
        why = "expected a name of one line without slashes, of at most 63 characters";
    else if (!strcmp(value, XL_DOM0_NAME))
        why = "that is dom0";
    for (unsigned int i = 0; i < o->nr_drivers && !why; i++)
        if (!strcmp(o->drivers[i], value))
            why = "there is a driver domain of this name already";
    if (!why && o->nr_drivers == sizeof(o->drivers) / sizeof(o->drivers[0]))
        why = "more than 8 of them";
    if (!why) {
        o->drivers[o->nr_drivers++] = value;
        return 0;
    }
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s, got \"%.100s\"", opt->name, why, value);
    return -1;
}

static int fault_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[FAULT_WHY_SIZE];

    if (o->nr_faults == HOST_FAULTS_MAX)
        snprintf(why, sizeof(why), "more than %d of them", HOST_FAULTS_MAX);
    else if (fault_parse(value, &o->faults[o->nr_faults], why))
        return o->nr_faults++, 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int pcap_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    if (*value && o->nr_pcap < sizeof(o->pcap) / sizeof(o->pcap[0])) {
        o->pcap[o->nr_pcap++] = value;
        return 0;
    }
    if (!*value)
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: the value is empty", opt->name);
    else
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: more than %u files", opt->name, o->nr_pcap);
    return -1;
}

static int console_to_set(struct run_options *o, const struct option *opt, const char *value,
                          char err[OPTIONS_ERR_SIZE])
{
    const char *what = value, *path;
    enum console_door_kind kind;

    if (!console_door_word(what, &kind, &path))
        what += strcspn(what, "=");
    if (*what == '=')
        what++;
    if (!console_door_word(what, &kind, &path) || (path && !*path)) {
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: expected [GUEST=]pty, file:PATH or socket:PATH, got \"%.64s\"",
                 opt->name, value);
        return -1;
    }
    if (o->nr_console_to == ARRAY_SIZE(o->console_to)) {
        snprintf(err, OPTIONS_ERR_SIZE, "--%s: more than %u consoles", opt->name, o->nr_console_to);
        return -1;
    }
    o->console_to[o->nr_console_to++] = value;
    return 0;
}

/* A policy's name and parameters, or the path of one's own: what that is, is seen when it is started. */
static int policy_check(const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char why[OPTIONS_ERR_SIZE - 64], *object = wb_object_path(value);
    const bool is_object = object != NULL;

    free(object);
    if (!*value)
        return value_error(opt, value, err);
    if (is_object || sched_option_check(value, why, sizeof(why)))
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE, "--%s: %s", opt->name, why);
    return -1;
}

static int option_set(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    void *field = (char *)o + opt->offset;
    uint64_t n;

    switch (opt->kind) {
    case OPTION_FLAG: *(bool *)field = true; return 0;
    case OPTION_COUNT: ++*(unsigned int *)field; return 0;
    case OPTION_NUMBER:
    case OPTION_SIZE:
        if (!(opt->kind == OPTION_SIZE ? size_parse : number_parse)(value, &n) || n < opt->min || n > opt->max)
            return value_error(opt, value, err);
        *(uint64_t *)field = n;
        return 0;
    case OPTION_VNC:
        if (!number_parse(value, &n) || n > opt->max)
            return value_error(opt, value, err);
        break;
    case OPTION_DURATION: return duration_parse(value, field) && *(s_time_t *)field ? 0 : value_error(opt, value, err);
    case OPTION_TYPE:
        if (!xl_type_from_name(value, &o->type))
            return value_error(opt, value, err);
        break;
    case OPTION_SCHED:
    case OPTION_CPUS:
    case OPTION_POOL:
    case OPTION_CPUPOOL: return sched_set(o, opt, value, err);
    case OPTION_DISK: return disk_set(o, opt, value, err);
    case OPTION_NET: return net_set(o, opt, value, err);
    case OPTION_SHARE: return share_set(o, opt, value, err);
    case OPTION_CHANNEL: return channel_set(o, opt, value, err);
    case OPTION_DRIVER: return driver_set(o, opt, value, err);
    case OPTION_FAULT: return fault_set(o, opt, value, err);
    case OPTION_PCAP: return pcap_set(o, opt, value, err);
    case OPTION_CONSOLE_TO: return console_to_set(o, opt, value, err);
    case OPTION_CPUID: return cpuid_set(o, opt, value, err);
    case OPTION_ACTION: {
        struct run_action *a = field;

        a->stated = xl_action_from_name(value, &a->action);
        if (!a->stated)
            snprintf(err, OPTIONS_ERR_SIZE, "--%s: expected " XL_ACTION_NAMES ", got \"%.64s\"", opt->name, value);
        return a->stated ? 0 : -1;
    }
    case OPTION_POLICY:
        if (policy_check(opt, value, err))
            return -1;
        break;
    default: /* text: only a command line may be empty */
        if (!*value && opt->offset != FIELD(cmdline))
            return value_error(opt, value, err);
        break;
    }
    *(const char **)field = value;
    return 0;
}

/* --- the command line --- */

static const char *const command_names[] = {
    [COMMAND_RUN] = "run",       [COMMAND_DEBUG] = "debug",  [COMMAND_TUI] = "tui",    [COMMAND_TOUR] = "tour",
    [COMMAND_REPLAY] = "replay", [COMMAND_RECORDED] = "run", [COMMAND_LIBRARY] = "run"
};

static bool is_heading(const struct option *opt) { return opt->kind == OPTION_HEADING; }

/* Is it one of the command's? It belongs to the heading before it. */
static bool is_option(const struct option *opt, enum options_command command)
{
    const struct option *heading = opt;

    while (!is_heading(heading))
        heading--;
    return heading->min & OF(command);
}

static const struct option *option_find(const char *name, size_t len, enum options_command command)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (!is_heading(&options[i]) && is_option(&options[i], command) && strlen(options[i].name) == len &&
            !memcmp(options[i].name, name, len))
            return &options[i];
    return NULL;
}

static const struct option *option_find_letter(char letter, enum options_command command)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (options[i].letter == letter && is_option(&options[i], command))
            return &options[i];
    return NULL;
}

/* A recording will have it: as one word. */
static int given_note(struct run_options *o, const struct option *opt, const char *value, char err[OPTIONS_ERR_SIZE])
{
    char **given, *text;

    if (!is_option(opt, COMMAND_RECORDED))
        return 0;
    given = reallocarray(o->given, o->nr_given + 1, sizeof(*given));
    if (given)
        o->given = given;
    if (given && asprintf(&text, "--%s%s%s", opt->name, value ? "=" : "", value ? value : "") >= 0) {
        o->given[o->nr_given++] = text;
        return 0;
    }
    snprintf(err, OPTIONS_ERR_SIZE, "out of memory");
    return -1;
}

static bool takes_value(const struct option *opt) { return opt->kind != OPTION_FLAG && opt->kind != OPTION_COUNT; }

static int unknown_error(const char *arg, size_t len, enum options_command command, char err[OPTIONS_ERR_SIZE])
{
    const char *names[ARRAY_SIZE(options)];
    char name[64], hint[NEAREST_HINT_SIZE];
    size_t nr = 0;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (!is_heading(&options[i]) && is_option(&options[i], command))
            names[nr++] = options[i].name;
    snprintf(name, sizeof(name), "%.*s", (int)len, arg + 2);
    snprintf(err, OPTIONS_ERR_SIZE, "there is no option --%s%s (see: xenlab %s --help)", name,
             nearest_hint(name, names, nr, "--", hint), command_names[command]);
    return -1;
}

/* --name, --name=value or --name value. */
static int parse_long(struct run_options *o, const char *arg, const char *next, bool *used_next,
                      char err[OPTIONS_ERR_SIZE])
{
    const size_t len = strcspn(arg + 2, "=");
    const char *value = arg[2 + len] ? arg + 2 + len + 1 : NULL;
    const struct option *opt = option_find(arg + 2, len, o->command);

    if (!opt)
        return unknown_error(arg, len, o->command, err);
    if (!takes_value(opt)) {
        if (!value)
            return option_set(o, opt, NULL, err) ? -1 : given_note(o, opt, NULL, err);
        snprintf(err, OPTIONS_ERR_SIZE, "--%s takes no value", opt->name);
        return -1;
    }
    if (!value) {
        value = next;
        *used_next = true;
    }
    if (value)
        return option_set(o, opt, value, err) ? -1 : given_note(o, opt, value, err);
    snprintf(err, OPTIONS_ERR_SIZE, "--%s needs a value: --%s %s", opt->name, opt->name, opt->value);
    return -1;
}

/* -v, -vv, -vq. */
static int parse_letters(struct run_options *o, const char *arg, char err[OPTIONS_ERR_SIZE])
{
    for (const char *p = arg + 1; *p; p++) {
        const struct option *opt = option_find_letter(*p, o->command);

        if (!opt) {
            snprintf(err, OPTIONS_ERR_SIZE, "there is no option -%c (see: xenlab %s --help)", *p,
                     command_names[o->command]);
            return -1;
        }
        option_set(o, opt, NULL, err);
    }
    return 0;
}

/* What is to be run is in a recording. */
static int check_recording(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    if (o->command == COMMAND_REPLAY && o->nr_guests == 1)
        return 0;
    if (o->command == COMMAND_REPLAY)
        snprintf(err, OPTIONS_ERR_SIZE, "which recording? Name the file that xenlab run --record has written");
    else if (o->nr_guests)
        snprintf(err, OPTIONS_ERR_SIZE, "--replay: the recording says which guests: \"%.64s\" is too much",
                 o->guests[0]);
    else if (o->nr_given)
        snprintf(err, OPTIONS_ERR_SIZE, "--replay: the recording says what is run: %.64s is too much", o->given[0]);
    else
        return 0;
    return -1;
}

/* When files of disks may be written. */
static int check_disks(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    const char *const when = o->disk_writes;

    if (o->power_cut && (o->gdb || o->record || when))
        snprintf(err, OPTIONS_ERR_SIZE, "--power-cut: with --%s no file of a disk is written at once",
                 o->gdb      ? "gdb"
                 : o->record ? "record"
                             : "disk-writes");
    else if (when && strcmp(when, "live") != 0 && strcmp(when, "exit") != 0 && strcmp(when, "never") != 0)
        snprintf(err, OPTIONS_ERR_SIZE, "--disk-writes: expected live, exit or never, got \"%.64s\"", when);
    else if (when && !strcmp(when, "live") && (o->command != COMMAND_RUN || o->gdb || o->record))
        snprintf(err, OPTIONS_ERR_SIZE, "--disk-writes: live: %s: exit or never",
                 o->record ? "a recording needs the disks as they were"
                           : "a run that goes back could not take it back");
    else if (when && !strcmp(when, "exit") && (o->record || o->replay))
        snprintf(err, OPTIONS_ERR_SIZE, "--disk-writes: exit: a recording needs the disks as they were");
    else
        return 0;
    return -1;
}

/* A policy of one's own has state that no checkpoint holds, and no recording. */
static int check_policy(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    char *object = o->sched ? wb_object_path(o->sched) : NULL;
    const bool goes_back = o->command != COMMAND_RUN || o->record || o->replay || o->gdb;

    free(object);
    if ((o->bench || o->bench_workload || o->bench_json) && o->nr_pools) {
        snprintf(err, OPTIONS_ERR_SIZE, "--bench: the workbench has one CPU pool: not with --cpupool");
        return -1;
    }
    if (!object || !goes_back)
        return 0;
    snprintf(err, OPTIONS_ERR_SIZE,
             "--sched: %.200s runs in a process of its own, which cannot go back: xenlab run alone takes it, without "
             "--record, --replay and --gdb",
             o->sched);
    return -1;
}

static const char *const techniques[] = { "hardware", "emulate", "ring1", "translate" };

enum hvm_technique options_technique(const struct run_options *o)
{
    unsigned int t = 0;

    while (o->technique && t < ARRAY_SIZE(techniques) && strcmp(o->technique, techniques[t]) != 0)
        t++;
    return (enum hvm_technique)t;
}

enum host_device_model options_device_model(const struct run_options *o)
{
    static const char *const names[] = { [HOST_DM_DOM0] = "dom0", [HOST_DM_DOMAIN] = "domain", [HOST_DM_XEN] = "xen" };
    unsigned int i = 0;

    while (o->device_model && i < ARRAY_SIZE(names) && strcmp(o->device_model, names[i]) != 0)
        i++;
    return (enum host_device_model)i;
}

/* What it says are inputs, so a recording has them; but it cannot take back what it has said. */
static int check_balloon(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    const char *what = o->balloon_json ? "json" : "workload";

    if (!o->balloon_policy && (o->balloon_json || o->balloon_workload))
        snprintf(err, OPTIONS_ERR_SIZE, "--balloon-%s: of which policy? --balloon-policy NAME or ./POLICY.so", what);
    else if (o->balloon_policy && o->gdb)
        snprintf(err, OPTIONS_ERR_SIZE, "--balloon-policy: a policy cannot go back, as a run with --gdb does");
    else
        return 0;
    return -1;
}

/* What makes no sense of a guest that is dom0. */
static int check_dom0(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    const char *odd = o->copies > 1        ? "--copies"
                      : o->name            ? "--name"
                      : o->nr_drivers      ? "--driver-domain"
                      : o->nr_pools        ? "--cpupool"
                      : o->fb              ? "--fb"
                      : o->p9s.nr          ? "--share"
                      : o->channels.nr     ? "--channel"
                      : o->device_model    ? "--device-model"
                      : o->xenstore_socket ? "--xenstore-socket"
                      : o->nr_faults       ? "--fault"
                      : o->balloon_policy  ? "--balloon-policy"
                                           : NULL;

    if (o->nr_guests != 1)
        snprintf(err, OPTIONS_ERR_SIZE, "--dom0: expected one kernel, which makes all other domains, got %u",
                 o->nr_guests);
    else if (odd)
        snprintf(err, OPTIONS_ERR_SIZE, "%s: not with --dom0: it is for the native dom0 and its guests", odd);
    return o->nr_guests != 1 || odd ? -1 : 0;
}

static int check(const struct run_options *o, char err[OPTIONS_ERR_SIZE])
{
    if (o->help)
        return 0;
    if (check_policy(o, err) || check_balloon(o, err) || check_disks(o, err))
        return -1;
    if (o->device_model && options_device_model(o) > HOST_DM_XEN) {
        snprintf(err, OPTIONS_ERR_SIZE, "--device-model: expected dom0, domain or xen, got \"%.64s\"", o->device_model);
        return -1;
    }
    if (o->technique && options_technique(o) >= ARRAY_SIZE(techniques)) {
        snprintf(err, OPTIONS_ERR_SIZE, "--technique: expected hardware, emulate, ring1 or translate, got \"%.64s\"",
                 o->technique);
        return -1;
    }
    if (o->segments && strcmp(o->segments, "exact") != 0 && strcmp(o->segments, "fast") != 0) {
        snprintf(err, OPTIONS_ERR_SIZE, "--segments: expected exact or fast, got \"%.64s\"", o->segments);
        return -1;
    }
    if (o->gdb && (o->trace || o->record)) {
        snprintf(err, OPTIONS_ERR_SIZE, "--gdb: a run that goes both ways has no %s (xenlab debug has the command %s)",
                 o->trace ? "--trace" : "--record", o->trace ? "log" : "record");
        return -1;
    }
    if (o->trace_filter && !o->trace) {
        snprintf(err, OPTIONS_ERR_SIZE, "--trace-filter: there is no trace to filter (--trace FILE)");
        return -1;
    }
    if (o->command == COMMAND_REPLAY || (o->command != COMMAND_RECORDED && o->replay))
        return check_recording(o, err);
    if (o->command == COMMAND_TOUR) {
        if (o->nr_guests == 1 || (o->check && o->nr_guests))
            return 0;
        snprintf(err, OPTIONS_ERR_SIZE,
                 "which tour? Name a file, such as docs/tours/cli.tour; with --check, any number");
        return -1;
    }
    if (o->nr_guests == 0 && o->command != COMMAND_LIBRARY) {
        snprintf(err, OPTIONS_ERR_SIZE, "which guest? Name a kernel or an xl.cfg file (see: xenlab %s --help)",
                 command_names[o->command]);
        return -1;
    }
    if (o->dom0 && check_dom0(o, err))
        return -1;
    if (o->nr_guests > 1 && o->name) {
        snprintf(err, OPTIONS_ERR_SIZE, "--name is for one guest, not for %u: name them in an xl.cfg each",
                 o->nr_guests);
        return -1;
    }
    if (o->copies * o->nr_guests > HOST_MAX_GUESTS || o->nr_guests > HOST_MAX_GUESTS) {
        snprintf(err, OPTIONS_ERR_SIZE, "%llu guests are too many: dom0 has event channels for %d",
                 (unsigned long long)(o->copies ? o->copies : 1) * o->nr_guests, HOST_MAX_GUESTS);
        return -1;
    }
    return 0;
}

static int parse(struct run_options *o, int argc, char *const argv[], char err[OPTIONS_ERR_SIZE])
{
    bool only_guests = false;

    o->guests = calloc((size_t)argc + 1, sizeof(*o->guests));
    if (!o->guests) {
        snprintf(err, OPTIONS_ERR_SIZE, "out of memory");
        return -1;
    }
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        bool used_next = false;
        int rc = 0;

        if (only_guests || arg[0] != '-' || !arg[1])
            o->guests[o->nr_guests++] = arg;
        else if (!strcmp(arg, "--"))
            only_guests = true;
        else if (arg[1] == '-')
            rc = parse_long(o, arg, i + 1 < argc ? argv[i + 1] : NULL, &used_next, err);
        else
            rc = parse_letters(o, arg, err);
        if (rc)
            return rc;
        i += used_next;
    }
    if (o->power_cut && (!o->max_vtime || o->max_vtime > o->power_cut))
        o->max_vtime = o->power_cut;
    return check(o, err);
}

int options_parse(struct run_options *o, enum options_command command, int argc, char *const argv[],
                  char err[OPTIONS_ERR_SIZE])
{
    memset(o, 0, sizeof(*o));
    o->command = command;
    return parse(o, argc, argv, err);
}

int options_parse_recorded(struct run_options *o, int argc, char *const argv[], char err[OPTIONS_ERR_SIZE])
{
    const enum options_command command = o->command;
    int rc;

    free(o->guests);
    o->nr_guests = 0;
    o->command = COMMAND_RECORDED;
    rc = parse(o, argc, argv, err);
    o->command = command;
    return rc;
}

void options_free(struct run_options *o)
{
    free(o->guests);
    o->guests = NULL;
    while (o->nr_given)
        free(o->given[--o->nr_given]);
    free(o->given);
    o->given = NULL;
    xl_sched_free(&o->guest_sched);
    xl_cpuid_free(&o->cpuid);
    xl_disks_free(&o->disks);
}

/* --- for who describes them --- */

bool options_next(enum options_command command, size_t *i, struct option_info *info)
{
    while (*i < ARRAY_SIZE(options) && !is_option(&options[*i], command))
        ++*i;
    if (*i == ARRAY_SIZE(options))
        return false;
    *info = (struct option_info){ .is_heading = is_heading(&options[*i]),
                                  .name = options[*i].name,
                                  .letter = options[*i].letter,
                                  .value = options[*i].value,
                                  .help = options[*i].help };
    ++*i;
    return true;
}
