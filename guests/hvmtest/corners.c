// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Corners: RF and TF in frames, bases of FS and GS, compatibility mode, ports' bitmap, SMEP, large and global pages.
 * AMD APM volume 2, 3.1 (CR4), 5.3 (large pages), 8.7 (frames), 12.2.4 (bitmap), volume 3 (each instruction).
 */
#include "guests/hvmtest/hvmtest.h"

#define RF       0x10000
#define CR4_PGE  0x80
#define CR4_FSGS 0x10000
#define CR4_SMEP 0x100000

static void frames(void)
{
    FACT("a fault's frame", USER, TRAP(UD), "ud2");
    fact("a fault's frame: RF", trap.flags & RF, RF);
    FACT("a trap's frame", USER, TRAP(BP), "int3");
    fact("a trap's frame: no RF", trap.flags & RF, 0);
    FACT("int's frame", KERNEL, TRAP(0x22), "int $0x22");
    fact("int's frame: no RF", trap.flags & RF, 0);
    FACT("icebp's frame", USER, TRAP(DB), ".byte 0xf1");
    fact("icebp's frame: no RF", trap.flags & RF, 0);
    FACT("int from TF", USER, TRAP(BP), "pushf\norl $0x100, (" SP ")\npopf\nint3");
    fact("int from TF: it is in the frame", trap.flags & 0x100, 0x100);
    FACT("popf does not set RF or VM", KERNEL, NONE, "pushf\norl $0x30000, (" SP ")\npopf");
    VALUE("pushf: RF is clear", KERNEL, 0, "pushf\npop " AX "\nand $0x30000, %eax");
    VALUE("pushf: bit 1 is set", USER, 2, "push $0\npopf\npushf\npop " AX "\nand $0x802a, %eax");
    FACT("hlt with TF", KERNEL, TRAP(DB),
         "mov $0xfee00300, %eax\nmovl $0x40022, (" AX ")\npushf\norl $0x100, (" SP ")\npopf\nnop");
    *(volatile uint32_t *)0xfee000b0 = 0;
}

static void ports(void)
{
    static uint8_t big_tss[104 + 0x20] __attribute__((aligned(256)));

    for (unsigned int i = 0; i < 104; i++)
        big_tss[i] = tss[i];
    big_tss[102] = 104;
    for (unsigned int i = 104; i < sizeof(big_tss); i++)
        big_tss[i] = 0xff;
    big_tss[104 + 0x80 / 8] = 0xfe;
    descriptor_set(TSS, (uint32_t)(word)big_tss, sizeof(big_tss) - 1, 0x89);
    __asm__ volatile("ltr %w0" ::"r"(TSS));
    FACT("bitmap: a port that is allowed", USER, NONE, "in $0x80, %al");
    FACT("bitmap: its neighbour", USER, TRAP_ERR(GP, 0), "in $0x81, %al");
    FACT("bitmap: both by a word", USER, TRAP_ERR(GP, 0), "in $0x80, %ax");
    FACT("bitmap: beyond it", USER, TRAP_ERR(GP, 0), "mov $0x1000, %edx\nin %dx, %al");
    FACT("ring 0 needs none", KERNEL, NONE, "in $0x81, %al");
    probe_flags = 0x3002;
    FACT("IOPL 3 needs none", USER, NONE, "in $0x81, %al\ncli");
    FACT("IOPL 3: hlt is ring 0's", USER, TRAP_ERR(GP, 0), "hlt");
    probe_flags = 2;
    descriptor_set(TSS, (uint32_t)(word)tss, 103, 0x89);
    __asm__ volatile("ltr %w0" ::"r"(TSS));
}

