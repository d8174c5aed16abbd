// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain and its device model in dom0: accesses go out as requests, answers come back, the guest's registers and
 * memory are what they should be. The device is a made-up one beside the PC's: it remembers what it is told.
 */
#include "rings/dm/direct.h"
#include "rings/dm/dm.h"
#include "tests/vcpu/hvm.h"

#define IOREQ_GFN (HVM_PAGES - 8) /* frames put aside for requests */

struct probe {
    struct dm_region ports, memory;
    unsigned int writes;
    uint64_t last;
    char text[64];
    size_t len;
    uint32_t count;
};

static uint64_t probe_read(void *dev, uint64_t offset, unsigned int size)
{
    struct probe *p = dev;

    return 0x1111111111111111 * (offset + 1) + p->count++;
}

static void probe_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct probe *p = dev;

    p->writes++;
    p->last = val;
    for (unsigned int i = 0; i < size && p->len < sizeof(p->text) - 1; i++)
        p->text[p->len++] = (char)(val >> 8 * i);
}

static const struct dm_region_ops probe_ops = { probe_read, probe_write };

struct serial {
    char text[256];
    size_t len;
};

static void serial_out(void *data, char c)
{
    struct serial *s = data;

    if (s->len < sizeof(s->text) - 1)
        s->text[s->len++] = c;
}

static struct serial serial;
static struct probe probe;
static struct dm *dm;
static struct dm_direct *direct;

static void param(struct fixture *f, uint32_t index, uint64_t value)
{
    assert_int_equal(xc_hvm_param_set(f->xc, f->d->domain_id, index, value), 0);
}

static const struct pc_config cfg = { .outside = { &serial, serial_out, NULL, NULL } };

static void probe_begin(struct pc *pc)
{
    dm_region_init(&probe.ports, &probe_ops, &probe, DM_PORT, 0x500, 8);
    dm_region_init(&probe.memory, &probe_ops, &probe, DM_MEMORY, 0xa0000, 0x1000);
    pc->board->ops->region(pc->board, &probe.ports);
    pc->board->ops->region(pc->board, &probe.memory);
}

static void setup_dm(struct fixture *f)
{
    int rc;

    dm = dm_create(f->dom0, f->d->domain_id, &cfg, &rc);
    assert_int_equal(rc, 0);
    probe_begin(dm_pc(dm));
}

/* The device model is a task, or (in_xen) the hypervisor itself. */
static int setup_of(void **state, bool in_xen)
{
    struct fixture *f;
    int rc = 0;

    if (hvm_setup(state))
        return -1;
    f = *state;
    serial = (struct serial){ 0 };
    probe = (struct probe){ 0 };
    param(f, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_GFN);
    param(f, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4);
    assert_int_equal(native_timers_start(f->dom0), 0);
    dm = NULL;
    if (!in_xen) {
        setup_dm(f);
        return 0;
    }
    direct = dm_direct_create(f->d, &cfg, &rc);
    assert_int_equal(rc, 0);
    probe_begin(dm_direct_pc(direct));
    return 0;
}

static int setup(void **state) { return setup_of(state, false); }
static int setup_direct(void **state) { return setup_of(state, true); }

static int teardown(void **state)
{
    fix_audit(*state); /* of a server's pages, too */
    dm_direct_destroy(direct);
    direct = NULL;
    dm_destroy(dm);
    return fix_teardown(state);
}

/* The pages of requests are nowhere in the guest while the server is there. */
static void test_pages(void **state)
{
    struct fixture *f = *state;
    p2m_type_t t;

    p2m_get_entry(f->d, IOREQ_GFN, &t);
    assert_int_equal(t, p2m_mmio_dm);
    p2m_get_entry(f->d, IOREQ_GFN + 1, &t);
    assert_int_equal(t, p2m_mmio_dm);
    p2m_get_entry(f->d, IOREQ_GFN + 2, &t);
    assert_int_equal(t, p2m_ram_rw);
    dm_destroy(dm);
    dm = NULL;
    p2m_get_entry(f->d, IOREQ_GFN, &t);
    assert_int_equal(t, p2m_ram_rw);
}

