// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `make cpucheck`: the emulated processor beside the host's (see cpucheck.h).
 *
 *      cpucheck [--seed N] [--count CASES] [--seconds N] [--bits 32|64] [--only FAMILY[,FAMILY...]] [--edge]
 *
 *  --edge: every operand lies at the end of a page that no other follows (else: in one case of 16)
 */
#include "tests/cpu/cpucheck.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 256

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned int families_of(char *list)
{
    unsigned int mask = 0;

    for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
        for (unsigned int i = 0; i < NR_FAMILIES; i++)
            if (!strcmp(name, check_family_names[i]))
                mask |= 1u << i;
    return mask;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "count", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 't' },
        { "bits", required_argument, NULL, 'b' },
        { "only", required_argument, NULL, 'o' },
        { "edge", no_argument, NULL, 'e' },
        { NULL, 0, NULL, 0 },
    };
    struct check_run run = { .o.families = (1u << NR_FAMILIES) - 1, .out = stdout };
    uint64_t seed = 1, count = UINT64_MAX;
    double seconds = 60, start;
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': count = strtoull(optarg, NULL, 0); break;
        case 't': seconds = strtod(optarg, NULL); break;
        case 'b': run.o.bits = (unsigned int)strtoul(optarg, NULL, 0); break;
        case 'e': run.o.edge = true; break;
        case 'o': run.o.families = families_of(optarg); break;
        default: return 2;
        }
    }
    check_features_choose(run.o.features, stdout);
    run.native = check_native_create(BATCH);
    run.guest = check_guest_create();
    if (!check_native_has_32(run.native)) {
        printf("this host does not run 32-bit code: 64-bit code only\n");
        run.o.bits = 64;
    }
    if (run.o.bits == 64)
        run.o.families &= ~(1u << FAMILY_BCD);
    if (!run.o.families) {
        printf("none of these instructions can be judged here\n");
        count = 0;
    }
    start = now();
    while (run.ran < count && now() - start < seconds) {
        check_batch(&run, seed, BATCH);
        seed += BATCH;
    }
    printf("%" PRIu64 " cases, %" PRIu64 " instructions, %.0f cases/s, %" PRIu64 " differ\n", run.ran, run.instructions,
           (double)run.ran / (now() - start), run.differed);
    for (unsigned int k = 1; k < NR_KNOWN; k++)
        printf("  known: %-16s in %" PRIu64 " cases\n", check_known_names[k], run.known[k]);
    check_guest_destroy(run.guest);
    check_native_destroy(run.native);
    return run.differed != 0;
}
