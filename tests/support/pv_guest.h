// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine with one hand-made PV guest on it, for tests of the pCPU: page tables, and code written as bytes.
 *
 *      0x400000 + n pages  ->  frame PG_FRAME(n), user, writable, executable (until pg_map() says otherwise)
 *      page PG_STACK: the stack, growing down from PG_VA(PG_STACK + 1)
 */
#ifndef TESTS_SUPPORT_PV_GUEST_H
#define TESTS_SUPPORT_PV_GUEST_H

#include "sim/machine.h"
#include "sim/pcpu.h"

#define PG_PAGES       64
#define PG_STACK       40
#define PG_VA(page)    (UINT64_C(0x400000) + (uint64_t)(page)*PAGE_SIZE)
#define PG_FRAME(page) _mfn(0x100 + (uint64_t)(page))
#define PG_CR3         (UINT64_C(0x10) << PAGE_SHIFT)
#define PG_TABLE       _mfn(0x13)         /* the page table that maps the pages */
#define PG_NOWHERE     UINT64_C(0x900000) /* an address that is not mapped */

#define PG_P  0x1u
#define PG_RW 0x2u
#define PG_US 0x4u
#define PG_NX (UINT64_C(1) << 63)

/*
 * A GDT with flat code and data for rings 1 and 3, a small data segment, and 64-bit code: selectors 0x09, 0x11, 0x1b,
 * 0x23, 0x2b, 0x33.
 */
extern const uint64_t pg_gdt[7];

/* An exact one, and nobody looks. */
#define PG_BUDGET(n) ((struct pcpu_budget){ .insns = (n), .exact = true, .stop_after = PCPU_NO_STOP })

struct pv_guest {
    struct machine *m;
    struct cpu_context *c;
    struct cpu_state *st;
};

/* Build; fails the test when that is impossible. */
struct pv_guest pg_create(enum cpu_mode mode, unsigned int nr_pcpus);
/* Likewise; plain: struct machine_config. */
struct pv_guest pg_create_engine(enum cpu_mode mode, unsigned int nr_pcpus, bool plain);
/* 32-bit code in ring 3, on one pCPU. */
struct pv_guest pg_create_user32(void);
void pg_destroy(struct pv_guest *g);
/* A test's fixture: a PV64 guest on one pCPU. */
int pg_setup(void **state);
int pg_teardown(void **state);

/* A further vCPU in the same page tables, at the first page's start. */
struct cpu_context *pg_context(struct machine *m, enum cpu_mode mode);

/* Map a page; pages with other frames or rights are seen at the next run. */
void pg_map(struct pv_guest *g, unsigned int page, mfn_t mfn, uint64_t flags);

/* The n bytes at an offset of a page, as the hypervisor writes them. */
void pg_write(struct pv_guest *g, unsigned int page, unsigned int offset, const void *bytes, size_t n);

/* Of one kind, after as many instructions, with the same vector, error code and address. */
bool pg_same_exit(const struct sim_exit *a, const struct sim_exit *b);

/* Run `code` (bytes as a string literal) from the first page's start on pCPU 0, with the registers as they are. */
struct sim_exit pg_exec(struct pv_guest *g, const void *code, size_t n);
#define PG_EXEC(g, literal) pg_exec(g, literal, sizeof(literal) - 1)

#endif
