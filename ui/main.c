// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab: the program's entry.
 *
 * Concept: here, and only here, the process as a whole is dealt with: the command word, messages to the user, signals
 * and the terminal's mode. The latter two are mutable state at file scope, since a signal handler can reach nothing
 * else. (The only other such in the program: scripts/layers.txt, `state`.)
 *
 * Invariants: a terminal that was put into raw mode is put back on every way out: return, exit(), a signal that ends
 * the run, a second one that does not wait for it, a fault, abort(); and while the process is stopped. Every signal
 * that can be caught and would end the process by default is in one of the tables below. In the background the terminal
 * is somebody else's: hands off.
 *
 * Budget: the terminal, signals and the table of commands; each is short, and all is about the process.
 *
 * While a run starts, signals do what they do by default, so that they also end a wait for a file (a FIFO without a
 * writer). From the moment on at which guests run they end the run in good order; what waits then (for a reader of the
 * output) is interrupted.
 */
#include "tools/kit/kit.h"
#include "tools/nearest.h"
#include "tools/printable.h"
#include "tools/workbench/args.h"
#include "tools/workbench/workbench.h"
#include "ui/cmd_compare.h"
#include "ui/cmd_ctl.h"
#include "ui/cmd_debug.h"
#include "ui/cmd_doctor.h"
#include "ui/cmd_dom0.h"
#include "ui/cmd_lab.h"
#include "ui/cmd_limits.h"
#include "ui/cmd_replay.h"
#include "ui/cmd_run.h"
#include "ui/cmd_tour.h"
#include "ui/cmd_trace.h"
#include "ui/cmd_tui.h"
#include "ui/help.h"
#include "ui/status.h"
#include "ui/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#define STACK_LEAST (512u << 10) /* bytes, for a thread as well */
#define FILES_LEAST 32u          /* what a linker has open takes most */

static struct run_process process;
static volatile sig_atomic_t terminal_is_raw, terminal_is_set; /* is to be; is */
static struct termios terminal_before, terminal_during;
static char terminal_text[256]; /* is written when it is put back */
static size_t terminal_text_len;

/* And the real-time signals. */
static const int stopping_signals[] = { SIGINT,  SIGTERM,   SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2,  SIGALRM,
                                        SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT };
static const int fatal_signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
static const int suspending_signals[] = { SIGTSTP, SIGTTIN, SIGTTOU };
static struct sigaction fatal_before[ARRAY_SIZE(fatal_signals)];
static char fatal_stack[64 << 10]; /* a fault may be that there is no more stack */

/* --- the terminal, and signals that concern it; tcsetattr() may be called in a signal handler --- */

/* Is it ours to set? Another process group's it is not; a terminal that controls nobody is anybody's. */
static bool terminal_set(const struct termios *mode)
{
    const pid_t foreground = tcgetpgrp(STDIN_FILENO);

    return (foreground < 0 || foreground == getpgrp()) && tcsetattr(STDIN_FILENO, TCSANOW, mode) == 0;
}

static void terminal_restore(void)
{
    if (terminal_is_raw && terminal_is_set) {
        if (terminal_text_len && write(STDOUT_FILENO, terminal_text, terminal_text_len) < 0)
            terminal_text_len = 0; /* nobody reads */
        terminal_set(&terminal_before);
    }
    terminal_is_set = 0;
}

/* Do what would have happened without us, with the terminal restored. */
static void signal_fatal(int sig, siginfo_t *info, void *context)
{
    (void)context;
    terminal_restore();
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        if (fatal_signals[i] == sig)
            sigaction(sig, &fatal_before[i], NULL);
    if (info->si_code <= 0) /* sent by somebody: a fault's instruction is repeated and faults again */
        raise(sig);
}

/* Stop as a process stops by default; comes back when continued. */
static void signal_suspend(int sig)
{
    struct sigaction by_default = { .sa_handler = SIG_DFL }, ours;
    sigset_t unblock;

    terminal_restore();
    sigaction(sig, &by_default, &ours);
    sigemptyset(&unblock);
    sigaddset(&unblock, sig);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &unblock, NULL);
    sigaction(sig, &ours, NULL);
}

