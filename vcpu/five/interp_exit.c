// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a guest leaves the interpreter: the values that the other processor gives, too (sim/pcpu.h). */
#include "vcpu/five/interp.h"

bool interp_is_64(const struct cpu_state *r) { return r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L; }

bool interp_leave(struct interp *i, enum sim_exit_kind kind, unsigned int len)
{
    i->x = (struct sim_exit){ .kind = kind, .insn_len = (uint8_t)len };
    return false;
}

bool interp_exception(struct interp *i, unsigned int vector, uint32_t error_code)
{
    interp_leave(i, EXIT_EXCEPTION, 0);
    i->x.exception.vector = (uint8_t)vector;
    i->x.exception.has_error_code = X86_EXC_HAVE_EC >> vector & 1;
    i->x.exception.error_code = error_code;
    return false;
}

bool interp_refuse(struct interp *i, const char *why)
{
    interp_leave(i, EXIT_ERROR, 0);
    i->x.error.why = why;
    return false;
}
