// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a file is one of xentrace, and of the trace that it was made from: by its structure, and by what xenalyze,
 * Xen's own reader, says of it.
 */
#ifndef TESTS_UI_XENTRACE_H
#define TESTS_UI_XENTRACE_H

#include <xen/trace.h>

#define XENALYZE   "build/assets/xenalyze"
#define XT_DOMAINS 256
#define XT_SAID    "build/test_export.said"

/* Of each domain. */
struct xt_counts {
    unsigned long hypercalls, subcalls, traps, faults, runs; /* subcalls: in multicalls, also among hypercalls */
    double ran;                                              /* cycles, of all runs that have ended */
    unsigned long last;                                      /* runs that have not: xenalyze ends them with the file */
};

/* --- the structure --- */

static uint32_t xt_word(FILE *in)
{
    uint32_t word;

    assert_int_equal(fread(&word, sizeof(word), 1, in), 1);
    return word;
}

/* Runs without length, which xenalyze does not count, of each domain; and when each vCPU's last one began. */
static unsigned long xt_empty[XT_DOMAINS];
static uint64_t xt_began[XT_DOMAINS][256];

static void xt_runstate(uint32_t event, uint32_t who, uint64_t cycles)
{
    const uint32_t dom = who >> 16, vcpu = who & 255;

    if (dom >= XT_DOMAINS)
        return;
    if (!(event >> 4 & 3)) /* new: running */
        xt_began[dom][vcpu] = cycles;
    else if (!(event >> 8 & 3)) /* old */
        xt_empty[dom] += xt_began[dom][vcpu] == cycles;
}

/* A record of a window; its length in bytes. */
static uint32_t xt_record(FILE *in, uint64_t *last, unsigned long *nr)
{
    const uint32_t head = xt_word(in), words = TRC_HD_EXTRA(head), event = TRC_HD_TO_EVENT(head);
    uint32_t first = 0;
    uint64_t cycles;

    assert_true(TRC_HD_INCLUDES_CYCLE_COUNT(head));
    cycles = xt_word(in);
    cycles |= (uint64_t)xt_word(in) << 32;
    assert_true(cycles > 0 && cycles >= *last);
    *last = cycles;
    for (uint32_t i = 0; i < words; i++) {
        const uint32_t word = xt_word(in);

        first = i ? first : word;
    }
    if ((event & ~0xff0u) == TRC_SCHED_RUNSTATE_CHANGE)
        xt_runstate(event, first, cycles);
    *nr += event == TRC_PV_HYPERCALL_V2 || event == TRC_PV_HYPERCALL_SUBCALL;
    return 12 + 4 * words;
}

/* The windows are all of it. Returns the number of hypercalls. */
static unsigned long xt_check(const char *path)
{
    FILE *in = fopen(path, "r");
    uint64_t last[MACHINE_MAX_PCPUS] = { 0 };
    unsigned long nr = 0;
    uint32_t head;

    assert_non_null(in);
    memset(xt_empty, 0, sizeof(xt_empty));
    while (fread(&head, sizeof(head), 1, in)) {
        uint32_t pcpu, size;

        assert_int_equal(head, TRC_TRACE_CPU_CHANGE | 2u << TRACE_EXTRA_SHIFT);
        pcpu = xt_word(in);
        size = xt_word(in);
        assert_true(pcpu < MACHINE_MAX_PCPUS && size > 0);
        for (uint32_t at = 0; at < size;) {
            at += xt_record(in, &last[pcpu], &nr);
            assert_true(at <= size);
        }
    }
    fclose(in);
    return nr;
}

/* --- what the trace has --- */

static long xt_field(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    return at ? atol(at + strlen(key)) : -1;
}

static void xt_count_line(const char *line, struct xt_counts *c, double since[256])
{
    const double t = (double)xt_field(line, "\"t\":");
    const long vcpu = xt_field(line, "\"vcpu\":");

    if (strstr(line, "\"event\":\"hypercall\",")) {
        c->hypercalls++;
        c->subcalls += strstr(line, "\"via\":\"multicall\"") != NULL;
    }
    if (strstr(line, "\"event\":\"trap\",")) {
        c->faults += xt_field(line, "\"vector\":") == 14;
        c->traps += xt_field(line, "\"vector\":") != 14;
    }
    if (!strstr(line, "\"event\":\"runstate\","))
        return;
    c->last += strstr(line, "\"new\":\"running\"") != NULL;
    if (strstr(line, "\"old\":\"running\"")) {
        c->last--;
        c->runs++;
        c->ran += t - since[vcpu & 255];
    }
    since[vcpu & 255] = t;
}

