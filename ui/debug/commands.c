// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The debugger's commands: what can be typed. See ui/debug/debug.h.
 *
 * Budget: the table of all of them, and how a line finds its own.
 */
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
    { "over", 'n', debug_over, debug_reverse_over, false, "[N]", "the same, with what a call or a system call does" },
    { "finish", 'f', debug_finish, debug_reverse_finish, false, "[N]",
      "to where this function returns to; F: to the call of it" },
    { "continue", 'c', debug_continue, debug_reverse_continue, false, "[N|COND]",
      "to the next stop, or as far as the run goes; C: to the last stop" },
    { "break", 'b', debug_break, NULL, false, "ADDR [if COND]", "stop in front of the instruction there" },
    { "watch", 0, debug_watch, NULL, false, "ADDR[,LEN] [r|w|c] [if COND]",
      "stop where memory is read, written, or (c, if nothing is said) changed" },
    { "trace", 0, debug_trace, NULL, false, "EVENT [if COND]", "stop at an event of the trace" },
    { "log", 0, debug_log, NULL, false, "EVENT [if COND]", "say when there is one, and go on" },
    { "list", 0, debug_stops, NULL, false, "", "all that stops or is logged" },
    { "delete", 0, debug_delete, NULL, false, "N", "forget one of those; delete all: all" },
    { "exit", 'x', debug_exit, debug_reverse_exit, false, "[N|COND]", "to the next exit of a guest" },
    { "hypercall", 'h', debug_hypercall, debug_reverse_hypercall, false, "[N|COND]", "to the next hypercall" },
    { "transition", 't', debug_transition, debug_reverse_transition, false, "[N|COND]",
      "to the next change between user, kernel and hypervisor" },
    { "event", 'e', debug_event, debug_reverse_event, false, "[N|COND]", "to the next event of the trace" },
    { "switch", 'w', debug_switch, debug_reverse_switch, false, "[N|COND]",
      "to where a pCPU goes over to another vCPU" },
    { "io", 'i', debug_io, debug_reverse_io, false, "[N|COND]", "to the next byte of a console" },
    { "goto", 'g', debug_goto, NULL, false, "POS", "#INSN, #INSN.STEP, 107us, -10us, begin, end, or a mark" },
    { "back", 0, debug_back, NULL, false, "", "to where the last move came from" },
    { "mark", 'm', debug_mark_set, NULL, false, "NAME", "give this position a name" },
    { "jump", '\'', debug_jump, NULL, false, "NAME", "to a mark" },
    { "marks", 0, debug_marks, NULL, false, "", "all marks" },
    { "where", 0, debug_where, NULL, false, "", "the position, and what stands there" },
    { "vcpu", 'v', debug_vcpu, NULL, false, "[dN[vM]|next|previous]", "whom commands are about" },
    { "print", 'p', debug_print, NULL, false, "EXPR",
      "its value: numbers, %REG, symbols, fields, u64[ADDR], C's operators" },
    { "regs", 0, debug_regs, NULL, false, "", "registers of the vCPU" },
    { "disas", 0, debug_disas, NULL, false, "[ADDR] [N]", "instructions" },
    { "walk", 0, debug_walk, NULL, false, "[ADDR]", "the page tables on the way to an address, or to %rip" },
    { "show", 0, debug_panel, NULL, false, "[NAME [THING]]",
      "what a panel shows: vmcb, exits, nested, apic, ioapic, pic, ioreq of an HVM guest, and all others" },
    { "frame", 0, debug_frame, NULL, false, "MFN", "what a machine frame is" },
    { "frames", 0, debug_frames, NULL, false, "[dN]", "all of them, by owner and type" },
    { "domains", 0, debug_machine, NULL, false, "", "pCPUs, domains, their vCPUs, and why they wait" },
    { "vcpus", 0, debug_machine, NULL, false, "", "the same" },
    { "ports", 0, debug_ports, NULL, false, "[dN]", "event channels" },
    { "grants", 0, debug_grants, NULL, false, "[dN]", "frames that domains offer, and who uses them" },
    { "timers", 0, debug_timers, NULL, false, "", "that are armed" },
    { "why", 'y', debug_why, NULL, false, "[THING]",
      "what made it so: of %REG, [-w] ADDR, [-w] u8[ADDR] to u64[ADDR], pte ADDR, frame MFN, port [dN] PORT, dN[vM], "
      "grant [dN] REF, timer N, domain dN, pcpu N, node [dN] /PATH, refused, or where it stands; jump why: to there" },
    { "explain", 0, debug_explain, NULL, false, "[POS]",
      "what was done in the step to there, and all that belongs to it" },
    { "hash", 0, debug_hash, NULL, false, "",
      "of the whole machine: equal positions have equal ones, in each process" },
    { "set", 0, debug_set, NULL, true, "LVALUE=EXPR", "a register (%REG) or memory (u8..u64[ADDR]) of a guest" },
    { "inject", 0, debug_inject, NULL, true, "VECTOR [ERROR [ADDR]]", "an exception for the vCPU; port N: an event" },
    { "crash", 0, debug_crash, NULL, true, "[dN|NAME]",
      "end a domain as a crash of its own would; of the vCPU, or that one" },
    { "input", 0, debug_input, NULL, true, "TEXT",
      "type a line to the vCPU's domain; -n: no end of line; < FILE: a file" },
    { "branch", 0, debug_branch, NULL, false, "[NAME]",
      "all futures; over to one of them; or let another begin here, the known one being NAME" },
    { "console", 0, debug_console, NULL, false, "[dN]",
      "what it has said up to here; behind ~ what it is known to say later" },
    { "checkpoint", 0, debug_checkpoint, NULL, false, "", "one here, which stays; how many there are, and their size" },
    { "record", 0, debug_record, NULL, false, "FILE", "all that is known of the run, for xenlab replay" },
    { "export", 0, debug_export, NULL, false, "perfetto|xentrace|svg FILE [FROM TO]",
      "what happened, for other programs: all that is known, or from one place to another (#POS, a time)" },
    { "symbols", 0, debug_symbols, NULL, false, "FILE", "what the kernel calls its addresses, as an ELF file for gdb" },
    { "panel", 0, debug_panel, NULL, false, "[NAME [THING]|next|previous]",
      "what it shows; on a screen: keys are for it" },
    { "run", ' ', debug_run, NULL, false, "[TIME]", "on, until a key is typed; TIME: so much virtual time a second" },
    { "speed", 0, debug_speed, NULL, false, "[TIME]",
      "so much virtual time a second from now on; or as fast as it goes" },
    { "layout", 'o', debug_layout, NULL, false, "[NAME|PLAN|next|previous]", "where panels are on the screen" },
    { "zoom", 'z', debug_zoom, NULL, false, "[NAME]", "the panel, or the one named, alone on the screen; and back" },
    { "ask", 0, debug_ask_chosen, NULL, false, "", "why, of what is chosen on the screen" },
    { "visit", 0, debug_visit_chosen, NULL, false, "", "to where what is chosen happened" },
    { "cursor", 0, debug_cursor, NULL, false, "down|up|page-down|page-up|first|last", "choose another row" },
    { "search", '/', debug_search, NULL, false, "TEXT", "to the next row that has it; the same again: on" },
    { "upwards", 0, debug_search_upwards, NULL, false, "[TEXT]", "the same, to the row before" },
    { "filter", '&', debug_filter, NULL, false, "[TEXT|COND]",
      "only rows that have it; of the trace: for which it holds" },
    { "sort", 0, debug_sort, NULL, false, "right|left|turn", "rows by another column, in the other order" },
    { "palette", 0, debug_palette, NULL, false, "[NAME]", "colours of the screen" },
    { "shot", 0, debug_shot, NULL, false, "[projector] FILE",
      "the screen as FILE.svg or text; the projector's picture as FILE.png, or FILE.svg" },
    { "tour", 0, debug_tour_move, NULL, false, "next|previous|answer|blank|projector|explore|return|N",
      "the steps of the tour that is given; away from it, and back" },
    { "help", '?', help, NULL, false, "[COMMAND]", "this" },
    { "quit", 'q', quit, NULL, false, "", "end" },
};

