#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_xen.sh [PATTERN...]: the same guests here and under Xen in QEMU, per second of CPU, as a table with ratios. With
# patterns, only the lines whose names fit one. With JSON=1 nothing is fetched, and the ratios alone are printed, as
# scripts/bench.sh prints its figures.
#
# Concept: the other way to run a PV guest without root or VT-x is the real Xen in QEMU, which emulates the same kind of
# processor by translating code, as Unicorn does here. So both are given the same kernel and the same work, in turns,
# and what counts is the CPU time of the whole process. A bench guest does n operations; of a small and a large n the
# difference is that of the operations alone, without QEMU's BIOS, Xen's start and ours. Each line is a median of $RUNS
# such pairs, and there are enough operations to outweigh what Xen's start varies by, since that waits in loops for the
# clock.
#
# Most guests Xen starts as dom0: nothing else has to be there then (see the notes below the table). A disk, a network
# and a xenstore need somebody who serves them. So for these dom0 is Debian's Linux with the real back ends, xenstored
# and xl (scripts/bench_dom0.sh), all of which is started once; a line to its console starts a guest, and what counts is
# the CPU time of QEMU from there until it says that the guest has ended.
#
# All comes from Debian's packages, which are unpacked below build/deps and not installed: Xen 4.17 and its tools,
# Linux, and QEMU 10 from Debian 12's backports, or the machine's own release's. What cannot be had is said, and nothing
# is measured: that is no failure.
set -euf
: "${XENLAB:=./xenlab}" "${RUNS:=3}" "${JSON:=}"
export LC_ALL=C
bench=build/guests/bench
assets=build/assets
peer=build/deps/bench-xen
tmp=$(mktemp -d)
dom0= # QEMU's process, since a row has wanted a dom0 that serves
without_dom0=
trap '[ -z "$dom0" ] || { kill "$dom0"; wait "$dom0"; } 2> "$tmp/err" || :; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
patterns=("$@")

skipped() {
    echo "bench-xen: skipped: $*" >&2
    exit 0
}

# ------------------------------------------------------------------------------------------------------- the peer --

# unpacked SUITE DIR PACKAGES [FILE...]: all of it, or the files that are named so, or nothing, as in setup.sh.
unpacked() {
    local to=$peer/$2 deb
    [ ! -d "$to" ] || return 0
    [ -z "$JSON" ] || return
    rm -rf "$to.new"
    # shellcheck disable=SC2086 # several packages
    scripts/fetch.sh "$1" "$to.new" $3 >&2 || return
    while read -r deb; do
        dpkg-deb -f "$deb" Package Version | sed 's/^[^ ]* //' | paste -sd ' ' >> "$to.new/versions"
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to.new" --no-same-owner --wildcards "${@:4}" || return
        rm "$deb"
    done < <(find "$to.new" -maxdepth 1 -name '*.deb')
    mv "$to.new" "$to"
}

peer_fetch() {
    local own
    own=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
    unpacked bookworm xen xen-hypervisor-4.17-amd64 || skipped "Debian's package of Xen 4.17 cannot be had"
    [ "$own" != bookworm ] || unpacked bookworm-backports qemu +qemu-system-x86 ||
        echo "bench-xen: no QEMU 10 from Debian 12's backports: Debian 12's own is taken" >&2
    unpacked "$own" qemu +qemu-system-x86 || skipped "Debian's package of QEMU cannot be had"

    [ -e "$peer/xen/xen" ] || gzip -dc "$peer/xen/boot/xen-4.17-amd64.gz" > "$peer/xen/xen" ||
        skipped "the package of Xen does not hold what it held"
}

# What a dom0 needs that has devices for others: drivers, which Debian's kernel has as modules, and Xen's tools.
modules='brd llc stp bridge xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc xen-blkback xen-netback'
tools='xen-utils-4.17 xenstore-utils libxenmisc4.17 libxenstore4 libxentoolcore1 libxencall1 libxendevicemodel1
    libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxentoollog1
    libc6 libgcc-s1 liblzma5 libuuid1 libyajl2 zlib1g libzstd1'

