// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gdb is told of registers: which there are, and what they hold.
 *
 * Concept: one layout for every vCPU in every mode, that of x86-64, which gdb gets as an XML file when it comes: one
 * that changed would end the session. A guest of 32 bits has its registers in the lower halves. Beyond what programs
 * know of there are, in a feature of their own, those that a kernel knows of: the control registers as the processor
 * has them (cr0...), and as the guest believes them to be (guest_cr0...), the mode, the I/O privilege level.
 */
#ifndef UI_GDB_REGISTERS_H
#define UI_GDB_REGISTERS_H

#include "tools/debug/look.h"
#include "ui/gdb/packet.h"

#define GDB_REG_MAX 16 /* bytes of one */

/* The XML file. */
void gdb_registers_xml(struct bytes *xml);
unsigned int gdb_registers_nr(void);
/* Its bytes, as the processor orders them; how many. */
size_t gdb_register(const struct look_vcpu *v, unsigned int reg, uint8_t bytes[GDB_REG_MAX]);
/* By which name it can be set (tools/rewind/input.h); NULL: it cannot. */
const char *gdb_register_settable(unsigned int reg);

#endif