/* A run that was started in the background has the terminal when it has come to the foreground, and not before. */
static void terminal_refresh(void)
{
    if (!terminal_is_raw || terminal_is_set)
        return;
    terminal_is_set = 1; /* first: a signal may come between the two */
    if (!terminal_set(&terminal_during))
        terminal_is_set = 0;
}

static void signal_continued(int sig)
{
    (void)sig;
    terminal_is_set = 0; /* a shell may have set it as it likes */
    terminal_refresh();
    process.continued = 1;
}

/* What was ignored when we were started (nohup, a background job) stays so. */
static void handle(int sig, void (*handler)(int), int flags)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = flags }, before;

    sigemptyset(&sa.sa_mask);
    if (sigaction(sig, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(sig, &sa, NULL);
}

/* Whatever ends or stops the process puts the terminal back. */
static void terminal_guard(void)
{
    struct sigaction sa = { .sa_sigaction = signal_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    const stack_t stack = { .ss_sp = fatal_stack, .ss_size = sizeof(fatal_stack) };

    atexit(terminal_restore);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        sigaction(fatal_signals[i], &sa, &fatal_before[i]);
    for (size_t i = 0; i < ARRAY_SIZE(suspending_signals); i++)
        handle(suspending_signals[i], signal_suspend, SA_RESTART);
    handle(SIGCONT, signal_continued, SA_RESTART);
    terminal_is_raw = 1;
}

static bool terminal_raw(void)
{
    if (tcgetattr(STDIN_FILENO, &terminal_before))
        return false;
    terminal_during = terminal_before;
    cfmakeraw(&terminal_during);
    terminal_guard();
    terminal_refresh();
    return true;
}

/* A library is about to set it; or has, and says what else it takes to put it back. */
static bool terminal_screen(const char *text)
{
    if (!terminal_is_raw) {
        if (tcgetattr(STDIN_FILENO, &terminal_before))
            return false;
        terminal_during = terminal_before;
        terminal_guard();
    }
    terminal_text_len = (size_t)snprintf(terminal_text, sizeof(terminal_text), "%s", text);
    terminal_is_set = 1;
    return true;
}

/* --- ending a run by a signal --- */

static void signal_stop(int sig)
{
    if (process.signal) { /* for the second time: the run does not seem to notice */
        terminal_restore();
        _exit(128 + sig);
    }
    process.signal = sig;
    process.stop = true;
}

/* A standard stream that is closed must not become the number of a file that we open: guests' output goes there. */
static void streams_setup(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY); /* the lowest free number */
    while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

/* No SA_RESTART: who waits for a reader of the output is to be interrupted. */
static void signals_catch(void)
{
    for (int sig = 1; sig <= SIGRTMAX; sig++)
        if (sigismember(&process.signals, sig) == 1)
            handle(sig, signal_stop, 0);
}

static void process_setup(void)
{
    streams_setup();
    sigemptyset(&process.signals);
    for (size_t i = 0; i < ARRAY_SIZE(stopping_signals); i++)
        sigaddset(&process.signals, stopping_signals[i]);
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
        sigaddset(&process.signals, sig);
    signal(SIGPIPE, SIG_IGN); /* a failed write is noticed as such */
    process.signals_catch = signals_catch;
    process.terminal_raw = terminal_raw;
    process.terminal_refresh = terminal_refresh;
    process.terminal_screen = terminal_screen;
}

/* --- commands --- */

static int (*const with_guests[])(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]) = {
    [COMMAND_RUN] = cmd_run,       [COMMAND_DEBUG] = cmd_debug, [COMMAND_TUI] = cmd_tui,
    [COMMAND_REPLAY] = cmd_replay, [COMMAND_TOUR] = cmd_tour,
};

static int on_guests(enum options_command command, int argc, char **argv)
{
    char err[RUN_ERR_SIZE] = "";
    struct run_options o;
    int status = STATUS_ENVIRONMENT;

    if (options_parse(&o, command, argc, argv, err) == 0) {
        if (o.help) {
            help_print(command, stdout);
            status = STATUS_OK;
        } else {
            process_setup();
            status = with_guests[command](&o, &process, err);
            terminal_restore();
            terminal_is_raw = 0;
        }
    }
    options_free(&o);
    make_printable(err, strlen(err), true);
    if (err[0])
        fprintf(stderr, "xenlab: %s\n", err);
    return status;
}

static int run(int argc, char **argv) { return on_guests(COMMAND_RUN, argc, argv); }
static int debug(int argc, char **argv) { return on_guests(COMMAND_DEBUG, argc, argv); }
static int tui(int argc, char **argv) { return on_guests(COMMAND_TUI, argc, argv); }
static int tour(int argc, char **argv) { return on_guests(COMMAND_TOUR, argc, argv); }
static int replay(int argc, char **argv) { return on_guests(COMMAND_REPLAY, argc, argv); }

static bool wants_help(int argc, char **argv)
{
    return argc > 0 && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"));
}

/* A command that stands for another one with more words. */
static int dom0(int argc, char **argv)
{
    char **words = calloc((size_t)argc + DOM0_WORDS + 1, sizeof(*words)), err[DOM0_ERR_SIZE];
    struct dom0_files *files = malloc(sizeof(*files));
    int status = STATUS_ENVIRONMENT, nr = 0;

    if (wants_help(argc, argv)) {
        cmd_dom0_help(stdout);
        status = STATUS_OK;
    } else if (!words || !files) {
        fputs("xenlab: out of memory\n", stderr);
    } else if (cmd_dom0_words(argc, argv, words, &nr, files, err)) {
        fprintf(stderr, "xenlab: %s\n", err);
    } else {
        status = on_guests(!strcmp(words[0], "tui")     ? COMMAND_TUI
                           : !strcmp(words[0], "debug") ? COMMAND_DEBUG
                                                        : COMMAND_RUN,
                           nr - 1, words + 1);
    }
    free(files);
    free(words);
    return status;
}

static int sched(int argc, char **argv)
{
    streams_setup();
    return workbench_main(argc + 1, argv - 1); /* with its name */
}

/* A workload from a trace is one of the formats that traces are exported to. */
static int kit(int argc, char **argv)
{
    streams_setup();
    if (argc >= 2 && !strcmp(argv[0], "workload") && !strcmp(argv[1], "from-trace"))
        return cmd_trace_workload(argc - 2, argv + 2);
    return kit_command(argc, argv);
}

static int doctor(int argc, char **argv)
{
    streams_setup();
    return cmd_doctor(argc, argv, stdout);
}

static int lab(int argc, char **argv)
{
    streams_setup();
    return cmd_lab(argc, argv);
}

static int limits(int argc, char **argv)
{
    streams_setup();
    return cmd_limits(argc, argv, stdout);
}

static int compare(int argc, char **argv)
{
    streams_setup();
    return cmd_compare(argc, argv, stdout);
}

static int ctl(int argc, char **argv)
{
    int status;

    process_setup();
    status = cmd_ctl(argc, argv, &process);
    terminal_restore();
    terminal_is_raw = 0;
    return status;
}

static void sched_help(FILE *out) { wb_args_help("sched", out); }

static int trace(int argc, char **argv)
{
    streams_setup();
    return cmd_trace(argc, argv);
}

static int help(FILE *out);
static int command_run(int argc, char **argv);

/* Of a command: what that itself says. */
static int command_help(int argc, char **argv)
{
    char *of[] = { NULL, argc ? argv[0] : NULL, (char[]){ "--help" }, NULL };

    return argc && argv[0][0] != '-' && strcmp(argv[0], "help") ? command_run(3, of) : help(stdout);
}

static int command_version(int argc, char **argv)
{
    puts("xenlab " XENLAB_VERSION ", a hypervisor with the interface of Xen 4.17");
    return STATUS_OK;
}

static int manual(int argc, char **argv);
static int completion(int argc, char **argv);
static const char *command_word(size_t i);

static const char *shell_word(size_t i) { return i == 0 ? "bash" : i == 1 ? "zsh" : NULL; }

static void manual_help(FILE *out)
{
    fputs("Usage: xenlab manual [COMMAND]\n\nPrints the manual page of xenlab, or of a command, for man.\n\n"
          "Example:\n\n  xenlab manual run | man -l -\n",
          out);
}

static void completion_help(FILE *out)
{
    fputs("Usage: xenlab completion bash|zsh\n\n"
          "Prints what completes command lines of xenlab in this shell. `make install`\n"
          "puts it where shells look for it.\n\nExample:\n\n  source <(xenlab completion bash)\n",
          out);
}

/*
 * All that the program can be told to do: what is dispatched, suggested, listed and described. argv begins behind the
 * command's name.
 */
static const struct help_command commands[] = {
    { "run", "boot guests on a simulated computer", true, COMMAND_RUN, NULL, NULL },
    { "tui", "the same run on a screen: see, step, go back", true, COMMAND_TUI, NULL, NULL },
    { "debug", "the same in lines, for scripts and tests", true, COMMAND_DEBUG, NULL, NULL },
    { "tour", "a run is explained, step by step", true, COMMAND_TOUR, NULL, NULL },
    { "replay", "repeat a run that was recorded", true, COMMAND_REPLAY, NULL, NULL },
    { "dom0", "Linux as dom0, with Xen's own xl in it", false, 0, cmd_dom0_help, NULL },
    { "ctl", "tell a running machine something, as xl does", false, 0, cmd_ctl_help, cmd_ctl_word },
    { "trace", "a trace for other programs, and as a picture", false, 0, cmd_trace_help, cmd_trace_word },
    { "compare", "one kernel, by each technique of virtualization", false, 0, cmd_compare_help, cmd_compare_word },
    { "sched", "compare schedulers on made-up workloads", false, 0, sched_help, wb_args_word },
    { "kit", "other algorithms of a hypervisor, each in a model", false, 0, kit_help, kit_word },
    { "lab", "write parts of a hypervisor, and have them checked", false, 0, NULL, NULL },
    { "doctor", "look whether this machine is as it should be", false, 0, NULL, NULL },
    { "limits", "in what guests' processor differs from a real one", false, 0, NULL, NULL },
    { "manual", "print a manual page: xenlab manual run | man -l -", false, 0, manual_help, command_word },
    { "completion", "print what completes commands in bash or zsh", false, 0, completion_help, shell_word },
    { "help", NULL, false, 0, NULL, command_word },
};

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} dispatch[] = {
    { "run", run },
    { "tui", tui },
    { "debug", debug },
    { "tour", tour },
    { "replay", replay },
    { "dom0", dom0 },
    { "ctl", ctl },
    { "trace", trace },
    { "sched", sched },
    { "kit", kit },
    { "compare", compare },
    { "doctor", doctor },
    { "lab", lab },
    { "limits", limits },
    { "manual", manual },
    { "completion", completion },
    { "help", command_help },
    { "-h", command_help },
    { "--help", command_help },
    { "--version", command_version },
};

