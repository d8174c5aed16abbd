#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# judge.sh PLACE [PATTERN...]: run the tests of a file or folder (*.test), and judge each. With patterns, only those of
# which the name or the file's name fits one. Run from the project's root; $XENLAB is the program (./xenlab).
# tests/guest/README.md has the format.
#
# Concept: a case is one or more runs, and what is expected of each. It ends as one of
#
#   PASS
#   FAIL    the guest did something else: what was expected is shown, and what came
#   ERROR   nothing can be said of the guest: the test file makes no sense, the guest is not there, the program died, hung, or found a
#           bug in itself
#   SKIP    what it needs is not there
#
# The status is 0 if all that ran passed, 2 if there was an error, otherwise 1. Each expectation is a function that says
# nothing and returns 0, or gives the verdict and returns 1, which ends the chain that judge.awk has made of the case.
#
# As many cases as there are processors (or $JOBS) run at the same time: each part goes through all tests, and does
# those that no other has begun. What is said of a case is said in one piece.
#
# Frame numbers are no part of a promise, so "pfn 26  mfn 0x1a2b" is compared as "pfn ?  mfn ?". The time limit in host
# seconds is only a net; virtual time is what a test limits. GOLDEN=write writes expected/ anew instead of comparing;
# V=1 shows what each run said.
#
# When could these pass wrongly? If nothing was run: hence the count at the end, and none is an error. Or if an
# expectation were not looked at: hence tests/judge/, which breaks each of them.
set -uf # patterns are matched against names of tests, not of files

place=${1:?"judge: which tests?"}
shift
patterns=$*
burners=
. scripts/judge_case.sh
parts=
trap 'kill $parts 2> /dev/null; wait; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------------------------------------------------- verdicts --

pass() {
    passed=$((passed + 1))
    echo "PASS  $name"
    rm -rf "$dir"
}
fail() {
    failed=$((failed + 1))
    echo "FAIL  $name: $1"
    echo "      in $file, by:$command"
}
error() {
    errors=$((errors + 1))
    echo "ERROR $name: $1"
}
# It returns 1: nothing more is done of the case.
skip() {
    skipped=$((skipped + 1))
    echo "SKIP  $name: $1"
    return 1
}

# shown MARK FILE: its last lines.
shown() {
    tail -n 10 "$2" | sed "s/^/      $1 /"
}

# --------------------------------------------------------------------------------------------------------- running --

start_load() {
    i=0
    while [ "$i" -lt "$load" ]; do
        (while :; do :; done) &
        burners="$burners $!"
        i=$((i + 1))
    done
}
stop_load() {
    for p in $burners; do
        kill "$p" 2> /dev/null
        wait "$p" 2> /dev/null
    done
    burners=
}

# launch KIND [VARIABLE=VALUE...] -- WORD...: a run of a guest, or another command; into $raw, $out (what is compared),
# $err, $trace and $status. A load is put beside the last run.
launch() {
    kind=$1 variables=
    shift
    while [ "$1" != -- ]; do
        variables="$variables $1"
        shift
    done
    shift
    number=$((number + 1))
    raw=$dir/raw$number out=$dir/out$number err=$dir/err$number trace=$dir/trace$number from=1 from_err=1
    if [ "$kind" = run ]; then
        [ -z "$stats" ] || set -- --stats "$@"
        [ -z "$traced" ] || set -- --trace "$trace" "$@"
        [ "$limit" = none ] || set -- --max-vtime "$limit" "$@"
        set -- "$XENLAB" run -q "$@"
    elif [ "$1" = xenlab ]; then
        shift
        set -- "$XENLAB" "$@"
    fi
    command="$variables $*"
    [ "$number" -ne "$runs" ] || start_load
    status=0
    if [ "$stdin" = pipe ]; then
        cat "$input" | timeout $((seconds * slowness)) env $variables "$@" > "$raw" 2> "$err" || status=$?
    else
        timeout $((seconds * slowness)) env $variables "$@" < "$input" > "$raw" 2> "$err" || status=$?
    fi
    stop_load
    tr -d '\r' < "$raw" | sed 's/mfn 0x[0-9a-f]*/mfn ?/g; s/pfn  *[0-9]*  mfn/pfn ?  mfn/' > "$out"
    [ -z "$V" ] || { echo "$name:$command: status $status"; sed 's/^/      > /' "$out"; sed 's/^/      | /' "$err"; }
}

