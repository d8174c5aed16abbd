// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab doctor`: what of this machine is as it should be.
 *
 * Concept: a list of checks, each of which tries what xenlab does, rather than ask for versions, and prints one line:
 *
 *      ok       it is there
 *      lacks    it is not: what that costs, and what to type
 *      FAILS    the same, and no guest can run without it: exit status 1
 *
 * Where it has been started is read from files, in doctor_place.c.
 *
 * Budget: a check each.
 */
#include "ui/cmd_doctor.h"

#include "sim/machine.h"
#include "tools/build/image_kept.h"
#include "tools/sandbox/sandbox.h"
#include "ui/doctor_place.h"
#include "ui/firmware.h"
#include "ui/status.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
    FILE *out;
    unsigned int failed, lacking;
};

/* Names of locales, terminals and places come from outside. */
static void clean(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' || (unsigned char)*text == 0x7f ? '?' : *text, out);
}

static void __attribute__((format(printf, 3, 4))) ok(struct report *r, const char *name, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(r->out, "%-6s %-12s ", "ok", name);
    clean(r->out, text);
    fputc('\n', r->out);
}

/* What is missing, what that costs, and what to type. */
static void line(struct report *r, const char *state, const char *name, const char *what, const char *costs,
                 const char *type)
{
    fprintf(r->out, "%-6s %-12s ", state, name);
    clean(r->out, what);
    fprintf(r->out, "; costs: %s; type: %s\n", costs, type);
}

static void missing(struct report *r, const char *name, const char *what, const char *costs, const char *type)
{
    line(r, "lacks", name, what, costs, type);
    r->lacking++;
}

static void fails(struct report *r, const char *name, const char *what, const char *type)
{
    line(r, "FAILS", name, what, "no guest can run", type);
    r->failed++;
}

/* --- where this is --- */

static void place_say(void *to, const struct doctor_said *said)
{
    if (said->costs)
        missing(to, said->name, said->what, said->costs, said->type);
    else
        ok(to, said->name, "%s", said->what);
}

static void check_place(struct report *r) { doctor_place("", place_say, r); }

/* --- what guests need --- */

/* A machine is switched on, which is when the engine's self-tests run. */
static void check_engine(struct report *r)
{
    const struct machine_config cfg = { .ram_mib = 32, .nr_pcpus = 1 };
    char err[512] = "";
    struct machine *m = machine_create(&cfg, err, sizeof(err));
    struct rlimit space;

    if (!m) {
        const bool limited = !getrlimit(RLIMIT_AS, &space) && space.rlim_cur != RLIM_INFINITY;

        fails(r, "engine", err, limited ? "ulimit -v unlimited" : "make setup");
        return;
    }
    if (pcpu_backend_is_fast(m->pcpu[0]))
        ok(r, "engine", "%s, guests' code is translated; its self-tests pass", pcpu_backend_name(m->pcpu[0]));
    else
        missing(r, "engine", "its self-tests pass, but this build of it is laid out in another way than known",
                "system calls of programs take four times as long, hypercalls nearly twice", "make setup");
    machine_destroy(m);
}

static void check_memory(struct report *r)
{
    const size_t large = (size_t)64 << 30;
    void *p = mmap(NULL, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        missing(r, "memory", "64 GiB of address space cannot be reserved (ulimit -v, or vm.overcommit_memory=2)",
                "machines with much memory (--ram) do not start",
                "ulimit -v unlimited; sudo sysctl vm.overcommit_memory=0");
        return;
    }
    munmap(p, large);
    ok(r, "memory", "a machine of 64 GiB can be had; it costs what its guests touch");
}

/* --- what the kernel lets us do --- */

/* What fn returns in a process of its own: 0, or errno. */
static int in_child(int (*fn)(void))
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0)
        return errno;
    if (!pid)
        _exit(fn() ? errno : 0);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return EINTR;
    return WEXITSTATUS(status);
}

static int try_user_namespace(void) { return unshare(CLONE_NEWUSER); }
static int try_trace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? -1 : 0; }

static void check_kernel(struct report *r)
{
    struct utsname u = { 0 };
    char what[96];
    int fd, error;

    uname(&u);
    fd = memfd_create("xenlab-doctor", MFD_CLOEXEC);
    if (fd < 0) {
        snprintf(what, sizeof(what), "memfd_create(): %s", strerror(errno));
        fails(r, "kernel", what, errno == ENOSYS ? "uname -r; it must be 3.17 or newer" : "ulimit -n 1024");
    }
    if (fd >= 0)
        ok(r, "kernel", "%s %s: memory that can be shared", u.sysname, u.release);
    if (fd >= 0)
        close(fd);

    error = in_child(try_trace);
    if (error)
        missing(r, "ptrace", strerror(error), "make cpucheck and make survey cannot ask the real processor",
                "docker run --cap-add SYS_PTRACE, or run outside the container");
    else
        ok(r, "ptrace", "guests' instructions can be compared with the real processor's");

    error = in_child(try_user_namespace);
    if (error)
        missing(r, "namespaces", strerror(error),
                "bubblewrap cannot work: students' programs are kept from files by Landlock alone",
                "sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=1000");
    else
        ok(r, "namespaces", "user namespaces can be made without root");
}

