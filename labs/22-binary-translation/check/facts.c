// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 22: a translator of kernel code, whose products are executed.
 *
 * Concept: each step is a small program of a kernel's, made of random instructions, many of them sensitive. It is
 * translated block by block as control comes to each, and what is executed is the products, at CPL 1, one instruction
 * after the other, by the interpreter (vcpu/five/interp.h). Where a product gets out its map says why: the next block
 * is translated, or one instruction of the source is carried out at CPL 0, for the guest. What a guest can see at the
 * end is reported: registers, flags, memory; and how often the monitor was needed. What products look like is nobody's
 * business. Then all of it a second time, with interrupts: the monitor stops products wherever the guest's state is
 * said to be whole, and goes on where the map says that the guest is.
 *
 *      text  0xffffffff80001000   its data is one page above, its stack two; the words, the cache and an empty table
 *                                 are at TC_BASE
 *
 * Budget: over 400 lines: the programs, the monitor and the processor of one check.
 */
#include "labs/kit/kit.h"
#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"
#include "vcpu/five/interp.h"
#include "vcpu/five/translate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEPS   150
#define TEXT    UINT64_C(0xffffffff80001000)
#define ROUTINE (TEXT + 0xf00) /* ret, and nothing else */
#define DATA    (TEXT + 0x1000)
#define STACK   (TEXT + 0x3000)
#define FLAGS   0x8d5 /* OF SF ZF AF PF CF */
#define LIMIT   2000  /* instructions of products, before nobody believes in an end */

static struct kit_scene *k;
static uint64_t blocks, outs;
static bool counting; /* them */

static mfn_t frame(uint64_t gfn)
{
    p2m_type_t t;

    return p2m_get_entry(k->d, gfn, &t);
}

static void poke(uint64_t gfn, unsigned int at, const void *bytes, unsigned int n)
{
    frame_write_part(k->m, frame(gfn), at, bytes, n);
}

static const uint8_t *page(uint64_t gfn) { return mfn_to_virt(k->m, frame(gfn)); }

/* --------------------------------------------------------------------------------------------------- the machine -- */

/* gfn 16 to 19: text, data, stack; 32: words; 33 to 40: code; 41: the table that finds nothing. */
static void tables(void)
{
    static const struct {
        uint64_t gfn, index, to;
    } rows[] = { { 1, 511, 2 }, { 2, 510, 3 }, { 3, 0, 4 }, { 1, 256, 5 }, { 5, 0, 6 }, { 6, 0, 7 } };
    uint64_t e;

    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        e = rows[i].to << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_RW;
        poke(rows[i].gfn, 8 * (unsigned int)rows[i].index, &e, 8);
    }
    for (unsigned int i = 0; i < 4; i++) {
        e = (16 + i) << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_RW;
        poke(4, 8 * (1 + i), &e, 8);
    }
    for (unsigned int i = 0; i < PTES_PER_TABLE; i++) {
        const unsigned int to = !i ? 32 : i >= 256 ? 41 : i >= 64 && i < 72 ? 33 + i - 64 : 0;

        e = to ? (uint64_t)to << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_RW : 0;
        poke(7, 8 * i, &e, 8);
    }
}

static void *begin(void)
{
    k = kit_scene_hvm(true, 64);
    tables();
    return k;
}

static uint64_t word(enum tc_word w)
{
    uint64_t val;

    memcpy(&val, page(32) + w, sizeof(val));
    return val;
}

/* ---------------------------------------------------------------------------------------------------- the source -- */