# ---------------------------------------------------------------------------------------------------- expectations --

# ended STATUS: a guest that ends otherwise has failed; a program that does is in error.
ended() {
    [ "$status" -ne "$1" ] || return 0
    case $kind$status in
    *124) why="took longer than $((seconds * slowness)) s" ;;
    *126 | *127) why="cannot be run" ;;
    *99) why="a sanitizer's finding" ;;
    run1) why="not started (status 1)" ;;
    run[023] | command[0-9]) why= ;;
    *) why="ended with status $status" ;;
    esac
    if [ -n "$why" ]; then
        error "$why, expected status $1:$command"
        tail -n 15 "$err" | sed 's/^/      | /'
    else
        fail "expected status $1, got $status; what it said last is below"
        shown '|' "$err"
    fi
    shown '>' "$out"
    return 1
}

# golden: the output is that of expected/NAME.out beside the test file (or, when asked to, becomes it).
golden() {
    expected=${file%/*}/expected/$name.out
    if [ "$GOLDEN" = write ]; then
        mkdir -p "${expected%/*}" && cp "$out" "$expected"
    elif ! [ -r "$expected" ]; then
        error "$expected is not there (GOLDEN=write makes it)"
        return 1
    elif ! cmp -s "$expected" "$out"; then
        fail "the output is not that of $expected (-: expected, +: got)"
        diff -u "$expected" "$out" | sed -n '3,30s/^/      /p'
        return 1
    fi
}

silent() {
    [ -s "$out" ] || return 0
    fail "expected no output, got some"
    shown '>' "$out"
    return 1
}

# find_text TEXT FILE [GREP'S OPTIONS]: the lines with the text, or if it is /.../, that match this (extended) regular
# expression.
find_text() {
    text=$1 in=$2
    shift 2
    case $text in
    /?*/)
        text=${text#/} text=${text%/}
        grep -E "$@" -e "$text" "$in" 2> /dev/null
        ;;
    *) grep -F "$@" -e "$text" "$in" ;;
    esac
    [ $? -lt 2 ] || echo "0:$text is no regular expression"
}

# says TEXT: it is in the output, below what the last `says` found.
says() {
    line=$(tail -n +"$from" "$out" | find_text "$1" - -n -m 1)
    case $line in
    '')
        fail "expected in the output$([ "$from" -eq 1 ] || echo ", below line $((from - 1))"): $1"
        shown '>' "$out"
        return 1
        ;;
    0:*)
        error "$file: ${line#0:}"
        return 1
        ;;
    esac
    from=$((from + ${line%%:*}))
}

# message TEXT: so for what xenlab itself says, on standard error.
message() {
    line=$(tail -n +"$from_err" "$err" | find_text "$1" - -n -m 1)
    case $line in
    '')
        fail "expected among the messages$([ "$from_err" -eq 1 ] || echo ", below line $((from_err - 1))"): $1"
        shown '|' "$err"
        return 1
        ;;
    0:*)
        error "$file: ${line#0:}"
        return 1
        ;;
    esac
    from_err=$((from_err + ${line%%:*}))
}

says_anywhere() {
    keep=$from from=1
    says "$1" || return 1
    from=$keep
}

never_says() {
    line=$(find_text "$1" "$out" -n -m 1)
    case $line in
    '') return 0 ;;
    0:*) error "$file: ${line#0:}" ;;
    *) fail "the output must not have \"$1\", but line ${line%%:*} is: ${line#*:}" ;;
    esac
    return 1
}

# compare NUMBER OP LIMIT
holds() {
    case $2 in
    ==) [ "$1" -eq "$3" ] ;;
    '<=') [ "$1" -le "$3" ] ;;
    '>=') [ "$1" -ge "$3" ] ;;
    esac
}

