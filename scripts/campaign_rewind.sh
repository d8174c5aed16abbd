#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_rewind.sh SEEDS [PLACES [SYSTEM...]]: whole HVM and PVH machines, each with its devices in dom0, in a domain
# of their own and in the hypervisor: is one the same at a position, whichever way it has come there? $XENLAB is the
# program (./xenlab), $DEVICE_MODELS where devices are, if not at all three.
#
# Concept: a system runs once, typed at if it wants that, and is recorded. Then PLACES (10) random positions of it, half
# of them in time and half in instructions, and those around them, are come to
#
#       forward     from the beginning: there, to an exit of some kind (a change of mode, a port, a nested page fault,
#                   an interrupt's window...), two events further, and some single instructions
#       backward    from the end, to those, and between the steps of the hypervisor behind them: there requests are on
#                   their way to a device, interrupts wait
#       at random   by way of checkpoints of one's own, of single steps back and forth, of exits and events and back
#
# and each position has one hash, of all of the machine. The recording is repeated twice, once beside a busy process:
# the same trace, console and screen; and a system with a disk writes the same disk twice.
#
# When could this pass wrongly? If nothing ran, so each has to have said its last line; or if each position was come to
# once, so how many were come to again is counted.
set -eu

seeds=$1 points=${2:-10}
[ $# -lt 2 ] || shift
shift
: "${XENLAB:=./xenlab}"
assets=build/assets
[ $# -gt 0 ] || set -- boot16 modes limits hvmtest64 hvmtest32pae pcdev pvh grub linux memtest ipxe
dir=$(mktemp -d)
busy=
trap '[ -z "$busy" ] || kill $busy; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

wrong=0 visited=0 again=0 runs=0
tell() { echo "$system, devices in $dm, seed $seed: $1"; wrong=$((wrong + 1)); }

# What a system is: the guest, what is done with it (a script for the debugger), its last line, what it needs.
pc() { printf 'type = "hvm"\nmemory = %s\nvcpus = %s\nboot = "d"\ndisk = [ %s ]\n' "$1" "$2" "$3" > "$dir/pc.cfg"; }
cd_of() { echo "\"$PWD/$assets/$1,,hdc,cdrom\""; }
describe() {
    needs= typed='continue' guest="--memory 16" disk=
    case $system in
    boot16) guest="$guest --type hvm build/guests/hvm/boot16" last='boot16: done' ;;
    modes) guest="$guest --type pvh --vcpus 2 --pcpus 2 build/tests/guest/modes" last='modes: done' ;;
    limits) guest="$guest --type hvm --segments exact build/tests/guest/limits" last='limits: 0140' ;;
    hvmtest*) guest="$guest --type hvm build/guests/hvmtest/${system#hvmtest}/$system" last='facts, 0 wrong' ;;
    pcdev)
        disk=$dir/a.img last='pcdev: done'
        guest="$guest --vcpus 3 --pcpus 2 --type hvm --disk $disk,hda build/guests/pcdev/pcdev"
        ;;
    pvh)
        needs="$assets/vmlinuz-cloud $assets/busybox" last='System halted'
        guest="--type pvh --memory 128 --vcpus 4 --pcpus 2 --cmdline console=hvc0 --ramdisk $dir/initrd"
        guest="$guest $assets/vmlinuz-cloud"
        ;;
    grub)
        needs="$assets/hvmloader $assets/grub-rescue-cdrom.iso" last='d1 has shut down, code 0' guest=$dir/pc.cfg
        pc 64 2 "$(cd_of grub-rescue-cdrom.iso)"
        typed='goto 2800ms;input -n c;goto 3600ms;input ls;goto 5000ms;input halt;continue'
        ;;
    linux)
        needs="$assets/hvmloader $assets/grub-rescue-cdrom.iso $assets/vmlinuz-generic $assets/modules/ext4.ko"
        last='reboot: Power down' guest=$dir/pc.cfg disk=$dir/linux.img
        pc 192 2 "\"$disk,,hda,w\", $(cd_of grub-rescue-cdrom.iso)"
        typed='goto 2800ms;input -n c;goto 3600ms;input "linux (hd0)/linux console=hvc0";goto 5s'
        typed="$typed;input \"initrd (hd0)/initrd\";goto 6400ms;input boot;goto 8s;continue"
        ;;
    memtest)
        needs="$assets/hvmloader $assets/memtest86+x64.iso" last='Test #' guest=$dir/pc.cfg typed='goto 6s'
        pc 24 2 "$(cd_of memtest86+x64.iso)"
        ;;
    ipxe)
        needs="$assets/hvmloader $assets/pxe-rtl8139.rom" last='net0:.*using rtl8139' guest=$dir/pc.cfg typed='goto 6s'
        printf 'type = "hvm"\nmemory = 64\nboot = "n"\nvif = [ "bridge=br" ]\n' > "$dir/pc.cfg"
        ;;
    *) echo "campaign_rewind.sh: there is no system \"$system\"" >&2 && exit 2 ;;
    esac
}

