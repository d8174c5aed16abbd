#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mkdom0.sh FOLDER [SUITE]: a Linux that is domain 0, with Xen's own toolstack: FOLDER/vmlinuz and FOLDER/initrd are
# made if they are not there. Its kernel is Debian 12's, or that of SUITE (trixie, sid), which then is its guest's, too.
#
# Concept: everything in it is Debian 12's, from packages that are unpacked and never installed (build/dom0/packages):
# the generic kernel and the modules that a dom0 needs (of SUITE: FOLDER/kernel), xen-utils-4.17 with xenstored,
# xenconsoled and xl, the libraries that these name, and busybox. A newer cloud kernel (build/assets/vmlinuz-trixie)
# will not do: it is built without CONFIG_XEN_DOM0, and as domain 0 has no console. Written here are process 1, which
# brings Xen's daemons up and gives a shell, the two scripts that connect back ends of guests to what is in dom0, and
# the guests that lie ready in /guests.
#
#   xl create --> libxl --> hypercalls by /dev/xen/privcmd --> the hypervisor
#        '--> xenstored <-- xenbus of dom0's kernel --> blkback, netback --> virtio disk and network card
#
# Invariant: the same packages give the same initrd to the last bit: names are sorted, dates are none.
set -eu

[ -r scripts/mkdom0.sh ] || { echo "mkdom0: run me from the project's root" >&2; exit 1; }
folder=$1 suite=${2:-}
programs_of=build/dom0
assets=build/assets
export LC_ALL=C
mkdir -p "$folder"
exec 9> "$folder/lock" # two at once: the second finds what the first has made
flock 9
[ ! -e "$folder/initrd" ] || exit 0

packages='xen-utils-4.17 xenstore-utils libxenmisc4.17 libxencall1 libxenevtchn1 libxenforeignmemory1 libxengnttab1
    libxenhypfs1 libxenstore4 libxentoolcore1 libxentoollog1 libxendevicemodel1 libyajl2 libc6 libgcc-s1 libtinfo6
    libncurses6 ncurses-base libuuid1 libnl-3-200 libnl-route-3-200 liblzma5 libfdt1 zlib1g libbz2-1.0 liblzo2-2
    libzstd1'
programs='xl xenstored xenconsoled xen-init-dom0 xenconsole xentop xenctx lsevtchn xenpm xentrace xen-cpuid
    libxl-save-helper xen-mfndump xen-lowmemd xenstore-control'
modules='xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkback xen-netback xen-pciback virtio_pci virtio_blk
    virtio_net loop bridge tun ext4 crc32c_generic'

# --- what comes from packages ---

if ! [ -d "$programs_of/packages" ]; then
    mkdir -p "$programs_of"
    new=$programs_of/packages.new
    rm -rf "$new"
    scripts/fetch.sh bookworm "$new" $packages @linux-image-amd64:linux-image-
    for deb in "$new"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --no-same-owner --exclude='./usr/share/doc/*' \
            --exclude='./usr/share/man/*' --exclude='./usr/lib/x86_64-linux-gnu/gconv/*' --exclude='./boot/System.map*'
        rm "$deb"
    done
    mv "$new" "$programs_of/packages"
fi
from=$programs_of/packages kernels=$from

# Of another suite's kernel what the modules above may be among; there they are compressed.
if [ -n "$suite" ]; then
    kernels=$folder/kernel
    case $suite in
    sid) set -- @linux-image-amd64:linux-image-:linux-binary- @linux-image-amd64:linux-image-:linux-modules- ;;
    *) set -- @linux-image-amd64:linux-image- ;;
    esac
    if ! [ -d "$kernels" ]; then
        new=$kernels.new
        rm -rf "$new"
        scripts/fetch.sh "$suite" "$new" "$@"
        for deb in "$new"/*.deb; do
            dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --no-same-owner --wildcards '*/vmlinuz*' \
                '*/kernel/drivers/xen/*' '*/kernel/drivers/block/*' '*/kernel/drivers/virtio/*' '*/kernel/net/core/*' \
                '*/kernel/net/bridge/*' '*/kernel/net/802/*' '*/kernel/net/llc/*' '*/kernel/drivers/net/xen-net*' \
                '*/kernel/drivers/net/tun.ko*' '*/kernel/drivers/net/virtio_net.ko*' '*/kernel/fs/ext4/*' \
                '*/kernel/drivers/net/net_failover.ko*' '*/kernel/fs/jbd2/*' '*/kernel/fs/mbcache.ko*' \
                '*/kernel/lib/*' '*/kernel/crypto/crc*' 2> /dev/null || : # a pattern may fit nothing in one package
            rm "$deb"
        done
        find "$new" -name '*.ko.xz' -exec "$PWD/$assets/busybox" unxz {} +
        mkdir -p "$new/lib"
        [ ! -d "$new/usr/lib/modules" ] || mv "$new/usr/lib/modules" "$new/lib/modules"
        mv "$new" "$kernels"
    fi
fi
for kernel in "$kernels"/boot/vmlinuz-* "$kernels"/lib/modules/*/vmlinuz; do
    [ ! -e "$kernel" ] || break
done
for version in "$kernels"/lib/modules/*; do
    version=${version##*/}