static const struct insn_row {
    const char *text, *bytes;
    uint8_t len;
    int8_t relative; /* where 32 bits are that lead to DATA from the end; 0: nowhere */
} rows[] = {
    { "add rax, rbx", "\x48\x01\xd8", 3, 0 },
    { "sub rcx, 7", "\x48\x83\xe9\x07", 4, 0 },
    { "xor edx, eax", "\x31\xc2", 2, 0 },
    { "mov r9, 0x12345", "\x49\xc7\xc1\x45\x23\x01\x00", 7, 0 },
    { "mov rax, [data]", "\x48\x8b\x05\0\0\0\0", 7, 3 },
    { "mov [data], rcx", "\x48\x89\x0d\0\0\0\0", 7, 3 },
    { "add dword [data], 5", "\x83\x05\0\0\0\0\x05", 7, 2 },
    { "mov dword [data], 0x77", "\xc7\x05\0\0\0\0\x77\0\0\0", 10, 2 },
    { "lea r10, [data]", "\x4c\x8d\x15\0\0\0\0", 7, 3 },
    { "movzx edx, byte [data]", "\x0f\xb6\x15\0\0\0\0", 7, 3 },
    { "mov [rsp - 64], rax", "\x48\x89\x44\x24\xc0", 5, 0 },
    { "push rcx", "\x51", 1, 0 },
    { "push rax; pop rdx", "\x50\x5a", 2, 0 },
    { "cmp rax, rdx", "\x48\x39\xd0", 3, 0 },
    { "setz cl", "\x0f\x94\xc1", 3, 0 },
    { "cli", "\xfa", 1, 0 },
    { "sti", "\xfb", 1, 0 },
    { "pushf", "\x9c", 1, 0 },
    { "push 0x2d5; popf", "\x68\xd5\x02\0\0\x9d", 6, 0 },
    { "push 0x13; popf", "\x6a\x13\x9d", 3, 0 },
    { "smsw ecx", "\x0f\x01\xe1", 3, 0 },
    { "mov ecx, cs", "\x8c\xc9", 2, 0 },
    { "sgdt [data]", "\x0f\x01\x05\0\0\0\0", 7, 3 },
    { "sidt [data]", "\x0f\x01\x0d\0\0\0\0", 7, 3 },
    { "str eax", "\x0f\x00\xc8", 3, 0 },
    { "sldt edx", "\x0f\x00\xc2", 3, 0 },
    { "mov rax, cr3", "\x0f\x20\xd8", 3, 0 },
    { "cpuid", "\x0f\xa2", 2, 0 },
    { "mov rax, [data], with REX.X", "\x4a\x8b\x05\0\0\0\0", 7, 3 },
    { "lea rax, [2 GiB below]", "\x48\x8d\x05\x00\x10\x00\x80", 7, 0 },
    { "lea ecx, [eax + 8]", "\x67\x8d\x48\x08", 4, 0 },
    { "add rax, rbx, with 12 prefixes", "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x48\x01\xd8", 15, 0 },
};

/* What is behind it is the instruction that is not executed, if it jumps. */
static const struct {
    const char *text, *bytes;
    uint8_t len, rel; /* rel: its size, at the end */
} branches[] = {
    { "jz over ", "\x74", 2, 1 },      { "jnz over ", "\x75", 2, 1 },   { "jl over ", "\x0f\x8c", 6, 4 },
    { "jc over ", "\x72", 2, 1 },      { "jrcxz over ", "\xe3", 2, 1 }, { "jmp over ", "\xeb", 2, 1 },
    { "jmp far over ", "\xe9", 5, 4 },
};

struct program {
    uint8_t code[400];
    unsigned int size;
    unsigned int ends[20], nr_ends; /* where branches end */
    unsigned int cut;               /* who asks for a block gets no bytes from here on; 0: all of its page */
    unsigned int often;             /* where so many instructions of two bytes begin */
    char text[200];
    size_t len;
};

static void put(struct program *p, const void *bytes, unsigned int n)
{
    memcpy(p->code + p->size, bytes, n);
    p->size += n;
}

static void say(struct program *p, const char *a, const char *b)
{
    p->len += (size_t)snprintf(p->text + p->len, sizeof(p->text) - p->len, "%s%s%s", p->len ? "; " : "", a, b);
    if (p->len >= sizeof(p->text))
        p->len = sizeof(p->text) - 1;
}

