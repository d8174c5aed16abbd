// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the accesses of an instruction have been answered.
 *
 * Concept: an instruction makes several accesses, and for each of them somebody may have to be asked who takes his
 * time, a device model. Then the vCPU is blocked in front of the instruction, and when the answer is there the
 * instruction is carried out anew from its beginning. So that no device sees an access twice the answers are kept, and
 * given again in their order, until the instruction is done:
 *
 *      MOVSD, from one device to another:  read  -> asked: wait
 *                              (again)     read  -> the answer, kept     write -> asked: wait
 *                              (again)     read  -> what was kept        write -> done; forgotten
 *
 * Corresponds to struct hvm_mmio_cache of xen/arch/x86/include/asm/hvm/vcpu.h.
 */
#include "vcpu/hvm/emulate.h"

void hvm_mmio_forget(struct vcpu *v) { v->hvm->mmio.nr = v->hvm->mmio.next = 0; }

enum hvm_io hvm_mmio_kept(struct vcpu *v, hvm_mmio_fn *who, uint64_t gpa, unsigned int size, bool write, uint64_t *data)
{
    struct hvm_mmio *m = &v->hvm->mmio;
    struct hvm_mmio_answer *a = &m->kept[m->next];

    if (m->next < m->nr && a->gpa == gpa && a->size == size && a->write == write) {
        *data = a->data;
        m->next++;
        return HVM_IO_DONE;
    }
    if (who(v, gpa, size, write, data) == HVM_IO_WAIT)
        return HVM_IO_WAIT;
    BUG_ON(m->next == ARRAY_SIZE(m->kept));
    *a = (struct hvm_mmio_answer){ .gpa = gpa, .data = *data, .size = (uint8_t)size, .write = write };
    m->nr = ++m->next; /* if it has come by another access than before: what was behind that is nothing now */
    return HVM_IO_DONE;
}
