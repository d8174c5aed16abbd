// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control interface: the toolstack's hypercalls, one function each, as Xen's libxenctrl has them.
 *
 * Concept: the toolstack is not special. Everything it does to a domain is a hypercall, with the public structures and
 * through the same table as a guest's calls; these wrappers only fill them in. In whose name they are made the handle
 * knows, and nobody else: what holds one needs to know nothing of vCPUs. All return 0 or a positive result, or -errno
 * as the hypervisor answered.
 */
#ifndef TOOLS_XC_XC_H
#define TOOLS_XC_XC_H

#include "sim/types.h"

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/sysctl.h>

/* Leaves that a CPU policy may have: CPUID_MAX_SERIALISED_LEAVES of vcpu/cpu_policy.h. */
#define XC_MAX_LEAVES 120

struct vcpu;
struct xc_handle;

/* A handle for calls in the name of v, a native domain's vCPU, which outlives it. NULL: no memory. */
struct xc_handle *xc_interface_open(struct vcpu *v);
/* xc may be NULL. What was mapped through it stays mapped. */
void xc_interface_close(struct xc_handle *xc);

int xc_domctl(struct xc_handle *xc, struct xen_domctl *op);
int xc_sysctl(struct xc_handle *xc, struct xen_sysctl *op);

int xc_domain_create(struct xc_handle *xc, const struct xen_domctl_createdomain *config, domid_t *domid);
int xc_domain_destroy(struct xc_handle *xc, domid_t domid);
/* A share of it: -ERESTART means that there is more to do, until it answers something else. */
int xc_domain_destroy_step(struct xc_handle *xc, domid_t domid);
int xc_domain_pause(struct xc_handle *xc, domid_t domid);
int xc_domain_unpause(struct xc_handle *xc, domid_t domid);
/*
 * XEN_DOMCTL_resumedomain: the vCPUs go on where they are. (libxc's function of this name does more:
 * tools/xc/resume.h.)
 */
int xc_domain_resume(struct xc_handle *xc, domid_t domid);
/* SCHEDOP_remote_shutdown: as if it had shut down itself, for that reason. */
int xc_domain_shutdown(struct xc_handle *xc, domid_t domid, int reason);
int xc_domain_max_vcpus(struct xc_handle *xc, domid_t domid, unsigned int max);
/* So many MiB are for shadow page tables. */
int xc_shadow_set_allocation(struct xc_handle *xc, domid_t domid, uint32_t mb);
int xc_domain_setmaxmem(struct xc_handle *xc, domid_t domid, uint64_t max_memkb);
int xc_domain_set_address_size(struct xc_handle *xc, domid_t domid, unsigned int bits);
/* Exactly domid; -ESRCH when it is gone. */
int xc_domain_getinfo(struct xc_handle *xc, domid_t domid, struct xen_domctl_getdomaininfo *info);
/* Up to max domains from number `first` on, by number. How many there were, or -errno. */
int xc_domain_getinfolist(struct xc_handle *xc, domid_t first, unsigned int max, struct xen_domctl_getdomaininfo *info);
/* XEN_DOMCTL_settscinfo for a new domain: a frequency like the machine's, from 0 on. */
int xc_domain_set_tsc_mode(struct xc_handle *xc, domid_t domid, unsigned int mode);
int xc_domain_hypercall_init(struct xc_handle *xc, domid_t domid, mfn_t mfn);
/*
 * context: struct vcpu_guest_context, or of a 32-bit domain struct vcpu_guest_context_x86_32. set, NULL: reset the
 * vCPU.
 */
int xc_vcpu_setcontext(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const void *context);
int xc_vcpu_getcontext(struct xc_handle *xc, domid_t domid, unsigned int vcpu, void *context);
/* Keys for the hypervisor's own handlers (XEN_SYSCTL_debug_keys). */
/* XEN_DOMCTL_SENDTRIGGER_*. */
int xc_domain_send_trigger(struct xc_handle *xc, domid_t domid, unsigned int trigger, unsigned int vcpu);
int xc_send_debug_keys(struct xc_handle *xc, const char *keys);
/* Its messages from number *index on, which then is behind them. How many bytes, or -errno. clear: forget them. */
int xc_readconsolering(struct xc_handle *xc, char *buf, uint32_t size, bool clear, uint32_t *index);
int xc_physinfo(struct xc_handle *xc, struct xen_sysctl_physinfo *info);

