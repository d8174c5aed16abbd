// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab ctl`, see ui/cmd_ctl.h: the program at the other end of the control socket (ui/ctl/serve.h).
 *
 * It knows no command but for its words, which it reads to refuse what cannot be meant; it says them, and prints what
 * comes. Of a console it is the terminal.
 */
#include "ui/cmd_ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/ctl.h"
#include "tools/printable.h"
#include "ui/ctl/place.h"
#include "ui/ctl/wire.h"
#include "ui/input.h"
#include "ui/status.h"

static void command_help(const struct ctl_command *c, FILE *out)
{
    fprintf(out, "  %s%s%s\n        %s\n", c->name, *c->args ? " " : "", c->args, c->help);
    for (const struct ctl_option *o = c->options; o < c->options + CTL_MAX_OPTIONS; o++)
        if (o->letter)
            fprintf(out, "          -%c%s%s%s%s  %s\n", o->letter, o->name ? ", --" : "", o->name ? o->name : "",
                    o->value ? " " : "", o->value ? o->value : "", o->help);
}

void cmd_ctl_help(FILE *out)
{
    const struct ctl_command *c;

    fputs("Usage: xenlab ctl [--control PATH | --name NAME] COMMAND [ARGUMENT]...\n\n"
          "Tells a running machine something, as xl tells it a Xen: names, options and\n"
          "output are xl's. A DOMAIN is a number or a name. The commands:\n\n",
          out);
    for (size_t i = 0; (c = ctl_command_at(i)); i++)
        command_help(c, out);
    fputs("\n"
          "  --control PATH  the machine's control socket: that of xenlab run --control\n"
          "  --name NAME     the machine of this name, below $XDG_RUNTIME_DIR/xenlab;\n"
          "                  not needed if there is one only\n"
          "  -h, --help      this text; behind a COMMAND: of that one, as help COMMAND\n"
          "\n"
          "Exit status: 0; 1 if it was refused, or there is no such machine.\n"
          "\n"
          "Example:\n"
          "\n"
          "  xenlab run --control /tmp/m docs/examples/linux.cfg\n"
          "  xenlab ctl --control /tmp/m list\n"
          "  xenlab ctl --control /tmp/m shutdown -w 1\n",
          out);
}

const char *cmd_ctl_word(size_t i)
{
    static const char *const words[] = { "--control", "--name" };
    const struct ctl_command *c;

    if (i < ARRAY_SIZE(words))
        return words[i];
    c = ctl_command_at(i - ARRAY_SIZE(words));
    return c ? c->name : NULL;
}

__attribute__((format(printf, 1, 2))) static int fail(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text, strlen(text), true);
    fprintf(stderr, "xenlab: %s\n", text);
    return STATUS_ENVIRONMENT;
}

struct arguments {
    const char *control, *name;
    char request[CTL_HEAD_SIZE + CTL_WORDS_SIZE];
    size_t len;
    struct ctl_request read;
};

/* --OPTION VALUE, --OPTION=VALUE: which argument comes next; 0: it is another one. */
static int option_take(int argc, char *const *argv, int i, const char *option, const char **value)
{
    const size_t len = strlen(option);

    if (strncmp(argv[i], option, len) != 0 || (argv[i][len] && argv[i][len] != '='))
        return 0;
    *value = argv[i][len] ? argv[i] + len + 1 : i + 1 < argc ? argv[i + 1] : "";
    return i + (argv[i][len] ? 1 : 2);
}

/* -1: that has been said. */
static int arguments_read(struct arguments *a, int argc, char *const *argv)
{
    char *words = a->request + CTL_HEAD_SIZE;
    char why[CTL_ERR_SIZE];
    size_t len = 0;
    int i = 0, next;

    while (i < argc && argv[i][0] == '-') {
        next = option_take(argc, argv, i, "--control", &a->control);
        next = next ? next : option_take(argc, argv, i, "--name", &a->name);
        if (!next)
            return fail("ctl has no option %.64s in front of the command (see: xenlab ctl --help)", argv[i]), -1;
        i = next;
    }
    if ((a->control && !*a->control) || (a->name && !*a->name))
        return fail("%s: the value is empty", a->control && !*a->control ? "--control" : "--name"), -1;
    if (a->control && a->name)
        return fail("--control and --name: one of them says which machine"), -1;
    if (i >= argc)
        return fail("ctl: which command? (see: xenlab ctl --help)"), -1;
    for (; i < argc; i++) {
        const size_t size = strlen(argv[i]) + 1;

        if (len + size > CTL_WORDS_SIZE)
            return fail("ctl: these are too many words"), -1;
        memcpy(words + len, argv[i], size);
        len += size;
    }
    memcpy(a->request, CTL_MAGIC, 4);
    ctl_length_put((uint8_t *)a->request + 4, len);
    a->len = CTL_HEAD_SIZE + len;
    return ctl_parse(words, len, &a->read, why) ? fail("ctl: %s", why), -1 : 0;
}

