#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hostile.sh COUNT [SEED]: guests/hostile and guests/havoc with so many seeds, from SEED on, by $XENLAB (build/xenlab);
# next to each, in the same machine, a neighbour that must notice nothing. Prints every seed whose run was wrong, and
# closes with "N passed, N failed".
#
# What is right: the program ends by itself, with the status of guests that powered off (0), crashed (2), or went on to
# the end of the time they were given (3); and the neighbour says all it says when it is alone. A sanitizer's finding is
# another status.
set -eu

: "${XENLAB:=build/xenlab}"
: "${HOSTILE_TIMEOUT:=120}" # seconds a run, for a machine that hangs
seed=${2:-1}
end=$((seed + $1))
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:exitcode=99}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# What the neighbour says, but for the frames that it got and what differs by the command line.
neighbour() {
    sed -n 's/^\[d2\] *//p' "$1" | sed 's/ *mfn 0x.*//; /command line/d'
}

run() { # OUTPUT ARGUMENT...
    output=$1
    shift
    status=0
    timeout "$HOSTILE_TIMEOUT" "$XENLAB" run -q --max-vtime 2s --memory 16 "$@" < /dev/null > "$output" 2> "$tmp/err" || status=$?
}

wrong() {
    echo "$guest, seed $seed: $1"
    tail -n 5 "$tmp/err" | sed 's/^/    > /'
    failed=$((failed + 1))
}

# With as many vCPUs as the hostile one has: the command line counts for both.
alone() { # VCPUS
    run "$tmp/expected" --vcpus "$1" build/guests/idle build/guests/hello --cmdline until=10
    neighbour "$tmp/expected" > "$tmp/alone$1"
    [ -s "$tmp/alone$1" ] || {
        echo "hostile: the neighbour says nothing when it is alone" >&2
        exit 1
    }
}

try() { # GUEST VCPUS
    guest=$1
    run "$tmp/out" --pcpus $((seed % 2 + 1)) --vcpus "$2" --cmdline "seed=$seed n=200" "build/guests/$guest" build/guests/hello
    neighbour "$tmp/out" > "$tmp/beside"
    case $status in
    0 | 2 | 3)
        if cmp -s "$tmp/alone$2" "$tmp/beside"; then
            passed=$((passed + 1))
        else
            wrong "the neighbour said something else"
        fi
        ;;
    *) wrong "status $status" ;;
    esac
}

alone 1
alone 3
while [ "$seed" -lt "$end" ]; do
    try hostile 1
    try havoc 3
    seed=$((seed + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
