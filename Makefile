# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenlab's one Makefile. Nothing is built outside build/ (and ./xenlab, a link into it); `make help` lists the targets.
#
# Concept: objects are listed by hand, a variable a folder, folders from the bottom layer to the top and files in the
# order in which they are best read. All but the program's entry goes into one library, libxenlab.a, which the program
# and every unit test are linked against. The same rules build a second tree, build/asan, with sanitizers and the
# hypervisor's self-audit. build/config.mk comes from scripts/setup.sh, which make runs by itself when it is missing.
#
# Budget: a line or two a room and a target.

all:

# ---------------------------------------------------------------------------------------------------- what is built --

SIM_OBJS := bug arena log clock random trace_calls trace trace_json trace_ring insn nested page_store arena_changes history
ENGINE_OBJS := running raw run count pcpu_walk filled tables flush lookup smc tlb phys nested mmu operand observe debug segment_code segment_far gate_sse segment gate string io system helpers \
	sse translate private emu pcpu_fpu pcpu_context pcpu_state pcpu_fault pcpu_exit pcpu_enter pcpu_debug pcpu pcpu_selftest pcpu_create
MACHINE_OBJS := frame machine ram_hash checkpoint_look checkpoint
NOUN_OBJS := domain_list xsm
MMU_OBJS := heap m2p domheap page page_type guest_access compat compat_layouts compat_layouts32 log_dirty
MMU_HVM_OBJS := npt pod gfn hap shadow shadow_text shadow_root shadow_fault shadow_oos shadow_pool shadow_audit
MMU_PV_OBJS := abi perdomain l1 validate mod descriptor roots paging mmu_update va_mapping pin mmuext tlb ptwr grant
MMU_GRANT_OBJS := grant_table pin map unmap copy transfer setup misc op info
MMU_MEMORY_OBJS := extent exchange map physmap foreign tools memory
MMU_WHOLE_OBJS := relinquish audit
EVTCHN_OBJS := event_port event_channel event_send event_2l event_fifo vcpu_info event_op
VCPU_OBJS := xen trace run domain work shutdown time time_info i8254 tsc runstate cpuid \
	cpu_featureset cpu_policy cpu_policy_buffer cpu_policy_op \
	hypercall_table hypercall hypercall_ways hypercall_trace kernel hwdom platform mca absent sched_op domctl_vcpu domctl keyhandler sysctl
VCPU_HVM_OBJS := io_kept access shadow held descriptor task deliver insn_done irq vlapic vioapic vpic vpt pit rtc pmtimer hpet apic cr msr ioreq dm_op intercept io decode alu emulate_memory emulate_string emulate_move emulate_x87 emulate_op emulate mmio exit_code exits params context save_cpu save guest
VCPU_FIVE_OBJS := decoder interp_decode interp_exit interp_memory interp_operand interp_alu interp_segment interp_system interp_ops interp_bits interp translate tc_memory tc ring1
VCPU_PV_OBJS := segments bounce deliver iret emulate ioport traps msr context hypercalls physdev guest
VCPU_NATIVE_OBJS := guest kernel map grant
SCHED_OBJS := cpus wake affinity core init runq rr credit_runq credit_acct credit credit2_rqd credit2_cap credit2_balance credit2 rtds null arinc653 \
	policies cpupool params options
