// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each memory_op answers to whom: every command, by callers of three kinds, about every kind of domain.
 *
 * Concept: one row a command, one column a relation of caller and target, as Xen 4.17 has it in common/memory.c,
 * common/compat/memory.c, arch/x86/mm.c and arch/x86/x86_64/{,compat/}mm.c. Where the two layouts of arguments answer
 * differently the row has a second line for the 32-bit caller. For each cell the call is made in five ways: as it is,
 * with a pointer to nowhere, with one into the hypervisor's hole, and with small and with large continuation bits in
 * the command.
 *
 * Could pass wrongly if an answer came from an earlier check than the one that is meant; hence the argument of each row
 * is otherwise in order, and the second part walks through the orders of checks one fault at a time.
 *
 * Budget: two tables, and the arguments in two layouts.
 */
#include "fixture.h"

#include "mmu/memory/private.h"

enum shape {
    NOTHING,
    RESERVATION,
    EXCHANGE,
    DOMAIN,
    XATP,
    BATCH,
    XRFP,
    ACCESS,
    VNUMA,
    RDM,
    RESOURCE,
    POD,
    FMAP,
    MAP,
    MFNS,
    MAPPING
};

/* One call's arguments, whatever the layout. */
struct arg {
    domid_t domid;
    uint64_t list, nr, done;
    uint32_t order, order2, flags, type, id;
    uint16_t space, pad;
};

struct asker {
    struct fixture *f;
    domid_t id; /* 0 or 1 */
    bool compat;
};

#define PUT(type_, ...)                                                                                                \
    do {                                                                                                               \
        const type_ v_ = __VA_ARGS__;                                                                                  \
        memcpy((uint8_t *)buf + n, &v_, sizeof(v_));                                                                   \
        n += sizeof(v_);                                                                                               \
    } while (0)
#define WORD(x)                                                                                                        \
    do {                                                                                                               \
        if (compat)                                                                                                    \
            PUT(uint32_t, (uint32_t)(x));                                                                              \
        else                                                                                                           \
            PUT(uint64_t, x);                                                                                          \
    } while (0)
#define PAD(bytes) (n += compat ? 0 : (bytes)) /* in the 64-bit layout only */

static size_t put_reservation(void *buf, size_t n, bool compat, const struct arg *a, uint32_t order)
{
    WORD(a->list);
    WORD(a->nr);
    PUT(uint32_t, order);
    PUT(uint32_t, a->flags);
    PUT(uint16_t, a->domid);
    n += 2;
    PAD(4);
    return n;
}

/* The argument at buf (zeroed before), in the caller's layout. */
static void encode(void *buf, bool compat, enum shape shape, const struct arg *a)
{
    size_t n = 0;

    memset(buf, 0, 256);
    switch (shape) {
    case NOTHING:
    case MAPPING: break;
    case RESERVATION: put_reservation(buf, n, compat, a, a->order); break;
    case EXCHANGE:
        n = put_reservation(buf, n, compat, a, a->order);
        n = put_reservation(buf, n, compat, a, a->order2);
        WORD(a->done);
        break;
    case DOMAIN: PUT(uint16_t, a->domid); break;
    case XATP:
        PUT(uint16_t, a->domid);
        PUT(uint16_t, 1);
        PUT(uint32_t, a->space);
        break;
    case BATCH:
        PUT(uint16_t, a->domid);
        PUT(uint16_t, a->space);
        PUT(uint16_t, (uint16_t)a->nr);
        PUT(uint16_t, 0);
        WORD(a->list);
        WORD(a->list);
        WORD(a->list + 256);
        break;
    case XRFP: PUT(uint16_t, a->domid); break;
    case ACCESS:
        PUT(uint16_t, 0);
        PUT(uint16_t, a->domid);
        break;
    case VNUMA:
        PUT(uint16_t, a->domid);
        PUT(uint16_t, a->pad);
        break;
    case RDM:
        PUT(uint32_t, a->flags);
        PUT(uint32_t, (uint32_t)a->nr);
        WORD(a->list);
        break;
    case RESOURCE:
        PUT(uint16_t, a->domid);
        PUT(uint16_t, a->type);
        PUT(uint32_t, a->id);
        PUT(uint32_t, (uint32_t)a->nr);
        PUT(uint32_t, a->pad);
        PUT(uint64_t, a->done);
        WORD(a->list);
        break;
    case POD:
        n = 32;
        PUT(uint16_t, a->domid);
        break;
    case FMAP:
        PUT(uint16_t, a->domid);
        n += 2;
        PAD(4);
        /* fall through */
    case MAP:
    case MFNS:
        PUT(uint32_t, (uint32_t)a->nr);
        PAD(4);
        WORD(a->list);
        break;
    }
}

