// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that changes: kernels patch themselves (alternatives, tracing, jump labels), and a processor's next fetch sees
 * it. Who keeps decoded or translated code must notice the store.
 */
#include "guests/five/five.h"

void patch_test(void)
{
    uint32_t (*const fn)(void) = (uint32_t(*)(void))(uintptr_t)patched_code;
    uint64_t sum = 0;
    uint32_t val = 1;

    result("code before", fn());
    for (unsigned int i = 0; i < 1000; i++) {
        val = val * 1664525 + 1013904223;
        memcpy(patched_code + 1, &val, sizeof(val));
        sum = sum * 31 + fn();
    }
    result("code, changed 1000 times", sum);
    sum = 0;
    for (unsigned int i = 0; i < 1000; i++)
        sum = sum * 31 + patch_ahead(i * 2654435761u);
    result("the next instruction, changed 1000 times", sum);
}
