// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: the text. See xl_cfg.h for the whole, and xl_cfg_keys.c for what the settings mean.
 *
 * Concept: three passes. scan() walks the text and notes each setting's name and line: libxlutil finds a setting when
 * asked by name, but tells neither which there are nor where. Then libxlutil parses, and its complaint is ours. Then
 * the settings are read, one by one.
 */
#include "tools/xl_cfg_private.h"

#include "tools/image.h"
#include "tools/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int xl_key_line(const struct xl_reader *r, const char *key)
{
    for (size_t i = r->nr_settings; i-- > 0;)
        if (!strncmp(r->settings[i].name, key, (size_t)r->settings[i].name_len) && !key[r->settings[i].name_len])
            return r->settings[i].line;
    return 0;
}

__attribute__((format(printf, 4, 0))) static void describe(struct xl_reader *r, int line, const char *key,
                                                           const char *fmt, va_list ap)
{
    char where[32] = "", what[512];

    if (line)
        snprintf(where, sizeof(where), ":%d", line);
    vsnprintf(what, sizeof(what), fmt, ap);
    snprintf(r->err, XL_ERR_SIZE, "%.400s%s: %s%s%s", r->path, where, key ? key : "", key ? ": " : "", what);
    make_printable(r->err, strlen(r->err), false);
}

int xl_fail(struct xl_reader *r, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    describe(r, key ? xl_key_line(r, key) : 0, key, fmt, ap);
    va_end(ap);
    return -1;
}

__attribute__((format(printf, 3, 4))) static int fail_at(struct xl_reader *r, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    describe(r, line, NULL, fmt, ap);
    va_end(ap);
    return -1;
}

int xl_warn(struct xl_reader *r, int line, const char *what)
{
    char *more = NULL, *old = r->cfg->warnings;

    if (asprintf(&more, "%s%.400s:%d: warning: %s\n", old ? old : "", r->path, line, what) < 0)
        return xl_fail(r, NULL, "not enough memory");
    free(old);
    r->cfg->warnings = more;
    return 0;
}

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

/*
 * Find the settings: a word at the beginning of a statement. Statements end with a line or a semicolon outside of
 * brackets. What is no token at all is refused here, since libxlutil loses memory over it; whether the tokens make
 * sense is left to it.
 */
static int scan(struct xl_reader *r)
{
    int line = 1, depth = 0;
    bool fresh = true; /* at the beginning of a statement */

    for (const char *p = r->text, *end; *p; p = end) {
        end = token_end(p);
        if (!end && (*p == '"' || *p == '\''))
            return fail_at(r, line, "string without end, or with an unknown escape: %.*s", (int)strcspn(p, "\n"), p);
        if (!end)
            return fail_at(r, line, "syntax error at: %.*s", (int)strcspn(p, "\n"), p);
        switch (*p) {
        case '\n':
        case ';':
            line += *p == '\n';
            fresh = depth == 0;
            continue;
        case ' ':
        case '\t':
        case '#': continue;
        case '[': depth++; break;
        case ']': depth -= depth > 0; break;
        case '+':
            if (++r->additions > XL_ADDITIONS_MAX)
                return fail_at(r, line, "more than %d settings with +=", XL_ADDITIONS_MAX);
            break;
        default:
            if (!fresh || *p < 'a' || *p > 'z')
                break;
            if (r->nr_settings == XL_SETTINGS_MAX)
                return fail_at(r, line, "more than %d settings", XL_SETTINGS_MAX);
            r->settings[r->nr_settings++] = (struct xl_setting){ p, (int)(end - p), line };
        }
        fresh = false;
    }
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
        return fail_at(&r, line_of(data, bad), "holds a zero byte: no text");
    if (size && (bad = memmem(data, size, "\r\n", 2)))
        return fail_at(&r, line_of(data, bad), "has the line ends of DOS (CR LF), which xl does not take either");
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
    memset(cfg, 0, sizeof(*cfg));
}

enum xl_file_kind xl_file_kind(const void *data, size_t size)
{
    const uint8_t *p = data;

    if (size == 0)
        return XL_FILE_UNKNOWN;
    if (image_probe(p, size))
        return XL_FILE_KERNEL;
    for (size_t i = 0; i < size && i < XL_CONFIG_SIZE_MAX && p[i] != '\n'; i++)
        if ((p[i] < ' ' && !(p[i] >= '\t' && p[i] <= '\r')) || p[i] == 0x7f)
            return XL_FILE_UNKNOWN;
    return XL_FILE_CONFIG;
}

/*
 * libxlutil needs one function of libxenlight, for a sort of value that is not asked for here. With this one in its
 * place libxlutil.a can be linked alone, without the dozen libraries that libxenlight brings (4 ms of every start).
 */
void libxl_defbool_set(libxl_defbool *db, bool b) { db->val = b ? 1 : -1; }
