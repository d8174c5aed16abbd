// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever is typed at the debugger: every command of its table, with arguments that are none, right, wrong, long, not
 * even text, in the past, at the end, when all is over, as text and as JSON; and random lines made of what lines are
 * made of. Nothing of that may harm it, what fails leaves the machine where it was and says so once, JSON stays JSON,
 * and with --read-only no future changes. What JSON objects consist of is in a table, with all kinds that there are.
 *
 * Budget: whatever is typed, one function looks at what comes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/random.h"
#include "ui/debug/complete.h"
#include "ui/debug/debug.h"
#include "ui/panels/panel.h"

struct session {
    struct debug g;
    bool stop;
    uint64_t prng;
    char *said;
    size_t len;
};

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    debug_console_add(&((struct session *)data)->g, domid, text, len);
}

static void begin(struct session *sc, const char *kernel, bool json)
{
    const struct host_config cfg = { .ram_mib = 64, .nr_pcpus = 1, .sched = "credit2", .quiet = true };
    const struct host_io io = { .data = sc, .console_out = on_out };
    const struct host_guest guest = { .kernel = kernel, .memory_mib = 8, .vcpus = 1 };
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &sc->stop };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    *sc = (struct session){ .g = { .say = { NULL, json }, .panels = panels_say } };
    sc->g.say.out = open_memstream(&sc->said, &sc->len);
    sc->g.host = host_create(&cfg, &io, err);
    assert_true(sc->g.say.out && sc->g.host);
    if (host_guest_add(sc->g.host, &guest, &domid, err))
        fail_msg("%s", err);
    assert_int_equal(host_guest_start(sc->g.host, domid), 0);
    if (rewind_begin(&sc->g.rw, sc->g.host, 64, err))
        fail_msg("%s", err);
    debugger_begin(&sc->g.dbg, &sc->g.rw, &sc->stop);
    sc->g.dbg.limit = MILLISECS(12);
    rewind_run(&sc->g.rw, &first);
}

static void end(struct session *sc)
{
    debugger_end(&sc->g.dbg);
    debug_console_free(&sc->g);
    rewind_finish(&sc->g.rw);
    host_silence(sc->g.host, true);
    host_destroy(sc->g.host);
    fclose(sc->g.say.out);
    free(sc->said);
}

/*
 * What objects consist of: of each kind in this order, s strings, n numbers, b either true or false; what is in
 * brackets may be left out, and what is in one bracket comes together.
 */
static struct {
    const char *kind, *fields;
    unsigned int seen;
} kinds[] = {
    { "branch", "name s from s text s", 0 },
    { "break", "id n type s [event s] [place s] [len n access s] [if s]", 0 },
    { "breaks", "text s", 0 },
    { "checkpoint", "checkpoints n bytes n begin s", 0 },
    { "console", "dom n later b text s", 0 },
    { "delete", "text s", 0 },
    { "error", "code s [line n] text s", 0 },
    { "event", "id n pos s event s record s", 0 },
    { "frame", "mfn s type s type_count n count n [owner n]", 0 },
    { "hash", "hash s", 0 },
    { "help", "command s args s help s", 0 },
    { "insn", "addr s text s", 0 },
    { "mark", "text s", 0 },
    { "marks", "text s", 0 },
    { "memory", "addr s value s", 0 },
    { "message", "text s", 0 },
    { "panel", "name s help s", 0 },
    { "regs",
      "rax s rbx s rcx s rdx s rsi s rdi s rbp s rsp s r8 s r9 s r10 s r11 s r12 s r13 s r14 s r15 s rip s rflags s "
      "cs s cr3 s cpl n",
      0 },
    { "set", "pos s what s old s new s", 0 },
    { "stop", "pos s why s live b [vcpu s mode s rip s symbol s insn s] [id n] [of s] [addr s len n old s new s by s]",
      0 },
    { "value", "[value b] [value s symbol s]", 0 },
    { "why", "text s [at s]", 0 },
};

