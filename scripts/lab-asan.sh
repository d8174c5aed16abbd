#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab-asan.sh : the programs that check labs of form H, with xenlab's own files in them, under the sanitizers: each says
# what it says without them, for SEEDS="1 2 3". What its scene leaves in the arena is no finding: it ends with it.
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
        for file in plain out; do grep -v '^end$' "$tmp/$file" > "$tmp/$file.lines"; done
        if grep -q 'runtime error: \|AddressSanitizer' "$tmp/said" || ! cmp -s "$tmp/plain.lines" "$tmp/out.lines"; then
            echo "$lab, seed $seed:" && grep -v '^arena: ' "$tmp/said" | head -n 5
            wrong=$((wrong + 1))
        fi
    done
done
echo "$runs runs, $wrong findings"
[ $runs -gt 0 ] && [ $wrong = 0 ]
