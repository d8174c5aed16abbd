#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_dom0.sh: what dom0 does under Xen in QEMU, when scripts/bench_xen.sh measures disks, networks and xenstore. It
# is the script of dom0's initrd (mkinitrd.sh); elsewhere it ends at once.
#
# Concept: a dom0 is a Linux with Xen's toolstack: drivers that reach the hypervisor, back ends, xenstored, a console
# for each guest, and xl, which builds guests. All programs and their libraries are in /bin, drivers too. Lines from the
# console say which guest is to run; nothing else runs meanwhile:
#
#       DEVICE GUEST COMMAND-LINE     DEVICE is disk, net (two guests then, of which one serves the other) or none
#
# What they have printed comes back, and "bench: done". After an empty line all is over.
[ -e /bin/xen-blkback.ko ] || exit 1
export LD_LIBRARY_PATH=/bin

mkdir -p /lib64 /run/xen /run/xenstored /run/lock /var/lib/xen /var/lib/xenstored /var/log/xen/console /etc/xen/scripts
ln -s /run /var/run
ln -s /run/lock /var/lock
ln -s /bin/ld-linux-x86-64.so.2 /lib64
: > /etc/xen/xl.conf

for module in llc stp bridge xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc xen-blkback xen-netback; do
    insmod "/bin/$module.ko"
done
insmod /bin/brd.ko rd_nr=1 rd_size=16384 # the disk: 16 MiB of memory
mount -t xenfs xenfs /proc/xen
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts

# What xl runs when a back end is there: it hears which disk it has, and its network card goes to the bridge.
cat > /etc/xen/scripts/block << 'END'
#!/bin/sh
[ "$1" != add ] || xenstore-write "$XENBUS_PATH/physical-device" 1:0 "$XENBUS_PATH/hotplug-status" connected
END
cat > /etc/xen/scripts/vif-bridge << 'END'
#!/bin/sh
[ "$1" = online ] || exit 0
ip link set "$vif" up
brctl addif bench "$vif"
xenstore-write "$XENBUS_PATH/hotplug-status" connected
END
chmod +x /etc/xen/scripts/*
brctl addbr bench
echo 0 > /sys/class/net/bench/bridge/forward_delay
ip link set bench up

xenstored
xen-init-dom0 > /dev/null
xenconsoled --log=guest --log-dir=/var/log/xen/console

# configuration NAME DEVICE GUEST COMMAND-LINE
configuration() {
    printf 'name="%s"\nkernel="/bin/%s"\nmemory=32\nextra="%s"\non_crash="destroy"\n' "$1" "$3" "$4"
    case $2 in
    disk) echo 'disk=["phy:/dev/ram0,xvda,w"]' ;;
    net) echo 'vif=["bridge=bench"]' ;;
    esac
}

stty -echo
echo "bench: ready"
while read -r device guest line && [ "$device" ]; do
    rm -f /var/log/xen/console/*
    : > /tmp/said
    if [ "$device" = net ]; then
        configuration server net "$guest" "$line serve=1" > /tmp/server
        xl create -q /tmp/server >> /tmp/said 2>&1
        line="$line serve=0"
    fi
    configuration client "$device" "$guest" "$line" > /tmp/client
    xl create -q -F /tmp/client >> /tmp/said 2>&1
    while xl domid server > /dev/null 2>&1; do
        usleep 10000
    done
    grep -h . /var/log/xen/console/guest-* || cat /tmp/said
    echo "bench: done"
done
