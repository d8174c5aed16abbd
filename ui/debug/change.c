// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the debugger that change a guest, and futures: see ui/debug/debug.h.
 *
 * A change is something that comes in from outside (tools/rewind/input.h), and so it is done at the end of what is
 * known. In the past it makes here the end, and what was known of the future becomes a branch. What would be refused
 * is refused before that.
 *
 * Budget: a command for each kind of change, and what it is given wrongly.
 */
#include "ui/debug/debug.h"

#include "tools/rewind/input.h"
#include "tools/user_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- branches --- */

static void branch_say(struct debug *g, const char *name, const char *what, struct position from)
{
    say_begin(&g->say, "branch");
    say_field(&g->say, "name", "%s", name);
    say_field(&g->say, "from", "#%" PRIu64 ".%" PRIu64, from.insns, from.step);
    say_field(&g->say, "text", "%s", what);
    say(&g->say, "%s", what);
    say_end(&g->say);
}

static bool branch_begin(struct debug *g, const char *name)
{
    const s_time_t future = g->rw.end_now - host_now(g->host);
    char err[REWIND_ERR_SIZE], what[128], time[POSITION_TEXT];
    const char *kept;

    if (rewind_branch(&g->rw, name, err)) {
        debug_fail(g, "branch", "%s", err);
        return false;
    }
    look_time(future > 0 ? future : 0, time);
    kept = g->rw.branches[g->rw.nr_branches - 1].name;
    debug_console_branch(g, kept);
    snprintf(what, sizeof(what), "%s of future become branch %s", time, kept);
    branch_say(g, kept, what, g->rw.m->at);
    return true;
}

/* In the past: may the known future be put aside? Whoever sits at a terminal is asked once. */
static bool may_branch(struct debug *g)
{
    char question[160], time[POSITION_TEXT];

    if (!g->ask || g->asked)
        return true;
    look_time(g->rw.end_now - host_now(g->host), time);
    snprintf(question, sizeof(question), "this is the past: %s of future become a branch (y, or n)", time);
    g->asked = g->ask(g->ask_data, question);
    if (!g->asked)
        debug_fail(g, "past", "nothing has changed");
    return g->asked;
}

static void branches_say(struct debug *g)
{
    char what[160];

    snprintf(what, sizeof(what), "* %s, known up to #%" PRIu64 ".%" PRIu64, g->rw.name, g->rw.end.insns,
             g->rw.end.step);
    branch_say(g, g->rw.name, what, rewind_first(&g->rw));
    for (size_t i = 0; i < g->rw.nr_branches; i++) {
        const struct rewind_branch *b = &g->rw.branches[i];
        const struct position from = rewind_branch_parts(&g->rw, i);

        snprintf(what, sizeof(what), "  %s, from #%" PRIu64 ".%" PRIu64 " on, known up to #%" PRIu64 ".%" PRIu64,
                 b->name, from.insns, from.step, b->end.insns, b->end.step);
        branch_say(g, b->name, what, from);
    }
}

static void branch_go(struct debug *g, size_t i)
{
    const struct position parts = rewind_branch_parts(&g->rw, i);
    char why[64];

    if (position_is_before(parts, g->rw.m->at) && !debug_moved(g, debugger_goto(&g->dbg, parts), "position"))
        return;
    rewind_branch_take(&g->rw, i);
    snprintf(why, sizeof(why), "branch %s is ahead", g->rw.name);
    debug_stop_say(g, why);
}

void debug_branch(struct debug *g, const char *args, unsigned long count)
{
    const size_t i = rewind_branch_find(&g->rw, args);

    if (!*args)
        branches_say(g);
    else if (i < g->rw.nr_branches)
        branch_go(g, i);
    else if (!strcmp(args, g->rw.name))
        debug_fail(g, "branch", "the machine is on branch %s already", args);
    else if (strpbrk(args, " \t#"))
        debug_fail(g, "arguments", "branch NAME: a word of up to %d characters", REWIND_NAME_SIZE - 1);
    else if (g->read_only)
        debug_fail(g, "read-only", "to begin another future changes the machine's: not with --read-only");
    else
        branch_begin(g, args);
}