static uint64_t list_va(const struct asker *c) { return fix_args_va(c->f, c->id) + 2048; }
static uint64_t *list_host(const struct asker *c) { return (uint64_t *)((uint8_t *)fix_args(c->f, c->id) + 2048); }

static long call_at(const struct asker *c, uint64_t cmd, uint64_t va)
{
    struct vcpu *v = c->f->v[c->id];

    return fix_call(v, is_pv_32bit_domain(v->domain) ? compat_memory_op : do_memory_op, cmd, va, 0, 0);
}

static long call(const struct asker *c, uint64_t cmd, enum shape shape, const struct arg *a)
{
    encode(fix_args(c->f, c->id), c->compat, shape, a);
    return call_at(c, cmd, fix_args_va(c->f, c->id));
}

/* --- who asks about whom --- */

#define ANY_START 1000 /* continuation bits are accepted: nothing to be seen here */

struct row {
    const char *name;
    unsigned int cmd;
    enum shape shape;
    struct arg arg;
    bool compat; /* the row is for 32-bit callers, the one before it for 64-bit ones alone */
    /* A guest about itself, about another, about none; the same for dom0, where "another" is a guest */
    long self, other, none;
    long dom0_self, dom0_other, dom0_none;
    long fault, dom0_fault; /* a bad pointer */
    long start;             /* continuation bits */
};

