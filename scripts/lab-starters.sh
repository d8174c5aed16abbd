#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab-starters.sh: what a student begins with, handed in as it is, earns no points, in any lab. Says how many properties
# hold of it all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
xenlab=$PWD/xenlab wrong=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"

labs=$("$xenlab" lab list | awk '{ print $1 }')
{
    printf 'class = "c"\nseeds = "90001-90004"\npoints = [ '
    printf '"%d | 10", ' $(sed 's/^0//' <<< "$labs")
    printf ']\n'
} > key
for n in $labs; do
    "$xenlab" lab start "$n" "s$n" > said 2>&1
    "$xenlab" lab grade "$n" "s$n" --key key --json "$n.json" > said 2>&1 || [ $? = 2 ] || cat said
    if grep -q '"failed", "points": 0.00' "$n.json"; then
        echo "PASS  $n, $(grep -c '"verdict": "pass"' "$n.json" || :) hold"
    else
        echo "FAIL  $n: $(sed -n 4p "$n.json")"
        wrong=$((wrong + 1))
    fi
done
[ "$wrong" = 0 ]
