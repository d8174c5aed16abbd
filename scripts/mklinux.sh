#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mklinux.sh FOLDER [IMAGE]: a Linux that one can work in. FOLDER/initrd and FOLDER/root.img, or IMAGE in its place, are
# made if they are not there: an image is its user's as soon as there is one.
#
# Concept: the programs are Debian's, from packages that are unpacked and never installed (FOLDER/packages), so none of
# their scripts is run; the kernel and its modules are those of build/assets. Process 1 is busybox's init, whose few
# files are written here. The file system is made by debugfs, by commands in the order of names: all belongs to root,
# and carries one date, without anybody being root here, and the same packages give the same image to the last bit.
#
#   initrd     loads the modules for disks and ext4, mounts root=, and hands over to /sbin/init
#   root.img   ext4, 1 GiB, of which a tenth is used; the rest is a hole in the file
set -eu

[ -r scripts/mklinux.sh ] || { echo "mklinux: run me from the project's root" >&2; exit 1; }
folder=$1 image=${2:-$1/root.img}
assets=build/assets
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
mkdir -p "$folder"
exec 9> "$folder/lock" # two at once: the second finds what the first has made
flock 9
packages='libc6 libgcc-s1 libtinfo6 ncurses-base bash coreutils libacl1 libattr1 libselinux1 libpcre2-8-0 libgmp10
    e2fsprogs libext2fs2 libcom-err2 libss2 libblkid1 libuuid1 xenstore-utils libxenstore4 libxentoolcore1'

# --- the initrd ---

modules='crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront'
if ! [ -e "$folder/initrd" ]; then
    cat > "$folder/switch" << END
for module in $modules; do
    insmod /bin/\$module.ko
done
END
    cat >> "$folder/switch" << 'END'
root=$(sed -n 's/.*root=\([^ ]*\).*/\1/p' /proc/cmdline)
n=0
until [ -b "$root" ]; do
    n=$((n + 1))
    if [ $n = 500 ]; then
        echo "There is no disk $root (root= of the kernel's command line). A shell:"
        setsid cttyhack sh -i
        poweroff -f
    fi
    usleep 10000
done
mkdir /new
mount -t ext4 -o ro $root /new
for m in proc sys dev; do
    mount --move /$m /new/$m
done
exec switch_root /new /sbin/init
END
    scripts/mkinitrd.sh "$folder/initrd.new" $assets/busybox "$folder/switch" \
        $(for m in $modules; do echo "$assets/modules/$m.ko"; done)
    rm "$folder/switch"
    mv "$folder/initrd.new" "$folder/initrd"
fi
[ ! -e "$image" ] || exit 0

# --- what is in the file system ---

# All of it or nothing, so that an interrupted run starts afresh.
if ! [ -d "$folder/packages" ]; then
    new=$folder/packages.new
    rm -rf "$new"
    scripts/fetch.sh bookworm "$new" $packages
    for deb in "$new"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --no-same-owner --exclude='./usr/share/*' \
            --exclude='./usr/lib/x86_64-linux-gnu/gconv/*' --exclude='./lib/udev/*' --exclude='./lib/systemd/*'
        rm "$deb"
    done
    mv "$new" "$folder/packages"
fi

