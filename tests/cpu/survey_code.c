// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of cases (see survey.h).
 *
 * Concept: an instruction is [prefixes] [escape] opcode [ModRM [SIB] [displacement]] [immediate]. The first four are
 * walked through; what follows is filled with 0x20, which as a SIB byte means (%rax), as a displacement goes 32 bytes
 * ahead, and is within everything that the guest has mapped. For VEX and XOP the prefix sets are the values of their
 * own fields: pp, L, W (C5 has no W: vvvv instead).
 *
 * The 32 ModRM bytes: each value of reg with two memory operands, (%rbx) and disp8(SIB), and with two registers.
 *
 * Could pass wrongly: not every displacement and immediate is tried, nor prefixes in every order and number.
 */
#include "tests/cpu/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILL 0x20

/*
 * The first byte says how many follow. REX prefixes exist in 64-bit code only; 32-bit code has segments in their place.
 */
static const uint8_t legacy64[SURVEY_PREFIXES][4] = {
    { 0 },
    { 1, 0x66 },
    { 1, 0x67 },
    { 1, 0xf0 },
    { 1, 0xf2 },
    { 1, 0xf3 },
    { 1, 0x64 },
    { 1, 0x48 },
    { 1, 0x45 },
    { 2, 0x66, 0x67 },
    { 2, 0x66, 0x48 },
    { 2, 0xf2, 0x48 },
    { 2, 0xf3, 0x48 },
    { 2, 0xf0, 0x66 },
    { 2, 0xf0, 0x48 },
    { 2, 0x66, 0xf3 },
};
static const uint8_t legacy32[SURVEY_PREFIXES][4] = {
    { 0 },
    { 1, 0x66 },
    { 1, 0x67 },
    { 1, 0xf0 },
    { 1, 0xf2 },
    { 1, 0xf3 },
    { 1, 0x64 },
    { 1, 0x2e },
    { 1, 0x3e },
    { 2, 0x66, 0x67 },
    { 2, 0x66, 0xf2 },
    { 2, 0xf0, 0xf2 },
    { 2, 0xf0, 0xf3 },
    { 2, 0xf0, 0x66 },
    { 2, 0xf3, 0x67 },
    { 2, 0x66, 0xf3 },
};

static const char *const mode_names[SURVEY_NR_MODES] = { "64", "32", "ring1", "kernel64", "user32" };
static const char *const map_names[SURVEY_NR_MAPS] = { "one-byte", "0f",     "0f38",     "0f3a",
                                                       "3dnow",    "vex-c5", "vex-c4-1", "vex-c4-2",
                                                       "vex-c4-3", "xop-8",  "p+vex-c5", "p+vex-c4" };

const char *survey_mode_name(enum survey_mode mode) { return mode_names[mode]; }
const char *survey_map_name(enum survey_map map) { return map_names[map]; }

static uint8_t modrm_byte(unsigned int i)
{
    const unsigned int reg = i & 7;

    switch (i >> 3) {
    case 0: return (uint8_t)(reg << 3 | 3);                      /* (%rbx) */
    case 1: return (uint8_t)(0x40 | reg << 3 | 4);               /* 0x20(SIB) */
    case 2: return (uint8_t)(0xc0 | reg << 3 | ((reg + 1) & 7)); /* a register */
    default: return (uint8_t)(0xc0 | reg << 3 | (reg * 3 & 7));  /* another, or itself */
    }
}

static void add(struct survey_case *c, unsigned int byte) { c->bytes[c->len++] = (uint8_t)byte; }

static void add_prefixes(struct survey_case *c)
{
    const uint8_t *p = (survey_is_64(c->mode) ? legacy64 : legacy32)[c->prefix];

    for (unsigned int i = 1; i <= p[0]; i++)
        add(c, p[i]);
}

/* C4 and 8F: RXB (inverted) and map, then W vvvv (inverted) L pp. */
static void add_vex3(struct survey_case *c, unsigned int escape, unsigned int map, unsigned int fields)
{
    add(c, escape);
    add(c, 0xe0 | map);
    add(c, (fields & 8) << 4 | 0x78 | (fields & 7));
}

