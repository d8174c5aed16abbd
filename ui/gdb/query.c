// SPDX-License-Identifier: GPL-2.0-or-later
/* q and Q packets: what there is, and `monitor`. See ui/gdb/server.h. */
#include "ui/gdb/private.h"

#include <string.h>

/* --- what the two can --- */

static void supported(struct gdb_server *s, const char *args)
{
    s->swbreak = strstr(args, "swbreak+") != NULL;
    s->hwbreak = strstr(args, "hwbreak+") != NULL;
    gdb_reply(s,
              "PacketSize=%x;QStartNoAckMode+;swbreak+;hwbreak+;vContSupported+;qXfer:features:read+;"
              "qXfer:threads:read+;ReverseStep+;ReverseContinue+",
              PACKET_MAX);
}

static void no_ack(struct gdb_server *s, const char *args)
{
    gdb_reply(s, "OK");
    s->no_ack = true;
}

static void attached(struct gdb_server *s, const char *args) { gdb_reply(s, "1"); }

static void symbols(struct gdb_server *s, const char *args) { gdb_reply(s, "OK"); }

/* --- files: OFFSET,LENGTH of them --- */

static void part(struct gdb_server *s, const struct bytes *file, const char *args)
{
    struct bytes b = { 0 };
    uint64_t offset, len;

    if (!hex_number(&args, &offset) || *args++ != ',' || !hex_number(&args, &len) || *args || offset > file->len) {
        gdb_reply(s, "E01");
        return;
    }
    len = len < PACKET_MAX / 4 ? len : PACKET_MAX / 4; /* escapes make it longer */
    len = len < file->len - offset ? len : file->len - offset;
    bytes_put(&b, offset + len < file->len ? "m" : "l", 1);
    bytes_put(&b, file->at + offset, len);
    gdb_reply_bytes(s, &b);
    bytes_free(&b);
}

static void features(struct gdb_server *s, const char *args)
{
    struct bytes xml = { 0 };

    gdb_registers_xml(s->layout, &xml);
    part(s, &xml, args);
    bytes_free(&xml);
}

/* --- threads --- */

static const char *name_of(struct gdb_server *s)
{
    const char *name = host_guest_name(s->g->host, s->dom);

    return name ? name : "";
}

static void threads(struct gdb_server *s, const char *args)
{
    struct bytes xml = { 0 };
    struct look_vcpu v;

    bytes_text(&xml, "<?xml version=\"1.0\"?><threads>");
    for (unsigned int i = 0; look_vcpu(s->g->host, s->dom, i, &v); i++) {
        char name[64];
        size_t n = 0;

        for (const char *c = name_of(s); *c && n < sizeof(name) - 1; c++)
            if (!strchr("<>&\"'", *c) && *c >= ' ' && *c < 0x7f)
                name[n++] = *c;
        name[n] = '\0';
        bytes_text(&xml, "<thread id=\"%x\" core=\"%u\" name=\"d%uv%u %s\">%s%s%s</thread>", i + 1, v.cpu, s->dom, i,
                   name, v.state, *v.why ? ": " : "", v.why);
    }
    bytes_text(&xml, "</threads>");
    part(s, &xml, args);
    bytes_free(&xml);
}

static void thread_list(struct gdb_server *s, const char *args)
{
    struct bytes b = { 0 };
    struct look_vcpu v;

    for (unsigned int i = 0; look_vcpu(s->g->host, s->dom, i, &v) && b.len < PACKET_MAX - 16; i++)
        bytes_text(&b, "%c%x", i ? ',' : 'm', i + 1);
    bytes_text(&b, b.len ? "" : "l");
    gdb_reply_bytes(s, &b);
    bytes_free(&b);
}

static void thread_list_more(struct gdb_server *s, const char *args) { gdb_reply(s, "l"); }