/* --- what one sees --- */

static void check_terminal(struct report *r)
{
    const char *term = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        missing(r, "terminal", "standard input or output is none",
                "guests read a file or a pipe to its end, and Ctrl-] does not leave",
                "xenlab in a terminal, without < > or |");
    else if (!term || !*term || !strcmp(term, "dumb"))
        missing(r, "terminal", "TERM says that it can do nothing", "guests that draw on their console look garbled",
                "export TERM=xterm-256color");
    else
        ok(r, "terminal", "%s", term);
}

static void check_display(struct report *r)
{
    const char *wayland = getenv("WAYLAND_DISPLAY"), *x11 = getenv("DISPLAY");

    if (wayland && *wayland)
        ok(r, "display", "Wayland, %s", wayland);
    else if (x11 && *x11)
        ok(r, "display", "X11, %s", x11);
    else
        missing(r, "display", "no DISPLAY and no WAYLAND_DISPLAY",
                "nothing today: guests' consoles are text; charts (xenlab sched --svg) are to be looked at elsewhere",
                "ssh -X, or a terminal of a desktop");
}

static void check_locale(struct report *r)
{
    const char *all = getenv("LC_ALL"), *ctype = getenv("LC_CTYPE"), *lang = getenv("LANG");
    const char *name = all && *all ? all : ctype && *ctype ? ctype : lang && *lang ? lang : "C";
    locale_t l = newlocale(LC_ALL_MASK, "", (locale_t)0);
    char what[256];

    if (l && !strcmp(nl_langinfo_l(CODESET, l), "UTF-8")) {
        ok(r, "locale", "%s, UTF-8", name);
    } else {
        snprintf(what, sizeof(what), l ? "%s is not UTF-8" : "%s is not installed", name);
        missing(r, "locale", what, "names and consoles with letters outside ASCII may be garbled",
                "export LC_ALL=C.UTF-8");
    }
    if (l)
        freelocale(l);
}

/* --- what building and testing need --- */

/* scripts/setup.sh has the same list; a test compares them. */
static const char packages[] =
    "gcc make binutils pkg-config libc6-dev libxen-dev libcapstone-dev libsdl2-dev "
    "libncurses-dev libcmocka-dev libedit-dev libjson-c-dev zlib1g-dev liblzma-dev libbz2-dev liblz4-dev libzstd-dev "
    "libxxhash-dev nettle-dev libdw-dev librsvg2-2 gdb tmux e2fsprogs libnbd0 qemu-utils libslirp0 "
    "libpng-dev libvncserver-dev";

/* Those that are not installed, each with a space in front. False: there is no dpkg here to ask. */
static bool packages_missing(char *list, size_t len)
{
    char command[768], text[4096], word[64];
    FILE *f;
    size_t n;
    int at;

    snprintf(command, sizeof(command), "dpkg-query -W -f='\n${Package} ${db:Status-Status} ' %s 2> /dev/null",
             packages);
    f = popen(command, "r");
    n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        pclose(f);
    list[0] = '\0';
    for (const char *p = packages; sscanf(p, "%63s%n", word, &at) == 1; p += at) {
        char installed[96];

        snprintf(installed, sizeof(installed), "\n%s installed ", word);
        if (!strstr(text, installed))
            snprintf(list + strlen(list), len - strlen(list), " %s", word);
    }
    return n > 0;
}

static void check_packages(struct report *r)
{
    char list[512], what[600], type[600];

    if (!packages_missing(list, sizeof(list))) {
        missing(r, "packages", "this is no Debian: dpkg-query does not answer",
                "make cannot install what it needs by itself", "less scripts/setup.sh, which names what to install");
    } else if (*list) {
        snprintf(what, sizeof(what), "not installed:%s", list);
        snprintf(type, sizeof(type), "sudo apt-get install --no-install-recommends%s", list);
        missing(r, "packages", what, "make cannot build xenlab, or its tests", type);
    } else {
        ok(r, "packages", "all that make needs");
    }
}

static bool in_path(const char *program)
{
    const char *path = getenv("PATH");
    char file[4096];

    for (const char *p = path ? path : ""; *p; p += strcspn(p, ":"), p += *p == ':') {
        snprintf(file, sizeof(file), "%.*s/%s", (int)strcspn(p, ":"), p, program);
        if (!access(file, X_OK))
            return true;
    }
    return false;
}

static void check_compiler(struct report *r)
{
    if (in_path("cc"))
        ok(r, "compiler", "cc: schedulers of your own can be built");
    else
        missing(r, "compiler", "no cc", "schedulers of your own (xenlab sched --policy ./mine.so) cannot be built",
                "sudo apt-get install gcc");
}