/* From a value to what follows it: a string 's', a number 'n', true or false 'b'. NULL: it is none of that. */
static const char *value_end(const char *p, char type)
{
    if (type == 'n')
        return *p >= '0' && *p <= '9' ? p + strspn(p, "0123456789") : NULL;
    if (type == 'b')
        return !strncmp(p, "true", 4) ? p + 4 : !strncmp(p, "false", 5) ? p + 5 : NULL;
    if (*p++ != '"')
        return NULL;
    while (*p != '"') {
        if (*p < 0x20 || *p > 0x7e)
            return NULL;
        p += *p == '\\' ? 2 : 1;
    }
    return p + 1;
}

/* Over ,"KEY":VALUE. NULL: it is not next. */
static const char *field_end(const char *p, const char *key, size_t len, char type)
{
    if (strncmp(p, ",\"", 2) != 0 || strncmp(p + 2, key, len) != 0 || strncmp(p + 2 + len, "\":", 2) != 0)
        return NULL;
    return value_end(p + len + 4, type);
}

static const char *fields_end(const char *p, const char *fields)
{
    const char *at = p, *then = p; /* then: where it goes on if what is in this bracket is not there */
    bool left_out = false, inside = false;

    for (const char *f = fields; *f;) {
        const size_t len = strcspn(f, " ");

        if (*f == ' ' || *f == '[' || *f == ']') {
            inside = *f == '[' || (inside && *f != ']');
            if (*f == '[') {
                left_out = false;
                then = at;
            }
            f++;
            continue;
        }
        if (!left_out) {
            const char *end = field_end(at, f, len, f[len + 1]);

            if (!end && (!inside || at != then))
                return NULL;
            left_out = !end;
            at = end ? end : at;
        }
        f += len + 2;
        if (!inside || *f == ']')
            left_out = false;
    }
    return at;
}

/* A panel's row, or that there is none: the kind is the panel, and its columns are the fields. */
static bool is_row(const char *kind, size_t len, const char *fields, const char *end)
{
    const int i = panel_find(kind, (unsigned int)len);
    const struct panel_ops *p = i < 0 ? NULL : panel_at((unsigned int)i);
    char text[256] = "key s mark s";

    for (unsigned int c = 0; p && c < p->nr_columns; c++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s s", p->column[c].title);
    return p && (fields_end(fields, "text s") == end || fields_end(fields, text) == end);
}

/* A whole object of a kind that there is, with its fields. */
static bool is_object(const char *line, size_t len)
{
    const char *kind = line + 15, *end;

    if (strncmp(line, "{\"v\":1,\"kind\":\"", 15) != 0)
        return false;
    if (is_row(kind, strcspn(kind, "\""), kind + strcspn(kind, "\"") + 1, line + len - 1))
        return line[len - 1] == '}';
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const size_t n = strlen(kinds[i].kind);

        if (strncmp(kind, kinds[i].kind, n) != 0 || kind[n] != '"')
            continue;
        kinds[i].seen++;
        end = fields_end(kind + n + 1, kinds[i].fields);
        return end && *end == '}' && end + 1 == line + len;
    }
    return false;
}

/* Lines that are complaints; each line is one object, or text that can be shown. */
static unsigned int complaints(const struct session *sc, const char *line)
{
    const char *at = sc->said, *mark = sc->g.say.json ? "{\"v\":1,\"kind\":\"error\",\"code\":\"" : "error: ";
    unsigned int n = 0;

    for (const char *next; *at; at = next + 1) {
        next = strchr(at, '\n');
        assert_non_null(next);
        if (sc->g.say.json && !is_object(at, (size_t)(next - at)))
            fail_msg("%s: no JSON: %.*s", line, (int)(next - at), at);
        for (const char *p = at; p < next; p++)
            if ((unsigned char)*p < 0x20)
                fail_msg("%s: character %d in: %.*s", line, *p, (int)(next - at), at);
        n += !strncmp(at, mark, strlen(mark));
    }
    return n;
}

