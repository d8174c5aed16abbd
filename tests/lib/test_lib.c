// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxenlab, by its header alone: a machine, domains without a kernel, what is put in, time in both directions.
 *
 * Budget: a test for each thing that the header promises.
 */
#include "xenlab/xenlab.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MS UINT64_C(1000000)

static struct xenlab *machine(void)
{
    char err[512] = "";
    struct xenlab *x = xenlab_create(0, NULL, NULL, err, sizeof(err));

    if (!x)
        fail_msg("no machine: %s", err);
    return x;
}

static uint16_t domain(struct xenlab *x, enum xenlab_type type)
{
    const struct xenlab_domain what = { .size = sizeof(what), .type = type };
    const int domid = xenlab_domain_create(x, &what);

    if (domid < 0)
        fail_msg("no domain of type %d: %s", type, xenlab_error(x));
    return (uint16_t)domid;
}

static int64_t call(struct xenlab *x, uint16_t d, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    const uint64_t args[6] = { a0, a1, a2, a3 };
    int64_t ret = 1;

    if (xenlab_hypercall(x, d, 0, nr, args, &ret))
        fail_msg("%s", xenlab_error(x));
    return ret;
}

/* --- machines --- */

struct heard {
    char console[4096];
    size_t len;
    int ended, reason;
};

static void on_console(void *data, uint16_t domid, const char *text, size_t len)
{
    struct heard *h = data;

    assert_int_equal(domid, 1);
    if (len > sizeof(h->console) - h->len - 1)
        len = sizeof(h->console) - h->len - 1;
    memcpy(h->console + h->len, text, len);
    h->len += len;
}

static void on_ended(void *data, uint16_t domid, int reason)
{
    struct heard *h = data;

    assert_int_equal(domid, 1);
    h->ended++;
    h->reason = reason;
}

static struct xenlab *with_words(struct heard *h, int nr, const char *const words[])
{
    const struct xenlab_io io = { .size = sizeof(io), .data = h, .console = on_console, .ended = on_ended };
    char err[512] = "";
    struct xenlab *x = xenlab_create(nr, words, &io, err, sizeof(err));

    if (!x)
        fail_msg("no machine: %s", err);
    return x;
}

static void test_guests_run(void **state)
{
    const char *const words[] = { "--pcpus", "2", "build/guests/hello" };
    struct heard h = { .ended = 0 };
    struct xenlab *x = with_words(&h, 3, words);
    struct xenlab_position end;

    (void)state;
    assert_int_equal(xenlab_run(x, UINT64_MAX), XENLAB_OVER);
    assert_non_null(strstr(h.console, "Hello. I am a PV guest"));
    assert_int_equal(h.ended, 1);
    assert_int_equal(h.reason, SHUTDOWN_poweroff);
    assert_true(xenlab_count(x, "console_io") + xenlab_count(x, "event_channel_op") > 0);

    /* what has happened is not said again */
    end = xenlab_end(x);
    assert_int_equal(xenlab_goto(x, xenlab_begin(x)), 0);
    assert_int_equal(xenlab_run_to(x, end), XENLAB_OVER);
    assert_int_equal(h.ended, 1);
    xenlab_destroy(x);
    xenlab_destroy(NULL);
}

static void test_what_is_wrong_with_words(void **state)
{
    static const struct {
        const char *word, *says;
    } cases[] = {
        { "--no-such-thing", "--no-such-thing" },
        { "/no/such/kernel", "/no/such/kernel" },
        { "--pcpus=99", "--pcpus" },
        { "--record=x", "--record" },
        { "--trace=x", "--trace" },
        { "--gdb=1234", "--gdb" },
        { "--fault=1ms:nonsense", "nonsense" },
        { "--sched=nobody", "nobody" },
    };
    struct xenlab_io io = { .size = 0 };
    char err[512];

    (void)state;
    assert_string_equal(xenlab_version(), "0.1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(xenlab_create(1, &cases[i].word, NULL, err, sizeof(err)));
        if (!strstr(err, cases[i].says))
            fail_msg("%s: %s", cases[i].word, err);
        assert_null(xenlab_create(1, &cases[i].word, NULL, NULL, 0));
    }
    assert_null(xenlab_create(0, NULL, &io, err, sizeof(err)));
    assert_non_null(strstr(err, "size"));
}

