// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of forms: see form.h. */
#include "tools/lab/form.h"

#include <string.h>

static const struct form *const forms[] = { &form_h, &form_g, &form_q, &form_p };

const struct form *form_find(const char *name)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (!strcmp(forms[i]->name, name))
            return forms[i];
    return NULL;
}
