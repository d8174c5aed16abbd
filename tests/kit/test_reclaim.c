// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit reclaim: what goes wrong with a policy is named; mistakes in workloads are answered; what the domain touches
 * is what its workload says; figures are those of a reckoning of this test's own, in cases by hand and in random ones.
 * Built with cc, as a student would; without, skipped.
 *
 * Budget: 470 lines, since a kit is one thing to try: its two lists of mistakes are half of it.
 */
#include "tests/kit/fixture.h"
#include "tools/kit/reclaim.h"

/* 256 frames for 512 pages, one after the other, each 1 ms. What takes so many us to read is the number of a fault. */
#define SMALL "memory 2M\nframes 1M\ntime 400ms\nscan 1s\nread 1NNus\nregion a size=2M rate=1000 : loop 2M\n"

static const struct fault faults[] = {
    { 1, 2, "gave page 512 as the victim, and the domain's pages are 0 to 511,@" },
    { 2, 2, "gave page 1 as the victim, which has gone already (it was the victim 1 calls ago),@" },
    { 11, 2, "gave page 18446744073709551615 as the victim, and the domain's pages are 0 to 511,@" },
    { 12, 2, "gave page 258 as the victim, which is the one that is wanted, and not in memory yet,@" },
    { 16, 2, "gave page 511 as the victim, which has never been in memory,@" },
    { 17, 2, "gave page 4294967298 as the victim, and the domain's pages are 0 to 511,@" },
    { 18, 2, "gave page 0 as the victim, which has gone already (it was the victim 2 calls ago),@" },
    { 19, 0, "" },
    { 31, 2, "crashed (Segmentation fault) in scan, call 2, at 256.000 ms" },
    { 30, 2, "crashed (Segmentation fault)@" }, /* malloc() has failed */
};

static const struct fault tables[] = {
    { 23, 1, "exports no `const struct reclaim_ops xenlab_reclaim_ops`" },
    { 25, 1, "xenlab_reclaim_ops has abi 99 and size 40, where 1 and 40 are wanted" },
    { 28, 1, "xenlab_reclaim_ops has no scan" },
    { 29, 1, "xenlab_reclaim_ops has no victim" },
};

/* init 1, scan 2, victims 3, 4 and 5: the 257th page is the first without a frame, at 256 ms. */
static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_reclaim.c", where[] = " in victim, call 5, at 258.000 ms";

    file_write("w", "memory 2M\nframes 1M\ntime 10ms\nregion a size=1M : rest 1s\n");
    if (!faults_can_be_tried("reclaim", source))
        skip();
    faults_told("reclaim", source, SMALL, faults_of_all, FAULTS_IN_CALLS, where, "faults", 400);
    faults_told("reclaim", source, SMALL, faults, ARRAY_SIZE(faults), where, "faults", 400);
    faults_tried("reclaim", source, tables, ARRAY_SIZE(tables), where, "faults", "", 400);
}

/* --- mistakes of the user's --- */

