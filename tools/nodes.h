// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the toolstack writes nodes into xenstore: one at a time, or the two directories of a device.
 *
 * Concept: a device has two ends, and each has a directory that names the other's:
 *
 *      /local/domain/D/device/TYPE/ID       backend  backend-id  state=1  ...      nD,rB: the guest's; B reads it
 *      /local/domain/B/backend/TYPE/D/ID    frontend  frontend-id  ...  state=1    nB,rD: the back end's
 *      /libxl/D/device/TYPE/ID              frontend  backend  and a copy of the back end's: dom0's alone
 *
 * The third is what the toolstack itself goes by, since nobody else can write there; it is as the device began.
 *
 * device_front() and device_back() write what else is in them; what the front end needs first, for it is the back
 * end's directory that wakes somebody.
 *
 * Corresponds to libxl__device_generic_add() in tools/libs/light/libxl_device.c.
 */
#ifndef TOOLS_NODES_H
#define TOOLS_NODES_H

#include "tools/host_private.h"

#define NODE_PATH_SIZE 160

/* Who may do what with a node, beside dom0. */
enum node_perms {
    AS_PARENT,
    READ, /* n0,rD: the guest may read it */
    OWN,  /* nD: it is the guest's */
    FRONT /* nD,r0: it is the guest's, for dom0's back end to read */
};

struct node_writer {
    struct host *h;
    struct guest *g; /* NULL: it is about dom0 */
    bool failed;     /* out of memory: something was not written */
};

/*
 * One node; its value is made as by printf. A path that does not begin with a slash is below the domain's own, as its
 * own relative paths are.
 */
__attribute__((format(printf, 4, 5))) void node(struct node_writer *w, const char *path, enum node_perms perms,
                                                const char *fmt, ...);
/* A path with a number or a name in it; returns it. */
__attribute__((format(printf, 2, 3))) const char *path_make(char path[NODE_PATH_SIZE], const char *fmt, ...);

/* A device of w->g, whose directories are being written. */
struct device_nodes {
    struct node_writer *w;
    domid_t back_domid;
    char front[NODE_PATH_SIZE / 2], back[NODE_PATH_SIZE / 2], own[NODE_PATH_SIZE / 2];
};

/* Begin both directories of a device whose back end is in back_domid. */
void device_begin(struct device_nodes *d, struct node_writer *w, const char *type, domid_t back_domid,
                  unsigned int devid);
/* A node of the front end's directory; of the back end's. */
__attribute__((format(printf, 3, 4))) void device_front(struct device_nodes *d, const char *name, const char *fmt, ...);
/* One of the front end's that it may only read. */
__attribute__((format(printf, 3, 4))) void device_front_ro(struct device_nodes *d, const char *name, const char *fmt,
                                                           ...);
__attribute__((format(printf, 3, 4))) void device_back(struct device_nodes *d, const char *name, const char *fmt, ...);

/* What the toolstack itself has noted of a device. False: it is not there, or too long. */
bool device_noted(struct host *h, domid_t domid, const char *type, unsigned int devid, const char *name,
                  char value[NODE_PATH_SIZE]);
/* Any node, as text. False: it is not there, or too long. */
bool node_read(struct host *h, const char *path, char value[NODE_PATH_SIZE]);
/* Remove a node with all below it, and what above it is empty then (libxl__xs_path_cleanup()). */
void node_cleanup(struct host *h, const char *path);

#endif