/* One command. False: it has failed. */
static bool try(struct session *sc, const char *line)
{
    const struct position before = sc->g.rw.m->at, known = sc->g.rw.end;
    const size_t nr = sc->g.rw.nr_branches, inputs = sc->g.rw.journal.nr;
    const struct debugger was = sc->g.dbg;
    const struct position came_from = sc->g.came_from;
    unsigned int n;

    rewind(sc->g.say.out);
    sc->g.failed = false;
    debug_command(&sc->g, line);
    fflush(sc->g.say.out);
    sc->said[sc->len] = '\0'; /* open_memstream() has room for it, and leaves what was longer before */
    n = complaints(sc, line);
    if (strchr(line, ';')) /* several commands */
        return !n;
    if (n > 1 || n != sc->g.failed)
        fail_msg("%s: complains %u times: %s", line, n, sc->said);
    if (n && (memcmp(&before, &sc->g.rw.m->at, sizeof(before)) || sc->g.rw.nr_branches != nr))
        fail_msg("%s: fails, and the machine is elsewhere: %s", line, sc->said);
    if (n && (was.at_event != sc->g.dbg.at_event || memcmp(&came_from, &sc->g.came_from, sizeof(came_from)) ||
              (was.at_event && (was.ord != sc->g.dbg.ord || was.nr_step != sc->g.dbg.nr_step ||
                                memcmp(&was.event, &sc->g.dbg.event, trace_record_size(&was.event))))))
        fail_msg("%s: fails, and what it has stopped at or come from is another: %s", line, sc->said);
    if ((n || sc->g.read_only) && (sc->g.rw.journal.nr != inputs || position_is_before(sc->g.rw.end, known)))
        fail_msg("%s: fails, or may not, and another future has begun: %s", line, sc->said);
    if (sc->g.rw.err[0])
        fail_msg("%s: %s", line, sc->g.rw.err);
    sc->g.quit = false;
    return !n;
}

static const char *const arguments[] = { "",
                                         "1",
                                         "0",
                                         "-1",
                                         "%rip",
                                         "%rsp=1",
                                         "u64[%rsp]=-1",
                                         "u8[0]=1",
                                         "%rip %rip %rip",
                                         "d1",
                                         "d0",
                                         "d9",
                                         "d1v0",
                                         "d1:v:%rsp",
                                         "d99999v99999",
                                         "#",
                                         "#0",
                                         "#20000",
                                         "#20000.1",
                                         "#99999999999999999999",
                                         "begin",
                                         "end",
                                         "1us",
                                         "-1us",
                                         "nosuch",
                                         "< /nonexistent",
                                         "< /dev/zero",
                                         "-n ",
                                         "\"",
                                         "\"a;b\"",
                                         "13 0x18",
                                         "port 1",
                                         "port",
                                         "port -1",
                                         "(((((",
                                         "==",
                                         "!",
                                         "\xff\xfe\x80",
                                         "\t\x01\x1b[31m%n%s%s%n",
                                         "{\"a\":\"\\\"}" };

/* With them everything that can be repeated is, until it can not be any more. */
static const char *const counts[] = { "18446744073709551615", "99999999999999999999999" };

/* Whatever is typed: files of such names. */
static bool writes_files(size_t i)
{
    return !strcmp(debug_command_name(i), "record") || !strcmp(debug_command_name(i), "export") ||
           !strcmp(debug_command_name(i), "symbols");
}

static void every_command(struct session *sc)
{
    static char longest[10000];

    memset(longest, 'a', sizeof(longest) - 1);
    for (size_t i = 0; debug_command_name(i); i++)
        for (size_t a = 0; a <= ARRAY_SIZE(arguments); a++)
            for (unsigned int back = 0; back < 2; back++) {
                const char *arg = a < ARRAY_SIZE(arguments) ? arguments[a] : longest;
                static char line[sizeof(longest) + 64];

                if (writes_files(i) && *arg)
                    continue;
                snprintf(line, sizeof(line), "%s%s %s", back ? "reverse-" : "", debug_command_name(i), arg);
                try(sc, line);
            }
}

