// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a stream: see tools/save/in.h. */
#include "tools/save/in.h"

#include "tools/save/format.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool refuse(char why[SAVED_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(char why[SAVED_ERR_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, SAVED_ERR_SIZE, fmt, ap);
    va_end(ap);
    return false;
}

static const uint8_t *take(struct stream_in *in, uint64_t n)
{
    const uint8_t *at = in->at;

    if (n > in->left)
        return NULL;
    in->at += n;
    in->left -= (size_t)n;
    return at;
}

static bool get(struct stream_in *in, void *to, size_t n)
{
    const uint8_t *from = take(in, n);

    if (from)
        memcpy(to, from, n);
    return from;
}

const char *libxc_record_name(uint32_t type)
{
    switch (type) {
#define X(number, name)                                                                                                \
    case number: return #name;
        LIBXC_RECORDS(X)
#undef X
    }
    return NULL;
}

bool stream_next(struct stream_in *in, struct stream_body *r)
{
    struct stream_record head;

    if (!get(in, &head, sizeof(head)) || head.length > STREAM_RECORD_MAX)
        return false;
    *r = (struct stream_body){ head.type, take(in, STREAM_PADDED(head.length)), head.length };
    if (!r->body)
        return false;
    for (size_t i = r->length; i < STREAM_PADDED(r->length); i++)
        if (r->body[i])
            return false;
    return true;
}

/* --- the three formats, in order --- */

static bool xl_part(struct saved *s, struct stream_in *in, char why[SAVED_ERR_SIZE])
{
    struct xl_saved_header h;
    struct stream_in optional;
    uint32_t len;

    if (!get(in, &h, sizeof(h)) || memcmp(h.magic, XL_SAVED_MAGIC, sizeof(h.magic)) != 0)
        return refuse(why, "no saved domain (xl's magic is not there)");
    if (h.byteorder != XL_SAVED_BYTEORDER)
        return refuse(why, "a domain that was saved on a computer of another byte order");
    if (h.mandatory_flags & ~(XL_SAVED_JSON | XL_SAVED_STREAMV2))
        return refuse(why, "it has mandatory flag(s) %#x, which nobody knows here", h.mandatory_flags);
    if (!(h.mandatory_flags & XL_SAVED_STREAMV2))
        return refuse(why, "saved in the format of Xen before 4.6, which convert-legacy-stream can make a newer one");
    if (h.mandatory_flags & XL_SAVED_JSON)
        return refuse(why, "its configuration is libxl's JSON, as xl writes it: here it is an xl.cfg");
    optional = (struct stream_in){ in->at, h.optional_len };
    if (!take(in, h.optional_len) || !get(&optional, &len, sizeof(len)) ||
        !(s->config = (const char *)take(&optional, len)))
        return refuse(why, "it ends in its configuration, or that is longer than it says");
    s->config_len = len;
    return true;
}

static bool libxc_heads(struct saved *s, struct stream_in *in, char why[SAVED_ERR_SIZE])
{
    struct libxc_image_header i;
    struct libxc_domain_header d;

    if (!get(in, &i, sizeof(i)) || !get(in, &d, sizeof(d)))
        return refuse(why, "it ends in libxc's header");
    if (i.marker != LIBXC_MARKER || be32toh(i.id) != LIBXC_ID)
        return refuse(why, "libxc's part does not begin as one");
    if (be32toh(i.version) != LIBXC_VERSION)
        return refuse(why, "libxc's part is of version %u, and %u is known", be32toh(i.version), LIBXC_VERSION);
    if (i.options || i.reserved1 || i.reserved2 || d.reserved)
        return refuse(why, "libxc's header says something that is not known");
    if (d.page_shift != 12)
        return refuse(why, "its pages are of 2^%u bytes", d.page_shift);
    if (d.type != LIBXC_X86_PV && d.type != LIBXC_X86_HVM)
        return refuse(why, "a domain of type %#x, which is neither x86 PV nor x86 HVM", d.type);
    s->hvm = d.type == LIBXC_X86_HVM;
    return true;
}

static bool libxc_part(struct saved *s, struct stream_in *in, char why[SAVED_ERR_SIZE])
{
    struct stream_body r;
    unsigned int nr = 0;

    if (!libxc_heads(s, in, why))
        return false;
    s->libxc = *in;
    do {
        if (!stream_next(in, &r))
            return refuse(why, "it ends in libxc's record %u, or that is damaged", nr);
        if (!libxc_record_name(r.type) && !(r.type & STREAM_OPTIONAL))
            return refuse(why, "libxc's record %u is of type %#x, which is not known", nr, r.type);
        nr++;
    } while (r.type != LIBXC_END);
    s->libxc.left -= in->left;
    return r.length ? refuse(why, "libxc's END says something") : true;
}

static bool emulator_part(struct saved *s, struct stream_body r, char why[SAVED_ERR_SIZE])
{
    struct libxl_emulator_header head;

    if (r.length < sizeof(head) || s->emulator.body)
        return refuse(why, "its EMULATOR_CONTEXT has no header, or there are two");
    memcpy(&head, r.body, sizeof(head));
    if (head.id > LIBXL_EMULATOR_QEMU_UPSTREAM || head.index)
        return refuse(why, "the state of a device model that is not known (%u, %u)", head.id, head.index);
    s->emulator_is_qemu = head.id != LIBXL_EMULATOR_UNKNOWN;
    s->emulator = (struct stream_body){ r.type, r.body + sizeof(head), r.length - sizeof(head) };
    return true;
}

static bool libxl_part(struct saved *s, struct stream_in *in, char why[SAVED_ERR_SIZE])
{
    struct libxl_header h;
    struct stream_body r;
    bool context = false;

    if (!get(in, &h, sizeof(h)) || be64toh(h.ident) != LIBXL_IDENT)
        return refuse(why, "libxl's part does not begin as one");
    if (be32toh(h.version) != LIBXL_VERSION || h.options)
        return refuse(why, "libxl's part is of another version or byte order (%u, %#x)", be32toh(h.version),
                      be32toh(h.options));
    do {
        if (!stream_next(in, &r))
            return refuse(why, "it ends in a record of libxl's, or that is damaged");
        switch (r.type) {
        case LIBXL_LIBXC_CONTEXT:
            if (context || r.length)
                return refuse(why, "its LIBXC_CONTEXT is not empty, or there are two");
            context = true;
            if (!libxc_part(s, in, why))
                return false;
            break;
        case LIBXL_EMULATOR_CONTEXT:
            if (!emulator_part(s, r, why))
                return false;
            break;
        case LIBXL_EMULATOR_XENSTORE_DATA:
        case LIBXL_END: break;
        default: return refuse(why, "a record of libxl's of type %#x, which is not for a saved domain", r.type);
        }
    } while (r.type != LIBXL_END);
    return context && !r.length ? true : refuse(why, "there is no domain in it");
}

bool saved_open(struct saved *s, const void *data, size_t size, char why[SAVED_ERR_SIZE])
{
    struct stream_in in = { data, size };

    *s = (struct saved){ 0 };
    if (!xl_part(s, &in, why) || !libxl_part(s, &in, why))
        return false;
    return in.left ? refuse(why, "there are %zu bytes behind its end", in.left) : true;
}
