// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cpuid= of xl.cfg: what the two forms mean, what is refused and in which words, and what becomes of it in the
 * hypervisor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/host_private.h"
#include "tools/xc/xc.h"
#include "tools/xl/guest_cpuid.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/cpuid.h"

#define X24 "xxxxxxxxxxxxxxxxxxxxxxxx"
#define X32 X24 "xxxxxxxx"

/* --- reading --- */

static const char *reg_of(const struct xl_cpuid *c, uint32_t leaf, uint32_t subleaf, unsigned int reg)
{
    for (unsigned int i = 0; i < c->nr; i++)
        if (c->leaf[i].leaf == leaf && c->leaf[i].subleaf == subleaf)
            return c->leaf[i].reg[reg];
    fail_msg("leaf %#x is not there", leaf);
    return NULL;
}

static void names(void **state)
{
    struct xl_cpuid c = { 0 };
    char why[256];

    assert_true(xl_cpuid_parse_names(&c, "host", why, sizeof(why)));
    assert_int_equal(c.nr, 0);
    assert_true(xl_cpuid_parse_names(&c,
                                     "host,tm=0,sse3=0,,sse3=1,avx=k,sse4.1=s,sse4_2=x,fsgsbase=0,rdtscp=1,maxleaf=0x7,"
                                     "proccount=18,family=0x17,model=0x31,stepping=3,nc=7,maxhvleaf=2,erms=s",
                                     why, sizeof(why)));
    assert_string_equal(reg_of(&c, 1, -1, 3), "xx0xxxxx" X24);
    assert_string_equal(reg_of(&c, 1, -1, 2), "xxxkxxxxxxxxsxxxxxxxxxxxxxxxxxx1");
    assert_string_equal(reg_of(&c, 7, 0, 1), "xxxxxxxxxxxxxxxxxxxxxxsxxxxxxxx0");
    assert_string_equal(reg_of(&c, 0x80000001, -1, 3), "xxxx1xxx" X24);
    assert_string_equal(reg_of(&c, 0, -1, 0), "00000000000000000000000000000111");
    assert_string_equal(reg_of(&c, 1, -1, 1), "xxxxxxxx00010010xxxxxxxxxxxxxxxx");
    assert_string_equal(reg_of(&c, 1, -1, 0), "xxxx000010000011xxxx111100010011"); /* family 15 + 8, model 3:1 */
    assert_string_equal(reg_of(&c, 0x80000008, -1, 2), X24 "00000111");
    assert_string_equal(reg_of(&c, 0x40000000, -1, 0), X24 "00000010");
    assert_string_equal(reg_of(&c, 1, -1, 0), "xxxx000010000011xxxx111100010011");
    assert_true(xl_cpuid_parse_names(&c, "host,family=6,model=k", why, sizeof(why)));
    assert_string_equal(reg_of(&c, 1, -1, 0), "xxxx00000000kkkkxxxx0110kkkk0011");
    xl_cpuid_free(&c);
}

static void leaves(void **state)
{
    struct xl_cpuid c = { 0 };
    char why[256];

    assert_true(xl_cpuid_parse_leaf(&c, "1:ecx=" X24 "01xks01x,eax=" X32, why, sizeof(why)));
    assert_true(xl_cpuid_parse_leaf(&c, "0x7,0:ebx=0" X24 "xxxxxxx, edx=" X32, why, sizeof(why)));
    assert_true(xl_cpuid_parse_leaf(&c, "7,1:eax=" X32, why, sizeof(why)));
    assert_true(xl_cpuid_parse_leaf(&c, "1:ecx=1" X24 "xxxxxxx", why, sizeof(why)));
    assert_int_equal(c.nr, 3);
    assert_string_equal(reg_of(&c, 1, -1, 2), "1" X24 "xxxxxxx");
    assert_string_equal(reg_of(&c, 1, -1, 0), X32);
    assert_string_equal(reg_of(&c, 1, -1, 1), "");
    assert_string_equal(reg_of(&c, 7, 0, 1), "0" X24 "xxxxxxx");
    assert_string_equal(reg_of(&c, 7, 1, 0), X32);
    xl_cpuid_free(&c);
}

