// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames are written in one way: explained in sim/frame.h. What is not inline of it. */
#include "sim/frame.h"

#include "sim/arena.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void frame_fill(struct machine *m, mfn_t mfn, const void *page)
{
    void *to = frame_write_begin(m, mfn);

    if (pwrite(m->edges->ram_fd, page, PAGE_SIZE, (off_t)(mfn_x(mfn) << PAGE_SHIFT)) != PAGE_SIZE)
        memcpy(to, page, PAGE_SIZE);
    frame_write_end(m, mfn);
}

int frame_shadow_init(struct machine *m)
{
    if (!m->shadowed)
        m->shadowed = (struct shadowed *)xzalloc_array(m->arena, uint8_t, sizeof(struct shadowed) + m->nr_frames);
    return m->shadowed ? 0 : -ENOMEM;
}

void frame_shadow_written(struct machine *m, mfn_t mfn)
{
    struct shadowed *s = m->shadowed;

    for (unsigned int i = 0; i < s->nr; i++)
        if (s->written[i] == mfn_x(mfn))
            return;
    if (s->nr < SHADOWED_QUEUE)
        s->written[s->nr++] = (uint32_t)mfn_x(mfn);
    else
        s->lost++;
}

void frame_write_bits(struct machine *m, uint64_t phys, uint64_t entry, unsigned int size)
{
    const mfn_t mfn = _mfn(PFN_DOWN(phys));

    BUG_ON(!mfn_valid(m, mfn));
    frame_changes(m, mfn);
    memcpy(m->ram + phys, &entry, size);
    frame_bits_written(m, mfn);
}

void frame_write_part(struct machine *m, mfn_t mfn, unsigned int offset, const void *bytes, unsigned int n)
{
    BUG_ON(!mfn_valid(m, mfn) || !n || offset + n > PAGE_SIZE);
    frame_changes(m, mfn);
    memcpy(m->ram + (mfn_x(mfn) << PAGE_SHIFT) + offset, bytes, n);
    if (m->has_code && m->has_code[mfn_x(mfn)])
        machine_code_part_written(m, mfn, offset, n);
    if (m->shadowed && m->shadowed->mark[mfn_x(mfn)])
        frame_shadow_written(m, mfn);
}

void frame_read(const struct machine *m, mfn_t mfn, void *page)
{
    BUG_ON(!mfn_valid(m, mfn));
    if (pread(m->edges->ram_fd, page, PAGE_SIZE, (off_t)(mfn_x(mfn) << PAGE_SHIFT)) != PAGE_SIZE)
        memcpy(page, mfn_to_virt(m, mfn), PAGE_SIZE);
}

void *frame_share(struct machine *m, mfn_t mfn)
{
    BUG_ON(!mfn_valid(m, mfn));
    frame_written(m, mfn); /* the code that there is was not noted as that of a shared frame */
    frame_changes(m, mfn);
    BUG_ON(!++m->shares[mfn_x(mfn)]);
    return frame_shared(m, mfn);
}

void frame_unshare(struct machine *m, mfn_t mfn)
{
    BUG_ON(!mfn_valid(m, mfn) || !m->shares[mfn_x(mfn)]);
    frame_log(m, mfn);
    m->shares[mfn_x(mfn)]--;
}

bool frame_log_begin(struct machine *m)
{
    if (!m->written)
        m->written = xzalloc_array(m->arena, uint8_t, m->nr_frames / 8 + 1);
    m->nr_loggers += m->written != NULL;
    return m->written;
}

void frame_log_end(struct machine *m)
{
    BUG_ON(!m->nr_loggers--);
    if (m->nr_loggers)
        return;
    xfree(m->written);
    m->written = NULL;
}
