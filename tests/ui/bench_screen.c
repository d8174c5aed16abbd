// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long does the cockpit take? A frame while the machine runs, in each layout at 200x60: at most 4 ms, of which
 * there are up to 30 a second. From a key to the picture, forward and back: at most 50 ms. One JSON object a line.
 *
 *      bench_screen [LINE [ARGUMENTS]]     LINE: commands that lead to where it is measured; arguments of `xenlab tui`
 *
 * If nothing is said, Linux with 256 MiB, 100 million instructions on. Times are of the processor, not of the wall, so
 * other programs disturb less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/ui/cockpit.h"

#define LINUX  "--memory 256 --ramdisk build/assets/initrd --cmdline console=hvc0 build/assets/vmlinuz-cloud"
#define FRAMES 50
#define KEYS   21

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void report(const char *what, const char *of, double ms, unsigned int runs)
{
    printf("{\"name\": \"screen: %s, %s\", \"value\": %.3f, \"unit\": \"ms\", \"runs\": %u}\n", what, of, ms, runs);
}

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

/* As while it runs: what is on the screen is looked at anew, and drawn. */
static void frames(struct cockpit_scene *sc, struct grid *g)
{
    for (unsigned int i = 0; layout_plan_at(i); i++) {
        char line[64];
        double ms[FRAMES];

        snprintf(line, sizeof(line), "layout %s", layout_plan_at(i)->name);
        cockpit_line(&sc->c, line);
        sc->c.running = true;
        for (unsigned int n = 0; n < FRAMES; n++) {
            const double began = milliseconds();

            cockpit_forget(&sc->c);
            cockpit_draw(&sc->c, g);
            ms[n] = milliseconds() - began;
        }
        sc->c.running = false;
        cockpit_forget(&sc->c);
        report("a frame at 200x60", layout_plan_at(i)->name, median(ms, FRAMES), FRAMES);
    }
}

static void keys(struct cockpit_scene *sc, struct grid *g, const char *typed)
{
    cockpit_line(&sc->c, "layout main");
    cockpit_draw(&sc->c, g);
    for (; *typed; typed++) {
        double ms[KEYS];
        char name[16];

        for (unsigned int n = 0; n < KEYS; n++) {
            const double began = milliseconds();

            cockpit_key(&sc->c, *typed);
            cockpit_draw(&sc->c, g);
            ms[n] = milliseconds() - began;
        }
        snprintf(name, sizeof(name), "key %c", *typed);
        report("key to picture", name, median(ms, KEYS), KEYS);
    }
}

int main(int argc, char **argv)
{
    struct cockpit_scene sc;
    struct grid g = { 0 };

    cockpit_scene_of(&sc, argc > 2 ? argv[2] : LINUX, 60, 200);
    cockpit_line(&sc.c, argc > 1 ? argv[1] : "goto #100000000");
    frames(&sc, &g);
    keys(&sc, &g, "sStThH");
    grid_free(&g);
    cockpit_scene_end(&sc);
    return 0;
}