# Its kernel and initrd.
dom0_fetch() {
    local module wanted=() files=() program
    for module in $modules; do
        wanted+=("*/$module.ko")
    done
    unpacked bookworm linux @linux-image-amd64:linux-image- './boot/vmlinuz*' "${wanted[@]}" &&
        unpacked bookworm tools "$tools" && scripts/assets.sh busybox >&2 || return
    for program in xl xenstored xenconsoled xen-init-dom0; do
        files+=("$peer/tools/usr/lib/xen-4.17/bin/$program")
    done
    mapfile -t -O "${#files[@]}" files < <(
        find "$peer/tools" -path '*-linux-gnu/*.so.*' -o -name 'xenstore-write'
        find "$peer/linux" -name '*.ko'
    )
    scripts/mkinitrd.sh "$peer/dom0" "$assets/busybox" scripts/bench_dom0.sh "${files[@]}" \
        "$bench/blk" "$bench/store" build/guests/netecho
}

# ------------------------------------------------------------------------------------------------------- one run --

# cpu EXPECTED COMMAND... : into $seconds, what CPU time it takes. It must print EXPECTED, or all is over.
cpu() {
    local expected=$1 status=0 TIMEFORMAT='%3U %3S'
    shift
    { time timeout --foreground 600 "$@" < /dev/null > "$tmp/out" 2> "$tmp/err"; } 2> "$tmp/time" || status=$?
    seconds=$(awk 'END { print $1 + $2 }' "$tmp/time")
    ! grep -qF "$expected" "$tmp/out" || return 0
    echo "bench-xen: \"$expected\" did not come (status $status) from: $*" >&2
    tail -n 5 "$tmp/out" "$tmp/err" >&2
    return 1
}

# here EXPECTED ARGUMENT...
here() { cpu "$1" "$XENLAB" run -q "${@:2}"; }

# qemu MIB MODULES: into $qemu, the command that starts Xen with a dom0 of so much memory. MODULES: a kernel, its
# command line, a comma, an initrd. What Xen does against the faults of real processors is off, as there are none here.
# -no-reboot: when dom0 reboots, QEMU ends.
qemu() {
    local lib options
    lib=lib/$(gcc -print-multiarch)
    options="console=com1 loglvl=none guest_loglvl=none bootscrub=0 spec-ctrl=no xpti=0 dom0_max_vcpus=1"
    qemu=(env LD_LIBRARY_PATH="$PWD/$peer/qemu/usr/$lib:$PWD/$peer/qemu/$lib" "$peer/qemu/usr/bin/qemu-system-x86_64"
        -L "$peer/qemu/usr/share/qemu" -L "$peer/qemu/usr/share/seabios" -L /usr/share/qemu -L /usr/share/seabios
        -accel tcg -m 512 -nodefaults -display none -monitor none -serial stdio -no-reboot -kernel "$peer/xen/xen"
        -append "$options dom0_mem=$1M,max:$1M" -initrd "$2")
}

# there EXPECTED MIB MODULES: under Xen, as dom0.
there() {
    qemu "$2" "$3"
    cpu "$1" "${qemu[@]}"
}

