#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install_lib.sh TREE PREFIX ENGINE: libxenlab in TREE, which is to lie at PREFIX: the shared library, what pkg-config
# says of it, and its manual pages. ENGINE: "yes" if Unicorn is not the system's.
# install_lib.sh --tree: what pkg-config says of the one that was built, in build/lib/pkgconfig.
set -eu

version=$(sed -n 's/^#define XENLAB_VERSION "\(.*\)"/\1/p' ui/version.h)

# pc INCLUDE LIB FLAGS: of that version of the ABI Xen's headers are to speak.
pc() {
    cat << EOF
Name: xenlab
Description: A machine with a Xen-compatible hypervisor, in a program
Version: $version
Cflags: -I$1 -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
Libs: -L$2 -lxenlab$3
EOF
}

if [ "$1" = --tree ]; then
    mkdir -p build/lib/pkgconfig
    engine=$(find "$PWD/build/deps/unicorn" -name 'libunicorn.so.2' -printf '%h' -quit 2> /dev/null || true)
    pc "$PWD/include" "$PWD/build/lib" " -Wl,-rpath,$PWD/build/lib${engine:+ -Wl,-rpath-link,$engine}" \
        > build/lib/pkgconfig/xenlab.pc
    exit
fi

to=$1 prefix=$2
install -d "$to/lib/pkgconfig" "$to/share/man/man3"
install -m 644 build/lib/libxenlab.so.0 "$to/lib/"
ln -sf libxenlab.so.0 "$to/lib/libxenlab.so"
prefix=$(echo "$prefix" | sed 's/[^a-zA-Z0-9/._+@%=-]/\\&/g') # for pkg-config's shell
{
    echo "prefix=$prefix"
    pc '${prefix}/include' '${prefix}/lib' "${3:+ -Wl,-rpath-link,\${prefix\}/lib/xenlab}"
} > "$to/lib/pkgconfig/xenlab.pc"

# The headers that a scheduler is compiled with.
cat > "$to/lib/pkgconfig/xenlab-sched.pc" << EOF
prefix=$prefix
Name: xenlab-sched
Description: Schedulers for xenlab sched and xenlab run
Version: $version
Cflags: -I\${prefix}/include/xenlab/sched -D__XEN_TOOLS__ -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
EOF
install -d "$to/include/xenlab/sched"
echo '#include "vcpu/sched/sched.h"' | ${CC:-cc} -MM -MT headers -I. -D__XEN_TOOLS__ -x c - | tr -d '\\' |
    tr ' ' '\n' | grep '\.h$' | while read -r header; do
    install -D -m 644 "$header" "$to/include/xenlab/sched/$header"
done
scripts/man3.sh include/xenlab/xenlab.h "$version" > "$to/share/man/man3/libxenlab.3"
sed -n 's/^[a-z].*[ *]\(xenlab_[a-z_]*\)(.*/\1/p' include/xenlab/xenlab.h | while read -r function; do
    echo '.so man3/libxenlab.3' > "$to/share/man/man3/$function.3"
done
