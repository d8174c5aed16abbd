// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab trace export: records made up at random, runs of guests, and damaged files.
 *
 * Of random records all that holds for any trace must hold: read back they print as they did, and what is made of them
 * keeps the rules of those who read it. With arguments, `build/tests/ui/test_export FILE...`, the same is asked of the
 * traces in these files.
 *
 * Budget: all formats have the same traces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/ui/perfetto.h"
#include "tests/ui/picture.h"
#include "tests/ui/xentrace.h"
#include "ui/cmd_debug.h"
#include "ui/cmd_run.h"
#include "ui/cmd_trace.h"
#include "ui/export/export.h"
#include "ui/export/trace_read.h"
#include "ui/trace_file.h"

#define SAMPLE 4000 /* random records a round */
#define ROUNDS 5
#define DAMAGE 3000 /* damaged traces */
#define DIR    "build/test_export."

static const char header[] = "{\"v\":1,\"guests\":[{\"name\":\"one\"},{\"name\":\"t<w&o\\u0001\\\"\"}]}\n";

/* --- random records --- */

static uint64_t seed = 1;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static uint64_t below(uint64_t n) { return random64() % n; }

/* Small, large, and on the borders. */
static uint64_t any_number(void)
{
    static const uint64_t borders[] = { 0,
                                        1,
                                        UINT64_C(1) << 53,
                                        (UINT64_C(1) << 53) + 1,
                                        INT64_MAX,
                                        UINT64_MAX - 1,
                                        (uint64_t)INT64_MIN,
                                        -(UINT64_C(1) << 53),
                                        -(UINT64_C(1) << 53) - 1 };

    switch (below(3)) {
    case 0: return below(20);
    case 1: return borders[below(ARRAY_SIZE(borders))];
    default: return random64() >> below(64);
    }
}

static uint64_t any_value(enum trace_type type, const uint64_t *arg)
{
    const struct trace_names *n = type == TRACE_TYPE_sub ? trace_subops(arg[-1]) : trace_type_names(type);

    switch (type) {
    case TRACE_TYPE_bool: return below(2);
    case TRACE_TYPE_domid: return below(5) ? below(3) : TRACE_NO_DOMAIN;
    case TRACE_TYPE_vcpuid: return below(5) ? TRACE_VCPU_ID(below(3), below(3)) : TRACE_NONE;
    case TRACE_TYPE_hex:
    case TRACE_TYPE_num: return any_number();
    default:
        if (!below(8))
            return TRACE_NONE;
        return n && below(8) ? below(n->nr) : any_number();
    }
}

static void any_record(struct trace_record *rec, s_time_t now[MACHINE_MAX_PCPUS])
{
    const uint64_t seq = rec->seq + 1 + (below(50) ? 0 : below(9)), insns = rec->at.insns + below(9);
    const struct trace_event_info *info;

    *rec = (struct trace_record){ .seq = seq, .at = { insns, below(9) }, .pcpu = (uint16_t)below(3) };
    rec->event = (uint32_t)below(TRC_NR);
    rec->who = (struct trace_who){ (uint16_t)below(3), (uint16_t)below(3), (uint8_t)below(8), (uint8_t)below(4) };
    if (!below(9))
        rec->who = trace_who(TRACE_NO_DOMAIN, 0);
    rec->time = now[rec->pcpu] += (s_time_t)(below(3) ? 0 : below(3000));
    info = trace_event_info((enum trace_event)rec->event);
    for (unsigned int i = 0; i < info->nr_fields; i++, rec->nr_words++)
        if (info->fields[i].type != TRACE_TYPE_text) {
            rec->arg[i] = any_value((enum trace_type)info->fields[i].type, &rec->arg[i]);
        } else {
            rec->arg[i] = below((TRACE_MAX_ARGS - i - 1) * sizeof(uint64_t) + 1);
            for (uint64_t c = 0; c < rec->arg[i]; c++)
                ((uint8_t *)&rec->arg[i + 1])[c] = (uint8_t)below(256);
            rec->nr_words += (uint32_t)(rec->arg[i] + 7) / 8;
        }
}

