// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: the text. See xl_cfg.h for the whole, and xl_cfg_keys.c for what the settings mean.
 *
 * Concept: three passes. scan() walks the text, says what is wrong with its form, and notes each setting's name and
 * line: libxlutil finds a setting when asked by name, but tells neither which there are nor where. Then libxlutil
 * parses; should it find more to complain of, so do we. Then the settings are read, one by one.
 *
 * Budget: the grammar, with a message for each way to miss it.
 */
#include "tools/save/format.h"
#include "tools/xl/xl_cfg_private.h"

#include "tools/build/image.h"
#include "tools/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------ the text -- */

/*
 * The end of the string that begins at p, or NULL if it is none: it may not reach over a line. Escapes by number are
 * refused: libxlutil takes some of them, and drops the character.
 */
static const char *string_end(const char *p)
{
    char quote = *p++;

    for (; *p != quote; p++) {
        if (*p == '\n')
            return NULL;
        if (*p == '\\' && !strchr("\"'\\abfnrtv", *++p))
            return NULL;
    }
    return p + 1;
}

/* The end of the word, number, string, sign or comment at p; NULL if xl.cfg has nothing that begins like this. */
static const char *token_end(const char *p)
{
    if (*p >= 'a' && *p <= 'z')
        return p + strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (*p >= '0' && *p <= '9')
        return p + strspn(p, "0123456789abcdefx");
    switch (*p) {
    case '"':
    case '\'': return string_end(p);
    case '#': return p + strcspn(p, "\n");
    case '+': return p[1] == '=' ? p + 2 : NULL;
    case ' ':
    case '\t':
    case '\n':
    case ';':
    case ',':
    case '=':
    case '[':
    case ']': return p + 1;
    default: return NULL;
    }
}

/* What the grammar of xl.cfg wants next: KEY = VALUE, where a value may be a list, over several lines. */
enum expected { KEY, ASSIGN, VALUE, END, ITEM, COMMA };

struct scan {
    struct xl_reader *r;
    enum expected next;
    int line, depth, list_line; /* depth of brackets, the outermost of which is in list_line */
    const char *value;          /* where the statement's value begins */
};

/* The rest of the line, without the comment and the spaces at its end. */
static int rest_length(const char *p)
{
    size_t len = strcspn(p, "\n#");

    while (len && strchr(" \t;", p[len - 1]))
        len--;
    return len < 100 ? (int)len : 100;
}