# count OP NUMBER TEXT FILE
count() {
    lines=$(find_text "$3" "$4" -c)
    case $lines in
    *:*)
        error "$file: ${lines#*:}"
        return 1
        ;;
    esac
    holds "$lines" "$1" "$2" || {
        fail "expected $1 $2 lines with \"$3\", got $lines"
        shown '>' "$4"
        return 1
    }
}
count_output() { count "$@" "$out"; }
count_messages() { count "$@" "$err"; }

# stat NAMES OP EXPRESSION: the sum of these numbers of --stats.
stat() {
    sum=0 rest="$1 + "
    while [ -n "$rest" ]; do
        one=$(sed -n "s/^ *${rest%% + *} *\([0-9][0-9]*\).*/\1/p" "$err" | head -n 1)
        [ -n "$one" ] || {
            error "$file: the statistics have no \"${rest%% + *}\""
            return 1
        }
        sum=$((sum + one)) rest=${rest#* + }
    done
    holds $sum "$2" $(($3)) || {
        fail "expected $1 $2 $(($3)), got $sum"
        return 1
    }
}

# same output|trace: in all runs of this case, byte by byte; and a trace has something in it.
same() {
    case $1 in
    output) which=raw ;;
    *) which=trace ;;
    esac
    i=1
    while [ $i -le "$number" ]; do
        if [ "$1" = trace ] && ! [ -s "$dir/trace$i" ]; then
            fail "the trace of run $i is empty"
            return 1
        elif ! cmp -s "$dir/${which}1" "$dir/$which$i"; then
            fail "runs 1 and $i differ in their $1: $(cmp "$dir/${which}1" "$dir/$which$i" | sed 's/.*differ: //')"
            return 1
        fi
        i=$((i + 1))
    done
}

# check SCRIPT: what a shell script prints of $out, $err and $trace (of run 1: $out1, ...) is what is wrong.
check() {
    i=1
    while [ $i -le "$number" ]; do
        export "out$i=$dir/out$i" "err$i=$dir/err$i" "trace$i=$dir/trace$i"
        i=$((i + 1))
    done
    code=0
    out=$out err=$err trace=$trace dir=$dir XENLAB=$XENLAB sh -uc "$1" > "$dir/wrong" 2>&1 < /dev/null || code=$?
    if [ -s "$dir/wrong" ]; then
        fail "the check says"
        sed -n '1,10s/^/      /p' "$dir/wrong"
        return 1
    elif [ $code -ne 0 ]; then
        error "$file: the check ended with status $code, and said nothing"
        return 1
    fi
}

# ------------------------------------------------------------------------------------------------------------------

# What this part has said by now, to where the judge speaks.
flush() {
    cat "$tmp/@/said.$part" >&3
    : > "$tmp/@/said.$part"
}

# part: its share of the tests; the loads that it started it stops, by their numbers.
one_part() {
    trap stop_load EXIT
    trap 'exit 130' INT TERM
    each_test "$place"
    flush
    echo "$((passed)) $((failed)) $((errors)) $((skipped))" > "$tmp/@/sum.$part"
}

exec 3>&1
for part in $(seq "${JOBS:-$(nproc)}"); do
    one_part >> "$tmp/@/said.$part" &
    parts="$parts $!"
done
wait
parts=
name=$place
for part in $(seq "${JOBS:-$(nproc)}"); do
    read -r p f e s < "$tmp/@/sum.$part" || {
        error "part $part of the judge died"
        cat "$tmp/@/said.$part"
        continue
    }
    passed=$((passed + p)) failed=$((failed + f)) errors=$((errors + e)) skipped=$((skipped + s))
done
[ $((passed + failed + errors + skipped)) -gt 0 ] || {
    error "no test${patterns:+ is called $patterns}"
}
echo "$passed passed, $failed failed$([ $errors -eq 0 ] || echo ", $errors errors"), $skipped skipped"
[ $errors -eq 0 ] || exit 2
[ $failed -eq 0 ]
