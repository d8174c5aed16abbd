// SPDX-License-Identifier: GPL-2.0-or-later
/* Selectors of hvmtest's GDT (start.S), and vectors of its own, for C and assembly. */
#ifndef HVMTEST_SELECTORS_H
#define HVMTEST_SELECTORS_H

#define KERNEL_CS32 0x08
#define KERNEL_DS   0x10
#define USER_CS32   0x1b
#define USER_DS     0x23
#define USER_CS64   0x2b
#define KERNEL_CS64 0x30
#define TSS         0x38
#define FREE        0x48 /* descriptors from here on are the facts' own */

#if LEVELS == 4
#define USER_CS USER_CS64
#else
#define USER_CS USER_CS32
#endif
#define KERNEL_CS KERNEL_CS32

#define LEFT 0x81 /* the vector by which a probe ends; ring 3 may use it */

#endif