static void test_a_fault_is_a_word(void **state)
{
    const char *const words[] = { "--fault", "20ms:crash=spinner", "build/guests/spinner" };
    struct heard h = { .ended = 0 };
    struct xenlab *x = with_words(&h, 3, words);

    (void)state;
    assert_int_equal(xenlab_run(x, UINT64_MAX), XENLAB_OVER);
    assert_int_equal(h.reason, SHUTDOWN_crash);
    assert_in_range(xenlab_now(x), 20 * MS, 25 * MS);
    xenlab_destroy(x);
}

/* A domain without a kernel has no name; it has a number. */
static void test_a_fault_by_number(void **state)
{
    static const struct {
        const char *fault;
        bool crashed, frozen;
    } cases[] = {
        { "1ms:crash=1", true, false },
        { "1ms:freeze=1,2ms", false, true },
        { "1ms:crash=2", false, false },
        { "1ms:crash=01", false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *const words[] = { "--fault", cases[i].fault };
        struct xenlab_domain_info info = { .size = sizeof(info) };
        struct xenlab *x = xenlab_create(2, words, NULL, NULL, 0);
        unsigned int n = domain(x, XENLAB_PV);

        assert_int_equal(xenlab_domain_unpause(x, (uint16_t)n), 0);
        xenlab_run(x, 2 * MS);
        assert_int_equal(xenlab_domain_next(x, &n, &info), 1);
        assert_int_equal(info.shut_down, cases[i].crashed);
        assert_true(!cases[i].crashed || info.reason == SHUTDOWN_crash);
        assert_int_equal(info.paused, cases[i].frozen);
        xenlab_destroy(x);
    }
}

/* --- domains without a kernel --- */

static void test_each_type(void **state)
{
    static const char *const types[] = { "pv64", "pv32", "pvh" };

    (void)state;
    for (enum xenlab_type t = XENLAB_PV; t <= XENLAB_HVM; t++) {
        struct xenlab *x = machine();
        const uint16_t d = domain(x, t);
        const uint64_t at = xenlab_page(x, d, 6) - 3; /* across pages */
        struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = 0 };
        struct xenlab_domain_info info = { .size = sizeof(info) };
        struct xenlab_port_info port = { .size = sizeof(port) };
        uint64_t rip, rbx, now = xenlab_now(x);
        unsigned int n = d;

        assert_int_equal(xenlab_register_set(x, d, 0, "rbx", 0x1234), 0);
        assert_int_equal(xenlab_write(x, d, 0, at, &op, sizeof(op)), 0);
        assert_int_equal(call(x, d, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, at, 0, 0), 0);
        assert_int_equal(xenlab_read(x, d, 0, at, &op, sizeof(op)), sizeof(op));
        assert_true(op.port > 0 && xenlab_now(x) > now);
        assert_int_equal(xenlab_register(x, d, 0, "rip", &rip), 0);
        assert_int_equal(rip, xenlab_page(x, d, 1));
        assert_int_equal(xenlab_register(x, d, 0, "rbx", &rbx), 0);
        assert_int_equal(rbx, 0x1234);

        assert_int_equal(xenlab_domain_next(x, &n, &info), 1);
        assert_int_equal(info.domid, d);
        assert_string_equal(info.type, types[t]);
        assert_true(info.paused && info.pages >= 64);
        n = op.port;
        assert_int_equal(xenlab_port_next(x, d, &n, &port), 1);
        assert_int_equal(port.port, op.port);
        assert_string_equal(port.state, "unbound");
        assert_int_equal(call(x, d, 63, 0, 0, 0, 0), -38); /* -ENOSYS */
        assert_int_equal(call(x, d, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, 0x70000000, 0, 0),
                         -14); /* -EFAULT */
        assert_int_equal(xenlab_audit(x), 0);
        xenlab_destroy(x);
    }
}

