#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# traces.sh OLD NEW [PATTERN...]: whether two builds of xenlab run the guests of tests/guest alike: the trace of every
# run of every case, the output, and the status, are compared byte by byte. For changes that are to change nothing. Run
# from the project's root.
#
# Concept: the same translation of the test files as judge.sh uses, with another `launch`: nothing is judged here, so it
# does not matter whether a test passes. Virtual time is limited ($VTIME, 1s), since the trace of a whole Linux takes
# gigabytes; so a case of which more is of interest is run with VTIME=60s and its name. A load beside a run, and
# commands other than `xenlab run`, are left out.
#
# The status is 0 if nothing differs, 1 if anything does, 2 if nothing was compared or a case could not be set up.
set -uf

old=${1:?"traces: which program is the old one?"} new=${2:?"traces: which program is the new one?"}
shift 2
patterns=$*
: "${VTIME:=1s}"
for p in "$old" "$new"; do
    [ -x "$p" ] || {
        echo "traces: $p is no program" >&2
        exit 2
    }
done
. scripts/judge_case.sh
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
compared=0

pass() { rm -rf "$dir"; }
skip() {
    skipped=$((skipped + 1))
    rm -rf "$dir"
    echo "SKIP  $name: $1"
    return 1
}
error() {
    errors=$((errors + 1))
    echo "ERROR $name: $1"
}

# ns TIME: 50ms as 50000000.
ns() {
    case $1 in
    *us) echo $((${1%us} * 1000)) ;;
    *ms) echo $((${1%ms} * 1000000)) ;;
    *s) echo $((${1%s} * 1000000000)) ;;
    *) echo 999999999999999999 ;;
    esac
}

# by WHICH PROGRAM ARGUMENT...: one run.
by() {
    which=$dir/$1 program=$2
    shift 2
    status=0
    timeout "$seconds" env $variables "$program" run -q --max-vtime "$least" --trace "$which.trace" "$@" < "$input" > "$which.out" 2> "$which.err" || status=$?
    echo "status $status" >> "$which.out"
    [ "$status" -lt 4 ] || {
        error "status $status of $program run $*"
        return 1
    }
}

# launch run [VARIABLE=VALUE...] -- ARGUMENT...: by both, and compare. Two of a case that differ in the time only are
# still two.
launch() {
    kind=$1 variables=
    shift
    [ "$kind" = run ] || return 0
    while [ "$1" != -- ]; do
        variables="$variables $1"
        shift
    done
    shift
    number=$((number + 1)) least=$limit
    [ "$(ns "$limit")" -le "$(ns "$VTIME")" ] || least=$VTIME
    by old "$old" "$@" && by new "$new" "$@" || return 1
    compared=$((compared + 1))
    what=
    for part in trace out; do
        cmp -s "$dir/old.$part" "$dir/new.$part" || what="$what $part"
    done
    if [ -n "$what" ]; then
        failed=$((failed + 1))
        echo "DIFF  $name, run $number:$what:$variables xenlab run --max-vtime $least $*"
        for part in $what; do
            line=$(cmp "$dir/old.$part" "$dir/new.$part" 2>&1 | sed -n 's/.*line \([0-9]*\).*/\1/p')
            echo "      $part, line ${line:-?}:"
            for which in old new; do
                echo "      $which: $(sed -n "${line:-1}{p;q;}" "$dir/$which.$part")"
            done
        done
    elif [ -n "$V" ]; then
        echo "SAME  $name, run $number: $(wc -l < "$dir/new.trace") events"
    fi
    rm -f "$dir/old.trace" "$dir/new.trace"
}

# Nothing is expected.
for nothing in ended golden silent says says_anywhere never_says message count_output count_messages stat same check; do
    eval "$nothing() { :; }"
done

each_test tests/guest
echo "$compared runs compared (of up to $VTIME of virtual time each), $failed differ, $errors errors, $skipped skipped"
[ $errors -eq 0 ] && [ $compared -gt 0 ] || exit 2
[ $failed -eq 0 ]
