// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The key of a class: what grades are made with, and students do not have.
 *
 * Concept: a file in the syntax of xl.cfg, which a teacher writes:
 *
 *      class  = "cs695"
 *      seeds  = "90210317-90210324"       of steps that nobody has tried before; at most 100
 *      points = [ "1 | 10", "4 | 25" ]    for each lab that is graded
 *      visible = [ "4 | 771-778" ]        seeds that students have, if they are not those of lab.conf
 *      twist  = "a word"                  which chooses the rules of the class: ui/lab/twist.h
 *
 * `xenlab lab export` writes one for a class.
 *
 * A point of a lab is for its properties in equal parts.
 */
#ifndef TOOLS_LAB_KEY_H
#define TOOLS_LAB_KEY_H

#include "tools/lab/lab.h"

#define KEY_SEEDS_MAX 100

struct key {
    char class[64];
    uint64_t seed_from, seed_to;
    unsigned int points[100]; /* by a lab's number; 0: it is not graded */
    struct key_seeds {
        uint64_t from, to; /* to is 0: those of lab.conf */
    } visible[100];
    char twist[64]; /* "": there is none */
};

/* 0, or -1 and why. */
int key_read(struct key *k, const char *path, char err[LAB_ERR_SIZE]);

#endif