static void test_an_exit_is_dealt_with(void **state)
{
    (void)state;
    for (enum xenlab_type t = XENLAB_PV; t <= XENLAB_HVM; t++) {
        struct xenlab *x = machine();
        const uint16_t d = domain(x, t);
        const struct xenlab_exit cpuid = { .size = sizeof(cpuid), .kind = XENLAB_EXIT_CPUID, .insn_len = 2 };
        uint64_t rip, rbx;

        assert_int_equal(xenlab_register_set(x, d, 0, "rax", 0x40000000), 0);
        assert_int_equal(xenlab_exit(x, d, 0, &cpuid), 0);
        xenlab_register(x, d, 0, "rip", &rip);
        xenlab_register(x, d, 0, "rbx", &rbx);
        assert_int_equal(rip, xenlab_page(x, d, 1) + 2);
        assert_int_equal(rbx, 0x566e6558); /* "XenV" */
        xenlab_destroy(x);
    }
}

/* An HVM guest's IN from a port that nobody has, and its HLT, by the instruction in its memory. */
static void test_exits_of_an_hvm_guest(void **state)
{
    const uint8_t in_al_80[] = { 0xe4, 0xed }, hlt[] = { 0xf4 };
    const struct xenlab_exit io = {
        .size = sizeof(io), .kind = XENLAB_EXIT_IO, .insn_len = 2, .port = 0xed, .bytes = 1, .in = true
    };
    const struct xenlab_exit halt = { .size = sizeof(halt), .kind = XENLAB_EXIT_HLT, .insn_len = 1 };
    struct xenlab *x = machine();
    const uint16_t d = domain(x, XENLAB_HVM);
    struct xenlab_vcpu_info info = { .size = sizeof(info) };
    uint64_t rax;

    (void)state;
    assert_int_equal(xenlab_write(x, d, 0, 0x1000, in_al_80, sizeof(in_al_80)), 0);
    assert_int_equal(xenlab_exit(x, d, 0, &io), 0);
    xenlab_register(x, d, 0, "rax", &rax);
    assert_int_equal(rax & 0xff, 0xff);
    assert_int_equal(xenlab_register_set(x, d, 0, "rflags", 0x2), 0);
    assert_int_equal(xenlab_write(x, d, 0, 0x1002, hlt, sizeof(hlt)), 0);
    assert_int_equal(xenlab_exit(x, d, 0, &halt), 0);
    assert_int_equal(xenlab_vcpu_look(x, d, 0, &info), 0);
    assert_string_not_equal(info.state, "running");
    xenlab_destroy(x);
}

/* It runs code of ours, and stops again. */
static void test_a_domain_runs(void **state)
{
    const uint8_t count[] = { 0x48, 0xff, 0xc3, 0xeb, 0xfb }; /* 1: inc rbx; jmp 1b */

    (void)state;
    for (enum xenlab_type t = XENLAB_PV; t <= XENLAB_HVM; t += 2) {
        struct xenlab *x = machine();
        const uint16_t d = domain(x, t);
        uint64_t before, after;

        assert_int_equal(xenlab_write(x, d, 0, xenlab_page(x, d, 1), count, sizeof(count)), 0);
        assert_int_equal(xenlab_run(x, MS), XENLAB_IDLE);
        assert_int_equal(xenlab_position(x).insns, 0);
        assert_int_equal(xenlab_domain_unpause(x, d), 0);
        assert_int_equal(xenlab_run(x, xenlab_now(x) + MS), XENLAB_UNTIL);
        xenlab_register(x, d, 0, "rbx", &before);
        assert_in_range(before, 300000, 500000);
        assert_int_equal(xenlab_domain_pause(x, d), 0);
        xenlab_run(x, xenlab_now(x) + MS);
        xenlab_register(x, d, 0, "rbx", &after);
        assert_int_equal(before, after);
        assert_int_equal(xenlab_domain_destroy(x, d), 0);
        assert_int_equal(xenlab_domain_destroy(x, d), -1);
        assert_int_equal(xenlab_audit(x), 0);
        xenlab_destroy(x);
    }
}

