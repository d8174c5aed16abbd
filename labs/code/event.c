// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events, none lost.
 *
 * Concept: who sends an event walks up three steps, and stops at the first that is there already: is the port
 * pending? is it masked? is the selector's bit set? is an upcall pending? Only who has come to the end calls the guest.
 * So a bit that is left behind, with nothing above it, silences its port for ever.
 *
 *      Xen, up, setting            the guest, down, clearing
 *        pending[n] bit m            upcall_pending = 0
 *        mask[n] bit m?              selector = 0, and go through what was in it
 *        selector bit n                pending[n] bit m = 0
 *        upcall_pending                  the handler, which looks at what the event is about
 *
 * Invariant: whenever the guest rests, a port that is pending is masked, or an upcall is pending.
 */
#include "labs/code/event.h"

void event_unmask(unsigned int port)
{
    const unsigned int word = port / 64;
    const uint64_t bit = UINT64_C(1) << port % 64;

    shm_fetch_and(&event_page->mask[word], ~bit);
    if (!(shm_load(&event_page->pending[word]) & bit))
        return; /* what comes from here on finds it unmasked */
    if (!(shm_fetch_or(&event_page->selector, UINT64_C(1) << word) & UINT64_C(1) << word))
        shm_store(&event_page->upcall_pending, 1);
    if (shm_load(&event_page->upcall_pending))
        hypercall_yield();
}

void events_poll(void)
{
    while (shm_exchange(&event_page->upcall_pending, 0))
        for (uint64_t words = shm_exchange(&event_page->selector, 0); words; words &= words - 1) {
            const unsigned int word = (unsigned int)__builtin_ctzll(words);
            uint64_t bits = shm_load(&event_page->pending[word]);

            for (bits &= ~shm_load(&event_page->mask[word]); bits; bits &= bits - 1) {
                shm_fetch_and(&event_page->pending[word], ~(bits & -bits));
                event_handle(word * 64 + (unsigned int)__builtin_ctzll(bits));
            }
        }
}
