// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gdb's remote protocol, without gdb: packets in, packets out. Frames; every packet's answer, and what is told of
 * stops, both ways; what gdb does not survive; and whatever else somebody may send. (tests/ui/test_gdb_stock.c has gdb
 * itself.)
 *
 * Budget: a server is tried through one door, packets; what stands before each test is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random.h"
#include "tools/debug/seek.h"
#include "ui/debug/session.h"
#include "ui/gdb/registers.h"
#include "ui/gdb/server.h"
#include "vcpu/noun/domain.h"

#define RINGS   "build/guests/rings"
#define SMP     "build/guests/smp"
#define GRUB_32 "build/assets/grub-i386-xen.bin"

static uint64_t prng = 1;

/* How often something is tried: a sample here, more with GDB_ROUNDS in the environment. */
static unsigned int rounds(unsigned int sample)
{
    const char *more = getenv("GDB_ROUNDS");

    return more ? (unsigned int)strtoul(more, NULL, 10) : sample;
}

/* ------------------------------------------------------------------------------------------------------- frames -- */

static enum packet_event take_all(struct packet_reader *r, const void *data, size_t n)
{
    enum packet_event last = PACKET_MORE;

    for (size_t i = 0; i < n; i++)
        last = packet_take(r, ((const uint8_t *)data)[i]);
    return last;
}

/* Whatever is framed comes out again, whatever was before it. */
static void test_frames(void **state)
{
    static struct packet_reader r;
    uint8_t data[600];
    unsigned int tried = 0;

    for (unsigned int i = 0; i < 2000; i++) {
        const size_t n = random_of(&prng, sizeof(data));
        struct bytes b = { 0 };

        for (size_t k = 0; k < n; k++)
            data[k] = (uint8_t)(random_of(&prng, 3) ? random_of(&prng, 256)
                                                    : (unsigned int)"$#}*+-\003"[random_of(&prng, 7)]);
        packet_put(&b, data, n);
        assert_int_equal(take_all(&r, b.at, b.len), PACKET_WHOLE);
        assert_int_equal(r.len, n);
        assert_memory_equal(r.text, data, n);
        assert_int_equal(r.text[n], 0);
        /* One bit of it is another: it is wrong, or not over. */
        b.at[1 + random_of(&prng, (unsigned int)b.len - 1)] ^= (char)(1 << random_of(&prng, 7));
        tried += take_all(&r, b.at, b.len) != PACKET_WHOLE;
        r.state = PACKET_OUTSIDE;
        bytes_free(&b);
    }
    assert_true(tried > 1900); /* two flips in the digits' case mean the same sum */
}

static void test_frames_by_hand(void **state)
{
    static struct packet_reader r;
    static const char *const wrong[] = { "$OK#9b", "$OK#zz", "$OK#9", "$}#7d", "$a}#de" };
    static char giant[PACKET_MAX + 8];

    assert_int_equal(take_all(&r, "+-$OK#9a", 8), PACKET_WHOLE);
    assert_string_equal(r.text, "OK");
    assert_int_equal(packet_take(&r, '+'), PACKET_ACK);
    assert_int_equal(packet_take(&r, '-'), PACKET_NAK);
    assert_int_equal(packet_take(&r, 3), PACKET_BREAK);
    assert_int_equal(take_all(&r, "$half$OK#9a", 11), PACKET_WHOLE);
    assert_string_equal(r.text, "OK");
    assert_int_equal(take_all(&r, "$#00", 4), PACKET_WHOLE);
    assert_string_equal(r.text, "");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_not_equal(take_all(&r, wrong[i], strlen(wrong[i])), PACKET_WHOLE);
        assert_int_equal(take_all(&r, "$OK#9a", 6), PACKET_WHOLE);
    }
    memset(giant, '0', sizeof(giant));
    for (unsigned int over = 0; over < 2; over++) { /* as long as may be, and a byte longer */
        const uint8_t sum = (uint8_t)('0' * (PACKET_MAX + over));
        char end[4];

        snprintf(end, sizeof(end), "#%02x", sum);
        packet_take(&r, '$');
        take_all(&r, giant, PACKET_MAX + over);
        assert_int_equal(take_all(&r, end, 3), over ? PACKET_WRONG : PACKET_WHOLE);
    }
}

/* ------------------------------------------------------------------------------------------------------- a scene -- */

struct scene {
    struct debug_session s;
    struct run_options o;
    struct run_process process;
    struct gdb_server *gdb;
    FILE *said;
    char reply[2 * PACKET_MAX + 16]; /* the last one, unframed */
    char console[4096];              /* what O packets have said since the last packet */
};

static void begin(struct scene *sc, const char *guest, const char *option)
{
    char *const argv[] = { (char *)(uintptr_t) "--max-vtime=20ms", (char *)(uintptr_t)guest,
                           (char *)(uintptr_t)option };
    char err[RUN_ERR_SIZE] = "";

    memset(sc, 0, sizeof(*sc));
    assert_int_equal(options_parse(&sc->o, COMMAND_DEBUG, option ? 3 : 2, argv, err), 0);
    sc->said = fopen("/dev/null", "we");
    sc->s.g.say.out = sc->said;
    if (session_open(&sc->s, &sc->o, &sc->process, err) || session_start(&sc->s, err))
        fail_msg("%s", err);
    sc->gdb = calloc(1, sizeof(*sc->gdb));
    gdb_server_begin(sc->gdb, &sc->s.g, 1, gdb_layout_of(sc->s.g.host, 1));
}

static void end(struct scene *sc)
{
    gdb_server_end(sc->gdb);
    free(sc->gdb);
    session_close(&sc->s);
    options_free(&sc->o);
    fclose(sc->said);
}

