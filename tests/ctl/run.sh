#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: xenlab ctl with running machines: what it prints, what it refuses, several machines by name; Debian's Linux,
# which shuts down, reboots, takes a vCPU off and gives memory back when it is asked; and runs to which all that was
# done, repeated without anybody.
set -u

: "${XENLAB:=./xenlab}"
assets=$PWD/build/assets
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
machines=
trap 'for m in $machines; do kill $m 2> /dev/null; done; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export XDG_RUNTIME_DIR="$tmp/runtime"
mkdir "$XDG_RUNTIME_DIR"

good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL  $1"
    sed 's/^/      /' "$tmp/out"
}

ctl() { timeout 60 "$XENLAB" ctl "$@" > "$tmp/out" 2>&1 < /dev/null; }

# says TEXT ARGUMENT...: it ends well, and prints this (a pattern of grep; nothing if it is empty).
says() {
    text=$1
    shift
    if ctl "$@" && if [ -z "$text" ]; then ! [ -s "$tmp/out" ]; else grep -q -e "$text" "$tmp/out"; fi; then
        good
    else
        bad "ctl $*"
    fi
}

# refused TEXT ARGUMENT...: status 1, and that is said.
refused() {
    text=$1
    shift
    ctl "$@"
    if [ $? -eq 1 ] && grep -q -e "$text" "$tmp/out"; then good; else bad "ctl $*: not refused so"; fi
}

# start LOG ARGUMENT...: a machine in the background; its number in $machine.
start() {
    log=$1
    shift
    "$XENLAB" run -q --max-vtime 100s "$@" < /dev/null > "$tmp/$log" 2>&1 &
    machine=$!
    machines="$machines $machine"
}

# until TEXT ARGUMENT...: as soon as it says so.
until_says() {
    text=$1 tries=0
    shift
    while ! { ctl "$@" && grep -q -e "$text" "$tmp/out"; }; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || break
        sleep 0.1
    done
    if [ $tries -lt 300 ]; then good; else bad "ctl $*: never"; fi
}

# ends STATUS: the machine does, so.
ends() {
    wait "$machine"
    status=$?
    if [ $status -eq "$1" ]; then good; else : > "$tmp/out"; bad "the machine ended with status $status, not $1"; fi
}

# --- a machine, and what it says ---

start log --control "$tmp/socket" --record "$tmp/recording" --name one build/guests/idle
until_says '^1$' --control "$tmp/socket" domid one
mode=$(stat -c %a "$tmp/socket")
if [ "$mode" = 600 ]; then good; else bad "the socket's mode is $mode"; fi
says '^one  *1  *64  *1  *-b----' --control "$tmp/socket" list
says '^Name  *ID  *VCPU  *CPU' --control "$tmp/socket" vcpu-list
says '^xen_version  *: 4\.17' --control "$tmp/socket" info
says '^      NAME  STATE   CPU(sec)' --control "$tmp/socket" top
says '' --control "$tmp/socket" pause one
says ' -bp---' --control "$tmp/socket" list one
says '' --control "$tmp/socket" unpause one
says '' --control "$tmp/socket" rename one uno
says '^uno$' --control "$tmp/socket" domname 1
truncate -s 1M "$tmp/disk.img"
says '' --control "$tmp/socket" block-attach uno "$tmp/disk.img,raw,xvdb,w"
says '^51728 0   1      1     -1     -1       /local/domain/0/backend/vbd/1/51728' --control "$tmp/socket" block-list uno
says '' --control "$tmp/socket" block-resize uno xvdb 2
qemu-img create -q -f qcow2 "$tmp/disk.qcow2" 1M
says '' --control "$tmp/socket" block-attach uno "$tmp/disk.qcow2,qcow2,xvdc,w"
refused 'only files of raw sectors grow' --control "$tmp/socket" block-resize uno xvdc 2
says '' --control "$tmp/socket" network-attach uno bridge=lan mac=00:16:3e:0a:0b:0c
says '^0   0  00:16:3e:0a:0b:0c     0     1     -1    -1/-1          /local/domain/0/backend/vif/1/0' --control "$tmp/socket" network-list uno
says '' --control "$tmp/socket" network-detach --force uno 00:16:3E:0a:0b:0c
refused 'libxl_device_disk_safe_remove failed' --control "$tmp/socket" block-detach uno xvdb
says '' --control "$tmp/socket" block-detach --force uno xvdb
says '' --control "$tmp/socket" debug-keys h
says "'h' pressed" --control "$tmp/socket" dmesg -c
says '' --control "$tmp/socket" dmesg
refused 'invalid domain identifier (rc=-6)' --control "$tmp/socket" list one
refused 'requires at least 1' --control "$tmp/socket" pause
refused 'did you mean' --control "$tmp/socket" lst
refused 'no machine listens' --control "$tmp/other" list
if timeout 60 "$XENLAB" run --control "$tmp/socket" build/guests/idle < /dev/null > "$tmp/out" 2>&1 ||
    ! grep -q 'somebody listens there' "$tmp/out"; then bad "a second machine at the same socket"; else good; fi

