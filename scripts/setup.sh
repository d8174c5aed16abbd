#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# setup.sh: make a machine ready to build xenlab. Run by `make`, from the project's root; does nothing when all is
# there.
#
#   1. Debian packages: installed when we may (root, or sudo without a password), else the exact command is printed.
#   2. Unicorn, the CPU emulator: the system's if it is 2.1.1, the version whose inside sim/ knows, else Debian 13's
#      binary packages unpacked below build/deps; they need nothing newer than Debian 12 has, and the system stays
#      untouched.
#   3. Xen's public headers: the system's if they are those of Xen 4.17 (Debian 12), else Debian 12's, unpacked
#      likewise: the ABI that xenlab implements is 4.17's, wherever it is compiled.
#   4. build/config.mk: what the Makefile needs to know of 2 and 3.
#
# Network is used only for what is missing.
set -eu

packages='gcc make binutils pkg-config libc6-dev libxen-dev libcapstone-dev libsdl2-dev libncurses-dev libcmocka-dev libedit-dev libjson-c-dev
zlib1g-dev liblzma-dev libbz2-dev liblz4-dev libzstd-dev libxxhash-dev nettle-dev libdw-dev librsvg2-2 gdb tmux bubblewrap e2fsprogs libnbd0 qemu-utils libslirp0 libpng-dev libvncserver-dev'
# The style is pinned to the clang-format of Debian 12. Another one is of no use, and brings Python and an LLVM along:
# elsewhere `make lint` passes the check over.
[ -e /usr/bin/clang-format ] || ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || packages="$packages clang-format"

die() {
    echo "setup: $*" >&2
    exit 1
}

[ -r scripts/setup.sh ] || die "run me from the project's root"
command -v dpkg-query > /dev/null || die "xenlab is set up with Debian packages; on another system install: $packages" \
    "and unicorn 2.1.1, and write build/config.mk by hand (see the end of scripts/setup.sh)"

# One dpkg-query for all; a package is there if its status is "installed".
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $packages 2> /dev/null | sed -n 's/ installed$//p') || true
missing=
for p in $packages; do
    case "
$installed
" in
    *"
$p
"*) ;;
    *) missing="$missing $p" ;;
    esac
done

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
        as_root='sudo -n'
    else
        echo "setup: these Debian packages are missing. Install them with" >&2
        echo "    sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
        die "then run make again; once xenlab is built, ./xenlab doctor tells what else is missing"
    fi
    echo "setup: installing$missing"
    install() {
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
            install --no-install-recommends $missing
    }
    # The package lists may be absent (a minimal container) or stale: then read them, and try again.
    if ! apt-cache policy $missing 2> /dev/null | grep -q 'Candidate: [0-9]' || ! install; then
        $as_root apt-get -qq update || die "apt-get update failed (is the network reachable?)"
        install || die "apt-get could not install:$missing"
    fi
fi

# unpacked SUITE DIR PACKAGE... : below build/deps/DIR, all of it or nothing, so that an interrupted run starts afresh.
unpacked() {
    suite=$1 to=build/deps/$2
    shift 2
    [ -d "$to" ] && return
    rm -rf "$to.new"
    scripts/fetch.sh "$suite" "$to.new" "$@"
    for deb in "$to.new"/*.deb; do
        dpkg -x "$deb" "$to.new"
        rm "$deb"
    done
    mv "$to.new" "$to"
}

lib=lib/$(gcc -print-multiarch)
if pkg-config --exact-version=2.1.1 unicorn 2> /dev/null; then
    unicorn_cflags=$(pkg-config --cflags unicorn)
    unicorn_libs=$(pkg-config --libs unicorn)
else
    unpacked trixie unicorn libunicorn2t64 libunicorn-dev
    unicorn_cflags='-isystem build/deps/unicorn/usr/include'
    unicorn_libs="-Lbuild/deps/unicorn/usr/$lib -Wl,-rpath,\$(CURDIR)/build/deps/unicorn/usr/$lib -lunicorn"
fi

xen_cflags=
case $(dpkg-query -W -f='${Version}' libxen-dev) in
4.17*) ;;
*)
    unpacked bookworm xen libxen-dev
    # Only the ABI: the toolstack's libraries must match their own headers.
    rm -rf build/deps/xen/usr/lib build/deps/xen/usr/include/*.h
    xen_cflags='-isystem build/deps/xen/usr/include'
    ;;
esac

mkdir -p build
cat > build/config.mk.new << END
# Written by scripts/setup.sh.
UNICORN_CFLAGS := $unicorn_cflags
UNICORN_LIBS := $unicorn_libs
XEN_CFLAGS := $xen_cflags
LIBRARY_CFLAGS := $(pkg-config --cflags capstone)
LIBRARY_LIBS := $(pkg-config --libs capstone zlib liblzma liblz4 libzstd libxxhash nettle libdw) -lbz2 -l:libxlutil.a
UI_CFLAGS := $(pkg-config --cflags sdl2 ncursesw)
UI_LIBS := $(pkg-config --libs ncursesw libedit json-c)
CMOCKA_LIBS := $(pkg-config --libs cmocka)
END
# An unchanged file keeps its date, so that make does not read itself again.
if cmp -s build/config.mk.new build/config.mk; then
    rm build/config.mk.new
else
    mv build/config.mk.new build/config.mk
fi
