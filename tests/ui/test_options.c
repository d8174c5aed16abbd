// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of `xenlab run`: what is read, and that everything wrong is an error that names it; what of it is
 * recorded.
 *
 * Budget: tables of command lines, and what is found by going through the help.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ui/help.h"
#include "ui/options.h"

#define WORDS_MAX 56

/* Parse a line that is split at spaces; "_" stands for an empty word. */
static int parse(struct run_options *o, const char *line, char err[OPTIONS_ERR_SIZE])
{
    static char copy[512]; /* options point into it */
    char *words[WORDS_MAX], *save = NULL;
    int n = 0;

    assert_true(strlen(line) < sizeof(copy));
    strcpy(copy, line);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        assert_true(n < WORDS_MAX);
        words[n] = w;
        if (!strcmp(w, "_"))
            *words[n] = '\0';
        n++;
    }
    err[0] = '\0';
    return options_parse(o, COMMAND_RUN, n, words, err);
}

static void test_everything(void **state)
{
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(
        parse(&o,
              "--memory 128 a --vcpus=2 --cmdline x=1 --ramdisk r --type pvh --ram 1024 --pcpus 16 "
              "--copies 1000 --sched credit2,ratelimit_us=0 --seed 18446744073709551615 b --max-vtime 20ms --realtime "
              "--net br1,mac=00:16:3e:00:00:01 --net rate=1MB/s --share /srv,rw --share /x,tag=x --pcap vif1.0=a "
              "--channel name=a,connection=pty --channel connection=socket,path=/s,name=b "
              "--pcap b --trace t --stats --console-to pty --console-to b=file:=x "
              "--audit --fb --fb-png p --fb-window --vnc 0 -vvq",
              err),
        0);
    assert_int_equal(o.nr_guests, 2);
    assert_string_equal(o.guests[0], "a");
    assert_string_equal(o.guests[1], "b");
    assert_int_equal(o.memory_mib, 128);
    assert_int_equal(o.vcpus, 2);
    assert_int_equal(o.copies, 1000);
    assert_string_equal(o.cmdline, "x=1");
    assert_string_equal(o.ramdisk, "r");
    assert_string_equal(o.type_name, "pvh");
    assert_int_equal(o.type, XL_TYPE_PVH);
    assert_int_equal(o.ram_mib, 1024);
    assert_int_equal(o.nr_pcpus, 16);
    assert_string_equal(o.sched, "credit2,ratelimit_us=0");
    assert_true(o.seed == UINT64_MAX);
    assert_int_equal(o.max_vtime, MILLISECS(20));
    assert_string_equal(o.trace, "t");
    assert_int_equal(o.nr_pcap, 2);
    assert_string_equal(o.pcap[0], "vif1.0=a");
    assert_string_equal(o.pcap[1], "b");
    assert_int_equal(o.nr_console_to, 2);
    assert_true(o.fb && o.fb_window && !strcmp(o.fb_png, "p") && !strcmp(o.vnc, "0"));
    assert_string_equal(o.console_to[1], "b=file:=x");
    assert_int_equal(o.channels.nr, 2);
    assert_string_equal(o.channels.list[0].name, "a");
    assert_string_equal(o.channels.list[1].path, "/s");
    assert_int_equal(o.vifs.nr, 2);
    assert_string_equal(o.vifs.list[0].bridge, "br1");
    assert_true(o.vifs.list[0].has_mac && o.vifs.list[0].mac[5] == 1 && o.vifs.list[1].devid == 1);
    assert_true(o.vifs.list[1].rate_bytes == 50000 && !strcmp(o.vifs.list[1].bridge, "xenbr0"));
    assert_true(o.realtime && o.stats && o.audit && !o.help);
    assert_int_equal(o.verbose, 2);
    assert_int_equal(o.quiet, 1);
    options_free(&o);
}

