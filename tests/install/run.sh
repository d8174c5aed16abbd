#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: whether `make install` makes a xenlab that can do without this folder, and whether what the program says of
# itself, in manual pages and to shells, can be read by those that it is for.
set -u

: "${XENLAB:=./xenlab}"
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# check WHAT COMMAND...: it must end well.
check() {
    what=$1
    shift
    if "$@" > "$tmp/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $what: $*"
        head -5 "$tmp/out"
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP  $1"
}

says() { "$@" 2>&1 | grep -q "$pattern"; }
no_warning() { [ -s "$1" ] && ! groff -man -Tutf8 -ww "$1" 2>&1 > /dev/null | grep .; }

# all_options COMMAND PAGE: those that its --help lists are in the page.
all_options() {
    "$XENLAB" "$1" --help < /dev/null | sed -n 's/^  \(-., \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' > "$tmp/options"
    while read -r o; do
        sed 's/\\-/-/g' "$2" | grep -q -e "--$o" || {
            echo "--$o is not in it"
            return 1
        }
    done < "$tmp/options"
}

# ------------------------------------------------------------------------------------------------------ installed --

root=$tmp/root/usr
check "make install" make -s install DESTDIR="$tmp/root" PREFIX=/usr
cd "$tmp" || exit 1
pattern='PV guest of Xen'
check "an installed guest runs" says "$root/bin/xenlab" run -q "$root/share/xenlab/guests/hello"
check "nothing of it looks into the folder where it was built" sh -c "! readelf -d '$root/bin/xenlab' | grep -i path | grep '$OLDPWD'"
check "a tour lies there" test -s "$root/share/xenlab/tours/cli.tour"
cd "$OLDPWD" || exit 1
check "make install without DESTDIR" make -s install PREFIX="$tmp/there"
# A project of somebody else's, with what was installed alone.
cp -r docs/examples/project docs/examples/lib/events.c "$tmp/"
project() {
    (cd "$tmp/project" && env "PATH=$tmp/there/bin:$PATH" "LD_LIBRARY_PATH=$tmp/there/lib" \
        "PKG_CONFIG_PATH=$tmp/there/lib/pkgconfig" "$@")
}
check "a project of somebody else's" project make -s check
check "what came of it is in JUnit's form" sh -c "grep -q '<testsuite.* failures=\"0\"' '$tmp/project/sched.xml' && grep -q ' failures=\"0\"' '$tmp/project/grants.xml'"
check "a program with libxenlab" project sh -c 'cc -o events ../events.c $(pkg-config --cflags --libs xenlab) && ./events'
mkdir "$tmp/empty" && cd "$tmp/empty" || exit 1
for tour in "$tmp"/there/share/xenlab/tours/*.tour; do
    check "${tour##*/} can be given there" "$tmp/there/bin/xenlab" tour --check "$tour"
done
cd "$OLDPWD" || exit 1

# lab_there: a lab from that xenlab: what one begins with fails, the program's own file passes, and no teacher's file
# lies there.
lab_there() {
    lab="$tmp/there/bin/xenlab lab"
    mkdir "$tmp/student" && chmod 755 "$tmp" "$tmp/student" && own=$PWD/vcpu/pv/emulate.c && cd "$tmp/student" || return
    $lab start 1 && $lab check 1 > said
    [ $? = 2 ] && grep -q '^FAIL  01.1' said || { cat said && return 1; }
    cp "$own" 01-trap-and-emulate && $lab check 1 > said || { cat said && return 1; }
    grep -q 'CLI masks events' said && ! find "$tmp/there" | grep -q teacher && ! strings "$tmp/there/lib/xenlab/labs/cflags" | grep "$OLDPWD"
}
# asked_there: questions are asked there, but for those about a guest from elsewhere; then there is no grade.
asked_there() (
    cd "$tmp/student" && $lab start 0 && $lab check 0 > said
    [ $? = 2 ] && [ "$(grep -c '^FAIL' said)" = 13 ] || { cat said && return 1; }
    $lab start 24 && $lab check 24 > said
    [ $? = 2 ] && [ "$(grep -c '^FAIL' said)" = 14 ] && [ "$(grep -c '^SKIP' said)" = 4 ] || { cat said && return 1; }
    printf 'class = "c"\nseeds = "7-8"\npoints = [ "24 | 10" ]\n' > key
    $lab grade 24 24-tenants --key key --json r.json > said 2>&1
    [ $? = 1 ] && grep -q 'cannot be graded here, as build/assets/tenants.initrd is not there' said && [ ! -e r.json ] || { cat said && return 1; }
)
if command -v cc > /dev/null; then
    check "a lab can be done there" lab_there
    check "questions can be asked there" asked_there
    cd "$OLDPWD" || exit 1
fi

# ----------------------------------------------------------------------------------------------------------- help --

