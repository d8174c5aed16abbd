// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gdb is told of registers: which there are, and what they hold.
 *
 * Concept: one layout for all vCPUs of a domain in every mode, which gdb gets as an XML file when it comes: one that
 * changed would end the session. It is that of x86-64. That of i386 has a domain of 32 bits, which is one as long as it
 * lives, and an HVM guest whose own kernel's ELF file is of 32 bits: a gdb that has read this file takes no other. That
 * of i8086 has the same registers: gdb reads code as one of 16 bits by that name alone. Beyond what programs know of
 * there are, in a feature of their own, those that a kernel knows of: the control registers as the processor has them
 * (cr0...), and as the guest believes them to be (guest_cr0...), the mode, the I/O privilege level.
 */
#ifndef UI_GDB_REGISTERS_H
#define UI_GDB_REGISTERS_H

#include "tools/debug/look.h"
#include "ui/gdb/packet.h"

#define GDB_REG_MAX 16 /* bytes of one */

enum gdb_layout { GDB_LAYOUT_64, GDB_LAYOUT_32, GDB_LAYOUT_16, GDB_LAYOUTS };

/* The domain's; of one that is not there, 64. */
enum gdb_layout gdb_layout_of(struct host *h, domid_t dom);
/* As users call it: "x86-64", "i386", "i8086"; GDB_LAYOUTS: none is called so. */
const char *gdb_layout_name(enum gdb_layout l);
enum gdb_layout gdb_layout_find(const char *name);
/* The XML file. */
void gdb_registers_xml(enum gdb_layout l, struct bytes *xml);
unsigned int gdb_registers_nr(enum gdb_layout l);
/* Its bytes, as the processor orders them; how many. */
size_t gdb_register(enum gdb_layout l, const struct look_vcpu *v, unsigned int reg, uint8_t bytes[GDB_REG_MAX]);
/* What the register called so (see below) is less than gdb's: of rip the base of CS, of others 0. */
uint64_t gdb_register_base(const struct look_vcpu *v, const char *settable);
/* By which name it can be set (tools/rewind/input.h); NULL: it cannot. */
const char *gdb_register_settable(enum gdb_layout l, unsigned int reg);

#endif
