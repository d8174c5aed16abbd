#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: what scripts/bench_compare.sh says of two runs of the benchmarks, which are made up here; and what
# scripts/bench_xen.sh makes of a QEMU that is made up as well. Nothing is measured.
set -uf

passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# figure NAME VALUE [UNIT]
figure() { printf '{"name": "%s", "value": %s, "unit": "%s", "runs": 5}\n' "$1" "$2" "${3:-1/s}"; }

# expect NAME STATUS TEXT... : the comparison of $tmp/base with $tmp/now ends so, and says each TEXT, in this order.
expect() {
    name=$1 expected=$2
    shift 2
    status=0
    scripts/bench_compare.sh "$tmp/base" "$tmp/now" > "$tmp/out" 2>&1 || status=$?
    why=
    [ "$status" -eq "$expected" ] || why="status $status instead of $expected"
    from=1
    for text in "$@"; do
        line=$(tail -n +"$from" "$tmp/out" | grep -nF -m 1 -e "$text" | cut -d : -f 1)
        [ -n "$line" ] || {
            why="it does not say \"$text\""
            break
        }
        from=$((from + line))
    done
    if [ -z "$why" ]; then
        passed=$((passed + 1))
        echo "PASS  $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name: $why"
        sed 's/^/      > /' "$tmp/out"
    fi
}

# of_one UNIT BASE NOW, then as expect: one figure in each.
of_one() {
    figure x "$2" "$1" > "$tmp/base"
    figure x "$3" "$1" > "$tmp/now"
    shift 3
    expect "$@"
}

of_one 1/s 1000 1000 equal 0 "1.00 same   x: 1000 -> 1000 1/s" "0 worse, 0 better, 1 the same"
of_one 1/s 1000 840 slower-within-noise 0 "0.84 same" "0 worse"
of_one 1/s 1000 826 rate-worse 1 "0.83 worse  x: 1000 -> 826 1/s" "1 worse, 0 better, 0 the same"
of_one 1/s 1000 2500 rate-better 0 "2.50 better x: 1000 -> 2500 1/s" "0 worse, 1 better"
of_one 'million instructions/s' 100 50 instructions-worse 1 "0.50 worse"
for unit in ns us ms s instructions hypercalls exits; do
    of_one $unit 10 20 cost-worse-$unit 1 "0.50 worse  x: 10 -> 20 $unit"
    of_one $unit 10 5 cost-better-$unit 0 "2.00 better"
done
of_one MiB 100 104 memory-same 0 "same"
of_one MiB 100 106 memory-worse 1 "0.94 worse"
of_one s 1e-05 1.5e+02 exponents 1 "0.00 worse"

export THRESHOLD=100
of_one 1/s 1000 510 threshold-wide-same 0 "1 the same (within 100 %, memory within 5 %)"
of_one 1/s 1000 490 threshold-wide-worse 1 "worse"
export THRESHOLD=2
of_one 1/s 1000 970 threshold-narrow 1 "worse"
of_one MiB 100 103 threshold-narrow-memory 1 "worse" "within 2 %, memory within 2 %"
for THRESHOLD in x -5 1.5 99999; do
    of_one 1/s 1 1 threshold-mistaken 1 "THRESHOLD=$THRESHOLD: should be a number of percent"
done
unset THRESHOLD

{ figure a 100; figure b 100; figure c 100; figure gone 1; } > "$tmp/base"
{ figure new 1; figure c 300; figure b 10; figure a 50; } > "$tmp/now"
expect order-and-names 1 "only now        new" "0.10 worse  b" "0.50 worse  a" "3.00 better c" "only in base    gone" \
    "2 worse, 1 better, 0 the same"
figure a 100 > "$tmp/base"
{ figure a 100; figure new 1; } > "$tmp/now"
expect extra-is-not-worse 0 "only now        new" "0 worse"
figure a 100 ms > "$tmp/base"
figure a 100 us > "$tmp/now"
expect another-unit 0 "not comparable  a: 100 ms, and now 100 us"
figure a 0 > "$tmp/base"
expect zero 0 "not comparable  a: 0 1/s"