/* What the server has said: packets, which a reader of ours takes apart. */
static void listen_to(struct scene *sc)
{
    static struct packet_reader r;
    struct bytes *out = &sc->gdb->out;

    assert_false(out->lost);
    for (size_t i = 0; i < out->len; i++) {
        if (packet_take(&r, (uint8_t)out->at[i]) != PACKET_WHOLE)
            continue;
        if (r.text[0] == 'O' && r.text[1] != 'K') {
            const size_t n = strlen(r.text + 1) / 2, had = strlen(sc->console);

            assert_true(hex_bytes(r.text + 1, sc->console + had, n < 4000 - had ? n : 4000 - had));
        } else {
            memcpy(sc->reply, r.text, r.len + 1);
        }
    }
    assert_int_equal(r.state, PACKET_OUTSIDE);
    out->len = 0;
}

/* A packet, and all that comes of it, in slices of that much virtual time. */
static const char *ask_slices(struct scene *sc, const char *text, s_time_t slice)
{
    struct bytes b = { 0 };

    strcpy(sc->reply, "(nothing)");
    memset(sc->console, 0, sizeof(sc->console));
    packet_put(&b, text, strlen(text));
    gdb_server_take(sc->gdb, b.at, b.len);
    bytes_free(&b);
    while (sc->gdb->wish != GDB_STAND)
        if (gdb_server_go(sc->gdb, slice ? host_now(sc->s.g.host) + slice : STIME_MAX) == GDB_IDLE)
            gdb_server_end_of_run(sc->gdb, "the end");
    listen_to(sc);
    return sc->reply;
}

static const char *ask(struct scene *sc, const char *text) { return ask_slices(sc, text, 0); }

static uint64_t value(struct scene *sc, const char *expr)
{
    struct debug_value v;

    assert_true(debug_value(&sc->s.g, expr, &v));
    return v.value.u;
}

static const char *format(const char *fmt, ...)
{
    static char text[8][256];
    static unsigned int n;
    va_list ap;

    n = (n + 1) % 8;
    va_start(ap, fmt);
    vsnprintf(text[n], sizeof(text[n]), fmt, ap);
    va_end(ap);
    return text[n];
}

static const char *monitor(struct scene *sc, const char *line)
{
    char text[512] = "qRcmd,";

    for (size_t i = 0; line[i]; i++)
        sprintf(text + 6 + 2 * i, "%02x", (unsigned char)line[i]);
    assert_string_equal(ask(sc, text), "OK");
    return sc->console;
}

static uint64_t pc(struct scene *sc)
{
    uint64_t v = 0;

    assert_true(hex_bytes(ask(sc, "p10"), &v, 8));
    return v;
}

static bool begins(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

/* ------------------------------------------------------------------------------------------------------ packets -- */

static void test_hello(void **state)
{
    struct scene sc;

    begin(&sc, RINGS, NULL);
    assert_non_null(
        strstr(ask(&sc, "qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386"), "PacketSize=4000;"));
    assert_non_null(strstr(sc.reply, "ReverseStep+;ReverseContinue+"));
    assert_null(strstr(sc.reply, "multiprocess"));
    assert_string_equal(ask(&sc, "vMustReplyEmpty"), "");
    assert_string_equal(ask(&sc, "vKill;1"), "");
    assert_string_equal(ask(&sc, "!"), "");
    assert_string_equal(ask(&sc, ""), "");
    assert_string_equal(ask(&sc, "?"), "T05thread:1;");
    assert_string_equal(ask(&sc, "qC"), "QC1");
    assert_string_equal(ask(&sc, "qCRC:0,1"), "");
    assert_string_equal(ask(&sc, "qAttached"), "1");
    assert_string_equal(ask(&sc, "qfThreadInfo"), "m1");
    assert_string_equal(ask(&sc, "qsThreadInfo"), "l");
    assert_non_null(strstr(ask(&sc, "qXfer:threads:read::0,1000"), "name=\"d1v0 rings\">running</thread>"));
    assert_true(begins(ask(&sc, "qThreadExtraInfo,1"), "64317630"));
    assert_string_equal(ask(&sc, "qThreadExtraInfo,2"), "E01");
    assert_string_equal(ask(&sc, "T1"), "OK");
    assert_string_equal(ask(&sc, "T2"), "E01");
    assert_string_equal(ask(&sc, "Hg0"), "OK");
    assert_string_equal(ask(&sc, "Hg-1"), "OK");
    assert_string_equal(ask(&sc, "Hcp1.1"), "OK");
    assert_string_equal(ask(&sc, "Hg7"), "E01");
    assert_string_equal(ask(&sc, "Hx1"), "E01");
    assert_string_equal(ask(&sc, "vCont?"), "vCont;c;C;s;S");
    assert_string_equal(ask(&sc, "QStartNoAckMode"), "OK");
    assert_string_equal(ask(&sc, "D"), "OK");
    assert_true(sc.gdb->detached);
    end(&sc);
}

/* The file comes in parts; registers by number and all together are the same, and as long as the file says. */
static void registers_agree(struct scene *sc)
{
    struct bytes xml = { 0 };
    char all[8192];
    size_t at = 0, bits = 0;

    for (;;) {
        ask(sc, format("qXfer:features:read:target.xml:%zx,100", xml.len));
        bytes_put(&xml, sc->reply + 1, strlen(sc->reply + 1));
        if (sc->reply[0] == 'l')
            break;
        assert_int_equal(sc->reply[0], 'm');
    }
    bytes_put(&xml, "", 1);
    assert_string_equal(ask(sc, format("qXfer:features:read:target.xml:%zx,100", xml.len + 9)), "E01");
    for (const char *p = xml.at; (p = strstr(p, "bitsize=\"")); p += 9)
        bits += strtoul(p + 9, NULL, 10);
    snprintf(all, sizeof(all), "%s", ask(sc, "g"));
    assert_int_equal(strlen(all), bits / 4);
    for (unsigned int i = 0; i < gdb_registers_nr(sc->gdb->layout); i++) {
        const char *one = ask(sc, format("p%x", i));

        assert_true(begins(all + at, one));
        at += strlen(one);
    }
    assert_int_equal(at, bits / 4);
    assert_string_equal(ask(sc, format("p%x", gdb_registers_nr(sc->gdb->layout))), "E01");
    bytes_free(&xml);
}

static void test_registers(void **state)
{
    static char first[PACKET_MAX + 1];
    struct scene sc;
    unsigned int modes = 0;

    begin(&sc, RINGS, NULL);
    snprintf(first, sizeof(first), "%s", ask(&sc, "qXfer:features:read:target.xml:0,4000"));
    assert_string_equal(ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "insn_cli"))), "OK");
    while (!strstr(ask(&sc, "c"), "replaylog")) {
        struct look_vcpu v;

        assert_true(look_vcpu(sc.s.g.host, 1, 0, &v));
        modes |= strcmp(v.mode, "user") ? 1 : 2;
        assert_int_equal(pc(&sc), value(&sc, "insn_cli"));
        registers_agree(&sc);
        /* In every mode the same: another layout would end the session. */
        assert_string_equal(ask(&sc, "qXfer:features:read:target.xml:0,4000"), first);
    }
    assert_int_equal(modes, 3);
    end(&sc);
}

