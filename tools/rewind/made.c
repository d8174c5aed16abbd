// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains, hypercalls and exits that are made up: see tools/rewind/made.h. */
#include "tools/rewind/made.h"

#include "tools/xc/xc.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int refuse(char err[REWIND_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char err[REWIND_ERR_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, REWIND_ERR_SIZE, fmt, ap);
    va_end(ap);
    return -1;
}

/* --- domains --- */

static int create_check(const struct host_made *m, char err[REWIND_ERR_SIZE])
{
    if (m->type >= HOST_MADE_TYPES)
        return refuse(err, "there is no type %u of domains: 0 is PV, 1 PV of 32 bits, 2 HVM", m->type);
    if (m->pages < HOST_MADE_PAGES_MIN || m->pages > HOST_MADE_PAGES_MAX)
        return refuse(err, "a domain without a kernel has %u to %u pages, not %u", HOST_MADE_PAGES_MIN,
                      HOST_MADE_PAGES_MAX, m->pages);
    if (!m->vcpus || m->vcpus > HOST_MADE_VCPUS_MAX)
        return refuse(err, "a domain without a kernel has 1 to %u vCPUs, not %u", HOST_MADE_VCPUS_MAX, m->vcpus);
    return 0;
}

static int create(struct host *h, const struct journal_record *rec, const struct host_made *m, bool check,
                  char err[REWIND_ERR_SIZE])
{
    char why[HOST_ERR_SIZE] = "";

    if (create_check(m, err))
        return -1;
    if (check)
        return 0;
    xen_interrupt(host_xen(h), rec->now);
    return host_made_add(h, m, why) < 0 ? refuse(err, "%.*s", REWIND_ERR_SIZE - 1, why) : 0;
}

int made_domain(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    const struct domain *d = rec->who < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[rec->who] : NULL;
    struct made_domain m;

    if (rec->len != sizeof(m))
        return refuse(err, "a record of kind domain with %zu bytes", rec->len);
    memcpy(&m, rec->bytes, sizeof(m));
    if (m.what > MADE_CREATE)
        return refuse(err, "nothing of number %u can be done with a domain", m.what);
    if (m.what == MADE_CREATE)
        return create(h, rec, &m.made, check, err);
    if (!d || d->is_dying || !host_is_made(h, (domid_t)rec->who))
        return refuse(err, "there is no domain d%u without a kernel", rec->who);
    if (m.what == HOST_MADE_UNPAUSE && !d->controller_pause_count)
        return refuse(err, "d%u is not paused", rec->who);
    if (check)
        return 0;
    xen_interrupt(host_xen(h), rec->now);
    host_made_do(h, (domid_t)rec->who, (enum host_made_what)m.what);
    return 0;
}

/* --- hypercalls --- */

/* Where the kind of a vCPU has the number and the arguments: vcpu/hypercall.c. */
static uint64_t *register_of(struct cpu_state *r, bool narrow, unsigned int i)
{
    uint64_t *const wide_reg[] = { &r->rax, &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 },
                    *const narrow_reg[] = { &r->rax, &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp };

    return narrow ? narrow_reg[i] : wide_reg[i];
}

