// SPDX-License-Identifier: GPL-2.0-or-later
/* The debugger's commands: what can be typed. See ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "tools/nearest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static debug_fn help, quit;

/* One that moves has a backward form, whose key is the capital and whose name begins with "reverse-". */
static const struct command {
    const char *name;
    char key; /* 0: none */
    debug_fn *fn, *backward;
    bool changes; /* the machine's future: not with --read-only */
    const char *args, *help;
} commands[] = {
    { "step", 's', debug_step, debug_reverse_step, false, "[N]", "one instruction of the vCPU; S: back" },
    { "continue", 'c', debug_continue, debug_reverse_continue, false, "[N]",
      "to the next breakpoint, or as far as the run goes; C: to the last breakpoint" },
    { "break", 'b', debug_break, NULL, false, "[dN:]ADDR", "stop in front of the instruction there" },
    { "list", 0, debug_breaks, NULL, false, "", "all breakpoints" },
    { "delete", 0, debug_delete, NULL, false, "N", "forget a breakpoint" },
    { "exit", 'x', debug_exit, debug_reverse_exit, false, "[N]", "to the next exit of a guest" },
    { "hypercall", 'h', debug_hypercall, debug_reverse_hypercall, false, "[N]", "to the next hypercall" },
    { "transition", 't', debug_transition, debug_reverse_transition, false, "[N]",
      "to the next change between user, kernel and hypervisor" },
    { "event", 'e', debug_event, debug_reverse_event, false, "[N]", "to the next event of the trace" },
    { "switch", 'w', debug_switch, debug_reverse_switch, false, "[N]", "to where a pCPU goes over to another vCPU" },
    { "io", 'i', debug_io, debug_reverse_io, false, "[N]", "to the next byte of a console" },
    { "goto", 'g', debug_goto, NULL, false, "POS", "#INSN, #INSN.STEP, 107us, -10us, begin, end, or a mark" },
    { "back", 0, debug_back, NULL, false, "", "to where the last move came from" },
    { "mark", 'm', debug_mark_set, NULL, false, "NAME", "give this position a name" },
    { "jump", '\'', debug_jump, NULL, false, "NAME", "to a mark" },
    { "marks", 0, debug_marks, NULL, false, "", "all marks" },
    { "where", 0, debug_where, NULL, false, "", "the position, and what stands there" },
    { "vcpu", 'v', debug_vcpu, NULL, false, "dN[vM]", "whom commands are about" },
    { "print", 'p', debug_print, NULL, false, "EXPR",
      "its value: numbers, %REG, symbols, fields, u64[ADDR], C's operators" },
    { "regs", 0, debug_regs, NULL, false, "", "registers of the vCPU" },
    { "disas", 0, debug_disas, NULL, false, "[ADDR] [N]", "instructions" },
    { "walk", 0, debug_walk, NULL, false, "ADDR", "the page tables on the way to an address" },
    { "frame", 0, debug_frame, NULL, false, "MFN", "what a machine frame is" },
    { "domains", 0, debug_domains, NULL, false, "", "all of them" },
    { "vcpus", 0, debug_vcpus, NULL, false, "", "all of them, and why they wait" },
    { "ports", 0, debug_ports, NULL, false, "[dN]", "event channels" },
    { "grants", 0, debug_grants, NULL, false, "[dN]", "its frames that others use" },
    { "timers", 0, debug_timers, NULL, false, "", "that are armed" },
    { "hash", 0, debug_hash, NULL, false, "", "of RAM, registers and clock: equal positions have equal ones" },
    { "input", 0, debug_input, NULL, true, "TEXT", "type a line to the vCPU's domain, at the end of the run" },
    { "branch", 0, debug_branch, NULL, true, "", "let another future begin here" },
    { "help", '?', help, NULL, false, "[COMMAND]", "this" },
    { "quit", 'q', quit, NULL, false, "", "end" },
};

#define REVERSE "reverse-"

/* --- finding a command --- */

static const struct command *by_key(char key)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].key == key || (commands[i].backward && toupper((unsigned char)commands[i].key) == key))
            return &commands[i];
    return NULL;
}

/* By name, or by the beginning of one. *nr: how many begin so, names[]: the first of them. */
static const struct command *by_name(const char *word, size_t len, size_t *nr, const char *names[8])
{
    const struct command *found = NULL;

    *nr = 0;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strncmp(commands[i].name, word, len))
            continue;
        if (!commands[i].name[len]) {
            *nr = 1;
            return &commands[i];
        }
        if (*nr < 8)
            names[*nr] = commands[i].name;
        ++*nr;
        found = &commands[i];
    }
    return *nr == 1 ? found : NULL;
}

