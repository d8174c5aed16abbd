// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that no table refers to yet: a PV guest of which nothing is there but its memory.
 *
 * Concept: what is checked is the code that makes page tables of frames, so nothing may be built with it before the
 * first step. The guest has a vCPU, frames, and no tables; its hypercalls are made by dom0 in its name, which has its
 * arguments in its own memory. What is told of a frame is what the frame table says of it.
 */
#ifndef LABS_KIT_FRAMES_H
#define LABS_KIT_FRAMES_H

#include "labs/kit/kit.h"
#include "mmu/page.h"

#define KIT_FRAMES_MAX 16

struct kit_frames {
    struct kit_scene *k;
    struct domain *d;
    struct vcpu *v;     /* its own */
    struct vcpu *dom0v; /* whose hypercalls are made */
    uint64_t turns;     /* calls of hypercalls, with each time that one was gone on with */
    unsigned int nr;
    mfn_t frame[KIT_FRAMES_MAX];
};

/* Of 32 bits if narrow; to be freed when its domain is gone. The scene may be kit_scene_empty(). */
struct kit_frames *kit_frames(struct kit_scene *k, bool narrow, unsigned int nr);
/* All is again as it was: zeroed, used as nothing. For frames that nothing but this refers to. */
void kit_frames_fresh(struct kit_frames *f);

static inline struct page_info *kit_page(const struct kit_frames *f, unsigned int n)
{
    return mfn_to_page(f->k->xen, f->frame[n]);
}
/* Write an entry as the guest would, past all tables. */
void kit_frames_write(struct kit_frames *f, unsigned int n, unsigned int slot, uint64_t e);
uint64_t kit_frames_entry(const struct kit_frames *f, unsigned int n, unsigned int slot);

/* "nothing", "an L2 table"... */
const char *kit_type_text(uint64_t type);
/* "L2 table, used 2 times, validated; 3 references" */
const char *kit_frame_text(const struct page_info *pg, char text[160]);
/* "-EINVAL" */
const char *kit_errno_text(long rc);
/* Facts: one about a frame, and what the auditor finds. */
void kit_frames_say(const struct kit_frames *f, const char *property, unsigned int n);
void kit_frames_books(const struct kit_frames *f, const char *property);

/*
 * Hypercalls. The work that they may do before they are preempted the first time is `work` units, and so again each
 * time; they are continued, `turns` times at most. Pin or unpin a frame: MMUEXT_*; write an entry of it.
 */
long kit_frames_ext(struct kit_frames *f, unsigned int cmd, mfn_t mfn, unsigned int work, unsigned int turns);
long kit_frames_update(struct kit_frames *f, unsigned int n, unsigned int slot, uint64_t e, unsigned int work,
                       unsigned int turns);

#endif
