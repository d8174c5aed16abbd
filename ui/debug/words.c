// SPDX-License-Identifier: GPL-2.0-or-later
/* What the debugger's commands read and say alike: values, addresses, positions, complaints. See ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "tools/debug/condition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void debug_fail(struct debug *g, const char *code, const char *fmt, ...)
{
    char text[REWIND_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!g->script) {
        say_error(&g->say, code, "%s", text);
    } else {
        say_begin(&g->say, "error");
        say_field(&g->say, "code", "%s", code);
        say_number(&g->say, "line", g->line_nr);
        say_field(&g->say, "text", "%s", text);
        say(&g->say, "%s:%lu: error: %s", g->script, g->line_nr, text);
        say_end(&g->say);
    }
    g->failed = true;
}

const char *position_text(const struct debug *g, char text[POSITION_TEXT])
{
    size_t n;

    look_time(host_now(g->host), text);
    n = strlen(text);
    snprintf(text + n, POSITION_TEXT - n, "#%llu.%llu", (unsigned long long)g->rw.m->at.insns,
             (unsigned long long)g->rw.m->at.step);
    return text;
}

void say_symbol(struct debug *g, const char *symbol)
{
    const size_t around = strlen(" <>");

    if (strlen(symbol) > around)
        say_field(&g->say, "symbol", "%.*s", (int)(strlen(symbol) - around), symbol + around - 1);
    else
        say_field(&g->say, "symbol", "%s", "");
}

/* --- expressions --- */

/* A field hides a symbol of its name (`table`). Does the text begin with one that has no value? Its length, or 0. */
static size_t hidden_symbol(const struct debug *g, const struct debug_addr *who, const char *text)
{
    const struct image *img = host_guest_image(g->host, who->dom);
    const size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
    char word[64], err[EXPR_ERR_SIZE];
    struct condition c;
    struct expr_value v;
    bool has_value;
    size_t i = 0;

    snprintf(word, sizeof(word), "%.*s", len < sizeof(word) ? (int)len : 0, text);
    while (img && i < img->nr_symbols && strcmp(img->symbols[i].name, word) != 0)
        i++;
    if (!img || i == img->nr_symbols || condition_parse(&c, g->host, who->dom, word, err))
        return 0;
    has_value = condition_value(&c, who->dom, who->vcpu, NULL, &v);
    condition_free(&c);
    return has_value ? 0 : len;
}

/* Why it has no value. */
static void no_value(struct debug *g, const struct condition *c, const struct debug_addr *who, const char *text)
{
    static const char *const spaces[] = {
        [EXPR_VIRTUAL] = "virtual", [EXPR_PHYSICAL] = "pseudo-physical", [EXPR_MACHINE] = "machine"
    };

    const size_t hidden = hidden_symbol(g, who, text);
    struct look_vcpu v;

    if (!look_vcpu(g->host, who->dom, who->vcpu, &v))
        debug_fail(g, "vcpu", "there is no d%uv%u (see: vcpus)", who->dom, who->vcpu);
    else if (c->unreadable)
        debug_fail(g, "memory", "\"%s\": there is no memory at d%dv%d's %s address 0x%" PRIx64, text, c->where.domain,
                   c->where.vcpu, spaces[c->where.space], c->where.addr);
    else if (c->no_register)
        debug_fail(g, "register", "\"%s\": d%uv%u has no registers", text, who->dom, who->vcpu);
    else if (hidden)
        debug_fail(g, "no-value", "\"%s\": %.*s is a field that the event here does not have; the symbol is d%u:%.*s",
                   text, (int)hidden, text, who->dom, (int)hidden, text);
    else
        debug_fail(g, "no-value",
                   "\"%s\" has no value: a quotient by 0, a text, or the field of an event that it does not stand at",
                   text);
}

static const struct trace_record *event_here(const struct debug *g) { return g->dbg.at_event ? &g->dbg.event : NULL; }

/* later: it need not be there yet, or any more, if only its domain is not. */
static bool whom(struct debug *g, const struct expr_addr *place, bool later, struct debug_addr *who)
{
    struct look_vcpu v;

    if (place->domain < 0)
        return true;
    who->dom = (domid_t)place->domain;
    who->vcpu = place->vcpu < 0 ? 0 : (unsigned int)place->vcpu;
    if (look_vcpu(g->host, who->dom, who->vcpu, &v))
        return true;
    if (later && who->dom < DOMID_FIRST_RESERVED && !look_vcpu(g->host, who->dom, 0, &v))
        return true;
    debug_fail(g, "vcpu", "there is no d%uv%u (see: vcpus)", who->dom, who->vcpu);
    return false;
}

/* An ADDR, and what it comes to. */
static bool value(struct debug *g, const char *text, bool later, struct debug_addr *a, struct expr_addr *place,
                  struct expr_value *v, bool *truth)
{
    char err[EXPR_ERR_SIZE];
    struct condition c;
    bool there;

    *a = (struct debug_addr){ .dom = g->dbg.dom, .vcpu = g->dbg.vcpu };
    if (condition_parse_addr(&c, g->host, a->dom, text, place, err)) {
        debug_fail(g, "expression", "%s", err);
        return false;
    }
    there = whom(g, place, later, a);
    if (there && !(there = condition_value(&c, a->dom, a->vcpu, event_here(g), v)))
        no_value(g, &c, a, text);
    *truth = expr_is_truth(c.expr);
    condition_free(&c);
    return there;
}

static bool address(struct debug *g, const char *text, bool later, struct debug_addr *a)
{
    static const enum look_space spaces[] = {
        [EXPR_VIRTUAL] = LOOK_VIRTUAL, [EXPR_PHYSICAL] = LOOK_PHYSICAL, [EXPR_MACHINE] = LOOK_MACHINE
    };
    struct expr_addr place;
    struct expr_value v;
    bool truth;

    if (!value(g, text, later, a, &place, &v, &truth))
        return false;
    a->space = spaces[place.space];
    a->addr = v.u;
    return true;
}

bool debug_address(struct debug *g, const char *text, struct debug_addr *a) { return address(g, text, false, a); }

bool debug_address_later(struct debug *g, const char *text, struct debug_addr *a) { return address(g, text, true, a); }

bool debug_value(struct debug *g, const char *text, struct debug_value *out)
{
    struct expr_addr place;

    if (!value(g, text, false, &out->who, &place, &out->value, &out->truth))
        return false;
    if (place.space == EXPR_VIRTUAL)
        return true;
    debug_fail(g, "arguments", "p: and m: are for addresses: u64[%s] is what stands there", text);
    return false;
}

/* --- files --- */

const char *debug_path(struct debug *g, const char *args, bool words, char path[DEBUG_PATH])
{
    const bool quoted = *args == '"';
    const char *from = args + quoted;
    const size_t n = strcspn(from, quoted ? "\"" : words ? " " : "");

    if (quoted && !from[n]) {
        debug_fail(g, "arguments", "the name of this file has no end: \" is missing");
        return NULL;
    }
    if (n >= DEBUG_PATH) {
        debug_fail(g, "arguments", "the name of a file has less than %d characters", DEBUG_PATH);
        return NULL;
    }
    memcpy(path, from, n);
    path[n] = '\0';
    from += n + quoted;
    if (quoted && !words && *from) {
        debug_fail(g, "arguments", "behind the file's name there is \"%.40s\"", from);
        return NULL;
    }
    return from + strspn(from, " ");
}
