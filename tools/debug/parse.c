// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From text to the tree of an expression: the grammar is in tools/debug/expr.h.
 *
 * Concept: a function a level of binding, from || down to operands, each of which returns the index of a node. The
 * first mistake is kept, with its place; from then on everything comes to an end.
 *
 * Budget: a function a rule of the grammar, which call each other in a circle: they belong into one file.
 */
#include "tools/debug/private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"

struct parser {
    struct expr *e;
    const struct expr_scope *scope;
    const char *at;
    unsigned int depth;
    int domain;         /* in an ADDR: whose symbols are meant */
    const char *symbol; /* behind "d1:" in an ADDR: a word here is a symbol first */
    char *err;
    bool failed;
};

static const char *const reg_names[] = {
#define X(name) #name,
    EXPR_REGS(X)
#undef X
};

/* --- mistakes --- */

static unsigned int fail_at(struct parser *p, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static unsigned int fail_at(struct parser *p, const char *at, const char *format, ...)
{
    char why[EXPR_ERR_SIZE - 24];
    va_list ap;

    if (!p->failed) {
        va_start(ap, format);
        vsnprintf(why, sizeof(why), format, ap);
        va_end(ap);
        snprintf(p->err, EXPR_ERR_SIZE, "column %d: %s", (int)(at - p->e->text) + 1, why);
    }
    p->failed = true;
    return 0;
}

/* What stands there, for a message. */
static unsigned int fail_expected(struct parser *p, const char *what)
{
    if (!*p->at)
        return fail_at(p, p->at, "expected %s, and here it ends", what);
    return fail_at(p, p->at, "expected %s, got \"%.20s\"", what, p->at);
}

/* --- pieces --- */

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

/* The operator, if it comes next. */
static bool take(struct parser *p, const char *op)
{
    skip_space(p);
    if (strncmp(p->at, op, strlen(op)) != 0)
        return false;
    p->at += strlen(op);
    return true;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$'; }

static size_t word_length(const char *at)
{
    size_t n = 0;

    while (is_word(at[n]))
        n++;
    return n;
}

/* dN or dNvM with nothing else behind it: how long it is; 0: it is none. *vcpu -1: it says none. */
static size_t vcpu_name(const char *at, int *domain, int *vcpu)
{
    size_t n = 1;

    *domain = 0;
    *vcpu = -1;
    if (at[0] != 'd' || !isdigit((unsigned char)at[1]))
        return 0;
    for (; isdigit((unsigned char)at[n]) && *domain < 65536; n++)
        *domain = 10 * *domain + at[n] - '0';
    if (at[n] == 'v' && isdigit((unsigned char)at[n + 1]))
        for (*vcpu = 0, n++; isdigit((unsigned char)at[n]) && *vcpu < 65536; n++)
            *vcpu = 10 * *vcpu + at[n] - '0';
    return is_word(at[n]) || *domain > 0x7fff || *vcpu > 0xffff ? 0 : n;
}

static unsigned int node_add(struct parser *p, enum node_kind kind)
{
    if (p->e->nr == EXPR_MAX_NODES)
        return fail_at(p, p->at, "this is too long: more than %d operands and operators", EXPR_MAX_NODES);
    p->e->node[p->e->nr] = (struct node){ .kind = kind };
    return p->e->nr++;
}

static unsigned int number_add(struct parser *p, uint64_t value)
{
    const unsigned int n = node_add(p, NODE_NUMBER);

    p->e->node[n].value = (struct expr_value){ value, value <= INT64_MAX };
    return n;
}

static unsigned int unary_add(struct parser *p, int op, unsigned int a)
{
    const unsigned int n = node_add(p, NODE_UNARY);

    p->e->node[n].op = op;
    p->e->node[n].a = a;
    return n;
}

static unsigned int binary_add(struct parser *p, int op, unsigned int a, unsigned int b)
{
    const unsigned int n = node_add(p, NODE_BINARY);

    p->e->node[n].op = op;
    p->e->node[n].a = a;
    p->e->node[n].b = b;
    return n;
}

/* --- operands --- */

static unsigned int fail_word(struct parser *p, const char *what, const char *word, size_t len, const struct words *w)
{
    char name[48], hint[NEAREST_HINT_SIZE];

    snprintf(name, sizeof(name), "%.*s", (int)len, word);
    return fail_at(p, word, "%s \"%s\"%s", what, name, nearest_hint(name, w->word, w->nr, "", hint));
}

static unsigned int parse_or(struct parser *p);
static unsigned int parse_bits(struct parser *p);

static unsigned int parse_number(struct parser *p)
{
    const char *begin = p->at;
    const unsigned int base = p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X') ? 16 : 10;
    uint64_t value = 0;

    if (base == 16)
        p->at += 2;
    if (!isxdigit((unsigned char)*p->at))
        return fail_at(p, begin, "\"0x\" and no digits");
    for (; is_word(*p->at); p->at++) {
        const char c = (char)tolower((unsigned char)*p->at);
        const unsigned int digit = isdigit((unsigned char)c) ? (unsigned int)(c - '0') : (unsigned int)(c - 'a') + 10;

        if (!isxdigit((unsigned char)c) || digit >= base)
            return fail_at(p, begin, "\"%.*s\" is no number", (int)word_length(begin), begin);
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return fail_at(p, begin, "\"%.*s\" has more than 64 bits", (int)word_length(begin), begin);
    }
    return number_add(p, value);
}

static unsigned int parse_register(struct parser *p)
{
    const char *begin = p->at++;
    const size_t len = word_length(p->at);
    struct words w = { .nr = 0 };

    for (unsigned int i = 0; i < EXPR_NR_REGS; i++) {
        words_add(&w, reg_names[i]);
        if (word_is(reg_names[i], p->at, len)) {
            const unsigned int n = node_add(p, NODE_REG);

            if (!p->scope->machine)
                return fail_at(p, begin, "registers are not to be had here");
            p->e->node[n].reg = (enum expr_reg)i;
            p->at += len;
            return n;
        }
    }
    return fail_word(p, "there is no register", p->at, len, &w);
}

/* How many of this name there are; 0: none, or none is to be had. */
static unsigned int symbol_find(const struct parser *p, int domain, const char *word, size_t len,
                                uint64_t addr[EXPR_MAX_SAME])
{
    char name[128];

    if (!p->scope->symbol || !len || len >= sizeof(name))
        return 0;
    memcpy(name, word, len);
    name[len] = '\0';
    return p->scope->symbol(p->scope->data, domain, name, addr);
}

static unsigned int fail_several(struct parser *p, size_t len, unsigned int nr, const uint64_t addr[EXPR_MAX_SAME])
{
    char list[EXPR_MAX_SAME * 24] = "";

    for (unsigned int i = 0; i < nr && i < EXPR_MAX_SAME; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s0x%llx", i ? ", " : "",
                 (unsigned long long)addr[i]);
    return fail_at(p, p->at, "\"%.*s\" may be: %s%s", (int)(len < 40 ? len : 40), p->at, list,
                   nr > EXPR_MAX_SAME ? ", ..." : "");
}

static unsigned int symbol_add(struct parser *p, size_t len, unsigned int nr, const uint64_t addr[EXPR_MAX_SAME])
{
    const unsigned int n = nr == 1 ? number_add(p, addr[0]) : fail_several(p, len, nr, addr);

    p->e->node[n].value.is_signed = false;
    p->at += len;
    return n;
}

/* Behind "d1:". */
static unsigned int parse_symbol_of(struct parser *p, int domain, const char *begin)
{
    const size_t len = word_length(p->at);
    uint64_t addr[EXPR_MAX_SAME];
    unsigned int nr;

    if (!p->scope->symbol)
        return fail_at(p, begin, "symbols are not to be had here");
    if (!len)
        return fail_expected(p, "a symbol");
    nr = symbol_find(p, domain, p->at, len, addr);
    if (!nr)
        return fail_at(p, p->at, "there is no symbol \"%.*s\" in d%d", (int)(len < 100 ? len : 100), p->at, domain);
    return symbol_add(p, len, nr, addr);
}

/* What an ADDR begins with: [dN[vM]:][v:|p:|m:] */
static void parse_place(struct parser *p, struct expr_addr *place)
{
    size_t len;

    *place = (struct expr_addr){ EXPR_VIRTUAL, -1, -1, 0 };
    skip_space(p);
    len = vcpu_name(p->at, &place->domain, &place->vcpu);
    if (len && p->at[len] == ':')
        p->at += len + 1;
    else
        place->domain = place->vcpu = -1;
    if (strchr("vpm", *p->at) && *p->at && p->at[1] == ':') {
        place->space = *p->at == 'v' ? EXPR_VIRTUAL : *p->at == 'p' ? EXPR_PHYSICAL : EXPR_MACHINE;
        p->at += 2;
    }
    p->symbol = place->domain >= 0 ? p->at : NULL;
}

static unsigned int parse_memory(struct parser *p, unsigned int bits)
{
    const char *begin = p->at;
    const int outer = p->domain;
    struct expr_addr place;
    unsigned int n, addr;

    if (!p->scope->machine)
        return fail_at(p, begin, "memory is not to be had here");
    p->at = strchr(p->at, '[') + 1;
    parse_place(p, &place);
    p->domain = place.domain >= 0 ? place.domain : outer;
    addr = parse_bits(p);
    p->domain = outer;
    if (!p->failed && !take(p, "]"))
        return fail_expected(p, "]");
    n = node_add(p, NODE_MEMORY);
    p->e->node[n].a = addr;
    p->e->node[n].place = place;
    p->e->node[n].size = bits / 8;
    return n;
}

/* A word that is no number: the trace's, a constant, a symbol. */
static unsigned int parse_word(struct parser *p)
{
    const char *begin = p->at;
    const size_t len = word_length(begin);
    struct field_ref f;
    int domain, vcpu;
    const size_t name = vcpu_name(begin, &domain, &vcpu);
    uint64_t addr[EXPR_MAX_SAME];
    unsigned int n, ev;
    struct words w;

    if (name && begin[name] == ':' && vcpu < 0) {
        p->at += name + 1;
        return parse_symbol_of(p, domain, begin);
    }
    if (name) {
        p->at += name;
        return number_add(p, vcpu < 0 ? (uint64_t)domain : TRACE_VCPU_ID(domain, vcpu));
    }
    if (word_is("true", begin, len) || word_is("false", begin, len)) {
        p->at += len;
        return number_add(p, *begin == 't');
    }
    if (begin == p->symbol && (n = symbol_find(p, p->domain, begin, len, addr)))
        return symbol_add(p, len, n, addr);
    if (field_find(begin, len, &f)) {
        p->at += len;
        n = node_add(p, NODE_FIELD);
        p->e->node[n].field = f;
        return n;
    }
    ev = event_find(begin, len);
    if (ev < TRC_NR) {
        p->at += len;
        n = node_add(p, NODE_EVENT);
        p->e->node[n].event = (enum trace_event)ev;
        return n;
    }
    n = symbol_find(p, p->domain, begin, len, addr);
    if (n)
        return symbol_add(p, len, n, addr);
    words_of_trace(&w);
    return fail_word(p, p->scope->symbol ? "there is no field, event or symbol" : "there is no field or event", begin,
                     len, &w);
}

static unsigned int parse_operand(struct parser *p)
{
    unsigned int n;

    skip_space(p);
    if (*p->at == '(') {
        p->at++;
        n = parse_or(p);
        if (!p->failed && !take(p, ")"))
            return fail_expected(p, ")");
        return n;
    }
    if (*p->at == '%')
        return parse_register(p);
    if (isdigit((unsigned char)*p->at))
        return parse_number(p);
    for (unsigned int bits = 8; bits <= 64; bits *= 2) {
        char begin[8];

        snprintf(begin, sizeof(begin), "u%u[", bits);
        if (!strncmp(p->at, begin, strlen(begin)))
            return parse_memory(p, bits);
    }
    if (is_word(*p->at))
        return parse_word(p);
    return fail_expected(p, "a field, an event or a number");
}

/* Every way deeper goes through here. */
static unsigned int parse_unary(struct parser *p)
{
    unsigned int n;

    if (p->failed)
        return 0;
    if (++p->depth > EXPR_MAX_DEPTH)
        return fail_at(p, p->at, "this is nested too deeply: more than %d levels", EXPR_MAX_DEPTH);
    skip_space(p);
    if (*p->at == '-' || *p->at == '~') {
        const int op = *p->at++;

        n = unary_add(p, op, parse_unary(p));
    } else {
        n = parse_operand(p);
    }
    p->depth--;
    return n;
}

/* --- operators, from the tightest to the loosest --- */

static unsigned int parse_product(struct parser *p)
{
    unsigned int n = parse_unary(p);

    while (!p->failed) {
        skip_space(p);
        if (*p->at != '*' && *p->at != '/' && *p->at != '%')
            break;
        const int op = *p->at++;

        n = binary_add(p, op, n, parse_unary(p));
    }
    return n;
}

static unsigned int parse_sum(struct parser *p)
{
    unsigned int n = parse_product(p);

    while (!p->failed) {
        skip_space(p);
        if (*p->at != '+' && *p->at != '-')
            break;
        const int op = *p->at++;

        n = binary_add(p, op, n, parse_product(p));
    }
    return n;
}

static unsigned int parse_shift(struct parser *p)
{
    unsigned int n = parse_sum(p);

    while (!p->failed) {
        if (take(p, "<<"))
            n = binary_add(p, OP_SHL, n, parse_sum(p));
        else if (take(p, ">>"))
            n = binary_add(p, OP_SHR, n, parse_sum(p));
        else
            break;
    }
    return n;
}

/* & not being the first of &&. */
static bool take_bit(struct parser *p, char op)
{
    skip_space(p);
    if (*p->at != op || p->at[1] == op)
        return false;
    p->at++;
    return true;
}

static unsigned int parse_and_bits(struct parser *p)
{
    unsigned int n = parse_shift(p);

    while (!p->failed && take_bit(p, '&'))
        n = binary_add(p, '&', n, parse_shift(p));
    return n;
}

static unsigned int parse_xor_bits(struct parser *p)
{
    unsigned int n = parse_and_bits(p);

    while (!p->failed && take(p, "^"))
        n = binary_add(p, '^', n, parse_and_bits(p));
    return n;
}

static unsigned int parse_bits(struct parser *p)
{
    unsigned int n = parse_xor_bits(p);

    while (!p->failed && take_bit(p, '|'))
        n = binary_add(p, '|', n, parse_xor_bits(p));
    return n;
}

/* --- comparisons --- */

static int comparison(struct parser *p)
{
    static const struct {
        const char *text;
        int op;
    } ops[] = { { "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE }, { "<", '<' }, { ">", '>' } };

    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        if (take(p, ops[i].text))
            return ops[i].op;
    skip_space(p);
    if (*p->at == '=')
        fail_at(p, p->at, "expected ==, got \"=\"");
    return 0;
}

static unsigned int name_add(struct parser *p, enum node_kind kind, int op, const struct field_ref *f, const char *text,
                             size_t len)
{
    const unsigned int n = node_add(p, kind);

    p->e->node[n].op = op;
    p->e->node[n].field = *f;
    p->e->node[n].text = text;
    p->e->node[n].len = len;
    return n;
}

static unsigned int parse_string(struct parser *p, int op, const struct field_ref *f)
{
    const char *begin = ++p->at, *end = strchr(begin, '"');

    if (!end)
        return fail_at(p, begin - 1, "a text without its second \"");
    if (op != OP_EQ && op != OP_NE)
        return fail_at(p, begin - 1, "a text can be compared by == and != only");
    p->at = end + 1;
    return name_add(p, NODE_TEXT, op, f, begin, (size_t)(end - begin));
}

/* Behind a field and a comparison: a name of one of its values comes before all else. 0 and not failed: it is none. */
static unsigned int parse_name(struct parser *p, int op, const struct field_ref *f)
{
    const char *word = p->at;
    const size_t len = word_length(word);
    struct field_ref other;
    int domain, vcpu;
    uint64_t addr[EXPR_MAX_SAME];
    struct words w;
    unsigned int n;

    words_of_field(&w, f);
    if (!words_have(&w, word, len)) {
        /* Not a word that stands for anything here, and the field has names: then it was to be one. */
        if (w.nr && len && !isdigit((unsigned char)*word) && word[len] != '[' && word[len] != ':' &&
            !vcpu_name(word, &domain, &vcpu) && !field_find(word, len, &other) && !word_is("true", word, len) &&
            !word_is("false", word, len) && !symbol_find(p, p->domain, word, len, addr))
            return fail_word(p, "the field has no value of the name", word, len, &w);
        return 0;
    }
    if (op != OP_EQ && op != OP_NE)
        return fail_at(p, word, "a name can be compared by == and != only");
    p->at += len;
    n = name_add(p, NODE_NAME, op, f, word, len);
    return n;
}

static unsigned int parse_comparison(struct parser *p)
{
    unsigned int n = parse_bits(p), named;
    int op;

    if (p->failed)
        return 0;
    op = comparison(p);
    if (!op || p->failed)
        return n;
    skip_space(p);
    if (p->e->node[n].kind == NODE_FIELD) {
        const struct field_ref f = p->e->node[n].field;

        if (*p->at == '"')
            return parse_string(p, op, &f);
        named = parse_name(p, op, &f);
        if (named || p->failed)
            return named;
    }
    n = binary_add(p, op, n, parse_bits(p));
    if (!p->failed && comparison(p))
        return fail_at(p, p->at, "one comparison after the other: join them by && or ()");
    return n;
}

static unsigned int parse_not(struct parser *p)
{
    unsigned int n;

    skip_space(p);
    if (*p->at != '!' || p->at[1] == '=')
        return parse_comparison(p);
    if (++p->depth > EXPR_MAX_DEPTH)
        return fail_at(p, p->at, "this is nested too deeply: more than %d levels", EXPR_MAX_DEPTH);
    p->at++;
    n = unary_add(p, '!', parse_not(p));
    p->depth--;
    return n;
}

static unsigned int parse_and(struct parser *p)
{
    unsigned int n = parse_not(p);

    while (!p->failed && take(p, "&&"))
        n = binary_add(p, OP_AND, n, parse_not(p));
    return n;
}

static unsigned int parse_or(struct parser *p)
{
    unsigned int n = parse_and(p);

    while (!p->failed && take(p, "||"))
        n = binary_add(p, OP_OR, n, parse_and(p));
    return n;
}

/* --- all of it --- */

struct expr *expr_parse(const char *text, const struct expr_scope *scope, struct expr_addr *place,
                        char err[EXPR_ERR_SIZE])
{
    struct expr *e = calloc(1, sizeof(*e));
    struct parser p = { .e = e, .scope = scope, .domain = -1, .err = err };

    err[0] = '\0';
    if (!e || !(e->text = strdup(text))) {
        snprintf(err, EXPR_ERR_SIZE, "out of memory");
        free(e);
        return NULL;
    }
    p.at = e->text;
    e->nr = 1; /* no node has index 0, which means none */
    if (place) {
        parse_place(&p, place);
        p.domain = place->domain;
    }
    e->root = parse_or(&p);
    skip_space(&p);
    if (!p.failed && *p.at)
        fail_expected(&p, "an operator, or the end");
    if (!p.failed)
        return e;
    expr_free(e);
    return NULL;
}

void expr_free(struct expr *e)
{
    if (!e)
        return;
    free(e->text);
    free(e);
}
