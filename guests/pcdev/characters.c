// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcdev: where characters go to and come from: the text screen, a serial line, the keyboard.
 *
 * Sources: IBM VGA technical reference (the registers of mode 3); National PC16550D; IBM PS/2 hardware interface, and
 * for the controller's command 0xd2 what every PC since has.
 */
#include "guests/pcdev/pcdev.h"

/* ------------------------------------------------------------------------------------------------------- screen -- */

#define COLUMNS 80
#define LINES   25

static volatile uint16_t *const cells = (volatile uint16_t *)0xb8000;
static unsigned int cursor;

static uint8_t crtc_read(uint8_t reg)
{
    out8(0x3d4, reg);
    return in8(0x3d5);
}

static void crtc_write(uint8_t reg, uint8_t val)
{
    out8(0x3d4, reg);
    out8(0x3d5, val);
}

static void cursor_show(void)
{
    crtc_write(14, (uint8_t)(cursor >> 8));
    crtc_write(15, (uint8_t)cursor);
}

/* Mode 3: 80x25 characters. Firmware has done it already, if there was any. */
void screen_set_up(void)
{
    static const uint8_t sequencer[] = { 3, 0, 3, 0, 2 }, graphics[] = { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
                         crtc[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
                                    0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
                         attributes[] = { 0,    1,    2,    3,    4,    5,    0x14, 7,    0x38, 0x39, 0x3a,
                                          0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0,    0x0f, 8,    0 };

    out8(0x3c2, 0x67);
    for (uint8_t i = 0; i < sizeof(sequencer); i++)
        out8(0x3c4, i), out8(0x3c5, sequencer[i]);
    crtc_write(17, 0x0e); /* the first eight can be written */
    for (uint8_t i = 0; i < sizeof(crtc); i++)
        crtc_write(i, crtc[i]);
    for (uint8_t i = 0; i < sizeof(graphics); i++)
        out8(0x3ce, i), out8(0x3cf, graphics[i]);
    for (uint8_t i = 0; i < sizeof(attributes); i++) {
        in8(0x3da);
        out8(0x3c0, i), out8(0x3c0, attributes[i]);
    }
    in8(0x3da);
    out8(0x3c0, 0x20);
    for (unsigned int i = 0; i < COLUMNS * LINES; i++)
        cells[i] = 0x0720;
    cursor_show();
}

void screen_write(char c)
{
    if (c == '\n')
        cursor += COLUMNS - cursor % COLUMNS;
    else
        cells[cursor++] = (uint16_t)(0x0700 | (uint8_t)c);
    if (cursor >= COLUMNS * LINES) {
        for (unsigned int i = 0; i < COLUMNS * (LINES - 1); i++)
            cells[i] = cells[i + COLUMNS];
        for (unsigned int i = COLUMNS * (LINES - 1); i < COLUMNS * LINES; i++)
            cells[i] = 0x0720;
        cursor -= COLUMNS;
    }
    if (c == '\n')
        cursor_show();
}

void screen_test(void)
{
    static const char text[] = "text";
    const unsigned int at = COLUMNS * (LINES - 1) + 60;
    unsigned int good = 0;

    for (unsigned int i = 0; i < 4; i++)
        cells[at + i] = (uint16_t)(0x1f00 | (uint8_t)text[i]);
    for (unsigned int i = 0; i < 4; i++)
        good += cells[at + i] == (0x1f00 | (uint8_t)text[i]);
    result("screen", good == 4, "%u of 4 characters, with their colours", good);
    crtc_write(14, 0x03);
    crtc_write(15, 0x21);
    result("screen", crtc_read(14) == 3 && crtc_read(15) == 0x21, "the cursor is where it was put: %x",
           crtc_read(14) << 8 | crtc_read(15));
    cursor_show();
}

/* --------------------------------------------------------------------------------------------------------- UART -- */

#define COM1 0x3f8

static volatile uint32_t uart_interrupts, uart_sent;
static const char uart_text[] = "pcdev: on the serial line, by interrupts\r\n";

static void uart_set_up(void)
{
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x80); /* the divisor: 115200 */
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3); /* 8 bits, no parity */
    out8(COM1 + 2, 7); /* FIFOs, emptied */
}

static bool uart_ready(uint8_t what)
{
    const struct deadline d = deadline(20);

    while (!(in8(COM1 + 5) & what))
        if (is_over(&d))
            return false;
    return true;
}

