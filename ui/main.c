// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab: the program's entry.
 *
 * Concept: here, and only here, the process as a whole is dealt with: the command word, messages to the user, signals and the
 * terminal's mode. The latter two are the only mutable state at file scope in the program, since a signal handler can reach
 * nothing else.
 */
#include "ui/cmd_run.h"
#include "ui/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define XENLAB_VERSION "0.1"

static struct run_process process;
static struct termios terminal_before;
static volatile sig_atomic_t terminal_is_raw;

static void terminal_restore(void)
{
    if (terminal_is_raw)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
    terminal_is_raw = 0;
}

static bool terminal_raw(void)
{
    struct termios t;

    if (tcgetattr(STDIN_FILENO, &terminal_before))
        return false;
    t = terminal_before;
    cfmakeraw(&t);
    atexit(terminal_restore);
    terminal_is_raw = 1;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &t) == 0;
}

static void signal_stop(int sig)
{
    process.signal = sig;
    process.stop = true;
}

static void signals_setup(void)
{
    static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction sa = { .sa_handler = signal_stop };

    sigemptyset(&process.signals);
    for (size_t i = 0; i < ARRAY_SIZE(stopping); i++) {
        sigaddset(&process.signals, stopping[i]);
        sigaction(stopping[i], &sa, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

static int run(int argc, char **argv)
{
    char err[RUN_ERR_SIZE] = "";
    struct run_options o;
    int status;

    if (options_parse(&o, argc, argv, err)) {
        status = STATUS_ENVIRONMENT;
    } else if (o.help) {
        options_help(stdout);
        status = STATUS_OK;
    } else {
        signals_setup();
        process.terminal_raw = terminal_raw;
        status = cmd_run(&o, &process, err);
        terminal_restore();
    }
    options_free(&o);
    if (err[0])
        fprintf(stderr, "xenlab: %s\n", err);
    return status;
}

static int help(FILE *out)
{
    fputs("Usage: xenlab COMMAND [ARGUMENT]...\n"
          "\n"
          "  run      boot guests on a simulated computer        xenlab run --help\n"
          "  sched    the schedulers' workbench                  xenlab sched --help\n"
          "\n"
          "  --help, --version\n"
          "\n"
          "Try: xenlab run build/guests/hello\n",
          out);
    return out == stdout ? STATUS_OK : STATUS_ENVIRONMENT;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (!strcmp(command, "run"))
        return run(argc - 2, argv + 2);
    if (!strcmp(command, "--help") || !strcmp(command, "-h") || !strcmp(command, "help"))
        return help(stdout);
    if (!strcmp(command, "--version")) {
        puts("xenlab " XENLAB_VERSION);
        return STATUS_OK;
    }
    if (*command)
        fprintf(stderr, "xenlab: there is no command \"%s\"\n\n", command);
    return help(stderr);
}