/* A call that the hypervisor cuts into parts is made until it is done. */
static void test_a_long_call_is_made_to_its_end(void **state)
{
    enum { PAGES = 1000 };
    const struct xenlab_domain what = { .size = sizeof(what), .type = XENLAB_HVM, .pages = PAGES + 64 };
    struct xenlab *x = machine();
    const int d = xenlab_domain_create(x, &what);
    struct xen_memory_reservation r = { .nr_extents = PAGES, .domid = DOMID_SELF };
    uint64_t gfn[PAGES];

    (void)state;
    assert_true(d > 0);
    for (unsigned int i = 0; i < PAGES; i++)
        gfn[i] = 64 + i;
    assert_int_equal(xenlab_write(x, (uint16_t)d, 0, 0x10000, gfn, sizeof(gfn)), 0);
    r.extent_start.p = (xen_pfn_t *)(uintptr_t)0x10000;
    assert_int_equal(xenlab_write(x, (uint16_t)d, 0, 0x8000, &r, sizeof(r)), 0);
    assert_int_equal(call(x, (uint16_t)d, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, 0x8000, 0, 0), PAGES);
    assert_int_equal(xenlab_audit(x), 0);
    xenlab_destroy(x);
}

/* A control domain may do what dom0 may; another one may not. */
static void test_control(void **state)
{
    (void)state;
    for (int control = 0; control < 2; control++) {
        struct xenlab *x = machine();
        const struct xenlab_domain what = { .size = sizeof(what), .control = control };
        const int d = xenlab_domain_create(x, &what);
        const struct sched_remote_shutdown op = { .domain_id = 2, .reason = SHUTDOWN_crash };
        struct xenlab_domain_info info = { .size = sizeof(info) };
        unsigned int n = domain(x, XENLAB_PV);
        const uint64_t at = xenlab_page(x, (uint16_t)d, 4);

        assert_int_equal(n, 2);
        assert_int_equal(xenlab_write(x, (uint16_t)d, 0, at, &op, sizeof(op)), 0);
        assert_int_equal(call(x, (uint16_t)d, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, at, 0, 0),
                         control ? 0 : -1); /* -EPERM */
        assert_int_equal(xenlab_domain_next(x, &n, &info), 1);
        assert_int_equal(info.shut_down, control);
        assert_int_equal(info.reason, control ? SHUTDOWN_crash : 0);
        xenlab_destroy(x);
    }
}

/* --- what is refused changes nothing --- */

