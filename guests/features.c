// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * features: is CPUID a promise that is kept, both ways?
 *
 * Shows what feature bits are for. A program may execute an instruction if its bit is set, and must be told #UD if not:
 * some find out by trying. Here each bit is read and one instruction of its kind is executed. A bit that is set and an
 * instruction that gives the right value is "announced, works"; a bit that is not and #UD is "absent, #UD"; anything
 * else is a broken promise, and the guest's result. (What the toolstack takes away from one domain still executes
 * there, since the processor has it; "masked=1" on the command line says that this is meant.)
 */
#include "guests/rt/guest.h"

/* Name, leaf, register, bit; instructions, and what they leave in RAX (if they work). */
// clang-format off
#define FEATURES(X)                                                                                                            \
    X(cx8, 1, D, 8, "xor %eax, %eax; xor %edx, %edx; push $0; mov %rbx, %rsi; mov $9, %ebx; xor %ecx, %ecx; cmpxchg8b (%rsp); " \
      "mov %rsi, %rbx; pop %rax", 9)                                                                                           \
    X(cmov, 1, D, 15, "xor %eax, %eax; mov $7, %ecx; cmp %eax, %eax; cmove %ecx, %eax", 7)                                     \
    X(clflush, 1, D, 19, "clflush (%rsp); mov $1, %eax", 1)                                                                    \
    X(mmx, 1, D, 23, "mov $5, %eax; movd %eax, %mm0; paddd %mm0, %mm0; movd %mm0, %eax; emms", 10)                             \
    X(fxsr, 1, D, 24, "mov %rsp, %rcx; sub $528, %rsp; and $-16, %rsp; fxsave (%rsp); movzwl (%rsp), %eax; mov %rcx, %rsp", 0x37f) \
    X(sse, 1, D, 25, "mov $3, %eax; cvtsi2ss %eax, %xmm0; addss %xmm0, %xmm0; cvtss2si %xmm0, %eax", 6)                        \
    X(sse2, 1, D, 26, "mov $3, %eax; cvtsi2sd %eax, %xmm0; mulsd %xmm0, %xmm0; cvtsd2si %xmm0, %eax", 9)                       \
    X(sse3, 1, C, 0, "mov $3, %eax; cvtsi2ss %eax, %xmm0; movsldup %xmm0, %xmm0; haddps %xmm0, %xmm0; cvtss2si %xmm0, %eax", 6) \
    X(pclmulqdq, 1, C, 1, "mov $3, %eax; movd %eax, %xmm0; pclmulqdq $0, %xmm0, %xmm0; movd %xmm0, %eax", 5)                   \
    X(ssse3, 1, C, 9, "mov $-5, %eax; movd %eax, %xmm0; pabsd %xmm0, %xmm0; movd %xmm0, %eax", 5)                              \
    X(cx16, 1, C, 13, "mov %rsp, %rdi; and $-16, %rsp; push $0; push $0; xor %eax, %eax; xor %edx, %edx; mov %rbx, %rsi; "     \
      "mov $8, %ebx; xor %ecx, %ecx; lock cmpxchg16b (%rsp); mov %rsi, %rbx; pop %rax; mov %rdi, %rsp", 8)                     \
    X(sse4_1, 1, C, 19, "mov $9, %eax; pxor %xmm0, %xmm0; pinsrd $1, %eax, %xmm0; pextrd $1, %xmm0, %eax", 9)                  \
    X(sse4_2, 1, C, 20, "mov $-1, %eax; xor %ecx, %ecx; crc32l %ecx, %eax; not %eax; mov %eax, %eax", 0x48674bc7)              \
    X(movbe, 1, C, 22, "push $0x12; movbe (%rsp), %eax; pop %rcx", 0x12000000)                                                 \
    X(popcnt, 1, C, 23, "mov $0xff, %ecx; popcnt %ecx, %eax", 8)                                                               \
    X(aes, 1, C, 25, "pxor %xmm0, %xmm0; aesenc %xmm0, %xmm0; movd %xmm0, %eax", 0x63636363)                                   \
    X(mmxext, 0x80000001, D, 22, "mov $0x102, %eax; movd %eax, %mm0; pextrw $0, %mm0, %eax; emms", 0x102)                      \
    X(rdtscp, 0x80000001, D, 27, "rdtscp; mov $1, %eax", 1)                                                                    \
    X(lahf, 0x80000001, C, 0, "xor %eax, %eax; cmp %eax, %eax; lahf; movzbl %ah, %eax", 0x46)                                  \
    X(abm, 0x80000001, C, 5, "mov $1, %ecx; lzcnt %ecx, %eax", 31)                                                             \
    X(sse4a, 0x80000001, C, 6, "mov $0xabcd, %eax; movd %eax, %xmm0; extrq $4, $8, %xmm0; movd %xmm0, %eax", 0xbc)             \
    X(prefetchw, 0x80000001, C, 8, "prefetchw (%rsp); mov $1, %eax", 1)                                                        \
    X(fsgsbase, 7, B, 0, "rdfsbase %rdx; mov $0x1234, %ecx; wrfsbase %rcx; rdfsbase %rax; wrfsbase %rdx", 0x1234)              \
    X(bmi1, 7, B, 3, "mov $8, %ecx; tzcnt %ecx, %eax; mov $6, %edx; andn %edx, %eax, %eax", 4)                                 \
    X(bmi2, 7, B, 8, "mov $5, %eax; mov $0xf0, %ecx; pdep %ecx, %eax, %eax; rorx $4, %eax, %eax", 5)                           \
    X(erms, 7, B, 9, "push $7; push $0; mov %rsp, %rdi; lea 8(%rsp), %rsi; mov $8, %ecx; rep movsb; pop %rax; pop %rcx", 7)    \
    X(adx, 7, B, 19, "mov $1, %eax; mov $2, %ecx; stc; adcx %ecx, %eax", 4)                                                    \
    X(clflushopt, 7, B, 23, "clflushopt (%rsp); mov $1, %eax", 1)                                                              \
    X(monitor, 1, C, 3, "monitor", 0)                                                                                          \
    X(fma, 1, C, 12, "vfmadd132ss %xmm0, %xmm0, %xmm0", 0)                                                                     \
    X(xsave, 1, C, 26, "xor %ecx, %ecx; xgetbv", 0)                                                                            \
    X(avx, 1, C, 28, "vaddps %ymm0, %ymm0, %ymm0", 0)                                                                          \
    X(avx128, 1, C, 28, "vpaddd %xmm0, %xmm0, %xmm0", 0)                                                                       \
    X(f16c, 1, C, 29, "vcvtph2ps %xmm0, %xmm0", 0)                                                                             \
    X(rdrand, 1, C, 30, "rdrand %eax", 0)                                                                                      \
    X(3dnowext, 0x80000001, D, 30, "pswapd %mm0, %mm0", 0)                                                                     \
    X(3dnow, 0x80000001, D, 31, "pfadd %mm0, %mm0", 0)                                                                         \
    X(xop, 0x80000001, C, 11, "vphaddbw %xmm0, %xmm0", 0)                                                                      \
    X(skinit, 0x80000001, C, 12, "skinit", 0)                                                                                  \
    X(lwp, 0x80000001, C, 15, "slwpcb %rax", 0)                                                                                \
    X(fma4, 0x80000001, C, 16, "vfmaddss %xmm0, %xmm0, %xmm0, %xmm0", 0)                                                       \
    X(tbm, 0x80000001, C, 21, "blsfill %eax, %eax", 0)                                                                         \
    X(monitorx, 0x80000001, C, 29, "monitorx", 0)                                                                              \
    X(avx2, 7, B, 5, "vpaddd %ymm0, %ymm0, %ymm0", 0)                                                                          \
    X(invpcid, 7, B, 10, "xor %eax, %eax; invpcid -16(%rsp), %rax", 0)                                                         \
    X(rtm, 7, B, 11, "xbegin 1f; 1:", 0)                                                                                       \
    X(avx512f, 7, B, 16, "vpaddd %zmm0, %zmm0, %zmm0", 0)                                                                      \
    X(rdseed, 7, B, 18, "rdseed %eax", 0)                                                                                      \
    X(smap, 7, B, 20, "clac", 0)                                                                                               \
    X(clwb, 7, B, 24, "clwb (%rsp)", 0)                                                                                        \
    X(sha, 7, B, 29, "sha1nexte %xmm0, %xmm0", 0)                                                                              \
    X(pku, 7, C, 3, "xor %ecx, %ecx; rdpkru", 0)                                                                               \
    X(gfni, 7, C, 8, "gf2p8mulb %xmm0, %xmm0", 0)                                                                              \
    X(vaes, 7, C, 9, "vaesenc %ymm0, %ymm0, %ymm0", 0)                                                                         \
    X(vpclmulqdq, 7, C, 10, "vpclmulqdq $0, %ymm0, %ymm0, %ymm0", 0)                                                           \
    X(rdpid, 7, C, 22, "rdpid %rax", 0)                                                                                        \
    X(movdiri, 7, C, 27, "movdiri %eax, -8(%rsp)", 0)                                                                          \
    X(movdir64b, 7, C, 28, "lea -128(%rsp), %rax; and $-64, %rax; movdir64b (%rsp), %rax", 0)                                  \
    X(serialize, 7, D, 14, "serialize", 0)                                                                                     \
    X(clzero, 0x80000008, B, 0, "lea -128(%rsp), %rax; clzero", 0)