static char *any_trace(size_t nr, size_t *len)
{
    struct trace_record rec = { 0 };
    s_time_t now[MACHINE_MAX_PCPUS] = { 0 };
    char *text, line[TRACE_JSON_SIZE];
    FILE *out = open_memstream(&text, len);

    fputs(header, out);
    for (size_t i = 0; i < nr; i++) {
        any_record(&rec, now);
        fwrite(line, 1, trace_format_json(&rec, line), out);
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

/* --- reading back --- */

/* How many records; -1: it is refused, with the line's number. */
static long read_all(char *text, size_t len, bool is_same)
{
    FILE *in = fmemopen(text, len, "r");
    struct trace_reader *r = trace_read_begin(in, "trace");
    char err[TRACE_READ_ERR_SIZE] = "", line[TRACE_JSON_SIZE];
    const char *at = strchr(text, '\n') + 1;
    struct trace_record rec;
    long nr = 0;
    int rc = trace_read_header(r, err);

    for (; rc >= 0 && (rc = trace_read(r, &rec, err)) > 0; nr++)
        if (is_same) {
            const size_t n = trace_format_json(&rec, line);

            if (memcmp(line, at, n) || at[n] != '\n')
                fail_msg("record %ld: %.*s\nread back as %.*s", nr, (int)strcspn(at, "\n"), at, (int)n, line);
            at += n + 1;
        }
    if (rc < 0) {
        unsigned long number = 0;

        assert_int_equal(sscanf(err, "trace:%lu: ", &number), 1);
        assert_int_equal(number, nr + 1 + (number != 1));
        assert_true(strlen(err) > sizeof("trace:1: "));
    }
    if (is_same && rc < 0)
        fail_msg("%s", err);
    trace_read_end(r);
    fclose(in);
    return rc < 0 ? -1 : nr;
}

static void test_records_are_read_back(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        size_t len;
        char *text = any_trace(SAMPLE, &len);

        assert_int_equal(read_all(text, len, true), SAMPLE);
        free(text);
    }
}

/* A byte is another one, goes, comes; a piece is doubled, or moved; the end is missing. */
static size_t damage(char *text, size_t len)
{
    static const char likely[] = "\"{}[]:,0123456789.-nulltruefalse\\ux\n\t \xff\xc3";
    const size_t at = below(len), at2 = below(len), piece = below(len - (at > at2 ? at : at2) + 1);

    switch (below(5)) {
    case 0: text[at] = (char)below(256); return len;
    case 1: text[at] = likely[below(sizeof(likely))]; return len;
    case 2: memmove(text + at, text + at + 1, len - at - 1); return len - 1;
    case 3: memmove(text + at, text + at2, piece); return len;
    default: return at + 1;
    }
}

static void test_damage_is_refused(void **state)
{
    size_t len, refused = 0;
    char *whole = any_trace(20, &len), *text = malloc(len + 1);

    for (int i = 0; i < DAMAGE; i++) {
        size_t n = len;

        memcpy(text, whole, len + 1);
        for (uint64_t times = 1 + below(2); times && n > 1; times--)
            n = damage(text, n);
        text[n] = '\0';
        if (!strchr(text, '\n'))
            text[n - 1] = '\n';
        refused += read_all(text, n, false) < 0;
    }
    assert_true(refused > DAMAGE / 2 && refused < DAMAGE);
    free(text);
    free(whole);
}

/* What is said of a file. */
static void refuse(const char *text, const char *says)
{
    char err[TRACE_READ_ERR_SIZE] = "";
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct trace_reader *r = trace_read_begin(in, "t");
    struct trace_record rec;
    int rc = trace_read_header(r, err);

    while (rc >= 0 && (rc = trace_read(r, &rec, err)) > 0)
        ;
    assert_int_equal(rc, -1);
    assert_string_equal(err, says);
    trace_read_end(r);
    fclose(in);
}

#define HEADER "{\"v\":1,\"guests\":[]}\n"
#define ABOUT(seq)                                                                                                     \
    "{\"seq\":" seq ",\"at\":\"0.1\",\"t\":0,\"pcpu\":0,\"dom\":0,\"vcpu\":0,\"mode\":\"xen\",\"root\":\"none\""
#define IDLE(seq) ABOUT(seq) ",\"event\":\"idle\",\"until\":5}\n"
#define IDLE_AT(at)                                                                                                    \
    "{\"seq\":1,\"at\":" at ",\"t\":0,\"pcpu\":0,\"dom\":0,\"vcpu\":0,\"mode\":\"xen\",\"root\":\"none\""              \
    ",\"event\":\"idle\",\"until\":5}\n"

#define LETTERS "0123456789012345678901234567890123456789" /* a third of what a record has room for */

static void test_what_is_wrong_is_said(void **state)
{
    refuse("\n", "t:1: an empty line");
    refuse("{", "t:1: the trace ends in the middle of a line");
    refuse("{}\n", "t:1: no header of a trace: it has no version \"v\"");
    refuse("{\"v\":2,\"guests\":[]}\n", "t:1: a trace of version 2; this program reads version 1");
    refuse("{\"v\":1,\"guests\":[{}]}\n", "t:1: the header has no list of guests with their names");
    refuse("hello\n", "t:1: no JSON: unexpected character");
    refuse("[1]\n", "t:1: not one JSON object a line");
    refuse("{} {}\n", "t:1: no JSON: unexpected character");
    refuse(HEADER IDLE("0") IDLE("7") IDLE("7"), "t:4: record 7 behind record 7");
    refuse(HEADER IDLE("0") "\n", "t:3: an empty line");
    refuse(HEADER IDLE("-1"), "t:2: \"seq\" of the idle cannot be -1");
    refuse(HEADER IDLE("\"1\""), "t:2: \"seq\" of the idle cannot be \"1\"");
    refuse(HEADER IDLE_AT("\"00.1\""), "t:2: \"at\" of the idle cannot be \"00.1\"");
    refuse(HEADER IDLE_AT("\"1\""), "t:2: \"at\" of the idle cannot be \"1\"");
    refuse(HEADER IDLE_AT("\"99999999999999999999.1\""),
           "t:2: \"at\" of the idle cannot be \"99999999999999999999.1\"");
    refuse(HEADER ABOUT("1") "}\n", "t:2: a record without \"event\"");
    refuse(HEADER ABOUT("1") ",\"event\":\"idler\",\"until\":5}\n", "t:2: there is no event \"idler\"");
    refuse(HEADER ABOUT("1") ",\"event\":\"idle\"}\n", "t:2: the idle has no \"until\"");
    refuse(HEADER ABOUT("1") ",\"event\":\"idle\",\"until\":5,\"more\":1}\n",
           "t:2: the idle has a \"more\", which this version does not know");
    refuse(HEADER ABOUT("1") ",\"event\":\"timer_fire\",\"label\":\"no\",\"expires\":5}\n",
           "t:2: \"label\" of the timer_fire cannot be \"no\"");
    refuse(HEADER ABOUT("1") ",\"event\":\"idle\",\"until\":9007199254740993}\n",
           "t:2: \"until\" of the idle cannot be 9007199254740993");
    refuse(HEADER ABOUT("1") ",\"event\":\"console\",\"text\":\"" LETTERS LETTERS LETTERS "a\"}\n",
           "t:2: \"text\" of the console cannot be \"" LETTERS "0123456789012345678");
    refuse(HEADER ABOUT("1") ",\"event\":\"console\",\"text\":\"\\u0100\"}\n",
           "t:2: \"text\" of the console cannot be \"\xc4\x80\"");
}

/* --- other programs' rules --- */

static void export_to(const char *format, const char *in, const char *out)
{
    const char *args[] = { "export", format, in, "-o", out };

    assert_int_equal(cmd_trace(ARRAY_SIZE(args), (char *const *)(uintptr_t)args), 0);
}

static void check_file(const char *in)
{
    struct perfetto_counts counts;
    struct picture picture;
    unsigned long calls = lines_with(in, "\"event\":\"hypercall\",\"nr\"", "\"dom\":null,\"vcpu\":null");

    export_to("perfetto", in, DIR "out");
    counts = perfetto_check(DIR "out");
    perfetto_compare(&counts, in);
    export_to("xentrace", in, DIR "out");
    assert_int_equal(xt_check(DIR "out"), calls);
    export_to("svg", in, DIR "out");
    picture = picture_check(DIR "out");
    /* A lane has a few elements a step at most, 312 steps. */
    assert_true(picture.elements < 100 + 1500 * (nr_checked + 1));
    unlink(DIR "out");
}

/* Of a whole run, which xenalyze understands, too. */
static void check_run(const char *in, bool is_exact)
{
    check_file(in);
    if (access(XENALYZE, X_OK))
        return;
    export_to("xentrace", in, DIR "out");
    xt_compare(DIR "out", in, is_exact);
    unlink(DIR "out");
}

static void test_random_records_keep_the_rules(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        size_t len;
        char *text = any_trace(SAMPLE, &len);
        FILE *out = fopen(DIR "random", "w");

        fwrite(text, 1, len, out);
        fclose(out);
        free(text);
        check_made_up = true;
        check_file(DIR "random");
        check_made_up = false;
    }
    unlink(DIR "random");
}