/* A connection to the machine that is meant; -1: that has been said. */
static int machine_find(const struct arguments *a)
{
    char path[CTL_PLACE_SIZE], err[CTL_PLACE_ERR_SIZE];
    int rc = a->control ? ctl_place("--control", a->control, path, err)
             : a->name  ? ctl_place("--name", a->name, path, err)
                        : ctl_place_only(path, err);

    if (rc)
        return fail("%s", err), -1;
    rc = ctl_connect(path);
    if (rc < 0)
        fail("ctl: no machine listens at %s: %s", path, strerror(errno));
    return rc;
}

/* --- the exchange --- */

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

struct exchange {
    int fd;
    struct run_process *p;
    bool terminal; /* it is raw, and its keys are the console's */
    bool keys;     /* there may be more of them */
    uint8_t head[CTL_FRAME_SIZE];
    size_t head_len, left; /* of the frame that comes */
    int status;            /* -1: it is not over */
};

static void show(const struct exchange *x, const char *text, size_t len)
{
    FILE *out = x->head[0] == HOST_CTL_ERR ? stderr : stdout;

    fwrite(text, 1, len, out);
    fflush(out);
}

/* Bytes from the machine. False: that is not how it speaks. */
static bool heard(struct exchange *x, const uint8_t *bytes, size_t len)
{
    while (len && x->status < 0) {
        size_t n;

        if (x->head_len < CTL_FRAME_SIZE) {
            x->head[x->head_len++] = *bytes++;
            len--;
            x->left = x->head_len == CTL_FRAME_SIZE ? ctl_length_get(x->head + 1) : 0;
            if (x->head_len == CTL_FRAME_SIZE && (x->head[0] > HOST_CTL_END || x->left > CTL_FRAME_MAX))
                return false;
        } else {
            n = len < x->left ? len : x->left;
            if (x->head[0] == HOST_CTL_END)
                x->status = bytes[0];
            else
                show(x, (const char *)bytes, n);
            bytes += n;
            len -= n;
            x->left -= n;
        }
        if (x->head_len == CTL_FRAME_SIZE && !x->left)
            x->head_len = 0;
    }
    return true;
}

/* What is typed. True: Ctrl-]. */
static bool typed(struct exchange *x)
{
    char keys[512];
    const ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
    const char *leave = n > 0 && x->terminal ? memchr(keys, INPUT_LEAVE, (size_t)n) : NULL;

    if (n <= 0) {
        x->keys = n < 0 && errno == EINTR;
        return false;
    }
    if (!send_all(x->fd, keys, leave ? (size_t)(leave - keys) : (size_t)n))
        x->keys = false;
    return leave;
}

/* Until it is over. The exit status. */
static int exchange(struct exchange *x)
{
    uint8_t bytes[4096];

    while (x->status < 0 && !x->p->stop) {
        struct pollfd fds[2] = { { .fd = x->fd, .events = POLLIN },
                                 { .fd = x->keys ? STDIN_FILENO : -1, .events = POLLIN } };
        ssize_t n;

        x->p->terminal_refresh();
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents && typed(x))
            return STATUS_OK;
        if (!fds[0].revents)
            continue;
        n = recv(x->fd, bytes, sizeof(bytes), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail("ctl: the machine has gone");
        if (!heard(x, bytes, (size_t)n))
            return fail("ctl: what listens there is no machine of xenlab");
    }
    return x->p->stop ? 128 + x->p->signal : x->status;
}

/* COMMAND --help, help [COMMAND], behind the options. -1: it is something else. The exit status. */
static int help_asked(int argc, char *const *argv)
{
    const struct ctl_command *c;
    char why[CTL_ERR_SIZE];
    const char *value, *name;
    bool first, behind;
    int i = 0, next;

    while (i < argc && ((next = option_take(argc, argv, i, "--control", &value)) ||
                        (next = option_take(argc, argv, i, "--name", &value))))
        i = next;
    first = i < argc && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") || !strcmp(argv[i], "help"));
    behind = !first && i + 1 < argc && (!strcmp(argv[i + 1], "--help") || !strcmp(argv[i + 1], "-h"));
    if (!first && !behind)
        return -1;
    name = behind ? argv[i] : i + 1 < argc && strcmp(argv[i + 1], "--long") ? argv[i + 1] : NULL;
    if (!name) {
        cmd_ctl_help(stdout);
        return STATUS_OK;
    }
    c = ctl_command_find(name, why);
    if (!c)
        return fail("ctl: %s", why);
    fputs("Usage: xenlab ctl [--control PATH | --name NAME]\n", stdout);
    command_help(c, stdout);
    return STATUS_OK;
}

int cmd_ctl(int argc, char *const *argv, struct run_process *p)
{
    struct arguments a = { 0 };
    struct exchange x = { .p = p, .status = -1 };
    int status;

    status = help_asked(argc, argv);
    if (status >= 0)
        return status;
    if (arguments_read(&a, argc, argv))
        return STATUS_ENVIRONMENT;
    x.fd = machine_find(&a);
    if (x.fd < 0)
        return STATUS_ENVIRONMENT;
    p->signals_catch();
    if (!send_all(x.fd, a.request, a.len)) {
        status = fail("ctl: the machine has gone");
    } else {
        x.keys = a.read.command->kind == CTL_CONSOLE;
        x.terminal = x.keys && isatty(STDIN_FILENO) && p->terminal_raw();
        status = exchange(&x);
        if (x.terminal)
            fputs("\r\n", stdout);
    }
    close(x.fd);
    return status;
}