static void unknown(struct debug *g, const char *word, size_t len, size_t nr, const char *const names[8])
{
    const char *all[ARRAY_SIZE(commands)];
    char text[64], list[256] = "", hint[NEAREST_HINT_SIZE];

    snprintf(text, sizeof(text), "%.*s", (int)(len < 40 ? len : 40), word);
    for (size_t i = 0; i < nr && i < 8; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", names[i]);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        all[i] = commands[i].name;
    if (nr)
        debug_fail(g, "ambiguous", "\"%s\" may be: %s", text, list);
    else
        debug_fail(g, "unknown-command", "there is no command \"%s\"%s (see: help)", text,
                   nearest_hint(text, all, ARRAY_SIZE(commands), "", hint));
}

static const struct command *find(struct debug *g, const char *word, size_t len, bool *backward)
{
    const char *names[8] = { NULL };
    const struct command *c;
    size_t nr = 0;

    *backward = false;
    if (len == 1) {
        c = by_key(*word);
        *backward = c && c->key != *word;
        if (!c)
            unknown(g, word, len, 0, names);
        return c;
    }
    if (len > strlen(REVERSE) && !strncmp(word, REVERSE, strlen(REVERSE))) {
        *backward = true;
        word += strlen(REVERSE);
        len -= strlen(REVERSE);
    }
    c = by_name(word, len, &nr, names);
    if (!c)
        unknown(g, word, len, nr, names);
    else if (*backward && !c->backward)
        debug_fail(g, "not-reversible", "%s does not move: there is no reverse-%s", c->name, c->name);
    return c && *backward && !c->backward ? NULL : c;
}

/* --- carrying it out --- */

/* "9C", "step 9": how often. Whatever else stands behind the name is args. */
static bool count_parse(const char **text, unsigned long *count)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return false;
    *count = strtoul(*text, &end, 10);
    *text = end;
    return true;
}

static bool only_count(const char *args, unsigned long *count)
{
    const char *p = args;

    if (!count_parse(&p, count))
        return false;
    return !p[strspn(p, " \t")];
}

static void carry_out(struct debug *g, const struct command *c, bool backward, const char *args, unsigned long count)
{
    const struct position before = g->rw.m->at;

    if (c->changes && g->read_only) {
        debug_fail(g, "read-only", "%s changes the machine: not with --read-only", c->name);
        return;
    }
    if (c->backward && *args && only_count(args, &count))
        args = "";
    if (c->backward && *args) {
        debug_fail(g, "arguments", "%s takes a number, how often: not \"%s\"", c->name, args);
        return;
    }
    (backward ? c->backward : c->fn)(g, args, count);
    g->interrupt = false;
    if (c->fn != debug_back && memcmp(&before, &g->rw.m->at, sizeof(before)))
        g->came_from = before;
}

static void one(struct debug *g, char *text)
{
    unsigned long count = 1;
    const char *p = text + strspn(text, " \t"), *args;
    const struct command *c;
    bool backward;
    size_t len;

    text[strcspn(text, "\r\n")] = '\0';
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
        text[n - 1] = '\0';
    if (!*p)
        return;
    if (p[0] == 'x' && p[1] == '/') {
        debug_examine(g, p + 2, 1);
        return;
    }
    count_parse(&p, &count);
    len = strcspn(p, " \t");
    args = p + len + strspn(p + len, " \t");
    c = find(g, p, len, &backward);
    if (c)
        carry_out(g, c, backward, args, count);
}

void debug_command(struct debug *g, const char *line)
{
    char *copy = strdup(line), *rest = copy, *part;

    if (!copy) {
        debug_fail(g, "memory", "out of memory");
        return;
    }
    while (!g->quit && (part = strsep(&rest, ";")))
        one(g, part);
    free(copy);
}

/* --- help, quit --- */

static void help_one(struct debug *g, const struct command *c)
{
    char left[64];

    snprintf(left, sizeof(left), "%c%s %s %s", c->key ?: ' ',
             c->backward ? (char[]){ ' ', (char)toupper(c->key), 0 } : "  ", c->name, c->args);
    say_begin(&g->say, "help");
    say_field(&g->say, "command", "%s", c->name);
    say_field(&g->say, "args", "%s", c->args);
    say_field(&g->say, "help", "%s", c->help);
    say(&g->say, "  %-28s %s", left, c->help);
    say_end(&g->say);
}

static void help(struct debug *g, const char *args, unsigned long count)
{
    bool backward;
    const struct command *c = *args ? find(g, args, strlen(args), &backward) : NULL;

    if (c)
        help_one(g, c);
    for (size_t i = 0; !*args && i < ARRAY_SIZE(commands); i++)
        help_one(g, &commands[i]);
}

static void quit(struct debug *g, const char *args, unsigned long count) { g->quit = true; }
