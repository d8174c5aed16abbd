// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O request servers: device models of an HVM domain, and what they share with the hypervisor.
 *
 * Concept: a device model is a program in another domain. It makes itself a server, says at which ports, addresses and
 * PCI functions it answers, and gets two pages. In the first each vCPU has a place for one request:
 *
 *                      vCPU                           the first page                   device model
 *      IN, OUT, MOV -- hvm_send_ioreq() -- STATE_IOREQ_READY ---- event --------> takes it: STATE_IOREQ_INPROCESS
 *      goes on <------ hvm_io_answered() <-- wait_for_io() <----- event --------- STATE_IORESP_READY, data
 *
 * The second is a ring of writes that nobody waits for: those to the old graphics memory.
 *
 * Who maps pages by the domain's own frame numbers is given some of those that HVM_PARAM_IOREQ_SERVER_PFN names; while
 * a server is enabled they are not in the domain's memory. Who uses XENMEM_acquire_resource gets frames of his own.
 *
 * Invariants: what stands in the pages is the device model's to change: a state that cannot follow crashes the domain,
 * as in Xen. A server that goes leaves nobody waiting.
 *
 * Corresponds to xen/common/ioreq.c and xen/arch/x86/hvm/ioreq.c of 4.17; public hvm/ioreq.h, hvm/dm_op.h.
 */
#ifndef VCPU_HVM_IOREQ_H
#define VCPU_HVM_IOREQ_H

#include "evtchn/evtchn.h"
#include "vcpu/hvm/intercept.h"

#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

#define MAX_NR_IOREQ_SERVERS 8
#define MAX_NR_IO_RANGES     256
#define NR_IO_RANGE_TYPES    3

struct ioreq_page {
    struct page_info *page; /* NULL: none. A reference is held, and the frame is shared */
    void *va;
    uint64_t gfn; /* of the domain's, or INVALID_IOREQ_GFN: it is the emulator's own */
};
#define INVALID_IOREQ_GFN (~UINT64_C(0))

struct ioreq_server {
    struct domain *target, *emulator; /* of the second a reference is held */
    struct ioreq_page ioreq, bufioreq;
    evtchn_port_t ports[MAX_VIRT_CPUS]; /* Xen's ends; 0: the vCPU is not there yet */
    evtchn_port_t bufioreq_evtchn;
    uint8_t bufioreq_handling; /* HVM_IOREQSRV_BUFIOREQ_* */
    bool enabled;
    struct io_ranges {
        unsigned int nr;
        struct io_range {
            uint64_t start, end;
        } range[MAX_NR_IO_RANGES];
    } ranges[NR_IO_RANGE_TYPES];
    uint64_t requests, buffered; /* that have been sent */
};

/* Which server answers; -1: none. A PCI configuration access is one to the function that port 0xcf8 names. */
int hvm_select_ioreq_server(struct domain *d, const struct hvm_io_op *op);
/* Ask it. HVM_IO_DONE: it is a write that nobody waits for. */
enum hvm_io hvm_send_ioreq(struct vcpu *v, unsigned int server, struct hvm_io_op *op);

/* The operations of dm_op; 0 or -errno as they document them. */
int ioreq_server_create(struct domain *d, struct domain *emulator, uint8_t bufioreq_handling, ioservid_t *id);
int ioreq_server_destroy(struct domain *d, const struct domain *emulator, ioservid_t id);
int ioreq_server_get_info(struct domain *d, const struct domain *emulator,
                          struct xen_dm_op_get_ioreq_server_info *info);
int ioreq_server_range(struct domain *d, const struct domain *emulator, const struct xen_dm_op_ioreq_server_range *r,
                       bool map);
int ioreq_server_set_state(struct domain *d, const struct domain *emulator, ioservid_t id, bool enabled);
/* xen->hooks: frame `idx` of a server's resource. */
int ioreq_server_get_frame(struct domain *d, const struct domain *caller, ioservid_t id, uint64_t idx, mfn_t *mfn);

/* A vCPU has been added to its domain. 0 or -errno: it has no port. */
int ioreq_vcpu_added(struct vcpu *v);
/* It goes, or was not added after all. */
void ioreq_vcpu_removed(struct vcpu *v);
/* d dies. */
void ioreq_servers_destroy(struct domain *d);

/* xen->hooks->audit_refs: pages of domains' own that are servers'. */
void ioreq_audit_refs(struct xen *xen, struct audit *a);

#endif
