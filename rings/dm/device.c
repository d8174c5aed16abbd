// SPDX-License-Identifier: GPL-2.0-or-later
/* Which device answers an access, and whose alarm is next: rings/dm/device.h. */
#include "rings/dm/device.h"

static const struct dm_region *find(const struct dm_region *r, enum dm_space space, uint64_t addr)
{
    while (r && !(r->present && r->space == space && addr - r->base < r->size))
        r = r->next;
    return r;
}

static uint64_t ones(unsigned int size) { return size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << 8 * size) - 1; }

/* Of a region that it lies in wholly, or of none. */
static uint64_t access_one(const struct dm_region *r, uint64_t addr, unsigned int size, bool write, uint64_t val)
{
    if (!r)
        return write ? val : ones(size);
    if (write) {
        r->ops->write(r->dev, addr - r->base, size, val & ones(size));
        return val;
    }
    return r->ops->read(r->dev, addr - r->base, size) & ones(size);
}

uint64_t dm_access(const struct dm_region *regions, enum dm_space space, uint64_t addr, unsigned int size, bool write,
                   uint64_t val)
{
    const struct dm_region *r = find(regions, space, addr);
    uint64_t read = 0;

    if ((!r || addr - r->base + size <= r->size) && !(space == DM_PORT && size == 8))
        return access_one(r, addr, size, write, val);
    for (unsigned int i = 0; i < size; i++) /* across an edge: each byte is its region's */
        read |= access_one(find(regions, space, addr + i), addr + i, 1, write, val >> 8 * i & 0xff) << 8 * i;
    return write ? val : read;
}

void dm_timer_set(struct dm_timer **timers, struct dm_timer *t, s_time_t due)
{
    struct dm_timer **at = timers;

    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
    t->due = due;
    if (!due)
        return;
    for (at = timers; *at && (*at)->due <= due; at = &(*at)->next)
        ;
    t->next = *at;
    *at = t;
}

void dm_timers_run(struct dm_timer **timers, s_time_t now)
{
    while (*timers && (*timers)->due <= now) {
        struct dm_timer *t = *timers;

        *timers = t->next;
        t->due = 0;
        t->fn(t->dev);
    }
}
