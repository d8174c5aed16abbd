// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The survey as a program (see survey.h): `make survey`.
 *
 * Exit status: 0 when nothing was found, 1 when something was, 2 when it could not be carried out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cpu/survey.h"

static const char usage[] =
    "survey [WAY[/N]...] [--workers N] [--sample N]    every case, or one in N\n"
    "survey --case MODE HEX                            one case in all ways; MODE: 64 32 ring1 kernel64 user32\n"
    "  single      on a bare processor            page        a page full of it there\n"
    "  whole       in a domain                    whole-page  a page full of it in a domain\n"
    "  host        the survey's own table, held against the processor that this runs on\n"
    "without WAY: single page host whole/8 whole-page/64\n";

static int one_case(const char *mode, const char *hex)
{
    struct survey_fast *fast = survey_fast_create(survey_announced());
    struct survey_whole *whole = survey_whole_create();
    char why[SURVEY_WHY], name[64];
    struct survey_case c;
    bool ok = true;

    if (!survey_case_parse(&c, mode, hex)) {
        fputs(usage, stderr);
        return 2;
    }
    survey_case_name(&c, name, sizeof(name));
    for (enum survey_way way = 0; way < SURVEY_HOST; way++) {
        bool good;

        if (way <= SURVEY_PAGE && c.mode > SURVEY_RING1)
            continue;
        strcpy(why, "fine");
        good = way == SURVEY_SINGLE ? survey_single(fast, &c, why)
               : way == SURVEY_PAGE ? survey_page(fast, &c, why)
                                    : survey_whole(whole, &c, way == SURVEY_WHOLE_PAGE, why);
        printf("%-10s %s: %s\n", survey_way_name(way), name, good ? "fine" : why);
        fflush(stdout);
        ok &= good;
    }
    if (!survey_canary(fast, why)) {
        puts(why);
        ok = false;
    }
    survey_whole_destroy(whole);
    survey_fast_destroy(fast);
    return !ok;
}

static void report(const struct survey_result *r)
{
    uint64_t tried = 0;

    for (unsigned int i = 0; i < r->nr_findings; i++) {
        const struct survey_finding *f = &r->finding[i];
        char name[64];

        survey_case_name(&f->first, name, sizeof(name));
        printf("%-10s %-8s %02x  %6lu x  %s: %s\n", survey_way_name(f->way), survey_map_name(f->first.map),
               f->first.opcode, (unsigned long)f->count, name, f->why);
    }
    for (enum survey_way way = 0; way < SURVEY_NR_WAYS; way++) {
        tried += r->tried[way];
        if (r->tried[way])
            printf("%s: %lu cases\n", survey_way_name(way), (unsigned long)r->tried[way]);
    }
    if (r->tried[SURVEY_SINGLE])
        printf("%lu of the single cases are #UD\n", (unsigned long)r->invalid);
    printf("survey: %lu cases tried, %u kinds of findings%s\n", (unsigned long)tried, r->nr_findings,
           r->complete ? "" : "; NOT COMPLETE");
}

static bool read_way(struct survey_plan *plan, const char *arg)
{
    const size_t n = strcspn(arg, "/");

    for (enum survey_way way = 0; way < SURVEY_NR_WAYS; way++) {
        if (strlen(survey_way_name(way)) != n || strncmp(survey_way_name(way), arg, n))
            continue;
        plan->ways |= 1u << way;
        if (arg[n])
            plan->every[way] = (unsigned int)strtoul(arg + n + 1, NULL, 10);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct survey_plan plan = { .workers = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), .seconds = 20 };
    struct survey_result *r;
    int status;

    if (argc == 4 && !strcmp(argv[1], "--case"))
        return one_case(argv[2], argv[3]);
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && !strcmp(argv[i], "--workers")) {
            plan.workers = (unsigned int)strtoul(argv[++i], NULL, 10);
        } else if (i + 1 < argc && !strcmp(argv[i], "--sample")) {
            for (unsigned int w = 0, n = (unsigned int)strtoul(argv[++i], NULL, 10); w < SURVEY_NR_WAYS; w++)
                plan.every[w] = n;
        } else if (!read_way(&plan, argv[i])) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!plan.ways) {
        plan.ways = (1u << SURVEY_NR_WAYS) - 1;
        plan.every[SURVEY_WHOLE] = plan.every[SURVEY_WHOLE] ?: 8;
        plan.every[SURVEY_WHOLE_PAGE] = plan.every[SURVEY_WHOLE_PAGE] ?: 64;
    }
    if (!plan.workers || plan.workers > 64)
        plan.workers = 2;
    r = survey_run(&plan);
    report(r);
    status = !r->complete ? 2 : r->nr_findings > 0;
    survey_result_free(r);
    return status;
}
