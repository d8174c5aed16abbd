// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions whose operand is no memory: the hypervisor carries them out. At 0xfeb00000 nobody answers: what is read
 * is all ones, what is written is lost. At 0xfee00030 is the local APIC's version, 0x50014.
 */
#include "guests/hvmtest/hvmtest.h"

#if LONG
#define LONG_OR(a, b) a
#else
#define LONG_OR(a, b) b
#endif
#define HOLE          "0xfeb00000"
#define VER           "0xfee00030"
#define TO(addr, reg) "mov $" addr ", %e" reg "\n"

extern uint32_t result[4];
uint32_t result[4] __attribute__((aligned(16)));

static void integers(void)
{
    VALUE("mmio: mov", KERNEL, 0xffffffff, TO(HOLE, "cx") "mov (" CX "), %eax");
    VALUE("mmio: movzx", KERNEL, 0xff, TO(HOLE, "cx") "movzbl (" CX "), %eax");
    VALUE("mmio: movsx", KERNEL, 0xffffffff, TO(HOLE, "cx") "movswl (" CX "), %eax");
    VALUE("mmio: add to a register", KERNEL, 0x50015, TO(VER, "cx") "mov $1, %eax\nadd (" CX "), %eax");
    VALUE("mmio: cmp", KERNEL, 1, TO(VER, "cx") "xor %eax, %eax\ncmpl $0x50014, (" CX ")\nsetz %al");
    VALUE("mmio: test", KERNEL, 1, TO(VER, "cx") "xor %eax, %eax\ntestl $0x20, (" CX ")\nsetz %al");
    VALUE("mmio: push", KERNEL, LONG ? ~0ul : 0x50014, LONG_OR(TO(HOLE, "cx"), TO(VER, "cx")) "push (" CX ")\npop " AX);
    VALUE("mmio: imul", KERNEL, 0x50014 * 3, TO(VER, "cx") "imul $3, (" CX "), %eax");
    VALUE("mmio: bt", KERNEL, 1, TO(VER, "cx") "xor %eax, %eax\nbtl $2, (" CX ")\nsetc %al");
    VALUE("mmio: cmov", KERNEL, 0x50014, TO(VER, "cx") "xor %eax, %eax\ncmovzl (" CX "), %eax");
    VALUE("mmio: xchg", KERNEL, 0xffffffff, TO(HOLE, "cx") "xor %eax, %eax\nxchg %eax, (" CX ")");
    VALUE("mmio: lock xadd", KERNEL, 0xffffffff, TO(HOLE, "cx") "mov $1, %eax\nlock xadd %eax, (" CX ")");
    VALUE("mmio: movbe", KERNEL, 0x14000500, TO(VER, "cx") "movbe (" CX "), %eax");
    VALUE("mmio: popcnt", KERNEL, 4, TO(VER, "cx") "popcnt (" CX "), %eax");
    VALUE("mmio: bsf", KERNEL, 2, TO(VER, "cx") "bsf (" CX "), %eax");
    VALUE("mmio: crc32", KERNEL, 0, TO(HOLE, "cx") "mov $0xffffffff, %eax\ncrc32l (" CX "), %eax\nxor %eax, %eax");
    VALUE("mmio: rep movs", KERNEL, 0xffffffff,
          TO(HOLE, "si") "mov $result, " DI "\nmov $4, %ecx\ncld\nrep movsl\nmov result + 12, %eax");
    VALUE("mmio: lods", KERNEL, 0x50014, TO(VER, "si") "cld\nlodsl");
    VALUE("mmio: repe scas", KERNEL, 0, TO(HOLE, "di") "mov $3, %ecx\nmov $-1, %eax\ncld\nrepe scasl\nmov %ecx, %eax");
    VALUE("mmio: cmpxchg8b", KERNEL, 0xffffffff, TO(HOLE, "di") "xor %eax, %eax\nxor %edx, %edx\ncmpxchg8b (" DI ")");
    VALUE("mmio: shld", KERNEL, 0, TO(HOLE, "di") "shldl $4, %eax, (" DI ")\nxor %eax, %eax");
    VALUE("mmio: div", KERNEL, 0x50014, TO(VER, "cx") "mov $0x50014, %eax\nmul %eax\ndivl (" CX ")");
    FACT("mmio: div by 0", KERNEL, TRAP(DE), "mov $0xfee00020, %ecx\nmov $1, %eax\nxor %edx, %edx\ndivl (" CX ")");
}

static void media(void)
{
    const word cr4 = READ(cr4), cr0 = READ(cr0);

    WRITE(cr4, cr4 | 0x600);
    WRITE(cr0, (cr0 & ~0xeul) | 0x22);
    __asm__ volatile("fninit");
    VALUE("mmio: movd", KERNEL, 0x50014, TO(VER, "cx") "movd (" CX "), %xmm1\nmovd %xmm1, %eax");
    VALUE("mmio: movaps", KERNEL, 0xffffffff, TO(HOLE, "cx") "movaps (" CX "), %xmm1\nmovd %xmm1, %eax");
    VALUE("mmio: movaps, a store", KERNEL, 0, TO(HOLE, "cx") "movaps %xmm1, (" CX ")\nxor %eax, %eax");
    VALUE("mmio: movq", KERNEL, 0xffffffff, TO(HOLE, "cx") "movq (" CX "), %mm0\nmovd %mm0, %eax\nemms");
    VALUE("mmio: fild", KERNEL, 0x50014, TO(VER, "cx") "fildl (" CX ")\npush " AX "\nfistpl (" SP ")\npop " AX);
    VALUE("mmio: fld", KERNEL, 0, TO("0xfee00020", "cx") "flds (" CX ")\npush " AX "\nfstps (" SP ")\npop " AX);
    VALUE("mmio: fiadd", KERNEL, 0x50015, TO(VER, "cx") "fld1\nfiaddl (" CX ")\npush " AX "\nfistpl (" SP ")\npop " AX);
    VALUE("mmio: fdivr", KERNEL, 0x50014,
          TO(VER, "cx") "fld1\nfidivrl (" CX ")\npush " AX "\nfistpl (" SP ")\npop " AX);
    VALUE("mmio: fist", KERNEL, 0, TO(HOLE, "cx") "fld1\nfistpl (" CX ")\nxor %eax, %eax");
    VALUE("mmio: fnstcw", KERNEL, 0, TO(HOLE, "cx") "fnstcw (" CX ")\nxor %eax, %eax");
    FACT("mmio: arithmetic that is not done", KERNEL, TRAP_ERR(GP, 0), TO(HOLE, "cx") "paddd (" CX "), %xmm1");
    FACT("mmio: fxsave is not done", KERNEL, TRAP_ERR(GP, 0), TO(HOLE, "cx") "fxsave (" CX ")");
    WRITE(cr4, cr4);
    WRITE(cr0, cr0);
}

void facts_mmio(void)
{
    integers();
    media();
}