#define HEAD "memory 4M\nframes 2M\n"

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: memory of 0M: 1M to 512M are possible" },
    { "memory 513M\n", "w:1: memory of 513M: 1M to 512M are possible" },
    { "memory 4M\n", "w:1: frames of 0M: 1M to 4M, the domain's memory, are possible" },
    { "memory 4M\nframes 5M\n", "w:2: frames of 5M: 1M to 4M, the domain's memory, are possible" },
    { HEAD, "w:2: there is no region: region NAME" },
    { "memory lots\n", "w:1: memory: \"lots\" is no size such as 512M or 2G" },
    { "scan 10us\n", "w:1: scan: \"10us\" is no time of whole ms, up to 600s" },
    { "time 601s\n", "w:1: time: \"601s\" is no time of whole ms" },
    { "read 0\n", "w:1: read: \"0\" is no time of whole us, up to 1s" },
    { "write 2s\n", "w:1: write: \"2s\" is no time of whole us, up to 1s" },
    { "swap 5M\n", "w:1: \"swap\" is no statement: memory, frames, scan, read, write, time, region and expect are" },
    { "region a size=1M loop 1M\n", "w:1: a region is \"region NAME at=0M size=16M rate=1000 : PROGRAM\"" },
    { "region size=1M : loop 1M\n", "w:1: a region needs a name" },
    { "region a size=1M : loop 1M\nregion a size=1M : loop 1M\n", "w:2: there is a region a already" },
    { "region a length=1M : loop 1M\n", "w:1: a region has at=, size=, rate=, stores= and file, not \"length\"" },
    { "region a files size=1M : loop 1M\n", "w:1: a region has at=, size=, rate=, stores= and file, not \"files\"" },
    { "region a at=1M : loop 1M\n", "w:1: a: which size= has it?" },
    { "region a size=1M rate=0 : loop 1M\n", "w:1: rate: at least 1; a step without accesses is \"rest 1s\"" },
    { "region a size=1M rate=1000001 : loop 1M\n", "w:1: rate: \"1000001\" is no number up to 1000000" },
    { "region a size=1M stores=30 : loop 1M\n", "w:1: stores: \"30\" is none of 0% to 100%" },
    { "region a size=1M stores=101% : loop 1M\n", "w:1: stores: \"101%\" is none of 0% to 100%" },
    { "region a size=1M stores=% : loop 1M\n", "w:1: stores: \"%\" is none of 0% to 100%" },
    { "region a size=1M : walk 1M\n", "w:1: a step is \"loop 4M..8M for 2s\", or with any or zipf; or \"rest 1s\"" },
    { "region a size=1M : loop\n", "w:1: a step is \"loop" },
    { "region a size=1M : rest 1s for 2s\n", "w:1: a step is \"loop" },
    { "region a size=1M : rest 1M\n", "w:1: rest: \"1M\" is no time of whole ms" },
    { "region a size=1M : loop 1M..x\n", "w:1: loop: \"x\" is no size" },
    { "region a size=9M : any 8M..8M\n", "w:1: any: the range ends where it begins, or before" },
    { "region a size=9M : any 0M\n", "w:1: any: the range ends where it begins, or before" },
    { "region a size=1M : zipf 0M..2M\n", "w:1: a: zipf up to 2M, and it has 1M" },
    { "region a size=1M : loop 1M, rest 1s\n", "w:1: only a program's last step may be without a time" },
    { "region a size=1M : loop 1M for 1us\n", "w:1: for: \"1us\" is no time of whole ms" },
    { HEAD "region a at=3M size=2M : loop 1M\n", "w:3: a ends at 5M, and the domain's memory at 4M" },
    { HEAD "time 600s\nregion a size=1M rate=1000000 : loop 1M\n", "w:4: 600000000 accesses in all: at most 16777216" },
    { HEAD "time 600s\nregion a size=1M rate=100000 : loop 1M for 1s, rest 9s, loop 1M\n",
      "w:4: 59100000 accesses in all" }, /* 600 s but for 9 */
    { HEAD "region a size=1M : loop 1M\nexpect ratio == 1 from 1s to 2s\n", "w:4: expect: ratio is of a whole run" },
    { HEAD "region a size=1M : loop 1M\nexpect faults < 2*even\n",
      "w:4: expect: there is no policy \"even\" (reclaim has: clock, random;" },
    { HEAD "region a size=1M : loop 1M\nexpect cold a == 0\n", "w:4: expect: there is no cold of a" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        assert_int_equal(KIT("reclaim", "--policy", "/nowhere.so", "--workload", path("w")), 1);
        assert_true(in_file("err", mistakes[i].says));
    }
    assert_int_equal(KIT("reclaim", "--help"), 0);
    assert_true(in_file("out", "* refaults"));
    assert_int_equal(KIT("reclaimed"), 1);
    assert_true(in_file("err", "did you mean reclaim?"));
}

/* --- what is touched --- */

static struct reclaim *loaded(const char *text, uint64_t seed)
{
    char why[KIT_WHY] = "";
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct reclaim *m = reclaim_load(f, seed, why);

