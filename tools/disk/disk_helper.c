// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that talks NBD: see disk_helper.h. */
#include "tools/disk/disk_helper.h"
#include "tools/printable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_FD 3 /* where it looks for the socket */

extern char **environ;

/* Both ends of a listening socket that has no name any more. False and errno. */
static bool socket_make(int *listener, int *connected)
{
    const char *tmp = getenv("TMPDIR");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char folder[sizeof(addr.sun_path) - 8];
    bool good;

    if (!tmp || *tmp != '/' || strlen(tmp) > sizeof(folder) - sizeof("/xenlab-disk.XXXXXX"))
        tmp = "/tmp";
    snprintf(folder, sizeof(folder), "%s/xenlab-disk.XXXXXX", tmp);
    if (!mkdtemp(folder))
        return false;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/nbd", folder);
    *listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    good = *listener >= 0 && *connected >= 0 && !bind(*listener, (struct sockaddr *)&addr, sizeof(addr)) &&
           !listen(*listener, 1) && !connect(*connected, (struct sockaddr *)&addr, sizeof(addr));
    unlink(addr.sun_path);
    rmdir(folder);
    if (!good && *listener >= 0)
        close(*listener);
    if (!good && *connected >= 0)
        close(*connected);
    return good;
}

/* Our environment, with what tells it of the socket; pid is filled in by itself. NULL: out of memory. */
static char **environment(char fds[32], char pid[32])
{
    char **env;
    size_t n = 0, nr = 0;

    while (environ[nr])
        nr++;
    env = calloc(nr + 3, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < nr; i++)
        if (strncmp(environ[i], "LISTEN_", 7) != 0)
            env[n++] = environ[i];
    snprintf(fds, 32, "LISTEN_FDS=1");
    env[n++] = fds;
    env[n] = pid;
    return env;
}

/* In the new process: become it. */
static _Noreturn void become(char *const argv[], char **env, char pid[32], int listener, int errors)
{
    const int null = open("/dev/null", O_RDWR);
    const char *lacks = DISK_HELPER_MISSING;
    sigset_t none;

    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    snprintf(pid, 32, "LISTEN_PID=%d", (int)getpid());
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 ||
        dup2(listener, LISTEN_FD) < 0)
        _exit(126);
    if (listener == LISTEN_FD)
        fcntl(listener, F_SETFD, 0);
    execvpe(argv[0], argv, env);
    if (errno != ENOENT)
        lacks = strerror(errno);
    if (write(STDERR_FILENO, lacks, strlen(lacks)) < 0)
        _exit(126);
    _exit(127);
}

int disk_helper_start(struct disk_helper *h, char *const argv[], char *why, size_t len)
{
    int listener = -1, connected = -1;
    char fds[32], pid[32], **env = environment(fds, pid);

    h->errors = memfd_create("xenlab-disk-errors", MFD_CLOEXEC);
    if (env && h->errors >= 0 && socket_make(&listener, &connected)) {
        h->socket = connected;
        h->pid = fork();
        if (h->pid == 0)
            become(argv, env, pid, listener, h->errors);
        close(listener);
        if (h->pid > 0) {
            free(env);
            return 0;
        }
        close(connected);
    }
    snprintf(why, len, "%s cannot be started: %s", argv[0], strerror(errno));
    free(env);
    if (h->errors >= 0)
        close(h->errors);
    h->pid = 0;
    return -1;
}

void disk_helper_said(const struct disk_helper *h, char *line, size_t len)
{
    char text[2048];
    const ssize_t n = h->pid ? pread(h->errors, text, sizeof(text) - 1, 0) : 0;
    const char *from = text;

    text[n > 0 ? n : 0] = '\0';
    while (n > 0 && text[strlen(text) - 1] == '\n')
        text[strlen(text) - 1] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    if (!strncmp(from, "qemu-nbd: ", 10))
        from += 10;
    snprintf(line, len, "%s", from);
    make_printable(line, strlen(line), false);
}

void disk_helper_end(struct disk_helper *h, int patience_ms)
{
    if (!h->pid)
        return;
    for (int waited = 0; waitpid(h->pid, NULL, WNOHANG) == 0 && waited < patience_ms; waited += 2)
        poll(NULL, 0, 2);
    close(h->errors);
    h->pid = 0;
}
