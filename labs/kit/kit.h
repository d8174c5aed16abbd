// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the programs that check labs are made of.
 *
 * Concept: such a program carries out steps on code that a student may have written, and reports what came of each
 * (tools/lab/facts.h). It judges nothing: the same program with xenlab's own code is what it is compared with. So what
 * it does must follow from the seed alone, and a step must be as it is whether or not the steps before it were done:
 * each draws from its own number, by kit_random(), and chooses nothing by what an earlier one answered.
 *
 *     int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ 300, begin, step, end }); }
 */
#ifndef LABS_KIT_KIT_H
#define LABS_KIT_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kit_steps {
    unsigned int nr;
    void *(*begin)(void);                        /* what the steps are done with */
    void (*step)(void *data, unsigned int step); /* says what it is by kit_step(), does it, reports */
    void (*end)(void *data);                     /* counts, and what is to hold at the end */
};

/*
 * --seed N [--keep I,J,...]: those steps alone; --log yes, --replay 3: interleave.h; --debugger yes: stores.h. The exit
 * status.
 */
int kit_main(int argc, char **argv, const struct kit_steps *s);
/*
 * The same in a guest (guests/rt), whose command line says seed=N keep=I,J,...: what guest_main() returns. At most
 * KIT_GUEST_STEPS, or their numbers do not fit there. It prints reports with "lab: " in front of each line.
 */
#define KIT_GUEST_STEPS 150
int kit_guest(const struct kit_steps *s);

/* Below n: from seed and step, and how many were drawn in it. */
uint64_t kit_random(uint64_t n);
/* Called by kit_main() and kit_guest(): what is drawn from here on. Steps count from 1 here. */
void kit_draw_from(uint64_t seed, uint64_t step);
void kit_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void kit_fact(const char *property, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kit_count(const char *property, uint64_t n);
/* From here to the first step it is the code that is checked for which something cannot be: kit_die() is a fact. */
void kit_setup(const char *property);
/* The lab's own error: nothing can be said of the code. */
_Noreturn void kit_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- scene.c: a machine without processors, the hypervisor, dom0, and one PV guest, nothing but its memory --- */

struct kit_scene {
    struct machine *m;
    struct xen *xen;
    struct native_kernel *dom0;
    struct xc_handle *xc; /* dom0's */
    struct domain *d;     /* the guest */
    struct vcpu *v;
    uint64_t scratch; /* a guest address with room for 2 KiB, below its stack */
};
struct kit_scene *kit_scene(void);
/* The same without a guest: d and v are NULL. */
struct kit_scene *kit_scene_empty(void);
/* Another PV guest, of 32 bits if narrow, without a place of its own in the scene. */
struct vcpu *kit_scene_guest(struct kit_scene *k, bool narrow);
void kit_scene_end(struct kit_scene *k);

/* --- scene_hvm.c: an HVM guest in place of the PV one --- */

/* With nested paging, or shadow page tables; memory from guest-physical address 0 on, its vCPU in no mode yet. */
struct kit_scene *kit_scene_hvm(bool hap, unsigned int pages);

#endif
