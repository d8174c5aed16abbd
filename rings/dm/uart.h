// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A serial line: National's 16550A. See uart.c.
 */
#ifndef RINGS_DM_UART_H
#define RINGS_DM_UART_H

#include "rings/dm/state.h"

#define UART_COM1 0x3f8 /* interrupt 4 */
#define UART_COM2 0x2f8 /* interrupt 3 */
#define UART_COM3 0x3e8 /* interrupt 4 */
#define UART_COM4 0x2e8 /* interrupt 3 */
#define UART_FIFO 16

/* Who is at the other end of the line. Both are called from within an access of the guest's. */
struct uart_line_ops {
    void (*transmit)(void *owner, uint8_t byte);
    /* There is room for input again: uart_receive() may be called, now or later. */
    void (*ready)(void *owner);
};

struct uart {
    struct dm_board *board;
    unsigned int irq;
    const struct uart_line_ops *line;
    void *owner;
    struct dm_region ports;
    struct dm_timer silence; /* what is in the FIFO has waited for long enough */

    uint8_t ier, lcr, mcr, lsr, msr, scratch, fcr;
    uint16_t divisor;
    bool thr_empty, timed_out; /* interrupts that are to be told of */
    uint16_t fifo[UART_FIFO];  /* the byte, and above it what LSR says of it */
    uint8_t first, nr;
};

/* base: of its eight ports; irq: its ISA interrupt. */
void uart_init(struct uart *u, struct dm_board *board, unsigned int base, unsigned int irq,
               const struct uart_line_ops *line, void *owner);
/* For how many bytes there is room. */
unsigned int uart_room(const struct uart *u);
/* Bytes come in: how many there was room for. */
size_t uart_receive(struct uart *u, const uint8_t *bytes, size_t n);
/* The other end holds the line down for longer than a character. False: there was no room. */
bool uart_break(struct uart *u);
void uart_state(struct uart *u, struct dm_state *s, unsigned int nr);

#endif
