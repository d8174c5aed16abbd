#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/symbols.sh BUILD OBJECT... : what includes cannot show, because a function may be declared anywhere. An object
# may use a symbol (of any kind: function, data, thread-local, weak) only of an object of its own layer or of one listed
# before it in scripts/layers.txt, and no objects may use each other's in a circle. Objects are named as in the
# Makefile, below BUILD. And where layers.txt says "arena" no object may use malloc() or its kin, but for those of
# "heap". Prints a line a finding, which begins with the object, "uses" for a symbol that runs up, "circle" for a
# circle, "allocates" for memory outside of the arena. tests/lint/run.sh shows it what it must find.
set -eu

build=$1
shift
. "$(dirname "$0")/layers.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: > "$tmp/edges"

(cd "$build" && nm -oP "$@") > "$tmp/symbols"

awk -v edges="$tmp/edges" "$layers_awk"'
    function source(object) { sub(/o$/, "c", object); return object }
    FILENAME ~ /layers\.txt$/ { next }
    { object = $1; sub(/:$/, "", object) }
    $3 ~ /^[TDBRVWCGSui]$/ { home[$2] = object; next }
    $3 ~ /^[Uwv]$/ { by[++n] = object; symbol[n] = $2 }
    END {
        for (i = 1; i <= n; i++) {
            to = home[symbol[i]]
            if (to == "" || to == by[i]) continue
            print by[i], to, symbol[i] > edges
            a = place(source(by[i])); b = place(source(to))
            if (layer[a] != layer[b] && level[b] >= level[a])
                print by[i] ": uses " symbol[i] " of " to ": " layer[b] (level[b] > level[a] ? " is above " : " is beside ") layer[a]
        }
    }' scripts/layers.txt "$tmp/symbols"

# By the longest path of the list that it is, or is below, an object may use the heap or not.
awk '
    function longest(file,   p, best) {
        best = ""
        for (p in rule)
            if ((p == file || (p ~ /\/$/ && index(file, p) == 1)) && length(p) > length(best)) best = p
        return best
    }
    FILENAME ~ /layers\.txt$/ {
        if ($1 == "arena") for (i = 2; i <= NF; i++) rule[$i] = "arena"
        if ($1 == "heap") rule[$2] = "heap"
        next
    }
    $3 == "U" && $2 ~ /^(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strn?dup|(__)?v?asprintf(_chk)?|open_memstream|getline|getdelim|__getdelim|tsearch|hsearch_r)$/ {
        object = file = $1
        sub(/:$/, "", object)
        sub(/o:$/, "c", file)
        p = longest(file)
        if (rule[p] == "arena") print object ": allocates by " $2 "() what should lie in the arena"
        needed[p] = 1
    }
    END {
        for (p in rule)
            if (rule[p] == "heap" && !(p in needed)) print "scripts/layers.txt: " p " allocates nothing: it needs no reason"
    }' scripts/layers.txt "$tmp/symbols"

# tsort names the objects of each circle in turn; between any two neighbours one uses the other.
cut -d ' ' -f 1,2 "$tmp/edges" | sort -u | tsort 2>&1 > /dev/null | awk '
    function link(a, b) { return (a " " b) in use ? a " uses " use[a " " b] " of " b : b " uses " use[b " " a] " of " a }
    function finish(   i, text) {
        for (i = 1; i <= n; i++) text = text (i > 1 ? ", " : "") link(of[i], of[i % n + 1])
        if (n) print of[1] ": circle of objects: " text
        n = 0
    }
    FILENAME ~ /edges$/ { use[$1 " " $2] = $3; next }
    /input contains a loop/ { finish(); next }
    { of[++n] = $2 }
    END { finish() }' "$tmp/edges" -