    fclose(f);
    if (!m)
        fail_msg("%s", why);
    return m;
}

static void test_touches(void **state)
{
    struct reclaim *m = loaded("memory 4M\nframes 2M\ntime 30ms\n"
                               "region a at=1M size=2M rate=500 stores=100% : loop 1M..2M for 5ms, rest 5ms\n"
                               "region b at=3M size=1M rate=100 : loop 1M\n",
                               1);
    /* Of a: at 0, 2, 4, 10, 12, 14, 20... ms, from its page 256 on, in each round; of b: at 0, 10, 20 ms. */
    static const struct {
        unsigned int ms, gfn, region;
    } expected[] = { { 0, 512, 0 },  { 0, 768, 1 },  { 2, 513, 0 },  { 4, 514, 0 },  { 10, 512, 0 }, { 10, 769, 1 },
                     { 12, 513, 0 }, { 14, 514, 0 }, { 20, 512, 0 }, { 20, 770, 1 }, { 22, 513, 0 }, { 24, 514, 0 } };
    struct reclaim_cursor c[RECLAIM_MAX_REGIONS] = { 0 }, d[RECLAIM_MAX_REGIONS] = { 0 };
    unsigned int often[256] = { 0 }, stores = 0, nr = 0, top = 0, all = 0, first = 0, second = 1;
    struct reclaim_touch x;

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_true(reclaim_next(m, c, &x));
        assert_int_equal(x.time, expected[i].ms * MILLISECS(1));
        assert_int_equal(x.gfn, expected[i].gfn);
        assert_int_equal(x.region, expected[i].region);
        assert_int_equal(x.store, !x.region);
    }
    assert_false(reclaim_next(m, c, &x));
    reclaim_free(m);

    /* zipf: 1/1 + ... + 1/256 is 6.12, so one page has one of 6.12 accesses, the next half as many. */
    m = loaded("memory 4M\nframes 2M\ntime 100s\nregion a at=2M size=1M rate=1000 stores=25% : zipf 1M\n", 5);
    for (; reclaim_next(m, d, &x); nr++) {
        assert_true(x.gfn >= 512 && x.gfn < 768);
        often[x.gfn - 512]++;
        stores += x.store;
    }
    assert_int_equal(nr, 100000);
    for (unsigned int i = 0; i < 256; i++) {
        top = often[i] > top ? often[i] : top;
        all += often[i] > 0;
        first = often[i] > often[first] ? i : first;
    }
    for (unsigned int i = 0; i < 256; i++)
        second = i != first && (second == first || often[i] > often[second]) ? i : second;
    assert_int_equal((second - first) % 256, 161); /* scattered: 5/8 of 256, and 1 */
    assert_true(top > 15700 && top < 17000);
    assert_int_equal(all, 256);
    assert_true(stores > 24000 && stores < 26000);
    reclaim_free(m);
}

/* --- figures --- */

/*
 * The lowest page is the victim. It aborts if what it is told is not so: what is in memory is what came and has not
 * gone; a page that came since the last scan has its A bit; bits are no others; distance and store are as it has seen.
 */