/*
 * CPU policies as lists of leaves: *nr is the room there, and then how many there are. index: XEN_SYSCTL_cpu_policy_*.
 */
int xc_get_system_cpu_policy(struct xc_handle *xc, uint32_t index, xen_cpuid_leaf_t *leaves, uint32_t *nr);
int xc_get_domain_cpu_policy(struct xc_handle *xc, domid_t domid, xen_cpuid_leaf_t *leaves, uint32_t *nr);
/* Before it first runs. A refusal says which leaf is at fault, if it is one. */
int xc_set_domain_cpu_policy(struct xc_handle *xc, domid_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr,
                             uint32_t *err_leaf, uint32_t *err_subleaf);

/*
 * State that a stream carries (xc_state.c). *nr, *size: the room, and then how much there is; without a buffer, how
 * much there may be. An extended context has its vCPU's number in it.
 */
int xc_domain_get_tsc_info(struct xc_handle *xc, domid_t domid, struct xen_domctl_tsc_info *info);
int xc_domain_set_tsc_info(struct xc_handle *xc, domid_t domid, const struct xen_domctl_tsc_info *info);
int xc_get_domain_msr_policy(struct xc_handle *xc, domid_t domid, xen_msr_entry_t *msrs, uint32_t *nr);
int xc_set_domain_msr_policy(struct xc_handle *xc, domid_t domid, const xen_msr_entry_t *msrs, uint32_t nr);
int xc_vcpu_get_ext_context(struct xc_handle *xc, domid_t domid, unsigned int vcpu,
                            struct xen_domctl_ext_vcpucontext *c);
int xc_vcpu_set_ext_context(struct xc_handle *xc, domid_t domid, const struct xen_domctl_ext_vcpucontext *c);
int xc_vcpu_get_xstate(struct xc_handle *xc, domid_t domid, unsigned int vcpu, void *buf, uint64_t *size,
                       uint64_t *features);
int xc_vcpu_set_xstate(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const void *buf, uint64_t size);
int xc_vcpu_get_msrs(struct xc_handle *xc, domid_t domid, unsigned int vcpu, xen_domctl_vcpu_msr_t *msrs, uint32_t *nr);
int xc_vcpu_set_msrs(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const xen_domctl_vcpu_msr_t *msrs,
                     uint32_t nr);
int xc_domain_hvm_getcontext(struct xc_handle *xc, domid_t domid, void *buf, uint32_t *size);
int xc_domain_hvm_setcontext(struct xc_handle *xc, domid_t domid, const void *buf, uint32_t size);

/* Scheduling. op->sched_id and cmd are the caller's; handles in it hold host addresses. */
int xc_domain_scheduler_op(struct xc_handle *xc, domid_t domid, struct xen_domctl_scheduler_op *op);
/* Bit per pCPU; NULL leaves that affinity as it is. */
int xc_vcpu_setaffinity(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const uint64_t *hard,
                        const uint64_t *soft);
/* Exactly this pool; -ENOENT when there is none. Either result may be NULL. */
int xc_cpupool_getinfo(struct xc_handle *xc, uint32_t pool, uint32_t *sched_id, uint64_t *cpus);
int xc_cpupool_create(struct xc_handle *xc, uint32_t sched_id, uint32_t *pool);
int xc_cpupool_addcpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu);
int xc_cpupool_removecpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu);
int xc_cpupool_movedomain(struct xc_handle *xc, uint32_t pool, domid_t domid);

