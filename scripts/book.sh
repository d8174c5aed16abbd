#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# book.sh         : print the book, that is the files of docs/book.list one after the other, with a table of contents and
#                   numbered lines (in the manner of xv6's printed listing)
# book.sh check   : one line for each thing that is wrong with the list, and nothing else; for lint
#
# Concept: what a reader is promised is a way through the sources and not a total. The list is that way: a line a file,
# in the order in which they are read, its name and what it is about; a line "# ..." opens a chapter, and one "## ..."
# is for whoever edits the list. The promise has two numbers, which are checked here and stated nowhere else than in the
# list's first lines.
set -eu

list=docs/book.list
[ -r "$list" ] || {
    echo "book: run me from the project's root" >&2
    exit 1
}
limit=$(sed -n 's/^## lines: //p' "$list")
most=$(sed -n 's/^## files: //p' "$list")
files=$(sed -n 's/^\([^# ][^ ]*\).*/\1/p' "$list")

check() {
    there=
    for file in $files; do
        if [ -r "$file" ]; then
            there="$there $file"
        else
            echo "$list: $file is no file"
        fi
    done
    echo "$files" | sort | uniq -d | sed "s|^|$list: twice: |"
    sed -n '/^[^#]/p' "$list" | awk 'NF < 2 { print "'"$list"': " $1 " has no word about it" }'
    lines=$(cat $there | wc -l)
    [ "$lines" -le "$limit" ] || echo "$list: $lines lines, and $limit are promised"
    [ "$(echo "$files" | wc -l)" -le "$most" ] || echo "$list: $(echo "$files" | wc -l) files, and $most are promised"
}

contents() {
    awk '/^##/ { next }
        /^#/ { printf "\n%s\n", substr($0, 3); next }
        NF { file = $1
             sub(/^[^ ]+ +/, "")
             printf "    %-32s %5d  %s\n", file, next_line + 1, $0
             while ((getline line < file) > 0) next_line++ }' "$list"
}

if [ "${1:-}" = check ]; then
    check
    exit 0
fi
echo "xenlab, the book: $(cat $files | wc -l) lines in $(echo "$files" | wc -l) files. Numbers are those of the book's lines."
contents
awk 'FNR == 1 { printf "\n%s %s\n\n", "----", FILENAME } { printf "%05d  %s\n", NR, $0 }' $files