/* A branch ends here. */
static void put_end(struct program *p) { p->ends[p->nr_ends++] = p->size; }

static void put_insn(struct program *p, const struct insn_row *row)
{
    const unsigned int at = p->size;
    const uint32_t rel = (uint32_t)(DATA + 8 * kit_random(4) - (TEXT + at + row->len));

    put(p, row->bytes, row->len);
    if (row->relative)
        memcpy(p->code + at + row->relative, &rel, sizeof(rel));
}

static void put_call(struct program *p)
{
    const uint32_t rel = (uint32_t)(ROUTINE - (TEXT + p->size + 5)), to = (uint32_t)ROUTINE;

    if (kit_random(2)) {
        say(p, "call routine", "");
        put(p, "\xe8", 1);
        put(p, &rel, 4);
    } else {
        say(p, "mov r11, routine; call r11", "");
        put(p, "\x49\xc7\xc3", 3);
        put(p, &to, 4);
        put(p, "\x41\xff\xd3", 3);
    }
    put_end(p);
}

static void program(struct program *p)
{
    const unsigned int n = 1 + (unsigned int)kit_random(5), many = kit_random(15) ? 0 : TC_BLOCK_MAX + 8;

    *p = (struct program){ 0 };
    for (unsigned int i = 0; i < n; i++) {
        const struct insn_row *row = &rows[kit_random(sizeof(rows) / sizeof(rows[0]))];
        const unsigned int b = (unsigned int)kit_random(sizeof(branches) / sizeof(branches[0]));
        const uint64_t kind = kit_random(10);
        const uint32_t rel = row->len;

        if (kind < 2) {
            put_call(p);
            continue;
        }
        if (kind < 5) {
            put(p, branches[b].bytes, branches[b].len - branches[b].rel);
            put(p, &rel, branches[b].rel);
            put_end(p);
        }
        say(p, kind < 5 ? branches[b].text : "", row->text);
        put_insn(p, row);
    }
    p->cut = kit_random(4) ? 0 : 1 + (unsigned int)kit_random(p->size);
    p->often = p->size;
    if (many)
        say(p, "xor edx, eax, very often", "");
    for (unsigned int i = 0; i < many; i++)
        put(p, "\x31\xc2", 2);
    put(p, "\xf4", 1); /* HLT: the end */
}

/* ----------------------------------------------------------------------------------------------------- its life -- */

static struct tc_emit product;
static uint8_t code[TC_BLOCK_ROOM];
static struct tc_map map[TC_BLOCK_MAPS];

struct life {
    const struct program *p;
    uint64_t end;
    uint64_t from, last; /* of the block's source; of the source of the last instruction */
    unsigned int period; /* of interrupts, in instructions of products; 0: there are none */
    char wrong[120];
    const char *longer; /* a block that is too long */
    unsigned int insns;
};

static const struct tc_map *map_at(uint64_t rip)
{
    for (uint32_t i = 0; i < product.nr_map; i++)
        if (TC_CODE + map[i].at == rip)
            return &map[i];
    return NULL;
}

/* At CPL 0, with the guest's own tables and IF; or at 1, with the monitor's. */
static void ring(bool guest)
{
    struct cpu_state *r = k->v->regs;

    r->cpl = guest ? 0 : 1;
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ guest ? 0x10 : 0x19, guest ? 0xa9b : 0xabb, ~0u, 0 };
    r->seg[CPU_SEG_SS] = (struct cpu_segment){ guest ? 0x18 : 0x21, guest ? 0xc93 : 0xcb3, ~0u, 0 };
    r->gdtr = (struct cpu_table){ .base = guest ? 0x1111000 : 0x2222000, .limit = guest ? 0x77 : 0xff };
    r->idtr = (struct cpu_table){ .base = guest ? 0x3333000 : 0x4444000, .limit = 0xfff };
    r->tr.sel = guest ? 0x28 : 0x38;
    r->ldtr.sel = guest ? 0x30 : 0;
    r->cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | (guest ? X86_CR0_TS : 0);
    if (guest)
        r->rflags = (r->rflags & ~(uint64_t)X86_EFLAGS_IF) | (word(TC_IF) & TC_IF_SET ? X86_EFLAGS_IF : 0);
    else
        r->rflags |= X86_EFLAGS_IF;
}

