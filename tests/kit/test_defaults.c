// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts of all kits. Which figures may have a window of time is a list. What a workload does not say is as docs/kits.md
 * has it: with all defaults written out, the run is the same. (It could
 * pass wrongly if a statement came to nothing: those are tried, one by one, where each kit's figures are.) */
#include "tests/kit/fixture.h"

static const struct {
    const char *kit, *policy, *brief, *whole;
} kinds[] = {
    { "memctl", "even",
      "memory 1G\nvm a memory=512M : use 100M..500M for 5s, use 450M\nvm b memory=256M max=768M : use 300M..700M\n",
      "memory 1G\nreserve 0M\nrate 64M\nswap 32M\ntime 60s\n"
      "vm a memory=512M floor=0M max=512M : use 100M..500M for 5s, use 450M\n"
      "vm b memory=256M floor=0M max=768M : use 300M..700M\n" },
    { "precopy", "rounds", "memory 32M\nregion a at=0M size=8M : write 3000\n",
      "memory 32M\nlink 32M\nlook 1ms\ntime 60s\nregion a at=0M size=8M : write 3000\n" },
    { "balance", "steady", "pcpus 2\nvm a pcpu=0 : load 90%\nvm b vcpus=3 pcpu=0 : load 20%..40%\n",
      "pcpus 2\nnodes 1\ntick 100ms\ncold 500us\nfar 2ms\nremote 0%\ntime 30s\n"
      "vm a vcpus=1 pcpu=0 every=10ms : load 90%\nvm b vcpus=3 pcpu=0 every=10ms : load 20%..40%\n" },
    { "reclaim", "clock", "memory 4M\nframes 2M\nregion a at=0M size=4M : any 4M\n",
      "memory 4M\nframes 2M\nscan 100ms\nread 200us\nwrite 200us\ntime 10s\nregion a at=0M size=4M rate=1000 stores=0% "
      ": any 0M..4M\n" },
    { "ring", "event", "ring a : put 1..40 every 1ms\norders o : put 1\n",
      "cost 1us\nlatency 5us\nwake 2us\ntake 500ns\nstep 50ns\npatience 10ms\ntime 100ms\n"
      "ring a slots=32 index=0 : put 1..40 every 1ms\norders o slots=32 index=0 : put 1\n" },
    { "shadow", "oos", "guest a : rest for 10ms, work for 3ms, fork every 1ms\n",
      "frames 64\noos 3\nfault 1us\nemulate 2us\ncompare 2ns\nmake 1us\ndrop 500ns\ntime 20ms\n"
      "guest a processes=2 tables=4 set=100 touch=2us : rest for 10ms, work for 3ms, fork every 1ms\n" },
    { "tlbflush", "stamps", "domain a : touch 20000 recycle 2000 revoke 500\ndomain b vcpus=9 : touch 9000\n",
      "pcpus 4\ntlb 64\nswitch flush\nheap newest\nspare 16\nclock 1 bits 32\nslice 1ms\nflush 1us\nipi 2us\n"
      "walk 100ns\ntime 100ms\ndomain a vcpus=1 pages=64 : touch 20000 recycle 2000 revoke 500\n"
      "domain b vcpus=9 pages=64 : touch 9000\n" },
    { "evtchn", "twolevel", "port a : every 1us..4us\nport b : orders\norders o : a, b\n",
      "time 100us\nswitches 2\nport a priority=7 mask=0% : every 1us..4us\nport b priority=7 mask=0% : orders\n"
      "orders o : a, b\n" },
};

static void test_defaults(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char *one, *two;

        file_write("w", kinds[i].brief);
        assert_int_equal(KIT(kinds[i].kit, "--policy", kinds[i].policy, "--workload", path("w"), "--json"), 0);
        one = file_read("out");
        file_write("w", kinds[i].whole);
        assert_int_equal(KIT(kinds[i].kit, "--policy", kinds[i].policy, "--workload", path("w"), "--json"), 0);
        two = file_read("out");
        assert_string_equal(one, two);
        free(one);
        free(two);
    }
}

/* A window of time is for what adds up in it, for means, and for what is at its end: others are of a whole run. */
static void test_windows(void **state)
{
    static const struct {
        const char *kit, *may, *not ;
    } figures[] = {
        { "memctl", "faults swaps lacking below oscillations unused moved drained free ", "settled least " },
        { "precopy", "stores sent last done rounds resent vain looks ", "left downtime total lost " },
        { "balance", "work jobs waited migrations far lost idle imbalance ", "p99 worst settled " },
        { "reclaim", "accesses faults refaults reads swaps stalled cold victims scans ", "slowdown min ratio " },
        { "ring", "requests notifications spurious lost spent dropped asked ",
          "ratio p99 worst throughput orders first " },
        { "shadow",
          "accesses stores faults emulated outs resyncs compared unshadows refills made evicted overhead memory stale ",
          "slowdown most " },
        { "tlbflush", "uses fills taken stale asked flushes wasted ipis left switches wraps wrapflushes spent ", "" },
        { "evtchn", "sends delivered lost spurious reordered inversions upcalls touches ",
          "latency worst schedules first " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        char may[400] = "", not [400] = "", *text, *save = NULL, *line;

        assert_int_equal(KIT(figures[i].kit, "--help"), 0);
        text = file_read("out");
        line = strstr(text, "Figures (*");
        assert_non_null(line);
        line = strtok_r(strchr(line, '\n'), "\n", &save);
        for (; line && strncmp(line, "Policies", 8); line = strtok_r(NULL, "\n", &save)) {
            char *to = line[0] == '*' ? may : not ;

            snprintf(to + strlen(to), 400 - strlen(to), "%.*s ", (int)strcspn(line + 2, " "), line + 2);
        }
        assert_string_equal(may, figures[i].may);
        assert_string_equal(not, figures[i].not );
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_defaults), cmocka_unit_test(test_windows) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