/* clang-format off */
#define ONE .nr = 1
static const struct row rows[] = {
    /* name                          command                            shape        argument
                 a guest: self, other, none                     dom0: self, other, none                       bad pointer         continued */
    { "increase_reservation",        XENMEM_increase_reservation,       RESERVATION, { ONE }, false,
                 1, 0, 0,                                       1, 1, 0,                                      0, 0,               ANY_START },
    { "decrease_reservation",        XENMEM_decrease_reservation,       RESERVATION, { ONE }, false,
                 0, 0, 0,                                       0, 0, 0,                                      0, 0,               ANY_START },
    { "populate_physmap",            XENMEM_populate_physmap,           RESERVATION, { ONE }, false,
                 1, 0, 0,                                       1, 1, 0,                                      0, 0,               ANY_START },
    { "exchange",                    XENMEM_exchange,                   EXCHANGE,    { ONE }, false,
                 -EINVAL, -EPERM, -ESRCH,                       -EINVAL, -EINVAL, -ESRCH,                     -EFAULT, -EFAULT,   -EINVAL },
    { "exchange, all done",          XENMEM_exchange,                   EXCHANGE,    { ONE, .done = 1 }, false,
                 0, 0, 0,                                       0, 0, 0,                                      -EFAULT, -EFAULT,   -EINVAL },
    { "current_reservation",         XENMEM_current_reservation,        DOMAIN,      { 0 }, false,
                 FIX_FRAMES, -EPERM, -ESRCH,                    0, FIX_FRAMES, -ESRCH,                        -EFAULT, -EFAULT,   -EINVAL },
    { "maximum_reservation",         XENMEM_maximum_reservation,        DOMAIN,      { 0 }, false,
                 4 * FIX_FRAMES, -EPERM, -ESRCH,                UINT32_MAX, 4 * FIX_FRAMES, -ESRCH,                   -EFAULT, -EFAULT,   -EINVAL },
    { "maximum_gpfn",                XENMEM_maximum_gpfn,               DOMAIN,      { 0 }, false,
                 0, -EPERM, -ESRCH,                             0, 0, -ESRCH,                                 -EFAULT, -EFAULT,   -EINVAL },
    { "maximum_ram_page",            XENMEM_maximum_ram_page,           NOTHING,     { 0 }, false,
                 FIX_RAM, FIX_RAM, FIX_RAM,                     FIX_RAM, FIX_RAM, FIX_RAM,                    FIX_RAM, FIX_RAM,   -EINVAL },
    { "add_to_physmap",              XENMEM_add_to_physmap,             XATP,        { .space = XENMAPSPACE_shared_info }, false,
                 -EACCES, -EACCES, -ESRCH,                      -EACCES, -EACCES, -ESRCH,                     -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap, range",       XENMEM_add_to_physmap,             XATP,        { .space = XENMAPSPACE_gmfn_range }, false,
                 -EACCES, -EACCES, -ESRCH,                      -EACCES, -EACCES, -ESRCH,                     -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap, foreign",     XENMEM_add_to_physmap,             XATP,        { .space = XENMAPSPACE_gmfn_foreign }, false,
                 -ENOSYS, -ENOSYS, -ENOSYS,                     -ENOSYS, -ENOSYS, -ENOSYS,                    -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap, device",      XENMEM_add_to_physmap,             XATP,        { .space = XENMAPSPACE_dev_mmio }, false,
                 -EACCES, -EACCES, -ESRCH,                      -EACCES, -EACCES, -ESRCH,                     -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap_batch",        XENMEM_add_to_physmap_batch,       BATCH,       { ONE }, false,
                 -EACCES, -EACCES, -ESRCH,                      -EACCES, -EACCES, -ESRCH,                     -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap_batch, foreign", XENMEM_add_to_physmap_batch,     BATCH,       { ONE, .space = XENMAPSPACE_gmfn_foreign }, false,
                 -EACCES, -EACCES, -ESRCH,                      0, -EACCES, -ESRCH,                           -EFAULT, -EFAULT,   ANY_START },
    { "add_to_physmap_batch, range", XENMEM_add_to_physmap_batch,       BATCH,       { ONE, .space = XENMAPSPACE_gmfn_range }, false,
                 -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP,         -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP,        -EFAULT, -EFAULT,   ANY_START },
    { "remove_from_physmap",         XENMEM_remove_from_physmap,        XRFP,        { 0 }, false,
                 -EACCES, -EACCES, -ESRCH,                      -ENOENT, -EACCES, -ESRCH,                     -EFAULT, -EFAULT,   -EINVAL },
    { "access_op",                   XENMEM_access_op,                  ACCESS,      { 0 }, false,
                 -EPERM, -EINVAL, -ESRCH,                       -EPERM, -EINVAL, -ESRCH,                      -EFAULT, -EFAULT,   ANY_START },
    { "claim_pages",                 XENMEM_claim_pages,                RESERVATION, { .nr = FIX_FRAMES + 1 }, false,
                 -EPERM, -EPERM, -EINVAL,                       0, 0, -EINVAL,                                -EFAULT, -EFAULT,   -EINVAL },
    { "claim_pages",                 XENMEM_claim_pages,                RESERVATION, { .nr = FIX_FRAMES + 1 }, true,
                 -ENOSYS, -ENOSYS, -ENOSYS,                     0, 0, 0,                                      -ENOSYS, 0,         -ENOSYS },
    { "get_vnumainfo",               XENMEM_get_vnumainfo,              VNUMA,       { 0 }, false,
                 -EOPNOTSUPP, -EPERM, -ESRCH,                   -EOPNOTSUPP, -EOPNOTSUPP, -ESRCH,             -EFAULT, -EFAULT,   -EINVAL },
    { "reserved_device_memory_map",  XENMEM_reserved_device_memory_map, RDM,         { ONE }, false,
                 0, 0, 0,                                       0, 0, 0,                                      -EFAULT, -EFAULT,   -EINVAL },
    { "acquire_resource, grants",    XENMEM_acquire_resource,           RESOURCE,    { ONE, .type = XENMEM_resource_grant_table }, false,
                 -EPERM, -EPERM, -ESRCH,                        -EPERM, 0, -ESRCH,                            -EFAULT, -EFAULT,   ANY_START },
    { "acquire_resource, ioreq",     XENMEM_acquire_resource,           RESOURCE,    { ONE, .type = XENMEM_resource_ioreq_server }, false,
                 -EPERM, -EPERM, -ESRCH,                        -EPERM, -EINVAL, -ESRCH,                      -EFAULT, -EFAULT,   ANY_START },
    { "acquire_resource, vmtrace",   XENMEM_acquire_resource,           RESOURCE,    { ONE, .type = XENMEM_resource_vmtrace_buf }, false,
                 -EPERM, -EPERM, -ESRCH,                        -EPERM, -EINVAL, -ESRCH,                      -EFAULT, -EFAULT,   ANY_START },
    { "acquire_resource, unknown",   XENMEM_acquire_resource,           RESOURCE,    { ONE, .type = 99 }, false,
                 -EPERM, -EPERM, -ESRCH,                        -EPERM, -EOPNOTSUPP, -ESRCH,                  -EFAULT, -EFAULT,   ANY_START },
    { "set_memory_map",              XENMEM_set_memory_map,             FMAP,        { ONE }, false,
                 0, -EPERM, -ESRCH,                             0, 0, -ESRCH,                                 -EFAULT, -EFAULT,   -ENOSYS },
    { "memory_map",                  XENMEM_memory_map,                 MAP,         { ONE }, false,
                 -ENOSYS, -ENOSYS, -ENOSYS,                     -ENOSYS, -ENOSYS, -ENOSYS,                    -EFAULT, -EFAULT,   -ENOSYS },
    { "machine_memory_map",          XENMEM_machine_memory_map,         MAP,         { .nr = 4 }, false,
                 -EPERM, -EPERM, -EPERM,                        0, 0, 0,                                      -EPERM, -EFAULT,    -ENOSYS },
    { "machine_memory_map",          XENMEM_machine_memory_map,         MAP,         { .nr = 4 }, true,
                 -EPERM, -EPERM, -EPERM,                        0, 0, 0,                                      -EFAULT, -EFAULT,   -ENOSYS },
    { "machphys_mfn_list",           XENMEM_machphys_mfn_list,          MFNS,        { ONE }, false,
                 0, 0, 0,                                       0, 0, 0,                                      -EFAULT, -EFAULT,   -ENOSYS },
    { "machphys_compat_mfn_list",    XENMEM_machphys_compat_mfn_list,   MFNS,        { ONE }, false,
                 0, 0, 0,                                       0, 0, 0,                                      -EFAULT, -EFAULT,   -ENOSYS },
    { "machphys_mapping",            XENMEM_machphys_mapping,           MAPPING,     { 0 }, false,
                 0, 0, 0,                                       0, 0, 0,                                      -EFAULT, -EFAULT,   -ENOSYS },
    { "set_pod_target",              XENMEM_set_pod_target,             POD,         { 0 }, false,
                 -EINVAL, -EINVAL, -ESRCH,                      -EINVAL, -EINVAL, -ESRCH,                     -EFAULT, -EFAULT,   -ENOSYS },
    { "get_pod_target",              XENMEM_get_pod_target,             POD,         { 0 }, false,
                 -EINVAL, -EINVAL, -ESRCH,                      -EINVAL, -EINVAL, -ESRCH,                     -EFAULT, -EFAULT,   -ENOSYS },
    { "get_sharing_freed_pages",     XENMEM_get_sharing_freed_pages,    NOTHING,     { 0 }, false,
                 0, 0, 0,                                       0, 0, 0,                                      0, 0,               -ENOSYS },
    { "get_sharing_shared_pages",    XENMEM_get_sharing_shared_pages,   NOTHING,     { 0 }, false,
                 0, 0, 0,                                       0, 0, 0,                                      0, 0,               -ENOSYS },
    { "paging_op",                   XENMEM_paging_op,                  NOTHING,     { 0 }, false,
                 -ENOSYS, -ENOSYS, -ENOSYS,                     -ENOSYS, -ENOSYS, -ENOSYS,                    -ENOSYS, -ENOSYS,   -ENOSYS },
    { "sharing_op",                  XENMEM_sharing_op,                 NOTHING,     { 0 }, false,
                 -ENOSYS, -ENOSYS, -ENOSYS,                     -ENOSYS, -ENOSYS, -ENOSYS,                    -ENOSYS, -ENOSYS,   -ENOSYS },
};
/* clang-format on */

