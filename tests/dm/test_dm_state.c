// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of a PC as bytes: saved and loaded, now and again, a guest that does anything sees no difference.
 *
 *      test_dm_state [RUNS [SEED]]    so many runs instead of a sample
 *
 * Invariant of the first test: a run in which the PC is thrown away and made of its bytes again, at any moment, is the
 * same to the last byte as one in which it is not; and bytes that are loaded are saved as they were. A field that is
 * left out is one that the guest can tell. Of the second: whatever the bytes are, loading them ends with a message or a
 * PC that takes what a guest does.
 *
 * Budget: a guest that does anything, and a machine for it.
 */
#include "rings/dm/pc.h"
#include "tests/dm/board.h"

#include <stdio.h>

static unsigned int runs = 24;
static uint64_t first_seed = 1;

static uint64_t r; /* the random numbers' state */
static uint64_t any(uint64_t n) { return random_of(&r, n); }
static bool one_in(unsigned int n) { return any(n) == 0; }

static uint64_t hash;
static void note(uint64_t val) { hash = (hash ^ val) * UINT64_C(1099511628211); }

/* --- the machine --- */

#define DRIVES 3

static struct machine {
    struct board *board;
    struct pc *pc;
    struct arena *arena;
    struct disk_file file[DRIVES];
    struct disk *disk[DRIVES], *in; /* in: what the CD drive has */
    struct pc_config cfg;
    unsigned int typed, serial; /* characters that are still to come */
} m;

static int file_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)((at + i) * 31 + ((at + i) >> 9));
    return 0;
}

static const struct disk_file_ops file_ops = { .read = file_read };

static void serial_out(void *data, char c) { note((uint64_t)c); }
static void text_out(void *data, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        note((uint64_t)text[i]);
}
static void log_line(void *data, const char *line) { text_out(data, line, strlen(line)); }
static void nic_send(void *data, unsigned int nic, const struct rtl8139_frame *f)
{
    note(nic);
    text_out(data, (const char *)f->bytes, f->len);
}
static void nic_ready(void *data, unsigned int nic) { note(pc_nic_room(m.pc, nic)); }

static size_t some_text(unsigned int *left, char *buf, size_t n)
{
    static const char text[] = "ls -l\r\x1b[A\x1b[1;5D\x1bOPx\x03~\x1b";

    if (!*left || !n)
        return 0;
    *buf = text[--*left % (sizeof(text) - 1)];
    return 1;
}
static size_t typed(void *data, char *buf, size_t n) { return some_text(&m.typed, buf, n); }
static size_t serial_in(void *data, char *buf, size_t n) { return some_text(&m.serial, buf, n); }

static void machine_make(void)
{
    static const uint64_t sectors[DRIVES] = { 40000, 9000, 4000 };

    m = (struct machine){ .board = board_create(), .arena = arena_create(), .pc = calloc(1, sizeof(struct pc)) };
    for (unsigned int i = 0; i < DRIVES; i++) {
        m.file[i] = (struct disk_file){ .ops = &file_ops, .sectors = sectors[i] };
        m.disk[i] = disk_create(m.arena, &m.file[i], "disk");
    }
    m.in = m.disk[2];
    m.cfg = (struct pc_config){
        .arena = m.arena,
        .vga_mib = 1,
        .vga_gfn = BOARD_GFN,
        .platform = true,
        .drive = { { IDE_DISK, m.disk[0] }, { IDE_DISK, m.disk[1] }, { IDE_CD, m.disk[2] }, { IDE_CD, NULL } },
        .nr_nics = 2,
        .nic = { { 0, 0x16, 0x3e, 1, 2, 3 }, { 0, 0x16, 0x3e, 1, 2, 4 } },
        .serials = 2,
        .line = 1,
        .mem_below = BOARD_MEMORY,
        .boot = "cd",
        .outside = { NULL, serial_out, serial_in, text_out, typed, log_line, nic_send, nic_ready },
    };
    assert_int_equal(pc_init(m.pc, &m.board->dm, &m.cfg), 0);
}

