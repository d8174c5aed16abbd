// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab run`, `xenlab debug` and `xenlab replay` were asked to do: their command lines, read.
 *
 * Concept: one table (in options.c) says of every option its name, the kind of its value, its range and its help text.
 * The parser, the errors and `xenlab run --help` are made from it.
 *
 * Invariants: nothing is guessed. A number is digits alone and within its range; what cannot be meant is an error with
 * a message that names the option, and nothing has happened yet. A pointer is NULL, a number 0, when the option was not
 * given.
 */
#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include "sim/types.h"
#include "tools/fault.h"
#include "tools/host.h"
#include "tools/xl/guest_sched.h"
#include "tools/xl/xl_cfg.h"

#include <stdio.h>

#define OPTIONS_ERR_SIZE 512

enum options_command {
    COMMAND_RUN,
    COMMAND_DEBUG,
    COMMAND_TUI,
    COMMAND_TOUR,
    COMMAND_REPLAY,
    COMMAND_RECORDED, /* what a recording says of the run that it is of */
    COMMAND_LIBRARY,  /* words of xenlab_create() */
};

struct run_options {
    enum options_command command;
    const char **guests; /* kernels and xl.cfg files, in order; owned, the strings are argv's */
    unsigned int nr_guests;

    /* Of every guest; each overrides what an xl.cfg says. */
    uint64_t memory_mib, vcpus, copies;
    const char *name, *cmdline, *ramdisk;
    const char *type_name;
    enum xl_type type; /* when type_name is there */
    struct xl_sched guest_sched;
    struct xl_cpuid cpuid;
    struct xl_disks disks;
    struct xl_vifs vifs;
    struct xl_p9s p9s;
    struct xl_channels channels;
    const char *drivers[8]; /* names of driver domains */
    unsigned int nr_drivers;
    bool dom0;           /* the guest is domain 0 */
    bool fb;             /* a screen, for whoever has none */
    bool fb_window;      /* its screen, here */
    const char *vnc;     /* a port, where its screen is shown */
    const char *fb_png;  /* a picture of it there, at its end */
    const char *pcap[8]; /* each "[PORT=]FILE" */
    unsigned int nr_pcap;
    struct run_action {
        bool stated;
        enum xl_action action;
    } on_poweroff, on_reboot, on_crash, on_watchdog;

    /* Of the machine. */
    uint64_t ram_mib, nr_pcpus, seed;
    const char *sched;
    struct host_fault faults[HOST_FAULTS_MAX];
    unsigned int nr_faults;
    struct host_pool pools[HOST_MAX_POOLS];
    unsigned int nr_pools;

    /* Of the run. */
    s_time_t max_vtime;
    const char *device_model; /* "dom0", "domain" or "xen"; NULL: dom0 */
    const char *technique;    /* options_technique() */
    const char *segments;     /* "exact" or "fast"; NULL: fast */
    const char *disk_writes;  /* "live", "exit" or "never"; NULL: as it fits */
    s_time_t power_cut;       /* when; then max_vtime is not later. 0: never */
    const char *bench_workload, *bench_json;
    const char *balloon_policy, *balloon_json, *balloon_workload;
    bool realtime, stats, bench, audit, plain_engine, help;
    const char *trace, *trace_filter, *xenstore_socket, *control;
    const char *console;         /* whom the keyboard talks to: a name, or a domain's number */
    unsigned int verbose, quiet; /* how often -v, -q */
    const char *console_to[64];  /* each "[GUEST=]pty|file:PATH|socket:PATH" */
    unsigned int nr_console_to;
    const char *record; /* the file to write */
    char **given;       /* what was given of all above that makes the run: "--memory=64"; owned */
    unsigned int nr_given;

    bool other_build; /* of replay: try it */
    /* Where files are that are named above, and in xl.cfg files; those of a recording. Borrowed. */
    const struct file_place {
        const char *named, *at;
    } * places;
    size_t nr_places;

    /* Of the debugger. */
    const char *replay; /* a recording, whose inputs come */
    const char *script, *first;
    bool json, read_only;
    uint64_t history_mib;
    const char *gdb; /* [dN:]PORT[,ARCH]: the machine is gdb's there */

    /* Of its screen. */
    const char *size, *palette, *shot;
    bool ascii, gui;

    /* Of a tour. */
    bool check;
    const char *export;
};

/* Read the arguments after the command's name. 0, or -1 and a message. Either way options_free() ends it. */
int options_parse(struct run_options *o, enum options_command command, int argc, char *const argv[],
                  char err[OPTIONS_ERR_SIZE]);
/* Those of a recording: in addition to what was read before, and its guests in place of what was named there. */
int options_parse_recorded(struct run_options *o, int argc, char *const argv[], char err[OPTIONS_ERR_SIZE]);
void options_free(struct run_options *o);
/* Where device models are; behind the last one: nowhere, its name is none. */
enum host_device_model options_device_model(const struct run_options *o);
enum hvm_technique options_technique(const struct run_options *o);

struct option_info {
    bool is_heading;
    const char *name; /* without the dashes; of a heading: its text */
    char letter;      /* -v; 0: none */
    const char *value,
        *help; /* value: what it is called, NULL: it takes none; a newline in help begins a further line */
};
/* The command's next option, or heading, from number *i on, which is then behind it. False: there are no more. */
bool options_next(enum options_command command, size_t *i, struct option_info *info);

#endif