static const char *command_word(size_t i) { return i < ARRAY_SIZE(commands) ? commands[i].name : NULL; }

static const struct help_commands all_commands = { commands, ARRAY_SIZE(commands) };

static int manual(int argc, char **argv)
{
    if (wants_help(argc, argv)) {
        manual_help(stdout);
        return STATUS_OK;
    }
    if (help_manual(&all_commands, argc > 0 ? argv[0] : "", stdout))
        return STATUS_OK;
    fprintf(stderr, "xenlab: there is no command to describe of this name (see: xenlab --help)\n");
    return STATUS_ENVIRONMENT;
}

static int completion(int argc, char **argv)
{
    if (wants_help(argc, argv)) {
        completion_help(stdout);
        return STATUS_OK;
    }
    if (argc == 1 && help_completion(&all_commands, argv[0], stdout))
        return STATUS_OK;
    fputs("xenlab: completion bash, or completion zsh\n", stderr);
    return STATUS_ENVIRONMENT;
}

static int help(FILE *out)
{
    fputs("Usage: xenlab COMMAND [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].summary)
            fprintf(out, "  %-10s  %s\n", commands[i].name, commands[i].summary);
    fputs("\n  --help, --version\n\nTry: xenlab run build/guests/hello, and then xenlab tui build/guests/rings;\n"
          "xenlab COMMAND --help says more of a command.\n",
          out);
    return out == stdout ? STATUS_OK : STATUS_ENVIRONMENT;
}

/* What to type first. The paths are those of the project's directory. */
static int first_steps(FILE *out)
{
    fputs(
        "xenlab is a Xen in one program: a hypervisor, its guests, and the computer below. Try, in this order:\n"
        "\n"
        "  xenlab run build/guests/hello                  a guest says where it is\n"
        "  xenlab tui build/guests/rings                  a kernel that is none, on a screen, step by step, both ways\n"
        "  xenlab tour docs/tours/cli.tour                the same, explained\n"
        "  xenlab run build/assets/grub-x86_64-xen.bin    a guest that nobody here wrote; Ctrl-] leaves\n"
        "  xenlab run docs/examples/linux.cfg             Debian's Linux, to a shell; exit leaves\n"
        "  xenlab sched --policy credit2 --workload docs/examples/sched/weights.txt    schedulers, without guests\n"
        "  xenlab doctor                                  whether this machine is as it should be\n"
        "  xenlab --help                                  all commands\n",
        out);
    return STATUS_ENVIRONMENT;
}

/* What was to be shown, and has not got out, is a failure like any other. */
static int output_check(int status)
{
    const int error = fflush(stdout) ? errno : 0;

    if (status != STATUS_OK || (!error && !ferror(stdout)))
        return status;
    fprintf(stderr, "xenlab: standard output: %s\n", error ? strerror(error) : "not all has been written");
    return STATUS_ENVIRONMENT;
}

static int unknown_command(const char *command)
{
    const char *words[ARRAY_SIZE(commands)];
    char name[64], hint[NEAREST_HINT_SIZE];
    size_t nr = 0;

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        words[nr++] = commands[i].name;
    make_printable(name, (size_t)snprintf(name, sizeof(name), "%.40s", command), false);
    fprintf(stderr, "xenlab: there is no command \"%s\"%s\n\n", name, nearest_hint(name, words, nr, "", hint));
    return help(stderr);
}

static int command_run(int argc, char **argv)
{
    if (argc < 2)
        return first_steps(stderr);
    for (size_t i = 0; i < ARRAY_SIZE(dispatch); i++)
        if (!strcmp(argv[1], dispatch[i].name))
            return dispatch[i].run(argc - 2, argv + 2);
    return unknown_command(argv[1]);
}

/*
 * With less of a stack what is said in a fault's place is nothing; with fewer files a compiler says of a program that
 * it does not compile. 0, or a message.
 */
static int limits_check(void)
{
    struct rlimit r;

    if (!getrlimit(RLIMIT_STACK, &r) && r.rlim_cur < STACK_LEAST) {
        fprintf(stderr, "xenlab: this shell's limit allows a stack of %llu KiB (ulimit -s); wanted are %u\n",
                (unsigned long long)r.rlim_cur >> 10, STACK_LEAST >> 10);
        return STATUS_ENVIRONMENT;
    }
    if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur < FILES_LEAST) {
        fprintf(stderr, "xenlab: this shell's limit allows %llu open files (ulimit -n); wanted are %u\n",
                (unsigned long long)r.rlim_cur, FILES_LEAST);
        return STATUS_ENVIRONMENT;
    }
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a failed write, and no death */
    signal(SIGCHLD, SIG_DFL); /* started by who ignores it, we would never hear of the end of what we start */
    return limits_check() ?: output_check(command_run(argc, argv));
}