static void machine_end(void)
{
    pc_end(m.pc);
    arena_destroy(m.arena);
    free(m.board);
    free(m.pc);
}

static uint8_t *saved(struct pc *pc, size_t *size)
{
    struct dm_state s;
    uint8_t *bytes;

    state_save(&s, NULL, 0);
    pc_save(pc, &s);
    *size = s.at;
    bytes = malloc(*size);
    state_save(&s, bytes, *size);
    pc_save(pc, &s);
    assert_null(state_error(&s));
    assert_int_equal(s.at, *size);
    return bytes;
}

/* The PC is thrown away; one is made of the bytes, on the same board. What is wrong with them, or NULL. */
static const char *made_of(const uint8_t *bytes, size_t size)
{
    static struct dm_state s;
    int rc;

    for (unsigned int i = 0; i < sizeof(m.pc->cfg.drive) / sizeof(m.pc->cfg.drive[0]); i++)
        m.cfg.drive[i].disk = m.pc->ide.channel[i / 2].drive[i % 2].disk ?: m.cfg.drive[i].disk;
    m.cfg.drive[2].disk = m.in;
    m.pc->goes_on = true;
    pc_end(m.pc);
    memset(m.pc, 0, sizeof(*m.pc));
    m.board->regions = NULL;
    m.board->timers = NULL;
    state_load(&s, bytes, size);
    m.cfg.state = &s;
    rc = pc_init(m.pc, &m.board->dm, &m.cfg);
    m.cfg.state = NULL;
    assert_true(!rc == !state_error(&s));
    return state_error(&s);
}

/* --- a guest that does anything --- */

static void any_region(void)
{
    struct dm_region *list[64];
    unsigned int nr = 0;
    const struct dm_region *g;
    unsigned int size;

    for (struct dm_region *at = m.board->regions; at && nr < 64; at = at->next)
        if (at->present)
            list[nr++] = at;
    g = list[any(nr)];
    size = 1u << any(g->space == DM_MEMORY ? 4 : 3);
    if (size > g->size)
        return;
    if (one_in(2))
        note(g->ops->read(g->dev, any(g->size - size + 1), size));
    else
        g->ops->write(g->dev, any(g->size - size + 1), size, any(UINT64_C(1) << 44));
}

static uint32_t config(unsigned int devfn, unsigned int reg, unsigned int size, bool write, uint32_t val)
{
    return pc_pci_config(m.pc, (uint64_t)devfn << 32 | reg, size, write, val);
}

#define BM 0xc000

static void any_config(void)
{
    static const uint8_t devfn[] = { 0, 1 << 3, 1 << 3 | 1, 1 << 3 | 3, 2 << 3, 3 << 3, 4 << 3, 5 << 3 };
    const unsigned int size = 1u << any(3), reg = (unsigned int)any(256 / size) * size, fn = devfn[any(sizeof(devfn))];

    note(config(fn, reg, size, one_in(2), (uint32_t)any(UINT64_C(1) << 32)));
    if (one_in(2)) { /* where they are looked for */
        config(1 << 3 | 1, 0x20, 4, true, BM);
        config(1 << 3 | 1, 0x40, 4, true, 0x80008000);
        for (unsigned int i = 0; i < sizeof(devfn); i++)
            config(devfn[i], 4, 2, true, 7);
        config(4 << 3, 0x10, 4, true, 0xd000);
        config(2 << 3, 0x10, 4, true, one_in(3) ? 0x40000000 : 0xe0000000);
        config(2 << 3, 0x18, 4, true, 0xf0000000);
    }
}

static void any_descriptors(void)
{
    for (unsigned int i = 0; i < 1 + any(8); i++) {
        const uint32_t prd[2] = { (uint32_t)any(BOARD_MEMORY), (uint32_t)any(3000) | (uint32_t)one_in(4) << 31 };

        memcpy(m.board->memory + 0x8000 + 8 * i, prd, 8);
    }
    outl(m.board, BM + 4, 0x8000);
    outl(m.board, BM + 12, 0x8000);
    outb(m.board, (uint16_t)(BM + 8 * any(2)), one_in(2) ? 9 : 1);
}

