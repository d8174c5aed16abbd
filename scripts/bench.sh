#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench.sh: how fast is it? One JSON object a line: {"name": ..., "value": ..., "unit": ..., "runs": ...}; what else
# there is to say goes to standard error. With BASE=FILE, a stored run, that is also what has become of each figure
# since (see bench_compare.sh), and the exit status is 1 if one has become worse.
#
# Concept: virtual time says nothing of speed, so each figure comes from outside. A bench guest does n operations and
# shuts down; it is run with a small and a large n, and the difference in the program's own "real: running" time (of
# --stats) is that of the operations alone, without start and boot. Each figure is the median of $RUNS such pairs.
# Compare ratios and rates on one machine, on a quiet one; absolute figures of two machines say little.
#
# Budget: 430 lines, since it is a list: how each kind of figure is taken, and which there are.
set -eu
: "${XENLAB:=./xenlab}" "${RUNS:=5}" "${BASE:=}"
bench=build/guests/bench
assets=build/assets
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
disk= hvm= how= # of the guests, see rate

json() { # NAME VALUE UNIT [RUNS]
    printf '{"name": "%s", "value": %s, "unit": "%s", "runs": %s}\n' "$1" "$2" "$3" "${4:-$RUNS}"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# running KEY ARGS...: one run; the line of --stats that begins with KEY, its number.
stat_of() {
    key=$1
    shift
    "$XENLAB" run --stats "$@" < /dev/null > "$tmp/out" 2> "$tmp/err" || {
        echo "bench: xenlab run $* ended with status $?" >&2
        tail -n 5 "$tmp/err" >&2
        exit 1
    }
    awk -v key="$key" 'index($0, "  " key) == 1 { sub("^  " key, ""); print $1; exit }' "$tmp/err"
}

# rate NAME GUEST OP N [UNIT [FACTOR]]: operations a second; with $disk, a file, the guest has that; with $hvm it is one
rate() {
    name=$1 guest=$2 op=$3 n=$4 unit=${5:-1/s} factor=${6:-1}
    i=0
    : > "$tmp/samples"
    while [ $i -lt "$RUNS" ]; do
        few=$(stat_of 'real: running' ${disk:+--disk "$disk"} ${hvm:+--type pvh --memory 16} ${how:+--technique "$how"} \
            --cmdline "op=$op n=$((n / 100))" "$bench/$guest")
        many=$(stat_of 'real: running' ${disk:+--disk "$disk"} ${hvm:+--type pvh --memory 16} ${how:+--technique "$how"} \
            --cmdline "op=$op n=$n" "$bench/$guest")
        awk -v a="$few" -v b="$many" -v n="$n" -v f="$factor" \
            'BEGIN { d = b - a; if (d <= 0) d = 1e-9; printf "%.0f\n", n * 0.99 * f / d }' >> "$tmp/samples"
        i=$((i + 1))
    done
    json "$name" "$(median < "$tmp/samples")" "$unit"
}

# What a run of bench/blk has cost in all: instructions, exits, sends of events by the guest and dom0.
block_counts() { # OP N
    stat_of instructions --disk "$disk" --cmdline "op=$1 n=$2" "$bench/blk" > "$tmp/ignored"
    awk '/^[^ ]/ { part = $1 }
        part == "work" && $1 == "instructions" { insns = $2 }
        part == "exits" && NF == 2 && $1 != "budget" { exits += $2 }
        part == "hypercalls" && $1 == "event_channel_op" { events = $2 }
        END { print insns, exits, events }' "$tmp/err"
}

# block NAME OP N [UNIT]: operations a second, and what one costs the guest. The counts are the same in each run.
block() {
    rate "block: $1" blk "$2" "$3" "${4:-1/s}"
    block_counts "$2" $(($3 / 100)) > "$tmp/counts"
    block_counts "$2" "$3" >> "$tmp/counts"
    awk -v name="block: $1" -v n=$(($3 - $3 / 100)) '
        NR == 1 { insns = $1; exits = $2; events = $3 }
        END {
            form = "{\"name\": \"%s, each: %s\", \"value\": %.2f, \"unit\": \"%s\", \"runs\": 1}\n"
            printf form, name, "guest instructions", ($1 - insns) / n, "count"
            printf form, name, "exits", ($2 - exits) / n, "count"
            printf form, name, "notifications, both ways", ($3 - events) / n, "count"
        }' "$tmp/counts"
}

# The same of disks: a file of 16 MiB, which is written. A hop is from the guest to dom0, or back.
blocks() {
    disk=$tmp/disk.img
    truncate -s 16M "$disk"
    block '4 KiB read at random' read 100000
    block '4 KiB written at random' write 100000
    block '1 MiB read in order' read1m 2000 'MiB/s'
    block '1 MiB written in order' write1m 2000 'MiB/s'
    block '4 KiB read, one after the other' one 50000 > "$tmp/one"
    cat "$tmp/one"
    awk -F '"value": ' 'NR == 1 { printf "{\"name\": \"block: a hop\", \"value\": %.0f, \"unit\": \"ns\", \"runs\": '"$RUNS"'}\n", 5e8 / $2 }' \
        "$tmp/one"
    for speed in ssd hdd none; do # of the machine's own time, so the same in each run
        few=$(stat_of virtual --disk "$disk,speed=$speed" --cmdline "op=read n=100" "$bench/blk")
        many=$(stat_of virtual --disk "$disk,speed=$speed" --cmdline "op=read n=1100" "$bench/blk")
        json "block: 4 KiB read at random, speed=$speed, virtual time" \
            "$(awk -v a="$few" -v b="$many" 'BEGIN { printf "%.0f", 1000 / (b - a) }')" 1/s 1
    done
    disk=
}

# switch_cost NAME OP N ARGUMENT...: microseconds a change of the vCPU on the one pCPU; each operation makes two of them
switch_cost() {
    name=$1 op=$2 n=$3
    shift 3
    i=0
    : > "$tmp/samples"
    while [ $i -lt "$RUNS" ]; do
        few=$(stat_of 'real: running' --sched rr --cmdline "op=$op n=$((n / 100))" "$@" "$bench/switch")
        many=$(stat_of 'real: running' --sched rr --cmdline "op=$op n=$n" "$@" "$bench/switch")
        awk -v a="$few" -v b="$many" -v n="$n" 'BEGIN { printf "%.3f\n", (b - a) * 1e6 / (2 * n * 0.99) }' >> "$tmp/samples"
        i=$((i + 1))
    done
    json "$name" "$(median < "$tmp/samples")" us
}

# net_rate DEPTH SIZE N: frames of guests/netecho, N there and back between two guests, DEPTH of them on their way at
# once. A packet goes from one guest to the other, by dom0; what it costs is the difference of two runs' --stats.
net_rate() {
    name="net: frames of $2 bytes, $1 at once" n=$3
    i=0
    rm -f "$tmp"/net.*
    while [ $i -lt "$RUNS" ]; do
        for count in $((n / 100)) "$n"; do
            stat_of 'real: running' --copies 2 --net bench --cmdline "bare=1 depth=$1 size=$2 n=$count" \
                build/guests/netecho > "$tmp/real"
            awk '/^  real: running/ { real = $3 } /^  instructions/ { insns = $2 } /^  event_channel_op/ { events = $2 }
                /^  syscall/ { exits = $2 } END { print real, insns, events, exits }' "$tmp/err"
        done | awk -v packets=$((2 * n - 2 * (n / 100))) -v size="$2" -v tmp="$tmp" '
            { for (k = 1; k <= 4; k++) { d[k] = $k - d[k] } }
            END {
                if (d[1] <= 0) d[1] = 1e-9
                printf "%.0f\n", packets / d[1] >> (tmp "/net.1")
                printf "%.0f\n", packets * size / d[1] / 1e6 >> (tmp "/net.2")
                printf "%.0f\n", d[1] * 1e9 / packets >> (tmp "/net.3")
                printf "%.0f\n", d[2] / packets >> (tmp "/net.4")
                printf "%.3f\n", d[3] / packets >> (tmp "/net.5")
                printf "%.3f\n", d[4] / packets >> (tmp "/net.6")
            }'
        i=$((i + 1))
    done
    json "$name" "$(median < "$tmp/net.1")" packets/s
    json "$name: bytes" "$(median < "$tmp/net.2")" MB/s
    json "$name: a hop" "$(median < "$tmp/net.3")" ns
    json "$name: guest instructions a packet" "$(median < "$tmp/net.4")" instructions
    json "$name: hypercalls on event channels a packet" "$(median < "$tmp/net.5")" hypercalls
    json "$name: exits a packet" "$(median < "$tmp/net.6")" exits
}

# guest_rate NAME OP N: million guest instructions a second while a plain loop runs
guest_rate() {
    i=0
    : > "$tmp/samples"
    while [ $i -lt "$RUNS" ]; do
        stat_of 'real: running' --cmdline "op=$2 n=$3" "$bench/cpu" > "$tmp/real"
        awk '/^  instructions/ { insns = $2 } /^  real: running/ { real = $3 } END { printf "%.0f\n", insns / real / 1e6 }' \
            "$tmp/err" >> "$tmp/samples"
        i=$((i + 1))
    done
    json "$1" "$(median < "$tmp/samples")" "million instructions/s"
}

# Whole-process time and memory from GNU time's or the shell's own accounting, without either: start to last line.
start_of_process() {
    i=0
    : > "$tmp/samples"
    while [ $i -lt "$RUNS" ]; do
        a=$(date +%s%N)
        "$XENLAB" run build/guests/hello < /dev/null > "$tmp/out" 2> "$tmp/err"
        b=$(date +%s%N)
        echo $(((b - a) / 1000)) >> "$tmp/samples"
        i=$((i + 1))
    done
    json "process start to hello's end" "$(median < "$tmp/samples" | awk '{ print $1 / 1000 }')" ms
    stat_of 'peak memory' build/guests/hello > "$tmp/rss"
    [ ! -s "$tmp/rss" ] || json "hello's peak memory" "$(cat "$tmp/rss")" MiB
}

# have_linux: or it is said what is missing.
have_linux() {
    [ -e "$assets/vmlinuz-cloud" ] && [ -e "$assets/busybox" ] && return 0
    echo "bench: Linux is not there (make assets gets it): a figure is left out" >&2
    return 1
}

# One kernel, 15.5 instructions a turn, executed by each technique (xenlab run --help).
techniques() {
    hvm=1
    while read -r how n; do
        rate "technique: $how" ../../tests/guest/turns turns "$n" 'million instructions/s' 0.0000155
    done << END
hardware 50000000
ring1 50000000
translate 5000000
emulate 2000000
END
    hvm= how=
}

# What a guest with a processor of its own does by itself, and what it has to come out for.
hvm() {
    hvm=1
    while read -r op n what; do
        rate "HVM: $what" ../hvmtest/64/hvmtest64 "$op" "$n"
    done << END
cpuid 1000000 CPUID
rdmsr 1000000 RDMSR
vmmcall 1000000 null hypercalls
io 1000000 IN from a port that nobody has
apicread 50000000 local APIC read
apicwrite 1000000 local APIC write, decoded
ud 500000 exception through the IDT and IRET
softint 500000 INT and IRET
pagefault 500000 page fault and IRET
interrupt 300000 interrupt to oneself, EOI and IRET
syscall 5000000 SYSCALL and SYSRET
pte 1000000 page-table entry stored, INVLPG, used
END
    hvm=
}

# linux NAME [TYPE]: Debian's Linux from the start of the process to the end of its first shell command's run (and
# power-off).
linux() {
    have_linux || return 0
    name=$1
    scripts/mkinitrd.sh "$tmp/initrd" "$assets/busybox"
    i=0
    : > "$tmp/samples"
    : > "$tmp/mips"
    while [ $i -lt "$RUNS" ]; do
        a=$(date +%s%N)
        echo 'poweroff -f' > "$tmp/in"
        "$XENLAB" run --stats ${2:+--type "$2"} --memory 256 --ramdisk "$tmp/initrd" --cmdline "console=hvc0 quiet" "$assets/vmlinuz-cloud" \
            < "$tmp/in" > "$tmp/out" 2> "$tmp/err" || return 0
        b=$(date +%s%N)
        echo $(((b - a) / 1000000)) >> "$tmp/samples"
        awk '/million a second/ { print $NF }' "$tmp/err" >> "$tmp/mips"
        i=$((i + 1))
    done
    json "$name: process start to shell and power-off" "$(median < "$tmp/samples" | awk '{ print $1 / 1000 }')" s
    json "$name: guest instructions" "$(median < "$tmp/mips")" "million instructions/s"
}

# elapsed COMMAND...: milliseconds of real time that it takes
elapsed() {
    a=$(date +%s%N)
    "$@"
    b=$(date +%s%N)
    echo "$a $b" | awk '{ printf "%.3f\n", ($2 - $1) / 1e6 }'
}

idle_domains() { # COPIES
    stat_of 'peak memory' --copies "$1" --cmdline until=1000 build/guests/idle > "$tmp/peak"
}

# Domains that start, sleep until all of them do, and power off; of the whole process, what each adds.
many_domains() { # N
    i=0
    : > "$tmp/samples"
    : > "$tmp/peaks"
    while [ $i -lt "$RUNS" ]; do
        few=$(elapsed idle_domains 1)
        few_mib=$(cat "$tmp/peak")
        many=$(elapsed idle_domains $(($1 + 1)))
        many_mib=$(cat "$tmp/peak")
        awk -v a="$few" -v b="$many" -v n="$1" 'BEGIN { printf "%.3f\n", (b - a) / n }' >> "$tmp/samples"
        awk -v a="$few_mib" -v b="$many_mib" -v n="$1" 'BEGIN { printf "%.3f\n", (b - a) / n }' >> "$tmp/peaks"
        i=$((i + 1))
    done
    json "$1 idle domains: created, run, destroyed, each" "$(median < "$tmp/samples")" ms
    json "$1 idle domains: peak memory, each" "$(median < "$tmp/peaks")" MiB
}

# Eight of Debian's Linux at once, from the start of the process to the last one's power-off. Takes long, so once.
eight_linuxes() {
    have_linux || return 0
    echo 'echo up' > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd" "$assets/busybox" "$tmp/script"
    ms=$(elapsed stat_of 'peak memory' --pcpus 2 --copies 8 --memory 128 --ramdisk "$tmp/initrd" \
        --cmdline "console=hvc0 quiet" "$assets/vmlinuz-cloud")
    json "8 Linux domains on 2 pCPUs: boot and power-off" "$(echo "$ms" | tail -n 1 | awk '{ print $1 / 1000 }')" s 1
    json "8 Linux domains on 2 pCPUs: peak memory" "$(echo "$ms" | head -n 1)" MiB 1
}

# The same guests under Xen in QEMU, three of the lines of bench_xen.sh, if that has been here: once each, as they take
# half a minute each.
beside_xen() {
    if [ -d build/deps/bench-xen/qemu ] && [ -d build/deps/bench-xen/tools ]; then
        JSON=1 RUNS=1 scripts/bench_xen.sh 'block: 4 KiB read at random' 'net: 1514 *' 'xenstore: a node read'
    else
        echo "bench: Xen in QEMU is not there (make bench-xen gets it): three figures are left out" >&2
    fi
}

kit_once() { # KIT POLICY
    "$XENLAB" kit "$1" --policy "$2" --workload "$tmp/kit" --json > "$tmp/out"
}

# kit_rate KIT POLICY COUNT FEW MANY WORKLOAD: decisions a second, each of them there and back between two processes.
# The workload has a %s, which is FEW, and MANY. COUNT: the figure that counts decisions; or how many each of FEW is.
kit_rate() {
    i=0
    : > "$tmp/samples"
    while [ $i -lt "$RUNS" ]; do
        for n in "$4" "$5"; do
            echo "$6" | sed "s/%s/$n/; s/;/\\n/g" > "$tmp/kit"
            ms=$(elapsed kit_once "$1" "$2")
            case $3 in
            [0-9]*) echo "$ms" $(($3 * n)) ;;
            *) echo "$ms" "$(sed -n "s/.*\"metric\":\"$3\",\"subject\":\"\",\"value\":\([0-9]*\).*/\1/p" "$tmp/out")" ;;
            esac
        done | awk '{ ms = $1 - ms; n = $2 - n } END { printf "%.0f\n", n / (ms > 0 ? ms : 1e-3) * 1e3 }' >> "$tmp/samples"
        i=$((i + 1))
    done
    json "kit $1: decisions" "$(median < "$tmp/samples")" 1/s
}

