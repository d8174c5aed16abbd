#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test.sh TREE TEST... : run unit tests (tests/<folder>/test_*, built below TREE) and guest harnesses (*.sh), and close
# with one line that adds up all of them: "N passed, N failed", and ", N errors" and ", N skipped" if there are any.
#
# Concept: every unit test prints cmocka's own summary, and a harness closes with a line like ours; both are shown, a
# failed test's whole output too (with V=1 everybody's). A test that dies, hangs, or exits with a failure that it does
# not report counts as one failure more: silence is never a pass.
#
# As many as there are processors (or $JOBS) run at the same time, harnesses first, since some take longest, and each is
# told when it is over. Then come the guests (tests/guest/run.sh), which share the processors among their cases.
set -eu

tree=$1
shift
export XENLAB="$tree/xenlab"
# Unpacked kernels are kept here, and not among the user's.
mkdir -p "$tree/cache"
XDG_CACHE_HOME=$(cd "$tree/cache" && pwd)
export XDG_CACHE_HOME
: "${TEST_TIMEOUT:=1800}" "${JOBS:=$(nproc)}"
export TEST_TIMEOUT JOBS
# A sanitizer's finding is told from a test's failure by the exit status; a leak is a finding.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:exitcode=99}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
out=$tmp/out # of the test that is looked at
passed=0 failed=0 errors=0 skipped=0
closing='^\([0-9]* passed, [0-9]* failed\(, [0-9]* errors\)\{0,1\}\(, [0-9]* skipped\)\{0,1\}\)$'

# sum PATTERN: the sum of the numbers that the pattern's group finds in $out.
sum() {
    sed -n "s/$1/\1/p" "$out" | awk '{ n += $1 } END { print n + 0 }'
}

# count TEST: what $out says of it, into $p, $f, $e and $s (passed, failed, errors, skipped).
count() {
    case $1 in
    *.sh)
        line=$(sed -n "s/$closing/\1/p" "$out" | tail -n 1)
        p=$(echo "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
        f=$(echo "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
        e=$(echo "$line" | sed -n 's/.* \([0-9]*\) errors.*/\1/p')
        s=$(echo "$line" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
        p=${p:-0} f=${f:-0} e=${e:-0} s=${s:-0}
        ;;
    *)
        p=$(sum '^\[  PASSED  \] \([0-9]*\) test(s)\.$')
        f=$(sum '^\[  FAILED  \] \([0-9]*\) test(s), listed below:$')
        e=0
        s=$(sum '^\[  SKIPPED \] \([0-9]*\) test(s), listed below:$')
        ;;
    esac
}

# show TEST: what it said; of a unit test that passed only the summary.
show() {
    case $1 in
    *.sh) sed -e "/$closing/d" "$out" ;;
    *)
        if [ -n "${V:-}" ] || [ "$f" -gt 0 ]; then
            cat "$out"
        else
            sed -n '/^\[==========\] .* run\.$/,$p' "$out"
        fi
        ;;
    esac
}

# tell TEST: what became of it, of which $out is the output (shown, if $shown), $status the end, $took the seconds.
tell() {
    count "$1"
    why=
    if [ "$status" -ne 0 ] && [ "$((f + e))" -eq 0 ]; then
        f=1
        case $status in
        124) why="took longer than $TEST_TIMEOUT s" ;;
        99) why="a sanitizer's finding" ;;
        *) why="ended with status $status" ;;
        esac
    elif [ "$((p + f + e + s))" -eq 0 ]; then
        f=1 why="reported no test"
    fi
    [ -n "$shown" ] || show "$1"
    [ -z "$why" ] || echo "$1: FAILED: $why"
    echo "== $1: $p passed, $f failed$([ "$e" -eq 0 ] || echo ", $e errors"), $s skipped ($took s)"
    passed=$((passed + p)) failed=$((failed + f)) errors=$((errors + e)) skipped=$((skipped + s))
}

# What runs beside others. Each has a number; the line NUMBER STATUS SECONDS TEST says that it is over.
one='
    start=$(date +%s) status=0
    case $4 in
    *.sh) program=$4 ;;
    *) program=$2/$4 ;;
    esac
    timeout "$TEST_TIMEOUT" "$program" > "$1/out.$3" 2>&1 || status=$?
    echo "$3 $status $(($(date +%s) - start)) $4"'
guests= first= then=
for test in "$@"; do
    case $test in
    */guest/run.sh) guests="$guests $test" ;;
    *.sh) first="$first $test" ;;
    *) then="$then $test" ;;
    esac
done
number=0
for test in $first $then; do
    number=$((number + 1))
    echo "$number $test"
done > "$tmp/some"
some() { [ ! -s "$tmp/some" ] || xargs -L 1 -P "$JOBS" sh -c "$one" one "$tmp" "$tree" < "$tmp/some"; }

tell_some() {
    shown=
    while read -r number status took test; do
        out=$tmp/out.$number
        tell "$test"
        sed -i "/^$number /d" "$tmp/some"
    done
    # Whoever did not even report.
    while read -r number test; do
        out=/dev/null status=1 took=?
        tell "$test"
    done < "$tmp/some"
}

# They take minutes, so what they say is shown while they run.
guests() {
    shown=1
    for test in $guests; do
        out=$tmp/out start=$(date +%s) status=0
        echo "== $test"
        {
            timeout "$TEST_TIMEOUT" "$test" 2>&1 || status=$?
            echo "status $status"
        } | tee "$out" | sed -u -e '/^status [0-9]*$/d' -e "/$closing/d"
        status=$(sed -n '$s/^status //p' "$out")
        status=${status:-1} took=$(($(date +%s) - start))
        tell "$test"
    done
}

some | {
    tell_some
    guests

    echo
    line="$passed passed, $failed failed"
    [ "$errors" -eq 0 ] || line="$line, $errors errors"
    [ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
    echo "$line"
    [ "$((failed + errors))" -eq 0 ] && [ "$passed" -gt 0 ]
}
