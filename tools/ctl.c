// SPDX-License-Identifier: GPL-2.0-or-later
/* The words of `xenlab ctl`, see tools/ctl.h. */
#include "tools/ctl.h"

#include "tools/nearest.h"

#include <stdio.h>
#include <string.h>

#define SCHED_OPTIONS                                                                                                  \
    { 'd', "domain", "DOMAIN", "of this domain" }, { 'w', "weight", "N", "set its weight, 1 to 65535" },               \
        { 'c', "cap", "N", "set its cap, percent of a pCPU; 0: none" },                                                \
        { 'p', "cpupool", "POOL", "of this CPU pool" },                                                                \
    {                                                                                                                  \
        's', "schedparam", NULL, "of the scheduler, not of domains"                                                    \
    }

#define RATELIMIT_OPTION                                                                                               \
    {                                                                                                                  \
        'r', "ratelimit_us", "N", "set how long a vCPU runs at least; 0: no limit"                                     \
    }

#define WAIT_OPTIONS                                                                                                   \
    { 'a', "all", NULL, "all guests" }, { 'w', "wait", NULL, "until it has shut down; -ww: until it is gone" },        \
    {                                                                                                                  \
        'F', NULL, NULL, "by the power button, if it has no drivers for Xen"                                           \
    }

/* clang-format off */
static const struct ctl_command commands[] = {
    { "list", "[-v] [-c] [-n] [DOMAIN]...", CTL_LOOKS, 0, CTL_MAX_ARGS, "domains, their memory, vCPUs, state and time", NULL,
      { { 'v', "verbose", NULL, "UUID and reason of a shutdown, too" }, { 'c', "cpupool", NULL, "CPU pools, too" },
        { 'n', "numa", NULL, "NUMA nodes, too: there is one" }, { 'Z', "context", NULL, "security labels, too: there are none" },
        { 'l', "long", NULL, "refused: there is no JSON of a configuration" } } },
    { "console", "DOMAIN", CTL_CONSOLE, 1, 1, "this terminal at its console; Ctrl-] leaves", NULL,
      { { 't', "type", "pv|serial", "an HVM guest's serial line, if it is that" }, { 'n', "num", "0", "the first; others are channels" } } },
    { "pause", "DOMAIN", CTL_CHANGES, 1, 1, "it does not run until it is unpaused", NULL, { { 0 } } },
    { "unpause", "DOMAIN", CTL_CHANGES, 1, 1, "it runs", NULL, { { 0 } } },
    { "shutdown", "[-w] -a|DOMAIN", CTL_CHANGES, 0, 1, "ask it to power itself off", NULL, { WAIT_OPTIONS } },
    { "reboot", "[-w] -a|DOMAIN", CTL_CHANGES, 0, 1, "ask it to reboot", NULL, { WAIT_OPTIONS } },
    { "destroy", "DOMAIN", CTL_CHANGES, 1, 1, "end it at once, as if its power failed", NULL,
      { { 'f', NULL, NULL, "of dom0: refused as well" } } },
    { "mem-set", "DOMAIN SIZE", CTL_CHANGES, 2, 2, "let it balloon to SIZE: MiB, or with b, k, m, g or t behind it", NULL,
      { { 0 } } },
    { "vcpu-set", "DOMAIN N", CTL_CHANGES, 2, 2, "so many of its vCPUs are to be online", NULL,
      { { 'i', "ignore-host", NULL, "also if the machine has fewer pCPUs" } } },
    { "vcpu-list", "[DOMAIN]...", CTL_LOOKS, 0, CTL_MAX_ARGS, "vCPUs, where they run and may run", NULL, { { 0 } } },
    { "vcpu-pin", "DOMAIN VCPU|all HARD [SOFT]", CTL_CHANGES, 3, 4, "on which pCPUs it may run: 0-2,^1, all; -: as before",
      NULL, { { 'f', "force", NULL, "taken: nothing is pinned by the guest" } } },
    { "sched-credit", "[-d DOMAIN [-w N] [-c N]] | [-p POOL] [-s [-t N] [-r N] [-m N]]", CTL_LOOKS, 0, 0,
      "weights and caps under credit, or the scheduler itself: shown or set", "wctrm",
      { SCHED_OPTIONS, { 't', "tslice_ms", "N", "set the time slice, 1 to 1000" }, RATELIMIT_OPTION,
        { 'm', "migration_delay_us", "N", "set how long a vCPU that ran is not moved" } } },
    { "sched-credit2", "[-d DOMAIN [-w N] [-c N]] | [-p POOL] [-s [-r N]]", CTL_LOOKS, 0, 0, "the same under credit2", "wcr",
      { SCHED_OPTIONS, RATELIMIT_OPTION } },
    { "sched-rtds", "[-d DOMAIN [-v VCPU|all] [-p N] [-b N] [-e 0|1]] | [-c POOL]", CTL_LOOKS, 0, 0,
      "periods and budgets under rtds, shown or set", "pbe",
      { { 'd', "domain", "DOMAIN", "of this domain" }, { 'v', "vcpuid", "VCPU|all", "of this vCPU, or each" },
        { 'p', "period", "N", "set the period, in us" }, { 'b', "budget", "N", "set the budget, in us" },
        { 'e', "extratime", "0|1", "set whether it may have what others leave" },
        { 'c', "cpupool", "POOL", "of this CPU pool" } } },
    { "rename", "DOMAIN NAME", CTL_CHANGES, 2, 2, "give it another name", NULL, { { 0 } } },
    { "trigger", "DOMAIN power|sleep|nmi|init|reset|s3resume [VCPU]", CTL_CHANGES, 2, 3, "press a button of its, or send an NMI to a vCPU", NULL,
      { { 0 } } },
    { "sysrq", "DOMAIN LETTER", CTL_CHANGES, 2, 2, "a Magic SysRq for its Linux", NULL, { { 0 } } },
    { "crash", "DOMAIN", CTL_CHANGES, 1, 1, "as if it had crashed", NULL, { { 0 } } },
    { "dump-core", "DOMAIN FILE", CTL_CHANGES, 2, 2, "its memory and registers to a file of the machine's", NULL, { { 0 } } },
    { "clone", "DOMAIN NAME", CTL_CHANGES, 2, 2, "a second one like it, with its memory and its disks", NULL, { { 0 } } },
    { "snapshot", "DOMAIN NAME", CTL_CHANGES, 2, 2, "the same, but paused: to be cloned, or unpaused", NULL, { { 0 } } },
    { "save", "[-c|-p] DOMAIN FILE", CTL_CHANGES, 2, 2, "its memory and state to a file, from which it can be restored; it ends", NULL,
      { { 'c', NULL, NULL, "it goes on" }, { 'p', NULL, NULL, "it stays, paused" } } },
    { "restore", "[-p] FILE", CTL_CHANGES, 1, 1, "a domain that was saved, with the disks that it names", NULL,
      { { 'p', NULL, NULL, "it stays paused" }, { 'n', "name", "NAME", "it is called so" }, { 'e', NULL, NULL, "taken: nobody waits for its end" },
        { 's', "sha256", "DIGEST", "only if the file has this SHA-256" } } },
    { "block-attach", "DOMAIN DISK...", CTL_CHANGES, 2, CTL_MAX_ARGS, "give it a disk, written as in its xl.cfg", NULL, { { 0 } } },
    { "block-list", "DOMAIN...", CTL_LOOKS, 1, CTL_MAX_ARGS, "its disks", NULL, { { 0 } } },
    { "block-detach", "[-f] DOMAIN VDEV", CTL_CHANGES, 2, 2, "take a disk away: its name, or its number", NULL,
      { { 'f', "force", NULL, "without asking the guest" } } },
    { "block-resize", "DOMAIN VDEV SIZE", CTL_CHANGES, 3, 3, "let a disk grow to SIZE: MiB, or with k, m, g or t behind it",
      NULL, { { 0 } } },
    { "block-release", "DOMAIN VDEV", CTL_CHANGES, 2, 2, "let another machine have a disk's file; the domain is paused",
      NULL, { { 0 } } },
    { "block-take", "DOMAIN VDEV", CTL_CHANGES, 2, 2, "have a disk's file again", NULL, { { 0 } } },
    { "cd-insert", "DOMAIN VDEV FILE", CTL_CHANGES, 3, 3, "put a disc into a CD drive of an HVM guest's", NULL, { { 0 } } },
    { "cd-eject", "DOMAIN VDEV", CTL_CHANGES, 2, 2, "take the disc out of a CD drive", NULL, { { 0 } } },
    { "network-attach", "DOMAIN [KEY=VALUE...]", CTL_CHANGES, 1, CTL_MAX_ARGS, "give it a network card, written as in its xl.cfg",
      NULL, { { 0 } } },
    { "network-list", "DOMAIN...", CTL_LOOKS, 1, CTL_MAX_ARGS, "its network cards", NULL, { { 0 } } },
    { "network-detach", "[-f] DOMAIN NUMBER|MAC", CTL_CHANGES, 2, 2, "take a network card away", NULL,
      { { 'f', "force", NULL, "without asking the guest" } } },
    { "channel-list", "DOMAIN...", CTL_LOOKS, 1, CTL_MAX_ARGS, "its channels", NULL, { { 0 } } },
    { "debug-keys", "KEYS", CTL_CHANGES, 1, 1, "keys of the hypervisor's console; dmesg has what they say (h: help)", NULL, { { 0 } } },
    { "dmesg", "[-c]", CTL_LOOKS, 0, 0, "the hypervisor's messages", "c", { { 'c', "clear", NULL, "and forget them" } } },
    { "info", "", CTL_LOOKS, 0, 0, "the machine", NULL, { { 'n', "numa", NULL, "taken: it has one node" } } },
    { "top", "", CTL_LOOKS, 0, 0, "domains by what they take, as xentop -b prints it once", NULL,
      { { 'b', "batch", NULL, "taken: it always is" } } },
    { "uptime", "[-s] [DOMAIN]...", CTL_LOOKS, 0, CTL_MAX_ARGS, "how long they run, in virtual time", NULL,
      { { 's', "short", NULL, "without seconds" } } },
    { "domid", "NAME", CTL_LOOKS, 1, 1, "the number of a domain", NULL, { { 0 } } },
    { "domname", "DOMID", CTL_LOOKS, 1, 1, "the name of a domain", NULL, { { 0 } } },
};
/* clang-format on */

