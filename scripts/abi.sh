#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# abi.sh HEADER LIBRARY: what a program that was linked with the library relies upon, a line each, sorted: each exported
# function with its version and prototype, each struct's size and where its members lie, each enum's values.
# ui/lib/libxenlab.abi is what it prints, and tests/lib/test_abi.c compares.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
printf '#include "%s"\n' "$(realpath "$1")" > "$tmp/all.c"
cc -std=gnu11 -g -fno-eliminate-unused-debug-types -c -o "$tmp/all.o" "$tmp/all.c"

{
    # Prototypes, each on a line of its own; behind them the exported names with their versions.
    cc -std=gnu11 -E -P "$tmp/all.c" | tr -s ' \n' '  ' | tr ';' '\n' | sed 's/^ *//; s/ *$//' |
        grep '^[a-z][^{}=]*xenlab_[a-z_]*(' || true
    nm -D --defined-only --with-symbol-versions "$2" | sed -n 's/^[0-9a-f]* T \(xenlab_[a-z_0-9]*\)@@*\(.*\)$/@ \1 \2/p'
} | awk '
    $1 != "@" { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); prototype[name] = $0; next }
    { print $3 " " $2 ": " ($2 in prototype ? prototype[$2] : "not in the header"); delete prototype[$2] }
    END { for (name in prototype) print "function " name " is not exported" }' > "$tmp/list"

readelf --debug-dump=info "$tmp/all.o" | awk '
    function told() {
        if (tag == "structure_type" && name ~ /^xenlab/ && size != "") print "struct " (outer = name) " " size " bytes"
        else if (tag == "member" && outer) print "struct " outer "." name " at " at
        else if (tag == "enumerator" && name ~ /^XENLAB/) print "enum " name " " value
        else if (tag ~ /_type$/) outer = ""
        tag = ""
    }
    / Abbrev Number: / { told(); size = name = at = value = ""; tag = $NF; gsub(/\(DW_TAG_|\)/, "", tag); next }
    /DW_AT_name / { name = $NF }
    /DW_AT_byte_size / { size = $NF }
    /DW_AT_data_member_location/ { at = $NF }
    /DW_AT_const_value/ { value = $NF }
    END { told() }' >> "$tmp/list"
LC_ALL=C sort "$tmp/list"