/* Scheduling of the guests: the same words as xl.cfg, and the pools that they may live in. */
static void test_scheduling(void **state)
{
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(parse(&o,
                           "--cpu-weight 512 --cap=0 --period 20000 --budget 5000 --extratime 1 --cpus 0-3,^1 "
                           "--cpus-soft 2 --pool rt --cpupool rt=2-3:rtds --cpupool x=1 --on-crash preserve g",
                           err),
                     0);
    assert_int_equal(o.guest_sched.number[XL_SCHED_WEIGHT].value, 512);
    assert_string_equal(o.guest_sched.number[XL_SCHED_CAP].where, "--cap");
    assert_int_equal(o.guest_sched.number[XL_SCHED_CAP].value, 0);
    assert_int_equal(o.guest_sched.number[XL_SCHED_PERIOD].value, 20000);
    assert_int_equal(o.guest_sched.number[XL_SCHED_BUDGET].value, 5000);
    assert_int_equal(o.guest_sched.number[XL_SCHED_EXTRATIME].value, 1);
    assert_int_equal(o.guest_sched.hard.cpus[0].mask, 0xd);
    assert_int_equal(o.guest_sched.soft.cpus[0].mask, 4);
    assert_string_equal(o.guest_sched.pool, "rt");
    assert_int_equal(o.nr_pools, 2);
    assert_string_equal(o.pools[0].name, "rt");
    assert_string_equal(o.pools[0].sched, "rtds");
    assert_int_equal(o.pools[0].cpus.mask, 0xc);
    assert_string_equal(o.pools[1].sched, "");
    assert_true(o.on_crash.stated && o.on_crash.action == XL_ACTION_PRESERVE && !o.on_reboot.stated);
    options_free(&o);
}

/* The last one counts; what it says is read as in xl.cfg. */
static void test_cpuid(void **state)
{
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(parse(&o, "--cpuid host,sse2=0 --cpuid host,fsgsbase=0 g", err), 0);
    assert_string_equal(o.cpuid.where, "--cpuid");
    assert_int_equal(o.cpuid.nr, 1);
    assert_int_equal(o.cpuid.leaf[0].leaf, 7);
    assert_int_equal(o.cpuid.leaf[0].reg[1][31], '0');
    options_free(&o);
}

static void test_nothing(void **state)
{
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(parse(&o, "g", err), 0);
    assert_int_equal(o.nr_guests, 1);
    assert_true(!o.memory_mib && !o.vcpus && !o.copies && !o.name && !o.cmdline && !o.ramdisk && !o.type_name &&
                !o.ram_mib);
    assert_true(!o.nr_pcpus && !o.seed && !o.sched && !o.max_vtime && !o.trace && !o.verbose && !o.quiet);
    assert_false(o.realtime || o.stats || o.audit || o.help);
    options_free(&o);
}

/* An empty command line is one; options end at "--"; "-" is a name; help needs no guest; what comes last counts. */
static void test_corners(void **state)
{
    char err[OPTIONS_ERR_SIZE];
    struct run_options o;

    assert_int_equal(parse(&o, "--cmdline= --memory 1 --memory 2 - -- --stats -v", err), 0);
    assert_string_equal(o.cmdline, "");
    assert_int_equal(o.memory_mib, 2);
    assert_int_equal(o.nr_guests, 3);
    assert_string_equal(o.guests[1], "--stats");
    assert_false(o.stats);
    options_free(&o);
    assert_int_equal(parse(&o, "--cmdline _ g", err), 0);
    assert_string_equal(o.cmdline, "");
    options_free(&o);
    assert_int_equal(parse(&o, "--help", err), 0);
    assert_true(o.help);
    options_free(&o);
}