static const char lowest[] =
    "#include <stdlib.h>\n"
    "#include \"xenlab/kit.h\"\n"
    "#define NEED(x) if (!(x)) abort()\n"
    "static uint8_t there[131072], fresh[131072], dirty[131072];\n"
    "static uint64_t went[131072], victims, told, last, parts, time;\n"
    "static void scan(void *s, const struct reclaim_now *w, const uint64_t *gfn, const uint8_t *ad, size_t n)\n"
    "{ NEED(n && n <= 4096 && w->resident <= w->frames && w->frames <= w->pages && w->now >= time);\n"
    "  NEED(!w->wanted && !w->store && !w->distance);\n"
    "  time = w->now;\n"
    "  for (size_t i = 0; i < n; i++) {\n"
    "      NEED(gfn[i] < w->pages && ad[i] < 4 && (!parts || gfn[i] > last));\n"
    "      NEED(!victims || there[gfn[i]]);\n"
    "      NEED(!fresh[gfn[i]] || ad[i] & RECLAIM_ACCESSED);\n"
    "      NEED(!dirty[gfn[i]] || ad[i] & RECLAIM_DIRTY);\n"
    "      there[gfn[i]] = 1; fresh[gfn[i]] = 0; dirty[gfn[i]] = ad[i] & RECLAIM_DIRTY;\n"
    "      last = gfn[i]; parts++; }\n"
    "  NEED(parts <= w->resident);\n"
    "  if (parts == w->resident) parts = 0; }\n"
    "static uint64_t victim(void *s, const struct reclaim_now *w)\n"
    "{ uint64_t g = 0, n = 0;\n"
    "  NEED(w->resident == w->frames && !there[w->wanted] && !parts && w->now >= time);\n"
    "  NEED(w->distance == (went[w->wanted] ? victims - went[w->wanted] + 1 : 0));\n"
    "  time = w->now;\n"
    "  if (!victims) { for (g = 0; g < w->pages; g++) n += there[g]; NEED(n == w->frames); g = 0; }\n"
    "  while (!there[g]) g++;\n"
    "  there[g] = dirty[g] = fresh[g] = 0; went[g] = ++victims; there[w->wanted] = fresh[w->wanted] = 1;\n"
    "  dirty[w->wanted] = w->store;\n"
    "  return g; }\n"
    "const struct reclaim_ops xenlab_reclaim_ops =\n"
    "    { { XENLAB_KIT_ABI, sizeof(struct reclaim_ops), \"lowest\", 0 }, scan, victim };\n";

struct reckoning {
    uint64_t accesses, faults, refaults, reads, swaps, cold, victims, min;
};

/* The same by another way: an array of what is in memory, and lists of when what has gone. */
static struct reckoning reckon(const struct reclaim *m, uint64_t until)
{
    struct reclaim_cursor c[RECLAIM_MAX_REGIONS] = { 0 };
    const uint64_t pages = m->told.pages, frames = m->told.frames;
    bool *in = calloc(pages, 1), *kept = calloc(pages, 1), *dirty = calloc(pages, 1), *seen = calloc(pages, 1);
    uint64_t *gone = calloc(pages, sizeof(*gone)), resident = 0;
    struct reckoning r = { 0 };
    struct reclaim_touch x;

    for (unsigned int i = 0; i < m->nr_regions; i++)
        for (uint64_t p = 0; p < m->region[i].pages; p++)
            kept[m->region[i].at + p] |= m->region[i].file;
    while (reclaim_next(m, c, &x) && x.time < until) {
        r.accesses++;
        if (!in[x.gfn]) {
            r.faults++;
            r.cold += !seen[x.gfn];
            r.reads += kept[x.gfn];
            if (gone[x.gfn] && r.victims + 1 - gone[x.gfn] <= frames)
                r.refaults++;
            if (resident == frames) {
                uint64_t g = 0;

                while (!in[g])
                    g++;
                in[g] = false;
                resident--;
                gone[g] = ++r.victims;
                r.swaps += dirty[g];
                kept[g] |= dirty[g];
                dirty[g] = false;
            }
            in[x.gfn] = seen[x.gfn] = true;
            resident++;
        }
        dirty[x.gfn] |= x.store;
    }
    free(in), free(kept), free(dirty), free(seen), free(gone);
    return r;
}

/* MIN, as it is defined: of each page that is in memory, look for its next access. */
static uint64_t min_of(const struct reclaim *m)
{
    struct reclaim_cursor c[RECLAIM_MAX_REGIONS] = { 0 };
    uint64_t *string = calloc(RECLAIM_MAX_TOUCHES / 64, sizeof(*string)), *in = calloc(m->told.frames, sizeof(*in));
    uint64_t nr = 0, resident = 0, faults = 0;
    struct reclaim_touch x;

    while (reclaim_next(m, c, &x))
        string[nr++] = x.gfn;
    for (uint64_t i = 0; i < nr; i++) {
        uint64_t at = 0, farthest = 0, victim = 0;

        while (at < resident && in[at] != string[i])
            at++;
        if (at < resident)
            continue;
        faults++;
        for (at = 0; at < resident && resident == m->told.frames; at++) {
            uint64_t next = i + 1;

            while (next < nr && string[next] != in[at])
                next++;
            if (next > farthest) {
                farthest = next;
                victim = at;
            }
        }
        in[resident < m->told.frames ? resident++ : victim] = string[i];
    }
    free(string), free(in);
    return faults;
}