/* What its name is followed by is a part of it: it is found by its beginning, and not among the others. */
static const struct command examine = {
    "x/NF", 0, debug_examine, NULL, false, "ADDR", "memory: N units of b, h, w or g (1, 2, 4, 8 bytes)"
};

#define EXAMINE "x/"
#define REVERSE "reverse-"

/* --- finding a command --- */

static const struct command *by_key(char key)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].key == key || (commands[i].backward && toupper((unsigned char)commands[i].key) == key))
            return &commands[i];
    return NULL;
}

/* What may be meant by a word. */
struct choice {
    const struct command *command; /* the first, or the one that has just this name */
    size_t nr;
    const char *names[8]; /* the first of them */
};

/* By name, or by the beginning of one; backward: among those that have a backward form. */
static void by_name(const char *word, size_t len, bool backward, struct choice *choice)
{
    *choice = (struct choice){ 0 };
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        if (strncmp(c->name, word, len) != 0 || (backward && !c->backward))
            continue;
        if (!c->name[len]) {
            *choice = (struct choice){ .command = c, .nr = 1 };
            return;
        }
        if (choice->nr < ARRAY_SIZE(choice->names))
            choice->names[choice->nr] = c->name;
        choice->command = choice->nr++ ? choice->command : c;
    }
}

