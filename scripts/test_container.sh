#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_container.sh: what Containerfile says, executed in a fresh Debian 12 (scripts/root.sh) instead of by podman:
# RUN by root there, COPY of what git knows; then a lab by a student. It takes some minutes (a build), and the network;
# as root. test_container.sh --steps: only what would be executed; FROM and others that say nothing to a chroot are
# checked, not executed.
set -eu

# steps: KIND and the rest, a line each. What is not known is an error: nothing is passed over.
steps() {
    awk '
        /^#/ || /^$/ { next }
        $1 == "FROM" && $2 == "debian:12" { next }
        NF > 1 && ($1 == "RUN" || $1 == "COPY" || $1 == "USER" || $1 == "WORKDIR" || $1 == "CMD") { print; next }
        { print "Containerfile: not understood: " $0 > "/dev/stderr"; exit 1 }' Containerfile
}

if [ "${1:-}" = --steps ]; then
    steps
    exit
fi

root=build/roots/container
mounted() { ! mountpoint -q "$root/proc" || umount -l "$root/proc"; }
trap 'mounted; rm -rf "$root" "$root.steps"' EXIT
trap 'exit 130' INT TERM
mounted
rm -rf "$root"
scripts/root.sh "$root"
mount -t proc proc "$root/proc"
steps > "$root.steps"
user=root
while read -r kind rest; do
    echo "$kind $rest"
    case $kind in
    RUN) chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c "$rest" \
        < /dev/null > "$root.log" 2>&1 || { tail -n 20 "$root.log" && exit 1; } ;;
    COPY)
        [ "$rest" = ". /src/xenlab" ] || { echo "COPY: not understood: $rest" && exit 1; }
        mkdir -p "$root/src/xenlab"
        git ls-files -z | xargs -0 cp --parents -P -t "$root/src/xenlab"
        ;;
    USER) user=$rest ;;
    esac
done < "$root.steps"

# As the container's user: a lab, from beginning to end.
cp vcpu/pv/emulate.c "$root/home/student/"
chmod a+r "$root/home/student/emulate.c"
chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin /usr/sbin/runuser -u "$user" -- env HOME=/home/student sh -c '
    cd && xenlab lab start 01 && { xenlab lab check 01 > said; [ $? = 2 ]; } && grep "^FAIL  01.1" said &&
        cp emulate.c 01-trap-and-emulate && xenlab lab check 01' > "$root.log" 2>&1 || { tail -n 20 "$root.log" && exit 1; }
echo "the container's steps hold, and its user can do a lab"
