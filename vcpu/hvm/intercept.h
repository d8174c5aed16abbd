// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who answers at an I/O port, or at an address that is no memory: the hypervisor's devices, a device model, nobody.
 *
 * Concept: an instruction that reaches a device is carried out in C (io.c, mmio.c), and asks here for each of its
 * accesses. The hypervisor's devices answer at once. A device model is another domain, which takes its time: the vCPU
 * waits for it, blocked, and the instruction is begun anew when the answer is there:
 *
 *      exit --> io.c, mmio.c --hvm_io_access()--+--> pit, pic, rtc...: done
 *                 ^                             +--> ioreq.c: a request is sent; HVM_IO_WAIT, the handler returns
 *                 |                                                 |
 *                 '---- hvm_io_again(), at the next entry <-- the device model's answer is kept
 *
 * What an instruction has been answered so far is kept, in order, and given to it again (io_kept.c): no device sees an
 * access twice. An instruction that does not ask the same again (another vCPU has changed it meanwhile) is another one:
 * what was kept is forgotten.
 *
 * Invariants: while a request is on its way the vCPU does not run, and no interrupt is delivered to it; between
 * instructions nothing is kept.
 *
 * Corresponds to xen/arch/x86/hvm/intercept.c, io.c and the struct hvm_vcpu_io of Xen.
 */
#ifndef VCPU_HVM_INTERCEPT_H
#define VCPU_HVM_INTERCEPT_H

#include "sim/pcpu.h"

#include <xen/xen.h>

#include <xen/hvm/ioreq.h>

struct domain;
struct vcpu;

enum hvm_io { HVM_IO_DONE, HVM_IO_WAIT };

/* An access; of several elements (count > 1, ports only) the data lie in the guest's memory, in one page. */
struct hvm_io_op {
    bool port; /* else guest-physical memory */
    bool write, df;
    bool data_is_ptr; /* data is the guest-physical address of the first element */
    uint8_t size;     /* 1, 2, 4; of memory 8 too */
    uint32_t count;
    uint64_t addr, data;
};

#define HVM_IO_ANSWERS 16 /* accesses of one instruction, or of one element of a string */

/* Of a vCPU: the instruction that it is in the middle of. */
struct hvm_vcpu_io {
    enum { HVM_IO_IDLE, HVM_IO_SENT, HVM_IO_ANSWERED } state;
    struct sim_exit exit; /* what it came out for */
    unsigned int nr, next;
    struct hvm_io_op answer[HVM_IO_ANSWERS];
    struct hvm_io_op op; /* SENT: what is asked */
    unsigned int server; /* and whom: an index into the domain's ioreq servers */
};

/* The one below all: op->data is the answer of a read when it is done. */
enum hvm_io hvm_io_access(struct vcpu *v, struct hvm_io_op *op);
/* One access of size 1, 2, 4 to a port, of 1 to 8 to memory. */
enum hvm_io hvm_port_access(struct vcpu *v, unsigned int port, unsigned int size, bool write, uint32_t *data);
enum hvm_io hvm_mmio_access(struct vcpu *v, uint64_t gpa, unsigned int size, bool write, uint64_t *data);
/* Does the hypervisor itself, or nobody, answer at these ports? Else a device model does, of which one can ask more. */
bool hvm_port_is_internal(struct vcpu *v, unsigned int port, unsigned int size);

/* exits.c: v is about to be entered: go on with an instruction that was waiting. False: it waits (again). */
bool hvm_io_again(struct vcpu *v);

/* --- io_kept.c --- */

/* Is it the next that has been answered? Then op->data is that. */
bool hvm_io_kept(struct hvm_vcpu_io *io, struct hvm_io_op *op);
void hvm_io_keep(struct hvm_vcpu_io *io, const struct hvm_io_op *op);
/* The instruction, or an element of a string, is through with its accesses. */
void hvm_io_forget(struct vcpu *v);
/* The answer to what v waits for. */
void hvm_io_answered(struct vcpu *v, uint64_t data);

/* --- the devices of the hypervisor's own, as d->emulation_flags has them. d has its vCPU 0 --- */

void hvm_devices_init(struct domain *d);
void hvm_devices_deinit(struct domain *d);

#endif