# dom0_says LINE: it says so, or all is over. What comes before goes to $tmp/out.
dom0_says() {
    local line=
    : > "$tmp/out"
    until [ "$line" = "$1" ]; do
        read -r -t 600 line <&4 || {
            echo "bench-xen: dom0 does not say \"$1\"" >&2
            tail -n 5 "$tmp/out" >&2
            return 1
        }
        line=${line//$'\r'/}
        echo "$line" >> "$tmp/out"
    done
}

dom0_start() {
    mkfifo "$tmp/to" "$tmp/from"
    qemu 320 "$(find "$peer/linux/boot" -name 'vmlinuz*') console=hvc0 quiet mitigations=off,$peer/dom0"
    "${qemu[@]}" < "$tmp/to" > "$tmp/from" 2> "$tmp/err" &
    dom0=$!
    exec 3> "$tmp/to" 4< "$tmp/from"
    dom0_says 'bench: ready'
}

# dom0_ready: whether there is one that serves; the first time it is fetched and started.
dom0_ready() {
    [ -z "$dom0$without_dom0" ] || return "${without_dom0:-0}"
    dom0_fetch && dom0_start && return
    without_dom0=1
    echo "bench-xen: no dom0 that serves guests can be had: the lines of disk, network and xenstore are left out" >&2
    return 1
}

dom0_end() {
    [ "$dom0" ] && [ -z "$without_dom0" ] || return 0
    echo >&3
    wait "$dom0"
    dom0=
}

dom0_cpu() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$dom0/stat"; }

# served EXPECTED LINE: a guest of dom0's, as bench_dom0.sh has it.
served() {
    local before
    before=$(dom0_cpu)
    echo "$2" >&3
    dom0_says 'bench: done' || return
    seconds=$(echo "$(dom0_cpu) $before" | awk '{ print $1 - $2 }')
    ! grep -qF "$1" "$tmp/out" || return 0
    echo "bench-xen: \"$1\" did not come from: $2" >&2
    tail -n 5 "$tmp/out" >&2
    return 1
}

# ------------------------------------------------------------------------------------------------------ the table --

wanted() {
    local pattern
    [ ${#patterns[@]} -gt 0 ] || return 0
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053 # it is a pattern
        [[ $1 != $pattern ]] || return 0
    done
    return 1
}

# show NAME AIM: of the lines "here there" of $tmp/samples, the median of each and of their ratios. Rates; with a dash
# before them, seconds.
show() {
    awk -v name="$1" -v aim="$2" -v json="$JSON" '
        function median(v, n,   i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
            return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
        }
        function text(x) {
            if (x < 0) return sprintf("%.2f s", -x)
            return x >= 1e6 ? sprintf("%.2f M/s", x / 1e6) : x >= 1e3 ? sprintf("%.1f k/s", x / 1e3) : sprintf("%.1f /s", x)
        }
        { here[NR] = $1; there[NR] = $2; ratio[NR] = $1 > 0 ? $1 / $2 : $2 / $1 }
        END {
            r = median(ratio, NR)
            if (json) {
                printf "{\"name\": \"beside Xen in QEMU, %s\", \"value\": %.2f, \"unit\": \"times\", \"runs\": %d}\n", name, r, NR
                exit
            }
            printf "%-44s %12s %12s %8.2f %5s %s\n", name, text(median(here, NR)), text(median(there, NR)), r, aim,
                aim != "" && r < aim + 0 ? "not yet" : ""
        }' "$tmp/samples"
}

# sample N FEW MANY N FEW MANY: the rates here and there, if N operations are the difference between few and many.
sample() {
    echo "$@" | awk '{ a = $3 - $2; b = $6 - $5; print $1 / (a > 0 ? a : 1e-3), $4 / (b > 0 ? b : 1e-3) }'
}

# compare NAME AIM HERE THERE N TIMES: called with a number, HERE and THERE do so many operations. N of them there, and
# TIMES as many here, take a second or some more. Many less few, each.
compare() {
    local name=$1 aim=$2 here=$3 there=$4 n=$5 m=$(($5 * $6)) i few_here many_here few_there many_there
    wanted "$name" || return 0
    : > "$tmp/samples"
    for ((i = 0; i < RUNS; i++)); do
        $here $((m / 100))
        few_here=$seconds
        $there $((n / 100))
        few_there=$seconds
        $here "$m"
        many_here=$seconds
        $there "$n"
        many_there=$seconds
        sample $((m - m / 100)) "$few_here" "$many_here" $((n - n / 100)) "$few_there" "$many_there" >> "$tmp/samples"
    done
    show "$name" "$aim"
}

# row NAME AIM GUEST OP N TIMES: of a bench guest's operation, with nobody but Xen.
row() {
    local guest=$bench/$3 op=$4
    alone_here() { here "$op $1 ok" --cmdline "op=$op n=$1 domid=1" "$guest"; }
    alone_there() { there "$op $1 ok" 64 "$guest op=$op n=$1 domid=0"; }
    compare "$1" "$2" alone_here alone_there "$5" "$6"
}

# served_row NAME AIM DEVICE GUEST EXPECTED COMMAND-LINE N TIMES OPTION...: of a guest that dom0 serves. In EXPECTED, N
# stands for the number.
served_row() {
    local device=$3 guest=$4 expected=$5 line=$6
    local options=("${@:9}")
    wanted "$1" && dom0_ready || return 0
    served_here() { here "${expected/N/$1}" "${options[@]}" --cmdline "$line n=$1" "$guest"; }
    served_there() { served "${expected/N/$1}" "$device ${guest##*/} $line n=$1"; }
    compare "$1" "$2" served_here served_there "$7" "$8"
}

disk_row() { served_row "block: $1" 3 disk $bench/blk "$2 N ok" "op=$2" "$3" "$4" --disk "$tmp/disk"; }
store_row() { served_row "xenstore: $1" 3 none $bench/store "$2 N ok" "op=$2" "$3" "$4"; }

# net_row SIZE DEPTH N TIMES: a frame goes there and back between two guests.
net_row() {
    served_row "net: $1 bytes there and back, $2 at once" 3 net build/guests/netecho "N frames of $1 bytes there and back" \
        "bare=1 size=$1 depth=$2" "$3" "$4" --copies 2 --net bench
}

# Linux, the generic kernel, with the same initrd here and there: its start, and then what processes do most.
linux() {
    local kernel=$assets/vmlinuz-generic initrd=$peer/initrd i work what forks_here bytes_here forks_there bytes_there
    local few_here few_there
    local -A t
    wanted Linux || return 0
    scripts/assets.sh generic busybox >&2 && [ -r "$kernel" ] && [ -r "$assets/busybox" ] || {
        echo "bench-xen: Linux cannot be had: its lines are left out" >&2
        return 0
    }
    cat > "$tmp/script" << 'END'
read -r cmdline < /proc/cmdline
forks=${cmdline##*forks=} bytes=${cmdline##*bytes=}
forks=${forks%% *} bytes=${bytes%% *} i=0
while [ $i -lt $forks ]; do
    /bin/busybox true
    i=$((i + 1))
done
dd if=/dev/zero of=/dev/null bs=1 count=$bytes 2> /dev/null
echo "done: $i processes, $bytes bytes"
reboot -f
END
    scripts/mkinitrd.sh "$initrd" "$assets/busybox" "$tmp/script"
    : > "$tmp/start"
    : > "$tmp/forks"
    : > "$tmp/bytes"
    for ((i = 0; i < RUNS; i++)); do
        # Processes and bytes: few, and then many of the one or the other, as many as take seconds.
        for work in few:1:1:1:1 forks:1001:1:601:1 bytes:1:1000001:1:150001; do
            IFS=: read -r what forks_here bytes_here forks_there bytes_there <<< "$work"
            here "done: $forks_here processes, $bytes_here bytes" --memory 256 --ramdisk "$initrd" \
                --cmdline "console=hvc0 quiet forks=$forks_here bytes=$bytes_here" "$kernel"
            t[here]=$seconds
            there "done: $forks_there processes, $bytes_there bytes" 256 \
                "$kernel console=hvc0 quiet forks=$forks_there bytes=$bytes_there,$initrd"
            t[there]=$seconds
            if [ "$what" = few ]; then
                few_here=${t[here]} few_there=${t[there]}
                echo "-$few_here -$few_there" >> "$tmp/start"
            else
                sample $((forks_here + bytes_here - 2)) "$few_here" "${t[here]}" \
                    $((forks_there + bytes_there - 2)) "$few_there" "${t[there]}" >> "$tmp/$what"
            fi
        done
    done
    cp "$tmp/start" "$tmp/samples" && show 'Linux: start to a shell script' ''
    cp "$tmp/forks" "$tmp/samples" && show 'Linux: fork, exec and exit' 10
    cp "$tmp/bytes" "$tmp/samples" && show 'Linux: read and write of one byte' 10
}

[ -r scripts/bench_xen.sh ] || {
    echo "bench-xen: run me from the project's root" >&2
    exit 1
}
mkdir -p "$peer"
peer_fetch
there 'null 1 ok' 64 "$bench/hypercall op=null n=1" 2> "$tmp/why" || {
    cat "$tmp/why" >&2
    skipped "Xen does not start its dom0 in this QEMU"
}

versions() {
    sed -n 's/^qemu-system-x86 .*:/QEMU /p; s/^xen-hypervisor-[^ ]* /Xen /p' "$peer/qemu/versions" "$peer/xen/versions" |
        paste -sd ,
}
load() { cut -d ' ' -f 1 /proc/loadavg; }
load=$(load)
[ "$JSON" ] || printf '%-44s %12s %12s %8s %5s\n' "per second of CPU" "xenlab" "Xen in QEMU" "ratio" "aim"
row 'null hypercall' 5 hypercall null 7000000 4
row 'hypercall in a multicall of 32' 5 hypercall multicall 9600000 4
row 'stack_switch' 5 hypercall stack 8000000 3
row 'set_segment_base' 5 hypercall segment 6000000 4
row 'read of CR0' 5 trap cr0 700000 5
row '#UD to the handler and iret' 5 trap exception 1100000 5
row '#PF to the handler and iret' 5 trap pagefault 800000 5
row 'page-table write by ptwr' 5 trap ptwr 500000 5
row 'mmu_update of one' 5 mmu update 1500000 8
row 'mmu_update of 32, updates' 5 mmu update32 2560000 40
row 'update_va_mapping with INVLPG' 5 mmu va 1200000 8
row 'pin and unpin of a full L1' 5 mmu pin1 12000 40
row 'pin and unpin of an L4 tree' 5 mmu pin4 8000 50
row 'grant map and unmap' 5 grant map 220000 8
row 'grant copy of 4 KiB' 5 grant copy 1000000 4
row 'event to a masked port' 5 event masked 4000000 4
row 'event, upcall and iret' 5 event send 1200000 4
row 'user mode: SYSCALL and back' 10 trap syscall 120000 30
row 'user mode: INT and back' 10 trap int 140000 20
row 'loop: ALU' 1 cpu alu 500000000 1
row 'loop: branches' 1 cpu branch 400000000 1
row 'loop: copy of 4 KiB' 1 cpu copy 2000000 1
row 'loop: REP MOVSQ of 4 KiB' 1 cpu movs 1200000 8
row 'loop: call and return' 1 cpu call 80000000 2
linux
truncate -s 16M "$tmp/disk"
disk_row '4 KiB read at random' read 40000 10
disk_row '4 KiB written at random' write 30000 10
disk_row '4 KiB read, one after the other' one 5000 40
disk_row '1 MiB read in order' read1m 500 4
disk_row '1 MiB written in order' write1m 700 3
net_row 60 1 5000 10
net_row 60 64 100000 4
net_row 1514 64 50000 6
store_row 'a node read' read 4000 80
store_row 'a node written' write 3000 100
store_row 'a transaction of four requests' tx 800 100
dom0_end
[ -z "$JSON" ] || exit 0
cat << END

$(versions). The load of the machine was $load, and is $(load).
Under Xen the guest is dom0, which prints by a hypercall and not by a ring. Its privileges change nothing else here: it reads
CR0, maps grants of its own and sends itself events as any other guest does. XPTI and what Xen does against speculation are
off. Guests with a disk, a network or xenstore are served by a dom0 there, whose disk is memory; here it is a file.
END