done
cp "$kernel" "$folder/vmlinuz.new"

new=$(mktemp -d "$folder/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
root=$new/root
mkdir -p "$root"
cd "$root"
mkdir -p bin dev etc/xen/scripts guests lib lib64 proc root run/lock run/xen sbin sys tmp usr/bin usr/sbin var/lib/xen/dump \
    var/lib/xenstored var/log/xen
ln -s ../run var/run
ln -s ../run/lock var/lock
cd - > /dev/null

cp -L $assets/busybox "$root/bin/busybox"
for applet in $($assets/busybox --list-full | grep /); do
    [ -e "$root/$applet" ] || [ "$applet" = bin/busybox ] || ln -s /bin/busybox "$root/$applet"
done

# take FILE: a program or a library, and the libraries that it names.
take() {
    for d in usr/lib/xen-4.17/bin usr/lib/xen-4.17/lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu lib/x86_64-linux-gnu usr/bin lib64; do
        [ -e "$from/$d/$1" ] || continue
        [ ! -e "$root/$d/$1" ] || return 0
        mkdir -p "$root/$d"
        cp -L "$from/$d/$1" "$root/$d/$1"
        for needed in $(objdump -p "$root/$d/$1" 2> /dev/null | awk '$1 == "NEEDED" { print $2 }'); do
            take "$needed"
        done
        return 0
    done
    echo "mkdom0: no package has $1" >&2
    return 1
}
for program in $programs; do
    take "$program"
done
for program in "$from"/usr/bin/xenstore*; do
    take "${program##*/}"
done
take libgcc_s.so.1 # which the C library loads when a thread ends
ln -s /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$root/lib64/ld-linux-x86-64.so.2"
mkdir -p "$root/lib/terminfo/l" "$root/lib/terminfo/x"
cp "$from/lib/terminfo/l/linux" "$root/lib/terminfo/l/"
cp "$from/lib/terminfo/x/xterm" "$root/lib/terminfo/x/"

# The modules, and those that they need: busybox finds out which.
$assets/busybox depmod -b "$kernels" "$version" 2> /dev/null
dep=$kernels/lib/modules/$version/modules.dep
for module in $modules; do
    for file in $(sed -n "s|:||; /^[^ ]*\/$module\.ko/p" "$dep"); do
        mkdir -p "$root/lib/modules/$version/${file%/*}"
        cp "$kernels/lib/modules/$version/$file" "$root/lib/modules/$version/$file"
    done
done
$assets/busybox depmod -b "$root" "$version" 2> /dev/null
sort -o "$root/lib/modules/$version/modules.dep" "$root/lib/modules/$version/modules.dep"

# --- what is written here ---

cat > "$root/init" << 'END'
#!/bin/sh
# Process 1 of dom0: devices, Xen's daemons, the network, and then a shell on the machine's console.
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=${TERM:-linux} PS1='dom0# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
hostname dom0
echo 1 > /proc/sys/kernel/printk
for module in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs; do
    modprobe $module
done
mount -t xenfs xenfs /proc/xen
xenstored --pid-file /run/xenstored.pid
xen-init-dom0 > /dev/null
xenconsoled --pid-file /run/xenconsoled.pid
for module in virtio_pci virtio_blk virtio_net xen-blkback xen-netback loop bridge; do
    modprobe $module 2> /dev/null
done
ip link set lo up
ip link add xenbr0 type bridge
ip link set xenbr0 up
ip addr add 192.168.77.1/24 dev xenbr0
for i in /sys/class/net/eth*; do
    [ -e "$i" ] || continue
    ip link set "${i##*/}" up
    ip link set "${i##*/}" master xenbr0
    udhcpc -b -q -t 2 -T 1 -S -i xenbr0 -s /etc/udhcpc.script > /dev/null 2>&1
done
dd if=/dev/zero of=/guests/disk.img bs=1024 count=0 seek=8192 2> /dev/null
mke2fs -F /guests/disk.img > /dev/null 2>&1
if grep -q script= /proc/cmdline; then
    sh "$(sed -n 's/.*script=\([^ ]*\).*/\1/p' /proc/cmdline)"
    poweroff -f
fi
echo "xl $(xl info xen_version 2> /dev/null): see 'xl list', and what lies in /guests: xl create -c /guests/hello.cfg"
cd /guests
setsid cttyhack sh
poweroff -f
END

# The scripts that libxl starts when a back end appears or goes, for which Debian's want bash.
cat > "$root/etc/xen/scripts/block" << 'END'
#!/bin/sh
# block add|remove: what a guest's disk is made of, XENBUS_PATH/params, a device or a file, becomes a device by number.
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin
case $1 in
add)
    params=$(xenstore-read "$XENBUS_PATH/params")
    if [ -b "$params" ]; then
        device=$params
    else
        device=$(losetup -f) && losetup "$device" "$params" || {
            xenstore-write "$XENBUS_PATH/hotplug-error" "no loop device for $params" "$XENBUS_PATH/hotplug-status" error
            exit 1
        }
        xenstore-write "$XENBUS_PATH/node" "$device"
    fi
    numbers=$(stat -L -c '%t:%T' "$device")
    xenstore-write "$XENBUS_PATH/physical-device" "$numbers" "$XENBUS_PATH/physical-device-path" "$device" \
        "$XENBUS_PATH/hotplug-status" connected
    ;;
