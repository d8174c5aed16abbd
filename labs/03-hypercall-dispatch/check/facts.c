// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 03: hypercalls, from registers to a handler and back.
 *
 * Concept: the hypervisor's table is replaced by one of handlers that do nothing but tell what they were called with,
 * and do as their arguments say: a[1] is how often they are preempted, a[3] which result they have. A step is a
 * number and arguments, in the registers of a guest of 64 or 32 bits, or in a list in its memory; as hardware does,
 * the call is made again where RIP was put back onto its instruction. Reported is what handlers and the guest can see,
 * whether the auditor is asked after each handler, and at the end how often an instruction was executed.
 *
 * Budget: one step each for calls and for lists, by guests of two widths.
 */
#include "evtchn/evtchn.h"
#include "labs/kit/kit.h"
#include "mmu/compat.h"
#include "mmu/guest_access.h"
#include "vcpu/hypercall.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEPS       160
#define TURNS_MAX   40
#define ENTRIES_MAX 6
#define AFTER       UINT64_C(0x401002) /* where a guest goes on behind its hypercall instruction */

/* --- handlers --- */

static const int64_t results[] = { 0,       1,
                                   -EINVAL, -ENOSYS,
                                   -EPERM,  INT64_C(0x100000005),
                                   -EFAULT, INT64_C(0x7fffffff80000000),
                                   4711,    INT64_C(-0x123456789abcdef) };
#define NR_RESULTS (sizeof(results) / sizeof(results[0]))

static const char *property; /* that what is called now is of */
static unsigned int nr_made; /* SYSCALL and INT 0x82 that guests have executed */

/* The auditor asks who has references: hypercall_audit() after each handler is seen here. */
static const struct xen_hooks *hooks;
static bool unaudited;            /* a handler was called since */
static unsigned int nr_unaudited; /* handlers after which another one was called first, or the guest went on */

static void audit_seen(struct xen *xen, struct audit *a)
{
    unaudited = false;
    hooks->audit_refs(xen, a);
}

