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
#include "vcpu/hvm/hvm.h"

static bool is_same(const struct hvm_io_op *a, const struct hvm_io_op *b)
{
    return a->port == b->port && a->write == b->write && a->size == b->size && a->count == b->count &&
           a->addr == b->addr && a->data_is_ptr == b->data_is_ptr && a->df == b->df &&
           (!(a->write || a->data_is_ptr) || a->data == b->data);
}

bool hvm_io_kept(struct hvm_vcpu_io *io, struct hvm_io_op *op)
{
    if (io->next < io->nr && is_same(&io->answer[io->next], op)) {
        op->data = io->answer[io->next++].data;
        return true;
    }
    io->nr = io->next; /* it has come by another access than before: what was behind that is nothing now */
    return false;
}

void hvm_io_keep(struct hvm_vcpu_io *io, const struct hvm_io_op *op)
{
    BUG_ON(io->nr == HVM_IO_ANSWERS);
    io->answer[io->nr++] = *op;
    io->next = io->nr;
}

void hvm_io_forget(struct vcpu *v) { v->hvm->io.nr = v->hvm->io.next = 0; }

void hvm_io_answered(struct vcpu *v, uint64_t data)
{
    struct hvm_vcpu_io *io = &v->hvm->io;

    io->op.data = data;
    hvm_io_keep(io, &io->op);
    io->state = HVM_IO_ANSWERED;
    v->pause_flags &= ~VPF_blocked_in_xen;
    vcpu_wake(v);
}
