// SPDX-License-Identifier: GPL-2.0-or-later
/* xl.cfg's cpuid=: see tools/xl/xl_cpuid.h. */
#include "tools/xl/xl_cpuid.h"

#include "sim/arena.h"

#include "tools/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE         XL_CPUID_NO_SUBLEAF

enum { EAX, EBX, ECX, EDX };

/* A field is `length` bits from `bit` on. */
struct field {
    const char *name;
    uint32_t leaf, subleaf;
    uint8_t reg, bit, length;
};

// clang-format off
static const struct field fields[] = {
    { "maxleaf",     0x00000000, NONE, EAX,  0, 32 },
    { "stepping",    0x00000001, NONE, EAX,  0,  4 },
    { "model",       0x00000001, NONE, EAX,  4,  8 }, /* these two have more bits elsewhere: see set_value() */
    { "family",      0x00000001, NONE, EAX,  8,  9 },
    { "brandid",     0x00000001, NONE, EBX,  0,  8 },
    { "clflush",     0x00000001, NONE, EBX,  8,  8 },
    { "proccount",   0x00000001, NONE, EBX, 16,  8 },
    { "localapicid", 0x00000001, NONE, EBX, 24,  8 },
    { "sse4.1",      0x00000001, NONE, ECX, 19,  1 },
    { "sse4.2",      0x00000001, NONE, ECX, 20,  1 },
    { "procpkg",     0x00000004, 0,    EAX, 26,  6 },
    { "nc",          0x80000008, NONE, ECX,  0,  8 },
    { "apicidsize",  0x80000008, NONE, ECX, 12,  4 },
    { "maxhvleaf",   0x40000000, NONE, EAX,  0,  8 },
};