static void lowest_build(void)
{
    file_write("p.c", lowest);
    if (!build(path("p.c"), 0))
        skip();
}

/* By hand: 320 pages in a loop, 256 frames. The lowest goes: 0 for 256, 1 for 257 and so on, to 63 for 319; then 64 for
 * 0, and 0 for 1, which is lowest again, 1 for 2 and so on: after 0 to 63, which all come in, pages 0 to 62 are out. */
static void test_figures(void **state)
{
    lowest_build();
    file_write("w", "memory 2M\nframes 1M\ntime 640ms\nscan 100ms\nread 100us\nwrite 300us\n"
                    "region a size=2M stores=100% : loop 0M..1M for 256ms, loop 1M..2M for 64ms\n");
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("accesses", ""), 640);
    assert_int_equal(figure("cold", ""), 320);
    assert_int_equal(figure("scans", ""), 7); /* and one before the first victim */
    assert_int_equal(figure("victims", ""), figure("faults", "") - 256);
    assert_int_equal(figure("faults", "a"), 320 + 64 + 1); /* 0 to 63, and 64, which went for 0 */
    assert_int_equal(figure("reads", ""), 65);
    assert_int_equal(figure("refaults", ""), 65);
    assert_int_equal(figure("swaps", ""), 129);
    assert_int_equal(1e6 * figure("stalled", "") + 0.5, 45200000); /* 65 * 0.1 + 129 * 0.3 ms */
    assert_true(figure("slowdown", "") > 1.0706 && figure("slowdown", "") < 1.0707);
    assert_int_equal(figure("min", ""), 320 + 64);
    file_write("w", "memory 2M\nframes 2M\ntime 640ms\nregion a size=2M : any 2M\n"); /* there is room for all */
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("faults", ""), figure("cold", ""));
    assert_int_equal(figure("victims", ""), 0);
    assert_int_equal(figure("ratio", ""), 1);
    assert_int_equal(figure("scans", ""), 6);
    file_write("w", "memory 2M\nframes 1M\ntime 1s\nregion a size=2M : rest 1s\n"); /* nothing happens */
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("accesses", ""), 0);
    assert_int_equal(figure("scans", ""), 9);
    assert_int_equal(figure("ratio", ""), 1);
}

/* What a chart shows. 64 pages of 256 are touched once each, in stretches of their own, 8 in each row of 32; there is
 * no scan, and room for all, so nobody is asked. */
static void test_columns(void **state)
{
    struct reclaim *m = loaded("memory 1M\nframes 1M\ntime 64ms\nscan 1s\nregion a size=1M : loop 1M\n", 1);
    struct kit_asked nobody = { .model = &kit_reclaim };

    kit_reclaim.run(m, &nobody);
    for (unsigned int i = 0, page = 0; i < RECLAIM_COLUMNS; i++) {
        const struct reclaim_column *c = &m->column[i];
        const bool any_here = page < 64 && i == page * RECLAIM_COLUMNS / 64;

        for (unsigned int row = 0; row < RECLAIM_ROWS; row++) {
            assert_int_equal(c->touched[row], any_here && row == page / 8);
            assert_int_equal(c->came[row], any_here && row == page / 8);
        }
        assert_int_equal(c->faults, any_here);
        assert_int_equal(c->least, any_here);
        page += any_here;
    }
    assert_int_equal(m->least, 64);
    reclaim_free(m);
}

/* --- random workloads --- */

static unsigned int any(uint64_t *random, uint64_t nr)
{
    return (unsigned int)((*random = workload_stir(*random + 1)) % nr);
}