// clang-format on

#define CODE(name, leaf, reg, bit, code, value)                                                                        \
    asm(".pushsection .text; insn_" #name ": " code "; ret; .popsection");                                             \
    extern char insn_##name[];
FEATURES(CODE)

enum { A, B, C, D };

static const struct feature {
    const char *name;
    uint32_t leaf, reg, bit;
    char *code;
    uint64_t value;
} features[] = {
#define ROW(name, leaf, reg, bit, code, value) { #name, leaf, reg, bit, insn_##name, value },
    FEATURES(ROW)
};

static bool announced(const struct feature *f)
{
    uint32_t r[4] = { f->leaf };

    asm volatile("cpuid" : "+a"(r[A]), "=b"(r[B]), "+c"(r[C]), "=d"(r[D]));
    return r[f->reg] >> f->bit & 1;
}

static long run(long arg)
{
    unsigned long rax = (unsigned long)features[arg].code;

    asm volatile("call *%0" : "+a"(rax) : : "rcx", "rdx", "rsi", "rdi", "r8", "memory", "cc");
    return (long)rax;
}

int guest_main(void)
{
    const bool masked = cmdline_number("masked", 0);
    unsigned int kept = 0;
    uint64_t cr4;

    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    asm volatile("mov %0, %%cr4" : : "r"(cr4 | 1u << 16)); /* FSGSBASE, if that is granted */
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const struct feature *f = &features[i];
        const bool bit = announced(f);
        const struct caught c = trap_catch(run, (long)i);
        const bool works = !c.trapped && (uint64_t)c.result == f->value;
        const bool undefined = c.trapped && c.vector == TRAP_INVALID_OP;

        kept += bit ? works : undefined || (masked && works);
        printf("%-10s %s, ", f->name, bit ? "announced" : "absent");
        if (c.trapped)
            printf("%s\n", trap_name(c.vector));
        else
            printf("%s: %lx\n", bit && works ? "works" : bit ? "wrong" : "executes", c.result);
    }
    printf("%u of %u promises are kept\n", kept, (unsigned int)ARRAY_SIZE(features));
    return kept == ARRAY_SIZE(features) ? 0 : 1;
}
