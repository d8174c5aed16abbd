// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host: one whole computer (machine, hypervisor, dom0 with its backends, guests), put together.
 *
 * Concept: this is the composition root. host_create()'s body is the boot order; nothing below knows the whole. A
 * program (ui/, a test) makes a host, adds guests, and lets virtual time pass with host_run().
 *
 * Invariants: everything that is not determined by the configuration enters through host_console_input(), between two
 * steps of the machine: nothing is asked for in the middle of a run. What leaves goes through struct host_io.
 *
 * Budget: all that a program can ask of the computer stands in one place.
 */
#ifndef TOOLS_HOST_H
#define TOOLS_HOST_H

#include "tools/build/image.h"
#include "tools/fault.h"
#include "tools/snapshot.h"
#include "tools/xl/guest_sched.h"
#include "tools/xl/xl_cfg.h"
#include "vcpu/run.h"

#define HOST_ERR_SIZE 1024
/*
 * dom0's 2-level event channels have 4096 ports: port 0 is none, two are for VIRQ_DOM_EXC and VIRQ_TIMER, two a
 * guest's.
 */
#define HOST_MAX_GUESTS 2046

/* RAM for guests that may have so much memory: the frame table, page tables, and what hypervisor and builder need. */
#define HOST_RAM_MIB(guests_mib) ((guests_mib) + (guests_mib) / 32 + 32)

#define HOST_DEFAULT_SCHED "credit2" /* Xen's own default */

struct host;
struct pc;

/* Where the device models of HVM guests run. */
enum host_device_model {
    HOST_DM_DOM0,   /* as tasks of dom0 */
    HOST_DM_DOMAIN, /* each in a domain of its own: a stub domain */
    HOST_DM_XEN,    /* in the hypervisor, to be compared */
};

enum host_firmware { HOST_HVMLOADER, HOST_SEABIOS, HOST_VGABIOS, HOST_NIC_ROM, HOST_FIRMWARES };

struct host_config {
    uint64_t ram_mib;      /* 0: 512, or what the guests need if that is more */
    uint64_t guests_mib;   /* memory that all guests that will be added may have: to size RAM by default */
    unsigned int nr_pcpus; /* 0: 1 */
    uint64_t seed;
    const char *sched; /* NULL: HOST_DEFAULT_SCHED */
    bool dom0;         /* dom0 is a guest, the first that is added, and all others are its affair */
    /*
     * A policy's own table, which outlives the host; NULL: `sched`. Where it keeps state of its own the machine cannot
     * go back.
     */
    const struct sched_ops *sched_ops;
    struct host_pool
        *pools; /* CPU pools to make beside Pool-0; their numbers are filled in. Borrowed for the host's life. */
    unsigned int nr_pools;
    const struct host_fault *faults; /* copied */
    unsigned int nr_faults;
    enum host_device_model device_model;
    enum hvm_technique technique;      /* by which HVM and PVH guests are executed */
    bool audit;                        /* mmu_audit() after every hypercall */
    bool plain_engine, exact_segments; /* struct machine_config */
    bool only_forward;                 /* it never goes back, and is not recorded */
    enum host_disk_writes {
        HOST_DISKS_NEVER, /* what guests write to disks is kept in memory, and gone at the end */
        HOST_DISKS_EXIT,  /* likewise, but for host_disks_save() */
        HOST_DISKS_LIVE,  /* it goes to the files of the disks at once: of one that goes only forward */
    } disk_writes;
    bool power_cut;   /* disks have caches that do not outlast the power: for host_power_cut() */
    bool is_recorded; /* what its outside says comes from a recording: a shared folder need not be there any more */
    bool quiet;       /* no message about what is only slower than it could be */
    /* Files that HVM guests start with, for those that `xenlab ctl restore` makes; NULL: there is none. Copied. */
    const char *firmware[HOST_FIRMWARES];
};

enum host_ctl { HOST_CTL_OUT, HOST_CTL_ERR, HOST_CTL_END };

#define HOST_DESTROYED (-1) /* it has not shut down: somebody destroyed it */

/* What the host asks of its surroundings. Each may be NULL. */
/* A packet at a port of a bridge, as it would be on a wire: it goes into the bridge, or out. */
struct host_packet {
    const char *port;
    bool in;
    s_time_t at; /* since 1970 */
    const uint8_t *bytes;
    size_t len;
};

