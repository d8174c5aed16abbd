// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `why`: what made it so. What may be asked of is told apart here, and the answers of tools/debug/why.h are said. The
 * position of an answer becomes the mark "why", so that one can go there; an answer without one leaves none.
 */
#include "tools/debug/why.h"
#include "ui/debug/debug.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void say_answer(struct debug *g, enum debug_result r, const struct why *w)
{
    if (r != DEBUG_THERE) {
        debug_moved(g, r, "answer");
        return;
    }
    say_begin(&g->say, "why");
    say_field(&g->say, "text", "%s", w->says.text);
    if (w->has_at)
        say_field(&g->say, "at", "#%llu.%llu", (unsigned long long)w->at.insns, (unsigned long long)w->at.step);
    say(&g->say, "%s", w->says.text);
    say_end(&g->say);
    if (w->has_at)
        debug_mark_put(g, "why", w->at);
    else
        debug_mark_drop(g, "why");
}

/* Is this the first word of *args? Then *args is what stands behind it. */
static bool takes(const char **args, const char *word)
{
    const size_t len = strlen(word);

    if (strncmp(*args, word, len) || ((*args)[len] && !isspace((unsigned char)(*args)[len])))
        return false;
    *args += len + strspn(*args + len, " \t");
    return true;
}

static void of_memory(struct debug *g, const char *args, bool written)
{
    struct debug_stop what = { .kind = DEBUG_WATCH, .len = 8, .access = written ? DEBUG_WRITTEN : DEBUG_CHANGED };
    const size_t n = strlen(args);
    char text[256];
    struct debug_addr a;
    unsigned int bits;
    int open = 0;
    struct why w;

    /* u32[ADDR], but not u32[ADDR] + 1 */
    if (sscanf(args, "u%2u[%n", &bits, &open) == 1 && open && args[n - 1] == ']' && n < sizeof(text) &&
        strchr(args, ']') == args + n - 1 && (bits == 8 || bits == 16 || bits == 32 || bits == 64)) {
        what.len = bits / 8;
        snprintf(text, sizeof(text), "%.*s", (int)n - open - 1, args + open);
        args = text;
    }
    if (!debug_address(g, args, &a))
        return;
    what.dom = a.dom;
    what.vcpu = a.vcpu;
    what.space = a.space;
    what.addr = a.addr;
    say_answer(g, why_memory(&g->dbg, &what, &w), &w);
}

static void of_pte(struct debug *g, const char *args)
{
    struct debug_addr a;
    struct why w;

    if (!debug_address(g, args, &a))
        return;
    if (a.space == LOOK_VIRTUAL)
        say_answer(g, why_pte(&g->dbg, a.dom, a.vcpu, a.addr, &w), &w);
    else
        debug_fail(g, "arguments", "why pte ADDR: of a virtual address");
}

/* "1", "d1 1", "d1:1": *dom is the vCPU's domain if nothing is said. What follows; NULL: nothing does. */
static const char *domain_of(const struct debug *g, const char *args, domid_t *dom)
{
    unsigned int nr = g->dbg.dom;
    int n = 0;

    if (sscanf(args, "d%5u%n", &nr, &n) == 1 && n)
        args += n + strspn(args + n, " \t:");
    *dom = (domid_t)(nr < DOMID_FIRST_RESERVED ? nr : DOMID_INVALID);
    return *args ? args : NULL;
}

static void of_port(struct debug *g, const char *args)
{
    struct debug_value port;
    struct why w;
    domid_t dom;

    args = domain_of(g, args, &dom);
    if (!args)
        debug_fail(g, "arguments", "why port [dN] PORT (see: ports)");
    else if (debug_value(g, args, &port))
        say_answer(g, why_port(&g->dbg, dom, (evtchn_port_t)port.value.u, &w), &w);
}

static void of_grant(struct debug *g, const char *args)
{
    struct debug_value ref;
    struct why w;
    domid_t dom;

    args = domain_of(g, args, &dom);
    if (!args)
        debug_fail(g, "arguments", "why grant [dN] REF (see: grants)");
    else if (debug_value(g, args, &ref))
        say_answer(g, why_grant(&g->dbg, dom, (grant_ref_t)ref.value.u, &w), &w);
}

static void of_node(struct debug *g, const char *args)
{
    struct why w;

    if (!args || *args != '/')
        debug_fail(g, "arguments", "why node /PATH (see: panel xenstore)");
    else
        say_answer(g, why_node(&g->dbg, args, &w), &w);
}

