// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vocabulary of the trace beside Xen's public headers: every hypercall, and every operation of those that have
 * some, has its number's name. The headers are read as text, so what they get with a new version of Xen is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#include "sim/trace.h"

/* What looks like an operation of the family, and is none: it begins so. */
static const struct family {
    unsigned int nr;
    const char *header, *prefix, *from, *except[8]; /* from: the line from which on they stand */
} families[] = {
    { __HYPERVISOR_sched_op, "sched.h", "SCHEDOP_", NULL, { NULL } },
    { __HYPERVISOR_vcpu_op, "vcpu.h", "VCPUOP_", NULL, { NULL } },
    { __HYPERVISOR_event_channel_op, "event_channel.h", "EVTCHNOP_", NULL, { NULL } },
    { __HYPERVISOR_grant_table_op, "grant_table.h", "GNTTABOP_", NULL, { NULL } },
    { __HYPERVISOR_memory_op,
      "memory.h",
      "XENMEM_",
      NULL,
      { "paging_op_", "access_op_", "sharing_op_", "resource_", "RDM_ALL", "SHARING" } },
    { __HYPERVISOR_mmuext_op, "xen.h", "MMUEXT_", NULL, { NULL } },
    { __HYPERVISOR_physdev_op, "physdev.h", "PHYSDEVOP_", NULL, { "DBGP", "IRQ_" } },
    { __HYPERVISOR_callback_op, "callback.h", "CALLBACKOP_", NULL, { NULL } },
    { __HYPERVISOR_xen_version, "version.h", "XENVER_", NULL, { NULL } },
    { __HYPERVISOR_console_io, "xen.h", "CONSOLEIO_", NULL, { NULL } },
    { __HYPERVISOR_vm_assist, "xen.h", "VMASST_CMD_", NULL, { NULL } },
    { __HYPERVISOR_nmi_op, "nmi.h", "XENNMI_", NULL, { NULL } },
    { __HYPERVISOR_hvm_op,
      "hvm/hvm_op.h",
      "HVMOP_",
      NULL,
      { "altp2m_", "ALTP2M", "set_pci_intx_level", "set_isa_irq_level", "set_pci_link_route" } }, /* of old */
    { __HYPERVISOR_kexec_op, "kexec.h", "KEXEC_CMD_", NULL, { NULL } },
    { __HYPERVISOR_xenpmu_op, "pmu.h", "XENPMU_", NULL, { "VER_", "MODE_" } },
    { __HYPERVISOR_hypfs_op, "hypfs.h", "XEN_HYPFS_OP_", NULL, { NULL } },
    { __HYPERVISOR_platform_op, "platform.h", "XENPF_", NULL, { "INTERFACE", "ACPI_SLEEP" } },
    { __HYPERVISOR_sysctl, "sysctl.h", "XEN_SYSCTL_", "#define XEN_SYSCTL_readconsole ", { NULL } },
    { __HYPERVISOR_domctl, "domctl.h", "XEN_DOMCTL_", "#define XEN_DOMCTL_createdomain ", { "gdbsx" } },
    { 0, "xen.h", "__HYPERVISOR_", NULL, { "arch_" } },
};

static bool is_excepted(const struct family *f, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(f->except) && f->except[i]; i++)
        if (!strncmp(name, f->except[i], strlen(f->except[i])))
            return true;
    return false;
}

/* "#define PREFIXname number": true, and both. */
static bool parse(const char *line, const char *prefix, char name[64], unsigned long *nr)
{
    char what[96], value[32], *end;

    if (sscanf(line, "#define %95s %31s", what, value) != 2 || strncmp(what, prefix, strlen(prefix)) ||
        !isdigit((unsigned char)value[0]))
        return false;
    snprintf(name, 64, "%s", what + strlen(prefix));
    *nr = strtoul(value, &end, 10);
    return *end == '\0';
}

