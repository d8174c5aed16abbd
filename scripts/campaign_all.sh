#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_all.sh SEEDS: a run with all of it, that goes back: is everything as it was? $XENLAB is the program.
#
# Concept: one Linux has a disk with ext4, a shared folder, the network outside, a screen, and is seen by a program at
# its xenstore, all in use at once. The run is recorded, and its recording repeated: the console is the same, to the
# byte. Then the debugger goes to ten random points of it, to each from the end and once more from the one before; the
# same point has the same hash of all of the machine (with its disk), and the console has said the same.
#
# When could this pass wrongly? If the devices did nothing: so each has to have said that it did.
set -eu

seeds=$1
: "${XENLAB:=./xenlab}"
PATH=$PATH:/usr/sbin:/sbin
assets=build/assets
modules="crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 xen-blkfront netfs fscache 9pnet 9pnet_xen 9p xen-netfront"
files=
for module in $modules; do
    files="$files $assets/modules/$module.ko"
done
for file in $assets/vmlinuz-generic $assets/xenstore-ls $files; do
    [ -e "$file" ] || { echo "campaign_all.sh: there is no $file: nothing is tried" >&2; exit 0; }
done
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
sed "s/@modules@/$modules/" > "$dir/script" << 'END'
for module in @modules@; do
    insmod /bin/$module.ko
done
until [ -b /dev/xvda ] && [ -d /sys/class/net/eth0 ]; do usleep 10000; done
mkdir -p /disk /share
mount -t ext4 /dev/xvda /disk && echo "disk mounted"
mount -t 9p -o trans=xen,version=9p2000.L share /share && echo "share mounted"
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
port=$(sed 's/.*port=//' /proc/cmdline)
for i in 1 2 3 4 5 6; do
    wget -q -O /disk/page$i 10.0.2.2:$port/page
    cp /disk/page$i /share/copy$i
    dd if=/dev/urandom of=/disk/noise$i bs=16k count=8 conv=fsync 2> /dev/null
    echo "round $i" > /dev/tty0
    echo "round $i: $(cat /disk/page$i /share/copy$i | md5sum) $(md5sum < /disk/noise$i)"
done
umount /share /disk && echo "all done"
END
# shellcheck disable=SC2086
scripts/mkinitrd.sh "$dir/initrd" $assets/busybox "$dir/script" $files
mkdir "$dir/www"
seq 1 20000 > "$dir/www/page"
port=$((20000 + $$ % 20000))
$assets/busybox httpd -f -p 127.0.0.1:$port -h "$dir/www" &
server=$!
sum=$(cat "$dir/www/page" "$dir/www/page" | md5sum)

# What is repeated is what the guest says: not what is said of the run.
said() { tr -d '\r' < "$1" | grep -v '^xenlab: '; }

wrong=0 points=0
tell() { echo "seed $seed: $1"; wrong=$((wrong + 1)); }

for seed in $(seq "$seeds"); do
    rm -rf "$dir/share"
    mkdir "$dir/share"
    rm -f "$dir/a.img"
    truncate -s 16M "$dir/a.img"
    mke2fs -q -t ext4 "$dir/a.img"
    (
        until [ -S "$dir/store" ]; do sleep 0.05; done
        export XENSTORED_PATH="$dir/store"
        while $assets/xenstore-ls /local/domain > "$dir/ls.new" 2> /dev/null; do mv "$dir/ls.new" "$dir/ls"; sleep 0.1; done
    ) &
    client=$!
    timeout 300 "$XENLAB" run -q --seed "$seed" --max-vtime 100s --memory 128 \
        --record "$dir/rec" --net user --share "$dir/share,rw" --disk "$dir/a.img" --fb --xenstore-socket "$dir/store" \
        --cmdline "console=tty0 console=hvc0 quiet port=$port" --ramdisk "$dir/initrd" $assets/vmlinuz-generic \
        > "$dir/first" 2>&1 < /dev/null || tell "status $?"
    kill $client 2> /dev/null || true
    said "$dir/first" > "$dir/says"
    [ "$(grep -c "$sum" "$dir/says")" = 6 ] && grep -q 'all done' "$dir/says" || { tell "it did not work"; tail -5 "$dir/says"; }
    [ "$(ls "$dir/share" | wc -l)" = 6 ] || tell "nothing is in the folder"
    grep -q 'vif' "$dir/ls" || tell "nobody has seen its xenstore"
    e2fsck -fn "$dir/a.img" > "$dir/fsck" 2>&1 || tell "its disk is damaged"
    cp "$dir/a.img" "$dir/after.img"
    "$XENLAB" replay -q "$dir/rec" > "$dir/second" 2>&1 || tell "replay: status $?"
    said "$dir/second" | cmp - "$dir/says" || tell "the console says something else"
    end=$(echo 'c; where' | "$XENLAB" debug --replay "$dir/rec" 2>&1 | sed -n 's/^\([0-9.]*\)s#.*/\1/p' | tail -1)
    awk -v seed="$seed" -v end="${end:-1}" 'BEGIN {
        srand(seed)
        for (i = 0; i < 10; i++) { # once from the end, and once from the point behind it
            at = sprintf("goto %dus; where; hash; console", end * 1000000 * (0.65 + 0.35 * rand()))
            print "goto end; where; hash; console\n" at
            back = at "\n" back
        }
        print "goto begin; c\n" back "goto end; where; hash; console"
    }' > "$dir/goes"
    { echo c; cat "$dir/goes"; } | timeout 1200 "$XENLAB" debug --replay "$dir/rec" > "$dir/debug" 2>&1 ||
        tell "debug: status $?"
    # One line a place: where, the hash, and a sum of what the console said.
    awk '/^[0-9.]*m?s#/ { if (hash) print at, hash, said; at = $1; hash = said = "" }
        /^hash / { hash = $2; said = 0; next }
        hash { for (i = 1; i <= length($0); i++) said = (said * 31 + index(letters, substr($0, i, 1))) % 1000003 }
        BEGIN { for (i = 32; i < 127; i++) letters = letters sprintf("%c", i) }
        END { print at, hash, said }' "$dir/debug" | sort > "$dir/places"
    [ "$(wc -l < "$dir/places")" = 31 ] || tell "$(wc -l < "$dir/places") places were looked at, and not 31"
    # Two points in one pause of the machine are one place.
    nr=$(cut -d ' ' -f 1 "$dir/places" | sort -u | wc -l)
    [ "$(sort -u "$dir/places" | wc -l)" = "$nr" ] || { tell "a place is not what it was"; uniq -c "$dir/places"; }
    [ "$nr" -gt 5 ] || tell "$nr places: those are few"
    points=$((points + 10))
done
echo "$seeds runs, $points points, $wrong times something was wrong"
[ "$wrong" = 0 ]