/* Give domid the frames of pfns [0, nr): p2m[i] holds pfn i on entry, its machine frame on return. */
int xc_domain_populate_physmap(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m);
/* The same of a translated domain, at the first touch; and how many pages it is to have for that altogether. */
int xc_domain_populate_on_demand(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m);
int xc_domain_set_pod_target(struct xc_handle *xc, domid_t domid, uint64_t nr);
/* How many of its pages nobody has touched yet; how many there are for these; and its highest. */
int xc_domain_get_pod(struct xc_handle *xc, domid_t domid, uint64_t *entries, uint64_t *cache);
long xc_domain_maximum_gpfn(struct xc_handle *xc, domid_t domid);
/* The same for 2^order pfns from p2m[0] on, whose frames follow one another as well. */
int xc_domain_populate_extent(struct xc_handle *xc, domid_t domid, unsigned int order, uint64_t *p2m);
/* The map that domid gets from XENMEM_memory_map: RAM from 0 to the limit, which is how far its pfns may ever go. */
int xc_domain_set_memmap_limit(struct xc_handle *xc, domid_t domid, uint64_t map_limitkb);
/* HVM: the whole map; a parameter, HVM_PARAM_*; the registers of one vCPU, which then can run; its MTRRs' default. */
struct hvm_memmap_table_entry;
int xc_domain_set_memory_map(struct xc_handle *xc, domid_t domid, const struct hvm_memmap_table_entry *map,
                             unsigned int nr);
int xc_hvm_param_set(struct xc_handle *xc, domid_t domid, uint32_t param, uint64_t value);
int xc_hvm_param_get(struct xc_handle *xc, domid_t domid, uint32_t param, uint64_t *value);
struct hvm_hw_cpu;
int xc_domain_hvm_setcontext_cpu(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const struct hvm_hw_cpu *cpu);
int xc_domain_hvm_mtrr_default(struct xc_handle *xc, domid_t domid, unsigned int vcpu, uint64_t def_type);

/* A port of domid for dom0 to bind. */
int xc_evtchn_alloc_unbound(struct xc_handle *xc, domid_t domid, evtchn_port_t *port);
int xc_evtchn_bind_virq(struct xc_handle *xc, uint32_t virq, evtchn_port_t *local);

/*
 * MMUEXT_PIN_L4_TABLE or L3 for domid: a share of it. -ERESTART means that there is more to do, until it answers
 * something else.
 */
int xc_pin_table_step(struct xc_handle *xc, domid_t domid, unsigned int cmd, mfn_t root);

/*
 * Write the reserved grants (console: 0, xenstore: 1) that let dom0's daemons map these pages. frames in p2m numbering.
 */
int xc_gnttab_seed(struct xc_handle *xc, domid_t domid, mfn_t console, mfn_t xenstore);
/* The same of a translated guest, whose frame numbers these are; its table is at the free one `scratch` meanwhile. */
int xc_gnttab_hvm_seed(struct xc_handle *xc, domid_t domid, mfn_t scratch, mfn_t console, mfn_t xenstore);

/* What the frames mfn[0..nr) are to domid: XEN_DOMCTL_PFINFO_*, XTAB for one that is not its own. At most 1024. */
int xc_get_pfn_type_batch(struct xc_handle *xc, domid_t domid, unsigned int nr, uint64_t *frames);
/* The first frame of each 2 MiB of the machine-to-phys table, which belongs to DOMID_XEN. How many, or -errno. */
int xc_machphys_mfn_list(struct xc_handle *xc, unsigned int max, xen_pfn_t *extents);
/* Copy a foreign frame, PAGE_SIZE bytes, also of a page table. -ESRCH, -EPERM, -EINVAL: it is not the domain's. */
int xc_read_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn, void *page);
/* Fill a foreign frame from `page`, PAGE_SIZE bytes. Errors as above, and -EINVAL for a page table. */
int xc_copy_to_domain_page(struct xc_handle *xc, domid_t domid, mfn_t mfn, const void *page);
int xc_version(struct xc_handle *xc, unsigned int cmd, void *arg);

/* A foreign frame as host memory, writable, until xc_unmap(). NULL: refused. */
void *xc_map_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn);
void xc_unmap(struct xc_handle *xc, void *ptr);

#endif