struct host_io {
    void *data;
    /* Bytes that guest `domid` wrote to its console. */
    void (*console_out)(void *data, domid_t domid, const char *text, size_t len);
    /* The same for its channel of that number, from 1 on. */
    void (*channel_out)(void *data, domid_t domid, unsigned int channel, const char *text, size_t len);
    /* The hypervisor ended a guest. Called before guest_ended. */
    void (*guest_crashed)(void *data, const struct crash_report *report);
    /*
     * A domain is gone, or will not run again: reason SHUTDOWN_*, or HOST_DESTROYED. Also called for a reboot that is
     * carried out (then it comes back).
     */
    void (*guest_ended)(void *data, domid_t domid, int reason);
    /* The toolstack has something to say: one line, without its newline. */
    void (*message)(void *data, const char *line);
    /* xenstored says something to the program of that number (host_xenstore_socket()); it does not hear it any more. */
    void (*xenstore_out)(void *data, unsigned int id, const void *bytes, size_t len);
    void (*xenstore_hang_up)(void *data, unsigned int id);
    /* What a command of that number (host_ctl()) has to say; with HOST_CTL_END its status, a byte, and it is over. */
    void (*ctl_say)(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len);
    /* NULL: nobody looks, and nothing is made ready to be looked at. */
    void (*packet)(void *data, const struct host_packet *packet);
    /* A packet leaves the machine, from the bridge that has an outside (XL_VIF_OUTSIDE). */
    void (*outside)(void *data, const uint8_t *packet, size_t len);
};

/* One guest to build. Pointers are borrowed for the call (path names in messages too). */
struct host_guest {
    const char *name;             /* NULL: made from the file's name, and numbered if that is taken */
    bool driver_domain;           /* it has back ends of devices; and no kernel, or one that is not loaded */
    bool dom0;                    /* it is domain 0: of a host that was created so */
    bool unlisted;                /* it is not one of the guests that are counted by index */
    const char *kernel;           /* path, for messages and the name */
    const char *ramdisk;          /* path or NULL; of an HVM guest its BIOS, and the kernel is what starts that */
    const char *vgabios, *nicrom; /* ROMs of an HVM guest's screen and network cards: paths or NULL */
    bool is_firmware;             /* of an HVM guest: the kernel is hvmloader, and starts others */
    const char *cmdline;          /* or NULL */
    const char *shim; /* of a PVH guest: path of the Xen that runs in it, and the rest is for that; or NULL */
    const char *shim_cmdline;
    const struct xl_where *where; /* for messages; borrowed for the host's life, or NULL */
    bool has_type;
    const char *saved;        /* the file of a saved domain that it is, with its settings; NULL: it is to start */
    const char *saved_digest; /* the file's SHA-256; NULL: whatever the file has */
    enum xl_type type;
    const struct xl_hvm *hvm; /* of PVH and HVM guests; paths in it do not count */
    unsigned int memory_mib;  /* 0: 64 */
    unsigned int maxmem_mib;  /* 0: as memory */
    unsigned int vcpus;       /* 0: 1 */
    unsigned int maxvcpus;    /* 0: as vcpus */
    unsigned int tsc_mode;    /* TSC_MODE_* of vcpu/tsc.h */
    bool has_uuid;            /* else one is made */
    uint8_t uuid[16];
    struct build_limits limits;
    const struct xl_sched *sched;       /* NULL: nothing is stated */
    const struct xl_cpuid *cpuid;       /* the same */
    const struct xl_disks *disks;       /* the same */
    const struct xl_vifs *vifs;         /* the same */
    const struct xl_p9s *p9s;           /* the same */
    const struct xl_fbs *fbs;           /* the same */
    const struct xl_channels *channels; /* the same */
    enum xl_action on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset;
};

#define HOST_DRIVER_MIB 4u         /* a driver domain's memory, if it is not stated */
#define HOST_UNLISTED   (1u << 30) /* from here on are indices of guests that are not counted */

struct host *host_create(const struct host_config *cfg, const struct host_io *io, char err[HOST_ERR_SIZE]);
void host_destroy(struct host *h);
/*
 * The power goes, for ever: of what guests have written since they flushed last, each disk's file has some sectors, and
 * others not. A line for each disk says how many. Afterwards only host_destroy() makes sense.
 */
