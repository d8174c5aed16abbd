// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text: printf, the few string functions that the compiler relies on, and the command line.
 *
 * Concept: there is no C library below a kernel. What is here is what the toy guests use, written for reading.
 */
#include "guests/rt/guest.h"

void *memset(void *to, int c, size_t n)
{
    void *p = to;

    asm volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(c) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *p = to;

    asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n)
        return memcpy(to, from, n);
    for (size_t i = n; i-- > 0;) {
        ((volatile char *)to)[i] = ((const char *)from)[i];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *s)
{
    const char *p = s;

    while (*p)
        p++;
    return (size_t)(p - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, (size_t)-1); }

/* --- printf --- */

struct sink {
    char *buf;
    size_t size, len; /* len counts what would have been written, too */
};

static void put(struct sink *s, char c)
{
    if (s->len + 1 < s->size)
        s->buf[s->len] = c;
    s->len++;
}

static void put_padded(struct sink *s, const char *text, size_t len, size_t width, bool left, char pad)
{
    size_t fill = width > len ? width - len : 0;

    for (size_t i = 0; !left && i < fill; i++)
        put(s, pad);
    for (size_t i = 0; i < len; i++)
        put(s, text[i]);
    for (size_t i = 0; left && i < fill; i++)
        put(s, ' ');
}

/* The digits of n at the end of buf[24]; returns the first. */
static char *digits(char *buf, unsigned long n, unsigned int base)
{
    char *p = buf + 24;

    do
        *--p = "0123456789abcdef"[n % base];
    while (n /= base);
    return p;
}

static void put_number(struct sink *s, unsigned long n, bool negative, const char *prefix, unsigned int base,
                       size_t width, bool left, char pad)
{
    char buf[24], *p = digits(buf, n, base);
    size_t len = (size_t)(buf + 24 - p);

    if (negative)
        prefix = "-";
    if (pad == '0') {
        for (; *prefix; prefix++, width -= width > 0)
            put(s, *prefix);
    } else {
        for (size_t i = strlen(prefix); i-- > 0; len++)
            *--p = prefix[i];
    }
    put_padded(s, p, len, width, left, pad);
}

int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args)
{
    struct sink s = { buf, size, 0 };

    for (; *fmt; fmt++) {
        bool left = false, alternative = false, wide = false;
        char pad = ' ';
        size_t width = 0;
        const char *text;
        long n;

        if (*fmt != '%') {
            put(&s, *fmt);
            continue;
        }
        for (fmt++; *fmt == '-' || *fmt == '0' || *fmt == '#'; fmt++) {
            left |= *fmt == '-';
            alternative |= *fmt == '#';
            pad = *fmt == '0' ? '0' : pad;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (size_t)(*fmt - '0');
        for (; *fmt == 'l' || *fmt == 'z'; fmt++)
            wide = true;
        switch (*fmt) {
        case 'd':
        case 'i':
            n = wide ? __builtin_va_arg(args, long) : __builtin_va_arg(args, int);
            put_number(&s, n < 0 ? -(unsigned long)n : (unsigned long)n, n < 0, "", 10, width, left, pad);
            break;
        case 'u':
        case 'x':
            n = wide ? __builtin_va_arg(args, long) : (long)__builtin_va_arg(args, unsigned int);
            put_number(&s, (unsigned long)n, false, alternative && n ? "0x" : "", *fmt == 'u' ? 10 : 16, width, left,
                       pad);
            break;
        case 'p': put_number(&s, (unsigned long)__builtin_va_arg(args, void *), false, "", 16, 16, false, '0'); break;
        case 's':
            text = __builtin_va_arg(args, const char *);
            put_padded(&s, text, strlen(text), width, left, ' ');
            break;
        case 'c': put(&s, (char)__builtin_va_arg(args, int)); break;
        default: put(&s, *fmt);
        }
    }
    if (size)
        buf[s.len < size ? s.len : size - 1] = '\0';
    return (int)s.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    __builtin_va_list args;
    int len;

    __builtin_va_start(args, fmt);
    len = vsnprintf(buf, size, fmt, args);
    __builtin_va_end(args);
    return len;
}

void printf(const char *fmt, ...)
{
    char buf[1200];
    __builtin_va_list args;
    size_t len;

    __builtin_va_start(args, fmt);
    len = (size_t)vsnprintf(buf, sizeof(buf), fmt, args);
    __builtin_va_end(args);
    console_write(buf, len < sizeof(buf) ? len : sizeof(buf) - 1);
}

/* --- error numbers --- */

const char *xen_error(long rc)
{
    static char other[16];

    if (rc == 0)
        return "ok";
#define XEN_ERRNO(name, value)                                                                                         \
    if (rc == -(value))                                                                                                \
        return "-" #name;
#include <xen/errno.h>
    snprintf(other, sizeof(other), "%ld", rc);
    return other;
}

/* --- the command line --- */

/* The text behind "name=", or NULL. */
static const char *find(const char *name)
{
    const char *p = (const char *)start_info->cmd_line;
    size_t len = strlen(name);

    while (*p) {
        if (!strncmp(p, name, len) && p[len] == '=')
            return p + len + 1;
        while (*p && *p != ' ')
            p++;
        while (*p == ' ')
            p++;
    }
    return NULL;
}

long cmdline_number(const char *name, long missing)
{
    const char *p = find(name);
    long n = 0;

    if (!p)
        return missing;
    for (; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (*p - '0');
    return n;
}

const char *cmdline_text(const char *name, char *buf, size_t size, const char *missing)
{
    const char *p = find(name);
    size_t n = 0;

    if (!p)
        return missing;
    while (p[n] && p[n] != ' ' && n + 1 < size) {
        buf[n] = p[n];
        n++;
    }
    buf[n] = '\0';
    return buf;
}