/* Where the machine is when it is tried. */
static const char *const places[] = { "goto begin", "goto #20000", "goto end", "continue" };

static void test_every_command(void **state)
{
    for (unsigned int json = 0; json < 2; json++)
        for (unsigned int read_only = 0; read_only <= json; read_only++) {
            struct session sc;

            begin(&sc, "build/guests/hello", json);
            sc.g.read_only = read_only;
            try(&sc, "goto #30000");
            for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                try(&sc, places[i]);
                every_command(&sc);
            }
            for (size_t i = 0; debug_command_name(i); i++) {
                char line[80];

                if (writes_files(i))
                    continue;
                try(&sc, "goto #1000");
                snprintf(line, sizeof(line), "reverse-%s %s", debug_command_name(i), counts[i % 2]);
                try(&sc, line);
                snprintf(line, sizeof(line), "%s %s", debug_command_name(i), counts[i % 2]);
                try(&sc, line);
            }
            assert_true(!read_only || !sc.g.rw.journal.nr);
            end(&sc);
        }
}

/* Each of them says what it is for. */
/* What the machine has stopped at before is not why it stands where a step has led. */
static void test_a_step_is_no_stop(void **state)
{
    static const char *const lines[] = { "step", "reverse-step", "over", "reverse-over", "exit", "goto #80478" };
    struct session sc;

    begin(&sc, "build/guests/rings", false);
    assert_true(try(&sc, "break insn_cli"));
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        assert_true(try(&sc, "goto begin"));
        assert_true(try(&sc, "continue"));
        assert_non_null(strstr(sc.said, "breakpoint 1"));
        assert_true(try(&sc, lines[i]));
        if (strstr(sc.said, "breakpoint 1"))
            fail_msg("%s: %s", lines[i], sc.said);
    }
    end(&sc);
}

/*
 * A step of the hypervisor changes a word and is an event: backward the event comes first, behind the step, and then
 * the word, in front of it, although the word is looked at last.
 */
static void test_later_of_one_step_comes_first(void **state)
{
    struct session sc;

    begin(&sc, "build/guests/pagetables", false);
    assert_true(try(&sc, "event pte"));
    assert_true(try(&sc, "watch m:table*4096+index*8,8 w"));
    assert_true(try(&sc, "trace pte"));
    assert_true(try(&sc, "step"));
    assert_true(try(&sc, "reverse-continue"));
    assert_true(strstr(sc.said, "trace 2 pte") && !strstr(sc.said, "watchpoint"));
    assert_true(try(&sc, "reverse-continue"));
    assert_non_null(strstr(sc.said, "watchpoint 1"));
    end(&sc);
}

static void test_help(void **state)
{
    struct session sc;
    char line[80];
    size_t i;

    begin(&sc, "build/guests/hello", false);
    for (i = 0; debug_command_name(i); i++) {
        snprintf(line, sizeof(line), "help %s", debug_command_name(i));
        assert_true(try(&sc, line));
        if (!strstr(sc.said, debug_command_name(i)) || strlen(sc.said) < 35)
            fail_msg("%s: %s", line, sc.said);
    }
    assert_true(i > 30);
    end(&sc);
}

/* --- random lines --- */

