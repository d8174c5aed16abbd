// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What host.c (the computer as a whole), host_guest.c, guest_nodes.c (the guests in it), host_devices.c, host_disk.c
 * (their devices), host_shutdown.c (their ends, and what their tasks do), host_names.c, host_turn.c and host_base.c
 * share, and nobody else.
 *
 * Budget: over 400 lines: what many files share is told once.
 */
#ifndef TOOLS_HOST_PRIVATE_H
#define TOOLS_HOST_PRIVATE_H

#include "rings/blkback.h"
#include "rings/channel.h"
#include "rings/console.h"
#include "rings/ddomain.h"
#include "rings/dm/direct.h"
#include "rings/dm/dm.h"
#include "rings/dm/stubdom.h"
#include "rings/net/netback.h"
#include "rings/net/outside.h"
#include "rings/p9/p9back.h"
#include "rings/phys/phys.h"
#include "rings/xenstore/xenstored.h"
#include "sim/arena.h"
#include "tools/build/build_hvm.h"
#include "tools/build/build_pv.h"
#include "tools/build/image_cache.h"
#include "tools/host.h"
#include "tools/p9/outside.h"
#include "tools/xc/coredump.h"
#include "vcpu/native/kernel.h"

/* Where a guest is in its life, and what its task does there. */
enum guest_state {
    GUEST_BUILD,     /* its domain is being built, for the first time or again: host_guest.c */
    GUEST_ALIVE,     /* it has one; the task waits */
    GUEST_SUSPENDED, /* it has suspended, and is being cloned: host_clone.c */
    GUEST_DOWN,      /* that has shut down: what is to become of it? From here on host_shutdown.c */
    GUEST_DESTROY,   /* its domain is being taken down */
    GUEST_PAUSE,     /* it has none, and will get another; the task waits until then */
    GUEST_ENDED      /* it will not run again */
};

/* Who crashes so often in a row, each time so soon after its start, is not started again. */
#define GUEST_CRASHES_MAX 10
#define GUEST_SHORT_LIFE  SECONDS(5)

struct guest_disk {
    struct xl_disk cfg; /* its path is in the arena */
    struct disk *disk;
};

/* Of a guest that is a driver domain: what it has, and what runs in it. */
struct driver {
    struct ddomain *runs; /* NULL: nothing */
    uint64_t *frames;     /* nr of them; the first is its xenstore page */
    uint64_t nr_frames;
    struct xenstore_domain_interface *intf;
    s_time_t started;
    unsigned int crashes; /* in a row, each a short time after it was started */
    uint64_t restarts;
};