static const char *random_workload(uint64_t seed)
{
    static const char *const how[] = { "loop", "any", "zipf" };
    static char text[2048];
    uint64_t random = workload_stir(seed);
    size_t n;

    n = (size_t)snprintf(text, sizeof(text), "memory 6M\nframes %uM\ntime 1500ms\nscan %ums\n", any(&random, 3) + 1,
                         any(&random, 400) + 1);
    for (unsigned int i = 0, regions = any(&random, 3) + 1; i < regions; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "region r%u at=%uM size=4M rate=%u stores=%u%% %s: ", i,
                              any(&random, 3), any(&random, 1500) + 1, any(&random, 101),
                              any(&random, 2) ? "file " : "");
        for (unsigned int k = 0, steps = any(&random, 4); k < steps; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %uM..%uM for %ums, rest %ums, ", how[any(&random, 3)],
                                  any(&random, 2), any(&random, 2) + 2, any(&random, 500) + 1, any(&random, 50) + 1);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s 4M\n", how[any(&random, 3)]);
    }
    return text;
}

static void test_random(void **state)
{
    lowest_build();
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const char *text = random_workload(seed);
        struct reclaim *m = loaded(text, seed);
        const struct reckoning r = reckon(m, UINT64_MAX), half = reckon(m, MILLISECS(700));
        char number[16], expected[400];

        snprintf(number, sizeof(number), "%u", (unsigned)seed);
        snprintf(expected, sizeof(expected),
                 "expect faults == %llu from 0s to 700ms\nexpect swaps == %llu from 700ms to 1500ms\n"
                 "expect accesses == %llu from 700ms to 1500ms\n",
                 (unsigned long long)half.faults, (unsigned long long)(r.swaps - half.swaps),
                 (unsigned long long)(r.accesses - half.accesses));
        file_write("w", text);
        file_write("x", expected);
        if (KIT("reclaim", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", number, "--expect",
                path("x")))
            fail_msg("seed %s: %s%s%s", number, text, file_read("out"), file_read("err"));
        assert_int_equal(figure("accesses", ""), r.accesses);
        assert_int_equal(figure("faults", ""), r.faults);
        assert_int_equal(figure("refaults", ""), r.refaults);
        assert_int_equal(figure("reads", ""), r.reads);
        assert_int_equal(figure("swaps", ""), r.swaps);
        assert_int_equal(figure("cold", ""), r.cold);
        assert_int_equal(figure("victims", ""), r.victims);
        assert_int_equal(1000 * figure("stalled", "") + 0.5, 200 * (r.reads + r.swaps));
        assert_int_equal(figure("min", ""), min_of(m));
        assert_true(figure("min", "") >= r.cold && figure("min", "") <= r.faults);
        reclaim_free(m);
    }
}

/* The examples: what they are for, the same twice, another seed otherwise; the chart is there. */
static void test_examples(void **state)
{
    static const char loop[] = "docs/examples/kit/loop.txt", parts[] = "docs/examples/kit/parts.txt";
    double clock, clock_parts;
    char *one, *two;

    if (!build("docs/examples/kit/clock.c", 0))
        skip();
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", loop, "--json"), 0);
    clock = figure("faults", "");
    assert_int_equal(clock, figure("accesses", "")); /* none is there when it is wanted */
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", parts, "--json"), 0);
    clock_parts = figure("faults", "");
    assert_true(build("docs/examples/kit/random.c", 0));
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", loop, "--json"), 0);
    assert_true(figure("faults", "") < clock / 2);
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", parts, "--json", "--svg", path("svg")), 0);
    assert_true(figure("faults", "") > clock_parts * 1.5);
    assert_true(in_file("svg", "16 MiB</text>"));
    one = file_read("out");
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", parts, "--json"), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("reclaim", "--policy", path("p.so"), "--workload", parts, "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_mistakes), cmocka_unit_test(test_touches),
        cmocka_unit_test(test_figures), cmocka_unit_test(test_random),   cmocka_unit_test(test_examples),
        cmocka_unit_test(test_columns),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