/* Where CS has a base: RIP is told, and set, as a linear address, as breakpoints are. */
static void test_real_mode(void **state)
{
    struct scene sc;
    struct look_vcpu v;

    begin(&sc, "docs/tours/modes.cfg", NULL);
    assert_string_equal(ask(&sc, "Z1,8000,1"), "OK");
    ask(&sc, "c");
    assert_string_equal(ask(&sc, "Hg2"), "OK");
    assert_true(look_vcpu(sc.s.g.host, 1, 1, &v));
    assert_int_equal(v.regs.rip, 0);
    assert_int_equal(v.regs.seg[CPU_SEG_CS].base, 0x8000);
    assert_int_equal(pc(&sc), 0x8000);
    ask(&sc, "vCont;s:2");
    assert_int_equal(pc(&sc), 0x8001);
    assert_string_equal(ask(&sc, "P10=0080000000000000"), "OK");
    assert_int_equal(pc(&sc), 0x8000);
    assert_true(look_vcpu(sc.s.g.host, 1, 1, &v));
    assert_int_equal(v.regs.rip, 0);
    end(&sc);
}

/* An HVM guest's rings: user is what its page tables take for that, ring 3. */
static void test_rings(void **state)
{
    static const char *const stops[] = {
        "protected32", "long64", "in_ring", "in_ring", "in_ring", "in_user", "gp_entry"
    };
    unsigned int mode = 0, kernel = 0, user = 0;
    struct scene sc;
    struct look_vcpu v;

    begin(&sc, "docs/tours/modes.cfg", NULL);
    mode = gdb_registers_nr(sc.gdb->layout) - 2; /* the last but iopl */
    for (unsigned int i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, stops[i])));
    for (unsigned int i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        ask(&sc, "c");
        assert_int_equal(pc(&sc), value(&sc, stops[i]));
        assert_true(look_vcpu(sc.s.g.host, 1, 0, &v));
        assert_string_equal(ask(&sc, format("p%x", mode)), v.regs.cpl == 3 ? "01000000" : "00000000");
        *(v.regs.cpl == 3 ? &user : &kernel) += 1;
    }
    assert_int_equal(kernel, 5);
    assert_int_equal(user, 2);
    end(&sc);
}

/* A domain of 32 bits: whoever has read its file takes no others than i386's. */
static void test_registers_of_32_bits(void **state)
{
    struct scene sc;

    if (access(GRUB_32, R_OK))
        skip();
    begin(&sc, GRUB_32, NULL);
    assert_non_null(strstr(ask(&sc, "qXfer:features:read:target.xml:0,400"), "<architecture>i386</architecture>"));
    registers_agree(&sc);
    assert_string_equal(ask(&sc, "P3=efbeadde"), "OK"); /* ebx */
    assert_string_equal(ask(&sc, "p3"), "efbeadde");
    assert_int_equal(value(&sc, "%rbx"), 0xdeadbeef);
    registers_agree(&sc);
    end(&sc);
}

/* In all spaces the same memory; what is not there is an error, and half of it is half of it. */
static void test_memory(void **state)
{
    const char *first = NULL;
    char code[64];
    struct scene sc;

    begin(&sc, RINGS, NULL);
    snprintf(code, sizeof(code), "%s", ask(&sc, format("m%llx,10", (unsigned long long)pc(&sc))));
    assert_int_equal(strlen(code), 32);
    assert_non_null(strstr(monitor(&sc, "space m"), "machine"));
    first = format("m%llx,10", (unsigned long long)value(&sc, "%rip") & 0xfff);
    assert_int_equal(strlen(ask(&sc, first)), 32);
    assert_string_equal(ask(&sc, "mfffffffffffff000,10"), "E0e");
    assert_non_null(strstr(monitor(&sc, "space p"), "pseudo-physical"));
    assert_string_equal(ask(&sc, format("m%llx,10", (unsigned long long)pc(&sc) & 0x7fffffff)), code);
    assert_non_null(strstr(monitor(&sc, "space x"), "error:"));
    assert_non_null(strstr(monitor(&sc, "space"), "pseudo-physical"));
    monitor(&sc, "space v");
    assert_string_equal(ask(&sc, "m0,10"), "E0e");
    assert_string_equal(ask(&sc, "mffffffffffffffff,10"), "E0e");
    assert_string_equal(ask(&sc, "m0,ffffffffffffffff"), "E0e");
    assert_string_equal(ask(&sc, "m0"), "E01");
    assert_string_equal(ask(&sc, "mx,1"), "E01");
    assert_string_equal(ask(&sc, "m11111111111111111,1"), "E01");
    end(&sc);
}