static void any_command(void)
{
    static const uint8_t known[] = { 0x08, 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x90, 0x91,
                                     0xa0, 0xa0, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xec, 0xef };
    const uint16_t base = one_in(2) ? 0x170 : 0x1f0;

    outb(m.board, (uint16_t)(base + 6), (uint8_t)(0xe0 | any(2) << 4));
    for (unsigned int i = 1; i < 6; i++)
        outb(m.board, (uint16_t)(base + i), (uint8_t)any(i > 3 ? 2 : 256));
    outb(m.board, (uint16_t)(base + 7), one_in(4) ? (uint8_t)any(256) : known[any(sizeof(known))]);
}

static void any_packet(void)
{
    static const uint8_t known[] = {
        0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x43, 0x46, 0x4a, 0x5a, 0xbe
    };
    uint8_t p[12] = { known[any(sizeof(known))], 0, 0, 0, 0, (uint8_t)any(200), 0, 0, (uint8_t)any(8), 0x10 };

    outb(m.board, 0x176, 0xa0);
    outb(m.board, 0x171, one_in(2));
    outb(m.board, 0x174, (uint8_t)any(256));
    outb(m.board, 0x175, (uint8_t)any(16));
    outb(m.board, 0x177, 0xa0);
    for (unsigned int i = 0; i < 12; i += 2)
        outw(m.board, 0x170, (uint16_t)(p[i] | p[i + 1] << 8));
}

static void data_port(void)
{
    const uint16_t base = one_in(2) ? 0x170 : 0x1f0;

    for (unsigned int i = (unsigned int)any(one_in(2) ? 20 : 3000); i && (inb(m.board, base + 0x206) & 8); i--)
        if (one_in(2))
            note(inl(m.board, base));
        else
            outl(m.board, base, (uint32_t)any(UINT64_C(1) << 32));
}

static void any_frame(void)
{
    static const uint8_t regs[] = { RTL_RCR, RTL_TSAD, RTL_RDSAR, RTL_RBSTART, RTL_TIMERINT, RTL_TSD };
    uint8_t f[1600];
    const size_t len = any(sizeof(f));

    for (size_t i = 0; i < len; i++)
        f[i] = (uint8_t)any(256);
    outb(m.board, 0xd000 + RTL_CR, RTL_CR_RE | RTL_CR_TE);
    outw(m.board, 0xd000 + RTL_CPCR, (uint16_t)any(4));
    for (unsigned int i = 0; i < sizeof(regs); i++)
        outl(m.board, 0xd000u + regs[i], (uint32_t)any(BOARD_MEMORY) | (regs[i] == RTL_RCR));
    outb(m.board, 0xd000 + RTL_TPPOLL, (uint8_t)any(256));
    pc_nic_receive(m.pc, (unsigned int)any(2), f, len);
    pc_nic_arrived(m.pc);
}

static void any_key(void)
{
    const struct pc_event e = { .key = one_in(3) ? 0 : (unsigned int)any(0x118),
                                .down = one_in(2),
                                .dx = (int32_t)any(500) - 250,
                                .dy = (int32_t)any(50),
                                .dz = (int32_t)any(3) - 1 };

    pc_event(m.pc, &e);
    if (one_in(2))
        pc_pointer(m.pc, (int32_t)any(1000), (int32_t)any(1000), 0);
    if (one_in(2))
        outb(m.board, one_in(2) ? 0x60 : 0x64, (uint8_t)any(256));
    if (one_in(4))
        outb(m.board, 0x64, 0xd4); /* the next is the mouse's */
    if (one_in(4))
        outb(m.board, 0x60, 0xf4);
}

