#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lint.sh OBJECT... : what the compiler cannot check. Prints every finding as FILE: what is wrong; fails if there is
# any.
#
#   1. layering    includes run down the list in scripts/layers.txt, keep to its exceptions, and form no cycle; so do
#                  linked symbols (scripts/symbols.sh); and what can change in a run is not allocated outside of the
#                  arena
#   2. state       no mutable state outside ui/main.c, of a file, a function or a thread (looked for in the objects,
#                  named as in the Makefile)
#   3. lists       every source file is in one of the Makefile's lists
#   4. format      clang-format would change nothing; where it does not look (comments, documents) no line has more
#                  than 120 columns, but for tables, drawings and links
#   5. heads       every source opens with its licence; one of more than 400 lines says why ("Budget:") in its head
#   6. used        a symbol that no other file of the program uses is static; or its own file uses it, and so do tests; or layers.txt says
#                  why there is something that only tests use
#   7. names       a file, or a function with (), that a comment or a document names exists: here, or in scripts/foreign.txt
#   8. functions   none has more than 60 lines (tests may)
#   9. rooms       a room's README.md names each of its files once, and no others, and keeps within its budget
#  10. book        the files of docs/book.list exist, and keep within the size that it promises
#  11. frames      above sim/ machine RAM is read by mfn_to_virt() and written by sim/frame.h (the compiler refuses a cast of const)
#  12. addresses   build scripts name no host, and nothing names the place where this tree happens to be
set -eu

[ -r scripts/layers.txt ] || {
    echo "lint: run me from the project's root" >&2
    exit 1
}
. scripts/layers.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: > "$tmp/edges"

for folder in include sim vcpu mmu evtchn rings tools ui guests labs tests; do
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
    awk -v edges="$tmp/edges" "$layers_awk"'
        FILENAME ~ /layers\.txt$/ && $1 == "only" { only[$2] = $3 }
        FILENAME ~ /layers\.txt$/ && $1 == "never" { for (i = 3; i <= NF; i++) never[$2 " " $i] = 1 }
        FILENAME ~ /layers\.txt$/ && $1 == "but" { for (i = 2; i <= NF; i++) value[$i] = 1 }
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
            target = beside in exists ? beside : ("include/" $3) in exists ? "include/" $3 : $3
            if (!(target in exists)) {
                print $1 ": includes \"" $3 "\", which is no file of the project"
                next
            }
            print $1, target > edges
            for (rule in never) {
                split(rule, r, " ")
                if (index($1, r[1]) == 1 && index(target, r[2]) == 1 && !(target in value))
                    print $1 ": includes " target ", and " r[1] " may not see " r[2]
            }
            to = place(target)
            if (layer[from] == layer[to] || layer[from] == "tests") next
            if (layer[from] == "labs" && !level[to]) next # a check may be a guest
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
            # Symbols of a thread have no O; those of sections the name of theirs.
            / O / || /\t?\.t(data|bss)/ {
                for (i = 2; i < NF; i++) if ($i ~ /^(\.|\*COM)/) break
                section = $i
                if (section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ || section ~ /^\.data\.rel\.ro/ || $NF == section) next
                if (!((object " " $NF) in allowed)) print object ": " $NF " is mutable state (" section ")"
            }' scripts/layers.txt -
    done
}

