#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: the scripts that get what is not there may be started twice at once, as `make -j` and two terminals do. Tried
# in a tree that is made up here, with a download that insists on being alone in its folder.
set -uf

passed=0 failed=0 skipped=
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

# On Ubuntu Debian's archive is one of which apt takes nothing, and the key of Debian 13 comes by Debian 12's keyring.
# So is this machine made to look, for a process of its own; an apt that notes what it is to read stands in for the real
# one.
mkdir -p look/keys look/sources look/bin package/usr/share/keyrings
printf 'ID=ubuntu\nVERSION_CODENAME=noble\n' > look/os-release
printf 'Types: deb\nURIs: place:/ubuntu\nSuites: noble\nComponents: main\n' > look/sources/ubuntu.sources
printf 'Types: deb\nURIs: place:/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n' > look/sources/debian.sources
touch look/keys/debian-archive-bookworm-stable.gpg look/list
touch package/usr/share/keyrings/debian-archive-keyring.gpg
dpkg-deb -b package keyring.deb > /dev/null || exit 1
cat > look/bin/apt-get << 'END'
#!/bin/sh
for word in "$@"; do
    case $word in
    Dir::Etc::SourceList=*) list=${word#*=} ;;
    update) sed 's/ signed-by=[^ ]*debian-archive-keyring.gpg / signed /' "$list" >> "$LOG" ;;
    download) cp "${LOG%/*}/keyring.deb" debian-archive-keyring_1.deb ;;
    esac
done
END
chmod +x look/bin/apt-get
looked() {
    : > "$tmp/log"
    unshare -rm sh -c 'mount --bind look/os-release "$(readlink -f /etc/os-release)" &&
        mount --bind look/keys /usr/share/keyrings && mount --bind look/sources /etc/apt/sources.list.d &&
        { [ ! -e /etc/apt/sources.list ] || mount --bind look/list /etc/apt/sources.list; } &&
        LOG=$1/log PATH=$1/look/bin:$PATH "$2/scripts/fetch.sh" trixie "$1/got" it' sh "$tmp" "$root"
}
on_ubuntu() {
    looked && printf 'deb  place:/debian bookworm main\ndeb [ signed ] place:/debian trixie main\n' | diff - "$tmp/log"
}
without_keys() {
    rm -r look/keys && mkdir look/keys &&
        looked 2>&1 | grep 'none of its keys; type: sudo apt-get install debian-archive-keyring'
}
if unshare -rm true 2> /dev/null; then
    expect 'on Ubuntu, what is of Debian' on_ubuntu
    expect 'on Ubuntu, without a key of Debian' without_keys
else
    echo "SKIP on Ubuntu: user namespaces cannot be made here" && skipped=1
fi

echo "$passed passed, $failed failed${skipped:+, $skipped skipped}"
[ $failed = 0 ]