static void test_out_in(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\xb8\x78\x56\x34\x12" /* mov $0x12345678, %eax */
               "\x66\xba\x00\x05\xef" /* mov $0x500, %dx; out %eax, %dx */
               "\x66\xba\x03\x05\xed" /* mov $0x503, %dx; in %dx, %eax */
               "\x89\xc3\xfa\xf4");   /* mov %eax, %ebx; cli; hlt */
    assert_true(f->d->is_shut_down);
    assert_int_equal(probe.writes, 1);
    assert_int_equal(probe.last, 0x12345678);
    assert_int_equal(f->v->regs->rbx, 0x44444444);
}

/* rep outsb over the end of a page; rep insb with DF. */
static void test_strings(void **state)
{
    struct fixture *f = *state;
    p2m_type_t t;
    const uint8_t *page;

    hvm_put(f, 0x2ff8, "many wor", 8);
    hvm_put(f, 0x3000, "ds here", 7);
    HVM_RUN(f, "\xbe\xf8\x2f\x00\x00\xb9\x0f\x00\x00\x00\x66\xba\x00\x05\xf3\x6e" /* esi, ecx 15, dx; rep outsb */
               "\xfd\xbf\x03\x40\x00\x00\xb9\x06\x00\x00\x00\xf3\x6c"             /* std; edi 0x4003; ecx 6; rep insb */
               "\xfa\xf4");
    assert_true(f->d->is_shut_down);
    assert_string_equal(probe.text, "many words here");
    assert_int_equal(f->v->regs->rcx, 0);
    assert_int_equal(f->v->regs->rsi, 0x3007);
    assert_int_equal(f->v->regs->rdi, 0x3ffd);
    page = mfn_to_virt(f->m, p2m_get_entry(f->d, 4, &t));
    assert_memory_equal(page, "\x14\x13\x12\x11", 4); /* downwards */
    page = mfn_to_virt(f->m, p2m_get_entry(f->d, 3, &t));
    assert_memory_equal(page + 0xffe, "\x16\x15", 2);
}

/* Writes to the old graphics memory are not waited for, and yet come before a later read. */
static void test_buffered(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\xc7\x05\x10\x00\x0a\x00\x41\x42\x43\x44" /* movl $0x44434241, 0xa0010 */
               "\xc6\x05\x14\x00\x0a\x00\x45"             /* movb $0x45, 0xa0014 */
               "\xa1\x01\x00\x0a\x00\x89\xc3\xfa\xf4");   /* mov 0xa0001, %eax; mov %eax, %ebx; cli; hlt */
    assert_true(f->d->is_shut_down);
    assert_string_equal(probe.text, "ABCDE");
    assert_int_equal(f->v->regs->rbx, 0x22222222);
    assert_int_equal(f->d->hvm->ioreq_server[0]->buffered, 2);
    assert_int_equal(f->d->hvm->ioreq_server[0]->requests, 1);
}

/* Eight bytes take two places of the ring; what no longer fits into it is waited for. */
static void test_buffered_wide(void **state)
{
    struct fixture *f = *state;
    buffered_iopage_t *ring = f->d->hvm->ioreq_server[0]->bufioreq.va;
    const char word[] = "\x0f\x6f\x05\x00\x20\x00\x00" /* movq 0x2000, %mm0 */
                        "\x0f\x7f\x05\x18\x00\x0a\x00" /* movq %mm0, 0xa0018 */
                        "\xc6\x05\x14\x00\x0a\x00\x45" /* movb $0x45, 0xa0014 */
                        "\xfa\xf4";

    f->v->regs->cr4 |= X86_CR4_OSFXSR;
    f->v->regs->dirty = CPU_DIRTY_ALL;
    hvm_put(f, 0x2000, "8 bytes!", 8);
    ring->read_pointer = ring->write_pointer = IOREQ_BUFFER_SLOT_NUM - 1; /* and the ring has no end */
    HVM_RUN(f, word);
    assert_true(f->d->is_shut_down);
    assert_string_equal(probe.text, "8 bytes!E");
    assert_int_equal(ring->write_pointer, IOREQ_BUFFER_SLOT_NUM + 2);
    assert_int_equal(f->d->hvm->ioreq_server[0]->buffered, 2);
    assert_int_equal(f->d->hvm->ioreq_server[0]->requests, 0);
}