new=$(mktemp -d "$folder/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
root=$new/root
cp -a "$folder/packages" "$root"
(cd "$root" && mkdir -p bin dev etc/init.d etc/udhcpc home lib/modules mnt proc root run sbin sys tmp usr/bin var/log)
cp -L $assets/busybox "$root/bin/busybox"
for applet in $($assets/busybox --list-full | grep /); do
    name=${applet##*/} there=
    for d in bin sbin usr/bin usr/sbin; do
        [ ! -e "$root/$d/$name" ] && [ ! -L "$root/$d/$name" ] || there=1
    done
    [ "$there" ] || { mkdir -p "$root/${applet%/*}" && ln -s /bin/busybox "$root/$applet"; }
done
ln -sf bash "$root/bin/sh"
ln -sf /proc/self/mounts "$root/etc/mtab"

# Its modules, of the version that the kernel has; busybox finds out which needs which.
cp -a $assets/lib/modules/. "$root/lib/modules"
for m in "$root"/lib/modules/*; do
    version=${m##*/}
done
$assets/busybox depmod -b "$root" "$version" 2> /dev/null
sort -o "$root/lib/modules/$version/modules.dep" "$root/lib/modules/$version/modules.dep"

cat > "$root/etc/inittab" << 'END'
::sysinit:/etc/init.d/rcS
hvc0::respawn:-/bin/bash
::ctrlaltdel:/sbin/reboot
::shutdown:/etc/init.d/rcK
END

cat > "$root/etc/init.d/rcS" << 'END'
#!/bin/busybox sh
# What init does first. The RAM disk has mounted /proc, /sys and /dev, and / to be read only.
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
e2fsck -p "$(sed -n 's/.*root=\([^ ]*\).*/\1/p' /proc/cmdline)" 2> /dev/null | grep -v ': clean, '
mount -o remount,rw /
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp

# Drivers of the devices that there are, and Xen's files.
cat /sys/bus/xen/devices/*/modalias 2> /dev/null | sort -u | grep -v -e :vbd -e :vkbd -e :vfb | while read -r alias; do
    modprobe -q "$alias"
done
hostname "$(xenstore-read name 2> /dev/null || cat /etc/hostname)"

# Networks: an address by DHCP, or ip=ADDRESS/BITS of the kernel's command line for the first.
ip link set lo up
address=$(sed -n 's/.* ip=\([^ ]*\).*/\1/p' /proc/cmdline)
for i in /sys/class/net/eth*; do
    [ -e "$i" ] || continue
    ip link set "${i##*/}" up
    if [ "$address" ]; then
        ip addr add "$address" dev "${i##*/}"
        address=
    else
        udhcpc -b -t 3 -T 1 -S -i "${i##*/}" > /dev/null 2>&1
    fi
done

# Folders that are shared with this guest, at /mnt/TAG.
for d in /sys/bus/xen/devices/9pfs-*; do
    [ -e "$d" ] || continue
    tag=$(xenstore-read "$(cat "$d/nodename")/tag")
    mkdir -p "/mnt/$tag"
    mount -t 9p -o trans=xen,version=9p2000.L,msize=131072 "$tag" "/mnt/$tag"
done
END

cat > "$root/etc/init.d/rcK" << 'END'
#!/bin/busybox sh
# What init does last, when all processes have gone: the disk is to be as it should.
sync
umount -a -r > /dev/null 2>&1
END

cat > "$root/etc/udhcpc/default.script" << 'END'
#!/bin/busybox sh
# What a DHCP server has told: the address, the way out, and who knows names.
case $1 in
deconfig) ip addr flush dev "$interface" ;;
bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    for r in $router; do
        ip route add default via "$r" dev "$interface"
    done
    [ ! "$dns" ] || for d in $dns; do echo "nameserver $d"; done > /etc/resolv.conf
    ;;
esac
END
chmod +x "$root/etc/init.d/rcS" "$root/etc/init.d/rcK" "$root/etc/udhcpc/default.script"

cat > "$root/etc/profile" << 'END'
export PATH=/sbin:/usr/sbin:/bin:/usr/bin HOME=/root TERM=xterm PS1='\h:\w# '
alias ls='ls --color=auto' ll='ls -l'
cd
cat /etc/motd
END
cat > "$root/etc/motd" << 'END'
Debian's Linux with bash and busybox. What you write stays on the disk. "poweroff" ends it.
END
mkdir -p "$root/usr/share/udhcpc"
ln -sf /etc/udhcpc/default.script "$root/usr/share/udhcpc/default.script"
echo 'root::0:0:root:/root:/bin/bash' > "$root/etc/passwd"
printf 'root:x:0:\ntty:x:5:\n' > "$root/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
echo linux > "$root/etc/hostname"
echo 'set enable-bracketed-paste off' > "$root/etc/inputrc"
echo /bin/bash > "$root/etc/shells"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$root/etc/nsswitch.conf"
printf 'NAME="Debian, unpacked"\nID=debian\nVERSION_ID=12\n' > "$root/etc/os-release"

# --- the file system ---

# The same each time: a date, and numbers that are otherwise drawn by lot.
export E2FSPROGS_FAKE_TIME=1700000000
truncate -s 1G "$new/image"
uuid=6b9f1c4e-2f1d-4d7e-9d6c-0d2b5c1a7e10
mke2fs -q -t ext4 -L root -U $uuid -E hash_seed=$uuid,assume_storage_prezeroed=1 -m 1 "$new/image"
find "$root" -mindepth 1 -printf '%y %m %P\t%l\n' | sort -t' ' -k3 > "$new/files"
{
    echo "cd /"
    tab=$(printf '\t')
    while IFS= read -r line; do
        kind=${line%% *} rest=${line#* }
        mode=${rest%% *} rest=${rest#* }
        path=${rest%%"$tab"*} link=${rest#*"$tab"}
        case $kind in
        d) echo "mkdir /$path" ;;
        f) echo "write $root/$path /$path" && echo "sif /$path mode 0100$mode" ;;
        l) echo "symlink /$path $link" ;;
        esac
    done < "$new/files"
    echo "sif /tmp mode 041777"
    echo "sif /root mode 040700"
} > "$new/commands"
debugfs -w -f "$new/commands" "$new/image" > "$new/said" 2>&1 || { cat "$new/said"; exit 1; }
if grep -v -e '^debugfs' -e '^Allocated inode' -e '^$' "$new/said" >&2; then
    echo "mklinux: the file system cannot be made" >&2
    exit 1
fi
mv "$new/image" "$image"
