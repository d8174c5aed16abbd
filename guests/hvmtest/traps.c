// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions: which instruction raises which, with which error code, and where the processor says that it was.
 * AMD APM volume 2, chapter 8 (each vector), volume 3 (each instruction).
 */
#include "guests/hvmtest/hvmtest.h"

#define CR0_MP   0x2
#define CR0_EM   0x4
#define CR0_TS   0x8
#define CR0_NE   0x20
#define CR0_AM   0x40000
#define CR4_FXSR 0x200
#define CR4_XMM  0x400

static uint8_t *code_buffer; /* a probe of four bytes */

/* CD n: all vectors are there, but ring 3 may use three; an error code that INT does not push is not there. */
static void software_interrupts(void)
{
    static char name[] = "int 0x?? from ring 0", user[] = "int 0x?? from ring 3";
    static const char digit[] = "0123456789abcdef";

    code_buffer = (uint8_t *)(word)PROBE("int $0");
    for (unsigned int n = 0; n < 32; n++) {
        code_buffer[1] = (uint8_t)n;
        name[6] = user[6] = digit[n >> 4];
        name[7] = user[7] = digit[n & 15];
        fact(name, probe_run(KERNEL, code_buffer), TRAP(n));
        fact(user, probe_run(USER, code_buffer), n == BP || n == OF ? TRAP(n) : TRAP_ERR(GP, n * 8 + 2));
    }
}

/* Beyond the IDT's limit; an IDT's entry that is not there, or no gate. */
static void gates(void)
{
    extern char idt_pointer[];
    uint8_t *entry = (uint8_t *)idt + 0x20 * 2 * sizeof(word);
    const uint8_t type = entry[5];

    idt_pointer[0] = (char)(0x20 * 2 * sizeof(word) - 1);
    idt_pointer[1] = (char)((0x20 * 2 * sizeof(word) - 1) >> 8);
    __asm__ volatile("lidt %0" ::"m"(*idt_pointer));
    FACT("int beyond the IDT", KERNEL, TRAP_ERR(GP, 0x20 * 8 + 2), "int $0x20");
    idt_pointer[0] = (char)(256 * 2 * sizeof(word) - 1);
    idt_pointer[1] = (char)((256 * 2 * sizeof(word) - 1) >> 8);
    __asm__ volatile("lidt %0" ::"m"(*idt_pointer));
    entry[5] = type & 0x7f;
    FACT("int by a gate not present", KERNEL, TRAP_ERR(NP, 0x20 * 8 + 2), "int $0x20");
    entry[5] = 0x92;
    FACT("int by a data segment", KERNEL, TRAP_ERR(GP, 0x20 * 8 + 2), "int $0x20");
    entry[5] = type;
    gate_set(0x20, stubs, 0, 0);
    FACT("int by a gate with a null selector", KERNEL, TRAP_ERR(GP, 0), "int $0x20");
    gate_set(0x20, stubs, KERNEL_DS, 0);
    FACT("int by a gate to data", KERNEL, TRAP_ERR(GP, KERNEL_DS), "int $0x20");
    gate_set(0x20, stubs, 0x200, 0);
    FACT("int by a gate beyond the GDT", KERNEL, TRAP_ERR(GP, 0x200), "int $0x20");
    gate_set(0x20, stubs, USER_CS, 0);
    FACT("int by a gate to an outer ring", KERNEL, TRAP_ERR(GP, USER_CS & ~3u), "int $0x20");
    gate_set(0x20, stubs + 16 * 0x20, LONG ? KERNEL_CS64 : KERNEL_CS32, 0);
}

