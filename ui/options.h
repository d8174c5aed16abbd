// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab run` and `xenlab debug` were asked to do: their command lines, read.
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
#include "tools/xl/guest_sched.h"
#include "tools/xl/xl_cfg.h"

#include <stdio.h>

#define OPTIONS_ERR_SIZE 512

struct run_options {
    const char **guests; /* kernels and xl.cfg files, in order; owned, the strings are argv's */
    unsigned int nr_guests;

    /* Of every guest; each overrides what an xl.cfg says. */
    uint64_t memory_mib, vcpus, copies;
    const char *name, *cmdline, *ramdisk;
    const char *type_name;
    enum xl_type type; /* when type_name is there */
    struct xl_sched guest_sched;
    struct xl_cpuid cpuid;
    struct run_action {
        bool stated;
        enum xl_action action;
    } on_poweroff, on_reboot, on_crash, on_watchdog;

    /* Of the machine. */
    uint64_t ram_mib, nr_pcpus, seed;
    const char *sched;
    struct host_pool pools[HOST_MAX_POOLS];
    unsigned int nr_pools;

    /* Of the run. */
    s_time_t max_vtime;
    bool realtime, stats, audit, plain_engine, help;
    const char *trace, *trace_filter;
    const char *console;         /* whom the keyboard talks to: a name, or a domain's number */
    unsigned int verbose, quiet; /* how often -v, -q */

    /* Of the debugger. */
    bool debug; /* it is one */
    const char *script;
    bool json, read_only;
    uint64_t history_mib;
};

/* Read the arguments after "run". 0, or -1 and a message. Either way options_free() ends it. */
int options_parse(struct run_options *o, int argc, char *const argv[], char err[OPTIONS_ERR_SIZE]);
/* The same after "debug". */
int options_parse_debug(struct run_options *o, int argc, char *const argv[], char err[OPTIONS_ERR_SIZE]);
void options_free(struct run_options *o);

/* The help of `xenlab run`, of `xenlab debug`. */
void options_help(FILE *out);
void options_help_debug(FILE *out);

#endif
