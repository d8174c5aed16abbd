// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A serial line: National's 16550A.
 *
 * Concept: eight ports. What the guest writes to the first goes out, what has come in is read there; the rest tells of
 * it, and sets it up.
 *
 *      offset   read                        written
 *      0        RBR what came in            THR what goes out               | while LCR's bit 7 (DLAB) is set,
 *      1        IER which interrupts                                        | 0 and 1 are the divisor of 115200 baud
 *      2        IIR which one is pending    FCR the FIFO
 *      3        LCR form of a character
 *      4        MCR lines out, loop
 *      5        LSR what the line does
 *      6        MSR lines in, and which have changed since it was read
 *      7        a byte that is kept
 *
 * Pending are, the first of them is told:   LSR has an error (until LSR is read); the FIFO holds as much as was asked
 * for (until it holds less); it holds less, and for four characters' time nothing came or went (until it is read); THR
 * has become empty (until IIR says so, or THR is written); MSR has changed (until it is read).
 *
 * A byte goes out in no time: THR is always empty, and a guest that looks before it writes goes on at once. Of the
 * speed that the divisor sets only the FIFO's silence remains. What comes in waits outside until there is room, so
 * nothing is lost but in a loop that the guest has closed itself (MCR's bit 4: out is in).
 *
 * Invariants: the interrupt's line is up exactly if one is pending that IER allows; writing THR drops it for a moment,
 * as the edge is what a PIC looks for. MCR's OUT2, a gate before the interrupt on a PC's board, is not one here: much
 * that runs in virtual machines does not set it.
 *
 * Source: National Semiconductor PC16550D data sheet.
 */
#include "rings/dm/uart.h"

#define IER_RDA   0x01
#define IER_THRE  0x02
#define IER_LINE  0x04
#define IER_MODEM 0x08

#define IIR_NONE    0x01
#define IIR_MODEM   0x00
#define IIR_THRE    0x02
#define IIR_RDA     0x04
#define IIR_LINE    0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO    0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_TRIGGER  0xc0

#define LCR_BREAK 0x40
#define LCR_DLAB  0x80

#define MCR_LOOP 0x10

#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_FE     0x08
#define LSR_BI     0x10
#define LSR_ERRORS 0x1e
#define LSR_OUT    0x60 /* THR, and what is behind it, is empty */
#define LSR_FIFO   0x80 /* an error is somewhere in the FIFO */

#define MSR_DELTA  0x0f
#define MSR_RI     0x40
#define MSR_NORMAL 0xb0 /* somebody is there, and ready */

/* --- interrupts --- */

static unsigned int trigger(const struct uart *u)
{
    static const uint8_t level[] = { 1, 4, 8, 14 };

    return u->fcr & FCR_ENABLE ? level[u->fcr >> 6] : 1;
}

static uint8_t pending(const struct uart *u)
{
    if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
        return IIR_LINE;
    if ((u->ier & IER_RDA) && u->nr >= trigger(u))
        return IIR_RDA;
    if ((u->ier & IER_RDA) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thr_empty)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTA))
        return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct uart *u) { u->board->ops->isa_irq(u->board, u->irq, pending(u) != IIR_NONE); }

/* Four characters' time: a start bit, five to eight, perhaps parity, and one or two to stop. */
static s_time_t silence(const struct uart *u)
{
    const unsigned int bits = 7 + (u->lcr & 3) + (u->lcr >> 2 & 1) + (u->lcr >> 3 & 1);

    return 4 * (s_time_t)bits * (u->divisor ? u->divisor : 1) * SECONDS(1) / 115200;
}

static void silence_over(void *dev)
{
    struct uart *u = dev;

    u->timed_out = u->nr != 0;
    update(u);
}

/* Something came, or was taken: the silence begins anew. */
static void silence_begins(struct uart *u)
{
    const bool wanted = (u->fcr & FCR_ENABLE) && u->nr;

    u->timed_out = false;
    u->board->ops->timer(u->board, &u->silence, wanted ? u->board->ops->now(u->board) + silence(u) : 0);
}

/* --- in --- */

