// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files that read a stream share: restore.c, restore_common.c, restore_pv.c, restore_hvm.c. */
#ifndef TOOLS_SAVE_RESTORE_PRIVATE_H
#define TOOLS_SAVE_RESTORE_PRIVATE_H

#include "sim/arena.h"
#include "tools/save/format.h"
#include "tools/save/restore.h"
#include "tools/save/width.h"

#define RESTORE_MORE  1  /* beside 0 (done) and -1 (failed, err says why): there is more to do */
#define RESTORE_PAGES 16 /* of a batch in a step */
#define RESTORE_VCPUS 64 /* MAX_VIRT_CPUS of vcpu/noun/domain.h */

/* What a PV vCPU has in records of its own. */
enum { VCPU_BASIC, VCPU_EXTENDED, VCPU_XSAVE, VCPU_MSRS, NR_VCPU_RECORDS };

struct restore_ops;

struct restorer {
    struct xc_handle *xc;
    struct arena *arena;
    const struct restore_ops *ops;
    struct stream_in in; /* what is still to be read */
    struct pv_build *b;
    struct hvm_settings set;
    bool static_data_ended, read;

    struct stream_body batch; /* a PAGE_DATA that is not done: */
    uint32_t batch_at;        /* pages of it that are; */
    const uint8_t *data;      /* and the next one's */

    uint64_t nr_pfns; /* below it are all of the domain's */
    uint64_t *p2m;    /* by pfn: the frame (HVM: the pfn) + 1; 0: it has none */
    uint32_t *type;   /* PV: XEN_DOMCTL_PFINFO_* */

    /* PV: */
    bool is64;
    uint8_t levels;
    struct stream_body p2m_frames, shared_info, tsc, vcpu[RESTORE_VCPUS][NR_VCPU_RECORDS];
    unsigned int phase; /* behind END */
    uint64_t at;        /* in that */
    /* HVM: */
    struct stream_body context, params;

    char *err;
};

struct restore_ops {
    /* The domain, before the first record; NULL: a record makes it. 0, or -1. */
    int (*create)(struct restorer *r);
    /* A record that is not for both. 0, or -1. */
    int (*record)(struct restorer *r, const struct stream_body *rec);
    /* Is a page of this type, XEN_DOMCTL_PFINFO_*, to be had? */
    bool (*type_ok)(uint32_t type);
    /* Put `from`, a page of the stream, where it belongs. 0, or -1. */
    int (*page)(struct restorer *r, uint64_t pfn, const uint8_t *from);
    /* A step of what is done when all has been read. */
    int (*finish)(struct restorer *r);
};

extern const struct restore_ops restore_pv_ops, restore_hvm_ops;

/* err says what failed, and why; rc: -errno. -1. */
int restore_fail(struct restorer *r, const char *what, int rc);
int restore_refuse(struct restorer *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* There are pfns up to `last` at most. */
int restore_pfns(struct restorer *r, uint64_t last);
/* Those of nr pfns, at most RESTORE_PAGES, that have no frame get one. */
int restore_populate(struct restorer *r, const uint64_t *pfn, unsigned int nr);
int restore_tsc(struct restorer *r, const struct stream_body *rec);
/* Is this pfn the domain's? Then *frame is the frame that others know it by. */
static inline bool restore_frame(const struct restorer *r, uint64_t pfn, uint64_t *frame)
{
    if (pfn >= r->nr_pfns || !r->p2m[pfn])
        return false;
    *frame = r->p2m[pfn] - 1;
    return true;
}

#endif
