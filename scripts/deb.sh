#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deb.sh: build/deb/xenlab_VERSION_amd64.deb, by dpkg-buildpackage. Wants dpkg-dev, no root and no network.
# deb.sh --binary: what its debian/rules call, in its folder. deb.sh --stage DIR TREE: all of it but the archive itself
# below DIR, of what is installed at TREE; for tests.
#
# Concept: the package holds what `make install` makes, so debian/ has nothing to say but what it is, and is made here.
# It is one package. libxenlab is not split off: it is the same hypervisor, wants the same engine below lib/xenlab, and
# is of no use without; labs link libxenlab.a, of the very same build. A class without root unpacks one file (dpkg -x).
# What lintian says of that, and of guests, which are programs of another machine, is overridden with reasons below.
# Recommended is what labs want (they are compiled and linked); suggested what is loaded only if it is there.
#
# Invariants: the same tree makes the same bytes (dates are the last commit's). What it depends on is what it is linked
# with (dpkg-shlibdeps), so a package is for the release of Debian that it was built on.
set -eu

nobody=xenlab@localhost
: "${DEBFULLNAME:=xenlab developers}" "${DEBEMAIL:=$nobody}"
: "${TOP:=$PWD}"
version=$(sed -n 's/^#define XENLAB_VERSION "\(.*\)"/\1/p' "$TOP/ui/version.h")
lib=usr/lib/xenlab

die() {
    echo "deb: $*" >&2
    exit 1
}

# debian DATE: debian/ in this folder.
debian() {
    mkdir -p debian/source
    echo '3.0 (native)' > debian/source/format
    cat > debian/control << END
Source: xenlab
Section: education
Priority: optional
Maintainer: $DEBFULLNAME <$DEBEMAIL>
Build-Depends: dpkg-dev, gcc, make
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: xenlab
Architecture: amd64
Depends: \${shlibs:Depends}
Recommends: bubblewrap, gcc, libc6-dev, pkg-config, libxen-dev, libcapstone-dev, zlib1g-dev, liblzma-dev, libbz2-dev,
 liblz4-dev, libzstd-dev, libxxhash-dev, nettle-dev, libdw-dev
Suggests: gdb, libsdl2-2.0-0, librsvg2-2, libcairo2, libvncserver1, libslirp0, libnbd0, qemu-utils
Built-Using: \${built:Using}
Description: hypervisor to learn from, compatible with Xen, in user space
 Emulates a physical x86-64 machine in an ordinary process, with a small
 hypervisor on it whose interface is that of Xen 4.17: Linux and GRUB run as
 its paravirtualized guests, PCs as HVM guests. Runs are deterministic, and can
 be looked at, stepped, taken back and replayed.
 .
 With labs, in which parts of the hypervisor are written and checked, kits for
 trying algorithms of one's own, and libxenlab, the machine in a program.
END
    cat > debian/changelog << END
xenlab ($version) unstable; urgency=medium

  * Built of its sources by "make deb".

 -- $DEBFULLNAME <$DEBEMAIL>  $1
END
    cat > debian/rules << 'END'
#!/usr/bin/make -f
# TOP: xenlab's sources, in which it has been built.
build build-arch build-indep clean binary-indep:
binary binary-arch:
	$(MAKE) -C $(TOP) MAKEFLAGS= install DESTDIR=$(CURDIR)/debian/xenlab PREFIX=/usr
	$(TOP)/scripts/deb.sh --binary
.PHONY: build build-arch build-indep clean binary binary-arch binary-indep
END
    chmod +x debian/rules
    sed "s/YEAR/$(date -u -d "$1" +%Y)/" > debian/copyright << 'END'
xenlab, a hypervisor to learn from. Packaged from its own sources by "make deb".

Copyright: YEAR, xenlab's developers

This is free software; you can redistribute it and/or modify it under the terms
of the GNU General Public License as published by the Free Software Foundation;
either version 2 of the License, or (at your option) any later version. On
Debian systems it is in /usr/share/common-licenses/GPL-2.

In /usr/lib/xenlab there may be libunicorn.so.2: Unicorn 2.1.1, unchanged, of
Debian's own package libunicorn2t64, whose copyright file is then here as
copyright.unicorn. It is under version 2 of the same licence.
END
    overrides > debian/xenlab.lintian-overrides
}

