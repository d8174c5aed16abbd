// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emulated devices: what a device is to the rest of the device model, and the rest to a device.
 *
 * Concept: a device is a struct, an init function, and regions: ports or addresses of memory that it answers at. It
 * knows nothing of how an access came to it, nor of how its interrupt reaches the guest; for that it has a board, a
 * table of functions:
 *
 *      guest's IN, MOV... --> region's read, write --> device --> board: interrupt lines, DMA, time, disks' files
 *
 * Two boards there are: a device model's, which does it by hypercalls, and one of the hypervisor's own (--device-model
 * xen). Tests have a third.
 *
 * Invariants: a device answers any access, of any size, in any order: the guest decides. Its state is what its struct
 * holds, which lies in the arena; no device allocates. An access ends at once: what takes time (a disk) is finished by
 * a timer of the device's.
 */
#ifndef RINGS_DM_DEVICE_H
#define RINGS_DM_DEVICE_H

#include "sim/clock.h"
#include "sim/trace_enums.h"
#include "sim/types.h"

enum dm_space { DM_PORT, DM_MEMORY };

struct dm_region_ops {
    /*
     * offset is below the region's size, the access lies wholly in it; size is 1, 2, 4, of memory 8 too. The upper
     * bytes of what is read are ignored.
     */
    uint64_t (*read)(void *dev, uint64_t offset, unsigned int size);
    void (*write)(void *dev, uint64_t offset, unsigned int size, uint64_t val);
};

/* A place where a device answers. It may move (a PCI device's BAR), or not be there. */
struct dm_region {
    const struct dm_region_ops *ops;
    void *dev;
    enum dm_space space;
    bool present;
    uint64_t base, size;
    struct dm_region *next; /* the board's, with what it has made of it */
    bool mapped, refused;   /* refused: it was said already */
    uint64_t mapped_base, mapped_size;
};

/* A device's alarm. */
struct dm_timer {
    void (*fn)(void *dev);
    void *dev;
    s_time_t due; /* 0: it does not run */
    struct dm_timer *next;
};

struct dm_board {
    const struct dm_board_ops *ops;
};

struct dm_board_ops {
    /* From now on, or after a change of present, base or size, r is as it says. The device owns r. */
    void (*region)(struct dm_board *b, struct dm_region *r);
    /* An ISA interrupt's line, 0 to 15, is up or down. Nothing happens if it was so already. */
    void (*isa_irq)(struct dm_board *b, unsigned int irq, bool up);
    /* A PCI device's interrupt pin, intx 0 (INTA#) to 3. */
    void (*pci_intx)(struct dm_board *b, unsigned int device, unsigned int intx, bool up);
    /* The ISA bridge leads PCI link 0 to 3 to an ISA interrupt; 0: nowhere. */
    void (*pci_link_route)(struct dm_board *b, unsigned int link, unsigned int isa_irq);
    /* A message-signalled interrupt. */
    void (*msi)(struct dm_board *b, uint64_t addr, uint32_t data);
    /* Guest memory. Where there is none, reads give all ones, writes are lost; -EFAULT then. */
    int (*dma_read)(struct dm_board *b, uint64_t gpa, void *buf, size_t len);
    int (*dma_write)(struct dm_board *b, uint64_t gpa, const void *buf, size_t len);
    /* A frame of the guest's, to be looked at for as long as there is a board, wherever it is moved. NULL: none. */
    const uint8_t *(*frame)(struct dm_board *b, uint64_t gfn);
    /* It comes to another place. False: something is there already, or nothing is here. */
    bool (*move)(struct dm_board *b, uint64_t from, uint64_t to);
    s_time_t (*now)(struct dm_board *b);
    /* What its owner should know of: something of the device model does not work any more. */
    void (*tell)(struct dm_board *b, const char *what);
    /* The machine is to be reset, as by its button. */
    void (*reset)(struct dm_board *b);
    /* For the trace: what the device with this number on its bus does. NULL: nobody wants to know. */
    void (*work)(struct dm_board *b, unsigned int device, enum trace_device_op op, uint64_t sector, uint64_t len);
    /* t->fn is called at `due`, from the board and not from within this call; 0: not at all. */
    void (*timer)(struct dm_board *b, struct dm_timer *t, s_time_t due);
};

static inline void dm_region_init(struct dm_region *r, const struct dm_region_ops *ops, void *dev, enum dm_space space,
                                  uint64_t base, uint64_t size)
{
    *r = (struct dm_region){ .ops = ops, .dev = dev, .space = space, .present = true, .base = base, .size = size };
}

/* A device with a bus of 8 bits takes a wider access as one of each byte, the lowest first. */
static inline uint64_t dm_read_bytes(void *dev, uint8_t (*read)(void *dev, unsigned int offset), uint64_t offset,
                                     unsigned int size)
{
    uint64_t val = 0;

    for (unsigned int i = 0; i < size; i++)
        val |= (uint64_t)read(dev, (unsigned int)offset + i) << 8 * i;
    return val;
}

static inline void dm_write_bytes(void *dev, void (*write)(void *dev, unsigned int offset, uint8_t val),
                                  uint64_t offset, unsigned int size, uint64_t val)
{
    for (unsigned int i = 0; i < size; i++)
        write(dev, (unsigned int)offset + i, (uint8_t)(val >> 8 * i));
}

/*
 * An access of 1, 2, 4 or 8 bytes to one of the regions in this list, or to none: all ones, or lost. What was read, or
 * val.
 */
uint64_t dm_access(const struct dm_region *regions, enum dm_space space, uint64_t addr, unsigned int size, bool write,
                   uint64_t val);

/*
 * Timers that run, the first first: t is in there for `due`, or not at all (0); those that are due by `now` are taken
 * out, and called.
 */
void dm_timer_set(struct dm_timer **timers, struct dm_timer *t, s_time_t due);
void dm_timers_run(struct dm_timer **timers, s_time_t now);

#endif
