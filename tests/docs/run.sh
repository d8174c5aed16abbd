#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh [PATTERN...]: execute every command that README.md, docs/*.md and labs/*.md show, as it stands there. With
# patterns, only those whose places (README.md:38) fit one. Run from the project's root; $XENLAB is the program
# (./xenlab).
#
# Concept: the text is the list of tests. What is in it says how it is judged:
#
#   ```sh        a command a line. It must end with status 0, or with N if its comment says "(status N)"
#   ```console   a session. What follows "$ " is a command, what follows another prompt ("grub> ") is typed when that prompt is
#                shown (^] is Ctrl-]), the other lines must be shown in this order, maybe with more between them, except
#                "..."; a position (1.5ms#7.0), or a time in us or ms, fits any other. The status must be 0, unless "$ echo $?" comes next: then it must be what that shows
#   `./xenlab`   a command within the text, from there to the next backquote: as in a block, with status 0
#   ```other     no commands: text, c, json...
#   `sim/x.c`    a file or folder that must be there; in `sim/x.h: NAME`, with that name in it. So must what [links](docs/x.md) name
#
# A block that cannot be tried has, on the line before it, <!-- not tried: the reason -->, and is counted as skipped. So that nothing
# is passed over in silence, a block without a word behind its backquotes, or that is indented only, is a failure.
#
# Commands run in a terminal (typist.c), those of a file one after the other in one folder. That is not this one, but
# one that looks like it, so that what they write does not stay.
#
# When could this pass wrongly? If it found no commands, or believed everything: hence mistakes.md, whose every command
# must fail.
set -uf

