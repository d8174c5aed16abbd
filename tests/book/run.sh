#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: what scripts/book.sh says of lists that are made up here, and that the book is what its list says.
set -uf

passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
here=$PWD

# result NAME OUT EXPECTED
result() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "PASS  $1"
    else
        failed=$((failed + 1))
        echo "FAIL  $1"
        printf 'came:\n%s\nexpected:\n%s\n' "$2" "$3" | sed 's/^/      > /'
    fi
}

# check NAME LIST EXPECTED : what is found in a list over two files, a of two lines and b of three.
check() {
    mkdir -p "$tmp/docs"
    printf 'one\ntwo\n' > "$tmp/a"
    printf 'one\ntwo\nthree\n' > "$tmp/b"
    printf '## lines: 5\n## files: 2\n\n# Chapter\n%b' "$2" > "$tmp/docs/book.list"
    result "$1" "$(cd "$tmp" && "$here/scripts/book.sh" check 2>&1)" "$3"
}

check good 'a  first\nb  second\n' ''
check missing 'a  first\nc  second\n' 'docs/book.list: c is no file'
check twice 'a  first\na  again\n' 'docs/book.list: twice: a'
check silent 'a  first\nb\n' 'docs/book.list: b has no word about it'
printf 'x\n' > "$tmp/c"
check long 'a  first\nb  second\nc  third\n' 'docs/book.list: 6 lines, and 5 are promised
docs/book.list: 3 files, and 2 are promised'
check printed 'a  first\nb  second\n' ''
result "the listing" "$(cd "$tmp" && "$here/scripts/book.sh" | sed -n '/first$/p; /second$/p; /three$/p')" \
    '    a                                    1  first
    b                                    3  second
00005  three'
result "the book of this tree" "$(scripts/book.sh check)" ''

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
