#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# assets.sh [ASSET...]: real guests, unpacked from Debian's packages below build/assets, never installed; without a
# name, all of them:
#
#   grub      grub-x86_64-xen.bin, grub-i386-xen.bin   GRUB as a PV kernel, 64 and 32 bits
#   cloud     vmlinuz-cloud                            Debian 12's Linux kernels (bzImages that are PV, PVH and HVM kernels at
#   generic   vmlinuz-generic                          once)
#             modules/xen-blkfront.ko...               and modules for devices and file systems
#   busybox   busybox                                  a static user land for an initrd
#   firmware  hvmloader, xen-shim, bios-256k.bin (SeaBIOS), vgabios-stdvga.bin, pxe-rtl8139.rom (iPXE)
#                                                      what HVM guests start with; and Xen as a guest
#   pc        grub-rescue-floppy.img, grub-rescue-cdrom.iso, memtest86+x64.iso, gnumach.gz, xen-4.17-amd64.gz
#                                                      disks that a PC starts from; and kernels that want one
#   xenalyze  xenalyze                                 no guest: Xen's own reader of traces
#   xenstore  xenstore-ls..., test-xenstore, xenstored no guests: Xen's own tools for xenstore, and xenstored itself
#   verify    verify-stream-v2                         no guest: Xen's own reader of saved domains
#
# The suite of these is fixed, so that every machine tests the same guests. Two more kernels show that newer ones run;
# they can be missing (a warning says so, and the tests that want them are skipped), and the second is a new one now and
# then:
#
#   trixie    vmlinuz-trixie                           Debian 13's (Linux 6.12)
#   sid       vmlinuz-sid                              the newest that Debian has (Linux 7 or later)
#
# An asset that is there is not fetched again: when all are, no network is used. Who comes while another fetches waits
# for him: `make -j` asks for several at once.
set -eu

[ -r scripts/assets.sh ] || { echo "assets: run me from the project's root" >&2; exit 1; }
[ $# -gt 0 ] || set -- grub cloud generic busybox xenalyze xenstore verify firmware pc trixie sid
mkdir -p build/assets
exec 9> build/assets/lock
flock 9
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
    scripts/fetch.sh "$1" "$debs" $2
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

# What the generic kernel needs to use a disk, below the modules' kernel/, in the order in which they are loaded; and
# what else a guest may want, for which modprobe knows the order.
modules='lib/crc16.ko crypto/crc32c_generic.ko lib/libcrc32c.ko fs/mbcache.ko fs/jbd2/jbd2.ko fs/ext4/ext4.ko
    drivers/block/xen-blkfront.ko drivers/scsi/scsi_common.ko drivers/scsi/scsi_mod.ko drivers/ata/libata.ko
    drivers/ata/ata_piix.ko crypto/crct10dif_common.ko lib/crc-t10dif.ko lib/crc64.ko lib/crc64-rocksoft.ko
    block/t10-pi.ko drivers/scsi/sd_mod.ko
    drivers/net/xen-netfront.ko drivers/net/mii.ko drivers/net/ethernet/realtek/8139cp.ko drivers/net/tun.ko net/llc/llc.ko net/802/stp.ko net/bridge/bridge.ko
    net/9p/9pnet.ko net/9p/9pnet_xen.ko fs/netfs/netfs.ko fs/fscache/fscache.ko fs/9p/9p.ko
    drivers/xen/xen-evtchn.ko drivers/xen/xen-gntdev.ko drivers/xen/xen-gntalloc.ko drivers/xen/xen-privcmd.ko
    drivers/xen/xenfs/xenfs.ko drivers/block/loop.ko fs/overlayfs/overlay.ko fs/isofs/isofs.ko fs/fat/fat.ko
    fs/fat/vfat.ko fs/nls/nls_ascii.ko fs/nls/nls_cp437.ko fs/nls/nls_utf8.ko'

# What is wanted of Debian 12: links below build/assets, and packages that are not there yet.
links= want= newer=
for asset in "$@"; do
    package=
    case $asset in
    grub) names='grub-x86_64-xen.bin grub-i386-xen.bin grub-i386-xen_pvh.bin' package=grub-xen-host ;;
    busybox) names=busybox package=busybox-static ;;
    xenalyze) names=xenalyze package=xen-utils-common ;;
    xenstore)
        names='xenstore-ls test-xenstore xenstored'
        package='xenstore-utils xen-utils-4.17 libxenstore4 libxentoolcore1'
        ;;
    verify) names=verify-stream-v2 package=xen-utils-4.17 ;;
    firmware)
        names='hvmloader xen-shim bios-256k.bin vgabios-stdvga.bin pxe-rtl8139.rom'
        package='xen-utils-4.17 seabios ipxe-qemu'
        ;;
    pc)
        names='grub-rescue-floppy.img grub-rescue-cdrom.iso gnumach.gz memtest86+x64.iso xen-4.17-amd64.gz'
        package='grub-rescue-pc gnumach-image-1.8-486 memtest86+ xen-hypervisor-4.17-amd64'
        ;;
    cloud) names=vmlinuz-cloud package=@linux-image-cloud-amd64:linux-image- ;;
    generic)
        names=vmlinuz-generic package=@linux-image-amd64:linux-image-
        for module in $modules; do
            names="$names modules/$(basename "$module")"
        done
        ;;
    trixie | sid)
        newer="$newer $asset"
        continue
        ;;
    *)
        echo "assets: there is no \"$asset\", but grub, cloud, generic, busybox, xenalyze, xenstore, verify, firmware, pc, trixie and sid" >&2
        exit 1
        ;;
    esac
    links="$links $names"
    have $names || want="$want $package"
