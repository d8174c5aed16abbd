// SPDX-License-Identifier: GPL-2.0-or-later
/* Switching a computer on and adding its guests, as a command line says: what `xenlab run` and `xenlab debug` share. */
#ifndef UI_START_H
#define UI_START_H

#include "ui/guest_list.h"

#define START_ERR_SIZE 2048

struct sched_ops;

/*
 * The host, without guests; pools: HOST_MAX_POOLS of them, which it uses for its life. NULL and a message. Its log goes
 * nowhere yet. ops: in place of the options' --sched, or NULL.
 */
struct host *start_host(const struct run_options *o, const struct guest_list *l, const struct host_io *io,
                        struct host_pool *pools, const struct sched_ops *ops, char err[START_ERR_SIZE]);
/* So many pCPUs it has. */
unsigned int start_pcpus(const struct run_options *o, const struct guest_list *l);
/* All guests of the list, and they run. 0, or -1 and a message. */
int start_guests(struct host *h, const struct guest_list *l, char err[START_ERR_SIZE]);
/* Errors, warnings and a few words at -q, and so on. */
enum log_level start_log_level(const struct run_options *o);

#endif
