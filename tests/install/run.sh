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
mkdir -p "$root/lib" "$root/share/man" "$root/share/man/man3"
echo mine > "$root/share/man/man3/mine.3"
(cd "$tmp/root" && find .) > "$tmp/before"
check "make install" make -s install DESTDIR="$tmp/root" PREFIX=/usr
cd "$tmp" || exit 1
pattern='PV guest of Xen'
check "an installed guest runs" says "$root/bin/xenlab" run -q "$root/share/xenlab/guests/hello"
pattern="ok *toy guests .*$root/share/xenlab/guests/hello"
check "doctor finds the guests that were installed with it" says "$root/bin/xenlab" doctor
check "nothing of it looks into the folder where it was built" sh -c "! readelf -d '$root/bin/xenlab' | grep -i path | grep '$OLDPWD'"
check "a tour lies there" test -s "$root/share/xenlab/tours/cli.tour"
cd "$OLDPWD" || exit 1
there=$tmp/the\ re
check "make install without DESTDIR, into a folder with a blank" make -s install PREFIX="$there"
# A project of somebody else's, with what was installed alone.
cp -r docs/examples/project docs/examples/lib/events.c "$tmp/"
project() {
    (cd "$tmp/project" && env -u XENLAB -u MAKEFLAGS -u MAKELEVEL "PATH=$there/bin:$PATH" "LD_LIBRARY_PATH=$there/lib" \
        "PKG_CONFIG_PATH=$there/lib/pkgconfig" "$@")
}
check "a project of somebody else's" project make -s check
check "what came of it is in JUnit's form" sh -c "grep -q '<testsuite.* failures=\"0\"' '$tmp/project/sched.xml' && grep -q ' failures=\"0\"' '$tmp/project/grants.xml'"
check "a program with libxenlab" project sh -c 'eval "cc -o events ../events.c $(pkg-config --cflags --libs xenlab)" && ./events'
mkdir "$tmp/empty" && cd "$tmp/empty" || exit 1
for tour in "$there"/share/xenlab/tours/*.tour; do
    check "${tour##*/} can be given there" "$there/bin/xenlab" tour --check "$tour"
done
cd "$OLDPWD" || exit 1

lab() { "$there/bin/xenlab" lab "$@"; }
# lab_there: a lab from that xenlab: what one begins with fails, the program's own file passes, and no teacher's file
# lies there.
lab_there() {
    mkdir "$tmp/student" && chmod 755 "$tmp" "$there" "$tmp/student" && own=$PWD/vcpu/pv/emulate.c && cd "$tmp/student" || return
    lab start 1 && lab check 1 > said
    [ $? = 2 ] && grep -q '^FAIL  01.1' said || { cat said && return 1; }
    cp "$own" 01-trap-and-emulate && lab check 1 > said || { cat said && return 1; }
    grep -q 'CLI masks events' said && ! find "$there" | grep -q teacher && ! strings "$there/lib/xenlab/labs/cflags" | grep "$OLDPWD"
}
# asked_there: questions are asked there, but for those about a guest from elsewhere; then there is no grade.
asked_there() (
    cd "$tmp/student" && lab start 0 && lab check 0 > said
    [ $? = 2 ] && [ "$(grep -c '^FAIL' said)" = 13 ] || { cat said && return 1; }
    lab start 24 && lab check 24 > said
    [ $? = 2 ] && [ "$(grep -c '^FAIL' said)" = 14 ] && [ "$(grep -c '^SKIP' said)" = 4 ] || { cat said && return 1; }
    printf 'class = "c"\nseeds = "7-8"\npoints = [ "24 | 10" ]\n' > key
    lab grade 24 24-tenants --key key --json r.json > said 2>&1
    [ $? = 1 ] && grep -q 'cannot be graded here, as build/assets/tenants.initrd is not there' said && [ ! -e r.json ] || { cat said && return 1; }
)
if command -v cc > /dev/null; then
    check "a lab can be done there" lab_there
    check "questions can be asked there" asked_there
    cd "$OLDPWD" || exit 1
fi

# ----------------------------------------------------------------------------------------------------- a container --

# What make test-container executes, in part: all lines are understood, what is unknown is not passed over, and steps
# that only use what was installed hold with what was installed here.
container_steps() {
    scripts/test_container.sh --steps > "$tmp/steps" && nr=0 || return
    [ "$(wc -l < "$tmp/steps")" = $(($(grep -c '^[A-Z]' Containerfile) - 1)) ] || return # FROM is none
    while read -r kind rest; do
        case "$kind $rest" in
        RUN\ xenlab*)
            rest=$(echo "$rest" | sed "s,/usr/local/,$root/,g")
            (cd / && env -i HOME="$tmp" PATH="$root/bin:/usr/bin:/bin" sh -c "$rest" < /dev/null) || return
            nr=$((nr + 1))
            ;;
        esac
    done < "$tmp/steps"
    [ $nr -ge 1 ]
}
check "the container's steps that only use xenlab" container_steps
pattern='Containerfile: not understood'
for line in 'ADD . /src' 'FROM debian:13' 'RUN' 'run true'; do
    { cat Containerfile && echo "$line"; } > "$tmp/Containerfile"
    check "a Containerfile with a line $line is refused" says sh -c 'cd "$1" && "$2" --steps' sh "$tmp" "$PWD/scripts/test_container.sh"