static const char *const pieces[] = {
    "%rip",  "%rax", "%rsp",       "%cr3",    "u8[",  "u64[",     "]",    "d1:",      "d0:",      "d1v0:", "v:",
    "p:",    "m:",   "0x",         "4096",    "7",    "==",       "!=",   "<",        "&&",       "||",    "(",
    ")",     "+",    "-",          "*",       "/",    "=",        "#",    "#1000",    "#40000.2", "10us",  "-10us",
    "if",    "w",    "r",          "c",       ",8",   "insn_cli", "run",  "boot",     "vector",   "exit",  "mode",
    "user",  "nr",   "mmu_update", "kind",    "true", "\"",       ";",    "x/4g",     "x/",       "9",     "S",
    "c",     "C",    "h",          "H",       "port", "13",       "GP",   "hello",    "A",        "main",  "-n",
    "begin", "end",  "hypercall",  "console", "< ",   "dom==1",   "t>=0", "\xc3\xa9", "\x7f",     "rev-st"
};

static void random_line(struct session *sc, char *line, size_t size)
{
    size_t n = 0;

    while (debug_command_name(n))
        n++;
    snprintf(line, size, "%s",
             random_of(&sc->prng, 8) ? debug_command_name(random_of(&sc->prng, (unsigned int)n)) : "");
    for (unsigned int i = random_of(&sc->prng, 2) ? random_of(&sc->prng, 8) : 0; i; i--)
        snprintf(line + strlen(line), size - strlen(line), "%s%s", random_of(&sc->prng, 3) ? " " : "",
                 pieces[random_of(&sc->prng, ARRAY_SIZE(pieces))]);
}

/* Nothing is read or written that is named at random. */
static bool is_for_files(const char *line) { return strchr(line, '<') || strstr(line, "rec") || strstr(line, "sy"); }

static void test_random_lines(void **state)
{
    static const char *const kernels[] = { "build/guests/echo", "build/guests/rings", "build/guests/smp" };
    const char *many = getenv("LINES_TRIED");
    const unsigned int lines = many ? (unsigned int)atoi(many) : 3000;
    unsigned int succeeded = 0, tried = 0;

    for (unsigned int n = 0; tried < lines; n++) {
        struct session sc;

        begin(&sc, kernels[n % ARRAY_SIZE(kernels)], n & 1);
        sc.prng = n;
        for (unsigned int i = 0; i < 250; i++, tried++) {
            char line[512];

            random_line(&sc, line, sizeof(line));
            if (!is_for_files(line))
                succeeded += try(&sc, line);
        }
        end(&sc);
    }
    print_message("%u lines, of which %u did something\n", tried, succeeded);
    assert_true(succeeded > lines / 8);
}

/* --- Tab --- */

static void test_completion(void **state)
{
    static const struct {
        const char *line, *common;
        size_t nr;
    } cases[] = {
        { "pri", "print", 1 },
        { "cont", "continue", 1 },
        { "rev", "reverse-", 99 },
        { "reverse-sw", "reverse-switch", 1 },
        { "help mar", "mark", 2 },
        { "c; wal", "walk", 1 },
        { "print %rs", "%rs", 2 },
        { "print 1+%rs", "%rs", 2 },
        { "print insn_cl", "insn_cl", 2 },
        { "print d1:insn_cli", "insn_cli", 1 },
        { "print d0:insn_cli", "", 0 },
        { "x/4g d1:v:insn_cli", "insn_cli", 1 },
        { "break insn_cli", "insn_cli", 1 },
        { "print u64[insn_cli", "insn_cli", 1 },
        { "print hypercall_r", "hypercall_ret", 1 },
        { "print kind==exc", "exception", 1 },
        { "print nr != mmu", "mmu", 2 },
        { "print vect", "vector", 1 },
        { "jump he", "here", 1 },
        { "goto he", "here", 1 },
        { "vcpu d1", "d1v0", 1 },
        { "branch ", "A", 1 },
        { "input pri", "", 0 },
        { "nosuch pri", "", 0 },
        { "nosuch", "", 0 },
        { "zzz", "", 0 },
    };
    struct session sc;

    begin(&sc, "build/guests/rings", false);
    assert_true(try(&sc, "goto #2000") && try(&sc, "mark here") && try(&sc, "goto #1000") && try(&sc, "branch A"));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static struct completion c;

        debug_complete(&sc.g, cases[i].line, strlen(cases[i].line), &c);
        if (strcmp(c.common, cases[i].common) != 0 || (cases[i].nr == 99 ? c.nr < 8 : c.nr != cases[i].nr))
            fail_msg("%s: %zu, \"%s\": %s", cases[i].line, c.nr, c.common, c.word[0]);
    }
    sc.prng = 5;
    for (unsigned int n = 0; n < 20000; n++) {
        static struct completion c;
        char line[512];

        random_line(&sc, line, sizeof(line));
        debug_complete(&sc.g, line, random_of(&sc.prng, (unsigned int)strlen(line) + 1), &c);
        assert_true(c.nr <= COMPLETE_MAX && (!c.nr || strlen(c.common) >= c.begun));
        for (size_t i = 0; i < c.nr; i++)
            assert_true(!strncmp(c.word[i], c.common, strlen(c.common)) &&
                        (!i || strcmp(c.word[i - 1], c.word[i]) < 0));
    }
    end(&sc);
}

