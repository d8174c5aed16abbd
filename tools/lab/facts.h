// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a run of a lab's checks reports, and where it leaves the golden run.
 *
 * Concept: the program that runs student code judges nothing. It carries out steps, and says of each what came of it;
 * the same program with xenlab's own code in place of the student's says what should have. The judge, a process of its
 * own, compares line by line: the first line that is another is where the student's code went wrong, and names the
 * property that it broke. What comes after it follows from it, and is not looked at
 * (but in form P, whose steps stand alone: form.h).
 *
 *      step 3 CLI in the kernel, IOPL 0        what is done; no promise of the code's
 *      fact rip moved by 1                     of property "rip": what came of it, compared to the letter
 *      count exits 17                          of property "exits": at most a multiple of the golden run's
 *      end                                     it came to its end
 *
 * Invariants: the text may be anybody's. A line is printable ASCII of at most FACTS_LINE characters, the names in it
 * are of letters, digits, - and _, and no more than FACTS_MAX lines are kept; what is else is told with its number, and
 * nothing behind it is believed.
 */
#ifndef TOOLS_LAB_FACTS_H
#define TOOLS_LAB_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_LINE 240
#define FACTS_MAX  200000
#define FACTS_NAME 32

enum fact_kind { FACT_STEP, FACT_FACT, FACT_COUNT, FACT_END };

struct fact {
    enum fact_kind kind;
    char name[FACTS_NAME]; /* of the property; "" of steps and the end */
    uint64_t number;       /* of the step, or how many */
    const char *text;      /* what is said behind that; "" where nothing is */
};

struct facts {
    struct fact *fact;
    size_t nr;
    char *owned;     /* what the texts point into */
    char wrong[120]; /* "line 3 says neither...": what was no report; "" if all of it was */
};

/* Read what was printed, `len` bytes. False: no memory. facts_free() in any case. */
bool facts_read(struct facts *f, const char *text, size_t len);
void facts_free(struct facts *f);
/* It is whole: nothing was wrong, and the last line is `end`. */
bool facts_ended(const struct facts *f);
size_t facts_steps(const struct facts *f);

/*
 * Where `got` leaves `golden`. `factor` says of a counted property how many times the golden count is allowed (< 1: it
 * is not counted: any count will do).
 */
struct divergence {
    size_t at;              /* the line of both, from 0 */
    char name[FACTS_NAME];  /* the property that the golden line is of */
    const char *step;       /* the text of the last step before it, or NULL: there was none */
    const char *expected;   /* the golden line's text */
    const char *got;        /* the other's; NULL: it had no more to say */
    uint64_t limit, number; /* of a count, then expected is NULL */
    bool forged;            /* got says other steps than it was given */
};
/* False: it leaves it nowhere. */
bool facts_differ(const struct facts *golden, const struct facts *got,
                  double (*factor)(const void *lab, const char *name), const void *lab, struct divergence *d);

#endif