void host_power_cut(struct host *h);
/* HOST_DISKS_EXIT: what guests have written goes to their disks' files: of each disk all, or nothing. -1: message(). */
int host_disks_save(struct host *h);

/*
 * A domain without a kernel, for who makes hypercalls and exits in its name (include/xenlab/xenlab.h): paused, and none
 * of the guests that are counted, listed or restarted. Its page i, of `pages`, is at address `base` + i * PAGE_SIZE of
 * its only address space, writable; what else lies there the toolstack uses. A PV domain's page 0 has the hypercall
 * page, vCPU 0 would begin in page 1, with a jump to itself, and its stack grows down from the end of the last page. It
 * runs in its kernel's mode: an HVM
 * domain's in long mode, with guest-physical addresses equal to virtual ones.
 */
enum host_made_type { HOST_MADE_PV64, HOST_MADE_PV32, HOST_MADE_HVM, HOST_MADE_TYPES };
#define HOST_MADE_BASE_64   UINT64_C(0xffffffff80000000)
#define HOST_MADE_BASE_32   UINT64_C(0xc0000000) /* an HVM domain's: 0 */
#define HOST_MADE_PAGES_MIN 4u
#define HOST_MADE_PAGES_MAX 0x20000u
#define HOST_MADE_VCPUS_MAX 32u
#define HOST_MADE_MAX       256u /* at a time */
struct host_made {
    uint32_t type, vcpus; /* all but the first are down, as on real hardware */
    uint32_t pages;
    uint32_t control; /* it may do what dom0 may */
};
/* Its number, or -1 and why not. */
int host_made_add(struct host *h, const struct host_made *what, char err[HOST_ERR_SIZE]);
/* Is it such a domain, and not destroyed? Then this may be done with it. */
enum host_made_what { HOST_MADE_PAUSE, HOST_MADE_UNPAUSE, HOST_MADE_DESTROY, HOST_MADE_WHATS };
bool host_is_made(const struct host *h, domid_t domid);
int host_made_do(struct host *h, domid_t domid, enum host_made_what what);
/* The address of its page 0; of what is no such domain, 0. */
uint64_t host_made_base(const struct host *h, domid_t domid);
/* The one that was made last; 0: none. */
domid_t host_made_last(const struct host *h);

/* The settings in a file of a saved domain, as xl_config_load(). */
int host_saved_config(struct xl_config *cfg, const char *path, char err[XL_ERR_SIZE]);

/*
 * BASE, or BASE-<n> with the lowest n from `first` on, that is not dom0's name and that taken() does not know. first 1:
 * BASE itself. The caller frees it; NULL: out of memory.
 */
char *host_name_free(const char *base, unsigned int first, bool (*taken)(const void *data, const char *name),
                     const void *data);

/* Build a guest, paused. Its number goes to *domid. 0, or -1 and a message that names the file and the reason.
 * Refused, as by xl: a name that another guest has, or dom0. */
int host_guest_add(struct host *h, const struct host_guest *g, domid_t *domid, char err[HOST_ERR_SIZE]);
/* Let it run. */
int host_guest_start(struct host *h, domid_t domid);

/*
 * Let virtual time pass, as xen_run_to(). Also returns RUN_STOP when no guest is left (host_guests_left() == 0), and
 * RUN_ASKED when the outside is to be asked.
 */
enum run_result host_run_to(struct host *h, const struct run_limit *limit);
/*
 * What happens now has happened before: nothing of it leaves the machine, no callback, no message, no file. (A sink of
 * the trace is told as ever.)
 */
void host_silence(struct host *h, bool silent);
/* Nobody runs, and no timer is armed: host_run() would answer RUN_IDLE. */
bool host_is_idle(const struct host *h);
unsigned int host_guests_left(const struct host *h);
/* What a guest's configuration asks for (a restart, a soft reset...) could not be done; message() has said so. */
bool host_failed(const struct host *h);

/*
 * Input for the console of this guest (see host_guest_index()): how many bytes it takes now, at most HOST_INPUT_MAX, 0
 * as long as it has not connected; and here they are, between two calls of host_run(). now: what time it is, if the
 * machine's stands still because nobody runs.
 */
