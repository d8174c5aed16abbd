// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What host.c (the computer as a whole), host_guest.c and guest_nodes.c (the guests in it) and host_shutdown.c (their ends) share,
 * and nobody else.
 */
#ifndef TOOLS_HOST_PRIVATE_H
#define TOOLS_HOST_PRIVATE_H

#include "rings/console.h"
#include "rings/xenstore/xenstore.h"
#include "tools/build/image_cache.h"
#include "tools/host.h"
#include "vcpu/native/kernel.h"

struct guest {
    struct guest *next;
    unsigned int index; /* in the order of host_guest_add() */
    domid_t domid;
    bool ended;          /* it will not run again */
    s_time_t born;       /* when its domain was built */
    s_time_t restart_at; /* when its domain is to be built again; 0: it has one */
    unsigned int quick;  /* restarts in a row after a short life, and how many of them after a crash */
    unsigned int crashes;
    struct host_guest cfg; /* strings are ours */
    struct xl_sched sched; /* cfg.sched points here */
    struct xl_cpuid cpuid; /* cfg.cpuid too */
    bool built;            /* before: what is to be warned about has been said */
    struct cached_image *kernel;
    uint8_t *ramdisk;
    size_t ramdisk_size;
    mfn_t console_mfn, store_mfn;
    evtchn_port_t console_port, store_port; /* the guest's own numbers */
    struct host *host;
    char unread[1024]; /* typed to the domain before, which did not read it: its console's ring is as large */
    size_t nr_unread;
    struct console_backend *console;
    struct xenstore_conn *xenstore;
};

struct host {
    struct machine *machine;
    struct xen *xen;
    struct native_kernel *dom0;
    struct xc_handle *xc;      /* dom0's */
    struct task look, restart; /* guests_look_task, guests_restart_task */
    struct host_io io;
    struct guest *guests, **guests_tail;
    struct guest *guest_of[DOMID_FIRST_RESERVED]; /* who had this number last; see guest_find() */
    void *names;                                  /* of all guests: a tree of tsearch() */
    unsigned int nr_guests, guests_left;          /* added; not ended */
    bool failed;                                  /* what a configuration asks for could not be done */
    struct cached_image *kernels;
    bool kept_told; /* that they cannot be kept on disk; or nobody wants to know */
    struct host_pool *pools;
    unsigned int nr_pools;
    bool audit;
    bool stop; /* no guest is left */
};

/* Through which the toolstack makes its hypercalls. */
static inline struct xc_handle *xc(const struct host *h) { return h->xc; }

/* The guest whose domain has, or last had, this number; NULL: not one of ours. */
struct guest *guest_find(const struct host *h, domid_t domid);

/* Is there a guest of h (data) with this name? */
bool guest_name_taken(const void *data, const char *name);
/* From now on there is, until guest_free() of the guest whose string this is. False: out of memory, or another has it. */
bool guest_name_claim(struct host *h, const char *name);

/* If its configuration states no UUID: one that follows from its name and the seed. It keeps it when it restarts. */
void guest_uuid_make(struct guest *g);
/* Write its nodes. False: out of memory. */
bool guest_introduce(struct guest *g);

/* Build the domain of g (again), paused, and connect its devices. 0, or -1 with a message. */
int guest_build(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
void guest_list_append(struct host *h, struct guest *g);
/* Close dom0's ends of the guest's devices: before its domain is destroyed. */
void guest_disconnect(struct guest *g);
void guest_free(struct host *h, struct guest *g);

/* VIRQ_DOM_EXC: some domain has shut down, or died. At a time: some guest's domain is to be built again. */
extern const struct task_ops guests_look_task, guests_restart_task;

/* One line for the user, without its newline. */
__attribute__((format(printf, 2, 3))) void host_message(struct host *h, const char *fmt, ...);

#endif
