#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mkinitrd.sh OUTPUT BUSYBOX [SCRIPT [PROGRAM...]]: a Linux initial RAM disk: busybox, an /init, and what SCRIPT says is
# done in it, for which the programs are in /bin.
#
# Concept: an initramfs is an archive in cpio's "newc" format, which Linux unpacks into its first file system; then it
# starts /init. An entry is a header of 110 characters (the magic 070701 and 13 numbers of 8 hexadecimal digits), the
# name, and the contents, the last two filled up with zeroes to a multiple of 4. Written here by hand, because that
# needs no package, and no root for the device node /dev/console, without which /init would have no standard output.
#
# With SCRIPT (a file) the guest executes it and powers off; otherwise there is a shell on the console, and the guest
# powers off when that ends. The shell is not process 1, whose end Linux does not survive; nor is anything else there
# that poweroff could ask, hence its -f.
set -eu

output=$1 busybox=$2 script=${3:-}
shift 2
[ $# -eq 0 ] || shift
ino=0

# pad LENGTH: zeroes up to the next multiple of 4.
pad() {
    case $(($1 % 4)) in
    1) printf '\0\0\0' ;;
    2) printf '\0\0' ;;
    3) printf '\0' ;;
    esac
}

# entry MODE SIZE MAJOR MINOR NAME: header and name.
entry() {
    ino=$((ino + 1))
    printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
        "$ino" "$1" 0 0 1 0 "$2" 0 0 "$3" "$4" "$((${#5} + 1))" 0 "$5"
    pad $((110 + ${#5} + 1))
}

directory() { entry $((0040755)) 0 0 0 "$1"; }
device() { entry $((0020600)) 0 "$2" "$3" "$1"; }

# file NAME SOURCE
file() {
    size=$(wc -c < "$2")
    entry $((0100755)) "$size" 0 0 "$1"
    cat "$2"
    pad "$size"
}

init=$(mktemp) power=$(mktemp)
trap 'rm -f "$init" "$power"' EXIT
cat > "$init" << 'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='initrd# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
if [ -e /script ]; then
    . /script
    poweroff -f
fi
echo "alias poweroff='poweroff -f' reboot='reboot -f' halt='halt -f'" > /aliases
export ENV=/aliases
echo 'A shell. "poweroff" or Ctrl-D ends it, and the guest.'
setsid cttyhack sh -i
poweroff -f
END

# What Linux starts when its toolstack asks for a shutdown: /sbin/poweroff, /sbin/reboot.
cat > "$power" << 'END'
#!/bin/busybox sh
exec /bin/busybox "${0##*/}" -f
END

{
    for d in bin sbin dev proc sys tmp root; do
        directory "$d"
    done
    device dev/console 5 1
    device dev/null 1 3
    file bin/busybox "$busybox"
    file init "$init"
    file sbin/poweroff "$power"
    file sbin/reboot "$power"
    [ -z "$script" ] || file script "$script"
    for program in "$@"; do
        file "bin/$(basename "$program")" "$program"
    done
    entry 0 0 0 0 'TRAILER!!!'
} > "$output"
