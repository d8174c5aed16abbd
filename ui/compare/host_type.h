// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab compare --host-type`: what the exits of an HVM guest would lead to on three kinds of hosts.
 *
 * Concept: none of the three is run here. What is recorded is a list of exits (a trace of any run of an HVM guest);
 * what is done with it is to have each of them take the route that it has on each kind of host, through a model of
 * it (tools/model/model.h).
 *
 *      trace --- class of each exit ---> route ---> walls: counted, exact for that list and those routes
 *                                             '---> ns: prices, a model
 *
 * Classes are facts of the trace: whether the device model was told (the vCPU sent it an event), and whether the vCPU
 * waited for it. Exits that a processor would not take, as the simulator does (exceptions, INT n), are left out.
 *
 * Invariant: the output is a function of the trace alone.
 */
#ifndef UI_COMPARE_HOST_TYPE_H
#define UI_COMPARE_HOST_TYPE_H

#include "sim/pcpu.h"
#include "tools/model/model.h"

#include <stdio.h>

/* A recorded list of exits, counted. */
struct host_list {
    const char *name; /* of the trace */
    uint64_t nr[MODEL_NR_CLASSES], kind[MODEL_NR_CLASSES][EXIT_NR_KINDS];
    uint64_t exits;    /* all of these */
    uint64_t left_out; /* exits that a processor would not take */
    uint64_t switches; /* of pCPUs from one vCPU to another, in that run */
};

#define HOST_TYPE_ERR_SIZE 512
/* From a file, or "-". 0, or -1 and what is wrong: a line, or there is no exit of an HVM guest. */
int host_list_read(struct host_list *l, const char *path, char err[HOST_TYPE_ERR_SIZE]);

void host_type_text(const struct host_list *l, FILE *out);
void host_type_json(const struct host_list *l, FILE *out);
void host_type_svg(const struct host_list *l, FILE *out);
/* Step by step, of one exit. */
void host_type_path(enum model_class c, FILE *out);

#endif