const struct ctl_command *ctl_command_at(size_t i)
{
    return i < sizeof(commands) / sizeof(*commands) ? &commands[i] : NULL;
}

/* As in xl, the beginning of a name will do if no other name begins so. */
const struct ctl_command *ctl_command_find(const char *name, char err[CTL_ERR_SIZE])
{
    const char *names[sizeof(commands) / sizeof(*commands)];
    const struct ctl_command *begins = NULL;
    char hint[NEAREST_HINT_SIZE];
    unsigned int nr = 0;
    size_t i;

    for (i = 0; ctl_command_at(i); i++) {
        names[i] = commands[i].name;
        if (!strcmp(name, commands[i].name))
            return &commands[i];
        if (*name && !strncmp(name, commands[i].name, strlen(name))) {
            begins = &commands[i];
            nr++;
        }
    }
    if (nr == 1)
        return begins;
    snprintf(err, CTL_ERR_SIZE, "there is no command \"%.64s\"%s (see: xenlab ctl --help)", name,
             nearest_hint(name, names, i, "", hint));
    return NULL;
}

/* What is read, word by word. */
struct reader {
    const char *at, *end;
    struct ctl_request *r;
    char *err;
};

static const char *word_next(struct reader *in)
{
    const char *word = in->at < in->end ? in->at : NULL;

    if (word)
        in->at += strlen(word) + 1;
    return word;
}

