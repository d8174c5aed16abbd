#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: the scripts that get what is not there may be started twice at once, as `make -j` and two terminals do. Tried
# in a tree that is made up here, with a download that insists on being alone in its folder.
set -uf

passed=0 failed=0
root=$(pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# expect NAME COMMAND...: the command succeeds.
expect() {
    name=$1
    shift
    if "$@" > "$tmp/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        sed 's/^/     said: /' "$tmp/said"
    fi
}

# A download takes its time: whoever comes to the same folder meanwhile removes it or adds to it.
mkdir -p "$tmp/scripts" "$tmp/package/DEBIAN" "$tmp/package/bin" "$tmp/package/usr/lib/grub-xen"
cp "$root/scripts/assets.sh" "$tmp/scripts/"
printf 'Package: it\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: it\n' \
    > "$tmp/package/DEBIAN/control"
echo program > "$tmp/package/bin/busybox"
echo kernel > "$tmp/package/usr/lib/grub-xen/grub-x86_64-xen.bin"
echo kernel > "$tmp/package/usr/lib/grub-xen/grub-i386-xen.bin"
echo kernel > "$tmp/package/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
dpkg-deb -b "$tmp/package" "$tmp/it.deb" > /dev/null || exit 1
cat > "$tmp/scripts/fetch.sh" << 'END'
#!/bin/sh
mkdir -p "$2"
echo "fetch $3" >> log
touch "$2/mine.$$"
sleep 0.3
[ "$(ls "$2")" = "mine.$$" ] || { echo "somebody else was in $2"; exit 1; }
rm "$2/mine.$$"
cp it.deb "$2/it.deb"
END
chmod +x "$tmp/scripts/fetch.sh"

at_once() {
    : > log
    "$1" $2 & first=$!
    "$1" $3 & second=$!
    wait $first && wait $second
}

fetched() {
    [ "$(cat log)" = "fetch $1" ] || { cat log; return 1; }
}

cd "$tmp" || exit 1
expect 'two who get different assets' at_once scripts/assets.sh grub busybox
expect 'both of which are there' ls build/assets/busybox build/assets/grub-x86_64-xen.bin build/assets/grub-i386-xen.bin
rm -r build
expect 'two who get the same' at_once scripts/assets.sh busybox busybox
expect 'is got once' fetched busybox-static

echo "$passed passed, $failed failed"
[ $failed = 0 ]
