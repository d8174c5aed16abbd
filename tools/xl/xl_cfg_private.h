// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What xl_cfg.c (the text), xl_cfg_keys.c (the meaning) and xl_cfg_say.c (the messages) tell each other, and nobody
 * else.
 */
#ifndef TOOLS_XL_XL_CFG_PRIVATE_H
#define TOOLS_XL_XL_CFG_PRIVATE_H

#include "tools/xl/xl_cfg.h"

#include <libxlutil.h>

/* Settings in a file, and those among them made with "+=": libxlutil copies the whole value for each. */
#define XL_SETTINGS_MAX  1024
#define XL_ADDITIONS_MAX 64

struct xl_setting {
    const char *name; /* in the text, not terminated */
    int name_len, line;
};

struct xl_reader {
    struct xl_config *cfg;
    const char *path;
    char *err; /* XL_ERR_SIZE bytes */
    XLU_Config *xlu;
    const char *text; /* ends with a newline and a zero byte */
    struct xl_setting *settings;
    size_t nr_settings;
    unsigned int additions;
};

/* The line a key is set in last, which is the one that counts; 0 if it is not set. */
int xl_key_line(const struct xl_reader *r, const char *key);

/* Leaves "path:line: key: ..." in the reader's err, without the line or the key if there is none. Returns -1. */
__attribute__((format(printf, 3, 4))) int xl_fail(struct xl_reader *r, const char *key, const char *fmt, ...);

/* The same of a line that is known; 0: of none. */
__attribute__((format(printf, 3, 4))) int xl_fail_at(struct xl_reader *r, int line, const char *fmt, ...);

/* Adds a line to the configuration's warnings. Returns 0, or -1 if memory is short. */
int xl_warn(struct xl_reader *r, int line, const char *what);

/* Is it a key that xl knows, and this program does not? */
bool xl_key_of_xl(const char *name);

/* Fill in the configuration from what libxlutil has parsed. Returns 0 or -1. */
int xl_settings_read(struct xl_reader *r);

#endif