/* Numbers that are no domain's, or none that a guest can name. */
static const domid_t nobody[] = {
    77, 0x7fef, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, DOMID_IDLE, 0x8000, 0xffff
};

static unsigned int nr_calls;

static void expect(const struct row *r, const struct asker *c, const char *how, domid_t domid, long got, long want)
{
    nr_calls++;
    if (got != want)
        fail_msg("%s by %s%s about %#x: %ld, not %ld", r->name, c->id ? c->compat ? "PV32" : "PV64" : "dom0", how,
                 domid, got, want);
}

/* What one caller is told about one domain, in all ways of asking. */
static void ask(const struct row *r, const struct asker *c, domid_t domid, long want)
{
    const long fault = c->id ? r->fault : r->dom0_fault;
    struct arg a = r->arg;

    a.domid = domid;
    a.list = r->cmd == XENMEM_claim_pages ? 0 : list_va(c);
    memset(list_host(c), 0, 1024);
    expect(r, c, "", domid, call(c, r->cmd, r->shape, &a), want);
    if (r->cmd == XENMEM_claim_pages && !want) { /* one at a time */
        a.nr = 0;
        assert_int_equal(call(c, r->cmd, r->shape, &a), 0);
    }
    expect(r, c, ", pointer to nowhere", domid, call_at(c, r->cmd, c->id ? 0x1000 : 0), fault);
    if (c->id)
        expect(r, c, ", pointer into the hole", domid,
               call_at(c, r->cmd, c->compat ? 0xf5900000 : MACH2PHYS_VIRT_START), fault);
    if (r->start == ANY_START)
        return;
    a.nr = r->arg.nr;
    expect(r, c, ", continued", domid, call(c, r->cmd | 1 << MEMOP_EXTENT_SHIFT, r->shape, &a), r->start);
    expect(r, c, ", continued far", domid, call(c, r->cmd | 0x20000 << MEMOP_EXTENT_SHIFT, r->shape, &a), r->start);
}

static void ask_all(const struct row *r, const struct asker *c)
{
    const domid_t other = c->id ? 2 : 1;
    const bool remote = r->shape == RESOURCE || r->shape == ACCESS, by_id = r->cmd == XENMEM_claim_pages;
    const long none = c->id ? r->none : r->dom0_none;

    /* Commands about another domain do not know DOMID_SELF; a claim must name its domain. */
    ask(r, c, DOMID_SELF, remote || by_id ? none : c->id ? r->self : r->dom0_self);
    ask(r, c, c->id, c->id ? r->self : r->dom0_self);
    ask(r, c, other, c->id ? r->other : r->dom0_other);
    for (unsigned int i = 0; i < ARRAY_SIZE(nobody); i++)
        ask(r, c, nobody[i], none);
    if (c->id) /* not even dom0 */
        ask(r, c, 0, r->other);
}