static int option_unknown(struct reader *in, const char *word)
{
    snprintf(in->err, CTL_ERR_SIZE, "%s has no option %.64s: %s %s", in->r->command->name, word, in->r->command->name,
             in->r->command->args);
    return -1;
}

static int option_note(struct reader *in, const struct ctl_option *o, const char *value)
{
    if (o->value && !value)
        value = word_next(in);
    if (o->value && !value) {
        snprintf(in->err, CTL_ERR_SIZE, "%s: -%c takes a value: %s", in->r->command->name, o->letter, o->value);
        return -1;
    }
    in->r->option[(unsigned char)o->letter] = o->value ? value : "";
    in->r->times[(unsigned char)o->letter]++;
    return 0;
}

/* --name, --name=VALUE, --name VALUE */
static int option_long(struct reader *in, const char *word)
{
    const size_t len = strcspn(word + 2, "=");
    const char *value = word[2 + len] ? word + 2 + len + 1 : NULL;

    for (const struct ctl_option *o = in->r->command->options; o < in->r->command->options + CTL_MAX_OPTIONS; o++)
        if (o->letter && o->name && strlen(o->name) == len && !strncmp(o->name, word + 2, len))
            return value && !o->value ? option_unknown(in, word) : option_note(in, o, value);
    return option_unknown(in, word);
}