static long handler(unsigned int nr, const char *column, struct vcpu *v, struct hypercall_args *args)
{
    uint64_t *const a = args->a;

    nr_unaudited += unaudited;
    unaudited = true;
    kit_fact(property,
             "handler %u for %s is called: %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
             nr, column, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (nr == __HYPERVISOR_iret) { /* the guest goes on somewhere else, with other registers, and any RAX */
        for (unsigned int i = 0; i < 16; i++)
            v->regs->gpr[i] = 0x5000 + i;
        if (a[2] & 1)
            v->regs->rax = (uint64_t)-ERESTART;
        v->regs->rip = 0x666000;
        return (long)v->regs->rax;
    }
    if (a[1] & 3) {
        a[1]--;
        a[2] += 0x10;
        return -ERESTART;
    }
    return results[a[3] % NR_RESULTS];
}

#define HANDLER(kind, nr, text)                                                                                        \
    static __attribute__((unused)) long kind##_##nr(struct vcpu *v, struct hypercall_args *a)                          \
    {                                                                                                                  \
        return handler(nr, text, v, a);                                                                                \
    }
#define HANDLERS(nr)                                                                                                   \
    HANDLER(pv64, nr, "64-bit guests") HANDLER(pv32, nr, "32-bit guests") HANDLER(hvm, nr, "HVM guests")
HANDLERS(0)
HANDLERS(1)
HANDLERS(12)
HANDLERS(17)
HANDLERS(23)
HANDLERS(25)
HANDLERS(34)
HANDLERS(63)
HANDLERS(64)

/* Some are for both kinds of guest, some for one of them, and some for neither. Number 64 is beyond the table's end. */
static struct hypercall_entry table[XEN_NR_HYPERCALLS + 1] = {
    [0] = { "0", { pv64_0, pv32_0, hvm_0, hvm_0 } },       [1] = { "1", { pv64_1, pv32_1, hvm_1, hvm_1 } },
    [12] = { "12", { pv64_12, NULL, hvm_12, hvm_12 } },    [17] = { "17", { NULL, pv32_17, hvm_17, hvm_17 } },
    [23] = { "23", { pv64_23, pv32_23, hvm_23, hvm_23 } }, [25] = { "25", { pv64_25, pv32_25, NULL, NULL } },
    [34] = { "34", { NULL, NULL, hvm_34, hvm_34 } },       [63] = { "63", { pv64_63, pv32_63, hvm_63, hvm_63 } },
    [64] = { "64", { pv64_64, pv32_64, hvm_64, hvm_64 } },
};

/* --- guests --- */

struct guest {
    struct vcpu *v;
    bool narrow;
    uint64_t list;      /* a place for one */
    uint64_t end;       /* where its memory ends, in the middle of nowhere */
    uint64_t read_only; /* a page of its memory that it may only read */
};

struct data {
    struct kit_scene *k;
    struct guest guest[2];
};

/* What is mapped is found by trying. */
static void guest_know(struct guest *g, struct vcpu *v, bool narrow)
{
    char byte;
    uint64_t page = v->regs->rsp & ~(PAGE_SIZE - 1);

    *g = (struct guest){ .v = v, .narrow = narrow, .list = v->regs->rsp - 2048 };
    for (g->end = page; !copy_from_guest(v, &byte, g->end, 1);)
        g->end += PAGE_SIZE;
    for (; !g->read_only; page -= PAGE_SIZE) {
        if (copy_from_guest(v, &byte, page, 1))
            kit_die("the guest has no page tables");
        if (copy_to_guest(v, page, &byte, 1))
            g->read_only = page;
    }
}

static void *begin(void)
{
    static struct data data;
    static struct xen_hooks audited;

    kit_setup("setup");
    data.k = kit_scene();
    guest_know(&data.guest[0], data.k->v, false);
    guest_know(&data.guest[1], kit_scene_guest(data.k, true), true);
    table[__HYPERVISOR_multicall] = hypercall_table[__HYPERVISOR_multicall];
    kit_fact("setup", "the guests are there");
    data.k->xen->hypercalls = table;
    hooks = data.k->xen->hooks;
    audited = *hooks;
    audited.audit_refs = audit_seen;
    data.k->xen->hooks = &audited;
    data.k->xen->audit = true; /* as xenlab run --audit has it */
    return &data;
}

static void end(void *data)
{
    struct kit_scene *k = ((struct data *)data)->k;

    kit_count("turns", nr_made);
    k->xen->audit = false;
    k->xen->hooks = hooks;
    k->xen->hypercalls = hypercall_table;
    kit_scene_end(k);
}

/* --- a call --- */

static uint64_t word(bool narrow)
{
    const uint64_t w = kit_random(4) ? kit_random(0x10000) : kit_random(UINT64_C(1) << 62);

    return narrow ? (uint32_t)w : w;
}

/* In 32-bit code the upper halves of registers are anything. */
static uint64_t dirty(const struct guest *g, uint64_t w)
{
    return g->narrow && kit_random(3) ? (uint32_t)w | kit_random(UINT64_C(1) << 31) << 32 : w;
}

static void registers_set(const struct guest *g, uint64_t nr, const uint64_t *a)
{
    struct cpu_state *r = g->v->regs;
    uint64_t *const args64[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };
    uint64_t *const args32[] = { &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp };

    for (unsigned int i = 0; i < 16; i++)
        if (i != 4)
            r->gpr[i] = 0x1110 * i;
    r->rax = nr;
    for (unsigned int i = 0; i < 6; i++)
        *(g->narrow ? args32 : args64)[i] = a[i];
    r->rip = AFTER;
}

/* Those of the registers that no argument is in, nor the result. */
static void registers_say(const struct guest *g, const uint64_t *before)
{
    static const char *const names[] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                         "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };
    const unsigned int mine = g->narrow ? 0xff10 : 0xf028; /* of 32-bit code also what it does not have */
    char text[200] = "none";
    int n = 0;

    for (unsigned int i = 0; i < 16; i++)
        if (mine >> i & 1 && g->v->regs->gpr[i] != before[i])
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", n ? ", " : "", names[i]);
    kit_fact("registers", "changed of those that are not for arguments: %s", text);
}

static void execute(const struct guest *g)
{
    nr_made++;
    if (g->narrow)
        compat_hypercall_guest(g->v);
    else
        hypercall_guest(g->v);
}

/* As the processor and the scheduler do: whoever is put back onto the instruction executes it again. How often. */
static unsigned int made(const struct guest *g, bool each)
{
    struct cpu_state *r = g->v->regs;
    unsigned int turns = 0;

    for (; turns < TURNS_MAX; turns++) {
        const uint64_t rax = r->rax;

        execute(g);
        if (r->rip != AFTER - 2)
            break;
        if (each)
            kit_fact(property, "RIP is put back by 2, RAX is %s", r->rax == rax ? "as it was" : "another");
        r->rip = AFTER;
    }
    return turns;
}

/* Which error the guest reads in a word, if it is one that you answer. */
static const char *error_of(const struct guest *g, uint64_t word)
{
    const int64_t error = g->narrow ? (int32_t)word : (int64_t)word;

    return error == -ENOSYS     ? " (-ENOSYS)"
           : error == -EFAULT   ? " (-EFAULT)"
           : error == -EINVAL   ? " (-EINVAL)"
           : error == -ERESTART ? " (-ERESTART)"
                                : "";
}

static void result_say(const struct guest *g)
{
    const uint64_t rip = g->v->regs->rip, rax = g->v->regs->rax;
    char place[40] = "";

    if (rip != AFTER)
        snprintf(place, sizeof(place), " at another place, %#" PRIx64, rip);
    kit_fact(property, "it goes on%s, RAX %#" PRIx64 "%s", place, rax, error_of(g, rax));
}

static const uint64_t numbers[] = { 0, 0, 1, 1, 12, 12, 17, 17, 23, 25, 34, 63, 2, 62, 64, 65, 4096, 0xffffffff };

static void single(const struct guest *g)
{
    uint64_t nr = numbers[kit_random(sizeof(numbers) / sizeof(numbers[0]))], a[6], before[16], count;
    const bool known = nr < XEN_NR_HYPERCALLS && table[nr].fn[g->narrow ? HYPERCALLS_PV32 : HYPERCALLS_PV64];
    uint64_t *const counter = nr < XEN_NR_HYPERCALLS ? &g->v->domain->xen->stats.hypercalls[nr] : NULL;
    unsigned int again;

    for (unsigned int i = 0; i < 6; i++)
        a[i] = dirty(g, word(g->narrow));
    again = kit_random(3) ? 0 : 1 + (unsigned int)kit_random(3);
    a[1] = (a[1] & ~UINT64_C(3)) | again;
    nr = g->narrow ? dirty(g, nr) : kit_random(8) ? nr : nr | UINT64_C(1) << (32 + kit_random(32));
    property = !known || (!g->narrow && nr >> 32) ? "number"
               : nr == __HYPERVISOR_iret          ? "iret"
               : again                            ? "restart"
               : g->narrow                        ? "width"
                                                  : "result";
    kit_step("%s %#" PRIx64 " of a %d-bit guest, arguments %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64
             " %#" PRIx64 " %#" PRIx64 "%s",
             g->narrow ? "INT 0x82, RAX" : "SYSCALL, RAX", nr, g->narrow ? 32 : 64, a[0], a[1], a[2], a[3], a[4], a[5],
             again && known ? ", preempted" : "");
    registers_set(g, nr, a);
    memcpy(before, g->v->regs->gpr, sizeof(before));
    count = counter ? *counter : 0;
    made(g, true);
    result_say(g);
    if (!known || nr % (UINT64_C(1) << 32) != __HYPERVISOR_iret)
        registers_say(g, before);
    if (known && counter)
        kit_fact("stats", "counted %" PRIu64 " times", *counter - count);
}

/* --- lists --- */

enum where { WHERE_GOOD, WHERE_NOWHERE, WHERE_HALF, WHERE_XEN, WHERE_READ_ONLY };
static const char *const where_names[] = { "in its memory", "where it has no memory",
                                           "whose second half is where it has no memory", "in Xen's addresses",
                                           "in a page that it may only read" };

struct list {
    uint64_t at, nr;
    enum where where;
    uint32_t op[ENTRIES_MAX];
    bool iret;         /* there is one */
    unsigned int done; /* entries that have results at the end */
    unsigned int wait; /* how often the guest is to have a turn in between, at least */
};

static void list_place(const struct guest *g, struct list *l, size_t size)
{
    l->where = kit_random(4) ? WHERE_GOOD : (enum where)kit_random(5);
    switch (l->where) {
    case WHERE_GOOD: l->at = g->list; break;
    case WHERE_NOWHERE: l->at = g->end; break;
    case WHERE_HALF: l->at = g->end - l->nr / 2 * size; break;
    case WHERE_XEN: l->at = g->narrow ? 0xf5800000 : UINT64_C(0xffff820000000000); break;
    default: l->at = g->read_only; break;
    }
}

/* One entry; text is what it is. */
static void entry_make(const struct guest *g, struct list *l, unsigned int i, char *text, size_t room)
{
    static const uint32_t ops[] = { 0, 1, 1, 0, 25, 63, 12, 17, 34, 99, 0x80000001, __HYPERVISOR_multicall };
    struct multicall_entry e = { .op = ops[kit_random(sizeof(ops) / sizeof(ops[0]))], .result = 0xaaaa };
    const bool known = e.op < 64 && e.op != __HYPERVISOR_multicall && table[e.op].fn[g->narrow];
    const uint64_t again = kit_random(5) ? 0 : 1 + kit_random(2);

    if (!kit_random(14))
        e.op = __HYPERVISOR_iret;
    for (unsigned int j = 0; j < 6; j++)
        e.args[j] = word(g->narrow);
    e.args[1] = (e.args[1] & ~UINT64_C(3)) | again;
    if (e.op != __HYPERVISOR_iret && !l->iret && known)
        l->wait += (unsigned int)again;
    if (!l->iret)
        l->done = i + (e.op != __HYPERVISOR_iret);
    l->iret |= e.op == __HYPERVISOR_iret;
    l->op[i] = (uint32_t)e.op;
    if (compat_to_guest(g->v, l->at + i * compat_size(g->v->domain, COMPAT_multicall_entry), &e,
                        COMPAT_multicall_entry))
        kit_die("the list cannot be written");
    snprintf(text, room, " %s%" PRIu64 "%s", i ? "" : "of ", (uint64_t)e.op, again && known ? " (preempted)" : "");
}

static void results_say(const struct guest *g, const struct list *l)
{
    const size_t size = compat_size(g->v->domain, COMPAT_multicall_entry);

    for (unsigned int i = 0; i < l->done; i++) {
        struct multicall_entry e;

        if (compat_from_guest(g->v, &e, l->at + i * size, COMPAT_multicall_entry))
            break;
        kit_fact(property, "entry %u: number %#lx, result %#lx%s", i, e.op, e.result, error_of(g, e.result));
    }
}

static void list(const struct guest *g)
{
    const size_t size = compat_size(g->v->domain, COMPAT_multicall_entry);
    struct list l = { .nr = kit_random(ENTRIES_MAX + 1) };
    uint64_t a[6], before[16];
    char text[160] = "";
    unsigned int turns, ahead = 0;
    bool nested = false;

    list_place(g, &l, size);
    for (unsigned int i = 0; l.where == WHERE_GOOD && i < l.nr; i++) {
        entry_make(g, &l, i, text + strlen(text), sizeof(text) - strlen(text));
        nested |= l.op[i] == __HYPERVISOR_multicall;
    }
    if (l.where == WHERE_HALF) {
        const struct multicall_entry e = { .op = 1, .args = { 7 } };

        for (unsigned int i = 0; i < l.nr / 2; i++)
            if (compat_to_guest(g->v, l.at + i * size, &e, COMPAT_multicall_entry))
                kit_die("the list cannot be written");
    }
    if (l.where == WHERE_GOOD && !kit_random(3)) {
        ahead = 1 + (unsigned int)kit_random(4);
        l.wait += l.nr > ahead && !l.iret;
    }
    property = l.where != WHERE_GOOD ? "pointer"
               : l.iret              ? "iret"
               : l.wait              ? "list-restart"
               : nested              ? "nested"
                                     : "list";
    for (unsigned int i = 0; i < 6; i++)
        a[i] = dirty(g, 0x700 + i);
    a[0] = dirty(g, l.at);
    a[1] = kit_random(3) ? l.nr : l.nr | kit_random(0x1000) << 32;
    kit_step("a multicall of a %d-bit guest, RAX %#x, %" PRIu64 " calls%s, %s%s", g->narrow ? 32 : 64,
             __HYPERVISOR_multicall, l.nr, text, where_names[l.where],
             ahead && l.wait ? "; somebody else's turn comes meanwhile" : "");
    registers_set(g, __HYPERVISOR_multicall, a);
    memcpy(before, g->v->regs->gpr, sizeof(before));
    g->v->preempt_count = ahead ? 513 - ahead : 0;
    turns = made(g, false);
    kit_fact(property, "the guest could be interrupted %s", turns >= l.wait ? "as often as it should" : "too seldom");
    result_say(g);
    if (l.where == WHERE_GOOD)
        results_say(g, &l);
    if (!l.iret)
        registers_say(g, before);

    property = "after";
    registers_set(g, __HYPERVISOR_multicall, (const uint64_t[]){ g->list, 0, 0, 0, 0, 0 });
    execute(g);
    kit_fact(property, "an empty list after that: RAX %#" PRIx64, g->v->regs->rax);
}

static void step(void *data, unsigned int number)
{
    const struct guest *g = &((struct data *)data)->guest[kit_random(2)];

    (void)number;
    g->v->in_multicall = false;
    g->v->preempt_count = 0;
    unaudited = false;
    nr_unaudited = 0;
    if (kit_random(5) < 3)
        single(g);
    else
        list(g);
    kit_fact("audit", "calls of handlers that hypercall_audit() did not follow: %u", nr_unaudited + unaudited);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
