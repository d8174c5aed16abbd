#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_linux.sh kill|cut POINTS [SEED]: has a Linux with ext4 what it has synced, whatever becomes of xenlab (kill),
# or of the power (cut)? $XENLAB is the program (./xenlab).
#
# Concept: Debian's generic kernel writes files, each with fsync, and says their checksums; others are written beside
# them that nobody syncs. At a random moment xenlab is killed (SIGKILL), or the power is cut (--power-cut). Then, on a
# copy of the disk, the journal is replayed, e2fsck has to find nothing wrong, and each file must have its checksum. The
# next run goes on with the disk as it is, so Linux replays the journal, too.
#
# When could this pass wrongly? If nothing was synced, or no cut lost anything: then it says so, and fails.
set -eu

how=$1 points=$2 seed=${3:-1}
: "${XENLAB:=./xenlab}"
PATH=$PATH:/usr/sbin:/sbin
assets=build/assets
modules="crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront"
files=
for module in $modules; do
    files="$files $assets/modules/$module.ko"
done
for file in $assets/vmlinuz-generic $files; do
    [ -e "$file" ] || { echo "campaign_linux.sh: there is no $file: nothing is tried with Linux" >&2; exit 0; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
truncate -s 32M "$dir/a.img"
mke2fs -q -t ext4 "$dir/a.img"
cat > "$dir/script" << 'END'
for module in crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront; do
    insmod /bin/$module.ko
done
until [ -b /dev/xvda ]; do usleep 10000; done
mount -t ext4 /dev/xvda /root || poweroff -f
cd /root
rm -rf d* noise*
echo 1 > /proc/sys/vm/dirty_writeback_centisecs
echo 1 > /proc/sys/vm/dirty_expire_centisecs
while :; do
    dd if=/dev/urandom of=noise$((n = n % 7 + 1)) bs=16k count=20 2> /dev/null
    usleep 1000
done &
i=0
while :; do
    d=d$((i % 9)) i=$((i + 1))
    mkdir -p $d
    dd if=/dev/urandom of=$d/f$i bs=1k count=$((i * 37 % 90 + 1)) conv=fsync 2> /dev/null
    [ $((i % 5)) != 0 ] || mv $d/f$i $d/g$i
    [ $((i % 5)) != 0 ] || sync
    echo "synced $(md5sum $d/[fg]$i)"
    [ $((i % 200)) != 0 ] || { echo "removed"; rm -r d*; }
done
END
# shellcheck disable=SC2086
scripts/mkinitrd.sh "$dir/initrd" $assets/busybox "$dir/script" $files
synced=0 wrong=0 held=0 kept=0

linux() {
    exec "$XENLAB" run -q --memory 128 --cmdline "console=hvc0 quiet" --ramdisk "$dir/initrd" --disk "$dir/a.img" \
        "$@" $assets/vmlinuz-generic
}

# How long it runs: killed, so much longer than until the first file; cut, of the machine's own time.
kill_at() {
    (linux) > "$dir/says" 2> "$dir/err" < /dev/null &
    pid=$!
    until grep -q synced "$dir/says"; do
        kill -0 $pid 2> /dev/null || { cat "$dir/says" "$dir/err" >&2; exit 1; }
        sleep 0.05
    done
    sleep "$1"
    kill -9 $pid
    wait $pid 2> /dev/null || true
}

cut_at() {
    (linux --power-cut "$1" --seed "$2") > "$dir/says" 2> "$dir/err" < /dev/null || true
    counts=$(sed -n 's/.*of \([0-9]*\) sectors.* flushed \([0-9]*\) are on the disk$/\1 \2/p' "$dir/err")
    [ -n "$counts" ] || { cat "$dir/says" "$dir/err" >&2; exit 1; }
    held=$((held + ${counts% *})) kept=$((kept + ${counts#* }))
}

# What is synced, and not removed since: the last line may be torn.
look() {
    cp --sparse=always "$dir/a.img" "$dir/b.img"
    e2fsck -E journal_only -y "$dir/b.img" > "$dir/journal" 2>&1 || [ $? = 1 ] || { cat "$dir/journal"; return 1; }
    e2fsck -fn "$dir/b.img" > "$dir/fsck" 2>&1 || { cat "$dir/fsck"; return 1; }
    tr -d '\r' < "$dir/says" | sed '$d' |
        awk '/^removed/ { delete sum } $1 == "synced" { sum[$3] = $2 } END { for (f in sum) print sum[f] "  " f }' \
            > "$dir/sums"
    rm -rf "$dir/files"
    mkdir "$dir/files"
    debugfs -R "rdump / $dir/files" "$dir/b.img" > "$dir/debugfs" 2>&1
    synced=$((synced + $(wc -l < "$dir/sums")))
    [ ! -s "$dir/sums" ] || (cd "$dir/files" && md5sum --quiet -c ../sums 2>&1)
}

awk -v seed="$seed" -v n="$points" 'BEGIN { srand(seed); while (n--) printf "%.6f %d\n", rand(), n }' > "$dir/points"
while read -r share number; do
    case $how in
    kill) kill_at "$(awk -v x="$share" 'BEGIN { print x * 2 }')" ;;
    *) cut_at "$(awk -v x="$share" 'BEGIN { printf "%dus", 3700000 + x * 1500000 }')" "$number" ;;
    esac
    look || wrong=$((wrong + 1))
done < "$dir/points"
[ "$how" = kill ] || echo "of $held sectors that were written and not flushed $kept were on the disk"
echo "$points times ($how), $synced synced files, $wrong times something was wrong"
[ "$wrong" = 0 ] && [ "$synced" -gt 0 ] && { [ "$how" = kill ] || [ "$kept" -lt "$held" ]; }
