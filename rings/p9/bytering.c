// SPDX-License-Identifier: GPL-2.0-or-later
/* A ring of bytes: the idea is in rings/p9/bytering.h. */
#include "rings/p9/bytering.h"

#include "sim/types.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

static uint32_t peek_index(const uint32_t *at) { return *(const volatile uint32_t *)at; }

static void show(struct bytering *r)
{
    atomic_thread_fence(memory_order_seq_cst); /* the bytes before the index */
    *(volatile uint32_t *)r->ours = r->index;
}

/* The byte at `index`, and how many follow it on its page and before the ring's end. */
static uint8_t *place(const struct bytering *r, uint32_t index, size_t *left)
{
    const uint32_t in_ring = index & (r->size - 1);
    const size_t at = r->offset + in_ring;

    *left = PAGE_SIZE - at % PAGE_SIZE;
    if (*left > r->size - in_ring)
        *left = r->size - in_ring;
    return r->page[at / PAGE_SIZE] + at % PAGE_SIZE;
}

static void copy(const struct bytering *r, uint32_t index, void *own, size_t n, bool to_ring)
{
    size_t left;

    for (size_t done = 0; done < n; done += left) {
        uint8_t *shared = place(r, index + (uint32_t)done, &left);

        left = left < n - done ? left : n - done;
        if (to_ring)
            memcpy(shared, (const uint8_t *)own + done, left);
        else
            memcpy((uint8_t *)own + done, shared, left);
    }
}

int64_t bytering_waiting(const struct bytering *r)
{
    const uint32_t n = peek_index(r->other) - r->index;

    atomic_thread_fence(memory_order_acquire); /* the index before the bytes */
    return n > r->size ? -EPROTO : (int64_t)n;
}

void bytering_peek(const struct bytering *r, size_t skip, void *buf, size_t n)
{
    copy(r, r->index + (uint32_t)skip, buf, n, false);
}

void bytering_consume(struct bytering *r, size_t n)
{
    r->index += (uint32_t)n;
    show(r);
}

int64_t bytering_room(const struct bytering *r)
{
    const uint32_t used = r->index - peek_index(r->other);

    return used > r->size ? -EPROTO : (int64_t)r->size - used;
}

void bytering_write(struct bytering *r, const void *buf, size_t n)
{
    copy(r, r->index, (void *)(uintptr_t)buf, n, true);
    r->index += (uint32_t)n;
    show(r);
}