/* Each line, and a word of the message that it must give. */
static const struct {
    const char *line, *says;
} wrong[] = {
    { "", "which guest" },
    { "--stats", "which guest" },
    { "--nosuch g", "--nosuch" },
    { "--mem 5 g", "there is no option --mem; did you mean --memory?" },
    { "--memoryx=5 g", "there is no option --memoryx; did you mean --memory?" },
    { "--ramdsik x g", "did you mean --ramdisk?" },
    { "--on_crash destroy g", "did you mean --on-crash?" },
    { "--nothing-like-it g", "there is no option --nothing-like-it (see: xenlab run --help)" },
    { "-x g", "-x" },
    { "-vx g", "-x" },
    { "g --memory", "--memory needs a value" },
    { "--memory= g", "\"\" is no size" },
    { "--memory 0 g", "from 1 to 524287" },
    { "--memory 524288 g", "524288" },
    { "--memory -1 g", "\"-1\"" },
    { "--memory +1 g", "\"+1\"" },
    { "--memory 0x10 g", "0x10" },
    { "--memory 64K g", "64K" },
    { "--memory 99999999999999999999999 g", "is no size" },
    { "--vcpus 0 g", "--vcpus" },
    { "--copies 0 g", "from 1 to 2046" },
    { "--copies 2047 g", "--copies: \"2047\" is no number from 1 to 2046" },
    { "--copies 1024 a b", "2048 guests are too many: dom0 has event channels for 2046" },
    { "--vcpus 65 g", "from 1 to 64" },
    { "--pcpus 17 g", "from 1 to 16" },
    { "--ram 31 g", "--ram" },
    { "--seed x g", "\"x\" is no number" },
    { "--seed 18446744073709551616 g", "is no number" },
    { "--type PV g", "--type" },
    { "--type= g", "--type" },
    { "--max-vtime 5 g", "--max-vtime" },
    { "--max-vtime 0s g", "--max-vtime" },
    { "--bench --cpupool a=1 g", "--bench: the workbench has one CPU pool: not with --cpupool" },
    { "--power-cut 0s g", "--power-cut" },
    { "--power-cut 1s --record r g", "--power-cut: with --record no file of a disk is written at once" },
    { "--power-cut 1s --gdb 0 g", "--power-cut: with --gdb no file of a disk is written at once" },
    { "--power-cut 1s --disk-writes exit g", "--power-cut: with --disk-writes no file of a disk is written at once" },
    { "--device-model qemu g", "--device-model: expected dom0, domain or xen, got \"qemu\"" },
    { "--technique trap g", "--technique: expected hardware, emulate, ring1 or translate, got \"trap\"" },
    { "--segments big g", "--segments: expected exact or fast, got \"big\"" },
    { "--disk-writes soon g", "--disk-writes: expected live, exit or never, got \"soon\"" },
    { "--disk-writes live --record r g",
      "--disk-writes: live: a recording needs the disks as they were: exit or never" },
    { "--disk-writes live --gdb 0 g",
      "--disk-writes: live: a run that goes back could not take it back: exit or never" },
    { "--disk-writes exit --record r g", "--disk-writes: exit: a recording needs the disks as they were" },
    { "--ramdisk _ g", "--ramdisk: the value is empty" },
    { "--vnc 65536 g", "--vnc: \"65536\" is no number from 0 to 65535" },
    { "--vnc x g", "--vnc: \"x\" is no number from 0 to 65535" },
    { "--pcap= g", "--pcap: the value is empty" },
    { "--pcap 1 --pcap 2 --pcap 3 --pcap 4 --pcap 5 --pcap 6 --pcap 7 --pcap 8 --pcap 9 g",
      "--pcap: more than 8 files" },
    { "--net br0,br1 g", "--net: expected NAME=VALUE, got \"br1\"" },
    { "--channel name=a g", "--channel: connection= is missing" },
    { "--channel name=a,connection=tcp g", "--channel: connection=tcp: expected pty or socket" },
    { "--fault 5ms:burn g", "--fault: expected TIME:WHAT, where WHAT is crash=DOMAIN, freeze=DOMAIN,TIME, " },
    { "--driver-domain a --driver-domain a g",
      "--driver-domain: there is a driver domain of this name already, got \"a\"" },
    { "--driver-domain Domain-0 g", "--driver-domain: that is dom0, got \"Domain-0\"" },
    { "--driver-domain a/b g", "--driver-domain: expected a name of one line without slashes, " },
    { "--share ,rw g", "--share: path=: expected 1 to 383 characters" },
    { "--share /srv,wr g", "--share: expected rw, ro or NAME=VALUE, got \"wr\"" },
    { "--share /a --share /b,tag=share g", "--share: tag=share: there is a folder with this tag already" },
    { "--net a/b g", "--net: bridge=a/b: expected a name of 1 to 15 characters, without / and :" },
    { "--trace= g", "--trace: the value is empty" },
    { "--trace-filter=1 g", "--trace-filter: there is no trace to filter" },
    { "--name _ g", "--name: the value is empty" },
    { "--sched cfs g",
      "--sched: there is no scheduler \"cfs\" (there are: credit, credit2, rtds, arinc653, null, rr)" },
    { "--sched rtds,x=1 g", "--sched: rtds has no parameter \"x\" (it has: none)" },
    { "--sched credit,tslice_ms=0 g", "--sched: expected tslice_ms=1 to 1000" },
    { "--sched= g", "--sched: the value is empty" },
    { "--on-crash explode g", "--on-crash: expected destroy, restart" },
    { "--on-reboot _ g", "--on-reboot: expected" },
    { "--cpu-weight 0 g", "--cpu-weight: expected a weight from 1 to 65535, got \"0\"" },
    { "--cpu-weight 65536 g", "65536" },
    { "--cpuid fsgsbase=0 g", "--cpuid: the first word is to be \"host\"" },
    { "--cpuid host,foo=0 g", "--cpuid: unknown name of a CPUID flag: \"foo\"" },
    { "--cap -1 g", "--cap: expected percent" },
    { "--period 0 g", "--period: expected a positive number of microseconds" },
    { "--extratime yes g", "--extratime: expected 0 or 1" },
    { "--cpus 3-1 g", "--cpus: expected pCPUs such as" },
    { "--cpus _ g", "--cpus" },
    { "--cpus-soft node:1 g", "--cpus-soft: the machine has one NUMA node" },
    { "--pool _ g", "--pool: the value is empty" },
    { "--cpupool rt g", "--cpupool: expected NAME=CPUS" },
    { "--cpupool =1 g", "--cpupool: expected NAME=CPUS" },
    { "--cpupool a=1:cfs g", "no scheduler \"cfs\" (there are: credit" },
    { "--cpupool a=x g", "--cpupool: expected pCPUs such as" },
    { "--stats=yes g", "--stats takes no value" },
    { "--verbose=2 g", "--verbose takes no value" },
    { "--name n a b", "--name" },
};

