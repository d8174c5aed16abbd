// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulated PC: which devices there are, and how they sit on their board. See pc.c.
 */
#ifndef RINGS_DM_PC_H
#define RINGS_DM_PC_H

#include "rings/dm/cmos.h"
#include "rings/dm/ide.h"
#include "rings/dm/piix.h"
#include "rings/dm/platform.h"
#include "rings/dm/ps2.h"
#include "rings/dm/rtl8139.h"
#include "rings/dm/state.h"
#include "rings/dm/transcript.h"
#include "rings/dm/typing.h"
#include "rings/dm/uart.h"
#include "rings/dm/vga.h"
#include "sim/arena.h"

#define PC_EVENTS 64 /* of keyboard and mouse, that wait for their turn */

/* Who is outside. All of it is kept. */
struct pc_outside {
    void *data;
    /* The serial line pc_config.line; NULL: nobody is there. in: how much there was; it is asked when there is room. */
    void (*serial_out)(void *data, char c);
    size_t (*serial_in)(void *data, char *buf, size_t n);
    /* The text on the screen, as lines; NULL: nobody reads it. */
    void (*screen_out)(void *data, const char *text, size_t n);
    /* Text that is typed at the keyboard; NULL: nobody types text. As serial_in. */
    size_t (*typed)(void *data, char *buf, size_t n);
    /* A line that the guest has written to the platform device; NULL: nobody reads it. */
    void (*log)(void *data, const char *line);
    /* A frame goes out at a network card; pc_nic_receive() may be called now, as long as there is pc_nic_room(). */
    void (*nic_send)(void *data, unsigned int nic, const struct rtl8139_frame *f);
    void (*nic_ready)(void *data, unsigned int nic);
};

#define PC_DRIVES  4 /* primary master and slave, secondary master and slave */
#define PC_NICS    8
#define PC_BUTTONS 5 /* of a mouse */
#define PC_SERIALS 4 /* COM1 to COM4; the third shares the interrupt of the first, the fourth that of the second */

struct pc_config {
    struct arena *arena;    /* for what a device has much of */
    unsigned int vga_mib;   /* of a screen, a power of two; 0: there is none */
    uint64_t vga_gfn;       /* where its memory is, frames of the guest's, while the guest has no place for it */
    const uint8_t *vgabios; /* NULL: the screen has none; copied */
    size_t vgabios_size;
    bool platform; /* Xen's platform device */
    struct {
        enum ide_kind kind;
        struct disk *disk; /* NULL: a CD drive without a disc */
    } drive[PC_DRIVES];
    unsigned int nr_nics; /* network cards, at most PC_NICS */
    uint8_t nic[PC_NICS][6];
    const uint8_t *nic_rom; /* what a PC starts from by them; NULL: they have none; copied */
    size_t nic_rom_size;
    unsigned int serials;          /* how many serial lines there are, at most PC_SERIALS; COM1 always is */
    unsigned int line;             /* which of them outside's serial_out and serial_in are the end of; from 0 */
    uint64_t mem_below, mem_above; /* bytes of RAM, below 4 GiB and above */
    char boot[4];                  /* as of cmos_init() */
    struct dm_state *state;        /* what it has been, up to behind its board's; NULL: it is switched on */
    struct pc_outside outside;
};

/* A key goes down or up, by Linux's numbers, or the mouse moves (key: 0). Buttons of the mouse are keys. */
struct pc_event {
    unsigned int key;
    bool down;
    int32_t dx, dy, dz;
};

struct pc_vga_page {
    const uint8_t *bytes;
    uint64_t gfn; /* where it is now */
};

struct pc_nic {
    struct pc *pc;
    struct rtl8139 card;
};

struct pc {
    struct dm_board *board;
    struct pc_config cfg;
    struct pci_bus pci;
    struct dm_region config_address; /* port 0xcf8, to be read back */
    uint32_t cf8;
    unsigned int unplugged; /* PLATFORM_UNPLUG_* */
    struct cmos cmos;
    struct ide ide;
    struct piix piix;
    struct platform platform;
    struct ps2 ps2;
    struct typing typing;
    struct dm_timer typist; /* it runs until the next character may be typed */
    struct pc_event event[PC_EVENTS];
    unsigned int nr_events;
    uint64_t dropped; /* that had no room */
    struct {
        bool changes; /* it waits for its turn, too */
        struct disk *disk;
    } disc[PC_DRIVES];
    uint8_t buttons;
    int32_t x, y; /* where a pointer that knows its place was last */
    struct uart com[PC_SERIALS];
    struct vga vga;
    struct pc_vga_page *vga_page; /* its memory */
    struct pc_nic nic[PC_NICS];
    uint8_t *nic_rom;     /* one of them all */
    struct dm_timer nics; /* it runs if a network card may take what waits for it */
    uint8_t *vga_rom;
    struct transcript transcript;
    bool goes_on; /* elsewhere: its end here is not the end of the text */
};

/* Put the devices onto the board. 0 or -errno: what there is by then is given back by pc_end(). */
int pc_init(struct pc *pc, struct dm_board *board, const struct pc_config *cfg);
/* What is on its screen is told, if it does not go on elsewhere; harmless for one that is all zero. */
void pc_end(struct pc *pc);

/*
 * All of it as bytes, behind what the board has written: records of rings/dm/state.h. pc_init() loads it. Drives that
 * are to get another disc have it then.
 */
void pc_save(struct pc *pc, struct dm_state *s);

/* Between its parts: what is of no device, and all devices. */
void pc_own_state(struct pc *pc, struct dm_state *s);
void pc_devices_state(struct pc *pc, struct dm_state *s);
static inline size_t pc_vga_pages(const struct pc *pc) { return (size_t)pc->cfg.vga_mib << (20 - PAGE_SHIFT); }

/* A configuration access as an I/O request names it: bus, device and function in bits 32 up, the register below. */
uint32_t pc_pci_config(struct pc *pc, uint64_t addr, unsigned int size, bool write, uint32_t val);

/* A key or the mouse; as a place of the screen's, pc_pointer(). pc_kick() then. */
void pc_event(struct pc *pc, const struct pc_event *e);
void pc_pointer(struct pc *pc, int32_t x, int32_t y, int32_t dz);
/* A CD drive gets another disc, or none (NULL). pc_kick() then. False: there is no such drive. */
bool pc_change_disc(struct pc *pc, unsigned int drive, struct disk *disk);
/* There may be input from outside. */
void pc_kick(struct pc *pc);
/* Something waits for a network card: nic_ready() is called, soon. */
void pc_nic_arrived(struct pc *pc);
/* Would one take a frame now? It takes one: what there is no room for is lost. */
bool pc_nic_room(struct pc *pc, unsigned int nic);
void pc_nic_receive(struct pc *pc, unsigned int nic, const uint8_t *frame, size_t len);
/* Has the guest had them taken away? */
bool pc_nics_unplugged(const struct pc *pc);
/* Has all of it been read that came in? */
bool pc_wants_input(const struct pc *pc);

#endif
