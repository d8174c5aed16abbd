// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From one layout to the other, field by field, as the tables say. The model is in the header.
 */
#include "mmu/compat.h"

#include <errno.h>
#include <string.h>

#define LARGEST 512 /* bytes of a structure in its 32-bit form */

/* Copy field f of `from` at src to field t of `to` at dst: the lower bytes, and zeroes above them. */
static void field_copy(uint8_t *dst, const struct compat_field *t, const uint8_t *src, const struct compat_field *f)
{
    const size_t n = t->size < f->size ? t->size : f->size;

    BUG_ON(t->nr != f->nr);
    for (unsigned int i = 0; i < t->nr; i++) {
        memcpy(dst + t->at + i * t->size, src + f->at + i * f->size, n);
        memset(dst + t->at + i * t->size + n, 0, t->size - n);
    }
}

static void struct_copy(void *dst, const struct compat_layout *to, const void *src, const struct compat_layout *from)
{
    memset(dst, 0, to->size);
    for (unsigned int i = 0; i < to->nr_fields; i++)
        field_copy(dst, &to->field[i], src, &from->field[i]);
}

int compat32_from_guest(struct vcpu *v, void *dst, uint64_t src, enum compat_struct s)
{
    uint8_t buf[LARGEST];

    if (copy_from_guest(v, buf, src, compat_layouts32[s].size))
        return -EFAULT;
    struct_copy(dst, &compat_layouts64[s], buf, &compat_layouts32[s]);
    return 0;
}

int compat32_to_guest(struct vcpu *v, uint64_t dst, const void *src, enum compat_struct s)
{
    uint8_t buf[LARGEST];

    struct_copy(buf, &compat_layouts32[s], src, &compat_layouts64[s]);
    return copy_to_guest(v, dst, buf, compat_layouts32[s].size);
}

static unsigned int field_at(enum compat_struct s, size_t at)
{
    const struct compat_layout *l = &compat_layouts64[s];
    unsigned int i = 0;

    while (i < l->nr_fields && l->field[i].at != at)
        i++;
    BUG_ON(i == l->nr_fields);
    return i;
}

size_t compat_offset(const struct domain *d, enum compat_struct s, size_t at)
{
    return compat_layout(d, s)->field[field_at(s, at)].at;
}

int compat32_field_to_guest(struct vcpu *v, uint64_t dst, enum compat_struct s, size_t at, const void *field)
{
    const struct compat_field *f = &compat_layouts32[s].field[field_at(s, at)];

    return copy_to_guest(v, dst + f->at, field, f->size); /* little endian: cut at its end */
}
