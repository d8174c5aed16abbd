// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments: what may be loaded, what may be reached through them, and the ways between rings.
 * AMD APM volume 2, chapter 4 (segmentation, protection), 6.1 (SYSCALL, SYSENTER), 12 (tasks).
 */
#include "guests/hvmtest/hvmtest.h"

#define S(n) (FREE + 8 * (n))

#if LONG
#define CODE 0xa09b
#else
#define CODE 0xc09b
#endif

/* A far pointer for JMP and CALL: 16:32 in either width. */
#if LONG
#define FAR(sel) "mov $" STR(sel) " << 32, %rax\npush %rax\n"
#else
#define FAR(sel) "push $" STR(sel) "\npush $0\n"
#endif

#define LOAD(sel, seg) "mov $" STR(sel) ", %eax\nmov %eax, %" seg

static void loads(void)
{
    descriptor_set(S(0), 0, 0xfffff, 0xc013);       /* data, not present */
    descriptor_set(S(1), 0, 0xfffff, 0xc099);       /* code, not readable */
    descriptor_set(S(2), 0, 0xfffff, 0xc091);       /* data, read only */
    descriptor_set(S(3), 0, 0xfffff, CODE & ~0x80); /* code, not present */
    descriptor_set(S(4), 0, 0xfffff, 0x0082);       /* LDT */
    descriptor_set(S(5), 0, 0xfffff, CODE | 4);     /* conforming */
    FACT("load beyond the GDT", KERNEL, TRAP_ERR(GP, 0x200), LOAD(0x200, "ds"));
    FACT("load of what is not present", KERNEL, TRAP_ERR(NP, 0x48), LOAD(0x48, "ds"));
    FACT("load of SS not present", KERNEL, TRAP_ERR(SS, 0x48), LOAD(0x48, "ss"));
    FACT("load of code not readable", KERNEL, TRAP_ERR(GP, 0x50), LOAD(0x50, "ds"));
    FACT("load of SS read only", KERNEL, TRAP_ERR(GP, 0x58), LOAD(0x58, "ss"));
    FACT("load of SS with RPL 3", KERNEL, TRAP_ERR(GP, 0x10), LOAD(0x13, "ss"));
    FACT("load of SS with code", KERNEL, TRAP_ERR(GP, 0x8), LOAD(0x08, "ss"));
    FACT("load of SS, null, ring 3", USER, TRAP_ERR(GP, 0), LOAD(0x3, "ss"));
    FACT("load of SS, null, ring 0", KERNEL, LONG ? NONE : TRAP_ERR(GP, 0), LOAD(0x0, "ss"));
    FACT("load of a system segment", KERNEL, TRAP_ERR(GP, 0x68), LOAD(0x68, "es"));
    FACT("load of ring 0's data, ring 3", USER, TRAP_ERR(GP, 0x10), LOAD(0x13, "ds"));
    FACT("load of a conforming segment, ring 3", USER, NONE, LOAD(0x73, "fs"));
    FACT("load of the LDT's, without", KERNEL, TRAP_ERR(GP, 0x4), LOAD(0x4, "ds"));
    FACT("load of null", USER, NONE, LOAD(0x3, "fs") "\n" LOAD(0, "gs"));
    FACT("lldt of null", KERNEL, NONE, "xor %eax, %eax\nlldt %ax");
    FACT("lldt of data", KERNEL, TRAP_ERR(GP, 0x10), "mov $0x10, %eax\nlldt %ax");
    FACT("lldt of the LDT", KERNEL, TRAP_ERR(GP, 0x4), "mov $0x4, %eax\nlldt %ax");
    FACT("ltr of null", KERNEL, TRAP_ERR(GP, 0), "xor %eax, %eax\nltr %ax");
    FACT("ltr of the busy TSS", KERNEL, TRAP_ERR(GP, TSS), "mov $" STR(TSS) ", %eax\nltr %ax");
    VALUE("str", USER, TSS, "xor %eax, %eax\nstr %ax");
    VALUE("sldt", USER, 0, "mov $7, %eax\nsldt %ax\nmovzwl %ax, %eax");
    VALUE("verw of data, read only", KERNEL, 0, "mov $0x58, %ecx\nxor %eax, %eax\nverw %cx\nsetz %al");
    VALUE("verr of data, read only", KERNEL, 1, "mov $0x58, %ecx\nxor %eax, %eax\nverr %cx\nsetz %al");
    VALUE("verr of ring 0's, ring 3", USER, 0, "mov $0x10, %ecx\nxor %eax, %eax\nverr %cx\nsetz %al");
    VALUE("lar of null", KERNEL, 0, "xor %ecx, %ecx\nxor %eax, %eax\nlar %ecx, %edx\nsetz %al");
    VALUE("lar", KERNEL, 0xc09300, "mov $0x10, %ecx\nlar %ecx, %eax\nand $0xf0ff00, %eax");
    VALUE("lsl", KERNEL, 0xffffffff, "mov $0x10, %ecx\nlsl %ecx, %eax");
}