static unsigned int check(const struct family *f, const struct trace_names *names)
{
    static const char *const places[] = { "build/deps/xen/usr/include/xen", "/usr/include/xen" };
    char path[64], line[256], name[64];
    unsigned int nr_found = 0;
    unsigned long nr;
    bool begun = !f->from;
    FILE *in = NULL;

    /* Those that the compiler takes (scripts/setup.sh): the system's may be of another Xen. */
    for (size_t i = 0; i < ARRAY_SIZE(places) && !in; i++) {
        snprintf(path, sizeof(path), "%s/%s", places[i], f->header);
        in = fopen(path, "r");
    }
    if (!in)
        skip();
    assert_non_null(names);
    while (fgets(line, sizeof(line), in)) {
        begun = begun || !strncmp(line, f->from, strlen(f->from));
        if (!begun || !parse(line, f->prefix, name, &nr) || is_excepted(f, name))
            continue;
        if (nr >= names->nr || !names->name[nr] || strcmp(names->name[nr], name))
            fail_msg("%s%s, %lu, is called %s", f->prefix, name, nr,
                     nr < names->nr && names->name[nr] ? names->name[nr] : "nothing");
        nr_found++;
    }
    fclose(in);
    return nr_found;
}

static void test_complete(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        const struct family *f = &families[i];
        const struct trace_names *names = f->nr ? trace_subops(f->nr) : trace_type_names(TRACE_TYPE_hypercall);

        if (check(f, names) < 2)
            fail_msg("no %s in %s", f->prefix, f->header);
    }
}

/* And no family is forgotten here. */
static void test_families(void **state)
{
    uint64_t nr;
    const struct trace_names *n;

    for (size_t i = 0; (n = trace_subops_at(i, &nr)); i++) {
        bool found = strstr(n->type, "_compat") != NULL;

        assert_ptr_equal(trace_subops(nr), n);
        for (size_t j = 0; j < ARRAY_SIZE(families); j++)
            found |= families[j].nr == nr;
        assert_true(found);
    }
    assert_null(trace_subops(__HYPERVISOR_iret));
}

static unsigned int event_of(const char *name)
{
    unsigned int ev = 0;

    while (ev < TRC_NR && strcmp(trace_event_name((enum trace_event)ev), name))
        ev++;
    return ev;
}

/* Names and fields are words, each once; none is both. */
static void test_words(void **state)
{
    size_t nr_common;
    const struct trace_field *common = trace_common_fields(&nr_common);

    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        const struct trace_event_info *info = trace_event_info((enum trace_event)ev);

        assert_true(info->nr_fields <= TRACE_MAX_ARGS);
        assert_string_equal(trace_event_name((enum trace_event)ev), info->name);
        for (unsigned int i = 0; i < info->nr_fields; i++) {
            const struct trace_field *f = &info->fields[i];

            assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(f->name));
            assert_true(f->type < TRACE_NR_TYPES);
            assert_int_equal(f->key_len, strlen(f->name) + 4);
            assert_true(f->type != TRACE_TYPE_text || i == info->nr_fields - 1);
            assert_int_equal(event_of(f->name), TRC_NR); /* in a condition they would be the same word */
            assert_true(f->type != TRACE_TYPE_sub || info->fields[i - 1].type == TRACE_TYPE_hypercall);
            for (unsigned int j = 0; j < i; j++)
                assert_string_not_equal(f->name, info->fields[j].name);
            for (size_t j = 0; j < nr_common; j++) /* a record is one object */
                assert_string_not_equal(f->name, common[j].name);
            assert_string_not_equal(f->name, "event");
        }
    }
    assert_string_equal(trace_event_name(TRC_NR), "unknown");
    assert_string_equal(trace_value_name(TRACE_TYPE_verdict, TRACE_VERDICT_REFUSED), "refused");
    assert_null(trace_value_name(TRACE_TYPE_verdict, 99));
    assert_null(trace_value_name(TRACE_TYPE_dec, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