/* Features: the names of a register's bits, as libxl has them. */
static const struct names {
    uint32_t leaf, subleaf;
    uint8_t reg;
    const char *bit[32];
} names[] = {
    { 0x00000001, NONE, ECX,
      { [0] = "sse3", [1] = "pclmulqdq", [2] = "dtes64", [3] = "monitor", [4] = "dscpl", [5] = "vmx", [6] = "smx", [7] = "est",
        [8] = "tm2", [9] = "ssse3", [10] = "cntxid", [12] = "fma", [13] = "cmpxchg16", [14] = "xtpr", [15] = "pdcm", [17] = "pcid",
        [18] = "dca", [19] = "sse4_1", [20] = "sse4_2", [21] = "x2apic", [22] = "movbe", [23] = "popcnt", [24] = "tsc-deadline",
        [25] = "aes", [26] = "xsave", [27] = "osxsave", [28] = "avx", [29] = "f16c", [30] = "rdrand", [31] = "hypervisor" } },
    { 0x00000001, NONE, EDX,
      { [0] = "fpu", [1] = "vme", [2] = "de", [3] = "pse", [4] = "tsc", [5] = "msr", [6] = "pae", [7] = "mce", [8] = "cmpxchg8",
        [9] = "apic", [11] = "sysenter", [12] = "mtrr", [13] = "pge", [14] = "mca", [15] = "cmov", [16] = "pat", [17] = "pse36",
        [18] = "psn", [19] = "clfsh", [21] = "ds", [22] = "acpi", [23] = "mmx", [24] = "fxsr", [25] = "sse", [26] = "sse2",
        [27] = "ss", [28] = "htt", [29] = "tm", [30] = "ia64", [31] = "pbe" } },
    { 0x00000006, NONE, EAX, { [2] = "arat" } },
    { 0x00000007, 0, EBX,
      { [0] = "fsgsbase", [1] = "tsc_adjust", [3] = "bmi1", [4] = "hle", [5] = "avx2", [7] = "smep", [8] = "bmi2", [9] = "erms",
        [10] = "invpcid", [11] = "rtm", [12] = "cmt", [14] = "mpx", [16] = "avx512f", [17] = "avx512dq", [18] = "rdseed",
        [19] = "adx", [20] = "smap", [21] = "avx512-ifma", [23] = "clflushopt", [24] = "clwb", [25] = "proc-trace",
        [26] = "avx512pf", [27] = "avx512er", [28] = "avx512cd", [29] = "sha", [30] = "avx512bw", [31] = "avx512vl" } },
    { 0x00000007, 0, ECX,
      { [0] = "prefetchwt1", [1] = "avx512-vbmi", [2] = "umip", [3] = "pku", [4] = "ospke", [6] = "avx512-vbmi2", [7] = "cet-ss",
        [8] = "gfni", [9] = "vaes", [10] = "vpclmulqdq", [11] = "avx512-vnni", [12] = "avx512-bitalg", [14] = "avx512-vpopcntdq",
        [22] = "rdpid", [25] = "cldemote", [31] = "pks" } },
    { 0x00000007, 0, EDX,
      { [2] = "avx512-4vnniw", [3] = "avx512-4fmaps", [4] = "fsrm", [8] = "avx512-vp2intersect", [9] = "srbds-ctrl",
        [10] = "md-clear", [14] = "serialize", [16] = "tsxldtrk", [20] = "cet-ibt", [23] = "avx512-fp16", [26] = "ibrsb",
        [27] = "stibp", [28] = "l1d-flush", [29] = "arch-caps", [30] = "core-caps", [31] = "ssbd" } },
    { 0x00000007, 1, EAX,
      { [4] = "avx-vnni", [5] = "avx512-bf16", [10] = "fzrm", [11] = "fsrs", [12] = "fsrcs", [19] = "wrmsrns" } },
    { 0x00000007, 1, EDX, { [18] = "cet-sss" } },
    { 0x00000007, 2, EDX, { [0] = "intel-psfd", [5] = "mcdt-no" } },
    { 0x80000001, NONE, ECX,
      { [0] = "lahfsahf", [1] = "cmplegacy", [2] = "svm", [3] = "extapic", [4] = "altmovcr8", [5] = "abm", [6] = "sse4a",
        [7] = "misalignsse", [8] = "3dnowprefetch", [9] = "osvw", [10] = "ibs", [11] = "xop", [12] = "skinit", [13] = "wdt",
        [15] = "lwp", [16] = "fma4", [19] = "nodeid", [21] = "tbm", [22] = "topoext", [23] = "perfctr_core",
        [24] = "perfctr_nb" } },
    { 0x80000001, NONE, EDX,
      { [11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "ffxsr", [26] = "page1gb", [27] = "rdtscp", [29] = "lm",
        [30] = "3dnowext", [31] = "3dnow" } },
    { 0x80000007, NONE, EDX, { [8] = "invtsc" } },
    { 0x80000008, NONE, EBX,
      { [0] = "clzero", [2] = "rstr-fp-err-ptrs", [9] = "wbnoinvd", [12] = "ibpb", [14] = "ibrs", [15] = "amd-stibp",
        [16] = "ibrs-always", [17] = "stibp-always", [18] = "ibrs-fast", [19] = "ibrs-same-mode", [20] = "no-lmsl", [23] = "ppin",
        [24] = "amd-ssbd", [25] = "virt-ssbd", [26] = "ssb-no", [28] = "psfd", [29] = "btc-no", [30] = "ibpb-ret" } },
    { 0x8000000a, NONE, EDX,
      { [0] = "svm_npt", [1] = "svm_lbrv", [3] = "svm_nrips", [4] = "svm_tscrate", [5] = "svm_vmcbclean", [7] = "svm_decode",
        [10] = "svm_pausefilt" } },
    { 0x80000021, NONE, EAX, { [2] = "lfence+", [6] = "nscb" } },
};
// clang-format on

static bool same_name(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && !strncmp(name, text, len);
}

static bool field_find(const char *name, size_t len, struct field *f)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (same_name(fields[i].name, name, len)) {
            *f = fields[i];
            return true;
        }
    for (size_t i = 0; i < COUNT(names); i++)
        for (uint8_t bit = 0; bit < 32; bit++)
            if (names[i].bit[bit] && same_name(names[i].bit[bit], name, len)) {
                *f = (struct field){ names[i].bit[bit], names[i].leaf, names[i].subleaf, names[i].reg, bit, 1 };
                return true;
            }
    return false;
}

/* The entry of this leaf, made if there is none. NULL: memory is short. */
static struct xl_cpuid_leaf *leaf_entry(struct xl_cpuid *c, uint32_t leaf, uint32_t subleaf)
{
    struct xl_cpuid_leaf *more;

