#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_xen.sh [PATTERN...]: the same guests here and under Xen in QEMU, per second of CPU, as a table with ratios. With
# patterns, only the lines whose names fit one.
#
# Concept: the other way to run a PV guest without root or VT-x is the real Xen in QEMU, which emulates the same kind of
# processor by translating code, as Unicorn does here. So both are given the same kernel and the same work, in turns,
# and what counts is the CPU time of the whole process. A bench guest does n operations; of a small and a large n the
# difference is that of the operations alone, without QEMU's BIOS, Xen's start and ours. Each line is a median of $RUNS
# such pairs, and there are enough operations to outweigh what Xen's start varies by, since that waits in loops for the
# clock.
#
# Xen starts its guest as dom0, since a toolstack would need a Linux to run on: see the notes below the table.
#
# Both come from Debian's packages, which are unpacked below build/deps and not installed: Xen 4.17, and QEMU 10 from
# Debian 12's backports, or the machine's own release's. What cannot be had is said, and nothing is measured: that is no
# failure.
set -euf
: "${XENLAB:=./xenlab}" "${RUNS:=3}"
export LC_ALL=C
bench=build/guests/bench
assets=build/assets
peer=build/deps/bench-xen
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
patterns=("$@")

skipped() {
    echo "bench-xen: skipped: $*" >&2
    exit 0
}

# ------------------------------------------------------------------------------------------------------- the peer --

# unpacked SUITE DIR PACKAGE : all of it or nothing, as in setup.sh.
unpacked() {
    local to=$peer/$2 deb
    [ ! -d "$to" ] || return 0
    rm -rf "$to.new"
    scripts/fetch.sh "$1" "$to.new" "$3" >&2 || return
    while read -r deb; do
        dpkg-deb -f "$deb" Package Version | sed 's/^[^ ]* //' | paste -sd ' ' >> "$to.new/versions"
        dpkg -x "$deb" "$to.new"
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

# there EXPECTED MIB MODULES: under Xen, as dom0 with so much memory. MODULES: a kernel, its command line, a comma, an
# initrd. What Xen does against the faults of real processors is off, as there are none here. -no-reboot: when dom0
# reboots, QEMU ends.
there() {
    local lib
    lib=lib/$(gcc -print-multiarch)
    cpu "$1" env LD_LIBRARY_PATH="$PWD/$peer/qemu/usr/$lib:$PWD/$peer/qemu/$lib" "$peer/qemu/usr/bin/qemu-system-x86_64" \
        -L "$peer/qemu/usr/share/qemu" -L "$peer/qemu/usr/share/seabios" -L /usr/share/qemu -L /usr/share/seabios \
        -accel tcg -m 512 -nodefaults -display none -monitor none -serial stdio -no-reboot -kernel "$peer/xen/xen" \
        -append "console=com1 loglvl=none guest_loglvl=none bootscrub=0 spec-ctrl=no xpti=0 dom0_max_vcpus=1 dom0_mem=$2M" \
        -initrd "$3"
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
    awk -v name="$1" -v aim="$2" '
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
            printf "%-44s %12s %12s %8.2f %5s %s\n", name, text(median(here, NR)), text(median(there, NR)), r, aim,
                aim != "" && r < aim + 0 ? "not yet" : ""
        }' "$tmp/samples"
}

# sample N FEW MANY N FEW MANY: the rates here and there, if N operations are the difference between few and many.
sample() {
    echo "$@" | awk '{ a = $3 - $2; b = $6 - $5; print $1 / (a > 0 ? a : 1e-3), $4 / (b > 0 ? b : 1e-3) }'
}

# row NAME AIM GUEST OP N TIMES: N operations there, and TIMES as many here, take about a second. Many less few, each.
row() {
    local name=$1 aim=$2 guest=$bench/$3 op=$4 n=$5 times=$6 self_here=1 self_there=0
    local i m few_here many_here few_there many_there
    wanted "$name" || return 0
    m=$((n * times))
    : > "$tmp/samples"
    for ((i = 0; i < RUNS; i++)); do
        here "$op $((m / 100)) ok" --cmdline "op=$op n=$((m / 100)) domid=$self_here" "$guest"
        few_here=$seconds
        there "$op $((n / 100)) ok" 64 "$guest op=$op n=$((n / 100)) domid=$self_there"
        few_there=$seconds
        here "$op $m ok" --cmdline "op=$op n=$m domid=$self_here" "$guest"
        many_here=$seconds
        there "$op $n ok" 64 "$guest op=$op n=$n domid=$self_there"
        many_there=$seconds
        sample $((m - m / 100)) "$few_here" "$many_here" $((n - n / 100)) "$few_there" "$many_there" >> "$tmp/samples"
    done
    show "$name" "$aim"
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
printf '%-44s %12s %12s %8s %5s\n' "per second of CPU" "xenlab" "Xen in QEMU" "ratio" "aim"
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
cat << END

$(versions). The load of the machine was $load, and is $(load).
Under Xen the guest is dom0, which prints by a hypercall and not by a ring. Its privileges change nothing else here: it reads
CR0, maps grants of its own and sends itself events as any other guest does. XPTI and what Xen does against speculation are
off.
END
