// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing a stream: see tools/save/out.h. */
#include "tools/save/out.h"

#include "tools/save/format.h"

#include <errno.h>

void out_put(struct save_out *o, const void *data, size_t n)
{
    if (!o->file || o->error || !n)
        return;
    errno = 0;
    if (fwrite(data, n, 1, o->file) != 1)
        o->error = errno ? errno : EIO;
}

void out_record_begin(struct save_out *o, uint32_t type, size_t length)
{
    const struct stream_record r = { type, (uint32_t)length };

    out_put(o, &r, sizeof(r));
}

void out_record_end(struct save_out *o, size_t length)
{
    static const uint8_t zeroes[8];

    out_put(o, zeroes, STREAM_PADDED(length) - length);
}

void out_record(struct save_out *o, uint32_t type, const void *a, size_t na, const void *b, size_t nb)
{
    out_record_begin(o, type, na + nb);
    out_put(o, a, na);
    out_put(o, b, nb);
    out_record_end(o, na + nb);
}
