#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab-tests.sh [LAB...]: `xenlab lab test` of each (none named: of all), as many at the same time as there are
# processors. What one says is shown when it is over. Ends with 1 if anything failed.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
test='
    status=0
    ./xenlab lab test "$2" > "$1/$2" 2>&1 || status=$?
    flock "$1/lock" sh -c "echo lab $2; cat $1/$2"
    [ $status = 0 ]'
[ $# -gt 0 ] || set -- $(./xenlab lab list | awk '{ print $1 }')
status=0
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} sh -c "$test" test "$tmp" {} || status=1
echo "$(cat "$tmp"/[0-9]* | grep -c '^PASS') passed, $(cat "$tmp"/[0-9]* | grep -c '^FAIL') failed"
exit $status