static void each_row(bool pv32)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        const bool superseded = i + 1 < ARRAY_SIZE(rows) && rows[i + 1].compat;
        struct fixture f;

        if (pv32 ? superseded : rows[i].compat)
            continue;
        fix_open(&f, pv32);
        ask_all(&rows[i], &(struct asker){ &f, 1, pv32 });
        if (!pv32)
            ask_all(&rows[i], &(struct asker){ &f, 0, false });
        fix_audit(&f);
        while (page_list_first(f.xen, &f.d[0]->page_list)) /* what dom0 was given */
            put_page_alloc_ref(f.xen, page_list_first(f.xen, &f.d[0]->page_list));
        xfree(f.d[0]->e820);
        f.d[0]->e820 = NULL;
        fix_close(&f);
    }
}

static void who_asks_about_whom(void **state)
{
    nr_calls = 0;
    each_row(false);
    each_row(true);
    print_message("%u calls\n", nr_calls);
}

/* Every number that a command can have is in the table, or is none. */
static void every_command(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    for (unsigned int cmd = 0; cmd <= MEMOP_CMD_MASK; cmd++) {
        const struct asker c = { &f, 1, false };
        bool known = false;

        for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
            known |= rows[i].cmd == cmd;
        if (!known)
            assert_int_equal(call(&c, cmd, NOTHING, &(struct arg){ 0 }), -ENOSYS);
    }
    fix_close(&f);
}

/* --- in which order, and at the edges --- */

enum who { PV64 = 1, PV32 = 2, PV = PV64 | PV32, DOM0 = 4, ALL = PV | DOM0 };

struct edge {
    const char *name;
    unsigned int who, cmd;
    enum shape shape;
    bool hole; /* the list is in the hypervisor's hole */
    struct arg arg;
    long want;
};

#define EXACT(n)  XENMEMF_exact_node(n)
#define RESOURCE_ .type = XENMEM_resource_grant_table