#if LONG
static void bases(void)
{
    const word cr4 = READ(cr4);

    FACT("rdfsbase without FSGSBASE", USER, TRAP(UD), "rdfsbase %rax");
    WRITE(cr4, cr4 | CR4_FSGS);
    VALUE("wrfsbase, rdfsbase", USER, 0x123456789, "movabs $0x123456789, %rcx\nwrfsbase %rcx\nrdfsbase %rax");
    VALUE("wrgsbase of 32 bits", USER, 0x9abcdef0, "movabs $0x123456789abcdef0, %rcx\nwrgsbase %ecx\nrdgsbase %rax");
    FACT("wrfsbase, not canonical", USER, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $47, %rax\nwrfsbase %rax");
    VALUE("fs: its base", USER, 0x5a,
          "movl $0x5a, user_stack + 8\nmov $user_stack, %ecx\nwrfsbase %rcx\nmov %fs:8, %eax");
    VALUE("fs: a null selector's base", USER, 0, "xor %ecx, %ecx\nmov %ecx, %fs\nrdfsbase %rax");
    VALUE("swapgs", KERNEL, 1, "mov $1, %ecx\nwrgsbase %rcx\nswapgs\nswapgs\nrdgsbase %rax");
    FACT("swapgs, ring 3", USER, TRAP_ERR(GP, 0), "swapgs");
    WRITE(cr4, cr4);
}

#define COMPAT(code)                                                                                                   \
    "push $0x23\npush $user_stack + 4000\npush $2\npush $0x1b\npush $779f\niretq\n.code32\n779: " code                 \
    "\nint $0x81\n.code64\n772:"

static void compatibility(void)
{
    VALUE("compatibility mode", KERNEL, 0x12345678, COMPAT("mov $0x12345678, %eax"));
    fact("compatibility mode: CS", trap.cs, USER_CS32);
    VALUE("compatibility mode: inc is no prefix", KERNEL, 1, COMPAT("xor %eax, %eax\n.byte 0x40\nnop"));
    FACT("compatibility mode: syscall without SCE", KERNEL, TRAP(UD), COMPAT("syscall"));
    FACT("compatibility mode: sysenter", KERNEL, TRAP(UD), COMPAT("sysenter"));
    FACT("compatibility mode: null DS", KERNEL, TRAP_ERR(GP, 0),
         COMPAT("xor %eax, %eax\nmov %eax, %ds\nmov user_stack, %eax"));
    FACT("compatibility mode: a far jmp to 64-bit code", KERNEL, NONE, COMPAT("ljmp $0x2b, $user_left"));
    fact("compatibility mode: is left", trap.cs, USER_CS64);
    VALUE("compatibility mode: aam", KERNEL, 0x102, COMPAT("mov $12, %eax\naam"));
    VALUE("shld by an immediate, from rip", USER, 0xbcdef011,
          "movl $0xabcdef01, user_stack + 40\nmov $0x12345678, %ecx\nshldl $4, %ecx, user_stack + 40(%rip)\n"
          "mov user_stack + 40, %eax");
    FACT("compatibility mode: int3", KERNEL, TRAP(BP), COMPAT("int3"));
    FACT("compatibility mode: not present", KERNEL, TRAP_ERR(NP, 0x48),
         "movl $0xcf7300, gdt + 0x4c\n" COMPAT("mov $0x48, %eax\nmov %eax, %ds"));
    VALUE("compatibility mode: ring 3's hypercall", KERNEL, 0xffffffff, COMPAT("mov $17, %eax\nvmmcall"));
}

/* Where the stack is not canonical. */
static void stacks(void)
{
#define BAD "mov $1, %ecx\nshl $47, %rcx\nadd $64, %rcx\n"
    FACT("not canonical, pop", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\npop %rax");
    FACT("not canonical, call", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\ncall user_left");
    FACT("not canonical, ret by rsp", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\nret");
    FACT("not canonical, leave", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rbp\nleave");
    FACT("not canonical, enter", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\nenter $0, $0");
    FACT("not canonical, iret by rsp", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\niretq");
    FACT("not canonical, far ret by rsp", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\nlretq");
    FACT("not canonical, pushf", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rsp\npushf");
    FACT("not canonical, r13", USER, TRAP_ERR(GP, 0), BAD "mov %rcx, %r13\nmov (%r13), %eax");
    FACT("not canonical, r12", USER, TRAP_ERR(GP, 0), BAD "mov %rcx, %r12\nmov (%r12), %eax");
    FACT("not canonical, stos", USER, TRAP_ERR(GP, 0), BAD "mov %rcx, %rdi\nstosb");
    FACT("not canonical, the last byte", USER, TRAP_ERR(GP, 0), "mov $1, %ecx\nshl $47, %rcx\nmov -3(%rcx), %eax");
    FACT("not canonical, index by rbp", USER, TRAP_ERR(GP, 0),
         BAD "mov %rcx, %rbp\nxor %eax, %eax\nmov (%rax,%rbp), %eax");
    FACT("not canonical, call by memory", USER, TRAP_ERR(GP, 0), BAD "call *(%rcx)");
    FACT("not canonical, jmp by memory, rbp", USER, TRAP_ERR(SS, 0), BAD "mov %rcx, %rbp\njmp *(%rbp)");
    FACT("not canonical, fxsave", USER, TRAP_ERR(GP, 0), BAD "mov %rcx, %rax\nfxsave (%rax)");
    FACT("fxsave, not aligned", USER, TRAP_ERR(GP, 0), "fxsave user_stack + 8");
    FACT("cmpxchg16b, not aligned", USER, TRAP_ERR(GP, 0), "cmpxchg16b user_stack + 8");
}
#endif

#if LEVELS
static void smep(void)
{
    uint32_t a = 7, b, c = 0, d;
    const word cr4 = READ(cr4);

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    fact("cpuid: SMEP", b >> 7 & 1, 1);
    WRITE(cr4, cr4 | CR4_SMEP);
    FACT("smep: ring 0 runs ring 3's", KERNEL, TRAP_ERR(PF, 0x11), "nop");
    FACT("smep: ring 3", USER, NONE, "nop");
    WRITE(cr4, cr4);
    FACT("smep: off", KERNEL, NONE, "nop");
}

/* A global page stays in the TLB when CR3 is written, another does not; INVLPG takes out both. */
static void global_pages(void)
{
    const word cr4 = READ(cr4);
    const uint64_t page = pte_get(pages);
    volatile uint8_t *at = pages;

    WRITE(cr4, cr4 | CR4_PGE);
    pte_set(pages, page | 1);
    (void)*at;
#if LEVELS == 2
    ((uint32_t *)(void *)first_table)[(word)pages >> 12] = 0;
#else
    ((uint64_t *)(void *)first_table)[(word)pages >> 12] = 0;
#endif
    WRITE(cr3, READ(cr3));
    FACT("a page that is gone, behind mov to cr3", KERNEL, TRAP_ERR(PF, 0), "mov pages, %eax");
    pte_set(pages, page);
    WRITE(cr4, cr4);
}

/* The large page at 8 MiB: NX, A and D, a write to what is read only. */
static void large_pages(void)
{
#if LEVELS == 2
    volatile uint32_t *entry = (uint32_t *)top_table + 2;
    char *at = (char *)(2 << 22);
#else
    volatile uint64_t *entry = (uint64_t *)(void *)(first_table + 4096) + 4;
    char *at = (char *)(4 << 21);
#endif
    *entry &= ~0x66u;
    __asm__ volatile("invlpg %0" ::"m"(*at));
    __asm__ volatile("mov %0, %%eax" ::"m"(*at) : "eax");
    fact("large page: a read sets A", *entry & 0x60, 0x20);
    __asm__ volatile("mov %cr0, " AX "\nor $0x10000, %eax\nmov " AX ", %cr0");
    *(word *)(void *)user_stack = (word)at;
    FACT("large page: a write to what is read only", KERNEL, TRAP_ERR(PF, 3),
         "mov user_stack, " AX "\nmovl $0, (" AX ")");
    FACT("large page: ring 3", USER, TRAP_ERR(PF, 5), "mov user_stack, " AX "\nmov (" AX "), %eax");
    *entry |= 2;
    __asm__ volatile("invlpg %0" ::"m"(*at));
    FACT("large page: a write", KERNEL, NONE, "mov user_stack, " AX "\nmovl $0, (" AX ")");
    fact("large page: a write sets D", *entry & 0x60, 0x60);
#if LEVELS > 2
    *entry |= 1ull << 63;
    __asm__ volatile("invlpg %0" ::"m"(*at));
    FACT("large page: NX", KERNEL, TRAP_ERR(PF, 0x11), "mov user_stack, " AX "\njmp *" AX);
    *entry &= ~(1ull << 63);
    *entry |= 1ull << 14;
    __asm__ volatile("invlpg %0" ::"m"(*at));
    FACT("large page: a reserved bit", KERNEL, TRAP_ERR(PF, 9), "mov user_stack, " AX "\nmov (" AX "), %eax");
    *entry &= ~(1ull << 14);
#else
    *entry |= 1u << 21;
    __asm__ volatile("invlpg %0" ::"m"(*at));
    FACT("large page: a reserved bit", KERNEL, TRAP_ERR(PF, 9), "mov user_stack, " AX "\nmov (" AX "), %eax");
    *entry &= ~(1u << 21);
#endif
    __asm__ volatile("mov %cr0, " AX "\nand $~0x10000, %eax\nmov " AX ", %cr0");
    __asm__ volatile("invlpg %0" ::"m"(*at));
}
#endif

/* INT3, INTO, INT n and ICEBP, whose gates refuse. ICEBP counts as an event from outside: the error code's bit 0. */
static void refused(void)
{
    uint8_t *db = (uint8_t *)idt + DB * 2 * sizeof(word) + 5, *bp = (uint8_t *)idt + BP * 2 * sizeof(word) + 5;
    const uint8_t db_type = *db, bp_type = *bp;

    *bp = bp_type & ~0x60;
    FACT("int3 by ring 0's gate, ring 3", USER, TRAP_ERR(GP, BP * 8 + 2), "int3");
    AT("int3 by ring 0's gate, where", USER, TRAP_ERR(GP, BP * 8 + 2), "772: int3");
    FACT("int3 by ring 0's gate, ring 0", KERNEL, TRAP(BP), "int3");
    *bp = bp_type & 0x7f;
    FACT("int3 by a gate not present", USER, TRAP_ERR(NP, BP * 8 + 2), "int3");
    *bp = bp_type;
    FACT("icebp by ring 0's gate, ring 3", USER, TRAP(DB), ".byte 0xf1");
    *db = db_type & 0x7f;
    AT("icebp by a gate not present", USER, TRAP_ERR(NP, DB * 8 + 2 + 1), "772: .byte 0xf1");
    FACT("int $1 by a gate not present", KERNEL, TRAP_ERR(NP, DB * 8 + 2), "int $1");
    *db = db_type;
#if !LONG
    uint8_t *of = (uint8_t *)idt + OF * 2 * sizeof(word) + 5;
    const uint8_t of_type = *of;

    *of = of_type & ~0x60;
    FACT("into by ring 0's gate, ring 3", USER, TRAP_ERR(GP, OF * 8 + 2), "mov $0x7f, %al\ninc %al\n.byte 0xce");
    *of = of_type;
#else
    /* Tasks are not switched in long mode. */
    idt[2 * 0x21] = (word)TSS << 16 | 0xe500ull << 32;
    FACT("int by a task gate", KERNEL, TRAP_ERR(GP, 0x21 * 8 + 2), "int $0x21");
    gate_set(0x21, stubs + 16 * 0x21, KERNEL_CS64, 0);
    FACT("far jmp to a TSS", KERNEL, TRAP_ERR(GP, TSS), "movabs $" STR(TSS) " << 32, %rax\npush %rax\nljmp *(%rsp)");
    FACT("far call to a TSS", KERNEL, TRAP_ERR(GP, TSS), "movabs $" STR(TSS) " << 32, %rax\npush %rax\nlcall *(%rsp)");
    gdt[FREE / 8] = 0x0000e50000000000ull | (uint64_t)TSS << 16;
    FACT("far jmp to a task gate", USER, TRAP_ERR(GP, FREE),
         "movabs $" STR(FREE) " << 32, %rax\npush %rax\nljmp *(%rsp)");
    FACT("not canonical, ss: is no override", USER, TRAP_ERR(GP, 0),
         "mov $1, %eax\nshl $47, %rax\n.byte 0x36\nmov (%rax), %eax");
    FACT("not canonical, ds: is no override", USER, TRAP_ERR(SS, 0),
         "mov $1, %eax\nshl $47, %rax\nmov %rax, %rsp\n.byte 0x3e\nmov (%rsp), %eax");
    FACT("not canonical, gs: rsp", USER, TRAP_ERR(GP, 0),
         "mov $1, %eax\nshl $47, %rax\nmov %rax, %rsp\nmov %gs:(%rsp), %eax");
#endif
}

/* A pending data breakpoint waits with MOV SS's shadow; so does a single step behind an INT in it. */
static void shadows(void)
{
    FACT("invlpg by null", KERNEL, NONE, "xor %eax, %eax\nmov %eax, %fs\ninvlpg %fs:(" AX ")");
    FACT("sti shadow, ud2", KERNEL, TRAP(UD), "sti\nud2");
    FACT("mov ss shadow, int3", KERNEL, TRAP(BP), "mov %ss, %eax\nmov %eax, %ss\nint3");
    FACT("mov ss shadow, tf, int3", KERNEL, TRAP(BP),
         "mov %ss, %eax\npushf\norl $0x100, (" SP ")\npopf\nmov %eax, %ss\nint3");
}

void facts_corners(void)
{
    refused();
    shadows();
    frames();
    ports();
#if LONG
    bases();
    compatibility();
    stacks();
#endif
#if LEVELS
    smep();
    global_pages();
    large_pages();
#endif
}
