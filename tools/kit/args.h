// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of `xenlab kit KIT`. */
#ifndef TOOLS_KIT_ARGS_H
#define TOOLS_KIT_ARGS_H

#include "tools/kit/run.h"
#include "tools/sweep/sweep.h"
#include "tools/user_file.h"

enum kit_key {
    KIT_POLICY,
    KIT_WORKLOAD,
    KIT_EXPECT,
    KIT_SEED,
    KIT_JSON,
    KIT_TAP,
    KIT_JUNIT,
    KIT_SVG,
    KIT_LIMIT,
    KIT_ASKED,
    KIT_SET,
    KIT_SEEDS,
    KIT_JOB,
    KIT_RESULTS,
    KIT_HELP,
    KIT_NR_KEYS
};
struct kit_args {
    const char *value[KIT_NR_KEYS]; /* as given; NULL: it was not */
    uint64_t seed;
    unsigned int limit;
    struct user_file_output svg, asked, junit;
    struct sweep sweep;
    struct sweep_run run; /* the one that is done */
    uint64_t looked_at;   /* 0; or a job that is not, its workload and expectations are only read */
    char *text;           /* the workload, as it is in the file: */
    size_t len;
    int argc;
    char **argv; /* all of them */
};

/* argv: behind the kit's name. False: what is wrong was said. With --help nothing else is wrong. */
bool kit_args_parse(struct kit_args *a, const struct kit_model *kit, int argc, char **argv);
/* "--policy"; NULL: --help, or none. */
const char *kit_option(size_t key);

#endif