make_files() {
    truncate -s 4M "$dir/a.img"
    if [ "$system" = pvh ]; then
        {
            echo 'for i in 1 2 3 4; do dd if=/dev/zero bs=64k count=16 2> /dev/null | md5sum & done'
            echo 'wait; cat /proc/interrupts'
        } > "$dir/init"
        scripts/mkinitrd.sh "$dir/initrd" $assets/busybox "$dir/init"
    fi
    [ "$system" = linux ] || return 0
    modules=
    printf 'mkdir /disk\n' > "$dir/init"
    for m in crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront; do
        modules="$modules $assets/modules/$m.ko"
        echo "insmod /bin/$m.ko" >> "$dir/init"
    done
    {
        echo 'mount /dev/xvda /disk; md5sum /disk/linux > /disk/sum &'
        echo 'md5sum /disk/initrd; wait; umount /disk'
    } >> "$dir/init"
    mkdir -p "$dir/root"
    cp -L $assets/vmlinuz-generic "$dir/root/linux"
    # shellcheck disable=SC2086
    scripts/mkinitrd.sh "$dir/root/initrd" $assets/busybox "$dir/init" $modules
    PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext2 -d "$dir/root" "$dir/linux.img" 24M > /dev/null
}

debug() { timeout 600 "$XENLAB" debug --json "$@" || [ $? = 1 ]; }

# The positions and hashes that a script came to: a line each, POSITION HASH.
places() {
    sed -n -e 's/.*"kind":"stop","pos":"[^#]*\(#[0-9.]*\)".*/\1/p' \
        -e 's/.*"kind":"hash","hash":"\([0-9a-f]*\)".*/= \1/p' "$1" | awk '/^=/ { print at, $2; next } { at = $0 }'
}

# The trace's sum, the console, and the screen.
repeat() {
    mkfifo "$dir/trace"
    sha256sum < "$dir/trace" > "$dir/$1.sum" &
    png=
    grep -q hvm "$dir/run.rec" && png="--fb-png $dir/$1.png"
    # shellcheck disable=SC2086
    "$XENLAB" replay -q --trace "$dir/trace" $png "$dir/run.rec" > "$dir/$1.out" 2> "$dir/$1.err" || [ $? = 3 ] ||
        tell "it cannot be repeated"
    wait $!
    rm "$dir/trace"
    [ -e "$dir/$1.png" ] || : > "$dir/$1.png"
}

# The debugger's scripts for the three ways: the forward one's is made from where the end is (us, instructions), the
# others' from the places that are known by then, so many of them that one way takes as long as another.
places_of() { cut -d ' ' -f 1 "$dir/places" | sort -u | shuf -n "$1" --random-source="$dir/run.rec"; }
forward() {
    awk -v seed="$seed" -v points="$points" -v us="$1" -v insns="$2" 'BEGIN {
        srand(seed)
        nr = split("cr_write io npf intwin wrmsr hlt cpuid exception", kind)
        for (i = 0; i < points; i++)
            at[i] = rand()
        for (i = 0; i < points; i++)
            for (j = i; j && at[j - 1] > at[j]; j--) { t = at[j]; at[j] = at[j - 1]; at[j - 1] = t }
        for (i = 0; i < points; i++) {
            printf (i % 2 ? "goto #%d\nhash\n" : "goto %dus\nhash\n"), at[i] * (i % 2 ? insns : us)
            if (i % 3)
                printf "exit%s\nhash\ne\nhash\ne\nhash\n", rand() < 0.5 ? "" : " kind==" kind[1 + int(nr * rand())]
            printf "%d s\nwhere\nhash\n", 1 + 40 * rand()
        }
    }'
}
backward() {
    places_of $((points * 5)) | sort -t . -k 1.2,1nr -k 2,2nr | awk '{
        split(substr($1, 2), p, ".")
        print "goto " $1 "\nhash"
        for (i = 1; i < 3; i++)
            print "goto #" p[1] "." p[2] + i "\nhash" }'
}
at_random() {
    places_of $((points * 5)) | awk -v seed="$seed" '
        BEGIN { srand(seed) }
        { split(substr($1, 2), p, "."); print "goto " $1 "\nhash" }
        NR % 4 == 0 { n = 1 + int(30 * rand()); print n " S\nwhere\nhash\n" n " s\nwhere\nhash" }
        NR % 4 == 1 { print "X\nhash\nx\nhash" }
        NR % 4 == 2 { print "goto #" int(p[1] * rand()) "\nhash\ncheckpoint\ngoto " $1 "\nhash" }
        NR % 4 == 3 { print "E\nhash\ne\nhash" }'
}

