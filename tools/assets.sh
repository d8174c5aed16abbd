#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# assets.sh: real guests for the tests, unpacked from Debian's packages below build/assets, never installed:
#
#   grub-x86_64-xen.bin, grub-i386-xen.bin   GRUB as a PV kernel, 64 and 32 bits
#   vmlinuz-cloud, vmlinuz-generic           Debian 12's Linux kernels (bzImages that are PV, PVH and HVM kernels at once)
#   busybox                                  a static user land for an initrd
#
# The suite of these is fixed, so that every machine tests the same guests. Two more kernels show that newer ones run; they can be
# missing (a warning says so, and the tests that want them are skipped), and the second is a new one now and then:
#
#   vmlinuz-trixie                           Debian 13's (Linux 6.12)
#   vmlinuz-sid                              the newest that Debian has (Linux 7 or later)
#
# An asset that is there is not fetched again.
set -eu

[ -r tools/assets.sh ] || { echo "assets: run me from the project's root" >&2; exit 1; }
mkdir -p build/assets
debs=build/assets/debs

# have LINK...: whether all of these assets are there.
have() {
    for link in "$@"; do
        [ -r "build/assets/$link" ] || return 1
    done
}

# fetch SUITE PACKAGE...: as for fetch.sh, into $debs.
fetch() {
    rm -rf "$debs"
    tools/fetch.sh "$1" "$debs" $2
}

# newer SUITE PACKAGE: the kernel in it becomes vmlinuz-SUITE.
newer() {
    have "vmlinuz-$1" && return
    if fetch "$1" "$2" && dpkg-deb --fsys-tarfile "$debs"/*.deb | tar -x -O --wildcards '*/vmlinuz*' > "$debs/kernel"; then
        mv "$debs/kernel" "build/assets/vmlinuz-$1"
    else
        echo "assets: no kernel of Debian $1: the tests that want it are skipped" >&2
    fi
    rm -rf "$debs"
}

want=
have grub-x86_64-xen.bin grub-i386-xen.bin || want="$want grub-xen-host"
have busybox || want="$want busybox-static"
have vmlinuz-cloud || want="$want @linux-image-cloud-amd64:linux-image-"
have vmlinuz-generic || want="$want @linux-image-amd64:linux-image-"
if [ -n "$want" ]; then
    fetch bookworm "$want"
    for deb in "$debs"/*.deb; do
        # Of a kernel package (400 MB of modules) only the kernel.
        case $deb in
        */linux-image-*) only='./boot' ;;
        *) only= ;;
        esac
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C build/assets --no-same-owner $only
    done
    rm -rf "$debs"

    # Names that stay the same from version to version.
    cd build/assets
    for grub in x86_64 i386; do
        ln -sf "usr/lib/grub-xen/grub-$grub-xen.bin" "grub-$grub-xen.bin"
    done
    ln -sf bin/busybox busybox
    for kernel in boot/vmlinuz-*; do
        case $kernel in
        *-cloud-amd64) ln -sf "$kernel" vmlinuz-cloud ;;
        *) ln -sf "$kernel" vmlinuz-generic ;;
        esac
    done
    cd ../..
    have grub-x86_64-xen.bin grub-i386-xen.bin busybox vmlinuz-cloud vmlinuz-generic || {
        echo "assets: Debian's packages no longer hold what they held:" >&2
        find build/assets -type l ! -exec test -e {} \; -print >&2
        exit 1
    }
fi

newer trixie @linux-image-cloud-amd64:linux-image-
newer sid @linux-image-cloud-amd64:linux-image-:linux-binary-
