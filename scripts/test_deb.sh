#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_deb.sh: build/deb's package, tried by lintian, and as a student would, in a fresh Debian 12 (scripts/root.sh):
# installed, used, removed. Minutes, and the network; as root.
set -eu

deb=$(echo build/deb/xenlab_*_amd64.deb)
[ -f "$deb" ] || { echo "test_deb: no $deb; type: make deb" >&2; exit 1; }
root=build/roots/deb
failed=0 passed=0

mounted() { for m in proc dev/pts dev/shm dev; do mountpoint -q "$root/$m" && umount -l "$root/$m"; done; true; }
trap 'mounted; rm -rf "$root" "$root.log"' EXIT
trap 'exit 130' INT TERM
mounted
rm -rf "$root"
scripts/root.sh "$root"
mkdir -p "$root/dev/shm" "$root/dev/pts"
mount -t proc proc "$root/proc"

# in_root COMMAND: by root, there. check WHAT COMMAND, without single quotes: by a student there; it must end well.
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root sh -c "$1"; }
report() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1)) && echo "PASS  $2"
    else
        failed=$((failed + 1)) && echo "FAIL  $2" && tail -n 15 "$root.log"
    fi
}
check() {
    status=0
    in_root "cd /home/student && runuser -u student -- env HOME=/home/student sh -c '$2'" > "$root.log" 2>&1 || status=1
    report $status "$1"
}
check_root() {
    status=0
    in_root "$2" > "$root.log" 2>&1 || status=1
    report $status "$1"
}

cp "$deb" "$root/root/xenlab.deb"
chmod 755 "$root/root"
check_root "useradd" "useradd -m student"
check_root "apt-get update" "apt-get -qq update"
check_root "what the tests want can be had" "apt-get -qq -y install --no-install-recommends lintian bash-completion man-db"
cp "$deb" "$root/tmp/xenlab.deb"
check "lintian has nothing to say that is not explained" "lintian --fail-on error,warning /tmp/xenlab.deb"
check_root "dpkg -i says what it wants" "! dpkg -i /root/xenlab.deb && apt-get -qq -y -f install"
check_root "dpkg -i, once more" "dpkg -i /root/xenlab.deb"
check_root "with what it recommends" "apt-get -qq -y install \$(dpkg-deb -f /root/xenlab.deb Recommends | tr -d ,)"
check "it finds its engine" "xenlab doctor | grep \"ok .*engine .*Unicorn 2.1.1\""
check "a guest runs" "xenlab run -q /usr/share/xenlab/guests/hello | grep \"PV guest of Xen\""
check "kits are listed" "xenlab kit --help | grep memctl"
check "a lab begins" "xenlab lab start 01"
check "what it begins with fails" "xenlab lab check 01 > said; [ \$? = 2 ] && grep \"^FAIL  01.1\" said"
cp docs/examples/sched/weights.txt docs/examples/lib/events.c docs/examples/kit/even.c docs/examples/kit/phases.txt vcpu/pv/emulate.c "$root/home/student/" && chmod a+r "$root"/home/student/*
check "a kit" "xenlab sched --policy credit2 --workload weights.txt"
check "a right file passes" "cp emulate.c 01-trap-and-emulate && xenlab lab check 01"
check "a policy of the student" "cc -shared -fPIC -o even.so even.c && xenlab kit memctl --policy ./even.so --workload phases.txt"
check "a program with libxenlab" "cc -o events events.c \$(pkg-config --cflags --libs xenlab) && ./events | grep \"the books agree\""
check "manual pages" "man xenlab | grep xenlab && man xenlab-kit | grep xenlab && man 3 xenlab_create | grep xenlab"
check "bash completes" "bash -c \"source /usr/share/bash-completion/bash_completion && _completion_loader xenlab; complete -p xenlab\""
check_root "removed" "apt-get -qq -y purge xenlab && dpkg -l xenlab 2>&1 | grep -v ^ii > /dev/null"
check_root "nothing is left of it" "! find / -xdev -path /proc -prune -o -path /home -prune -o -path /tmp -prune -o -path /root -prune -o -name '*xenlab*' -print | grep -v '^/var/\(lib/apt\|cache\|log\)'"

# Without root: unpacked, and run from there.
check "unpacked in a home, it runs" "rm -rf x && dpkg -x /tmp/xenlab.deb x && x/usr/bin/xenlab run -q x/usr/share/xenlab/guests/hello | grep \"PV guest of Xen\""
check "and labs are there" "mkdir l && cd l && ../x/usr/bin/xenlab lab start 01 && cp ../emulate.c 01-trap-and-emulate && ../x/usr/bin/xenlab lab check 01"
check "and libxenlab" "export PKG_CONFIG_LIBDIR=\$HOME/x/usr/lib/x86_64-linux-gnu/pkgconfig:/usr/lib/x86_64-linux-gnu/pkgconfig; cc -o events2 events.c \$(pkg-config --define-variable=prefix=\$HOME/x/usr --cflags --libs xenlab) -Wl,-rpath,\$HOME/x/usr/lib && ./events2 | grep agree"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
