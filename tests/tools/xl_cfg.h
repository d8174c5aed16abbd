// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts as xl.cfg files, for the tests of what they mean. */
#ifndef TESTS_TOOLS_XL_CFG_H
#define TESTS_TOOLS_XL_CFG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/xl/xl_cfg.h"
#include "vcpu/tsc.h"

#define KERNEL "kernel = '/k'\n"

static inline int parse(struct xl_config *cfg, const char *text, char err[XL_ERR_SIZE])
{
    err[0] = 0;
    return xl_config_parse(cfg, "guest.cfg", text, strlen(text), err);
}

static inline void parse_ok(struct xl_config *cfg, const char *text)
{
    char err[XL_ERR_SIZE];

    if (parse(cfg, text, err))
        fail_msg("refused: %s", err);
}

static inline void expect_error(const char *text, const char *message)
{
    struct xl_config cfg;
    char err[XL_ERR_SIZE];

    if (parse(&cfg, text, err) == 0)
        fail_msg("accepted, expected \"%s\"", message);
    assert_string_equal(err, message);
}

#endif