static void xt_count(const char *trace, struct xt_counts counts[XT_DOMAINS])
{
    static char line[1 << 16];
    static double since[XT_DOMAINS][256];
    FILE *in = fopen(trace, "r");

    assert_non_null(in);
    memset(since, 0, sizeof(since));
    memset(counts, 0, XT_DOMAINS * sizeof(*counts));
    while (fgets(line, sizeof(line), in)) {
        const long dom = xt_field(line, "\"dom\":");

        if (dom >= 0 && dom < XT_DOMAINS && strncmp(strstr(line, "\"dom\":"), "\"dom\":null", 10))
            xt_count_line(line, &counts[dom], since[dom]);
    }
    fclose(in);
}

/* --- what xenalyze says --- */

/* A line of the summary, of a vCPU of this domain. */
static void xt_read_line(const char *line, struct xt_counts *c)
{
    unsigned long n;
    double seconds, average;

    if (sscanf(line, "   running: %lu %lfs %lf", &n, &seconds, &average) == 3) {
        c->runs += n;
        c->ran += (double)n * average;
    } else if (sscanf(line, "  hypercall %lu", &n) == 1) {
        c->hypercalls += n;
    } else if (sscanf(line, "  hypercall (subcall) %lu", &n) == 1) {
        c->subcalls += n;
    } else if (sscanf(line, "  trap %lu", &n) == 1) {
        c->traps += n;
    } else if (sscanf(line, "  page_fault %lu", &n) == 1) {
        c->faults += n;
    }
}

static void xt_read(struct xt_counts said[XT_DOMAINS])
{
    static const char *const complaints[] = { "Strange", "FATAL",      "WARNING", "skew",
                                              "ERROR",   "unexpected", "wrong",   "hole" };
    struct xt_counts *c = &said[0], others;
    char line[1024];
    FILE *in = fopen(XT_SAID, "r");
    long dom;

    memset(said, 0, XT_DOMAINS * sizeof(*said));
    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        for (size_t i = 0; i < ARRAY_SIZE(complaints); i++)
            if (strstr(line, complaints[i]))
                fail_msg("xenalyze: %s", line);
        if (sscanf(line, "|-- Domain %ld", &dom) == 1)
            c = dom < XT_DOMAINS ? &said[dom] : &others;
        xt_read_line(line, c);
    }
    fclose(in);
    unlink(XT_SAID);
}

/* It reads the file without a complaint, and counts what is in the trace; that is of whole runs. */
static void xt_compare(const char *path, const char *trace, bool is_exact)
{
    static struct xt_counts mine[XT_DOMAINS], said[XT_DOMAINS];
    char command[512];

    snprintf(command, sizeof(command), XENALYZE " --cpu-hz 1G -s --tolerance=0 '%s' > " XT_SAID " 2>&1", path);
    assert_int_equal(system(command), 0);
    xt_read(said);
    xt_count(trace, mine);
    for (int i = 0; i < XT_DOMAINS; i++) {
        if (mine[i].hypercalls != said[i].hypercalls || mine[i].subcalls != said[i].subcalls ||
            mine[i].traps != said[i].traps || mine[i].faults != said[i].faults ||
            said[i].runs > mine[i].runs + mine[i].last || said[i].runs + xt_empty[i] < mine[i].runs)
            fail_msg("%s: d%d: hypercalls %lu/%lu, in multicalls %lu/%lu traps %lu/%lu faults %lu/%lu runs %lu+%lu/%lu",
                     trace, i, mine[i].hypercalls, said[i].hypercalls, mine[i].subcalls, said[i].subcalls,
                     mine[i].traps, said[i].traps, mine[i].faults, said[i].faults, mine[i].runs, mine[i].last,
                     said[i].runs);
        /* It says averages, without what is behind the point, of each vCPU. */
        if (is_exact && !mine[i].last &&
            (said[i].ran > mine[i].ran || said[i].ran + (double)mine[i].runs < mine[i].ran))
            fail_msg("%s: d%d ran %.0f/%.0f ns", trace, i, mine[i].ran, said[i].ran);
    }
}

#endif