/* Memory is not a place for breakpoints: it is as it was. */
static void test_breakpoints_are_not_in_memory(void **state)
{
    struct scene sc;
    uint64_t hash;

    begin(&sc, RINGS, NULL);
    hash = look_hash(sc.s.g.host);
    assert_string_equal(ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "insn_cli"))), "OK");
    assert_string_equal(ask(&sc, format("Z2,%llx,8", (unsigned long long)value(&sc, "insn_cli"))), "OK");
    assert_true(hash == look_hash(sc.s.g.host));
    end(&sc);
}

/* ------------------------------------------------------------------------------------------------------- changes -- */

static void test_changes(void **state)
{
    struct scene sc;
    char addr[32];

    begin(&sc, RINGS, NULL);
    snprintf(addr, sizeof(addr), "%llx", (unsigned long long)value(&sc, "%rsp") - 16);
    assert_string_equal(ask(&sc, "P0=0807060504030201"), "OK");
    assert_string_equal(ask(&sc, "p0"), "0807060504030201");
    assert_true(begins(ask(&sc, "P0=08"), "E01"));
    assert_true(begins(ask(&sc, "P12=00000000"), "E."));
    assert_true(begins(ask(&sc, "P10=0000000000000080"), "E.")); /* no canonical address */
    assert_string_equal(ask(&sc, format("M%s,4:deadbeef", addr)), "OK");
    assert_string_equal(ask(&sc, format("m%s,4", addr)), "deadbeef");
    assert_string_equal(ask(&sc, format("X%s,0:", addr)), "OK");
    assert_string_equal(ask(&sc, format("X%s,3:#$}", addr)), "OK");
    assert_string_equal(ask(&sc, format("m%s,4", addr)), "23247def");
    assert_string_equal(ask(&sc, format("M%s,4:deadbe", addr)), "E01");
    assert_string_equal(ask(&sc, "M0,1:00"), "E0e");
    /* All of them, two of which are others. */
    ask(&sc, "g");
    memcpy(sc.reply, "1111111111111111", 16);
    memcpy(sc.reply + 32, "2222222222222222", 16);
    {
        static char text[8192];

        snprintf(text, sizeof(text), "G%.8000s", sc.reply);
        assert_string_equal(ask(&sc, text), "OK");
        assert_string_equal(ask(&sc, "p0"), "1111111111111111");
        assert_string_equal(ask(&sc, "p2"), "2222222222222222");
        memcpy(text + 1, "3333333333333333", 16);
        memcpy(text + 1 + 16 * 16 + 16 + 8, "ffff", 4); /* CS cannot be set: nothing is */
        assert_true(begins(ask(&sc, text), "E."));
        assert_string_equal(ask(&sc, "p0"), "1111111111111111");
        text[100] = '\0';
        assert_string_equal(ask(&sc, text), "E01");
    }
    end(&sc);
}

/* gdb cannot be asked: in the past nothing is changed before another future is begun. */
static void test_changes_in_the_past(void **state)
{
    struct scene sc;

    begin(&sc, RINGS, NULL);
    for (unsigned int i = 0; i < 5; i++)
        ask(&sc, "vCont;s:1");
    ask(&sc, "bs");
    assert_true(begins(ask(&sc, "P0=0807060504030201"), "E.this is the past"));
    assert_true(
        begins(ask(&sc, format("M%llx,1:00", (unsigned long long)value(&sc, "%rsp") - 8)), "E.this is the past"));
    monitor(&sc, "set %rax=3");
    assert_non_null(strstr(sc.console, "monitor branch"));
    assert_int_equal(sc.s.g.rw.nr_branches, 0);
    monitor(&sc, "branch old");
    assert_int_equal(sc.s.g.rw.nr_branches, 1);
    assert_string_equal(ask(&sc, "P0=0807060504030201"), "OK");
    assert_string_equal(ask(&sc, "vCont;s:1"), "T05thread:1;");
    end(&sc);
    begin(&sc, RINGS, "--read-only");
    assert_true(begins(ask(&sc, "P0=0807060504030201"), "E.--read-only"));
    end(&sc);
}

/* --------------------------------------------------------------------------------------------------------- moves -- */

#define MANY 1024

/* The stops of a breakpoint up to the end, by slices of some length, into at[]; how many. */
static unsigned int stops_by(struct scene *sc, s_time_t slice, struct position *at)
{
    unsigned int n = 0;

    while (!strcmp(ask_slices(sc, "vCont;c", slice ? 1 + random_of(&prng, (unsigned int)slice) : 0),
                   "T05thread:1;swbreak:;")) {
        assert_true(n < MANY);
        at[n++] = sc->s.g.rw.m->at;
    }
    assert_string_equal(sc->reply, "T05thread:1;replaylog:end:;");
    return n;
}

