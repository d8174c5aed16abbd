// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Gantt chart: what it tells apart, what it says about itself, and that its labels leave each other alone.
 */
#include "command.h"

static char *chart(const char *policy, const char *workload, const char *window)
{
    if (window)
        assert_int_equal(
            WORKBENCH("--policy", policy, "--workload", workload, "--svg", path("svg"), "--window", window), 0);
    else
        assert_int_equal(WORKBENCH("--policy", policy, "--workload", workload, "--svg", path("svg")), 0);
    return file_read("svg");
}

static unsigned int count(const char *text, const char *what)
{
    unsigned int n = 0;

    while ((text = strstr(text, what))) {
        text++;
        n++;
    }
    return n;
}

/* Each state as a stretch, with its times. */
static void test_states(void **state)
{
    static const char *const expected[] = {
        "fill=\"url(#d0)\" stroke=\"#fff\" stroke-width=\"0.7\"><title>a.0 on pCPU 0: 10 ms, from 0 ms to 10 ms<",
        "fill=\"url(#waiting)\" stroke=\"#fff\" stroke-width=\"0.7\"><title>waits: 10 ms, from 0 ms to 10 ms<",
        "<title>a.1 on pCPU 0: 10 ms, from 10 ms to 20 ms<",
        "fill=\"#667\" stroke=\"#fff\" stroke-width=\"0.7\"><title>sleeps: 20 ms, from 10 ms to 30 ms<",
        "fill=\"url(#paused)\" stroke=\"#fff\" stroke-width=\"0.7\"><title>paused: 10 ms, from 50 ms to 60 ms<",
        "fill=\"url(#unplugged)\" stroke=\"#fff\" stroke-width=\"0.7\"><title>unplugged: 25 ms, from 15 ms to 40 ms<",
        ">vCPU waits for a pCPU</text>",
        ">sleeps</text>",
        ">paused</text>",
        ">pCPU unplugged</text>",
        ">pCPU idle</text>",
    };
    char *svg;

    file_write("w", "pcpus 2\ntime 100ms\ndomain a vcpus=2 hard=0 : compute 10ms, sleep 20ms\nat 15ms unplug 1\n"
                    "at 40ms plug 1\nat 50ms pause a\nat 60ms unpause a\n");
    svg = chart("rr", path("w"), NULL);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (!strstr(svg, expected[i]))
            fail_msg("no \"%s\"", expected[i]);
    assert_null(strstr(svg, "missed"));
    free(svg);

    /* What does not appear is not explained. */
    svg = chart("rr", path("w"), "0ms..9ms");
    assert_null(strstr(svg, ">paused<"));
    assert_null(strstr(svg, ">pCPU unplugged<"));
    free(svg);
}

/* Who was on a pCPU that is taken away ran there until then. */
static void test_unplugged_under_somebody(void **state)
{
    char *svg;

    file_write("w", "pcpus 2\ntime 40ms\ndomain a hard=1 : compute forever\nat 20ms unplug 1\n");
    svg = chart("null", path("w"), NULL);
    assert_non_null(strstr(svg, "a.0 on pCPU 1: 20 ms, from 0 ms to 20 ms<"));
    free(svg);
}

static void test_missed_deadlines(void **state)
{
    char *svg;

    /* 30 ms of work each 20 ms: deadlines at 20, 40, 60; done at 30, 60 (in time or not?), 90. */
    file_write("w", "time 100ms\ndomain a : compute 30ms, period 20ms\n");
    svg = chart("rr", path("w"), NULL);
    assert_non_null(strstr(svg, "a.0 missed its deadline at 20 ms<"));
    assert_non_null(strstr(svg, "a.0 missed its deadline at 40 ms<"));
    assert_int_equal(count(svg, "missed its deadline"), 3);
    assert_non_null(strstr(svg, ">deadline missed</text>"));
    free(svg);

    /* Without rows for vCPUs they have a row of their own. */
    file_write("w", "time 100ms\ndomain a count=33 : compute 10ms, period 20ms\n");
    svg = chart("rr", path("w"), NULL);
    assert_non_null(strstr(svg, ">missed deadlines</text>"));
    assert_true(count(svg, "missed its deadline") > 0);
    free(svg);
}

/* The title says what can be seen. */
static void test_title(void **state)
{
    char *svg;

    file_write("w", "pcpus 3\nset ratelimit_us 500\nset cpus_per_runqueue 2\ndomain a : compute 1ms, sleep 1ms\n");
    svg = chart("credit,tslice_ms=5", path("w"), "3ms..5ms");
    assert_non_null(strstr(svg, ">SMP Credit Scheduler</text>"));
    assert_non_null(strstr(svg, ">--policy credit,tslice_ms=5, set ratelimit_us=500</text>"));
    assert_non_null(strstr(svg, path("w")));
    assert_non_null(strstr(svg, ": 1 vCPU on 3 pCPUs, virtual time 3 ms to 5 ms</text>"));
    free(svg);
}

/*
 * A whole run is shown in steps of time, a part of it stretch by stretch; in both a whole pCPU is as high as it is
 * busy.
 */