remove)
    device=$(xenstore-read "$XENBUS_PATH/node" 2> /dev/null) && losetup -d "$device"
    ;;
esac
exit 0
END
cat > "$root/etc/xen/scripts/vif-bridge" << 'END'
#!/bin/sh
# vif-bridge online|offline|add|remove: a guest's network card is put on its bridge, or taken off.
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin
bridge=$(xenstore-read "$XENBUS_PATH/bridge" 2> /dev/null)
case $1 in
online | add)
    ip link set "$vif" master "${bridge:-xenbr0}" && ip link set "$vif" up
    [ "$1" = add ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
    ;;
offline | remove) ip link set "$vif" nomaster 2> /dev/null ;;
esac
exit 0
END
# xl migrate reaches the other host by ssh; there is one host.
cat > "$root/usr/bin/ssh" << 'END'
#!/bin/sh
# ssh HOST COMMAND...: here.
[ $# -gt 1 ] || { echo "ssh: there is only this host: ssh localhost COMMAND" >&2; exit 255; }
shift
exec sh -c "$*"
END
cp "$from/etc/xen/xl.conf" "$root/etc/xen/xl.conf" 2> /dev/null || : > "$root/etc/xen/xl.conf"
echo 'autoballoon="off"' >> "$root/etc/xen/xl.conf"
ln -s /proc/self/mounts "$root/etc/mtab"
echo root:x:0:0:root:/root:/bin/sh > "$root/etc/passwd"
echo root:x:0: > "$root/etc/group"
chmod 755 "$root/init" "$root/usr/bin/ssh" "$root"/etc/xen/scripts/*

cat > "$root/etc/udhcpc.script" << 'END'
#!/bin/sh
# What a DHCP server has told: a second address of the bridge, the way out, and who knows names.
[ "$1" = bound ] || exit 0
ip addr add "$ip/${mask:-24}" dev "$interface"
[ -z "$router" ] || ip route add default via "$router"
for i in $dns; do
    echo "nameserver $i"
done > /etc/resolv.conf
END
chmod 755 "$root/etc/udhcpc.script"

# Guests: small kernels of this project, GRUB, and a Linux with a disk and a network card.
for guest in hello clock store busy idle balloon suspend; do
    cp "build/guests/$guest" "$root/guests/$guest"
    printf 'name = "%s"\nkernel = "/guests/%s"\nmemory = 16\n' $guest $guest > "$root/guests/$guest.cfg"
done
cp -L $assets/grub-x86_64-xen.bin "$root/guests/grub"
printf 'name = "grub"\nkernel = "/guests/grub"\nmemory = 64\n' > "$root/guests/grub.cfg"

cat > "$new/domU" << 'END'
for module in xen-blkfront xen-netfront; do
    insmod /bin/$module.ko
done
n=0
until [ -b /dev/xvda ] || [ $n = 200 ]; do
    n=$((n + 1))
    usleep 10000
done
mkdir -p /mnt
mount -t ext4 /dev/xvda /mnt
ip link set eth0 up
ip addr add "$(sed -n 's/.*ip=\([^ ]*\).*/\1/p' /proc/cmdline)" dev eth0
echo "alias poweroff='poweroff -f' reboot='reboot -f' halt='halt -f'" > /aliases
export ENV=/aliases PS1='domU# '
echo 'A guest of dom0: its disk is at /mnt, dom0 is 192.168.77.1.'
setsid cttyhack sh -i
END
cp "$kernel" "$root/guests/vmlinuz"
set --
named=
for module in crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront xen-netfront; do
    file=$(find "$kernels/lib/modules/$version" -name "$module.ko")
    [ -n "$file" ] || continue # since Linux 6.16 there is no crc32c_generic: who wants it has it
    set -- "$@" "$file"
    named="$named $module"
done
sed -i "1s/.*/for module in$named; do/" "$new/domU"
scripts/mkinitrd.sh "$root/guests/initrd" $assets/busybox "$new/domU" "$@"
cat > "$root/guests/linux.cfg" << 'END'
name = "linux"
kernel = "/guests/vmlinuz"
ramdisk = "/guests/initrd"
cmdline = "console=hvc0 quiet ip=192.168.77.2/24"
memory = 128
disk = [ "/guests/disk.img,raw,xvda,w" ]
vif = [ "bridge=xenbr0" ]
END
sed 's/"linux"/"linux2"/; s/77\.2/77.3/; /^disk/d' "$root/guests/linux.cfg" > "$root/guests/linux2.cfg"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | sort | "$OLDPWD/$assets/busybox" cpio -o -H newc -R 0:0 --ignore-devno --renumber-inodes) \
    > "$folder/initrd.new" 2> /dev/null
mv "$folder/vmlinuz.new" "$folder/vmlinuz"
mv "$folder/initrd.new" "$folder/initrd"