#define HOST_INPUT_MAX 4096
size_t host_console_room(const struct host *h, unsigned int index);
void host_console_input(struct host *h, unsigned int index, const char *text, size_t len, s_time_t now);
/* It waits for console input it has not got (its ring is empty and it has connected): worth reading the keyboard. */
bool host_console_wants_input(const struct host *h, unsigned int index);
/* Is it an HVM guest's serial line? */
bool host_console_is_serial(const struct host *h, unsigned int index);

/* The path of the terminal that its console is on now: what console/tty of xenstore says. now: as above. 0, -ENOMEM. */
#define HOST_TTY_SIZE 64
int host_console_tty(struct host *h, unsigned int index, const char *path, size_t len, s_time_t now);

/* All of this for a channel of a guest: is there one of this number? And as above. */
bool host_channel(const struct host *h, unsigned int index, unsigned int channel);
size_t host_channel_room(const struct host *h, unsigned int index, unsigned int channel);
void host_channel_input(struct host *h, unsigned int index, unsigned int channel, const char *text, size_t len,
                        s_time_t now);
int host_channel_tty(struct host *h, unsigned int index, unsigned int channel, const char *path, size_t len,
                     s_time_t now);
/* What a record of the journal says of it, before the text or the path. */
struct host_channel_head {
    uint8_t channel, is_tty;
};

/* For who looks: the emulated devices of a guest that is domid now; NULL: it has none. */
const struct pc *host_pc(const struct host *h, domid_t domid);
/* For who looks: the first screen of a guest. False: it shows nothing. */
struct host_screen {
    unsigned int width, height, depth; /* pixels, bits */
    uint64_t updates;                  /* how often it said that something has changed */
    bool silent;                       /* it changes without saying so, too */
    bool card;                         /* it is a PC's graphics card; else a PV screen */
    bool text;                         /* it shows characters: */
    unsigned int columns, rows;
    bool cursor; /* it is seen, and where */
    unsigned int cursor_x, cursor_y;
};
bool host_screen(const struct host *h, unsigned int index, struct host_screen *s);
/* Has the guest a graphics card, whatever that shows? */
bool host_screen_card(const struct host *h, unsigned int index);
/* A character of text in the card's own set (code page 437), the colours of it and its ground: red, green, blue. */
struct host_screen_cell {
    uint8_t character, colour[3], ground[3];
};
/* Of a card that shows text; x, y: within it. */
struct host_screen_cell host_screen_cell(const struct host *h, unsigned int index, unsigned int x, unsigned int y);
/* Of a row of it the first pixels: width triples of red, green and blue. */
void host_screen_row(const struct host *h, unsigned int index, unsigned int y, unsigned int width, uint8_t *rgb);

/* A key (x: its number, as in Linux's input-event-codes.h; buttons of a pointer are keys), or the pointer. */
struct host_key {
    uint32_t what; /* enum host_key_what */
    int32_t x, y, wheel;
};
enum host_key_what { HOST_KEY_UP, HOST_KEY_DOWN, HOST_POINTER_MOVED, HOST_POINTER_AT, HOST_KEY_NR };
/* Is there a keyboard that is looked at? Then this happens with it; now: as above. 0, -ENODEV, -EINVAL. */
bool host_keyboard(const struct host *h, unsigned int index);
int host_keyboard_event(struct host *h, unsigned int index, const struct host_key *key, s_time_t now);

/*
 * A program outside of the machine uses xenstore: number id has connected, these bytes have arrived from it, it is
 * gone. now: as above. 0, -EEXIST, -ENOENT, -ENOMEM.
 */
enum host_socket { HOST_SOCKET_OPEN, HOST_SOCKET_BYTES, HOST_SOCKET_CLOSE, HOST_SOCKET_NR };
int host_xenstore_socket(struct host *h, unsigned int id, enum host_socket what, const void *bytes, size_t len,
                         s_time_t now);
bool host_xenstore_is_open(const struct host *h, unsigned int id);

/*
 * A command of `xenlab ctl` (tools/ctl.h) that changes something: dom0's toolstack carries it out, one after the other,
 * and says of it what struct host_io's ctl_say gets, by its number. now: as above. 0 or -ENOMEM.
 */
int host_ctl(struct host *h, unsigned int id, const char *words, size_t len, s_time_t now);
/*
 * Such a command is about to come in, live: open what it needs of the outside, the file of a disk. False and why, with
 * its end of line: it cannot be opened, and the command is no input, for when this part of the run is repeated it might
 * be possible.
 */