says '^uno' --control "$tmp/socket" list
says '' --control "$tmp/socket" destroy uno
ends 0
if [ -e "$tmp/socket" ]; then : > "$tmp/out"; bad "the socket is left"; else good; fi

# The same once more, from its recording.
"$XENLAB" replay -q "$tmp/recording" > "$tmp/again" 2>&1
status=$?
cp "$tmp/again" "$tmp/out"
if [ $status -eq 0 ] && cmp -s "$tmp/log" "$tmp/again"; then good; else bad "the recording ends with status $status"; fi
mv "$tmp/disk.img" "$tmp/moved"
"$XENLAB" replay -q "$tmp/recording" > "$tmp/out" 2>&1
if grep -q 'disk.img: No such file' "$tmp/out"; then good; else bad "a disk that is not there"; fi
truncate -s 1M "$tmp/disk.img"
echo x | dd of="$tmp/disk.img" conv=notrunc 2> /dev/null
"$XENLAB" replay -q "$tmp/recording" > "$tmp/out" 2>&1
if grep -q 'disk.img: not the file of the recording' "$tmp/out"; then good; else bad "another disk of that name"; fi

# A PVH guest, which polls for somebody at its prompt.
if [ -r "$assets/grub-i386-xen_pvh.bin" ]; then
    start pvh --control "$tmp/socket" --type pvh --name grub "$assets/grub-i386-xen_pvh.bin"
    until_says '^grub  *1  *64  *1  ' --control "$tmp/socket" list
    says '' --control "$tmp/socket" pause grub
    says ' --p---' --control "$tmp/socket" list grub
    refused 'grub cannot be cloned: it is a PVH guest' --control "$tmp/socket" clone grub other
    says '' --control "$tmp/socket" destroy grub
    ends 0
else
    skipped=$((skipped + 1))
fi

# The report of a crash says whose doing it was.
start crash --control "$tmp/socket" --on-crash destroy build/guests/idle
until_says '^1$' --control "$tmp/socket" domid idle
says '' --control "$tmp/socket" crash idle
ends 2
cp "$tmp/crash" "$tmp/out"
if grep -q '^Domain 1 (idle) crashed .*: xenlab ctl crash$' "$tmp/out"; then good; else bad "the report of the crash"; fi

# --- several by name ---

start log1 --realtime --control same build/guests/idle
first=$machine
until_says '^1$' --name same domid idle
start log2 --control same-2 build/guests/echo
until_says '^echo' --name same-2 list
refused 'several machines run' list
says '^idle' --name same list
# A console: what is typed, and what comes of it; it ends with its domain.
(sleep 1; echo halloo) | timeout 60 "$XENLAB" ctl --name same-2 console echo > "$tmp/console" 2>&1 &
terminal=$!
tries=0
while ! grep -q halloo "$tmp/console" && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
cp "$tmp/console" "$tmp/out"
if grep -q halloo "$tmp/console"; then good; else bad "console"; fi
says '' --name same-2 destroy echo
wait $terminal
status=$?
if [ $status -eq 0 ]; then good; else bad "a console whose domain is destroyed ends with status $status"; fi
ends 0
says '^idle' list
kill "$first" 2> /dev/null
wait "$first"

# --- Linux ---

if [ -e "$assets/vmlinuz-cloud" ] && [ -e "$assets/initrd" ]; then
    start linux.log --control lin --realtime --record "$tmp/recording" --name lin --vcpus 2 --pcpus 2 --memory 256 \
        --on-reboot restart --cmdline console=hvc0 --ramdisk "$assets/initrd" "$assets/vmlinuz-cloud"
    tries=0
    while ! grep -q 'initrd#' "$tmp/linux.log" 2> /dev/null && [ $tries -lt 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    says '' --name lin vcpu-set lin 1
    until_says '^lin  *1  *1  *-  *--p ' --name lin vcpu-list
    says '' --name lin mem-set lin 200
    until_says '^lin  *1  *200  *1 ' --name lin list
    says '' --name lin vcpu-set lin 2 # Linux waits for somebody who wants it online
    (sleep 1; echo 'echo 1 > /sys/devices/system/cpu/cpu1/online'; sleep 1) |
        timeout 3 "$XENLAB" ctl --name lin console lin > "$tmp/out" 2>&1
    until_says '^lin  *1  *200  *2 ' --name lin list
    says 'Domain 1 has been shut down, reason code 1' --name lin reboot -w lin
    until_says '^2$' --name lin domid lin
    tries=0
    while [ "$(grep -c 'initrd#' "$tmp/linux.log" 2> /dev/null)" -lt 2 ] && [ $tries -lt 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    says 'Domain 2 has been shut down, reason code 0' --name lin shutdown -w lin
    ends 0
    "$XENLAB" replay -q "$tmp/recording" > "$tmp/again" 2>&1
    status=$?
    cmp "$tmp/linux.log" "$tmp/again" > "$tmp/out" 2>&1 || status=differs
    if [ $status = 0 ]; then good; else bad "Linux, repeated: $status"; fi
else
    echo "SKIP  ctl: no Debian kernel or initrd: make shown fetches them"
    skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