static void check_sandbox(struct report *r)
{
    if (sandbox_wraps())
        ok(r, "sandbox", "bubblewrap: schedulers of others see no file, process or network");
    else
        missing(r, "sandbox", "no bubblewrap, or it may not make namespaces here",
                "schedulers of others (xenlab sched --policy ./theirs.so) can read what you can read",
                "sudo apt-get install bubblewrap");
}

static void check_kept(struct report *r)
{
    const char *off = getenv("XENLAB_CACHE"),
               *costs = "a packed kernel is unpacked at each start, which takes 0.3 to 1.1 s";
    char said[IMAGE_KEPT_SAID_SIZE];
    const int folder = image_kept_open(said);

    if (off && !strcmp(off, "off"))
        missing(r, "cache", "XENLAB_CACHE=off", costs, "unset XENLAB_CACHE");
    else if (folder < 0)
        missing(r, "cache", said, costs, "export XDG_CACHE_HOME=/a/folder/of/yours, or rm -r ~/.cache/xenlab");
    else if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS))
        missing(r, "cache", "the folder xenlab in $XDG_CACHE_HOME or else ~/.cache may not be written", costs,
                "chmod u+rwx ~/.cache/xenlab");
    else
        ok(r, "cache", "unpacked kernels are kept for their next start");
    if (folder >= 0)
        close(folder);
}

static void check_firmware(struct report *r)
{
    const enum firmware needed[] = { FIRMWARE_HVMLOADER, FIRMWARE_SEABIOS };
    char what[128];

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        const struct firmware_file *f = &firmware_files[needed[i]];
        char *path = firmware_find(needed[i], NULL);

        free(path);
        if (path)
            continue;
        snprintf(what, sizeof(what), "no %s, of the package %s", f->name, f->package);
        missing(r, "firmware", what, "HVM guests start with firmware_override only",
                "cd to the project's directory; make assets");
        return;
    }
    ok(r, "firmware", "hvmloader and SeaBIOS: HVM guests start");
}

/* What an installed program has beside it: share/xenlab/guests/hello, if it is there. */
static bool guests_installed(char *path, size_t len)
{
    char program[4096];
    const ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *cut;

    if (n < 0)
        return false;
    program[n] = '\0';
    for (int i = 0; i < 2; i++) { /* without "/bin/xenlab" */
        cut = strrchr(program, '/');
        if (!cut)
            return false;
        *cut = '\0';
    }
    return snprintf(path, len, "%s/share/xenlab/guests/hello", program) < (int)len && !access(path, R_OK);
}

static void check_guests(struct report *r)
{
    static const struct {
        const char *name, *file, *costs, *type;
    } guests[] = {
        { "toy guests", "build/guests/hello", "xenlab run build/guests/... finds none of them",
          "cd to the project's directory; make" },
        { "real guests", "build/assets/vmlinuz-cloud", "no Linux and no GRUB, and their tests are skipped",
          "cd to the project's directory; make assets" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
        char what[96], installed[4200];

        snprintf(what, sizeof(what), "no %s here", guests[i].file);
        if (!access(guests[i].file, R_OK))
            ok(r, guests[i].name, "%s", guests[i].file);
        else if (!i && guests_installed(installed, sizeof(installed)))
            ok(r, guests[i].name, "%s", installed);
        else
            missing(r, guests[i].name, what, guests[i].costs, guests[i].type);
    }
}

int cmd_doctor(int argc, char *const *argv, FILE *out)
{
    static void (*const checks[])(struct report *) = {
        check_place,    check_engine,   check_memory,  check_kernel, check_terminal, check_display,  check_locale,
        check_packages, check_compiler, check_sandbox, check_guests, check_kept,     check_firmware,
    };
    struct report r = { .out = out };

    if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
        fputs("Usage: xenlab doctor\n\n"
              "Looks at this machine: a line for each thing that xenlab wants, whether it is\n"
              "there, what it costs if not, and what to type then.\n\n"
              "Exit status: 0 if all that guests need is there, else 1.\n",
              out);
        return STATUS_OK;
    }
    if (argc) {
        fputs("xenlab: doctor takes no arguments (see: xenlab doctor --help)\n", stderr);
        return STATUS_ENVIRONMENT;
    }
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        checks[i](&r);
    fprintf(out, "\n%s", r.failed ? "Guests cannot run here." : "All that guests need is there.");
    if (r.lacking)
        fprintf(out, " %u thing%s could be better.", r.lacking, r.lacking == 1 ? "" : "s");
    fputc('\n', out);
    if (fflush(out) || ferror(out)) {
        fprintf(stderr, "xenlab: standard output: %s\n", strerror(errno));
        return STATUS_ENVIRONMENT;
    }
    return r.failed ? STATUS_ENVIRONMENT : STATUS_OK;
}
