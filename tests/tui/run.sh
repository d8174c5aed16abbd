#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: whole visits to `xenlab tui` in a real terminal, tmux's: keys, mouse, other sizes, other kinds of terminal,
# stopping and going on, and whatever ends it: the terminal must be itself again.
#
# Concept: a shell in a terminal of tmux; keys are sent, and then it is waited until the screen shows what must come.
# There are no pauses: what does not come within half a minute is a failure.
set -u

: "${XENLAB:=./xenlab}"
passed=0 failed=0
tmp=$(mktemp -d)
# A server of its own, that knows nobody's settings.
export TMUX_TMPDIR="$tmp" LC_ALL=C.UTF-8
unset TMUX NO_COLOR
trap 'tm kill-server 2> /dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

if ! command -v tmux > /dev/null; then
    echo "SKIP  tui: there is no tmux"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# Each visit has a server of its own: one that was told to end may take a while.
visit=0
tm() { tmux -L "visit$visit" "$@"; }

screen() { tm capture-pane -p -t t 2> /dev/null; }
keys() { tm send-keys -t t "$@"; }

# shows PATTERN: sooner or later, the screen does.
shows() {
    tries=0
    while ! screen | grep -q -e "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || return 1
        sleep 0.05
    done
}

# check WHAT PATTERN
check() {
    if shows "$2"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $1: \"$2\" does not come; the screen is"
        screen | sed 's/^/      /'
    fi
}

# begin COLS ROWS [VARIABLE=VALUE...] [ARGUMENT...]: a shell, and in it the program; its number is in $tmp/pid.
begin() {
    tm kill-server 2> /dev/null
    visit=$((visit + 1))
    tm -u -f /dev/null new-session -d -s t -x "$1" -y "$2" "PS1='ready> ' exec sh"
    shift 2
    shows '^ready>'
    cat > "$tmp/visit" << END
echo \$\$ > $tmp/pid
exec env $* $XENLAB tui build/guests/rings
END
    keys "sh $tmp/visit" Enter
}

# The terminal echoes, and reads lines: what is typed at the shell is carried out and seen.
itself_again() {
    keys 'stty -a | grep -c "[ ]icanon.*\|[ ]echo " | sed s/^/modes:/' Enter
    check "$1: the terminal is itself again" 'modes:[1-9]'
    keys 'echo still here' Enter
    check "$1: and takes commands" '^still here'
}

# ----------------------------------------------------------------------------------------------------- a whole visit --

begin 120 40
check "it stops before the first instruction" 'before the first instruction'
check "there is a ladder" 'ring 0  CPL 3'
check "lines are drawn as such" '│'
keys h
check "h goes to a hypercall" 'hypercall  d1v0'
keys 5 h
check "a number repeats" 'LIVE'
keys H
check "H goes back, into the past" 'REPLAY'
keys ':goto end' Enter
check "a command is typed" 'goto  d1v0'
check "and the end is the present" 'LIVE'
keys Tab
check "Tab goes to another panel" '\[[B-Z][A-Z]*\]'
keys '?'
check "? is the help" '\[HELP\]'
keys q
check "q ends it" '^ready>$'
itself_again "the end"

# ------------------------------------------------------------------------------------------------------ mouse, sizes --

begin 120 40
check "again" 'before the first instruction'
# What a terminal of tmux sends for a click into column 90, row 30: kmous, and three characters from space on.
tm send-keys -t t -l "$(printf '\033[M \172\076')"
check "a click chooses a panel" '\[[A-KM-Z][A-Z]*\]'
tm resize-window -t t -x 200 -y 60
check "a large screen has more panels" 'MESSAGES'
tm resize-window -t t -x 60 -y 20
check "a small one says so" 'is too small'
tm resize-window -t t -x 80 -y 24
check "the smallest has the ladder" 'ring 0  CPL 3'
keys s
check "and goes on" 'step  d1v0'
keys Space
check "Space lets it run to its end" 'no guest is left'
keys q
check "q ends it" '^ready>$'

# ------------------------------------------------------------------------------------------- stopping, and going on --

begin 100 30
check "once more" 'before the first instruction'
kill -TSTP "$(cat "$tmp/pid")"
check "it stops as a job" '[Ss]topped'
keys fg Enter
check "and comes back" 'ring 0  CPL 3'
keys s
check "and takes keys" 'step  d1v0'
kill -TERM "$(cat "$tmp/pid")"
check "SIGTERM ends it" '^ready>$'
itself_again SIGTERM

for signal in SEGV ABRT USR1; do
    begin 100 30
    check "$signal is to come" 'before the first instruction'
    kill -$signal "$(cat "$tmp/pid")"
    check "SIG$signal ends it" '^ready>$'
    itself_again "SIG$signal"
done

# The terminal goes away.
begin 100 30
check "the terminal is to go away" 'before the first instruction'
pid=$(cat "$tmp/pid")
tm kill-server
tries=0
while kill -0 "$pid" 2> /dev/null && [ $tries -lt 600 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
if kill -0 "$pid" 2> /dev/null; then
    failed=$((failed + 1))
    echo "FAIL  it goes on without a terminal"
    kill -KILL "$pid"
else
    passed=$((passed + 1))
fi

# ---------------------------------------------------------------------------------------------- kinds of terminals --

coloured() { tm capture-pane -e -p -t t | grep -q "$(printf '\033\\[[0-9;]*[34]8;5')"; }

plain() { ! coloured; }

# checked WHAT COMMAND...
checked() {
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $what"
    fi
}

begin 100 30 TERM=tmux-256color
check "in colours" 'before the first instruction'
checked "there are colours" coloured
begin 100 30 TERM=tmux-256color NO_COLOR=1
check "without colours" 'before the first instruction'
checked "NO_COLOR is heard" plain
begin 100 30 TERM=vt100 LC_ALL=C
check "a terminal of 1978" 'before the first instruction'
check "lines are ASCII" '+A--+\|---->\|LADDER ---'
begin 100 30 TERM=nothing-like-that
check "one that nobody knows" 'of the kind "nothing-like-that" (TERM) is not known'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