static void any_text(void)
{
    static const uint16_t text_mode[][2] = {
        { 0x3c2, 0x67 },   { 0x3c4, 0x0302 }, { 0x3c4, 0x0204 }, { 0x3ce, 0x0e06 },
        { 0x3d4, 0x2813 }, { 0x3d4, 0x4f01 }, { 0x3d4, 0x8f12 }, { 0x3d4, 0x4f09 }
    };

    for (unsigned int i = 0; i < sizeof(text_mode) / sizeof(text_mode[0]); i++)
        outw(m.board, text_mode[i][0], text_mode[i][1]);
    for (unsigned int i = 0; i < 30; i++)
        board_write(m.board, DM_MEMORY, 0xb8000 + 2 * any(4000), 1, ' ' + any(90));
}

/* Registers that keep what is written to them; and a line that text comes in at. */
static void any_registers(void)
{
    static const uint8_t kept[][2] = { { 0, 0x5a },          { 1 << 3, 0x4c }, { 1 << 3, 0x60 }, { 1 << 3 | 3, 0x58 },
                                       { 1 << 3 | 1, 0x42 }, { 3 << 3, 0x3c }, { 4 << 3, 0x0c }, { 2 << 3, 0x3c } };
    const uint8_t *k = kept[any(sizeof(kept) / sizeof(kept[0]))];

    note(inb(m.board, 0x71));
    outb(m.board, 0x70, (uint8_t)any(128));
    note(inb(m.board, 0x71));
    outb(m.board, 0x71, (uint8_t)any(256));
    note(config(k[0], k[1], 1, one_in(2), (uint32_t)any(256)));
    note(inb(m.board, 0x10));
    outb(m.board, 0x10, (uint8_t)any(2));
    outb(m.board, 0x12, one_in(12) ? '\n' : 'a' + (uint8_t)any(26)); /* a line of the platform's log */
    if (one_in(4))
        outb(m.board, 0x60, (uint8_t)(one_in(2) ? 0xf3 : any(64)));
    m.typed += (unsigned int)any(4);
    pc_kick(m.pc);
    for (unsigned int i = (unsigned int)any(8); i; i--)
        note(inb(m.board, 0x60));
    outb(m.board, 0x2fb, 3);
    if (one_in(8))
        outb(m.board, 0x2fa, one_in(4) ? 0 : 0xc1);
    outb(m.board, 0x2f9, (uint8_t)any(16));
    m.serial += (unsigned int)any(8);
    pc_kick(m.pc);
    for (unsigned int i = (unsigned int)any(12); i; i--)
        note(inb(m.board, 0x2f8));
    note(inb(m.board, 0x2fa));
    note(inb(m.board, 0x2fd));
    note(m.board->isa[3]);
    if (one_in(3))
        pass(m.board, (s_time_t)any(MILLISECS(8)));
}

static void any_step(void)
{
    switch (any(14)) {
    case 0: any_config(); break;
    case 1: any_descriptors(); break;
    case 2:
    case 3: any_command(); break;
    case 4: any_packet(); break;
    case 5: data_port(); break;
    case 6: any_frame(); break;
    case 7: any_key(); break;
    case 8: any_text(); break;
    case 9:
        if (one_in(6)) {
            m.in = one_in(2) ? m.disk[2] : NULL;
            pc_change_disc(m.pc, 2, m.in);
        }
        m.typed += (unsigned int)any(20);
        m.serial += (unsigned int)any(20);
        pc_kick(m.pc);
        break;
    case 11:
    case 12: any_registers(); break;
    case 10: pass(m.board, (s_time_t)any(MILLISECS(60))); break;
    default: any_region(); break;
    }
}

/* Whether a step is followed by bytes is decided elsewhere, so that the guest does the same. */
static void save_and_load(void)
{
    size_t size, again;
    uint8_t *bytes = saved(m.pc, &size), *second;
    const char *why;

    m.in = m.pc->ide.channel[1].drive[0].disk;
    why = made_of(bytes, size);
    if (why)
        fail_msg("%s", why);
    second = saved(m.pc, &again);
    assert_int_equal(size, again);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != second[i])
            fail_msg("byte %zu of %zu: %#x became %#x", i, size, bytes[i], second[i]);
    free(bytes);
    free(second);
}

