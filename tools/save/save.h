// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a saved domain: see tools/save/save.c.
 */
#ifndef TOOLS_SAVE_SAVE_H
#define TOOLS_SAVE_SAVE_H

#include "tools/save/out.h"
#include "tools/xc/xc.h"

#include <stdbool.h>

#define SAVE_ERR_SIZE 256

struct save_what {
    domid_t domid;        /* it has suspended */
    bool hvm, is64;       /* PVH or HVM; of a PV domain: which width it has */
    const char *config;   /* an xl.cfg that says how it was made */
    const void *emulator; /* the state of its device model, NULL: it has none; */
    size_t emulator_size;
};

/*
 * Write all of it. What fails at the file is out->error's; -1 and a message: the domain is in no state to be saved.
 */
int save_domain(struct xc_handle *xc, const struct save_what *what, struct save_out *out, char err[SAVE_ERR_SIZE]);

#endif