static void thread_about(struct gdb_server *s, const char *args)
{
    const int vcpu = gdb_thread(s, &args, (int)s->thread);
    struct bytes b = { 0 };
    struct look_vcpu v;
    char text[256];

    if (vcpu < 0 || !look_vcpu(s->g->host, s->dom, (unsigned int)vcpu, &v)) {
        gdb_reply(s, "E01");
        return;
    }
    snprintf(text, sizeof(text), "d%uv%d %.60s, %s", s->dom, vcpu, name_of(s), v.state);
    bytes_hex(&b, text, strlen(text));
    gdb_reply_bytes(s, &b);
    bytes_free(&b);
}

static void thread_now(struct gdb_server *s, const char *args) { gdb_reply(s, "QC%x", s->thread + 1); }

/* --- monitor --- */

static void space_choose(struct gdb_server *s, const char *name)
{
    static const char *const names[] = {
        [LOOK_VIRTUAL] = "virtual", [LOOK_PHYSICAL] = "pseudo-physical", [LOOK_MACHINE] = "machine"
    };
    char text[128];

    if (!strcmp(name, "v"))
        s->space = LOOK_VIRTUAL;
    else if (!strcmp(name, "p"))
        s->space = LOOK_PHYSICAL;
    else if (!strcmp(name, "m"))
        s->space = LOOK_MACHINE;
    else if (*name) {
        snprintf(text, sizeof(text), "error: monitor space v, p or m: virtual, pseudo-physical or machine addresses\n");
        gdb_console(s, text, strlen(text));
        return;
    }
    snprintf(text, sizeof(text), "memory is read and written by %s addresses\n", names[s->space]);
    gdb_console(s, text, strlen(text));
}

/* A client has the registers that it was told of when it came: another architecture is for the next time. */
static void architecture_choose(struct gdb_server *s, const char *name)
{
    const enum gdb_layout l = gdb_layout_find(name);
    char text[160];

    if (*name && l == GDB_LAYOUTS) {
        snprintf(text, sizeof(text), "error: monitor architecture x86-64, i386 or i8086\n");
    } else {
        s->next_layout = *name ? l : s->next_layout;
        snprintf(text, sizeof(text),
                 s->next_layout == s->layout ? "registers are those of %s\n"
                                             : "registers will be those of %s: disconnect, and "
                                               "target remote again\n",
                 gdb_layout_name(s->next_layout));
    }
    gdb_console(s, text, strlen(text));
}

/* The line is that word, and perhaps others. What is behind it; NULL: it is another. */
static const char *behind_word(const char *line, const char *word)
{
    const size_t n = strlen(word);

    return strncmp(line, word, n) != 0 || !strchr(" ", line[n]) ? NULL : line + n + strspn(line + n, " ");
}

static void monitor(struct gdb_server *s, const char *args)
{
    const char *name;
    size_t n = strlen(args) / 2;

    if (strlen(args) % 2 || n >= sizeof(s->line) || !hex_bytes(args, s->line, n) || memchr(s->line, '\0', n)) {
        gdb_reply(s, "E01");
        return;
    }
    while (n && strchr(" \t\n", s->line[n - 1]))
        n--;
    s->line[n] = '\0';
    if ((name = behind_word(s->line, "space"))) {
        space_choose(s, name);
    } else if ((name = behind_word(s->line, "architecture"))) {
        architecture_choose(s, name);
    } else {
        s->wish = GDB_MONITOR;
        return;
    }
    gdb_reply(s, "OK");
}

void gdb_query(struct gdb_server *s, const char *args)
{
    static const struct {
        const char *name;
        gdb_fn *fn;
    } queries[] = { { "qSupported", supported },
                    { "QStartNoAckMode", no_ack },
                    { "qAttached", attached },
                    { "qSymbol", symbols },
                    { "qXfer:features:read:target.xml:", features },
                    { "qXfer:threads:read::", threads },
                    { "qfThreadInfo", thread_list },
                    { "qsThreadInfo", thread_list_more },
                    { "qThreadExtraInfo,", thread_about },
                    { "qRcmd,", monitor },
                    { "qC", thread_now } };

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        const size_t n = strlen(queries[i].name);

        if (strncmp(args, queries[i].name, n))
            continue;
        if (queries[i].fn == thread_now && args[n]) /* qCRC:... */
            continue;
        queries[i].fn(s, args + n);
        return;
    }
    gdb_reply(s, "%s", "");
}