static void of_disk(struct debug *g, const char *args)
{
    struct why w;
    domid_t dom;

    args = domain_of(g, args, &dom);
    if (!args || !*args)
        debug_fail(g, "arguments", "why disk [dN] NAME (see: panel disks)");
    else
        say_answer(g, why_disk(&g->dbg, dom, args, &w), &w);
}

static void of_netport(struct debug *g, const char *args)
{
    struct why w;

    if (!*args)
        debug_fail(g, "arguments", "why netport NAME (see: panel network)");
    else
        say_answer(g, why_netport(&g->dbg, args, &w), &w);
}

static void of_timer(struct debug *g, const char *args)
{
    struct debug_value nr;
    struct why w;

    if (debug_value(g, args, &nr))
        say_answer(g, why_timer(&g->dbg, nr.value.u < UINT32_MAX ? (unsigned int)nr.value.u : UINT32_MAX, &w), &w);
}

static void of_pcpu(struct debug *g, const char *args)
{
    struct debug_value nr;
    struct why w;

    if (debug_value(g, args, &nr))
        say_answer(g, why_pcpu(&g->dbg, nr.value.u < UINT32_MAX ? (unsigned int)nr.value.u : UINT32_MAX, &w), &w);
}

static void of_domain(struct debug *g, const char *args)
{
    struct why w;
    domid_t dom;

    if (domain_of(g, args, &dom))
        debug_fail(g, "arguments", "why domain [dN]");
    else
        say_answer(g, why_domain(&g->dbg, dom, &w), &w);
}

static void of_frame(struct debug *g, const char *args)
{
    struct debug_value mfn;
    struct why w;

    if (debug_value(g, args, &mfn))
        say_answer(g, why_frame(&g->dbg, _mfn(mfn.value.u), &w), &w);
}

/* "d1", "d1v0", or "vcpu": the one that commands are about. */
static bool is_vcpu(const struct debug *g, const char *args, unsigned int *dom, unsigned int *vcpu)
{
    int n = 0;

    *dom = g->dbg.dom;
    *vcpu = g->dbg.vcpu;
    if (!strcmp(args, "vcpu"))
        return true;
    *vcpu = 0;
    if (sscanf(args, "d%5u%n", dom, &n) == 1 && n && !args[n])
        return true;
    n = 0;
    return sscanf(args, "d%5uv%5u%n", dom, vcpu, &n) == 2 && n && !args[n];
}

void debug_explain(struct debug *g, const char *args, unsigned long count)
{
    struct position at;
    struct why w;

    if (!*args)
        say_answer(g, why_here(&g->dbg, &w), &w);
    else if (debug_position(args, &at))
        say_answer(g, why_at(&g->dbg, at, &w), &w);
    else
        debug_fail(g, "position", "explain #INSN.STEP, not \"%s\"", args);
}

void debug_why(struct debug *g, const char *args, unsigned long count)
{
    unsigned int dom, vcpu;
    struct why w;

    if (!*args)
        say_answer(g, why_here(&g->dbg, &w), &w);
    else if (!strcmp(args, "refused") || !strcmp(args, "refusal"))
        say_answer(g, why_refused(&g->dbg, &w), &w);
    else if (is_vcpu(g, args, &dom, &vcpu))
        say_answer(g, why_vcpu(&g->dbg, (domid_t)(dom < DOMID_FIRST_RESERVED ? dom : DOMID_INVALID), vcpu, &w), &w);
    else if (*args == '%' && !args[1 + strspn(args + 1, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        say_answer(g, why_register(&g->dbg, args, &w), &w);
    else if (takes(&args, "port"))
        of_port(g, args);
    else if (takes(&args, "grant"))
        of_grant(g, args);
    else if (takes(&args, "node"))
        of_node(g, args);
    else if (takes(&args, "disk"))
        of_disk(g, args);
    else if (takes(&args, "netport"))
        of_netport(g, args);
    else if (takes(&args, "timer"))
        of_timer(g, args);
    else if (takes(&args, "pcpu"))
        of_pcpu(g, args);
    else if (takes(&args, "domain"))
        of_domain(g, args);
    else if (takes(&args, "pte"))
        of_pte(g, args);
    else if (takes(&args, "frame"))
        of_frame(g, args);
    else if (takes(&args, "-w"))
        of_memory(g, args, true);
    else
        of_memory(g, args, false);
}