struct ctl_request;
bool host_ctl_prepare(struct host *h, const struct ctl_request *r, char err[HOST_ERR_SIZE]);
/*
 * The words of a command that has been prepared, with all that the machine is to know when it is repeated: of `restore`
 * the digest of the file. How many bytes; len is at most CTL_WORDS_SIZE, which `all` has room for.
 */
size_t host_ctl_words(struct host *h, const char *words, size_t len, char *all);
/* The file that such a command, in words as host_ctl()'s, gives a guest: the caller's to free. NULL: none. */
char *host_ctl_file(const char *words, size_t len);

/*
 * A run that answers RUN_ASKED goes on when the outside has answered, which here and now does: its answer, to be handed
 * in by host_outside_answer() before the machine runs again. Valid until the next call. NULL: nobody asks.
 */
const uint8_t *host_outside_ask(struct host *h, unsigned int *who, size_t *len);
/* Is that what is asked for? */
bool host_outside_asks(const struct host *h, unsigned int who, const uint8_t *bytes, size_t len);
void host_outside_answer(struct host *h, unsigned int who, const uint8_t *bytes, size_t len);

/*
 * A packet comes in from outside, to the bridge that has one. Whether it is one, and there is such a bridge; then it
 * may be handed in, and is lost if there is no memory for it, as packets may be.
 */
bool host_packet_fits(const struct host *h, size_t len);
/* For whom it is has no room for it now, and takes what comes: one that takes nothing makes nobody wait. */
bool host_packet_waits(const struct host *h, const uint8_t *packet);
void host_packet_in(struct host *h, const void *packet, size_t len);
/*
 * Guests have TCP connections with the outside, which does not know of them: a packet that resets the i-th. False:
 * there is none in that place.
 */
#define HOST_CONNECTIONS  512u
#define HOST_PACKET_RESET 60u
bool host_packet_reset(const struct host *h, unsigned int i, uint8_t packet[HOST_PACKET_RESET]);

/*
 * What dom0 has worked for: the kinds of its kernel's tasks, whose times add up to its vCPU's running time. How many,
 * at most max.
 */
struct host_task_time {
    const char *name;
    uint64_t steps;
    s_time_t ns; /* virtual */
};
size_t host_dom0_time(const struct host *h, struct host_task_time *t, size_t max);

/* What time it is in the machine, and how things are there. */
s_time_t host_now(const struct host *h);
s_time_t host_busy(const struct host *h); /* as much of it as guests have taken up, and did not sleep through */
void host_snapshot(const struct host *h, struct snapshot *s);
/* "Pool-0", or the name that a CPU pool was made with. */
const char *host_pool_name(const struct host *h, uint32_t pool);
/* The pool that is called so, or has this number. False: there is none. */
bool host_pool_find(const struct host *h, const char *who, uint32_t *pool);
void host_snapshot_machine(const struct host *h, struct snapshot_machine *s);
/* Pool-0's, for whose table it is (host_config.sched_ops). */
struct scheduler *host_scheduler(const struct host *h);
/* snapshot_scheduler(), snapshot_rtds() */
const char *host_snapshot_scheduler(const struct host *h, uint32_t pool, struct xen_sysctl_scheduler_op *op);
bool host_snapshot_rtds(const struct host *h, domid_t domid, int vcpu, struct xen_domctl_sched_rtds *p);
/* As snapshot_domain(), snapshot_domain_vcpu() and snapshot_dmesg(). */
bool host_snapshot_domain(const struct host *h, unsigned int *n, struct xen_domctl_getdomaininfo *info);
bool host_snapshot_vcpu(const struct host *h, domid_t domid, unsigned int vcpu, struct snapshot_domain_vcpu *s);
size_t host_snapshot_dmesg(const struct host *h, char *buf, size_t size);
/* Why domain domid has ended by SHUTDOWN_crash or SHUTDOWN_watchdog, if not the hypervisor has ended it. */
const char *host_crash_why(const struct host *h, domid_t domid, int reason);
/*
 * Where domain domid has ended that says that it crashed, of which the hypervisor knows nothing. False: there is
 * nothing to tell.
 */
