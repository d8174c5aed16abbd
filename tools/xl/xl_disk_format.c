// SPDX-License-Identifier: GPL-2.0-or-later
/* What a disk can be made of, by name: see tools/xl/xl_disk.h. */
#include "tools/xl/xl_disk.h"

#include <libxlutil.h>
#include <string.h>

static const struct {
    const char *word, *driver;
} formats[] = {
#define X(format, word, driver) { #word, #driver },
    XL_DISK_FORMATS(X)
#undef X
};

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && !memcmp(text, word, len);
}

enum xl_disk_format xl_disk_format_of(const char *text, size_t len)
{
    unsigned int f = 0;

    while (f < XL_DISK_NR_FORMATS && !is_word(text, len, formats[f].word) && !is_word(text, len, formats[f].driver))
        f++;
    return (enum xl_disk_format)f;
}

const char *xl_disk_word(enum xl_disk_format format) { return formats[format].word; }
const char *xl_disk_driver(enum xl_disk_format format) { return formats[format].driver; }

/* How many letters are in front of "://"; 0: it is none of these URLs. */
static size_t scheme(const char *path, const char *const *schemes)
{
    const char *end = strstr(path, "://");

    for (; end && *schemes; schemes++)
        if (is_word(path, (size_t)(end - path), *schemes))
            return (size_t)(end - path);
    return 0;
}

static const char *const of_nbd[] = { "nbd", "nbd+unix", "nbds", "nbds+unix", NULL };
static const char *const of_web[] = { "http", "https", "ftp", "sftp", NULL };

bool xl_disk_is_nbd(const char *path) { return scheme(path, of_nbd) > 0; }
bool xl_disk_is_url(const char *path) { return scheme(path, of_nbd) > 0 || scheme(path, of_web) > 0; }

/*
 * libxlutil needs one function of libxenlight, for a sort of value that is not asked for here. With this one in its
 * place libxlutil.a can be linked alone, without the dozen libraries that libxenlight brings (4 ms of every start).
 */
void libxl_defbool_set(libxl_defbool *db, bool b) { db->val = b ? 1 : -1; }