struct guest {
    struct guest *next;
    unsigned int index; /* in the order of host_guest_add() */
    domid_t domid;
    enum guest_state state;
    struct task
        task;     /* dom0's, for this guest: one step of its state at a time. A guest that was renamed away has none. */
    bool settled; /* the task has nothing to do: whoever waits for it may go on */
    struct guest *next_waiting; /* in host's `waiting`, for its turn: see turn_take() */
    bool added;                 /* host_guest_add() has said so: what goes wrong before is its affair, and in err */
    char err[HOST_ERR_SIZE];
    struct pv_build build;
    struct builder *builder; /* GUEST_BUILD, and begun; PVH: */
    struct hvm_builder *hvm_builder;
    const struct saved_file *saved; /* of which its domain is made; NULL: it starts */
    struct restorer *restorer;      /* as `builder` */
    char build_err[IMAGE_ERR_SIZE];
    int reason;                         /* GUEST_DOWN: SHUTDOWN_* */
    const struct stream_body *dm_state; /* its device model's, for when its domain is restored; or NULL */
    bool restored;                      /* its domain is one that was saved, and has its CPU policy */
    bool template_only;  /* it is a snapshot: its domain has not run yet, and can be copied at any time */
    bool crash_wanted;   /* by `xenlab ctl crash`: it does not say so itself */
    bool suspend_wanted; /* by who clones it: when it suspends it is not to go on at once */
    bool restarts;       /* GUEST_DESTROY: another domain is built then */
    s_time_t born;       /* when its domain was built */
    unsigned int quick;  /* restarts in a row after a short life, and how many of them after a crash */
    unsigned int crashes;
    struct host_guest cfg;   /* strings are ours, and in the arena */
    struct xl_sched sched;   /* cfg.sched points here */
    struct xl_cpuid cpuid;   /* cfg.cpuid too */
    struct xl_hvm hvm;       /* cfg.hvm too; without paths */
    bool built;              /* before: what is to be warned about has been said */
    struct guest *next_name; /* of the same list of host.names */
    const struct cached_image *kernel;
    const struct cached_file *ramdisk, *vgabios, *nicrom; /* or NULL */
    const struct cached_file *inner; /* the same: the kernel in a shim, and `kernel` is that shim */
    mfn_t console_mfn, store_mfn;
    evtchn_port_t console_port, store_port; /* the guest's own numbers */
    struct host *host;
    char input[HOST_INPUT_MAX + 1024]; /* for its console; and what a domain before left unread in its ring */
    size_t nr_input;
    struct console_backend *console;
    char tty[HOST_TTY_SIZE]; /* "": its console is on no terminal */
    bool introduced;         /* to xenstored */
    struct guest_disk *disks;
    unsigned int nr_disks;
    struct xl_vifs vifs;
    struct guest_tap *taps; /* of its emulated network cards, or NULL */
    unsigned int nr_taps;
    struct xl_p9s *p9s;              /* or NULL */
    struct xl_fbs *fbs;              /* the same */
    struct guest_channels *channels; /* the same: host_channel.c */
    struct phys *phys;               /* of a dom0 that is a guest: the machine's devices */
    struct dm *dm;                   /* of an HVM guest, if it is a task; or */
    struct stubdom *stubdom;         /* in a domain of its own, */
    domid_t stub_domid;              /* this one; or */
    struct dm_direct *dm_direct;     /* if it is in the hypervisor */
    struct driver *driver;           /* of a driver domain: NULL: it is none, or not built */
};

/*
 * What a host has of its surroundings, and files that it has read: no state, and outside of the arena. What goes out at
 * io is never asked for again; what comes in there is for others to remember.
 */
struct host_edges {
    struct host_io io;       /* who hears of it: */
    struct host_io loud;     /* as the host was created with; or nobody, while silent */
    struct xs_edge xenstore; /* programs that use xenstore over sockets */
    bool silent;
    bool failed; /* what a configuration asks for could not be done */
    struct image_cache files;
    struct saved_file *saved;           /* files that domains were restored from: host_saved.c; */
    struct saved_failure *saves_failed; /* and those that could not be written */
    struct open_disk *disks;            /* files of disks: host_disk.c */
    struct disk_name *names;            /* and what they were called */
    struct open_share *shares;          /* shared folders: host_p9.c */
    struct p9_outside p9;
    uint8_t p9_answer[8 + P9_MSIZE_MAX];
    enum host_disk_writes disk_writes;
    bool only_forward;
    bool power_cut, is_recorded; /* see struct host_config */
    char *firmware[HOST_FIRMWARES];
};

#define HOST_NAME_LISTS       256
#define HOST_DEVICE_KINDS_MAX 8

/* It lies in the arena of its machine, and so does all that it and its guests remember. */
struct host {
    struct arena *arena; /* these three are always the same */
    struct host_edges *edges;
    struct machine *machine;
    struct xen *xen; /* host.c's alone; the other files make hypercalls */
    uint64_t seed;
    struct native_kernel *dom0;
    struct xc_handle *xc; /* dom0's */
    struct xenstored *xenstored;
    struct xenbus *bus; /* NULL: nobody has a device yet */
    struct xenbus_kind bus_kinds[HOST_DEVICE_KINDS_MAX + 1];
    struct blkback_disks disks;
    struct netback net;
    struct net_outside outside; /* of the bridge XL_VIF_OUTSIDE */
    struct p9_shares p9;
    struct channel_io channels;
    struct task look;  /* guests_look_task */
    struct task fault; /* carries these out: host_fault.c */
    struct host_fault *faults;
    unsigned int nr_faults;
    struct task ctl; /* carries out ctl_jobs, in order */
    struct ctl_job *ctl_jobs;
    struct xs_conn ctl_watches;        /* what ctl_jobs wait for; not there until one does */
    const struct task_ops *guest_task; /* the ops of each guest's task: host_shutdown.c */
    struct guest *busy, *waiting;      /* whose domain is being built or destroyed, and whose will be, in order */
    struct guest *guests, **guests_tail;
    struct guest *guest_of[DOMID_FIRST_RESERVED]; /* who had this number last; see guest_find() */
    struct guest *names[HOST_NAME_LISTS];         /* who has a name: host_names.c */
    unsigned int nr_guests, guests_left;          /* added; not ended, and no driver domains */
    unsigned int nr_unlisted;
    domid_t made[HOST_MADE_MAX], made_last; /* domains without a kernel: host_made.c; 0: room for one */
    bool kept_told;                         /* that kernels cannot be kept on disk; or nobody wants to know */
    struct host_pool *pools;
    unsigned int nr_pools;
    bool audit;
    enum host_device_model device_model;
};