static void transfers(void)
{
    FACT("far jmp to null", KERNEL, TRAP_ERR(GP, 0), FAR(0) "ljmp *(" SP ")");
    FACT("far ret to data", KERNEL, TRAP_ERR(GP, 0x10), "push $0x10\npush $user_left\n" LRETW);
    FACT("far ret to code not present", KERNEL, TRAP_ERR(NP, 0x60), "push $0x60\npush $user_left\n" LRETW);
    FACT("far ret to null", KERNEL, TRAP_ERR(GP, 0), "push $0\npush $user_left\n" LRETW);
    FACT("far ret to an inner ring", USER, TRAP_ERR(GP, KERNEL_CS32), "push $8\npush $user_left\n" LRETW);
    FACT("far ret to an outer ring", KERNEL, NONE,
         "mov " SP ", " AX "\npush $0x23\npush $user_stack + 4000\npush $" STR(USER_CS) "\npush $user_left\n" LRETW);
    FACT("iret to null", KERNEL, TRAP_ERR(GP, 0),
         "push $0x23\npush $user_stack + 4000\npushf\npush $0\npush $user_left\n" IRETW);
    FACT("iret to ring 3 with SS null", KERNEL, TRAP_ERR(GP, 0),
         "push $3\npush $user_stack + 4000\npushf\npush $" STR(USER_CS) "\npush $user_left\n" IRETW);
    FACT("iret to ring 3 with SS of ring 0", KERNEL, TRAP_ERR(GP, 0x10),
         "push $0x10\npush $user_stack + 4000\npushf\npush $" STR(USER_CS) "\npush $user_left\n" IRETW);
#if LONG
    FACT("iret with NT in long mode", KERNEL, TRAP_ERR(GP, 0), "pushf\norl $0x4000, (%rsp)\npopf\niretq");
    FACT("sysenter in long mode", KERNEL, TRAP(UD), "sysenter");
#endif
}

/* A call gate from ring 3: SS:SP, then CS:IP of the caller are on the TSS's stack. APM volume 2, 4.12.2. */
static void call_gates(void)
{
    const word *top = trap_stack + sizeof(trap_stack) / sizeof(word);
    const word to = (word)stubs + 16 * 0x82;

    /* low, code selector; type: a gate of 32 or 64 bits, DPL 3 */
    gdt[S(6) / 8] = (to & 0xffff) | (uint64_t)(LONG ? KERNEL_CS64 : KERNEL_CS32) << 16 | 0xec00ull << 32 |
                    (uint64_t)(to >> 16) << 48;
    gdt[S(7) / 8] = 0;
    gdt[S(8) / 8] = (to & 0xffff) | (uint64_t)(LONG ? KERNEL_CS64 : KERNEL_CS32) << 16 | 0x8c00ull << 32 |
                    (uint64_t)(to >> 16) << 48;
    gdt[S(9) / 8] = 0;
    FACT("call gate", USER, TRAP(0x82), FAR(0x7b) "lcall *(" SP ")");
    fact("call gate: from ring 3", top[-3], USER_CS);
    fact("call gate: its SS", top[-1], USER_DS);
    FACT("call gate of ring 0", USER, TRAP_ERR(GP, 0x88), FAR(0x8b) "lcall *(" SP ")");
    FACT("jmp by a gate to an inner ring", USER, TRAP_ERR(GP, LONG ? KERNEL_CS64 : KERNEL_CS32),
         FAR(0x7b) "ljmp *(" SP ")");
}