/* --- changes --- */

/* Hand it in, here. False, and it has said why: nothing has changed. */
static bool change(struct debug *g, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    const struct journal_record rec = { g->rw.m->at, host_now(g->host), kind, who, len, (uint8_t *)(uintptr_t)bytes };
    char err[REWIND_ERR_SIZE];

    if (input_check(g->host, &rec, err)) {
        debug_fail(g, "refused", "%s", err);
        return false;
    }
    if (!rewind_is_live(&g->rw) && !(may_branch(g) && branch_begin(g, NULL)))
        return false;
    if (rewind_hand_in(&g->rw, kind, who, bytes, len, rec.now, err)) {
        debug_fail(g, "refused", "%s", err);
        return false;
    }
    g->dbg.at_event = false;
    return true;
}

/* --- set --- */

static void set_mistake(struct debug *g)
{
    debug_fail(g, "arguments", "set %%REG=EXPR, or set u8|u16|u32|u64[ADDR]=EXPR");
}

static void set_say(struct debug *g, const char *what, uint64_t old, uint64_t new)
{
    char at[POSITION_TEXT];

    say_begin(&g->say, "set");
    say_field(&g->say, "pos", "%s", position_text(g, at));
    say_field(&g->say, "what", "%s", what);
    say_field(&g->say, "old", "0x%" PRIx64, old);
    say_field(&g->say, "new", "0x%" PRIx64, new);
    say(&g->say, "%s  %s was 0x%" PRIx64 ", is 0x%" PRIx64, at, what, old, new);
    say_end(&g->say);
}

/* [dN[vM]:]%REG, whose value has been had. */
static void set_register(struct debug *g, const char *text, const struct debug_value *old, uint64_t value)
{
    const char *name = strchr(text, '%') + 1;
    const uint64_t words[2] = { input_reg_of(name), value };

    if (words[0] == INPUT_NR_REGS)
        debug_fail(g, "register", "%%%s is not to be set: general registers, rip, rflags, fs_base and gs_base are",
                   name);
    else if (change(g, JOURNAL_REGISTER, (unsigned int)TRACE_VCPU_ID(old->who.dom, old->who.vcpu), words,
                    sizeof(words)))
        set_say(g, text, old->value.u, value);
}

/* uN[ADDR] */
static void set_memory(struct debug *g, char *text, const struct debug_value *old, const struct expr_value *value)
{
    const unsigned int bits = (unsigned int)strtoul(text + 1, NULL, 10), size = bits / 8;
    const uint64_t limit = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    char addr[256];
    uint8_t bytes[16];
    struct debug_addr a;
    uint64_t maddr;

    snprintf(addr, sizeof(addr), "%.*s", (int)strlen(strchr(text, '[')) - 2, strchr(text, '[') + 1);
    if (value->u > limit &&
        !(value->is_signed && (int64_t)value->u < 0 && (int64_t)value->u >= -(int64_t)(limit / 2) - 1)) {
        debug_fail(g, "arguments", "0x%" PRIx64 " does not fit into %u bits", value->u, bits);
        return;
    }
    if (!debug_address(g, addr, &a))
        return;
    if (!look_machine_address(g->host, a.dom, a.vcpu, a.space, a.addr, &maddr)) {
        debug_fail(g, "memory", "there is no memory at %s", addr);
        return;
    }
    memcpy(bytes, &maddr, sizeof(maddr));
    memcpy(bytes + sizeof(maddr), &value->u, size);
    if (change(g, JOURNAL_MEMORY, 0, bytes, sizeof(maddr) + size))
        set_say(g, text, old->value.u, value->u & limit);
}

/* Where "=" stands outside of brackets; NULL: nowhere. */
static char *assignment(char *text)
{
    int depth = 0;

    for (; *text; text++) {
        depth += (*text == '[') - (*text == ']');
        if (*text == '=' && !depth)
            return text;
    }
    return NULL;
}