/* CPUID has left; the next instruction is at rip. */
static void cpuid(uint64_t rip)
{
    struct cpu_state *r = k->v->regs;

    r->rax = 0x11, r->rbx = 0x22, r->rcx = 0x33, r->rdx = 0x44;
    r->rip = rip;
}

/* The instruction of the source at RIP, for the guest. */
static void carry_out(struct life *l)
{
    struct cpu_state *r = k->v->regs;
    const uint64_t at = r->rip;
    struct sim_exit x;
    uint8_t val;

    outs += counting;
    ring(true);
    if (*(page(16) + PAGE_OFFSET(at)) == 0xe3) {
        r->rip += 2 + (r->rcx ? 0 : (uint64_t)(int8_t)page(16)[PAGE_OFFSET(at) + 1]);
    } else if (!interp_one(k->v, &x)) {
        if (x.kind == EXIT_CPUID) {
            cpuid(at + 2);
        } else if (x.kind == EXIT_CR_READ) { /* by its hypervisor, who has the same answer for all */
            r->rax = r->cr3;
            r->rip = at + 3;
        } else if (at != l->end) {
            snprintf(l->wrong, sizeof(l->wrong), "what is at +%" PRIu64 " cannot be carried out", at - TEXT);
        }
    }
    val = r->rflags & X86_EFLAGS_IF ? TC_IF_SET : 0;
    poke(32, TC_IF, &val, 1);
    ring(false);
}

/* An instruction of a product. The interpreter knows no JRCXZ, which guests' kernels do not have. */
static bool product_one(struct sim_exit *x)
{
    struct cpu_state *r = k->v->regs;
    const uint64_t at = r->rip - TC_CODE - product.at;

    if (at + 1 >= product.size || code[at] != 0xe3)
        return interp_one(k->v, x) || (x->kind == EXIT_CPUID && (cpuid(product.at + TC_CODE + at + 2), true));
    r->rip += 2 + (r->rcx ? 0 : (uint64_t)(int8_t)code[at + 1]);
    return true;
}

/* Of a way out: the branch that is to be patched leads there. */
static bool link_right(const struct tc_map *m)
{
    const uint32_t at = m->at - product.at;
    int32_t rel;

    if (m->kind != TC_TARGET || m->link == TC_NO_LINK)
        return true;
    if (at < m->link + 4u)
        return false;
    memcpy(&rel, code + at - m->link - 4, sizeof(rel));
    return rel == m->link;
}

/* Until the product gets out: where the guest is then. True: its instruction is to be carried out. */
static bool product_run(struct life *l)
{
    struct cpu_state *r = k->v->regs;
    struct sim_exit x;

    while (!l->wrong[0]) {
        const struct tc_map *m = map_at(r->rip);

        if (m && l->period && l->insns % l->period == 0 && m->rip != l->from &&
            (m->kind == TC_INSN || m->kind == TC_TARGET)) {
            r->rip = m->rip; /* an interrupt, and back from there */
            return false;
        }
        if (r->rip == TC_MISS) {
            r->rip = word(TC_TO);
            return false;
        }
        if (!m) {
            snprintf(l->wrong, sizeof(l->wrong),
                     "from what is at +%" PRIu64 " (%02x) it comes to where the map has no entry", l->last - TEXT,
                     page(16)[PAGE_OFFSET(l->last)]);
        } else if (m->out && !link_right(m)) {
            snprintf(l->wrong, sizeof(l->wrong), "the branch that the map links to a way out leads elsewhere");
        } else if (m->out) {
            outs += counting && m->kind == TC_TARGET && m->link == TC_NO_LINK; /* each time */
            r->rip = m->rip;
            return m->kind == TC_INSN;
        } else if (l->last = m->rip, l->insns++ == LIMIT) {
            snprintf(l->wrong, sizeof(l->wrong), "%d instructions of products, and no end", LIMIT);
        } else if (!product_one(&x)) {
            snprintf(l->wrong, sizeof(l->wrong), "the product of what is at +%" PRIu64 " is a fault, or leaves",
                     m->rip - TEXT);
        }
    }
    return false;
}