/* Slices do not matter, nor does the direction. */
static void test_stops_are_the_same_either_way(void **state)
{
    struct position straight[MANY], others[MANY];
    const char *const symbols[] = { "insn_cli", "user_start", "trap_entries+13*16" };
    struct scene sc;
    unsigned int tried = 0;

    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        unsigned int nr, n;

        begin(&sc, RINGS, NULL);
        ask(&sc, "qSupported:swbreak+");
        assert_string_equal(ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, symbols[i]))), "OK");
        nr = stops_by(&sc, 0, straight);
        for (n = 0; !strcmp(ask(&sc, "bc"), "T05thread:1;swbreak:;"); n++)
            assert_memory_equal(&sc.s.g.rw.m->at, &straight[nr - 1 - n], sizeof(straight[0]));
        assert_string_equal(sc.reply, "T05thread:1;replaylog:begin:;");
        assert_int_equal(n, nr);
        for (unsigned int round = 0; round < rounds(2); round++) {
            ask(&sc, "bc");
            while (strcmp(ask(&sc, "bc"), "T05thread:1;replaylog:begin:;"))
                ;
            assert_int_equal(stops_by(&sc, MICROSECS(300), others), nr);
            assert_memory_equal(straight, others, nr * sizeof(others[0]));
        }
        tried += nr;
        end(&sc);
    }
    assert_true(tried > 10);
}

/* Time may be up just in front of a breakpoint: it is not passed over. So slices end at every step of the way. */
static void test_time_is_up_at_a_breakpoint(void **state)
{
    struct scene sc;
    struct position there;

    begin(&sc, RINGS, NULL);
    ask(&sc, "qSupported:swbreak+");
    ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "insn_cli")));
    ask(&sc, "c");
    there = sc.s.g.rw.m->at;
    for (s_time_t before = 1; before < 40; before++) {
        s_time_t now;

        assert_int_equal(debugger_goto(&sc.s.g.dbg, there), DEBUG_THERE);
        now = host_now(sc.s.g.host);
        assert_int_equal(debugger_goto(&sc.s.g.dbg, (struct position){ there.insns - 60, 0 }), DEBUG_THERE);
        ask_slices(&sc, "c", now - host_now(sc.s.g.host) - 20 + before);
        assert_string_equal(sc.reply, "T05thread:1;swbreak:;");
        assert_memory_equal(&sc.s.g.rw.m->at, &there, sizeof(there));
    }
    end(&sc);
}

static void test_steps(void **state)
{
    uint64_t rip[40];
    struct scene sc;

    begin(&sc, RINGS, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(rip); i++) {
        rip[i] = pc(&sc);
        assert_string_equal(ask(&sc, i % 2 ? "s" : "vCont;s:1;c"), "T05thread:1;");
    }
    for (size_t i = ARRAY_SIZE(rip); i-- > 0;) {
        assert_string_equal(ask(&sc, "Hc0"), "OK"); /* as gdb does */
        assert_string_equal(ask(&sc, "bs"), "T05thread:1;");
        assert_int_equal(pc(&sc), rip[i]);
    }
    assert_string_equal(ask(&sc, "bs"), "T05thread:1;replaylog:begin:;");
    assert_string_equal(ask(&sc, "bs"), "T05thread:1;replaylog:begin:;");
    end(&sc);
}

/* A watched word: the run stops behind who changed it, back in front of it; and so does a step. */
static void test_watches(void **state)
{
    struct scene sc;
    char what[64], zap[64];
    uint64_t at, behind, front;

    begin(&sc, RINGS, NULL);
    ask(&sc, "qSupported:swbreak+");
    debug_command(&sc.s.g, "hypercall"); /* it has a stack of its own by now */
    at = value(&sc, "%rsp") - 8;
    snprintf(zap, sizeof(zap), "2,%llx,1000", (unsigned long long)at - 4088);
    assert_string_equal(ask(&sc, format("Z%s", zap)), "OK");
    assert_true(begins(ask(&sc, "c"), "T05thread:1;watch:"));
    snprintf(what, sizeof(what), "%.60s", sc.reply);
    behind = pc(&sc);
    assert_string_equal(ask(&sc, "bc"), what);
    front = pc(&sc);
    assert_string_equal(ask(&sc, "s"), what);
    assert_int_equal(pc(&sc), behind);
    assert_string_equal(ask(&sc, "bs"), what);
    assert_int_equal(pc(&sc), front);
    assert_string_equal(ask(&sc, format("z%s", zap)), "OK");
    assert_string_equal(ask(&sc, "s"), "T05thread:1;");
    assert_int_equal(sc.s.g.dbg.stops.nr, 0);
    for (unsigned int type = 3; type <= 4; type++) { /* of the whole stack */
        snprintf(zap, sizeof(zap), "%u,%llx,1000", type, (unsigned long long)at - 4088);
        assert_string_equal(ask(&sc, format("Z%s", zap)), "OK");
        assert_true(begins(ask(&sc, "c"), type == 3 ? "T05thread:1;rwatch:" : "T05thread:1;awatch:"));
        assert_string_equal(ask(&sc, format("z%s", zap)), "OK");
    }
    assert_int_equal(sc.s.g.dbg.stops.nr, 0);
    end(&sc);
}