    for (unsigned int i = 0; i < c->nr; i++)
        if (c->leaf[i].leaf == leaf && c->leaf[i].subleaf == subleaf)
            return &c->leaf[i];
    more = realloc(c->leaf, (c->nr + 1) * sizeof(*more));
    if (!more)
        return NULL;
    c->leaf = more;
    more[c->nr] = (struct xl_cpuid_leaf){ .leaf = leaf, .subleaf = subleaf };
    return &more[c->nr++];
}

static void set_letters(char reg[33], unsigned int bit, unsigned int length, char letter)
{
    memset(reg + 32 - bit - length, letter, length);
}

static void set_number(char reg[33], unsigned int bit, unsigned int length, uint32_t n)
{
    for (unsigned int i = 0; i < length; i++)
        reg[31 - bit - i] = n >> i & 1 ? '1' : '0';
}

/* Family and model are more than their first four bits hold (AMD APM volume 3, CPUID leaf 1). */
static void set_value(char reg[33], const struct field *f, char letter, uint32_t n)
{
    const bool family = !strcmp(f->name, "family"), model = !strcmp(f->name, "model");
    const unsigned int length = family || model ? 4 : f->length, extra = family ? 20 : 16,
                       extra_length = family ? 8 : 4;

    if (letter) {
        set_letters(reg, f->bit, length, letter);
        if (family || model)
            set_letters(reg, extra, extra_length, letter);
        return;
    }
    set_number(reg, f->bit, length, family && n > 15 ? 15 : n);
    if (family)
        set_number(reg, extra, extra_length, n > 15 ? n - 15 : 0);
    if (model)
        set_number(reg, extra, extra_length, n >> 4);
}

/* A number, and behind it one of `ends` or the end of the text, where *rest is then. */
static bool number_parse(const char *text, const char *ends, uint64_t max, uint32_t *n, const char **rest)
{
    char *stop;
    unsigned long long v;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    v = strtoull(text, &stop, 0);
    if (errno || v > max || !strchr(ends, *stop))
        return false;
    *n = (uint32_t)v;
    *rest = stop;
    return true;
}

static void name_unknown(const char *text, size_t len, char *why, size_t why_len)
{
    const char *all[COUNT(fields) + COUNT(names) * 32];
    char name[64], hint[NEAREST_HINT_SIZE];
    size_t nr = 0;

    for (size_t i = 0; i < COUNT(fields); i++)
        all[nr++] = fields[i].name;
    for (size_t i = 0; i < COUNT(names); i++)
        for (unsigned int bit = 0; bit < 32; bit++)
            if (names[i].bit[bit])
                all[nr++] = names[i].bit[bit];
    snprintf(name, sizeof(name), "%.*s", len > 63 ? 63 : (int)len, text);
    snprintf(why, why_len, "unknown name of a CPUID flag: \"%s\"%s (xl.cfg(5) lists them)", name,
             nearest_hint(name, all, nr, "", hint));
}

/* One "NAME=VALUE", up to a comma or the end. */
static bool word_parse(struct xl_cpuid *c, const char *word, size_t len, char *why, size_t why_len)
{
    const char *value = memchr(word, '=', len), *rest;
    struct xl_cpuid_leaf *entry;
    struct field f;
    char letter = 0;
    uint32_t n = 0;
    uint64_t max;

    if (!value) {
        snprintf(why, why_len, "expected NAME=VALUE, got \"%.*s\"", (int)len, word);
        return false;
    }
    if (!field_find(word, (size_t)(value - word), &f)) {
        name_unknown(word, (size_t)(value - word), why, why_len);
        return false;
    }
    value++;
    max = !strcmp(f.name, "family") ? 15 + 255 : (UINT64_C(1) << f.length) - 1;
    if (word + len == value + 1 && strchr("xks", *value)) {
        letter = *value;
    } else if (!number_parse(value, ",", max, &n, &rest)) {
        snprintf(why, why_len, "%s is to be a number from 0 to %llu, or x, k or s, not \"%.*s\"", f.name,
                 (unsigned long long)max, (int)(word + len - value), value);
        return false;
    }
    entry = leaf_entry(c, f.leaf, f.subleaf);
    if (!entry) {
        snprintf(why, why_len, "not enough memory");
        return false;
    }
    if (!*entry->reg[f.reg])
        memset(entry->reg[f.reg], 'x', 32);
    set_value(entry->reg[f.reg], &f, letter, n);
    return true;
}

