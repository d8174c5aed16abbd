// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What xl_cfg.c (the text), xl_cfg_values.c, xl_cfg_hvm.c and xl_cfg_keys.c (the meaning) and xl_cfg_say.c (the
 * messages) tell each other, and nobody else.
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

/* xl_cfg_values.c: the value of a key as text: 1 if it is stated, 0 if not, -1 (with a message) if it is a list. */
int xl_get_text(struct xl_reader *r, const char *key, const char **text);

/* These read what is stated, if anything is: 0, or -1 with a message. Strings, and paths (char *), are to be freed. */
int xl_read_string(struct xl_reader *r, const char *key, void *out);
int xl_read_path(struct xl_reader *r, const char *key, void *out);
int xl_read_number(struct xl_reader *r, const char *key, unsigned int min, unsigned int max, const char *expected,
                   unsigned int *out);

/* A file: as the user wrote it, or else beside the configuration. */
int xl_path_find(struct xl_reader *r, const char *key, char **path);

/* xl_cfg_hvm.c: readers of keys[]. Flags of HVM guests, and of PVH guests, too: out is a bool *. */
int xl_hvm_read_flag(struct xl_reader *r, const char *key, void *out);
int xl_pvh_read_flag(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_pvshim(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_shim_path(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_shim_text(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_shadow_policy(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_technique(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_timer_mode(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_mib(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_seconds(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_path(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_bios(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_firmware(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_boot(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_vga(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_stdvga(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_serial(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_nestedhvm(struct xl_reader *r, const char *key, void *out);
int xl_hvm_read_viridian(struct xl_reader *r, const char *key, void *out);

#endif