/* One place is left: it is used; then none is. */
static void test_buffered_full(void **state)
{
    struct fixture *f = *state;
    buffered_iopage_t *ring = f->d->hvm->ioreq_server[0]->bufioreq.va;
    const struct ioreq_server *s = f->d->hvm->ioreq_server[0];

    for (uint32_t i = 0; i < IOREQ_BUFFER_SLOT_NUM; i++)
        ring->buf_ioreq[i] = (buf_ioreq_t){ .type = IOREQ_TYPE_COPY, .addr = 0xb8000, .data = i };
    ring->write_pointer = IOREQ_BUFFER_SLOT_NUM - 1;
    HVM_RUN(f, "\xc6\x05\x14\x00\x0a\x00\x45" /* movb $0x45, 0xa0014 */
               "\xc6\x05\x14\x00\x0a\x00\x46\xfa\xf4");
    assert_true(f->d->is_shut_down);
    assert_string_equal(probe.text, "EF");
    assert_int_equal(s->buffered + s->requests, 2);
    assert_in_range(s->buffered, 1, 2); /* as far as the device model has come by then */
}

/* It is not the domain's first server. */
static void test_second_server(void **state)
{
    struct fixture *f = *state;
    ioservid_t id;

    dm_destroy(dm);
    assert_int_equal(ioreq_server_create(f->d, f->xen->dom0, HVM_IOREQSRV_BUFIOREQ_OFF, &id), 0);
    setup_dm(f);
    assert_non_null(f->d->hvm->ioreq_server[1]);
    test_out_in(state);
    assert_int_equal(f->d->hvm->ioreq_server[1]->requests, 2);
}

/* Lines of its devices are the interrupt controllers', as last pulled; memory is written where it should be. */
static void test_lines(void **state)
{
    struct fixture *f = *state;
    struct dm_board *b = dm_pc(dm)->board;
    struct hvm_irq *irq = &f->d->hvm->irq;
    uint8_t text[6000], back[6000];

    for (unsigned int i = 0; i < 2; i++) {
        b->ops->isa_irq(b, 5, true);
        b->ops->pci_intx(b, 30, 2, true);
        assert_true(irq->isa_irq >> 5 & 1);
        assert_int_not_equal(irq->pci_intx[(30 * 4 + 2) / 64] >> (30 * 4 + 2) % 64 & 1, 0);
    }
    for (unsigned int i = 0; i < 2; i++) {
        b->ops->isa_irq(b, 5, false);
        b->ops->pci_intx(b, 30, 2, false);
        assert_false(irq->isa_irq >> 5 & 1);
        assert_int_equal(irq->pci_intx[(30 * 4 + 2) / 64] >> (30 * 4 + 2) % 64 & 1, 0);
    }
    b->ops->pci_link_route(b, 2, 11);
    assert_int_equal(irq->pci_link_route[2], 11);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(b->ops->dma_write(b, 0x2123, text, sizeof(text)), 0);
    assert_int_equal(b->ops->dma_read(b, 0x2123, back, sizeof(back)), 0);
    assert_memory_equal(text, back, sizeof(text));
    assert_int_equal(b->ops->dma_read(b, 0x2000, back, 0x124), 0);
    assert_int_equal(back[0x122], 0);
    assert_int_equal(back[0x123], text[0]);
    assert_int_equal(b->ops->dma_write(b, HVM_PAGES * PAGE_SIZE - 3, text, 6), -EFAULT);
    assert_int_equal(b->ops->dma_read(b, HVM_PAGES * PAGE_SIZE - 3, back, 6), -EFAULT);
    assert_memory_equal(back, text, 3);
    assert_memory_equal(back + 3, "\xff\xff\xff", 3);
}

