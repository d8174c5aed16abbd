// SPDX-License-Identifier: GPL-2.0-or-later
/* Calling a suspend off: see tools/xc/resume.c. */
#ifndef TOOLS_XC_RESUME_H
#define TOOLS_XC_RESUME_H

#include "tools/xc/xc.h"

#define RESUME_ERR_SIZE 256

/* The domain that is suspended, and what the toolstack knows of it. */
struct suspended {
    domid_t domid;
    bool hvm; /* the rest is of PV guests */
    bool is64;
    bool cancel; /* its kernel copes with a suspend that is called off (ELF note SUSPEND_CANCEL) */
    mfn_t console_mfn, store_mfn;
};

/* Let it go on. 0, or -1 with a message; then it stays suspended. */
int resume(struct xc_handle *xc, const struct suspended *s, char err[RESUME_ERR_SIZE]);

#endif
