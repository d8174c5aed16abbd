// SPDX-License-Identifier: GPL-2.0-or-later
/* The value of an expression, see tools/debug/expr.h. */
#include "tools/debug/private.h"

#include <string.h>

#include "sim/bug.h"

static uint64_t common_value(const struct trace_record *rec, unsigned int which)
{
    const bool nobody = rec->who.domain == TRACE_NO_DOMAIN;
    const uint64_t values[] = { rec->seq,
                                rec->at.insns,
                                rec->at.step,
                                (uint64_t)rec->time,
                                rec->pcpu,
                                nobody ? TRACE_NONE : rec->who.domain,
                                nobody ? TRACE_NONE : rec->who.vcpu,
                                rec->who.mode,
                                rec->who.root };

    return values[which];
}

/* The words of a field; NULL: the record has it not. *buf: room for one. */
static const uint64_t *field_words(const struct field_ref *f, const struct trace_record *rec, uint64_t *buf)
{
    if (!rec)
        return NULL;
    if (f->common != FIELD_NONE) {
        *buf = common_value(rec, f->common);
        return rec->event == TRC_NR && f->common == 0 ? NULL : buf; /* seq: no sink has counted it */
    }
    return rec->event == TRC_NR || f->at[rec->event] == FIELD_NONE ? NULL : &rec->arg[f->at[rec->event]];
}

static bool is_none(enum trace_type type, uint64_t value)
{
    if (type == TRACE_TYPE_domid && value == TRACE_NO_DOMAIN)
        return true;
    return value == TRACE_NONE && type != TRACE_TYPE_hex && type != TRACE_TYPE_num;
}

static bool field_value(const struct node *n, const struct expr_env *env, struct expr_value *v)
{
    uint64_t buf;
    const uint64_t *w = field_words(&n->field, env->rec, &buf);
    enum trace_type type;

    if (!w)
        return false;
    type = field_type(&n->field, (enum trace_event)env->rec->event);
    if (type == TRACE_TYPE_text)
        return false; /* it can be compared with a text, and nothing else */
    *v = (struct expr_value){ *w, type != TRACE_TYPE_hex && type != TRACE_TYPE_frame };
    return !is_none(type, *w);
}

/* Names are looked up each time: what `sub` is a name of depends on the record. */
static bool name_matches(const struct node *n, const struct expr_env *env, struct expr_value *v)
{
    uint64_t buf;
    const uint64_t *w = field_words(&n->field, env->rec, &buf);
    const struct trace_names *names;
    enum trace_type type;
    const char *name;

    if (!w)
        return false;
    type = field_type(&n->field, (enum trace_event)env->rec->event);
    if (is_none(type, *w))
        return false;
    names = type == TRACE_TYPE_sub ? trace_subops(w[-1]) : trace_type_names(type);
    if (!names)
        return false;
    name = *w < names->nr ? names->name[*w] : NULL;
    *v = (struct expr_value){ (name && strlen(name) == n->len && !memcmp(name, n->text, n->len)) == (n->op == OP_EQ),
                              true };
    return true;
}

static bool text_matches(const struct node *n, const struct expr_env *env, struct expr_value *v)
{
    uint64_t buf;
    const uint64_t *w = field_words(&n->field, env->rec, &buf);

    if (!w || field_type(&n->field, (enum trace_event)env->rec->event) != TRACE_TYPE_text)
        return false;
    *v = (struct expr_value){ (*w == n->len && !memcmp(w + 1, n->text, n->len)) == (n->op == OP_EQ), true };
    return true;
}

/* --- operators --- */

static bool less(struct expr_value a, struct expr_value b)
{
    const bool a_negative = a.is_signed && (int64_t)a.u < 0, b_negative = b.is_signed && (int64_t)b.u < 0;

    return a_negative != b_negative ? a_negative : a.u < b.u;
}

static bool divide(int op, struct expr_value a, struct expr_value b, struct expr_value *v)
{
    if (!b.u)
        return false;
    if (!v->is_signed)
        v->u = op == '/' ? a.u / b.u : a.u % b.u;
    else if ((int64_t)b.u == -1) /* where the least number would overflow */
        v->u = op == '/' ? -a.u : 0;
    else
        v->u = (uint64_t)(op == '/' ? (int64_t)a.u / (int64_t)b.u : (int64_t)a.u % (int64_t)b.u);
    return true;
}

static uint64_t shift_right(struct expr_value a, uint64_t by)
{
    if (a.is_signed && (int64_t)a.u < 0)
        return by > 63 ? UINT64_MAX : ~(~a.u >> by);
    return by > 63 ? 0 : a.u >> by;
}