static void test_serial(void **state)
{
    struct fixture *f = *state;

    hvm_put(f, 0x2000, "over the line\n", 14);
    HVM_RUN(f, "\xbe\x00\x20\x00\x00\xb9\x0e\x00\x00\x00\x66\xba\xf8\x03\xf3\x6e\xfa\xf4");
    assert_string_equal(serial.text, "over the line\n");
}

/* Configuration space: only functions that are there; port 0xcf8 itself is read back. */
static void test_pci(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\xb8\x00\xf8\x00\x80\x66\xba\xf8\x0c\xef" /* 0:1f.0, register 0 */
               "\xed\x89\xc6"                             /* in %dx, %eax; mov %eax, %esi */
               "\x66\xba\xfc\x0c\xed\x89\xc3"             /* and what it is: nothing */
               "\xb8\x00\x00\x00\x80\x66\xba\xf8\x0c\xef" /* 0:0.0 */
               "\x66\xba\xfc\x0c\xed\x89\xc7\xfa\xf4");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->v->regs->rsi, 0x8000f800);
    assert_int_equal(f->v->regs->rbx, 0xffffffff);
    assert_int_equal(f->v->regs->rdi, 0x12378086);
}

/* A page of requests that the device model has spoiled: the guest ends, nobody else. */
static void test_spoiled(void **state)
{
    struct fixture *f = *state;

    ((ioreq_t *)f->d->hvm->ioreq_server[0]->ioreq.va)->state = STATE_IORESP_READY;
    HVM_RUN(f, "\x66\xba\x00\x05\xef\xfa\xf4");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* The server goes while a vCPU waits for it: it reads all ones, and goes on. */
static void test_server_goes(void **state)
{
    struct fixture *f = *state;
    bool stop = false;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_unpausedomain, .domain = f->d->domain_id };

    hvm_put(f, HVM_CODE, "\x66\xba\x00\x05\xed\x89\xc3\xfa\xf4", 9);
    assert_int_equal(hvm_domctl(f, &op), 0);
    for (int i = 0; i < 1000 && f->v->hvm->io.state != HVM_IO_SENT; i++)
        xen_run(f->xen, f->m->clock.now + 100, &stop);
    assert_int_equal(f->v->hvm->io.state, HVM_IO_SENT);
    assert_true(f->v->pause_flags & VPF_blocked_in_xen);
    dm_destroy(dm);
    dm = NULL;
    hvm_go(f, SECONDS(1));
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->v->regs->rbx, 0xffffffff);
}

/* Two devices at one place: the second is refused, which is said once, and has the place when the first has gone. */
static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct pc *pc = dm_pc(dm);
    struct probe second = { 0 };
    struct dm_region r;
    const char *said;

    dm_region_init(&r, &probe_ops, &second, DM_PORT, 0x504, 8);
    pc->board->ops->region(pc->board, &r);
    assert_false(r.mapped);
    r.base = 0x506;
    pc->board->ops->region(pc->board, &r);
    said = strstr(f->log, "d1: device model: ports 0x504 to 0x50b are refused (-17): no device answers there\n");
    assert_non_null(said);
    assert_null(strstr(strchr(said, '\n'), "refused"));
    probe.ports.present = false;
    pc->board->ops->region(pc->board, &probe.ports);
    assert_true(r.mapped);
    HVM_RUN(f, "\x66\xba\x06\x05\xee" /* mov $0x506, %dx; out %al, %dx */
               "\xfa\xf4");
    assert_int_equal(second.writes, 1);
    assert_int_equal(probe.writes, 0);
    r.present = false;
    pc->board->ops->region(pc->board, &r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define DIRECT(name)                                                                                                   \
    {                                                                                                                  \
#name " in Xen", name, setup_direct, teardown, NULL                                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pages),   TEST(test_out_in),        TEST(test_strings),       TEST(test_buffered),
        TEST(test_serial),  TEST(test_buffered_wide), TEST(test_buffered_full), TEST(test_second_server),
        TEST(test_lines),   TEST(test_pci),           TEST(test_spoiled),       TEST(test_server_goes),
        TEST(test_refused), DIRECT(test_out_in),      DIRECT(test_strings),     DIRECT(test_serial),
        DIRECT(test_pci),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