visit() {
    runs=$((runs + 1))
    { echo "$typed" | tr ';' '\n'; echo "record $dir/run.rec"; echo where; echo quit; } > "$dir/script"
    cp "$dir/a.img" "$dir/was.img"
    [ "$system" != linux ] || cp "$disk" "$dir/was.img"
    # shellcheck disable=SC2086
    debug --device-model $dm --seed "$seed" --script "$dir/script" $guest > "$dir/first" 2>&1 || tell "status $?"
    grep -q "$last" "$dir/first" || { tell "its last line, \"$last\", is missing"; tail -3 "$dir/first"; return 0; }
    repeat one
    sh -c 'while :; do :; done' &
    busy=$!
    repeat two
    kill $busy
    busy=
    for what in sum out png; do
        cmp "$dir/one.$what" "$dir/two.$what" || tell "two runs have different ${what}s"
    done
    end=$(sed -n 's/^end #\([0-9]*\)[^ ]* \([0-9]*\).*/\1 \2/p' "$dir/run.rec")
    : > "$dir/places"
    for way in forward backward at_random; do
        if [ $way = forward ]; then
            forward $((${end#* } / 1000)) "${end% *}" > "$dir/script"
        else
            { echo 'goto end'; echo hash; $way; } > "$dir/script"
        fi
        debug --replay "$dir/run.rec" --script "$dir/script" > "$dir/$way" 2>&1 || tell "$way: status $?"
        places "$dir/$way" | sed "s/\$/ $way/" >> "$dir/places"
    done
    n=$(wc -l < "$dir/places") alone=$(cut -d ' ' -f 1 "$dir/places" | sort -u | wc -l)
    cut -d ' ' -f 1,2 "$dir/places" | sort -u | cut -d ' ' -f 1 | uniq -d > "$dir/differ"
    [ ! -s "$dir/differ" ] || { tell "a place is not what it was"; grep -F -w -f "$dir/differ" "$dir/places" | sort; }
    [ "$((n - alone))" -ge "$points" ] || tell "only $((n - alone)) places were come to again"
    visited=$((visited + alone)) again=$((again + n - alone))
    [ -z "$disk" ] || disks
}

# The disk that the guest leaves behind, twice.
disks() {
    { echo "$typed" | tr ';' '\n'; echo quit; } > "$dir/script"
    for i in 1 2; do
        cp "$dir/was.img" "$disk"
        # shellcheck disable=SC2086
        debug --disk-writes exit --device-model $dm --seed "$seed" --script "$dir/script" $guest > "$dir/again" 2>&1 ||
            tell "status $?"
        cp "$disk" "$dir/disk$i"
    done
    cmp "$dir/disk1" "$dir/disk2" || tell "two runs have written different disks"
    ! cmp -s "$dir/disk1" "$dir/was.img" || tell "nothing was written"
    cp "$dir/was.img" "$disk"
}

for system; do
    describe
    for file in $needs; do
        [ -e "$file" ] || { echo "campaign_rewind.sh: there is no $file: $system is not tried" >&2; continue 2; }
    done
    make_files
    for seed in $(seq "$seeds"); do
        for dm in ${DEVICE_MODELS:-dom0 domain xen}; do
            visit
            [ "$system" != modes ] && [ "$system" != pvh ] || break # they have no such devices
        done
    done
done
echo "$runs runs, $visited positions, $again times come to again, $wrong times something was wrong"
[ "$wrong" = 0 ]