/* Those of other doors are stops that gdb does not know: it is not told that they are its own. */
static void test_stops_of_others(void **state)
{
    struct scene sc;
    const char *cli;

    begin(&sc, RINGS, NULL);
    ask(&sc, "qSupported:swbreak+;hwbreak+");
    debug_command(&sc.s.g, "break insn_cli");
    assert_string_equal(ask(&sc, "c"), "T05thread:1;");
    cli = format("0,%llx,1", (unsigned long long)value(&sc, "insn_cli"));
    ask(&sc, format("Z%s", cli));
    assert_string_equal(ask(&sc, "c"), "T05thread:1;swbreak:;");
    ask(&sc, format("Z1%s", cli + 1));
    ask(&sc, format("z%s", cli));
    assert_string_equal(ask(&sc, "c"), "T05thread:1;hwbreak:;");
    debug_command(&sc.s.g, "delete all"); /* gdb's as well: it does not mind */
    assert_string_equal(ask(&sc, format("z1%s", cli + 1)), "OK");
    assert_string_equal(ask(&sc, "c"), "T05thread:1;replaylog:end:;");
    end(&sc);
}

/* One domain a client: another one that comes to the same address is none of its threads, and stops nothing. */
static void test_two_domains(void **state)
{
    struct scene sc;
    unsigned int nr = 0;

    begin(&sc, RINGS, RINGS);
    sc.gdb->dom = 2;
    ask(&sc, "qSupported:swbreak+");
    assert_string_equal(ask(&sc, "qfThreadInfo"), "m1");
    assert_true(begins(ask(&sc, "qThreadExtraInfo,1"), "64327630")); /* d2v0 */
    assert_string_equal(ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "insn_cli"))), "OK");
    for (; !strcmp(ask(&sc, "c"), "T05thread:1;swbreak:;"); nr++) {
        assert_int_equal(pc(&sc), value(&sc, "insn_cli"));
        assert_int_equal(debug_loop(&sc.s.g.dbg)->v->domain->domain_id, 2);
    }
    assert_string_equal(sc.reply, "T05thread:1;replaylog:end:;");
    assert_true(nr > 2);
    for (; !strcmp(ask(&sc, "bc"), "T05thread:1;swbreak:;"); nr--)
        ;
    assert_string_equal(sc.reply, "T05thread:1;replaylog:begin:;");
    assert_int_equal(nr, 0);
    end(&sc);
}

/* A guest with several vCPUs: who steps is who was chosen last by Hg, and nobody is named who was not resumed. */
static void test_threads(void **state)
{
    struct scene sc;
    unsigned int others = 0;
    uint64_t at, vcpu_op;

    begin(&sc, SMP, "--vcpus=3");
    ask(&sc, "qSupported:swbreak+");
    assert_string_equal(ask(&sc, "qfThreadInfo"), "m1,2,3");
    vcpu_op = value(&sc, "hypercall_page+24*32");
    ask(&sc, format("Z0,%llx,1", (unsigned long long)vcpu_op));
    for (unsigned int i = 0; i < 200 && strcmp(ask(&sc, "vCont;c"), "T05thread:2;swbreak:;"); i++)
        if (strstr(sc.reply, "replaylog"))
            break;
    if (!strstr(sc.reply, "replaylog")) {
        assert_string_equal(ask(&sc, "qC"), "QC2");
        ask(&sc, "Hc0");
        assert_true(begins(ask(&sc, "bs"), "T05thread:2;"));
        assert_true(begins(ask(&sc, "vCont;s:1"), "T05thread:1;"));
        ask(&sc, "Hg2");
        ask(&sc, "Hc0");
        assert_true(begins(ask(&sc, "bs"), "T05thread:2;"));
    }
    at = value(&sc, "hypercall_page+29*32"); /* sched_op: all of them come there */
    assert_string_equal(ask(&sc, format("Z0,%llx,1", (unsigned long long)at)), "OK");
    for (unsigned int i = 0; i < 20 && !strstr(sc.reply, "replaylog"); i++) { /* scheduler-locking */
        ask(&sc, "vCont;c:1");
        assert_true(begins(sc.reply, "T05thread:1;"));
        if (strstr(sc.reply, "swbreak")) {
            assert_true(pc(&sc) == at || pc(&sc) == vcpu_op); /* it is there itself */
            others++;
        }
    }
    ask(&sc, "Hc1");
    assert_true(begins(ask(&sc, "bc"), "T05thread:1;"));
    assert_string_equal(ask(&sc, "vCont;c:9"), "E01");
    assert_string_equal(ask(&sc, "vCont;q"), "E01");
    assert_string_equal(ask(&sc, "vCont"), "E01");
    assert_true(others > 0);
    end(&sc);
}

/* Whoever runs alone is the only one that stops are told of, whatever has stopped it, and whoever was asked about. */
static void test_alone(void **state)
{
    struct scene sc;

    begin(&sc, SMP, "--vcpus=2");
    ask(&sc, "qSupported:swbreak+");
    ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "secondary")));
    assert_string_equal(ask(&sc, "vCont;c"), "T05thread:2;swbreak:;");
    for (unsigned int other = 1; other <= 2; other++) { /* the one that packets were about last */
        const char *hg = other == 1 ? "Hg1" : "Hg2", *alone = other == 1 ? "vCont;c:2" : "vCont;c:1";
        const char *told = other == 1 ? "thread:2;" : "thread:1;";
        struct bytes b = { 0 };

        assert_string_equal(ask(&sc, hg), "OK");
        packet_put(&b, alone, strlen(alone));
        gdb_server_take(sc.gdb, b.at, b.len);
        bytes_free(&b);
        gdb_server_go(sc.gdb, host_now(sc.s.g.host) + 1000);
        gdb_server_interrupt(sc.gdb);
        listen_to(&sc);
        assert_string_equal(sc.reply, format("T02%s", told));
        assert_string_equal(ask(&sc, hg), "OK"); /* the domain is gone at the end */
        assert_string_equal(ask(&sc, alone), format("T05%sreplaylog:end:;", told));
        assert_string_equal(ask(&sc, hg), "OK");
        assert_string_equal(ask(&sc, alone), format("T05%sreplaylog:end:;", told));
        assert_string_equal(ask(&sc, hg), "OK");
        assert_string_equal(ask(&sc, other == 1 ? "vCont;s:2" : "vCont;s:1"), format("T05%sreplaylog:end:;", told));
        assert_string_equal(ask(&sc, other == 1 ? "Hc2" : "Hc1"), "OK");
        assert_string_equal(ask(&sc, hg), "OK");
        while (!strstr(ask(&sc, "bc"), "replaylog:begin"))
            assert_true(begins(sc.reply + 3, told));
        assert_string_equal(sc.reply, format("T05%sreplaylog:begin:;", told));
    }
    end(&sc);
}