#define REFUSED(x, call, says)                                                                                         \
    do {                                                                                                               \
        const uint64_t hash_ = xenlab_hash(x);                                                                         \
                                                                                                                       \
        assert_int_equal(call, -1);                                                                                    \
        if (!strstr(xenlab_error(x), says))                                                                            \
            fail_msg("%s: %s", #call, xenlab_error(x));                                                                \
        assert_true(hash_ == xenlab_hash(x));                                                                          \
    } while (0)

/* Its shared info's machine address, as start info says it. */
static uint64_t shared_info(struct xenlab *x, uint16_t d)
{
    struct start_info si;
    uint64_t rsi;

    assert_int_equal(xenlab_register(x, d, 0, "rsi", &rsi), 0);
    assert_int_equal(xenlab_read(x, d, 0, rsi, &si, sizeof(si)), sizeof(si));
    assert_memory_equal(si.magic, "xen-3.0-x86_64", 14);
    return si.shared_info;
}

/* Memory by all its names; a grant; a page table. */
static void test_frames_and_grants(void **state)
{
    struct xenlab *x = machine();
    const uint16_t d = domain(x, XENLAB_PV);
    const uint64_t page = xenlab_page(x, d, 9), word = 0x1122334455667788;
    struct xenlab_frame_info frame = { .size = sizeof(frame) };
    struct xenlab_grant_info grant = { .size = sizeof(grant) };
    uint64_t read = 0, cr3;
    unsigned int n = 0;

    (void)state;
    assert_int_equal(xenlab_write(x, d, 0, page + 8, &word, sizeof(word)), 0);
    assert_int_equal(xenlab_read_physical(x, d, 9 * 0x1000 + 8, &read, sizeof(read)), sizeof(read));
    assert_true(read == word);
    assert_int_equal(xenlab_frame_look(x, xenlab_mfn(x, d, 0, page), &frame), 0);
    assert_string_equal(frame.type, "writable");
    assert_int_equal(frame.owner, d);
    assert_int_equal(frame.gfn, 9);
    xenlab_register(x, d, 0, "cr3", &cr3);
    assert_int_equal(xenlab_frame_look(x, cr3 >> 12, &frame), 0);
    assert_string_equal(frame.type, "l4");
    assert_true(frame.pinned && frame.validated);
    assert_int_equal(xenlab_frame_look(x, UINT64_MAX, &frame), -1);
    assert_int_equal(xenlab_mfn(x, d, 0, 0x1000) == UINT64_MAX, 1);
    /* what the hypervisor shares is the guest's to write, and nothing else of it */
    assert_int_equal(call(x, d, __HYPERVISOR_update_va_mapping, page, shared_info(x, d) | 7, 2, 0), 0);
    assert_int_equal(xenlab_write(x, d, 0, page, &word, 1), 0);
    while (xenlab_grant_next(x, d, &n, &grant)) /* the toolstack's, for the console and xenstore */
        n++;
    assert_true(n == 0 || grant.to == 0);
    xenlab_destroy(x);
}

static void test_refused(void **state)
{
    const struct xenlab_exit npf = { .size = sizeof(npf), .kind = XENLAB_EXIT_NPF },
                             vector9 = { .size = sizeof(npf), .kind = XENLAB_EXIT_EXCEPTION, .vector = 9 },
                             long_insn = { .size = sizeof(npf), .kind = XENLAB_EXIT_CPUID, .insn_len = 16 },
                             no_kind = { .size = sizeof(npf), .kind = XENLAB_EXIT_KINDS }, no_size = { .size = 0 };
    const struct xenlab_domain few = { .size = sizeof(few), .pages = 3 }, many = { .size = sizeof(few), .vcpus = 33 },
                               type = { .size = sizeof(few), .type = (enum xenlab_type)3 }, none = { .size = 0 };
    const uint64_t args[6] = { 0 };
    const char *const looks[] = { "list" }, *const wrong[] = { "frobnicate" };
    struct xenlab *x = machine();
    const uint16_t d = domain(x, XENLAB_PV);
    uint64_t value, cr3;
    char byte = 0;

    (void)state;
    REFUSED(x, xenlab_hypercall(x, 7, 0, 0, args, NULL), "d7v0");
    REFUSED(x, xenlab_hypercall(x, d, 1, 0, args, NULL), "d1v1");
    REFUSED(x, xenlab_hypercall(x, d, 1u << 16, 0, args, NULL), "v65536");
    REFUSED(x, xenlab_hypercall(x, 0, 0, 0, args, NULL), "native");
    REFUSED(x, xenlab_exit(x, d, 0, &npf), "comes out");
    REFUSED(x, xenlab_exit(x, d, 0, &vector9), "exception 9");
    REFUSED(x, xenlab_exit(x, d, 0, &long_insn), "15 bytes");
    REFUSED(x, xenlab_exit(x, d, 0, &no_kind), "comes out");
    REFUSED(x, xenlab_exit(x, d, 0, &no_size), "size");
    REFUSED(x, xenlab_domain_create(x, &few), "4 to");
    REFUSED(x, xenlab_domain_create(x, &many), "32 vCPUs");
    REFUSED(x, xenlab_domain_create(x, &type), "type");
    REFUSED(x, xenlab_domain_create(x, &none), "size");
    REFUSED(x, xenlab_domain_pause(x, 7), "d7");
    REFUSED(x, xenlab_domain_destroy(x, 0), "d0");
    REFUSED(x, xenlab_write(x, d, 0, 0x1000, &byte, 1), "not mapped");
    REFUSED(x, xenlab_register(x, d, 0, "xmm0", &value), "xmm0");
    REFUSED(x, xenlab_register_set(x, d, 0, "cr3", 0), "cr3");
    REFUSED(x, xenlab_register_set(x, d, 0, "rip", UINT64_C(1) << 60), "canonical");
    REFUSED(x, xenlab_trap(x, d, 0, 99, 0, 0), "vector 99");
    REFUSED(x, xenlab_event(x, d, 0, 77), "port 77");
    REFUSED(x, xenlab_type(x, d, "x", 1), "console");
    REFUSED(x, xenlab_ctl(x, 1, looks), "changes nothing");
    REFUSED(x, xenlab_ctl(x, 1, wrong), "frobnicate");
    REFUSED(x, xenlab_ctl(x, 0, NULL), "which");
    REFUSED(x, xenlab_goto(x, (struct xenlab_position){ UINT64_MAX, 0 }), "");

    /* a page table is the hypervisor's to write; it can be read */
    assert_int_equal(xenlab_register(x, d, 0, "cr3", &cr3), 0);
    assert_int_equal(xenlab_read(x, d, 0, xenlab_page(x, d, 1) + 1, &byte, 1), 1);
    assert_int_equal((uint8_t)byte, 0xfe);
    assert_int_equal(xenlab_read(x, d, 0, 0x1000, &byte, 1), 0);
    xenlab_destroy(x);
}

/* NULL for each thing that a pointer points to, and no machine at all. */
static void null_each(struct xenlab *x, uint16_t d)
{
    const char *const none[] = { NULL };
    const uint64_t at = x ? xenlab_page(x, d, 8) : 0, args[6] = { 0 };
    unsigned int n = 0;
    uint64_t v = 0;

    assert_int_equal(xenlab_domain_create(x, NULL), -1);
    assert_int_equal(xenlab_hypercall(x, d, 0, 29, NULL, NULL), -1);
    assert_int_equal(xenlab_exit(x, d, 0, NULL), -1);
    assert_int_equal(xenlab_register(x, d, 0, NULL, &v), -1);
    assert_int_equal(xenlab_register(x, d, 0, "rax", NULL), -1);
    assert_int_equal(xenlab_register_set(x, d, 0, NULL, 0), -1);
    assert_int_equal(xenlab_write(x, d, 0, at, NULL, 8), -1);
    assert_int_equal(xenlab_read(x, d, 0, at, NULL, 8), 0);
    assert_int_equal(xenlab_read_physical(x, d, 0, NULL, 8), 0);
    assert_int_equal(xenlab_type(x, d, NULL, 3), -1);
    assert_int_equal(xenlab_ctl(x, 1, NULL), -1);
    assert_int_equal(xenlab_ctl(x, 1, none), -1);
    assert_int_equal(xenlab_ctl(x, -1, none), -1);
    assert_int_equal(xenlab_domain_next(x, NULL, NULL), 0);
    assert_int_equal(xenlab_domain_next(x, &n, NULL), 0);
    assert_int_equal(xenlab_vcpu_look(x, d, 0, NULL), -1);
    assert_int_equal(xenlab_port_next(x, d, &n, NULL), 0);
    assert_int_equal(xenlab_grant_next(x, d, &n, NULL), 0);
    assert_int_equal(xenlab_frame_look(x, 0, NULL), -1);
    assert_int_equal(xenlab_count(x, NULL), 0);
    for (unsigned int other = 7; other < 0x10000; other += 0x7ff) {
        assert_int_equal(xenlab_hypercall(x, (uint16_t)other, 0, 29, args, NULL), -1);
        assert_int_equal(xenlab_mfn(x, (uint16_t)other, 0, 0) == UINT64_MAX, 1);
        assert_int_equal(xenlab_register(x, (uint16_t)other, 0, "rax", &v), -1);
        assert_int_equal(xenlab_event(x, (uint16_t)other, 0, 1), -1);
        assert_int_equal(xenlab_trap(x, (uint16_t)other, 0, 13, 0, 0), -1);
        assert_int_equal(xenlab_domain_unpause(x, (uint16_t)other), -1);
    }
}

static void test_null(void **state)
{
    const char *const none[] = { NULL };
    struct xenlab *x = machine();
    char err[256] = "";

    (void)state;
    assert_null(xenlab_create(1, NULL, NULL, err, sizeof(err)));
    assert_non_null(strstr(err, "words"));
    assert_null(xenlab_create(1, none, NULL, err, sizeof(err)));
    assert_null(xenlab_create(-1, none, NULL, err, sizeof(err)));
    assert_non_null(strstr(err, "words"));
    null_each(x, domain(x, XENLAB_PV));
    assert_int_equal(xenlab_audit(x), 0);
    xenlab_destroy(x);
    null_each(NULL, 1);
    assert_non_null(strstr(xenlab_error(NULL), "no machine"));
    assert_int_equal(xenlab_run(NULL, MS), XENLAB_FAILED);
    assert_int_equal(xenlab_run_to(NULL, xenlab_end(NULL)), XENLAB_FAILED);
    assert_int_equal(xenlab_step(NULL), XENLAB_FAILED);
    assert_int_equal(xenlab_goto(NULL, xenlab_position(NULL)), -1);
    assert_int_equal(xenlab_audit(NULL), -1);
    assert_true(!xenlab_now(NULL) && !xenlab_hash(NULL) && !xenlab_page(NULL, 1, 1));
    assert_int_equal(xenlab_position_compare(xenlab_begin(NULL), xenlab_end(NULL)), 0);
    xenlab_checkpoint(NULL);
    xenlab_forget(NULL);
}

/* --- time --- */

/* Something, by its number. */
static void something(struct xenlab *x, uint16_t d, unsigned int i)
{
    const uint64_t at = xenlab_page(x, d, 8 + i % 8);
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = (domid_t)(i % 3) };

    switch (i % 4) {
    case 0: assert_int_equal(xenlab_write(x, d, 0, at, &op, sizeof(op)), 0); break;
    case 1: call(x, d, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, xenlab_page(x, d, 8), 0, 0); break;
    case 2: assert_int_equal(xenlab_register_set(x, d, 0, "rdi", i), 0); break;
    case 3: xenlab_run(x, xenlab_now(x) + 10000 * i); break;
    }
}

