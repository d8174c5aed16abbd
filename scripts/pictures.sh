#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# pictures.sh: the pictures of README.md and docs/, made by the program itself, into docs/pictures. Run from the
# project's root.
set -eu

XENLAB=${XENLAB:-./xenlab} out=docs/pictures
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$out"

# picture SIZE COMMANDS GUEST...
picture() {
    size=$1
    printf '%s\n' "$2" > "$tmp/script"
    shift 2
    "$XENLAB" tui --script "$tmp/script" --size "$size" "$@" > "$tmp/out" || {
        cat "$tmp/out" >&2
        exit 1
    }
}

picture 150x44 "exit vector==13; 5t; t; shot $out/main.svg" build/guests/rings
picture 150x40 "trace pte if ret==-1; c; layout memory; shot $out/memory.svg" build/guests/pagetables
picture 120x40 "exit vector==13; 5t; why; shot projector $out/projector.svg" build/guests/rings
ls -l "$out"