static void faults(void)
{
    AT("div by 0", KERNEL, TRAP(DE), "xor %ecx, %ecx\n772: div %ecx");
    AT("div overflows", USER, TRAP(DE), "mov $2, %edx\nmov $1, %ecx\n772: div %ecx");
    AT("idiv overflows", KERNEL, TRAP(DE), "mov $0x80000000, %eax\ncltd\nmov $-1, %ecx\n772: idiv %ecx");
    AT("int3", USER, TRAP(BP), "int3\n772:");
    AT("int $3", KERNEL, TRAP(BP), "int $3\n772:");
    AT("ud2", USER, TRAP(UD), "nop\n772: ud2");
    FACT("ud0", KERNEL, TRAP(UD), ".byte 0x0f, 0xff, 0xc0");
    FACT("ud1", KERNEL, TRAP(UD), ".byte 0x0f, 0xb9, 0xc0");
    AT("icebp", USER, TRAP(DB), ".byte 0xf1\n772:");
    FACT("forced emulation is off", KERNEL, TRAP(UD), "ud2\n.ascii \"xen\"\nnop");
#if LONG
    FACT("into", KERNEL, TRAP(UD), ".byte 0xce");
    FACT("push es", KERNEL, TRAP(UD), ".byte 0x06");
    FACT("aam", KERNEL, TRAP(UD), ".byte 0xd4, 0x0a");
    FACT("pusha", KERNEL, TRAP(UD), ".byte 0x60");
    FACT("far call, immediate", KERNEL, TRAP(UD), ".byte 0x9a, 0, 0, 0, 0, 8, 0");
#else
    AT("into with OF", USER, TRAP(OF), "mov $0x7f, %al\ninc %al\n.byte 0xce\n772:");
    FACT("into without OF", USER, NONE, "xor %eax, %eax\n.byte 0xce");
    AT("bound outside", USER, TRAP(BR), "push $2\npush $1\nmov $3, %eax\n772: bound %eax, (%esp)");
    FACT("bound within", USER, NONE, "push $2\npush $1\nmov $2, %eax\nbound %eax, (%esp)\nadd $8, %esp");
    FACT("aam by 0", KERNEL, TRAP(DE), ".byte 0xd4, 0x00");
    FACT("bound of a register", KERNEL, TRAP(UD), ".byte 0x62, 0xc0");
    FACT("les of a register", KERNEL, TRAP(UD), ".byte 0xc4, 0xc0");
#endif
    FACT("lea of a register", KERNEL, TRAP(UD), ".byte 0x8d, 0xc0");
    FACT("mov to cs", KERNEL, TRAP(UD), ".byte 0x8e, 0xc8");
    FACT("mov to segment 6", KERNEL, TRAP(UD), ".byte 0x8e, 0xf0");
    FACT("cmpxchg8b of a register", KERNEL, TRAP(UD), ".byte 0x0f, 0xc7, 0xc8");
}

/* LOCK, the length of instructions, and who may have which prefix. APM volume 3, 1.2. */
static void prefixes(void)
{
    FACT("lock nop", KERNEL, TRAP(UD), ".byte 0xf0, 0x90");
    FACT("lock add to a register", KERNEL, TRAP(UD), ".byte 0xf0, 0x01, 0xc0");
    FACT("lock cmp", KERNEL, TRAP(UD), ".byte 0xf0, 0x39, 0x04, 0x24");
    FACT("lock mov", KERNEL, TRAP(UD), ".byte 0xf0, 0x89, 0x04, 0x24");
    FACT("lock bt", KERNEL, TRAP(UD), ".byte 0xf0, 0x0f, 0xa3, 0x04, 0x24");
    FACT("lock bts of a register", KERNEL, TRAP(UD), ".byte 0xf0, 0x0f, 0xab, 0xc0");
    FACT("lock lidt", KERNEL, TRAP(UD), ".byte 0xf0, 0x0f, 0x01, 0x1c, 0x24");
    FACT("lock inc", USER, NONE, "lock incl -32(" SP ")");
    FACT("lock add, not", USER, NONE, "lock addl $1, -32(" SP ")\nlock notl -32(" SP ")");
    FACT("lock cmpxchg, xadd", USER, NONE, "lock cmpxchg %ecx, -32(" SP ")\nlock xadd %ecx, -32(" SP ")");
    FACT("15 bytes", USER, NONE, ".fill 14, 1, 0x66\nnop");
    AT("16 bytes", USER, TRAP_ERR(GP, 0), "772: .fill 15, 1, 0x66\nnop");
}

