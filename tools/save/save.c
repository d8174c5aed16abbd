// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving a domain: from one that has suspended to a stream (tools/save/format.h).
 *
 * Concept: what is written is what another machine needs to make the same domain, and nothing that only this machine
 * knows: frames are told by the domain's own numbers. A page of zeroes is told by its number alone, as one to allocate.
 *
 *      xl: configuration -> libxl: LIBXC_CONTEXT -> libxc: save_pv.c or save_hvm.c -> libxl: EMULATOR_, END
 *
 * Corresponds to what libxc, libxl and xl do for `xl save`. They write a domain of xl's with its configuration as JSON;
 * here it is an xl.cfg, which xl takes as well.
 */
#include "tools/save/save.h"

#include "tools/save/format.h"
#include "tools/save/save_private.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/version.h>

/* --- the formats around it --- */

static void write_heads(struct saver *s)
{
    const uint32_t len = (uint32_t)strlen(s->what->config);
    const struct xl_saved_header xl = { .magic = XL_SAVED_MAGIC,
                                        .byteorder = XL_SAVED_BYTEORDER,
                                        .mandatory_flags = XL_SAVED_STREAMV2,
                                        .optional_len = (uint32_t)sizeof(len) + len };
    const struct libxl_header libxl = { htobe64(LIBXL_IDENT), htobe32(LIBXL_VERSION), 0 };
    const struct libxc_image_header image = { .marker = LIBXC_MARKER,
                                              .id = htobe32(LIBXC_ID),
                                              .version = htobe32(LIBXC_VERSION) };
    const uint32_t version = (uint32_t)xc_version(s->xc, XENVER_version, NULL);
    const struct libxc_domain_header domain = { .type = s->what->hvm ? LIBXC_X86_HVM : LIBXC_X86_PV,
                                                .page_shift = PAGE_SHIFT,
                                                .xen_major = version >> 16,
                                                .xen_minor = version & 0xffff };

    out_put(s->out, &xl, sizeof(xl));
    out_put(s->out, &len, sizeof(len));
    out_put(s->out, s->what->config, len);
    out_put(s->out, &libxl, sizeof(libxl));
    out_record(s->out, LIBXL_LIBXC_CONTEXT, NULL, 0, NULL, 0);
    out_put(s->out, &image, sizeof(image));
    out_put(s->out, &domain, sizeof(domain));
}

/* xenlab's device model, which is none that Xen's tools know. */
static void write_emulator(struct saver *s)
{
    const struct libxl_emulator_header head = { LIBXL_EMULATOR_UNKNOWN, 0 };

    if (!s->what->emulator)
        return;
    out_record(s->out, LIBXL_EMULATOR_XENSTORE_DATA, &head, sizeof(head), NULL, 0);
    out_record(s->out, LIBXL_EMULATOR_CONTEXT, &head, sizeof(head), s->what->emulator, s->what->emulator_size);
}

static int collect(struct saver *s)
{
    int rc = xc_domain_getinfo(s->xc, s->what->domid, &s->info);

    if (rc)
        return save_fail(s, "the domain", rc);
    s->page = calloc(s->info.tot_pages + DOMAIN_PAGES_EXTRA, sizeof(*s->page));
    s->type = calloc(s->info.tot_pages + DOMAIN_PAGES_EXTRA, sizeof(*s->type));
    rc = s->page && s->type
             ? domain_pages(s->xc, s->what->domid, s->info.tot_pages + DOMAIN_PAGES_EXTRA, s->page, &s->nr)
             : -ENOMEM;
    return rc ? save_fail(s, "its pages", rc) : 0;
}

int save_domain(struct xc_handle *xc, const struct save_what *what, struct save_out *out, char err[SAVE_ERR_SIZE])
{
    struct saver s = { .xc = xc, .what = what, .out = out, .err = err };
    int rc = (what->hvm ? save_hvm_populate(&s) : 0) ?: collect(&s);

    if (!rc) {
        write_heads(&s);
        rc = what->hvm ? save_hvm(&s) : save_pv(&s);
    }
    if (!rc) {
        out_record(out, LIBXC_END, NULL, 0, NULL, 0);
        write_emulator(&s);
        out_record(out, LIBXL_END, NULL, 0, NULL, 0);
    }
    free(s.page);
    free(s.type);
    free(s.index_of);
    free(s.p2m_pfn);
    return rc;
}
