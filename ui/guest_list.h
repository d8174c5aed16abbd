// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guests of a run: what the command line and the xl.cfg files say of each, put together.
 *
 * A setting counts in this order: the option if it was given, else the guest's xl.cfg, else the default. Devices of
 * options are further ones, beside the file's; one with the name, number or tag of the file's has its place.
 *
 * Names are unique, and none is dom0's, as xl demands. Two that were stated equal are an error; a guest without one is
 * called as its kernel's file, and that, as the names of --copies, is numbered where it must be: x, x-2, x-3.
 */
#ifndef UI_GUEST_LIST_H
#define UI_GUEST_LIST_H

#include "tools/host.h"
#include "ui/firmware.h"
#include "ui/options.h"

#define GUEST_LIST_ERR_SIZE (XL_ERR_SIZE + 64)

struct guest_entry {
    struct host_guest guest; /* strings belong to cfg or to the command line */
    struct xl_config cfg;    /* of a kernel: empty. cfg.sched is what counts: the file's, overridden by the options' */
    struct xl_disks named;   /* the disks that count, as they were named */
    struct xl_disks disks;   /* the same, where they are */
    struct xl_vifs vifs;     /* what counts of the others */
    struct xl_p9s p9s;
    struct xl_channels channels;
    char *firmware[FIRMWARE_NR]; /* of an HVM guest or a shim: what was found, or its file names */
    char *shim_cmdline;          /* or NULL */
    bool is_config;              /* and no kernel */
};

struct guest_list {
    struct guest_entry *entries;
    unsigned int nr;
    uint64_t total_mib;                /* memory of all, as much as they may have */
    char **names;                      /* of all guests: first each entry's, then those of its second copy, and so on */
    uint64_t nr_names;                 /* nr * copies */
    void *taken;                       /* the same as a tree of tsearch() */
    const struct run_options *options; /* borrowed: driver domains are named there */
};

/* 0, or -1 and a message that names the file. Either way guest_list_free() ends it. cfg.warnings are not yet shown. */
int guest_list_load(struct guest_list *l, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE]);
/* Is this one of the files that its guests come from? Whoever writes to it would lose it. */
bool guest_list_reads(const struct guest_list *l, const struct run_options *o, const char *path);
/* Each of them to fn, by the name that it was given (struct file_place), until fn does not answer 0. */
typedef int guest_list_file_fn(void *data, const char *named);
int guest_list_files(const struct guest_list *l, const struct run_options *o, guest_list_file_fn *fn, void *data);
void guest_list_free(struct guest_list *l);

#endif