static void test_steps(void **state)
{
    char *svg;

    file_write("w", "time 10s\ndomain a : compute 3ms, sleep 1ms\n");
    svg = chart("rr", path("w"), "0ms..100ms");
    assert_null(strstr(svg, "In steps of"));
    free(svg);
    svg = chart("rr", path("w"), NULL);
    assert_non_null(strstr(svg, ">In steps of 50 ms: "));
    assert_null(strstr(svg, "<title>a.0 on"));
    /* 15 of 20 pixels, or one in 50 ms more or less. */
    assert_true(count(svg, "v-14.8H") + count(svg, "v-15.0H") + count(svg, "v-15.2H") >= 2 * 199);
    free(svg);
}

/* --- labels --- */

struct box {
    double x1, x2, y1, y2;
    char text[64];
};

static double attribute(const char *tag, const char *name, double otherwise)
{
    const char *end = strchr(tag, '>'), *at = strstr(tag, name);

    return at && at < end ? atof(at + strlen(name)) : otherwise;
}

/* Where a text is, at 0.6 em a character. */
static struct box box_of(const char *svg, const char *tag)
{
    const char *text = strchr(tag, '>') + 1, *line = tag, *anchor = strstr(tag, "text-anchor=\"");
    double x = attribute(tag, " x=\"", 0), y = attribute(tag, " y=\"", 0), size = attribute(tag, "font-size=\"", 12);
    double width, dx = 0, dy = 0;
    unsigned int len = 0;
    struct box b;

    while (line > svg && line[-1] != '\n')
        line--;
    if (sscanf(line, "<g transform=\"translate(%lf %lf)", &dx, &dy) == 2) {
        x += dx;
        y += dy;
    }
    snprintf(b.text, sizeof(b.text), "%.*s", (int)strcspn(text, "<"), text);
    for (; *text != '<'; text++, len++)
        if (*text == '&')
            text = strchr(text, ';');
    width = 0.6 * size * len;
    if (anchor && anchor < strchr(tag, '>'))
        x -= anchor[13] == 'm' ? width / 2 : width;
    b.x1 = x;
    b.x2 = x + width;
    b.y1 = y - 0.75 * size;
    b.y2 = y;
    return b;
}

static void check_labels(const char *svg, const char *what)
{
    struct box *box = calloc(100000, sizeof(*box));
    size_t nr = 0;

    assert_non_null(box);
    for (const char *tag = svg; (tag = strstr(tag, "<text ")); tag++) {
        assert_true(nr < 100000);
        box[nr] = box_of(svg, tag);
        if (box[nr].x1 < 0 || box[nr].x2 > 1200)
            fail_msg("%s: \"%s\" leaves the page", what, box[nr].text);
        for (size_t i = 0; i < nr; i++)
            if (box[i].x1 < box[nr].x2 && box[nr].x1 < box[i].x2 && box[i].y1 < box[nr].y2 && box[nr].y1 < box[i].y2)
                fail_msg("%s: \"%s\" meets \"%s\"", what, box[i].text, box[nr].text);
        nr++;
    }
    assert_true(nr > 5);
    free(box);
}

static void test_labels(void **state)
{
    static const char *const workloads[] = {
        "pcpus 16\ntime 10s\ndomain abcdefghijklmnopqrstuvw vcpus=11 : compute 30ms..90ms, sleep 10ms..90ms\n"
        "domain WWWWWWWWWWWWWWWWWWWWWWW vcpus=10 : compute 10us, period 1s\ndomain x : compute forever\n",
        "domain a : compute 1ms\ntime 10s\n",
        "pcpus 5\ntime 10s\nset ratelimit_us 100\nset tslice_ms 1\nset vcpu_migr_delay_us 100000\n"
        "set cpus_per_runqueue 3\nset slice_ms 1000\n"
        "domain a-domain-with-a-name count=200 vcpus=4 : compute 1ms..5ms, period 10ms\n",
        "domain a vcpus=32 : compute 100us..2ms, yield, sleep 0ms..1ms\npcpus 8\ntime 10s\n",
    };
    static const char *const called[] = { "credit,tslice_ms=1,ratelimit_us=1000,vcpu_migr_delay_us=100000,tslice_ms=2",
                                          "credit2", "rtds" };
    static const char *const windows[] = { NULL,          "0ms..10ms",
                                           "9990ms..10s", "0ns..10ns",
                                           "0ns..1ns",    "9999.9ms..9999901us",
                                           "0s..9999s",   "1234567891ns..1234567899ns",
                                           "0ms..4999ms", "7s..9s" };

    for (size_t w = 0; w < ARRAY_SIZE(workloads); w++) {
        file_write("w", workloads[w]);
        for (size_t p = 0; p < ARRAY_SIZE(called); p++) {
            for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
                char *svg = chart(called[p], path("w"), windows[i]), what[80];

                snprintf(what, sizeof(what), "workload %zu, %.20s, %s", w, called[p], windows[i] ? windows[i] : "all");
                check_labels(svg, what);
                free(svg);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_unplugged_under_somebody),
        cmocka_unit_test(test_missed_deadlines),
        cmocka_unit_test(test_title),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_labels),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