static uint64_t run(uint64_t seed, bool saves)
{
    uint64_t when = seed * 77 + 1;

    r = seed;
    hash = UINT64_C(14695981039346656037);
    machine_make();
    for (unsigned int i = 0; i < 1200; i++) {
        const bool now = random_of(&when, 20) == 0;

        any_step();
        note(m.board->isa[4]);
        if (!now)
            continue;
        pc_kick(m.pc); /* a disc that is to be changed is, before there are bytes */
        if (saves)
            save_and_load();
    }
    for (unsigned int i = 0; i < 16; i++)
        note(m.board->rises[i]);
    for (unsigned int i = 0; i < BOARD_MEMORY; i++)
        note(m.board->memory[i]);
    for (unsigned int i = 0; i < BOARD_FRAMES; i++)
        note(m.board->gfn[i] + m.board->frame[i][100]);
    machine_end();
    return hash;
}

static void the_same(void **state)
{
    for (unsigned int i = 0; i < runs; i++)
        if (run(first_seed + i, false) != run(first_seed + i, true))
            fail_msg("seed %llu: it makes a difference that it is saved", (unsigned long long)(first_seed + i));
}

/* --- bytes that are not what was saved --- */

static void damage(uint8_t *bytes, size_t size)
{
    static const uint64_t odd[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, UINT32_MAX, UINT64_MAX };

    for (unsigned int n = 1 + (unsigned int)any(4); n; n--) {
        const size_t at = any(size - 8);
        const uint64_t val = odd[any(sizeof(odd) / sizeof(odd[0]))];

        if (one_in(2))
            bytes[at] = (uint8_t)any(256);
        else
            memcpy(bytes + at, &val, 1u << any(4));
    }
}

static void damaged(void **state)
{
    unsigned int refused = 0, taken = 0;

    for (unsigned int i = 0; i < runs; i++) {
        size_t size;
        uint8_t *bytes, *bad;
        uint64_t gfn[BOARD_FRAMES];
        struct disk *in;

        r = first_seed + 1000 + i;
        machine_make();
        for (unsigned int k = 0; k < 300; k++)
            any_step();
        pc_kick(m.pc);
        m.in = m.pc->ide.channel[1].drive[0].disk;
        in = m.in;
        memcpy(gfn, m.board->gfn, sizeof(gfn));
        bytes = saved(m.pc, &size);
        for (unsigned int k = 0; k < 100; k++) {
            const size_t left = one_in(20) ? any(size) : size;

            bad = malloc(size); /* what is read behind its end is somebody else's */
            memcpy(bad, bytes, size);
            if (left == size)
                damage(bad, size);
            bad = realloc(bad, left ?: 1);
            if (made_of(bad, left)) {
                refused++;
            } else {
                taken++;
                for (unsigned int n = 0; n < 60; n++)
                    any_step();
            }
            free(bad);
            m.in = in;
            memcpy(m.board->gfn, gfn, sizeof(gfn));
            assert_null(made_of(bytes, size)); /* what was damaged has left nothing behind */
        }
        free(bytes);
        machine_end();
    }
    assert_true(refused > 10 && taken > 10);
}

static void another(void **state)
{
    size_t size;
    uint8_t *bytes;

    machine_make();
    bytes = saved(m.pc, &size);
    bytes[8]++;
    assert_non_null(strstr(made_of(bytes, size), "version"));
    bytes[8]--;
    bytes[0]++;
    assert_non_null(strstr(made_of(bytes, size), "another device model"));
    bytes[0]--;
    m.cfg.nr_nics = 1;
    assert_non_null(strstr(made_of(bytes, size), "vga 0: there is none"));
    m.cfg.nr_nics = 2;
    m.cfg.platform = false;
    assert_non_null(strstr(made_of(bytes, size), "configuration is of another machine"));
    m.cfg.platform = true;
    m.cfg.drive[0].kind = IDE_CD;
    assert_non_null(strstr(made_of(bytes, size), "drive 0 is another"));
    m.cfg.drive[0].kind = IDE_DISK;
    assert_null(made_of(bytes, size));
    free(bytes);
    machine_end();
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same),
        cmocka_unit_test(damaged),
        cmocka_unit_test(another),
    };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