/* What the block that begins at rip, n bytes of source, should not have. */
static const char *too_long(const struct program *p, uint64_t rip, uint32_t n)
{
    const unsigned int from = (unsigned int)(rip - TEXT), first = from > p->often ? from : p->often;

    for (unsigned int i = 0; i < p->nr_ends; i++)
        if (from < p->ends[i] && p->ends[i] < from + n)
            return "goes on behind a branch";
    return from + n > first && (from + n - first) / 2 > TC_BLOCK_MAX ? "is of more than TC_BLOCK_MAX instructions"
                                                                     : NULL;
}

static void block(struct life *l)
{
    static const uint8_t nothing[PAGE_SIZE];
    static uint8_t text[PAGE_SIZE];
    const uint64_t rip = k->v->regs->rip;
    uint32_t n, room;

    l->from = rip;
    product = (struct tc_emit){ .code = code, .at = 16, .room = sizeof(code), .map = map, .room_map = TC_BLOCK_MAPS };
    if (rip < TEXT || rip >= DATA) {
        snprintf(l->wrong, sizeof(l->wrong), "it goes to %#" PRIx64 ", where no text is", rip);
        return;
    }
    blocks += counting;
    room = PAGE_SIZE - (uint32_t)PAGE_OFFSET(rip);
    memcpy(text, page(16) + PAGE_OFFSET(rip), room);
    if (l->p->cut && rip - TEXT < l->p->cut) {
        room = l->p->cut - (uint32_t)(rip - TEXT);
        memset(text + room, 0x90, sizeof(text) - room);
    }
    n = translate_block(&product, rip, text, room);
    if (!n && room < INSN_MAX_LEN) { /* the rest of it is in the next page */
        memcpy(text, page(16) + PAGE_OFFSET(rip), PAGE_SIZE - PAGE_OFFSET(rip));
        product.size = product.nr_map = 0;
        n = translate_block(&product, rip, text, room += INSN_MAX_LEN);
    }
    if (n > room) {
        snprintf(l->wrong, sizeof(l->wrong), "of %u bytes at +%" PRIu64 " %u are translated", room, rip - TEXT, n);
        return;
    }
    if (!l->period && !l->longer)
        l->longer = too_long(l->p, rip, n);
    if (!n || !product.nr_map) {
        snprintf(l->wrong, sizeof(l->wrong), "of what is at +%" PRIu64 " nothing is translated", rip - TEXT);
        return;
    }
    if (product.size < TC_BLOCK_MIN) {
        snprintf(l->wrong, sizeof(l->wrong), "the block at +%" PRIu64 " has no room for translate_dead()", rip - TEXT);
        return;
    }
    for (unsigned int i = 0; i < 3; i++)
        poke(33 + i, 0, nothing, PAGE_SIZE);
    for (uint32_t i = 0; i < product.size; i++)
        poke(33 + (16 + i) / PAGE_SIZE, (16 + i) % PAGE_SIZE, code + i, 1);
    k->v->regs->rip = TC_CODE + product.at;
}

static void live(struct life *l)
{
    while (!l->wrong[0] && k->v->regs->rip != l->end) {
        if (l->insns++ == LIMIT)
            snprintf(l->wrong, sizeof(l->wrong), "%d instructions of products, and no end", LIMIT);
        block(l);
        if (!l->wrong[0] && product_run(l) && k->v->regs->rip != l->end)
            carry_out(l);
    }
}

/* --------------------------------------------------------------------------------------------------------- steps -- */