/* -w, -ww, -d DOMAIN, -dDOMAIN */
static int options_short(struct reader *in, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const struct ctl_option *o = in->r->command->options;

        while (o < in->r->command->options + CTL_MAX_OPTIONS && (!o->letter || o->letter != *c))
            o++;
        if (o == in->r->command->options + CTL_MAX_OPTIONS)
            return option_unknown(in, word);
        if (option_note(in, o, o->value && c[1] ? c + 1 : NULL))
            return -1;
        if (o->value)
            break;
    }
    return 0;
}

static int too_many(struct reader *in)
{
    snprintf(in->err, CTL_ERR_SIZE, "%s: more than %d arguments", in->r->command->name, CTL_MAX_ARGS);
    return -1;
}

static int arguments_check(struct reader *in)
{
    const struct ctl_command *c = in->r->command;
    const bool all = in->r->option['a'] != NULL;
    const unsigned int min = !c->min && c->max == 1 && !all ? 1 : c->min; /* -a stands for a domain */
    const unsigned int max = all ? 0 : c->max;

    if (in->r->nr_args >= min && in->r->nr_args <= max)
        return 0;
    if (in->r->nr_args < min)
        snprintf(in->err, CTL_ERR_SIZE, "%s requires at least %u argument%s: %s %s", c->name, min, min == 1 ? "" : "s",
                 c->name, c->args);
    else
        snprintf(in->err, CTL_ERR_SIZE, "%s does not take \"%.64s\": %s %s", c->name, in->r->arg[max], c->name,
                 c->args);
    return -1;
}

int ctl_parse(const char *words, size_t len, struct ctl_request *r, char err[CTL_ERR_SIZE])
{
    struct reader in = { words, words + len, r, err };
    bool options = true;
    const char *word;
    int rc = 0;

    *r = (struct ctl_request){ 0 };
    if (!len || len > CTL_WORDS_SIZE || words[len - 1]) {
        snprintf(err, CTL_ERR_SIZE, len > CTL_WORDS_SIZE ? "these are too many words" : "these are no words");
        return -1;
    }
    r->command = ctl_command_find(word_next(&in), err);
    if (!r->command)
        return -1;
    while (!rc && (word = word_next(&in))) {
        if (options && !strcmp(word, "--"))
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            rc = option_long(&in, word);
        else if (options && word[0] == '-' && word[1])
            rc = options_short(&in, word);
        else if (r->nr_args == CTL_MAX_ARGS)
            rc = too_many(&in);
        else
            r->arg[r->nr_args++] = word;
    }
    return rc ? rc : arguments_check(&in);
}

bool ctl_changes(const struct ctl_request *r)
{
    for (const char *c = r->command->changing; c && *c; c++)
        if (r->option[(unsigned char)*c])
            return true;
    return r->command->kind == CTL_CHANGES;
}

bool ctl_number(const char *text, unsigned long max, unsigned long *n)
{
    unsigned long v = 0;

    if (!*text)
        return false;
    for (; *text; text++)
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (unsigned long)(*text - '0'), &v))
            return false;
    *n = v;
    return v <= max;
}