lists() {
    for file in $sources; do
        case $file in
        tests/* | labs/* | guests/* | *.h | *.S) continue ;;
        esac
        case " $* ${POLICY:-} " in
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

widths() {
    # Bytes, of which the first of a character counts.
    LC_ALL=C awk '
        function flush() { if (nr) print first (nr > 1 ? ", and " nr - 1 " lines more" : "") ; nr = 0 }
        FNR == 1 { flush(); apart = 0 }
        /clang-format off/ || (FILENAME ~ /\.md$/ && /^ *```/ && !apart) { apart = 1; next }
        /clang-format on/ || (FILENAME ~ /\.md$/ && /^ *```/) { apart = 0; next }
        apart || length($0) <= 120 { next }
        FILENAME ~ /\.md$/ && /^[|#<]|^    |\]\(/ { next }
        FILENAME ~ /(\.sh|Makefile)$/ && !/^[ \t]*#/ { next }
        /[^ ]   +[^ ]|-->|<--|:\/\// { next }
        {
            gsub(/[\200-\277]/, "")
            if (length($0) > 120 && !nr++) first = FILENAME ":" FNR ": " length($0) " columns"
        }
        END { flush() }' $sources README.md docs/*.md scripts/*.sh tests/*/*.sh Makefile
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

# Symbols that one object defines and no other one of the program asks for. What replaces functions of Unicorn is found
# by name.
used() {
    for object in "$@" ${POLICY:-}; do
        nm -g "build/$object" | sed "s|^|$object |"
    done > "$tmp/symbols"
    awk '
        FILENAME ~ /layers\.txt$/ { if ($1 == "outside") wanted[$2] = 1; next }
        $2 == "U" { wanted[$3] = 1; next }
        NF == 4 && $3 ~ /[TDBRC]/ && $1 !~ /^sim\/engine\// { defined[$4] = $1 }
        END { for (name in defined) if (!(name in wanted)) print name, defined[name] }
    ' scripts/layers.txt "$tmp/symbols" > "$tmp/unwanted"
    while read -r name object; do
        file=${object%.o}.c
        case $file in
        ui/lib/*) grep -qrw --include='*.c' "$name" tests/lib || echo "$file: no test asks libxenlab for $name"; continue ;;
        esac
        if ! grep -qrw --include='*.[ch]' "$name" tests labs; then
            echo "$file: nobody else uses $name: static, or nothing"
        elif [ "$(sed '/^ \*/d; s|/\*.*||' "$file" | grep -cw "$name")" -lt 2 ] && ! grep -q "^tests $name " scripts/layers.txt; then
            echo "$file: only tests use $name"
        fi
    done < "$tmp/unwanted"
    sed -n 's/^tests \([^ ]*\) .*/\1/p' scripts/layers.txt | while read -r name; do
        grep -q "^$name " "$tmp/unwanted" || echo "scripts/layers.txt: $name is used, or not there: it needs no reason"
    done
}

# Comments (of Makefile and scripts, too) and documents on the one hand, all words of the code on the other.
names() {
    documents=$(ls README.md docs/*.md)
    awk -v words="$tmp/words" '
        function comment(text) { if (text != "") print FILENAME ":" FNR " " text }
        FNR == 1 { inside = 0 }
        FILENAME ~ /\.md$/ { comment($0); next }
        FILENAME ~ /(\.sh|Makefile)$/ { if (match($0, /^[ \t]*#/)) comment($0); next }
        {
            line = $0
            gsub(/\\./, "", line)
            gsub(/\047"\047/, "", line)
            if (!inside) gsub(/"[^"]*"/, "", line)
            while (line != "") {
                if (inside) {
                    end = index(line, "*/")
                    comment(end ? substr(line, 1, end - 1) : line)
                    inside = !end
                    line = end ? substr(line, end + 2) : ""
                    continue
                }
                block = index(line, "/*")
                rest = index(line, "//")
                start = block && (!rest || block < rest) ? block : rest
                code = start ? substr(line, 1, start - 1) : line
                gsub(/[^A-Za-z0-9_]+/, "\n", code)
                print code > words
                if (start && start == rest) comment(substr(line, start))
                inside = start && start == block
                line = inside ? substr(line, start + 2) : ""
            }
        }' $sources $documents scripts/*.sh Makefile > "$tmp/comments"
    git ls-files 2> /dev/null > "$tmp/files" || find . -type f | sed 's|^\./||' > "$tmp/files"
    awk '
        function known(path,   folder, i) {
            sub(/^\.?\//, "", path)
            if (path in file || path in foreign) return 1
            for (i = length(path); i > 0; i--) # xen/: all that is below
                if (substr(path, i, 1) == "/" && substr(path, 1, i) in foreign) return 1
            folder = $1
            sub(/[^\/]*:.*/, "", folder)
            return folder path in file || "include/" path in file || path ~ /\*/ && matches(path)
        }
        function matches(pattern,   f) {
            gsub(/\./, "\\.", pattern)
            gsub(/\*/, "[^/]*", pattern)
            for (f in file) if (f ~ ("^" pattern "$")) return 1
            return 0
        }
        FILENAME ~ /words$/ { word[$1] = 1; next }
        FILENAME ~ /files$/ { file[$1] = 1; sub(/.*\//, "", $1); file[$1] = 1; next }
        FILENAME ~ /foreign\.txt$/ { if ($1 !~ /^#/) for (i = 1; i <= NF; i++) foreign[$i] = 1; next }
        {
            text = " " substr($0, length($1) + 2) " "
            for (rest = text; match(rest, /[A-Za-z0-9_*.\/-]*[A-Za-z0-9_*]\.(c|h|S|sh|lds)[^A-Za-z0-9_]/); rest = substr(rest, RSTART + RLENGTH - 1)) {
                name = substr(rest, RSTART, RLENGTH - 1)
                if (!known(name)) print $1 " names " name ", which is no file of the project, nor in scripts/foreign.txt"
            }
            for (rest = text; match(rest, /[A-Za-z_][A-Za-z0-9_]*\(\)/); rest = substr(rest, RSTART + RLENGTH)) {
                name = substr(rest, RSTART, RLENGTH - 2)
                if (substr(rest, RSTART - 1, 1) ~ /[.>]/ || name in word || name in foreign) continue
                print $1 " names " name "(), which is nothing of the project, nor in scripts/foreign.txt"
            }
        }' "$tmp/words" "$tmp/files" scripts/foreign.txt "$tmp/comments"
}

functions() {
    awk '
        FNR == 1 { start = 0 }
        /^\{$/ { start = FNR }
        /^\}/ {
            if (start && FNR - start > 61) print FILENAME ":" start ": a function of " FNR - start - 1 " lines"
            start = 0
        }' $(grep -v '^tests/' "$tmp/sources")
}

# Files are named in the paragraph "In reading order:", in backquotes, a pair as one with [ch] at its end; the budget is
# of the room's own lines.
rooms() {
    for room in $(sed -n 's|^\([^/]*.*\)/[^/]*\.[ch]$|\1|p' "$tmp/sources" | grep -Ev '^(tests|labs|guests/.*)(/|$)' | sort -u); do
        if [ ! -r "$room/README.md" ]; then
            echo "$room: has no README.md that says what may enter"
            continue
        fi
        sed -n '/^In reading order:/,/^$/p' "$room/README.md" | grep -o '`[a-z0-9_-]*\.[][ch]*`' | tr -d '`' |
            sed 's/^\(.*\)\[ch\]$/\1h\n\1c/' | sort > "$tmp/named"
        grep -E "^$room/[^/]*\.[ch]\$" "$tmp/sources" | sed 's|.*/||' | sort > "$tmp/there"
        comm -13 "$tmp/named" "$tmp/there" | sed "s|.*|$room/README.md: does not name &|"
        comm -23 "$tmp/named" "$tmp/there" | sed "s|.*|$room/README.md: names &, which is not there, or twice|"
        lines=$(sed "s|^|$room/|" "$tmp/there" | xargs cat | wc -l)
        budget=$(sed -n 's/^Budget: \([0-9]*\) lines$/\1/p' "$room/README.md")
        [ "$lines" -le "${budget:-0}" ] || echo "$room/README.md: a budget of ${budget:-no} lines, and $lines are there"
    done
}

frames() {
    grep -nE -- '->ram\>|\<machine_code_written\(|\*\) ?\(uintptr_t\) ?(mfn_to_virt|table_map)\(' \
        $(grep -E '^(vcpu|mmu|evtchn|rings|tools|ui)/' "$tmp/sources") |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: reaches into machine RAM past sim\/frame.h/' || true
}

addresses() {
    grep -nE '[a-z]://' Makefile scripts/*.sh .ci/* tests/*/*.sh 2> /dev/null | grep -v '^scripts/lint.sh' |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: names a host/' || true
    git ls-files -z 2> /dev/null | xargs -0 -r grep -nIF -e "$(pwd)/" 2> /dev/null |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: names the place of this tree/' || true
}

{
    layering
    scripts/symbols.sh build "$@"
    state "$@"
    lists "$@"
    format
    widths
    heads
    used "$@"
    names
    functions
    rooms
    scripts/book.sh check
    frames
    addresses
} > "$tmp/findings"

cat "$tmp/findings"
n=$(wc -l < "$tmp/findings")
up=$(grep -c '^[^ ]*\.o: uses ' "$tmp/findings" || true)
circles=$(grep -c '^[^ ]*\.o: circle of objects' "$tmp/findings" || true)
echo "lint: $n findings in $(wc -l < "$tmp/sources") files; symbols that run up: $up, circles: $circles"
[ "$n" -eq 0 ]