static bool binary(int op, struct expr_value a, struct expr_value b, struct expr_value *v)
{
    v->is_signed = true;
    switch (op) {
    case OP_EQ: v->u = a.u == b.u; return true;
    case OP_NE: v->u = a.u != b.u; return true;
    case '<': v->u = less(a, b); return true;
    case '>': v->u = less(b, a); return true;
    case OP_LE: v->u = !less(b, a); return true;
    case OP_GE: v->u = !less(a, b); return true;
    }
    v->is_signed = a.is_signed && b.is_signed;
    switch (op) {
    case '+': v->u = a.u + b.u; return true;
    case '-': v->u = a.u - b.u; return true;
    case '*': v->u = a.u * b.u; return true;
    case '&': v->u = a.u & b.u; return true;
    case '|': v->u = a.u | b.u; return true;
    case '^': v->u = a.u ^ b.u; return true;
    case '/':
    case '%': return divide(op, a, b, v);
    case OP_SHL: *v = (struct expr_value){ b.u > 63 ? 0 : a.u << b.u, a.is_signed }; return true;
    case OP_SHR: *v = (struct expr_value){ shift_right(a, b.u), a.is_signed }; return true;
    }
    BUG();
}

/* --- the tree --- */

static bool eval(const struct expr *e, unsigned int at, struct expr_env *env, struct expr_value *v);

static bool is_true(const struct expr *e, unsigned int at, struct expr_env *env)
{
    struct expr_value v;

    return eval(e, at, env, &v) && v.u;
}

static bool memory(const struct expr *e, const struct node *n, struct expr_env *env, struct expr_value *v)
{
    struct expr_addr place = n->place;
    struct expr_value addr;

    if (!eval(e, n->a, env, &addr))
        return false;
    place.addr = addr.u;
    *v = (struct expr_value){ 0, false };
    if (env->memory && env->memory(env->data, &place, &v->u, n->size)) /* little-endian, as is the host */
        return true;
    env->unreadable = true;
    return false;
}

static bool unary(const struct expr *e, const struct node *n, struct expr_env *env, struct expr_value *v)
{
    if (n->op == '!') { /* also of what is not there */
        *v = (struct expr_value){ !is_true(e, n->a, env), true };
        return true;
    }
    if (!eval(e, n->a, env, v))
        return false;
    if (n->op == '-')
        *v = (struct expr_value){ -v->u, true };
    else
        v->u = ~v->u;
    return true;
}

static bool eval(const struct expr *e, unsigned int at, struct expr_env *env, struct expr_value *v)
{
    const struct node *n = &e->node[at];
    struct expr_value a, b;

    switch (n->kind) {
    case NODE_NUMBER: *v = n->value; return true;
    case NODE_REG: v->is_signed = false; return env->reg && env->reg(env->data, n->reg, &v->u);
    case NODE_FIELD: return field_value(n, env, v);
    case NODE_EVENT: *v = (struct expr_value){ env->rec && env->rec->event == n->event, true }; return true;
    case NODE_MEMORY: return memory(e, n, env, v);
    case NODE_UNARY: return unary(e, n, env, v);
    case NODE_NAME: return name_matches(n, env, v);
    case NODE_TEXT: return text_matches(n, env, v);
    case NODE_BINARY: break;
    }
    if (n->op == OP_AND || n->op == OP_OR) {
        v->u = is_true(e, n->a, env);
        v->is_signed = true;
        if (v->u == (n->op == OP_AND))
            v->u = is_true(e, n->b, env);
        return true;
    }
    return eval(e, n->a, env, &a) && eval(e, n->b, env, &b) && binary(n->op, a, b, v);
}

bool expr_value(const struct expr *e, struct expr_env *env, struct expr_value *v) { return eval(e, e->root, env, v); }

bool expr_true(const struct expr *e, struct expr_env *env) { return is_true(e, e->root, env); }

bool expr_is_truth(const struct expr *e)
{
    const struct node *n = &e->node[e->root];

    switch (n->kind) {
    case NODE_EVENT:
    case NODE_NAME:
    case NODE_TEXT: return true;
    case NODE_UNARY: return n->op == '!';
    case NODE_BINARY: break;
    default: return false;
    }
    switch (n->op) {
    case '<':
    case '>':
    case OP_EQ:
    case OP_NE:
    case OP_LE:
    case OP_GE:
    case OP_AND:
    case OP_OR: return true;
    default: return false;
    }
}