/* The floating-point units, and CR0's bits that forbid them. APM volume 2, 3.1.1, 8.2.8, 8.2.17, 8.2.20. */
static void fpu(void)
{
    const word cr0 = READ(cr0), cr4 = READ(cr4), base = (cr0 & ~(word)(CR0_MP | CR0_EM | CR0_TS)) | CR0_NE;
    static const uint32_t ok = 0x1f80, unmasked = 0x1d80;

    WRITE(cr4, cr4 | CR4_FXSR | CR4_XMM);
    WRITE(cr0, base);
    FACT("x87", USER, NONE, "fninit\nfldz\nfstp %st(0)\nfwait");
    FACT("sse", USER, NONE, "xorps %xmm0, %xmm0");
    FACT("mmx", USER, NONE, "pxor %mm0, %mm0\nemms");
    WRITE(cr0, base | CR0_TS);
    FACT("x87, TS", USER, TRAP(NM), "fninit");
    FACT("sse, TS", USER, TRAP(NM), "xorps %xmm0, %xmm0");
    FACT("mmx, TS", USER, TRAP(NM), "pxor %mm0, %mm0");
    FACT("fwait, TS without MP", USER, NONE, "fwait");
    WRITE(cr0, base | CR0_MP);
    FACT("fwait, MP without TS", USER, NONE, "fwait");
    WRITE(cr0, base | CR0_TS | CR0_MP);
    FACT("fwait, TS and MP", USER, TRAP(NM), "fwait");
    FACT("fxsave, TS", USER, TRAP(NM), "mov $user_stack, " AX "\nfxsave (" AX ")");
    FACT("prefetch, TS", USER, NONE, "prefetcht0 (" SP ")");
    FACT("sfence, TS", USER, NONE, "sfence\nlfence\nmfence");
    WRITE(cr0, base | CR0_EM);
    FACT("x87, EM", USER, TRAP(NM), "fninit");
    FACT("sse, EM", USER, TRAP(UD), "xorps %xmm0, %xmm0");
    FACT("mmx, EM", USER, TRAP(UD), "pxor %mm0, %mm0");
    FACT("fwait, EM", USER, NONE, "fwait");
    FACT("fxsave, EM", USER, TRAP(NM), "mov $user_stack, " AX "\nfxsave (" AX ")");
    WRITE(cr0, base | CR0_EM | CR0_TS);
    FACT("sse, EM and TS", USER, TRAP(UD), "xorps %xmm0, %xmm0");
    WRITE(cr0, base);
    WRITE(cr4, (cr4 | CR4_XMM) & ~(word)CR4_FXSR);
    FACT("sse without OSFXSR", USER, TRAP(UD), "xorps %xmm0, %xmm0");
    WRITE(cr4, cr4 | CR4_FXSR | CR4_XMM);
    FACT("#MF at the next", USER, TRAP(MF),
         "fninit\npush $0x33b\nfldcw (" SP ")\npop " AX "\nfldz\nfld1\nfdivp\nfwait");
    FACT("no #MF by fninit", USER, NONE, "fninit");
    __asm__ volatile("fninit\nldmxcsr %0" ::"m"(unmasked));
    FACT("#XM", USER, TRAP(XM), "xorps %xmm0, %xmm0\nmov $0x3f800000, %eax\nmovd %eax, %xmm1\ndivss %xmm0, %xmm1");
    WRITE(cr4, (cr4 | CR4_FXSR) & ~(word)CR4_XMM);
    __asm__ volatile("ldmxcsr %0" ::"m"(unmasked));
    FACT("#UD for #XM without OSXMMEXCPT", USER, TRAP(UD),
         "xorps %xmm0, %xmm0\nmov $0x3f800000, %eax\nmovd %eax, %xmm1\ndivss %xmm0, %xmm1");
    WRITE(cr4, cr4 | CR4_FXSR | CR4_XMM);
    FACT("mxcsr's reserved bits", USER, TRAP_ERR(GP, 0), "push $0x40000\nldmxcsr (" SP ")");
    FACT("movaps of what is not aligned", USER, TRAP_ERR(GP, 0), "movaps -33(" SP "), %xmm0");
    FACT("movups of what is not aligned", USER, NONE, "movups -33(" SP "), %xmm0");
    __asm__ volatile("ldmxcsr %0" ::"m"(ok));
    WRITE(cr0, cr0);
    WRITE(cr4, cr4);
}

#define AC_ON "pushf\norl $0x40000, (" SP ")\npopf\n"

/* Alignment: ring 3, CR0.AM and RFLAGS.AC. APM volume 2, 8.2.18. */
static void alignment(void)
{
    const word cr0 = READ(cr0);

    FACT("not aligned, AM clear", USER, NONE, AC_ON "mov -31(" SP "), %eax");
    WRITE(cr0, cr0 | CR0_AM);
    FACT("not aligned, AC clear", USER, NONE, "mov -31(" SP "), %eax");
    FACT("not aligned, ring 0", KERNEL, NONE, AC_ON "mov -31(" SP "), %eax");
    FACT("not aligned, AC and AM", USER, TRAP_ERR(AC, 0), AC_ON "mov -31(" SP "), %eax");
    FACT("not aligned, a store", USER, TRAP_ERR(AC, 0), AC_ON "mov %ax, -31(" SP ")");
    FACT("not aligned, bytes", USER, NONE, AC_ON "mov %al, -31(" SP ")");
    FACT("not aligned, a push", USER, TRAP_ERR(AC, 0), AC_ON "lea -1(" SP "), " SP "\npush " AX);
    FACT("not aligned, movs", USER, TRAP_ERR(AC, 0),
         AC_ON "mov $user_stack, " SI "\nmov $user_stack + 17, " DI "\nmovsl");
    FACT("not aligned, rep movs of none", USER, NONE,
         AC_ON "mov $user_stack, " SI "\nmov $user_stack + 17, " DI "\nxor %ecx, %ecx\nrep movsl");
    FACT("aligned, AC and AM", USER, NONE, AC_ON "mov -32(" SP "), %eax");
    WRITE(cr0, cr0);
}

