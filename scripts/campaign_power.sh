#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_power.sh CUTS [SEED]: is what a guest has flushed there after a power cut? $XENLAB is the program (./xenlab).
#
# Concept: guests/blkcat writes blocks, each with its number, and says up to which of them all are flushed. The power is
# cut at a random moment (--power-cut): then each sector that was not flushed has, or has not, reached the disk. In
# another run blkcat looks whether all blocks are there of which it had said so, and whether there is nothing on the
# disk that it never wrote. The next run goes on behind them, on the same disk.
#
# When could this pass wrongly? If nothing was flushed, or if nothing was lost: then it says so, and fails.
set -eu

cuts=$1 seed=${2:-1}
: "${XENLAB:=./xenlab}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
truncate -s 2M "$dir/a.img"
total=0 from=1 most=0 wrong=0 held=0 kept=0

# blkcat COMMAND-LINE [OPTION]...
blkcat() {
    cmdline=$1
    shift
    "$XENLAB" run -q --disk "$dir/a.img" --cmdline "$cmdline" "$@" build/guests/blkcat < /dev/null
}

# Of each cut: how many blocks at once, after how many of them a flush, when.
awk -v seed="$seed" -v n="$cuts" 'BEGIN {
    srand(seed)
    while (n--)
        printf "%d %d %d\n", 1 + int(rand() * 32), 1 + int(rand() * 300), 4000 + int(rand() * 60000)
}' > "$dir/points"
while read -r depth flush us; do
    status=0
    blkcat "from=$from write=100000000 depth=$depth flush=$flush" --power-cut "${us}us" --seed "$us" \
        > "$dir/says" 2> "$dir/err" || status=$?
    [ $status = 3 ] || { cat "$dir/err" >&2; exit 1; }
    counts=$(sed -n 's/.*of \([0-9]*\) sectors.* flushed \([0-9]*\) are on the disk$/\1 \2/p' "$dir/err")
    held=$((held + ${counts% *})) kept=$((kept + ${counts#* }))
    # The last line may be torn.
    flushed=$(sed '$d' "$dir/says" | awk '/^flushed/ { n = $2 } END { print n + 0 }')
    said=$(sed '$d' "$dir/says" | awk '/^acknowledged/ { n = $2 } END { print n + 0 }')
    [ $((said + 33)) -le "$most" ] || most=$((said + 33))
    [ "$flushed" -ge "$from" ] || flushed=$((from - 1))
    [ "$flushed" = 0 ] || blkcat "verify=$flushed upto=$most" > "$dir/verified" 2>&1 || {
        grep -e block "$dir/verified" || cat "$dir/verified"
        wrong=$((wrong + 1))
    }
    total=$((total + flushed - from + 1))
    from=$((flushed + 1))
done < "$dir/points"
echo "$cuts cuts, $total flushed blocks, $kept of $held other sectors on the disk, $wrong times one was wrong"
[ "$wrong" = 0 ] && [ "$total" -gt 0 ] && [ "$kept" -gt 0 ] && [ "$kept" -lt "$held" ]
