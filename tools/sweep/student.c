// SPDX-License-Identifier: GPL-2.0-or-later
/* Student's t: the idea is in tools/sweep/student.h. */
#include "tools/sweep/student.h"

#include <math.h>

/*
 * The probability that |T| is at most t: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions" (1964),
 * 26.7.3 for odd degrees of freedom, 26.7.4 for even ones: finite sums, with tan(angle) = t / sqrt(degrees).
 */
static double within(double t, unsigned long degrees)
{
    const double angle = atan(t / sqrt((double)degrees)), square = cos(angle) * cos(angle);
    double term = degrees % 2 ? cos(angle) : 1, sum = degrees == 1 ? 0 : term;

    for (unsigned long i = degrees % 2 ? 3 : 2; i + 2 <= degrees; i += 2) {
        term *= square * (double)(i - 1) / (double)i;
        sum += term;
    }
    return degrees % 2 ? 2 / M_PI * (angle + sin(angle) * sum) : sin(angle) * sum;
}

double student_t(double probability, unsigned long degrees)
{
    double low = 0, high = 1;

    while (within(high, degrees) < probability && high < 1e9)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        const double middle = (low + high) / 2;

        *(within(middle, degrees) < probability ? &low : &high) = middle;
    }
    return high;
}

struct student student_of(const double *x, size_t n)
{
    struct student s = { .n = n, .mean = NAN, .sd = NAN, .ci95 = NAN, .least = NAN, .most = NAN };
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        s.least = fmin(s.least, x[i]); /* of a number and none, the number */
        s.most = fmax(s.most, x[i]);
    }
    if (n)
        s.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - s.mean) * (x[i] - s.mean);
    if (n > 1) {
        s.sd = sqrt(squares / (double)(n - 1));
        s.ci95 = student_t(0.95, n - 1) * s.sd / sqrt((double)n);
    }
    return s;
}