static void mistakes(void **state)
{
    static const char *const cases[][2] = {
        { "", "the first word is to be \"host\", got \"\"" },
        { "tm=0", "the first word is to be \"host\", got \"tm=0\"" },
        { "hosts,tm=0", "the first word is to be \"host\"" },
        { "host,tm", "expected NAME=VALUE, got \"tm\"" },
        { "host,=1", "unknown name of a CPUID flag: \"\"" },
        { "host,sse5=1", "unknown name of a CPUID flag: \"sse5\"" },
        { "host,ss=1,SSE=1", "unknown name of a CPUID flag: \"SSE\"" },
        { "host,sse3=", "sse3 is to be a number from 0 to 1, or x, k or s, not \"\"" },
        { "host,sse3=2", "from 0 to 1" },
        { "host,sse3=-1", "not \"-1\"" },
        { "host,sse3=kk", "not \"kk\"" },
        { "host,sse3=1x", "not \"1x\"" },
        { "host,sse3=y", "not \"y\"" },
        { "host,family=271", "from 0 to 270" },
        { "host,model=256", "from 0 to 255" },
        { "host,maxleaf=0x100000000", "from 0 to 4294967295" },
    };
    static const char *const lists[][2] = {
        { "", "expected LEAF:REG=... or LEAF,SUBLEAF:REG=..., got \"\"" },
        { "1", "expected LEAF:REG" },
        { "x:eax=" X32, "expected LEAF:REG" },
        { "1,:eax=" X32, "expected LEAF:REG" },
        { "1,2,3:eax=" X32, "expected LEAF:REG" },
        { "-1:eax=" X32, "expected LEAF:REG" },
        { "0x100000000:eax=" X32, "expected LEAF:REG" },
        { "1:efx=" X32, "expected eax=, ebx=, ecx= or edx=, got \"efx=" },
        { "1:eax" X32, "expected eax=" },
        { "1:eax=" X24, "expected 32 characters" },
        { "1:eax=x" X32, "expected 32 characters" },
        { "1:eax=2" X24 "xxxxxxx", "expected 32 characters" },
        { "1:eax=" X32 ";ebx=" X32, "expected 32 characters" },
        { "1:eax=" X32 ",ebx", "expected eax=" },
    };
    struct xl_cpuid c = { 0 };
    char why[256];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_false(xl_cpuid_parse_names(&c, cases[i][0], why, sizeof(why)));
        if (!strstr(why, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], why);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        assert_false(xl_cpuid_parse_leaf(&c, lists[i][0], why, sizeof(why)));
        if (!strstr(why, lists[i][1]))
            fail_msg("%s: %s", lists[i][0], why);
    }
    xl_cpuid_free(&c);
}

/* A text of any kind is read or refused, never more. */
static void random_texts(void **state)
{
    static const char *const parts[] = { "host", ",", "=", "0", "1", "x", "sse3", "family",
                                         "eax=", X32, ":", "7", "-", "k", " " };
    struct xl_cpuid c = { 0 };
    unsigned int taken = 0;
    char why[64];

    srand(1);
    for (unsigned int i = 0; i < 20000; i++) {
        char text[512] = "";

        if (rand() % 2)
            strcat(text, "host,");
        for (int n = rand() % 8; n > 0; n--)
            strcat(text, parts[(size_t)rand() % ARRAY_SIZE(parts)]);
        taken += xl_cpuid_parse_names(&c, text, why, sizeof(why));
        taken += xl_cpuid_parse_leaf(&c, text, why, sizeof(why));
        for (unsigned int l = 0; l < c.nr; l++)
            for (unsigned int r = 0; r < 4; r++)
                assert_true(!*c.leaf[l].reg[r] || strspn(c.leaf[l].reg[r], "01xks") == 32);
    }
    assert_true(taken > 100);
    xl_cpuid_free(&c);
}

/* --- carrying out --- */

struct scene {
    struct host *host;
    struct xc_handle *xc;
    struct domain *d;
    char err[GUEST_CPUID_ERR_SIZE];
};

static int setup(void **state)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 4, .grant_opts = 1
    };
    const struct host_config cfg = { .ram_mib = 64, .nr_pcpus = 2 };
    const struct host_io io = { 0 };
    struct scene *sc = calloc(1, sizeof(*sc));
    domid_t domid = 0;

    sc->host = host_create(&cfg, &io, sc->err);
    if (!sc->host)
        fail_msg("%s", sc->err);
    sc->xc = sc->host->xc;
    assert_int_equal(xc_domain_create(sc->xc, &config, &domid), 0);
    assert_int_equal(xc_domain_max_vcpus(sc->xc, domid, 1), 0);
    sc->d = get_domain_by_id(host_xen(sc->host), domid);
    put_domain(sc->d);
    *state = sc;
    return 0;
}

static int teardown(void **state)
{
    struct scene *sc = *state;

    host_destroy(sc->host);
    free(sc);
    return 0;
}