void debug_set(struct debug *g, const char *args, unsigned long count)
{
    char left[256], *equals;
    struct debug_value old, new;
    size_t n;

    snprintf(left, sizeof(left), "%s", args);
    equals = assignment(left);
    if (!equals || strlen(args) >= sizeof(left)) {
        set_mistake(g);
        return;
    }
    *equals = '\0';
    for (n = strlen(left); n && isspace((unsigned char)left[n - 1]); n--)
        left[n - 1] = '\0';
    if (!debug_value(g, left, &old) || !debug_value(g, args + (equals - left) + 1, &new))
        return;
    if (n && left[n - 1] == ']' && left[0] == 'u' && strchr(left, '[') < left + 4 &&
        !strpbrk(strchr(left, ']') + 1, "["))
        set_memory(g, left, &old, &new.value);
    else if (strchr(left, '%') &&
             strspn(strchr(left, '%') + 1, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(strchr(left, '%') + 1) &&
             (left[0] == '%' || left[0] == 'd'))
        set_register(g, left, &old, new.value.u);
    else
        set_mistake(g);
}

/* --- inject --- */

static const struct {
    const char *name;
    unsigned int vector;
} exceptions[] = { { "DE", 0 },  { "DB", 1 },  { "NMI", 2 }, { "BP", 3 },  { "OF", 4 },  { "BR", 5 },
                   { "UD", 6 },  { "NM", 7 },  { "TS", 10 }, { "NP", 11 }, { "SS", 12 }, { "GP", 13 },
                   { "PF", 14 }, { "MF", 16 }, { "AC", 17 }, { "XM", 19 } };

/* #GP, NMI, or a number. */
static bool vector_parse(struct debug *g, const char *text, uint64_t *vector)
{
    struct debug_value v;

    for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
        if (!strcasecmp(text + (*text == '#'), exceptions[i].name)) {
            *vector = exceptions[i].vector;
            return true;
        }
    if (!debug_value(g, text, &v))
        return false;
    *vector = v.value.u;
    return true;
}

void debug_inject(struct debug *g, const char *args, unsigned long count)
{
    const unsigned int who = (unsigned int)TRACE_VCPU_ID(g->dbg.dom, g->dbg.vcpu);
    char copy[256], why[80], *rest = copy, *word;
    uint64_t words[3] = { 0 };
    struct debug_value v;
    unsigned int nr = 0;
    bool port;

    snprintf(copy, sizeof(copy), "%s", args);
    port = !strncmp(copy, "port ", 5);
    rest += port ? 5 : 0;
    while ((word = strsep(&rest, " \t"))) {
        if (!*word)
            continue;
        if (nr == (port ? 1 : 3)) {
            nr = 0;
            break;
        }
        if (!nr && !port ? !vector_parse(g, word, &words[0]) : !debug_value(g, word, &v))
            return;
        if (nr || port)
            words[nr] = v.value.u;
        nr++;
    }
    if (!nr) {
        debug_fail(g, "arguments", "inject VECTOR [ERROR-CODE [ADDR]], as in inject #GP 0x18, or inject port N");
        return;
    }
    if (!change(g, port ? JOURNAL_EVENT : JOURNAL_TRAP, who, words, port ? sizeof(words[0]) : sizeof(words)))
        return;
    snprintf(why, sizeof(why), port ? "event on port %" PRIu64 : "exception %" PRIu64, words[0]);
    debug_stop_say(g, why);
}

/* --- crash --- */

/* "d2", or a guest's name; -1: there is none. */
static int domain_named(const struct debug *g, const char *text)
{
    char *end;
    const unsigned long n = *text == 'd' ? strtoul(text + 1, &end, 10) : 0;

    if (!*text)
        return g->dbg.dom;
    if (*text == 'd' && isdigit((unsigned char)text[1]) && !*end)
        return !n || (n < DOMID_FIRST_RESERVED && host_guest_name(g->host, (domid_t)n)) ? (int)n : -1;
    for (int i = 1; i < (int)DOMID_FIRST_RESERVED; i++) {
        const char *name = host_guest_name(g->host, (domid_t)i);

        if (name && !strcmp(name, text))
            return i;
    }
    return -1;
}

/* As xenlab ctl crash: the same words, handed in here. */
void debug_crash(struct debug *g, const char *args, unsigned long count)
{
    const int dom = domain_named(g, args);
    char words[32], why[64];

    (void)count;
    if (dom <= 0) {
        debug_fail(g, "arguments", dom ? "crash [dN|NAME]: there is no such guest" : "dom0 does not crash");
        return;
    }
    if (!change(g, JOURNAL_CTL, 0, words, (size_t)snprintf(words, sizeof(words), "crash%c%d", 0, dom) + 1))
        return;
    snprintf(why, sizeof(why), "crash of d%d", dom);
    debug_stop_say(g, why);
}

/* --- input --- */

static void type(struct debug *g, const char *text, size_t len)
{
    const int index = host_guest_index(g->host, g->dbg.dom);

    if (index < 0)
        debug_fail(g, "input", "d%u has no console", g->dbg.dom);
    else if (change(g, JOURNAL_CONSOLE, (unsigned int)index, text, len))
        debug_stop_say(g, "input");
}

static void type_file(struct debug *g, const char *args)
{
    char text[HOST_INPUT_MAX + 1], why[160], path[DEBUG_PATH];
    ssize_t n = 0, more = 0;
    int fd;

    if (!debug_path(g, args, false, path))
        return;
    fd = user_file_open(path, why, sizeof(why));
    if (fd < 0) {
        debug_fail(g, "file", "%s: %s", path, why);
        return;
    }
    while (n < (ssize_t)sizeof(text) && (more = read(fd, text + n, sizeof(text) - (size_t)n)) > 0)
        n += more;
    if (more < 0)
        debug_fail(g, "file", "%s: %s", path, strerror(errno));
    else if (n > HOST_INPUT_MAX)
        debug_fail(g, "file", "%s has more than the %d bytes that a console takes at once", path, HOST_INPUT_MAX);
    else if (!n)
        debug_fail(g, "file", "%s is empty", path);
    else
        type(g, text, (size_t)n);
    close(fd);
}

/* The text between two quotation marks, if it is all of it: there may be ';' in it. */
static void unquote(const char **text, size_t *len)
{
    if (*len < 2 || **text != '"' || strchr(*text + 1, '"') != *text + *len - 1)
        return;
    ++*text;
    *len -= 2;
}

void debug_input(struct debug *g, const char *args, unsigned long count)
{
    const bool bare = !strncmp(args, "-n ", 3), plain = !strncmp(args, "-- ", 3);
    char text[HOST_INPUT_MAX + 1];
    size_t len;

    if (!strncmp(args, "< ", 2)) {
        type_file(g, args + 2 + strspn(args + 2, " "));
        return;
    }
    args += bare || plain ? 3 : 0;
    len = strlen(args);
    if (!plain)
        unquote(&args, &len);
    if (len >= HOST_INPUT_MAX) {
        debug_fail(g, "arguments", "a console takes %d bytes at once", HOST_INPUT_MAX);
        return;
    }
    memcpy(text, args, len);
    text[len] = '\n';
    type(g, text, len + !bare);
}

/* --- checkpoints --- */

void debug_checkpoint(struct debug *g, const char *args, unsigned long count)
{
    const struct position first = rewind_first(&g->rw);

    rewind_checkpoint(&g->rw);
    if (g->rw.err[0]) {
        debug_fail(g, "error", "%s", g->rw.err);
        return;
    }
    checkpoint_pin(g->rw.history, history_base(g->rw.history), true);
    say_begin(&g->say, "checkpoint");
    say_number(&g->say, "checkpoints", history_nr(g->rw.history));
    say_number(&g->say, "bytes", history_used(g->rw.history));
    say_field(&g->say, "begin", "#%" PRIu64 ".%" PRIu64, first.insns, first.step);
    say(&g->say, "a checkpoint is here; %zu of them since #%" PRIu64 ".%" PRIu64 " are %" PRIu64 " KiB",
        history_nr(g->rw.history), first.insns, first.step, history_used(g->rw.history) / 1024);
    say_end(&g->say);
}