/* A vCPU that nobody brings up has no next instruction: gdb, which waits for the answer, gets one. */
static void test_step_of_who_is_down(void **state)
{
    struct scene sc;
    struct position at;

    begin(&sc, "build/guests/spinner", "--vcpus=2");
    sc.s.g.dbg.limit = STIME_MAX;
    at = sc.s.g.rw.m->at;
    for (unsigned int i = 0; i < 2; i++) {
        assert_string_equal(ask(&sc, "vCont;s:2"), "T05thread:2;");
        assert_non_null(strstr(sc.console, "d1v1 has no next instruction soon, it is offline: it is down"));
        assert_memory_equal(&sc.s.g.rw.m->at, &at, sizeof(at));
    }
    assert_string_equal(ask(&sc, "vCont;s:1"), "T05thread:1;");
    assert_true(position_is_before(at, sc.s.g.rw.m->at));
    end(&sc);
}

/* One who comes when the domain is gone is shown the last that it did. */
static void test_late(void **state)
{
    struct scene sc;
    struct look_vcpu v;

    begin(&sc, SMP, "--vcpus=2");
    debug_command(&sc.s.g, "continue");
    assert_false(look_vcpu(sc.s.g.host, 1, 0, &v));
    assert_string_equal(ask(&sc, "?"), "T05thread:1;");
    assert_true(strlen(ask(&sc, "g")) > 100);
    assert_string_equal(ask(&sc, "qfThreadInfo"), "m1,2");
    assert_string_equal(ask(&sc, "c"), "T05thread:1;replaylog:end:;");
    end(&sc);
}

/* `monitor` is the table of commands; what is said is gdb's, and the session goes on. */
static void test_monitor(void **state)
{
    struct position there;
    struct scene sc;

    begin(&sc, RINGS, NULL);
    assert_non_null(strstr(monitor(&sc, "where"), "LIVE, the end of branch main"));
    assert_null(strstr(sc.console, "flush"));
    assert_non_null(strstr(monitor(&sc, "hypercall 2; why"), "flush register-cache"));
    /* What gdb sends once, however often it was asked: reverse-continue 3. */
    ask(&sc, format("Z0,%llx,1", (unsigned long long)value(&sc, "insn_cli")));
    ask(&sc, "c");
    there = sc.s.g.rw.m->at;
    for (unsigned int i = 0; i < 3; i++)
        assert_true(begins(ask(&sc, "c"), "T05thread:1;") && !strstr(sc.reply, "replaylog"));
    monitor(&sc, "3C");
    assert_memory_equal(&sc.s.g.rw.m->at, &there, sizeof(there));
    assert_non_null(strstr(monitor(&sc, "nonsense"), "error:"));
    assert_false(sc.s.g.failed);
    monitor(&sc, "quit");
    assert_false(sc.s.g.quit);
    assert_true(sc.s.g.say.out == sc.said);
    assert_string_equal(ask(&sc, "qRcmd,4"), "E01");
    assert_string_equal(ask(&sc, "qRcmd,zz"), "E01");
    assert_string_equal(ask(&sc, "qRcmd,00"), "E01");
    end(&sc);
}

/* Ctrl-C stops a run where it is; what nobody has let run is not stopped. */
static void test_interrupt(void **state)
{
    struct scene sc;

    begin(&sc, RINGS, NULL);
    gdb_server_take(sc.gdb, "\003", 1);
    assert_int_equal(sc.gdb->out.len, 0);
    gdb_server_take(sc.gdb, "$c#63", 5);
    assert_int_equal(gdb_server_go(sc.gdb, host_now(sc.s.g.host) + MICROSECS(10)), GDB_RUNS);
    gdb_server_take(sc.gdb, "$g#67\003", 6); /* it is too early for that */
    listen_to(&sc);
    assert_string_equal(sc.reply, "T02thread:1;");
    assert_int_equal(sc.gdb->wish, GDB_STAND);
    end(&sc);
}

/* Somebody looks often enough whether there is a Ctrl-C: in a guest that only computes, which is all host. */
static void test_interrupt_is_seen(void **state)
{
    struct scene sc;
    s_time_t before;

    begin(&sc, "build/guests/spinner", NULL);
    before = sc.s.g.rw.end_now;
    sc.process.stop = true;
    assert_int_equal(debugger_continue(&sc.s.g.dbg), DEBUG_INTERRUPTED);
    sc.process.stop = false;
    assert_true(sc.s.g.rw.end_now > before && sc.s.g.rw.end_now < before + MICROSECS(1100));
    end(&sc);
}

/* A guest that sleeps is not one that waits for a key: who goes on comes to where it wakes up, and to the end. */
static void test_sleeper(void **state)
{
    struct scene sc;
    struct position before;
    enum debug_result r;
    unsigned int nr = 0;

    begin(&sc, "build/guests/timer", "--max-vtime=100s");
    do {
        before = sc.s.g.rw.m->at;
        r = debugger_continue(&sc.s.g.dbg);
        assert_true(r == DEBUG_INPUT || r == DEBUG_END);
        assert_true(position_is_before(before, sc.s.g.rw.m->at) && nr++ < 50);
    } while (r == DEBUG_INPUT);
    end(&sc);
}

