// SPDX-License-Identifier: GPL-2.0-or-later
/* five: from beginning to end, and how it says what it saw. */
#include "guests/five/cpu.h"

static uint64_t results = HASH_START;
void five_main(void);

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (const uint8_t *b = bytes; n--; b++)
        hash = (hash ^ *b) * 0x100000001b3ull;
    return hash;
}

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    while (n--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int c, size_t n)
{
    for (uint8_t *t = to; n--;)
        *t++ = (uint8_t)c;
    return to;
}

/* ------------------------------------------------------------------------------------------------------- saying -- */

static size_t length(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

static size_t put(char *line, size_t at, const char *text)
{
    const size_t n = length(text);

    memcpy(line + at, text, n);
    return at + n;
}

static size_t put_number(char *line, size_t at, uint64_t val)
{
    int shift = 60;

    while (shift && !(val >> shift))
        shift -= 4;
    at = put(line, at, "0x");
    for (; shift >= 0; shift -= 4)
        line[at++] = "0123456789abcdef"[val >> shift & 15];
    return at;
}

void note(const char *text)
{
    char line[128];
    size_t at = put(line, 0, "five: ");

    at = put(line, at, text);
    cpu_write(line, put(line, at, "\n"));
}

void note_number(const char *text, uint64_t val)
{
    char line[128];
    size_t at = put(line, 0, text);

    at = put_number(line, at, val);
    line[at] = '\0';
    note(line);
}

void result(const char *what, uint64_t val)
{
    char line[128];
    const size_t at = put(line, 0, what);

    results = hash_bytes(hash_bytes(results, what, length(what)), &val, sizeof(val));
    put(line, at, ": ");
    line[at + 2] = '\0';
    note_number(line, val);
}

_Noreturn void panic(const char *why)
{
    note("PANIC");
    note(why);
    cpu_stop();
}

/* ------------------------------------------------------------------------------------------------------- the way -- */

void five_main(void)
{
    cpu_init();
    note(cpu_name);
    traps_test();
    paging_test();
    timer_test();
    patch_test();
    processes_test();
    probes_test();
    note_number("done, hash ", results);
    cpu_stop();
}