static void ambiguous(struct debug *g, const char *word, size_t len, bool backward, const struct choice *choice)
{
    char list[256] = "";

    for (size_t i = 0; i < choice->nr && i < ARRAY_SIZE(choice->names); i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s%s", i ? ", " : "", backward ? REVERSE : "",
                 choice->names[i]);
    debug_fail(g, "ambiguous", "\"%.*s\" may be: %s", (int)(len < 40 ? len : 40), word, list);
}

static void unknown(struct debug *g, const char *word, size_t len)
{
    const char *all[ARRAY_SIZE(commands)];
    char text[64], hint[NEAREST_HINT_SIZE];

    snprintf(text, sizeof(text), "%.*s", (int)(len < 40 ? len : 40), word);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        all[i] = commands[i].name;
    debug_fail(g, "unknown-command", "there is no command \"%s\"%s (see: help)", text,
               nearest_hint(text, all, ARRAY_SIZE(commands), "", hint));
}

/* Of "reverse-", or its beginning of two letters or more and the "-": its length; 0: the word begins otherwise. */
static size_t reverse_length(const char *word, size_t len)
{
    size_t n = 0;

    while (n < len && n < strlen(REVERSE) - 1 && word[n] == REVERSE[n])
        n++;
    return n >= 2 && n + 1 < len && word[n] == '-' ? n + 1 : 0;
}

const char *debug_command_meant(const char *word, size_t len)
{
    const size_t reverse = reverse_length(word, len);
    struct choice choice = { 0 };

    if (!strncmp(word, EXAMINE, strlen(EXAMINE)))
        return "x";
    if (len == 1)
        choice.command = by_key(*word);
    else if (len)
        by_name(word + reverse, len - reverse, reverse > 0, &choice);
    return choice.command && choice.nr <= 1 ? choice.command->name : NULL;
}

