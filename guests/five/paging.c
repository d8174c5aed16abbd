// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables: a window of the kernel's, and a space for each process.
 *
 * Concept: a table is filled like any page, then begins to be one (cpu_table_begin()), then is changed through
 * cpu_entry_write(). On a processor of one's own the three are the same stores.
 *
 *      root   0: the process's  L3 -> L2 -> L1 -> its pages
 *             272...511: the kernel's, the same in all roots; 300 is the window
 */
#include "guests/five/cpu.h"

#define POOL_PAGES 96u
#define TABLE      (ENTRY_P | ENTRY_RW | ENTRY_US | ENTRY_A)
#define PAGE_RO    (ENTRY_P | ENTRY_A)
#define PAGE_RW    (ENTRY_P | ENTRY_RW | ENTRY_A | ENTRY_D)

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned int pool_used;

void *page_alloc(void)
{
    if (pool_used == POOL_PAGES)
        panic("no page is left");
    return pool[pool_used++];
}

static unsigned int index_of(uint64_t va, unsigned int level) { return va >> (12 + 9 * (level - 1)) & 511; }

/* Three tables below an entry of the root: the L3, which is returned, and those that it leads to. */
static uint64_t *tables_make(uint64_t va, uint64_t **l2, uint64_t **l1)
{
    uint64_t *l3 = page_alloc();

    *l2 = page_alloc();
    *l1 = page_alloc();
    (*l2)[index_of(va, 2)] = cpu_entry(*l1, TABLE);
    l3[index_of(va, 3)] = cpu_entry(*l2, TABLE);
    cpu_table_begin(*l1);
    cpu_table_begin(*l2);
    cpu_table_begin(l3);
    return l3;
}

static uint64_t *window; /* its L1 */

static void window_map(uint64_t entry)
{
    cpu_entry_write(window, 0, entry);
    cpu_page_flush(WINDOW);
}

/* Vector, error code, and was it the address? */
static void fault(const char *what, uint64_t (*fn)(uint64_t))
{
    const struct caught c = attempt(fn, WINDOW + 0x18);

    result(what, c.trapped ? c.vector << 16 | c.error << 8 | (c.address == WINDOW + 0x18) : ~0ul);
}

void paging_test(void)
{
    volatile uint64_t *one = page_alloc(), *other = page_alloc();
    volatile uint64_t *const seen = (volatile uint64_t *)WINDOW;
    uint64_t *l2, *l3;

    l3 = tables_make(WINDOW, &l2, &window);
    cpu_entry_write(cpu_root(), WINDOW_SLOT, cpu_entry(l3, TABLE));
    one[3] = 0x111;
    other[3] = 0x222;
    fault("#PF of a read of nothing", do_read);
    window_map(cpu_entry((void *)one, PAGE_RW));
    result("a page by another name", seen[3]);
    seen[3] = 0x333;
    result("written so", one[3]);
    window_map(cpu_entry((void *)other, PAGE_RO));
    result("another page at the same place", seen[3]);
    fault("#PF of a write to what may be read", do_write);
    window_map(cpu_entry((void *)other, PAGE_RW));
    result("and none when it may", attempt(do_write, WINDOW + 0x18).trapped);
    result("what was written", other[3]);
    window_map(0);
    fault("#PF of a write to nothing", do_write);
}

/* ------------------------------------------------------------------------------------------------- of a process -- */

void space_make(struct space *s)
{
    const uint64_t *kernel = cpu_root();

    s->root = page_alloc();
    s->l3 = tables_make((uint64_t)user_start, &s->l2, &s->l1);
    s->root[0] = cpu_entry(s->l3, TABLE);
    for (unsigned int i = KERNEL_SLOTS; i < 512; i++)
        s->root[i] = kernel[i];
    cpu_space_begin(s);
}

void space_map(struct space *s, uint64_t va, const void *page)
{
    cpu_entry_write(s->l1, index_of(va, 1), cpu_entry(page, PAGE_RW | ENTRY_US));
    cpu_page_flush(va);
}