bool host_crash_report(struct host *h, domid_t domid, const char *why, struct crash_report *report);
/* mmu_audit(): 0, or -1 and the first difference. */
int host_audit(struct host *h, char *why, size_t len);
/*
 * Who gets the hypervisor's messages, up to that level, and what happens: see sim/log.h and sim/trace.h. sink NULL:
 * nobody.
 */
void host_log(struct host *h, void (*sink)(void *data, const char *line, size_t len), void *data, enum log_level level);
void host_trace(struct host *h, void (*sink)(void *data, const struct trace_record *rec), void *data);

struct machine *host_machine(const struct host *h);
/* For tests: the inside. */
struct xen *host_xen(struct host *h);
/* Is dom0 a guest (host_config.dom0)? Then its index is 0, and there is no other. */
bool host_dom0_is_guest(const struct host *h);
/* Kernel image of a guest, for symbols: of a domain that is, or was; NULL when it is not one of ours. */
const struct image *host_guest_image(const struct host *h, domid_t domid);
/*
 * Which guest is it, in the order of host_guest_add(), from 0? It keeps this through restarts, unlike domid. -1: none
 * of ours.
 */
int host_guest_index(const struct host *h, domid_t domid);
/* A PVH guest's kernel, or what is in hvmloader's place, is an ELF file of 32 bits. */
bool host_hvm_kernel_is_32(const struct host *h, unsigned int index);
/* The domain that it is now, or was last; DOMID_INVALID: there is no such guest. */
domid_t host_guest_domid(const struct host *h, unsigned int index);
/* The next one, around the corner if need be, that has not ended: itself if it is the only one, -1 if there is none. */
int host_guest_next(const struct host *h, unsigned int index);
bool host_guest_ended(const struct host *h, unsigned int index);
/* When its domain was built. */
s_time_t host_guest_born(const struct host *h, domid_t domid);
const char *host_guest_name(const struct host *h, domid_t domid);
/* How often a driver domain was started again, and when last. 0: never, or it is none. */
uint64_t host_driver_restarts(const struct host *h, domid_t domid, s_time_t *last);

/* For who looks: each node of xenstore, a node above before those below it, then each watch. */
struct host_store_entry {
    bool is_watch;
    domid_t domid; /* who watches */
    const char *path;
    const char *value; /* len bytes, and a 0; of a watch its token */
    size_t len;
    const char *perms; /* "n1,r0": the owner first */
};
typedef void host_store_fn(void *data, const struct host_store_entry *e);
void host_store_each(const struct host *h, host_store_fn *fn, void *data);
/* A decimal number in such a node, below that domain's directory. False: there is none. */
bool host_node_number(const struct host *h, domid_t domid, const char *path, uint64_t *n);

/* For who looks: each disk of each guest that is there. */
struct host_disk {
    domid_t domid;
    const char *vdev, *path, *format, *speed; /* "xvda", "a.img", "raw", "ssd" */
    bool readonly, in_file;                   /* what is written goes to the file at once, and not to memory */
    uint64_t sectors, kept;                   /* bytes in memory */
    struct {
        uint64_t nr, sectors; /* that have begun */
    } reads, writes, discards, flushes;
    uint64_t failed;
    unsigned int busy, channels; /* operations that are not done, of how many at once */
    s_time_t done;               /* when all of them are */
};
typedef void host_disk_fn(void *data, const struct host_disk *d);
void host_disks_each(const struct host *h, host_disk_fn *fn, void *data);

/* For who looks: each port of each bridge. */
struct host_port {
    const char *bridge, *name, *kind; /* "xenbr0", "vif1.0", "vif" */
    domid_t domid;                    /* whose; 0: the outside's */
    unsigned int macs;                /* addresses that were heard of there */
    unsigned int queued, room, most;  /* frames in its queue, that can be, that there have been */
    s_time_t full_since;              /* if that many are */
    uint64_t in, in_bytes, out, out_bytes;
    uint64_t dropped, unwanted, nowhere, errors, cut; /* struct bridge_stats, struct bridge_port_more */
    uint64_t rate;                                    /* bytes that it may send in each interval */
    s_time_t interval;                                /* 0: as many as it likes */
    int64_t credit;
};
typedef void host_port_fn(void *data, const struct host_port *p);
void host_ports_each(const struct host *h, host_port_fn *fn, void *data);

#endif