/* Stops of each kind, and what random lines may not come to. */
static const char *const shown[] = {
    "list",
    "marks",
    "break insn_cli",
    "watch d1:0xffffffff80017008",
    "watch d1:p:0x1000,8 r if mode==kernel",
    "watch d1:0x7000000000",
    "trace emulate if op==cli",
    "log iret if to_mode==user",
    "list",
    "c",
    "c",
    "c",
    "c",
    "c",
    "C",
    "why",
    "jump why",
    "delete all",
    "s",
    "n",
    "f",
    "x",
    "h",
    "t",
    "e",
    "w",
    "i",
    "X",
    "why %rip",
    "goto #2000",
    "mark here",
    "walk %rsp",
    "frame 0x68a",
    "panel",
    "grants d1",
    "ports d1",
    "frames",
    "print %rip == 1",
    "print insn_cli",
    "x/4g %rsp",
    "set %rax=5",
    "branch A",
    "checkpoint",
    "console",
    "goto end",
    "where",
};

/* Of each kind there was one. */
static void test_kinds(void **state)
{
    struct session sc;

    begin(&sc, "build/guests/rings", true);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        try(&sc, shown[i]);
    end(&sc);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!kinds[i].seen)
            fail_msg("no object of the kind %s was seen", kinds[i].kind);
}

/* docs/debug.md has a row for each kind, with all fields in their order. */
static void test_kinds_are_documented(void **state)
{
    char page[65536], row[600];
    const char *section;
    FILE *f = fopen("docs/debug.md", "r");
    size_t n;

    assert_non_null(f);
    n = fread(page, 1, sizeof(page) - 1, f);
    page[n] = '\0';
    assert_true(n > 0 && n < sizeof(page) - 1);
    fclose(f);
    section = strstr(page, "\n## JSON\n");
    assert_non_null(section);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char fields[300], *word, *rest;
        const char *at;

        snprintf(row, sizeof(row), "\n| `%s` | ", kinds[i].kind);
        at = strstr(section, row);
        if (!at)
            fail_msg("docs/debug.md has no row of the kind %s", kinds[i].kind);
        snprintf(row, sizeof(row), "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
        at = strstr(row + 2, "| ");
        snprintf(fields, sizeof(fields), "%s", kinds[i].fields);
        for (word = strtok_r(fields, " []", &rest); word; word = strtok_r(NULL, " []", &rest)) {
            char quoted[64];

            if (strlen(word) == 1)
                continue;
            snprintf(quoted, sizeof(quoted), "`%s`", word);
            at = strstr(at, quoted);
            if (!at)
                fail_msg("docs/debug.md: %s of the kind %s", word, kinds[i].kind);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_is_no_stop),
        cmocka_unit_test(test_later_of_one_step_comes_first),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_every_command),
        cmocka_unit_test(test_random_lines),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_kinds_are_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
