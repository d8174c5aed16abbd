// SPDX-License-Identifier: GPL-2.0-or-later
/* Hashes of RAM: explained in sim/ram_hash.h. */
#include "sim/ram_hash.h"

#include <string.h>
#include <unistd.h>

#include "sim/page_store.h"

#define CHUNK (16 * PAGE_SIZE) /* as much is copied at a time */

void for_each_data_frame(const struct machine *m, void (*fn)(void *data, mfn_t mfn, const uint8_t *page), void *data)
{
    const off_t size = (off_t)(m->nr_frames << PAGE_SHIFT);
    uint8_t chunk[CHUNK];
    size_t n;
    off_t end;

    for (off_t at = lseek(m->edges->ram_fd, 0, SEEK_DATA); at >= 0 && at < size;
         at = lseek(m->edges->ram_fd, end, SEEK_DATA)) {
        end = lseek(m->edges->ram_fd, at, SEEK_HOLE);
        for (; at < end; at += (off_t)n) {
            n = (size_t)(end - at) < CHUNK ? (size_t)(end - at) : CHUNK;
            BUG_ON(pread(m->edges->ram_fd, chunk, n, at) != (ssize_t)n);
            for (size_t i = 0; i < n; i += PAGE_SIZE)
                fn(data, _mfn(((uint64_t)at + i) >> PAGE_SHIFT), chunk + i);
        }
    }
}

static void add_frame(void *data, mfn_t mfn, const uint8_t *page) { *(uint64_t *)data += page_hash(mfn_x(mfn), page); }

uint64_t machine_hash_ram(const struct machine *m)
{
    uint64_t sum = 0;

    for_each_data_frame(m, add_frame, &sum);
    return sum;
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    uint8_t page[PAGE_SIZE];

    for (size_t done = 0; done < n;) {
        const size_t part = n - done < PAGE_SIZE ? n - done : PAGE_SIZE;

        memset(page, 0, sizeof(page));
        memcpy(page, (const uint8_t *)bytes + done, part);
        hash = (hash + part) * UINT64_C(0x9e3779b97f4a7c15) + page_hash(part, page);
        done += part;
    }
    return hash;
}
