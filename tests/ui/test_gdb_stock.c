// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gdb itself (the one of the system, if there is one; GDB in the environment names another), at the door of `xenlab
 * debug`, `xenlab run` and `xenlab tui`: scripts of gdb's commands, and what it says to them. And the door: who may
 * come in, and what becomes of a machine whose client goes.
 *
 * Budget: one way to start programs and to hear them, for all three.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 65536

/* A program of ours with a door. */
struct host {
    pid_t pid;
    int in, out; /* its standard input and output, with standard error */
    unsigned int port;
    char said[SAID_MAX];
    size_t len;
};

/* The one of the system, or the one that GDB in the environment names. */
static const char *gdb_name(void) { return getenv("GDB") ? getenv("GDB") : "gdb"; }

static bool has_gdb(void)
{
    char command[256];

    snprintf(command, sizeof(command), "%s --version > /dev/null 2>&1", gdb_name());
    return system(command) == 0;
}

/* Until it has said that (NULL: until it ends). */
static void hear(struct host *h, const char *what)
{
    ssize_t n;

    while (!what || !strstr(h->said, what)) {
        assert_true(h->len < SAID_MAX - 1);
        n = read(h->out, h->said + h->len, SAID_MAX - 1 - h->len);
        if (n <= 0 && what)
            fail_msg("it ended without \"%s\", but:\n%s", what, h->said);
        if (n <= 0)
            return;
        h->len += (size_t)n;
        h->said[h->len] = '\0';
    }
}

/* xenlab COMMAND, whose standard input stays open. */
static void host_begin(struct host *h, const char *command)
{
    int in[2], out[2];

    memset(h, 0, sizeof(*h));
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    h->pid = fork();
    if (!h->pid) {
        char line[512];

        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        snprintf(line, sizeof(line), "exec %s %s", getenv("XENLAB") ? getenv("XENLAB") : "build/xenlab", command);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    h->in = in[1];
    h->out = out[0];
    hear(h, "target remote 127.0.0.1:");
    hear(h, "\n");
    h->port = (unsigned int)strtoul(strstr(h->said, "127.0.0.1:") + 10, NULL, 10);
    assert_int_not_equal(h->port, 0);
}

/* No more lines; its status. */
static int host_end(struct host *h)
{
    int status;

    close(h->in);
    hear(h, NULL);
    close(h->out);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A script for gdb, which has read a file before, and what it says; freed by the caller. */
static char *gdb_with(const struct host *h, const char *file, const char *script)
{
    char path[] = "/tmp/xenlab-gdb-XXXXXX", command[512], *said = calloc(1, SAID_MAX);
    const int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    size_t n = 0;

    assert_true(f && said);
    fprintf(f, "set pagination off\nset confirm off\nset tcp connect-timeout 10\ntarget remote 127.0.0.1:%u\n%s\n",
            h->port, script);
    fclose(f);
    snprintf(command, sizeof(command), "timeout 60 %s -nx -batch -x %s %s 2>&1 < /dev/null", gdb_name(), path, file);
    f = popen(command, "r");
    assert_non_null(f);
    while (n < SAID_MAX - 1 && fgets(said + n, (int)(SAID_MAX - n), f))
        n += strlen(said + n);
    pclose(f);
    unlink(path);
    return said;
}

static char *gdb(const struct host *h, const char *script) { return gdb_with(h, "", script); }

/* Where history ends, in the words of gdb up to version 15, and of later ones. */
#define HISTORY_ENDS "No more reverse-execution history|Reached end of recorded history"

/* What stands there first of several that | parts; *n: how long it is. */
static const char *find(const char *text, const char *what, size_t *n)
{
    const char *first = NULL;

    for (const char *end; what; what = *end ? end + 1 : NULL) {
        char one[256];
        const char *found;

        end = what + strcspn(what, "|");
        snprintf(one, sizeof(one), "%.*s", (int)(end - what), what);
        found = strstr(text, one);
        if (found && (!first || found < first)) {
            first = found;
            *n = strlen(one);
        }
    }
    return first;
}

/* These lines, or beginnings of them, in this order, maybe with others between them. */
static void expect(char *said, const char *const *lines, size_t nr)
{
    const char *p = said;

    for (size_t i = 0; i < nr; i++) {
        size_t n = 0;
        const char *found = find(p, lines[i], &n);

        if (!found)
            fail_msg("\"%s\" is not there, or not there in its order, in:\n%s", lines[i],
                     strlen(said) > 900 && p - said > 300 ? p - 300 : said);
        p = found + n;
    }
    free(said);
}

#define EXPECT(said, ...)                                                                                              \
    do {                                                                                                               \
        const char *const lines[] = { __VA_ARGS__ };                                                                   \
        expect(said, lines, sizeof(lines) / sizeof(lines[0]));                                                         \
    } while (0)

static int come(const struct host *h)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                    .sin_port = htons((uint16_t)h->port) };
    const struct timeval patience = { .tv_sec = 30 }; /* what hangs is a failure */
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Up to that, or "": the other side has closed. */
static void answer(int fd, const char *what)
{
    char got[1024] = "";
    size_t n = 0;
    ssize_t more;

    while (!*what || !strstr(got, what)) {
        more = n < sizeof(got) - 1 ? recv(fd, got + n, sizeof(got) - 1 - n, 0) : 0;
        if (more <= 0 && *what)
            fail_msg("no \"%s\", but \"%s\"", what, got);
        if (more <= 0)
            return;
        n += (size_t)more;
        got[n] = '\0';
    }
}

/* --- toys --- */

static void test_rings(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb 0 build/guests/rings");
    EXPECT(gdb(&h, "file build/guests/rings\n"
                   "info threads\n"
                   "p $mode\n"
                   "p $cr0\n"
                   "break insn_cli\n"
                   "continue\n"
                   "p $mode\n"
                   "x/i $pc\n"
                   "stepi\n"
                   "reverse-stepi\n"
                   "continue\n"
                   "p $mode\n"
                   "monitor why\n"
                   "reverse-continue\n"
                   "p $mode\n"
                   "reverse-continue\n"
                   "info symbol $pc\n"
                   "delete\n"
                   "continue\n"
                   "monitor where\n"
                   "detach"),
           "\"d1v0 rings\" (running) guest_entry ()", "= kernel", "[ PE MP ET NE WP AM PG ]", "Breakpoint 1, ",
           "= kernel", "=> 0x400000 <user_start>:\tcli", "trap_entries ()", "Breakpoint 1, ", "Breakpoint 1, ",
           "= user", "Breakpoint 1, ", "= kernel", HISTORY_ENDS, "the end: no guest is left", HISTORY_ENDS,
           "REPLAY of branch main", "detached");
    assert_int_equal(host_end(&h), 0);
    assert_non_null(strstr(h.said, "gdb: it has left, and lets the machine go"));
}

/* A word that is watched, both ways; reverse-finish. */
static void test_watch_and_finish(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb d1:0 --vcpus 2 build/guests/smp");
    EXPECT(gdb(&h, "file build/guests/smp\n"
                   "break console_write\n"
                   "continue\n"
                   "stepi 3\n"
                   "delete\n"
                   "reverse-finish\n"
                   "x/i $pc\n"
                   "watch *(int *)&token\n"
                   "continue\n"
                   "continue\n"
                   "reverse-continue\n"
                   "reverse-continue\n"
                   "delete\n"
                   "rwatch *(int *)&sum\n"
                   "continue\n"
                   "detach"),
           "Breakpoint 1, ", "call", "atchpoint 2: *(int *)&token", "atchpoint 2", "Old value = 0", "New value = 1",
           "Old value = 1", "New value = 2", "Old value = 2", "New value = 1", "Old value = 1", "New value = 0",
           "read watchpoint 3", "Value = ", "detached");
    assert_int_equal(host_end(&h), 0);
}

/* Threads, with scheduler-locking and without, and backward: gdb itself survives it. */
static void test_threads(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb 0 --vcpus 3 build/guests/smp");
    EXPECT(gdb(&h, "file build/guests/smp\n"
                   "info threads\n"
                   "break secondary\n"
                   "continue\n"
                   "continue\n"
                   "delete\n"
                   "break event_send\n"
                   "continue\n"
                   "continue\n"
                   "continue\n"
                   "thread 2\n"
                   "reverse-stepi\n"
                   "stepi\n"
                   "set scheduler-locking on\n"
                   "thread 1\n"
                   "stepi\n"
                   "reverse-stepi\n"
                   "reverse-continue\n"
                   "thread\n"
                   "continue\n"
                   "thread\n"
                   "set scheduler-locking off\n"
                   "reverse-continue\n"
                   "echo survived\\n\n"
                   "detach"),
           "d1v0 smp", "d1v1 smp", "d1v2 smp", "hit Breakpoint 1, ", "hit Breakpoint 1, ", "hit Breakpoint 2, ",
           "Switching to thread 2", "Switching to thread 1", "Current thread is 1", "Current thread is 1", "survived",
           "detached");
    assert_int_equal(host_end(&h), 0);
}

/* Debian's Linux, with the names that it has of itself. */
static void test_linux(void **state)
{
    struct host h;

    if (!has_gdb() || access("build/assets/vmlinuz-cloud", R_OK))
        skip();
    host_begin(&h, "debug --gdb 0 --memory 256 build/assets/vmlinuz-cloud");
    EXPECT(gdb(&h, "monitor symbols /tmp/xenlab-gdb-symbols.elf\n"
                   "symbol-file /tmp/xenlab-gdb-symbols.elf\n"
                   "info symbol $pc\n"
                   "break start_kernel\n"
                   "continue\n"
                   "stepi\n"
                   "reverse-stepi\n"
                   "info symbol $pc\n"
                   "monitor why\n"
                   "break setup_arch\n"
                   "continue\n"
                   "reverse-continue\n"
                   "monitor why\n"
                   "detach"),
           "symbols of d1", "startup_xen in section .text", "Breakpoint 1, ", "start_kernel", "__fentry__",
           "Breakpoint 1", "start_kernel in section .text", "d1v0 is running", "Breakpoint 2, ", "setup_arch",
           "Breakpoint 1, ", "start_kernel", "d1v0 is running", "detached");
    unlink("/tmp/xenlab-gdb-symbols.elf");
    assert_int_equal(host_end(&h), 0);
}

/* A command of the table may move the machine, of which gdb knows nothing: docs/gdb.md says what it is to be told. */
static void test_monitor_moves(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb 0 build/guests/rings");
    EXPECT(gdb(&h, "define hookpost-monitor\n"
                   "maintenance flush register-cache\n"
                   "maintenance flush dcache\n"
                   "end\n"
                   "file build/guests/rings\n"
                   "break insn_cli\n"
                   "continue\n"
                   "bt 1\n"
                   "monitor goto begin\n"
                   "info symbol $pc\n"
                   "x/gx $sp\n"
                   "detach"),
           "Breakpoint 1, ", "#0 ", "goto", "guest_entry in section", "0xffffffff8", "detached");
    assert_int_equal(host_end(&h), 0);
}

/* A recording is debugged as the run was. */
static void test_recording(void **state)
{
    static const char path[] = "/tmp/xenlab-gdb-recording";
    char line[256];
    struct host h;
    int fd;

    snprintf(line, sizeof(line), "printf 'hello\nbye\n' | %s run --record %s build/guests/echo > /dev/null",
             getenv("XENLAB") ? getenv("XENLAB") : "build/xenlab", path);
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof(line), "debug --gdb 0 --replay %s", path);
    host_begin(&h, line);
    fd = come(&h);
    say(fd, "$c#63");
    answer(fd, "$T05thread:1;replaylog:end:;");
    say(fd, "+$bs#d5");
    answer(fd, "$T05thread:1;");
    say(fd, "+$bc#c5");
    answer(fd, "$T05thread:1;replaylog:begin:;");
    say(fd, "+$k#6b");
    answer(fd, "");
    close(fd);
    assert_int_equal(host_end(&h), 0);
    assert_non_null(strstr(h.said, "You said \"hello\""));
    unlink(path);
}

/* A guest of 32 bits, with its own file, which gdb reads before it comes: registers and instructions are i386's. */
static void test_32_bits(void **state)
{
    struct host h;

    if (!has_gdb() || access("build/assets/grub-i386-xen.bin", R_OK))
        skip();
    host_begin(&h, "debug --gdb 0 --memory 64 build/assets/grub-i386-xen.bin");
    EXPECT(gdb_with(&h, "build/assets/grub-i386-xen.bin",
                    "info registers\n"
                    "x/3i $pc\n"
                    "stepi\n"
                    "reverse-stepi\n"
                    "monitor hypercall\n"
                    "maintenance flush register-cache\n"
                    "x/i $pc\n"
                    "set $there = $pc\n"
                    "monitor goto begin\n"
                    "maintenance flush register-cache\n"
                    "hbreak *$there\n"
                    "continue\n"
                    "continue\n"
                    "watch -l *(int *)($esp - 4)\n"
                    "reverse-continue\n"
                    "reverse-continue\n"
                    "delete\n"
                    "monitor branch other\n"
                    "set $ebx = 0xfffffff0\n"
                    "monitor print %rbx\n"
                    "detach"),
           "\neip ", "[ PAE OSFXSR", "kernel", "=> 0x0:\tlea ", "mov    %esi,", "hypercall", "pop    %ebx",
           "Breakpoint 1, ", "Breakpoint 1, ", "become branch other", "0xfffffff0", "detached");
    assert_int_equal(host_end(&h), 0);
}

/* An HVM guest whose kernel's file is of 32 bits: a gdb that has read it would not come to registers of 64. */
static void test_hvm_32_bits(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb 0 docs/tours/pc.cfg");
    EXPECT(gdb_with(&h, "build/guests/pcdev/pcdev",
                    "x/2i $pc\n"
                    "break screen_set_up\n"
                    "continue\n"
                    "backtrace\n"
                    "stepi\n"
                    "reverse-stepi\n"
                    "watch cursor\n"
                    "continue\n"
                    "reverse-continue\n"
                    "detach"),
           "start () at", "cli", "Breakpoint 1, screen_set_up", "in main ()", "Breakpoint 1, screen_set_up",
           "Hardware watchpoint 2: cursor", "New value = ", "screen_write", "Old value = ", "detached");
    assert_int_equal(host_end(&h), 0);
}

/*
 * One that is in all modes of its processor: real mode, where addresses are linear and code has 16 bits for a gdb that
 * has come for an i8086; then for the same machine as x86-64, in protected mode and in long mode; and back.
 */
static void test_hvm_modes(void **state)
{
    struct host h;

    if (!has_gdb())
        skip();
    host_begin(&h, "debug --gdb 0,i8086 --type pvh --vcpus 2 --memory 16 build/tests/guest/modes");
    EXPECT(gdb(&h, "break *0x8000\n"
                   "continue\n"
                   "x/4i $pc\n"
                   "print/x $cs\n"
                   "stepi\n"
                   "stepi\n"
                   "reverse-stepi\n"
                   "watch *(char *)0x8026\n"
                   "continue\n"
                   "x/xb ($cs << 4) + 0x26\n"
                   "reverse-continue\n"
                   "reverse-continue\n"
                   "monitor architecture z80\n"
                   "monitor architecture x86-64\n"
                   "disconnect"),
           "Thread 2 \"d1v1 modes\" hit Breakpoint 1, 0x00008000", "mov    %cs,%ax", "mov    %ax,%ds",
           "movb   $0x1,0x26", "= 0x800", "0x00008001 in", "0x00008003 in", "0x00008001 in", "New value = 1",
           "0x0000800a in", "0x8026:\t0x01", "New value = 0", "Breakpoint 1, 0x00008000",
           "error: monitor architecture x86-64, i386 or i8086", "will be those of x86-64: disconnect");
    EXPECT(gdb_with(&h, "build/tests/guest/modes",
                    "monitor goto begin\n"
                    "maintenance flush register-cache\n"
                    "thread 1\n"
                    "break protected32\n"
                    "break long64\n"
                    "break in_user\n"
                    "watch *(int *)&steps\n"
                    "continue\n"
                    "continue\n"
                    "delete 4\n"
                    "continue\n"
                    "x/i $pc\n"
                    "stepi\n"
                    "reverse-stepi\n"
                    "continue\n"
                    "print $mode\n"
                    "x/i $pc\n"
                    "reverse-continue\n"
                    "reverse-continue\n"
                    "monitor disas\n"
                    "detach"),
           "Breakpoint 1, protected32 ()", "Hardware watchpoint 4", "New value = 1", "Breakpoint 2, long64 ()",
           "mov    $0x10,%eax", "mov     %eax, %ds", "Breakpoint 2, long64 ()", "Breakpoint 3, in_user ()", "= user",
           "cli", "Breakpoint 2, long64 ()", "Breakpoint 1, protected32 ()", "mov eax, 0x10", "detached");
    assert_int_equal(host_end(&h), 0);
}

/* --- the door, without gdb --- */

/* A second one is refused, the first goes on; whoever breaks off leaves the machine as it is for the next. */
static void test_clients(void **state)
{
    struct host h;
    int one, two;

    host_begin(&h, "debug --gdb 0 build/guests/hello");
    one = come(&h);
    say(one, "$?#3f");
    answer(one, "T05thread:1;");
    two = come(&h);
    answer(two, "");
    close(two);
    say(one, "+$qC#b4");
    answer(one, "$QC1#c5");
    say(one, "$m00,"); /* and it breaks off */
    close(one);
    hear(&h, "gdb: it is gone");
    one = come(&h);
    say(one, "$Z0,ffffffff80001000,1#");
    close(one);
    one = come(&h);
    say(one, "$QStartNoAckMode#b0");
    answer(one, "$OK#9a");
    say(one, "$D#44");
    answer(one, "$OK#9a");
    answer(one, "");
    close(one);
    assert_int_equal(write(h.in, "list\nquit\n", 10), 10);
    assert_int_equal(host_end(&h), 0);
    assert_non_null(strstr(h.said, "a second one is refused"));
    assert_non_null(strstr(h.said, "no stops"));
}

/* Ctrl-C while a guest runs for ever, forward and backward, and the prompt is there for others meanwhile. */
static void test_interrupt(void **state)
{
    struct host h;
    int fd;

    host_begin(&h, "debug --gdb 0 --vcpus 2 build/guests/spinner");
    fd = come(&h);
    for (unsigned int i = 0; i < 3; i++) {
        say(fd, "+$c#63");
        answer(fd, "+");
        say(fd, "\003");
        answer(fd, "$T02thread:");
    }
    say(fd, "+$Z0,0,1#43"); /* nobody comes there: so all of it is run again, back to the beginning */
    answer(fd, "$OK#9a");
    say(fd, "+$bc#c5");
    say(fd, "\003");
    answer(fd, "$T0");
    say(fd, "+$bc#c5-"); /* who becomes impatient, as gdb does after two seconds, does not interrupt */
    say(fd, "-");
    answer(fd, "$T05thread:1;replaylog:begin:;");
    say(fd, "+$k#6b");
    answer(fd, "");
    close(fd);
    hear(&h, "gdb: it has ended");
    assert_int_equal(write(h.in, "where\n", 6), 6);
    hear(&h, "of branch main");
    assert_int_equal(host_end(&h), 0);
}

/* While all sleep the machine's clock stands still: they wake up in time all the same, and the run comes to its end. */
static void test_sleepers(void **state)
{
    static const char *const guests[] = { "watchdog", "suspend", "timer" };

    for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
        struct host h;
        char line[64];
        int fd;

        snprintf(line, sizeof(line), "debug --gdb 0 build/guests/%s", guests[i]);
        host_begin(&h, line);
        fd = come(&h);
        say(fd, "$c#63");
        answer(fd, "$T05thread:1;replaylog:end:;");
        say(fd, "+$k#6b");
        answer(fd, "");
        close(fd);
        assert_int_equal(host_end(&h), 0);
    }
}

/* --- the other doors --- */

/* With gdb in between a guest says the same, reads the same, and ends the same; from its end one can go back. */
static void test_run(void **state)
{
    struct host h;
    int fd;

    host_begin(&h, "run --gdb 0 build/guests/echo");
    assert_int_equal(write(h.in, "hello\nbye\n", 10), 10);
    fd = come(&h);
    say(fd, "$c#63");
    answer(fd, "$T05thread:1;replaylog:end:;");
    say(fd, "+$bs#d5");
    answer(fd, "$T05thread:1;");
    say(fd, "+$bc#c5");
    answer(fd, "$T05thread:1;replaylog:begin:;");
    say(fd, "+$c#63");
    answer(fd, "$T05thread:1;replaylog:end:;");
    assert_null(strstr(h.said, "hello 2"));
    say(fd, "+$D#44");
    answer(fd, "$OK#9a");
    close(fd);
    assert_int_equal(host_end(&h), 0);
    assert_non_null(strstr(h.said, "hello"));
    assert_null(strstr(strstr(h.said, "\"bye\" ends it") + 1, "\"bye\" ends it")); /* once */

    host_begin(&h, "run --gdb 0 build/guests/spinner");
    fd = come(&h);
    say(fd, "$c#63");
    answer(fd, "+");
    say(fd, "\003");
    answer(fd, "$T02thread:1;");
    close(fd); /* that does not let it go: it waits for another */
    hear(&h, "gdb: it is gone");
    fd = come(&h);
    say(fd, "$k#6b");
    answer(fd, "");
    close(fd);
    assert_int_equal(host_end(&h), 130);
}

/* What a guest has written, and nobody has read when gdb ends the run, is heard all the same. */
static void test_run_unread(void **state)
{
    struct host h;
    int fd;

    host_begin(&h, "run --gdb 0 build/guests/hello");
    fd = come(&h);
    say(fd, "$Z0,ffffffff80000400,1#cf"); /* event_channel_op in the hypercall page: it has written, and says so next */
    answer(fd, "$OK#9a");
    for (unsigned int i = 0; i < 8; i++) {
        say(fd, "+$c#63");
        answer(fd, "$T05thread:1;");
    }
    say(fd, "+$k#6b");
    answer(fd, "");
    close(fd);
    assert_int_equal(host_end(&h), 130);
    assert_non_null(strstr(h.said, "Hello"));
}

/* A screen and gdb: what gdb does is seen, and a key stops what gdb lets run. */
static void test_screen(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct winsize size = { 24, 100, 0, 0 };
    socklen_t len = sizeof(at);
    struct host h = { 0 };
    char line[64], port[32];
    int fd, status;

    assert_true(bind(probe, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                getsockname(probe, (struct sockaddr *)&at, &len) == 0);
    close(probe); /* it is free now */
    h.port = ntohs(at.sin_port);
    snprintf(line, sizeof(line), "--gdb=%u", h.port);
    snprintf(port, sizeof(port), "gdb: port %u", h.port);
    h.pid = forkpty(&h.out, NULL, NULL, &size);
    if (!h.pid) {
        setenv("TERM", "xterm", 1);
        execl(getenv("XENLAB") ? getenv("XENLAB") : "build/xenlab", "xenlab", "tui", line, "build/guests/spinner",
              (char *)NULL);
        _exit(127);
    }
    hear(&h, port);
    fd = come(&h);
    hear(&h, "one is here");
    say(fd, "$c#63");
    answer(fd, "+");
    hear(&h, "gdb runs");
    assert_int_equal(write(h.out, " ", 1), 1); /* whoever types wants the machine */
    answer(fd, "$T02thread:1;");
    say(fd, "+$D#44");
    answer(fd, "$OK#9a");
    close(fd);
    hear(&h, "it has left");
    assert_int_equal(write(h.out, " q", 2), 2); /* the first one has let it run */
    while (read(h.out, line, sizeof(line)) > 0)
        ;
    close(h.out);
    assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
    assert_int_equal(status, 0);
}

/* What --gdb cannot mean. */
static void test_mistakes(void **state)
{
    static const char *const wrong[] = {
        "debug --gdb x build/guests/hello",        "debug --gdb 65536 build/guests/hello",
        "debug --gdb d1 build/guests/hello",       "debug --gdb d:1 build/guests/hello",
        "debug --gdb d2:0 build/guests/hello",     "debug --gdb d0:0 build/guests/hello",
        "debug --gdb d99999:0 build/guests/hello", "debug --gdb -1 build/guests/hello",
        "debug --gdb= build/guests/hello"
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char line[256], said[1024] = "";
        FILE *f;
        size_t n;
        int status;

        snprintf(line, sizeof(line), "%s %s 2>&1 < /dev/null", getenv("XENLAB") ? getenv("XENLAB") : "build/xenlab",
                 wrong[i]);
        f = popen(line, "r");
        n = fread(said, 1, sizeof(said) - 1, f);
        said[n] = '\0';
        status = pclose(f);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 || !strstr(said, "--gdb"))
            fail_msg("%s: status %d, \"%s\"", wrong[i], status, said);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rings),    cmocka_unit_test(test_watch_and_finish), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_linux),    cmocka_unit_test(test_hvm_32_bits),      cmocka_unit_test(test_hvm_modes),
        cmocka_unit_test(test_32_bits),  cmocka_unit_test(test_monitor_moves),    cmocka_unit_test(test_recording),
        cmocka_unit_test(test_clients),  cmocka_unit_test(test_interrupt),        cmocka_unit_test(test_sleepers),
        cmocka_unit_test(test_run),      cmocka_unit_test(test_run_unread),       cmocka_unit_test(test_screen),
        cmocka_unit_test(test_mistakes),
    };

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