/* A key at p that is right but for its capitals, in small letters; "" if it is something else. */
static const char *small_key(const char *p, char key[32])
{
    const size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    bool capitals = false;

    key[0] = '\0';
    if (!len || len > 31 || *p == '_' || (*p >= '0' && *p <= '9') || p[len + strspn(p + len, " \t")] != '=')
        return key;
    for (size_t i = 0; i < len; i++) {
        capitals |= p[i] >= 'A' && p[i] <= 'Z';
        key[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
    }
    key[capitals ? len : 0] = '\0';
    return key;
}

/* At p stands what does not belong there; what would? */
static int misplaced(const struct scan *s, const char *p)
{
    const struct xl_setting *last = s->r->nr_settings ? &s->r->settings[s->r->nr_settings - 1] : NULL;
    const int len = rest_length(p), key_len = last ? last->name_len : 0;
    const char *key = last ? last->name : "";
    char small[32];

    switch (s->next) {
    case KEY:
        if (*small_key(p, small))
            return xl_fail_at(s->r, s->line, "keys are written in small letters: %s, got: %.*s", small, len, p);
        return xl_fail_at(s->r, s->line, "expected KEY = VALUE, got: %.*s", len, p);
    case ASSIGN:
        return xl_fail_at(s->r, s->line, "%.*s: expected %.*s = VALUE, got: %.*s", key_len, key, key_len, key,
                          rest_length(key), key);
    case VALUE:
        if (!len || *p == ';')
            return xl_fail_at(s->r, s->line, "%.*s: the value is missing: %.*s = VALUE", key_len, key, key_len, key);
        return xl_fail_at(s->r, s->line,
                          "%.*s: expected a number (whole, without a unit), or a text in quotes, \"...\", got: %.*s",
                          key_len, key, len, p);
    case END:
        return xl_fail_at(
            s->r, s->line,
            "%.*s: expected one value: a number (whole, without a unit), or a text in quotes, \"...\", got: %.*s",
            key_len, key, rest_length(s->value), s->value);
    case ITEM:
        return xl_fail_at(s->r, s->line, "%.*s: expected a number, a text in quotes, or the list's end, ], got: %.*s",
                          key_len, key, len, p);
    default:
        return xl_fail_at(s->r, s->line, "%.*s: expected a comma, or the end, ], of the list of line %d, got: %.*s",
                          key_len, key, s->list_line, len, p);
    }
}

/* The string at p has no end: none at all, or its last quote is behind a backslash that xl.cfg does not know. */
static int string_wrong(const struct scan *s, const char *p)
{
    const struct xl_setting *last = s->r->nr_settings ? &s->r->settings[s->r->nr_settings - 1] : NULL;

    return xl_fail_at(s->r, s->line, "%.*s%sstring without end, or with an unknown escape: %.*s",
                      last ? last->name_len : 0, last ? last->name : "", last ? ": " : "", (int)strcspn(p, "\n"), p);
}

static int key_note(struct scan *s, const char *p, const char *end)
{
    struct xl_reader *r = s->r;

    if (r->nr_settings == XL_SETTINGS_MAX)
        return xl_fail_at(r, s->line, "more than %d settings", XL_SETTINGS_MAX);
    r->settings[r->nr_settings++] = (struct xl_setting){ p, (int)(end - p), s->line };
    s->next = ASSIGN;
    return 0;
}

/* A bracket or a comma of a list. */
static int list_token(struct scan *s, const char *p)
{
    const bool opens = *p == '[' && (s->next == VALUE || s->next == ITEM),
               closes = *p == ']' && (s->next == ITEM || s->next == COMMA), separates = *p == ',' && s->next == COMMA;

    if (!opens && !closes && !separates)
        return misplaced(s, p);
    if (opens && s->depth == 0) {
        s->list_line = s->line;
        s->value = p;
    }
    s->depth += opens - closes;
    s->next = closes ? (s->depth ? COMMA : END) : ITEM;
    return 0;
}

static int assign_token(struct scan *s, const char *p)
{
    if (s->next != ASSIGN)
        return misplaced(s, p);
    if (*p == '+' && ++s->r->additions > XL_ADDITIONS_MAX)
        return xl_fail_at(s->r, s->line, "more than %d settings with +=", XL_ADDITIONS_MAX);
    s->next = VALUE;
    return 0;
}

/* One token that is no space and no comment. */
static int token(struct scan *s, const char *p, const char *end)
{
    switch (*p) {
    case '\n':
    case ';':
        if (s->depth ? *p == ';' : s->next != KEY && s->next != END)
            return misplaced(s, p);
        s->line += *p == '\n';
        if (!s->depth)
            s->next = KEY;
        return 0;
    case '[':
    case ']':
    case ',': return list_token(s, p);
    case '=':
    case '+': return assign_token(s, p);
    default:
        if (s->next == KEY && *p >= 'a' && *p <= 'z')
            return key_note(s, p, end);
        if ((s->next != VALUE && s->next != ITEM) || (*p >= 'a' && *p <= 'z'))
            return misplaced(s, p);
        if (s->next == VALUE)
            s->value = p;
        s->next = s->next == VALUE ? END : COMMA;
        return 0;
    }
}

/*
 * Find the settings, and the mistakes: libxlutil's parser names the token at which it gave up, in terms of its grammar,
 * and loses memory over what is no token at all.
 */
static int scan(struct xl_reader *r)
{
    struct scan s = { .r = r, .line = 1 };

    for (const char *p = r->text, *end; *p; p = end) {
        end = token_end(p);
        if (!end && (*p == '"' || *p == '\'') && (s.next == VALUE || s.next == ITEM))
            return string_wrong(&s, p);
        if (!end)
            return misplaced(&s, p);
        if (!strchr(" \t#", *p) && token(&s, p, end))
            return -1;
    }
    if (s.depth)
        return xl_fail_at(r, s.list_line, "%.*s: the list has no end, ]", r->settings[r->nr_settings - 1].name_len,
                          r->settings[r->nr_settings - 1].name);
    return 0;
}

/* Have libxlutil parse the text. It reports to a stream; the first line is about the first mistake. */
static int syntax_check(struct xl_reader *r)
{
    char *report = NULL;
    size_t report_size = 0;
    FILE *stream = open_memstream(&report, &report_size);
    int rc = -1;

    if (!stream)
        return xl_fail(r, NULL, "not enough memory");
    r->xlu = xlu_cfg_init(stream, r->path);
    if (r->xlu)
        rc = xlu_cfg_readdata(r->xlu, r->text, (int)strlen(r->text));
    fflush(stream);
    if (!r->xlu) {
        xl_fail(r, NULL, "not enough memory");
    } else if (rc) {
        size_t len = strcspn(report, "\n");

        if (len)
            snprintf(r->err, XL_ERR_SIZE, "%.*s", (int)len, report);
        else
            xl_fail(r, NULL, "%s", strerror(rc));
        make_printable(r->err, strlen(r->err), false);
    } else {
        rc = xl_settings_read(r);
    }
    xlu_cfg_destroy(r->xlu);
    fclose(stream);
    free(report);
    return rc ? -1 : 0;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

int xl_config_parse(struct xl_config *cfg, const char *path, const void *data, size_t size, char err[XL_ERR_SIZE])
{
    struct xl_reader r = { .cfg = cfg, .path = path, .err = err };
    const char *bad;
    char *text;
    int rc;

    memset(cfg, 0, sizeof(*cfg));
    if (size > XL_CONFIG_SIZE_MAX)
        return xl_fail(&r, NULL, "larger than %d KiB: no xl.cfg is", XL_CONFIG_SIZE_MAX >> 10);
    if (size && (bad = memchr(data, 0, size)))
        return xl_fail_at(&r, line_of(data, bad), "holds a zero byte: no text");
    if (size && (bad = memmem(data, size, "\r\n", 2)))
        return xl_fail_at(&r, line_of(data, bad), "has the line ends of DOS (CR LF), which xl does not take either");
    text = malloc(size + 2);
    r.settings = calloc(XL_SETTINGS_MAX, sizeof(*r.settings));
    if (text && r.settings) {
        if (size)
            memcpy(text, data, size);
        memcpy(text + size, "\n", 2); /* a comment in the last line must end, too */
        r.text = text;
        rc = scan(&r) ? -1 : syntax_check(&r);
    } else {
        rc = xl_fail(&r, NULL, "not enough memory");
    }
    free(r.settings);
    free(text);
    if (rc)
        xl_config_free(cfg);
    return rc;
}

int xl_config_load(struct xl_config *cfg, const char *path, char err[XL_ERR_SIZE])
{
    struct xl_reader r = { .cfg = cfg, .path = path, .err = err };
    char why[IMAGE_ERR_SIZE];
    uint8_t *data;
    size_t size;
    int rc;

    memset(cfg, 0, sizeof(*cfg));
    if (image_read_file(path, &data, &size, why))
        return xl_fail(&r, NULL, "%s", why);
    rc = xl_config_parse(cfg, path, data, size, err);
    free(data);
    return rc;
}

void xl_config_free(struct xl_config *cfg)
{
    xl_where_free(&cfg->where);
    free(cfg->name);
    free(cfg->kernel);
    free(cfg->ramdisk);
    free(cfg->cmdline);
    free(cfg->warnings);
    xl_sched_free(&cfg->sched);
    xl_cpuid_free(&cfg->cpuid);
    xl_disks_free(&cfg->disks);
    xl_hvm_free(&cfg->hvm);
    memset(cfg, 0, sizeof(*cfg));
}

enum xl_file_kind xl_file_kind(const void *data, size_t size)
{
    const uint8_t *p = data;

    if (size == 0)
        return XL_FILE_UNKNOWN;
    if (image_probe(p, size))
        return XL_FILE_KERNEL;
    if (size >= sizeof(XL_SAVED_MAGIC) - 1 && !memcmp(p, XL_SAVED_MAGIC, sizeof(XL_SAVED_MAGIC) - 1))
        return XL_FILE_SAVED;
    for (size_t i = 0; i < size && i < XL_CONFIG_SIZE_MAX && p[i] != '\n'; i++)
        if ((p[i] < ' ' && !(p[i] >= '\t' && p[i] <= '\r')) || p[i] == 0x7f)
            return XL_FILE_UNKNOWN;
    return XL_FILE_CONFIG;
}
