// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lab: a folder labs/NN-NAME, and what its lab.conf says.
 *
 * Concept: one way to judge all labs, and one file a lab that says what it is made of. lab.conf has the syntax of
 * xl.cfg.
 *
 *      title      = "Trap and emulate"
 *      hours      = 4
 *      form       = "H"                     what the student writes: tools/lab/form.h; a hypervisor's file, of which
 *      file       = "vcpu/pv/emulate.c"         this is the whole; files = [ "...", "..." ] where it is more than one
 *      bodies     = [ "emulate_kernel | return false;" ]        what is taken out of them, and what stands there instead
 *      properties = [ "rip | RIP moves exactly when it was carried out | vcpu/pv/emulate.c: invariant" ]
 *      budgets    = [ "validations | 1.5" ]     of counts: how many times the golden run's
 *      replay     = 1                           form H: what is run with the student's code in it writes a log of what
 *                                               that does, which the golden program replays and reports of
 *                                           form P: none; its properties are those of the file workloads: form_p.c
 *      kit        = "memctl"                form P: the kit (docs/kits.md) that asks the file; without: the workbench
 *      needs      = [ "3" ]                 labs without whose files its check, or xenlab under it, does not work
 *      beside     = "build/guests/idle"         form G: another guest in the same machine; need not be there
 *      questions  = [ "time | run build/guests/timer | take ^I took ([0-9]+) ms" ]      form Q, as the properties: what
 *                                               answers it: a run, and what to look for in what it prints: the group
 *                                               of the first match (take) or the last one (last), how many lines match
 *                                               (count), yes or no (whether)
 *      seeds      = "1-8"                   those that `check` uses; not in form Q: they are its questions
 *
 * Beside it: lab.md, the text; hints/1 to 3; check/, the program whose reports are compared (tools/lab/facts.h).
 */
#ifndef TOOLS_LAB_LAB_H
#define TOOLS_LAB_LAB_H

#include "tools/lab/starter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LAB_ERR_SIZE       320
#define LAB_PROPERTIES_MAX 32
#define LAB_BODIES_MAX     16
#define LAB_FILES_MAX      4
#define LAB_NEEDS_MAX      16
#define LAB_SEEDS_MAX      1000

struct lab_property {
    const char *name, *what, *where; /* where: the invariant and its file */
    double factor;                   /* of a count; 0: it is none */
};

struct lab_question {
    const char *name, *run, *how;
};

struct lab {
    unsigned int number;               /* 0 to 99 */
    char *path, *name;                 /* the folder; "01-trap-and-emulate" */
    const char *title, *form, *beside; /* beside: or NULL */
    const char *kit;                   /* or NULL */
    const char *file[LAB_FILES_MAX];   /* no two have the same last part */
    unsigned int nr_files;
    unsigned int hours;
    bool replay;
    bool needs[100]; /* by number */
    struct lab_property property[LAB_PROPERTIES_MAX];
    unsigned int nr_properties;
    struct lab_question question[LAB_PROPERTIES_MAX]; /* form Q: of property[i] */
    unsigned int nr_questions;
    struct starter_body body[LAB_BODIES_MAX];
    unsigned int nr_bodies;
    uint64_t seed_from, seed_to;
    char *text[6 * LAB_PROPERTIES_MAX + 2 * LAB_BODIES_MAX + LAB_FILES_MAX + LAB_NEEDS_MAX +
               10]; /* what the strings above are in */
    unsigned int nr_texts;
};

/* Read labs/NN-NAME at path. 0, or -1 and why; lab_free() in any case. */
int lab_read(struct lab *l, const char *path, char err[LAB_ERR_SIZE]);
void lab_free(struct lab *l);
const struct lab_property *lab_property(const struct lab *l, const char *name);
/* The last part of the name of its file i. */
static inline const char *lab_file_of(const struct lab *l, unsigned int i)
{
    const char *slash = strrchr(l->file[i], '/');

    return slash ? slash + 1 : l->file[i];
}
/* For facts_differ(). */
double lab_factor(const void *lab, const char *name);
/* "8", "1-8". False: it is neither, or more than LAB_SEEDS_MAX. */
bool lab_seeds(const char *text, uint64_t *from, uint64_t *to);

/* All labs below a folder, by number; *nr of them. NULL, and why. labs_free() releases them. */
struct lab *labs_read(const char *folder, unsigned int *nr, char err[LAB_ERR_SIZE]);
void labs_free(struct lab *labs, unsigned int nr);

#endif