/* What is not well is asked for again, by both sides. */
static void test_once_more(void **state)
{
    struct scene sc;

    begin(&sc, RINGS, NULL);
    gdb_server_take(sc.gdb, "$qC#00", 6);
    assert_int_equal(sc.gdb->out.len, 1);
    assert_int_equal(sc.gdb->out.at[0], '-');
    sc.gdb->out.len = 0;
    gdb_server_take(sc.gdb, "$qC#b4-", 7);
    assert_int_equal(sc.gdb->out.len, 1 + 7 + 7);
    assert_memory_equal(sc.gdb->out.at, "+$QC1#c5$QC1#c5", 15);
    end(&sc);
}

/* ----------------------------------------------------------------------------------------------------- strangers -- */

/* Somebody who knows the words, and not the language. */
static size_t nonsense(char *text, size_t size)
{
    static const char *const words[] = { "g",
                                         "G",
                                         "p",
                                         "P",
                                         "m",
                                         "M",
                                         "X",
                                         "Z0,",
                                         "Z2,",
                                         "z0,",
                                         "Z4,",
                                         "Hg",
                                         "Hc",
                                         "T",
                                         "vCont;",
                                         "s",
                                         "c",
                                         "bs",
                                         "bc",
                                         "?",
                                         "qRcmd,",
                                         "qC",
                                         "qXfer:features:read:target.xml:",
                                         "qXfer:threads:read::",
                                         "qThreadExtraInfo,",
                                         "qSupported:swbreak+",
                                         "qfThreadInfo",
                                         "k",
                                         "D",
                                         "!",
                                         "-1",
                                         "p1.",
                                         "0",
                                         "1",
                                         "ffffffff",
                                         ",",
                                         ":",
                                         ";",
                                         "=",
                                         "#",
                                         "$",
                                         "}",
                                         "80000000",
                                         "ffffffff80001000",
                                         "400000",
                                         "10",
                                         "73746570",
                                         "626f6f" };
    size_t n = 0;

    for (unsigned int i = random_of(&prng, 8) + 1; i-- > 0;) {
        const char *w = words[random_of(&prng, ARRAY_SIZE(words))];

        if (!random_of(&prng, 6))
            n += (size_t)snprintf(text + n, size - n, "%c", 1 + (int)random_of(&prng, 255));
        else
            n += (size_t)snprintf(text + n, size - n, "%s", w);
    }
    return n;
}

/* Packets and bytes of all kinds: always an answer, or none, and the machine goes on. */
static void test_strangers(void **state)
{
    struct scene sc;
    unsigned int answers = 0, left = 0;

    begin(&sc, RINGS, "--history=16");
    for (unsigned int i = 0; i < rounds(3000); i++) {
        char text[512];
        const size_t n = nonsense(text, sizeof(text));
        struct bytes b = { 0 };

        packet_put(&b, text, n);
        if (!random_of(&prng, 5)) /* not all of it, or not as it was */
            b.len = random_of(&prng, (unsigned int)b.len);
        else if (!random_of(&prng, 5))
            b.at[random_of(&prng, (unsigned int)b.len)] = (char)random_of(&prng, 256);
        gdb_server_take(sc.gdb, b.at, b.len);
        bytes_free(&b);
        for (unsigned int k = 0; k < 3 && sc.gdb->wish != GDB_STAND; k++)
            if (gdb_server_go(sc.gdb, host_now(sc.s.g.host) + MICROSECS(20)) == GDB_IDLE)
                gdb_server_end_of_run(sc.gdb, "");
        if (sc.gdb->wish != GDB_STAND)
            gdb_server_take(sc.gdb, "#00\003", 4);
        assert_true(sc.gdb->wish == GDB_STAND || sc.gdb->in.state != PACKET_OUTSIDE);
        if (sc.gdb->wish != GDB_STAND) /* the break was in the middle of a packet */
            gdb_server_interrupt(sc.gdb);
        answers += sc.gdb->out.len > 0;
        assert_true(sc.gdb->out.len < 8 * PACKET_MAX);
        sc.gdb->out.len = 0;
        if (sc.gdb->detached || sc.gdb->killed || !random_of(&prng, 50)) { /* another one comes */
            gdb_server_end(sc.gdb);
            memset(sc.gdb, 0, sizeof(*sc.gdb));
            gdb_server_begin(sc.gdb, &sc.s.g, 1, GDB_LAYOUT_64);
            assert_int_equal(sc.s.g.dbg.stops.nr, 0);
            left++;
        }
    }
    assert_true(answers > rounds(3000) / 4 && left > 5);
    assert_string_equal(sc.s.g.rw.err, "");
    end(&sc);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_frames_by_hand),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_registers_of_32_bits),
        cmocka_unit_test(test_real_mode),
        cmocka_unit_test(test_rings),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_breakpoints_are_not_in_memory),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_changes_in_the_past),
        cmocka_unit_test(test_stops_are_the_same_either_way),
        cmocka_unit_test(test_time_is_up_at_a_breakpoint),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_watches),
        cmocka_unit_test(test_stops_of_others),
        cmocka_unit_test(test_two_domains),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_step_of_who_is_down),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_interrupt_is_seen),
        cmocka_unit_test(test_sleeper),
        cmocka_unit_test(test_once_more),
        cmocka_unit_test(test_strangers),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
