#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab-asan.sh : the programs that check labs of form H, with xenlab's own files in them, under the sanitizers: each says
# what it says without them, for SEEDS="1 2 3", to its end. What a machine leaves in
# its arena is a finding. How often memory is looked at is up to the compiler: of counts the numbers are not compared.
export ASAN_OPTIONS=detect_leaks=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
wrong=0 runs=0
for program in build/asan/labs/*/golden; do
    lab=$(basename "$(dirname "$program")")
    for seed in ${SEEDS:-1 2 3}; do
        "build/labs/$lab/golden" --seed "$seed" > "$tmp/plain"
        "$program" --seed "$seed" > "$tmp/out" 2> "$tmp/said"
        runs=$((runs + 1))
        for file in plain out; do sed 's/^\(count [a-z]*\) .*/\1/' "$tmp/$file" > "$tmp/$file.lines"; done
        if grep -q 'runtime error: \|AddressSanitizer\|^arena: \|bug at' "$tmp/said" ||
            ! cmp -s "$tmp/plain.lines" "$tmp/out.lines"; then
            echo "$lab, seed $seed:" && head -n 5 "$tmp/said"
            wrong=$((wrong + 1))
        fi
    done
done
echo "$runs runs, $wrong findings"
[ $runs -gt 0 ] && [ $wrong = 0 ]