: "${XENLAB:=./xenlab}" "${DOCS:=README.md $(set +f; echo docs/*.md labs/*.md)}"
here=tests/docs
typist=$PWD/build/tests/docs/typist
patterns=$*
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# extract FILE: what there is to try, one after the other: in $tmp/cases, files N.place, and N.skip (a reason), N.fault
# (what is wrong with the text), or N.command, N.status and N.dialogue.
extract() {
    rm -rf "$tmp/cases"
    mkdir "$tmp/cases"
    awk -v file="$1" -v cases="$tmp/cases" '
        function put(suffix, text) { print text > (cases "/" sprintf("%03d", n) "." suffix) }
        function begin(line) {
            if (n) for (i in suffixes) close(cases "/" sprintf("%03d", n) "." suffixes[i])
            n++
            put("place", file ":" line)
        }
        function command(line, text, status) {
            begin(line)
            put("command", text)
            put("status", status)
            printf "" > (cases "/" sprintf("%03d", n) ".dialogue")
        }
        function fault(line, text) { begin(line); put("fault", text) }
        # What the text names in this tree.
        function named(line, text, where) {
            begin(line)
            where = text
            sub(/: .*/, "", where)
            sub(/^[^:]*:? ?/, "", text)
            put("named", where)
            put("named", text)
        }
        function names(line, rest) {
            while (match(rest, /`(sim|vcpu|mmu|evtchn|rings|tools|scripts|ui|guests|tests|docs|labs)\/[^`*<]*`/)) {
                named(line, substr(rest, RSTART + 1, RLENGTH - 2))
                rest = substr(rest, RSTART + RLENGTH)
            }
        }
        function links(line, rest) {
            while (match(rest, /\]\([^):#]+[)#]/)) {
                named(line, beside substr(rest, RSTART + 2, RLENGTH - 3))
                rest = substr(rest, RSTART + RLENGTH)
            }
        }
        BEGIN { split("place skip fault named command status dialogue", suffixes); beside = file; sub(/[^\/]*$/, "", beside) }

        /^```/ && block == "" {
            block = substr($0, 4)
            start = NR
            if (block == "") { fault(NR, "a block that does not say what it is: sh, console, text..."); block = "text" }
            if (reason != "" && (block == "sh" || block == "console")) { begin(NR); put("skip", reason); block = "text" }
            reason = ""
            next
        }
        /^```/ { block = ""; next }

        block == "sh" {
            if (continued != "") $0 = continued $0
            if (/\\$/) { continued = substr($0, 1, length($0) - 1); next }
            continued = ""
            status = 0
            if (match($0, /#.*\(status [0-9]+\)/)) { status = substr($0, RSTART, RLENGTH); gsub(/.*status |\)/, "", status) }
            if ($0 !~ /^[ \t]*(#.*)?$/) command(NR, $0, status)
            next
        }
        block == "console" && /^\$ / {
            text = substr($0, 3)
            if (text == "echo $?") { close(cases "/" sprintf("%03d", n) ".status"); put("status", "next") }
            command(NR, text, 0)
            next
        }
        block == "console" && /^[a-z]+[0-9]?(:~)?[>#] / {
            match($0, /^[a-z]+[0-9]?(:~)?[>#] /)
            put("dialogue", "<" substr($0, 1, RLENGTH))
            put("dialogue", ">" substr($0, RLENGTH + 1))
            next
        }
        block == "console" { if ($0 != "...") put("dialogue", "<" $0); next }
        block != "" { next }

        /^<!-- not tried: *[^ ].* -->$/ { reason = $0; sub(/^<!-- not tried: */, "", reason); sub(/ -->$/, "", reason); next }
        /^<!-- not tried/ { fault(NR, "it says \"not tried\", but not <!-- not tried: the reason -->") }
        /^    / && (before == "" || NR == 1) { fault(NR, "a block that is indented only: say what it is, ```sh or ```text") }
        {
            if (reason != "") { fault(NR, "\"not tried\" stands before no block of commands"); reason = "" }
            if (/^ +```|^ *~~~/) fault(NR, "a block begins with ``` at the left")
            if (/`\.\/xenlab [^`]*$/) fault(NR, "a command that ends on another line")
            names(NR, $0)
            links(NR, $0)
            rest = $0
            while (match(rest, /`\.\/xenlab [^`]*`/)) {
                command(NR, substr(rest, RSTART + 1, RLENGTH - 2), 0)
                rest = substr(rest, RSTART + RLENGTH)
            }
            before = $0
        }
        END { if (block != "") fault(start, "a block without an end") }' "$1"
}

# A place like the project's root, for what the commands of one file write.
folder() {
    rm -rf "$tmp/root"
    mkdir "$tmp/root"
    for f in $(ls); do
        ln -s "$PWD/$f" "$tmp/root/$f"
    done
    case $XENLAB in
    /*) ln -sfn "$XENLAB" "$tmp/root/xenlab" ;;
    *) ln -sfn "$PWD/$XENLAB" "$tmp/root/xenlab" ;;
    esac
}

fail() {
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$place: $1"
    [ -z "${2:-}" ] || tail -n 12 "$2" | tr -d '\r' | awk '{ print "      > " $0 }'
}

wanted() {
    [ -n "$patterns" ] || return 0
    for p in $patterns; do
        case $place in
        $p) return 0 ;;
        esac
    done
    return 1
}

look() { # CASE
    { read -r where; read -r what; } < "$1.named"
    if ! [ -e "$where" ]; then
        fail "there is no $where"
    elif [ -n "$what" ] && ! grep -qF -e "$what" "$where"; then
        fail "there is no \"$what\" in $where"
    else
        nr_named=$((nr_named + 1))
    fi
}

try() { # CASE
    command=$(cat "$1.command") expected=$(cat "$1.status") status=0
    (cd "$tmp/root" && "$typist" "${SECONDS_MAX:-300}" "$1.dialogue" "(exit $before); $command") > "$tmp/out" 2> "$tmp/why" < /dev/null ||
        status=$?
    before=$status
    if [ -s "$tmp/why" ]; then
        fail "$command: $(cat "$tmp/why"); its end is:" "$tmp/out"
    elif [ "$expected" != next ] && [ "$status" -ne "$expected" ]; then
        fail "$command: ended with status $status, not $expected; its end is:" "$tmp/out"
    else
        passed=$((passed + 1))
        printf 'PASS  %s\n' "$place: $command"
    fi
}

[ -x "$typist" ] || {
    echo "$typist is not there: make test-docs" >&2
    exit 1
}

for file in $DOCS; do
    extract "$file"
    folder
    before=0 nr_named=0
    for one in $(ls "$tmp/cases" | sed -n 's|\.place$||p'); do
        one=$tmp/cases/$one
        place=$(cat "$one.place")
        wanted || continue
        if [ -e "$one.fault" ]; then
            fail "$(cat "$one.fault")"
        elif [ -e "$one.named" ]; then
            look "$one"
        elif [ -e "$one.skip" ]; then
            skipped=$((skipped + 1))
            echo "SKIP  $place: $(cat "$one.skip")"
        else
            try "$one"
        fi
    done
    [ "$nr_named" -eq 0 ] || {
        passed=$((passed + 1))
        echo "PASS  $file: $nr_named names of what is in this tree"
    }
done

# Mistakes are found, each of them, and nothing else.
if [ "$DOCS" != $here/mistakes.md ] && [ -z "$patterns" ]; then
    place=$here/mistakes.md
    DOCS=$place SECONDS_MAX=2 $here/run.sh 2>&1 | grep -v '^ *>' > "$tmp/found"
    if [ "${GOLDEN:-}" = write ]; then
        cp "$tmp/found" $here/mistakes.out
    elif ! diff $here/mistakes.out "$tmp/found" > "$tmp/diff"; then
        fail "what is found in it is not what $here/mistakes.out says:" "$tmp/diff"
    else
        passed=$((passed + 1))
        echo "PASS  $place"
    fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
