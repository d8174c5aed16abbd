// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How far a kit's model and a recorded run agree.
 *
 * Concept: a workload made from a trace is tried at once, with each reference policy of the kit, and what the model has
 * stands beside what the run had, with the difference in per cent. So who tries another policy on it knows what the
 * model is worth there.
 */
#ifndef UI_EXPORT_AGREE_H
#define UI_EXPORT_AGREE_H

#include "tools/kit/kit.h"
#include "ui/export/export.h"

#define AGREE_WHY 1200

/*
 * Write the workload, `size` bytes, and behind it as comments how far it agrees with the run's figures, and as
 * expectations those figures in which the model, with the kit's first reference policy, is as the run was within a
 * twentieth. False: the model could not be asked, `why` says why.
 */
bool agree_write(const struct kit_model *kit, const char *text, size_t size, const struct export_figure *run, size_t nr,
                 FILE *out, char why[AGREE_WHY]);

#endif
