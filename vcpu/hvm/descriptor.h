// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors of an HVM guest's GDT and LDT (descriptor.c).
 */
#ifndef VCPU_HVM_DESCRIPTOR_H
#define VCPU_HVM_DESCRIPTOR_H

#include "vcpu/hvm/hvm.h"

/* Of struct cpu_segment.attr. */
#define ATTR_TYPE(a) ((a)&0xfu)
#define ATTR_S       0x10u /* code or data, and not the system's */
#define ATTR_DPL(a)  ((a) >> 5 & 3u)
/* Bits of the type of code and data; */
#define TYPE_CODE    8u
#define TYPE_CONFORM 4u /* of code */
#define TYPE_READ    2u /* of code */
#define TYPE_WRITE   2u /* of data */
#define TYPE_EXPAND  4u /* of data: it expands down */
/* system types. */
#define TYPE_LDT       2u
#define TYPE_TASK_GATE 5u
#define TYPE_TSS       1u /* with either of these bits, or both: */
#define TYPE_BUSY      2u
#define TYPE_32        8u

enum hvm_descriptor { HVM_DESC_OK, HVM_DESC_NONE /* behind the table's limit */, HVM_DESC_FAULT /* *f */ };
enum hvm_descriptor hvm_descriptor_read(struct vcpu *v, uint16_t sel, struct cpu_segment *s, struct hvm_fault *f);
/* Change bits of the type of one that was read. False: *f. */
bool hvm_descriptor_type(struct vcpu *v, uint16_t sel, uint8_t set, uint8_t clear, struct hvm_fault *f);
/* Code and data that is loaded is marked as accessed. False: *f. */
bool hvm_descriptor_accessed(struct vcpu *v, struct cpu_segment *s, struct hvm_fault *f);

/* Outside 64-bit code: does a segment allow an access to size bytes from an offset on? AMD APM volume 2, 4.12. */
bool hvm_segment_allows(const struct cpu_state *r, const struct cpu_segment *s, uint64_t offset, unsigned int size,
                        bool write);

#endif