/* What LSR says of the FIFO: an error of a character's is told when it is the next. */
static void fifo_look(struct uart *u)
{
    bool any = false;

    for (unsigned int i = 0; i < u->nr; i++)
        any |= u->fifo[(u->first + i) % UART_FIFO] >> 8 != 0;
    u->lsr &= (uint8_t) ~(LSR_DR | LSR_FIFO);
    if (u->nr)
        u->lsr |= LSR_DR;
    if (any && (u->fcr & FCR_ENABLE))
        u->lsr |= LSR_FIFO;
}

static void next_is_told(struct uart *u)
{
    if (u->nr)
        u->lsr |= (uint8_t)(u->fifo[u->first] >> 8);
}

static unsigned int room(const struct uart *u) { return (u->fcr & FCR_ENABLE ? UART_FIFO : 1) - u->nr; }

static void put(struct uart *u, uint8_t byte, uint8_t errors)
{
    if (!room(u)) {
        u->lsr |= LSR_OE;
        if (u->fcr & FCR_ENABLE)
            return;
        u->nr = 0; /* without the FIFO the new one is kept */
    }
    u->fifo[(u->first + u->nr++) % UART_FIFO] = (uint16_t)(errors << 8 | byte);
    if (u->nr == 1)
        next_is_told(u);
    fifo_look(u);
    silence_begins(u);
    update(u);
}

static uint8_t get(struct uart *u)
{
    uint8_t byte;

    if (!u->nr)
        return (uint8_t)u->fifo[u->first]; /* what was there */
    byte = (uint8_t)u->fifo[u->first];
    if (--u->nr) {
        u->first = (u->first + 1) % UART_FIFO;
        next_is_told(u);
    }
    fifo_look(u);
    silence_begins(u);
    update(u);
    if (!(u->mcr & MCR_LOOP))
        u->line->ready(u->owner);
    return byte;
}

static void fifo_clear(struct uart *u)
{
    u->nr = 0;
    fifo_look(u);
    silence_begins(u);
}

unsigned int uart_room(const struct uart *u) { return u->mcr & MCR_LOOP ? 0 : room(u); }

size_t uart_receive(struct uart *u, const uint8_t *bytes, size_t n)
{
    size_t taken = 0;

    for (; taken < n && uart_room(u); taken++)
        put(u, bytes[taken], 0);
    return taken;
}

bool uart_break(struct uart *u)
{
    if (!uart_room(u))
        return false;
    put(u, 0, LSR_BI | LSR_FE);
    return true;
}

/* --- the registers --- */

static void write_thr(struct uart *u, uint8_t val)
{
    u->thr_empty = false;
    update(u);
    if (u->mcr & MCR_LOOP)
        put(u, val, 0);
    else
        u->line->transmit(u->owner, val);
    u->thr_empty = true;
    update(u);
}

static void write_ier(struct uart *u, uint8_t val)
{
    if (val & ~u->ier & IER_THRE)
        u->thr_empty = true; /* allowed anew, it is told again */
    u->ier = val & 0x0f;
    update(u);
}

static void write_fcr(struct uart *u, uint8_t val)
{
    if ((val ^ u->fcr) & FCR_ENABLE)
        val |= FCR_CLEAR_RX;
    u->fcr = val & FCR_ENABLE ? val & (FCR_ENABLE | FCR_TRIGGER) : 0;
    if (val & FCR_CLEAR_RX) {
        fifo_clear(u);
        if (!(u->mcr & MCR_LOOP))
            u->line->ready(u->owner);
    }
    update(u);
}

static void write_lcr(struct uart *u, uint8_t val)
{
    const bool begins = val & ~u->lcr & LCR_BREAK;

    u->lcr = val;
    if (begins && (u->mcr & MCR_LOOP))
        put(u, 0, LSR_BI | LSR_FE);
}

/* Lines in: the other end's, or in the loop our own. What differs is noted; of RI only its end. */
static void lines_look(struct uart *u)
{
    const uint8_t mcr = u->mcr, was = u->msr;
    uint8_t now = MSR_NORMAL, delta;

    if (mcr & MCR_LOOP) /* RTS is CTS, DTR is DSR, OUT1 is RI, OUT2 is DCD */
        now = (uint8_t)((mcr & 2) << 3 | (mcr & 1) << 5 | (mcr & 4) << 4 | (mcr & 8) << 4);
    delta = (uint8_t)((now ^ was) >> 4);
    if (now & MSR_RI)
        delta &= (uint8_t) ~(MSR_RI >> 4);
    u->msr = (uint8_t)(now | (was & MSR_DELTA) | delta);
}

