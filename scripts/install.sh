#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh --check | TREE | --remove: what `make install` and `make uninstall` do with files, below $DESTDIR$PREFIX.
#
# Concept: `make install` makes a TREE (bin/, lib/, share/...) below build/, which is copied. What was put there stands
# in PREFIX/lib/xenlab/installed, a path below DESTDIR a line: files, and those folders that were not there before, with
# a "/" at the end. `make uninstall` removes what stands there, so it needs neither the sources that were installed nor
# a build; a folder stays if something else is in it.
#
# Invariants: no file is removed that install has not put there, no folder that was there before. What an earlier
# version had and this one has not is gone after install. An interrupted install can be uninstalled:
# the list comes first. Whatever umask says, all may read what was installed.
set -eu

: "${PREFIX:=/usr/local}" "${DESTDIR:=}"
die() {
    echo "xenlab: $*" >&2
    exit 1
}

# What runs there finds other files there, and not all of the formats that say where can quote everything.
case $PREFIX in
/*[!-a-zA-Z0-9/._+~@%=\ ]* | *//* | */../* | */..)
    die "PREFIX=$PREFIX: only letters, digits, blanks and -/._+~@%= can be in it (as in /usr/local)"
    ;;
/?*) ;;
*) die "PREFIX=$PREFIX: it must begin with / and be a folder, as /usr/local" ;;
esac
case $DESTDIR in
*'
'*) die "DESTDIR: no line break can be in it" ;;
'' | /* | ./*) ;;
*) DESTDIR=./$DESTDIR ;;
esac
PREFIX=${PREFIX%/}
list=$DESTDIR$PREFIX/lib/xenlab/installed

# folders_new PATH: PATH below DESTDIR and those that it is in, if they are not there, outermost first; "/" is DESTDIR.
folders_new() {
    [ ! -d "$DESTDIR$1" ] || return 0
    [ -z "$1" ] || folders_new "${1%/*}"
    echo "$1/"
}

# of_others: lines that no install can have written.
of_others() { grep -n -v '^/' "$list" || grep -n '/\.\./' "$list"; }

# files_remove LIST, folders_remove LIST: of paths below DESTDIR.
files_remove() {
    grep -v '/$' "$1" | while IFS= read -r path; do rm -f -- "$DESTDIR$path"; done
}
folders_remove() {
    grep '/$' "$1" | LC_ALL=C sort -r | while IFS= read -r path; do rmdir -- "$DESTDIR$path" 2> /dev/null || true; done
}

case $1 in
--check) ;;
--remove)
    [ -r "$list" ] || die "no $list: nothing is installed there (with other DESTDIR= and PREFIX=, perhaps)"
    ! of_others > /dev/null || die "$list has been changed, line $(of_others | head -n 1): nothing is removed"
    all=$(mktemp)
    trap 'rm -f "$all"' EXIT
    cp "$list" "$all"
    files_remove "$all"
    folders_remove "$all"
    [ ! -e "$list" ] || die "$list could not be removed"
    ;;
*)
    tree=$1
    umask 022
    chmod -R u+rwX,go+rX,go-w "$tree"
    new=$(mktemp) old=$(mktemp)
    trap 'rm -f "$new" "$old"' EXIT
    if [ -s "$list" ]; then
        ! of_others > /dev/null || die "$list has been changed, line $(of_others | head -n 1): remove it to install"
        cp "$list" "$old"
    fi
    {
        (cd "$tree" && find . ! -type d) | sed "s|^\.|$PREFIX|"
        echo "$PREFIX/lib/xenlab/installed"
        folders_new "$PREFIX"
        (cd "$tree" && find . -mindepth 1 -type d) | sed "s|^\.|$PREFIX|" | while IFS= read -r folder; do
            [ -d "$DESTDIR$folder" ] || echo "$folder/"
        done
        grep '/$' "$old" || true
    } | LC_ALL=C sort -u > "$new"
    mkdir -p "$DESTDIR$PREFIX/lib/xenlab"
    # Until all is there, both lists count.
    LC_ALL=C sort -u "$old" "$new" > "$list"
    LC_ALL=C comm -23 "$old" "$new" > "$old.gone"
    mv "$old.gone" "$old"
    files_remove "$old"
    cp -R -P --preserve=mode,timestamps --remove-destination "$tree"/. "$DESTDIR$PREFIX/"
    cp "$new" "$list"
    chmod 644 "$list"
    ;;
esac