static const struct command *find(struct debug *g, const char *word, size_t len, bool *backward)
{
    const size_t reverse = reverse_length(word, len);
    const struct command *c;
    struct choice choice;

    *backward = reverse > 0;
    if (!strncmp(word, EXAMINE, strlen(EXAMINE)))
        return &examine;
    if (len == 1) {
        c = by_key(*word);
        *backward = c && c->key != *word;
        if (!c)
            unknown(g, word, len);
        return c;
    }
    by_name(word + reverse, len - reverse, *backward, &choice);
    if (choice.nr == 1)
        return choice.command;
    if (choice.nr) {
        ambiguous(g, word, len, *backward, &choice);
        return NULL;
    }
    by_name(word + reverse, len - reverse, false, &choice);
    if (choice.nr == 1)
        debug_fail(g, "not-reversible", "%s does not move: there is no reverse-%s", choice.command->name,
                   choice.command->name);
    else
        unknown(g, word, len);
    return NULL;
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

/* A command that was to be done so many times, and could not be, is done not at all: it stops at what it stopped at. */
static void go_back(struct debug *g, const struct debug_place *to)
{
    static const bool never;
    char err[REWIND_ERR_SIZE];

    rewind_go_on(&g->rw);
    if (memcmp(&to->at, &g->rw.m->at, sizeof(to->at)))
        rewind_goto(&g->rw, to->at, &never, err);
    debugger_stand(&g->dbg, to);
}

/* False, and it has said so: not with this. */
static bool may(struct debug *g, const struct command *c, const char *args, bool counted)
{
    if (c->changes && g->read_only)
        debug_fail(g, "read-only", "%s changes the machine: not with --read-only", c->name);
    else if (counted && !c->backward)
        debug_fail(g, "arguments", "%s is not done several times", c->name);
    else if (*args && !*c->args)
        debug_fail(g, "arguments", "%s takes nothing: not \"%s\"", c->name, args);
    else if (*args && c->backward && !strstr(c->args, "COND"))
        debug_fail(g, "arguments", "%s takes a number, how often: not \"%s\"", c->name, args);
    else
        return true;
    return false;
}

/* counted: how often it is to be done, NULL: nothing was said in front. */
static void carry_out(struct debug *g, const struct command *c, bool backward, const char *args,
                      const unsigned long *counted)
{
    struct debug_place before;
    unsigned long count = counted ? *counted : 1;
    bool failed_before;

    if (c->backward && *args && only_count(args, &count))
        args = "";
    if (!may(g, c, args, counted))
        return;
    debugger_place(&g->dbg, &before);
    failed_before = g->failed;
    g->failed = false;
    (backward ? c->backward : c->fn)(g, args, count);
    if (g->failed)
        go_back(g, &before);
    g->failed |= failed_before;
    if (c->fn != debug_back && memcmp(&before.at, &g->rw.m->at, sizeof(before.at)))
        g->came_from = before.at;
}

static void one(struct debug *g, char *text)
{
    unsigned long count;
    const char *p = text + strspn(text, " \t"), *args;
    const struct command *c;
    bool backward, counted;
    size_t len;

    text[strcspn(text, "\r\n")] = '\0';
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
        text[n - 1] = '\0';
    if (!*p)
        return;
    counted = count_parse(&p, &count);
    p += strspn(p, " \t");
    len = strcspn(p, " \t");
    args = p + len + strspn(p + len, " \t");
    c = find(g, p, len, &backward);
    if (c)
        carry_out(g, c, backward, c == &examine ? p + strlen(EXAMINE) : args, counted ? &count : NULL);
}

const char *debug_command_name(size_t i) { return i < ARRAY_SIZE(commands) ? commands[i].name : NULL; }

bool debug_command_reverse(size_t i, char *name, size_t size)
{
    if (!commands[i].backward)
        return false;
    snprintf(name, size, REVERSE "%s", commands[i].name);
    return true;
}

bool debug_command_info(size_t i, struct debug_command_info *info)
{
    if (i >= ARRAY_SIZE(commands))
        return false;
    *info = (struct debug_command_info){ .name = commands[i].name,
                                         .args = commands[i].args,
                                         .help = commands[i].help,
                                         .key = commands[i].key,
                                         .backward = commands[i].backward != NULL,
                                         .wants_args = commands[i].args[0] && commands[i].args[0] != '[' };
    return true;
}

/* Up to a ';' that is not in a text; *rest: behind it, or NULL. */
static char *next_part(char **rest)
{
    char *part = *rest, *p = part;
    bool quoted = false;

    for (; p && *p && (quoted || *p != ';'); p++)
        quoted ^= *p == '"';
    *rest = p && *p ? p + 1 : NULL;
    if (p)
        *p = '\0';
    return part;
}

void debug_command(struct debug *g, const char *line)
{
    char *copy = strdup(line), *rest = copy, *part;

    if (!copy) {
        debug_fail(g, "memory", "out of memory");
        return;
    }
    while (!g->quit && (part = next_part(&rest)))
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
    for (size_t i = 0; !*args && i < ARRAY_SIZE(commands); i++) {
        help_one(g, &commands[i]);
        if (commands[i].fn == debug_regs)
            help_one(g, &examine);
    }
}

static void quit(struct debug *g, const char *args, unsigned long count) { g->quit = true; }