# What lintian says, and why it is so.
overrides() {
    cat << 'END'
# The engine, Unicorn 2.1.1, is bundled in a folder of xenlab's where the system's is not the version whose inside it
# knows (Debian 12 has 2.0.1): unchanged, of Debian 13's own package, with its copyright file. Lintian does not see it.
#
# Guests are kernels and programs of the emulated machine, which has the same processor whatever runs xenlab; they are
# to be looked at in a debugger, with their symbols and lines. There is no dynamic linker there.
xenlab: arch-dependent-file-in-usr-share [usr/share/xenlab/*guests/*]
xenlab: statically-linked-binary [usr/share/xenlab/*guests/*]
xenlab: unstripped-binary-or-object [usr/share/xenlab/*guests/*]
xenlab: statically-linked-binary [usr/lib/xenlab/labs/*/golden_guest]
xenlab: unstripped-binary-or-object [usr/lib/xenlab/labs/*/golden_guest]
# libxenlab is the program's hypervisor as a library, wants what the program wants, and is built against in classes:
# one package.
xenlab: package-name-doesnt-match-sonames libxenlab0
xenlab: link-to-shared-library-in-wrong-package usr/lib/libxenlab.so.0 [usr/lib/libxenlab.so]
# Algorithms for kits are plugins that compute, and call nothing.
xenlab: shared-library-lacks-prerequisites [usr/lib/xenlab/kit/*.so]
END
    [ "$DEBEMAIL" != "$nobody" ] || cat << END
# Who gives the package to others names himself, by DEBFULLNAME and DEBEMAIL, as for dch(1).
xenlab: bogus-mail-host Maintainer $nobody
xenlab: bogus-mail-host-in-debian-changelog $nobody (for version $version) [usr/share/doc/xenlab/changelog.gz:1]
END
}

# stripped FILE: as dh_strip does it.
stripped() {
    case $1 in
    *.a) strip --strip-debug --enable-deterministic-archives "$1" ;;
    *.so | *.so.*) strip --strip-unneeded --remove-section=.comment --remove-section=.note "$1" ;;
    *) strip --remove-section=.comment --remove-section=.note "$1" ;;
    esac
}

# staged: debian/xenlab, as `make install` has left it, becomes what a package holds.
staged() {
    to=debian/xenlab doc=debian/xenlab/usr/share/doc/xenlab
    rm "$to/$lib/installed" # that is dpkg's to know
    stripped "$to/usr/bin/xenlab"
    for file in "$to"/usr/lib/*.so.? "$to/$lib"/xenlab-* "$to/$lib"/*.so* "$to/$lib"/*.a "$to/$lib"/kit/*.so "$to/$lib"/labs/*/golden; do
        [ ! -f "$file" ] || stripped "$file"
    done
    multiarch=$to/usr/lib/$(gcc -print-multiarch)
    mkdir -p "$multiarch"
    mv "$to/usr/lib/pkgconfig" "$multiarch/"
    find "$to/usr/share/man" -type f -exec gzip -9n {} +
    mkdir -p "$doc" "$to/usr/share/lintian/overrides" "$to/DEBIAN"
    install -m 644 debian/copyright "$doc/copyright"
    unicorn=$TOP/build/deps/unicorn/usr/share/doc/libunicorn2t64/copyright
    if [ -e "$to/$lib/libunicorn.so.2" ]; then install -m 644 "$unicorn" "$doc/copyright.unicorn"; fi
    gzip -9nc debian/changelog > "$doc/changelog.gz"
    install -m 644 debian/xenlab.lintian-overrides "$to/usr/share/lintian/overrides/xenlab"
    chmod -R u+w,go-w,a+rX "$to"

    # What it is linked with; libxlutil is in it as an archive.
    dpkg-shlibdeps -Tdebian/substvars -l"$to/$lib" "$to/usr/bin/xenlab" "$to"/usr/lib/*.so.0 "$to/$lib"/xenlab-*
    xen=$(dpkg-query -W -f='${source:Package} (= ${source:Version})' libxen-dev)
    echo "built:Using=$xen" >> debian/substvars
    echo 'libxenlab 0 xenlab' > "$to/DEBIAN/shlibs"
    echo 'activate-noawait ldconfig' > "$to/DEBIAN/triggers"
    (cd "$to" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > debian/md5sums
    mv debian/md5sums "$to/DEBIAN/md5sums"
    dpkg-gencontrol -Tdebian/substvars -P"$to"
}

command -v dpkg-gencontrol > /dev/null || die "dpkg-gencontrol is not here; type: sudo apt-get install dpkg-dev"
date=$(git -C "$TOP" log -1 --format=%ct 2> /dev/null || stat -c %Y "$TOP/ui/version.h")
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$date}"
date=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
case ${1:-} in
--binary)
    staged
    dpkg-deb --root-owner-group -Zxz -b debian/xenlab ..
    ;;
--stage)
    mkdir -p "$2/debian/xenlab/usr"
    cp -R -P "$3"/. "$2/debian/xenlab/usr/"
    cd "$2"
    debian "$date"
    staged
    ;;
*)
    rm -rf "build/deb/xenlab-$version"
    mkdir -p "build/deb/xenlab-$version"
    cd "build/deb/xenlab-$version"
    debian "$date"
    TOP=$TOP DESTDIR='' dpkg-buildpackage -b -us -uc -d > ../log 2>&1 || { tail -n 20 ../log >&2; die "see build/deb/log"; }
    echo "build/deb/xenlab_${version}_amd64.deb"
    ;;
esac