/* Instructions of ring 0, in ring 3. */
static void privileged(void)
{
    FACT("hlt, ring 3", USER, TRAP_ERR(GP, 0), "hlt");
    FACT("cli, ring 3", USER, TRAP_ERR(GP, 0), "cli");
    FACT("in, ring 3", USER, TRAP_ERR(GP, 0), "in $0x80, %al");
    FACT("outs, ring 3", USER, TRAP_ERR(GP, 0), "mov " SP ", " AX "\nmov $0x80, %edx\noutsb");
    FACT("mov from cr0, ring 3", USER, TRAP_ERR(GP, 0), "mov %cr0, " AX);
    FACT("mov to cr1, ring 3", USER, TRAP_ERR(GP, 0), ".byte 0x0f, 0x22, 0xc8");
    FACT("mov to cr1, ring 0", KERNEL, TRAP(UD), ".byte 0x0f, 0x22, 0xc8");
    FACT("mov from dr0, ring 3", USER, TRAP_ERR(GP, 0), "mov %dr0, " AX);
    FACT("lgdt, ring 3", USER, TRAP_ERR(GP, 0), "lgdt (" SP ")");
    FACT("lidt, ring 3", USER, TRAP_ERR(GP, 0), "lidt (" SP ")");
    FACT("lldt, ring 3", USER, TRAP_ERR(GP, 0), "xor %eax, %eax\nlldt %ax");
    FACT("ltr, ring 3", USER, TRAP_ERR(GP, 0), "xor %eax, %eax\nltr %ax");
    FACT("clts, ring 3", USER, TRAP_ERR(GP, 0), "clts");
    FACT("lmsw, ring 3", USER, TRAP_ERR(GP, 0), "lmsw %ax");
    FACT("invlpg, ring 3", USER, TRAP_ERR(GP, 0), "invlpg (" SP ")");
    FACT("wbinvd, ring 3", USER, TRAP_ERR(GP, 0), "wbinvd");
    FACT("invd, ring 3", USER, TRAP_ERR(GP, 0), "invd");
    FACT("rdmsr, ring 3", USER, TRAP_ERR(GP, 0), "mov $0x10, %ecx\nrdmsr");
    FACT("wrmsr, ring 3", USER, TRAP_ERR(GP, 0), "mov $0x10, %ecx\nwrmsr");
    FACT("iret to ring 0 from ring 3", USER, TRAP_ERR(GP, KERNEL_CS32),
         "push $0x23\npush $user_stack\npushf\npush $8\npush $user_left\n" IRETW);
    FACT("popf of IF, ring 3", USER, NONE, "pushf\norl $0x200, (" SP ")\npopf");
    VALUE("which popf ignores", USER, 0, "pushf\npop " AX "\nand $0x200, %eax");
    VALUE("popf of IOPL, ring 3", USER, 0, "pushf\norl $0x3000, (" SP ")\npopf\npushf\npop " AX "\nand $0x3000, %eax");
    FACT("vmrun", KERNEL, TRAP(UD), "vmrun");
    FACT("vmload", KERNEL, TRAP(UD), "vmload");
    FACT("clgi", KERNEL, TRAP(UD), "clgi");
    FACT("stgi, ring 3", USER, TRAP(UD), "stgi");
    FACT("vmcall", KERNEL, TRAP(UD), "vmcall");
    FACT("vmxoff", KERNEL, TRAP(UD), ".byte 0x0f, 0x01, 0xc4");
    FACT("monitor", KERNEL, TRAP(UD), "monitor");
    FACT("mwait, ring 3", USER, TRAP(UD), "mwait");
    FACT("rsm", KERNEL, TRAP(UD), "rsm");
    FACT("xgetbv without OSXSAVE", USER, TRAP(UD), "xor %ecx, %ecx\nxgetbv");
    FACT("rdtsc", USER, NONE, "rdtsc");
    FACT("rdpmc, ring 3", USER, TRAP_ERR(GP, 0), "xor %ecx, %ecx\nrdpmc");
}

void facts_traps(void)
{
    software_interrupts();
    gates();
    faults();
    prefixes();
    fpu();
    alignment();
    privileged();
}