static void test_every_position_again(void **state)
{
    enum { STEPS = 40 };
    struct xenlab *x = machine();
    struct xenlab_position at[STEPS];
    uint64_t hash[STEPS];
    const uint16_t d[] = { domain(x, XENLAB_PV), domain(x, XENLAB_PV32), domain(x, XENLAB_HVM) };

    (void)state;
    for (unsigned int i = 0; i < STEPS; i++) {
        if (i == STEPS / 2)
            assert_int_equal(xenlab_domain_unpause(x, d[2]), 0);
        something(x, d[i % 3], i);
        at[i] = xenlab_position(x);
        hash[i] = xenlab_hash(x);
    }
    for (unsigned int i = 0; i < 3 * STEPS; i++) {
        const unsigned int n = i * 17 % STEPS;

        assert_int_equal(xenlab_goto(x, at[n]), 0);
        assert_int_equal(xenlab_position_compare(xenlab_position(x), at[n]), 0);
        assert_true(xenlab_hash(x) == hash[n]);
    }
    xenlab_destroy(x);
}

/* By whatever way: a checkpoint there is compared with, host's addresses in what was freed included. */
static void test_a_checkpoint_by_another_way(void **state)
{
    struct xenlab *x = machine();

    (void)state;
    domain(x, XENLAB_PV);
    domain(x, XENLAB_HVM);
    xenlab_checkpoint(x);
    assert_int_equal(xenlab_goto(x, xenlab_begin(x)), 0);
    for (unsigned int i = 0; i < 2; i++)
        if (xenlab_run(x, 0) != XENLAB_UNTIL)
            fail_msg("%s", xenlab_error(x));
    assert_int_equal(xenlab_goto(x, xenlab_end(x)), 0);
    xenlab_destroy(x);
}