# What is wrong with a file; each is told with its line.
figure a 1 > "$tmp/now"
{ figure a 1; echo 'a: 1'; printf '{"name": "b", "val\n'; } > "$tmp/base"
expect broken-lines 1 "base:2: not a figure such as $(figure x 1): a: 1" "base:3: not a figure"
printf 'x\033[2J\n' > "$tmp/base"
expect control-characters 1 ": x?[2J"
{ figure a 1; figure b 1; figure a 2; } > "$tmp/base"
expect twice 1 'base:3: "a" for the second time: is this more than one run?'
figure a 1 furlongs > "$tmp/base"
expect unknown-unit 1 'base:1: "a": whether more furlongs is better is not known here'
figure a nan > "$tmp/base"
expect no-number 1 "base:1: not a figure"
{ echo '  CC     sim/bug.o'; echo 'make[1]: Entering directory'; figure a 1; } > "$tmp/base"
expect words-of-make 0 "1.00 same"
echo '  CC     sim/bug.o' > "$tmp/base"
expect nothing-but-make 1 "base: holds no figures"
: > "$tmp/base"
expect empty 1 "base is empty: a stored run is what \`make bench > FILE\` has written"
rm "$tmp/base"
expect missing 1 "base is no file"
mkdir "$tmp/base"
expect a-folder 1 "base is no file"
rmdir "$tmp/base"
mkfifo "$tmp/base"
expect a-pipe 1 "base is no file"
rm "$tmp/base"
figure a 1 > "$tmp/base"
: > "$tmp/now"
expect now-empty 1 "now is empty"

# Names of files that awk would take for something else.
figure a 1 > "$tmp/a=b"
if (here=$PWD && cd "$tmp" && cp -r "$here/scripts/bench_compare.sh" . && cp a=b - && ./bench_compare.sh a=b - > out 2>&1) &&
    grep -q '1.00 same' "$tmp/out"; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "FAIL  names-of-files"
    cat "$tmp/out"
fi

# All before minutes are spent; and with XENLAB=false they would not be.
status=0
BASE="$tmp/nowhere" XENLAB=false scripts/bench.sh > "$tmp/out" 2>&1 || status=$?
if [ "$status" -eq 1 ] && [ "$(wc -l < "$tmp/out")" -eq 1 ] && grep -q "nowhere is no file: a stored run" "$tmp/out"; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "FAIL  base-is-checked-first: status $status"
    cat "$tmp/out"
fi

# ------------------------------------------------------------------------------------------------- bench_xen.sh --

# A tree with all that it looks for, in which QEMU is a script: as a dom0 that serves it does what a file says. xenlab
# prints what its guest would. What both are asked is noted.
root=$tmp/root
peer=$root/build/deps/bench-xen
mkdir -p "$root/scripts" "$root/build/assets" "$root/build/guests/bench" "$peer/xen" "$peer/linux/boot" "$peer/qemu/usr/bin" \
    "$peer/tools/usr/lib/xen-4.17/bin"
for script in bench_xen bench_dom0 mkinitrd assets; do
    cp "scripts/$script.sh" "$root/scripts"
done
for file in build/assets/busybox build/guests/bench/blk build/guests/bench/store build/guests/netecho; do
    echo "$file" > "$root/$file"
done
for file in xl xenstored xenconsoled xen-init-dom0; do
    echo "$file" > "$peer/tools/usr/lib/xen-4.17/bin/$file"
done
touch "$peer/xen/xen" "$peer/linux/boot/vmlinuz-1"
echo 'xen-hypervisor-4.17-amd64 4.17.0' > "$peer/xen/versions"
echo 'qemu-system-x86 1:10.0' > "$peer/qemu/versions"

cat > "$root/guest" << 'END'
n=${1##*n=} n=${n%% *} op=${1#*op=} size=${1#*size=}
case $1 in
*size=*) echo "$n frames of ${size%% *} bytes there and back, some at a time: 1 ns each, 1 events sent." ;;
*) echo "${op%% *} $n ok" ;;
esac
END
cat > "$root/xenlab" << 'END'
#!/bin/sh
echo "$*" >> here
for word; do
    [ "$last" != --cmdline ] || sh ./guest "$word"
    last=$word
done
END
cat > "$peer/qemu/usr/bin/qemu-system-x86_64" << 'END'
#!/bin/sh
for modules; do :; done
case $modules in
*bench-xen/dom0)
    echo $$ > pid
    . ./dom0
    ;;
*) echo "null 1 ok" ;;
esac
END
cat > "$tmp/serve" << 'END'
printf 'bench: ready\r\r\n'
while read -r line && [ "$line" ]; do
    echo "$line" >> there
    sh ./guest "$line"
    printf 'bench: done\r\n'