static void nothing(void) {}

/* A run, in a process of its own, since it wants the standard streams. */
static void run_by(enum options_command command, const char *const *args, int nr)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        struct run_process process = { 0 };
        char err[RUN_ERR_SIZE];
        struct run_options o;
        const int null = open("/dev/null", O_RDWR);
        int rc;

        dup2(null, 0);
        dup2(null, 1);
        sigemptyset(&process.signals);
        process.signals_catch = process.terminal_refresh = nothing;
        rc = options_parse(&o, command, nr, (char *const *)(uintptr_t)args, err) ? 1
             : command == COMMAND_RUN                                            ? cmd_run(&o, &process, err)
                                                                                 : cmd_debug(&o, &process, err);
        options_free(&o);
        _exit(rc == 0 || rc == 3 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void run(const char *const *args, int nr) { run_by(COMMAND_RUN, args, nr); }

static void test_guests_keep_the_rules(void **state)
{
    static const char *const one[] = { "--trace", DIR "run", "build/guests/rings" };
    static const char *const many[] = { "--trace",
                                        DIR "run",
                                        "--pcpus",
                                        "3",
                                        "--vcpus",
                                        "2",
                                        "--max-vtime",
                                        "9ms",
                                        "build/guests/smp",
                                        "build/guests/ports",
                                        "build/guests/pagetables" };
    static const char *const few[] = { "--trace", DIR "run", "--trace-filter", "exit || evtchn_pending",
                                       "build/guests/ports" };

    run(one, ARRAY_SIZE(one));
    check_run(DIR "run", true);
    run(many, ARRAY_SIZE(many));
    check_run(DIR "run", false);
    run(few, ARRAY_SIZE(few));
    check_file(DIR "run");
    unlink(DIR "run");
}

/* A vCPU sees what is done to it one after the other, on whichever pCPU; nothing comes too early, or without need. */
static void test_times_keep_an_order(void **state)
{
    struct trace_record rec = { 0 };
    struct export_clocks clocks = { 0 };
    struct export_clock vcpus[3][3] = { 0 };
    s_time_t now[MACHINE_MAX_PCPUS] = { 0 }, shown[MACHINE_MAX_PCPUS] = { 0 };

    for (int i = 0; i < SAMPLE; i++) {
        any_record(&rec, now);
        if (rec.who.domain == TRACE_NO_DOMAIN)
            continue;
        struct export_clock *v = &vcpus[rec.who.domain][rec.who.vcpu];
        const struct export_clock before = *v;
        const bool meets = before.last && before.pcpu != rec.pcpu;
        const s_time_t at = export_time(&clocks, v, &rec), least = before.last + meets;

        assert_true(at >= least && at >= shown[rec.pcpu] && at >= rec.time);
        assert_true(at == least || at == shown[rec.pcpu] || at == rec.time);
        shown[rec.pcpu] = at;
    }
}

static char *contents(const char *path, size_t *len)
{
    FILE *in = fopen(path, "r");
    char *text = malloc(1 << 20);

    assert_true(in && text);
    *len = fread(text, 1, 1 << 20, in);
    fclose(in);
    return text;
}

/* The debugger exports what a trace of the same run has, wherever it stands. (These two formats say no numbers.) */
static void test_debugger_exports_the_same(void **state)
{
    static const char *const traced[] = { "--trace", DIR "run", "build/guests/rings" };
    static const char *const debugged[] = { "--script", DIR "script", "build/guests/rings" };
    static const char *const formats[] = { "xentrace", "svg", "workload" };
    static const char *const places[][2] = { { "#60000", "#100000" },
                                             { "#79000.1", "2.72ms" },
                                             { "2.61ms", "#99999" } };
    FILE *script = fopen(DIR "script", "w");

    run(traced, ARRAY_SIZE(traced));
    fputs("continue\ngoto #81000\n", script);
    for (size_t f = 0; f < ARRAY_SIZE(formats); f++)
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
            fprintf(script, "export %s " DIR "%zu%zu %s %s\n", formats[f], f, i, places[i][0], places[i][1]);
    fclose(script);
    run_by(COMMAND_DEBUG, debugged, ARRAY_SIZE(debugged));
    for (size_t f = 0; f < ARRAY_SIZE(formats); f++)
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
            const char *args[] = { "export", formats[f],   DIR "run", "-o",        DIR "out",
                                   "--from", places[i][0], "--to",    places[i][1] };
            char path[64], *mine, *other;
            size_t len, other_len;

            snprintf(path, sizeof(path), DIR "%zu%zu", f, i);
            assert_int_equal(cmd_trace(ARRAY_SIZE(args), (char *const *)(uintptr_t)args), 0);
            mine = contents(DIR "out", &len);
            other = contents(path, &other_len);
            assert_true(len > 100);
            if (len != other_len || memcmp(mine, other, len))
                fail_msg("%s from %s to %s: %zu bytes, by the debugger %zu", formats[f], places[i][0], places[i][1],
                         len, other_len);
            free(mine);
            free(other);
            unlink(path);
        }
    unlink(DIR "run");
    unlink(DIR "out");
    unlink(DIR "script");
}