static void test_the_same_in_another_machine(void **state)
{
    struct xenlab *x[2] = { machine(), machine() };

    (void)state;
    for (unsigned int m = 0; m < 2; m++) {
        const uint16_t d = domain(x[m], XENLAB_PV);

        for (unsigned int i = 0; i < 30; i++)
            something(x[m], d, i);
    }
    assert_true(xenlab_hash(x[0]) == xenlab_hash(x[1]));
    xenlab_destroy(x[1]);
    something(x[0], 1, 1);
    xenlab_destroy(x[0]);
}

static void *in_a_thread(void *hash)
{
    for (unsigned int i = 0; i < 4; i++) {
        struct xenlab *x = machine();
        const uint16_t d = domain(x, (enum xenlab_type)(i % 3));

        assert_int_equal(xenlab_domain_unpause(x, d), 0);
        assert_int_equal(xenlab_run(x, MS), XENLAB_UNTIL);
        ((uint64_t *)hash)[i] = xenlab_hash(x);
        xenlab_destroy(x);
    }
    return NULL;
}

/* Machines in threads know nothing of each other. */
static void test_threads(void **state)
{
    uint64_t hash[3][4] = { { 0 } };
    pthread_t thread[2];

    (void)state;
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, in_a_thread, hash[i]), 0);
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    in_a_thread(hash[2]); /* alone */
    assert_memory_equal(hash[0], hash[2], sizeof(hash[2]));
    assert_memory_equal(hash[1], hash[2], sizeof(hash[2]));
}