/* HVM: by the code that it is in, as the hypervisor looks at it. */
static bool is_narrow(const struct vcpu *v)
{
    if (!is_hvm_domain(v->domain))
        return is_pv_32bit_domain(v->domain);
    return !(v->regs->efer & EFER_LMA && v->regs->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
}

bool made_is_narrow(struct host *h, domid_t domid, unsigned int vcpu)
{
    const struct domain *d = domid < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[domid] : NULL;
    const struct vcpu *v = d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;

    return v && v->regs && is_narrow(v);
}

/* It comes out of the instruction by which its kind calls; of those in front of which RIP is to be, it is behind. */
static struct sim_exit out_of_call(const struct vcpu *v)
{
    if (is_hvm_domain(v->domain))
        return (struct sim_exit){ .kind = EXIT_VMMCALL, .insn_len = 3 };
    if (is_pv_32bit_domain(v->domain))
        return (struct sim_exit){ .kind = EXIT_SOFTINT, .insn_len = 2, .softint.vector = 0x82 };
    return (struct sim_exit){ .kind = EXIT_SYSCALL, .insn_len = 2 };
}

static void hypercall(struct xen *xen, struct vcpu *v, const uint64_t word[1 + MADE_ARGS], s_time_t now)
{
    const bool narrow = is_narrow(v), hvm = is_hvm_domain(v->domain);
    const struct cpu_state was = *v->regs;
    const struct sim_exit e = out_of_call(v);
    const uint64_t behind = was.rip + e.insn_len;
    uint64_t rip;

    for (unsigned int i = 0; i <= MADE_ARGS; i++)
        *register_of(v->regs, narrow, i) = word[i];
    do {
        if (!hvm)
            v->regs->rip = behind;
        xen_exit_made_up(xen, v, &e, now);
        rip = v->regs->rip;
    } while (rip == was.rip && !v->domain->is_dying && !v->domain->is_shut_down);
    if (rip != behind)
        return;
    for (unsigned int i = 1; i < ARRAY_SIZE(v->regs->gpr); i++)
        v->regs->gpr[i] = was.gpr[i];
    v->regs->rip = was.rip;
}

int made_hypercall(struct host *h, struct vcpu *v, const struct journal_record *rec, bool check,
                   char err[REWIND_ERR_SIZE])
{
    uint64_t word[1 + MADE_ARGS];

    if (rec->len != sizeof(word))
        return refuse(err, "a record of kind hypercall with %zu bytes", rec->len);
    memcpy(word, rec->bytes, sizeof(word));
    if (!is_hvm_domain(v->domain) && !guest_kernel_mode(v))
        return refuse(err, "d%uv%u is in user mode: its kernel makes hypercalls", v->domain->domain_id, v->vcpu_id);
    if (!check)
        hypercall(host_xen(h), v, word, rec->now);
    return 0;
}

/* --- exits --- */

#define VECTORS                                                                                                        \
    (1u << X86_EXC_DE | 1u << X86_EXC_DB | 1u << X86_EXC_BP | 1u << X86_EXC_OF | 1u << X86_EXC_BR | 1u << X86_EXC_UD | \
     1u << X86_EXC_NM | 1u << X86_EXC_TS | 1u << X86_EXC_NP | 1u << X86_EXC_SS | 1u << X86_EXC_GP | 1u << X86_EXC_PF | \
     1u << X86_EXC_MF | 1u << X86_EXC_AC | 1u << X86_EXC_XM)
#define BIT(kind) (UINT64_C(1) << EXIT_##kind)

/* What the processor answers deprivileged code, and code with hardware's help, by leaving it. */
#define PV_EXITS                                                                                                       \
    (BIT(EXCEPTION) | BIT(SOFTINT) | BIT(SYSCALL) | BIT(IO) | BIT(RDMSR) | BIT(WRMSR) | BIT(CPUID) | BIT(RDTSC) |      \
     BIT(HLT) | BIT(PAUSE) | BIT(SHUTDOWN))
#define HVM_EXITS                                                                                                      \
    (BIT(EXCEPTION) | BIT(VMMCALL) | BIT(IO) | BIT(RDMSR) | BIT(WRMSR) | BIT(CPUID) | BIT(RDTSC) | BIT(CR_READ) |      \
     BIT(CR_WRITE) | BIT(DR_READ) | BIT(DR_WRITE) | BIT(NPF) | BIT(HLT) | BIT(PAUSE) | BIT(SHUTDOWN))

static int exit_of(const struct vcpu *v, const struct made_exit *m, struct sim_exit *e, char err[REWIND_ERR_SIZE])
{
    const uint64_t may = is_hvm_domain(v->domain) ? HVM_EXITS : PV_EXITS;

    *e = (struct sim_exit){ .kind = (enum sim_exit_kind)m->kind, .insn_len = (uint8_t)m->insn_len };
    if (m->kind >= EXIT_NR_KINDS || !(may >> m->kind & 1))
        return refuse(err, "no vCPU of d%u comes out for %s", v->domain->domain_id,
                      m->kind < EXIT_NR_KINDS ? sim_exit_name((enum sim_exit_kind)m->kind) : "that");
    if (m->insn_len > 15)
        return refuse(err, "an instruction has 1 to 15 bytes, not %u", m->insn_len);
    switch (e->kind) {
    case EXIT_EXCEPTION:
        if (m->vector >= 32 || !(VECTORS >> m->vector & 1))
            return refuse(err, "there is no exception %u", m->vector);
        e->exception.vector = (uint8_t)m->vector;
        e->exception.has_error_code = X86_EXC_HAVE_EC >> m->vector & 1;
        e->exception.error_code = e->exception.has_error_code ? m->error_code : 0;
        e->exception.addr = m->vector == X86_EXC_PF ? m->addr : 0;
        break;
    case EXIT_SOFTINT: e->softint.vector = (uint8_t)m->vector; break;
    case EXIT_IO:
        if (m->size != 1 && m->size != 2 && m->size != 4)
            return refuse(err, "an access to a port has 1, 2 or 4 bytes, not %u", m->size);
        e->io.port = (uint16_t)m->port, e->io.size = (uint8_t)m->size, e->io.in = m->in, e->io.string = m->string;
        break;
    case EXIT_CR_READ:
    case EXIT_CR_WRITE:
    case EXIT_DR_READ:
    case EXIT_DR_WRITE: e->cr.nr = (uint8_t)m->cr; break;
    case EXIT_NPF: e->npf.gpa = m->addr, e->npf.error_code = m->error_code, e->npf.table = m->table; break;
    default: break;
    }
    return 0;
}

int made_exit(struct host *h, struct vcpu *v, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct made_exit m;
    struct sim_exit e;

    if (rec->len != sizeof(m))
        return refuse(err, "a record of kind exit with %zu bytes", rec->len);
    memcpy(&m, rec->bytes, sizeof(m));
    if (exit_of(v, &m, &e, err))
        return -1;
    if (!check)
        xen_exit_made_up(host_xen(h), v, &e, rec->now);
    return 0;
}