static int apply(struct scene *sc, bool itsc, const char *text)
{
    const struct guest_cpuid_kind kind = { .invariant_tsc = itsc };
    struct xl_cpuid c = { .where = strdup("guest.cfg:3: cpuid") };
    char why[256];
    int rc;

    if (*text <= '9' ? !xl_cpuid_parse_leaf(&c, text, why, sizeof(why))
                     : !xl_cpuid_parse_names(&c, text, why, sizeof(why)))
        fail_msg("%s: %s", text, why);
    rc = guest_cpuid_apply(sc->xc, sc->d->domain_id, &kind, &c, sc->err);
    xl_cpuid_free(&c);
    return rc;
}

static struct cpuid_leaf read_leaf(struct scene *sc, uint32_t leaf) { return guest_cpuid(sc->d->vcpu[0], leaf, 0); }

static bool has(struct scene *sc, unsigned int feature) { return cpu_policy_has(sc->d->cpu_policy, feature); }

static void features_are_taken(void **state)
{
    struct scene *sc = *state;

    assert_true(has(sc, XEN_X86_FEATURE_SSE4_1) && has(sc, XEN_X86_FEATURE_AESNI));
    assert_int_equal(apply(sc, false, "host,ssse3=0,aes=0,avx=1,family=6,model=0x2c,stepping=5,brandid=9,maxhvleaf=2"),
                     0);
    assert_false(has(sc, XEN_X86_FEATURE_SSSE3) || has(sc, XEN_X86_FEATURE_SSE4_1) || has(sc, XEN_X86_FEATURE_AESNI));
    assert_false(has(sc, XEN_X86_FEATURE_AVX));
    assert_true(has(sc, XEN_X86_FEATURE_SSE3) && has(sc, XEN_X86_FEATURE_PCLMULQDQ));
    assert_int_equal(read_leaf(sc, 1).a, 0x000206c5);
    assert_int_equal(read_leaf(sc, 0x80000001).a, 0x000206c5);
    assert_int_equal(read_leaf(sc, 1).b & 0xff, 9);
    assert_int_equal(read_leaf(sc, 0x40000000).a, 0x40000002);
    /* x: as by default again. */
    assert_int_equal(apply(sc, false, "host,ssse3=x,sse4_1=x,family=x,model=x,stepping=x"), 0);
    assert_true(has(sc, XEN_X86_FEATURE_SSSE3) && has(sc, XEN_X86_FEATURE_SSE4_1));
    assert_true(has(sc, XEN_X86_FEATURE_AESNI)); /* what is not named in a register that is, too */
    assert_int_equal(read_leaf(sc, 1).a, 0x00660f01);
}

/* Default and host differ in the invariant TSC. Letters are the same in the other form. */
static void default_and_host(void **state)
{
    struct scene *sc = *state;

    assert_false(has(sc, XEN_X86_FEATURE_ITSC));
    assert_int_equal(apply(sc, false, "host,invtsc=k"), 0);
    assert_true(has(sc, XEN_X86_FEATURE_ITSC));
    assert_int_equal(apply(sc, false, "host,invtsc=x"), 0);
    assert_false(has(sc, XEN_X86_FEATURE_ITSC));
    assert_int_equal(apply(sc, false, "0x80000007:edx=xxxxxxxxxxxxxxxxxxxxxxxsxxxxxxxx"), 0);
    assert_true(has(sc, XEN_X86_FEATURE_ITSC));
    assert_int_equal(apply(sc, true, "host,invtsc=0"), 0); /* the user has the last word */
    assert_false(has(sc, XEN_X86_FEATURE_ITSC));
    assert_int_equal(apply(sc, true, "host"), 0);
    assert_true(has(sc, XEN_X86_FEATURE_ITSC));
}

static void what_cannot_be(void **state)
{
    struct scene *sc = *state;

    assert_int_equal(apply(sc, false, "0xd,0:eax=" X32), -1);
    assert_string_equal(sc->err, "guest.cfg:3: cpuid: the processor has no such leaf (leaf 0xd, subleaf 0)");
    assert_int_equal(apply(sc, false, "7:eax=" X32), -1);
    assert_string_equal(sc->err, "guest.cfg:3: cpuid: the processor has no such leaf (leaf 0x7)");
    assert_int_equal(apply(sc, false, "host,maxleaf=0x10"), -1);
    assert_string_equal(sc->err,
                        "guest.cfg:3: cpuid: the hypervisor cannot give the domain such a processor (leaf 0x0)");
    assert_int_equal(xc_domain_unpause(sc->xc, sc->d->domain_id), 0);
    assert_int_equal(apply(sc, false, "host,sse3=0"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(leaves),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(random_texts),
        cmocka_unit_test_setup_teardown(features_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(default_and_host, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