static void test_another_future(void **state)
{
    struct xenlab *x = machine();
    const uint16_t d = domain(x, XENLAB_PV);
    const struct xenlab_position here = xenlab_position(x);
    uint64_t value;

    (void)state;
    assert_int_equal(xenlab_register_set(x, d, 0, "rbx", 1), 0);
    assert_int_equal(xenlab_goto(x, here), 0);
    REFUSED(x, xenlab_register_set(x, d, 0, "rbx", 2), "past");
    xenlab_forget(x);
    assert_int_equal(xenlab_position_compare(xenlab_end(x), here), 0);
    assert_int_equal(xenlab_register_set(x, d, 0, "rbx", 2), 0);
    xenlab_checkpoint(x);
    assert_int_equal(xenlab_goto(x, xenlab_begin(x)), 0);
    assert_int_equal(xenlab_goto(x, xenlab_end(x)), 0);
    xenlab_register(x, d, 0, "rbx", &value);
    assert_int_equal(value, 2);
    xenlab_destroy(x);
}

static void test_a_step(void **state)
{
    const char *const words[] = { "build/guests/hello" };
    struct heard h = { .ended = 0 };
    struct xenlab *x = with_words(&h, 1, words);

    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        const struct xenlab_position before = xenlab_position(x);

        assert_int_equal(xenlab_step(x), XENLAB_UNTIL);
        assert_true(xenlab_position_compare(before, xenlab_position(x)) < 0);
    }
    xenlab_destroy(x);
}

struct said {
    char text[512];
    int done, status;
};

static void on_ctl(void *data, int id, const char *text, size_t len)
{
    struct said *s = data;

    assert_int_equal(id, 1);
    if (text)
        snprintf(s->text, sizeof(s->text), "%.*s", (int)len, text);
    else
        s->done++, s->status = (int)len;
}

static void test_ctl(void **state)
{
    const char *const guest[] = { "build/guests/spinner" }, *const pause[] = { "pause", "spinner" };
    struct said s = { .done = 0 };
    const struct xenlab_io io = { .size = sizeof(io), .data = &s, .ctl = on_ctl };
    struct xenlab_domain_info info = { .size = sizeof(info) };
    struct xenlab *x = xenlab_create(1, guest, &io, NULL, 0);
    unsigned int n = 1;

    (void)state;
    assert_non_null(x);
    xenlab_run(x, 20 * MS);
    assert_int_equal(xenlab_ctl(x, 2, pause), 1);
    xenlab_run(x, 25 * MS);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.status, 0);
    assert_int_equal(xenlab_domain_next(x, &n, &info), 1);
    assert_true(info.paused);
    assert_string_equal(info.name, "spinner");
    xenlab_destroy(x);
}

/* --- structs of an older and of a newer caller --- */

static void test_sizes(void **state)
{
    struct xenlab *x = machine();
    struct {
        struct xenlab_domain_info info;
        uint64_t later;
    } newer = { { .size = sizeof(newer) }, 0x55 };
    struct xenlab_domain_info older;
    unsigned int n = 0;

    (void)state;
    assert_int_equal(xenlab_domain_next(x, &n, &newer.info), 1);
    assert_int_equal(newer.info.size, sizeof(newer));
    assert_int_equal(newer.later, 0x55);
    memset(&older, 0x55, sizeof(older));
    older.size = offsetof(struct xenlab_domain_info, vcpus);
    assert_int_equal(xenlab_domain_next(x, &n, &older), 1);
    assert_string_equal(older.type, "native");
    assert_int_equal(older.vcpus, 0x55555555);
    xenlab_destroy(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests_run),
        cmocka_unit_test(test_what_is_wrong_with_words),
        cmocka_unit_test(test_a_fault_is_a_word),
        cmocka_unit_test(test_a_fault_by_number),
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_an_exit_is_dealt_with),
        cmocka_unit_test(test_exits_of_an_hvm_guest),
        cmocka_unit_test(test_a_domain_runs),
        cmocka_unit_test(test_a_long_call_is_made_to_its_end),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_frames_and_grants),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_every_position_again),
        cmocka_unit_test(test_a_checkpoint_by_another_way),
        cmocka_unit_test(test_the_same_in_another_machine),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_another_future),
        cmocka_unit_test(test_a_step),
        cmocka_unit_test(test_ctl),
        cmocka_unit_test(test_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
