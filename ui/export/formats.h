// SPDX-License-Identifier: GPL-2.0-or-later
/* Which formats there are. */
#ifndef UI_EXPORT_FORMATS_H
#define UI_EXPORT_FORMATS_H

#include "ui/export/export.h"

/* By number; NULL: there are no more. */
const struct export_format *export_format_at(size_t i);
/* NULL: there is none of this name. */
const struct export_format *export_format_find(const char *name);

#endif