static void uart_interrupt(void)
{
    uart_interrupts++;
    if ((in8(COM1 + 2) & 0xf) == 2) { /* nothing to send */
        if (uart_text[uart_sent])
            out8(COM1, (uint8_t)uart_text[uart_sent++]);
        else
            out8(COM1 + 1, 0);
    }
    apic_eoi();
}

void uart_test(void)
{
    const char *text = "pcdev: on the serial line, by polling\r\n";
    unsigned int back = 0;
    bool good = true;

    uart_set_up();
    out8(COM1 + 7, 0x5a);
    if (!result("UART", in8(COM1 + 7) == 0x5a && in8(COM1 + 5) != 0xff, "is there"))
        return;
    result("UART", in8(COM1 + 2) >> 6 == 3, "has FIFOs");
    out8(COM1 + 4, 0x10); /* loop back */
    for (unsigned int i = 0; i < 256; i++) {
        out8(COM1, (uint8_t)i);
        if (!uart_ready(1))
            break;
        back += in8(COM1) == i;
    }
    result("UART", back == 256, "%u of 256 bytes came back through the loop", back);
    out8(COM1 + 4, 0x1a); /* OUT2 and RTS are DCD and CTS then */
    result("UART", (in8(COM1 + 6) & 0xf0) == 0x90, "modem lines through the loop: %x", in8(COM1 + 6) & 0xf0u);
    out8(COM1 + 4, 0x0b); /* DTR, RTS, and OUT2, which lets interrupts out */
    for (; *text && good; text++) {
        good = uart_ready(0x20);
        out8(COM1, (uint8_t)*text);
    }
    result("UART", good, "a line, by polling");
    uart_ready(0x40);
    ioapic_route(4, uart_interrupt);
    out8(COM1 + 1, 2);
    good = wait_count(&uart_sent, sizeof(uart_text) - 1, 200);
    wait_count(&uart_interrupts, sizeof(uart_text), 20);
    result("UART", good && uart_interrupts >= uart_sent, "a line, by interrupts");
    out8(COM1 + 1, 0);
    ioapic_route(4, NULL);
}

/* ----------------------------------------------------------------------------------------------------- keyboard -- */

static volatile uint32_t keys;
static volatile uint8_t key;

/* The controller has taken what was written. */
static bool kbd_free(void)
{
    const struct deadline d = deadline(50);

    while (in8(0x64) & 2)
        if (is_over(&d))
            return false;
    return true;
}

/* What it has to say; -1: nothing. */
static int kbd_get(void)
{
    const struct deadline d = deadline(100);

    while (!(in8(0x64) & 1))
        if (is_over(&d))
            return -1;
    return in8(0x60);
}

static void kbd_command(uint8_t what)
{
    kbd_free();
    out8(0x64, what);
}

static void kbd_write(uint8_t what)
{
    kbd_free();
    out8(0x60, what);
}

static void kbd_interrupt(void)
{
    key = in8(0x60);
    keys++;
    apic_eoi();
}

void keyboard_test(void)
{
    int a, b, c;
    bool good;

    kbd_command(0xad);
    kbd_command(0xa7);
    for (unsigned int i = 0; i < 16 && in8(0x64) & 1; i++)
        in8(0x60);
    kbd_command(0xaa);
    a = kbd_get();
    if (!result("8042", a == 0x55, a < 0 ? "does not answer" : "its self-test: %x", (unsigned)a))
        return;
    kbd_command(0x60);
    kbd_write(0x60); /* codes are translated, no interrupts, the pointing device is off */
    kbd_command(0x20);
    a = kbd_get();
    result("8042", a == 0x60, "its command byte: %x", (unsigned)a);
    kbd_command(0xae);
    kbd_write(0xff);
    a = kbd_get(), b = kbd_get();
    result("keyboard", a == 0xfa && b == 0xaa, "reset: %x %x", (unsigned)a, (unsigned)b);
    kbd_write(0xf2);
    a = kbd_get(), b = kbd_get(), c = kbd_get();
    result("keyboard", a == 0xfa && b == 0xab && (c == 0x83 || c == 0x41), "is one: %x %x", (unsigned)a, (unsigned)b);
    ioapic_route(1, kbd_interrupt);
    kbd_command(0x60);
    kbd_write(0x61); /* with interrupts */
    kbd_command(0xd2);
    kbd_write(0x1e); /* as if the key A had been pressed */
    good = wait_count(&keys, 1, 200);
    result("keyboard", good && key == 0x1e, "an interrupt with the key %x", key);
    ioapic_route(1, NULL);
}
