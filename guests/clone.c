// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clone: a guest that can be copied while it runs.
 *
 * Shows what a kernel has to do so that a second domain can be made of it. It says where its list of frames is, so that
 * the toolstack can write the other domain's frames there. It watches control/shutdown, and when "suspend" is there it
 * puts away what is the machine's: shared_info is unmapped, and start_info names the pages of console and xenstore by
 * its own numbers. Then it calls SCHEDOP_shutdown(SHUTDOWN_suspend), which returns twice: 1 in the old domain, 0 in the
 * new one, which must connect to everything again. What is in memory both have.
 *
 *      xenlab ctl clone DOMAIN NAME        DOMAIN is called off, NAME is new
 *      xenlab ctl save DOMAIN FILE         and, in this run or another: xenlab ctl restore FILE
 *
 * See tools/build/copy_pv.c and tools/save/ for the other side.
 */
#include "guests/rt/guest.h"
#include "guests/rt/xenstore.h"

#define STRING(x)   #x
#define NOTE(value) ".long 4, 4, 14\n .asciz \"Xen\"\n .long " STRING(value) "\n"
asm(".pushsection .note.Xen, \"a\", @note\n .balign 4\n" NOTE(1) ".popsection\n"); /* SUSPEND_CANCEL */

static unsigned int times; /* that it has come back from a suspend: in one domain or the other */
static bool asked;

static void xenstore_event(const char *path, const char *token)
{
    (void)path, (void)token;
    asked = true;
}

static long get_node(const char *path) { return ask(XS_READ, path, strlen(path) + 1); }

static void set_node(const char *path, const char *value)
{
    char both[64];
    const size_t len = strlen(path) + 1;

    memcpy(both, path, len);
    memcpy(both + len, value, strlen(value));
    if (ask(XS_WRITE, both, len + strlen(value)) < 0)
        guest_panic("%s: %s", path, answer);
}

/*
 * Three levels: a page of frames of pages of frames of the pages of the list itself. A domain that was restored from a
 * file has other frames, and is to say anew where they are.
 */
static void list_tell(void)
{
    static unsigned long *top, *mid;
    const unsigned long *list = (const unsigned long *)start_info->mfn_list;

    if (!top) {
        top = page_alloc();
        mid = page_alloc();
    }
    for (unsigned long i = 0; i * 512 < start_info->nr_pages; i++)
        mid[i] = virt_to_mfn(list + i * 512);
    top[0] = virt_to_mfn(mid);
    shared_info->arch.max_pfn = start_info->nr_pages;
    shared_info->arch.pfn_to_mfn_frame_list_list = virt_to_mfn(top);
}

static void connect(void)
{
    char watch[] = "control/shutdown\0me";

    console_init();
    ring = mfn_to_virt(start_info->store_mfn);
    if (ask(XS_WATCH, watch, sizeof(watch)) < 0)
        guest_panic("watch: %s", answer);
    if (get_node("name") < 0)
        guest_panic("name: %s", answer);
    asked = true; /* a watch fires once at the beginning */
}

static long suspend(void)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_suspend };
    const unsigned long shared = start_info->shared_info, frame = virt_to_mfn(start_info);
    const unsigned long store = start_info->store_mfn, console = start_info->console.domU.mfn;
    long rc;

    console_flush();
    start_info->store_mfn = mfn_to_pfn(store);
    start_info->console.domU.mfn = mfn_to_pfn(console);
    MUST(page_map(shared_info, pfn_to_mfn(virt_to_pfn(shared_info)), PTE_KERNEL));
    rc = HYPERCALL3(sched_op, SCHEDOP_shutdown, &op, frame);
    if (rc) {
        start_info->store_mfn = store;
        start_info->console.domU.mfn = console;
    }
    MUST(page_map(shared_info, (rc ? shared : start_info->shared_info) >> PAGE_SHIFT, PTE_KERNEL));
    return rc;
}

/* Every frame of the list is the one that the hypervisor knows by this number: in a copy, the copy's. */
static unsigned long list_wrong(void)
{
    unsigned long wrong = 0;

    for (unsigned long pfn = 0; pfn < start_info->nr_pages; pfn++)
        wrong += mfn_to_pfn(pfn_to_mfn(pfn)) != pfn;
    return wrong;
}

int guest_main(void)
{
    const long rounds = cmdline_number("rounds", 2);

    events_disable();
    list_tell();
    connect();
    printf("%s: ready\n", answer);
    while (times < rounds) {
        char name[32];
        long rc;

        if (!asked)
            receive();
        asked = false;
        if (get_node("control/shutdown") < 0 || strcmp(answer, "suspend") != 0)
            continue;
        set_node("control/shutdown", "");
        rc = suspend();
        times++;
        if (!rc) {
            list_tell();
            connect();
        }
        if (rc && get_node("name") < 0)
            return 1;
        snprintf(name, sizeof(name), "%s", answer);
        printf("%s: %s; suspended %u times in my life, %lu frames of my list are wrong\n", name,
               rc ? "I go on" : "I am a copy", times, list_wrong());
    }
    return 0;
}