struct survey_case survey_case_make(enum survey_mode mode, enum survey_map map, unsigned int prefix, unsigned int i)
{
    struct survey_case c = { .mode = mode, .map = map, .prefix = (uint8_t)prefix };

    c.opcode = (uint8_t)(i / SURVEY_MODRMS);
    c.modrm = modrm_byte(i % SURVEY_MODRMS);
    switch (map) {
    case MAP_VEX2: /* vvvv: none, or a register */
        add(&c, 0xc5);
        add(&c, 0x80 | (prefix & 8 ? 0x50 : 0x78) | (prefix & 7));
        break;
    case MAP_VEX3_1: add_vex3(&c, 0xc4, 1, prefix); break;
    case MAP_VEX3_2: add_vex3(&c, 0xc4, 2, prefix); break;
    case MAP_VEX3_3: add_vex3(&c, 0xc4, 3, prefix); break;
    case MAP_XOP: add_vex3(&c, 0x8f, 8, prefix); break;
    default: add_prefixes(&c); break;
    }
    switch (map) {
    case MAP_0F: add(&c, 0x0f); break;
    case MAP_0F38: add(&c, 0x0f), add(&c, 0x38); break;
    case MAP_0F3A: add(&c, 0x0f), add(&c, 0x3a); break;
    case MAP_3DNOW: add(&c, 0x0f), add(&c, 0x0f); break;
    case MAP_PRE_VEX2: add(&c, 0xc5), add(&c, 0xf8); break;
    case MAP_PRE_VEX3: add_vex3(&c, 0xc4, 2, 0); break;
    default: break;
    }
    if (map != MAP_3DNOW)
        add(&c, c.opcode);
    add(&c, c.modrm);
    if (map == MAP_3DNOW) { /* the opcode comes last */
        for (unsigned int n = c.modrm >> 6 == 1 ? 2 : 0; n; n--)
            add(&c, FILL);
        add(&c, c.opcode);
    }
    while (c.len < sizeof(c.bytes))
        add(&c, FILL);
    return c;
}

/* Take legacy prefixes and escapes off, to know what the rest of the survey must know. */
static void classify(struct survey_case *c)
{
    unsigned int i = 0;

    while (i + 1 < c->len && c->bytes[i] &&
           (strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", c->bytes[i]) ||
            (survey_is_64(c->mode) && (c->bytes[i] & 0xf0) == 0x40)))
        i++;
    c->map = MAP_ONE;
    if (c->bytes[i] == 0x0f) {
        c->map = MAP_0F;
        i++;
        if (c->bytes[i] == 0x38 || c->bytes[i] == 0x3a)
            c->map = c->bytes[i++] == 0x38 ? MAP_0F38 : MAP_0F3A;
    }
    c->opcode = c->bytes[i];
    c->modrm = i + 1 < c->len ? c->bytes[i + 1] : 0;
}

bool survey_case_parse(struct survey_case *c, const char *mode, const char *hex)
{
    unsigned int byte;

    memset(c, 0, sizeof(*c));
    while (c->mode < SURVEY_NR_MODES && strcmp(mode, mode_names[c->mode]))
        c->mode++;
    for (; *hex && c->len < sizeof(c->bytes); hex += 2) {
        if (strspn(hex, "0123456789abcdef") < 2 || sscanf(hex, "%2x", &byte) != 1)
            return false;
        add(c, byte);
    }
    if (c->mode == SURVEY_NR_MODES || !c->len || *hex)
        return false;
    while (c->len < sizeof(c->bytes))
        add(c, FILL);
    classify(c);
    return true;
}

void survey_case_name(const struct survey_case *c, char *buf, size_t len)
{
    int n = snprintf(buf, len, "%s ", mode_names[c->mode]);

    for (unsigned int i = 0; i < c->len && n > 0 && (size_t)n < len; i++)
        n += snprintf(buf + n, len - (size_t)n, "%02x", c->bytes[i]);
}
