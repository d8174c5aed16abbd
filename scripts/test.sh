#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test.sh TREE TEST... : run unit tests (tests/<folder>/test_*, built below TREE) and guest harnesses (*.sh), and close
# with one line that adds up all of them: "N passed, N failed", and ", N errors" and ", N skipped" if there are any.
#
# Concept: every unit test prints cmocka's own summary, and a harness closes with a line like ours; both are shown, a
# failed test's whole output too (with V=1 everybody's). A test that dies, hangs, or exits with a failure that it does
# not report counts as one failure more: silence is never a pass.
set -eu

tree=$1
shift
export XENLAB="$tree/xenlab"
# Unpacked kernels are kept here, and not among the user's.
mkdir -p "$tree/cache"
XDG_CACHE_HOME=$(cd "$tree/cache" && pwd)
export XDG_CACHE_HOME
: "${TEST_TIMEOUT:=1800}"
# A sanitizer's finding is told from a test's failure by the exit status; a leak is a finding.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:exitcode=99}"

out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0 failed=0 errors=0 skipped=0
closing='^\([0-9]* passed, [0-9]* failed\(, [0-9]* errors\)\{0,1\}\(, [0-9]* skipped\)\{0,1\}\)$'

# sum PATTERN: the sum of the numbers that the pattern's group finds in $out.
sum() {
    sed -n "s/$1/\1/p" "$out" | awk '{ n += $1 } END { print n + 0 }'
}

for test in "$@"; do
    start=$(date +%s)
    case $test in
    *.sh) command=$test ;;
    *) command=$tree/$test ;;
    esac
    # A harness takes minutes, so its output is shown while it runs.
    status=0
    echo "== $test"
    case $test in
    *.sh)
        {
            status=0
            timeout "$TEST_TIMEOUT" "$command" 2>&1 || status=$?
            echo "status $status"
        } | tee "$out" | sed -u -e '/^status [0-9]*$/d' -e "/$closing/d"
        status=$(sed -n '$s/^status //p' "$out")
        status=${status:-1}
        ;;
    *) timeout "$TEST_TIMEOUT" "$command" > "$out" 2>&1 || status=$? ;;
    esac

    case $test in
    *.sh)
        line=$(sed -n "s/$closing/\1/p" "$out" | tail -n 1)
        p=$(echo "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
        f=$(echo "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
        e=$(echo "$line" | sed -n 's/.* \([0-9]*\) errors.*/\1/p')
        s=$(echo "$line" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
        ;;
    *)
        p=$(sum '^\[  PASSED  \] \([0-9]*\) test(s)\.$')
        f=$(sum '^\[  FAILED  \] \([0-9]*\) test(s), listed below:$')
        e=0
        s=$(sum '^\[  SKIPPED \] \([0-9]*\) test(s), listed below:$')
        ;;
    esac
    p=${p:-0} f=${f:-0} e=${e:-0} s=${s:-0}
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

    case $test in
    *.sh) ;;
    *)
        if [ -n "${V:-}" ] || [ "$f" -gt 0 ]; then
            cat "$out"
        else
            sed -n '/^\[==========\] .* run\.$/,$p' "$out"
        fi
        ;;
    esac
    [ -z "$why" ] || echo "$test: FAILED: $why"
    echo "== $test: $p passed, $f failed$([ "$e" -eq 0 ] || echo ", $e errors"), $s skipped ($(($(date +%s) - start)) s)"
    passed=$((passed + p)) failed=$((failed + f)) errors=$((errors + e)) skipped=$((skipped + s))
done

echo
line="$passed passed, $failed failed"
[ "$errors" -eq 0 ] || line="$line, $errors errors"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$((failed + errors))" -eq 0 ] && [ "$passed" -gt 0 ]
