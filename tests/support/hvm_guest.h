// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine with one hand-made HVM vCPU on it, for tests of the pCPU: nested tables that scatter its memory, modes to
 * begin in, code as bytes.
 *
 *      guest-physical 0 .. HG_FRAMES pages  ->  frames of the machine, in another order
 *      0xfee00000                           ->  the frame of guest page HG_RO, read-only
 *
 * The modes' own tables and descriptors lie in the guest's memory, where its program may change them:
 *
 *      page 1   GDT: 0x08 code 32, 0x10 data, 0x18 code 64, 0x23 data of ring 3, 0x2b code 64 of ring 3, 0x33 code 32 of
 *               ring 3
 *      page 2.. page tables: the first 2 MiB, one to one, in pages of 4 KiB, writable, for all rings
 *      page HG_CODE  the program; its stack grows down from HG_STACK
 */
#ifndef TESTS_SUPPORT_HVM_GUEST_H
#define TESTS_SUPPORT_HVM_GUEST_H

#include "sim/machine.h"
#include "sim/pcpu.h"

#define HG_FRAMES 512u
#define HG_CODE   0x10u
#define HG_STACK  UINT64_C(0x20000)
#define HG_DATA   0x20u /* a page of the program's */
#define HG_RO     0x1ffu
#define HG_L4     2u
#define HG_L1     5u

enum hg_mode { HG_REAL, HG_PROTECTED, HG_LEGACY, HG_PAE, HG_LONG };

struct hvm_guest {
    struct machine *m;
    struct cpu_context *c;
    struct cpu_state *st;
};

struct hvm_guest hg_create(void);
void hg_destroy(struct hvm_guest *g);

/* A further vCPU in the same memory. */
struct cpu_context *hg_context(struct machine *m);

/* The machine's frame behind a guest's page. */
mfn_t hg_frame(unsigned int gfn);
/* n bytes at a guest-physical address, within a page; to write them as the hypervisor does. */
void *hg_at(struct hvm_guest *g, uint64_t gpa);
void hg_write(struct hvm_guest *g, uint64_t gpa, const void *bytes, size_t n);
/* The nested entry of a guest's page: rights 0 takes it out. */
void hg_nested(struct hvm_guest *g, unsigned int gfn, uint64_t rights);

/* In front of HG_CODE's first byte, in a mode at CPL 0, with its tables as they are at first. */
void hg_mode(struct hvm_guest *g, enum hg_mode mode);
/* Then at CPL 3 (long mode: 64-bit code). */
void hg_user(struct hvm_guest *g);

/* Write `code` to HG_CODE and run it on pCPU 0. */
struct sim_exit hg_exec(struct hvm_guest *g, const void *code, size_t n);
#define HG_EXEC(g, literal) hg_exec(g, literal, sizeof(literal) - 1)
struct sim_exit hg_run(struct hvm_guest *g, uint64_t insns);

/* A test's fixture. */
int hg_setup(void **state);
int hg_setup_exact(void **state); /* of a machine with exact segments */
int hg_teardown(void **state);

#endif
