#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# judge_case.sh: what judge.sh and traces.sh have in common, read by both: finding tests, translating them with
# judge.awk, and setting a case up. Each of them has its own `launch` and `pass`, and what is expected.
#
# $patterns: the names of cases or of test files that are wanted (all, if empty). $tmp: a folder for all; a case has
# $tmp/NAME.
: "${XENLAB:=./xenlab}" "${GOLDEN:=}" "${V:=}"
assets=build/assets
passed=0 failed=0 errors=0 skipped=0
tmp=$(mktemp -d)
mkdir "$tmp/@" # no case is called so
part=0         # of several that go through the tests at the same time
case $XENLAB in
*asan*) slowness=10 ;;
*) slowness=1 ;;
esac

# tests PLACE...: the test files there are.
tests() {
    for place in "$@"; do
        if [ -d "$place" ]; then find "$place" -name '*.test' | sort; else echo "$place"; fi
    done
}

# stem FILE: linux/boot.test has the case linux-boot, unless it names its cases; folders above the first that has tests
# do not count.
stem() {
    s=${1%.test}
    case $s in
    */guest/*) s=${s##*/guest/} ;;
    *) s=${s##*/} ;;
    esac
    echo "$s" | tr / -
}

# each_test PLACE...: translate every file, and do what it says.
each_test() {
    for file in $(tests "$@"); do
        stem=$(stem "$file")
        name=$stem
        if ! [ -r "$file" ]; then
            fault "$file cannot be read"
        elif awk -v file="$file" -v stem="$stem" -v tmp="$tmp" -v slow=$((slowness > 1)) -f scripts/judge.awk "$file" > "$tmp/@/calls.$part"; then
            . "$tmp/@/calls.$part"
        else
            fault "$file cannot be translated"
        fi
    done
}

# Said between two cases: what was said of the last one is whole.
flush() { :; }

# claim WHAT: whether this part is the first to come to it, so that it is done once.
claim() { mkdir "$tmp/@/$1" 2> /dev/null; }

# fault TEXT...: all that is wrong with a test file. Whoever asked for another test does not want to know.
fault() {
    wanted "$name" || return 0
    faults=$((faults + 1))
    claim "fault.$faults" || return 0
    error "$1"
    shift
    for text in "$@"; do
        echo "      $text"
    done
}

# wanted NAME: whether it, or its file, is.
wanted() {
    [ -n "$patterns" ] || return 0
    for p in $patterns; do
        case $1 in
        $p) return 0 ;;
        esac
        case $stem in
        $p) return 0 ;;
        esac
    done
    return 1
}

# begin NAME: whether this case is wanted, and nobody else's; $name is it from now on.
begin() {
    wanted "$1" || return 1
    name=$1 dir=$tmp/$1 number=0
    case " $seen " in
    *" $name "*)
        fault "$file: another file has a case of this name"
        return 1
        ;;
    esac
    seen="$seen $name"
    claim "case.$name" || return 1
    flush
    mkdir "$dir"
}
seen= faults=0

# needs FILE: or the case is skipped.
needs() {
    [ -r "$1" ] || {
        skip "$1 is not there"
        return 1
    }
}

# settle VARIABLE=VALUE...: what holds for all runs of this case.
settle() {
    for setting in "$@"; do
        eval "${setting%%=*}=\${setting#*=}"
    done
    input=/dev/null
}

# put NAME TEXT: a file of this case.
put() {
    printf %s "$2" > "$dir/$1"
}
# A backslash in what is typed means what it means to printf.
type_in() {
    printf %b "$1" > "$dir/input"
    [ "$stdin" = null ] || input=$dir/input
}

# initrd SCRIPT PROGRAM...: a RAM disk for Linux, that executes the script, or has a shell if there is none.
initrd() {
    needs $assets/busybox || return 1
    script=
    if [ -n "$1" ]; then
        script=$dir/script
        put script "$1"
    fi
    shift
    scripts/mkinitrd.sh "$dir/initrd" $assets/busybox ${script:+"$script"} "$@" 2> "$dir/err" || {
        error "$dir/initrd cannot be made: $(tail -n 1 "$dir/err")"
        return 1
    }
}