# helps COMMAND: to standard output, for 80 columns.
helps() {
    "$XENLAB" "$1" --help > "$tmp/help" 2> "$tmp/err" < /dev/null && [ -s "$tmp/help" ] && [ ! -s "$tmp/err" ] &&
        grep -q '^Usage: xenlab' "$tmp/help" && ! grep '.\{81\}' "$tmp/help"
}
for command in $("$XENLAB" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') help; do
    check "$command --help" helps "$command"
    [ $command = help ] || check "$command has a page" test -s "$root/share/man/man1/xenlab-$command.1"
done
pattern='did you mean tour'
check "what is no command is like one" says "$XENLAB" tuor

# ------------------------------------------------------------------------------------------- schedulers of one's own --

# The program that they run in is installed as well.
own_policy() {
    cc -shared -fPIC -I. -D__XEN_TOOLS__ -o "$tmp/lottery.so" docs/examples/sched/lottery.c &&
        chmod 755 "$tmp" "$tmp/lottery.so" &&
        "$XENLAB" sched --policy "$tmp/lottery.so" --workload docs/examples/sched/weights.txt | grep '^Lottery Scheduler'
}
# And kits', for which an installed header is enough.
own_kit() {
    cc -shared -fPIC -I"$root/include" -o "$tmp/$2.so" "docs/examples/kit/$2.c" && chmod 755 "$tmp" "$tmp/$2.so" &&
        "$root/bin/xenlab" kit "$1" --policy "$tmp/$2.so" --workload "docs/examples/kit/$3.txt" | grep "^$4"
}
# Those that are named without a path: all that a kit's help names, with the workload of its example.
named_policies() {
    nr=0
    for kit in $("$root/bin/xenlab" kit --help | sed -n '/^An algorithm/,/^  --policy/s/^  \([a-z]*\)  *[a-z].*/\1/p'); do
        [ "$kit" != sched ] || continue
        workload=$("$root/bin/xenlab" kit "$kit" --help | sed -n 's/.* --workload \(.*\)/\1/p')
        for policy in $("$root/bin/xenlab" kit "$kit" --help | sed -n 's/^Policies that are there: //p' | tr -d ,); do
            "$root/bin/xenlab" kit "$kit" --policy "$policy" --workload "$workload" > /dev/null
            [ $? = 0 ] || [ $? = 4 ] || return 1
            nr=$((nr + 1))
        done
    done
    [ $nr -ge 8 ]
}
check "kits' policies are found by name" named_policies
if command -v cc > /dev/null; then
    check "a scheduler of one's own runs" own_policy
    check "a memory coordinator of one's own runs" own_kit memctl even phases oscillations
    check "a pre-copy policy of one's own runs" own_kit precopy outpaced server downtime
    check "load balancing of one's own runs" own_kit balance steady uneven migrations
    check "page replacement of one's own runs" own_kit reclaim clock parts faults
else
    skip "a scheduler, and kits' algorithms, of one's own: no cc"
fi

# --------------------------------------------------------------------------------------------------- manual pages --

for page in "$root"/share/man/man1/*.1; do
    name=${page##*/}
    if command -v groff > /dev/null; then
        check "$name is a manual page without a warning" no_warning "$page"
    else
        skip "$name: no groff"
    fi
    command=${name#xenlab-} command=${command%.1}
    [ "$name" = xenlab.1 ] || check "$name has the options that --help lists" all_options "$command" "$page"
done

# ----------------------------------------------------------------------------------------------------- completion --

# completes WORDS WANTED: in bash, the last of the words.
completes() {
    bash -c '
        source "$1"
        shift
        wanted=$1
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _xenlab
        [ "${COMPREPLY[*]}" = "$wanted" ] || { echo "${COMPREPLY[*]}"; exit 1; }' \
        bash "$root/share/bash-completion/completions/xenlab" "$@"
}
check "bash completes a command" completes "debug doctor" xenlab d
check "bash completes an option" completes "--palette" xenlab tui --pal
check "bash completes a value" completes "safe" xenlab tui --palette s
check "bash completes a format" completes "perfetto" xenlab trace export perf
check "bash completes a page" completes "replay" xenlab manual repl
check "bash completes a shell" completes "zsh" xenlab completion z
check "bash completes an option of sched" completes "--policy" xenlab sched --pol
# zsh_completes LINE WANTED: Tab behind the line, in a zsh with a terminal; and what the line is then.
zsh_completes() {
    zsh -f -c '
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z "PS1= PS2=; stty -echo; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; bindkey -e"
        zpty -w z "look() { print -r -- \"<<\$BUFFER>>\"; BUFFER=; zle accept-line }; zle -N look; bindkey \"^X^X\" look"
        zpty -w z "print rea\"\"dy"
        zpty -r z got "*ready*"
        zpty -w -n z "$2"$'"'\t\030\030'"'
        zpty -r z got "*<<*>>*"
        zpty -d z
        [[ $got = *"<<$3>>"* || $got = *"<<$3 >>"* ]] || { print -r -- "$got"; exit 1 }' \
        zsh "$root/share/zsh/site-functions" "$1" "$2"
}
if command -v zsh > /dev/null; then
    check "zsh takes its file" zsh -n "$root/share/zsh/site-functions/_xenlab"
    check "zsh completes a command" zsh_completes "xenlab comp" "xenlab completion"
    check "zsh completes an option" zsh_completes "xenlab tui --pal" "xenlab tui --palette="
    check "zsh completes a value" zsh_completes "xenlab tui --palette=sa" "xenlab tui --palette=safe"
    check "zsh completes a format" zsh_completes "xenlab trace export perf" "xenlab trace export perfetto"
    check "zsh completes a page" zsh_completes "xenlab manual repl" "xenlab manual replay"
else
    skip "zsh: it is not installed"
fi

line="$passed passed, $failed failed"
[ $skipped -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed -eq 0 ]
