#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# assets.sh: real guests for the tests, unpacked from Debian 12's packages below build/assets, never installed:
#
#   grub-x86_64-xen.bin, grub-i386-xen.bin   GRUB as a PV kernel, 64 and 32 bits
#   vmlinuz-cloud, vmlinuz-generic           Debian's Linux kernels (bzImages that are PV, PVH and HVM kernels at once)
#   busybox                                  a static user land for an initrd
#
# The suite is fixed, so that every machine tests the same guests. An asset that is there is not fetched again.
set -eu

suite=bookworm
[ -r tools/assets.sh ] || { echo "assets: run me from the project's root" >&2; exit 1; }
mkdir -p build/assets

# have LINK...: whether all of these assets are there.
have() {
    for link in "$@"; do
        [ -r "build/assets/$link" ] || return 1
    done
}

want=
have grub-x86_64-xen.bin grub-i386-xen.bin || want="$want grub-xen-host"
have busybox || want="$want busybox-static"
have vmlinuz-cloud || want="$want @linux-image-cloud-amd64:linux-image-"
have vmlinuz-generic || want="$want @linux-image-amd64:linux-image-"
[ -n "$want" ] || exit 0

debs=build/assets/debs
rm -rf "$debs"
tools/fetch.sh "$suite" "$debs" $want
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