static void test_errors(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char err[OPTIONS_ERR_SIZE];
        struct run_options o;

        if (parse(&o, wrong[i].line, err) != -1)
            fail_msg("\"%s\" is accepted", wrong[i].line);
        if (!strstr(err, wrong[i].says))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", wrong[i].line, err, wrong[i].says);
        options_free(&o);
    }
}

static char *help_text(enum options_command command)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    help_print(command, out);
    fclose(out);
    return text;
}

/* The long options, from the help. */
static size_t option_names(enum options_command command, char names[][32], size_t max)
{
    char *text = help_text(command);
    size_t nr = 0;

    for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const char *dashes = line[0] == ' ' && line[1] == ' ' && line[2] == '-' ? strstr(line, "--") : NULL;

        if (dashes && dashes < line + 8) {
            assert_true(nr < max);
            snprintf(names[nr++], 32, "%.*s", (int)strspn(dashes + 2, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                     dashes + 2);
        }
    }
    free(text);
    return nr;
}

/* Every beginning, of three letters or more, that fits one option only is answered with that one. */
static void test_beginnings(void **state)
{
    char names[64][32];
    const size_t nr = option_names(COMMAND_RUN, names, 64);
    unsigned int tried = 0;

    assert_true(nr >= 35);
    for (size_t i = 0; i < nr; i++)
        for (size_t len = 3; len < strlen(names[i]); len++) {
            char line[64], says[64], err[OPTIONS_ERR_SIZE];
            struct run_options o;
            size_t fits = 0;

            for (size_t k = 0; k < nr; k++)
                fits += !strncmp(names[i], names[k], len);
            if (fits > 1)
                continue;
            snprintf(line, sizeof(line), "--%.*s=1 g", (int)len, names[i]);
            snprintf(says, sizeof(says), "; did you mean --%s? (see", names[i]);
            assert_int_equal(parse(&o, line, err), -1);
            if (!strstr(err, says))
                fail_msg("%s: \"%s\"", line, err);
            options_free(&o);
            tried++;
        }
    assert_true(tried > 80);
}