/* clang-format off */
static const struct edge edges[] = {
    /* exchange: order, sizes, all done, lists, node, domain, permission, frames */
    { "order, with all the rest",         PV64, XENMEM_exchange, EXCHANGE, true,  { .nr = 3, .order = 10, .done = 4, .flags = EXACT(0), .domid = 77 }, -EPERM },
    { "sizes before order",               PV32, XENMEM_exchange, EXCHANGE, true,  { .nr = 3, .order = 10, .done = 4, .flags = EXACT(0), .domid = 77 }, -EINVAL },
    { "order alone",                      PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 1, .order = 10, .order2 = 10, .domid = DOMID_SELF }, -EPERM },
    { "order that no shift can have",     PV64, XENMEM_exchange, EXCHANGE, false, { .nr = 1, .order = 200, .order2 = 200, .domid = DOMID_SELF }, -EPERM },
    { "order that no shift can have",     PV32, XENMEM_exchange, EXCHANGE, false, { .nr = 1, .order = 200, .order2 = 200, .domid = DOMID_SELF }, -EINVAL },
    { "sizes that differ",                PV,   XENMEM_exchange, EXCHANGE, true,  { .nr = 2, .order = 1, .flags = EXACT(0), .domid = 77 }, -EINVAL },
    { "more done than there is",          PV,   XENMEM_exchange, EXCHANGE, true,  { .nr = 2, .done = 3, .domid = 77 }, -EINVAL },
    { "all done, whatever else",          PV,   XENMEM_exchange, EXCHANGE, true,  { .nr = 2, .done = 2, .flags = EXACT(0), .domid = 77 }, 0 },
    { "nothing to do, whatever else",     PV,   XENMEM_exchange, EXCHANGE, true,  { .nr = 0, .flags = EXACT(0), .domid = 77 }, 0 },
    { "lists",                            PV,   XENMEM_exchange, EXCHANGE, true,  { .nr = 2, .flags = EXACT(0), .domid = 77 }, -EFAULT },
    { "node",                             PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 2, .flags = EXACT(0), .domid = 77 }, -EINVAL },
    { "node without insisting",           PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 2, .flags = XENMEMF_node(200), .domid = 77 }, -ESRCH },
    { "node beyond all",                  DOM0, XENMEM_exchange, EXCHANGE, false, { .nr = 2, .flags = XENMEMF_node(64), .domid = 77 }, -EINVAL },
    { "domain",                           PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 2, .domid = 77 }, -ESRCH },
    { "permission",                       PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 2, .domid = 2 }, -EPERM },
    { "frame",                            PV,   XENMEM_exchange, EXCHANGE, false, { .nr = 2, .domid = DOMID_SELF }, -EINVAL },

    { "batch: lists are not looked at",   PV64, XENMEM_add_to_physmap_batch, BATCH, true,  { .nr = 2, .domid = DOMID_SELF }, -EACCES },
    { "batch: lists are translated",      PV32, XENMEM_add_to_physmap_batch, BATCH, true,  { .nr = 2, .domid = 77 }, -EFAULT },
    { "batch: none",                      PV,   XENMEM_add_to_physmap_batch, BATCH, false, { .nr = 0, .domid = DOMID_SELF }, -EACCES },
    { "batch: too far",                   ALL,  XENMEM_add_to_physmap_batch | 0x10000 << MEMOP_EXTENT_SHIFT, BATCH, false, { .nr = 1, .domid = 77 }, -EDOM },
    { "physmap: too far",                 ALL,  XENMEM_add_to_physmap | 0x10000 << MEMOP_EXTENT_SHIFT, XATP, false, { .domid = 77 }, -EDOM },
    { "physmap: not too far",             ALL,  XENMEM_add_to_physmap | 0xffff << MEMOP_EXTENT_SHIFT, XATP, false, { .domid = DOMID_SELF }, -EACCES },

    { "resource: padding",                DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1, .pad = 1, .domid = 77 }, -EINVAL },
    { "resource: frame too far",          DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1, .done = UINT64_C(1) << 32, .domid = 77 }, -EINVAL },
    { "resource: end too far",            DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1, .done = UINT32_MAX, .domid = 77 }, -EINVAL },
    { "resource: none",                   DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 0, .domid = 1 }, -EINVAL },
    { "resource: of an unknown id",       DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1, .id = 2, .domid = 1 }, -EINVAL },
    { "resource: beyond its end",         DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1, .done = 4, .domid = 1 }, -EINVAL },
    { "resource: all of it",              DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 4, .domid = 1 }, 0 },
    { "resource: already done",           DOM0, XENMEM_acquire_resource | 4 << MEMOP_EXTENT_SHIFT, RESOURCE, false, { RESOURCE_, .nr = 4, .domid = 1 }, -EINVAL },
    { "resource: too many to continue",   DOM0, XENMEM_acquire_resource, RESOURCE, false, { RESOURCE_, .nr = 1 << 26, .domid = 1 }, -EINVAL },

    { "vnuma: padding",                   ALL,  XENMEM_get_vnumainfo, VNUMA, false, { .pad = 1, .domid = 77 }, -EINVAL },
    { "reserved memory: list, flags",     PV, XENMEM_reserved_device_memory_map, RDM, true,  { .nr = 1, .flags = 2 }, -EFAULT },
    { "reserved memory: flags",           ALL,  XENMEM_reserved_device_memory_map, RDM, false, { .nr = 1, .flags = 2 }, -EINVAL },
    { "machine's map: too little room",   DOM0, XENMEM_machine_memory_map, MAP, false, { .nr = 3 }, -EINVAL },
    { "set_memory_map: too many",         ALL,  XENMEM_set_memory_map, FMAP, true,  { .nr = E820_MAX + 1, .domid = 77 }, -EINVAL },
    { "set_memory_map: domain",           ALL,  XENMEM_set_memory_map, FMAP, true,  { .nr = E820_MAX, .domid = 77 }, -ESRCH },
    { "set_memory_map: list",             PV,   XENMEM_set_memory_map, FMAP, true,  { .nr = 1, .domid = DOMID_SELF }, -EFAULT },
    { "claim: order",                     DOM0, XENMEM_claim_pages, RESERVATION, false, { .order = 1, .domid = 77 }, -EINVAL },

    { "populate on demand, by oneself",   PV,   XENMEM_populate_physmap, RESERVATION, false, { .nr = 1, .flags = XENMEMF_populate_on_demand, .domid = DOMID_SELF }, 0 },
    { "populate on demand, by itself",    DOM0, XENMEM_populate_physmap, RESERVATION, false, { .nr = 1, .flags = XENMEMF_populate_on_demand, .domid = DOMID_SELF }, 0 },
    { "populate on demand, for a guest",  DOM0, XENMEM_populate_physmap, RESERVATION, false, { .nr = 3, .flags = XENMEMF_populate_on_demand, .domid = 1 }, 3 },
    { "populate on demand, large",        DOM0, XENMEM_populate_physmap, RESERVATION, false, { .nr = 1, .order = MAX_ORDER, .flags = XENMEMF_populate_on_demand, .domid = 1 }, 1 },
    { "populate on demand, too large",    DOM0, XENMEM_populate_physmap, RESERVATION, false, { .nr = 1, .order = MAX_ORDER + 1, .flags = XENMEMF_populate_on_demand, .domid = 1 }, 0 },
    { "increase: too large",              PV,   XENMEM_increase_reservation, RESERVATION, false, { .nr = 1, .order = 10, .domid = DOMID_SELF }, 0 },
    { "increase: no shift",               PV,   XENMEM_increase_reservation, RESERVATION, false, { .nr = 1, .order = 200, .domid = DOMID_SELF }, 0 },
    { "increase: none",                   PV,   XENMEM_increase_reservation, RESERVATION, false, { .nr = 0, .domid = DOMID_SELF }, 0 },
    { "increase: too many to continue",   PV,   XENMEM_increase_reservation, RESERVATION, false, { .nr = 1 << 26, .domid = DOMID_SELF }, 0 },
    { "increase: all done",               PV,   XENMEM_increase_reservation | 5 << MEMOP_EXTENT_SHIFT, RESERVATION, false, { .nr = 5, .domid = DOMID_SELF }, 5 },
    { "increase: more than done",         PV,   XENMEM_increase_reservation | 7 << MEMOP_EXTENT_SHIFT, RESERVATION, false, { .nr = 5, .domid = 77 }, 7 },
    { "increase: list",                   PV,   XENMEM_increase_reservation, RESERVATION, true,  { .nr = 1, .domid = DOMID_SELF }, 0 },
    { "populate: list",                   PV,   XENMEM_populate_physmap, RESERVATION, true,  { .nr = 1, .domid = DOMID_SELF }, 0 },
};
/* clang-format on */

