// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets about registers and memory, see ui/gdb/server.h. Reading looks, and changes nothing: no guest takes a fault,
 * no device is read. What is written comes in from outside, as what any other door sets does (tools/rewind/input.h).
 */
#include "ui/gdb/private.h"

#include "tools/rewind/input.h"

#include <string.h>

static bool thread_look(struct gdb_server *s, struct look_vcpu *v)
{
    return look_vcpu(s->g->host, s->dom, s->thread, v) && !v->native;
}

/* False, and it has said why. */
static bool may_change(struct gdb_server *s)
{
    if (s->g->read_only)
        gdb_refuse(s, "--read-only: nothing is changed");
    else if (!rewind_is_live(&s->g->rw))
        gdb_refuse(s, "this is the past: monitor branch NAME begins another future here, in which it can be changed");
    else
        return true;
    return false;
}

/* Would it be refused? Then it has said why. */
static bool input_is_fine(struct gdb_server *s, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    const struct journal_record rec = {
        s->g->rw.m->at, host_now(s->g->host), kind, who, len, (uint8_t *)(uintptr_t)bytes
    };
    char err[REWIND_ERR_SIZE];

    if (input_check(s->g->host, &rec, err) == 0)
        return true;
    gdb_refuse(s, "%s", err);
    return false;
}

static bool hand_in(struct gdb_server *s, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    char err[REWIND_ERR_SIZE];

    if (rewind_hand_in(&s->g->rw, kind, who, bytes, len, host_now(s->g->host), err) == 0) {
        s->g->dbg.at_event = false;
        return true;
    }
    gdb_refuse(s, "%s", err);
    return false;
}

/* --- registers --- */

void gdb_regs_read(struct gdb_server *s, const char *args)
{
    struct bytes b = { 0 };
    uint8_t value[GDB_REG_MAX];
    struct look_vcpu v;
    size_t n;

    if (!thread_look(s, &v)) {
        gdb_reply(s, "E01");
        return;
    }
    for (unsigned int i = 0; (n = gdb_register(s->layout, &v, i, value)); i++)
        bytes_hex(&b, value, n);
    gdb_reply_bytes(s, &b);
    bytes_free(&b);
}

void gdb_reg_read(struct gdb_server *s, const char *args)
{
    struct bytes b = { 0 };
    uint8_t value[GDB_REG_MAX];
    struct look_vcpu v;
    uint64_t reg;
    size_t n = 0;

    if (hex_number(&args, &reg) && !*args && reg < gdb_registers_nr(s->layout) && thread_look(s, &v))
        n = gdb_register(s->layout, &v, (unsigned int)reg, value);
    if (!n) {
        gdb_reply(s, "E01");
        return;
    }
    bytes_hex(&b, value, n);
    gdb_reply_bytes(s, &b);
    bytes_free(&b);
}

/* Another value for it. False, and it has said why. */
static bool set(struct gdb_server *s, unsigned int reg, const uint8_t *value, size_t n, bool check)
{
    const char *name = gdb_register_settable(s->layout, reg);
    uint64_t words[2] = { name ? input_reg_of(name) : INPUT_NR_REGS, 0 };
    const unsigned int who = (unsigned int)TRACE_VCPU_ID(s->dom, s->thread);
    struct look_vcpu v;

    if (words[0] == INPUT_NR_REGS) {
        gdb_refuse(s, "this register is not to be set: general ones, rip, eflags, fs_base and gs_base are");
        return false;
    }
    memcpy(&words[1], value, n < sizeof(words[1]) ? n : sizeof(words[1]));
    if (thread_look(s, &v))
        words[1] -= gdb_register_base(&v, name);
    return check ? input_is_fine(s, JOURNAL_REGISTER, who, words, sizeof(words))
                 : hand_in(s, JOURNAL_REGISTER, who, words, sizeof(words));
}

