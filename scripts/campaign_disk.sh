#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_disk.sh KILLS [SEED]: is what a guest was told to be written there, whatever becomes of xenlab? $XENLAB is
# the program (./xenlab).
#
# Concept: guests/blkcat writes blocks, each with its number, and says of each that it is acknowledged. xenlab is killed
# (SIGKILL) at a random moment; then blkcat looks in another run whether all blocks are there of which it had said so.
# The next run goes on behind them, on the same disk.
#
# When could this pass wrongly? If nothing was acknowledged: then it says so, and fails.
set -eu

kills=$1 seed=${2:-1}
: "${XENLAB:=./xenlab}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
truncate -s 16M "$dir/a.img"
total=0 from=1 wrong=0

# cat COMMAND-LINE: in the background or not.
blkcat() {
    exec "$XENLAB" run -q --disk "$dir/a.img" --cmdline "$1" build/guests/blkcat
}

# Of each point: how many blocks at once, after how many of them a flush, how long it runs.
awk -v seed="$seed" -v n="$kills" 'BEGIN {
    srand(seed)
    while (n--)
        printf "%d %d %.3f\n", 1 + int(rand() * 32), rand() < 0.5 ? 0 : 1 + int(rand() * 50), rand() * 0.3
}' > "$dir/points"
while read -r depth flush seconds; do
    (blkcat "from=$from write=100000000 depth=$depth flush=$flush") > "$dir/says" 2>&1 &
    pid=$!
    until grep -q acknowledged "$dir/says"; do
        kill -0 $pid 2> /dev/null || { cat "$dir/says" >&2; exit 1; }
        sleep 0.01
    done
    sleep "$seconds"
    kill -9 $pid
    wait $pid 2> /dev/null || true
    # The last line may be torn.
    last=$(sed '$d' "$dir/says" | awk '/^acknowledged/ { n = $2 } END { print n + 0 }')
    if [ "$last" -ge "$from" ]; then
        (blkcat "verify=$last") > "$dir/verified" 2>&1 < /dev/null || {
            grep -e block "$dir/verified" || cat "$dir/verified"
            wrong=$((wrong + 1))
        }
        total=$((total + last - from + 1))
        from=$((last + 1))
    fi
done < "$dir/points"
echo "$kills kills, $total acknowledged blocks, $wrong times one was missing"
[ "$wrong" = 0 ] && [ "$total" -gt 0 ]