done

if [ -n "$want" ]; then
    fetch bookworm "$want"
    for deb in "$debs"/*.deb; do
        # Of a kernel package (400 MB of modules) the kernel, and a few of them.
        case $deb in
        */linux-image-*cloud*) only='./boot' ;;
        */linux-image-*)
            only='--wildcards ./boot'
            for module in $modules; do
                only="$only ./lib/modules/*/kernel/$module"
            done
            ;;
        */xen-utils-common*) only='./usr/bin/xenalyze' ;;
        */xen-utils-*) only='./usr/lib/xen-4.17/bin/test-xenstore ./usr/lib/xen-4.17/bin/xenstore-control
            ./usr/lib/xen-4.17/bin/xenstored ./usr/lib/xen-4.17/boot ./usr/lib/xen-4.17/bin/verify-stream-v2
            ./usr/lib/xen-4.17/lib/python/xen' ;;
        */xen-hypervisor-*) only='./boot/xen-4.17-amd64.gz' ;;
        */seabios*) only='./usr/share/seabios/bios-256k.bin ./usr/share/seabios/vgabios-stdvga.bin' ;;
        */ipxe-qemu*) only='./usr/lib/ipxe/qemu/pxe-rtl8139.rom' ;;
        */memtest86+*) only='./usr/lib/memtest86+/memtest86+x64.iso' ;;
        *) only= ;;
        esac
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C build/assets --no-same-owner $only
    done
    rm -rf "$debs"

    # Names that stay the same from version to version.
    cd build/assets
    for grub in usr/lib/grub-xen/grub-*-xen*.bin; do
        [ ! -e "$grub" ] || ln -sf "$grub" .
    done
    [ ! -e bin/busybox ] || ln -sf bin/busybox busybox
    [ ! -e usr/bin/xenalyze ] || ln -sf usr/bin/xenalyze xenalyze
    for file in usr/lib/xen-4.17/boot/* usr/share/seabios/*.bin usr/lib/ipxe/qemu/pxe-rtl8139.rom usr/lib/grub-rescue/grub-rescue-floppy.img \
        usr/lib/grub-rescue/grub-rescue-cdrom.iso usr/lib/memtest86+/*.iso boot/xen-*.gz; do
        [ ! -e "$file" ] || ln -sf "$file" .
    done
    for kernel in boot/gnumach-*.gz; do
        [ ! -e "$kernel" ] || ln -sf "$kernel" gnumach.gz
    done
    for tool in usr/bin/xenstore-* usr/lib/xen-4.17/bin/*xenstore* usr/lib/xen-4.17/bin/verify-stream-v2; do
        [ ! -e "$tool" ] || ln -sf "$tool" .
    done
    for kernel in boot/vmlinuz-*; do
        case $kernel in
        *'*') ;; # there is none
        *-cloud-amd64) ln -sf "$kernel" vmlinuz-cloud ;;
        *) ln -sf "$kernel" vmlinuz-generic ;;
        esac
    done
    mkdir -p modules
    for module in $modules; do
        for file in lib/modules/*/kernel/$module; do
            [ ! -e "$file" ] || ln -sf "../$file" modules/
        done
    done
    cd ../..
    have $links || {
        echo "assets: Debian's packages no longer hold what they held, of:$links" >&2
        exit 1
    }
fi

for suite in $newer; do
    case $suite in
    trixie) newer trixie @linux-image-cloud-amd64:linux-image- ;;
    sid) newer sid @linux-image-cloud-amd64:linux-image-:linux-binary- ;;
    esac
done
