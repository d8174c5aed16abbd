// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switching the machine on and off.
 *
 * Concept: a machine is RAM, a clock, processors, and the two things that watch it (log and trace). RAM is one mapping
 * of a memfd: shared, so that a frame can be handed to another process by file offset, and without reservation, so that
 * a machine of 64 GiB starts on a laptop and costs only the frames that guests touch. Fresh frames read as zero.
 *
 * Invariants: machine address a lives at ram[a]; nothing in here depends on the host's time or addresses, and the only
 * randomness is machine_random(), a function of the seed.
 */
#include "sim/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/insn.h"

#define MIB_TO_FRAMES(mib) ((uint64_t)(mib) << (20 - PAGE_SHIFT))

static bool ram_create(struct machine *m, uint64_t mib, char *err, size_t errlen)
{
    const size_t size = MIB_TO_FRAMES(mib) << PAGE_SHIFT;
    int *fd = &m->edges->ram_fd;
    void *ram;

    *fd = memfd_create("xenlab-ram", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0) {
        snprintf(err, errlen, "cannot create %llu MiB of machine memory: %s", (unsigned long long)mib, strerror(errno));
        return false;
    }
    ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
    if (ram == MAP_FAILED) {
        snprintf(err, errlen, "cannot map %llu MiB of machine memory: %s (is `ulimit -v` set?)",
                 (unsigned long long)mib, strerror(errno));
        return false;
    }
    m->ram = ram;
    m->nr_frames = MIB_TO_FRAMES(mib);
    m->shares = xzalloc_array(m->arena, uint32_t, m->nr_frames);
    if (!m->shares) {
        snprintf(err, errlen, "out of memory");
        return false;
    }
    return true;
}

/* An arena, and in it a machine that has nothing yet. NULL: out of memory. */
static struct machine *machine_alloc(void)
{
    struct machine_edges *edges = calloc(1, sizeof(*edges));
    struct arena *arena = edges ? arena_create() : NULL;
    struct machine *m = arena ? xzalloc(arena, struct machine) : NULL;

    if (!m) {
        arena_destroy(arena);
        free(edges);
        return NULL;
    }
    edges->ram_fd = -1;
    m->arena = arena;
    m->edges = edges;
    return m;
}

struct machine *machine_create(const struct machine_config *cfg, char *err, size_t errlen)
{
    struct machine *m;

    if (!cfg->ram_mib || cfg->ram_mib > MACHINE_MAX_RAM_MIB) {
        snprintf(err, errlen, "machine memory must be 1 to %llu MiB", (unsigned long long)MACHINE_MAX_RAM_MIB);
        return NULL;
    }
    if (cfg->nr_pcpus > MACHINE_MAX_PCPUS) {
        snprintf(err, errlen, "a machine has at most %d pCPUs", MACHINE_MAX_PCPUS);
        return NULL;
    }
    m = machine_alloc();
    if (!m) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    m->seed = m->prng = cfg->seed;
    m->plain_engine = cfg->plain_engine;
    m->exact_segments = cfg->exact_segments;
    m->log.level = LOG_INFO;
    vclock_init(&m->clock, m->arena);
    m->clock.machine = m;
    if (!ram_create(m, cfg->ram_mib, err, errlen))
        goto fail;
    m->edges->decoder = insn_decoder_create();
    if (!m->edges->decoder) {
        snprintf(err, errlen, "cannot start the instruction decoder (Capstone built without x86?)");
        goto fail;
    }
    for (unsigned int i = 0; i < cfg->nr_pcpus; i++) {
        m->pcpu[i] = pcpu_create(m, i, err, errlen);
        if (!m->pcpu[i])
            goto fail;
        m->nr_pcpus++;
    }
    return m;

fail:
    machine_destroy(m);
    return NULL;
}

#ifdef __SANITIZE_ADDRESS__
static void left_over(void *data, const void *p, size_t size, const char *place)
{
    fprintf(stderr, "arena: %zu bytes of %s were never freed\n", size, place);
}

/* What nobody gave back is reported, as these sanitizers do with malloc(). */
static void check_empty(const struct arena *a) { BUG_ON(arena_blocks(a, left_over, NULL)); }
#else
static void check_empty(const struct arena *a) {}
#endif

void machine_destroy(struct machine *m)
{
    struct machine_edges *edges;
    struct arena *arena;

    if (!m)
        return;
    edges = m->edges;
    arena = m->arena;
    while (m->nr_pcpus) {
        m->nr_pcpus--;
        pcpu_destroy(m->pcpu[m->nr_pcpus]);
        m->pcpu[m->nr_pcpus] = NULL;
    }
    insn_decoder_destroy(edges->decoder);
    vclock_destroy(&m->clock);
    if (m->ram)
        munmap(m->ram, m->nr_frames << PAGE_SHIFT);
    if (edges->ram_fd >= 0)
        close(edges->ram_fd);
    xfree(m->shares);
    xfree(m->shadowed);
    xfree(m);
    check_empty(arena);
    arena_destroy(arena);
    free(edges->audit);
    free(edges->interp);
    free(edges);
}

void machine_populate(struct machine *m, mfn_t first, uint64_t nr)
{
    /* Kernels before 5.14 do not know it: then the page faults do it, as ever. */
    madvise(m->ram + (mfn_x(first) << PAGE_SHIFT), nr << PAGE_SHIFT, MADV_POPULATE_WRITE);
}