/* Those of which not every text is a value. */
static const struct {
    const char *name, *value;
} values[] = {
    { "fault", "5ms:crash=a" },
    { "type", "pv" },
    { "cpuid", "host,sse4_2=0" },
    { "cpus", "0-3,^1" },
    { "cpus-soft", "1" },
    { "cpu-weight", "256" },
    { "on-poweroff", "destroy" },
    { "on-reboot", "destroy" },
    { "on-crash", "restart" },
    { "on-watchdog", "preserve" },
    { "period", "20000" },
    { "budget", "4000" },
    { "extratime", "1" },
    { "ram", "64" },
    { "sched", "credit" },
    { "cpupool", "a=1:rtds" },
    { "max-vtime", "20ms" },
    { "power-cut", "20ms" },
    { "disk-writes", "never" },
    { "device-model", "xen" },
    { "technique", "emulate" },
    { "segments", "exact" },
    /* those that have none */
    { "channel", "name=a,connection=pty" },
    { "console-to", "pty" },
    { "audit", NULL },
    { "fb", NULL },
    { "dom0", NULL },
    { "fb-window", NULL },
    { "plain-engine", NULL },
    { "verbose", NULL },
    { "quiet", NULL },
    { "help", NULL },
    { "realtime", NULL },
    { "stats", NULL },
    { "bench", NULL },
};

static char *option_word(const char *name)
{
    const char *value = "7";
    char *word;

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (!strcmp(values[i].name, name))
            value = values[i].value;
    assert_true(asprintf(&word, "--%s%s%s", name, value ? "=" : "", value ? value : "") > 0);
    return word;
}

/* Each command has --help and -h, and what it does not know it refuses under its own name. */
static void test_every_command(void **state)
{
    static const struct {
        enum options_command command;
        const char *name;
    } commands[] = { { COMMAND_RUN, "run" },
                     { COMMAND_DEBUG, "debug" },
                     { COMMAND_TUI, "tui" },
                     { COMMAND_TOUR, "tour" },
                     { COMMAND_REPLAY, "replay" } };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        for (unsigned int k = 0; k < 4; k++) {
            char word[16], err[OPTIONS_ERR_SIZE] = "", see[64];
            char *args[] = { word };
            struct run_options o;

            snprintf(word, sizeof(word), "%s", k == 0 ? "--help" : k == 1 ? "-h" : k == 2 ? "--xyzzy" : "-%");
            snprintf(see, sizeof(see), "(see: xenlab %s --help)", commands[i].name);
            assert_int_equal(options_parse(&o, commands[i].command, 1, args, err), k < 2 ? 0 : -1);
            assert_true(k < 2 ? o.help : strstr(err, see) != NULL);
            options_free(&o);
        }
}

/*
 * What xenlab run takes and xenlab replay does not is recorded, as it was given, and read again from a recording, which
 * has nothing else.
 */
