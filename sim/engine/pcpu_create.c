// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switching pCPUs on and off: the first of a machine brings its engine, which is tried out, and the last takes it away.
 */
#include "sim/engine/pcpu_private.h"

#include <stdio.h>
#include <stdlib.h>

struct pcpu *pcpu_create(struct machine *m, unsigned int id, char *err, size_t errlen)
{
    struct pcpu *p = calloc(1, sizeof(*p));
    const char *why;

    if (!p) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    p->id = id;
    p->emu = m->edges->code ? m->edges->code->emu : emu_create(m, err, errlen);
    if (!p->emu) {
        free(p);
        return NULL;
    }
    if (p->emu->users++)
        return p;
    m->edges->code = &p->emu->code;
    m->has_code = p->emu->code.has_code;
    why = pcpu_selftest(p);
    p->emu->mmu.fills = p->emu->nested.fills = (struct machine_fills){ 0 };
    if (!why)
        return p;
    emu_complain(err, errlen, why);
    pcpu_destroy(p);
    return NULL;
}

void pcpu_destroy(struct pcpu *p)
{
    struct emu *e = p->emu;

    if (--e->users == 0) {
        pcpu_keep_nothing(e);
        e->m->edges->code = NULL;
        e->m->has_code = NULL;
        emu_destroy(e);
    }
    free(p);
}

const char *pcpu_backend_name(struct pcpu *p) { return p->emu->name; }

bool pcpu_backend_is_fast(const struct pcpu *p)
{
    return p->emu->fast.enter && p->emu->tlb.two && p->emu->lookup.slots;
}
