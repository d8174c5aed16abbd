// SPDX-License-Identifier: GPL-2.0-or-later
/* Which formats there are: see ui/export/formats.h. */
#include "ui/export/formats.h"

#include <string.h>

static const struct export_format *const formats[] = { &export_perfetto, &export_xentrace, &export_svg,
                                                       &export_workload };

const struct export_format *export_format_at(size_t i) { return i < ARRAY_SIZE(formats) ? formats[i] : NULL; }

const struct export_format *export_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (!strcmp(formats[i]->name, name))
            return formats[i];
    return NULL;
}
