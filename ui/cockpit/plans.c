// SPDX-License-Identifier: GPL-2.0-or-later
/* Layouts that can be chosen by name, for three widths: see ui/screen/layout.h for how they are written. */
#include "ui/cockpit/cockpit.h"

#include <string.h>

static const struct layout_plan plans[] = {
    { "main", "a vCPU: its way up and down, code, registers, what happened",
      "ladder=8|code+registers*3|trace*3|console*2|timeline=2",
      "3:ladder=9|code*3|trace*3|timeline=2 / 2:registers*3|machine*2|console*2",
      "4:ladder=12|code+registers*4|trace*4|timeline=4 / 2:machine*2|console*2|messages" },
    { "help", "all commands and keys", "help", "help|messages=8", "3:help / 2:messages" },
    { "projector", "three things, for a room", "ladder=9|code*2|console", "ladder=12|code*2|console",
      "ladder=14|code+registers*2|console" },
};

const struct layout_plan *layout_plan_at(unsigned int i) { return i < ARRAY_SIZE(plans) ? &plans[i] : NULL; }

const struct layout_plan *layout_plan_find(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(plans); i++)
        if (!strcmp(plans[i].name, name))
            return &plans[i];
    return NULL;
}
