// SPDX-License-Identifier: GPL-2.0-or-later
/* What the debugger's commands read and say alike: values, addresses, positions, complaints. See ui/debug/debug.h. */
#include "ui/debug/debug.h"

#include "tools/build/image.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void debug_fail(struct debug *g, const char *code, const char *fmt, ...)
{
    char text[REWIND_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say_error(&g->say, code, "%s", text);
    g->failed = true;
}

void time_text(s_time_t t, char text[POSITION_TEXT])
{
    if (t < MILLISECS(1))
        snprintf(text, POSITION_TEXT, "%lld.%03lldus", (long long)t / 1000, (long long)t % 1000);
    else if (t < SECONDS(1))
        snprintf(text, POSITION_TEXT, "%lld.%06lldms", (long long)t / 1000000, (long long)t % 1000000);
    else
        snprintf(text, POSITION_TEXT, "%lld.%09llds", (long long)t / 1000000000, (long long)t % 1000000000);
}

const char *position_text(const struct debug *g, char text[POSITION_TEXT])
{
    size_t n;

    time_text(host_now(g->host), text);
    n = strlen(text);
    snprintf(text + n, POSITION_TEXT - n, "#%llu.%llu", (unsigned long long)g->rw.m->at.insns,
             (unsigned long long)g->rw.m->at.step);
    return text;
}

/* --- names and values --- */

void symbol_text(const struct debug *g, domid_t dom, uint64_t addr, char text[96])
{
    const struct image *img = host_guest_image(g->host, dom);
    uint64_t offset;
    const char *name = img ? image_symbol_lookup(img, addr, &offset) : NULL;

    text[0] = '\0';
    if (name)
        snprintf(text, 96, offset ? " <%.70s+0x%" PRIx64 ">" : " <%.70s>", name, offset);
}

static bool symbol_value(const struct debug *g, domid_t dom, const char *name, size_t len, uint64_t *value)
{
    const struct image *img = host_guest_image(g->host, dom);

    for (size_t i = 0; img && i < img->nr_symbols; i++)
        if (!strncmp(img->symbols[i].name, name, len) && !img->symbols[i].name[len]) {
            *value = img->symbols[i].addr;
            return true;
        }
    return false;
}

static const char *const reg_names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

static bool reg_value(const struct look_vcpu *v, const char *name, size_t len, uint64_t *value)
{
    static const char *const segs[] = { "es", "cs", "ss", "ds", "fs", "gs" };

    for (size_t i = 0; i < 16; i++)
        if (strlen(reg_names[i]) == len && !strncmp(reg_names[i], name, len))
            return *value = v->regs.gpr[i], true;
    for (size_t i = 0; i < ARRAY_SIZE(segs); i++)
        if (len == 2 && !strncmp(segs[i], name, len))
            return *value = v->regs.seg[i].sel, true;
    if (len == 3 && !strncmp(name, "rip", 3))
        return *value = v->regs.rip, true;
    if (len == 6 && !strncmp(name, "rflags", 6))
        return *value = v->regs.rflags, true;
    if (len == 3 && !strncmp(name, "cr", 2) && name[2] >= '0' && name[2] <= '4')
        return *value = name[2] == '3' ? v->regs.cr3 : v->cr[name[2] - '0'], true;
    return false;
}

static size_t word_length(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || (p[n] && strchr("_.$", p[n])))
        n++;
    return n;
}

/* One number, %REG or symbol; *text moves behind it. */
static bool term(struct debug *g, const struct debug_addr *who, const char **text, uint64_t *value)
{
    const char *p = *text;
    struct look_vcpu v;
    size_t n;
    char *end;

    if (isdigit((unsigned char)*p)) {
        *value = strtoull(p, &end, 0);
        *text = end;
        return true;
    }
    n = word_length(p + (*p == '%'));
    if (*p == '%') {
        *text = p + 1 + n;
        if (look_vcpu(g->host, who->dom, who->vcpu, &v) && !v.native && reg_value(&v, p + 1, n, value))
            return true;
        debug_fail(g, "register", "d%uv%u has no register \"%.*s\"", who->dom, who->vcpu, (int)n + 1, p);
        return false;
    }
    *text = p + n;
    if (n && symbol_value(g, who->dom, p, n, value))
        return true;
    debug_fail(g, "symbol",
               n ? "d%u has no symbol \"%.*s\"" : "a number, %%REG or a symbol of d%u is expected at \"%.*s\"",
               who->dom, n ? (int)n : 20, p);
    return false;
}

static bool sum(struct debug *g, const struct debug_addr *who, const char *text, uint64_t *value)
{
    uint64_t next;

    if (!term(g, who, &text, value))
        return false;
    while (*(text += strspn(text, " "))) {
        const char op = *text++;

        text += strspn(text, " ");
        if (op != '+' && op != '-') {
            debug_fail(g, "expression", "+ or - is expected at \"%s\"", text - 1);
            return false;
        }
        if (!term(g, who, &text, &next))
            return false;
        *value = op == '+' ? *value + next : *value - next;
    }
    return true;
}

/* "d1:", "d1v2:" in front of something: whose it is. */
static void who_parse(struct debug_addr *a, const char **text)
{
    unsigned int dom, vcpu = 0;
    int n = 0;

    if (sscanf(*text, "d%5u:%n", &dom, &n) == 1 && n && dom < DOMID_FIRST_RESERVED) {
        a->dom = (domid_t)dom;
        a->vcpu = 0;
        *text += n;
    } else if (n = 0, sscanf(*text, "d%5uv%4u:%n", &dom, &vcpu, &n) == 2 && n && dom < DOMID_FIRST_RESERVED) {
        a->dom = (domid_t)dom;
        a->vcpu = vcpu;
        *text += n;
    }
}

bool debug_address(struct debug *g, const char *text, struct debug_addr *a)
{
    *a = (struct debug_addr){ .dom = g->dbg.dom, .vcpu = g->dbg.vcpu };
    who_parse(a, &text);
    if (!strncmp(text, "v:", 2) || !strncmp(text, "p:", 2) || !strncmp(text, "m:", 2)) {
        a->space = *text == 'v' ? LOOK_VIRTUAL : *text == 'p' ? LOOK_PHYSICAL : LOOK_MACHINE;
        text += 2;
    }
    return sum(g, a, text, &a->addr);
}

bool debug_value(struct debug *g, const char *text, uint64_t *value)
{
    struct debug_addr a;

    if (!debug_address(g, text, &a))
        return false;
    *value = a.addr;
    return true;
}
