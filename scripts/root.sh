#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# root.sh DIR: a fresh Debian 12 in DIR, as small as debootstrap makes it: what a container "debian:12" is. Its archive
# is that of this machine's apt, whose configuration it gets, too. Kept as build/roots/bookworm.tar: the next one needs
# no network. Wants root and debootstrap.
set -eu

die() {
    echo "root: $*" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || die "only root can make a root to change into (chroot); type: sudo make ..."
command -v debootstrap > /dev/null || die "no debootstrap; type: sudo apt-get install debootstrap"
kept=build/roots/bookworm.tar
if [ ! -e "$kept" ]; then
    mkdir -p build/roots
    rm -rf build/roots/new
    archive=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | sed -n 's/ bookworm$//p' | head -n 1)
    [ -n "$archive" ] || die "this machine's apt has no Debian 12 (bookworm)"
    debootstrap --variant=minbase bookworm build/roots/new "$archive" > build/roots/log 2>&1 || die "debootstrap: see build/roots/log"
    for file in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/apt.conf.d/*; do
        case $file in
        *docker*) ;; # what a container's apt throws away
        *) [ ! -r "$file" ] || install -D -m 644 "$file" "build/roots/new$file" ;;
        esac
    done
    tar -C build/roots/new -cf "$kept.new" .
    mv "$kept.new" "$kept"
    rm -rf build/roots/new
fi
mkdir -p "$1"
tar -C "$1" -xf "$kept"
cp /etc/resolv.conf /etc/hosts "$1/etc/"
