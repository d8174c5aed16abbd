// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared folders of a guest, as they are written: p9 = [ "tag=share,path=/srv/share,security_model=none" ] of xl.cfg,
 * and --share.
 *
 * Concept: words with values (xl.cfg(5)); the tag is the name that the guest mounts. As in xl the guest may write, and
 * with `ro` of --share, which is how that begins, it may not.
 */
#ifndef TOOLS_XL_XL_P9_H
#define TOOLS_XL_XL_P9_H

#include <stdbool.h>

#define XL_P9S_MAX     8
#define XL_P9_WHY_SIZE 384

struct xl_p9 {
    char tag[32]; /* of 1 to 31 characters */
    char path[384];
    bool readonly;
    bool untagged; /* nobody said its tag: it is the first that was free */
};

struct xl_p9s {
    struct xl_p9 list[XL_P9S_MAX];
    unsigned int nr;
};

/* Add the folder that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_p9s_add(struct xl_p9s *p9s, const char *spec, char why[XL_P9_WHY_SIZE]);
/* The same for PATH[,tag=TAG][,rw]; without a tag "share", and then "share1"... */
bool xl_p9s_add_short(struct xl_p9s *p9s, const char *text, char why[XL_P9_WHY_SIZE]);
/* `to` gets these, too: one has the place of the folder of its tag, the untagged get tags anew. False, and why. */
bool xl_p9s_merge(struct xl_p9s *to, const struct xl_p9s *more, char why[XL_P9_WHY_SIZE]);

#endif