static void edges_of(enum who who, bool pv32)
{
    struct asker c = { .id = who == DOM0 ? 0 : 1, .compat = pv32 };
    struct fixture f;

    c.f = &f;
    fix_open(&f, pv32);
    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        const struct edge *e = &edges[i];
        struct arg a = e->arg;
        const uint64_t tot_pages = f.d[1]->tot_pages;
        long got;

        if (!(e->who & who))
            continue;
        memset(list_host(&c), 0x5a, 1024);
        a.list = e->cmd == XENMEM_claim_pages ? 0 : !e->hole ? list_va(&c) : pv32 ? 0xf5900000 : MACH2PHYS_VIRT_START;
        got = call(&c, e->cmd, e->shape, &a);
        if (got != e->want)
            fail_msg("%s, by %d: %ld, not %ld", e->name, who, got, e->want);
        assert_int_equal(f.d[1]->tot_pages, tot_pages);
        if (e->shape == BATCH)
            assert_int_equal(list_host(&c)[32], UINT64_C(0x5a5a5a5a5a5a5a5a)); /* errs */
    }
    fix_close(&f);
}

static void in_order(void **state)
{
    edges_of(PV64, false);
    edges_of(PV32, true);
    edges_of(DOM0, false);
}

static long reserve(const struct asker *c, unsigned int cmd, uint32_t flags, uint64_t frame)
{
    const struct arg a = { .domid = 1, .list = list_va(c), .nr = 1, .flags = flags };

    *list_host(c) = frame;
    return call(c, cmd, RESERVATION, &a);
}

/* A frame of the domain that nothing refers to, made and taken away again. */
static uint64_t loose_frame(struct fixture *f)
{
    struct page_info *pg = alloc_domheap_pages(f->xen, f->d[1], 0, 0);

    assert_non_null(pg);
    return mfn_x(page_to_mfn(f->xen, pg));
}

static void give_back(struct fixture *f, uint64_t frame)
{
    put_page_alloc_ref(f->xen, mfn_to_page(f->xen, _mfn(frame)));
}

/* Every value of the address bits: 12 and less is refused, as much as the machine has or more is no limit. */
static void address_bits(void **state)
{
    const unsigned int machine = PAGE_SHIFT + (unsigned int)__builtin_ctz(FIX_RAM);
    struct fixture f;
    const struct asker c = { &f, 1, false };

    fix_open(&f, false);
    for (unsigned int bits = 0; bits < 256; bits++) {
        const bool refused = bits && bits <= PAGE_SHIFT, no_limit = !bits || bits >= machine;
        const struct arg a = { .domid = 1, .list = list_va(&c), .nr = 1, .flags = bits };
        const unsigned int cmds[] = { XENMEM_increase_reservation, XENMEM_populate_physmap };
        uint64_t frame;
        long rc;

        for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
            rc = reserve(&c, cmds[i], bits, 5);
            assert_true(refused ? rc == 0 : no_limit ? rc == 1 : rc == 0 || rc == 1);
            if (rc == 1) {
                assert_true(no_limit || *list_host(&c) < UINT64_C(1) << (bits - PAGE_SHIFT));
                give_back(&f, *list_host(&c));
            }
        }
        frame = loose_frame(&f);
        assert_int_equal(reserve(&c, XENMEM_decrease_reservation, bits, frame), !refused);
        if (refused)
            give_back(&f, frame);
        *list_host(&c) = loose_frame(&f);
        rc = call(&c, XENMEM_exchange, EXCHANGE, &a);
        assert_true(refused ? rc == -ENOMEM : no_limit ? rc == 0 : rc == 0 || rc == -ENOMEM);
        give_back(&f, *list_host(&c));
        assert_int_equal(f.d[1]->tot_pages, FIX_FRAMES);
    }
    fix_close(&f);
}