/* Through which the toolstack makes its hypercalls. */
static inline struct xc_handle *xc(const struct host *h) { return h->xc; }

/* The guest whose domain has, or last had, this number; NULL: not one of ours. */
struct guest *guest_find(const struct host *h, domid_t domid);

/* That number of host_guest_index(); NULL: there is none. */
struct guest *guest_at(const struct host *h, unsigned int index);

/*
 * host_dom0.c: g is a dom0 that is a guest, and its domain is built: it gets the machine's devices, and from now on
 * nobody else builds domains. -1 with a message. And: something was typed for it.
 */
int dom0_connect(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
void dom0_kick(struct guest *g);
void dom0_disconnect(struct guest *g);
/* It has a network card; and a packet comes in there. False: it has none. */
bool dom0_has_nic(const struct host *h);
bool dom0_packet_in(struct host *h, const void *packet, size_t len);

/* host_base.c. "guest.cfg:7: memory: ": where the setting was made; or else which kernel it is about. */
const char *guest_where(const struct guest *g, const char *key, char where[XL_WHERE_SIZE]);

/* host_names.c. Is there a guest of h (data) with this name? */
bool guest_name_taken(const void *data, const char *name);
/* From now on there is: g, whose name nobody else has. Until guest_name_drop(), harmless for one that claimed none. */
void guest_name_claim(struct host *h, struct guest *g);
void guest_name_drop(struct host *h, struct guest *g);

/* If its configuration states no UUID: one that follows from its name and the seed. It keeps it when it restarts. */
void guest_uuid_make(struct guest *g);
/* Write its nodes. False: out of memory. */
bool guest_introduce(struct guest *g);
/* Its console's terminal is another; false: out of memory. */
bool guest_tty_changed(struct guest *g);
/* It has another name. */
void guest_renamed(struct guest *g);
/* It is going: nobody can talk to it by xenstore any more, and its nodes are removed. */
void guest_unannounce(struct guest *g);
/* Where xenstored says what it has to say to programs outside. */
void host_xenstore_edge(struct host_edges *e);
/* What dom0 says about itself. False: no memory. */
bool dom0_nodes(struct host *h);

/*
 * A step of building the domain of g (again), paused, with its devices connected at last. 1: there is more to do; 0:
 * done; -1 with a message.
 */
int guest_build_step(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
/* The domain of g->build is whole: with its devices connected it is g's. -1 with a message: it has been destroyed. */
int guest_connect(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
/* Open the files that it is made of. 0, or -1 and a message. */
int guest_load(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
/* g gets its own copy of cfg, in the arena. False: out of memory. */
bool guest_configure(struct guest *g, const struct host_guest *cfg);
void guest_list_append(struct host *h, struct guest *g);
/* host_hvm.c. Is it of type PVH or HVM? Has it a device model, which is HVM alone? */
bool guest_is_hvm(const struct guest *g);
bool guest_has_dm(const struct guest *g);
enum image_mode guest_image_mode(const struct guest *g);
/* What names the kernel, of an HVM guest what stands in hvmloader's place. */
const char *guest_kernel_key(const struct guest *g);
/* And where that is. */
const char *guest_image_path(const struct guest *g);
/* A copy of the settings, or (NULL) the defaults. */
void guest_hvm_configure(struct guest *g, const struct xl_hvm *settings);
/* host_dm.c: the device model; NULL: there is none. */
struct pc *guest_pc(const struct guest *g);
/* Its domain is built, and paused: g gets one, if it is to have one. -1, and err. */
int guest_dm_create(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
/* Its device model stops, as its domain does; and goes on. 0 or -errno. */
int guest_dm_stop(const struct guest *g);
int guest_dm_go_on(const struct guest *g);
/* All that the device model is, stopped, as so many bytes; to: NULL, they are counted. */
size_t guest_dm_save(const struct guest *g, uint8_t *to, size_t size);
/* It goes on elsewhere: its end here says nothing. */
void guest_dm_leaves(const struct guest *g);
void guest_dm_destroy(struct guest *g);
/* Does what is typed go to its serial line, or its keyboard? Then: there may be input for these. */
bool guest_types_on_pc(const struct guest *g);
/* Which of its serial lines is its console, from 0; -1: none, or it has none. */
int guest_console_line(const struct guest *g);
void guest_pc_kick(struct guest *g);
/* host_base.c: text of a guest's goes out; what waits to be read by it: how much was there. */
void guest_console_out(const struct guest *g, const char *text, size_t len);
size_t guest_input_take(struct guest *g, char *buf, size_t len);
/* What it was to have, and has not. */
void guest_hvm_warn(struct host *h, const struct guest *g);
struct hvm_builder *guest_hvm_build(struct host *h, struct guest *g);
void guest_hvm_settings(const struct guest *g, struct hvm_settings *s);
/* What its domain, which is to be destroyed, was given to read and has not read is for the next one. */
void guest_input_take_back(struct guest *g);
/* Close dom0's ends of the guest's devices: before its domain is destroyed. */
void guest_disconnect(struct guest *g);
void guest_free(struct host *h, struct guest *g);

/* tools/host_turn.c: has g its turn? If not, its task is made ready when it comes. */
bool turn_take(struct host *h, struct guest *g);
/* Whoever has it is done: it is the next one's. */
void turn_give(struct host *h);
/* g goes: it neither has nor wants its turn any more. */
void turn_forget(struct host *h, struct guest *g);

/* A command of `xenlab ctl` that is to be carried out: host_ctl.c. */
struct ctl_job {
    struct ctl_job *next;
    unsigned int id;
    const struct guest *waits_for; /* to be gone; NULL: it does not wait */
    bool taking_down;              /* its domain, which is nobody's any more, is being destroyed */
    char state_path[160];          /* "": it does not wait for this node to be one of: */
    unsigned int states;           /* a bit each */
    s_time_t deadline;             /* and no longer than until then */
    uint32_t devid;                /* of the device that this is about */
    struct clone *clone;           /* that it makes: host_clone.c */
    struct guest *suspends;        /* who is to suspend for it, and be saved; or */
    struct guest *restores;        /* who is being restored, and nobody's yet: host_save.c */
    size_t len;
    char words[];
};

extern const struct task_ops ctl_task;
/* ctl_jobs.c. 0 or -ENOMEM. */
int ctl_add(struct host *h, unsigned int id, const char *words, size_t len);
/* g will not run again: whoever waits for that is answered. */
void ctl_guest_gone(struct host *h, const struct guest *g);
/* tools/host_ctl_device.c: has it to go on waiting? */
bool ctl_job_waits(struct host *h, const struct ctl_job *job);
void ctl_job_end(struct host *h, struct ctl_job *job, bool good);
/* tools/host_ctl.c: commands that are still there end with the machine. */
void ctl_end(struct host *h);
/* host_clone.c: has the job to go on waiting for a guest to suspend? */
bool clone_waits(const struct host *h, const struct ctl_job *job);
/* host_save.c: the same of one to be saved; and the machine ends, and with it what the job was restoring. */
bool save_waits(const struct host *h, const struct ctl_job *job);
void restoring_forget(struct host *h, const struct ctl_job *job);
/* host_saved.c */
void saved_files_close(struct host_edges *edges);
void saved_files_begin(struct host_edges *edges, const struct host_config *cfg);
/* host_save.c: what host_ctl_prepare() does for `restore`. */
bool host_ctl_restore_prepare(struct host *h, const struct ctl_request *r, char err[HOST_ERR_SIZE]);
/* The machine ends, and with it a clone that the job was making. */
void clone_forget(struct host *h, const struct ctl_job *job);
/* host_shutdown.c. It has suspended, and nobody saves it (any more): it goes on. If it cannot it has ended. */
bool guest_resume(struct host *h, struct guest *g);
/* host_shutdown.c. Somebody ends it, whatever its configuration says of ends. Its domain is. */
void guest_destroy(struct host *h, struct guest *g);
/* guest_nodes.c. A node below a domain's own directory. False: no memory. */
bool domain_node_write(struct host *h, domid_t domid, const char *path, const char *value);
/* Its value as a number; 0: there is none. */
uint64_t domain_node_number(const struct host *h, domid_t domid, const char *path);
/* An answer, and after HOST_CTL_END nothing more of that number. */
void host_ctl_say(struct host *h, unsigned int id, enum host_ctl what, const char *text, size_t len);

/* VIRQ_DOM_EXC: some domain has shut down, or died. */
extern const struct task_ops guests_look_task;
/* Of each guest: what its state asks for, building it included. */
extern const struct task_ops guest_task;

struct node_writer;

/* A kind of device that guests have. host_devices.c has the list of them; open, data, end and close may be NULL. */
struct device_kind {
    const struct backend_ops *back;
    /* What xenbus_data() of its devices is. */
    void *(*data)(struct host *h);
    /* g gets its own copy of what its configuration says, in the arena. False: out of memory. */
    bool (*copy)(struct guest *g, const struct host_guest *cfg);
    unsigned int (*nr)(const struct guest *g);
    /* g gets devices like those of another, which is being cloned; NULL: they cannot be. False: out of memory. */
    bool (*clone)(struct guest *g, const struct guest *of);
    /* Open what they are made of. 0, or -1 and a message. */
    int (*open)(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
    /* Write the two directories of the i-th. */
    void (*nodes)(struct node_writer *w, unsigned int i);
    /*
     * Live, before a command attaches the device that is written so: open what it is made of. -1 and why. Or NULL.
     */
    int (*prepare)(struct host *h, const char *text, char err[HOST_ERR_SIZE]);
    /* The file that it is made of, the caller's to free; NULL: none. Or NULL. */
    char *(*file)(const char *text);
    /*
     * Of a guest that runs: g gets the device that is written so, and its number is *devid; it is the *i-th. -1 and a
     * message. Which one is called so? It is g's no more. All or none are NULL.
     */
    int (*attach)(struct guest *g, const char *text, unsigned int *i, uint32_t *devid, char err[HOST_ERR_SIZE]);
    bool (*find)(const struct guest *g, const char *word, uint32_t *devid);
    void (*drop)(struct guest *g, uint32_t devid);
    /* Of g; of the host, whose bus is gone; of its surroundings. */
    void (*free)(struct guest *g);
    void (*end)(struct host *h);
    void (*close)(struct host_edges *edges);
};

extern const struct device_kind vbd_devices; /* host_disk.c */
/* A disk of g's grows, and its file if that is written. -1 and why. */
int guest_disk_resize(struct guest *g, uint32_t devid, uint64_t sectors, char err[HOST_ERR_SIZE]);
/*
 * Another program may have the file of a disk of g's, until it is taken again; g's requests wait meanwhile. -1 and why:
 * nothing has changed.
 */
int guest_disk_release(struct guest *g, uint32_t devid, char err[HOST_ERR_SIZE]);
int guest_disk_take(struct guest *g, uint32_t devid, char err[HOST_ERR_SIZE]);
/* Its memory and registers to a file (host_shutdown.c). 0, or -1 and why; a run that is repeated writes none. */
int guest_dump_core(struct host *h, const struct guest *g, const char *path, char why[COREDUMP_ERR_SIZE]);
/* Is it what an emulated drive of g's holds? */
bool guest_drive_has(const struct guest *g, uint32_t devid);
/* A disk of g's that is released, as the guest knows it; NULL: none is. */
const char *guest_disk_away(const struct guest *g);
extern const struct device_kind vif_devices;     /* host_net.c */
extern const struct device_kind p9_devices;      /* host_p9.c */
extern const struct device_kind fb_devices;      /* host_fb.c */
extern const struct device_kind kbd_devices;     /* likewise; with the copy of fb_devices */
extern const struct device_kind channel_devices; /* host_channel.c */

/* host_fault.c. False: out of memory. */
bool faults_start(struct host *h, const struct host_fault *faults, unsigned int nr);
void faults_end(struct host *h);

/* host_driver_build.c, host_driver.c: driver domains. */
/* Build one, paused. 0, or -1 with a message: what there is of it is still to be taken down. */
int driver_build(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
/* Its domain is about to be destroyed. Harmless for a guest that is none. */
void driver_end(struct guest *g);
/* It has shut down: true: it is started again. */
bool driver_down(struct host *h, struct guest *g);
/* The number of the driver domain of this name, or dom0's if there is none. */
domid_t driver_domid(const struct host *h, const char *name);
/* Is there one of this name, or is it ""? If not: what to say of a device of g that is stated under this key. */
bool driver_is_there(const struct guest *g, const char *key, const char *name, char err[HOST_ERR_SIZE]);
/* The same for all devices of g. 0, or -1 and what to say. */
int drivers_are_there(const struct guest *g, char err[HOST_ERR_SIZE]);
/* g is about to be called so: devices that name it go on doing so. False: nobody could name it, it is too long. */
bool driver_rename(const struct guest *g, const char *to);
/* The bus of the same; NULL: it has none now. */
struct xenbus *driver_bus(const struct host *h, const char *name);
/* For who looks; NULL: g is none, or does not run. */
const struct netback *driver_net(const struct guest *g);
/* host_net.c: what the bridges of a driver domain are looked at by. */
struct bridge_tap host_net_tap(struct host *h);
/* Somebody is on the bridge that has an outside. */
void host_outside_have(struct host *h);
/*
 * host_tap.c: g's emulated network cards, as its device model is to have them; then, when that is there, their ports at
 * the bridges. 0 or -ENOMEM.
 */
struct pc_config;
bool vif_is_emulated(const struct guest *g, const struct xl_vif *v); /* or is to be */
void guest_taps_describe(const struct guest *g, struct pc_config *cfg);
int guest_taps_begin(struct guest *g, struct pc *pc);
void guest_taps_end(struct guest *g);

/* host_devices.c: these for all kinds. */
/* Each device whose back end is in domain `back`. */
void guest_devices_of(struct host *h, domid_t back,
                      void (*fn)(void *data, domid_t front, const char *type, unsigned int devid), void *data);
/* A type of device that g has and of which a clone has none; NULL: no such. Otherwise it must not be cloned. */
const char *guest_devices_uncloned(const struct guest *g);
/* The same of one that is saved. */
const char *guest_devices_unsaved(const struct guest *g);
bool guest_devices_clone(struct guest *g, const struct guest *of);
bool guest_devices_copy(struct guest *g, const struct host_guest *cfg);
int guest_devices_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE]);
void guest_devices_nodes(struct node_writer *w);
/* Has g no device at all? If it has: what to say of a driver domain that has some, and -1. */
int guest_devices_none(const struct guest *g, char err[HOST_ERR_SIZE]);
/* Remove the back ends' directories of g. */
void guest_devices_forget(struct guest *g);
void guest_devices_free(struct guest *g);
/* g's domain is there: if it has devices, there is a bus. False: out of memory. */
bool guest_devices_bus(struct guest *g);
void host_devices_end(struct host *h);
void host_devices_close(struct host_edges *edges);

/* host_screen.c: of a row of a screen that is shown the first pixels: width triples of red, green and blue. */
void screen_row(const struct xen *xen, const struct xenbus_device *dev, unsigned int y, unsigned int width,
                uint8_t *rgb);

/* Nanoseconds since 1970, as dom0 reads them in its shared_info. */
s_time_t host_wallclock(const struct host *h);

/* Let the machine run until *done, at most that long (ns of virtual time). False: it is not done. */
bool host_wait(struct host *h, s_time_t patience, const bool *done);
/* Of the pool that dom0 lives in. */
const char *host_sched_name(const struct host *h);

/* One line for the user, without its newline. */
__attribute__((format(printf, 2, 3))) void host_message(struct host *h, const char *fmt, ...);

#endif
