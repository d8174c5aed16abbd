// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run was, for programs: JSON, on standard output or, of a sweep's job (tools/sweep/), in a file of its own. */
#ifndef TOOLS_KIT_RESULT_H
#define TOOLS_KIT_RESULT_H

#include "tools/kit/args.h"

/* fault: the policy's, there are no figures; or NULL. */
void kit_result_json(const struct kit_try *t, const struct kit_args *a, const struct expects *x, const char *fault,
                     FILE *f);
/* 0; 1: it cannot be written, and it was said why. */
int kit_result_write(const struct kit_try *t, const struct kit_args *a, const struct expects *x, const char *fault);

#endif