#if !LONG
/* Limits, and what a segment's type allows. APM volume 2, 4.12. */
static void limits(void)
{
    descriptor_set(S(0), 0, 0xfff, 0x40f3);                             /* data, 4 KiB */
    descriptor_set(S(1), 0, 0xfffff, 0xc0f1);                           /* read only */
    descriptor_set(S(2), 0, 0xfffff, 0xc0f9);                           /* code, not readable */
    descriptor_set(S(3), (uint32_t)user_stack, 0xfff, 0x40f3);          /* a stack, 4 KiB */
    descriptor_set(S(4), (uint32_t)user_stack - 0x1000, 0xfff, 0x40f7); /* expands down to 4 KiB */
    FACT("null, a read", USER, TRAP_ERR(GP, 0), LOAD(0, "es") "\nmov %es:user_stack, %eax");
    FACT("null, a write", USER, TRAP_ERR(GP, 0), LOAD(0, "ds") "\nmov %eax, user_stack");
    FACT("null, fs", KERNEL, TRAP_ERR(GP, 0), LOAD(0, "fs") "\nmov %fs:user_stack, %eax");
    FACT("null, lods", USER, TRAP_ERR(GP, 0), LOAD(0, "ds") "\nmov $user_stack, %esi\nlodsb");
    FACT("null, stos", USER, TRAP_ERR(GP, 0), LOAD(0, "es") "\nmov $user_stack, %edi\nstosb");
    FACT("limit: the last byte", KERNEL, NONE, LOAD(0x4b, "fs") "\nmov %fs:0xfff, %al");
    FACT("limit: behind it", USER, TRAP_ERR(GP, 0), LOAD(0x4b, "fs") "\nmov %fs:0x1000, %al");
    FACT("limit: across it", USER, TRAP_ERR(GP, 0), LOAD(0x4b, "fs") "\nmov %fs:0xffd, %eax");
    FACT("limit: across it, by registers", USER, TRAP_ERR(GP, 0),
         LOAD(0x4b, "gs") "\nmov $0xff0, %ecx\nmov $3, %edx\nadd %eax, %gs:1(%ecx,%edx,4)");
    FACT("limit: lea is none", USER, NONE, LOAD(0x4b, "ds") "\nlea 0x1000, %eax");
    FACT("limit: insb", KERNEL, TRAP_ERR(GP, 0), LOAD(0x4b, "es") "\nmov $0x1000, %edi\nmov $0x80, %dx\ninsb");
    FACT("limit: rep outsl, as far as it goes", KERNEL, TRAP_ERR(GP, 0),
         LOAD(0x4b, "ds") "\nmov $0xff8, %esi\nmov $3, %ecx\nmov $0x80, %dx\nrep outsl");
    FACT("limit: an x87 load", USER, TRAP_ERR(GP, 0), LOAD(0x4b, "fs") "\nfldl %fs:0xff9");
    FACT("read only, a read", USER, NONE, LOAD(0x53, "es") "\nmov %es:user_stack, %eax");
    FACT("read only, a write", USER, TRAP_ERR(GP, 0), LOAD(0x53, "es") "\nmov %eax, %es:user_stack");
    FACT("read only, cmp", USER, NONE, LOAD(0x53, "es") "\ncmp %eax, %es:user_stack");
    FACT("read only, inc", USER, TRAP_ERR(GP, 0), LOAD(0x53, "ds") "\nincl user_stack");
    FACT("a write by CS", USER, TRAP_ERR(GP, 0), "mov %eax, %cs:user_stack");
    FACT("a read by CS", USER, NONE, "mov %cs:user_stack, %eax");
    FACT("stack: its limit", USER, TRAP_ERR(SS, 0), LOAD(0x63, "ss") "\nmov $0x1000, %esp\npop %eax");
    FACT("stack: within", USER, TRAP(UD), LOAD(0x63, "ss") "\nmov $0x1000, %esp\npush %eax\nud2");
    FACT("stack: by ebp", USER, TRAP_ERR(SS, 0), LOAD(0x63, "ss") "\nmov $0xffd, %ebp\nmov (%ebp), %eax");
    FACT("stack: call", USER, TRAP_ERR(SS, 0), LOAD(0x63, "ss") "\nmov $2, %esp\ncall user_left");
    FACT("expand down, above", USER, NONE, LOAD(0x6b, "fs") "\nmov %fs:0x1000, %eax");
    FACT("expand down, below", USER, TRAP_ERR(GP, 0), LOAD(0x6b, "fs") "\nmov %fs:0xfff, %al");
    FACT("segments are as before", USER, NONE, "mov user_stack, %eax\nmov %eax, user_stack");
}
#endif

void facts_segments(void)
{
#if !LONG
    limits();
#endif
    loads();
    transfers();
    call_gates();
}