static void write_mcr(struct uart *u, uint8_t val)
{
    const bool opened = u->mcr & ~val & MCR_LOOP;

    u->mcr = val & 0x1f;
    lines_look(u);
    update(u);
    if (opened)
        u->line->ready(u->owner);
}

static uint8_t read_iir(struct uart *u)
{
    const uint8_t iir = pending(u);

    if (iir == IIR_THRE) {
        u->thr_empty = false;
        update(u);
    }
    return iir | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t read_lsr(struct uart *u)
{
    const uint8_t lsr = u->lsr;

    u->lsr &= (uint8_t)~LSR_ERRORS;
    if (u->nr)
        u->fifo[u->first] &= 0xff; /* it has been told */
    fifo_look(u);
    update(u);
    return lsr;
}

static uint8_t read_msr(struct uart *u)
{
    const uint8_t msr = u->msr;

    u->msr &= (uint8_t)~MSR_DELTA;
    update(u);
    return msr;
}

static uint8_t uart_read_byte(void *dev, unsigned int offset)
{
    struct uart *u = dev;

    switch (offset) {
    case 0: return u->lcr & LCR_DLAB ? (uint8_t)u->divisor : get(u);
    case 1: return u->lcr & LCR_DLAB ? (uint8_t)(u->divisor >> 8) : u->ier;
    case 2: return read_iir(u);
    case 3: return u->lcr;
    case 4: return u->mcr;
    case 5: return read_lsr(u);
    case 6: return read_msr(u);
    default: return u->scratch;
    }
}

static void uart_write_byte(void *dev, unsigned int offset, uint8_t val)
{
    struct uart *u = dev;
    const bool dlab = u->lcr & LCR_DLAB;

    switch (offset) {
    case 0:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff00) | val);
        else
            write_thr(u, val);
        break;
    case 1:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff) | val << 8);
        else
            write_ier(u, val);
        break;
    case 2: write_fcr(u, val); break;
    case 3: write_lcr(u, val); break;
    case 4: write_mcr(u, val); break;
    case 7: u->scratch = val; break;
    default: break; /* LSR and MSR: a factory's tests */
    }
}

static uint64_t uart_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, uart_read_byte, offset, size);
}

static void uart_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, uart_write_byte, offset, size, val);
}

void uart_init(struct uart *u, struct dm_board *board, unsigned int base, unsigned int irq,
               const struct uart_line_ops *line, void *owner)
{
    static const struct dm_region_ops ops = { .read = uart_read, .write = uart_write };

    *u = (struct uart){ .board = board,
                        .irq = irq,
                        .line = line,
                        .owner = owner,
                        .silence = { .fn = silence_over, .dev = u },
                        .divisor = 12, /* 9600 baud */
                        .lsr = LSR_OUT,
                        .msr = MSR_NORMAL };
    dm_region_init(&u->ports, &ops, u, DM_PORT, base, 8);
    board->ops->region(board, &u->ports);
}

/* --- as bytes --- */

void uart_state(struct uart *u, struct dm_state *s, unsigned int nr)
{
    state_begin(s, "uart", nr);
    STATE_MAX(s, u->ier, 0x0f);
    STATE(s, u->lcr);
    STATE_MAX(s, u->mcr, 0x1f);
    STATE(s, u->lsr);
    STATE(s, u->msr);
    STATE(s, u->scratch);
    STATE(s, u->fcr);
    STATE(s, u->divisor);
    STATE_BOOL(s, u->thr_empty);
    STATE_BOOL(s, u->timed_out);
    for (unsigned int i = 0; i < UART_FIFO; i++)
        STATE(s, u->fifo[i]);
    STATE_MAX(s, u->first, UART_FIFO - 1);
    STATE_MAX(s, u->nr, u->fcr & FCR_ENABLE ? UART_FIFO : 1);
    state_timer(s, "silence", u->board, &u->silence);
    state_end(s);
}