RINGS_OBJS := console ring disk_speed disk bus bus_store bus_ring channel blk_request blk_task blkback ddomain
NET_OBJS := frame offload bridge connections outside vif_rate vif_groups netback_tx vif_next netback_rx vif_hash vif_ctrl vif_look netback_task netback_connect netback
P9_OBJS := bytering server p9back
FB_OBJS := page fbback kbdback
DM_OBJS := state device
DM_OBJS += pci piix platform ide_drive ide_transfer ide_identify ide_packet ide_cd ide_packets ide_ata ide_state ide
DM_OBJS += uart ps2_codes ps2_keyboard ps2_mouse ps2 typing vga_memory vga_picture vga transcript
DM_OBJS += rtl8139_bus rtl8139_rx rtl8139_tx rtl8139
DM_OBJS += cmos pc_state pc direct dm stubdom
PHYS_OBJS := virtio virtio_blk virtio_net rtc power phys
XENSTORE_OBJS := tree store store_life domain watch tx conn request control stream ring socket client xenstored
WORDS_OBJS := nearest us_keyboard cp437 printable units user_file
XC_OBJS := xc xc_state xc_domain xc_cpu_policy xc_cpupool xc_memory xc_evtchn pages coredump resume
SAVE_OBJS := out in canonical save_common save_pv save_hvm save restore_common restore_pv restore_hvm restore
BUILD_OBJS := image_file image_unpack image_kept image_elf image_symtab image_notes image_place image kallsyms image_cache build_pv_tables build_pv_memory build_pv_start_info build_pv copy_pv acpi_aml acpi_machine acpi start_info hvm_plan build_hvm
XL_OBJS := xl_where xl_sched xl_cpuid xl_disk_format xl_disk_name xl_disk xl_vif xl_p9 xl_fb xl_channel xl_cfg_say xl_cfg_others xl_cfg_values xl_hvm xl_cfg_hvm xl_cfg_keys xl_cfg guest_cpuid guest_sched
OUTSIDE_OBJS := outside
DISK_OBJS := disk_raw disk_helper disk_nbd disk_cache disk_redo disk_file
TOOLS_OBJS := ctl fault host_base host_names host_turn snapshot nodes guest_nodes host_xenstore host_disk host_disk_look host_dom0 host_net host_p9 host_fb host_channel host_driver host_devices host_driver_build host_fault ctl_jobs host_hvm host_tap host_dm host_guest host_shutdown host_ctl_who host_ctl_device host_ctl_cd host_ctl_sched host_clone host_saved_text host_saved host_save host_ctl host_made host host_screen
REWIND_OBJS := journal made input branch rewind record record_read
DEBUG_OBJS := words parse eval fit look look_events look_memory look_hvm look_tc look_hash look_hash_hvm condition stops watch visit seek step frames debugger sentence past why_say why_things why_net why_disk why window source witness
EXPECT_OBJS := lines read judge report
SWEEP_OBJS := sweep params result json student merge_rows merge_report merge
SANDBOX_OBJS := alone fence sandbox asked guarded
LAB_OBJS := facts shrink starter lab run build form form_h form_g form_q workload form_p stored pair fresh ahead check testfile submission key variant
# What the programs are made of that check labs, and those labs: which report in a program of their own, or in a guest.
LAB_KIT_OBJS := draw interleave report stores scene scene_hvm frames front kernel_file
# Code that labs are about and xenlab is not; and holes, for guests.
LAB_CODE_OBJS := event ring exploit share latency edf memctl precopy
# In a class's xenlab: CLOSED_LABS, whose own files have no answer in them, and reports in place of golden programs.
-include labs/class.mk
LABS := $(patsubst labs/%/check/facts.c,%,$(wildcard labs/[0-9]*/check/facts.c))
GUEST_LABS := $(patsubst labs/%/check/guest.c,%,$(wildcard labs/[0-9]*/check/guest.c))
POLICY_LABS := $(patsubst labs/%/workloads,%,$(wildcard labs/[0-9]*/workloads))
LAB_HEADERS := $(shell find include sim vcpu mmu evtchn rings tools guests labs/kit labs/code -name '*.h')
LAB_FLAGS := cflags ldflags guest_cflags guest_ldflags policy_cflags policy_ldflags
MODEL_OBJS := model routes
WORKBENCH_OBJS := program setup record sim event figures expected load report svg_rows svg bench remote_check remote_state remote_sim remote_machine remote_hooks remote guest_policy beside args workbench
KIT_OBJS := ask run args report result workload svg memctl_load memctl_svg memctl balloon precopy_load precopy_svg precopy_vm precopy balance_load balance_svg balance_run balance reclaim_load reclaim_svg reclaim_touch reclaim_min reclaim ring_load ring_svg ring_step ring_time ring_orders ring tlbflush_load tlbflush_svg tlbflush_machine tlbflush_time tlbflush shadow_load shadow_svg shadow_guest shadow evtchn_load evtchn_svg evtchn_step evtchn command
# What an algorithm of a kit runs in, likewise another program: nothing of the library but how it gives up system calls.
KIT_CHILD_OBJS := $(addprefix tools/kit/child/,memctl.o precopy.o balance.o reclaim.o ring.o tlbflush.o shadow.o evtchn.o main.o)
# Policies of kits that are found by name.
KIT_POLICIES := $(patsubst docs/examples/kit/%.c,kit/%.so,$(wildcard docs/examples/kit/*.c))
# What a student's policy runs in, another program: and what of it and of the library a policy may call.
POLICY_OBJS := $(addprefix tools/policy/,memory.o mirror.o serve.o main.o)
POLICY_MAY := sched_kick_cpu sched_kick_idle sched_pick_default sched_part_join sched_prefers_idle get_cpu_idle_time \
	runq_destroy runq_insert runq_insert_first runq_remove runq_first runq_snapshot runq_kick_idle vcpu_migrate \
	timer_init timer_label timer_set timer_stop machine_random arena_alloc arena_realloc arena_strdup xfree bug
# The program; its entry, main, is linked into no test.
# A line a folder, in the order of the layers within ui/.
UI_OBJS := options socket_door slirp_door outside console_door png vnc_key vnc fb_window $(addprefix ctl/,place looks_devices looks serve) help place firmware guest_firmware guest_list start console input pace crash stats trace_file pcap_file status recording replay
UI_OBJS += $(addprefix debug/,say live words commands move stops seek show change record symbols export why console complete line session said keys screen)
UI_OBJS += $(addprefix screen/,style grid layout term)
UI_OBJS += $(addprefix panels/,table scene machine ladder code registers trace console timeline pages paging nested tc vmcb apic ioreq vga frames events grants rings network disks xenstore scheduler timers tour messages panels)
UI_OBJS += $(addprefix projector/,picture raster window)
UI_OBJS += $(addprefix cockpit/,plans look draw control cockpit)
UI_OBJS += $(addprefix tour/,tour play export)
UI_OBJS += $(addprefix export/,trace_value trace_read export perfetto xentrace svg_draw svg recorded workload workload_ring agree formats)
UI_OBJS += $(addprefix gdb/,packet registers reply points state query move server door)
UI_OBJS += $(addprefix run/,told trace beside balloon end record consoles channels screens keyboard inputs control console_to channel_to viewers gdb) cmd_run cmd_replay
UI_OBJS += $(addprefix compare/,technique costs trial table paging host_type)
UI_OBJS += tui cmd_debug cmd_tui cmd_tour cmd_ctl cmd_trace cmd_compare doctor_place cmd_doctor cmd_dom0 $(addprefix lib/,machine put look) $(addprefix lab/,place folder student progress start check show watch submit twist author witness result grade golden class export) cmd_lab cmd_limits main

# PV64 guests, and the runtime that each is linked with.
GUESTS := hello echo idle rings ports corners traps debugregs callbacks syscall tenants timer pagetables balloon memhog grants spinner pingpong chat smp shootdown clock busy runstate fifo lostevent features store clone ringtut blkcat p9cat netecho webget paint agent \
	reboot suspend suspend-uncooperative watchdog hostile havoc \
	bench/hypercall bench/trap bench/mmu bench/grant bench/event bench/switch bench/cpu bench/store bench/blk
# Guests that stand in hvmloader's place, without a runtime; and what pcdev, one of them, is made of.
HVM_GUESTS := hvm/boot16 hvm/lfb
PCDEV := start main interrupts timers characters ide
HVMTEST := start main traps debug registers segments rings paging corners apic mmio xen bench
# One kernel twice: all of it but what a processor allows kernels only.
FIVE := main exceptions traps paging patch process user probes
GUEST_RT := start entry init text console p2m memory traps event time user smp grant

GUEST_RT_OBJS = $(call listed,build/guests/rt,$(GUEST_RT))

# What `make run` shows: in a terminal the cockpit, and without one a demo.
COCKPIT := build/guests/rings
DEMO := build/guests/hello build/guests/rings build/guests/timer

# --------------------------------------------------------------------------------------------------------- settings --

# One line a step, or with V=1 the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(patsubst build/%,%,$@)')

# Everything but these needs the machine set up.
ifneq ($(filter-out help clean distclean setup format,$(or $(MAKECMDGOALS),all)),)
include build/config.mk
endif

build/config.mk: scripts/setup.sh scripts/fetch.sh
	$(Q)scripts/setup.sh
	$(Q)touch $@

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef -Wno-unused-parameter

# Xen's public headers as its toolstack sees them, at the interface version of Xen 4.17.
XEN_ABI := -D__XEN_INTERFACE_VERSION__=0x00041100 -D__XEN_TOOLS__

# Copies of some ten bytes, which are all over the way in and out of a guest: GCC's own choice, REP MOVS, takes longer
# to start than a call.
NO_REP := $(shell $(CC) -mstringop-strategy=libcall -E -x c /dev/null > /dev/null 2>&1 && echo -mstringop-strategy=libcall)

# -fPIC: libxenlab.so is made of the same objects as the program.
all_cflags = -std=gnu11 -D_GNU_SOURCE $(CFLAGS) -fPIC -fno-semantic-interposition $(NO_REP) -fno-strict-aliasing -fno-omit-frame-pointer $(WARNINGS) -MMD -MP \
	-I. -Iinclude $(XEN_ABI) $(XEN_CFLAGS) $(UNICORN_CFLAGS) $(LIBRARY_CFLAGS) $(folder_cflags) $(variant_cflags)

# The program's own definitions take the place of some of Unicorn's internals (see sim/), hence -rdynamic.
all_ldflags = $(CFLAGS) -rdynamic $(variant_cflags) $(test_ldflags)
# Tests are some hundred programs of 15 to 35 MB: where gold is, it links them in little more than half of the time.
QUICK_LD := $(shell $(CC) -fuse-ld=gold -Wl,--version > /dev/null 2>&1 && echo -fuse-ld=gold)
comma := ,
lab_libs = $(UNICORN_LIBS) $(LIBRARY_LIBS) -lm -lpthread
# Unicorn's place, seen from wherever a program is in build/, so that a folder that was moved or copied works.
all_libs = $(foreach l,$(lab_libs),$(if $(filter -Wl$(comma)-rpath%,$l),$(foreach up,. .. ../.. ../../..,$(subst $(CURDIR)/build/,\$$ORIGIN/$(up)/,$l)),$l))

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -DXENLAB_AUDIT

# A change of flags builds everything anew, one of the lists above the library; no other change of this file does.
build/flags: told = $(all_cflags) $(ASAN) $(GUEST_CFLAGS)
build/lists: told = $(LIB_OBJS)
build/sources: told = $(shell cat $(SOURCES) | sha256sum | cut -c 1-16)
build/flags build/lists build/sources: force
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(told))' | cmp -s - $@ || echo '$(subst ','\'',$(told))' > $@
.PHONY: force
.DELETE_ON_ERROR:

# listed FOLDER, NAMES: the objects of a folder.
listed = $(addprefix $(1)/,$(addsuffix .o,$(2)))

LIB_OBJS := $(call listed,sim,$(SIM_OBJS)) $(call listed,sim/engine,$(ENGINE_OBJS)) $(call listed,sim,$(MACHINE_OBJS)) \
	$(call listed,vcpu/noun,$(NOUN_OBJS)) $(call listed,mmu,$(MMU_OBJS)) $(call listed,mmu/hvm,$(MMU_HVM_OBJS)) $(call listed,mmu/pv,$(MMU_PV_OBJS)) $(call listed,mmu/grant,$(MMU_GRANT_OBJS)) \
	$(call listed,mmu/memory,$(MMU_MEMORY_OBJS)) $(call listed,mmu,$(MMU_WHOLE_OBJS)) $(call listed,evtchn,$(EVTCHN_OBJS)) \
	$(call listed,vcpu/sched,$(SCHED_OBJS)) $(call listed,vcpu/hvm,$(VCPU_HVM_OBJS)) $(call listed,vcpu/five,$(VCPU_FIVE_OBJS)) $(call listed,vcpu/pv,$(VCPU_PV_OBJS)) $(call listed,vcpu,$(VCPU_OBJS)) \
	$(call listed,vcpu/native,$(VCPU_NATIVE_OBJS)) $(call listed,rings,$(RINGS_OBJS)) $(call listed,rings/net,$(NET_OBJS)) $(call listed,rings/p9,$(P9_OBJS)) $(call listed,rings/fb,$(FB_OBJS)) $(call listed,rings/dm,$(DM_OBJS)) $(call listed,rings/phys,$(PHYS_OBJS)) $(call listed,rings/xenstore,$(XENSTORE_OBJS)) \
	$(call listed,tools,$(WORDS_OBJS)) $(call listed,tools/xc,$(XC_OBJS)) $(call listed,tools/build,$(BUILD_OBJS)) $(call listed,tools/save,$(SAVE_OBJS)) \
	$(call listed,tools/xl,$(XL_OBJS)) $(call listed,tools/disk,$(DISK_OBJS)) $(call listed,tools/p9,$(OUTSIDE_OBJS)) $(call listed,tools,$(TOOLS_OBJS)) $(call listed,tools/rewind,$(REWIND_OBJS)) $(call listed,tools/debug,$(DEBUG_OBJS)) $(call listed,tools/expect,$(EXPECT_OBJS)) $(call listed,tools/sweep,$(SWEEP_OBJS)) $(call listed,tools/sandbox,$(SANDBOX_OBJS)) $(call listed,tools/lab,$(LAB_OBJS)) $(call listed,tools/model,$(MODEL_OBJS)) $(call listed,tools/workbench,$(WORKBENCH_OBJS)) $(call listed,tools/kit,$(KIT_OBJS))
PROGRAM_OBJS := $(call listed,ui,$(UI_OBJS))
# libxenlab.so: its functions, and what of the program's they stand on.
LIBRARY_OBJS := $(call listed,ui,lib/machine lib/put lib/look start guest_list guest_firmware options place firmware console_door socket_door)
# All that the same run depends on.
SOURCES := $(sort $(wildcard $(foreach d,sim sim/engine vcpu vcpu/noun vcpu/pv vcpu/hvm vcpu/five vcpu/native vcpu/sched mmu mmu/pv mmu/grant mmu/memory evtchn rings \
	rings/net rings/xenstore rings/dm rings/phys tools tools/xc tools/build tools/save tools/xl tools/disk,$(d)/*.[ch])))

# --------------------------------------------------------------------------------------- the program, and its twins --

# program DIRECTORY: the library, the program and the unit tests, below that directory.
define program
$(1)/libxenlab.a: $$(addprefix $(1)/,$$(LIB_OBJS)) build/lists
	$$(call say,AR)
	$$(Q)rm -f $$@ && $$(AR) qcs $$@ $$(filter %.o,$$^)

$(1)/xenlab: private LIBS = $$(UI_LIBS)
$(1)/xenlab: $$(addprefix $(1)/,$$(PROGRAM_OBJS)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(LIBS)

$(1)/xenlab-policy: $$(addprefix $(1)/,$$(POLICY_OBJS)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(CFLAGS) $$(variant_cflags) -o $$@ $$^ $$(foreach s,$$(POLICY_MAY),-Wl,-u,$$s -Wl,--export-dynamic-symbol=$$s)

$(1)/xenlab-kit: $$(addprefix $(1)/,$$(KIT_CHILD_OBJS)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(CFLAGS) $$(variant_cflags) -o $$@ $$^

$(1)/xenlab-kit: | $$(addprefix $(1)/,$$(KIT_POLICIES))
$(1)/kit/%.so: docs/examples/kit/%.c include/xenlab/kit.h
	$$(call say,CC)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -std=gnu11 -O2 -g -shared -fPIC $$(WARNINGS) -Iinclude -o $$@ $$<

$(1)/labs/kit/kit.a: $$(call listed,$(1)/labs/kit,$$(LAB_KIT_OBJS)) $$(call listed,$(1)/labs/code,$$(LAB_CODE_OBJS))
	$$(call say,AR)
	$$(Q)rm -f $$@ && $$(AR) qcs $$@ $$^

# The program that reports what a lab's code does, with xenlab's own code in it.
$(1)/labs/%/golden: $(1)/labs/%/check/facts.o $(1)/labs/kit/kit.a $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs)

# What the files that a lab of form H, G or P is about define, for the linker: tools/lab/build.c.
$(1)/labs/%/whole: labs/%/lab.conf $(1)/libxenlab.a $(1)/labs/kit/kit.a $(1)/labs/code/holes.o build/guests/rt/p2m.o
	$$(Q)mkdir -p $$(@D)
	$$(Q)if grep -q '^form *= *"[HGP]"' $$<; then nm -g --defined-only $$$$(tr '\n' ' ' < $$< | grep -o ' files\? *= *\(\[[^]]*\]\|"[^"]*"\)' | \
		grep -o '[a-z0-9_/]*\.c"' | sed 's#^#$(1)/#; s#c"$$$$#o#; s#^$(1)/guests/#build/guests/#') | awk 'NF == 3 { print "-Wl,--require-defined=" $$$$3 }'; fi > $$@

# The headers, without the files that they are of.
$(1)/labs/include/all: $$(LAB_HEADERS)
	$$(Q)rm -rf $$(@D) && mkdir -p $$(@D) && cp --parents $$^ $$(@D) && touch $$@

# The same in a guest.
$(1)/labs/%/check/guest.o $(1)/labs/%/guest_main.o $(1)/labs/%/guest_draw.o $(1)/labs/code/holes.o: private all_cflags = $$(GUEST_CFLAGS) $$(XEN_CFLAGS)
$(1)/labs/kit/guest_draw.o: labs/kit/draw.c build/flags
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(all_cflags) -c -o $$@ $$<
# The checks' own, but for labs' files: one object, so that no function of it can be a student's.
$(1)/labs/kit/guest.o: $(1)/labs/kit/guest_main.o $(1)/labs/kit/guest_draw.o $$(filter-out build/guests/rt/p2m.o,$$(GUEST_RT_OBJS))
	$$(call say,LD)
	$$(Q)$$(CC) -r -nostdlib -o $$@ $$^
$(1)/labs/kit/guest.lds: labs/kit/guest.lds
	$$(Q)mkdir -p $$(@D) && cp $$< $$@
$$(foreach l,$$(GUEST_LABS),$$(eval $(1)/labs/$$(l)/whole.o: $$(patsubst $(1)/guests/%,build/guests/%,$(1)/$$(shell sed -n 's/^file *= *"\(.*\)c"/\1o/p' labs/$$(l)/lab.conf))))
$(1)/labs/%/whole.o:
	$$(Q)mkdir -p $$(@D) && cp $$< $$@
$(1)/labs/%/golden_guest: $(1)/labs/%/check/guest.o $(1)/labs/%/whole.o $(1)/labs/kit/guest.o $(1)/labs/kit/guest.lds
	$$(call say,LD)
	$$(Q)$$(CC) $$(GUEST_CFLAGS) $$(GUEST_LDFLAGS) -T $(1)/labs/kit/guest.lds -o $$@ $$(filter %.o,$$^) -lgcc

# All that `xenlab lab check` wants.
$(1)/labs/built: $$(foreach l,$$(LABS),$(1)/labs/$$(l)/$$(if $$(filter $$(l),$$(CLOSED_LABS)),check/facts.o,golden)) $(1)/labs/kit/guest.lds $(1)/labs/kit/guest.o \
		$$(foreach l,$$(GUEST_LABS),$(1)/labs/$$(l)/$$(if $$(filter $$(l),$$(CLOSED_LABS)),check/guest.o,golden_guest)) \
		$$(foreach l,$$(LABS) $$(GUEST_LABS) $$(POLICY_LABS),$(1)/labs/$$(l)/whole) $$(addprefix $(1)/labs/,$$(LAB_FLAGS)) $(1)/labs/include/all
	$$(Q)touch $$@

# Functions of the student's stay what they are, for gdb.
$(1)/labs/cflags: flags = $$(patsubst -O2,-Og,$$(filter-out -Werror -MMD -MP,$$(all_cflags)))
$(1)/labs/ldflags: flags = $$(all_ldflags) $$(lab_libs)
$(1)/labs/policy_cflags: flags = $$(patsubst -O2,-Og,$$(filter-out -Werror -MMD -MP,$$(all_cflags))) -fPIC
$(1)/labs/policy_ldflags: flags = -Wl,-z,now
$(1)/labs/guest_cflags: flags = $$(filter-out -Werror -MMD -MP,$$(GUEST_CFLAGS)) $$(XEN_CFLAGS)
$(1)/labs/guest_ldflags: flags = $$(filter-out -MMD -MP,$$(GUEST_CFLAGS)) $$(GUEST_LDFLAGS) -T $$(CURDIR)/$(1)/labs/kit/guest.lds
$$(addprefix $(1)/labs/,$$(LAB_FLAGS)): build/flags Makefile
	@mkdir -p $$(@D)
	$$(Q)echo '$$(flags)' | sed 's# -I\. # -I@BUILT@/labs/include -fmacro-prefix-map=@BUILT@/labs/include/= #; s# -Iinclude # -I@BUILT@/labs/include/include #; s#$$(CURDIR)/$(1)/#@BUILT@/#g; s#$$(CURDIR)/#@ROOT@/#g; s#\([ IL]\)build/#\1@ROOT@/build/#g' > $$@

$(1)/tests/%: private test_ldflags = $$(QUICK_LD)
$(1)/tests/%: $(1)/tests/%.o $$(addprefix $(1)/,$$(TEST_SUPPORT)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(CMOCKA_LIBS)

# Tests that let allocations fail.
$(1)/tests/lib/test_lib_misuse: private CMOCKA_LIBS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$(1)/tests/hvm/test_exhausted: private CMOCKA_LIBS += -Wl,--wrap=arena_alloc,--wrap=arena_realloc,--wrap=alloc_heap_pages,--wrap=cpu_context_create

# Of libxlutil's needs, what nothing else in it would bring along.
$(1)/tests/tools/test_lab: private CMOCKA_LIBS += -Wl,-u,libxl_defbool_set

# What runs policies lies where the program does.
$(addprefix $(1)/tests/sched/,test_expect test_policy test_policy_attack test_policy_remote): | $(1)/xenlab-policy
$(addprefix $(1)/tests/kit/,test_kit test_precopy test_balance test_reclaim test_evtchn test_shadow test_expected test_sweep test_kit_random test_defaults): | $(1)/xenlab-kit

# Programs that know include/xenlab/xenlab.h alone, with what libxenlab.so is made of.
$(1)/tests/lib/test_abi: | build/lib/libxenlab.so.0
$$(addprefix $(1)/,$$(USER_TESTS)): $(1)/tests/%: $(1)/tests/%.o $$(addprefix $(1)/,$$(LIBRARY_OBJS)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(CMOCKA_LIBS)

$(1)/tests/ui/%: $(1)/tests/ui/%.o $$(addprefix $(1)/,$$(TEST_SUPPORT) $$(filter-out ui/main.o,$$(PROGRAM_OBJS))) \
		$(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(UI_LIBS) $$(CMOCKA_LIBS)

# The survey of opcodes is a program, and a sample of it a test.
$(1)/tests/cpu/survey $(1)/tests/cpu/test_survey: $(1)/tests/cpu/%: $(1)/tests/cpu/%.o \
		$$(call listed,$(1)/tests/cpu,$$(SURVEY_OBJS)) $$(addprefix $(1)/,$$(TEST_SUPPORT)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(CMOCKA_LIBS)

# So is the comparison with the host's processor.
$(1)/tests/cpu/cpucheck $(1)/tests/cpu/test_cpucheck: $(1)/tests/cpu/%: $(1)/tests/cpu/%.o \
		$$(call listed,$(1)/tests/cpu,$$(CPUCHECK_OBJS)) $(1)/libxenlab.a
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(CMOCKA_LIBS)

# Random histories, which Debian's xenstored and ours are given.
$(1)/tests/xenstored/test_oracle: $(1)/tests/xenstored/test_oracle.o $$(call listed,$(1)/tests/xenstored,$$(ORACLE_OBJS)) \
		$$(addprefix $(1)/,$$(TEST_SUPPORT)) $(1)/libxenlab.a | build/tests/xenstored/shim.so
	$$(call say,LD)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$^ $$(all_libs) $$(CMOCKA_LIBS)

$(1)/%.o: %.c build/flags
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(all_cflags) -c -o $$@ $$<

# The same list as 32-bit code lays it out. It is data alone, so another name for its format is all that the linker
# needs.
$(1)/mmu/compat_layouts32.o: mmu/compat_layouts.c build/flags
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -m32 -std=gnu11 -ffreestanding -fno-pic -O2 $$(WARNINGS) -MMD -MP -MT $$@ -MF $$(@:.o=.d) -I. $$(XEN_ABI) $$(XEN_CFLAGS) -c -o $$@ $$<
	$$(Q)objcopy -I elf32-i386 -O elf64-x86-64 -j .rodata -j .note.GNU-stack $$@

$(1)/ui/%.o: private folder_cflags = $$(UI_CFLAGS)
# A recording says of which sources the program is that made it.
$(1)/ui/recording.o: build/sources
$(1)/ui/recording.o: private folder_cflags = $$(UI_CFLAGS) -DXENLAB_SOURCES='"$$(shell cat build/sources)"'
$(1)/mmu/%.o $(1)/evtchn/%.o $(1)/vcpu/%.o $(1)/rings/%.o: private folder_cflags = -Wcast-qual
# Tests are compiled once and run once: most of what -O2 takes they never give back. For two warnings -O1 knows too
# little.
$(1)/tests/%.o: private folder_cflags = $$(tests_cflags)
$(1)/tests/ui/%.o: private folder_cflags = $$(UI_CFLAGS) $$(tests_cflags)
$(1)/tests/bench/%.o: private folder_cflags =
endef
tests_cflags = $(if $(filter -O2,$(CFLAGS)),-O1 -Wno-format-truncation -Wno-maybe-uninitialized)

# A unit test is one program, tests/<folder>/test_*.c; what they share is in tests/support.
TESTS := $(patsubst %.c,%,$(wildcard tests/*/test_*.c))
USER_TESTS := $(patsubst %.c,%,$(shell grep -l '^#include "\(xenlab/xenlab\|tests/support/user\|tests/support/user_grants\).h"' $(addsuffix .c,$(TESTS))))
CPUCHECK_OBJS := cpucheck_table cpucheck_gen cpucheck_native cpucheck_guest cpucheck_known cpucheck_judge
SURVEY_OBJS := survey_code survey_table survey_fast survey_whole survey_host survey_team
ORACLE_OBJS := history play real ours
TEST_SUPPORT := $(patsubst %.c,%.o,$(wildcard tests/support/*.c)) labs/kit/kernel_file.o
.SECONDARY:

$(eval $(call program,build))
$(eval $(call program,build/asan))
build/asan/%: private variant_cflags = $(ASAN)

# libxlutil is linked by itself: of the archive, which is in the program, no shared object can be made.
build/lib/libxenlab.so.0: ui/lib/libxenlab.map $(addprefix build/,$(LIBRARY_OBJS)) build/libxenlab.a
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,$(@F) -Wl,--version-script=$< -Wl,-Bsymbolic -Wl,-z,defs -o $@ $(filter-out $<,$^) \
		$(subst -l:libxlutil.a,-lxlutil,$(filter-out -Wl$(comma)-rpath%,$(lab_libs))) \
		-Wl,-rpath,'$$ORIGIN/../deps/unicorn/usr/lib/x86_64-linux-gnu:$$ORIGIN/xenlab'
	$(Q)ln -sf $(@F) build/lib/libxenlab.so
	$(Q)scripts/install_lib.sh --tree

xenlab: build/xenlab build/xenlab-policy build/xenlab-kit build/lib/libxenlab.so.0
	$(Q)ln -sf build/xenlab $@

# ------------------------------------------------------------------------------------------------------- the guests --

GUEST_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -nostdlib -static -fno-pic -no-pie -mno-red-zone -mgeneral-regs-only \
	-mcmodel=kernel -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing \
	-fno-omit-frame-pointer $(WARNINGS) -MMD -MP -I. -D__XEN_INTERFACE_VERSION__=0x00040e00
GUEST_LDFLAGS := -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

GUEST_PROGRAMS := $(addprefix build/guests/,$(GUESTS))
HVM_GUEST_PROGRAMS := $(addprefix build/guests/,$(HVM_GUESTS))

build/guests/%.o: guests/%.c build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) $(XEN_CFLAGS) -c -o $@ $<

build/guests/%.o: guests/%.S build/flags
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) $(XEN_CFLAGS) -D__ASSEMBLY__ -c -o $@ $<

$(GUEST_PROGRAMS): build/guests/%: build/guests/%.o $(GUEST_RT_OBJS) guests/rt/pv64.lds
	$(call say,LD)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T guests/rt/pv64.lds -o $@ $(filter %.o,$^) -lgcc

$(HVM_GUEST_PROGRAMS): build/guests/%: build/guests/%.o guests/hvm/phys32.lds
	$(call say,LD)
	$(Q)$(LD) -T guests/hvm/phys32.lds --build-id=none -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments -o $@ $(filter %.o,$^)

PCDEV_CFLAGS := $(filter-out -mcmodel=% -D__XEN_INTERFACE_VERSION__=% -mno-red-zone,$(GUEST_CFLAGS)) -m32
build/guests/pcdev/%.o: guests/pcdev/%.c build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PCDEV_CFLAGS) -c -o $@ $<
build/guests/pcdev/%.o: guests/pcdev/%.S build/flags
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PCDEV_CFLAGS) $(XEN_CFLAGS) -D__ASSEMBLY__ -DKERNEL=0x100000 -DSECTORS=127 -c -o $@ $<
build/guests/pcdev/pcdev: $(call listed,build/guests/pcdev,$(PCDEV)) guests/hvm/phys32.lds
	$(call say,LD)
	$(Q)$(LD) -m elf_i386 -T guests/hvm/phys32.lds --build-id=none -z noexecstack --no-warn-rwx-segments -o $@ $(filter %.o,$^)
# The same sources four times, by the levels of their page tables: long mode; 32 bits with PSE, with PAE, with none.
HVMTEST_PROGRAMS := $(foreach v,64 32pse 32pae 32,build/guests/hvmtest/$v/hvmtest$v)
HVMTEST_CFLAGS := $(filter-out -mcmodel=% -fno-omit-frame-pointer,$(GUEST_CFLAGS))
define hvmtest_rules
build/guests/hvmtest/$(1)/%.o: guests/hvmtest/%.c build/flags
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HVMTEST_CFLAGS) $$(XEN_CFLAGS) -DLEVELS=$(2) -m$(3) -c -o $$@ $$<
build/guests/hvmtest/$(1)/%.o: guests/hvmtest/%.S build/flags
	$$(call say,AS)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HVMTEST_CFLAGS) $$(XEN_CFLAGS) -D__ASSEMBLY__ -DLEVELS=$(2) -m$(3) -c -o $$@ $$<
build/guests/hvmtest/$(1)/hvmtest$(1): $$(call listed,build/guests/hvmtest/$(1),$$(HVMTEST)) guests/hvmtest/hvmtest.lds
	$$(call say,LD)
	$$(Q)$$(LD) -m $(if $(filter 64,$(3)),elf_x86_64,elf_i386) -T guests/hvmtest/hvmtest.lds --build-id=none -z noexecstack \
		-z max-page-size=4096 --no-warn-rwx-segments -o $$@ $$(filter %.o,$$^)
endef
$(eval $(call hvmtest_rules,64,4,64))
$(eval $(call hvmtest_rules,32pse,2,32))
$(eval $(call hvmtest_rules,32pae,3,32))
$(eval $(call hvmtest_rules,32,0,32))
# -O1, and a stack that is aligned by nobody: few forms of instructions, for vcpu/five/.
FIVE_CFLAGS := $(filter-out -O2 -fno-omit-frame-pointer,$(GUEST_CFLAGS)) -O1 -fno-jump-tables -fno-tree-loop-distribute-patterns
FIVE_PROGRAMS := build/guests/five/five.native build/guests/five/five.pv
build/guests/five/%.o: guests/five/%.c build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FIVE_CFLAGS) $(XEN_CFLAGS) -c -o $@ $<
build/guests/five/five.native: $(call listed,build/guests/five,entry_native cpu_native $(FIVE)) guests/five/native.lds
	$(call say,LD)
	$(Q)$(CC) $(FIVE_CFLAGS) $(GUEST_LDFLAGS) -T guests/five/native.lds -o $@ $(filter %.o,$^)
build/guests/five/five.pv: build/guests/rt/start.o $(call listed,build/guests/five,entry_pv cpu_pv $(FIVE)) guests/rt/pv64.lds
	$(call say,LD)
	$(Q)$(CC) $(FIVE_CFLAGS) $(GUEST_LDFLAGS) -T guests/rt/pv64.lds -o $@ $(filter %.o,$^)
# A disk of 1 MiB that starts it: the boot sector, and the kernel as it lies in memory.
build/guests/pcdev/disk.img: build/guests/pcdev/pcdev build/guests/pcdev/bootsector.o
	$(call say,IMG)
	$(Q)$(LD) -m elf_i386 -Ttext=0x7c00 -e boot --oformat=binary -o $@.boot build/guests/pcdev/bootsector.o
	$(Q)objcopy -O binary $< $@.kernel
	$(Q)test $$(stat -c %s $@.kernel) -le $$((127 * 512))
	$(Q)cat $@.boot $@.kernel > $@ && truncate -s 1M $@

# Programs for Linux guests of the tests.
LINUX_PROGRAMS := $(addprefix build/tests/guest/,torture hwdebug)
$(LINUX_PROGRAMS): build/tests/guest/%: tests/guest/%.c build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARNINGS) -static -pthread -o $@ $< -lm

# What types at the commands that README.md and docs/ show.
build/tests/docs/typist: tests/docs/typist.c build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -o $@ $< -lutil

# The Xen that Debian's xenstored believes to be there, in the tests that ask it.
build/tests/xenstored/shim.so: tests/xenstored/shim.c tests/xenstored/shim.h tests/xenstored/shim.map build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(filter-out -Wmissing-prototypes,$(WARNINGS)) -I. $(XEN_ABI) $(XEN_CFLAGS) -fPIC -shared \
		-Wl,--version-script=tests/xenstored/shim.map -o $@ $<

# A guest of Xen 3.0's time, for 64 and 32 bits. It has no notes, and lies at address 0.
build/tests/guest/old64 build/tests/guest/old32: build/tests/guest/old%: tests/guest/old.c tests/guest/old.lds build/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -mcmodel=% -D__XEN_INTERFACE_VERSION__=%,$(GUEST_CFLAGS)) -m$* -D__XEN_INTERFACE_VERSION__=0x00030202 $(XEN_CFLAGS) -c -o $@.o $<
	$(Q)$(LD) -m $(if $(filter 64,$*),elf_x86_64,elf_i386) -T tests/guest/old.lds --build-id=none -z noexecstack \
		-z max-page-size=4096 --no-warn-rwx-segments -o $@ $@.o

# A guest of assembly alone: positions in its run are the same whatever compiler there is.
build/tests/guest/ascent: tests/guest/ascent.S build/guests/rt/start.o guests/rt/pv64.lds build/flags
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) $(XEN_CFLAGS) -D__ASSEMBLY__ -c -o $@.o $<
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T guests/rt/pv64.lds -o $@ $@.o build/guests/rt/start.o

# The same of a PVH guest.
build/tests/guest/modes: tests/guest/modes.S tests/guest/modes.lds build/flags
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) $(XEN_CFLAGS) -D__ASSEMBLY__ -c -o $@.o $<
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T tests/guest/modes.lds -o $@ $@.o

# One for its graphics card, in hvmloader's place; one for the limits of segments; one for figures.
build/tests/guest/screens build/tests/guest/limits build/tests/guest/turns: build/tests/guest/%: tests/guest/%.S guests/hvm/note.S guests/hvm/phys32.lds build/flags
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 -I. $(XEN_CFLAGS) -D__ASSEMBLY__ -c -o $@.o $<
	$(Q)$(LD) -m elf_i386 -T guests/hvm/phys32.lds --build-id=none -z noexecstack --no-warn-rwx-segments -o $@ $@.o

# ------------------------------------------------------------------------------------------------------ the targets --

.PHONY: all run campaign-all campaign-lib campaign-class campaign-labs campaign-labs-asan campaign-needs campaign-devices campaign-disk campaign-hvm campaign-kit campaign-rewind campaign-workloads campaign-memtest campaign-power linux linux-image dom0 book setup shown assets test asan hostile survey jumps cpucheck lint format golden bench bench-xen traces help clean distclean guests check-packages
.PHONY: $(addprefix test-,$(notdir $(wildcard tests/*)))

all: xenlab guests build/labs/built ## build everything (the default)

guests: $(GUEST_PROGRAMS) $(HVM_GUEST_PROGRAMS) $(HVMTEST_PROGRAMS) $(FIVE_PROGRAMS) build/guests/pcdev/disk.img $(LINUX_PROGRAMS) $(addprefix build/tests/guest/,old64 old32 ascent modes screens limits turns)

run: check-packages all shown ## build, get what README.md shows, and show the cockpit, or without a terminal a demo
	$(Q)if [ -t 0 ] && [ -t 1 ]; then ./xenlab tui $(COCKPIT); else ./xenlab run $(DEMO); fi
	$(Q)echo "Next: make dom0, and then ./xenlab dom0: Linux as dom0, with Xen's own xl in it (docs/dom0.md)"

# The image is its user's as soon as there is one: it is never made anew, unless it is removed.
linux: check-packages all linux-image ## boot a Debian Linux with a disk of its own, to work in (docs/linux.md)
	$(Q)./xenlab run $(LINUX) docs/examples/debian.cfg

dom0: check-packages all ## make a Linux that is dom0, with Xen's own toolstack: then xenlab dom0 (SUITE=trixie or sid: another kernel)
	$(Q)scripts/assets.sh grub busybox
	$(Q)scripts/mkdom0.sh build/dom0$(addprefix -,$(SUITE)) $(SUITE)

linux-image:
	$(Q)scripts/assets.sh generic busybox
	$(Q)scripts/mklinux.sh build/linux

# An installed program finds its engine beside itself, if that is not the system's.
PREFIX ?= /usr/local
engine = $(wildcard build/deps/unicorn/usr/lib/x86_64-linux-gnu/libunicorn.so.*)
INSTALLED_COMMANDS := run tui debug tour replay dom0 compare ctl trace sched kit lab doctor limits manual completion
# Those whose guests are installed as well, and configuration files that they name.
INSTALLED_TOURS := $(filter-out %/crash.tour %/pagefault.tour %/xl-create.tour %/one-write.tour,$(wildcard docs/tours/*.tour))
INSTALLED_CONFIGS := $(wildcard docs/tours/sched/*.cfg docs/tours/*.cfg docs/tours/*.disk) tests/guest/grants-owner.cfg tests/guest/grants-user.cfg
# It is made in a tree of its own, which scripts/install.sh copies.
export PREFIX DESTDIR
tree := build/installed
install: all ## below DESTDIR$(PREFIX): the program, libxenlab, labs, guests, tours, examples, manual pages, completion for bash and zsh
	$(call say,INSTALL)
	$(Q)scripts/install.sh --check
	$(Q)rm -rf $(tree)
	$(Q)install -d $(addprefix $(tree)/,bin lib/xenlab share/xenlab/guests share/xenlab/tours share/man/man1 \
		share/bash-completion/completions share/zsh/site-functions)
	$(Q)$(CC) $(CFLAGS) -rdynamic -o $(tree)/bin/xenlab $(addprefix build/,$(PROGRAM_OBJS)) build/libxenlab.a \
		$(filter-out -Wl$(comma)-rpath%,$(all_libs)) -Wl,-rpath,'$$ORIGIN/../lib/xenlab:'"$$PREFIX/lib/xenlab" $(UI_LIBS)
	$(Q)install build/xenlab-policy build/xenlab-kit $(tree)/lib/xenlab/
	$(Q)install -D -m 644 -t $(tree)/lib/xenlab/kit $(addprefix build/,$(KIT_POLICIES))
	$(Q)install -d $(tree)/share/doc/xenlab/examples && cp -r $(addprefix docs/examples/,kit sched lib project) $(tree)/share/doc/xenlab/examples/
	$(Q)install -D -m 644 -t $(tree)/include/xenlab include/xenlab/kit.h include/xenlab/xenlab.h
	$(Q)scripts/install_lib.sh $(tree) "$$PREFIX" '$(if $(engine),yes)'
	$(Q)$(if $(engine),install -m 644 $(engine) $(tree)/lib/xenlab/)
	$(Q)install -m 644 $(filter-out build/guests/bench/%,$(GUEST_PROGRAMS)) build/tests/guest/modes build/guests/pcdev/pcdev $(FIVE_PROGRAMS) $(tree)/share/xenlab/guests/
	$(Q)for f in $(INSTALLED_TOURS) $(INSTALLED_CONFIGS); do sed -e 's,build/\(tests/guest\|guests/pcdev\|guests/five\|guests\)/,@PREFIX@/share/xenlab/guests/,' \
		-e 's,[a-z/]*/\([a-z0-9-]*\.\(cfg\|disk\)\),@PREFIX@/share/xenlab/tours/\1,g' \
		-e '/^guest/s,[^ ]*@PREFIX@[^ ]*,"&",g' -e "s,@PREFIX@,$$PREFIX,g" $$f > $(tree)/share/xenlab/tours/$${f##*/} || exit 1; done
	$(Q)INSTALLED_LIBS='$(filter-out -Wl$(comma)-rpath%,$(all_libs))' scripts/install_labs.sh $(tree) "$$PREFIX" '$(firstword $(engine))' $(CC) $(CFLAGS) -rdynamic
	$(Q)build/xenlab manual > $(tree)/share/man/man1/xenlab.1
	$(Q)for c in $(INSTALLED_COMMANDS); do build/xenlab manual $$c > $(tree)/share/man/man1/xenlab-$$c.1 || exit 1; done
	$(Q)build/xenlab completion bash > $(tree)/share/bash-completion/completions/xenlab
	$(Q)build/xenlab completion zsh > $(tree)/share/zsh/site-functions/_xenlab
	$(Q)scripts/install.sh $(tree)

uninstall: ## remove what install has put below DESTDIR$(PREFIX), and nothing else
	$(call say,REMOVE)
	$(Q)scripts/install.sh --remove

deb: all ## build/deb/xenlab_VERSION_amd64.deb, Debian's package of what install makes (docs/install.md)
	$(Q)scripts/deb.sh

test-deb: deb ## the package in a fresh Debian 12: lintian, installed, used, removed (root, debootstrap, the network; minutes)
	$(Q)scripts/test_deb.sh

test-container: ## the steps of Containerfile in a fresh Debian 12, and a lab there (root, debootstrap, the network; minutes)
	$(Q)scripts/test_container.sh

.PHONY: install uninstall deb test-deb test-container pictures

setup: check-packages assets ## get what the build and the tests need; afterwards no network is used

# Quick when nothing is missing.
check-packages:
	$(Q)scripts/setup.sh

# The real guests of README.md: GRUB, and Linux with a shell.
shown: build/assets/initrd build/assets/tenants.initrd
build/assets/initrd build/assets/tenants.initrd: scripts/mkinitrd.sh | shown-guests
	$(call say,INITRD)
	$(Q)scripts/mkinitrd.sh $@ build/assets/busybox $(filter %.script,$^)
build/assets/tenants.initrd: guests/tenants.script
.PHONY: shown-guests
shown-guests:
	$(Q)scripts/assets.sh grub cloud busybox

assets: shown linux-image ## unpack the tests' real guests (GRUB, Linux, busybox) below build/assets
	$(Q)scripts/assets.sh

test: check-packages assets dom0 all $(addprefix build/,$(TESTS) tests/docs/typist) ## run all tests (test-sim: those of one folder)
	$(Q)scripts/test.sh build $(TESTS) $(wildcard tests/*/run.sh)

# The unit tests of one folder; test-guest runs the guests.
define test_folder
test-$(1): all $$(addprefix build/,$$(filter tests/$(1)/%,$$(TESTS)))
	$$(Q)scripts/test.sh build $$(filter tests/$(1)/%,$$(TESTS)) $$(wildcard tests/$(1)/run.sh)
endef
$(foreach f,$(notdir $(wildcard tests/*)),$(eval $(call test_folder,$(f))))
# GUEST=hello, or GUEST='linux-*': only these.
test-guest: assets
test-docs: assets build/tests/docs/typist

asan: assets guests $(addprefix build/asan/,xenlab labs/built $(TESTS)) ## all tests, with sanitizers and the self-audit
	$(Q)ln -sfn ../assets build/asan/assets
	$(Q)scripts/test.sh build/asan $(TESTS) $(wildcard tests/guest/run.sh)

traces: all ## for refactorings: the traces of all guest tests, of BASE=path/to/old/xenlab and of this one, compared (GUEST=one)
	$(Q)scripts/traces.sh '$(BASE)' build/xenlab '$(GUEST)'

HOSTILE ?= 2000
hostile: all ## a hostile guest with HOSTILE=2000 seeds, next to one that must not notice; with SEED=1, the first
	$(Q)scripts/hostile.sh $(HOSTILE) $(SEED)

golden: all $(addprefix build/,$(TESTS) tests/docs/typist) ## write the expected outputs anew (look at the difference before you commit it)
	$(Q)GOLDEN=write scripts/test.sh build $(filter tests/ui/%,$(TESTS)) $(wildcard tests/*/run.sh)

pictures: all ## make the pictures of README.md and docs/ anew
	$(Q)scripts/pictures.sh

survey: build/tests/cpu/survey ## try every opcode behind 16 prefixes, before 32 ModRM bytes, in each mode (docs/cpu.md)
	$(Q)build/tests/cpu/survey $(SURVEY)

bench: all $(addprefix build/tests/bench/bench_,pcpu history) build/tests/ui/bench_screen ## measure; one JSON object a line; with BASE=FILE, beside a stored run
	$(Q)BASE='$(subst ','\'',$(BASE))' scripts/bench.sh

bench-xen: all ## the same guests under Xen in QEMU (Debian's packages): a table of ratios (docs/bench.md)
	$(Q)scripts/bench_xen.sh

POINTS ?= 100
SEEDS ?= 3
campaign-disk: all ## xenlab is killed POINTS=100 times while a guest writes: is what was acknowledged on its disk?
	$(Q)scripts/campaign_disk.sh $(POINTS) $(SEED)
	$(Q)scripts/campaign_linux.sh kill $(POINTS) $(SEED)

campaign-power: all ## the power is cut POINTS=100 times while a guest writes: is what was flushed on its disk, and nothing else?
	$(Q)scripts/campaign_power.sh $(POINTS) $(SEED)
	$(Q)scripts/campaign_linux.sh cut $(POINTS) $(SEED)

PLACES ?= 10
campaign-rewind: all assets ## HVM and PVH systems, SEEDS=3 runs of each, visited at PLACES=10 random positions and around: is it the same by several ways? (SYSTEMS="grub pcdev": these only)
	$(Q)scripts/campaign_rewind.sh $(SEEDS) $(PLACES) $(SYSTEMS)

campaign-memtest: all assets ## memtest86+ in an HVM guest, a whole pass: is its memory good?
	$(Q)scripts/campaign_memtest.sh

campaign-all: all ## SEEDS=3 runs of a Linux with all devices at once, each rewound to ten points: is everything as it was?
	$(Q)scripts/campaign_all.sh $(SEEDS)

DEVICES ?= 1000
campaign-devices: build/asan/tests/dm/test_dm_random ## emulated devices and DEVICES=1000 guests that do anything, and as many that do what they should
	$(Q)$< $(DEVICES) $(SEED)

campaign-labs: all ## each lab's author's test: all wrong variants of all labs fail, right ones pass, twice; a starter earns nothing; and all of it where xenlab is installed
	$(Q)scripts/lab-tests.sh
	$(Q)scripts/lab-starters.sh
	$(Q)scripts/lab-installed.sh

campaign-labs-asan: all build/asan/labs/built ## what checks labs, with xenlab's own files and the sanitizers: SEEDS="1 2 3"
	$(Q)scripts/lab-asan.sh

campaign-needs: all ## what each lab cannot be done without: does its lab.conf say so?
	$(Q)scripts/lab-needs.sh

CLASS ?= 300
campaign-class: all ## CLASS=300 students hand in, some of them what is hostile: is each grade what it has to be?
	$(Q)scripts/class.sh $(CLASS)

OPS ?= 1000000
campaign-lib: build/tests/lib/test_lib_random ## OPS=1000000 things are put into machines of libxenlab, at random: SEED=1, the first
	$(Q)LIB_OPS=$(OPS) LIB_SEED=$(or $(SEED),1) $<

KIT ?= 5000
campaign-kit: build/asan/tests/kit/test_kit_random ## KIT=5000 workloads and expectations for each kit, mistyped: are they read, or refused with the line? (SEED=1, the first)
	$(Q)KIT_RANDOM=$(KIT) KIT_RANDOM_FROM=$(or $(SEED),1) ASAN_OPTIONS=detect_leaks=1:exitcode=99 $<

HVM ?= 5000
campaign-hvm: $(addprefix build/asan/tests/,hvm/test_hostile dm/test_dm_deaths vcpu/test_hvm_random) ## HVM=5000 HVM guests whose device models and toolstack do anything, and as many whose code is noise
	$(Q)build/asan/tests/hvm/test_hostile $(HVM) $(SEED)
	$(Q)build/asan/tests/dm/test_dm_deaths $(HVM) $(SEED)
	$(Q)HVM_RANDOM=$(HVM) $(if $(SEED),HVM_RANDOM_FROM=$(SEED)) build/asan/tests/vcpu/test_hvm_random

STORES ?= 1000000
campaign-workloads: all ## each toy guest's run becomes workloads of schedulers and of rings: do they run, and does the model agree?
	$(Q)scripts/campaign_workloads.sh

campaign-shadow: build/tests/hvm/test_shadow ## STORES=1000000 random stores to guests' tables: does every shadow follow?
	$(Q)$< $(STORES) $(or $(SEED),1)

JUMPS ?= 1000000
jumps: all build/tests/tools/test_rewind ## runs are visited at JUMPS=1000000 positions, in any order
	$(Q)build/tests/tools/test_rewind $(JUMPS)

cpucheck: build/tests/cpu/cpucheck ## random code on the host's processor and in a guest, a minute (CPUCHECK="--seconds 600 --seed 9")
	$(Q)build/tests/cpu/cpucheck $(CPUCHECK)

lint: all ## check layering, hidden state, format and length of the sources
	$(Q)POLICY='$(POLICY_OBJS) $(KIT_CHILD_OBJS)' scripts/lint.sh $(LIB_OBJS) $(PROGRAM_OBJS)

book: ## print the files of docs/book.list, the way through the sources, with a table of contents (make book | less)
	@scripts/book.sh

# Another version's idea of the same style differs in a hundred places.
format: ## apply .clang-format to the sources (with clang-format 14, Debian 12's)
	$(Q)clang-format --version 2> /dev/null | grep -q ' 14\.' || { echo 'format: no clang-format 14 here (Debian 12 has it)' >&2; exit 1; }
	$(Q)clang-format -i $$(find include sim vcpu mmu evtchn rings tools ui guests labs tests -name '*.[ch]')

clean: ## remove what was built, but not what was fetched
	$(Q)rm -rf xenlab $(filter-out build/deps build/assets build/linux build/dom0% build/config.mk,$(wildcard build/*))

distclean: ## remove what was fetched, too
	$(Q)rm -rf xenlab build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo '  V=1 shows the commands, -j2 builds in parallel'

# Of both trees alike: an object that is not compiled anew when a structure changes looks like a fault of the program.
DEPENDENCIES := $(patsubst %.o,%.d,$(LIB_OBJS) $(PROGRAM_OBJS) $(POLICY_OBJS) $(KIT_CHILD_OBJS) $(TEST_SUPPORT)) $(addsuffix .d,$(TESTS) tests/bench/bench_pcpu tests/bench/bench_history tests/ui/bench_screen \
	tests/cpu/survey $(addprefix tests/cpu/,$(SURVEY_OBJS) cpucheck $(CPUCHECK_OBJS)) $(addprefix tests/xenstored/,$(ORACLE_OBJS)))
-include $(addprefix build/,$(DEPENDENCIES)) $(addprefix build/asan/,$(DEPENDENCIES))
-include $(GUEST_RT_OBJS:.o=.d) $(addsuffix .d,$(GUEST_PROGRAMS))
-include $(foreach tree,build build/asan,$(wildcard $(addprefix $(tree)/labs/,*/check/*.d kit/*.d code/*.d)))
