// SPDX-License-Identifier: GPL-2.0-or-later
/* The schedulers there are, for who has to name one: options, messages, help. Values and text only. */
#ifndef VCPU_SCHED_NAMES_H
#define VCPU_SCHED_NAMES_H

#include "sim/types.h"

/* "credit, credit2, ..." for messages. */
const char *sched_names(void);
/* From the name that --sched takes, of len characters, to XEN_SCHEDULER_* and back. False, NULL: there is none. */
bool sched_id_by_name(const char *opt_name, size_t len, uint32_t *sched_id);
const char *sched_name_by_id(uint32_t sched_id);
/* What to say of a name, of text_len characters, that is none: which one may have been meant, and which there are. */
void sched_name_unknown(const char *text, size_t text_len, char *why, size_t len);

/* A parameter as it is written behind --sched NAME: options.c. (POSIX has a struct sched_param.) */
struct sched_tunable {
    const char *policy, *name;
    long min, max;
    bool or_zero; /* 0 is allowed besides min..max */
    const char *help;
};
const struct sched_tunable *sched_tunables(size_t *nr);
/* Would sched_create() take this "NAME[,PARAM=VALUE...]"? False: why lists what it would. */
bool sched_option_check(const char *option, char *why, size_t len);

#endif