static void test_recorded(void **state)
{
    char run[64][32], replay[64][32], err[OPTIONS_ERR_SIZE];
    const size_t nr = option_names(COMMAND_RUN, run, 64), nr_replay = option_names(COMMAND_REPLAY, replay, 64);
    unsigned int recorded = 0;

    for (size_t i = 0; i < nr; i++) {
        char *word = option_word(run[i]), *trace = (char[]){ "--trace=t" }, *guest = (char[]){ "g" };
        char *policy = (char[]){ "--balloon-policy=still" }, *args[] = { word, guest, trace },
             *recording[] = { (char[]){ "file" } };
        struct run_options o, again;
        const bool gdb = !strcmp(run[i], "gdb");             /* which has no recording, and --trace not */
        const bool balloon = !strncmp(run[i], "balloon", 7); /* --balloon-json is of a policy */
        bool anew = gdb || balloon || !strcmp(run[i], "xenstore-socket") || !strcmp(run[i], "control") ||
                    !strcmp(run[i], "power-cut") || !strcmp(run[i], "disk-writes") || !strcmp(run[i], "console-to") ||
                    !strcmp(run[i], "vnc") || !strcmp(run[i], "fb-window") || !strncmp(run[i], "bench", 5);

        args[2] = gdb ? guest : balloon ? policy : trace;
        for (size_t k = 0; k < nr_replay; k++)
            anew |= !strcmp(run[i], replay[k]);
        if (options_parse(&o, COMMAND_RUN, 3, args, err))
            fail_msg("%s: %s", word, err);
        assert_int_equal(o.nr_given, !anew);
        assert_int_equal(options_parse(&again, COMMAND_REPLAY, 1, recording, err), 0);
        assert_int_equal(options_parse_recorded(&again, 2, args, err), anew ? -1 : 0);
        if (!anew) {
            assert_string_equal(o.given[0], word);
            assert_int_equal(again.nr_given, 1);
            assert_string_equal(again.given[0], word);
            assert_int_equal(again.nr_guests, 1);
            assert_string_equal(again.guests[0], "g");
            recorded++;
        }
        options_free(&o);
        options_free(&again);
        free(word);
    }
    assert_true(recorded > 28 && recorded < nr);
}

/* What resembles nothing is not taken for anything. */
static void test_no_guess(void **state)
{
    static const char *const words[] = {
        "xyzzy", "colour", "frobnicate", "zzz", "foo", "interactive", "background", "x"
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        char line[64], err[OPTIONS_ERR_SIZE];
        struct run_options o;

        snprintf(line, sizeof(line), "--%s g", words[i]);
        assert_int_equal(parse(&o, line, err), -1);
        assert_null(strstr(err, "did you mean"));
        options_free(&o);
    }
}

/* Help is made from the table: it names every option, and no line is wider than a terminal may be expected to be. */
static void test_help(void **state)
{
    char *text = help_text(COMMAND_RUN);

    assert_non_null(strstr(text, "--memory MIB"));
    assert_non_null(strstr(text, "-v, --verbose"));
    assert_non_null(strstr(text, "Schedulers: credit, credit2, rtds, arinc653, null, rr"));
    assert_non_null(strstr(text, "vcpu_migr_delay_us=0..100000"));
    assert_non_null(strstr(text, "Exit status"));
    assert_non_null(strstr(text, "Examples"));
    assert_non_null(strstr(text, "  xenlab run build/assets/grub-x86_64-xen.bin\n"));
    assert_non_null(strstr(text, "| xenlab run build/assets/grub-x86_64-xen.bin\n"));
    assert_non_null(strstr(text, "run --memory 256 --cmdline console=hvc0 ")); /* Linux needs more than the default */
    for (char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),    cmocka_unit_test(test_cpuid),      cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_corners),       cmocka_unit_test(test_scheduling), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_help),          cmocka_unit_test(test_beginnings), cmocka_unit_test(test_no_guess),
        cmocka_unit_test(test_every_command), cmocka_unit_test(test_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