bool xl_cpuid_parse_names(struct xl_cpuid *c, const char *text, char *why, size_t len)
{
    bool first = true;

    for (const char *word = text, *end;; word = end + 1) {
        end = word + strcspn(word, ",");
        if (end > word || (first && !*end)) {
            if (first && !same_name("host", word, (size_t)(end - word))) {
                snprintf(why, len, "the first word is to be \"host\", got \"%.*s\"", (int)(end - word), word);
                return false;
            }
            if (!first && !word_parse(c, word, (size_t)(end - word), why, len))
                return false;
            first = false;
        }
        if (!*end)
            return true;
    }
}

/* One "REG=32 characters"; *text moves behind it. */
static bool register_parse(struct xl_cpuid_leaf *entry, const char **text, char *why, size_t len)
{
    const char *p = *text;
    const int reg = p[0] == 'e' && p[1] >= 'a' && p[1] <= 'd' && p[2] == 'x' && p[3] == '=' ? p[1] - 'a' : -1;
    size_t bits;

    if (reg < 0) {
        snprintf(why, len, "expected eax=, ebx=, ecx= or edx=, got \"%.40s\"", p);
        return false;
    }
    bits = strspn(p + 4, "01xks");
    if (bits != 32 || (p[36] && p[36] != ',')) {
        snprintf(why, len, "expected 32 characters, each of 0, 1, x, k and s, for %.3s, got \"%.40s\"", p, p + 4);
        return false;
    }
    memcpy(entry->reg[reg], p + 4, 32);
    *text = p + 36;
    return true;
}

bool xl_cpuid_parse_leaf(struct xl_cpuid *c, const char *text, char *why, size_t len)
{
    uint32_t leaf, subleaf = NONE;
    struct xl_cpuid_leaf *entry;
    const char *p;

    if (!number_parse(text, ",:", UINT32_MAX, &leaf, &p) ||
        (*p == ',' && !number_parse(p + 1, ":", UINT32_MAX, &subleaf, &p)) || *p != ':') {
        snprintf(why, len, "expected LEAF:REG=... or LEAF,SUBLEAF:REG=..., got \"%.60s\"", text);
        return false;
    }
    entry = leaf_entry(c, leaf, subleaf);
    if (!entry) {
        snprintf(why, len, "not enough memory");
        return false;
    }
    for (p++; *p; p += strspn(p, ", \n"))
        if (!register_parse(entry, &p, why, len))
            return false;
    return true;
}

bool xl_cpuid_override(struct xl_cpuid *to, const struct xl_cpuid *from)
{
    struct xl_cpuid copy = { .nr = from->nr };

    if (!from->where)
        return true;
    copy.where = strdup(from->where);
    copy.leaf = malloc((from->nr + 1) * sizeof(*copy.leaf));
    if (!copy.where || !copy.leaf) {
        xl_cpuid_free(&copy);
        return false;
    }
    if (from->nr)
        memcpy(copy.leaf, from->leaf, from->nr * sizeof(*copy.leaf));
    xl_cpuid_free(to);
    *to = copy;
    return true;
}

void xl_cpuid_free(struct xl_cpuid *c)
{
    free(c->where);
    free(c->leaf);
    *c = (struct xl_cpuid){ 0 };
}

bool xl_cpuid_copy(struct arena *a, struct xl_cpuid *to, const struct xl_cpuid *from)
{
    *to = (struct xl_cpuid){ .nr = from->nr };
    if (!from->where)
        return true;
    to->where = xstrdup(a, from->where);
    to->leaf = xzalloc_array(a, struct xl_cpuid_leaf, from->nr);
    if (to->leaf && from->nr)
        memcpy(to->leaf, from->leaf, from->nr * sizeof(*to->leaf));
    return to->where && to->leaf;
}

void xl_cpuid_release(struct xl_cpuid *c)
{
    xfree(c->where);
    xfree(c->leaf);
}
