#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: what scripts/bench_compare.sh says of two runs of the benchmarks, which are made up here. Nothing is measured.
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

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