kit_rates() {
    kit_rate memctl even 1 144 14400 'memory 1G;time %ss;vm a memory=512M max=1G : use 100M..600M;vm b memory=512M max=1G : use 100M..600M'
    kit_rate precopy rounds looks 16 512 'memory %sM;link 256M;region a size=16M : write 20000'
    kit_rate balance still 100 2 144 'pcpus 4;tick 10ms;time %ss;vm a vcpus=8 : load 40%'
    kit_rate reclaim clock victims 1 20 'memory 2M;frames 1M;time %ss;region a size=2M rate=1000 : loop 2M'
    kit_rate ring event asked 20 400 'time %sms;ring a slots=256 : put 1 every 5us..15us'
    kit_rate tlbflush stamps asked 50 1000 'time %sms;pcpus 8;domain a vcpus=8 pages=256 : touch 20000 recycle 40000'
    kit_rate shadow emulate emulated 20 1000 'time %sms;guest a set=300 touch=1us : work for 5ms, fork every 1ms for 5ms'
    kit_rate evtchn fifo touches 50 2000 'time %sus;port a : every 200ns..800ns;port b priority=3 mask=20% : every 200ns..800ns'
}

figures() {
    build/tests/bench/bench_pcpu
    build/tests/bench/bench_history
    build/tests/ui/bench_screen
    "$XENLAB" sched --bench
    kit_rates
    start_of_process
    rate 'null hypercalls' hypercall null 2000000
    rate 'hypercalls in multicalls of 32' hypercall multicall 3200000
    rate 'stack_switch' hypercall stack 2000000
    rate 'set_segment_base' hypercall segment 2000000
    rate 'read of CR0' trap cr0 500000
    rate 'exception bounce and iret' trap exception 500000
    rate 'page-fault bounce and iret' trap pagefault 500000
    rate 'system call of user mode and back' trap syscall 500000
    rate 'interrupt of user mode (INT) and back' trap int 500000
    rate 'page-table write by ptwr' trap ptwr 300000
    rate 'mmu_update of one' mmu update 1000000
    rate 'mmu_update in batches of 32, updates' mmu update32 3200000
    rate 'update_va_mapping with INVLPG' mmu va 1000000
    rate 'pin and unpin of a full L1' mmu pin1 50000
    rate 'pin and unpin of an L4 tree' mmu pin4 50000
    rate 'grant map and unmap' grant map 300000
    rate 'grant copy of 4 KiB' grant copy 300000
    rate 'event send and upcall' event send 500000
    rate 'event send, masked' event masked 1000000
    rate 'xenstore: a node read' store read 50000
    rate 'xenstore: a node written' store write 50000
    rate 'xenstore: a transaction of four requests' store tx 20000
    net_rate 1 60 20000
    net_rate 64 60 100000
    net_rate 64 1514 100000
    blocks
    switch_cost 'vCPU context switch, yield to another domain' yield 100000 --copies 2
    switch_cost 'vCPU context switch, yield within a domain' yield 100000 --vcpus 2
    switch_cost 'vCPU context switch, by an event and blocking' wake 50000 --vcpus 2
    many_domains 250
    many_domains 1000
    guest_rate 'ALU loop' alu 20000000
    guest_rate 'branch loop' branch 20000000
    guest_rate 'copy loop' copy 200000
    rate 'REP MOVSQ of 4 KiB' cpu movs 200000
    guest_rate 'call and return loop' call 20000000
    hvm
    techniques
    linux Linux
    linux 'Linux, PVH' pvh
    eight_linuxes
    beside_xen
}

if [ -z "$BASE" ]; then
    figures
    exit
fi
scripts/bench_compare.sh "$BASE" # before minutes are spent
{
    figures
    : > "$tmp/complete"
} | tee "$tmp/now"
[ -e "$tmp/complete" ] || exit 1
scripts/bench_compare.sh "$BASE" "$tmp/now" >&2