static uint64_t random_of(uint64_t *draw)
{
    *draw = *draw * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *draw >> 33 ^ *draw << 20;
}

/* The same each time that `draw` is. */
static void prepare(const struct program *p, uint64_t draw)
{
    struct cpu_state *r = k->v->regs;
    static const uint8_t nothing[PAGE_SIZE];
    const uint8_t on = TC_IF_SET;

    for (unsigned int i = 16; i < 20; i++)
        poke(i, 0, nothing, PAGE_SIZE);
    poke(32, 0, nothing, PAGE_SIZE);
    poke(32, TC_IF, &on, 1);
    poke(16, 0, p->code, p->size);
    poke(16, (unsigned int)(ROUTINE - TEXT), "\xc3", 1);
    for (unsigned int i = 0; i < 16; i++)
        r->gpr[i] = random_of(&draw) % 3 ? random_of(&draw) % 4 : random_of(&draw) >> 24;
    for (unsigned int i = 0; i < 4; i++) {
        const uint64_t val = random_of(&draw) >> 24;

        poke(17, 8 * i, &val, 8);
    }
    r->rsp = STACK - 0x100;
    r->rip = TEXT;
    r->rflags = 2 | (random_of(&draw) % 2 ? FLAGS & ~0x40u : 0x40);
    r->cr3 = 0x1000;
    r->cr4 = X86_CR4_PAE;
    r->efer = EFER_LME | EFER_LMA | EFER_SVME;
    r->ncr3 = mfn_x(k->d->p2m->root) << PAGE_SHIFT;
    ring(false);
}

static uint64_t sum(uint64_t gfn)
{
    uint64_t h = 0;

    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        h = h * 31 + page(gfn)[i];
    return h;
}

/* What a guest can see, as facts of `property`, or of one each. */
static void facts_of(const struct life *l, const char *property)
{
    struct cpu_state *r = k->v->regs;
    uint64_t regs = 0;

    kit_fact(property ?: "flow", "%s", l->wrong[0] ? l->wrong : "it comes to its end");
    for (unsigned int i = 8; i < 16; i++)
        regs = regs * 31 + r->gpr[i];
    kit_fact(property ?: "registers",
             "rax %#" PRIx64 " rcx %#" PRIx64 " rdx %#" PRIx64 " rbx %#" PRIx64 " rsp %#" PRIx64
             ", the sum of the rest %#" PRIx64,
             r->rax, r->rcx, r->rdx, r->rbx, r->rsp, regs);
    kit_fact(property ?: "flags", "%#" PRIx64 ", interrupts %s", r->rflags & FLAGS,
             word(TC_IF) & TC_IF_SET ? "on" : "off");
    kit_fact(property ?: "memory",
             "data %#" PRIx64 " %#" PRIx64 ", top of the stack %#" PRIx64 "; sums %#" PRIx64 ", %#" PRIx64,
             *(const uint64_t *)(page(17)), *(const uint64_t *)(page(17) + 8),
             *(const uint64_t *)(page(18) + 0xf00 - 8), sum(17), sum(18));
}

static void step(void *data, unsigned int number)
{
    const unsigned int period = 1 + (unsigned int)kit_random(4);
    const uint64_t draw = kit_random(UINT64_C(1) << 62);
    struct program p;
    struct life l;

    (void)data, (void)number;
    program(&p);
    kit_step("%s", p.text);
    counting = true;
    l = (struct life){ .p = &p, .end = TEXT + p.size - 1 };
    prepare(&p, draw);
    live(&l);
    counting = false;
    facts_of(&l, NULL);
    kit_fact("source", "a block %s", l.longer ?: "goes to its first branch at most");
    l = (struct life){ .p = &p, .end = TEXT + p.size - 1, .period = period };
    prepare(&p, draw);
    live(&l);
    facts_of(&l, "maps");
}

static void end(void *data)
{
    (void)data;
    kit_count("blocks", blocks);
    kit_count("outs", outs);
    kit_scene_end(k);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