done
END
chmod +x "$root/xenlab" "$peer/qemu/usr/bin/qemu-system-x86_64"

# beside NAME STATUS DOM0 TEXT... : with $patterns bench_xen.sh ends so, and says each TEXT; of QEMU nothing is left.
beside() {
    name=$1 expected=$2 status=0 why=
    cp "$3" "$root/dom0"
    shift 3
    rm -f "$root/here" "$root/there" "$root/pid"
    (cd "$root" && eval "XENLAB=./xenlab RUNS=1 timeout 60 scripts/bench_xen.sh $patterns") > "$tmp/out" 2>&1 || status=$?
    [ "$status" -eq "$expected" ] || why="status $status instead of $expected"
    for text in "$@"; do
        grep -qF -e "$text" "$tmp/out" || why="it does not say \"$text\""
    done
    [ ! -e "$root/pid" ] || ! kill -0 "$(cat "$root/pid")" 2> "$tmp/ignored" || why="QEMU still runs"
    if [ -z "$why" ]; then
        passed=$((passed + 1))
        echo "PASS  $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name: $why"
        sed 's/^/      > /' "$tmp/out"
    fi
}

# asked NAME FILE LINE... : that is what xenlab or dom0 has been given.
asked() {
    name=$1 file=$root/$2
    shift 2
    if printf '%s\n' "$@" | cmp -s - "$file"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        printf '%s\n' "$@" | diff - "$file"
    fi
}

patterns="'block: 4 KiB read at random' 'net: 1514*' 'xenstore: a node read'"
beside a-dom0-serves 0 "$tmp/serve" "block: 4 KiB read at random" "net: 1514 bytes there and back" "xenstore: a node read" \
    "QEMU 10.0,Xen 4.17.0"
asked a-dom0-serves-there there "disk blk op=read n=400" "disk blk op=read n=40000" \
    "net netecho bare=1 size=1514 depth=64 n=500" "net netecho bare=1 size=1514 depth=64 n=50000" \
    "none store op=read n=40" "none store op=read n=4000"
sed -i 's/--disk [^ ]*/--disk DISK/' "$root/here"
asked a-dom0-serves-here here "run -q --disk DISK --cmdline op=read n=4000 build/guests/bench/blk" \
    "run -q --disk DISK --cmdline op=read n=400000 build/guests/bench/blk" \
    "run -q --copies 2 --net bench --cmdline bare=1 size=1514 depth=64 n=3000 build/guests/netecho" \
    "run -q --copies 2 --net bench --cmdline bare=1 size=1514 depth=64 n=300000 build/guests/netecho" \
    "run -q --cmdline op=read n=3200 build/guests/bench/store" "run -q --cmdline op=read n=320000 build/guests/bench/store"

patterns="'read of CR0'"
beside a-guest-that-xen-ends 1 "$tmp/serve" '"cr0 7000 ok" did not come'
patterns="'xenstore: *'"
echo 'echo "no such module"' > "$tmp/dies"
beside no-dom0 0 "$tmp/dies" 'dom0 does not say "bench: ready"' 'no such module' 'no dom0 that serves guests can be had' \
    'The load of the machine'
{ echo 'echo "bench: ready"; read -r line; echo "panic: xenstore"; echo "bench: done"; read -r line'; } > "$tmp/panics"
beside a-guest-that-fails 1 "$tmp/panics" '"read 40 ok" did not come from: none store op=read n=40' 'panic: xenstore'
echo 'echo "bench: ready"; read -r line; echo "BUG: in dom0"' > "$tmp/bug"
beside a-dom0-that-ends 1 "$tmp/bug" 'dom0 does not say "bench: done"' 'BUG: in dom0'

# For bench.sh: ratios that bench_compare.sh understands, and nothing is fetched.
patterns="'xenstore: a node*'"
export JSON=1
beside as-figures 0 "$tmp/serve" '{"name": "beside Xen in QEMU, xenstore: a node written", "value": '
cp "$tmp/out" "$tmp/base"
cp "$tmp/out" "$tmp/now"
expect as-figures-compared 0 "0 worse, 0 better, 2 the same"
rm -r "$peer/tools"
beside as-figures-without-tools 0 "$tmp/serve" "no dom0 that serves guests can be had"
unset JSON

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