/* NUMBER=VALUE */
void gdb_reg_write(struct gdb_server *s, const char *args)
{
    uint8_t value[GDB_REG_MAX], now[GDB_REG_MAX];
    struct look_vcpu v;
    uint64_t reg;
    size_t n;

    if (!hex_number(&args, &reg) || *args++ != '=' || reg >= gdb_registers_nr(s->layout) || !thread_look(s, &v)) {
        gdb_reply(s, "E01");
        return;
    }
    n = gdb_register(s->layout, &v, (unsigned int)reg, now);
    if (strlen(args) != 2 * n || !hex_bytes(args, value, n))
        gdb_reply(s, "E01");
    else if (may_change(s) && set(s, (unsigned int)reg, value, n, true) && set(s, (unsigned int)reg, value, n, false))
        gdb_reply(s, "OK");
}

/* All of them; those that are as they were are left alone. Nothing is set unless all of it can be. */
void gdb_regs_write(struct gdb_server *s, const char *args)
{
    struct look_vcpu v;

    if (!thread_look(s, &v)) {
        gdb_reply(s, "E01");
        return;
    }
    if (!may_change(s))
        return;
    for (unsigned int pass = 0; pass < 2; pass++) {
        uint8_t value[GDB_REG_MAX], now[GDB_REG_MAX];
        const char *p = args;
        size_t n;

        for (unsigned int i = 0; (n = gdb_register(s->layout, &v, i, now)); i++, p += 2 * n) {
            if (strlen(p) < 2 * n || !hex_bytes(p, value, n)) {
                gdb_reply(s, "E01");
                return;
            }
            if (memcmp(value, now, n) && !set(s, i, value, n, !pass))
                return;
        }
    }
    gdb_reply(s, "OK");
}

/* --- memory --- */

/* ADDR,LEN; *args moves behind it. */
static bool place(const char **args, uint64_t *addr, uint64_t *len)
{
    return hex_number(args, addr) && *(*args)++ == ',' && hex_number(args, len);
}

/* As much of it as there is. */
void gdb_memory_read(struct gdb_server *s, const char *args)
{
    uint8_t data[PACKET_MAX / 2 - 16];
    struct bytes b = { 0 };
    uint64_t addr, len;
    size_t n;

    if (!place(&args, &addr, &len) || *args) {
        gdb_reply(s, "E01");
        return;
    }
    len = len < sizeof(data) ? len : sizeof(data);
    n = look_read(s->g->host, s->dom, s->thread, s->space, addr, data, len);
    bytes_hex(&b, data, n);
    if (n || !len)
        gdb_reply_bytes(s, &b);
    else
        gdb_reply(s, "E0e"); /* EFAULT */
    bytes_free(&b);
}

/* Page by page. Nothing is written unless all of it can be. */
static void memory_write(struct gdb_server *s, uint64_t addr, const uint8_t *data, size_t n)
{
    if (n && !may_change(s))
        return;
    for (unsigned int pass = 0; pass < 2; pass++) {
        uint8_t rec[sizeof(uint64_t) + PAGE_SIZE];
        uint64_t maddr;

        for (size_t done = 0, part; done < n; done += part) {
            const size_t room = PAGE_SIZE - PAGE_OFFSET(addr + done);

            part = n - done < room ? n - done : room;
            if (!look_machine_address(s->g->host, s->dom, s->thread, s->space, addr + done, &maddr)) {
                gdb_reply(s, "E0e");
                return;
            }
            memcpy(rec, &maddr, sizeof(maddr));
            memcpy(rec + sizeof(maddr), data + done, part);
            if (!(pass ? hand_in : input_is_fine)(s, JOURNAL_MEMORY, 0, rec, sizeof(maddr) + part))
                return;
        }
    }
    gdb_reply(s, "OK");
}

/* ADDR,LEN:digits */
void gdb_memory_write(struct gdb_server *s, const char *args)
{
    uint8_t data[PACKET_MAX / 2];
    uint64_t addr, len;

    if (place(&args, &addr, &len) && *args++ == ':' && len <= sizeof(data) && strlen(args) == 2 * len &&
        hex_bytes(args, data, len))
        memory_write(s, addr, data, len);
    else
        gdb_reply(s, "E01");
}

/* ADDR,LEN:bytes */
void gdb_memory_write_binary(struct gdb_server *s, const char *args)
{
    uint64_t addr, len;

    if (place(&args, &addr, &len) && *args++ == ':' && len == (size_t)(s->in.text + s->in.len - args))
        memory_write(s, addr, (const uint8_t *)args, len);
    else
        gdb_reply(s, "E01");
}