done

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
examples=$root/share/doc/xenlab/examples
own_kit() {
    cc -shared -fPIC -I"$root/include" -o "$tmp/$2.so" "$examples/kit/$2.c" && chmod 755 "$tmp" "$tmp/$2.so" &&
        "$root/bin/xenlab" kit "$1" --policy "$tmp/$2.so" --workload "$examples/kit/$3.txt" | grep "^$4"
}
# Those that are named without a path: all that a kit's help names, with the workload of its example.
named_policies() {
    nr=0
    for kit in $("$root/bin/xenlab" kit --help | sed -n '/^An algorithm/,/^  --policy/s/^  \([a-z]*\)  *[a-z].*/\1/p'); do
        [ "$kit" != sched ] || continue
        workload=$("$root/bin/xenlab" kit "$kit" --help | sed -n 's/.* --workload \(.*\)/\1/p')
        case $workload in
        "$examples"/kit/*) ;;
        *) return 1 ;;
        esac
        for policy in $("$root/bin/xenlab" kit "$kit" --help | sed -n 's/^Policies that are there: //p' | tr -d ,); do
            "$root/bin/xenlab" kit "$kit" --policy "$policy" --workload "$workload" > /dev/null
            [ $? = 0 ] || [ $? = 4 ] || return 1
            nr=$((nr + 1))
        done
    done
    [ $nr -ge 8 ]
}
check "kits' policies are found by name, and their examples" named_policies
pattern="$examples/kit/phases.txt"
check "a kit without a workload names one that is there" says "$root/bin/xenlab" kit memctl --policy even
pattern="$examples/sched/weights.txt"
check "so does the workbench" says "$root/bin/xenlab" sched --policy credit2
if command -v cc > /dev/null; then
    check "a scheduler of one's own runs" own_policy
    check "a memory coordinator of one's own runs" own_kit memctl even phases oscillations
    check "a pre-copy policy of one's own runs" own_kit precopy outpaced server downtime
    check "load balancing of one's own runs" own_kit balance steady uneven migrations
    check "page replacement of one's own runs" own_kit reclaim clock parts faults
    check "stores to page tables, decided by one's own, run" own_kit shadow oos squeeze faults
    check "an event-channel ABI of one's own runs" own_kit evtchn fifo ports lost
else
    skip "a scheduler, and kits' algorithms, of one's own: no cc"
fi

# --------------------------------------------------------------------------------------------------------- sweeps --

# The very lines of docs/kits.md, each way to do the jobs in a folder of its own: all come to the same. Where Slurm is
# not, what sbatch would run is run here, one task after the other, the last one first; where parallel is not, it is
# passed over.
mkdir -p "$tmp/swept/bin"
cat > "$tmp/swept/bin/sbatch" << 'END'
#!/bin/sh
[ "$1" = --wait ] && [ "$3" = --wrap ] || exit 1
for SLURM_ARRAY_TASK_ID in $(seq "${2#--array=1-}" -1 1); do
    export SLURM_ARRAY_TASK_ID
    sh -c "$4" || exit
done
END
chmod 755 "$tmp/swept/bin/sbatch"
# swept WAY WORDS: the lines from that which begins with WORDS to the next that begins with another.
swept() (
    mkdir -p "$tmp/swept/$1" && cp docs/examples/kit/noise.txt "$tmp/swept/$1/" && awk -v words="$2" '
        /^xenlab kit memctl --policy even --workload noise.txt/ { print; inside = 1; next }
        /^xenlab kit merge results/ && inside { print $0 " > merged"; exit }
        inside && /^(parallel|sbatch|make) / { on = index($0, words) == 1 }
        on' docs/kits.md > "$tmp/swept/$1/lines" && [ "$(wc -l < "$tmp/swept/$1/lines")" -ge 3 ] && cd "$tmp/swept/$1" &&
        env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS "PATH=$root/bin:$tmp/swept/bin:$PATH" sh -e ./lines && grep -q ': 18 of 18 jobs$' merged &&
        { [ "$1" = make ] || cmp merged ../make/merged; }
)
check "a sweep's jobs, by make" swept make 'make -j2'
check "by Slurm's array" swept array 'sbatch --wait --array=1-$'
check "by one of few tasks" swept few 'sbatch --wait --array=1-6'
if command -v parallel > /dev/null; then
    check "by parallel" swept parallel 'parallel <'
else
    skip "a sweep's jobs, by parallel: it is not installed"
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
check "bash completes a command" completes "debug dom0 doctor" xenlab d
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

# ------------------------------------------------------------------------------------------------- Debian's package --

# All of it but the archive; make test-deb has the whole.
staged=$tmp/deb/debian/xenlab
fields() {
    DEBEMAIL= scripts/deb.sh --stage "$tmp/deb" "$root" && grep '^Depends: .*libc6 .*libcapstone' "$staged/DEBIAN/control" &&
        grep '^Description: .*hypervisor' "$staged/DEBIAN/control"
}
if command -v dpkg-gencontrol > /dev/null; then
    check "what the package is made of has what it depends on" fields
    check "its files are those of the list, and sound" sh -c 'cd "$1" && md5sum --quiet -c DEBIAN/md5sums &&
        find usr -type f | sort > ../there && sed "s/^[^ ]*  //" DEBIAN/md5sums | sort | diff - ../there &&
        ! find usr -name installed | grep . && [ -s usr/share/man/man1/xenlab.1.gz ] && [ -s usr/share/doc/xenlab/copyright ]' sh "$staged"
    check "all that lintian is told has a reason" sh -c 'awk "/^#/ { why = 1; next } ! why { bad = 1 } END { exit bad }" "$1/usr/share/lintian/overrides/xenlab"' sh "$staged"
    check "it runs" "$staged/usr/bin/xenlab" run -q "$staged/usr/share/xenlab/guests/hello"
else
    skip "Debian's package: no dpkg-dev"
fi

# ------------------------------------------------------------------------------------------------------- removed --

uninstalls() { make -s uninstall "$@" && (cd "$tmp/root" && find .) | diff "$tmp/before" -; }
check "make uninstall leaves what was there before" uninstalls DESTDIR="$tmp/root" PREFIX=/usr
check "make uninstall without DESTDIR" make -s uninstall PREFIX="$there"
check "nothing is left of it" test ! -e "$there"
pattern='nothing is installed there'
check "twice is once too often" says make -s uninstall PREFIX="$there"

# The same with a small tree, as often as one likes. of DESTDIR PREFIX WORD: install.sh WORD.
of() { DESTDIR=$1 PREFIX=$2 scripts/install.sh "$3"; }
small=$tmp/small
mkdir -p "$small/bin" "$small/lib/xenlab" "$small/share/a b/c"
touch "$small/bin/x" "$small/lib/xenlab/-n" "$small/share/a b/c/ d" && ln -s nowhere "$small/lib/y"
# round DESTDIR PREFIX: install, twice, then a newer one with less; a file of somebody's stays, and so do folders.
round() {
    mkdir -p "$1" && of "$1" "$2" "$small" && (cd "$1" && find . | sort) > "$tmp/once" && of "$1" "$2" "$small" &&
        (cd "$1" && find . | sort) | diff "$tmp/once" - && [ -L "$1$2/lib/y" ] && cp -r "$small" "$tmp/less" && rm -r "$tmp/less/share" &&
        of "$1" "$2" "$tmp/less" && [ ! -e "$1$2/share/a b/c/ d" ] && rm -r "$tmp/less" && echo his > "$1$2/bin/his" && of "$1" "$2" --remove &&
        [ "$(find "$1" ! -type d)" = "$1$2/bin/his" ] && rm "$1$2/bin/his" && rmdir "$1$2/bin"
}
for prefix in /usr /opt/x\ y /-p /a/b/c/d; do
    check "installed, again, a newer one, removed: below $prefix" round "$tmp/rounds" "$prefix"
done
# private: with umask 077, from a tree made so; then all may read, and nobody else write.
private() (
    umask 077 && mkdir "$tmp/private" && cp -r "$small" "$tmp/private/from" && find "$tmp/private/from" -type f -exec chmod 700 {} + &&
        of "$tmp/private/to" /u "$tmp/private/from" && ! find "$tmp/private/to" ! -type l \( ! -perm -444 -o -perm /022 \) | grep . &&
        ! find "$tmp/private/to" -type d ! -perm -111 | grep . && [ "$(find "$tmp/private/to" -type f | wc -l)" = 4 ]
)
check "others can use what root installs with umask 077" private
check "DESTDIR may be relative, and be made" sh -c 'cd "$1" && DESTDIR=-d PREFIX=/u "$2" small && [ -e ./-d/u/bin/x ] && DESTDIR=-d PREFIX=/u "$2" --remove && [ ! -e ./-d ]' \
    sh "$tmp" "$PWD/scripts/install.sh"
for prefix in usr / '/a:b' "/a'b" '/a$(b)' '/a,b' /a/../b //; do
    pattern='it must begin with /\|only letters, digits'
    check "no place for it: $prefix" says of "$tmp/no" "$prefix" "$small"
done
check "and nothing has been put there" test ! -e "$tmp/no"
# A list that has been changed removes nothing of others.
of "$tmp/changed" /u "$small" && echo his > "$tmp/his"
for line in '/../his' 'his'; do
    echo "$line" >> "$tmp/changed/u/lib/xenlab/installed"
    pattern='has been changed, line'
    check "a list that says $line is not believed" says of "$tmp/changed" /u --remove
    check "$line: all is there" test -e "$tmp/changed/u/bin/x" -a -e "$tmp/his"
    sed -i '$d' "$tmp/changed/u/lib/xenlab/installed"
done

line="$passed passed, $failed failed"
[ $skipped -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed -eq 0 ]
