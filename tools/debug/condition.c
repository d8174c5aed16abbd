// SPDX-License-Identifier: GPL-2.0-or-later
/* Conditions about a machine, see tools/debug/condition.h. */
#include "tools/debug/condition.h"

#include "tools/build/image.h"
#include "tools/debug/look.h"
#include "vcpu/noun/domain.h"

#include <string.h>

static const struct vcpu *vcpu_of(struct host *h, unsigned int domain, unsigned int vcpu)
{
    const struct domain *d = domain < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[domain] : NULL;

    return d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;
}

static uint64_t segment_value(const struct cpu_state *r, enum expr_reg reg)
{
    switch (reg) {
    case EXPR_REG_cs: return r->seg[CPU_SEG_CS].sel;
    case EXPR_REG_ss: return r->seg[CPU_SEG_SS].sel;
    case EXPR_REG_ds: return r->seg[CPU_SEG_DS].sel;
    case EXPR_REG_es: return r->seg[CPU_SEG_ES].sel;
    case EXPR_REG_fs: return r->seg[CPU_SEG_FS].sel;
    case EXPR_REG_gs: return r->seg[CPU_SEG_GS].sel;
    case EXPR_REG_fs_base: return r->seg[CPU_SEG_FS].base;
    default: return r->seg[CPU_SEG_GS].base;
    }
}

/* What the processor has; a PV guest may believe in other control registers. */
static uint64_t reg_value(const struct cpu_state *r, enum expr_reg reg)
{
    if (reg <= EXPR_REG_r15) /* in the processor's order */
        return r->gpr[reg - EXPR_REG_rax];
    switch (reg) {
    case EXPR_REG_rip: return r->rip;
    case EXPR_REG_rflags: return r->rflags;
    case EXPR_REG_cr0: return r->cr0;
    case EXPR_REG_cr2: return r->cr2;
    case EXPR_REG_cr3: return r->cr3;
    case EXPR_REG_cr4: return r->cr4;
    case EXPR_REG_efer: return r->efer;
    case EXPR_REG_dr0:
    case EXPR_REG_dr1:
    case EXPR_REG_dr2:
    case EXPR_REG_dr3: return r->dr[reg - EXPR_REG_dr0];
    case EXPR_REG_dr6: return r->dr[6];
    case EXPR_REG_dr7: return r->dr[7];
    case EXPR_REG_cpl: return r->cpl;
    default: return segment_value(r, reg);
    }
}

static bool reg(void *data, enum expr_reg reg, uint64_t *value)
{
    struct condition *c = data;
    const struct vcpu *v = vcpu_of(c->host, c->domain, c->vcpu);

    if (!v || !v->regs) {
        c->no_register = true;
        return false;
    }
    *value = reg_value(v->regs, reg);
    return true;
}

static bool memory(void *data, const struct expr_addr *a, void *buf, size_t n)
{
    static const enum look_space spaces[] = {
        [EXPR_VIRTUAL] = LOOK_VIRTUAL, [EXPR_PHYSICAL] = LOOK_PHYSICAL, [EXPR_MACHINE] = LOOK_MACHINE
    };
    struct condition *c = data;
    const unsigned int domain = a->domain < 0 ? c->domain : (unsigned int)a->domain;
    const unsigned int vcpu = a->vcpu >= 0 ? (unsigned int)a->vcpu : a->domain < 0 ? c->vcpu : 0;

    if (look_read(c->host, (domid_t)domain, vcpu, spaces[a->space], a->addr, buf, n) == n)
        return true;
    c->where = *a;
    c->where.domain = (int)domain;
    c->where.vcpu = (int)vcpu;
    return false;
}

/* Its addresses in an image, behind the nr that are known. */
static unsigned int symbols_of(const struct image *img, const char *name, uint64_t addr[EXPR_MAX_SAME], unsigned int nr)
{
    for (size_t i = 0; i < img->nr_symbols; i++) {
        const struct image_symbol *s = &img->symbols[i];
        bool known = strcmp(s->name, name) != 0;

        for (unsigned int n = 0; n < nr && n < EXPR_MAX_SAME && !known; n++)
            known = addr[n] == s->addr;
        if (known)
            continue;
        if (nr < EXPR_MAX_SAME)
            addr[nr] = s->addr;
        nr++;
    }
    return nr;
}

/* Of a domain that there has not been yet it is one of the guests': any. */
static unsigned int symbol(void *data, int domain, const char *name, uint64_t addr[EXPR_MAX_SAME])
{
    const struct condition *c = data;
    const domid_t dom = (domid_t)(domain < 0 ? c->symbols : domain);
    const struct image *img = host_guest_image(c->host, dom);
    unsigned int nr = 0;
    domid_t of;

    if (img || !dom)
        return img ? symbols_of(img, name, addr, 0) : 0;
    for (unsigned int i = 0; (of = host_guest_domid(c->host, i)) != DOMID_INVALID; i++)
        if ((img = host_guest_image(c->host, of)))
            nr = symbols_of(img, name, addr, nr);
    return nr;
}

int condition_parse_addr(struct condition *c, struct host *host, int symbols, const char *text, struct expr_addr *place,
                         char err[EXPR_ERR_SIZE])
{
    const struct expr_scope scope = { .data = c,
                                      .machine = true,
                                      .symbol = symbols == CONDITION_NO_SYMBOLS ? NULL : symbol };

    *c = (struct condition){ .host = host, .symbols = symbols };
    c->expr = expr_parse(text, &scope, place, err);
    return c->expr ? 0 : -1;
}

int condition_parse(struct condition *c, struct host *host, int symbols, const char *text, char err[EXPR_ERR_SIZE])
{
    return condition_parse_addr(c, host, symbols, text, NULL, err);
}

/* *v: its value, false: it has none. v NULL: whether it is true. */
static bool look(struct condition *c, const struct trace_record *rec, struct expr_value *v)
{
    struct expr_env env = { .data = c, .rec = rec, .reg = reg, .memory = memory };
    bool result;

    c->domain = rec->who.domain;
    c->vcpu = rec->who.vcpu;
    result = v ? expr_value(c->expr, &env, v) : expr_true(c->expr, &env);
    c->unreadable |= env.unreadable;
    return result;
}

bool condition_holds(struct condition *c, const struct trace_record *rec) { return look(c, rec, NULL); }

bool condition_value(struct condition *c, domid_t domain, unsigned int vcpu, const struct trace_record *event,
                     struct expr_value *value)
{
    const struct machine *m = host_machine(c->host);
    const struct vcpu *v = vcpu_of(c->host, domain, vcpu);
    struct trace_record rec = { .event = TRC_NR };

    if (event)
        memcpy(&rec, event, trace_record_size(event));
    pcpu_sync(host_machine(c->host));
    rec.at = m->at;
    rec.time = m->clock.now;
    rec.pcpu = (uint16_t)m->cur_pcpu;
    rec.who = v ? vcpu_trace_who(v) : trace_who(domain, vcpu);
    return look(c, &rec, value);
}

void condition_free(struct condition *c)
{
    expr_free(c->expr);
    c->expr = NULL;
}
