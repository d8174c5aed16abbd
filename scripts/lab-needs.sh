#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does each lab.conf's `needs` name the labs whose files its check cannot do without? make campaign-needs.
#
# Concept: the program that checks a lab is linked with what a student of another lab begins with, in place of that
# lab's own files. If what it reports is another thing then, nobody can do the one while the other is not done: a class
# is not given both without their solutions. So each lab is tried with each other one's beginning, for one seed.
#
#       scripts/lab-needs.sh [LAB...]       those labs alone ("04 11")
set -uo pipefail
cd "$(dirname "$0")/.."

built=$PWD/build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expand() { sed "s#@BUILT@#$built#g; s#@ROOT@#$PWD#g" "build/labs/$1"; }
read -ra cflags <<< "$(expand cflags)"
read -ra ldflags <<< "$(expand ldflags)"
wrong=0 tried=0

# What a student begins with, as objects; nothing: the lab is of another form.
for conf in labs/[0-9]*/lab.conf; do
    name=$(basename "$(dirname "$conf")")
    grep -q '^form *= "H"' "$conf" || continue
    ./xenlab lab start "$name" "$work/$name" > /dev/null || exit 1
    for file in "$work/$name"/*.c; do
        gcc "${cflags[@]}" -w -iquote "$work/$name" -c "$file" -o "${file%.c}.o" || exit 1
    done
done

for folder in "$work"/*/; do
    name=$(basename "$folder")
    [ $# = 0 ] || [[ " $* " == *" ${name%%-*} "* ]] || continue
    golden=build/labs/$name/golden
    timeout 60 "$golden" --seed 1 > "$work/golden" 2> /dev/null
    needs=
    for other in "$work"/*/; do
        [ "$other" != "$folder" ] || continue
        number=$(basename "$other") number=$((10#${number%%-*}))
        gcc -o "$work/program" "build/labs/$name/check/facts.o" "$other"*.o build/labs/kit/kit.a build/libxenlab.a \
            "${ldflags[@]}" 2> "$work/err" || { head -3 "$work/err"; exit 1; }
        timeout 60 "$work/program" --seed 1 > "$work/report" 2> /dev/null
        cmp -s "$work/golden" "$work/report" || needs+="$number "
        tried=$((tried + 1))
    done
    said=$(grep '^needs' "labs/$name/lab.conf" | grep -o '"[0-9]*"' | tr -d '"' | tr '\n' ' ')
    missing=
    for number in $needs; do
        [[ " $said" == *" $number "* ]] || missing+="$number "
    done
    [ -z "$missing" ] || wrong=$((wrong + 1))
    echo "$name: needs ${needs:-nothing}${missing:+(lab.conf does not say $missing)}"
done
echo "$tried pairs, $wrong labs whose lab.conf does not say what they need"
[ $wrong = 0 ]
