#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lint.sh OBJECT... : what the compiler cannot check. Prints every finding as FILE: what is wrong; fails if there is any.
#
#   1. layering    includes run down the list in scripts/layers.txt and form no cycle
#   2. state       no mutable state at file scope outside ui/main.c (looked for in the objects, named as in the Makefile)
#   3. lists       every source file is in one of the Makefile's lists
#   4. format      clang-format would change nothing
#   5. heads       every source opens with its licence; one of more than 400 lines says why ("Budget:") in its head
#   6. addresses   build scripts name no host, and nothing names the place where this tree happens to be
set -eu

[ -r scripts/layers.txt ] || {
    echo "lint: run me from the project's root" >&2
    exit 1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: > "$tmp/edges"

for folder in sim vcpu mmu evtchn rings tools ui guests labs tests; do
    [ ! -d "$folder" ] || find "$folder" -name '*.[chS]'
done | sort > "$tmp/sources"
sources=$(cat "$tmp/sources")

# Every #include as "file < header" or "file " header".
includes() {
    for file in $sources; do
        sed -n "s|^[ \t]*#[ \t]*include[ \t]*\\([<\"]\\)\\([^>\"]*\\)[>\"].*|$file \\1 \\2|p" "$file"
    done
}

layering() {
    includes > "$tmp/includes"
    awk -v edges="$tmp/edges" '
        # The longest path of the list that the file is, or is below.
        function place(file,   p, best) {
            best = ""
            for (p in layer)
                if ((p == file || (p ~ /\/$/ && index(file, p) == 1)) && length(p) > length(best)) best = p
            return best
        }
        FILENAME ~ /layers\.txt$/ && /^(layer|beside|apart)/ {
            if ($1 == "layer") height++
            for (i = 3; i <= NF; i++) {
                layer[$i] = $2
                level[$i] = $1 == "apart" ? 0 : height
            }
        }
        FILENAME ~ /layers\.txt$/ && $1 == "only" { only[$2] = $3 }
        FILENAME ~ /sources$/ { exists[$1] = 1 }
        FILENAME !~ /includes$/ { next }
        { from = place($1) }
        $2 == "<" {
            for (prefix in only)
                if (index($3, prefix) == 1 && index($1, only[prefix]) != 1 && layer[from] != "tests")
                    print $1 ": includes <" $3 ">, which only " only[prefix] " may"
            next
        }
        {
            beside = $1
            sub(/[^\/]*$/, $3, beside)
            target = beside in exists ? beside : $3
            if (!(target in exists)) {
                print $1 ": includes \"" $3 "\", which is no file of the project"
                next
            }
            print $1, target > edges
            to = place(target)
            if (layer[from] == layer[to] || layer[from] == "tests") next
            if (!level[from] || !level[to])
                print $1 ": includes " target ", but " (level[from] ? layer[to] : layer[from]) " stands apart"
            else if (level[to] > level[from])
                print $1 ": includes " target ": " layer[to] " is above " layer[from]
            else if (level[to] == level[from])
                print $1 ": includes " target ": " layer[to] " is beside " layer[from]
        }' scripts/layers.txt "$tmp/sources" "$tmp/includes"
    tsort "$tmp/edges" 2>&1 > /dev/null | awk '
        /input contains a loop/ { printf "%s", "includes form a cycle:"; open = 1; next }
        open { printf " %s", $2 }
        END { if (open) print "" }'
}

# const data that needs relocation (.data.rel.ro) is not mutable; all other named data in writable sections is.
state() {
    for object in "$@"; do
        [ "$object" != ui/main.o ] || continue
        objdump -t "build/$object" | awk -v object="$object" '
            FILENAME ~ /layers\.txt$/ { if ($1 == "state") allowed[$2 " " $3] = 1; next }
            / O / {
                for (i = 1; i < NF; i++) if ($i == "O") section = $(i + 1)
                if (section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ || section ~ /^\.data\.rel\.ro/) next
                if (!((object " " $NF) in allowed)) print object ": " $NF " is mutable state at file scope (" section ")"
            }' scripts/layers.txt -
    done
}

lists() {
    for file in $sources; do
        case $file in
        tests/* | labs/* | guests/* | *.h | *.S) continue ;;
        esac
        case " $* " in
        *" ${file%.c}.o "*) ;;
        *) echo "$file: is in none of the Makefile's lists" ;;
        esac
    done
}

format() {
    case $(clang-format --version 2> /dev/null) in
    *" 14."*) ;;
    *)
        echo "lint: formatting not checked: no clang-format 14 here" >&2
        return
        ;;
    esac
    clang-format --dry-run $(grep '\.[ch]$' "$tmp/sources") 2>&1 |
        sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: warning: code should be clang-formatted.*/\1: not formatted (make format)/p' |
        awk -F: '!seen[$1]++'
}

heads() {
    for file in $sources scripts/*.sh tests/*/*.sh Makefile; do
        [ -r "$file" ] || continue
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file: opens with no SPDX line"
        if [ "$(wc -l < "$file")" -gt 400 ] && ! head -n 60 "$file" | grep -q 'Budget:'; then
            echo "$file: more than 400 lines, and its head does not say why (Budget:)"
        fi
    done
}

addresses() {
    grep -nE '[a-z]://' Makefile scripts/*.sh .ci/* tests/*/*.sh 2> /dev/null | grep -v '^scripts/lint.sh' |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: names a host/' || true
    git ls-files -z 2> /dev/null | xargs -0 -r grep -nIF -e "$(pwd)/" 2> /dev/null |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: names the place of this tree/' || true
}

{
    layering
    state "$@"
    lists "$@"
    format
    heads
    addresses
} > "$tmp/findings"

cat "$tmp/findings"
n=$(wc -l < "$tmp/findings")
echo "lint: $n findings in $(wc -l < "$tmp/sources") files"
[ "$n" -eq 0 ]