/* A trace of which all is known: what is drawn, and where. */
static void test_picture_shows_what_is_there(void **state)
{
    static const char *const about = "\"pcpu\":0,\"dom\":1,\"vcpu\":0,\"mode\":\"%s\",\"root\":\"none\",\"event\":";
    static const struct {
        const char *mode, *event;
    } records[] = {
        { "xen", "\"runstate\",\"old\":\"runnable\",\"new\":\"running\",\"why\":\"scheduled\",\"port\":null" },
        { "user", "\"resume\",\"rip\":\"0x1\",\"why\":\"scheduled\"" },
        { "user", "\"exit\",\"kind\":\"syscall\",\"vector\":null,\"error\":\"0x0\",\"rip\":\"0x1\",\"len\":2,\"addr\":"
                  "\"0x0\",\"op\":"
                  "null,\"insns\":1,\"cost\":5" },
        { "kernel",
          "\"evtchn_send\",\"port\":1,\"peer_dom\":1,\"peer_port\":2,\"masked\":false,\"edge\":true,\"flow\":7" },
        { "xen",
          "\"evtchn_pending\",\"port\":2,\"peer_dom\":1,\"peer_port\":1,\"masked\":false,\"edge\":true,\"flow\":7" },
        { "xen", "\"runstate\",\"old\":\"running\",\"new\":\"blocked\",\"why\":\"block\",\"port\":null" },
        { "xen", "\"evtchn_pending\",\"port\":3,\"peer_dom\":null,\"peer_port\":null,\"masked\":false,\"edge\":true,"
                 "\"flow\":null" },
    };
    static const char *const part[] = { "export", "svg", DIR "known", "-o", DIR "out", "--from", "#4.0" };
    static char text[1 << 16];
    FILE *out = fopen(DIR "known", "w");
    size_t len;

    fputs(header, out);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        fprintf(out, "{\"seq\":%zu,\"at\":\"%zu.0\",\"t\":%zu,", i, i, i * 1000);
        fprintf(out, about, records[i].mode);
        fprintf(out, "%s}\n", records[i].event);
    }
    fclose(out);
    check_file(DIR "known");
    export_to("svg", DIR "known", DIR "out");
    assert_int_equal(picture_check(DIR "out").arrows, 2); /* one is the legend's */
    out = fopen(DIR "out", "r");
    len = fread(text, 1, sizeof(text) - 1, out);
    text[len] = '\0';
    fclose(out);
    /* 1250 px are 6 us: xen, user, xen for three of them, blocked. */
    assert_non_null(strstr(text, "<rect x=\"120.00\" y=\"88.00\" width=\"208.33\" height=\"22.00\" class=\"s3\"/>"));
    assert_non_null(strstr(text, "<rect x=\"328.33\" y=\"88.00\" width=\"208.33\" height=\"22.00\" class=\"s5\"/>"));
    assert_non_null(strstr(text, "<rect x=\"536.67\" y=\"88.00\" width=\"625.00\" height=\"22.00\" class=\"s3\"/>"));
    assert_non_null(strstr(text, "<rect x=\"1161.67\" y=\"108.00\" width=\"208.33\" height=\"1.50\" class=\"s1\"/>"));
    assert_non_null(strstr(text, ">d1v0 one</text>"));
    assert_non_null(strstr(text, ">0 ns to 6.000 us, virtual time; 1 events sent</text>"));
    /* Of what comes before a part, what is so when it begins: it is in the hypervisor since 2 us. */
    assert_int_equal(cmd_trace(ARRAY_SIZE(part), (char *const *)(uintptr_t)part), 0);
    out = fopen(DIR "out", "r");
    len = fread(text, 1, sizeof(text) - 1, out);
    text[len] = '\0';
    fclose(out);
    assert_non_null(strstr(text, "<rect x=\"120.00\" y=\"88.00\" width=\"625.00\" height=\"22.00\" class=\"s3\"/>"));
    assert_non_null(strstr(text, "<rect x=\"745.00\" y=\"108.00\" width=\"625.00\" height=\"1.50\" class=\"s1\"/>"));
    assert_non_null(strstr(text, "4.000 us to 6.000 us, virtual time; 0 events sent</text>"));
    unlink(DIR "known");
    unlink(DIR "out");
}

/* Without it, half of the last test has not been made: that shall be seen. */
static void test_xenalyze_is_there(void **state)
{
    if (access(XENALYZE, X_OK)) {
        print_message("no " XENALYZE ": make assets fetches it\n");
        skip();
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_are_read_back),     cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_what_is_wrong_is_said),     cmocka_unit_test(test_random_records_keep_the_rules),
        cmocka_unit_test(test_guests_keep_the_rules),     cmocka_unit_test(test_picture_shows_what_is_there),
        cmocka_unit_test(test_debugger_exports_the_same), cmocka_unit_test(test_times_keep_an_order),
        cmocka_unit_test(test_xenalyze_is_there),
    };

    for (int i = 1; i < argc; i++)
        check_run(argv[i], false);
    return argc > 1 ? 0 : cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
