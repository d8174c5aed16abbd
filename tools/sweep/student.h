// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How sure a mean is: confidence intervals by Student's t.
 *
 * Concept: n runs with n seeds are n independent draws. Their mean is within t * s / sqrt(n) of what a mean of all
 * seeds would be, in 95 of 100 such sweeps; s is the draws' standard deviation (with n - 1), and t what Student's
 * distribution with n - 1 degrees of freedom says: 12.71 for two draws, 2.26 for ten, 1.98 for a hundred. That is exact
 * for normal draws, and near enough for others if there are many ("Student", "The probable error of a mean", Biometrika
 * 6, 1908; A. Law, "Simulation Modeling and Analysis", section 4.5).
 */
#ifndef TOOLS_SWEEP_STUDENT_H
#define TOOLS_SWEEP_STUDENT_H

#include <stddef.h>

/* The t that |T| is not above with this probability (0 to 1, both apart), T of so many degrees of freedom (from 1). */
double student_t(double probability, unsigned long degrees);

/* Of n values; ci95: half of the interval, not a number where n is less than 2, as is sd; all of them where n is 0. */
struct student {
    size_t n;
    double mean, sd, ci95, least, most;
};
struct student student_of(const double *x, size_t n);

#endif
