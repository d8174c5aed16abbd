#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install_labs.sh TREE PREFIX ENGINE LINK...: what `xenlab lab` wants, for an xenlab that can do without this folder,
# and without a network, put into TREE, which is to lie at PREFIX. TREE/share/xenlab has the labs and the files that
# they are about, but no teacher's ones; TREE/lib/xenlab what was built of them. ENGINE is Unicorn's library if it lies
# there as well ("" if it is the system's); LINK the command that links a program, without objects and without -o, and
# INSTALLED_LIBS in the environment what it is linked with.
set -eu

tree=$(realpath "$1") at=$2 engine=$3
shift 3
share=$tree/share/xenlab lib=$tree/lib/xenlab

mkdir -p "$share" "$lib/labs"
rm -rf "$lib/labs/include" && cp -r build/labs/include "$lib/labs/"
cp --parents labs/kit/kit.h "$share"
cp build/libxenlab.a "$lib/"
(cd build && cp --parents labs/kit/kit.a labs/kit/guest.o labs/kit/guest.lds "$lib")
ln -sf ../../bin/xenlab "$lib/xenlab"

# Places are those of an installed xenlab.
for flags in cflags ldflags guest_cflags guest_ldflags policy_cflags policy_ldflags; do
    if [ -n "$engine" ]; then
        sed -e 's#-isystem @[A-Z]*@/\(build/\)\?deps[^ ]*##; s#-L@[A-Z]*@/\(build/\)\?deps[^ ]*#-L@BUILT@#' \
            -e "s#-rpath,@[A-Z]*@/\(build/\)\?deps[^ ]*#-rpath,@BUILT@#; s# -lunicorn# -l:${engine##*/}#" "build/labs/$flags"
    else
        cat "build/labs/$flags"
    fi > "$lib/labs/$flags"
done

for lab in labs/[0-9]*; do
    name=${lab#labs/}
    mkdir -p "$share/$lab" "$lib/$lab"
    cp -r "$lab"/* "$share/$lab/"
    rm -rf "$share/$lab/check"
    # What those get wrong that are wrong, without how: what `check` tells who has passed.
    [ ! -d "labs/teacher/$name" ] || sed -s -n '1s/^FAIL /&/p' "labs/teacher/$name"/* > "$share/$lab/wrong"
    # The files that it is about, guests that run beside, and what questions run (but for guests from elsewhere).
    {
        grep -o '"[a-z0-9_/]*\.c"\|^beside.*"' "$lab/lab.conf" | sed 's/^beside[^"]*//; s/"//g'
        sed -n '/^questions/,/^\]/p' "$lab/lab.conf" | grep -o ' [a-z0-9_.-]*/[^ ]*' | grep -v ' build/assets/' | sort -u
    } | while read -r file; do
        [ ! -f "$file" ] || cp --parents "$file" "$share"
    done
    (cd build && for made in "$lab/whole" "$lab/golden_guest" "$lab"/check/*.o; do
        [ ! -f "$made" ] || cp --parents "$made" "$lib"
    done)
    [ ! -f "build/$lab/golden" ] ||
        "$@" -o "$lib/$lab/golden" "build/$lab/check/facts.o" build/labs/kit/kit.a build/libxenlab.a $INSTALLED_LIBS \
            -Wl,-rpath,"\$ORIGIN/../..:$at/lib/xenlab" # the first says nothing where there is no /proc, as in a sandbox
done
touch "$lib/labs/built"