/* Every node, wished for or insisted on, by who may and who may not choose. The machine has node 0. */
static void nodes(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    for (unsigned int i = 0; i < 256 * 4 * 2; i++) {
        const struct asker c = { &f, i & 1, false };
        const unsigned int node = i >> 3;
        const bool exact = i & 2, vnode = i & 4, none = node == XENMEMF_get_node(0);
        const uint32_t flags = (uint32_t)(XENMEMF_node(node) & 0xff00) | (exact ? XENMEMF_exact_node_request : 0) |
                               (vnode ? XENMEMF_vnode : 0);
        const bool refused = !none && (c.id ? exact : node >= 64), elsewhere = !none && !c.id && exact && node != 0;
        const struct arg a = { .domid = 1, .list = list_va(&c), .nr = 1, .flags = flags };
        long rc = reserve(&c, XENMEM_increase_reservation, flags, 5);

        assert_int_equal(rc, vnode || (!refused && !elsewhere));
        if (rc == 1)
            give_back(&f, *list_host(&c));
        *list_host(&c) = loose_frame(&f);
        rc = call(&c, XENMEM_exchange, EXCHANGE, &a);
        assert_int_equal(rc, refused ? -EINVAL : elsewhere ? -ENOMEM : 0);
        give_back(&f, *list_host(&c));
    }
    fix_close(&f);
}

/* Counts that a 32-bit caller would take for errors. */
static void counts_of_32_bits(void **state)
{
    static const uint64_t limits[] = { 0, 1, INT32_MAX, INT32_MAX + UINT64_C(1), UINT32_MAX };

    for (unsigned int pv32 = 0; pv32 < 2; pv32++) {
        struct fixture f;
        const struct asker c = { &f, 1, pv32 };
        const struct arg a = { .domid = DOMID_SELF };

        fix_open(&f, pv32);
        for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
            f.d[1]->max_pages = limits[i];
            assert_int_equal(call(&c, XENMEM_maximum_reservation, DOMAIN, &a),
                             pv32 && limits[i] > INT32_MAX ? INT32_MAX : limits[i]);
        }
        fix_close(&f);
    }
}

/* A pin is a reference like any other: who gives a pinned table up has a table still. */
static void pinned_frame_given_up(void **state)
{
    struct page_info *pg;
    struct fixture f;
    const struct asker c = { &f, 1, false };

    fix_open(&f, false);
    pg = fix_page(&f, 1, FIX_FREE);
    fix_readonly(&f, 1, FIX_FREE, true);
    assert_int_equal(fix_pin(&f, 1, 1, FIX_FREE), 0);
    for (int i = 0; i < 2; i++) { /* twice: Xen does not say that it was given up before */
        assert_int_equal(reserve(&c, XENMEM_decrease_reservation, 0, mfn_x(f.frame[1][FIX_FREE])), 1);
        assert_true((pg->type_info & (PGT_pinned | PGT_validated)) && pg->owner == f.d[1]);
        assert_int_equal(pg->type_info & PGT_type_mask, PGT_l1_page_table);
        assert_int_equal(f.d[1]->tot_pages, FIX_FRAMES);
        fix_audit(&f);
    }
    assert_int_not_equal(fix_set(&f, 1, 3, 100, fix_pte(&f, 1, FIX_FREE, PTE_RW)), 0);
    assert_int_equal(fix_unpin(&f, 1, FIX_FREE), 0);
    assert_ptr_equal(pg->owner, f.d[1]); /* it is mapped */
    assert_int_equal(fix_set(&f, 1, 3, FIX_FREE, 0), 0);
    assert_null(pg->owner);
    assert_int_equal(f.d[1]->tot_pages, FIX_FRAMES - 1);
    fix_audit(&f);

    /* or until the domain dies */
    fix_readonly(&f, 1, FIX_FREE + 1, true);
    assert_int_equal(fix_pin(&f, 1, 1, FIX_FREE + 1), 0);
    assert_int_equal(reserve(&c, XENMEM_decrease_reservation, 0, mfn_x(f.frame[1][FIX_FREE + 1])), 1);
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_about_whom),   cmocka_unit_test(every_command), cmocka_unit_test(in_order),
        cmocka_unit_test(address_bits),          cmocka_unit_test(nodes),         cmocka_unit_test(counts_of_32_bits),
        cmocka_unit_test(pinned_frame_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
